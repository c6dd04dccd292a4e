/* SPDX-License-Identifier: MIT */
/*
 * Devices that are known to keep functions apart without an ACS capability that says so, or not to
 * do what theirs says (facts "dma-api" 19.1 and 19.2). A vendor's word for a device stands here as
 * a rule and a list of ids.
 */
#include "pci/acs.h"

#define ANY 0xffff /* every device of the vendor; no device has that id */

enum answer {
	NOT_APPLICABLE,
	ISOLATED,
	NOT_ISOLATED,
};

/* flags may lose bits: `missing` is told of those that are left. */
struct question {
	struct pci_dev *pdev;
	u16 flags;
	u16 missing; /* of NOT_ISOLATED */
};

typedef enum answer rule_fn(struct question *question);

static enum answer grant(struct question *question, u16 granted)
{
	question->missing = (u16)(question->flags & ~granted);
	return question->missing ? NOT_ISOLATED : ISOLATED;
}

static enum answer grant_full(struct question *question)
{
	return grant(question, PCI_ACS_ISOLATION);
}

static bool is_root_port(const struct pci_dev *pdev)
{
	return pdev->express_type == PCI_EXP_TYPE_ROOT_PORT;
}

/* ---- Ranges of ids ---------------------------------------------------- */

struct id_range {
	u16 first;
	u16 last;
	u16 step;
};

static bool is_in(u16 id, const struct id_range *range, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (id >= range[i].first && id <= range[i].last &&
		    (id - range[i].first) % range[i].step == 0)
			return true;
	}
	return false;
}

#define IS_IN(id, ranges) is_in(id, ranges, sizeof(ranges) / sizeof((ranges)[0]))

/* List E: chipsets before the 100 series. */
static const struct id_range intel_pch[] = {
	{ 0x3b42, 0x3b51, 1 }, { 0x1c10, 0x1c1f, 1 }, { 0x1e10, 0x1e1f, 1 },
	{ 0x8c10, 0x8c1f, 1 }, { 0x9c10, 0x9c1b, 1 }, { 0x9c90, 0x9c9b, 1 },
	{ 0x8d10, 0x8d1e, 1 }, { 0x1d10, 0x1d1e, 2 }, { 0x8c90, 0x8c9e, 2 },
};

/* List F: the 100 and 200 series. */
static const struct id_range intel_spt[] = {
	{ 0xa110, 0xa11f, 1 }, { 0xa167, 0xa16a, 1 }, { 0xa290, 0xa29f, 1 },
	{ 0xa2e7, 0xa2ee, 1 }, { 0x9d10, 0x9d1b, 1 },
};

static const struct id_range cavium_ports[] = {
	{ 0xa000, 0xa7ff, 1 },
	{ 0xaf84, 0xaf84, 1 },
	{ 0xb884, 0xb884, 1 },
};

static const struct id_range zhaoxin_ports[] = {
	{ 0x0710, 0x071e, 1 },
	{ 0x0721, 0x0721, 1 },
	{ 0x0723, 0x0752, 1 },
};

static const struct id_range wangxun[] = {
	{ 0x0100, 0x010f, 1 }, { 0x1001, 0x1001, 1 }, { 0x2001, 0x2001, 1 },
	{ 0x5010, 0x5010, 1 }, { 0x5025, 0x5025, 1 }, { 0x5040, 0x5040, 1 },
	{ 0x5110, 0x5110, 1 }, { 0x5125, 0x5125, 1 }, { 0x5140, 0x5140, 1 },
};

bool pci_acs_is_intel_pch(const struct pci_dev *pdev)
{
	return pdev->vendor == PCI_VENDOR_ID_INTEL && is_root_port(pdev) &&
	       IS_IN(pdev->device, intel_pch);
}

bool pci_acs_is_spt_id(u16 device)
{
	return IS_IN(device, intel_spt);
}

bool pci_acs_is_intel_spt(const struct pci_dev *pdev)
{
	return pdev->vendor == PCI_VENDOR_ID_INTEL && is_root_port(pdev) &&
	       pci_acs_is_spt_id(pdev->device);
}

/* ---- Rules A to J ----------------------------------------------------- */

static bool has_ivrs(const struct os *os)
{
	return os->firmware->iommu_count && os->firmware->iommu[0].arch == PLATFORM_IOMMU_AMD;
}

static enum answer southbridge(struct question *question)
{
	struct pci_dev *pdev = question->pdev;

	if (!pdev->multifunction || pci_upstream_bridge(pdev) || !has_ivrs(pdev->dev.os))
		return NOT_APPLICABLE;
	question->flags &= (u16) ~(PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_UF);
	return grant(question, PCI_ACS_RR | PCI_ACS_CR);
}

static enum answer multifunction_endpoint(struct question *question)
{
	return grant(question, PCI_ACS_ISOLATION | PCI_ACS_TB | PCI_ACS_DT);
}

static enum answer root_complex_endpoint(struct question *question)
{
	if (question->pdev->express_type != PCI_EXP_TYPE_RC_END)
		return NOT_APPLICABLE;
	return grant_full(question);
}

static enum answer intel_pch_port(struct question *question)
{
	if (!pci_acs_is_intel_pch(question->pdev))
		return NOT_APPLICABLE;
	return grant(question, question->pdev->acs_quirk_on ? PCI_ACS_ISOLATION : 0);
}

static enum answer intel_spt_port(struct question *question)
{
	struct pci_dev *pdev = question->pdev;

	if (!pci_acs_is_intel_spt(pdev) || !pdev->acs_cap)
		return NOT_APPLICABLE;
	question->missing =
		pci_acs_missing(question->flags, pdev->acs_capabilities,
				pci_config_read(pdev, pdev->acs_cap + PCI_ACS_SPT_CTRL, 4));
	return question->missing ? NOT_ISOLATED : ISOLATED;
}

static enum answer cavium_port(struct question *question)
{
	if (!is_root_port(question->pdev) || !IS_IN(question->pdev->device, cavium_ports))
		return NOT_APPLICABLE;
	return grant_full(question);
}

static enum answer root_port(struct question *question)
{
	return is_root_port(question->pdev) ? grant_full(question) : NOT_APPLICABLE;
}

static enum answer zhaoxin_port(struct question *question)
{
	if (!is_root_port(question->pdev) &&
	    question->pdev->express_type != PCI_EXP_TYPE_DOWNSTREAM)
		return NOT_APPLICABLE;
	if (IS_IN(question->pdev->device, zhaoxin_ports))
		return grant_full(question);
	return grant(question, 0);
}

static enum answer wangxun_function(struct question *question)
{
	return IS_IN(question->pdev->device, wangxun) ? grant_full(question) : grant(question, 0);
}

static rule_fn *const rules[] = {
	['A' - 'A'] = southbridge,	     ['B' - 'A'] = multifunction_endpoint,
	['C' - 'A'] = root_complex_endpoint, ['D' - 'A'] = grant_full,
	['E' - 'A'] = intel_pch_port,	     ['F' - 'A'] = intel_spt_port,
	['G' - 'A'] = cavium_port,	     ['H' - 'A'] = root_port,
	['I' - 'A'] = zhaoxin_port,	     ['J' - 'A'] = wangxun_function,
};

/* ---- The table, in the order in which it is scanned ------------------- */

#define DEVICES_MAX 32

struct row {
	char rule;
	u16 vendor;
	u16 device[DEVICES_MAX]; /* ends with 0 */
};

/* clang-format off */
static const struct row table[] = {
	{ 'A', 0x1002, { 0x4385, 0x439c, 0x4383, 0x439d, 0x4384, 0x4399 } },
	{ 'A', 0x1022, { 0x780f, 0x7809 } },
	{ 'B', 0x1924, { 0x0903, 0x0923, 0x0a03 } },
	{ 'B', 0x8086, { 0x10c6, 0x10db, 0x10dd, 0x10e1, 0x10f1, 0x10f7, 0x10f8, 0x10f9, 0x10fa,
			 0x10fb, 0x10fc, 0x1507, 0x1514, 0x151c, 0x1529, 0x152a, 0x154d, 0x154f,
			 0x1551, 0x1558 } },
	{ 'B', 0x8086, { 0x1509, 0x150e, 0x150f, 0x1510, 0x1511, 0x1516, 0x1527 } },
	{ 'B', 0x8086, { 0x10c9, 0x10e6, 0x10e7, 0x10e8, 0x150a, 0x150d, 0x1518, 0x1526 } },
	{ 'B', 0x8086, { 0x10a7, 0x10a9, 0x10d6, 0x1521, 0x1522, 0x1523, 0x1524 } },
	{ 'B', 0x8086, { 0x105e, 0x105f, 0x1060, 0x10d9, 0x15b7, 0x15b8 } },
	{ 'C', 0x8086, { ANY } },
	{ 'D', 0x17cb, { 0x0400, 0x0401, 0x0115, 0x0111, 0x0120 } },
	{ 'D', 0x1dbf, { 0x0401 } },
	{ 'E', 0x8086, { ANY } },
	{ 'F', 0x8086, { ANY } },
	{ 'B', 0x19a2, { 0x0710 } },
	{ 'B', 0x10df, { 0x0720 } },
	{ 'G', 0x177d, { ANY } },
	{ 'B', 0x177d, { 0xa026, 0xa059, 0xa060 } },
	{ 'D', 0x10e8, { 0xe004 } },
	{ 'D', 0x1def, { 0xe005, 0xe006, 0xe007, 0xe008, 0xe009, 0xe00a, 0xe00b, 0xe00c } },
	{ 'B', 0x14e4, { 0x16d7, 0x1750, 0x1751, 0x1752, 0x1760, 0x1761, 0x1762, 0x1763 } },
	{ 'D', 0x14e4, { 0xd714 } },
	{ 'D', 0x0014, { 0x3c09, 0x3c19, 0x3c29, 0x7a09, 0x7a19, 0x7a29, 0x7a39, 0x7a49, 0x7a59,
			 0x7a69 } },
	{ 'H', 0x1c36, { 0x0031 } },
	{ 'B', 0x1d17, { 0x3038, 0x3104, 0x9083 } },
	{ 'D', 0x1957, { 0x8d81, 0x8da1, 0x8d83, 0x8d80, 0x8da0, 0x8d82, 0x8d90, 0x8db0, 0x8d92,
			 0x8d91, 0x8db1, 0x8d93, 0x8d89, 0x8da9, 0x8d8b, 0x8d88, 0x8da8, 0x8d8a,
			 0x8d98, 0x8db8, 0x8d9a, 0x8d99, 0x8db9, 0x8d9b } },
	{ 'I', 0x1d17, { ANY } },
	{ 'J', 0x8088, { ANY } },
};
/* clang-format on */

static bool matches(const struct row *row, u16 vendor, u16 device)
{
	if (row->vendor != vendor)
		return false;
	for (u32 i = 0; i < DEVICES_MAX && row->device[i]; i++) {
		if (row->device[i] == device || row->device[i] == ANY)
			return true;
	}
	return false;
}

bool pci_acs_quirk(struct pci_dev *pdev, u16 flags, struct dmasim_isolation *isolation)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct question question = { pdev, flags, 0 };
		enum answer answer;

		if (!matches(&table[i], pdev->vendor, pdev->device))
			continue;
		answer = rules[table[i].rule - 'A'](&question);
		if (answer == NOT_APPLICABLE)
			continue;
		*isolation = (struct dmasim_isolation){
			.isolates = answer == ISOLATED,
			.by = DMASIM_ISOLATION_QUIRK,
			.missing = question.missing,
			.rule = table[i].rule,
		};
		return true;
	}
	return false;
}

bool pci_acs_quirk_vendor(u16 vendor)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].vendor == vendor)
			return true;
	}
	return false;
}

bool pci_acs_quirk_alike(u16 vendor, u16 device, u16 other)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (matches(&table[i], vendor, device) != matches(&table[i], vendor, other))
			return false;
	}
	return IS_IN(device, intel_pch) == IS_IN(other, intel_pch) &&
	       IS_IN(device, intel_spt) == IS_IN(other, intel_spt) &&
	       IS_IN(device, cavium_ports) == IS_IN(other, cavium_ports) &&
	       IS_IN(device, zhaoxin_ports) == IS_IN(other, zhaoxin_ports) &&
	       IS_IN(device, wangxun) == IS_IN(other, wangxun);
}
