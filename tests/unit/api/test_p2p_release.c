/* SPDX-License-Identifier: MIT */
/*
 * Peer memory that goes while somebody uses it (facts "dma-api" 8.1, 8.7b, 12.3): the provider's
 * driver lets go of it, memory decoding is switched off, a BAR or a window is moved.
 */
#include <dmasim/kernel.h>

#include "unit/api/machines.h"

#define BAR(rig) pci_resource_start((rig)->gpu, 0)

static enum pci_p2pdma_map_type type_of(struct rig *rig, struct pci_dev *client)
{
	return pci_p2pdma_map_type(pcim_p2pdma_provider(rig->gpu, 0), &client->dev);
}

/* ---- Released -------------------------------------------------------------------------------- */

/* trust: a provider ends with its driver, and forgets its verdicts | our reading of the facts */
static void a_provider_that_ends_forgets_everything(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *port = pci_upstream_bridge(rig->nvme);
	void *memory;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	memory = pci_alloc_p2pmem(rig->gpu, SZ_4K);
	pci_free_p2pmem(rig->gpu, memory, SZ_4K);
	assert_int_equal(type_of(rig, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	assert_true(is_pci_p2pdma_page(dmasim_page(rig->s, BAR(rig))));
	pci_p2pmem_publish(rig->gpu, true);
	dmasim_p2pdma_release(rig->gpu);
	assert_false(is_pci_p2pdma_page(dmasim_page(rig->s, BAR(rig))));
	assert_false(pci_has_p2pmem(rig->gpu));
	assert_null(pci_alloc_p2pmem(rig->gpu, SZ_4K));
	/* It may become one again, and judges anew. */
	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, PCI_ACS_RR);
	expect_ok(pcim_p2pdma_init(rig->gpu));
	assert_int_equal(type_of(rig, rig->nvme), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	dmasim_p2pdma_release(rig->gpu);
	dmasim_p2pdma_release(rig->gpu);
	dmasim_assert_clean(rig->s);
}

/* trust: a mapping that outlives its provider is reported | our reading of the facts */
static void a_mapping_that_outlives_its_provider_is_told(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	dma_addr_t dma;

	expect_ok(pcim_p2pdma_init(rig->gpu));
	dma = dma_map_phys(&rig->disk->dev, BAR(rig) + SZ_64K, SZ_16K, DMA_TO_DEVICE,
			   DMA_ATTR_MMIO);
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
	dmasim_p2pdma_release(rig->gpu);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	expect_u64(report.dev, rig->disk->dev.id);
	expect_u64(report.dma, dma);
	assert_non_null(strstr(report.text, "dma_map_phys 0x"));
	assert_non_null(strstr(report.text, "test_p2p_release.c"));
	assert_non_null(strstr(report.text, pci_name(rig->gpu)));
	/* It is the same mistake: no leak is told beside it. */
	expect_only(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
}

static void a_list_of_bus_addresses_that_outlives_its_provider_is_told(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	sg_init_table(&sg, 1);
	sg_set_page(&sg, dmasim_page(rig->s, BAR(rig)), SZ_4K, 0);
	assert_int_equal(dma_map_sg(&rig->nvme->dev, &sg, 1, DMA_TO_DEVICE), 1);
	assert_true(sg_dma_is_bus_address(&sg));
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
	dmasim_p2pdma_release(rig->gpu);
	assert_true(report_says(rig->s, DMASIM_REPORT_PEER_RELEASED, "(bus address)"));
	expect_only(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
}

static void memory_that_was_not_given_back_is_told(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	void *memory;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	memory = pci_alloc_p2pmem(rig->gpu, SZ_16K);
	assert_non_null(memory);
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
	dmasim_p2pdma_release(rig->gpu);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	expect_u64(report.dev, rig->gpu->dev.id);
	expect_u64(report.dma, BAR(rig));
	assert_non_null(strstr(report.text, "test_p2p_release.c"));
	expect_only(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
}

/* Of another provider, or ended in time. */
static void what_is_not_in_use_is_not_told(void **state)
{
	struct rig *rig = *state;
	phys_addr_t nic = pci_resource_start(rig->nic, 0);
	dma_addr_t dma, other, own;

	expect_ok(pcim_p2pdma_init(rig->gpu));
	expect_ok(pcim_p2pdma_init(rig->nic));
	dma = dma_map_phys(&rig->disk->dev, BAR(rig), SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	other = dma_map_phys(&rig->disk->dev, nic, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	own = dma_map_phys(&rig->gpu->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(&rig->disk->dev, dma, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	dmasim_p2pdma_release(rig->gpu);
	expect_u64(dmasim_report_count(rig->s), 0);
	dma_unmap_phys(&rig->disk->dev, other, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	dma_unmap_phys(&rig->gpu->dev, own, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- By its driver --------------------------------------------------------------------------- */

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	(void)id;
	return pci_p2pdma_add_resource(pdev, 0, SZ_1M, 0);
}

static void end_driver(struct rig *rig, struct pci_driver *driver)
{
	pci_unregister_driver(driver);
	assert_null(rig->gpu->p2pdma);
}

static const struct pci_device_id *ids_of(struct pci_dev *pdev, struct pci_device_id *ids)
{
	ids[0] = (struct pci_device_id){ .vendor = pdev->vendor,
					 .device = pdev->device,
					 .subvendor = PCI_ANY_ID,
					 .subdevice = PCI_ANY_ID };
	ids[1] = (struct pci_device_id){ 0 };
	return ids;
}

/* trust: a driver's provider ends after its remove() | our reading of the facts */
static void a_drivers_provider_ends_after_remove(void **state)
{
	struct rig *rig = *state;
	struct pci_device_id ids[2];
	struct pci_driver driver = { .name = "gpu",
				     .id_table = ids_of(rig->gpu, ids),
				     .probe = probe };
	dma_addr_t dma;

	dmasim_enter(rig->s);
	expect_ok(pci_register_driver(&driver));
	assert_non_null(rig->gpu->p2pdma);
	end_driver(rig, &driver);
	expect_u64(dmasim_report_count(rig->s), 0);
	expect_ok(pci_register_driver(&driver));
	dma = dma_map_phys(&rig->disk->dev, BAR(rig), SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	assert_false(dma_mapping_error(&rig->disk->dev, dma));
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
	end_driver(rig, &driver);
	expect_only(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
	dmasim_enter(NULL);
}

/* ---- Revoked --------------------------------------------------------------------------------- */

static dma_addr_t map_bar(struct rig *rig)
{
	dma_addr_t dma;

	expect_ok(pci_enable_device(rig->gpu));
	expect_ok(pcim_p2pdma_init(rig->gpu));
	assert_int_equal(type_of(rig, rig->disk), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	dma = dma_map_phys(&rig->disk->dev, BAR(rig), SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	expect_u64(dmasim_report_count(rig->s), 0);
	return dma;
}

static void expect_revoked(struct rig *rig, const char *words)
{
	struct dmasim_report report;

	assert_true(dmasim_report_get(rig->s, 0, &report));
	expect_u64(report.dev, rig->disk->dev.id);
	assert_non_null(strstr(report.text, words));
	assert_non_null(strstr(report.text, "test_p2p_release.c"));
	expect_only(rig->s, DMASIM_REPORT_PEER_REVOKED, 1);
}

static void switch_memory(struct pci_dev *pdev, bool on)
{
	u16 command;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	command &= (u16)~PCI_COMMAND_MEMORY;
	pci_write_config_word(pdev, PCI_COMMAND, on ? command | PCI_COMMAND_MEMORY : command);
}

/* trust: peer memory that is switched off while mapped is reported | our reading of the facts */
static void memory_that_is_switched_off_while_mapped_is_told(void **state)
{
	struct rig *rig = *state;

	map_bar(rig);
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_REVOKED, 1);
	switch_memory(rig->gpu, false);
	expect_revoked(rig,
		       "register 0x04 of 0000:04:00.0 was written, and memory decoding is off");
}

static void memory_of_a_bridge_above_it_is_meant_too(void **state)
{
	struct rig *rig = *state;

	map_bar(rig);
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_REVOKED, 1);
	switch_memory(pci_upstream_bridge(rig->gpu), false);
	expect_revoked(rig, "register 0x04 of 0000:02:01.0");
}

static void a_bar_that_is_moved_while_mapped_is_told(void **state)
{
	struct rig *rig = *state;

	map_bar(rig);
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_REVOKED, 1);
	pci_write_config_dword(rig->gpu, PCI_BASE_ADDRESS_0 + 4, 0x7fff);
	expect_revoked(rig, "register 0x14 of 0000:04:00.0 was written");
}

/* Writes that take nothing away, and those after the mapping has ended. */
static void what_takes_nothing_away_is_not_told(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = map_bar(rig);
	u32 low;

	switch_memory(rig->gpu, true);
	switch_memory(rig->nvme, false);
	pci_read_config_dword(rig->gpu, PCI_BASE_ADDRESS_0, &low);
	pci_write_config_dword(rig->gpu, PCI_BASE_ADDRESS_0, low);
	pci_write_config_byte(rig->gpu, PCI_COMMAND + 1, 0);
	dma_unmap_phys(&rig->disk->dev, dma, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	switch_memory(rig->gpu, false);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

#define TEST(test) WITH_SETUP(test, rig_setup_acs_off)

TEST_MAIN(TEST(a_provider_that_ends_forgets_everything),
	  TEST(a_mapping_that_outlives_its_provider_is_told),
	  TEST(a_list_of_bus_addresses_that_outlives_its_provider_is_told),
	  TEST(memory_that_was_not_given_back_is_told), TEST(what_is_not_in_use_is_not_told),
	  TEST(a_drivers_provider_ends_after_remove),
	  TEST(memory_that_is_switched_off_while_mapped_is_told),
	  TEST(memory_of_a_bridge_above_it_is_meant_too),
	  TEST(a_bar_that_is_moved_while_mapped_is_told), TEST(what_takes_nothing_away_is_not_told))
