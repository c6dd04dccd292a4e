/* SPDX-License-Identifier: MIT */
/*
 * A bench with RAM and tables made by hand, and who reads them: a walker alone, or a unit with one
 * requester.
 */
#ifndef UNIT_HW_RIG_H
#define UNIT_HW_RIG_H

#include "bench.h"
#include "found.h"
#include "tables.h"

#define RIG_DEV	   0x0318 /* 03:03.0 */
#define RIG_DOMAIN 5

struct rig {
	struct bench *bench;
	struct hw_walker walker;   /* if there is no unit */
	struct hw_iommu *iommu;	   /* NULL: no unit */
	struct hw_context context; /* what rig_set gave the requester last */
	struct tables tables;	   /* empty; four levels, if nothing else is said */
	phys_addr_t lowest;	   /* rig_build's table of 4 KiB pages */
	struct found *found;	   /* of walks over ranges; NULL: nobody asked for one */
};

/* A walker of 1 TiB of RAM. *state is the rig; walker->ram is not looked at. */
#define RIG_WALKER_RAM (1ULL << 40)
int rig_setup_walker(void **state, const struct hw_walker *walker, phys_addr_t root);

/* The same for walks over ranges, which find as many leaves, and tables, as that. */
int rig_setup_range(void **state, const struct hw_walker *walker, phys_addr_t root, u32 found_max);

/* A unit on 1 GiB of RAM; RIG_DEV has no context yet. */
int rig_setup_unit(void **state, const struct hw_iommu_desc *desc, phys_addr_t root);

int rig_teardown(void **state);

/* Empty tables of another depth, somewhere else. */
void rig_start_over(struct rig *rig, u8 levels);

/* ---- With a unit ----------------------------------------------------------------------------- */

/* The context of RIG_DEV. */
void rig_set(struct rig *rig, struct hw_context context);

/* One that leads to the tables, in RIG_DOMAIN. */
struct hw_context rig_to_tables(const struct rig *rig);

/*
 * So many tables one behind the other, the lowest where the rig's root was: the first entry of each
 * leads to the one before it, and RIG_DEV's context to the last. `pointer` makes an entry of a
 * table's address.
 */
void rig_build(struct rig *rig, u8 levels, u64 (*pointer)(phys_addr_t table));

/* The entry of a page in the lowest of them, which serves the first 2 MiB. */
void rig_put(struct rig *rig, u64 iova, u64 entry);

/* A request of RIG_DEV. */
struct hw_translation rig_translate(struct rig *rig, u64 iova, bool write);

/* What is cached, of contexts and of what they lead to, goes. */
void rig_forget(struct rig *rig);

#endif
