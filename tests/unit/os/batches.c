/* SPDX-License-Identifier: MIT */
#include "batches.h"

#include <endian.h>
#include <string.h>

#include "machine/machine.h"

#define BATCH_MAX 17

static struct batches *listener(struct dmasim *s)
{
	/* The operations are the fixture's own. */
	return (struct batches *)((char *)s->platform.ops - offsetof(struct batches, ops));
}

static u64 kind_of(const struct batches *batches, const struct batches_words *words)
{
	return le64toh(words->word[0]) & batches->arch->mask;
}

static void keep(struct batches *batches, const struct batches_words *words)
{
	struct batches_words *said = &batches->said[batches->count++];

	assert_true(batches->count <= BATCHES_WORDS);
	*said = (struct batches_words){ { 0, 0 } };
	if (kind_of(batches, words) == batches->arch->wait) {
		expect_u64(le64toh(words->word[0]) & 0xffffffff, batches->arch->wait_low);
		return;
	}
	said->word[0] = le64toh(words->word[0]);
	said->word[1] = le64toh(words->word[1]);
}

/* A command and its wait: the first is held back until the device's batch comes. */
static u32 reorder(struct batches *batches, struct batches_words *batch, u32 count)
{
	const struct batches_words wait = batch[1], device = batch[0];
	u64 kind = kind_of(batches, &batch[0]);
	u32 at = 0;

	if (batches->order == BATCHES_AS_THEY_ARE || count != 2)
		return count;
	if (kind == batches->arch->translations[0] || kind == batches->arch->translations[1]) {
		batches->held = batch[0];
		batch[0] = batch[1];
		return 1;
	}
	if (batches->order != BATCHES_BACKWARDS)
		batch[at++] = batches->held;
	if (batches->order == BATCHES_FENCED)
		batch[at++] = (struct batches_words){ { htole64(batches->arch->barrier), 0 } };
	batch[at++] = device;
	if (batches->order == BATCHES_BACKWARDS)
		batch[at++] = batches->held;
	batch[at++] = wait;
	return at;
}

static int submit(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct batches *batches = listener(machine);
	u32 count = (u32)(bytes / sizeof(struct batches_words));
	struct batches_words batch[BATCH_MAX + 2] = { { { 0 } } };

	assert_true(count <= BATCH_MAX);
	memcpy(batch, commands, bytes);
	for (u32 i = 0; i < count; i++)
		keep(batches, &batch[i]);
	count = reorder(batches, batch, count);
	return batches->real->queue_submit(machine, unit, batch, count * sizeof(batch[0]));
}

int batches_setup(void **state, const struct batches_arch *arch, struct dmasim_config config)
{
	struct batches *batches = calloc(1, sizeof(*batches));
	struct platform *platform;

	if (!batches)
		return -1;
	config.size = sizeof(config);
	config.iommu = arch->iommu;
	batches->arch = arch;
	rig_init(&batches->rig, &config);
	platform = &batches->rig.s->platform;
	batches->real = platform->ops;
	batches->ops = *platform->ops;
	batches->ops.queue_submit = submit;
	platform->ops = &batches->ops;
	*state = batches;
	return 0;
}

int batches_teardown(void **state)
{
	struct batches *batches = *state;

	batches->rig.s->platform.ops = batches->real;
	rig_fini(&batches->rig);
	free(batches);
	return 0;
}

u64 batches_requester(const struct batches *batches)
{
	return batches->rig.nvme->dev.id & 0xffff;
}

u64 batches_domain(const struct batches *batches)
{
	return iommu_dma_domain(&batches->rig.nvme->dev)->id;
}

void batches_expect(struct batches *batches, const u64 (*word)[2], u32 count)
{
	expect_u64(batches->count, count);
	for (u32 i = 0; i < count; i++) {
		expect_u64(batches->said[i].word[0], word[i][0]);
		expect_u64(batches->said[i].word[1], word[i][1]);
	}
	batches->count = 0;
}

dma_addr_t batches_map_and_unmap(struct batches *batches, phys_addr_t phys, u64 bytes)
{
	struct pci_dev *nvme = batches->rig.nvme;
	dma_addr_t dma = dma_map_phys(&nvme->dev, phys, bytes, DMA_BIDIRECTIONAL, 0);
	u8 byte = 1;

	assert_false(dma_mapping_error(&nvme->dev, dma));
	expect_done(dmasim_dev_write(nvme, dma + bytes - 1, &byte, 1), 1);
	dma_unmap_phys(&nvme->dev, dma, bytes, DMA_BIDIRECTIONAL, 0);
	return dma;
}

void batches_too_early_without_a_wait(void **state)
{
	static const enum batches_order orders[] = { BATCHES_TOGETHER, BATCHES_BACKWARDS };
	struct batches *batches = *state;
	struct dmasim *s = batches->rig.s;
	phys_addr_t buf = dmasim_alloc(s, SZ_4K);
	struct dmasim_report report;

	for (u32 i = 0; i < 2; i++) {
		dmasim_expect(s, DMASIM_REPORT_STALE_TRANSLATION, 1);
		batches->count = 0;
		batches->order = orders[i];
		batches_map_and_unmap(batches, buf, SZ_4K);
		assert_true(dmasim_report_get(s, dmasim_report_count(s) - 1, &report));
		expect_u64(report.id, DMASIM_REPORT_STALE_TRANSLATION);
		assert_non_null(strstr(report.line, "cause=too-early"));
		assert_non_null(strstr(report.text, "may have been executed before the IOTLB's"));
	}
	batches->order = BATCHES_AS_THEY_ARE;
	dmasim_assert_clean(s);
	dmasim_free(s, buf, SZ_4K);
}

void batches_right_with_a_wait(void **state)
{
	struct batches *batches = *state;
	phys_addr_t buf = dmasim_alloc(batches->rig.s, SZ_4K);

	batches->count = 0;
	batches->order = BATCHES_FENCED;
	batches_map_and_unmap(batches, buf, SZ_4K);
	batches->order = BATCHES_AS_THEY_ARE;
	dmasim_assert_clean(batches->rig.s);
	dmasim_free(batches->rig.s, buf, SZ_4K);
}
