/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of page-table formats: the example and all of ours conform, and each kind
 * of mistake is found. A mistake is made by a function that stands in front of a good one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/page-table.h>
#include <dmasim/pgtable-bench.h>

#include "spoilt_formats.h"

/* ---- What conforms ---------------------------------------------------- */

static void conforms(const struct dmasim_pgtable_subject *subject)
{
	const struct dmasim_pgtable_conform_options options = { DMASIM_PGTABLE_CONFORM,
								.scale_percent = 1 };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	u32 failed;

	assert_non_null(out);
	failed = dmasim_pgtable_conform(subject, &options, out);
	fclose(out);
	if (failed)
		fail_msg("%s", text);
	free(text);
}

/*
 * trust: a page-table format in one file, from outside, and its walker: the conformance suite
 *        | our reading of the facts
 */
static void the_example_conforms(void **state)
{
	(void)state;
	for (u8 levels = 3; levels <= 5; levels++)
		conforms(&(struct dmasim_pgtable_subject){ DMASIM_PGTABLE_SUBJECT, .ops = GOOD,
							   .walker = &three_level_walker,
							   .config = { .levels = levels } });
	/* It grows. */
	conforms(&(struct dmasim_pgtable_subject){ DMASIM_PGTABLE_SUBJECT, .ops = GOOD,
						   .walker = &three_level_walker,
						   .config = { .levels = 1, .levels_max = 4 } });
}

#define OURS(format, depth, width, both, flags)                        \
	{                                                              \
		.name = (format), .no_write_only = (both), .config = { \
			.levels = (depth),                             \
			.pa_bits = (width),                            \
			.huge_1g = true,                               \
			.features = (flags),                           \
		}                                                      \
	}

static void ours_conform(void **state)
{
	static const struct {
		const char *name;
		bool no_write_only;
		struct pgtable_config config;
	} ours[] = {
		OURS("vtdss", 4, 52, false, 0),
		OURS("amdv1", 6, 52, false, 0),
		OURS("x86_64", 4, 52, true, 0),
		OURS("x86_64", 5, 52, true, PGTABLE_LOWER_HALF),
		OURS("riscv", 3, 56, true, PGTABLE_NAPOT),
		OURS("riscv_g", 3, 56, true, 0),
		OURS("armv8_s1_4k", 4, 48, true, PGTABLE_HW_DIRTY | PGTABLE_CONTIGUOUS),
		OURS("armv8_s1_16k", 4, 48, true, PGTABLE_HW_DIRTY | PGTABLE_BBML2),
		OURS("armv8_s1_64k", 3, 48, true, PGTABLE_HW_DIRTY),
		OURS("armv8_s2_4k", 4, 48, false, 0),
		OURS("armv8_s2_4k_lpa2", 4, 52, false, 0),
		OURS("mock", 5, 51, false, 0),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		conforms(&(struct dmasim_pgtable_subject){
			DMASIM_PGTABLE_SUBJECT, .ops = dmasim_pgtable_by_name(ours[i].name),
			.no_write_only = ours[i].no_write_only, .config = ours[i].config });
	conforms(&(struct dmasim_pgtable_subject){ DMASIM_PGTABLE_SUBJECT,
						   .ops = dmasim_pgtable_by_name("amdv1"),
						   .config = { .levels = 1, .levels_max = 6 } });
}

/* ---- Mistakes --------------------------------------------------------- */

static int init_no_sizes(struct pgtable *pt, const struct pgtable_config *config)
{
	int err = GOOD->init(pt, config);

	pt->page_sizes = 0;
	return err;
}

static int init_other_error(struct pgtable *pt, const struct pgtable_config *config)
{
	return GOOD->init(pt, config) ? -EINVAL : 0;
}

static void fini_nothing(struct pgtable *pt)
{
	(void)pt;
}

static phys_addr_t look_up_page(struct pgtable *pt, u64 iova)
{
	return GOOD->iova_to_phys(pt, iova) & ~0xfffULL;
}

static int map_32_bits(MAP_ARGS)
{
	return GOOD->map(pt, iova, phys & 0xffffffff, bytes, prot, gather, mapped);
}

static int map_51_bits(MAP_ARGS)
{
	return GOOD->map(pt, iova, phys & ~(1ULL << 51), bytes, prot, gather, mapped);
}

static int map_smallest(MAP_ARGS)
{
	int err = 0;

	if (!(bytes & (bytes - 1)))
		return GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);
	for (u64 at = 0; at < bytes && !err; at += 4096)
		err = GOOD->map(pt, iova + at, phys + at, 4096, prot, gather, mapped);
	return err;
}

static int map_write_reads(MAP_ARGS)
{
	return GOOD->map(pt, iova, phys, bytes, prot == IOMMU_WRITE ? RW : prot, gather, mapped);
}

static int map_no_bytes(MAP_ARGS)
{
	return bytes ? GOOD->map(pt, iova, phys, bytes, prot, gather, mapped) : 0;
}

static int map_other_error(MAP_ARGS)
{
	int err = GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);

	return err == -ENXIO || err == -ENOMEM ? -EINVAL : err;
}

static int map_other_than_enomem(MAP_ARGS)
{
	int err = GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);

	return err == -ENOMEM ? -EINVAL : err;
}

static int map_over(MAP_ARGS)
{
	int err = GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);

	if (err != -EADDRINUSE)
		return err;
	GOOD->unmap(pt, iova + *mapped, 4096, gather);
	return GOOD->map(pt, iova + *mapped, phys + *mapped, bytes - *mapped, prot, gather, mapped);
}

static int map_counts_all_or_none(MAP_ARGS)
{
	u64 done = 0;
	int err = GOOD->map(pt, iova, phys, bytes, prot, gather, &done);

	*mapped += err ? 0 : done;
	return err;
}

static int map_takes_back(MAP_ARGS)
{
	int err = GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);

	if (err == -ENOMEM && *mapped)
		GOOD->unmap(pt, iova, *mapped, gather);
	return err;
}

static int map_unseen(MAP_ARGS)
{
	bool stepping = pt->platform->stepping;
	int err;

	pt->platform->stepping = false;
	err = GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);
	pt->platform->stepping = stepping;
	return err;
}

/* Memory is right a moment later. */
static int map_twice(MAP_ARGS)
{
	u64 done = 0;
	int err = 0;

	if (pt->platform->stepping) {
		err = GOOD->map(pt, iova, phys ^ 0x100000, bytes, prot, gather, &done);
		platform_point(pt->platform, DMASIM_POINT_PT_LEAF);
		GOOD->unmap(pt, iova, done, gather);
	}
	return err ? err : GOOD->map(pt, iova, phys, bytes, prot, gather, mapped);
}

static u64 unmap_over_holes(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	for (u64 at = done + 4096; done && at < bytes && at < 16 * 4096; at += 4096)
		done += GOOD->unmap(pt, iova + at, 4096, gather);
	return done;
}

static u64 unmap_from_inside(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	return done ? done : GOOD->unmap(pt, iova & ~0x3fffffULL, bytes, gather);
}

static u64 unmap_says_what_was_asked(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	return done < bytes ? done : bytes;
}

static u64 unmap_gathers_nothing(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	gather->start = ~0ULL;
	gather->last = 0;
	return done;
}

static u64 unmap_gathers_a_page(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	if (done)
		gather->last = gather->start + 4095;
	return done;
}

static u64 unmap_no_levels(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	gather->leaf_levels = 0;
	return done;
}

static u64 unmap_no_table_levels(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	gather->table_levels = 0;
	return done;
}

static u64 unmap_frees_at_once(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	for (struct page *page = gather->freelist, *next; page; page = next) {
		next = page->next;
		pt->host->free(pt->host, page);
	}
	gather->freelist = NULL;
	return done;
}

static u64 unmap_loses_tables(UNMAP_ARGS)
{
	u64 done = GOOD->unmap(pt, iova, bytes, gather);

	gather->freelist = NULL;
	return done;
}

static u64 unmap_nothing(UNMAP_ARGS)
{
	(void)pt;
	(void)iova;
	(void)bytes;
	(void)gather;
	return 0;
}

static int protect_in_silence(struct pgtable *pt, u64 iova, u64 bytes, u32 prot,
			      struct iommu_iotlb_gather *gather, u64 *changed)
{
	int err = GOOD->protect(pt, iova, bytes, prot, gather, changed);

	gather->start = ~0ULL;
	gather->last = 0;
	return err;
}

static int protect_nothing(struct pgtable *pt, u64 iova, u64 bytes, u32 prot,
			   struct iommu_iotlb_gather *gather, u64 *changed)
{
	(void)prot;
	iommu_iotlb_gather_add(gather, iova, iova + bytes - 1);
	gather->leaf_levels = 0xff;
	return GOOD->protect(pt, iova, bytes, prot & RW ? RW : prot, gather, changed);
}

static int init_flushes_nothing(struct pgtable *pt, const struct pgtable_config *config)
{
	int err = GOOD->init(pt, config);

	pt->coherent = true;
	return err;
}

static int dirty_stays(struct pgtable *pt, u64 iova, u64 bytes, bool clear, pgtable_dirty_fn *tell,
		       void *cookie, struct iommu_iotlb_gather *gather)
{
	if (clear) {
		iommu_iotlb_gather_add(gather, iova, iova + bytes - 1);
		gather->leaf_levels = 0xff;
	}
	return spoilt_vtdss()->read_and_clear_dirty(pt, iova, bytes, false, tell, cookie, gather);
}

static void tell_nobody(void *cookie, u64 iova, u64 bytes)
{
	(void)cookie;
	(void)iova;
	(void)bytes;
}

static int dirty_untold(struct pgtable *pt, u64 iova, u64 bytes, bool clear, pgtable_dirty_fn *tell,
			void *cookie, struct iommu_iotlb_gather *gather)
{
	(void)tell;
	(void)cookie;
	return spoilt_vtdss()->read_and_clear_dirty(pt, iova, bytes, clear, tell_nobody, NULL,
						    gather);
}

static int cut_nothing(struct pgtable *pt, u64 iova, struct iommu_iotlb_gather *gather)
{
	(void)pt;
	(void)iova;
	iommu_iotlb_gather_add(gather, 0, ~0ULL);
	gather->leaf_levels = 0xff;
	return 0;
}

static int collapse_nothing(struct pgtable *pt, u64 iova, u64 bytes,
			    struct iommu_iotlb_gather *gather, u64 *fewer)
{
	/* One page is nothing to collapse. */
	if (iova + bytes > iova)
		bytes = 4096;
	return spoilt_vtdss()->collapse(pt, iova, bytes, gather, fewer);
}

static void walk_one_level_less(const struct dmasim_walker *walker, phys_addr_t table, u8 levels,
				u64 start, u64 last)
{
	three_level_walker.walk(walker, table, levels - 1, start, last);
}

static void walk_nothing(const struct dmasim_walker *walker, phys_addr_t table, u8 levels,
			 u64 start, u64 last)
{
	(void)walker;
	(void)table;
	(void)levels;
	(void)start;
	(void)last;
}

/* It takes every entry for a malformed one. */
static void walk_all_wrong(const struct dmasim_walker *walker, phys_addr_t table, u8 levels,
			   u64 start, u64 last)
{
	u64 word;

	(void)levels;
	(void)start;
	(void)last;
	if (walker->fetch(walker, table, &word, sizeof(word)))
		walker->wrong(walker, 0, 12);
}

static const struct spoilt mistakes[] = {
	{ "empty", "page_sizes is 0x0", { .init = init_no_sizes } },
	{ "empty", "fini leaves 1 tables", { .fini = fini_nothing } },
	{ "sizes", "iova_to_phys finds", { .iova_to_phys = look_up_page } },
	{ "sizes", "lead to 0x0", { .map = map_32_bits } },
	{ "width", "at 0x1000, expected 0x8000000000000", { .map = map_51_bits } },
	{ "choice", "iterate would find 2^12 bytes", { .map = map_smallest } },
	{ "rights", "read, write, expected", { .map = map_write_reads } },
	{ "refuses", "0x0 bytes, prot 3, gives 0", { .map = map_no_bytes } },
	{ "refuses", "gives -EINVAL, expected -ENXIO", { .map = map_other_error } },
	{ "in_use", "gives 0, expected -EADDRINUSE", { .map = map_over } },
	{ "in_use", "counts 0x0 mapped", { .map = map_counts_all_or_none } },
	{ "no_memory", "init gives -EINVAL", { .init = init_other_error } },
	{ "no_memory", "gives -EINVAL where allocation 1 fails", { .map = map_other_than_enomem } },
	{ "no_memory", "find", { .map = map_takes_back } },
	{ "points", "no preemption point", { .map = map_unseen } },
	{ "points", "hardware would find", { .map = map_twice } },
	{ "hole", "removes 0x6000, expected 0x3000", { .unmap = unmap_over_holes } },
	{ "inside",
	  "removes 0x400000, expected 0x0: inside a leaf of 2^22 at 0x400000",
	  { .unmap = unmap_from_inside } },
	{ "inside", "removes 0x1000, expected 0x400000", { .unmap = unmap_says_what_was_asked } },
	{ "sizes", "gathers nothing", { .unmap = unmap_gathers_nothing } },
	{ "sizes", "changes 0x0 to 0x3fffff and gathers", { .unmap = unmap_gathers_a_page } },
	{ "sizes", "gathers no leaf_levels", { .unmap = unmap_no_levels } },
	{ "choice", "names no table_levels", { .unmap = unmap_no_table_levels } },
	{ "choice", "freed at once", { .unmap = unmap_frees_at_once } },
	{ "choice", "fini leaves", { .unmap = unmap_loses_tables } },
	{ "protect", "gathers nothing", { .protect = protect_in_silence } },
	{ "protect", "find", { .protect = protect_nothing } },
	{ "incoherent", "hardware that does not snoop", { .init = init_flushes_nothing } },
	{ "sizes", "hardware would find nothing", .walker = { .walk = walk_nothing } },
	{ "sizes", "hardware", .walker = { .walk = walk_one_level_less } },
	{ "empty", "malformed entry for 2^12 bytes at 0x0; read last: 0x0000000000000000 at 0x",
	  .walker = { .walk = walk_all_wrong } },
	{ "dirty", "is there", { .read_and_clear_dirty = dirty_stays }, .base = "vtdss" },
	{ "dirty", "tells of nothing", { .read_and_clear_dirty = dirty_untold }, .base = "vtdss" },
	{ "reshape", "removes 0x0", { .cut = cut_nothing, .collapse = NULL }, .base = "vtdss" },
	{ "reshape", "collapse", { .collapse = collapse_nothing }, .base = "vtdss" },
};

/* Each kind of mistake, planted. */
static void each_mistake_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		spoilt_is_found(&mistakes[i], i);
}

static void a_table_that_is_not_whole_is_told(void **state)
{
	struct pgtable_ops ops = *GOOD;
	struct dmasim_pgtable_subject subject = { DMASIM_PGTABLE_SUBJECT, .ops = &ops };
	const struct dmasim_pgtable_conform_options unknown = { DMASIM_PGTABLE_CONFORM,
								.check = "no such check" };

	(void)state;
	expect_u64(dmasim_pgtable_conform(&subject, &unknown, NULL), 1);
	ops.map = NULL;
	expect_u64(dmasim_pgtable_conform(&subject, NULL, NULL), 1);
	ops.map = GOOD->map;
	ops.size = 8;
	expect_u64(dmasim_pgtable_conform(&subject, NULL, NULL), 1);
}

/* What the figures are is for people; that there are some, for all, is looked at. */
static void formats_are_measured_side_by_side(void **state)
{
	struct dmasim_pgtable_subject subject = { DMASIM_PGTABLE_SUBJECT, .ops = GOOD };
	const struct dmasim_pgtable_bench bench = { .subject = &subject,
						    .subject_count = 1,
						    .quick = true };
	struct pgtable_ops broken = *GOOD;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	u32 lines = 0;

	(void)state;
	assert_non_null(out);
	expect_ok(dmasim_pgtable_bench(&bench, out));
	fclose(out);
	assert_non_null(strstr(text, "three_level"));
	assert_non_null(strstr(text, "armv8_s1_4k"));
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	expect_u64(lines, 9);
	free(text);
	broken.unmap = unmap_nothing;
	subject.ops = &broken;
	expect_error(dmasim_pgtable_bench(&bench, stdout), -EINVAL);
}

static void every_check_has_a_sentence(void **state)
{
	const char *what, *name;
	u32 count = 0;

	(void)state;
	for (; (name = dmasim_pgtable_conform_check(count, &what)); count++) {
		assert_true(strlen(name) > 0);
		assert_true(strlen(what) > 0);
	}
	expect_u64(count, 20);
}

TEST_MAIN(cmocka_unit_test(the_example_conforms), cmocka_unit_test(ours_conform),
	  cmocka_unit_test(each_mistake_is_found),
	  cmocka_unit_test(a_table_that_is_not_whole_is_told),
	  cmocka_unit_test(formats_are_measured_side_by_side),
	  cmocka_unit_test(every_check_has_a_sentence))
