/* SPDX-License-Identifier: MIT */
/*
 * The table of verdicts by classes of devices equals what asking for each pair gives, on random
 * trees with random ACS.
 *
 *   host bridge --+-- 01.0 to 03.0 root port -- switch --+-- 00.0 to 02.0 port -- switch ...
 *   (one to three)|                                      +-- 08.0 to 0a.0 port -- devices
 *                 +-- 08.0 to 0a.0 root port -- devices
 *                 +-- 10.0 to 12.0 devices of the root complex
 */
#include <stdlib.h>
#include <string.h>

#include "property/seeds.h"
#include "support/expect.h"

#define CLASSES	       3
#define ROUNDS_FULL    1500
#define DEVICES	       14
#define PATH_MAX_BYTES 96

struct world {
	struct dmasim *s;
	char path[2 * DEVICES][PATH_MAX_BYTES];
	u32 count;
};

static u32 below(struct world *world, u32 bound)
{
	return (u32)dmasim_random(world->s, bound);
}

static void add_at(struct world *world, const char *path)
{
	struct dmasim_endpoint endpoint = { 0 };

	for (u32 i = 0; i < world->count; i++) {
		if (!strcmp(world->path[i], path))
			return;
	}
	snprintf(world->path[world->count++], PATH_MAX_BYTES, "%s", path);
	if (below(world, 4))
		endpoint.bar[0] = SZ_4K;
	if (!below(world, 3)) {
		endpoint.sriov.total_vfs = 3;
		endpoint.sriov.vf_bar[0] = SZ_4K;
	}
	assert_non_null(dmasim_add_endpoint(world->s, path, &endpoint));
}

static void add_somewhere(struct world *world, u32 bridges)
{
	char path[PATH_MAX_BYTES], second[PATH_MAX_BYTES];
	u32 depth = below(world, 4), kind = below(world, 6);
	int at = snprintf(path, sizeof(path), "%02x:", 0x40 * below(world, bridges));

	if (!kind) {
		snprintf(path + at, sizeof(path) - (size_t)at, "%02x.0", 0x10 + below(world, 3));
		add_at(world, path);
		return;
	}
	for (u32 i = 0; i < depth; i++)
		at += snprintf(path + at, sizeof(path) - (size_t)at, "%02x.0/00.0/",
			       i ? below(world, 3) : 1 + below(world, 3));
	snprintf(path + at, sizeof(path) - (size_t)at, "%02x.0/00.", 8 + below(world, 3));
	snprintf(second, sizeof(second), "%.90s0", path);
	add_at(world, second);
	if (kind == 1) {
		snprintf(second, sizeof(second), "%.90s1", path);
		add_at(world, second);
	}
}

static void build(struct world *world, u64 seed)
{
	static const u16 ids[] = { 0x1234, 0x2f00, 0x2031, 0x09a2 };
	struct dmasim_config config = { DMASIM_CONFIG, .seed = seed, .acs = DMASIM_ACS_OFF };
	struct pci_dev *pdev;
	u32 bridges;

	*world = (struct world){ .s = NULL };
	config.cpu = seed % 8 ? DMASIM_CPU_INTEL : DMASIM_CPU_AMD;
	world->s = dmasim_create(&config);
	assert_non_null(world->s);
	bridges = 1 + below(world, 3);
	for (u32 i = 0; i < bridges; i++)
		expect_ok(dmasim_add_host_bridge(
			world->s, &(struct dmasim_host_bridge){ .bus = (u8)(0x40 * i),
								.vendor = PCI_VENDOR_ID_INTEL,
								.device = ids[below(world, 4)] }));
	for (u32 i = 0; i < DEVICES; i++)
		add_somewhere(world, bridges);
	for (pdev = dmasim_next_dev(world->s, NULL); pdev; pdev = dmasim_next_dev(world->s, pdev)) {
		if (pdev->is_physfn)
			expect_ok(pci_enable_sriov(pdev, 3));
		if (pdev->acs_cap && !below(world, 4))
			pci_write_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL,
					      (u16)below(world, 0x80));
	}
}

/* By place; CLASSES: counted nowhere. */
static u32 class_of(void *cookie, struct pci_dev *pdev)
{
	(void)cookie;
	return (pdev->dev.id >> 8 ^ pdev->dev.id) % (CLASSES + 1);
}

static void count_pair(struct pci_dev *provider, struct pci_dev *client,
		       struct dmasim_p2p_counts *counts)
{
	u32 row = class_of(NULL, provider), column = class_of(NULL, client);
	struct dmasim_p2p_verdict verdict;

	if (row >= CLASSES || column >= CLASSES)
		return;
	counts += row * CLASSES + column;
	dmasim_p2p_why(provider, client, &verdict);
	counts->bus_addr += verdict.type == PCI_P2PDMA_MAP_BUS_ADDR;
	counts->thru_host_bridge += verdict.type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE;
	counts->not_supported += verdict.type == PCI_P2PDMA_MAP_NOT_SUPPORTED;
}

static void count_pairs(struct dmasim *s, struct dmasim_p2p_counts *counts)
{
	struct pci_dev *provider, *client;

	for (provider = dmasim_next_dev(s, NULL); provider;
	     provider = dmasim_next_dev(s, provider)) {
		if (!dmasim_p2p_provides(provider))
			continue;
		for (client = dmasim_next_dev(s, NULL); client;
		     client = dmasim_next_dev(s, client)) {
			if (client != provider && !pci_is_bridge(client))
				count_pair(provider, client, counts);
		}
	}
}

/*
 * trust: all verdicts by class equal those of the pairs
 * | our reading of the facts: pair by pair, on random trees
 */
static void the_table_equals_the_pairs(void **state)
{
	const struct dmasim_p2p_classes classes = { .count = CLASSES, .of = class_of };
	struct dmasim_p2p_counts all = { 0 };
	struct world *world = *state;

	for (u64 seed = 1; seed <= scaled(ROUNDS_FULL); seed++) {
		struct dmasim_p2p_counts table[CLASSES * CLASSES];
		struct dmasim_p2p_counts pairs[CLASSES * CLASSES] = { { 0 } };

		build(world, test_seed(0) + seed);
		memset(table, 0x5a, sizeof(table));
		expect_ok(dmasim_p2p_table(world->s, &classes, table));
		count_pairs(world->s, pairs);
		for (u32 i = 0; i < CLASSES * CLASSES; i++) {
			expect_u64(table[i].bus_addr, pairs[i].bus_addr);
			expect_u64(table[i].thru_host_bridge, pairs[i].thru_host_bridge);
			expect_u64(table[i].not_supported, pairs[i].not_supported);
			all.bus_addr += pairs[i].bus_addr;
			all.thru_host_bridge += pairs[i].thru_host_bridge;
			all.not_supported += pairs[i].not_supported;
		}
		expect_u64(dmasim_destroy(world->s), 0);
		world->s = NULL;
	}
	assert_true(all.bus_addr > 100 && all.thru_host_bridge > 100 && all.not_supported > 100);
}

static void a_machine_without_devices_has_an_empty_table(void **state)
{
	const struct dmasim_p2p_classes classes = { .count = CLASSES, .of = class_of };
	struct dmasim_p2p_counts table[CLASSES * CLASSES];
	struct world *world = *state;

	world->s = dmasim_create(NULL);
	memset(table, 0x5a, sizeof(table));
	expect_ok(dmasim_p2p_table(world->s, &classes, table));
	for (u32 i = 0; i < CLASSES * CLASSES; i++)
		expect_u64(table[i].bus_addr | table[i].thru_host_bridge | table[i].not_supported,
			   0);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *world = *state;
	u64 leaks = dmasim_destroy(world->s);

	free(world);
	return leaks ? -1 : 0;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(TEST(the_table_equals_the_pairs), TEST(a_machine_without_devices_has_an_empty_table))
