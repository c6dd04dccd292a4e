/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		return -1;
	world_init(&bench->world, &(struct world_config){ .seed = test_seed(1), .trace = true });
	hw_init(&bench->hw, &bench->world);
	*state = bench;
	return 0;
}

int bench_setup_ram(void **state)
{
	struct bench *bench;

	if (bench_setup(state))
		return -1;
	bench = *state;
	ram_add_range(&bench->hw.ram, 0, 1ULL << BENCH_RAM_BITS);
	return 0;
}

int bench_teardown(void **state)
{
	struct bench *bench = *state;
	u64 left;

	hw_fini(&bench->hw);
	left = bench_live(bench);
	if (left)
		print_error("the hardware left %llu allocations behind\n", left);
	world_fini(&bench->world);
	free(bench);
	return left ? -1 : 0;
}

u64 bench_live(const struct bench *bench)
{
	u64 live = 0;

	for (int point = 0; point < DMASIM_FAULT_COUNT; point++)
		live += bench->world.memory.live[point];
	return live;
}

void bench_fail(struct bench *bench, u64 nth)
{
	memory_fail(&bench->world.memory, (struct memory_plan){ DMASIM_FAULT_ANY, nth });
}

int bench_execute(struct hw_iommu *iommu, u64 low, u64 high)
{
	u8 bytes[16];

	for (u32 i = 0; i < 16; i++)
		bytes[i] = (u8)((i < 8 ? low : high) >> 8 * (i % 8));
	return hw_queue_execute(iommu, bytes, 16);
}

static void put(u8 *config, u32 offset, u32 value)
{
	for (u32 i = 0; i < 4; i++)
		config[offset + i] = (u8)(value >> (8 * i));
}

static void put_bars(u8 *config, struct hw_function_desc *desc, const struct bench_function *what)
{
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		const struct bench_bar *bar = &what->bar[i];
		u32 low = 0;

		if (!bar->bytes)
			continue;
		desc->bar_bytes[i] = bar->bytes;
		if (bar->io)
			low = PCI_BASE_ADDRESS_SPACE_IO;
		else if (bar->is_64)
			low = PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH;
		put(config, PCI_BASE_ADDRESS_0 + 4 * i, low);
	}
}

/* The list begins at 100, with a capability that nobody looks for where there is no ACS. */
static void put_extended(u8 *config, const struct bench_function *what)
{
	u32 after_ats = what->sriov.total ? (u32)BENCH_SRIOV_AT << 20 : 0;
	u32 after_acs = what->ats ? (u32)BENCH_ATS_AT << 20 : after_ats;

	if (what->acs || after_acs)
		put(config, BENCH_ACS_AT,
		    (what->acs ? PCI_EXT_CAP_ID_ACS : 0xbU) | 1U << 16 | after_acs);
	if (what->acs)
		put(config, BENCH_ACS_AT + PCI_ACS_CAP, what->acs);
	if (what->ats) {
		put(config, BENCH_ATS_AT, 0xfU | 1U << 16 | after_ats);
		put(config, BENCH_ATS_AT + 4, what->ats_bits);
	}
}

static void put_sriov(u8 *config, struct hw_function_desc *desc, const struct bench_sriov *sriov)
{
	if (!sriov->total)
		return;
	put(config, BENCH_SRIOV_AT, PCI_EXT_CAP_ID_SRIOV | 1U << 16);
	put(config, BENCH_SRIOV_AT + PCI_SRIOV_INITIAL_VF, sriov->total | (u32)sriov->total << 16);
	put(config, BENCH_SRIOV_AT + PCI_SRIOV_VF_OFFSET, sriov->offset | (u32)sriov->stride << 16);
	put(config, BENCH_SRIOV_AT + PCI_SRIOV_VF_DID - 2, 0xf00dU << 16);
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		desc->vf_bar_bytes[i] = sriov->bar_bytes[i];
		if (sriov->bar_bytes[i])
			put(config, BENCH_SRIOV_AT + PCI_SRIOV_BAR + 4 * i,
			    PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
	}
}

struct hw_function *bench_add(struct bench *bench, struct hw_bus *bus,
			      const struct bench_function *what)
{
	u8 config[PCI_CFG_SPACE_EXP_SIZE] = { 0 };
	struct hw_function_desc desc = {
		.devfn = what->devfn,
		.config = config,
		.config_bytes = sizeof(config),
		.bar_ops = what->ops,
		.bar_cookie = what->cookie,
		.tlb_entries = what->tlb_entries,
	};
	struct hw_function *function;

	put(config, PCI_VENDOR_ID, 0x5678abcd);
	put(config, PCI_CLASS_REVISION, (u32)PCI_CLASS_STORAGE_EXPRESS << 16);
	put(config, PCI_HEADER_TYPE & ~3U, what->bridge ? PCI_HEADER_TYPE_BRIDGE << 16 : 0);
	if (what->bridge)
		put(config, PCI_PREF_MEMORY_BASE,
		    PCI_PREF_RANGE_TYPE_64 << 16 | PCI_PREF_RANGE_TYPE_64);
	if (what->express_type >= 0) {
		put(config, PCI_COMMAND, (u32)PCI_STATUS_CAP_LIST << 16);
		put(config, PCI_CAPABILITY_LIST, BENCH_EXPRESS_AT);
		put(config, BENCH_EXPRESS_AT,
		    PCI_CAP_ID_EXP | 2U << 16 |
			    (u32)what->express_type << (16 + PCI_EXP_FLAGS_TYPE_SHIFT));
	}
	put_extended(config, what);
	put_sriov(config, &desc, &what->sriov);
	put_bars(config, &desc, what);
	function = hw_function_add(&bench->hw, bus, &desc);
	assert_non_null(function);
	return function;
}

struct hw_function *bench_endpoint(struct bench *bench, struct hw_bus *bus, u8 devfn, u64 address,
				   u64 bytes)
{
	struct hw_function *function = bench_add(
		bench, bus, &(struct bench_function){ .devfn = devfn, .bar = { { bytes } } });

	bench_set_bar(function, 0, address);
	bench_command(function, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return function;
}

struct hw_function *bench_port(struct bench *bench, struct hw_bus *bus,
			       const struct bench_port *port)
{
	struct hw_function *function =
		bench_add(bench, bus,
			  &(struct bench_function){
				  .devfn = port->devfn,
				  .express_type = port->express_type,
				  .bridge = true,
				  .acs = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF,
			  });

	hw_config_write(function, PCI_PRIMARY_BUS, 1, hw_bus_number(bus));
	hw_config_write(function, PCI_SECONDARY_BUS, 1, port->secondary);
	hw_config_write(function, PCI_SUBORDINATE_BUS, 1, port->subordinate);
	hw_config_write(function, PCI_MEMORY_BASE, 2, port->start >> 16);
	hw_config_write(function, PCI_MEMORY_LIMIT, 2, port->last >> 16);
	/* Base above limit: there is no prefetchable window. */
	hw_config_write(function, PCI_PREF_MEMORY_BASE, 2, 0xfff0);
	hw_config_write(function, PCI_PREF_MEMORY_LIMIT, 2, 0);
	bench_command(function, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return function;
}

void bench_command(struct hw_function *function, u16 bits)
{
	hw_config_write(function, PCI_COMMAND, 2, bits);
}

void bench_set_bar(struct hw_function *function, u32 bar, u64 address)
{
	u32 offset = PCI_BASE_ADDRESS_0 + 4 * bar;

	hw_config_write(function, offset, 4, (u32)address);
	if (function->bar[bar].is_64)
		hw_config_write(function, offset + 4, 4, (u32)(address >> 32));
}

void bench_set_acs(struct hw_function *function, u16 bits)
{
	hw_config_write(function, BENCH_ACS_AT + PCI_ACS_CTRL, 2, bits);
}

void bench_set_ats(struct hw_function *function, u16 bits)
{
	hw_config_write(function, BENCH_ATS_AT + 6, 2, bits);
}

struct bench_child bench_fork(void)
{
	struct bench_child child;
	int ends[2];

	fflush(NULL);
	assert_int_equal(pipe(ends), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		dup2(ends[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
	}
	close(ends[1]);
	child.output = ends[0];
	return child;
}

void bench_expect_broken(struct bench_child child, const char *sentence, const char *what,
			 const char *file, int line)
{
	char said[1024] = "";
	size_t length = 0;
	ssize_t got;
	int status;

	while ((got = read(child.output, said + length, sizeof(said) - 1 - length)) > 0)
		length += (size_t)got;
	close(child.output);
	waitpid(child.pid, &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, sentence))
		return;
	print_error("%s did not break the contract \"%s\" but said \"%s\"\n", what, sentence, said);
	_fail(file, line);
}
