/* SPDX-License-Identifier: MIT */
#include "workbench/pt_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/machine.h>

#define BYTES	((u64)PT_WORLD_PAGES << PAGE_SHIFT)
#define RUBBISH 0xa5

static struct pt_world *world_of(struct pgtable_host *host)
{
	return (struct pt_world *)(void *)((u8 *)host - offsetof(struct pt_world, host));
}

static void DMASIM_PRINTF(2, 3) wrong(struct pt_world *world, const char *format, ...)
{
	va_list args;

	if (world->wrong[0])
		return;
	va_start(args, format);
	vsnprintf(world->wrong, sizeof(world->wrong), format, args);
	va_end(args);
}

static bool fails(struct pt_world *world)
{
	return world->fail_in && !--world->fail_in;
}

/* ---- Tables ----------------------------------------------------------- */

static u32 number_of(const struct pt_world *world, phys_addr_t phys)
{
	return (u32)((phys - world->base) >> PAGE_SHIFT);
}

static struct page *fresh(struct pt_world *world, u8 order)
{
	u32 pages = 1U << order;
	u32 at = (world->used + pages - 1) & ~(pages - 1);
	struct page *page;

	if (at + pages > PT_WORLD_PAGES)
		return NULL;
	page = dmasim_page(world->s, world->base + ((u64)at << PAGE_SHIFT));
	if (page)
		world->used = at + pages;
	return page;
}

static struct page *table_alloc(struct pgtable_host *host, u8 order)
{
	struct pt_world *world = world_of(host);
	struct page *page = NULL;
	u32 number;

	world->allocations++;
	if (order >= PT_WORLD_ORDERS) {
		wrong(world, "a table of 2^%u pages was asked for", order);
		return NULL;
	}
	if (fails(world))
		return NULL;
	page = world->free[order];
	if (page)
		world->free[order] = page->next;
	else
		page = fresh(world, order);
	if (!page)
		return NULL;
	page->next = NULL;
	page->order = order;
	number = number_of(world, page_to_phys(page));
	world->born[number] = world->call;
	world->newest = page_to_phys(page);
	world->live++;
	memset(world->memory + ((u64)number << PAGE_SHIFT), 0, PAGE_SIZE << order);
	return page;
}

static void give_back(struct pt_world *world, struct page *page)
{
	u64 number = number_of(world, page_to_phys(page));

	world->born[number] = 0;
	world->live--;
	if (!world->platform.window_bytes)
		memset(world->memory + (number << PAGE_SHIFT), RUBBISH, PAGE_SIZE << page->order);
	if (world->seen)
		memset(world->seen + (number << PAGE_SHIFT), RUBBISH, PAGE_SIZE << page->order);
	page->next = world->free[page->order];
	world->free[page->order] = page;
}

/* NULL, and said, if there is none. */
static struct page *known(struct pt_world *world, struct page *page, const char *what)
{
	u64 number = page ? number_of(world, page_to_phys(page)) : PT_WORLD_PAGES;

	if (number < PT_WORLD_PAGES && world->born[number])
		return page;
	wrong(world, "%s that is no table, or was freed before", what);
	return NULL;
}

static void table_free(struct pgtable_host *host, struct page *page)
{
	struct pt_world *world = world_of(host);

	page = known(world, page, "a page is freed");
	if (!page)
		return;
	if (world->born[number_of(world, page_to_phys(page))] != world->call)
		wrong(world, "a table is freed at once: hardware may still walk it");
	else
		give_back(world, page);
}

static struct page *table_find(struct pgtable_host *host, phys_addr_t phys)
{
	struct pt_world *world = world_of(host);

	if (phys - world->base < BYTES && world->born[number_of(world, phys)])
		return dmasim_page(world->s, phys);
	wrong(world, "the page of a table is looked for at 0x%llx, where none is", phys);
	return dmasim_page(world->s, world->base);
}

void pt_world_release(struct pt_world *world, struct page *tables)
{
	for (struct page *next; tables; tables = next) {
		next = tables->next;
		if (!known(world, tables, "a page waits in a gather"))
			return;
		give_back(world, tables);
		world->host.costs.tables_freed++;
	}
}

/* ---- The platform ----------------------------------------------------- */

static bool is_table(const struct pt_world *world, phys_addr_t phys)
{
	u64 number = (phys - world->base) >> PAGE_SHIFT;

	if (phys - world->base >= BYTES)
		return false;
	/* The tables of several pages are aligned to them. */
	for (u32 order = 0; order < PT_WORLD_ORDERS; order++) {
		u64 first = number & ~((1ULL << order) - 1);

		if (world->born[first])
			return true;
	}
	return false;
}

static void *world_ptr(void *machine, phys_addr_t phys)
{
	struct pt_world *world = machine;

	if (is_table(world, phys))
		return world->memory + (phys - world->base);
	wrong(world, "a table is looked for at 0x%llx, where none is; the newest is at 0x%llx",
	      phys, world->newest);
	memset(world->nowhere, 0, sizeof(world->nowhere));
	return world->nowhere + phys % (sizeof(world->nowhere) / 2);
}

static void *world_alloc(void *machine, enum dmasim_fault_point why, size_t bytes)
{
	struct pt_world *world = machine;

	(void)why;
	world->allocations++;
	return fails(world) ? NULL : calloc(1, bytes);
}

static void world_free(void *machine, void *memory)
{
	(void)machine;
	free(memory);
}

static phys_addr_t world_frames(void *machine, enum dmasim_fault_point why, u64 count,
				phys_addr_t last)
{
	(void)why;
	(void)count;
	(void)last;
	wrong(machine, "tables come from the host of the configuration alone");
	return PLATFORM_NO_PHYS;
}

static void world_clean(void *machine, phys_addr_t phys, u64 bytes)
{
	struct pt_world *world = machine;

	if (world->seen && phys - world->base < BYTES && bytes <= BYTES - (phys - world->base))
		memcpy(world->seen + (phys - world->base), world->memory + (phys - world->base),
		       bytes);
}

static void world_point(void *machine, enum dmasim_point point)
{
	struct pt_world *world = machine;

	(void)point;
	if (world->hook)
		world->hook(world->cookie);
}

static u64 world_now(void *machine)
{
	(void)machine;
	return 0;
}

static void world_report(void *machine, const struct platform_report *report)
{
	wrong(machine, "it reports: %s", report->what);
}

static const struct platform_ops world_ops = {
	.frames_alloc = world_frames,
	.ptr = world_ptr,
	.alloc = world_alloc,
	.free = world_free,
	.cache_clean = world_clean,
	.cache_invalidate = world_clean,
	.now = world_now,
	.point = world_point,
	.report = world_report,
};

struct pt_world *pt_world_create(bool coherent, bool fast)
{
	struct pt_world *world = calloc(1, sizeof(*world));

	if (!world)
		return NULL;
	world->s = dmasim_create(&(struct dmasim_config){
		DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU, .no_check = true, .no_watch = true,
		.swiotlb = DMASIM_SWIOTLB_OFF, .seed = 1 });
	world->base = world->s ? dmasim_alloc(world->s, BYTES) : DMASIM_NO_PHYS;
	if (world->base != DMASIM_NO_PHYS)
		world->memory = dmasim_ptr(world->s, world->base, BYTES);
	if (world->memory && !coherent)
		world->seen = calloc(1, BYTES);
	if (!world->memory || (!coherent && !world->seen)) {
		pt_world_destroy(world);
		return NULL;
	}
	world->call = 1;
	world->platform = (struct platform){ .ops = &world_ops, .machine = world };
	if (fast) {
		world->platform.window_start = world->base;
		world->platform.window_bytes = BYTES;
		world->platform.window_host = world->memory;
	}
	world->host = (struct pgtable_host){
		.platform = &world->platform,
		.alloc = table_alloc,
		.free = table_free,
		.find = table_find,
	};
	return world;
}

void pt_world_destroy(struct pt_world *world)
{
	if (!world)
		return;
	dmasim_destroy(world->s);
	free(world->seen);
	free(world);
}

void pt_world_call(struct pt_world *world)
{
	world->call++;
}

void pt_world_fail(struct pt_world *world, u64 nth)
{
	world->fail_in = nth;
}

bool pt_world_fetch(const struct pt_world *world, phys_addr_t phys, void *to, u32 bytes)
{
	const u8 *from = world->seen ? world->seen : world->memory;

	if (!is_table(world, phys) || !is_table(world, phys + bytes - 1))
		return false;
	memcpy(to, from + (phys - world->base), bytes);
	return true;
}

void pt_world_step(struct pt_world *world, pt_world_hook *hook, void *cookie)
{
	world->hook = hook;
	world->cookie = cookie;
	world->platform.stepping = hook != NULL;
}
