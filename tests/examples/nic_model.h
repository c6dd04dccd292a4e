/* SPDX-License-Identifier: MIT */
/*
 * The network card: what is on the other side of nic_hw.h. Two of them are joined by a wire.
 */
#ifndef EXAMPLES_NIC_MODEL_H
#define EXAMPLES_NIC_MODEL_H

#include <dmasim/dmasim.h>

struct nic_model {
	struct pci_dev *pdev;
	struct nic_model *peer; /* what it sends arrives there */
	bool on;
	u32 irq_status;
	u64 tx_base;
	u64 rx_base;
	u32 tx_tail;
	u32 rx_tail;
	u32 tx_head;
	u32 rx_head;
	u64 sent;
	u64 lost;   /* frames without a buffer to go to */
	u64 failed; /* transfers that did not get through */
};

/* NULL: no memory. The model belongs to the caller. */
struct pci_dev *nic_model_add(struct dmasim *s, const char *path, struct nic_model *model);

#endif
