/* SPDX-License-Identifier: MIT */
/*
 * One machine with one IOVA domain of the program's, over an allocator that is known by its name.
 */
#ifndef UNIT_API_IOVA_DOMAIN_H
#define UNIT_API_IOVA_DOMAIN_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/iova-domain.h>

#include "support/rig.h"
#include "unit/api/plain_iova.h"

#define LAST 0xfffUL /* limit of the small spaces */

struct fixture {
	struct dmasim *s;
	struct iova_domain iovad;
	bool tells; /* the allocator tells its ranges */
};

/* "own" is the program's, the others the library's. */
static inline const struct iova_allocator_ops *allocator(const char *name)
{
	return strcmp(name, "own") != 0 ? dmasim_iova_by_name(name) : &plain_iova;
}

static inline int setup(void **state)
{
	const struct iova_allocator_ops *ops = allocator(*state);
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .iova_ops = ops });
	if (!f->s)
		return -1;
	dmasim_iova_domain_init(f->s, &f->iovad, SZ_4K, 1);
	f->tells = ops->next;
	*state = f;
	return 0;
}

/* Leaks of a test fail here. */
static inline int teardown(void **state)
{
	struct fixture *f = *state;
	u64 leaks;

	put_iova_domain(&f->iovad);
	leaks = dmasim_destroy(f->s);
	free(f);
	return leaks ? -1 : 0;
}

static inline u64 records(struct fixture *f)
{
	return dmasim_in_use(f->s, DMASIM_FAULT_IOVA_RECORD);
}

static inline struct iova *must_alloc(struct fixture *f, dmasim_ulong size, bool aligned)
{
	struct iova *iova = alloc_iova(&f->iovad, size, LAST, aligned);

	assert_non_null(iova);
	expect_u64(iova_size(iova), size);
	return iova;
}

#define WITH(name, test)                                                           \
	{                                                                          \
#test "__" #name, test, setup, teardown, (void *)(uintptr_t) #name \
	}

#endif
