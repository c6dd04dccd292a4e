/* SPDX-License-Identifier: MIT */
/*
 * What differs between architectures: how page tables, commands and fault records look. The caches,
 * the order of execution and the way of a request are the same for all (iommu.c, queue.c).
 */
#ifndef HW_ARCH_H
#define HW_ARCH_H

#include "hw/queue.h"
#include "hw/walker.h"

struct hw_context;
struct hw_iommu;
struct hw_translation;

/* Why a queue stops. */
enum hw_queue_stop {
	HW_QUEUE_MALFORMED, /* a command that is none */
	HW_QUEUE_STORE,	    /* a wait stores where no memory is */
};

/* The record of the architecture, host byte order: 128 bits, or 256. */
struct hw_fault_record {
	u64 word[4];
	u64 order; /* among the records of all units of the machine */
};

/* The prefix of a request that says whose it is; present: there is one. */
struct hw_prefix {
	bool present;
	bool execute;	 /* what is read will be executed */
	bool privileged; /* it is the supervisor's */
	u32 pasid;
};

/* A request as the unit meets it. */
struct hw_ask {
	u16 requester;
	bool write;
	u64 iova;
	struct hw_prefix prefix;
};

/* A request that was refused, and why. */
struct hw_refusal {
	u16 requester;
	u16 domain;
	u64 iova;
	bool write;
	u16 code;	 /* of the architecture */
	u16 flags;	 /* AMD_FLAG_ */
	bool translated; /* the request has an address that a device TLB gave */
	bool by_tables;	 /* a context's: what the tables say comes first, and may be worse */
	struct hw_prefix prefix;
};

struct hw_arch {
	const char *name;
	const char *trace_name[HW_INVALIDATED_COUNT]; /* of a command, NULL: it is not traced */
	const char *trace_tables; /* says "table entries go"; NULL: "ih" says that they stay */
	u32 fault_records;	  /* if the unit's description does not say */

	/* True if tables of so many levels have an entry for the address. */
	bool (*reaches)(u8 levels, u64 iova);
	/* What a walk beyond them meets; and one that a cached absent entry ends. */
	struct hw_walk (*beyond)(u64 iova, bool write);
	struct hw_walk (*absent)(bool write);
	/* Walks from a table that reaches the address; says in `walk` what it found. */
	void (*walk)(const struct hw_walker *walker, const struct hw_walk_start *start, u64 iova,
		     bool write, struct hw_walk *walk);
	/* Reads all entries that serve [start, last]; see walker.h. */
	void (*range)(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 start,
		      u64 last, hw_walk_leaf *leaf, hw_walk_table *table, void *cookie);
	bool signs; /* from the top: of tables below it a range is told so, by HW_BELOW_TOP */
	/*
	 * Of the entry of a page of 4 KiB: its address, which may be any within these bits, when it
	 * is moved up by so many. 0: nobody can say.
	 */
	u64 (*page_bits)(const struct hw_walker *walker);
	u8 page_shift;
	/*
	 * The page of more than 4 KiB that an entry of a table with the smallest leaves is one of
	 * many entries of; `leaf` says all but its address. False: it is no such entry. NULL: none
	 * is.
	 */
	bool (*larger_page)(const struct hw_walker *walker, u64 entry, struct hw_leaf *leaf);

	/*
	 * Sets the marks that the context asks for in the entries of a page that was walked to, and
	 * tells in the walk what is set. NULL: it has none.
	 */
	void (*mark)(struct hw_iommu *iommu, const struct hw_context *context, u64 iova, bool write,
		     struct hw_walk *walk);

	bool refusing_contexts_cached; /* else only in caching mode */
	/*
	 * Why a context refuses every such request; code 0: it does not. As long as the context
	 * stays the same, so does the answer.
	 */
	struct hw_refusal (*context_refusal)(const struct hw_iommu *iommu,
					     const struct hw_context *context, bool write);
	/* The same of the entry of a PASID. NULL: there are none. */
	struct hw_refusal (*pasid_refusal)(const struct hw_iommu *iommu,
					   const struct hw_context *entry, bool write);

	/* A device's interrupts are writes like others: no window of addresses means messages. */
	bool no_messages;
	u16 ats_fault;	      /* of a request of a device TLB, where the context has none */
	u16 translated_fault; /* of one that is translated already; 0: the same */
	/* Nothing there, or no permission: a translation request hears it, nobody records it. */
	bool (*is_absence)(u16 fault, u16 flags);
	/*
	 * Translates where PASIDs have a say: all requests of a unit in scalable mode, and those
	 * with a prefix. probe: caches, costs and tables stay as they are. NULL: they have none.
	 */
	struct hw_translation (*translate)(struct hw_iommu *iommu, const struct hw_ask *ask,
					   bool probe);

	/* Two words, host byte order. False: the command is malformed. */
	bool (*decode)(const struct hw_iommu *iommu, const u64 word[2], struct hw_command *command);
	/* IOTLB commands take effect after the context commands queued before them. */
	bool contexts_first;
	/*
	 * Commands for device TLBs may take effect before IOTLB commands queued before them. All
	 * waits have a fence then.
	 */
	bool devices_overtake;
	/* That a device has not answered stops the queue at the next wait; else at its command. */
	bool timeouts_at_waits;
	bool lost_store_stops; /* else nobody hears of it */
	/*
	 * A command has stopped the queue: the one that came behind so many others. NULL: the
	 * status says it alone; so may be the next.
	 */
	void (*queue_stopped)(struct hw_iommu *iommu, enum hw_queue_stop why, u64 behind);
	/* A device did not answer the invalidation of its TLB in time. */
	void (*device_timed_out)(struct hw_iommu *iommu, u16 requester, u64 behind);

	/* The words of a record. */
	struct hw_fault_record (*record)(const struct hw_refusal *refusal);
};

extern const struct hw_arch hw_vtd;
extern const struct hw_arch hw_amd;
extern const struct hw_arch hw_riscv;
extern const struct hw_arch hw_smmuv3;

#endif
