/* SPDX-License-Identifier: MIT */
/*
 * What is done to ACS at boot (facts "dma-api" 18.4 and 19.3), and the command line's say in it.
 *
 *   00:01.0 root port (off)   -- 01:00.0 upstream -- 02:00.0 downstream (SV, TB) -- 03:00.0
 *                                                +-- 02:01.0 downstream (all on) -- 04:00.0
 */
#include "unit/api/groups.h"

static void describe(struct dump *dump)
{
	dump_root_port(dump, "00:01.0", 1, 4, 0);
	dump_port(dump, "01:00.0", PCI_EXP_TYPE_UPSTREAM, 2, 4, 0);
	dump_port(dump, "02:00.0", PCI_EXP_TYPE_DOWNSTREAM, 3, 3, PCI_ACS_SV | PCI_ACS_TB);
	dump_port(dump, "02:01.0", PCI_EXP_TYPE_DOWNSTREAM, 4, 4, ACS_ALL);
	dump_endpoint(dump, "03:00.0");
	dump_endpoint(dump, "04:00.0");
}

static struct dump *boot(void **state, const struct dmasim_config *config)
{
	struct dump *dump;

	expect_ok(dump_setup_config(state, config));
	dump = *state;
	describe(dump);
	expect_ok(dump_import(dump, NULL));
	(void)dmasim_group(dump_dev(dump, "00:01.0"));
	return dump;
}

static u16 control(struct dump *dump, const char *bdf)
{
	struct pci_dev *pdev = dump_dev(dump, bdf);
	u16 word = 0;

	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &word);
	return word;
}

static void expect_controls(const struct dmasim_config *config, u16 root, u16 first, u16 second)
{
	void *state = NULL;
	struct dump *dump = boot(&state, config);

	expect_u64(control(dump, "00:01.0"), root);
	expect_u64(control(dump, "02:00.0"), first);
	expect_u64(control(dump, "02:01.0"), second);
	expect_ok(dump_teardown(&state));
}

/* trust: ACS stays as it was found unless boot is to set it up | our reading of the facts */
static void acs_stays_as_it_is_found(void **state)
{
	(void)state;
	expect_controls(&(struct dmasim_config){ DMASIM_CONFIG }, 0, 0x03, 0x7f);
}

/*
 * trust: boot adds SV, RR, CR and UF to what firmware left, if there is an IOMMU
 * | our reading of the facts
 */
static void boot_switches_on_what_isolates(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG, .acs_enable = true };
	struct dump *dump = boot(state, &config);

	expect_u64(control(dump, "00:01.0"), 0x1d);
	expect_u64(control(dump, "02:00.0"), 0x1f);
	expect_u64(control(dump, "02:01.0"), 0x7f);
	expect_groups(dump, "00:01.0 | 01:00.0 | 02:00.0 | 02:01.0 | 03:00.0 | 04:00.0");
	expect_ok(dump_teardown(state));
	config.iommu = DMASIM_NO_IOMMU;
	expect_controls(&config, 0, 0x03, 0x7f);
}

/* What has no bit in the capability is not switched on. */
static void boot_heeds_the_capability(void **state)
{
	struct dump *dump;

	expect_ok(dump_setup_config(state,
				    &(struct dmasim_config){ DMASIM_CONFIG, .acs_enable = true }));
	dump = *state;
	dump_acs(dump_root_port(dump, "00:01.0", 1, 1, 0), PCI_ACS_RR | PCI_ACS_DT, 0);
	dump_endpoint(dump, "01:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0");
	expect_u64(control(dump, "00:01.0"), PCI_ACS_RR);
	expect_ok(dump_teardown(state));
}

/* ---- The command line --------------------------------------------------------------------- */

/*
 * trust: disable_acs_redir clears RR, CR and EC, and what boot has set besides
 * | our reading of the facts
 */
static void disable_acs_redir_clears_redirection(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG, .disable_acs_redir = "02:01.0" };

	(void)state;
	expect_controls(&config, 0, 0x03, 0x7f & ~0x2c);
	config.disable_acs_redir = "0000:02:01.0;00:01.0";
	config.acs_enable = true;
	/* Of the root port only what firmware left remains: nothing. */
	expect_controls(&config, 0, 0x1f, 0x7f & ~0x2c);
	config.iommu = DMASIM_NO_IOMMU;
	expect_controls(&config, 0, 0x03, 0x7f & ~0x2c);
}

static void a_way_names_what_is_at_its_end(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG, .disable_acs_redir = "00:01.0/00.0/01.0" };

	(void)state;
	expect_controls(&config, 0, 0x03, 0x7f & ~0x2c);
	config.disable_acs_redir = "1:00.0/1.0";
	expect_controls(&config, 0, 0x03, 0x7f & ~0x2c);
	config.disable_acs_redir = "00:02.0/00.0/01.0;0001:02:01.0;02:02.0";
	expect_controls(&config, 0, 0x03, 0x7f);
}

/* trust: config_acs sets and clears the bits it names | our reading of the facts */
static void config_acs_decides_bit_by_bit(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG, .config_acs = "1x0@02:00.0" };

	(void)state;
	/* Bit 2 on, bit 0 off; TB, bit 1, stays. */
	expect_controls(&config, 0, 0x06, 0x7f);
	config.config_acs = "xx10x@0000:00:01.0;0000000@02:01.0";
	expect_controls(&config, 0x04, 0x03, 0);
	/* It has the last word, and starts from what firmware left. */
	config.disable_acs_redir = "02:01.0";
	config.config_acs = "x0@02:01.0";
	expect_controls(&config, 0, 0x03, 0x7e);
	config.acs_enable = true;
	config.config_acs = "1@00:01.0";
	config.disable_acs_redir = NULL;
	expect_controls(&config, 0x01, 0x1f, 0x7f);
}

/* ---- Intel's own ways (facts 19.3) -------------------------------------------------------- */

static void describe_pch(struct dump *dump, u32 rcba)
{
	struct dump_function *port = dump_bridge(dump, "00:1c.0", 1, 1);
	struct dump_function *lpc = dump_device(dump, "00:1f.0");

	dump_express(dump_id(port, 0x8086, 0x8c10), PCI_EXP_TYPE_ROOT_PORT);
	lpc->bytes = PCI_CFG_SPACE_SIZE;
	dump_put(lpc, 0xf0, 4, rcba);
	dump_endpoint(dump, "01:00.0");
}

static void expect_pch(bool enable, enum dmasim_iommu iommu, u32 rcba, bool isolates)
{
	struct dmasim_config config = { DMASIM_CONFIG, .acs_enable = enable, .iommu = iommu };
	struct dump *dump;
	struct pci_dev *port;
	u32 mpc = 0;
	void *state = NULL;

	expect_ok(dump_setup_config(&state, &config));
	dump = state;
	describe_pch(dump, rcba);
	expect_ok(dump_import(dump, NULL));
	port = dump_dev(dump, "00:1c.0");
	(void)dmasim_group(port);
	assert_int_equal(dmasim_isolation(port).isolates, isolates);
	assert_int_equal(dmasim_isolation(port).rule, 'E');
	pci_read_config_dword(port, 0xd8, &mpc);
	expect_u64(mpc >> 26 & 1, 0);
	expect_ok(dump_teardown(&state));
}

/*
 * trust: Intel's ports without ACS are set up if the chipset's registers are there
 * | our reading of the facts
 */
static void intel_pch_ports_are_set_up(void **state)
{
	(void)state;
	expect_pch(true, DMASIM_VTD, 0xfed1c001, true);
	/* Switched off: a failure, and there is no other way. */
	expect_pch(true, DMASIM_VTD, 0xfed1c000, false);
	/* A dump does not tell whether it was done; with an IOMMU it was. */
	expect_pch(false, DMASIM_VTD, 0xfed1c000, true);
	expect_pch(true, DMASIM_NO_IOMMU, 0xfed1c001, false);
}

TEST_MAIN(cmocka_unit_test(acs_stays_as_it_is_found),
	  cmocka_unit_test(boot_switches_on_what_isolates),
	  cmocka_unit_test(boot_heeds_the_capability),
	  cmocka_unit_test(disable_acs_redir_clears_redirection),
	  cmocka_unit_test(a_way_names_what_is_at_its_end),
	  cmocka_unit_test(config_acs_decides_bit_by_bit),
	  cmocka_unit_test(intel_pch_ports_are_set_up))
