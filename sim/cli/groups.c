/* SPDX-License-Identifier: MIT */
/*
 * dmasim groups: the IOMMU groups of a machine, and why they are as they are.
 *
 * What a dump is too short to show can decide a group. So there are two machines: one where it
 * reads as zeros, one where all of it isolates. A group is known if its members are the same in
 * both.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char help[] =
	"usage: dmasim groups FILE [--policy linux|strict] [--why] [--acs keep|on|off]\n"
	"                     [--iommu vtd|amd|riscv|smmuv3]\n\n"
	"Prints the IOMMU groups of a machine: lines of BDF, tab, group, sorted by BDF, groups\n"
	"numbered from 0 in order of their first member. Functions that no IOMMU covers are left\n"
	"out; \"unknown\" is a group that depends on what the dump does not show. FILE is what\n"
	"lspci -xxxx or lspci -vvv printed as root, or --host for this machine.\n\n"
	"  --policy linux   as Linux computes them (default)\n"
	"  --policy strict  what can really reach each other, or sends under one number\n"
	"  --why            a third column: the reason; on stderr, what is inferred or left out\n"
	"  --acs keep       ACS as it was recorded (default)\n"
	"  --acs on         as Linux switches it on at boot with an IOMMU\n"
	"  --acs off        no redirection anywhere\n"
	"  --iommu KIND     whose IOMMU it is: vtd, amd, riscv or smmuv3; default: by the CPU\n";

#define NO_GROUP (-1)

struct args {
	const char *file;
	struct dmasim_config config;
	struct dmasim_import import;
	bool iommu_set;
	bool why;
};

/* A function, and its groups in the two machines. */
struct row {
	struct pci_dev *pdev;
	int group;
	int other;
	bool known;
};

struct table {
	struct row *row;
	u32 count;
	/* By the numbers of each machine, which are less than count. */
	u32 *size;
	u32 *other_size;
	int *printed;
};

/* ---- Arguments -------------------------------------------------------- */

static int read_arguments(struct args *args, int argc, char **argv)
{
	static const char *const policies[] = { "linux", "strict", NULL };
	static const char *const acs[] = { "keep", "on", "off", NULL };
	static const char *const iommus[] = { "vtd", "amd", "riscv", "smmuv3", NULL };
	static const enum dmasim_iommu kinds[] = { DMASIM_VTD, DMASIM_AMD_VI, DMASIM_RISCV,
						   DMASIM_SMMUV3 };
	int policy = 0, acs_word = 0, iommu = -1;
	const struct cli_option options[] = {
		{ "--policy", .words = policies, .word = &policy, .expected = "linux or strict" },
		{ "--acs", .words = acs, .word = &acs_word, .expected = "keep, on or off" },
		{ "--iommu", .words = iommus, .word = &iommu,
		  .expected = "vtd, amd, riscv or smmuv3" },
		{ "--why", .flag = &args->why },
		{ NULL },
	};

	if (cli_read_options(argc, argv, options, &args->file))
		return CLI_BAD_INPUT;
	args->config.group_policy = policy ? DMASIM_GROUPS_STRICT : DMASIM_GROUPS_LINUX;
	args->config.acs_enable = acs_word == 1;
	args->import.acs_off = acs_word == 2;
	args->config.iommu = kinds[iommu > 0 ? iommu : 0];
	args->iommu_set = iommu >= 0;
	return CLI_DONE;
}

/* ---- Machines --------------------------------------------------------- */

static bool is_ati_iommu(struct pci_dev *pdev)
{
	u32 class;

	pci_read_config_dword(pdev, PCI_CLASS_REVISION, &class);
	return pdev->vendor == PCI_VENDOR_ID_ATI && class >> 16 == PCI_CLASS_SYSTEM_IOMMU;
}

/* AMD's, which is ATI's in chipsets before Zen. */
static bool has_amd_iommu(struct dmasim *s)
{
	struct pci_dev *pdev = dmasim_next_dev(s, NULL);

	if (pdev->vendor == PCI_VENDOR_ID_AMD || pdev->vendor == PCI_VENDOR_ID_HYGON)
		return true;
	while (pdev && !is_ati_iommu(pdev))
		pdev = dmasim_next_dev(s, pdev);
	return pdev;
}

static struct dmasim *open_machine(const char *command, struct args *args,
				   struct dmasim_error *notes)
{
	struct dmasim *s = cli_machine(command, args->file, &args->config, &args->import, notes);

	if (s && !args->iommu_set && has_amd_iommu(s)) {
		dmasim_destroy(s);
		args->config.iommu = DMASIM_AMD_VI;
		s = cli_machine(command, args->file, &args->config, &args->import, notes);
	}
	args->iommu_set = true;
	return s;
}

/* ---- Rows ------------------------------------------------------------- */

/* By domain, bus, device and function; a domain can have more digits than another. */
static int compare_rows(const void *a, const void *b)
{
	const char *one = pci_name(((const struct row *)a)->pdev);
	const char *two = pci_name(((const struct row *)b)->pdev);
	size_t length = strlen(one), other = strlen(two);

	return length == other ? strcmp(one, two) : (length > other) - (length < other);
}

static bool make_table(struct table *table, struct dmasim *s)
{
	struct pci_dev *pdev;

	/* One row more than there are functions: never none. */
	table->count = 0;
	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev))
		table->count++;
	table->row = calloc(table->count + 1, sizeof(*table->row));
	table->size = calloc(table->count + 1, sizeof(*table->size));
	table->other_size = calloc(table->count + 1, sizeof(*table->other_size));
	table->printed = calloc(table->count + 1, sizeof(*table->printed));
	return table->row && table->size && table->other_size && table->printed;
}

static void free_table(struct table *table)
{
	free(table->row);
	free(table->size);
	free(table->other_size);
	free(table->printed);
}

/* False: no memory. */
static bool read_group(struct pci_dev *pdev, int *group)
{
	*group = dmasim_group(pdev);
	if (*group == -ENOMEM)
		return false;
	if (*group < 0)
		*group = NO_GROUP;
	return true;
}

/* Both machines have the same devices in the same order. */
static bool read_groups(struct table *table, struct dmasim *s, struct dmasim *other)
{
	struct pci_dev *pdev = dmasim_next_dev(s, NULL);
	struct pci_dev *twin = dmasim_next_dev(other, NULL);

	for (u32 i = 0; i < table->count; i++) {
		struct row *row = &table->row[i];

		*row = (struct row){ .pdev = pdev };
		if (!read_group(pdev, &row->group) || !read_group(twin, &row->other))
			return false;
		if (row->group != NO_GROUP) {
			table->size[row->group]++;
			table->other_size[row->other]++;
		}
		pdev = dmasim_next_dev(s, pdev);
		twin = dmasim_next_dev(other, twin);
	}
	return true;
}

/*
 * Known is a group all of whose members are in one group of the other machine, which is not larger.
 */
static void find_known(struct table *table)
{
	int *twin = table->printed; /* of each group, that of its first member; -1: of no one */

	for (u32 i = 0; i < table->count; i++)
		twin[i] = NO_GROUP;
	for (u32 i = 0; i < table->count; i++) {
		const struct row *row = &table->row[i];

		if (row->group == NO_GROUP)
			continue;
		if (twin[row->group] == NO_GROUP)
			twin[row->group] = row->other;
		if (twin[row->group] != row->other ||
		    table->size[row->group] != table->other_size[row->other])
			table->size[row->group] = 0;
	}
	for (u32 i = 0; i < table->count; i++) {
		struct row *row = &table->row[i];

		row->known = row->group != NO_GROUP && table->size[row->group];
	}
}

static void print_rows(struct table *table, bool why)
{
	int next = 0;

	for (u32 i = 0; i < table->count; i++)
		table->printed[i] = NO_GROUP;
	for (u32 i = 0; i < table->count; i++) {
		const struct row *row = &table->row[i];

		if (row->group == NO_GROUP)
			continue;
		if (!row->known) {
			printf("%s\tunknown%s\n", pci_name(row->pdev),
			       why ? "\tdepends on what the dump does not show" : "");
			continue;
		}
		if (table->printed[row->group] == NO_GROUP)
			table->printed[row->group] = next++;
		printf("%s\t%d", pci_name(row->pdev), table->printed[row->group]);
		if (why)
			printf("\t%s%s", dmasim_group_reason_text(row->pdev).text,
			       dmasim_acs_known(row->pdev)
				       ? ""
				       : "; what the dump does not show makes no difference");
		putchar('\n');
	}
}

static int print_groups(const char *command, const struct args *args, struct dmasim *s,
			struct dmasim *other)
{
	struct table table = { 0 };
	int status = CLI_DONE;

	if (make_table(&table, s) && read_groups(&table, s, other)) {
		find_known(&table);
		qsort(table.row, table.count, sizeof(*table.row), compare_rows);
		print_rows(&table, args->why);
	} else {
		status = cli_bad_input("%s: no memory", command);
	}
	free_table(&table);
	return status;
}

int cli_groups(int argc, char **argv)
{
	struct args args = { .config = { DMASIM_CONFIG } };
	struct dmasim_error notes;
	struct dmasim *s, *other;
	int status = CLI_BAD_INPUT;

	if (cli_asks_for_help(argc, argv, help))
		return CLI_DONE;
	if (read_arguments(&args, argc, argv))
		return CLI_BAD_INPUT;
	s = open_machine(argv[0], &args, &notes);
	if (!s)
		return CLI_BAD_INPUT;
	other = s;
	if (!cli_acs_known(s)) {
		args.import.assume = DMASIM_ASSUME_ISOLATION;
		other = open_machine(argv[0], &args, &notes);
	}
	if (other)
		status = print_groups(argv[0], &args, s, other);
	if (args.why && !status)
		cli_notes(&notes, stderr);
	if (other != s)
		dmasim_destroy(other);
	dmasim_destroy(s);
	return status;
}
