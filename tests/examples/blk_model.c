/* SPDX-License-Identifier: MIT */
#include "examples/blk_model.h"

#include <string.h>

#include <dmasim/kernel.h>

#include "examples/blk_hw.h"

static u64 get_le(const u8 *from, u32 bytes)
{
	u64 value = 0;

	for (u32 i = 0; i < bytes; i++)
		value |= (u64)from[i] << (8 * i);
	return value;
}

static void put_le(u8 *to, u64 value, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		to[i] = (u8)(value >> (8 * i));
}

static bool move(struct blk_model *model, u64 dma, u64 at, u64 bytes, bool to_memory)
{
	struct dmasim_transfer transfer;

	if (at > BLK_MODEL_BYTES || bytes > BLK_MODEL_BYTES - at)
		return false;
	if (to_memory)
		transfer = dmasim_dev_write(model->pdev, dma, model->medium + at, bytes);
	else
		transfer = dmasim_dev_read(model->pdev, dma, model->medium + at, bytes);
	return transfer.status == DMASIM_DONE;
}

static bool move_all(struct blk_model *model, const u8 *command)
{
	u64 at = get_le(command, 8);
	u64 list = get_le(command + 8, 8);
	u64 segments = get_le(command + 16, 4);
	bool to_memory = get_le(command + 20, 4) == BLK_READ;

	if (!segments || segments > BLK_SEGMENTS_MAX)
		return false;
	for (u64 i = 0; i < segments; i++) {
		u8 segment[BLK_SEGMENT_BYTES];
		u64 bytes;

		if (dmasim_dev_read(model->pdev, list + i * sizeof(segment), segment,
				    sizeof(segment))
			    .status != DMASIM_DONE)
			return false;
		bytes = get_le(segment + 8, 4);
		if (!move(model, get_le(segment, 8), at, bytes, to_memory))
			return false;
		at += bytes;
	}
	return true;
}

static void carry_out(struct blk_model *model)
{
	u8 command[BLK_COMMAND_BYTES];
	u8 status[4];

	if (dmasim_dev_read(model->pdev, model->command, command, sizeof(command)).status !=
	    DMASIM_DONE)
		return;
	put_le(status, move_all(model, command) ? BLK_DONE : BLK_FAILED, sizeof(status));
	dmasim_dev_write(model->pdev, model->command + BLK_STATUS_AT, status, sizeof(status));
	model->carried_out++;
	model->irq_status = 1;
	dmasim_raise_irq(model->pdev, 0);
}

static void bar_write(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes)
{
	struct blk_model *model = cookie;

	(void)bar;
	switch (offset) {
	case BLK_COMMAND:
		model->command = get_le(from, bytes);
		break;
	case BLK_DOORBELL:
		carry_out(model);
		break;
	case BLK_IRQ_STATUS:
		model->irq_status = 0;
		break;
	}
}

static void bar_read(void *cookie, u32 bar, u64 offset, void *to, u32 bytes)
{
	const struct blk_model *model = cookie;

	(void)bar;
	if (offset == BLK_IRQ_STATUS)
		put_le(to, model->irq_status, bytes);
	else if (offset == BLK_CAPACITY)
		put_le(to, BLK_MODEL_BYTES, bytes);
	else
		memset(to, 0, bytes);
}

struct pci_dev *blk_model_add(struct dmasim *s, const char *path, struct blk_model *model)
{
	static const struct dmasim_bar_ops ops = { .read = bar_read, .write = bar_write };

	*model = (struct blk_model){ 0 };
	model->pdev = dmasim_add_endpoint(s, path,
					  &(struct dmasim_endpoint){
						  .bar = { SZ_4K },
						  .vendor = BLK_VENDOR,
						  .device = BLK_DEVICE,
						  .bar_ops = &ops,
						  .cookie = model,
					  });
	return model->pdev;
}
