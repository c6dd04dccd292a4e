/* SPDX-License-Identifier: MIT */
/*
 * Flows for tests that count or break what a call does on its way: each is a few calls of the DMA
 * API on a machine that is ready, data through the mapping, and the end of the mapping.
 *
 * A flow looks at the exact value of every call. Where a call is refused it undoes what it did and
 * says so; it never fails for want of memory in any other way.
 */
#ifndef FAULT_FLOWS_H
#define FAULT_FLOWS_H

#include "support/rig.h"

#define FLOW_LINKS	 24
#define FLOW_LINK_STRIDE (3 * SZ_2M) /* so that links lie in several tables */
#define FLOW_SG_ENTRIES	 6
#define FLOW_BUFFER	 SZ_64K

enum flow_result {
	FLOW_DONE,
	FLOW_REFUSED,
};

/* What flows run on. Zero it; stage_fini() may be called at any time, also twice. */
struct stage {
	struct dmasim *s;
	struct pci_dev *nvme; /* below a switch, with gpu */
	struct pci_dev *gpu;  /* the provider */
	struct pci_dev *disk; /* below another root port */
	phys_addr_t buffer;   /* FLOW_BUFFER bytes that nobody has touched */
	phys_addr_t peer;     /* the provider's memory, if the flow wants it */
	u8 *own;	      /* memory of the program */
	u32 runs;	      /* of the flow, so far */
};

struct flow {
	const char *name;
	/* Makes what the flow needs, with nothing failing; it may be NULL. */
	void (*prepare)(struct stage *stage);
	enum flow_result (*run)(struct stage *stage);
	bool cold; /* on a machine that has not started */
	bool bare; /* on a machine without hardware */
	bool without_iommu;
	bool redirects; /* the switch's ports redirect, so that peer memory goes through the root */
	bool dma_debug;
	bool random; /* hardware makes its free choices by chance */
	enum dmasim_policy policy;
	enum dmasim_swiotlb swiotlb;
	struct dmasim_traits traits; /* of every device */
};

extern const struct flow flows[];
extern const u32 flow_count;

void stage_init(struct stage *stage, const struct flow *flow);
/* One run of the flow. It can be run again, whatever came of it. */
enum flow_result stage_run(struct stage *stage, const struct flow *flow);
void stage_fini(struct stage *stage);

#endif
