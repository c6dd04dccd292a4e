/* SPDX-License-Identifier: MIT */
/*
 * Peer memory: providers, pages that know them, and the pool that pci_alloc_p2pmem() takes from
 * (facts 8.1 to 8.4).
 */
#include "unit/api/machines.h"

static bool is_peer(struct rig *rig, phys_addr_t phys)
{
	struct page *page = dmasim_page(rig->s, phys);

	assert_non_null(page);
	return is_pci_p2pdma_page(page);
}

/* ---- Providers ------------------------------------------------------------------------------- */

static void each_memory_bar_has_a_provider_after_init(void **state)
{
	struct dmasim *s = dmasim_create(NULL);
	struct p2pdma_provider *provider;
	struct pci_dev *pdev;

	*state = s;
	pdev = dmasim_add_endpoint(
		s, "00:01.0/00.0",
		&(struct dmasim_endpoint){ .bar = { SZ_1M, 0, SZ_4K, 0, SZ_64K }, .bar_32 = 4 });
	expect_ok(pcim_p2pdma_init(pdev));
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		provider = pcim_p2pdma_provider(pdev, bar);
		if (bar % 2) {
			assert_null(provider);
			continue;
		}
		assert_non_null(provider);
		assert_ptr_equal(provider->owner, &pdev->dev);
		expect_u64(provider->bus_offset, 0);
		for (int other = 0; other < bar; other++)
			assert_true(pcim_p2pdma_provider(pdev, other) != provider);
	}
	dmasim_assert_clean(s);
}

static int destroy_machine(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

static void before_init_there_is_no_provider_and_a_report(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	assert_null(pcim_p2pdma_provider(rig->gpu, 0));
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

static void a_second_init_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct p2pdma_provider *provider;

	expect_ok(pcim_p2pdma_init(rig->gpu));
	provider = pcim_p2pdma_provider(rig->gpu, 0);
	expect_ok(pcim_p2pdma_init(rig->gpu));
	assert_ptr_equal(pcim_p2pdma_provider(rig->gpu, 0), provider);
	dmasim_assert_clean(rig->s);
}

static void no_memory_for_init_is_enomem(void **state)
{
	struct rig *rig = *state;

	dmasim_fail(rig->s, DMASIM_FAULT_P2P_PROVIDER, 1);
	expect_error(pcim_p2pdma_init(rig->gpu), -ENOMEM);
	dmasim_fail(rig->s, DMASIM_FAULT_P2P_PROVIDER, 1);
	expect_error(pci_p2pdma_add_resource(rig->gpu, 0, 0, 0), -ENOMEM);
	expect_ok(pcim_p2pdma_init(rig->gpu));
	assert_non_null(pcim_p2pdma_provider(rig->gpu, 0));
}

/* ---- Resources ------------------------------------------------------------------------------- */

static void add_resource_refuses_what_is_no_part_of_a_memory_bar(void **state)
{
	struct rig *rig = *state;
	u64 bytes = pci_resource_len(rig->nic, 0);

	expect_u64(bytes, SZ_1M);
	expect_error(pci_p2pdma_add_resource(rig->nic, 1, 0, 0), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 2, SZ_4K, 0), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, 0, bytes), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, SZ_4K, bytes), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, SZ_4K, bytes + SZ_4K), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, bytes + SZ_4K, 0), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, bytes, SZ_4K), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, -(size_t)SZ_4K, 2 * SZ_4K), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, SZ_4K, -(u64)SZ_4K), -EINVAL);
	assert_false(is_peer(rig, pci_resource_start(rig->nic, 0)));
	dmasim_assert_clean(rig->s);
}

/*
 *   bar    |----------------------------|
 *   added        [ppppppppp]               only these pages know the provider
 */
static void only_what_was_added_is_peer_memory(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, 3 * SZ_2M, SZ_2M - SZ_4K));
	assert_false(is_peer(rig, bar));
	assert_false(is_peer(rig, bar + SZ_2M - SZ_4K - 1));
	assert_true(is_peer(rig, bar + SZ_2M - SZ_4K));
	assert_true(is_peer(rig, bar + 2 * SZ_2M + 17));
	assert_true(is_peer(rig, bar + 4 * SZ_2M - SZ_4K - 1));
	assert_false(is_peer(rig, bar + 4 * SZ_2M - SZ_4K));
	assert_ptr_equal(dmasim_page(rig->s, bar + SZ_2M)->provider,
			 pcim_p2pdma_provider(rig->gpu, 0));
	assert_false(is_peer(rig, pci_resource_start(rig->nic, 0)));
}

static void size_0_is_the_rest_of_the_bar(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->nic, 0);

	expect_ok(pci_p2pdma_add_resource(rig->nic, 0, 0, SZ_64K));
	assert_false(is_peer(rig, bar + SZ_64K - 1));
	assert_true(is_peer(rig, bar + SZ_64K));
	assert_true(is_peer(rig, bar + SZ_1M - 1));
}

/* Pages are made when asked for: those made before learn of their provider, too. */
static void pages_touched_before_and_after_know_their_provider(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	struct page *before = dmasim_page(rig->s, bar);

	assert_false(is_pci_p2pdma_page(before));
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_64M, 0));
	assert_true(is_pci_p2pdma_page(before));
	assert_ptr_equal(dmasim_page(rig->s, bar), before);
	assert_true(is_peer(rig, bar + SZ_64M - 1));
	expect_u64(page_to_phys(dmasim_page(rig->s, bar + SZ_16M)), bar + SZ_16M);
}

static void two_resources_of_one_device(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_64K, 0));
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_64K, SZ_1M));
	assert_true(is_peer(rig, bar));
	assert_false(is_peer(rig, bar + SZ_64K));
	assert_true(is_peer(rig, bar + SZ_1M));
	/* The pool has both. */
	assert_non_null(pci_alloc_p2pmem(rig->gpu, SZ_64K));
	assert_non_null(pci_alloc_p2pmem(rig->gpu, SZ_64K));
	assert_null(pci_alloc_p2pmem(rig->gpu, SZ_4K));
}

/* ---- The state for runs of pages ------------------------------------------------------------- */

static void ordinary_memory_has_type_none_and_leaves_the_state_alone(void **state)
{
	struct rig *rig = *state;
	struct pci_p2pdma_map_state p2p = { .map = PCI_P2PDMA_MAP_BUS_ADDR };

	assert_int_equal(
		pci_p2pdma_state(&p2p, &rig->nvme->dev, dmasim_page(rig->s, ram(rig, SZ_4K))),
		PCI_P2PDMA_MAP_NONE);
	assert_null(p2p.mem);
	assert_int_equal(p2p.map, PCI_P2PDMA_MAP_BUS_ADDR);
	/* A BAR that nobody gave to peer-to-peer use is ordinary, too. */
	assert_int_equal(pci_p2pdma_state(&p2p, &rig->nvme->dev,
					  dmasim_page(rig->s, pci_resource_start(rig->gpu, 0))),
			 PCI_P2PDMA_MAP_NONE);
}

static void the_state_remembers_the_last_provider(void **state)
{
	struct rig *rig = *state;
	struct page *gpu = dmasim_page(rig->s, pci_resource_start(rig->gpu, 0));
	struct page *disk = dmasim_page(rig->s, pci_resource_start(rig->disk, 0));
	struct device *dev = &rig->nvme->dev;
	struct pci_p2pdma_map_state p2p = { 0 };

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	expect_ok(pci_p2pdma_add_resource(rig->disk, 0, 0, 0));
	assert_int_equal(pci_p2pdma_state(&p2p, dev, gpu), PCI_P2PDMA_MAP_BUS_ADDR);
	assert_ptr_equal(p2p.mem, pcim_p2pdma_provider(rig->gpu, 0));
	assert_int_equal(p2p.map, PCI_P2PDMA_MAP_BUS_ADDR);
	/* Facts 8.3: the same provider is answered from the state. */
	p2p.map = PCI_P2PDMA_MAP_NOT_SUPPORTED;
	assert_int_equal(pci_p2pdma_state(&p2p, dev, gpu), PCI_P2PDMA_MAP_NOT_SUPPORTED);
	/* Another provider is computed, and replaces it. */
	assert_int_equal(pci_p2pdma_state(&p2p, dev, disk), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	assert_ptr_equal(p2p.mem, pcim_p2pdma_provider(rig->disk, 0));
	assert_int_equal(pci_p2pdma_state(&p2p, dev, gpu), PCI_P2PDMA_MAP_BUS_ADDR);
}

/* ---- The pool -------------------------------------------------------------------------------- */

static void peer_memory_is_in_the_bar_and_has_both_addresses(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0), phys;
	void *memory;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, SZ_64K));
	memory = pci_alloc_p2pmem(rig->gpu, SZ_16K);
	assert_non_null(memory);
	phys = dmasim_virt_to_phys(rig->s, memory);
	assert_true(phys >= bar + SZ_64K);
	assert_true(phys + SZ_16K <= bar + SZ_64K + SZ_1M);
	expect_u64(phys & (SZ_16K - 1), 0);
	assert_ptr_equal(dmasim_ptr(rig->s, phys, SZ_16K), memory);
	expect_u64(pci_p2pmem_virt_to_bus(rig->gpu, memory),
		   phys - bar + pci_bus_address(rig->gpu, 0));
	expect_u64(dmasim_virt_to_phys(rig->s, (char *)memory + 5), phys + 5);
	expect_u64(pci_p2pmem_virt_to_bus(rig->gpu, (char *)memory + 5),
		   pci_p2pmem_virt_to_bus(rig->gpu, memory) + 5);
	pci_free_p2pmem(rig->gpu, memory, SZ_16K);
	dmasim_assert_clean(rig->s);
}

static void a_device_reads_and_writes_what_was_allocated(void **state)
{
	struct rig *rig = *state;
	u8 sent[SZ_16K], got[SZ_16K];
	u8 *memory;
	u64 bus;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	memory = pci_alloc_p2pmem(rig->gpu, sizeof(sent));
	assert_non_null(memory);
	bus = pci_p2pmem_virt_to_bus(rig->gpu, memory);
	fill_pattern(memory, sizeof(sent), 5);
	expect_done(dmasim_dev_read(rig->nvme, bus, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, memory, sizeof(got));
	fill_pattern(sent, sizeof(sent), 6);
	expect_done(dmasim_dev_write(rig->nvme, bus, sent, sizeof(sent)), sizeof(sent));
	assert_memory_equal(memory, sent, sizeof(sent));
	pci_free_p2pmem(rig->gpu, memory, sizeof(sent));
	dmasim_assert_clean(rig->s);
}

static void the_pool_gives_out_all_of_it_and_no_more(void **state)
{
	struct rig *rig = *state;
	void *memory[16];

	expect_ok(pci_p2pdma_add_resource(rig->nic, 0, SZ_64K, 0));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 16; i++) {
			memory[i] = pci_alloc_p2pmem(rig->nic, SZ_4K);
			assert_non_null(memory[i]);
			for (int k = 0; k < i; k++)
				assert_true(memory[k] != memory[i]);
		}
		assert_null(pci_alloc_p2pmem(rig->nic, SZ_4K));
		for (int i = 0; i < 16; i++)
			pci_free_p2pmem(rig->nic, memory[(i * 7) % 16], SZ_4K);
	}
	/* All of it in one piece again. */
	memory[0] = pci_alloc_p2pmem(rig->nic, SZ_64K);
	assert_non_null(memory[0]);
	pci_free_p2pmem(rig->nic, memory[0], SZ_64K);
	assert_null(pci_alloc_p2pmem(rig->nic, SZ_64K + SZ_4K));
	dmasim_assert_clean(rig->s);
}

/* Linux's general pool: whole pages, first fit. */
static void pieces_are_whole_pages_one_behind_the_other(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	u8 *first, *second, *third;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, 5 * SZ_4K, SZ_4K));
	first = pci_alloc_p2pmem(rig->gpu, SZ_4K);
	second = pci_alloc_p2pmem(rig->gpu, 3 * SZ_4K - 100);
	third = pci_alloc_p2pmem(rig->gpu, 1);
	expect_u64(dmasim_virt_to_phys(rig->s, first), bar + SZ_4K);
	expect_u64(dmasim_virt_to_phys(rig->s, second), bar + 2 * SZ_4K);
	expect_u64(dmasim_virt_to_phys(rig->s, third), bar + 5 * SZ_4K);
	assert_null(pci_alloc_p2pmem(rig->gpu, 1));
	pci_free_p2pmem(rig->gpu, second, 3 * SZ_4K - 100);
	assert_null(pci_alloc_p2pmem(rig->gpu, 4 * SZ_4K));
	second = pci_alloc_p2pmem(rig->gpu, 2 * SZ_4K);
	expect_u64(dmasim_virt_to_phys(rig->s, second), bar + 2 * SZ_4K);
	dmasim_assert_clean(rig->s);
}

static void pages_are_peer_memory_once(void **state)
{
	struct rig *rig = *state;

	expect_ok(pci_p2pdma_add_resource(rig->nic, 0, 3 * SZ_4K, SZ_4K));
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, 0, 0), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, SZ_4K, 3 * SZ_4K), -EINVAL);
	expect_error(pci_p2pdma_add_resource(rig->nic, 0, 2 * SZ_4K, 0), -EINVAL);
	expect_ok(pci_p2pdma_add_resource(rig->nic, 0, SZ_4K, 0));
	expect_ok(pci_p2pdma_add_resource(rig->nic, 0, 0, 4 * SZ_4K));
	dmasim_assert_clean(rig->s);
}

/* Linux would stop there: here it is told, and nothing is freed. */
static void a_wrong_free_is_reported(void **state)
{
	struct rig *rig = *state;
	u8 *memory;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 4);
	pci_free_p2pmem(rig->nic, &memory, SZ_4K);
	expect_ok(pci_p2pdma_add_resource(rig->nic, 0, 0, 0));
	memory = pci_alloc_p2pmem(rig->nic, SZ_64K);
	pci_free_p2pmem(rig->nic, memory + SZ_4K, SZ_64K);
	pci_free_p2pmem(rig->nic, memory, SZ_4K);
	pci_free_p2pmem(rig->nic, memory, SZ_64K);
	pci_free_p2pmem(rig->nic, memory, SZ_64K);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 4);
}

static void a_device_that_added_nothing_has_no_memory_to_give(void **state)
{
	struct rig *rig = *state;

	assert_null(pci_alloc_p2pmem(rig->nic, SZ_4K));
	expect_ok(pcim_p2pdma_init(rig->nic));
	assert_null(pci_alloc_p2pmem(rig->nic, SZ_4K));
	dmasim_assert_clean(rig->s);
}

static void no_memory_for_a_record_of_the_pool_gives_null(void **state)
{
	struct rig *rig = *state;
	void *memory;

	expect_ok(pci_p2pdma_add_resource(rig->nic, 0, 0, 0));
	memory = pci_alloc_p2pmem(rig->nic, SZ_4K);
	assert_non_null(memory);
	dmasim_fail(rig->s, DMASIM_FAULT_P2P_POOL, 1);
	assert_null(pci_alloc_p2pmem(rig->nic, SZ_4K));
	expect_u64(dmasim_failures(rig->s), 1);
	pci_free_p2pmem(rig->nic, memory, SZ_4K);
}

/* A pointer into a BAR outlives what is later allocated over it. */
static void a_pointer_into_a_bar_stays_where_it_is(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	u8 *early = dmasim_ptr(rig->s, bar + SZ_1M + 5, 16);
	u8 *memory;

	assert_non_null(early);
	*early = 0x5a;
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_64M, 0));
	memory = pci_alloc_p2pmem(rig->gpu, SZ_64M);
	assert_non_null(memory);
	expect_u64(dmasim_virt_to_phys(rig->s, memory), bar);
	assert_ptr_equal(memory + SZ_1M + 5, early);
	assert_ptr_equal(dmasim_ptr(rig->s, bar + SZ_1M + 5, 16), early);
	expect_u64(*early, 0x5a);
	pci_free_p2pmem(rig->gpu, memory, SZ_64M);
	/* The next 64 MiB are another piece. */
	assert_non_null(dmasim_ptr(rig->s, bar + SZ_64M - 8, 8));
	assert_null(dmasim_ptr(rig->s, bar + SZ_64M - 8, 9));
}

/* Small pieces before large ones: what the first has stays its own. */
static void pieces_of_all_sizes_keep_to_themselves(void **state)
{
	static const u64 bytes[] = { SZ_4K, SZ_1M + SZ_4K, SZ_4K, SZ_64K * 5, SZ_2M };
	struct rig *rig = *state;
	u8 *memory[5];

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_64M, 0));
	for (int i = 0; i < 5; i++) {
		memory[i] = pci_alloc_p2pmem(rig->gpu, bytes[i]);
		assert_non_null(memory[i]);
		fill_pattern(memory[i], bytes[i], (u64)i);
	}
	for (int i = 0; i < 5; i++) {
		u8 *expected = malloc(bytes[i]);

		fill_pattern(expected, bytes[i], (u64)i);
		assert_memory_equal(memory[i], expected, bytes[i]);
		free(expected);
		pci_free_p2pmem(rig->gpu, memory[i], bytes[i]);
	}
}

/* More than the host gives in one piece at first: as long as nobody was there before. */
static void pieces_across_64_mib_are_contiguous_if_nothing_of_them_was_touched(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	u8 *memory, *later;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, 8 * SZ_64M, 0));
	memory = pci_alloc_p2pmem(rig->gpu, SZ_64M + SZ_4K);
	assert_non_null(memory);
	memory[SZ_64M + SZ_4K - 1] = 1;
	assert_ptr_equal(dmasim_ptr(rig->s, bar + SZ_64M, 1), memory + SZ_64M);
	/* From there to the end of the second 64 MiB, and on into the third. */
	later = pci_alloc_p2pmem(rig->gpu, SZ_64M - SZ_4K);
	assert_ptr_equal(later, memory + SZ_64M + SZ_4K);
	pci_free_p2pmem(rig->gpu, later, SZ_64M - SZ_4K);
	assert_null(pci_alloc_p2pmem(rig->gpu, SZ_64M));
	pci_free_p2pmem(rig->gpu, memory, SZ_64M + SZ_4K);
}

TEST_MAIN(cmocka_unit_test_teardown(each_memory_bar_has_a_provider_after_init, destroy_machine),
	  BEHIND_VTD(before_init_there_is_no_provider_and_a_report),
	  BEHIND_VTD(a_second_init_changes_nothing), BEHIND_VTD(no_memory_for_init_is_enomem),
	  BEHIND_VTD(add_resource_refuses_what_is_no_part_of_a_memory_bar),
	  BEHIND_VTD(only_what_was_added_is_peer_memory), BEHIND_VTD(size_0_is_the_rest_of_the_bar),
	  BEHIND_VTD(pages_touched_before_and_after_know_their_provider),
	  BEHIND_VTD(two_resources_of_one_device),
	  BEHIND_VTD(ordinary_memory_has_type_none_and_leaves_the_state_alone),
	  WITH_SETUP(the_state_remembers_the_last_provider, rig_setup_acs_off),
	  BEHIND_VTD(peer_memory_is_in_the_bar_and_has_both_addresses),
	  WITH_SETUP(a_device_reads_and_writes_what_was_allocated, rig_setup_acs_off),
	  BEHIND_VTD(the_pool_gives_out_all_of_it_and_no_more),
	  BEHIND_VTD(pieces_are_whole_pages_one_behind_the_other),
	  BEHIND_VTD(a_pointer_into_a_bar_stays_where_it_is),
	  BEHIND_VTD(pieces_of_all_sizes_keep_to_themselves),
	  BEHIND_VTD(pieces_across_64_mib_are_contiguous_if_nothing_of_them_was_touched),
	  BEHIND_VTD(pages_are_peer_memory_once), BEHIND_VTD(a_wrong_free_is_reported),
	  BEHIND_VTD(a_device_that_added_nothing_has_no_memory_to_give),
	  BEHIND_VTD(no_memory_for_a_record_of_the_pool_gives_null))
