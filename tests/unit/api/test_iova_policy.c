/* SPDX-License-Identifier: MIT */
/*
 * Which IOVAs a device is given: the lowest 32 bits first, until they fail it once (facts
 * "iova-and-page-tables" 1.3, "dma-api" 6.2).
 *
 *   0   4K        1M                              4G                     256T
 *   |---|  free   |     reserved by firmware      |     free              |
 *
 * Ranges of 64 pages, which no cache keeps, have three places below 1 MiB.
 */
#include "unit/api/lists.h"

#include <stdio.h>

#define LOW_BYTES   SZ_1M
#define RANGE	    (64 * SZ_4K)
#define LOW_RANGES  3
#define LOW_SINGLES 255
#define MSI_FIRST   0xfee00000ULL
#define MSI_BYTES   0x100000ULL

struct machine {
	struct rig rig;
	FILE *trace;
	char *text;
	size_t bytes;
};

static struct pci_dev *add(struct machine *m, const char *path)
{
	struct pci_dev *pdev =
		dmasim_add_endpoint(m->rig.s, path, &(struct dmasim_endpoint){ .bar = { SZ_1M } });

	assert_non_null(pdev);
	return pdev;
}

static void reserve(struct machine *m, u64 start, u64 end)
{
	expect_ok(dmasim_add_direct_region(m->rig.s, NULL, start, end - start));
}

/* Two devices below one switch, and one that stands alone; all with 64 bits. */
static struct machine *begin(struct dmasim_config config, bool low_is_small)
{
	struct machine *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->trace = open_memstream(&m->text, &m->bytes);
	assert_non_null(m->trace);
	config.size = sizeof(config);
	config.trace = m->trace;
	m->rig.s = dmasim_create(&config);
	assert_non_null(m->rig.s);
	m->rig.nvme = add(m, "00:01.0/00.0/00.0/00.0");
	m->rig.nic = add(m, "00:01.0/00.0/02.0/00.0");
	m->rig.disk = add(m, "00:02.0/00.0");
	if (low_is_small) {
		reserve(m, LOW_BYTES, MSI_FIRST);
		reserve(m, MSI_FIRST + MSI_BYTES, SZ_4G);
	}
	expect_ok(dma_set_mask(&m->rig.nvme->dev, DMA_BIT_MASK(64)));
	expect_ok(dma_set_mask(&m->rig.nic->dev, DMA_BIT_MASK(64)));
	expect_ok(dma_set_mask(&m->rig.disk->dev, DMA_BIT_MASK(64)));
	/* This starts the machine. */
	dmasim_group(m->rig.nvme);
	return m;
}

static void end(struct machine *m)
{
	dmasim_assert_clean(m->rig.s);
	rig_fini(&m->rig);
	fclose(m->trace);
	free(m->text);
	free(m);
}

/* How often the trace says that a device uses so many bits. */
static u32 said_bits(struct machine *m, const struct pci_dev *pdev, u32 bits)
{
	char words[80];
	u32 count = 0;

	snprintf(words, sizeof(words), " iova_using_bits dev=%s n=%u\n", pci_name(pdev), bits);
	fflush(m->trace);
	for (const char *at = m->text; (at = strstr(at, words)); at += strlen(words))
		count++;
	return count;
}

static u64 take(struct device *dev, u64 bytes, struct dma_iova_state *st)
{
	assert_true(dma_iova_try_alloc(dev, st, 0, bytes));
	return st->addr;
}

static bool is_low(u64 iova)
{
	return iova < SZ_4G;
}

/* Takes all three low places. */
static void fill_low(struct device *dev, struct dma_iova_state *st)
{
	for (u32 i = 0; i < LOW_RANGES; i++)
		assert_true(take(dev, RANGE, &st[i]) < LOW_BYTES);
}

static void release(struct device *dev, struct dma_iova_state *st, u32 count)
{
	while (count--)
		dma_iova_free(dev, &st[count]);
}

/* ---- 32 bits first --------------------------------------------------------------------------- */

/* Of every call, though the device has 64 bits. */
static void the_first_addresses_are_the_highest_below_4_gib(void **state)
{
	struct machine *m = begin((struct dmasim_config){ .iova_ops = *state }, false);
	struct device *dev = &m->rig.nvme->dev;
	phys_addr_t buf = ram(&m->rig, SZ_64K);
	struct dma_iova_state st;
	struct list list;
	dma_addr_t dma;
	void *memory;

	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dma, SZ_4G - SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(is_low(take(dev, SZ_1M, &st)));
	dma_iova_free(dev, &st);
	list_init(&list, 2);
	list_set(&m->rig, &list, 0, buf, SZ_4K);
	list_set(&m->rig, &list, 1, buf + SZ_16K, SZ_4K);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	assert_true(is_low(sg_dma_address(list.sg)));
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
	memory = dma_alloc_coherent(dev, SZ_64K, &dma, GFP_KERNEL);
	assert_non_null(memory);
	assert_true(is_low(dma));
	dma_free_coherent(dev, SZ_64K, memory, dma);
	expect_u64(said_bits(m, m->rig.nvme, 48), 0);
	end(m);
}

static void when_the_low_space_is_full_addresses_go_up(void **state)
{
	struct machine *m = begin((struct dmasim_config){ .iova_ops = *state }, true);
	struct device *dev = &m->rig.nvme->dev;
	phys_addr_t buf = ram(&m->rig, SZ_4K);
	struct dma_iova_state st[LOW_RANGES + 2];

	fill_low(dev, st);
	expect_u64(said_bits(m, m->rig.nvme, 48), 0);
	assert_true(dev->pci_32bit_workaround);
	for (u32 i = 0; i < 2; i++)
		assert_false(is_low(take(dev, RANGE, &st[LOW_RANGES + i])));
	/* "Using 48-bit DMA addresses", once: as many as the page table has. */
	expect_u64(said_bits(m, m->rig.nvme, 48), 1);
	expect_ok(dma_iova_link(dev, &st[LOW_RANGES], buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st[LOW_RANGES], 0, SZ_4K));
	expect_both_ways(m->rig.s, m->rig.nvme, st[LOW_RANGES].addr, buf, SZ_4K);
	dma_iova_destroy(dev, &st[LOW_RANGES], SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_iova_free(dev, &st[LOW_RANGES + 1]);
	release(dev, st, LOW_RANGES);
	end(m);
}

static void once_it_failed_32_bits_are_not_tried_again(void **state)
{
	struct machine *m = begin((struct dmasim_config){ .iova_ops = *state }, true);
	struct device *dev = &m->rig.nvme->dev;
	struct dma_iova_state st[LOW_RANGES + 1];

	fill_low(dev, st);
	assert_false(is_low(take(dev, RANGE, &st[LOW_RANGES])));
	release(dev, st, LOW_RANGES + 1);
	assert_false(dev->pci_32bit_workaround);
	for (u32 i = 0; i < 3; i++)
		assert_false(is_low(take(dev, RANGE, &st[i])));
	release(dev, st, 3);
	expect_u64(said_bits(m, m->rig.nvme, 48), 1);
	end(m);
}

/* Nothing of that size is there, so the one large buffer costs the device its low addresses. */
static void what_is_too_large_for_32_bits_ends_them_too(void **state)
{
	struct machine *m = begin((struct dmasim_config){ .iova_ops = *state }, false);
	struct device *dev = &m->rig.nvme->dev;
	struct dma_iova_state st;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(40)));
	assert_false(is_low(take(dev, 2 * SZ_4G, &st)));
	dma_iova_free(dev, &st);
	expect_u64(said_bits(m, m->rig.nvme, 40), 1);
	assert_false(is_low(take(dev, RANGE, &st)));
	dma_iova_free(dev, &st);
	end(m);
}

static void a_device_of_32_bits_keeps_its_space(void **state)
{
	struct machine *m = begin((struct dmasim_config){ .iova_ops = *state }, true);
	struct device *dev = &m->rig.nvme->dev;
	struct dma_iova_state st[LOW_RANGES + 1];

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	fill_low(dev, st);
	assert_false(dma_iova_try_alloc(dev, &st[LOW_RANGES], 0, RANGE));
	/* A failure of all that it may have says nothing of 32 bits first. */
	assert_true(dev->pci_32bit_workaround);
	expect_u64(said_bits(m, m->rig.nvme, 32), 0);
	dma_iova_free(dev, &st[1]);
	assert_true(take(dev, RANGE, &st[1]) < LOW_BYTES);
	release(dev, st, LOW_RANGES);
	end(m);
}

#define TAKEN_MAX 64

/* Takes every place for a RANGE below 4 GiB, in large pieces; returns how many. */
static u32 take_all_low(struct device *dev, struct dma_iova_state *st)
{
	u32 count = 0;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	for (u64 bytes = SZ_4G / 2; bytes >= RANGE; bytes /= 2) {
		while (dma_iova_try_alloc(dev, &st[count], 0, bytes)) {
			count++;
			assert_true(count < TAKEN_MAX);
		}
	}
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(64)));
	return count;
}

/* Two devices below one port that does not isolate share a domain. */
static void devices_of_a_group_have_flags_of_their_own(void **state)
{
	struct machine *m =
		begin((struct dmasim_config){ .iova_ops = *state, .acs = DMASIM_ACS_OFF }, false);
	struct device *nvme = &m->rig.nvme->dev, *nic = &m->rig.nic->dev;
	struct dma_iova_state st[TAKEN_MAX], high, low;
	u32 count = take_all_low(nvme, st);

	expect_u64((u64)dmasim_group(m->rig.nvme), (u64)dmasim_group(m->rig.nic));
	assert_false(is_low(take(nvme, RANGE, &high)));
	release(nvme, st, count);
	assert_false(nvme->pci_32bit_workaround);
	assert_true(nic->pci_32bit_workaround);
	assert_true(is_low(take(nic, RANGE, &low)));
	expect_u64(said_bits(m, m->rig.nvme, 48), 1);
	expect_u64(said_bits(m, m->rig.nic, 48), 0);
	dma_iova_free(nic, &low);
	dma_iova_free(nvme, &high);
	assert_false(is_low(take(nvme, RANGE, &high)));
	dma_iova_free(nvme, &high);
	end(m);
}

static void with_forcedac_the_first_addresses_are_the_highest_of_all(void **state)
{
	struct machine *m =
		begin((struct dmasim_config){ .iova_ops = *state, .forcedac = true }, true);
	struct device *dev = &m->rig.nvme->dev;
	struct dma_iova_state st;

	expect_u64(take(dev, RANGE, &st), (1ULL << 48) - RANGE);
	dma_iova_free(dev, &st);
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(36)));
	expect_u64(take(dev, RANGE, &st), (1ULL << 36) - RANGE);
	dma_iova_free(dev, &st);
	/* Who cannot do better has low ones all the same. */
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	assert_true(take(dev, RANGE, &st) < LOW_BYTES);
	dma_iova_free(dev, &st);
	expect_u64(said_bits(m, m->rig.nvme, 48), 0);
	end(m);
}

static void the_way_to_the_device_is_a_limit_too(void **state)
{
	struct machine *m =
		begin((struct dmasim_config){ .iova_ops = *state,
					      .traits = { .bus_limit = DMA_BIT_MASK(35) } },
		      true);
	struct device *dev = &m->rig.nvme->dev;
	struct dma_iova_state st[LOW_RANGES], high;

	fill_low(dev, st);
	expect_u64(take(dev, RANGE, &high), (1ULL << 35) - RANGE);
	expect_u64(said_bits(m, m->rig.nvme, 35), 1);
	dma_iova_free(dev, &high);
	release(dev, st, LOW_RANGES);
	end(m);
}

/* ---- Linux's allocator below the policy ------------------------------------------------------ */

/* Takes all free pages below 1 MiB one by one, and frees them into caches. */
static void fill_caches(struct device *dev)
{
	struct dma_iova_state st[LOW_SINGLES];

	for (u32 i = 0; i < LOW_SINGLES; i++)
		assert_true(take(dev, SZ_4K, &st[i]) < LOW_BYTES);
	release(dev, st, LOW_SINGLES);
}

/* The try below 4 GiB leaves caches alone, even where it would find room there. */
static void the_low_try_does_not_empty_caches(void **state)
{
	struct machine *m = begin((struct dmasim_config){ .iova_ops = *state }, true);
	struct device *dev = &m->rig.nvme->dev;
	struct dma_iova_state st, single;

	fill_caches(dev);
	assert_false(is_low(take(dev, RANGE, &st)));
	dma_iova_free(dev, &st);
	/* They are still there: a size that is cached is low, whatever the limit. */
	assert_true(is_low(take(dev, SZ_4K, &single)));
	dma_iova_free(dev, &single);
	/* A device of 32 bits has no other place: there they are emptied. */
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	assert_true(take(dev, RANGE, &st) < LOW_BYTES);
	dma_iova_free(dev, &st);
	end(m);
}

/*
 * One request that no mask could satisfy, and all 32-bit ones fail at once, though the space is
 * empty (facts 1.5, P3).
 */
static void one_hopeless_request_ends_all_of_32_bits(void **state)
{
	struct machine *m = begin((struct dmasim_config){ .iova_ops = *state }, false);
	struct device *dev = &m->rig.nvme->dev;
	struct dma_iova_state st;

	expect_ok(dma_set_mask(dev, SZ_4K - 1));
	assert_false(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	assert_false(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	/* Others have a domain of their own. */
	assert_true(is_low(take(&m->rig.disk->dev, SZ_4K, &st)));
	dma_iova_free(&m->rig.disk->dev, &st);
	end(m);
}

static void unless_that_is_repaired(void **state)
{
	struct machine *m = begin(
		(struct dmasim_config){ .iova_ops = *state, .iova_repairs = IOVA_REPAIR(MAX32) },
		false);
	struct device *dev = &m->rig.nvme->dev;
	struct dma_iova_state st;

	expect_ok(dma_set_mask(dev, SZ_4K - 1));
	assert_false(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	assert_true(is_low(take(dev, SZ_4K, &st)));
	dma_iova_free(dev, &st);
	end(m);
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static void allocators_are_known_by_name(void **state)
{
	static const char *const names[] = { "linux", "exact", "bitmap" };

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		const struct iova_allocator_ops *ops = dmasim_iova_by_name(names[i]);

		assert_non_null(ops);
		assert_string_equal(ops->name, names[i]);
	}
	assert_ptr_equal(dmasim_iova_by_name("linux"), dmasim_iova_linux());
	assert_null(dmasim_iova_by_name(""));
	assert_null(dmasim_iova_by_name("linu"));
	assert_null(dmasim_iova_by_name("linux "));
}

/* The trace's header says what was configured. */
static void a_trace_names_its_allocator(void **state)
{
	static const struct iova_allocator_ops other = { .size = sizeof(other), .name = "linux" };
	struct iova_allocator_ops own = *dmasim_iova_exact();
	struct machine *m = begin((struct dmasim_config){ .iova_repairs = 2 }, false);

	(void)state;
	fflush(m->trace);
	assert_non_null(strstr(m->text, " iova=linux repairs=0x2 forcedac=0\n"));
	end(m);
	m = begin((struct dmasim_config){ .iova_ops = dmasim_iova_exact(), .forcedac = true },
		  false);
	fflush(m->trace);
	assert_non_null(strstr(m->text, " iova=exact repairs=0x0 forcedac=1\n"));
	end(m);
	own.name = other.name;
	m = begin((struct dmasim_config){ .iova_ops = &own }, false);
	fflush(m->trace);
	assert_non_null(strstr(m->text, " iova=own repairs=0x0 forcedac=0\n"));
	end(m);
}

static int with_linux(void **state)
{
	*state = (void *)(uintptr_t)dmasim_iova_linux();
	return 0;
}

static int with_exact(void **state)
{
	*state = (void *)(uintptr_t)dmasim_iova_exact();
	return 0;
}

/* What follows from the policy alone holds for every allocator below it. */
#define ON_LINUX(test)                                        \
	{                                                     \
#test "__linux", test, with_linux, NULL, NULL \
	}
#define ON_BOTH(test)                                         \
	ON_LINUX(test),                                       \
	{                                                     \
#test "__exact", test, with_exact, NULL, NULL \
	}

TEST_MAIN(ON_BOTH(the_first_addresses_are_the_highest_below_4_gib),
	  ON_BOTH(when_the_low_space_is_full_addresses_go_up),
	  ON_BOTH(once_it_failed_32_bits_are_not_tried_again),
	  ON_BOTH(what_is_too_large_for_32_bits_ends_them_too),
	  ON_BOTH(a_device_of_32_bits_keeps_its_space),
	  ON_BOTH(devices_of_a_group_have_flags_of_their_own),
	  ON_BOTH(with_forcedac_the_first_addresses_are_the_highest_of_all),
	  ON_BOTH(the_way_to_the_device_is_a_limit_too),
	  ON_LINUX(the_low_try_does_not_empty_caches),
	  ON_LINUX(one_hopeless_request_ends_all_of_32_bits), ON_LINUX(unless_that_is_repaired),
	  cmocka_unit_test(allocators_are_known_by_name),
	  cmocka_unit_test(a_trace_names_its_allocator))
