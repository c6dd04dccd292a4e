/* SPDX-License-Identifier: MIT */
/*
 * Bytes as a command queue, between translations and changes of what they read.
 *
 * After each step:
 *   - commands are executed once, in an order that the architecture allows;
 *   - a malformed command stops the queue with the architecture's error, and nothing behind it is
 *     executed until the queue is resumed; a well-formed one never does;
 *   - what commands have covered since it last changed is answered as if there were no caches;
 *   - the counts are those of what was done, and a walk reads one entry a level at the most.
 *
 * Input: 6 bytes of the unit, then steps until the end.
 */
#include <string.h>

#include "fuzz.h"
#include "input.h"
#include "pending.h"
#include "plain.h"
#include "stale.h"

#define COMMAND_BYTES 16

enum feature {
	FEATURE_COMMAND = 1,
	FEATURE_BEHIND,
	FEATURE_OVERTAKES,
	FEATURE_STOPPED,
	FEATURE_ANSWER,
	FEATURE_ENTRY,
	FEATURE_CONTEXT,
	FEATURE_FRESH,
	FEATURE_RESUME,
	FEATURE_RUN,
	FEATURE_WAIT,
};

struct queue {
	struct fuzz_run *run;
	struct rig rig;
	struct plain_memory seen;   /* by the unit */
	struct plain_memory stored; /* by the CPU, and by waits */
	struct stale stale;
	struct pending pending;
	bool stopped;
};

static u64 table_at(u32 table)
{
	return RIG_BASE + ((u64)table << RIG_TABLE_LG2);
}

/* ---- Memory and contexts --------------------------------------------------------------------- */

/* The unit sees memory as it is now. */
static void look_again(struct queue *queue, u64 at)
{
	u64 word = rig_seen(&queue->rig, at);
	u64 *seen = plain_word(&queue->seen, at);

	if (*seen == word)
		return;
	stale_entry(&queue->stale, at, word);
	*seen = word;
}

static void put(struct queue *queue, u32 table, u32 index, u64 word)
{
	u64 at = table_at(table) + 8ULL * index;

	rig_store(&queue->rig, at, word);
	*plain_word(&queue->stored, at) = word;
	if (!queue->rig.unit.coherent)
		rig_clean(&queue->rig, at);
	look_again(queue, at);
}

static void set_context(struct queue *queue, u32 requester, struct rig_context context)
{
	bool set = rig_set_context(&queue->rig, input_requester((u8)requester), context);

	fuzz_check(queue->run, set, "a context could not be set");
	stale_context(&queue->stale, requester, context);
}

/* Two trees: tables 0 to 3 and 8 to 11, a level each. All that inputs use maps something. */
static void build(struct queue *queue)
{
	u32 levels = queue->rig.unit.levels;

	for (u32 tree = 0; tree < 16; tree += 8) {
		for (u32 level = 4 - levels; level < 4; level++) {
			for (u8 i = 0; i < 3; i++) {
				u32 to = level < 3 ? tree + level + 1 : tree + 4 + i;

				put(queue, tree + level, input_index(i), table_at(to) | 3);
			}
		}
	}
	for (u32 i = 0; i < 3; i++)
		set_context(queue, i,
			    (struct rig_context){ .type = RIG_TRANSLATE,
						  .levels = (u8)levels,
						  .domain = i < 2 ? 1 : 2,
						  .root = table_at((i < 2 ? 0 : 8) + 4 - levels) });
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void change_entry(struct queue *queue, struct bytes *bytes)
{
	u8 what = take8(bytes);
	u32 table = what % RIG_TABLES;
	u32 index = input_index(take8(bytes));
	u64 word = input_entry(bytes);
	u64 at = table_at(table) + 8ULL * index;

	fuzz_feature(queue->run, FEATURE_ENTRY, word & 0x883, word >> 62 & 1);
	rig_store(&queue->rig, at, word);
	*plain_word(&queue->stored, at) = word;
	if (!queue->rig.unit.coherent && !(what & 0x80))
		rig_clean(&queue->rig, at);
	/* Of a line all is written back. */
	for (u64 i = at & ~63ULL; i <= (at | 63); i += 8)
		look_again(queue, i);
}

static void change_context(struct queue *queue, struct bytes *bytes)
{
	static const u8 types[] = { RIG_TRANSLATE, RIG_TRANSLATE, RIG_ABSENT, RIG_PASS_THROUGH };
	u32 requester = take8(bytes) % INPUT_REQUESTERS;
	u8 what = take8(bytes);
	struct rig_context context = {
		.type = types[what & 3],
		.levels = what & 4 ? what >> 5 : queue->rig.unit.levels,
		.domain = what >> 3 & 3,
		.root = input_table(take8(bytes)),
	};

	fuzz_feature(queue->run, FEATURE_CONTEXT, context.type, context.levels);
	set_context(queue, requester, context);
}

/* What a wait stores may be a part of a table. */
static void check_store(struct queue *queue, const struct plain_command *command)
{
	u64 at = command->store_at & ~7ULL;
	u32 shift = command->store_at & 4 ? 32 : 0;
	u64 mask = command->store_bytes == 8 ? ~0ULL : 0xffffffffULL << shift;
	u64 *stored = plain_word(&queue->stored, at);
	u64 word;

	if (!command->store_bytes || !stored)
		return;
	*stored = (*stored & ~mask) | command->value << shift;
	word = rig_load(&queue->rig, at);
	fuzz_check(queue->run, word == *stored, "a wait made %llx of %llx at %llx", word, *stored,
		   at);
	look_again(queue, at);
}

static void executed(void *cookie, u64 number)
{
	struct queue *queue = cookie;
	bool again;
	const char *wrong = pending_executed(&queue->pending, number, &again);
	const struct plain_command *command;
	u32 fresh;

	fuzz_check(queue->run, !wrong, "%llu: %s", number, wrong ? wrong : "");
	if (wrong || again)
		return;
	command = &queue->pending.command[number - 1];
	fuzz_feature(queue->run, FEATURE_OVERTAKES, command->kind,
		     pending_before(&queue->pending, number));
	fresh = stale_command(&queue->stale, command);
	check_store(queue, command);
	if (fresh)
		fuzz_feature(queue->run, FEATURE_FRESH, command->kind,
			     command->leaf_only | command->any_domain << 1);
}

static void tell_command(struct queue *queue, u64 type, const struct plain_command *command)
{
	u64 pages = (command->last - command->start) >> 12;
	u32 pages_lg2 = pages ? 63 - (u32)__builtin_clzll(pages) : 0;

	fuzz_feature(queue->run, FEATURE_COMMAND, type | (u64)command->kind << 8,
		     pages_lg2 / 9 | command->leaf_only << 4);
}

/* How many of the commands are good; they are handed over. */
static u32 expect_commands(struct queue *queue, const u8 *commands, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct bytes bytes = { commands + (size_t)i * COMMAND_BYTES, COMMAND_BYTES };
		u64 low = take(&bytes, 8), high = take(&bytes, 8);
		struct plain_command command = plain_vtd_command(&queue->rig.unit, low, high);

		tell_command(queue, low & 0x3f, &command);
		if (command.kind == PLAIN_MALFORMED)
			return i;
		pending_add(&queue->pending, &command);
		fuzz_feature(queue->run, FEATURE_BEHIND, command.kind,
			     pending_before(&queue->pending, queue->pending.count));
	}
	return count;
}

static void check_counts(struct queue *queue)
{
	const struct hw_costs *costs = &queue->rig.hw.costs;
	const u64 *kinds = queue->pending.kinds;
	u64 all = kinds[PLAIN_EVERYTHING];

	fuzz_check(queue->run,
		   costs->invalidations == kinds[PLAIN_PAGES] + all &&
			   costs->context_invalidations == kinds[PLAIN_CONTEXT] + all &&
			   costs->device_tlb_invalidations == kinds[PLAIN_DEVICE_TLB] &&
			   costs->interrupt_invalidations == kinds[PLAIN_INTERRUPT] + all,
		   "commands are counted as what they are not");
}

/* What the queue says of the first malformed one. */
static void check_rejected(struct queue *queue, const u8 *command)
{
	struct bytes bytes = { command, COMMAND_BYTES };
	const u64 *bad = queue->rig.bad;
	u64 low = take(&bytes, 8), high = take(&bytes, 8);

	fuzz_check(queue->run, queue->rig.rejected == 1 && low == bad[0] && high == bad[1],
		   "%llx %llx was told to be malformed for %llx %llx, %u times", bad[0], bad[1],
		   low, high, queue->rig.rejected);
}

static void submit(struct queue *queue, struct bytes *bytes, u32 count, bool now)
{
	u8 commands[RIG_COMMANDS_MAX * COMMAND_BYTES];
	struct rig *rig = &queue->rig;
	u32 good = 0;
	bool went;

	for (u32 i = 0; i < count * COMMAND_BYTES; i++)
		commands[i] = take8(bytes);
	if (!queue->stopped)
		good = expect_commands(queue, commands, count);
	rig->rejected = 0;
	went = rig_submit(rig, commands, count, now);
	fuzz_check(queue->run, went == (!queue->stopped && good == count),
		   "%u of %u commands are well-formed, the queue %s", good, count,
		   went ? "took all" : "stopped");
	if (!queue->stopped && good < count)
		check_rejected(queue, commands + (size_t)good * COMMAND_BYTES);
	else
		fuzz_check(queue->run, !rig->rejected, "nothing is malformed");
	if (now || good < count)
		fuzz_check(queue->run, pending_done(&queue->pending, ~0ULL),
			   "commands were not executed");
	queue->stopped = queue->stopped || good < count;
	fuzz_check(queue->run, rig_stopped(rig) == queue->stopped, "the queue is stopped: %d",
		   rig_stopped(rig));
	fuzz_check(queue->run, rig_has_error(rig) == queue->stopped, "the error is %d",
		   rig_has_error(rig));
	if (queue->stopped)
		fuzz_feature(queue->run, FEATURE_STOPPED, good, count);
}

/* ---- Translations ---------------------------------------------------------------------------- */

static bool same(struct rig_answer a, struct rig_answer b)
{
	if (a.fault || b.fault)
		return a.fault == b.fault;
	/* Which size answers is the caches' choice: the address is not. */
	return a.phys == b.phys && a.pass_through == b.pass_through;
}

static u64 walk_hits(const struct hw_costs *costs)
{
	u64 hits = 0;

	for (u32 i = 0; i < WALK_CACHE_LEVELS; i++)
		hits += costs->walk_hits[i];
	return hits;
}

static void check_costs(struct queue *queue, const struct hw_costs *before, u32 requester)
{
	const struct hw_costs *now = &queue->rig.hw.costs;
	const struct rig_context *context = &queue->stale.requester[requester].now;
	u64 hits = now->iotlb_hits - before->iotlb_hits;
	u64 misses = now->iotlb_misses - before->iotlb_misses;
	u64 reads = now->walk_reads - before->walk_reads;
	u64 begun = walk_hits(now) - walk_hits(before);
	u64 contexts = now->context_hits + now->context_misses - before->context_hits -
		       before->context_misses;
	bool looks = context->type == RIG_TRANSLATE &&
		     !plain_vtd_context(&queue->rig.unit, context);

	fuzz_check(queue->run, hits + misses <= 1 && begun <= misses, "%llu hits, %llu misses",
		   hits, misses);
	fuzz_check(queue->run,
		   !stale_knows_context(&queue->stale, requester) || hits + misses == looks,
		   "%llu look-ups of a context that %s", hits + misses,
		   looks ? "translates" : "does not translate");
	fuzz_check(queue->run, reads <= queue->rig.unit.levels * misses, "%llu reads", reads);
	fuzz_check(queue->run, contexts == (queue->rig.unit.context_entries ? 1 : 0),
		   "%llu look-ups of contexts", contexts);
}

static bool is_documented(u8 fault)
{
	static const u8 faults[] = { 0, 2, 3, 4, 5, 6, 7, 0xc };

	return memchr(faults, fault, sizeof(faults));
}

static void translate(struct queue *queue, struct bytes *bytes, bool write)
{
	u8 who = take8(bytes);
	u32 requester = who % INPUT_REQUESTERS;
	u32 index = take8(bytes) % INPUT_ADDRESSES;
	u64 iova = input_address(index) | (u64)(who >> 2) << 6;
	u16 id = input_requester(who);
	struct rig *rig = &queue->rig;
	struct rig_answer probed = rig_probe(rig, id, iova, write);
	struct hw_costs before = rig->hw.costs;
	bool knows = stale_knows(&queue->stale, requester, index);
	struct rig_answer answer = rig_translate(rig, id, iova, write);

	fuzz_check(queue->run, is_documented(answer.fault), "fault %x", answer.fault);
	fuzz_check(queue->run, !knows || same(answer, probed),
		   "%04x %s %llx: fault %x, %llx, where tables say fault %x, %llx", id,
		   write ? "writes" : "reads", iova, answer.fault, answer.phys, probed.fault,
		   probed.phys);
	check_costs(queue, &before, requester);
	stale_asked(&queue->stale, requester, index);
	fuzz_feature(queue->run, FEATURE_ANSWER,
		     answer.fault | answer.page_lg2 << 8 | (u64)write << 16,
		     knows | same(answer, probed) << 1 |
			     (rig->hw.costs.walk_reads - before.walk_reads) << 2 |
			     (rig->hw.costs.iotlb_hits - before.iotlb_hits) << 6 |
			     stale_how(&queue->stale, requester, index) << 8);
}

/* As drivers do: only after an error. */
static void resume(struct queue *queue)
{
	if (!queue->stopped)
		return;
	rig_resume(&queue->rig);
	queue->stopped = false;
	fuzz_check(queue->run, !rig_stopped(&queue->rig) && !rig_has_error(&queue->rig),
		   "the queue was resumed, and is not well");
	fuzz_feature(queue->run, FEATURE_RESUME, 0, 0);
}

static void wait(struct queue *queue)
{
	struct pending *pending = &queue->pending;
	bool last = !pending->last_wait || pending_done(pending, pending->last_wait);

	rig_wait(&queue->rig);
	fuzz_check(queue->run, pending_done(pending, last ? ~0ULL : pending->last_wait),
		   "what was waited for is not done");
	fuzz_feature(queue->run, FEATURE_WAIT, last, pending_done(pending, ~0ULL));
}

/* What a driver or time does to the queue. */
static void attend(struct queue *queue, u32 what)
{
	if (what == 0) {
		resume(queue);
	} else if (what == 1) {
		rig_run(&queue->rig);
		fuzz_feature(queue->run, FEATURE_RUN, pending_done(&queue->pending, ~0ULL), 0);
	} else {
		wait(queue);
	}
}

static void step(struct queue *queue, struct bytes *bytes)
{
	u8 what = take8(bytes);

	switch (what & 7) {
	case 0:
	case 1:
		submit(queue, bytes, 1 + what / 8 % RIG_COMMANDS_MAX, !(what & 0x40));
		break;
	case 2:
	case 3:
		translate(queue, bytes, what & 8);
		break;
	case 4:
	case 5:
		change_entry(queue, bytes);
		break;
	case 6:
		change_context(queue, bytes);
		break;
	default:
		attend(queue, what >> 3 & 3);
		break;
	}
	check_counts(queue);
}

static void setup_and_run(struct queue *queue, struct bytes *bytes, const struct rig_unit *unit)
{
	if (!rig_init(&queue->rig, unit, queue->run->canary)) {
		fuzz_check(queue->run, false, "no unit could be had");
		return;
	}
	queue->rig.executed = executed;
	queue->rig.cookie = queue;
	queue->pending.contexts_first = true;
	stale_init(&queue->stale, &queue->rig.unit, &queue->seen);
	build(queue);
	while (bytes->left && !fuzz_failed(queue->run))
		step(queue, bytes);
}

bool fuzz_queue(struct fuzz_run *run, const u8 *data, size_t size)
{
	struct bytes bytes = { data, size < FUZZ_INPUT_BYTES ? size : FUZZ_INPUT_BYTES };
	struct queue queue = { .run = run };
	struct rig_unit unit = input_unit(&bytes);

	unit.architecture = RIG_VTD;
	setup_and_run(&queue, &bytes, &unit);
	rig_fini(&queue.rig);
	return !fuzz_failed(run);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static const struct fuzz_canary canaries[] = {
	{ "runs-on", RIG_RUNS_ON },
	{ "keeps-tables", RIG_KEEPS_TABLES },
};

/* A length, then so many bytes: steps with well-formed commands, and what they are about. */
static const u8 pieces[][FUZZ_PIECE_BYTES] = {
	{ 17, 0x00, 0x12 },				     /* IOTLB: all */
	{ 17, 0x00, 0x22, 0x00, 0x01 },			     /* of domain 1 */
	{ 17, 0x00, 0xf2, 0x00, 0x02 },			     /* of domain 2's page 0, drained */
	{ 17, 0x00, 0x32, 0x00, 0x01 },			     /* of domain 1's page 0 */
	{ 17, 0x00, 0x32, 0x00, 0x01, 0, 0, 0, 0, 0, 0x40 }, /* leaf only */
	{ 17, 0x00, 0x32, 0x00, 0x01, 0, 0, 0, 0, 0, 0x09 }, /* 2 MiB */
	{ 17, 0x00, 0x32, 0x00, 0x01, 0, 0, 0, 0, 0, 0x12 }, /* 1 GiB */
	{ 17, 0x00, 0x32, 0x00, 0x01, 0, 0, 0, 0, 0, 0x01 }, /* 8 KiB */
	{ 17, 0x00, 0x11 },				     /* contexts: all */
	{ 17, 0x40, 0x22, 0x00, 0x01 },			     /* the IOTLB of domain 1, later */
	{ 17, 0x00, 0x21 },				     /* those that translate nothing */
	{ 17, 0x00, 0x21, 0x00, 0x01 },			     /* of domain 1 */
	{ 17, 0x00, 0x31, 0x00, 0x01, 0, 0x00, 0x01, 0x03 }, /* of 01:00.x */
	{ 17, 0x00, 0x03, 0x00, 0x04, 0, 0x00, 0x01, 0, 0, 0x01, 0xf0, 0x7f }, /* device TLB */
	{ 17, 0x40, 0x03, 0x00, 0x04, 0, 0x00, 0x01, 0, 0, 0x01, 0xf0, 0x7f }, /* later */
	{ 17, 0x40, 0x11 },						       /* contexts, later */
	{ 17, 0x00, 0x14, 0x00, 0x00, 0x08, 0x05 },		      /* interrupt entries */
	{ 17, 0x00, 0x25, 0, 0, 0, 0xab, 0, 0, 0, 0x00, 0xf0, 0x01 }, /* wait, with a store */
	{ 17, 0x00, 0x55 },					      /* wait, interrupt, fence */
	{ 17, 0x00, 0x06 },					      /* malformed */
	{ 17, 0x40, 0x55 },					      /* the same, later */
	{ 1, 0x0f },						      /* time passes */
	{ 1, 0x17 },					 /* until the wait is complete */
	{ 1, 0x07 },					 /* resume */
	{ 3, 0x02, 0x00, 0x00 },			 /* 01:00.0 reads 0 */
	{ 3, 0x0a, 0x00, 0x01 },			 /* and writes 1000 */
	{ 3, 0x02, 0x02, 0x00 },			 /* 01:00.6 */
	{ 3, 0x02, 0x03, 0x00 },			 /* 02:02.0, which has no context yet */
	{ 4, 0x06, 0x03, 0x08, 0x00 },			 /* it gets that of 01:00.0 */
	{ 7, 0x04, 0x03, 0x00, 0x03, 0x00, 0x07, 0x00 }, /* page 0 moves */
	{ 7, 0x04, 0x03, 0x01, 0x03, 0x00, 0x07, 0x00 }, /* page 1000 moves */
	{ 7, 0x04, 0x02, 0x00, 0x03, 0x00, 0x0b, 0x00 }, /* their table does */
	{ 7, 0x04, 0x02, 0x00, 0x83, 0x00, 0x00, 0xc1 }, /* 2 MiB */
	{ 7, 0x04, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00 }, /* it is absent */
	{ 4, 0x06, 0x00, 0x10, 0x08 },			 /* 01:00.0 has domain 2's tables */
	{ 4, 0x06, 0x00, 0x02, 0x00 },			 /* none */
	{ 4, 0x06, 0x00, 0x0b, 0x00 },			 /* passes through, domain 1 */
};

const struct fuzz_target fuzz_queue_target = {
	.name = "queue",
	.run = fuzz_queue,
	.canary = canaries,
	.canaries = sizeof(canaries) / sizeof(canaries[0]),
	.piece = pieces,
	.pieces = sizeof(pieces) / sizeof(pieces[0]),
};
