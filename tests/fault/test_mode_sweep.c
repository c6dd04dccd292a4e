/* SPDX-License-Identifier: MIT */
/*
 * Every call in every mode, with every allocation on its way failing in turn.
 *
 * Each case maps, lets the device move a byte, and unmaps. While an allocation fails the call gives
 * Linux's error value or does without; then the same call succeeds on the same machine; in the end
 * nothing is mapped, lent or leaked.
 */
#include <stdlib.h>

#include "support/rig.h"
#include "support/scale.h"

#define BYTES	3000 /* neither begins nor ends on a page */
#define OFFSET	0x234
#define NTH_MAX 300

struct mode {
	const char *name;
	struct dmasim_config config;
	u64 mask; /* 0: 64 bits */
	bool high_memory;
	unsigned int size; /* 0: BYTES */
};

#define MODE(words, ...)                                                                        \
	{                                                                                       \
		.name = words, .config = { DMASIM_CONFIG, .swiotlb_bytes = SZ_1M, __VA_ARGS__ } \
	}

static const struct mode modes[] = {
	MODE("no IOMMU", .iommu = DMASIM_NO_IOMMU),
	{ .name = "high memory for a 32-bit device",
	  .config = { DMASIM_CONFIG, .swiotlb_bytes = SZ_1M, .iommu = DMASIM_NO_IOMMU },
	  .mask = DMA_BIT_MASK(32),
	  .high_memory = true },
	MODE("pass-through", .policy = DMASIM_PASS_THROUGH),
	MODE("strict", .policy = DMASIM_STRICT),
	MODE("lazy", .policy = DMASIM_LAZY),
	MODE("untrusted", .traits.untrusted = true),
	MODE("forced bounce", .iommu = DMASIM_NO_IOMMU, .swiotlb = DMASIM_SWIOTLB_FORCE),
	MODE("restricted pool", .iommu = DMASIM_NO_IOMMU, .traits.pool_bytes = SZ_1M),
	MODE("not snooping", .iommu = DMASIM_NO_IOMMU, .traits.no_snoop = true),
	MODE("not snooping, strict", .traits.no_snoop = true),
	MODE("not snooping, untrusted", .traits = { .untrusted = true, .no_snoop = true }),
	{ .name = "small buffers of a device that does not snoop",
	  .config = { DMASIM_CONFIG, .swiotlb_bytes = SZ_1M, .traits.no_snoop = true,
		      .bounce_kmalloc = true },
	  .size = 40 },
	MODE("caching mode and small caches, strict", .iommu_caching_mode = true,
	     .iotlb_entries = 2, .iotlb_ways = 1, .context_entries = 1, .walk_entries = 1),
	MODE("caching mode, lazy", .iommu_caching_mode = true, .policy = DMASIM_LAZY),
	MODE("AMD-Vi, whose tables grow", .iommu = DMASIM_AMD_VI, .iommu_levels = 6,
	     .forcedac = true),
	MODE("AMD-Vi, lazy", .iommu = DMASIM_AMD_VI, .policy = DMASIM_LAZY),
	MODE("AMD-Vi with NpCache and small caches", .iommu = DMASIM_AMD_VI,
	     .iommu_caching_mode = true, .iotlb_entries = 2, .iotlb_ways = 1, .context_entries = 1,
	     .walk_entries = 1),
	MODE("RISC-V without windows and NL, and small caches", .iommu = DMASIM_RISCV,
	     .riscv_without = DMASIM_RISCV_S | DMASIM_RISCV_NL, .iommu_device_tlb = true,
	     .iotlb_entries = 2, .iotlb_ways = 1, .context_entries = 1, .walk_entries = 1),
	MODE("RISC-V of five levels, lazy", .iommu = DMASIM_RISCV, .iommu_levels = 5,
	     .forcedac = true, .policy = DMASIM_LAZY),
	MODE("SMMUv3 without ranges, and small caches", .iommu = DMASIM_SMMUV3,
	     .smmu_no_range = true, .iommu_device_tlb = true, .iotlb_entries = 2, .iotlb_ways = 1,
	     .context_entries = 1, .walk_entries = 1),
	MODE("SMMUv3 of three levels, lazy", .iommu = DMASIM_SMMUV3, .iommu_levels = 3,
	     .policy = DMASIM_LAZY),
	MODE("scalable mode", .iommu_scalable = true, .pasid_entries = 1),
	MODE("device TLB, strict", .iommu_device_tlb = true),
	MODE("device TLB, lazy", .iommu_device_tlb = true, .policy = DMASIM_LAZY),
	MODE("five levels", .iommu_levels = 5, .forcedac = true),
	MODE("first stage, strict", .iommu_scalable = true, .iommu_first_stage = true,
	     .iommu_caching_mode = true, .iotlb_entries = 2, .iotlb_ways = 1, .pasid_entries = 1,
	     .walk_entries = 1),
	MODE("first stage of five levels, lazy", .iommu_scalable = true, .iommu_first_stage = true,
	     .iommu_levels = 5, .forcedac = true, .policy = DMASIM_LAZY),
};

struct stage {
	struct dmasim *s;
	struct pci_dev *pdev;
	struct device *dev;
	phys_addr_t buffer;
	u8 *own; /* memory of the program, adopted */
	unsigned int size;
};

/* ---- Calls ----------------------------------------------------------------------------------- */

/* The byte may be lost where the host is out of memory; never may it go elsewhere. */
static void touch(struct stage *stage, dma_addr_t dma)
{
	u8 byte = 0x5a;

	dmasim_dev_write(stage->pdev, dma, &byte, 1);
}

static bool map_phys(struct stage *stage)
{
	dma_addr_t dma = dma_map_phys(stage->dev, stage->buffer, stage->size, DMA_BIDIRECTIONAL, 0);

	if (dma_mapping_error(stage->dev, dma))
		return false;
	touch(stage, dma);
	dma_unmap_phys(stage->dev, dma, stage->size, DMA_BIDIRECTIONAL, 0);
	return true;
}

static bool map_page(struct stage *stage)
{
	struct page *page = dmasim_page(stage->s, stage->buffer);
	dma_addr_t dma;

	if (!page)
		return false;
	dma = dma_map_page(stage->dev, page, stage->buffer % PAGE_SIZE, stage->size,
			   DMA_FROM_DEVICE);
	if (dma_mapping_error(stage->dev, dma))
		return false;
	touch(stage, dma);
	dma_sync_single_for_cpu(stage->dev, dma, stage->size, DMA_FROM_DEVICE);
	dma_sync_single_for_device(stage->dev, dma, stage->size, DMA_FROM_DEVICE);
	dma_unmap_page(stage->dev, dma, stage->size, DMA_FROM_DEVICE);
	return true;
}

static bool map_single(struct stage *stage)
{
	dma_addr_t dma =
		dma_map_single(stage->dev, stage->own + OFFSET, stage->size, DMA_FROM_DEVICE);

	if (dma_mapping_error(stage->dev, dma))
		return false;
	touch(stage, dma);
	dma_unmap_single(stage->dev, dma, stage->size, DMA_FROM_DEVICE);
	return true;
}

static bool map_resource(struct stage *stage)
{
	phys_addr_t bar = pci_resource_start(stage->pdev, 0);
	dma_addr_t dma = dma_map_resource(stage->dev, bar, SZ_4K, DMA_BIDIRECTIONAL, 0);

	if (dma_mapping_error(stage->dev, dma))
		return false;
	dma_unmap_resource(stage->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	return true;
}

static bool fill_list(struct stage *stage, struct scatterlist *sg)
{
	sg_init_table(sg, 3);
	for (u32 i = 0; i < 3; i++) {
		phys_addr_t phys = stage->buffer + 2 * i * SZ_4K;
		struct page *page = dmasim_page(stage->s, phys);

		if (!page)
			return false;
		sg_set_page(&sg[i], page, stage->size, phys % PAGE_SIZE);
	}
	return true;
}

static bool map_sg(struct stage *stage)
{
	struct scatterlist sg[3];

	if (!fill_list(stage, sg) || !dma_map_sg(stage->dev, sg, 3, DMA_FROM_DEVICE))
		return false;
	touch(stage, sg_dma_address(&sg[0]));
	dma_sync_sg_for_cpu(stage->dev, sg, 3, DMA_FROM_DEVICE);
	dma_unmap_sg(stage->dev, sg, 3, DMA_FROM_DEVICE);
	return true;
}

static bool map_sgtable(struct stage *stage)
{
	struct scatterlist sg[3];
	struct sg_table table = { .sgl = sg, .orig_nents = 3 };
	int err;

	if (!fill_list(stage, sg))
		return false;
	err = dma_map_sgtable(stage->dev, &table, DMA_BIDIRECTIONAL, 0);
	if (err) {
		assert_true(err == -ENOMEM || err == -EIO);
		return false;
	}
	touch(stage, sg_dma_address(&sg[2]));
	dma_unmap_sgtable(stage->dev, &table, DMA_BIDIRECTIONAL, 0);
	return true;
}

/* A head and a tail, with whole pages between them. */
static bool two_steps(struct stage *stage)
{
	size_t size = stage->size + 2 * SZ_4K;
	struct dma_iova_state state;
	int err;

	if (!dma_iova_try_alloc(stage->dev, &state, stage->buffer, size))
		return map_phys(stage);
	err = dma_iova_link(stage->dev, &state, stage->buffer, 0, size, DMA_BIDIRECTIONAL, 0);
	if (err) {
		expect_error(err, -ENOMEM);
		dma_iova_free(stage->dev, &state);
		return false;
	}
	expect_ok(dma_iova_sync(stage->dev, &state, 0, size));
	touch(stage, state.addr);
	dma_iova_destroy(stage->dev, &state, size, DMA_BIDIRECTIONAL, 0);
	return true;
}

static bool alloc_coherent(struct stage *stage)
{
	dma_addr_t dma;
	void *memory = dma_alloc_coherent(stage->dev, BYTES, &dma, GFP_KERNEL);

	if (!memory)
		return false;
	touch(stage, dma);
	dma_free_coherent(stage->dev, BYTES, memory, dma);
	return true;
}

static bool alloc_pages(struct stage *stage)
{
	dma_addr_t dma;
	struct page *page = dma_alloc_pages(stage->dev, SZ_16K, &dma, DMA_FROM_DEVICE, GFP_KERNEL);

	if (!page)
		return false;
	touch(stage, dma);
	dma_free_pages(stage->dev, SZ_16K, page, dma, DMA_FROM_DEVICE);
	return true;
}

static bool alloc_noncontiguous(struct stage *stage)
{
	struct sg_table *table =
		dma_alloc_noncontiguous(stage->dev, SZ_16K, DMA_FROM_DEVICE, GFP_KERNEL, 0);

	if (!table)
		return false;
	touch(stage, sg_dma_address(table->sgl));
	dma_free_noncontiguous(stage->dev, SZ_16K, table, DMA_FROM_DEVICE);
	return true;
}

static bool pool_alloc(struct stage *stage)
{
	struct dma_pool *pool = dma_pool_create("sweep", stage->dev, 64, 64, 0);
	dma_addr_t dma;
	void *piece;

	if (!pool)
		return false;
	piece = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	if (piece) {
		touch(stage, dma);
		dma_pool_free(pool, piece, dma);
	}
	dma_pool_destroy(pool);
	return piece;
}

static const struct call {
	const char *name;
	bool (*run)(struct stage *stage);
} calls[] = {
	{ "dma_map_phys", map_phys },	    { "dma_map_page", map_page },
	{ "dma_map_single", map_single },   { "dma_map_resource", map_resource },
	{ "dma_map_sg", map_sg },	    { "dma_map_sgtable", map_sgtable },
	{ "two steps", two_steps },	    { "dma_alloc_coherent", alloc_coherent },
	{ "dma_alloc_pages", alloc_pages }, { "dma_alloc_noncontiguous", alloc_noncontiguous },
	{ "dma_pool_alloc", pool_alloc },
};

/* ---- The sweep ------------------------------------------------------------------------------- */

/* What a mode refuses without any failure: MMIO where everything is bounced. */
static bool never_works(const struct mode *mode, const struct call *call)
{
	return call->run == map_resource && mode->config.iommu == DMASIM_NO_IOMMU &&
	       (mode->config.swiotlb == DMASIM_SWIOTLB_FORCE || mode->config.traits.pool_bytes);
}

static void begin(struct stage *stage, const struct mode *mode)
{
	*stage = (struct stage){ .s = dmasim_create(&mode->config), .own = calloc(1, SZ_16K) };
	assert_true(stage->s && stage->own);
	/* The checker may go blind, the pool be missing, a write find no host memory. */
	dmasim_suppress(stage->s, DMASIM_REPORT_CHECKER_BLIND);
	dmasim_suppress(stage->s, DMASIM_REPORT_BOUNCE_FULL);
	stage->pdev = dmasim_add_endpoint(
		stage->s, "00:01.0/00.0",
		&(struct dmasim_endpoint){
			.bar = { SZ_16K }, .bar_32 = 1, .ats = mode->config.iommu_device_tlb });
	assert_non_null(stage->pdev);
	stage->dev = &stage->pdev->dev;
	expect_ok(dma_set_mask(stage->dev, mode->mask ? mode->mask : DMA_BIT_MASK(64)));
	dma_set_min_align_mask(stage->dev, SZ_4K - 1);
	stage->buffer = dmasim_alloc(stage->s, SZ_64K);
	assert_true(stage->buffer != DMASIM_NO_PHYS);
	if (mode->high_memory)
		stage->buffer = 5ULL * SZ_1G;
	stage->buffer += OFFSET;
	stage->size = mode->size ? mode->size : BYTES;
	assert_true(dmasim_adopt(stage->s, stage->own, SZ_16K) != DMASIM_NO_PHYS);
}

static void end(struct stage *stage)
{
	char found[1024];

	expect_u64(dmasim_bounce_use(stage->pdev).used, 0);
	if (dmasim_check_clean(stage->s, found, sizeof(found)))
		fail_msg("%s", found);
	expect_u64(dmasim_destroy(stage->s), 0);
	free(stage->own);
}

/* False: nothing failed any more. */
static bool fail_nth(const struct mode *mode, const struct call *call, u64 nth)
{
	bool works = !never_works(mode, call);
	struct stage stage;
	u64 failures;
	bool done;

	begin(&stage, mode);
	dmasim_fail(stage.s, DMASIM_FAULT_ANY, nth);
	done = call->run(&stage);
	failures = dmasim_failures(stage.s);
	dmasim_fail(stage.s, DMASIM_FAULT_ANY, 0);
	if (!failures)
		assert_true(done == works);
	else
		assert_true(call->run(&stage) == works);
	end(&stage);
	return failures;
}

static void every_call_survives_every_failure(void **state)
{
	const struct mode *mode = *state;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		u64 nth = 1;

		print_message("# %s: %s\n", mode->name, calls[i].name);
		while (fail_nth(mode, &calls[i], nth))
			if ((nth += scaled_step()) > NTH_MAX)
				fail_msg("%s fails for ever", calls[i].name);
	}
}

/* Its nth mapping is refused: the call says so, or finds another way; and then it works. */
static void refuse_nth(struct stage *stage, const struct call *call, u64 nth, bool works)
{
	u64 passes = dmasim_fault_passes(stage->s, DMASIM_FAULT_MAPPING);
	bool done;

	dmasim_fail(stage->s, DMASIM_FAULT_MAPPING, nth);
	expect_u64(dmasim_failures(stage->s), 0);
	done = call->run(stage);
	expect_u64(dmasim_failures(stage->s), 1);
	assert_true(dmasim_fault_passes(stage->s, DMASIM_FAULT_MAPPING) >= passes + nth);
	/* Who gets no range maps in one step. */
	assert_true(!done || (call->run == two_steps && nth == 1));
	assert_true(call->run(stage) == works);
	expect_u64(dmasim_failures(stage->s), 1);
	dmasim_fail(stage->s, DMASIM_FAULT_MAPPING, 0);
}

static void any_mapping_may_be_refused(void **state)
{
	const struct mode *mode = *state;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		bool works = !never_works(mode, &calls[i]);
		struct stage stage;
		u64 before, mappings;

		print_message("# %s: %s\n", mode->name, calls[i].name);
		begin(&stage, mode);
		before = dmasim_fault_passes(stage.s, DMASIM_FAULT_MAPPING);
		assert_true(calls[i].run(&stage) == works);
		mappings = dmasim_fault_passes(stage.s, DMASIM_FAULT_MAPPING) - before;
		assert_true(mappings);
		for (u64 nth = 1; nth <= mappings; nth++)
			refuse_nth(&stage, &calls[i], nth, works);
		end(&stage);
	}
}

/* clang-format off */
#define IN_MODE(number, words)                                                      \
	{ "any_mapping_may_be_refused__" words,                                     \
	  any_mapping_may_be_refused, NULL, NULL, (void *)(uintptr_t)&modes[number] }, \
	{ "every_call_survives_every_failure__" words,                              \
	  every_call_survives_every_failure, NULL, NULL, (void *)(uintptr_t)&modes[number] }

TEST_MAIN(IN_MODE(0, "without_iommu"), IN_MODE(1, "high_memory"), IN_MODE(2, "pass_through"),
	  IN_MODE(3, "strict"), IN_MODE(4, "lazy"), IN_MODE(5, "untrusted"),
	  IN_MODE(6, "forced_bounce"), IN_MODE(7, "restricted_pool"), IN_MODE(8, "not_snooping"),
	  IN_MODE(9, "not_snooping_strict"), IN_MODE(10, "not_snooping_untrusted"),
	  IN_MODE(11, "kmalloc_bounce"), IN_MODE(12, "caching_mode_strict"),
	  IN_MODE(13, "caching_mode_lazy"), IN_MODE(14, "amd_vi_growing"),
	  IN_MODE(15, "amd_vi_lazy"), IN_MODE(16, "amd_vi_np_cache"),
	  IN_MODE(17, "scalable_mode"), IN_MODE(18, "device_tlb_strict"),
	  IN_MODE(19, "device_tlb_lazy"), IN_MODE(20, "five_levels"),
	  IN_MODE(21, "first_stage_strict"), IN_MODE(22, "first_stage_lazy"))
