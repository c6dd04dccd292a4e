/* SPDX-License-Identifier: MIT */
/*
 * The checks of dma-debug, D1 to D23: each with a program that is wrong and one that is right.
 *
 * A wrong program runs on two machines: on one the checker alone tells, in its own words and in
 * Linux's; on the other dma-debug is the second judge, and prints the same message or, where it is
 * blind, none.
 */
#ifndef CATALOGUE_DEBUG_H
#define CATALOGUE_DEBUG_H

#include "catalogue/catalogue.h"

#define DEBUG_LOG_BYTES	 8192
#define DEBUG_LINE_BYTES 1024

#define DEBUG_MODES(X)                                                                          \
	X(checker, .dma_debug = false)                                                          \
	X(debug, .dma_debug = true)                                                             \
	X(direct_checker, .iommu = DMASIM_NO_IOMMU, .dma_debug = false)                         \
	X(direct_debug, .iommu = DMASIM_NO_IOMMU, .dma_debug = true)                            \
	X(other_checker, .iommu = DMASIM_NO_IOMMU, .cpu = DMASIM_CPU_OTHER, .dma_debug = false) \
	X(other_debug, .iommu = DMASIM_NO_IOMMU, .cpu = DMASIM_CPU_OTHER, .dma_debug = true)    \
	X(unchecked_checker, .report_unchecked = true)                                          \
	X(unchecked_debug, .report_unchecked = true, .dma_debug = true)

#define DEBUG_MODE(name, ...)                                                                    \
	static inline int mode_##name(void **state)                                              \
	{                                                                                        \
		int err = rig_setup_with(state,                                                  \
					 &(struct dmasim_config){ DMASIM_CONFIG, __VA_ARGS__ }); \
		struct rig *rig = *state;                                                        \
                                                                                                 \
		if (!err)                                                                        \
			dmasim_dma_debug_all_errors(rig->s, true);                               \
		return err;                                                                      \
	}
DEBUG_MODES(DEBUG_MODE)
#undef DEBUG_MODE

/* What every driver does: a mapping, and whether it failed. */
static inline dma_addr_t mapped(struct device *dev, phys_addr_t phys, size_t size,
				enum dma_data_direction dir)
{
	dma_addr_t dma = dma_map_phys(dev, phys, size, dir, 0);

	expect_ok(dma_mapping_error(dev, dma));
	return dma;
}

/* "DMA-API: pci 0000:03:00.0: " and the message. */
static inline void linux_line(char *line, size_t bytes, struct device *dev, const char *message)
{
	snprintf(line, bytes, "DMA-API: pci %s: %s", dev_name(dev), message);
}

/* The one report says this in Linux's words; "": nothing, for it has no such check. */
static inline void expect_linux(struct rig *rig, enum dmasim_report_id id, u32 index,
				struct device *dev, const char *message)
{
	char line[DEBUG_LINE_BYTES] = "", words[DEBUG_LINE_BYTES + 20];
	struct dmasim_report report;

	if (*message)
		linux_line(line, sizeof(line), dev, message);
	assert_true(dmasim_report_get(rig->s, index, &report));
	expect_u64(report.id, id);
	assert_string_equal(report.linux_text, line);
	if (!*message)
		return;
	snprintf(words, sizeof(words), "\n  Linux     %.*s\n", (int)strcspn(line, "\n"), line);
	assert_non_null(strstr(report.text, words));
}

/* How many errors dma-debug has counted, and, in a row, what it said of them. */
static inline void expect_debug(struct rig *rig, struct device *dev, u32 count,
				const char *const *messages)
{
	struct dmasim_dma_debug now = dmasim_dma_debug(rig->s);
	char log[DEBUG_LOG_BYTES], line[DEBUG_LINE_BYTES];
	const char *at = log;

	if (now.disabled)
		return; /* the machine has the checker alone */
	assert_true(dmasim_dma_debug_log(rig->s, log, sizeof(log)) < sizeof(log));
	expect_u64(now.error_count, count);
	for (u32 i = 0; i < count; i++) {
		linux_line(line, sizeof(line), dev, messages[i]);
		at = strstr(at, line);
		if (!at)
			fail_msg("not printed in turn: %s\nin:\n%s", line, log);
		assert_int_equal(at[strlen(line)], '\n');
		at += strlen(line);
	}
}

/* A wrong program gave exactly this one report; dma-debug printed the same. */
static inline void expect_both(struct rig *rig, enum dmasim_report_id id, struct device *dev,
			       const char *message)
{
	expect_linux(rig, id, 0, dev, message);
	expect_debug(rig, dev, 1, &message);
	expect_only(rig->s, id, 1);
}

/* The same where dma-debug is blind. */
static inline void expect_checker_alone(struct rig *rig, enum dmasim_report_id id,
					struct device *dev, const char *message)
{
	expect_linux(rig, id, 0, dev, message);
	expect_debug(rig, dev, 0, NULL);
	expect_only(rig->s, id, 1);
}

/* A right program: nobody says anything, and no entry is left. */
static inline void expect_silence(struct rig *rig)
{
	struct dmasim_dma_debug now = dmasim_dma_debug(rig->s);
	char nothing[1];

	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_assert_clean(rig->s);
	expect_u64(now.error_count, 0);
	expect_u64(now.num_free_entries, now.nr_total_entries);
	expect_u64(dmasim_dma_debug_dump(rig->s, nothing, sizeof(nothing)), 0);
}

/* A test on the machine with the checker alone, and on that with both. */
#define ON_BOTH(test)		IN(checker, test), IN(debug, test)
#define ON_BOTH_DIRECT(test)	IN(direct_checker, test), IN(direct_debug, test)
#define ON_BOTH_OTHER(test)	IN(other_checker, test), IN(other_debug, test)
#define ON_BOTH_UNCHECKED(test) IN(unchecked_checker, test), IN(unchecked_debug, test)

#endif
