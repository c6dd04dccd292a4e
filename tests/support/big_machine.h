/* SPDX-License-Identifier: MIT */
/*
 * The dump of a large machine, the same each time:
 *
 *   host bridge, two in each domain
 *    |-- 00.0 its own function
 *    +-- 01.0 ... root ports -- switch -- downstream ports -- a card with 8 functions, of which
 *                                                             the first has 8 virtual ones
 *
 * Everything is Express, with all 4096 registers, ACS at ports, a BAR in each function, windows.
 */
#ifndef SUPPORT_BIG_MACHINE_H
#define SUPPORT_BIG_MACHINE_H

#include <stdio.h>

#include <dmasim/dmasim.h>

struct big_machine {
	u32 host_bridges; /* up to 64 */
	u32 root_ports;	  /* of each host bridge; root_ports * (2 + cards) is 127 at most */
	u32 cards;	  /* below each root port */
};

/* 10,266 functions. */
#define BIG_MACHINE ((struct big_machine){ .host_bridges = 6, .root_ports = 5, .cards = 20 })

/* Writes what lspci -xxxx would. Returns how many functions there are. */
u32 big_machine_write(const struct big_machine *machine, FILE *file);

#endif
