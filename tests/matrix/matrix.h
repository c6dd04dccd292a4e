/* SPDX-License-Identifier: MIT */
/*
 * The matrix: mode x call x direction x alignment class x attributes.
 *
 * A *cell* is one mapping of one buffer. What becomes of it is forecast from the facts alone
 * (forecast.c), the bytes are followed by a plain model of memory (memory.h), and then the cell
 * runs: the device reads and writes, the CPU looks at every byte.
 */
#ifndef MATRIX_MATRIX_H
#define MATRIX_MATRIX_H

#include <dmasim/dmasim.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum mode {
	MODE_DIRECT,	     /* no IOMMU */
	MODE_DIRECT_RANGES,  /* no IOMMU, the host bridge moves addresses */
	MODE_DIRECT_MASK32,  /* no IOMMU, the device does not reach the buffer */
	MODE_PASS_THROUGH,   /* an IOMMU that lets addresses pass */
	MODE_STRICT,	     /* an IOMMU */
	MODE_LAZY,	     /* an IOMMU, invalidations are collected */
	MODE_UNTRUSTED,	     /* an IOMMU, what shares a granule is bounced */
	MODE_FORCED,	     /* no IOMMU, everything is bounced */
	MODE_RESTRICTED,     /* no IOMMU, everything is bounced to the device's own pool */
	MODE_NO_SNOOP,	     /* no IOMMU, the device does not see the CPU's cache */
	MODE_NO_SNOOP_IOMMU, /* an IOMMU, the device does not see the CPU's cache */
	MODE_KMALLOC,	     /* the same two; what may share a cache line is bounced */
	MODE_KMALLOC_IOMMU,
	MODE_P2P_BUS,	 /* an IOMMU; the buffer is a BAR below the same switch */
	MODE_P2P_BRIDGE, /* an IOMMU; the buffer is a BAR below another root port */
	MODE_AMD_VI,	 /* AMD's IOMMU */
	MODE_AMD_VI_LAZY,
	MODE_AMD_VI_NP_CACHE, /* and it caches that nothing is there */
	MODE_FIRST_STAGE,     /* VT-d's scalable mode, with first-stage tables */
	MODE_RISCV,	      /* a RISC-V IOMMU */
	MODE_SMMUV3,	      /* an SMMUv3 */
	MODES,
};

enum call {
	CALL_MAP_PHYS,
	CALL_MAP_PAGE,
	CALL_MAP_SINGLE,
	CALL_MAP_RESOURCE,
	CALL_MAP_SG,
	CALL_MAP_SGTABLE,
	CALL_ONE_LINK,
	CALL_LINKS,
	CALL_ALLOC_COHERENT,
	CALL_ALLOC_PAGES,
	CALL_ALLOC_NONCONTIGUOUS,
	CALLS,
};

enum place {
	PLACE_PAGES,	/* whole pages */
	PLACE_IN_PAGE,	/* a part of a page, whole cache lines */
	PLACE_ODD,	/* odd offset, odd size, within a page */
	PLACE_SUB_LINE, /* a part of a cache line */
	PLACE_CROSSING, /* across pages, unaligned at both ends */
	PLACE_BOUNDARY, /* across one page boundary, no whole page */
	PLACE_START,	/* the start of a page */
	PLACE_LARGE,	/* longer than the longest DMA segment, from a page's start */
	PLACES_FULL,
	PLACE_HUGE = PLACES_FULL, /* more than can be bounced; not in the full part */
	PLACES,
};

#define DIRECTIONS 3

/* The attributes of which every combination is tried, and those that are tried in pairs. */
extern const unsigned long full_attr[6];
extern const unsigned long other_attr[6];

struct cell {
	enum mode mode;
	enum call call;
	enum dma_data_direction dir;
	enum place place;
	unsigned long attrs;
};

/* A part of the buffer that is contiguous in memory: [at, at + bytes) of the region. */
struct piece {
	u32 at;
	u32 bytes;
};

#define PIECES_MAX   3
#define REGION_BYTES (108 * 4096U)

/* Where a cell's buffer lies: pieces in the device's order. */
struct shape {
	u32 bytes;
	u32 count;
	struct piece piece[PIECES_MAX];
};

void shape_of(const struct cell *cell, struct shape *shape);
bool is_list(enum call call);
bool is_two_step(enum call call);
bool is_alloc(enum call call);

extern const char *const mode_name[MODES];
extern const char *const call_name[CALLS];

#define CELL_TEXT 160
/* "strict,map_sg,TO_DEVICE,odd,0x20": what DMASIM_CELL takes. */
void cell_text(const struct cell *cell, char text[CELL_TEXT]);
bool cell_parse(const char *text, struct cell *cell);

/* All cells of a mode and call, in a fixed order: how many, and the one at an index. */
struct cell_list {
	struct cell *cell;
	u32 count;
};
bool cells_of(enum mode mode, enum call call, struct cell_list *list);

#endif
