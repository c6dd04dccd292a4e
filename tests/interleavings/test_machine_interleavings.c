/* SPDX-License-Identifier: MIT */
/*
 * Two CPUs that map and unmap for the same device, on a whole machine with the checker on: each
 * interleaving with so many preemptions, with each allocator, strict and lazy. Nothing is reported,
 * each device write lands in its CPU's buffer, and nothing leaks.
 *
 * A failure prints DMASIM_CHOICES=..., which runs that interleaving alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "property/seeds.h"
#include "support/expect.h"

#define CPUS	    2
#define MS	    1000000ULL
#define TEXT_MAX    4096
#define CHOICES_MAX 1024

struct mapper {
	struct pci_dev *pdev;
	phys_addr_t phys;
	u8 byte;
	u32 maps;
	u32 failures; /* judged when all CPUs have ended */
};

/* What a driver does on each CPU, in each of the ways there are. */
static void map_page(struct dmasim *s, void *context)
{
	struct mapper *mapper = context;
	struct device *dev = &mapper->pdev->dev;

	for (u32 i = 0; i < mapper->maps; i++) {
		struct page *page = dmasim_page(s, mapper->phys);
		dma_addr_t dma = dma_map_page(dev, page, 0, SZ_4K, DMA_FROM_DEVICE);

		if (dma_mapping_error(dev, dma)) {
			mapper->failures++;
			continue;
		}
		if (dmasim_dev_write(mapper->pdev, dma + i, &mapper->byte, 1).done != 1)
			mapper->failures++;
		dma_unmap_page(dev, dma, SZ_4K, DMA_FROM_DEVICE);
	}
}

static void map_list(struct dmasim *s, void *context)
{
	struct mapper *mapper = context;
	struct device *dev = &mapper->pdev->dev;

	for (u32 i = 0; i < mapper->maps; i++) {
		struct scatterlist sg[2];

		sg_init_table(sg, 2);
		for (u32 k = 0; k < 2; k++)
			sg_set_page(&sg[k], dmasim_page(s, mapper->phys + k * SZ_4K), SZ_4K, 0);
		if (dma_map_sg(dev, sg, 2, DMA_FROM_DEVICE) <= 0) {
			mapper->failures++;
			continue;
		}
		if (dmasim_dev_write(mapper->pdev, sg_dma_address(sg) + i, &mapper->byte, 1).done !=
		    1)
			mapper->failures++;
		dma_unmap_sg(dev, sg, 2, DMA_FROM_DEVICE);
	}
}

static void link_in_two_steps(struct dmasim *s, void *context)
{
	struct mapper *mapper = context;
	struct device *dev = &mapper->pdev->dev;

	(void)s;
	for (u32 i = 0; i < mapper->maps; i++) {
		struct dma_iova_state state;

		if (!dma_iova_try_alloc(dev, &state, mapper->phys, SZ_4K) ||
		    dma_iova_link(dev, &state, mapper->phys, 0, SZ_4K, DMA_FROM_DEVICE, 0) ||
		    dma_iova_sync(dev, &state, 0, SZ_4K)) {
			mapper->failures++;
			continue;
		}
		if (dmasim_dev_write(mapper->pdev, state.addr + i, &mapper->byte, 1).done != 1)
			mapper->failures++;
		dma_iova_destroy(dev, &state, SZ_4K, DMA_FROM_DEVICE, 0);
	}
}

struct scene {
	struct dmasim_config config;
	void (*run)(struct dmasim *s, void *context);
	u32 maps; /* of each CPU */
	u32 timers;
	u32 quick; /* preemptions, at a tenth of the full counts; below it is 1 */
	u32 full;
};

static u32 preemptions_of(const struct scene *scene)
{
	if (scaled(100) >= 100)
		return scene->full;
	return scaled(100) >= 10 ? scene->quick : 1;
}

static void judge(struct dmasim *s, const struct mapper *mapper)
{
	for (u32 cpu = 0; cpu < CPUS; cpu++) {
		const u8 *at = dmasim_ptr(s, mapper[cpu].phys, SZ_4K);

		expect_u64(mapper[cpu].failures, 0);
		assert_non_null(at);
		for (u32 i = 0; i < mapper[cpu].maps; i++)
			expect_u64(at[i], mapper[cpu].byte);
	}
}

/* What a run told; "": nothing. */
struct told {
	char text[TEXT_MAX];
	char choices[CHOICES_MAX];
};

static void run_once(const struct scene *scene, const struct dmasim_schedule *how,
		     struct told *told)
{
	struct dmasim *s = dmasim_create(&scene->config);
	struct pci_dev *pdev = dmasim_add_endpoint(
		s, "00:01.0/00.0",
		&(struct dmasim_endpoint){ .bar = { SZ_4K },
					   .ats = scene->config.iommu_device_tlb });
	struct mapper mapper[CPUS];
	struct dmasim_task task[CPUS];

	assert_non_null(pdev);
	for (u32 cpu = 0; cpu < CPUS; cpu++) {
		mapper[cpu] = (struct mapper){ pdev, dmasim_alloc(s, 2 * SZ_4K), (u8)(0x50 + cpu),
					       scene->maps, 0 };
		task[cpu] = (struct dmasim_task){ scene->run, &mapper[cpu] };
	}
	expect_ok(dmasim_run_cpus(s, task, CPUS, how));
	told->text[0] = '\0';
	snprintf(told->choices, sizeof(told->choices), "%s", dmasim_choices(s));
	if (!dmasim_check_clean(s, told->text, sizeof(told->text))) {
		judge(s, mapper);
		dmasim_run(s, 20 * MS);
		dmasim_check_clean(s, told->text, sizeof(told->text));
	}
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		dmasim_free(s, mapper[cpu].phys, 2 * SZ_4K);
	expect_u64(dmasim_destroy(s), 0);
}

/* The first interleaving in which something is told; all are explored if there is none. */
static u64 explore(const struct scene *scene, u32 preemptions, struct told *told)
{
	struct dmasim_explorer *explorer = dmasim_explorer_create(preemptions);
	struct dmasim_schedule how = { .explorer = explorer, .timers = scene->timers };
	u64 runs;

	assert_non_null(explorer);
	told->text[0] = '\0';
	while (!told->text[0] && dmasim_explorer_next(explorer))
		run_once(scene, &how, told);
	if (!told->text[0])
		assert_true(dmasim_explorer_complete(explorer) || getenv("DMASIM_CHOICES"));
	runs = dmasim_explorer_runs(explorer);
	dmasim_explorer_destroy(explorer);
	return runs;
}

/* trust: CPUs that map and unmap at once, in each order | an independent model: the checker */
static void nothing_is_reported_in_any_order(void **state)
{
	const struct scene *scene = *state;
	u32 preemptions = preemptions_of(scene);
	struct told told;
	u64 runs = explore(scene, preemptions, &told);

	if (told.text[0])
		fail_msg("DMASIM_CHOICES=%s\n%s", told.choices, told.text);
	print_message("# %llu interleavings with %u preemptions at most\n", runs, preemptions);
}

/*
 * The same with the flush queue's rule off by one: an interleaving is found, and its line of
 * choices tells the same again.
 */
static void a_rule_that_is_off_by_one_is_reported(void **state)
{
	const struct scene scene = {
		{ DMASIM_CONFIG, .cpus = 3, .ram_bytes = SZ_64M, .policy = DMASIM_LAZY,
		  .iova_ops = dmasim_iova_exact(), .bugs = DMASIM_BUG(FQ_RECYCLE_EARLY) },
		.run = map_page,
		.maps = 2,
		.timers = 1,
	};
	struct told told, again;

	(void)state;
	explore(&scene, 1, &told);
	assert_non_null(strstr(told.text, "name=stale-translation"));
	run_once(&scene, &(struct dmasim_schedule){ .choices = told.choices, .timers = 1 }, &again);
	assert_string_equal(again.text, told.text);
	assert_string_equal(again.choices, told.choices);
}

#define SCENE(mode, allocator, run, maps, timers, quick, full, ...)                           \
	{                                                                                     \
		"nothing_is_reported_in_any_order__" #mode "_" #allocator "_" #run "_" #maps, \
			nothing_is_reported_in_any_order, NULL, NULL, &(struct scene)         \
		{                                                                             \
			{ DMASIM_CONFIG, .cpus = 3, .ram_bytes = SZ_64M,                      \
			  .iova_ops = dmasim_iova_##allocator(), __VA_ARGS__ },               \
				run, maps, timers, quick, full                                \
		}                                                                             \
	}

TEST_MAIN(cmocka_unit_test(a_rule_that_is_off_by_one_is_reported),
	  SCENE(lazy, linux, map_page, 1, 1, 2, 3, .policy = DMASIM_LAZY),
	  SCENE(lazy, linux, map_page, 2, 1, 1, 2, .policy = DMASIM_LAZY),
	  SCENE(lazy, exact, map_page, 2, 1, 1, 2, .policy = DMASIM_LAZY),
	  SCENE(lazy, bitmap, map_page, 2, 1, 1, 2, .policy = DMASIM_LAZY),
	  SCENE(single_queue, linux, map_page, 2, 1, 1, 2, .policy = DMASIM_LAZY,
		.iommu_shadow_on_flush = true),
	  SCENE(strict, linux, map_page, 2, 0, 2, 3, .policy = DMASIM_STRICT),
	  /* Commands run late: one CPU waits while others submit theirs. */
	  SCENE(strict_late, linux, map_page, 2, 0, 2, 3, .policy = DMASIM_STRICT,
		.random_choices = true, .seed = 11),
	  SCENE(strict_device_tlb, linux, map_page, 2, 0, 2, 3, .policy = DMASIM_STRICT,
		.iommu_device_tlb = true, .random_choices = true, .seed = 12),
	  SCENE(lazy_device_tlb, exact, map_list, 2, 1, 1, 2, .policy = DMASIM_LAZY,
		.iommu_device_tlb = true, .random_choices = true, .seed = 13),
	  SCENE(lazy, exact, map_list, 2, 1, 1, 2, .policy = DMASIM_LAZY),
	  SCENE(strict, exact, map_list, 2, 1, 1, 2, .policy = DMASIM_STRICT),
	  SCENE(lazy, linux, link_in_two_steps, 2, 0, 1, 2, .policy = DMASIM_LAZY),
	  SCENE(strict, bitmap, link_in_two_steps, 2, 0, 1, 2, .policy = DMASIM_STRICT))
