/* SPDX-License-Identifier: MIT */
/*
 * A file of functions while it is read: the function of the present lines, in both of the ways that
 * lspci tells of it.
 */
#ifndef MACHINE_IMPORT_READER_H
#define MACHINE_IMPORT_READER_H

#include "machine/import_ids.h"
#include "machine/import_text.h"

/* What a function was told by. Neither: a line of its own and nothing else. */
#define IMPORT_BY_HEX  1U
#define IMPORT_BY_TEXT 2U

struct import_reader {
	struct import_lines lines;
	struct import_ids ids;
	bool in_function;
	bool named;	  /* its header is as lspci writes it: text can follow */
	u32 known;	  /* registers of hexadecimal lines */
	bool spaced;	  /* an empty line followed the header: one belongs to every line */
	bool after_empty; /* the line before */
	u32 repeated;	  /* functions told a second time in the same way */
	bool any_extended;
	u32 first_bare; /* the first line of a function of which nothing is told */
	struct import_function function;
	struct import_text text;
	u8 config[PCI_CFG_SPACE_EXP_SIZE];
	u8 both[PCI_CFG_SPACE_EXP_SIZE]; /* two tellings of one function in one */
};

/* A hexadecimal line. 0 or -EINVAL. */
int import_hex_line(struct import_reader *reader);

/* What follows when all functions are there. 0, -EINVAL or -ENOMEM. */
int import_text_last(struct import_reader *reader);

#endif
