/* SPDX-License-Identifier: MIT */
/*
 * Contracts: what a program owes dmasim. Each case here breaks one; the program's own
 * dmasim_contract_failed() is called instead of the message and the abort, and jumps out.
 */
#include "unit/api/broken.h"
#include "unit/api/machines.h"

static int setup(void **state)
{
	*state = dmasim_create(NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

static struct dmasim_endpoint *with_bar(struct dmasim_endpoint *endpoint, int index, u64 bytes)
{
	*endpoint = (struct dmasim_endpoint){ 0 };
	endpoint->bar[index] = bytes;
	return endpoint;
}

/* ---- The macro itself ------------------------------------------------------------------------ */

static void what_is_kept_is_no_contract_broken(void **state)
{
	(void)state;
	broken()->what = NULL;
	broken()->armed = true;
	if (!setjmp(broken()->jump))
		DMASIM_CONTRACT(1 + 1 == 2, "sums are right");
	broken()->armed = false;
	assert_null(broken()->what);
}

static void a_broken_contract_says_what_and_where(void **state)
{
	int line;

	(void)state;
	line = __LINE__ + 1;
	expect_broken(DMASIM_CONTRACT(false, "the words of the contract"));
	assert_string_equal(broken()->what, "the words of the contract");
	assert_string_equal(broken()->file, __FILE__);
	assert_int_equal(broken()->line, line);
}

/* ---- Machines -------------------------------------------------------------------------------- */

static void a_table_of_iova_functions_is_whole(void **state)
{
	const struct iova_allocator_ops *whole = dmasim_iova_linux();
	struct iova_allocator_ops ops = *whole;
	struct dmasim_config config = { DMASIM_CONFIG, .iova_ops = &ops };

	(void)state;
	ops.size--;
	expect_broken(dmasim_create(&config));
	ops = *whole;
	ops.reserve = NULL;
	expect_broken(dmasim_create(&config));
	ops = *whole;
	ops.next = NULL;
	expect_u64(dmasim_destroy(dmasim_create(&config)), 0);
}

static void a_configuration_begins_with_its_size(void **state)
{
	struct dmasim_config config = { 0 };

	(void)state;
	expect_broken(dmasim_create(&config));
	config.size = sizeof(config) + 1;
	expect_broken(dmasim_create(&config));
	config.size = 1;
	expect_broken(dmasim_create(&config));
}

static void values_outside_their_enumeration_are_refused(void **state)
{
	struct dmasim_config iommu = { DMASIM_CONFIG, .iommu = (enum dmasim_iommu)7 };
	struct dmasim_config cpu = { DMASIM_CONFIG, .cpu = (enum dmasim_cpu)7 };
	struct dmasim_config acs = { DMASIM_CONFIG, .acs = (enum dmasim_acs)7 };
	struct dmasim_config groups = { DMASIM_CONFIG,
					.group_policy = (enum dmasim_group_policy)2 };

	(void)state;
	expect_broken(dmasim_create(&groups));
	expect_broken(dmasim_create(&iommu));
	expect_broken(dmasim_create(&cpu));
	expect_broken(dmasim_create(&acs));
}

static void expect_no_lists(const char *disable_acs_redir, const char *config_acs)
{
	struct dmasim_config config = { DMASIM_CONFIG, .disable_acs_redir = disable_acs_redir,
					.config_acs = config_acs };

	expect_broken(dmasim_create(&config));
}

static void lists_of_acs_that_are_malformed_are_refused(void **state)
{
	static const char *const devices[] = { "",	     "02:01",	      "02:01.8",
					       "02:20.0",    "02:01.0;",      ";02:01.0",
					       "02:01.0,00", "1003f:02:01.0", "02:01.0/",
					       "100:00.0",   "pci:8086:1234", "010000:02:01.0" };
	static const char *const bits[] = { "02:01.0",		"@02:01.0", "2@02:01.0",
					    "00000000@02:01.0", "1@",	    "1@02:01.0;" };

	(void)state;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		expect_no_lists(devices[i], NULL);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		expect_no_lists(NULL, bits[i]);
}

/* 52 bits of physical address are all that an entry holds. */
static void more_ram_than_addresses_is_refused(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG, .ram_bytes = 1ULL << 60 };

	(void)state;
	expect_broken(dmasim_create(&config));
}

static void a_null_machine_is_refused(void **state)
{
	struct dmasim_endpoint endpoint;
	struct dmasim_fault_record fault;
	struct dmasim_report report;
	u8 byte = 0;

	(void)state;
	expect_broken(dmasim_seed(NULL));
	expect_broken(dmasim_random(NULL, 1));
	expect_broken(dmasim_alloc(NULL, SZ_4K));
	expect_broken(dmasim_free(NULL, SZ_1M, SZ_4K));
	expect_broken(dmasim_ptr(NULL, 0, 1));
	expect_broken(dmasim_virt_to_phys(NULL, &byte));
	expect_broken(dmasim_adopt(NULL, &byte, 1));
	expect_broken(dmasim_unadopt(NULL, 0));
	expect_broken(dmasim_page(NULL, 0));
	expect_broken(dmasim_read(NULL, 0, &byte, 1));
	expect_broken(dmasim_write(NULL, 0, &byte, 1));
	expect_broken(dmasim_run(NULL, 1));
	expect_broken(dmasim_now(NULL));
	expect_broken(dmasim_costs(NULL));
	expect_broken(dmasim_trace_hash(NULL));
	expect_broken(dmasim_fail(NULL, DMASIM_FAULT_OS, 1));
	expect_broken(dmasim_failures(NULL));
	expect_broken(dmasim_in_use(NULL, DMASIM_FAULT_OS));
	expect_broken(dmasim_add_endpoint(NULL, "00:01.0/00.0", with_bar(&endpoint, 0, SZ_4K)));
	expect_broken(dmasim_pci_dev(NULL, "00:00.0"));
	expect_broken(dmasim_next_dev(NULL, NULL));
	expect_broken(dmasim_report_count(NULL));
	expect_broken(dmasim_report_get(NULL, 0, &report));
	expect_broken(dmasim_expect(NULL, DMASIM_REPORT_IOMMU_FAULT, 1));
	expect_broken(dmasim_check_clean(NULL, NULL, 0));
	expect_broken(dmasim_fault_take(NULL, &fault));
	expect_broken(dmasim_dev_read(NULL, 0, &byte, 1));
}

/* dmasim_destroy() is the one that takes NULL. */
static void destroying_null_is_nothing(void **state)
{
	(void)state;
	expect_u64(dmasim_destroy(NULL), 0);
}

static void random_numbers_have_a_bound(void **state)
{
	expect_broken(dmasim_random(*state, 0));
}

static void a_trace_hash_needs_a_trace(void **state)
{
	expect_broken(dmasim_trace_hash(*state));
}

static void counting_points_must_be_asked_for(void **state)
{
	expect_broken(dmasim_point_passes(*state, DMASIM_POINT_LOCK));
}

static void fault_points_exist(void **state)
{
	enum dmasim_fault_point none = (enum dmasim_fault_point)(DMASIM_FAULT_COUNT + 1);

	expect_broken(dmasim_fail(*state, none, 1));
	expect_broken(dmasim_fault_passes(*state, none));
	expect_broken(dmasim_in_use(*state, none));
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void allocations_have_a_size(void **state)
{
	expect_broken(dmasim_alloc(*state, 0));
}

static void memory_is_freed_as_it_was_allocated(void **state)
{
	phys_addr_t phys = dmasim_alloc(*state, SZ_64K);

	expect_broken(dmasim_free(*state, phys, SZ_4K));
	expect_broken(dmasim_free(*state, phys + SZ_4K, SZ_4K));
	expect_broken(dmasim_free(*state, phys + SZ_1M, SZ_64K));
	dmasim_free(*state, phys, SZ_64K);
	expect_broken(dmasim_free(*state, phys, SZ_64K));
}

static void adopted_memory_is_somewhere_and_has_a_size(void **state)
{
	u8 byte = 0;

	expect_broken(dmasim_adopt(*state, NULL, SZ_4K));
	expect_broken(dmasim_adopt(*state, &byte, 0));
}

static void adopted_memory_does_not_wrap(void **state)
{
	u8 byte = 0;

	expect_broken(dmasim_adopt(*state, &byte, ~0ULL));
}

static void only_adopted_memory_is_given_back(void **state)
{
	static u8 memory[64];
	phys_addr_t phys = dmasim_adopt(*state, memory, sizeof(memory));

	expect_broken(dmasim_unadopt(*state, SZ_1M));
	dmasim_unadopt(*state, phys);
	expect_broken(dmasim_unadopt(*state, phys));
}

/* ---- The tree -------------------------------------------------------------------------------- */

static void expect_no_path(struct dmasim *s, const char *path)
{
	expect_broken(dmasim_add_endpoint(s, path, &(struct dmasim_endpoint){ 0 }));
	expect_broken(dmasim_add_bridge(s, path, &(struct dmasim_bridge){ 0 }));
}

static void a_path_is_well_formed(void **state)
{
	static const char *const paths[] = {
		"",
		"00",
		"00:",
		"00:01",
		"00:01.",
		"00:01.8",
		"00:20.0",
		"0:01.0",
		"000:01.0",
		"00:1.0",
		"00:001.0",
		"00:01.00",
		"00:01.0/",
		"/00:01.0",
		"00:01.0//00.0",
		"00:01.0/0.0",
		"00:01.0/00.0/",
		"00:01.0/00.0 ",
		" 00:01.0",
		"00000:00:01.0",
		"000:00:01.0",
		"0000:0000:00:01.0",
		"gg:01.0",
		"00:0g.0",
		"00-01.0",
		"00:01:0",
		"0x00:01.0",
		"00:00.0",
		"00:00.0/00.0",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect_no_path(*state, paths[i]);
	assert_null(dmasim_next_dev(*state, NULL));
}

static void a_path_leads_through_bridges_to_a_free_place(void **state)
{
	struct dmasim_endpoint endpoint;

	with_bar(&endpoint, 0, SZ_4K);
	assert_non_null(dmasim_add_endpoint(*state, "00:01.0/00.0/00.0/00.0", &endpoint));
	/* The same place; a port on the way to it; and through the endpoint. */
	expect_broken(dmasim_add_endpoint(*state, "00:01.0/00.0/00.0/00.0", &endpoint));
	expect_broken(dmasim_add_endpoint(*state, "0000:00:01.0/00.0/00.0/00.0", &endpoint));
	expect_broken(dmasim_add_endpoint(*state, "00:01.0/00.0", &endpoint));
	expect_broken(dmasim_add_bridge(*state, "00:01.0", &(struct dmasim_bridge){ 0 }));
	expect_broken(dmasim_add_endpoint(*state, "00:01.0/00.0/00.0/00.0/00.0/00.0", &endpoint));
	/* Nothing of that was added. */
	assert_non_null(dmasim_add_endpoint(*state, "00:01.0/00.0/01.0/00.0", &endpoint));
}

static void a_root_bus_is_added_once(void **state)
{
	struct dmasim_host_bridge bridge = { .bus = 0x20 };

	expect_ok(dmasim_add_host_bridge(*state, &bridge));
	expect_broken(dmasim_add_host_bridge(*state, &bridge));
	bridge.segment = 1;
	expect_ok(dmasim_add_host_bridge(*state, &bridge));
}

static void bar_sizes_are_powers_of_two_that_a_bar_can_have(void **state)
{
	struct dmasim_endpoint endpoint;

	expect_broken(dmasim_add_endpoint(*state, "00:01.0", with_bar(&endpoint, 0, 8)));
	expect_broken(dmasim_add_endpoint(*state, "00:01.0", with_bar(&endpoint, 0, 100)));
	expect_broken(dmasim_add_endpoint(*state, "00:01.0", with_bar(&endpoint, 0, SZ_4K + 16)));
	/* BAR 5 has no register behind it for the upper half of an address. */
	expect_broken(dmasim_add_endpoint(*state, "00:01.0", with_bar(&endpoint, 5, 2ULL * SZ_1G)));
	with_bar(&endpoint, 0, 2ULL * SZ_1G);
	endpoint.bar[1] = SZ_4K;
	expect_broken(dmasim_add_endpoint(*state, "00:01.0", &endpoint));
	with_bar(&endpoint, 0, 2ULL * SZ_1G);
	endpoint.bar_32 = 1;
	expect_broken(dmasim_add_endpoint(*state, "00:01.0", &endpoint));
	assert_non_null(dmasim_add_endpoint(*state, "00:01.0", with_bar(&endpoint, 5, SZ_1G)));
}

/* False: it broke a contract. */
static bool add_1G_below_4G(struct dmasim *s, const char *path)
{
	struct dmasim_endpoint endpoint;

	broken()->armed = true;
	if (setjmp(broken()->jump))
		return false;
	assert_non_null(dmasim_add_endpoint(s, path, with_bar(&endpoint, 5, SZ_1G)));
	broken()->armed = false;
	return true;
}

/* RAM ends at 1 GiB, so there is less than 3 GiB below 4 GiB. */
static void more_32_bit_space_than_there_is_is_refused(void **state)
{
	static const char *const paths[] = { "00:01.0", "00:02.0", "00:03.0" };
	int added = 0;

	while (added < 3 && add_1G_below_4G(*state, paths[added]))
		added++;
	assert_true(added >= 1);
	assert_true(added <= 2);
}

static void a_bar_beyond_all_addresses_is_refused(void **state)
{
	struct dmasim_endpoint endpoint;

	expect_broken(dmasim_add_endpoint(*state, "00:01.0", with_bar(&endpoint, 0, 1ULL << 62)));
}

/* 256 buses in a segment: the root bus, and three for each switch with one device below it. */
static void more_buses_than_there_are_is_refused(void **state)
{
	struct dmasim_endpoint endpoint;
	char path[32];

	with_bar(&endpoint, 0, SZ_4K);
	for (int i = 0; i < 85; i++) {
		snprintf(path, sizeof(path), "00:%02x.%d/00.0/00.0/00.0", 1 + i % 31, i / 31);
		assert_non_null(dmasim_add_endpoint(*state, path, &endpoint));
	}
	expect_broken(dmasim_add_endpoint(*state, "00:1f.7/00.0/00.0/00.0", &endpoint));
}

static void a_direct_region_is_page_aligned(void **state)
{
	expect_broken(dmasim_add_direct_region(*state, NULL, SZ_16M + 5, SZ_4K));
	expect_broken(dmasim_add_direct_region(*state, NULL, SZ_16M, 0));
}

static void hardware_is_added_before_the_machine_starts(void **state)
{
	struct dmasim_endpoint endpoint;
	struct pci_dev *pdev;
	dma_addr_t dma;

	pdev = dmasim_add_endpoint(*state, "00:01.0/00.0", with_bar(&endpoint, 0, SZ_4K));
	dma = dma_map_phys(&pdev->dev, dmasim_alloc(*state, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	expect_broken(dmasim_add_endpoint(*state, "00:02.0/00.0", &endpoint));
	expect_broken(dmasim_add_bridge(*state, "00:02.0", &(struct dmasim_bridge){ 0 }));
	expect_broken(dmasim_add_host_bridge(*state, &(struct dmasim_host_bridge){ .bus = 9 }));
	expect_broken(dmasim_add_direct_region(*state, pdev, SZ_16M, SZ_4K));
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

/* The BAR of a provider must not move any more, nor may a client's bus number change. */
static void hardware_is_added_before_peer_memory(void **state)
{
	struct dmasim_endpoint endpoint;
	struct pci_dev *pdev =
		dmasim_add_endpoint(*state, "00:02.0/00.0", with_bar(&endpoint, 0, SZ_1M));

	expect_ok(pcim_p2pdma_init(pdev));
	expect_broken(dmasim_add_endpoint(*state, "00:01.0/00.0", &endpoint));
}

/* ---- Peer memory and reports ----------------------------------------------------------------- */

static void only_reports_that_exist_are_expected(void **state)
{
	expect_broken(dmasim_expect(*state, (enum dmasim_report_id)0, 1));
	expect_broken(dmasim_expect(*state, (enum dmasim_report_id)7, 1));
	expect_broken(dmasim_expect(*state, (enum dmasim_report_id)9999, 1));
	expect_broken(dmasim_suppress(*state, (enum dmasim_report_id)7));
}

/* ---- CPUs at once ---------------------------------------------------------------------------- */

static void nothing(struct dmasim *s, void *context)
{
	(void)s;
	(void)context;
}

static void each_task_has_a_cpu(void **state)
{
	struct dmasim *s = *state;
	const struct dmasim_schedule how = { 0 };
	struct dmasim_task task[9];

	for (u32 i = 0; i < 9; i++)
		task[i] = (struct dmasim_task){ nothing, NULL };
	expect_broken(dmasim_run_cpus(NULL, task, 1, &how));
	expect_broken(dmasim_run_cpus(s, NULL, 1, &how));
	expect_broken(dmasim_run_cpus(s, task, 0, &how));
	expect_broken(dmasim_run_cpus(s, task, 9, &how));
	/* The machine has four. */
	expect_broken(dmasim_run_cpus(s, task, 5, &how));
	expect_broken(dmasim_run_cpus(s, task, 1, NULL));
	expect_ok(dmasim_run_cpus(s, task, 4, &how));
	expect_broken(dmasim_choices(NULL));
	expect_broken(dmasim_explorer_next(NULL));
	expect_broken(dmasim_explorer_runs(NULL));
	expect_broken(dmasim_explorer_complete(NULL));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(TEST(what_is_kept_is_no_contract_broken), TEST(a_broken_contract_says_what_and_where),
	  TEST(a_table_of_iova_functions_is_whole), TEST(a_configuration_begins_with_its_size),
	  TEST(values_outside_their_enumeration_are_refused),
	  TEST(lists_of_acs_that_are_malformed_are_refused),
	  TEST(more_ram_than_addresses_is_refused), TEST(a_null_machine_is_refused),
	  TEST(destroying_null_is_nothing), TEST(random_numbers_have_a_bound),
	  TEST(a_trace_hash_needs_a_trace), TEST(counting_points_must_be_asked_for),
	  TEST(fault_points_exist), TEST(allocations_have_a_size),
	  TEST(memory_is_freed_as_it_was_allocated),
	  TEST(adopted_memory_is_somewhere_and_has_a_size), TEST(adopted_memory_does_not_wrap),
	  TEST(only_adopted_memory_is_given_back), TEST(a_path_is_well_formed),
	  TEST(a_path_leads_through_bridges_to_a_free_place), TEST(a_root_bus_is_added_once),
	  TEST(bar_sizes_are_powers_of_two_that_a_bar_can_have),
	  TEST(more_32_bit_space_than_there_is_is_refused),
	  TEST(a_bar_beyond_all_addresses_is_refused), TEST(more_buses_than_there_are_is_refused),
	  TEST(a_direct_region_is_page_aligned), TEST(hardware_is_added_before_the_machine_starts),
	  TEST(hardware_is_added_before_peer_memory), TEST(only_reports_that_exist_are_expected),
	  TEST(each_task_has_a_cpu))
