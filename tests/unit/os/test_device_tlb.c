/* SPDX-License-Identifier: MIT */
/*
 * Devices with TLBs of their own (facts "iova-and-page-tables" 3.2, 3.3, 3.6): when ATS is switched
 * on and off, the commands that go with each unmap, flush and change of a context; of devices that
 * do not answer: test_device_tlb_timeout.c.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "hw/vtd.h"
#include "iommu/iommu.h"
#include "machine/machine.h"
#include "support/rig.h"

#define WORDS_MAX 64

struct fixture {
	struct rig rig; /* first member */
	struct platform_ops ops;
	const struct platform_ops *real;
	u64 word[WORDS_MAX]; /* of all that was handed over */
	u32 words;
	u32 batches;
};

static struct fixture *listener(struct dmasim *s)
{
	/* The operations are the fixture's own. */
	return (struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));
}

static int keep_words(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct fixture *fixture = listener(machine);

	for (u32 i = 0; i < bytes / 8 && fixture->words < WORDS_MAX; i++) {
		u64 *word = &fixture->word[fixture->words++];

		memcpy(word, (const u8 *)commands + 8 * i, sizeof(*word));
		*word = le64toh(*word);
	}
	fixture->batches++;
	return fixture->real->queue_submit(machine, unit, commands, bytes);
}

static struct fixture *start(void **state, const struct dmasim_config *config)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;

	assert_non_null(fixture);
	*state = fixture;
	rig_init(&fixture->rig, config);
	platform = &fixture->rig.s->platform;
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	fixture->ops.queue_submit = keep_words;
	platform->ops = &fixture->ops;
	return fixture;
}

#define SETUP(name, ...)                                                                         \
	static int name(void **state)                                                            \
	{                                                                                        \
		struct fixture *fixture = start(                                                 \
			state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu_device_tlb = true, \
							__VA_ARGS__ });                          \
                                                                                                 \
		fixture->words = fixture->batches = 0;                                           \
		return 0;                                                                        \
	}

SETUP(setup, .iommu = DMASIM_VTD)
SETUP(setup_amd, .iommu = DMASIM_AMD_VI)
SETUP(setup_lazy, .policy = DMASIM_LAZY)
SETUP(setup_shared, .acs = DMASIM_ACS_OFF)
SETUP(setup_caching, .iommu_caching_mode = true)
SETUP(setup_pass_through, .policy = DMASIM_PASS_THROUGH)
SETUP(setup_external, .traits.untrusted = true)

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->rig.s->platform.ops = fixture->real;
	rig_fini(&fixture->rig);
	free(fixture);
	return 0;
}

static u16 control_of(struct pci_dev *pdev)
{
	u16 at = pci_find_ext_capability(pdev, 0x0f);
	u16 control = 0;

	assert_true(at);
	pci_read_config_word(pdev, at + 6, &control);
	return control;
}

static u16 requester_of(const struct pci_dev *pdev)
{
	return pdev->dev.id & 0xffff;
}

static struct iommu_domain *domain_of(const struct pci_dev *pdev)
{
	return pdev->dev.iommu_group->domain;
}

/* Word 0 of a device-TLB command of a device of the rig, whose queue depth is 5. */
static u64 device_word(const struct pci_dev *pdev)
{
	return 0x3 | 5 << 16 | (u64)requester_of(pdev) << 32;
}

static void expect_words(struct fixture *fixture, u32 batches, const u64 *words, u32 count)
{
	expect_u64(fixture->batches, batches);
	expect_u64(fixture->words, count);
	for (u32 i = 0; i < count; i++) {
		/* Of a wait only the type: status write and fence, and whatever it stores. */
		if ((fixture->word[i & ~1U] & 0xf) == 5)
			expect_u64(words[i & ~1U], 0x65);
		else
			expect_u64(fixture->word[i], words[i]);
	}
	fixture->words = fixture->batches = 0;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

/*
 * trust: bytes of VT-d device-TLB commands
 *	| our reading of the facts: windows of 3.2 and 3.3, by hand
 */
static void a_command_has_the_bytes_of_the_facts(void **state)
{
	static const struct {
		struct iommu_device_range range;
		bool pf;
		u64 word[2];
	} row[] = {
		{ { 0x0300, 0x0300, 5, 0x7000, 0x7fff }, false, { 0x030000050003, 0x7000 } },
		{ { 0xffff, 0xffff, 31, 0x7000, 0x7fff }, false, { 0xffff001f0003, 0x7000 } },
		{ { 0x0300, 0x0300, 32, 0x8123, 0x8124 }, false, { 0x030000000003, 0x8000 } },
		{ { 0, 0, 1, 0x2000, 0x3fff }, false, { 0x10003, 0x2001 } },
		{ { 0, 0, 1, 0x10000, 0x1ffff }, false, { 0x10003, 0x17001 } },
		/* A window of 32 KiB at 0 is the smallest around both. */
		{ { 0, 0, 1, 0x3000, 0x4fff }, false, { 0x10003, 0x3001 } },
		{ { 0, 0, 1, 0x200000, 0x3fffff }, false, { 0x10003, 0x2ff001 } },
		{ { 0, 0, 1, 0, ~0ULL }, false, { 0x10003, 0x7ffffffffffff001 } },
		{ { 0, 0, 1, 0x8000000000000000, ~0ULL }, false, { 0x10003, 0xbffffffffffff001 } },
		/* PFSID: 3:0 in 15:12, 15:4 in 63:52. */
		{ { 0x0300, 0x1234, 5, 0x7000, 0x7fff }, true, { 0x1230030000054003, 0x7000 } },
		{ { 0x0300, 0x1234, 5, 0x7000, 0x7fff }, false, { 0x0000030000050003, 0x7000 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct platform_iommu hw = { .pf_requester = row[i].pf };
		const struct iommu_unit unit = { .hw = &hw };
		struct iommu_command command = iommu_vtd.device_range(&unit, &row[i].range);

		expect_u64(le64toh(command.word[0]), row[i].word[0]);
		expect_u64(le64toh(command.word[1]), row[i].word[1]);
	}
}

/* As hardware reads it: the smallest aligned power of two around the range. */
static void the_unit_reads_the_smallest_window(void **state)
{
	const struct platform_iommu hw = { 0 };
	const struct iommu_unit unit = { .hw = &hw };
	struct fixture *fixture = *state;
	const struct hw_iommu *iommu = machine_function(fixture->rig.nvme)->bus->root->iommu;

	for (u32 i = 0; i < 20000; i++) {
		u64 start = dmasim_random(fixture->rig.s, ~0ULL) >>
			    dmasim_random(fixture->rig.s, 52);
		u64 bytes = 1 + (dmasim_random(fixture->rig.s, ~0ULL) >>
				 dmasim_random(fixture->rig.s, 64));
		u64 last = start + bytes - 1 < start ? ~0ULL : start + bytes - 1;
		struct iommu_command command = iommu_vtd.device_range(
			&unit, &(struct iommu_device_range){ 0x0300, 0x0300, 5, start, last });
		u64 word[2] = { le64toh(command.word[0]), le64toh(command.word[1]) };
		struct hw_command read = { 0 };
		u64 window;

		assert_true(hw_vtd_decode(iommu, word, &read));
		assert_int_equal(read.invalidation.what, HW_INVALIDATED_DEVICE_TLB);
		expect_u64(read.invalidation.queue_depth, 5);
		assert_true(read.invalidation.start <= start && read.invalidation.last >= last);
		window = read.invalidation.last - read.invalidation.start;
		assert_false(window & (window + 1));
		/* Half of it would be too small. */
		if (window > 0xfff)
			assert_true((start & ~(window >> 1)) != (last & ~(window >> 1)));
	}
}

/* ---- On and off ------------------------------------------------------------------------------ */

static void a_device_with_the_capability_is_switched_on(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	struct hw_context context;

	/* Enable, and a smallest translation of 4 KiB. */
	expect_u64(control_of(nvme), 0x8000);
	assert_true(nvme->ats_enabled);
	context = hw_context_get(machine_function(nvme)->bus->root->iommu, requester_of(nvme));
	assert_true(context.device_tlb);
}

static void expect_off(struct fixture *fixture)
{
	struct pci_dev *nvme = fixture->rig.nvme;
	struct hw_context context =
		hw_context_get(machine_function(nvme)->bus->root->iommu, requester_of(nvme));

	assert_true(nvme->attached);
	expect_u64(control_of(nvme), 0);
	assert_false(nvme->ats_enabled);
	assert_false(context.device_tlb);
}

static void an_external_device_is_not(void **state)
{
	expect_off(*state);
}

static void one_whose_addresses_pass_is_not(void **state)
{
	expect_off(*state);
}

static void neither_without_support_of_the_unit(void **state)
{
	struct dmasim *s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG });
	struct pci_dev *pdev = dmasim_add_endpoint(
		s, "00:01.0/00.0", &(struct dmasim_endpoint){ .bar = { SZ_4K }, .ats = true });

	(void)state;
	assert_true(dmasim_group(pdev) >= 0);
	expect_u64(control_of(pdev), 0);
	expect_u64(dmasim_destroy(s), 0);
}

/* Context, IOTLB, device TLB, one wait; only then it is switched off (facts 3.2). */
static void detaching_empties_its_tlb_and_switches_it_off(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	struct iommu_domain *domain = domain_of(nvme);
	u64 did = (u64)domain->id << 16;
	const u64 words[] = {
		0x31 | did | (u64)requester_of(nvme) << 32,
		0,
		0xe2 | did,
		0,
		device_word(nvme),
		0x7ffffffffffff001,
		0x65,
		0,
	};

	iommu_detach_device(nvme);
	expect_words(fixture, 1, words, 8);
	expect_u64(control_of(nvme), 0);
	assert_false(nvme->ats_enabled);
	nvme->dev.iommu_group->domain = NULL;
	iommu_domain_destroy(domain);
	/* Nobody is left to be told. */
	expect_u64(fixture->words, 4);
}

/* ---- Unmap and flush ------------------------------------------------------------------------- */

static dma_addr_t map(struct fixture *fixture, phys_addr_t buf)
{
	dma_addr_t dma = dma_map_phys(&fixture->rig.nvme->dev, buf, SZ_64K, DMA_FROM_DEVICE, 0);

	assert_false(dma_mapping_error(&fixture->rig.nvme->dev, dma));
	return dma;
}

static void unmap(struct fixture *fixture, dma_addr_t dma)
{
	dma_unmap_phys(&fixture->rig.nvme->dev, dma, SZ_64K, DMA_FROM_DEVICE, 0);
}

static void an_unmap_sends_both_commands_in_order_and_waits_once(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_64K);
	dma_addr_t dma = map(fixture, buf);
	const u64 words[] = {
		0xf2 | (u64)domain_of(nvme)->id << 16,
		dma | 4 | 0x40,
		device_word(nvme),
		dma | 0x7000 | 1,
		0x65,
		0,
	};

	expect_u64(fixture->words, 0);
	unmap(fixture, dma);
	expect_words(fixture, 1, words, 6);
	dmasim_free(fixture->rig.s, buf, SZ_64K);
}

/* Opcodes 3, 4 and 1; the device, its queue and depth in the second (facts 3.3). */
static void an_unmap_sends_amds_commands(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_64K);
	dma_addr_t dma = map(fixture, buf);
	u64 id = requester_of(nvme);

	expect_u64(fixture->words, 0);
	unmap(fixture, dma);
	expect_u64(fixture->batches, 1);
	expect_u64(fixture->words, 6);
	expect_u64(fixture->word[0], 0x3ULL << 60 | (u64)domain_of(nvme)->id << 32);
	expect_u64(fixture->word[1], dma | 0x7000 | 1);
	expect_u64(fixture->word[2], 0x4ULL << 60 | id | 5ULL << 24 | id << 32);
	expect_u64(fixture->word[3], dma | 0x7000 | 1);
	expect_u64(fixture->word[4] >> 60, 1);
	dmasim_free(fixture->rig.s, buf, SZ_64K);
}

static void each_device_of_a_domain_gets_its_command(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	dma_addr_t dma = map(fixture, buf);
	u32 told = 0;

	assert_ptr_equal(domain_of(rig->nvme), domain_of(rig->nic));
	unmap(fixture, dma);
	expect_u64(fixture->batches, 1);
	/* IOTLB, three devices, wait. */
	expect_u64(fixture->words, 10);
	expect_u64(fixture->word[0] & 0xf, 2);
	for (u32 i = 2; i < 8; i += 2) {
		told |= (fixture->word[i] == device_word(rig->nvme)) << 0;
		told |= (fixture->word[i] == device_word(rig->gpu)) << 1;
		told |= (fixture->word[i] == device_word(rig->nic)) << 2;
		expect_u64(fixture->word[i + 1], dma | 0x7000 | 1);
	}
	expect_u64(told, 7);
	dmasim_free(rig->s, buf, SZ_64K);
}

static void a_lazy_flush_empties_all_of_it(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_64K);
	const u64 words[] = {
		0xe2 | (u64)domain_of(nvme)->id << 16,
		0,
		device_word(nvme),
		0x7ffffffffffff001,
		0x65,
		0,
	};

	unmap(fixture, map(fixture, buf));
	expect_u64(fixture->words, 0);
	dmasim_run(fixture->rig.s, 20000000);
	expect_words(fixture, 1, words, 6);
	dmasim_free(fixture->rig.s, buf, SZ_64K);
}

/* A device's TLB keeps nothing of what was absent. */
static void a_map_in_caching_mode_tells_no_device(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_64K);
	dma_addr_t dma;

	fixture->words = fixture->batches = 0;
	dma = map(fixture, buf);
	expect_u64(fixture->words, 4);
	expect_u64(fixture->word[0] & 0xf, 2);
	unmap(fixture, dma);
	dmasim_free(fixture->rig.s, buf, SZ_64K);
}

/* ---- What the device sees -------------------------------------------------------------------- */

static void the_device_uses_its_tlb_and_loses_it_with_the_unmap(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	dma_addr_t dma = map(fixture, buf);
	struct dmasim_transfer result;
	struct dmasim_costs costs;

	for (int i = 0; i < 3; i++)
		expect_done(dmasim_dev_write(rig->nvme, dma + 7, "abc", 3), 3);
	assert_memory_equal(dmasim_ptr(rig->s, buf + 7, 3), "abc", 3);
	costs = dmasim_costs(rig->s);
	expect_u64(costs.ats_requests, 1);
	expect_u64(costs.device_tlb_misses, 1);
	expect_u64(costs.device_tlb_hits, 2);
	expect_u64(costs.device_tlb_invalidations, 0);
	unmap(fixture, dma);
	costs = dmasim_costs(rig->s);
	expect_u64(costs.device_tlb_invalidations, 1);

	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	result = dmasim_dev_write(rig->nvme, dma + 7, "xyz", 3);
	expect_transfer(result, DMASIM_IOMMU_FAULT, 0);
	expect_u64(result.reason, 0);
	assert_memory_equal(dmasim_ptr(rig->s, buf + 7, 3), "abc", 3);
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, buf, SZ_64K);
}

static void what_a_mapping_does_not_allow_is_refused_by_the_device_itself(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_64K, DMA_TO_DEVICE, 0);
	u8 byte;

	expect_done(dmasim_dev_read(rig->nvme, dma, &byte, 1), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, dma, "x", 1), DMASIM_IOMMU_FAULT, 0);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_64K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, buf, SZ_64K);
}

#define TEST(name)	     cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_WITH(how, name) cmocka_unit_test_setup_teardown(name, how, teardown)
#define ON(unit, name)	     #name "__" #unit, name, setup_##unit, teardown, NULL

TEST_MAIN(cmocka_unit_test(a_command_has_the_bytes_of_the_facts),
	  TEST(the_unit_reads_the_smallest_window),
	  TEST(a_device_with_the_capability_is_switched_on),
	  TEST_WITH(setup_external, an_external_device_is_not),
	  TEST_WITH(setup_pass_through, one_whose_addresses_pass_is_not),
	  cmocka_unit_test(neither_without_support_of_the_unit),
	  TEST(detaching_empties_its_tlb_and_switches_it_off),
	  TEST(an_unmap_sends_both_commands_in_order_and_waits_once),
	  TEST_WITH(setup_amd, an_unmap_sends_amds_commands),
	  { ON(amd, the_device_uses_its_tlb_and_loses_it_with_the_unmap) },
	  { ON(amd, what_a_mapping_does_not_allow_is_refused_by_the_device_itself) },
	  { ON(amd, a_device_with_the_capability_is_switched_on) },
	  TEST_WITH(setup_shared, each_device_of_a_domain_gets_its_command),
	  TEST_WITH(setup_lazy, a_lazy_flush_empties_all_of_it),
	  TEST_WITH(setup_caching, a_map_in_caching_mode_tells_no_device),
	  TEST(the_device_uses_its_tlb_and_loses_it_with_the_unmap),
	  TEST(what_a_mapping_does_not_allow_is_refused_by_the_device_itself))
