/* SPDX-License-Identifier: MIT */
/*
 * A host bridge whose bus addresses differ from CPU addresses, in every flow.
 *
 *   CPU            phys ------------------.
 *   host bridge 00   bus = phys + offset  |      below it devices speak bus addresses
 *    +-- switch --+-- nvme                |
 *    |            +-- gpu (provider) <----'
 *    +-- disk
 *   host bridge 40   another offset
 *    +-- nic
 */
#include "unit/api/lists.h"

static int setup_with_offsets(void **state, const struct dmasim_config *config, u64 offset)
{
	static const struct {
		size_t member;
		const char *path;
	} devices[] = {
		{ offsetof(struct rig, nvme), "00:01.0/00.0/00.0/00.0" },
		{ offsetof(struct rig, gpu), "00:01.0/00.0/01.0/00.0" },
		{ offsetof(struct rig, disk), "00:02.0/00.0" },
		{ offsetof(struct rig, nic), "40:01.0/00.0" },
	};
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	*state = rig;
	rig->s = dmasim_create(config);
	expect_ok(dmasim_add_host_bridge(rig->s,
					 &(struct dmasim_host_bridge){ .bus_offset = offset }));
	expect_ok(dmasim_add_host_bridge(
		rig->s, &(struct dmasim_host_bridge){ .bus = 0x40, .bus_offset = 3 * offset }));
	for (int i = 0; i < 4; i++) {
		struct pci_dev *pdev = dmasim_add_endpoint(
			rig->s, devices[i].path, &(struct dmasim_endpoint){ .bar = { SZ_1M } });

		assert_non_null(pdev);
		*(struct pci_dev **)((char *)rig + devices[i].member) = pdev;
	}
	expect_ok(dma_set_mask(&rig->nvme->dev, DMA_BIT_MASK(64)));
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, 0, 0));
	expect_ok(pci_p2pdma_add_resource(rig->nic, 0, 0, 0));
	return 0;
}

#define LOWER (-(1ULL << 44)) /* the bus address is a lower number than the CPU's */
#define UPPER (1ULL << 40)

static const struct dmasim_config vtd = { DMASIM_CONFIG, .acs = DMASIM_ACS_OFF };
static const struct dmasim_config direct = { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
					     .acs = DMASIM_ACS_OFF };

static int setup_vtd_lower(void **state)
{
	return setup_with_offsets(state, &vtd, LOWER);
}

static int setup_vtd_upper(void **state)
{
	return setup_with_offsets(state, &vtd, UPPER);
}

static int setup_direct_lower(void **state)
{
	return setup_with_offsets(state, &direct, LOWER);
}

static int setup_direct_upper(void **state)
{
	return setup_with_offsets(state, &direct, UPPER);
}

static u64 offset_of(struct rig *rig)
{
	struct dmasim_window window;

	for (u32 i = 0; dmasim_window(rig->s, i, &window); i++)
		if (!window.bus)
			return window.bus_offset;
	fail_msg("root bus 00 has no window");
	return 0;
}

static void addresses_differ_by_the_offset(void **state)
{
	struct rig *rig = *state;
	u64 offset = offset_of(rig);
	struct p2pdma_provider *provider = pcim_p2pdma_provider(rig->gpu, 0);
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);

	assert_true(offset != 0);
	expect_u64(provider->bus_offset, offset);
	expect_u64(pci_bus_address(rig->gpu, 0), bar + offset);
	expect_u64(pci_p2pdma_bus_addr_map(provider, bar + 0x123), bar + 0x123 + offset);
	expect_u64(pcim_p2pdma_provider(rig->nic, 0)->bus_offset, 3 * offset);
	expect_u64(pci_bus_address(rig->nic, 0), pci_resource_start(rig->nic, 0) + 3 * offset);
}

/* The register holds the bus address: it is what the device decodes. */
static void the_bar_register_holds_the_bus_address(void **state)
{
	struct rig *rig = *state;
	u32 low = 0, high = 0;

	pci_read_config_dword(rig->gpu, PCI_BASE_ADDRESS_0, &low);
	pci_read_config_dword(rig->gpu, PCI_BASE_ADDRESS_0 + 4, &high);
	expect_u64((((u64)high << 32) | low) & PCI_BASE_ADDRESS_MEM_MASK,
		   pci_bus_address(rig->gpu, 0));
}

static void the_cpu_reaches_bars_by_phys(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	u8 sent[256], got[256];

	fill_pattern(sent, sizeof(sent), 1);
	expect_u64(dmasim_write(rig->s, bar + 8, sent, sizeof(sent)), sizeof(sent));
	expect_u64(dmasim_read(rig->s, bar + 8, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, sent, sizeof(sent));
	assert_memory_equal(dmasim_ptr(rig->s, bar + 8, sizeof(sent)), sent, sizeof(sent));
	expect_u64(dmasim_read(rig->s, pci_bus_address(rig->gpu, 0), got, 1), 0);
}

static void a_peer_below_the_switch_is_reached_by_bus_address(void **state)
{
	struct rig *rig = *state;
	struct p2pdma_provider *provider = pcim_p2pdma_provider(rig->gpu, 0);
	phys_addr_t bar = pci_resource_start(rig->gpu, 0) + SZ_64K;
	dma_addr_t dma = pci_p2pdma_bus_addr_map(provider, bar);
	struct dmasim_route route;

	assert_int_equal(pci_p2pdma_map_type(provider, &rig->nvme->dev), PCI_P2PDMA_MAP_BUS_ADDR);
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_64K);
	dmasim_route(rig->nvme, dma, true, &route);
	assert_false(route.passed_root);
	assert_true(route.in_bar);
	expect_u64(route.phys, bar);
	dmasim_assert_clean(rig->s);
}

static void peer_memory_of_the_pool_has_the_bus_address(void **state)
{
	struct rig *rig = *state;
	void *memory = pci_alloc_p2pmem(rig->gpu, SZ_4K);
	phys_addr_t phys = dmasim_virt_to_phys(rig->s, memory);

	assert_non_null(memory);
	expect_u64(pci_p2pmem_virt_to_bus(rig->gpu, memory), phys + offset_of(rig));
	pci_free_p2pmem(rig->gpu, memory, SZ_4K);
}

/* Through the host bridge the CPU's address is what counts, on either side of the IOMMU. */
static void a_peer_below_another_host_bridge_is_mapped_by_phys(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->nic, 0);
	struct dmasim_route route;
	dma_addr_t dma;

	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(rig->nic, 0), dev),
			 PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	dma = dma_map_phys(dev, bar, SZ_64K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_ok(dma_mapping_error(dev, dma));
	dmasim_route(rig->nvme, dma, true, &route);
	assert_true(route.passed_root);
	expect_u64(route.phys, bar);
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_64K);
	dma_unmap_phys(dev, dma, SZ_64K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

static void ram_is_mapped_as_ever(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_64K, DMA_BIDIRECTIONAL, 0);

	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_64K);
	dma_unmap_phys(dev, dma, SZ_64K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void a_mixed_list(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t gpu = pci_resource_start(rig->gpu, 0), nic = pci_resource_start(rig->nic, 0);
	struct list list;

	list_init(&list, 5);
	list_set(rig, &list, 0, gpu + 0x80, SZ_4K - 0x80);
	list_set(rig, &list, 1, ram(rig, SZ_4K), SZ_4K);
	list_set(rig, &list, 2, nic + SZ_4K, SZ_4K);
	list_set(rig, &list, 3, gpu + SZ_64K, 2 * SZ_4K);
	list_set(rig, &list, 4, ram(rig, SZ_16K), SZ_4K + 3);
	list_remember(&list);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	assert_true(sg_dma_is_bus_address(&list.sg[0]));
	expect_u64(list.sg[0].dma_address, gpu + 0x80 + offset_of(rig));
	expect_list_carries(rig->s, rig->nvme, &list.table);
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
	expect_list_restored(&list);
	dmasim_assert_clean(rig->s);
}

static void two_steps_over_ram_and_a_far_peer(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K), nic = pci_resource_start(rig->nic, 0) + SZ_64K;
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, buf, 2 * SZ_64K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_64K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_link(dev, &st, nic, SZ_64K, SZ_64K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO));
	expect_ok(dma_iova_sync(dev, &st, 0, 2 * SZ_64K));
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_64K);
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_64K, nic, SZ_64K);
	dma_iova_unlink(dev, &st, SZ_64K, SZ_64K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	dma_iova_destroy(dev, &st, SZ_64K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* The page flow of the story: a bus address to unmap means nothing, and nothing happens. */
static void unmapping_a_bus_address_is_reported(void **state)
{
	struct rig *rig = *state;
	struct p2pdma_provider *provider = pcim_p2pdma_provider(rig->gpu, 0);
	dma_addr_t dma = pci_p2pdma_bus_addr_map(provider, pci_resource_start(rig->gpu, 0));

	dmasim_expect(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
	dma_unmap_page(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	expect_only(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
}

/* clang-format off */
#define ALL_WAYS(test)                                                               \
	{ #test "__vtd_lower", test, setup_vtd_lower, rig_teardown, NULL },          \
	{ #test "__vtd_upper", test, setup_vtd_upper, rig_teardown, NULL },          \
	{ #test "__without_iommu_lower", test, setup_direct_lower, rig_teardown, NULL }, \
	{ #test "__without_iommu_upper", test, setup_direct_upper, rig_teardown, NULL }
/* clang-format on */

TEST_MAIN(ALL_WAYS(addresses_differ_by_the_offset),
	  ALL_WAYS(the_bar_register_holds_the_bus_address), ALL_WAYS(the_cpu_reaches_bars_by_phys),
	  ALL_WAYS(a_peer_below_the_switch_is_reached_by_bus_address),
	  ALL_WAYS(peer_memory_of_the_pool_has_the_bus_address),
	  ALL_WAYS(a_peer_below_another_host_bridge_is_mapped_by_phys),
	  ALL_WAYS(ram_is_mapped_as_ever), ALL_WAYS(a_mixed_list),
	  WITH_SETUP(two_steps_over_ram_and_a_far_peer, setup_vtd_lower),
	  ALL_WAYS(unmapping_a_bus_address_is_reported))
