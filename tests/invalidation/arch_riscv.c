/* SPDX-License-Identifier: MIT */
#include "invalidation/arch.h"

#define V (1ULL << 0)
#define R (1ULL << 1)
#define W (1ULL << 2)
#define U (1ULL << 4)
#define A (1ULL << 6)
#define D (1ULL << 7)

/* Marks are set beforehand, unless they are said to be clear: they are rights. */
static u64 leaf(phys_addr_t phys, u8 level, u32 flags)
{
	u64 dirty = flags & ENTRY_W && !(flags & ENTRY_NO_D) ? D : 0;

	(void)level;
	return phys >> 12 << 10 | V | U | (flags & ENTRY_R ? R : 0) | (flags & ENTRY_W ? W : 0) |
	       (flags & ENTRY_NO_A ? 0 : A) | dirty;
}

static u64 table(phys_addr_t phys, u8 level)
{
	(void)level;
	return phys >> 12 << 10 | V;
}

/*
 * IOTINVAL.VMA: opcode 1, AV 10, PSCID 31:12, PSCV 32, NL 34 | S 9, page number 61:10, whose ones
 * up to a zero at bit k - 13 are 2^k bytes.
 */
static struct command pages(u16 domain, u64 start, u8 lg2, bool leaf_only)
{
	u64 number = start >> 12 | (lg2 > 12 ? (1ULL << (lg2 - 13)) - 1 : 0);

	return arch_command(1 | 1ULL << 10 | (u64)domain << 12 | 1ULL << 32 |
				    (leaf_only ? 0 : 1ULL << 34),
			    number << 10 | (lg2 > 12 ? 1ULL << 9 : 0));
}

static struct command domain(u16 domain)
{
	return arch_command(1 | (u64)domain << 12 | 1ULL << 32, 0);
}

/* IODIR.INVAL_DDT: opcode 3, DV 33, DID 63:40. */
static struct command context(u16 requester, u16 domain)
{
	(void)domain;
	return arch_command(3 | 1ULL << 33 | (u64)requester << 40, 0);
}

/* IOFENCE.C: opcode 2, AV 10, PR 12, PW 13, data 63:32 | address >> 2. */
static struct command wait(phys_addr_t status, u32 value)
{
	return arch_command(2 | 1ULL << 10 | 3ULL << 12 | (u64)value << 32, status >> 2);
}

const struct arch arch_riscv = {
	.name = "riscv",
	.iommu = DMASIM_RISCV,
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
