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

static inline bool has_window(struct dmasim *s, const struct dmasim_window *wanted)
{
	struct dmasim_window window;

	for (u32 i = 0; dmasim_window(s, i, &window); i++) {
		if (window.segment == wanted->segment && window.bus == wanted->bus &&
		    window.start == wanted->start && window.bytes == wanted->bytes &&
		    window.bus_offset == wanted->bus_offset && window.inferred == wanted->inferred)
			return true;
	}
	return false;
}

static inline void expect_same_windows(struct dmasim *a, struct dmasim *b)
{
	struct dmasim_window window;
	phys_addr_t start[2];
	u64 bytes[2];
	u32 i;

	for (i = 0; dmasim_window(a, i, &window); i++) {
		if (!has_window(b, &window))
			print_error("no window at 0x%llx\n", window.start);
		assert_true(has_window(b, &window));
	}
	assert_false(dmasim_window(b, i, &window));
	for (i = 0; dmasim_ram(a, i, &start[0], &bytes[0]); i++) {
		assert_true(dmasim_ram(b, i, &start[1], &bytes[1]));
		expect_u64(start[1], start[0]);
		expect_u64(bytes[1], bytes[0]);
	}
}

static inline struct pci_dev *same_device(struct dmasim *b, struct pci_dev *a)
{
	struct pci_dev *found = dmasim_pci_dev(b, pci_name(a));

	assert_non_null(found);
	return found;
}

/* Distances tell the verdicts, too: negative where there is none. Groups may have other numbers. */
static inline void expect_same_relations(struct dmasim *a, struct pci_dev *first_a,
					 struct dmasim *b, struct pci_dev *first_b)
{
	struct pci_dev *left = NULL, *right;

	while ((left = dmasim_next_dev(a, left))) {
		right = same_device(b, left);
		assert_int_equal(pci_p2pdma_distance(first_b, &right->dev, false),
				 pci_p2pdma_distance(first_a, &left->dev, false));
		assert_int_equal(dmasim_group(first_b) == dmasim_group(right),
				 dmasim_group(first_a) == dmasim_group(left));
	}
}

/* Starts both. */
static inline void expect_same_machine(struct dmasim *a, struct dmasim *b)
{
	struct pci_dev *left = NULL, *right = NULL;
	u32 count = 0;

	expect_same_windows(a, b);
	while ((left = dmasim_next_dev(a, left))) {
		expect_same_function(left, same_device(b, left));
		count++;
	}
	while ((right = dmasim_next_dev(b, right)))
		count--;
	expect_u64(count, 0);
	while ((left = dmasim_next_dev(a, left)))
		expect_same_relations(a, left, b, same_device(b, left));
}

#endif
