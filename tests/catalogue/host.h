/* SPDX-License-Identifier: MIT */
/*
 * The CPU's side of a mapping: simulated memory as the program has it, and stores to it.
 */
#ifndef CATALOGUE_HOST_H
#define CATALOGUE_HOST_H

#include "catalogue/catalogue.h"

static inline u8 *host(struct rig *rig, phys_addr_t phys, u64 bytes)
{
	u8 *at = dmasim_ptr(rig->s, phys, bytes);

	assert_non_null(at);
	return at;
}

/* Under AddressSanitizer, too, where what a device owns is poisoned. */
__attribute__((no_sanitize("address"), noinline, unused)) static void store(volatile u8 *at,
									    u8 byte)
{
	*at = byte;
}

#endif
