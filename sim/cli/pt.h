/* SPDX-License-Identifier: MIT */
/*
 * dmasim pt: page tables as they lie in memory.
 *
 *   pt.c           the command: a machine, a table, what is done with it, how it looks then
 *   pt_args.c      arguments
 *   pt_layout.c    which of them go together, and the table that they ask for
 *   pt_example.c   what is mapped if nothing is said
 *   pt_step.c      one operation
 *   pt_tree.c      the tables of the memory, read again
 *   pt_text.c      what is said of them in words
 *   pt_print.c     as text
 *   pt_svg.c       as a picture
 *   pt_list.c      all formats, and their sizes
 *   pt_format.c    formats, by name; pt_amdv1.c and others: one each
 */
#ifndef CLI_PT_H
#define CLI_PT_H

#include <dmasim/page-table.h>

#include "cli.h"
#include "pt_format.h"

#define PT_STEPS_MAX 256

enum pt_step_kind {
	PT_MAP,
	PT_UNMAP,
	PT_PROTECT,
	PT_CUT,
	PT_COLLAPSE,
	PT_MARK,
	PT_CLEAN,
	PT_LOOKUP,
	PT_POKE,
};

struct pt_step {
	enum pt_step_kind kind;
	u64 iova;
	phys_addr_t phys; /* MAP */
	u64 bytes;
	u32 prot;  /* MAP, PROTECT: IOMMU_ */
	u8 level;  /* POKE */
	u64 value; /* POKE: the word that is stored */
};

struct pt_options {
	const struct pt_format *format;
	struct pt_layout layout;
	u32 given; /* PT_ that the command line names */
	u32 concatenate;
	bool svg;
	bool costs;
	u32 step_count;
	struct pt_step step[PT_STEPS_MAX];
};

/* -1: run; else an exit status. */
int pt_read_arguments(int argc, char **argv, struct pt_options *options);

/* Completes the layout. 0, or an exit status. */
int pt_complete(struct pt_options *options);

/* The writer's configuration of it. */
struct pgtable_config pt_config(const struct pt_options *options, struct dmasim *s);

/* What is mapped to show a format, in tables as they begin; options without steps. */
void pt_add_example(struct pt_options *options);

/* "rwc" */
#define PT_PROT_BYTES 8
const char *pt_prot_text(u32 prot, char text[PT_PROT_BYTES]);
bool pt_read_prot(const char *text, u32 *prot);

/* Every format with its sizes. The exit status. */
int pt_list(void);

/* ---- A table, and what is done with it -------------------------------- */

/* What --poke changed: so that the software finds its tables at the end. */
struct pt_poked {
	phys_addr_t at;
	u64 value;
};

struct pt_bench {
	const struct pt_options *options;
	const struct pgtable_ops *ops;
	struct dmasim *machine;
	struct pgtable pt;
	struct iommu_iotlb_gather gather;
	u32 poked_count;
	struct pt_poked poked[PT_STEPS_MAX];
	bool negative; /* something was refused */
};

/* Prints what comes of it to out. */
void pt_do(struct pt_bench *bench, const struct pt_step *step, FILE *out);
void pt_undo_pokes(struct pt_bench *bench);

/* ---- The tree --------------------------------------------------------- */

#define PT_NONE (~0U)

/* Entries that say the same, but for addresses that follow each other. */
struct pt_row {
	u32 first;
	u32 count;
	u64 word;  /* of the first; in memory little endian */
	u64 apart; /* from one word to the next; 0: they are equal */
	u64 iova;  /* of the first */
	struct pt_said said;
	u32 child; /* the table behind it; or PT_NONE */
};

struct pt_node {
	phys_addr_t phys;
	u8 level;
	u32 entries;
	u64 iova;  /* the first that it serves */
	bool lost; /* no memory is there, or not all of it */
	u32 row;
	u32 row_count;
};

/* The first node is the top. */
struct pt_tree {
	const struct pt_options *options;
	u32 node_count;
	u32 node_room;
	struct pt_node *node;
	u32 row_count;
	u32 row_room;
	struct pt_row *row;
	u8 levels;
	u8 va_bits;
	u64 page_sizes;
};

/* 0, or an exit status: no memory, or no end of tables. The caller frees it either way. */
int pt_tree_read(struct pt_tree *tree, const struct pt_bench *bench);
void pt_tree_free(struct pt_tree *tree);

/* The address in full, where the highest bit is repeated. */
u64 pt_tree_iova(const struct pt_tree *tree, u64 iova);

/* Of a leaf's row: how many entries a leaf has; what it maps; where it leads. */
u32 pt_row_items(const struct pt_tree *tree, const struct pt_node *node, const struct pt_row *row);
u64 pt_row_bytes(const struct pt_tree *tree, const struct pt_node *node, const struct pt_row *row);
phys_addr_t pt_row_phys(const struct pt_row *row);

/* "[0..15]", "[3]" */
#define PT_PLACE_BYTES 24
const char *pt_row_place(const struct pt_row *row, char text[PT_PLACE_BYTES]);

/* What a row's entries are: "table 0x102000", "3 leaves of 4 KiB, rw", "malformed: ..." */
#define PT_SAYS_BYTES 192
const char *pt_row_says(const struct pt_tree *tree, const struct pt_node *node,
			const struct pt_row *row, char text[PT_SAYS_BYTES]);

struct pt_level_count {
	u64 tables;
	u64 bytes;
	u64 entries;
	u64 leaves;
	u64 mapped;
};

void pt_tree_count(const struct pt_tree *tree, struct pt_level_count count[PGTABLE_LEVELS_MAX]);

#define PT_HEAD_BYTES 256
const char *pt_tree_title(const struct pt_tree *tree, char text[PT_HEAD_BYTES]);

/* "4K, 2M, 1G", "4K to 256G, 1T" */
const char *pt_sizes_text(u64 sizes, char text[PT_HEAD_BYTES]);

/* "4 tables of 16 KiB; 3 leaves map 12 KiB" */
const char *pt_tree_total(const struct pt_tree *tree, char text[PT_HEAD_BYTES]);

/* What operations have said, lines. */
void pt_print_said(const char *said);
void pt_print_head(const struct pt_tree *tree);
void pt_print_tree(const struct pt_tree *tree);
void pt_print_costs(const struct pt_tree *tree, const struct dmasim_costs *costs);

/* False: no memory. */
bool pt_print_svg(const struct pt_tree *tree, const char *said, FILE *to);

#endif
