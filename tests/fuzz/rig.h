/* SPDX-License-Identifier: MIT */
/*
 * The hardware as fuzz targets see it: one IOMMU and a small memory. The only file here that knows
 * the hardware's own structures; what the targets compare with is worked out elsewhere.
 *
 *   RIG_BASE |-- table 0 --|-- table 1 --| ... |-- table 15 --|      nothing else is memory
 */
#ifndef FUZZ_RIG_H
#define FUZZ_RIG_H

#include "hw/hw.h"

#define RIG_TABLES	 16U
#define RIG_TABLE_LG2	 12U
#define RIG_BASE	 0x10000ULL
#define RIG_ENTRIES	 512U
#define RIG_COMMANDS_MAX 8U

enum rig_architecture {
	RIG_VTD = 0,
	RIG_AMD,
	RIG_SMMUV3,
	RIG_RISCV,
};

struct rig_unit {
	u8 architecture; /* enum rig_architecture */
	u8 levels;	 /* but for AMD: contexts may ask for 3 up to this */
	u8 address_bits;
	u8 max_address_mask;
	bool huge_1g;
	bool snoop_control;
	bool coherent;
	bool device_tlb;
	bool pf_requester;
	bool caching_mode;
	bool command_ranges;  /* SMMUv3: RIL */
	bool napot;	      /* RISC-V: Svnapot, */
	bool page_types;      /* Svpbmt, */
	bool forgets_tables;  /* NL */
	bool forgets_windows; /* and S */
	bool random_choices;
	u8 seed;
	u32 iotlb_entries;
	u32 iotlb_ways;
	u32 context_entries;
	u32 walk_entries;
};

/* Mistakes that a rig puts between the target and the hardware. */
enum rig_canary {
	RIG_SOUND = 0,
	RIG_RUNS_ON,	   /* an illegal command is skipped, those behind it are executed */
	RIG_KEEPS_TABLES,  /* a page command leaves cached table entries alone */
	RIG_SHORT_WINDOWS, /* of a window that a page command has, a part is forgotten */
	RIG_LATE_CONTEXTS, /* a command for one requester's context is for another's */
	/*
	 * VT-d: bit 62 of an entry is not looked at; SMMUv3: addresses may be wider than the unit
	 * says; RISC-V: bits of extensions that it has not are taken.
	 */
	RIG_TAKES_RESERVED,
	RIG_SHORT_PAGES, /* a page of several entries comes out at half its size */
};

enum rig_context_type {
	RIG_ABSENT = 0,
	RIG_TRANSLATE,
	RIG_PASS_THROUGH,
	RIG_FOREIGN,  /* SMMUv3, RISC-V: an entry that means what the unit has not */
	RIG_NO_PLACE, /* nobody of its bus ever had a context */
};

struct rig_context {
	u8 type; /* enum rig_context_type */
	u8 levels;
	u16 domain;
	u64 root;
	/* SMMUv3, RISC-V: */
	bool device_tlb; /* it asks for the device's own translations to be taken (EATS, EN_ATS) */
	bool marks;	 /* and for marks of pages (HA; SADE) */
};

struct rig_request {
	u16 requester;
	u64 iova;
	bool write;
	bool process; /* it says a process: a substream, a PASID */
};

struct rig_answer {
	bool pass_through;
	u16 fault;
	u16 flags; /* AMD, SMMUv3 */
	u8 page_lg2;
	u64 phys;
};

struct rig {
	struct world world;
	struct hw hw;
	struct hw_iommu *iommu;
	struct rig_unit unit;
	enum rig_canary canary;

	/* Told when a command was executed, by its number among all that were handed over. */
	void (*executed)(void *cookie, u64 number);
	/* Told when one has stopped the queue. */
	void (*rejected)(void *cookie, const u64 word[2]);
	void *cookie;
};

/* False: no memory. */
bool rig_init(struct rig *rig, const struct rig_unit *unit, enum rig_canary canary);
void rig_fini(struct rig *rig);

/* ---- Memory ---------------------------------------------------------------------------- */

/* A store of the CPU to an entry, and what the CPU reads there. In [RIG_BASE, the end). */
void rig_store(struct rig *rig, u64 at, u64 word);
u64 rig_load(struct rig *rig, u64 at);
/* Writes the line back: a unit that does not snoop sees it only then. */
void rig_clean(struct rig *rig, u64 at);
/* What the unit would fetch. */
u64 rig_seen(struct rig *rig, u64 at);

/* ---- Requests -------------------------------------------------------------------------- */

bool rig_set_context(struct rig *rig, u16 requester, struct rig_context context);
struct rig_answer rig_translate(struct rig *rig, const struct rig_request *request);
struct rig_answer rig_probe(struct rig *rig, const struct rig_request *request);

/* A walk of tables without a unit's caches, and the range form. */
struct hw_walk rig_walk(struct rig *rig, const struct rig_context *context, u64 iova, bool write);
void rig_walk_range(struct rig *rig, const struct rig_context *context, u64 start, u64 last,
		    hw_walk_leaf *leaf, hw_walk_table *table, void *cookie);

/* ---- The queue ------------------------------------------------------------------------- */

/* Commands of 16 bytes. now: all are executed. False: the queue stopped, or was stopped. */
bool rig_submit(struct rig *rig, const u8 *commands, u32 count, bool now);
/* Time passes: some may be executed. */
void rig_run(struct rig *rig);
/* Until the latest wait is complete. */
void rig_wait(struct rig *rig);
bool rig_stopped(const struct rig *rig);
/* Commands that it took, in all: what stands behind one that stopped it is not. */
u64 rig_taken(const struct rig *rig);
/* The unit's status says so. */
bool rig_has_error(const struct rig *rig);
/* The code of AMD's latest event, else 0xff; 0: there is none. All are taken. */
u8 rig_take_events(struct rig *rig);
void rig_resume(struct rig *rig);
/* By commands, everything that is cached. */
void rig_forget_all(struct rig *rig);

#endif
