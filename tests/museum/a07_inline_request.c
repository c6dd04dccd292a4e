/* SPDX-License-Identifier: MIT */
/*
 * A7: an SD card host, mmci with stm32's sdmmc (fixed by fe8d33bd33d5).
 *
 * There are two ways to a request. Prepared ahead, pre_req maps its buffer, leaves a cookie, and
 * post_req unmaps. Without a cookie the request is mapped as it starts, and nobody unmaps it. A
 * kernel tells only what comes of it: the same page mapped for the eighth time, "exceeded 7
 * overlapping mappings", many requests after the first mistake. Learn from it: whoever maps says
 * who unmaps; the path that is rarely taken is where to look.
 */
#include "museum/museum.h"

#define SD_ADDR 0x00
#define SD_LEN	0x08
#define SD_READ 0x10 /* writing a block's number reads it to ADDR */

#define SD_BLOCK 512

/* ---- The driver ------------------------------------------------------------------------------ */

struct sd_data {
	void *buf;
	dma_addr_t dma;
	int cookie; /* 0: nobody has prepared it */
};

struct sd_host {
	void __iomem *regs;
	bool fixed;
};

static int sd_map(struct pci_dev *pdev, struct sd_data *data)
{
	data->dma = dma_map_single(&pdev->dev, data->buf, SD_BLOCK, DMA_FROM_DEVICE); /* [map] */
	return dma_mapping_error(&pdev->dev, data->dma);
}

static void sd_unmap(struct pci_dev *pdev, struct sd_data *data)
{
	dma_unmap_single(&pdev->dev, data->dma, SD_BLOCK, DMA_FROM_DEVICE);
}

/* While the request before it is still running. */
static void sd_pre_req(struct pci_dev *pdev, struct sd_data *data)
{
	data->cookie = !sd_map(pdev, data);
}

static void sd_post_req(struct pci_dev *pdev, struct sd_data *data)
{
	if (data->cookie)
		sd_unmap(pdev, data);
	data->cookie = 0;
}

static void sd_finalize(struct pci_dev *pdev, struct sd_data *data)
{
	struct sd_host *host = pci_get_drvdata(pdev);

	if (host->fixed && !data->cookie) /* the fix */
		sd_unmap(pdev, data);
}

static int sd_request(struct pci_dev *pdev, struct sd_data *data, u64 block)
{
	struct sd_host *host = pci_get_drvdata(pdev);

	if (!data->cookie && sd_map(pdev, data))
		return -EINVAL;
	writeq(data->dma, host->regs + SD_ADDR);
	writeq(SD_BLOCK, host->regs + SD_LEN);
	writeq(block, host->regs + SD_READ);
	sd_finalize(pdev, data);
	return 0;
}

static int sd_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct sd_host *host = kzalloc(sizeof(*host), GFP_KERNEL);

	if (!host)
		return -ENOMEM;
	host->fixed = id->driver_data;
	host->regs = museum_enable(pdev);
	if (!host->regs) {
		kfree(host);
		return -ENOMEM;
	}
	pci_set_drvdata(pdev, host);
	return 0;
}

static void sd_remove(struct pci_dev *pdev)
{
	struct sd_host *host = pci_get_drvdata(pdev);

	museum_disable(pdev, host->regs);
	kfree(host);
}

MUSEUM_IDS(sd_ids);

static struct pci_driver sd_driver = {
	.name = "sdmmc",
	.id_table = sd_ids,
	.probe = sd_probe,
	.remove = sd_remove,
};
module_pci_driver(sd_driver);

/* ---- The device: a card whose blocks hold their number --------------------------------------- */

static void sd_written(struct exhibit *exhibit, u64 offset)
{
	u8 block[SD_BLOCK];

	if (offset != SD_READ)
		return;
	expect_u64(*exhibit_reg(exhibit, SD_LEN), sizeof(block));
	memset(block, (int)*exhibit_reg(exhibit, SD_READ), sizeof(block));
	exhibit_write(exhibit, *exhibit_reg(exhibit, SD_ADDR), block, sizeof(block));
}

/* ---- What is told ---------------------------------------------------------------------------- */

#define REQUESTS 10

/* Requests into the same buffer, each prepared ahead or not. */
static void read_blocks(struct exhibit *exhibit, enum museum_form form, bool prepared)
{
	struct sd_data data = { 0 };

	exhibit->written = sd_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	data.buf = kmalloc(SD_BLOCK, GFP_KERNEL);
	assert_non_null(data.buf);
	for (u32 block = 1; block <= REQUESTS; block++) {
		if (prepared)
			sd_pre_req(exhibit->pdev, &data);
		expect_ok(sd_request(exhibit->pdev, &data, block));
		sd_post_req(exhibit->pdev, &data);
	}
	exhibit_unload(__FILE__);
	kfree(data.buf);
}

#define EXCEEDED "DMA-API: exceeded 7 overlapping mappings of cacheline 0x"

/*
 * trust: A7, an unmap on one of two ways: told at the second request
 * | our reading of the facts: real-bugs A7
 */
static void inline_request_wrong(void **state)
{
	static const struct caught caught[] = {
		{ DMASIM_REPORT_MAPPINGS_OVERLAP, "call", "[map]", "sd_map",
		  "cacheline tracking EEXIST, overlapping mappings aren't supported",
		  .times = REQUESTS - 1 },
		{ DMASIM_REPORT_MAPPING_LEAKED, "mapped", "[map]", "sd_map",
		  "device driver has pending DMA allocations while released from device "
		  "[count=10]\nOne of leaked entries details: [device address=0x*] "
		  "[size=512 bytes] [mapped with DMA_FROM_DEVICE] [mapped as phy]",
		  .times = REQUESTS, .one_for_all = true },
	};

	read_blocks(*state, MUSEUM_WRONG, false);
	exhibit_expect_log(*state, EXCEEDED, true);
	exhibit_close(*state, __FILE__, caught, 2, 0);
}

/* There dma-debug counts the mappings of a line, and does not mind the second one. */
static void inline_request_wrong_on_x86(void **state)
{
	struct exhibit *exhibit = *state;

	read_blocks(exhibit, MUSEUM_WRONG, false);
	exhibit_expect_log(exhibit, EXCEEDED, true);
	exhibit_expect_log(exhibit, "EEXIST", false);
	expect_u64(dmasim_dma_debug(exhibit->s).error_count, 1);
	expect_u64(count_reports(exhibit->s, DMASIM_REPORT_MAPPINGS_OVERLAP), REQUESTS - 1);
	expect_u64(count_reports(exhibit->s, DMASIM_REPORT_MAPPING_LEAKED), REQUESTS);
	expect_u64(dmasim_report_count(exhibit->s), 2 * REQUESTS - 1);
}

/* Whoever prepares requests has no trouble. */
static void inline_request_wrong_works_when_prepared(void **state)
{
	read_blocks(*state, MUSEUM_WRONG, true);
	exhibit_close_silent(*state);
}

static void inline_request_right(void **state)
{
	read_blocks(*state, MUSEUM_RIGHT, false);
	exhibit_close_silent(*state);
}

static void inline_request_right_prepared(void **state)
{
	read_blocks(*state, MUSEUM_RIGHT, true);
	exhibit_close_silent(*state);
}

TEST_MAIN(EVERYWHERE(inline_request_wrong), IN(x86_debug, inline_request_wrong_on_x86),
	  EVERYWHERE(inline_request_wrong_works_when_prepared), EVERYWHERE(inline_request_right),
	  EVERYWHERE(inline_request_right_prepared))
