/* SPDX-License-Identifier: MIT */
/*
 * A machine of the shape that the benchmark imports, a smaller one: everybody is there, found by
 * address, reached by the CPU, and in a group.
 */
#include "support/big_machine.h"
#include "unit/api/dump.h"

static const struct big_machine small = { .host_bridges = 3, .root_ports = 2, .cards = 3 };

/* For each card: a downstream port, 8 functions, 8 virtual ones. */
#define FUNCTIONS (3 * (1 + 2 * (2 + 3 * (1 + 8 + 8))))

static void import_small(struct dump *dump)
{
	FILE *file = dump_open(dump);

	expect_u64(big_machine_write(&small, file), FUNCTIONS);
	fclose(file);
	expect_ok(dmasim_import_lspci(dump->s, dump->path, NULL, &dump->error));
	unlink(dump->path);
	assert_string_equal(dump->error.text, "");
}

static void everybody_is_found_by_address(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev = NULL;
	u32 count = 0, virtfns = 0;

	import_small(dump);
	while ((pdev = dmasim_next_dev(dump->s, pdev))) {
		assert_ptr_equal(dump_dev(dump, pci_name(pdev)), pdev);
		count++;
		virtfns += pdev->is_virtfn;
	}
	expect_u64(count, FUNCTIONS);
	expect_u64(virtfns, 3 * 2 * 3 * 8);
	assert_null(dmasim_pci_dev(dump->s, "0001:80:00.0"));
	assert_null(dmasim_pci_dev(dump->s, "0000:7f:00.0"));
	assert_null(dmasim_pci_dev(dump->s, "0000:04:02.0/"));
}

static void the_cpu_reaches_each_bar(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev = NULL;
	u32 bars = 0;

	import_small(dump);
	while ((pdev = dmasim_next_dev(dump->s, pdev))) {
		if (!pci_resource_len(pdev, 0))
			continue;
		assert_ptr_equal(dmasim_bar_at(dump->s, pci_resource_start(pdev, 0), NULL), pdev);
		bars++;
	}
	expect_u64(bars, 3 * 2 * 3 * 16);
}

/* The card's functions have no ACS: they share a group; each virtual function has its own. */
static void everybody_is_in_a_group(void **state)
{
	struct dump *dump = *state;

	import_small(dump);
	assert_int_equal(dmasim_group(dump_dev(dump, "0000:03:00.0")),
			 dmasim_group(dump_dev(dump, "0000:03:00.7")));
	assert_int_not_equal(dmasim_group(dump_dev(dump, "0000:03:00.0")),
			     dmasim_group(dump_dev(dump, "0000:03:02.0")));
	assert_int_not_equal(dmasim_group(dump_dev(dump, "0000:03:02.1")),
			     dmasim_group(dump_dev(dump, "0000:03:02.0")));
}

TEST_MAIN(DUMP_TEST(everybody_is_found_by_address), DUMP_TEST(the_cpu_reaches_each_bar),
	  DUMP_TEST(everybody_is_in_a_group))
