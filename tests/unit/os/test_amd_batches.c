/* SPDX-License-Identifier: MIT */
/*
 * What the software hands to an AMD IOMMU, command by command: for an attach, a map, an unmap, a
 * lazy flush, a new top table (facts "iova-and-page-tables" 3.3 and 6.4). Words worked by hand.
 */
#include "support/rig.h"

#include <endian.h>
#include <string.h>

#include "iommu/iommu.h"
#include "machine/machine.h"
#include "pci/bus.h"

#define COMMANDS 256

#define DEVICE_ENTRY 0x2000000000000000ULL
#define PAGES	     0x3000000000000000ULL
#define DEVICE_PAGES 0x4000000000000000ULL
#define WAIT	     0x1000000000000001ULL /* that stores */
#define EVERYTHING   0x7ffffffffffff001ULL
#define S	     1ULL
#define PDE	     2ULL

struct fixture {
	struct rig rig;
	struct platform_ops ops;
	const struct platform_ops *real;
	u64 word[COMMANDS][2];
	u32 commands;
	u32 batches;
	u32 size[COMMANDS]; /* of a batch, in commands */
};

static struct fixture *listener(struct dmasim *s)
{
	/* The operations are the fixture's own. */
	return (struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));
}

static int keep(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct fixture *fixture = listener(machine);
	u32 count = (u32)(bytes / 16);

	assert_true(fixture->commands + count <= COMMANDS);
	memcpy(fixture->word[fixture->commands], commands, bytes);
	for (u32 i = 0; i < 2 * count; i++) {
		u64 *word = &fixture->word[fixture->commands + i / 2][i % 2];

		*word = le64toh(*word);
	}
	fixture->commands += count;
	fixture->size[fixture->batches++] = count;
	return fixture->real->queue_submit(machine, unit, commands, bytes);
}

static int setup_with(void **state, struct dmasim_config config)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;

	if (!fixture)
		return -1;
	config.size = sizeof(config);
	config.iommu = DMASIM_AMD_VI;
	rig_init(&fixture->rig, &config);
	platform = &fixture->rig.s->platform;
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	fixture->ops.queue_submit = keep;
	platform->ops = &fixture->ops;
	*state = fixture;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, (struct dmasim_config){ .iommu_levels = 4 });
}

static int setup_lazy(void **state)
{
	return setup_with(state, (struct dmasim_config){ .policy = DMASIM_LAZY });
}

static int setup_np_cache(void **state)
{
	return setup_with(state, (struct dmasim_config){ .iommu_caching_mode = true });
}

static int setup_high(void **state)
{
	return setup_with(state, (struct dmasim_config){ .forcedac = true, .iommu_levels = 5 });
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->rig.s->platform.ops = fixture->real;
	rig_fini(&fixture->rig);
	free(fixture);
	return 0;
}

static struct iommu_domain *domain_of(struct fixture *fixture)
{
	return iommu_dma_domain(&fixture->rig.nvme->dev);
}

static u64 pages_of(struct fixture *fixture)
{
	return PAGES | (u64)domain_of(fixture)->id << 32;
}

static void forget(struct fixture *fixture)
{
	fixture->commands = 0;
	fixture->batches = 0;
}

/* The next batch, from command `at` on: these commands, and a wait. Returns what follows. */
static u32 expect_batch(struct fixture *fixture, u32 at, const u64 (*word)[2], u32 count)
{
	const struct iommu_unit *unit = domain_of(fixture)->unit;

	assert_true(at + count < fixture->commands);
	for (u32 i = 0; i < count; i++) {
		expect_u64(fixture->word[at + i][0], word[i][0]);
		expect_u64(fixture->word[at + i][1], word[i][1]);
	}
	expect_u64(fixture->word[at + count][0], WAIT | page_phys(unit->status));
	return at + count + 1;
}

static void expect_only_batch(struct fixture *fixture, const u64 (*word)[2], u32 count)
{
	const struct iommu_unit *unit = domain_of(fixture)->unit;

	expect_u64(fixture->batches, 1);
	expect_u64(expect_batch(fixture, 0, word, count), fixture->commands);
	expect_u64(fixture->word[count][1], unit->sequence);
	forget(fixture);
}

static void expect_nothing(struct fixture *fixture)
{
	expect_u64(fixture->batches, 0);
}

static dma_addr_t map(struct fixture *fixture, phys_addr_t phys, u64 bytes)
{
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, phys, bytes, DMA_BIDIRECTIONAL, 0);

	assert_false(dma_mapping_error(dev, dma));
	return dma;
}

static void unmap(struct fixture *fixture, dma_addr_t dma, u64 bytes)
{
	dma_unmap_phys(&fixture->rig.nvme->dev, dma, bytes, DMA_BIDIRECTIONAL, 0);
}

/* ---- Attach and detach ----------------------------------------------------------------------- */

/* First the entry, then all that was translated with it, with PDE. */
static void a_context_is_changed_by_its_entry_and_all_pages(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	const u64 expected[][2] = { { DEVICE_ENTRY | (nvme->dev.id & 0xffff), 0 },
				    { pages_of(fixture), EVERYTHING | PDE } };

	iommu_detach_device(nvme);
	expect_only_batch(fixture, expected, 2);
	expect_ok(iommu_attach_device(nvme));
	expect_only_batch(fixture, expected, 2);
}

/* ---- Strict ---------------------------------------------------------------------------------- */

/* trust: AMD's commands for each change of a table | our reading of the facts: 3.3, row by row */
static void an_unmap_is_one_command_without_pde(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_64K);
	dma_addr_t dma = map(fixture, buf, SZ_4K);

	expect_nothing(fixture);
	unmap(fixture, dma, SZ_4K);
	expect_only_batch(fixture, (const u64[][2]){ { pages_of(fixture), dma } }, 1);
	/* 64 KiB, one leaf: bits 12 to 14 are ones. */
	dma = map(fixture, buf, SZ_64K);
	unmap(fixture, dma, SZ_64K);
	expect_u64(dma & 0xffff, 0);
	expect_only_batch(fixture, (const u64[][2]){ { pages_of(fixture), dma | 0x7001 } }, 1);
	dmasim_free(fixture->rig.s, buf, SZ_64K);
}

/* The table of the 512 pages goes with them; of a leaf of 2 MiB there is none. */
static void pde_says_that_a_table_was_unlinked(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, 2 * SZ_2M);
	dma_addr_t dma = map(fixture, buf, SZ_2M);

	unmap(fixture, dma, SZ_2M);
	expect_only_batch(fixture, (const u64[][2]){ { pages_of(fixture), dma | 0xff001 } }, 1);
	dma = map(fixture, buf + SZ_4K, SZ_2M);
	expect_u64(dma & (SZ_2M - 1), 0);
	unmap(fixture, dma, SZ_2M);
	expect_only_batch(fixture, (const u64[][2]){ { pages_of(fixture), dma | 0xff003 } }, 1);
	dmasim_free(fixture->rig.s, buf, 2 * SZ_2M);
}

/* The window is never smaller than a page that goes: an entry larger than it could survive. */
static void the_window_holds_the_largest_page_that_goes(void **state)
{
	struct fixture *fixture = *state;
	struct iommu_domain *domain = domain_of(fixture);

	for (u8 lg2 = 12; lg2 <= 38; lg2++) {
		u64 iova = 1ULL << lg2, bytes = 1ULL << lg2;
		u64 ones = lg2 > 12 ? (bytes / 2 - 1) & ~0xfffULL : 0;
		u64 expected[][2] = { { pages_of(fixture), iova | ones } };

		if (lg2 > 12)
			expected[0][1] |= S;
		expect_ok(iommu_map(domain, iova, 0, bytes, IOMMU_READ));
		/* A page of it is asked for; the leaf goes whole. */
		expect_u64(iommu_unmap(domain, iova, SZ_4K), bytes);
		expect_only_batch(fixture, (const u64(*)[2])expected, 1);
	}
}

/* ---- Lazy ------------------------------------------------------------------------------------ */

/* Nothing at the unmap; later all of the domain, with PDE, whatever went. */
static void a_lazy_flush_is_one_command_for_all(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_4K);

	for (int i = 0; i < 20; i++)
		unmap(fixture, map(fixture, buf, SZ_4K), SZ_4K);
	expect_nothing(fixture);
	dmasim_run(fixture->rig.s, 10 * 1000 * 1000);
	expect_only_batch(fixture, (const u64[][2]){ { pages_of(fixture), EVERYTHING | PDE } }, 1);
	dmasim_free(fixture->rig.s, buf, SZ_4K);
}

/* ---- NpCache --------------------------------------------------------------------------------- */

/* 12 KiB from a multiple of 16 KiB: 8 KiB and 4 KiB, never the 16 that one window would be. */
static void a_map_is_cut_into_aligned_pieces(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_16K);
	dma_addr_t dma = map(fixture, buf, 3 * SZ_4K);
	const u64 expected[][2] = { { pages_of(fixture), dma | S | PDE },
				    { pages_of(fixture), (dma + 0x2000) | PDE } };

	expect_u64(dma & 0x3fff, 0);
	expect_only_batch(fixture, expected, 2);
	unmap(fixture, dma, 3 * SZ_4K);
	/* One window for what goes. */
	expect_only_batch(fixture, (const u64[][2]){ { pages_of(fixture), dma | 0x1001 } }, 1);
	dmasim_free(fixture->rig.s, buf, SZ_16K);
}

/* From page 1 up to the page before 1 GiB: 34 pieces, which are 16, 16 and 2. */
static void many_pieces_are_batches_of_sixteen(void **state)
{
	struct fixture *fixture = *state;
	u64 at = 0x1000;
	u32 command = 0;

	expect_ok(iommu_invalidate_mapped(domain_of(fixture), at, 0x3fffefff));
	expect_u64(fixture->batches, 3);
	expect_u64(fixture->size[0], 17);
	expect_u64(fixture->size[1], 17);
	expect_u64(fixture->size[2], 3);
	for (u32 piece = 0; piece < 34; piece++, command++) {
		/* 4 KiB, 8 KiB, ... 256 MiB, and down again. */
		u64 bytes = 0x1000ULL << (piece < 17 ? piece : 33 - piece);
		u64 window = at | PDE | (bytes > 0x1000 ? S | ((bytes / 2 - 1) & ~0xfffULL) : 0);

		/* Its waits stand between. */
		if (piece && piece % 16 == 0)
			command++;
		expect_u64(fixture->word[command][0], pages_of(fixture));
		expect_u64(fixture->word[command][1], window);
		at += bytes;
	}
	expect_u64(at, 0x3ffff000);
}

/* ---- A new top ------------------------------------------------------------------------------- */

static struct hw_context context_at(struct pci_dev *pdev)
{
	return hw_context_get(machine_function(pdev)->bus->root->iommu, pdev->dev.id & 0xffff);
}

/* The entries of the domain's devices alone: what is cached of the table stays right. */
static void a_new_top_is_told_by_device_table_entries_alone(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	const u64 expected[][2] = { { DEVICE_ENTRY | (nvme->dev.id & 0xffff), 0 } };
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_4K);
	dma_addr_t dma;

	expect_u64(context_at(nvme).levels, 3);
	dma = map(fixture, buf, SZ_4K);
	assert_true(dma >> 48);
	expect_only_batch(fixture, expected, 1);
	expect_u64(context_at(nvme).levels, 5);
	expect_u64(context_at(nvme).root, domain_of(fixture)->pt.root);
	/* Others have their own tables. */
	expect_u64(context_at(fixture->rig.disk).levels, 3);
	unmap(fixture, dma, SZ_4K);
	dmasim_free(fixture->rig.s, buf, SZ_4K);
}

/* A table that grew before its device was attached: the entry names the new top. */
static void a_direct_region_beyond_the_first_levels_is_reached(void **state)
{
	struct dmasim *s = dmasim_create(&(struct dmasim_config){
		DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .ram_bytes = 2 * (u64)SZ_1G });
	struct pci_dev *pdev = dmasim_add_endpoint(s, "00:01.0/00.0",
						   &(struct dmasim_endpoint){ .bar = { SZ_16K } });
	const struct hw_iommu *iommu;
	struct hw_translation found;

	(void)state;
	expect_ok(dmasim_add_direct_region(s, pdev, 1ULL << 40, SZ_64K));
	dmasim_group(pdev);
	iommu = machine_function(pdev)->bus->root->iommu;
	expect_u64(hw_context_get(iommu, pdev->dev.id & 0xffff).levels, 4);
	found = hw_translate_probe(machine_function(pdev)->bus->root->iommu, pdev->dev.id & 0xffff,
				   (1ULL << 40) + 0x123, true);
	expect_u64(found.fault, 0);
	expect_u64(found.phys, (1ULL << 40) + 0x123);
	dmasim_assert_clean(s);
	expect_u64(dmasim_destroy(s), 0);
}

/* The table that could not grow is used on. Nothing is told before all of the new top is there. */
static void a_map_that_cannot_grow_the_table_fails_alone(void **state)
{
	struct fixture *fixture = *state;
	struct dmasim *s = fixture->rig.s;
	struct device *dev = &fixture->rig.nvme->dev;
	phys_addr_t buf = dmasim_alloc(s, SZ_4K);
	u64 tables = dmasim_in_use(s, DMASIM_FAULT_TABLE_PAGE);

	for (u64 nth = 1; nth <= 2; nth++) {
		dmasim_fail(s, DMASIM_FAULT_TABLE_PAGE, nth);
		assert_true(dma_mapping_error(dev,
					      dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0)));
		expect_nothing(fixture);
		expect_u64(context_at(fixture->rig.nvme).levels, 3);
		expect_u64(dmasim_in_use(s, DMASIM_FAULT_TABLE_PAGE), tables);
	}
	dmasim_fail(s, DMASIM_FAULT_TABLE_PAGE, 0);
	unmap(fixture, map(fixture, buf, SZ_4K), SZ_4K);
	dmasim_free(s, buf, SZ_4K);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(a_context_is_changed_by_its_entry_and_all_pages, setup),
	  TEST(an_unmap_is_one_command_without_pde, setup),
	  TEST(pde_says_that_a_table_was_unlinked, setup),
	  TEST(the_window_holds_the_largest_page_that_goes, setup),
	  TEST(a_lazy_flush_is_one_command_for_all, setup_lazy),
	  TEST(a_map_is_cut_into_aligned_pieces, setup_np_cache),
	  TEST(many_pieces_are_batches_of_sixteen, setup_np_cache),
	  TEST(a_new_top_is_told_by_device_table_entries_alone, setup_high),
	  cmocka_unit_test(a_direct_region_beyond_the_first_levels_is_reached),
	  TEST(a_map_that_cannot_grow_the_table_fails_alone, setup_high))
