/* SPDX-License-Identifier: MIT */
/*
 * A plain model of what IOMMUs may have cached: lists of what could be fetched and from when until
 * when, and a list of invalidations with the times of their submission and of the wait for them.
 *
 *   may be cached = it could be fetched at some time not before the submission of the latest
 *                   invalidation that covers it and that has been waited for
 *
 * Written from facts "iova-and-page-tables" part 3 alone; it shares nothing with the checker. Time
 * counts what happens: no two things happen at once.
 *
 * What is fetched is fetched through something: a translation through tables, those through a
 * context entry. An upper part that may still be cached leads on to the lower ones as memory has
 * them now, until the command that drops it: which takes effect before commands of translations
 * behind it if it is one of contexts; else only what a wait stands between is in order.
 */
#ifndef PROPERTY_CACHING_MODEL_H
#define PROPERTY_CACHING_MODEL_H

#include <dmasim/types.h>

#define PLAIN_UNITS	   2
#define PLAIN_REQUESTERS   2
#define PLAIN_DOMAINS	   3 /* 0 is never used */
#define PLAIN_LEVELS	   3
#define PLAIN_PAGES	   4 /* of a block that devices use */
#define PLAIN_REST	   4 /* the slot of all other pages that are used: a run of entries */
#define PLAIN_SLOTS	   5
#define PLAIN_TABLES_MAX   40
#define PLAIN_ITEMS_MAX	   2048
#define PLAIN_COMMANDS_MAX 1024

#define PLAIN_FOREVER (~0U)

/*
 * AMD: what is larger than a window stays; contexts that refuse are cached, too. RISC-V, SMMUv3:
 * nothing but a wait keeps commands of contexts before those of translations. VT-d's first stage,
 * in scalable mode: a context is the entry of a PASID, and what tables have not is never cached.
 */
enum plain_arch { PLAIN_VTD = 0, PLAIN_AMD, PLAIN_RISCV, PLAIN_SMMUV3, PLAIN_VTD_FIRST };

static inline bool plain_overtakes(enum plain_arch arch)
{
	return arch == PLAIN_RISCV || arch == PLAIN_SMMUV3;
}

/* Tables whose pointers allow everything, and whose leaves are never to write alone. */
static inline bool plain_has_few_rights(enum plain_arch arch)
{
	return arch != PLAIN_VTD && arch != PLAIN_AMD;
}

/* Rules that a test breaks to see whether it would be noticed; PLAIN_FLAW_NONE: none. */
enum plain_flaw {
	PLAIN_FLAW_NONE = 0,
	PLAIN_FLAW_LEAF_ONLY,	 /* a leaf-only hint spares nothing */
	PLAIN_FLAW_NO_WAIT,	 /* a command counts before it was waited for */
	PLAIN_FLAW_EARLY,	 /* a command counts although what it drops was there after it */
	PLAIN_FLAW_PART,	 /* of a large page only what is in the window is dropped */
	PLAIN_FLAW_ANY_DOMAIN,	 /* a command for one domain drops those of others */
	PLAIN_FLAW_DEAD_TABLES,	 /* a table that was unlinked leads nowhere */
	PLAIN_FLAW_DEAD_CONTEXT, /* a context entry that was changed leads nowhere */
	PLAIN_FLAW_LARGER,	 /* AMD: what is larger than the window goes, too */
	PLAIN_FLAW_IN_ORDER,	 /* commands of translations never overtake each other */
	PLAIN_FLAW_COUNT,
};

struct range {
	u64 start;
	u64 last;
};

/* ---- What is in memory ----------------------------------------------------------------------- */

/* A page of a page table; only some of its entries are ever used. */
struct plain_table {
	phys_addr_t phys; /* 0: this one does not exist */
	u8 level;
	u64 entry[PLAIN_SLOTS];
};

enum plain_context_type { PLAIN_ABSENT_CONTEXT = 0, PLAIN_TRANSLATE, PLAIN_PASS };

struct plain_context {
	enum plain_context_type type;
	u32 unit;
	u16 requester;
	u16 domain;
	phys_addr_t root;
};

/* Of a domain's page table, as its software knows it. */
struct plain_domain {
	u32 unit;
	phys_addr_t root;
};

/* ---- What may be in a cache ------------------------------------------------------------------ */

enum plain_kind { PLAIN_CONTEXT, PLAIN_TABLE, PLAIN_LEAF, PLAIN_ABSENT };

struct plain_item {
	enum plain_kind kind;
	u32 unit;
	u16 domain; /* under which it is cached */
	u8 level;   /* of a table; of the table that a leaf or an absent entry is in */
	bool read;  /* permissions, intersected along the walk */
	bool write;
	struct range at;	      /* the addresses that it serves */
	u64 page;		      /* of a leaf: bytes of each of its pages */
	phys_addr_t phys;	      /* of the first of them; of a table: its page */
	struct plain_context context; /* of a context: what it says */

	u32 from;
	u32 until;    /* PLAIN_FOREVER: it can be fetched now */
	bool fetched; /* while the list is brought up to date */
};

struct plain_command {
	u32 unit;
	bool contexts; /* it drops contexts, else tables and translations */
	bool all_domains;
	u16 domain;
	struct range window;
	bool leaf_only;
	u16 requester;
	u16 ignored; /* bits of the requester that do not count */

	u32 submitted;
	u32 waited; /* PLAIN_FOREVER: not yet */
};

struct plain_model {
	enum plain_flaw flaw;
	u32 now;
	bool caching_mode;
	enum plain_arch arch;
	struct plain_table table[PLAIN_TABLES_MAX];
	struct plain_context context[PLAIN_REQUESTERS];
	struct plain_domain domain[PLAIN_DOMAINS];
	struct plain_item item[PLAIN_ITEMS_MAX];
	u32 items;
	struct plain_command command[PLAIN_COMMANDS_MAX];
	u32 commands;
	bool full; /* a list had no place: the model is no good */
};

/* It may be cached that a table has nothing. */
static inline bool plain_has_absents(const struct plain_model *model)
{
	return model->caching_mode && model->arch != PLAIN_VTD_FIRST;
}

/* The number of a table's entry that a slot stands for, or the first; how many. */
u32 plain_index(u8 level, u32 slot);
u32 plain_entries(u8 level, u32 slot);
/* The bytes that one entry of a level maps. */
u64 plain_entry_bytes(u8 level);
struct plain_table *plain_table(struct plain_model *model, phys_addr_t phys);

/* ---- What happens: time moves on, and then the lists are as they should be ------------------- */

void plain_table_add(struct plain_model *model, phys_addr_t phys, u8 level);
void plain_table_drop(struct plain_model *model, phys_addr_t phys);
void plain_write(struct plain_model *model, phys_addr_t table, u32 slot, u64 entry);
void plain_context_set(struct plain_model *model, u32 which, const struct plain_context *context);
void plain_submit(struct plain_model *model, const struct plain_command *command);
void plain_wait(struct plain_model *model, u32 unit);

/* ---- Judgements ------------------------------------------------------------------------------ */

/* Something of the range may be cached that the domain's table does not give now. */
#define PLAIN_STALE  1U
/* ... that it gives, in smaller pages. */
#define PLAIN_LARGER 2U
u32 plain_harm(struct plain_model *model, u16 domain, struct range range);

/* It may be cached that something of the range is absent that is mapped now. */
bool plain_is_absent(struct plain_model *model, u16 domain, struct range range);

/* A walk may still read this page: as a table below the top; as what a context points to. */
bool plain_table_is_used(struct plain_model *model, phys_addr_t page);
bool plain_root_is_used(struct plain_model *model, phys_addr_t page);

/* A context that the requester had before may be cached. */
bool plain_context_is_stale(struct plain_model *model, u32 which);

/* A request may be answered with this address; or with a fault. */
bool plain_may_reach(struct plain_model *model, u16 requester, u64 iova, bool write,
		     phys_addr_t phys);
bool plain_may_fault(struct plain_model *model, u16 requester, u64 iova, bool write);

/* What memory says now, caches aside. False: a fault. */
bool plain_translate(struct plain_model *model, u32 which, u64 iova, bool write, phys_addr_t *phys);

/* ---- What the model's own files share -------------------------------------------------------- */

static inline bool range_overlap(struct range one, struct range two)
{
	return one.start <= two.last && two.start <= one.last;
}

/* What an entry says, as an item; `from` is the table that it is in. False: it lets nobody pass. */
bool plain_read_entry(const struct plain_item *from, u32 slot, u64 entry, struct plain_item *item);
u32 plain_slots(u8 level);

/* The command is such that it drops the item, or some of it. */
bool plain_covers(const struct plain_model *model, const struct plain_command *command,
		  const struct plain_item *item);
/* It has, and is over: the item could not be fetched any more when it was submitted. */
bool plain_has_dropped(const struct plain_model *model, const struct plain_command *command,
		       const struct plain_item *item);
/* A table or a context is dropped whole. */
bool plain_may_be_cached(const struct plain_model *model, const struct plain_item *item);

#endif
