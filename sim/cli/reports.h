/* SPDX-License-Identifier: MIT */
/*
 * The page of reports (sim/check/reports.md) line by line; page.py writes it into the build.
 */
#ifndef CLI_REPORTS_H
#define CLI_REPORTS_H

#include <stddef.h>

extern const char *const reports_page[];
extern const size_t reports_page_lines;

#endif
