/* SPDX-License-Identifier: MIT */
/*
 * An IOVA allocator that gives what is asked for: the command says where a mapping lies, the DMA
 * API has no word for that.
 */
#include "walk.h"

/* Its state belongs to the command, which knows of one domain. */
static struct walk_place *place_of(struct iova_allocator *allocator)
{
	return (struct walk_place *)(void *)allocator;
}

static struct iova_allocator *create(const struct iova_allocator_config *config)
{
	return config->context;
}

static void destroy(struct iova_allocator *allocator)
{
	(void)allocator;
}

static u64 alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	const struct walk_place *place = place_of(allocator);

	(void)how;
	if (place->pfn > limit_pfn || pages - 1 > limit_pfn - place->pfn)
		return IOVA_NO_PFN;
	return place->pfn;
}

static void give_back(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	(void)allocator;
	(void)pfn;
	(void)pages;
	(void)how;
}

static int reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	struct walk_place *place = place_of(allocator);

	DMASIM_CONTRACT(place->reserved_count < WALK_RESERVED_MAX, "few ranges are reserved");
	place->reserved[place->reserved_count++] =
		(struct iova_range){ .first_pfn = first_pfn, .last_pfn = last_pfn };
	return 0;
}

void walk_place_init(struct walk_place *place)
{
	*place = (struct walk_place){
		.ops = { .size = sizeof(place->ops),
			 .name = "place",
			 .context = place,
			 .create = create,
			 .destroy = destroy,
			 .alloc = alloc,
			 .free = give_back,
			 .reserve = reserve },
		.pfn = IOVA_NO_PFN,
	};
}

const struct iova_range *walk_place_reserved(const struct walk_place *place, u64 iova, u64 bytes)
{
	u64 first = iova >> WALK_GRANULE_LG2, last = (iova + bytes - 1) >> WALK_GRANULE_LG2;

	for (u32 i = 0; i < place->reserved_count; i++) {
		const struct iova_range *range = &place->reserved[i];

		if (first <= range->last_pfn && last >= range->first_pfn)
			return range;
	}
	return NULL;
}
