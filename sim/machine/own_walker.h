/* SPDX-License-Identifier: MIT */
/*
 * An architecture whose tables are read by a walker of the program's own.
 */
#ifndef MACHINE_OWN_WALKER_H
#define MACHINE_OWN_WALKER_H

#include "hw/arch.h"

/* False: of that one nobody has written down how it says what a walk meets. NULL is none. */
bool machine_takes_own_walker(const struct hw_arch *like);

/*
 * The commands, contexts and fault records of another one, which takes such a walker; the tables
 * are those that hw_walker.own, a struct dmasim_walker_ops, reads.
 */
struct hw_arch machine_own_arch(const struct hw_arch *like);

#endif
