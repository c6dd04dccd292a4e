/* SPDX-License-Identifier: MIT */
/*
 * Devices whose TLBs do not answer (facts "iova-and-page-tables" 3.2, 3.3): what is reported, what
 * software gives up, and what goes on all the same.
 */
#include <errno.h>
#include <stdlib.h>

#include "iommu/iommu.h"
#include "machine/machine.h"
#include "support/rig.h"

#define SETUP(name, ...)                                                                        \
	static int name(void **state)                                                           \
	{                                                                                       \
		return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG,            \
								      .iommu_device_tlb = true, \
								      __VA_ARGS__ });           \
	}

SETUP(setup, .iommu = DMASIM_VTD)
SETUP(setup_amd, .iommu = DMASIM_AMD_VI)
SETUP(setup_smmuv3, .iommu = DMASIM_SMMUV3)
SETUP(setup_shared, .acs = DMASIM_ACS_OFF)

#define MINUTE 60000000000ULL

static bool last_report(struct dmasim *s, struct dmasim_report *report)
{
	u32 count = dmasim_report_count(s);

	return count && dmasim_report_get(s, count - 1, report);
}

static void a_device_that_hangs_is_reported(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	struct iommu_iotlb_gather gather;
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_64K, DMA_FROM_DEVICE, 0);
	struct dmasim_report report;
	u64 now;

	assert_false(dma_mapping_error(&rig->nvme->dev, dma));
	expect_done(dmasim_dev_write(rig->nvme, dma, "a", 1), 1);
	dmasim_device_hang(rig->nvme, true);
	now = dmasim_now(rig->s);
	dmasim_expect(rig->s, DMASIM_REPORT_DEVICE_TLB_TIMEOUT, 1);
	iommu_iotlb_gather_init(&gather);
	expect_u64(iommu_unmap_fast(iommu_dma_domain(&rig->nvme->dev), dma, SZ_64K, &gather),
		   SZ_64K);
	expect_error(iommu_iotlb_sync(iommu_dma_domain(&rig->nvme->dev), &gather), -ETIMEDOUT);
	expect_u64(dmasim_now(rig->s) - now, MINUTE);
	assert_true(last_report(rig->s, &report));
	expect_u64(report.id, DMASIM_REPORT_DEVICE_TLB_TIMEOUT);
	expect_u64(report.dev, rig->nvme->dev.id);
	expect_u64(report.dma, dma);
	expect_u64(dmasim_costs(rig->s).device_tlb_timeouts, 1);
	/* The software has cleared the error: others go on. */
	expect_u64(machine_function(rig->nvme)->bus->root->iommu->fault_status, 0);
	expect_ok(iommu_flush_iotlb_all(iommu_dma_domain(&rig->disk->dev)));
	dmasim_device_hang(rig->nvme, false);
	expect_ok(iommu_flush_iotlb_all(iommu_dma_domain(&rig->nvme->dev)));
}

/* 0x7 in 63:60, the device in 15:0. */
static void amds_unit_records_an_event_too(void **state)
{
	struct rig *rig = *state;
	struct hw_iommu *iommu = machine_function(rig->nvme)->bus->root->iommu;
	struct hw_fault_record record;

	dmasim_device_hang(rig->nvme, true);
	dmasim_expect(rig->s, DMASIM_REPORT_DEVICE_TLB_TIMEOUT, 1);
	expect_error(iommu_flush_iotlb_all(iommu_dma_domain(&rig->nvme->dev)), -ETIMEDOUT);
	assert_true(hw_fault_take(iommu, &record));
	expect_u64(record.word[0] >> 60, 0x7);
	expect_u64(record.word[0] & 0xffff, rig->nvme->dev.id & 0xffff);
	assert_false(hw_fault_take(iommu, &record));
	dmasim_device_hang(rig->nvme, false);
	expect_ok(iommu_flush_iotlb_all(iommu_dma_domain(&rig->nvme->dev)));
}

/* Tables whose invalidation failed stay until the domain ends: hardware may still walk them. */
static void tables_stay_when_a_device_hangs(void **state)
{
	struct rig *rig = *state;
	struct iommu_domain *domain = iommu_dma_domain(&rig->nvme->dev);
	u64 tables = dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE);

	expect_ok(iommu_map(domain, SZ_1G, SZ_1M, SZ_2M, IOMMU_READ | IOMMU_WRITE));
	assert_true(dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE) > tables);
	tables = dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE);
	dmasim_device_hang(rig->nvme, true);
	dmasim_expect(rig->s, DMASIM_REPORT_DEVICE_TLB_TIMEOUT, 1);
	expect_u64(iommu_unmap(domain, SZ_1G, SZ_2M), SZ_2M);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE), tables);
	dmasim_device_hang(rig->nvme, false);
}

/* Each of three in turn: the others lose what they have cached all the same. */
static void a_device_that_hangs_keeps_no_other_from_its_command(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *const pdev[] = { rig->nvme, rig->gpu, rig->nic };

	for (int hung = 0; hung < 3; hung++) {
		struct iommu_domain *domain = iommu_dma_domain(&rig->nvme->dev);
		u8 byte;

		expect_ok(iommu_map(domain, SZ_1G, SZ_1M, SZ_4K, IOMMU_READ | IOMMU_WRITE));
		dmasim_suppress(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED);
		for (int i = 0; i < 3; i++)
			expect_done(dmasim_dev_read(pdev[i], SZ_1G, &byte, 1), 1);
		dmasim_device_hang(pdev[hung], true);
		dmasim_suppress(rig->s, DMASIM_REPORT_DEVICE_TLB_TIMEOUT);
		dmasim_suppress(rig->s, DMASIM_REPORT_STALE_TRANSLATION);
		expect_u64(iommu_unmap(domain, SZ_1G, SZ_4K), SZ_4K);
		for (int i = 0; i < 3; i++)
			expect_u64(dmasim_dev_read(pdev[i], SZ_1G, &byte, 1).done, i == hung);
		dmasim_device_hang(pdev[hung], false);
		expect_ok(iommu_flush_iotlb_all(domain));
	}
}

/* ---- Another CPU waits ----------------------------------------------------------------------- */

struct fixture {
	struct platform_ops ops;
	const struct platform_ops *real;
	struct rig *rig;
	bool another_waits; /* a second CPU comes between submit and wait */
};

static int wait_after_another(void *machine, u32 unit)
{
	struct dmasim *s = machine;
	/* The operations are the fixture's own. */
	struct fixture *fixture =
		(struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));

	if (fixture->another_waits) {
		fixture->another_waits = false;
		expect_ok(iommu_flush_iotlb_all(iommu_dma_domain(&fixture->rig->disk->dev)));
	}
	return fixture->real->queue_wait(machine, unit);
}

/* Its wait stores at a place of its own: what is at ours is ours. */
static void a_later_wait_of_another_cpu_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct platform *platform = &rig->s->platform;
	struct fixture fixture = { *platform->ops, platform->ops, rig, true };

	fixture.ops.queue_wait = wait_after_another;
	platform->ops = &fixture.ops;
	expect_ok(iommu_flush_iotlb_all(iommu_dma_domain(&rig->nvme->dev)));
	platform->ops = fixture.real;
	assert_false(fixture.another_waits);
}

#define TEST(name)	     cmocka_unit_test_setup_teardown(name, setup, rig_teardown)
#define TEST_WITH(how, name) cmocka_unit_test_setup_teardown(name, how, rig_teardown)
#define ON(unit, name)	     #name "__" #unit, name, setup_##unit, rig_teardown, NULL

TEST_MAIN(TEST(a_device_that_hangs_is_reported), TEST(tables_stay_when_a_device_hangs),
	  { ON(smmuv3, a_device_that_hangs_is_reported) },
	  { ON(smmuv3, tables_stay_when_a_device_hangs) },
	  TEST_WITH(setup_amd, amds_unit_records_an_event_too),
	  TEST_WITH(setup_shared, a_device_that_hangs_keeps_no_other_from_its_command),
	  TEST(a_later_wait_of_another_cpu_changes_nothing))
