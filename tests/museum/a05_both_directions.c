/* SPDX-License-Identifier: MIT */
/*
 * A5: a crypto accelerator, QAT (the fix is known as d370cec).
 *
 * The source is mapped BIDIRECTIONAL, and so is the destination unless it is the same list. But two
 * different lists may well lead to the same pages, when data is enciphered in place: then two live
 * mappings that the device may write have the same bytes.
 *
 *   source list       --.           BIDIRECTIONAL       TO_DEVICE
 *                        >-- pages
 *   destination list  --'           BIDIRECTIONAL       FROM_DEVICE
 *                                   wrong               right
 *
 * With copies in between (swiotlb) the unmap of the source brings back what the device has read,
 * after that of the destination has brought the result: the ciphertext is lost. Learn from it: the
 * direction is part of the contract, and BIDIRECTIONAL no safe choice.
 */
#include "museum/museum.h"

#define QAT_JOB	 0x00 /* writing the address of a job does it */
#define QAT_MASK 0x5a /* a poor cipher */

#define QAT_PIECES 4

/* ---- The driver ------------------------------------------------------------------------------ */

struct qat_piece {
	__le64 addr;
	__le64 len;
};

struct qat_job {
	__le64 pieces; /* of source and destination each, which are alike */
	struct qat_piece src[QAT_PIECES];
	struct qat_piece dst[QAT_PIECES];
};

struct qat {
	void __iomem *regs;
	bool fixed;
	struct qat_job *job;
	dma_addr_t job_dma;
};

static void qat_fill(struct qat_piece *piece, struct sg_table *table)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(table, sg, i) {
		piece[i].addr = cpu_to_le64(sg_dma_address(sg));
		piece[i].len = cpu_to_le64(sg_dma_len(sg));
	}
}

static int qat_encipher(struct pci_dev *pdev, struct sg_table *src, struct sg_table *dst)
{
	struct qat *qat = pci_get_drvdata(pdev);
	enum dma_data_direction src_dir = DMA_BIDIRECTIONAL;
	enum dma_data_direction dst_dir = DMA_BIDIRECTIONAL;
	int err;

	if (qat->fixed && src != dst) {
		src_dir = DMA_TO_DEVICE;
		dst_dir = DMA_FROM_DEVICE;
	}
	err = dma_map_sgtable(&pdev->dev, src, src_dir, 0); /* [src] */
	if (err)
		return err;
	if (src != dst)
		err = dma_map_sgtable(&pdev->dev, dst, dst_dir, 0); /* [dst] */
	if (err) {
		dma_unmap_sgtable(&pdev->dev, src, src_dir, 0);
		return err;
	}
	qat->job->pieces = cpu_to_le64(src->nents);
	qat_fill(qat->job->src, src);
	qat_fill(qat->job->dst, dst);
	dma_wmb();
	writeq(qat->job_dma, qat->regs + QAT_JOB);
	if (src != dst)
		dma_unmap_sgtable(&pdev->dev, dst, dst_dir, 0);
	dma_unmap_sgtable(&pdev->dev, src, src_dir, 0);
	return 0;
}

static int qat_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct qat *qat = kzalloc(sizeof(*qat), GFP_KERNEL);

	if (!qat)
		return -ENOMEM;
	qat->fixed = id->driver_data;
	qat->regs = museum_enable(pdev);
	if (!qat->regs)
		goto free_qat;
	qat->job = dma_alloc_coherent(&pdev->dev, sizeof(*qat->job), &qat->job_dma, GFP_KERNEL);
	if (!qat->job)
		goto disable;
	pci_set_drvdata(pdev, qat);
	return 0;

disable:
	museum_disable(pdev, qat->regs);
free_qat:
	kfree(qat);
	return -ENOMEM;
}

static void qat_remove(struct pci_dev *pdev)
{
	struct qat *qat = pci_get_drvdata(pdev);

	dma_free_coherent(&pdev->dev, sizeof(*qat->job), qat->job, qat->job_dma);
	museum_disable(pdev, qat->regs);
	kfree(qat);
}

MUSEUM_IDS(qat_ids);

static struct pci_driver qat_driver = {
	.name = "qat",
	.id_table = qat_ids,
	.probe = qat_probe,
	.remove = qat_remove,
};
module_pci_driver(qat_driver);

/* ---- The device ------------------------------------------------------------------------------ */

static void qat_written(struct exhibit *exhibit, u64 offset)
{
	struct qat_job job;
	u8 bytes[SZ_4K];

	(void)offset;
	exhibit_read(exhibit, *exhibit_reg(exhibit, QAT_JOB), &job, sizeof(job));
	for (u64 i = 0; i < le64_to_cpu(job.pieces); i++) {
		u64 len = le64_to_cpu(job.src[i].len);

		assert_true(len <= sizeof(bytes));
		exhibit_read(exhibit, le64_to_cpu(job.src[i].addr), bytes, len);
		for (u64 at = 0; at < len; at++)
			bytes[at] ^= QAT_MASK;
		exhibit_write(exhibit, le64_to_cpu(job.dst[i].addr), bytes, len);
	}
}

/* ---- What is told ---------------------------------------------------------------------------- */

/* From one list to another, or the same; their pages differ or not. Is the result there? */
static bool encipher(struct exhibit *exhibit, enum museum_form form, bool same_list,
		     bool same_pages)
{
	struct page *pages[2];
	struct sg_table table[2];
	bool is_there = true;

	exhibit->written = qat_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	for (u32 i = 0; i < 2; i++) {
		pages[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
		assert_non_null(pages[i]);
		expect_ok(sg_alloc_table(&table[i], 1, GFP_KERNEL));
		sg_set_buf(table[i].sgl, page_address(pages[same_pages ? 0 : i]), SZ_4K);
	}
	expect_ok(qat_encipher(exhibit->pdev, &table[0], &table[same_list ? 0 : 1]));
	for (u32 at = 0; at < SZ_4K; at++)
		is_there &= ((u8 *)sg_virt(table[same_list ? 0 : 1].sgl))[at] == QAT_MASK;
	exhibit_unload(__FILE__);
	for (u32 i = 0; i < 2; i++) {
		sg_free_table(&table[i]);
		__free_pages(pages[i], 0);
	}
	return is_there;
}

static const struct caught overlap = {
	DMASIM_REPORT_MAPPINGS_OVERLAP,
	"call",
	"[dst]",
	"qat_encipher",
	"cacheline tracking EEXIST, overlapping mappings aren't supported",
};

/* trust: A5, the same pages to be written twice | our reading of the facts: real-bugs A5 */
static void both_directions_wrong(void **state)
{
	struct exhibit *exhibit = *state;

	assert_true(encipher(exhibit, MUSEUM_WRONG, false, true));
	exhibit_close(exhibit, __FILE__, &overlap, 1, 0);
}

/* The copy of the source comes back over the result. */
static void both_directions_wrong_loses_the_result(void **state)
{
	struct exhibit *exhibit = *state;

	assert_false(encipher(exhibit, MUSEUM_WRONG, false, true));
	exhibit_close(exhibit, __FILE__, &overlap, 1, 0);
}

/* What made it hard to find. */
static void both_directions_wrong_is_harmless_with_other_pages(void **state)
{
	assert_true(encipher(*state, MUSEUM_WRONG, false, false));
	exhibit_close_silent(*state);
}

static void both_directions_right(void **state)
{
	assert_true(encipher(*state, MUSEUM_RIGHT, false, true));
	exhibit_close_silent(*state);
}

static void both_directions_right_in_place(void **state)
{
	assert_true(encipher(*state, MUSEUM_RIGHT, true, true));
	exhibit_close_silent(*state);
}

TEST_MAIN(BEHIND_IOMMUS(both_directions_wrong), IN(direct, both_directions_wrong),
	  IN(direct_debug, both_directions_wrong),
	  IN(bounced, both_directions_wrong_loses_the_result),
	  EVERYWHERE(both_directions_wrong_is_harmless_with_other_pages),
	  EVERYWHERE(both_directions_right), EVERYWHERE(both_directions_right_in_place))
