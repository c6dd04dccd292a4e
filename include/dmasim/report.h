/* SPDX-License-Identifier: MIT */
/*
 * Reports: a mistake of the code under test, or a fault the hardware raised.
 *
 * A report has a stable identifier (DMASIM-017 use-after-unmap), one machine-readable line and a
 * block for people. Reports are copied out: what these functions fill in belongs to the caller.
 *
 * In the block
 *
 *   here       what happened; `asked`: what the call named
 *   device     what the device did; where in its model, a debugger shows (below)
 *   mapping    the mapping concerned, by kind: dma_map_phys is dma_map_single() and dma_map_page(),
 *              too, dma_alloc is dma_alloc_coherent() and its like, and memory of a dma_pool
 *   was        a mapping that has ended; both with where they were `mapped` and `unmapped`
 *   range      the IOVA space of a dma_iova_state, which has a number
 *   call       the call that was wrong, or in which it was found: of cpu-wrote and cpu-line-lost
 *              the one that ended the device's turn, and the store was before it
 *   hardware   what hardware does, or would do
 *   Linux      what a kernel might log
 *   replay     what runs it again
 *
 * and a row of the picture is a stretch of addresses: ###### mapped, ++++++ linked and not synced,
 * ...... a state's with nothing linked; ****** what the device touched or the call named.
 *
 * What a report cannot tell:
 *
 *   a load of the CPU's is no call: a forgotten sync shows as old data, with a device that does
 *   not snoop (traits in machine.h), and is told at the load in a program that is built with
 *   AddressSanitizer (enum dmasim_poison there);
 *   kfree(), dmasim_free() and devices' accesses name no place: DMASIM_ABORT=1 in a debugger does;
 *   what became of a device's access is in its result, struct dmasim_transfer (engine.h).
 *
 * In the tests of any framework a test ends with dmasim_check_clean(), which says what was wrong;
 * dmasim/cmocka.h and dmasim/assert.h make one line of that. Reports that a test is about are
 * expected, those that nobody wants to see are suppressed: here, or in a file:
 *
 *	# what the vendor's firmware does is known
 *	suppress access-not-mapped dev=0000:03:00.0
 *	suppress mapping-leaked function=foo_* file=foo_driver.c
 *	expect 2 DMASIM-011 dma=0xffff0000-0xffffffff
 *
 * A rule is a line: `suppress`, or `expect` and a number (1 if it is left out), then a report by
 * its name or as DMASIM-NNN or as * (any), and what else it must be: each `key=value` at most once,
 * between blanks.
 *
 *	dev=PATTERN         the device, as 0000:03:00.0; without 0000: in domain 0
 *	function=PATTERN    of the call, of the one that mapped or of the one that unmapped
 *	file=PATTERN        of the same: the path, or its end after a slash
 *	dma=START[-LAST]    the report's DMA addresses meet these; 0x and digits, or decimal
 *
 * In a pattern * is any text and ? any character. What follows a # at the start of a line or after
 * a blank is a comment. A line has at most 1023 bytes, and the file 1 MiB. A suppressed report is
 * recorded, and marked; it uses up no expectation.
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
struct dmasim_error; /* topology.h */

#define DMASIM_REPORT_LINE_BYTES     256
#define DMASIM_REPORT_TEXT_BYTES     4096
#define DMASIM_REPORT_LINUX_BYTES    512
#define DMASIM_REPORT_FILE_BYTES     108
#define DMASIM_REPORT_FUNCTION_BYTES 64

/* Where in the program; line 0: not known. */
struct dmasim_report_site {
	u32 line;
	char file[DMASIM_REPORT_FILE_BYTES]; /* the end of it, if it is longer */
	char function[DMASIM_REPORT_FUNCTION_BYTES];
};

struct dmasim_report {
	enum dmasim_report_id id;
	u64 at_ns;	 /* virtual time */
	dmasim_sbdf dev; /* DMASIM_NO_SBDF when no device is concerned */
	u64 dma;	 /* 0 when no DMA address is concerned */
	u64 size;	 /* of what happened there; 0: it has none */
	bool expected;	 /* dmasim_expect() had asked for it; or suppressed */
	bool suppressed;
	struct dmasim_report_site call;	     /* that did it */
	struct dmasim_report_site mapped;    /* where the mapping concerned was made */
	struct dmasim_report_site unmapped;  /* and ended, if it has */
	u64 mapping;			     /* DMA address of that mapping */
	u64 mapping_size;		     /* 0: no mapping is concerned */
	phys_addr_t mapping_phys;	     /* 0: it is a range without any */
	char line[DMASIM_REPORT_LINE_BYTES]; /* one line of key=value, no newline */
	char text[DMASIM_REPORT_TEXT_BYTES]; /* a few lines for people */
	/* What a kernel with CONFIG_DMA_API_DEBUG might log for it; "": that has no such check. */
	char linux_text[DMASIM_REPORT_LINUX_BYTES];
};

enum dmasim_report_standing {
	DMASIM_ANY_REPORT = 0,
	DMASIM_UNEXPECTED, /* these make a machine unclean */
	DMASIM_EXPECTED,
	DMASIM_SUPPRESSED,
};

/* Which reports: those to which all of it applies. Zeros and NULL ask for nothing. */
struct dmasim_report_match {
	enum dmasim_report_id id;
	/* Patterns, as in a file (above); dev_name(dev) is one, too. */
	const char *dev;
	const char *file;
	const char *function; /* of the same call as `file` */
	u64 dma;	      /* DMA addresses that the report's meet: `size` bytes */
	u64 size;
	enum dmasim_report_standing standing; /* for lists: an expectation has none */
};

DMASIM_BEGIN_DECLS

/* The name after the number ("use-after-unmap") and the sentence; NULL for an unknown id. */
DMASIM_API const char *dmasim_report_name(enum dmasim_report_id id);
DMASIM_API const char *dmasim_report_sentence(enum dmasim_report_id id);

/* ---- The list --------------------------------------------------------- */

/*
 * Reports so far, with the expected ones and those that could not be recorded for lack of memory.
 */
DMASIM_API u32 dmasim_report_count(struct dmasim *s);

/* Copies report `index` (from 0, in order of time). False when there is none. */
DMASIM_API bool dmasim_report_get(struct dmasim *s, u32 index, struct dmasim_report *report);

/* The first of a kind. False when there is none. */
DMASIM_API bool dmasim_report_find(struct dmasim *s, enum dmasim_report_id id,
				   struct dmasim_report *report);

/*
 * The next that matches, from *index on, which is moved behind it; match NULL: any. False when
 * there is none.
 *
 *	for (u32 at = 0; dmasim_report_next(s, &match, &at, &report);)
 *		...
 */
DMASIM_API bool dmasim_report_next(struct dmasim *s, const struct dmasim_report_match *match,
				   u32 *index, struct dmasim_report *report);

/* How many match; match NULL: all that are recorded. */
DMASIM_API u32 dmasim_report_matches(struct dmasim *s, const struct dmasim_report_match *match);

/* ---- Expected and suppressed ------------------------------------------ */

/*
 * The next `count` reports of this kind are part of the test: they are recorded, marked expected,
 * and do not make the machine unclean. What was expected and did not come does.
 */
DMASIM_API void dmasim_expect(struct dmasim *s, enum dmasim_report_id id, u32 count);

/* The same for any number of them, from now on, also none. */
DMASIM_API void dmasim_suppress(struct dmasim *s, enum dmasim_report_id id);

/*
 * The same for what matches. A report that several expectations wait for counts for the oldest of
 * these, for one of dmasim_expect() last. The strings are copied. 0, or -ENOMEM.
 */
DMASIM_API int dmasim_expect_match(struct dmasim *s, const struct dmasim_report_match *match,
				   u32 count);
DMASIM_API int dmasim_suppress_match(struct dmasim *s, const struct dmasim_report_match *match);

/*
 * The rules of a file, or of `bytes` of text, for which `name` stands in messages. 0; or nothing is
 * done and *error, which may be NULL, has one line, "file:line: what; what was expected": -EINVAL,
 * a rule is none, or there are too many; -ENOMEM; or why the file cannot be read, as -ENOENT.
 *
 * The files of config.suppressions and of DMASIM_SUPPRESSIONS in the environment are read when the
 * machine is made. That they can be read is a contract: a test does not go on without.
 */
DMASIM_API int dmasim_read_suppressions(struct dmasim *s, const char *path,
					struct dmasim_error *error);
DMASIM_API int dmasim_parse_suppressions(struct dmasim *s, const char *text, size_t bytes,
					 const char *name, struct dmasim_error *error);

/*
 * Writes each rule that is not for a kind as a whole, in a line with how many reports it matched,
 * into buf (always terminated, cut at len; len may be 0). Returns how many never did.
 */
DMASIM_API u32 dmasim_report_rules(struct dmasim *s, char *buf, size_t len);

/* ---- At once ---------------------------------------------------------- */

/*
 * `tell` is called for each report that nobody expected, as soon as it is certain: what the device
 * does, while it does it; what a call did, before it returns, on its stack; what is found at the
 * end, within dmasim_check_clean(). (What Linux warns of and then does not do at all, such as a map
 * with no direction, may wait for the next call, or until somebody asks.) Nothing is told within
 * dmasim_destroy(). NULL: nobody is told, as at first.
 *
 * The machine is in the middle of something then. `tell` may note and print, with the functions
 * that take no machine, and dmasim_now(); or jump out (longjmp(), an exception), as a framework's
 * failure does: below. While it runs it is not called again.
 *
 * A report for which there was no memory comes with the id 0.
 *
 * Instead, config.abort_on_report, or DMASIM_ABORT=1 in the environment, prints the first such
 * report to stderr and aborts there, so that a debugger shows the call.
 */
typedef void dmasim_tell_report(struct dmasim *s, const struct dmasim_report *report, void *cookie);

DMASIM_API void dmasim_on_report(struct dmasim *s, dmasim_tell_report *tell, void *cookie);

/* ---- The end of a test ------------------------------------------------ */

/*
 * Ends a test: looks for leaks (live mappings, and memory of kmalloc(), pages and vmalloc()), then
 * writes into buf (always terminated, cut at len; len may be 0)
 *
 *   one line for each report that was not expected, for each expectation that was not met, and for
 *   each piece of leaked memory;
 *   then the reports' blocks in the same order, an empty line before each: as many as fit whole.
 *
 * Returns how many lines there are: 0 is clean. May be called again; what was found before is found
 * again. With the checker off it sees hardware faults and memory leaks only.
 *
 * A test that fails is often left by longjmp(), from wherever it was: a callback of a device, an
 * interrupt handler, a task of dmasim_run_cpus(), an IOVA allocator of the program's,
 * dmasim_contract_failed(), dmasim_on_report(). The machine is good for this function, for lists
 * and for its end then, and for nothing else: what the call that was left has mapped so far is a
 * leak like others.
 */
DMASIM_API u32 dmasim_check_clean(struct dmasim *s, char *buf, size_t len);

/*
 * The same of what this function has not written before, for adapters: a tear-down does not show
 * again what an assertion has. The report with which dmasim_on_report() has called a function that
 * jumped out is no news either. Of expectations and memory there is news if their number is
 * another.
 */
DMASIM_API u32 dmasim_check_news(struct dmasim *s, char *buf, size_t len);

/*
 * A number of bytes as reports have it: "4 KiB", "300 bytes", exact, in the largest unit that
 * divides it; into buf, always terminated. len is at least 1.
 */
DMASIM_API void dmasim_size_text(u64 bytes, char *buf, size_t len);

DMASIM_END_DECLS

#endif
