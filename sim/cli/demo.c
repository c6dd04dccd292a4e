/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

static const char help[] =
	"usage: dmasim demo [--topology FILE] [--client BDF] [--provider BDF] [--acs keep|off]\n"
	"                   [--cpu VENDOR:FAMILY] [--seed N] [--trace FILE] [--plant BUG]\n"
	"\n"
	"Moves 1 MiB between a client, host memory and a peer's BAR through each of Linux's DMA\n"
	"interfaces, and shows what their unmap knows of an address.\n"
	"\n"
	"  --topology FILE  a machine's `lspci -xxxx` dump; without it a built-in GPU server\n"
	"  --client BDF     who masters the bus; without it the first NVMe drive\n"
	"  --provider BDF   whose BAR is peer memory; without it the largest\n"
	"  --acs keep|off   access control as it is, or with RR, CR and EC cleared; the built-in\n"
	"                   server plays both, off first\n"
	"  --cpu V:F        vendor intel, amd, hygon or other, and family: amd:0x19\n"
	"  --seed N         of everything random; without it DMASIM_SEED of the environment, or 1\n"
	"  --trace FILE     one event a line\n"
	"  --plant BUG      put a mistake into the flows and see it caught: windows, flag, sync,\n"
	"                   unlink, type\n"
	"\n"
	"Exit status: 0 all went as it should, 1 not, or there is no peer-to-peer, 2 bad input.\n";

/* ---- Arguments -------------------------------------------------------- */

static int read_acs(const char *text, struct demo_options *options)
{
	options->acs_given = true;
	options->acs_off = !strcmp(text, "off");
	if (options->acs_off || !strcmp(text, "keep"))
		return 0;
	return cli_bad_input("demo: --acs is keep or off, not '%s'", text);
}

static int read_cpu(const char *text, struct demo_options *options)
{
	static const char *const names[] = {
		[DMASIM_CPU_INTEL] = "intel",
		[DMASIM_CPU_AMD] = "amd",
		[DMASIM_CPU_HYGON] = "hygon",
		[DMASIM_CPU_OTHER] = "other",
	};
	const char *colon = strchr(text, ':');
	u64 family;

	options->cpu_given = true;
	for (int cpu = 0; colon && cpu <= DMASIM_CPU_OTHER; cpu++) {
		size_t length = (size_t)(colon - text);

		if (length != strlen(names[cpu]) || strncmp(text, names[cpu], length))
			continue;
		if (!cli_number(colon + 1, &family) || !family || family > 0xffff)
			break;
		options->cpu = (enum dmasim_cpu)cpu;
		options->cpu_family = (u32)family;
		return 0;
	}
	return cli_bad_input("demo: --cpu is VENDOR:FAMILY like amd:0x19, not '%s'", text);
}

static const char *const plant_names[] = {
	[PLANT_WINDOWS] = "windows", [PLANT_FLAG] = "flag", [PLANT_SYNC] = "sync",
	[PLANT_UNLINK] = "unlink",   [PLANT_TYPE] = "type",
};

static int read_plant(const char *text, struct demo_options *options)
{
	for (int plant = PLANT_WINDOWS; plant <= PLANT_TYPE; plant++) {
		if (!strcmp(text, plant_names[plant])) {
			options->plant = (enum demo_plant)plant;
			return 0;
		}
	}
	return cli_bad_input("demo: --plant is windows, flag, sync, unlink or type, not '%s'",
			     text);
}

static int read_seed(const char *text, struct demo_options *options)
{
	if (cli_number(text, &options->seed) && options->seed)
		return 0;
	return cli_bad_input("demo: --seed is a number, not 0, not '%s'", text);
}

static int read_option(int option, const char *text, struct demo_options *options)
{
	switch (option) {
	case 't':
		options->topology = text;
		return 0;
	case 'c':
		options->client = text;
		return 0;
	case 'p':
		options->provider = text;
		return 0;
	case 'a':
		return read_acs(text, options);
	case 'u':
		return read_cpu(text, options);
	case 's':
		return read_seed(text, options);
	case 'r':
		options->trace_name = text;
		return 0;
	default:
		return read_plant(text, options);
	}
}

/* -1: run; else an exit status. */
static int read_arguments(int argc, char **argv, struct demo_options *options)
{
	static const struct option known[] = {
		{ "topology", required_argument, NULL, 't' },
		{ "client", required_argument, NULL, 'c' },
		{ "provider", required_argument, NULL, 'p' },
		{ "acs", required_argument, NULL, 'a' },
		{ "cpu", required_argument, NULL, 'u' },
		{ "seed", required_argument, NULL, 's' },
		{ "trace", required_argument, NULL, 'r' },
		{ "plant", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return CLI_DONE;
		}
		if (option == ':' || option == '?')
			return cli_bad_option("demo", option, argv[optind - 1]);
		status = read_option(option, optarg, options);
		if (status)
			return status;
	}
	if (optind < argc)
		return cli_bad_input("demo: unexpected argument '%s'", argv[optind]);
	if (!options->seed && !dmasim_env_seed(&options->seed))
		return cli_bad_input("demo: DMASIM_SEED is a number of 64 bits, not 0");
	return -1;
}

/* ---- The play --------------------------------------------------------- */

static void print_device(const char *role, const struct pci_dev *pdev)
{
	printf("  %-9s %s  %s, group %d\n", role, pci_name(pdev), stage_role(pdev),
	       dmasim_group((struct pci_dev *)pdev));
}

static void print_bar(struct demo_stage *stage)
{
	u64 bytes = pci_resource_len(stage->provider, stage->bar);

	printf("  %-9s BAR %d of %llu MiB%s at phys 0x%llx, bus address 0x%llx\n", "memory",
	       stage->bar, bytes / SZ_1M,
	       dmasim_bar_inferred(stage->provider, (u32)stage->bar) ? " (inferred)" : "",
	       (u64)pci_resource_start(stage->provider, stage->bar),
	       pci_bus_address(stage->provider, stage->bar));
}

/* The way of each kind of access, on mappings made for that. */
static bool print_routes(struct demo_stage *stage)
{
	struct device *dev = &stage->client->dev;
	phys_addr_t ram = dmasim_alloc(stage->s, PAGE_SIZE);
	bool by_bus = stage->type == PCI_P2PDMA_MAP_BUS_ADDR;
	dma_addr_t host, peer;

	host = dma_map_phys(dev, ram, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	peer = by_bus ? pci_p2pdma_bus_addr_map(stage->mem, stage->peer_phys)
		      : dma_map_phys(dev, stage->peer_phys, PAGE_SIZE, DMA_BIDIRECTIONAL,
				     DMA_ATTR_MMIO);
	if (dma_mapping_error(dev, host) || dma_mapping_error(dev, peer))
		return false;
	stage_print_route("the client writes host memory:", stage->client, host);
	stage_print_route(by_bus ? "the client writes peer memory, by bus address:"
				 : "the client writes peer memory, by IOVA:",
			  stage->client, peer);
	dma_unmap_phys(dev, host, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	if (!by_bus)
		dma_unmap_phys(dev, peer, PAGE_SIZE, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	return true;
}

/* Introduces the machine. 0, or an exit status. *type: which flows to run. */
static int introduce(const struct demo_options *options, bool acs_off,
		     enum pci_p2pdma_map_type *type)
{
	struct demo_stage stage;
	int status = stage_open(&stage, options, acs_off, false);

	if (status)
		return status;
	*type = stage.type;
	printf("%s, ACS %s\n", options->topology ? options->topology : "the built-in GPU server",
	       acs_off		   ? "off"
	       : options->topology ? "as recorded"
				   : "on");
	print_device("client", stage.client);
	print_device("provider", stage.provider);
	print_bar(&stage);
	if (stage.neighbour && stage.type == PCI_P2PDMA_MAP_BUS_ADDR)
		print_device("neighbour", stage.neighbour);
	printf("  %-9s %s, distance %d\n", "map type", stage_type_name(stage.type), stage.distance);
	if (stage.type == PCI_P2PDMA_MAP_NOT_SUPPORTED) {
		printf("There is no peer-to-peer between them: they do not meet below the root, or "
		       "a "
		       "port\nredirects, and the host bridge is not known to forward.\n");
		status = CLI_NEGATIVE;
	} else if (!print_routes(&stage)) {
		status = cli_bad_input("out of memory");
	}
	stage_close(&stage);
	return status;
}

static int play(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger)
{
	enum pci_p2pdma_map_type type;
	int status = introduce(options, acs_off, &type);

	if (status)
		return status;
	if (type == PCI_P2PDMA_MAP_BUS_ADDR)
		status = flow_page(options, acs_off, ledger);
	else
		status = flow_phys(options, acs_off, ledger);
	if (!status)
		status = flow_list(options, acs_off, ledger);
	if (!status)
		status = flow_state(options, acs_off, ledger);
	printf("\n");
	return status;
}

static int play_all(const struct demo_options *options, struct demo_ledger *ledger)
{
	int status = 0;

	if (options->topology || options->acs_given)
		return play(options, options->acs_off, ledger);
	status = play(options, true, ledger);
	return status ? status : play(options, false, ledger);
}

static void close_play(const struct demo_ledger *ledger)
{
	ledger_print(ledger);
	if (ledger->failed) {
		printf("\nNot everything went as it should: see FAILED above.\n");
		return;
	}
	printf("\nA DMA address alone does not say whether it is an IOVA to free or a bus address "
	       "to "
	       "leave alone:\nthe page flow has only that number, a scatterlist has a flag for "
	       "each "
	       "entry, and the two-step\nflow has one state around the whole and the map type kept "
	       "beside it.\n");
}

/* Everything that can be refused is, before a file is written or a line printed. */
static int check_input(const struct demo_options *options)
{
	bool by_bus = options->plant == PLANT_WINDOWS || options->plant == PLANT_FLAG;
	struct demo_stage stage;
	int status = stage_open(&stage, options, options->acs_off, false);

	if (status)
		return status;
	/* The built-in server's other play has bus addresses. */
	if (by_bus && stage.type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE &&
	    (options->topology || options->acs_given))
		status = cli_bad_input("demo: --plant '%s' has no place in these flows: peer "
				       "memory has IOVAs here, no bus addresses",
				       plant_names[options->plant]);
	stage_close(&stage);
	return status;
}

static int open_trace(struct demo_options *options)
{
	if (!options->trace_name)
		return 0;
	options->trace = fopen(options->trace_name, "w");
	return options->trace ? 0
			      : cli_bad_input("demo: cannot write %s: %s", options->trace_name,
					      strerror(errno));
}

/* Returns the status, or another if the trace is not whole and nothing was told so far. */
static int close_trace(const struct demo_options *options, int status)
{
	bool lost;

	if (!options->trace)
		return status;
	errno = 0;
	lost = fflush(options->trace) || ferror(options->trace);
	lost |= fclose(options->trace) != 0;
	if (!lost || status == CLI_BAD_INPUT)
		return status;
	return cli_bad_input("demo: cannot write %s: %s", options->trace_name,
			     errno ? strerror(errno) : "not all was written");
}

/* Plays, judges and tells. Returns the exit status. */
static int play_and_judge(const struct demo_options *options)
{
	struct demo_ledger *ledger = calloc(1, sizeof(*ledger));
	int status;

	if (!ledger)
		return cli_bad_input("out of memory");
	status = play_all(options, ledger);
	if (!status) {
		judge_that(ledger, options->plant == PLANT_NOTHING || ledger->failed,
			   "the planted mistake makes no difference");
		close_play(ledger);
		status = ledger->failed ? CLI_NEGATIVE : CLI_DONE;
	}
	free(ledger);
	return status;
}

int cli_demo(int argc, char **argv)
{
	struct demo_options options = { 0 };
	int status = read_arguments(argc, argv, &options);

	if (status >= 0)
		return status;
	status = check_input(&options);
	if (!status)
		status = open_trace(&options);
	if (status)
		return status;
	return close_trace(&options, play_and_judge(&options));
}
