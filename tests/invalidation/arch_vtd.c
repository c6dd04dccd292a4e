/* SPDX-License-Identifier: MIT */
#include "invalidation/arch.h"

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

/* Type 2, granularity 3 in 5:4, drains in 7:6, domain 31:16 | AM 5:0, IH 6, address. */
static struct command pages(u16 domain, u64 start, u8 lg2, bool leaf_only)
{
	return arch_command(0x2 | 3 << 4 | 3 << 6 | (u64)domain << 16,
			    start | (u64)(lg2 - 12) | (leaf_only ? 1 << 6 : 0));
}

static struct command domain(u16 domain)
{
	return arch_command(0x2 | 2 << 4 | 3 << 6 | (u64)domain << 16, 0);
}

/* Type 1, granularity 3, domain 31:16, source 47:32. */
static struct command context(u16 requester, u16 domain)
{
	return arch_command(0x1 | 3 << 4 | (u64)domain << 16 | (u64)requester << 32, 0);
}

/* Type 5, status write 5, fence 6, data 63:32 | address. */
static struct command wait(phys_addr_t status, u32 value)
{
	return arch_command(0x5 | 1 << 5 | 1 << 6 | (u64)value << 32, status);
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

/* ---- A first stage --------------------------------------------------------------------------- */

#define PRESENT	 (1ULL << 0)
#define WRITABLE (1ULL << 1)
#define USER	 (1ULL << 2)
#define USED	 (1ULL << 5)
#define WRITTEN	 (1ULL << 6)

static u64 first_leaf(phys_addr_t phys, u8 level, u32 flags)
{
	return phys | PRESENT | USER | (flags & ENTRY_W ? WRITABLE : 0) |
	       (flags & ENTRY_A ? USED : 0) | (flags & ENTRY_D ? WRITTEN : 0) | (level ? PS : 0);
}

static u64 first_table(phys_addr_t phys, u8 level)
{
	(void)level;
	return phys | PRESENT | WRITABLE | USER | USED;
}

/* Type 6, granularity 3 in 5:4, domain 31:16, PASID 0 in 51:32 | AM 5:0, IH 6, address. */
static struct command first_pages(u16 domain, u64 start, u8 lg2, bool leaf_only)
{
	return arch_command(0x6 | 3 << 4 | (u64)domain << 16,
			    start | (u64)(lg2 - 12) | (leaf_only ? 1 << 6 : 0));
}

/* The same of all that the PASID has: granularity 2. */
static struct command first_domain(u16 domain)
{
	return arch_command(0x6 | 2 << 4 | (u64)domain << 16, 0);
}

/* Type 7, granularity 1: the entry of PASID 0, whoever sends it. */
static struct command first_context(u16 requester, u16 domain)
{
	(void)requester;
	return arch_command(0x7 | 1 << 4 | (u64)domain << 16, 0);
}

const struct arch arch_vtd_first_stage = {
	.name = "vtd, first stage",
	.iommu = DMASIM_VTD,
	.levels = 4,
	.first_stage = true,
	.leaf = first_leaf,
	.table = first_table,
	.pages = first_pages,
	.domain = first_domain,
	.context = first_context,
	.wait = wait,
};
