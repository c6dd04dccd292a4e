/* SPDX-License-Identifier: MIT */
#include "property/caching.h"

#include <endian.h>
#include <stdarg.h>
#include <string.h>

#include <dmasim/hw/vtd.h>

#define FIRST_STRETCH 254ULL	     /* of 1 GiB */
#define STATUS_PHYS   (256ULL << 20) /* where waits write */

/* ---- Words ----------------------------------------------------------------------------------- */

bool caching_wrong(struct caching_run *run, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(run->failure, sizeof(run->failure), format, arguments);
	va_end(arguments);
	return false;
}

void caching_note(struct caching_run *run, const char *format, ...)
{
	va_list arguments;

	if (!run->log)
		return;
	fprintf(run->log, "#   step %u: ", run->step);
	va_start(arguments, format);
	vfprintf(run->log, format, arguments);
	va_end(arguments);
	fputc('\n', run->log);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

u64 caching_block(u32 block)
{
	return (FIRST_STRETCH + block / 2) * SZ_1G + plain_index(1, block % 2) * (u64)SZ_2M;
}

u64 caching_slot(u32 block, u32 slot)
{
	return caching_block(block) + plain_index(0, slot) * (u64)SZ_4K;
}

struct range caching_block_range(u32 block)
{
	return (struct range){ caching_block(block), caching_block(block) + SZ_2M - 1 };
}

struct range caching_slot_range(u32 block, u32 slot)
{
	u64 start = caching_slot(block, slot);

	return (struct range){ start, start + plain_entries(0, slot) * (u64)SZ_4K - 1 };
}

u16 caching_requester(const struct caching_run *run, u32 which)
{
	return (u16)hw_function_sbdf(run->function[which]);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

bool caching_table_new(struct caching_run *run, u8 level, phys_addr_t *phys)
{
	*phys = run->s->platform.ops->frames_alloc(run->s, DMASIM_FAULT_TABLE_PAGE, 1, ~0ULL);
	if (*phys == PLATFORM_NO_PHYS)
		return caching_wrong(run, "no frame");
	plain_table_add(&run->model, *phys, level);
	return true;
}

u64 caching_entry(struct caching_run *run, phys_addr_t table, u32 slot)
{
	return plain_table(&run->model, table)->entry[slot];
}

void caching_write(struct caching_run *run, phys_addr_t table, u32 slot, u64 entry)
{
	u64 *at = platform_ptr(&run->s->platform, table);
	u8 level = plain_table(&run->model, table)->level;

	at += plain_index(level, slot);
	if (plain_has_few_rights(run->model.arch))
		entry = caching_without_rights(level, entry);
	for (u32 i = 0; i < plain_entries(level, slot); i++) {
		u64 word = entry ? entry + i * (u64)SZ_4K : 0;

		at[i] = htole64(caching_encode_entry(run->model.arch, level, word));
	}
	plain_write(&run->model, table, slot, entry);
}

phys_addr_t caching_table_of(struct caching_run *run, u32 domain, u32 block, u8 level)
{
	const u32 slot[PLAIN_LEVELS] = { 0, block % 2, block / 2 };
	phys_addr_t table = run->model.domain[domain].root;

	for (u8 at = PLAIN_LEVELS - 1; at > level && table; at--) {
		u64 entry = caching_entry(run, table, slot[at]);

		table = entry & VTD_SS_SUPERPAGE ? 0 : entry & VTD_SS_ADDR_MASK;
	}
	return table;
}

bool caching_slot_is_mapped(struct caching_run *run, u32 domain, u32 block, u32 slot)
{
	phys_addr_t upper = caching_table_of(run, domain, block, 1);
	phys_addr_t table = caching_table_of(run, domain, block, 0);

	if (table)
		return caching_entry(run, table, slot);
	return upper && caching_entry(run, upper, block % 2);
}

bool caching_block_is_mapped(struct caching_run *run, u32 domain, u32 block)
{
	for (u32 slot = 0; slot < PLAIN_SLOTS; slot++)
		if (caching_slot_is_mapped(run, domain, block, slot))
			return true;
	return false;
}

void caching_set_context(struct caching_run *run, u32 which, enum plain_context_type type,
			 u32 domain)
{
	static const enum platform_context_type types[] = {
		[PLAIN_ABSENT_CONTEXT] = PLATFORM_CONTEXT_ABSENT,
		[PLAIN_TRANSLATE] = PLATFORM_CONTEXT_TRANSLATE,
		[PLAIN_PASS] = PLATFORM_CONTEXT_PASS_THROUGH,
	};
	struct plain_context context = run->model.context[which];
	struct platform_context set = { .type = types[type] };

	context.type = type;
	context.domain = type == PLAIN_ABSENT_CONTEXT ? 0 : (u16)domain;
	context.root = type == PLAIN_TRANSLATE ? run->model.domain[domain].root : 0;
	set.domain = context.domain;
	set.root = context.root;
	set.levels = type == PLAIN_TRANSLATE ? PLAIN_LEVELS : 0;
	if (type == PLAIN_TRANSLATE && run->top[domain]) {
		set.first_stage = true;
		set.root = run->top[domain];
		set.levels++;
	}
	run->s->platform.ops->context_set(run->s, context.unit, context.requester, &set);
	plain_context_set(&run->model, which, &context);
}

/* ---- Commands -------------------------------------------------------------------------------- */

#define BATCH_MAX 4

/* Commands of scalable mode are twice as wide, and empty behind. False: one was refused. */
static bool hand_over(struct caching_run *run, u32 unit, u64 (*word)[2], u32 count)
{
	u64 wide[BATCH_MAX][4] = { { 0 } };
	const void *commands = word;
	size_t bytes = count * sizeof(word[0]);

	if (run->model.arch == PLAIN_VTD_FIRST) {
		for (u32 i = 0; i < count; i++)
			memcpy(wide[i], word[i], sizeof(word[i]));
		commands = wide;
		bytes = count * sizeof(wide[0]);
	}
	return !run->s->platform.ops->queue_submit(run->s, unit, commands, bytes);
}

/* AMD has one command for everything: contexts, and then what they translated. */
static void tell_model(struct caching_run *run, const struct plain_command *command)
{
	struct plain_command part = *command;

	if (run->model.arch == PLAIN_AMD && caching_is_everything(command)) {
		part.window = (struct range){ 0, ~0ULL };
		part.ignored = 0xffff;
		part.leaf_only = false;
		part.contexts = true;
		plain_submit(&run->model, &part);
		part.contexts = false;
	}
	plain_submit(&run->model, &part);
}

bool caching_submit(struct caching_run *run, const struct plain_command *command, u32 count)
{
	struct plain_command batch[BATCH_MAX];
	u64 word[BATCH_MAX][2] = { { 0 } };

	for (u32 i = 0; i < count; i++) {
		char text[128];

		batch[i] = command[i];
		if (run->model.arch == PLAIN_VTD_FIRST)
			batch[i] = caching_as_first_stage(&command[i]);
		else if (run->model.arch != PLAIN_VTD)
			batch[i] = caching_as_amd(&command[i], caching_requester(run, 0));
		caching_command_text(&batch[i], text, sizeof(text));
		caching_note(run, "submit %s", text);
		caching_encode(run->model.arch, &batch[i], word[i]);
	}
	if (!hand_over(run, command->unit, word, count))
		return caching_wrong(run, "a command was refused");
	for (u32 i = 0; i < count; i++)
		tell_model(run, &batch[i]);
	return true;
}

bool caching_wait(struct caching_run *run, u32 unit)
{
	u64 word[1][2];

	caching_note(run, "wait for unit %u", unit);
	caching_encode_wait(run->model.arch, STATUS_PHYS, run->step, word[0]);
	if (!hand_over(run, unit, word, 1))
		return caching_wrong(run, "a wait was refused");
	if (run->s->platform.ops->queue_wait(run->s, unit))
		return caching_wrong(run, "a wait did not end");
	plain_wait(&run->model, unit);
	return true;
}

bool caching_submit_context(struct caching_run *run, const struct plain_command batch[2])
{
	u32 first = plain_overtakes(run->model.arch);

	if (first && (!caching_submit(run, batch, 1) || !caching_wait(run, batch->unit)))
		return false;
	return caching_submit(run, batch + first, 2 - first) && caching_wait(run, batch->unit);
}

bool caching_submit_malformed(struct caching_run *run, u32 unit)
{
	struct plain_command all = { .unit = unit, .all_domains = true, .window.last = ~0ULL };
	u64 word[2][2] = { { htole64(0xf), 0 } };

	caching_note(run, "submit to unit %u what is no command, and all domains behind it", unit);
	caching_encode(run->model.arch, &all, word[1]);
	if (hand_over(run, unit, word, 2))
		return caching_wrong(run, "what is no command was not refused");
	run->s->platform.ops->queue_clear_error(run->s, unit);
	return true;
}

bool caching_empty(struct caching_run *run)
{
	for (u32 unit = 0; unit < run->units; unit++) {
		const struct plain_command all[] = {
			{ .unit = unit, .contexts = true, .all_domains = true, .ignored = 0xffff },
			{ .unit = unit, .all_domains = true, .window.last = ~0ULL },
		};

		if (!caching_submit_context(run, all))
			return false;
	}
	memset(run->change, 0, sizeof(run->change));
	run->context_change = 0;
	return true;
}

/* ---- Devices --------------------------------------------------------------------------------- */

/* What memory itself says, against what was found through the caches. */
static bool check_answer(struct caching_run *run, u32 which, u64 iova, bool write, bool reached,
			 phys_addr_t phys)
{
	u16 requester = caching_requester(run, which);
	phys_addr_t now;
	bool reaches = plain_translate(&run->model, which, iova, write, &now);

	run->counts->accesses++;
	if (reaches == reached && (!reached || now == phys))
		return true;
	run->counts->shown++;
	if (reached && !plain_may_reach(&run->model, requester, iova, write, phys))
		return caching_wrong(run,
				     "hardware: device %u reaches 0x%llx at 0x%llx, which cannot "
				     "be cached",
				     which, phys, iova);
	if (!reached && !plain_may_fault(&run->model, requester, iova, write))
		return caching_wrong(run, "hardware: device %u is refused 0x%llx for no reason",
				     which, iova);
	return true;
}

bool caching_access(struct caching_run *run, u32 which, u64 iova, bool write)
{
	struct hw_transfer transfer;
	u64 word = 0;

	caching_note(run, "device %u %s 0x%llx", which, write ? "writes" : "reads", iova);
	if (!write) {
		transfer = hw_engine_read(run->function[which], iova, &word, sizeof(word));
		return check_answer(run, which, iova, false, transfer.done == sizeof(word),
				    le64toh(word));
	}
	/* It writes behind the page's own address. */
	word = ++run->writes * 0x9e3779b97f4a7c15ULL;
	transfer = hw_engine_write(run->function[which], iova + 8, &word, sizeof(word));
	for (u32 i = 0; i < CACHING_STRETCHES * PLAIN_PAGES; i++) {
		phys_addr_t phys = CACHING_DATA + i / PLAIN_PAGES * (u64)SZ_2M +
				   plain_index(0, i % PLAIN_PAGES) * (u64)SZ_4K;
		u64 found = 0;

		dmasim_read(run->s, phys + 8, &found, sizeof(found));
		if (found == word && transfer.done)
			return check_answer(run, which, iova, true, true, phys);
	}
	return check_answer(run, which, iova, true, transfer.done == sizeof(word), 0);
}

bool caching_prefetch(struct caching_run *run, u32 which, u64 iova, bool write)
{
	struct hw_iommu *iommu = hw_iommu_find(&run->s->hw, run->model.context[which].unit);
	struct hw_translation translation;

	caching_note(run, "unit %u fetches 0x%llx for device %u", iommu->unit, iova, which);
	translation = hw_translate(iommu, caching_requester(run, which), iova, write);
	return check_answer(run, which, iova, write, !translation.fault, translation.phys);
}

/* ---- Making one ------------------------------------------------------------------------------ */

static struct dmasim_config random_config(struct dice *dice, u64 seed)
{
	bool amd = dice_chance(dice, 40);

	return (struct dmasim_config){
		DMASIM_CONFIG,
		.iommu = amd ? DMASIM_AMD_VI : DMASIM_VTD,
		.iommu_levels = (u8)(dice_from(dice, 3, 5) + (amd ? 1 : 0)),
		.iotlb_entries = (u32)dice_from(dice, 1, 16),
		.iotlb_ways = (u32)dice_from(dice, 1, 4),
		.iommu_caching_mode = dice_chance(dice, 25),
		.walk_entries = (u32)dice_below(dice, 5),
		.context_entries = (u32)dice_below(dice, 3),
		.random_choices = dice_chance(dice, 70),
		.swiotlb = DMASIM_SWIOTLB_OFF,
		.seed = seed,
	};
}

static bool add_devices(struct caching_run *run)
{
	static const char *const path[2][PLAIN_REQUESTERS] = { { "00:01.0", "00:02.0" },
							       { "00:01.0", "40:01.0" } };

	for (u32 i = 0; i < PLAIN_REQUESTERS; i++) {
		struct pci_dev *pdev = dmasim_add_endpoint(run->s, path[run->units - 1][i],
							   &(struct dmasim_endpoint){ 0 });
		struct pci_dev *clerk = dmasim_add_endpoint(run->s, i ? "00:04.0" : "00:03.0",
							    &(struct dmasim_endpoint){ 0 });

		if (!pdev || !clerk)
			return caching_wrong(run, "no device");
		run->function[i] = machine_function(pdev);
		run->clerk[i + 1] = hw_function_sbdf(machine_function(clerk));
		run->model.context[i].requester = caching_requester(run, i);
		run->model.context[i].unit = run->units > 1 ? i : 0;
	}
	return true;
}

/* Each page of data that a device may reach begins with its own address. */
static bool add_data(struct caching_run *run)
{
	for (u32 stretch = 0; stretch < CACHING_STRETCHES; stretch++) {
		for (u32 slot = 0; slot < PLAIN_PAGES; slot++) {
			phys_addr_t phys = CACHING_DATA + stretch * (u64)SZ_2M +
					   plain_index(0, slot) * (u64)SZ_4K;
			u64 word = htole64(phys);

			if (dmasim_write(run->s, phys, &word, sizeof(word)) != sizeof(word))
				return caching_wrong(run, "no memory");
		}
	}
	return true;
}

static enum plain_arch arch_of(const struct dmasim_config *config)
{
	if (config->iommu == DMASIM_RISCV)
		return PLAIN_RISCV;
	if (config->iommu == DMASIM_SMMUV3)
		return PLAIN_SMMUV3;
	if (config->iommu_first_stage)
		return PLAIN_VTD_FIRST;
	return config->iommu == DMASIM_AMD_VI ? PLAIN_AMD : PLAIN_VTD;
}

static void have_first_stage(struct dmasim_config *config)
{
	config->iommu = DMASIM_VTD;
	config->iommu_scalable = config->iommu_first_stage = true;
	config->pasid_entries = config->context_entries;
	if (config->iommu_levels != 5)
		config->iommu_levels = 4;
}

/*
 * Some have a RISC-V IOMMU or an SMMUv3, which remember nothing that is absent; of those that stay
 * with VT-d some have its first stage.
 */
static void maybe_another(struct dmasim_config *config)
{
	struct dice dice = dice_of(config->seed, ~8ULL);

	if (config->iommu != DMASIM_VTD)
		return;
	if (!dice_chance(&dice, 64)) {
		if (dice_chance(&dice, 40))
			have_first_stage(config);
		return;
	}
	config->iommu = dice_chance(&dice, 60) ? DMASIM_RISCV : DMASIM_SMMUV3;
	if (config->iommu == DMASIM_SMMUV3)
		config->iommu_levels = (u8)dice_from(&dice, 3, 4);
	config->iommu_caching_mode = false;
}

/* A domain's own tables have three levels: above them stands one that never changes. */
static bool add_top(struct caching_run *run, u32 domain)
{
	phys_addr_t top =
		run->s->platform.ops->frames_alloc(run->s, DMASIM_FAULT_TABLE_PAGE, 1, ~0ULL);
	u64 *at;

	if (top == PLATFORM_NO_PHYS)
		return caching_wrong(run, "no frame");
	at = platform_ptr(&run->s->platform, top);
	*at = htole64(
		caching_encode_entry(run->model.arch, PLAIN_LEVELS,
				     run->model.domain[domain].root | VTD_SS_READ | VTD_SS_WRITE));
	run->top[domain] = top;
	return true;
}

bool caching_make(struct caching_run *run, enum plain_flaw flaw, bool first_stage)
{
	struct dice dice = dice_of(run->seed, ~0ULL);
	struct dmasim_config config = random_config(&dice, run->seed);

	maybe_another(&config);
	if (first_stage)
		have_first_stage(&config);
	run->units = dice_chance(&dice, 40) ? 2 : 1;
	run->s = dmasim_create(&config);
	if (!run->s)
		return caching_wrong(run, "no machine");
	run->model.flaw = flaw;
	run->model.caching_mode = config.iommu_caching_mode;
	run->model.arch = arch_of(&config);
	if (!add_devices(run) || !add_data(run))
		return false;
	for (u32 domain = 1; domain < PLAIN_DOMAINS; domain++) {
		run->model.domain[domain].unit = run->units > 1 ? domain - 1 : 0;
		if (!caching_table_new(run, PLAIN_LEVELS - 1, &run->model.domain[domain].root))
			return false;
		if (run->model.arch == PLAIN_VTD_FIRST && !add_top(run, domain))
			return false;
		caching_set_context(run, domain - 1, PLAIN_TRANSLATE, domain);
		caching_tell(run, &(struct dmasim_event){ .type = DMASIM_EVENT_ATTACH,
							  .dev = run->clerk[domain],
							  .domain = domain });
	}
	return caching_empty(run);
}

/* Everything goes, so that what is left was leaked by the machine, not by the script. */
bool caching_end(struct caching_run *run)
{
	if (run->model.full)
		return caching_wrong(run, "the model is full");
	for (u32 i = 0; i < PLAIN_DOMAINS; i++)
		if (run->top[i])
			run->s->platform.ops->frames_free(run->s, DMASIM_FAULT_TABLE_PAGE,
							  run->top[i], 1);
	for (u32 i = 0; run->s && i < PLAIN_TABLES_MAX; i++)
		if (run->model.table[i].phys)
			run->s->platform.ops->frames_free(run->s, DMASIM_FAULT_TABLE_PAGE,
							  run->model.table[i].phys, 1);
	return true;
}
