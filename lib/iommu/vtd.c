/* SPDX-License-Identifier: MIT */
/*
 * VT-d invalidation commands: encoding, submitting, waiting (facts "iova-and-page-tables" 3.2).
 */
#include <endian.h>
#include <errno.h>

#include <dmasim/hw/vtd.h>

#include "iommu/iommu.h"

struct vtd_descriptor {
	u64 word[2]; /* little-endian */
};

int vtd_unit_init(struct os *os, struct iommu_unit *unit, const struct platform_iommu *hw)
{
	unit->hw = hw;
	unit->sequence = 0;
	unit->status = page_alloc(os, DMASIM_FAULT_IOMMU_QUEUE);
	return unit->status ? 0 : -ENOMEM;
}

void vtd_unit_fini(struct os *os, struct iommu_unit *unit)
{
	if (unit->status)
		page_free(os, DMASIM_FAULT_IOMMU_QUEUE, unit->status);
	unit->status = NULL;
}

/*
 * The smallest power-of-two window around [start, last], in 4 KiB pages: the bits in which the two
 * differ. Beyond what the unit can take, the whole domain.
 */
static struct vtd_descriptor iotlb_descriptor(const struct iommu_unit *unit, u32 domain, u64 start,
					      u64 last, bool leaf_only)
{
	u64 first = start & ~(u64)(PAGE_SIZE - 1);
	u64 differ = first ^ last;
	u8 bits = differ ? (u8)(64 - __builtin_clzll(differ)) : 0;
	u8 mask_lg2 = bits > PAGE_SHIFT ? (u8)(bits - PAGE_SHIFT) : 0;
	u64 low = VTD_QI_IOTLB | (u64)domain << VTD_IOTLB_DID_SHIFT;
	u64 high = 0;

	if (unit->hw->drain_reads)
		low |= VTD_IOTLB_DR;
	if (unit->hw->drain_writes)
		low |= VTD_IOTLB_DW;
	if (mask_lg2 > unit->hw->max_address_mask) {
		low |= VTD_IOTLB_GRANU_DOMAIN << VTD_IOTLB_GRANU_SHIFT;
	} else {
		low |= VTD_IOTLB_GRANU_PAGE << VTD_IOTLB_GRANU_SHIFT;
		high = (first & ~(((u64)PAGE_SIZE << mask_lg2) - 1)) | mask_lg2;
		if (leaf_only)
			high |= VTD_IOTLB_IH;
	}
	return (struct vtd_descriptor){ { htole64(low), htole64(high) } };
}

static struct vtd_descriptor wait_descriptor(const struct iommu_unit *unit, u32 sequence)
{
	u64 low = VTD_QI_WAIT | VTD_WAIT_STATUS_WRITE | VTD_WAIT_FENCE |
		  (u64)sequence << VTD_WAIT_DATA_SHIFT;

	return (struct vtd_descriptor){ { htole64(low), htole64(page_phys(unit->status)) } };
}

/* The entry of one requester, as it was tagged when it was cached: by its domain. */
static struct vtd_descriptor context_descriptor(u32 domain, u16 requester)
{
	u64 low = VTD_QI_CONTEXT | VTD_CONTEXT_GRANU_DEVICE << VTD_CONTEXT_GRANU_SHIFT |
		  (u64)domain << VTD_CONTEXT_DID_SHIFT | (u64)requester << VTD_CONTEXT_SID_SHIFT;

	return (struct vtd_descriptor){ { htole64(low), 0 } };
}

/* Hands over a batch, whose last descriptor becomes the wait for it. 0 or the queue's error. */
static int execute(struct os *os, struct iommu_unit *unit, struct vtd_descriptor *batch, u32 count)
{
	struct platform *p = os->platform;
	const u32 *status = platform_ptr(p, page_phys(unit->status));
	u32 sequence = ++unit->sequence;
	int err;

	batch[count - 1] = wait_descriptor(unit, sequence);
	platform_point(p, DMASIM_POINT_QUEUE);
	err = p->ops->queue_submit(p->machine, unit->hw->unit, batch, count * sizeof(*batch));
	if (err) {
		/* The next command is another's: it shall have its chance, as in Linux. */
		p->ops->queue_clear_error(p->machine, unit->hw->unit);
		return err;
	}
	p->ops->queue_wait(p->machine, unit->hw->unit);
	return le32toh(*status) == sequence ? 0 : -ETIMEDOUT;
}

int vtd_invalidate(struct os *os, struct iommu_unit *unit, u32 domain, u64 start, u64 last,
		   bool leaf_only)
{
	struct vtd_descriptor batch[2];

	batch[0] = iotlb_descriptor(unit, domain, start, last, leaf_only);
	os->costs.invalidations++;
	return execute(os, unit, batch, 2);
}

int vtd_invalidate_context(struct os *os, struct iommu_unit *unit, u16 requester, u32 tag,
			   u32 domain)
{
	struct vtd_descriptor batch[3];

	/* First who translates, then what: else the old entry could bring the old back. */
	batch[0] = context_descriptor(tag, requester);
	batch[1] = iotlb_descriptor(unit, domain, 0, ~0ULL, false);
	os->costs.invalidations++;
	return execute(os, unit, batch, 3);
}
