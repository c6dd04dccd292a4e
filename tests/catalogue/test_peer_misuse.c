/* SPDX-License-Identifier: MIT */
/*
 * Misuse of peer memory that no kernel sees, P01 to P13: for each a program that gives exactly its
 * report, which says what to change, and a right one that gives none.
 *
 *   ACS off   nvme, gpu and nic reach each other by bus address; the disk through the host bridge
 *   else      all through the host bridge
 */
#include "catalogue/two_step.h"

static struct p2pdma_provider *provide(struct pci_dev *pdev)
{
	expect_ok(pci_p2pdma_add_resource(pdev, 0, SZ_16K, 0));
	return pcim_p2pdma_provider(pdev, 0);
}

static phys_addr_t bar_of(struct pci_dev *pdev)
{
	return pci_resource_start(pdev, 0);
}

static dma_addr_t bus_of(struct pci_dev *pdev)
{
	return pci_p2pdma_bus_addr_map(pcim_p2pdma_provider(pdev, 0), bar_of(pdev));
}

/* The gpu's memory, and what the device is told of it. */
static void ask(struct rig *rig, struct pci_dev *pdev, enum pci_p2pdma_map_type expected)
{
	assert_int_equal(pci_p2pdma_map_type(provide(rig->gpu), &pdev->dev), expected);
}

/* ---- P01 to P03: bus addresses are not unmapped ---------------------------------------------- */

/* trust: P01: a bus address unmapped | our reading of the facts: dma-api 15 (M14) */
static void P01_bus_address_unmapped(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	expect_done(write_byte(rig->nvme, bus_of(rig->gpu), 0x5a), 1);
	about_to(rig, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED);
	dma_unmap_page(&rig->nvme->dev, bus_of(rig->gpu), SZ_4K, DMA_FROM_DEVICE);
	expect_says(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED,
		    "is the bus address of BAR 0 of 0000:04:00.0: keep the map type");
	expect_only(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
}

static void P01_right(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	expect_done(write_byte(rig->nvme, bus_of(rig->gpu), 0x5a), 1);
	dmasim_assert_clean(rig->s);
}

/*
 * trust: P02: a bus address unmapped that is another's IOVA
 * | our reading of the facts: dma-api 15
 */
static void P02_bus_address_is_anothers_iova(void **state)
{
	struct rig *rig = *state;
	dma_addr_t bus, dma;
	struct place map;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	bus = bus_of(rig->gpu);
	expect_ok(dma_set_mask(&rig->nic->dev, bus | (SZ_4K - 1)));
	about_to(rig, DMASIM_REPORT_IOVA_IN_WINDOW);
	NEXT_LINE(map);
	dma = dma_map_phys(&rig->nic->dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE, 0);
	expect_u64(dma, bus);
	about_to(rig, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED);
	dma_unmap_page(&rig->nvme->dev, bus, SZ_4K, DMA_FROM_DEVICE);
	expect_says(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, map.words);
	expect_says(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, "a mapping that had this IOVA");
	expect_u64(live_entries(rig->s), 0);
	dmasim_assert_clean(rig->s);
	expect_u64(dmasim_report_count(rig->s), 2);
}

/* Nobody can tell the two apart by the number: who has it as an IOVA unmaps it. */
static void P02_right(void **state)
{
	struct rig *rig = *state;
	dma_addr_t bus, dma;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	bus = bus_of(rig->gpu);
	expect_ok(dma_set_mask(&rig->nic->dev, bus | (SZ_4K - 1)));
	about_to(rig, DMASIM_REPORT_IOVA_IN_WINDOW);
	dma = dma_map_phys(&rig->nic->dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE, 0);
	expect_u64(dma, bus);
	dma_unmap_phys(&rig->nic->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW, 1);
}

/* A page of the gpu between two of RAM, mapped for the nvme. */
static void map_mixed(struct rig *rig, struct scatterlist *sg)
{
	phys_addr_t buf = ram(rig, SZ_16K);

	provide(rig->gpu);
	sg_init_table(sg, 3);
	sg_set_page(&sg[0], dmasim_page(rig->s, buf), SZ_4K, 0);
	sg_set_page(&sg[1], dmasim_page(rig->s, bar_of(rig->gpu)), SZ_4K, 0);
	sg_set_page(&sg[2], dmasim_page(rig->s, buf + 2 * SZ_4K), SZ_4K, 0);
	assert_true(dma_map_sg(&rig->nvme->dev, sg, 3, DMA_FROM_DEVICE) > 0);
}

static struct scatterlist *bus_entry(struct scatterlist *sg)
{
	for (u32 i = 0; i < 3; i++)
		if (sg_dma_is_bus_address(&sg[i]))
			return &sg[i];
	fail_msg("no entry has a bus address");
	return NULL;
}

/*
 * trust: P03: an entry with a bus address unmapped by itself
 * | our reading of the facts: dma-api 4
 */
static void P03_entry_unmapped_by_itself(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[3];

	map_mixed(rig, sg);
	about_to(rig, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED);
	dma_unmap_phys(&rig->nvme->dev, sg_dma_address(bus_entry(sg)), SZ_4K, DMA_FROM_DEVICE, 0);
	dma_unmap_sg(&rig->nvme->dev, sg, 3, DMA_FROM_DEVICE);
	expect_one(rig, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, "dma_map_sg (bus address)");
}

static void P03_flag_lost(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[3];

	map_mixed(rig, sg);
	bus_entry(sg)->dma_flags = 0;
	dmasim_suppress(rig->s, DMASIM_REPORT_UNMAP_SHORT);
	about_to(rig, DMASIM_REPORT_BUS_FLAG_LOST);
	dma_unmap_sg(&rig->nvme->dev, sg, 3, DMA_FROM_DEVICE);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_BUS_FLAG_LOST), 1);
	dmasim_assert_clean(rig->s);
}

static void P03_right(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[3];

	map_mixed(rig, sg);
	expect_done(write_byte(rig->nvme, sg_dma_address(bus_entry(sg)), 0x5a), 1);
	dma_unmap_sg(&rig->nvme->dev, sg, 3, DMA_FROM_DEVICE);
	dmasim_assert_clean(rig->s);
}

/* ---- P04 to P06: verdicts -------------------------------------------------------------------- */

/* trust: P04: a verdict used for another device | our reading of the facts: dma-api 8.3 */
static void P04_verdict_of_another_device(void **state)
{
	struct pci_p2pdma_map_state kept = { 0 };
	struct rig *rig = *state;
	struct page *page;

	provide(rig->gpu);
	page = dmasim_page(rig->s, bar_of(rig->gpu));
	assert_int_equal(pci_p2pdma_state(&kept, &rig->nvme->dev, page), PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(pci_p2pdma_state(&kept, &rig->disk->dev, page), PCI_P2PDMA_MAP_BUS_ADDR);
	about_to(rig, DMASIM_REPORT_P2P_VERDICT);
	write_byte(rig->disk, bus_of(rig->gpu), 0x5a);
	expect_one(rig, DMASIM_REPORT_P2P_VERDICT,
		   "was asked for 0000:03:00.0 and 0000:04:00.0, not for these two");
}

static void P04_verdict_of_another_provider(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	provide(rig->disk);
	about_to(rig, DMASIM_REPORT_P2P_VERDICT);
	write_byte(rig->nvme, bus_of(rig->disk), 0x5a);
	expect_one(rig, DMASIM_REPORT_P2P_VERDICT, "not for these two");
}

static void P04_right(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(rig->gpu, 0), &rig->disk->dev),
			 PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	expect_done(write_byte(rig->nvme, bus_of(rig->gpu), 0x5a), 1);
	dma = dma_map_phys(&rig->disk->dev, bar_of(rig->gpu), SZ_4K, DMA_FROM_DEVICE,
			   DMA_ATTR_MMIO);
	expect_done(write_byte(rig->disk, dma, 0x5b), 1);
	dma_unmap_phys(&rig->disk->dev, dma, SZ_4K, DMA_FROM_DEVICE, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

/* trust: P05: a bus address against the verdict | our reading of the facts: dma-api 8.8 */
static void P05_bus_address_of_what_is_to_be_mapped(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	about_to(rig, DMASIM_REPORT_P2P_VERDICT);
	write_byte(rig->nvme, bus_of(rig->gpu), 0x5a);
	expect_one(rig, DMASIM_REPORT_P2P_VERDICT, "said THRU_HOST_BRIDGE, it is to be mapped");
}

static void P05_right(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	dma = dma_map_phys(&rig->nvme->dev, bar_of(rig->gpu), SZ_4K, DMA_FROM_DEVICE,
			   DMA_ATTR_MMIO);
	expect_done(write_byte(rig->nvme, dma, 0x5a), 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

static int mode_unlisted(void **state)
{
	return rig_setup_unlisted(state, &(struct dmasim_config){ DMASIM_CONFIG });
}

/* trust: P06: a verdict of "not supported" ignored | our reading of the facts: dma-api 8.2 */
static void P06_mapped_all_the_same(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_NOT_SUPPORTED);
	about_to(rig, DMASIM_REPORT_P2P_VERDICT);
	dma = dma_map_phys(&rig->nvme->dev, bar_of(rig->gpu), SZ_4K, DMA_FROM_DEVICE,
			   DMA_ATTR_MMIO);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, DMA_ATTR_MMIO);
	expect_one(rig, DMASIM_REPORT_P2P_VERDICT, "said NOT_SUPPORTED of 0000:04:00.0");
}

static void P06_used_all_the_same(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_NOT_SUPPORTED);
	about_to(rig, DMASIM_REPORT_P2P_VERDICT);
	write_byte(rig->nvme, bus_of(rig->gpu), 0x5a);
	expect_one(rig, DMASIM_REPORT_P2P_VERDICT, "said NOT_SUPPORTED, no request gets there");
}

/* By way of RAM. */
static void P06_right(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_NOT_SUPPORTED);
	dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_done(write_byte(rig->nvme, dma, 0x5a), 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- P07 to P10: maps and links -------------------------------------------------------------- */

/* What a mapping of peer memory, or of RAM, is to say of it, and what its end is. */
static void map_and_unmap(struct pci_dev *pdev, phys_addr_t phys, unsigned long map,
			  unsigned long unmap)
{
	dma_addr_t dma = dma_map_phys(&pdev->dev, phys, SZ_4K, DMA_FROM_DEVICE, map);

	expect_ok(dma_mapping_error(&pdev->dev, dma));
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, unmap);
}

static void link_and_destroy(struct pci_dev *pdev, phys_addr_t phys, unsigned long link,
			     unsigned long destroy)
{
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(&pdev->dev, &st, 0, SZ_4K));
	expect_ok(dma_iova_link(&pdev->dev, &st, phys, 0, SZ_4K, DMA_FROM_DEVICE, link));
	dma_iova_destroy(&pdev->dev, &st, SZ_4K, DMA_FROM_DEVICE, destroy);
}

static void link_and_unlink(struct pci_dev *pdev, phys_addr_t phys, unsigned long link,
			    unsigned long unlink)
{
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(&pdev->dev, &st, 0, SZ_4K));
	expect_ok(dma_iova_link(&pdev->dev, &st, phys, 0, SZ_4K, DMA_FROM_DEVICE, link));
	dma_iova_unlink(&pdev->dev, &st, 0, SZ_4K, DMA_FROM_DEVICE, unlink);
	dma_iova_free(&pdev->dev, &st);
}

/* trust: P07: memory with a bus address mapped or linked | our reading of the facts: dma-api 8.8 */
static void P07_mapped(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	about_to(rig, DMASIM_REPORT_P2P_WRONG_WAY);
	map_and_unmap(rig->nvme, bar_of(rig->gpu), DMA_ATTR_MMIO, DMA_ATTR_MMIO);
	expect_one(rig, DMASIM_REPORT_P2P_WRONG_WAY, "pci_p2pdma_bus_addr_map() maps");
}

static void P07_linked(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	about_to(rig, DMASIM_REPORT_P2P_WRONG_WAY);
	link_and_destroy(rig->nvme, bar_of(rig->gpu), DMA_ATTR_MMIO, DMA_ATTR_MMIO);
	expect_only(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
}

static void P07_right(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->disk, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	link_and_destroy(rig->disk, bar_of(rig->gpu), DMA_ATTR_MMIO, DMA_ATTR_MMIO);
	map_and_unmap(rig->disk, bar_of(rig->gpu), DMA_ATTR_MMIO, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

/* trust: P08: peer memory without DMA_ATTR_MMIO | our reading of the facts: real-bugs B6 */
static void P08_mapped(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->disk, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	about_to(rig, DMASIM_REPORT_PEER_AS_RAM);
	map_and_unmap(rig->disk, bar_of(rig->gpu), 0, 0);
	expect_one(rig, DMASIM_REPORT_PEER_AS_RAM, "DMA_ATTR_MMIO is missing");
}

static void P08_linked(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->disk, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	about_to(rig, DMASIM_REPORT_PEER_AS_RAM);
	link_and_destroy(rig->disk, bar_of(rig->gpu), 0, 0);
	expect_only(rig->s, DMASIM_REPORT_PEER_AS_RAM, 1);
}

static void P08_right(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->disk, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	link_and_unlink(rig->disk, bar_of(rig->gpu), DMA_ATTR_MMIO, DMA_ATTR_MMIO);
	map_and_unmap(rig->disk, bar_of(rig->gpu), DMA_ATTR_MMIO, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

/* trust: P09: RAM with DMA_ATTR_MMIO | our reading of the facts: dma-api 3 */
static void P09_mapped(void **state)
{
	struct rig *rig = *state;

	about_to(rig, DMASIM_REPORT_RESOURCE_IS_RAM);
	map_and_unmap(rig->disk, ram(rig, SZ_4K), DMA_ATTR_MMIO, DMA_ATTR_MMIO);
	expect_one(rig, DMASIM_REPORT_RESOURCE_IS_RAM, "DMA_ATTR_MMIO");
}

static void P09_linked(void **state)
{
	struct rig *rig = *state;

	about_to(rig, DMASIM_REPORT_RESOURCE_IS_RAM);
	link_and_destroy(rig->disk, ram(rig, SZ_4K), DMA_ATTR_MMIO, DMA_ATTR_MMIO);
	expect_only(rig->s, DMASIM_REPORT_RESOURCE_IS_RAM, 1);
}

static void P09_right(void **state)
{
	struct rig *rig = *state;

	map_and_unmap(rig->disk, ram(rig, SZ_4K), 0, 0);
	link_and_destroy(rig->disk, ram(rig, SZ_4K), 0, 0);
	dmasim_assert_clean(rig->s);
}

/* trust: P10: DMA_ATTR_MMIO forgotten at the end | our reading of the facts: real-bugs B6 */
static void P10_at_unmap(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->disk, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	about_to(rig, DMASIM_REPORT_UNMAP_MISMATCH);
	map_and_unmap(rig->disk, bar_of(rig->gpu), DMA_ATTR_MMIO, 0);
	expect_one(rig, DMASIM_REPORT_UNMAP_MISMATCH, "the attributes are others");
}

static void P10_at_destroy(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->disk, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	about_to(rig, DMASIM_REPORT_UNMAP_MISMATCH);
	link_and_destroy(rig->disk, bar_of(rig->gpu), DMA_ATTR_MMIO, 0);
	expect_one(rig, DMASIM_REPORT_UNMAP_MISMATCH, "DMA_ATTR_MMIO is in one of link and unlink");
}

static void P10_at_unlink(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->disk, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	about_to(rig, DMASIM_REPORT_UNMAP_MISMATCH);
	link_and_unlink(rig->disk, bar_of(rig->gpu), DMA_ATTR_MMIO, 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

static void P10_right(void **state)
{
	P08_right(state);
}

/* ---- P11 to P13: memory that goes ------------------------------------------------------------ */

/* Four links of the gpu's memory, for the disk. */
static struct dma_iova_state link_peer(struct rig *rig)
{
	struct device *dev = &rig->disk->dev;
	struct dma_iova_state st;

	ask(rig, rig->disk, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	for (u32 page = 0; page < 4; page++)
		expect_ok(dma_iova_link(dev, &st, bar_of(rig->gpu) + PAGES(page), PAGES(page),
					SZ_4K, DMA_FROM_DEVICE, DMA_ATTR_MMIO));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_16K));
	return st;
}

static void destroy_peer(struct rig *rig, struct dma_iova_state *st)
{
	dma_iova_destroy(&rig->disk->dev, st, SZ_16K, DMA_FROM_DEVICE, DMA_ATTR_MMIO);
}

/* trust: P11: a provider gone with mappings alive | our reading of the facts: dma-api 8.7b */
/* Of one state, or one list, one is told. */
static void P11_links_alive(void **state)
{
	struct rig *rig = *state;

	link_peer(rig);
	about_to(rig, DMASIM_REPORT_PEER_RELEASED);
	dmasim_p2pdma_release(rig->gpu);
	expect_one(rig, DMASIM_REPORT_PEER_RELEASED, "0000:04:00.0 is no provider any more");
}

static void P11_list_alive(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[3];

	map_mixed(rig, sg);
	about_to(rig, DMASIM_REPORT_PEER_RELEASED);
	dmasim_p2pdma_release(rig->gpu);
	expect_only(rig->s, DMASIM_REPORT_PEER_RELEASED, 1);
}

static void P11_right(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = link_peer(rig);

	destroy_peer(rig, &st);
	dmasim_p2pdma_release(rig->gpu);
	dmasim_assert_clean(rig->s);
}

/* trust: P12: a bus address used after its provider | our reading of the facts: dma-api 8.7b */
/* Nothing was mapped: nobody knows until the device comes. */
static void P12_bus_address_kept(void **state)
{
	struct rig *rig = *state;
	dma_addr_t bus;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	bus = bus_of(rig->gpu);
	dmasim_p2pdma_release(rig->gpu);
	expect_u64(dmasim_report_count(rig->s), 0);
	about_to(rig, DMASIM_REPORT_PEER_RELEASED);
	write_byte(rig->nvme, bus, 0x5a);
	expect_one(rig, DMASIM_REPORT_PEER_RELEASED, "whose driver has let go of it");
}

static void P12_right(void **state)
{
	struct rig *rig = *state;

	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	dmasim_p2pdma_release(rig->gpu);
	ask(rig, rig->nvme, PCI_P2PDMA_MAP_BUS_ADDR);
	expect_done(write_byte(rig->nvme, bus_of(rig->gpu), 0x5a), 1);
	dmasim_assert_clean(rig->s);
}

/*
 * trust: P13: peer memory switched off while it is linked
 * | our reading of the facts: dma-api 8.7b
 */
static void P13_switched_off(void **state)
{
	struct rig *rig = *state;

	expect_ok(pci_enable_device(rig->gpu));
	link_peer(rig);
	about_to(rig, DMASIM_REPORT_PEER_REVOKED);
	pci_write_config_word(rig->gpu, PCI_COMMAND, 0);
	expect_one(rig, DMASIM_REPORT_PEER_REVOKED, "memory decoding is off");
}

static void P13_right(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st;

	expect_ok(pci_enable_device(rig->gpu));
	st = link_peer(rig);
	destroy_peer(rig, &st);
	pci_write_config_word(rig->gpu, PCI_COMMAND, 0);
	dmasim_assert_clean(rig->s);
}

#define BY_BUS(test) IN(strict_bus, test), IN(direct_bus, test)
#define BY_ROOT(test) \
	IN(strict, test), IN(amd_vi, test), IN(riscv, test), IN(smmuv3, test), IN(lazy, test)
#define UNLISTED(test) WITH_SETUP(test, mode_unlisted)

TEST_MAIN(BY_BUS(P01_bus_address_unmapped), BY_BUS(P01_right),
	  IN(strict_bus_hidden, P02_bus_address_is_anothers_iova), IN(strict_bus_hidden, P02_right),
	  BY_BUS(P03_entry_unmapped_by_itself), IN(strict_bus, P03_flag_lost), BY_BUS(P03_right),
	  BY_BUS(P04_verdict_of_another_device), BY_BUS(P04_verdict_of_another_provider),
	  BY_BUS(P04_right), BY_ROOT(P05_bus_address_of_what_is_to_be_mapped),
	  IN(direct, P05_bus_address_of_what_is_to_be_mapped), BY_ROOT(P05_right),
	  UNLISTED(P06_mapped_all_the_same), UNLISTED(P06_used_all_the_same),
	  { "P06_right__unlisted", P06_right, mode_unlisted, rig_teardown, NULL },
	  BY_BUS(P07_mapped), IN(strict_bus, P07_linked), IN(strict_bus, P07_right),
	  BY_ROOT(P08_mapped), IN(direct, P08_mapped), IN(no_snoop, P08_mapped),
	  BY_ROOT(P08_linked), BY_ROOT(P08_right), BY_ROOT(P09_mapped), IN(direct, P09_mapped),
	  BY_ROOT(P09_linked), BY_ROOT(P09_right), BY_ROOT(P10_at_unmap), IN(direct, P10_at_unmap),
	  BY_ROOT(P10_at_destroy), BY_ROOT(P10_at_unlink), BY_ROOT(P10_right),
	  BY_ROOT(P11_links_alive), BY_BUS(P11_list_alive), BY_ROOT(P11_right),
	  BY_BUS(P12_bus_address_kept), BY_BUS(P12_right), BY_ROOT(P13_switched_off),
	  BY_ROOT(P13_right))
