/* SPDX-License-Identifier: MIT */
/*
 * Tables of ids (facts "dma-api" 19): functions that isolate, or do not, because of what they are;
 * and those that send under another number.
 */
#include "unit/api/groups.h"

#define RC_END	 PCI_EXP_TYPE_RC_END
#define ROOT	 PCI_EXP_TYPE_ROOT_PORT
#define DOWN	 PCI_EXP_TYPE_DOWNSTREAM
#define ENDPOINT PCI_EXP_TYPE_ENDPOINT
#define NOT_PCIE (-1)

/* A function of several in slot 00:04 with no ACS, unless `acs` is a control word. */
struct subject {
	u32 vendor;
	u32 device;
	int type;
	int acs;   /* -1: no capability */
	char rule; /* 0: no rule applies */
	bool isolates;
};

#define NO_ACS (-1)

static void describe(struct dump *dump, const struct subject *subject)
{
	struct dump_function *first;

	dump_device(dump, "00:00.0");
	first = subject->type == ROOT || subject->type == DOWN ? dump_bridge(dump, "00:04.0", 1, 1)
							       : dump_device(dump, "00:04.0");
	dump_multi(dump_id(first, subject->vendor, subject->device));
	if (subject->type != NOT_PCIE)
		dump_express(first, (u32)subject->type);
	if (subject->acs != NO_ACS)
		dump_acs(first, ACS_ALL, (u32)subject->acs);
	dump_device(dump, "00:04.1");
}

static void expect_subject(void **state, const struct subject *subject, enum dmasim_iommu iommu)
{
	struct dmasim_config config = { DMASIM_CONFIG, .iommu = iommu };
	struct dmasim_isolation isolation;
	struct dump *dump;
	struct pci_dev *pdev;

	expect_ok(dump_setup_config(state, &config));
	dump = *state;
	describe(dump, subject);
	expect_ok(dump_import(dump, NULL));
	pdev = dump_dev(dump, "00:04.0");
	assert_true(dmasim_group(pdev) >= 0);
	isolation = dmasim_isolation(pdev);
	if (isolation.isolates != subject->isolates || isolation.rule != subject->rule)
		print_error("%04x:%04x: isolates %d by rule %c\n", subject->vendor, subject->device,
			    isolation.isolates, isolation.rule ? isolation.rule : '-');
	assert_int_equal(isolation.isolates, subject->isolates);
	assert_int_equal(isolation.rule, subject->rule);
	assert_int_equal(isolation.by == DMASIM_ISOLATION_QUIRK, subject->rule != 0);
	/* The other function has nothing: the two are together unless this one isolates. */
	assert_int_equal(dmasim_group(pdev) != dmasim_group(dump_dev(dump, "00:04.1")),
			 subject->isolates);
	expect_ok(dump_teardown(state));
}

#define EXPECT_ALL(subjects, iommu)                                               \
	do {                                                                      \
		for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) \
			expect_subject(state, &(subjects)[i], iommu);             \
	} while (0)

/* trust: rule A: southbridges, on machines of AMD's | our reading of the facts */
static void rule_a_southbridges(void **state)
{
	static const struct subject subjects[] = {
		{ 0x1002, 0x4385, NOT_PCIE, NO_ACS, 'A', true },
		{ 0x1002, 0x4399, NOT_PCIE, NO_ACS, 'A', true },
		{ 0x1022, 0x780f, NOT_PCIE, NO_ACS, 'A', true },
		{ 0x1022, 0x7809, NOT_PCIE, NO_ACS, 'A', true },
		{ 0x1022, 0x790b, NOT_PCIE, NO_ACS, 0, false },
	};
	static const struct subject elsewhere[] = {
		{ 0x1002, 0x4385, NOT_PCIE, NO_ACS, 0, false },
	};

	EXPECT_ALL(subjects, DMASIM_AMD_VI);
	EXPECT_ALL(elsewhere, DMASIM_VTD);
}

/* trust: rules B and C: endpoints that vouch for themselves | our reading of the facts */
static void rules_b_and_c_endpoints(void **state)
{
	static const struct subject subjects[] = {
		{ 0x1924, 0x0903, ENDPOINT, NO_ACS, 'B', true },
		{ 0x8086, 0x10c6, ENDPOINT, NO_ACS, 'B', true },
		{ 0x8086, 0x1558, ENDPOINT, NO_ACS, 'B', true },
		{ 0x8086, 0x1527, ENDPOINT, NO_ACS, 'B', true },
		{ 0x8086, 0x10c9, ENDPOINT, NO_ACS, 'B', true },
		{ 0x8086, 0x1524, ENDPOINT, NO_ACS, 'B', true },
		{ 0x8086, 0x15b8, NOT_PCIE, NO_ACS, 'B', true },
		{ 0x8086, 0x1525, ENDPOINT, NO_ACS, 0, false },
		{ 0x19a2, 0x0710, ENDPOINT, NO_ACS, 'B', true },
		{ 0x10df, 0x0720, ENDPOINT, NO_ACS, 'B', true },
		{ 0x177d, 0xa026, ENDPOINT, NO_ACS, 'B', true },
		{ 0x14e4, 0x1763, ENDPOINT, NO_ACS, 'B', true },
		{ 0x1d17, 0x9083, ENDPOINT, NO_ACS, 'B', true },
		{ 0x8086, 0x9a49, RC_END, NO_ACS, 'C', true },
		{ 0x8086, 0x9a49, RC_END, 0, 'C', true },
		{ 0x8086, 0x9a49, ENDPOINT, NO_ACS, 0, false },
		{ 0x8087, 0x9a49, RC_END, NO_ACS, 0, false },
	};

	EXPECT_ALL(subjects, DMASIM_VTD);
}

/* trust: rules D, G and H: root ports that vouch for themselves | our reading of the facts */
static void rules_d_g_and_h_ports(void **state)
{
	static const struct subject subjects[] = {
		{ 0x17cb, 0x0400, ROOT, NO_ACS, 'D', true },
		{ 0x17cb, 0x0120, ROOT, NO_ACS, 'D', true },
		{ 0x1dbf, 0x0401, ROOT, NO_ACS, 'D', true },
		{ 0x10e8, 0xe004, ROOT, NO_ACS, 'D', true },
		{ 0x1def, 0xe00c, ROOT, NO_ACS, 'D', true },
		{ 0x14e4, 0xd714, ROOT, NO_ACS, 'D', true },
		{ 0x0014, 0x7a69, ROOT, NO_ACS, 'D', true },
		{ 0x1957, 0x8d81, ROOT, NO_ACS, 'D', true },
		{ 0x1957, 0x8d9b, ROOT, NO_ACS, 'D', true },
		{ 0x1957, 0x8d9c, ROOT, NO_ACS, 0, false },
		{ 0x177d, 0xa000, ROOT, NO_ACS, 'G', true },
		{ 0x177d, 0xa7ff, ROOT, NO_ACS, 'G', true },
		{ 0x177d, 0xaf84, ROOT, NO_ACS, 'G', true },
		{ 0x177d, 0xb884, ROOT, NO_ACS, 'G', true },
		{ 0x177d, 0xa800, ROOT, NO_ACS, 0, false },
		{ 0x177d, 0xa000, ENDPOINT, NO_ACS, 0, false },
		{ 0x177d, 0xa026, ROOT, NO_ACS, 'G', true },
		{ 0x1c36, 0x0031, ROOT, NO_ACS, 'H', true },
		{ 0x1c36, 0x0031, ENDPOINT, NO_ACS, 0, false },
	};

	EXPECT_ALL(subjects, DMASIM_VTD);
}

/* trust: rule E: Intel's chipsets before the 100 series | our reading of the facts */
static void rule_e_intel_pch(void **state)
{
	static const struct subject subjects[] = {
		{ 0x8086, 0x3b42, ROOT, NO_ACS, 'E', true },
		{ 0x8086, 0x1c1f, ROOT, NO_ACS, 'E', true },
		{ 0x8086, 0x1e10, ROOT, NO_ACS, 'E', true },
		{ 0x8086, 0x8c1f, ROOT, NO_ACS, 'E', true },
		{ 0x8086, 0x9c1b, ROOT, NO_ACS, 'E', true },
		{ 0x8086, 0x9c9b, ROOT, NO_ACS, 'E', true },
		{ 0x8086, 0x8d1e, ROOT, NO_ACS, 'E', true },
		{ 0x8086, 0x1d1e, ROOT, NO_ACS, 'E', true },
		{ 0x8086, 0x8c9e, ROOT, NO_ACS, 'E', true },
		/* Even numbers only, in two of the lists. */
		{ 0x8086, 0x1d1d, ROOT, NO_ACS, 0, false },
		{ 0x8086, 0x8c91, ROOT, NO_ACS, 0, false },
		{ 0x8086, 0x8d1f, ROOT, NO_ACS, 0, false },
		{ 0x8086, 0x9c10, DOWN, NO_ACS, 0, false },
	};

	EXPECT_ALL(subjects, DMASIM_VTD);
}

/* Rule F reads the control word at +8; at +6 is the upper half of a 32-bit capability. */
static void expect_spt(void **state, u32 device, bool with_acs, u32 control, char rule,
		       bool isolates)
{
	const struct subject subject = { 0x8086, device, ROOT, with_acs ? 0 : NO_ACS, 0, false };
	struct dmasim_isolation isolation;
	struct dump *dump;

	expect_ok(dump_setup(state));
	dump = *state;
	describe(dump, &subject);
	if (with_acs)
		dump_put(&dump->function[1], PCI_EXT_CAP_START + 8, 4, control);
	expect_ok(dump_import(dump, NULL));
	isolation = dmasim_isolation(dump_dev(dump, "00:04.0"));
	assert_int_equal(isolation.rule, rule);
	assert_int_equal(isolation.isolates, isolates);
	expect_ok(dump_teardown(state));
}

/* trust: ACS off: redirection of the 100 and 200 series, too | our reading of the facts */
static void acs_off_finds_the_control_word_of_intel_spt(void **state)
{
	const struct subject subject = { 0x8086, 0xa110, ROOT, 0, 0, false };
	const struct dmasim_import how = { .acs_off = true };
	struct dump *dump = *state;
	struct dmasim_isolation isolation;
	u32 control = 0;

	describe(dump, &subject);
	dump_put(&dump->function[1], PCI_EXT_CAP_START + PCI_ACS_CAP, 4, ACS_ON);
	dump_put(&dump->function[1], PCI_EXT_CAP_START + 8, 4, ACS_ON);
	expect_ok(dump_import(dump, &how));
	isolation = dmasim_isolation(dump_dev(dump, "00:04.0"));
	assert_false(isolation.isolates);
	expect_u64(isolation.missing, PCI_ACS_RR | PCI_ACS_CR);
	pci_read_config_dword(dump_dev(dump, "00:04.0"), PCI_EXT_CAP_START + 8, &control);
	expect_u64(control, PCI_ACS_SV | PCI_ACS_UF);
}

/* trust: rule F: Intel's 100 and 200 series | our reading of the facts */
static void rule_f_intel_spt(void **state)
{
	static const u32 devices[] = { 0xa110, 0xa11f, 0xa167, 0xa16a, 0xa290,
				       0xa29f, 0xa2e7, 0xa2ee, 0x9d10, 0x9d1b };

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		expect_spt(state, devices[i], true, ACS_ON, 'F', true);
		expect_spt(state, devices[i], true, ACS_ON & ~PCI_ACS_CR, 'F', false);
	}
	expect_spt(state, 0xa110, false, 0, 0, false);
	expect_spt(state, 0xa120, true, ACS_ON, 0, false);
}

/* trust: rules I and J: what is not on the vendor's list does not isolate, even with ACS
 * | our reading of the facts */
static void rules_i_and_j_are_final(void **state)
{
	static const struct subject subjects[] = {
		{ 0x1d17, 0x0710, ROOT, NO_ACS, 'I', true },
		{ 0x1d17, 0x071e, DOWN, NO_ACS, 'I', true },
		{ 0x1d17, 0x0721, ROOT, NO_ACS, 'I', true },
		{ 0x1d17, 0x0723, ROOT, NO_ACS, 'I', true },
		{ 0x1d17, 0x0752, ROOT, NO_ACS, 'I', true },
		{ 0x1d17, 0x071f, ROOT, ACS_ON, 'I', false },
		{ 0x1d17, 0x0722, DOWN, ACS_ON, 'I', false },
		{ 0x1d17, 0x0710, ENDPOINT, NO_ACS, 0, false },
		{ 0x8088, 0x0100, ENDPOINT, NO_ACS, 'J', true },
		{ 0x8088, 0x010f, ENDPOINT, NO_ACS, 'J', true },
		{ 0x8088, 0x5140, ENDPOINT, NO_ACS, 'J', true },
		{ 0x8088, 0x2001, ENDPOINT, NO_ACS, 'J', true },
		{ 0x8088, 0x0110, ENDPOINT, ACS_ON, 'J', false },
	};

	EXPECT_ALL(subjects, DMASIM_VTD);
}

/* trust: IDT's switches: source validation does not count | our reading of the facts */
static void source_validation_of_idt_does_not_count(void **state)
{
	static const struct subject subjects[] = {
		{ 0x111d, 0x80b5, DOWN, ACS_ON & ~PCI_ACS_SV, 0, true },
		{ 0x111d, 0x8090, DOWN, ACS_ON & ~PCI_ACS_SV, 0, true },
		{ 0x111d, 0x8091, DOWN, ACS_ON & ~PCI_ACS_SV, 0, false },
		{ 0x111d, 0x80b5, DOWN, ACS_ON & ~PCI_ACS_UF, 0, false },
	};

	EXPECT_ALL(subjects, DMASIM_VTD);
}

/* ---- Numbers (facts 19.5) ----------------------------------------------------------------- */

/*
 * A function among three slots with ACS everywhere: only its aliases join anybody.
 */
static void expect_aliases(void **state, u32 vendor, u32 device, const char *at,
			   const char *picture)
{
	static const char *const others[] = { "01:00.0", "01:00.1", "01:00.5",
					      "01:01.0", "01:10.0", "01:12.3" };
	struct dump *dump;

	expect_ok(dump_setup(state));
	dump = *state;
	dump_root_port(dump, "00:01.0", 1, 1, ACS_ON);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct dump_function *function = dump_multi(dump_endpoint(dump, others[i]));

		dump_acs(function, ACS_ALL, ACS_ON);
		if (!strcmp(others[i], at))
			dump_id(function, vendor, device);
		if (!strcmp(others[i], at) && vendor == 0x9005)
			dump_put(function, PCI_SUBSYSTEM_VENDOR_ID, 4, 0x02bb9005);
	}
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, picture);
	expect_ok(dump_teardown(state));
}

/* trust: devices that send under other numbers are with those | our reading of the facts */
static void devices_that_send_as_others(void **state)
{
	expect_aliases(state, 0x1180, 0xe832, "01:00.5",
		       "01:00.0 01:00.5 | 01:00.1 | 01:01.0 | 01:10.0 | 01:12.3");
	expect_aliases(state, 0x6766, 0x3d41, "01:00.0",
		       "01:00.0 | 01:00.1 | 01:00.5 | 01:01.0 | 01:10.0 | 01:12.3");
	expect_aliases(state, 0x1b4b, 0x9120, "01:00.5",
		       "01:00.0 | 01:00.1 01:00.5 | 01:01.0 | 01:10.0 | 01:12.3");
	expect_aliases(state, 0x9005, 0x0285, "01:00.5",
		       "01:00.0 | 01:00.1 | 01:00.5 01:01.0 | 01:10.0 | 01:12.3");
	expect_aliases(state, 0x8086, 0x2260, "01:00.0",
		       "01:00.0 01:10.0 01:12.3 | 01:00.1 | 01:00.5 | 01:01.0");
	expect_aliases(state, 0x8086, 0x2954, "01:00.5",
		       "01:00.0 01:00.1 01:00.5 01:01.0 01:10.0 01:12.3");
	expect_aliases(state, 0x10b5, 0x87b1, "01:01.0",
		       "01:00.0 01:00.1 01:00.5 01:01.0 01:10.0 01:12.3");
	expect_aliases(state, 0x10b5, 0x87b2, "01:01.0",
		       "01:00.0 | 01:00.1 | 01:00.5 | 01:01.0 | 01:10.0 | 01:12.3");
}

/* A device's requests are translated under each of its numbers, and under no other. */
static void aliases_are_attached_and_detached(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 1, ACS_ON);
	dump_id(dump_endpoint(dump, "01:00.0"), 0x10b5, 0x87b0);
	expect_ok(dump_import(dump, NULL));
	expect_dma(dump, "01:00.0");
}

/*
 * A conventional bridge that is PCI Express in truth sends as 00.0 of its secondary bus; below one
 * at which translation takes place nothing above counts.
 */
static void bridges_that_send_otherwise(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 2, ACS_ON);
	dump_id(dump_bridge(dump, "01:00.0", 2, 2), 0x1b21, 0x1080);
	dump_device(dump, "02:04.0");
	dump_device(dump, "02:05.0");
	dump_express(dump_id(dump_bridge(dump, "00:02.0", 3, 3), 0x14e4, 0x9000),
		     PCI_EXP_TYPE_PCI_BRIDGE);
	dump_device(dump, "03:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 02:04.0 02:05.0 | 00:02.0 03:00.0");
	expect_why(dump, "02:05.0", "with 0000:01:00.0: their requests both bear 02:00.0");
	assert_int_equal(dmasim_group_reason(dump_dev(dump, "03:00.0")).kind, DMASIM_GROUP_BRIDGE);
}

TEST_MAIN(cmocka_unit_test(rule_a_southbridges), cmocka_unit_test(rules_b_and_c_endpoints),
	  cmocka_unit_test(rules_d_g_and_h_ports), cmocka_unit_test(rule_e_intel_pch),
	  DUMP_TEST(acs_off_finds_the_control_word_of_intel_spt),
	  cmocka_unit_test(rule_f_intel_spt), cmocka_unit_test(rules_i_and_j_are_final),
	  cmocka_unit_test(source_validation_of_idt_does_not_count),
	  cmocka_unit_test(devices_that_send_as_others),
	  DUMP_TEST(aliases_are_attached_and_detached), DUMP_TEST(bridges_that_send_otherwise))
