/* SPDX-License-Identifier: MIT */
/*
 * A machine described in a program: which functions there are, and the registers of each that are
 * not zero. dmasim_export_c() writes such a program from a machine that was imported or built:
 *
 *   dmasim topo box.hex --as c >box.c        int build_machine(struct dmasim *, ...)
 *
 * which is to be kept beside a test, read, and changed: a description can be cut down to the
 * functions that matter, or have other registers.
 */
#ifndef DMASIM_DESCRIPTION_H
#define DMASIM_DESCRIPTION_H

#include <stdio.h>

#include <dmasim/topology.h>

/* Four bytes of configuration space, the lowest first. `at` is a multiple of 4. */
struct dmasim_register {
	u16 at;
	u32 value;
};

struct dmasim_function {
	const char *bdf;  /* "0000:3a:00.0" or "3a:00.0"; VMD's domains have more digits */
	u32 config_bytes; /* that are known: 64, 256 or 4096; 0: 4096 */
	const struct dmasim_register *registers; /* the others are zero */
	u32 register_count;
	u64 bar[PCI_STD_NUM_BARS];    /* sizes, powers of two; 0: as its registers suggest */
	u64 vf_bar[PCI_STD_NUM_BARS]; /* of one virtual function (SR-IOV) */
	u8 bar_inferred;	      /* bit n: the size of BAR n is a guess */
	u8 vf_bar_inferred;
	bool acs_hidden; /* nothing is known of ACS, whatever its registers say */
	u32 ats_entries; /* of its TLB, if it has ATS; 0: 32 */
};

/* In the initialiser of a struct dmasim_function: its registers are all of this array. */
#define DMASIM_REGISTERS(array) \
	.registers = (array), .register_count = sizeof(array) / sizeof((array)[0])

struct dmasim_description {
	const struct dmasim_function *functions; /* in any order */
	u32 function_count;
	/* Of host bridges, by the numbers of their root buses; none at all: they are inferred. */
	const struct dmasim_window *windows;
	u32 window_count;
	/* Those that do not take all addresses for memory; segment, bus and the ranges are read. */
	const struct dmasim_host_bridge *host_bridges;
	u32 host_bridge_count;
};

DMASIM_BEGIN_DECLS

/*
 * Becomes the machine that is described, which is copied: as dmasim_import_lspci() does, with what
 * a dump cannot say. Errors of the description name the function by its place in it, from 1 on. 0;
 * -EINVAL with *error filled in and nothing added; -ENOMEM.
 */
DMASIM_API int dmasim_import_description(struct dmasim *s,
					 const struct dmasim_description *description,
					 const struct dmasim_import *how,
					 struct dmasim_error *error);

/*
 * Writes the machine, imported or built, as a C function that makes it anew in a machine without
 * hardware, whose configuration is the test's own:
 *
 *   int NAME(struct dmasim *s, struct dmasim_error *error);
 *
 * It compiles as C and C++, and returns what dmasim_import_description() does. The machine that it
 * makes is a fixed one, as if it was imported; it has the same addresses, registers, windows,
 * traits, policies and direct regions. What answers accesses to BARs (bar_ops) is not in it. name
 * is an identifier of C. 0; -ENOMEM, with nothing written; -EIO: the file did not take all of it.
 */
DMASIM_API int dmasim_export_c(struct dmasim *s, FILE *to, const char *name);

DMASIM_END_DECLS

#endif
