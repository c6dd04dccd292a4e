/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <string.h>

#include "walk.h"

static const char help[] =
	"usage: dmasim walk [OPTION]... [--map IOVA:PHYS:SIZE[:r|w|rw]]... IOVA...\n"
	"       dmasim walk [--format NAME] --entry LEVEL:VALUE...\n"
	"       dmasim walk --bits NAME\n"
	"\n"
	"A device's request through the IOMMU, step by step: the context, which cache answers, "
	"each\n"
	"entry that is read and its bits by name, the physical address or the fault. The software\n"
	"writes the tables, the hardware reads them. Column left: what the device may do by the\n"
	"entries so far.\n"
	"\n"
	"Done in the order of the arguments:\n"
	"  IOVA                     translates it\n"
	"  --map IOVA:PHYS:SIZE     maps SIZE bytes (4K, 2M, 1G ...) at an IOVA; with :r, :w or "
	":rw\n"
	"                           for what the device may do; without it rw\n"
	"  --unmap IOVA             ends that mapping, with what must be invalidated\n"
	"  --poke IOVA:LEVEL:VALUE  stores an entry of the table that serves an IOVA, and\n"
	"                           invalidates nothing; +N or -N for VALUE sets or clears bit N\n"
	"  --read, --write          what the device does with the IOVAs that follow; without them\n"
	"                           it reads\n"
	"  --times N                how often each IOVA that follows is translated\n"
	"\n"
	"The machine:\n"
	"  --format NAME            of page tables: vtdss (VT-d; without it this), amdv1 (AMD),\n"
	"                           riscv, armv8 (SMMUv3)\n"
	"  --levels N               of tables: vtdss and riscv 3 to 5; armv8 3 or 4; amdv1, "
	"which\n"
	"                           begins with 3, grows to 4, 5 or 6; without it 4\n"
	"  --no-1g                  no pages of 1 GiB or more\n"
	"  --snoop                  vtdss: snoop control: leaves have the bit SNP\n"
	"  --device-tlb             vtdss: devices may have TLBs: the bit TM may be set\n"
	"  --caching-mode           what is absent is cached, too: vtdss and amdv1\n"
	"  --iotlb N                entries of the IOTLB; without it 64\n"
	"  --walk-cache N           of the walk cache, for each level, 0: none; without it 16\n"
	"  --context-cache N        of the context cache (amdv1: of device table entries),\n"
	"                           0: none; without it 16\n"
	"  --seed N                 what caches replace is left to chance, not the oldest\n"
	"  --trace FILE             one event a line\n"
	"\n"
	"Without a machine, but for --format, --no-1g, --snoop and --device-tlb:\n"
	"  --entry LEVEL:VALUE      what an entry says; level 0 has the smallest pages\n"
	"  --bits NAME              the bits of a format's entries: vtdss, amdv1, riscv, armv8\n"
	"\n"
	"Exit status: 0 all went through, 1 a fault or a malformed entry, 2 bad input.\n";

/* ---- Pieces of an argument -------------------------------------------- */

static bool read_direction(const char *text, enum dma_data_direction *dir)
{
	*dir = !strcmp(text, "r")   ? DMA_TO_DEVICE
	       : !strcmp(text, "w") ? DMA_FROM_DEVICE
				    : DMA_BIDIRECTIONAL;
	return *dir != DMA_BIDIRECTIONAL || !strcmp(text, "rw");
}

static bool read_level(const char *text, u8 *level)
{
	u64 number;

	if (!cli_number(text, &number) || number > 5)
		return false;
	*level = (u8)number;
	return true;
}

static bool read_poke(const char *text, struct walk_step *step)
{
	step->poke = *text == '+'   ? WALK_POKE_SET
		     : *text == '-' ? WALK_POKE_CLEAR
				    : WALK_POKE_VALUE;
	if (step->poke == WALK_POKE_VALUE)
		return cli_number(text, &step->value);
	return text[1] >= '0' && text[1] <= '9' && cli_number(text + 1, &step->value) &&
	       step->value < 64;
}

/* ---- Steps ------------------------------------------------------------ */

static struct walk_step *add_step(struct walk_options *options, enum walk_step_kind kind)
{
	struct walk_step *step;

	if (options->step_count == WALK_STEPS_MAX)
		return NULL;
	step = &options->step[options->step_count++];
	*step = (struct walk_step){ .kind = kind };
	return step;
}

static int too_many(void)
{
	return cli_bad_input("walk: %u steps are the most", WALK_STEPS_MAX);
}

/* A mapping is of whole pages, and of no more than a 32-bit host can ask for. */
static int check_map(const char *text, const struct walk_step *step)
{
	u64 page_mask = (1U << WALK_GRANULE_LG2) - 1;

	if ((step->iova | step->phys | step->bytes) & page_mask)
		return cli_bad_input("walk: --map is of whole pages of 4 KiB, not '%s'", text);
	if (!step->bytes || step->bytes > 1ULL << 31)
		return cli_bad_input("walk: --map is of 4K to 2G, not '%s'", text);
	if (!step->iova)
		return cli_bad_input("walk: IOVA 0 stands for nothing: no mapping begins there");
	if (step->phys >> 52 || (step->phys + step->bytes - 1) >> 52)
		return cli_bad_input("walk: a physical address has 52 bits, not '%s'", text);
	return 0;
}

static int read_map(const char *text, struct walk_options *options)
{
	struct walk_step *step = add_step(options, WALK_STEP_MAP);
	char piece[CLI_PIECES_MAX][CLI_PIECE_BYTES];
	u32 count = cli_pieces(text, piece);

	if (!step)
		return too_many();
	step->dir = DMA_BIDIRECTIONAL;
	if (count < 3 || !cli_number(piece[0], &step->iova) || !cli_number(piece[1], &step->phys) ||
	    !cli_size(piece[2], &step->bytes) ||
	    (count == 4 && !read_direction(piece[3], &step->dir)))
		return cli_bad_input("walk: --map is IOVA:PHYS:SIZE[:r|w|rw] like "
				     "0x40000000:0x1000000:4K:r, not '%s'",
				     text);
	return check_map(text, step);
}

static int read_poke_step(const char *text, struct walk_options *options)
{
	struct walk_step *step = add_step(options, WALK_STEP_POKE);
	char piece[CLI_PIECES_MAX][CLI_PIECE_BYTES];

	if (!step)
		return too_many();
	if (cli_pieces(text, piece) == 3 && cli_number(piece[0], &step->iova) &&
	    read_level(piece[1], &step->level) && read_poke(piece[2], step))
		return 0;
	return cli_bad_input("walk: --poke is IOVA:LEVEL:VALUE like 0x40000000:0:0x1003, or with "
			     "+BIT or -BIT, not '%s'",
			     text);
}

static int read_entry(const char *text, struct walk_options *options)
{
	struct walk_step *step = add_step(options, WALK_STEP_ENTRY);
	char piece[CLI_PIECES_MAX][CLI_PIECE_BYTES];

	if (!step)
		return too_many();
	if (cli_pieces(text, piece) == 2 && read_level(piece[0], &step->level) &&
	    cli_number(piece[1], &step->value))
		return 0;
	return cli_bad_input("walk: --entry is LEVEL:VALUE like 1:0x40000083, not '%s'", text);
}

static int read_unmap(const char *text, struct walk_options *options)
{
	struct walk_step *step = add_step(options, WALK_STEP_UNMAP);

	if (!step)
		return too_many();
	if (cli_number(text, &step->iova))
		return 0;
	return cli_bad_input("walk: --unmap is an IOVA, not '%s'", text);
}

/* What --read, --write and --times have said so far. */
struct manner {
	bool write;
	u32 times;
};

static int read_iova(const char *text, const struct manner *manner, struct walk_options *options)
{
	struct walk_step *step = add_step(options, WALK_STEP_IOVA);

	if (!step)
		return too_many();
	step->write = manner->write;
	step->times = manner->times;
	if (cli_number(text, &step->iova))
		return 0;
	return cli_bad_input("walk: an IOVA is a number like 0x40000123, not '%s'", text);
}

/* ---- The machine ------------------------------------------------------ */

static int read_count(const char *option, const char *text, u32 min, u32 max, u32 *value)
{
	u64 number;

	if (!cli_number(text, &number) || number < min || number > max)
		return cli_bad_input("walk: %s is a number from %u to %u, not '%s'", option, min,
				     max, text);
	*value = (u32)number;
	return 0;
}

/* Sets of caches are a power of two: so the size is what is said. */
static int read_entries(const char *option, const char *text, u32 min, u32 *value)
{
	int status = read_count(option, text, min, 1U << 16, value);

	if (status || !(*value & (*value - 1)))
		return status;
	return cli_bad_input("walk: %s is a power of two, not '%s'", option, text);
}

static int read_format(const char *option, const char *text, const struct walk_format **format)
{
	*format = walk_format_named(text);
	if (*format)
		return 0;
	return cli_bad_input("walk: %s is vtdss, amdv1, riscv or armv8, not '%s'", option, text);
}

static int read_seed(const char *text, struct walk_options *options)
{
	if (cli_number(text, &options->seed) && options->seed)
		return 0;
	return cli_bad_input("walk: --seed is a number, not 0, not '%s'", text);
}

static int read_machine(int option, const char *text, struct walk_options *options)
{
	options->machine_said = true;
	switch (option) {
	case 'l':
		return read_count("--levels", text, 1, 6, &options->levels);
	case 'c':
		options->caching_mode = true;
		return 0;
	case 'i':
		return read_entries("--iotlb", text, 1, &options->iotlb_entries);
	case 'w':
		return read_entries("--walk-cache", text, 0, &options->walk_entries);
	case 'x':
		return read_entries("--context-cache", text, 0, &options->context_entries);
	case 's':
		return read_seed(text, options);
	default:
		options->trace_name = text;
		return 0;
	}
}

static int read_option(int option, const char *text, struct manner *manner,
		       struct walk_options *options)
{
	switch (option) {
	case 'M':
		return read_map(text, options);
	case 'U':
		return read_unmap(text, options);
	case 'P':
		return read_poke_step(text, options);
	case 'E':
		return read_entry(text, options);
	case 'R':
	case 'W':
		manner->write = option == 'W';
		return 0;
	case 'T':
		return read_count("--times", text, 1, 1000, &manner->times);
	case 1:
		return read_iova(text, manner, options);
	case 'f':
		return read_format("--format", text, &options->format);
	case 'b':
		options->bits = text;
		return read_format("--bits", text, &options->format);
	case '1':
		options->unit.no_1g = true;
		return 0;
	case 'n':
		options->unit.snoop = true;
		return 0;
	case 'd':
		options->unit.device_tlb = true;
		return 0;
	default:
		return read_machine(option, text, options);
	}
}

int walk_read_arguments(int argc, char **argv, struct walk_options *options)
{
	static const struct option known[] = {
		{ "map", required_argument, NULL, 'M' },
		{ "unmap", required_argument, NULL, 'U' },
		{ "poke", required_argument, NULL, 'P' },
		{ "entry", required_argument, NULL, 'E' },
		{ "read", no_argument, NULL, 'R' },
		{ "write", no_argument, NULL, 'W' },
		{ "times", required_argument, NULL, 'T' },
		{ "format", required_argument, NULL, 'f' },
		{ "bits", required_argument, NULL, 'b' },
		{ "levels", required_argument, NULL, 'l' },
		{ "no-1g", no_argument, NULL, '1' },
		{ "snoop", no_argument, NULL, 'n' },
		{ "device-tlb", no_argument, NULL, 'd' },
		{ "caching-mode", no_argument, NULL, 'c' },
		{ "iotlb", required_argument, NULL, 'i' },
		{ "walk-cache", required_argument, NULL, 'w' },
		{ "context-cache", required_argument, NULL, 'x' },
		{ "seed", required_argument, NULL, 's' },
		{ "trace", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct manner manner = { .times = 1 };
	int option, status;

	opterr = 0;
	/* The dash: what is no option comes in its place, as option 1. */
	while ((option = getopt_long(argc, argv, "-:", known, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return CLI_DONE;
		}
		if (option == ':' || option == '?')
			return cli_bad_option("walk", option, argv[optind - 1]);
		status = read_option(option, optarg, &manner, options);
		if (status)
			return status;
	}
	for (; optind < argc; optind++) {
		status = read_iova(argv[optind], &manner, options);
		if (status)
			return status;
	}
	status = walk_check(options);
	return status ? status : -1;
}
