/* SPDX-License-Identifier: MIT */
/*
 * The text of lspci -v, -vv and -vvv: what each kind of line becomes.
 */
#include "unit/api/dump.h"

#define ROOT "00:00.0 Host bridge [0600]: Intel Corporation Device [8086:2020] (rev 07)\n"
#define NVME                                                                                 \
	"01:00.0 Non-Volatile memory controller [0108]: Nobody Device [d51a:0001] (rev a1) " \
	"(prog-if 02 [NVM Express])\n"
#define PORT "00:01.0 PCI bridge [0604]: Nobody Device [d51a:0002] (prog-if 00 [Normal decode])\n"
#define ON   "\tControl: I/O+ Mem+ BusMaster+ SpecCycle-\n\tStatus: Cap+ 66MHz-\n"
#define BUS1 "\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n"

static struct pci_dev *import_one(void **state, const char *text, const char *bdf)
{
	struct dump *dump = *state;
	int err = dump_import_text(dump, text);

	if (err)
		print_error("%s\n", dump->error.text);
	expect_ok(err);
	return dump_dev(dump, bdf);
}

static u32 read_config(struct pci_dev *pdev, int where, u32 bytes)
{
	u32 value;

	pci_read_config_dword(pdev, where & ~3, &value);
	value >>= 8 * (where & 3);
	return bytes == 4 ? value : value & ((1U << 8 * bytes) - 1);
}

static void expect_bar(struct pci_dev *pdev, int bar, u64 address, u64 bytes, u64 flags)
{
	expect_u64(pci_bus_address(pdev, bar), address);
	expect_u64(pci_resource_len(pdev, bar), bytes);
	expect_u64(pci_resource_flags(pdev, bar), flags);
	assert_false(dmasim_bar_inferred(pdev, (u32)bar));
}

static void expect_refused(void **state, const char *text, const char *told)
{
	struct dump *dump = *state;

	expect_error(dump_import_text(dump, text), -EINVAL);
	if (!strstr(dump->error.text, told))
		print_error("%s\n", dump->error.text);
	assert_non_null(strstr(dump->error.text, told));
	assert_null(strchr(dump->error.text, '\n'));
	expect_u64(dump_count(dump), 0);
}

/* ---- Headers -------------------------------------------------------------------------------- */

static void expect_numbers(struct pci_dev *pdev)
{
	expect_u64(read_config(pdev, PCI_VENDOR_ID, 4), 0x0001d51a);
	expect_u64(read_config(pdev, PCI_CLASS_REVISION, 4), 0x010802a1);
}

/* trust: numbers in a header line of lspci -nn | our reading of the facts: lspci */
static void numbers_beside_names(void **state)
{
	expect_numbers(import_one(state, NVME ON, "01:00.0"));
}

/* trust: numbers in a header line of lspci -n | our reading of the facts: lspci */
static void numbers_alone(void **state)
{
	expect_numbers(import_one(
		state, "0000:01:00.0 0108: d51a:0001 (rev a1) (prog-if 02 [NVM Express])\n" ON,
		"01:00.0"));
}

static void numbers_of_an_unknown_vendor(void **state)
{
	expect_numbers(import_one(state,
				  "01:00.0 Class 0108: Device d51a:0001 (rev a1) (prog-if 02)\n" ON,
				  "01:00.0"));
}

static void a_function_that_did_not_answer(void **state)
{
	struct dump *dump = *state;

	import_one(state,
		   ROOT ON "\n01:00.0 Ethernet controller [0200]: X Y [8086:1533] (rev ff) "
			   "(prog-if ff)\n\t!!! Unknown header type 7f\n",
		   "01:00.0");
	assert_non_null(strstr(dump->error.text, "1 function (0000:01:00.0) did not answer"));
}

/* ---- Registers ------------------------------------------------------------------------------ */

static void the_command_register(void **state)
{
	struct pci_dev *pdev = import_one(
		state, NVME "\tControl: I/O- Mem+ BusMaster- SERR+ DisINTx+\n", "01:00.0");

	expect_u64(read_config(pdev, PCI_COMMAND, 2), 0x0502);
}

static void regions_with_numbers(void **state)
{
	struct pci_dev *pdev = import_one(
		state,
		NVME ON "\tRegion 0: Memory at 4000000000 (64-bit, prefetchable) [size=256M]\n"
			"\tRegion 2: Memory at 90000000 (32-bit, non-prefetchable) [size=16K]\n"
			"\tRegion 5: I/O ports at e000 [size=32]\n",
		"01:00.0");

	expect_bar(pdev, 0, 0x4000000000, 256 << 20,
		   IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH);
	expect_bar(pdev, 2, 0x90000000, 16 << 10, IORESOURCE_MEM);
	expect_bar(pdev, 5, 0xe000, 32, IORESOURCE_IO);
}

/* trust: BARs of lspci -v, which has no numbers for them | our reading of the facts: lspci */
static void regions_without_numbers(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev =
		import_one(state,
			   NVME "\tFlags: bus master, fast devsel, latency 0, IRQ 16\n"
				"\tMemory at 4000000000 (64-bit, prefetchable) [size=256M]\n"
				"\tMemory at 90000000 (32-bit, non-prefetchable) [size=16K]\n"
				"\tI/O ports at e000 [disabled] [size=32]\n",
			   "01:00.0");

	expect_bar(pdev, 0, 0x4000000000, 256 << 20,
		   IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH);
	expect_bar(pdev, 2, 0x90000000, 16 << 10, IORESOURCE_MEM);
	expect_bar(pdev, 3, 0xe000, 32, IORESOURCE_IO);
	expect_u64(read_config(pdev, PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_non_null(strstr(dump->error.text, "numbered in their order"));
}

/* What the system gave and the device does not decode; what has no address. */
static void regions_that_are_not_there(void **state)
{
	struct pci_dev *pdev = import_one(
		state,
		NVME ON "\tRegion 0: [virtual] Memory at 90000000 (32-bit, non-prefetchable) "
			"[size=16K]\n"
			"\tRegion 1: Memory at <unassigned> (32-bit, non-prefetchable) [size=16K]\n"
			"\tRegion 2: Memory at <ignored> (64-bit, prefetchable) [disabled]\n"
			"\tRegion 4: I/O ports at <unassigned> [disabled]\n"
			"\tRegion 5: Memory at 91000000 (32-bit, non-prefetchable) [virtual] "
			"[size=4K]\n",
		"01:00.0");

	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		expect_u64(pci_resource_len(pdev, bar), 0);
}

/* Enhanced Allocation puts what it calls 32 bits anywhere. */
static void a_region_above_4_gib_that_is_enhanced(void **state)
{
	struct pci_dev *pdev = import_one(
		state,
		NVME ON "\tRegion 0: Memory at 1f8000000 (32-bit, non-prefetchable) [enhanced] "
			"[size=256K]\n",
		"01:00.0");

	expect_bar(pdev, 0, 0x1f8000000, 256 << 10, IORESOURCE_MEM | IORESOURCE_MEM_64);
}

/*
 * A host bridge adds 0x600c000000000: the window is told as the bus has it, the BAR as the CPU has
 * it.
 */
static void a_region_as_the_cpu_has_it(void **state)
{
	struct pci_dev *pdev = import_one(
		state,
		PORT ON BUS1 "\tMemory behind bridge: 80000000-ffefffff [size=2047M]\n\n" NVME ON
			     "\tRegion 0: Memory at 600c080000000 (64-bit, non-prefetchable) "
			     "[size=16K]\n",
		"01:00.0");

	expect_u64(pci_bus_address(pdev, 0), 0x80000000);
}

static void expect_span(const struct pci_bridge_window *window, u64 start, u64 last)
{
	expect_u64(window->start, start);
	expect_u64(window->last, last);
}

/* trust: bus numbers and windows of a bridge in text | our reading of the facts: lspci */
static void a_bridge(void **state)
{
	struct pci_dev *pdev = import_one(
		state,
		PORT "\tSubsystem: Nobody Device [1043:1c62]\n" ON BUS1
		     "\tI/O behind bridge: 4000-4fff [size=4K] [16-bit]\n"
		     "\tMemory behind bridge: 83000000-840fffff [size=17M] [32-bit]\n"
		     "\tPrefetchable memory behind bridge: 6000000000-6201ffffff [size=8224M] "
		     "[32-bit]\n",
		"00:01.0");

	assert_true(pci_is_bridge(pdev));
	expect_u64(read_config(pdev, PCI_PRIMARY_BUS, 4), 0x00010100);
	expect_span(&pdev->window, 0x83000000, 0x840fffff);
	expect_span(&pdev->prefetch_window, 0x6000000000, 0x6201ffffff);
}

static void expect_closed(void **state, const char *memory, const char *prefetchable)
{
	struct dump *dump = *state;
	struct pci_dev *pdev;
	char text[1000];

	snprintf(text, sizeof(text),
		 PORT ON BUS1 "\tMemory behind bridge: %s\n"
			      "\tPrefetchable memory behind bridge: %s\n",
		 memory, prefetchable);
	pdev = import_one(state, text, "00:01.0");
	assert_true(pdev->window.start > pdev->window.last);
	assert_true(pdev->prefetch_window.start > pdev->prefetch_window.last);
	dmasim_destroy(dump->s);
	dump->s = dmasim_create(NULL);
}

static void windows_that_are_closed(void **state)
{
	expect_closed(state, "None", "None");
	expect_closed(state, "[disabled] [32-bit]", "[disabled] [64-bit]");
	expect_closed(state, "fff00000-000fffff [disabled]",
		      "00000000fff00000-00000000000fffff [disabled] [64-bit]");
	expect_closed(state, "fff00000-000fffff", "00000000fff00000-00000000000fffff");
	expect_closed(state, "fff00000-000fffff [empty]", "fff00000-000fffff [empty]");
}

static void a_cardbus_bridge(void **state)
{
	struct pci_dev *pdev =
		import_one(state,
			   "00:01.0 CardBus bridge: Nobody Device 1234:5678\n" ON
			   "\tBus: primary=00, secondary=01, subordinate=04, sec-latency=176\n",
			   "00:01.0");

	expect_u64(read_config(pdev, PCI_HEADER_TYPE, 1) & PCI_HEADER_TYPE_MASK,
		   PCI_HEADER_TYPE_CARDBUS);
}

/* A slot with two functions: both say so. */
static void two_functions_of_a_slot(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev =
		import_one(state, NVME ON "\n01:00.3 0108: d51a:0001\n" ON, "01:00.0");

	assert_true(pdev->multifunction);
	assert_true(dump_dev(dump, "01:00.3")->multifunction);
}

/* ---- What is known -------------------------------------------------------------------------- */

static void expect_known(void **state, const char *text, u32 bytes)
{
	expect_u64(dmasim_config_bytes(import_one(state, text, "01:00.0")), bytes);
}

static void capabilities_that_are_denied(void **state)
{
	expect_known(state, NVME ON "\tCapabilities: <access denied>\n", 64);
}

static void no_extended_capability_anywhere(void **state)
{
	expect_known(state, NVME ON "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n", 256);
}

static void an_extended_capability_somewhere(void **state)
{
	expect_known(state,
		     ROOT ON "\tCapabilities: [100 v1] Advanced Error Reporting\n\n" NVME ON
			     "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n",
		     4096);
}

/* ---- Mistakes ------------------------------------------------------------------------------- */

static void lines_that_are_damaged(void **state)
{
	expect_refused(state, NVME ON "\tRegion 7: Memory at 90000000 (32-bit)\n",
		       ":4: 'Region 7: Memory at 90000000 (32-bit)' is not understood; expected a "
		       "region of 0 to 5");
	expect_refused(state, NVME "\tRegion 0: Memory at nowhere\n",
		       ":2: 'Region 0: Memory at nowhere' is not understood; expected an address");
	expect_refused(state, PORT "\tBus: primary=00, secondary=1\n",
		       ":2: 'Bus: primary=00, secondary=1' is not understood; expected primary=,");
	expect_refused(state, PORT BUS1 "\tMemory behind bridge: 80000000\n",
		       ":3: 'Memory behind bridge: 80000000' is not understood; expected a window");
	expect_refused(state, NVME "\tCapabilities: 40 Express\n",
		       ":2: 'Capabilities: 40 Express' is not understood; expected '[40]'");
	expect_refused(state, PORT BUS1 "\tRegion 2: Memory at 90000000 (32-bit)\n",
		       "of a bridge 0 or 1");
}

static void a_list_alone(void **state)
{
	expect_refused(state, ROOT NVME,
		       ":1: 0000:00:00.0 has no registers; expected lines like '00: 86 80 ...' "
		       "after it, as lspci -xxxx prints them, or the text of lspci -vvv");
}

static void a_path_through_nobody(void **state)
{
	expect_refused(state, "00:01.0/00.0 0108: d51a:0001\n" ON,
		       ":1: the path leads through 0000:00:01.0; expected that bridge before it");
}

TEST_MAIN(DUMP_TEST(numbers_beside_names), DUMP_TEST(numbers_alone),
	  DUMP_TEST(numbers_of_an_unknown_vendor), DUMP_TEST(a_function_that_did_not_answer),
	  DUMP_TEST(the_command_register), DUMP_TEST(regions_with_numbers),
	  DUMP_TEST(regions_without_numbers), DUMP_TEST(regions_that_are_not_there),
	  DUMP_TEST(a_region_above_4_gib_that_is_enhanced), DUMP_TEST(a_region_as_the_cpu_has_it),
	  DUMP_TEST(a_bridge), DUMP_TEST(windows_that_are_closed), DUMP_TEST(a_cardbus_bridge),
	  DUMP_TEST(two_functions_of_a_slot), DUMP_TEST(capabilities_that_are_denied),
	  DUMP_TEST(no_extended_capability_anywhere), DUMP_TEST(an_extended_capability_somewhere),
	  DUMP_TEST(lines_that_are_damaged), DUMP_TEST(a_list_alone),
	  DUMP_TEST(a_path_through_nobody))
