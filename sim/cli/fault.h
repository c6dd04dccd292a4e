/* SPDX-License-Identifier: MIT */
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

#include "cli.h"

/* Lines that say who in the machine sends with this requester, or that nobody does. */
void fault_device_print(struct dmasim *s, const struct dmasim_fault_line *line);

#endif
