/* SPDX-License-Identifier: MIT */
/*
 * Bytes as a file that somebody pasted: lines as lspci writes them, with fields that the input
 * fills in; and any bytes between, cut lines, quotes, functions that are whole.
 *
 * After each import:
 *   - a refused file leaves the machine as it was: nothing in it, and it still takes a good file;
 *     the error is one line that names the file, the line and what was expected;
 *   - an accepted one gives the same machine again;
 *   - nothing leaks.
 */
#include "import.h"
#include "lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmasim/dmasim.h>

#define PATH_BYTES 32

enum { FEATURE_REFUSED = 1, FEATURE_ACCEPTED, FEATURE_NOTE };

struct paste {
	struct fuzz_run *run;
	const struct import_lines *lines;
	struct lines out;
};

/* ---- The file -------------------------------------------------------------------------- */

/* 64 or 256 registers: bytes of the input at places of the header that matter. */
static void put_registers(struct paste *paste, u32 count)
{
	static const u8 places[] = { 0x04, 0x0a, 0x0e, 0x10, 0x13, 0x18, 0x19, 0x1a, 0x20, 0x34 };
	u8 config[256] = { 0x86, 0x80, 0x34, 0x12, [0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x10 };
	char text[16];

	for (size_t i = 0; i < sizeof(places); i++)
		config[places[i]] = take8(&paste->out.bytes);
	config[0x0e] &= 0x81;
	for (u32 at = 0; at < count; at++) {
		if (at % 16 == 0) {
			snprintf(text, sizeof(text), "%02x:", at);
			lines_put_text(&paste->out, text);
		}
		snprintf(text, sizeof(text), " %02x%s", config[at], at % 16 == 15 ? "\n" : "");
		lines_put_text(&paste->out, text);
	}
}

/* What is between whole lines. */
static void put_other(struct paste *paste, u8 what)
{
	switch (what & 7) {
	case 0:
		lines_put_bytes(&paste->out, 1U + (what >> 3));
		break;
	case 1:
		lines_cut(&paste->out, paste->out.length < what ? paste->out.length : what / 8U);
		break;
	case 2:
		lines_put_text(&paste->out, "> ");
		break;
	case 3:
		lines_put(&paste->out, '\n');
		break;
	case 4:
	case 5:
		put_registers(paste, what & 8 ? 256 : 64);
		break;
	default:
		lines_put_line(&paste->out, "\n@@:0@.# PCI bridge: Maker Device @@@@ (rev 01)");
		lines_put_line(&paste->out, "\tControl: I/O* Mem* BusMaster*");
		break;
	}
}

static void write_paste(struct paste *paste)
{
	while (paste->out.bytes.left) {
		u8 what = take8(&paste->out.bytes);

		if (what < 192)
			lines_put_line(&paste->out, paste->lines->line[what % paste->lines->count]);
		else
			put_other(paste, take8(&paste->out.bytes));
	}
}

/* ---- Machines -------------------------------------------------------------------------- */

/* Its name stays as it is for as long as the file is open. */
static int open_file(const char *text, size_t length, char *path, size_t path_bytes)
{
	int fd = memfd_create("paste", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		return -1;
	snprintf(path, path_bytes, "/proc/self/fd/%d", fd);
	return fd;
}

static int import(struct dmasim *s, const char *path, struct dmasim_error *error)
{
	struct dmasim_import how = { .ids = "/dev/null" };

	return dmasim_import_lspci(s, path, &how, error);
}

static char *exported(struct dmasim *s)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);
	int err;

	if (!file)
		return NULL;
	err = dmasim_export_lspci(s, file);
	fclose(file);
	if (!err)
		return text;
	free(text);
	return NULL;
}

static u32 count(struct dmasim *s)
{
	struct pci_dev *pdev = NULL;
	u32 functions = 0;

	while ((pdev = dmasim_next_dev(s, pdev)))
		functions++;
	return functions;
}

/* ---- Checks ---------------------------------------------------------------------------- */

static void check_refused(struct paste *paste, struct dmasim *s)
{
	static const char good[] = "00:1f.0 0601: 8086:1234\n\tControl: Mem+\n";
	struct dmasim_window window;
	struct dmasim_error error;
	char path[PATH_BYTES];
	int fd = open_file(good, sizeof(good) - 1, path, sizeof(path));
	char *left;

	if (paste->run->canary == IMPORT_KEEPS_FUNCTION && paste->out.length > 200)
		dmasim_add_endpoint(s, "00:01.0/00.0", &(struct dmasim_endpoint){ 0 });
	left = exported(s);
	fuzz_check(paste->run, left && !*left, "half of a refused file is in the machine");
	fuzz_check(paste->run, !dmasim_window(s, 0, &window), "a refused file left a host bridge");
	free(left);
	if (!fuzz_failed(paste->run))
		fuzz_check(paste->run, !import(s, path, &error) && count(s) == 1,
			   "no file is good after a refused one");
	close(fd);
}

static void check_accepted(struct paste *paste, struct dmasim *s, const char *path,
			   const char *notes)
{
	struct dmasim *again = dmasim_create(NULL);
	struct dmasim_error error;
	char *first, *second;

	if (!again)
		return;
	fuzz_check(paste->run, !import(again, path, &error), "refused the second time: %s",
		   error.text);
	fuzz_check(paste->run, !strcmp(notes, error.text), "other notes the second time: %s",
		   error.text);
	first = exported(s);
	second = exported(again);
	fuzz_check(paste->run, first && second && !strcmp(first, second),
		   "another machine the second time");
	fuzz_check(paste->run, count(s) == count(again), "other functions the second time");
	fuzz_feature(paste->run, FEATURE_ACCEPTED, count(s), 0);
	fuzz_feature(paste->run, FEATURE_NOTE, lines_kind(notes), 0);
	free(first);
	free(second);
	fuzz_check(paste->run, !dmasim_destroy(again), "memory leaks");
}

static void check_file(struct paste *paste, const char *path)
{
	struct dmasim *s = dmasim_create(NULL);
	struct dmasim_error error = { 0 };
	int err;

	if (!s)
		return;
	err = import(s, path, &error);
	fuzz_check(paste->run, !err || err == -EINVAL, "result %d", err);
	if (err) {
		lines_check_error(paste->run, path, error.text,
				  paste->run->canary == IMPORT_LOSES_LINE);
		fuzz_feature(paste->run, FEATURE_REFUSED, lines_kind(error.text + strlen(path)), 0);
		check_refused(paste, s);
	} else {
		check_accepted(paste, s, path, error.text);
	}
	fuzz_check(paste->run, !dmasim_destroy(s), "memory leaks");
}

bool fuzz_import(struct fuzz_run *run, const u8 *data, size_t size,
		 const struct import_lines *lines)
{
	struct paste *paste = calloc(1, sizeof(*paste));
	char path[PATH_BYTES];
	int fd;

	if (!paste)
		return true;
	paste->run = run;
	paste->out.bytes.at = data;
	paste->out.bytes.left = size < FUZZ_INPUT_BYTES ? size : FUZZ_INPUT_BYTES;
	paste->lines = lines;
	write_paste(paste);
	fd = open_file(paste->out.text, paste->out.length, path, sizeof(path));
	if (fd >= 0)
		check_file(paste, path);
	if (fd >= 0)
		close(fd);
	free(paste);
	return !fuzz_failed(run);
}
