/* SPDX-License-Identifier: MIT */
/*
 * The text of lspci on its way through mails, pages, terminals and patches: what it is read as, and
 * what is refused because it would be read as another machine.
 */
#include "unit/api/dump.h"

#define ROOT "00:00.0 Host bridge [0600]: Intel Corporation Device [8086:2020] (rev 07)\n"
#define NVME "01:00.0 Non-Volatile memory controller [0108]: Nobody Device [d51a:0001]\n"
#define PORT "00:01.0 PCI bridge [0604]: Nobody Device [d51a:0002]\n"
#define ON   "\tControl: I/O+ Mem+ BusMaster+ SpecCycle-\n"
#define BUS1 "\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n"

#define NBSP	"\xc2\xa0"
#define BOM	"\xef\xbb\xbf"
#define EN_QUAD "\xe2\x80\x80"

static u32 read_dword(struct pci_dev *pdev, int where)
{
	u32 value;

	pci_read_config_dword(pdev, where, &value);
	return value;
}

/* The numbers and the command register of each of `bdf`. */
static void expect_read(void **state, const char *text, const char *bdf)
{
	struct dump *dump = *state;
	int err = dump_import_text(dump, text);
	struct pci_dev *pdev;

	if (err)
		print_error("%s\n", dump->error.text);
	expect_ok(err);
	pdev = dump_dev(dump, bdf);
	expect_u64(read_dword(pdev, PCI_VENDOR_ID), 0x0001d51a);
	expect_u64(read_dword(pdev, PCI_COMMAND) & 0xffff, 0x0007);
	dmasim_destroy(dump->s);
	dump->s = dmasim_create(NULL);
}

static void expect_refused(void **state, const char *text, const char *told)
{
	struct dump *dump = *state;

	expect_error(dump_import_text(dump, text), -EINVAL);
	if (!strstr(dump->error.text, told))
		print_error("%s\n", dump->error.text);
	assert_non_null(strstr(dump->error.text, told));
	expect_u64(dump_count(dump), 0);
}

/* ---- Marks ---------------------------------------------------------------------------------- */

/*
 * trust: spaces that are not ASCII's, as pages and mailers make them
 * | our reading of the facts: UTF-8
 */
static void spaces_of_pages(void **state)
{
	expect_read(state,
		    "01:00.0" NBSP "Non-Volatile" NBSP "memory" NBSP "controller" NBSP
		    "[0108]:" NBSP "Nobody Device" NBSP "[d51a:0001]\n" NBSP NBSP " " NBSP
		    "Control:" EN_QUAD "I/O+" NBSP "Mem+" NBSP "BusMaster+\n",
		    "01:00.0");
}

/* The first line is not lost. */
static void a_mark_of_byte_order(void **state)
{
	expect_read(state, BOM NVME ON, "01:00.0");
}

static void a_page(void **state)
{
	expect_read(state, "<pre>" NVME ON "</pre>\n", "01:00.0");
}

static void a_terminal(void **state)
{
	expect_read(state,
		    "\x1b[?2004hroot@host:~# lspci -vvv\r\n\x1b[?2004l\r"
		    "01:00.0 \x1b[1mNon-Volatile\x1b[0m memory controller [0108]: Nobody Device "
		    "[d51a:0001]\r\n" ON "\x1b[",
		    "01:00.0");
}

static void a_patch(void **state)
{
	expect_read(state, "+" NVME "+" ON "+\n", "01:00.0");
	expect_read(state, "# " NVME "#" ON, "01:00.0");
	expect_read(state, ": " NVME ": " ON, "01:00.0");
}

/* The number of a port can be what a wrapped line begins with. */
static void a_port_number_at_the_beginning(void **state)
{
	struct dump *dump = *state;

	expect_ok(dump_import_text(dump, PORT ON BUS1
				   "\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n"
				   "\t\tLnkCap: Port\n#7, Speed 8GT/s\n"));
	expect_u64(read_dword(dump_dev(dump, "00:01.0"), 0x4c) >> 24, 7);
}

/* ---- Empty lines ---------------------------------------------------------------------------- */

/* trust: an empty line after each line | our reading of the facts: lspci */
static void an_empty_line_after_each(void **state)
{
	expect_read(state,
		    "00:00.0 Host bridge [0600]: Intel Corporation Device [8086:2020]\n\n"
		    "\tControl: I/O- Mem+ BusMaster+\n\n\n\n"
		    "01:00.0 Non-Volatile memory controller [0108]: Nobody Device [d51a:0001]\n\n"
		    "\tSubsystem: Nobody Device 0001\n\n" ON "\n\n\n"
		    "Control: none of the device's\n",
		    "01:00.0");
}

static void a_list_is_no_text(void **state)
{
	expect_refused(state, ROOT "\n" NVME "\n\n" ON, ":1: 0000:00:00.0 has no registers");
}

/* ---- Wrapped lines -------------------------------------------------------------------------- */

/* trust: lines that are wrapped before a word and a colon | our reading of the facts: lspci */
static void the_rest_of_a_line_with_a_colon(void **state)
{
	struct dump *dump = *state;

	expect_read(
		state,
		"01:00.0 Non-Volatile memory\ncontroller [0108]: Nobody Device [d51a:0001]\n" ON,
		"01:00.0");
	expect_ok(dump_import_text(dump, PORT ON BUS1 "\tPrefetchable memory behind\n"
						      "bridge: 90000000-900fffff [size=1M]\n"));
	expect_u64(dump_dev(dump, "00:01.0")->prefetch_window.last, 0x900fffff);
}

/* ---- What is not told ----------------------------------------------------------------------- */

/* lspci -k: subsystems and drivers, and no bus that is behind a bridge. */
static void drivers_are_no_registers(void **state)
{
	expect_refused(state,
		       ROOT
		       "\tSubsystem: Nobody Device [1043:8694]\n" PORT
		       "\tKernel driver in use: pcieport\n" NVME
		       "\tSubsystem: Nobody Device [1043:8694]\n\tKernel driver in use: nvme\n",
		       ":1: 0000:00:00.0 has no registers; expected lines like");
}

static void a_bridge_without_its_buses(void **state)
{
	expect_refused(state, ROOT ON "\n" PORT ON "\n" NVME ON,
		       ":4: bridge 0000:00:01.0 does not tell its buses; expected a line 'Bus: "
		       "primary=.., secondary=.., subordinate=..' after it");
	expect_refused(state, "00:01.0 PCI bridge: Nobody\n" ON,
		       ":1: bridge 0000:00:01.0 does not tell its buses");
}

/* One that did not answer, and one whose header is that of an endpoint, have none. */
static void bridges_that_have_no_buses(void **state)
{
	expect_read(state,
		    "00:01.0 PCI bridge [0604]: Nobody Device [d51a:0002] (rev ff)\n"
		    "\t!!! Unknown header type 7f\n\n"
		    "00:02.0 PCI bridge [0604]: Nobody Device [d51a:0001]\n"
		    "\t!!! Invalid class 0604 for header type 00\n" ON,
		    "00:02.0");
}

/* lspci -v has no line of the status register, which says that there is a list. */
static void denied_without_a_status(void **state)
{
	struct dump *dump = *state;

	expect_ok(dump_import_text(dump, NVME "\tFlags: bus master, fast devsel, latency 0\n"
					      "\tCapabilities: <access denied>\n"));
	assert_true(read_dword(dump_dev(dump, "01:00.0"), PCI_COMMAND) >> 16 & PCI_STATUS_CAP_LIST);
}

/* ---- Twice ---------------------------------------------------------------------------------- */

/* trust: a mail and the answer that quotes it | our reading of the facts: lspci */
static void the_same_twice(void **state)
{
	struct dump *dump = *state;

	expect_ok(dump_import_text(dump, ROOT ON "\n" NVME ON "\nSomebody wrote:\n> " ROOT ">" ON
						 ">\n> " NVME "> " ON));
	expect_u64(dump_count(dump), 2);
	assert_string_equal(dump->error.text,
			    "2 functions in the file more than once, the same each time");
}

static void twice_with_another_state(void **state)
{
	expect_refused(state, NVME ON "\n" NVME "\tControl: I/O+ Mem- BusMaster-\n",
		       ":4: 0000:01:00.0 is in line 1 already, with other registers; expected one "
		       "state of each function");
}

/* ---- Whose machine it is -------------------------------------------------------------------- */

#define FX_BRIDGE	    "00:00.0 Host bridge [0600]: ATI RD9x0 [1002:5a14]\n" ON
#define NORTHBRIDGE(device) "00:18.0 Host bridge [0600]: AMD X [1022:" device "]\n" ON

static int between_devices(void **state, const char *root, const char *northbridge)
{
	struct dump *dump = *state;
	char text[2000];
	int distance;

	snprintf(text, sizeof(text),
		 "%s\n00:01.0 Audio device [0403]: X [1b21:1142]\n" ON
		 "\tRegion 0: Memory at 90000000 (32-bit, non-prefetchable) [size=4K]\n\n"
		 "00:02.0 Audio device [0403]: X [1b21:1142]\n" ON "\n%s",
		 root, northbridge);
	expect_ok(dump_import_text(dump, text));
	distance = pci_p2pdma_distance(dump_dev(dump, "00:01.0"), &dump_dev(dump, "00:02.0")->dev,
				       false);
	dmasim_destroy(dump->s);
	dump->s = dmasim_create(NULL);
	return distance;
}

/* trust: AMD's CPUs before Zen do not forward | our reading of the facts: dma-api 8.5 */
static void the_family_of_an_amd_cpu(void **state)
{
	static const char amd[] = "00:00.0 Host bridge [0600]: AMD X [1022:1450]\n" ON;

	assert_int_equal(between_devices(state, amd, ""), 2);
	assert_int_equal(between_devices(state, amd, NORTHBRIDGE("1460")), 2);
	assert_int_equal(between_devices(state, amd, NORTHBRIDGE("141a")), -1);
}

/* A chipset of another vendor, beside functions of AMD's CPU. */
static void an_amd_cpu_behind_another_chipset(void **state)
{
	assert_int_equal(between_devices(state, FX_BRIDGE, NORTHBRIDGE("1600")), -1);
	assert_int_equal(between_devices(state, FX_BRIDGE, NORTHBRIDGE("1460")), 2);
	assert_int_equal(between_devices(state, FX_BRIDGE, ""), -1);
}

/* ---- Virtual functions ---------------------------------------------------------------------- */

#define VIRTUAL(bus) bus ":10.0 Ethernet controller [0200]: X Virtual Function [d51a:0001]\n" ON

/* trust: who enabled a virtual function is not told | our reading of the facts: lspci */
static void a_virtual_function_on_a_bus_without_a_bridge(void **state)
{
	struct dump *dump = *state;

	expect_ok(dump_import_text(dump, PORT ON "\tBus: primary=00, secondary=01, subordinate=02, "
						 "sec-latency=0\n\n" NVME ON "\n" VIRTUAL("02")));
	expect_u64(dump_count(dump), 2);
	assert_non_null(strstr(dump->error.text, "1 function (0000:02:10.0) left out: virtual "
						 "functions of SR-IOV that no function"));
}

/* As a virtual machine sees it. */
static void a_virtual_function_on_a_root_bus(void **state)
{
	expect_read(state, VIRTUAL("02"), "02:10.0");
}

/* ---- Numbers that decide -------------------------------------------------------------------- */

static bool is_acs_known(void **state, const char *text, const char *bdf)
{
	struct dump *dump = *state;
	bool known;

	expect_ok(dump_import_text(dump, text));
	known = dmasim_acs_known(dump_dev(dump, bdf));
	dmasim_destroy(dump->s);
	dump->s = dmasim_create(NULL);
	return known;
}

#define NAMELESS      "00:01.0 PCI bridge: Intel Corporation Nobody's Port\n" ON BUS1
#define EXPRESS(type) "\tCapabilities: [40] Express (v2) " type ", MSI 00\n" AER
#define AER	      "\tCapabilities: [100 v1] Advanced Error Reporting\n"
#define ACS(control)                                                                       \
	"\tCapabilities: [140 v1] Access Control Services\n"                               \
	"\t\tACSCap: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+\n"             \
	"\t\tACSCtl: SrcValid" control " TransBlk- ReqRedir" control " CmpltRedir" control \
	" UpstreamFwd" control "\n"

/*
 * trust: a port whose number nobody knows may be one that Linux takes for isolating
 * | our reading of the facts: dma-api 19.1
 */
static void a_port_of_unknown_number(void **state)
{
	assert_false(is_acs_known(state, NAMELESS EXPRESS("Root Port"), "00:01.0"));
	assert_false(is_acs_known(state, NAMELESS EXPRESS("Root Port") ACS("-"), "00:01.0"));
	assert_true(is_acs_known(state, NAMELESS EXPRESS("Root Port") ACS("+"), "00:01.0"));
	assert_true(is_acs_known(state, PORT ON BUS1 EXPRESS("Root Port"), "00:01.0"));
}

#define SLOT(class, vendor)                                    \
	"00:02.0 " class ": " vendor " Nobody's\n" ON EXPRESS( \
		"Endpoint") "\n00:02.1 " class ": " vendor " Nobody's\n" ON EXPRESS("Endpoint")

static void functions_of_unknown_number(void **state)
{
	assert_false(
		is_acs_known(state, SLOT("Ethernet controller", "Intel Corporation"), "00:02.0"));
	assert_true(is_acs_known(state, SLOT("USB controller", "Intel Corporation"), "00:02.0"));
	assert_true(is_acs_known(state, SLOT("USB controller", "NVIDIA Corporation"), "00:02.0"));
	assert_false(is_acs_known(state, SLOT("USB controller", "Nobody"), "00:02.0"));
}

/* ---- Parts ---------------------------------------------------------------------------------- */

static void expect_part(void **state, const char *text, bool is_part)
{
	struct dump *dump = *state;

	expect_ok(dump_import_text(dump, text));
	assert_true(!!strstr(dump->error.text, "whose bus no bridge in the file leads to") ==
		    is_part);
	dmasim_destroy(dump->s);
	dump->s = dmasim_create(NULL);
}

/* What has a port above it begins no machine. Bus 0 of a virtual machine is no part. */
static void parts_of_a_machine(void **state)
{
	expect_part(state, NVME ON EXPRESS("Endpoint"), true);
	expect_part(state, "00:01.0 X [0108]: X [d51a:0001]\n" ON EXPRESS("Endpoint"), false);
	expect_part(state, NVME ON EXPRESS("Root Complex Integrated Endpoint"), false);
	expect_part(state, NVME ON, false);
	expect_part(state, PORT ON BUS1 EXPRESS("Upstream Port"), true);
	expect_part(state, PORT ON BUS1 EXPRESS("Root Port") "\n" NVME ON EXPRESS("Endpoint"),
		    false);
}

TEST_MAIN(DUMP_TEST(the_rest_of_a_line_with_a_colon), DUMP_TEST(parts_of_a_machine),
	  DUMP_TEST(the_family_of_an_amd_cpu), DUMP_TEST(an_amd_cpu_behind_another_chipset),
	  DUMP_TEST(a_virtual_function_on_a_bus_without_a_bridge),
	  DUMP_TEST(a_virtual_function_on_a_root_bus), DUMP_TEST(a_port_of_unknown_number),
	  DUMP_TEST(functions_of_unknown_number), DUMP_TEST(spaces_of_pages),
	  DUMP_TEST(a_mark_of_byte_order), DUMP_TEST(a_page), DUMP_TEST(a_terminal),
	  DUMP_TEST(a_patch), DUMP_TEST(a_port_number_at_the_beginning),
	  DUMP_TEST(an_empty_line_after_each), DUMP_TEST(a_list_is_no_text),
	  DUMP_TEST(drivers_are_no_registers), DUMP_TEST(a_bridge_without_its_buses),
	  DUMP_TEST(bridges_that_have_no_buses), DUMP_TEST(denied_without_a_status),
	  DUMP_TEST(the_same_twice), DUMP_TEST(twice_with_another_state))
