/* SPDX-License-Identifier: MIT */
/*
 * Registers as tables of C, with the names of the capabilities that they belong to.
 */
#include "machine/export_c.h"

#define DWORDS	      (PCI_CFG_SPACE_EXP_SIZE / 4)
#define PAIRS_IN_LINE 4

/* Names begin where a capability does. */
struct labels {
	const char *at[DWORDS];
};

/* ---- Names ------------------------------------------------------------ */

/* Of PCI capabilities, by their numbers [M]: they are for people alone. */
static const char *capability_name(u32 id)
{
	static const char *const names[] = {
		[0x01] = "power management",
		[0x02] = "AGP",
		[0x03] = "vital product data",
		[0x04] = "slot identification",
		[0x05] = "MSI",
		[0x07] = "PCI-X",
		[0x08] = "HyperTransport",
		[0x09] = "vendor specific",
		[0x0a] = "debug port",
		[0x0c] = "hot plug",
		[0x0d] = "subsystem of the bridge",
		[0x10] = "PCI Express",
		[0x11] = "MSI-X",
		[0x12] = "SATA",
		[0x13] = "advanced features",
		[0x14] = "enhanced allocation",
	};

	if (id < sizeof(names) / sizeof(names[0]) && names[id])
		return names[id];
	return "another capability";
}

static const char *extended_name(u32 id)
{
	static const char *const names[] = {
		[0x01] = "advanced error reporting",
		[0x02] = "virtual channel",
		[0x03] = "serial number",
		[0x04] = "power budget",
		[0x05] = "root complex link",
		[0x07] = "root complex event collector",
		[0x09] = "virtual channel",
		[0x0b] = "vendor specific, extended",
		[0x0d] = "ACS",
		[0x0e] = "ARI",
		[0x0f] = "ATS",
		[0x10] = "SR-IOV",
		[0x13] = "page requests",
		[0x15] = "resizable BARs",
		[0x17] = "TLP processing hints",
		[0x18] = "latency tolerance",
		[0x19] = "secondary PCI Express",
		[0x1b] = "PASID",
		[0x1d] = "downstream port containment",
		[0x1e] = "L1 substates",
		[0x1f] = "precision time",
		[0x23] = "designated vendor specific",
		[0x25] = "data link feature",
		[0x26] = "16 GT/s",
		[0x27] = "lane margining",
		[0x2a] = "32 GT/s",
	};

	if (id < sizeof(names) / sizeof(names[0]) && names[id])
		return names[id];
	return "another extended capability";
}

static u32 read_dword(const u8 *registers, u32 at)
{
	return registers[at] | (u32)registers[at + 1] << 8 | (u32)registers[at + 2] << 16 |
	       (u32)registers[at + 3] << 24;
}

/* Lists of broken devices have loops, so each goes on for as long as it can without one. */
static void label(struct labels *labels, const u8 *registers, u32 bytes)
{
	u32 at = bytes >= PCI_CFG_SPACE_SIZE ? registers[PCI_CAPABILITY_LIST] & ~3U : 0;

	labels->at[0] = "header";
	for (u32 i = 0; i < PCI_CFG_SPACE_SIZE / 4 && at >= 0x40; i++) {
		labels->at[at / 4] = capability_name(registers[at + PCI_CAP_LIST_ID]);
		at = registers[at + PCI_CAP_LIST_NEXT] & ~3U;
	}
	at = bytes == PCI_CFG_SPACE_EXP_SIZE ? PCI_EXT_CAP_START : 0;
	for (u32 i = 0; i < DWORDS && at >= PCI_EXT_CAP_START; i++) {
		u32 head = read_dword(registers, at);

		if (head && head != ~0U)
			labels->at[at / 4] = extended_name(PCI_EXT_CAP_ID(head));
		at = PCI_EXT_CAP_NEXT(head);
	}
}

/* ---- Tables ----------------------------------------------------------- */

bool export_has_registers(const struct export_function *function)
{
	u8 registers[PCI_CFG_SPACE_EXP_SIZE];

	export_registers(function, registers);
	for (u32 at = 0; at < function->config_bytes; at++) {
		if (registers[at])
			return true;
	}
	return false;
}

void export_put_table_name(FILE *to, const char *name, const struct export_function *function)
{
	fprintf(to, "%s_", name);
	export_put_name(to, function, "__");
}

static void put_head(FILE *to, const char *name, const struct export_function *function,
		     const u8 *registers)
{
	fputs("/* ", to);
	export_put_name(to, function, ":.");
	fprintf(to, ", class %04x, %04x:%04x */\n", read_dword(registers, PCI_CLASS_REVISION) >> 16,
		read_dword(registers, PCI_VENDOR_ID) & 0xffff,
		read_dword(registers, PCI_VENDOR_ID) >> 16);
	fputs("static const struct dmasim_register ", to);
	export_put_table_name(to, name, function);
	fputs("[] = {", to);
}

/* A capability of zeros alone has no line, and so no name. */
static void put_pairs(FILE *to, const struct labels *labels, const u8 *registers, u32 bytes)
{
	const char *pending = NULL;
	u32 in_line = 0;

	for (u32 at = 0; at < bytes; at += 4) {
		u32 value = read_dword(registers, at);

		if (labels->at[at / 4])
			pending = labels->at[at / 4];
		if (!value)
			continue;
		if (pending) {
			fprintf(to, "\n\t/* %s */", pending);
			in_line = 0;
		}
		pending = NULL;
		fputs(in_line++ % PAIRS_IN_LINE ? " " : "\n\t", to);
		fprintf(to, "{ 0x%03x, 0x%08x },", at, value);
	}
}

void export_put_registers(FILE *to, const char *name, const struct export_function *function)
{
	u8 registers[PCI_CFG_SPACE_EXP_SIZE];
	struct labels labels = { { 0 } };

	export_registers(function, registers);
	label(&labels, registers, function->config_bytes);
	put_head(to, name, function, registers);
	put_pairs(to, &labels, registers, function->config_bytes);
	fputs("\n};\n\n", to);
}
