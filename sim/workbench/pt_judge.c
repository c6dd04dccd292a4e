/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <dmasim/contract.h>
#include <dmasim/pgtable/format.h>

#include "workbench/pt_conform.h"

#define LOOKED_AT 64 /* leaves of a range, by software */

bool pt_wrong(struct pt_conform *c, const char *format, ...)
{
	va_list args;

	if (c->reason[0])
		return false;
	va_start(args, format);
	vsnprintf(c->reason, sizeof(c->reason), format, args);
	va_end(args);
	return false;
}

struct pt_error pt_error(int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ EADDRINUSE, "EADDRINUSE" }, { EINVAL, "EINVAL" }, { ENOENT, "ENOENT" },
		{ ENOMEM, "ENOMEM" },	      { ENXIO, "ENXIO" },   { EOPNOTSUPP, "EOPNOTSUPP" },
		{ EOVERFLOW, "EOVERFLOW" },   { ERANGE, "ERANGE" },
	};
	struct pt_error error;

	snprintf(error.text, sizeof(error.text), "%d", err);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (err == -names[i].err)
			snprintf(error.text, sizeof(error.text), "-%s", names[i].name);
	}
	return error;
}

/* Mistakes that the world has seen; and whether hardware was told where to begin. */
static bool is_well(struct pt_conform *c)
{
	if (c->world->wrong[0])
		return pt_wrong(c, "%s", c->world->wrong);
	return !c->made || (c->pt.root == c->told_root && c->pt.levels == c->told_levels) ||
	       pt_wrong(c,
			"the top is at 0x%llx, of %u levels, and change_top was told of 0x%llx, "
			"of %u",
			c->pt.root, c->pt.levels, c->told_root, c->told_levels);
}

/* ---- A table ---------------------------------------------------------- */

bool pt_end(struct pt_conform *c)
{
	u64 left = 0;
	bool good = true;

	if (c->made) {
		pt_world_call(c->world);
		/* Hardware does not use it any more: tables may go at once. */
		for (u32 i = 0; i < PT_WORLD_PAGES; i++)
			c->world->born[i] = c->world->born[i] ? c->world->call : 0;
		c->subject->ops->fini(&c->pt);
		left = c->world->live;
		good = is_well(c);
	}
	c->made = false;
	pt_world_destroy(c->world);
	c->world = NULL;
	if (good && left)
		good = pt_wrong(c, "fini leaves %llu tables", left);
	return good;
}

bool pt_sign_extends(const struct pt_conform *c)
{
	const struct pt_format *format = c->subject->ops->format;

	return c->subject->sign_extends || (format && format->sign_extends);
}

static int change_top(void *cookie, phys_addr_t root, u8 levels)
{
	struct pt_conform *c = cookie;

	c->told_root = root;
	c->told_levels = levels;
	return 0;
}

/* A world, and what the format does in it first. */
static int init(struct pt_conform *c, bool coherent, u64 nth)
{
	struct pgtable_config config = c->subject->config;
	int err;

	c->world = pt_world_create(coherent, false);
	DMASIM_CONTRACT(c->world, "there is memory for the workbench");
	config.host = &c->world->host;
	config.coherent = coherent;
	config.change_top = change_top;
	config.cookie = c;
	config.context = c->subject->ops->context;
	config.levels = config.levels ? config.levels : 4;
	config.pa_bits = config.pa_bits ? config.pa_bits : 52;
	pt_world_fail(c->world, nth);
	err = c->subject->ops->init(&c->pt, &config);
	c->made = !err;
	change_top(c, c->pt.root, c->pt.levels);
	return err;
}

bool pt_start(struct pt_conform *c, bool coherent)
{
	const struct pt_format *format = c->subject->ops->format;
	u8 bits;

	coherent &= !c->unsnooped;
	if (!pt_end(c))
		return false;
	if (init(c, coherent, 0))
		return pt_wrong(c, "init fails");
	c->coherent = coherent;
	c->leaves_vary = false;
	if (!c->pt.page_sizes || c->pt.va_bits < 13 || c->pt.va_bits > 64 || !c->pt.pa_bits)
		return pt_wrong(c, "after init page_sizes is 0x%llx, va_bits %u, pa_bits %u",
				c->pt.page_sizes, c->pt.va_bits, c->pt.pa_bits);
	bits = c->pt.va_bits - pt_sign_extends(c);
	c->last = bits < 64 ? (1ULL << bits) - 1 : ~0ULL;
	c->granule_lg2 = (u8)__builtin_ctzll(c->pt.page_sizes);
	if (format && c->granule_lg2 != format->granule_lg2)
		return pt_wrong(c,
				"after init the smallest of page_sizes, 0x%llx, is 2^%u bytes; "
				"granule_lg2 is %u",
				c->pt.page_sizes, c->granule_lg2, format->granule_lg2);
	c->model->sizes = c->pt.page_sizes;
	c->model->count = 0;
	return is_well(c);
}

bool pt_start_without(struct pt_conform *c, u64 nth, bool *short_of)
{
	int err;

	if (!pt_end(c))
		return false;
	err = init(c, true, nth);
	*short_of = !c->world->fail_in;
	pt_world_fail(c->world, 0);
	if (err != (*short_of ? -ENOMEM : 0))
		return pt_wrong(c, "init gives %s where allocation %llu fails", pt_error(err).text,
				nth);
	return !err || !c->world->live ||
	       pt_wrong(c, "init without memory leaves %llu tables", c->world->live);
}

u8 pt_size_lg2(const struct pt_conform *c, u32 index)
{
	u64 sizes = c->pt.page_sizes & (c->last >> 1);

	for (; sizes; sizes &= sizes - 1) {
		if (!index--)
			return (u8)__builtin_ctzll(sizes);
	}
	return 0;
}

phys_addr_t pt_memory(const struct pt_conform *c, u8 lg2)
{
	if (lg2 >= c->pt.pa_bits)
		return 0;
	return lg2 + 2 <= c->pt.pa_bits ? 3ULL << lg2 : 1ULL << lg2;
}

/* ---- Looking ---------------------------------------------------------- */

static bool look_up(struct pt_conform *c, u64 iova)
{
	const struct pgtable_leaf *leaf = pt_model_at(c->model, iova);
	phys_addr_t expected = leaf ? leaf->phys + (iova - leaf->iova) : 0;
	phys_addr_t found = c->subject->ops->iova_to_phys(&c->pt, iova);

	if (!is_well(c))
		return false;
	return found == expected ||
	       pt_wrong(c, "iova_to_phys finds 0x%llx at 0x%llx, expected 0x%llx", found, iova,
			expected);
}

static bool look_up_all(struct pt_conform *c, u64 start, u64 last)
{
	u32 at = pt_model_find(c->model, start);
	bool good = look_up(c, start) && look_up(c, last);

	if (good && start)
		good = look_up(c, start - 1);
	if (good && last < c->last)
		good = look_up(c, last + 1);
	for (u32 i = 0; good && i < LOOKED_AT && at + i < c->model->count; i++) {
		const struct pgtable_leaf *leaf = &c->model->leaf[at + i];
		u64 end = leaf->iova | ((1ULL << leaf->lg2) - 1);

		if (leaf->iova > last)
			break;
		good = look_up(c, leaf->iova) && look_up(c, end) &&
		       look_up(c, leaf->iova + (end - leaf->iova) / 2);
	}
	return good;
}

/* What the hardware, or iterate, tells of a range. */
struct pt_look {
	struct dmasim_walker walker; /* the first: what the walker is given */
	struct pt_conform *c;
	const char *who;
	u64 cursor; /* the first address of which nothing was told */
	u64 last;
	bool whole; /* leaves are told whole */
	bool some;  /* of the model not all need be there */
	bool over;  /* the last address was told */
	bool good;
	bool has_word;	/* hardware has read a word: */
	u64 word;	/* the last, */
	phys_addr_t at; /* here */
};

/* What hardware has read last, for the end of a sentence; "": nothing, or it was not hardware. */
struct pt_remark {
	char text[64];
};

static struct pt_remark last_read(const struct pt_look *look)
{
	struct pt_remark read = { "" };

	if (look->has_word)
		snprintf(read.text, sizeof(read.text), "; read last: 0x%016llx at 0x%llx",
			 look->word, look->at);
	return read;
}

static struct pt_look *look_of(const struct dmasim_walker *walker)
{
	return (struct pt_look *)(uintptr_t)walker;
}

/* Up to there, nothing. */
static void nothing_until(struct pt_look *look, u64 end)
{
	u32 at = pt_model_find(look->c->model, look->cursor);
	const struct pgtable_leaf *leaf = &look->c->model->leaf[at];

	if (!look->some && !look->over && at < look->c->model->count && leaf->iova < end)
		look->good = pt_wrong(look->c, "%s find nothing at 0x%llx, expected 0x%llx%s",
				      look->who, leaf->iova, leaf->phys, last_read(look).text);
}

static void found(struct pt_look *look, u64 iova, phys_addr_t phys, u8 lg2, u32 prot)
{
	u64 end = iova + (1ULL << lg2);
	const struct pgtable_leaf *leaf = pt_model_at(look->c->model, iova);
	u64 within = leaf ? iova - leaf->iova : 0;

	if (!look->good)
		return;
	if (iova > look->cursor)
		nothing_until(look, iova);
	if (!leaf || leaf->phys + within != phys || pt_shown(look->c, leaf->prot) != prot ||
	    (!look->c->leaves_vary && within + (1ULL << lg2) > 1ULL << leaf->lg2) ||
	    (look->whole && !look->c->leaves_vary && leaf->lg2 != lg2))
		look->good = pt_wrong(look->c,
				      "%s find 2^%u bytes at 0x%llx that lead to 0x%llx%s%s, "
				      "expected %s 2^%u to 0x%llx%s%s%s",
				      look->who, lg2, iova, phys, prot & IOMMU_READ ? ", read" : "",
				      prot & IOMMU_WRITE ? ", write" : "",
				      leaf ? "a leaf of" : "nothing:", leaf ? leaf->lg2 : 0,
				      leaf ? leaf->phys + within : 0,
				      leaf && leaf->prot & IOMMU_READ ? ", read" : "",
				      leaf && leaf->prot & IOMMU_WRITE ? ", write" : "",
				      last_read(look).text);
	look->over |= !end;
	look->cursor = end;
}

static bool found_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	struct pt_look *look = cookie;

	found(look, leaf->iova, leaf->phys, leaf->lg2, leaf->prot & PT_RW);
	return look->good;
}

static bool fetch(const struct dmasim_walker *walker, phys_addr_t phys, void *to, u32 bytes)
{
	struct pt_look *look = look_of(walker);

	if (!pt_world_fetch(look->c->world, phys, to, bytes)) {
		if (look->good)
			look->good = pt_wrong(look->c,
					      "hardware is led to 0x%llx, where no table is%s",
					      phys, last_read(look).text);
		return false;
	}
	if (bytes == sizeof(look->word)) {
		memcpy(&look->word, to, bytes);
		look->word = le64toh(look->word);
		look->at = phys;
		look->has_word = true;
	}
	return true;
}

static void tell_page(const struct dmasim_walker *walker, const struct dmasim_walker_page *page)
{
	found(look_of(walker), page->iova, page->phys, page->lg2,
	      (page->read ? IOMMU_READ : 0) | (page->write ? IOMMU_WRITE : 0));
}

static void tell_table(const struct dmasim_walker *walker, const struct dmasim_walker_table *table)
{
	(void)walker;
	(void)table;
}

static void tell_hole(const struct dmasim_walker *walker, u64 iova, u8 lg2)
{
	(void)walker;
	(void)iova;
	(void)lg2;
}

static void tell_wrong(const struct dmasim_walker *walker, u64 iova, u8 lg2)
{
	struct pt_look *look = look_of(walker);

	if (look->good)
		look->good = pt_wrong(look->c,
				      "hardware meets a malformed entry for 2^%u bytes at 0x%llx%s",
				      lg2, iova, last_read(look).text);
}

static bool walk(struct pt_conform *c, u64 start, u64 last, bool some)
{
	const struct dmasim_walker_ops *ops = c->subject->walker;
	struct pt_look look = {
		.walker = { ops, c->pt.pa_bits, fetch, tell_page, tell_table, tell_hole,
			    tell_wrong },
		.c = c,
		.who = c->coherent ? "hardware would" : "hardware that does not snoop would",
		.cursor = start,
		.last = last,
		.some = some,
		.good = true,
	};

	if (!ops)
		return true;
	ops->walk(&look.walker, c->pt.root, c->pt.levels, start, last);
	if (look.good && look.cursor <= last)
		nothing_until(&look, last + 1 ? last + 1 : last);
	return look.good;
}

static bool iterate(struct pt_conform *c, u64 start, u64 last)
{
	struct pt_look look = { .c = c,
				.who = "iterate would",
				.cursor = start,
				.last = last,
				.whole = true,
				.good = true };
	u64 bytes = last - start + 1; /* 0: all 2^64, and the last one is left out */
	int err;

	if (!c->subject->ops->iterate)
		return true;
	err = c->subject->ops->iterate(&c->pt, start, bytes ? bytes : ~0ULL, found_leaf, &look);
	if (err)
		return pt_wrong(c, "iterate gives %s for 0x%llx to 0x%llx", pt_error(err).text,
				start, last);
	if (look.good && look.cursor <= last)
		nothing_until(&look, last + 1 ? last + 1 : last);
	return look.good && is_well(c);
}

bool pt_compare_some(struct pt_conform *c, u64 start, u64 last)
{
	return walk(c, start, last, true);
}

bool pt_compare(struct pt_conform *c, u64 start, u64 last)
{
	if (last > c->last)
		last = c->last;
	/* All that the leaves at the ends reach. */
	for (int end = 0; end < 2; end++) {
		const struct pgtable_leaf *leaf = pt_model_at(c->model, end ? last : start);

		if (leaf && !end)
			start = leaf->iova;
		else if (leaf)
			last = leaf->iova | ((1ULL << leaf->lg2) - 1);
	}
	return is_well(c) && look_up_all(c, start, last) && walk(c, start, last, false) &&
	       iterate(c, start, last);
}

/* ---- Calls ------------------------------------------------------------ */

static void begin(struct pt_conform *c)
{
	pt_world_call(c->world);
	iommu_iotlb_gather_init(&c->gather);
	c->mapped = 0;
}

/* As after the invalidation; `before` and after it hardware reads the same. */
static bool end(struct pt_conform *c, u64 start, u64 last)
{
	struct page *tables = c->gather.freelist;

	if (tables && (!c->gather.table_levels || iommu_iotlb_gather_empty(&c->gather)))
		return pt_wrong(c, "tables wait for an invalidation: the gather %s",
				c->gather.table_levels ? "is empty" : "names no table_levels");
	if (!is_well(c) || (tables && !walk(c, start, last > c->last ? c->last : last, false)))
		return false;
	pt_world_release(c->world, tables);
	c->gone = c->gather;
	iommu_iotlb_gather_init(&c->gather);
	return pt_compare(c, start, last);
}

static int call_map(struct pt_conform *c, u64 iova, phys_addr_t phys, u64 bytes, u32 prot)
{
	begin(c);
	return c->subject->ops->map(&c->pt, iova, phys, bytes, prot, &c->gather, &c->mapped);
}

#define MAP_TEXT "map of 0x%llx to 0x%llx, 0x%llx bytes"

static bool mapped_as(struct pt_conform *c, u64 iova, phys_addr_t phys, u64 bytes, u64 mapped)
{
	return c->mapped == mapped || pt_wrong(c, MAP_TEXT " counts 0x%llx mapped, expected 0x%llx",
					       iova, phys, bytes, c->mapped, mapped);
}

bool pt_map(struct pt_conform *c, u64 iova, phys_addr_t phys, u64 bytes, u32 prot)
{
	u64 mapped = 0;
	int expected = pt_model_map(c->model, iova, phys, bytes, prot, ~0ULL, &mapped);
	int err = call_map(c, iova, phys, bytes, prot);

	if (err != expected)
		return is_well(c) && pt_wrong(c, MAP_TEXT " gives %s, expected %s", iova, phys,
					      bytes, pt_error(err).text, pt_error(expected).text);
	return mapped_as(c, iova, phys, bytes, mapped) && end(c, iova, iova + (bytes - 1));
}

bool pt_map_refuse(struct pt_conform *c, u64 iova, phys_addr_t phys, u64 bytes, u32 prot, int err)
{
	int got = call_map(c, iova, phys, bytes, prot);

	if (got != err)
		return pt_wrong(c, MAP_TEXT ", prot %u, gives %s, expected %s", iova, phys, bytes,
				prot, pt_error(got).text, pt_error(err).text);
	if (!iommu_iotlb_gather_empty(&c->gather))
		return pt_wrong(c, MAP_TEXT " is refused, and gathers", iova, phys, bytes);
	return mapped_as(c, iova, phys, bytes, 0) && is_well(c);
}

bool pt_map_without(struct pt_conform *c, u64 iova, phys_addr_t phys, u64 bytes, u64 nth,
		    bool *short_of)
{
	u64 mapped = 0;
	int err;

	pt_world_fail(c->world, nth);
	err = call_map(c, iova, phys, bytes, PT_RW);
	*short_of = !c->world->fail_in;
	pt_world_fail(c->world, 0);
	if (err != (*short_of ? -ENOMEM : 0))
		return pt_wrong(c, MAP_TEXT " gives %s where allocation %llu fails", iova, phys,
				bytes, pt_error(err).text, nth);
	if (c->mapped > bytes || (!err && c->mapped != bytes))
		return pt_wrong(c, MAP_TEXT " counts 0x%llx mapped", iova, phys, bytes, c->mapped);
	pt_model_map(c->model, iova, phys, bytes, PT_RW, c->mapped, &mapped);
	return mapped_as(c, iova, phys, bytes, mapped) && end(c, iova, iova + (bytes - 1));
}

/* Why an unmap must remove something else, as far as the leaf there tells; "": it does not. */
static struct pt_remark inside_of(const struct pgtable_leaf *leaf, u64 iova)
{
	struct pt_remark inside = { "" };

	if (leaf && leaf->iova != iova)
		snprintf(inside.text, sizeof(inside.text), ": inside a leaf of 2^%u at 0x%llx",
			 leaf->lg2, leaf->iova);
	return inside;
}

bool pt_unmap(struct pt_conform *c, u64 iova, u64 bytes)
{
	const struct pgtable_leaf *leaf = pt_model_at(c->model, iova);
	const struct pt_remark inside = inside_of(leaf, iova);
	const struct pt_change change = pt_change_of(c, iova, bytes, NULL);
	u64 expected = pt_model_unmap(c->model, iova, bytes);
	u64 most = expected > bytes ? expected : bytes;
	u64 done;

	begin(c);
	done = c->subject->ops->unmap(&c->pt, iova, bytes, &c->gather);
	if (done != expected)
		return is_well(c) &&
		       pt_wrong(c,
				"unmap of 0x%llx, 0x%llx bytes, removes 0x%llx, expected 0x%llx%s",
				iova, bytes, done, expected, inside.text);
	return pt_gathered(c, "unmap", &change) && end(c, iova, iova + (most - 1));
}

bool pt_protect(struct pt_conform *c, u64 iova, u64 bytes, u32 prot)
{
	const struct pt_change change = pt_change_of(c, iova, bytes, &prot);
	u64 expected = 0, changed = 0;
	int err, should = pt_model_protect(c->model, iova, bytes, prot, &expected);

	begin(c);
	err = c->subject->ops->protect(&c->pt, iova, bytes, prot, &c->gather, &changed);
	if (err != should || changed != expected)
		return pt_wrong(c,
				"protect of 0x%llx, 0x%llx bytes, gives %s and 0x%llx, expected "
				"%s and 0x%llx",
				iova, bytes, pt_error(err).text, changed, pt_error(should).text,
				expected);
	return pt_gathered(c, "protect", &change) && end(c, iova, iova + (bytes - 1));
}
