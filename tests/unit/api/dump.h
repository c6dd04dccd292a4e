/* SPDX-License-Identifier: MIT */
/*
 * Dumps for tests of the import: functions are described register by register and written as lspci
 * writes them.
 *
 *   struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x03);
 *
 *   dump_window(port, 0x80000000, 0x800fffff);
 *   dump_import(dump, ...)
 */
#ifndef API_DUMP_H
#define API_DUMP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/expect.h"

#define DUMP_FUNCTIONS_MAX 300

struct dump_function {
	char address[24];
	u32 bytes; /* how much of it the dump shows */
	u8 config[PCI_CFG_SPACE_EXP_SIZE];
};

struct dump {
	struct dmasim *s;
	struct dmasim_error error;
	char path[32];
	u32 count;
	struct dump_function function[DUMP_FUNCTIONS_MAX];
};

static inline void dump_put(struct dump_function *function, u32 at, u32 bytes, u64 value)
{
	for (u32 i = 0; i < bytes; i++)
		function->config[at + i] = (u8)(value >> (8 * i));
}

/* ---- Functions ------------------------------------------------------------------------------ */

/* A conventional function of Intel's with memory decoding and mastering on, shown as 64 bytes. */
static inline struct dump_function *dump_device(struct dump *dump, const char *address)
{
	struct dump_function *function = &dump->function[dump->count++];

	assert_true(dump->count <= DUMP_FUNCTIONS_MAX);
	*function = (struct dump_function){ .bytes = 64 };
	snprintf(function->address, sizeof(function->address), "%s", address);
	dump_put(function, PCI_VENDOR_ID, 4, 0x1234 << 16 | PCI_VENDOR_ID_INTEL);
	dump_put(function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	dump_put(function, PCI_CLASS_REVISION, 4, (u32)PCI_CLASS_STORAGE_EXPRESS << 16);
	return function;
}

static inline struct dump_function *dump_bridge(struct dump *dump, const char *address,
						u32 secondary, u32 subordinate)
{
	struct dump_function *function = dump_device(dump, address);

	dump_put(function, PCI_CLASS_REVISION, 4, (u32)PCI_CLASS_BRIDGE_PCI << 16);
	dump_put(function, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_BRIDGE);
	dump_put(function, PCI_SECONDARY_BUS, 1, secondary);
	dump_put(function, PCI_SUBORDINATE_BUS, 1, subordinate);
	/* Both windows closed, the prefetchable one of 64 bits. */
	dump_put(function, PCI_MEMORY_BASE, 4, 0x0000fff0);
	dump_put(function, PCI_PREF_MEMORY_BASE, 4, 0x0001fff1);
	return function;
}

/* At 0x40. The dump shows at least 256 bytes then. */
static inline void dump_express(struct dump_function *function, u32 type)
{
	if (function->bytes < PCI_CFG_SPACE_SIZE)
		function->bytes = PCI_CFG_SPACE_SIZE;
	dump_put(function, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	dump_put(function, PCI_CAPABILITY_LIST, 1, 0x40);
	dump_put(function, 0x40, 2, PCI_CAP_ID_EXP);
	dump_put(function, 0x40 + PCI_EXP_FLAGS, 2, 2 | type << PCI_EXP_FLAGS_TYPE_SHIFT);
}

/* At 0x100, the only extended one. The dump shows all 4096 bytes then. */
static inline void dump_extended(struct dump_function *function, u32 id)
{
	function->bytes = PCI_CFG_SPACE_EXP_SIZE;
	dump_put(function, PCI_EXT_CAP_START, 4, id | 1 << 16);
}

static inline void dump_acs(struct dump_function *function, u32 capability, u32 control)
{
	dump_extended(function, PCI_EXT_CAP_ID_ACS);
	dump_put(function, PCI_EXT_CAP_START + PCI_ACS_CAP, 2, capability);
	dump_put(function, PCI_EXT_CAP_START + PCI_ACS_CTRL, 2, control);
}

/* An Express endpoint. */
static inline struct dump_function *dump_endpoint(struct dump *dump, const char *address)
{
	struct dump_function *function = dump_device(dump, address);

	dump_express(function, PCI_EXP_TYPE_ENDPOINT);
	return function;
}

static inline void dump_bar_32(struct dump_function *function, u32 bar, u32 address)
{
	dump_put(function, PCI_BASE_ADDRESS_0 + 4 * bar, 4, address);
}

static inline void dump_bar_64(struct dump_function *function, u32 bar, u64 address)
{
	dump_put(function, PCI_BASE_ADDRESS_0 + 4 * bar, 8,
		 address | PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
}

static inline void dump_bar_io(struct dump_function *function, u32 bar, u32 address)
{
	dump_put(function, PCI_BASE_ADDRESS_0 + 4 * bar, 4, address | PCI_BASE_ADDRESS_SPACE_IO);
}

static inline void dump_window(struct dump_function *bridge, u32 start, u32 last)
{
	dump_put(bridge, PCI_MEMORY_BASE, 2, start >> 16);
	dump_put(bridge, PCI_MEMORY_LIMIT, 2, last >> 16);
}

static inline void dump_prefetch_window(struct dump_function *bridge, u64 start, u64 last)
{
	dump_put(bridge, PCI_PREF_MEMORY_BASE, 2, (start >> 16 & 0xfff0) | 1);
	dump_put(bridge, PCI_PREF_MEMORY_LIMIT, 2, (last >> 16 & 0xfff0) | 1);
	dump_put(bridge, PCI_PREF_BASE_UPPER32, 4, start >> 32);
	dump_put(bridge, PCI_PREF_LIMIT_UPPER32, 4, last >> 32);
}

/* ---- Files ---------------------------------------------------------------------------------- */

static inline FILE *dump_open(struct dump *dump)
{
	int fd;

	snprintf(dump->path, sizeof(dump->path), "/tmp/dmasim-dump-XXXXXX");
	fd = mkstemp(dump->path);
	assert_true(fd >= 0);
	return fdopen(fd, "w");
}

static inline void dump_print(FILE *file, const struct dump_function *function)
{
	fprintf(file, "%s A function\n", function->address);
	for (u32 at = 0; at < function->bytes; at += 16) {
		fprintf(file, "%02x:", at);
		for (u32 i = 0; i < 16; i++)
			fprintf(file, " %02x", function->config[at + i]);
		fprintf(file, "\n");
	}
	fprintf(file, "\n");
}

/* Writes the functions and imports them. What dmasim_import_lspci() returns. */
static inline int dump_import(struct dump *dump, const struct dmasim_import *how)
{
	FILE *file = dump_open(dump);
	int err;

	for (u32 i = 0; i < dump->count; i++)
		dump_print(file, &dump->function[i]);
	fclose(file);
	err = dmasim_import_lspci(dump->s, dump->path, how, &dump->error);
	unlink(dump->path);
	if (err == -EINVAL)
		print_message("# %s\n", dump->error.text);
	return err;
}

/* Imports a file with exactly these bytes. */
static inline int dump_import_bytes(struct dump *dump, const void *bytes, size_t count)
{
	FILE *file = dump_open(dump);
	int err;

	fwrite(bytes, 1, count, file);
	fclose(file);
	err = dmasim_import_lspci(dump->s, dump->path, NULL, &dump->error);
	unlink(dump->path);
	return err;
}

static inline int dump_import_text(struct dump *dump, const char *text)
{
	return dump_import_bytes(dump, text, strlen(text));
}

/* ---- Around a test -------------------------------------------------------------------------- */

static inline int dump_setup_config(void **state, const struct dmasim_config *config)
{
	struct dump *dump = calloc(1, sizeof(*dump));

	if (!dump)
		return -1;
	*state = dump;
	dump->s = dmasim_create(config);
	return dump->s ? 0 : -1;
}

static inline int dump_setup(void **state)
{
	return dump_setup_config(state, NULL);
}

static inline int dump_teardown(void **state)
{
	struct dump *dump = *state;
	u64 leaks = dmasim_destroy(dump->s);

	free(dump);
	return leaks ? -1 : 0;
}

/* The device at an address; the test fails if there is none. */
static inline struct pci_dev *dump_dev(struct dump *dump, const char *bdf)
{
	struct pci_dev *pdev = dmasim_pci_dev(dump->s, bdf);

	if (!pdev)
		print_error("nobody is at %s\n", bdf);
	assert_non_null(pdev);
	return pdev;
}

static inline u32 dump_count(struct dump *dump)
{
	struct pci_dev *pdev = NULL;
	u32 count = 0;

	while ((pdev = dmasim_next_dev(dump->s, pdev)))
		count++;
	return count;
}

/* Imports it, with each allocation that there is failing first: then nothing is left. */
static inline void dump_import_failing(struct dump *dump)
{
	u64 nth = 0;
	int err;

	for (;;) {
		dmasim_fail(dump->s, DMASIM_FAULT_ANY, ++nth);
		err = dump_import(dump, NULL);
		if (!err)
			break;
		expect_error(err, -ENOMEM);
		expect_u64(dump_count(dump), 0);
		expect_u64(dmasim_in_use(dump->s, DMASIM_FAULT_PCI_FUNCTION), 0);
		expect_u64(dmasim_in_use(dump->s, DMASIM_FAULT_PCI_DEV), 0);
		expect_u64(dmasim_in_use(dump->s, DMASIM_FAULT_IOMMU_UNIT), 0);
	}
	assert_true(nth > 20);
}

/* The window of this index is of the host bridge of `bus`, and exactly [start, last]. */
#define expect_window(dump, index, bus, start, last) \
	expect_window_(dump, index, bus, start, last, __FILE__, __LINE__)

static inline void expect_window_(struct dump *dump, u32 index, u8 bus, u64 start, u64 last,
				  const char *file, int line)
{
	struct dmasim_window window = { 0 };
	bool found = dmasim_window(dump->s, index, &window);

	if (found && window.bus == bus && window.start == start &&
	    window.bytes == last - start + 1 && !window.bus_offset && window.inferred)
		return;
	print_error(
		"window %u is %s of bus %02x, 0x%llx, 0x%llx bytes, offset 0x%llx, %s; expected "
		"bus %02x, 0x%llx to 0x%llx\n",
		index, found ? "there," : "not there,", window.bus, window.start, window.bytes,
		window.bus_offset, window.inferred ? "inferred" : "told", bus, start, last);
	_fail(file, line);
}

#define DUMP_TEST(name) cmocka_unit_test_setup_teardown(name, dump_setup, dump_teardown)

#endif
