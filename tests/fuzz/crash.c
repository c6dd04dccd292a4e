/* SPDX-License-Identifier: MIT */
#include "crash.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A signal's handler is given no context: this is the one place that it can have it from. */
static struct {
	const struct fuzz_driver *driver;
	const char *program;
	const char *folder;
} watched;

/* In programs with sanitizers, whose reports end them without a signal. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

/* The part that a target was held to, as an option; or nothing. */
static void tell_part(void)
{
	const struct fuzz_target *target = watched.driver->target;

	for (u32 i = 0; i < target->parts; i++) {
		if (target->part[i].part == watched.driver->run.part)
			fprintf(stderr, " --only %s", target->part[i].name);
	}
}

void crash_tell(const char *why)
{
	char prefix[64], path[4096];

	snprintf(prefix, sizeof(prefix), "fuzz_%s-", watched.driver->target->name);
	fprintf(stderr, "fuzz_%s: run %llu: %s\n", watched.driver->target->name,
		watched.driver->runs, why);
	if (!fuzz_write_input(&watched.driver->input, watched.folder, prefix, path, sizeof(path)))
		return;
	fprintf(stderr, "# again: %s", watched.program);
	tell_part();
	fprintf(stderr, " %s\n", path);
}

static void died(void)
{
	crash_tell("a sanitizer stopped it");
}

/* Not all that this calls may be called here; the program is lost anyhow. */
static void handle(int number)
{
	signal(number, SIG_DFL);
	crash_tell(number == SIGALRM ? "it does not end" : strsignal(number));
	raise(number);
}

void crash_watch(const struct fuzz_driver *driver, const char *program, const char *folder)
{
	static const int signals[] = { SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	/* With a sanitizer those that are mistakes of the program are its own. */
	u32 count = __sanitizer_set_death_callback ? 2 : 6;

	watched.driver = driver;
	watched.program = program;
	watched.folder = folder;
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(died);
	for (u32 i = 0; i < count; i++)
		signal(signals[i], handle);
	crash_alive();
}

void crash_alive(void)
{
	alarm(CRASH_SECONDS);
}

void crash_rest(void)
{
	alarm(0);
}
