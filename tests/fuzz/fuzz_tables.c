/* SPDX-License-Identifier: MIT */
/*
 * Bytes as page tables and contexts, and what is asked of them.
 *
 * The tables never change while they are read. So a walk with caches, cold and warm, a walk
 * without, and a walk of a range must all say what a plain second reading says: the same fault or
 * the same page, with the same permissions; and none reads more entries than there are levels.
 *
 * Input: 6 bytes of the unit; 2 bytes for each requester's context; a count; 6 bytes for each entry
 * of a table; then questions until the end.
 */
#include "fuzz.h"
#include "input.h"
#include "plain.h"

#define ENTRIES_MAX 48U

enum feature {
	FEATURE_ANSWER = 1,
	FEATURE_PATH,
	FEATURE_LEAF,
	FEATURE_RANGE,
	FEATURE_CONTEXT,
};

struct tables {
	struct fuzz_run *run;
	struct rig rig;
	struct plain_memory memory;
	struct rig_context context[INPUT_REQUESTERS];
	bool coded; /* entries of pages that are in several, and perhaps not in all */
};

/* ---- Laying out ------------------------------------------------------------------------------ */

/* Requesters with the same tables share a domain; no domain has two. */
static u16 domain_of(const struct tables *tables, u32 requester, u64 root, u8 levels)
{
	for (u32 i = 0; i < requester; i++) {
		if (tables->context[i].root == root && tables->context[i].levels == levels)
			return tables->context[i].domain;
	}
	return (u16)(requester + 1);
}

/* SMMUv3, RISC-V: what is wrong with an entry, or strange. */
static void make_strange(struct rig_context *context, u32 requester, u8 what)
{
	switch (what) {
	case 1:
		context->marks = true;
		break;
	case 2:
		context->device_tlb = true;
		break;
	case 3:
		context->type = RIG_FOREIGN;
		break;
	case 4:
		context->root += 0x800;
		break;
	case 5:
		/* Others have the same bus, and contexts. */
		if (requester == INPUT_REQUESTERS - 1)
			context->type = RIG_NO_PLACE;
		break;
	case 6:
		context->type = RIG_PASS_THROUGH;
		context->device_tlb = true;
		break;
	default:
		context->root |= 1ULL << 56;
		break;
	}
}

static void read_contexts(struct tables *tables, struct bytes *bytes)
{
	static const u8 types[] = { RIG_TRANSLATE, RIG_TRANSLATE, RIG_TRANSLATE, RIG_TRANSLATE,
				    RIG_TRANSLATE, RIG_TRANSLATE, RIG_ABSENT,	 RIG_PASS_THROUGH };
	const struct rig_unit *unit = &tables->rig.unit;

	for (u32 i = 0; i < INPUT_REQUESTERS; i++) {
		struct rig_context *context = &tables->context[i];
		u8 what = take8(bytes);
		bool set;

		context->type = types[what & 7];
		context->root = input_table(take8(bytes));
		if (unit->architecture == RIG_AMD)
			context->levels = 1 + (what >> 3) % 6;
		else
			context->levels = what & 8 ? what >> 4 & 7 : unit->levels;
		if (input_is_newer(unit) && (what & 0x88) == 0x80)
			make_strange(context, i, what >> 4 & 7);
		context->domain = domain_of(tables, i, context->root, context->levels);
		set = rig_set_context(&tables->rig, input_requester((u8)i), *context);
		fuzz_check(tables->run, set, "a context could not be set");
		fuzz_feature(tables->run, FEATURE_CONTEXT, context->type, context->levels);
	}
}

static void read_entries(struct tables *tables, struct bytes *bytes)
{
	u32 count = take8(bytes) % (ENTRIES_MAX + 1);

	while (count--) {
		u64 at = RIG_BASE + ((u64)(take8(bytes) % RIG_TABLES) << RIG_TABLE_LG2);
		u64 word;

		at += 8ULL * input_index(take8(bytes));
		word = input_entry(&tables->rig.unit, bytes);
		tables->coded = tables->coded || plain_items(&tables->rig.unit, word) > 1;
		*plain_word(&tables->memory, at) = word;
		rig_store(&tables->rig, at, word);
		if (!tables->rig.unit.coherent)
			rig_clean(&tables->rig, at);
	}
}

/* ---- One address ----------------------------------------------------------------------------- */

static struct plain_walk walk_plain(struct tables *tables, const struct rig_context *context,
				    u64 iova, enum plain_access access)
{
	return plain_walk(&tables->rig.unit, &tables->memory, context, iova, access);
}

static void check_answer(struct tables *tables, const char *who, const struct rig_answer *answer,
			 const struct plain_walk *plain, u64 iova)
{
	bool right = answer->fault == plain->fault && answer->flags == plain->flags;

	fuzz_check(tables->run, right, "%s: fault %x, %x for %llx, not %x, %x", who, answer->fault,
		   answer->flags, iova, plain->fault, plain->flags);
	if (plain->fault)
		return;
	fuzz_check(tables->run, answer->phys == plain->phys && answer->page_lg2 == plain->page_lg2,
		   "%s: %llx, %u for %llx, not %llx, %u", who, answer->phys, answer->page_lg2, iova,
		   plain->phys, plain->page_lg2);
}

static void check_walk(struct tables *tables, const struct rig_context *context, u64 iova,
		       bool write, const struct plain_walk *plain)
{
	struct hw_walk walk = rig_walk(&tables->rig, context, iova, write);
	struct rig_answer answer = {
		.fault = walk.fault,
		.flags = walk.fault_flags,
		.page_lg2 = walk.page_lg2,
		.phys = walk.phys,
	};

	check_answer(tables, "walk", &answer, plain, iova);
	fuzz_check(tables->run, walk.reads == plain->entries && walk.reads <= context->levels,
		   "%u entries were read for %u of %u levels", walk.reads, plain->entries,
		   context->levels);
	fuzz_check(tables->run,
		   walk.fault || (walk.read == plain->read && walk.write == plain->write),
		   "permissions of %llx are %d, %d", iova, walk.read, walk.write);
}

/*
 * SMMUv3: a page of several entries is cached as one, by the address of the entry that was read.
 * That is another one for an address whose own entry was made wrong.
 */
static struct plain_walk as_cached(const struct plain_walk *plain, u64 iova)
{
	struct plain_walk cached = *plain;
	u64 within = (1ULL << plain->page_lg2) - 1;

	if (!plain->fault)
		cached.phys = (plain->phys & ~within) | (iova & within);
	return cached;
}

/* What the unit as a whole answers: without its caches, with them empty, and then full. */
static void check_unit(struct tables *tables, const struct rig_request *request,
		       const struct plain_walk *plain, bool empty)
{
	const struct plain_walk cached = as_cached(plain, request->iova);
	struct rig *rig = &tables->rig;
	struct rig_answer answer = rig_probe(rig, request);
	u64 iova = request->iova;
	u64 reads;

	check_answer(tables, "probe", &answer, plain, iova);
	if (empty)
		rig_forget_all(rig);
	reads = rig->hw.costs.walk_reads;
	answer = rig_translate(rig, request);
	check_answer(tables, empty ? "empty caches" : "caches", &answer, plain, iova);
	reads = rig->hw.costs.walk_reads - reads;
	fuzz_check(tables->run, empty ? reads == plain->entries : reads <= plain->entries,
		   "%llu entries were read for %u", reads, plain->entries);
	answer = rig_translate(rig, request);
	check_answer(tables, "again", &answer, &cached, iova);
}

static void tell_path(struct tables *tables, const struct plain_walk *plain)
{
	u64 path = 0;

	for (u32 i = 0; i < plain->entries; i++)
		path = path << 8 | plain->entry[i].lg2;
	fuzz_feature(tables->run, FEATURE_PATH, plain->fault | (u64)plain->page_lg2 << 8,
		     path * 31 + plain->read * 2U + plain->write);
}

static void ask_address(struct tables *tables, u32 requester, const struct rig_request *request,
			bool empty)
{
	const struct rig_context *context = &tables->context[requester];
	const struct rig_unit *unit = &tables->rig.unit;
	struct plain_walk plain = { .fault = request->process ? plain_process(unit, context)
							      : plain_context(unit, context) };
	bool amd = unit->architecture == RIG_AMD, write = request->write;
	u64 iova = request->iova;

	if (plain.fault) {
		plain.flags = amd ? plain_amd_context_flags(plain.fault, write) : 0;
	} else if (context->type == RIG_PASS_THROUGH) {
		plain.phys = iova;
		plain.page_lg2 = 12;
	} else {
		plain = walk_plain(tables, context, iova, write ? PLAIN_WRITE : PLAIN_READ);
		check_walk(tables, context, iova, write, &plain);
		tell_path(tables, &plain);
	}
	fuzz_feature(tables->run, FEATURE_ANSWER, plain.fault | (u64)plain.flags << 8,
		     plain.page_lg2 | write << 6 | request->process << 7 | plain.entries << 8);
	/* Of such a page caches may say what any of its entries does. */
	check_unit(tables, request, &plain, empty || tables->coded);
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

struct range {
	struct tables *tables;
	const struct rig_context *context;
	u64 next; /* where the next stretch may begin */
	u64 asked;
	bool told; /* of the address that was asked for */
	bool over; /* a stretch ended at the top of all addresses */
};

/* What the range says of an address is what a walk of entries alone says. */
static void check_stretch(struct range *range, const struct hw_leaf *leaf, u64 offset)
{
	u64 iova = leaf->iova + offset, phys = leaf->phys + offset;
	struct plain_walk plain = walk_plain(range->tables, range->context, iova, PLAIN_ANY);

	fuzz_check(range->tables->run,
		   !plain.fault && plain.phys == phys && plain.page_lg2 == leaf->page_lg2,
		   "range: %llx is %llx, %u; not %llx, %u, fault %x", iova, phys, leaf->page_lg2,
		   plain.phys, plain.page_lg2, plain.fault);
	fuzz_check(range->tables->run, plain.read == leaf->read && plain.write == leaf->write,
		   "range: %llx allows %d, %d; not %d, %d", iova, leaf->read, leaf->write,
		   plain.read, plain.write);
}

/* An empty entry, that would map so much. */
static void check_absent(struct range *range, const struct hw_leaf *leaf)
{
	const struct rig_unit *unit = &range->tables->rig.unit;
	struct plain_walk plain = walk_plain(range->tables, range->context, leaf->iova, PLAIN_ANY);
	u8 last = plain.entries ? plain.entries - 1 : 0;

	fuzz_check(range->tables->run,
		   unit->caching_mode && plain.fault && plain.entries &&
			   plain_word(&range->tables->memory, plain.entry[last].at) &&
			   !plain_is_present(unit, plain.entry[last].word) &&
			   plain.entry[last].lg2 == leaf->page_lg2 && !leaf->read && !leaf->write,
		   "range: %llx is told to be empty, %u", leaf->iova, leaf->page_lg2);
}

static void heard_leaf(void *cookie, const struct hw_leaf *leaf)
{
	struct range *range = cookie;

	fuzz_check(range->tables->run, !range->over && leaf->iova >= range->next && leaf->bytes,
		   "range: %llx is told behind %llx", leaf->iova, range->next);
	if (leaf->absent) {
		check_absent(range, leaf);
	} else {
		check_stretch(range, leaf, 0);
		check_stretch(range, leaf, leaf->bytes - 1);
		range->told = range->told || range->asked - leaf->iova < leaf->bytes;
	}
	range->next = leaf->iova + leaf->bytes;
	range->over = !range->next;
	fuzz_feature(range->tables->run, FEATURE_LEAF, (u64)__builtin_ctzll(leaf->bytes),
		     leaf->page_lg2 | leaf->read << 6 | leaf->write << 7 | range->told << 8);
}

/* A table that a walk of entries goes through: of this level, below entries that allow this. */
static bool is_on_path(const struct rig_unit *unit, const struct plain_walk *plain,
		       const struct hw_table *table)
{
	bool read = true, write = true;

	for (u32 i = 0; i < plain->entries; i++) {
		if ((plain->entry[i].at & ~0xfffULL) == table->phys &&
		    plain->entry[i].lg2 == 12 + 9 * (table->levels - 1) && read == table->read &&
		    write == table->write)
			return true;
		plain_limit(unit, plain->entry[i].word, &read, &write);
	}
	return false;
}

static void heard_table(void *cookie, const struct hw_table *table)
{
	struct range *range = cookie;
	const struct rig_unit *unit = &range->tables->rig.unit;
	struct plain_walk plain = walk_plain(range->tables, range->context, table->iova, PLAIN_ANY);

	fuzz_check(range->tables->run, is_on_path(unit, &plain, table),
		   "range: %llx of %u levels, %d, %d, is no table of %llx", table->phys,
		   table->levels, table->read, table->write, table->iova);
	fuzz_check(range->tables->run, table->bytes == 4096ULL << (9 * table->levels),
		   "range: a table of %u levels has %llx bytes", table->levels, table->bytes);
}

static void ask_range(struct tables *tables, u32 requester, u64 start, u8 size)
{
	static const u8 sizes[] = { 0, 12, 13, 16, 20, 21, 22, 30 };
	const struct rig_context *context = &tables->context[requester];
	struct range range = { .tables = tables, .context = context, .asked = start };
	u64 last = start + (1ULL << sizes[size % 8]) - 1;
	struct plain_walk plain;

	if (context->type != RIG_TRANSLATE || plain_context(&tables->rig.unit, context))
		return;
	if (last < start)
		last = ~0ULL;
	plain = walk_plain(tables, context, start, PLAIN_ANY);
	rig_walk_range(&tables->rig, context, start, last, heard_leaf, heard_table, &range);
	fuzz_check(tables->run, range.told == !plain.fault, "range: %llx is%s told, fault %x",
		   start, range.told ? "" : " not", plain.fault);
	fuzz_feature(tables->run, FEATURE_RANGE, size % 8U, range.told | !plain.fault << 1);
}

/* ---- Questions ------------------------------------------------------------------------------- */

static void ask(struct tables *tables, struct bytes *bytes)
{
	static const u64 above[] = { 0, 0, 1ULL << 48, 0xffffULL << 48 };
	static const u64 offsets[] = { 0, 0xfff, 0x123456, 0x3f000 };
	u8 what = take8(bytes);
	u8 who = take8(bytes);
	u64 iova = input_address(&tables->rig.unit, take8(bytes) % INPUT_ADDRESSES);
	struct rig_request request = {
		.requester = input_requester(who),
		.write = what & 2,
		.process = who & 0x40 && input_is_newer(&tables->rig.unit),
	};

	/* With RISC-V some of them leave that as it should be, in units of other levels. */
	if (tables->rig.unit.architecture == RIG_RISCV && who & 0x80)
		iova &= ~(0xffffULL << 48);
	iova |= above[who >> 2 & 3];
	iova |= offsets[who >> 4 & 3];
	request.iova = iova;
	if (what & 1)
		ask_range(tables, who % INPUT_REQUESTERS, iova, what >> 1);
	else
		ask_address(tables, who % INPUT_REQUESTERS, &request, what & 4);
}

bool fuzz_tables(struct fuzz_run *run, const u8 *data, size_t size)
{
	struct bytes bytes = { data, size < FUZZ_INPUT_BYTES ? size : FUZZ_INPUT_BYTES };
	struct tables tables = { .run = run };
	struct rig_unit unit = input_unit(&bytes, run->part);

	run->variant = unit.architecture;
	if (!rig_init(&tables.rig, &unit, run->canary)) {
		fuzz_check(run, false, "no unit could be had");
	} else {
		read_contexts(&tables, &bytes);
		read_entries(&tables, &bytes);
		while (bytes.left && !fuzz_failed(run))
			ask(&tables, &bytes);
	}
	rig_fini(&tables.rig);
	return !fuzz_failed(run);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static const struct fuzz_canary canaries[] = {
	{ "takes-reserved", RIG_TAKES_RESERVED },
	{ "short-pages", RIG_SHORT_PAGES },
};

static const u8 pieces[][FUZZ_PIECE_BYTES] = {
	{ 6, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00 }, /* VT-d: table 0's first entry is table 1 */
	{ 6, 0x01, 0x00, 0x03, 0x00, 0x02, 0x00 }, /* and so on */
	{ 6, 0x02, 0x00, 0x83, 0x00, 0x00, 0xc1 }, /* 2 MiB */
	{ 6, 0x00, 0x01, 0x03, 0x00, 0x00, 0x00 }, /* itself */
	{ 6, 0x00, 0x00, 0x01, 0x16, 0x01, 0x00 }, /* AMD: table 1, which has level 3 of 4 */
	{ 6, 0x01, 0x00, 0x01, 0x14, 0x02, 0x00 }, /* of level 2 */
	{ 6, 0x02, 0x00, 0x01, 0x12, 0x03, 0x00 }, /* of level 1 */
	{ 6, 0x03, 0x00, 0x01, 0x10, 0x04, 0x00 }, /* a page */
	{ 6, 0x03, 0x01, 0x01, 0x1e, 0x00, 0xc0 }, /* 64 KiB, coded */
	{ 6, 0x03, 0x00, 0x43, 0x04, 0x04, 0x00 }, /* SMMUv3: a page */
	{ 6, 0x03, 0x01, 0x43, 0x44, 0x04, 0x00 }, /* 64 KiB */
	{ 6, 0x02, 0x00, 0x41, 0x34, 0x00, 0xc1 }, /* 2 MiB */
	{ 6, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00 }, /* RISC-V: table 1 */
	{ 6, 0x01, 0x00, 0x01, 0x00, 0x02, 0x00 },
	{ 6, 0x02, 0x00, 0x01, 0x00, 0x03, 0x00 },
	{ 6, 0x03, 0x00, 0xd7, 0x40, 0x04, 0x00 }, /* a page */
	{ 6, 0x03, 0x01, 0xd7, 0x50, 0x00, 0xc0 }, /* 64 KiB */
	{ 6, 0x02, 0x00, 0xd7, 0x40, 0x00, 0xc1 }, /* 2 MiB */
	{ 1, 0x80 },				   /* a context that asks for what is not there */
	{ 3, 0x00, 0x00, 0x00 },		   /* reads 0 */
	{ 3, 0x06, 0x01, 0x01 },		   /* writes 1000, the caches empty */
	{ 3, 0x0d, 0x00, 0x00 },		   /* 2 MiB from 0 on */
};

const struct fuzz_target fuzz_tables_target = {
	.name = "tables",
	.run = fuzz_tables,
	.canary = canaries,
	.canaries = sizeof(canaries) / sizeof(canaries[0]),
	.piece = pieces,
	.pieces = sizeof(pieces) / sizeof(pieces[0]),
	.part = input_parts,
	.parts = INPUT_PARTS,
};
