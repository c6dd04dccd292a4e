/* SPDX-License-Identifier: MIT */
/*
 * One random script on a small world: two devices, two domains, one or two IOMMUs of Intel, AMD,
 * RISC-V or Arm, tables written entry by entry, commands encoded here. The checker listens to all
 * of it through the port; a plain model (caching_model.h) says what it must report.
 *
 *   254 GiB                                   each domain: two stretches of 1 GiB, two blocks
 *    |-- block 0 -- pages 0 1 2 .. 511        of 2 MiB in each, four pages of a block that are
 *    |   ...                                  used; some blocks are neighbours, some are not
 *    |-- block 511 --- pages 0 1 2 .. 511
 *    |-- (255 GiB) block 0 ...
 *
 * Steps never use cmocka's assertions, so that a script can be run again with fewer steps.
 */
#ifndef PROPERTY_CACHING_H
#define PROPERTY_CACHING_H

#include <stdio.h>

#include "machine/machine.h"
#include "property/caching_model.h"
#include "property/dice.h"

#define CACHING_BLOCKS	4 /* of a domain */
#define CACHING_STEPS	80
#define CACHING_FAILURE 2048

/* What is mapped: stretches of 2 MiB. */
#define CACHING_DATA	  (512ULL << 20)
#define CACHING_STRETCHES 2U

/* X(enumerator, name, weight among the others, may a seed switch it off) */
#define CACHING_STEP_LIST(X)                \
	X(ALLOC, alloc, 10, false)          \
	X(FREE, free, 10, false)            \
	X(MAP, map, 24, false)              \
	X(UNMAP, unmap, 20, true)           \
	X(REPLACE, replace, 6, true)        \
	X(SPLIT, split, 4, true)            \
	X(RESTRICT, restrict, 3, true)      \
	X(MERGE, merge, 4, true)            \
	X(UNLINK, unlink, 10, true)         \
	X(FREE_TABLE, free_table, 12, true) \
	X(INVALIDATE, invalidate, 24, true) \
	X(WAIT, wait, 8, false)             \
	X(RIGHT, right, 10, true)           \
	X(CONTEXT, context, 3, true)        \
	X(MALFORMED, malformed, 1, true)    \
	X(ACCESS, access, 20, true)         \
	X(PREFETCH, prefetch, 8, true)

enum caching_step {
#define CACHING_ENUM(id, name, weight, optional) CACHING_##id,
	CACHING_STEP_LIST(CACHING_ENUM)
#undef CACHING_ENUM
		CACHING_STEP_COUNT,
};

/* What is handed out of a block of 2 MiB. */
enum block_state { BLOCK_FREE = 0, BLOCK_PAGES, BLOCK_WHOLE };

struct block {
	enum block_state state;
	bool page[PLAIN_PAGES]; /* BLOCK_PAGES: those that are handed out */
};

/* What changed in a domain since its caches were last emptied of it, as a gather has it. */
struct change {
	bool any;
	bool tables; /* upper entries changed, too */
	struct range range;
};

/* What the scripts made the hardware show, over all of them. */
struct caching_counts {
	u64 scripts;
	u64 steps;
	u64 judged; /* claims held against the model */
	u64 stale;  /* reports, by kind */
	u64 tables;
	u64 larger;
	u64 contexts;
	u64 absent;
	u64 accesses;
	u64 shown; /* accesses that were answered with what the tables do not give */
	u64 first; /* scripts on a first stage */
};

struct caching_run {
	u64 seed;
	u32 step;
	struct dmasim *s;
	struct hw_function *function[PLAIN_REQUESTERS];
	dmasim_sbdf clerk[PLAIN_DOMAINS]; /* a device that does nothing but claim */
	struct plain_model model;
	/* A first stage: tables above the domains' own, which never change. 0: there is none. */
	phys_addr_t top[PLAIN_DOMAINS];
	struct block block[PLAIN_DOMAINS][CACHING_BLOCKS];
	struct change change[PLAIN_DOMAINS];
	u32 context_change; /* a bit for each requester whose old entry may be cached */
	u16 old_domain[PLAIN_REQUESTERS];
	phys_addr_t limbo[PLAIN_TABLES_MAX]; /* unlinked tables that are not freed */
	u32 limbo_count;
	u32 units;
	u32 mistakes; /* in percent */
	u64 writes;   /* of devices: each writes something else */
	u32 weight[CACHING_STEP_COUNT];
	const struct report *last_report;
	struct caching_counts *counts;
	FILE *log; /* NULL: silent */
	char failure[CACHING_FAILURE];
};

/* ---- What all use: caching_world.c ----------------------------------------------------------- */

bool caching_make(struct caching_run *run, enum plain_flaw flaw, bool first_stage);
bool caching_end(struct caching_run *run);

/* Notes what is wrong; false, for `return caching_wrong(...)`. */
bool caching_wrong(struct caching_run *run, const char *format, ...) DMASIM_PRINTF(2, 3);
void caching_note(struct caching_run *run, const char *format, ...) DMASIM_PRINTF(2, 3);

u16 caching_requester(const struct caching_run *run, u32 which);

/* The first byte of a block, or of a slot of it; the pages are the first slots. */
u64 caching_block(u32 block);
u64 caching_slot(u32 block, u32 slot);
struct range caching_block_range(u32 block);
struct range caching_slot_range(u32 block, u32 slot);

/* Page tables: false, no frame. */
bool caching_table_new(struct caching_run *run, u8 level, phys_addr_t *phys);
void caching_write(struct caching_run *run, phys_addr_t table, u32 slot, u64 entry);
u64 caching_entry(struct caching_run *run, phys_addr_t table, u32 slot);
/* The table of a level that serves a block; 0: there is none. */
phys_addr_t caching_table_of(struct caching_run *run, u32 domain, u32 block, u8 level);
/* Something of the block, or of one slot of it, is mapped. */
bool caching_block_is_mapped(struct caching_run *run, u32 domain, u32 block);
bool caching_slot_is_mapped(struct caching_run *run, u32 domain, u32 block, u32 slot);

void caching_set_context(struct caching_run *run, u32 which, enum plain_context_type type,
			 u32 domain);

/* Hands over commands; the model hears of each. */
bool caching_submit(struct caching_run *run, const struct plain_command *command, u32 count);
bool caching_wait(struct caching_run *run, u32 unit);
/* Contexts, then what they translated, in that order; and waits. */
bool caching_submit_context(struct caching_run *run, const struct plain_command batch[2]);
/* Words that are no command, and one that would drop everything behind them. */
bool caching_submit_malformed(struct caching_run *run, u32 unit);

/* Nothing stays cached: what was told once is not told again, and is not waited for. */
bool caching_empty(struct caching_run *run);

bool caching_access(struct caching_run *run, u32 which, u64 iova, bool write);
bool caching_prefetch(struct caching_run *run, u32 which, u64 iova, bool write);

/* ---- Claims: caching_claims.c ---------------------------------------------------------------- */

/* What software says; the checker's answer must be the model's. */
void caching_tell(struct caching_run *run, const struct dmasim_event *event);
bool caching_judge_range(struct caching_run *run, enum dmasim_event_type claim, u32 domain,
			 struct range range);
bool caching_judge_mapped(struct caching_run *run, u32 domain, struct range range,
			  phys_addr_t phys);
bool caching_judge_context(struct caching_run *run, u32 which);
bool caching_judge_table(struct caching_run *run, phys_addr_t table);
bool caching_no_report(struct caching_run *run);

/* ---- Commands: caching_commands.c ------------------------------------------------------------ */

/*
 * What AMD has instead: a device, whatever its domain; or everything of the unit. RISC-V and
 * SMMUv3 have the same, but for everything: that is of contexts, or of translations.
 */
struct plain_command caching_as_amd(const struct plain_command *command, u16 requester);
/* What VT-d has for entries of PASIDs: those of a domain, whoever has them; or all. */
struct plain_command caching_as_first_stage(const struct plain_command *command);
static inline bool caching_is_everything(const struct plain_command *command)
{
	return command->all_domains && (!command->contexts || command->ignored == 0xffff);
}

/* Two words, little endian, of a unit's queue. */
void caching_encode(enum plain_arch arch, const struct plain_command *command, u64 word[2]);
void caching_encode_wait(enum plain_arch arch, phys_addr_t status, u32 value, u64 word[2]);
/* An entry of a page table. */
u64 caching_encode_entry(enum plain_arch arch, u8 level, u64 entry);
/* What most formats can say of it: pointers allow everything, and no leaf is to write alone. */
u64 caching_without_rights(u8 level, u64 entry);
void caching_command_text(const struct plain_command *command, char *text, size_t size);

/* ---- Steps: caching_steps.c, caching_change.c, caching_invalidate.c -------------------------- */

u32 caching_pick_domain(struct dice *dice);
void caching_changed(struct caching_run *run, u32 domain, struct range range, bool tables);
void caching_to_limbo(struct caching_run *run, phys_addr_t table);

/* Leaf entries for a block, and for a slot of one. */
u64 caching_random_block(struct dice *dice);
u64 caching_random_page(struct dice *dice, u32 slot);

/* The table of a level that serves the block, made if need be. */
bool caching_table_for(struct caching_run *run, u32 domain, u32 block, u8 level,
		       phys_addr_t *table);

#define CACHING_DECLARE(id, name, weight, optional) \
	bool caching_step_##name(struct caching_run *run, struct dice *dice);
CACHING_STEP_LIST(CACHING_DECLARE)
#undef CACHING_DECLARE

/* ---- A script: caching_run.c ----------------------------------------------------------------- */

struct caching_script {
	u64 seed;
	u32 steps;
	const bool *skip; /* of each step, or NULL */
	enum plain_flaw flaw;
	bool first_stage; /* on VT-d's, whatever the seed says */
	struct caching_counts *counts;
	FILE *log;
};

struct caching_outcome {
	bool wrong;
	u32 step;
	char failure[CACHING_FAILURE];
};

void caching_run_script(const struct caching_script *script, struct caching_outcome *outcome);

#endif
