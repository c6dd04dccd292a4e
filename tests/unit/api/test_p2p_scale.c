/* SPDX-License-Identifier: MIT */
/*
 * A machine of 10,000 functions: all its verdicts are counted in far less time than asking for each
 * pair would take.
 *
 *   five domains, each with a host bridge and 40 bridges, behind each of which are 50 functions
 */
#include <time.h>

#include "unit/api/dump.h"

#define DOMAINS	  5
#define BRIDGES	  40
#define FUNCTIONS 50
#define CLIENTS	  (DOMAINS * (BRIDGES * FUNCTIONS + 1)) /* the host bridges' own, too */
#define PROVIDERS (DOMAINS * BRIDGES * FUNCTIONS)

/* CPU time; in a debugger's or a sanitizer's build it is 20 times as long. */
#define SECONDS_MAX 5

static void print_at(FILE *file, struct dump_function *function, u32 domain, u32 bus, u32 devfn)
{
	snprintf(function->address, sizeof(function->address), "%04x:%02x:%02x.%u", domain, bus,
		 devfn >> 3, devfn & 7);
	dump_print(file, function);
}

static void print_domain(FILE *file, struct dump *dump, u32 domain)
{
	struct dump_function *host = dump_device(dump, ""), *bridge = dump_bridge(dump, "", 0, 0);
	struct dump_function *device = dump_device(dump, "");
	u32 base = 0x80000000;

	dump_put(host, PCI_DEVICE_ID, 2, domain % 2 ? 0x09a2 : 0x1234);
	dump_put(host, PCI_CLASS_REVISION, 4, 0x0600U << 16);
	dump_put(host, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MULTI);
	dump_put(device, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MULTI);
	print_at(file, host, domain, 0, 0);
	for (u32 i = 0; i < BRIDGES; i++, base += SZ_1M) {
		dump_put(bridge, PCI_SECONDARY_BUS, 1, i + 1);
		dump_put(bridge, PCI_SUBORDINATE_BUS, 1, i + 1);
		dump_put(bridge, PCI_HEADER_TYPE, 1,
			 PCI_HEADER_TYPE_BRIDGE | PCI_HEADER_TYPE_MULTI);
		dump_window(bridge, base, base + SZ_1M - 1);
		print_at(file, bridge, domain, 0, 8 + i);
	}
	base = 0x80000000;
	for (u32 i = 0; i < BRIDGES; i++, base += SZ_1M) {
		for (u32 n = 0; n < FUNCTIONS; n++) {
			dump_put(device, PCI_CLASS_REVISION, 4, (n % 4 ? 0x0108U : 0x0302U) << 16);
			dump_bar_32(device, 0, base + n * SZ_4K);
			print_at(file, device, domain, i + 1, n);
		}
	}
	dump->count = 0;
}

static void import_all(struct dump *dump)
{
	FILE *file = dump_open(dump);
	int err;

	for (u32 domain = 0; domain < DOMAINS; domain++)
		print_domain(file, dump, domain);
	fclose(file);
	err = dmasim_import_lspci(dump->s, dump->path, NULL, &dump->error);
	unlink(dump->path);
	if (err)
		print_message("# %s\n", dump->error.text);
	expect_ok(err);
	expect_u64(dump_count(dump), DOMAINS * (BRIDGES * (FUNCTIONS + 1) + 1));
}

/* GPUs, disks, and the rest. */
static u32 class_of(void *cookie, struct pci_dev *pdev)
{
	(void)cookie;
	return pdev->class_code >> 8 == 0x0302 ? 0 : pdev->class_code >> 8 == 0x0108 ? 1 : 2;
}

/* In a millisecond or so. */
static void ten_thousand_functions_are_counted_in_seconds(void **state)
{
	const struct dmasim_p2p_classes classes = { .count = 3, .of = class_of };
	struct dmasim_p2p_counts table[9], all = { 0 };
	struct dump *dump = *state;
	clock_t began;

	import_all(dump);
	began = clock();
	expect_ok(dmasim_p2p_table(dump->s, &classes, table));
	assert_true((clock() - began) / CLOCKS_PER_SEC < SECONDS_MAX);
	for (int i = 0; i < 9; i++) {
		all.bus_addr += table[i].bus_addr;
		all.thru_host_bridge += table[i].thru_host_bridge;
		all.not_supported += table[i].not_supported;
	}
	/* Those behind one bridge; those in one of the two listed domains, or in both. */
	expect_u64(all.bus_addr, (u64)PROVIDERS * (FUNCTIONS - 1));
	expect_u64(all.thru_host_bridge,
		   2ULL * BRIDGES * FUNCTIONS * (2ULL * (BRIDGES * FUNCTIONS + 1) - FUNCTIONS));
	expect_u64(all.bus_addr + all.thru_host_bridge + all.not_supported,
		   (u64)PROVIDERS * (CLIENTS - 1));
}

TEST_MAIN(DUMP_TEST(ten_thousand_functions_are_counted_in_seconds))
