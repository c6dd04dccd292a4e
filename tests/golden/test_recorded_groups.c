/* SPDX-License-Identifier: MIT */
/*
 * Groups as a kernel had them on real machines, against what is computed from the same machine's
 * dump: the same partition of the functions that both tell of.
 */
#include "golden/recorded.h"

#define FUNCTIONS_MAX  512
#define LINE_MAX_BYTES 4096
#define GROUP_COLUMN   7 /* of *.topo.tsv; in *.groups.tsv it is the second */

struct recording {
	u32 count;
	struct pci_dev *pdev[FUNCTIONS_MAX];
	int real[FUNCTIONS_MAX];
	int ours[FUNCTIONS_MAX];
};

/* The text of a column; NULL: there is none, or it is empty. The line is cut in pieces. */
static const char *column(char *line, int index)
{
	char *at = line;

	for (; index; index--) {
		at = strchr(at, '\t');
		if (!at)
			return NULL;
		at++;
	}
	at[strcspn(at, "\t\r\n")] = 0;
	return *at ? at : NULL;
}

static bool has_vendor(const struct pci_dev *pdev, const char *ids)
{
	unsigned int vendor = 0;

	assert_int_equal(sscanf(ids, "%4x", &vendor), 1);
	return pdev->vendor == vendor;
}

static void add_line(struct recorded *recorded, struct recording *recording, char *line,
		     int group_column)
{
	char copy[LINE_MAX_BYTES];
	const char *group, *id;
	struct pci_dev *pdev;

	snprintf(copy, sizeof(copy), "%s", line);
	group = line[0] == '#' ? NULL : column(line, group_column);
	if (!group)
		return;
	id = column(copy, group_column == GROUP_COLUMN ? 1 : 0);
	/* A dump may be a part of the machine, or of a boot with other bus numbers. */
	pdev = dmasim_pci_dev(recorded->s, column(line, 0));
	if (!pdev || (group_column == GROUP_COLUMN && !has_vendor(pdev, id)))
		return;
	assert_true(recording->count < FUNCTIONS_MAX);
	recording->pdev[recording->count] = pdev;
	recording->real[recording->count] = atoi(group);
	recording->ours[recording->count] = dmasim_group(pdev);
	if (recording->ours[recording->count] < 0)
		print_error("%s is in no group\n", pci_name(pdev));
	assert_true(recording->ours[recording->count] >= 0);
	recording->count++;
}

static void read_recording(struct recorded *recorded, struct recording *recording,
			   const char *groups)
{
	char path[4096], line[LINE_MAX_BYTES];
	FILE *file;

	snprintf(path, sizeof(path), "%s/data/groups/%s", getenv("DMASIM_SHARED"), groups);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		add_line(recorded, recording, line, strstr(groups, ".topo.tsv") ? GROUP_COLUMN : 1);
	fclose(file);
}

/* How many others the function is with in one partition and not in the other. */
static u32 count_differences(const struct recording *recording, u32 i)
{
	u32 count = 0;

	for (u32 j = 0; j < recording->count; j++) {
		bool real = recording->real[i] == recording->real[j];
		bool ours = recording->ours[i] == recording->ours[j];

		if (j == i || real == ours)
			continue;
		print_error("%s (%s) and %s: %s in the kernel's groups\n",
			    pci_name(recording->pdev[i]),
			    dmasim_group_reason_text(recording->pdev[i]).text,
			    pci_name(recording->pdev[j]), real ? "together" : "apart");
		count++;
	}
	return count;
}

/* A machine, and what a kernel said of it. */
struct machine {
	const char *dump;
	const char *groups;
	enum dmasim_iommu iommu;
	enum dmasim_assume assume;
	u32 at_least; /* functions that both tell of */
};

static void expect_machine(void **state, const struct machine *machine)
{
	struct recorded *recorded = *state;
	struct dmasim_config config = { DMASIM_CONFIG, .iommu = machine->iommu };
	struct dmasim_import how = { .assume = machine->assume };
	struct recording recording = { 0 };
	u32 differences = 0;

	recorded_find(recorded, machine->dump);
	recorded_import_with(recorded, &config, &how);
	read_recording(recorded, &recording, machine->groups);
	assert_true(recording.count >= machine->at_least);
	for (u32 i = 0; i < recording.count; i++)
		differences += count_differences(&recording, i);
	expect_u64(differences, 0);
}

/*
 * trust: groups of an Alder Lake laptop are its kernel's
 * | a real machine's data: dump and groups of one boot
 */
static void an_alder_lake_laptop(void **state)
{
	struct machine machine = { .dump = "alderlake-laptop-gl9755.hex",
				   .groups = "alderlake-laptop-gl9755.groups.tsv",
				   .at_least = 29 };

	expect_machine(state, &machine);
	machine.dump = "alderlake-laptop-gl9755.txt";
	expect_machine(state, &machine);
}

/*
 * trust: groups of an Ice Lake laptop are its kernel's
 * | a real machine's data: dump and groups of one boot
 */
static void an_ice_lake_laptop(void **state)
{
	expect_machine(state, &(struct machine){ .dump = "icelake-laptop-8a12.txt",
						 .groups = "icelake-laptop-8a12.groups.tsv",
						 .at_least = 25 });
}

/*
 * trust: groups of a MicroTCA board with two levels of switches are its kernel's
 * | a real machine's data: dump and groups of one boot
 */
static void a_microtca_board(void **state)
{
	expect_machine(state, &(struct machine){ .dump = "microtca-pex8748.txt",
						 .groups = "microtca-pex8748.groups.tsv",
						 .at_least = 42 });
}

/*
 * trust: groups below an ASM1812 switch are its kernel's
 * | a real machine's data: dump and groups of one boot
 */
static void an_asm1812_switch(void **state)
{
	expect_machine(state, &(struct machine){ .dump = "asm1812-switch.txt",
						 .groups = "asm1812-switch.groups.tsv",
						 .at_least = 11 });
}

/*
 * trust: groups of root complex endpoints with ACS are their kernel's
 * | a real machine's data: dump and groups of one boot
 */
static void an_nxp_ls1028a(void **state)
{
	expect_machine(state, &(struct machine){ .dump = "nxp-ls1028a-rcie.txt",
						 .groups = "nxp-ls1028a-rcie.groups.tsv",
						 .at_least = 4 });
}

/*
 * trust: groups of a Ryzen Embedded board with a switch are its kernel's
 * | a real machine's data: dump and groups of one boot
 */
static void a_ryzen_board(void **state)
{
	expect_machine(state, &(struct machine){ .dump = "amd-raven-embedded-switch.txt",
						 .groups = "amd-raven-embedded-switch.topo.tsv",
						 .iommu = DMASIM_AMD_VI,
						 .at_least = 42 });
}

/*
 * trust: groups of a server with MI300X and a switch are its kernel's
 * | a real machine's data: dump and groups of one boot, and the log of another
 */
static void a_server_with_mi300x(void **state)
{
	struct machine machine = { .dump = "hpe-xd675-part.vvv.txt",
				   .groups = "hpe-xd675-part.groups.tsv",
				   .iommu = DMASIM_AMD_VI,
				   .at_least = 26 };

	expect_machine(state, &machine);
	machine.groups = "hpe-xd675-mi300x.topo.tsv";
	machine.at_least = 15;
	expect_machine(state, &machine);
}

/*
 * What the text of lspci -v does not show of ACS was on. Its VMD domain, where that is read, is in
 * the group of the endpoint.
 */
static void a_laptop_whose_acs_is_not_shown(void **state)
{
	expect_machine(state, &(struct machine){ .dump = "dell-xps9320-tb4-dock.txt",
						 .groups = "dell-xps9320-tb4-dock.groups.tsv",
						 .assume = DMASIM_ASSUME_ISOLATION,
						 .at_least = 34 });
}

TEST_MAIN_UNLESS(recorded_missing, RECORDED_TEST(an_alder_lake_laptop),
		 RECORDED_TEST(an_ice_lake_laptop), RECORDED_TEST(a_microtca_board),
		 RECORDED_TEST(an_asm1812_switch), RECORDED_TEST(an_nxp_ls1028a),
		 RECORDED_TEST(a_ryzen_board), RECORDED_TEST(a_server_with_mi300x),
		 RECORDED_TEST(a_laptop_whose_acs_is_not_shown))
