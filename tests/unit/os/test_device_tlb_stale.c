/* SPDX-License-Identifier: MIT */
/*
 * What the checker says of invalidations of devices' TLBs that are missing, too narrow, meant for
 * another device, in the wrong order or not waited for; and what the device does then (facts
 * "iova-and-page-tables" 3.6 step 6).
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/iommu.h"
#include "machine/machine.h"
#include "support/rig.h"

#define BATCH_MAX 17

/* What happens to a batch on its way to the unit. */
enum mistake {
	RIGHT,
	MISSING,  /* no command for a device's TLB */
	NARROW,	  /* for one page alone */
	OTHER,	  /* for another device */
	FIRST,	  /* before the IOTLB's */
	UNWAITED, /* behind the wait */
	NO_IOTLB, /* and none for the IOTLB */
};

struct fixture {
	struct rig rig; /* first member */
	struct platform_ops ops;
	const struct platform_ops *real;
	enum mistake mistake;
	bool amd;
	bool stays_on; /* ATS, whatever is written */
};

struct words {
	u64 word[2];
};

enum type { IS_IOTLB, IS_DEVICE, IS_OTHER };

static enum type type_of(const struct fixture *fixture, const struct words *command)
{
	u64 word = le64toh(command->word[0]);

	if (fixture->amd)
		return word >> 60 == 3 ? IS_IOTLB : word >> 60 == 4 ? IS_DEVICE : IS_OTHER;
	return (word & 0xf) == 2 ? IS_IOTLB : (word & 0xf) == 3 ? IS_DEVICE : IS_OTHER;
}

static void move(struct words *batch, u32 from, u32 to)
{
	struct words moved = batch[from];

	for (; from > to; from--)
		batch[from] = batch[from - 1];
	for (; from < to; from++)
		batch[from] = batch[from + 1];
	batch[to] = moved;
}

static u32 remove_type(const struct fixture *fixture, struct words *batch, u32 count,
		       enum type type)
{
	u32 kept = 0;

	for (u32 i = 0; i < count; i++) {
		if (type_of(fixture, &batch[i]) != type)
			batch[kept++] = batch[i];
	}
	return kept;
}

/* The command number `at` of a batch is a device TLB's. */
static void spoil(const struct fixture *fixture, struct words *batch, u32 count, u32 at)
{
	u64 high = le64toh(batch[at].word[1]);
	u64 nic = (u16)fixture->rig.nic->dev.id;

	switch (fixture->mistake) {
	case NARROW:
		batch[at].word[1] = htole64(high & ~0xffffULL);
		return;
	case OTHER:
		batch[at].word[0] =
			htole64(fixture->amd ? 4ULL << 60 | nic | nic << 32 : 0x50003 | nic << 32);
		return;
	case FIRST:
		move(batch, at, 0);
		return;
	default:
		move(batch, at, count - 1);
		return;
	}
}

static int submit(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct dmasim *s = machine;
	struct fixture *fixture =
		(struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));
	u32 count = (u32)(bytes / sizeof(struct words));
	struct words batch[BATCH_MAX];

	assert_true(count <= BATCH_MAX);
	memcpy(batch, commands, bytes);
	if (fixture->mistake == MISSING)
		count = remove_type(fixture, batch, count, IS_DEVICE);
	else if (fixture->mistake == NO_IOTLB)
		count = remove_type(fixture, batch, count, IS_IOTLB);
	else if (fixture->mistake != RIGHT)
		for (u32 i = 0; i < count; i++) {
			if (type_of(fixture, &batch[i]) == IS_DEVICE) {
				spoil(fixture, batch, count, i);
				break;
			}
		}
	return fixture->real->queue_submit(machine, unit, batch, count * sizeof(batch[0]));
}

static void config_write(void *machine, dmasim_sbdf dev, u32 offset, u32 bytes, u32 value)
{
	struct dmasim *s = machine;
	struct fixture *fixture =
		(struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));

	if (!fixture->stays_on || offset != fixture->rig.nvme->ats_cap + 6U)
		fixture->real->config_write(machine, dev, offset, bytes, value);
}

static void start(void **state, const struct dmasim_config *config)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;

	assert_non_null(fixture);
	*state = fixture;
	rig_init(&fixture->rig, config);
	platform = &fixture->rig.s->platform;
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	fixture->ops.queue_submit = submit;
	fixture->ops.config_write = config_write;
	fixture->amd = config->iommu == DMASIM_AMD_VI;
	platform->ops = &fixture->ops;
}

static int setup(void **state)
{
	start(state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu_device_tlb = true });
	return 0;
}

static int setup_amd(void **state)
{
	start(state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI,
					      .iommu_device_tlb = true });
	return 0;
}

static int setup_lazy(void **state)
{
	start(state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu_device_tlb = true,
					      .policy = DMASIM_LAZY });
	return 0;
}

static int setup_plain(void **state)
{
	start(state, &(struct dmasim_config){ DMASIM_CONFIG });
	return 0;
}

static int setup_late(void **state)
{
	start(state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu_device_tlb = true,
					      .random_choices = true, .seed = 3 });
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->rig.s->platform.ops = fixture->real;
	rig_fini(&fixture->rig);
	free(fixture);
	return 0;
}

/* Maps 64 KiB, lets the device use all of it, and unmaps with a mistake. Returns the address. */
static dma_addr_t come_and_go(struct fixture *fixture, phys_addr_t buf, enum mistake mistake)
{
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_64K, DMA_FROM_DEVICE, 0);
	u8 bytes[SZ_64K] = { 0 };

	assert_false(dma_mapping_error(dev, dma));
	expect_done(dmasim_dev_write(fixture->rig.nvme, dma, bytes, SZ_64K), SZ_64K);
	fixture->mistake = mistake;
	dma_unmap_phys(dev, dma, SZ_64K, DMA_FROM_DEVICE, 0);
	fixture->mistake = RIGHT;
	return dma;
}

static void last_report(struct dmasim *s, struct dmasim_report *report)
{
	u32 count = dmasim_report_count(s);

	assert_true(count);
	assert_true(dmasim_report_get(s, count - 1, report));
}

/* The newest report says that the device got there by this way. */
static void expect_way(struct dmasim *s, const char *way)
{
	struct dmasim_report report;
	char end[32];

	last_report(s, &report);
	snprintf(end, sizeof(end), " cause=%s", way);
	if (!strstr(report.line, end))
		fail_msg("no \"%s\" in %s", end, report.line);
}

static void expect_text(const struct dmasim_report *report, const char *words)
{
	if (!strstr(report->text, words))
		fail_msg("no \"%s\" in:\n%s", words, report->text);
}

/* A report with these words; and the device still reaches the memory at `reached`. */
static void expect_stale(struct fixture *fixture, enum mistake mistake, const char *line,
			 const char *words, u64 from, u64 reached)
{
	struct rig *rig = &fixture->rig;
	phys_addr_t all = dmasim_alloc(rig->s, 2 * SZ_64K);
	phys_addr_t buf = all + SZ_4K; /* nowhere is it a large page */
	struct dmasim_report report;
	dma_addr_t dma;

	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	dma = come_and_go(fixture, buf, mistake);
	last_report(rig->s, &report);
	expect_u64(report.id, DMASIM_REPORT_STALE_TRANSLATION);
	expect_u64(report.dma, dma + from);
	if (!strstr(report.line, line))
		fail_msg("no \"%s\" in %s", line, report.line);
	expect_text(&report, words);
	expect_text(&report, "the TLB of the device itself");
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_done(dmasim_dev_write(rig->nvme, dma + reached, "late", 4), 4);
	expect_way(rig->s, "device-tlb");
	assert_memory_equal(dmasim_ptr(rig->s, buf + reached, 4), "late", 4);
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, all, 2 * SZ_64K);
}

static void done_right_nothing_is_reported(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);

	for (int i = 0; i < 20; i++)
		come_and_go(fixture, buf, RIGHT);
	dmasim_run(rig->s, 20000000);
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, buf, SZ_64K);
}

static void a_missing_command_is_named(void **state)
{
	expect_stale(*state, MISSING, "cause=missing", "no invalidation of the TLB of", 0, 0);
}

/* Page 0 alone is invalidated: 4 KiB later it is still there. */
static void one_that_is_too_narrow_is_named(void **state)
{
	expect_stale(*state, NARROW, "cause=too-narrow", "lies outside", 0x1000, 0x1000);
}

static void one_for_another_device_is_named(void **state)
{
	expect_stale(*state, OTHER, "cause=too-narrow", "it is in the TLB of", 0, 0);
}

static void one_behind_the_wait_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	struct dmasim_report report;

	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	come_and_go(fixture, buf, UNWAITED);
	last_report(rig->s, &report);
	assert_non_null(strstr(report.line, "cause=not-waited-for"));
	/* Here it was executed all the same. */
	expect_text(&report, "may hold it; now it does not");
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, buf, SZ_64K);
}

/* In this run nobody asks between the two: the device has it no more, but might. */
static void the_wrong_order_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	struct dmasim_report report;

	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	come_and_go(fixture, buf, FIRST);
	last_report(rig->s, &report);
	assert_non_null(strstr(report.line, "cause=too-early"));
	expect_text(&report, "may have been executed before the IOTLB's");
	expect_text(&report, "may hold it; now it does not");
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, buf, SZ_64K);
}

/* Then it is the IOTLB's that is missing. */
static void without_the_iotlbs_command_that_is_what_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	struct dmasim_report report;
	dma_addr_t dma;

	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	dma = come_and_go(fixture, buf, NO_IOTLB);
	last_report(rig->s, &report);
	expect_text(&report, "the IOTLB of unit");
	/* The device asks again, and gets it out of the IOTLB. */
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_done(dmasim_dev_write(rig->nvme, dma, "late", 4), 4);
	expect_way(rig->s, "stale");
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, buf, SZ_64K);
}

static void a_lazy_flush_that_leaves_it_out_is_told_when_the_range_is_free(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	struct dmasim_report report;

	come_and_go(fixture, buf, RIGHT);
	fixture->mistake = MISSING;
	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	dmasim_run(rig->s, 20000000);
	fixture->mistake = RIGHT;
	last_report(rig->s, &report);
	assert_non_null(strstr(report.line, "cause=missing"));
	expect_text(&report, "the TLB of the device itself");
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, buf, SZ_64K);
}

/* What was left out may be made good: a later command covers it, and so does switching ATS off. */
static void a_later_command_makes_it_good(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	struct iommu_domain *domain = rig->nvme->dev.iommu_group->domain;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	dma_addr_t dma;

	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	dma = come_and_go(fixture, buf, MISSING);
	expect_ok(iommu_flush_iotlb_all(domain));
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, dma, "late", 4), DMASIM_IOMMU_FAULT, 0);
	assert_null(interval_any(&SLIST_FIRST(&rig->s->check.cached.devices)->fetched));
	dmasim_assert_clean(rig->s);
	dmasim_free(rig->s, buf, SZ_64K);
}

/* A device that leaves keeps nothing that can be used, if its ATS is switched off. */
static void detaching_without_a_command_is_harmless_once_it_is_off(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	struct iommu_domain *domain = rig->nvme->dev.iommu_group->domain;

	expect_ok(iommu_map(domain, SZ_1G, SZ_1M, SZ_64K, IOMMU_READ | IOMMU_WRITE));
	fixture->mistake = MISSING;
	iommu_detach_device(rig->nvme);
	fixture->mistake = RIGHT;
	rig->nvme->dev.iommu_group->domain = NULL;
	iommu_domain_destroy(domain);
	dmasim_assert_clean(rig->s);
}

/*
 * One whose ATS stays on takes what it has with it, to the domain that it comes to; unless it was
 * told to forget.
 */
static void leave_and_come_back(struct fixture *fixture, enum mistake mistake)
{
	struct pci_dev *nvme = fixture->rig.nvme;
	struct iommu_group *group = nvme->dev.iommu_group;
	struct iommu_domain *domain = group->domain;

	expect_ok(iommu_map(domain, SZ_1G, SZ_1M, SZ_4K, IOMMU_READ | IOMMU_WRITE));
	fixture->stays_on = true;
	fixture->mistake = mistake;
	iommu_detach_device(nvme);
	fixture->mistake = RIGHT;
	iommu_domain_destroy(domain);
	group->domain = iommu_domain_create(nvme);
	assert_non_null(group->domain);
	expect_ok(iommu_attach_device(nvme));
	fixture->stays_on = false;
}

static void what_a_device_takes_to_another_domain_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	struct dmasim_report report;

	leave_and_come_back(fixture, RIGHT);
	dmasim_assert_clean(rig->s);
	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	leave_and_come_back(fixture, MISSING);
	last_report(rig->s, &report);
	expect_u64(report.id, DMASIM_REPORT_STALE_TRANSLATION);
	expect_u64(report.dma, SZ_1G);
	expect_u64(report.dev, rig->nvme->dev.id);
	expect_text(&report, "attached anew");
	expect_text(&report, "the TLB of the device itself");
	dmasim_assert_clean(rig->s);
}

/* Without ATS all this says nothing. */
static void a_device_without_ats_has_no_tlb_to_be_told_of(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t buf = dmasim_alloc(fixture->rig.s, SZ_64K);

	for (int mistake = MISSING; mistake < NO_IOTLB; mistake++)
		come_and_go(fixture, buf, (enum mistake)mistake);
	dmasim_assert_clean(fixture->rig.s);
	dmasim_free(fixture->rig.s, buf, SZ_64K);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define AMD(name)                                              \
	{                                                      \
#name "__amd", name, setup_amd, teardown, NULL \
	}
#define TEST_WITH(how, name) cmocka_unit_test_setup_teardown(name, how, teardown)

TEST_MAIN(TEST(done_right_nothing_is_reported),
	  { "done_right_nothing_is_reported__lazy", done_right_nothing_is_reported, setup_lazy,
	    teardown, NULL },
	  { "done_right_nothing_is_reported__late", done_right_nothing_is_reported, setup_late,
	    teardown, NULL },
	  TEST(a_missing_command_is_named), TEST(one_that_is_too_narrow_is_named),
	  TEST(one_for_another_device_is_named), TEST(one_behind_the_wait_is_named),
	  TEST(the_wrong_order_is_named), TEST(without_the_iotlbs_command_that_is_what_is_told),
	  AMD(done_right_nothing_is_reported), AMD(a_missing_command_is_named),
	  AMD(one_that_is_too_narrow_is_named), AMD(one_for_another_device_is_named),
	  AMD(one_behind_the_wait_is_named), AMD(the_wrong_order_is_named),
	  AMD(without_the_iotlbs_command_that_is_what_is_told), AMD(a_later_command_makes_it_good),
	  TEST(what_a_device_takes_to_another_domain_is_told),
	  AMD(what_a_device_takes_to_another_domain_is_told),
	  AMD(detaching_without_a_command_is_harmless_once_it_is_off),
	  TEST_WITH(setup_lazy, a_lazy_flush_that_leaves_it_out_is_told_when_the_range_is_free),
	  TEST(a_later_command_makes_it_good),
	  TEST(detaching_without_a_command_is_harmless_once_it_is_off),
	  TEST_WITH(setup_plain, a_device_without_ats_has_no_tlb_to_be_told_of))
