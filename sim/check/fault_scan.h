/* SPDX-License-Identifier: MIT */
/*
 * Reading a line from left to right: what is next must be this. The first thing that is not
 * settles what the line is (cut or garbled), and what was expected; after that nothing is read.
 */
#ifndef CHECK_FAULT_SCAN_H
#define CHECK_FAULT_SCAN_H

#include <dmasim/fault-log.h>

struct scan {
	const char *at;
	enum dmasim_log_line state; /* DMASIM_LOG_FAULT as long as all is well */
	const char *wrong;
};

/* False, and the scan has ended: it is cut if nothing but blanks follows, else garbled. */
bool scan_fail(struct scan *scan, const char *wrong);

void scan_blanks(struct scan *scan);

/* The text must follow. A blank in it stands for any number of blanks, also none. */
bool scan_text(struct scan *scan, const char *text, const char *wrong);

/* A number of at most `most`, of digits to this base (10 or 16), with nothing before them. */
bool scan_digits(struct scan *scan, u32 base, u64 most, u64 *value, const char *wrong);

/* The same in hexadecimal, with or without 0x. */
bool scan_hex(struct scan *scan, u64 most, u64 *value, const char *wrong);

/* "3a:00.0" or "0000:3a:00.0" into the line's requester and segment. */
bool scan_requester(struct scan *scan, struct dmasim_fault_line *line);

#endif
