/* SPDX-License-Identifier: MIT */
/*
 * A4: an SPI controller that uses another device's DMA, fsl-dspi (fixed by 03fe7aaf0c3d).
 *
 * Its two buffers come from dma_alloc_coherent(), for the DMA controller, and go to
 * dma_unmap_single(). That ends the mapping and keeps the memory: each unbind loses two pages, and
 * nobody notices. Learn from it: what a call gave, its own counterpart takes back; and what is told
 * names the device that does the DMA, which is not the one whose driver is wrong.
 */
#include "museum/museum.h"

#define DSPI_TX	  0x00
#define DSPI_RX	  0x08
#define DSPI_SEND 0x10 /* writing the number of bytes sends; what comes in meanwhile is received */

#define DSPI_BYTES 4096

/* ---- The driver ------------------------------------------------------------------------------ */

struct dspi {
	void __iomem *regs;
	bool fixed;
	struct device *dma_dev; /* the DMA controller */
	void *tx;
	void *rx;
	dma_addr_t tx_dma;
	dma_addr_t rx_dma;
};

static void dspi_release_dma(struct pci_dev *pdev)
{
	struct dspi *dspi = pci_get_drvdata(pdev);
	struct device *dev = dspi->dma_dev;

	if (dspi->fixed) {
		dma_free_coherent(dev, DSPI_BYTES, dspi->tx, dspi->tx_dma);
		dma_free_coherent(dev, DSPI_BYTES, dspi->rx, dspi->rx_dma);
	} else {
		dma_unmap_single(dev, dspi->tx_dma, DSPI_BYTES, DMA_TO_DEVICE);	  /* [tx] */
		dma_unmap_single(dev, dspi->rx_dma, DSPI_BYTES, DMA_FROM_DEVICE); /* [rx] */
	}
}

static int dspi_request_dma(struct pci_dev *pdev, struct device *dma_dev)
{
	struct dspi *dspi = pci_get_drvdata(pdev);

	dspi->dma_dev = dma_dev;
	dspi->tx = dma_alloc_coherent(dma_dev, DSPI_BYTES, &dspi->tx_dma, GFP_KERNEL);
	if (!dspi->tx)
		return -ENOMEM;
	dspi->rx = dma_alloc_coherent(dma_dev, DSPI_BYTES, &dspi->rx_dma, GFP_KERNEL);
	if (!dspi->rx) {
		dma_free_coherent(dma_dev, DSPI_BYTES, dspi->tx, dspi->tx_dma);
		return -ENOMEM;
	}
	writeq(dspi->tx_dma, dspi->regs + DSPI_TX);
	writeq(dspi->rx_dma, dspi->regs + DSPI_RX);
	return 0;
}

static void dspi_transfer(struct pci_dev *pdev, const void *out, void *in, size_t len)
{
	struct dspi *dspi = pci_get_drvdata(pdev);

	memcpy(dspi->tx, out, len);
	dma_wmb();
	writeq(len, dspi->regs + DSPI_SEND);
	dma_rmb();
	memcpy(in, dspi->rx, len);
}

static int dspi_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct dspi *dspi = kzalloc(sizeof(*dspi), GFP_KERNEL);

	if (!dspi)
		return -ENOMEM;
	dspi->fixed = id->driver_data;
	dspi->regs = museum_enable(pdev);
	if (!dspi->regs) {
		kfree(dspi);
		return -ENOMEM;
	}
	pci_set_drvdata(pdev, dspi);
	return 0;
}

static void dspi_remove(struct pci_dev *pdev)
{
	struct dspi *dspi = pci_get_drvdata(pdev);

	dspi_release_dma(pdev);
	museum_disable(pdev, dspi->regs);
	kfree(dspi);
}

MUSEUM_IDS(dspi_ids);

static struct pci_driver dspi_driver = {
	.name = "dspi",
	.id_table = dspi_ids,
	.probe = dspi_probe,
	.remove = dspi_remove,
};
module_pci_driver(dspi_driver);

/* ---- The devices: the controller's pins are tied together, another one moves the bytes ------- */

static void dspi_written(struct exhibit *exhibit, u64 offset)
{
	u64 len = *exhibit_reg(exhibit, DSPI_SEND);
	u8 bytes[64];

	if (offset != DSPI_SEND)
		return;
	assert_true(len <= sizeof(bytes));
	expect_done(dmasim_dev_read(exhibit->maps_for, *exhibit_reg(exhibit, DSPI_TX), bytes, len),
		    len);
	expect_done(dmasim_dev_write(exhibit->maps_for, *exhibit_reg(exhibit, DSPI_RX), bytes, len),
		    len);
}

/* ---- What is told ---------------------------------------------------------------------------- */

static void use_and_unbind(struct exhibit *exhibit, enum museum_form form)
{
	u8 out[64], in[64] = { 0 };

	exhibit->maps_for =
		dmasim_add_endpoint(exhibit->s, "00:02.0/00.0", &(struct dmasim_endpoint){ 0 });
	assert_non_null(exhibit->maps_for);
	exhibit->written = dspi_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	/* The DMA controller has a driver of its own, which does this. */
	pci_set_master(exhibit->maps_for);
	expect_ok(dspi_request_dma(exhibit->pdev, &exhibit->maps_for->dev));
	fill_pattern(out, sizeof(out), 4);
	dspi_transfer(exhibit->pdev, out, in, sizeof(out));
	assert_memory_equal(in, out, sizeof(out));
	exhibit_unload(__FILE__);
}

#define AT(place) DMASIM_REPORT_UNMAP_MISMATCH, "call", place, "dspi_release_dma"

#define OTHER_FUNCTION                                                             \
	"device driver frees DMA memory with wrong function [device address=0x*] " \
	"[size=4096 bytes] [mapped as coherent] [unmapped as phy]"
#define OTHER_DIRECTION(direction)                                                      \
	"device driver frees DMA memory with different direction [device address=0x*] " \
	"[size=4096 bytes] [mapped with DMA_BIDIRECTIONAL] [unmapped with " direction "]"

/*
 * trust: A4, the wrong API: both unmaps are told, each twice
 * | our reading of the facts: real-bugs A4
 */
static void wrong_api_wrong(void **state)
{
	static const struct caught caught[] = {
		{ AT("[tx]"), OTHER_FUNCTION },
		{ AT("[tx]"), OTHER_DIRECTION("DMA_TO_DEVICE") },
		{ AT("[rx]"), OTHER_FUNCTION },
		{ AT("[rx]"), OTHER_DIRECTION("DMA_FROM_DEVICE") },
	};
	struct exhibit *exhibit = *state;

	use_and_unbind(exhibit, MUSEUM_WRONG);
	exhibit_close(exhibit, __FILE__, caught, 4, 2);
}

static void wrong_api_right(void **state)
{
	struct exhibit *exhibit = *state;

	use_and_unbind(exhibit, MUSEUM_RIGHT);
	exhibit_close_silent(exhibit);
}

TEST_MAIN(EVERYWHERE(wrong_api_wrong), EVERYWHERE(wrong_api_right))
