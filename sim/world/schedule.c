/* SPDX-License-Identifier: MIT */
#include "world/schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void schedule_init(struct schedule *schedule, u32 *cpu)
{
	memset(schedule, 0, sizeof(*schedule));
	schedule->cpu = cpu;
	schedule->current = SCHEDULE_NOBODY;
}

void schedule_fini(struct schedule *schedule)
{
	for (u32 i = 0; i < SCHEDULE_TASKS_MAX; i++)
		coroutine_fini(&schedule->slot[i].coroutine);
	free(schedule->choices);
	schedule->choices = NULL;
}

bool schedule_is_running(struct schedule *schedule)
{
	const struct coroutine *coroutine;

	if (schedule->current == SCHEDULE_NOBODY)
		return false;
	coroutine = &schedule->slot[schedule->current].coroutine;
	if (coroutine_is_here(coroutine))
		return true;
	coroutine_jumped_out(coroutine);
	schedule->current = SCHEDULE_NOBODY;
	schedule->jumped = true;
	return false;
}

/* ---- Who can go on --------------------------------------------------------------------------- */

static bool is_background(const struct schedule_slot *slot)
{
	return slot->task->ready;
}

static bool somebody_has_not_ended(const struct schedule *schedule)
{
	for (u32 i = 0; i < schedule->count; i++) {
		const struct schedule_slot *slot = &schedule->slot[i];

		if (!is_background(slot) && slot->state != SCHEDULE_ENDED)
			return true;
	}
	return false;
}

static bool can_go_on(const struct schedule *schedule, const struct schedule_slot *slot)
{
	switch (slot->state) {
	case SCHEDULE_RUNS:
		return !slot->waits || !*slot->waits;
	case SCHEDULE_IDLE:
		if (!is_background(slot))
			return true;
		return slot->rounds && slot->task->ready(slot->task->context) &&
		       somebody_has_not_ended(schedule);
	default:
		return false;
	}
}

static u32 enabled_tasks(const struct schedule *schedule)
{
	u32 enabled = 0;

	for (u32 i = 0; i < schedule->count; i++) {
		if (can_go_on(schedule, &schedule->slot[i]))
			enabled |= 1U << i;
	}
	return enabled;
}

/* ---- Choices --------------------------------------------------------------------------------- */

/* False: no memory. */
static bool note_choice(struct schedule *schedule, u32 chosen)
{
	if (schedule->choices_count + 1 >= schedule->choices_room) {
		size_t room = schedule->choices_room ? 2 * schedule->choices_room : 128;
		char *choices = realloc(schedule->choices, room);

		if (!choices)
			return false;
		schedule->choices = choices;
		schedule->choices_room = room;
	}
	schedule->choices[schedule->choices_count++] = (char)('0' + chosen);
	schedule->choices[schedule->choices_count] = '\0';
	return true;
}

const char *schedule_choices(const struct schedule *schedule)
{
	return schedule->choices && schedule->choices_count ? schedule->choices : "";
}

/* SCHEDULE_NOBODY: nobody can, or the chooser gave up. */
static u32 decide(struct schedule *schedule, u32 current)
{
	u32 enabled = enabled_tasks(schedule);
	u32 chosen;

	if (!enabled)
		return SCHEDULE_NOBODY;
	if (!(enabled & (enabled - 1)))
		return (u32)__builtin_ctz(enabled);
	chosen = schedule->chooser.choose(schedule->chooser.context, enabled, current);
	if (chosen != SCHEDULE_NOBODY && note_choice(schedule, chosen))
		return chosen;
	schedule->given_up = true;
	return SCHEDULE_NOBODY;
}

/* ---- Within a task --------------------------------------------------------------------------- */

static void leave(struct schedule *schedule)
{
	coroutine_leave(&schedule->slot[schedule->current].coroutine);
}

void schedule_point(struct schedule *schedule)
{
	u32 current;

	if (!schedule_is_running(schedule))
		return;
	current = schedule->current;
	if (!schedule->chooser.looks || !schedule->chooser.looks(schedule->chooser.context)) {
		schedule->next = decide(schedule, current);
		if (schedule->next == current)
			return;
	}
	leave(schedule);
}

bool schedule_wait(struct schedule *schedule, const bool *held)
{
	struct schedule_slot *slot;

	if (!schedule_is_running(schedule))
		return false;
	slot = &schedule->slot[schedule->current];
	slot->waits = held;
	schedule->next = SCHEDULE_NOBODY;
	leave(schedule);
	slot->waits = NULL;
	return true;
}

static void body(void *argument)
{
	struct schedule_slot *slot = argument;

	for (;;) {
		slot->state = SCHEDULE_RUNS;
		if (is_background(slot))
			slot->rounds--;
		slot->task->run(slot->task->context);
		slot->state = is_background(slot) ? SCHEDULE_IDLE : SCHEDULE_ENDED;
		slot->schedule->next = SCHEDULE_NOBODY;
		leave(slot->schedule);
	}
}

/* ---- Running --------------------------------------------------------------------------------- */

static int prepare(struct schedule *schedule, const struct schedule_task *tasks, u32 count)
{
	schedule->count = count;
	for (u32 i = 0; i < count; i++) {
		struct schedule_slot *slot = &schedule->slot[i];

		if (!slot->coroutine.stack && coroutine_init(&slot->coroutine, &schedule->home))
			return -ENOMEM;
		slot->schedule = schedule;
		slot->task = &tasks[i];
		slot->state = SCHEDULE_IDLE;
		slot->rounds = tasks[i].rounds;
		slot->waits = NULL;
		coroutine_start(&slot->coroutine, body, slot);
	}
	return 0;
}

static bool somebody_runs(const struct schedule *schedule)
{
	for (u32 i = 0; i < schedule->count; i++) {
		if (schedule->slot[i].state == SCHEDULE_RUNS)
			return true;
	}
	return somebody_has_not_ended(schedule);
}

int schedule_run(struct schedule *schedule, const struct schedule_task *tasks, u32 count,
		 struct schedule_chooser chooser)
{
	u32 last = SCHEDULE_NOBODY;

	if (prepare(schedule, tasks, count))
		return -ENOMEM;
	schedule->chooser = chooser;
	schedule->given_up = false;
	schedule->choices_count = 0;
	schedule->next = SCHEDULE_NOBODY;
	while (somebody_runs(schedule)) {
		/* Somebody chose within a task, unless it ended or waits. */
		u32 next = schedule->next;

		if (next == SCHEDULE_NOBODY && !schedule->given_up)
			next = decide(schedule, last);
		if (next == SCHEDULE_NOBODY)
			break;
		schedule->next = SCHEDULE_NOBODY;
		schedule->current = next;
		*schedule->cpu = schedule->slot[next].task->cpu;
		coroutine_enter(&schedule->slot[next].coroutine);
		schedule->current = SCHEDULE_NOBODY;
		/* To leave a task that is over is no preemption. */
		last = schedule->slot[next].state == SCHEDULE_RUNS ? next : SCHEDULE_NOBODY;
	}
	if (schedule->given_up)
		return -ECANCELED;
	return somebody_runs(schedule) ? -EDEADLK : 0;
}

/* ---- Choosers -------------------------------------------------------------------------------- */

static u32 choose_in_order(void *context, u32 enabled, u32 current)
{
	(void)context;
	if (enabled & 1U << current)
		return current;
	return (u32)__builtin_ctz(enabled);
}

struct schedule_chooser schedule_in_order(void)
{
	return (struct schedule_chooser){ .choose = choose_in_order };
}

static u32 choose_as_listed(void *context, u32 enabled, u32 current)
{
	struct schedule_list *list = context;
	u32 wanted;

	if (!*list->choices)
		return choose_in_order(NULL, enabled, current);
	wanted = (u32)*list->choices++ - '0';
	if (wanted < SCHEDULE_TASKS_MAX && enabled & 1U << wanted)
		return wanted;
	list->wrong = true;
	return SCHEDULE_NOBODY;
}

struct schedule_chooser schedule_as_listed(struct schedule_list *list)
{
	return (struct schedule_chooser){ .choose = choose_as_listed, .context = list };
}

static u32 choose_by_chance(void *context, u32 enabled, u32 current)
{
	u64 skip = random_below(context, (u64)__builtin_popcount(enabled));

	(void)current;
	for (; skip; skip--)
		enabled &= enabled - 1;
	return (u32)__builtin_ctz(enabled);
}

struct schedule_chooser schedule_by_chance(struct random *random)
{
	return (struct schedule_chooser){ .choose = choose_by_chance, .context = random };
}
