/* SPDX-License-Identifier: MIT */
#include "world/explore.h"

#include <stdlib.h>
#include <string.h>

#include <dmasim/contract.h>

#define PARTS_MAX 4

struct key {
	u64 word[2];
};

/* A choice of the run, and what of it was explored. */
struct step {
	u32 enabled;
	u32 allowed; /* within the bound on preemptions */
	u32 tried;
	u32 chosen;
	struct explorer_number count; /* interleavings below those that were tried */
	struct key key;
};

struct seen {
	struct key key;
	struct explorer_number count; /* interleavings from here on; 0: the place is free */
};

struct explorer {
	u32 preemptions_max;
	u32 preemptions; /* of this run */
	struct step *step;
	size_t depth;
	size_t room;
	size_t at;		      /* choices of this run that were taken */
	struct explorer_number worth; /* interleavings that this run stands for */
	struct explorer_counts counts;
	bool begun;
	bool failed; /* no memory */
	/* Merging. */
	struct schedule *schedule;
	struct coroutine_bytes part[PARTS_MAX];
	u32 parts;
	struct seen *seen;
	size_t seen_room; /* a power of two */
};

struct explorer *explorer_create(u32 preemptions_max)
{
	struct explorer *explorer = calloc(1, sizeof(*explorer));

	if (explorer)
		explorer->preemptions_max = preemptions_max;
	return explorer;
}

void explorer_destroy(struct explorer *explorer)
{
	if (!explorer)
		return;
	free(explorer->step);
	free(explorer->seen);
	free(explorer);
}

bool explorer_merge(struct explorer *explorer, struct schedule *schedule,
		    const struct coroutine_bytes *memory, u32 count)
{
	DMASIM_CONTRACT(count <= PARTS_MAX && !explorer->begun, "memory is told before the start");
	if (!coroutine_is_whole())
		return false;
	memcpy(explorer->part, memory, count * sizeof(*memory));
	explorer->parts = count;
	explorer->schedule = schedule;
	return true;
}

struct explorer_counts explorer_counts(const struct explorer *explorer)
{
	return explorer->counts;
}

static struct explorer_number add(struct explorer_number a, struct explorer_number b)
{
	struct explorer_number sum = { a.high + b.high, a.low + b.low };

	if (sum.low >= EXPLORER_LIMB) {
		sum.low -= EXPLORER_LIMB;
		sum.high++;
	}
	return sum;
}

static bool is_nothing(struct explorer_number number)
{
	return !number.high && !number.low;
}

/* ---- States ---------------------------------------------------------------------------------- */

/* Two lanes; for a given word each is a bijection of what it was. */
static void mix(struct key *key, u64 word)
{
	u64 a = (key->word[0] ^ word) * 0xbf58476d1ce4e5b9ULL;
	u64 b = (key->word[1] + word) * 0x94d049bb133111ebULL;

	key->word[0] = a ^ a >> 29;
	key->word[1] = (b << 31 | b >> 33) ^ 0x9e3779b97f4a7c15ULL;
}

/* Stacks have parts that AddressSanitizer would not have read. */
#if defined(__GNUC__)
__attribute__((no_sanitize("address")))
#endif
static void
mix_bytes(struct key *key, struct coroutine_bytes part)
{
	const u8 *at = part.start;
	size_t left = part.bytes;
	u64 word;

	mix(key, left);
	for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word))
		mix(key, *(const u64 *)(const void *)at);
	for (; left; left--)
		mix(key, *at++);
}

static void mix_slot(struct key *key, struct schedule_slot *slot)
{
	u64 registers[COROUTINE_REGISTERS];
	struct coroutine_bytes all;

	mix(key, slot->state);
	mix(key, slot->rounds);
	mix(key, (u64)(uintptr_t)slot->waits);
	/* One that waits for its next round has nothing on its stack that matters. */
	if (slot->state != SCHEDULE_RUNS)
		return;
	coroutine_sweep(&slot->coroutine);
	if (coroutine_registers(&slot->coroutine, registers, &all)) {
		for (u32 i = 0; i < COROUTINE_REGISTERS; i++)
			mix(key, registers[i]);
	} else {
		mix_bytes(key, all);
	}
	mix_bytes(key, coroutine_live(&slot->coroutine));
}

/* With a bound, what may follow depends on who ran and on what is left of it. */
static struct key state_key(struct explorer *explorer, u32 current)
{
	struct schedule *schedule = explorer->schedule;
	struct key key = { { 0, 0 } };

	if (explorer->preemptions_max != EXPLORER_ALL) {
		mix(&key, explorer->preemptions);
		mix(&key, current);
	}
	for (u32 i = 0; i < schedule->count; i++)
		mix_slot(&key, &schedule->slot[i]);
	for (u32 i = 0; i < explorer->parts; i++)
		mix_bytes(&key, explorer->part[i]);
	return key;
}

static struct seen *find(struct seen *seen, size_t room, const struct key *key)
{
	size_t at = key->word[0] & (room - 1);

	while (!is_nothing(seen[at].count) &&
	       (seen[at].key.word[0] != key->word[0] || seen[at].key.word[1] != key->word[1]))
		at = (at + 1) & (room - 1);
	return &seen[at];
}

/* At most half of the places are in use. */
static bool make_room(struct explorer *explorer)
{
	size_t room = explorer->seen_room ? 2 * explorer->seen_room : 1024;
	struct seen *seen;

	if (2 * (explorer->counts.states + 1) <= explorer->seen_room)
		return true;
	seen = calloc(room, sizeof(*seen));
	if (!seen)
		return false;
	for (size_t i = 0; i < explorer->seen_room; i++) {
		const struct seen *old = &explorer->seen[i];

		if (!is_nothing(old->count))
			*find(seen, room, &old->key) = *old;
	}
	free(explorer->seen);
	explorer->seen = seen;
	explorer->seen_room = room;
	return true;
}

/* All that follows a choice is explored. Without memory it may be explored again, no more. */
static void remember(struct explorer *explorer, const struct step *step)
{
	struct seen *seen;

	if (!explorer->schedule || !make_room(explorer))
		return;
	seen = find(explorer->seen, explorer->seen_room, &step->key);
	if (is_nothing(seen->count))
		explorer->counts.states++;
	*seen = (struct seen){ step->key, step->count };
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static bool push(struct explorer *explorer, const struct step *step)
{
	if (explorer->depth == explorer->room) {
		size_t room = explorer->room ? 2 * explorer->room : 64;
		struct step *grown = realloc(explorer->step, room * sizeof(*grown));

		if (!grown)
			return false;
		explorer->step = grown;
		explorer->room = room;
	}
	explorer->step[explorer->depth++] = *step;
	explorer->at++;
	return true;
}

static u32 allowed_of(const struct explorer *explorer, u32 enabled, u32 current)
{
	u32 bit = 1U << current;

	if (enabled & bit && explorer->preemptions >= explorer->preemptions_max)
		return bit;
	return enabled;
}

/* A place where no choice was made yet. */
static u32 choose_first(struct explorer *explorer, u32 enabled, u32 allowed, u32 current)
{
	struct step step = { .enabled = enabled, .allowed = allowed };

	if (explorer->schedule) {
		step.key = state_key(explorer, current);
		if (explorer->seen_room) {
			const struct seen *seen =
				find(explorer->seen, explorer->seen_room, &step.key);

			if (!is_nothing(seen->count)) {
				explorer->worth = seen->count;
				return SCHEDULE_NOBODY;
			}
		}
	}
	step.chosen = allowed & 1U << current ? current : (u32)__builtin_ctz(allowed);
	step.tried = 1U << step.chosen;
	if (!push(explorer, &step)) {
		explorer->failed = true;
		return SCHEDULE_NOBODY;
	}
	return step.chosen;
}

static u32 choose(void *context, u32 enabled, u32 current)
{
	struct explorer *explorer = context;
	u32 allowed = allowed_of(explorer, enabled, current);
	u32 chosen;

	if (!(allowed & (allowed - 1))) {
		chosen = (u32)__builtin_ctz(allowed);
	} else if (explorer->at < explorer->depth) {
		const struct step *step = &explorer->step[explorer->at++];

		DMASIM_CONTRACT(step->enabled == enabled,
				"a program that is explored does the same after the same choices");
		chosen = step->chosen;
	} else {
		chosen = choose_first(explorer, enabled, allowed, current);
	}
	if (enabled & 1U << current && chosen != current && chosen != SCHEDULE_NOBODY)
		explorer->preemptions++;
	return chosen;
}

/* Where states are told apart, unless the choice was made in an earlier run. */
static bool looks(void *context)
{
	const struct explorer *explorer = context;

	return explorer->schedule && explorer->at == explorer->depth;
}

struct schedule_chooser explorer_chooser(struct explorer *explorer)
{
	explorer->at = 0;
	explorer->preemptions = 0;
	explorer->worth = (struct explorer_number){ .low = 1 };
	return (struct schedule_chooser){ choose, looks, explorer };
}

/* Takes the last choice back that has another answer. False: there is none. */
static bool advance(struct explorer *explorer)
{
	struct explorer_number worth = explorer->worth;

	while (explorer->depth) {
		struct step *step = &explorer->step[explorer->depth - 1];
		u32 left = step->allowed & ~step->tried;

		step->count = add(step->count, worth);
		if (left) {
			step->chosen = (u32)__builtin_ctz(left);
			step->tried |= 1U << step->chosen;
			return true;
		}
		remember(explorer, step);
		worth = step->count;
		explorer->depth--;
	}
	return false;
}

bool explorer_next(struct explorer *explorer)
{
	if (!explorer->begun) {
		explorer->begun = true;
		return true;
	}
	if (explorer->counts.complete || explorer->failed)
		return false;
	explorer->counts.runs++;
	explorer->counts.interleavings = add(explorer->counts.interleavings, explorer->worth);
	if (advance(explorer))
		return true;
	explorer->counts.complete = true;
	return false;
}
