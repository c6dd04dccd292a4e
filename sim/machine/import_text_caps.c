/* SPDX-License-Identifier: MIT */
/*
 * The text of capabilities. Each goes where the text says that it is, and its fields are set by
 * tables: which capability, which tag, which word, which bit.
 *
 *   Capabilities: [220 v1] Access Control Services
 *   	ACSCap:	SrcValid+ TransBlk+ ReqRedir+ ...
 *
 * What a capability is called in some version and in no table has identifier 0, which means
 * nothing; its place keeps those behind it reachable.
 */
#include <ctype.h>
#include <string.h>

#include <dmasim/hw/pci.h>

#include "machine/import_text.h"

#define EXT(id) (IMPORT_EXTENDED | (id))

/* Capability structures that no other file needs to know. */
enum {
	CAP_SUBSYSTEM = 0x0d,
	EXP_DEVCAP2 = 0x24,
	EXP_DEVCTL2 = 0x28,
	EXP_LNKCAP = 0x0c,
	ARI = EXT(0x0e),
	PRI = EXT(0x13),
	PASID = EXT(0x1b),
};

/* Place in the header: no capability. */
#define HEADER 0xffff

static const struct {
	const char *begins;
	u16 id;
} names[] = {
	{ "Power Management", 0x01 },
	{ "AGP", 0x02 },
	{ "Vital Product Data", 0x03 },
	{ "Slot ID", 0x04 },
	{ "MSI:", 0x05 },
	{ "Message Signal", 0x05 },
	{ "CompactPCI hot-swap", 0x06 },
	{ "PCI-X ", 0x07 },
	{ "HyperTransport", 0x08 },
	{ "Vendor Specific Information", 0x09 },
	{ "Debug port", 0x0a },
	{ "CompactPCI central", 0x0b },
	{ "Hot-plug capable", 0x0c },
	{ "Subsystem:", CAP_SUBSYSTEM },
	{ "AGP3", 0x0e },
	{ "Secure device", 0x0f },
	{ "Express", PCI_CAP_ID_EXP },
	{ "MSI-X:", 0x11 },
	{ "SATA HBA", 0x12 },
	{ "PCI Advanced Features", 0x13 },
	{ "Enhanced Allocation", 0x14 },
	{ "Advanced Error Reporting", EXT(0x01) },
	{ "Virtual Channel", EXT(0x02) },
	{ "Device Serial Number", EXT(0x03) },
	{ "Power Budgeting", EXT(0x04) },
	{ "Root Complex Link", EXT(0x05) },
	{ "Root Complex Internal Link", EXT(0x06) },
	{ "Root Complex Event Collector", EXT(0x07) },
	{ "Multi-Function Virtual Channel", EXT(0x08) },
	{ "Root Bridge Control Block", EXT(0x0a) },
	{ "Vendor Specific Information", EXT(0x0b) },
	{ "Access Control Services", EXT(PCI_EXT_CAP_ID_ACS) },
	{ "Alternative Routing-ID", ARI },
	{ "Address Translation Service", EXT(PCI_EXT_CAP_ID_ATS) },
	{ "Single Root I/O Virtualization", EXT(PCI_EXT_CAP_ID_SRIOV) },
	{ "Multi-Root I/O Virtualization", EXT(0x11) },
	{ "Multicast", EXT(0x12) },
	{ "Page Request Interface", PRI },
	{ "Physical Resizable BAR", EXT(PCI_EXT_CAP_ID_REBAR) },
	{ "Resizable BAR", EXT(PCI_EXT_CAP_ID_REBAR) },
	{ "Dynamic Power Allocation", EXT(0x16) },
	{ "Transaction Processing Hints", EXT(0x17) },
	{ "Latency Tolerance Reporting", EXT(0x18) },
	{ "Secondary PCI Express", EXT(0x19) },
	{ "Protocol Multiplexing", EXT(0x1a) },
	{ "Process Address Space ID", PASID },
	{ "LN Requester", EXT(0x1c) },
	{ "Downstream Port Containment", EXT(0x1d) },
	{ "L1 PM Substates", EXT(0x1e) },
	{ "Precision Time Measurement", EXT(0x1f) },
	{ "PCI Express over M_PHY", EXT(0x20) },
	{ "FRS Queueing", EXT(0x21) },
	{ "Readiness Time Reporting", EXT(0x22) },
	{ "Designated Vendor-Specific", EXT(0x23) },
	{ "VF Resizable BAR", EXT(0x24) },
	{ "Virtual Resizable BAR", EXT(0x24) },
	{ "Data Link Feature", EXT(0x25) },
	{ "Physical Layer 16.0 GT/s", EXT(0x26) },
	{ "Lane Margining", EXT(0x27) },
	{ "Hierarchy ID", EXT(0x28) },
	{ "Native PCIe Enclosure Management", EXT(0x29) },
	{ "Physical Layer 32.0 GT/s", EXT(0x2a) },
	{ "Alternate Protocol", EXT(0x2b) },
	{ "System Firmware Intermediary", EXT(0x2c) },
	{ "Data Object Exchange", EXT(0x2e) },
	{ "Integrity & Data Encryption", EXT(0x30) },
	{ "Physical Layer 64.0 GT/s", EXT(0x31) },
};

static const struct {
	const char *name;
	u32 type;
} express_types[] = {
	{ "Endpoint", PCI_EXP_TYPE_ENDPOINT },
	{ "Legacy Endpoint", PCI_EXP_TYPE_LEG_END },
	{ "Root Port", PCI_EXP_TYPE_ROOT_PORT },
	{ "Upstream Port", PCI_EXP_TYPE_UPSTREAM },
	{ "Downstream Port", PCI_EXP_TYPE_DOWNSTREAM },
	{ "PCI-Express to PCI/PCI-X Bridge", PCI_EXP_TYPE_PCI_BRIDGE },
	{ "PCI/PCI-X to PCI-Express Bridge", PCI_EXP_TYPE_PCIE_BRIDGE },
	{ "Root Complex Integrated Endpoint", PCI_EXP_TYPE_RC_END },
	{ "Root Complex Event Collector", PCI_EXP_TYPE_RC_EC },
};

/* Words of a tag in the order of the bits, from bit `first` on; NULL-terminated. */
struct bits {
	u16 id;
	const char *tag;
	u16 at;
	u8 first;
	const char *words[12];
};

static const struct bits bit_words[] = {
	{ HEADER,
	  "Control",
	  PCI_COMMAND,
	  0,
	  { "I/O", "Mem", "BusMaster", "SpecCycle", "MemWINV", "VGASnoop", "ParErr", "Stepping",
	    "SERR", "FastB2B", "DisINTx" } },
	{ HEADER, "Status", PCI_STATUS, 4, { "Cap", "66MHz", "UDF", "FastB2B" } },
	{ HEADER,
	  "BridgeCtl",
	  0x3e,
	  0,
	  { "Parity", "SERR", "NoISA", "VGA", "VGA16", "MAbort", ">Reset", "FastB2B" } },
	{ PCI_CAP_ID_EXP, "DevCap", PCI_EXP_DEVCAP + 2, 12, { "FLReset" } },
	{ PCI_CAP_ID_EXP, "DevCap2", EXP_DEVCAP2, 5, { "ARIFwd" } },
	{ PCI_CAP_ID_EXP, "DevCtl2", EXP_DEVCTL2, 5, { "ARIFwd" } },
	{ EXT(PCI_EXT_CAP_ID_ACS),
	  "ACSCap",
	  PCI_ACS_CAP,
	  0,
	  { "SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl",
	    "DirectTrans" } },
	{ EXT(PCI_EXT_CAP_ID_ACS),
	  "ACSCtl",
	  PCI_ACS_CTRL,
	  0,
	  { "SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl",
	    "DirectTrans" } },
	{ EXT(PCI_EXT_CAP_ID_ATS), "ATSCtl", PCI_ATS_CTRL, 15, { "Enable" } },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "IOVCap", 0x04, 0, { "Migration" } },
	{ EXT(PCI_EXT_CAP_ID_SRIOV),
	  "IOVCtl",
	  0x08,
	  0,
	  { "Enable", "Migration", "Interrupt", "MSE", "ARIHierarchy" } },
	{ ARI, "ARICap", 0x04, 0, { "MFVC", "ACS" } },
	{ ARI, "ARICtl", 0x06, 0, { "MFVC", "ACS" } },
	{ PRI, "PRICtl", 0x04, 0, { "Enable", "Reset" } },
	{ PRI, "PRISta", 0x06, 0, { "RF", "UPRGI" } },
	{ PRI, "PRISta", 0x06, 8, { "Stopped" } },
	{ PRI, "PRISta", 0x06, 15, { "PASID" } },
	{ PASID, "PASIDCap", 0x04, 1, { "Exec", "Priv" } },
	{ PASID, "PASIDCtl", 0x06, 0, { "Enable", "Exec", "Priv" } },
};

/* A number behind a key, anywhere in a line. */
static const struct {
	u16 id;
	const char *key;
	u8 at, bytes, shift, base;
} numbers[] = {
	{ PCI_CAP_ID_EXP, "Port #", EXP_LNKCAP + 3, 1, 0, 10 },
	{ EXT(PCI_EXT_CAP_ID_ATS), "Invalidate Queue Depth: ", PCI_ATS_CAP, 1, 0, 16 },
	{ EXT(PCI_EXT_CAP_ID_ATS), "Smallest Translation Unit: ", PCI_ATS_CTRL, 1, 0, 16 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "Initial VFs: ", 0x0c, 2, 0, 10 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "Total VFs: ", PCI_SRIOV_TOTAL_VF, 2, 0, 10 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "Number of VFs: ", 0x10, 2, 0, 10 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "Function Dependency Link: ", 0x12, 1, 0, 16 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "VF offset: ", PCI_SRIOV_VF_OFFSET, 2, 0, 10 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "stride: ", PCI_SRIOV_VF_STRIDE, 2, 0, 10 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "Device ID: ", 0x1a, 2, 0, 16 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "Supported Page Size: ", 0x1c, 4, 0, 16 },
	{ EXT(PCI_EXT_CAP_ID_SRIOV), "System Page Size: ", 0x20, 4, 0, 16 },
	{ ARI, "Next Function: ", 0x05, 1, 0, 10 },
	{ ARI, "Function Group: ", 0x06, 1, 4, 10 },
	{ PRI, "Page Request Capacity: ", 0x08, 4, 0, 16 },
	{ PRI, "Page Request Allocation: ", 0x0c, 4, 0, 16 },
	{ PASID, "Max PASID Width: ", 0x05, 1, 0, 16 },
};

/* ---- Words and numbers ------------------------------------------------ */

static void set_word(struct import_text *text, const struct bits *bits, u32 base, const char *word,
		     size_t length)
{
	u32 at = base + bits->at;

	for (u32 i = 0; i < 12 && bits->words[i]; i++) {
		if (strlen(bits->words[i]) != length - 1 ||
		    strncmp(bits->words[i], word, length - 1) != 0)
			continue;
		import_text_put(text, at, 2,
				import_text_get(text, at, 2) | (u32)(word[length - 1] == '+')
								       << (bits->first + i));
	}
}

/* "Tag: Word+ Word- Word+, ..." */
static void set_words(struct import_text *text, const struct bits *bits, u32 base, const char *at)
{
	while (*at) {
		size_t length = strcspn(at, " ,;");

		if (length > 1 && strchr("+-", at[length - 1]))
			set_word(text, bits, base, at, length);
		at += length + (at[length] != '\0');
	}
}

static void set_tagged(struct import_text *text, u16 id, u32 base, const char *line)
{
	size_t tag = strcspn(line, ":");

	for (size_t i = 0; i < sizeof(bit_words) / sizeof(bit_words[0]); i++) {
		const struct bits *bits = &bit_words[i];

		if (bits->id == id && strlen(bits->tag) == tag && !strncmp(bits->tag, line, tag) &&
		    line[tag])
			set_words(text, bits, base, line + tag + 1);
	}
}

void import_text_bits(struct import_text *text, const char *line)
{
	set_tagged(text, HEADER, 0, line);
}

static u32 digit_of(char c)
{
	u32 digit = 16;

	import_read_digits(&c, 1, &digit);
	return isxdigit((unsigned char)c) ? digit : 16;
}

/* As many digits as there are, as large as 32 bits hold. */
static u32 number_at(const char *at, u32 base)
{
	u64 value = 0;

	for (; digit_of(*at) < base && value <= 0xffffffff; at++)
		value = value * base + digit_of(*at);
	return value <= 0xffffffff ? (u32)value : 0;
}

static void set_numbers(struct import_text *text, const char *line)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *at;
		u32 where = text->at + numbers[i].at;

		if (numbers[i].id != text->id)
			continue;
		at = strstr(line, numbers[i].key);
		if (!at)
			continue;
		import_text_put(text, where, numbers[i].bytes,
				import_text_get(text, where, numbers[i].bytes) |
					number_at(at + strlen(numbers[i].key), numbers[i].base)
						<< numbers[i].shift);
	}
}

/* ---- Single capabilities ---------------------------------------------- */

/* "MaxPayload 256 bytes" -> 1 */
static u32 payload_code(const char *line, const char *key)
{
	const char *at = strstr(line, key);
	u32 bytes = at ? number_at(at + strlen(key), 10) : 0;
	u32 code = 0;

	while (code < 5 && 128U << code < bytes)
		code++;
	return code;
}

static void read_express_line(struct import_text *text, const char *line)
{
	u32 payload = payload_code(line, "MaxPayload ");
	u32 control = text->at + PCI_EXP_DEVCTL;

	if (import_text_begins(line, "DevCap:"))
		import_text_put(text, text->at + PCI_EXP_DEVCAP, 1, payload);
	if (import_text_begins(line, "DevCtl:"))
		import_text_put(text, control, 2,
				payload << PCI_EXP_DEVCTL_PAYLOAD_SHIFT |
					payload_code(line, "MaxReadReq ")
						<< PCI_EXP_DEVCTL_READRQ_SHIFT);
}

/* "Express (v2) Root Port (Slot+), MSI 00"; the version is left out where it is the usual one. */
static void read_express(struct import_text *text, const char *line)
{
	const char *at = line + strlen("Express");
	u32 flags = 2;

	at += strspn(at, " ");
	if (import_text_begins(at, "(v") && digit_of(at[2]) < 10 && at[3] == ')') {
		flags = digit_of(at[2]);
		at += 4 + (at[4] == ' ');
	}
	for (size_t i = 0; i < sizeof(express_types) / sizeof(express_types[0]); i++) {
		if (import_text_begins(at, express_types[i].name))
			flags |= express_types[i].type << PCI_EXP_FLAGS_TYPE_SHIFT;
	}
	if (strstr(at, "(Slot+)"))
		flags |= 0x100;
	import_text_put(text, text->at + PCI_EXP_FLAGS, 2, flags);
}

/* "256MB" -> 8: log2 of MiB; 0 too for what is no size of a BAR */
static u32 size_code(const char *at)
{
	static const char units[] = "MGT";
	u64 count = number_at(at, 10);
	const char *unit;
	u32 code = 0;

	while (digit_of(*at) < 10)
		at++;
	unit = *at ? strchr(units, *at) : NULL;
	if (!unit)
		return 0;
	while (code < 20 && 1ULL << code < count)
		code++;
	return code + 10 * (u32)(unit - units);
}

/* "BAR 2: current size: 256MB, supported: 64MB 128MB 256MB" */
static void read_rebar(struct import_text *text, const char *line)
{
	const char *size = strstr(line, "current size: ");
	u32 at = text->at + PCI_REBAR_CTRL + 8 * text->rebars;
	u32 count = text->rebars + 1;
	u32 first = text->at + PCI_REBAR_CTRL;

	if (!import_text_begins(line, "BAR ") || digit_of(line[4]) > 5 || !size ||
	    count > IMPORT_REBARS_MAX)
		return;
	text->rebars = count;
	import_text_put(text, at, 4,
			digit_of(line[4]) | size_code(size + strlen("current size: "))
						    << PCI_REBAR_CTRL_BAR_SHIFT);
	import_text_put(text, first, 1,
			(import_text_get(text, first, 1) & PCI_REBAR_CTRL_BAR_IDX) |
				count << PCI_REBAR_CTRL_NBAR_SHIFT);
}

/* "Subsystem: Intel Corporation Device [8086:7270]"; names alone are not looked up. */
static void read_subsystem(struct import_text *text, const char *line)
{
	size_t length = strlen(line);
	u32 vendor, device;

	if (length && line[length - 1] == ']')
		length--;
	if (length < 9 || !import_read_digits(line + length - 9, 4, &vendor) ||
	    line[length - 5] != ':' || !import_read_digits(line + length - 4, 4, &device))
		return;
	import_text_put(text, text->at + 4, 4, vendor | device << 16);
}

/* A BAR of the virtual functions. */
static int read_virtual_region(struct import_text *text, const char *line)
{
	u32 index = digit_of(line[7]);
	u32 at = text->at + PCI_SRIOV_BAR + 4 * index;
	bool memory = text->memory, io = text->io;
	int err;

	if (index >= PCI_STD_NUM_BARS || line[8] != ':')
		return import_text_error(text, "a region of 0 to 5");
	err = import_text_region(text, line, at, PCI_STD_NUM_BARS - index - 1,
				 &text->bar[PCI_STD_NUM_BARS + index]);
	text->memory = memory;
	text->io = io;
	return err;
}

/* ---- Lines ------------------------------------------------------------ */

/* "#19", "Capability ID 0x15", "Extended Capability ID 0x2a": the number; 0: there is none. */
static u16 numbered(const char *name)
{
	const char *at = strstr(name, "apability ID 0x");

	if (*name == '#')
		return (u16)number_at(name + 1, 16);
	return at ? (u16)number_at(at + strlen("apability ID 0x"), 16) : 0;
}

static u16 id_of(const char *name, bool extended)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(names[i].id & IMPORT_EXTENDED) != extended &&
		    import_text_begins(name, names[i].begins))
			return names[i].id;
	}
	return extended ? IMPORT_EXTENDED | numbered(name) : numbered(name) & 0xff;
}

static bool is_taken(const struct import_text *text, u32 at)
{
	return import_text_get(text, at, 4) || at == text->last || at == text->last_ext;
}

static void link_conventional(struct import_text *text, u32 at)
{
	import_text_put(text, text->last ? text->last + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST, 1,
			at);
	import_text_put(text, PCI_STATUS, 2,
			import_text_get(text, PCI_STATUS, 2) | PCI_STATUS_CAP_LIST);
	import_text_put(text, at, 2, text->id);
	text->last = at;
}

/* The list begins at 0x100, with an empty one if need be. */
static void link_extended(struct import_text *text, u32 at, u32 version)
{
	u32 last = text->has_extended ? text->last_ext : PCI_EXT_CAP_START;

	if (at != last)
		import_text_put(text, last, 4, import_text_get(text, last, 4) | at << 20);
	import_text_put(text, at, 4, (text->id & 0xfffU) | version << 16);
	text->has_extended = true;
	text->last_ext = at;
}

/* A list that leads in a circle or out of its space ends there. */
static void place(struct import_text *text, u32 at, u32 version)
{
	bool extended = text->id & IMPORT_EXTENDED;

	text->at = 0;
	if (at & 3 || at < IMPORT_HEADER_BYTES || at >= PCI_CFG_SPACE_EXP_SIZE ||
	    extended != (at >= PCI_CFG_SPACE_SIZE) || is_taken(text, at))
		return;
	text->at = at;
	if (extended)
		link_extended(text, at, version);
	else
		link_conventional(text, at);
}

static void begin(struct import_text *text, const char *name)
{
	if (!text->at)
		return;
	if (text->id == PCI_CAP_ID_EXP)
		read_express(text, name);
	else if (text->id == CAP_SUBSYSTEM)
		read_subsystem(text, name);
	else if (text->id == EXT(PCI_EXT_CAP_ID_REBAR))
		text->rebars = 0;
	else if (text->id == EXT(PCI_EXT_CAP_ID_ACS) && !text->acs_at)
		text->acs_at = text->at;
}

/* "Capabilities: [220 v1] Access Control Services", "Capabilities: <access denied>" */
int import_text_capability(struct import_text *text, const char *line)
{
	const char *at = line + strlen("Capabilities:");
	u32 digits, offset, version = 1;

	text->in_capabilities = true;
	text->at = 0;
	text->id = 0;
	at += strspn(at, " ");
	if (*at == '<') {
		text->denied = true;
		/* Of a function without a list lspci does not say so. */
		import_text_put(text, PCI_STATUS, 2,
				import_text_get(text, PCI_STATUS, 2) | PCI_STATUS_CAP_LIST);
		return 0;
	}
	digits = *at == '[' ? import_count_digits(at + 1) : 0;
	if (digits < 2 || digits > 3 || !import_read_digits(at + 1, digits, &offset))
		return import_text_error(text, "'[40]' or '[100 v1]' and the capability's name");
	at += 1 + digits;
	if (import_text_begins(at, " v"))
		version = digit_of(at[2]);
	at += strcspn(at, "]");
	at += *at == ']';
	at += strspn(at, " ");
	/* The list ends here: "<chain broken>", "<chain looped>", "<unreadable>". */
	if (*at == '<')
		return 0;
	text->id = id_of(at, digits == 3 || offset >= PCI_CFG_SPACE_SIZE);
	place(text, offset, version & 0xf);
	begin(text, at);
	return 0;
}

int import_text_capability_line(struct import_text *text, const char *line)
{
	if (!text->at)
		return 0;
	if (text->id == EXT(PCI_EXT_CAP_ID_SRIOV) && import_text_begins(line, "Region "))
		return read_virtual_region(text, line);
	set_tagged(text, text->id, text->at, line);
	set_numbers(text, line);
	if (text->id == PCI_CAP_ID_EXP)
		read_express_line(text, line);
	else if (text->id == EXT(PCI_EXT_CAP_ID_REBAR))
		read_rebar(text, line);
	else if (text->at == text->acs_at && import_text_begins(line, "ACSCtl:"))
		text->acs_shown = true;
	return 0;
}
