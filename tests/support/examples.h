/* SPDX-License-Identifier: MIT */
/*
 * Examples for the index of reports: what a test's machine reported, written where tests/catalogue/
 * reports.py asks for it.
 */
#ifndef SUPPORT_EXAMPLES_H
#define SUPPORT_EXAMPLES_H

#include <dmasim/report.h>

/* Appends the text of each report so far to the file that DMASIM_EXAMPLES names, if it is set. */
void examples_of(struct dmasim *s);

#endif
