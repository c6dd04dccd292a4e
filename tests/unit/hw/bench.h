/* SPDX-License-Identifier: MIT */
/*
 * Hardware without a machine around it: a world, its memory and fabric, and functions that tests
 * build register by register.
 */
#ifndef UNIT_HW_BENCH_H
#define UNIT_HW_BENCH_H

#include <sys/types.h>
#include <unistd.h>

#include "support/expect.h"

#include "hw/hw.h"

struct bench {
	struct world world;
	struct hw hw;
};

/* *state is the bench. Tear-down fails if the hardware did not give back all memory. */
int bench_setup(void **state);
int bench_teardown(void **state);

/* The same with RAM, from 0 on. */
#define BENCH_RAM_BITS 40
int bench_setup_ram(void **state);

/* Allocations that are not freed, of all points together. */
u64 bench_live(const struct bench *bench);

/* From now on the nth allocation fails, whatever it is for; 0: none. */
void bench_fail(struct bench *bench, u64 nth);

/* One command of two words, as the architectures number their bits: little-endian, executed. */
int bench_execute(struct hw_iommu *iommu, u64 low, u64 high);

/* ---- Functions ------------------------------------------------------------------------------- */

/* The registers a function starts with. Offsets of capabilities: 0, it has none. */
#define BENCH_EXPRESS_AT 0x40
#define BENCH_ACS_AT	 0x100
#define BENCH_ATS_AT	 0x140
#define BENCH_SRIOV_AT	 0x180

struct bench_bar {
	u64 bytes;
	bool is_64;
	bool io;
};

/* Virtual functions: VF BARs are 64-bit ones. */
struct bench_sriov {
	u16 total; /* 0: no capability */
	u16 offset;
	u16 stride;
	u64 bar_bytes[PCI_STD_NUM_BARS];
};

struct bench_function {
	u8 devfn;
	int express_type; /* PCI_EXP_TYPE_, -1: conventional */
	bool bridge;
	u16 acs; /* capability bits; 0: no capability */
	bool ats;
	u16 ats_bits;	 /* its capability word */
	u32 tlb_entries; /* 0: as many as usual */
	struct bench_bar bar[PCI_STD_NUM_BARS];
	struct bench_sriov sriov;
	const struct hw_bar_ops *ops;
	void *cookie;
};

/* Registers as after power-on: nothing decodes, nothing masters. */
struct hw_function *bench_add(struct bench *bench, struct hw_bus *bus,
			      const struct bench_function *what);

/* An endpoint with one 32-bit BAR that decodes [address, address + bytes) and masters the bus. */
struct hw_function *bench_endpoint(struct bench *bench, struct hw_bus *bus, u8 devfn, u64 address,
				   u64 bytes);

/* A port with all ACS capability bits, its bus numbers, and a window, which decodes. */
struct bench_port {
	u8 devfn;
	int express_type;
	u8 secondary;
	u8 subordinate;
	u32 start; /* multiples of 1 MiB; empty when start > last */
	u32 last;
};
struct hw_function *bench_port(struct bench *bench, struct hw_bus *bus,
			       const struct bench_port *port);

/* ---- Registers ------------------------------------------------------------------------------- */

void bench_command(struct hw_function *function, u16 bits);
void bench_set_bar(struct hw_function *function, u32 bar, u64 address);
void bench_set_acs(struct hw_function *function, u16 bits);
void bench_set_ats(struct hw_function *function, u16 bits);

/* ---- Contracts ------------------------------------------------------------------------------- */

/* The call must end the process with this sentence; it runs in a process of its own. */
#define expect_contract(call, sentence)                                             \
	do {                                                                        \
		struct bench_child child_ = bench_fork();                           \
                                                                                    \
		if (!child_.pid) {                                                  \
			(void)(call);                                               \
			_exit(0);                                                   \
		}                                                                   \
		bench_expect_broken(child_, (sentence), #call, __FILE__, __LINE__); \
	} while (0)

struct bench_child {
	pid_t pid;
	int output; /* what the process says before it ends */
};

struct bench_child bench_fork(void);
void bench_expect_broken(struct bench_child child, const char *sentence, const char *what,
			 const char *file, int line);

#endif
