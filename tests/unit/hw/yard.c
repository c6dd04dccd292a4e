/* SPDX-License-Identifier: MIT */
#include "yard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void build_first_root(struct yard *yard)
{
	struct bench *bench = yard->bench;
	struct hw_bus *bus = &yard->root[0]->bus;
	struct hw_function *port;

	yard->root_port = bench_port(
		bench, bus,
		&(struct bench_port){ 0x08, PCI_EXP_TYPE_ROOT_PORT, 1, 4, 0xe0000000, 0xe02fffff });
	yard->upstream = bench_port(
		bench, yard->root_port->secondary,
		&(struct bench_port){ 0x00, PCI_EXP_TYPE_UPSTREAM, 2, 4, 0xe0000000, 0xe02fffff });
	yard->down[0] = bench_port(bench, yard->upstream->secondary,
				   &(struct bench_port){ 0x00, PCI_EXP_TYPE_DOWNSTREAM, 3, 3,
							 0xe0000000, 0xe00fffff });
	yard->down[1] = bench_port(bench, yard->upstream->secondary,
				   &(struct bench_port){ 0x08, PCI_EXP_TYPE_DOWNSTREAM, 4, 4,
							 0xe0100000, 0xe01fffff });
	yard->left = bench_endpoint(bench, yard->down[0]->secondary, 0, LEFT_AT, SZ_16K);
	yard->right = bench_endpoint(bench, yard->down[1]->secondary, 0, RIGHT_AT, SZ_16K);
	port = bench_port(
		bench, bus,
		&(struct bench_port){ 0x10, PCI_EXP_TYPE_ROOT_PORT, 5, 5, 0xe0300000, 0xe03fffff });
	yard->disk = bench_endpoint(bench, port->secondary, 0, DISK_AT, SZ_16K);
	port = bench_port(bench, bus,
			  &(struct bench_port){ 0x18, PCI_EXP_TYPE_PCI_BRIDGE, 6, 6, 0xe0400000,
						0xe04fffff });
	yard->old = bench_endpoint(bench, port->secondary, 0x00, OLD_AT, 256);
	yard->older = bench_endpoint(bench, port->secondary, 0x08, OLDER_AT, 256);
}

static void build_second_root(struct yard *yard)
{
	struct hw_function *port;

	port = bench_port(yard->bench, &yard->root[1]->bus,
			  &(struct bench_port){ 0x08, PCI_EXP_TYPE_ROOT_PORT, 0x21, 0x21,
						0xe0000000, 0xe00fffff });
	yard->far = bench_endpoint(yard->bench, port->secondary, 0, FAR_BUS_AT, SZ_1M);
}

int yard_setup(void **state)
{
	struct yard *yard = calloc(1, sizeof(*yard));

	if (!yard || bench_setup(state))
		return -1;
	yard->bench = *state;
	yard->hw = &yard->bench->hw;
	*state = yard;
	ram_add_range(&yard->hw->ram, 0, SZ_1G);
	yard->root[0] = hw_root_add(yard->hw, 0, 0x00, 0x1f);
	yard->root[1] = hw_root_add(yard->hw, 0, 0x20, 0x2f);
	yard->root[0]->window[0] = (struct hw_window){ .start = 0xe0000000, .bytes = SZ_16M };
	yard->root[0]->window_count = 1;
	yard->root[0]->forwards = yard->root[1]->forwards = HW_FORWARDS_ANY;
	yard->root[1]->window[0] = (struct hw_window){ .start = FAR_AT,
						       .bytes = SZ_16M,
						       .bus_offset = FAR_BUS_AT - FAR_AT };
	yard->root[1]->window_count = 1;
	build_first_root(yard);
	build_second_root(yard);
	return 0;
}

int yard_teardown(void **state)
{
	struct yard *yard = *state;
	void *bench = yard->bench;

	free(yard);
	return bench_teardown(&bench);
}

void yard_iommu(struct yard *yard)
{
	const struct hw_iommu_desc desc = { .unit = 7,
					    .levels = 4,
					    .address_bits = 46,
					    .max_address_mask = 18,
					    .huge_1g = true,
					    .coherent = true,
					    .iotlb_entries = 64 };
	struct hw_function *const behind[] = { yard->left, yard->right, yard->disk };

	yard->iommu = hw_iommu_add(yard->hw, &desc);
	assert_non_null(yard->iommu);
	yard->root[0]->iommu = yard->iommu;
	yard->tables = (struct tables){ &yard->hw->ram, 4, 0x100000, 0x101000 };
	for (int i = 0; i < 3; i++)
		expect_ok(hw_context_set(yard->iommu, (u16)hw_function_sbdf(behind[i]),
					 (struct hw_context){ .type = HW_CONTEXT_TRANSLATE,
							      .levels = 4,
							      .domain = 1,
							      .root = yard->tables.root }));
}

void yard_map(struct yard *yard, u64 iova, phys_addr_t phys, u64 permissions)
{
	tables_put(&yard->tables, iova, 0, phys | permissions);
}

struct hw_target yard_route(const struct yard *yard, struct hw_function *from, u64 address,
			    bool write, struct hw_route *route)
{
	struct hw_request request = { .from = from, .address = address, .write = write };

	return hw_route(yard->hw, &request, route);
}

void yard_expect_hops(const struct hw_route *route, const char *const *expected, const char *file,
		      int line)
{
	char saw[HW_HOPS_MAX][64];
	bool same = true;
	u32 count = 0;

	for (u32 i = 0; i < route->count; i++) {
		const struct hw_hop *hop = &route->hop[i];

		snprintf(saw[i], sizeof(saw[i]), "%s %02x:%02x.%u %llx", hw_hop_name(hop->kind),
			 hop->at >> 8 & 0xff, hop->at >> 3 & 0x1f, hop->at & 7, hop->address);
	}
	while (expected[count]) {
		if (count >= route->count || strcmp(saw[count], expected[count]) != 0)
			same = false;
		count++;
	}
	if (same && count == route->count)
		return;
	for (u32 i = 0; i < count || i < route->count; i++)
		print_error("%-32s %s\n", i < route->count ? saw[i] : "-",
			    i < count ? expected[i] : "-");
	_fail(file, line);
}
