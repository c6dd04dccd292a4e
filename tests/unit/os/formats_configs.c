/* SPDX-License-Identifier: MIT */
/*
 * More configurations of the formats: what a table can be beside what formats.c and formats_more.c
 * have. Features, widths, tops of several tables, sizes that a domain leaves out, encrypted memory.
 */
#include "judges.h"

#define SIZES_4K_1G (1ULL << 12 | 1ULL << 30)

/* clang-format off */

/* ---- VT-d ------------------------------------------------------------------------------------ */

FORMAT_CASE(vtdss_lean, vtdss, vtdss, 12, false, false,
	    .levels = 4, .pa_bits = 46, .huge_1g = true, .coherent = true,
	    .page_sizes = SIZES_4K_1G);

/* ---- AMD ------------------------------------------------------------------------------------- */

/* From three levels to all that there are, every size but 512 GiB. */
FORMAT_CASE(amdv1_grows_6, amdv1, amdv1, 12, false, false,
	    .levels = 3, .levels_max = 6, .pa_bits = 52, .coherent = true, .snoop = true);
FORMAT_CASE(amdv1_lean, amdv1, amdv1, 12, false, false,
	    .levels = 4, .pa_bits = 48, .coherent = true, .page_sizes = SIZES_4K_1G);
/* 16 KiB, 256 KiB, 4 MiB, 64 MiB: no level's own size but the smallest. */
FORMAT_CASE(amdv1_coded, amdv1, amdv1, 12, false, false,
	    .levels = 4, .pa_bits = 48, .coherent = true, .page_sizes = 0x4444000);
FORMAT_CASE(amdv1_encrypted, amdv1, plain, 12, false, false,
	    .levels = 4, .pa_bits = 47, .coherent = true, .page_sizes = 0x40401000,
	    .encryption = 1ULL << 47);

/* ---- x86-64 ---------------------------------------------------------------------------------- */

FORMAT_CASE(x86_64_no_1g, x86_64, x86_64, 12, true, true,
	    .levels = 4, .pa_bits = 46, .coherent = true);
FORMAT_CASE(x86_64_lean, x86_64, x86_64, 12, true, true,
	    .levels = 5, .pa_bits = 46, .huge_1g = true, .coherent = true,
	    .page_sizes = SIZES_4K_1G);
/* AMD's: 47 bits without a sign. */
FORMAT_CASE(x86_64_encrypted, x86_64, plain, 12, true, true,
	    .levels = 4, .pa_bits = 47, .huge_1g = true, .features = PGTABLE_LOWER_HALF,
	    .encryption = 1ULL << 51);

/* ---- RISC-V ---------------------------------------------------------------------------------- */

FORMAT_CASE(riscv_57_pbmt, riscv, riscv, 12, true, true,
	    .levels = 5, .pa_bits = 56, .coherent = true,
	    .features = PGTABLE_PBMT | PGTABLE_LOWER_HALF);
FORMAT_CASE(riscv_48x4, riscv_g, riscv, 12, true, false,
	    .levels = 4, .pa_bits = 56, .coherent = true,
	    .features = PGTABLE_NAPOT | PGTABLE_PBMT);
FORMAT_CASE(riscv_57x4, riscv_g, riscv, 12, true, false,
	    .levels = 5, .pa_bits = 50, .features = PGTABLE_NAPOT);

/* ---- Armv8 ----------------------------------------------------------------------------------- */

FORMAT_CASE(armv8_s1_4k_3, armv8_s1_4k, arm, 12, true, false,
	    .levels = 3, .pa_bits = 40, .coherent = true,
	    .features = PGTABLE_HW_DIRTY | PGTABLE_NON_SECURE);
FORMAT_CASE(armv8_s1_4k_lean, armv8_s1_4k, arm, 12, true, false,
	    .levels = 4, .pa_bits = 48, .coherent = true, .page_sizes = SIZES_4K_1G,
	    .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2);
FORMAT_CASE(armv8_s1_4k_lpa2, armv8_s1_4k_lpa2, arm, 12, true, false,
	    .levels = 5, .pa_bits = 52, .coherent = true,
	    .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2 | PGTABLE_HW_DIRTY);
FORMAT_CASE(armv8_s1_16k_lpa2, armv8_s1_16k_lpa2, arm, 14, true, false,
	    .levels = 4, .pa_bits = 52, .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2);
FORMAT_CASE(armv8_s1_64k_48, armv8_s1_64k, arm, 16, true, false,
	    .levels = 3, .pa_bits = 48, .features = PGTABLE_BBML2 | PGTABLE_HW_DIRTY);
FORMAT_CASE(armv8_s2_4k_many, armv8_s2_4k, arm, 12, false, false,
	    .levels = 3, .pa_bits = 42, .top_extra_lg2 = 3,
	    .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2);
FORMAT_CASE(armv8_s2_16k, armv8_s2_16k, arm, 14, false, false,
	    .levels = 3, .pa_bits = 48, .top_extra_lg2 = 1, .coherent = true,
	    .features = PGTABLE_CONTIGUOUS | PGTABLE_S2FWB);
FORMAT_CASE(armv8_s2_16k_lpa2, armv8_s2_16k_lpa2, arm, 14, false, false,
	    .levels = 4, .pa_bits = 52, .coherent = true, .features = PGTABLE_BBML2);
FORMAT_CASE(armv8_s2_64k, armv8_s2_64k, arm, 16, false, false,
	    .levels = 2, .pa_bits = 52, .top_extra_lg2 = 4, .coherent = true,
	    .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2);

/* ---- Mock ------------------------------------------------------------------------------------ */

FORMAT_CASE(mock_lean, mock, plain, 11, false, false,
	    .levels = 5, .pa_bits = 51, .page_sizes = 0x100800);

/* clang-format on */
