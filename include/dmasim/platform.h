/* SPDX-License-Identifier: MIT */
/*
 * The port: all that the software in lib/ may ask of a machine.
 *
 * A prototype written against it moves into the kernel by replacing this file. Everything here
 * is called by lib/ and provided by the machine; the inline functions are the hot ones.
 *
 * Rules: no function blocks or re-enters the software, except that a timer's callback runs inside
 * whatever lets virtual time pass, and other CPUs in `point` and `wait`. Sizes are in bytes, times
 * in nanoseconds of the virtual clock. A machine belongs to one thread at a time.
 */
#ifndef DMASIM_PLATFORM_H
#define DMASIM_PLATFORM_H

#include <dmasim/event.h>
#include <dmasim/fault.h>
#include <dmasim/point.h>
#include <dmasim/report.h>
#include <dmasim/timer.h>
#include <dmasim/types.h>

/* Up to so many bytes, page frames are contiguous on the host. */
#define PLATFORM_CONTIGUOUS_BYTES (64ULL << 20)

/* No physical address: what a failed allocation of page frames returns. */
#define PLATFORM_NO_PHYS (~(phys_addr_t)0)

/* ---- Firmware: what the machine says about itself --------------------- */

struct platform_memory {
	phys_addr_t start;
	u64 bytes;
};

/*
 * A part of the CPU's address space that a host bridge forwards. Bus address = phys + bus_offset.
 */
struct platform_window {
	phys_addr_t start;
	u64 bytes;
	u64 bus_offset; /* wraps: a lower bus address is a large offset */
};

/*
 * Bus addresses that a host bridge takes for memory: [bus_start, bus_start + bytes) is
 * [start, start + bytes) of it.
 */
struct platform_dma_range {
	u64 bus_start;
	phys_addr_t start;
	u64 bytes;
};

struct platform_host_bridge {
	u16 segment;
	u8 bus_first;
	u8 bus_last;
	u32 window_count;
	const struct platform_window *window;
	u32 dma_range_count; /* 0: bus addresses are physical addresses */
	const struct platform_dma_range *dma_range;
	/* Behind a device of another host bridge (VMD), which asks for all; or DMASIM_NO_SBDF. */
	dmasim_sbdf endpoint;
};

/* What firmware knows of one device beyond its configuration space. */
struct platform_device {
	dmasim_sbdf dev;
	bool external;	  /* anybody may have plugged it in: it is not to be trusted */
	bool no_snoop;	  /* it does not see the CPU's cache */
	u64 bus_limit;	  /* highest address that the way to it carries; 0: all */
	u64 pool_bytes;	  /* the only memory that it may use; 0: any */
	phys_addr_t pool; /* where that lies */
};

enum platform_iommu_arch {
	PLATFORM_IOMMU_VTD = 0, /* Intel VT-d, second-stage tables */
	PLATFORM_IOMMU_AMD,	/* AMD, v1 host tables */
	PLATFORM_IOMMU_RISCV,	/* RISC-V, Sv39, Sv48 or Sv57 */
	PLATFORM_IOMMU_SMMUV3,	/* Arm, stage 1 */
};

/* An IOMMU and its scope: every function on the buses [bus_first, bus_last] of the segment. */
struct platform_iommu {
	enum platform_iommu_arch arch; /* how its tables and commands look */
	u32 unit;
	u16 segment;
	u8 bus_first;
	u8 bus_last;
	u8 levels;	 /* of its page tables: VT-d, RISC-V 3 to 5; Arm 3, 4; AMD at most 4 to 6 */
	u8 address_bits; /* host address width: bits above are reserved in entries */
	u8 max_address_mask;  /* MAMV: largest AM of a page-selective invalidation */
	bool huge_1g;	      /* leaves of 1 GiB (of 2 MiB are always there); AMD: and larger */
	bool snoop_control;   /* ECAP.SC: the SNP bit exists; AMD: FC, always */
	bool coherent;	      /* walks snoop the CPU's caches; else entries must be flushed */
	bool drain_reads;     /* CAP.DRD: an invalidation can wait for requests under way */
	bool drain_writes;    /* CAP.DWD */
	bool caching_mode;    /* CAP.CM, NpCache: absent entries may be cached */
	bool device_tlb;      /* ECAP.DT, IotlbSup: devices may have TLBs of their own */
	bool pf_requester;    /* invalidations of those may name the physical function (PFSID) */
	bool scalable;	      /* VT-d's scalable mode: requests take the entry of a PASID */
	u8 first_levels;      /* of first-stage tables, x86-64's: 4 or 5; 0: it has none */
	bool first_huge_1g;   /* leaves of 1 GiB of those */
	bool wide_commands;   /* of 32 bytes, the upper half 0 */
	bool shadow_on_flush; /* a hypervisor reads the tables again at a flush: few are better */
	bool napot;	      /* RISC-V: leaves of 64 KiB (Svnapot); */
	bool page_types;      /* leaves that say what is not cacheable (Svpbmt); */
	bool forgets_tables;  /* invalidations of a window may take what is no leaf (NL); */
	bool forgets_windows; /* they may have more than a page (S) */
	bool forgets_ranges;  /* SMMUv3: invalidations may have several pages (RIL) */
	u32 domain_count;     /* domain ids are 0 to domain_count - 1; 0 is never used */
};

enum platform_reserved_type {
	PLATFORM_RESERVED_DIRECT, /* an RMRR: IOVA = phys must be mapped all the time */
	PLATFORM_RESERVED_MSI,	  /* the interrupt window: never translated */
};

struct platform_reserved {
	enum platform_reserved_type type;
	dmasim_sbdf dev; /* DMASIM_NO_SBDF: every device */
	phys_addr_t start;
	u64 bytes;
};

enum platform_cpu_vendor {
	PLATFORM_CPU_INTEL = 1,
	PLATFORM_CPU_AMD,
	PLATFORM_CPU_HYGON,
	PLATFORM_CPU_OTHER,
};

/* Belongs to the machine; valid until the machine's hardware changes. */
struct platform_firmware {
	u32 memory_count;
	const struct platform_memory *memory;
	u32 bridge_count;
	const struct platform_host_bridge *bridge;
	u32 iommu_count;
	const struct platform_iommu *iommu;
	u32 reserved_count;
	const struct platform_reserved *reserved;
	u32 device_count;
	const struct platform_device *device;
	enum platform_cpu_vendor cpu_vendor;
	u32 cpu_family;
};

/* ---- IOMMU context entries -------------------------------------------- */

enum platform_context_type {
	PLATFORM_CONTEXT_ABSENT = 0, /* every request faults */
	PLATFORM_CONTEXT_TRANSLATE,
	PLATFORM_CONTEXT_PASS_THROUGH, /* addresses are used as they are */
};

struct platform_context {
	enum platform_context_type type;
	u32 domain;	  /* tag of the translations it caches */
	u8 levels;	  /* of the tables: VT-d 3 to 5, AMD 1 to 6 */
	phys_addr_t root; /* top table */
	bool device_tlb;  /* TRANSLATE: requests of the device's own TLB are taken */
	bool first_stage; /* TRANSLATE, scalable mode: the tables are a first stage's */
};

/* ---- Reports of the software (Linux's WARN and BUG) ------------------- */

struct platform_report {
	enum dmasim_report_id id;
	dmasim_sbdf dev;
	u64 dma;
	u64 size;
	const char *what; /* the sentence that Linux would print, or what would go wrong */
	const struct dmasim_site *site;
};

/* ---- The machine's functions ------------------------------------------ */

struct platform_ops {
	/*
	 * `count` page frames, physically contiguous, naturally aligned, zeroed, and contiguous on
	 * the host up to 64 MiB; none of it above `last`. Returns PLATFORM_NO_PHYS when there are
	 * none.
	 */
	phys_addr_t (*frames_alloc)(void *machine, enum dmasim_fault_point why, u64 count,
				    phys_addr_t last);
	/* Takes back what frames_alloc gave, with the same arguments. */
	void (*frames_free)(void *machine, enum dmasim_fault_point why, phys_addr_t phys,
			    u64 count);
	/*
	 * How many page frames there are that frames_alloc gave and that begin at phys, rounded up
	 * to a power of two; 0: none do.
	 */
	u64 (*frames_count)(void *machine, phys_addr_t phys);

	/*
	 * Host pointer to RAM or to plain BAR memory; moves the platform's window there, see
	 * platform_ptr(). NULL where the machine has no memory.
	 */
	void *(*ptr)(void *machine, phys_addr_t phys);
	/* The inverse, for pointers that ptr or frames_alloc gave; PLATFORM_NO_PHYS for others. */
	phys_addr_t (*phys)(void *machine, const void *ptr);
	/*
	 * Host pointer to [phys, phys + bytes) of a BAR, contiguous; NULL if it cannot be had. What
	 * other pointers lead to stays where it is.
	 */
	void *(*bar_ptr)(void *machine, enum dmasim_fault_point why, phys_addr_t phys, u64 bytes);

	/* The software's own bookkeeping: zeroed memory, or NULL. Freeing NULL is nothing. */
	void *(*alloc)(void *machine, enum dmasim_fault_point why, size_t bytes);
	void (*free)(void *machine, void *memory);

	/*
	 * PCI configuration space: 1, 2 or 4 bytes at an aligned offset below 4096. Nobody there:
	 * all ones are read, writes are lost.
	 */
	u32 (*config_read)(void *machine, dmasim_sbdf dev, u32 offset, u32 bytes);
	void (*config_write)(void *machine, dmasim_sbdf dev, u32 offset, u32 bytes, u32 value);

	const struct platform_firmware *(*firmware)(void *machine);

	/*
	 * Sets the context entry of one requester. In scalable mode that is the entry of its
	 * requests without PASID; what leads to it comes with the first, and stays. 0 or -ENOMEM
	 * (and then nothing changed).
	 */
	int (*context_set)(void *machine, u32 unit, u16 requester,
			   const struct platform_context *context);

	/*
	 * Hands over `bytes` of encoded invalidation commands, whole ones, which the unit executes
	 * when it wants to, in an order that its architecture allows. 0, or -EINVAL if the unit
	 * rejected one: the rest is not executed, and nothing else is, until the error is cleared.
	 */
	int (*queue_submit)(void *machine, u32 unit, const void *commands, size_t bytes);
	/* Drops what was not executed. */
	void (*queue_clear_error)(void *machine, u32 unit);
	/*
	 * Returns when the waits among the commands submitted to the unit are complete; if none is
	 * on its way, when all commands are. 0, or why the queue has stopped before: -EINVAL; -EIO
	 * if a wait could not store; or -ETIMEDOUT if a device did not answer an invalidation of
	 * its TLB. Then nothing is executed until the error is cleared.
	 */
	int (*queue_wait)(void *machine, u32 unit);

	/*
	 * The CPU's cache of [phys, phys + bytes), for hardware that does not snoop it: what the
	 * CPU wrote goes to memory; what memory has reaches the CPU.
	 */
	void (*cache_clean)(void *machine, phys_addr_t phys, u64 bytes);
	void (*cache_invalidate)(void *machine, phys_addr_t phys, u64 bytes);
	/* The CPU uses whole pages without its cache from now on, or with it again. */
	void (*cache_bypass)(void *machine, phys_addr_t phys, u64 bytes, bool bypass);

	/*
	 * The software's own copying is about to read [phys, phys + bytes), or with `writes` to
	 * change it: what a driver mapped, and is bounced.
	 */
	void (*cpu_copies)(void *machine, phys_addr_t phys, u64 bytes, bool writes);

	/* By chance, in [0, bound); bound is at least 1. */
	u64 (*chance)(void *machine, u64 bound);
	u64 (*now)(void *machine);
	/* Fires in delay_ns of virtual time; a pending timer is moved. */
	void (*timer_arm)(void *machine, struct dmasim_timer *timer, u64 delay_ns);
	void (*timer_cancel)(void *machine, struct dmasim_timer *timer);

	void (*point)(void *machine, enum dmasim_point point);
	/*
	 * A lock is held that this CPU needs: other CPUs run until *held is false. False: there is
	 * no other CPU. NULL: there never is.
	 */
	bool (*wait)(void *machine, const bool *held);
	void (*event)(void *machine, const struct dmasim_event *event);
	void (*report)(void *machine, const struct platform_report *report);
};

#define PLATFORM_CHUNK_LG2 18
#define PLATFORM_CHUNKS	   64 /* that are remembered: a power of two */

/* A stretch of memory, aligned to its size; host NULL: none. */
struct platform_chunk {
	u64 number; /* phys >> PLATFORM_CHUNK_LG2 */
	u8 *host;
};

struct platform {
	const struct platform_ops *ops;
	void *machine;	/* the first argument of every operation */
	u32 cpu;	/* number of the virtual CPU that runs now */
	bool listening; /* somebody wants events */
	bool stepping;	/* somebody wants preemption points */
	u32 locks_held; /* dmasim/lock.h, of all CPUs together */

	/* Calls that map something, so far; the one of them that fails (DMASIM_FAULT_MAPPING). */
	u64 mappings;
	u64 mapping_fails; /* 0: none */

	/* The stretch of memory that was resolved last; see platform_ptr(). */
	phys_addr_t window_start;
	u64 window_bytes;
	u8 *window_host;

	/* Stretches that page tables lie in; see platform_frame_ptr(). */
	struct platform_chunk chunk[PLATFORM_CHUNKS];
};

/* ---- The hot ones ----------------------------------------------------- */

/*
 * Host pointer to physical memory, valid up to the end of the allocation it lies in. NULL where the
 * machine has no memory. Consecutive accesses to one stretch of memory cost one comparison.
 */
static inline void *platform_ptr(struct platform *p, phys_addr_t phys)
{
	u64 offset = phys - p->window_start;

	if (DMASIM_LIKELY(offset < p->window_bytes))
		return p->window_host + offset;
	return p->ops->ptr(p->machine, phys);
}

/* The slow way: where the stretch is not remembered, it is from now on. */
static inline void *platform_frame_find(struct platform *p, phys_addr_t phys)
{
	u64 number = phys >> PLATFORM_CHUNK_LG2;
	phys_addr_t start = number << PLATFORM_CHUNK_LG2;
	u8 *host = (u8 *)p->ops->ptr(p->machine, phys);
	struct platform_chunk *chunk = &p->chunk[number % PLATFORM_CHUNKS];
	u64 before = start - p->window_start;

	if (before < p->window_bytes && (p->window_bytes - before) >> PLATFORM_CHUNK_LG2) {
		chunk->number = number;
		chunk->host = p->window_host + before;
	}
	return host;
}

/*
 * As platform_ptr(), for structures that are spread over many frames of RAM: page tables. Where
 * they are is remembered for up to PLATFORM_CHUNKS stretches.
 */
static inline void *platform_frame_ptr(struct platform *p, phys_addr_t phys)
{
	u64 number = phys >> PLATFORM_CHUNK_LG2;
	const struct platform_chunk *chunk = &p->chunk[number % PLATFORM_CHUNKS];

	if (DMASIM_LIKELY(chunk->number == number && chunk->host))
		return chunk->host + (phys & ((1ULL << PLATFORM_CHUNK_LG2) - 1));
	return platform_frame_find(p, phys);
}

/* What is remembered of where memory is may be wrong from now on. */
static inline void platform_forget(struct platform *p)
{
	p->window_bytes = 0;
	for (u32 i = 0; i < PLATFORM_CHUNKS; i++)
		p->chunk[i].host = NULL;
}

/* Stands before every store that another CPU or the hardware can see. */
static inline void platform_point(struct platform *p, enum dmasim_point point)
{
	if (DMASIM_UNLIKELY(p->stepping))
		p->ops->point(p->machine, point);
}

/* Builds the event only if somebody listens: PLATFORM_EVENT(p, LINK, .dev = ..., .ret = err); */
#define PLATFORM_EVENT(p, id, ...)                                                                 \
	do {                                                                                       \
		if (DMASIM_UNLIKELY((p)->listening))                                               \
			(p)->ops->event(                                                           \
				(p)->machine,                                                      \
				&(struct dmasim_event){ .type = DMASIM_EVENT_##id, __VA_ARGS__ }); \
	} while (0)

/* ---- The others, so that callers read well ---------------------------- */

static inline void *platform_alloc(struct platform *p, enum dmasim_fault_point why, size_t bytes)
{
	return p->ops->alloc(p->machine, why, bytes);
}

static inline void platform_free(struct platform *p, void *memory)
{
	p->ops->free(p->machine, memory);
}

static inline phys_addr_t platform_frames_alloc_below(struct platform *p,
						      enum dmasim_fault_point why, u64 count,
						      phys_addr_t last)
{
	return p->ops->frames_alloc(p->machine, why, count, last);
}

static inline phys_addr_t platform_frames_alloc(struct platform *p, enum dmasim_fault_point why,
						u64 count)
{
	return platform_frames_alloc_below(p, why, count, ~(phys_addr_t)0);
}

static inline void platform_frames_free(struct platform *p, enum dmasim_fault_point why,
					phys_addr_t phys, u64 count)
{
	p->ops->frames_free(p->machine, why, phys, count);
}

static inline const struct platform_firmware *platform_firmware(struct platform *p)
{
	return p->ops->firmware(p->machine);
}

static inline u64 platform_now(struct platform *p)
{
	return p->ops->now(p->machine);
}

static inline void platform_report(struct platform *p, const struct platform_report *report)
{
	p->ops->report(p->machine, report);
}

#endif
