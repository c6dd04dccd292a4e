/* SPDX-License-Identifier: MIT */
#include "invalidation/arch.h"

#define PR (1ULL << 0)
#define A  (1ULL << 5)
#define D  (1ULL << 6)
#define FC (1ULL << 60)
#define IR (1ULL << 61)
#define IW (1ULL << 62)

/* NextLevel 0: a leaf of its level's natural size. */
static u64 leaf(phys_addr_t phys, u8 level, u32 flags)
{
	(void)level;
	return phys | PR | FC | (flags & ENTRY_R ? IR : 0) | (flags & ENTRY_W ? IW : 0) |
	       (flags & ENTRY_A ? A : 0) | (flags & ENTRY_D ? D : 0);
}

/* NextLevel of an entry of level n that leads one level down is n. */
static u64 table(phys_addr_t phys, u8 level)
{
	return phys | PR | IR | IW | (u64)level << 9;
}

/* Opcode 3, domain 47:32 | S 0, PDE 1, address: ones from bit 12 up to k-2 for 2^k bytes. */
static struct command pages(u16 domain, u64 start, u8 lg2, bool leaf_only)
{
	u64 size = lg2 > 12 ? ((1ULL << (lg2 - 1)) - (1ULL << 12)) | 1 : 0;

	return arch_command(3ULL << 60 | (u64)domain << 32, start | size | (leaf_only ? 0 : 2));
}

static struct command domain(u16 domain)
{
	return arch_command(3ULL << 60 | (u64)domain << 32, 0x7ffffffffffff000ULL | 3);
}

/* Opcode 2, device 15:0: an entry has no domain for its tag. */
static struct command context(u16 requester, u16 domain)
{
	(void)domain;
	return arch_command(2ULL << 60 | requester, 0);
}

/* Opcode 1, store 0, address 51:3 | value. */
static struct command wait(phys_addr_t status, u32 value)
{
	return arch_command(1ULL << 60 | status | 1, value);
}

const struct arch arch_amd = {
	.name = "amd",
	.iommu = DMASIM_AMD_VI,
	.levels = 4,
	.leaf = leaf,
	.table = table,
	.pages = pages,
	.domain = domain,
	.context = context,
	.wait = wait,
};
