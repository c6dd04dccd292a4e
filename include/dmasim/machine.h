/* SPDX-License-Identifier: MIT */
/*
 * The machine: creating one, its memory, its time, and making it fail.
 *
 * A process may hold any number of machines; each belongs to one thread at a time. A machine owns
 * everything that was made with it (devices, pages, reports) and takes it along when it is
 * destroyed. It never owns memory of the program's.
 *
 * The machine *starts*, that is its software forms groups and attaches devices to their domains,
 * with the first mapping, the first access of a device, or the first peer memory. Hardware is added
 * before that.
 */
#ifndef DMASIM_MACHINE_H
#define DMASIM_MACHINE_H

#include <stdio.h>

#include <dmasim/bug.h>
#include <dmasim/contract.h>
#include <dmasim/fault.h>
#include <dmasim/group.h>
#include <dmasim/page.h>
#include <dmasim/point.h>
#include <dmasim/report.h>
#include <dmasim/types.h>

struct dmasim;
struct dmasim_walker_ops;
struct iova_allocator_ops;
struct pgtable_ops;

enum dmasim_iommu {
	DMASIM_VTD = 0,	 /* Intel VT-d, second-stage tables */
	DMASIM_NO_IOMMU, /* DMA addresses are physical addresses */
	DMASIM_AMD_VI,	 /* AMD, v1 host tables, which begin with 3 levels and grow */
	DMASIM_RISCV,	 /* RISC-V: tables of a first stage, Sv39, Sv48 or Sv57 */
	DMASIM_SMMUV3,	 /* Arm SMMUv3, stage 1 of 4 KiB; a device's interrupts are plain writes */
};

/* What a RISC-V IOMMU has unless its machine is made without. */
enum dmasim_riscv {
	DMASIM_RISCV_NL = 1U << 0,     /* a window's invalidation may take what is no leaf, too */
	DMASIM_RISCV_S = 1U << 1,      /* windows of invalidations may be larger than a page */
	DMASIM_RISCV_NAPOT = 1U << 2,  /* Svnapot: leaves of 64 KiB */
	DMASIM_RISCV_PBMT = 1U << 3,   /* Svpbmt: leaves say what is not cacheable, and what MMIO */
	DMASIM_RISCV_EVERYTHING = 0xf, /* all of that */
};

enum dmasim_cpu {
	DMASIM_CPU_INTEL = 0, /* peer-to-peer through the host bridge needs a listed host bridge */
	DMASIM_CPU_AMD,	      /* forwards between its root ports from family 0x17 on */
	DMASIM_CPU_HYGON,
	DMASIM_CPU_OTHER,
};

/* What access control (ACS) a port has if nothing else is said. */
enum dmasim_acs {
	DMASIM_ACS_ISOLATING = 0, /* SV, RR, CR and UF are on, as Linux leaves them with an IOMMU */
	DMASIM_ACS_OFF,		  /* the capability is there, all bits are clear */
	DMASIM_ACS_ABSENT,	  /* there is no capability */
};

/* How devices behind an IOMMU are mapped. */
enum dmasim_policy {
	DMASIM_STRICT = 0,   /* an unmap invalidates before it returns */
	DMASIM_LAZY,	     /* invalidations are collected: 255 unmaps, or 10 ms */
	DMASIM_PASS_THROUGH, /* the IOMMU lets addresses pass, as if it were not there */
};

enum dmasim_swiotlb {
	DMASIM_SWIOTLB_AUTO = 0, /* a bounce pool if there is RAM beyond 4 GiB */
	DMASIM_SWIOTLB_OFF,
	DMASIM_SWIOTLB_FORCE, /* without an IOMMU everything is bounced */
};

/* Which host bridges pass requests from below one of their ports to below another, or to others. */
enum dmasim_forwarding {
	/*
	 * Those that Linux allows peer-to-peer through (facts "dma-api" 8.6): AMD's CPUs from
	 * family 17h on, and what the function that stands for the host bridge is listed for:
	 * within the host bridge, or also from and to others that do so.
	 */
	DMASIM_FORWARDING_LISTED = 0,
	DMASIM_FORWARDING_ALL,
	DMASIM_FORWARDING_NONE,
};

/* Under whose number a bridge passes on what comes from below it (facts "dma-api" 18.2, 19.5). */
enum dmasim_alias {
	DMASIM_ALIAS_USUAL = 0, /* as its kind of bridge does */
	DMASIM_ALIAS_NONE,	/* as it comes: PCI_BRIDGE_NO_ALIAS */
	DMASIM_ALIAS_SECONDARY, /* its secondary bus, devfn 0: PCIE_BRIDGE_ALIAS */
	DMASIM_ALIAS_LAST,	/* as it comes, all the way up: BRIDGE_XLATE_ROOT */
};

/* A device whose requests carry the number of another devfn on its bus (facts "dma-api" 19.5). */
#define DMASIM_SENDS_AS(devfn) (0x100 | (devfn))

/* What firmware says of a device beyond its registers. All zeros: an ordinary device. */
struct dmasim_traits {
	bool untrusted; /* it is strictly mapped, and shown copies of what shares a granule */
	bool no_snoop;	/* it sees memory, not the CPU's cache */
	u64 bus_limit;	/* highest address the way to it carries; 0: all */
	/* The only memory it may use, set aside for it: a power of two from 256 KiB up; 0: all. */
	u64 pool_bytes;
	/*
	 * DMASIM_SENDS_AS(devfn); 0: its own number. In an imported machine zeros of these two
	 * stand for what the ids are known for: the number, if it is one besides its own.
	 */
	u16 sends_as;
	enum dmasim_alias alias; /* bridges */
};

/*
 * What a program built with AddressSanitizer is kept out of while it is a device's: any access of
 * the program ends it, with the stack of the access. The simulator's own accesses do not:
 * dmasim_read() looks at what a device has, and dmasim_write() is reported if it writes there.
 *
 * It is off unless asked for: tests look at memory through pointers while it is mapped, to see what
 * a device wrote, and that is no mistake of the driver's. What a device only reads the CPU may look
 * at, too: AddressSanitizer cannot tell such a look from a write. It guards 8 bytes at a time:
 * where less than 8, aligned, are the device's, they stay accessible.
 */
enum dmasim_poison {
	DMASIM_POISON_OFF = 0,
	DMASIM_POISON_WRITABLE, /* mappings that the device may write to */
	DMASIM_POISON_ALL,	/* and those that it may only read */
};

/* Zero is a good default in every member but `size`, which DMASIM_CONFIG sets. */
struct dmasim_config {
	size_t size;

	enum dmasim_iommu iommu;
	/* Of page tables: VT-d, RISC-V 3 to 5; SMMUv3 3, 4; AMD-Vi at most 4, 5 or 6; 0: 4. */
	u8 iommu_levels;
	bool iommu_no_1g;      /* no leaves of 1 GiB; AMD-Vi, RISC-V: and none larger */
	bool iommu_snoop;      /* snoop control: leaves have the SNP bit; AMD-Vi's always have FC */
	bool iommu_incoherent; /* table writes reach the walker only when flushed from the cache */
	/*
	 * A hypervisor shadows the tables and reads them again at each flush: lazy domains collect
	 * in one queue of 32767 unmaps, or 1 s.
	 */
	bool iommu_shadow_on_flush;
	/* What is absent is cached, too, as below a hypervisor: VT-d's CM, AMD-Vi's NpCache. */
	bool iommu_caching_mode;
	/*
	 * Devices may have TLBs of their own: those with the capability (.ats of an endpoint) get
	 * theirs switched on, unless they are external or their addresses pass untranslated.
	 */
	bool iommu_device_tlb;
	/*
	 * VT-d's scalable mode: requests are translated by the entry of PASID 0, which names the
	 * same tables as a context does otherwise. Device TLBs stay off.
	 */
	bool iommu_scalable;
	/*
	 * The units of scalable mode have a first stage, too, whose tables are x86-64's, of 4 or 5
	 * levels: mappings go there, as Linux has it. Their addresses are the lower half, what a
	 * device may write it may read, and what is absent is not cached (facts
	 * "iova-and-page-tables" 2.3).
	 */
	bool iommu_first_stage;
	u32 riscv_without; /* DMASIM_RISCV_: what a RISC-V IOMMU lacks; 0: nothing */
	/* SMMUv3 without range invalidation (IDR3.RIL): a command for each page, or for all. */
	bool smmu_no_range;
	u32 iotlb_entries;	     /* of the translation cache; 0: 64 */
	u32 iotlb_ways;		     /* of each of its sets; 0: 4; as many as entries: one set */
	u32 context_entries;	     /* of the context cache; 0: there is none */
	u32 pasid_entries;	     /* of the PASID cache of scalable mode; 0: there is none */
	u32 walk_entries;	     /* of the walk cache, for each level; 0: there is none */
	enum dmasim_policy policy;   /* of groups for which nothing else is said */
	struct dmasim_traits traits; /* of endpoints that say nothing of their own */

	u32 cpus; /* virtual CPUs, 1 to 64; 0: 4 */
	enum dmasim_swiotlb swiotlb;
	u64 swiotlb_bytes;   /* of the pool: a power of two, 1 to 64 MiB; 0: 64 MiB */
	u32 swiotlb_areas;   /* parts of it, a power of two; 0: one for each CPU */
	bool bounce_kmalloc; /* buffers that may share a cache line are bounced (facts 3.8) */
	/* As in a kernel built with CONFIG_DMA_API_DEBUG: its checks, too (dma-debug.h). */
	bool dma_debug;
	u32 bugs; /* upstream bugs that are left in: DMASIM_BUG(x) | ... (bug.h) */

	u64 ram_bytes;	     /* 0: 16 GiB. 1 GiB of it lies at 0, the rest from 4 GiB up */
	enum dmasim_cpu cpu; /* 0: Intel's; with AMD-Vi AMD's; with SMMUv3 another's */
	u32 cpu_family;	     /* 0: 6 for Intel, 0x17 for the others */
	enum dmasim_acs acs; /* of ports that are made on the way to something else */
	enum dmasim_forwarding forwarding; /* of host bridges, from one port to another */
	enum dmasim_group_policy group_policy;
	/*
	 * With an IOMMU, ACS is switched on at boot as Linux does (facts "dma-api" 18.4). Else it
	 * stays as it is found, except that Intel's ports which isolate without the capability
	 * count as set up: their registers do not tell.
	 */
	bool acs_enable;
	bool hide_windows; /* firmware does not describe the host bridges' windows */

	u64 seed;	     /* of everything random; 0: DMASIM_SEED of the environment, or 1 */
	bool random_choices; /* hardware makes its free choices by chance, not always the same */
	bool count_points;   /* count the preemption points the software passes */
	bool no_check; /* no judging (400 bytes a live mapping); hardware's faults are still told */
	/*
	 * Memory that a mapping gives to its device is compared, when the CPU gets it back, with
	 * what it was: of a mapping the first watch_bytes are (at most 1 GiB), which takes as much
	 * again of the process's memory. 0: 64, the first cache line, since to read a page twice
	 * takes longer than to map and unmap it; a store behind that is not noticed. SZ_64K or more
	 * is for tests that look for such. no_watch: none is compared.
	 */
	bool no_watch;
	u64 watch_bytes;
	enum dmasim_poison poison;
	/*
	 * Lazy mode lets a device reach memory for a while after its unmap, whoever has it by then:
	 * Linux takes that risk, and so it is counted (dmasim_lazy_windows()). With this it is
	 * reported, too, when the memory is allocated again.
	 */
	bool report_lazy_pages;
	/*
	 * A mapping may fail, and only dma_mapping_error() tells. With this a mapping that ends
	 * without having been asked about is reported, too, though it had not failed.
	 */
	bool report_unchecked;

	/*
	 * The first report that nobody expected is printed to stderr, and the process aborts where
	 * the mistake was made, for a debugger (report.h). DMASIM_ABORT=1 in the environment does
	 * the same; what is not 0 or 1 there is a broken contract.
	 */
	bool abort_on_report;
	const char *suppressions; /* a file of rules for reports (report.h); NULL: none */

	/*
	 * One event a line (trace.h); not closed by the machine, and flushed by
	 * dmasim_check_clean(), so that a test that aborts then leaves a whole trace.
	 */
	FILE *trace;
	bool trace_hash; /* keep the trace's hash even without a file */
	bool trace_hops; /* trace every hop of every request, too */

	/*
	 * As on Linux's command line, and applied with or without an IOMMU; NULL: not given. Both
	 * name devices by "[segment:]bus:device.function{/device.function}", where what follows a
	 * slash is below, with a semicolon between two:
	 *
	 *   disable_acs_redir   DEVICE{;DEVICE}: RR, CR and EC are cleared
	 *   config_acs          BITS@DEVICE{;BITS@DEVICE}: up to seven of 0, 1 and x, the last is
	 *                       bit 0; x and what is left out stays as it is
	 *
	 * The text belongs to the program and is read until the machine has started.
	 */
	const char *disable_acs_redir;
	const char *config_acs;

	const struct iova_allocator_ops *iova_ops; /* NULL: dmasim_iova_linux() */
	u32 iova_repairs; /* faults of Linux's that "linux" goes without: IOVA_REPAIR(x) | ... */
	bool forcedac;	  /* addresses need not be tried below 4 GiB first */

	/*
	 * Page tables of your own: what the software writes (dmasim/pgtable/pgtable.h), and how the
	 * unit reads it (dmasim/walker.h). Both or neither; they belong to the program and outlive
	 * the machine. Contexts, commands and fault records stay those of `iommu`, which is VT-d
	 * outside scalable mode, or AMD-Vi. The smallest pages have 4 KiB. A table has iommu_levels
	 * from the start; with AMD-Vi one that can grow (struct pt_format) begins with 3. There is
	 * no walk cache, and dmasim_walk() tells no entries.
	 */
	const struct pgtable_ops *pgtable_format;
	const struct dmasim_walker_ops *walker_ops;
};

/* clang-format off */
#define DMASIM_CONFIG .size = sizeof(struct dmasim_config)
/* clang-format on */

/* Exact, deterministic counts since the machine was made. */
struct dmasim_costs {
	u64 entries_written; /* leaf entries of page tables */
	u64 entries_cleared;
	u64 tables_allocated; /* page-table pages */
	u64 tables_freed;
	u64 iova_allocs;
	u64 invalidations; /* IOTLB invalidation commands */
	u64 context_invalidations;
	u64 tlps;	  /* memory requests of devices */
	u64 walk_reads;	  /* entries the IOMMU fetched */
	u64 walk_hits[5]; /* walks that began at a cached table, by its level: 0 has 4 KiB leaves */
	u64 context_hits; /* of the context cache */
	u64 context_misses;
	u64 pasid_hits; /* of the PASID cache */
	u64 pasid_misses;
	u64 pasid_invalidations;
	u64 iotlb_hits;
	u64 iotlb_misses;
	u64 ats_requests; /* translation requests of devices */
	u64 device_tlb_hits;
	u64 device_tlb_misses;
	u64 device_tlb_invalidations; /* commands for a device's TLB that it has answered */
	u64 device_tlb_timeouts;      /* and that it has not */
	u64 interrupts;		      /* messages of devices */
};

/*
 * How long translations could still be used that were over: a window is open from when the page
 * table does not give a translation any more, until the completed invalidation that covers it
 * (facts "iova-and-page-tables" 3.6, lazy mode). Strict mode has windows, too, which are as long as
 * its invalidations take. A window is that of a stretch of like pages whose translations ended
 * together.
 */
struct dmasim_lazy_windows {
	u64 count;	  /* windows that are over */
	u64 open;	  /* that are not */
	u64 longest_ns;	  /* of those that are over, in virtual time */
	u64 total_ns;	  /* of all of those together */
	u64 pages_reused; /* page frames that were allocated while a window to them was open */
};

DMASIM_BEGIN_DECLS

/* config may be NULL: all defaults. NULL: the process has no memory. */
DMASIM_API struct dmasim *dmasim_create(const struct dmasim_config *config);

/*
 * Ends a machine; NULL is nothing. Returns how many allocations the software never gave back (0
 * unless an allocator or other code under test leaks; and 0 where a failing test has jumped out of
 * the middle of the software, report.h: it is not shut down then, but all memory is given back).
 */
DMASIM_API u64 dmasim_destroy(struct dmasim *s);

/*
 * The seed that DMASIM_SEED of the environment asks for; 1: it is not set. False: it is not a
 * number of 64 bits, or 0; a machine that needs it then cannot be made.
 */
DMASIM_API bool dmasim_env_seed(u64 *seed);

/* The seed in use, for a line that replays a failure. */
DMASIM_API u64 dmasim_seed(const struct dmasim *s);

/* The next value of the machine's generator, in [0, bound); bound >= 1. */
DMASIM_API u64 dmasim_random(struct dmasim *s, u64 bound);

/* ---- Memory ----------------------------------------------------------- */

#define DMASIM_NO_PHYS (~(phys_addr_t)0)

/*
 * RAM: at least `bytes`, physically contiguous, naturally aligned, zeroed. DMASIM_NO_PHYS: none
 * left. Up to 64 MiB it is contiguous on the host too.
 */
DMASIM_API phys_addr_t dmasim_alloc(struct dmasim *s, u64 bytes);
/* Gives it back, with the same size. */
DMASIM_API void dmasim_free(struct dmasim *s, phys_addr_t phys, u64 bytes);

/*
 * Host pointer to [phys, phys + bytes) of RAM or of a BAR that is plain memory; NULL where that is
 * not contiguous on the host. Valid until the memory is freed; into a BAR, as long as the machine;
 * into RAM that nobody allocated, until the next allocation of whatever kind. Its low 12 bits are
 * those of phys.
 */
DMASIM_API void *dmasim_ptr(struct dmasim *s, phys_addr_t phys, u64 bytes);

/* The physical address of such a pointer, or of adopted memory; DMASIM_NO_PHYS for others. */
DMASIM_API phys_addr_t dmasim_virt_to_phys(struct dmasim *s, const void *ptr);

/*
 * Gives `bytes` of the program's own memory a physical address, exact to the byte: devices reach
 * the range and nothing beside it. The low 12 bits are those of the pointer. The program keeps the
 * memory until dmasim_unadopt() or the end of the machine. DMASIM_NO_PHYS: no memory for the
 * record.
 */
DMASIM_API phys_addr_t dmasim_adopt(struct dmasim *s, void *ptr, u64 bytes);
DMASIM_API void dmasim_unadopt(struct dmasim *s, phys_addr_t phys);

/* The struct page that phys lies in; NULL: no memory for it. */
DMASIM_API struct page *dmasim_page(struct dmasim *s, phys_addr_t phys);

/*
 * What the CPU does: copies between a buffer and RAM or BARs. Returns the bytes done before an
 * address where nothing is.
 */
DMASIM_API u64 dmasim_read(struct dmasim *s, phys_addr_t phys, void *to, u64 bytes);
DMASIM_API u64 dmasim_write(struct dmasim *s, phys_addr_t phys, const void *from, u64 bytes);

/* The virtual CPU that runs from now on, below config.cpus. */
DMASIM_API void dmasim_set_cpu(struct dmasim *s, u32 cpu);

/* ---- Time, costs, trace ----------------------------------------------- */

/* Lets virtual time pass; timers fire. */
DMASIM_API void dmasim_run(struct dmasim *s, u64 ns);
DMASIM_API u64 dmasim_now(const struct dmasim *s);

DMASIM_API struct dmasim_costs dmasim_costs(const struct dmasim *s);

/* The windows so far. The checker measures them: without it (config.no_check) all is 0. */
DMASIM_API struct dmasim_lazy_windows dmasim_lazy_windows(const struct dmasim *s);

/* FNV-1a 64 over the trace's lines so far; needs config.trace or config.trace_hash. */
DMASIM_API u64 dmasim_trace_hash(const struct dmasim *s);

/* How often the software passed a preemption point; needs config.count_points. */
DMASIM_API u64 dmasim_point_passes(const struct dmasim *s, enum dmasim_point point);
DMASIM_API const char *dmasim_point_name(enum dmasim_point point);

/* ---- Failure ---------------------------------------------------------- */

/*
 * The nth pass (from 1, counted from now) of a fault point fails; DMASIM_FAULT_ANY: of all points
 * that are allocations together, the checker's own, too, which is blind then. nth 0: nothing fails.
 * Replaces what was asked for before.
 *
 *	dmasim_fail(s, DMASIM_FAULT_MAPPING, 3);	the third mapping from here on fails
 */
DMASIM_API void dmasim_fail(struct dmasim *s, enum dmasim_fault_point point, u64 nth);

/* How often something failed on purpose since then. */
DMASIM_API u64 dmasim_failures(const struct dmasim *s);

/* How often a point was passed since the machine was made. */
DMASIM_API u64 dmasim_fault_passes(const struct dmasim *s, enum dmasim_fault_point point);
DMASIM_API const char *dmasim_fault_name(enum dmasim_fault_point point);

/* Allocations, and page frames, of a point that are not freed. */
DMASIM_API u64 dmasim_in_use(const struct dmasim *s, enum dmasim_fault_point point);

DMASIM_END_DECLS

#endif
