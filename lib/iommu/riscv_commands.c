/* SPDX-License-Identifier: MIT */
#include <endian.h>

#include <dmasim/contract.h>
#include <dmasim/hw/riscv_iommu.h>
#include <dmasim/page.h>

#include "iommu/riscv.h"

static struct iommu_command command(u64 opcode, u64 function, u64 low, u64 high)
{
	low |= opcode | function << RISCV_CMD_FUNCTION_SHIFT;
	return (struct iommu_command){ { htole64(low), htole64(high) } };
}

/*
 * The number of a page that codes a window of 2^lg2 bytes, lg2 at least 13: ones up to half of it,
 * then a zero. Of 64 all but the highest bit are ones: everything.
 */
static u64 window_number(u64 start, u8 lg2)
{
	u64 half = 1ULL << (lg2 - PAGE_SHIFT - 1);

	return (start >> PAGE_SHIFT & ~(2 * half - 1)) | (half - 1);
}

struct iommu_command riscv_forget_space(u32 pscid)
{
	return command(RISCV_CMD_IOTINVAL, RISCV_IOTINVAL_VMA,
		       (u64)pscid << RISCV_IOTINVAL_PSCID_SHIFT | RISCV_IOTINVAL_PSCV, 0);
}

DMASIM_HOT struct iommu_command riscv_forget_window(const struct riscv_space *space)
{
	u64 low = (u64)space->pscid << RISCV_IOTINVAL_PSCID_SHIFT | RISCV_IOTINVAL_PSCV |
		  RISCV_IOTINVAL_AV;
	u64 high;

	if (space->tables)
		low |= RISCV_IOTINVAL_NL;
	if (space->lg2 > PAGE_SHIFT)
		high = window_number(space->start, space->lg2) << RISCV_IOTINVAL_ADDR_SHIFT |
		       RISCV_IOTINVAL_S;
	else
		high = space->start >> PAGE_SHIFT << RISCV_IOTINVAL_ADDR_SHIFT;
	return command(RISCV_CMD_IOTINVAL, RISCV_IOTINVAL_VMA, low, high);
}

struct iommu_command riscv_forget_device(u32 device)
{
	return command(RISCV_CMD_IODIR, RISCV_IODIR_DDT,
		       (u64)device << RISCV_IODIR_DID_SHIFT | RISCV_IODIR_DV, 0);
}

struct iommu_command riscv_forget_in_device(u16 requester, u64 start, u64 last)
{
	u8 lg2 = iommu_window_lg2(start, last);
	u64 body = start & RISCV_ATS_ADDR_MASK;

	if (lg2 > PAGE_SHIFT)
		body = window_number(start, lg2) << PAGE_SHIFT | RISCV_ATS_S;
	return command(RISCV_CMD_ATS, RISCV_ATS_INVAL, (u64)requester << RISCV_ATS_RID_SHIFT, body);
}

DMASIM_HOT struct iommu_command riscv_fence(phys_addr_t phys, u32 value)
{
	DMASIM_CONTRACT(!(phys & 3), "a fence stores at a multiple of 4");
	return command(RISCV_CMD_IOFENCE, RISCV_IOFENCE_C,
		       (u64)value << RISCV_IOFENCE_DATA_SHIFT | RISCV_IOFENCE_AV |
			       RISCV_IOFENCE_PR | RISCV_IOFENCE_PW,
		       phys >> RISCV_IOFENCE_ADDR_SHIFT);
}
