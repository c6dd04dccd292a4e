/* SPDX-License-Identifier: MIT */
/*
 * VT-d in scalable mode: from a requester's context to the entry of a PASID, and through the tables
 * it names (facts "iova-and-page-tables" 2.2, 2.3, 2.6 and 3.1).
 *
 *   requester --> context --> PASID directory --> entry of the PASID --> first stage
 *                             (RID_PASID if the                      --> second stage
 *                              request has none)                     --> the first below that
 *                                                                    --> as it is
 *
 * Where the facts leave a choice:
 *   - what a refused request used is not marked;
 *   - requests of the supervisor, or to execute, look at first-stage tables each time: no cache
 *     keeps what is for them alone. To a second stage they are like any other;
 *   - an entry that allows nothing is 0x79, one that lacks the permission 0x85 or 0x86;
 *   - 0x73 and 0x7B are a top table where no memory is, 0x70 and 0x78 any other;
 *   - 0x83 is an address passed through that is wider than memory's, 0x84 one that the second
 *     stage's tables have no entry for.
 */
#include <dmasim/hw/vtd.h>
#include <dmasim/hw/x86.h>

#include "hw/hw.h"
#include "hw/vtd.h"
#include "hw/vtd_nested.h"
#include "hw/walk_mark.h"

/* One request and what it is translated with. */
struct way {
	struct hw_iommu *iommu;
	const struct hw_ask *ask;
	bool probe;
	u32 pasid;
	struct hw_context entry;
};

/* ---- To the PASID's entry -------------------------------------------------------------------- */

/* Of a table's address. */
static bool has_reserved_bits(const struct hw_iommu *iommu, phys_addr_t root)
{
	return root & 0xfff || root >> iommu->walker.address_bits;
}

/* What the entry says of one of its stages. */
static u8 stage_fault(const struct hw_iommu *iommu, phys_addr_t root, u8 levels, bool first)
{
	u8 levels_min = first ? X86_FS_LEVELS_MIN : VTD_LEVELS_MIN;
	u8 levels_max = first ? iommu->walker.first_levels : iommu->walker.levels;

	if (has_reserved_bits(iommu, root))
		return VTD_FAULT_SM_PASID_RESERVED;
	if (levels < levels_min || levels > levels_max)
		return VTD_FAULT_SM_PASID_INVALID;
	return 0;
}

static u8 stages_fault(const struct hw_iommu *iommu, const struct hw_context *entry)
{
	u8 fault = stage_fault(iommu, entry->root, entry->levels, hw_context_has_first(entry));

	switch (entry->type) {
	case HW_CONTEXT_TRANSLATE:
	case HW_CONTEXT_FIRST_STAGE:
		return fault;
	case HW_CONTEXT_NESTED:
		if (!iommu->nested)
			return VTD_FAULT_SM_PASID_INVALID;
		return fault ? fault
			     : stage_fault(iommu, entry->second_root, entry->second_levels, false);
	default:
		return fault ? fault : VTD_FAULT_SM_PASID_INVALID;
	}
}

/* What the entry says against every request. */
static u8 entry_fault(const struct hw_iommu *iommu, const struct hw_context *entry)
{
	if (entry->type == HW_CONTEXT_ABSENT)
		return VTD_FAULT_SM_PASID_NOT_PRESENT;
	if (entry->flags & ~iommu->pasid_flags || entry->pasid_bits)
		return VTD_FAULT_SM_PASID_RESERVED;
	if (entry->type == HW_CONTEXT_PASS_THROUGH)
		return 0;
	return stages_fault(iommu, entry);
}

struct hw_refusal hw_vtd_pasid_refusal(const struct hw_iommu *iommu, const struct hw_context *entry,
				       bool write)
{
	return (struct hw_refusal){ .write = write, .code = entry_fault(iommu, entry) };
}

/* What the context says against this request. */
static u8 context_fault(const struct hw_iommu *iommu, const struct hw_context *context,
			const struct hw_ask *ask)
{
	u16 fault = iommu->arch->context_refusal(iommu, context, ask->write).code;

	if (fault || !ask->prefix.present)
		return fault;
	if (!(context->flags & HW_CONTEXT_MAY_SEND_PASIDS))
		return VTD_FAULT_SM_CONTEXT_PASIDE;
	if (ask->prefix.pasid >> context->pasid_bits)
		return VTD_FAULT_SM_CONTEXT_PASID_MAX;
	return 0;
}

/* Out of memory, into the cache. */
static u8 fetch_entry(struct way *way)
{
	struct hw_iommu *iommu = way->iommu;
	u16 requester = way->ask->requester;
	u16 fault = VTD_FAULT_SM_PDIR_NOT_PRESENT;

	if (hw_pasid_get(iommu, requester, way->pasid, &way->entry))
		fault = entry_fault(iommu, &way->entry);
	if (way->probe || !iommu->pasid_cache.entry)
		return fault;
	iommu->hw->costs.pasid_misses++;
	if (!fault || (iommu->caching_mode && fault != VTD_FAULT_SM_PDIR_NOT_PRESENT))
		context_cache_fill(&iommu->pasid_cache, hw_pasid_tag(requester, way->pasid),
				   fault ? 0 : way->entry.domain, way->entry);
	return fault;
}

static u8 find_entry(struct way *way)
{
	u64 tag = hw_pasid_tag(way->ask->requester, way->pasid);
	const struct hw_context *hit = NULL;

	if (!way->probe)
		hit = context_cache_find(&way->iommu->pasid_cache, tag);
	if (!hit)
		return fetch_entry(way);
	way->iommu->hw->costs.pasid_hits++;
	way->entry = *hit;
	return entry_fault(way->iommu, &way->entry);
}

/* What the entry says against this request. */
static u8 request_fault(const struct way *way)
{
	const struct hw_prefix *prefix = &way->ask->prefix;

	if (!prefix->present)
		return 0;
	if (prefix->execute && !(way->entry.flags & HW_CONTEXT_MAY_EXECUTE))
		return VTD_FAULT_SM_PASID_ERE;
	if (prefix->privileged && !(way->entry.flags & HW_CONTEXT_MAY_SUPERVISE))
		return VTD_FAULT_SM_PASID_SRE;
	return 0;
}

/* Fills in the way. A fault, or 0. */
static u8 find_way(struct way *way)
{
	const struct hw_ask *ask = way->ask;
	struct hw_context context =
		way->probe ? hw_context_get(way->iommu, ask->requester)
			   : *hw_context_find(way->iommu, ask->requester, ask->write);
	u16 fault = context_fault(way->iommu, &context, ask);

	if (!fault)
		fault = find_entry(way);
	return fault ? fault : request_fault(way);
}

/* ---- Through the tables ---------------------------------------------------------------------- */

static bool has_first(const struct way *way)
{
	return hw_context_has_first(&way->entry);
}

static bool is_nested(const struct way *way)
{
	return way->entry.type == HW_CONTEXT_NESTED;
}

static u64 tag_of(const struct way *way)
{
	if (is_nested(way))
		return iotlb_nested_tag(way->entry.domain, way->pasid);
	if (has_first(way))
		return iotlb_pasid_tag(way->entry.domain, way->pasid);
	return iotlb_tag(way->entry.domain);
}

/* True if what the caches keep is for requests like this one. */
static bool uses_caches(const struct way *way)
{
	const struct hw_prefix *prefix = &way->ask->prefix;
	bool special = prefix->present && (prefix->execute || prefix->privileged);

	return !way->probe && !(has_first(way) && special);
}

static struct hw_fs_access access_of(const struct way *way)
{
	const struct hw_ask *ask = way->ask;

	return (struct hw_fs_access){
		.iova = ask->iova,
		.write = ask->write,
		.execute = ask->prefix.present && ask->prefix.execute,
		.privileged = ask->prefix.present && ask->prefix.privileged,
		.write_protect = way->entry.flags & HW_CONTEXT_WRITE_PROTECT,
	};
}

static struct hw_nested nested_of(const struct way *way)
{
	return (struct hw_nested){
		.second = way->entry.second_root,
		.second_levels = way->entry.second_levels,
		.first_levels = way->entry.levels,
		.track = way->entry.flags & HW_CONTEXT_TRACK,
		.ext_accessed = way->entry.flags & HW_CONTEXT_EXT_ACCESSED,
	};
}

/* The reason that legacy mode has, in scalable mode. */
u8 hw_vtd_second_stage_fault(const struct hw_walk *walk, bool top)
{
	switch (walk->fault) {
	case VTD_FAULT_TABLE_ACCESS:
		return walk->tables == 1 && top ? VTD_FAULT_SS_TABLE : VTD_FAULT_SS_ACCESS;
	case VTD_FAULT_PTE_RESERVED:
		return VTD_FAULT_SS_RESERVED;
	case VTD_FAULT_NO_WRITE:
		return walk->absent_lg2 ? VTD_FAULT_SS_PERMISSION : VTD_FAULT_SM_NO_WRITE;
	case VTD_FAULT_NO_READ:
		return walk->absent_lg2 ? VTD_FAULT_SS_PERMISSION : VTD_FAULT_SM_NO_READ;
	default:
		return 0;
	}
}

static struct hw_walk walk_from(const struct way *way, const struct hw_walk_start *start)
{
	const struct hw_fs_access access = access_of(way);
	bool top = start->levels == way->entry.levels;
	struct hw_walk walk = { .no_steps = false };

	if (is_nested(way)) {
		const struct hw_nested nested = nested_of(way);

		walk.no_steps = !way->iommu->walk_cache.levels;
		hw_walk_vtd_nested_to(&way->iommu->walker, &nested, start, &access, &walk);
		return walk;
	}
	if (has_first(way)) {
		walk = hw_walk_vtd_fs_from(&way->iommu->walker, start, &access);
		if (walk.fault == VTD_FAULT_FS_ACCESS && walk.tables == 1 && top)
			walk.fault = VTD_FAULT_FS_TOP_ACCESS;
		return walk;
	}
	hw_walk_vtd_ss_from(&way->iommu->walker, start, way->ask->iova, way->ask->write, &walk);
	walk.fault = hw_vtd_second_stage_fault(&walk, top);
	return walk;
}

/* From the lowest table that the walk cache knows, if that may be asked. */
static struct hw_walk walk_tables(const struct way *way)
{
	struct hw_walk_start start = { way->entry.root, way->entry.levels, true, true };
	struct hw_iommu *iommu = way->iommu;
	const struct hw_ask *ask = way->ask;
	struct hw_walk walk;

	if (uses_caches(way)) {
		u32 level = walk_cache_find(&iommu->walk_cache, tag_of(way), ask->iova, ask->write,
					    &start);

		if (level < WALK_CACHE_LEVELS)
			iommu->hw->costs.walk_hits[level]++;
	}
	walk = walk_from(way, &start);
	if (way->probe)
		return walk;
	iommu->hw->costs.walk_reads += walk.reads;
	return walk;
}

static bool tracks(const struct way *way)
{
	return has_first(way) || way->entry.flags & HW_CONTEXT_TRACK;
}

static u8 mark_nested(const struct way *way, const struct hw_walk *walk, struct hw *hw, bool *dirty)
{
	const struct hw_nested nested = nested_of(way);
	const struct hw_fs_access access = access_of(way);

	/* The short way finds what is marked. */
	*dirty = walk->dirty;
	return walk->accessed
		       ? 0
		       : hw_mark_vtd_nested(&way->iommu->walker, hw, &nested, &access, walk, dirty);
}

/*
 * Accessed and dirty bits of what the walk used. A unit that does not snoop cannot set them.
 * Returns a fault, or 0; *dirty: a write needs to set nothing more.
 */
static u8 mark(const struct way *way, const struct hw_walk *walk, bool *dirty)
{
	bool first = has_first(way);
	struct hw_marks marks = { .accessed = first ? X86_FS_ACCESSED : VTD_SS_ACCESSED,
				  .dirty = first ? X86_FS_DIRTY : VTD_SS_DIRTY,
				  .write = way->ask->write };
	bool may_set = !way->iommu->walker.cache && !way->probe;
	struct hw *hw = may_set ? way->iommu->hw : NULL;
	struct hw_marked marked;

	*dirty = true;
	if (!tracks(way))
		return 0;
	if (is_nested(way))
		return mark_nested(way, walk, hw, dirty);
	if (first && way->entry.flags & HW_CONTEXT_EXT_ACCESSED)
		marks.accessed |= X86_FS_EXT_ACCESSED;
	marked = hw_walk_mark(&way->iommu->walker, hw, walk, way->ask->iova, &marks);
	*dirty = marked.dirty;
	if (marked.lacked && way->iommu->walker.cache)
		return first ? VTD_FAULT_FS_AD_NO_SNOOP : VTD_FAULT_SS_AD_NO_SNOOP;
	return 0;
}

static void fill_tables(const struct way *way, const struct hw_walk *walk)
{
	if (uses_caches(way))
		walk_cache_fill(&way->iommu->walk_cache, tag_of(way), way->ask->iova, walk);
}

/* ---- The whole of it ------------------------------------------------------------------------- */

static struct hw_translation refused(const struct way *way, u16 fault)
{
	return (struct hw_translation){ .fault = fault, .domain = way->entry.domain };
}

/* An interrupt does not come out of a translation. */
static struct hw_translation translated(const struct way *way, phys_addr_t phys, u8 page_lg2)
{
	if (phys >= VTD_MSI_START && phys <= VTD_MSI_LAST)
		return refused(way, VTD_FAULT_SM_INTERRUPT_ADDRESS);
	return (struct hw_translation){
		.page_lg2 = page_lg2,
		.domain = way->entry.domain,
		.phys = phys,
	};
}

static struct hw_translation pass(const struct way *way)
{
	struct hw_translation passed;

	if (way->ask->iova >> way->iommu->walker.address_bits)
		return refused(way, VTD_FAULT_SM_BEYOND_MAX);
	passed = translated(way, way->ask->iova, VTD_SS_GRANULE_LG2);
	passed.pass_through = !passed.fault;
	return passed;
}

/* The cached translation, if it serves the request. Without rights it says: nothing is there. */
static const struct iotlb_entry *find_cached(const struct way *way)
{
	const struct iotlb_entry *hit = NULL;
	bool serves = false;

	if (uses_caches(way))
		hit = iotlb_find(&way->iommu->iotlb, tag_of(way), way->ask->iova);
	if (hit)
		serves = way->ask->write ? hit->write && hit->dirty : hit->read;
	return hit && (serves || !(hit->read || hit->write)) ? hit : NULL;
}

static void fill(const struct way *way, const struct hw_walk *walk, u8 page_lg2, bool dirty)
{
	u64 iova = way->ask->iova;

	if (!uses_caches(way))
		return;
	/* What was there did not serve. */
	iotlb_invalidate_range(&way->iommu->iotlb, tag_of(way), iova, iova);
	iotlb_fill(&way->iommu->iotlb, &(struct iotlb_entry){
					       .page = iova >> page_lg2,
					       .phys = walk->phys & ~((1ULL << page_lg2) - 1),
					       .tag = tag_of(way),
					       .page_lg2 = page_lg2,
					       .read = walk->read,
					       .write = walk->write,
					       .accessed = tracks(way),
					       .dirty = dirty,
				       });
}

static struct hw_translation walk(const struct way *way)
{
	struct hw_walk walk = walk_tables(way);
	struct hw_translation result;
	bool dirty;
	u16 fault;

	/* What is to be marked is not kept before it is: from then on nobody looks at it again. */
	if (!tracks(way))
		fill_tables(way, &walk);
	if (walk.fault) {
		/* Only a second stage is cached as absent. */
		if (way->iommu->caching_mode && walk.absent_lg2)
			fill(way, &(struct hw_walk){ .phys = 0 }, walk.absent_lg2, false);
		return refused(way, walk.fault);
	}
	result = translated(way, walk.phys, walk.page_lg2);
	if (result.fault)
		return result;
	fault = mark(way, &walk, &dirty);
	if (fault)
		return refused(way, fault);
	if (tracks(way))
		fill_tables(way, &walk);
	fill(way, &walk, walk.page_lg2, dirty);
	return result;
}

static struct hw_translation through_tables(const struct way *way)
{
	const struct iotlb_entry *hit;
	u64 iova = way->ask->iova;

	if (has_first(way) && !hw_walk_vtd_fs_reaches(way->entry.levels, iova))
		return refused(way, VTD_FAULT_SM_NOT_CANONICAL);
	if (!has_first(way) && !hw_walk_vtd_ss_reaches(way->entry.levels, iova))
		return refused(way, VTD_FAULT_SM_SS_BEYOND_MAX);
	hit = find_cached(way);
	if (hit) {
		way->iommu->hw->costs.iotlb_hits++;
		if (!hit->read && !hit->write)
			return refused(way, VTD_FAULT_SS_PERMISSION);
		return translated(way, hit->phys | (iova & ((1ULL << hit->page_lg2) - 1)),
				  hit->page_lg2);
	}
	if (!way->probe)
		way->iommu->hw->costs.iotlb_misses++;
	return walk(way);
}

struct hw_translation hw_vtd_translate(struct hw_iommu *iommu, const struct hw_ask *ask, bool probe)
{
	struct way way = {
		.iommu = iommu,
		.ask = ask,
		.probe = probe,
		.pasid = ask->prefix.present ? ask->prefix.pasid : HW_RID_PASID,
	};
	u16 fault;

	/* Only tables of scalable mode know PASIDs. */
	if (!iommu->scalable)
		return refused(&way, VTD_FAULT_SM_TTM_PASID);
	fault = find_way(&way);
	if (fault)
		return refused(&way, fault);
	if (way.entry.type == HW_CONTEXT_PASS_THROUGH)
		return pass(&way);
	return through_tables(&way);
}
