/* SPDX-License-Identifier: MIT */
/*
 * What a program expects, and what it does not want to see.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/reports.h"

void dmasim_expect(struct dmasim *s, enum dmasim_report_id id, u32 count)
{
	DMASIM_CONTRACT(dmasim_report_name(id), "a report that exists is expected");
	reports_expect(reports_settled(s), id, count);
}

void dmasim_suppress(struct dmasim *s, enum dmasim_report_id id)
{
	DMASIM_CONTRACT(dmasim_report_name(id), "a report that exists is suppressed");
	reports_suppress(reports_settled(s), id);
}

static int add_rule(struct dmasim *s, const struct report_rule *rule)
{
	struct reports *reports = reports_settled(s);
	const struct dmasim_report_match *match = &rule->match;

	DMASIM_CONTRACT(!match->id || dmasim_report_name(match->id),
			"a report that exists matches");
	DMASIM_CONTRACT(!match->standing, "a report is matched before it is known to be expected");
	return report_rule_add(&reports->rules, reports->memory, rule);
}

int dmasim_expect_match(struct dmasim *s, const struct dmasim_report_match *match, u32 count)
{
	DMASIM_CONTRACT(match, "it is said what is expected");
	return add_rule(s, &(struct report_rule){ .match = *match, .left = count });
}

int dmasim_suppress_match(struct dmasim *s, const struct dmasim_report_match *match)
{
	DMASIM_CONTRACT(match, "it is said what is suppressed");
	return add_rule(s, &(struct report_rule){ .match = *match, .suppress = true });
}

/* ---- Files ----------------------------------------------------------------------------------- */

static int say_error(struct dmasim_error *error, const char *name,
		     const struct suppressions_error *what, int err)
{
	struct text text;

	if (!err || !error)
		return err;
	text_init(&text, error->text, sizeof(error->text));
	text_add(&text, "%s", name);
	if (what->line)
		text_add(&text, ":%u", what->line);
	text_add(&text, ": ");
	if (what->found[0])
		text_add(&text, "found '%s'; ", what->found);
	if (what->expected)
		text_add(&text, "expected: %s", what->expected);
	else if (err == -ENOMEM)
		text_add(&text, "no memory for its rules");
	else
		text_add(&text, "%s; expected a file of rules", strerror(-err));
	return err;
}

int dmasim_parse_suppressions(struct dmasim *s, const char *text, size_t bytes, const char *name,
			      struct dmasim_error *error)
{
	struct suppressions_error what;

	machine_exists(s);
	DMASIM_CONTRACT((text || !bytes) && name, "rules are a text with a name");
	check_settle(&s->check);
	return say_error(error, name, &what, suppressions_parse(s, text, bytes, name, &what));
}

int dmasim_read_suppressions(struct dmasim *s, const char *path, struct dmasim_error *error)
{
	struct suppressions_error what;

	machine_exists(s);
	DMASIM_CONTRACT(path, "a file of rules has a path");
	check_settle(&s->check);
	return say_error(error, path, &what, suppressions_read(s, path, &what));
}

/* ---- Machines that are made ------------------------------------------------------------------ */

static const char *env_suppressions(void)
{
	const char *path = getenv("DMASIM_SUPPRESSIONS");

	return path && *path ? path : NULL;
}

bool machine_env_abort(void)
{
	const char *text = getenv("DMASIM_ABORT");

	if (!text || !*text || !strcmp(text, "0"))
		return false;
	DMASIM_CONTRACT(!strcmp(text, "1"), "DMASIM_ABORT is 0 or 1");
	return true;
}

/* 0 or -ENOMEM. The machine is gone where it ends in a broken contract. */
static int must_read(struct dmasim *s, const char *path)
{
	struct suppressions_error error;
	int err = path ? suppressions_read(s, path, &error) : 0;

	if (!err || err == -ENOMEM)
		return err;
	dmasim_destroy(s);
	dmasim_contract_broken(error.expected ? error.expected
					      : "the file of suppressions can be "
						"read",
			       path, (int)error.line);
	return err;
}

int machine_read_suppressions(struct dmasim *s)
{
	int err = must_read(s, s->config.suppressions);

	return err ? err : must_read(s, env_suppressions());
}

/* ---- What became of them --------------------------------------------------------------------- */

static void add_pattern(struct text *text, const char *key, const char *pattern)
{
	if (pattern)
		text_add(text, " %s=%s", key, pattern);
}

void reports_add_rule(struct text *text, const struct report_rule *rule)
{
	const struct dmasim_report_match *match = &rule->match;

	text_add(text, "%s %s", rule->suppress ? "suppress" : "expect",
		 match->id ? dmasim_report_name(match->id) : "*");
	add_pattern(text, "dev", match->dev);
	add_pattern(text, "function", match->function);
	add_pattern(text, "file", match->file);
	if (match->size)
		text_add(text, " dma=0x%llx-0x%llx", match->dma, match->dma + (match->size - 1));
}

u32 dmasim_report_rules(struct dmasim *s, char *buf, size_t len)
{
	const struct reports *reports = reports_settled(s);
	const struct report_rule *rule;
	char nothing[1];
	struct text text;
	u32 never = 0;

	text_init(&text, len ? buf : nothing, len ? len : sizeof(nothing));
	STAILQ_FOREACH(rule, &reports->rules, link) {
		if (rule->file)
			text_add(&text, "%s:%u: ", rule->file, rule->line);
		reports_add_rule(&text, rule);
		text_add(&text, ": %llu reports\n", rule->matched);
		never += !rule->matched;
	}
	return never;
}
