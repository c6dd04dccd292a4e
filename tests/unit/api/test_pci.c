/* SPDX-License-Identifier: MIT */
/*
 * PCI devices as a driver sees them: configuration space, capabilities, decoding and bus mastering.
 */
#include "unit/api/machines.h"

/* ---- Configuration space --------------------------------------------------------------------- */

static void widths_read_the_same_bytes(void **state)
{
	struct rig *rig = *state;

	for (int where = 0; where < PCI_CFG_SPACE_SIZE; where += 4) {
		u32 dword = 0, words = 0, bytes = 0;

		expect_ok(pci_read_config_dword(rig->gpu, where, &dword));
		for (int i = 0; i < 4; i += 2) {
			u16 word = 0;

			expect_ok(pci_read_config_word(rig->gpu, where + i, &word));
			words |= (u32)word << (8 * i);
		}
		for (int i = 0; i < 4; i++) {
			u8 byte = 0;

			expect_ok(pci_read_config_byte(rig->gpu, where + i, &byte));
			bytes |= (u32)byte << (8 * i);
		}
		expect_u64(words, dword);
		expect_u64(bytes, dword);
	}
}

/* Writes of each width change their own bytes only; here in a register that is all storage. */
static void widths_write_their_own_bytes(void **state)
{
	struct rig *rig = *state;
	u32 bar = 0, sized = 0;

	pci_read_config_dword(rig->disk, PCI_BASE_ADDRESS_0 + 4, &bar);
	expect_ok(pci_write_config_dword(rig->disk, PCI_BASE_ADDRESS_0 + 4, 0x11223344));
	expect_ok(pci_write_config_byte(rig->disk, PCI_BASE_ADDRESS_0 + 5, 0xaa));
	expect_ok(pci_write_config_word(rig->disk, PCI_BASE_ADDRESS_0 + 6, 0xbbcc));
	pci_read_config_dword(rig->disk, PCI_BASE_ADDRESS_0 + 4, &sized);
	expect_u64(sized, 0xbbccaa44);
	pci_write_config_dword(rig->disk, PCI_BASE_ADDRESS_0 + 4, bar);
}

/* PCI 3.0, 6.2.5.1: all ones written, a BAR answers with its size and type. */
static void a_bar_answers_sizing(void **state)
{
	struct rig *rig = *state;
	u32 low = 0, high = 0, was_low = 0, was_high = 0;

	pci_read_config_dword(rig->gpu, PCI_BASE_ADDRESS_0, &was_low);
	pci_read_config_dword(rig->gpu, PCI_BASE_ADDRESS_0 + 4, &was_high);
	pci_write_config_dword(rig->gpu, PCI_BASE_ADDRESS_0, ~0u);
	pci_write_config_dword(rig->gpu, PCI_BASE_ADDRESS_0 + 4, ~0u);
	pci_read_config_dword(rig->gpu, PCI_BASE_ADDRESS_0, &low);
	pci_read_config_dword(rig->gpu, PCI_BASE_ADDRESS_0 + 4, &high);
	expect_u64(~((((u64)high << 32) | low) & PCI_BASE_ADDRESS_MEM_MASK) + 1, SZ_1G);
	expect_u64(low & 0xf, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
	pci_write_config_dword(rig->gpu, PCI_BASE_ADDRESS_0, was_low);
	pci_write_config_dword(rig->gpu, PCI_BASE_ADDRESS_0 + 4, was_high);
	/* A BAR that is not there stays 0. */
	pci_write_config_dword(rig->gpu, PCI_BASE_ADDRESS_0 + 8, ~0u);
	pci_read_config_dword(rig->gpu, PCI_BASE_ADDRESS_0 + 8, &low);
	expect_u64(low, 0);
}

static void ids_cannot_be_written(void **state)
{
	struct rig *rig = *state;
	u16 vendor = 0;

	expect_ok(pci_write_config_dword(rig->nvme, PCI_VENDOR_ID, 0));
	expect_ok(pci_read_config_word(rig->nvme, PCI_VENDOR_ID, &vendor));
	assert_int_equal(vendor, rig->nvme->vendor);
}

static void a_moved_bar_is_decoded_where_it_is(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	struct pci_dev *port = pci_upstream_bridge(rig->disk);
	u8 byte = 0x42;
	u32 low = 0;

	/* Its window is 1 MiB; the 16 KiB BAR moves up in it. */
	assert_true(port->prefetch_window.last - port->prefetch_window.start + 1 >= SZ_1M);
	pci_read_config_dword(rig->disk, PCI_BASE_ADDRESS_0, &low);
	pci_write_config_dword(rig->disk, PCI_BASE_ADDRESS_0, low + SZ_64K);
	expect_u64(dmasim_write(rig->s, bar, &byte, 1), 0);
	expect_u64(dmasim_write(rig->s, bar + SZ_64K, &byte, 1), 1);
	pci_write_config_dword(rig->disk, PCI_BASE_ADDRESS_0, low);
	expect_u64(dmasim_write(rig->s, bar, &byte, 1), 1);
}

/* ---- Capabilities ---------------------------------------------------------------------------- */

static void capabilities_are_found(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *port = pci_upstream_bridge(rig->nvme);
	u16 flags = 0;
	u8 id = 0;

	assert_int_equal(pci_find_capability(rig->nvme, PCI_CAP_ID_EXP), rig->nvme->express_cap);
	assert_true(rig->nvme->express_cap >= 0x40);
	pci_read_config_byte(rig->nvme, rig->nvme->express_cap + PCI_CAP_LIST_ID, &id);
	assert_int_equal(id, PCI_CAP_ID_EXP);
	pci_read_config_word(port, port->express_cap + PCI_EXP_FLAGS, &flags);
	assert_int_equal((flags & PCI_EXP_FLAGS_TYPE) >> PCI_EXP_FLAGS_TYPE_SHIFT,
			 PCI_EXP_TYPE_DOWNSTREAM);
	assert_int_equal(pci_find_ext_capability(port, PCI_EXT_CAP_ID_ACS), port->acs_cap);
	assert_true(port->acs_cap >= PCI_EXT_CAP_START);
	assert_int_equal(pci_find_capability(rig->nvme, 0x42), 0);
	assert_int_equal(pci_find_ext_capability(rig->nvme, 0x4242), 0);
}

static void check_acs(struct rig *rig, u16 expected)
{
	int ports = 0;

	for (struct pci_dev *p = dmasim_next_dev(rig->s, NULL); p; p = dmasim_next_dev(rig->s, p)) {
		u16 capability = 0, control = 0;

		if (p->express_type != PCI_EXP_TYPE_ROOT_PORT &&
		    p->express_type != PCI_EXP_TYPE_DOWNSTREAM)
			continue;
		assert_true(p->acs_cap != 0);
		pci_read_config_word(p, p->acs_cap + PCI_ACS_CAP, &capability);
		pci_read_config_word(p, p->acs_cap + PCI_ACS_CTRL, &control);
		assert_int_equal(capability & 0x1d, 0x1d);
		assert_int_equal(control, expected);
		ports++;
	}
	assert_int_equal(ports, 5);
}

/* SV, RR, CR and UF, as Linux leaves them with an IOMMU. */
static void ports_isolate_by_default(void **state)
{
	check_acs(*state, PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF);
}

static void acs_off_is_a_capability_with_all_bits_clear(void **state)
{
	check_acs(*state, 0);
}

/* The capability word is read only, and bits that it does not offer stay clear. */
static void acs_control_takes_the_bits_there_are(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *port = pci_upstream_bridge(rig->nvme);
	u16 capability = 0, control = 0, again = 0;

	pci_read_config_word(port, port->acs_cap + PCI_ACS_CAP, &capability);
	pci_write_config_word(port, port->acs_cap + PCI_ACS_CAP, 0);
	pci_read_config_word(port, port->acs_cap + PCI_ACS_CAP, &again);
	assert_int_equal(again, capability);
	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, 0xffff);
	pci_read_config_word(port, port->acs_cap + PCI_ACS_CTRL, &control);
	assert_int_equal(control, capability & 0x7f);
	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, 0);
	pci_read_config_word(port, port->acs_cap + PCI_ACS_CTRL, &control);
	assert_int_equal(control, 0);
}

/* ---- Decoding and mastering ------------------------------------------------------------------ */

static void change_command(struct pci_dev *pdev, u16 set, u16 clear)
{
	u16 command = 0;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	pci_write_config_word(pdev, PCI_COMMAND, (command | set) & ~clear);
}

static void without_memory_decoding_a_bar_is_not_there(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	u8 byte = 1;

	expect_u64(dmasim_write(rig->s, bar, &byte, 1), 1);
	change_command(rig->gpu, 0, PCI_COMMAND_MEMORY);
	expect_u64(dmasim_write(rig->s, bar, &byte, 1), 0);
	expect_u64(dmasim_read(rig->s, bar, &byte, 1), 0);
	expect_ok(pci_enable_device(rig->gpu));
	expect_u64(dmasim_write(rig->s, bar, &byte, 1), 1);
}

static void enabling_a_device_enables_the_bridges_above(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	u8 byte = 1;

	for (struct pci_dev *p = rig->gpu; p; p = pci_upstream_bridge(p)) {
		change_command(p, 0, PCI_COMMAND_MEMORY);
		expect_u64(dmasim_write(rig->s, bar, &byte, 1), 0);
		expect_ok(pci_enable_device(rig->gpu));
		expect_u64(dmasim_write(rig->s, bar, &byte, 1), 1);
	}
}

static void a_device_that_is_no_master_sends_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	u64 tlps = dmasim_costs(rig->s).tlps;
	struct dmasim_transfer transfer;
	u8 byte = 1;

	change_command(rig->nvme, 0, PCI_COMMAND_MASTER);
	transfer = dmasim_dev_write(rig->nvme, dma, &byte, 1);
	expect_transfer(transfer, DMASIM_NOT_MASTER, 0);
	expect_u64(transfer.at, dma);
	expect_transfer(dmasim_dev_read(rig->nvme, dma, &byte, 1), DMASIM_NOT_MASTER, 0);
	expect_u64(dmasim_costs(rig->s).tlps, tlps);
	pci_set_master(rig->nvme);
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* PCIe 5.0, 7.5.1.1.3: a bridge that is no master does not forward requests upwards. */
static void set_master_lets_the_bridges_above_forward(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	u8 byte = 1;

	for (struct pci_dev *p = pci_upstream_bridge(rig->nvme); p; p = pci_upstream_bridge(p)) {
		change_command(p, 0, PCI_COMMAND_MASTER);
		dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
		expect_transfer(dmasim_dev_write(rig->nvme, dma, &byte, 1),
				DMASIM_UNSUPPORTED_REQUEST, 0);
		pci_set_master(rig->nvme);
		expect_write_lands(rig->s, rig->nvme, dma, buf, 64);
	}
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void windows_of_bridges_are_those_of_their_registers(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *port = pci_upstream_bridge(rig->gpu);
	u16 base = 0, limit = 0;
	u32 base_high = 0, limit_high = 0;

	pci_read_config_word(port, PCI_PREF_MEMORY_BASE, &base);
	pci_read_config_word(port, PCI_PREF_MEMORY_LIMIT, &limit);
	pci_read_config_dword(port, PCI_PREF_BASE_UPPER32, &base_high);
	pci_read_config_dword(port, PCI_PREF_LIMIT_UPPER32, &limit_high);
	expect_u64(port->prefetch_window.start,
		   ((u64)base_high << 32) | ((u64)(base & PCI_PREF_RANGE_MASK) << 16));
	expect_u64(port->prefetch_window.last,
		   ((u64)limit_high << 32) | ((u64)(limit & PCI_PREF_RANGE_MASK) << 16) | 0xfffff);
	/* It has no 32-bit BAR below it: that window is empty. */
	assert_true(port->window.start > port->window.last);
}

static void bridges_know_the_buses_behind_them(void **state)
{
	struct rig *rig = *state;
	u8 primary = 0, secondary = 0, subordinate = 0;
	struct pci_dev *port = pci_upstream_bridge(rig->nvme);
	struct pci_dev *root = pci_upstream_bridge(pci_upstream_bridge(port));

	assert_null(pci_upstream_bridge(root));
	pci_read_config_byte(root, PCI_PRIMARY_BUS, &primary);
	pci_read_config_byte(root, PCI_SECONDARY_BUS, &secondary);
	pci_read_config_byte(root, PCI_SUBORDINATE_BUS, &subordinate);
	assert_int_equal(primary, 0);
	assert_int_equal(secondary, 1);
	/* The switch's upstream bus, its inner bus, and one for each of three devices. */
	assert_int_equal(subordinate, 5);
	assert_ptr_equal(port->subordinate, rig->nvme->bus);
}

TEST_MAIN(BEHIND_VTD(widths_read_the_same_bytes), BEHIND_VTD(widths_write_their_own_bytes),
	  BEHIND_VTD(a_bar_answers_sizing), BEHIND_VTD(ids_cannot_be_written),
	  BEHIND_VTD(a_moved_bar_is_decoded_where_it_is), BEHIND_VTD(capabilities_are_found),
	  BEHIND_VTD(ports_isolate_by_default),
	  WITH_SETUP(acs_off_is_a_capability_with_all_bits_clear, rig_setup_acs_off),
	  BEHIND_VTD(acs_control_takes_the_bits_there_are),
	  BEHIND_VTD(without_memory_decoding_a_bar_is_not_there),
	  BEHIND_VTD(enabling_a_device_enables_the_bridges_above),
	  IN_BOTH_MODES(a_device_that_is_no_master_sends_nothing),
	  IN_BOTH_MODES(set_master_lets_the_bridges_above_forward),
	  BEHIND_VTD(windows_of_bridges_are_those_of_their_registers),
	  BEHIND_VTD(bridges_know_the_buses_behind_them))
