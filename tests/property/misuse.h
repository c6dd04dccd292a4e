/* SPDX-License-Identifier: MIT */
/*
 * One misuse of the DMA API in a random driver (driver.h) that is right otherwise, and whether it
 * is reported: at that call, or where it first does harm.
 *
 * Each kind of misuse knows which uses it can be done to, and which reports tell of it. What is no
 * misuse in the mode or of the use at hand is not done: then the run goes on until there is one
 * that fits, and if there is none it does not count.
 */
#ifndef PROPERTY_MISUSE_H
#define PROPERTY_MISUSE_H

#include "property/driver.h"

#define MISUSE_REPORTS 12

/* What came of a misuse. */
enum misuse_result {
	MISUSE_NONE = 0, /* there was nothing to do it to */
	MISUSE_AT_CALL,
	MISUSE_LATER,
	MISUSE_OTHER, /* a report came first that does not tell of it */
	MISUSE_MISSED,
	MISUSE_BROKEN, /* the driver went wrong before it */
};

struct misuse_kind {
	const char *name;
	u32 uses; /* bits of enum use_kind; 0: none is needed, `use` is NULL */
	/* Does it; false, with nothing done: it is none here. */
	bool (*inject)(struct driver *driver, struct dice *dice, struct use *use);
	enum dmasim_report_id now[MISUSE_REPORTS];   /* these tell of it at the call, */
	enum dmasim_report_id later[MISUSE_REPORTS]; /* and these later on */
	u32 floor;				     /* of 100, so many have to be found; 0: 99 */
};

extern const struct misuse_kind misuse_kinds[];
extern const u32 misuse_kind_count;

struct misuse_outcome {
	enum misuse_result result;
	u32 step;		      /* of the misuse */
	u64 call;		      /* how many calls there were before it */
	enum dmasim_report_id report; /* the first after it; 0: none */
	char text[DRIVER_WRONG_BYTES];
};

/* A run in which this misuse is done once. */
void misuse_run(const struct driver_script *script, const struct misuse_kind *kind,
		struct misuse_outcome *outcome);

/* ---- What the files of misuses share --------------------------------------------------------- */

/* The use is the device's, all of it, as before a right unmap. */
void misuse_prepare(struct driver *driver, struct use *use);
/* The driver has forgotten the use. */
void misuse_gone(struct driver *driver, struct use *use);
u32 misuse_other_device(struct dice *dice, u32 device);
/* Of two steps: all that it has is linked, or some; true of others. */
bool misuse_all_linked(const struct use *use);
bool misuse_any_linked(const struct use *use);
/* A live use of the device has the address. */
bool misuse_is_mapped(const struct driver *driver, u32 device, dma_addr_t dma, u64 bytes);

#define MISUSE_DECLARE(name) \
	bool misuse_##name(struct driver *driver, struct dice *dice, struct use *use)

/* misuse_unmap.c */
MISUSE_DECLARE(unmap_size);
MISUSE_DECLARE(unmap_direction);
MISUSE_DECLARE(unmap_attrs);
MISUSE_DECLARE(unmap_device);
MISUSE_DECLARE(unmap_address);
MISUSE_DECLARE(unmap_count);
MISUSE_DECLARE(unmap_function);
MISUSE_DECLARE(unmap_twice);
MISUSE_DECLARE(unmap_forgotten);
MISUSE_DECLARE(unmap_error);
MISUSE_DECLARE(unmap_bus);
MISUSE_DECLARE(unmap_flag_lost);
MISUSE_DECLARE(free_pointer);

/* misuse_turn.c */
MISUSE_DECLARE(sync_size);
MISUSE_DECLARE(sync_direction);
MISUSE_DECLARE(sync_device);
MISUSE_DECLARE(sync_address);
MISUSE_DECLARE(sync_count);
MISUSE_DECLARE(sync_after_unmap);
MISUSE_DECLARE(access_after_unmap);
MISUSE_DECLARE(access_beyond);
MISUSE_DECLARE(access_direction);
MISUSE_DECLARE(access_device);
MISUSE_DECLARE(access_phys);
MISUSE_DECLARE(access_error);
MISUSE_DECLARE(cpu_writes);
MISUSE_DECLARE(turn_kept);
MISUSE_DECLARE(memory_freed);

/* misuse_map.c */
MISUSE_DECLARE(map_no_direction);
MISUSE_DECLARE(map_overlap);
MISUSE_DECLARE(map_ram_as_mmio);
MISUSE_DECLARE(map_unasked);
MISUSE_DECLARE(map_peer_wrong_way);
MISUSE_DECLARE(peer_released);

/* misuse_links.c */
MISUSE_DECLARE(link_outside);
MISUSE_DECLARE(link_overlap);
MISUSE_DECLARE(link_gap);
MISUSE_DECLARE(link_partial);
MISUSE_DECLARE(link_low_bits);
MISUSE_DECLARE(link_device);
MISUSE_DECLARE(link_not_synced);
MISUSE_DECLARE(sync_outside);
MISUSE_DECLARE(unlink_absent);
MISUSE_DECLARE(free_linked);
MISUSE_DECLARE(state_reused);
MISUSE_DECLARE(state_after_destroy);

#endif
