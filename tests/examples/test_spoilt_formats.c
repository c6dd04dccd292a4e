/* SPDX-License-Identifier: MIT */
/*
 * Mistakes that show late: in what is gathered, in memory far up, in addresses that look alike, in
 * what hardware is told. The conformance suite knows each of them.
 */
#include <errno.h>

#include "spoilt_formats.h"

/* ---- Addresses -------------------------------------------------------- */

/* A table that has not grown yet is taken for one without an end. */
static u64 unmap_modulo(UNMAP_ARGS)
{
	return GOOD->unmap(pt, pt->levels == 1 ? iova & 0x3fffff : iova, bytes, gather);
}

static phys_addr_t look_up_modulo(struct pgtable *pt, u64 iova)
{
	return GOOD->iova_to_phys(pt, pt->levels == 1 ? iova & 0x3fffff : iova);
}

/* Both halves of signed addresses are taken for one. */
static u64 unmap_without_sign(UNMAP_ARGS)
{
	const struct pgtable_ops *ops = dmasim_pgtable_by_name("x86_64");

	return ops->unmap(pt, iova >> 47 == 0x1ffff ? iova << 17 >> 17 : iova, bytes, gather);
}

static int map_lower_half(MAP_ARGS)
{
	const struct pgtable_ops *ops = dmasim_pgtable_by_name("x86_64");

	return iova >> 63 && iova + bytes > iova
		       ? -ERANGE
		       : ops->map(pt, iova, phys, bytes, prot, gather, mapped);
}

/* Bits 51:48 of an address have no place in the word. */
static int map_48_bits(MAP_ARGS)
{
	if (phys >> pt->pa_bits)
		return -ERANGE;
	return GOOD->map(pt, iova, phys & 0xffffffffffffULL, bytes, prot, gather, mapped);
}

/* The next leaf of a run is the one before and a constant, beyond 2^40, too. */
static int map_runs_wrap(MAP_ARGS)
{
	u64 first = (1ULL << 40) - phys, done = 0;
	int err;

	if (phys >= 1ULL << 40 || bytes <= first)
		return GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);
	err = GOOD->map(pt, iova, phys, first, prot, gather, mapped);
	if (err)
		return err;
	err = GOOD->map(pt, iova + first, 0, bytes - first, prot, gather, &done);
	*mapped += done;
	return err;
}

static int change_top_to_nobody(struct pgtable *pt, const struct pgtable_config *config)
{
	struct pgtable_config mute = *config;

	mute.change_top = NULL;
	return GOOD->init(pt, &mute);
}

/* ---- What is gathered ------------------------------------------------- */

static u64 unmap_other_level(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	if (done)
		gather->leaf_levels = 1 << 1;
	return done;
}

static int map_gathers_a_page(MAP_ARGS)
{
	int err = GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);

	if (gather->freelist)
		gather->last = gather->start + 4095;
	return err;
}

static int protect_gathers_a_page(struct pgtable *pt, u64 iova, u64 bytes, u32 prot,
				  struct iommu_iotlb_gather *gather, u64 *changed)
{
	int err = GOOD->protect(pt, iova, bytes, prot, gather, changed);

	if (!iommu_iotlb_gather_empty(gather))
		gather->last = gather->start + 4095;
	return err;
}

static int dirty_gathers_a_page(struct pgtable *pt, u64 iova, u64 bytes, bool clear,
				pgtable_dirty_fn *tell, void *cookie,
				struct iommu_iotlb_gather *gather)
{
	int err =
		spoilt_vtdss()->read_and_clear_dirty(pt, iova, bytes, clear, tell, cookie, gather);

	if (!iommu_iotlb_gather_empty(gather)) {
		gather->start += (gather->last - gather->start + 1) / 2;
		gather->last = gather->start + 4095;
	}
	return err;
}

static int cut_gathers_a_page(struct pgtable *pt, u64 iova, struct iommu_iotlb_gather *gather)
{
	int err = spoilt_vtdss()->cut(pt, iova, gather);

	if (!iommu_iotlb_gather_empty(gather))
		gather->last = gather->start + 4095;
	return err;
}

static int collapse_gathers_a_page(struct pgtable *pt, u64 iova, u64 bytes,
				   struct iommu_iotlb_gather *gather, u64 *fewer)
{
	int err = spoilt_vtdss()->collapse(pt, iova, bytes, gather, fewer);

	if (!iommu_iotlb_gather_empty(gather))
		gather->last = gather->start + 4095;
	return err;
}

static int collapse_names_no_tables(struct pgtable *pt, u64 iova, u64 bytes,
				    struct iommu_iotlb_gather *gather, u64 *fewer)
{
	int err = spoilt_vtdss()->collapse(pt, iova, bytes, gather, fewer);

	gather->table_levels = 0;
	return err;
}

/* ---- What is told of marks -------------------------------------------- */

struct relay {
	pgtable_dirty_fn *tell;
	void *cookie;
};

static void tell_half(void *cookie, u64 iova, u64 bytes)
{
	const struct relay *relay = cookie;

	relay->tell(relay->cookie, bytes > 4096 ? iova + bytes / 2 : iova,
		    bytes > 4096 ? bytes / 2 : bytes);
}

static int dirty_tells_a_half(struct pgtable *pt, u64 iova, u64 bytes, bool clear,
			      pgtable_dirty_fn *tell, void *cookie,
			      struct iommu_iotlb_gather *gather)
{
	struct relay relay = { tell, cookie };

	return spoilt_vtdss()->read_and_clear_dirty(pt, iova, bytes, clear, tell_half, &relay,
						    gather);
}

/* From the head of the leaf that it begins in. */
static int dirty_from_the_head(struct pgtable *pt, u64 iova, u64 bytes, bool clear,
			       pgtable_dirty_fn *tell, void *cookie,
			       struct iommu_iotlb_gather *gather)
{
	u64 head = bytes ? iova & ~0x1fffffULL : iova;

	return spoilt_vtdss()->read_and_clear_dirty(pt, head, bytes + (iova - head), clear, tell,
						    cookie, gather);
}

/* ---- What is refused -------------------------------------------------- */

static int protect_for_nothing(struct pgtable *pt, u64 iova, u64 bytes, u32 prot,
			       struct iommu_iotlb_gather *gather, u64 *changed)
{
	return prot & RW ? GOOD->protect(pt, iova, bytes, prot, gather, changed) : 0;
}

static int iterate_anywhere(struct pgtable *pt, u64 iova, u64 bytes, pgtable_leaf_fn *leaf,
			    void *cookie)
{
	int err = GOOD->iterate(pt, iova, bytes, leaf, cookie);

	return err == -EINVAL ? 0 : err;
}

/* ---- Between others --------------------------------------------------- */

/* Only the first entries of what a leaf takes are looked at. */
static int map_over_the_last(MAP_ARGS)
{
	u64 size = 1ULL << 22, at = iova + size - 4096;

	if (bytes == size && !(iova & (size - 1)) && GOOD->iova_to_phys(pt, at))
		GOOD->unmap(pt, at, 4096, gather);
	return GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);
}

/* What hardware does not snoop is not flushed for it where leaves are cut. */
static int cut_unflushed(struct pgtable *pt, u64 iova, struct iommu_iotlb_gather *gather)
{
	bool coherent = pt->coherent;
	int err;

	pt->coherent = true;
	err = GOOD->cut(pt, iova, gather);
	pt->coherent = coherent;
	return err;
}

#define GROWS                                \
	{                                    \
		.levels = 1, .levels_max = 4 \
	}

#define SIGNED .base = "x86_64", .config = { .levels = 4 }, .no_write_only = true

static const struct spoilt mistakes[] = {
	{ "elsewhere", "expected 0x0", { .unmap = unmap_modulo }, .config = GROWS },
	{ "elsewhere", "expected 0x0", { .iova_to_phys = look_up_modulo }, .config = GROWS },
	{ "elsewhere", "removes something", { .unmap = unmap_without_sign }, SIGNED },
	{ "elsewhere", "gives -ERANGE", { .map = map_lower_half }, SIGNED },
	{ "width", "expected 0x1", { .map = map_48_bits } },
	{ "width", "expected 0x1", { .map = map_runs_wrap } },
	{ "sizes", "change_top", { .init = change_top_to_nobody }, .config = GROWS },
	{ "sizes", "leaf_levels", { .unmap = unmap_other_level } },
	{ "replaced", "gathers", { .map = map_gathers_a_page } },
	{ "protect", "gathers", { .protect = protect_gathers_a_page } },
	{ "dirty", "gathers", { .read_and_clear_dirty = dirty_gathers_a_page }, .base = "vtdss" },
	{ "reshape", "gathers", { .cut = cut_gathers_a_page }, .base = "vtdss" },
	{ "reshape", "gathers", { .collapse = collapse_gathers_a_page }, .base = "vtdss" },
	{ "reshape", "table_levels", { .collapse = collapse_names_no_tables }, .base = "vtdss" },
	{ "dirty", "tells", { .read_and_clear_dirty = dirty_tells_a_half }, .base = "vtdss" },
	{ "dirty", "tells", { .read_and_clear_dirty = dirty_from_the_head }, .base = "vtdss" },
	{ "refuses", "protect", { .protect = protect_for_nothing } },
	{ "refuses", "iterate", { .iterate = iterate_anywhere } },
	{ "in_use", "expected -EADDRINUSE", { .map = map_over_the_last } },
	{ "incoherent", "hardware that does not snoop", { .cut = cut_unflushed } },
};

static void late_mistakes_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		spoilt_is_found(&mistakes[i], i);
}

TEST_MAIN(cmocka_unit_test(late_mistakes_are_found))
