/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <string.h>

#include "pt.h"

static const char help[] =
	"usage: dmasim pt FORMAT [OPTION]... [OPERATION]...\n"
	"       dmasim pt list\n"
	"\n"
	"Page tables as they lie in memory: what is mapped, the tree of tables, each entry's word "
	"and\n"
	"its bits by name. FORMAT is amdv1, vtdss, x86_64, armv8 or riscv; `dmasim pt list` has "
	"their\n"
	"levels, widths and sizes of leaves. No IOMMU uses the tables.\n"
	"\n"
	"Done in the order of the arguments; without any an example is mapped, with --contiguous\n"
	"and --napot where the format has them:\n"
	"  --map IOVA:PHYS:SIZE[:PROT]  in leaves as large as the addresses allow. SIZE: 4K, 2M, "
	"1G ...\n"
	"                           PROT, letters: r read, w write, c cacheable, n no execute,\n"
	"                           m MMIO, p privileged, - none of them; without it rwc\n"
	"  --unmap IOVA:SIZE        to the first hole\n"
	"  --protect IOVA:SIZE:PROT other rights for what is mapped\n"
	"  --cut IOVA               a leaf begins there, of smaller ones\n"
	"  --collapse IOVA:SIZE     larger leaves of smaller ones\n"
	"  --mark IOVA              as hardware does when a device writes there\n"
	"  --clean IOVA:SIZE        tells what was written, and takes the marks away\n"
	"  --lookup IOVA            the physical address\n"
	"  --poke IOVA:LEVEL:WORD   stores the entry of a level (0: the smallest leaves) that "
	"serves\n"
	"                           an IOVA; only other --poke after it\n"
	"\n"
	"The table:\n"
	"  --levels N               amdv1 begins with 3 and grows\n"
	"  --stage 1|2              armv8, riscv (2: a G stage's x4 forms); without it 1\n"
	"  --granule 4K|16K|64K     armv8; without it 4K\n"
	"  --contiguous             armv8: leaves of several entries, with the contiguous bit\n"
	"  --concatenate N          armv8, stage 2: so many top tables side by side: 2, 4, 8, 16\n"
	"  --lpa2                   armv8: addresses of 52 bits\n"
	"  --dirty                  armv8, stage 1: hardware marks what was written\n"
	"  --non-secure             armv8, stage 1\n"
	"  --fwb                    armv8, stage 2: cacheable whatever stage 1 says (S2FWB)\n"
	"  --bbml2                  armv8: leaves may be cut and collapsed (FEAT_BBM level 2)\n"
	"  --napot, --pbmt          riscv: leaves of 64K (Svnapot); memory types (Svpbmt)\n"
	"  --lower-half             x86_64, riscv: of IOVAs the lower half alone\n"
	"  --no-1g                  vtdss, x86_64: no leaves of 1 GiB\n"
	"  --snoop                  vtdss, amdv1: leaves force snooping (SNP, FC)\n"
	"  --force-write            vtdss: read-only is refused, as by an erratum\n"
	"  --encrypted BIT          amdv1, x86_64: the bit of addresses that marks encrypted "
	"memory\n"
	"  --incoherent             hardware does not snoop: software notes what it has flushed\n"
	"\n"
	"  --as text|svg            without it text\n"
	"  --costs                  text: tables, entries and bytes of each level, and exact "
	"counts\n"
	"\n"
	"Exit status: 0 all was done, 1 an operation was refused or an entry is malformed, 2 bad "
	"input.\n";

/* ---- Steps ------------------------------------------------------------ */

static const struct operation {
	enum pt_step_kind kind;
	const char *option;
	const char *pieces; /* i: iova, p: phys, s: size, r: rights, l: level, w: word */
	u32 least;	    /* so many of them */
	const char *expected;
} operations[] = {
	{ PT_MAP, "--map", "ipsr", 3, "IOVA:PHYS:SIZE[:PROT] like 0x40000000:0x1000000:12K:rw" },
	{ PT_UNMAP, "--unmap", "is", 2, "IOVA:SIZE like 0x40000000:4K" },
	{ PT_PROTECT, "--protect", "isr", 3, "IOVA:SIZE:PROT like 0x40000000:4K:r" },
	{ PT_CUT, "--cut", "i", 1, "an IOVA like 0x40001000" },
	{ PT_COLLAPSE, "--collapse", "is", 2, "IOVA:SIZE like 0x40000000:2M" },
	{ PT_MARK, "--mark", "i", 1, "an IOVA like 0x40001000" },
	{ PT_CLEAN, "--clean", "is", 2, "IOVA:SIZE like 0x40000000:2M" },
	{ PT_LOOKUP, "--lookup", "i", 1, "an IOVA like 0x40001000" },
	{ PT_POKE, "--poke", "ilw", 3, "IOVA:LEVEL:WORD like 0x40000000:0:0x1003" },
};

static bool read_level(const char *text, u8 *level)
{
	u64 number;

	if (!cli_number(text, &number) || number >= PGTABLE_LEVELS_MAX)
		return false;
	*level = (u8)number;
	return true;
}

static bool read_piece(char what, char *text, struct pt_step *step)
{
	switch (what) {
	case 'i':
		return cli_number(text, &step->iova);
	case 'p':
		return cli_number(text, &step->phys);
	case 's':
		return cli_size(text, &step->bytes);
	case 'r':
		return pt_read_prot(text, &step->prot);
	case 'l':
		return read_level(text, &step->level);
	default:
		return cli_number(text, &step->value);
	}
}

static bool read_pieces(const char *text, const struct operation *operation, struct pt_step *step)
{
	char piece[CLI_PIECES_MAX][CLI_PIECE_BYTES];
	u32 count = cli_pieces(text, piece);

	if (count < operation->least || count > strlen(operation->pieces))
		return false;
	for (u32 i = 0; i < count; i++) {
		if (!read_piece(operation->pieces[i], piece[i], step))
			return false;
	}
	return true;
}

static int read_operation(enum pt_step_kind kind, const char *text, struct pt_options *options)
{
	const struct operation *operation = &operations[kind];
	struct pt_step *step;

	if (options->step_count == PT_STEPS_MAX)
		return cli_bad_input("pt: %u operations are the most", PT_STEPS_MAX);
	if (options->step_count && kind != PT_POKE &&
	    options->step[options->step_count - 1].kind == PT_POKE)
		return cli_bad_input("pt: no %s behind a --poke", operation->option);
	step = &options->step[options->step_count++];
	*step = (struct pt_step){ .kind = kind, .prot = IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE };
	if (read_pieces(text, operation, step))
		return 0;
	return cli_bad_input("pt: %s is %s, not '%s'", operation->option, operation->expected,
			     text);
}

/* ---- The table -------------------------------------------------------- */

static int read_count(const char *option, const char *text, u32 min, u32 max, u64 *value)
{
	if (cli_number(text, value) && *value >= min && *value <= max)
		return 0;
	return cli_bad_input("pt: %s is a number from %u to %u, not '%s'", option, min, max, text);
}

static int read_granule(const char *text, struct pt_layout *layout)
{
	static const char *const names[] = { "4K", "16K", "64K" };

	for (u8 i = 0; i < 3; i++) {
		if (!strcmp(text, names[i])) {
			layout->granule_lg2 = 12 + 2 * i;
			return 0;
		}
	}
	return cli_bad_input("pt: --granule is 4K, 16K or 64K, not '%s'", text);
}

static int read_concatenate(const char *text, u32 *tables)
{
	u64 number;

	if (!cli_number(text, &number) || number < 2 || number > 16 || number & (number - 1))
		return cli_bad_input("pt: --concatenate is 2, 4, 8 or 16, not '%s'", text);
	*tables = (u32)number;
	return 0;
}

static int read_as(const char *text, struct pt_options *options)
{
	options->svg = !strcmp(text, "svg");
	if (options->svg || !strcmp(text, "text"))
		return 0;
	return cli_bad_input("pt: --as is text or svg, not '%s'", text);
}

static int read_format(const char *text, struct pt_options *options)
{
	if (options->format)
		return cli_bad_input("pt: unexpected argument '%s'", text);
	options->format = pt_format_named(text);
	if (options->format)
		return 0;
	return cli_bad_input("pt: no format '%s': amdv1, vtdss, x86_64, armv8 or riscv", text);
}

static int read_valued(int option, const char *text, struct pt_options *options)
{
	struct pt_layout *layout = &options->layout;
	u64 number = 0;
	int status;

	switch (option) {
	case 'l':
		status = read_count("--levels", text, 1, PGTABLE_LEVELS_MAX, &number);
		layout->levels = (u8)number;
		return status;
	case 't':
		options->given |= PT_STAGE;
		status = read_count("--stage", text, 1, 2, &number);
		layout->stage = (u8)number;
		return status;
	case 'g':
		options->given |= PT_GRANULE;
		return read_granule(text, layout);
	case 'k':
		options->given |= PT_CONCATENATE;
		return read_concatenate(text, &options->concatenate);
	case 'e':
		options->given |= PT_ENCRYPTED;
		status = read_count("--encrypted", text, 32, 51, &number);
		layout->encryption = 1ULL << number;
		return status;
	case 'a':
		return read_as(text, options);
	default:
		return read_format(text, options);
	}
}

/* ---- All -------------------------------------------------------------- */

/* Values of options: operations from here on, switches from there on. */
#define OPERATION 0x100
#define SWITCH	  0x1000000

static const struct option known[] = {
	{ "map", required_argument, NULL, OPERATION + PT_MAP },
	{ "unmap", required_argument, NULL, OPERATION + PT_UNMAP },
	{ "protect", required_argument, NULL, OPERATION + PT_PROTECT },
	{ "cut", required_argument, NULL, OPERATION + PT_CUT },
	{ "collapse", required_argument, NULL, OPERATION + PT_COLLAPSE },
	{ "mark", required_argument, NULL, OPERATION + PT_MARK },
	{ "clean", required_argument, NULL, OPERATION + PT_CLEAN },
	{ "lookup", required_argument, NULL, OPERATION + PT_LOOKUP },
	{ "poke", required_argument, NULL, OPERATION + PT_POKE },
	{ "levels", required_argument, NULL, 'l' },
	{ "stage", required_argument, NULL, 't' },
	{ "granule", required_argument, NULL, 'g' },
	{ "concatenate", required_argument, NULL, 'k' },
	{ "encrypted", required_argument, NULL, 'e' },
	{ "contiguous", no_argument, NULL, SWITCH | PT_CONTIGUOUS },
	{ "lpa2", no_argument, NULL, SWITCH | PT_LPA2 },
	{ "dirty", no_argument, NULL, SWITCH | PT_DIRTY },
	{ "non-secure", no_argument, NULL, SWITCH | PT_NON_SECURE },
	{ "fwb", no_argument, NULL, SWITCH | PT_FWB },
	{ "bbml2", no_argument, NULL, SWITCH | PT_BBML2 },
	{ "napot", no_argument, NULL, SWITCH | PT_NAPOT },
	{ "pbmt", no_argument, NULL, SWITCH | PT_PBMT },
	{ "lower-half", no_argument, NULL, SWITCH | PT_LOWER_HALF },
	{ "no-1g", no_argument, NULL, SWITCH | PT_NO_1G },
	{ "snoop", no_argument, NULL, SWITCH | PT_SNOOP },
	{ "force-write", no_argument, NULL, SWITCH | PT_FORCE_WRITE },
	{ "incoherent", no_argument, NULL, SWITCH | PT_INCOHERENT },
	{ "as", required_argument, NULL, 'a' },
	{ "costs", no_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int read_option(int option, const char *text, struct pt_options *options)
{
	if (option & SWITCH) {
		options->given |= (u32)option & ~SWITCH;
		return 0;
	}
	if (option >= OPERATION)
		return read_operation((enum pt_step_kind)(option - OPERATION), text, options);
	if (option == 'c') {
		options->costs = true;
		return 0;
	}
	return read_valued(option, text, options);
}

int pt_read_arguments(int argc, char **argv, struct pt_options *options)
{
	int option, status;

	opterr = 0;
	/* The dash: what is no option comes in its place, as option 1. */
	while ((option = getopt_long(argc, argv, "-:", known, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return CLI_DONE;
		}
		if (option == ':' || option == '?')
			return cli_bad_option("pt", option, argv[optind - 1]);
		status = read_option(option, optarg, options);
		if (status)
			return status;
	}
	for (; optind < argc; optind++) {
		status = read_format(argv[optind], options);
		if (status)
			return status;
	}
	if (!options->format)
		return cli_bad_input("pt: expected a format: amdv1, vtdss, x86_64, armv8 or riscv");
	if (options->svg && options->costs)
		return cli_bad_input("pt: --costs is for text");
	status = pt_complete(options);
	return status ? status : -1;
}
