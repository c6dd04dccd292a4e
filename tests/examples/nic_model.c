/* SPDX-License-Identifier: MIT */
#include "examples/nic_model.h"

#include <string.h>

#include <dmasim/kernel.h>

#include "examples/nic_hw.h"

#define FRAME_MAX  2048
#define DESC_BYTES 16

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

static bool reads(struct nic_model *model, u64 dma, void *to, u64 bytes)
{
	bool done = dmasim_dev_read(model->pdev, dma, to, bytes).status == DMASIM_DONE;

	model->failed += !done;
	return done;
}

static bool writes(struct nic_model *model, u64 dma, const void *from, u64 bytes)
{
	bool done = dmasim_dev_write(model->pdev, dma, from, bytes).status == DMASIM_DONE;

	model->failed += !done;
	return done;
}

/* Length and flags go back into the descriptor in one request. */
static bool write_back(struct nic_model *model, u64 desc, u32 len)
{
	u8 end[8];

	put_le(end, len, 4);
	put_le(end + 4, NIC_DESC_DONE, 4);
	return writes(model, desc + 8, end, sizeof(end));
}

static void interrupt(struct nic_model *model, u32 why)
{
	model->irq_status |= why;
	dmasim_raise_irq(model->pdev, 0);
}

static void arrives(struct nic_model *model, const u8 *frame, u32 len)
{
	u64 at = model->rx_base + (u64)model->rx_head * DESC_BYTES;
	u8 desc[DESC_BYTES];

	if (!model->on || model->rx_head == model->rx_tail) {
		model->lost++;
		return;
	}
	if (!reads(model, at, desc, sizeof(desc)) || get_le(desc + 8, 4) < len ||
	    !writes(model, get_le(desc, 8), frame, len) || !write_back(model, at, len))
		return;
	model->rx_head = (model->rx_head + 1) % NIC_RING;
	interrupt(model, NIC_IRQ_RX);
}

/* False: the card stops at this descriptor. */
static bool send_one(struct nic_model *model)
{
	u64 at = model->tx_base + (u64)model->tx_head * DESC_BYTES;
	u8 desc[DESC_BYTES];
	u8 frame[FRAME_MAX];
	u32 len;

	if (!reads(model, at, desc, sizeof(desc)))
		return false;
	len = (u32)get_le(desc + 8, 4);
	if (len > sizeof(frame) || !reads(model, get_le(desc, 8), frame, len) ||
	    !write_back(model, at, len))
		return false;
	model->tx_head = (model->tx_head + 1) % NIC_RING;
	model->sent++;
	if (model->peer)
		arrives(model->peer, frame, len);
	return true;
}

static void send_all(struct nic_model *model)
{
	bool sent = false;

	while (model->on && model->tx_head != model->tx_tail && send_one(model))
		sent = true;
	if (sent)
		interrupt(model, NIC_IRQ_TX);
}

static void control(struct nic_model *model, u32 value)
{
	model->on = value & 1;
	if (model->on)
		return;
	model->irq_status = 0;
	model->tx_head = model->tx_tail = 0;
	model->rx_head = model->rx_tail = 0;
}

static void set_half(u64 *base, bool upper, u32 value)
{
	u32 shift = upper ? 32 : 0;

	*base = (*base & ~(0xffffffffULL << shift)) | (u64)value << shift;
}

static void bar_write(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes)
{
	struct nic_model *model = cookie;
	u32 value = (u32)get_le(from, bytes);

	(void)bar;
	switch (offset) {
	case NIC_CTRL:
		control(model, value);
		break;
	case NIC_IRQ_STATUS:
		model->irq_status &= ~value;
		break;
	case NIC_TX_BASE:
	case NIC_TX_BASE + 4:
		set_half(&model->tx_base, offset != NIC_TX_BASE, value);
		break;
	case NIC_RX_BASE:
	case NIC_RX_BASE + 4:
		set_half(&model->rx_base, offset != NIC_RX_BASE, value);
		break;
	case NIC_TX_TAIL:
		model->tx_tail = value % NIC_RING;
		send_all(model);
		break;
	case NIC_RX_TAIL:
		model->rx_tail = value % NIC_RING;
		break;
	}
}

static void bar_read(void *cookie, u32 bar, u64 offset, void *to, u32 bytes)
{
	const struct nic_model *model = cookie;

	(void)bar;
	memset(to, 0, bytes);
	if (offset == NIC_IRQ_STATUS)
		put_le(to, model->irq_status, bytes);
}

struct pci_dev *nic_model_add(struct dmasim *s, const char *path, struct nic_model *model)
{
	static const struct dmasim_bar_ops ops = { .read = bar_read, .write = bar_write };

	*model = (struct nic_model){ 0 };
	model->pdev = dmasim_add_endpoint(s, path,
					  &(struct dmasim_endpoint){
						  .bar = { SZ_4K },
						  .vendor = NIC_VENDOR,
						  .device = NIC_DEVICE,
						  .class_code = 0x020000,
						  .bar_ops = &ops,
						  .cookie = model,
					  });
	return model->pdev;
}
