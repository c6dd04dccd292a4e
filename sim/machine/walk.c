/* SPDX-License-Identifier: MIT */
/*
 * Translations step by step, as the public API gives them.
 */
#include <errno.h>

#include <dmasim/walk.h>

#include "check/fault_text.h"
#include "hw/steps.h"
#include "machine/machine.h"

static void tell_context(const struct hw_steps *steps, struct dmasim_walk *walk)
{
	bool passes = steps->context.type == HW_CONTEXT_PASS_THROUGH;

	walk->context = steps->context_refuses ? DMASIM_WALK_ABSENT
			: passes	       ? DMASIM_WALK_PASS_THROUGH
					       : DMASIM_WALK_TRANSLATE;
	walk->context_hit = steps->context_hit;
	walk->domain = steps->context.domain;
	walk->levels = steps->context.levels;
	walk->root = steps->context.root;
}

static void tell_caches(const struct hw_steps *steps, struct dmasim_walk *walk)
{
	const struct iotlb_entry *cached = &steps->iotlb;

	walk->iotlb_found = steps->iotlb_found;
	walk->iotlb_hit = steps->iotlb_hit;
	walk->iotlb_iova = cached->page << cached->page_lg2;
	walk->iotlb_phys = cached->phys;
	walk->iotlb_lg2 = cached->page_lg2;
	walk->iotlb_read = cached->read;
	walk->iotlb_write = cached->write;
	walk->beyond = steps->beyond;
	if (!steps->walked)
		return;
	walk->walk_cache_hit = steps->known < WALK_CACHE_LEVELS;
	walk->start_level = steps->start.levels - 1;
	walk->start_table = steps->start.table;
	walk->start_read = steps->start.read;
	walk->start_write = steps->start.write;
}

/*
 * What an entry leaves is what the next table is reached with; the last one's is the walk's, and
 * nothing if that entry is absent.
 */
static void tell_entries(const struct hw_steps *steps, struct dmasim_walk *walk)
{
	const struct hw_walk *done = &steps->walk;
	bool read = done->read && !done->absent_lg2, write = done->write && !done->absent_lg2;

	walk->entries = done->tables;
	for (u32 i = 0; i < walk->entries; i++) {
		bool last = i + 1 == walk->entries;

		walk->entry[i] = (struct dmasim_walk_entry){
			.level = done->step[i].levels - 1,
			.table = done->step[i].table,
			.index = (u32)((steps->at[i] - done->step[i].table) /
				       sizeof(steps->entry[i])),
			.at = steps->at[i],
			.value = steps->entry[i],
			.fetched = steps->fetched[i],
			.read = last ? read : done->step[i + 1].read,
			.write = last ? write : done->step[i + 1].write,
		};
	}
}

/* The record that the unit would write, in its driver's words. */
static void tell_fault(const struct hw_iommu *iommu, const struct hw_refusal *refusal,
		       struct dmasim_walk *walk)
{
	struct hw_fault_record record = iommu->arch->record(refusal);
	struct text text;

	text_init(&text, walk->line, sizeof(walk->line));
	fault_text(&text, iommu, &record);
}

static void tell_result(const struct hw_steps *steps, const struct hw_translation *found,
			struct dmasim_walk *walk)
{
	walk->fault = found->fault;
	walk->fault_flags = found->fault_flags;
	if (found->fault)
		return;
	walk->page_lg2 = found->page_lg2;
	walk->phys = found->phys;
	walk->read = found->pass_through ||
		     (steps->iotlb_hit ? walk->iotlb_read : steps->walk.read);
	walk->write = found->pass_through ||
		      (steps->iotlb_hit ? walk->iotlb_write : steps->walk.write);
}

static void trace_walk(struct dmasim *s, const struct pci_dev *pdev, dma_addr_t dma, bool write,
		       const struct dmasim_walk *walk)
{
	struct trace *trace = &s->world.trace;

	if (!trace_begin(trace, "dev_walk"))
		return;
	trace_bdf(trace, "dev", pdev->dev.id);
	trace_hex(trace, "dma", dma);
	trace_word(trace, "dir", write ? "write" : "read");
	trace_hex(trace, "phys", walk->phys);
	trace_hex(trace, "reason", walk->fault);
	trace_end(trace);
}

static int walk_of(struct pci_dev *pdev, dma_addr_t dma, bool write, bool probe,
		   struct dmasim_walk *walk)
{
	struct dmasim *s = machine_of(pdev);
	struct hw_request request = { .address = dma, .write = write, .probe = true };
	struct hw_translation found;
	struct hw_target target;
	struct hw_steps steps;

	*walk = (struct dmasim_walk){ .context = DMASIM_WALK_NO_IOMMU };
	if (!machine_start(s))
		return -ENOMEM;
	request.from = machine_function(pdev);
	target = hw_route(&s->hw, &request, NULL);
	if (!target.iommu)
		return 0;
	/* As before any request: commands that wait may be executed by now. */
	if (!probe && hw_queue_pending(&target.iommu->queue))
		hw_queue_run(target.iommu);
	found = probe ? hw_translate_probe_steps(target.iommu, target.requester, dma, write, &steps)
		      : hw_translate_steps(target.iommu, target.requester, dma, write, &steps);
	walk->requester = target.requester;
	tell_context(&steps, walk);
	tell_caches(&steps, walk);
	tell_entries(&steps, walk);
	tell_result(&steps, &found, walk);
	if (found.fault)
		tell_fault(target.iommu,
			   &(struct hw_refusal){ .requester = target.requester,
						 .domain = found.domain,
						 .iova = dma,
						 .write = write,
						 .code = found.fault,
						 .flags = found.fault_flags },
			   walk);
	if (!probe)
		trace_walk(s, pdev, dma, write, walk);
	return 0;
}

int dmasim_walk(struct pci_dev *pdev, dma_addr_t dma, bool write, struct dmasim_walk *walk)
{
	DMASIM_CONTRACT(walk, "there is a place for the walk");
	return walk_of(pdev, dma, write, false, walk);
}

int dmasim_walk_probe(struct pci_dev *pdev, dma_addr_t dma, bool write, struct dmasim_walk *walk)
{
	DMASIM_CONTRACT(walk, "there is a place for the walk");
	return walk_of(pdev, dma, write, true, walk);
}
