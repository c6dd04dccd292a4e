/* SPDX-License-Identifier: MIT */
/*
 * A machine that was written down as C, and the one that it was written down from. meson compiles
 * this once for each: with what dmasim topo --as c makes of a dump, or of the machine of built.h.
 */
#include "golden/compare.h"

#ifdef DUMP
static struct dmasim *original(void)
{
	struct dmasim *s = dmasim_create(NULL);

	assert_non_null(s);
	expect_ok(dmasim_import_lspci(s, DUMP, NULL, NULL));
	return s;
}
#else
#include "golden/built.h"

static struct dmasim *original(void)
{
	return build_by_path();
}
#endif

int build_machine(struct dmasim *s, struct dmasim_error *error);

static struct dmasim *rebuilt(void)
{
	struct dmasim *s = dmasim_create(NULL);
	struct dmasim_error error = { 0 };
	int err;

	assert_non_null(s);
	err = build_machine(s, &error);
	if (err)
		print_error("%s\n", error.text);
	expect_ok(err);
	return s;
}

static char *export_text(int (*export)(struct dmasim *s, FILE *to), struct dmasim *s)
{
	char *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	assert_non_null(to);
	expect_ok(export(s, to));
	fclose(to);
	assert_true(bytes > 100);
	return text;
}

/* Tells the first line that differs. */
static void expect_same_text(int (*export)(struct dmasim *s, FILE *to), struct dmasim *a,
			     struct dmasim *b)
{
	char *left = export_text(export, a), *right = export_text(export, b);
	size_t same = 0;

	while (left[same] && left[same] == right[same])
		same++;
	if (left[same] || right[same]) {
		while (same && left[same - 1] != '\n')
			same--;
		print_error("%.*s\nbecame\n%.*s\n", (int)strcspn(left + same, "\n"), left + same,
			    (int)strcspn(right + same, "\n"), right + same);
		fail();
	}
	free(left);
	free(right);
}

static int as_c(struct dmasim *s, FILE *to)
{
	return dmasim_export_c(s, to, "again");
}

/* The number under which a request arrives at the IOMMU; -1: none does. */
static int requester_of(struct dmasim *s, struct pci_dev *pdev)
{
	struct dmasim_fault_record fault;

	dmasim_dev_write(pdev, 0x7000, "x", 1);
	return dmasim_fault_take(s, &fault) ? fault.requester : -1;
}

static void expect_same_requesters(struct dmasim *a, struct dmasim *b)
{
	struct pci_dev *pdev = NULL;

	dmasim_suppress(a, DMASIM_REPORT_IOMMU_FAULT);
	dmasim_suppress(b, DMASIM_REPORT_IOMMU_FAULT);
	while ((pdev = dmasim_next_dev(a, pdev)))
		assert_int_equal(requester_of(a, pdev),
				 requester_of(b, dmasim_pci_dev(b, pci_name(pdev))));
}

/*
 * trust: what is exported as C
 * | our reading of the facts: the compiled function makes the same machine
 */
static void the_function_makes_the_same_machine(void **state)
{
	struct dmasim *a = original(), *b = rebuilt();

	(void)state;
	expect_same_text(dmasim_export_lspci, a, b);
	expect_same_text(as_c, a, b);
	expect_same_machine(a, b);
	expect_same_requesters(a, b);
	expect_u64(dmasim_destroy(a), 0);
	expect_u64(dmasim_destroy(b), 0);
}

TEST_MAIN(cmocka_unit_test(the_function_makes_the_same_machine))
