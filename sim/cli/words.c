/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <dmasim/hw/amd.h>

#include "cli.h"

/* Class and sub-class; a sub-class of 0xff stands for all others of its class. */
static const struct {
	u16 class_code;
	const char *word;
} classes[] = {
	{ 0x0100, "SCSI" },	   { 0x0101, "IDE" },	      { 0x0104, "RAID" },
	{ 0x0106, "SATA" },	   { 0x0107, "SAS" },	      { 0x0108, "NVMe" },
	{ 0x01ff, "storage" },	   { 0x0200, "Ethernet" },    { 0x0207, "InfiniBand" },
	{ 0x02ff, "network" },	   { 0x0300, "VGA" },	      { 0x0302, "3D" },
	{ 0x03ff, "display" },	   { 0x0403, "audio" },	      { 0x04ff, "multimedia" },
	{ 0x05ff, "memory" },	   { 0x0600, "host bridge" }, { 0x0601, "ISA bridge" },
	{ 0x0604, "PCI bridge" },  { 0x0607, "CardBus" },     { 0x06ff, "bridge" },
	{ 0x07ff, "comm" },	   { 0x0805, "SD host" },     { 0x0806, "IOMMU" },
	{ 0x08ff, "system" },	   { 0x09ff, "input" },	      { 0x0bff, "processor" },
	{ 0x0c03, "USB" },	   { 0x0c05, "SMBus" },	      { 0x0cff, "serial bus" },
	{ 0x0dff, "wireless" },	   { 0x10ff, "crypto" },      { 0x11ff, "signal" },
	{ 0x12ff, "accelerator" }, { 0x13ff, "instrument" },
};

const char *cli_class_word(const struct pci_dev *pdev)
{
	u32 code = pdev->class_code >> 8;

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (classes[i].class_code == code || classes[i].class_code == (code | 0xff))
			return classes[i].word;
	}
	return "device";
}

const char *cli_page_fault_text(u32 flags)
{
	if (flags & AMD_FLAG_I)
		return "it is an interrupt, or its address means one, and it may not pass";
	if (!(flags & AMD_FLAG_PR))
		return "nothing is mapped there: never mapped, or unmapped already";
	if (flags & AMD_FLAG_RZ)
		return "an entry on the way is malformed, or no table reaches the address";
	if (flags & AMD_FLAG_PE)
		return "it is mapped, and not for this kind of access";
	return "an entry was there, and no flag says what was wrong with it";
}

#define COLUMNS 100

void cli_print_wrapped(int first, int other, const char *text)
{
	int column = printf("%*s", first, "");
	bool begins = true;

	while (*text && *text != '\n') {
		int length = (int)strcspn(text, " \n");

		if (!begins && column + 1 + length > COLUMNS) {
			column = printf("\n%*s", other, "") - 1;
			begins = true;
		}
		column += printf("%s%.*s", begins ? "" : " ", length, text);
		begins = false;
		text += length;
		text += strspn(text, " ");
	}
	printf("\n");
}
