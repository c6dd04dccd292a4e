/* SPDX-License-Identifier: MIT */
#include "iommu/smmuv3.h"

#include <endian.h>

#include <dmasim/contract.h>
#include <dmasim/hw/smmuv3.h>
#include <dmasim/page.h>

#define NUM_MASK  31ULL
#define NUM_MAX	  32
#define SCALE_MAX 31

static struct iommu_command command(u64 opcode, u64 low, u64 high)
{
	return (struct iommu_command){ { htole64(low | opcode), htole64(high) } };
}

struct iommu_command smmuv3_forget_asid(u16 asid)
{
	return command(SMMUV3_CMD_TLBI_NH_ASID, (u64)asid << SMMUV3_TLBI_ASID_SHIFT, 0);
}

struct iommu_command smmuv3_forget_address(u16 asid, u64 address, bool tables)
{
	return command(SMMUV3_CMD_TLBI_NH_VA, (u64)asid << SMMUV3_TLBI_ASID_SHIFT,
		       (address & SMMUV3_TLBI_ADDR_MASK) | (tables ? 0 : SMMUV3_TLBI_LEAF));
}

/* ---- Ranges ----------------------------------------------------------- */

static u64 granule_code(u8 lg2)
{
	return lg2 == 12 ? SMMUV3_TLBI_TG_4K : lg2 == 14 ? SMMUV3_TLBI_TG_16K : SMMUV3_TLBI_TG_64K;
}

/* Arm counts levels from the top: its level 3 has the smallest leaves. 0: of any. */
static u64 level_code(u8 level)
{
	return level < SMMUV3_ANY_LEVEL ? 3U - level : 0;
}

DMASIM_HOT struct iommu_command smmuv3_forget_pages(const struct smmuv3_pages *pages)
{
	u64 ttl = level_code(pages->level);
	u64 low = (u64)pages->asid << SMMUV3_TLBI_ASID_SHIFT;

	DMASIM_CONTRACT(pages->num > 1 || pages->scale || ttl,
			"a command for one granule says of what level it is");
	DMASIM_CONTRACT(pages->granule_lg2 == PAGE_SHIFT || ttl != 1,
			"only with 4 KiB pages the third level has leaves");
	low |= (u64)(pages->num - 1) << SMMUV3_TLBI_NUM_SHIFT;
	low |= (u64)pages->scale << SMMUV3_TLBI_SCALE_SHIFT;
	return command(SMMUV3_CMD_TLBI_NH_VA, low,
		       (pages->address & SMMUV3_TLBI_ADDR_MASK) | ttl << SMMUV3_TLBI_TTL_SHIFT |
			       granule_code(pages->granule_lg2) << SMMUV3_TLBI_TG_SHIFT |
			       (pages->tables ? 0 : SMMUV3_TLBI_LEAF));
}

/*
 * Its lowest bits, from the first that is set on: the rest is a multiple of what they scale to. Of
 * 2^31 granules as many as one command takes: a larger scale has no encoding.
 */
DMASIM_HOT void smmuv3_next_pages(struct smmuv3_pages *pages, u64 *count)
{
	u64 scaled;

	if (pages->level == SMMUV3_ANY_LEVEL && (*count & NUM_MASK) == 1)
		++*count;
	pages->scale = (u8)__builtin_ctzll(*count);
	scaled = *count >> pages->scale & NUM_MASK;
	if (pages->scale >= SCALE_MAX) {
		pages->scale = SCALE_MAX;
		scaled = *count >> SCALE_MAX;
	}
	pages->num = (u8)(scaled < NUM_MAX ? scaled : NUM_MAX);
	*count -= (u64)pages->num << pages->scale;
}

/* ---- Streams and devices ---------------------------------------------- */

struct iommu_command smmuv3_forget_stream(u32 stream)
{
	return command(SMMUV3_CMD_CFGI_STE, (u64)stream << SMMUV3_CFGI_SID_SHIFT, SMMUV3_CFGI_LEAF);
}

struct iommu_command smmuv3_forget_context(u32 stream, u32 substream)
{
	return command(SMMUV3_CMD_CFGI_CD,
		       (u64)stream << SMMUV3_CFGI_SID_SHIFT | (u64)substream
								      << SMMUV3_CFGI_SSID_SHIFT,
		       SMMUV3_CFGI_LEAF);
}

struct iommu_command smmuv3_forget_in_device(u32 stream, u64 start, u64 last)
{
	u8 lg2 = iommu_window_lg2(start, last);
	u64 low = (u64)stream << SMMUV3_ATC_SID_SHIFT;

	if (lg2 > 63)
		return command(SMMUV3_CMD_ATC_INV, low, SMMUV3_ATC_SIZE_ALL);
	if (lg2 < PAGE_SHIFT)
		lg2 = PAGE_SHIFT;
	return command(SMMUV3_CMD_ATC_INV, low,
		       (start & ~((1ULL << lg2) - 1)) | (u64)(lg2 - PAGE_SHIFT));
}

DMASIM_HOT struct iommu_command smmuv3_sync(phys_addr_t phys, u32 value)
{
	DMASIM_CONTRACT(phys && !(phys & ~SMMUV3_SYNC_ADDR_MASK),
			"a wait stores at a multiple of 4 below 2^52");
	return command(SMMUV3_CMD_SYNC,
		       SMMUV3_SYNC_IRQ << SMMUV3_SYNC_CS_SHIFT |
			       SMMUV3_SYNC_SH_INNER << SMMUV3_SYNC_SH_SHIFT |
			       SMMUV3_SYNC_ATTR_WB << SMMUV3_SYNC_ATTR_SHIFT |
			       (u64)value << SMMUV3_SYNC_DATA_SHIFT,
		       phys);
}
