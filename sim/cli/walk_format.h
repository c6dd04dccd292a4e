/* SPDX-License-Identifier: MIT */
/*
 * Page-table formats for people: the bits of an entry by name, and what an entry says as a whole.
 * A format is one file that fills a struct walk_format, and a line in walk_format.c. It shares no
 * code with what writes or walks tables; tests compare them.
 */
#ifndef CLI_WALK_FORMAT_H
#define CLI_WALK_FORMAT_H

#include "cli.h"

/* Of all formats so far: tables of 512 entries, 4 KiB pages. */
#define WALK_GRANULE_LG2 12
#define WALK_INDEX_BITS	 9

/* log2 of the bytes that one entry of a level maps. */
static inline u32 walk_level_lg2(u32 level)
{
	return WALK_GRANULE_LG2 + WALK_INDEX_BITS * level;
}

/* Bits high:low of an entry. */
struct walk_field {
	u8 high;
	u8 low;
	const char *name; /* NULL: ignored, so it has none */
	const char *meaning;
};

/* What the unit can do beyond what all can. */
struct walk_unit {
	bool no_1g;
	bool snoop;
	bool device_tlb;
};

enum walk_kind {
	WALK_ABSENT,
	WALK_TABLE,
	WALK_LEAF,
	WALK_MALFORMED,
};

/* What an entry says. */
struct walk_said {
	enum walk_kind kind;
	bool read;
	bool write;
	phys_addr_t phys;  /* of the page or of the table */
	u8 page_lg2;	   /* leaf */
	u8 next;	   /* table: its level */
	u64 reserved;	   /* malformed: bits that are set and must not be */
	const char *wrong; /* malformed for another reason; else NULL */
};

struct walk_format {
	const char *name;
	const char *title;
	enum dmasim_iommu iommu;
	const char *context; /* what tells of a device, and the cache of those */
	const char *context_cache;
	u8 levels_min; /* that a machine's tables may have, or grow to */
	u8 levels_max;
	u8 levels;	 /* if nothing else is said */
	u8 levels_first; /* what they grow from; 0: they do not grow */
	u8 entry_levels; /* of the format as a whole */
	u64 address_mask;
	bool lower_half;  /* the highest bit is repeated above: mapped is where it is 0 */
	bool no_absents;  /* that nothing is there is not cached */
	u8 address_shift; /* to the left, to make an address of it */
	const struct walk_field *field;
	u32 field_count;
	const char *note; /* below the table of bits; may be "" */
	struct walk_said (*say)(u64 entry, u8 level, const struct walk_unit *unit);
};

extern const struct walk_format walk_vtdss;
extern const struct walk_format walk_amdv1;
extern const struct walk_format walk_riscv;
extern const struct walk_format walk_armv8;

/* NULL: there is no format of that name. */
const struct walk_format *walk_format_named(const char *name);

/* The same, but malformed, for its reserved bits or, if they are none, for what is wrong. */
struct walk_said walk_malformed(struct walk_said said, const char *wrong);

u64 walk_field_mask(const struct walk_field *field);

/* "W", "NextLevel=3", "ign10", "ign61:52=0x3" */
void walk_field_text(const struct walk_field *field, u64 entry, char *text, size_t len);

/* Takes the highest run of ones out of *bits, of which there are some: "20:12", "62". */
void walk_take_run(u64 *bits, char *text, size_t len);

/* The table of bits. */
void walk_print_bits(const struct walk_format *format);

/* One entry: each bit that is set, and what the whole says. The exit status. */
int walk_print_entry(const struct walk_format *format, const struct walk_unit *unit, u8 level,
		     u64 entry);

/*
 * The names of what is set, but for the address, and what kind of entry that is: "R W, table"; in
 * pieces, each with a space before it, into words that end in "". Returns how many.
 */
#define WALK_WORDS_MAX	40
#define WALK_WORD_BYTES 32
struct walk_words {
	u32 count;
	char word[WALK_WORDS_MAX][WALK_WORD_BYTES];
};
void walk_say(const struct walk_format *format, const struct walk_unit *unit, u8 level, u64 entry,
	      struct walk_words *words);

/* "4 KiB", "2 MiB", "3 GiB" ... for a multiple of them. Valid until the end of the line. */
struct walk_size {
	char text[32]; /* "18446744073709551615 bytes" */
};
struct walk_size walk_size(u64 bytes);
struct walk_size walk_size_lg2(u32 lg2);

/* "rw", "r-", "-w" or "--". */
const char *walk_permissions(bool read, bool write);

#endif
