/* SPDX-License-Identifier: MIT */
#include "machine/import_record.h"

#include <errno.h>
#include <string.h>

#include "machine/machine.h"

const struct import_record *import_record_first(const struct dmasim *s)
{
	return STAILQ_FIRST(&s->records);
}

const struct import_record *import_record_next(const struct import_record *record)
{
	return STAILQ_NEXT(record, link);
}

/* Registers that both have. */
static u32 shared_bytes(const struct import_record *record)
{
	u32 made = record->function ? record->function->config_bytes : 0;

	return made < record->config_bytes ? made : record->config_bytes;
}

void import_record_registers(const struct import_record *record, u8 *registers)
{
	u32 shared = shared_bytes(record);

	memcpy(registers, record->config, record->config_bytes);
	if (!shared)
		return;
	memcpy(registers, record->function->config, shared);
	for (u32 i = 0; i < record->change_count; i++) {
		const struct import_change *change = &record->change[i];

		if (registers[change->at] == change->made)
			registers[change->at] = record->config[change->at];
	}
}

struct import_record *import_record_new(struct memory *memory, const u8 *config, u32 config_bytes)
{
	struct import_record *record;

	record = memory_alloc(memory, DMASIM_FAULT_PCI_FUNCTION, sizeof(*record) + config_bytes);
	if (!record)
		return NULL;
	record->config_bytes = config_bytes;
	memcpy(record->config, config, config_bytes);
	return record;
}

void import_record_free(struct memory *memory, struct import_record *record)
{
	if (record)
		memory_free(memory, record->change);
	memory_free(memory, record);
}

/* Where the function differs from the record. Returns how many there are. */
static u32 find_changes(const struct import_record *record, struct import_change *change)
{
	const u8 *made = record->function->config;
	u32 count = 0;

	for (u32 at = 0; at < shared_bytes(record); at++) {
		if (made[at] == record->config[at])
			continue;
		if (change)
			change[count] = (struct import_change){ (u16)at, made[at] };
		count++;
	}
	return count;
}

int import_record_made(struct memory *memory, struct import_record *record,
		       const struct hw_function *function)
{
	record->function = function;
	if (!memcmp(function->config, record->config, shared_bytes(record)))
		return 0;
	record->change_count = find_changes(record, NULL);
	record->change = memory_alloc(memory, DMASIM_FAULT_PCI_FUNCTION,
				      record->change_count * sizeof(*record->change));
	if (!record->change)
		return -ENOMEM;
	find_changes(record, record->change);
	return 0;
}

void import_records_fini(struct memory *memory, struct import_records *records)
{
	while (!STAILQ_EMPTY(records)) {
		struct import_record *record = STAILQ_FIRST(records);

		STAILQ_REMOVE_HEAD(records, link);
		import_record_free(memory, record);
	}
}
