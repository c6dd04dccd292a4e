/* SPDX-License-Identifier: MIT */
#include "formats.h"

#include <stdlib.h>

#include "half_pages.h"
#include "judges.h"

/* ---- VT-d, judged by the hardware's own walker ----------------------------------------------- */

struct seen judge_vtdss_walk(const struct format_fixture *fixture, u64 iova)
{
	struct hw_walk read = hw_walk_vtd_ss(&fixture->iommu->walker, fixture->pt.root,
					     fixture->pt.levels, iova, false);
	struct hw_walk write = hw_walk_vtd_ss(&fixture->iommu->walker, fixture->pt.root,
					      fixture->pt.levels, iova, true);

	/* Nothing that software writes may look malformed. */
	assert_true(!read.fault || read.fault == 6);
	assert_true(!write.fault || write.fault == 5);
	if (!read.fault && !write.fault)
		assert_true(read.phys == write.phys && read.page_lg2 == write.page_lg2);
	return (struct seen){
		.read = !read.fault,
		.write = !write.fault,
		.phys = read.fault ? write.phys : read.phys,
		.page_lg2 = read.fault ? write.page_lg2 : read.page_lg2,
	};
}

struct relay {
	seen_leaf_fn *leaf;
	void *cookie;
};

/* Page by page. */
static void relay_leaf(void *cookie, const struct hw_leaf *leaf)
{
	const struct relay *relay = cookie;
	u64 page = 1ULL << leaf->page_lg2;
	u64 bytes = page < leaf->bytes ? page : leaf->bytes;

	for (u64 at = 0; at < leaf->bytes; at += bytes)
		relay->leaf(relay->cookie,
			    &(struct seen_leaf){ leaf->iova + at, bytes, leaf->phys + at,
						 leaf->read, leaf->write });
}

void judge_vtdss_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			    seen_leaf_fn *leaf, void *cookie)
{
	struct relay relay = { leaf, cookie };

	hw_walk_vtd_ss_range(&fixture->iommu->walker, fixture->pt.root, fixture->pt.levels, start,
			     last, relay_leaf, NULL, &relay);
}

/* clang-format off */
#define VTDSS(name, ...)                        \
	const struct format_case format_##name = { \
		.ops = &pgtable_vtdss,          \
		.config = { __VA_ARGS__ },      \
		.granule_lg2 = 12,              \
		.index_lg2 = 9,                 \
		.walk = judge_vtdss_walk,             \
		.walk_range = judge_vtdss_walk_range, \
	}

VTDSS(vtdss_4, .levels = 4, .pa_bits = 52, .huge_1g = true, .coherent = true);
VTDSS(vtdss_5, .levels = 5, .pa_bits = 52, .huge_1g = true, .coherent = true);
VTDSS(vtdss_3, .levels = 3, .pa_bits = 46, .huge_1g = true, .coherent = true);
VTDSS(vtdss_no_1g, .levels = 4, .pa_bits = 46, .coherent = true);
VTDSS(vtdss_snoop, .levels = 4, .pa_bits = 52, .huge_1g = true, .coherent = true, .snoop = true);
VTDSS(vtdss_incoherent, .levels = 4, .pa_bits = 52, .huge_1g = true);
/* clang-format on */

/* ---- AMD, the same --------------------------------------------------------------------------- */

#define AMD_RZ 0x80 /* flag: a reserved bit or an illegal level */

struct seen judge_amdv1_walk(const struct format_fixture *fixture, u64 iova)
{
	struct hw_walk read = hw_walk_amd_v1(&fixture->iommu->walker, fixture->pt.root,
					     fixture->pt.levels, iova, false);
	struct hw_walk write = hw_walk_amd_v1(&fixture->iommu->walker, fixture->pt.root,
					      fixture->pt.levels, iova, true);

	/* Nothing that software writes may look malformed: all there may be is a page fault. */
	assert_true(!read.fault || (read.fault == 2 && !(read.fault_flags & AMD_RZ)));
	assert_true(!write.fault || (write.fault == 2 && !(write.fault_flags & AMD_RZ)));
	if (!read.fault && !write.fault)
		assert_true(read.phys == write.phys && read.page_lg2 == write.page_lg2);
	return (struct seen){
		.read = !read.fault,
		.write = !write.fault,
		.phys = read.fault ? write.phys : read.phys,
		.page_lg2 = read.fault ? write.page_lg2 : read.page_lg2,
	};
}

void judge_amdv1_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			    seen_leaf_fn *leaf, void *cookie)
{
	struct relay relay = { leaf, cookie };

	hw_walk_amd_v1_range(&fixture->iommu->walker, fixture->pt.root, fixture->pt.levels, start,
			     last, relay_leaf, NULL, &relay);
}

/* clang-format off */
#define AMDV1(name, ...)                        \
	const struct format_case format_##name = { \
		.ops = &pgtable_amdv1,          \
		.config = { __VA_ARGS__ },      \
		.granule_lg2 = 12,              \
		.index_lg2 = 9,                 \
		.walk = judge_amdv1_walk,             \
		.walk_range = judge_amdv1_walk_range, \
	}

AMDV1(amdv1_3, .levels = 3, .pa_bits = 48, .coherent = true, .page_sizes = 0x40201000);
AMDV1(amdv1_5, .levels = 5, .pa_bits = 52, .coherent = true, .page_sizes = 0x40201000,
      .snoop = true);
AMDV1(amdv1_grows, .levels = 3, .levels_max = 5, .pa_bits = 52, .page_sizes = 0x40201000);
AMDV1(amdv1_sizes, .levels = 4, .pa_bits = 52, .page_sizes = 0x7ffff000);
/* clang-format on */

/* ---- One of the tests' own ------------------------------------------------------------------- */

const struct format_case format_half_pages = {
	.ops = &pgtable_half_pages,
	.config = { .levels = 4, .pa_bits = 44, .huge_1g = true, .coherent = true },
	.granule_lg2 = 11,
	.index_lg2 = 8,
	.walk = half_pages_walk,
	.walk_range = half_pages_walk_range,
};

/* ---- One table on a machine ------------------------------------------------------------------ */

int format_setup(void **state)
{
	struct format_fixture *fixture = calloc(1, sizeof(*fixture));
	const struct pgtable_config *config;

	if (!fixture)
		return -1;
	fixture->format = *state;
	fixture->s = dmasim_create(NULL);
	if (!fixture->s)
		return -1;
	fixture->config = fixture->format->config;
	fixture->config.host = &fixture->s->os->tables;
	config = &fixture->config;
	fixture->iommu = hw_iommu_add(&fixture->s->hw,
				      &(struct hw_iommu_desc){ .levels = config->levels,
							       .address_bits = config->pa_bits,
							       .huge_1g = config->huge_1g,
							       .snoop_control = config->snoop,
							       .coherent = config->coherent,
							       .iotlb_entries = 4 });
	iommu_iotlb_gather_init(&fixture->gather);
	fixture->iommu->walker.first_huge_1g = config->huge_1g;
	*state = fixture;
	return fixture->format->ops->init(&fixture->pt, config);
}

int format_teardown(void **state)
{
	struct format_fixture *fixture = *state;
	u64 tables, leaks;

	if (fixture->end_extra)
		fixture->end_extra(fixture->extra);
	format_release(fixture);
	fixture->format->ops->fini(&fixture->pt);
	tables = dmasim_in_use(fixture->s, DMASIM_FAULT_TABLE_PAGE);
	leaks = dmasim_destroy(fixture->s);
	free(fixture);
	if (tables || leaks)
		print_error("%llu table pages and %llu allocations are left\n", tables, leaks);
	return tables || leaks ? -1 : 0;
}

u64 format_word(struct dmasim *s, phys_addr_t at)
{
	u8 byte[8];
	u64 word = 0;

	expect_u64(ram_read(&s->hw.ram, at, byte, 8), 8);
	for (int i = 0; i < 8; i++)
		word |= (u64)byte[i] << (8 * i);
	return word;
}

u32 format_prot(const char *letters)
{
	static const struct {
		char letter;
		u32 prot;
	} known[] = { { 'r', IOMMU_READ },   { 'w', IOMMU_WRITE }, { 'c', IOMMU_CACHE },
		      { 'n', IOMMU_NOEXEC }, { 'm', IOMMU_MMIO },  { 'p', IOMMU_PRIV } };
	u32 prot = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		prot |= strchr(letters, known[i].letter) ? known[i].prot : 0;
	return prot;
}

int format_map(struct format_fixture *fixture, u64 iova, phys_addr_t phys, u64 bytes, u32 prot)
{
	format_release(fixture);
	iommu_iotlb_gather_init(&fixture->gather);
	fixture->mapped = 0;
	return fixture->format->ops->map(&fixture->pt, iova, phys, bytes, prot, &fixture->gather,
					 &fixture->mapped);
}

u64 format_unmap(struct format_fixture *fixture, u64 iova, u64 bytes)
{
	format_release(fixture);
	iommu_iotlb_gather_init(&fixture->gather);
	return fixture->format->ops->unmap(&fixture->pt, iova, bytes, &fixture->gather);
}

u32 format_release(struct format_fixture *fixture)
{
	u32 count = 0;

	while (fixture->gather.freelist) {
		struct page *page = fixture->gather.freelist;

		fixture->gather.freelist = page->next;
		page_free(fixture->s->os, DMASIM_FAULT_TABLE_PAGE, page);
		fixture->s->os->tables.costs.tables_freed++;
		count++;
	}
	return count;
}

u64 format_tables(const struct format_fixture *fixture)
{
	const struct pgtable_costs *costs = &fixture->s->os->tables.costs;

	return costs->tables_allocated - costs->tables_freed;
}

u8 format_width(const struct format_fixture *fixture)
{
	return fixture->pt.va_bits - (fixture->format->signed_iova ? 1 : 0);
}

phys_addr_t format_phys(u64 size)
{
	return size > 0x400000000ULL ? size : 0x400000000ULL;
}

u32 format_shows(const struct format_fixture *fixture, u32 prot)
{
	return fixture->format->write_reads && prot & IOMMU_WRITE ? prot | IOMMU_READ : prot;
}

void format_expect(struct format_fixture *fixture, u64 iova, phys_addr_t phys, u64 bytes, u32 prot)
{
	u64 granule = 1ULL << fixture->format->granule_lg2;

	prot = format_shows(fixture, prot);
	for (u64 at = 0; at < bytes; at += granule) {
		/* Another byte of each page, the first and the last among them. */
		u64 offset = at == 0 ? 0 : at / granule * 0x9f7 % granule;
		struct seen seen;

		if (at + granule >= bytes)
			offset = granule - 1;
		seen = fixture->format->walk(fixture, iova + at + offset);
		if (seen.read != !!(prot & IOMMU_READ) || seen.write != !!(prot & IOMMU_WRITE) ||
		    seen.phys != phys + at + offset)
			fail_msg("hardware sees 0x%llx at 0x%llx with%s%s, expected 0x%llx",
				 seen.phys, iova + at + offset, seen.read ? " R" : "",
				 seen.write ? " W" : "", phys + at + offset);
		expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, iova + at + offset),
			   phys + at + offset);
	}
}

void format_expect_absent(struct format_fixture *fixture, u64 iova, u64 bytes)
{
	u64 granule = 1ULL << fixture->format->granule_lg2;

	for (u64 at = 0; at < bytes; at += granule) {
		struct seen seen = fixture->format->walk(fixture, iova + at);

		if (seen.read || seen.write)
			fail_msg("hardware sees 0x%llx at 0x%llx, where nothing is", seen.phys,
				 iova + at);
		expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, iova + at), 0);
	}
}

static void count_leaf(void *cookie, const struct seen_leaf *leaf)
{
	struct leaf_counts *counts = cookie;

	counts->all++;
	counts->of_size[__builtin_ctzll(leaf->bytes)]++;
}

struct leaf_counts format_leaves(const struct format_fixture *fixture)
{
	struct leaf_counts counts = { 0 };
	u8 width = format_width(fixture);

	fixture->format->walk_range(fixture, 0, width < 64 ? (1ULL << width) - 1 : ~0ULL,
				    count_leaf, &counts);
	return counts;
}

u8 format_size_lg2(const struct format_fixture *fixture, u32 index)
{
	u64 sizes = fixture->pt.page_sizes;

	while (sizes && index--)
		sizes &= sizes - 1;
	return sizes ? (u8)__builtin_ctzll(sizes) : 0;
}
