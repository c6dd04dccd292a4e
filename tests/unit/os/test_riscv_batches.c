/* SPDX-License-Identifier: MIT */
/*
 * What the software hands to a RISC-V IOMMU, and in which batches: its commands may overtake each
 * other, so that contexts, translations and devices' TLBs each have a fence of their own (facts
 * "iova-and-page-tables" 3.5 and 3.6). Words worked by hand.
 */
#include "support/rig.h"

#include <endian.h>
#include <string.h>

#include "iommu/iommu.h"
#include "machine/machine.h"

#define WORDS	  64
#define BATCH_MAX 17

#define CONTEXT	 0x0000000200000003ULL
#define SPACE	 0x0000000100000001ULL
#define AV	 0x400ULL
#define NL	 (1ULL << 34)
#define DEVICE	 4ULL
#define FENCE	 0x3402ULL /* that stores, and orders reads and writes */
#define ALL	 0x7ffffffffffff800ULL
#define NO_STORE 0x3002ULL

struct words {
	u64 word[2];
};

/* What becomes of the batch for the unit, which comes before that for the device. */
enum order {
	AS_IT_IS,
	TOGETHER,  /* it goes with the other, and nothing is between */
	FENCED,	   /* a fence is */
	BACKWARDS, /* and it comes last */
};

struct fixture {
	struct rig rig;
	struct platform_ops ops;
	const struct platform_ops *real;
	struct words said[WORDS]; /* fences are {} */
	u32 count;
	enum order order;
	struct words held;
};

static struct fixture *listener(struct dmasim *s)
{
	/* The operations are the fixture's own. */
	return (struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));
}

static u64 low_of(const struct words *words)
{
	return le64toh(words->word[0]);
}

static bool is_fence(const struct words *words)
{
	return (low_of(words) & 0xffffffff) == FENCE;
}

static void keep(struct fixture *fixture, const struct words *words)
{
	assert_true(fixture->count < WORDS);
	fixture->said[fixture->count++] =
		is_fence(words) ? (struct words){ { 0, 0 } }
				: (struct words){ { low_of(words), le64toh(words->word[1]) } };
}

/* A command and its fence: the first is held back until the device's batch comes. */
static u32 reorder(struct fixture *fixture, struct words *batch, u32 count)
{
	const struct words fence = { { htole64(NO_STORE), 0 } };

	if (fixture->order == AS_IT_IS || count != 2)
		return count;
	if ((low_of(&batch[0]) & 0x7f) == 1) {
		fixture->held = batch[0];
		batch[0] = batch[1];
		return 1;
	}
	if (fixture->order == BACKWARDS) {
		batch[2] = batch[1];
		batch[1] = fixture->held;
		return 3;
	}
	batch[3] = batch[1];
	batch[2] = batch[0];
	batch[1] = fence;
	batch[0] = fixture->held;
	if (fixture->order == FENCED)
		return 4;
	batch[1] = batch[2];
	batch[2] = batch[3];
	return 3;
}

static int submit(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct fixture *fixture = listener(machine);
	u32 count = (u32)(bytes / sizeof(struct words));
	struct words batch[BATCH_MAX + 2];

	assert_true(count <= BATCH_MAX);
	memcpy(batch, commands, bytes);
	for (u32 i = 0; i < count; i++)
		keep(fixture, &batch[i]);
	count = reorder(fixture, batch, count);
	return fixture->real->queue_submit(machine, unit, batch, count * sizeof(batch[0]));
}

static int setup_with(void **state, struct dmasim_config config)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;

	if (!fixture)
		return -1;
	config.size = sizeof(config);
	config.iommu = DMASIM_RISCV;
	rig_init(&fixture->rig, &config);
	platform = &fixture->rig.s->platform;
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	fixture->ops.queue_submit = submit;
	platform->ops = &fixture->ops;
	*state = fixture;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, (struct dmasim_config){ 0 });
}

static int setup_ats(void **state)
{
	return setup_with(state, (struct dmasim_config){ .iommu_device_tlb = true });
}

static int setup_lazy(void **state)
{
	return setup_with(state, (struct dmasim_config){ .policy = DMASIM_LAZY });
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->rig.s->platform.ops = fixture->real;
	rig_fini(&fixture->rig);
	free(fixture);
	return 0;
}

static u64 requester(const struct fixture *fixture)
{
	return fixture->rig.nvme->dev.id & 0xffff;
}

static u64 space(const struct fixture *fixture)
{
	return SPACE | (u64)iommu_dma_domain(&fixture->rig.nvme->dev)->id << 12;
}

/* These commands and no others, {} for a fence. */
static void expect_said(struct fixture *fixture, const u64 (*word)[2], u32 count)
{
	expect_u64(fixture->count, count);
	for (u32 i = 0; i < count; i++) {
		expect_u64(fixture->said[i].word[0], word[i][0]);
		expect_u64(fixture->said[i].word[1], word[i][1]);
	}
	fixture->count = 0;
}

/* The device uses all of it meanwhile. */
static dma_addr_t map_and_unmap(struct fixture *fixture, phys_addr_t phys, u64 bytes)
{
	struct pci_dev *nvme = fixture->rig.nvme;
	dma_addr_t dma = dma_map_phys(&nvme->dev, phys, bytes, DMA_BIDIRECTIONAL, 0);
	u8 byte = 1;

	assert_false(dma_mapping_error(&nvme->dev, dma));
	expect_done(dmasim_dev_write(nvme, dma + bytes - 1, &byte, 1), 1);
	dma_unmap_phys(&nvme->dev, dma, bytes, DMA_BIDIRECTIONAL, 0);
	return dma;
}

/* ---- Contexts -------------------------------------------------------------------------------- */

/* trust: RISC-V's commands for each change | our reading of the facts: 3.5 and 3.6 */
static void a_context_goes_before_what_it_translated(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;

	iommu_detach_device(nvme);
	expect_said(fixture,
		    (const u64[][2]){ { CONTEXT | requester(fixture) << 40, 0 },
				      { 0, 0 },
				      { space(fixture), 0 },
				      { 0, 0 } },
		    4);
	/* What was not valid is not cached. */
	expect_ok(iommu_attach_device(nvme));
	expect_u64(fixture->count, 0);
}

/* ---- Unmaps ---------------------------------------------------------------------------------- */

static void an_unmap_is_a_window_and_a_fence(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, 2 * SZ_2M);
	dma_addr_t dma = map_and_unmap(fixture, buf, SZ_4K);

	expect_said(fixture, (const u64[][2]){ { space(fixture) | AV, dma >> 2 }, { 0, 0 } }, 2);
	dma = map_and_unmap(fixture, buf, SZ_64K);
	expect_said(fixture,
		    (const u64[][2]){ { space(fixture) | AV, dma >> 2 | 0x1e00 }, { 0, 0 } }, 2);
	/* One leaf of 2 MiB; 512 pages, and the table that had them. */
	dma = map_and_unmap(fixture, buf, SZ_2M);
	expect_said(fixture,
		    (const u64[][2]){ { space(fixture) | AV, dma >> 2 | 0x3fe00 }, { 0, 0 } }, 2);
	dma = map_and_unmap(fixture, buf + SZ_4K, SZ_2M);
	expect_said(fixture,
		    (const u64[][2]){ { space(fixture) | AV | NL, dma >> 2 | 0x3fe00 }, { 0, 0 } },
		    2);
	dmasim_assert_clean(fixture->rig.s);
	dmasim_free(fixture->rig.s, buf, 2 * SZ_2M);
}

static void a_lazy_flush_is_all_of_the_space(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_4K);

	for (int i = 0; i < 20; i++)
		map_and_unmap(fixture, buf, SZ_4K);
	expect_u64(fixture->count, 0);
	dmasim_run(fixture->rig.s, 10 * 1000 * 1000);
	expect_said(fixture, (const u64[][2]){ { space(fixture), 0 }, { 0, 0 } }, 2);
	dmasim_free(fixture->rig.s, buf, SZ_4K);
}

/* ---- Devices' TLBs --------------------------------------------------------------------------- */

static void a_devices_tlb_comes_after_a_fence(void **state)
{
	struct fixture *fixture = *state;
	u64 device = DEVICE | requester(fixture) << 40;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_64K);
	dma_addr_t dma;

	fixture->count = 0;
	dma = map_and_unmap(fixture, buf, SZ_64K);
	expect_said(fixture,
		    (const u64[][2]){ { space(fixture) | AV, dma >> 2 | 0x1e00 },
				      { 0, 0 },
				      { device, dma | 0x7800 },
				      { 0, 0 } },
		    4);
	iommu_detach_device(fixture->rig.nvme);
	expect_said(fixture,
		    (const u64[][2]){ { CONTEXT | requester(fixture) << 40, 0 },
				      { 0, 0 },
				      { space(fixture), 0 },
				      { 0, 0 },
				      { device, ALL },
				      { 0, 0 } },
		    6);
	dmasim_assert_clean(fixture->rig.s);
	dmasim_free(fixture->rig.s, buf, SZ_64K);
}

/* Whatever stands first: in one batch the device may fetch again what is about to go. */
static void without_a_fence_a_devices_tlb_may_be_too_early(void **state)
{
	static const enum order orders[] = { TOGETHER, BACKWARDS };
	struct fixture *fixture = *state;
	struct dmasim *s = fixture->rig.s;
	phys_addr_t buf = dmasim_alloc(s, SZ_4K);
	struct dmasim_report report;

	for (u32 i = 0; i < 2; i++) {
		dmasim_expect(s, DMASIM_REPORT_STALE_TRANSLATION, 1);
		fixture->count = 0;
		fixture->order = orders[i];
		map_and_unmap(fixture, buf, SZ_4K);
		assert_true(dmasim_report_get(s, dmasim_report_count(s) - 1, &report));
		expect_u64(report.id, DMASIM_REPORT_STALE_TRANSLATION);
		assert_non_null(strstr(report.line, "cause=too-early"));
		assert_non_null(strstr(report.text, "may have been executed before the IOTLB's"));
	}
	fixture->order = AS_IT_IS;
	dmasim_assert_clean(s);
	dmasim_free(s, buf, SZ_4K);
}

/* A fence is enough, whether or not the software waits for it. */
static void a_fence_in_the_batch_is_enough(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_4K);

	fixture->count = 0;
	fixture->order = FENCED;
	map_and_unmap(fixture, buf, SZ_4K);
	fixture->order = AS_IT_IS;
	dmasim_assert_clean(fixture->rig.s);
	dmasim_free(fixture->rig.s, buf, SZ_4K);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(a_context_goes_before_what_it_translated, setup),
	  TEST(an_unmap_is_a_window_and_a_fence, setup),
	  TEST(a_lazy_flush_is_all_of_the_space, setup_lazy),
	  TEST(a_devices_tlb_comes_after_a_fence, setup_ats),
	  TEST(without_a_fence_a_devices_tlb_may_be_too_early, setup_ats),
	  TEST(a_fence_in_the_batch_is_enough, setup_ats))
