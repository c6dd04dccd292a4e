/* SPDX-License-Identifier: MIT */
/*
 * The order in which commands are executed: what may be executed next, and when it is.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <dmasim/contract.h>

#include "hw/ats.h"

static struct hw_queued *entry_at(struct hw_queue *queue, u32 index)
{
	return &queue->entry[(queue->first + index) % HW_QUEUE_ENTRIES];
}

/* What stands before a command and is not executed yet. */
struct before {
	bool any;
	bool context;
	bool iotlb;
};

static bool touches(const struct hw_command *command, enum hw_invalidated what)
{
	if (command->kind == HW_COMMAND_INVALIDATE_EVERYTHING)
		return what != HW_INVALIDATED_DEVICE_TLB;
	return command->kind == HW_COMMAND_INVALIDATE && command->invalidation.what == what;
}

static bool may_run(const struct hw_iommu *iommu, const struct hw_command *command,
		    const struct before *before)
{
	if (command->kind == HW_COMMAND_WAIT)
		return !before->any;
	if (touches(command, HW_INVALIDATED_DEVICE_TLB))
		return iommu->arch->devices_overtake || !before->iotlb;
	if (iommu->arch->contexts_first && touches(command, HW_INVALIDATED_IOTLB))
		return !before->context;
	return true;
}

/* How many may be executed now, and of these number `nth`, in the order of the queue. */
static u32 runnable(struct hw_iommu *iommu, u64 nth, struct hw_queued **found)
{
	struct before before = { false, false, false };
	u32 count = 0;

	for (u32 i = 0; i < iommu->queue.count; i++) {
		struct hw_queued *queued = entry_at(&iommu->queue, i);
		const struct hw_command *command = &queued->command;

		if (queued->done)
			continue;
		if (may_run(iommu, command, &before) && count++ == nth)
			*found = queued;
		before.any = true;
		before.context |= touches(command, HW_INVALIDATED_CONTEXT) ||
				  touches(command, HW_INVALIDATED_PASID);
		before.iotlb |= touches(command, HW_INVALIDATED_IOTLB);
		if (command->kind == HW_COMMAND_WAIT && command->wait.fence)
			break;
	}
	return count;
}

/* What stands behind it, and maybe before, is not executed any more; or behind the next wait. */
static void time_out(struct hw_iommu *iommu, const struct hw_command *command)
{
	const struct hw_invalidation *what = &command->invalidation;
	const struct hw_hooks *hooks = &iommu->hw->hooks;

	clock_pass(&iommu->hw->world->clock, HW_DEVICE_TLB_TIMEOUT_NS);
	iommu->hw->costs.device_tlb_timeouts++;
	if (iommu->arch->timeouts_at_waits)
		iommu->queue.timed_out = true;
	else
		iommu->queue.error = -ETIMEDOUT;
	iommu->fault_status |= HW_STATUS_TIMEOUT;
	if (iommu->arch->device_timed_out)
		iommu->arch->device_timed_out(iommu, what->requester, command->number - 1);
	hw_queue_trace_timeout(iommu, what);
	if (hooks->timed_out)
		hooks->timed_out(hooks->cookie, iommu, what);
}

/* Executes one of those that may be; there is one, as the oldest always may. */
static void run_one(struct hw_iommu *iommu)
{
	struct hw_queue *queue = &iommu->queue;
	struct hw_queued *chosen = entry_at(queue, 0);
	u32 count = queue->count > 1 ? runnable(iommu, 0, &chosen) : 1;
	u64 nth = world_choose(iommu->hw->world, count);

	if (nth)
		runnable(iommu, nth, &chosen);
	chosen->done = true;
	if (!hw_command_execute(iommu, &chosen->command)) {
		time_out(iommu, &chosen->command);
		if (queue->error)
			return;
	}
	while (queue->count && entry_at(queue, 0)->done) {
		queue->first = (queue->first + 1) % HW_QUEUE_ENTRIES;
		queue->count--;
	}
}

void hw_queue_run(struct hw_iommu *iommu)
{
	while (hw_queue_pending(&iommu->queue) && !world_choose(iommu->hw->world, 2))
		run_one(iommu);
}

static void run_all(struct hw_iommu *iommu)
{
	while (hw_queue_pending(&iommu->queue))
		run_one(iommu);
}

static void tell_submitted(struct hw_iommu *iommu, const struct hw_command *command)
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;
	struct hw_command part[HW_COMMAND_PARTS];

	if (!hooks->submitted)
		return;
	if (command->kind == HW_COMMAND_INVALIDATE)
		hooks->submitted(hooks->cookie, iommu, &command->invalidation);
	if (command->kind != HW_COMMAND_INVALIDATE_EVERYTHING)
		return;
	hw_command_split(command, part);
	for (u32 i = 0; i < HW_COMMAND_PARTS; i++)
		hooks->submitted(hooks->cookie, iommu, &part[i].invalidation);
}

static void append(struct hw_iommu *iommu, struct hw_command *command)
{
	struct hw_queue *queue = &iommu->queue;
	bool behind;

	while (queue->count == HW_QUEUE_ENTRIES && hw_queue_pending(queue))
		run_one(iommu);
	if (queue->error)
		return;
	behind = queue->count;
	command->number = ++queue->submitted;
	command->invalidation.number = command->number;
	if (command->kind == HW_COMMAND_WAIT)
		queue->last_wait = command->number;
	tell_submitted(iommu, command);
	/* The common case: nothing stands before it, and it is executed as it comes. */
	if (!behind && !world_choose(iommu->hw->world, 2)) {
		if (!hw_command_execute(iommu, command))
			time_out(iommu, command);
		return;
	}
	*entry_at(queue, queue->count++) = (struct hw_queued){ .command = *command };
	if (behind)
		hw_queue_run(iommu);
}

/* What stands before it is good. */
static int reject(struct hw_iommu *iommu, const u64 word[2])
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;

	run_all(iommu);
	if (iommu->queue.error)
		return iommu->queue.error;
	iommu->queue.error = -EINVAL;
	iommu->fault_status |= HW_STATUS_QUEUE;
	if (iommu->arch->queue_stopped)
		iommu->arch->queue_stopped(iommu, HW_QUEUE_MALFORMED, iommu->queue.submitted);
	hw_queue_trace_error(iommu, word);
	if (hooks->queue_error)
		hooks->queue_error(hooks->cookie, iommu, word);
	return -EINVAL;
}

static u64 word_at(const u8 *command, u32 index)
{
	u64 word;

	memcpy(&word, command + index * sizeof(word), sizeof(word));
	return le64toh(word);
}

/* Of a wide command: what no command has yet is 0. */
static bool is_narrow(const u8 *command)
{
	return !word_at(command, 2) && !word_at(command, 3);
}

/* Member by member: as one initialiser it takes compilers a slow loop. */
static void command_init(struct hw_command *command, const u8 *from)
{
	command->word[0] = word_at(from, 0);
	command->word[1] = word_at(from, 1);
	command->kind = HW_COMMAND_INVALIDATE;
	command->granularity = NULL;
	command->invalidation = (struct hw_invalidation){ 0 };
	command->wait = (struct hw_wait){ 0 };
}

DMASIM_HOT int hw_queue_submit(struct hw_iommu *iommu, const void *commands, size_t bytes)
{
	size_t width = iommu->wide_commands ? HW_WIDE_COMMAND_BYTES : HW_COMMAND_BYTES;
	const u8 *at = commands;

	DMASIM_CONTRACT(!(bytes % width), "commands have 16 bytes, or 32");
	if (iommu->queue.error)
		return iommu->queue.error;
	for (size_t done = 0; done < bytes && !iommu->queue.error; done += width) {
		struct hw_command command;

		command_init(&command, at + done);
		if ((iommu->wide_commands && !is_narrow(at + done)) ||
		    !iommu->arch->decode(iommu, command.word, &command))
			return reject(iommu, command.word);
		append(iommu, &command);
	}
	/* A time-out is for who waits: a driver has no other way to hear of it. */
	return 0;
}

/* The number of the oldest command that was not executed. */
static u64 oldest(struct hw_queue *queue)
{
	return entry_at(queue, 0)->command.number;
}

DMASIM_HOT int hw_queue_wait(struct hw_iommu *iommu)
{
	struct hw_queue *queue = &iommu->queue;

	if (queue->count && oldest(queue) > queue->last_wait)
		run_all(iommu);
	while (hw_queue_pending(queue) && oldest(queue) <= queue->last_wait)
		run_one(iommu);
	return queue->error;
}

int hw_queue_execute(struct hw_iommu *iommu, const void *commands, size_t bytes)
{
	int err = hw_queue_submit(iommu, commands, bytes);

	run_all(iommu);
	return err ? err : iommu->queue.error;
}

void hw_queue_resume(struct hw_iommu *iommu)
{
	iommu->queue.count = 0;
	iommu->queue.error = 0;
	iommu->queue.timed_out = false;
	iommu->fault_status &= ~(HW_STATUS_QUEUE | HW_STATUS_TIMEOUT);
}
