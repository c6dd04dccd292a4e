/* SPDX-License-Identifier: MIT */
/*
 * Set-ups beside rig_setup(), and small checks that several files here share.
 */
#ifndef UNIT_API_MACHINES_H
#define UNIT_API_MACHINES_H

#include <stdlib.h>
#include <string.h>

#include "support/rig.h"

/* Reason codes of a VT-d fault (facts "iova-and-page-tables" 2.6): the entry forbids it. */
#define VTD_FAULT_WRITE 0x05
#define VTD_FAULT_READ	0x06

static inline int rig_setup_direct(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU });
}

static inline int rig_setup_amd_vi(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI });
}

static inline int rig_setup_riscv(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_RISCV });
}

static inline int rig_setup_smmuv3(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3 });
}

/* Ports that have ACS with all bits clear: everything below one root port is one group. */
static inline int rig_setup_acs_off(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
}

static inline int rig_setup_direct_acs_off(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .acs = DMASIM_ACS_OFF });
}

/* Where no IOVA is tried below 4 GiB first: the highest are handed out. */
static inline int rig_setup_forcedac(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .forcedac = true });
}

/* The rig below a host bridge of one's own. */
static inline int rig_setup_below(void **state, const struct dmasim_config *config,
				  const struct dmasim_host_bridge *bridge)
{
	static const char *const paths[] = { "00:01.0/00.0/00.0/00.0", "00:01.0/00.0/01.0/00.0",
					     "00:01.0/00.0/02.0/00.0", "00:02.0/00.0" };
	struct rig *rig = calloc(1, sizeof(*rig));
	struct dmasim_config traced;
	struct pci_dev **pdev[] = { &rig->nvme, &rig->gpu, &rig->nic, &rig->disk };

	if (!rig)
		return -1;
	*state = rig;
	traced = rig_trace_begin(&rig->trace, config);
	rig->s = dmasim_create(&traced);
	assert_non_null(rig->s);
	expect_ok(dmasim_add_host_bridge(rig->s, bridge));
	for (int i = 0; i < 4; i++) {
		*pdev[i] = dmasim_add_endpoint(rig->s, paths[i],
					       &(struct dmasim_endpoint){ .bar = { SZ_1M } });
		assert_non_null(*pdev[i]);
	}
	for (int i = 0; i < 4; i++)
		expect_ok(dma_set_mask(&(*pdev[i])->dev, DMA_BIT_MASK(64)));
	return 0;
}

/*
 * The rig below a host bridge that is on no list: peer memory that does not stay below the switch
 * cannot be reached.
 */
static inline int rig_setup_unlisted(void **state, const struct dmasim_config *config)
{
	return rig_setup_below(state, config,
			       &(struct dmasim_host_bridge){ .vendor = 0x1234, .device = 0x5678 });
}

/* Entries of a test table. */
#define WITH_SETUP(test, setup) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)
#define BEHIND_VTD(test)	WITH_SETUP(test, rig_setup)
#define WITHOUT_IOMMU(test)	WITH_SETUP(test, rig_setup_direct)
#define ON_X86(test)                                                                     \
	{ #test "__behind_vtd", test, rig_setup, rig_teardown, NULL },                   \
		{ #test "__behind_amd_vi", test, rig_setup_amd_vi, rig_teardown, NULL }, \
	{                                                                                \
#test "__without_iommu", test, rig_setup_direct, rig_teardown, NULL      \
	}
/* Behind an IOMMU of each kind, and without one. */
#define IN_BOTH_MODES(test)                                                              \
	{ #test "__behind_riscv", test, rig_setup_riscv, rig_teardown, NULL },           \
		{ #test "__behind_smmuv3", test, rig_setup_smmuv3, rig_teardown, NULL }, \
		ON_X86(test)

/* On such a rig, mappings from a page to 2 MiB, and a page more, work and leave nothing behind. */
static inline void expect_all_sizes_map(const struct dmasim_config *config)
{
	struct rig rig;

	rig_init(&rig, config);
	for (u64 bytes = SZ_4K; bytes <= SZ_2M; bytes *= 8) {
		rig_map_and_use(&rig, bytes);
		rig_map_and_use(&rig, bytes + SZ_4K);
	}
	rig_map_and_use(&rig, SZ_2M);
	dmasim_assert_clean(rig.s);
	rig_fini(&rig);
}

/* A read of what nothing is mapped at, 0x12345000, has a report with such a line in it. */
static inline void expect_fault_line(struct rig *rig, const char *begins, const char *ends)
{
	struct dmasim_report report;
	u8 byte = 0;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	dmasim_dev_read(rig->nvme, 0x12345000, &byte, 1);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	assert_non_null(strstr(report.text, begins));
	assert_non_null(strstr(report.text, ends));
}

/* RAM of the machine; a test that gets none has failed. */
static inline phys_addr_t ram(struct rig *rig, u64 bytes)
{
	phys_addr_t phys = dmasim_alloc(rig->s, bytes);

	assert_true(phys != DMASIM_NO_PHYS);
	return phys;
}

static inline void expect_bytes_at(struct dmasim *s, phys_addr_t phys, const void *expected,
				   u64 bytes)
{
	u8 found[SZ_4K];

	for (u64 at = 0; at < bytes; at += sizeof(found)) {
		u64 step = bytes - at < sizeof(found) ? bytes - at : sizeof(found);

		expect_u64(dmasim_read(s, phys + at, found, step), step);
		assert_memory_equal(found, (const u8 *)expected + at, step);
	}
}

/* The device writes bytes that the CPU then finds at phys. */
static inline void expect_write_lands(struct dmasim *s, struct pci_dev *pdev, dma_addr_t dma,
				      phys_addr_t phys, u64 bytes)
{
	u8 sent[SZ_4K];

	for (u64 at = 0; at < bytes; at += sizeof(sent)) {
		u64 step = bytes - at < sizeof(sent) ? bytes - at : sizeof(sent);

		fill_pattern(sent, step, phys + at);
		expect_done(dmasim_dev_write(pdev, dma + at, sent, step), step);
		expect_bytes_at(s, phys + at, sent, step);
	}
}

/* In its turn the CPU writes bytes at phys, that the device then reads. */
static inline void expect_read_sees(struct dmasim *s, struct pci_dev *pdev, dma_addr_t dma,
				    phys_addr_t phys, u64 bytes)
{
	u8 sent[SZ_4K], got[SZ_4K];

	for (u64 at = 0; at < bytes; at += sizeof(sent)) {
		u64 step = bytes - at < sizeof(sent) ? bytes - at : sizeof(sent);

		fill_pattern(sent, step, ~(phys + at));
		dma_sync_single_for_cpu(&pdev->dev, dma + at, step, DMA_TO_DEVICE);
		expect_u64(dmasim_write(s, phys + at, sent, step), step);
		dma_sync_single_for_device(&pdev->dev, dma + at, step, DMA_TO_DEVICE);
		expect_done(dmasim_dev_read(pdev, dma + at, got, step), step);
		assert_memory_equal(got, sent, step);
	}
}

/* What the device writes lands at phys, and what it reads is what is there. */
static inline void expect_both_ways(struct dmasim *s, struct pci_dev *pdev, dma_addr_t dma,
				    phys_addr_t phys, u64 bytes)
{
	u8 got[SZ_4K];

	expect_write_lands(s, pdev, dma, phys, bytes);
	for (u64 at = 0; at < bytes; at += sizeof(got)) {
		u64 step = bytes - at < sizeof(got) ? bytes - at : sizeof(got);

		expect_done(dmasim_dev_read(pdev, dma + at, got, step), step);
		expect_bytes_at(s, phys + at, got, step);
	}
}

/* One byte at dma is out of the device's reach. */
static inline void expect_refused(struct pci_dev *pdev, dma_addr_t dma)
{
	u8 byte = 0x5a;

	expect_transfer(dmasim_dev_read(pdev, dma, &byte, 1), DMASIM_IOMMU_FAULT, 0);
	expect_transfer(dmasim_dev_write(pdev, dma, &byte, 1), DMASIM_IOMMU_FAULT, 0);
}

/* True if the text of some report of this kind holds the words. */
static inline bool report_says(struct dmasim *s, enum dmasim_report_id id, const char *words)
{
	struct dmasim_report report;

	for (u32 i = 0; dmasim_report_get(s, i, &report); i++)
		if (report.id == id && strstr(report.text, words))
			return true;
	return false;
}

/* Exactly `count` reports, all of one kind, and all of them expected before. */
static inline void expect_only(struct dmasim *s, enum dmasim_report_id id, u32 count)
{
	struct dmasim_report report;

	for (u32 i = 0; dmasim_report_get(s, i, &report); i++)
		if (report.id != id)
			fail_msg("an unexpected report:\n%s", report.text);
	expect_u64(dmasim_report_count(s), count);
	dmasim_assert_clean(s);
}

#endif
