/* SPDX-License-Identifier: MIT */
/*
 * B4: the block layer's mapping of requests (fixed by a0750fae73c5; the code came with
 * 2f6b2565d43c).
 *
 * A request has a struct dma_iova_state, and requests are used again. One whose pieces an IOMMU can
 * join allocates a range there; another maps each piece by itself and does not touch the state. But
 * the completion asks the state which it was, and the state may be that of the request before:
 *
 *   request 0   alloc [ a ]  destroy                        direct: destroys [ a ] !
 *   request 1                         alloc [ a ]   ...............  its range is gone
 *
 * The range has another owner by then, whose device faults, or worse. Learn from it: a state that
 * outlives its transaction is set by each way through the code, also by the one without a use for
 * it. (dma_iova_try_alloc() clears it, destroy does not.)
 */
#include "museum/museum.h"

#define BLK_TABLE 0x00 /* the segments' address; a slot has BLK_SEGMENTS of them */
#define BLK_COUNT 0x08
#define BLK_START 0x10 /* writing a slot reads into its segments, sooner or later */

#define BLK_SLOTS    2
#define BLK_SEGMENTS 4

/* ---- The driver ------------------------------------------------------------------------------ */

struct blk_segment {
	__le64 addr;
	__le64 len;
};

struct blk_piece {
	struct page *page;
	unsigned int offset;
	unsigned int len;
};

/* Used again and again, one for each slot. */
struct blk_request {
	struct dma_iova_state state;
	const struct blk_piece *piece;
	unsigned int pieces;
	struct blk_segment *segment;
	unsigned int segments;
};

struct blk {
	void __iomem *regs;
	bool fixed;
	struct blk_segment *table;
	dma_addr_t table_dma;
	struct blk_request request[BLK_SLOTS];
};

static void blk_add(struct blk_request *rq, dma_addr_t dma, unsigned int len)
{
	rq->segment[rq->segments].addr = cpu_to_le64(dma);
	rq->segment[rq->segments].len = cpu_to_le64(len);
	rq->segments++;
}

/* Pieces that can be joined: whole pages. */
static bool blk_can_join(const struct blk_request *rq)
{
	for (unsigned int i = 0; i < rq->pieces; i++) {
		if (rq->piece[i].offset || rq->piece[i].len != PAGE_SIZE)
			return false;
	}
	return true;
}

static int blk_map_joined(struct device *dev, struct blk_request *rq)
{
	size_t done = 0;
	int err = 0;

	for (unsigned int i = 0; i < rq->pieces && !err; i++) {
		err = dma_iova_link(dev, &rq->state, page_to_phys(rq->piece[i].page), done,
				    PAGE_SIZE, DMA_FROM_DEVICE, 0);
		done += err ? 0 : PAGE_SIZE;
	}
	if (!err)
		err = dma_iova_sync(dev, &rq->state, 0, done);
	if (err)
		dma_iova_destroy(dev, &rq->state, done, DMA_FROM_DEVICE, 0);
	else
		blk_add(rq, rq->state.addr, done);
	return err;
}

static void blk_unmap_pieces(struct device *dev, struct blk_request *rq)
{
	for (unsigned int i = 0; i < rq->segments; i++)
		dma_unmap_page(dev, le64_to_cpu(rq->segment[i].addr),
			       le64_to_cpu(rq->segment[i].len), DMA_FROM_DEVICE);
}

static int blk_map_pieces(struct device *dev, struct blk_request *rq)
{
	for (unsigned int i = 0; i < rq->pieces; i++) {
		const struct blk_piece *at = &rq->piece[i];
		dma_addr_t dma;

		dma = dma_map_page(dev, at->page, at->offset, at->len, DMA_FROM_DEVICE); /* [map] */
		if (dma_mapping_error(dev, dma)) {
			blk_unmap_pieces(dev, rq);
			return -ENOMEM;
		}
		blk_add(rq, dma, at->len);
	}
	return 0;
}

static int blk_map(struct blk *blk, struct device *dev, struct blk_request *rq)
{
	phys_addr_t phys = page_to_phys(rq->piece[0].page);

	rq->segments = 0;
	if (blk_can_join(rq) && dma_iova_try_alloc(dev, &rq->state, phys, rq->pieces * PAGE_SIZE))
		return blk_map_joined(dev, rq);
	if (blk->fixed)
		memset(&rq->state, 0, sizeof(rq->state)); /* the fix */
	return blk_map_pieces(dev, rq);
}

static void blk_complete(struct pci_dev *pdev, unsigned int slot)
{
	struct blk *blk = pci_get_drvdata(pdev);
	struct blk_request *rq = &blk->request[slot];
	struct dma_iova_state *state = &rq->state;
	size_t mapped = 0;

	for (unsigned int i = 0; i < rq->pieces; i++)
		mapped += rq->piece[i].len;
	if (dma_use_iova(state))
		dma_iova_destroy(&pdev->dev, state, mapped, DMA_FROM_DEVICE, 0); /* [destroy] */
	else
		blk_unmap_pieces(&pdev->dev, rq);
}

static int blk_start(struct pci_dev *pdev, unsigned int slot, const struct blk_piece *piece,
		     unsigned int pieces)
{
	struct blk *blk = pci_get_drvdata(pdev);
	struct blk_request *rq = &blk->request[slot];
	int err;

	rq->piece = piece;
	rq->pieces = pieces;
	err = blk_map(blk, &pdev->dev, rq);
	if (err)
		return err;
	dma_wmb();
	writeq(rq->segments, blk->regs + BLK_COUNT);
	writeq(slot, blk->regs + BLK_START);
	return 0;
}

static int blk_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct blk *blk = kzalloc(sizeof(*blk), GFP_KERNEL);
	size_t bytes = BLK_SLOTS * BLK_SEGMENTS * sizeof(struct blk_segment);

	if (!blk)
		return -ENOMEM;
	blk->fixed = id->driver_data;
	blk->regs = museum_enable(pdev);
	if (!blk->regs)
		goto free_blk;
	blk->table = dma_alloc_coherent(&pdev->dev, bytes, &blk->table_dma, GFP_KERNEL);
	if (!blk->table)
		goto disable;
	for (unsigned int i = 0; i < BLK_SLOTS; i++)
		blk->request[i].segment = blk->table + i * BLK_SEGMENTS;
	writeq(blk->table_dma, blk->regs + BLK_TABLE);
	pci_set_drvdata(pdev, blk);
	return 0;

disable:
	museum_disable(pdev, blk->regs);
free_blk:
	kfree(blk);
	return -ENOMEM;
}

static void blk_remove(struct pci_dev *pdev)
{
	struct blk *blk = pci_get_drvdata(pdev);
	size_t bytes = BLK_SLOTS * BLK_SEGMENTS * sizeof(struct blk_segment);

	dma_free_coherent(&pdev->dev, bytes, blk->table, blk->table_dma);
	museum_disable(pdev, blk->regs);
	kfree(blk);
}

MUSEUM_IDS(blk_ids);

static struct pci_driver blk_driver = {
	.name = "blk",
	.id_table = blk_ids,
	.probe = blk_probe,
	.remove = blk_remove,
};
module_pci_driver(blk_driver);

/* ---- The device: it takes its time ----------------------------------------------------------- */

struct disk {
	u64 count[BLK_SLOTS]; /* of segments it was given */
};

static void blk_written(struct exhibit *exhibit, u64 offset)
{
	struct disk *disk = exhibit->model;

	if (offset == BLK_START)
		disk->count[*exhibit_reg(exhibit, BLK_START)] = *exhibit_reg(exhibit, BLK_COUNT);
}

/* The disk does what a slot asks for. Did all of it get through? */
static bool disk_works(struct exhibit *exhibit, u32 slot)
{
	struct disk *disk = exhibit->model;
	u8 bytes[BLK_SEGMENTS * SZ_4K];
	bool done = true;

	memset(bytes, 0x40 + (int)slot, sizeof(bytes));
	for (u64 i = 0; i < disk->count[slot]; i++) {
		struct blk_segment segment;
		u64 at = *exhibit_reg(exhibit, BLK_TABLE) +
			 (slot * BLK_SEGMENTS + i) * sizeof(segment);
		u64 len;

		exhibit_read(exhibit, at, &segment, sizeof(segment));
		len = le64_to_cpu(segment.len);
		assert_true(len <= sizeof(bytes));
		done &= dmasim_dev_write(exhibit->pdev, le64_to_cpu(segment.addr), bytes, len)
				.status == DMASIM_DONE;
	}
	return done;
}

/* ---- What is told ---------------------------------------------------------------------------- */

/*
 * Request 0 is joined; then request 1 is, and while it is on its way request 0 has one piece, of so
 * many bytes in the middle of pages. Did what request 1 reads arrive?
 */
static bool play(struct exhibit *exhibit, enum museum_form form, unsigned int bytes)
{
	struct blk_piece piece[3] = { { .len = SZ_4K }, { .len = SZ_4K }, { NULL, 512, bytes } };
	struct page *pages;
	struct disk disk = { 0 };
	bool arrived;

	exhibit->model = &disk;
	exhibit->written = blk_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	pages = alloc_pages(GFP_KERNEL, 3);
	assert_non_null(pages);
	for (u32 i = 0; i < 3; i++)
		piece[i].page = virt_to_page((u8 *)page_address(pages) + 2 * i * SZ_4K);

	expect_ok(blk_start(exhibit->pdev, 0, piece, 2));
	assert_true(disk_works(exhibit, 0));
	blk_complete(exhibit->pdev, 0);

	expect_ok(blk_start(exhibit->pdev, 1, piece, 2));
	expect_ok(blk_start(exhibit->pdev, 0, piece + 2, 1));
	assert_true(disk_works(exhibit, 0));
	blk_complete(exhibit->pdev, 0);
	arrived = disk_works(exhibit, 1);
	blk_complete(exhibit->pdev, 1);

	exhibit_unload(__FILE__);
	__free_pages(pages, 3);
	return arrived;
}

/* The range is destroyed by what another request has mapped of it. */
#define ITS_LINKS                                                                  \
	{                                                                          \
		DMASIM_REPORT_FREE_WITH_LINKS, "call", "[destroy]", "blk_complete" \
	}
/* Its owner's device is refused, and its owner has nothing to destroy. */
#define ITS_OWNER                                                                   \
	{ DMASIM_REPORT_USE_AFTER_UNMAP, "unmapped", "[destroy]", "blk_complete" }, \
	{                                                                           \
		DMASIM_REPORT_STATE_ENDED, "ended", "[destroy]", "blk_complete"     \
	}
/* And what was mapped piece by piece stays so. */
#define ITS_PIECES(bytes)                                                                       \
	{                                                                                       \
		DMASIM_REPORT_MAPPING_LEAKED, "mapped", "[map]", "blk_map_pieces",              \
			"device driver has pending DMA allocations while released from device " \
			"[count=1]\nOne of leaked entries details: [device address=0x*] "       \
			"[size=" bytes " bytes] [mapped with DMA_FROM_DEVICE] [mapped as phy]"  \
	}

/*
 * trust: B4, the state of the request before: another's range is destroyed
 * | our reading of the facts: real-bugs B4
 */
static void stale_state_wrong(void **state)
{
	static const struct caught caught[] = { ITS_LINKS, ITS_OWNER, ITS_PIECES("1024") };

	assert_false(play(*state, MUSEUM_WRONG, 1024));
	exhibit_close(*state, __FILE__, caught, 4, 0);
}

/* Nothing tells the stale state from the true one, until the device of the true one is refused. */
static void stale_state_wrong_of_the_same_length(void **state)
{
	static const struct caught caught[] = { ITS_OWNER, ITS_PIECES("8192") };

	assert_false(play(*state, MUSEUM_WRONG, 2 * SZ_4K));
	exhibit_close(*state, __FILE__, caught, 3, 0);
}

/* Without an IOMMU no state is ever used. */
static void stale_state_wrong_is_never_used(void **state)
{
	assert_true(play(*state, MUSEUM_WRONG, 1024));
	exhibit_close_silent(*state);
}

static void stale_state_right(void **state)
{
	assert_true(play(*state, MUSEUM_RIGHT, 1024));
	exhibit_close_silent(*state);
}

TEST_MAIN(BEHIND_IOMMUS(stale_state_wrong), BEHIND_IOMMUS(stale_state_wrong_of_the_same_length),
	  WITHOUT_IOMMU(stale_state_wrong_is_never_used), EVERYWHERE(stale_state_right))
