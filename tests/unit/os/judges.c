/* SPDX-License-Identifier: MIT */
#include "judges.h"

/* ---- Leaves of a range walk ------------------------------------------------------------------ */

void judge_relay_end(struct judge_relay *relay)
{
	const struct seen_leaf *page = &relay->page;
	u64 start = page->iova > relay->start ? page->iova : relay->start;
	u64 last = page->iova + (page->bytes - 1);

	if (!page->bytes)
		return;
	if (last > relay->last)
		last = relay->last;
	if (relay->told < last - start + 1)
		fail_msg("entries are missing of the page at 0x%llx", page->iova);
	relay->leaf(relay->cookie, page);
	relay->page.bytes = 0;
}

/* A page, or the part of one that an entry has. */
static void relay_piece(struct judge_relay *relay, const struct hw_leaf *leaf, u64 bytes)
{
	u64 less_1 = (1ULL << leaf->page_lg2) - 1;
	const struct seen_leaf page = {
		leaf->iova & ~less_1, less_1 + 1, leaf->phys & ~less_1, leaf->read, leaf->write,
	};

	assert_true(!((leaf->iova ^ leaf->phys) & less_1));
	if (relay->page.bytes && relay->page.iova == page.iova) {
		assert_true(relay->page.phys == page.phys && relay->page.read == page.read &&
			    relay->page.write == page.write && relay->page.bytes == page.bytes);
		relay->told += bytes;
		return;
	}
	judge_relay_end(relay);
	relay->page = page;
	relay->told = bytes;
}

/* What is told of several pages is told of each. */
void judge_relay_leaf(void *cookie, const struct hw_leaf *leaf)
{
	u64 page_bytes = 1ULL << leaf->page_lg2;
	struct hw_leaf piece = *leaf;

	for (u64 done = 0; done < leaf->bytes; done += page_bytes) {
		u64 left = leaf->bytes - done;

		piece.iova = leaf->iova + done;
		piece.phys = leaf->phys + done;
		relay_piece(cookie, &piece, left < page_bytes ? left : page_bytes);
	}
}

/* ---- Plain reads of RAM ---------------------------------------------------------------------- */

/* An entry as far as a judge looks at it. */
struct plain {
	bool present, table, read, write;
	u8 lg2;
	phys_addr_t phys;
};

/* Words of AMD's kind: the mock's address field counts granules of 2 KiB. */
static struct plain plain_amd(u64 entry, u64 address, u8 granule, u8 level)
{
	u64 next = entry >> 9 & 7;
	struct plain plain = {
		.present = entry & 1,
		.table = level && next && next != 7,
		.read = entry >> 61 & 1,
		.write = entry >> 62 & 1,
		.lg2 = granule + 9 * level,
	};

	if (plain.table)
		assert_true(next == level);
	if (next == 7) {
		plain.lg2 = granule + 1;
		for (u64 bits = address >> 12; bits & 1; bits >>= 1)
			plain.lg2++;
	}
	plain.phys = address >> (12 - granule) & ~((1ULL << (plain.table ? 12 : plain.lg2)) - 1);
	return plain;
}

static struct plain plain_x86(u64 entry, u64 address, u8 level)
{
	return (struct plain){
		.present = entry & 1,
		.table = level && !(entry & 0x80),
		.read = true,
		.write = entry & 2,
		.lg2 = 12 + 9 * level,
		.phys = address,
	};
}

/* Tables lie in encrypted memory, and say so; leaves may lead elsewhere. */
static struct plain plain_entry(const struct format_fixture *fixture, u64 entry, u8 level)
{
	u64 mark = fixture->config.encryption;
	u64 address = entry & 0xffffffffff000ULL & ~mark;
	struct plain plain =
		fixture->format->ops == &pgtable_x86_64
			? plain_x86(entry, address, level)
			: plain_amd(entry, address, fixture->format->granule_lg2, level);

	if (plain.present && plain.table)
		assert_true((entry & mark) == mark);
	return plain;
}

static u8 plain_shift(const struct format_fixture *fixture, u8 level)
{
	return fixture->format->granule_lg2 + 9 * level;
}

struct seen judge_plain_walk(const struct format_fixture *fixture, u64 iova)
{
	phys_addr_t table = fixture->pt.root;

	for (u8 level = fixture->pt.levels; level-- > 0;) {
		u64 index = iova >> plain_shift(fixture, level) & 511;
		struct plain plain =
			plain_entry(fixture, format_word(fixture->s, table + 8 * index), level);

		if (!plain.present)
			return (struct seen){ .read = false };
		if (plain.table) {
			table = plain.phys;
			continue;
		}
		return (struct seen){
			.read = plain.read,
			.write = plain.write,
			.phys = plain.phys | (iova & ((1ULL << plain.lg2) - 1)),
			.page_lg2 = plain.lg2,
		};
	}
	return (struct seen){ .read = false };
}

struct plain_range {
	const struct format_fixture *fixture;
	u64 start, last;
	struct judge_relay *relay;
};

/* At most 6 levels deep. */
static void plain_table(const struct plain_range *range, phys_addr_t table, u8 level, u64 base)
{
	u8 shift = plain_shift(range->fixture, level);

	for (u64 index = 0; index < 512; index++) {
		u64 iova = base + (index << shift);
		struct plain plain;

		if (iova > range->last || iova + ((1ULL << shift) - 1) < range->start)
			continue;
		plain = plain_entry(range->fixture,
				    format_word(range->fixture->s, table + 8 * index), level);
		if (!plain.present)
			continue;
		if (plain.table) {
			plain_table(range, plain.phys, level - 1, iova);
			continue;
		}
		judge_relay_leaf(range->relay,
				 &(struct hw_leaf){
					 .iova = iova,
					 .bytes = 1ULL << shift,
					 .phys = plain.phys | (iova & ((1ULL << plain.lg2) - 1)),
					 .page_lg2 = plain.lg2,
					 .read = plain.read,
					 .write = plain.write,
				 });
	}
}

void judge_plain_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			    seen_leaf_fn *leaf, void *cookie)
{
	struct judge_relay relay = { .start = start, .last = last, .leaf = leaf, .cookie = cookie };
	const struct plain_range range = { fixture, start, last, &relay };

	plain_table(&range, fixture->pt.root, fixture->pt.levels - 1, 0);
	judge_relay_end(&relay);
}
