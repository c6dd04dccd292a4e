/* SPDX-License-Identifier: MIT */
/*
 * Building a tree by paths: what is made on the way, who is where, and where BARs and windows lie.
 */
#include "unit/api/machines.h"

static int setup(void **state)
{
	*state = dmasim_create(NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

static struct pci_dev *add(struct dmasim *s, const char *path, u64 bar_bytes)
{
	struct pci_dev *pdev =
		dmasim_add_endpoint(s, path, &(struct dmasim_endpoint){ .bar = { bar_bytes } });

	assert_non_null(pdev);
	return pdev;
}

/* A contract broken here fails the test it happens in, not the whole program. */
void dmasim_contract_failed(const char *what, const char *file, int line)
{
	print_error("a contract is broken: %s\n", what);
	_fail(file, line);
}

/* ---- Paths ----------------------------------------------------------------------------------- */

static void what_is_on_the_way_is_made(void **state)
{
	struct pci_dev *end = add(*state, "00:01.0/00.0/02.0/00.0", SZ_4K);
	static const s32 types[] = { PCI_EXP_TYPE_ENDPOINT, PCI_EXP_TYPE_DOWNSTREAM,
				     PCI_EXP_TYPE_UPSTREAM, PCI_EXP_TYPE_ROOT_PORT };
	static const unsigned int devfns[] = { PCI_DEVFN(0, 0), PCI_DEVFN(2, 0), PCI_DEVFN(0, 0),
					       PCI_DEVFN(1, 0) };
	struct pci_dev *p = end;

	for (int i = 0; i < 4; i++, p = pci_upstream_bridge(p)) {
		assert_non_null(p);
		assert_int_equal(p->express_type, types[i]);
		assert_int_equal(p->devfn, devfns[i]);
		assert_int_equal(pci_is_bridge(p), i > 0);
		assert_true(p->express_cap != 0);
	}
	assert_null(p);
	assert_int_equal(end->class_code >> 8, PCI_CLASS_STORAGE_EXPRESS);
}

static void all_devices_come_parents_first(void **state)
{
	int count = 0, bridges = 0;

	add(*state, "00:02.0/00.0/01.0/00.0", SZ_4K);
	add(*state, "00:01.0/00.0", SZ_4K);
	add(*state, "00:02.0/00.0/03.0/00.0/00.0/00.0", SZ_4K);
	for (struct pci_dev *p = dmasim_next_dev(*state, NULL); p; p = dmasim_next_dev(*state, p)) {
		struct pci_dev *parent = pci_upstream_bridge(p);
		bool seen = !parent;

		for (struct pci_dev *q = dmasim_next_dev(*state, NULL); q != p;
		     q = dmasim_next_dev(*state, q)) {
			assert_non_null(q);
			seen |= q == parent;
			assert_true(q->dev.id != p->dev.id);
		}
		assert_true(seen);
		assert_ptr_equal(dmasim_pci_dev(*state, pci_name(p)), p);
		count++;
		bridges += pci_is_bridge(p);
	}
	/* The host bridge's own function, 2 root ports, 2 switches with 3 ports below, 3 ends. */
	assert_int_equal(count, 1 + 2 + 2 + 3 + 3);
	assert_int_equal(bridges, 2 + 2 + 3);
}

static void devices_are_found_by_their_bdf(void **state)
{
	struct pci_dev *pdev = add(*state, "00:01.0/00.0", SZ_4K);

	assert_string_equal(pci_name(pdev), "0000:01:00.0");
	assert_string_equal(dev_name(&pdev->dev), "0000:01:00.0");
	assert_ptr_equal(dmasim_pci_dev(*state, "0000:01:00.0"), pdev);
	assert_ptr_equal(dmasim_pci_dev(*state, "01:00.0"), pdev);
	expect_u64(pdev->dev.id, DMASIM_SBDF(0, 1, 0, 0));
	assert_ptr_equal(to_pci_dev(&pdev->dev), pdev);
	assert_non_null(dmasim_pci_dev(*state, "00:00.0"));
	assert_null(dmasim_pci_dev(*state, "02:00.0"));
	assert_null(dmasim_pci_dev(*state, "01:00.1"));
	assert_null(dmasim_pci_dev(*state, "0001:01:00.0"));
	assert_null(dmasim_pci_dev(*state, ""));
	assert_null(dmasim_pci_dev(*state, "01:00"));
	assert_null(dmasim_pci_dev(*state, "01:00.0 "));
	assert_null(dmasim_pci_dev(*state, "pizza"));
}

static void segments_have_buses_of_their_own(void **state)
{
	struct pci_dev *first = add(*state, "00:01.0/00.0", SZ_4K);
	struct pci_dev *second = add(*state, "0001:00:01.0/00.0", SZ_4K);

	assert_string_equal(pci_name(first), "0000:01:00.0");
	assert_string_equal(pci_name(second), "0001:01:00.0");
	expect_u64(second->dev.id, DMASIM_SBDF(1, 1, 0, 0));
	assert_ptr_equal(dmasim_pci_dev(*state, "0001:01:00.0"), second);
	assert_ptr_equal(dmasim_pci_dev(*state, "01:00.0"), first);
}

static void functions_of_one_slot_are_multifunction(void **state)
{
	struct pci_dev *first = add(*state, "00:01.0/00.0", SZ_4K);
	struct pci_dev *second;
	u8 header = 0;

	assert_false(first->multifunction);
	second = add(*state, "00:01.0/00.1", SZ_4K);
	assert_true(first->multifunction);
	assert_ptr_equal(pci_upstream_bridge(first), pci_upstream_bridge(second));
	assert_ptr_equal(first->bus, second->bus);
	assert_int_equal(second->devfn, PCI_DEVFN(0, 1));
	pci_read_config_byte(first, PCI_HEADER_TYPE, &header);
	assert_true(header & PCI_HEADER_TYPE_MULTI);
	assert_int_equal(first->hdr_type, PCI_HEADER_TYPE_NORMAL);
}

static void endpoints_may_sit_on_the_root_bus(void **state)
{
	struct pci_dev *pdev = add(*state, "00:1f.7", SZ_4K);

	assert_null(pci_upstream_bridge(pdev));
	assert_string_equal(pci_name(pdev), "0000:00:1f.7");
}

static void a_device_keeps_its_struct_when_hardware_is_added(void **state)
{
	struct pci_dev *late = add(*state, "00:09.0/00.0", SZ_1M);
	struct pci_dev *early;

	assert_string_equal(pci_name(late), "0000:01:00.0");
	early = add(*state, "00:01.0/00.0", SZ_1M);
	/* Buses are given out in order of the tree. */
	assert_string_equal(pci_name(early), "0000:01:00.0");
	assert_string_equal(pci_name(late), "0000:02:00.0");
	assert_ptr_equal(dmasim_pci_dev(*state, "02:00.0"), late);
	expect_u64(late->dev.id, DMASIM_SBDF(0, 2, 0, 0));
}

static void a_bridge_can_be_added_by_itself(void **state)
{
	struct pci_dev *root = dmasim_add_bridge(
		*state, "00:01.0",
		&(struct dmasim_bridge){ .acs = DMASIM_ACS_ABSENT, .vendor = 0x1234, .device = 7 });
	struct pci_dev *end = add(*state, "00:01.0/00.0/00.0/00.0", SZ_4K);

	assert_non_null(root);
	assert_int_equal(root->vendor, 0x1234);
	assert_int_equal(root->device, 7);
	assert_int_equal(root->express_type, PCI_EXP_TYPE_ROOT_PORT);
	assert_int_equal(root->acs_cap, 0);
	assert_ptr_equal(pci_upstream_bridge(pci_upstream_bridge(pci_upstream_bridge(end))), root);
	/* The port that was made on the way has what the machine's ports have. */
	assert_true(pci_upstream_bridge(end)->acs_cap != 0);
}

static void ids_are_those_given(void **state)
{
	struct pci_dev *given = dmasim_add_endpoint(
		*state, "00:01.0/00.0",
		&(struct dmasim_endpoint){ .vendor = 0x10de,
					   .device = 0x2330,
					   .class_code = PCI_CLASS_DISPLAY_3D << 8 });
	struct pci_dev *own = add(*state, "00:02.0/00.0", 0);
	u16 vendor = 0, device = 0;
	u32 class_revision = 0;

	assert_int_equal(given->vendor, 0x10de);
	assert_int_equal(given->device, 0x2330);
	assert_int_equal(given->class_code, PCI_CLASS_DISPLAY_3D << 8);
	pci_read_config_word(given, PCI_VENDOR_ID, &vendor);
	pci_read_config_word(given, PCI_DEVICE_ID, &device);
	pci_read_config_dword(given, PCI_CLASS_REVISION, &class_revision);
	assert_int_equal(vendor, 0x10de);
	assert_int_equal(device, 0x2330);
	assert_int_equal(class_revision >> 8, PCI_CLASS_DISPLAY_3D << 8);
	assert_true(own->vendor != 0);
	assert_true(own->vendor != 0xffff);
}

/* vendor 0 is 8086:09a2 (facts 8.6: on the allow list). */
static void the_host_bridge_has_a_function_of_its_own(void **state)
{
	struct pci_dev *host;

	add(*state, "00:01.0/00.0", SZ_4K);
	host = dmasim_pci_dev(*state, "00:00.0");
	assert_non_null(host);
	assert_int_equal(host->vendor, 0x8086);
	assert_int_equal(host->device, 0x09a2);
	assert_int_equal(host->class_code >> 8, PCI_CLASS_BRIDGE_HOST);
	assert_false(pci_is_bridge(host));
}

static void host_bridges_have_the_ids_given(void **state)
{
	struct pci_dev *host;

	expect_ok(dmasim_add_host_bridge(
		*state, &(struct dmasim_host_bridge){
				.segment = 2, .bus = 0x80, .vendor = 0x1022, .device = 0x14a4 }));
	add(*state, "0002:80:01.0/00.0", SZ_4K);
	host = dmasim_pci_dev(*state, "0002:80:00.0");
	assert_non_null(host);
	assert_int_equal(host->vendor, 0x1022);
	assert_int_equal(host->device, 0x14a4);
	assert_non_null(dmasim_pci_dev(*state, "0002:81:00.0"));
}

static void all_of_config_space_is_known(void **state)
{
	expect_u64(dmasim_config_bytes(add(*state, "00:01.0/00.0", SZ_4K)), 4096);
}

/* ---- BARs ------------------------------------------------------------------------------------ */

static void bars_are_64_bit_where_the_next_register_is_free(void **state)
{
	static const unsigned long wide = IORESOURCE_MEM | IORESOURCE_PREFETCH | IORESOURCE_MEM_64;
	struct pci_dev *pdev = dmasim_add_endpoint(
		*state, "00:01.0/00.0",
		&(struct dmasim_endpoint){ .bar = { 16, 0, SZ_1M, SZ_4K, SZ_64K, SZ_1K } });

	expect_u64(pci_resource_flags(pdev, 0) & wide, wide);
	expect_u64(pci_resource_flags(pdev, 1), 0);
	expect_u64(pci_resource_flags(pdev, 2) & wide, IORESOURCE_MEM);
	expect_u64(pci_resource_flags(pdev, 3) & wide, IORESOURCE_MEM);
	expect_u64(pci_resource_flags(pdev, 5) & wide, IORESOURCE_MEM);
	expect_u64(pci_resource_len(pdev, 0), 16);
	expect_u64(pci_resource_len(pdev, 1), 0);
	expect_u64(pci_resource_len(pdev, 2), SZ_1M);
	expect_u64(pci_resource_len(pdev, 5), SZ_1K);
	for (int bar = 2; bar < 6; bar++)
		assert_true(pci_resource_end(pdev, bar) < SZ_4G);
}

static void bar_32_makes_a_bar_32_bit(void **state)
{
	struct pci_dev *pdev = dmasim_add_endpoint(
		*state, "00:01.0/00.0",
		&(struct dmasim_endpoint){ .bar = { SZ_1M, 0, SZ_1M }, .bar_32 = 1 << 2 });

	assert_true(pci_resource_flags(pdev, 0) & IORESOURCE_MEM_64);
	assert_false(pci_resource_flags(pdev, 2) & IORESOURCE_MEM_64);
	assert_false(pci_resource_flags(pdev, 2) & IORESOURCE_PREFETCH);
	assert_true(pci_resource_end(pdev, 2) < SZ_4G);
}

static bool inside(u64 start, u64 last, const struct pci_bridge_window *window)
{
	return window->start <= start && last <= window->last;
}

/* Each BAR is aligned to its size, in a window of every bridge above, apart from the others. */
static void expect_well_placed(struct dmasim *s, struct pci_dev *pdev, int bar)
{
	phys_addr_t start = pci_resource_start(pdev, bar), end = pci_resource_end(pdev, bar);
	u64 bus = pci_bus_address(pdev, bar);
	bool in_window = false;
	struct dmasim_window window;

	expect_u64(bus & (pci_resource_len(pdev, bar) - 1), 0);
	for (struct pci_dev *p = pci_upstream_bridge(pdev); p; p = pci_upstream_bridge(p))
		assert_true(inside(bus, bus + end - start, &p->window) ||
			    inside(bus, bus + end - start, &p->prefetch_window));
	for (u32 i = 0; dmasim_window(s, i, &window); i++)
		in_window |= start >= window.start && end < window.start + window.bytes;
	assert_true(in_window);
	for (struct pci_dev *p = dmasim_next_dev(s, NULL); p; p = dmasim_next_dev(s, p)) {
		for (int other = 0; other < PCI_STD_NUM_BARS; other++) {
			if ((p == pdev && other == bar) || !pci_resource_len(p, other))
				continue;
			assert_true(pci_resource_end(p, other) < start ||
				    pci_resource_start(p, other) > end);
		}
	}
}

static void bars_lie_in_the_windows_above_them_and_apart(void **state)
{
	static const char *const paths[] = { "00:01.0/00.0/00.0/00.0",
					     "00:01.0/00.0/00.0/00.1",
					     "00:01.0/00.0/01.0/00.0/00.0/00.0",
					     "00:03.0/00.0",
					     "00:05.0",
					     "40:01.0/00.0" };

	for (size_t i = 0; i < 6; i++)
		assert_non_null(dmasim_add_endpoint(
			*state, paths[i],
			&(struct dmasim_endpoint){ .bar = { SZ_1M << i, 0, 16, SZ_4K << i, SZ_16K },
						   .bar_32 = 1 << 4 }));
	for (struct pci_dev *p = dmasim_next_dev(*state, NULL); p; p = dmasim_next_dev(*state, p))
		for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++)
			if (pci_resource_len(p, bar))
				expect_well_placed(*state, p, bar);
}

static void a_bar_of_256_GiB_is_reached_at_its_last_byte(void **state)
{
	struct pci_dev *gpu = add(*state, "00:01.0/00.0", SZ_256G);
	phys_addr_t bar = pci_resource_start(gpu, 0);
	u8 byte = 0x77;

	expect_u64(pci_resource_len(gpu, 0), SZ_256G);
	expect_u64(bar & (SZ_256G - 1), 0);
	expect_u64(dmasim_write(*state, bar + SZ_256G - 1, &byte, 1), 1);
	expect_bytes_at(*state, bar + SZ_256G - 1, &byte, 1);
	assert_true(dmasim_in_use(*state, DMASIM_FAULT_BAR_CHUNK) < 4);
}

static void expect_bar_at(struct dmasim *s, phys_addr_t phys, struct pci_dev *owner, u32 bar)
{
	u32 found = 99;

	assert_ptr_equal(dmasim_bar_at(s, phys, &found), owner);
	assert_int_equal(found, bar);
	assert_ptr_equal(dmasim_bar_at(s, phys, NULL), owner);
}

static void the_cpu_reaches_a_bar_from_its_first_byte_to_its_last(void **state)
{
	const struct dmasim_endpoint two = { .bar = { SZ_1M, 0, SZ_16K } };
	struct pci_dev *first = dmasim_add_endpoint(*state, "00:01.0/00.0", &two);
	struct pci_dev *second = add(*state, "40:01.0/00.0", SZ_1M);

	expect_bar_at(*state, pci_resource_start(first, 0), first, 0);
	expect_bar_at(*state, pci_resource_end(first, 0), first, 0);
	expect_bar_at(*state, pci_resource_start(first, 2), first, 2);
	expect_bar_at(*state, pci_resource_end(second, 0), second, 0);
}

static void the_cpu_reaches_no_bar_where_there_is_none(void **state)
{
	struct pci_dev *pdev = add(*state, "00:01.0/00.0", SZ_1M);
	phys_addr_t ram = dmasim_alloc(*state, SZ_4K);

	expect_bar_at(*state, ram, NULL, 99);
	expect_bar_at(*state, ~0ULL, NULL, 99);
	pci_write_config_word(pdev, PCI_COMMAND, 0);
	expect_bar_at(*state, pci_resource_start(pdev, 0), NULL, 99);
}

static void sizes_of_bars_are_not_inferred_in_a_tree_of_ones_own(void **state)
{
	assert_false(dmasim_bar_inferred(add(*state, "00:01.0/00.0", SZ_1M), 0));
}

static void windows_are_not_inferred_in_a_tree_of_ones_own(void **state)
{
	struct dmasim_window window;
	u32 count = 0;

	add(*state, "00:01.0/00.0", SZ_1M);
	add(*state, "40:01.0/00.0", SZ_1M);
	for (; dmasim_window(*state, count, &window); count++) {
		assert_false(window.inferred);
		assert_true(window.bus == 0 || window.bus == 0x40);
		assert_true(window.bytes >= SZ_1M);
		expect_u64(window.bus_offset, 0);
	}
	assert_true(count >= 2);
	assert_false(dmasim_window(*state, count + 5, &window));
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* machine.h: the machine starts with the first mapping or the first access of a device. */
static void setting_a_mask_does_not_start_the_machine(void **state)
{
	struct pci_dev *pdev = add(*state, "00:01.0/00.0", SZ_4K);

	expect_ok(dma_set_mask(&pdev->dev, DMA_BIT_MASK(64)));
	add(*state, "00:02.0/00.0", SZ_4K);
}

static void distances_and_configuration_do_not_start_the_machine(void **state)
{
	struct pci_dev *first = add(*state, "00:01.0/00.0/00.0/00.0", SZ_64K);
	struct pci_dev *second = add(*state, "00:01.0/00.0/01.0/00.0", SZ_64K);
	u16 command;

	assert_int_equal(pci_p2pdma_distance(first, &second->dev, false), 4);
	pci_read_config_word(first, PCI_COMMAND, &command);
	pci_set_master(first);
	expect_ok(pci_enable_device(second));
	add(*state, "00:02.0/00.0", SZ_4K);
}

/* Function 0 says that it is not alone only while that is so. */
static void a_function_that_could_not_be_added_is_not_announced(void **state)
{
	struct pci_dev *first = add(*state, "00:01.0/00.0", SZ_4K);
	struct pci_dev *second;
	u64 nth = 0;
	u8 header;

	do {
		pci_read_config_byte(first, PCI_HEADER_TYPE, &header);
		expect_u64(header, PCI_HEADER_TYPE_NORMAL);
		assert_false(first->multifunction);
		dmasim_fail(*state, DMASIM_FAULT_ANY, ++nth);
		second = dmasim_add_endpoint(*state, "00:01.0/00.1",
					     &(struct dmasim_endpoint){ .bar = { SZ_4K } });
	} while (!second);
	dmasim_fail(*state, DMASIM_FAULT_ANY, 0);
	assert_true(nth > 3);
	pci_read_config_byte(first, PCI_HEADER_TYPE, &header);
	expect_u64(header, PCI_HEADER_TYPE_MULTI);
	assert_true(first->multifunction);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(TEST(a_function_that_could_not_be_added_is_not_announced),
	  TEST(what_is_on_the_way_is_made), TEST(all_devices_come_parents_first),
	  TEST(devices_are_found_by_their_bdf), TEST(segments_have_buses_of_their_own),
	  TEST(functions_of_one_slot_are_multifunction), TEST(endpoints_may_sit_on_the_root_bus),
	  TEST(a_device_keeps_its_struct_when_hardware_is_added),
	  TEST(a_bridge_can_be_added_by_itself), TEST(ids_are_those_given),
	  TEST(the_host_bridge_has_a_function_of_its_own), TEST(host_bridges_have_the_ids_given),
	  TEST(all_of_config_space_is_known), TEST(bars_are_64_bit_where_the_next_register_is_free),
	  TEST(bar_32_makes_a_bar_32_bit), TEST(bars_lie_in_the_windows_above_them_and_apart),
	  TEST(a_bar_of_256_GiB_is_reached_at_its_last_byte),
	  TEST(the_cpu_reaches_a_bar_from_its_first_byte_to_its_last),
	  TEST(the_cpu_reaches_no_bar_where_there_is_none),
	  TEST(sizes_of_bars_are_not_inferred_in_a_tree_of_ones_own),
	  TEST(windows_are_not_inferred_in_a_tree_of_ones_own),
	  TEST(setting_a_mask_does_not_start_the_machine),
	  TEST(distances_and_configuration_do_not_start_the_machine))
