/* SPDX-License-Identifier: MIT */
/*
 * Physical addresses of all widths: where a field of an entry, or the mask of who reads it, is a
 * bit too short, only an address that has this bit tells.
 */
#include <endian.h>
#include <string.h>

#include <dmasim/pgtable/format.h>

#include "workbench/pt_conform.h"

/* A leaf that leads there comes and goes. */
static bool leads_to(struct pt_conform *c, phys_addr_t phys, u8 lg2)
{
	u64 size = 1ULL << lg2;

	return pt_map(c, size, phys, size, PT_RW) && pt_unmap(c, size, size);
}

static bool leaves_lead_everywhere(struct pt_conform *c)
{
	u64 all = (1ULL << c->pt.pa_bits) - 1;
	u8 lg2;

	for (u32 i = 0; (lg2 = pt_size_lg2(c, i)); i++) {
		for (u8 bit = lg2; bit < c->pt.pa_bits; bit++) {
			if (!leads_to(c, 1ULL << bit, lg2))
				return false;
		}
		if (lg2 < c->pt.pa_bits && !leads_to(c, all & ~((1ULL << lg2) - 1), lg2))
			return false;
	}
	return true;
}

/*
 * Leaves side by side, from below a power of two to above it: where the address of the next is not
 * in the place of the one before and a constant, each must be coded anew.
 */
static bool runs_cross_everything(struct pt_conform *c)
{
	u8 lg2;

	for (u32 i = 0; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;

		if (c->last / 8 < size)
			break;
		for (u8 bit = lg2 + 2; bit < c->pt.pa_bits; bit++) {
			if (!pt_map(c, size, (1ULL << bit) - 2 * size, 4 * size, PT_RW) ||
			    !pt_unmap(c, size, 4 * size))
				return false;
		}
	}
	return true;
}

/* ---- Tables ----------------------------------------------------------- */

/* A top table whose first word is for a table; the others are empty, and no other memory is. */
struct pointer {
	struct dmasim_walker walker; /* the first: what the walker is given */
	phys_addr_t top;
	u64 bytes; /* of the top table */
	u64 word;
	phys_addr_t led_to; /* where the walker went */
	bool led;
	bool is_wrong;
};

static struct pointer *pointer_of(const struct dmasim_walker *walker)
{
	return (struct pointer *)(uintptr_t)walker;
}

static bool fetch(const struct dmasim_walker *walker, phys_addr_t phys, void *to, u32 bytes)
{
	const struct pointer *pointer = pointer_of(walker);
	const u64 word = htole64(pointer->word);
	u64 at = phys - pointer->top;

	if (at >= pointer->bytes || bytes > pointer->bytes - at)
		return false;
	memset(to, 0, bytes);
	if (at < sizeof(word))
		memcpy(to, (const u8 *)&word + at,
		       bytes < sizeof(word) - at ? bytes : sizeof(word) - at);
	return true;
}

static void tell_page(const struct dmasim_walker *walker, const struct dmasim_walker_page *page)
{
	(void)page;
	pointer_of(walker)->is_wrong = true;
}

static void tell_table(const struct dmasim_walker *walker, const struct dmasim_walker_table *table)
{
	pointer_of(walker)->led = true;
	pointer_of(walker)->led_to = table->phys;
}

static void tell_none(const struct dmasim_walker *walker, u64 iova, u8 lg2)
{
	(void)iova;
	(void)lg2;
	pointer_of(walker)->is_wrong = true;
}

/* What the format writes for a table of 2^lg2 bytes there, itself and the walker take for that. */
static bool table_is_found(struct pt_conform *c, phys_addr_t phys, u8 lg2)
{
	const struct pt_format *format = c->subject->ops->format;
	const struct dmasim_walker_ops *ops = c->subject->walker;
	struct pointer pointer = {
		.walker = { ops, c->pt.pa_bits, fetch, tell_page, tell_table, tell_none,
			    tell_none },
		.top = 3ULL << lg2, /* none of those that are looked for */
		.bytes = 1ULL << lg2,
		.word = format->table(&c->pt, phys, c->pt.levels - 1),
	};
	phys_addr_t back = format->address(&c->pt, pointer.word);

	if (back != phys)
		return pt_wrong(c,
				"the entry 0x%llx is for a table at 0x%llx, address() gives 0x%llx",
				pointer.word, phys, back);
	if (!ops)
		return true;
	ops->walk(&pointer.walker, pointer.top, c->pt.levels, 0, 0);
	if (pointer.is_wrong || !pointer.led)
		return pt_wrong(c,
				"the entry 0x%llx is for a table at 0x%llx, hardware takes it for "
				"none",
				pointer.word, phys);
	return pointer.led_to == phys ||
	       pt_wrong(c, "the entry 0x%llx is for a table at 0x%llx, hardware goes to 0x%llx",
			pointer.word, phys, pointer.led_to);
}

static bool tables_are_found_everywhere(struct pt_conform *c)
{
	const struct pt_format *format = c->subject->ops->format;
	u64 all = (1ULL << c->pt.pa_bits) - 1;
	u8 lg2;

	if (!format || c->pt.levels < 2)
		return true;
	lg2 = format->index_lg2 + 3; /* a table is aligned to its own bytes */
	if (lg2 + 3 > c->pt.pa_bits)
		return true;
	for (u8 bit = lg2; bit < c->pt.pa_bits; bit++) {
		if (!table_is_found(c, 1ULL << bit, lg2))
			return false;
	}
	return table_is_found(c, all & ~((1ULL << lg2) - 1), lg2);
}

bool pt_check_width(struct pt_conform *c)
{
	return pt_start(c, true) && leaves_lead_everywhere(c) && runs_cross_everything(c) &&
	       tables_are_found_everywhere(c);
}
