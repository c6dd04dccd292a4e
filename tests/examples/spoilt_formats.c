/* SPDX-License-Identifier: MIT */
#include "spoilt_formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct pgtable_ops *spoilt_vtdss(void)
{
	return dmasim_pgtable_by_name("vtdss");
}

/* A good table in which some functions are replaced. */
static struct pgtable_ops ops_of(const struct spoilt *spoilt)
{
	struct pgtable_ops ops = spoilt->base ? *dmasim_pgtable_by_name(spoilt->base) : *GOOD;

#define REPLACE(function)         \
	if (spoilt->ops.function) \
	ops.function = spoilt->ops.function
	REPLACE(init);
	REPLACE(fini);
	REPLACE(map);
	REPLACE(unmap);
	REPLACE(iova_to_phys);
	REPLACE(iterate);
	REPLACE(read_and_clear_dirty);
	REPLACE(protect);
	REPLACE(cut);
	REPLACE(collapse);
#undef REPLACE
	/* A cut that does nothing is found by what comes after it. */
	if (spoilt->ops.cut)
		ops.collapse = NULL;
	return ops;
}

void spoilt_is_found(const struct spoilt *spoilt, size_t number)
{
	const struct dmasim_pgtable_conform_options options = { DMASIM_PGTABLE_CONFORM,
								.scale_percent = 1 };
	struct dmasim_walker_ops walker = three_level_walker;
	const struct pgtable_ops ops = ops_of(spoilt);
	struct dmasim_pgtable_subject subject = { DMASIM_PGTABLE_SUBJECT, .ops = &ops,
						  .walker = spoilt->base ? NULL : &walker,
						  .config = spoilt->config,
						  .no_write_only = spoilt->no_write_only };
	char *text = NULL, expected[64], *at;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	if (!subject.config.levels)
		subject.config.levels = 3;
	if (spoilt->walker.walk)
		walker.walk = spoilt->walker.walk;
	dmasim_pgtable_conform(&subject, &options, out);
	fclose(out);
	snprintf(expected, sizeof(expected), " - %s: ", spoilt->check);
	at = strstr(text, "not ok ");
	if (at)
		at[strcspn(at, "\n")] = '\0';
	if (!at || !strstr(at, expected) || !strstr(at, spoilt->says))
		fail_msg("mistake %zu: '%s', expected '%s ... %s'", number, at ? at : "conforms",
			 expected, spoilt->says);
	free(text);
}
