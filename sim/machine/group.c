/* SPDX-License-Identifier: MIT */
/*
 * Groups for people: the reason why a device is in one, in words.
 */
#include "machine/machine.h"
#include "pci/acs.h"
#include "world/text.h"

struct dmasim_isolation dmasim_isolation(struct pci_dev *pdev)
{
	machine_of(pdev);
	return pci_acs_judge(pdev, PCI_ACS_ISOLATION);
}

struct dmasim_group_reason dmasim_group_reason(struct pci_dev *pdev)
{
	if (!machine_start(machine_of(pdev)))
		return (struct dmasim_group_reason){ 0 };
	return pdev->group_reason;
}

void machine_add_acs_bits(struct text *text, u16 bits, const char *between)
{
	static const char *const names[] = { "SV", "TB", "RR", "CR", "UF", "EC", "DT" };
	const char *before = "";

	for (u32 i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(bits & 1U << i))
			continue;
		text_add(text, "%s%s", before, names[i]);
		before = between;
	}
}

/* What decided, about a device that was just named. */
static void add_isolation(struct text *text, const struct dmasim_isolation *isolation)
{
	switch (isolation->by) {
	case DMASIM_ISOLATION_ACS:
		if (isolation->isolates) {
			text_add(text, "ACS is on");
			return;
		}
		text_add(text, "ACS without ");
		machine_add_acs_bits(text, isolation->missing, ", ");
		return;
	case DMASIM_ISOLATION_NO_ACS:
		text_add(text, "no ACS: lacks ");
		machine_add_acs_bits(text, isolation->missing, ", ");
		return;
	case DMASIM_ISOLATION_QUIRK:
		text_add(text, "quirk rule %c", isolation->rule);
		return;
	case DMASIM_ISOLATION_CONVENTIONAL:
		text_add(text, "conventional PCI");
		return;
	case DMASIM_ISOLATION_BRIDGE:
		text_add(text, "a bridge to conventional PCI");
		return;
	case DMASIM_ISOLATION_COLLECTOR:
		text_add(text, "an event collector");
		return;
	case DMASIM_ISOLATION_SINGLE_FUNCTION:
		text_add(text, "a single function");
		return;
	case DMASIM_ISOLATION_TYPE:
		text_add(text, "its type needs no ACS");
		return;
	}
}

static void add_decider(struct text *text, const struct dmasim_group_reason *reason)
{
	text_add(text, "%s (", pci_name(reason->at));
	add_isolation(text, &reason->isolation);
	text_add(text, ")");
}

static void add_first(struct text *text, const struct dmasim_group_reason *reason)
{
	text_add(text, "begins a group: nothing before it joins it");
	if (!reason->at) {
		text_add(text, ", on the root bus (");
		add_isolation(text, &reason->isolation);
		text_add(text, ")");
		return;
	}
	if (reason->isolation.isolates) {
		text_add(text, ", and the way up isolates from ");
		add_decider(text, reason);
		text_add(text, " on");
	}
}

static void add_reason(struct text *text, const struct dmasim_group_reason *reason)
{
	const char *other = reason->other ? pci_name(reason->other) : "";

	switch (reason->kind) {
	case DMASIM_GROUP_NONE:
		text_add(text, "in no group: no IOMMU takes its requests");
		return;
	case DMASIM_GROUP_FIRST:
		add_first(text, reason);
		return;
	case DMASIM_GROUP_APART:
		text_add(text, "alone: with no IOMMU on the way it reaches nobody, and nobody it");
		return;
	case DMASIM_GROUP_REQUESTER:
		text_add(text, "with %s: their requests both bear %02x:%02x.%u", other,
			 reason->id >> 8, PCI_SLOT(reason->id & 0xff), PCI_FUNC(reason->id));
		return;
	case DMASIM_GROUP_BRIDGE:
		text_add(text, "with %s above it: the way up does not isolate at ", other);
		add_decider(text, reason);
		return;
	case DMASIM_GROUP_BUS_ALIAS:
		text_add(text, "with %s: %s and it go by each other's number", other,
			 pci_name(reason->at));
		return;
	case DMASIM_GROUP_FUNCTION:
		text_add(text, "with %s: functions of one slot, and neither isolates: ", other);
		add_decider(text, reason);
		return;
	case DMASIM_GROUP_REACHES:
		text_add(text, "with %s: reaches it with no IOMMU on the way, past ", other);
		add_decider(text, reason);
		return;
	case DMASIM_GROUP_REACHED:
		text_add(text, "with %s: is reached with no IOMMU on the way, past ", other);
		add_decider(text, reason);
		return;
	}
}

struct dmasim_group_text dmasim_group_reason_text(struct pci_dev *pdev)
{
	struct dmasim_group_reason reason = dmasim_group_reason(pdev);
	struct dmasim_group_text result = { "" };
	struct text text;

	text_init(&text, result.text, sizeof(result.text));
	add_reason(&text, &reason);
	return result;
}
