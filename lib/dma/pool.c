/* SPDX-License-Identifier: MIT */
/*
 * DMA pools: small pieces of shared memory, all of one size, cut from pages of it.
 *
 * Free pieces hold the number of the next free one, so a pool costs one record for each page.
 */
#include <bsd/string.h>

#include "dma/dma.h"

#define NO_PIECE (~0U)

struct pool_page {
	struct pool_page *next;
	u8 *memory;
	dma_addr_t dma;
	u32 first_free; /* offset of a free piece, NO_PIECE: none */
	u32 used;
};

struct dma_pool {
	struct device *dev;
	char name[32];
	u32 size;     /* of a piece, aligned */
	u32 bytes;    /* of what pieces are cut from */
	u32 boundary; /* no piece crosses a multiple of it */
	struct pool_page *pages;
};

static bool is_power_of_two(size_t value)
{
	return value && !(value & (value - 1));
}

/* False: no pool can have these. 0 stands for no wish. */
static bool settle(size_t *size, size_t *align, size_t *boundary, size_t *bytes)
{
	if (!*align)
		*align = 1;
	if (!*size || *size > (1U << 30) || !is_power_of_two(*align))
		return false;
	if (*size < sizeof(u32))
		*size = sizeof(u32);
	*size = (*size + *align - 1) & ~(*align - 1);
	*bytes = *size > PAGE_SIZE ? *size : PAGE_SIZE;
	if (!*boundary) {
		*boundary = *bytes;
		return true;
	}
	if (*boundary < *size || !is_power_of_two(*boundary))
		return false;
	if (*boundary > *bytes)
		*boundary = *bytes;
	return true;
}

struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				 size_t boundary)
{
	struct dma_pool *pool;
	size_t bytes;

	if (!settle(&size, &align, &boundary, &bytes))
		return NULL;
	pool = os_alloc(dev->os, DMASIM_FAULT_DMA_POOL, sizeof(*pool));
	if (!pool)
		return NULL;
	pool->dev = dev;
	strlcpy(pool->name, name, sizeof(pool->name));
	pool->size = (u32)size;
	pool->bytes = (u32)bytes;
	pool->boundary = (u32)boundary;
	return pool;
}

/* Where the piece after the one at `offset` begins. */
static u32 next_offset(const struct dma_pool *pool, u32 offset)
{
	u32 next = offset + pool->size;
	u32 stretch_end = (offset / pool->boundary + 1) * pool->boundary;

	return next + pool->size > stretch_end ? stretch_end : next;
}

/* Threads all pieces of a page into its free list. */
static void thread(const struct dma_pool *pool, struct pool_page *page)
{
	u32 offset = 0;

	while (offset + pool->size <= pool->bytes) {
		u32 next = next_offset(pool, offset);
		u32 *link = (u32 *)(void *)(page->memory + offset);

		*link = next + pool->size <= pool->bytes ? next : NO_PIECE;
		offset = next;
	}
	page->first_free = 0;
}

static struct pool_page *add_page(struct dma_pool *pool, gfp_t gfp)
{
	struct pool_page *page = os_alloc(pool->dev->os, DMASIM_FAULT_DMA_POOL, sizeof(*page));

	if (!page)
		return NULL;
	page->memory = dma_alloc_attrs(pool->dev, pool->bytes, &page->dma, gfp, 0);
	if (!page->memory) {
		os_free(pool->dev->os, page);
		return NULL;
	}
	thread(pool, page);
	page->next = pool->pages;
	pool->pages = page;
	return page;
}

void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	struct pool_page *page = pool->pages;
	u8 *piece;

	while (page && page->first_free == NO_PIECE)
		page = page->next;
	if (!page)
		page = add_page(pool, gfp);
	if (!page)
		return NULL;
	piece = page->memory + page->first_free;
	*handle = page->dma + page->first_free;
	memcpy(&page->first_free, piece, sizeof(page->first_free));
	page->used++;
	if (gfp & __GFP_ZERO)
		memset(piece, 0, pool->size);
	return piece;
}

void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	return dma_pool_alloc(pool, gfp | __GFP_ZERO, handle);
}

void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t dma)
{
	struct pool_page *page = pool->pages;
	u32 offset;

	while (page && dma - page->dma >= pool->bytes)
		page = page->next;
	if (!page || (u8 *)vaddr != page->memory + (dma - page->dma)) {
		dma_warn(pool->dev, DMASIM_REPORT_BAD_ARGUMENT, dma, pool->size,
			 "dma_pool_free() of what the pool did not give");
		return;
	}
	offset = (u32)(dma - page->dma);
	memcpy(vaddr, &page->first_free, sizeof(page->first_free));
	page->first_free = offset;
	page->used--;
}

void dma_pool_destroy(struct dma_pool *pool)
{
	if (!pool)
		return;
	while (pool->pages) {
		struct pool_page *page = pool->pages;

		pool->pages = page->next;
		if (page->used)
			dma_warn(pool->dev, DMASIM_REPORT_BAD_ARGUMENT, page->dma, page->used,
				 "dma_pool_destroy() of a pool with pieces in use");
		dma_free_attrs(pool->dev, pool->bytes, page->memory, page->dma, 0);
		os_free(pool->dev->os, page);
	}
	os_free(pool->dev->os, pool);
}
