/* SPDX-License-Identifier: MIT */
/*
 * What an export says is what the dump said: to lspci, which reads both with -F, and to the import.
 * All dumps there are: our own, and the recorded ones where they are.
 */
#include "golden/compare.h"
#include "golden/recorded.h"

struct trip {
	struct recorded *recorded;
	char exported[64];
	u32 lines; /* of lspci's that were compared */
};

static void write_export(struct trip *trip, struct dmasim *s)
{
	FILE *file;
	int fd;

	snprintf(trip->exported, sizeof(trip->exported), "/tmp/dmasim-export-XXXXXX");
	fd = mkstemp(trip->exported);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	expect_ok(dmasim_export_lspci(s, file));
	fclose(file);
}

/* ---- Another program reads it --------------------------------------------------------------- */

static FILE *run_lspci(const char *path)
{
	char command[5000];
	FILE *output;

	snprintf(command, sizeof(command), "lspci -F '%s' -D -nn -xxxx -vvv 2>/dev/null", path);
	output = popen(command, "r");
	assert_non_null(output);
	return output;
}

static void expect_same_output(struct trip *trip)
{
	FILE *before = run_lspci(trip->recorded->path), *after = run_lspci(trip->exported);
	char left[1024], right[1024];
	bool more;

	do {
		more = fgets(left, sizeof(left), before);
		if (!more)
			left[0] = '\0';
		if (!fgets(right, sizeof(right), after))
			right[0] = '\0';
		if (strcmp(left, right) != 0) {
			print_error("%s: lspci says '%s', of the export '%s'\n",
				    trip->recorded->path, left, right);
			fail();
		}
		trip->lines += more;
	} while (more);
	assert_int_equal(pclose(before), 0);
	assert_int_equal(pclose(after), 0);
}

static void lspci_reads_it(void *cookie)
{
	struct trip *trip = cookie;

	recorded_import(trip->recorded, NULL);
	write_export(trip, trip->recorded->s);
	expect_same_output(trip);
	unlink(trip->exported);
}

/* trust: what is exported | another program: lspci -F on a dump and on its export */
static void lspci_says_the_same_of_each_export(void **state)
{
	struct trip trip = { .recorded = *state };

	if (system("command -v lspci >/dev/null 2>&1") != 0)
		skip();
	recorded_each(trip.recorded, lspci_reads_it, &trip);
	assert_true(trip.lines > 2000);
}

/* ---- It is read back ------------------------------------------------------------------------ */

static void import_reads_it(void *cookie)
{
	struct trip *trip = cookie;
	struct recorded *recorded = trip->recorded;
	struct dmasim *again = dmasim_create(NULL);
	struct dmasim_error error;

	recorded_import(recorded, NULL);
	write_export(trip, recorded->s);
	assert_non_null(again);
	expect_ok(dmasim_import_lspci(again, trip->exported, NULL, &error));
	unlink(trip->exported);
	assert_string_equal(error.text, recorded->error.text);
	expect_same_machine(recorded->s, again);
	trip->lines++;
	expect_u64(dmasim_destroy(again), 0);
}

/* trust: what is exported | our reading of the facts: import, export, import: the same machine */
static void each_export_is_the_same_machine(void **state)
{
	struct trip trip = { .recorded = *state };

	recorded_each(trip.recorded, import_reads_it, &trip);
	assert_true(trip.lines >= 5);
}

/* ---- What is unknown ------------------------------------------------------------------------ */

/*
 * trust: what is exported
 * | our reading of the facts: ACS that text names and does not show stays unknown
 */
static void what_text_hides_stays_hidden(void **state)
{
	struct trip trip = { .recorded = *state };
	struct dmasim *again;
	struct pci_dev *left = NULL;
	u32 hidden = 0;

	if (!getenv("DMASIM_SHARED"))
		skip();
	recorded_find(trip.recorded, "dell-xps9320-tb4-dock.txt");
	recorded_import(trip.recorded, NULL);
	write_export(&trip, trip.recorded->s);
	again = dmasim_create(NULL);
	assert_non_null(again);
	expect_ok(dmasim_import_lspci(again, trip.exported, NULL, NULL));
	unlink(trip.exported);
	while ((left = dmasim_next_dev(trip.recorded->s, left))) {
		struct pci_dev *right = same_device(again, left);

		hidden += !dmasim_acs_known(left) && dmasim_config_bytes(left) == 4096;
		assert_int_equal(dmasim_acs_known(right), dmasim_acs_known(left));
	}
	assert_true(hidden > 3);
	expect_u64(dmasim_destroy(again), 0);
}

TEST_MAIN_UNLESS(dumps_missing, RECORDED_TEST(lspci_says_the_same_of_each_export),
		 RECORDED_TEST(each_export_is_the_same_machine),
		 RECORDED_TEST(what_text_hides_stays_hidden))
