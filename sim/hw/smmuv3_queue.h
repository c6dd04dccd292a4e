/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3's commands, as hardware reads them (facts "iova-and-page-tables" 3.4).
 */
#ifndef HW_SMMUV3_QUEUE_H
#define HW_SMMUV3_QUEUE_H

#include <dmasim/types.h>

/* What one command asks for. Members that its opcode does not have are 0. */
struct hw_smmuv3_command {
	u8 opcode; /* SMMUV3_CMD_ */

	/* CFGI, PREFETCH, ATC_INV */
	u32 stream;
	u32 streams_ignored; /* bits of it that do not count */
	bool has_substream;
	bool all_substreams;
	u32 substream;

	/* TLBI, ATC_INV */
	u16 asid;
	bool tables; /* cached table entries, too */
	u8 level;    /* of the leaves that are meant, from 0; only with has_level */
	bool has_level;
	u8 granule_lg2; /* of a range; 0: it is none */
	u64 start;	/* [start, last] */
	u64 last;

	/* SYNC */
	bool interrupt;
	bool store;
	phys_addr_t store_at;
	u32 value;
};

/* What the unit has of it; else its commands, and fields, are not known. */
struct hw_smmuv3_has {
	bool ranges;	 /* RIL */
	bool device_tlb; /* ATS */
};

/*
 * Decodes two words, host byte order. False: the command is illegal (CERROR_ILL): an opcode that a
 * unit with one stage, non-secure and without page requests does not know, a field with a reserved
 * value, a bit that is set and means nothing.
 */
bool hw_smmuv3_decode(const u64 word[2], const struct hw_smmuv3_has *has,
		      struct hw_smmuv3_command *command);

#endif
