/* SPDX-License-Identifier: MIT */
/*
 * Finding peer memory (facts "dma-api" 8.1, 8.7): distances to many clients, published providers,
 * the nearest one, lists of its memory, and what sysfs shows of it.
 */
#include "unit/api/machines.h"

/* The rig with redirect off; nvme, gpu and nic are below one switch, disk below another port. */
#define NEAR_FOUR (4 + 4)
#define FAR	  6

static int clients_of(struct rig *rig, struct device **clients)
{
	clients[0] = &rig->nvme->dev;
	clients[1] = &rig->nic->dev;
	clients[2] = &rig->disk->dev;
	return 3;
}

/* ---- Distances to many ----------------------------------------------------------------------- */

/*
 * trust: the distance to many clients is the sum, or -1 if one is not supported
 * | our reading of the facts
 */
static void the_distance_to_many_is_the_sum(void **state)
{
	struct rig *rig = *state;
	struct device *clients[3];

	clients_of(rig, clients);
	assert_int_equal(pci_p2pdma_distance_many(rig->gpu, clients, 2, true), NEAR_FOUR);
	assert_int_equal(pci_p2pdma_distance_many(rig->gpu, clients, 3, true), NEAR_FOUR + FAR);
	assert_int_equal(pci_p2pdma_distance_many(rig->gpu, &clients[2], 1, false), FAR);
	assert_int_equal(pci_p2pdma_distance_many(rig->gpu, clients, 0, true), -1);
}

static enum pci_p2pdma_map_type type_of(struct rig *rig, struct pci_dev *client)
{
	return pci_p2pdma_map_type(pcim_p2pdma_provider(rig->gpu, 0), &client->dev);
}

static void set_acs_of_port(struct pci_dev *pdev, u16 bits)
{
	struct pci_dev *port = pci_upstream_bridge(pdev);

	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, bits);
}

static int setup_unlisted(void **state)
{
	return rig_setup_unlisted(state,
				  &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
}

/*
 * disk is not supported. What is remembered of the client after it tells whether that one was
 * judged anew: its port has begun to redirect meanwhile.
 */
static void expect_judged(struct rig *rig, bool verbose, bool judged)
{
	struct device *clients[] = { &rig->disk->dev, &rig->nvme->dev };

	expect_ok(pcim_p2pdma_init(rig->gpu));
	assert_int_equal(type_of(rig, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	set_acs_of_port(rig->nvme, PCI_ACS_RR);
	assert_int_equal(pci_p2pdma_distance_many(rig->gpu, clients, 2, verbose), -1);
	assert_int_equal(type_of(rig, rig->disk), PCI_P2PDMA_MAP_NOT_SUPPORTED);
	assert_int_equal(type_of(rig, rig->nvme),
			 judged ? PCI_P2PDMA_MAP_NOT_SUPPORTED : PCI_P2PDMA_MAP_BUS_ADDR);
}

static void without_verbose_the_first_that_fails_ends_it(void **state)
{
	expect_judged(*state, false, false);
}

static void with_verbose_all_are_asked(void **state)
{
	expect_judged(*state, true, true);
}

/*
 * trust: a distance overwrites the verdict that is remembered, also with NOT_SUPPORTED
 * | our reading of the facts
 */
static void a_distance_to_many_overwrites_what_is_remembered(void **state)
{
	struct rig *rig = *state;
	struct device *clients[3];

	clients_of(rig, clients);
	expect_ok(pcim_p2pdma_init(rig->gpu));
	for (int i = 0; i < 2; i++)
		assert_int_equal(type_of(rig, to_pci_dev(clients[i])), PCI_P2PDMA_MAP_BUS_ADDR);
	set_acs_of_port(rig->gpu, PCI_ACS_CR);
	assert_int_equal(type_of(rig, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(pci_p2pdma_distance_many(rig->gpu, clients, 1, false), 4);
	assert_int_equal(type_of(rig, rig->nvme), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	assert_int_equal(type_of(rig, rig->nic), PCI_P2PDMA_MAP_BUS_ADDR);
}

/* It need not be a provider to be asked: nothing is remembered then. */
static void what_is_no_provider_has_a_distance_too(void **state)
{
	struct rig *rig = *state;
	struct device *clients[] = { &rig->gpu->dev };

	assert_int_equal(pci_p2pdma_distance_many(rig->nvme, clients, 1, false), 4);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_P2P_VERDICT), 0);
}

/* ---- Published providers --------------------------------------------------------------------- */

static void what_is_published_is_found(void **state)
{
	struct rig *rig = *state;
	struct device *clients[3];
	int count = clients_of(rig, clients);

	pci_p2pmem_publish(rig->gpu, true);
	assert_false(pci_has_p2pmem(rig->gpu));
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	assert_false(pci_has_p2pmem(rig->gpu));
	assert_null(pci_p2pmem_find_many(clients, count));
	pci_p2pmem_publish(rig->gpu, true);
	assert_true(pci_has_p2pmem(rig->gpu));
	assert_ptr_equal(pci_p2pmem_find_many(clients, count), rig->gpu);
	assert_ptr_equal(pci_p2pmem_find(clients[0]), rig->gpu);
	assert_null(pci_p2pmem_find_many(clients, 0));
	pci_p2pmem_publish(rig->gpu, false);
	assert_null(pci_p2pmem_find_many(clients, count));
}

/* trust: of several published providers the nearest is found | our reading of the facts */
static void the_nearest_provider_is_found(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *providers[] = { rig->gpu, rig->disk };

	for (int i = 0; i < 2; i++) {
		expect_ok(pci_p2pdma_add_resource(providers[i], 0, SZ_4K, 0));
		pci_p2pmem_publish(providers[i], true);
	}
	assert_ptr_equal(pci_p2pmem_find(&rig->nvme->dev), rig->gpu);
	assert_ptr_equal(pci_p2pmem_find(&rig->disk->dev), rig->disk);
	pci_p2pmem_publish(rig->gpu, false);
	assert_ptr_equal(pci_p2pmem_find(&rig->nvme->dev), rig->disk);
}

static void an_unsupported_provider_is_not_found(void **state)
{
	struct rig *rig = *state;

	expect_ok(pci_p2pdma_add_resource(rig->disk, 0, SZ_4K, 0));
	pci_p2pmem_publish(rig->disk, true);
	assert_null(pci_p2pmem_find(&rig->nvme->dev));
	assert_ptr_equal(pci_p2pmem_find(&rig->disk->dev), rig->disk);
}

/* Of two that are as near, both are found in time, and the same ones with the same seed. */
static void ties_are_broken_by_the_machines_generator(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *providers[] = { rig->gpu, rig->nic };
	u32 found[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		expect_ok(pci_p2pdma_add_resource(providers[i], 0, SZ_4K, 0));
		pci_p2pmem_publish(providers[i], true);
	}
	for (int i = 0; i < 64; i++) {
		struct pci_dev *pdev = pci_p2pmem_find(&rig->nvme->dev);

		assert_true(pdev == rig->gpu || pdev == rig->nic);
		found[pdev == rig->nic]++;
	}
	assert_true(found[0] && found[1]);
}

#define MANY	   600
#define CANDIDATES 512

static int nth_of(struct pci_dev *const *list, int count, const struct pci_dev *pdev)
{
	for (int i = 0; i < count; i++)
		if (list[i] == pdev)
			return i;
	return -1;
}

/* A device with so many virtual functions, all of them providers; and somebody far from them. */
static struct pci_dev *add_many(struct dmasim *s)
{
	struct dmasim_endpoint endpoint = { .sriov = { .total_vfs = MANY, .vf_bar = { SZ_4K } } };
	struct pci_dev *physical = dmasim_add_endpoint(s, "00:01.0/00.0", &endpoint);
	struct pci_dev *client;

	client = dmasim_add_endpoint(s, "0001:00:01.0/00.0", &(struct dmasim_endpoint){ 0 });
	assert_true(physical && client);
	expect_ok(pci_enable_sriov(physical, MANY));
	return client;
}

/* trust: Linux considers the first 512 of several nearest providers | our reading of the facts */
static void of_many_candidates_the_first_512_are_considered(void **state)
{
	struct dmasim *s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .seed = 3 });
	struct pci_dev *list[MANY], *client, *pdev;
	int count = 0, highest = -1;

	*state = s;
	client = add_many(s);
	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (!dmasim_p2p_provides(pdev) || pdev == client)
			continue;
		assert_true(count < MANY);
		list[count++] = pdev;
		expect_ok(pcim_p2pdma_init(pdev));
		pci_p2pmem_publish(pdev, true);
	}
	assert_int_equal(count, MANY);
	for (int i = 0; i < 100; i++) {
		int found = nth_of(list, MANY, pci_p2pmem_find(&client->dev));

		assert_true(found >= 0 && found < CANDIDATES);
		highest = found > highest ? found : highest;
	}
	assert_true(highest > CANDIDATES / 2);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* trust: a list of peer memory has one entry | our reading of the facts */
static void a_list_of_peer_memory_has_one_entry(void **state)
{
	struct rig *rig = *state;
	struct dmasim_p2pmem figures;
	struct scatterlist *sg;
	unsigned int nents = 7;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	dma_set_max_seg_size(&rig->nvme->dev, SZ_1M);
	sg = pci_p2pmem_alloc_sgl(rig->gpu, &nents, SZ_64K + 100);
	assert_non_null(sg);
	assert_int_equal(nents, 1);
	assert_null(sg_next(sg));
	expect_u64(sg->length, SZ_64K + 100);
	expect_u64(sg_phys(sg), pci_resource_start(rig->gpu, 0));
	assert_true(is_pci_p2pdma_page(sg_page(sg)));
	assert_int_equal(dma_map_sg(&rig->nvme->dev, sg, 1, DMA_FROM_DEVICE), 1);
	assert_true(sg_dma_is_bus_address(sg));
	dma_unmap_sg(&rig->nvme->dev, sg, 1, DMA_FROM_DEVICE);
	assert_true(dmasim_p2pmem(rig->gpu, &figures));
	expect_u64(figures.available, SZ_1M - SZ_64K - SZ_4K);
	pci_p2pmem_free_sgl(rig->gpu, sg);
	assert_null(pci_p2pmem_alloc_sgl(rig->gpu, &nents, 2 * SZ_1M));
	dmasim_assert_clean(rig->s);
}

static void the_figures_follow_the_pools(void **state)
{
	struct rig *rig = *state;
	struct dmasim_p2pmem figures;
	void *memory;

	assert_false(dmasim_p2pmem(rig->gpu, &figures));
	expect_ok(pcim_p2pdma_init(rig->gpu));
	assert_false(dmasim_p2pmem(rig->gpu, &figures));
	expect_u64(figures.size, 0);
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_64K, SZ_16M));
	memory = pci_alloc_p2pmem(rig->gpu, SZ_4K + 1);
	pci_p2pmem_publish(rig->gpu, true);
	assert_true(dmasim_p2pmem(rig->gpu, &figures));
	expect_u64(figures.size, SZ_1M + SZ_64K);
	expect_u64(figures.available, SZ_1M + SZ_64K - 2 * SZ_4K);
	assert_true(figures.published);
	pci_free_p2pmem(rig->gpu, memory, SZ_4K + 1);
	assert_true(dmasim_p2pmem(rig->gpu, &figures));
	expect_u64(figures.available, figures.size);
}

/* trust: a device whose BARs are not mappable is no provider | our reading of the facts */
static void bars_that_nobody_may_map_make_no_provider(void **state)
{
	struct rig *rig = *state;

	rig->gpu->non_mappable_bars = true;
	expect_error(pcim_p2pdma_init(rig->gpu), -EOPNOTSUPP);
	expect_error(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0), -EOPNOTSUPP);
	assert_null(pcim_p2pdma_provider(rig->gpu, 0));
	assert_false(dmasim_p2p_provides(rig->gpu));
	dmasim_assert_clean(rig->s);
}

static int teardown(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

#define TEST(test) WITH_SETUP(test, rig_setup_acs_off)

TEST_MAIN(TEST(the_distance_to_many_is_the_sum),
	  WITH_SETUP(without_verbose_the_first_that_fails_ends_it, setup_unlisted),
	  WITH_SETUP(with_verbose_all_are_asked, setup_unlisted),
	  TEST(a_distance_to_many_overwrites_what_is_remembered),
	  TEST(what_is_no_provider_has_a_distance_too), TEST(what_is_published_is_found),
	  TEST(the_nearest_provider_is_found),
	  WITH_SETUP(an_unsupported_provider_is_not_found, setup_unlisted),
	  TEST(ties_are_broken_by_the_machines_generator),
	  cmocka_unit_test_teardown(of_many_candidates_the_first_512_are_considered, teardown),
	  TEST(a_list_of_peer_memory_has_one_entry), TEST(the_figures_follow_the_pools),
	  TEST(bars_that_nobody_may_map_make_no_provider))
