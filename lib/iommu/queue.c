/* SPDX-License-Identifier: MIT */
/*
 * Batches of commands: submitting them, waiting for them, and what is in them for each change.
 */
#include <endian.h>
#include <errno.h>

#include <dmasim/contract.h>

#include "iommu/iommu.h"
#include "pci/ats.h"

static const struct iommu_arch *const archs[] = {
	[PLATFORM_IOMMU_VTD] = &iommu_vtd,
	[PLATFORM_IOMMU_AMD] = &iommu_amd,
	[PLATFORM_IOMMU_RISCV] = &iommu_riscv,
	[PLATFORM_IOMMU_SMMUV3] = &iommu_smmuv3,
};

/* Where there is a first stage, mappings go there. */
static const struct iommu_arch *arch_of(const struct platform_iommu *hw)
{
	if (!hw->scalable)
		return archs[hw->arch];
	return hw->first_levels ? &iommu_vtd_first_stage : &iommu_vtd_scalable;
}

int iommu_unit_init(struct os *os, struct iommu_unit *unit, const struct platform_iommu *hw)
{
	unit->hw = hw;
	unit->arch = arch_of(hw);
	unit->status_used = 0;
	unit->sequence = 0;
	unit->status = page_alloc(os, DMASIM_FAULT_IOMMU_QUEUE);
	return unit->status ? 0 : -ENOMEM;
}

void iommu_unit_fini(struct os *os, struct iommu_unit *unit)
{
	if (unit->status)
		page_free(os, DMASIM_FAULT_IOMMU_QUEUE, unit->status);
	unit->status = NULL;
}

void iommu_batch_begin(struct iommu_batch *batch, struct os *os, struct iommu_unit *unit)
{
	batch->os = os;
	batch->unit = unit;
	batch->err = 0;
	batch->count = 0;
}

/* As wide as the unit takes them: what a command does not use is 0. */
DMASIM_HOT static int submit(struct iommu_batch *batch)
{
	struct platform *p = batch->os->platform;
	const struct platform_iommu *hw = batch->unit->hw;
	struct {
		struct iommu_command command, rest;
	} wide[IOMMU_BATCH_MAX + 1];

	if (!hw->wide_commands)
		return p->ops->queue_submit(p->machine, hw->unit, batch->command,
					    batch->count * sizeof(*batch->command));
	for (u32 i = 0; i < batch->count; i++) {
		wide[i].command = batch->command[i];
		wide[i].rest = (struct iommu_command){ { 0, 0 } };
	}
	return p->ops->queue_submit(p->machine, hw->unit, wide, batch->count * sizeof(*wide));
}

/*
 * Hands over the commands, with a wait that stores at a place of this batch alone. Batches of other
 * CPUs say nothing: they may have been handed over in another order than they were numbered, and
 * one that met an error takes all that is in the queue with it. 0 or the error of these commands.
 */
static int execute_with(struct iommu_batch *batch, u32 place)
{
	struct platform *p = batch->os->platform;
	struct iommu_unit *unit = batch->unit;
	phys_addr_t phys = page_phys(unit->status) + place * sizeof(u64);
	const u64 *status = platform_ptr(p, phys);
	u32 sequence = ++unit->sequence;
	int err;

	batch->command[batch->count++] = unit->arch->wait(phys, sequence);
	platform_point(p, DMASIM_POINT_QUEUE);
	err = submit(batch);
	if (!err)
		err = p->ops->queue_wait(p->machine, unit->hw->unit);
	if (err) {
		/* The next command is another's: it shall have its chance, as in Linux. */
		p->ops->queue_clear_error(p->machine, unit->hw->unit);
		return err;
	}
	return (u32)le64toh(*status) == sequence ? 0 : -ETIMEDOUT;
}

static int execute(struct iommu_batch *batch)
{
	struct iommu_unit *unit = batch->unit;
	u32 place;
	int err;

	DMASIM_CONTRACT(~unit->status_used, "no more than 64 CPUs wait at once");
	place = (u32)__builtin_ctzll(~unit->status_used);
	unit->status_used |= 1ULL << place;
	err = execute_with(batch, place);
	unit->status_used &= ~(1ULL << place);
	return err;
}

DMASIM_HOT int iommu_batch_execute(struct iommu_batch *batch)
{
	int err = batch->count ? execute(batch) : 0;

	batch->count = 0;
	if (!batch->err)
		batch->err = err;
	return batch->err;
}

DMASIM_HOT void iommu_batch_add(struct iommu_batch *batch, struct iommu_command command)
{
	if (batch->count == IOMMU_BATCH_MAX)
		iommu_batch_execute(batch);
	batch->command[batch->count++] = command;
}

static void add_range(struct iommu_batch *batch, const struct iommu_range *range)
{
	batch->os->costs.invalidations++;
	batch->unit->arch->range(batch, range);
}

/* Nothing, if it has no TLB that is in use. */
DMASIM_HOT static void add_device_range(struct iommu_batch *batch, const struct pci_dev *pdev,
					u64 start, u64 last)
{
	u16 requester = (u16)pdev->dev.id;
	/* A physical function and its virtual ones take invalidations from one queue. */
	u16 queue = pdev->is_virtfn ? (u16)pdev->physfn->dev.id : requester;

	if (!pdev->ats_enabled)
		return;
	batch->os->costs.device_tlb_invalidations++;
	iommu_batch_add(batch, batch->unit->arch->device_range(
				       batch->unit, &(struct iommu_device_range){
							    .requester = requester,
							    .queue = queue,
							    .depth = pci_ats_queue_depth(pdev),
							    .start = start,
							    .last = last,
						    }));
}

bool iommu_wants_device_tlb(const struct pci_dev *pdev)
{
	const struct iommu_unit *unit = pdev->dev.iommu_group->unit;

	/* Behind VMD its number is not its own: nobody could invalidate it. */
	return unit->hw->device_tlb && !unit->hw->scalable && !pdev->real_dma &&
	       unit->arch->device_range && pci_ats_supported(pdev);
}

/* What follows needs what is in the batch to be over. */
static void keep_order(struct iommu_batch *batch)
{
	if (batch->unit->arch->commands_overtake)
		iommu_batch_execute(batch);
}

/*
 * One of these devices has not answered, and what stood behind its command is lost: each is told
 * again, by itself.
 */
static void invalidate_each_device(struct iommu_domain *domain, u64 start, u64 last)
{
	for (const struct pci_dev *pdev = domain->attached; pdev; pdev = pdev->domain_next) {
		struct iommu_batch batch;

		iommu_batch_begin(&batch, domain->os, domain->unit);
		add_device_range(&batch, pdev, start, last);
		iommu_batch_execute(&batch);
	}
}

DMASIM_HOT int iommu_invalidate(struct iommu_domain *domain, const struct iommu_range *range)
{
	const struct pci_dev *pdev;
	struct iommu_batch batch;
	u32 devices = 0;
	int err;

	iommu_batch_begin(&batch, domain->os, domain->unit);
	add_range(&batch, range);
	for (pdev = domain->attached; pdev; pdev = pdev->domain_next) {
		if (pdev->ats_enabled && !devices++)
			keep_order(&batch);
		add_device_range(&batch, pdev, range->start, range->last);
	}
	err = iommu_batch_execute(&batch);
	if (err == -ETIMEDOUT && devices > 1)
		invalidate_each_device(domain, range->start, range->last);
	return err;
}

DMASIM_HOT int iommu_invalidate_mapped(struct iommu_domain *domain, u64 start, u64 last)
{
	struct iommu_range range = { .domain = domain->id, .start = start, .tables = true };
	const struct iommu_arch *arch = domain->unit->arch;
	struct iommu_batch batch;

	if (!domain->unit->hw->caching_mode || arch->first_stage)
		return 0;
	iommu_batch_begin(&batch, domain->os, domain->unit);
	for (;; range.start = range.last + 1) {
		range.last = arch->first_piece ? arch->first_piece(range.start, last) : last;
		add_range(&batch, &range);
		if (range.last == last)
			return iommu_batch_execute(&batch);
	}
}

int iommu_invalidate_context(struct pci_dev *pdev, u16 requester, u32 tag, u32 domain)
{
	struct iommu_unit *unit = pdev->dev.iommu_group->unit;
	const struct iommu_range all = { .domain = domain, .last = ~0ULL, .tables = true };
	struct iommu_batch batch;

	/* First who translates, then what: else the old entry could bring the old back. */
	iommu_batch_begin(&batch, pdev->dev.os, unit);
	/* Of what was absent the entry that leads there may be cached as such, too. */
	if (!tag && unit->arch->leading_context)
		iommu_batch_add(&batch, unit->arch->leading_context(requester));
	iommu_batch_add(&batch, unit->arch->context(requester, tag));
	keep_order(&batch);
	add_range(&batch, &all);
	if (requester == (u16)pdev->dev.id && pdev->ats_enabled) {
		keep_order(&batch);
		add_device_range(&batch, pdev, 0, ~0ULL);
	}
	return iommu_batch_execute(&batch);
}
