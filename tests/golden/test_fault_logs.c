/* SPDX-License-Identifier: MIT */
/*
 * Fault lines of real machines, as they were quoted in mails: each decodes, to what is written out
 * here by hand, and no other line is taken for one.
 */
#include "golden/recorded.h"

#define LINES_MAX  400
#define LINE_BYTES 1024
#define MAIL_WRAPS 4

/* One record, and the line of the file where it begins. */
struct wanted {
	u32 number;
	enum dmasim_fault_kind kind;
	u64 low;  /* a status: the register */
	u64 high; /* AMD: word 0; low is word 1 */
};

struct lines {
	u32 count;
	char text[LINES_MAX][LINE_BYTES];
};

static void read_lines(struct lines *lines, const char *file)
{
	char path[4096];
	FILE *from;

	snprintf(path, sizeof(path), "%s/data/faults/%s", getenv("DMASIM_SHARED"), file);
	from = fopen(path, "r");
	if (!from)
		print_error("%s\n", path);
	assert_non_null(from);
	lines->count = 0;
	while (fgets(lines->text[lines->count], LINE_BYTES, from)) {
		char *text = lines->text[lines->count++];

		text[strcspn(text, "\n")] = '\0';
		assert_true(lines->count < LINES_MAX);
	}
	fclose(from);
}

/* Decodes from a line on, as far as mail has wrapped it. Returns how many lines that took. */
static u32 decode_from(const struct lines *lines, u32 first, enum dmasim_log_line *is,
		       struct dmasim_fault_line *out)
{
	char joined[MAIL_WRAPS * LINE_BYTES] = "";
	u32 used = 0;

	do {
		const char *text = lines->text[first + used];

		text += used ? strspn(text, "> ") : 0;
		strcat(joined, used ? " " : "");
		strcat(joined, text);
		used++;
		*is = dmasim_fault_decode(joined, out);
	} while (*is == DMASIM_LOG_CUT && used < MAIL_WRAPS && first + used < lines->count);
	return used;
}

static void expect_one(const struct wanted *wanted, u32 number,
		       const struct dmasim_fault_line *found)
{
	expect_u64(number, wanted->number);
	assert_int_equal(found->kind, wanted->kind);
	if (found->kind == DMASIM_LOG_VTD_STATUS) {
		expect_u64(found->flags, wanted->low);
		return;
	}
	expect_u64(found->word[0],
		   found->kind == DMASIM_LOG_AMD_EVENT ? wanted->high : wanted->low);
	expect_u64(found->word[1],
		   found->kind == DMASIM_LOG_AMD_EVENT ? wanted->low : wanted->high);
}

/* All records of a file in order; nothing of it is cut or garbled. */
static void expect_file(const char *file, const struct wanted *wanted, u32 count)
{
	struct lines *lines = malloc(sizeof(*lines));
	struct dmasim_fault_line found;
	enum dmasim_log_line is;
	u32 next = 0;

	assert_non_null(lines);
	read_lines(lines, file);
	for (u32 i = 0; i < lines->count;) {
		u32 used = decode_from(lines, i, &is, &found);

		if (is == DMASIM_LOG_FAULT) {
			assert_true(next < count);
			expect_one(&wanted[next++], i + 1, &found);
		} else {
			if (is != DMASIM_LOG_OTHER)
				print_error("%s:%u: %s\n", file, i + 1, lines->text[i]);
			assert_int_equal(is, DMASIM_LOG_OTHER);
		}
		i += used;
	}
	expect_u64(next, count);
	free(lines);
}

#define COUNT(array) (u32)(sizeof(array) / sizeof((array)[0]))
#define STATUS(number, status)                           \
	{                                                \
		number, DMASIM_LOG_VTD_STATUS, status, 0 \
	}
#define VTD(number, low, high)                        \
	{                                             \
		number, DMASIM_LOG_VTD_DMA, low, high \
	}
#define AMD(number, word, addr)                          \
	{                                                \
		number, DMASIM_LOG_AMD_EVENT, addr, word \
	}

/* trust: VT-d's fault lines of servers | a real machine's data */
static void a_servers_log_decodes(void **state)
{
	static const struct wanted server[] = {
		STATUS(231, 2),
		VTD(232, 0xbdf83000, 0xc000000600000200ULL),
		VTD(233, 0xf4000, 0xc000000600000102ULL),
	};
	static const struct wanted window[] = {
		STATUS(10, 2),
		VTD(11, 0x791dd000, 0xc000000200000200ULL),
		VTD(15, 0x791dd000, 0xc000000200000700ULL),
		STATUS(16, 0x202),
		VTD(17, 0x791dd000, 0xc000000200000700ULL),
		STATUS(18, 0x302),
	};

	(void)state;
	expect_file("dmar-dl388-direct-mappings.log", server, COUNT(server));
	expect_file("dmar-domain-switch-window.txt", window, COUNT(window));
}

/* trust: VT-d's fault lines of laptops, one in a wrapped mail | a real machine's data */
static void the_logs_of_laptops_decode(void **state)
{
	static const struct wanted heci[] = {
		STATUS(9, 3),  VTD(10, 0xdceff000, 0xc0000006000000b7ULL),
		STATUS(11, 2), VTD(12, 0xdceff000, 0x80000005000000b7ULL),
		STATUS(13, 2), VTD(14, 0xdceff000, 0x80000005000000b7ULL),
		STATUS(16, 3),
	};
	static const struct wanted xhci[] = {
		STATUS(10, 3), VTD(12, 0x9cdff000, 0xc0000002000000b7ULL),
		STATUS(15, 3), VTD(17, 0x9cdff000, 0xc0000002000000b7ULL),
		STATUS(20, 2), VTD(22, 0x9cdff000, 0x80000002000000b7ULL),
		STATUS(25, 2),
	};

	(void)state;
	expect_file("dmar-heci-alias-fn7.txt", heci, COUNT(heci));
	expect_file("dmar-t450s-xhci.txt", xhci, COUNT(xhci));
}

/* trust: AMD-Vi's fault lines, both spellings, one in a wrapped mail | a real machine's data */
static void logs_of_amd_servers_decode(void **state)
{
	static const struct wanted race[] = {
		AMD(54, 0x2010002700002300ULL, 0xfffffffffffc0000ULL),
		AMD(55, 0x2010002700002300ULL, 0xfffffffffffc1000ULL),
		AMD(56, 0x2010002700002300ULL, 0xfffffffffffc1900ULL),
		AMD(57, 0x2010002700002300ULL, 0xfffffffffffc1d00ULL),
		AMD(58, 0x2010002700002300ULL, 0xfffffffffffc2000ULL),
		AMD(59, 0x2010002700002300ULL, 0xfffffffffffc2400ULL),
		AMD(60, 0x2010002700002300ULL, 0xfffffffffffc2800ULL),
		AMD(61, 0x2010002700002300ULL, 0xfffffffffffc2c00ULL),
		AMD(62, 0x2010002700002300ULL, 0xfffffffffffc3000ULL),
		AMD(63, 0x2010002700002300ULL, 0xfffffffffffc3400ULL),
		AMD(64, 0x2010002700002300ULL, 0xfffffffffffc3800ULL),
		AMD(65, 0x2010002700002300ULL, 0xfffffffffffc3c00ULL),
	};
	static const struct wanted interrupts[] = {
		AMD(24, 0x2008005e00004200ULL, 0xfffffffdf8030000ULL),
		AMD(26, 0x2008005f0000c811ULL, 0xfffffffdf8060000ULL),
		AMD(28, 0x2008005e00004200ULL, 0xfffffffdf8020000ULL),
		AMD(30, 0x2008005e0000c810ULL, 0xfffffffdf8020000ULL),
		AMD(32, 0x2008005e00000100ULL, 0xfffffffdf8040000ULL),
		AMD(34, 0x2008005e0000c818ULL, 0xfffffffdf8010000ULL),
	};

	(void)state;
	expect_file("amdvi-fetch-pte-race.txt", race, COUNT(race));
	expect_file("amdvi-vfio-msi-range.txt", interrupts, COUNT(interrupts));
}

static void logs_of_an_smmu_are_recognised(void **state)
{
	static const struct {
		const char *file;
		u32 events;
	} files[] = { { "smmuv2-context-fault.txt", 10 }, { "smmuv3-events-collected.txt", 14 } };
	struct lines *lines = malloc(sizeof(*lines));
	struct dmasim_fault_line found;

	(void)state;
	assert_non_null(lines);
	for (u32 i = 0; i < COUNT(files); i++) {
		u32 events = 0;

		read_lines(lines, files[i].file);
		for (u32 j = 0; j < lines->count; j++) {
			enum dmasim_log_line is = dmasim_fault_decode(lines->text[j], &found);

			assert_true(is == DMASIM_LOG_SMMU || is == DMASIM_LOG_OTHER);
			events += is == DMASIM_LOG_SMMU;
		}
		expect_u64(events, files[i].events);
	}
	free(lines);
}

static const char *missing(void)
{
	return getenv("DMASIM_SHARED") ? NULL : "the recorded logs are not here (DMASIM_SHARED)";
}

TEST_MAIN_UNLESS(missing, cmocka_unit_test(a_servers_log_decodes),
		 cmocka_unit_test(the_logs_of_laptops_decode),
		 cmocka_unit_test(logs_of_amd_servers_decode),
		 cmocka_unit_test(logs_of_an_smmu_are_recognised))
