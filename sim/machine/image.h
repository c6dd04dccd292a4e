/* SPDX-License-Identifier: MIT */
/*
 * Configuration space of functions that are built, not imported: what their registers read as when
 * power comes on.
 */
#ifndef MACHINE_IMAGE_H
#define MACHINE_IMAGE_H

#include <dmasim/topology.h>

#include "hw/pci.h"

/* Vendor id of what has none of its own. */
#define IMAGE_VENDOR 0xd51a

/* Larger ones find no place among 52 address bits. */
#define IMAGE_BAR_MAX (1ULL << 50)

struct image {
	u8 devfn;
	u8 config[PCI_CFG_SPACE_EXP_SIZE];
	u64 bar_bytes[PCI_STD_NUM_BARS];
	u64 vf_bar_bytes[PCI_STD_NUM_BARS];
	bool has_bar_ops;
	struct hw_bar_ops bar_ops;
	void *cookie;
	u32 tlb_entries;
};

void image_of_host(struct image *image, const struct dmasim_host_bridge *bridge);
/* type: PCI_EXP_TYPE_ of a port. */
void image_of_port(struct image *image, u8 devfn, u8 type, const struct dmasim_bridge *bridge);
void image_of_endpoint(struct image *image, u8 devfn, bool on_root_bus,
		       const struct dmasim_endpoint *endpoint);

#endif
