/* SPDX-License-Identifier: MIT */
/*
 * The flows whose time is measured, and the machine that they run on.
 */
#ifndef BENCH_FLOWS_H
#define BENCH_FLOWS_H

#include <dmasim/dmasim.h>

#define GRANULES (SZ_1M / SZ_4K)

struct flow_machine {
	struct dmasim_config config;
	struct dmasim *s;
	struct pci_dev *nvme;
	struct device *dev;
	phys_addr_t buffer; /* 1 MiB, aligned */
	phys_addr_t parts;  /* 2 MiB: every other granule of it is used */
	struct page *page[GRANULES];
	struct scatterlist sg[GRANULES];
	dma_addr_t dma[GRANULES];
	u8 bytes[SZ_1M];
};

/* The machine has one NVMe drive; it ends clean, or the program ends. */
void flow_machine_init(struct flow_machine *bench, const struct dmasim_config *config);
void flow_machine_fini(struct flow_machine *bench);

struct flow {
	const char *name;
	void (*run)(struct flow_machine *bench);
	bool without_iommu;
};

/* The last one has no name. */
extern const struct flow flows[];

#endif
