/* SPDX-License-Identifier: MIT */
/*
 * Commands that were handed over, and which of them were executed: in any order that the
 * architecture allows (facts "iova-and-page-tables" 3.2, 3.6 step 6).
 */
#ifndef FUZZ_PENDING_H
#define FUZZ_PENDING_H

#include "fuzz.h"
#include "plain.h"

#define PENDING_MAX (FUZZ_INPUT_BYTES / 16) /* no input has more */

struct pending {
	bool contexts_first; /* IOTLB commands are executed after context commands */
	bool devices_last;   /* those of device TLBs after IOTLB commands */
	u32 count;
	struct plain_command command[PENDING_MAX]; /* number 1 first */
	bool done[PENDING_MAX];
	u64 last_wait;		/* its number, 0: there was none */
	u64 kinds[PLAIN_KINDS]; /* executed, by kind */
};

/* It gets the next number. */
void pending_add(struct pending *pending, const struct plain_command *command);

/*
 * The hardware has executed command `number`. NULL: it may; else what is wrong. *again: it is a
 * further part of the command that was executed last.
 */
const char *pending_executed(struct pending *pending, u64 number, bool *again);

/* The first that was not executed; NULL: there is none. */
const struct plain_command *pending_oldest(const struct pending *pending);

/* What was not executed never will be; what is behind the first `taken` never was a command. */
void pending_forget(struct pending *pending, u64 taken);

/* The kinds, a bit each, of those before this number that are not executed. */
u32 pending_before(const struct pending *pending, u64 number);

/* All up to this number are executed. */
bool pending_done(const struct pending *pending, u64 number);

#endif
