/* SPDX-License-Identifier: MIT */
/*
 * The two-step API: one IOVA range, links in it, one sync, one destroy.
 */
#include "support/rig.h"

static void a_read_lands_where_it_was_linked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_1M);
	static u8 pattern[SZ_1M];
	struct dma_iova_state st;

	fill_pattern(pattern, sizeof(pattern), 1);
	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_1M));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_1M, DMA_FROM_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_1M));
	expect_done(dmasim_dev_write(rig->nvme, st.addr, pattern, SZ_1M), SZ_1M);
	dma_iova_destroy(dev, &st, SZ_1M, DMA_FROM_DEVICE, 0);

	assert_memory_equal(dmasim_ptr(rig->s, buf, SZ_1M), pattern, SZ_1M);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(cmocka_unit_test_setup_teardown(a_read_lands_where_it_was_linked, rig_setup,
					  rig_teardown))
