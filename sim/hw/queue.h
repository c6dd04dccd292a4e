/* SPDX-License-Identifier: MIT */
/*
 * The invalidation queue: what commands ask for, whatever the architecture, and their execution.
 */
#ifndef HW_QUEUE_H
#define HW_QUEUE_H

#include <dmasim/types.h>

struct hw_iommu;

#define HW_COMMAND_BYTES 16

/* What an invalidation empties. */
enum hw_invalidated {
	HW_INVALIDATED_IOTLB = 0,
	HW_INVALIDATED_CONTEXT,
	HW_INVALIDATED_DEVICE_TLB,
	HW_INVALIDATED_INTERRUPT, /* entries of interrupt remapping, which is not modelled */
	HW_INVALIDATED_COUNT,
};

/*
 * What an executed invalidation covered: [start, last] of a domain, or of all of them; or the
 * requesters that differ from `requester` at most in the bits of `requester_ignored`.
 */
struct hw_invalidation {
	u8 what; /* enum hw_invalidated */
	bool all_domains;
	u16 domain;
	u64 start; /* for interrupt entries: their indexes */
	u64 last;
	bool leaf_only;	  /* cached non-leaf entries may have been left alone */
	bool larger_stay; /* so may be entries of pages larger than the window */
	bool drain_reads; /* requests that were translated before are over */
	bool drain_writes;
	u8 queue_depth;	       /* of a device TLB: invalidations it takes at once, 1 to 32 */
	u16 requester;	       /* of a context or a device TLB */
	u16 requester_ignored; /* 0xffff: all requesters */
	u16 pf_requester;      /* of a device TLB: the physical function that counts them */
};

/* A wait for all commands before it. */
struct hw_wait {
	u8 store_bytes; /* 0: it stores nothing */
	bool interrupt;
	bool fence; /* commands behind it start after it */
	phys_addr_t store_at;
	u64 value;
};

enum hw_command_kind {
	HW_COMMAND_INVALIDATE = 0,
	HW_COMMAND_INVALIDATE_EVERYTHING, /* all caches of the unit */
	HW_COMMAND_WAIT,
};

struct hw_command {
	u8 kind;		 /* enum hw_command_kind */
	const char *granularity; /* as the trace calls it */
	struct hw_invalidation invalidation;
	struct hw_wait wait;
};

/*
 * Executes encoded commands, 16 bytes each, in order. 0, or -EINVAL at the first malformed one: it
 * and the rest are not executed, and the queue has stopped. While it is stopped nothing is
 * executed, and the answer is -EINVAL.
 */
int hw_queue_execute(struct hw_iommu *iommu, const void *commands, size_t bytes);

/* Lets it go on; what was not executed is forgotten. */
void hw_queue_resume(struct hw_iommu *iommu);

#endif
