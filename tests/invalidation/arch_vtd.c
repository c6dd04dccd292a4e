/* SPDX-License-Identifier: MIT */
#include "invalidation/arch.h"

#include <endian.h>

#define R  (1ULL << 0)
#define W  (1ULL << 1)
#define PS (1ULL << 7)
#define A  (1ULL << 8)
#define D  (1ULL << 9)

static u64 leaf(phys_addr_t phys, u8 level, u32 flags)
{
	return phys | (flags & ENTRY_R ? R : 0) | (flags & ENTRY_W ? W : 0) |
	       (flags & ENTRY_A ? A : 0) | (flags & ENTRY_D ? D : 0) | (level ? PS : 0);
}

static u64 table(phys_addr_t phys, u8 level)
{
	(void)level;
	return phys | R | W;
}

static struct command words(u64 low, u64 high)
{
	return (struct command){ { htole64(low), htole64(high) } };
}

/* Type 2, granularity 3 in 5:4, drains in 7:6, domain 31:16 | AM 5:0, IH 6, address. */
static struct command pages(u16 domain, u64 start, u8 lg2, bool leaf_only)
{
	return words(0x2 | 3 << 4 | 3 << 6 | (u64)domain << 16,
		     start | (u64)(lg2 - 12) | (leaf_only ? 1 << 6 : 0));
}

static struct command domain(u16 domain)
{
	return words(0x2 | 2 << 4 | 3 << 6 | (u64)domain << 16, 0);
}

/* Type 1, granularity 3, domain 31:16, source 47:32. */
static struct command context(u16 requester, u16 domain)
{
	return words(0x1 | 3 << 4 | (u64)domain << 16 | (u64)requester << 32, 0);
}

/* Type 5, status write 5, fence 6, data 63:32 | address. */
static struct command wait(phys_addr_t status, u32 value)
{
	return words(0x5 | 1 << 5 | 1 << 6 | (u64)value << 32, status);
}

const struct arch arch_vtd = {
	.name = "vtd",
	.iommu = DMASIM_VTD,
	.levels = 4,
	.leaf = leaf,
	.table = table,
	.pages = pages,
	.domain = domain,
	.context = context,
	.wait = wait,
};
