/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* ---- Objects --------------------------------------------------------------------------------- */

struct object *model_object_add(struct model *model, enum object_kind kind, phys_addr_t phys,
				u64 bytes)
{
	for (u32 i = 0; i < MODEL_OBJECTS; i++) {
		struct object *object = &model->object[i];

		if (object->kind != OBJECT_NONE)
			continue;
		*object = (struct object){ .phys = phys, .bytes = bytes };
		object->shadow = calloc(1, bytes);
		object->kind = object->shadow ? kind : OBJECT_NONE;
		return object->shadow ? object : NULL;
	}
	return NULL;
}

void model_object_remove(struct object *object)
{
	free(object->shadow);
	free(object->adopted);
	*object = (struct object){ .kind = OBJECT_NONE };
}

struct object *model_object_at(struct model *model, phys_addr_t phys)
{
	for (u32 i = 0; i < MODEL_OBJECTS; i++) {
		struct object *object = &model->object[i];

		if (object->kind != OBJECT_NONE && phys - object->phys < object->bytes)
			return object;
	}
	return NULL;
}

/* ---- Extents --------------------------------------------------------------------------------- */

struct extent *model_extent_add(struct model *model, const struct extent *extent)
{
	u32 i = 0;

	while (i < model->extent_end && model->extent[i].mapping != MODEL_NOBODY)
		i++;
	if (i == MODEL_EXTENTS)
		return NULL;
	if (i == model->extent_end)
		model->extent_end++;
	model->extent[i] = *extent;
	return &model->extent[i];
}

void model_extent_end(struct model *model, struct extent *extent)
{
	model->recent[model->recent_count++ % MODEL_RECENT] = *extent;
	model_history_add(model, extent->device, extent->dma, extent->dma + extent->bytes);
	extent->mapping = MODEL_NOBODY;
}

bool model_extent_cut(struct model *model, struct extent *extent, dma_addr_t at)
{
	struct extent upper = *extent;
	u64 bytes = at - extent->dma;

	upper.dma += bytes;
	upper.phys += bytes;
	upper.bytes -= bytes;
	if (!model_extent_add(model, &upper))
		return false;
	extent->bytes = bytes;
	extent->padding = 0;
	return true;
}

/* Cuts so that each extent of the mapping lies in the range or outside. */
static bool cut_at_edges(struct model *model, u32 mapping, dma_addr_t start, dma_addr_t end)
{
	const dma_addr_t edge[] = { start, end };

	for (u32 k = 0; k < 2; k++) {
		for (u32 i = 0; i < model->extent_end; i++) {
			struct extent *extent = &model->extent[i];

			if (extent->mapping != mapping || edge[k] <= extent->dma ||
			    edge[k] >= extent->dma + extent->bytes)
				continue;
			if (!model_extent_cut(model, extent, edge[k]))
				return false;
		}
	}
	return true;
}

bool model_end_bytes(struct model *model, u32 mapping, dma_addr_t start, dma_addr_t end)
{
	if (!cut_at_edges(model, mapping, start, end))
		return false;
	for (u32 i = 0; i < model->extent_end; i++) {
		struct extent *extent = &model->extent[i];

		if (extent->mapping == mapping && extent->dma >= start && extent->dma < end)
			model_extent_end(model, extent);
	}
	return true;
}

bool model_sync_bytes(struct model *model, u32 mapping, dma_addr_t start, dma_addr_t end, bool *any)
{
	*any = false;
	if (!cut_at_edges(model, mapping, start, end))
		return false;
	for (u32 i = 0; i < model->extent_end; i++) {
		struct extent *extent = &model->extent[i];

		if (extent->mapping == mapping && extent->dma >= start && extent->dma < end)
			*any = extent->synced = true;
	}
	return true;
}

static bool extent_translates(const struct extent *extent, u32 domain, dma_addr_t dma)
{
	u64 start = GRANULE_DOWN(extent->dma);
	u64 end = GRANULE_UP(extent->dma + extent->bytes) + extent->padding;

	return extent->mapping != MODEL_NOBODY && extent->domain == domain &&
	       dma - start < end - start;
}

bool model_translates(struct model *model, u32 domain, dma_addr_t dma)
{
	for (u32 i = 0; i < model->extent_end; i++)
		if (extent_translates(&model->extent[i], domain, dma))
			return true;
	return false;
}

static bool extent_has(const struct extent *extent, u32 device, dma_addr_t dma)
{
	return extent->mapping != MODEL_NOBODY && extent->device == device &&
	       dma - extent->dma < extent->bytes;
}

bool model_owns(struct model *model, u32 device, dma_addr_t dma)
{
	for (u32 i = 0; i < model->extent_end; i++)
		if (extent_has(&model->extent[i], device, dma))
			return true;
	return false;
}

/* ---- History --------------------------------------------------------------------------------- */

void model_history_add(struct model *model, u32 device, u64 start, u64 end)
{
	struct history *history = &model->device[device].history;
	u32 first = 0, last;

	while (first < history->count && history->range[first].end < start)
		first++;
	last = first;
	while (last < history->count && history->range[last].start <= end) {
		if (history->range[last].start < start)
			start = history->range[last].start;
		if (history->range[last].end > end)
			end = history->range[last].end;
		last++;
	}
	if (first == last && history->count == MODEL_HISTORY)
		abort();
	memmove(&history->range[first + 1], &history->range[last],
		(history->count - last) * sizeof(history->range[0]));
	history->count = history->count - (last - first) + 1;
	history->range[first] = (struct range){ start, end };
}

static bool in_range(const struct range *range, u64 at)
{
	return at >= range->start && at < range->end;
}

static bool ended_recently(const struct model *model, u32 device, dma_addr_t dma)
{
	u32 count = model->recent_count < MODEL_RECENT ? model->recent_count : MODEL_RECENT;

	for (u32 i = 0; i < count; i++)
		if (extent_has(&model->recent[i], device, dma))
			return true;
	return false;
}

static bool in_history(const struct history *history, u64 at)
{
	for (u32 i = 0; i < history->count; i++)
		if (in_range(&history->range[i], at))
			return true;
	return false;
}

/* ---- Where a byte goes ----------------------------------------------------------------------- */

struct landing {
	bool arrives;
	bool direct; /* it does not come to the root */
	phys_addr_t phys;
	struct object *object;
	enum dmasim_transfer_status status;
	u8 reason;
};

/* Reasons of a VT-d fault, facts "iova-and-page-tables" 2.6. */
#define REASON_AMD_VI		2 /* whatever it is: flags tell more */
#define REASON_BEYOND_WIDTH	4
#define REASON_NO_WRITE		5
#define REASON_NO_READ		6
/* RISC-V's page faults, whatever they are for. */
#define REASON_RISCV_READ	13
#define REASON_RISCV_WRITE	15
/* SMMUv3's F_TRANSLATION and F_PERMISSION. */
#define REASON_SMMUV3_NOTHING	0x10
#define REASON_SMMUV3_FORBIDDEN 0x13
/* Of scalable mode; the first is an entry that allows nothing. */
#define REASON_SM_NOTHING	0x79
#define REASON_SM_BEYOND_WIDTH	0x84
#define REASON_SM_NO_WRITE	0x85
#define REASON_SM_NO_READ	0x86
/* Of a first stage: nothing is there, and neither half of the addresses has it. */
#define REASON_FS_NOTHING	0x71
#define REASON_FS_NOT_CANONICAL 0x80

static bool is_ram(const struct model *model, phys_addr_t phys)
{
	for (u32 i = 0; i < model->ram_count; i++)
		if (phys - model->ram[i].start < model->ram[i].bytes)
			return true;
	return false;
}

static bool in_either(const struct range range[2], u64 at)
{
	return in_range(&range[0], at) || in_range(&range[1], at);
}

/* True if another port of the switch claims the address. */
static bool peer_claims(const struct model *model, u32 device, dma_addr_t dma)
{
	const struct model_device *from = &model->device[device];

	/* Two functions may share a port. */
	if (in_either(from->port_window, dma))
		return false;
	for (u32 i = 0; from->below && i < MODEL_DEVICES; i++) {
		const struct model_device *to = &model->device[i];

		for (u32 k = 0; i != device && to->below == from->below && k < 2; k++)
			if (in_range(&to->port_window[k], dma))
				return true;
	}
	return false;
}

/*
 * True if a bridge does not pass the request up: the address is in its own window. A port with
 * upstream forwarding does, and then so does the upstream port above it.
 */
static bool is_kept(const struct model *model, u32 device, dma_addr_t dma)
{
	const struct model_device *from = &model->device[device];

	if (from->redirect)
		return !in_either(from->port_window, dma) && in_either(from->upstream, dma);
	for (u32 k = 0; k < MODEL_COUNT(from->kept); k++)
		if (in_range(&from->kept[k], dma))
			return true;
	return false;
}

/* True if the root complex hands the request across to another root port, and no IOMMU sees it. */
static bool handed_across(const struct model *model, u32 device, dma_addr_t dma)
{
	const struct model_device *from = &model->device[device];
	u32 bridge = from->root_bus != 0;

	if (from->redirect || !model->forwards[bridge][bridge] || in_either(from->root_port, dma))
		return false;
	for (u32 i = 0; i < MODEL_DEVICES; i++)
		if (model->device[i].root_bus == from->root_bus &&
		    in_either(model->device[i].root_port, dma))
			return true;
	return false;
}

/* Of a switch's port to another one, or nowhere. */
static void land_below_switch(struct model *model, dma_addr_t dma, struct landing *landing)
{
	for (u32 i = 0; i < MODEL_OBJECTS; i++) {
		struct object *object = &model->object[i];

		if (object->kind != OBJECT_BAR || dma - object->bus_address >= object->bytes)
			continue;
		landing->arrives = true;
		landing->status = DMASIM_DONE;
		landing->object = object;
		landing->phys = object->phys + (dma - object->bus_address);
	}
}

static bool permits(enum dma_data_direction dir, bool write)
{
	return dir == DMA_BIDIRECTIONAL || dir == (write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
}

/* mapped: there is an entry. */
static u8 reason_of(const struct model *model, bool mapped, bool write)
{
	if (model->amd_vi)
		return REASON_AMD_VI;
	if (model->riscv)
		return write ? REASON_RISCV_WRITE : REASON_RISCV_READ;
	if (model->smmuv3)
		return mapped ? REASON_SMMUV3_FORBIDDEN : REASON_SMMUV3_NOTHING;
	if (!model->scalable)
		return write ? REASON_NO_WRITE : REASON_NO_READ;
	if (!mapped)
		return model->first_stage ? REASON_FS_NOTHING : REASON_SM_NOTHING;
	return write ? REASON_SM_NO_WRITE : REASON_SM_NO_READ;
}

/* Of an address that the tables do not have. The upper half of a first stage is empty. */
static u8 beyond_width(const struct model *model, dma_addr_t dma, bool write)
{
	if (model->riscv || model->smmuv3)
		return reason_of(model, false, write);
	if (model->amd_vi)
		return REASON_AMD_VI;
	if (!model->scalable)
		return REASON_BEYOND_WIDTH;
	if (!model->first_stage)
		return REASON_SM_BEYOND_WIDTH;
	return dma >= -(1ULL << model->address_bits) ? REASON_FS_NOTHING : REASON_FS_NOT_CANONICAL;
}

/* Its tables have nothing that may be written alone. */
static bool reads_anyway(const struct model *model)
{
	return model->first_stage || model->riscv || model->smmuv3;
}

/* What the IOMMU makes of the address. False: it refuses. */
static bool translate(struct model *model, u32 device, dma_addr_t dma, bool write,
		      struct landing *landing)
{
	u32 domain = model->device[device].domain;
	bool mapped = false;

	landing->status = DMASIM_IOMMU_FAULT;
	if (dma >> model->address_bits) {
		landing->reason = beyond_width(model, dma, write);
		return false;
	}
	for (u32 i = 0; i < model->extent_end; i++) {
		const struct extent *extent = &model->extent[i];

		if (!extent_translates(extent, domain, dma))
			continue;
		mapped = true;
		if (!permits(extent->dir, write) && (write || !reads_anyway(model)))
			continue;
		landing->phys = GRANULE_DOWN(extent->phys) + (dma - GRANULE_DOWN(extent->dma));
		return true;
	}
	landing->reason = reason_of(model, mapped, write);
	return false;
}

/* Without an IOMMU: a bus address of its host bridge's windows, or a physical address. */
static phys_addr_t untranslated(const struct model *model, u32 device, dma_addr_t dma)
{
	for (u32 i = 0; i < model->window_count; i++) {
		const struct dmasim_window *window = &model->window[i];

		if (window->bus == model->device[device].root_bus &&
		    dma - (window->start + window->bus_offset) < window->bytes)
			return dma - window->bus_offset;
	}
	return dma;
}

static struct landing land(struct model *model, u32 device, dma_addr_t dma, bool write)
{
	struct landing landing = { .status = DMASIM_UNSUPPORTED_REQUEST, .direct = true };
	bool claimed = peer_claims(model, device, dma);

	/* What a port redirects climbs, whatever window it is in. */
	if (claimed && !model->device[device].redirect) {
		land_below_switch(model, dma, &landing);
		return landing;
	}
	if (!claimed && is_kept(model, device, dma))
		return landing;
	landing.direct = false;
	if (handed_across(model, device, dma)) {
		land_below_switch(model, dma, &landing);
		return landing;
	}
	if (!model->iommu)
		landing.phys = untranslated(model, device, dma);
	else if (!translate(model, device, dma, write, &landing))
		return landing;
	landing.object = model_object_at(model, landing.phys);
	if (landing.object && landing.object->kind == OBJECT_BAR &&
	    !model->forwards[model->device[device].root_bus != 0]
			    [model->device[landing.object->owner].root_bus != 0])
		landing.object = NULL;
	landing.arrives = landing.object || is_ram(model, landing.phys);
	landing.status = landing.arrives ? DMASIM_DONE : DMASIM_UNSUPPORTED_REQUEST;
	return landing;
}

/* ---- What is said about it ------------------------------------------------------------------- */

bool model_is_bus_address(const struct model *model, dma_addr_t dma)
{
	for (u32 i = 0; i < MODEL_OBJECTS; i++)
		if (model->object[i].kind == OBJECT_BAR &&
		    dma - model->object[i].bus_address < model->object[i].bytes)
			return true;
	return false;
}

/* The kinds of report that one byte of an access deserves. */
static u64 judge(struct model *model, u32 device, dma_addr_t dma, bool write,
		 const struct landing *landing)
{
	bool live = false;
	u64 kinds = 0;

	for (u32 i = 0; i < model->extent_end; i++) {
		const struct extent *extent = &model->extent[i];

		if (!extent_has(extent, device, dma))
			continue;
		if (permits(extent->dir, write) && extent->synced)
			live = true;
		if (live && landing->arrives)
			return 0;
		if (!permits(extent->dir, write))
			kinds |= MODEL_KIND(DMASIM_REPORT_ACCESS_AGAINST_DIRECTION);
		if (!extent->synced)
			kinds |= MODEL_KIND(DMASIM_REPORT_ACCESS_BEFORE_SYNC);
	}
	/*
	 * Peer memory below a switch needs no mapping; what a list says about it holds all the
	 * same.
	 */
	if (kinds || (landing->direct && landing->arrives))
		return kinds;
	/*
	 * What ended long ago may be forgotten; what ended just now may not. What is mapped again,
	 * to where the root complex does not forward, is not about that.
	 */
	if (!live && ended_recently(model, device, dma))
		return MODEL_KIND(DMASIM_REPORT_USE_AFTER_UNMAP);
	if (!live && in_history(&model->device[device].history, dma))
		kinds |= MODEL_KIND(DMASIM_REPORT_USE_AFTER_UNMAP);
	/* Its verdict may have said otherwise; the model does not know who has asked. */
	if (!live && model_is_bus_address(model, dma))
		kinds |= MODEL_KIND(DMASIM_REPORT_P2P_VERDICT);
	if (landing->arrives)
		return kinds | MODEL_KIND(DMASIM_REPORT_ACCESS_NOT_MAPPED);
	return kinds | MODEL_KIND(landing->status == DMASIM_IOMMU_FAULT
					  ? DMASIM_REPORT_IOMMU_FAULT
					  : DMASIM_REPORT_UNSUPPORTED_REQUEST);
}

static void bound_by(dma_addr_t dma, u64 edge, dma_addr_t *end)
{
	if (edge > dma && edge < *end)
		*end = edge;
}

/* Up to where, at most `end`, all bytes after this one fare like it. */
static dma_addr_t alike_until(struct model *model, u32 device, dma_addr_t dma, dma_addr_t end)
{
	const struct history *history = &model->device[device].history;

	for (u32 i = 0; i < model->extent_end; i++) {
		const struct extent *extent = &model->extent[i];

		if (extent->mapping == MODEL_NOBODY || extent->device != device)
			continue;
		bound_by(dma, extent->dma, &end);
		bound_by(dma, extent->dma + extent->bytes, &end);
	}
	for (u32 i = 0; i < history->count; i++) {
		bound_by(dma, history->range[i].start, &end);
		bound_by(dma, history->range[i].end, &end);
	}
	for (u32 i = 0; i < MODEL_RECENT; i++) {
		bound_by(dma, model->recent[i].dma, &end);
		bound_by(dma, model->recent[i].dma + model->recent[i].bytes, &end);
	}
	return end;
}

/*
 * Where the piece ends: with the request, or at the edge of adopted memory in the middle of a page.
 */
static dma_addr_t piece_end(struct model *model, const struct landing *landing, dma_addr_t dma,
			    dma_addr_t end)
{
	phys_addr_t last = landing->phys + (end - dma);

	if (landing->status == DMASIM_IOMMU_FAULT || landing->direct)
		return end;
	for (u32 i = 0; i < MODEL_OBJECTS; i++) {
		const struct object *object = &model->object[i];

		if (object->kind == OBJECT_NONE)
			continue;
		bound_by(landing->phys, object->phys, &last);
		bound_by(landing->phys, object->phys + object->bytes, &last);
	}
	return dma + (last - landing->phys);
}

void model_predict(struct model *model, u32 device, dma_addr_t dma, u64 bytes, bool write,
		   struct model_access *access)
{
	dma_addr_t at = dma, end = dma + bytes;

	access->count = 0;
	access->done = 0;
	access->status = DMASIM_DONE;
	while (at < end) {
		struct landing landing = land(model, device, at, write);
		dma_addr_t request_end = GRANULE_DOWN(at) + GRANULE;
		struct model_piece *piece = &access->piece[access->count++];
		dma_addr_t stop =
			piece_end(model, &landing, at, request_end < end ? request_end : end);

		*piece = (struct model_piece){ .dma = at,
					       .bytes = stop - at,
					       .arrives = landing.arrives,
					       .direct = landing.direct,
					       .phys = landing.phys,
					       .object = landing.object };
		while (at < stop) {
			piece->kinds |= judge(model, device, at, write, &landing);
			at = alike_until(model, device, at, stop);
		}
		if (!landing.arrives) {
			access->status = landing.status;
			access->at = piece->dma;
			access->reason = landing.reason;
			return;
		}
		access->done += piece->bytes;
	}
}

void model_fini(struct model *model)
{
	for (u32 i = 0; i < MODEL_OBJECTS; i++)
		if (model->object[i].kind != OBJECT_NONE)
			model_object_remove(&model->object[i]);
}
