/* SPDX-License-Identifier: MIT */
/*
 * The checker watches devices: for each report about an access a wrong program that gives exactly
 * it, and the right one beside it that gives none.
 */
#include <dmasim/walk.h>

#include "unit/api/sites.h"

/* ---- 1 iommu-fault --------------------------------------------------------------------------- */

static void an_access_to_an_address_that_was_never_mapped(void **state)
{
	struct rig *rig = *state;
	u8 byte = 1;

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
	dmasim_dev_read(rig->nvme, 0x12345000, &byte, 1);
	dmasim_dev_write(rig->nvme, 0x12345000, &byte, 1);
	expect_headline(rig->s, DMASIM_REPORT_IOMMU_FAULT);
	expect_says(rig->s, DMASIM_REPORT_IOMMU_FAULT, "DMAR: [DMA Read NO_PASID]");
	expect_says(rig->s, DMASIM_REPORT_IOMMU_FAULT, "DMAR: [DMA Write NO_PASID]");
	expect_only(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
}

/* ---- 2 unsupported-request ------------------------------------------------------------------- */

static void an_access_that_reaches_nobody(void **state)
{
	struct rig *rig = *state;
	u8 byte = 1;

	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	dmasim_dev_write(rig->nvme, 2ULL * SZ_1G, &byte, 1);
	expect_headline(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST);
	expect_only(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
}

/* An entry of a live mapping leads where nothing is: the block says where, and where it should. */
static void an_entry_that_leads_to_nobody(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	struct dmasim_walk walk;
	char expected[64];
	u64 entry;
	u8 byte = 1;

	expect_ok(dma_mapping_error(dev, dma));
	expect_ok(dmasim_walk_probe(rig->nvme, dma, true, &walk));
	entry = walk.entry[walk.entries - 1].value;
	entry |= 1ULL << 44;
	dmasim_write(rig->s, walk.entry[walk.entries - 1].at, &entry, sizeof(entry));
	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	dmasim_dev_write(rig->nvme, dma + 5, &byte, 1);
	snprintf(expected, sizeof(expected), "the IOMMU made it phys 0x%llx: nobody claims that",
		 (buf | 1ULL << 44) + 5);
	expect_says(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, expected);
	snprintf(expected, sizeof(expected), "expected  phys 0x%llx", buf + 5);
	expect_says(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, expected);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
}

/* ---- 3 access-not-mapped --------------------------------------------------------------------- */

static void an_access_to_memory_that_no_mapping_gives(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 byte = 1;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	dmasim_dev_write(rig->nvme, buf, &byte, 1);
	expect_headline(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
}

/* ---- 67 access-beyond ------------------------------------------------------------------------ */

/*
 *   granule   |...[buffer]......|
 *   access               [..]        half of it is the buffer's, half is not
 */
static void an_access_beyond_the_buffer_inside_its_granule(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K) + 0x100;
	dma_addr_t dma = dma_map_phys(dev, buf, 0x200, DMA_BIDIRECTIONAL, 0);
	u8 bytes[8] = { 0 };
	char neighbour[64];

	expect_both_ways(rig->s, rig->nvme, dma, buf, 0x200);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 2);
	expect_done(dmasim_dev_read(rig->nvme, dma + 0x200 - 4, bytes, 8), 8);
	expect_done(dmasim_dev_write(rig->nvme, dma - 1, bytes, 1), 1);
	snprintf(neighbour, sizeof(neighbour), "0x%llx-0x%llx", dma, dma + 0x1ff);
	expect_says(rig->s, DMASIM_REPORT_ACCESS_BEYOND, neighbour);
	dma_unmap_phys(dev, dma, 0x200, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 2);
}

/* ---- 4 access-before-sync -------------------------------------------------------------------- */

static void linked_but_not_synced(struct rig *rig)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;
	struct place link;
	u8 byte = 1;

	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_16K));
	NEXT_LINE(link);
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_16K, DMA_BIDIRECTIONAL, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 2);
	dmasim_dev_read(rig->nvme, st.addr, &byte, 1);
	dmasim_dev_write(rig->nvme, st.addr + SZ_16K - 1, &byte, 1);
	expect_headline(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC);
	expect_says(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, link.words);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_16K));
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_16K);
	dma_iova_destroy(dev, &st, SZ_16K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 2);
}

static void an_access_to_a_range_that_is_linked_but_not_synced(void **state)
{
	linked_but_not_synced(*state);
}

/* On every machine that has two steps, even where this hardware would let it pass. */
static const struct dmasim_config modes[] = {
	{ DMASIM_CONFIG, .iommu_levels = 3 },
	{ DMASIM_CONFIG, .iommu_incoherent = true },
	{ DMASIM_CONFIG, .iommu_snoop = true },
	{ DMASIM_CONFIG, .iommu_no_1g = true },
	{ DMASIM_CONFIG, .iotlb_entries = 4 },
	{ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF },
	{ DMASIM_CONFIG, .cpu = DMASIM_CPU_AMD },
	{ DMASIM_CONFIG, .random_choices = true, .seed = 7 },
};

static void before_sync_is_a_report_on_every_machine(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	*state = rig;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		rig_init(rig, &modes[i]);
		linked_but_not_synced(rig);
		rig_fini(rig);
	}
}

/*
 *   linked  |aaaaaaa|bbbbbbb|ccccccc|
 *   synced          |sssssss|
 */
static void syncing_a_part_syncs_that_part(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;
	u8 byte = 1;

	assert_true(dma_iova_try_alloc(dev, &st, buf, 3 * SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 3 * SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, SZ_4K, SZ_4K));
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_4K, buf + SZ_4K, SZ_4K);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 2);
	dmasim_dev_read(rig->nvme, st.addr + SZ_4K - 1, &byte, 1);
	dmasim_dev_read(rig->nvme, st.addr + 2 * SZ_4K, &byte, 1);
	dma_iova_destroy(dev, &st, 3 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 2);
}

/* A relinked part needs its own sync: the earlier one was for what was there before. */
static void a_part_that_is_linked_anew_needs_a_new_sync(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;
	u8 byte = 1;

	assert_true(dma_iova_try_alloc(dev, &st, buf, 2 * SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 2 * SZ_4K));
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_ok(dma_iova_link(dev, &st, buf, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
	dmasim_dev_read(rig->nvme, st.addr + SZ_4K, &byte, 1);
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_4K);
	dma_iova_destroy(dev, &st, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
}

/* ---- 5 access-against-direction -------------------------------------------------------------- */

static void an_access_against_the_direction(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place map;
	dma_addr_t dma;
	u8 byte = 1;

	NEXT_LINE(map);
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	dmasim_dev_read(rig->nvme, dma, &byte, 1);
	expect_headline(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION);
	expect_says(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, map.words);
	expect_says(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, "FROM_DEVICE");
	expect_write_lands(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
}

/* ---- 6 access-misrouted, and 15 iova-in-window ----------------------------------------------- */

static int setup_hidden(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF,
						       .hide_windows = true, .forcedac = true });
}

/*
 * Firmware does not tell of the windows, so an IOVA may be the number of a peer's bus address. The
 * switch claims it on the way up: what should have gone to RAM lands in the peer's BAR.
 */
static void an_iova_that_the_switch_claims(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	static const u8 zeros[16];
	u8 sent[16];
	struct place map;
	dma_addr_t dma;

	/* The highest page below this mask is in the gpu's BAR. */
	expect_ok(dma_set_mask(dev, pci_bus_address(rig->gpu, 0) + SZ_1M - 1));
	dmasim_expect(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW, 1);
	NEXT_LINE(map);
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(dma, pci_bus_address(rig->gpu, 0) + SZ_1M - SZ_4K);
	expect_headline(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW);

	fill_pattern(sent, sizeof(sent), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_MISROUTED, 1);
	expect_done(dmasim_dev_write(rig->nvme, dma, sent, sizeof(sent)), sizeof(sent));
	expect_bytes_at(rig->s, buf, zeros, sizeof(zeros));
	expect_bytes_at(rig->s, pci_resource_start(rig->gpu, 0) + SZ_1M - SZ_4K, sent,
			sizeof(sent));
	expect_headline(rig->s, DMASIM_REPORT_ACCESS_MISROUTED);
	expect_says(rig->s, DMASIM_REPORT_ACCESS_MISROUTED, map.words);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(dmasim_report_count(rig->s), 2);
	dmasim_assert_clean(rig->s);
}

static int setup_told(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF,
							      .forcedac = true });
}

/* The twin: with the windows known the same mask leads elsewhere. */
static void with_the_windows_known_nothing_is_misrouted(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma;

	expect_ok(dma_set_mask(dev, pci_bus_address(rig->gpu, 0) + SZ_1M - 1));
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(dma >= SZ_4G && dma < pci_bus_address(rig->gpu, 0));
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- 17 use-after-unmap ---------------------------------------------------------------------- */

static void an_access_after_the_unmap(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place map, unmap;
	dma_addr_t dma;
	u8 byte = 1;

	NEXT_LINE(map);
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	NEXT_LINE(unmap);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	dmasim_dev_write(rig->nvme, dma, &byte, 1);
	expect_headline(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP);
	expect_says(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, map.words);
	expect_says(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, unmap.words);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

static void an_access_after_the_destroy(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place link, destroy;
	struct dma_iova_state st;
	u8 byte = 1;

	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K));
	NEXT_LINE(link);
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	NEXT_LINE(destroy);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	dmasim_dev_read(rig->nvme, st.addr, &byte, 1);
	expect_says(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, link.words);
	expect_says(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, destroy.words);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

/* An address that lives again is not "after": only the newest owner counts. */
static void an_address_that_is_mapped_again_is_used_rightly(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	dma_addr_t first = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0), second;

	dma_unmap_phys(dev, first, SZ_4K, DMA_BIDIRECTIONAL, 0);
	second = dma_map_phys(dev, buf + SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(second, first);
	expect_both_ways(rig->s, rig->nvme, first, buf + SZ_4K, SZ_4K);
	dma_unmap_phys(dev, second, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- 43 acs-violation ------------------------------------------------------------------------ */

/*
 * The switch redirects the request to its root port, which does not turn it around: the bus address
 * of a BAR is not for drivers that were not told to use it.
 */
static void a_bus_address_that_acs_redirects(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *port = rig->nvme;
	u64 bar = pci_bus_address(rig->gpu, 0);
	u8 byte = 1;

	while (pci_upstream_bridge(port))
		port = pci_upstream_bridge(port);
	expect_ok(pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, PCI_ACS_RR));
	dmasim_expect(rig->s, DMASIM_REPORT_ACS_VIOLATION, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, bar, &byte, 1), DMASIM_ACS_VIOLATION, 0);
	expect_headline(rig->s, DMASIM_REPORT_ACS_VIOLATION);
	expect_says(rig->s, DMASIM_REPORT_ACS_VIOLATION, "blocked at 0000:00:01.0");
	expect_only(rig->s, DMASIM_REPORT_ACS_VIOLATION, 1);
}

/* The driver told its device where the CPU has the buffer, in place of what the map gave. */
static void a_physical_address_is_known_by_its_mapping(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dmasim_report report;
	struct place place;
	dma_addr_t dma;
	u8 byte = 0;

	NEXT_LINE(place);
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, dma));
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 3);
	dmasim_dev_read(rig->nvme, buf + 0x80, &byte, 1);
	expect_says(rig->s, DMASIM_REPORT_IOMMU_FAULT,
		    "it is the physical address of what is mapped");
	expect_says(rig->s, DMASIM_REPORT_IOMMU_FAULT, place.words);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	expect_u64(report.mapping, dma);
	/* Not so another device, and what is not mapped. */
	dmasim_dev_read(rig->gpu, buf + 0x80, &byte, 1);
	assert_true(dmasim_report_get(rig->s, 1, &report));
	expect_u64(report.mapping_size, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_dev_read(rig->nvme, buf + 0x80, &byte, 1);
	assert_true(dmasim_report_get(rig->s, 2, &report));
	expect_u64(report.mapping_size, 0);
	assert_null(strstr(report.text, "physical address"));
}

TEST_MAIN(BEHIND_VTD(an_access_to_an_address_that_was_never_mapped),
	  BEHIND_VTD(an_entry_that_leads_to_nobody),
	  BEHIND_VTD(a_physical_address_is_known_by_its_mapping),
	  WITHOUT_IOMMU(an_access_that_reaches_nobody),
	  BEHIND_VTD(a_bus_address_that_acs_redirects),
	  WITHOUT_IOMMU(an_access_to_memory_that_no_mapping_gives),
	  IN_BOTH_MODES(an_access_beyond_the_buffer_inside_its_granule),
	  BEHIND_VTD(an_access_to_a_range_that_is_linked_but_not_synced),
	  cmocka_unit_test_teardown(before_sync_is_a_report_on_every_machine, rig_teardown),
	  BEHIND_VTD(syncing_a_part_syncs_that_part),
	  BEHIND_VTD(a_part_that_is_linked_anew_needs_a_new_sync),
	  IN_BOTH_MODES(an_access_against_the_direction),
	  WITH_SETUP(an_iova_that_the_switch_claims, setup_hidden),
	  WITH_SETUP(with_the_windows_known_nothing_is_misrouted, setup_told),
	  IN_BOTH_MODES(an_access_after_the_unmap), BEHIND_VTD(an_access_after_the_destroy),
	  BEHIND_VTD(an_address_that_is_mapped_again_is_used_rightly))
