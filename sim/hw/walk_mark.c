/* SPDX-License-Identifier: MIT */
#include "hw/walk_mark.h"

#include "hw/hw.h"

#define GRANULE_LG2 12
#define INDEX_BITS  9

void hw_walk_mark_write(struct hw *hw, phys_addr_t at, u64 entry)
{
	u64 raw = htole64(entry);

	hw_cache_snooped(hw, at, &raw, sizeof(raw));
	ram_write(&hw->ram, at, &raw, sizeof(raw));
}

struct hw_marked hw_walk_mark(const struct hw_walker *walker, struct hw *hw,
			      const struct hw_walk *walk, u64 iova, const struct hw_marks *marks)
{
	struct hw_marked marked = { .lacked = false };

	for (u32 i = 0; i < walk->tables; i++) {
		const struct hw_walk_start *step = &walk->step[i];
		u8 lg2 = (u8)(GRANULE_LG2 + INDEX_BITS * (step->levels - 1));
		u64 index = (iova >> lg2) & ((1U << INDEX_BITS) - 1);
		bool leaf = i + 1U == walk->tables;
		u64 wanted = marks->accessed | (leaf && marks->write ? marks->dirty : 0);
		u64 entry;

		if (!hw_walker_fetch(walker, step->table, index, &entry))
			continue;
		if ((entry & wanted) != wanted) {
			marked.lacked = true;
			if (hw)
				hw_walk_mark_write(hw, step->table + index * sizeof(entry),
						   entry | wanted);
		}
		if (leaf)
			marked.dirty = (entry | wanted) & marks->dirty;
	}
	return marked;
}
