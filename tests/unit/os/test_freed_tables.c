/* SPDX-License-Identifier: MIT */
/*
 * 9 table-freed-early, shown by letting the device act: an unmap frees a table page under an
 * invalidation that claims that only leaves changed, and the walk cache still leads to that page
 * (facts "iova-and-page-tables" 6.4, row "table unlinked and freed").
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"
#include "support/rig.h"

struct fixture {
	struct rig rig; /* first member */
	struct platform_ops ops;
	const struct platform_ops *real;
	struct hw_iommu *iommu;
	phys_addr_t buffer; /* 2 MiB and a page, mapped from its second page on: no large leaf */
};

#define IOTLB_PAGE 0x32U /* type and granularity */
#define HINT	   0x40U /* IH, bit 6 of the second word */

/* All page-selective commands have the hint. */
static int submit_with_the_hint(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct dmasim *s = machine;
	u8 changed[64];

	assert_true(bytes <= sizeof(changed));
	memcpy(changed, commands, bytes);
	for (size_t at = 0; at < bytes; at += 16) {
		if ((changed[at] & 0x3f) == IOTLB_PAGE)
			changed[at + 8] |= HINT;
	}
	return hw_queue_execute(hw_iommu_find(&s->hw, unit), changed, bytes);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;

	if (!fixture)
		return -1;
	*state = fixture;
	rig_init(&fixture->rig, &(struct dmasim_config){ DMASIM_CONFIG, .walk_entries = 8 });
	fixture->buffer = dmasim_alloc(fixture->rig.s, 2 * SZ_2M);
	fixture->iommu = machine_function(fixture->rig.nvme)->bus->root->iommu;
	platform = &fixture->rig.s->platform;
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->rig.s->platform.ops = fixture->real;
	dmasim_free(fixture->rig.s, fixture->buffer, 2 * SZ_2M);
	rig_fini(&fixture->rig);
	free(fixture);
	return 0;
}

/* A whole lowest table of small pages; the device has used the first of them. */
static dma_addr_t map_a_table(struct fixture *fixture)
{
	struct rig *rig = &fixture->rig;
	dma_addr_t dma =
		dma_map_phys(&rig->nvme->dev, fixture->buffer + SZ_4K, SZ_2M, DMA_FROM_DEVICE, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	expect_u64(dma % SZ_2M, 0);
	expect_done(dmasim_dev_write(rig->nvme, dma, "own", 4), 4);
	assert_string_equal(dmasim_ptr(rig->s, fixture->buffer + SZ_4K, 4), "own");
	return dma;
}

/* The table that a walk of the address would begin at; 0: none is known. */
static phys_addr_t known_table(struct fixture *fixture, dma_addr_t dma)
{
	u16 domain = hw_context_get(fixture->iommu, fixture->rig.nvme->dev.id & 0xffff).domain;
	const struct iotlb_entry *entry =
		iotlb_find(&fixture->iommu->walk_cache.level[0], domain, dma);

	return entry ? entry->phys : 0;
}

static void unmap(struct fixture *fixture, dma_addr_t dma)
{
	dma_unmap_phys(&fixture->rig.nvme->dev, dma, SZ_2M, DMA_FROM_DEVICE, 0);
}

static void an_unmap_that_frees_a_table_leaves_nothing_of_it_known(void **state)
{
	struct fixture *fixture = *state;
	dma_addr_t dma = map_a_table(fixture);

	assert_true(known_table(fixture, dma) != 0);
	unmap(fixture, dma);
	assert_true(known_table(fixture, dma) == 0);
	dmasim_assert_clean(fixture->rig.s);
}

/*
 * The page is somebody's memory by now, and what they write there the IOMMU takes for entries: the
 * device that uses its old address reads a page that was never mapped for it.
 *
 * trust: a walk through a freed table page | our reading of the facts: row 3 of 6.4
 */
static void a_device_reads_through_a_freed_table_whatever_lies_there(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	dma_addr_t dma = map_a_table(fixture);
	phys_addr_t table = known_table(fixture, dma);
	phys_addr_t secret = dmasim_alloc(rig->s, SZ_4K), page;
	char seen[8] = "";
	u64 entry = htole64(secret | 3);

	memcpy(dmasim_ptr(rig->s, secret, 8), "secret", 7);
	rig->s->platform.ops = &fixture->ops;
	fixture->ops.queue_submit = submit_with_the_hint;
	dmasim_expect(rig->s, DMASIM_REPORT_TABLE_FREED_EARLY, 1);
	unmap(fixture, dma);
	rig->s->platform.ops = fixture->real;
	expect_u64(known_table(fixture, dma), table);

	/* The frame is given out again. */
	page = dmasim_alloc(rig->s, SZ_4K);
	expect_u64(page, table);
	memcpy(dmasim_ptr(rig->s, page, 8), &entry, 8);
	dmasim_suppress(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP);
	expect_done(dmasim_dev_read(rig->nvme, dma, seen, 7), 7);
	assert_string_equal(seen, "secret");
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, page, SZ_4K);
	dmasim_free(rig->s, secret, SZ_4K);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(an_unmap_that_frees_a_table_leaves_nothing_of_it_known),
	  TEST(a_device_reads_through_a_freed_table_whatever_lies_there))
