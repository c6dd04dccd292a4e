/* SPDX-License-Identifier: MIT */
/*
 * The tree that routes and transfers are tried on:
 *
 *   host bridge 00: bus address = CPU address
 *    |-- 00:01.0 root port       [e0000000, e02fffff]
 *    |    +-- 01:00.0 upstream   [e0000000, e02fffff]
 *    |         |-- 02:00.0 downstream [e0000000, e00fffff] -- 03:00.0 left    e0000000, 16 KiB
 *    |         +-- 02:01.0 downstream [e0100000, e01fffff] -- 04:00.0 right   e0100000, 16 KiB
 *    |-- 00:02.0 root port       [e0300000, e03fffff]      -- 05:00.0 disk    e0300000, 16 KiB
 *    +-- 00:03.0 bridge to PCI   [e0400000, e04fffff]      -- 06:00.0 old     e0400000, 256 bytes
 *                                                          +- 06:01.0 older   e0400400, 256 bytes
 *   host bridge 20: bus address e0000000 = CPU address 40_00000000, 16 MiB
 *    +-- 20:01.0 root port       [e0000000, e00fffff]      -- 21:00.0 far     e0000000, 1 MiB
 *
 *   RAM [0, 1 GiB)
 *
 * Ports have ACS, all off. The root complex forwards. There is no IOMMU until yard_iommu().
 */
#ifndef UNIT_HW_YARD_H
#define UNIT_HW_YARD_H

#include "bench.h"
#include "hw/engine.h"
#include "tables.h"

#define LEFT_AT	   0xe0000000ULL
#define RIGHT_AT   0xe0100000ULL
#define DISK_AT	   0xe0300000ULL
#define OLD_AT	   0xe0400000ULL
#define OLDER_AT   0xe0400400ULL
#define FAR_AT	   0x4000000000ULL /* as the CPU sees it */
#define FAR_BUS_AT 0xe0000000ULL

struct yard {
	struct bench *bench;
	struct hw *hw;
	struct hw_root *root[2];
	struct hw_function *root_port, *upstream, *down[2];
	struct hw_function *left, *right, *disk, *old, *older, *far;
	struct hw_iommu *iommu;
	struct tables tables; /* of everybody behind the IOMMU */
};

/* *state is the yard. */
int yard_setup(void **state);
int yard_teardown(void **state);

/* Puts an IOMMU above host bridge 00: 4 levels, one domain (1) for left, right and disk. */
void yard_iommu(struct yard *yard);

/* A 4 KiB page for all of them. */
void yard_map(struct yard *yard, u64 iova, phys_addr_t phys, u64 permissions);

/* What a request of the function for one address meets. */
struct hw_target yard_route(const struct yard *yard, struct hw_function *from, u64 address,
			    bool write, struct hw_route *route);

/* expect_hops(&route, "sent 03:00.0 e0100000", ...): kind, function and address of each hop. */
#define expect_hops(route, ...) \
	yard_expect_hops((route), (const char *const[]){ __VA_ARGS__, NULL }, __FILE__, __LINE__)

void yard_expect_hops(const struct hw_route *route, const char *const *expected, const char *file,
		      int line);

#endif
