/* SPDX-License-Identifier: MIT */
/*
 * The page-table formats under test, each with a judge that reads its bytes in RAM as hardware
 * does. Every test of tables runs on every row of this list; a new format is a row more.
 */
#ifndef UNIT_OS_FORMATS_H
#define UNIT_OS_FORMATS_H

#include <string.h>

#include "support/expect.h"

#include "machine/machine.h"
#include "pgtable/formats.h"

struct format_fixture;

/* What the hardware makes of one address. */
struct seen {
	bool read, write; /* neither: not mapped */
	phys_addr_t phys;
	u8 page_lg2;
};

/* One leaf that the hardware finds in a range. */
struct seen_leaf {
	u64 iova, bytes;
	phys_addr_t phys;
	bool read, write;
};
typedef void seen_leaf_fn(void *cookie, const struct seen_leaf *leaf);

struct format_case {
	const struct pgtable_ops *ops;
	struct pgtable_config config; /* but for os */
	u8 granule_lg2;
	u8 index_lg2;	  /* log2 of the entries of a table */
	bool signed_iova; /* the lower half of its addresses ends below half its width */
	bool write_reads; /* there is no write-only: what may be written may be read */
	struct seen (*walk)(const struct format_fixture *fixture, u64 iova);
	void (*walk_range)(const struct format_fixture *fixture, u64 start, u64 last,
			   seen_leaf_fn *leaf, void *cookie);
};

/* One table on a machine of its own. */
struct format_fixture {
	const struct format_case *format;
	struct dmasim *s;
	struct hw_iommu *iommu; /* its walker is the judge of VT-d and AMD tables */
	struct pgtable_config config;
	struct pgtable pt;
	struct iommu_iotlb_gather gather; /* of the last map or unmap */
	u64 mapped;			  /* what the last map added */
	void *extra;			  /* a test's own, ended by tear-down */
	void (*end_extra)(void *extra);
};

/* initial state: the case; *state is the fixture. Tear-down fails if a table page is left. */
int format_setup(void **state);
int format_teardown(void **state);

/*
 * A row of a test list: the test on one format. Names are those of the cases below.
 */
#define ON_FORMAT(format, test)                                            \
	{                                                                  \
#test " on " #format, test, format_setup, format_teardown, \
			(void *)&format_##format                           \
	}

/* VT-d's with all its sizes of leaves. */
#define ON_VTDSS(test)                                                                \
	ON_FORMAT(vtdss_4, test), ON_FORMAT(vtdss_5, test), ON_FORMAT(vtdss_3, test), \
		ON_FORMAT(vtdss_snoop, test), ON_FORMAT(vtdss_incoherent, test)

/* Formats with 4 KiB, 2 MiB and 1 GiB leaves, on which addresses of real cases make sense. */
#define ON_X86_SIZES(test) ON_VTDSS(test), ON_FORMAT(amdv1_3, test), ON_FORMAT(amdv1_5, test)

/* Those whose addresses repeat their highest bit are tried in the lower half here. */
#define ON_X86_64(test)	       ON_FORMAT(x86_64_4, test), ON_FORMAT(x86_64_5, test)
#define ON_ARMV8_3_SIZES(test) ON_FORMAT(armv8_s1_4k, test), ON_FORMAT(armv8_s2_4k, test)

/* Formats with three sizes of leaves. */
#define ON_FORMATS_OF_3_SIZES(test)                                                               \
	ON_X86_SIZES(test), ON_FORMAT(half_pages, test), ON_X86_64(test), ON_ARMV8_3_SIZES(test), \
		ON_FORMAT(riscv_39, test), ON_FORMAT(riscv_39x4, test)

/* All that have no sizes between those of their levels. */
#define ON_EVERY_FORMAT(test) ON_FORMATS_OF_3_SIZES(test), ON_FORMAT(vtdss_no_1g, test)

/* All, with one whose leaves may have any power of two up to 1 GiB, and one that grows. */
#define ON_EVERY_FORMAT_AND_SIZE(test)                                                     \
	ON_EVERY_FORMAT(test), ON_FORMAT(amdv1_sizes, test), ON_FORMAT(amdv1_grows, test), \
		ON_FORMAT(riscv_48, test), ON_FORMAT(riscv_57, test),                      \
		ON_FORMAT(armv8_s1_4k_many, test), ON_FORMAT(armv8_s1_16k, test),          \
		ON_FORMAT(armv8_s1_64k, test), ON_FORMAT(armv8_s2_4k_lpa2, test),          \
		ON_FORMAT(mock, test)

/* Those whose addresses repeat their highest bit, in both halves. */
#define ON_SIGNED(test)                                                                  \
	ON_FORMAT(x86_64_4, test), ON_FORMAT(x86_64_5, test), ON_FORMAT(riscv_39, test), \
		ON_FORMAT(riscv_48, test), ON_FORMAT(riscv_57, test)

/* What formats_configs.c has: most of them without what the lists above are about. */
#define ON_MORE_CONFIGURATIONS(test)                                                              \
	ON_FORMAT(vtdss_lean, test), ON_FORMAT(amdv1_grows_6, test), ON_FORMAT(amdv1_lean, test), \
		ON_FORMAT(amdv1_coded, test), ON_FORMAT(amdv1_encrypted, test),                   \
		ON_FORMAT(x86_64_no_1g, test), ON_FORMAT(x86_64_lean, test),                      \
		ON_FORMAT(x86_64_encrypted, test), ON_FORMAT(riscv_57_pbmt, test),                \
		ON_FORMAT(riscv_48x4, test), ON_FORMAT(riscv_57x4, test),                         \
		ON_FORMAT(armv8_s1_4k_3, test), ON_FORMAT(armv8_s1_4k_lean, test),                \
		ON_FORMAT(armv8_s1_4k_lpa2, test), ON_FORMAT(armv8_s1_16k_lpa2, test),            \
		ON_FORMAT(armv8_s1_64k_48, test), ON_FORMAT(armv8_s2_4k_many, test),              \
		ON_FORMAT(armv8_s2_16k, test), ON_FORMAT(armv8_s2_16k_lpa2, test),                \
		ON_FORMAT(armv8_s2_64k, test), ON_FORMAT(mock_lean, test)

extern const struct format_case format_vtdss_4;
extern const struct format_case format_vtdss_5;
extern const struct format_case format_vtdss_3;
extern const struct format_case format_vtdss_no_1g;
extern const struct format_case format_vtdss_snoop;
extern const struct format_case format_vtdss_incoherent; /* the walker sees flushed memory only */
extern const struct format_case format_amdv1_3;		 /* 4 KiB, 2 MiB, 1 GiB */
extern const struct format_case format_amdv1_5;		 /* the same, and no snooping */
extern const struct format_case format_amdv1_grows;	 /* from 3 levels to 5; no snooping */
extern const struct format_case
	format_amdv1_sizes; /* 4 KiB, 8 KiB, ..., 1 GiB; sees flushed memory only */

extern const struct format_case format_x86_64_4;
extern const struct format_case format_x86_64_5; /* sees flushed memory only */
extern const struct format_case format_riscv_39;
extern const struct format_case format_riscv_48; /* with Svnapot and Svpbmt */
extern const struct format_case format_riscv_57; /* with Svnapot; sees flushed memory only */
extern const struct format_case format_riscv_39x4;
extern const struct format_case format_armv8_s1_4k;
extern const struct format_case format_armv8_s1_4k_many; /* contiguous; flushed memory only */
extern const struct format_case format_armv8_s1_16k;	 /* contiguous */
extern const struct format_case format_armv8_s1_64k;	 /* contiguous */
extern const struct format_case format_armv8_s1_4k_bbm;	 /* may be cut; flushed memory only */
extern const struct format_case format_armv8_s1_16k_bbm; /* the same, and marks what is written */
extern const struct format_case format_armv8_s2_4k;	 /* 16 top tables of level 1 */
extern const struct format_case format_armv8_s2_4k_lpa2; /* of 5 levels */
extern const struct format_case format_mock;

extern const struct format_case format_vtdss_lean;
extern const struct format_case format_amdv1_grows_6;
extern const struct format_case format_amdv1_lean;
extern const struct format_case format_amdv1_coded;
extern const struct format_case format_amdv1_encrypted;
extern const struct format_case format_x86_64_no_1g;
extern const struct format_case format_x86_64_lean;
extern const struct format_case format_x86_64_encrypted;
extern const struct format_case format_riscv_57_pbmt;
extern const struct format_case format_riscv_48x4;
extern const struct format_case format_riscv_57x4;
extern const struct format_case format_armv8_s1_4k_3;
extern const struct format_case format_armv8_s1_4k_lean;
extern const struct format_case format_armv8_s1_4k_lpa2;
extern const struct format_case format_armv8_s1_16k_lpa2;
extern const struct format_case format_armv8_s1_64k_48;
extern const struct format_case format_armv8_s2_4k_many;
extern const struct format_case format_armv8_s2_16k;
extern const struct format_case format_armv8_s2_16k_lpa2;
extern const struct format_case format_armv8_s2_64k;
extern const struct format_case format_mock_lean;

/*
 * A format of the tests' own: 2 KiB granule, tables of 256 entries, so that whatever takes one page
 * size for granted stumbles. Leaves of 2 KiB, 512 KiB and 128 MiB.
 */
extern const struct format_case format_half_pages;

/* The word at an address of memory, byte by byte. */
u64 format_word(struct dmasim *s, phys_addr_t at);

/* IOMMU_ bits by their letters in tests/data/pte-vectors.tsv. */
u32 format_prot(const char *letters);

/* ---- Doing and looking ----------------------------------------------------------------------- */

int format_map(struct format_fixture *fixture, u64 iova, phys_addr_t phys, u64 bytes, u32 prot);
u64 format_unmap(struct format_fixture *fixture, u64 iova, u64 bytes);

/* Frees the tables on the gather's list, as after an invalidation. Returns how many. */
u32 format_release(struct format_fixture *fixture);

/* Tables that are there, those on a gather's list included. */
u64 format_tables(const struct format_fixture *fixture);

/* log2 of the addresses from 0 on that it has. */
u8 format_width(const struct format_fixture *fixture);

/* Memory that a leaf of this size may lead to: 16 GiB, or what is aligned to it. */
phys_addr_t format_phys(u64 size);

/* What a device may do with what was mapped so. */
u32 format_shows(const struct format_fixture *fixture, u32 prot);

/* A request beyond plain reads and writes. */
struct format_request {
	bool write, execute, privileged;
};

/* True if hardware lets it pass; where entries know none of this, as a read or a write. */
bool format_may(const struct format_fixture *fixture, u64 iova,
		const struct format_request *request);

/* Fails unless [iova, iova + bytes) leads to phys, for hardware and software. */
void format_expect(struct format_fixture *fixture, u64 iova, phys_addr_t phys, u64 bytes, u32 prot);
void format_expect_absent(struct format_fixture *fixture, u64 iova, u64 bytes);

/* How many leaves hardware finds in all of the table; by log2 of their size. */
struct leaf_counts {
	u64 all;
	u64 of_size[64];
};
struct leaf_counts format_leaves(const struct format_fixture *fixture);

/* The sizes of the format, smallest first: size_lg2(fixture, 0) is the granule. 0: no more. */
u8 format_size_lg2(const struct format_fixture *fixture, u32 index);

/* The formulas of the walker, for comparison with their plain meaning. */
u8 formula_best_size_lg2(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes);
u64 formula_leaf_count(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes, u8 lg2);

#endif
