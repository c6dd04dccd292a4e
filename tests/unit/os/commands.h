/* SPDX-License-Identifier: MIT */
/*
 * What tests of an architecture's commands share: their words, and how many of them an unmap takes.
 */
#ifndef UNIT_OS_COMMANDS_H
#define UNIT_OS_COMMANDS_H

#include "support/rig.h"

#include "iommu/iommu.h"

/* Both words, in host byte order. */
void expect_words(struct iommu_command command, u64 low, u64 high);

/* On a machine of that kind an unmap of so many pages of 4 KiB takes so many invalidations. */
struct commands_of_pages {
	u64 pages, commands;
};
void expect_commands(const struct dmasim_config *config, const struct commands_of_pages *row,
		     size_t rows);

#endif
