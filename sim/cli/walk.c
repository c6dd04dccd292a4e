/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

/*
 * What --poke changed, from the first above level 0 on: so that the software finds its tables at
 * the end.
 */
struct poked {
	phys_addr_t at;
	u64 value;
};

struct bench {
	const struct walk_options *options;
	struct walk_place place;
	struct dmasim *machine;
	struct pci_dev *pdev;
	FILE *trace;
	u32 poked_count;
	struct poked poked[WALK_STEPS_MAX];
	u32 walks;
	bool after_walk; /* what comes next stands apart */
	bool negative;	 /* something did not go through */
};

/* ---- Mappings --------------------------------------------------------- */

static void print_mapping(const struct walk_step *step)
{
	printf("%s, %s", walk_size(step->bytes).text,
	       walk_permissions(step->dir != DMA_FROM_DEVICE, step->dir != DMA_TO_DEVICE));
}

/* ", 3 pages written" */
static void print_count(const char *comma, u64 count, const char *one, const char *done)
{
	if (count)
		printf("%s%llu %s%s%s", comma, count, one, count == 1 ? "" : "s", done);
}

/* The domain's tables as they are now; nobody has to ask for a translation. */
static struct dmasim_walk tables_now(const struct bench *bench)
{
	struct dmasim_walk walk;

	dmasim_walk_probe(bench->pdev, 0, false, &walk);
	return walk;
}

static void print_growth(const struct bench *bench, u64 invalidated)
{
	struct dmasim_walk now = tables_now(bench);

	printf("  the tables grew to mode %u, their top is at 0x%llx now", now.levels, now.root);
	print_count(": ", invalidated, bench->options->format->context, " invalidated");
	printf("\n");
}

static void map(struct bench *bench, const struct walk_step *step)
{
	struct dmasim_costs before = dmasim_costs(bench->machine), after;
	u8 levels = tables_now(bench).levels;
	dma_addr_t dma;

	printf("map 0x%llx to 0x%llx, ", step->iova, step->phys);
	print_mapping(step);
	bench->place.pfn = step->iova >> WALK_GRANULE_LG2;
	dma = dma_map_phys(&bench->pdev->dev, step->phys, step->bytes, step->dir, 0);
	bench->place.pfn = IOVA_NO_PFN;
	if (dma == DMA_MAPPING_ERROR) {
		printf(": failed, something is in its way in the tables\n");
		bench->negative = true;
		return;
	}
	after = dmasim_costs(bench->machine);
	print_count(": ", after.entries_written - before.entries_written, "page", " written");
	print_count(", ", after.tables_allocated - before.tables_allocated, "new table", "");
	print_count(", ", after.invalidations - before.invalidations, "invalidation", "");
	printf("\n");
	if (tables_now(bench).levels != levels)
		print_growth(bench, after.context_invalidations - before.context_invalidations);
}

static void unmap(struct bench *bench, const struct walk_step *step)
{
	struct dmasim_costs before = dmasim_costs(bench->machine), after;

	dma_unmap_phys(&bench->pdev->dev, step->iova, step->bytes, step->dir, 0);
	after = dmasim_costs(bench->machine);
	printf("unmap 0x%llx, ", step->iova);
	print_mapping(step);
	if (after.entries_cleared == before.entries_cleared)
		printf(": nothing was there to clear");
	print_count(": ", after.entries_cleared - before.entries_cleared, "page", " cleared");
	print_count(", ", after.invalidations - before.invalidations, "invalidation", "");
	print_count(", ", after.tables_freed - before.tables_freed, "table", " freed");
	printf("\n");
}

/* ---- Entries by hand -------------------------------------------------- */

/* The entry of a level that serves an IOVA; NULL: the walk does not come so far down. */
static const struct dmasim_walk_entry *find_entry(struct bench *bench, const struct walk_step *step,
						  struct dmasim_walk *walk)
{
	/* A walk ends where its kind of access is not allowed: the other may go on. */
	for (int write = 0; write < 2; write++) {
		if (dmasim_walk_probe(bench->pdev, step->iova, write, walk))
			return NULL;
		for (u32 i = 0; i < walk->entries; i++) {
			if (walk->entry[i].level == step->level && walk->entry[i].fetched)
				return &walk->entry[i];
		}
	}
	return NULL;
}

/* Little endian, as the hardware reads it. */
static void store(struct bench *bench, phys_addr_t at, u64 value)
{
	u8 bytes[8];

	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(value >> 8 * i);
	dmasim_write(bench->machine, at, bytes, sizeof(bytes));
}

static void undo_pokes(struct bench *bench)
{
	while (bench->poked_count) {
		const struct poked *poked = &bench->poked[--bench->poked_count];

		store(bench, poked->at, poked->value);
	}
}

static u64 poke_value(const struct walk_step *step, u64 value)
{
	switch (step->poke) {
	case WALK_POKE_SET:
		return value | 1ULL << step->value;
	case WALK_POKE_CLEAR:
		return value & ~(1ULL << step->value);
	default:
		return step->value;
	}
}

static void poke(struct bench *bench, const struct walk_step *step)
{
	const struct dmasim_walk_entry *entry;
	struct dmasim_walk walk;
	u64 value;

	printf("poke 0x%llx, level %u: ", step->iova, step->level);
	entry = find_entry(bench, step, &walk);
	if (!entry) {
		printf("no table of that level serves it\n");
		bench->negative = true;
		return;
	}
	value = poke_value(step, entry->value);
	/* Below one that was changed any table may be found, too. */
	if (step->level || bench->poked_count)
		bench->poked[bench->poked_count++] = (struct poked){ entry->at, entry->value };
	store(bench, entry->at, value);
	printf("the entry at 0x%llx was 0x%llx, is 0x%llx\n", entry->at, entry->value, value);
}

/* ---- Translations ----------------------------------------------------- */

static void print_way(const struct bench *bench, const struct walk_step *step)
{
	struct dmasim_route route;
	char way[1024], text[1100];

	dmasim_route(bench->pdev, step->iova, step->write, &route);
	dmasim_route_text(&route, way, sizeof(way));
	snprintf(text, sizeof(text), "no IOMMU sees the request: %s", way);
	cli_print_wrapped(2, 4, text);
}

static int translate(struct bench *bench, const struct walk_step *step, u32 time)
{
	struct dmasim_walk walk;

	printf("%s 0x%llx", step->write ? "write" : "read", step->iova);
	if (step->times > 1)
		printf(", %u of %u", time + 1, step->times);
	printf("\n");
	if (dmasim_walk(bench->pdev, step->iova, step->write, &walk))
		return cli_bad_input("walk: no memory");
	bench->walks++;
	bench->negative |= walk.fault || walk.context == DMASIM_WALK_NO_IOMMU;
	if (walk.context == DMASIM_WALK_NO_IOMMU)
		print_way(bench, step);
	else
		walk_print(bench->options, &walk, step->iova);
	return 0;
}

static int translate_all(struct bench *bench, const struct walk_step *step)
{
	int status = 0;

	for (u32 time = 0; time < step->times && !status; time++) {
		if (time)
			printf("\n");
		status = translate(bench, step, time);
	}
	return status;
}

static int run_step(struct bench *bench, const struct walk_step *step)
{
	bool walks = step->kind == WALK_STEP_IOVA;

	if (walks || bench->after_walk)
		printf("\n");
	bench->after_walk = walks;
	switch (step->kind) {
	case WALK_STEP_MAP:
		map(bench, step);
		break;
	case WALK_STEP_UNMAP:
		unmap(bench, step);
		break;
	case WALK_STEP_POKE:
		poke(bench, step);
		break;
	default:
		return translate_all(bench, step);
	}
	return 0;
}

/* ---- The machine ------------------------------------------------------ */

static void print_cache(const char *comma, const char *name, u32 entries, const char *each)
{
	if (entries)
		printf("%s%s %u%s", comma, name, entries, each);
	else
		printf("%s%s none", comma, name);
}

static void print_machine(struct bench *bench)
{
	const struct walk_options *options = bench->options;
	const struct walk_format *format = options->format;

	printf("%s, ", format->title);
	if (format->levels_first)
		printf("%u levels that grow to %u", format->levels_first, options->levels);
	else
		printf("%u levels", options->levels);
	printf("; device %s\n", pci_name(bench->pdev));
	print_cache("entries of caches: ", "IOTLB", options->iotlb_entries, "");
	print_cache(", ", "walk cache", options->walk_entries, " for each level");
	print_cache(", ", format->context_cache, options->context_entries, "");
	printf("\n");
	bench->after_walk = true;
}

static void print_total(const struct bench *bench)
{
	struct dmasim_costs costs = dmasim_costs(bench->machine);
	u64 walk_hits = 0;

	for (u32 level = 0; level < sizeof(costs.walk_hits) / sizeof(costs.walk_hits[0]); level++)
		walk_hits += costs.walk_hits[level];
	printf("\n%u translations: %llu by the IOTLB, %llu by walks, %llu of them from a cached "
	       "table; %llu %s read\n",
	       bench->walks, costs.iotlb_hits, costs.iotlb_misses, walk_hits, costs.walk_reads,
	       costs.walk_reads == 1 ? "entry" : "entries");
}

/* Where the software would never map. */
static int check_places(const struct bench *bench)
{
	for (u32 i = 0; i < bench->options->step_count; i++) {
		const struct walk_step *step = &bench->options->step[i];
		const struct iova_range *range;

		if (step->kind != WALK_STEP_MAP)
			continue;
		range = walk_place_reserved(&bench->place, step->iova, step->bytes);
		if (range)
			return cli_bad_input("walk: 0x%llx to 0x%llx is reserved: nothing is "
					     "mapped there",
					     range->first_pfn << WALK_GRANULE_LG2,
					     (range->last_pfn << WALK_GRANULE_LG2) + 0xfff);
	}
	return 0;
}

static int run(struct bench *bench)
{
	const struct walk_options *options = bench->options;
	int status = check_places(bench);

	if (status)
		return status;
	print_machine(bench);
	for (u32 i = 0; i < options->step_count && !status; i++)
		status = run_step(bench, &options->step[i]);
	if (status)
		return status;
	if (bench->walks > 1)
		print_total(bench);
	return bench->negative ? CLI_NEGATIVE : CLI_DONE;
}

static struct dmasim *make_machine(struct bench *bench)
{
	const struct walk_options *options = bench->options;

	return dmasim_create(&(struct dmasim_config){
		DMASIM_CONFIG,
		.iommu = options->format->iommu,
		.iommu_levels = (u8)options->levels,
		.iommu_no_1g = options->unit.no_1g,
		.iommu_snoop = options->unit.snoop,
		.iommu_caching_mode = options->caching_mode,
		.iommu_device_tlb = options->unit.device_tlb,
		.iotlb_entries = options->iotlb_entries,
		.iotlb_ways = options->iotlb_entries < 4 ? options->iotlb_entries : 4,
		.walk_entries = options->walk_entries,
		.context_entries = options->context_entries,
		.seed = options->seed ? options->seed : 1,
		.random_choices = options->seed,
		.trace = bench->trace,
		.no_check = true, /* what is wrong is shown, and judged by who looks */
		.iova_ops = &bench->place.ops,
		.forcedac = true,
	});
}

static int with_machine(struct bench *bench)
{
	int status;

	walk_place_init(&bench->place);
	bench->machine = make_machine(bench);
	if (!bench->machine)
		return cli_bad_input("walk: no memory");
	bench->pdev = dmasim_add_endpoint(bench->machine, "00:01.0/00.0",
					  &(struct dmasim_endpoint){ .bar = { 0 } });
	if (bench->pdev && !dma_set_mask_and_coherent(&bench->pdev->dev, ~0ULL) &&
	    dmasim_group(bench->pdev) >= 0)
		status = run(bench);
	else
		status = cli_bad_input("walk: no memory");
	undo_pokes(bench);
	dmasim_destroy(bench->machine);
	return status;
}

/* ---- The command ------------------------------------------------------ */

static int with_trace(struct bench *bench)
{
	const char *name = bench->options->trace_name;
	bool lost;
	int status;

	if (!name)
		return with_machine(bench);
	bench->trace = fopen(name, "w");
	if (!bench->trace)
		return cli_bad_input("walk: cannot write %s: %s", name, strerror(errno));
	status = with_machine(bench);
	errno = 0;
	lost = fflush(bench->trace) || ferror(bench->trace);
	lost |= fclose(bench->trace) != 0;
	if (!lost || status == CLI_BAD_INPUT)
		return status;
	return cli_bad_input("walk: cannot write %s: %s", name,
			     errno ? strerror(errno) : "not all was written");
}

static int print_all_entries(const struct walk_options *options)
{
	int status = CLI_DONE;

	for (u32 i = 0; i < options->step_count; i++) {
		const struct walk_step *step = &options->step[i];

		if (i)
			printf("\n");
		if (walk_print_entry(options->format, &options->unit, step->level, step->value))
			status = CLI_NEGATIVE;
	}
	return status;
}

static int act(const struct walk_options *options)
{
	struct bench bench = { .options = options };

	if (options->bits) {
		walk_print_bits(options->format);
		return CLI_DONE;
	}
	if (options->step[0].kind == WALK_STEP_ENTRY)
		return print_all_entries(options);
	return with_trace(&bench);
}

int cli_walk(int argc, char **argv)
{
	struct walk_options *options = calloc(1, sizeof(*options));
	int status;

	if (!options)
		return cli_bad_input("walk: no memory");
	options->format = &walk_vtdss;
	options->iotlb_entries = 64;
	options->walk_entries = 16;
	options->context_entries = 16;
	status = walk_read_arguments(argc, argv, options);
	if (status < 0)
		status = act(options);
	free(options);
	return status;
}
