/* SPDX-License-Identifier: MIT */
/*
 * VT-d queued invalidation: decoding and executing the architecture's own descriptors
 * (facts "iova-and-page-tables" 3.2).
 *
 * Known here: all of legacy mode, which are the types 1 to 5. The others belong to scalable mode or
 * to nothing: they are an invalidation queue error, as is a reserved bit that is set or a
 * granularity that does not exist.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <dmasim/contract.h>
#include <dmasim/hw/vtd.h>

#include "hw/hw.h"

#define DESCRIPTOR_BYTES 16

static void trace_iotlb(const struct hw_iommu *iommu, const char *what,
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

static void tell(struct hw_iommu *iommu, const struct hw_invalidation *done)
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;

	if (hooks->invalidated)
		hooks->invalidated(hooks->cookie, iommu, done);
}

static void completed(struct hw_iommu *iommu, const char *what, const struct hw_invalidation *done)
{
	iommu->hw->costs.invalidations++;
	trace_iotlb(iommu, what, done);
	tell(iommu, done);
}

/* The page-selective form: AM low bits of the page number are ignored. False: AM too large. */
static bool invalidate_pages(struct hw_iommu *iommu, struct hw_invalidation *done, u64 word)
{
	u8 mask_lg2 = word & VTD_IOTLB_AM_MASK;
	u64 within;

	if (mask_lg2 > iommu->max_address_mask)
		return false;
	within = mask_lg2 < 52 ? (1ULL << (12 + mask_lg2)) - 1 : ~0ULL;
	done->leaf_only = word & VTD_IOTLB_IH;
	done->start = word & VTD_IOTLB_ADDR_MASK & ~within;
	done->last = done->start | within;
	iotlb_invalidate_range(&iommu->iotlb, done->domain, done->start, done->last);
	if (!done->leaf_only)
		walk_cache_invalidate_range(&iommu->walk_cache, done->domain, done->start,
					    done->last);
	completed(iommu, "page", done);
	return true;
}

static bool execute_iotlb(struct hw_iommu *iommu, const u64 word[2])
{
	struct hw_invalidation done = {
		.what = HW_INVALIDATED_IOTLB,
		.domain = (u16)(word[0] >> VTD_IOTLB_DID_SHIFT),
		.last = ~0ULL,
		.drain_reads = word[0] & VTD_IOTLB_DR,
		.drain_writes = word[0] & VTD_IOTLB_DW,
	};

	if ((word[0] & VTD_IOTLB_RESERVED_0) || (word[1] & VTD_IOTLB_RESERVED_1))
		return false;
	switch ((word[0] >> VTD_IOTLB_GRANU_SHIFT) & VTD_IOTLB_GRANU_MASK) {
	case VTD_IOTLB_GRANU_GLOBAL:
		done.all_domains = true;
		done.domain = 0;
		iotlb_invalidate_all(&iommu->iotlb);
		walk_cache_invalidate_all(&iommu->walk_cache);
		completed(iommu, "global", &done);
		return true;
	case VTD_IOTLB_GRANU_DOMAIN:
		iotlb_invalidate_domain(&iommu->iotlb, done.domain);
		walk_cache_invalidate_domain(&iommu->walk_cache, done.domain);
		completed(iommu, "domain", &done);
		return true;
	case VTD_IOTLB_GRANU_PAGE:
		return invalidate_pages(iommu, &done, word[1]);
	default:
		return false;
	}
}

static void trace_context(const struct hw_iommu *iommu, const char *what,
			  const struct hw_invalidation *done)
{
	struct trace *trace = &iommu->hw->world->trace;

	if (!trace_begin(trace, "qi_context"))
		return;
	trace_dec(trace, "unit", iommu->unit);
	trace_word(trace, "granularity", what);
	if (!done->all_domains)
		trace_dec(trace, "dom", done->domain);
	if (done->requester_ignored != 0xffff) {
		trace_hex(trace, "source", done->requester);
		trace_hex(trace, "ignored", done->requester_ignored);
	}
	trace_end(trace);
}

/* The bits of a requester that a function mask leaves out, from the highest of the function on. */
static u16 function_bits(u64 mask)
{
	return (u16)(0x7 & ~(0x7U >> mask));
}

static bool execute_context(struct hw_iommu *iommu, const u64 word[2])
{
	static const char *const names[] = { NULL, "global", "domain", "device" };
	u64 granularity = (word[0] >> VTD_CONTEXT_GRANU_SHIFT) & VTD_CONTEXT_GRANU_MASK;
	u64 mask = (word[0] >> VTD_CONTEXT_FM_SHIFT) & VTD_CONTEXT_FM_MASK;
	struct hw_invalidation done = {
		.what = HW_INVALIDATED_CONTEXT,
		.last = ~0ULL,
		.requester_ignored = 0xffff,
	};

	if ((word[0] & VTD_CONTEXT_RESERVED_0) || (word[1] & VTD_CONTEXT_RESERVED_1))
		return false;
	if (!names[granularity])
		return false;
	if (granularity == VTD_CONTEXT_GRANU_GLOBAL)
		done.all_domains = true;
	else
		done.domain = (u16)(word[0] >> VTD_CONTEXT_DID_SHIFT);
	if (granularity == VTD_CONTEXT_GRANU_DEVICE) {
		done.requester = (u16)(word[0] >> VTD_CONTEXT_SID_SHIFT);
		done.requester_ignored = function_bits(mask);
	}
	context_cache_invalidate(&iommu->context_cache, done.all_domains, done.domain,
				 done.requester, done.requester_ignored);
	iommu->hw->costs.context_invalidations++;
	trace_context(iommu, names[granularity], &done);
	tell(iommu, &done);
	return true;
}

/* Without S one page; with it the lowest 0 from bit 12 on says how much: bit 12 is 8 KiB. */
static u64 device_tlb_within(u64 word)
{
	u64 address = word & VTD_DEVICE_TLB_ADDR_MASK;
	u64 zeros = ~(address | 0xfff);

	if (!(word & VTD_DEVICE_TLB_SIZE))
		return 0xfff;
	return zeros ? ((zeros & -zeros) << 1) - 1 : ~0ULL;
}

/* No device has a TLB here: the command is decoded, counted and told. */
static bool execute_device_tlb(struct hw_iommu *iommu, const u64 word[2])
{
	u64 reserved = VTD_DEVICE_TLB_RESERVED_0 | (iommu->pf_requester ? 0 : VTD_DEVICE_TLB_PFSID);
	u64 within = device_tlb_within(word[1]);
	u64 depth = (word[0] >> VTD_DEVICE_TLB_QDEP_SHIFT) & VTD_DEVICE_TLB_QDEP_MASK;
	u64 low = (word[0] >> VTD_DEVICE_TLB_PFSID_LOW_SHIFT) & VTD_DEVICE_TLB_PFSID_LOW_MASK;
	struct hw_invalidation done = {
		.what = HW_INVALIDATED_DEVICE_TLB,
		.all_domains = true,
		.start = word[1] & VTD_DEVICE_TLB_ADDR_MASK & ~within,
		.queue_depth = depth ? (u8)depth : 32,
		.requester = (u16)(word[0] >> VTD_DEVICE_TLB_SID_SHIFT),
		.pf_requester = (u16)(word[0] >> VTD_DEVICE_TLB_PFSID_HIGH_SHIFT << 4 | low),
	};

	/* A unit that knows no such TLBs does not know the command either. */
	if (!iommu->walker.device_tlb)
		return false;
	if ((word[0] & reserved) || (word[1] & VTD_DEVICE_TLB_RESERVED_1))
		return false;
	done.last = done.start | within;
	iommu->hw->costs.device_tlb_invalidations++;
	tell(iommu, &done);
	return true;
}

static bool execute_interrupt(struct hw_iommu *iommu, const u64 word[2])
{
	u64 within = (1ULL << ((word[0] >> VTD_INTERRUPT_IM_SHIFT) & VTD_INTERRUPT_IM_MASK)) - 1;
	u16 index = (u16)(word[0] >> VTD_INTERRUPT_INDEX_SHIFT);
	struct hw_invalidation done = {
		.what = HW_INVALIDATED_INTERRUPT,
		.all_domains = true,
		.last = 0xffff,
	};

	if ((word[0] & VTD_INTERRUPT_RESERVED_0) || (word[1] & VTD_INTERRUPT_RESERVED_1))
		return false;
	if (word[0] & VTD_INTERRUPT_SELECTIVE) {
		done.start = index & ~within;
		done.last = (index | within) & 0xffff;
	}
	iommu->hw->costs.interrupt_invalidations++;
	tell(iommu, &done);
	return true;
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
	case VTD_QI_CONTEXT:
		return execute_context(iommu, word);
	case VTD_QI_IOTLB:
		return execute_iotlb(iommu, word);
	case VTD_QI_DEVICE_TLB:
		return execute_device_tlb(iommu, word);
	case VTD_QI_INTERRUPT:
		return execute_interrupt(iommu, word);
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
