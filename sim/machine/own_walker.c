/* SPDX-License-Identifier: MIT */
/*
 * A walker of the program's own, as hardware: what it tells becomes what a unit asks of an
 * architecture. Commands, contexts and fault records stay those of the unit.
 *
 * Of the tables on the way no steps are kept: only whoever made them knows where entries stand.
 */
#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>
#include <dmasim/walker.h>

#include "machine/machine.h"
#include "machine/own_walker.h"

#define PAGE_LG2_MIN 12 /* caches know no smaller ones */

/* How a unit says what else a walk may meet, beside what struct hw_arch has. */
struct refusal {
	u16 code;
	u16 flags;
};

struct refusals {
	const struct hw_arch *arch;
	struct refusal wrong, lost, no_read, no_write;
	u16 write_flags; /* of a write, in any of them */
};

static const struct refusals vtd = {
	.arch = &hw_vtd,
	.wrong = { VTD_FAULT_PTE_RESERVED, 0 },
	.lost = { VTD_FAULT_TABLE_ACCESS, 0 },
	.no_read = { VTD_FAULT_NO_READ, 0 },
	.no_write = { VTD_FAULT_NO_WRITE, 0 },
};

static const struct refusals amd = {
	.arch = &hw_amd,
	.wrong = { AMD_EVENT_IO_PAGE_FAULT, AMD_FLAG_PR | AMD_FLAG_RZ },
	.lost = { AMD_EVENT_PAGE_TAB_HARDWARE_ERROR, AMD_TYPE_MASTER_ABORT << AMD_FLAG_TYPE_SHIFT },
	.no_read = { AMD_EVENT_IO_PAGE_FAULT, AMD_FLAG_PR | AMD_FLAG_PE },
	.no_write = { AMD_EVENT_IO_PAGE_FAULT, AMD_FLAG_PR | AMD_FLAG_PE },
	.write_flags = AMD_FLAG_RW,
};

/* Of one address, the first thing that is told. */
enum told {
	TOLD_NOTHING,
	TOLD_PAGE,
	TOLD_HOLE,
	TOLD_WRONG,
};

struct question {
	struct dmasim_walker walker; /* the first: what the program is given */
	const struct hw_walker *hw;
	u64 start;
	u64 last;
	u64 from; /* nothing that is told ends below it */
	u8 fetches;
	bool lost;

	enum told told;
	struct dmasim_walker_page page;
	u8 hole_lg2;

	hw_walk_leaf *leaf; /* of a range */
	hw_walk_table *table;
	void *cookie;
};

static struct question *question_of(const struct dmasim_walker *walker)
{
	return (struct question *)(uintptr_t)walker;
}

static bool fetch(const struct dmasim_walker *walker, phys_addr_t phys, void *to, u32 bytes)
{
	struct question *question = question_of(walker);
	const struct hw_walker *hw = question->hw;
	u64 done;

	DMASIM_CONTRACT(bytes && bytes <= 64, "a walker fetches 1 to 64 bytes at once");
	question->fetches += question->fetches < 0xff;
	done = hw->cache ? hw_cache_peek(hw->cache, hw->ram, phys, to, bytes)
			 : ram_read(hw->ram, phys, to, bytes);
	question->lost |= done != bytes;
	return done == bytes;
}

/* What is told serves an address that was asked for, and comes in order. */
static void check_place(struct question *question, u64 iova, u8 lg2)
{
	u64 within = lg2 < 64 ? (1ULL << lg2) - 1 : ~0ULL;

	DMASIM_CONTRACT(lg2 >= PAGE_LG2_MIN && lg2 < 64 && !(iova & within),
			"what a walker tells has 2^12 to 2^63 bytes, and is aligned");
	DMASIM_CONTRACT(iova <= question->last && (iova | within) >= question->start,
			"a walker tells what it was asked for");
	DMASIM_CONTRACT(iova >= question->from, "a walker tells in ascending order");
}

static void passed(struct question *question, u64 iova, u8 lg2)
{
	check_place(question, iova, lg2);
	question->from = iova + (1ULL << lg2);
	/* The end of all addresses. */
	if (!question->from)
		question->from = ~0ULL;
}

static void tell_page(const struct dmasim_walker *walker, const struct dmasim_walker_page *page)
{
	struct question *question = question_of(walker);

	passed(question, page->iova, page->lg2);
	DMASIM_CONTRACT(!(page->phys & ((1ULL << page->lg2) - 1)),
			"the memory of a page is aligned as the page is");
	if (question->leaf) {
		question->leaf(question->cookie, &(struct hw_leaf){
							 .iova = page->iova,
							 .bytes = 1ULL << page->lg2,
							 .phys = page->phys,
							 .page_lg2 = page->lg2,
							 .read = page->read,
							 .write = page->write,
						 });
		return;
	}
	question->told = TOLD_PAGE;
	question->page = *page;
}

static void tell_table(const struct dmasim_walker *walker, const struct dmasim_walker_table *table)
{
	struct question *question = question_of(walker);

	check_place(question, table->iova, table->lg2);
	DMASIM_CONTRACT(table->levels, "a table has a level at least");
	if (!question->table)
		return;
	question->table(question->cookie,
			&(struct hw_table){
				.iova = table->iova,
				.bytes = 1ULL << table->lg2,
				.phys = table->phys,
				.entry = table->entry & ~(phys_addr_t)(sizeof(u64) - 1),
				.levels = table->levels,
				.read = table->read,
				.write = table->write,
			});
}

static void tell_hole(const struct dmasim_walker *walker, u64 iova, u8 lg2)
{
	struct question *question = question_of(walker);

	passed(question, iova, lg2);
	question->told = TOLD_HOLE;
	question->hole_lg2 = lg2;
	if (question->leaf && question->hw->absents)
		question->leaf(question->cookie, &(struct hw_leaf){
							 .iova = iova,
							 .bytes = 1ULL << lg2,
							 .page_lg2 = lg2,
							 .absent = true,
						 });
}

static void tell_wrong(const struct dmasim_walker *walker, u64 iova, u8 lg2)
{
	struct question *question = question_of(walker);

	passed(question, iova, lg2);
	question->told = TOLD_WRONG;
}

static void ask(struct question *question, const struct hw_walker *hw, phys_addr_t table, u8 levels,
		u64 start, u64 last)
{
	question->hw = hw;
	question->start = start;
	question->last = last;
	question->walker = (struct dmasim_walker){
		.ops = hw->own,
		.address_bits = hw->address_bits,
		.fetch = fetch,
		.page = tell_page,
		.table = tell_table,
		.hole = tell_hole,
		.wrong = tell_wrong,
	};
	question->walker.ops->walk(&question->walker, table, levels, start, last);
}

/* ---- One address ------------------------------------------------------ */

static void refuse(struct hw_walk *walk, const struct refusals *words, struct refusal why,
		   bool write)
{
	walk->fault = why.code;
	walk->fault_flags = why.flags | (write ? words->write_flags : 0);
}

static void refuse_as(struct hw_walk *walk, const struct hw_walk *other)
{
	walk->fault = other->fault;
	walk->fault_flags = other->fault_flags;
}

static void arrive(struct hw_walk *walk, const struct refusals *words,
		   const struct hw_walk_start *start, const struct question *question, bool write)
{
	const struct dmasim_walker_page *page = &question->page;

	walk->read = page->read && start->read;
	walk->write = page->write && start->write;
	if (!(write ? walk->write : walk->read)) {
		refuse(walk, words, write ? words->no_write : words->no_read, write);
		return;
	}
	walk->page_lg2 = page->lg2;
	walk->phys = page->phys | (question->start & ((1ULL << page->lg2) - 1));
}

static void walk_one(const struct refusals *words, const struct hw_walker *hw,
		     const struct hw_walk_start *start, u64 iova, bool write, struct hw_walk *walk)
{
	struct question question = { .told = TOLD_NOTHING };
	struct hw_walk other;

	hw_walk_begin(walk);
	ask(&question, hw, start->table, start->levels, iova, iova);
	hw_walk_end(walk, false, false, 0);
	walk->reads = question.fetches;
	switch (question.told) {
	case TOLD_PAGE:
		arrive(walk, words, start, &question, write);
		break;
	case TOLD_HOLE:
		other = words->arch->absent(write);
		refuse_as(walk, &other);
		walk->absent_lg2 = question.hole_lg2;
		break;
	case TOLD_WRONG:
		refuse(walk, words, words->wrong, write);
		break;
	case TOLD_NOTHING:
		if (question.lost) {
			refuse(walk, words, words->lost, write);
			break;
		}
		other = words->arch->beyond(iova, write);
		refuse_as(walk, &other);
		break;
	}
}

static void walk_vtd(const struct hw_walker *hw, const struct hw_walk_start *start, u64 iova,
		     bool write, struct hw_walk *walk)
{
	walk_one(&vtd, hw, start, iova, write, walk);
}

static void walk_amd(const struct hw_walker *hw, const struct hw_walk_start *start, u64 iova,
		     bool write, struct hw_walk *walk)
{
	walk_one(&amd, hw, start, iova, write, walk);
}

/* ---- The others ------------------------------------------------------- */

static void range(const struct hw_walker *hw, phys_addr_t root, u8 levels, u64 start, u64 last,
		  hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	struct question question = { .leaf = leaf, .table = table, .cookie = cookie };

	ask(&question, hw, root, levels, start, last);
}

/* The walker itself says what it does not reach. */
static bool reaches(u8 levels, u64 iova)
{
	(void)levels;
	(void)iova;
	return true;
}

/* How an entry is made, it alone knows. */
static u64 page_bits(const struct hw_walker *hw)
{
	(void)hw;
	return 0;
}

bool machine_takes_own_walker(const struct hw_arch *like)
{
	return like == &hw_vtd || like == &hw_amd;
}

struct hw_arch machine_own_arch(const struct hw_arch *like)
{
	struct hw_arch arch = *like;

	arch.reaches = reaches;
	arch.walk = like == &hw_amd ? walk_amd : walk_vtd;
	arch.range = range;
	arch.page_bits = page_bits;
	arch.mark = NULL;
	return arch;
}
