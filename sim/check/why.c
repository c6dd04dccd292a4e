/* SPDX-License-Identifier: MIT */
#include "check/why.h"

/* ---- Finding the command ---------------------------------------------- */

/* A command, held against what it should have covered. */
struct match {
	bool meant; /* it may have been meant for it */
	enum why_gap gap;
};

static bool is_everything(const struct hw_invalidation *what)
{
	return !what->start && what->last == ~0ULL;
}

static bool touches(const struct hw_invalidation *what, u64 start, u64 last)
{
	return what->start <= last && what->last >= start;
}

/* The two lie side by side. */
static bool adjoins(const struct hw_invalidation *what, u64 start, u64 last)
{
	return (what->last != ~0ULL && what->last + 1 == start) ||
	       (last != ~0ULL && last + 1 == what->start);
}

static struct match match_context(const struct hw_invalidation *what, const struct why_query *query)
{
	bool requester = !((query->start ^ what->requester) & (u16)~what->requester_ignored);
	bool domain = what->all_domains || what->domain == query->domain;

	if (requester && domain)
		return (struct match){ true, WHY_NO_GAP };
	if (requester && what->requester_ignored != 0xffff)
		return (struct match){ true, WHY_DOMAIN };
	return (struct match){ domain, WHY_REQUESTER };
}

/* What was given within the call that is judged was meant for what that call did. */
static struct match match_iotlb(const struct hw_invalidation *what, const struct why_query *query,
				bool in_call)
{
	bool domain = what->all_domains || what->domain == query->domain;
	u64 less_1 = query->lg2 < 64 ? (1ULL << query->lg2) - 1 : ~0ULL;

	if (!domain)
		return (struct match){ touches(what, query->start, query->last) &&
					       (in_call || !is_everything(what)),
				       WHY_DOMAIN };
	if (!touches(what, query->start, query->last))
		return (struct match){ in_call || adjoins(what, query->start, query->last),
				       WHY_WINDOW };
	if (!what->all_domains && what->has_pasid != query->first_stage)
		return (struct match){ true, WHY_STAGE };
	if (query->table && what->leaf_only)
		return (struct match){ true, WHY_TABLES };
	if (what->larger_stay && less_1 > what->last - what->start)
		return (struct match){ true, WHY_SMALL };
	if (!query->table && hw_hint_spares(what, query->lg2))
		return (struct match){ true, WHY_LEVEL };
	return (struct match){ true, WHY_NO_GAP };
}

static struct match match_device_tlb(const struct hw_invalidation *what,
				     const struct why_query *query, bool in_call)
{
	if (what->requester != query->requester)
		return (struct match){ in_call && touches(what, query->start, query->last),
				       WHY_REQUESTER };
	if (!touches(what, query->start, query->last))
		return (struct match){ in_call || adjoins(what, query->start, query->last),
				       WHY_WINDOW };
	return (struct match){ true, WHY_NO_GAP };
}

static struct match match(const struct cached_unit *unit, const struct cached_command *command,
			  const struct why_query *query)
{
	bool in_call = command->submitted.order > query->call;
	struct match match;

	if (command->what.what != query->what)
		return (struct match){ false, WHY_NO_GAP };
	if (query->what == HW_INVALIDATED_CONTEXT)
		match = match_context(&command->what, query);
	else if (query->what == HW_INVALIDATED_DEVICE_TLB)
		match = match_device_tlb(&command->what, query, in_call);
	else
		match = match_iotlb(&command->what, query, in_call);
	if (unit->iommu != query->iommu && match.meant) {
		match.meant = match.gap == WHY_NO_GAP && in_call;
		match.gap = WHY_UNIT;
	}
	return match;
}

/* How well a command explains it: 0, not at all. */
static u32 weight(const struct cached_unit *unit, const struct cached_command *command,
		  const struct why_query *query, struct why *why)
{
	struct match found = match(unit, command, query);

	*why = (struct why){ WHY_NARROW, found.gap, unit, command };
	if (!found.meant)
		return 0;
	if (check_before(command->submitted, query->until)) {
		why->kind = WHY_EARLY;
		return !found.gap && check_before(query->since, command->submitted) &&
		       (command->submitted.order > query->call ||
			check_before(query->until, command->waited));
	}
	if (!found.gap) {
		why->kind = WHY_NOT_WAITED;
		return check_happened(command->waited) ? 0 : 4;
	}
	return found.gap <= WHY_LEVEL ? 3 : 2;
}

struct why why_cached(const struct cached *cached, const struct why_query *query)
{
	const struct cached_unit *unit;
	struct why best = { .kind = WHY_MISSING };
	u32 best_weight = 0;

	SLIST_FOREACH(unit, &cached->units, link) {
		const struct cached_command *command;

		for (u64 back = 0; (command = cached_unit_command(unit, back)); back++) {
			struct why why;
			u32 value = weight(unit, command, query, &why);

			if (value > best_weight) {
				best_weight = value;
				best = why;
			}
		}
	}
	return best;
}

/* ---- Words ------------------------------------------------------------ */

const char *why_word(enum why_kind kind)
{
	static const char *const words[] = {
		[WHY_MISSING] = "missing",
		[WHY_NARROW] = "too-narrow",
		[WHY_EARLY] = "too-early",
		[WHY_NOT_WAITED] = "not-waited-for",
	};

	return words[kind];
}

static void add_device(struct text *text, u16 requester)
{
	text_add(text, "the TLB of %02x:%02x.%x", requester >> 8, (requester >> 3) & 0x1f,
		 requester & 7);
}

static void add_command(struct text *text, const struct why *why)
{
	const struct hw_invalidation *what = &why->command->what;

	text_add(text, "command %llu of unit %u, submitted at t=%llu, for ", what->number,
		 why->unit->iommu->unit, why->command->submitted.ns);
	if (what->what == HW_INVALIDATED_CONTEXT) {
		if (what->requester_ignored == 0xffff)
			text_add(text, "all contexts");
		else
			text_add(text, "the context of %02x:%02x.%x", what->requester >> 8,
				 (what->requester >> 3) & 0x1f, what->requester & 7);
	} else if (is_everything(what)) {
		text_add(text, "all addresses");
	} else {
		text_add(text, "0x%llx-0x%llx", what->start, what->last);
	}
	if (what->what == HW_INVALIDATED_DEVICE_TLB) {
		text_add(text, " in ");
		add_device(text, what->requester);
	} else if (what->all_domains) {
		text_add(text, " of all domains");
	} else {
		text_add(text, " of domain %u", what->domain);
	}
	if (what->what == HW_INVALIDATED_IOTLB && what->has_pasid)
		text_add(text, ", PASID %u", what->pasid);
	if (what->what == HW_INVALIDATED_IOTLB)
		text_add(text, what->leaf_only ? ", leaves only" : "");
	if (what->only_level)
		text_add(text, ", of level %u", what->only_level - 1U);
}

static void add_gap(struct text *text, const struct why_query *query, enum why_gap gap)
{
	switch (gap) {
	case WHY_TABLES:
		text_add(text, "a table was unlinked: that needs one for non-leaf entries, too");
		break;
	case WHY_SMALL:
		text_add(text, query->table ? "a table that maps " : "a page of ");
		text_add_size(text, 1ULL << query->lg2);
		text_add(text, " is larger than the window: it may stay");
		break;
	case WHY_LEVEL:
		text_add(text, "a page of ");
		text_add_size(text, 1ULL << query->lg2);
		text_add(text, " is no leaf of the level that the command names: it may stay");
		break;
	case WHY_WINDOW:
		text_add(text, "0x%llx-0x%llx lies outside", query->start, query->last);
		break;
	case WHY_DOMAIN:
		text_add(text, "what is cached is tagged with domain %u", query->domain);
		break;
	case WHY_STAGE:
		text_add(text, "what is cached is tagged with %s",
			 query->first_stage ? "the PASID of requests without one, too"
					    : "the domain alone");
		break;
	case WHY_UNIT:
		text_add(text, "it is cached by unit %u", query->iommu->unit);
		break;
	case WHY_REQUESTER:
		if (query->what == HW_INVALIDATED_DEVICE_TLB) {
			text_add(text, "it is in ");
			add_device(text, query->requester);
			break;
		}
		/* fall through */
	default:
		text_add(text, "it is cached for %02llx:%02llx.%llx", query->start >> 8,
			 (query->start >> 3) & 0x1f, query->start & 7);
		break;
	}
}

void why_text(struct text *text, const struct why_query *query, const struct why *why)
{
	text_add(text, "  %-9s ", "cause");
	switch (why->kind) {
	case WHY_MISSING:
		text_add(text, "missing: no invalidation of ");
		if (query->what == HW_INVALIDATED_CONTEXT)
			text_add(text, "contexts");
		else if (query->what == HW_INVALIDATED_DEVICE_TLB)
			add_device(text, query->requester);
		else
			text_add(text, query->table ? "non-leaf entries of domain %u" : "domain %u",
				 query->domain);
		text_add(text, " covered it since it was over\n");
		return;
	case WHY_NARROW:
		text_add(text, "too narrow: ");
		add_command(text, why);
		text_add(text, "\n  %-9s ", "left out");
		add_gap(text, query, why->gap);
		text_add(text, "\n");
		return;
	case WHY_EARLY:
		text_add(text, "too early: ");
		add_command(text, why);
		if (query->what == HW_INVALIDATED_DEVICE_TLB) {
			text_add(text, ",\n  %-9s may have been executed before the IOTLB's\n", "");
			return;
		}
		text_add(text, ",\n  %-9s may have been executed before the entry was changed\n",
			 "");
		return;
	default:
		text_add(text, "not waited for: ");
		add_command(text, why);
		text_add(text, "\n");
		return;
	}
}
