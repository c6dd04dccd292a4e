/* SPDX-License-Identifier: MIT */
/*
 * The disk: what is on the other side of blk_hw.h.
 */
#ifndef EXAMPLES_BLK_MODEL_H
#define EXAMPLES_BLK_MODEL_H

#include <dmasim/dmasim.h>

#define BLK_MODEL_BYTES SZ_1M

struct blk_model {
	struct pci_dev *pdev;
	u64 command;
	u32 irq_status;
	u64 carried_out;
	u8 medium[BLK_MODEL_BYTES];
};

/* NULL: no memory. The model belongs to the caller. */
struct pci_dev *blk_model_add(struct dmasim *s, const char *path, struct blk_model *model);

#endif
