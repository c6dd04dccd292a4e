/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists that no driver should build: entries without bytes, no entries at all, boundaries
 * that are none. Each gives one of Linux's errors, or works; nothing is half mapped.
 */
#include "unit/api/lists.h"

static void set_entries(struct rig *rig, struct list *list, const unsigned int *bytes, u32 count)
{
	list_init(list, count);
	for (u32 i = 0; i < count; i++)
		list_set(rig, list, i, ram(rig, SZ_64K), bytes[i]);
	list_remember(list);
}

/* Either it fails and everything is as before, or each segment reaches its bytes. */
static void expect_fails_or_works(struct rig *rig, struct list *list)
{
	struct device *dev = &rig->nvme->dev;
	struct dmasim_costs before = dmasim_costs(rig->s);
	struct dmasim_costs after;
	int err = dma_map_sgtable(dev, &list->table, DMA_BIDIRECTIONAL, 0);
	struct scatterlist *sg;
	u32 i;

	if (err) {
		expect_error(err, -EINVAL);
		expect_list_restored(list);
		after = dmasim_costs(rig->s);
		expect_u64(after.entries_written - before.entries_written,
			   after.entries_cleared - before.entries_cleared);
		return;
	}
	for_each_sgtable_dma_sg(&list->table, sg, i) {
		u8 byte;

		if (sg_dma_len(sg))
			expect_u64(dmasim_dev_read(rig->nvme, sg_dma_address(sg), &byte, 1).done,
				   1);
	}
	dma_unmap_sgtable(dev, &list->table, DMA_BIDIRECTIONAL, 0);
}

static void entries_without_bytes_are_refused_or_mapped(void **state)
{
	static const unsigned int lengths[] = { 0, SZ_4K, SZ_64K };
	struct rig *rig = *state;

	for (u32 count = 1, lists = 3; count <= 3; count++, lists *= 3) {
		for (u32 pick = 0; pick < lists; pick++) {
			const unsigned int bytes[3] = { lengths[pick % 3], lengths[pick / 3 % 3],
							lengths[pick / 9] };
			struct list list;

			/* Linux never unmaps a list that begins with such an entry. */
			if (!bytes[0])
				continue;
			set_entries(rig, &list, bytes, count);
			dmasim_suppress(rig->s, DMASIM_REPORT_BAD_ARGUMENT);
			/* AMD's: one leaf holds 68 KiB and what an empty entry asked for. */
			dmasim_suppress(rig->s, DMASIM_REPORT_UNMAP_SHORT);
			expect_fails_or_works(rig, &list);
		}
	}
	dmasim_assert_clean(rig->s);
}

/* [64 KiB][nothing]: the second entry has no page to map. */
static void an_empty_last_entry_on_a_boundary(void **state)
{
	static const unsigned int bytes[] = { SZ_64K, 0 };
	struct rig *rig = *state;
	struct list list;

	dma_set_seg_boundary(&rig->nvme->dev, 0xffff);
	set_entries(rig, &list, bytes, 2);
	expect_fails_or_works(rig, &list);
	dmasim_assert_clean(rig->s);
}

static void a_list_without_entries_is_eio(void **state)
{
	static const unsigned int bytes[] = { SZ_4K };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	set_entries(rig, &list, bytes, 1);
	list.table.orig_nents = 0;
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 2);
	expect_error(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0), -EIO);
	expect_u64(dma_map_sg(dev, list.sg, 0, DMA_BIDIRECTIONAL), 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 2);
}

/* Not a mask of low bits: reported, and the boundary stays as it was. */
static void a_boundary_with_holes_is_refused(void **state)
{
	static const unsigned int bytes[] = { SZ_4K, SZ_4K };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	dma_set_seg_boundary(dev, 0xffff);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	dma_set_seg_boundary(dev, 0xfffe);
	expect_u64(dma_get_seg_boundary(dev), 0xffff);
	set_entries(rig, &list, bytes, 2);
	expect_fails_or_works(rig, &list);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

TEST_MAIN(IN_BOTH_MODES(entries_without_bytes_are_refused_or_mapped),
	  IN_BOTH_MODES(an_empty_last_entry_on_a_boundary),
	  IN_BOTH_MODES(a_list_without_entries_is_eio),
	  IN_BOTH_MODES(a_boundary_with_holes_is_refused))
