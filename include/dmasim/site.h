/* SPDX-License-Identifier: MIT */
/*
 * Call sites: where in the user's program a Linux-named function was called.
 *
 * Each public function with a Linux name has a function-like macro over it (call-sites.h) that
 * notes file, line and function in the device before the call. Taking the function's address, or
 * calling (f)(...), bypasses the macro. Sites appear in reports, never in traces.
 */
#ifndef DMASIM_SITE_H
#define DMASIM_SITE_H

struct dmasim_site {
	const char *file;
	int line;
	const char *function;
};

/* A pointer to a static record of the place where the macro stands. */
#define DMASIM_SITE_HERE                                                                  \
	(__extension__({                                                                  \
		static const struct dmasim_site dmasim_site_here_ = { __FILE__, __LINE__, \
								      __func__ };         \
		&dmasim_site_here_;                                                       \
	}))

#endif
