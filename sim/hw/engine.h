/* SPDX-License-Identifier: MIT */
/*
 * The device engine: a function masters the bus and moves bytes between itself and an address. A
 * transfer is split into TLPs: none crosses a 4 KiB boundary, writes carry at most the function's
 * maximum payload, reads ask for at most its maximum read request.
 */
#ifndef HW_ENGINE_H
#define HW_ENGINE_H

#include "hw/fabric.h"

enum hw_transfer_status {
	HW_TRANSFER_DONE,
	HW_TRANSFER_NOT_MASTER,	 /* bus mastering is off in the command register */
	HW_TRANSFER_UNSUPPORTED, /* nobody claims the address */
	HW_TRANSFER_FAULT,	 /* the IOMMU refused */
	HW_TRANSFER_BLOCKED,	 /* ACS on the way did */
	HW_TRANSFER_NO_MEMORY,	 /* the simulator has no host memory for what was written */
};

struct hw_transfer {
	enum hw_transfer_status status;
	u64 done;    /* bytes moved before the first failure */
	u64 address; /* of the failure */
	u16 fault;   /* HW_TRANSFER_FAULT: the reason; 0: its translation request got nothing */
};

/* The device reads memory into `to`, or writes `from` to memory. bytes may be 0. */
struct hw_transfer hw_engine_read(struct hw_function *function, u64 address, void *to, u64 bytes);
struct hw_transfer hw_engine_write(struct hw_function *function, u64 address, const void *from,
				   u64 bytes);

/* The same with a prefix on each request, which may be NULL. */
struct hw_transfer hw_engine_read_as(struct hw_function *function, const struct hw_prefix *prefix,
				     u64 address, void *to, u64 bytes);
struct hw_transfer hw_engine_write_as(struct hw_function *function, const struct hw_prefix *prefix,
				      u64 address, const void *from, u64 bytes);

/* The CPU's accesses. Return how many bytes were done before something was not there. */
u64 hw_cpu_read(struct hw *hw, phys_addr_t phys, void *to, u64 bytes);
u64 hw_cpu_write(struct hw *hw, phys_addr_t phys, const void *from, u64 bytes);

#endif
