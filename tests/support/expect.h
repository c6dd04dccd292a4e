/* SPDX-License-Identifier: MIT */
/*
 * What every test file begins with: CMocka with its prelude, and comparisons that say what they
 * saw.
 *
 * CMocka 1.1 compares after widening, so that (int)-1 equals UINT64_MAX and (uint32_t)-1 does not
 * equal -1; errors come out as 0xfffffffffffffff4. These compare the types they name.
 */
#ifndef SUPPORT_EXPECT_H
#define SUPPORT_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dmasim/cmocka.h>
#include <dmasim/dmasim.h>

/* A call that returns 0 or -errno. */
#define expect_ok(call) expect_error_((call), 0, #call, __FILE__, __LINE__)

/* A call that must return this: expect_error(dma_iova_link(...), -EADDRINUSE). */
#define expect_error(call, error) expect_error_((call), (error), #call, __FILE__, __LINE__)

/* Two numbers of up to 64 bits; addresses read best in hexadecimal. */
#define expect_u64(value, expected) expect_u64_((value), (expected), #value, __FILE__, __LINE__)

/* A transfer that moved all its bytes. */
#define expect_done(transfer, bytes) \
	expect_transfer_((transfer), DMASIM_DONE, (bytes), #transfer, __FILE__, __LINE__)

/* A transfer that ended this way after so many bytes. */
#define expect_transfer(transfer, status, bytes) \
	expect_transfer_((transfer), (status), (bytes), #transfer, __FILE__, __LINE__)

void expect_error_(int value, int expected, const char *what, const char *file, int line);
void expect_u64_(u64 value, u64 expected, const char *what, const char *file, int line);
void expect_transfer_(struct dmasim_transfer transfer, enum dmasim_transfer_status status,
		      u64 bytes, const char *what, const char *file, int line);

/* The seed of this run: DMASIM_SEED, or the one given. */
u64 test_seed(u64 otherwise);

/*
 * What stands for main() at the end of a test file:
 *
 *   TEST_MAIN(cmocka_unit_test(a_sentence), cmocka_unit_test(another))
 *
 * The program's first argument, if there is one, names the test to run (* and ? match). A failure
 * prints the line that runs it again.
 */
#define TEST_MAIN(...)                                                                   \
	int main(int argc, char **argv)                                                  \
	{                                                                                \
		const struct CMUnitTest tests_[] = { __VA_ARGS__ };                      \
                                                                                         \
		return test_main_(argc, argv, __FILE__,                                  \
				  cmocka_run_group_tests_filtered_(argc, argv, tests_)); \
	}

/*
 * The same, but skips all tests if missing() gives a reason. CMocka 1.1 prints "not ok" for a test
 * that calls skip(), which Meson counts as a failure.
 */
#define TEST_MAIN_UNLESS(missing, ...)                                                   \
	int main(int argc, char **argv)                                                  \
	{                                                                                \
		const struct CMUnitTest tests_[] = { __VA_ARGS__ };                      \
		const char *reason_ = missing();                                         \
                                                                                         \
		if (reason_) {                                                           \
			printf("1..0 # SKIP %s\n", reason_);                             \
			return 0;                                                        \
		}                                                                        \
		return test_main_(argc, argv, __FILE__,                                  \
				  cmocka_run_group_tests_filtered_(argc, argv, tests_)); \
	}

#define cmocka_run_group_tests_filtered_(argc, argv, tests) \
	(test_filter_(argc, argv), cmocka_run_group_tests(tests, NULL, NULL))

void test_filter_(int argc, char **argv);
int test_main_(int argc, char **argv, const char *file, int failed);

#endif
