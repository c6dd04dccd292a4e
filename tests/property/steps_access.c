/* SPDX-License-Identifier: MIT */
/*
 * Steps in which a device uses the bus: what happens is compared with the model's prediction byte
 * by byte, report by report and fault record by fault record.
 */
#include "property/run.h"

#include <string.h>

/* Interrupt messages: a write there is not an access to memory. */
#define MSI_START 0xfee00000ULL
#define MSI_END	  0xfef00000ULL

struct access {
	u32 device;
	dma_addr_t dma;
	u64 bytes;
	bool write;
};

static bool touches(const struct access *access, u64 start, u64 bytes)
{
	return access->dma < start + bytes && start < access->dma + access->bytes;
}

/*
 * What the model has no opinion on: interrupts, a device's own BAR, and the end of the address
 * space.
 */
static bool is_outside_model(struct run *run, const struct access *access)
{
	if (access->dma + access->bytes < access->dma ||
	    touches(access, MSI_START, MSI_END - MSI_START))
		return true;
	for (u32 i = 0; i < MODEL_OBJECTS; i++) {
		const struct object *object = &run->model.object[i];

		if (object->kind == OBJECT_BAR && object->owner == access->device &&
		    (touches(access, object->bus_address, object->bytes) ||
		     touches(access, object->phys, object->bytes)))
			return true;
	}
	return false;
}

/* ---- Comparison ------------------------------------------------------------------------------ */

static bool result_is_right(struct run *run, const struct dmasim_transfer *transfer,
			    const struct model_access *model)
{
	if (transfer->status != model->status || transfer->done != model->done)
		return wrong(run, "status %d after %llu bytes, expected %d after %llu",
			     transfer->status, transfer->done, model->status, model->done);
	if (model->status == DMASIM_DONE)
		return true;
	if (transfer->at != model->at)
		return wrong(run, "it failed at 0x%llx, expected 0x%llx", transfer->at, model->at);
	if (model->status == DMASIM_IOMMU_FAULT && transfer->reason != model->reason)
		return wrong(run, "fault reason 0x%x, expected 0x%x", transfer->reason,
			     model->reason);
	return true;
}

/* The device got what the model says is there, and nothing beyond. */
static bool read_is_right(struct run *run, const struct access *access,
			  const struct model_access *model, const u8 *got, u8 untouched)
{
	for (u32 i = 0; i < model->count; i++) {
		const struct model_piece *piece = &model->piece[i];
		const u8 *bytes = got + (piece->dma - access->dma);

		if (piece->arrives && piece->object &&
		    memcmp(bytes, piece->object->shadow + (piece->phys - piece->object->phys),
			   piece->bytes))
			return wrong(run, "wrong bytes from 0x%llx (phys 0x%llx)", piece->dma,
				     piece->phys);
	}
	for (u64 i = model->done; i < access->bytes; i++)
		if (got[i] != untouched)
			return wrong(run, "byte %llu was read after the failure", i);
	return true;
}

static bool write_is_right(struct run *run, const struct access *access,
			   const struct model_access *model, const u8 *sent)
{
	for (u32 i = 0; i < model->count; i++) {
		const struct model_piece *piece = &model->piece[i];

		if (!piece->arrives || !piece->object)
			continue;
		memcpy(piece->object->shadow + (piece->phys - piece->object->phys),
		       sent + (piece->dma - access->dma), piece->bytes);
	}
	for (u32 i = 0; i < model->count; i++) {
		const struct model_piece *piece = &model->piece[i];
		u64 offset;

		if (!piece->arrives || !piece->object)
			continue;
		offset = piece->phys - piece->object->phys;
		if (!memory_near_is_right(run, piece->object, offset, offset + piece->bytes))
			return false;
	}
	return true;
}

/* What no mapping of the device's gives is told more precisely than the model knows. */
static u64 kind_of(enum dmasim_report_id id)
{
	if (id == DMASIM_REPORT_ACCESS_BEYOND || id == DMASIM_REPORT_ACCESS_FOREIGN)
		id = DMASIM_REPORT_ACCESS_NOT_MAPPED;
	return id < 64 ? MODEL_KIND(id) : 0;
}

/* Exactly one report for each piece that deserves one, in order. */
static bool reports_are_right(struct run *run, const struct access *access,
			      const struct model_access *model)
{
	struct dmasim_report report;

	for (u32 i = 0; i < model->count; i++) {
		const struct model_piece *piece = &model->piece[i];

		if (!piece->kinds)
			continue;
		if (!dmasim_report_get(run->s, run->report_count, &report))
			return wrong(run, "no report about 0x%llx+%llu (kinds 0x%llx)", piece->dma,
				     piece->bytes, piece->kinds);
		if (!(piece->kinds & kind_of(report.id)) ||
		    report.dev != run->dev[access->device]->dev.id ||
		    report.dma - piece->dma >= piece->bytes)
			return wrong(run, "about 0x%llx+%llu (kinds 0x%llx) this is wrong:\n%s",
				     piece->dma, piece->bytes, piece->kinds, report.text);
		run->report_count++;
	}
	return expect_no_report(run);
}

static bool fault_is_right(struct run *run, const struct access *access,
			   const struct model_access *model)
{
	struct dmasim_fault_record record;
	/* VT-d tells the page, others the address. */
	bool whole = run->model.amd_vi || run->model.riscv || run->model.smmuv3;
	u64 at = whole ? model->at : GRANULE_DOWN(model->at);

	if (model->status == DMASIM_IOMMU_FAULT) {
		if (!dmasim_fault_take(run->s, &record))
			return wrong(run, "no fault record");
		if (record.requester != (u16)run->dev[access->device]->dev.id ||
		    record.address != at || record.write != access->write ||
		    record.reason != model->reason)
			return wrong(run, "the fault record is wrong: %s", record.line);
	}
	return dmasim_fault_take(run->s, &record) ? wrong(run, "one fault record too many") : true;
}

/*
 * It would overwrite what no object covers: behind an IOMMU perhaps the machine's own page tables.
 */
static bool may_destroy_tables(struct run *run, const struct access *access,
			       const struct model_access *model)
{
	for (u32 i = 0; i < model->count; i++)
		if (run->model.iommu && access->write && model->piece[i].arrives &&
		    !model->piece[i].object)
			return true;
	return false;
}

static bool do_access(struct run *run, struct dice *dice, const struct access *access)
{
	struct pci_dev *pdev = run->dev[access->device];
	u8 bytes[MODEL_ACCESS_MAX], filler = (u8)dice_word(dice);
	struct dmasim_transfer transfer;
	struct model_access model;
	bool right;

	model_predict(&run->model, access->device, access->dma, access->bytes, access->write,
		      &model);
	if (may_destroy_tables(run, access, &model))
		return true;
	if (access->write) {
		for (u64 i = 0; i < access->bytes; i += 8) {
			u64 word = dice_word(dice);

			memcpy(bytes + i, &word, access->bytes - i < 8 ? access->bytes - i : 8);
		}
		transfer = dmasim_dev_write(pdev, access->dma, bytes, access->bytes);
	} else {
		memset(bytes, filler, access->bytes);
		transfer = dmasim_dev_read(pdev, access->dma, bytes, access->bytes);
	}
	note(run, "dev %u %s 0x%llx, %llu bytes: status %d, %llu done", access->device,
	     access->write ? "writes" : "reads", access->dma, access->bytes, transfer.status,
	     transfer.done);
	right = result_is_right(run, &transfer, &model) &&
		(access->write ? write_is_right(run, access, &model, bytes)
			       : read_is_right(run, access, &model, bytes, filler)) &&
		reports_are_right(run, access, &model) && fault_is_right(run, access, &model);
	if (!right) {
		char why[sizeof(run->failure) - 128];

		memcpy(why, run->failure, sizeof(why));
		why[sizeof(why) - 1] = 0;
		return wrong(run, "device %u %s %llu bytes at 0x%llx: %s", access->device,
			     access->write ? "writes" : "reads", access->bytes, access->dma, why);
	}
	return true;
}

/* ---- Where ----------------------------------------------------------------------------------- */

/* Somewhere in [start, start + bytes), or across its edges, or right beside it. */
static void aim(struct dice *dice, u64 start, u64 bytes, struct access *access)
{
	u64 before = dice_from(dice, 0, GRANULE + 256);

	access->bytes = pick_bytes(dice, 3 * GRANULE);
	switch (dice_below(dice, 8)) {
	case 0: /* from before the start */
		access->dma = start > before ? start - before : 0;
		access->bytes = dice_from(dice, 1, MODEL_ACCESS_MAX);
		break;
	case 1: /* across the end */
		access->dma = start + bytes - (before < bytes ? before : bytes);
		break;
	case 2: /* around the end */
		access->dma = start + bytes + before - GRANULE;
		break;
	default: /* inside */
		access->bytes = pick_bytes(dice, bytes);
		access->dma = start + dice_from(dice, 0, bytes - access->bytes);
	}
}

bool step_access(struct run *run, struct dice *dice)
{
	struct extent *extent = pick_extent(run, dice, MODEL_NOBODY);
	struct access access = { .write = dice_chance(dice, 50) };

	if (!extent)
		return true;
	aim(dice, extent->dma, extent->bytes, &access);
	/* Mostly in its direction, and mostly the device it was mapped for. */
	if (dice_chance(dice, 80) && extent->dir != DMA_BIDIRECTIONAL)
		access.write = extent->dir == DMA_FROM_DEVICE;
	access.device = dice_chance(dice, 85) ? extent->device : pick_device(run, dice);
	if (is_outside_model(run, &access))
		return true;
	return do_access(run, dice, &access);
}

/* An address that no mapping gives: of one that ended, a BAR's, a physical one, any at all. */
static void pick_stray(struct run *run, struct dice *dice, struct access *access)
{
	struct history *history = &run->model.device[access->device].history;
	struct object *object = pick_object(run, dice);

	switch (dice_below(dice, 4)) {
	case 0:
		if (history->count) {
			struct range *range = &history->range[dice_below(dice, history->count)];

			aim(dice, range->start, range->end - range->start, access);
			return;
		}
		break;
	case 1:
		aim(dice, object->kind == OBJECT_BAR ? object->bus_address : object->phys,
		    object->bytes, access);
		return;
	case 2:
		aim(dice, object->phys, object->bytes, access);
		return;
	default:
		break;
	}
	access->dma = dice_word(dice) >> dice_from(dice, 8, 50);
	access->bytes = dice_from(dice, 1, 64);
}

bool step_stray(struct run *run, struct dice *dice)
{
	struct access access = { .device = pick_device(run, dice), .write = dice_chance(dice, 50) };

	pick_stray(run, dice, &access);
	if (is_outside_model(run, &access))
		return true;
	return do_access(run, dice, &access);
}

/* The way of one request, asked for without sending it. */
bool step_route(struct run *run, struct dice *dice)
{
	struct extent *extent = pick_extent(run, dice, MODEL_NOBODY);
	struct access access = { .device = pick_device(run, dice), .write = dice_chance(dice, 50) };
	const struct model_piece *piece;
	struct dmasim_route route;
	struct model_access model;
	bool in_bar;

	if (extent && dice_chance(dice, 60))
		aim(dice, extent->dma, extent->bytes, &access);
	else
		pick_stray(run, dice, &access);
	access.bytes = 1;
	if (is_outside_model(run, &access))
		return true;
	model_predict(&run->model, access.device, access.dma, 1, access.write, &model);
	piece = &model.piece[0];
	in_bar = piece->arrives && piece->object && piece->object->kind == OBJECT_BAR;
	dmasim_route(run->dev[access.device], access.dma, access.write, &route);
	note(run, "route of dev %u to 0x%llx", access.device, access.dma);
	if (route.refused == piece->arrives || route.in_bar != in_bar ||
	    route.passed_root == piece->direct ||
	    route.phys != (piece->arrives ? piece->phys : DMASIM_NO_PHYS)) {
		char text[512];

		dmasim_route_text(&route, text, sizeof(text));
		return wrong(run, "device %u to 0x%llx: %s", access.device, access.dma, text);
	}
	return expect_no_report(run);
}
