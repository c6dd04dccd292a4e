/* SPDX-License-Identifier: MIT */
/*
 * Whose a requester is. A device sends with its own number; what is below a bridge to conventional
 * PCI sends with one of the bridge's (facts "dma-api" 18.2 and 19.5), what is behind VMD with its
 * endpoint's, and some devices with another function's by mistake; a virtual function that the
 * dump does not have is counted from its physical one.
 */
#include "fault.h"

#define NO_REQUESTER 0x10000U
#define INDENT	     "    "

static u16 requester_of(const struct pci_dev *pdev)
{
	return (u16)pdev->dev.id;
}

/* VT-d's lines tell no segment: all are looked at. */
static bool in_segment(const struct pci_dev *pdev, const struct dmasim_fault_line *line)
{
	return !line->has_segment || pdev->dev.id >> 16 == line->segment;
}

static void print_name(const struct pci_dev *pdev)
{
	/* What did not answer when the dump was made reads as zeros. */
	if (!pdev->vendor && !pdev->device) {
		printf("%s, which did not answer", pci_name(pdev));
		return;
	}
	printf("%s %s [%04x] %04x:%04x", pci_name(pdev), cli_class_word(pdev),
	       pdev->class_code >> 8, pdev->vendor, pdev->device);
}

/* The bridges from the root bus down, then a newline. */
static void print_way(struct pci_dev *pdev)
{
	struct pci_dev *way[DMASIM_HOPS_MAX];
	u32 count = 0;

	while ((pdev = pci_upstream_bridge(pdev)) && count < DMASIM_HOPS_MAX)
		way[count++] = pdev;
	fputs(count ? ", below" : ", on the root bus", stdout);
	for (; count; count--)
		printf(" %s%s", pci_name(way[count - 1]), count > 1 ? "," : "");
	printf("\n");
}

/* Bridges by vendor and device that do not take part, or take part in the other way. */
static bool listed(const struct pci_dev *pdev, const u32 *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ids[i] == ((u32)pdev->vendor << 16 | pdev->device))
			return true;
	}
	return false;
}

/* Below a switch or a root port, and no bridge from PCI Express itself. */
static bool takes_bus_number(struct pci_dev *bridge)
{
	static const u32 ids[] = { 0x1b211080, 0x10e38113, 0x12838892, 0x12838893, 0x8086244e };
	struct pci_dev *above = pci_upstream_bridge(bridge);

	return above && above->express_type >= 0 &&
	       above->express_type != PCI_EXP_TYPE_PCI_BRIDGE &&
	       listed(bridge, ids, sizeof(ids) / sizeof(ids[0]));
}

/* What a bridge puts in the place of the requester below it; NO_REQUESTER: it leaves it alone. */
static u32 alias_of(struct pci_dev *bridge)
{
	static const u32 none[] = { 0x1a031150 };
	u8 secondary;

	/* A dump of the header alone does not show what kind of bridge it is. */
	if (!pci_is_bridge(bridge) || dmasim_config_bytes(bridge) < PCI_CFG_SPACE_SIZE)
		return NO_REQUESTER;
	pci_read_config_byte(bridge, PCI_SECONDARY_BUS, &secondary);
	switch (bridge->express_type) {
	case PCI_EXP_TYPE_PCI_BRIDGE:
		return listed(bridge, none, 1) ? NO_REQUESTER : (u32)secondary << 8;
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		return requester_of(bridge);
	default:
		break;
	}
	if (bridge->express_type >= 0)
		return NO_REQUESTER;
	return takes_bus_number(bridge) ? (u32)secondary << 8 : requester_of(bridge);
}

static bool is_below(struct pci_dev *pdev, const struct pci_dev *bridge)
{
	while ((pdev = pci_upstream_bridge(pdev))) {
		if (pdev == bridge)
			return true;
	}
	return false;
}

/* What is behind VMD sends with its endpoint's number, never with its own. */
static void print_behind(struct dmasim *s, const struct pci_dev *endpoint)
{
	const char *before = INDENT "  and for it what is behind it: ";
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (pdev->real_dma != endpoint || pci_is_bridge(pdev))
			continue;
		printf("%s", before);
		print_name(pdev);
		printf("\n");
		before = INDENT "                                ";
	}
}

static u32 print_functions(struct dmasim *s, const struct dmasim_fault_line *line)
{
	struct pci_dev *pdev;
	u32 found = 0;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (pdev->real_dma || requester_of(pdev) != line->requester ||
		    !in_segment(pdev, line))
			continue;
		printf(INDENT);
		print_name(pdev);
		print_way(pdev);
		print_behind(s, pdev);
		found++;
	}
	return found;
}

/* Besides its own; one that may send as anybody on its bus tells nothing. */
static bool sends_as(const struct pci_dev *pdev, u16 requester)
{
	u32 count = 0, devfn = requester & 0xff;

	for (u32 i = 0; i < 4; i++)
		count += (u32)__builtin_popcountll(pdev->dma_alias[i]);
	return !pdev->real_dma && count < 8 && requester != requester_of(pdev) &&
	       requester >> 8 == requester_of(pdev) >> 8 &&
	       pdev->dma_alias[devfn / 64] >> devfn % 64 & 1;
}

static u32 print_known(struct dmasim *s, const struct dmasim_fault_line *line)
{
	struct pci_dev *pdev;
	u32 found = 0;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (!sends_as(pdev, line->requester) || !in_segment(pdev, line))
			continue;
		printf(INDENT "known to send with this number: ");
		print_name(pdev);
		print_way(pdev);
		found++;
	}
	return found;
}

static u32 print_aliases(struct dmasim *s, const struct dmasim_fault_line *line)
{
	struct pci_dev *bridge, *pdev;
	u32 found = 0;

	for (bridge = dmasim_next_dev(s, NULL); bridge; bridge = dmasim_next_dev(s, bridge)) {
		if (bridge->real_dma || alias_of(bridge) != line->requester ||
		    !in_segment(bridge, line))
			continue;
		printf(INDENT "the bridge %s sends with this number for what is below it:\n",
		       pci_name(bridge));
		for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
			if (!is_below(pdev, bridge) || pci_is_bridge(pdev))
				continue;
			printf(INDENT "  ");
			print_name(pdev);
			printf("\n");
		}
		found++;
	}
	return found;
}

/* The index of the virtual function that sends so; false: none of this device's does. */
static bool virtual_index(struct pci_dev *pdev, u16 requester, u32 *index)
{
	int at = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_SRIOV);
	u16 total, offset, stride;

	if (!at)
		return false;
	pci_read_config_word(pdev, at + PCI_SRIOV_TOTAL_VF, &total);
	pci_read_config_word(pdev, at + PCI_SRIOV_VF_OFFSET, &offset);
	pci_read_config_word(pdev, at + PCI_SRIOV_VF_STRIDE, &stride);
	for (u32 i = 0; i < total && offset; i++) {
		if ((u16)(requester_of(pdev) + offset + i * stride) == requester) {
			*index = i;
			return true;
		}
	}
	return false;
}

static u32 print_virtual(struct dmasim *s, const struct dmasim_fault_line *line)
{
	struct pci_dev *pdev;
	u32 found = 0, index;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (pdev->real_dma || !in_segment(pdev, line) ||
		    !virtual_index(pdev, line->requester, &index))
			continue;
		printf(INDENT "virtual function %u of ", index);
		print_name(pdev);
		print_way(pdev);
		found++;
	}
	return found;
}

/* A device may send with the number of a function that it hides. */
static void print_slot(struct dmasim *s, const struct dmasim_fault_line *line)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (pdev->real_dma || (requester_of(pdev) & ~7) != (line->requester & ~7) ||
		    !in_segment(pdev, line))
			continue;
		printf(INDENT "in the same slot, and may send so: ");
		print_name(pdev);
		print_way(pdev);
	}
}

void fault_device_print(struct dmasim *s, const struct dmasim_fault_line *line)
{
	u32 found = print_functions(s, line);

	found += print_known(s, line);
	found += print_aliases(s, line);
	if (!found)
		found = print_virtual(s, line);
	if (found)
		return;
	printf(INDENT "the topology has no such requester\n");
	print_slot(s, line);
}
