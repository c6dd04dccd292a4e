/* SPDX-License-Identifier: MIT */
/*
 * The plain model that random mappings are compared with: lists that are searched from end to end.
 *
 *   object    a piece of memory, with a copy of every byte that should be in it
 *   extent    bytes that a device may use: (device, dma range, phys, direction, synced)
 *   history   per device, every byte whose mapping has ended
 *
 * From these it tells what becomes of any access: which bytes go where, and which reports it
 * brings. It knows nothing of page tables, caches or allocators. A translation is an extent rounded
 * out to granules; a request is a part of an access that stays within 4 KiB.
 */
#ifndef PROPERTY_MODEL_H
#define PROPERTY_MODEL_H

#include <dmasim/dmasim.h>

#define GRANULE		   4096ULL
#define GRANULE_DOWN(x)	   ((x) & ~(GRANULE - 1))
#define GRANULE_UP(x)	   GRANULE_DOWN((x) + GRANULE - 1)
#define IN_GRANULE(x)	   ((x) & (GRANULE - 1))
#define MODEL_DEVICES	   6
#define MODEL_OBJECTS	   24
#define MODEL_EXTENTS	   512
#define MODEL_HISTORY	   512
#define MODEL_ACCESS_MAX   (5 * GRANULE) /* bytes of one access */
#define MODEL_RECENT	   16
#define MODEL_PIECES	   16
#define MODEL_NOBODY	   (~0U)
#define MODEL_KIND(id)	   (1ULL << (id))
#define MODEL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum object_kind {
	OBJECT_NONE = 0,
	OBJECT_RAM,
	OBJECT_ADOPTED,
	OBJECT_BAR,
};

struct object {
	enum object_kind kind;
	phys_addr_t phys;
	u64 bytes;
	u8 *shadow;	 /* what should be in it */
	u8 *adopted;	 /* OBJECT_ADOPTED: the program's memory */
	u32 owner;	 /* OBJECT_BAR: the device it belongs to */
	u64 bus_address; /* OBJECT_BAR */
	u32 users;	 /* mappings that use it */
};

struct extent {
	u32 device;
	u32 domain;  /* MODEL_NOBODY: a bus address, which is not translated */
	u32 mapping; /* whose it is; MODEL_NOBODY: this extent is unused */
	dma_addr_t dma;
	phys_addr_t phys;
	u64 bytes;
	u64 padding; /* bytes behind its last granule that are translated, too */
	enum dma_data_direction dir;
	bool synced;
};

struct range {
	u64 start;
	u64 end;
};

struct history {
	struct range range[MODEL_HISTORY]; /* sorted, apart from each other */
	u32 count;
};

struct model_device {
	u32 domain;    /* number of its group */
	u8 root_bus;   /* of its host bridge */
	u32 below;     /* the switch it is below; 0: none */
	bool redirect; /* its ports send peer requests, and those for themselves, up to the root */
	struct range port_window[2]; /* bus addresses that its port passes down */
	struct range kept[6];	     /* those that some bridge above it passes down, so not up */
	struct range upstream[2];    /* those of the upstream port of its switch */
	struct range root_port[2];   /* those of its root port */
	struct history history;
};

struct model {
	bool iommu;
	bool amd_vi;	  /* it is AMD's */
	bool scalable;	  /* its mode */
	bool riscv;	  /* RISC-V's: what may be written may be read */
	bool smmuv3;	  /* Arm's: likewise */
	bool first_stage; /* of that, with x86-64's tables: what may be written may be read */
	u8 address_bits;  /* of IOVAs */
	struct model_device device[MODEL_DEVICES];
	struct object object[MODEL_OBJECTS];
	struct extent extent[MODEL_EXTENTS];
	u32 extent_end;			    /* extents from here on are unused */
	struct extent recent[MODEL_RECENT]; /* the last that ended, a ring */
	u32 recent_count;
	struct dmasim_window window[4];
	u32 window_count;
	bool forwards[2][2]; /* the host bridge of device 5, or the other, to the same */
	struct {
		phys_addr_t start;
		u64 bytes;
	} ram[4];
	u32 ram_count;
};

/* A part of a request that goes to one place. */
struct model_piece {
	dma_addr_t dma;
	u64 bytes;
	bool arrives;
	bool direct;	       /* from port to port of a switch */
	phys_addr_t phys;      /* of a piece that arrives */
	struct object *object; /* NULL: memory that no object covers */
	u64 kinds;	       /* the reports it may bring, one of them; 0: it brings none */
};

struct model_access {
	struct model_piece piece[MODEL_PIECES];
	u32 count;
	u64 done;
	enum dmasim_transfer_status status;
	dma_addr_t at; /* of the failure */
	u8 reason;
};

/* What becomes of an access of at most MODEL_ACCESS_MAX bytes. */
void model_predict(struct model *model, u32 device, dma_addr_t dma, u64 bytes, bool write,
		   struct model_access *access);

/* Objects. The shadow is zeroed. NULL: too many, or no memory. */
struct object *model_object_add(struct model *model, enum object_kind kind, phys_addr_t phys,
				u64 bytes);
void model_object_remove(struct object *object);
struct object *model_object_at(struct model *model, phys_addr_t phys);

/* Extents. NULL: too many. An extent that ends goes into its device's history. */
struct extent *model_extent_add(struct model *model, const struct extent *extent);
void model_extent_end(struct model *model, struct extent *extent);
/* Cuts an extent in two at a DMA address inside it. False: too many. */
bool model_extent_cut(struct model *model, struct extent *extent, dma_addr_t at);
/* Ends, in this model, the bytes of a mapping in [start, end). False: too many extents. */
bool model_end_bytes(struct model *model, u32 mapping, dma_addr_t start, dma_addr_t end);
/* Marks the bytes of a mapping in [start, end) as synced. *any: there were some. */
bool model_sync_bytes(struct model *model, u32 mapping, dma_addr_t start, dma_addr_t end,
		      bool *any);

/* True if some extent translates the granule of this address in the domain. */
bool model_translates(struct model *model, u32 domain, dma_addr_t dma);
/* True if some live extent of the device has this byte. */
/* True for an address of a BAR that is among the objects. */
bool model_is_bus_address(const struct model *model, dma_addr_t dma);
bool model_owns(struct model *model, u32 device, dma_addr_t dma);

void model_history_add(struct model *model, u32 device, u64 start, u64 end);
void model_fini(struct model *model);

#endif
