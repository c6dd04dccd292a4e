/* SPDX-License-Identifier: MIT */
#include "property/driver.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- What is wrong --------------------------------------------------------------------------- */

bool driver_wrong(struct driver *driver, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(driver->wrong, sizeof(driver->wrong), format, arguments);
	va_end(arguments);
	return false;
}

void driver_note(struct driver *driver, const char *format, ...)
{
	va_list arguments;

	if (!driver->log)
		return;
	fprintf(driver->log, "#   step %u: ", driver->step);
	va_start(arguments, format);
	vfprintf(driver->log, format, arguments);
	va_end(arguments);
	fputc('\n', driver->log);
}

bool driver_no_report(struct driver *driver)
{
	struct dmasim_report report;

	if (dmasim_report_count(driver->s) == driver->reports)
		return true;
	if (!dmasim_report_get(driver->s, driver->reports, &report))
		return driver_wrong(driver, "a report that cannot be read");
	return driver_wrong(driver, "a report, though all is well:\n%.900s", report.text);
}

/* ---- Buffers --------------------------------------------------------------------------------- */

struct buffer *buffer_new(struct driver *driver, enum buffer_kind kind, phys_addr_t phys, u32 bytes)
{
	for (u32 i = 0; i < DRIVER_BUFFERS; i++) {
		struct buffer *buffer = &driver->buffer[i];

		if (buffer->kind != BUFFER_NONE)
			continue;
		buffer->shadow = calloc(bytes, 1);
		if (!buffer->shadow)
			return NULL;
		buffer->kind = kind;
		buffer->phys = phys;
		buffer->bytes = bytes;
		return buffer;
	}
	return NULL;
}

void buffer_drop(struct driver *driver, struct buffer *buffer)
{
	if (buffer->kind == BUFFER_RAM)
		dmasim_free(driver->s, buffer->phys, buffer->bytes);
	if (buffer->kind == BUFFER_ADOPTED)
		dmasim_unadopt(driver->s, buffer->phys);
	free(buffer->shadow);
	free(buffer->adopted);
	*buffer = (struct buffer){ 0 };
}

/* Memory of the program's own, at any address. */
static bool add_adopted(struct driver *driver, u32 bytes, struct dice *dice)
{
	u32 shift = (u32)dice_below(dice, DRIVER_PAGE);
	u32 room = DRIVER_PART_MAX * 2 + DRIVER_PAGE;
	u8 *memory = aligned_alloc(DRIVER_PAGE, room);
	struct buffer *buffer;
	phys_addr_t phys;

	if (!memory)
		return driver_wrong(driver, "no memory");
	memset(memory, 0, room);
	phys = dmasim_adopt(driver->s, memory + shift, bytes);
	buffer = phys == DMASIM_NO_PHYS ? NULL : buffer_new(driver, BUFFER_ADOPTED, phys, bytes);
	if (!buffer) {
		if (phys != DMASIM_NO_PHYS)
			dmasim_unadopt(driver->s, phys);
		free(memory);
		return true;
	}
	buffer->adopted = memory;
	driver_note(driver, "buffer 0x%llx adopted, %u bytes", phys, bytes);
	return true;
}

static u32 live_buffers(const struct driver *driver)
{
	u32 count = 0;

	for (u32 i = 0; i < DRIVER_BUFFERS; i++)
		count += driver->buffer[i].kind != BUFFER_NONE;
	return count;
}

bool buffer_add_random(struct driver *driver, struct dice *dice)
{
	u32 bytes = DRIVER_PAGE * (u32)dice_from(dice, 1, 8);
	bool adopt = dice_chance(dice, 20), carve = driver->block && dice_chance(dice, 70);
	phys_addr_t phys;

	/* A few are for memory that comes mapped. */
	if (live_buffers(driver) >= DRIVER_BUFFERS - 4)
		return true;
	/* Inbound ranges cover RAM, and so does the model of caches. */
	if (adopt && !driver->facts->no_snoop && driver->mode != MODE_DIRECT_RANGES)
		return add_adopted(driver, bytes - (u32)dice_below(dice, 300), dice);
	if (carve) {
		phys = driver->block + driver->carved++ * SZ_64K;
		bytes -= (u32)dice_below(dice, 300);
	} else {
		phys = dmasim_alloc(driver->s, bytes);
	}
	if (phys == DMASIM_NO_PHYS)
		return true;
	driver_note(driver, "buffer 0x%llx, %u bytes", phys, bytes);
	if (!buffer_new(driver, carve ? BUFFER_CARVED : BUFFER_RAM, phys, bytes))
		return driver_wrong(driver, "no buffer");
	return true;
}

/* ---- The CPU --------------------------------------------------------------------------------- */

static u8 *pointer_to(struct driver *driver, const struct buffer *buffer, u32 at, u32 bytes)
{
	if (buffer->kind == BUFFER_PEER)
		return NULL;
	if (buffer->kind == BUFFER_ADOPTED)
		return buffer->adopted + buffer->phys % DRIVER_PAGE + at;
	return dmasim_ptr(driver->s, buffer->phys + at, bytes);
}

bool cpu_fills(struct driver *driver, struct buffer *buffer, u32 at, u32 bytes, struct dice *dice)
{
	u8 *pointer = dice_chance(dice, 50) ? pointer_to(driver, buffer, at, bytes) : NULL;

	for (u32 i = 0; i < bytes; i++)
		buffer->shadow[at + i] = (u8)dice_word(dice);
	if (pointer) {
		memcpy(pointer, buffer->shadow + at, bytes);
		return true;
	}
	if (dmasim_write(driver->s, buffer->phys + at, buffer->shadow + at, bytes) != bytes)
		return driver_wrong(driver, "the CPU cannot write");
	return true;
}

bool cpu_finds(struct driver *driver, struct buffer *buffer, u32 at, u32 bytes, bool by_pointer)
{
	const u8 *seen = by_pointer ? pointer_to(driver, buffer, at, bytes) : NULL;
	u8 *copy = NULL;
	bool right;
	u32 i = 0;

	if (!seen) {
		copy = malloc(bytes);
		if (!copy || dmasim_read(driver->s, buffer->phys + at, copy, bytes) != bytes) {
			free(copy);
			return driver_wrong(driver, "the CPU cannot read");
		}
		seen = copy;
	}
	right = !memcmp(seen, buffer->shadow + at, bytes);
	while (!right && seen[i] == buffer->shadow[at + i])
		i++;
	if (!right)
		driver_wrong(driver, "the CPU sees 0x%02x at 0x%llx, not 0x%02x", seen[i],
			     buffer->phys + at + i, buffer->shadow[at + i]);
	free(copy);
	return right;
}

/* ---- Uses ------------------------------------------------------------------------------------ */

struct use *use_pick(struct driver *driver, struct dice *dice, enum use_kind kind)
{
	u32 first = (u32)dice_below(dice, DRIVER_USES);

	for (u32 i = 0; i < DRIVER_USES; i++) {
		struct use *use = &driver->use[(first + i) % DRIVER_USES];

		if (use->kind != USE_NONE && (kind == USE_NONE || use->kind == kind))
			return use;
	}
	return NULL;
}

struct use *use_new(struct driver *driver, enum use_kind kind, u32 device)
{
	for (u32 i = 0; i < DRIVER_USES; i++) {
		struct use *use = &driver->use[i];

		if (use->kind != USE_NONE)
			continue;
		*use = (struct use){ .kind = kind, .device = device };
		return use;
	}
	return NULL;
}

void use_forget(struct driver *driver, struct use *use)
{
	(void)driver;
	for (u32 i = 0; i < use->part_count; i++)
		use->part[i].buffer->users--;
	use->kind = USE_NONE;
}

u32 use_index(const struct driver *driver, const struct use *use)
{
	return (u32)(use - driver->use);
}

void use_add_part(struct use *use, struct buffer *buffer, u32 at, u32 bytes)
{
	use->part[use->part_count++] = (struct part){ .buffer = buffer, .at = at, .bytes = bytes };
	use->bytes += bytes;
	buffer->users++;
}

void use_add_segment(struct use *use, dma_addr_t dma, u32 bytes)
{
	if (use->segment_count < DRIVER_SEGMENTS)
		use->segment[use->segment_count++] = (struct use_segment){ dma, bytes };
}

u32 part_offset(const struct use *use, u32 part)
{
	u32 offset = 0;

	for (u32 i = 0; i < part; i++)
		offset += use->part[i].bytes;
	return offset;
}

struct part use_stretch(const struct use *use, u32 offset, u32 bytes)
{
	u32 i = 0;
	struct part part;

	while (offset >= use->part[i].bytes)
		offset -= use->part[i++].bytes;
	part = use->part[i];
	part.at += offset;
	part.bytes -= offset;
	if (part.bytes > bytes)
		part.bytes = bytes;
	return part;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* The cache lines of a stretch, as addresses. */
static phys_addr_t first_line(const struct buffer *buffer, u32 at)
{
	return (buffer->phys + at) / DRIVER_LINE;
}

static bool share_a_line(const struct part *part, const struct buffer *buffer, u32 at, u32 bytes)
{
	return part->buffer == buffer &&
	       first_line(buffer, part->at) <= first_line(buffer, at + bytes - 1) &&
	       first_line(buffer, at) <= first_line(buffer, part->at + part->bytes - 1);
}

/* No use has a line of it, but for uses that read where `readers` may share. */
static bool is_free_for(const struct driver *driver, const struct use *but,
			const struct buffer *buffer, u32 at, u32 bytes, bool readers)
{
	for (u32 i = 0; i < DRIVER_USES; i++) {
		const struct use *use = &driver->use[i];

		if (use->kind == USE_NONE || (readers && use != but && use->dir == DMA_TO_DEVICE &&
					      !use->cpu_wrote && use->cpu_start == use->cpu_end))
			continue;
		for (u32 k = 0; k < use->part_count; k++)
			if (share_a_line(&use->part[k], buffer, at, bytes))
				return false;
	}
	return true;
}

bool part_is_free(const struct driver *driver, const struct buffer *buffer, u32 at, u32 bytes)
{
	return is_free_for(driver, NULL, buffer, at, bytes, false);
}

static bool uses_meet(const struct use *one, const struct use *two)
{
	for (u32 i = 0; i < one->part_count; i++)
		for (u32 k = 0; k < two->part_count; k++)
			if (share_a_line(&two->part[k], one->part[i].buffer, one->part[i].at,
					 one->part[i].bytes))
				return true;
	return false;
}

bool use_shares(const struct driver *driver, const struct use *use)
{
	for (u32 i = 0; i < DRIVER_USES; i++) {
		const struct use *other = &driver->use[i];

		if (other->kind != USE_NONE && other != use && uses_meet(use, other))
			return true;
	}
	return false;
}

/* How the device reaches the buffer's memory fits the wish. */
static bool is_reached(struct driver *driver, const struct part_wish *wish,
		       const struct buffer *buffer)
{
	enum pci_p2pdma_map_type type;

	if (buffer->kind == BUFFER_ALLOC || (buffer->kind == BUFFER_PEER) != wish->peer)
		return false;
	if (!wish->peer)
		return true;
	if (buffer->owner == wish->device || !driver->provider[buffer->owner])
		return false;
	type = pci_p2pdma_map_type(driver->provider[buffer->owner],
				   driver_dev(driver, wish->device));
	return type == (wish->by_bus ? PCI_P2PDMA_MAP_BUS_ADDR : PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

/* Often a few bytes, often whole pages. */
static u32 pick_bytes(struct dice *dice)
{
	switch (dice_below(dice, 4)) {
	case 0:
		return (u32)dice_from(dice, 1, 300);
	case 1:
		return DRIVER_PAGE * (u32)dice_from(dice, 1, 3);
	default:
		return (u32)dice_from(dice, 1, DRIVER_PART_MAX - 1);
	}
}

bool part_find(struct driver *driver, struct dice *dice, const struct part_wish *wish,
	       const struct use *but, struct part *part)
{
	for (u32 tries = 0; tries < 12; tries++) {
		struct buffer *buffer = &driver->buffer[dice_below(dice, DRIVER_BUFFERS)];
		u32 bytes = pick_bytes(dice), in_page, at;
		/* Two devices may read the same, but a bounce buffer or a cache has one user. */
		bool readers = wish->dir == DMA_TO_DEVICE && dice_chance(dice, 30);

		if (buffer->kind == BUFFER_NONE || !is_reached(driver, wish, buffer))
			continue;
		if (wish->whole_pages)
			bytes = (bytes + DRIVER_PAGE - 1) & ~(DRIVER_PAGE - 1);
		if (bytes > buffer->bytes)
			continue;
		at = (u32)dice_below(dice, buffer->bytes - bytes + 1);
		in_page = (u32)((buffer->phys + at) & (DRIVER_PAGE - 1));
		if (!wish->any_in_page || dice_chance(dice, 30))
			at = at >= in_page ? at - in_page : at + (DRIVER_PAGE - in_page);
		if (((buffer->phys + at) & (DRIVER_PAGE - 1) && !wish->any_in_page) ||
		    at + bytes > buffer->bytes ||
		    !is_free_for(driver, but, buffer, at, bytes, readers))
			continue;
		*part = (struct part){ .buffer = buffer, .at = at, .bytes = bytes };
		return true;
	}
	return false;
}
