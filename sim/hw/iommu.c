/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "hw/hw.h"

#define PAGE_LG2 12

static struct hw_walker walker_of(struct hw *hw, const struct hw_iommu_desc *desc)
{
	return (struct hw_walker){
		.ram = &hw->ram,
		.cache = desc->coherent ? NULL : &hw->cache,
		.levels = desc->levels,
		.address_bits = desc->address_bits,
		.huge_1g = desc->huge_1g,
		.snoop_control = desc->snoop_control,
		.device_tlb = desc->device_tlb,
		.absents = desc->caching_mode,
		.runs = true,
		.first_levels = desc->first_levels,
		.first_huge_1g = desc->first_huge_1g,
		.napot = desc->napot,
		.page_types = desc->page_types,
		.own = desc->own,
	};
}

struct hw_iommu *hw_iommu_add(struct hw *hw, const struct hw_iommu_desc *desc)
{
	const struct hw_arch *arch = desc->arch ? desc->arch : &hw_vtd;
	u32 records = desc->fault_records ? desc->fault_records : arch->fault_records;
	u8 levels = desc->first_levels > desc->levels ? desc->first_levels : desc->levels;
	struct hw_iommu *iommu;

	iommu = memory_alloc(&hw->world->memory, DMASIM_FAULT_IOMMU_UNIT,
			     sizeof(*iommu) + records * sizeof(iommu->fault[0]));
	if (!iommu)
		return NULL;
	iommu->hw = hw;
	iommu->arch = arch;
	iommu->fault_records = records;
	iommu->unit = desc->unit;
	iommu->max_address_mask = desc->max_address_mask;
	iommu->pf_requester = desc->pf_requester;
	iommu->caching_mode = desc->caching_mode;
	iommu->scalable = desc->scalable && iommu->arch->translate;
	iommu->nested = iommu->scalable && desc->nested;
	iommu->wide_commands = desc->wide_commands;
	iommu->page_requests = desc->page_requests;
	iommu->command_ranges = desc->command_ranges;
	iommu->pasid_flags = desc->pasid_flags;
	iommu->forgets_tables = desc->forgets_tables;
	iommu->forgets_windows = desc->forgets_windows;
	RB_INIT(&iommu->pasid_pages);
	iommu->walker = walker_of(hw, desc);
	if (iotlb_init(&iommu->iotlb, hw->world, desc->iotlb_entries,
		       desc->iotlb_ways ? desc->iotlb_ways : IOTLB_WAYS))
		goto free_iommu;
	if (context_cache_init(&iommu->context_cache, hw->world, desc->context_entries))
		goto free_iotlb;
	if (context_cache_init(&iommu->pasid_cache, hw->world, desc->pasid_entries))
		goto free_contexts;
	if (walk_cache_init(&iommu->walk_cache, hw->world, levels - 1U, desc->walk_entries))
		goto free_pasids;
	TAILQ_INSERT_TAIL(&hw->iommus, iommu, link);
	return iommu;

free_pasids:
	context_cache_fini(&iommu->pasid_cache);
free_contexts:
	context_cache_fini(&iommu->context_cache);
free_iotlb:
	iotlb_fini(&iommu->iotlb);
free_iommu:
	memory_free(&hw->world->memory, iommu);
	return NULL;
}

void hw_iommu_remove(struct hw_iommu *iommu)
{
	struct memory *memory = &iommu->hw->world->memory;

	TAILQ_REMOVE(&iommu->hw->iommus, iommu, link);
	for (u32 bus = 0; bus < 256; bus++)
		memory_free(memory, iommu->contexts[bus]);
	hw_pasids_fini(iommu);
	walk_cache_fini(&iommu->walk_cache);
	context_cache_fini(&iommu->pasid_cache);
	context_cache_fini(&iommu->context_cache);
	iotlb_fini(&iommu->iotlb);
	memory_free(memory, iommu);
}

DMASIM_HOT struct hw_iommu *hw_iommu_find(const struct hw *hw, u32 unit)
{
	struct hw_iommu *iommu;

	TAILQ_FOREACH(iommu, &hw->iommus, link) {
		if (iommu->unit == unit)
			return iommu;
	}
	return NULL;
}

u16 hw_iommu_segment(const struct hw_iommu *iommu)
{
	const struct hw_root *root;

	TAILQ_FOREACH(root, &iommu->hw->roots, link) {
		if (root->iommu == iommu)
			return root->segment;
	}
	return 0;
}

/* The requests that a context does not refuse. */
static u8 allowed(const struct hw_iommu *iommu, const struct hw_context *context)
{
	u8 allows = 0;

	for (u32 write = 0; write < 2; write++) {
		if (!iommu->arch->context_refusal(iommu, context, write).code)
			allows |= 1U << write;
	}
	return allows;
}

int hw_context_set(struct hw_iommu *iommu, u16 requester, struct hw_context context)
{
	struct hw_context **bus = &iommu->contexts[requester >> 8];

	if (!*bus) {
		*bus = memory_alloc(&iommu->hw->world->memory, DMASIM_FAULT_IOMMU_CONTEXT,
				    256 * sizeof(**bus));
		if (!*bus)
			return -ENOMEM;
	}
	context.allows = allowed(iommu, &context);
	(*bus)[requester & 0xff] = context;
	return 0;
}

static const struct hw_context absent_context = { .type = HW_CONTEXT_ABSENT,
						  .flags = HW_CONTEXT_NO_PLACE };

/* Valid until the entry is written again. */
static const struct hw_context *context_at(const struct hw_iommu *iommu, u16 requester)
{
	const struct hw_context *bus = iommu->contexts[requester >> 8];

	return bus ? &bus[requester & 0xff] : &absent_context;
}

struct hw_context hw_context_get(const struct hw_iommu *iommu, u16 requester)
{
	return *context_at(iommu, requester);
}

static bool refuses(const struct hw_context *context, bool write)
{
	return !(context->allows >> write & 1);
}

static const struct hw_context *read_context(struct hw_iommu *iommu, u16 requester, bool write)
{
	const struct hw_context *context = context_at(iommu, requester);
	bool refused = refuses(context, write);

	iommu->hw->costs.context_misses++;
	if (!refused || iommu->caching_mode || iommu->arch->refusing_contexts_cached)
		context_cache_fill(&iommu->context_cache, requester, refused ? 0 : context->domain,
				   *context);
	return context;
}

static inline const struct hw_context *find_context(struct hw_iommu *iommu, u16 requester,
						    bool write)
{
	const struct hw_context *hit;

	if (!iommu->context_cache.entry)
		return context_at(iommu, requester);
	hit = context_cache_find(&iommu->context_cache, requester);
	if (!hit)
		return read_context(iommu, requester, write);
	iommu->hw->costs.context_hits++;
	return hit;
}

const struct hw_context *hw_context_find(struct hw_iommu *iommu, u16 requester, bool write)
{
	return find_context(iommu, requester, write);
}

static u8 allows(bool read, bool write)
{
	return (u8)(read | write << 1);
}

/* Answers are filled member by member: compilers make more of that than of an initialiser. */
static struct hw_translation passed(const struct hw_context *context, u64 address)
{
	struct hw_translation found = { 0 };

	found.phys = address;
	found.domain = context->domain;
	found.page_lg2 = PAGE_LG2;
	found.pass_through = true;
	found.allows = allows(true, true);
	return found;
}

static struct hw_translation of_walk(const struct hw_walk *walk, u16 domain)
{
	struct hw_translation found = { 0 };

	found.fault = walk->fault;
	found.fault_flags = walk->fault_flags;
	found.page_lg2 = walk->page_lg2;
	found.domain = domain;
	found.allows = allows(walk->read, walk->write);
	found.phys = walk->phys;
	return found;
}

/* Devices of one domain ask for the same marks. */
static bool tracks(const struct hw_context *context)
{
	return context->marks & HW_MARK_DIRTY;
}

static void fill(struct hw_iommu *iommu, const struct hw_context *context, u64 iova,
		 const struct hw_walk *walk)
{
	struct iotlb_entry *entry =
		iotlb_claim(&iommu->iotlb, iotlb_tag(context->domain), iova, walk->page_lg2);

	entry->phys = walk->phys & ~((1ULL << walk->page_lg2) - 1);
	entry->read = walk->read;
	/* Where pages are marked dirty the first write shall walk. */
	entry->write = walk->write && (walk->dirty || !tracks(context));
	entry->accessed = walk->accessed;
	entry->dirty = walk->dirty;
}

static struct hw_walk_start start_of(const struct hw_context *context)
{
	return (struct hw_walk_start){ context->root, context->levels, !context->no_read,
				       !context->no_write };
}

static void tell_filled(struct hw_iommu *iommu, u16 domain, u64 iova, const struct hw_walk *walk)
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;
	u64 within = (1ULL << walk->page_lg2) - 1;

	if (hooks->filled)
		hooks->filled(hooks->cookie, iommu, domain,
			      &(struct hw_leaf){
				      .iova = iova & ~within,
				      .bytes = within + 1,
				      .phys = walk->phys & ~within,
				      .page_lg2 = walk->page_lg2,
				      .read = walk->read,
				      .write = walk->write,
			      });
}

/* A walk from the lowest table that the walk cache knows. */
static void walk_tables(struct hw_iommu *iommu, const struct hw_context *context, u64 iova,
			bool write, struct hw_walk *walk)
{
	struct hw_walk_start start = start_of(context);
	u64 tag = iotlb_tag(context->domain);
	struct hw_costs *costs = &iommu->hw->costs;
	bool keeps;
	u32 level;

	if (!iommu->arch->reaches(context->levels, iova)) {
		*walk = iommu->arch->beyond(iova, write);
		return;
	}
	if (iommu->walk_cache.levels) {
		level = walk_cache_find(&iommu->walk_cache, tag, iova, write, &start);
		if (level < WALK_CACHE_LEVELS)
			costs->walk_hits[level]++;
		/* It knows what the tables allow: perhaps to another device of the domain. */
		if (context->no_read)
			start.read = false;
		if (context->no_write)
			start.write = false;
	}
	/* The walk cache keeps the tables below the one where a walk begins. */
	keeps = iommu->walk_cache.levels && start.levels > 1;
	walk->no_steps = !keeps && !context->marks;
	iommu->arch->walk(&iommu->walker, &start, iova, write, walk);
	costs->walk_reads += walk->reads;
	if (DMASIM_UNLIKELY(context->marks && !walk->fault))
		iommu->arch->mark(iommu, context, iova, write, walk);
	if (keeps)
		walk_cache_fill(&iommu->walk_cache, tag, iova, walk);
}

/* Caching mode: that there is nothing, for all that the absent entry would map. */
static void fill_absent(struct hw_iommu *iommu, const struct hw_context *context, u64 iova,
			u8 absent_lg2)
{
	iotlb_fill(&iommu->iotlb, &(struct iotlb_entry){
					  .page = iova >> absent_lg2,
					  .tag = iotlb_tag(context->domain),
					  .page_lg2 = absent_lg2,
				  });
}

static struct hw_translation of_hit(const struct iotlb_entry *hit, u64 iova)
{
	struct hw_translation found = { 0 };

	found.phys = hit->phys | (iova & ((1ULL << hit->page_lg2) - 1));
	found.domain = iotlb_domain(hit);
	found.page_lg2 = hit->page_lg2;
	found.allows = allows(hit->read, hit->write);
	return found;
}

/* A cached translation without any permission says that nothing is there. */
static struct hw_translation of_absent_hit(const struct hw_iommu *iommu,
					   const struct iotlb_entry *hit, bool write)
{
	struct hw_walk absent = iommu->arch->absent(write);

	iommu->hw->costs.iotlb_hits++;
	return of_walk(&absent, iotlb_domain(hit));
}

/*
 * What the cache does not know, or not with the permission that the access needs: that is walked
 * again, not refused.
 */
static struct hw_translation translate_by_walk(struct hw_iommu *iommu,
					       const struct hw_context *context, u64 iova,
					       bool write, const struct iotlb_entry *hit)
{
	struct hw_walk walk;
	bool known; /* that it translates, or that there is nothing */

	if (hit && !hit->read && !hit->write)
		return of_absent_hit(iommu, hit, write);
	iommu->hw->costs.iotlb_misses++;
	walk_tables(iommu, context, iova, write, &walk);
	known = !walk.fault || (iommu->caching_mode && walk.absent_lg2);
	if (hit && known)
		iotlb_invalidate_range(&iommu->iotlb, iotlb_tag(context->domain), iova, iova);
	if (!walk.fault) {
		fill(iommu, context, iova, &walk);
		tell_filled(iommu, context->domain, iova, &walk);
	} else if (known) {
		fill_absent(iommu, context, iova, walk.absent_lg2);
	}
	return of_walk(&walk, context->domain);
}

static struct hw_translation of_refusal(const struct hw_refusal *refusal)
{
	return (struct hw_translation){
		.fault = refusal->code,
		.fault_flags = refusal->flags,
		.domain = refusal->domain,
	};
}

/* By its context, whatever is cached for others of the domain. */
static DMASIM_NOINLINE struct hw_translation refused(struct hw_iommu *iommu,
						     const struct hw_context *context, u64 iova,
						     bool write)
{
	struct hw_refusal refusal = iommu->arch->context_refusal(iommu, context, write);
	struct hw_walk walk;

	if (!refusal.by_tables)
		return of_refusal(&refusal);
	iommu->hw->costs.iotlb_misses++;
	walk_tables(iommu, context, iova, write, &walk);
	return of_walk(&walk, context->domain);
}

static inline struct hw_translation translate_in(struct hw_iommu *iommu,
						 const struct hw_context *context, u64 iova,
						 bool write)
{
	const struct iotlb_entry *hit;

	if (DMASIM_UNLIKELY(refuses(context, write)))
		return refused(iommu, context, iova, write);
	if (context->type == HW_CONTEXT_PASS_THROUGH)
		return passed(context, iova);
	hit = iotlb_find(&iommu->iotlb, iotlb_tag(context->domain), iova);
	if (!hit || !(write ? hit->write : hit->read))
		return translate_by_walk(iommu, context, iova, write, hit);
	iommu->hw->costs.iotlb_hits++;
	return of_hit(hit, iova);
}

struct hw_translation hw_translate_in(struct hw_iommu *iommu, const struct hw_context *context,
				      u64 iova, bool write)
{
	return translate_in(iommu, context, iova, write);
}

/* Not inline: most units have no use for it. */
static DMASIM_NOINLINE struct hw_translation ask_plain(struct hw_iommu *iommu, u16 requester,
						       u64 iova, bool write, bool probe)
{
	const struct hw_ask ask = { .requester = requester, .write = write, .iova = iova };

	return hw_translate_ask(iommu, &ask, probe);
}

struct hw_translation hw_translate(struct hw_iommu *iommu, u16 requester, u64 iova, bool write)
{
	if (DMASIM_UNLIKELY(iommu->scalable))
		return ask_plain(iommu, requester, iova, write, false);
	return translate_in(iommu, find_context(iommu, requester, write), iova, write);
}

struct hw_translation hw_translate_probe(struct hw_iommu *iommu, u16 requester, u64 iova,
					 bool write)
{
	const struct hw_context *context = context_at(iommu, requester);
	struct hw_refusal refusal = iommu->arch->context_refusal(iommu, context, write);
	const struct hw_walk_start start = start_of(context);
	struct hw_walk walk = { .no_steps = true };

	if (iommu->scalable)
		return ask_plain(iommu, requester, iova, write, true);
	if (refusal.code && !refusal.by_tables)
		return of_refusal(&refusal);
	if (context->type == HW_CONTEXT_PASS_THROUGH)
		return passed(context, iova);
	if (iommu->arch->reaches(context->levels, iova))
		iommu->arch->walk(&iommu->walker, &start, iova, write, &walk);
	else
		walk = iommu->arch->beyond(iova, write);
	return of_walk(&walk, context->domain);
}

struct hw_translation hw_translate_ask(struct hw_iommu *iommu, const struct hw_ask *ask, bool probe)
{
	if (iommu->arch->translate && (iommu->scalable || ask->prefix.present))
		return iommu->arch->translate(iommu, ask, probe);
	if (probe)
		return hw_translate_probe(iommu, ask->requester, ask->iova, ask->write);
	return hw_translate(iommu, ask->requester, ask->iova, ask->write);
}

void hw_fault_record(struct hw_iommu *iommu, const struct hw_refusal *refusal)
{
	struct hw_fault_record *record;
	u32 next;

	iommu->faults_total++;
	/* After an overflow nothing more is recorded until it is cleared. */
	if (iommu->fault_count == iommu->fault_records ||
	    iommu->fault_status & HW_STATUS_OVERFLOW) {
		iommu->fault_status |= HW_STATUS_OVERFLOW;
		return;
	}
	next = (iommu->fault_first + iommu->fault_count++) % iommu->fault_records;
	record = &iommu->fault[next];
	*record = iommu->arch->record(refusal);
	record->order = iommu->hw->fault_order++;
	iommu->fault_status |= HW_STATUS_PENDING;
}

u64 hw_fault_oldest(const struct hw_iommu *iommu)
{
	return iommu->fault_count ? iommu->fault[iommu->fault_first].order : ~0ULL;
}

bool hw_fault_take(struct hw_iommu *iommu, struct hw_fault_record *record)
{
	if (!iommu->fault_count)
		return false;
	*record = iommu->fault[iommu->fault_first];
	iommu->fault_first = (iommu->fault_first + 1) % iommu->fault_records;
	iommu->fault_count--;
	if (!iommu->fault_count)
		iommu->fault_status &= ~(HW_STATUS_PENDING | HW_STATUS_OVERFLOW);
	return true;
}
