/* SPDX-License-Identifier: MIT */
/*
 * The running host, by a sysfs of our own making: folders of functions with config and resource.
 */
#include <sys/stat.h>

#include "unit/api/dump.h"

#define ROOT_BYTES 64

struct host {
	struct dump dump;
	char root[ROOT_BYTES];
};

static int setup_host(void **state)
{
	struct host *host = calloc(1, sizeof(*host));

	if (!host)
		return -1;
	*state = host;
	host->dump.s = dmasim_create(NULL);
	snprintf(host->root, sizeof(host->root), "/tmp/dmasim-host-XXXXXX");
	return host->dump.s && mkdtemp(host->root) ? 0 : -1;
}

static int teardown_host(void **state)
{
	struct host *host = *state;
	u64 leaks = dmasim_destroy(host->dump.s);
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", host->root);
	if (system(command) != 0)
		leaks++;
	free(host);
	return leaks ? -1 : 0;
}

/* A file of the folder of a name; bytes may be 0. */
static void write_file(struct host *host, const char *name, const char *file, const void *bytes,
		       size_t count)
{
	char path[256], command[300];
	FILE *to;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", host->root, name);
	snprintf(command, sizeof(command), "mkdir -p '%s'", path);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", host->root, name, file);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, count, to), count);
	fclose(to);
}

static void write_function(struct host *host, const struct dump_function *function)
{
	write_file(host, function->address, "config", function->config, function->bytes);
}

static int import(struct host *host)
{
	int err = dmasim_import_host(host->dump.s, host->root, NULL, &host->dump.error);

	if (err == -EINVAL)
		print_message("# %s\n", host->dump.error.text);
	return err;
}

/* A disk with two BARs, and what the kernel says of the first one's size. */
static void write_disk(struct host *host, const char *resource)
{
	struct dump_function *disk = dump_device(&host->dump, "0000:00:03.0");

	dump_bar_32(disk, 0, 0x90000000);
	dump_bar_64(disk, 2, 0x90100000);
	write_function(host, disk);
	if (resource)
		write_file(host, disk->address, "resource", resource, strlen(resource));
}

static void expect_bar(struct host *host, u32 bar, u64 bytes, bool inferred)
{
	struct pci_dev *disk = dump_dev(&host->dump, "00:03.0");

	expect_u64(pci_resource_len(disk, (int)bar), bytes);
	assert_int_equal(dmasim_bar_inferred(disk, bar), inferred);
}

/*
 * trust: how large BARs of the running host are
 * | our reading of the facts: lines as Linux's sysfs has them
 */
static void sizes_of_bars_are_told(void **state)
{
	struct host *host = *state;

	write_disk(host, "0x0000000090000000 0x0000000090003fff 0x0000000000040200\n"
			 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			 "0x0000000090100000 0x0000000090100fff 0x0000000000140204\n");
	expect_ok(import(host));
	expect_bar(host, 0, SZ_16K, false);
	expect_bar(host, 2, SZ_4K, false);
	assert_string_equal(host->dump.error.text, "");
}

static void sizes_that_make_no_sense_are_inferred(void **state)
{
	struct host *host = *state;

	write_disk(host, "0x90000000 0x90002fff 0x40200\n\nnonsense\n");
	expect_ok(import(host));
	expect_bar(host, 0, SZ_1M, true);
	expect_bar(host, 2, SZ_1M, true);
}

static void without_resources_sizes_are_inferred(void **state)
{
	struct host *host = *state;

	write_disk(host, NULL);
	expect_ok(import(host));
	expect_bar(host, 0, SZ_1M, true);
}

static void what_is_no_function_is_left_alone(void **state)
{
	static const u8 few[63] = { 0 };
	struct host *host = *state;

	write_disk(host, NULL);
	write_file(host, "power", "config", few, sizeof(few));
	write_file(host, "0000:00:20.0", "config", few, sizeof(few));
	write_file(host, "0000:00:04.0x", "config", few, sizeof(few));
	write_file(host, "0000:00:04.0", "config", few, sizeof(few));
	write_file(host, "0000:00:05.0", "vendor", few, 0);
	expect_ok(import(host));
	expect_u64(dump_count(&host->dump), 1);
	assert_string_equal(host->dump.error.text,
			    "2 functions left out: the registers cannot be read");
}

/* Without root, and of conventional functions, less can be read. */
static void as_many_registers_are_known_as_can_be_read(void **state)
{
	static const u32 bytes[] = { 64, 100, 256, 300, 4096 },
			 known[] = { 64, 64, 256, 256, 4096 };
	struct host *host = *state;
	char address[16];

	for (u32 i = 0; i < 5; i++) {
		snprintf(address, sizeof(address), "0000:00:%02x.0", i);
		dump_device(&host->dump, address)->bytes = bytes[i];
		write_function(host, &host->dump.function[i]);
	}
	expect_ok(import(host));
	for (u32 i = 0; i < 5; i++)
		expect_u64(
			dmasim_config_bytes(dump_dev(&host->dump, host->dump.function[i].address)),
			known[i]);
}

static void a_host_without_pci_is_refused(void **state)
{
	struct host *host = *state;
	char expected[200];

	expect_error(import(host), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s: No such file or directory; expected /sys, with bus/pci/devices in it",
		 host->root);
	assert_string_equal(host->dump.error.text, expected);
	write_file(host, "none", "config", "", 0);
	expect_error(import(host), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s: there is no PCI function in bus/pci/devices; expected a machine that has "
		 "PCI, and shows it",
		 host->root);
	assert_string_equal(host->dump.error.text, expected);
	expect_u64(dump_count(&host->dump), 0);
}

static void each_allocation_that_fails_is_survived(void **state)
{
	struct host *host = *state;
	u64 nth = 0;
	int err;

	write_disk(host, NULL);
	do {
		dmasim_fail(host->dump.s, DMASIM_FAULT_ANY, ++nth);
		err = import(host);
		expect_u64(dmasim_failures(host->dump.s), err ? 1 : 0);
		if (err)
			expect_error(err, -ENOMEM);
		expect_u64(dump_count(&host->dump), err ? 0 : 1);
	} while (err && nth < 1000);
	assert_true(nth > 4);
	dmasim_fail(host->dump.s, DMASIM_FAULT_ANY, 0);
}

#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, setup_host, teardown_host)

TEST_MAIN(HOST_TEST(sizes_of_bars_are_told), HOST_TEST(sizes_that_make_no_sense_are_inferred),
	  HOST_TEST(without_resources_sizes_are_inferred),
	  HOST_TEST(what_is_no_function_is_left_alone),
	  HOST_TEST(as_many_registers_are_known_as_can_be_read),
	  HOST_TEST(a_host_without_pci_is_refused),
	  HOST_TEST(each_allocation_that_fails_is_survived))
