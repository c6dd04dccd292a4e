/* SPDX-License-Identifier: MIT */
/*
 * 8 stale-translation: IOVA space that is free for others while an IOTLB may still have its old
 * translation. Here no invalidation reaches the IOMMU; it only says that it is done.
 */
#include <stdlib.h>

#include "iova/flush_queue.h"
#include "machine/machine.h"
#include "support/rig.h"

#define ROOM (FLUSH_QUEUE_ENTRIES - 1)
#define FEW  4

struct deaf {
	struct rig rig; /* first member */
	struct platform_ops ops;
};

/* Of a command and the wait for it, the wait. */
static int submit_the_wait(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct dmasim *s = machine;
	size_t last = bytes - 2 * sizeof(u64);

	return hw_queue_execute(hw_iommu_find(&s->hw, unit), (const u8 *)commands + last,
				bytes - last);
}

static int setup_with(void **state, const struct dmasim_config *config)
{
	struct deaf *deaf = calloc(1, sizeof(*deaf));
	struct platform *platform;

	if (!deaf)
		return -1;
	*state = deaf;
	rig_init(&deaf->rig, config);
	/* What attaching invalidates is none of this. */
	dma_unmap_phys(&deaf->rig.nvme->dev,
		       dma_map_phys(&deaf->rig.nvme->dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0), SZ_4K,
		       DMA_TO_DEVICE, 0);
	dmasim_run(deaf->rig.s, FLUSH_QUEUE_TIMEOUT_NS);
	platform = &deaf->rig.s->platform;
	deaf->ops = *platform->ops;
	deaf->ops.queue_submit = submit_the_wait;
	platform->ops = &deaf->ops;
	dmasim_suppress(deaf->rig.s, DMASIM_REPORT_TABLE_FREED_EARLY);
	return 0;
}

static int setup_lazy(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY });
}

static int setup_untrusted(void **state)
{
	return setup_with(state,
			  &(struct dmasim_config){ DMASIM_CONFIG, .traits.untrusted = true });
}

static int teardown(void **state)
{
	struct deaf *deaf = *state;

	rig_fini(&deaf->rig);
	free(deaf);
	return 0;
}

static void map_all(struct rig *rig, dma_addr_t *dma, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		dma[i] = dma_map_phys(&rig->nvme->dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);
		expect_ok(dma_mapping_error(&rig->nvme->dev, dma[i]));
	}
}

static void unmap_all(struct rig *rig, const dma_addr_t *dma, u32 count)
{
	for (u32 i = 0; i < count; i++)
		dma_unmap_phys(&rig->nvme->dev, dma[i], SZ_4K, DMA_TO_DEVICE, 0);
}

/* One for each address, in order, about this device; and no other. */
static void expect_stale(struct rig *rig, const dma_addr_t *dma, u32 count, dmasim_sbdf dev)
{
	struct dmasim_report report;
	u32 found = 0;

	for (u32 i = 0; dmasim_report_get(rig->s, i, &report); i++) {
		if (report.id != DMASIM_REPORT_STALE_TRANSLATION)
			continue;
		assert_true(found < count);
		expect_u64(report.dma, dma[found++]);
		expect_u64(report.dev, dev);
	}
	expect_u64(found, count);
}

static void all_that_the_timer_frees_is_judged(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma[FEW];

	map_all(rig, dma, FEW);
	unmap_all(rig, dma, FEW);
	expect_stale(rig, dma, 0, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, FEW);
	dmasim_run(rig->s, FLUSH_QUEUE_TIMEOUT_NS);
	expect_stale(rig, dma, FEW, DMASIM_NO_SBDF);
	/* And told once: the next call has none of it. */
	map_all(rig, dma, 1);
	unmap_all(rig, dma, 1);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_STALE_TRANSLATION), FEW);
	dmasim_assert_clean(rig->s);
}

/* The unmap that finds the ring full frees what waits in it. */
static void all_that_a_call_frees_is_judged_as_its_own(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma[ROOM + 1];

	map_all(rig, dma, ROOM + 1);
	unmap_all(rig, dma, ROOM);
	expect_stale(rig, dma, 0, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, ROOM);
	unmap_all(rig, dma + ROOM, 1);
	expect_stale(rig, dma, ROOM, rig->nvme->dev.id);
	dmasim_assert_clean(rig->s);
}

/* Entries that share granules with others are mapped one by one, each at an address of its own. */
static void each_entry_of_a_list_is_judged(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[FEW];
	dma_addr_t dma[FEW];

	sg_init_table(sg, FEW);
	for (u32 i = 0; i < FEW; i++)
		sg_set_page(&sg[i], dmasim_page(rig->s, SZ_1M + i * SZ_4K), 1000, 100);
	expect_u64(dma_map_sg(&rig->nvme->dev, sg, FEW, DMA_TO_DEVICE), FEW);
	for (u32 i = 0; i < FEW; i++)
		dma[i] = sg_dma_address(&sg[i]) & ~(SZ_4K - 1ULL);
	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, FEW);
	dma_unmap_sg(&rig->nvme->dev, sg, FEW, DMA_TO_DEVICE);
	expect_stale(rig, dma, FEW, rig->nvme->dev.id);
	dmasim_assert_clean(rig->s);
}

#define T(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(all_that_the_timer_frees_is_judged, setup_lazy),
	  T(all_that_a_call_frees_is_judged_as_its_own, setup_lazy),
	  T(each_entry_of_a_list_is_judged, setup_untrusted))
