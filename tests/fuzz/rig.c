/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <endian.h>
#include <string.h>

#include <dmasim/hw/amd.h>
#include <dmasim/hw/riscv_iommu.h>
#include <dmasim/hw/smmuv3.h>
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
	static const struct hw_arch *const arch[] = {
		[RIG_VTD] = &hw_vtd,
		[RIG_AMD] = &hw_amd,
		[RIG_SMMUV3] = &hw_smmuv3,
		[RIG_RISCV] = &hw_riscv,
	};
	const struct rig_unit *unit = &rig->unit;

	return (struct hw_iommu_desc){
		.arch = arch[unit->architecture],
		.levels = unit->levels,
		.address_bits = unit->address_bits,
		.max_address_mask = unit->max_address_mask,
		.huge_1g = unit->huge_1g,
		.snoop_control = unit->snoop_control,
		.coherent = unit->coherent,
		.device_tlb = unit->device_tlb,
		.pf_requester = unit->pf_requester,
		.caching_mode = unit->caching_mode,
		.command_ranges = unit->command_ranges,
		.napot = unit->napot,
		.page_types = unit->page_types,
		.forgets_tables = unit->forgets_tables,
		.forgets_windows = unit->forgets_windows,
		.iotlb_entries = unit->iotlb_entries,
		.iotlb_ways = unit->iotlb_ways,
		.context_entries = unit->context_entries,
		.walk_entries = unit->walk_entries,
	};
}

static void take_reserved(struct hw_walker *walker, const struct rig_unit *unit)
{
	if (unit->architecture == RIG_VTD)
		walker->device_tlb = true;
	if (unit->architecture == RIG_SMMUV3)
		walker->address_bits = 48;
	if (unit->architecture == RIG_RISCV)
		walker->napot = walker->page_types = true;
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
	if (canary == RIG_TAKES_RESERVED)
		take_reserved(&rig->iommu->walker, unit);
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
		[RIG_FOREIGN] = HW_CONTEXT_FIRST_STAGE,
	};

	if (context.type == RIG_NO_PLACE)
		return true;
	return !hw_context_set(rig->iommu, requester,
			       (struct hw_context){
				       .type = types[context.type],
				       .levels = context.levels,
				       .domain = context.domain,
				       .root = context.root,
				       .device_tlb = context.device_tlb,
				       .marks = context.marks ? HW_MARK_ACCESSED : 0,
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

static struct rig_answer ask(struct rig *rig, const struct rig_request *request, bool probe)
{
	const struct hw_ask with = {
		.requester = request->requester,
		.write = request->write,
		.iova = request->iova,
		.prefix = { .present = request->process, .pasid = 1 },
	};
	struct hw_translation translation = hw_translate_ask(rig->iommu, &with, probe);

	return answer_of(&translation);
}

struct rig_answer rig_translate(struct rig *rig, const struct rig_request *request)
{
	return ask(rig, request, false);
}

struct rig_answer rig_probe(struct rig *rig, const struct rig_request *request)
{
	return ask(rig, request, true);
}

static bool is_natural(u8 page_lg2)
{
	return (page_lg2 - AMD_V1_GRANULE_LG2) % AMD_V1_INDEX_BITS == 0;
}

/* As the unit does it, from the top. */
static struct hw_walk walk_by(const struct hw_iommu *iommu, const struct rig_context *context,
			      u64 iova, bool write)
{
	const struct hw_walk_start top = { context->root, context->levels, true, true };
	struct hw_walk walk = { .no_steps = false };

	if (!iommu->arch->reaches(context->levels, iova))
		return iommu->arch->beyond(iova, write);
	iommu->arch->walk(&iommu->walker, &top, iova, write, &walk);
	return walk;
}

struct hw_walk rig_walk(struct rig *rig, const struct rig_context *context, u64 iova, bool write)
{
	const struct hw_walker *walker = &rig->iommu->walker;
	struct hw_walk walk;

	if (rig->unit.architecture == RIG_VTD)
		return hw_walk_vtd_ss(walker, context->root, context->levels, iova, write);
	if (rig->unit.architecture == RIG_AMD)
		walk = hw_walk_amd_v1(walker, context->root, context->levels, iova, write);
	else
		walk = walk_by(rig->iommu, context, iova, write);
	if (rig->canary == RIG_SHORT_PAGES && !walk.fault && !is_natural(walk.page_lg2))
		walk.page_lg2--;
	return walk;
}

void rig_walk_range(struct rig *rig, const struct rig_context *context, u64 start, u64 last,
		    hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	hw_walk_range(rig->iommu, context->root, context->levels, start, last, leaf, table, cookie);
}

/* ---- The queue ------------------------------------------------------------------------------- */

/* A well-formed command, which is for this cache. */
static bool is_for(const struct rig *rig, const u8 *command, enum hw_invalidated what)
{
	struct hw_command decoded = { .kind = HW_COMMAND_INVALIDATE };
	u64 word[2];

	memcpy(word, command, sizeof(word));
	word[0] = le64toh(word[0]);
	word[1] = le64toh(word[1]);
	return rig->iommu->arch->decode(rig->iommu, word, &decoded) &&
	       decoded.kind == HW_COMMAND_INVALIDATE && decoded.invalidation.what == what;
}

static u64 load_word(const u8 *at)
{
	u64 raw;

	memcpy(&raw, at, sizeof(raw));
	return le64toh(raw);
}

static void store_word(u8 *at, u64 word)
{
	word = htole64(word);
	memcpy(at, &word, sizeof(word));
}

/* A page command says that no table changed. */
static void keep_tables(const struct rig *rig, u8 *command)
{
	u64 low = load_word(command);

	switch (rig->unit.architecture) {
	case RIG_AMD:
		command[8] &= (u8)~AMD_PAGES_PDE;
		break;
	case RIG_SMMUV3:
		if (command[0] == SMMUV3_CMD_TLBI_NH_VA)
			command[8] |= SMMUV3_TLBI_LEAF;
		break;
	case RIG_RISCV:
		store_word(command, low & ~RISCV_IOTINVAL_NL);
		break;
	default:
		if ((command[0] & 0x30) == 0x30)
			command[8] |= VTD_IOTLB_IH;
		break;
	}
}

/* It has the first page of its window alone, or half of it. */
static void shorten(const struct rig *rig, u8 *command)
{
	u64 low = load_word(command), high = load_word(command + 8);

	switch (rig->unit.architecture) {
	case RIG_AMD:
		command[8] &= (u8)~AMD_PAGES_S;
		break;
	case RIG_SMMUV3:
		if (command[0] != SMMUV3_CMD_TLBI_NH_VA)
			break;
		low &= ~(SMMUV3_TLBI_NUM_MASK << SMMUV3_TLBI_NUM_SHIFT |
			 SMMUV3_TLBI_SCALE_MASK << SMMUV3_TLBI_SCALE_SHIFT);
		store_word(command, low);
		store_word(command + 8, high & ~0xf00ULL);
		break;
	case RIG_RISCV:
		if (low & RISCV_IOTINVAL_AV)
			store_word(command + 8, high & ~RISCV_IOTINVAL_S);
		break;
	default:
		if ((command[0] & 0x30) == 0x30 && high & VTD_IOTLB_AM_MASK)
			command[8]--;
		break;
	}
}

/* It is for another requester, whom nobody has. */
static void turn_away(const struct rig *rig, u8 *command)
{
	u64 low = load_word(command);

	switch (rig->unit.architecture) {
	case RIG_AMD:
		command[1] ^= 0x80;
		break;
	case RIG_SMMUV3:
		if (command[0] == SMMUV3_CMD_CFGI_STE)
			command[5] ^= 0x80;
		break;
	case RIG_RISCV:
		if (low & RISCV_IODIR_DV)
			command[6] ^= 0x80;
		break;
	default:
		if ((command[0] & 0x30) == 0x30)
			command[5] ^= 0x80;
		break;
	}
}

static void spoil(const struct rig *rig, u8 *command)
{
	bool pages = is_for(rig, command, HW_INVALIDATED_IOTLB);

	if (rig->canary == RIG_KEEPS_TABLES && pages)
		keep_tables(rig, command);
	if (rig->canary == RIG_SHORT_WINDOWS && pages)
		shorten(rig, command);
	if (rig->canary == RIG_LATE_CONTEXTS && is_for(rig, command, HW_INVALIDATED_CONTEXT))
		turn_away(rig, command);
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
	bool any = false;

	while (hw_fault_take(rig->iommu, &record))
		any = true;
	if (rig->unit.architecture != RIG_AMD)
		return any ? 0xff : 0;
	return record.word[0] >> AMD_EVENT_CODE_SHIFT & AMD_EVENT_CODE_MASK;
}

void rig_resume(struct rig *rig)
{
	hw_queue_resume(rig->iommu);
}

void rig_forget_all(struct rig *rig)
{
	static const u8 command[][2 * COMMAND_BYTES] = {
		[RIG_VTD] = { [0] = 0x11, [COMMAND_BYTES] = 0x12 },
		[RIG_AMD] = { [7] = AMD_CMD_INVALIDATE_IOMMU_ALL << 4,
			      [COMMAND_BYTES + 7] = AMD_CMD_INVALIDATE_IOMMU_ALL << 4 },
		[RIG_SMMUV3] = { [0] = SMMUV3_CMD_CFGI_STE_RANGE,
				 [8] = SMMUV3_CFGI_RANGE_ALL,
				 [COMMAND_BYTES] = SMMUV3_CMD_TLBI_NSNH_ALL },
		[RIG_RISCV] = { [0] = RISCV_CMD_IODIR, [COMMAND_BYTES] = RISCV_CMD_IOTINVAL },
	};

	hw_queue_execute(rig->iommu, command[rig->unit.architecture], 2 * COMMAND_BYTES);
}
