/* SPDX-License-Identifier: MIT */
/*
 * Where the facts leave a choice:
 *   - with AV clear, the address, S and NL are ignored; reserved bits never are;
 *   - NL, S and the commands of ATS are malformed where the unit has no such thing;
 *   - a window whose page number is all ones, of which nothing is specified, forgets nothing;
 *   - there are no virtual machines: commands for one, and for second stages, forget nothing; nor
 *     do those for entries of processes, of which there are none; they must say the device [M];
 *   - PSCIDs and device numbers beyond 16 bits are nobody's, and a segment is the unit's own or
 *     nobody's;
 *   - globals are not modelled: no table of an IOMMU's own has them;
 *   - nothing behind a fence is executed before it.
 */
#include "hw/riscv_queue.h"

#include <dmasim/hw/riscv_iommu.h>

#include "hw/iommu.h"

#define PAGE_LG2    12
#define NUMBER_BITS 52 /* of a page */
#define IDS	    0xffffU

/* A field that is wider than what anybody has. */
static bool is_somebody(u64 id)
{
	return id <= IDS;
}

/* The window that a page number codes: below its first zero, ones double it each. */
static bool decode_window(u64 number, bool coded, struct hw_invalidation *what)
{
	u64 pages = 1, ones = ~number;

	if (coded) {
		if (!(ones & ((1ULL << NUMBER_BITS) - 1)))
			return false;
		pages = 2ULL << __builtin_ctzll(ones);
	}
	number &= ~(pages - 1);
	what->start = number << PAGE_LG2;
	what->last = what->start + ((pages << PAGE_LG2) - 1);
	return true;
}

static bool decode_iotinval(const struct hw_iommu *iommu, const u64 word[2],
			    struct hw_command *command)
{
	u64 function = word[0] >> RISCV_CMD_FUNCTION_SHIFT & RISCV_CMD_FUNCTION_MASK;
	u64 number = word[1] >> RISCV_IOTINVAL_ADDR_SHIFT & RISCV_IOTINVAL_ADDR_MASK;
	u64 pscid = word[0] >> RISCV_IOTINVAL_PSCID_SHIFT & RISCV_IOTINVAL_PSCID_MASK;
	bool one = word[0] & RISCV_IOTINVAL_PSCV, window = word[0] & RISCV_IOTINVAL_AV;
	bool tables = !window || word[0] & RISCV_IOTINVAL_NL;

	if (word[0] & RISCV_IOTINVAL_RESERVED_0 || word[1] & RISCV_IOTINVAL_RESERVED_1 ||
	    function > RISCV_IOTINVAL_GVMA || (function == RISCV_IOTINVAL_GVMA && one))
		return false;
	if ((word[0] & RISCV_IOTINVAL_NL && !iommu->forgets_tables) ||
	    (word[1] & RISCV_IOTINVAL_S && !iommu->forgets_windows))
		return false;
	command->granularity = window ? "address" : one ? "space" : "all";
	command->invalidation = (struct hw_invalidation){
		.what = HW_INVALIDATED_IOTLB,
		.all_domains = !one,
		.domain = one ? (u16)pscid : 0,
		.last = ~0ULL,
		.leaf_only = !tables,
		.drain_reads = true,
		.drain_writes = true,
	};
	if ((window &&
	     !decode_window(number, word[1] & RISCV_IOTINVAL_S, &command->invalidation)) ||
	    function == RISCV_IOTINVAL_GVMA || word[0] & RISCV_IOTINVAL_GV ||
	    (one && !is_somebody(pscid)))
		command->kind = HW_COMMAND_NOTHING;
	return true;
}

static bool decode_iofence(const u64 word[2], struct hw_command *command)
{
	u64 function = word[0] >> RISCV_CMD_FUNCTION_SHIFT & RISCV_CMD_FUNCTION_MASK;

	command->kind = HW_COMMAND_WAIT;
	command->wait = (struct hw_wait){
		.store_bytes = word[0] & RISCV_IOFENCE_AV ? sizeof(u32) : 0,
		.interrupt = word[0] & RISCV_IOFENCE_WSI,
		.fence = true,
		.store_at = (word[1] & RISCV_IOFENCE_ADDR_MASK) << RISCV_IOFENCE_ADDR_SHIFT,
		.value = word[0] >> RISCV_IOFENCE_DATA_SHIFT,
	};
	return function == RISCV_IOFENCE_C && !(word[0] & RISCV_IOFENCE_RESERVED_0) &&
	       !(word[1] & ~RISCV_IOFENCE_ADDR_MASK);
}

static bool decode_iodir(const u64 word[2], struct hw_command *command)
{
	u64 function = word[0] >> RISCV_CMD_FUNCTION_SHIFT & RISCV_CMD_FUNCTION_MASK;
	u64 device = word[0] >> RISCV_IODIR_DID_SHIFT & RISCV_IODIR_DID_MASK;
	u64 process = word[0] >> RISCV_IODIR_PID_SHIFT & RISCV_IODIR_PID_MASK;
	bool one = word[0] & RISCV_IODIR_DV;

	if (word[0] & RISCV_IODIR_RESERVED_0 || word[1] || function > RISCV_IODIR_PDT ||
	    (function == RISCV_IODIR_DDT ? process : !one))
		return false;
	command->granularity = one ? "device" : "all";
	command->invalidation = (struct hw_invalidation){
		.what = HW_INVALIDATED_CONTEXT,
		.all_domains = true,
		.last = ~0ULL,
		.requester = one ? (u16)device : 0,
		.requester_ignored = one ? 0 : 0xffff,
	};
	if (function == RISCV_IODIR_PDT || (one && !is_somebody(device)))
		command->kind = HW_COMMAND_NOTHING;
	return true;
}

static bool decode_ats(const struct hw_iommu *iommu, const u64 word[2], struct hw_command *command)
{
	u64 function = word[0] >> RISCV_CMD_FUNCTION_SHIFT & RISCV_CMD_FUNCTION_MASK;
	u64 segment = word[0] >> RISCV_ATS_DSEG_SHIFT & RISCV_ATS_DSEG_MASK;
	u16 requester = word[0] >> RISCV_ATS_RID_SHIFT & RISCV_ATS_RID_MASK;
	struct hw_invalidation *what = &command->invalidation;

	if (!iommu->walker.device_tlb || word[0] & RISCV_ATS_RESERVED_0 ||
	    function > RISCV_ATS_PRGR)
		return false;
	command->kind = HW_COMMAND_NOTHING;
	if (function == RISCV_ATS_PRGR)
		return true;
	if (word[1] & RISCV_ATS_RESERVED_1)
		return false;
	*what = (struct hw_invalidation){
		.what = HW_INVALIDATED_DEVICE_TLB,
		.all_domains = true,
		.has_pasid = word[0] & RISCV_ATS_PV,
		.all_pasids = word[1] & RISCV_ATS_GLOBAL,
		.pasid = word[0] >> RISCV_ATS_PID_SHIFT & RISCV_ATS_PID_MASK,
		.queue_depth = 32,
		.requester = requester,
		.pf_requester = requester,
	};
	if (decode_window(word[1] >> PAGE_LG2, word[1] & RISCV_ATS_S, what) &&
	    (!(word[0] & RISCV_ATS_DSV) || segment == hw_iommu_segment(iommu)))
		command->kind = HW_COMMAND_INVALIDATE;
	return true;
}

DMASIM_HOT bool hw_riscv_decode(const struct hw_iommu *iommu, const u64 word[2],
				struct hw_command *command)
{
	switch (word[0] & RISCV_CMD_OPCODE_MASK) {
	case RISCV_CMD_IOTINVAL:
		return decode_iotinval(iommu, word, command);
	case RISCV_CMD_IOFENCE:
		return decode_iofence(word, command);
	case RISCV_CMD_IODIR:
		return decode_iodir(word, command);
	case RISCV_CMD_ATS:
		return decode_ats(iommu, word, command);
	default:
		return false;
	}
}
