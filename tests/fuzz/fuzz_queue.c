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
 * On SMMUv3 and RISC-V a request may say a process, of which there are none.
 *
 * Input: 6 bytes of the unit, then steps until the end.
 */
#include "queue.h"

#define COMMAND_BYTES 16

/* What a wait stores may be a part of a table. */
static void check_store(struct queue *queue, const struct plain_command *command)
{
	u64 at = command->store_at & ~7ULL;
	u32 shift = command->store_at & 4 ? 32 : 0;
	u64 mask = command->store_bytes == 8 ? ~0ULL : 0xffffffffULL << shift;
	u64 *stored = plain_word(&queue->stored, at);
	u64 word = rig_load(&queue->rig, at);

	if (!command->store_bytes || !stored)
		return;
	queue_stored(queue, at, (*stored & ~mask) | command->value << shift);
	fuzz_check(queue->run, word == *stored, "a wait made %llx of %llx at %llx", word, *stored,
		   at);
	queue_look_again(queue, at);
}

/* A wait of AMD or RISC-V that stores where no memory is: it stops the queue. */
static bool loses_store(const struct queue *queue, const struct plain_command *command)
{
	struct plain_memory *memory = (struct plain_memory *)&queue->stored;
	u8 architecture = queue->rig.unit.architecture;

	return (architecture == RIG_AMD || architecture == RIG_RISCV) && command &&
	       command->store_bytes && !plain_word(memory, command->store_at);
}

/* Its second word: AMD has there what is stored, RISC-V where. */
static u64 second_word(const struct queue *queue, const struct plain_command *wait)
{
	return queue->rig.unit.architecture == RIG_AMD ? wait->value : wait->store_at / 4;
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
	fuzz_check(queue->run, !loses_store(queue, command), "%llu: its store is lost", number);
	fuzz_feature(queue->run, FEATURE_OVERTAKES, command->kind,
		     pending_before(&queue->pending, number));
	fresh = stale_command(&queue->stale, command);
	check_store(queue, command);
	if (fresh)
		fuzz_feature(queue->run, FEATURE_FRESH, command->kind,
			     command->leaf_only | command->any_domain << 1);
}

static void rejected(void *cookie, const u64 word[2])
{
	struct queue *queue = cookie;
	const struct plain_command *oldest = pending_oldest(&queue->pending);

	queue->rejected++;
	queue->bad[0] = word[0];
	queue->bad[1] = word[1];
	/* All before it is executed: before a malformed one, too. */
	if (loses_store(queue, oldest) && word[1] == second_word(queue, oldest))
		queue->lost_store = queue->stopped = true;
}

/* What the opcode is in. */
static u64 opcode_of(const struct queue *queue, u64 low)
{
	static const u16 mask[] = { 0x3f, 0x3f, 0xff, 0x3ff };

	return low & mask[queue->rig.unit.architecture];
}

static void tell_command(struct queue *queue, u64 type, const struct plain_command *command)
{
	u64 pages = (command->last - command->start) >> 12;
	u32 pages_lg2 = pages ? 63 - (u32)__builtin_clzll(pages) : 0;

	fuzz_feature(queue->run, FEATURE_COMMAND, type | (u64)command->kind << 8,
		     pages_lg2 / 9 | command->leaf_only << 4 | (u64)command->hint_lg2 << 5);
}

/* How many of the commands are good; they are handed over. */
static u32 expect_commands(struct queue *queue, const u8 *commands, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct bytes bytes = { commands + (size_t)i * COMMAND_BYTES, COMMAND_BYTES };
		u64 low = take(&bytes, 8), high = take(&bytes, 8);
		struct plain_command command = plain_command(&queue->rig.unit, low, high);

		tell_command(queue, opcode_of(queue, low), &command);
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
	const u64 *bad = queue->bad;
	u64 low = take(&bytes, 8), high = take(&bytes, 8);

	fuzz_check(queue->run, queue->rejected == 1 && low == bad[0] && high == bad[1],
		   "%llx %llx was told to be malformed for %llx %llx, %u times", bad[0], bad[1],
		   low, high, queue->rejected);
}

/* After commands were handed over, and when some were executed. */
static void check_state(struct queue *queue)
{
	struct rig *rig = &queue->rig;
	u8 event = rig_take_events(rig);

	fuzz_check(queue->run, rig_stopped(rig) == queue->stopped, "the queue is stopped: %d",
		   rig_stopped(rig));
	fuzz_check(queue->run, rig_has_error(rig) == queue->stopped, "the error is %d",
		   rig_has_error(rig));
	if (rig->unit.architecture == RIG_AMD && queue->rejected)
		fuzz_check(queue->run, event == (queue->lost_store ? 6 : 5), "event %x", event);
	else
		fuzz_check(queue->run, !event, "event %x", event);
	queue->rejected = 0;
}

static void submit(struct queue *queue, struct bytes *bytes, u32 count, bool now)
{
	u8 commands[RIG_COMMANDS_MAX * COMMAND_BYTES];
	u32 good = 0;
	bool was_stopped = queue->stopped, went;

	for (u32 i = 0; i < count * COMMAND_BYTES; i++)
		commands[i] = take8(bytes);
	if (!was_stopped)
		good = expect_commands(queue, commands, count);
	went = rig_submit(&queue->rig, commands, count, now);
	fuzz_check(queue->run, went == (!queue->stopped && good == count),
		   "%u of %u commands are well-formed, the queue %s", good, count,
		   went ? "took all" : "stopped");
	if (!queue->stopped && good < count) {
		check_rejected(queue, commands + (size_t)good * COMMAND_BYTES);
		queue->stopped = true;
	} else if (was_stopped || !queue->stopped) {
		fuzz_check(queue->run, !queue->rejected, "nothing is malformed");
	}
	if (!queue->lost_store && (now || queue->stopped))
		fuzz_check(queue->run, pending_done(&queue->pending, ~0ULL),
			   "commands were not executed");
	if (queue->stopped)
		fuzz_feature(queue->run, FEATURE_STOPPED, good, count + 16U * queue->lost_store);
	check_state(queue);
}

/* ---- Translations ---------------------------------------------------------------------------- */

static bool same(struct rig_answer a, struct rig_answer b)
{
	if (a.fault || b.fault)
		return a.fault == b.fault && a.flags == b.flags;
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

static void check_costs(struct queue *queue, const struct hw_costs *before, u32 requester,
			bool process)
{
	const struct hw_costs *now = &queue->rig.hw.costs;
	const struct rig_context *context = &queue->stale.requester[requester].now;
	u64 hits = now->iotlb_hits - before->iotlb_hits;
	u64 misses = now->iotlb_misses - before->iotlb_misses;
	u64 reads = now->walk_reads - before->walk_reads;
	u64 begun = walk_hits(now) - walk_hits(before);
	u64 contexts = now->context_hits + now->context_misses - before->context_hits -
		       before->context_misses;
	bool looks = context->type == RIG_TRANSLATE && !process &&
		     !plain_context(&queue->rig.unit, context);

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

static void translate(struct queue *queue, struct bytes *bytes, bool write)
{
	u8 who = take8(bytes);
	u32 requester = who % INPUT_REQUESTERS;
	u8 where = take8(bytes);
	u32 index = where % INPUT_ADDRESSES;
	struct rig *rig = &queue->rig;
	const struct rig_request request = {
		.requester = input_requester(who),
		.iova = input_address(&rig->unit, index) | (u64)(who >> 2) << 6,
		.write = write,
		.process = where >= 2 * INPUT_ADDRESSES && input_is_newer(&rig->unit),
	};
	struct rig_answer probed = rig_probe(rig, &request);
	struct hw_costs before = rig->hw.costs;
	bool knows = stale_knows(&queue->stale, requester, index);
	struct rig_answer answer = rig_translate(rig, &request);

	fuzz_check(queue->run, plain_is_documented(&rig->unit, answer.fault), "fault %x",
		   answer.fault);
	fuzz_check(queue->run, !knows || same(answer, probed),
		   "%04x %s %llx: fault %x, %llx, where tables say fault %x, %llx",
		   request.requester, write ? "writes" : "reads", request.iova, answer.fault,
		   answer.phys, probed.fault, probed.phys);
	check_costs(queue, &before, requester, request.process);
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
	pending_forget(&queue->pending, rig_taken(&queue->rig));
	queue->stopped = queue->lost_store = false;
	fuzz_feature(queue->run, FEATURE_RESUME, 0, 0);
}

static void wait(struct queue *queue)
{
	struct pending *pending = &queue->pending;
	bool last = !pending->last_wait || pending_done(pending, pending->last_wait);

	rig_wait(&queue->rig);
	fuzz_check(queue->run,
		   queue->stopped || pending_done(pending, last ? ~0ULL : pending->last_wait),
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
	check_state(queue);
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
		queue_change_entry(queue, bytes);
		break;
	case 6:
		queue_change_context(queue, bytes);
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
	queue->rig.rejected = rejected;
	queue->rig.cookie = queue;
	queue->pending.contexts_first = !input_is_newer(unit);
	queue->pending.devices_last = !input_is_newer(unit);
	stale_init(&queue->stale, &queue->rig.unit, &queue->seen);
	queue_build(queue);
	while (bytes->left && !fuzz_failed(queue->run))
		step(queue, bytes);
}

bool fuzz_queue(struct fuzz_run *run, const u8 *data, size_t size)
{
	struct bytes bytes = { data, size < FUZZ_INPUT_BYTES ? size : FUZZ_INPUT_BYTES };
	struct queue queue = { .run = run };
	struct rig_unit unit = input_unit(&bytes, run->part);

	run->variant = unit.architecture;
	setup_and_run(&queue, &bytes, &unit);
	rig_fini(&queue.rig);
	return !fuzz_failed(run);
}
