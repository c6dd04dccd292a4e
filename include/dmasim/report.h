/* SPDX-License-Identifier: MIT */
/*
 * Reports: a mistake of the code under test, or a fault the hardware raised.
 *
 * A report has a stable identifier (DMASIM-017 use-after-unmap), one machine-readable line and a
 * block for people. Reports are copied out: what these functions fill in belongs to the caller.
 */
#ifndef DMASIM_REPORT_H
#define DMASIM_REPORT_H

#include <dmasim/report-registry.h>
#include <dmasim/types.h>

enum dmasim_report_id {
#define DMASIM_REPORT_ENUM(number, id, name, text) DMASIM_REPORT_##id = number,
	DMASIM_REPORTS(DMASIM_REPORT_ENUM)
#undef DMASIM_REPORT_ENUM
};

struct dmasim;

#define DMASIM_REPORT_LINE_BYTES  256
#define DMASIM_REPORT_TEXT_BYTES  2048
#define DMASIM_REPORT_LINUX_BYTES 512

struct dmasim_report {
	enum dmasim_report_id id;
	u64 at_ns;			     /* virtual time */
	dmasim_sbdf dev;		     /* DMASIM_NO_SBDF when no device is concerned */
	u64 dma;			     /* 0 when no DMA address is concerned */
	bool expected;			     /* dmasim_expect() had asked for it */
	char line[DMASIM_REPORT_LINE_BYTES]; /* one line of key=value, no newline */
	char text[DMASIM_REPORT_TEXT_BYTES]; /* a few lines for people */
	/* What a kernel with CONFIG_DMA_API_DEBUG might log for it; "": that has no such check. */
	char linux_text[DMASIM_REPORT_LINUX_BYTES];
};

DMASIM_BEGIN_DECLS

/* The name after the number ("use-after-unmap") and the sentence; NULL for an unknown id. */
DMASIM_API const char *dmasim_report_name(enum dmasim_report_id id);
DMASIM_API const char *dmasim_report_sentence(enum dmasim_report_id id);

/*
 * Reports so far, with the expected ones and those that could not be recorded for lack of memory.
 */
DMASIM_API u32 dmasim_report_count(struct dmasim *s);

/* Copies report `index` (from 0, in order of time). False when there is none. */
DMASIM_API bool dmasim_report_get(struct dmasim *s, u32 index, struct dmasim_report *report);

/*
 * The next `count` reports of this kind are part of the test: they are recorded, marked expected,
 * and do not make the machine unclean. What was expected and did not come does.
 */
DMASIM_API void dmasim_expect(struct dmasim *s, enum dmasim_report_id id, u32 count);

/* The same for any number of them, from now on, also none. */
DMASIM_API void dmasim_suppress(struct dmasim *s, enum dmasim_report_id id);

/*
 * Ends a test: looks for leaks (live mappings, memory), then writes one line for each report that
 * was not expected and for each expectation that was not met into buf (always terminated, cut at
 * len; len may be 0). Returns how many there are: 0 is clean. May be called again; what was found
 * before is found again. With the checker off it sees hardware faults and memory leaks only.
 */
DMASIM_API u32 dmasim_check_clean(struct dmasim *s, char *buf, size_t len);

/*
 * A number of bytes as reports have it: "4 KiB", "300 bytes", exact, in the largest unit that
 * divides it; into buf, always terminated. len is at least 1.
 */
DMASIM_API void dmasim_size_text(u64 bytes, char *buf, size_t len);

DMASIM_END_DECLS

#endif
