/* SPDX-License-Identifier: MIT */
/*
 * What may still be cached of how contexts and tables were: a plain model, by single addresses.
 *
 * For each domain and each of the addresses that inputs use: an entry that serves the address was
 * changed since the last command that covers it. For each requester: the contexts it had since.
 * What is in neither is fresh, and the hardware must answer as if it had no caches. What is there
 * may be answered either way.
 *
 * An entry that was absent is in no cache, unless the unit caches absent ones.
 */
#ifndef FUZZ_STALE_H
#define FUZZ_STALE_H

#include "input.h"
#include "plain.h"

#define STALE_DOMAINS 4U /* 0 to 3 */
#define STALE_OLD     4U

struct stale_requester {
	struct rig_context now;
	struct rig_context old[STALE_OLD];
	u32 old_count;
	bool lost;  /* there were more */
	bool asked; /* since it has the one it has now: that may be cached */
};

struct stale {
	const struct rig_unit *unit;
	struct plain_memory *memory;
	bool undefined; /* tables were made whose meaning depends on what is cached */
	struct stale_requester requester[INPUT_REQUESTERS];
	struct {
		struct rig_context context;   /* the last one that the domain had */
		bool leaf[INPUT_ADDRESSES];   /* a page may be cached, or that there was none */
		u8 page_lg2[INPUT_ADDRESSES]; /* of the largest page that may be */
		u64 sizes[INPUT_ADDRESSES];   /* a bit for each size that such a page may have */
		bool table[INPUT_ADDRESSES];  /* a pointer to a table may be */
		bool asked[INPUT_ADDRESSES];  /* since then: something may be cached */
		u8 how[INPUT_ADDRESSES];      /* the last command that made it fresh; 0: none */
		bool known;
	} domain[STALE_DOMAINS];
};

void stale_init(struct stale *stale, const struct rig_unit *unit, struct plain_memory *memory);

/* Before the entry at this address changes, for the unit: it is still in memory. */
void stale_entry(struct stale *stale, u64 at, u64 new_word);
void stale_context(struct stale *stale, u32 requester, struct rig_context context);

/* The command was executed. Returns how many addresses and contexts it made fresh. */
u32 stale_command(struct stale *stale, const struct plain_command *command);

/* True: the requester's context is fresh. */
bool stale_knows_context(const struct stale *stale, u32 requester);
/* True: and so is all that it has for input_address(address). */
bool stale_knows(const struct stale *stale, u32 requester, u32 address);
/* The address was translated for the requester. */
void stale_asked(struct stale *stale, u32 requester, u32 address);
/* What made it so: 0 if nothing was stale. For inputs to be told apart. */
u8 stale_how(const struct stale *stale, u32 requester, u32 address);

#endif
