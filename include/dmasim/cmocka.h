/* SPDX-License-Identifier: MIT */
/*
 * A thin adapter for tests written with CMocka. Include after <cmocka.h>, which wants <setjmp.h>,
 * <stdarg.h>, <stddef.h> and <stdint.h> before it.
 *
 *	static void a_read_is_mapped(void **state)
 *	{
 *		struct dmasim *s = *state;
 *		...
 *		dmasim_assert_clean(s);
 *	}
 *
 *	cmocka_unit_test_setup_teardown(a_read_is_mapped, dmasim_cmocka_setup,
 *					dmasim_cmocka_teardown)
 *
 * A test may fail wherever it is, in its devices' callbacks, too: the tear-down then shows what was
 * reported until there, and ends the machine (dmasim/report.h).
 */
#ifndef DMASIM_CMOCKA_H
#define DMASIM_CMOCKA_H

#include <stdio.h>
#include <string.h>

#include <dmasim/machine.h>
#include <dmasim/report.h>

/* CMocka prints at most 1023 bytes at once. */
static inline void dmasim_cmocka_print(const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, "\n");

		print_error("%.*s\n", length < 1000 ? length : 1000, text);
		text += length;
		text += *text == '\n';
	}
}

/* Prints what is wrong and was not printed before; how much that is. */
static inline u32 dmasim_cmocka_show(struct dmasim *s)
{
	char found[16384];
	u32 count = dmasim_check_news(s, found, sizeof(found));

	if (count) {
		print_error("the machine is not clean:\n");
		dmasim_cmocka_print(found);
	}
	return count;
}

/* Fails the test, with every report as text, if the machine is not clean. */
#define dmasim_assert_clean(s)                          \
	do {                                            \
		if (dmasim_check_clean((s), NULL, 0)) { \
			dmasim_cmocka_show(s);          \
			_fail(__FILE__, __LINE__);      \
		}                                       \
	} while (0)

/*
 * For a tear-down: ends the machine. 0; -1, and why is printed: there is something wrong that no
 * assertion has shown, or the software has not given back what it allocated.
 */
static inline int dmasim_cmocka_end(struct dmasim *s)
{
	bool clean = !dmasim_check_clean(s, NULL, 0);
	u32 news = dmasim_cmocka_show(s);
	u64 leaks = dmasim_destroy(s);

	if (clean && leaks)
		print_error("the software leaked %llu allocations\n", leaks);
	return news || (clean && leaks) ? -1 : 0;
}

/* A set-up and a tear-down for tests whose state is a machine with defaults. */
static inline int dmasim_cmocka_setup(void **state)
{
	struct dmasim *s = dmasim_create(NULL);

	*state = s;
	return s ? 0 : -1;
}

static inline int dmasim_cmocka_teardown(void **state)
{
	return dmasim_cmocka_end((struct dmasim *)*state);
}

/*
 * Makes the first report that nobody expected fail the test at once, where the driver's call stands
 * if that is known: dmasim_on_report(s, dmasim_cmocka_tell, NULL).
 */
static inline void dmasim_cmocka_tell(struct dmasim *s, const struct dmasim_report *report,
				      void *cookie)
{
	(void)s;
	(void)cookie;
	dmasim_cmocka_print(report->text);
	if (report->call.line)
		_fail(report->call.file, (int)report->call.line);
	_fail(__FILE__, __LINE__);
}

#endif
