/* SPDX-License-Identifier: MIT */
/*
 * A small machine that many tests use:
 *
 *   host bridge 00
 *    |-- 00:01.0 root port -- switch --+-- 00.0 -- nvme   16 KiB BAR
 *    |                                 +-- 01.0 -- gpu    1 GiB BAR
 *    |                                 +-- 02.0 -- nic    1 MiB BAR
 *    +-- 00:02.0 root port -- disk     16 KiB BAR
 */
#ifndef SUPPORT_RIG_H
#define SUPPORT_RIG_H

#include "support/expect.h"
#include "support/lint.h"

struct rig {
	struct dmasim *s;
	struct pci_dev *nvme;
	struct pci_dev *gpu;
	struct pci_dev *nic;
	struct pci_dev *disk;
	struct rig_trace trace;
};

/*
 * Zero is a rig behind VT-d whose ports isolate. All devices have 64-bit masks, and ATS if the
 * configuration has device TLBs.
 */
void rig_init(struct rig *rig, const struct dmasim_config *config);

/* Also fails the test if the software leaked memory. */
void rig_fini(struct rig *rig);

/* CMocka's set-up and tear-down around one rig, with defaults or another: *state is the rig. */
int rig_setup(void **state);
int rig_setup_with(void **state, const struct dmasim_config *config);
int rig_teardown(void **state);

/* Bytes that differ from place to place and with the seed. */
void fill_pattern(void *buffer, size_t bytes, u64 seed);

/* Maps memory for the nvme, which writes all of it, and unmaps it. */
void rig_map_and_use(struct rig *rig, u64 bytes);

/* How many reports of one kind there are so far, expected or not. */
u32 count_reports(struct dmasim *s, enum dmasim_report_id id);

/* Prints every report in full: for a test that is about to fail. */
void print_reports(struct dmasim *s);

#endif
