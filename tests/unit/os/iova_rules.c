/* SPDX-License-Identifier: MIT */
#include "iova_rules.h"

#include <stdlib.h>
#include <string.h>

#define DEPOT_DELAY_NS 100000000ULL

u32 rules_order(u64 size)
{
	u32 order = 0;

	while (order < 64 && (size - 1) >> order)
		order++;
	return order;
}

/* ---- The sorted array ------------------------------------------------------------------------ */

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static u32 index_of(const struct iova_rules *r, const struct rules_range *range)
{
	u32 i = 0;

	while (r->range[i] != range)
		i++;
	return i;
}

/* NULL: it is the lowest. */
static struct rules_range *pred(const struct iova_rules *r, const struct rules_range *range)
{
	u32 i = index_of(r, range);

	return i ? r->range[i - 1] : NULL;
}

static struct rules_range *succ(const struct iova_rules *r, const struct rules_range *range)
{
	return r->range[index_of(r, range) + 1];
}

static struct rules_range *anchor(const struct iova_rules *r)
{
	return r->range[r->count - 1];
}

static struct rules_range *insert(struct iova_rules *r, u64 lo, u64 hi)
{
	struct rules_range *range = must(malloc(sizeof(*range)));
	u32 i = 0;

	*range = (struct rules_range){ lo, hi };
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->range = must(realloc(r->range, r->room * sizeof(struct rules_range *)));
	}
	while (i < r->count && r->range[i]->lo < lo)
		i++;
	memmove(&r->range[i + 1], &r->range[i], (r->count - i) * sizeof(struct rules_range *));
	r->range[i] = range;
	r->count++;
	return range;
}

static void unlink_range(struct iova_rules *r, struct rules_range *range)
{
	u32 i = index_of(r, range);

	r->count--;
	memmove(&r->range[i], &r->range[i + 1], (r->count - i) * sizeof(struct rules_range *));
	free(range);
}

/* ---- Facts 1.1 ------------------------------------------------------------------------------- */

struct iova_rules *iova_rules_create(u32 cpus, u32 granule_lg2, u64 start)
{
	struct iova_rules *r = must(calloc(1, sizeof(*r)));

	r->cpus = cpus;
	r->granule_lg2 = granule_lg2;
	r->boundary = 1ULL << (32 - granule_lg2);
	r->start = start;
	r->max32 = r->boundary;
	r->cached = r->cached32 = insert(r, ~0ULL, ~0ULL);
	return r;
}

void iova_rules_destroy(struct iova_rules *r)
{
	for (u32 i = 0; i < RULES_CLASSES; i++) {
		while (r->class[i].depot_count)
			free(r->class[i].depot[--r->class[i].depot_count]);
		free(r->class[i].depot);
	}
	while (r->count)
		free(r->range[--r->count]);
	free(r->range);
	free(r);
}

struct rules_state iova_rules_state(const struct iova_rules *r)
{
	return (struct rules_state){ r->cached->lo, r->cached32->lo, r->max32, r->count - 1 };
}

/* RULES_FAIL: not found. */
static u64 walk(const struct iova_rules *r, const struct rules_range *cur, u64 high, u64 low,
		u64 size, u64 align)
{
	for (;;) {
		u64 c;

		high = cur->lo < high ? cur->lo : high;
		if (high < size)
			return RULES_FAIL;
		c = (high - size) / align * align;
		if (c < low)
			return RULES_FAIL;
		cur = pred(r, cur);
		if (!cur || c > cur->hi)
			return c;
	}
}

/* The lowest range at or above the exclusive limit, where pass two begins. */
static const struct rules_range *at_or_above(const struct iova_rules *r, u64 limit)
{
	u32 i = 0;

	while (r->range[i]->lo < limit)
		i++;
	return r->range[i];
}

/* Repaired: what is aligned to less than what failed may succeed. */
static bool fails_at_once(const struct iova_rules *r, u64 size, u32 align_lg2)
{
	if (r->repairs & IOVA_REPAIR(MAX32) && align_lg2 < r->max32_lg2)
		return false;
	return size >= r->max32;
}

/* Repaired: a failure says something of the 32-bit space if that was its limit. */
static void remember(struct iova_rules *r, u64 size, u32 align_lg2, u64 end)
{
	if (r->repairs & IOVA_REPAIR(MAX32) && end != r->boundary)
		return;
	r->max32 = size;
	r->max32_lg2 = align_lg2;
}

u64 iova_rules_alloc(struct iova_rules *r, u64 size, u64 limit, u32 align_lg2)
{
	u64 end = limit + 1, align = 1ULL << align_lg2; /* A1 */
	bool is32 = end <= r->boundary;
	const struct rules_range *from = is32 ? r->cached32 : r->cached; /* A4 */
	struct rules_range *new;
	u64 c, retry = from->hi;

	if (r->no_memory) /* A2 */
		return RULES_FAIL;
	if (is32 && fails_at_once(r, size, align_lg2)) /* A3 */
		return RULES_FAIL;
	c = walk(r, from, end, r->start, size, align); /* A5 */
	if (c == RULES_FAIL && retry < end) {	       /* A6 */
		from = end > r->boundary ? anchor(r) : at_or_above(r, end);
		c = walk(r, from, end, retry + 1, size, align);
	}
	if (c == RULES_FAIL) { /* A7 */
		remember(r, size, align_lg2, end);
		return RULES_FAIL;
	}
	new = insert(r, c, c + size - 1); /* A8 */
	if (new->hi < r->boundary)
		r->cached32 = new;
	else
		r->cached = new;
	return c;
}

const struct rules_range *iova_rules_find(const struct iova_rules *r, u64 pfn)
{
	for (u32 i = 0; i < r->count; i++) {
		if (r->range[i]->lo <= pfn && pfn <= r->range[i]->hi)
			return r->range[i];
	}
	return NULL;
}

bool iova_rules_free(struct iova_rules *r, u64 pfn, struct rules_range *freed)
{
	struct rules_range *n = (struct rules_range *)iova_rules_find(r, pfn);

	if (!n)
		return false;
	if (n == r->cached32 || (n->hi < r->boundary && n->lo >= r->cached32->lo)) /* F1 */
		r->cached32 = succ(r, n);
	if (n->lo < r->boundary) /* F2 */
		r->max32 = r->boundary;
	if (n->lo >= r->cached->lo) /* F3 */
		r->cached = succ(r, n);
	*freed = *n;
	unlink_range(r, n);
	return true;
}

const struct rules_range *iova_rules_reserve(struct iova_rules *r, u64 lo, u64 hi)
{
	bool overlap = false;

	if ((lo | hi) > ~0ULL >> r->granule_lg2)
		return NULL;
	for (u32 i = 0; i < r->count; i++) {
		struct rules_range *n = r->range[i];

		if (lo > n->hi || hi < n->lo) {
			if (overlap)
				break;
			continue;
		}
		if (lo < n->lo)
			n->lo = lo;
		if (hi > n->hi)
			lo = n->hi + 1;
		if (lo >= n->lo && hi <= n->hi)
			return n;
		overlap = true;
	}
	return insert(r, lo, hi);
}

/* ---- Facts 1.2 ------------------------------------------------------------------------------- */

static void push(struct rules_magazine *magazine, u64 pfn)
{
	magazine->pfn[magazine->count++] = pfn;
}

static void swap(struct rules_cpu_cache *cache)
{
	struct rules_magazine loaded = cache->loaded;

	cache->loaded = cache->prev;
	cache->prev = loaded;
}

static struct rules_magazine *depot_pop(struct rules_class *class)
{
	return class->depot[--class->depot_count];
}

/* Work that waits already keeps its time. */
static void arm(struct iova_rules *r, struct rules_class *class)
{
	if (class->work)
		return;
	class->work = true;
	class->work_ns = r->now_ns + DEPOT_DELAY_NS;
	class->work_order = r->arms++;
}

static void depot_push(struct iova_rules *r, struct rules_class *class,
		       const struct rules_magazine *magazine)
{
	if (class->depot_count == class->depot_room) {
		class->depot_room = class->depot_room ? 2 * class->depot_room : 8;
		class->depot = must(
			realloc(class->depot, class->depot_room * sizeof(struct rules_magazine *)));
	}
	class->depot[class->depot_count] = must(malloc(sizeof(*magazine)));
	*class->depot[class->depot_count++] = *magazine;
	r->depot_pushes++;
	arm(r, class);
}

/* Slot by slot to the tree; the magazine is empty then. */
static void spill(struct iova_rules *r, struct rules_magazine *magazine)
{
	struct rules_range freed;

	for (u32 i = 0; i < magazine->count; i++)
		iova_rules_free(r, magazine->pfn[i], &freed);
	magazine->count = 0;
}

static void depot_spill(struct iova_rules *r, struct rules_class *class)
{
	struct rules_magazine *magazine = depot_pop(class);

	spill(r, magazine);
	free(magazine);
}

#define NO_SLOT RULES_MAGAZINE

/* Of the newest that fits. */
static u32 slot_of(const struct rules_magazine *magazine, u64 highest)
{
	for (u32 i = magazine->count; i-- > 0;) {
		if (magazine->pfn[i] <= highest)
			return i;
	}
	return NO_SLOT;
}

/* The newest of `from` takes the slot's place. */
static u64 take(struct rules_magazine *magazine, u32 slot, struct rules_magazine *from)
{
	u64 pfn = magazine->pfn[slot];

	magazine->pfn[slot] = from->pfn[--from->count];
	return pfn;
}

/* Repaired: from prev, or from a magazine of the depot, which stays full. */
static u64 get_elsewhere(struct rules_class *class, struct rules_cpu_cache *cache, u64 highest)
{
	u32 slot = slot_of(&cache->prev, highest);

	if (slot != NO_SLOT)
		return take(&cache->prev, slot, &cache->prev);
	for (u32 i = class->depot_count; i-- > 0;) {
		slot = slot_of(class->depot[i], highest);
		if (slot != NO_SLOT)
			return take(class->depot[i], slot, &cache->loaded);
	}
	return RULES_FAIL;
}

/* RULES_FAIL: a miss. */
static u64 get(struct iova_rules *r, u32 order, u64 limit, u32 cpu)
{
	struct rules_class *class = &r->class[order];
	struct rules_cpu_cache *cache = &class->cpu[cpu];
	struct rules_magazine *loaded = &cache->loaded;
	u64 highest = limit + 1 - (1ULL << order);
	u32 slot;

	if (!loaded->count && cache->prev.count) {
		swap(cache);
	} else if (!loaded->count && class->depot_count) {
		struct rules_magazine *popped = depot_pop(class);

		*loaded = *popped;
		free(popped);
	}
	slot = slot_of(loaded, highest);
	if (slot != NO_SLOT)
		return take(loaded, slot, loaded);
	if (loaded->count && r->repairs & IOVA_REPAIR(CACHE_MISS))
		return get_elsewhere(class, cache, highest);
	return RULES_FAIL;
}

static void flush_all(struct iova_rules *r)
{
	for (u32 cpu = 0; cpu < r->cpus; cpu++) {
		for (u32 order = 0; order < RULES_CLASSES; order++) {
			spill(r, &r->class[order].cpu[cpu].loaded);
			spill(r, &r->class[order].cpu[cpu].prev);
		}
	}
	for (u32 order = 0; order < RULES_CLASSES; order++) {
		while (r->class[order].depot_count)
			depot_spill(r, &r->class[order]);
	}
}

u64 iova_rules_fast_alloc(struct iova_rules *r, u64 size, u64 limit, bool flush, u32 cpu)
{
	u32 order = rules_order(size);
	u64 pfn = RULES_FAIL;

	if (size < 32) /* F1 */
		size = 1ULL << order;
	if (order < RULES_CLASSES) /* F2 */
		pfn = get(r, order, limit, cpu);
	if (pfn != RULES_FAIL) /* F3 */
		return pfn;
	pfn = iova_rules_alloc(r, size, limit, order); /* F4 */
	if (pfn == RULES_FAIL && flush) {	       /* F5 */
		flush_all(r);
		pfn = iova_rules_alloc(r, size, limit, order);
	}
	return pfn;
}

void iova_rules_fast_free(struct iova_rules *r, u64 pfn, u64 size, u32 cpu)
{
	u32 order = rules_order(size);
	struct rules_cpu_cache *cache;
	struct rules_range freed;

	if (order >= RULES_CLASSES) {
		iova_rules_free(r, pfn, &freed);
		return;
	}
	cache = &r->class[order].cpu[cpu];
	if (cache->loaded.count == RULES_MAGAZINE) {
		if (cache->prev.count < RULES_MAGAZINE) {
			swap(cache);
		} else {
			depot_push(r, &r->class[order], &cache -> loaded);
			cache->loaded.count = 0;
		}
	}
	push(&cache->loaded, pfn);
}

void iova_rules_trim(struct iova_rules *r, u32 class)
{
	if (r->class[class].depot_count <= r->cpus)
		return;
	depot_spill(r, &r->class[class]);
	arm(r, &r->class[class]);
}

static struct rules_class *next_work(struct iova_rules *r, u64 until_ns)
{
	struct rules_class *next = NULL;

	for (u32 order = 0; order < RULES_CLASSES; order++) {
		struct rules_class *class = &r->class[order];

		if (!class->work || class->work_ns > until_ns)
			continue;
		if (!next || class->work_ns < next->work_ns ||
		    (class->work_ns == next->work_ns && class->work_order < next->work_order))
			next = class;
	}
	return next;
}

void iova_rules_pass(struct iova_rules *r, u64 ns)
{
	u64 until_ns = r->now_ns + ns;
	struct rules_class *class;

	while ((class = next_work(r, until_ns))) {
		r->now_ns = class->work_ns;
		class->work = false;
		iova_rules_trim(r, (u32)(class - r->class));
	}
	r->now_ns = until_ns;
}

u64 iova_rules_cached(const struct iova_rules *r)
{
	u64 count = 0;

	for (u32 order = 0; order < RULES_CLASSES; order++) {
		count += (u64)r->class[order].depot_count * RULES_MAGAZINE;
		for (u32 cpu = 0; cpu < r->cpus; cpu++)
			count += r->class[order].cpu[cpu].loaded.count +
				 r->class[order].cpu[cpu].prev.count;
	}
	return count;
}
