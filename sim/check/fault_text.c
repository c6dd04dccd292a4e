/* SPDX-License-Identifier: MIT */
#include "check/fault_text.h"

#include <dmasim/hw/amd.h>
#include <dmasim/hw/riscv_iommu.h>
#include <dmasim/hw/smmuv3.h>
#include <dmasim/hw/vtd.h>

#include "check/amdvi.h"
#include "check/dmar.h"
#include "check/riscv_text.h"
#include "check/smmuv3.h"
#include "hw/hw.h"

/* ---- VT-d ------------------------------------------------------------- */

static void add_vtd(struct text *text, const struct hw_iommu *iommu,
		    const struct hw_fault_record *record)
{
	(void)iommu;
	dmar_text(text, record);
}

static struct fault_said vtd_said(const u64 *word)
{
	return (struct fault_said){
		.requester = word[1] & VTD_FRCD_SID_MASK,
		.address = word[0] & VTD_FRCD_ADDR_MASK,
		.write = !(word[1] & VTD_FRCD_TYPE_READ),
		.reason = (word[1] >> VTD_FRCD_REASON_SHIFT) & VTD_FRCD_REASON_MASK,
	};
}

/* ---- AMD -------------------------------------------------------------- */

static void add_amd(struct text *text, const struct hw_iommu *iommu,
		    const struct hw_fault_record *record)
{
	amdvi_text(text, hw_iommu_segment(iommu), record->word);
}

static struct fault_said amd_said(const u64 *word)
{
	return (struct fault_said){
		.requester = word[0] & AMD_EVENT_DEVICE_MASK,
		.address = word[1],
		.write = word[0] >> AMD_EVENT_FLAGS_SHIFT & AMD_FLAG_RW,
		.reason = word[0] >> AMD_EVENT_CODE_SHIFT & AMD_EVENT_CODE_MASK,
	};
}

/* ---- RISC-V ----------------------------------------------------------- */

static void add_riscv(struct text *text, const struct hw_iommu *iommu,
		      const struct hw_fault_record *record)
{
	riscv_fault_text(text, hw_iommu_segment(iommu), record->word);
}

static struct fault_said riscv_said(const u64 *word)
{
	u64 type = word[0] >> RISCV_RECORD_TTYP_SHIFT & RISCV_RECORD_TTYP_MASK;

	return (struct fault_said){
		.requester = (u16)(word[0] >> RISCV_RECORD_DID_SHIFT),
		.address = word[2],
		.write = type == RISCV_TTYP_WRITE || type == RISCV_TTYP_TRANS_WRITE,
		.reason = word[0] & RISCV_RECORD_CAUSE_MASK,
	};
}

/* ---- SMMUv3 ----------------------------------------------------------- */

static void add_smmuv3(struct text *text, const struct hw_iommu *iommu,
		       const struct hw_fault_record *record)
{
	smmuv3_text(text, hw_iommu_segment(iommu), record->word);
}

static struct fault_said smmuv3_said(const u64 *word)
{
	return (struct fault_said){
		.requester = (u16)(word[0] >> SMMUV3_EVENT_SID_SHIFT),
		.address = word[2],
		.write = !(word[1] & SMMUV3_EVENT_READ),
		.reason = word[0] & SMMUV3_EVENT_ID_MASK,
	};
}

/* ---- Which ------------------------------------------------------------ */

static const struct words {
	const struct hw_arch *arch;
	void (*add)(struct text *text, const struct hw_iommu *iommu,
		    const struct hw_fault_record *record);
	struct fault_said (*said)(const u64 *word);
} all_words[] = {
	{ &hw_vtd, add_vtd, vtd_said },
	{ &hw_amd, add_amd, amd_said },
	{ &hw_riscv, add_riscv, riscv_said },
	{ &hw_smmuv3, add_smmuv3, smmuv3_said },
};

static const struct words *words_of(const struct hw_iommu *iommu)
{
	const struct words *words = all_words;

	/* An architecture may have a walker that is not its own. */
	while (words->arch->record != iommu->arch->record)
		words++;
	return words;
}

void fault_text(struct text *text, const struct hw_iommu *iommu,
		const struct hw_fault_record *record)
{
	words_of(iommu)->add(text, iommu, record);
}

struct fault_said fault_said(const struct hw_iommu *iommu, const struct hw_fault_record *record)
{
	return words_of(iommu)->said(record->word);
}
