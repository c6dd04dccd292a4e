/* SPDX-License-Identifier: MIT */
#include "property/misuse.h"

#include <stdlib.h>
#include <string.h>

#define USE(kind) (1U << USE_##kind)
#define MAPPED	  (USE(ONE) | USE(LIST) | USE(ALLOC) | USE(LINKS))
#define STREAMED  (USE(ONE) | USE(LIST))
#define R(id)	  DMASIM_REPORT_##id
#define UNMAP                                                                     \
	R(UNMAP_NOT_MAPPED), R(UNMAP_MISMATCH), R(UNMAP_FOREIGN), R(UNMAP_SHORT), \
		R(BUS_ADDRESS_UNMAPPED)
#define STATE \
	R(STATE_UNKNOWN), R(STATE_ENDED), R(STATE_FOREIGN), R(LINK_OUTSIDE), R(FREE_WITH_LINKS)
#define RANGE R(LINK_OUTSIDE), R(FREE_WITH_LINKS), R(UNMAP_SHORT)
/* What never ends is in the way of the next use of its memory, or of the memory's end. */
#define LEAK \
	R(MAPPING_LEAKED), R(MAPPINGS_OVERLAP), R(KERNEL_MISUSE), R(CPU_WROTE), R(CPU_LINE_LOST)
#define ACCESS                                                                            \
	R(USE_AFTER_UNMAP), R(IOMMU_FAULT), R(ACCESS_NOT_MAPPED), R(UNSUPPORTED_REQUEST), \
		R(ACCESS_BEYOND), R(ACCESS_FOREIGN), R(P2P_VERDICT)
#define STEPS_BEFORE 24 /* at least, so that there are mappings */
#define STEPS_RANDOM 60
#define STEPS_AFTER  40

const struct misuse_kind misuse_kinds[] = {
#define MISUSE(name, uses, ...)                         \
	{                                               \
#name, uses, misuse_##name, __VA_ARGS__ \
	}
	/* clang-format off */
	MISUSE(unmap_size, USE(ONE) | USE(ALLOC) | USE(LINKS),
	       { UNMAP, R(BOUNCE_OVERRUN), R(LINK_OUTSIDE), R(FREE_WITH_LINKS) }),
	MISUSE(unmap_direction, MAPPED, { UNMAP }),
	MISUSE(unmap_attrs, MAPPED, { UNMAP }),
	MISUSE(unmap_device, MAPPED, { UNMAP, STATE }, { UNMAP, LEAK }),
	MISUSE(unmap_address, USE(ONE) | USE(ALLOC) | USE(LINKS), { UNMAP, STATE },
	       { UNMAP, LEAK }),
	/* Without an IOMMU another list of the same memory may fit, and is over then. */
	MISUSE(unmap_count, USE(LIST), { UNMAP }, { UNMAP, R(USE_AFTER_UNMAP), LEAK }),
	MISUSE(unmap_function, MAPPED, { UNMAP }),
	MISUSE(unmap_twice, MAPPED, { UNMAP, STATE }, { UNMAP }),
	MISUSE(unmap_forgotten, MAPPED, { 0 }, { LEAK }),
	MISUSE(unmap_error, USE(ONE), { UNMAP }),
	MISUSE(unmap_bus, USE(BUS), { UNMAP }),
	MISUSE(unmap_flag_lost, USE(LIST), { R(BUS_FLAG_LOST) }),
	MISUSE(free_pointer, USE(ALLOC), { R(UNMAP_MISMATCH) }),
	MISUSE(sync_size, STREAMED | USE(ALLOC), { R(SYNC_NOT_MAPPED), R(BOUNCE_OVERRUN) }),
	MISUSE(sync_direction, STREAMED | USE(ALLOC), { R(SYNC_MISMATCH) }),
	MISUSE(sync_device, STREAMED | USE(ALLOC), { R(SYNC_NOT_MAPPED), R(BOUNCE_OVERRUN) }),
	MISUSE(sync_address, USE(ONE) | USE(ALLOC), { R(SYNC_NOT_MAPPED), R(BOUNCE_OVERRUN) }),
	MISUSE(sync_count, USE(LIST), { R(SYNC_MISMATCH) }),
	MISUSE(sync_after_unmap, STREAMED | USE(ALLOC), { R(SYNC_NOT_MAPPED) }),
	MISUSE(access_after_unmap, MAPPED, { ACCESS }),
	MISUSE(access_beyond, MAPPED, { ACCESS }),
	MISUSE(access_direction, MAPPED, { R(ACCESS_AGAINST_DIRECTION) }),
	MISUSE(access_device, MAPPED, { ACCESS, R(ACS_VIOLATION) }),
	MISUSE(access_phys, 0, { ACCESS, R(ACS_VIOLATION) }),
	MISUSE(access_error, MAPPED, { ACCESS }),
	MISUSE(cpu_writes, STREAMED, { R(CPU_WROTE) }),
	MISUSE(turn_kept, STREAMED, { R(SYNC_MISSING) }),
	MISUSE(memory_freed, STREAMED | USE(LINKS), { R(KERNEL_MISUSE) }),
	MISUSE(map_no_direction, MAPPED, { R(BAD_DIRECTION) }),
	MISUSE(map_overlap, STREAMED, { R(MAPPINGS_OVERLAP) }),
	MISUSE(map_ram_as_mmio, USE(ONE), { R(RESOURCE_IS_RAM) }),
	MISUSE(map_unasked, USE(ONE), { R(MAPPING_UNCHECKED) }),
	MISUSE(map_peer_wrong_way, USE(BUS), { R(P2P_WRONG_WAY) }),
	MISUSE(peer_released, MAPPED, { R(PEER_RELEASED) }),
	MISUSE(link_outside, USE(LINKS), { R(LINK_OUTSIDE) }),
	MISUSE(link_overlap, USE(LINKS), { R(LINK_OVERLAP) }),
	MISUSE(link_gap, USE(LINKS), { RANGE, R(SYNC_NOT_MAPPED) }),
	MISUSE(link_partial, USE(LINKS), { RANGE, R(LINK_MISALIGNED), R(BAD_ARGUMENT) }),
	MISUSE(link_low_bits, USE(LINKS), { RANGE, R(LINK_MISALIGNED), R(BAD_ARGUMENT) }),
	MISUSE(link_device, USE(LINKS), { STATE, R(LINK_OVERLAP) }),
	MISUSE(link_not_synced, USE(LINKS), { R(ACCESS_BEFORE_SYNC), R(IOMMU_FAULT) }),
	MISUSE(sync_outside, USE(LINKS), { R(LINK_OUTSIDE) }),
	MISUSE(unlink_absent, USE(LINKS), { RANGE, R(UNMAP_NOT_MAPPED) }),
	MISUSE(free_linked, USE(LINKS), { R(FREE_WITH_LINKS) }),
	MISUSE(state_reused, USE(LINKS), { 0 }, { LEAK }),
	MISUSE(state_after_destroy, USE(LINKS), { STATE }),
/* clang-format on */
#undef MISUSE
};

const u32 misuse_kind_count = COUNT_OF(misuse_kinds);

/* ---- What the files of misuses share --------------------------------------------------------- */

void misuse_prepare(struct driver *driver, struct use *use)
{
	use_to_device(driver, use);
	if (use->attrs & DMA_ATTR_SKIP_CPU_SYNC && use->dir != DMA_TO_DEVICE)
		use_sync(driver, use, 0, use->bytes, true);
}

void misuse_gone(struct driver *driver, struct use *use)
{
	struct buffer *memory = use->kind == USE_ALLOC ? use->part[0].buffer : NULL;

	use_forget(driver, use);
	if (memory)
		buffer_drop(driver, memory);
}

u32 misuse_other_device(struct dice *dice, u32 device)
{
	return (u32)((device + dice_from(dice, 1, DRIVER_DEVICES - 1)) % DRIVER_DEVICES);
}

bool misuse_all_linked(const struct use *use)
{
	for (u32 i = 0; i < use->part_count && use->kind == USE_LINKS; i++)
		if (!use->part[i].linked)
			return false;
	return true;
}

bool misuse_any_linked(const struct use *use)
{
	for (u32 i = 0; i < use->part_count && use->kind == USE_LINKS; i++)
		if (use->part[i].linked)
			return true;
	return use->kind != USE_LINKS;
}

bool misuse_is_mapped(const struct driver *driver, u32 device, dma_addr_t dma, u64 bytes)
{
	for (u32 i = 0; i < DRIVER_USES; i++) {
		const struct use *use = &driver->use[i];

		if (use->kind == USE_NONE || use->device != device)
			continue;
		for (u32 k = 0; k < use->segment_count; k++) {
			const struct use_segment *segment = &use->segment[k];
			/* A table's segment has whole pages. */
			u64 last = segment->dma +
				   (use->made ? sg_dma_len(use->made->sgl) : segment->bytes) - 1;

			if (dma <= last && segment->dma < dma + bytes)
				return true;
		}
	}
	return false;
}

/* ---- A run ----------------------------------------------------------------------------------- */

static bool tells(const enum dmasim_report_id *of, enum dmasim_report_id id)
{
	for (u32 i = 0; i < MISUSE_REPORTS && of[i]; i++)
		if (of[i] == id)
			return true;
	return false;
}

/* Does it to one of the uses that there are; false: to none. */
static bool inject(struct driver *driver, const struct misuse_kind *kind, struct dice *dice)
{
	u32 first = (u32)dice_below(dice, DRIVER_USES);

	if (!kind->uses)
		return kind->inject(driver, dice, NULL);
	for (u32 i = 0; i < DRIVER_USES; i++) {
		struct use *use = &driver->use[(first + i) % DRIVER_USES];

		if (use->kind != USE_NONE && kind->uses >> use->kind & 1 &&
		    kind->inject(driver, dice, use))
			return true;
	}
	return false;
}

/* A report since the last look; the first of them. */
static bool reported(struct driver *driver, struct misuse_outcome *outcome)
{
	struct dmasim_report report;

	if (!dmasim_report_get(driver->s, driver->reports, &report))
		return false;
	outcome->report = report.id;
	snprintf(outcome->text, sizeof(outcome->text), "%.*s", (int)sizeof(outcome->text) - 1,
		 report.text);
	return true;
}

/* Goes on until something is told, at the end at last. */
static bool reported_later(struct driver *driver, struct misuse_outcome *outcome)
{
	u32 end = driver->step + STEPS_AFTER;

	for (; driver->step < end; driver->step++) {
		driver_step(driver);
		if (reported(driver, outcome))
			return true;
	}
	driver_finish(driver);
	if (!driver->s)
		return false;
	dmasim_check_clean(driver->s, NULL, 0);
	return reported(driver, outcome);
}

static void do_misuse(struct driver *driver, const struct misuse_kind *kind,
		      struct misuse_outcome *outcome)
{
	if (reported(driver, outcome))
		outcome->result = tells(kind->now, outcome->report) ? MISUSE_AT_CALL : MISUSE_OTHER;
	else if (reported_later(driver, outcome))
		outcome->result = tells(kind->later, outcome->report) ? MISUSE_LATER : MISUSE_OTHER;
	else
		outcome->result = MISUSE_MISSED;
}

static void do_run(struct driver *driver, const struct driver_script *script,
		   const struct misuse_kind *kind, struct misuse_outcome *outcome)
{
	struct dice dice = dice_of(script->seed, ~3ULL);
	u32 from = STEPS_BEFORE + (u32)dice_below(&dice, STEPS_RANDOM);

	for (; driver->step < script->steps; driver->step++) {
		outcome->step = driver->step;
		outcome->call = driver->calls;
		if (driver->step >= from && inject(driver, kind, &dice)) {
			do_misuse(driver, kind, outcome);
			return;
		}
		if (!(script->skip && script->skip[driver->step]) && !driver_step(driver)) {
			outcome->result = MISUSE_BROKEN;
			snprintf(outcome->text, sizeof(outcome->text), "%s", driver->wrong);
			return;
		}
	}
}

void misuse_run(const struct driver_script *script, const struct misuse_kind *kind,
		struct misuse_outcome *outcome)
{
	struct driver *driver = calloc(1, sizeof(*driver));

	*outcome = (struct misuse_outcome){ .result = MISUSE_BROKEN };
	if (!driver) {
		snprintf(outcome->text, sizeof(outcome->text), "no memory");
		return;
	}
	driver->mode = script->mode;
	driver->seed = script->seed;
	driver->log = script->log;
	if (driver_begin(driver)) {
		outcome->result = MISUSE_NONE;
		do_run(driver, script, kind, outcome);
	}
	driver_destroy(driver);
	free(driver);
}
