/* SPDX-License-Identifier: MIT */
/*
 * The kinds of IOMMU that a machine can have: one row each, of what its two sides call them and
 * what a configuration may ask of them.
 */
#ifndef MACHINE_ARCH_H
#define MACHINE_ARCH_H

#include <dmasim/machine.h>
#include <dmasim/platform.h>

#include "hw/arch.h"
#include "machine/machine.h"

struct machine_arch {
	const char *name;	  /* in traces */
	const struct hw_arch *hw; /* NULL: there is no IOMMU */
	enum platform_iommu_arch os;
	u8 levels; /* of page tables, if nothing is said; and how many there may be */
	u8 levels_min;
	u8 levels_max;
	const char *levels_rule;
	enum dmasim_cpu cpu;   /* where the configuration leaves it at 0 */
	bool snoop_control;    /* whatever the configuration says */
	bool scalable;	       /* may be asked for */
	bool no_caching_mode;  /* may not: what is absent is never cached; */
	bool no_snoop_control; /* nor this: entries have no such bit */
	u8 address_bits;       /* of physical addresses; 0: as many as the machine has */
	/* What no IOVA may be, as it means an interrupt; 0 bytes: nothing. */
	u64 msi_start;
	u64 msi_bytes;
};

static inline u8 machine_address_bits(const struct machine_arch *arch)
{
	return arch->address_bits ? arch->address_bits : MACHINE_ADDRESS_BITS;
}

/* NULL: it is none of enum dmasim_iommu. */
const struct machine_arch *machine_arch(enum dmasim_iommu iommu);

/* By its name, of so many characters; NULL: no such IOMMU. */
const struct machine_arch *machine_arch_named(const char *name, size_t length);

#endif
