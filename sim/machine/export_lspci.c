/* SPDX-License-Identifier: MIT */
/*
 * The machine as lspci -D -n -xxxx prints it: in the order of addresses, as many registers of each
 * function as are known. `lspci -F` and the import read it back.
 *
 *   0000:3a:00.0 0108: 144d:a824 (rev 02)
 *   	Region 0: Memory at a8c00000 (64-bit, non-prefetchable) [size=32K]
 *   00: 4d 14 24 a8 46 05 10 00 02 02 08 01 08 00 00 00
 */
#include "hw/config.h"
#include "machine/export.h"

#define BYTES_PER_LINE 16

static void put_header(FILE *to, const struct export_function *function, const u8 *config)
{
	u32 revision = config[PCI_CLASS_REVISION];

	export_put_name(to, function, ":.");
	fprintf(to, " %02x%02x: %02x%02x:%02x%02x", config[PCI_CLASS_DEVICE + 1],
		config[PCI_CLASS_DEVICE], config[PCI_VENDOR_ID + 1], config[PCI_VENDOR_ID],
		config[PCI_DEVICE_ID + 1], config[PCI_DEVICE_ID]);
	if (revision)
		fprintf(to, " (rev %02x)", revision);
	fputc('\n', to);
}

static void put_registers(FILE *to, const u8 *config, u32 bytes)
{
	for (u32 at = 0; at < bytes; at++) {
		if (at % BYTES_PER_LINE == 0)
			fprintf(to, "%02x:", at);
		fprintf(to, " %02x", config[at]);
		if (at % BYTES_PER_LINE == BYTES_PER_LINE - 1)
			fputc('\n', to);
	}
}

/* As lspci has it: in the largest unit that divides it, of a letter. */
static void put_size(FILE *to, u64 bytes)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	u32 unit = 0;

	while (unit + 1 < sizeof(units) / sizeof(units[0]) && !(bytes % 1024)) {
		bytes /= 1024;
		unit++;
	}
	fprintf(to, " [size=%llu%s]\n", bytes, units[unit]);
}

/* Sizes of BARs that are known and that no register tells. */
static void put_regions(FILE *to, const struct hw_function *function)
{
	for (u32 i = 0; function && i < PCI_STD_NUM_BARS; i++) {
		const struct hw_bar *bar = &function->bar[i];
		u32 at = PCI_BASE_ADDRESS_0 + 4 * i;
		u64 address = hw_config_read(function, at, 4);

		if (!bar->bytes || bar->inferred)
			continue;
		if (bar->io) {
			fprintf(to, "\tRegion %u: I/O ports at %04llx", i,
				address & PCI_BASE_ADDRESS_IO_MASK);
		} else {
			bool prefetch = address & PCI_BASE_ADDRESS_MEM_PREFETCH;

			address &= PCI_BASE_ADDRESS_MEM_MASK;
			if (bar->is_64)
				address |= (u64)hw_config_read(function, at + 4, 4) << 32;
			fprintf(to, "\tRegion %u: Memory at %08llx (%s-bit, %sprefetchable)", i,
				address, bar->is_64 ? "64" : "32", prefetch ? "" : "non-");
		}
		put_size(to, bar->bytes);
	}
}

/* A dump shows ACS or ends before it: it has no other word for what is unknown. */
static u32 shown_bytes(const struct export_function *function)
{
	bool hidden = function->hw && function->hw->acs_hidden;

	return hidden && function->config_bytes > PCI_CFG_SPACE_SIZE ? PCI_CFG_SPACE_SIZE
								     : function->config_bytes;
}

int dmasim_export_lspci(struct dmasim *s, FILE *to)
{
	u8 registers[PCI_CFG_SPACE_EXP_SIZE];
	struct export export;
	int err = export_init(&export, s);

	for (u32 i = 0; !err && i < export.function_count; i++) {
		const struct export_function *function = &export.function[i];

		export_registers(function, registers);
		put_header(to, function, registers);
		put_regions(to, function->hw);
		put_registers(to, registers, shown_bytes(function));
		fputc('\n', to);
	}
	export_fini(&export);
	return err ? err : export_end(to);
}
