/* SPDX-License-Identifier: MIT */
#include "pending.h"

void pending_add(struct pending *pending, const struct plain_command *command)
{
	pending->done[pending->count] = command->kind == PLAIN_NOTHING;
	pending->command[pending->count++] = *command;
	if (command->kind == PLAIN_WAIT)
		pending->last_wait = pending->count;
}

static bool is_iotlb(u8 kind)
{
	return kind == PLAIN_PAGES || kind == PLAIN_EVERYTHING;
}

/* May `later` overtake `earlier`, which was not executed? */
static const char *overtakes(const struct pending *pending, const struct plain_command *earlier,
			     const struct plain_command *later)
{
	if (later->kind == PLAIN_WAIT)
		return "a wait was executed before what stands before it";
	if (earlier->kind == PLAIN_WAIT && earlier->fence)
		return "a command was executed before a fence before it";
	if (pending->devices_last && later->kind == PLAIN_DEVICE_TLB && is_iotlb(earlier->kind))
		return "a device TLB's command was executed before one of the IOTLB before it";
	if (pending->contexts_first && later->kind == PLAIN_PAGES && earlier->kind == PLAIN_CONTEXT)
		return "an IOTLB command was executed before a context's before it";
	return NULL;
}

const char *pending_executed(struct pending *pending, u64 number, bool *again)
{
	const struct plain_command *command = &pending->command[number - 1];

	*again = false;
	if (!number || number > pending->count)
		return "a command was executed that was never handed over";
	if (pending->done[number - 1]) {
		*again = command->kind == PLAIN_EVERYTHING;
		return *again ? NULL : "a command was executed twice";
	}
	for (u32 i = 0; i + 1 < number; i++) {
		const char *wrong =
			pending->done[i] ? NULL : overtakes(pending, &pending->command[i], command);

		if (wrong)
			return wrong;
	}
	pending->done[number - 1] = true;
	pending->kinds[command->kind]++;
	return NULL;
}

const struct plain_command *pending_oldest(const struct pending *pending)
{
	for (u32 i = 0; i < pending->count; i++) {
		if (!pending->done[i])
			return &pending->command[i];
	}
	return NULL;
}

void pending_forget(struct pending *pending, u64 taken)
{
	if (taken < pending->count)
		pending->count = (u32)taken;
	if (pending->last_wait > taken)
		pending->last_wait = 0;
	for (u32 i = 0; i < pending->count; i++)
		pending->done[i] = true;
}

u32 pending_before(const struct pending *pending, u64 number)
{
	u32 kinds = 0;

	for (u64 i = 0; i + 1 < number && i < pending->count; i++) {
		if (!pending->done[i])
			kinds |= 1U << pending->command[i].kind;
	}
	return kinds;
}

bool pending_done(const struct pending *pending, u64 number)
{
	for (u64 i = 0; i < number && i < pending->count; i++) {
		if (!pending->done[i])
			return false;
	}
	return true;
}
