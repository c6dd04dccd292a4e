/* SPDX-License-Identifier: MIT */
/*
 * An AMD unit: what its device table entries let through, the events it logs, what it caches, and
 * the marks it leaves in entries (facts "iova-and-page-tables" 2.1, 2.6 and 3.6).
 *
 * An event: code 63:60, flags 59:48, domain 47:32, device 15:0; the address in the second word.
 */
#include "amd_tables.h"
#include "rig.h"

#define ROOT 0x100000ULL

#define ILLEGAL_ENTRY 1
#define LEAF	      (AMD_PR | AMD_RW)
#define MARK_A	      0x20ULL
#define MARK_D	      0x40ULL

static const struct hw_iommu_desc plain = { .arch = &hw_amd,
					    .unit = 3,
					    .levels = 6,
					    .address_bits = 52,
					    .coherent = true,
					    .iotlb_entries = 64 };

static void set_unit(struct rig *rig, const struct hw_iommu_desc *desc)
{
	hw_iommu_remove(rig->iommu);
	rig->iommu = hw_iommu_add(&rig->bench->hw, desc);
	rig_set(rig, rig->context);
}

static int setup(void **state)
{
	if (rig_setup_unit(state, &plain, ROOT))
		return -1;
	rig_set(*state, rig_to_tables(*state));
	return 0;
}

/* Both kinds of request fail with this; RW with the write. A probe says the same. */
static void expect_fault(struct rig *rig, u64 iova, u8 code, u16 flags)
{
	for (int write = 0; write < 2; write++) {
		struct hw_translation probed = hw_translate_probe(rig->iommu, RIG_DEV, iova, write);
		struct hw_translation found = rig_translate(rig, iova, write);

		expect_u64(found.fault, code);
		expect_u64(found.fault_flags, flags | (write ? FLAG_RW : 0));
		expect_u64(probed.fault, code);
		expect_u64(probed.fault_flags, found.fault_flags);
	}
}

/* ---- Device table entries -------------------------------------------------------------------- */

static void an_entry_of_mode_0_without_permissions_blocks(void **state)
{
	struct rig *rig = *state;

	amd_put(&rig->tables, 0x7000, 0, 0x5000 | LEAF);
	rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_fault(rig, 0x7000, PAGE_FAULT, 0);
	/* A requester that nobody ever set is the same. */
	expect_u64(hw_translate(rig->iommu, RIG_DEV + 1, 0x7000, false).fault, PAGE_FAULT);
}

static void an_entry_of_mode_0_lets_pass_what_it_permits(void **state)
{
	struct rig *rig = *state;
	struct hw_context pass = { .type = HW_CONTEXT_PASS_THROUGH, .domain = 9 };
	struct hw_translation found;

	rig_set(rig, pass);
	for (int write = 0; write < 2; write++) {
		found = rig_translate(rig, 0x123456789000ULL, write);
		expect_u64(found.fault, 0);
		assert_true(found.pass_through);
		expect_u64(found.phys, 0x123456789000ULL);
	}
	pass.no_write = true;
	rig_set(rig, pass);
	expect_u64(rig_translate(rig, 0x9000, false).fault, 0);
	found = rig_translate(rig, 0x9000, true);
	expect_u64(found.fault, PAGE_FAULT);
	expect_u64(found.fault_flags, FLAG_RW);
	expect_u64(found.domain, 9);
	pass.no_read = true;
	rig_set(rig, pass);
	expect_fault(rig, 0x9000, PAGE_FAULT, 0);
}

static void every_mode_translates_what_it_reaches(void **state)
{
	struct rig *rig = *state;
	const u64 last[] = { 0,
			     (1ULL << 21) - 1,
			     (1ULL << 30) - 1,
			     (1ULL << 39) - 1,
			     (1ULL << 48) - 1,
			     (1ULL << 57) - 1,
			     ~0ULL };

	for (u8 mode = 1; mode <= 6; mode++) {
		rig->tables.levels = mode;
		rig->tables.root = rig->tables.next;
		rig->tables.next += 0x1000;
		rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_TRANSLATE,
						  .levels = mode,
						  .domain = mode,
						  .root = rig->tables.root });
		amd_put(&rig->tables, last[mode], 0, 0x5000 | LEAF);
		expect_u64(rig_translate(rig, last[mode], true).phys, 0x5fff);
		expect_u64(rig_translate(rig, last[mode] - 1, true).phys, 0x5ffe);
		if (mode < 6)
			expect_fault(rig, last[mode] + 1, PAGE_FAULT, FLAG_PR | FLAG_RZ);
	}
}

/*
 * trust: AMD device table entries: mode, permissions, what is illegal
 * | our reading of the facts: 2.1 and 2.6
 */
/* Mode 7 is none, a mode may be more than the unit has, and a root is the address of a page. */
static void an_illegal_entry_is_told_as_such(void **state)
{
	struct rig *rig = *state;
	const struct hw_context good = rig->context;
	struct hw_iommu_desc small = plain;
	struct hw_context bad = good;

	bad.levels = 7;
	rig_set(rig, bad);
	expect_fault(rig, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
	bad.levels = 0;
	rig_set(rig, bad);
	expect_fault(rig, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
	for (u32 bit = 0; bit < 64; bit++) {
		bad = good;
		bad.root |= 1ULL << bit;
		rig_set(rig, bad);
		if (bit < 12 || bit > 51)
			expect_fault(rig, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
		else
			assert_int_not_equal(rig_translate(rig, 0x7000, true).fault, ILLEGAL_ENTRY);
	}
	bad = good;
	bad.marks = 2; /* dirty without accessed */
	rig_set(rig, bad);
	expect_fault(rig, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
	small.levels = 4;
	set_unit(rig, &small);
	bad = good;
	bad.levels = 5;
	rig_set(rig, bad);
	expect_fault(rig, 0x7000, ILLEGAL_ENTRY, FLAG_RZ);
}

/* Whatever others of the domain have brought into the caches. */
static void permissions_of_the_entry_are_its_own(void **state)
{
	struct rig *rig = *state;
	struct hw_iommu_desc cached = plain;
	struct hw_context reader = rig->context;

	cached.walk_entries = 16;
	cached.context_entries = 16;
	set_unit(rig, &cached);
	reader.no_write = true;
	expect_ok(hw_context_set(rig->iommu, RIG_DEV + 1, reader));
	amd_put(&rig->tables, 0x7000, 0, 0x5000 | LEAF);
	for (int turn = 0; turn < 2; turn++) {
		struct hw_translation found;

		expect_u64(rig_translate(rig, 0x7000, true).phys, 0x5000);
		found = hw_translate(rig->iommu, RIG_DEV + 1, 0x7000, true);
		expect_u64(found.fault, PAGE_FAULT);
		expect_u64(found.fault_flags, FLAG_PR | FLAG_PE | FLAG_RW);
		expect_u64(hw_translate(rig->iommu, RIG_DEV + 1, 0x7000, false).phys, 0x5000);
		expect_u64(hw_translate_probe(rig->iommu, RIG_DEV + 1, 0x7000, true).fault,
			   PAGE_FAULT);
		/* The other way round: what the reader brings in does not bind the writer. */
		iotlb_invalidate_all(&rig->iommu->iotlb);
		expect_u64(hw_translate(rig->iommu, RIG_DEV + 1, 0x7000, false).phys, 0x5000);
	}
	expect_u64(rig_translate(rig, 0x7000, true).phys, 0x5000);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

/* trust: AMD events of requests | our reading of the facts: 2.6 */
static void walks_fail_with_the_events_of_the_facts(void **state)
{
	struct rig *rig = *state;

	expect_fault(rig, 0x7000, PAGE_FAULT, 0);
	amd_put(&rig->tables, 0x8000, 0, 0x5000 | AMD_PR);
	expect_fault(rig, 0x8000, PAGE_FAULT, FLAG_PR | FLAG_PE);
	amd_put(&rig->tables, 0x9000, 0, 0x5000 | LEAF | 1ULL << 52);
	expect_fault(rig, 0x9000, PAGE_FAULT, FLAG_PR | FLAG_RZ);
	/* A table where no memory is. */
	amd_put(&rig->tables, 0x40000000, 2, 0x80000000ULL | LEAF | AMD_NEXT(2));
	expect_fault(rig, 0x40000000, HARDWARE_ERROR, FLAG_MASTER);
}

static void an_event_has_the_words_of_the_architecture(void **state)
{
	static const struct {
		struct hw_refusal refusal;
		u64 word[2];
	} row[] = {
		{ { RIG_DEV, 5, 0x12345678, false, PAGE_FAULT, 0 },
		  { 0x2000000500000318ULL, 0x12345678 } },
		{ { RIG_DEV, 0xabcd, 0xfffffffffffff000ULL, true, PAGE_FAULT, 0x0f0 },
		  { 0x20f0abcd00000318ULL, 0xfffffffffffff000ULL } },
		{ { 0xffff, 5, 0x7000, true, ILLEGAL_ENTRY, 0x0a0 },
		  { 0x10a000000000ffffULL, 0x7000 } },
		{ { 0x0100, 5, 0x7000, false, HARDWARE_ERROR, 0x200 },
		  { 0x4200000000000100ULL, 0x7000 } },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct hw_fault_record record;

		hw_fault_record(rig->iommu, &row[i].refusal);
		assert_true(hw_fault_take(rig->iommu, &record));
		expect_u64(record.word[0], row[i].word[0]);
		expect_u64(record.word[1], row[i].word[1]);
	}
}

static void fault(struct rig *rig, u64 iova)
{
	hw_fault_record(
		rig->iommu,
		&(struct hw_refusal){ .requester = RIG_DEV, .iova = iova, .code = PAGE_FAULT });
}

/* 512, or as many as a unit has; lost ones are noted until all others are taken. */
static void the_event_log_is_a_ring_that_overflows(void **state)
{
	struct rig *rig = *state;
	struct hw_iommu_desc small = plain;
	struct hw_fault_record record;

	for (u64 i = 0; i < 512; i++)
		fault(rig, i << 12);
	expect_u64(rig->iommu->fault_status, HW_STATUS_PENDING);
	fault(rig, 512 << 12);
	expect_u64(rig->iommu->fault_status, HW_STATUS_PENDING | HW_STATUS_OVERFLOW);

	small.fault_records = 3;
	set_unit(rig, &small);
	for (u64 turn = 0; turn < 5; turn++) {
		for (u64 i = 0; i < 4; i++)
			fault(rig, (turn * 8 + i) << 12);
		expect_u64(rig->iommu->fault_status, HW_STATUS_PENDING | HW_STATUS_OVERFLOW);
		for (u64 i = 0; i < 3; i++) {
			assert_true(hw_fault_take(rig->iommu, &record));
			expect_u64(record.word[1], (turn * 8 + i) << 12);
			/* Nothing is recorded until then, though there is room. */
			if (!i)
				fault(rig, ~0ULL);
		}
		assert_false(hw_fault_take(rig->iommu, &record));
		expect_u64(rig->iommu->fault_status, 0);
		/* Not where the ring began. */
		fault(rig, turn);
		assert_true(hw_fault_take(rig->iommu, &record));
		expect_u64(record.word[1], turn);
	}
}

/* ---- Caches ---------------------------------------------------------------------------------- */

/* What blocks is an entry like others: it is cached, in caching mode or not. */
static void an_entry_that_blocks_is_cached(void **state)
{
	struct rig *rig = *state;
	struct hw_context translating = rig->context;
	struct hw_iommu_desc cached = plain;

	cached.context_entries = 16;
	set_unit(rig, &cached);
	amd_put(&rig->tables, 0x7000, 0, 0x5000 | LEAF);
	rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_u64(rig_translate(rig, 0x7000, true).fault, PAGE_FAULT);
	rig_set(rig, translating);
	expect_u64(rig_translate(rig, 0x7000, true).fault, PAGE_FAULT);
	context_cache_invalidate(&rig->iommu->context_cache, true, 0, RIG_DEV, 0);
	expect_u64(rig_translate(rig, 0x7000, true).phys, 0x5000);
}

/* NpCache: for all that the absent entry would map; a level higher it is 2 MiB. */
static void absent_entries_are_cached_where_the_unit_says_so(void **state)
{
	struct rig *rig = *state;
	struct hw_iommu_desc np_cache = plain;

	for (int caching = 0; caching < 2; caching++) {
		np_cache.caching_mode = caching;
		set_unit(rig, &np_cache);
		expect_fault(rig, 0x40207000, PAGE_FAULT, 0);
		amd_put(&rig->tables, 0x40207000, 0, 0x5000 | LEAF);
		amd_put(&rig->tables, 0x40208000, 0, 0x6000 | LEAF);
		expect_u64(rig_translate(rig, 0x40207000, true).fault, caching ? PAGE_FAULT : 0);
		expect_u64(rig_translate(rig, 0x40208000, true).fault, caching ? PAGE_FAULT : 0);
		iotlb_invalidate_range(&rig->iommu->iotlb, RIG_DOMAIN, 0x40208000, 0x40208fff);
		expect_u64(rig_translate(rig, 0x40207000, true).phys, 0x5000);
		/* Once more from an empty table. */
		amd_put(&rig->tables, 0x40000000, 2, 0);
	}
}

/* ---- Accessed and dirty ---------------------------------------------------------------------- */

static u64 entry_at(struct rig *rig, u64 iova, u8 level)
{
	return get_entry(rig->tables.ram, amd_reach(&rig->tables, iova, level),
			 index_of(iova, level));
}

static void ask_for_marks(struct rig *rig, u8 marks)
{
	rig->context.marks = marks;
	rig_set(rig, rig->context);
}

static void marks_are_set_where_the_entry_asks_for_them(void **state)
{
	static const struct {
		u8 marks;
		u64 read, write;
	} row[] = { { 0, 0, 0 }, { 1, MARK_A, MARK_A }, { 3, MARK_A, MARK_A | MARK_D } };
	struct rig *rig = *state;

	for (int i = 0; i < 3; i++) {
		ask_for_marks(rig, row[i].marks);
		iotlb_invalidate_all(&rig->iommu->iotlb);
		amd_put(&rig->tables, 0x7000, 0, 0x5000 | LEAF);
		rig_translate(rig, 0x7000, false);
		expect_u64(entry_at(rig, 0x7000, 0), 0x5000 | LEAF | row[i].read);
		rig_translate(rig, 0x7000, true);
		expect_u64(entry_at(rig, 0x7000, 0), 0x5000 | LEAF | row[i].write);
	}
}

/* A request that fails leaves no mark, and neither does a probe. */
static void what_is_refused_is_not_marked(void **state)
{
	struct rig *rig = *state;

	ask_for_marks(rig, 3);
	amd_put(&rig->tables, 0x7000, 0, 0x5000 | AMD_PR | AMD_IR);
	expect_u64(rig_translate(rig, 0x7000, true).fault, PAGE_FAULT);
	hw_translate_probe(rig->iommu, RIG_DEV, 0x7000, false);
	expect_u64(entry_at(rig, 0x7000, 0), 0x5000 | AMD_PR | AMD_IR);
}

/* trust: A and D bits in AMD's entries | our reading of the facts: 2.1 and 3.6 */
/* A cached translation with D clear is walked for a write; one with D set marks nothing more. */
static void a_cached_dirty_page_is_not_marked_again(void **state)
{
	struct rig *rig = *state;

	ask_for_marks(rig, 3);
	amd_put(&rig->tables, 0x7000, 0, 0x5000 | LEAF);
	rig_translate(rig, 0x7000, false);
	expect_u64(rig_translate(rig, 0x7000, true).phys, 0x5000);
	expect_u64(entry_at(rig, 0x7000, 0), 0x5000 | LEAF | MARK_A | MARK_D);
	/* The software clears D and forgets to invalidate. */
	amd_put(&rig->tables, 0x7000, 0, 0x5000 | LEAF | MARK_A);
	rig_translate(rig, 0x7000, true);
	expect_u64(entry_at(rig, 0x7000, 0), 0x5000 | LEAF | MARK_A);
	/* It invalidates. */
	iotlb_invalidate_range(&rig->iommu->iotlb, RIG_DOMAIN, 0x7000, 0x7fff);
	rig_translate(rig, 0x7000, true);
	expect_u64(entry_at(rig, 0x7000, 0), 0x5000 | LEAF | MARK_A | MARK_D);
}

static u32 marked_items(struct rig *rig, u64 iova, u64 mark)
{
	u32 marked = 0;

	for (u32 i = 0; i < 16; i++)
		marked += (entry_at(rig, iova + i * 0x1000, 0) & mark) != 0;
	return marked;
}

/* 64 KiB: sixteen items, one of which gets the mark: any of them, in a run with choices. */
static void any_item_of_a_page_may_be_marked(void **state)
{
	struct rig *rig = *state;
	u32 hit = 0;

	ask_for_marks(rig, 3);
	amd_put_leaf(&rig->tables, 0x20000, 0, 16, 0x30000 | amd_size(16) | LEAF);
	rig_translate(rig, 0x25000, true);
	expect_u64(marked_items(rig, 0x20000, MARK_D), 1);
	assert_true(entry_at(rig, 0x25000, 0) & MARK_D);

	rig->bench->world.random_choices = true;
	for (int i = 0; i < 300; i++) {
		amd_put_leaf(&rig->tables, 0x20000, 0, 16, 0x30000 | amd_size(16) | LEAF);
		iotlb_invalidate_all(&rig->iommu->iotlb);
		expect_u64(rig_translate(rig, 0x25000, true).phys, 0x35000);
		expect_u64(marked_items(rig, 0x20000, MARK_D), 1);
		for (u32 item = 0; item < 16; item++) {
			if (entry_at(rig, 0x20000 + item * 0x1000, 0) & MARK_D)
				hit |= 1U << item;
		}
	}
	expect_u64(hit, 0xffff);
	/* Items that differ are not one page: then it is the one that was read. */
	amd_put(&rig->tables, 0x20000, 0, 0);
	for (int i = 0; i < 50; i++) {
		iotlb_invalidate_all(&rig->iommu->iotlb);
		rig_translate(rig, 0x25000, true);
		expect_u64(entry_at(rig, 0x20000, 0), 0);
	}
}

/* A walker that does not snoop reads and writes memory, not what the CPU's cache has. */
static void marks_of_a_walker_that_does_not_snoop_go_to_memory(void **state)
{
	struct rig *rig = *state;
	struct hw_iommu_desc incoherent = plain;
	u64 cpu;

	incoherent.coherent = false;
	set_unit(rig, &incoherent);
	ask_for_marks(rig, 3);
	amd_put(&rig->tables, 0x7000, 0, 0x5000 | LEAF);
	hw_cache_clean(&rig->bench->hw, 0, SZ_2M);
	rig_translate(rig, 0x7000, true);
	cpu = entry_at(rig, 0x7000, 0);
	expect_u64(cpu & (MARK_A | MARK_D), 0);
	hw_cache_invalidate(&rig->bench->hw, 0, SZ_2M);
	expect_u64(entry_at(rig, 0x7000, 0), 0x5000 | LEAF | MARK_A | MARK_D);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

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
