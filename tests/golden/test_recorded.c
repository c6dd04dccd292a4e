/* SPDX-License-Identifier: MIT */
/*
 * Real machines: what the import makes of each recorded dump. The counts are those that lspci -F
 * gives for the file.
 */
#include "golden/same.h"

struct counts {
	u32 functions;
	u32 bridges;
	u32 host_bridges;
	u32 with_acs;
};

static struct counts count(struct dmasim *s)
{
	struct counts counts = { 0 };
	struct pci_dev *before = NULL;

	for (struct pci_dev *pdev = dmasim_next_dev(s, NULL); pdev;
	     pdev = dmasim_next_dev(s, pdev)) {
		counts.functions++;
		counts.bridges += pci_is_bridge(pdev);
		counts.with_acs += pdev->acs_cap != 0;
		if (pci_upstream_bridge(pdev))
			continue;
		counts.host_bridges += !before || before->dev.id >> 8 != pdev->dev.id >> 8;
		before = pdev;
	}
	return counts;
}

static void expect_machine(void **state, const char *file, struct counts expected)
{
	struct recorded *recorded = *state;
	struct counts seen;

	recorded_find(recorded, file);
	recorded_import(recorded, NULL);
	seen = count(recorded->s);
	expect_u64(seen.functions, expected.functions);
	expect_u64(seen.bridges, expected.bridges);
	expect_u64(seen.host_bridges, expected.host_bridges);
	expect_u64(seen.with_acs, expected.with_acs);
}

/*
 * trust: an Alder Lake laptop is read whole
 * | a real machine's data: its dump, counted by lspci -F
 */
static void an_alder_lake_laptop(void **state)
{
	struct recorded *recorded = *state;

	expect_machine(state, "alderlake-laptop-gl9755.hex", (struct counts){ 29, 6, 1, 6 });
	/* Its card reader slept. */
	expect_u64(dmasim_config_bytes(recorded_dev(recorded, "2f:00.0")), 64);
	assert_non_null(strstr(recorded->error.text, "1 function (0000:2f:00.0) did not answer"));
	/* The GPU tells how large its BAR is. */
	expect_u64(pci_resource_len(recorded_dev(recorded, "01:00.0"), 1), 8ULL * SZ_1G);
	/* Seven virtual functions lie between two BARs of the other one. */
	expect_u64(pci_resource_len(recorded_dev(recorded, "00:02.0"), 2), SZ_256M);
}

/* trust: an Arm N1SDP is read whole | a real machine's data: its dump, counted by lspci -F */
static void an_arm_n1sdp(void **state)
{
	struct recorded *recorded = *state;
	struct pci_dev *disk;

	expect_machine(state, "arm-n1sdp.hex", (struct counts){ 16, 9, 2, 0 });
	disk = recorded_dev(recorded, "06:00.0");
	expect_u64(dmasim_config_bytes(disk), 256);
	assert_ptr_equal(pci_upstream_bridge(disk), recorded_dev(recorded, "02:12.0"));
	assert_int_equal(recorded_dev(recorded, "0001:00:00.0")->express_type,
			 PCI_EXP_TYPE_ROOT_PORT);
}

/* trust: a Dell XE9680 is read whole | a real machine's data: its dump, counted by lspci -F */
static void a_dell_xe9680(void **state)
{
	struct recorded *recorded = *state;
	struct dmasim_window window;
	struct pci_dev *port, *gpu;
	u16 control;

	expect_machine(state, "dell-xe9680-part.hex", (struct counts){ 16, 8, 1, 6 });
	port = recorded_dev(recorded, "39:01.0");
	pci_read_config_word(port, port->acs_cap + PCI_ACS_CTRL, &control);
	expect_u64(control, 0x1d);
	gpu = recorded_dev(recorded, "3d:00.0");
	expect_u64(pci_bus_address(gpu, 0), 0x238000000000);
	expect_u64(pci_resource_len(gpu, 0), SZ_256G);
	expect_u64(pci_resource_len(gpu, 2), SZ_2M);
	expect_u64(pci_resource_len(gpu, 5), SZ_2M);
	assert_true(dmasim_window(recorded->s, 0, &window));
	expect_u64(window.bus, 0x37);
	expect_u64(window.start, 0xa8800000);
	expect_u64(window.bytes, 5 * SZ_1M);
	assert_true(dmasim_window(recorded->s, 1, &window));
	expect_u64(window.start, 0x234000000000);
	expect_u64(window.start + window.bytes, 0x23c004200000);
	assert_true(window.inferred);
	assert_false(dmasim_window(recorded->s, 2, &window));
}

/* trust: an HPE XD675 is read whole | a real machine's data: its dump, counted by lspci -F */
static void an_hpe_xd675(void **state)
{
	struct recorded *recorded = *state;

	expect_machine(state, "hpe-xd675-part.hex", (struct counts){ 28, 11, 1, 0 });
	expect_u64(pci_resource_len(recorded_dev(recorded, "33:00.0"), 0), SZ_256G);
	/* AMD's CPU: between two root ports. */
	assert_int_equal(pci_p2pdma_distance(recorded_dev(recorded, "33:00.0"),
					     &recorded_dev(recorded, "35:00.0")->dev, false),
			 6 + 2);
}

/*
 * trust: a pSeries with PCI-X is read whole
 * | a real machine's data: its dump, counted by lspci -F
 */
static void a_pseries_with_pci_x(void **state)
{
	expect_machine(state, "pciutils-PCI-X-bridges-and-domains.hex",
		       (struct counts){ 31, 17, 5, 0 });
}

/*
 * trust: a GPU of a Skylake machine is read
 * | a real machine's data: its dump, counted by lspci -F
 */
static void a_skylake_gpu_alone(void **state)
{
	expect_machine(state, "pciutils-cap-pasid-pri.hex", (struct counts){ 1, 0, 1, 0 });
}

/* trust: an Asus P6T6 is read whole | a real machine's data: its dump, counted by lspci -F */
static void an_asus_p6t6(void **state)
{
	struct recorded *recorded = *state;

	expect_machine(state, "pciutils-tree-asus-p6t6.hex", (struct counts){ 53, 10, 2, 4 });
	/* Function 00.0 has the registers of a root port, but no bridge's header. */
	assert_false(pci_is_bridge(recorded_dev(recorded, "00:00.0")));
	recorded_dev(recorded, "ff:06.3");
}

/*
 * trust: a Freescale P2020 is read whole
 * | a real machine's data: its dump, counted by lspci -F
 */
/* The root ports of three domains all have a BAR at 0xfff00000: it is the first one's. */
static void a_freescale_p2020(void **state)
{
	struct recorded *recorded = *state;
	struct dmasim_window window;
	u32 with_it = 0, count = 0;

	expect_machine(state, "pciutils-tree-fsl-p2020.hex", (struct counts){ 6, 3, 3, 0 });
	for (; dmasim_window(recorded->s, count, &window); count++) {
		if (window.start != 0xfff00000)
			continue;
		expect_u64(window.segment, 0);
		with_it++;
	}
	expect_u64(with_it, 1);
	expect_u64(count, 4);
}

/*
 * trust: a SiFive Unmatched is read whole
 * | a real machine's data: its dump, counted by lspci -F
 */
static void a_sifive_unmatched(void **state)
{
	struct recorded *recorded = *state;

	expect_machine(state, "sifive-unmatched-asm2824.hex", (struct counts){ 18, 11, 1, 2 });
	/* Five bridges above a conventional card. */
	assert_ptr_equal(pci_upstream_bridge(recorded_dev(recorded, "09:02.0")),
			 recorded_dev(recorded, "08:00.0"));
	assert_int_equal(recorded_dev(recorded, "08:00.0")->express_type, PCI_EXP_TYPE_PCI_BRIDGE);
}

/* trust: a Talos II is read whole | a real machine's data: its dump, counted by lspci -F */
/* Three of its ten host bridges use the same bus addresses. */
static void a_talos_ii(void **state)
{
	struct recorded *recorded = *state;
	struct dmasim_window window;

	expect_machine(state, "talos2-power9.hex", (struct counts){ 16, 11, 10, 0 });
	assert_true(dmasim_window(recorded->s, 0, &window));
	expect_u64(window.segment, 3);
	expect_u64(window.start, 0x80000000);
	assert_true(dmasim_window(recorded->s, 1, &window));
	expect_u64(window.segment, 4);
	expect_u64(window.start, 0x6024000000000);
	assert_false(dmasim_window(recorded->s, 2, &window));
	assert_non_null(strstr(recorded->error.text, "2 ranges of addresses belong to two"));
}

/* The text of -vvv between header and registers changes nothing. */
static void the_same_laptop_with_the_text_of_vvv(void **state)
{
	expect_machine(state, "alderlake-laptop-gl9755.txt", (struct counts){ 29, 6, 1, 6 });
}

/*
 * trust: a Dell XE9680 is read from text
 * | a real machine's data: its dump, counted by lspci -F
 */
static void the_same_dell_by_its_text_alone(void **state)
{
	expect_machine(state, "dell-xe9680-part.vvv.txt", (struct counts){ 16, 8, 1, 6 });
}

/* ---- Peer-to-peer in the Dell (facts "dma-api" 8.5) ----------------------------------------- */

static void expect_type(struct recorded *recorded, bool acs_off, enum pci_p2pdma_map_type type)
{
	struct pci_dev *gpu, *nvme;

	recorded_find(recorded, "dell-xe9680-part.hex");
	recorded_import(recorded, &(struct dmasim_import){ .acs_off = acs_off });
	gpu = recorded_dev(recorded, "3d:00.0");
	nvme = recorded_dev(recorded, "3a:00.0");
	expect_ok(pcim_p2pdma_init(gpu));
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(gpu, 0), &nvme->dev), type);
	assert_int_equal(pci_p2pdma_distance(gpu, &nvme->dev, false), 6);
}

/*
 * trust: peer-to-peer of a Dell XE9680, by the host bridge
 * | a real machine's data: its topology; the verdict is our reading
 */
static void the_dells_nvme_reaches_its_gpu_through_the_host_bridge(void **state)
{
	expect_type(*state, false, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

/*
 * trust: the same without ACS, by bus address
 * | a real machine's data: its topology; the verdict is our reading
 */
static void without_acs_the_dells_nvme_reaches_its_gpu_by_bus_address(void **state)
{
	struct recorded *recorded = *state;
	struct dmasim_route route;

	expect_type(recorded, true, PCI_P2PDMA_MAP_BUS_ADDR);
	dmasim_route(recorded_dev(recorded, "3a:00.0"), 0x238000000000, true, &route);
	assert_true(route.in_bar);
	assert_false(route.passed_root);
	expect_u64(route.hop[route.count - 1].at, recorded_dev(recorded, "3d:00.0")->dev.id);
}

/* One port that redirects is enough: here the GPU's own, 3c:00.0. */
static void one_port_that_redirects_is_enough(void **state)
{
	struct recorded *recorded = *state;
	struct pci_dev *port;

	recorded_find(recorded, "dell-xe9680-part.hex");
	recorded_import(recorded, &(struct dmasim_import){ .acs_off = true });
	port = recorded_dev(recorded, "3c:00.0");
	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, PCI_ACS_RR);
	expect_ok(pcim_p2pdma_init(recorded_dev(recorded, "3d:00.0")));
	assert_int_equal(
		pci_p2pdma_map_type(pcim_p2pdma_provider(recorded_dev(recorded, "3d:00.0"), 0),
				    &recorded_dev(recorded, "3a:00.0")->dev),
		PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

/* ---- Text and registers of one machine ------------------------------------------------------ */

/* Writes the file without its hexadecimal lines. */
static void write_text_alone(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	char line[4096];

	assert_non_null(in);
	assert_non_null(out);
	while (fgets(line, sizeof(line), in)) {
		unsigned int offset, byte;

		if (sscanf(line, "%x: %2x %2x %2x", &offset, &byte, &byte, &byte) != 4)
			fputs(line, out);
	}
	fclose(in);
	fclose(out);
}

/* How much of one machine's text and registers could be compared. */
static u32 expect_same_by_text(void **state, const char *text, const char *hex, u32 *told_more)
{
	struct recorded *recorded = *state;
	struct same same = { .what = text, .names = true, .told_more_counts = true };
	char path[] = "/tmp/dmasim-text-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	recorded_find(recorded, text);
	write_text_alone(recorded->path, path);
	same.text = dmasim_create(NULL);
	expect_ok(dmasim_import_lspci(same.text, path, NULL, &recorded->error));
	unlink(path);
	recorded_find(recorded, hex);
	recorded_import(recorded, NULL);
	same.hex = recorded->s;
	same_machine(&same);
	dmasim_destroy(same.text);
	*told_more += same.told_more;
	return same.compared;
}

/*
 * trust: the text alone of five machines, compared with their registers
 * | a real machine's data: lspci -vvv and -xxx of one moment
 */
static void the_text_of_a_machine_is_its_registers(void **state)
{
	static const char *const files[][2] = {
		{ "alderlake-laptop-gl9755.txt", "alderlake-laptop-gl9755.hex" },
		{ "arm-n1sdp.txt", "arm-n1sdp.hex" },
		{ "dell-xe9680-part.vvv.txt", "dell-xe9680-part.hex" },
		{ "hpe-xd675-part.vvv.txt", "hpe-xd675-part.hex" },
		{ "talos2-power9.txt", "talos2-power9.hex" },
	};

	u32 told_more = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_true(expect_same_by_text(state, files[i][0], files[i][1], &told_more) > 200);
	/* An I2C controller of the laptop that sleeps. */
	expect_u64(told_more, 1);
}

/* trust: text that others pasted is read whole | a real machine's data: counted by grep */
static void machines_of_which_there_is_text_alone(void **state)
{
	expect_machine(state, "amd-raven-embedded-switch.txt", (struct counts){ 44, 12, 1, 19 });
	expect_machine(state, "asm1812-switch.txt", (struct counts){ 11, 7, 1, 6 });
	/* Two more are in a domain of VMD. */
	expect_machine(state, "dell-xps9320-tb4-dock.txt", (struct counts){ 36, 11, 2, 8 });
	expect_machine(state, "haswell-ep-server.txt", (struct counts){ 86, 10, 2, 4 });
	expect_machine(state, "icelake-laptop-8a12.txt", (struct counts){ 25, 4, 1, 2 });
	expect_machine(state, "microtca-pex8748.txt", (struct counts){ 42, 24, 1, 20 });
	expect_machine(state, "nxp-ls1028a-rcie.txt", (struct counts){ 8, 0, 1, 7 });
}

TEST_MAIN_UNLESS(recorded_missing, RECORDED_TEST(an_alder_lake_laptop), RECORDED_TEST(an_arm_n1sdp),
		 RECORDED_TEST(a_dell_xe9680), RECORDED_TEST(an_hpe_xd675),
		 RECORDED_TEST(a_pseries_with_pci_x), RECORDED_TEST(a_skylake_gpu_alone),
		 RECORDED_TEST(an_asus_p6t6), RECORDED_TEST(a_freescale_p2020),
		 RECORDED_TEST(a_sifive_unmatched), RECORDED_TEST(a_talos_ii),
		 RECORDED_TEST(the_same_laptop_with_the_text_of_vvv),
		 RECORDED_TEST(the_same_dell_by_its_text_alone),
		 RECORDED_TEST(the_text_of_a_machine_is_its_registers),
		 RECORDED_TEST(machines_of_which_there_is_text_alone),
		 RECORDED_TEST(the_dells_nvme_reaches_its_gpu_through_the_host_bridge),
		 RECORDED_TEST(without_acs_the_dells_nvme_reaches_its_gpu_by_bus_address),
		 RECORDED_TEST(one_port_that_redirects_is_enough))
