/* SPDX-License-Identifier: MIT */
/*
 * The invalidation queue: what commands ask for, whatever the architecture, and their execution.
 *
 * Commands are fetched in order. Until a wait says that they are complete, each may be executed at
 * any time, and they may overtake each other, but for these (facts "iova-and-page-tables" 3.2, 3.6
 * step 6):
 *
 *   a wait is executed after all that stands before it;
 *   nothing behind a wait with a fence is executed before it;
 *   a command for a device TLB takes effect after the IOTLB commands before it, else the device
 *     could fetch again what those are about to drop;
 *   on both an IOTLB command takes effect after the context and PASID commands before it [M].
 *
 * When a command is executed, and which of those that may be, is the hardware's choice: a plain run
 * executes each at once.
 */
#ifndef HW_QUEUE_H
#define HW_QUEUE_H

#include <dmasim/types.h>

struct hw_iommu;

#define HW_COMMAND_BYTES      16
#define HW_WIDE_COMMAND_BYTES 32 /* of a unit with wide_commands: words 2 and 3 are 0 */

/* What an invalidation empties. */
enum hw_invalidated {
	HW_INVALIDATED_IOTLB = 0,
	HW_INVALIDATED_CONTEXT,
	HW_INVALIDATED_DEVICE_TLB,
	HW_INVALIDATED_PASID,	  /* entries of PASIDs */
	HW_INVALIDATED_INTERRUPT, /* entries of interrupt remapping, which is not modelled */
	HW_INVALIDATED_COUNT,
};

/*
 * What an executed invalidation covered: [start, last] of a domain, or of all of them; or the
 * requesters that differ from `requester` at most in the bits of `requester_ignored`.
 *
 * In scalable mode one of a domain's IOTLB entries takes those of its second stage, or with
 * has_pasid those that the first stage of one of its PASIDs gave; one of the PASIDs' entries those
 * of a domain's, of any requester: all or one.
 */
struct hw_invalidation {
	u64 number; /* of its command */
	u8 what;    /* enum hw_invalidated */
	bool all_domains;
	bool has_pasid;	 /* it is about one; a device TLB's without is about requests without */
	bool all_pasids; /* of a device TLB: about each of them */
	u16 domain;
	u32 pasid;
	u64 start; /* for interrupt entries: their indexes */
	u64 last;
	bool leaf_only;	  /* cached non-leaf entries may have been left alone */
	bool larger_stay; /* so may be entries of pages larger than the window */
	/* So may be pages that are no leaves of this level, counted from 1: a hint. 0: none. */
	u8 only_level;
	bool drain_reads; /* requests that were translated before are over */
	bool drain_writes;
	u8 queue_depth;	       /* of a device TLB: invalidations it takes at once, 1 to 32 */
	u16 requester;	       /* of a context or a device TLB */
	u16 requester_ignored; /* 0xffff: all requesters */
	u16 pf_requester;      /* of a device TLB: the physical function that counts them */
};

/* True if a hint at a level spares pages of this size. */
static inline bool hw_hint_spares(const struct hw_invalidation *what, u8 page_lg2)
{
	return what->only_level && (page_lg2 - 12) / 9 + 1 != what->only_level;
}

/* A wait for all commands before it. */
struct hw_wait {
	u8 store_bytes; /* 0: it stores nothing */
	bool interrupt;
	bool fence;	    /* commands behind it start after it */
	bool page_requests; /* those under way are over, too */
	phys_addr_t store_at;
	u64 value;
};

enum hw_command_kind {
	HW_COMMAND_INVALIDATE = 0,
	HW_COMMAND_INVALIDATE_EVERYTHING, /* all caches of the unit */
	HW_COMMAND_WAIT,
	HW_COMMAND_NOTHING, /* an answer to a page request, of which there are none */
};

struct hw_command {
	u64 number;		 /* among those submitted to the unit, from 1 */
	u64 word[2];		 /* as it was submitted, host byte order */
	u8 kind;		 /* enum hw_command_kind */
	const char *granularity; /* as the trace calls it */
	struct hw_invalidation invalidation;
	struct hw_wait wait;
};

#define HW_QUEUE_ENTRIES 256

struct hw_queued {
	struct hw_command command;
	bool done;
};

/* Commands that were fetched: a ring. */
struct hw_queue {
	struct hw_queued entry[HW_QUEUE_ENTRIES];
	u32 first; /* the oldest that was not executed */
	u32 count; /* of it and all behind it */
	u64 submitted;
	u64 last_wait;	/* number of the latest wait, 0: none was submitted */
	int error;	/* 0, or why it has stopped */
	bool timed_out; /* the next wait stops it: a device has not answered */
};

/*
 * Takes encoded commands, 16 bytes each or wide ones; one that finds the queue full has others
 * executed first. 0, or -EINVAL at the first malformed one: what stands before it is executed, it
 * and the rest are not, and the queue has stopped. While it is stopped it takes nothing, and the
 * answer is why: -EINVAL, or -ETIMEDOUT if a device did not answer an invalidation of its TLB. That
 * a command of these has met that is told by hw_queue_wait().
 */
int hw_queue_submit(struct hw_iommu *iommu, const void *commands, size_t bytes);

/*
 * Executes what is needed for the latest wait to be complete; if none is left in the queue, all. 0,
 * or why it has stopped before: -EIO, a wait stores where no memory is.
 */
int hw_queue_wait(struct hw_iommu *iommu);

/* Time passes: executes what it wants to. */
void hw_queue_run(struct hw_iommu *iommu);

static inline bool hw_queue_pending(const struct hw_queue *queue)
{
	return queue->count && !queue->error;
}

/* Submits, and executes everything. 0, or why the queue has stopped. */
int hw_queue_execute(struct hw_iommu *iommu, const void *commands, size_t bytes);

/* Lets it go on; what was not executed is forgotten. */
void hw_queue_resume(struct hw_iommu *iommu);

/* ---- What the queue's parts need of each other ------------------------ */

#define HW_COMMAND_PARTS 3

/* The invalidations of one cache each that a command for everything is made of. */
void hw_command_split(const struct hw_command *command, struct hw_command part[HW_COMMAND_PARTS]);

/* The trace's lines for a queue that stops: at this command, or as a device did not answer. */
DMASIM_COLD void hw_queue_trace_error(const struct hw_iommu *iommu, const u64 word[2]);
void hw_queue_trace_timeout(const struct hw_iommu *iommu, const struct hw_invalidation *what);

/* Does what the command asks for. False: a device did not answer in time. */
bool hw_command_execute(struct hw_iommu *iommu, const struct hw_command *command);

#endif
