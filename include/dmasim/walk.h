/* SPDX-License-Identifier: MIT */
/*
 * One translation, step by step: what the context says (AMD's: the device table entry), which cache
 * answers, which entries are read, and what comes of it. `dmasim walk` prints these.
 *
 * Source: facts "iova-and-page-tables" 2.1, 2.2 and 2.6 for tables and faults, 3.1 for caches.
 */
#ifndef DMASIM_WALK_H
#define DMASIM_WALK_H

#include <dmasim/pci.h>
#include <dmasim/types.h>

/* An entry that was read. */
struct dmasim_walk_entry {
	u8 level; /* of its table: 0 has the 4 KiB leaves */
	phys_addr_t table;
	u32 index;	/* of the entry in the table */
	phys_addr_t at; /* of the entry */
	u64 value;
	bool fetched; /* false: no memory is there */
	bool read;    /* what it and the entries above it allow */
	bool write;
};

#define DMASIM_WALK_ENTRIES_MAX 6

enum dmasim_walk_context {
	DMASIM_WALK_NO_IOMMU = 0, /* the request passes none: all else is 0 */
	DMASIM_WALK_ABSENT,	  /* the requester has no context entry, or one that refuses it */
	DMASIM_WALK_TRANSLATE,
	DMASIM_WALK_PASS_THROUGH, /* the address is taken as it is */
};

/* Sizes are log2 of bytes. */
struct dmasim_walk {
	u16 requester; /* as the IOMMU sees it: a bridge to conventional PCI stands for others */
	enum dmasim_walk_context context;
	bool context_hit; /* it came out of the context cache */
	u16 domain;
	u8 levels;	  /* of the domain's tables; AMD: the entry's mode */
	phys_addr_t root; /* their top table */

	/*
	 * A translation was cached: of this page, to that, with these permissions; without any of
	 * them: that there is nothing. Only if it allows the access, or says that, it is taken.
	 */
	bool iotlb_found;
	bool iotlb_hit;
	u64 iotlb_iova;
	phys_addr_t iotlb_phys;
	u8 iotlb_lg2;
	bool iotlb_read;
	bool iotlb_write;

	/* The table that the walk began at was cached, with what the entries above it allow. */
	bool walk_cache_hit;
	u8 start_level;
	phys_addr_t start_table;
	bool start_read;
	bool start_write;

	bool beyond; /* the tables have no entry for the address: nothing was read */
	u32 entries; /* that the walk read, top first; 0: none */
	struct dmasim_walk_entry entry[DMASIM_WALK_ENTRIES_MAX];

	u16 fault;	 /* the architecture's reason, or event code; 0: translated */
	u16 fault_flags; /* AMD_FLAG_ */
	char line[192];	 /* what the driver would log of the fault; else "" */
	u8 page_lg2;	 /* the answer holds for the rest of such a page */
	bool read;	 /* the page's permissions */
	bool write;
	phys_addr_t phys; /* of the address asked for */
};

DMASIM_BEGIN_DECLS

/*
 * The IOMMU translates one request of the device, without that the request is sent: its caches are
 * asked and filled and costs counted as by the request, and a fault is neither recorded nor
 * reported. What the device has in a TLB of its own is not asked. In VT-d's scalable mode neither
 * caches nor entries are told. 0; -ENOMEM: none to start the machine, *walk is all 0.
 */
DMASIM_API int dmasim_walk(struct pci_dev *pdev, dma_addr_t dma, bool write,
			   struct dmasim_walk *walk);

/* What a walk from the top would read now: caches and costs stay as they are. The same returns. */
DMASIM_API int dmasim_walk_probe(struct pci_dev *pdev, dma_addr_t dma, bool write,
				 struct dmasim_walk *walk);

DMASIM_END_DECLS

#endif
