/* SPDX-License-Identifier: MIT */
/*
 * What was read of an imported machine, as it was read: all functions, whether the machine has them
 * or not. An import changes some registers (what nobody can know reads as zeros, function 0 says
 * that it is not alone), and software writes others later; here the first are as recorded and the
 * second as they are.
 */
#ifndef MACHINE_IMPORT_RECORD_H
#define MACHINE_IMPORT_RECORD_H

#include <bsd/sys/queue.h>

#include <dmasim/types.h>

struct dmasim;
struct hw_function;
struct memory;

/* A register that the import changed. */
struct import_change {
	u16 at;
	u8 made; /* what it made of it */
};

struct import_record {
	STAILQ_ENTRY(import_record) link;
	u32 domain; /* as recorded: it can have more than 16 bits */
	u8 bus;
	u8 devfn;
	u32 line;			    /* of its header; 0: there are no lines */
	const struct hw_function *function; /* NULL: it is not part of the machine */
	struct import_change *change;	    /* by offset */
	u32 change_count;
	u32 config_bytes; /* that were recorded */
	u8 config[];	  /* as recorded */
};

STAILQ_HEAD(import_records, import_record);

/* By domain, bus, device and function; NULL: no more, or the machine is not imported. */
const struct import_record *import_record_first(const struct dmasim *s);
const struct import_record *import_record_next(const struct import_record *record);

/* Writes config_bytes registers: as recorded where software did not change them since. */
void import_record_registers(const struct import_record *record, u8 *registers);

/* The import's own. NULL: no memory. Registers are copied. */
struct import_record *import_record_new(struct memory *memory, const u8 *config, u32 config_bytes);
void import_record_free(struct memory *memory, struct import_record *record);

/* The function was made of the record. 0 or -ENOMEM. */
int import_record_made(struct memory *memory, struct import_record *record,
		       const struct hw_function *function);

void import_records_fini(struct memory *memory, struct import_records *records);

#endif
