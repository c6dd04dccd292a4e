/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <endian.h>
#include <string.h>

#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>

#define COMMAND_BYTES 16
#define RIG_BYTES     ((u64)RIG_TABLES << RIG_TABLE_LG2)

static void heard_invalidation(void *cookie, struct hw_iommu *iommu,
			       const struct hw_invalidation *invalidation)
{
	struct rig *rig = cookie;

	(void)iommu;
	if (rig->executed)
		rig->executed(rig->cookie, invalidation->number);
}

static void heard_wait(void *cookie, struct hw_iommu *iommu, u64 number)
{
	struct rig *rig = cookie;

	(void)iommu;
	if (rig->executed)
		rig->executed(rig->cookie, number);
}

static void heard_error(void *cookie, struct hw_iommu *iommu, const u64 command[2])
{
	struct rig *rig = cookie;

	(void)iommu;
	if (rig->rejected)
		rig->rejected(rig->cookie, command);
}

static struct hw_iommu_desc describe(const struct rig *rig)
{
	const struct rig_unit *unit = &rig->unit;

	return (struct hw_iommu_desc){
		.arch = unit->architecture == RIG_AMD ? &hw_amd : &hw_vtd,
		.levels = unit->levels,
		.address_bits = unit->address_bits,
		.max_address_mask = unit->max_address_mask,
		.huge_1g = unit->huge_1g,
		.snoop_control = unit->snoop_control,
		.coherent = unit->coherent,
		.device_tlb = unit->device_tlb,
		.pf_requester = unit->pf_requester,
		.caching_mode = unit->caching_mode,
		.iotlb_entries = unit->iotlb_entries,
		.iotlb_ways = unit->iotlb_ways,
		.context_entries = unit->context_entries,
		.walk_entries = unit->walk_entries,
	};
}

bool rig_init(struct rig *rig, const struct rig_unit *unit, enum rig_canary canary)
{
	struct hw_iommu_desc desc;

	*rig = (struct rig){ .unit = *unit, .canary = canary };
	world_init(&rig->world, &(struct world_config){ .seed = unit->seed,
							.random_choices = unit->random_choices });
	hw_init(&rig->hw, &rig->world);
	/* Chunks no larger than what there is: making one zeroes it. */
	rig->hw.ram.chunk_bytes = RIG_BYTES;
	rig->hw.cache.memory.chunk_bytes = RIG_BYTES;
	rig->hw.cache.met.chunk_bytes = RIG_BYTES;
	ram_add_range(&rig->hw.ram, RIG_BASE, RIG_BYTES);
	rig->hw.hooks = (struct hw_hooks){
		.cookie = rig,
		.invalidated = heard_invalidation,
		.waited = heard_wait,
		.queue_error = heard_error,
	};
	desc = describe(rig);
	rig->iommu = hw_iommu_add(&rig->hw, &desc);
	if (!rig->iommu)
		return false;
	if (canary == RIG_TAKES_RESERVED && unit->architecture == RIG_VTD)
		rig->iommu->walker.device_tlb = true;
	return true;
}

void rig_fini(struct rig *rig)
{
	hw_fini(&rig->hw);
	world_fini(&rig->world);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

void rig_store(struct rig *rig, u64 at, u64 word)
{
	u64 raw = htole64(word);

	ram_write(&rig->hw.ram, at, &raw, sizeof(raw));
}

u64 rig_load(struct rig *rig, u64 at)
{
	u64 raw = 0;

	ram_read(&rig->hw.ram, at, &raw, sizeof(raw));
	return le64toh(raw);
}

void rig_clean(struct rig *rig, u64 at)
{
	hw_cache_clean(&rig->hw, at, 1);
}

u64 rig_seen(struct rig *rig, u64 at)
{
	u64 raw = 0;

	if (rig->unit.coherent)
		return rig_load(rig, at);
	hw_cache_peek(&rig->hw.cache, &rig->hw.ram, at, &raw, sizeof(raw));
	return le64toh(raw);
}

/* ---- Requests -------------------------------------------------------------------------------- */

bool rig_set_context(struct rig *rig, u16 requester, struct rig_context context)
{
	static const u8 types[] = {
		[RIG_ABSENT] = HW_CONTEXT_ABSENT,
		[RIG_TRANSLATE] = HW_CONTEXT_TRANSLATE,
		[RIG_PASS_THROUGH] = HW_CONTEXT_PASS_THROUGH,
	};

	return !hw_context_set(rig->iommu, requester,
			       (struct hw_context){
				       .type = types[context.type],
				       .levels = context.levels,
				       .domain = context.domain,
				       .root = context.root,
			       });
}

static struct rig_answer answer_of(const struct hw_translation *translation)
{
	return (struct rig_answer){
		.pass_through = translation->pass_through,
		.fault = translation->fault,
		.flags = translation->fault_flags,
		.page_lg2 = translation->page_lg2,
		.phys = translation->phys,
	};
}

struct rig_answer rig_translate(struct rig *rig, u16 requester, u64 iova, bool write)
{
	struct hw_translation translation = hw_translate(rig->iommu, requester, iova, write);

	return answer_of(&translation);
}

struct rig_answer rig_probe(struct rig *rig, u16 requester, u64 iova, bool write)
{
	struct hw_translation translation = hw_translate_probe(rig->iommu, requester, iova, write);

	return answer_of(&translation);
}

static bool is_natural(u8 page_lg2)
{
	return (page_lg2 - AMD_V1_GRANULE_LG2) % AMD_V1_INDEX_BITS == 0;
}

struct hw_walk rig_walk(struct rig *rig, const struct rig_context *context, u64 iova, bool write)
{
	const struct hw_walker *walker = &rig->iommu->walker;
	struct hw_walk walk;

	if (rig->unit.architecture == RIG_VTD)
		return hw_walk_vtd_ss(walker, context->root, context->levels, iova, write);
	walk = hw_walk_amd_v1(walker, context->root, context->levels, iova, write);
	if (rig->canary == RIG_SHORT_PAGES && !walk.fault && !is_natural(walk.page_lg2))
		walk.page_lg2--;
	return walk;
}

void rig_walk_range(struct rig *rig, const struct rig_context *context, u64 start, u64 last,
		    hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	const struct hw_walker *walker = &rig->iommu->walker;

	if (rig->unit.architecture == RIG_VTD)
		hw_walk_vtd_ss_range(walker, context->root, context->levels, start, last, leaf,
				     table, cookie);
	else
		hw_walk_amd_v1_range(walker, context->root, context->levels, start, last, leaf,
				     table, cookie);
}

/* ---- The queue ------------------------------------------------------------------------------- */

/* A well-formed page command of VT-d. */
static bool is_vtd_pages(const struct rig *rig, const u8 *command)
{
	u8 reserved = command[1] | command[4] | command[5] | command[6] | command[7] |
		      (command[8] & 0x80) | (command[9] & 0x0f);

	return (command[0] & 0x3f) == 0x32 && !reserved &&
	       (command[8] & VTD_IOTLB_AM_MASK) <= rig->unit.max_address_mask;
}

static bool is_amd_pages(const u8 *command)
{
	u8 reserved = (command[2] & 0xf0) | command[3] | command[6] | (command[8] & 0xfc) |
		      (command[9] & 0x0f);

	return command[7] == AMD_CMD_INVALIDATE_IOMMU_PAGES << 4 && !reserved;
}

/* A well-formed page command says that no table changed. */
static void spoil(const struct rig *rig, u8 *command)
{
	if (rig->canary != RIG_KEEPS_TABLES)
		return;
	if (rig->unit.architecture == RIG_VTD && is_vtd_pages(rig, command))
		command[8] |= VTD_IOTLB_IH;
	if (rig->unit.architecture == RIG_AMD && is_amd_pages(command))
		command[8] &= (u8)~AMD_PAGES_PDE;
}

/* One after the other; an error is forgotten at once. */
static bool run_on(struct rig *rig, const u8 *commands, u32 count)
{
	bool good = true;

	for (u32 i = 0; i < count; i++) {
		if (!hw_queue_execute(rig->iommu, commands + (size_t)i * COMMAND_BYTES,
				      COMMAND_BYTES))
			continue;
		good = false;
		if (i + 1 < count)
			hw_queue_resume(rig->iommu);
	}
	return good;
}

bool rig_submit(struct rig *rig, const u8 *commands, u32 count, bool now)
{
	u8 copy[RIG_COMMANDS_MAX * COMMAND_BYTES];
	size_t bytes = (size_t)count * COMMAND_BYTES;

	memcpy(copy, commands, bytes);
	for (u32 i = 0; i < count; i++)
		spoil(rig, copy + (size_t)i * COMMAND_BYTES);
	if (rig->canary == RIG_RUNS_ON && !rig_stopped(rig))
		return run_on(rig, copy, count);
	if (now)
		return !hw_queue_execute(rig->iommu, copy, bytes);
	/* What is handed over tells of malformed commands, not of a stop for another reason. */
	return !hw_queue_submit(rig->iommu, copy, bytes) && !rig_stopped(rig);
}

void rig_run(struct rig *rig)
{
	hw_queue_run(rig->iommu);
}

void rig_wait(struct rig *rig)
{
	hw_queue_wait(rig->iommu);
}

bool rig_stopped(const struct rig *rig)
{
	return rig->iommu->queue.error;
}

u64 rig_taken(const struct rig *rig)
{
	return rig->iommu->queue.submitted;
}

bool rig_has_error(const struct rig *rig)
{
	return rig->iommu->fault_status & HW_STATUS_QUEUE;
}

u8 rig_take_events(struct rig *rig)
{
	struct hw_fault_record record = { .word = { 0 } };

	while (hw_fault_take(rig->iommu, &record))
		;
	return record.word[0] >> AMD_EVENT_CODE_SHIFT & AMD_EVENT_CODE_MASK;
}

void rig_resume(struct rig *rig)
{
	hw_queue_resume(rig->iommu);
}

void rig_forget_all(struct rig *rig)
{
	static const u8 vtd[2 * COMMAND_BYTES] = { [0] = 0x11, [COMMAND_BYTES] = 0x12 };
	static const u8 amd[COMMAND_BYTES] = { [7] = AMD_CMD_INVALIDATE_IOMMU_ALL << 4 };

	if (rig->unit.architecture == RIG_AMD)
		hw_queue_execute(rig->iommu, amd, sizeof(amd));
	else
		hw_queue_execute(rig->iommu, vtd, sizeof(vtd));
}
