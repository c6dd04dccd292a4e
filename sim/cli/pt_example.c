/* SPDX-License-Identifier: MIT */
/*
 * What is mapped if nothing is said: a few small pages, leaves that take several entries if the
 * format has such, a large leaf that is read-only, and one page far away.
 *
 *   base           3 pages
 *   base + many    a leaf of that size, of several entries
 *   base + large   a leaf of level 1
 */
#include "pt.h"

#define BASE	  0x40000000ULL
#define BASE_PHYS 0x1000000ULL
#define FAR_PHYS  0x80000000ULL

static void add(struct pt_options *options, u64 iova, phys_addr_t phys, u64 bytes, u32 prot)
{
	options->step[options->step_count++] = (struct pt_step){
		.kind = PT_MAP, .iova = iova, .phys = phys, .bytes = bytes, .prot = prot
	};
}

void pt_add_example(struct pt_options *options)
{
	const struct pt_layout *layout = &options->layout;
	struct pt_shape shape = options->format->shape(layout);
	/* Without growth. */
	u32 width = pt_level_lg2(layout, layout->levels) + layout->top_extra_lg2;
	u64 large = 1ULL << pt_level_lg2(layout, 1);
	u64 many = shape.many_lg2 ? 1ULL << shape.many_lg2 : 0;
	u64 base = width > 33 ? BASE : 0;
	u32 all = IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE;

	add(options, base, BASE_PHYS, 3ULL << layout->granule_lg2, all);
	if (many)
		add(options, base + many, BASE_PHYS + many, many, all);
	if (layout->levels > 1)
		add(options, base + large, FAR_PHYS + large, large, IOMMU_READ | IOMMU_CACHE);
	if (shape.sign_extends && !(layout->switches & PT_LOWER_HALF))
		add(options, ~0ULL << (width - 1), BASE_PHYS, 1ULL << layout->granule_lg2, all);
}
