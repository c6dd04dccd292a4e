/* SPDX-License-Identifier: MIT */
#include "world/report_rule.h"

#include <errno.h>
#include <string.h>

#include "world/report.h"
#include "world/text.h"

/* ---- Matching -------------------------------------------------------------------------------- */

bool report_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* The whole path, or what follows any slash of it. */
static bool is_file(const char *pattern, const char *path)
{
	while (!report_glob(pattern, path)) {
		path = strchr(path, '/');
		if (!path)
			return false;
		path++;
	}
	return true;
}

static bool is_site(const struct dmasim_report_match *match, const struct report_site *site)
{
	if (!site->file)
		return false;
	return (!match->file || is_file(match->file, site->file)) &&
	       (!match->function || report_glob(match->function, site->function));
}

static bool is_sites(const struct dmasim_report_match *match, const struct report_content *says)
{
	if (!match->file && !match->function)
		return true;
	return is_site(match, &says->call) || is_site(match, &says->mapped) ||
	       is_site(match, &says->unmapped);
}

/* With its domain, or, in domain 0, without. */
static bool is_device(const char *pattern, dmasim_sbdf dev)
{
	char name[32];
	struct text text;

	if (!pattern)
		return true;
	if (dev == DMASIM_NO_SBDF)
		return false;
	text_init(&text, name, sizeof(name));
	text_add_bdf(&text, dev);
	return report_glob(pattern, name) || (!(dev >> 16) && report_glob(pattern, name + 5));
}

/* Addresses end at 2^64 - 1; what has no size is one byte. */
static u64 last_of(u64 start, u64 size)
{
	u64 last = start + (size ? size - 1 : 0);

	return last < start ? ~0ULL : last;
}

static bool is_addresses(const struct dmasim_report_match *match, const struct report_content *says)
{
	if (!match->size)
		return true;
	return says->dma && says->dma <= last_of(match->dma, match->size) &&
	       match->dma <= last_of(says->dma, says->size);
}

static bool is_standing(const struct report *report, enum dmasim_report_standing standing)
{
	switch (standing) {
	case DMASIM_UNEXPECTED:
		return !report->expected;
	case DMASIM_EXPECTED:
		return report->expected && !report->suppressed;
	case DMASIM_SUPPRESSED:
		return report->suppressed;
	default:
		return true;
	}
}

bool report_matches(const struct report *report, const struct dmasim_report_match *match)
{
	const struct report_content *says = &report->says;

	return (!match->id || match->id == says->id) && is_standing(report, match->standing) &&
	       is_device(match->dev, says->dev) && is_addresses(match, says) &&
	       is_sites(match, says);
}

/* ---- Rules ----------------------------------------------------------------------------------- */

static const char *copy_string(char **at, const char *string)
{
	size_t bytes;
	char *copy = *at;

	if (!string)
		return NULL;
	bytes = strlen(string) + 1;
	memcpy(copy, string, bytes);
	*at += bytes;
	return copy;
}

static size_t string_bytes(const char *string)
{
	return string ? strlen(string) + 1 : 0;
}

int report_rule_add(struct report_rule_list *rules, struct memory *memory,
		    const struct report_rule *rule)
{
	const struct dmasim_report_match *match = &rule->match;
	struct report_rule *copy =
		memory_alloc(memory, DMASIM_FAULT_REPORT_RULE,
			     sizeof(*copy) + string_bytes(match->dev) + string_bytes(match->file) +
				     string_bytes(match->function) + string_bytes(rule->file));
	char *at;

	if (!copy)
		return -ENOMEM;
	*copy = *rule;
	at = (char *)(copy + 1);
	copy->match.dev = copy_string(&at, match->dev);
	copy->match.file = copy_string(&at, match->file);
	copy->match.function = copy_string(&at, match->function);
	copy->file = copy_string(&at, rule->file);
	STAILQ_INSERT_TAIL(rules, copy, link);
	return 0;
}

void report_rules_free(struct report_rule_list *rules, struct memory *memory)
{
	while (!STAILQ_EMPTY(rules)) {
		struct report_rule *rule = STAILQ_FIRST(rules);

		STAILQ_REMOVE_HEAD(rules, link);
		memory_free(memory, rule);
	}
}

const struct report_rule *report_rules_take(struct report_rule_list *rules,
					    const struct report *report)
{
	struct report_rule *rule, *found = NULL;

	STAILQ_FOREACH(rule, rules, link) {
		if (!rule->suppress && (found || !rule->left))
			continue;
		if (!report_matches(report, &rule->match))
			continue;
		found = rule;
		if (rule->suppress)
			break;
	}
	if (!found)
		return NULL;
	found->matched++;
	found->left -= !found->suppress;
	return found;
}
