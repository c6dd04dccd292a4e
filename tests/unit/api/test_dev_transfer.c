/* SPDX-License-Identifier: MIT */
/*
 * Devices that master the bus: transfers of any length, how they end, and the way that requests
 * take.
 */
#include "unit/api/machines.h"

/* ---- Transfers ------------------------------------------------------------------------------- */

static void a_transfer_of_nothing_is_done(void **state)
{
	struct rig *rig = *state;
	u64 tlps = dmasim_costs(rig->s).tlps;

	expect_done(dmasim_dev_read(rig->nvme, 0x1234, NULL, 0), 0);
	expect_done(dmasim_dev_write(rig->nvme, 0x1234, NULL, 0), 0);
	expect_u64(dmasim_costs(rig->s).tlps, tlps);
	dmasim_assert_clean(rig->s);
}

static void every_length_around_a_page_arrives(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_16K, DMA_BIDIRECTIONAL, 0);

	for (u64 start = 4090; start < 4100; start++)
		for (u64 bytes = 1; bytes < 20; bytes++)
			expect_both_ways(rig->s, rig->nvme, dma + start, buf + start, bytes);
	dma_unmap_phys(dev, dma, SZ_16K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void a_transfer_touches_nothing_beside_it(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	u8 *host = dmasim_ptr(rig->s, buf, SZ_16K);
	u8 sent[5000];
	dma_addr_t dma;

	memset(host, 0x11, SZ_16K);
	dma = dma_map_phys(dev, buf, SZ_16K, DMA_BIDIRECTIONAL, 0);
	memset(sent, 0x22, sizeof(sent));
	expect_done(dmasim_dev_write(rig->nvme, dma + 3333, sent, sizeof(sent)), sizeof(sent));
	for (u64 at = 0; at < SZ_16K; at++)
		assert_int_equal(host[at], at >= 3333 && at < 8333 ? 0x22 : 0x11);
	dma_unmap_phys(dev, dma, SZ_16K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* PCIe 5.0, 2.2.7: writes carry up to the maximum payload, reads ask for up to the read size. */
static void transfers_are_split_as_the_device_control_register_says(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_64K, DMA_BIDIRECTIONAL, 0);
	static u8 bytes[SZ_64K];
	u64 payload, request, tlps;
	u16 control = 0;

	pci_read_config_word(rig->nvme, rig->nvme->express_cap + PCI_EXP_DEVCTL, &control);
	payload = 128u << ((control & PCI_EXP_DEVCTL_PAYLOAD) >> PCI_EXP_DEVCTL_PAYLOAD_SHIFT);
	request = 128u << ((control & PCI_EXP_DEVCTL_READRQ) >> PCI_EXP_DEVCTL_READRQ_SHIFT);
	tlps = dmasim_costs(rig->s).tlps;
	expect_done(dmasim_dev_write(rig->nvme, dma, bytes, SZ_64K), SZ_64K);
	expect_u64(dmasim_costs(rig->s).tlps - tlps, SZ_64K / payload);
	tlps = dmasim_costs(rig->s).tlps;
	expect_done(dmasim_dev_read(rig->nvme, dma, bytes, SZ_64K), SZ_64K);
	expect_u64(dmasim_costs(rig->s).tlps - tlps, SZ_64K / request);
	dma_unmap_phys(dev, dma, SZ_64K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* PCIe 5.0, 2.2.7: no request crosses a 4 KiB boundary. */
static void no_request_crosses_4K(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_16K, DMA_BIDIRECTIONAL, 0);
	u64 tlps = dmasim_costs(rig->s).tlps;
	u8 bytes[2];

	expect_done(dmasim_dev_read(rig->nvme, dma + SZ_4K - 1, bytes, 2), 2);
	expect_u64(dmasim_costs(rig->s).tlps - tlps, 2);
	expect_done(dmasim_dev_read(rig->nvme, dma + SZ_4K - 2, bytes, 2), 2);
	expect_u64(dmasim_costs(rig->s).tlps - tlps, 3);
	dma_unmap_phys(dev, dma, SZ_16K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void a_transfer_that_would_wrap_does_not(void **state)
{
	struct rig *rig = *state;
	enum dmasim_report_id id = dma_get_merge_boundary(&rig->nvme->dev)
					   ? DMASIM_REPORT_IOMMU_FAULT
					   : DMASIM_REPORT_UNSUPPORTED_REQUEST;
	struct dmasim_transfer transfer;
	u8 bytes[16] = { 0 };

	dmasim_expect(rig->s, id, 1);
	transfer = dmasim_dev_write(rig->nvme, ~0ULL - 3, bytes, 16);
	assert_true(transfer.status != DMASIM_DONE);
	expect_u64(transfer.done, 0);
	expect_only(rig->s, id, 1);
}

/* The process cannot give memory for what a device writes: the transfer says so. */
static void a_write_without_host_memory_says_so(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;
	u64 word = 1;

	/* RAM that nobody has touched yet. */
	dma = dma_map_phys(dev, SZ_4G + 8ULL * SZ_1G, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_ok(dma_mapping_error(dev, dma));
	dmasim_fail(rig->s, DMASIM_FAULT_RAM_CHUNK, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, dma, &word, 8), DMASIM_HOST_MEMORY, 0);
	expect_u64(dmasim_failures(rig->s), 1);
	expect_done(dmasim_dev_write(rig->nvme, dma, &word, 8), 8);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* 0xfee00000 to 0xfeefffff: writes are interrupts and reads reach nobody (facts 20.5). */
static void a_write_to_the_interrupt_window_is_an_interrupt(void **state)
{
	struct rig *rig = *state;
	u32 message = 0x41;

	expect_done(dmasim_dev_write(rig->nvme, 0xfee00000, &message, 4), 4);
	expect_done(dmasim_dev_write(rig->nvme, 0xfeeffffc, &message, 4), 4);
	expect_u64(dmasim_costs(rig->s).interrupts, 2);
	dmasim_assert_clean(rig->s);
	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	expect_transfer(dmasim_dev_read(rig->nvme, 0xfee00000, &message, 4),
			DMASIM_UNSUPPORTED_REQUEST, 0);
	expect_only(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
}

/* ---- Routes ---------------------------------------------------------------------------------- */

static void a_route_shows_the_whole_way_to_ram(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	struct dmasim_route route;
	struct pci_dev *port = pci_upstream_bridge(rig->nvme);

	dmasim_route(rig->nvme, dma + 5, false, &route);
	assert_false(route.refused);
	assert_false(route.in_bar);
	assert_true(route.passed_root);
	expect_u64(route.phys, buf + 5);
	assert_true(route.count >= 5);
	assert_string_equal(route.hop[0].what, "sent");
	expect_u64(route.hop[0].at, rig->nvme->dev.id);
	expect_u64(route.hop[0].address, dma + 5);
	assert_string_equal(route.hop[1].what, "up");
	expect_u64(route.hop[1].at, port->dev.id);
	assert_string_equal(route.hop[route.count - 1].what, "ram");
	expect_u64(route.hop[route.count - 1].address, buf + 5);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

static void a_route_sends_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	struct dmasim_costs before = dmasim_costs(rig->s), after;
	struct dmasim_fault_record fault;
	struct dmasim_route route;

	dmasim_route(rig->nvme, dma, true, &route);
	assert_true(route.refused);
	assert_true(route.passed_root);
	expect_u64(route.phys, DMASIM_NO_PHYS);
	dmasim_route(rig->nvme, dma, false, &route);
	assert_false(route.refused);
	after = dmasim_costs(rig->s);
	expect_u64(after.tlps, before.tlps);
	expect_u64(after.iotlb_misses, before.iotlb_misses);
	expect_u64(after.iotlb_hits, before.iotlb_hits);
	assert_false(dmasim_fault_take(rig->s, &fault));
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

static void the_text_of_a_route_is_always_terminated(void **state)
{
	struct rig *rig = *state;
	struct dmasim_route route;
	char whole[1024], cut[1024];
	size_t len;

	dmasim_route(rig->nvme, pci_bus_address(rig->gpu, 0), true, &route);
	dmasim_route_text(&route, whole, sizeof(whole));
	len = strlen(whole);
	assert_true(len > 40);
	assert_non_null(strstr(whole, "sent 0000:03:00.0, "));
	assert_non_null(strstr(whole, pci_name(rig->gpu)));
	for (size_t size = 1; size <= len + 1; size++) {
		memset(cut, 'x', sizeof(cut));
		dmasim_route_text(&route, cut, size);
		expect_u64(strlen(cut), size - 1);
		assert_memory_equal(cut, whole, size - 1);
		assert_int_equal(cut[size], 'x');
	}
}

static void redirect_is_a_step_of_the_way(void **state)
{
	struct rig *rig = *state;
	struct dmasim_route route;
	bool redirected = false, across = false;

	/* By bus address, below ports that redirect: up, and refused by the IOMMU. */
	dmasim_route(rig->nvme, pci_bus_address(rig->gpu, 0), true, &route);
	for (u32 i = 0; i < route.count; i++) {
		redirected |= !strcmp(route.hop[i].what, "redirect");
		across |= !strcmp(route.hop[i].what, "across");
	}
	assert_true(redirected);
	assert_false(across);
	assert_true(route.passed_root);
	assert_true(route.refused);
}

/* ---- BARs with a behaviour ------------------------------------------------------------------- */

#define LOG_MAX 64

struct registers {
	u64 value[8];
	u32 reads, writes;
	struct {
		u32 bar;
		u64 offset;
		u32 bytes;
	} log[LOG_MAX];
};

static void note(struct registers *r, u32 bar, u64 offset, u32 bytes)
{
	u32 at = (r->reads + r->writes) % LOG_MAX;

	r->log[at].bar = bar;
	r->log[at].offset = offset;
	r->log[at].bytes = bytes;
}

static void read_registers(void *cookie, u32 bar, u64 offset, void *to, u32 bytes)
{
	struct registers *r = cookie;

	note(r, bar, offset, bytes);
	r->reads++;
	for (u32 i = 0; i < bytes; i++)
		((u8 *)to)[i] = (u8)(offset + i);
}

static void write_registers(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes)
{
	struct registers *r = cookie;

	note(r, bar, offset, bytes);
	r->writes++;
	if (bytes == 8 && offset < sizeof(r->value))
		memcpy(&r->value[offset / 8], from, 8);
}

/* The rig with one more device below the switch, whose BAR 2 is registers. Redirect is off. */
struct doorbell {
	struct dmasim *s;
	struct pci_dev *nvme, *device;
	struct registers registers;
};

static int setup_doorbell_with(void **state, const struct dmasim_bar_ops *ops)
{
	struct doorbell *d = calloc(1, sizeof(*d));

	if (!d)
		return -1;
	*state = d;
	d->s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
	d->nvme =
		dmasim_add_endpoint(d->s, "00:01.0/00.0/00.0/00.0", &(struct dmasim_endpoint){ 0 });
	d->device = dmasim_add_endpoint(d->s, "00:01.0/00.0/01.0/00.0",
					&(struct dmasim_endpoint){ .bar = { 0, 0, SZ_16K },
								   .bar_ops = ops,
								   .cookie = &d->registers });
	return d->nvme && d->device ? 0 : -1;
}

static int setup_doorbell(void **state)
{
	static const struct dmasim_bar_ops ops = { read_registers, write_registers };

	return setup_doorbell_with(state, &ops);
}

static int setup_silent(void **state)
{
	static const struct dmasim_bar_ops none;

	return setup_doorbell_with(state, &none);
}

static int teardown_doorbell(void **state)
{
	struct doorbell *d = *state;
	u64 leaks = dmasim_destroy(d->s);

	free(d);
	return leaks ? -1 : 0;
}

static void the_cpu_reaches_registers(void **state)
{
	struct doorbell *d = *state;
	phys_addr_t bar = pci_resource_start(d->device, 2);
	u64 value = 0x1122334455667788ULL;
	u8 got[4];

	expect_u64(dmasim_write(d->s, bar + 16, &value, 8), 8);
	expect_u64(d->registers.writes, 1);
	expect_u64(d->registers.log[0].bar, 2);
	expect_u64(d->registers.log[0].offset, 16);
	expect_u64(d->registers.log[0].bytes, 8);
	assert_memory_equal(&d->registers.value[2], &value, 8);
	expect_u64(dmasim_read(d->s, bar + 0x101, got, 4), 4);
	expect_u64(d->registers.reads, 1);
	assert_memory_equal(got, ((u8[]){ 1, 2, 3, 4 }), 4);
}

static void a_peer_rings_a_doorbell(void **state)
{
	struct doorbell *d = *state;
	u64 value = 0x99;
	u8 got[2];

	expect_done(dmasim_dev_write(d->nvme, pci_bus_address(d->device, 2) + 24, &value, 8), 8);
	expect_u64(d->registers.writes, 1);
	expect_u64(d->registers.log[0].offset, 24);
	assert_memory_equal(&d->registers.value[3], &value, 8);
	expect_done(dmasim_dev_read(d->nvme, pci_bus_address(d->device, 2) + 7, got, 2), 2);
	assert_memory_equal(got, ((u8[]){ 7, 8 }), 2);
}

/* topology.h: 1 to 4096 bytes each, inside the BAR. */
static void a_long_access_comes_in_pieces(void **state)
{
	struct doorbell *d = *state;
	static u8 bytes[SZ_16K];
	u64 sum = 0;

	expect_u64(dmasim_read(d->s, pci_resource_start(d->device, 2) + 5, bytes, sizeof(bytes)),
		   SZ_16K - 5);
	assert_true(d->registers.reads >= 4);
	assert_true(d->registers.reads <= LOG_MAX);
	for (u32 i = 0; i < d->registers.reads; i++) {
		assert_true(d->registers.log[i].bytes >= 1);
		assert_true(d->registers.log[i].bytes <= 4096);
		expect_u64(d->registers.log[i].offset, 5 + sum);
		sum += d->registers.log[i].bytes;
	}
	expect_u64(sum, SZ_16K - 5);
	for (u64 i = 0; i < SZ_16K - 5; i++)
		assert_int_equal(bytes[i], (u8)(i + 5));
}

static void registers_are_no_memory(void **state)
{
	struct doorbell *d = *state;

	assert_null(dmasim_ptr(d->s, pci_resource_start(d->device, 2), 1));
}

static void members_that_are_null_read_zeros_and_lose_writes(void **state)
{
	struct doorbell *d = *state;
	static const u8 zeros[16];
	u8 bytes[16];

	memset(bytes, 0xff, sizeof(bytes));
	expect_u64(dmasim_write(d->s, pci_resource_start(d->device, 2), bytes, 16), 16);
	expect_u64(dmasim_read(d->s, pci_resource_start(d->device, 2), bytes, 16), 16);
	assert_memory_equal(bytes, zeros, 16);
	memset(bytes, 0xff, sizeof(bytes));
	expect_done(dmasim_dev_read(d->nvme, pci_bus_address(d->device, 2), bytes, 16), 16);
	assert_memory_equal(bytes, zeros, 16);
}

#define DOORBELL(test) cmocka_unit_test_setup_teardown(test, setup_doorbell, teardown_doorbell)

TEST_MAIN(IN_BOTH_MODES(a_transfer_of_nothing_is_done),
	  IN_BOTH_MODES(every_length_around_a_page_arrives),
	  IN_BOTH_MODES(a_transfer_touches_nothing_beside_it),
	  BEHIND_VTD(transfers_are_split_as_the_device_control_register_says),
	  IN_BOTH_MODES(no_request_crosses_4K), IN_BOTH_MODES(a_transfer_that_would_wrap_does_not),
	  IN_BOTH_MODES(a_write_without_host_memory_says_so),
	  ON_X86(a_write_to_the_interrupt_window_is_an_interrupt),
	  IN_BOTH_MODES(a_route_shows_the_whole_way_to_ram), BEHIND_VTD(a_route_sends_nothing),
	  WITH_SETUP(the_text_of_a_route_is_always_terminated, rig_setup_acs_off),
	  BEHIND_VTD(redirect_is_a_step_of_the_way), DOORBELL(the_cpu_reaches_registers),
	  DOORBELL(a_peer_rings_a_doorbell), DOORBELL(a_long_access_comes_in_pieces),
	  DOORBELL(registers_are_no_memory),
	  cmocka_unit_test_setup_teardown(members_that_are_null_read_zeros_and_lose_writes,
					  setup_silent, teardown_doorbell))
