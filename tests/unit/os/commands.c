/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <endian.h>

#include "machine/machine.h"

void expect_words(struct iommu_command command, u64 low, u64 high)
{
	expect_u64(le64toh(command.word[0]), low);
	expect_u64(le64toh(command.word[1]), high);
}

void expect_commands(const struct dmasim_config *config, const struct commands_of_pages *row,
		     size_t rows)
{
	struct iommu_domain *domain;
	struct rig rig;

	rig_init(&rig, config);
	domain = iommu_dma_domain(&rig.nvme->dev);
	for (size_t i = 0; i < rows; i++) {
		u64 iova = SZ_1G + SZ_1M, bytes = row[i].pages * SZ_4K;
		u64 before = rig.s->hw.costs.invalidations;

		/* From the middle of a table to that of the next: both stay. */
		expect_ok(iommu_map(domain, iova, SZ_16M + SZ_4K, bytes, IOMMU_READ));
		expect_u64(iommu_unmap(domain, iova, bytes), bytes);
		expect_u64(rig.s->hw.costs.invalidations - before, row[i].commands);
	}
	dmasim_assert_clean(rig.s);
	rig_fini(&rig);
}
