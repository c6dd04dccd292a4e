/* SPDX-License-Identifier: MIT */
#include "machine/export.h"

#include <bsd/stdlib.h>

#include <errno.h>
#include <string.h>

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

static void add_record(struct export *export, const struct import_record *record)
{
	export->function[export->function_count++] = (struct export_function){
		.domain = record->domain,
		.bus = record->bus,
		.devfn = record->devfn,
		.config_bytes = record->config_bytes,
		.record = record,
		.hw = record->function,
	};
}

static void add_function(struct export *export, const struct hw_function *function)
{
	dmasim_sbdf id = hw_function_sbdf(function);

	if (!hw_function_answers(function))
		return;
	export->function[export->function_count++] = (struct export_function){
		.domain = dmasim_domain(id >> 16),
		.bus = (u8)(id >> 8),
		.devfn = (u8)id,
		.config_bytes = function->config_bytes,
		.hw = function,
	};
}

static void add_below(struct export *export, const struct hw_bus *bus)
{
	const struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		add_function(export, function);
		if (function->secondary)
			add_below(export, function->secondary);
	}
}

/* By address; what was read comes before the function that was made of it. */
static int compare(const void *left, const void *right)
{
	const struct export_function *a = left, *b = right;
	u64 at_a = (u64)a->domain << 17 | (u64)a->bus << 9 | (u64)a->devfn << 1 | !a->record;
	u64 at_b = (u64)b->domain << 17 | (u64)b->bus << 9 | (u64)b->devfn << 1 | !b->record;

	return (at_a > at_b) - (at_a < at_b);
}

static void keep_first_of_each(struct export *export)
{
	u32 kept = 0;

	for (u32 i = 0; i < export->function_count; i++) {
		const struct export_function *function = &export->function[i];
		const struct export_function *before = kept ? &export->function[kept - 1] : NULL;

		if (!before || before->domain != function->domain || before->bus != function->bus ||
		    before->devfn != function->devfn)
			export->function[kept++] = *function;
	}
	export->function_count = kept;
}

int export_init(struct export *export, struct dmasim *s)
{
	const struct import_record *record;
	const struct hw_root *root;
	u32 count = 0;

	machine_exists(s);
	*export = (struct export){ .s = s };
	for (record = import_record_first(s); record; record = import_record_next(record))
		count++;
	TAILQ_FOREACH(root, &s->hw.roots, link)
		count += count_below(&root->bus);
	if (!count)
		return 0;
	export->function = memory_alloc(&s->world.memory, DMASIM_FAULT_IMPORT,
					count * sizeof(*export->function));
	if (!export->function)
		return -ENOMEM;
	for (record = import_record_first(s); record; record = import_record_next(record))
		add_record(export, record);
	TAILQ_FOREACH(root, &s->hw.roots, link)
		add_below(export, &root->bus);
	heapsort(export->function, export->function_count, sizeof(*export->function), compare);
	keep_first_of_each(export);
	return 0;
}

void export_fini(struct export *export)
{
	memory_free(&export->s->world.memory, export->function);
}

void export_put_name(FILE *to, const struct export_function *function, const char marks[2])
{
	u32 device = PCI_SLOT(function->devfn), number = PCI_FUNC(function->devfn);

	fprintf(to, "%04x%c%02x%c%02x%c%u", function->domain, marks[0], function->bus, marks[0],
		device, marks[1], number);
}

void export_registers(const struct export_function *function, u8 *registers)
{
	if (function->record)
		import_record_registers(function->record, registers);
	else
		memcpy(registers, function->hw->config, function->config_bytes);
}

int export_end(FILE *to)
{
	return fflush(to) || ferror(to) ? -EIO : 0;
}
