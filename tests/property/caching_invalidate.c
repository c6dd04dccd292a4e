/* SPDX-License-Identifier: MIT */
/*
 * Steps that invalidate: as it should be, or nearly.
 */
#include "property/caching.h"

/* The smallest aligned power of two that holds the range. */
static struct range window_of(struct range range)
{
	u64 bytes = SZ_4K;

	while ((range.start ^ range.last) / bytes)
		bytes *= 2;
	range.start &= ~(bytes - 1);
	range.last = range.start + bytes - 1;
	return range;
}

static struct plain_command domain_command(const struct caching_run *run, u32 domain)
{
	return (struct plain_command){
		.unit = run->model.domain[domain].unit,
		.domain = (u16)domain,
		.window.last = ~0ULL,
	};
}

/* What there is to do for the domain, in one command. */
static struct plain_command needed(const struct caching_run *run, u32 domain)
{
	const struct change *change = &run->change[domain];
	struct plain_command command = domain_command(run, domain);
	struct range window = window_of(change->range);

	if (window.last - window.start < SZ_1G)
		command.window = window;
	command.leaf_only = command.window.last != ~0ULL && !change->tables;
	return command;
}

/* What was there before goes under its tag: first who translates, then what. */
static bool right_for_context(struct caching_run *run, u32 which)
{
	struct plain_command batch[2] = {
		domain_command(run, run->old_domain[which]),
		domain_command(run, run->old_domain[which]),
	};

	batch[0].contexts = true;
	batch[0].requester = caching_requester(run, which);
	batch[0].unit = batch[1].unit = run->model.context[which].unit;
	if (!caching_submit_context(run, batch))
		return false;
	run->context_change &= ~(1U << which);
	return caching_judge_context(run, which);
}

static bool right_for_domain(struct caching_run *run, u32 domain)
{
	struct plain_command command = needed(run, domain);

	struct range range = run->change[domain].range;

	run->change[domain].any = false;
	return caching_submit(run, &command, 1) && caching_wait(run, command.unit) &&
	       caching_judge_range(run, DMASIM_EVENT_IOMMU_SYNCED, domain, range);
}

/* Everything is as it should be afterwards. */
bool caching_step_right(struct caching_run *run, struct dice *dice)
{
	u32 only = (u32)dice_below(dice, PLAIN_DOMAINS);

	for (u32 i = 0; i < PLAIN_REQUESTERS; i++)
		if (run->context_change & 1U << i && !right_for_context(run, i))
			return false;
	for (u32 domain = 1; domain < PLAIN_DOMAINS; domain++)
		if (run->change[domain].any && (!only || only == domain) &&
		    !right_for_domain(run, domain))
			return false;
	return true;
}

static struct range random_window(struct dice *dice)
{
	u32 block = (u32)dice_below(dice, CACHING_BLOCKS);
	u64 at = caching_slot(block, (u32)dice_below(dice, PLAIN_SLOTS));
	u64 bytes = SZ_4K << (dice_chance(dice, 50) ? dice_below(dice, 4) : dice_below(dice, 19));

	at &= ~(bytes - 1);
	return (struct range){ at, at + bytes - 1 };
}

/* Half of what it should be, or the one page at an end of it. */
static struct range narrow(struct range range, struct dice *dice)
{
	u64 bytes = range.last - range.start + 1;
	u64 less = dice_chance(dice, 50) ? bytes / 2 : SZ_4K;

	if (bytes <= SZ_4K)
		return range;
	if (dice_chance(dice, 50))
		range.start = range.last - less + 1;
	range.last = range.start + less - 1;
	return range;
}

static void spoil(const struct caching_run *run, struct plain_command *command, struct dice *dice)
{
	if (command->all_domains)
		return;
	switch (dice_below(dice, 6)) {
	case 0:
		command->leaf_only = command->window.last != ~0ULL;
		break;
	case 1:
		if (command->window.last != ~0ULL)
			command->window = narrow(command->window, dice);
		break;
	case 2:
		command->domain = PLAIN_DOMAINS - command->domain;
		break;
	case 3:
		command->unit = (u32)dice_below(dice, run->units);
		break;
	case 4:
		command->window = random_window(dice);
		break;
	default:
		command->contexts = true;
		command->window.last = ~0ULL;
		command->leaf_only = false;
		command->requester = caching_requester(run, 0);
		break;
	}
}

static struct plain_command of_translations(struct caching_run *run, struct dice *dice)
{
	u32 domain = (u32)dice_from(dice, 1, PLAIN_DOMAINS - 1);
	struct plain_command command = domain_command(run, domain);

	switch (dice_below(dice, 8)) {
	case 0:
		command.all_domains = true;
		command.domain = 0;
		break;
	case 1:
		break;
	case 2:
		command.window = random_window(dice);
		command.leaf_only = dice_chance(dice, 50);
		break;
	default:
		if (run->change[domain].any)
			command = needed(run, domain);
		break;
	}
	return command;
}

static struct plain_command of_contexts(struct caching_run *run, struct dice *dice)
{
	u32 which = (u32)dice_below(dice, PLAIN_REQUESTERS);
	struct plain_command command = {
		.unit = run->model.context[which].unit,
		.contexts = true,
		.domain = run->old_domain[which],
		.window.last = ~0ULL,
		.ignored = 0xffff,
	};

	switch (dice_below(dice, 4)) {
	case 0:
		command.all_domains = true;
		command.domain = 0;
		break;
	case 1:
		break;
	case 2:
		command.requester = caching_requester(run, which) & (u16)~7;
		command.ignored = 7;
		break;
	default:
		command.requester = caching_requester(run, which);
		command.ignored = 0;
		break;
	}
	return command;
}

/*
 * What one command would do in two, each with or without the hint, in any order: the half without
 * it drops the tables of both.
 */
static u32 in_halves(struct caching_run *run, struct plain_command batch[2], struct dice *dice)
{
	u32 domain = (u32)dice_from(dice, 1, PLAIN_DOMAINS - 1), second;
	struct plain_command whole = needed(run, domain);
	u64 middle = whole.window.start + (whole.window.last - whole.window.start) / 2;

	if (!run->change[domain].any || middle - whole.window.start >= SZ_1G)
		return 0;
	for (u32 i = 0; i < 2; i++) {
		batch[i] = whole;
		batch[i].leaf_only = dice_chance(dice, 60);
	}
	second = (u32)dice_below(dice, 2);
	batch[!second].window.last = middle;
	batch[second].window.start = middle + 1;
	/* A page has no halves. */
	return whole.window.last - whole.window.start < SZ_4K ? 0 : 2;
}

/* That something is over, whether it is or not. */
static bool claim(struct caching_run *run, struct dice *dice)
{
	u32 domain = (u32)dice_from(dice, 1, PLAIN_DOMAINS - 1);
	struct change *change = &run->change[domain];

	if (run->context_change && dice_chance(dice, 50))
		return caching_judge_context(run, run->context_change & 1 ? 0 : 1);
	if (!change->any)
		return true;
	change->any = false;
	return caching_judge_range(run, DMASIM_EVENT_IOMMU_SYNCED, domain, change->range);
}

/* Up to three commands, each perhaps spoiled; often with the wait for them. */
bool caching_step_invalidate(struct caching_run *run, struct dice *dice)
{
	struct plain_command batch[3];
	bool waits = !dice_chance(dice, run->mistakes / 2);
	u32 halves = dice_chance(dice, 25) ? in_halves(run, batch, dice) : 0;
	u32 count = halves ? halves : (u32)dice_from(dice, 1, 3);

	for (u32 i = halves; i < count; i++) {
		bool contexts = dice_chance(dice, run->context_change ? 40 : 5);

		batch[i] = contexts ? of_contexts(run, dice) : of_translations(run, dice);
		if (!batch[i].contexts && dice_chance(dice, run->mistakes))
			spoil(run, &batch[i], dice);
		batch[i].unit = batch[0].unit;
		/* Nobody goes on while a context may be the old one. */
		waits |= batch[i].contexts ||
			 (run->model.arch == PLAIN_AMD && caching_is_everything(&batch[i]));
	}
	if (!caching_submit(run, batch, count))
		return false;
	if (waits && !caching_wait(run, batch[0].unit))
		return false;
	return dice_chance(dice, 60) || claim(run, dice);
}

bool caching_step_wait(struct caching_run *run, struct dice *dice)
{
	return caching_wait(run, (u32)dice_below(dice, run->units));
}

bool caching_step_malformed(struct caching_run *run, struct dice *dice)
{
	return caching_submit_malformed(run, (u32)dice_below(dice, run->units));
}
