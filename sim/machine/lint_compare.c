/* SPDX-License-Identifier: MIT */
/*
 * What was found is told; and held against what the run that wrote the trace has found.
 */
#include "machine/lint.h"
#include "machine/reports.h"

static int compare_balances(const struct lint_balance *a, const struct lint_balance *b)
{
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	return a->dma < b->dma ? -1 : a->dma > b->dma;
}

RB_PROTOTYPE(lint_balance_tree, lint_balance, by_what, compare_balances)
RB_GENERATE(lint_balance_tree, lint_balance, by_what, compare_balances)

/* ---- What lint cannot see --------------------------------------------- */

/* What these say depends on what memory holds, and on caches; or on the run alone. */
static const enum dmasim_report_id not_seen[] = {
	DMASIM_REPORT_STALE_TRANSLATION, DMASIM_REPORT_TABLE_FREED_EARLY,
	DMASIM_REPORT_CHECKER_BLIND,	 DMASIM_REPORT_ABSENT_CACHED,
	DMASIM_REPORT_MIXED_PAGE_SIZES,	 DMASIM_REPORT_STALE_CONTEXT,
	DMASIM_REPORT_CPU_WROTE,	 DMASIM_REPORT_CPU_LINE_LOST,
	DMASIM_REPORT_SYNC_MISSING,
};

bool dmasim_lint_sees(enum dmasim_report_id id)
{
	for (size_t i = 0; i < sizeof(not_seen) / sizeof(not_seen[0]); i++) {
		if (not_seen[i] == id)
			return false;
	}
	return true;
}

/* ---- The balance ------------------------------------------------------ */

static void count(struct lint *lint, struct lint_balance *what, s64 more)
{
	struct lint_balance *balance = RB_FIND(lint_balance_tree, &lint->balances, what);

	if (!balance) {
		balance = lint_alloc(lint, sizeof(*balance));
		if (!balance)
			return;
		*balance = *what;
		RB_INSERT(lint_balance_tree, &lint->balances, balance);
	}
	balance->more += more;
	balance->line = lint->line;
	if (balance->more)
		return;
	RB_REMOVE(lint_balance_tree, &lint->balances, balance);
	memory_free(&lint->s->world.memory, balance);
}

void lint_expect(struct lint *lint, enum dmasim_report_id id, dmasim_sbdf dev, u64 dma)
{
	/* The run's checker has judged nothing from there on. */
	if (id == DMASIM_REPORT_CHECKER_BLIND)
		lint->s->check.blind = lint->s->check.told_blind = true;
	if (dmasim_lint_sees(id))
		count(lint, &(struct lint_balance){ .id = id, .dev = dev, .dma = dma }, -1);
	else
		lint->result->not_seen++;
}

static void tell_difference(struct lint *lint, const struct lint_balance *balance)
{
	char line[256];
	struct text text;

	text_init(&text, line, sizeof(line));
	text_add(&text, "%s:%llu: %s", lint->name, balance->line, dmasim_report_name(balance->id));
	if (balance->dev != DMASIM_NO_SBDF) {
		text_add(&text, " dev=");
		text_add_bdf(&text, balance->dev);
	}
	if (balance->dma)
		text_add(&text, " dma=0x%llx", balance->dma);
	text_add(&text, balance->more < 0 ? " is in the trace, and was not found"
					  : " was found, and is not in the trace");
	lint->how->differs(lint->how->cookie, line);
}

void lint_compare(struct lint *lint)
{
	struct lint_balance *balance;

	RB_FOREACH(balance, lint_balance_tree, &lint->balances) {
		if (!lint->compared)
			break;
		if (balance->more < 0)
			lint->result->missing += (u64)-balance->more;
		else
			lint->result->extra += (u64)balance->more;
		if (lint->how->differs)
			tell_difference(lint, balance);
	}
	lint_compare_fini(lint);
}

void lint_compare_fini(struct lint *lint)
{
	struct lint_balance *balance;

	while ((balance = RB_ROOT(&lint->balances))) {
		RB_REMOVE(lint_balance_tree, &lint->balances, balance);
		memory_free(&lint->s->world.memory, balance);
	}
}

/* ---- Telling ---------------------------------------------------------- */

static void tell(struct lint *lint, const struct report *found)
{
	struct dmasim_report report;

	reports_copy_out(&report, found);
	lint->how->found(lint->how->cookie, &report, lint->line);
}

/* It was told, and nobody asks for it again. */
static void drop(struct reports *reports, struct report *report)
{
	STAILQ_REMOVE_HEAD(&reports->list, link);
	reports->count--;
	reports->found = NULL;
	memory_free(reports->memory, report);
}

/* The reports that came since the last line. */
void lint_tell(struct lint *lint, bool compare)
{
	struct reports *reports = &lint->s->world.reports;
	struct report *found = lint->last ? STAILQ_NEXT(lint->last, link)
					  : STAILQ_FIRST(&reports->list);

	while (found) {
		struct report *next = STAILQ_NEXT(found, link);

		lint->result->found++;
		if (compare && dmasim_lint_sees(found->says.id))
			count(lint,
			      &(struct lint_balance){ .id = found->says.id,
						      .dev = found->says.dev,
						      .dma = found->says.dma },
			      1);
		if (lint->how->found) {
			tell(lint, found);
			drop(reports, found);
		} else {
			lint->last = found;
		}
		found = next;
	}
}
