/* SPDX-License-Identifier: MIT */
/*
 * Names of vendors, devices and classes, as lspci prints them, and the numbers they stand for. They
 * are collected first and then looked up in one reading of the file of names.
 */
#ifndef MACHINE_IMPORT_IDS_H
#define MACHINE_IMPORT_IDS_H

#include "machine/import.h"

/* Stands for a vendor or a device whose name nobody knows. All ones would be nobody. */
#define IMPORT_ID_UNKNOWN    0xfffe
#define IMPORT_CLASS_UNKNOWN 0xff00

struct import_query {
	RB_ENTRY(import_query) by_text;
	u16 vendor;	   /* by the longest vendor's name that the text begins with */
	u16 device;	   /* the smallest of those that have the name */
	u32 device_vendor; /* its vendor */
	u32 found;	   /* how many numbers the whole name stands for */
	bool differ;	   /* and Linux's ACS rules tell them apart */
	size_t vendor_length;
	bool vendor_twice; /* two vendors have that name */
	const char *text;
};

RB_HEAD(import_queries, import_query);

struct import_ids {
	struct import *import;
	struct import_queries devices; /* "vendor device" */
	struct import_queries classes;
};

void import_ids_init(struct import_ids *ids, struct import *import);
void import_ids_fini(struct import_ids *ids);

/* Asks for a name; the answer is in *query after import_ids_answer(). 0 or -ENOMEM. */
int import_ids_ask(struct import_ids *ids, struct import_queries *queries, const char *text,
		   struct import_query **query);

/* 0, or -EINVAL with the error written: the file that the caller named cannot be read. */
int import_ids_answer(struct import_ids *ids);

#endif
