/* SPDX-License-Identifier: MIT */
#include "check/fault_text.h"

#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>

#include "check/amdvi.h"
#include "check/dmar.h"
#include "hw/hw.h"

void fault_text(struct text *text, const struct hw_iommu *iommu,
		const struct hw_fault_record *record)
{
	if (iommu->arch == &hw_amd)
		amdvi_text(text, hw_iommu_segment(iommu), record->word);
	else
		dmar_text(text, record);
}

struct fault_said fault_said(const struct hw_iommu *iommu, const struct hw_fault_record *record)
{
	const u64 *word = record->word;

	if (iommu->arch == &hw_amd)
		return (struct fault_said){
			.requester = word[0] & AMD_EVENT_DEVICE_MASK,
			.address = word[1],
			.write = word[0] >> AMD_EVENT_FLAGS_SHIFT & AMD_FLAG_RW,
			.reason = word[0] >> AMD_EVENT_CODE_SHIFT & AMD_EVENT_CODE_MASK,
		};
	return (struct fault_said){
		.requester = word[1] & VTD_FRCD_SID_MASK,
		.address = word[0] & VTD_FRCD_ADDR_MASK,
		.write = !(word[1] & VTD_FRCD_TYPE_READ),
		.reason = (word[1] >> VTD_FRCD_REASON_SHIFT) & VTD_FRCD_REASON_MASK,
	};
}
