/* SPDX-License-Identifier: MIT */
/*
 * An AMD unit: what its device table entries let through, the events it logs, what it caches, and
 * the marks it leaves in entries (facts "iova-and-page-tables" 2.1, 2.6 and 3.6).
 *
 * An event: code 63:60, flags 59:48, domain 47:32, device 15:0; the address in the second word.
 */
#include "amd_tables.h"
#include "bench.h"

#include <stdlib.h>

#define ROOT   0x100000ULL
#define DEV    0x0318 /* 03:03.0 */
#define DOMAIN 5

#define ILLEGAL_ENTRY 1
#define LEAF	      (AMD_PR | AMD_RW)
#define MARK_A	      0x20ULL
#define MARK_D	      0x40ULL

struct fixture {
	struct bench *bench;
	struct hw_iommu *iommu;
	struct tables tables;
	struct hw_context context;
};

static const struct hw_iommu_desc plain = { .arch = &hw_amd,
					    .unit = 3,
					    .levels = 6,
					    .address_bits = 52,
					    .coherent = true,
					    .iotlb_entries = 64 };

static void set(struct fixture *fixture, struct hw_context context)
{
	fixture->context = context;
	expect_ok(hw_context_set(fixture->iommu, DEV, context));
}

static void set_unit(struct fixture *fixture, const struct hw_iommu_desc *desc)
{
	hw_iommu_remove(fixture->iommu);
	fixture->iommu = hw_iommu_add(&fixture->bench->hw, desc);
	set(fixture, fixture->context);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || bench_setup(state))
		return -1;
	fixture->bench = *state;
	*state = fixture;
	ram_add_range(&fixture->bench->hw.ram, 0, SZ_1G);
	fixture->iommu = hw_iommu_add(&fixture->bench->hw, &plain);
	fixture->tables = (struct tables){ &fixture->bench->hw.ram, 4, ROOT, ROOT + 0x1000 };
	set(fixture,
	    (struct hw_context){
		    .type = HW_CONTEXT_TRANSLATE, .levels = 4, .domain = DOMAIN, .root = ROOT });
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *bench = fixture->bench;

	free(fixture);
	return bench_teardown(&bench);
}

static struct hw_translation translate(struct fixture *fixture, u64 iova, bool write)
{
	return hw_translate(fixture->iommu, DEV, iova, write);
}

/* Both kinds of request fail with this; RW with the write. A probe says the same. */
static void expect_fault(struct fixture *fixture, u64 iova, u8 code, u16 flags)
{
	for (int write = 0; write < 2; write++) {
		struct hw_translation probed = hw_translate_probe(fixture->iommu, DEV, iova, write);
		struct hw_translation found = translate(fixture, iova, write);

		expect_u64(found.fault, code);
		expect_u64(found.fault_flags, flags | (write ? FLAG_RW : 0));
		expect_u64(probed.fault, code);
		expect_u64(probed.fault_flags, found.fault_flags);
	}
}

/* ---- Device table entries -------------------------------------------------------------------- */

static void an_entry_of_mode_0_without_permissions_blocks(void **state)
{
	struct fixture *fixture = *state;

	amd_put(&fixture->tables, 0x7000, 0, 0x5000 | LEAF);
	set(fixture, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_fault(fixture, 0x7000, PAGE_FAULT, 0);
	/* A requester that nobody ever set is the same. */
	expect_u64(hw_translate(fixture->iommu, DEV + 1, 0x7000, false).fault, PAGE_FAULT);
}

static void an_entry_of_mode_0_lets_pass_what_it_permits(void **state)
{
	struct fixture *fixture = *state;
	struct hw_context pass = { .type = HW_CONTEXT_PASS_THROUGH, .domain = 9 };
	struct hw_translation found;

	set(fixture, pass);
	for (int write = 0; write < 2; write++) {
		found = translate(fixture, 0x123456789000ULL, write);
		expect_u64(found.fault, 0);
		assert_true(found.pass_through);
		expect_u64(found.phys, 0x123456789000ULL);
	}
	pass.no_write = true;
	set(fixture, pass);
	expect_u64(translate(fixture, 0x9000, false).fault, 0);
	found = translate(fixture, 0x9000, true);
	expect_u64(found.fault, PAGE_FAULT);
	expect_u64(found.fault_flags, FLAG_RW);
	expect_u64(found.domain, 9);
	pass.no_read = true;
	set(fixture, pass);
	expect_fault(fixture, 0x9000, PAGE_FAULT, 0);
}

static void every_mode_translates_what_it_reaches(void **state)
{
	struct fixture *fixture = *state;
	const u64 last[] = { 0,
			     (1ULL << 21) - 1,
			     (1ULL << 30) - 1,
			     (1ULL << 39) - 1,
			     (1ULL << 48) - 1,
			     (1ULL << 57) - 1,
			     ~0ULL };

	for (u8 mode = 1; mode <= 6; mode++) {
		fixture->tables.levels = mode;
		fixture->tables.root = fixture->tables.next;
		fixture->tables.next += 0x1000;
		set(fixture, (struct hw_context){ .type = HW_CONTEXT_TRANSLATE,
						  .levels = mode,
						  .domain = mode,
						  .root = fixture->tables.root });
		amd_put(&fixture->tables, last[mode], 0, 0x5000 | LEAF);
		expect_u64(translate(fixture, last[mode], true).phys, 0x5fff);
		expect_u64(translate(fixture, last[mode] - 1, true).phys, 0x5ffe);
		if (mode < 6)
			expect_fault(fixture, last[mode] + 1, PAGE_FAULT, FLAG_PR | FLAG_RZ);
	}
}

/*
 * trust: AMD device table entries: mode, permissions, what is illegal
 * | our reading of the facts: 2.1 and 2.6
 */
/* Mode 7 is none, a mode may be more than the unit has, and a root is the address of a page. */
static void an_illegal_entry_is_told_as_such(void **state)
{
	struct fixture *fixture = *state;
	const struct hw_context good = fixture->context;
	struct hw_iommu_desc small = plain;
	struct hw_context bad = good;

	bad.levels = 7;
	set(fixture, bad);
	expect_fault(fixture, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
	bad.levels = 0;
	set(fixture, bad);
	expect_fault(fixture, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
	for (u32 bit = 0; bit < 64; bit++) {
		bad = good;
		bad.root |= 1ULL << bit;
		set(fixture, bad);
		if (bit < 12 || bit > 51)
			expect_fault(fixture, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
		else
			assert_int_not_equal(translate(fixture, 0x7000, true).fault, ILLEGAL_ENTRY);
	}
	bad = good;
	bad.marks = 2; /* dirty without accessed */
	set(fixture, bad);
	expect_fault(fixture, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
	small.levels = 4;
	set_unit(fixture, &small);
	bad = good;
	bad.levels = 5;
	set(fixture, bad);
	expect_fault(fixture, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
}

/* Whatever others of the domain have brought into the caches. */
static void permissions_of_the_entry_are_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct hw_iommu_desc cached = plain;
	struct hw_context reader = fixture->context;

	cached.walk_entries = 16;
	cached.context_entries = 16;
	set_unit(fixture, &cached);
	reader.no_write = true;
	expect_ok(hw_context_set(fixture->iommu, DEV + 1, reader));
	amd_put(&fixture->tables, 0x7000, 0, 0x5000 | LEAF);
	for (int turn = 0; turn < 2; turn++) {
		struct hw_translation found;

		expect_u64(translate(fixture, 0x7000, true).phys, 0x5000);
		found = hw_translate(fixture->iommu, DEV + 1, 0x7000, true);
		expect_u64(found.fault, PAGE_FAULT);
		expect_u64(found.fault_flags, FLAG_PR | FLAG_PE | FLAG_RW);
		expect_u64(hw_translate(fixture->iommu, DEV + 1, 0x7000, false).phys, 0x5000);
		expect_u64(hw_translate_probe(fixture->iommu, DEV + 1, 0x7000, true).fault,
			   PAGE_FAULT);
		/* The other way round: what the reader brings in does not bind the writer. */
		iotlb_invalidate_all(&fixture->iommu->iotlb);
		expect_u64(hw_translate(fixture->iommu, DEV + 1, 0x7000, false).phys, 0x5000);
	}
	expect_u64(translate(fixture, 0x7000, true).phys, 0x5000);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

/* trust: AMD events of requests | our reading of the facts: 2.6 */
static void walks_fail_with_the_events_of_the_facts(void **state)
{
	struct fixture *fixture = *state;

	expect_fault(fixture, 0x7000, PAGE_FAULT, 0);
	amd_put(&fixture->tables, 0x8000, 0, 0x5000 | AMD_PR);
	expect_fault(fixture, 0x8000, PAGE_FAULT, FLAG_PR | FLAG_PE);
	amd_put(&fixture->tables, 0x9000, 0, 0x5000 | LEAF | 1ULL << 52);
	expect_fault(fixture, 0x9000, PAGE_FAULT, FLAG_PR | FLAG_RZ);
	/* A table where no memory is. */
	amd_put(&fixture->tables, 0x40000000, 2, 0x80000000ULL | LEAF | AMD_NEXT(2));
	expect_fault(fixture, 0x40000000, HARDWARE_ERROR, FLAG_MASTER);
}

static void an_event_has_the_words_of_the_architecture(void **state)
{
	static const struct {
		struct hw_refusal refusal;
		u64 word[2];
	} row[] = {
		{ { DEV, 5, 0x12345678, false, PAGE_FAULT, 0 },
		  { 0x2000000500000318ULL, 0x12345678 } },
		{ { DEV, 0xabcd, 0xfffffffffffff000ULL, true, PAGE_FAULT, 0x0f0 },
		  { 0x20f0abcd00000318ULL, 0xfffffffffffff000ULL } },
		{ { 0xffff, 5, 0x7000, true, ILLEGAL_ENTRY, 0x0a0 },
		  { 0x10a000000000ffffULL, 0x7000 } },
		{ { 0x0100, 5, 0x7000, false, HARDWARE_ERROR, 0x200 },
		  { 0x4200000000000100ULL, 0x7000 } },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct hw_fault_record record;

		hw_fault_record(fixture->iommu, &row[i].refusal);
		assert_true(hw_fault_take(fixture->iommu, &record));
		expect_u64(record.word[0], row[i].word[0]);
		expect_u64(record.word[1], row[i].word[1]);
	}
}

static void fault(struct fixture *fixture, u64 iova)
{
	hw_fault_record(fixture->iommu,
			&(struct hw_refusal){ .requester = DEV, .iova = iova, .code = PAGE_FAULT });
}

/* 512, or as many as a unit has; lost ones are noted until all others are taken. */
static void the_event_log_is_a_ring_that_overflows(void **state)
{
	struct fixture *fixture = *state;
	struct hw_iommu_desc small = plain;
	struct hw_fault_record record;

	for (u64 i = 0; i < 512; i++)
		fault(fixture, i << 12);
	expect_u64(fixture->iommu->fault_status, HW_STATUS_PENDING);
	fault(fixture, 512 << 12);
	expect_u64(fixture->iommu->fault_status, HW_STATUS_PENDING | HW_STATUS_OVERFLOW);

	small.fault_records = 3;
	set_unit(fixture, &small);
	for (u64 turn = 0; turn < 5; turn++) {
		for (u64 i = 0; i < 4; i++)
			fault(fixture, (turn * 8 + i) << 12);
		expect_u64(fixture->iommu->fault_status, HW_STATUS_PENDING | HW_STATUS_OVERFLOW);
		for (u64 i = 0; i < 3; i++) {
			assert_true(hw_fault_take(fixture->iommu, &record));
			expect_u64(record.word[1], (turn * 8 + i) << 12);
			/* Nothing is recorded until then, though there is room. */
			if (!i)
				fault(fixture, ~0ULL);
		}
		assert_false(hw_fault_take(fixture->iommu, &record));
		expect_u64(fixture->iommu->fault_status, 0);
		/* Not where the ring began. */
		fault(fixture, turn);
		assert_true(hw_fault_take(fixture->iommu, &record));
		expect_u64(record.word[1], turn);
	}
}

/* ---- Caches ---------------------------------------------------------------------------------- */

/* What blocks is an entry like others: it is cached, in caching mode or not. */
static void an_entry_that_blocks_is_cached(void **state)
{
	struct fixture *fixture = *state;
	struct hw_context translating = fixture->context;
	struct hw_iommu_desc cached = plain;

	cached.context_entries = 16;
	set_unit(fixture, &cached);
	amd_put(&fixture->tables, 0x7000, 0, 0x5000 | LEAF);
	set(fixture, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_u64(translate(fixture, 0x7000, true).fault, PAGE_FAULT);
	set(fixture, translating);
	expect_u64(translate(fixture, 0x7000, true).fault, PAGE_FAULT);
	context_cache_invalidate(&fixture->iommu->context_cache, true, 0, DEV, 0);
	expect_u64(translate(fixture, 0x7000, true).phys, 0x5000);
}

/* NpCache: for all that the absent entry would map; a level higher it is 2 MiB. */
static void absent_entries_are_cached_where_the_unit_says_so(void **state)
{
	struct fixture *fixture = *state;
	struct hw_iommu_desc np_cache = plain;

	for (int caching = 0; caching < 2; caching++) {
		np_cache.caching_mode = caching;
		set_unit(fixture, &np_cache);
		expect_fault(fixture, 0x40207000, PAGE_FAULT, 0);
		amd_put(&fixture->tables, 0x40207000, 0, 0x5000 | LEAF);
		amd_put(&fixture->tables, 0x40208000, 0, 0x6000 | LEAF);
		expect_u64(translate(fixture, 0x40207000, true).fault, caching ? PAGE_FAULT : 0);
		expect_u64(translate(fixture, 0x40208000, true).fault, caching ? PAGE_FAULT : 0);
		iotlb_invalidate_range(&fixture->iommu->iotlb, DOMAIN, 0x40208000, 0x40208fff);
		expect_u64(translate(fixture, 0x40207000, true).phys, 0x5000);
		/* Once more from an empty table. */
		amd_put(&fixture->tables, 0x40000000, 2, 0);
	}
}

/* ---- Accessed and dirty ---------------------------------------------------------------------- */

static u64 entry_at(struct fixture *fixture, u64 iova, u8 level)
{
	return get_entry(fixture->tables.ram, amd_reach(&fixture->tables, iova, level),
			 index_of(iova, level));
}

static void ask_for_marks(struct fixture *fixture, u8 marks)
{
	fixture->context.marks = marks;
	set(fixture, fixture->context);
}

static void marks_are_set_where_the_entry_asks_for_them(void **state)
{
	static const struct {
		u8 marks;
		u64 read, write;
	} row[] = { { 0, 0, 0 }, { 1, MARK_A, MARK_A }, { 3, MARK_A, MARK_A | MARK_D } };
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		ask_for_marks(fixture, row[i].marks);
		iotlb_invalidate_all(&fixture->iommu->iotlb);
		amd_put(&fixture->tables, 0x7000, 0, 0x5000 | LEAF);
		translate(fixture, 0x7000, false);
		expect_u64(entry_at(fixture, 0x7000, 0), 0x5000 | LEAF | row[i].read);
		translate(fixture, 0x7000, true);
		expect_u64(entry_at(fixture, 0x7000, 0), 0x5000 | LEAF | row[i].write);
	}
}

/* A request that fails leaves no mark, and neither does a probe. */
static void what_is_refused_is_not_marked(void **state)
{
	struct fixture *fixture = *state;

	ask_for_marks(fixture, 3);
	amd_put(&fixture->tables, 0x7000, 0, 0x5000 | AMD_PR | AMD_IR);
	expect_u64(translate(fixture, 0x7000, true).fault, PAGE_FAULT);
	hw_translate_probe(fixture->iommu, DEV, 0x7000, false);
	expect_u64(entry_at(fixture, 0x7000, 0), 0x5000 | AMD_PR | AMD_IR);
}

/* trust: A and D bits in AMD's entries | our reading of the facts: 2.1 and 3.6 */
/* A cached translation with D clear is walked for a write; one with D set marks nothing more. */
static void a_cached_dirty_page_is_not_marked_again(void **state)
{
	struct fixture *fixture = *state;

	ask_for_marks(fixture, 3);
	amd_put(&fixture->tables, 0x7000, 0, 0x5000 | LEAF);
	translate(fixture, 0x7000, false);
	expect_u64(translate(fixture, 0x7000, true).phys, 0x5000);
	expect_u64(entry_at(fixture, 0x7000, 0), 0x5000 | LEAF | MARK_A | MARK_D);
	/* The software clears D and forgets to invalidate. */
	amd_put(&fixture->tables, 0x7000, 0, 0x5000 | LEAF | MARK_A);
	translate(fixture, 0x7000, true);
	expect_u64(entry_at(fixture, 0x7000, 0), 0x5000 | LEAF | MARK_A);
	/* It invalidates. */
	iotlb_invalidate_range(&fixture->iommu->iotlb, DOMAIN, 0x7000, 0x7fff);
	translate(fixture, 0x7000, true);
	expect_u64(entry_at(fixture, 0x7000, 0), 0x5000 | LEAF | MARK_A | MARK_D);
}

static u32 marked_items(struct fixture *fixture, u64 iova, u64 mark)
{
	u32 marked = 0;

	for (u32 i = 0; i < 16; i++)
		marked += (entry_at(fixture, iova + i * 0x1000, 0) & mark) != 0;
	return marked;
}

/* 64 KiB: sixteen items, one of which gets the mark: any of them, in a run with choices. */
static void any_item_of_a_page_may_be_marked(void **state)
{
	struct fixture *fixture = *state;
	u32 hit = 0;

	ask_for_marks(fixture, 3);
	amd_put_leaf(&fixture->tables, 0x20000, 0, 16, 0x30000 | amd_size(16) | LEAF);
	translate(fixture, 0x25000, true);
	expect_u64(marked_items(fixture, 0x20000, MARK_D), 1);
	assert_true(entry_at(fixture, 0x25000, 0) & MARK_D);

	fixture->bench->world.random_choices = true;
	for (int i = 0; i < 300; i++) {
		amd_put_leaf(&fixture->tables, 0x20000, 0, 16, 0x30000 | amd_size(16) | LEAF);
		iotlb_invalidate_all(&fixture->iommu->iotlb);
		expect_u64(translate(fixture, 0x25000, true).phys, 0x35000);
		expect_u64(marked_items(fixture, 0x20000, MARK_D), 1);
		for (u32 item = 0; item < 16; item++) {
			if (entry_at(fixture, 0x20000 + item * 0x1000, 0) & MARK_D)
				hit |= 1U << item;
		}
	}
	expect_u64(hit, 0xffff);
	/* Items that differ are not one page: then it is the one that was read. */
	amd_put(&fixture->tables, 0x20000, 0, 0);
	for (int i = 0; i < 50; i++) {
		iotlb_invalidate_all(&fixture->iommu->iotlb);
		translate(fixture, 0x25000, true);
		expect_u64(entry_at(fixture, 0x20000, 0), 0);
	}
}

/* A walker that does not snoop reads and writes memory, not what the CPU's cache has. */
static void marks_of_a_walker_that_does_not_snoop_go_to_memory(void **state)
{
	struct fixture *fixture = *state;
	struct hw_iommu_desc incoherent = plain;
	u64 cpu;

	incoherent.coherent = false;
	set_unit(fixture, &incoherent);
	ask_for_marks(fixture, 3);
	amd_put(&fixture->tables, 0x7000, 0, 0x5000 | LEAF);
	hw_cache_clean(&fixture->bench->hw, 0, SZ_2M);
	translate(fixture, 0x7000, true);
	cpu = entry_at(fixture, 0x7000, 0);
	expect_u64(cpu & (MARK_A | MARK_D), 0);
	hw_cache_invalidate(&fixture->bench->hw, 0, SZ_2M);
	expect_u64(entry_at(fixture, 0x7000, 0), 0x5000 | LEAF | MARK_A | MARK_D);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(an_entry_of_mode_0_without_permissions_blocks),
	  TEST(an_entry_of_mode_0_lets_pass_what_it_permits),
	  TEST(every_mode_translates_what_it_reaches), TEST(an_illegal_entry_is_told_as_such),
	  TEST(permissions_of_the_entry_are_its_own), TEST(walks_fail_with_the_events_of_the_facts),
	  TEST(an_event_has_the_words_of_the_architecture),
	  TEST(the_event_log_is_a_ring_that_overflows), TEST(an_entry_that_blocks_is_cached),
	  TEST(absent_entries_are_cached_where_the_unit_says_so),
	  TEST(marks_are_set_where_the_entry_asks_for_them), TEST(what_is_refused_is_not_marked),
	  TEST(a_cached_dirty_page_is_not_marked_again), TEST(any_item_of_a_page_may_be_marked),
	  TEST(marks_of_a_walker_that_does_not_snoop_go_to_memory))
