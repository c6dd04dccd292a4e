/* SPDX-License-Identifier: MIT */
/*
 * Two machines are the same: functions with their registers and BARs, windows and RAM, groups, and
 * what every pair may say to each other.
 */
#ifndef GOLDEN_COMPARE_H
#define GOLDEN_COMPARE_H

#include <string.h>

#include "support/expect.h"

static inline void expect_same_registers(struct pci_dev *a, struct pci_dev *b)
{
	u32 bytes = dmasim_config_bytes(a);

	expect_u64(dmasim_config_bytes(b), bytes);
	for (u32 at = 0; at < bytes; at += 4) {
		u32 left, right;

		pci_read_config_dword(a, (int)at, &left);
		pci_read_config_dword(b, (int)at, &right);
		if (left != right)
			print_error("%s at %03x: %08x and %08x\n", pci_name(a), at, left, right);
		expect_u64(right, left);
	}
}

static inline void expect_same_function(struct pci_dev *a, struct pci_dev *b)
{
	assert_string_equal(pci_name(b), pci_name(a));
	expect_same_registers(a, b);
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		expect_u64(pci_resource_start(b, bar), pci_resource_start(a, bar));
		expect_u64(pci_resource_end(b, bar), pci_resource_end(a, bar));
		expect_u64(pci_resource_flags(b, bar), pci_resource_flags(a, bar));
		assert_int_equal(dmasim_bar_inferred(b, (u32)bar),
				 dmasim_bar_inferred(a, (u32)bar));
	}
	assert_int_equal(dmasim_acs_known(b), dmasim_acs_known(a));
}

static inline void expect_same_windows(struct dmasim *a, struct dmasim *b)
{
	struct dmasim_window left, right;
	phys_addr_t start[2];
	u64 bytes[2];
	u32 i;

	for (i = 0; dmasim_window(a, i, &left); i++) {
		assert_true(dmasim_window(b, i, &right));
		expect_u64(right.segment, left.segment);
		expect_u64(right.bus, left.bus);
		expect_u64(right.start, left.start);
		expect_u64(right.bytes, left.bytes);
		expect_u64(right.bus_offset, left.bus_offset);
	}
	assert_false(dmasim_window(b, i, &right));
	for (i = 0; dmasim_ram(a, i, &start[0], &bytes[0]); i++) {
		assert_true(dmasim_ram(b, i, &start[1], &bytes[1]));
		expect_u64(start[1], start[0]);
		expect_u64(bytes[1], bytes[0]);
	}
}

/* Distances of all pairs tell the verdicts, too: negative where there is none. */
static inline void expect_same_distances(struct dmasim *a, struct pci_dev *provider_a,
					 struct dmasim *b, struct pci_dev *provider_b)
{
	struct pci_dev *left = NULL, *right = NULL;

	while ((left = dmasim_next_dev(a, left))) {
		right = dmasim_next_dev(b, right);
		assert_int_equal(pci_p2pdma_distance(provider_b, &right->dev, false),
				 pci_p2pdma_distance(provider_a, &left->dev, false));
	}
}

/* Starts both. */
static inline void expect_same_machine(struct dmasim *a, struct dmasim *b)
{
	struct pci_dev *left = NULL, *right = NULL;

	expect_same_windows(a, b);
	while ((left = dmasim_next_dev(a, left))) {
		right = dmasim_next_dev(b, right);
		assert_non_null(right);
		expect_same_function(left, right);
	}
	right = dmasim_next_dev(b, right);
	assert_null(right);
	while ((left = dmasim_next_dev(a, left))) {
		right = dmasim_next_dev(b, right);
		assert_int_equal(dmasim_group(right), dmasim_group(left));
		expect_same_distances(a, left, b, right);
	}
}

#endif
