/* SPDX-License-Identifier: MIT */
/*
 * Entries and commands of an architecture, written out from facts "iova-and-page-tables" 2.1 to
 * 2.5, 3.2 to 3.5; nothing of lib/ is used.
 */
#ifndef INVALIDATION_ARCH_H
#define INVALIDATION_ARCH_H

#include <endian.h>

#include <dmasim/machine.h>

#define ENTRY_R	   1U
#define ENTRY_W	   2U
#define ENTRY_A	   4U /* accessed */
#define ENTRY_D	   8U /* dirty */
/* Where marks are set beforehand: this one is not. */
#define ENTRY_NO_A 16U
#define ENTRY_NO_D 32U

/* Two words of a command, little-endian. */
struct command {
	u64 word[2];
};

static inline struct command arch_command(u64 low, u64 high)
{
	return (struct command){ { htole64(low), htole64(high) } };
}

struct arch {
	const char *name;
	enum dmasim_iommu iommu;
	u8 levels;	  /* of the tables that are tried */
	bool first_stage; /* VT-d's, in scalable mode, where commands have 32 bytes */

	bool no_absents; /* caching mode is not to be had */
	bool overtakes;	 /* commands do, until a wait */

	u64 (*leaf)(phys_addr_t phys, u8 level, u32 flags);
	/* The pointer in a table of `level` to one of the level below. */
	u64 (*table)(phys_addr_t phys, u8 level);

	/* 2^lg2 bytes from `start` on, which is a multiple of that. */
	struct command (*pages)(u16 domain, u64 start, u8 lg2, bool leaf_only);
	struct command (*domain)(u16 domain);
	struct command (*context)(u16 requester, u16 domain);
	struct command (*wait)(phys_addr_t status, u32 value);
};

extern const struct arch arch_vtd;
extern const struct arch arch_vtd_first_stage;
extern const struct arch arch_amd;
extern const struct arch arch_riscv;
extern const struct arch arch_smmuv3;

#endif
