/* SPDX-License-Identifier: MIT */
/*
 * A random driver: in one mode of the matrix, many mappings at once for several devices, by every
 * call, and nothing but what the DMA API allows.
 *
 *   buffer   memory of the driver, with a copy of every byte that should be in it
 *   part     a stretch of a buffer
 *   use      parts that one mapping gives to one device
 *
 * Bytes have one owner at a time: a device while a use has them, but for the stretch that a sync
 * gave to the CPU. Only owners touch bytes, so that one copy of them is the whole model, whatever
 * caches and bounce buffers are in between.
 *
 *   host bridge 00
 *    |-- 01.0 -- switch --+-- 00.0 -- 0 plain
 *    |                    +-- 01.0 -- 1 with a BAR
 *    |-- 02.0 -- 2 with a BAR
 *    +-- 03.0 -- 3 plain
 */
#ifndef PROPERTY_DRIVER_H
#define PROPERTY_DRIVER_H

#include <stdio.h>

#include "matrix/forecast.h"
#include "property/dice.h"
#include "support/lint.h"

#define DRIVER_DEVICES	   4
#define DRIVER_BUFFERS	   16
#define DRIVER_USES	   20
#define DRIVER_PARTS	   16 /* mostly fewer: */
#define DRIVER_PARTS_FEW   6
#define DRIVER_SEGMENTS	   (2 * DRIVER_PARTS)
#define DRIVER_PAGE	   4096U
#define DRIVER_LINE	   64U
#define DRIVER_PART_MAX	   (4 * DRIVER_PAGE)
#define DRIVER_STEPS_MAX   1000
#define DRIVER_WRONG_BYTES 1024

/* X(enumerator, name, weight among the others, may a seed switch it off) */
#define DRIVER_STEPS(X)                \
	X(BUFFER, buffer, 8, false)    \
	X(DROP, drop, 4, true)         \
	X(ONE, one, 14, true)          \
	X(LIST, list, 12, true)        \
	X(LINKS, links, 12, true)      \
	X(ALLOC, alloc, 5, true)       \
	X(BUS, bus, 3, true)           \
	X(END, end, 24, false)         \
	X(READ, read, 16, true)        \
	X(WRITE, write, 16, true)      \
	X(FOR_CPU, for_cpu, 12, true)  \
	X(CPU, cpu, 16, true)          \
	X(FOR_DEV, for_dev, 10, true)  \
	X(RELINK, relink, 8, true)     \
	X(QUESTION, question, 3, true) \
	X(DIRECT, direct, 3, true)     \
	X(TIME, time, 3, true)         \
	X(TURN_CPU, turn_cpu, 3, true) \
	X(FAIL, fail, 2, true)

enum driver_step {
#define DRIVER_ENUM(id, name, weight, optional) DRIVER_##id,
	DRIVER_STEPS(DRIVER_ENUM)
#undef DRIVER_ENUM
		DRIVER_STEP_COUNT,
};

enum buffer_kind {
	BUFFER_NONE = 0,
	BUFFER_RAM,
	BUFFER_CARVED, /* a part of a large block */
	BUFFER_ADOPTED,
	BUFFER_PEER,  /* a BAR */
	BUFFER_ALLOC, /* memory that came mapped */
};

struct buffer {
	enum buffer_kind kind;
	phys_addr_t phys;
	u32 bytes;
	u8 *shadow;  /* what should be in it */
	u8 *adopted; /* the program's memory */
	u32 owner;   /* PEER: the device */
	u32 users;   /* parts of uses in it */
};

struct part {
	struct buffer *buffer;
	u32 at;
	u32 bytes;
	bool linked; /* of two steps: it is there and synced */
};

enum use_kind {
	USE_NONE = 0,
	USE_ONE,
	USE_LIST,
	USE_LINKS,
	USE_ALLOC,
	USE_BUS, /* peer memory by its bus address: nothing is mapped */
};

struct use_segment {
	dma_addr_t dma;
	u32 bytes;
};

struct use {
	enum use_kind kind;
	enum call call; /* of USE_ONE, USE_LIST and USE_ALLOC */
	u32 device;
	enum dma_data_direction dir;
	unsigned long attrs;
	u32 bytes;
	u32 part_count;
	struct part part[DRIVER_PARTS];
	u32 segment_count;
	struct use_segment segment[DRIVER_SEGMENTS];

	/* The CPU's stretch: [cpu_start, cpu_end) of the use; none if they are equal. */
	u32 cpu_start, cpu_end;
	bool cpu_wrote;
	bool not_synced; /* SKIP_CPU_SYNC: it is not the device's before a sync */

	struct scatterlist list[DRIVER_PARTS];
	struct sg_table table;
	struct dma_iova_state state;
	u8 *memory;
	struct page *page;
	struct sg_table *made;
};

struct driver {
	enum mode mode;
	const struct mode_facts *facts;
	u64 seed;
	struct dmasim *s;
	bool random_choices; /* lines may leave the CPU's cache on their own */
	bool unprivileged;   /* what is mapped for privileged requests is not for devices' */
	struct rig_trace trace;
	struct pci_dev *dev[DRIVER_DEVICES];
	struct p2pdma_provider *provider[DRIVER_DEVICES]; /* NULL: none */
	phys_addr_t block;				  /* that buffers are carved from; or 0 */
	phys_addr_t direct; /* a page that firmware has mapped for device 3; 0: none */
	u32 carved;
	struct buffer buffer[DRIVER_BUFFERS];
	struct use use[DRIVER_USES];
	u32 weight[DRIVER_STEP_COUNT];
	u32 step;
	u64 calls;    /* of the DMA API */
	u64 accesses; /* of devices */
	u32 cpu;
	u32 reports;  /* that were looked at */
	bool failing; /* an allocation is about to fail */
	FILE *log;    /* NULL: silent */
	u8 scratch[DRIVER_PARTS * DRIVER_PART_MAX];
	char wrong[DRIVER_WRONG_BYTES];
};

/* ---- driver.c: a run ------------------------------------------------------------------------- */

struct driver_script {
	enum mode mode;
	u64 seed;
	u32 steps;
	const bool *skip; /* of each step, or NULL */
	FILE *log;
};

struct driver_outcome {
	bool wrong;
	u32 step;
	u64 calls;
	u64 accesses;
	char failure[DRIVER_WRONG_BYTES];
};

void driver_run(const struct driver_script *script, struct driver_outcome *outcome);

/* One step of a run by its seed and number; false: something is wrong. */
bool driver_step(struct driver *driver);
void driver_choose_steps(struct driver *driver);

/* ---- driver_machine.c ------------------------------------------------------------------------ */

bool driver_begin(struct driver *driver);
/* Ends all uses and looks for anything that is left. */
bool driver_finish(struct driver *driver);
void driver_destroy(struct driver *driver);

/* ---- driver_memory.c ------------------------------------------------------------------------- */

/* Notes what is wrong; false, for `return driver_wrong(...)`. */
bool driver_wrong(struct driver *driver, const char *format, ...) DMASIM_PRINTF(2, 3);
void driver_note(struct driver *driver, const char *format, ...) DMASIM_PRINTF(2, 3);
bool driver_no_report(struct driver *driver);

static inline struct device *driver_dev(struct driver *driver, u32 device)
{
	return &driver->dev[device]->dev;
}

/* NULL: there is no place for it, or no memory. */
struct buffer *buffer_new(struct driver *driver, enum buffer_kind kind, phys_addr_t phys,
			  u32 bytes);
void buffer_drop(struct driver *driver, struct buffer *buffer);
bool buffer_add_random(struct driver *driver, struct dice *dice);

/* The CPU: bytes that are its own. Through a pointer where `by_pointer` and there is one. */
bool cpu_fills(struct driver *driver, struct buffer *buffer, u32 at, u32 bytes, struct dice *dice);
bool cpu_finds(struct driver *driver, struct buffer *buffer, u32 at, u32 bytes, bool by_pointer);

/* A live use of this kind (USE_NONE: of any) or NULL. */
struct use *use_pick(struct driver *driver, struct dice *dice, enum use_kind kind);
struct use *use_new(struct driver *driver, enum use_kind kind, u32 device);
void use_forget(struct driver *driver, struct use *use);
u32 use_index(const struct driver *driver, const struct use *use);
void use_add_part(struct use *use, struct buffer *buffer, u32 at, u32 bytes);
void use_add_segment(struct use *use, dma_addr_t dma, u32 bytes);

/* A part of a buffer that a use of this direction may have: in nobody's way. */
struct part_wish {
	enum dma_data_direction dir;
	bool peer;   /* of a BAR that the device reaches through the host bridge, or */
	bool by_bus; /* below its switch */
	u32 device;
	bool any_in_page; /* else it begins at a page's start, */
	bool whole_pages; /* and has whole pages */
};
bool part_find(struct driver *driver, struct dice *dice, const struct part_wish *wish,
	       const struct use *but, struct part *part);
/* True if no use has any line of it. */
bool part_is_free(const struct driver *driver, const struct buffer *buffer, u32 at, u32 bytes);

/* Another use reads some of its bytes, too. */
bool use_shares(const struct driver *driver, const struct use *use);

bool driver_has_peers(const struct driver *driver);

/* [offset, offset + bytes) of a use begins so many bytes into one part: how many are in it. */
struct part use_stretch(const struct use *use, u32 offset, u32 bytes);

/* ---- driver_map.c, driver_turns.c ------------------------------------------------------------ */

/* Maps: 0 or the call's error. use->part says what, use->segment where it is after. */
int use_map(struct driver *driver, struct use *use);
void use_unmap(struct driver *driver, struct use *use);
int use_link(struct driver *driver, struct use *use, u32 part);
/* Where a part begins in its use. */
u32 part_offset(const struct use *use, u32 part);

/* A whole use, ended as a driver should. */
bool use_end(struct driver *driver, struct use *use);

bool use_can_turn(const struct driver *driver, const struct use *use);
void use_sync(struct driver *driver, const struct use *use, u32 start, u32 end, bool for_cpu);
/* Gives back what the CPU has, and syncs what was mapped without it. */
bool use_to_device(struct driver *driver, struct use *use);

/* A stretch of a use that is the device's and all there. False: none. */
bool use_device_stretch(const struct use *use, struct dice *dice, u32 *start, u32 *end);
struct dmasim_transfer use_transfer(struct driver *driver, struct use *use, u32 offset, u8 *to,
				    const u8 *from, u32 bytes);

#define DRIVER_DECLARE(id, name, weight, optional) \
	bool driver_##name(struct driver *driver, struct dice *dice);
DRIVER_STEPS(DRIVER_DECLARE)
#undef DRIVER_DECLARE

#endif
