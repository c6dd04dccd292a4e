/* SPDX-License-Identifier: MIT */
/*
 * The file of names, pci.ids, read once from its beginning to its end:
 *
 *   8086  Intel Corporation
 *   	1901  6th-10th Gen Core Processor PCIe Controller (x16)
 *   		1028 0a6b  (a subsystem: skipped)
 *   C 06  Bridge
 *   	04  PCI bridge
 *
 * lspci prints a vendor's name, a space, and the device's, so the names to look for are sorted as
 * whole texts: those that begin with a vendor's name are neighbours, and a device of that vendor is
 * the one whose whole text is there. No vendor's name has to be told from the device's behind it.
 */
#include "machine/import_ids.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/import_lines.h"
#include "pci/acs.h"

#define NAME_LINE_BYTES 1024

static int compare_queries(struct import_query *a, struct import_query *b)
{
	return strcmp(a->text, b->text);
}

RB_PROTOTYPE(import_queries, import_query, by_text, compare_queries)
RB_GENERATE(import_queries, import_query, by_text, compare_queries)

/* Vendors that decide something here, where there is no file of names, or an older one. */
static const struct {
	const char *begins;
	u16 id;
} known_vendors[] = {
	{ "Intel Corp", 0x8086 },
	{ "Advanced Micro Devices, Inc. [AMD/ATI]", 0x1002 },
	{ "Advanced Micro Devices [AMD/ATI]", 0x1002 },
	{ "Advanced Micro Devices [AMD] nee ATI", 0x1002 },
	{ "ATI Technologies", 0x1002 },
	{ "AMD/ATI", 0x1002 },
	{ "Advanced Micro Devices", 0x1022 },
	{ "Hygon", 0x1d94 },
	{ "Chengdu Haiguang IC Design", 0x1d94 },
	{ "NVIDIA", 0x10de },
	{ "nVidia", 0x10de },
	{ "Google", 0x1ae0 },
	{ "PLX Technology", 0x10b5 },
	{ "Broadcom / LSI", 0x1000 },
	{ "LSI Logic", 0x1000 },
	{ "Broadcom", 0x14e4 },
	{ "Broadcom Corporation", 0x14e4 },
	{ "Broadcom Limited", 0x14e4 },
	{ "Broadcom Inc", 0x14e4 },
	{ "Mellanox", 0x15b3 },
	{ "ASMedia", 0x1b21 },
	{ "Amazon.com", 0x1d0f },
	{ "Annapurna Labs", 0x1c36 },
	{ "Freescale", 0x1957 },
	{ "NXP Semiconductors", 0x1957 },
	{ "Qualcomm Technologies", 0x17cb },
	{ "Qualcomm", 0x17cb },
	{ "Zhaoxin", 0x1d17 },
	{ "Cavium", 0x177d },
	{ "Ampere Computing", 0x1def },
	{ "Beijing Wangxun", 0x8088 },
	{ "Marvell Technology", 0x1b4b },
	{ "Solarflare", 0x1924 },
	{ "Xilinx", 0x10ee },
	{ "Realtek", 0x10ec },
};

/* Likewise; the names of those that most machines have. */
static const struct {
	const char *name;
	u16 class;
} known_classes[] = {
	{ "Host bridge", 0x0600 },
	{ "ISA bridge", 0x0601 },
	{ "PCI bridge", 0x0604 },
	{ "CardBus bridge", 0x0607 },
	{ "Bridge", 0x0680 },
	{ "SATA controller", 0x0106 },
	{ "Non-Volatile memory controller", 0x0108 },
	{ "Ethernet controller", 0x0200 },
	{ "Infiniband controller", 0x0207 },
	{ "Network controller", 0x0280 },
	{ "VGA compatible controller", 0x0300 },
	{ "3D controller", 0x0302 },
	{ "Display controller", 0x0380 },
	{ "USB controller", 0x0c03 },
	{ "USB Controller", 0x0c03 },
	{ "System peripheral", 0x0880 },
	{ "IOMMU", 0x0806 },
	{ "Processing accelerators", 0x1200 },
};

void import_ids_init(struct import_ids *ids, struct import *import)
{
	ids->import = import;
	RB_INIT(&ids->devices);
	RB_INIT(&ids->classes);
}

static void forget(struct import_ids *ids, struct import_queries *queries)
{
	struct import_query *query, *next;

	RB_FOREACH_SAFE(query, import_queries, queries, next) {
		RB_REMOVE(import_queries, queries, query);
		import_free(ids->import, query);
	}
}

void import_ids_fini(struct import_ids *ids)
{
	forget(ids, &ids->devices);
	forget(ids, &ids->classes);
}

int import_ids_ask(struct import_ids *ids, struct import_queries *queries, const char *text,
		   struct import_query **query)
{
	size_t length = strlen(text);
	struct import_query *made = import_alloc(ids->import, sizeof(*made) + length + 1);

	if (!made)
		return -ENOMEM;
	*made = (struct import_query){ .text = memcpy(made + 1, text, length + 1) };
	*query = RB_INSERT(import_queries, queries, made);
	if (*query)
		import_free(ids->import, made);
	else
		*query = made;
	return 0;
}

/* ---- Lines of the file ------------------------------------------------ */

struct names {
	struct import_ids *ids;
	bool in_classes;
	bool wanted; /* somebody asks for a device of this vendor */
	u16 number;  /* of the vendor or the base class */
	char vendor[NAME_LINE_BYTES];
};

/* Who asks for this text; NULL: nobody. */
static struct import_query *find(struct import_queries *queries, const char *text)
{
	return RB_FIND(import_queries, queries, &(struct import_query){ .text = text });
}

static void found(struct import_query *query, u32 vendor, u32 device)
{
	if (!query)
		return;
	if (!query->found++) {
		query->device_vendor = vendor;
		query->device = (u16)device;
	} else if (vendor != query->device_vendor ||
		   !pci_acs_quirk_alike((u16)vendor, query->device, (u16)device)) {
		query->differ = true;
	}
}

static void set_vendor(struct import_query *query, u32 number, size_t length)
{
	if (query->vendor_length == length && query->vendor != number)
		query->vendor_twice = true;
	if (query->vendor_length >= length)
		return;
	query->vendor_length = length;
	query->vendor = (u16)number;
	query->vendor_twice = false;
}

/* Those who begin with the vendor's name. */
static void begin_vendor(struct names *names, u32 number, const char *name)
{
	struct import_queries *queries = &names->ids->devices;
	size_t length = strlen(name);
	struct import_query key = { .text = name };
	struct import_query *query = RB_NFIND(import_queries, queries, &key);

	names->number = (u16)number;
	names->in_classes = false;
	names->wanted = false;
	snprintf(names->vendor, sizeof(names->vendor), "%s", name);
	for (; query && !strncmp(query->text, name, length);
	     query = RB_NEXT(import_queries, queries, query)) {
		if (query->text[length] != ' ' && query->text[length])
			continue;
		names->wanted = true;
		set_vendor(query, number, length);
	}
}

static void find_device(struct names *names, u32 device, const char *name)
{
	char text[2 * NAME_LINE_BYTES];

	snprintf(text, sizeof(text), "%s %s", names->vendor, name);
	found(find(&names->ids->devices, text), names->number, device);
}

static void read_inner_line(struct names *names, const char *line)
{
	u32 number;

	if (names->in_classes && import_count_digits(line) == 2 && line[2] == ' ') {
		import_read_digits(line, 2, &number);
		found(find(&names->ids->classes, line + 2 + strspn(line + 2, " ")), 0,
		      (u32)names->number << 8 | number);
	} else if (names->wanted && import_count_digits(line) == 4 && line[4] == ' ') {
		import_read_digits(line, 4, &number);
		find_device(names, number, line + 4 + strspn(line + 4, " "));
	}
}

static void read_name_line(struct names *names, char *line)
{
	u32 number;

	line[strcspn(line, "\r\n")] = '\0';
	import_make_readable(line + (*line == '\t'));
	if (*line == '\t') {
		read_inner_line(names, line + 1);
	} else if (line[0] == 'C' && line[1] == ' ' && import_read_digits(line + 2, 2, &number)) {
		names->in_classes = true;
		names->wanted = false;
		names->number = (u16)number;
	} else if (import_count_digits(line) == 4 && line[4] == ' ' &&
		   import_read_digits(line, 4, &number)) {
		begin_vendor(names, number, line + 4 + strspn(line + 4, " "));
	}
}

/* ---- All of it -------------------------------------------------------- */

static FILE *open_names(struct import_ids *ids)
{
	static const char *const files[] = { "/usr/share/misc/pci.ids",
					     "/usr/share/hwdata/pci.ids" };
	FILE *file = NULL;

	if (ids->import->how.ids)
		return fopen(ids->import->how.ids, "re");
	for (u32 i = 0; i < 2 && !file; i++)
		file = fopen(files[i], "re");
	return file;
}

static void answer_known(struct import_ids *ids)
{
	struct import_query *query;

	RB_FOREACH(query, import_queries, &ids->devices) {
		for (size_t i = 0; i < sizeof(known_vendors) / sizeof(known_vendors[0]); i++) {
			size_t length = strlen(known_vendors[i].begins);

			if (!strncmp(query->text, known_vendors[i].begins, length) &&
			    query->vendor_length < length)
				set_vendor(query, known_vendors[i].id, length);
		}
	}
	RB_FOREACH(query, import_queries, &ids->classes) {
		for (size_t i = 0; i < sizeof(known_classes) / sizeof(known_classes[0]); i++) {
			if (query->found || strcmp(query->text, known_classes[i].name) != 0)
				continue;
			found(query, 0, known_classes[i].class);
		}
	}
}

int import_ids_answer(struct import_ids *ids)
{
	struct names names = { .ids = ids };
	char line[NAME_LINE_BYTES];
	FILE *file;

	if (RB_EMPTY(&ids->devices) && RB_EMPTY(&ids->classes))
		return 0;
	file = open_names(ids);
	if (!file && ids->import->how.ids)
		return import_error(ids->import, 0,
				    "'%.100s': %s; expected a file of names, pci.ids",
				    ids->import->how.ids, strerror(errno));
	while (file && fgets(line, sizeof(line), file))
		read_name_line(&names, line);
	if (file)
		fclose(file);
	answer_known(ids);
	return 0;
}
