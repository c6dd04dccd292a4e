/* SPDX-License-Identifier: MIT */
/*
 * Why a verdict is what it is, and what would change it: the reason, the place where the ways meet,
 * the functions that redirect; that clearing exactly their bits does what is promised; and what
 * Linux logs (facts "dma-api" 8.5).
 */
#include <unistd.h>

#include <dmasim/kernel.h>

#include "unit/api/dump.h"
#include "unit/api/machines.h"

static struct dmasim_p2p_verdict why(struct pci_dev *provider, struct pci_dev *client)
{
	struct dmasim_p2p_verdict verdict;

	dmasim_p2p_why(provider, client, &verdict);
	assert_ptr_equal(verdict.provider, provider);
	assert_ptr_equal(verdict.client, client);
	return verdict;
}

static void set_acs(struct pci_dev *port, u16 bits)
{
	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, bits);
}

static void expect_texts(const struct dmasim_p2p_verdict *verdict, const char *reason,
			 const char *change)
{
	char text[1024];

	dmasim_p2p_why_text(verdict, text, sizeof(text));
	assert_string_equal(text, reason);
	dmasim_p2p_change_text(verdict, text, sizeof(text));
	assert_string_equal(text, change);
}

/* ---- Reasons --------------------------------------------------------------------------------- */

static void below_a_bridge(void **state)
{
	struct rig *rig = *state;
	struct dmasim_p2p_verdict verdict = why(rig->gpu, rig->nvme);

	assert_int_equal(verdict.type, PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(verdict.reason, DMASIM_P2P_BELOW_BRIDGE);
	assert_int_equal(verdict.distance, 4);
	assert_int_equal(verdict.remedy, DMASIM_P2P_NOTHING_NEEDED);
	assert_ptr_equal(verdict.meet, dmasim_pci_dev(rig->s, "01:00.0"));
	expect_texts(&verdict, "the ways meet at 0000:01:00.0 and ACS redirects nothing",
		     "nothing is needed: no way is shorter");
	verdict = why(rig->gpu, rig->gpu);
	assert_int_equal(verdict.reason, DMASIM_P2P_SAME_FUNCTION);
	assert_int_equal(verdict.distance, 0);
	expect_texts(&verdict,
		     "provider and client are the same function and ACS redirects nothing",
		     "nothing is needed: no way is shorter");
}

/*
 * trust: of a verdict, the functions that redirect and their bits are told, the provider's side
 * first | our reading of the facts
 */
static void redirected_below_a_bridge(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *of_gpu = pci_upstream_bridge(rig->gpu);
	struct pci_dev *of_nvme = pci_upstream_bridge(rig->nvme);
	struct dmasim_p2p_verdict verdict;

	set_acs(of_gpu, PCI_ACS_CR | PCI_ACS_SV);
	set_acs(of_nvme, PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF);
	verdict = why(rig->gpu, rig->nvme);
	assert_int_equal(verdict.type, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	assert_int_equal(verdict.reason, DMASIM_P2P_HOST_LISTED);
	assert_int_equal(verdict.remedy, DMASIM_P2P_CLEAR_REDIRECT);
	assert_true(verdict.one_host_bridge);
	expect_u64(verdict.redirect_count, 2);
	assert_ptr_equal(verdict.redirect[0].at, of_gpu);
	expect_u64(verdict.redirect[0].bits, PCI_ACS_CR);
	assert_ptr_equal(verdict.redirect[1].at, of_nvme);
	expect_u64(verdict.redirect[1].bits, PCI_ACS_RR | PCI_ACS_CR);
	expect_texts(&verdict,
		     "the ways meet at 0000:01:00.0, but ACS redirects at 0000:02:01.0 (CR), "
		     "0000:02:00.0 (RR CR); host bridge 0000:00:00.0 [8086:09a2] is on the list of "
		     "those that forward between their ports",
		     "BUS_ADDR, distance 4, if ACS redirect is clear at 0000:02:01.0 (CR), "
		     "0000:02:00.0 (RR CR): boot with "
		     "pci=disable_acs_redir=0000:02:01.0;0000:02:00.0");
}

static void at_the_root(void **state)
{
	struct rig *rig = *state;
	struct dmasim_p2p_verdict verdict = why(rig->gpu, rig->disk);

	assert_int_equal(verdict.type, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	assert_null(verdict.meet);
	assert_int_equal(verdict.remedy, DMASIM_P2P_NOT_SOFTWARE);
	expect_texts(&verdict,
		     "the ways meet at the root complex alone; host bridge 0000:00:00.0 "
		     "[8086:09a2] is on the list of those that forward between their ports",
		     "nothing in software: BUS_ADDR needs both below one switch");
}

static void a_cpu_that_forwards(void **state)
{
	struct rig *rig = *state;
	struct dmasim_p2p_verdict verdict = why(rig->gpu, rig->disk);

	assert_int_equal(verdict.reason, DMASIM_P2P_CPU_FORWARDS);
	assert_int_equal(verdict.type, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	expect_texts(&verdict,
		     "the ways meet at the root complex alone; an AMD CPU of family 0x17 or later "
		     "forwards between all ports",
		     "nothing in software: BUS_ADDR needs both below one switch");
}

static void an_unlisted_host_bridge(void **state)
{
	struct rig *rig = *state;
	struct dmasim_p2p_verdict verdict = why(rig->gpu, rig->disk);

	assert_int_equal(verdict.type, PCI_P2PDMA_MAP_NOT_SUPPORTED);
	assert_int_equal(verdict.reason, DMASIM_P2P_HOST_NOT_LISTED);
	assert_int_equal(verdict.distance, 6);
	expect_texts(&verdict,
		     "the ways meet at the root complex alone; host bridge 0000:00:00.0 "
		     "[1234:5678] is not on the list of those that forward between their ports",
		     "nothing in software: BUS_ADDR needs both below one switch");
	/* Below the switch it is another matter. */
	set_acs(pci_upstream_bridge(rig->gpu), PCI_ACS_CR);
	verdict = why(rig->gpu, rig->nvme);
	assert_int_equal(verdict.type, PCI_P2PDMA_MAP_NOT_SUPPORTED);
	assert_int_equal(verdict.remedy, DMASIM_P2P_CLEAR_REDIRECT);
}

/* Two host bridges: the one that refuses is named. */
static void two_host_bridges(void **state)
{
	static const struct {
		u16 device[2];
		enum dmasim_p2p_reason reason;
		const char *words;
	} rows[] = {
		{ { 0x2031, 0x2030 },
		  DMASIM_P2P_HOST_LISTED,
		  "host bridge 0000:00:00.0 [8086:2031] and host bridge 0000:40:00.0 [8086:2030] "
		  "are on the list" },
		{ { 0x2031, 0x2f00 },
		  DMASIM_P2P_HOST_FOR_ITSELF,
		  "host bridge 0000:40:00.0 [8086:2f00] is on the list only for requests between "
		  "its own ports" },
		{ { 0x2f00, 0x1234 }, DMASIM_P2P_HOST_FOR_ITSELF, "0000:00:00.0 [8086:2f00]" },
		{ { 0x2031, 0x1234 }, DMASIM_P2P_HOST_NOT_LISTED, "0000:40:00.0 [8086:1234]" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dmasim *s = dmasim_create(NULL);
		struct dmasim_p2p_verdict verdict;
		struct pci_dev *one, *other;
		char text[512];

		*state = s;
		for (u8 n = 0; n < 2; n++)
			expect_ok(dmasim_add_host_bridge(
				s, &(struct dmasim_host_bridge){ .bus = (u8)(0x40 * n),
								 .vendor = PCI_VENDOR_ID_INTEL,
								 .device = rows[i].device[n] }));
		one = dmasim_add_endpoint(s, "00:01.0/00.0",
					  &(struct dmasim_endpoint){ .bar = { SZ_4K } });
		other = dmasim_add_endpoint(s, "40:01.0/00.0", &(struct dmasim_endpoint){ 0 });
		verdict = why(one, other);
		assert_int_equal(verdict.reason, rows[i].reason);
		assert_false(verdict.one_host_bridge);
		dmasim_p2p_why_text(&verdict, text, sizeof(text));
		assert_non_null(strstr(text, rows[i].words));
		/* The other way round there is nothing to reach. */
		verdict = why(other, one);
		assert_int_equal(verdict.reason, DMASIM_P2P_NO_MEMORY);
		expect_texts(&verdict, "0000:41:00.0 has no memory BAR that others may reach",
			     "nothing in software gives it memory");
		*state = NULL;
		expect_u64(dmasim_destroy(s), 0);
	}
}

/* Function 00.0 of the root bus is not there, and the first one is no root port. */
static void a_host_bridge_that_nobody_knows(void **state)
{
	struct dump *dump = *state;
	struct dmasim_p2p_verdict verdict;
	char text[512];

	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0x80000000);
	dump_bar_32(dump_device(dump, "00:03.0"), 0, 0x80100000);
	expect_ok(dump_import(dump, NULL));
	verdict = why(dump_dev(dump, "00:02.0"), dump_dev(dump, "00:03.0"));
	assert_int_equal(verdict.type, PCI_P2PDMA_MAP_NOT_SUPPORTED);
	assert_int_equal(verdict.reason, DMASIM_P2P_HOST_UNKNOWN);
	assert_null(verdict.host[0].function);
	assert_int_equal(verdict.distance, 2);
	dmasim_p2p_why_text(&verdict, text, sizeof(text));
	assert_string_equal(text, "the ways meet at the root complex alone; no function 00.0 tells "
				  "which host bridge is above 0000:00:02.0");
}

/*
 * trust: PF and VF are two steps apart, and a VF goes up by its PF's bridge
 * | our reading of the facts
 */
static void virtual_functions_go_up_by_their_physical_function(void **state)
{
	struct dmasim *s =
		dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
	struct pci_dev *physfn, *other, *virtfn;

	*state = s;
	physfn = dmasim_add_endpoint(
		s, "00:01.0/00.0/00.0/00.0",
		&(struct dmasim_endpoint){ .bar = { SZ_4K },
					   .sriov = { .total_vfs = 2, .vf_bar = { SZ_4K } } });
	other = dmasim_add_endpoint(s, "00:01.0/00.0/01.0/00.0",
				    &(struct dmasim_endpoint){ .bar = { SZ_4K } });
	expect_ok(pci_enable_sriov(physfn, 2));
	virtfn = dmasim_next_dev(s, physfn);
	while (virtfn && !virtfn->is_virtfn)
		virtfn = dmasim_next_dev(s, virtfn);
	assert_non_null(virtfn);
	assert_int_equal(why(physfn, virtfn).distance, 2);
	assert_int_equal(why(virtfn, physfn).distance, 2);
	assert_int_equal(why(virtfn, other).distance, 4);
	assert_ptr_equal(why(virtfn, physfn).meet, pci_upstream_bridge(physfn));
	assert_int_equal(why(virtfn, other).type, PCI_P2PDMA_MAP_BUS_ADDR);
	set_acs(pci_upstream_bridge(physfn), PCI_ACS_RR);
	assert_int_equal(why(virtfn, physfn).type, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	assert_int_equal(pci_p2pdma_distance(virtfn, &other->dev, false), 4);
}

/* ---- What would change it -------------------------------------------------------------------- */

static void scatter_acs(struct dmasim *s, u32 percent)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (pdev->acs_cap)
			set_acs(pdev,
				dmasim_random(s, 100) < percent ? (u16)dmasim_random(s, 0x80) : 0);
	}
}

static void clear_bits(const struct dmasim_p2p_redirect *redirect)
{
	struct pci_dev *at = redirect->at;
	u16 control;

	pci_read_config_word(at, at->acs_cap + PCI_ACS_CTRL, &control);
	expect_u64(control & redirect->bits, redirect->bits);
	set_acs(at, control & (u16)~redirect->bits);
}

/* All but the last cleared: still redirected. The last one, too: as promised. */
static void expect_promise(const struct dmasim_p2p_verdict *before)
{
	struct dmasim_p2p_verdict after;

	for (u32 i = 0; i < before->redirect_count; i++) {
		after = why(before->provider, before->client);
		assert_int_equal(after.type, before->type);
		clear_bits(&before->redirect[i]);
	}
	after = why(before->provider, before->client);
	assert_int_equal(after.type, PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(after.distance, before->distance);
	assert_int_equal(pci_p2pdma_distance(before->provider, &before->client->dev, false),
			 before->distance);
}

/* Nothing that is written into ACS registers changes it. */
static void expect_no_change(struct dmasim *s, const struct dmasim_p2p_verdict *before)
{
	scatter_acs(s, 0);
	assert_int_equal(why(before->provider, before->client).type, before->type);
	scatter_acs(s, 100);
	assert_int_equal(why(before->provider, before->client).type, before->type);
}

/*
 * trust: clearing exactly the ACS bits that are named gives a way by bus address, and nothing less
 * does | our reading of the facts: random ACS settings, each promise tried
 */
static void what_is_promised_comes_true(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *devices[] = { rig->nvme, rig->gpu, rig->nic, rig->disk };
	u32 promised = 0, impossible = 0;

	for (int round = 0; round < 400; round++) {
		struct pci_dev *provider = devices[dmasim_random(rig->s, 4)];
		struct pci_dev *client = devices[dmasim_random(rig->s, 4)];
		struct dmasim_p2p_verdict verdict;

		scatter_acs(rig->s, 60);
		verdict = why(provider, client);
		if (verdict.remedy == DMASIM_P2P_CLEAR_REDIRECT) {
			promised++;
			expect_promise(&verdict);
		} else if (verdict.remedy == DMASIM_P2P_NOT_SOFTWARE) {
			impossible++;
			expect_no_change(rig->s, &verdict);
		}
	}
	assert_true(promised > 50 && impossible > 50);
}

/* The value of the option in the advice. */
static const char *option_of(const struct dmasim_p2p_verdict *verdict, char *text, size_t bytes)
{
	const char *option;

	dmasim_p2p_change_text(verdict, text, bytes);
	option = strstr(text, "pci=disable_acs_redir=");
	assert_non_null(option);
	return strchr(strchr(option, '=') + 1, '=') + 1;
}

/*
 * trust: a boot with the option that is named gives what is promised
 * | our reading of the facts
 */
static void a_boot_with_the_option_that_is_named_does_it(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG };
	struct dmasim_p2p_verdict before, after;
	struct rig *rig = *state, other;
	char text[512];

	before = why(rig->gpu, rig->nvme);
	assert_int_equal(before.type, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	config.disable_acs_redir = option_of(&before, text, sizeof(text));
	rig_init(&other, &config);
	dmasim_group(other.gpu);
	after = why(other.gpu, other.nvme);
	assert_int_equal(after.type, PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(after.distance, before.distance);
	/* Those of others are as they were. */
	assert_int_equal(why(other.nic, other.nvme).type, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	rig_fini(&other);
}

static int setup_unlisted(void **state)
{
	return rig_setup_unlisted(state,
				  &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
}

static int setup_amd(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .cpu = DMASIM_CPU_AMD,
							      .acs = DMASIM_ACS_OFF });
}

/* ---- What Linux logs ------------------------------------------------------------------------- */

#define REDIRECTED                                                                        \
	"0000:03:00.0: ACS redirect is set between the client and provider "              \
	"(0000:04:00.0)\n"                                                                \
	"0000:03:00.0: to disable ACS redirect for this path, add the kernel parameter: " \
	"pci=disable_acs_redir=0000:02:01.0\n"
#define UNLISTED "0000:03:00.0: Host bridge not in P2PDMA whitelist: 1234:5678\n"
#define REFUSED                                                                         \
	"0000:03:00.0: cannot be used for peer-to-peer DMA as the client and provider " \
	"(0000:04:00.0) do not share an upstream bridge or whitelisted host bridge\n"

static void expect_log(FILE *file, const char *expected)
{
	char text[2048];
	size_t bytes;

	rewind(file);
	bytes = fread(text, 1, sizeof(text) - 1, file);
	text[bytes] = '\0';
	assert_string_equal(text, expected);
	rewind(file);
	assert_int_equal(ftruncate(fileno(file), 0), 0);
}

/* Printed when a verdict is made: by the first question, and by each verbose distance. */
static void print_verdicts(struct rig *rig, FILE *file, const char *expected)
{
	struct p2pdma_provider *provider;

	dmasim_print_to(rig->s, file);
	expect_ok(pcim_p2pdma_init(rig->gpu));
	provider = pcim_p2pdma_provider(rig->gpu, 0);
	pci_p2pdma_distance(rig->gpu, &rig->nvme->dev, false);
	expect_log(file, "");
	pci_p2pdma_distance(rig->gpu, &rig->nvme->dev, true);
	expect_log(file, expected);
	pci_p2pdma_map_type(provider, &rig->nvme->dev);
	expect_log(file, "");
	dmasim_p2pdma_release(rig->gpu);
	expect_ok(pcim_p2pdma_init(rig->gpu));
	pci_p2pdma_map_type(pcim_p2pdma_provider(rig->gpu, 0), &rig->nvme->dev);
	expect_log(file, expected);
	dmasim_print_to(rig->s, NULL);
}

static void expect_printed(struct rig *rig, const char *expected)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	print_verdicts(rig, file, expected);
	fclose(file);
}

static void a_way_by_bus_address_is_not_logged(void **state)
{
	expect_printed(*state, "");
}

/* trust: what Linux logs of redirection and refusal, line for line | our reading of the facts */
static void redirection_is_logged(void **state)
{
	struct rig *rig = *state;

	set_acs(pci_upstream_bridge(rig->gpu), PCI_ACS_RR);
	expect_printed(rig, REDIRECTED);
}

static void a_refusal_is_logged(void **state)
{
	struct rig *rig = *state;

	set_acs(pci_upstream_bridge(rig->gpu), PCI_ACS_RR);
	expect_printed(rig, REDIRECTED UNLISTED REFUSED);
}

/* Where the ways meet at the root alone, the host bridge is not named. */
static void a_refusal_at_the_root_is_logged(void **state)
{
	struct rig *rig = *state;
	struct dmasim_p2p_verdict verdict = why(rig->gpu, rig->disk);
	char text[512];

	dmasim_p2p_log_text(&verdict, text, sizeof(text));
	assert_string_equal(text,
			    "cannot be used for peer-to-peer DMA as the client and provider ("
			    "0000:04:00.0) do not share an upstream bridge or whitelisted host "
			    "bridge\n");
}

/* Linux has 128 bytes for the names; the advice of ours names them all. */
static void a_long_list_of_names_is_cut_as_linux_cuts_it(void **state)
{
	struct dmasim *s = dmasim_create(NULL);
	struct dmasim_p2p_verdict verdict;
	struct pci_dev *one, *other;
	char text[2048];

	*state = s;
	one = dmasim_add_endpoint(s,
				  "00:01.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0",
				  &(struct dmasim_endpoint){ .bar = { SZ_4K } });
	other = dmasim_add_endpoint(
		s, "00:01.0/00.0/01.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0",
		&(struct dmasim_endpoint){ .bar = { SZ_4K } });
	verdict = why(one, other);
	expect_u64(verdict.redirect_count, 10);
	dmasim_p2p_log_text(&verdict, text, sizeof(text));
	assert_int_equal(strcspn(strstr(text, "redir=") + 6, "\n"), 127);
	dmasim_p2p_change_text(&verdict, text, sizeof(text));
	assert_int_equal(strlen(strstr(text, "redir=") + 6), 10 * 13 - 1);
	/* A buffer that is too short cuts, and is terminated. */
	memset(text, 'x', sizeof(text));
	dmasim_p2p_why_text(&verdict, text, 9);
	assert_string_equal(text, "the ways");
}

static void map_types_have_names(void **state)
{
	(void)state;
	assert_string_equal(dmasim_p2p_type_name(PCI_P2PDMA_MAP_BUS_ADDR), "BUS_ADDR");
	assert_string_equal(dmasim_p2p_type_name(PCI_P2PDMA_MAP_THRU_HOST_BRIDGE),
			    "THRU_HOST_BRIDGE");
	assert_string_equal(dmasim_p2p_type_name(PCI_P2PDMA_MAP_NOT_SUPPORTED), "NOT_SUPPORTED");
	assert_string_equal(dmasim_p2p_type_name(PCI_P2PDMA_MAP_NONE), "NONE");
	assert_string_equal(dmasim_p2p_type_name(PCI_P2PDMA_MAP_UNKNOWN), "UNKNOWN");
	assert_null(dmasim_p2p_type_name((enum pci_p2pdma_map_type)5));
}

static int teardown(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

#define TEST(test)	WITH_SETUP(test, rig_setup_acs_off)
#define UNLISTED_(test) WITH_SETUP(test, setup_unlisted)

TEST_MAIN(TEST(below_a_bridge), TEST(redirected_below_a_bridge), TEST(at_the_root),
	  WITH_SETUP(a_cpu_that_forwards, setup_amd), UNLISTED_(an_unlisted_host_bridge),
	  cmocka_unit_test_teardown(two_host_bridges, teardown),
	  cmocka_unit_test_teardown(virtual_functions_go_up_by_their_physical_function, teardown),
	  DUMP_TEST(a_host_bridge_that_nobody_knows), TEST(what_is_promised_comes_true),
	  BEHIND_VTD(a_boot_with_the_option_that_is_named_does_it),
	  TEST(a_way_by_bus_address_is_not_logged), TEST(redirection_is_logged),
	  UNLISTED_(a_refusal_is_logged), UNLISTED_(a_refusal_at_the_root_is_logged),
	  cmocka_unit_test_teardown(a_long_list_of_names_is_cut_as_linux_cuts_it, teardown),
	  cmocka_unit_test(map_types_have_names))
