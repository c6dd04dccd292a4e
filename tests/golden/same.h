/* SPDX-License-Identifier: MIT */
/*
 * Two machines that were told in different ways are one: the same functions in the same tree, with
 * the same registers as far as both show them.
 */
#ifndef GOLDEN_SAME_H
#define GOLDEN_SAME_H

#include "golden/recorded.h"

struct same {
	const char *what; /* for messages: a file */
	struct dmasim *text, *hex;
	bool names;	 /* numbers of vendors, devices and classes are looked up: may be unknown */
	bool counted;	 /* BARs have no numbers in the text */
	bool no_control; /* command registers are not shown */
	u32 compared;
	bool told_more_counts; /* text can tell more: it is counted */
	u32 told_more; /* BARs that the system knows, of devices whose registers were reset (D3) */
};

static inline u32 same_read(struct pci_dev *pdev, int where, u32 bytes)
{
	u32 value = 0;

	for (u32 i = 0; i < bytes; i++) {
		u8 byte;

		pci_read_config_byte(pdev, where + (int)i, &byte);
		value |= (u32)byte << (8 * i);
	}
	return value;
}

static inline void same_value(struct same *same, struct pci_dev *pdev, const char *name, u64 text,
			      u64 hex)
{
	same->compared++;
	if (text == hex)
		return;
	print_error("%s: %s: %s is 0x%llx by text, 0x%llx by registers\n", same->what,
		    pci_name(pdev), name, text, hex);
	fail();
}

static inline void same_register(struct same *same, struct pci_dev *text, struct pci_dev *hex,
				 int where, u32 bytes, u32 mask)
{
	char name[32];

	snprintf(name, sizeof(name), "register 0x%x", (unsigned int)where);
	same_value(same, text, name, same_read(text, where, bytes) & mask,
		   same_read(hex, where, bytes) & mask);
}

static inline void same_numbers(struct same *same, struct pci_dev *text, struct pci_dev *hex)
{
	for (int where = PCI_VENDOR_ID; where <= PCI_DEVICE_ID && !same->names; where += 2)
		same_register(same, text, hex, where, 2, ~0U);
	if (!same->names)
		same_register(same, text, hex, PCI_CLASS_DEVICE, 2, ~0U);
	same_register(same, text, hex, PCI_CLASS_REVISION, 1, ~0U);
	same_register(same, text, hex, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MASK);
	if (!same->no_control)
		same_register(same, text, hex, PCI_COMMAND, 2, 0x0547);
}

static inline void same_window(struct same *same, struct pci_dev *pdev, const char *name,
			       const struct pci_bridge_window *text,
			       const struct pci_bridge_window *hex)
{
	bool closed = text->start > text->last;

	same_value(same, pdev, name, closed, hex->start > hex->last);
	if (closed)
		return;
	same_value(same, pdev, name, text->start, hex->start);
	same_value(same, pdev, name, text->last, hex->last);
}

static inline void same_bridge(struct same *same, struct pci_dev *text, struct pci_dev *hex)
{
	same_value(same, text, "being a bridge", pci_is_bridge(text), pci_is_bridge(hex));
	if (!pci_is_bridge(text))
		return;
	same_register(same, text, hex, PCI_PRIMARY_BUS, 3, ~0U);
	same_window(same, text, "window", &text->window, &hex->window);
	same_window(same, text, "prefetchable window", &text->prefetch_window,
		    &hex->prefetch_window);
}

static inline void same_bars(struct same *same, struct pci_dev *text, struct pci_dev *hex)
{
	for (int bar = 0; bar < PCI_STD_NUM_BARS && !same->counted; bar++) {
		if (same->told_more_counts && !pci_resource_flags(hex, bar) &&
		    pci_resource_flags(text, bar)) {
			same->told_more++;
			continue;
		}
		same_value(same, text, "flags of a BAR", pci_resource_flags(text, bar),
			   pci_resource_flags(hex, bar));
		if (pci_resource_flags(text, bar))
			same_value(same, text, "a BAR", pci_bus_address(text, bar),
				   pci_bus_address(hex, bar));
	}
}

static inline void same_capabilities(struct same *same, struct pci_dev *text, struct pci_dev *hex)
{
	u32 known = dmasim_config_bytes(hex);

	if (known > dmasim_config_bytes(text))
		known = dmasim_config_bytes(text);
	if (known > 64)
		same_value(same, text, "type of PCI Express", (u64)text->express_type,
			   (u64)hex->express_type);
	if (!dmasim_acs_known(text) || !dmasim_acs_known(hex))
		return;
	same_value(same, text, "place of ACS", text->acs_cap, hex->acs_cap);
	if (text->acs_cap)
		same_register(same, text, hex, text->acs_cap + PCI_ACS_CAP, 4, 0x007f007f);
}

static inline void same_machine(struct same *same)
{
	struct pci_dev *text = NULL, *hex = NULL;

	for (;;) {
		text = dmasim_next_dev(same->text, text);
		hex = dmasim_next_dev(same->hex, hex);
		/* lspci -v does not say which are enabled. */
		while (same->counted && hex && hex->is_virtfn)
			hex = dmasim_next_dev(same->hex, hex);
		if (!text || !hex)
			break;
		same_value(same, text, "address", text->dev.id, hex->dev.id);
		same_value(same, text, "level", !pci_upstream_bridge(text),
			   !pci_upstream_bridge(hex));
		if (pci_upstream_bridge(text))
			same_value(same, text, "the bridge above",
				   pci_upstream_bridge(text)->dev.id,
				   pci_upstream_bridge(hex)->dev.id);
		same_numbers(same, text, hex);
		same_bridge(same, text, hex);
		same_bars(same, text, hex);
		same_capabilities(same, text, hex);
	}
	if (text || hex)
		print_error("%s: one has %s and the other nothing\n", same->what,
			    pci_name(text ? text : hex));
	assert_true(!text && !hex);
}

#endif
