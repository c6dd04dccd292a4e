/* SPDX-License-Identifier: MIT */
/*
 * lspci writes the text: of each dump there is, its text alone must give the machine that the
 * registers give. Also as a mail has it: quoted, wrapped, without indentation.
 */
#include <dirent.h>

#include "golden/same.h"

#define LINE_BYTES 4096
#define WRAP_AT	   72

struct run {
	struct recorded *recorded;
	const char *options; /* of lspci */
	bool mail;	     /* quoted, wrapped between words, white space as single spaces */
	bool names;
	bool counted;
	bool no_control;
	u32 files;
	u32 compared;
};

/* "> " and at most WRAP_AT characters, as long as there are spaces to break at. */
static void write_wrapped(FILE *to, char *line)
{
	line += strspn(line, " \t");
	while (strlen(line) > WRAP_AT) {
		char *at = line + WRAP_AT;

		while (at > line && *at != ' ')
			at--;
		if (at == line)
			break;
		*at = '\0';
		fprintf(to, "> %s \r\n", line);
		line = at + 1;
	}
	fprintf(to, "> %s\r\n", line);
}

static void write_text(struct run *run, const char *file, const char *path)
{
	char line[LINE_BYTES], command[5000];
	FILE *from, *to = fopen(path, "w");

	assert_non_null(to);
	snprintf(command, sizeof(command), "lspci -F '%s' %s 2>/dev/null", file, run->options);
	from = popen(command, "r");
	assert_non_null(from);
	while (fgets(line, sizeof(line), from)) {
		if (!run->mail) {
			fputs(line, to);
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		for (char *at = line; *at; at++)
			*at = *at == '\t' ? ' ' : *at;
		write_wrapped(to, line);
	}
	assert_int_equal(pclose(from), 0);
	fclose(to);
}

static struct dmasim *import(struct run *run, const char *file)
{
	struct dmasim *s = dmasim_create(NULL);
	int err;

	assert_non_null(s);
	err = dmasim_import_lspci(s, file, NULL, &run->recorded->error);
	if (err)
		print_error("%s\n", run->recorded->error.text);
	expect_ok(err);
	return s;
}

static void compare_file(struct run *run, const char *file)
{
	char path[] = "/tmp/dmasim-text-XXXXXX";
	int fd = mkstemp(path);
	struct same same = { .what = file,
			     .names = run->names,
			     .counted = run->counted,
			     .no_control = run->no_control };

	assert_true(fd >= 0);
	close(fd);
	write_text(run, file, path);
	same.hex = import(run, file);
	same.text = import(run, path);
	unlink(path);
	same_machine(&same);
	run->compared += same.compared;
	run->files++;
	dmasim_destroy(same.text);
	dmasim_destroy(same.hex);
}

static void compare_folder(struct run *run, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (length < 4 || strcmp(entry->d_name + length - 4, ".hex") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		compare_file(run, path);
	}
	closedir(dir);
}

static void compare_all(void **state, struct run run)
{
	const char *shared = getenv("DMASIM_SHARED");
	char folder[4096];

	run.recorded = *state;
	compare_folder(&run, getenv("DMASIM_DATA"));
	snprintf(folder, sizeof(folder), "%s/data/lspci", shared ? shared : "");
	if (shared)
		compare_folder(&run, folder);
	assert_true(run.files >= 5);
	assert_true(run.compared > (shared ? 500U : 100U));
}

/*
 * trust: the text of lspci -vvvnn gives the machine
 * | another program: lspci -F writes the text
 */
static void text_with_numbers_and_names(void **state)
{
	compare_all(state, (struct run){ .options = "-vvvnn" });
}

/* trust: the text of lspci -vvn with domains gives the machine | another program: lspci -F */
static void text_with_numbers_alone_and_domains(void **state)
{
	compare_all(state, (struct run){ .options = "-vvn -D" });
}

/* trust: the text of lspci -vvv, whose names are looked up | another program: lspci -F */
static void text_with_names_alone(void **state)
{
	compare_all(state, (struct run){ .options = "-vvv", .names = true });
}

/* trust: the text of lspci -v gives the tree, windows and ACS | another program: lspci -F */
static void text_that_is_short(void **state)
{
	compare_all(state, (struct run){ .options = "-vnn", .counted = true, .no_control = true });
}

/* trust: path addresses with buses | another program: lspci -F -PP */
static void text_with_paths_and_buses(void **state)
{
	compare_all(state, (struct run){ .options = "-vvnn -PP" });
}

/* trust: path addresses without buses | another program: lspci -F -P */
static void text_with_paths_alone(void **state)
{
	compare_all(state, (struct run){ .options = "-vvnn -P" });
}

/* trust: a mail's quoted and wrapped text gives the machine | another program: lspci -F */
static void text_in_a_mail(void **state)
{
	compare_all(state, (struct run){ .options = "-vvvnn", .mail = true });
}

/* trust: names in a wrapped text are in one piece again | another program: lspci -F */
static void text_with_names_in_a_mail(void **state)
{
	compare_all(state, (struct run){ .options = "-vv", .mail = true, .names = true });
}

/* trust: text and registers together are the registers | another program: lspci -F */
static void text_and_registers(void **state)
{
	compare_all(state, (struct run){ .options = "-vvvxxxx" });
}

/* trust: 64 registers and the text that knows more | another program: lspci -F */
static void text_and_few_registers_in_a_mail(void **state)
{
	compare_all(state, (struct run){ .options = "-vvvnnx", .mail = true });
}

TEST_MAIN_UNLESS(lspci_missing, RECORDED_TEST(text_with_numbers_and_names),
		 RECORDED_TEST(text_with_numbers_alone_and_domains),
		 RECORDED_TEST(text_with_names_alone), RECORDED_TEST(text_that_is_short),
		 RECORDED_TEST(text_with_paths_and_buses), RECORDED_TEST(text_with_paths_alone),
		 RECORDED_TEST(text_in_a_mail), RECORDED_TEST(text_with_names_in_a_mail),
		 RECORDED_TEST(text_and_registers), RECORDED_TEST(text_and_few_registers_in_a_mail))
