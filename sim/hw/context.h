/* SPDX-License-Identifier: MIT */
/*
 * What a requester's context entry says, and a cache of it: sets of up to four ways, tagged by
 * requester and by the domain that the entry had when it was cached.
 *
 * Which way is replaced is the hardware's choice, as in the translation cache.
 */
#ifndef HW_CONTEXT_H
#define HW_CONTEXT_H

#include "world/world.h"

enum hw_context_type {
	HW_CONTEXT_ABSENT = 0,
	HW_CONTEXT_TRANSLATE,
	HW_CONTEXT_PASS_THROUGH, /* addresses are taken as they are */
};

/* What hardware marks in the entries of pages (AMD's HAD field has the same values). */
#define HW_MARK_ACCESSED (1U << 0)
#define HW_MARK_DIRTY	 (1U << 1)

struct hw_context {
	u8 type; /* enum hw_context_type */
	u8 levels;
	u16 domain;
	phys_addr_t root;
	bool no_read; /* AMD: what the entry itself takes away, whatever the tables allow */
	bool no_write;
	u8 marks;	 /* AMD: HW_MARK_ */
	bool device_tlb; /* requests of a device TLB are taken: its own, and translated ones */
	u8 allows;	 /* bit 0 reads, bit 1 writes; hw_context_set() asks the architecture */
};

struct context_entry {
	u64 used_at;
	struct hw_context context;
	u16 requester;
	u16 domain; /* the tag: an entry that gives no translation is tagged 0 */
	bool valid;
};

struct context_cache {
	struct world *world;
	struct context_entry *entry; /* sets x ways; NULL: there is no cache */
	u32 sets;		     /* a power of two */
	u32 ways;
	u64 clock;
};

/* 0 entries: no cache. Else rounded up to a power of two. 0 or -ENOMEM. */
int context_cache_init(struct context_cache *cache, struct world *world, u32 entry_count);
void context_cache_fini(struct context_cache *cache);

/* NULL on a miss, or without a cache. Valid until the next call. Counts as a use. */
const struct hw_context *context_cache_find(struct context_cache *cache, u16 requester);

/* The same, looked at from outside: it is no use. */
const struct hw_context *context_cache_peek(const struct context_cache *cache, u16 requester);

/* The requester is not cached. Replaces what the set must give up. */
void context_cache_fill(struct context_cache *cache, u16 requester, u16 domain,
			struct hw_context context);

/*
 * Drops the requesters that differ from `requester` at most in the bits of `ignored`, if they have
 * this tag, or whatever tag they have.
 */
void context_cache_invalidate(struct context_cache *cache, bool all_domains, u16 domain,
			      u16 requester, u16 ignored);

#endif
