/* SPDX-License-Identifier: MIT */
#include "invalidation/rows.h"

#define RW  (ENTRY_R | ENTRY_W)
#define RWA (RW | ENTRY_A)

static struct command window(const struct rig *rig, u64 offset, u8 lg2, bool leaf_only)
{
	return rig->arch->pages(RIG_DOMAIN, RIG_IOVA + offset, lg2, leaf_only);
}

/* Commands for the first page, for the page behind it, for the block with its tables, or not. */
static void page(struct rig *rig)
{
	rig_add(rig, window(rig, 0, 12, true));
}

static void page_behind(struct rig *rig)
{
	rig_add(rig, window(rig, SZ_4K, 12, true));
}

static void block(struct rig *rig)
{
	rig_add(rig, window(rig, 0, 21, false));
}

static void block_without_tables(struct rig *rig)
{
	rig_add(rig, window(rig, 0, 21, true));
}

static void page_is_over(struct rig *rig)
{
	rig_synced(rig, SZ_4K);
}

static void one_page(struct rig *rig, u32 flags)
{
	rig_grow(rig, 0);
	rig_put_leaf(rig, 0, 0, flags);
	rig_mapped(rig, SZ_4K);
	rig_use(rig, 0);
}

static void one_page_rw(struct rig *rig)
{
	one_page(rig, RW);
}

/* ---- empty -> leaf --------------------------------------------------------------------------- */

/* Tables that are left of earlier mappings, which were invalidated. */
static void nothing(struct rig *rig)
{
	rig_grow(rig, 0);
	rig_changed(rig, SZ_2M);
	rig_add(rig, rig->arch->domain(RIG_DOMAIN));
	rig_submit(rig);
	rig_wait(rig);
	rig_use(rig, 0);
}

static void map_page(struct rig *rig)
{
	rig_put_leaf(rig, 0, 0, RW);
	rig_mapped(rig, SZ_4K);
}

static void page_is_usable(struct rig *rig)
{
	rig_usable(rig, SZ_4K);
}

const struct row row_map = {
	.name = "empty -> leaf",
	.before = nothing,
	.change = map_page,
	.right = page,
	.narrow = page_behind,
	.claim = page_is_usable,
};

/* ---- leaf -> empty --------------------------------------------------------------------------- */

static void unmap_page(struct rig *rig)
{
	rig_put(rig, 0, 0, 0);
	rig_unmapped(rig, SZ_4K);
}

const struct row row_unmap = {
	.name = "leaf -> empty",
	.before = one_page_rw,
	.change = unmap_page,
	.right = page,
	.narrow = page_behind,
	.claim = page_is_over,
};

static void two_pages(struct rig *rig)
{
	rig_grow(rig, 0);
	rig_put_leaf(rig, 0, 0, RW);
	rig_put_leaf(rig, 0, 1, RW);
	rig_mapped(rig, 2 * SZ_4K);
	rig_use(rig, 0);
	rig_use(rig, 1);
}

static void unmap_two(struct rig *rig)
{
	rig_put(rig, 0, 0, 0);
	rig_put(rig, 0, 1, 0);
	rig_unmapped(rig, 2 * SZ_4K);
}

static void both_pages(struct rig *rig)
{
	rig_add(rig, window(rig, 0, 13, true));
}

static void two_are_over(struct rig *rig)
{
	rig_synced(rig, 2 * SZ_4K);
}

const struct row row_unmap_two = {
	.name = "leaf -> empty, table page kept",
	.before = two_pages,
	.change = unmap_two,
	.right = both_pages,
	.narrow = page,
	.claim = two_are_over,
};

/* ---- table unlinked and freed ---------------------------------------------------------------- */

static void unlink_table(struct rig *rig)
{
	rig_put(rig, 1, 0, 0);
	rig_unmapped(rig, SZ_2M);
}

static void free_lower(struct rig *rig)
{
	rig_free(rig, rig->table[0]);
	rig->table[0] = 0;
}

static void block_is_over(struct rig *rig)
{
	rig_synced(rig, SZ_2M);
	if (rig->table[0])
		free_lower(rig);
}

const struct row row_unlink = {
	.name = "table unlinked and freed",
	.before = one_page_rw,
	.change = unlink_table,
	.right = block,
	.narrow = block_without_tables,
	.claim = block_is_over,
	.early = free_lower,
};

/* ---- empty table replaced by large leaf ------------------------------------------------------ */

static void map_block(struct rig *rig)
{
	rig_put_leaf(rig, 1, 0, RW);
	rig_mapped(rig, SZ_2M);
}

const struct row row_large = {
	.name = "empty table replaced by large leaf",
	.before = nothing,
	.change = map_block,
	.right = block,
	.narrow = block_without_tables,
	.claim = block_is_over,
	.early = free_lower,
};

/* ---- large leaf replaced by table with same translation -------------------------------------- */

static void one_block(struct rig *rig)
{
	rig_grow(rig, 1);
	rig_put_leaf(rig, 1, 0, RW);
	rig_mapped(rig, SZ_2M);
	rig_use(rig, 0);
}

static void split_block(struct rig *rig)
{
	rig->table[0] = rig_table(rig);
	for (u32 i = 0; i < 512; i++)
		rig_put_leaf(rig, 0, i, RW);
	rig_put_table(rig, 1, rig->table[0]);
	rig_changed(rig, SZ_2M);
}

/* AMD: a page inside it is less than the old page. VT-d drops what the window touches. */
static void less_than_block(struct rig *rig)
{
	rig_add(rig, window(rig, rig->arch == &arch_amd ? 0 : SZ_2M, 12, true));
}

static void split_is_over(struct rig *rig)
{
	rig_synced(rig, SZ_2M);
}

const struct row row_split = {
	.name = "large leaf replaced by table with same translation (split)",
	.before = one_block,
	.change = split_block,
	.right = block,
	.narrow = less_than_block,
	.claim = split_is_over,
};

/* ---- permissions ----------------------------------------------------------------------------- */

static void take_write(struct rig *rig)
{
	rig_put_leaf(rig, 0, 0, ENTRY_R);
	rig_changed(rig, SZ_4K);
}

const struct row row_restrict = {
	.name = "permission reduced",
	.before = one_page_rw,
	.change = take_write,
	.right = page,
	.narrow = page_behind,
	.claim = page_is_over,
};

static void one_page_to_read(struct rig *rig)
{
	/* Marked as used: a first stage's page would be, and writing it anew would clear that. */
	one_page(rig, ENTRY_R | ENTRY_A);
}

static void give_write(struct rig *rig)
{
	rig_put_leaf(rig, 0, 0, RWA);
	rig_changed(rig, SZ_4K);
}

const struct row row_allow = {
	.name = "permission raised",
	.before = one_page_to_read,
	.change = give_write,
	.right = page,
	.narrow = page_behind,
	.claim = page_is_over,
};

/* ---- what hardware marks --------------------------------------------------------------------- */

static void one_dirty_page(struct rig *rig)
{
	one_page(rig, RWA | ENTRY_D);
}

static void clear_dirty(struct rig *rig)
{
	rig_put_leaf(rig, 0, 0, RWA | ENTRY_NO_D);
	rig_changed(rig, SZ_4K);
}

const struct row row_clean = {
	.name = "D cleared",
	.before = one_dirty_page,
	.change = clear_dirty,
	.right = page,
	.narrow = page_behind,
	.claim = page_is_over,
};

static void one_used_page(struct rig *rig)
{
	one_page(rig, RWA);
}

static void clear_accessed(struct rig *rig)
{
	rig_put_leaf(rig, 0, 0, RW | ENTRY_NO_A);
	rig_changed(rig, SZ_4K);
}

const struct row row_age = {
	.name = "A cleared",
	.before = one_used_page,
	.change = clear_accessed,
	.right = page,
	.narrow = page_behind,
	.claim = page_is_over,
};

/* ---- the top --------------------------------------------------------------------------------- */

/* A new root whose first entry is the old one. */
static void grow_top(struct rig *rig)
{
	rig->table[rig->levels] = rig_table(rig);
	rig_put(rig, rig->levels, 0, rig->arch->table(rig->table[rig->levels - 1], rig->levels));
	rig->levels++;
	rig_context(rig, RIG_DOMAIN, rig->table[rig->levels - 1], rig->levels);
}

const struct row row_grow = {
	.name = "top pointer grown",
	.before = one_page_rw,
	.change = grow_top,
	.right = page,
	.narrow = page_behind,
	.claim = page_is_over,
};

static void move_device(struct rig *rig)
{
	rig_context(rig, RIG_OTHER, rig_table(rig), rig->levels);
}

static void context_then_domain(struct rig *rig)
{
	rig_add(rig, rig->arch->context(rig->requester, RIG_DOMAIN));
	if (rig->arch->overtakes) {
		rig_submit(rig);
		rig_wait(rig);
	}
	rig_add(rig, rig->arch->domain(RIG_DOMAIN));
}

static void domain_alone(struct rig *rig)
{
	rig_add(rig, rig->arch->domain(RIG_DOMAIN));
}

/* Between the two the old entry may bring the old translations back. */
static void domain_then_context(struct rig *rig)
{
	rig_add(rig, rig->arch->domain(RIG_DOMAIN));
	rig_add(rig, rig->arch->context(rig->requester, RIG_DOMAIN));
}

static void free_old(struct rig *rig)
{
	for (u8 level = rig->levels; level-- > 0;) {
		if (rig->table[level])
			rig_free(rig, rig->table[level]);
		rig->table[level] = 0;
	}
}

static void move_is_over(struct rig *rig)
{
	rig_attached(rig, RIG_OTHER);
	free_old(rig);
}

const struct row row_move = {
	.name = "root/context changed",
	.before = one_page_rw,
	.change = move_device,
	.right = context_then_domain,
	.narrow = domain_alone,
	.disorder = domain_then_context,
	.claim = move_is_over,
	.early = free_old,
};

u64 row_after(const struct row *row, const struct arch *arch, const struct command *commands,
	      u32 count)
{
	struct rig rig;
	u64 seen;

	rig_init(&rig, arch, false);
	row->before(&rig);
	row->change(&rig);
	for (u32 i = 0; i < count; i++)
		rig_add(&rig, commands[i]);
	rig_submit(&rig);
	rig_wait(&rig);
	row->claim(&rig);
	seen = rig_reports(&rig);
	rig_fini(&rig);
	return seen;
}
