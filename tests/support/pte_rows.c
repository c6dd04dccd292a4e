/* SPDX-License-Identifier: MIT */
#include "support/pte_rows.h"

#include <stdlib.h>
#include <string.h>

u32 pte_rows_read(const char *file, void (*each)(void *cookie, const struct pte_row *row),
		  void *cookie)
{
	const char *folder = getenv("DMASIM_TEST_DATA");
	char path[1024], line[4096];
	u32 rows = 0;
	FILE *from;

	if (!folder)
		fail_msg("DMASIM_TEST_DATA is not set: the folder of %s", file);
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	from = fopen(path, "r");
	if (!from)
		fail_msg("cannot read %s", path);
	while (fgets(line, sizeof(line), from)) {
		struct pte_row row;

		if (sscanf(line, "%d\t%15s\t%u\t%23s\t%llx\t%u\t%7s\t%15s\t%2047s", &row.id,
			   row.format, &row.level, row.kind, &row.phys, &row.size_lg2, row.prot,
			   row.features, row.words) != 9)
			continue;
		each(cookie, &row);
		rows++;
	}
	fclose(from);
	return rows;
}

bool pte_row_has(const struct pte_row *row, const char *feature)
{
	return strstr(row->features, feature);
}

u32 pte_row_words(const struct pte_row *row, u64 word[PTE_WORDS_MAX])
{
	const char *at = row->words[0] == 'E' ? "" : row->words;
	u32 count = 0;

	while (*at) {
		char *end;
		u64 value = strtoull(at, &end, 16);
		u64 step = *end == '+' ? strtoull(end + 1, &end, 16) : 0;
		u64 times = *end == '*' ? strtoull(end + 1, &end, 10) : 1;

		for (; times; times--, value += step) {
			assert_true(count < PTE_WORDS_MAX);
			word[count++] = value;
		}
		at = *end == ',' ? end + 1 : end;
	}
	return count;
}
