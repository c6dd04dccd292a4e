/* SPDX-License-Identifier: MIT */
/*
 * Calls at random, in a window around a place where tables of several levels meet.
 */
#include "workbench/pt_conform.h"

#define PAGES_LG2 11 /* of the window: few enough for the model, whatever is mapped */

static u64 draw(struct pt_conform *c, u64 bound)
{
	return iova_dice_below(&c->dice, bound);
}

struct pt_window {
	u64 start;
	u64 bytes;
	u8 lg2; /* pieces are often aligned to this */
};

/* Larger leaves that fit are in it: one in two of the runs. */
static struct pt_window window_of(struct pt_conform *c)
{
	u64 bytes = pt_page(c) << PAGES_LG2;
	u64 middle = c->last / 2 + 1;
	u8 lg2 = c->granule_lg2;
	u8 size;

	for (u32 i = 0; (size = pt_size_lg2(c, i)) && 1ULL << size <= bytes / 2; i++)
		lg2 = size;
	return (struct pt_window){ middle - bytes / 2, bytes, lg2 };
}

static u64 place(struct pt_conform *c, const struct pt_window *window)
{
	u64 at = draw(c, window->bytes);

	return window->start + (at & ~((1ULL << (draw(c, 2) ? window->lg2 : c->granule_lg2)) - 1));
}

static u64 length(struct pt_conform *c, const struct pt_window *window, u64 at)
{
	u64 bytes = (1 + draw(c, 1ULL << draw(c, PAGES_LG2))) * pt_page(c);
	u64 room = window->start + window->bytes - at;

	if (draw(c, 4) == 0)
		bytes = (1 + draw(c, 2)) << window->lg2;
	return bytes < room ? bytes : room;
}

static bool step(struct pt_conform *c, const struct pt_window *window)
{
	static const u32 rights[] = { IOMMU_READ, IOMMU_WRITE, PT_RW };
	u64 at = place(c, window), bytes = length(c, window, at);
	phys_addr_t phys = pt_memory(c, window->lg2 + 3) + draw(c, window->bytes);
	u64 fits = draw(c, 3) ? (1ULL << window->lg2) - 1 : pt_page(c) - 1;
	const struct pgtable_leaf *leaf;

	switch (draw(c, 8)) {
	case 0:
	case 1:
	case 2:
	case 3:
		return pt_map(c, at, (phys & ~fits) | (at & fits & ~(pt_page(c) - 1)), bytes,
			      rights[draw(c, 3)]);
	case 4:
		if (!c->subject->ops->protect)
			return true;
		/* Other rights than all that is there has: something changes. */
		leaf = pt_model_at(c->model, at);
		return !leaf || leaf->iova != at ||
		       pt_protect(c, at, 1ULL << leaf->lg2,
				  leaf->prot == IOMMU_READ ? PT_RW : IOMMU_READ);
	default:
		leaf = draw(c, 4) ? pt_model_at(c->model, at) : NULL;
		return pt_unmap(c, leaf ? leaf->iova : at, bytes);
	}
}

static bool steps(struct pt_conform *c, bool coherent, u64 count)
{
	struct pt_window window;

	if (!pt_start(c, coherent))
		return false;
	c->dice = (struct iova_dice){ c->options.seed };
	window = window_of(c);
	for (u64 i = 0; i < count; i++) {
		if (!step(c, &window))
			return pt_wrong(c, "call %llu", i);
	}
	return pt_compare(c, window.start, window.start + (window.bytes - 1));
}

static u64 scaled(const struct pt_conform *c, u64 full)
{
	return full * c->options.scale_percent / 100 + 1;
}

bool pt_check_random(struct pt_conform *c)
{
	return steps(c, true, scaled(c, 100000));
}

/* What the format has not is told of the check itself. */
static bool unsnooped(struct pt_conform *c, pt_check check)
{
	bool good;

	c->unsnooped = true;
	good = check(c);
	c->unsnooped = false;
	c->absent = NULL;
	return good;
}

/* The same, and hardware reads what was flushed for it, and nothing else. */
bool pt_check_incoherent(struct pt_conform *c)
{
	if (!c->subject->walker)
		return true;
	return steps(c, false, scaled(c, 20000)) && unsnooped(c, pt_check_dirty) &&
	       unsnooped(c, pt_check_reshape);
}
