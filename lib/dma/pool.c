/* SPDX-License-Identifier: MIT */
/*
 * DMA pools: small pieces of shared memory, all of one size, cut from pages of it.
 *
 * The list of the free ones is kept beside the memory: what is in it the device can write at any
 * time, also after a piece was freed.
 */
#include "dma/dma.h"

#define NO_PIECE	(~0U)
#define IN_USE		(~0U - 1) /* in place of a link: the piece is not free */
#define PIECE_BYTES_MAX (1U << 30)

struct pool_page {
	struct pool_page *next;
	u8 *memory;
	dma_addr_t dma;
	u32 first_free; /* number of a free piece, NO_PIECE: none */
	u32 used;
	u32 link[]; /* of each piece: the number of the next free one, NO_PIECE, IN_USE */
};

struct dma_pool {
	struct device *dev;
	u32 size;     /* of a piece, aligned */
	u32 bytes;    /* of what pieces are cut from */
	u32 boundary; /* no piece crosses a multiple of it */
	u32 pieces;   /* in a page */
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
	if (!*size || *size > PIECE_BYTES_MAX || !is_power_of_two(*align))
		return false;
	if (*size < sizeof(u32))
		*size = sizeof(u32);
	*size = (*size + *align - 1) & ~(*align - 1);
	if (*size > PIECE_BYTES_MAX)
		return false;
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

/* Pieces lie side by side from each multiple of the boundary on. */
static u32 pieces_within(const struct dma_pool *pool, u32 bytes)
{
	return bytes / pool->boundary * (pool->boundary / pool->size) +
	       bytes % pool->boundary / pool->size;
}

static u32 offset_of(const struct dma_pool *pool, u32 piece)
{
	u32 together = pool->boundary / pool->size;

	return piece / together * pool->boundary + piece % together * pool->size;
}

/* The piece that begins at `offset`, NO_PIECE: none does. */
static u32 piece_at(const struct dma_pool *pool, u32 offset)
{
	u32 piece = pieces_within(pool, offset);

	return piece < pool->pieces && offset_of(pool, piece) == offset ? piece : NO_PIECE;
}

struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				 size_t boundary)
{
	struct dma_pool *pool;
	size_t bytes;

	(void)name;
	if (!settle(&size, &align, &boundary, &bytes))
		return NULL;
	pool = os_alloc(dev->os, DMASIM_FAULT_DMA_POOL, sizeof(*pool));
	if (!pool)
		return NULL;
	pool->dev = dev;
	pool->size = (u32)size;
	pool->bytes = (u32)bytes;
	pool->boundary = (u32)boundary;
	pool->pieces = pieces_within(pool, pool->bytes);
	return pool;
}

static void set_all_free(struct pool_page *page, u32 pieces)
{
	for (u32 i = 0; i < pieces; i++)
		page->link[i] = i + 1 < pieces ? i + 1 : NO_PIECE;
	page->first_free = 0;
}

static struct pool_page *add_page(struct dma_pool *pool, gfp_t gfp)
{
	struct pool_page *page = os_alloc(pool->dev->os, DMASIM_FAULT_DMA_POOL,
					  sizeof(*page) + pool->pieces * sizeof(page->link[0]));

	if (!page)
		return NULL;
	page->memory = dma_alloc_attrs(pool->dev, pool->bytes, &page->dma, gfp, 0);
	if (!page->memory) {
		os_free(pool->dev->os, page);
		return NULL;
	}
	set_all_free(page, pool->pieces);
	page->next = pool->pages;
	pool->pages = page;
	return page;
}

static u32 take_piece(struct pool_page *page)
{
	u32 piece = page->first_free;

	page->first_free = page->link[piece];
	page->link[piece] = IN_USE;
	page->used++;
	return piece;
}

static void put_piece(struct pool_page *page, u32 piece)
{
	page->link[piece] = page->first_free;
	page->first_free = piece;
	page->used--;
}

struct dma_pool *dmasim_pool_called_at(struct dma_pool *pool, const struct dmasim_site *site)
{
	if (pool)
		dmasim_called_at(pool->dev, site);
	return pool;
}

void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	struct pool_page *page = pool->pages;
	u32 offset;

	while (page && page->first_free == NO_PIECE)
		page = page->next;
	if (!page)
		page = add_page(pool, gfp);
	dma_leave(pool->dev);
	if (!page)
		return NULL;
	offset = offset_of(pool, take_piece(page));
	*handle = page->dma + offset;
	if (gfp & __GFP_ZERO)
		memset(page->memory + offset, 0, pool->size);
	return page->memory + offset;
}

void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	return dma_pool_alloc(pool, gfp | __GFP_ZERO, handle);
}

static void refuse_free(struct dma_pool *pool, dma_addr_t dma, const char *what)
{
	dma_warn(pool->dev, DMASIM_REPORT_BAD_ARGUMENT, dma, pool->size, what);
}

void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t dma)
{
	struct pool_page *page = pool->pages;
	u32 piece = NO_PIECE;

	while (page && dma - page->dma >= pool->bytes)
		page = page->next;
	if (page && (u8 *)vaddr == page->memory + (dma - page->dma))
		piece = piece_at(pool, (u32)(dma - page->dma));
	if (piece == NO_PIECE)
		refuse_free(pool, dma, "dma_pool_free() of what the pool did not give");
	else if (page->link[piece] != IN_USE)
		refuse_free(pool, dma, "dma_pool_free() of a piece that is not in use");
	else
		put_piece(page, piece);
	dma_leave(pool->dev);
}

void dma_pool_destroy(struct dma_pool *pool)
{
	const struct dmasim_site *site;

	if (!pool)
		return;
	site = pool->dev->site;
	while (pool->pages) {
		struct pool_page *page = pool->pages;

		pool->pages = page->next;
		dmasim_called_at(pool->dev, site);
		if (page->used)
			dma_warn(pool->dev, DMASIM_REPORT_BAD_ARGUMENT, page->dma, page->used,
				 "dma_pool_destroy() of a pool with pieces in use");
		dma_free_attrs(pool->dev, pool->bytes, page->memory, page->dma, 0);
		os_free(pool->dev->os, page);
	}
	dma_leave(pool->dev);
	os_free(pool->dev->os, pool);
}
