/* SPDX-License-Identifier: MIT */
/*
 * A unit in scalable mode, and a requester with PASIDs:
 *
 *   none, 0   second stage, domain 5
 *   7         first stage, domain 5, tables of their own
 *   8         first stage, domain 6, the same tables as 7
 *   9         as it is, domain 3
 *
 * Page AT of each is at 0x5000 (second stage) or 0x6000 (first stage), all of it allowed.
 */
#ifndef UNIT_HW_PASIDS_H
#define UNIT_HW_PASIDS_H

#include "bench.h"
#include "tables.h"

#define PASIDS_DEV   0x0318 /* 03:03.0 */
#define PASIDS_OTHER 0x0420 /* 04:04.0, which has no context */
#define PASIDS_AT    0x8040207000ULL
#define SS_ROOT	     0x100000ULL
#define FS_ROOT	     0x200000ULL

/* Bits of a first-stage entry. */
#define FS_P   0x001ULL
#define FS_RW  0x002ULL
#define FS_US  0x004ULL
#define FS_A   0x020ULL
#define FS_D   0x040ULL
#define FS_EA  0x400ULL
#define FS_XD  (1ULL << 63)
#define FS_ALL (FS_P | FS_RW | FS_US)
/* And of a second-stage one. */
#define SS_A   0x100ULL
#define SS_D   0x200ULL

struct pasids {
	struct bench *bench;
	struct hw_iommu *iommu;
	struct tables second;
	struct tables first;
};

/* Without caches but an IOTLB, and all features but caching mode. *state is the fixture. */
int pasids_setup(void **state);
int pasids_teardown(void **state);

/* Another unit instead, same contents: what desc leaves 0 of geometry is set as usual. */
void pasids_unit(struct pasids *pasids, struct hw_iommu_desc desc);

/* Entries of the requester. */
void pasids_set(struct pasids *pasids, u32 pasid, struct hw_context entry);
struct hw_context pasids_second(u16 domain, phys_addr_t root);
struct hw_context pasids_first(u16 domain, phys_addr_t root);

/* Puts a first-stage word where the entry of `level` for the address is; tables allow all. */
void pasids_put_first(struct pasids *pasids, u64 iova, u8 level, u64 word);

/* A request without PASID, and one with. */
struct hw_translation pasids_plain(struct pasids *pasids, u64 iova, bool write);
struct hw_translation pasids_ask(struct pasids *pasids, u32 pasid, u64 iova, bool write);
/* "x" to execute, "s" of the supervisor, "w" to write. */
struct hw_translation pasids_ask_as(struct pasids *pasids, u32 pasid, u64 iova, const char *how);
struct hw_translation pasids_probe(struct pasids *pasids, u32 pasid, u64 iova, bool write);

/* One command, words as the facts number their bits. */
int pasids_command(struct pasids *pasids, u64 low, u64 high);

#endif
