/* SPDX-License-Identifier: MIT */
/*
 * The simplest allocator there is: a bit for each of the lowest 2^20 pages, searched from the top
 * bit by bit. No records, so nothing can be lost or inflate; linear in the pages it skips.
 *
 *   start_pfn | . . # # . . . # . . . # # # . . | limit
 *                             <-- candidate slides down to below the highest # it covers
 */

#include <dmasim/iova.h>
#include <dmasim/lock.h>

#define BITMAP_PAGES (1ULL << 20)

struct iova_allocator {
	struct platform *platform;
	struct platform_lock lock;
	u64 start_pfn;
	u64 end_pfn; /* nothing from here on is served */
	u64 *reserved;
	u64 used[]; /* allocated or reserved; `reserved` lies behind it */
};

static bool get(const u64 *bits, u64 pfn)
{
	return bits[pfn / 64] >> pfn % 64 & 1;
}

static void put(u64 *bits, u64 first, u64 end, bool value)
{
	for (u64 pfn = first; pfn < end; pfn++) {
		bits[pfn / 64] &= ~(1ULL << pfn % 64);
		bits[pfn / 64] |= (u64)value << pfn % 64;
	}
}

/* One more than the highest set bit of [first, end), or first. */
static u64 after_highest(const u64 *bits, u64 first, u64 end)
{
	while (end > first && !get(bits, end - 1)) {
		/* A word without a bit is skipped as a whole. */
		if (end % 64 == 0 && end - first >= 64 && !bits[end / 64 - 1])
			end -= 64;
		else
			end--;
	}
	return end;
}

static u64 search(const struct iova_allocator *allocator, u64 pages, u64 end, u64 align)
{
	while (end >= pages && pages <= allocator->end_pfn) {
		u64 pfn = (end - pages) & ~(align - 1);

		if (pfn < allocator->start_pfn)
			break;
		end = after_highest(allocator->used, pfn, pfn + pages);
		if (end == pfn)
			return pfn;
		/* It must end below that bit. */
		end--;
	}
	return IOVA_NO_PFN;
}

static u64 bitmap_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	u64 end = limit_pfn < allocator->end_pfn ? limit_pfn + 1 : allocator->end_pfn;
	u64 pfn;

	platform_lock(allocator->platform, &allocator->lock);
	pfn = search(allocator, pages, end, 1ULL << (how & IOVA_ALIGN_LG2));
	if (pfn != IOVA_NO_PFN)
		put(allocator->used, pfn, pfn + pages, true);
	platform_unlock(allocator->platform, &allocator->lock);
	return pfn;
}

static bool is_allocated(const struct iova_allocator *allocator, u64 pfn, u64 pages)
{
	if (pfn >= allocator->end_pfn || pages > allocator->end_pfn - pfn)
		return false;
	for (u64 i = pfn; i < pfn + pages; i++) {
		if (!get(allocator->used, i) || get(allocator->reserved, i))
			return false;
	}
	return true;
}

static void bitmap_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	(void)how;
	platform_lock(allocator->platform, &allocator->lock);
	if (is_allocated(allocator, pfn, pages))
		put(allocator->used, pfn, pfn + pages, false);
	platform_unlock(allocator->platform, &allocator->lock);
}

static int bitmap_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	u64 end = last_pfn < allocator->end_pfn ? last_pfn + 1 : allocator->end_pfn;

	platform_lock(allocator->platform, &allocator->lock);
	if (first_pfn < end) {
		put(allocator->used, first_pfn, end, true);
		put(allocator->reserved, first_pfn, end, true);
	}
	platform_unlock(allocator->platform, &allocator->lock);
	return 0;
}

static struct iova_allocator *bitmap_create(const struct iova_allocator_config *config)
{
	u64 end_pfn = BITMAP_PAGES;
	struct iova_allocator *allocator;
	u64 words;

	if (config->last_pfn < end_pfn)
		end_pfn = config->last_pfn + 1;
	words = (end_pfn + 63) / 64;
	allocator = platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN,
				   sizeof(*allocator) + 2 * words * sizeof(u64));
	if (!allocator)
		return NULL;
	allocator->platform = config->platform;
	allocator->start_pfn = config->start_pfn;
	allocator->end_pfn = end_pfn;
	allocator->reserved = allocator->used + words;
	return allocator;
}

static void bitmap_destroy(struct iova_allocator *allocator)
{
	platform_free(allocator->platform, allocator);
}

const struct iova_allocator_ops *dmasim_iova_bitmap(void)
{
	static const struct iova_allocator_ops ops = {
		.size = sizeof(ops),
		.name = "bitmap",
		.traits = IOVA_HIGHEST_FIT,
		.max_pfn = BITMAP_PAGES - 1,
		.create = bitmap_create,
		.destroy = bitmap_destroy,
		.alloc = bitmap_alloc,
		.free = bitmap_free,
		.reserve = bitmap_reserve,
	};

	return &ops;
}
