/* SPDX-License-Identifier: MIT */
/*
 * One run of random mappings: a machine, the model beside it, the mappings that are live, and the
 * steps.
 *
 *   host bridge 00                                         host bridge 40
 *    |-- 01.0 -- switch --+-- 00.0 -- 0 plain               +-- 01.0 -- 5 provider
 *    |                    +-- 01.0 -- 1 provider
 *    |                    +-- 02.0 -- 2 and 3, two functions
 *    +-- 02.0 -- 4 provider
 *
 * Steps never use cmocka's assertions: a step that finds something wrong says so with wrong(), so
 * that a run can be done again with fewer steps.
 */
#ifndef PROPERTY_RUN_H
#define PROPERTY_RUN_H

#include <stdio.h>

#include "property/dice.h"
#include "property/model.h"
#include "support/lint.h"

#define RUN_MAPPINGS   24
#define RUN_SG_ENTRIES 8
#define RUN_DEVICES    MODEL_DEVICES
#define RUN_STEPS_MAX  1000

/* X(enumerator, name, weight among the others, may a seed switch it off) */
#define RUN_OPERATIONS(X)                      \
	X(MAP_PHYS, map_phys, 8, true)         \
	X(MAP_PAGE, map_page, 5, true)         \
	X(MAP_SG, map_sg, 7, true)             \
	X(STATE, state, 6, true)               \
	X(LINK, link, 24, true)                \
	X(SYNC, sync, 10, true)                \
	X(UNLINK, unlink, 6, true)             \
	X(COPY_STATE, copy_state, 2, true)     \
	X(END, end, 14, true)                  \
	X(ACCESS, access, 40, false)           \
	X(STRAY, stray, 8, true)               \
	X(CPU, cpu, 6, true)                   \
	X(NEW_OBJECT, new_object, 4, true)     \
	X(DROP_OBJECT, drop_object, 4, true)   \
	X(MASK, mask, 2, true)                 \
	X(BAD_UNMAP, bad_unmap, 3, true)       \
	X(BAD_LINK, bad_link, 4, true)         \
	X(BAD_ARGUMENT, bad_argument, 2, true) \
	X(ROUTE, route, 5, true)               \
	X(P2P_TYPE, p2p_type, 2, true)

enum run_operation {
#define RUN_ENUM(id, name, weight, optional) RUN_##id,
	RUN_OPERATIONS(RUN_ENUM)
#undef RUN_ENUM
		RUN_OPERATION_COUNT,
};

enum mapping_kind {
	MAPPING_NONE = 0,
	MAPPING_PHYS,
	MAPPING_PAGE,
	MAPPING_SG,
	MAPPING_STATE,
};

struct mapping {
	enum mapping_kind kind;
	u32 device;
	enum dma_data_direction dir;
	unsigned long attrs;
	struct range block; /* the IOVA range it owns; empty without an IOMMU */
	struct object *object[MODEL_OBJECTS];
	u32 object_count;

	/* One call. */
	dma_addr_t dma;
	u64 bytes;

	/* A list. */
	struct scatterlist sg[RUN_SG_ENTRIES];
	struct sg_table table;
	bool by_table;

	/* Two steps. */
	struct dma_iova_state state[2];
	u32 state_in_use; /* which copy */
};

/* What a host bridge is to peer-to-peer traffic through it. */
enum bridge_trust {
	BRIDGE_ANY = 0,
	BRIDGE_SAME_ONLY,
	BRIDGE_UNLISTED,
};

struct run {
	u64 seed;
	struct dmasim *s;
	struct rig_trace trace;
	struct pci_dev *dev[RUN_DEVICES];
	struct p2pdma_provider *provider[RUN_DEVICES];
	struct model model;
	struct mapping mapping[RUN_MAPPINGS];
	u64 mask[RUN_DEVICES];
	u64 seg_boundary[RUN_DEVICES];
	u32 seg_bytes[RUN_DEVICES];
	enum bridge_trust trust[2];
	bool amd;
	u32 weight[RUN_OPERATION_COUNT]; /* 0: switched off in this run */
	bool big;			 /* one object has 4 MiB */
	bool low_bars;	  /* some BARs are below 4 GiB: in the way of IOVAs for a 32-bit mask */
	u32 report_count; /* reports that were looked at */
	u32 step;
	FILE *log; /* NULL: silent */
	char failure[1024];
};

/* ---- run.c ----------------------------------------------------------------------------------- */

struct script {
	u64 seed;
	u32 steps;
	const bool *skip; /* of each step, or NULL */
	FILE *log;
	bool traced;
};

struct outcome {
	bool wrong;
	u32 step;
	u64 trace_hash;
	char failure[1024];
};

/* Does the whole script on a new machine. */
void run_script(const struct script *script, struct outcome *outcome);

/* ---- machine.c ------------------------------------------------------------------------------- */

bool machine_make(struct run *run, bool traced);
bool machine_end(struct run *run);
/* How a device reaches a provider's memory, by the topology above. */
enum pci_p2pdma_map_type machine_type(const struct run *run, u32 device, u32 provider);

/* ---- What all steps use: common.c ------------------------------------------------------------ */

/* Notes what is wrong; false, for `return wrong(...)`. */
bool wrong(struct run *run, const char *format, ...) DMASIM_PRINTF(2, 3);
void note(struct run *run, const char *format, ...) DMASIM_PRINTF(2, 3);

/* Since the last look there is exactly one report, and of this kind; or none at all. */
bool expect_report(struct run *run, enum dmasim_report_id id);
bool expect_no_report(struct run *run);

/* All of memory, or one object, or bytes of one object (by their offsets) is as the model says. */
bool memory_is_right(struct run *run, const struct object *only);
bool bytes_are_right(struct run *run, const struct object *object, u64 start, u64 end);
/* The same for what lies around these bytes, too. */
bool memory_near_is_right(struct run *run, const struct object *object, u64 start, u64 end);

u32 pick_device(struct run *run, struct dice *dice);
struct object *pick_object(struct run *run, struct dice *dice);
/* A live mapping of this kind (MAPPING_NONE: any) or NULL. */
struct mapping *pick_mapping(struct run *run, struct dice *dice, enum mapping_kind kind);
struct mapping *new_mapping(struct run *run, enum mapping_kind kind, u32 device);
u32 mapping_index(const struct run *run, const struct mapping *mapping);
struct extent *pick_extent(struct run *run, struct dice *dice, u32 mapping);
enum dma_data_direction pick_direction(struct dice *dice);
u64 pick_bytes(struct dice *dice, u64 most);
void mapping_uses(struct mapping *mapping, struct object *object);
void mapping_forget(struct run *run, struct mapping *mapping);

/* The IOVA range of a new mapping: aligned, below the mask, in nobody's way. */
bool block_is_good(struct run *run, struct mapping *mapping, dma_addr_t start, u64 bytes);

/* ---- The steps ------------------------------------------------------------------------------- */

bool step_map_phys(struct run *run, struct dice *dice);
bool step_map_page(struct run *run, struct dice *dice);
bool step_map_sg(struct run *run, struct dice *dice);
bool step_state(struct run *run, struct dice *dice);
bool step_link(struct run *run, struct dice *dice);
bool step_sync(struct run *run, struct dice *dice);
bool step_unlink(struct run *run, struct dice *dice);
bool step_copy_state(struct run *run, struct dice *dice);
bool step_end(struct run *run, struct dice *dice);
bool step_access(struct run *run, struct dice *dice);
bool step_stray(struct run *run, struct dice *dice);
bool step_cpu(struct run *run, struct dice *dice);
bool step_new_object(struct run *run, struct dice *dice);
bool step_drop_object(struct run *run, struct dice *dice);
bool step_mask(struct run *run, struct dice *dice);
bool step_bad_unmap(struct run *run, struct dice *dice);
bool step_bad_link(struct run *run, struct dice *dice);
bool step_bad_argument(struct run *run, struct dice *dice);
bool step_route(struct run *run, struct dice *dice);
bool step_p2p_type(struct run *run, struct dice *dice);

bool end_mapping(struct run *run, struct mapping *mapping, struct dice *dice);
bool end_sg(struct run *run, struct mapping *mapping);
bool end_state(struct run *run, struct mapping *mapping, struct dice *dice);

#endif
