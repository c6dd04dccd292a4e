/* SPDX-License-Identifier: MIT */
/*
 * Capabilities in text, files around it, and names.
 */
#include "unit/api/dump.h"

#define HEAD                                                              \
	"01:00.0 Ethernet controller [0200]: Nobody Device [d51a:0001]\n" \
	"\tControl: I/O- Mem+ BusMaster+\n\tStatus: Cap+\n"
#define EXP "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n"

static struct pci_dev *import_one(void **state, const char *text)
{
	struct dump *dump = *state;
	int err = dump_import_text(dump, text);

	if (err)
		print_error("%s\n", dump->error.text);
	expect_ok(err);
	return dump_dev(dump, "01:00.0");
}

static u32 read_word(struct pci_dev *pdev, int where)
{
	u16 value;

	pci_read_config_word(pdev, where, &value);
	return value;
}

/* ---- Capabilities --------------------------------------------------------------------------- */

static void expect_type(void **state, const char *said, s32 type)
{
	struct dump *dump = *state;
	char text[1000];

	snprintf(text, sizeof(text), HEAD "\tCapabilities: [40] Express %s\n", said);
	assert_int_equal(import_one(state, text)->express_type, type);
	dmasim_destroy(dump->s);
	dump->s = dmasim_create(NULL);
}

/*
 * trust: each type of PCI Express function, in the words of old and new lspci
 * | our reading of the facts: lspci
 */
static void types_of_express(void **state)
{
	expect_type(state, "(v2) Endpoint, MSI 00", PCI_EXP_TYPE_ENDPOINT);
	expect_type(state, "(v1) Legacy Endpoint, MSI 00", PCI_EXP_TYPE_LEG_END);
	expect_type(state, "(v2) Root Port (Slot+), MSI 00", PCI_EXP_TYPE_ROOT_PORT);
	expect_type(state, "Root Port (Slot-), IntMsgNum 0", PCI_EXP_TYPE_ROOT_PORT);
	expect_type(state, "Upstream Port, IntMsgNum 0", PCI_EXP_TYPE_UPSTREAM);
	expect_type(state, "(v2) Downstream Port (Slot+), MSI 00", PCI_EXP_TYPE_DOWNSTREAM);
	expect_type(state, "(v2) PCI-Express to PCI/PCI-X Bridge, MSI 00", PCI_EXP_TYPE_PCI_BRIDGE);
	expect_type(state, "(v1) PCI/PCI-X to PCI-Express Bridge", PCI_EXP_TYPE_PCIE_BRIDGE);
	expect_type(state, "Root Complex Integrated Endpoint, IntMsgNum 0", PCI_EXP_TYPE_RC_END);
	expect_type(state, "(v2) Root Complex Event Collector, MSI 00", PCI_EXP_TYPE_RC_EC);
}

/* trust: ACS in the text of lspci -vvv | our reading of the facts: lspci */
static void acs_with_its_bits(void **state)
{
	struct pci_dev *pdev =
		import_one(state, HEAD EXP
			   "\tCapabilities: [220 v1] Access Control Services\n"
			   "\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ "
			   "EgressCtrl- DirectTrans+\n"
			   "\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ "
			   "EgressCtrl- DirectTrans-\n");

	expect_u64(pdev->acs_cap, 0x220);
	expect_u64(read_word(pdev, 0x224), 0x5f);
	expect_u64(read_word(pdev, 0x226), 0x1d);
	assert_true(dmasim_acs_known(pdev));
}

/* trust: ACS that lspci -v names and does not show | our reading of the facts: lspci */
static void acs_without_its_bits(void **state)
{
	struct pci_dev *pdev =
		import_one(state, HEAD EXP "\tCapabilities: [220] Access Control Services\n");

	expect_u64(pdev->acs_cap, 0x220);
	assert_false(dmasim_acs_known(pdev));
}

static void capabilities_are_linked_in_their_order(void **state)
{
	struct pci_dev *pdev = import_one(
		state, HEAD "\tCapabilities: [80] MSI: Enable+ Count=1/1 Maskable- 64bit+\n" EXP
			    "\tCapabilities: [c8] Something of tomorrow\n"
			    "\tCapabilities: [150 v2] Advanced Error Reporting\n"
			    "\tCapabilities: [148 v1] Extended Capability ID 0x2a\n");

	expect_u64(read_word(pdev, PCI_CAPABILITY_LIST), 0x80);
	expect_u64(read_word(pdev, 0x80), 0x4005);
	expect_u64(read_word(pdev, 0x40), 0xc810);
	expect_u64(read_word(pdev, 0xc8), 0);
	/* The list of extended ones begins at 0x100. */
	expect_u64(read_word(pdev, 0x102), 0x1500);
	expect_u64(read_word(pdev, 0x150), 0x01);
	expect_u64(read_word(pdev, 0x152), 0x1482);
	expect_u64(read_word(pdev, 0x148), 0x2a);
}

/* trust: SR-IOV in text | our reading of the facts: lspci */
static void virtual_functions(void **state)
{
	struct pci_dev *pdev =
		import_one(state, HEAD EXP
			   "\tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)\n"
			   "\t\tIOVCap:\tMigration-, Interrupt Message Number: 000\n"
			   "\t\tIOVCtl:\tEnable- Migration- Interrupt- MSE+ ARIHierarchy+\n"
			   "\t\tInitial VFs: 8, Total VFs: 16, Number of VFs: 4, Function "
			   "Dependency Link: 00\n"
			   "\t\tVF offset: 128, stride: 2, Device ID: 1520\n"
			   "\t\tSupported Page Size: 00000553, System Page Size: 00000001\n"
			   "\t\tRegion 0: Memory at 00000000fd2a0000 (64-bit, prefetchable)\n");

	expect_u64(read_word(pdev, 0x168), 0x18);
	expect_u64(read_word(pdev, 0x16c), 8);
	expect_u64(read_word(pdev, 0x16e), 16);
	expect_u64(read_word(pdev, 0x170), 4);
	expect_u64(read_word(pdev, 0x174), 128);
	expect_u64(read_word(pdev, 0x176), 2);
	expect_u64(read_word(pdev, 0x17a), 0x1520);
	expect_u64(read_word(pdev, 0x17c), 0x0553);
	expect_u64(read_word(pdev, 0x184), 0x000c);
	expect_u64(read_word(pdev, 0x186), 0xfd2a);
}

/* trust: ATS, PRI, PASID and ARI in text | our reading of the facts: lspci */
static void other_extended_capabilities(void **state)
{
	struct pci_dev *pdev = import_one(
		state,
		HEAD EXP "\tCapabilities: [100 v1] Address Translation Service (ATS)\n"
			 "\t\tATSCap:\tInvalidate Queue Depth: 1f\n"
			 "\t\tATSCtl:\tEnable+, Smallest Translation Unit: 02\n"
			 "\tCapabilities: [110 v1] Page Request Interface (PRI)\n"
			 "\t\tPRICtl: Enable+ Reset-\n"
			 "\t\tPRISta: RF- UPRGI- Stopped+ PASID+\n"
			 "\t\tPage Request Capacity: 00000100, Page Request Allocation: 00000020\n"
			 "\tCapabilities: [120 v1] Process Address Space ID (PASID)\n"
			 "\t\tPASIDCap: Exec+ Priv-, Max PASID Width: 14\n"
			 "\t\tPASIDCtl: Enable+ Exec- Priv-\n"
			 "\tCapabilities: [130 v1] Alternative Routing-ID Interpretation (ARI)\n"
			 "\t\tARICap:\tMFVC- ACS-, Next Function: 1\n"
			 "\t\tARICtl:\tMFVC- ACS-, Function Group: 2\n");

	expect_u64(read_word(pdev, 0x104), 0x001f);
	expect_u64(read_word(pdev, 0x106), 0x8002);
	expect_u64(read_word(pdev, 0x114), 0x0001);
	expect_u64(read_word(pdev, 0x116), 0x8100);
	expect_u64(read_word(pdev, 0x118), 0x0100);
	expect_u64(read_word(pdev, 0x11c), 0x0020);
	expect_u64(read_word(pdev, 0x124), 0x1402);
	expect_u64(read_word(pdev, 0x126), 0x0001);
	expect_u64(read_word(pdev, 0x134), 0x0100);
	expect_u64(read_word(pdev, 0x136), 0x0020);
}

/* trust: sizes of a resizable BAR in text | our reading of the facts: lspci */
static void a_resizable_bar(void **state)
{
	struct pci_dev *pdev = import_one(
		state, HEAD "\tRegion 0: Memory at 4000000000 (64-bit, prefetchable)\n" EXP
			    "\tCapabilities: [200 v1] Physical Resizable BAR\n"
			    "\t\tBAR 0: current size: 8GB, supported: 256MB 512MB 8GB\n"
			    "\t\tBAR 2: current size: 2MB, supported: 2MB 4MB\n");

	expect_u64(pci_resource_len(pdev, 0), 8ULL << 30);
	expect_u64(read_word(pdev, 0x208), 13 << 8 | 2 << 5);
	expect_u64(read_word(pdev, 0x210), 1 << 8 | 2);
}

static void the_express_capability(void **state)
{
	struct pci_dev *pdev = import_one(
		state, HEAD EXP "\t\tDevCap:\tMaxPayload 512 bytes, PhantFunc 0\n"
				"\t\t\tExtTag+ RBE+ FLReset+\n"
				"\t\tDevCtl:\tCorrErr-\n"
				"\t\t\tRlxdOrd- ExtTag-\n"
				"\t\t\tMaxPayload 256 bytes, MaxReadReq 1024 bytes\n"
				"\t\tLnkCap:\tPort #3, Speed 16GT/s, Width x8\n"
				"\t\tDevCap2: Completion Timeout: Not Supported\n"
				"\t\t\t FRS- ARIFwd+\n"
				"\t\tDevCtl2: Completion Timeout: 50us to 50ms, ARIFwd+\n");

	expect_u64(read_word(pdev, 0x44), 2);
	expect_u64(read_word(pdev, 0x46), 0x1000);
	expect_u64(read_word(pdev, 0x48), 0x3020);
	expect_u64(read_word(pdev, 0x4e), 0x0300);
	expect_u64(read_word(pdev, 0x64), 0x0020);
	expect_u64(read_word(pdev, 0x68), 0x0020);
}

/*
 * trust: ACS of Intel's 100 series in text, where lspci looks in the wrong place
 * | our reading of the facts: dma-api 19.1, 19.3
 */
static void acs_that_lspci_cannot_see(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev = import_one(
		state,
		"01:00.0 PCI bridge [0604]: Intel Corporation X [8086:a110]\n\tControl: Mem+\n"
		"\tBus: primary=01, secondary=02, subordinate=02, sec-latency=0\n"
		"\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n"
		"\tCapabilities: [140 v1] Access Control Services\n"
		"\t\tACSCap:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd- EgressCtrl-\n"
		"\t\tACSCtl:\tSrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- "
		"EgressCtrl-\n");

	expect_u64(read_word(pdev, 0x148), 0x0d);
	assert_non_null(strstr(dump->error.text, "ACS assumed"));
}

/* ---- Files ---------------------------------------------------------------------------------- */

static void expect_acs(struct pci_dev *pdev)
{
	expect_u64(pdev->acs_cap, 0x220);
	expect_u64(read_word(pdev, 0x226), 0x1d);
	expect_u64(pci_resource_len(pdev, 0), 16 << 10);
}

#define MAIL                                                                            \
	"> > 01:00.0 Ethernet controller [0200]: Nobody Device\r\n"                     \
	"> > [d51a:0001] (rev 01)\r\n"                                                  \
	">> Control: I/O- Mem+\r\n"                                                     \
	"> >BusMaster+\r\n"                                                             \
	"|> IOMMU group: 7\r\n"                                                         \
	"> > Region 0: Memory at 90000000 (32-bit, non-prefetchable)\r\n"               \
	"> > [size=16K]\r\n"                                                            \
	"> > Capabilities: [40] Express (v2)\r\n> > Endpoint, MSI 00\r\n"               \
	"> > Capabilities: [220 v1] Access Control\r\n> > Services\r\n"                 \
	"> > ACSCap: SrcValid+ TransBlk+ ReqRedir+ CmpltRedir+\r\n> > UpstreamFwd+\r\n" \
	"> > ACSCtl: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+\r\n> > UpstreamFwd+ "    \
	"EgressCtrl-\r\n"

/* What is noted of a function of which nothing above is in the file. */
#define PART                                                                               \
	"1 function (0000:01:00.0) whose bus no bridge in the file leads to: taken for a " \
	"root bus, as if nothing were above it"

/*
 * trust: quotes, lost indentation, wrapped lines and other line ends
 * | our reading of the facts: lspci
 */
static void a_mail(void **state)
{
	expect_acs(import_one(state,
			      "Somebody wrote:\n> Here it is:\n> > -[0000:00]-+-00.0  Host bridge\n"
			      "> >            \\-01.0-[01]----00.0  Nobody\n" MAIL
			      "> \n01:00.0 is the one.\n\nd0000000-d7ffffff : 0000:01:00.0\n"
			      "[    0.5] pci 0000:01:00.0: [d51a:0001] type 00\n"));
}

/* trust: lines of IOMMU groups are ignored | our reading of the facts: the same without them */
static void lines_of_groups(void **state)
{
	struct dump *dump = *state;
	char text[] = MAIL, *group = strstr(text, "|> IOMMU");
	struct pci_dev *pdev;

	memmove(group, strchr(group, '\n') + 1, strlen(strchr(group, '\n')));
	pdev = import_one(state, text);
	expect_acs(pdev);
	assert_string_equal(dump->error.text, PART);
}

static const char registers[] = "01:00.0 X\n00: 1a d5 01 00 06 00 10 00 00 00 00 02 00 00 00 00\n"
				"10: 00 00 00 90 00 00 00 00 00 00 00 00 00 00 00 00\n"
				"20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
				"30: 00 00 00 00 40 00 00 00 00 00 00 00 00 00 00 00\n\n";

/*
 * trust: registers and text of one function apart, in both orders
 * | our reading of the facts: lspci
 */
static void registers_and_text_apart(void **state)
{
	struct dump *dump = *state;
	char text[4000];

	snprintf(text, sizeof(text), "%s%s", registers, MAIL);
	expect_acs(import_one(state, text));
	dmasim_destroy(dump->s);
	dump->s = dmasim_create(NULL);
	snprintf(text, sizeof(text), "%s\n%s", MAIL, registers);
	expect_acs(import_one(state, text));
}

/* trust: a list of functions beside the text of some | our reading of the facts: lspci */
static void a_list_before_the_text(void **state)
{
	struct dump *dump = *state;

	expect_acs(import_one(state, "01:00.0 Ethernet controller: Nobody\n"
				     "02:00.0 Ethernet controller: Nobody\n\n" MAIL));
	assert_string_equal(
		dump->error.text,
		"1 function (0000:02:00.0) left out: listed, and nothing told of them; " PART);
}

/* ---- Names ---------------------------------------------------------------------------------- */

static struct pci_dev *import_names(void **state, const char *names, const char *device)
{
	struct dump *dump = *state;
	struct dmasim_import how = { .ids = dump->path };
	char path[] = "/tmp/dmasim-text-XXXXXX";
	int fd = mkstemp(path);
	FILE *text = fdopen(fd, "w"), *ids = dump_open(dump);

	fputs(names, ids);
	fclose(ids);
	fprintf(text, "01:00.0 Widget: %s (rev 01)\n\tControl: Mem+\n", device);
	fclose(text);
	expect_ok(dmasim_import_lspci(dump->s, path, &how, &dump->error));
	unlink(path);
	unlink(dump->path);
	return dump_dev(dump, "01:00.0");
}

static const char names[] = "# Names\n1000  Maker\n\t0001  Part\n\t\t1234 5678  Sub part\n"
			    "1001  Maker of Parts\n\t0002  Thing (x16)\n\t0003  Twin\n"
			    "\t0004  Twin\n1002  Same\n1003  Same\nC 12  Big\n\t34  Widget\n";

static void expect_ids(struct pci_dev *pdev, u32 vendor, u32 device)
{
	expect_u64(read_word(pdev, PCI_VENDOR_ID), vendor);
	expect_u64(read_word(pdev, PCI_DEVICE_ID), device);
	expect_u64(read_word(pdev, PCI_CLASS_DEVICE), 0x1234);
}

/* trust: names of vendor, device and class become numbers | our reading of the facts: lspci */
static void a_name_with_one_number(void **state)
{
	struct dump *dump = *state;

	expect_ids(import_names(state, names, "Maker of Parts Thing (x16)"), 0x1001, 0x0002);
	assert_string_equal(dump->error.text, "");
}

static void a_device_that_is_a_number(void **state)
{
	expect_ids(import_names(state, names, "Maker of Parts Device 00ab"), 0x1001, 0x00ab);
}

static void a_name_with_two_numbers(void **state)
{
	struct dump *dump = *state;

	expect_ids(import_names(state, names, "Maker of Parts Twin"), 0x1001, 0x0003);
	assert_non_null(strstr(dump->error.text, "the first of which is taken"));
}

/*
 * trust: a name that stands for ids in and out of ACS rules of Linux
 * | our reading of the facts: dma-api 19.1
 */
static void a_name_with_two_numbers_that_differ(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev =
		import_names(state, "8086  Intel Corporation\n\t105f  82571EB\n\t10a4  82571EB\n",
			     "Intel Corporation 82571EB");

	expect_u64(read_word(pdev, PCI_VENDOR_ID), 0x8086);
	expect_u64(read_word(pdev, PCI_DEVICE_ID), 0xfffe);
	assert_non_null(strstr(dump->error.text, "lspci -nn or -xxxx would tell"));
}

static void a_name_nobody_knows(void **state)
{
	expect_ids(import_names(state, names, "Maker Part of tomorrow"), 0x1000, 0xfffe);
}

static void a_vendor_nobody_knows(void **state)
{
	expect_ids(import_names(state, names, "Makers Part"), 0xfffe, 0xfffe);
}

static void a_vendor_with_two_numbers(void **state)
{
	expect_ids(import_names(state, names, "Same Part"), 0xfffe, 0xfffe);
}

static void vendors_that_matter_are_known_without_a_file(void **state)
{
	expect_u64(read_word(import_names(state, "", "Intel Corporation X"), PCI_VENDOR_ID),
		   PCI_VENDOR_ID_INTEL);
}

static void a_file_of_names_that_is_not_there(void **state)
{
	struct dump *dump = *state;
	FILE *file = dump_open(dump);

	fputs("01:00.0 Widget: Maker Part\n\tControl: Mem+\n", file);
	fclose(file);
	expect_error(dmasim_import_lspci(dump->s, dump->path,
					 &(struct dmasim_import){ .ids = "/nowhere/pci.ids" },
					 &dump->error),
		     -EINVAL);
	unlink(dump->path);
	assert_non_null(strstr(dump->error.text, "'/nowhere/pci.ids': No such file or directory; "
						 "expected a file of names, pci.ids"));
	expect_u64(dump_count(dump), 0);
}

TEST_MAIN(DUMP_TEST(types_of_express), DUMP_TEST(acs_with_its_bits),
	  DUMP_TEST(acs_without_its_bits), DUMP_TEST(capabilities_are_linked_in_their_order),
	  DUMP_TEST(virtual_functions), DUMP_TEST(other_extended_capabilities),
	  DUMP_TEST(a_resizable_bar), DUMP_TEST(the_express_capability),
	  DUMP_TEST(acs_that_lspci_cannot_see), DUMP_TEST(a_mail), DUMP_TEST(lines_of_groups),
	  DUMP_TEST(registers_and_text_apart), DUMP_TEST(a_list_before_the_text),
	  DUMP_TEST(a_name_with_one_number), DUMP_TEST(a_device_that_is_a_number),
	  DUMP_TEST(a_name_with_two_numbers), DUMP_TEST(a_name_with_two_numbers_that_differ),
	  DUMP_TEST(a_name_nobody_knows), DUMP_TEST(a_vendor_nobody_knows),
	  DUMP_TEST(a_vendor_with_two_numbers),
	  DUMP_TEST(vendors_that_matter_are_known_without_a_file),
	  DUMP_TEST(a_file_of_names_that_is_not_there))
