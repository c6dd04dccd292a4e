/* SPDX-License-Identifier: MIT */
/*
 * What the software does when a unit rejects one of its commands. Here the unit can do less than
 * firmware said: it takes no address mask as large as the software uses.
 */
#include "support/rig.h"

#include "machine/machine.h"

struct fixture {
	struct rig *rig;
	struct hw_iommu *iommu;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	void *rig = NULL;

	if (!fixture || rig_setup(&rig))
		return -1;
	fixture->rig = rig;
	fixture->iommu = machine_function(fixture->rig->nvme)->bus->root->iommu;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *rig = fixture->rig;

	free(fixture);
	return rig_teardown(&rig);
}

/* Maps, lets the device fill the translation cache, and unmaps. Returns the DMA address. */
static dma_addr_t come_and_go(struct fixture *fixture, phys_addr_t buf)
{
	struct device *dev = &fixture->rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_64K, DMA_FROM_DEVICE, 0);
	u8 bytes[16] = { 0 };

	assert_false(dma_mapping_error(dev, dma));
	expect_done(dmasim_dev_write(fixture->rig->nvme, dma, bytes, 16), 16);
	dma_unmap_phys(dev, dma, SZ_64K, DMA_FROM_DEVICE, 0);
	return dma;
}

static bool is_cached(struct fixture *fixture, dma_addr_t dma)
{
	return iotlb_find(&fixture->iommu->iotlb, 1, dma) != NULL;
}

static void a_rejected_command_does_not_stop_those_that_follow(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	u8 mask = fixture->iommu->max_address_mask;

	come_and_go(fixture, buf);
	dmasim_expect(rig->s, DMASIM_REPORT_QUEUE_ERROR, 1);
	fixture->iommu->max_address_mask = 1;
	come_and_go(fixture, buf);
	fixture->iommu->max_address_mask = mask;
	/* The software has cleared it. */
	expect_u64(fixture->iommu->fault_status, 0);
	for (int i = 0; i < 3; i++)
		assert_false(is_cached(fixture, come_and_go(fixture, buf)));
	dmasim_free(rig->s, buf, SZ_64K);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(a_rejected_command_does_not_stop_those_that_follow))
