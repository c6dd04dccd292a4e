/* SPDX-License-Identifier: MIT */
/*
 * The host-bridge test of peer-to-peer: which root complexes forward between their ports, by CPU
 * and by the identity of function 00.0 of the root bus (facts 8.5, 8.6).
 *
 *   host bridge 00 --+-- 01.0 -- near     the provider
 *                    +-- 02.0 -- same     a client below the same host bridge
 *   host bridge 40 ----- 01.0 -- other    a client below another one
 */
#include "unit/api/machines.h"

struct ids {
	u16 vendor;
	u16 device;
};

enum verdict {
	NO,   /* not supported */
	SAME, /* below the same host bridge only */
	ANY,
};

struct pair {
	struct dmasim *s;
	struct pci_dev *near, *same, *other;
};

static struct pci_dev *endpoint(struct dmasim *s, const char *path)
{
	struct pci_dev *pdev =
		dmasim_add_endpoint(s, path, &(struct dmasim_endpoint){ .bar = { SZ_64K } });

	assert_non_null(pdev);
	return pdev;
}

static void build(struct pair *pair, const struct dmasim_config *config, struct ids first,
		  struct ids second)
{
	pair->s = dmasim_create(config);
	assert_non_null(pair->s);
	expect_ok(dmasim_add_host_bridge(
		pair->s, &(struct dmasim_host_bridge){
				 .bus = 0x00, .vendor = first.vendor, .device = first.device }));
	expect_ok(dmasim_add_host_bridge(
		pair->s, &(struct dmasim_host_bridge){
				 .bus = 0x40, .vendor = second.vendor, .device = second.device }));
	pair->near = endpoint(pair->s, "00:01.0/00.0");
	pair->same = endpoint(pair->s, "00:02.0/00.0");
	pair->other = endpoint(pair->s, "40:01.0/00.0");
	expect_ok(pcim_p2pdma_init(pair->near));
}

static void expect_one(struct pci_dev *provider, struct pci_dev *client, bool supported)
{
	struct p2pdma_provider *p = pcim_p2pdma_provider(provider, 0);

	assert_int_equal(pci_p2pdma_map_type(p, &client->dev),
			 supported ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
				   : PCI_P2PDMA_MAP_NOT_SUPPORTED);
	assert_int_equal(pci_p2pdma_distance(provider, &client->dev, false), supported ? 4 : -1);
	/* The distance overwrote what was cached, with the same. */
	assert_int_equal(pci_p2pdma_map_type(p, &client->dev),
			 supported ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
				   : PCI_P2PDMA_MAP_NOT_SUPPORTED);
}

/* CMocka's state is the pair; each check builds its machine anew. */
static void check(void **state, const struct dmasim_config *config, struct ids first,
		  struct ids second, enum verdict verdict)
{
	struct pair *pair = *state;
	u64 leaks;

	build(pair, config, first, second);
	expect_one(pair->near, pair->same, verdict != NO);
	expect_one(pair->near, pair->other, verdict == ANY);
	dmasim_assert_clean(pair->s);
	leaks = dmasim_destroy(pair->s);
	pair->s = NULL;
	expect_u64(leaks, 0);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct pair));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct pair *pair = *state;
	u64 leaks = dmasim_destroy(pair->s);

	free(pair);
	return leaks ? -1 : 0;
}

static const struct ids unlisted = { 0x8086, 0x1234 };
static const struct ids same_only = { 0x8086, 0x2f00 };
static const struct ids any = { 0x8086, 0x2031 };

static const struct {
	struct ids ids;
	enum verdict verdict;
} entries[] = {
	{ { 0x8086, 0x3c00 }, SAME },
	{ { 0x8086, 0x3c01 }, SAME },
	{ { 0x8086, 0x2f00 }, SAME },
	{ { 0x8086, 0x2f01 }, SAME },
	{ { 0x8086, 0x2030 }, ANY },
	{ { 0x8086, 0x2031 }, ANY },
	{ { 0x8086, 0x2032 }, ANY },
	{ { 0x8086, 0x2033 }, ANY },
	{ { 0x8086, 0x2020 }, ANY },
	{ { 0x8086, 0x09a2 }, ANY },
	{ { 0x8086, 0x0b25 }, ANY },
	{ { 0x8086, 0x0cfe }, ANY },
	{ { 0x8086, 0x11fb }, ANY },
	{ { 0x8086, 0x1212 }, ANY },
	{ { 0x8086, 0x1216 }, ANY },
	{ { 0x8086, 0x4940 }, ANY },
	{ { 0x8086, 0x4942 }, ANY },
	{ { 0x8086, 0x4944 }, ANY },
	{ { 0x8086, 0x4946 }, ANY },
	{ { 0x8086, 0x4948 }, ANY },
	{ { 0x10de, 0x2f95 }, ANY },
	{ { 0x10de, 0x2f96 }, ANY },
	{ { 0x10de, 0x2f97 }, ANY },
	{ { 0x10de, 0x2f98 }, ANY },
	{ { 0x1ae0, 0x0001 }, ANY },
	{ { 0x1ae0, 0xffff }, ANY },
	/* Beside the listed ones, and their numbers at other vendors. */
	{ { 0x8086, 0x3c02 }, NO },
	{ { 0x8086, 0x2f02 }, NO },
	{ { 0x8086, 0x2034 }, NO },
	{ { 0x8086, 0x2f95 }, NO },
	{ { 0x8086, 0x4941 }, NO },
	{ { 0x10de, 0x2f94 }, NO },
	{ { 0x10de, 0x2f99 }, NO },
	{ { 0x1022, 0x2030 }, NO },
	{ { 0x1022, 0x1450 }, NO },
	{ { 0x1234, 0x09a2 }, NO },
};

static void each_entry_of_the_list(void **state)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		check(state, NULL, entries[i].ids, entries[i].ids, entries[i].verdict);
}

/* vendor 0 means dmasim's default, 8086:09a2. */
static void the_default_host_bridge_is_listed(void **state)
{
	check(state, NULL, (struct ids){ 0, 0 }, (struct ids){ 0, 0 }, ANY);
}

static void both_ends_must_be_listed_for_any(void **state)
{
	check(state, NULL, any, unlisted, SAME);
	check(state, NULL, any, same_only, SAME);
	check(state, NULL, same_only, any, SAME);
	check(state, NULL, unlisted, any, NO);
	check(state, NULL, any, (struct ids){ 0x1ae0, 0x1f00 }, ANY);
}

static void the_list_is_the_same_without_an_iommu(void **state)
{
	static const struct dmasim_config direct = { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU };

	check(state, &direct, any, any, ANY);
	check(state, &direct, same_only, same_only, SAME);
	check(state, &direct, unlisted, unlisted, NO);
}

/* AMD from family 0x17 on forwards in any case; before that the list decides. */
static void amd_from_family_17_on_needs_no_list(void **state)
{
	static const u32 families[] = { 0, 0x17, 0x18, 0x19, 0x1a };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		check(state,
		      &(struct dmasim_config){ DMASIM_CONFIG, .cpu = DMASIM_CPU_AMD,
					       .cpu_family = families[i] },
		      unlisted, unlisted, ANY);
	check(state,
	      &(struct dmasim_config){ DMASIM_CONFIG, .cpu = DMASIM_CPU_AMD, .cpu_family = 0x16 },
	      unlisted, unlisted, NO);
	check(state,
	      &(struct dmasim_config){ DMASIM_CONFIG, .cpu = DMASIM_CPU_AMD, .cpu_family = 0x15 },
	      any, any, ANY);
}

/* Facts 8.5: Hygon is not counted, nor is anybody else. */
static void other_cpus_need_the_list(void **state)
{
	static const enum dmasim_cpu cpus[] = { DMASIM_CPU_INTEL, DMASIM_CPU_HYGON,
						DMASIM_CPU_OTHER };

	for (size_t i = 0; i < 3; i++) {
		struct dmasim_config config = { DMASIM_CONFIG, .cpu = cpus[i], .cpu_family = 0x18 };

		check(state, &config, unlisted, unlisted, NO);
		check(state, &config, same_only, same_only, SAME);
		check(state, &config, any, any, ANY);
	}
}

/* The list is asked only when the way leads through the root: below a switch nobody asks. */
static void below_a_common_switch_no_list_is_needed(void **state)
{
	struct pair *pair = *state;

	pair->s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
	expect_ok(dmasim_add_host_bridge(
		pair->s, &(struct dmasim_host_bridge){ .vendor = unlisted.vendor,
						       .device = unlisted.device }));
	pair->near = endpoint(pair->s, "00:01.0/00.0/00.0/00.0");
	pair->same = endpoint(pair->s, "00:01.0/00.0/01.0/00.0");
	expect_ok(pcim_p2pdma_init(pair->near));
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(pair->near, 0), &pair->same->dev),
			 PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(pci_p2pdma_distance(pair->near, &pair->same->dev, false), 4);
}

static void a_switch_that_redirects_below_an_unlisted_bridge_is_not_supported(void **state)
{
	struct pair *pair = *state;

	pair->s = dmasim_create(NULL);
	expect_ok(dmasim_add_host_bridge(
		pair->s, &(struct dmasim_host_bridge){ .vendor = unlisted.vendor,
						       .device = unlisted.device }));
	pair->near = endpoint(pair->s, "00:01.0/00.0/00.0/00.0");
	pair->same = endpoint(pair->s, "00:01.0/00.0/01.0/00.0");
	expect_ok(pcim_p2pdma_init(pair->near));
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(pair->near, 0), &pair->same->dev),
			 PCI_P2PDMA_MAP_NOT_SUPPORTED);
	assert_int_equal(pci_p2pdma_distance(pair->near, &pair->same->dev, false), -1);
}

/* A root complex that does not forward refuses the request, whatever the list promised. */
static void a_root_complex_that_does_not_forward_refuses(void **state)
{
	static const struct dmasim_config config = { DMASIM_CONFIG,
						     .forwarding = DMASIM_FORWARDING_NONE };
	struct pair *pair = *state;
	struct dmasim_route route;
	dma_addr_t dma;
	u8 byte = 1;

	build(pair, &config, any, any);
	expect_ok(dma_set_mask(&pair->same->dev, DMA_BIT_MASK(64)));
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(pair->near, 0), &pair->same->dev),
			 PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	dma = dma_map_phys(&pair->same->dev, pci_resource_start(pair->near, 0), SZ_4K,
			   DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	dmasim_route(pair->same, dma, true, &route);
	assert_true(route.passed_root);
	assert_true(route.refused);
	dmasim_expect(pair->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	expect_transfer(dmasim_dev_write(pair->same, dma, &byte, 1), DMASIM_UNSUPPORTED_REQUEST, 0);
	dma_unmap_phys(&pair->same->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_only(pair->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(TEST(each_entry_of_the_list), TEST(the_default_host_bridge_is_listed),
	  TEST(both_ends_must_be_listed_for_any), TEST(the_list_is_the_same_without_an_iommu),
	  TEST(amd_from_family_17_on_needs_no_list), TEST(other_cpus_need_the_list),
	  TEST(below_a_common_switch_no_list_is_needed),
	  TEST(a_switch_that_redirects_below_an_unlisted_bridge_is_not_supported),
	  TEST(a_root_complex_that_does_not_forward_refuses))
