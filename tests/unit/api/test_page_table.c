/* SPDX-License-Identifier: MIT */
/*
 * Page tables that no IOMMU uses, as a program makes them.
 */
#include <errno.h>

#include <dmasim/page-table.h>

#include "unit/api/machines.h"

/* trust: each of our page-table formats has a name of its own | our reading of the facts */
static void each_format_is_found_by_its_name(void **state)
{
	const struct pgtable_ops *ops;
	u32 count = 0;

	(void)state;
	for (; (ops = dmasim_pgtable_at(count)); count++)
		assert_ptr_equal(dmasim_pgtable_by_name(ops->name), ops);
	assert_int_equal(count, 16);
	assert_null(dmasim_pgtable_by_name(""));
	assert_null(dmasim_pgtable_by_name("armv8_s1"));
	assert_null(dmasim_pgtable_by_name("riscv "));
}

/*
 * trust: a page table without an IOMMU is in the machine's memory, and gives it back
 *        | our reading of the facts
 */
static void a_table_lies_in_the_machines_memory(void **state)
{
	struct dmasim *s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG });
	const struct pgtable_ops *ops = dmasim_pgtable_by_name("vtdss");
	struct pgtable_config config = { .levels = 3, .pa_bits = 52, .coherent = true };
	struct iommu_iotlb_gather gather;
	struct pgtable pt;
	u64 mapped = 0;
	u8 word[8];

	(void)state;
	assert_non_null(s);
	config.host = dmasim_pgtable_host(s);
	assert_int_equal(ops->init(&pt, &config), 0);
	iommu_iotlb_gather_init(&gather);
	assert_int_equal(ops->map(&pt, 0, 0x1000, SZ_2M, IOMMU_READ, &gather, &mapped), 0);
	expect_u64(mapped, SZ_2M);
	expect_u64(dmasim_in_use(s, DMASIM_FAULT_TABLE_PAGE), 3);
	expect_u64(dmasim_read(s, pt.root, word, sizeof(word)), sizeof(word));
	assert_int_equal(word[0], 3);

	expect_u64(ops->unmap(&pt, 0, SZ_2M, &gather), SZ_2M);
	expect_u64(dmasim_in_use(s, DMASIM_FAULT_TABLE_PAGE), 3);
	dmasim_pgtable_release(s, &gather);
	assert_true(iommu_iotlb_gather_empty(&gather) && !gather.freelist);
	expect_u64(dmasim_in_use(s, DMASIM_FAULT_TABLE_PAGE), 2);
	expect_u64(dmasim_costs(s).tables_freed, 1);
	ops->fini(&pt);
	expect_u64(dmasim_destroy(s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_is_found_by_its_name),
		cmocka_unit_test(a_table_lies_in_the_machines_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
