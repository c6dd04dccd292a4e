/* SPDX-License-Identifier: MIT */
#include "machine/export.h"

#include <bsd/stdlib.h>

#include <errno.h>

static u32 count_below(const struct hw_bus *bus)
{
	const struct hw_function *function;
	u32 count = 0;

	TAILQ_FOREACH(function, &bus->functions, link) {
		count++;
		if (function->secondary)
			count += count_below(function->secondary);
	}
	return count;
}

static void add_below(struct export *export, const struct hw_bus *bus)
{
	const struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		export->function[export->function_count++] = (struct export_function){
			.domain = bus->root->segment,
			.bus = hw_bus_number(bus),
			.devfn = function->devfn,
			.config_bytes = function->config_bytes,
			.config = function->config,
			.hw = function,
		};
		if (function->secondary)
			add_below(export, function->secondary);
	}
}

static int compare(const void *left, const void *right)
{
	const struct export_function *a = left, *b = right;
	u64 at_a = (u64)a->domain << 16 | (u64)a->bus << 8 | a->devfn;
	u64 at_b = (u64)b->domain << 16 | (u64)b->bus << 8 | b->devfn;

	return (at_a > at_b) - (at_a < at_b);
}

int export_init(struct export *export, struct dmasim *s)
{
	const struct hw_root *root;
	u32 count = 0;

	machine_exists(s);
	*export = (struct export){ .s = s };
	TAILQ_FOREACH(root, &s->hw.roots, link)
		count += count_below(&root->bus);
	if (!count)
		return 0;
	export->function = memory_alloc(&s->world.memory, DMASIM_FAULT_IMPORT,
					count * sizeof(*export->function));
	if (!export->function)
		return -ENOMEM;
	TAILQ_FOREACH(root, &s->hw.roots, link)
		add_below(export, &root->bus);
	heapsort(export->function, count, sizeof(*export->function), compare);
	return 0;
}

void export_fini(struct export *export)
{
	memory_free(&export->s->world.memory, export->function);
}

int export_end(FILE *to)
{
	return fflush(to) || ferror(to) ? -EIO : 0;
}
