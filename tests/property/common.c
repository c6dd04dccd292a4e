/* SPDX-License-Identifier: MIT */
#include "property/run.h"

#include <stdarg.h>
#include <string.h>

/* So far around what was written memory is compared at once. */
#define NEAR_BYTES 0x8000

bool wrong(struct run *run, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(run->failure, sizeof(run->failure), format, arguments);
	va_end(arguments);
	return false;
}

void note(struct run *run, const char *format, ...)
{
	va_list arguments;

	if (!run->log)
		return;
	fprintf(run->log, "#   step %u: ", run->step);
	va_start(arguments, format);
	vfprintf(run->log, format, arguments);
	va_end(arguments);
	fputc('\n', run->log);
}

/* ---- Reports --------------------------------------------------------------------------------- */

/*
 * The model knows of addresses alone. Here several mappings may lead to the same memory, and
 * entries of lists be longer than their device takes.
 */
static void skip_other_reports(struct run *run)
{
	struct dmasim_report report;

	while (dmasim_report_get(run->s, run->report_count, &report) &&
	       (report.id == DMASIM_REPORT_MAPPINGS_OVERLAP ||
		report.id == DMASIM_REPORT_SEGMENT_LIMIT))
		run->report_count++;
}

bool expect_no_report(struct run *run)
{
	struct dmasim_report report;

	skip_other_reports(run);
	if (dmasim_report_count(run->s) == run->report_count)
		return true;
	if (!dmasim_report_get(run->s, run->report_count, &report))
		return wrong(run, "a report that cannot be read");
	return wrong(run, "a report that the model does not predict:\n%s", report.text);
}

bool expect_report(struct run *run, enum dmasim_report_id id)
{
	struct dmasim_report report;

	skip_other_reports(run);
	if (!dmasim_report_get(run->s, run->report_count, &report))
		return wrong(run, "report %s is missing", dmasim_report_name(id));
	if (report.id != id)
		return wrong(run, "expected report %s, found:\n%s", dmasim_report_name(id),
			     report.text);
	run->report_count++;
	return expect_no_report(run);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static const u8 *real_bytes(struct run *run, const struct object *object)
{
	if (object->kind == OBJECT_ADOPTED)
		return object->adopted + IN_GRANULE(object->phys);
	return dmasim_ptr(run->s, object->phys, object->bytes);
}

bool bytes_are_right(struct run *run, const struct object *object, u64 start, u64 end)
{
	const u8 *real = real_bytes(run, object);
	u64 at = start;

	if (!real)
		return wrong(run, "no pointer to 0x%llx", object->phys);
	if (!memcmp(real + start, object->shadow + start, end - start))
		return true;
	while (real[at] == object->shadow[at])
		at++;
	return wrong(run, "the byte at 0x%llx is 0x%02x, the model says 0x%02x", object->phys + at,
		     real[at], object->shadow[at]);
}

bool memory_is_right(struct run *run, const struct object *only)
{
	for (u32 i = 0; i < MODEL_OBJECTS; i++) {
		struct object *object = &run->model.object[i];

		if (object->kind != OBJECT_NONE && (!only || only == object) &&
		    !bytes_are_right(run, object, 0, object->bytes))
			return false;
	}
	return true;
}

bool memory_near_is_right(struct run *run, const struct object *object, u64 start, u64 end)
{
	start = start > NEAR_BYTES ? start - NEAR_BYTES : 0;
	end = end + NEAR_BYTES < object->bytes ? end + NEAR_BYTES : object->bytes;
	return bytes_are_right(run, object, start, end);
}

/* ---- Picking --------------------------------------------------------------------------------- */

u32 pick_device(struct run *run, struct dice *dice)
{
	(void)run;
	return (u32)dice_below(dice, RUN_DEVICES);
}

struct object *pick_object(struct run *run, struct dice *dice)
{
	for (;;) {
		struct object *object = &run->model.object[dice_below(dice, MODEL_OBJECTS)];

		if (object->kind != OBJECT_NONE)
			return object;
	}
}

struct mapping *pick_mapping(struct run *run, struct dice *dice, enum mapping_kind kind)
{
	u32 first = (u32)dice_below(dice, RUN_MAPPINGS);

	for (u32 i = 0; i < RUN_MAPPINGS; i++) {
		struct mapping *mapping = &run->mapping[(first + i) % RUN_MAPPINGS];

		if (mapping->kind != MAPPING_NONE &&
		    (kind == MAPPING_NONE || mapping->kind == kind))
			return mapping;
	}
	return NULL;
}

struct mapping *new_mapping(struct run *run, enum mapping_kind kind, u32 device)
{
	for (u32 i = 0; i < RUN_MAPPINGS; i++) {
		struct mapping *mapping = &run->mapping[i];

		if (mapping->kind != MAPPING_NONE)
			continue;
		*mapping = (struct mapping){ .kind = kind, .device = device };
		return mapping;
	}
	return NULL;
}

u32 mapping_index(const struct run *run, const struct mapping *mapping)
{
	return (u32)(mapping - run->mapping);
}

/* NULL: the mapping has none. MODEL_NOBODY: of any mapping. */
struct extent *pick_extent(struct run *run, struct dice *dice, u32 mapping)
{
	struct model *model = &run->model;
	u32 first = model->extent_end ? (u32)dice_below(dice, model->extent_end) : 0;

	for (u32 i = 0; i < model->extent_end; i++) {
		struct extent *extent = &model->extent[(first + i) % model->extent_end];

		if (extent->mapping != MODEL_NOBODY &&
		    (mapping == MODEL_NOBODY || extent->mapping == mapping))
			return extent;
	}
	return NULL;
}

enum dma_data_direction pick_direction(struct dice *dice)
{
	return (enum dma_data_direction)dice_below(dice, 3);
}

/* 1 to `most`: often a few bytes, often whole granules. */
u64 pick_bytes(struct dice *dice, u64 most)
{
	u64 bytes;

	switch (dice_below(dice, 4)) {
	case 0:
		bytes = dice_from(dice, 1, 64);
		break;
	case 1:
		bytes = GRANULE * dice_from(dice, 1, 4);
		break;
	default:
		bytes = dice_from(dice, 1, 3 * GRANULE);
	}
	return bytes < most ? bytes : most;
}

/* ---- Mappings -------------------------------------------------------------------------------- */

void mapping_uses(struct mapping *mapping, struct object *object)
{
	for (u32 i = 0; i < mapping->object_count; i++)
		if (mapping->object[i] == object)
			return;
	mapping->object[mapping->object_count++] = object;
	object->users++;
}

void mapping_forget(struct run *run, struct mapping *mapping)
{
	(void)run;
	for (u32 i = 0; i < mapping->object_count; i++)
		mapping->object[i]->users--;
	mapping->kind = MAPPING_NONE;
}

static bool overlap(u64 start, u64 end, u64 other_start, u64 other_end)
{
	return start < other_end && other_start < end;
}

bool block_is_good(struct run *run, struct mapping *mapping, dma_addr_t start, u64 bytes)
{
	u32 domain = run->model.device[mapping->device].domain;
	u64 last = (1ULL << run->model.address_bits) - 1;
	u64 end = start + bytes, aligned = GRANULE;

	while (aligned < bytes)
		aligned *= 2;
	if (run->mask[mapping->device] < last)
		last = run->mask[mapping->device];
	if (start < GRANULE || start % aligned || end - 1 > last)
		return wrong(run, "IOVA 0x%llx of %llu bytes: not aligned, or out of reach", start,
			     bytes);
	for (u32 i = 0; i < run->model.window_count; i++) {
		const struct dmasim_window *window = &run->model.window[i];
		u64 bus = window->start + window->bus_offset;

		if (window->bus == run->model.device[mapping->device].root_bus &&
		    overlap(start, end, bus, bus + window->bytes))
			return wrong(run, "IOVA 0x%llx is in the host bridge's window", start);
	}
	for (u32 i = 0; i < RUN_MAPPINGS; i++) {
		const struct mapping *other = &run->mapping[i];

		if (other == mapping || other->kind == MAPPING_NONE ||
		    run->model.device[other->device].domain != domain)
			continue;
		if (overlap(start, end, other->block.start, other->block.end))
			return wrong(run, "IOVA 0x%llx is in use already", start);
	}
	mapping->block = (struct range){ start, end };
	return true;
}
