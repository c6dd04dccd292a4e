/* SPDX-License-Identifier: MIT */
#include "matrix/memory.h"

#include <string.h>

#define LINE 64

void memory_init(struct memory *memory, bool snoops)
{
	memset(memory, 0, sizeof(*memory));
	memset(memory->own.known, 1, sizeof(memory->own.known));
	memory->snoops = snoops;
}

void memory_store(struct memory *memory, u32 at, const u8 *from, u32 bytes)
{
	memcpy(memory->own.cpu + at, from, bytes);
}

/* ---- Parts: of the region itself, or of one copy ----------------------- */

struct part {
	const struct copy *copy; /* NULL: it is not copied */
	u32 at;
	u32 bytes;
};

/* The part that [at, end) begins with. */
static struct part part_at(const struct memory *memory, u32 at, u32 end)
{
	struct part part = { NULL, at, end - at };

	for (u32 i = 0; i < memory->copy_count; i++) {
		const struct copy *copy = &memory->copies[i];

		if (at >= copy->at && at < copy->at + copy->bytes) {
			part.copy = copy;
			if (part.bytes > copy->at + copy->bytes - at)
				part.bytes = copy->at + copy->bytes - at;
			return part;
		}
		if (copy->at > at && copy->at - at < part.bytes)
			part.bytes = copy->at - at;
	}
	return part;
}

/* ---- Copies ----------------------------------------------------------- */

void memory_bounce(struct memory *memory, u32 at, u32 bytes, u32 shift)
{
	memory->copies[memory->copy_count++] = (struct copy){ at, bytes, shift % LINE };
	memset(memory->copy.known + at, 0, bytes);
	memory_copy_in(memory, at, bytes);
	/* Whatever was in that memory before, this is not it. */
	for (u32 i = at; i < at + bytes; i++)
		memory->copy.met[i] = (u8)~memory->copy.cpu[i];
}

void memory_end_copies(struct memory *memory)
{
	memory->copy_count = 0;
}

void memory_copy_in(struct memory *memory, u32 at, u32 bytes)
{
	u32 end = at + bytes;

	for (struct part part; at < end; at += part.bytes) {
		part = part_at(memory, at, end);
		if (part.copy)
			memcpy(memory->copy.cpu + at, memory->own.cpu + at, part.bytes);
	}
}

void memory_copy_out(struct memory *memory, u32 at, u32 bytes)
{
	u32 end = at + bytes;

	for (struct part part; at < end; at += part.bytes) {
		part = part_at(memory, at, end);
		if (part.copy)
			memcpy(memory->own.cpu + at, memory->copy.cpu + at, part.bytes);
	}
}

/* ---- Lines ------------------------------------------------------------ */

struct line {
	u32 at;
	u32 bytes;
	bool whole; /* the range has all of it */
};

static void write_back(struct plane *plane, const struct line *line)
{
	if (!memcmp(plane->cpu + line->at, plane->met + line->at, line->bytes))
		return;
	memcpy(plane->mem + line->at, plane->cpu + line->at, line->bytes);
	memcpy(plane->met + line->at, plane->cpu + line->at, line->bytes);
	memset(plane->known + line->at, 1, line->bytes);
}

static void invalidate_line(struct memory *memory, struct plane *plane, const struct line *line)
{
	if (!line->whole)
		write_back(plane, line);
	if (memchr(plane->known + line->at, 0, line->bytes))
		memory->lost = true;
	memcpy(plane->cpu + line->at, plane->mem + line->at, line->bytes);
	memcpy(plane->met + line->at, plane->mem + line->at, line->bytes);
}

/* A copy's lines are counted from its start; what is outside of it is of no interest. */
static void do_part(struct memory *memory, const struct part *part, bool clean)
{
	const struct copy *copy = part->copy;
	struct plane *plane = copy ? &memory->copy : &memory->own;
	s64 low = copy ? copy->at : 0, high = copy ? low + copy->bytes : REGION_BYTES;
	s64 base = copy ? low - copy->shift : 0;
	s64 at = part->at, end = at + part->bytes;

	for (s64 start = at - (at - base) % LINE; start < end; start += LINE) {
		s64 stop = start + LINE < high ? start + LINE : high;
		s64 first = start > low ? start : low;
		struct line line = { (u32)first, (u32)(stop - first),
				     start >= at && start + LINE <= end };

		if (clean)
			write_back(plane, &line);
		else
			invalidate_line(memory, plane, &line);
	}
}

static void do_range(struct memory *memory, u32 at, u32 bytes, bool clean)
{
	u32 end = at + bytes;

	if (memory->snoops)
		return;
	for (struct part part; at < end; at += part.bytes) {
		part = part_at(memory, at, end);
		do_part(memory, &part, clean);
	}
}

void memory_clean(struct memory *memory, u32 at, u32 bytes)
{
	do_range(memory, at, bytes, true);
}

void memory_invalidate(struct memory *memory, u32 at, u32 bytes)
{
	do_range(memory, at, bytes, false);
}

/* ---- The device ------------------------------------------------------- */

void memory_dev_write(struct memory *memory, u32 at, const u8 *from, u32 bytes)
{
	u32 end = at + bytes;

	for (struct part part; at < end; at += part.bytes, from += part.bytes) {
		struct plane *plane;

		part = part_at(memory, at, end);
		plane = part.copy ? &memory->copy : &memory->own;
		memcpy((memory->snoops ? plane->cpu : plane->mem) + at, from, part.bytes);
		memset(plane->known + at, 1, part.bytes);
	}
}

void memory_dev_read(const struct memory *memory, u32 at, u8 *to, u8 *known, u32 bytes)
{
	u32 end = at + bytes;

	for (struct part part; at < end; at += part.bytes, to += part.bytes, known += part.bytes) {
		const struct plane *plane;

		part = part_at(memory, at, end);
		plane = part.copy ? &memory->copy : &memory->own;
		memcpy(to, (memory->snoops ? plane->cpu : plane->mem) + at, part.bytes);
		if (memory->snoops)
			memset(known, 1, part.bytes);
		else
			memcpy(known, plane->known + at, part.bytes);
	}
}
