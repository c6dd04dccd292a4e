/* SPDX-License-Identifier: MIT */
/*
 * What a requester's context entry, or the entry of one of its PASIDs, says, and a cache of such:
 * sets of up to four ways, tagged by requester (and PASID) and by the domain that the entry had
 * when it was cached.
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
	HW_CONTEXT_FIRST_STAGE,	 /* of a PASID: by first-stage tables */
	HW_CONTEXT_PASIDS,	 /* of a requester: its PASIDs have entries of their own */
	HW_CONTEXT_NESTED,	 /* of a PASID: by a first stage below a second (PGTT 3) */
};

/* What hardware marks in the entries of pages (AMD's HAD field has the same values). */
#define HW_MARK_ACCESSED (1U << 0)
#define HW_MARK_DIRTY	 (1U << 1)

/* Of a requester whose PASIDs have entries: it may send PASIDs (PASIDE). */
#define HW_CONTEXT_MAY_SEND_PASIDS (1U << 0)
/* Of a PASID. */
#define HW_CONTEXT_MAY_EXECUTE	   (1U << 1) /* ERE: requests to execute are taken */
#define HW_CONTEXT_MAY_SUPERVISE   (1U << 2) /* SRE: requests with privilege are taken */
#define HW_CONTEXT_WRITE_PROTECT   (1U << 3) /* WPE: R/W binds those, too */
#define HW_CONTEXT_EXT_ACCESSED	   (1U << 4) /* EAFE: a first stage's EA is set beside A */
#define HW_CONTEXT_TRACK	   (1U << 5) /* SSADE: a second stage's A and D are set */
/* Of a requester that is absent: there is not even a table that would have its entry. */
#define HW_CONTEXT_NO_PLACE	   (1U << 6)

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
	u8 flags;	 /* VT-d's scalable mode: HW_CONTEXT_ */
	u8 pasid_bits;	 /* HW_CONTEXT_PASIDS: PASIDs below 2 to the power of it have a place */
	/* HW_CONTEXT_NESTED: `root` and `levels` are the first stage's, by the second's address. */
	u8 second_levels;
	phys_addr_t second_root;
};

/* It leads to tables. */
static inline bool hw_context_has_tables(const struct hw_context *context)
{
	return context->type == HW_CONTEXT_TRANSLATE || context->type == HW_CONTEXT_FIRST_STAGE;
}

static inline bool hw_context_has_first(const struct hw_context *context)
{
	return context->type == HW_CONTEXT_FIRST_STAGE || context->type == HW_CONTEXT_NESTED;
}

/* The tag of a PASID's entry. That of a context entry is the requester. */
static inline u64 hw_pasid_tag(u16 requester, u32 pasid)
{
	return (u64)pasid << 16 | requester;
}

/* Bits of a tag to ignore. */
#define HW_TAG_ANY_REQUESTER 0xffffULL
#define HW_TAG_ANY	     (~0ULL)

struct context_entry {
	u64 used_at;
	struct hw_context context;
	u64 tag;
	u16 domain; /* a tag, too: an entry that gives no translation is tagged 0 */
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
const struct hw_context *context_cache_find(struct context_cache *cache, u64 tag);

/* The same, looked at from outside: it is no use. */
const struct hw_context *context_cache_peek(const struct context_cache *cache, u64 tag);

/* The tag is not cached. Replaces what the set must give up. */
void context_cache_fill(struct context_cache *cache, u64 tag, u16 domain,
			struct hw_context context);

/*
 * Drops the entries whose tags differ from `tag` at most in the bits of `ignored`, if they have
 * this domain, or whatever domain they have.
 */
void context_cache_invalidate(struct context_cache *cache, bool all_domains, u16 domain, u64 tag,
			      u64 ignored);

#endif
