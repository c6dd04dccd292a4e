/* SPDX-License-Identifier: MIT */
/*
 * Steps that change what is mapped in other ways than map and unmap, contexts, and what devices do.
 */
#include <dmasim/hw/vtd.h>

#include "property/caching.h"

u32 caching_pick_domain(struct dice *dice)
{
	return (u32)dice_from(dice, 1, PLAIN_DOMAINS - 1);
}

void caching_changed(struct caching_run *run, u32 domain, struct range range, bool tables)
{
	struct change *change = &run->change[domain];

	if (!change->any)
		*change = (struct change){ .any = true, .range = range };
	if (range.start < change->range.start)
		change->range.start = range.start;
	if (range.last > change->range.last)
		change->range.last = range.last;
	change->tables |= tables;
}

void caching_to_limbo(struct caching_run *run, phys_addr_t table)
{
	run->limbo[run->limbo_count++] = table;
}

static u64 random_permission(struct dice *dice)
{
	static const u64 permission[] = { VTD_SS_READ, VTD_SS_WRITE, VTD_SS_READ | VTD_SS_WRITE,
					  VTD_SS_READ | VTD_SS_WRITE };

	return permission[dice_below(dice, 4)];
}

static u64 random_stretch(struct dice *dice)
{
	return CACHING_DATA + dice_below(dice, CACHING_STRETCHES) * SZ_2M;
}

u64 caching_random_block(struct dice *dice)
{
	return random_stretch(dice) | random_permission(dice) | VTD_SS_SUPERPAGE;
}

/* Often just what a large page of the same stretch has there. */
u64 caching_random_page(struct dice *dice, u32 slot)
{
	if (slot != PLAIN_REST && dice_chance(dice, 50))
		slot = (u32)dice_below(dice, PLAIN_PAGES);
	return (random_stretch(dice) + plain_index(0, slot) * (u64)SZ_4K) | random_permission(dice);
}

static void tell_changed(struct caching_run *run, u32 domain, struct range range, bool tables)
{
	caching_tell(run, &(struct dmasim_event){ .type = DMASIM_EVENT_IOMMU_CHANGED,
						  .domain = domain,
						  .dma = range.start,
						  .size = range.last - range.start + 1 });
	caching_changed(run, domain, range, tables);
}

/* ---- Entries --------------------------------------------------------------------------------- */

static void replace_at(struct caching_run *run, u32 domain, u32 block, struct dice *dice)
{
	phys_addr_t table = caching_table_of(run, domain, block, 0);
	struct range range = caching_block_range(block);
	u32 slot = table ? (u32)dice_below(dice, PLAIN_SLOTS) : block % 2;
	u64 entry, old;

	if (table) {
		while (!caching_entry(run, table, slot))
			slot = (slot + 1) % PLAIN_SLOTS;
		range = caching_slot_range(block, slot);
		entry = caching_random_page(dice, slot);
	} else {
		table = caching_table_of(run, domain, block, 1);
		entry = caching_random_block(dice);
	}
	old = caching_entry(run, table, slot);
	/* Often of the permissions alone. */
	if (dice_chance(dice, 50))
		entry = (old & ~3ULL) | (entry & 3);
	caching_note(run, "replace 0x%llx-0x%llx of domain %u: 0x%llx by 0x%llx", range.start,
		     range.last, domain, old, entry);
	caching_write(run, table, slot, entry);
	tell_changed(run, domain, range, false);
}

bool caching_step_replace(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), first = (u32)dice_below(dice, CACHING_BLOCKS);

	for (u32 i = 0; i < CACHING_BLOCKS; i++) {
		u32 at = (first + i) % CACHING_BLOCKS;

		if (!caching_block_is_mapped(run, domain, at))
			continue;
		replace_at(run, domain, at, dice);
		return true;
	}
	return true;
}

/* The table has what the large page had, all of it. */
static bool split_at(struct caching_run *run, u32 domain, u32 block)
{
	phys_addr_t upper = caching_table_of(run, domain, block, 1), table;
	u64 old = caching_entry(run, upper, block % 2) & ~VTD_SS_SUPERPAGE;

	if (!caching_table_new(run, 0, &table))
		return false;
	for (u32 slot = 0; slot < PLAIN_SLOTS; slot++)
		caching_write(run, table, slot, old + plain_index(0, slot) * (u64)SZ_4K);
	caching_note(run, "split block %u of domain %u into table 0x%llx", block, domain, table);
	caching_write(run, upper, block % 2, table | VTD_SS_READ | VTD_SS_WRITE);
	tell_changed(run, domain, caching_block_range(block), true);
	return true;
}

bool caching_step_split(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), first = (u32)dice_below(dice, CACHING_BLOCKS);

	for (u32 i = 0; i < CACHING_BLOCKS; i++) {
		u32 at = (first + i) % CACHING_BLOCKS;

		if (caching_block_is_mapped(run, domain, at) &&
		    !caching_table_of(run, domain, at, 0))
			return split_at(run, domain, at);
	}
	return true;
}

/* A large page takes a table's place, with what its first page has, or with something else. */
static void merge_at(struct caching_run *run, u32 domain, u32 block, struct dice *dice)
{
	phys_addr_t upper = caching_table_of(run, domain, block, 1);
	phys_addr_t table = caching_table_of(run, domain, block, 0);
	u64 first = caching_entry(run, table, 0), entry = caching_random_block(dice);

	if (first && !(first & (SZ_2M - 1) & ~3ULL) && dice_chance(dice, 70))
		entry = first | VTD_SS_SUPERPAGE;
	caching_note(run, "merge block %u of domain %u, table 0x%llx, into 0x%llx", block, domain,
		     table, entry);
	caching_write(run, upper, block % 2, entry);
	caching_to_limbo(run, table);
	tell_changed(run, domain, caching_block_range(block), true);
}

bool caching_step_merge(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), first = (u32)dice_below(dice, CACHING_BLOCKS);

	for (u32 i = 0; i < CACHING_BLOCKS; i++) {
		u32 at = (first + i) % CACHING_BLOCKS;

		if (run->block[domain][at].state != BLOCK_WHOLE ||
		    !caching_table_of(run, domain, at, 0))
			continue;
		merge_at(run, domain, at, dice);
		return true;
	}
	return true;
}

/* The entry that leads to a table of pages allows less, or more again. */
bool caching_step_restrict(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), first = (u32)dice_below(dice, CACHING_BLOCKS);

	for (u32 i = 0; i < CACHING_BLOCKS; i++) {
		u32 at = (first + i) % CACHING_BLOCKS;
		phys_addr_t upper = caching_table_of(run, domain, at, 1);
		u64 entry;

		if (!caching_table_of(run, domain, at, 0))
			continue;
		entry = (caching_entry(run, upper, at % 2) & ~3ULL) | random_permission(dice);
		caching_note(run, "block %u of domain %u is led to by 0x%llx", at, domain, entry);
		caching_write(run, upper, at % 2, entry);
		tell_changed(run, domain, caching_block_range(at), true);
		return true;
	}
	return true;
}

/* ---- Contexts -------------------------------------------------------------------------------- */

bool caching_step_context(struct caching_run *run, struct dice *dice)
{
	u32 which = (u32)dice_below(dice, PLAIN_REQUESTERS);
	struct plain_context *context = &run->model.context[which];
	u32 domain = run->units > 1 ? which + 1 : caching_pick_domain(dice);
	bool absent = dice_chance(dice, 40);

	/* Where none could be cached there is nothing to do. */
	if (context->type == PLAIN_TRANSLATE || run->model.caching_mode ||
	    run->model.arch == PLAIN_AMD) {
		run->context_change |= 1U << which;
		run->old_domain[which] = context->domain;
	}
	if (absent)
		caching_note(run, "device %u has no context", which);
	else
		caching_note(run, "device %u has domain %u", which, domain);
	caching_set_context(run, which, absent ? PLAIN_ABSENT_CONTEXT : PLAIN_TRANSLATE, domain);
	return true;
}

/* ---- Devices --------------------------------------------------------------------------------- */

struct aim {
	u32 which;
	u64 iova;
	bool write;
};

/* Often at something that can be fetched, or could be a moment ago. */
static struct aim take_aim(struct caching_run *run, struct dice *dice)
{
	const struct plain_model *model = &run->model;
	u32 block = (u32)dice_below(dice, CACHING_BLOCKS);
	u32 page = (u32)dice_below(dice, PLAIN_PAGES);
	struct aim aim = {
		.which = (u32)dice_below(dice, PLAIN_REQUESTERS),
		.iova = caching_slot(block, page),
		.write = dice_chance(dice, 40),
	};

	for (u32 i = 0; i < 8 && model->items; i++) {
		u32 back = (u32)dice_below(dice, model->items < 40 ? model->items : 40);
		const struct plain_item *item = &model->item[model->items - 1 - back];

		if (item->kind != PLAIN_LEAF || dice_chance(dice, 20))
			continue;
		for (block = 0; block < CACHING_BLOCKS; block++)
			if (range_overlap(item->at, (struct range){ caching_slot(block, page),
								    caching_slot(block, page) }))
				aim.iova = caching_slot(block, page);
		if (model->context[aim.which].domain != item->domain)
			aim.which = PLAIN_REQUESTERS - 1 - aim.which;
		aim.write = item->write && (aim.write || !item->read);
		break;
	}
	return aim;
}

bool caching_step_access(struct caching_run *run, struct dice *dice)
{
	u32 count = (u32)dice_from(dice, 1, 3);

	for (u32 i = 0; i < count; i++) {
		struct aim aim = take_aim(run, dice);

		if (!caching_access(run, aim.which, aim.iova, aim.write))
			return false;
	}
	return true;
}

bool caching_step_prefetch(struct caching_run *run, struct dice *dice)
{
	u32 count = (u32)dice_from(dice, 1, 6);

	for (u32 i = 0; i < count; i++) {
		struct aim aim = take_aim(run, dice);

		if (!caching_prefetch(run, aim.which, aim.iova, aim.write))
			return false;
	}
	return true;
}
