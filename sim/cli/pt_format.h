/* SPDX-License-Identifier: MIT */
/*
 * Page-table formats for `dmasim pt`: which tables there may be, what an entry says, and its bits
 * by name. A format is one file that fills a struct pt_format, and a line in pt_format.c. It reads
 * what the software has written by the architecture's bits alone, and shares no code with it.
 */
#ifndef CLI_PT_FORMAT_H
#define CLI_PT_FORMAT_H

#include "walk_format.h"

/* Options that a format may have, or not. */
enum pt_switch {
	PT_NO_1G = 1 << 0,
	PT_SNOOP = 1 << 1,
	PT_FORCE_WRITE = 1 << 2,
	PT_LOWER_HALF = 1 << 3,
	PT_CONTIGUOUS = 1 << 4,
	PT_LPA2 = 1 << 5,
	PT_DIRTY = 1 << 6,
	PT_NON_SECURE = 1 << 7,
	PT_FWB = 1 << 8,
	PT_BBML2 = 1 << 9,
	PT_NAPOT = 1 << 10,
	PT_PBMT = 1 << 11,
	PT_INCOHERENT = 1 << 12,
	PT_STAGE = 1 << 13, /* what follows has a value, which is not here */
	PT_GRANULE = 1 << 14,
	PT_ENCRYPTED = 1 << 15,
	PT_CONCATENATE = 1 << 16,
};

/* A table as it is asked for. */
struct pt_layout {
	u32 switches; /* PT_ that are on */
	u8 stage;     /* 1 or 2 */
	u8 granule_lg2;
	u8 levels;
	u8 top_extra_lg2;
	u8 pa_bits;
	u64 encryption; /* the bit of addresses; 0: none */
};

static inline u32 pt_index_bits(const struct pt_layout *layout)
{
	return layout->granule_lg2 - 3U;
}

/* log2 of the bytes that one entry of a level maps. */
static inline u32 pt_level_lg2(const struct pt_layout *layout, u32 level)
{
	return layout->granule_lg2 + pt_index_bits(layout) * level;
}

/* What an entry says. */
struct pt_said {
	enum walk_kind kind;
	phys_addr_t phys;    /* of the page or of the table */
	u8 lg2;		     /* leaf: of all of it, which may take several entries */
	u8 next;	     /* table: its level */
	bool own_address;    /* leaf of several entries: each leads to its own part */
	const char *rights;  /* "rw", "r-x" */
	const char *also[3]; /* "dirty", "privileged", "not cacheable" ...; then NULL */
	u64 reserved;	     /* malformed: bits that are set and must not be */
	const char *wrong;   /* malformed for another reason; else NULL */
};

/* A format's fields; those of its address have no name here. */
struct pt_fields {
	const struct walk_field *field;
	u32 count;
	u64 address; /* bits of the address */
};

#define PT_FIELDS(fields, address)                                    \
	(struct pt_fields)                                            \
	{                                                             \
		fields, sizeof(fields) / sizeof((fields)[0]), address \
	}

/* What a layout comes to. */
struct pt_shape {
	const char *title;
	char writer[24]; /* the library's name of what writes such tables */
	u8 levels;	 /* if nothing else is said */
	u8 levels_min;
	u8 levels_max;
	bool grows; /* up to levels_max */
	u8 pa_bits;
	u8 many_lg2; /* log2 of peculiar leaves, of several entries, for an example; 0: none */
	bool sign_extends; /* addresses repeat their highest bit */
};

struct pt_format {
	const char *name;
	u32 switches; /* PT_ that it takes */
	/* Of a layout whose levels are not known yet. */
	struct pt_shape (*shape)(const struct pt_layout *layout);
	struct pt_said (*say)(const struct pt_layout *layout, u64 entry, u8 level);
	/* NULL: those of walk, whatever the entry. */
	struct pt_fields (*fields)(const struct pt_layout *layout, u64 entry, u8 level);
	const struct walk_format *walk;
};

extern const struct pt_format pt_amdv1;
extern const struct pt_format pt_vtdss;
extern const struct pt_format pt_x86_64;
extern const struct pt_format pt_armv8;
extern const struct pt_format pt_riscv;

/* In the order of --help; NULL: no more. */
const struct pt_format *pt_format_at(u32 index);

/* NULL: there is no format of that name. */
const struct pt_format *pt_format_named(const char *name);

struct pt_fields pt_fields(const struct pt_format *format, const struct pt_layout *layout,
			   u64 entry, u8 level);

/* What `dmasim walk` would say; the rights are "rw", "r-" ... */
struct pt_said pt_said_of(const struct walk_said *walk);

/* "rwx", "r--" ... */
const char *pt_rights(bool read, bool write, bool execute);

/*
 * The names of what is set, but for the address: "R W ign10", "bit 61" for what has no name.
 * Returns text.
 */
#define PT_NAMES_BYTES 512
const char *pt_names(const struct pt_format *format, const struct pt_layout *layout, u64 entry,
		     u8 level, char text[PT_NAMES_BYTES]);

#endif
