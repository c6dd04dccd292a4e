/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a cell, as the facts ("dma-api" 1.3, 2 to 5, 7, 14) say it.
 */
#ifndef MATRIX_FORECAST_H
#define MATRIX_FORECAST_H

#include "matrix/matrix.h"

/* What the facts need to know of a mode. */
struct mode_facts {
	bool amd_vi; /* of what is behind an IOMMU: AMD's */
	bool lazy;
	bool iommu;	   /* it translates: not direct, not passed through */
	bool reads_anyway; /* and cannot keep a device from reading what it may write */
	bool unprivileged; /* what is mapped for privileged requests is not for its devices' */
	bool untrusted;	   /* behind the IOMMU: what shares a granule is bounced */
	bool forced;	   /* direct: everything is bounced */
	bool own_pool;	   /* direct: the device uses no memory but its pool's */
	bool out_of_reach; /* direct: no buffer is in reach of the device */
	bool no_snoop;
	bool kmalloc;		/* what may share a cache line is bounced */
	bool keeps_page_offset; /* min_align_mask is 4095, else 0 */
	bool peer_bus;		/* the buffer is peer memory below a common switch */
	bool peer;		/* the buffer is peer memory */
};

extern const struct mode_facts facts_of[MODES];

#define RANGES_MAX 2

/* What is done with one piece of the buffer. */
struct piece_forecast {
	bool copied;
	u32 ranges; /* copied ones */
	struct piece range[RANGES_MAX];
	u32 shift[RANGES_MAX];
};

struct forecast {
	int error;	   /* 0: it is mapped; the call's error, -ENOMEM where it has no number */
	u32 failing;	   /* the piece that cannot be mapped: those before it were */
	u32 report;	   /* a kind of report, 0: none */
	u32 reports;	   /* how many of them */
	bool before;	   /* mapping gives what the CPU wrote to memory */
	bool after;	   /* unmapping gives what is in memory to the CPU */
	bool copied_back;  /* unmapping copies back */
	bool keeps_offset; /* the offset in the page is that of the buffer */
	bool is_phys;	   /* the DMA address is the physical one, moved by inbound ranges */
	bool is_bus;	   /* the DMA address is a bus address */
	bool protects;	   /* what the direction forbids faults */
	struct piece_forecast piece[PIECES_MAX];
};

void forecast_cell(const struct cell *cell, const struct shape *shape, struct forecast *out);

#endif
