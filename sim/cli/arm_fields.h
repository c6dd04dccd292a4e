/* SPDX-License-Identifier: MIT */
/*
 * The bits of Armv8's entries by name (facts "iova-and-page-tables" 2.4), for all commands that
 * show some: the same bit has the same name everywhere. Each is a struct walk_field; what it means
 * is said for the tables that `dmasim walk` has, of stage 1 and 4 KiB granules.
 */
#ifndef CLI_ARM_FIELDS_H
#define CLI_ARM_FIELDS_H

#include "walk_format.h"

/* clang-format off */

/* ---- Of all entries --------------------------------------------------- */

#define ARM_FIELD_VALID { 0, 0, "Valid", "0: the other bits are ignored" }
#define ARM_FIELD_TYPE \
	{ 1, 1, "Type", "a table; of level 0, where it must be 1, a page; 0: a block" }
#define ARM_FIELD_FLUSHED { 55, 55, NULL, "ignored; in tables Linux notes here that it flushed" }

/* ---- Of leaves -------------------------------------------------------- */

#define ARM_FIELD_SH { 9, 8, "SH", "shareability: 0 none, 2 outer, 3 inner" }
#define ARM_FIELD_AF { 10, 10, "AF", "access flag; without it a request faults" }
#define ARM_FIELD_DBM \
	{ 51, 51, "DBM", "a write may clear AP[2], where hardware marks what was written" }
#define ARM_FIELD_CONT { 52, 52, "Cont", "one of sixteen entries of a larger page" }
#define ARM_FIELD_SOFTWARE { 58, 56, NULL, "ignored; software's" }

/* ---- Of leaves of stage 1 --------------------------------------------- */

#define ARM_FIELD_ATTR_INDX { 4, 2, "AttrIndx", "kind of memory: a byte of MAIR" }
#define ARM_FIELD_NS { 5, 5, "NS", "not secure" }
#define ARM_FIELD_AP_1 { 6, 6, "AP[1]", "unprivileged requests are taken, as a device's are" }
#define ARM_FIELD_AP_2 { 7, 7, "AP[2]", "read-only" }
#define ARM_FIELD_NG { 11, 11, "nG", "not global: of one address space" }
#define ARM_FIELD_GP { 50, 50, "GP", "guarded page, of code" }
#define ARM_FIELD_PXN { 53, 53, "PXN", "privileged requests may not execute" }
#define ARM_FIELD_UXN { 54, 54, "UXN", "unprivileged ones may not" }

/* ---- Of tables of stage 1 --------------------------------------------- */

#define ARM_FIELD_PXN_TABLE { 59, 59, "PXNTable", "of a table: likewise all that it leads to" }
#define ARM_FIELD_UXN_TABLE { 60, 60, "UXNTable", "of a table" }
#define ARM_FIELD_AP_TABLE \
	{ 62, 61, "APTable", "of a table, forbids below: 1 unprivileged requests, 2 writes" }
#define ARM_FIELD_NS_TABLE { 63, 63, "NSTable", "of a table: nothing below is secure" }

/* clang-format on */

#endif
