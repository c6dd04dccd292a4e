/* SPDX-License-Identifier: MIT */
/*
 * Random machines for the import: trees of any depth with switches, multi-function devices,
 * virtual functions, conventional PCI and its bridges, several host bridges, and any ACS
 * capability, control word and egress control vector in any function that may have one. Some
 * functions bear numbers that Linux's quirk tables know. All memory is decoded, and everybody may
 * master the bus.
 *
 *   host bridge i   bus 0x40 * i, addresses from 0x80000000 + i * 0x10000000
 */
#ifndef PROPERTY_RANDOM_MACHINE_H
#define PROPERTY_RANDOM_MACHINE_H

#include "property/dice.h"
#include "unit/api/dump.h"

#define RANDOM_ROOTS_MAX 3

/* How much the ports and functions of one machine isolate. */
enum random_style {
	RANDOM_ISOLATED, /* all that can be on is on */
	RANDOM_OPEN,	 /* nothing is on, or the capability is absent */
	RANDOM_MIXED,	 /* each has its own */
	RANDOM_STYLES,
};

struct random_machine {
	struct dice dice;
	enum random_style style;
	bool quirks; /* some numbers are those of quirk tables */
	u32 root_count;
	u32 next_bus;
	u64 next_address;
};

/*
 * Describes a machine in an empty dump. Its functions are those of one description for one seed,
 * everywhere.
 */
void random_machine_describe(struct random_machine *machine, struct dump *dump, u64 seed);

#endif
