/* SPDX-License-Identifier: MIT */
/* Scatterlists from a kernel's memory. */
#ifndef DMASIM_KERNEL_SCATTERLIST_H
#define DMASIM_KERNEL_SCATTERLIST_H

#include <dmasim/kernel.h>
#include <dmasim/scatterlist.h>

#include <linux/mm.h>
#include <linux/types.h>

#define SG_MAX_SINGLE_ALLOC (PAGE_SIZE / sizeof(struct scatterlist))

static inline void *sg_virt(const struct scatterlist *sg)
{
	return (char *)page_address(sg_page(sg)) + sg->offset;
}

static inline void sg_set_buf(struct scatterlist *sg, const void *buf, unsigned int len)
{
	sg_set_page(sg, virt_to_page(buf), len, (unsigned int)offset_in_page(buf));
}

static inline void sg_init_one(struct scatterlist *sg, const void *buf, unsigned int len)
{
	sg_init_table(sg, 1);
	sg_set_buf(sg, buf, len);
}

static inline int sg_nents(struct scatterlist *sg)
{
	int count = 0;

	for (; sg; sg = sg_next(sg))
		count++;
	return count;
}

static inline struct scatterlist *sg_last(struct scatterlist *sgl, unsigned int nents)
{
	while (--nents)
		sgl = sg_next(sgl);
	return sgl;
}

#endif
