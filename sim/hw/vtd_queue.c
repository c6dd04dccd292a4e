/* SPDX-License-Identifier: MIT */
/*
 * VT-d queued invalidation: decoding and executing the architecture's own descriptors
 * (facts "iova-and-page-tables" 3.2).
 *
 * Known here: IOTLB invalidation (global, domain, page) and the wait descriptor. Any other type is
 * an invalidation queue error, as is a reserved bit that is set.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <dmasim/contract.h>
#include <dmasim/hw/vtd.h>

#include "hw/hw.h"

#define DESCRIPTOR_BYTES 16

static void trace_invalidation(const struct hw_iommu *iommu, const char *what,
			       const struct hw_invalidation *done)
{
	struct trace *trace = &iommu->hw->world->trace;

	if (!trace_begin(trace, "qi_iotlb"))
		return;
	trace_dec(trace, "unit", iommu->unit);
	trace_word(trace, "granularity", what);
	if (!done->all_domains)
		trace_dec(trace, "dom", done->domain);
	if (done->last != ~0ULL) {
		trace_hex(trace, "dma", done->start);
		trace_dec(trace, "size", done->last - done->start + 1);
	}
	trace_dec(trace, "ih", done->leaf_only);
	trace_end(trace);
}

static void completed(struct hw_iommu *iommu, const char *what, const struct hw_invalidation *done)
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;

	iommu->hw->costs.invalidations++;
	trace_invalidation(iommu, what, done);
	if (hooks->invalidated)
		hooks->invalidated(hooks->cookie, iommu, done);
}

/* The page-selective form: AM low bits of the page number are ignored. False: AM too large. */
static bool invalidate_pages(struct hw_iommu *iommu, u16 domain, u64 word)
{
	u8 mask_lg2 = word & VTD_IOTLB_AM_MASK;
	struct hw_invalidation done = { .domain = domain, .leaf_only = word & VTD_IOTLB_IH };
	u64 within;

	if (mask_lg2 > iommu->max_address_mask)
		return false;
	within = mask_lg2 < 52 ? (1ULL << (12 + mask_lg2)) - 1 : ~0ULL;
	done.start = word & VTD_IOTLB_ADDR_MASK & ~within;
	done.last = done.start | within;
	iotlb_invalidate_range(&iommu->iotlb, domain, done.start, done.last);
	completed(iommu, "page", &done);
	return true;
}

static bool execute_iotlb(struct hw_iommu *iommu, const u64 word[2])
{
	u16 domain = (u16)(word[0] >> VTD_IOTLB_DID_SHIFT);

	if ((word[0] & VTD_IOTLB_RESERVED_0) || (word[1] & VTD_IOTLB_RESERVED_1))
		return false;
	switch ((word[0] >> VTD_IOTLB_GRANU_SHIFT) & VTD_IOTLB_GRANU_MASK) {
	case VTD_IOTLB_GRANU_GLOBAL:
		iotlb_invalidate_all(&iommu->iotlb);
		completed(iommu, "global",
			  &(struct hw_invalidation){ .all_domains = true, .last = ~0ULL });
		return true;
	case VTD_IOTLB_GRANU_DOMAIN:
		iotlb_invalidate_domain(&iommu->iotlb, domain);
		completed(iommu, "domain",
			  &(struct hw_invalidation){ .domain = domain, .last = ~0ULL });
		return true;
	case VTD_IOTLB_GRANU_PAGE:
		return invalidate_pages(iommu, domain, word[1]);
	default:
		return false;
	}
}

static bool execute_wait(struct hw_iommu *iommu, const u64 word[2])
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;
	u32 status = htole32((u32)(word[0] >> VTD_WAIT_DATA_SHIFT));

	if ((word[0] & VTD_WAIT_RESERVED_0) || (word[1] & VTD_WAIT_RESERVED_1))
		return false;
	if (word[0] & VTD_WAIT_STATUS_WRITE)
		ram_write(&iommu->hw->ram, word[1] & VTD_WAIT_ADDR_MASK, &status, sizeof(status));
	if (word[0] & VTD_WAIT_INTERRUPT)
		iommu->hw->costs.wait_interrupts++;
	if (hooks->waited)
		hooks->waited(hooks->cookie, iommu);
	return true;
}

static bool execute(struct hw_iommu *iommu, const u64 word[2])
{
	switch (word[0] & VTD_QI_TYPE_MASK) {
	case VTD_QI_IOTLB:
		return execute_iotlb(iommu, word);
	case VTD_QI_WAIT:
		return execute_wait(iommu, word);
	default:
		return false;
	}
}

int hw_queue_execute(struct hw_iommu *iommu, const void *commands, size_t bytes)
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;
	const u8 *at = commands;

	DMASIM_CONTRACT(!(bytes % DESCRIPTOR_BYTES), "commands have 16 bytes");
	if (iommu->fault_status & VTD_FSTS_IQE)
		return -EINVAL;
	for (size_t done = 0; done < bytes; done += DESCRIPTOR_BYTES) {
		u64 word[2];

		memcpy(word, at + done, sizeof(word));
		word[0] = le64toh(word[0]);
		word[1] = le64toh(word[1]);
		if (execute(iommu, word))
			continue;
		iommu->fault_status |= VTD_FSTS_IQE;
		if (hooks->queue_error)
			hooks->queue_error(hooks->cookie, iommu, word);
		return -EINVAL;
	}
	return 0;
}

void hw_queue_resume(struct hw_iommu *iommu)
{
	iommu->fault_status &= ~VTD_FSTS_IQE;
}
