/* SPDX-License-Identifier: MIT */
/*
 * Strict groups of recorded machines against requests: everybody writes to everybody's memory, and
 * who arrives with no IOMMU on the way is with whom he reached. So are functions whose requests
 * bear one number, by the kinds of bridges above them. That must give the same groups.
 */
#include "golden/recorded.h"

#define FUNCTIONS_MAX 256

struct reach {
	u32 count;
	struct pci_dev *pdev[FUNCTIONS_MAX];
	u32 leader[FUNCTIONS_MAX];
};

static u32 leader(struct reach *reach, u32 i)
{
	while (reach->leader[i] != i)
		i = reach->leader[i];
	return i;
}

static u32 index_of(const struct reach *reach, const struct pci_dev *pdev)
{
	for (u32 i = 0; i < reach->count; i++) {
		if (reach->pdev[i] == pdev)
			return i;
	}
	fail_msg("%s is not in the list", pci_name(pdev));
	return 0;
}

static void unite(struct reach *reach, u32 i, u32 j)
{
	reach->leader[leader(reach, i)] = leader(reach, j);
}

/* Drivers do this when they come. */
static void list_and_enable(struct recorded *recorded, struct reach *reach)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(recorded->s, NULL); pdev;
	     pdev = dmasim_next_dev(recorded->s, pdev)) {
		assert_true(reach->count < FUNCTIONS_MAX);
		reach->leader[reach->count] = reach->count;
		reach->pdev[reach->count++] = pdev;
		expect_ok(pci_enable_device(pdev));
		pci_set_master(pdev);
	}
}

static void send_to_bar(struct reach *reach, u32 to, int bar)
{
	u64 address = pci_bus_address(reach->pdev[to], bar);
	struct dmasim_route route;

	if (!(pci_resource_flags(reach->pdev[to], bar) & IORESOURCE_MEM) || !address)
		return;
	for (u32 from = 0; from < reach->count; from++) {
		dmasim_route(reach->pdev[from], address, true, &route);
		if (from != to && route.in_bar && !route.refused && !route.passed_iommu)
			unite(reach, from, index_of(reach, route.end));
	}
}

/* The nearest bridge that takes the function's requests for its own, and if it sends as itself. */
static struct pci_dev *lending_bridge(struct pci_dev *pdev, bool *as_itself)
{
	struct pci_dev *at = pci_upstream_bridge(pdev);

	while (at && at->express_type >= 0 && at->express_type != PCI_EXP_TYPE_PCI_BRIDGE &&
	       at->express_type != PCI_EXP_TYPE_PCIE_BRIDGE)
		at = pci_upstream_bridge(at);
	*as_itself = at && at->express_type != PCI_EXP_TYPE_PCI_BRIDGE;
	return at;
}

static void share_numbers(struct reach *reach)
{
	bool ours, theirs;

	for (u32 i = 0; i < reach->count; i++) {
		struct pci_dev *bridge = lending_bridge(reach->pdev[i], &ours);

		if (ours)
			unite(reach, i, index_of(reach, bridge));
		/* Behind VMD all requests are the endpoint's. */
		if (reach->pdev[i]->real_dma)
			unite(reach, i, index_of(reach, reach->pdev[i]->real_dma));
		for (u32 j = 0; bridge && j < i; j++) {
			if (lending_bridge(reach->pdev[j], &theirs) == bridge)
				unite(reach, i, j);
		}
	}
}

static void expect_same(struct reach *reach)
{
	u32 differences = 0;

	for (u32 i = 0; i < reach->count; i++) {
		for (u32 j = 0; j < i; j++) {
			bool reached = leader(reach, i) == leader(reach, j);
			int one = dmasim_group(reach->pdev[i]);
			int other = dmasim_group(reach->pdev[j]);

			if (one < 0 || other < 0 || (one == other) == reached)
				continue;
			print_error("%s (%s) and %s: %s by requests\n", pci_name(reach->pdev[i]),
				    dmasim_group_reason_text(reach->pdev[i]).text,
				    pci_name(reach->pdev[j]), reached ? "joined" : "not joined");
			differences++;
		}
	}
	expect_u64(differences, 0);
}

static void check(struct recorded *recorded, const char *file, bool acs_enable, bool acs_off)
{
	struct dmasim_config config = { DMASIM_CONFIG, .group_policy = DMASIM_GROUPS_STRICT,
					.acs_enable = acs_enable };
	struct dmasim_import how = { .acs_off = acs_off };
	struct reach reach = { 0 };

	recorded_find(recorded, file);
	recorded_import_with(recorded, &config, &how);
	list_and_enable(recorded, &reach);
	for (u32 to = 0; to < reach.count; to++) {
		for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++)
			send_to_bar(&reach, to, bar);
	}
	share_numbers(&reach);
	expect_same(&reach);
}

/*
 * trust: strict groups of recorded machines are what requests reach, with ACS as recorded, off and
 * on | an independent model: every request is sent, and the fabric knows nothing of groups
 */
static void strict_groups_are_what_requests_reach(void **state)
{
	static const char *const files[] = {
		"alderlake-laptop-gl9755.hex",
		"amd-raven-embedded-switch.txt",
		"arm-n1sdp.hex",
		"asm1812-switch.txt",
		"dell-xe9680-part.hex",
		"dell-xps9320-tb4-dock.txt",
		"haswell-ep-server.txt",
		"hpe-xd675-part.vvv.txt",
		"icelake-laptop-8a12.txt",
		"microtca-pex8748.txt",
		"nxp-ls1028a-rcie.txt",
		"pciutils-PCI-X-bridges-and-domains.hex",
		"pciutils-tree-asus-p6t6.hex",
		"pciutils-tree-fsl-p2020.hex",
		"sifive-unmatched-asm2824.hex",
		"talos2-power9.hex",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		print_message("# %s\n", files[i]);
		check(*state, files[i], false, false);
		check(*state, files[i], false, true);
		check(*state, files[i], true, false);
	}
}

TEST_MAIN_UNLESS(recorded_missing, RECORDED_TEST(strict_groups_are_what_requests_reach))
