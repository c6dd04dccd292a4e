/* SPDX-License-Identifier: MIT */
/*
 * RAM of a machine: allocating, host pointers, and what the CPU reads and writes.
 */
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

static void ram_is_1_GiB_at_0_and_the_rest_from_4_GiB_up(void **state)
{
	phys_addr_t start;
	u64 bytes;

	assert_true(dmasim_ram(*state, 0, &start, &bytes));
	expect_u64(start, 0);
	expect_u64(bytes, SZ_1G);
	assert_true(dmasim_ram(*state, 1, &start, &bytes));
	expect_u64(start, SZ_4G);
	expect_u64(bytes, 15ULL * SZ_1G);
	assert_false(dmasim_ram(*state, 2, &start, &bytes));
}

static void a_small_ram_is_all_at_0(void **state)
{
	struct dmasim *s =
		dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .ram_bytes = SZ_64M });
	phys_addr_t start = 1;
	u64 bytes = 0;

	(void)state;
	assert_true(dmasim_ram(s, 0, &start, &bytes));
	assert_false(dmasim_ram(s, 1, &start, &bytes));
	dmasim_destroy(s);
	expect_u64(start, 0);
	expect_u64(bytes, SZ_64M);
}

static void allocations_are_aligned_zeroed_and_apart(void **state)
{
	static const u64 sizes[] = { 1, SZ_4K, SZ_4K + 1, 3 * SZ_4K, SZ_64K, SZ_2M, 5 * SZ_1M };
	phys_addr_t start[7];

	for (int i = 0; i < 7; i++) {
		u64 aligned = SZ_4K;
		const u8 *host;

		while (aligned < sizes[i])
			aligned *= 2;
		start[i] = dmasim_alloc(*state, sizes[i]);
		assert_true(start[i] != DMASIM_NO_PHYS);
		expect_u64(start[i] & (aligned - 1), 0);
		host = dmasim_ptr(*state, start[i], sizes[i]);
		assert_non_null(host);
		for (u64 at = 0; at < sizes[i]; at++)
			assert_int_equal(host[at], 0);
		for (int k = 0; k < i; k++)
			assert_true(start[i] + sizes[i] <= start[k] ||
				    start[k] + sizes[k] <= start[i]);
	}
	for (int i = 0; i < 7; i++)
		dmasim_free(*state, start[i], sizes[i]);
}

static void freed_memory_comes_back_zeroed(void **state)
{
	phys_addr_t first = dmasim_alloc(*state, SZ_64K);

	memset(dmasim_ptr(*state, first, SZ_64K), 0xff, SZ_64K);
	dmasim_free(*state, first, SZ_64K);
	for (int i = 0; i < 4; i++) {
		phys_addr_t again = dmasim_alloc(*state, SZ_64K);
		static const u8 zeros[SZ_64K];

		expect_bytes_at(*state, again, zeros, SZ_64K);
	}
}

static void up_to_64_MiB_is_contiguous_on_the_host(void **state)
{
	phys_addr_t phys = dmasim_alloc(*state, SZ_64M);
	u8 *host = dmasim_ptr(*state, phys, SZ_64M);

	assert_non_null(host);
	expect_u64(phys & (SZ_64M - 1), 0);
	host[0] = 1;
	host[SZ_64M - 1] = 2;
	expect_bytes_at(*state, phys, &(u8){ 1 }, 1);
	expect_bytes_at(*state, phys + SZ_64M - 1, &(u8){ 2 }, 1);
	assert_ptr_equal(dmasim_ptr(*state, phys + SZ_1M, 1), host + SZ_1M);
	expect_u64(dmasim_virt_to_phys(*state, host + SZ_1M + 3), phys + SZ_1M + 3);
	dmasim_free(*state, phys, SZ_64M);
}

static void ram_runs_out(void **state)
{
	struct dmasim *s =
		dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .ram_bytes = SZ_16M });
	phys_addr_t phys[16];
	int count = 0;

	*state = s;
	while (count < 16) {
		phys[count] = dmasim_alloc(s, SZ_1M);
		if (phys[count] == DMASIM_NO_PHYS)
			break;
		assert_true(phys[count] + SZ_1M <= SZ_16M);
		count++;
	}
	assert_true(count >= 14);
	assert_true(count < 16);
	expect_u64(dmasim_alloc(s, SZ_1M), DMASIM_NO_PHYS);
	expect_u64(dmasim_alloc(s, SZ_1G), DMASIM_NO_PHYS);
	dmasim_free(s, phys[3], SZ_1M);
	expect_u64(dmasim_alloc(s, SZ_1M), phys[3]);
}

static void an_allocation_fails_on_purpose(void **state)
{
	dmasim_fail(*state, DMASIM_FAULT_FRAMES, 2);
	assert_true(dmasim_alloc(*state, SZ_4K) != DMASIM_NO_PHYS);
	expect_u64(dmasim_alloc(*state, SZ_4K), DMASIM_NO_PHYS);
	expect_u64(dmasim_failures(*state), 1);
	assert_true(dmasim_alloc(*state, SZ_4K) != DMASIM_NO_PHYS);
}

static void the_cpu_copies_across_pages_and_chunks(void **state)
{
	static u8 sent[SZ_2M], got[SZ_2M];
	phys_addr_t at = SZ_4G + SZ_64M - SZ_1M - 7;

	fill_pattern(sent, sizeof(sent), 1);
	expect_u64(dmasim_write(*state, at, sent, sizeof(sent)), sizeof(sent));
	expect_u64(dmasim_read(*state, at, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, sent, sizeof(sent));
}

/*
 * Nothing lies between 1 GiB and 4 GiB but the windows of a host bridge, and here there are none.
 */
static void a_copy_stops_where_nothing_is(void **state)
{
	u8 bytes[64] = { 1, 2, 3, 4, 5, 6 };

	expect_u64(dmasim_write(*state, SZ_1G - 5, bytes, sizeof(bytes)), 5);
	expect_u64(dmasim_read(*state, SZ_1G - 5, bytes, sizeof(bytes)), 5);
	expect_u64(dmasim_read(*state, SZ_1G, bytes, 1), 0);
	expect_u64(dmasim_write(*state, SZ_4G - 1, bytes, 2), 0);
	expect_u64(dmasim_read(*state, ~0ULL, bytes, 1), 0);
	expect_u64(dmasim_read(*state, ~0ULL - 3, bytes, 64), 0);
	expect_u64(dmasim_read(*state, 0, bytes, 0), 0);
}

static void pointers_are_for_memory_only(void **state)
{
	u8 byte;

	assert_null(dmasim_ptr(*state, SZ_1G, 1));
	assert_null(dmasim_ptr(*state, SZ_1G - 1, 2));
	assert_null(dmasim_ptr(*state, ~0ULL, 1));
	expect_u64(dmasim_virt_to_phys(*state, &byte), DMASIM_NO_PHYS);
	expect_u64(dmasim_virt_to_phys(*state, NULL), DMASIM_NO_PHYS);
}

static void untouched_ram_reads_as_zeros(void **state)
{
	u8 bytes[64];
	static const u8 zeros[64];

	memset(bytes, 1, sizeof(bytes));
	expect_u64(dmasim_read(*state, 10ULL * SZ_1G, bytes, sizeof(bytes)), sizeof(bytes));
	assert_memory_equal(bytes, zeros, sizeof(bytes));
}

static void a_bar_is_memory_too(void **state)
{
	struct pci_dev *pdev = dmasim_add_endpoint(*state, "00:01.0/00.0",
						   &(struct dmasim_endpoint){ .bar = { SZ_64K } });
	phys_addr_t bar = pci_resource_start(pdev, 0);
	u8 *host = dmasim_ptr(*state, bar + 0x100, SZ_4K);
	u8 sent[SZ_4K];

	assert_non_null(host);
	fill_pattern(sent, sizeof(sent), 9);
	expect_u64(dmasim_write(*state, bar + 0x100, sent, sizeof(sent)), sizeof(sent));
	assert_memory_equal(host, sent, sizeof(sent));
	expect_u64(dmasim_virt_to_phys(*state, host + 5), bar + 0x105);
	/* It ends where it ends. */
	expect_u64(dmasim_write(*state, bar + SZ_64K - 3, sent, 8), 3);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(TEST(ram_is_1_GiB_at_0_and_the_rest_from_4_GiB_up),
	  cmocka_unit_test_teardown(a_small_ram_is_all_at_0, teardown),
	  TEST(allocations_are_aligned_zeroed_and_apart), TEST(freed_memory_comes_back_zeroed),
	  TEST(up_to_64_MiB_is_contiguous_on_the_host),
	  cmocka_unit_test_teardown(ram_runs_out, teardown), TEST(an_allocation_fails_on_purpose),
	  TEST(the_cpu_copies_across_pages_and_chunks), TEST(a_copy_stops_where_nothing_is),
	  TEST(pointers_are_for_memory_only), TEST(untouched_ram_reads_as_zeros),
	  TEST(a_bar_is_memory_too))
