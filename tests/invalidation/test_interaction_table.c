/* SPDX-License-Identifier: MIT */
/*
 * The interaction table of facts "iova-and-page-tables" 6.4: for each row, what the checker says if
 * the invalidation is left out, covers too little, comes before the change, is not waited for, is
 * in the wrong order, or if a table page is freed before it; and if all is done right.
 */
#include "invalidation/rows.h"

#include <string.h>

enum mutation {
	RIGHT,
	LEFT_OUT,
	TOO_NARROW,
	TOO_EARLY, /* done before the change */
	NOT_WAITED,
	WRONG_ORDER, /* of two commands */
	FREED_EARLY,
	MUTATIONS,
};

static const char *const mutation_name[] = {
	"right",	  "left out",	 "too narrow",	      "too early",
	"not waited for", "wrong order", "table freed early",
};

/* Reports, by the letters that stand for them in the table. */
static const struct {
	char letter;
	enum dmasim_report_id id;
} letters[] = {
	{ 'S', DMASIM_REPORT_STALE_TRANSLATION }, { 'T', DMASIM_REPORT_TABLE_FREED_EARLY },
	{ 'A', DMASIM_REPORT_ABSENT_CACHED },	  { 'P', DMASIM_REPORT_MIXED_PAGE_SIZES },
	{ 'C', DMASIM_REPORT_STALE_CONTEXT },
};

#define LETTERS (sizeof(letters) / sizeof(letters[0]))

/*
 * The table: which reports each mutation of a row gives; "": none, NULL: the row has no such
 * mutation. A table that may still be walked leads on to its leaves, so it makes them stale, too.
 */
static const struct {
	const struct row *row;
	bool absent_cached; /* by CM, by NpCache */
	const char *reports[MUTATIONS];
} table[] = {
	/* clang-format off */
	/*			   right  left  too    too    not     wrong  freed
	 *				  out   narrow early  waited  order  early */
	{ &row_map,	  false, { "",	  "",	"",    "",    "",     NULL,  NULL } },
	{ &row_map,	  true,	 { "",	  "A",	"A",   "A",   "A",    NULL,  NULL } },
	{ &row_unmap,	  false, { "",	  "S",	"S",   "S",   "S",    NULL,  NULL } },
	{ &row_unmap_two, false, { "",	  "S",	"S",   "S",   "S",    NULL,  NULL } },
	{ &row_unlink,	  false, { "",	  "ST", "ST",  "ST",  "ST",   NULL,  "T" } },
	{ &row_large,	  false, { "",	  "T",	"T",   "T",   "T",    NULL,  "T" } },
	{ &row_split,	  false, { "",	  "P",	"P",   "P",   "P",    NULL,  NULL } },
	{ &row_restrict,  false, { "",	  "S",	"S",   "S",   "S",    NULL,  NULL } },
	{ &row_allow,	  false, { "",	  "",	"",    "",    "",     NULL,  NULL } },
	{ &row_clean,	  false, { "",	  "S",	"S",   "S",   "S",    NULL,  NULL } },
	{ &row_age,	  false, { "",	  "S",	"S",   "S",   "S",    NULL,  NULL } },
	{ &row_grow,	  false, { "",	  "",	"",    "",    "",     NULL,  NULL } },
	{ &row_move,	  false, { "",	  "CT", "CT",  "CT",  "CT",   "T",   "T" } },
	/* clang-format on */
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static void hand_over(struct rig *rig, void (*commands)(struct rig *rig), bool wait)
{
	if (!commands)
		return;
	commands(rig);
	rig_submit(rig);
	if (wait)
		rig_wait(rig);
}

static u64 act(const struct arch *arch, const struct row *row, bool caching_mode,
	       enum mutation mutation)
{
	struct rig rig;
	u64 seen;

	rig_init(&rig, arch, caching_mode);
	row->before(&rig);
	if (mutation == TOO_EARLY)
		hand_over(&rig, row->right, true);
	row->change(&rig);
	if (mutation == FREED_EARLY)
		row->early(&rig);
	if (mutation == RIGHT || mutation == NOT_WAITED || mutation == FREED_EARLY)
		hand_over(&rig, row->right, mutation != NOT_WAITED);
	if (mutation == TOO_NARROW)
		hand_over(&rig, row->narrow, true);
	if (mutation == WRONG_ORDER)
		hand_over(&rig, row->disorder, true);
	row->claim(&rig);
	seen = rig_reports(&rig);
	rig_fini(&rig);
	return seen;
}

static u64 reports_of(const char *text)
{
	u64 reports = 0;

	for (size_t i = 0; i < LETTERS; i++)
		if (strchr(text, letters[i].letter))
			reports |= 1ULL << letters[i].id;
	return reports;
}

static void tell_ids(const char *title, u64 ids)
{
	fprintf(stderr, "#   %s:", title);
	for (; ids; ids &= ids - 1)
		fprintf(stderr, " %s",
			dmasim_report_name((enum dmasim_report_id)__builtin_ctzll(ids)));
	fprintf(stderr, "\n");
}

/* Who has waited for the context's command alone has nothing left that leads there but tables. */
static const char *expected_of(const struct arch *arch, const struct row *row, u32 mutation,
			       const char *reports)
{
	return arch->overtakes && row == &row_move && mutation == NOT_WAITED ? "T" : reports;
}

static u32 try_row(const struct arch *arch, size_t at)
{
	const struct row *row = table[at].row;
	u32 wrong = 0;

	for (u32 mutation = 0; mutation < MUTATIONS; mutation++) {
		u64 expected, seen;

		if (!table[at].reports[mutation])
			continue;
		expected =
			reports_of(expected_of(arch, row, mutation, table[at].reports[mutation]));
		/* What a first stage does not have is not cached, nor what others do not. */
		if (table[at].absent_cached && (arch->first_stage || arch->no_absents))
			expected = 0;
		seen = act(arch, row, table[at].absent_cached, (enum mutation)mutation);
		if (seen == expected)
			continue;
		wrong++;
		fprintf(stderr, "# %s, %s%s, %s\n", arch->name, row->name,
			table[at].absent_cached ? " (absent entries cached)" : "",
			mutation_name[mutation]);
		tell_ids("expected", expected);
		tell_ids("reported", seen);
	}
	return wrong;
}

static void try_rows(const struct arch *arch)
{
	u32 wrong = 0;

	for (size_t at = 0; at < ROWS; at++)
		wrong += try_row(arch, at);
	assert_int_equal(wrong, 0);
}

/*
 * trust: each row of the interaction table, on VT-d: left out, too narrow, too early, not waited
 * for, in the wrong order, freed early, right | our reading of the facts:
 * iova-and-page-tables 6.4
 */
static void each_row_gives_its_report_on_vtd(void **state)
{
	(void)state;
	try_rows(&arch_vtd);
}

/* trust: the same on a first stage of VT-d's | our reading of the facts: 2.3, 3.2 and 6.4 */
static void each_row_gives_its_report_on_vtds_first_stage(void **state)
{
	(void)state;
	try_rows(&arch_vtd_first_stage);
}

/* trust: the same on AMD's | our reading of the facts: iova-and-page-tables 6.4 */
static void each_row_gives_its_report_on_amd(void **state)
{
	(void)state;
	try_rows(&arch_amd);
}

/*
 * trust: the same on a RISC-V IOMMU, where only a fence orders commands | our reading of the facts:
 * iova-and-page-tables 3.5 and 6.4
 */
static void each_row_gives_its_report_on_riscv(void **state)
{
	(void)state;
	try_rows(&arch_riscv);
}

/*
 * trust: the same on an SMMUv3, where only a SYNC orders commands | our reading of the facts:
 * iova-and-page-tables 3.4 and 6.4
 */
static void each_row_gives_its_report_on_smmuv3(void **state)
{
	(void)state;
	try_rows(&arch_smmuv3);
}

/*
 * An address alone takes the leaf that serves it, and with NL the table, too; all of the address
 * space takes both. Pages one by one, without NL, leave the table.
 */
static void an_address_takes_tables_only_with_nl_on_riscv(void **state)
{
	const struct command leaf = arch_riscv.pages(RIG_DOMAIN, RIG_IOVA, 12, true);
	const struct command both = arch_riscv.pages(RIG_DOMAIN, RIG_IOVA, 12, false);
	const struct command space = arch_riscv.domain(RIG_DOMAIN);
	const struct command pages[] = { leaf, arch_riscv.pages(RIG_DOMAIN, RIG_IOVA, 16, true) };
	u64 stale = 1ULL << DMASIM_REPORT_STALE_TRANSLATION;
	u64 freed = 1ULL << DMASIM_REPORT_TABLE_FREED_EARLY;

	(void)state;
	expect_u64(row_after(&row_unlink, &arch_riscv, &both, 1), 0);
	expect_u64(row_after(&row_unlink, &arch_riscv, &space, 1), 0);
	expect_u64(row_after(&row_unlink, &arch_riscv, pages, 2), stale | freed);
}

/* Without a fence between them the second may be executed before the first. */
static void a_context_and_its_translations_need_a_fence_on_riscv(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, &arch_riscv, false);
	row_move.before(&rig);
	row_move.change(&rig);
	rig_add(&rig, arch_riscv.context(rig.requester, RIG_DOMAIN));
	rig_add(&rig, arch_riscv.domain(RIG_DOMAIN));
	rig_submit(&rig);
	rig_wait(&rig);
	row_move.claim(&rig);
	expect_u64(rig_reports(&rig), 1ULL << DMASIM_REPORT_TABLE_FREED_EARLY);
	rig_fini(&rig);
}

TEST_MAIN(cmocka_unit_test(each_row_gives_its_report_on_vtd),
	  cmocka_unit_test(each_row_gives_its_report_on_vtds_first_stage),
	  cmocka_unit_test(each_row_gives_its_report_on_amd),
	  cmocka_unit_test(each_row_gives_its_report_on_riscv),
	  cmocka_unit_test(each_row_gives_its_report_on_smmuv3),
	  cmocka_unit_test(an_address_takes_tables_only_with_nl_on_riscv),
	  cmocka_unit_test(a_context_and_its_translations_need_a_fence_on_riscv))
