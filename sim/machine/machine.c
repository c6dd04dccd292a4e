/* SPDX-License-Identifier: MIT */
#include "machine/machine.h"
#include "machine/arch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#define LOW_RAM_BYTES  (1ULL << 30)
#define HIGH_RAM_START (4ULL << 30)
/* The first MiB of a PC is not the allocator's. */
#define FIRST_FRAME    (1ULL << 20)

/* 1 GiB at 0, the rest from 4 GiB up. 0 or -ENOMEM. */
static int add_ram(struct dmasim *s)
{
	u64 bytes = s->config.ram_bytes;
	u64 low = bytes < LOW_RAM_BYTES ? bytes : LOW_RAM_BYTES;
	int err;

	ram_add_range(&s->hw.ram, 0, low);
	err = frames_add(&s->hw.frames, FIRST_FRAME, low - FIRST_FRAME);
	if (err || bytes == low)
		return err;
	ram_add_range(&s->hw.ram, HIGH_RAM_START, bytes - low);
	return frames_add(&s->hw.frames, HIGH_RAM_START, bytes - low);
}

int machine_place_high_ram(struct dmasim *s, phys_addr_t start, struct frame_list *before)
{
	struct ram_range *high = &s->hw.ram.range[1];
	int err;

	LIST_INIT(before);
	if (s->hw.ram.range_count < 2 || high->start == start)
		return 0;
	err = frames_prepare(&s->hw.frames, start, high->bytes, before);
	if (!err)
		machine_put_high_ram_back(s, start, before);
	return err;
}

void machine_put_high_ram_back(struct dmasim *s, phys_addr_t start, struct frame_list *before)
{
	struct ram_range *high = &s->hw.ram.range[1];

	if (s->hw.ram.range_count < 2 || high->start == start)
		return;
	frames_move(&s->hw.frames, high->start, start, high->bytes, before);
	high->start = start;
}

/* A program's own allocator may have any name. */
static const char *iova_word(const struct iova_allocator_ops *ops)
{
	if (!ops)
		ops = dmasim_iova_linux();
	return dmasim_iova_by_name(ops->name) == ops ? ops->name : "own";
}

static void write_header(struct dmasim *s)
{
	const struct dmasim_config *config = &s->config;
	static const char *const policies[] = { "strict", "lazy", "pass-through" };
	static const char *const pools[] = { "auto", "off", "force" };
	char line[512];
	struct text text;

	text_init(&text, line, sizeof(line));
	text_add(&text, "# dmasim-trace v=%d seed=0x%llx iommu=%s levels=%u ram=%llu",
		 DMASIM_TRACE_VERSION, config->seed, machine_arch(config->iommu)->name,
		 config->iommu_levels, config->ram_bytes);
	text_add(&text, " iotlb=%u coherent=%d snoop=%d windows=%d choices=%s",
		 config->iotlb_entries, !config->iommu_incoherent, config->iommu_snoop,
		 !config->hide_windows, config->random_choices ? "random" : "plain");
	text_add(&text, " policy=%s cpus=%u swiotlb=%s pool=%llu kmalloc=%d debug=%d bugs=0x%x",
		 policies[config->policy], config->cpus, pools[config->swiotlb],
		 config->swiotlb_bytes, config->bounce_kmalloc, config->dma_debug, config->bugs);
	if (config->iommu_shadow_on_flush)
		text_add(&text, " shadow=1");
	if (config->iommu_caching_mode)
		text_add(&text, " cm=1");
	if (config->no_check)
		text_add(&text, " check=0");
	if (config->report_unchecked)
		text_add(&text, " unchecked=1");
	if (config->report_lazy_pages)
		text_add(&text, " lazypages=1");
	if (config->no_watch)
		text_add(&text, " watch=0");
	else if (config->watch_bytes != MACHINE_WATCH_BYTES)
		text_add(&text, " watch=%llu", config->watch_bytes);
	if (config->iommu_device_tlb)
		text_add(&text, " dt=1");
	if (config->iommu_scalable)
		text_add(&text, " scalable=1");
	if (config->iommu_first_stage)
		text_add(&text, " first=1");
	if (config->smmu_no_range)
		text_add(&text, " ranges=0");
	if (config->riscv_without)
		text_add(&text, " without=0x%x", config->riscv_without);
	if (config->pgtable_format)
		text_add(&text, " tables=own");
	if (config->iotlb_ways != IOTLB_WAYS)
		text_add(&text, " ways=%u", config->iotlb_ways);
	if (config->walk_entries)
		text_add(&text, " walks=%u", config->walk_entries);
	if (config->context_entries)
		text_add(&text, " contexts=%u", config->context_entries);
	if (config->group_policy)
		text_add(&text, " groups=strict");
	if (config->acs_enable)
		text_add(&text, " acs=on");
	if (config->forwarding)
		text_add(&text, " forwarding=%s",
			 config->forwarding == DMASIM_FORWARDING_ALL ? "all" : "none");
	text_add(&text, " iova=%s repairs=0x%x forcedac=%d", iova_word(config->iova_ops),
		 config->iova_repairs, config->forcedac);
	trace_header(&s->world.trace, line);
}

static void wire(struct dmasim *s)
{
	const struct dma_debug_config debug = machine_dma_debug(s);

	s->hw.trace_hops = s->config.trace_hops;
	check_init(&s->check, &s->world, &s->hw, !s->config.no_check, &debug);
	s->check.kinds.of_host = machine_host_kind;
	s->check.kinds.cookie = s;
	s->check.has_freed = kernel_has_freed;
	s->check.report_unchecked = s->config.report_unchecked;
	s->check.report_lazy_pages = s->config.report_lazy_pages;
	s->hw.hooks = (struct hw_hooks){
		.cookie = &s->check,
		.access = check_access,
		.refused = check_refused,
		.filled = check_filled,
		.submitted = check_submitted,
		.invalidated = check_invalidated,
		.waited = check_waited,
		.ats_off = check_ats_off,
		.timed_out = check_timed_out,
		.queue_error = check_queue_error,
	};
	cpu_init(&s->check, &(struct cpu_config){
				    .compares = !s->config.no_watch,
				    .compared = s->config.watch_bytes,
				    .guards_reads = s->config.poison == DMASIM_POISON_ALL,
				    .guard = machine_guard(s->config.poison),
			    });
	port_init(s);
	s->world.trace.cpu = &s->platform.cpu;
}

static struct os_config os_config_of(struct dmasim *s)
{
	static const enum os_policy policies[] = {
		[DMASIM_STRICT] = OS_STRICT,
		[DMASIM_LAZY] = OS_LAZY,
		[DMASIM_PASS_THROUGH] = OS_PASS_THROUGH,
	};
	static const enum os_swiotlb_mode modes[] = {
		[DMASIM_SWIOTLB_AUTO] = OS_SWIOTLB_AUTO,
		[DMASIM_SWIOTLB_OFF] = OS_SWIOTLB_OFF,
		[DMASIM_SWIOTLB_FORCE] = OS_SWIOTLB_FORCE,
	};
	const struct dmasim_config *config = &s->config;

	return (struct os_config){
		.platform = &s->platform,
		.policy = policies[config->policy],
		.cpus = config->cpus,
		.swiotlb_mode = modes[config->swiotlb],
		.swiotlb_bytes = config->swiotlb_bytes,
		.swiotlb_areas = config->swiotlb_areas,
		.bounce_kmalloc = config->bounce_kmalloc,
		.dma_debug = config->dma_debug,
		.bugs = config->bugs,
		.pgtable_format = config->pgtable_format,
		.iova_ops = config->iova_ops,
		.iova_repairs = config->iova_repairs,
		.forcedac = config->forcedac,
		.group_policy = config->group_policy,
		.acs_enable = config->acs_enable,
		.disable_acs_redir = config->disable_acs_redir,
		.config_acs = config->config_acs,
	};
}

struct dmasim *dmasim_create(const struct dmasim_config *config)
{
	struct dmasim_config complete;
	struct os_config os;
	struct dmasim *s;

	machine_read_config(&complete, config);
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->config = complete;
	world_init(&s->world, &(struct world_config){
				      .seed = s->config.seed,
				      .program = getprogname(),
				      .random_choices = s->config.random_choices,
				      .trace_file = s->config.trace,
				      .trace = s->config.trace_hash,
			      });
	hw_init(&s->hw, &s->world);
	SLIST_INIT(&s->direct_regions);
	STAILQ_INIT(&s->records);
	kernel_init(s);
	s->next_adopted = 1ULL << (machine_address_bits(machine_arch(complete.iommu)) - 1);
	s->cpu_vendor = machine_cpu_vendor(s->config.cpu);
	s->cpu_family = s->config.cpu_family;
	wire(s);
	write_header(s);
	os = os_config_of(s);
	s->os = os_create(&os);
	if (!s->os || add_ram(s) || firmware_describe(s) || machine_read_suppressions(s)) {
		dmasim_destroy(s);
		return NULL;
	}
	machine_tell_reports(s);
	return s;
}

/* What only the software allocates: after it is gone, whatever is left was leaked. */
static u64 software_leaks(const struct dmasim *s)
{
	static const enum dmasim_fault_point points[] = {
		DMASIM_FAULT_OS,	  DMASIM_FAULT_PCI_DEV,	     DMASIM_FAULT_PAGE_SECTION,
		DMASIM_FAULT_IOMMU_GROUP, DMASIM_FAULT_IOMMU_DOMAIN, DMASIM_FAULT_IOMMU_QUEUE,
		DMASIM_FAULT_TABLE_PAGE,  DMASIM_FAULT_IOVA_DOMAIN,  DMASIM_FAULT_IOVA_NODE,
		DMASIM_FAULT_IOVA_RECORD, DMASIM_FAULT_P2P_POOL,     DMASIM_FAULT_P2P_PROVIDER,
		DMASIM_FAULT_P2P_VERDICT, DMASIM_FAULT_P2P_TABLE,    DMASIM_FAULT_FLUSH_QUEUE,
		DMASIM_FAULT_SWIOTLB,	  DMASIM_FAULT_COHERENT,     DMASIM_FAULT_DMA_POOL,
		DMASIM_FAULT_KMALLOC,	  DMASIM_FAULT_DRIVER,
	};
	u64 leaks = 0;

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		leaks += s->world.memory.live[points[i]] + s->hw.frames.in_use[points[i]];
	return leaks;
}

/*
 * A test that failed has jumped out of the software, which is then not fit to shut down: its memory
 * goes with the machine's, and what it leaked nobody knows.
 */
static bool was_left(const struct dmasim *s)
{
	const struct schedule *schedule = s->world.schedule;

	return s->world.reports.telling || s->platform.locks_held || (schedule && schedule->jumped);
}

u64 dmasim_destroy(struct dmasim *s)
{
	u64 leaks = 0;
	bool left;

	if (!s)
		return 0;
	DMASIM_CONTRACT(!machine_cpus_run(s), "a task does not end its machine");
	machine_tell_no_reports(s);
	left = was_left(s);
	machine_schedule_fini(s);
	check_let_go(&s->check);
	kernel_fini(s);
	if (!left) {
		os_destroy(s->os);
		leaks = software_leaks(s);
	}
	check_fini(&s->check);
	lint_fini(s);
	firmware_fini(s);
	import_records_fini(&s->world.memory, &s->records);
	hw_fini(&s->hw);
	world_fini(&s->world);
	free(s);
	return leaks;
}

void machine_must_be_cold(const struct dmasim *s)
{
	machine_exists(s);
	DMASIM_CONTRACT(!s->os->started,
			"hardware is added before the first mapping or access of a device");
}

bool machine_start(struct dmasim *s)
{
	return !os_start(s->os);
}

u64 dmasim_seed(const struct dmasim *s)
{
	machine_exists(s);
	return s->config.seed;
}

u64 dmasim_random(struct dmasim *s, u64 bound)
{
	machine_exists(s);
	DMASIM_CONTRACT(bound, "a random number has a bound of at least 1");
	return random_below(&s->world.random, bound);
}

void dmasim_set_cpu(struct dmasim *s, u32 cpu)
{
	machine_exists(s);
	DMASIM_CONTRACT(!machine_cpus_run(s), "a task stays on its CPU");
	DMASIM_CONTRACT(cpu < s->config.cpus, "a CPU that exists runs");
	s->platform.cpu = cpu;
}

void dmasim_run(struct dmasim *s, u64 ns)
{
	machine_exists(s);
	DMASIM_CONTRACT(!machine_cpus_run(s), "a task lets no time pass");
	clock_run(&s->world.clock, ns);
}

u64 dmasim_now(const struct dmasim *s)
{
	machine_exists(s);
	return s->world.clock.now_ns;
}

struct dmasim_costs dmasim_costs(const struct dmasim *s)
{
	const struct pgtable_costs *tables;
	const struct os_costs *os;
	const struct hw_costs *hw;

	machine_exists(s);
	tables = &s->os->tables.costs;
	os = &s->os->costs;
	hw = &s->hw.costs;
	return (struct dmasim_costs){
		.entries_written = tables->entries_written,
		.entries_cleared = tables->entries_cleared,
		.tables_allocated = tables->tables_allocated,
		.tables_freed = tables->tables_freed,
		.iova_allocs = os->iova_allocs,
		.invalidations = hw->invalidations,
		.context_invalidations = hw->context_invalidations,
		.tlps = hw->tlps,
		.walk_reads = hw->walk_reads,
		.walk_hits = { hw->walk_hits[0], hw->walk_hits[1], hw->walk_hits[2],
			       hw->walk_hits[3], hw->walk_hits[4] },
		.context_hits = hw->context_hits,
		.context_misses = hw->context_misses,
		.pasid_hits = hw->pasid_hits,
		.pasid_misses = hw->pasid_misses,
		.pasid_invalidations = hw->pasid_invalidations,
		.iotlb_hits = hw->iotlb_hits,
		.iotlb_misses = hw->iotlb_misses,
		.ats_requests = hw->ats_requests,
		.device_tlb_hits = hw->device_tlb_hits,
		.device_tlb_misses = hw->device_tlb_misses,
		.device_tlb_invalidations = hw->device_tlb_invalidations,
		.device_tlb_timeouts = hw->device_tlb_timeouts,
		.interrupts = hw->interrupts,
	};
}

struct dmasim_lazy_windows dmasim_lazy_windows(const struct dmasim *s)
{
	const struct cached_windows *windows;

	machine_exists(s);
	windows = &s->check.cached.windows;
	return (struct dmasim_lazy_windows){
		.count = windows->count,
		.open = windows->open,
		.longest_ns = windows->longest_ns,
		.total_ns = windows->total_ns,
		.pages_reused = windows->pages_reused,
	};
}

u64 dmasim_trace_hash(const struct dmasim *s)
{
	machine_exists(s);
	DMASIM_CONTRACT(s->world.trace.on, "the configuration asks for a trace or its hash");
	return s->world.trace.hash;
}

u64 dmasim_point_passes(const struct dmasim *s, enum dmasim_point point)
{
	machine_exists(s);
	DMASIM_CONTRACT(s->config.count_points, "the configuration asks for preemption points");
	return s->world.points[point];
}

const char *dmasim_point_name(enum dmasim_point point)
{
	static const char *const names[] = {
#define POINT_NAME(id, name, text) name,
		DMASIM_POINTS(POINT_NAME)
#undef POINT_NAME
	};

	return point < DMASIM_POINT_COUNT ? names[point] : NULL;
}

void dmasim_fail(struct dmasim *s, enum dmasim_fault_point point, u64 nth)
{
	machine_exists(s);
	DMASIM_CONTRACT(point <= DMASIM_FAULT_ANY, "a fault point that exists fails");
	s->platform.mapping_fails = 0;
	if (point == DMASIM_FAULT_MAPPING && nth)
		s->platform.mapping_fails = s->platform.mappings + nth;
	memory_fail(&s->world.memory, (struct memory_plan){ point, nth });
}

u64 dmasim_failures(const struct dmasim *s)
{
	machine_exists(s);
	return s->world.memory.hits +
	       (s->platform.mapping_fails && s->platform.mappings >= s->platform.mapping_fails);
}

u64 dmasim_fault_passes(const struct dmasim *s, enum dmasim_fault_point point)
{
	machine_exists(s);
	DMASIM_CONTRACT(point <= DMASIM_FAULT_ANY, "a fault point that exists is passed");
	return point == DMASIM_FAULT_MAPPING ? s->platform.mappings : s->world.memory.passes[point];
}

const char *dmasim_fault_name(enum dmasim_fault_point point)
{
	static const char *const names[] = {
#define FAULT_NAME(id, name, text) name,
		DMASIM_FAULT_POINTS(FAULT_NAME)
#undef FAULT_NAME
	};

	return point < DMASIM_FAULT_COUNT ? names[point] : "any";
}

u64 dmasim_in_use(const struct dmasim *s, enum dmasim_fault_point point)
{
	machine_exists(s);
	DMASIM_CONTRACT(point < DMASIM_FAULT_COUNT, "memory is in use for one point");
	return s->world.memory.live[point] + s->hw.frames.in_use[point];
}
