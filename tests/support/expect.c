/* SPDX-License-Identifier: MIT */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

static const char *error_name(int error, char *buffer, size_t size)
{
	const char *name = error < 0 ? strerrorname_np(-error) : NULL;

	if (name)
		snprintf(buffer, size, "-%s", name);
	else
		snprintf(buffer, size, "%d", error);
	return buffer;
}

void expect_error_(int value, int expected, const char *what, const char *file, int line)
{
	char saw[32], wanted[32];

	if (value == expected)
		return;
	print_error("%s is %s, expected %s\n", what, error_name(value, saw, sizeof(saw)),
		    error_name(expected, wanted, sizeof(wanted)));
	_fail(file, line);
}

void expect_u64_(u64 value, u64 expected, const char *what, const char *file, int line)
{
	if (value == expected)
		return;
	print_error("%s is 0x%llx (%llu), expected 0x%llx (%llu)\n", what, value, value, expected,
		    expected);
	_fail(file, line);
}

void expect_transfer_(struct dmasim_transfer transfer, enum dmasim_transfer_status status,
		      u64 bytes, const char *what, const char *file, int line)
{
	static const char *const words[] = { "done",	    "not master",     "unsupported request",
					     "IOMMU fault", "no host memory", "ACS violation" };

	if (transfer.status == status && transfer.done == bytes)
		return;
	print_error("%s: %s after %llu bytes at 0x%llx (reason 0x%x), expected %s after %llu\n",
		    what, words[transfer.status], transfer.done, transfer.at, transfer.reason,
		    words[status], bytes);
	_fail(file, line);
}

u64 test_seed(u64 otherwise)
{
	const char *text = getenv("DMASIM_SEED");

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

void test_filter_(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
}

int test_main_(int argc, char **argv, const char *file, int failed)
{
	const char *name = strrchr(file, '/');
	const char *seed = getenv("DMASIM_SEED");

	(void)argv;
	if (!failed)
		return 0;
	name = name ? name + 1 : file;
	fprintf(stderr, "# again: DMASIM_SEED=%s ./tests/run %.*s\n", seed && *seed ? seed : "0x1",
		(int)strcspn(name, "."), name);
	return argc > 0 ? 1 : 0;
}
