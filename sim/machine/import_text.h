/* SPDX-License-Identifier: MIT */
/*
 * What lspci -v, -vv and -vvv say of a function, made into the registers that they read it from.
 *
 *   import_text.c       the lines before the first capability: BARs, windows, bus numbers
 *   import_text_caps.c  capabilities, each at its offset and linked to the next
 *   import_text_last.c  what only the whole file tells; and what needs the tree
 *   import_ids.c        names -> numbers
 *
 * Registers that no line tells of read as zeros.
 */
#ifndef MACHINE_IMPORT_TEXT_H
#define MACHINE_IMPORT_TEXT_H

#include "machine/import_lines.h"

#define IMPORT_REBARS_MAX 6

/* The function that is being read. */
struct import_text {
	struct import *import;
	const struct import_line *line; /* the present one */
	bool any;			/* there was a line of text */
	bool whole;  /* and what every function has: capabilities that are not there are none */
	bool denied; /* capabilities are not shown */
	bool silent; /* it did not answer */
	bool odd_class;
	bool named_virtual; /* the name says that it is a virtual function of SR-IOV */
	bool has_control;   /* a Control line: else memory decoding shows in the BARs */
	bool memory, io;    /* a BAR or a window that is not disabled */
	u32 next_bar;	    /* lspci -v does not number them */
	bool bars_counted;
	u32 upper_halves; /* a bit for each BAR register that a 64-bit one has */
	struct import_bar bar[IMPORT_BARS];

	/* Capabilities. */
	bool in_capabilities;
	u32 at;	      /* of the present one; 0: one that has no place */
	u16 id;	      /* its identifier, with IMPORT_EXTENDED */
	u32 last;     /* the one before it, of conventional ones: 0 is the header */
	u32 last_ext; /* and of extended ones */
	u32 rebars;   /* BARs in a resizable-BAR capability */
	bool has_extended;
	bool acs_shown;
	u32 acs_at;

	u8 image[PCI_CFG_SPACE_EXP_SIZE];
	char class_name[IMPORT_LINE_KEPT];  /* "": its number is known */
	char device_name[IMPORT_TEXT_KEPT]; /* likewise, of vendor and device */
};

#define IMPORT_EXTENDED 0x1000

void import_text_begin(struct import_text *text, struct import *import);

/*
 * Reads what a header says behind the address: "class: vendor and device (rev 01)". False: that is
 * not how lspci writes it.
 */
bool import_text_header(struct import_text *text, const char *rest);

/* 0 or -EINVAL. Lines that tell nothing are skipped. */
int import_text_line(struct import_text *text, const struct import_line *line);

/* Every line has been read. */
void import_text_end(struct import_text *text);

/* A PCI bridge without the line that tells where it leads. */
bool import_text_lacks_buses(const struct import_text *text);

/* For the two parts of the reader. */

void import_text_put(struct import_text *text, u32 at, u32 bytes, u64 value);
u32 import_text_get(const struct import_text *text, u32 at, u32 bytes);

/* Sets the bits of words like "Mem+" in the register that the line's tag stands for. */
void import_text_bits(struct import_text *text, const char *line);

/* "Memory at ..." or "I/O ports at ..." for the BAR register at `at`, of `left` that follow. */
int import_text_region(struct import_text *text, const char *line, u32 at, u32 left,
		       struct import_bar *bar);

/* "Capabilities: ...", and a line of the present capability. */
int import_text_capability(struct import_text *text, const char *line);
int import_text_capability_line(struct import_text *text, const char *line);

int import_text_error(struct import_text *text, const char *expected);

static inline bool import_text_begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

#endif
