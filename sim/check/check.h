/* SPDX-License-Identifier: MIT */
/*
 * The checker: hears from the software what it did and from the hardware what happened, and reports
 * where the two do not fit. It is the only part that sees both; neither side knows it.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <dmasim/platform.h>

#include "check/bounces.h"
#include "check/cached.h"
#include "check/cached_row.h"
#include "check/cpu.h"
#include "check/dma_debug.h"
#include "check/given.h"
#include "check/memory_kind.h"
#include "check/owner.h"
#include "check/segments.h"
#include "check/stale.h"
#include "hw/fabric.h"

/* A finding of the software itself, held back until the call it belongs to is over. */
struct check_held {
	bool valid;
	struct platform_report report;
};

/* What the software answered a client about a provider. */
struct check_verdict {
	SLIST_ENTRY(check_verdict) link;
	dmasim_sbdf client;
	dmasim_sbdf provider;
	u32 type; /* PCI_P2PDMA_MAP_ */
};

SLIST_HEAD(check_verdict_list, check_verdict);

/* What the call that is going on has really taken out of a page table. */
struct check_taken {
	bool valid;
	u64 start;
	u64 last;
	u32 number; /* while CPUs run at once: what pieces remember of it; else 0 */
};

/* What is known of the call that a CPU is in. */
struct check_call {
	struct check_held held;
	struct stale_list stale; /* found during it */
	u64 began;		 /* what came later (moment.h) may be its doing */
	struct check_taken taken;
	bool mapped_nothing; /* it asked a page table for no bytes */
	/*
	 * The list that is being unmapped, if it is as it was mapped; else, and where segments are
	 * told one by one, what the call tells of it.
	 */
	struct owner_list *same;
	u64 same_number;
	struct check_segments segments;
};

/* Addresses of a device between two windows of its host bridge, as they were found last. */
struct check_free {
	bool known;
	dmasim_sbdf dev;
	u64 start;
	u64 last;
};

#define CHECK_CPUS 64

struct check {
	struct world *world;
	struct hw *hw;
	const struct platform_firmware *firmware;
	bool judging; /* else it only keeps account, for the trace */
	bool blind;   /* it ran out of memory: no judgement from then on */
	bool told_blind;
	bool config_matters;	/* registers are being written that say who answers where */
	bool report_unchecked;	/* mappings that nobody asked dma_mapping_error() about */
	bool report_lazy_pages; /* memory that is used again while it may still be reached */
	bool others_listen;	/* to the software's events: a trace, dma-debug, Linux's log */
	struct ram_range ram;	/* that was mapped from last: it is nobody's BAR */
	struct check_free free;
	struct owners owners;
	struct check_verdict_list verdicts;
	struct cached cached;
	struct bounces bounces;
	struct givens givens;
	/* True if phys is what kfree() has back; NULL: not known. Its cookie is that of `kinds`. */
	bool (*has_freed)(void *cookie, phys_addr_t phys);
	struct memory_kinds kinds;
	struct cpu_watches cpu;
	struct dma_debug debug;
	struct check_call calls[CHECK_CPUS];
	u32 takings;		 /* numbers given */
	struct check_call *call; /* of the CPU whose event or report it is */
};

void check_init(struct check *check, struct world *world, struct hw *hw, bool judging,
		const struct dma_debug_config *debug);
void check_fini(struct check *check);

/* The firmware's description has changed. */
void check_firmware(struct check *check, const struct platform_firmware *firmware);

/* The CPU that what follows comes from. */
static inline void check_on_cpu(struct check *check, u32 cpu)
{
	check->call = &check->calls[cpu];
}

/* What waits to be compared is: before anybody asks, or changes, what may be cached. */
static inline void check_catch_up(struct check *check)
{
	cached_row_end(&check->cached);
}

typedef void check_judge(struct check *check, const struct dmasim_event *event);

/* Who judges what, by DMASIM_EVENT_; NULL: nothing to judge. */
extern check_judge *const check_judges[DMASIM_EVENT_COUNT];
/* All of it, while there is a row of pages (cached_row.h). */
void check_in_row(struct check *check, const struct dmasim_event *event);

/* What the software did. */
static inline void check_event(struct check *check, const struct dmasim_event *event)
{
	check_judge *judge = check_judges[event->type];

	if (DMASIM_UNLIKELY(check->cached.row.way != NULL))
		judge = check_in_row;
	if (DMASIM_LIKELY(judge != NULL))
		judge(check, event);
}

/* The same to dma-debug, the second judge (dma_debug_judge.c), if it listens. */
void check_debug_event(struct check *check, const struct dmasim_event *event);

/* True for a sync at which Linux stops: it is no call then that anybody judges. */
bool check_stopped(const struct check *check, const struct dmasim_event *event);

/* The number of the live two-step state that an event is about; 0: none. */
u32 check_state(struct check *check, const struct dmasim_event *event);

/* True if a BAR answers at phys: *bar says whose. */
bool check_finds_bar(struct check *check, phys_addr_t phys, struct hw_target *bar);
/* True if the hardware takes what a device sends to that BAR there without passing the root. */
bool check_reaches_below_root(struct check *check, dmasim_sbdf dev, const struct hw_target *bar);
/* And true if a device's address is the bus address of one, best below its own host bridge. */
bool check_finds_bus_address(struct check *check, dmasim_sbdf dev, u64 dma, struct hw_target *bar);

/* What the software found (a WARN or BUG of Linux). */
DMASIM_COLD void check_software_report(struct check *check, const struct platform_report *report);

/* Tells what is held back, of this call or of all, and whether the checker went blind. */
DMASIM_COLD void check_settle_call(struct check *check);
void check_settle(struct check *check);

/* A context entry was set; a page of a page table was freed. */
void check_context(struct check *check, struct hw_iommu *iommu, u16 requester,
		   const struct hw_context *context);
void check_table_freed(struct check *check, phys_addr_t table);

/* Page frames were allocated. */
void check_frames_allocated(struct check *check, phys_addr_t phys, u64 bytes);

/* Memory is given back, by whatever call: no device is to reach it any more. */
void check_memory_freed(struct check *check, phys_addr_t phys, u64 bytes);

/*
 * Software is about to write a configuration register, and has: what is mapped may have stopped
 * answering.
 */
void check_before_config(struct check *check, const struct hw_function *function, u32 offset,
			 u32 bytes, u32 value);
void check_after_config(struct check *check, const struct hw_function *function, u32 offset);

/* The hardware's hooks; `cookie` is the checker. */
void check_access(void *cookie, const struct hw_access *access);
void check_refused(void *cookie, const struct hw_access *access);
void check_filled(void *cookie, struct hw_iommu *iommu, u16 domain, const struct hw_leaf *page);
void check_submitted(void *cookie, struct hw_iommu *iommu, const struct hw_invalidation *what);
void check_invalidated(void *cookie, struct hw_iommu *iommu, const struct hw_invalidation *what);
void check_waited(void *cookie, struct hw_iommu *iommu, u64 number);
void check_ats_off(void *cookie, struct hw_iommu *iommu, u16 requester);
void check_timed_out(void *cookie, struct hw_iommu *iommu, const struct hw_invalidation *what);
void check_queue_error(void *cookie, struct hw_iommu *iommu, const u64 command[2]);

/* How many mappings are alive, and ranges of two-step states without links. */
u64 check_alive(struct check *check);

/* Reports every mapping that is still alive, each once. */
void check_leaks(struct check *check);
/* The same of one device, whose driver has let go of it. */
void check_unbound(struct check *check, const struct dmasim_event *event);

static inline bool check_can_judge(const struct check *check)
{
	return DMASIM_LIKELY(check->judging) && DMASIM_LIKELY(!check->blind);
}

#endif
