/* SPDX-License-Identifier: MIT */
/*
 * Every reason that VT-d can have here to refuse a request: a device asks for what it must not
 * have, and the record's words and the driver's line are those that the architecture says (facts
 * "iova-and-page-tables" 2.6).
 *
 *   low     address 63:12
 *   high    source 15:0, PASID present 31, reason 39:32, PASID 59:40, read 62, F 63
 */
#include "yard.h"

#include <string.h>

#include <dmasim/fault-log.h>

#include "check/dmar.h"

#define DISK  0x0500 /* 05:00.0 */
#define AT    0x8040207000ULL
#define ROOT  0x100000ULL
#define BELOW 0x200000ULL /* of a second stage of three levels, below that */

/* Words of entries. */
#define SS    ENTRY_RW
#define FS    7ULL /* P, R/W, U/S */
#define FS_AD (FS | 0x60)
#define XD    (1ULL << 63)

enum mode { LEGACY, SCALABLE, NO_SNOOP };

/* What is asked, and of which entries. Without `entry` the PASID has a good one. */
struct row {
	u8 reason;
	enum mode mode;
	struct hw_context context; /* type 0: a good one */
	struct hw_context entry;
	u8 page;	    /* nested: of the tables from ROOT on, the second stage has this */
	u64 second;	    /* as its entry says; 0: all allowed */
	u64 leaf;	    /* 0: none */
	u8 level;	    /* the leaf's */
	u64 iova;	    /* 0: AT */
	const char *how;    /* p: PASID 7, w: write, x: execute, s: supervisor, -: nothing set */
	u64 low, high;	    /* the record */
	const char *driver; /* the driver's line behind "Request device [05:00.0] " */
};

#define LEGACY_TO(root_, levels_) \
	.mode = LEGACY,           \
	.context = { .type = HW_CONTEXT_TRANSLATE, .levels = levels_, .root = root_ }
#define SECOND(flags_)    \
	.mode = SCALABLE, \
	.entry = { .type = HW_CONTEXT_TRANSLATE, .levels = 4, .root = ROOT, .flags = flags_ }
#define FIRST(flags_)     \
	.mode = SCALABLE, \
	.entry = { .type = HW_CONTEXT_FIRST_STAGE, .levels = 4, .root = ROOT, .flags = flags_ }

#define BOTH(flags_)                                            \
	.mode = SCALABLE, .entry = { .type = HW_CONTEXT_NESTED, \
				     .levels = 4,               \
				     .root = ROOT,              \
				     .flags = flags_,           \
				     .second_root = BELOW,      \
				     .second_levels = 3 }

static const struct row rows[] = {
	/* ---- Legacy mode ---- */
	{ 0x02, LEGACY, .how = "-w", .low = 0x8040207000, .high = 0x8000000200000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x02] "
		    "Present bit in context entry is clear" },
	{ 0x03, LEGACY_TO(ROOT, 5), .how = "", .low = 0x8040207000, .high = 0xc000000300000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x03] Invalid context entry" },
	{ 0x03, .mode = LEGACY, .context = { .type = HW_CONTEXT_PASIDS }, .how = "w",
	  .low = 0x8040207000, .high = 0x8000000300000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x03] Invalid context entry" },
	{ 0x04, LEGACY_TO(ROOT, 4), .iova = 1ULL << 48, .how = "w", .low = 0x1000000000000,
	  .high = 0x8000000400000500,
	  .driver = "fault addr 0x1000000000000 [fault reason 0x04] Access beyond MGAW" },
	{ 0x05, LEGACY_TO(ROOT, 4), .leaf = 0x5000 | ENTRY_R, .how = "w", .low = 0x8040207000,
	  .high = 0x8000000500000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x05] PTE Write access is not set" },
	{ 0x06, LEGACY_TO(ROOT, 4), .leaf = 0x5000 | ENTRY_W, .how = "", .low = 0x8040207000,
	  .high = 0xc000000600000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x06] PTE Read access is not set" },
	{ 0x07, LEGACY_TO(1ULL << 44, 4), .how = "", .low = 0x8040207000,
	  .high = 0xc000000700000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x07] Next page table ptr is invalid" },
	{ 0x0b, LEGACY_TO(ROOT + 8, 4), .how = "w", .low = 0x8040207000, .high = 0x8000000b00000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x0b] non-zero reserved fields in CTP" },
	{ 0x0b, LEGACY_TO(1ULL << 46, 4), .how = "", .low = 0x8040207000,
	  .high = 0xc000000b00000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x0b] non-zero reserved fields in CTP" },
	{ 0x0c, LEGACY_TO(ROOT, 4), .leaf = 1ULL << 50 | SS, .how = "w", .low = 0x8040207000,
	  .high = 0x8000000c00000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x0c] non-zero reserved fields in PTE" },
	{ 0x31, LEGACY_TO(ROOT, 4), .leaf = 0x5000 | SS, .how = "pw", .low = 0x8040207000,
	  .high = 0x8000073180000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x31] "
		    "SM: legacy mode, and the request has a PASID" },

	/* ---- Contexts of scalable mode ---- */
	{ 0x41, .mode = SCALABLE, .how = "-", .low = 0x8040207000, .high = 0xc000004100000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x41] "
		    "SM: Present bit in context entry is clear" },
	{ 0x42, .mode = SCALABLE, .context = { .type = HW_CONTEXT_PASIDS, .pasid_bits = 21 },
	  .how = "w", .low = 0x8040207000, .high = 0x8000004200000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x42] "
		    "SM: reserved fields in context entry are set" },
	{ 0x43, .mode = SCALABLE, .context = { .type = HW_CONTEXT_TRANSLATE, .levels = 4 },
	  .how = "w", .low = 0x8040207000, .high = 0x8000004300000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x43] SM: context entry is invalid" },
	{ 0x45, .mode = SCALABLE, .context = { .type = HW_CONTEXT_PASIDS, .pasid_bits = 20 },
	  .how = "p", .low = 0x8040207000, .high = 0xc000074580000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x45] "
		    "SM: PASID enable in context entry is clear" },
	{ 0x46, .mode = SCALABLE,
	  .context = { .type = HW_CONTEXT_PASIDS,
		       .pasid_bits = 2,
		       .flags = HW_CONTEXT_MAY_SEND_PASIDS },
	  .how = "pw", .low = 0x8040207000, .high = 0x8000074680000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x46] "
		    "SM: PASID is beyond the directory" },

	/* ---- Entries of PASIDs ---- */
	{ 0x51, .mode = SCALABLE, .how = "-w", .context = { .type = HW_CONTEXT_PASIDS },
	  .low = 0x8040207000, .high = 0x8000005100000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x51] "
		    "SM: Present bit in PASID directory entry is clear" },
	{ 0x59, .mode = SCALABLE, .how = "p", .low = 0x8040207000, .high = 0xc000075980000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x59] "
		    "SM: Present bit in PASID entry is clear" },
	{ 0x5a, SECOND(HW_CONTEXT_MAY_SEND_PASIDS), .how = "pw", .low = 0x8040207000,
	  .high = 0x8000075a80000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x5a] "
		    "SM: reserved fields in PASID entry are set" },
	{ 0x5a, .mode = SCALABLE,
	  .entry = { .type = HW_CONTEXT_FIRST_STAGE, .levels = 4, .root = 1ULL << 46 }, .how = "",
	  .low = 0x8040207000, .high = 0xc000005a00000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x5a] "
		    "SM: reserved fields in PASID entry are set" },
	{ 0x5b, .mode = SCALABLE,
	  .entry = { .type = HW_CONTEXT_FIRST_STAGE, .levels = 3, .root = ROOT }, .how = "p",
	  .low = 0x8040207000, .high = 0xc000075b80000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x5b] SM: PASID entry is invalid" },
	{ 0x5b, .mode = SCALABLE, .entry = { .type = HW_CONTEXT_PASIDS }, .how = "",
	  .low = 0x8040207000, .high = 0xc000005b00000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x5b] SM: PASID entry is invalid" },
	{ 0x5c, FIRST(HW_CONTEXT_MAY_SUPERVISE), .leaf = 0x5000 | FS, .how = "px",
	  .low = 0x8040207000, .high = 0xc000075c80000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x5c] "
		    "SM: execute requests are not enabled in PASID entry" },
	{ 0x5d, FIRST(HW_CONTEXT_MAY_EXECUTE), .leaf = 0x5000 | FS, .how = "psw",
	  .low = 0x8040207000, .high = 0x8000075d80000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x5d] "
		    "SM: supervisor requests are not enabled in PASID entry" },

	/* ---- First stages ---- */
	{ 0x70, FIRST(0), .leaf = 1ULL << 44 | FS, .level = 2, .how = "pw", .low = 0x8040207000,
	  .high = 0x8000077080000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x70] "
		    "SM: first-stage entry cannot be read" },
	{ 0x71, FIRST(0), .how = "p", .low = 0x8040207000, .high = 0xc000077180000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x71] "
		    "SM: Present bit in first-stage entry is clear" },
	{ 0x72, FIRST(0), .leaf = 0x5000 | FS | ENTRY_LEAF, .level = 1, .how = "p",
	  .low = 0x8040207000, .high = 0xc000077280000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x72] "
		    "SM: reserved fields in first-stage entry are set" },
	{ 0x73, .mode = SCALABLE,
	  .entry = { .type = HW_CONTEXT_FIRST_STAGE, .levels = 4, .root = 1ULL << 44 }, .how = "pw",
	  .low = 0x8040207000, .high = 0x8000077380000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x73] "
		    "SM: first-stage top table cannot be read" },
	{ 0x80, FIRST(0), .iova = 0x0000800000003000, .how = "pw", .low = 0x0000800000003000,
	  .high = 0x8000078080000500,
	  .driver = "fault addr 0x800000003000 [fault reason 0x80] "
		    "SM: address is not canonical" },
	{ 0x81, FIRST(0), .leaf = 0x5000 | 3, .how = "p", .low = 0x8040207000,
	  .high = 0xc000078180000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x81] "
		    "SM: user/supervisor violation" },
	{ 0x82, FIRST(HW_CONTEXT_MAY_EXECUTE), .leaf = 0x5000 | FS | XD, .how = "px",
	  .low = 0x8040207000, .high = 0xc000078280000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x82] SM: page is not executable" },
	{ 0x85, FIRST(0), .leaf = 0x5000 | 5, .how = "pw", .low = 0x8040207000,
	  .high = 0x8000078580000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x85] SM: write is denied" },
	{ 0x87, FIRST(0), .leaf = 0xfee00000 | FS, .how = "pw", .low = 0x8040207000,
	  .high = 0x8000078780000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x87] "
		    "SM: address is in the interrupt range" },
	{ 0x90, .mode = NO_SNOOP,
	  .entry = { .type = HW_CONTEXT_FIRST_STAGE, .levels = 4, .root = ROOT },
	  .leaf = 0x5000 | FS, .how = "pw", .low = 0x8040207000, .high = 0x8000079080000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x90] "
		    "SM: first-stage A/D update without snooping" },

	/* ---- Second stages ---- */
	{ 0x78, SECOND(0), .leaf = 1ULL << 44 | SS, .level = 1, .how = "w", .low = 0x8040207000,
	  .high = 0x8000007800000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x78] "
		    "SM: second-stage entry cannot be read" },
	{ 0x79, SECOND(0), .how = "w", .low = 0x8040207000, .high = 0x8000007900000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x79] "
		    "SM: read or write permission in second-stage entry is missing" },
	{ 0x7a, SECOND(0), .leaf = 1ULL << 46 | SS, .how = "", .low = 0x8040207000,
	  .high = 0xc000007a00000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x7a] "
		    "SM: reserved fields in second-stage entry are set" },
	{ 0x7b, .mode = SCALABLE,
	  .entry = { .type = HW_CONTEXT_TRANSLATE, .levels = 4, .root = 1ULL << 44 }, .how = "pw",
	  .low = 0x8040207000, .high = 0x8000077b80000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x7b] "
		    "SM: second-stage table pointer is invalid" },
	{ 0x7c, .mode = NO_SNOOP,
	  .entry = { .type = HW_CONTEXT_TRANSLATE,
		     .levels = 4,
		     .root = ROOT,
		     .flags = HW_CONTEXT_TRACK },
	  .leaf = 0x5000 | SS, .how = "w", .low = 0x8040207000, .high = 0x8000007c00000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x7c] "
		    "SM: second-stage A/D update without snooping" },
	{ 0x83, .mode = SCALABLE, .entry = { .type = HW_CONTEXT_PASS_THROUGH }, .iova = 1ULL << 46,
	  .how = "", .low = 1ULL << 46, .high = 0xc000008300000500,
	  .driver = "fault addr 0x400000000000 [fault reason 0x83] "
		    "SM: address is beyond the hardware's width" },
	{ 0x84, SECOND(0), .iova = 1ULL << 48, .how = "w", .low = 1ULL << 48,
	  .high = 0x8000008400000500,
	  .driver = "fault addr 0x1000000000000 [fault reason 0x84] "
		    "SM: second-stage entry's address is beyond the hardware's width" },
	{ 0x85, SECOND(0), .leaf = 0x5000 | ENTRY_R, .how = "w", .low = 0x8040207000,
	  .high = 0x8000008500000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x85] SM: write is denied" },
	{ 0x86, SECOND(0), .leaf = 0x5000 | ENTRY_W, .how = "", .low = 0x8040207000,
	  .high = 0xc000008600000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x86] SM: read is denied" },
	{ 0x87, SECOND(0), .leaf = 0xfeeff000 | SS, .how = "", .low = 0x8040207000,
	  .high = 0xc000008700000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x87] "
		    "SM: address is in the interrupt range" },
	/* ---- Both stages ---- */
	{ 0x74, BOTH(0), .leaf = 1ULL << 39 | FS_AD, .how = "p", .low = 0x8040207000,
	  .high = 0xc000077480000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x74] "
		    "SM: first-stage entry's address is beyond MGAW" },
	{ 0x75, BOTH(0), .page = 0, .second = ROOT | ENTRY_W, .how = "p", .low = 0x8040207000,
	  .high = 0xc000077580000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x75] "
		    "SM: nested, no read permission for first-stage top table" },
	{ 0x76, BOTH(0), .page = 1, .second = (ROOT + 0x1000) | ENTRY_W, .how = "",
	  .low = 0x8040207000, .high = 0xc000007600000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x76] "
		    "SM: nested, no read permission for first-stage entry" },
	{ 0x77, BOTH(0), .page = 3, .second = (ROOT + 0x3000) | ENTRY_R, .leaf = ROOT | FS,
	  .how = "pw", .low = 0x8040207000, .high = 0x8000077780000500,
	  .driver = "fault addr 0x8040207000 [fault reason 0x77] "
		    "SM: nested, no write permission for first-stage entry" },
	{ 0x87, .mode = SCALABLE, .entry = { .type = HW_CONTEXT_PASS_THROUGH }, .iova = 0xfee00000,
	  .how = "pw", .low = 0xfee00000, .high = 0x8000078780000500,
	  .driver = "fault addr 0xfee00000 [fault reason 0x87] "
		    "SM: address is in the interrupt range" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void put_tables(struct yard *yard, const struct row *row)
{
	struct tables tables = { &yard->hw->ram, 4, ROOT, ROOT + 0x1000 };
	u64 all = hw_context_has_first(&row->entry) ? FS : SS;
	phys_addr_t table = ROOT;

	for (phys_addr_t at = ROOT; at < ROOT + 0x5000; at += 8)
		put_entry(tables.ram, at, 0, 0);
	for (u8 level = 3; level > row->level; level--, tables.next += 0x1000) {
		put_entry(tables.ram, table, index_of(AT, level), tables.next | all);
		table = tables.next;
	}
	put_entry(tables.ram, table, index_of(AT, row->level), row->leaf);
	put_entry(tables.ram, BELOW, 0, (BELOW + 0x1000) | SS);
	put_entry(tables.ram, BELOW + 0x1000, 0, (BELOW + 0x2000) | SS);
	for (u64 page = 0; page < 5; page++) {
		u64 word = (ROOT + page * 0x1000) | SS;

		if (row->second && page == row->page)
			word = row->second;
		put_entry(tables.ram, BELOW + 0x2000, index_of(ROOT, 0) + page, word);
	}
	hw_cache_clean(yard->hw, ROOT, 0x5000);
}

static void put_unit(struct yard *yard, const struct row *row)
{
	struct hw_context context = row->context;
	u32 pasid = strchr(row->how, 'p') ? 7 : 0;

	yard->iommu =
		hw_iommu_add(yard->hw, &(struct hw_iommu_desc){ .levels = 4,
								.address_bits = 46,
								.coherent = row->mode != NO_SNOOP,
								.scalable = row->mode != LEGACY,
								.first_levels = 5,
								.nested = true,
								.pasid_flags = 0x3e,
								.iotlb_entries = 16 });
	assert_non_null(yard->iommu);
	yard->root[0]->iommu = yard->iommu;
	if (!context.type && row->mode != LEGACY && !strchr(row->how, '-'))
		context = (struct hw_context){ .type = HW_CONTEXT_PASIDS,
					       .flags = HW_CONTEXT_MAY_SEND_PASIDS,
					       .pasid_bits = 20 };
	expect_ok(hw_context_set(yard->iommu, DISK, context));
	if (!strchr(row->how, '-'))
		expect_ok(hw_pasid_set(yard->iommu, DISK, pasid, row->entry));
}

static struct hw_transfer ask(struct yard *yard, const struct row *row)
{
	const struct hw_prefix prefix = { .present = strchr(row->how, 'p') != NULL,
					  .execute = strchr(row->how, 'x') != NULL,
					  .privileged = strchr(row->how, 's') != NULL,
					  .pasid = 7 };
	u64 iova = (row->iova ? row->iova : AT) + 0x5a8;
	u8 bytes[8] = { 0 };

	if (strchr(row->how, 'w'))
		return hw_engine_write_as(yard->disk, &prefix, iova, bytes, sizeof(bytes));
	return hw_engine_read_as(yard->disk, &prefix, iova, bytes, sizeof(bytes));
}

static void expect_line(const struct row *row, const struct hw_fault_record *record)
{
	const char *head = strchr(row->how, 'p') ? "PASID 0x7" : "NO_PASID";
	char saw[192], expected[192];
	struct dmasim_fault_line line;
	struct text text;

	text_init(&text, saw, sizeof(saw));
	dmar_text(&text, record);
	snprintf(expected, sizeof(expected), "DMAR: [DMA %s %s] Request device [05:00.0] %s",
		 strchr(row->how, 'w') ? "Write" : "Read", head, row->driver);
	assert_string_equal(saw, expected);
	/* And it is read back as the same record. */
	assert_int_equal(dmasim_fault_decode(saw, &line), DMASIM_LOG_FAULT);
	expect_u64(line.word[0], record->word[0]);
	expect_u64(line.word[1], record->word[1]);
}

/* trust: VT-d's reasons, each record and the driver's line | our reading of the facts */
static void each_reason_leaves_its_record(void **state)
{
	struct yard *yard = *state;

	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		struct hw_fault_record record = { .word = { 0, 0 } };
		struct hw_transfer transfer;

		put_unit(yard, row);
		put_tables(yard, row);
		transfer = ask(yard, row);
		hw_fault_take(yard->iommu, &record);
		if (transfer.status != HW_TRANSFER_FAULT || transfer.fault != row->reason ||
		    record.word[0] != row->low || record.word[1] != row->high)
			fail_msg("row %zu: reason 0x%02x, record 0x%llx 0x%llx", i, transfer.fault,
				 record.word[0], record.word[1]);
		expect_u64(transfer.done, 0);
		assert_false(hw_fault_take(yard->iommu, &record));
		expect_line(row, &(struct hw_fault_record){ .word = { row->low, row->high } });
		hw_iommu_remove(yard->iommu);
		yard->root[0]->iommu = NULL;
	}
}

/* What TRUST.md lists as raised, and nothing else. */
static void the_rows_have_all_that_is_raised(void **state)
{
	static const u8 raised[] = { 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0b, 0x0c, 0x31,
				     0x41, 0x42, 0x43, 0x45, 0x46, 0x51, 0x59, 0x5a, 0x5b,
				     0x5c, 0x5d, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76,
				     0x77, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x80, 0x81, 0x82,
				     0x83, 0x84, 0x85, 0x86, 0x87, 0x90 };
	u32 found = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(raised); i++) {
		bool has = false;

		for (size_t at = 0; at < ROWS; at++)
			has |= rows[at].reason == raised[i];
		found += has;
	}
	expect_u64(found, sizeof(raised));
}

/* A message is no request for memory, unless it has a PASID. */
static void a_message_is_not_translated(void **state)
{
	struct yard *yard = *state;
	const struct row row = { FIRST(0), .leaf = 0x5000 | FS_AD, .how = "p" };
	const struct hw_prefix prefix = { .present = true, .pasid = 7 };
	u32 word = 0x41;

	put_unit(yard, &row);
	put_tables(yard, &row);
	expect_u64(hw_engine_write(yard->disk, 0xfee00000, &word, 4).status, HW_TRANSFER_DONE);
	expect_u64(yard->hw->costs.interrupts, 1);
	expect_u64(hw_engine_write_as(yard->disk, &prefix, 0xfee00000, &word, 4).fault, 0x71);
	expect_u64(yard->hw->costs.interrupts, 1);
	/* The same device's memory is there all the time. */
	expect_u64(hw_engine_write_as(yard->disk, &prefix, AT, &word, 4).status, HW_TRANSFER_DONE);
	expect_u64(ram_read(&yard->hw->ram, 0x5000, &word, 4), 4);
	expect_u64(word, 0x41);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, yard_setup, yard_teardown)

TEST_MAIN(TEST(each_reason_leaves_its_record), TEST(the_rows_have_all_that_is_raised),
	  TEST(a_message_is_not_translated))
