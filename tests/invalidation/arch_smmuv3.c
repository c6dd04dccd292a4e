/* SPDX-License-Identifier: MIT */
#include "invalidation/arch.h"

#define VALID (1ULL << 0)
#define TABLE (1ULL << 1) /* or a page, at level 0 */
#define USER  (1ULL << 6)
#define RO    (1ULL << 7)
#define AF    (1ULL << 10)

/* Nothing is for writing alone. AF is a right, as the unit does not set it. */
static u64 leaf(phys_addr_t phys, u8 level, u32 flags)
{
	return phys | VALID | (level ? 0 : TABLE) | (flags ? USER : 0) |
	       (flags & ENTRY_W && !(flags & ENTRY_NO_D) ? 0 : RO) | (flags & ENTRY_NO_A ? 0 : AF);
}

static u64 table(phys_addr_t phys, u8 level)
{
	(void)level;
	return phys | VALID | TABLE;
}

/*
 * NH_VA: opcode 0x12, NUM 16:12, SCALE 25:20, ASID 63:48 | leaf 0, TTL 9:8, TG 11:10, address. A
 * page is without a range; 2^n are one, scaled by n.
 */
static struct command pages(u16 domain, u64 start, u8 lg2, bool leaf_only)
{
	u64 scale = lg2 - 12U;

	return arch_command(0x12 | scale << 20 | (u64)domain << 48,
			    start | (leaf_only ? 1 : 0) | (scale ? 1ULL << 10 : 0));
}

static struct command domain(u16 domain)
{
	return arch_command(0x11 | (u64)domain << 48, 0);
}

/* CFGI_STE: opcode 3, SID 63:32 | leaf 0. */
static struct command context(u16 requester, u16 domain)
{
	(void)domain;
	return arch_command(0x3 | (u64)requester << 32, 1);
}

/* SYNC: opcode 0x46, CS 13:12, data 63:32 | address. */
static struct command wait(phys_addr_t status, u32 value)
{
	return arch_command(0x46 | 1 << 12 | (u64)value << 32, status);
}

const struct arch arch_smmuv3 = {
	.name = "smmuv3",
	.iommu = DMASIM_SMMUV3,
	.levels = 4,
	.no_absents = true,
	.overtakes = true,
	.leaf = leaf,
	.table = table,
	.pages = pages,
	.domain = domain,
	.context = context,
	.wait = wait,
};
