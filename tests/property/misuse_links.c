/* SPDX-License-Identifier: MIT */
/*
 * Misuses of the two-step API. Where a link is refused the driver goes on as if it had worked, and
 * destroys the whole.
 */
#include "property/misuse.h"

static phys_addr_t phys_of(const struct part *part)
{
	return part->buffer->phys + part->at;
}

/* The range of a use that is over, allocated again and empty. */
static bool begin_again(struct driver *driver, struct use *use, phys_addr_t like)
{
	misuse_prepare(driver, use);
	use_unmap(driver, use);
	for (u32 i = 0; i < use->part_count; i++)
		use->part[i].linked = false;
	driver->calls++;
	return dma_iova_try_alloc(driver_dev(driver, use->device), &use->state, like, use->bytes);
}

static void link_rest(struct driver *driver, struct use *use, u32 first)
{
	for (u32 i = first; i < use->part_count; i++)
		(void)!use_link(driver, use, i);
}

static void sync_all(struct driver *driver, struct use *use)
{
	driver->calls++;
	(void)!dma_iova_sync(driver_dev(driver, use->device), &use->state, 0, use->bytes);
}

static void destroy(struct driver *driver, struct use *use)
{
	driver->calls++;
	dma_iova_destroy(driver_dev(driver, use->device), &use->state, use->bytes, use->dir,
			 use->attrs);
	misuse_gone(driver, use);
}

static u64 padded(const struct use *use)
{
	return (use->state.addr % DRIVER_PAGE + use->bytes + DRIVER_PAGE - 1) / DRIVER_PAGE *
	       DRIVER_PAGE;
}

/* At the first granule behind the range. */
bool misuse_link_outside(struct driver *driver, struct dice *dice, struct use *use)
{
	u64 offset =
		padded(use) - use->state.addr % DRIVER_PAGE + DRIVER_PAGE * dice_below(dice, 3);
	const struct part *part = &use->part[0];
	phys_addr_t phys = phys_of(part) & ~(phys_addr_t)(DRIVER_PAGE - 1);

	driver_note(driver, "a link of use %u at offset %llu", use_index(driver, use), offset);
	driver->calls++;
	(void)!dma_iova_link(driver_dev(driver, use->device), &use->state, phys, offset,
			     DRIVER_PAGE, use->dir, use->attrs);
	return true;
}

bool misuse_link_overlap(struct driver *driver, struct dice *dice, struct use *use)
{
	u32 i = (u32)dice_below(dice, use->part_count);

	if (!use->part[i].linked)
		return false;
	driver_note(driver, "part %u of use %u is linked twice", i, use_index(driver, use));
	(void)!use_link(driver, use, i);
	return true;
}

/* One is left out, and all of the range is used. */
bool misuse_link_gap(struct driver *driver, struct dice *dice, struct use *use)
{
	u32 gap = (u32)dice_below(dice, use->part_count);

	driver_note(driver, "use %u again, without part %u", use_index(driver, use), gap);
	if (!begin_again(driver, use, phys_of(&use->part[0])))
		return true;
	for (u32 i = 0; i < use->part_count; i++)
		if (i != gap)
			(void)!use_link(driver, use, i);
	sync_all(driver, use);
	destroy(driver, use);
	return true;
}

/* A part in the middle has no whole pages, so that the next cannot be linked. */
bool misuse_link_partial(struct driver *driver, struct dice *dice, struct use *use)
{
	u32 less = (u32)dice_from(dice, 1, DRIVER_PAGE - 1);

	if (use->part_count < 2 || use->part[0].bytes <= less)
		return false;
	driver_note(driver, "use %u again, %u bytes of its first part left out",
		    use_index(driver, use), less);
	if (!begin_again(driver, use, phys_of(&use->part[0])))
		return true;
	use->part[0].bytes -= less;
	use->bytes -= less;
	link_rest(driver, use, 0);
	sync_all(driver, use);
	destroy(driver, use);
	return true;
}

/* The range was allocated for another offset in the page than the first link has. */
bool misuse_link_low_bits(struct driver *driver, struct dice *dice, struct use *use)
{
	phys_addr_t like = phys_of(&use->part[0]) ^ dice_from(dice, 1, DRIVER_PAGE - 1);

	driver_note(driver, "use %u again, allocated for 0x%llx", use_index(driver, use), like);
	if (!begin_again(driver, use, like))
		return true;
	link_rest(driver, use, 0);
	sync_all(driver, use);
	destroy(driver, use);
	return true;
}

bool misuse_link_device(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;
	u32 i = (u32)dice_below(dice, use->part_count);

	bad.device = misuse_other_device(dice, use->device);
	driver_note(driver, "use %u again, part %u for device %u", use_index(driver, use), i,
		    bad.device);
	if (!begin_again(driver, use, phys_of(&use->part[0])))
		return true;
	bad.state = use->state;
	for (u32 k = 0; k < use->part_count; k++)
		(void)!use_link(driver, k == i ? &bad : use, k);
	sync_all(driver, use);
	destroy(driver, use);
	return true;
}

/* The device uses it all the same. */
bool misuse_link_not_synced(struct driver *driver, struct dice *dice, struct use *use)
{
	u32 offset = (u32)dice_below(dice, use->bytes);
	u8 bytes[8] = { 0 };
	u32 count = use->bytes - offset < 8 ? use->bytes - offset : 8;

	driver_note(driver, "use %u again, not synced", use_index(driver, use));
	if (!begin_again(driver, use, phys_of(&use->part[0])))
		return true;
	link_rest(driver, use, 0);
	if (use->dir == DMA_FROM_DEVICE)
		dmasim_dev_write(driver->dev[use->device], use->state.addr + offset, bytes, count);
	else
		dmasim_dev_read(driver->dev[use->device], use->state.addr + offset, bytes, count);
	destroy(driver, use);
	return true;
}

bool misuse_sync_outside(struct driver *driver, struct dice *dice, struct use *use)
{
	u64 more = DRIVER_PAGE * dice_from(dice, 1, 3);

	driver_note(driver, "%llu bytes more than use %u has are synced", more,
		    use_index(driver, use));
	driver->calls++;
	(void)!dma_iova_sync(driver_dev(driver, use->device), &use->state, 0, use->bytes + more);
	return true;
}

bool misuse_unlink_absent(struct driver *driver, struct dice *dice, struct use *use)
{
	u32 i = (u32)dice_below(dice, use->part_count);
	struct device *dev = driver_dev(driver, use->device);

	misuse_prepare(driver, use);
	driver_note(driver, "part %u of use %u is unlinked too often", i, use_index(driver, use));
	for (u32 times = use->part[i].linked ? 2 : 1; times; times--) {
		driver->calls++;
		dma_iova_unlink(dev, &use->state, part_offset(use, i), use->part[i].bytes, use->dir,
				use->attrs);
	}
	use->part[i].linked = false;
	return true;
}

bool misuse_free_linked(struct driver *driver, struct dice *dice, struct use *use)
{
	if (!misuse_any_linked(use))
		return false;
	misuse_prepare(driver, use);
	driver_note(driver, "the range of use %u is freed", use_index(driver, use));
	driver->calls++;
	if (dice_chance(dice, 50))
		dma_iova_free(driver_dev(driver, use->device), &use->state);
	else
		dma_iova_destroy(driver_dev(driver, use->device), &use->state, 0, use->dir,
				 use->attrs);
	misuse_gone(driver, use);
	return true;
}

/* Allocated again, with what it had before still there. */
bool misuse_state_reused(struct driver *driver, struct dice *dice, struct use *use)
{
	(void)dice;
	misuse_prepare(driver, use);
	driver_note(driver, "the state of use %u is allocated again", use_index(driver, use));
	driver->calls++;
	if (dma_iova_try_alloc(driver_dev(driver, use->device), &use->state, phys_of(&use->part[0]),
			       use->bytes)) {
		link_rest(driver, use, 0);
		sync_all(driver, use);
		destroy(driver, use);
	}
	return true;
}

/* A state is not cleared by its end. */
bool misuse_state_after_destroy(struct driver *driver, struct dice *dice, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	struct use bad = *use;
	u32 what = (u32)dice_below(dice, 3);

	misuse_prepare(driver, use);
	use_unmap(driver, use);
	misuse_gone(driver, use);
	driver_note(driver, "the state is used after its end: %u", what);
	if (what == 0)
		(void)!use_link(driver, &bad, 0);
	else if (what == 1)
		(void)!dma_iova_sync(dev, &bad.state, 0, bad.bytes);
	else
		dma_iova_unlink(dev, &bad.state, 0, bad.bytes, bad.dir, bad.attrs);
	driver->calls++;
	return true;
}
