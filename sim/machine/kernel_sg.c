/* SPDX-License-Identifier: MIT */
/*
 * Tables of scatterlist entries, in chained arrays that fit a page.
 */
#include <errno.h>

#include "machine/machine.h"

#define ARRAY_ENTRIES ((unsigned int)(PAGE_SIZE / sizeof(struct scatterlist)))

static struct scatterlist *new_array(unsigned int entries, gfp_t gfp)
{
	struct scatterlist *array = kmalloc(entries * sizeof(*array), gfp);

	if (array)
		sg_init_table(array, entries);
	return array;
}

int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp)
{
	struct scatterlist *last = NULL;
	unsigned int left = nents;

	*table = (struct sg_table){ 0 };
	if (!nents)
		return -EINVAL;
	while (left) {
		bool chained = left > ARRAY_ENTRIES;
		unsigned int entries = chained ? ARRAY_ENTRIES : left;
		struct scatterlist *array = new_array(entries, gfp);

		if (!array) {
			sg_free_table(table);
			return -ENOMEM;
		}
		if (last) {
			/* Its last entry becomes the link, and loses the mark of the end. */
			sg_chain(last, ARRAY_ENTRIES, array);
			table->orig_nents--;
		} else {
			table->sgl = array;
		}
		table->orig_nents += entries;
		left -= chained ? entries - 1 : entries;
		last = array;
	}
	table->nents = table->orig_nents;
	return 0;
}

void sg_free_table(struct sg_table *table)
{
	struct scatterlist *array = table->sgl;
	unsigned int left = table->orig_nents;

	while (array) {
		const struct scatterlist *link = &array[ARRAY_ENTRIES - 1];
		struct scatterlist *next = NULL;

		if (left > ARRAY_ENTRIES) {
			next = (struct scatterlist *)(link->page_link & ~SG_PAGE_LINK_MASK);
			left -= ARRAY_ENTRIES - 1;
		}
		kfree(array);
		array = next;
	}
	*table = (struct sg_table){ 0 };
}
