/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of page-table formats from within. Every call of the format is made beside
 * the model (pt_judge.c): what it answers, what it gathers, what software finds afterwards and what
 * hardware reads are compared at once. So a check is hardly more than a list of calls.
 */
#ifndef WORKBENCH_PT_CONFORM_H
#define WORKBENCH_PT_CONFORM_H

#include <dmasim/pgtable-bench.h>

#include "workbench/iova_dice.h"
#include "workbench/pt_model.h"
#include "workbench/pt_world.h"

#define PT_RW (IOMMU_READ | IOMMU_WRITE)

struct pt_conform {
	const struct dmasim_pgtable_subject *subject;
	struct dmasim_pgtable_conform_options options; /* without defaults to be filled in */
	struct pt_world *world;			       /* of pt_start() */
	struct pgtable pt;
	bool made;
	bool leaves_vary; /* after cut and collapse: where a leaf ends the model does not know */
	bool coherent;
	bool unsnooped;	       /* checks that begin with coherent tables begin with others */
	phys_addr_t told_root; /* of what change_top was told, or init has made */
	u8 told_levels;
	u64 last; /* the highest address from 0 on */
	u8 granule_lg2;
	struct iova_dice dice;
	struct pt_model *model;
	struct iommu_iotlb_gather gather; /* of the last call */
	struct iommu_iotlb_gather gone;	  /* the same, once it was released */
	u64 mapped;			  /* what the last map added */
	char reason[512];
	const char *absent; /* what a check looks at, and the format does not have */
};

typedef bool (*pt_check)(struct pt_conform *c);

/* Says why the check fails, if nothing has been said yet. Returns false. */
bool pt_wrong(struct pt_conform *c, const char *format, ...) DMASIM_PRINTF(2, 3);

/* Nothing is there to be judged. Returns true. */
static inline bool pt_absent(struct pt_conform *c, const char *what)
{
	c->absent = what;
	return true;
}

/* An error as it is written: "0", "-EINVAL"; a number, if it is none of these. */
struct pt_error {
	char text[16];
};

struct pt_error pt_error(int err);

/* A new, empty table; the one before goes. pt_end(): the table goes, and all it had. */
bool pt_start(struct pt_conform *c, bool coherent);
bool pt_end(struct pt_conform *c);
/* The nth allocation fails: so does init, and leaves nothing. *short_of: it came to that. */
bool pt_start_without(struct pt_conform *c, u64 nth, bool *short_of);

static inline u64 pt_page(const struct pt_conform *c)
{
	return 1ULL << c->granule_lg2;
}

/* Its addresses repeat their highest bit. */
bool pt_sign_extends(const struct pt_conform *c);
/* The sizes of leaves, smallest first; 0: no more. Those beyond its width are not counted. */
u8 pt_size_lg2(const struct pt_conform *c, u32 index);
/* Memory that leaves of up to 2^lg2 bytes may lead to: an odd multiple. 0: there is none. */
phys_addr_t pt_memory(const struct pt_conform *c, u8 lg2);

/*
 * The calls, judged; false: it is wrong. What was gathered is released. Those that must fail with
 * an error and change nothing have _refuse. map: `err` is what the model says, 0 or -EADDRINUSE.
 */
bool pt_map(struct pt_conform *c, u64 iova, phys_addr_t phys, u64 bytes, u32 prot);
bool pt_map_refuse(struct pt_conform *c, u64 iova, phys_addr_t phys, u64 bytes, u32 prot, int err);
/* The nth allocation fails. *short_of: it came to that, and the call has failed for it. */
bool pt_map_without(struct pt_conform *c, u64 iova, phys_addr_t phys, u64 bytes, u64 nth,
		    bool *short_of);
bool pt_unmap(struct pt_conform *c, u64 iova, u64 bytes);
bool pt_protect(struct pt_conform *c, u64 iova, u64 bytes, u32 prot);

/* What software finds, and hardware reads, in [start, last] and at its ends. */
bool pt_compare(struct pt_conform *c, u64 start, u64 last);
/* What hardware reads, while a call is on: of the model some leaves may not be there. */
bool pt_compare_some(struct pt_conform *c, u64 start, u64 last);

/* pt_conform_gather.c */

/* Leaves that a call has changed; start > last: none. */
struct pt_change {
	u64 start;
	u64 last;
	u8 leaf_levels;
};

/* What shows of rights. */
u32 pt_shown(const struct pt_conform *c, u32 prot);
/* The bit of the level that leaves of 2^lg2 bytes stand at; 0: of this format nobody knows. */
u8 pt_level_bit(const struct pt_conform *c, u8 lg2);
/* Of the model's leaves from iova on those that have other rights than *prot; NULL: all. */
struct pt_change pt_change_of(const struct pt_conform *c, u64 iova, u64 bytes, const u32 *prot);
/* What was gathered covers it; `what` is the call, for the sentence. */
bool pt_gathered(struct pt_conform *c, const char *what, const struct pt_change *change);

/* pt_conform_leaf.c */
bool pt_check_empty(struct pt_conform *c);
bool pt_check_sizes(struct pt_conform *c);
bool pt_check_rights(struct pt_conform *c);
bool pt_check_choice(struct pt_conform *c);
bool pt_check_refuses(struct pt_conform *c);
bool pt_check_in_use(struct pt_conform *c);
bool pt_check_hole(struct pt_conform *c);
bool pt_check_elsewhere(struct pt_conform *c);
bool pt_check_inside(struct pt_conform *c);

/* pt_conform_width.c */
bool pt_check_width(struct pt_conform *c);

/* pt_conform_table.c */
bool pt_check_tables_later(struct pt_conform *c);
bool pt_check_replaced(struct pt_conform *c);
bool pt_check_no_memory(struct pt_conform *c);
bool pt_check_points(struct pt_conform *c);

/* pt_conform_more.c */
bool pt_check_protect(struct pt_conform *c);
bool pt_check_dirty(struct pt_conform *c);
bool pt_check_reshape(struct pt_conform *c);

/* pt_conform_random.c */
bool pt_check_random(struct pt_conform *c);
bool pt_check_incoherent(struct pt_conform *c);

#endif
