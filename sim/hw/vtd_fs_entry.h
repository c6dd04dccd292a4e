/* SPDX-License-Identifier: MIT */
/*
 * One entry of a first-stage table, and what those of a walk allow together: the same whether their
 * addresses are those of memory (vtd_fs.c) or of a second stage (vtd_nested.c).
 */
#ifndef HW_VTD_FS_ENTRY_H
#define HW_VTD_FS_ENTRY_H

#include <dmasim/hw/vtd.h>
#include <dmasim/hw/x86.h>

#include "hw/vtd_fs.h"

#define FS_ENTRIES (1U << X86_FS_INDEX_BITS)

/* log2 of the bytes that one entry of a level maps; level 0 holds the 4 KiB leaves. */
static inline u8 fs_level_lg2(u8 level)
{
	return (u8)(X86_FS_GRANULE_LG2 + X86_FS_INDEX_BITS * level);
}

static inline u64 fs_index_at(u64 iova, u8 level)
{
	return (iova >> fs_level_lg2(level)) & (FS_ENTRIES - 1);
}

static inline bool fs_is_leaf(u64 entry, u8 level)
{
	return level == 0 || ((level == 1 || level == 2) && (entry & X86_FS_PAGE_SIZE));
}

/* The bits that must be 0 in a present entry of this level. */
static inline u64 fs_reserved_bits(const struct hw_walker *walker, u64 entry, u8 level)
{
	u64 reserved = X86_FS_ADDR_MASK & ~((1ULL << walker->address_bits) - 1);

	if (level > 2 || (level == 2 && !walker->first_huge_1g))
		reserved |= X86_FS_PAGE_SIZE;
	if (level == 1 && (entry & X86_FS_PAGE_SIZE))
		reserved |= X86_FS_2M_RESERVED;
	if (level == 2 && (entry & X86_FS_PAGE_SIZE))
		reserved |= X86_FS_1G_RESERVED;
	return reserved;
}

static inline phys_addr_t fs_page_of(u64 entry, u8 level)
{
	return entry & X86_FS_ADDR_MASK & ~((1ULL << fs_level_lg2(level)) - 1);
}

/* What the entries of a walk allow together. */
struct fs_rights {
	bool write;
	bool user;
	bool execute;
};

static inline void fs_narrow(struct fs_rights *rights, u64 entry)
{
	rights->write &= (entry & X86_FS_WRITE) != 0;
	rights->user &= (entry & X86_FS_USER) != 0;
	rights->execute &= !(entry & X86_FS_NO_EXECUTE);
}

static inline u8 fs_verdict(const struct fs_rights *rights, const struct hw_fs_access *access)
{
	bool may_write = rights->write || (access->privileged && !access->write_protect);

	if (!rights->user && !access->privileged)
		return VTD_FAULT_SM_USER;
	if (access->write && !may_write)
		return VTD_FAULT_SM_NO_WRITE;
	if (access->execute && !rights->execute)
		return VTD_FAULT_SM_NO_EXECUTE;
	return 0;
}

/*
 * What is cached of a walk is for requests without privilege that do not execute. So a table is one
 * that reads may start from only if all above it allow everything but writes.
 */
static inline void fs_note_table(struct hw_walk *walk, phys_addr_t table, u8 level,
				 const struct fs_rights *rights)
{
	bool all = rights->user && rights->execute;

	walk->step[walk->tables++] =
		(struct hw_walk_start){ table, level + 1, all, all && rights->write };
	walk->reads++;
}

#endif
