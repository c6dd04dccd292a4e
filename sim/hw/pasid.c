/* SPDX-License-Identifier: MIT */
#include "hw/pasid.h"

#include <errno.h>

#include <dmasim/contract.h>

#include "hw/hw.h"

static int compare(const struct hw_pasid_page *a, const struct hw_pasid_page *b)
{
	return a->key < b->key ? -1 : a->key > b->key;
}

RB_PROTOTYPE(hw_pasid_pages, hw_pasid_page, by_key, compare)
RB_GENERATE(hw_pasid_pages, hw_pasid_page, by_key, compare)

static u64 key_of(u16 requester, u32 pasid)
{
	return hw_pasid_tag(requester, pasid & ~(HW_PASID_PAGE_ENTRIES - 1U));
}

static struct hw_pasid_page *find(const struct hw_iommu *iommu, u64 key)
{
	struct hw_pasid_page *page = RB_ROOT(&iommu->pasid_pages);

	while (page && page->key != key)
		page = key < page->key ? RB_LEFT(page, by_key) : RB_RIGHT(page, by_key);
	return page;
}

void hw_pasids_fini(struct hw_iommu *iommu)
{
	struct hw_pasid_page *page;

	while ((page = RB_ROOT(&iommu->pasid_pages))) {
		RB_REMOVE(hw_pasid_pages, &iommu->pasid_pages, page);
		memory_free(&iommu->hw->world->memory, page);
	}
}

int hw_pasid_set(struct hw_iommu *iommu, u16 requester, u32 pasid, struct hw_context entry)
{
	u64 key = key_of(requester, pasid);
	struct hw_pasid_page *page = find(iommu, key);

	DMASIM_CONTRACT(pasid < HW_PASIDS, "a PASID has 20 bits");
	if (!page) {
		page = memory_alloc(&iommu->hw->world->memory, DMASIM_FAULT_IOMMU_CONTEXT,
				    sizeof(*page));
		if (!page)
			return -ENOMEM;
		page->key = key;
		RB_INSERT(hw_pasid_pages, &iommu->pasid_pages, page);
	}
	page->entry[pasid % HW_PASID_PAGE_ENTRIES] = entry;
	return 0;
}

bool hw_pasid_get(const struct hw_iommu *iommu, u16 requester, u32 pasid, struct hw_context *entry)
{
	const struct hw_pasid_page *page = find(iommu, key_of(requester, pasid));

	if (page)
		*entry = page->entry[pasid % HW_PASID_PAGE_ENTRIES];
	return page != NULL;
}
