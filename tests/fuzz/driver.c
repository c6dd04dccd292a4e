/* SPDX-License-Identifier: MIT */
#include "driver.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void fuzz_driver_init(struct fuzz_driver *driver, const struct fuzz_target *target, u64 seed,
		      u8 canary)
{
	memset(driver, 0, sizeof(*driver));
	driver->target = target;
	driver->run.canary = canary;
	driver->run.seen = driver->seen;
	random_init(&driver->random, seed);
}

void fuzz_driver_fini(struct fuzz_driver *driver)
{
	free(driver->kept);
	driver->kept = NULL;
}

static void keep(struct fuzz_driver *driver)
{
	if (driver->kept_count == driver->kept_room) {
		u32 room = driver->kept_room ? 2 * driver->kept_room : 64;
		struct fuzz_input *kept = realloc(driver->kept, room * sizeof(*kept));

		if (!kept)
			return;
		driver->kept = kept;
		driver->kept_room = room;
	}
	driver->kept[driver->kept_count++] = driver->input;
}

bool fuzz_driver_run(struct fuzz_driver *driver)
{
	struct fuzz_run *run = &driver->run;

	run->new_features = 0;
	run->before = 0;
	run->failure[0] = 0;
	driver->runs++;
	if (!driver->target->run(run, driver->input.data, driver->input.bytes))
		return false;
	driver->features += run->new_features;
	if (run->new_features)
		keep(driver);
	return true;
}

bool fuzz_driver_step(struct fuzz_driver *driver)
{
	static const struct fuzz_input nothing;
	const struct fuzz_input *other = &nothing;
	u32 count = driver->kept_count;

	if (!count) {
		driver->input.bytes = 0;
	} else {
		/* Half of the time one of the latest, which is not worked out yet. */
		bool latest = random_below(&driver->random, 2);
		u32 among = latest && count > 16 ? 16 : count;

		other = &driver->kept[random_below(&driver->random, count)];
		driver->input = driver->kept[count - 1 - random_below(&driver->random, among)];
	}
	fuzz_mutate(&driver->input, other, driver->target, &driver->random);
	return fuzz_driver_run(driver);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static int load_file(struct fuzz_driver *driver, const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return -1;
	}
	driver->input.bytes = (u32)fread(driver->input.data, 1, FUZZ_INPUT_BYTES, file);
	fclose(file);
	return fuzz_driver_run(driver);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int load_folder(struct fuzz_driver *driver, const char *path)
{
	struct dirent **entry = NULL;
	int count = scandir(path, &entry, is_input, alphasort);
	int result = 1;

	for (int i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entry[i]->d_name);
		if (result == 1)
			result = load_file(driver, name);
		free(entry[i]);
	}
	free(entry);
	return count < 0 ? -1 : result;
}

int fuzz_driver_load(struct fuzz_driver *driver, const char *path)
{
	struct stat about;

	if (stat(path, &about)) {
		perror(path);
		return -1;
	}
	return S_ISDIR(about.st_mode) ? load_folder(driver, path) : load_file(driver, path);
}

/* FNV-1a. */
static u64 hash(const struct fuzz_input *input)
{
	u64 value = 0xcbf29ce484222325ULL;

	for (u32 i = 0; i < input->bytes; i++)
		value = (value ^ input->data[i]) * 0x100000001b3ULL;
	return value;
}

bool fuzz_write_input(const struct fuzz_input *input, const char *folder, const char *prefix,
		      char *path, size_t path_bytes)
{
	FILE *file;
	bool good;

	snprintf(path, path_bytes, "%s/%s%016llx", folder, prefix, hash(input));
	file = fopen(path, "wb");
	if (!file) {
		perror(path);
		return false;
	}
	good = fwrite(input->data, 1, input->bytes, file) == input->bytes;
	return !fclose(file) && good;
}

/* ---- What is kept ---------------------------------------------------------------------------- */

/* How much of what is not in `seen` the input reaches. */
static u32 adds(struct fuzz_driver *driver, const struct fuzz_input *input, const u8 *seen)
{
	static const struct fuzz_run fresh;
	u8 map[FUZZ_FEATURES];
	struct fuzz_run run = fresh;

	memcpy(map, seen, sizeof(map));
	run.seen = map;
	driver->target->run(&run, input->data, input->bytes);
	return run.new_features;
}

/* Takes out what does not lessen what the input adds. */
static void cut_down(struct fuzz_driver *driver, struct fuzz_input *input, const u8 *seen)
{
	u32 worth = adds(driver, input, seen);

	for (u32 span = 64; span; span /= 2) {
		for (u32 at = 0; at + span <= input->bytes;) {
			struct fuzz_input less = *input;

			less.bytes -= span;
			memmove(less.data + at, input->data + at + span, less.bytes - at);
			if (adds(driver, &less, seen) >= worth)
				*input = less;
			else
				at += span;
		}
	}
}

static u32 pick(struct fuzz_driver *driver, const u8 *seen)
{
	u32 best = driver->kept_count, most = 0;

	for (u32 i = 0; i < driver->kept_count; i++) {
		u32 worth = adds(driver, &driver->kept[i], seen);

		if (worth > most) {
			most = worth;
			best = i;
		}
	}
	return best;
}

bool fuzz_driver_write_kept(struct fuzz_driver *driver, const char *folder, u32 count)
{
	struct fuzz_run run = { .seen = driver->seen };

	memset(driver->seen, 0, sizeof(driver->seen));
	while (count--) {
		u32 best = pick(driver, driver->seen);
		struct fuzz_input input;
		char path[4096];

		if (best == driver->kept_count)
			break;
		input = driver->kept[best];
		cut_down(driver, &input, driver->seen);
		driver->target->run(&run, input.data, input.bytes);
		if (!fuzz_write_input(&input, folder, "", path, sizeof(path)))
			return false;
	}
	return true;
}
