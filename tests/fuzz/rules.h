/* SPDX-License-Identifier: MIT */
/*
 * Mistakes that are put into the target which reads files of rules for reports.
 */
#ifndef FUZZ_RULES_H
#define FUZZ_RULES_H

enum rules_canary {
	RULES_SOUND,
	RULES_KEEPS_RULE, /* of a refused file a rule stays */
	RULES_LOSES_LINE, /* errors do not say where */
	RULES_LOSES_RULE, /* the last rule of a file is not read */
};

#endif
