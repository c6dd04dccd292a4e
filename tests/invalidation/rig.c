/* SPDX-License-Identifier: MIT */
#include "invalidation/rig.h"

#include <endian.h>
#include <string.h>

#define INDEX_2 1U /* RIG_IOVA in the table of level 2 */

static struct platform *port(struct rig *rig)
{
	return &rig->s->platform;
}

void rig_init(struct rig *rig, const struct arch *arch, bool caching_mode)
{
	struct dmasim_config config = {
		DMASIM_CONFIG,
		.iommu = arch->iommu,
		.iommu_levels = arch->levels,
		.iommu_caching_mode = caching_mode && !arch->no_absents,
		.iommu_scalable = arch->first_stage,
		.iommu_first_stage = arch->first_stage,
		.iotlb_entries = 64,
		.context_entries = 4,
		.pasid_entries = 4,
		.walk_entries = 4,
	};

	*rig = (struct rig){ .arch = arch, .levels = arch->levels };
	rig->s = dmasim_create(&config);
	assert_non_null(rig->s);
	rig->pdev = dmasim_add_endpoint(rig->s, "00:01.0/00.0",
					&(struct dmasim_endpoint){ .bar = { SZ_4K } });
	assert_non_null(rig->pdev);
	assert_true(machine_start(rig->s));
	rig->iommu = TAILQ_FIRST(&rig->s->hw.iommus);
	rig->requester = (u16)rig->pdev->dev.id;
	rig->memory = dmasim_alloc(rig->s, 2 * SZ_2M);
	rig->status = dmasim_alloc(rig->s, SZ_4K);
	rig->table[rig->levels - 1] = rig_table(rig);
	rig_context(rig, RIG_DOMAIN, rig->table[rig->levels - 1], rig->levels);
	rig_add(rig, arch->context(rig->requester, 1));
	rig_add(rig, arch->context(rig->requester, 0));
	rig_submit(rig);
	rig_wait(rig);
	rig_add(rig, arch->domain(1));
	rig_add(rig, arch->domain(RIG_DOMAIN));
	rig_submit(rig);
	rig_wait(rig);
	rig_attached(rig, RIG_DOMAIN);
	rig_reports(rig);
}

void rig_fini(struct rig *rig)
{
	dmasim_destroy(rig->s);
}

phys_addr_t rig_table(struct rig *rig)
{
	phys_addr_t phys;

	phys = port(rig)->ops->frames_alloc(rig->s, DMASIM_FAULT_TABLE_PAGE, 1, ~0ULL);
	assert_true(phys != PLATFORM_NO_PHYS);
	return phys;
}

void rig_put(struct rig *rig, u8 level, u32 index, u64 entry)
{
	u64 *at = platform_ptr(port(rig), rig->table[level]);

	at[index] = htole64(entry);
}

void rig_put_leaf(struct rig *rig, u8 level, u32 index, u32 flags)
{
	u64 offset = (u64)index << (12 + 9 * level);

	rig_put(rig, level, index, rig->arch->leaf(rig->memory + offset, level, flags));
}

void rig_put_table(struct rig *rig, u8 level, phys_addr_t table)
{
	rig_put(rig, level, level == 2 ? INDEX_2 : 0, rig->arch->table(table, level));
}

void rig_grow(struct rig *rig, u8 level)
{
	for (u8 at = rig->levels - 1; at > level; at--) {
		if (rig->table[at - 1])
			continue;
		rig->table[at - 1] = rig_table(rig);
		rig_put_table(rig, at, rig->table[at - 1]);
	}
}

void rig_mapped(struct rig *rig, u64 bytes)
{
	PLATFORM_EVENT(port(rig), IOMMU_MAP, .domain = RIG_DOMAIN, .dma = RIG_IOVA,
		       .phys = rig->memory, .size = bytes, .done = bytes, .prot = 3);
}

void rig_unmapped(struct rig *rig, u64 bytes)
{
	PLATFORM_EVENT(port(rig), IOMMU_UNMAP, .domain = RIG_DOMAIN, .dma = RIG_IOVA, .size = bytes,
		       .done = bytes);
}

void rig_changed(struct rig *rig, u64 bytes)
{
	PLATFORM_EVENT(port(rig), IOMMU_CHANGED, .domain = RIG_DOMAIN, .dma = RIG_IOVA,
		       .size = bytes);
}

void rig_synced(struct rig *rig, u64 bytes)
{
	PLATFORM_EVENT(port(rig), IOMMU_SYNCED, .domain = RIG_DOMAIN, .dma = RIG_IOVA,
		       .size = bytes);
}

void rig_usable(struct rig *rig, u64 bytes)
{
	PLATFORM_EVENT(port(rig), MAP_PHYS, .dev = rig->pdev->dev.id, .dma = RIG_IOVA,
		       .phys = rig->memory, .size = bytes, .dir = DMA_BIDIRECTIONAL);
}

void rig_free(struct rig *rig, phys_addr_t table)
{
	port(rig)->ops->frames_free(rig->s, DMASIM_FAULT_TABLE_PAGE, table, 1);
}

void rig_context(struct rig *rig, u32 domain, phys_addr_t root, u8 levels)
{
	const struct platform_context context = {
		.type = PLATFORM_CONTEXT_TRANSLATE,
		.domain = domain,
		.levels = levels,
		.root = root,
		.first_stage = rig->arch->first_stage,
	};

	expect_ok(port(rig)->ops->context_set(rig->s, rig->iommu->unit, rig->requester, &context));
}

void rig_attached(struct rig *rig, u32 domain)
{
	PLATFORM_EVENT(port(rig), ATTACH, .dev = rig->pdev->dev.id, .domain = domain);
}

void rig_use(struct rig *rig, u32 page)
{
	hw_translate(rig->iommu, rig->requester, RIG_IOVA + page * (u64)SZ_4K, false);
}

void rig_add(struct rig *rig, struct command command)
{
	assert_true(rig->commands < RIG_BATCH);
	rig->batch[rig->commands++] = command;
}

void rig_submit(struct rig *rig)
{
	struct command wide[RIG_BATCH][2] = { 0 };
	const void *commands = rig->batch;
	size_t bytes = rig->commands * sizeof(rig->batch[0]);

	if (rig->arch->first_stage) {
		for (u32 i = 0; i < rig->commands; i++)
			wide[i][0] = rig->batch[i];
		commands = wide;
		bytes *= 2;
	}
	expect_ok(port(rig)->ops->queue_submit(rig->s, rig->iommu->unit, commands, bytes));
	rig->commands = 0;
}

void rig_wait(struct rig *rig)
{
	rig_add(rig, rig->arch->wait(rig->status, ++rig->waits));
	rig_submit(rig);
	port(rig)->ops->queue_wait(rig->s, rig->iommu->unit);
}

u64 rig_reports(struct rig *rig)
{
	struct dmasim_report report;
	u64 seen = 0;

	while (dmasim_report_get(rig->s, rig->reports, &report)) {
		seen |= 1ULL << report.id;
		rig->reports++;
	}
	return seen;
}
