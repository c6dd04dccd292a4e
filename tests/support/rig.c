/* SPDX-License-Identifier: MIT */
#include "support/rig.h"

#include <stdlib.h>
#include <string.h>

#include "support/examples.h"

static struct pci_dev *add(struct rig *rig, const struct dmasim_config *config, const char *path,
			   u64 bar_bytes)
{
	struct pci_dev *pdev = dmasim_add_endpoint(
		rig->s, path,
		&(struct dmasim_endpoint){ .bar = { bar_bytes },
					   .ats = config && config->iommu_device_tlb,
					   .ats_queue_depth = 5 });

	assert_non_null(pdev);
	return pdev;
}

void rig_init(struct rig *rig, const struct dmasim_config *config)
{
	struct dmasim_config traced;
	struct pci_dev *all[4];

	*rig = (struct rig){ 0 };
	traced = rig_trace_begin(&rig->trace, config);
	rig->s = dmasim_create(&traced);
	assert_non_null(rig->s);
	all[0] = rig->nvme = add(rig, config, "00:01.0/00.0/00.0/00.0", SZ_16K);
	all[1] = rig->gpu = add(rig, config, "00:01.0/00.0/01.0/00.0", SZ_1G);
	all[2] = rig->nic = add(rig, config, "00:01.0/00.0/02.0/00.0", SZ_1M);
	all[3] = rig->disk = add(rig, config, "00:02.0/00.0", SZ_16K);
	for (int i = 0; i < 4; i++)
		expect_ok(dma_set_mask(&all[i]->dev, DMA_BIT_MASK(64)));
	/* Start it: what a test counts is not the start. */
	dmasim_group(rig->nvme);
}

void rig_fini(struct rig *rig)
{
	bool agrees = rig_trace_agrees(&rig->trace, rig->s);
	u64 leaks;

	examples_of(rig->s);
	leaks = dmasim_destroy(rig->s);
	rig->s = NULL;
	rig_trace_end(&rig->trace);
	assert_true(agrees);
	expect_u64(leaks, 0);
}

int rig_setup_with(void **state, const struct dmasim_config *config)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	rig_init(rig, config);
	*state = rig;
	return 0;
}

int rig_setup(void **state)
{
	return rig_setup_with(state, NULL);
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;
	bool agrees = rig_trace_agrees(&rig->trace, rig->s);
	u64 leaks;

	examples_of(rig->s);
	leaks = dmasim_destroy(rig->s);
	rig_trace_end(&rig->trace);
	free(rig);
	return leaks || !agrees ? -1 : 0;
}

void fill_pattern(void *buffer, size_t bytes, u64 seed)
{
	unsigned char *at = buffer;
	u64 word = seed * 0x9e3779b97f4a7c15ULL + 1;

	for (size_t i = 0; i < bytes; i++) {
		word = word * 6364136223846793005ULL + 1442695040888963407ULL;
		at[i] = (unsigned char)(word >> 56);
	}
}

void rig_map_and_use(struct rig *rig, u64 bytes)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, bytes);
	u8 *pattern = malloc(bytes);
	dma_addr_t dma = dma_map_phys(dev, buf, bytes, DMA_BIDIRECTIONAL, 0);

	assert_non_null(pattern);
	assert_false(dma_mapping_error(dev, dma));
	fill_pattern(pattern, bytes, bytes);
	expect_done(dmasim_dev_write(rig->nvme, dma, pattern, bytes), bytes);
	assert_memory_equal(dmasim_ptr(rig->s, buf, bytes), pattern, bytes);
	dma_unmap_phys(dev, dma, bytes, DMA_BIDIRECTIONAL, 0);
	free(pattern);
	dmasim_free(rig->s, buf, bytes);
}

u32 count_reports(struct dmasim *s, enum dmasim_report_id id)
{
	struct dmasim_report report;
	u32 count = 0;

	for (u32 i = 0; dmasim_report_get(s, i, &report); i++)
		count += report.id == id;
	return count;
}

void print_reports(struct dmasim *s)
{
	struct dmasim_report report;

	for (u32 i = 0; dmasim_report_get(s, i, &report); i++)
		print_error("%s", report.text);
}
