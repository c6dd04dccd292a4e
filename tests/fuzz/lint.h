/* SPDX-License-Identifier: MIT */
/*
 * Mistakes that are put into the target which reads traces.
 */
#ifndef FUZZ_LINT_H
#define FUZZ_LINT_H

enum lint_canary {
	LINT_SOUND,
	LINT_LOSES_REPORT, /* what is found second time is one less */
	LINT_LOSES_LINE,   /* errors do not say where */
};

#endif
