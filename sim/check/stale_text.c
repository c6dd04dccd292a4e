/* SPDX-License-Identifier: MIT */
#include "check/stale_text.h"

#include "hw/ats.h"

#define SHOWN_BYTES 8

static void add_label(struct text *text, const char *label)
{
	text_add(text, "  %-9s ", label);
}

static void add_range(struct text *text, u64 start, u64 last)
{
	text_add(text, "0x%llx-0x%llx", start, last);
	if (last - start != ~0ULL) {
		text_add(text, " (");
		text_add_size(text, last - start + 1);
		text_add(text, ")");
	}
}

static const char *allowed(bool read, bool write)
{
	if (read && write)
		return "read and write";
	return read ? "read" : "write";
}

/* ---- Why -------------------------------------------------------------- */

static const char *add_why(struct check *check, struct text *text, const struct why_query *query)
{
	struct why why = why_cached(&check->cached, query);

	why_text(text, query, &why);
	return why_word(why.kind);
}

/* What holds: for a unit that does not snoop perhaps as it has not seen the entry go. */
static const char *add_left(struct text *text, const struct hw_iommu *iommu)
{
	add_label(text, "cause");
	if (!iommu->walker.cache) {
		text_add(text, "not cleared: the page table still has its entry\n");
		return "not-cleared";
	}
	text_add(text, "not flushed: its entry was cleared in the CPU's cache; the unit reads "
		       "memory\n");
	return "not-flushed";
}

static void add_times(struct text *text, struct check_moment since, struct check_moment until)
{
	add_label(text, "since");
	text_add(text, "t=%llu", since.ns);
	if (check_happened(until))
		text_add(text, ", over at t=%llu\n", until.ns);
	else
		text_add(text, ", and it can be cached anew\n");
}

/* ---- What it reaches -------------------------------------------------- */

void stale_text_owner(struct check *check, struct text *text, const struct hw_target *target)
{
	const struct frames *frames = &check->hw->frames;

	switch (target->kind) {
	case HW_TARGET_RAM:
		if (!frames_has(frames, target->phys))
			text_add(text, "memory of the program's");
		else if (frames_allocated(frames, target->phys, 1))
			text_add(text, "page frames that are in use");
		else
			text_add(text, "page frames that are free");
		break;
	case HW_TARGET_BAR:
		text_add(text, "BAR %u of ", target->bar);
		text_add_bdf(text, hw_function_sbdf(target->function));
		break;
	default:
		text_add(text, "nothing");
		break;
	}
}

/* Registers are not read: that might change them. */
static void add_bytes(struct check *check, struct text *text, const struct hw_target *target,
		      u64 bytes)
{
	u8 byte[SHOWN_BYTES];
	u64 count = bytes < sizeof(byte) ? bytes : sizeof(byte);

	count = ram_read(&check->hw->ram, target->phys, byte, count);
	for (u64 i = 0; i < count; i++)
		text_add(text, " %02x", byte[i]);
}

static void add_reach(struct check *check, struct text *text, const struct cached_leaf *leaf,
		      const struct hw_target *target, u64 bytes)
{
	add_label(text, "reaches");
	text_add(text, "phys ");
	add_range(text, target->phys, target->phys + (bytes - 1));
	text_add(text, " to %s: ", allowed(leaf->read, leaf->write));
	stale_text_owner(check, text, target);
	text_add(text, "\n");
}

/* The device's side: what it would get, and what it would do to others. */
static void add_device(struct check *check, struct text *text, const struct cached_leaf *leaf,
		       const struct hw_target *target, u64 bytes)
{
	add_label(text, "device");
	if (target->kind != HW_TARGET_RAM) {
		text_add(text, "%s would go there\n",
			 leaf->read && leaf->write ? "reads and writes"
			 : leaf->read		   ? "reads"
						   : "writes");
		return;
	}
	if (leaf->read) {
		text_add(text, "a read would get");
		add_bytes(check, text, target, bytes);
	}
	if (leaf->write) {
		text_add(text, "%s would overwrite", leaf->read ? ", a write" : "a write");
		if (!leaf->read)
			add_bytes(check, text, target, bytes);
		else
			text_add(text, " it");
	}
	text_add(text, "\n");
}

/* ---- Which cache ------------------------------------------------------ */

static bool iotlb_holds(const struct cached_leaf *leaf, u64 start, u64 last, u64 *at)
{
	const struct hw_iommu *iommu = leaf->domain->iommu;
	const struct iotlb_entry *entry = NULL;

	while ((entry = iotlb_peek(&iommu->iotlb, (u16)leaf->domain->domain, start, last, entry))) {
		u64 first = entry->page << entry->page_lg2;
		u64 within = first > start ? first : start;

		*at = within;
		if ((entry->read || entry->write) &&
		    entry->phys + (within - first) == leaf->phys + (within - leaf->at.start))
			return true;
	}
	return false;
}

static void add_iotlb(struct text *text, const struct cached_leaf *leaf, u64 start, u64 last)
{
	const struct hw_iommu *iommu = leaf->domain->iommu;
	u64 at;

	add_label(text, "cache");
	if (iotlb_holds(leaf, start, last, &at))
		text_add(text, "the IOTLB of unit %u holds 0x%llx now\n", iommu->unit, at);
	else
		text_add(text, "the IOTLB of unit %u may hold it; now it does not\n", iommu->unit);
}

static void add_walk_cache(struct text *text, const struct cached_table *table)
{
	const struct hw_iommu *iommu = table->domain->iommu;
	const struct walk_cache *cache = &iommu->walk_cache;
	u32 level = table->levels - 1U;
	const struct iotlb_entry *entry = NULL;
	bool holds = false;

	while (!holds && level < cache->levels &&
	       (entry = iotlb_peek(&cache->level[level], (u16)table->domain->domain,
				   table->at.start, table->at.last, entry)))
		holds = entry->phys == table->phys;
	add_label(text, "cache");
	text_add(text, "the walk cache of unit %u, level %u, %s\n", iommu->unit, level,
		 holds ? "holds it now" : "may hold it; now it does not");
}

static void add_context_cache(struct text *text, const struct cached_context *context)
{
	const struct hw_iommu *iommu = context->iommu;
	const struct hw_context *hit =
		context_cache_peek(&iommu->context_cache, (u16)context->at.start);
	bool holds = hit && hit->type == context->context.type &&
		     hit->domain == context->context.domain && hit->root == context->context.root;

	add_label(text, "cache");
	text_add(text, "the context cache of unit %u %s\n", iommu->unit,
		 holds ? "holds it now" : "may hold it; now it does not");
}

static void add_device_tlb(struct text *text, const struct cached_device_stale *stale,
			   phys_addr_t phys)
{
	const struct hw_function *function =
		hw_requester_function(stale->device->iommu, stale->device->requester);
	const struct iotlb_entry *entry = NULL;
	bool holds = false;

	while (!holds && function && function->ats_at &&
	       (entry = iotlb_peek(&function->device_tlb, 0, stale->from, stale->to, entry))) {
		u64 first = entry->page << entry->page_lg2;
		u64 within = first > stale->from ? first : stale->from;

		holds = entry->phys + (within - first) == phys + (within - stale->from);
	}
	add_label(text, "cache");
	text_add(text, "the TLB of the device itself, %02x:%02x.%x, %s\n",
		 stale->device->requester >> 8, (stale->device->requester >> 3) & 0x1f,
		 stale->device->requester & 7,
		 holds ? "holds it now" : "may hold it; now it does not");
}

/* ---- Each of them ------------------------------------------------ */

const char *stale_text_leaf(struct check *check, struct text *text, const struct cached_leaf *leaf,
			    u64 start, u64 last)
{
	const struct why_query query = {
		.iommu = leaf->domain->iommu,
		.what = HW_INVALIDATED_IOTLB,
		.first_stage = leaf->domain->first_stage,
		.domain = leaf->domain->domain,
		.start = start,
		.last = last,
		.lg2 = leaf->page_lg2,
		.since = leaf->since,
		.until = leaf->until,
		.call = check->call->began,
	};
	phys_addr_t phys = leaf->phys + (start - leaf->at.start);
	struct hw_target target = hw_phys_target(check->hw, phys);
	const char *cause = leaf->unmapped && !check_happened(leaf->until)
				    ? add_left(text, leaf->domain->iommu)
				    : add_why(check, text, &query);

	add_reach(check, text, leaf, &target, last - start + 1);
	add_times(text, leaf->since, leaf->until);
	add_iotlb(text, leaf, start, last);
	add_device(check, text, leaf, &target, last - start + 1);
	return cause;
}

const char *stale_text_fetched(struct check *check, struct text *text,
			       const struct cached_device_stale *stale)
{
	const struct cached_fetched *fetched = stale->fetched;
	const struct cached_leaf leaf = { .read = fetched->read, .write = fetched->write };
	const struct why_query query = {
		.iommu = stale->device->iommu,
		.what = HW_INVALIDATED_DEVICE_TLB,
		.requester = stale->device->requester,
		.domain = fetched->domain->domain,
		.start = stale->from,
		.last = stale->to,
		.lg2 = fetched->page_lg2,
		.since = fetched->since,
		/* Where commands overtake, one before the wait is too early. */
		.until = stale->device->iommu->arch->devices_overtake ? fetched->gone
								      : fetched->emptied,
		.call = check->call->began,
	};
	phys_addr_t phys = fetched->phys + (stale->from - fetched->at.start);
	struct hw_target target = hw_phys_target(check->hw, phys);
	const char *cause = add_why(check, text, &query);
	u64 bytes = stale->to - stale->from + 1;

	add_reach(check, text, &leaf, &target, bytes);
	add_times(text, fetched->since, fetched->emptied);
	add_device_tlb(text, stale, phys);
	add_device(check, text, &leaf, &target, bytes);
	return cause;
}

const char *stale_text_table(struct check *check, struct text *text,
			     const struct cached_table *table)
{
	const struct why_query query = {
		.iommu = table->domain->iommu,
		.what = HW_INVALIDATED_IOTLB,
		.table = true,
		.first_stage = table->domain->first_stage,
		.domain = table->domain->domain,
		.start = table->at.start,
		.last = table->at.last,
		.lg2 = (u8)(12 + 9 * table->levels),
		.since = table->since,
		.until = table->until,
		.call = check->call->began,
	};
	const char *cause = "linked";

	if (check_happened(table->until)) {
		cause = add_why(check, text, &query);
	} else {
		add_label(text, "cause");
		text_add(text, "an entry that can be walked still leads there\n");
	}
	add_label(text, "reaches");
	text_add(text, "the page at phys 0x%llx for 0x%llx-0x%llx, %s\n", table->phys,
		 table->at.start, table->at.last, allowed(table->read, table->write));
	if (check_happened(table->until))
		add_times(text, table->since, table->until);
	add_walk_cache(text, table);
	add_label(text, "device");
	text_add(text, "a request takes what comes to lie there for entries\n");
	return cause;
}

const char *stale_text_context(struct check *check, struct text *text,
			       const struct cached_context *context)
{
	const struct why_query query = {
		.iommu = context->iommu,
		.what = HW_INVALIDATED_CONTEXT,
		.domain = (u32)context->by_domain.start,
		.start = context->at.start,
		.last = context->at.start,
		.since = context->since,
		.until = context->until,
		.call = check->call->began,
	};
	const char *cause = "linked";

	if (check_happened(context->until)) {
		cause = add_why(check, text, &query);
	} else {
		add_label(text, "cause");
		text_add(text, "the context entry still leads there\n");
	}
	add_label(text, "reaches");
	switch (context->context.type) {
	case HW_CONTEXT_TRANSLATE:
	case HW_CONTEXT_FIRST_STAGE:
		text_add(text, "the page table at phys 0x%llx, domain %u\n", context->context.root,
			 context->context.domain);
		break;
	case HW_CONTEXT_PASS_THROUGH:
		text_add(text, "all memory: addresses pass untranslated\n");
		break;
	default:
		text_add(text, "nothing: requests are refused\n");
		break;
	}
	if (check_happened(context->until))
		add_times(text, context->since, context->until);
	add_context_cache(text, context);
	return cause;
}
