/* SPDX-License-Identifier: MIT */
/*
 * Our page-table formats: one per file in this folder.
 */
#ifndef PGTABLE_FORMATS_H
#define PGTABLE_FORMATS_H

#include <dmasim/pgtable/pgtable.h>

/* Intel VT-d second stage. */
extern const struct pgtable_ops pgtable_vtdss;

/* AMD's host table. */
extern const struct pgtable_ops pgtable_amdv1;

/* x86-64 as a first stage. */
extern const struct pgtable_ops pgtable_x86_64;

/* RISC-V: Sv39, Sv48, Sv57; and a G stage's x4 forms of them. */
extern const struct pgtable_ops pgtable_riscv;
extern const struct pgtable_ops pgtable_riscv_g;

/* Armv8: two stages, three granules, wider addresses. */
extern const struct pgtable_ops pgtable_armv8_s1_4k;
extern const struct pgtable_ops pgtable_armv8_s1_16k;
extern const struct pgtable_ops pgtable_armv8_s1_64k;
extern const struct pgtable_ops pgtable_armv8_s1_4k_lpa2;
extern const struct pgtable_ops pgtable_armv8_s1_16k_lpa2;
extern const struct pgtable_ops pgtable_armv8_s2_4k;
extern const struct pgtable_ops pgtable_armv8_s2_16k;
extern const struct pgtable_ops pgtable_armv8_s2_64k;
extern const struct pgtable_ops pgtable_armv8_s2_4k_lpa2;
extern const struct pgtable_ops pgtable_armv8_s2_16k_lpa2;

/* A granule of 2 KiB: no hardware's. */
extern const struct pgtable_ops pgtable_mock;

#endif
