/* SPDX-License-Identifier: MIT */
/*
 * A thin adapter for tests written with CMocka. Include after <cmocka.h>.
 */
#ifndef DMASIM_CMOCKA_H
#define DMASIM_CMOCKA_H

#include <dmasim/report.h>

/* Fails the test, with every report as text, if the machine is not clean. */
#define dmasim_assert_clean(s)                                                     \
	do {                                                                       \
		char dmasim_found_[4096];                                          \
                                                                                   \
		if (dmasim_check_clean((s), dmasim_found_, sizeof(dmasim_found_))) \
			fail_msg("the machine is not clean:\n%s", dmasim_found_);  \
	} while (0)

#endif
