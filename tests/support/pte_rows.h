/* SPDX-License-Identifier: MIT */
/*
 * The rows of tests/data/pte-vectors.tsv and pte-vectors-more.tsv: what is asked of a page table,
 * and the words that stand for it. The heads of the files say what the columns are.
 */
#ifndef SUPPORT_PTE_ROWS_H
#define SUPPORT_PTE_ROWS_H

#include "support/expect.h"

#define PTE_ROWS      155
#define PTE_ROWS_MORE 121
#define PTE_WORDS_MAX 512

struct pte_row {
	int id;
	char format[16];
	u32 level;
	char kind[24];
	u64 phys;
	u32 size_lg2;
	char prot[8];
	char features[16];
	char words[2048];
};

/* Each row of a file in the folder that DMASIM_TEST_DATA names, in order. Returns how many. */
u32 pte_rows_read(const char *file, void (*each)(void *cookie, const struct pte_row *row),
		  void *cookie);

bool pte_row_has(const struct pte_row *row, const char *feature);

/* One word; w*N; w+step*N; a,b,c; w1,w2*N. Returns how many; 0: a refusal. */
u32 pte_row_words(const struct pte_row *row, u64 word[PTE_WORDS_MAX]);

#endif
