/* SPDX-License-Identifier: MIT */
/*
 * The machine of one mode, with the region that its buffers lie in.
 */
#ifndef MATRIX_MACHINE_H
#define MATRIX_MACHINE_H

#include "matrix/matrix.h"

struct machine {
	enum mode mode;
	struct dmasim *s;
	struct pci_dev *pdev;
	phys_addr_t region;
	phys_addr_t ram;  /* takes the place of the region's first bytes, */
	u32 ram_bytes;	  /* so many of them: a list of peer memory and RAM */
	u64 bus_offset;	  /* of peer memory: bus address - phys */
	u32 reports;	  /* so far, all of them forecast */
	char found[4096]; /* by machine_end() */
};

/* What a mode is: its configuration, and the host bridge of MODE_DIRECT_RANGES. */
struct dmasim_config machine_config(enum mode mode);
extern const struct dmasim_host_bridge machine_moving_bridge;

/* False: it could not be made. */
bool machine_make(struct machine *machine, enum mode mode);

/* NULL: it was clean and gave everything back. Otherwise what was wrong, in machine->found. */
const char *machine_end(struct machine *machine);

/* Where the region's byte `at` is. */
phys_addr_t machine_phys(const struct machine *machine, u32 at);

/* What a DMA address without an IOMMU is: the physical one, behind the inbound ranges. */
dma_addr_t machine_direct_address(const struct machine *machine, phys_addr_t phys);

#endif
