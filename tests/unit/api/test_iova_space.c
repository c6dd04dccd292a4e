/* SPDX-License-Identifier: MIT */
/*
 * What the IOVA space never gives out: page 0, the interrupt window, the host bridge's windows and
 * firmware's direct regions (facts 6.1, 20.1). Proved by taking all there is.
 */
#include "unit/api/machines.h"

#define MSI_FIRST 0xfee00000ULL
#define MSI_BYTES 0x100000ULL
#define TAKEN_MAX 1024

struct taken {
	struct dma_iova_state st[TAKEN_MAX];
	u32 count;
	u64 bytes;
};

/*
 * Takes all free space below 2^bits: first what has 2^bits bytes, then half of that, down to a
 * page. Blocks are naturally aligned, so what is free and aligned for one of them is found.
 */
static void take_all(struct device *dev, struct taken *taken, u32 bits)
{
	taken->count = 0;
	taken->bytes = 0;
	for (u32 lg2 = bits; lg2 >= PAGE_SHIFT; lg2--) {
		struct dma_iova_state st;

		while (dma_iova_try_alloc(dev, &st, 0, 1ULL << lg2)) {
			assert_true(taken->count < TAKEN_MAX);
			expect_u64(st.addr & ((1ULL << lg2) - 1), 0);
			assert_true(st.addr + (1ULL << lg2) <= 1ULL << bits);
			taken->st[taken->count++] = st;
			taken->bytes += 1ULL << lg2;
		}
	}
}

static void give_back(struct device *dev, struct taken *taken)
{
	for (u32 i = 0; i < taken->count; i++)
		dma_iova_free(dev, &taken->st[i]);
}

static void expect_apart(const struct taken *taken, u64 start, u64 bytes)
{
	for (u32 i = 0; i < taken->count; i++) {
		const struct dma_iova_state *st = &taken->st[i];

		assert_true(st->addr + st->__size <= start || st->addr >= start + bytes);
	}
}

/* Bytes of the windows of root bus 00 that lie below `limit`, in bus addresses and whole pages. */
static u64 window_bytes(struct dmasim *s, const struct taken *taken, u64 limit)
{
	struct dmasim_window window;
	u64 sum = 0;

	for (u32 i = 0; dmasim_window(s, i, &window); i++) {
		u64 start = window.start + window.bus_offset;

		if (window.segment || window.bus || start >= limit)
			continue;
		assert_true(start + window.bytes <= limit);
		expect_apart(taken, start, window.bytes);
		sum += window.bytes;
	}
	return sum;
}

static void expect_all_but_the_reserved(struct rig *rig, u32 bits)
{
	static struct taken taken;
	struct device *dev = &rig->nvme->dev;
	u64 reserved = SZ_4K; /* page 0 */

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(bits)));
	take_all(dev, &taken, bits);
	expect_apart(&taken, 0, SZ_4K);
	reserved += window_bytes(rig->s, &taken, 1ULL << bits);
	if (bits >= 32) {
		expect_apart(&taken, MSI_FIRST, MSI_BYTES);
		reserved += MSI_BYTES;
	}
	expect_u64(taken.bytes, (1ULL << bits) - reserved);
	give_back(dev, &taken);
	/* And it is all there again. */
	take_all(dev, &taken, bits);
	expect_u64(taken.bytes, (1ULL << bits) - reserved);
	give_back(dev, &taken);
	dmasim_assert_clean(rig->s);
}

static void a_20_bit_space_is_given_out_but_for_page_0(void **state)
{
	expect_all_but_the_reserved(*state, 20);
}

static void a_32_bit_space_is_given_out_but_for_what_is_reserved(void **state)
{
	expect_all_but_the_reserved(*state, 32);
}

static void a_48_bit_space_is_given_out_but_for_what_is_reserved(void **state)
{
	expect_all_but_the_reserved(*state, 48);
}

static int setup_with_32_bit_bars(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	*state = rig;
	rig->s = dmasim_create(NULL);
	rig->nvme = dmasim_add_endpoint(
		rig->s, "00:01.0/00.0",
		&(struct dmasim_endpoint){ .bar = { SZ_16M, SZ_1M, SZ_4K }, .bar_32 = 7 });
	rig->gpu =
		dmasim_add_endpoint(rig->s, "00:02.0/00.0",
				    &(struct dmasim_endpoint){ .bar = { SZ_256M }, .bar_32 = 1 });
	return rig->nvme && rig->gpu ? 0 : -1;
}

static void windows_below_4G_are_kept_free_too(void **state)
{
	struct rig *rig = *state;

	assert_true(pci_resource_end(rig->gpu, 0) < SZ_4G);
	expect_all_but_the_reserved(rig, 32);
}

/* bus address = phys + bus_offset: it is the bus address that must not be given out. */
static int setup_with_offset(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	*state = rig;
	rig->s = dmasim_create(NULL);
	expect_ok(dmasim_add_host_bridge(
		rig->s, &(struct dmasim_host_bridge){ .bus_offset = -(1ULL << 44) }));
	rig->nvme = dmasim_add_endpoint(rig->s, "00:01.0/00.0",
					&(struct dmasim_endpoint){ .bar = { SZ_16M } });
	return rig->nvme ? 0 : -1;
}

static void a_window_is_kept_free_at_its_bus_address(void **state)
{
	struct rig *rig = *state;

	assert_true(pci_bus_address(rig->nvme, 0) != pci_resource_start(rig->nvme, 0));
	expect_all_but_the_reserved(rig, 48);
}

static void a_direct_region_is_kept_free_and_maps_one_to_one(void **state)
{
	static struct taken taken;
	struct rig *rig = calloc(1, sizeof(*rig));
	struct device *dev;

	assert_non_null(rig);
	*state = rig;
	rig->s = dmasim_create(NULL);
	rig->nvme = dmasim_add_endpoint(rig->s, "00:01.0/00.0", &(struct dmasim_endpoint){ 0 });
	rig->disk = dmasim_add_endpoint(rig->s, "00:02.0/00.0", &(struct dmasim_endpoint){ 0 });
	assert_non_null(rig->nvme);
	dev = &rig->nvme->dev;
	expect_ok(dmasim_add_direct_region(rig->s, rig->nvme, SZ_16M, SZ_64K));
	expect_ok(dmasim_add_direct_region(rig->s, NULL, SZ_64M, SZ_4K));

	take_all(dev, &taken, 32);
	expect_apart(&taken, SZ_16M, SZ_64K);
	expect_apart(&taken, SZ_64M, SZ_4K);
	expect_u64(taken.bytes, SZ_4G - SZ_4K - MSI_BYTES - SZ_64K - SZ_4K);
	give_back(dev, &taken);
	expect_both_ways(rig->s, rig->nvme, SZ_16M, SZ_16M, SZ_64K);
	expect_both_ways(rig->s, rig->nvme, SZ_64M, SZ_64M, SZ_4K);
	expect_both_ways(rig->s, rig->disk, SZ_64M, SZ_64M, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 4);
	expect_refused(rig->disk, SZ_16M);
	expect_refused(rig->nvme, SZ_64M + SZ_4K);
	dmasim_assert_clean(rig->s);
}

static int setup_hidden(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .hide_windows = true });
}

/* Firmware that hides the windows lets them be given out; the checker, which knows, reports it. */
static void windows_that_firmware_hides_are_given_out_with_a_report(void **state)
{
	static struct taken taken;
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(48)));
	take_all(dev, &taken, 48);
	expect_u64(taken.bytes, (1ULL << 48) - SZ_4K - MSI_BYTES);
	give_back(dev, &taken);
	assert_true(count_reports(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW) > 0);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW),
		   dmasim_report_count(rig->s));
}

TEST_MAIN(BEHIND_VTD(a_20_bit_space_is_given_out_but_for_page_0),
	  BEHIND_VTD(a_32_bit_space_is_given_out_but_for_what_is_reserved),
	  BEHIND_VTD(a_48_bit_space_is_given_out_but_for_what_is_reserved),
	  WITH_SETUP(windows_below_4G_are_kept_free_too, setup_with_32_bit_bars),
	  WITH_SETUP(a_window_is_kept_free_at_its_bus_address, setup_with_offset),
	  cmocka_unit_test_teardown(a_direct_region_is_kept_free_and_maps_one_to_one, rig_teardown),
	  WITH_SETUP(windows_that_firmware_hides_are_given_out_with_a_report, setup_hidden))
