/* SPDX-License-Identifier: MIT */
/*
 * The CPU's side of a mapping: from map to unmap its memory is the device's, with turns of the CPU
 * between a sync for the CPU and the next for the device.
 *
 *   map        sync for cpu    sync for device        unmap
 *    |============|- - - - - - - - -|==================|
 *      device's       CPU's            device's
 *
 * Nothing tells of a store of the program's. So what the memory holds is copied when the device
 * gets it, changes of others than the CPU are made to the copy, too, and at the end of the device's
 * turn both are compared. Under AddressSanitizer the bytes can be poisoned meanwhile.
 *
 * Watched are the mappings of dma_map_phys() and its wrappers and of dma_map_sg() that lead to
 * memory. Not watched: those with DMA_ATTR_SKIP_CPU_SYNC, which leaves all turns to the driver, or
 * DMA_ATTR_REQUIRE_COHERENT, which both use at once; memory that comes mapped; and links of the
 * two-step API of devices that snoop, since what those map is often the CPU's, too (HMM). A device
 * that does not snoop cannot share: its links are watched.
 */
#ifndef CHECK_CPU_H
#define CHECK_CPU_H

#include <bsd/sys/queue.h>

#include <dmasim/event.h>

#include "check/interval.h"
#include "check/pool.h"
#include "hw/hw.h"

struct check;
struct hw_access;
struct owner_space;
struct piece;

/* Some of the bytes from first to last: so many. 0: none. */
struct cpu_bytes {
	phys_addr_t first;
	phys_addr_t last;
	u64 count;
};

struct cpu_range {
	u64 start;
	u64 last;
};

/* Turns of the CPU in one mapping. Where there are more, what is between two is not watched. */
#define CPU_TURNS 4

struct cpu_watch {
	struct interval at; /* its memory; first member */
	LIST_ENTRY(cpu_watch) beside;
	struct piece *piece;
	bool no_snoop; /* the device sees memory, not the CPU's cache */
	bool bounced;  /* the device has a copy */
	bool guarded;  /* the program is kept out while it is the device's */
	u8 copy_lg2;   /* size of the copy */
	u32 turns;
	struct cpu_range turn[CPU_TURNS]; /* memory that is the CPU's for now, in order */
	bool told_unsynced;		  /* that the device used what was written in these */
	u64 compared;			  /* so many bytes, from the start on */
	u8 *copy;			  /* what they should be; NULL: all zeros */
	/* Found, and to be told when the call is over. */
	struct cpu_bytes wrote;
	struct cpu_bytes wrote_beside; /* in a cache line that the device may write to */
	struct cpu_bytes lost;	       /* what the device wrote there */
};

LIST_HEAD(cpu_watch_list, cpu_watch);

#define CPU_DEVICES  16			     /* lists of watches, by device */
#define CPU_COPY_LG2 6			     /* of the smallest copy; they are powers of two */
#define CPU_COPIES   (30 - CPU_COPY_LG2 + 1) /* sizes */

/* How the program is kept out of memory, or let in. NULL where nothing can do that. */
typedef void cpu_guard(void *host, u64 bytes, bool closed);

struct cpu_watches {
	bool on;
	bool compares;
	bool guards_reads; /* also what devices only read */
	bool first_only;   /* no more than the first line is compared, and nothing is guarded */
	cpu_guard *guard;
	u64 compared; /* at most so many bytes of a mapping */
	u64 guarded;  /* watches that keep the program out */
	struct memory *memory;
	struct interval_tree tree; /* by memory */
	struct cpu_watch_list devices[CPU_DEVICES];
	struct check_pool pool;
	void *given_back[CPU_COPIES]; /* copies, by size: lists through the first word of each */
	struct ram_guard ram_guard;
};

/* What of it is wanted. */
struct cpu_config {
	bool compares;
	u64 compared;
	bool guards_reads;
	cpu_guard *guard;
};

void cpu_init(struct check *check, const struct cpu_config *config);
void cpu_fini(struct check *check);

/* A mapping begins: its memory is the device's. */
void cpu_give(struct check *check, struct piece *piece);

/* It is about to end: what the CPU did to its memory is told. */
void cpu_settle(struct check *check, const struct dmasim_event *event, struct piece *piece);

/* It has ended, however that came. */
void cpu_end(struct check *check, struct piece *piece);

/* What is kept of the first line of a mapping, or of all that lead there, becomes a watch. */
void cpu_first_watch(struct check *check, struct piece *piece);
void cpu_first_watch_all(struct check *check, phys_addr_t start, phys_addr_t last);

/* Its upper part, from a DMA address on, becomes a mapping of its own, which is not watched. */
void cpu_cut(struct check *check, struct owner_space *space, u64 address);

/* A sync of [start, last], DMA addresses. */
void cpu_turn(struct check *check, const struct dmasim_event *event, u64 start, u64 last);

/* The driver need not unmap what it has mapped, and so will not tell when it is done with it. */
void cpu_excuse(struct check *check, const struct dmasim_event *event);

/*
 * A device's access to memory of a mapping, [start, last]: true, and which bytes, if the CPU has
 * written there in its turn and the device cannot see it, as nobody has synced it for the device;
 * and that is not told yet.
 */
bool cpu_unsynced(struct check *check, const struct cpu_watch *watch,
		  const struct hw_access *access, phys_addr_t start, phys_addr_t last,
		  struct cpu_bytes *unsynced);

/* Memory is nobody's any more, or somebody else's: whoever writes there, nobody asks. */
void check_memory_gone(struct check *check, phys_addr_t phys, u64 bytes);

/* All memory. */
DMASIM_COLD void check_let_go(struct check *check);

/* The software is about to read memory, or to change it, for a device that is bounced. */
void check_cpu_copies(struct check *check, phys_addr_t phys, u64 bytes, bool writes);

/* The program wrote through dmasim_write(). */
void check_cpu_wrote(struct check *check, phys_addr_t phys, u64 bytes);

/* The hardware's hooks. */
void check_ram_changing(void *cookie, phys_addr_t phys, u64 bytes);
void check_ram_changed(void *cookie, phys_addr_t phys, u64 bytes);
void check_writing_back(void *cookie, const struct cache_line *line);

/* ---- Inside ------------------------------------------------------------------------------ */

/* The first part of [*start, last] that is the device's; *start goes behind it. False: none. */
bool cpu_next_owned(const struct cpu_watch *watch, u64 *start, u64 last, struct cpu_range *part);

/* [start, last] is the CPU's turn, or is not any more. */
void cpu_turn_begin(struct cpu_watch *watch, u64 start, u64 last);
void cpu_turn_end(struct cpu_watch *watch, u64 start, u64 last);

/* Copies what the memory holds; true: compares what is the device's of it with its copy. */
void cpu_remember(struct check *check, struct cpu_watch *watch, u64 start, u64 last);
void cpu_compare(struct check *check, struct cpu_watch *watch, u64 start, u64 last);
void cpu_forget_copy(struct check *check, struct cpu_watch *watch);

/* Keeps the program out of what is the device's of [start, last], or lets it in. */
void cpu_close(struct check *check, struct cpu_watch *watch, u64 start, u64 last);
void cpu_open(struct check *check, u64 start, u64 last);
/* The same of all watches; for the simulator's own accesses. */
void cpu_lift(void *cookie, phys_addr_t phys, u64 bytes);
void cpu_lower(void *cookie, phys_addr_t phys, u64 bytes);

/* Adds one byte. */
static inline void cpu_bytes_add(struct cpu_bytes *bytes, phys_addr_t at)
{
	if (!bytes->count || at < bytes->first)
		bytes->first = at;
	if (!bytes->count || at > bytes->last)
		bytes->last = at;
	bytes->count++;
}

/* The copy of a watch that has none is this: at most the first line. */
void cpu_recall(struct check *check, struct cpu_watch *watch, const u8 *first);

/* "3 bytes at phys 0x1000-0x1007"; not for none. */
void cpu_bytes_text(struct text *text, const struct cpu_bytes *bytes);

/* Reports what was found of a mapping, once. */
void cpu_tell(struct check *check, const struct dmasim_event *event, struct cpu_watch *watch);

static inline struct cpu_watch *cpu_watch_first(const struct cpu_watches *cpu, u64 start, u64 last)
{
	return (struct cpu_watch *)interval_first(&cpu->tree, start, last);
}

static inline struct cpu_watch *cpu_watch_next(const struct cpu_watches *cpu,
					       struct cpu_watch *watch, u64 start, u64 last)
{
	return (struct cpu_watch *)interval_next(&cpu->tree, &watch->at, start, last);
}

#endif
