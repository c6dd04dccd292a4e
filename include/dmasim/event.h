/* SPDX-License-Identifier: MIT */
/*
 * Events: what the software tells the machine it has done.
 *
 * One event is one line of the trace (trace.h has the grammar) and one fact for the checker. An
 * event carries the arguments of the call *and* its result, so it is emitted when the call is over.
 */
#ifndef DMASIM_EVENT_H
#define DMASIM_EVENT_H

#include <dmasim/site.h>
#include <dmasim/types.h>

/* The fields an event prints, in this order. */
enum dmasim_event_field {
	DMASIM_F_DEV = 1 << 0,	  /* dev=    BDF with its segment */
	DMASIM_F_PEER = 1 << 1,	  /* peer=   BDF of the provider */
	DMASIM_F_STATE = 1 << 2,  /* st=     number of the struct dma_iova_state, from 1 */
	DMASIM_F_GROUP = 1 << 3,  /* group=  number of the IOMMU group */
	DMASIM_F_DOMAIN = 1 << 4, /* dom=    number of the domain */
	DMASIM_F_DMA = 1 << 5,	  /* dma=    DMA address or IOVA */
	DMASIM_F_PHYS = 1 << 6,	  /* phys=   CPU physical address */
	DMASIM_F_OFFSET = 1 << 7, /* off=    bytes from the start of a state's range */
	DMASIM_F_SIZE = 1 << 8,	  /* size=   bytes asked for */
	DMASIM_F_DONE = 1 << 9,	  /* done=   bytes or entries really done */
	DMASIM_F_COUNT = 1 << 10, /* n=      entries */
	DMASIM_F_DIR = 1 << 11,	  /* dir=    BIDIRECTIONAL TO_DEVICE FROM_DEVICE NONE */
	DMASIM_F_ATTRS = 1 << 12, /* attrs=  DMA_ATTR_ bits, hexadecimal, only when not 0 */
	DMASIM_F_PROT = 1 << 13,  /* prot=   letters r w c x m p */
	DMASIM_F_BUS = 1 << 14, /* bus=    1: a PCI bus address, 0: an IOVA or a physical address */
	DMASIM_F_TYPE = 1 << 15,  /* type=   P2P map type */
	DMASIM_F_RET = 1 << 16,	  /* ret=    0, a count, or an errno by name */
	DMASIM_F_ALLOC = 1 << 17, /* kind=   coherent noncoherent noncontiguous */
	DMASIM_F_MEMORY =
		1 << 18, /* memory= plain stack read-only vmalloc: what a pointer leads to */
	DMASIM_F_LIMITS = 1 << 19, /* longest= boundary=   of segments, decimal and hexadecimal */
	DMASIM_F_CHANGED =
		1 << 20,	  /* changed=1, only when the CPU's half of the list was changed */
	DMASIM_F_BELOW = 1 << 21, /* below=1, only when the device reaches phys below the root */
};

#define DMASIM_F_CALL (DMASIM_F_DIR | DMASIM_F_ATTRS)

/*
 * Events about entries of page tables:
 *
 * IOMMU_CHANGED says that software has written entries of [dma, dma + size) by other means than map
 * and unmap (a split, a permission, a D or A bit that was cleared, the whole table of a prototype);
 * it is told after each such change, so that what was there before is known. IOMMU_SYNCED is the
 * claim that no cache has anything of the range that the tables do not say: it is judged. A size of
 * 0 is that of all 2^64 addresses from 0 on.
 */

/* X(enumerator, name in the trace, fields) */
#define DMASIM_EVENTS(X)                                                                          \
	X(GROUP_ADD, "iommu_group_add", DMASIM_F_DEV | DMASIM_F_GROUP)                            \
	X(ATTACH, "iommu_attach", DMASIM_F_DEV | DMASIM_F_GROUP | DMASIM_F_DOMAIN | DMASIM_F_RET) \
	X(IOVA_ALLOC, "iova_alloc",                                                               \
	  DMASIM_F_DEV | DMASIM_F_DOMAIN | DMASIM_F_DMA | DMASIM_F_SIZE | DMASIM_F_RET)           \
	X(IOVA_DAC, "iova_using_bits", DMASIM_F_DEV | DMASIM_F_COUNT)                             \
	X(IOVA_FREE, "iova_free", DMASIM_F_DOMAIN | DMASIM_F_DMA | DMASIM_F_SIZE)                 \
	X(IOMMU_MAP, "iommu_map",                                                                 \
	  DMASIM_F_DOMAIN | DMASIM_F_DMA | DMASIM_F_PHYS | DMASIM_F_SIZE | DMASIM_F_DONE |        \
		  DMASIM_F_PROT | DMASIM_F_RET)                                                   \
	X(IOMMU_UNMAP, "iommu_unmap",                                                             \
	  DMASIM_F_DOMAIN | DMASIM_F_DMA | DMASIM_F_SIZE | DMASIM_F_DONE)                         \
	X(IOMMU_CHANGED, "iommu_changed", DMASIM_F_DOMAIN | DMASIM_F_DMA | DMASIM_F_SIZE)         \
	X(IOMMU_SYNCED, "iommu_synced",                                                           \
	  DMASIM_F_DOMAIN | DMASIM_F_DMA | DMASIM_F_SIZE | DMASIM_F_RET)                          \
	X(IOMMU_FLUSHED, "iommu_flushed", DMASIM_F_DOMAIN | DMASIM_F_RET)                         \
	X(MAP_PHYS, "dma_map_phys",                                                               \
	  DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_PHYS | DMASIM_F_SIZE | DMASIM_F_CALL |           \
		  DMASIM_F_BELOW)                                                                 \
	X(UNMAP_PHYS, "dma_unmap_phys",                                                           \
	  DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_SIZE | DMASIM_F_CALL)                            \
	X(MAP_REFUSED, "dma_map_single",                                                          \
	  DMASIM_F_DEV | DMASIM_F_SIZE | DMASIM_F_DIR | DMASIM_F_MEMORY)                          \
	X(MAPPING_ERROR, "dma_mapping_error", DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_RET)         \
	X(BOUNCE, "swiotlb_map", DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_PHYS | DMASIM_F_SIZE)     \
	X(BOUNCE_END, "swiotlb_unmap", DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_SIZE)               \
	X(SYNC_FOR_CPU, "dma_sync_single_for_cpu",                                                \
	  DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_SIZE | DMASIM_F_DIR)                             \
	X(SYNC_FOR_DEVICE, "dma_sync_single_for_device",                                          \
	  DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_SIZE | DMASIM_F_DIR)                             \
	X(SYNC_SG_FOR_CPU, "dma_sync_sg_for_cpu", DMASIM_F_DEV | DMASIM_F_COUNT | DMASIM_F_DIR)   \
	X(SYNC_SG_FOR_DEVICE, "dma_sync_sg_for_device",                                           \
	  DMASIM_F_DEV | DMASIM_F_COUNT | DMASIM_F_DIR)                                           \
	X(NEED_UNMAP, "dma_need_unmap", DMASIM_F_DEV | DMASIM_F_RET)                              \
	X(ALLOC, "dma_alloc",                                                                     \
	  DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_PHYS | DMASIM_F_SIZE | DMASIM_F_CALL |           \
		  DMASIM_F_ALLOC)                                                                 \
	X(ALLOC_FREE, "dma_free",                                                                 \
	  DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_PHYS | DMASIM_F_SIZE | DMASIM_F_CALL |           \
		  DMASIM_F_ALLOC)                                                                 \
	X(MAP_SG_ENTRY, "sg_map",                                                                 \
	  DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_PHYS | DMASIM_F_SIZE | DMASIM_F_DONE |           \
		  DMASIM_F_BUS | DMASIM_F_BELOW)                                                  \
	X(MAP_SG, "dma_map_sg",                                                                   \
	  DMASIM_F_DEV | DMASIM_F_COUNT | DMASIM_F_CALL | DMASIM_F_RET | DMASIM_F_LIMITS |        \
		  DMASIM_F_CHANGED)                                                               \
	X(UNMAP_SG_ENTRY, "sg_unmap", DMASIM_F_DEV | DMASIM_F_DMA | DMASIM_F_SIZE | DMASIM_F_BUS) \
	X(UNMAP_SG, "dma_unmap_sg", DMASIM_F_DEV | DMASIM_F_COUNT | DMASIM_F_CALL)                \
	X(TRY_ALLOC, "dma_iova_try_alloc",                                                        \
	  DMASIM_F_DEV | DMASIM_F_STATE | DMASIM_F_DMA | DMASIM_F_PHYS | DMASIM_F_SIZE |          \
		  DMASIM_F_RET)                                                                   \
	X(LINK, "dma_iova_link",                                                                  \
	  DMASIM_F_DEV | DMASIM_F_STATE | DMASIM_F_DMA | DMASIM_F_PHYS | DMASIM_F_OFFSET |        \
		  DMASIM_F_SIZE | DMASIM_F_CALL | DMASIM_F_RET | DMASIM_F_BELOW)                  \
	X(SYNC, "dma_iova_sync",                                                                  \
	  DMASIM_F_DEV | DMASIM_F_STATE | DMASIM_F_DMA | DMASIM_F_OFFSET | DMASIM_F_SIZE |        \
		  DMASIM_F_RET)                                                                   \
	X(UNLINK, "dma_iova_unlink",                                                              \
	  DMASIM_F_DEV | DMASIM_F_STATE | DMASIM_F_DMA | DMASIM_F_OFFSET | DMASIM_F_SIZE |        \
		  DMASIM_F_CALL)                                                                  \
	X(FREE, "dma_iova_free", DMASIM_F_DEV | DMASIM_F_STATE | DMASIM_F_DMA | DMASIM_F_SIZE)    \
	X(DESTROY, "dma_iova_destroy",                                                            \
	  DMASIM_F_DEV | DMASIM_F_STATE | DMASIM_F_DMA | DMASIM_F_SIZE | DMASIM_F_CALL)           \
	X(UNBOUND, "driver_unbound", DMASIM_F_DEV)                                                \
	X(P2P_TYPE, "p2p_map_type", DMASIM_F_DEV | DMASIM_F_PEER | DMASIM_F_TYPE)                 \
	X(P2P_WARN, "p2p_warn", DMASIM_F_DEV | DMASIM_F_PEER | DMASIM_F_COUNT | DMASIM_F_TYPE)    \
	X(P2P_RELEASE, "p2pdma_release", DMASIM_F_DEV)                                            \
	X(P2P_ALLOC, "p2pmem_alloc", DMASIM_F_DEV | DMASIM_F_PHYS | DMASIM_F_SIZE)                \
	X(P2P_FREE, "p2pmem_free", DMASIM_F_DEV | DMASIM_F_PHYS | DMASIM_F_SIZE)

enum dmasim_event_type {
#define DMASIM_EVENT_ENUM(id, name, fields) DMASIM_EVENT_##id,
	DMASIM_EVENTS(DMASIM_EVENT_ENUM)
#undef DMASIM_EVENT_ENUM
		DMASIM_EVENT_COUNT,
};

/* Which calls an ALLOC and its ALLOC_FREE are of. */
enum dmasim_alloc {
	DMASIM_ALLOC_COHERENT,	    /* dma_alloc_attrs() */
	DMASIM_ALLOC_NONCOHERENT,   /* dma_alloc_pages(), dma_alloc_noncoherent() */
	DMASIM_ALLOC_NONCONTIGUOUS, /* dma_alloc_noncontiguous(): a list */
};

struct scatterlist;

/* One entry of a list that is mapped, or one segment of it that is about to be unmapped. */
struct dmasim_sg_entry {
	u64 dma;
	u64 phys; /* unmap: 0 */
	u64 size; /* in bytes */
	u64 done; /* map by bus address: the length that its segment was given */
	bool bus_address;
};

/* What calls of lists tell beside; it is there while they are told. */
struct dmasim_event_list {
	struct scatterlist *sg;		     /* the list itself; MAP_SG_ENTRY: NULL */
	const struct dmasim_sg_entry *entry; /* `done` of the event; NULL: it has the only one */
	u64 boundary;			     /* MAP_SG: low bits that no segment crosses */
	u32 segment_bytes;		     /* MAP_SG: the longest that the device takes */
	bool changed;			     /* MAP_SG: the CPU's half is not what it was */
	bool merged; /* UNMAP_SG...: an entry without a segment has none behind it */
};

/*
 * MAP_REFUSED is about a pointer that has no physical address. UNBOUND: the driver has let go of
 * its device.
 *
 * A flat record; each event sets the fields its line prints and leaves the others 0. For the calls
 * of the two-step API `dma` is the state's address and `size` the length of this step. What memory
 * is, and what is below the root, the tracer finds out: an event has no such field.
 *
 * MAP_SG_ENTRY and UNMAP_SG_ENTRY may be about several entries in a row, and each is a line: `list`
 * has `done` of them; or it is the list that is about to be unmapped, and has the segments of
 * `count` entries. NULL: the record itself has the only one. `dir` and `attrs` are those of the
 * call; DMA_NONE: they are not known yet. MAP_SG may have the list's last entries in the same way.
 *
 * Events are built in the middle of calls that take less than a hundred nanoseconds: the record has
 * 96 bytes, which compilers clear without a loop.
 */
struct dmasim_event {
	u8 type;  /* DMASIM_EVENT_ */
	u8 alloc; /* DMASIM_ALLOC_ */
	u8 prot;
	u8 p2p_type;
	bool bus_address;
	u32 dir;
	dmasim_sbdf dev;
	union {
		dmasim_sbdf peer;
		u32 group;
	};
	u32 domain;
	u32 count;
	s32 ret;
	u64 dma;
	u64 phys;
	u64 offset;
	u64 size;
	u64 done;
	u64 attrs;
	union {
		const struct dmasim_event_list *list; /* events of lists */
		const void *pointer; /* MAP_REFUSED; TRY_ALLOC: the struct dma_iova_state */
	};
	const struct dmasim_site *site;
};

#endif
