/* SPDX-License-Identifier: MIT */
/*
 * What stands in for registers that a dump is too short to show: the two extremes, which tell what
 * of a group can be known.
 */
#include "unit/api/groups.h"

static const struct dmasim_import isolating = { .assume = DMASIM_ASSUME_ISOLATION };

/* 64 bytes of each: root port with two functions below, and a switch. */
static void describe_64(struct dump *dump)
{
	static const char *const ends[] = { "01:00.0", "01:00.1", "04:00.0", "05:00.0", "00:1f.0" };

	dump_bridge(dump, "00:01.0", 1, 1);
	dump_bridge(dump, "00:02.0", 2, 5);
	dump_bridge(dump, "02:00.0", 3, 5);
	dump_bridge(dump, "03:00.0", 4, 4);
	dump_bridge(dump, "03:01.0", 5, 5);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		dump_device(dump, ends[i]);
	dump_multi(&dump->function[5]);
	/* They have capabilities, which are not shown. */
	for (u32 i = 0; i < dump->count; i++)
		dump_put(&dump->function[i], PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
}

static void with_nothing_assumed_64_bytes_are_conventional(void **state)
{
	struct dump *dump = *state;

	describe_64(dump);
	expect_ok(dump_import(dump, NULL));
	assert_int_equal(dump_dev(dump, "00:01.0")->express_type, -1);
	expect_groups(dump, "00:01.0 01:00.0 01:00.1 | "
			    "00:02.0 02:00.0 03:00.0 03:01.0 04:00.0 05:00.0 | 00:1f.0");
}

static void with_isolation_assumed_64_bytes_are_express(void **state)
{
	struct dump *dump = *state;

	describe_64(dump);
	expect_ok(dump_import(dump, &isolating));
	assert_int_equal(dump_dev(dump, "00:01.0")->express_type, PCI_EXP_TYPE_ROOT_PORT);
	assert_int_equal(dump_dev(dump, "03:01.0")->express_type, PCI_EXP_TYPE_DOWNSTREAM);
	assert_int_equal(dump_dev(dump, "05:00.0")->express_type, PCI_EXP_TYPE_ENDPOINT);
	assert_int_equal(dump_dev(dump, "00:1f.0")->express_type, PCI_EXP_TYPE_RC_END);
	expect_groups(dump, "00:01.0 | 01:00.0 | 01:00.1 | 00:02.0 | 02:00.0 | 03:00.0 | "
			    "03:01.0 | 04:00.0 | 05:00.0 | 00:1f.0");
	/* It is known no better for that. */
	assert_false(dmasim_acs_known(dump_dev(dump, "00:01.0")));
}

/* A function without capabilities has none in either machine. */
static void what_says_that_it_has_no_capabilities_has_none(void **state)
{
	struct dump *dump = *state;

	dump_multi(dump_device(dump, "00:04.0"));
	dump_device(dump, "00:04.1");
	expect_ok(dump_import(dump, &isolating));
	assert_int_equal(dump_dev(dump, "00:04.0")->express_type, -1);
	expect_groups(dump, "00:04.0 00:04.1");
}

static void of_256_bytes_only_acs_is_assumed(void **state)
{
	struct dump *dump = *state;

	dump_express(dump_bridge(dump, "00:01.0", 1, 2), PCI_EXP_TYPE_ROOT_PORT);
	dump_express(dump_bridge(dump, "01:00.0", 2, 2), PCI_EXP_TYPE_PCI_BRIDGE);
	dump_device(dump, "02:00.0")->bytes = PCI_CFG_SPACE_SIZE;
	expect_ok(dump_import(dump, &isolating));
	assert_true(dump_dev(dump, "00:01.0")->acs_cap);
	assert_int_equal(dump_dev(dump, "02:00.0")->express_type, -1);
	expect_groups(dump, "00:01.0 | 01:00.0 02:00.0");
}

/* All that was shown stays. */
static void what_is_known_is_not_changed(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 1, 0);
	dump_multi(dump_endpoint(dump, "01:00.0"));
	dump_extended(&dump->function[1], PCI_EXT_CAP_ID_ATS);
	dump_endpoint(dump, "01:00.1")->bytes = PCI_CFG_SPACE_EXP_SIZE;
	expect_ok(dump_import(dump, &isolating));
	assert_false(dump_dev(dump, "01:00.0")->acs_cap);
	assert_true(dmasim_acs_known(dump_dev(dump, "01:00.0")));
	expect_groups(dump, "00:01.0 01:00.0 01:00.1");
}

TEST_MAIN(DUMP_TEST(with_nothing_assumed_64_bytes_are_conventional),
	  DUMP_TEST(with_isolation_assumed_64_bytes_are_express),
	  DUMP_TEST(what_says_that_it_has_no_capabilities_has_none),
	  DUMP_TEST(of_256_bytes_only_acs_is_assumed), DUMP_TEST(what_is_known_is_not_changed))
