/* SPDX-License-Identifier: MIT */
#include "fault/flows_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- The stage ------------------------------------------------------------------------------- */

static struct pci_dev *add(struct stage *stage, const char *path, u64 bar_bytes)
{
	return dmasim_add_endpoint(stage->s, path,
				   &(struct dmasim_endpoint){ .bar = { bar_bytes } });
}

static void add_devices(struct stage *stage)
{
	stage->nvme = add(stage, "00:01.0/00.0/00.0/00.0", SZ_16K);
	stage->gpu = add(stage, "00:01.0/00.0/01.0/00.0", SZ_1M);
	stage->disk = add(stage, "00:02.0/00.0", SZ_16K);
	assert_true(stage->nvme && stage->gpu && stage->disk);
}

void stage_init(struct stage *stage, const struct flow *flow)
{
	struct dmasim_config config = { DMASIM_CONFIG };

	config.dma_debug = flow->dma_debug;
	if (flow->without_iommu)
		config.iommu = DMASIM_NO_IOMMU;
	config.policy = flow->policy;
	config.swiotlb = flow->swiotlb;
	config.swiotlb_bytes = SZ_1M;
	config.traits = flow->traits;
	config.random_choices = flow->random;
	config.acs = flow->redirects ? DMASIM_ACS_ISOLATING : DMASIM_ACS_OFF;
	stage->s = dmasim_create(&config);
	assert_non_null(stage->s);
	/* That the checker went blind is the one report there may be. */
	dmasim_suppress(stage->s, DMASIM_REPORT_CHECKER_BLIND);
	if (!flow->bare)
		add_devices(stage);
	if (!flow->bare && !flow->cold) {
		expect_ok(dma_set_mask(&stage->nvme->dev, DMA_BIT_MASK(64)));
		expect_ok(dma_set_mask(&stage->gpu->dev, DMA_BIT_MASK(64)));
		/* This starts the machine. */
		dmasim_group(stage->nvme);
	}
	stage->own = aligned_alloc(SZ_4K, FLOW_BUFFER);
	assert_non_null(stage->own);
	memset(stage->own, 0, FLOW_BUFFER);
	stage->buffer = dmasim_alloc(stage->s, FLOW_BUFFER);
	assert_true(stage->buffer != DMASIM_NO_PHYS);
	if (flow->prepare)
		flow->prepare(stage);
}

enum flow_result stage_run(struct stage *stage, const struct flow *flow)
{
	enum flow_result result = flow->run(stage);

	stage->runs++;
	return result;
}

void stage_fini(struct stage *stage)
{
	dmasim_destroy(stage->s);
	free(stage->own);
	*stage = (struct stage){ .s = NULL };
}

/* ---- What flows share ------------------------------------------------------------------------ */

/*
 * The device writes bytes, which must arrive at phys. It may be that the host has no memory for
 * what was written: then the flow is refused.
 */
enum flow_result stage_move(struct stage *stage, struct pci_dev *pdev, dma_addr_t dma,
			    phys_addr_t phys, u64 bytes)
{
	u8 sent[SZ_4K], found[SZ_4K];
	struct dmasim_transfer transfer;

	assert_true(bytes <= sizeof(sent));
	fill_pattern(sent, bytes, phys);
	transfer = dmasim_dev_write(pdev, dma, sent, bytes);
	if (transfer.status == DMASIM_HOST_MEMORY) {
		assert_true(transfer.done < bytes);
		assert_true(dmasim_failures(stage->s) > 0);
		return FLOW_REFUSED;
	}
	expect_done(transfer, bytes);
	expect_u64(dmasim_read(stage->s, phys, found, bytes), bytes);
	assert_memory_equal(sent, found, bytes);
	return FLOW_DONE;
}

static void need_peer(struct stage *stage)
{
	void *memory;

	expect_ok(pci_p2pdma_add_resource(stage->gpu, 0, 0, 0));
	memory = pci_alloc_p2pmem(stage->gpu, SZ_64K);
	assert_non_null(memory);
	stage->peer = dmasim_virt_to_phys(stage->s, memory);
	assert_true(stage->peer != DMASIM_NO_PHYS);
}

/* ---- One call -------------------------------------------------------------------------------- */

enum flow_result flow_map_phys_of(struct stage *stage, phys_addr_t phys, u64 bytes,
				  unsigned long attrs)
{
	struct device *dev = &stage->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, phys, bytes, DMA_BIDIRECTIONAL, attrs);
	enum flow_result result;

	if (dma_mapping_error(dev, dma)) {
		expect_u64(dma, DMA_MAPPING_ERROR);
		return FLOW_REFUSED;
	}
	result = stage_move(stage, stage->nvme, dma + bytes - SZ_4K, phys + bytes - SZ_4K, SZ_4K);
	dma_unmap_phys(dev, dma, bytes, DMA_BIDIRECTIONAL, attrs);
	return result;
}

static enum flow_result map_phys(struct stage *stage)
{
	return flow_map_phys_of(stage, stage->buffer, FLOW_BUFFER, 0);
}

/*
 * 6 MiB whose phys is not aligned as the IOVA is: small leaves in three tables and one more. When a
 * later table cannot be had, the leaves in the earlier ones have to be taken back.
 */
static enum flow_result map_large(struct stage *stage)
{
	return flow_map_phys_of(stage, SZ_256M + SZ_4K, 3 * SZ_2M + SZ_4K, 0);
}

static enum flow_result map_peer(struct stage *stage)
{
	return flow_map_phys_of(stage, stage->peer, SZ_16K, DMA_ATTR_MMIO);
}

static enum flow_result map_page(struct stage *stage)
{
	struct page *page = dmasim_page(stage->s, stage->buffer + SZ_16K);
	struct device *dev = &stage->nvme->dev;
	enum flow_result result;
	dma_addr_t dma;

	if (!page)
		return FLOW_REFUSED;
	expect_u64(page_to_phys(page), stage->buffer + SZ_16K);
	dma = dma_map_page(dev, page, 100, SZ_4K, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, dma)) {
		expect_u64(dma, DMA_MAPPING_ERROR);
		return FLOW_REFUSED;
	}
	result = stage_move(stage, stage->nvme, dma, stage->buffer + SZ_16K + 100, SZ_4K);
	dma_unmap_page(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	return result;
}

/* ---- Lists ----------------------------------------------------------------------------------- */

/* RAM, peer memory, RAM, peer memory ...: false if a page cannot be had. */
static bool fill_list(struct stage *stage, struct scatterlist *sg)
{
	sg_init_table(sg, FLOW_SG_ENTRIES);
	for (u32 i = 0; i < FLOW_SG_ENTRIES; i++) {
		phys_addr_t phys = (i & 1 ? stage->peer : stage->buffer) + i * SZ_4K;
		struct page *page = dmasim_page(stage->s, phys);

		if (!page)
			return false;
		sg_set_page(&sg[i], page, SZ_4K - 256, 256);
	}
	return true;
}

static enum flow_result move_list(struct stage *stage, struct scatterlist *list, u32 segments)
{
	enum flow_result result = FLOW_DONE;
	struct scatterlist *sg;
	u32 i;

	/* No two entries join: none begins on a granule. */
	expect_u64(segments, FLOW_SG_ENTRIES);
	for_each_sg(list, sg, segments, i) {
		expect_u64(sg_dma_len(sg), SZ_4K - 256);
		if (stage_move(stage, stage->nvme, sg_dma_address(sg), sg_phys(sg), sg_dma_len(sg)))
			result = FLOW_REFUSED;
	}
	return result;
}

/* A refused list is what it was. */
static void expect_unchanged(struct stage *stage, struct scatterlist *sg)
{
	for (u32 i = 0; i < FLOW_SG_ENTRIES; i++) {
		phys_addr_t phys = (i & 1 ? stage->peer : stage->buffer) + i * SZ_4K;

		expect_u64(page_to_phys(sg_page(&sg[i])), phys);
		expect_u64(sg[i].offset, 256);
		expect_u64(sg[i].length, SZ_4K - 256);
		assert_false(sg_dma_is_bus_address(&sg[i]));
	}
}

static enum flow_result map_sg(struct stage *stage)
{
	struct scatterlist sg[FLOW_SG_ENTRIES];
	enum flow_result result;
	unsigned int segments;

	if (!fill_list(stage, sg))
		return FLOW_REFUSED;
	segments = dma_map_sg(&stage->nvme->dev, sg, FLOW_SG_ENTRIES, DMA_BIDIRECTIONAL);
	if (!segments) {
		expect_unchanged(stage, sg);
		return FLOW_REFUSED;
	}
	result = move_list(stage, sg, segments);
	dma_unmap_sg(&stage->nvme->dev, sg, FLOW_SG_ENTRIES, DMA_BIDIRECTIONAL);
	return result;
}

static enum flow_result map_sgtable(struct stage *stage)
{
	struct scatterlist sg[FLOW_SG_ENTRIES];
	struct sg_table table = { .sgl = sg, .orig_nents = FLOW_SG_ENTRIES };
	enum flow_result result;
	int err;

	if (!fill_list(stage, sg))
		return FLOW_REFUSED;
	err = dma_map_sgtable(&stage->nvme->dev, &table, DMA_BIDIRECTIONAL, 0);
	if (err) {
		expect_error(err, -ENOMEM);
		expect_unchanged(stage, sg);
		return FLOW_REFUSED;
	}
	result = move_list(stage, sg, table.nents);
	dma_unmap_sgtable(&stage->nvme->dev, &table, DMA_BIDIRECTIONAL, 0);
	return result;
}

static enum flow_result flow_lazy_list(struct stage *stage)
{
	enum flow_result result = map_sg(stage);

	flow_let_timers_fire(stage);
	return result;
}

/* ---- Two steps ------------------------------------------------------------------------------- */

/* Links granules that are far apart, so that each third needs another table. Returns how many. */
static u32 link_all(struct stage *stage, struct dma_iova_state *state)
{
	for (u32 i = 0; i < FLOW_LINKS; i++) {
		int err = dma_iova_link(&stage->nvme->dev, state, stage->buffer + (i % 16) * SZ_4K,
					(size_t)i * FLOW_LINK_STRIDE, SZ_4K, DMA_BIDIRECTIONAL, 0);

		if (err) {
			expect_error(err, -ENOMEM);
			return i;
		}
	}
	return FLOW_LINKS;
}

static enum flow_result two_steps(struct stage *stage)
{
	struct device *dev = &stage->nvme->dev;
	enum flow_result result = FLOW_REFUSED;
	struct dma_iova_state state;
	size_t bytes = (size_t)FLOW_LINKS * FLOW_LINK_STRIDE;
	u32 linked;

	memset(&state, 0xee, sizeof(state));
	if (!dma_iova_try_alloc(dev, &state, 0, bytes)) {
		expect_u64(state.addr, 0);
		expect_u64(state.__size, 0);
		return FLOW_REFUSED;
	}
	linked = link_all(stage, &state);
	if (linked == FLOW_LINKS) {
		expect_ok(dma_iova_sync(dev, &state, 0, bytes));
		result = stage_move(stage, stage->nvme, state.addr + 5 * FLOW_LINK_STRIDE,
				    stage->buffer + 5 * SZ_4K, SZ_4K);
	}
	for (u32 i = 0; i < linked; i++)
		dma_iova_unlink(dev, &state, (size_t)i * FLOW_LINK_STRIDE, SZ_4K, DMA_BIDIRECTIONAL,
				0);
	dma_iova_free(dev, &state);
	return result;
}

#define FORCED	   .without_iommu = true, .swiotlb = DMASIM_SWIOTLB_FORCE
#define RESTRICTED .without_iommu = true, .traits.pool_bytes = SZ_1M

const struct flow flows[] = {
	{ "adding_a_host_bridge", NULL, flow_add_host_bridge, .bare = true },
	{ "adding_an_endpoint", NULL, flow_add_endpoint, .bare = true },
	{ "adding_a_reserved_region", NULL, flow_add_region, .cold = true },
	{ "dma_set_mask_before_the_start", NULL, flow_set_mask, .cold = true },
	{ "starting_by_dmasim_group", NULL, flow_start_by_group, .cold = true },
	{ "starting_by_an_access", NULL, flow_start_by_access, .cold = true },
	{ "starting_by_dma_map_phys", NULL, map_phys, .cold = true },
	{ "starting_by_dma_map_sgtable", need_peer, map_sgtable, .cold = true },
	{ "starting_by_dma_iova_try_alloc", NULL, two_steps, .cold = true },
	{ "dma_map_phys", NULL, map_phys },
	{ "dma_map_phys_without_an_IOMMU", NULL, map_phys, .without_iommu = true },
	{ "dma_map_phys_on_a_debug_kernel", NULL, map_phys, .dma_debug = true },
	{ "dma_map_sg_on_a_debug_kernel", need_peer, map_sg, .dma_debug = true },
	{ "dma_map_phys_over_several_tables", NULL, map_large },
	{ "dma_map_page", NULL, map_page },
	{ "dma_map_page_without_an_IOMMU", NULL, map_page, .without_iommu = true },
	{ "dma_map_phys_of_peer_memory", need_peer, map_peer, .redirects = true },
	{ "dma_map_sg", need_peer, map_sg },
	{ "dma_map_sg_through_the_root", need_peer, map_sg, .redirects = true },
	{ "dma_map_sg_without_an_IOMMU", need_peer, map_sg, .without_iommu = true },
	{ "dma_map_sgtable", need_peer, map_sgtable },
	{ "dma_map_sgtable_through_the_root", need_peer, map_sgtable, .redirects = true },
	{ "two_steps", NULL, two_steps },
	{ "pci_p2pdma_add_resource", NULL, flow_p2p_add },
	{ "pci_alloc_p2pmem", need_peer, flow_p2p_alloc },
	{ "an_IOVA_domain", NULL, flow_iova_domain },
	{ "pci_p2pdma_map_type", need_peer, flow_p2p_type },
	{ "pci_p2pmem_alloc_sgl", need_peer, flow_p2p_list },
	{ "pci_p2pmem_find_many", need_peer, flow_p2p_find },
	{ "dmasim_p2p_table", NULL, flow_p2p_table },
	{ "dmasim_p2pdma_release", NULL, flow_p2p_release },
	{ "a_write_to_a_BAR", NULL, flow_write_bar },
	{ "dmasim_alloc_of_4_KiB", NULL, flow_alloc_small },
	{ "dmasim_alloc_of_4_MiB", NULL, flow_alloc_large },
	{ "a_write_to_untouched_RAM", NULL, flow_write_ram },
	{ "a_write_to_untouched_RAM_without_an_IOMMU", NULL, flow_write_ram,
	  .without_iommu = true },
	{ "dmasim_adopt", NULL, flow_adopt },
	{ "a_report", NULL, flow_report },

	{ "lazy_unmaps_and_their_timer", NULL, flow_lazy, .policy = DMASIM_LAZY },
	{ "starting_lazily", NULL, flow_lazy, .cold = true, .policy = DMASIM_LAZY },
	{ "lazy_dma_map_sg", need_peer, flow_lazy_list, .policy = DMASIM_LAZY },
	{ "a_forced_bounce", flow_expect_full_pool, flow_bounce, FORCED },
	{ "a_forced_bounce_of_a_list", flow_expect_full_pool, flow_bounce_list, FORCED },
	{ "a_forced_bounce_without_snooping", flow_expect_full_pool, flow_bounce, FORCED,
	  .traits.no_snoop = true },
	{ "a_restricted_pool", flow_expect_full_pool, flow_bounce, RESTRICTED },
	{ "starting_with_restricted_pools", flow_expect_full_pool, flow_bounce, RESTRICTED,
	  .cold = true },
	{ "dma_alloc_coherent_from_a_restricted_pool", flow_expect_full_pool, flow_alloc_coherent,
	  RESTRICTED },
	{ "dma_map_phys_for_an_untrusted_device", flow_expect_full_pool, flow_bounce,
	  .traits.untrusted = true },
	{ "dma_map_sgtable_for_an_untrusted_device", flow_expect_full_pool, flow_bounce_list,
	  .traits.untrusted = true },
	{ "two_steps_of_an_untrusted_device", flow_expect_full_pool, flow_untrusted_two_steps,
	  .traits.untrusted = true },
	{ "dma_map_phys_without_snooping", NULL, flow_no_snoop, .traits.no_snoop = true },
	{ "dma_map_phys_without_snooping_or_an_IOMMU", NULL, flow_no_snoop, .without_iommu = true,
	  .traits.no_snoop = true },
	{ "dma_map_phys_without_snooping_by_chance", NULL, flow_no_snoop, .random = true,
	  .traits.no_snoop = true },
	{ "a_write_that_does_not_snoop", NULL, flow_no_snoop_write, .without_iommu = true,
	  .traits.no_snoop = true },
	{ "dma_alloc_coherent", NULL, flow_alloc_coherent },
	{ "dma_alloc_coherent_without_an_IOMMU", NULL, flow_alloc_coherent, .without_iommu = true },
	{ "dma_alloc_coherent_without_snooping", NULL, flow_alloc_coherent,
	  .traits.no_snoop = true },
	{ "lazy_dma_alloc_coherent", NULL, flow_lazy_coherent, .policy = DMASIM_LAZY },
	{ "dma_alloc_pages", NULL, flow_alloc_pages },
	{ "dma_alloc_noncoherent", NULL, flow_alloc_noncoherent, .traits.no_snoop = true },
	{ "dma_alloc_noncontiguous", NULL, flow_alloc_noncontiguous },
	{ "dma_alloc_noncontiguous_without_snooping", NULL, flow_alloc_noncontiguous,
	  .traits.no_snoop = true },
	{ "dma_pool_alloc", NULL, flow_dma_pool },
	{ "dma_pool_alloc_without_snooping", NULL, flow_dma_pool, .traits.no_snoop = true },
	{ "a_driver_of_the_kernel_named_layer", NULL, flow_driver },
	{ "starting_by_a_driver", NULL, flow_driver, .cold = true },
};

const u32 flow_count = sizeof(flows) / sizeof(flows[0]);
