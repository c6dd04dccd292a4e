/* SPDX-License-Identifier: MIT */
/*
 * What the disk driver offers to those above it. Positions on the disk are in bytes. 0, -EINVAL,
 * -EIO (the disk says so, or does not answer), or why the memory could not be mapped.
 */
#ifndef EXAMPLES_BLK_DRIVER_H
#define EXAMPLES_BLK_DRIVER_H

#include <linux/pci.h>
#include <linux/scatterlist.h>

/* One piece of memory of a request, in one page or in several that follow each other. */
struct blk_vec {
	phys_addr_t phys;
	size_t len;
};

/* By scatterlist: pages of other devices may be among them. */
int blk_rw_table(struct pci_dev *pdev, u64 at, struct sg_table *table, bool write);

/* In two steps: each piece but the first begins on a page, each but the last ends on one. */
int blk_rw_vec(struct pci_dev *pdev, u64 at, const struct blk_vec *vec, unsigned int count,
	       bool write);

/* How many requests went to the disk as a single segment. */
unsigned int blk_single_segments(struct pci_dev *pdev);

#endif
