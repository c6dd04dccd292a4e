/* SPDX-License-Identifier: MIT */
/*
 * Where page tables on the workbench lie: a stretch of a machine's memory, out of which tables are
 * handed; and a struct platform that knows what the format under judgement asks of it.
 *
 * It sees mistakes: tables that are freed twice, or while hardware may still walk them, and
 * addresses that lead to no table. Memory that is free is full of rubbish.
 */
#ifndef WORKBENCH_PT_WORLD_H
#define WORKBENCH_PT_WORLD_H

#include <dmasim/pgtable/pgtable.h>

#define PT_WORLD_PAGES	16384U
#define PT_WORLD_ORDERS 8U

/* Called at each preemption point of the format. */
typedef void pt_world_hook(void *cookie);

struct pt_world {
	struct platform platform;
	struct pgtable_host host;
	struct dmasim *s;
	phys_addr_t base;
	u8 *memory;
	u8 *seen; /* what hardware that does not snoop sees of it; NULL: it snoops */
	u32 used; /* pages that were ever handed out */
	struct page *free[PT_WORLD_ORDERS];
	u32 born[PT_WORLD_PAGES]; /* of the first page of a table that is there: the call; or 0 */
	u32 call;		  /* the number of the call that runs */
	u64 live;		  /* tables */
	phys_addr_t newest;	  /* of all that ever were */
	u64 allocations;
	u64 fail_in; /* allocations until one fails; 0: none will */
	pt_world_hook *hook;
	void *cookie;
	char wrong[128]; /* the first mistake; "": none */
	u8 nowhere[1U << 16];
};

/* coherent: hardware snoops. fast: for measuring, mistakes are not looked for. NULL: no memory. */
struct pt_world *pt_world_create(bool coherent, bool fast);
void pt_world_destroy(struct pt_world *world);

/* One more call of the format begins. */
void pt_world_call(struct pt_world *world);
/* Frees the tables on the list. */
void pt_world_release(struct pt_world *world, struct page *tables);

/* The nth allocation from now fails; 0: none. */
void pt_world_fail(struct pt_world *world, u64 nth);

/* As hardware sees it. False: no table is there. */
bool pt_world_fetch(const struct pt_world *world, phys_addr_t phys, void *to, u32 bytes);

/* Calls the hook at preemption points; NULL: not any more. */
void pt_world_step(struct pt_world *world, pt_world_hook *hook, void *cookie);

#endif
