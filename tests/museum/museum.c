/* SPDX-License-Identifier: MIT */
#include "museum/museum.h"

#include <stdlib.h>

#define LOG_BYTES  16384
#define LINE_BYTES 1024

/* ---- For drivers ----------------------------------------------------------------------------- */

void __iomem *museum_enable(struct pci_dev *pdev)
{
	void __iomem *regs;

	if (pci_enable_device(pdev))
		return NULL;
	pci_set_master(pdev);
	if (!dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64))) {
		regs = pci_ioremap_bar(pdev, 0);
		if (regs)
			return regs;
	}
	pci_disable_device(pdev);
	return NULL;
}

void museum_disable(struct pci_dev *pdev, void __iomem *regs)
{
	iounmap(regs);
	pci_disable_device(pdev);
}

/* ---- The device ------------------------------------------------------------------------------ */

static void bar_write(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes)
{
	struct exhibit *exhibit = cookie;
	__le64 value;

	(void)bar;
	if (bytes != sizeof(value) || offset / 8 >= EXHIBIT_REGISTERS)
		return;
	memcpy(&value, from, sizeof(value));
	*exhibit_reg(exhibit, offset) = le64_to_cpu(value);
	if (exhibit->written)
		exhibit->written(exhibit, offset);
}

static void bar_read(void *cookie, u32 bar, u64 offset, void *to, u32 bytes)
{
	const struct exhibit *exhibit = cookie;
	__le64 value;

	(void)bar;
	memset(to, 0, bytes);
	if (bytes != sizeof(value) || offset / 8 >= EXHIBIT_REGISTERS)
		return;
	value = cpu_to_le64(exhibit->reg[offset / 8]);
	memcpy(to, &value, sizeof(value));
}

void exhibit_read(struct exhibit *exhibit, u64 dma, void *to, u64 bytes)
{
	expect_done(dmasim_dev_read(exhibit->pdev, dma, to, bytes), bytes);
}

void exhibit_write(struct exhibit *exhibit, u64 dma, const void *from, u64 bytes)
{
	expect_done(dmasim_dev_write(exhibit->pdev, dma, from, bytes), bytes);
}

/* ---- Coming and going ------------------------------------------------------------------------ */

int exhibit_setup(void **state, const struct dmasim_config *config)
{
	struct exhibit *exhibit = calloc(1, sizeof(*exhibit));
	struct dmasim_config traced;

	if (!exhibit)
		return -1;
	*state = exhibit;
	traced = rig_trace_begin(&exhibit->trace, config);
	exhibit->s = dmasim_create(&traced);
	assert_non_null(exhibit->s);
	exhibit->before = dmasim_enter(exhibit->s);
	exhibit->debug = config->dma_debug;
	exhibit->bounces = config->swiotlb == DMASIM_SWIOTLB_FORCE;
	dmasim_dma_debug_all_errors(exhibit->s, true);
	return 0;
}

int exhibit_teardown(void **state)
{
	struct exhibit *exhibit = *state;

	dmasim_destroy(exhibit->s);
	rig_trace_end(&exhibit->trace);
	dmasim_enter(exhibit->before);
	free(exhibit);
	return 0;
}

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

/* What dmasim_insmod() takes. */
static const char *module_name(char *name, size_t bytes, const char *file)
{
	snprintf(name, bytes, "%s", base_name(file));
	name[strcspn(name, ".")] = '\0';
	return name;
}

int exhibit_open(struct exhibit *exhibit, const char *file, enum museum_form form)
{
	static const struct dmasim_bar_ops ops = { .read = bar_read, .write = bar_write };
	char name[64];

	exhibit->pdev = dmasim_add_endpoint(exhibit->s, "00:01.0/00.0",
					    &(struct dmasim_endpoint){
						    .bar = { SZ_4K },
						    .vendor = MUSEUM_VENDOR,
						    .device = (u16)form,
						    .bar_ops = &ops,
						    .cookie = exhibit,
					    });
	assert_non_null(exhibit->pdev);
	expect_ok(dmasim_insmod(module_name(name, sizeof(name), file)));
	return exhibit->pdev->driver ? 0 : -EIO;
}

void exhibit_unload(const char *file)
{
	char name[64];

	expect_ok(dmasim_rmmod(module_name(name, sizeof(name), file)));
}

/* ---- What is told ---------------------------------------------------------------------------- */

/* The number of the one line of a file in this folder that has this in it. */
static int line_of(const char *file, const char *what)
{
	char path[512], line[256];
	const char *folder = getenv("DMASIM_MUSEUM");
	int number = 0, found = 0;
	FILE *source;

	assert_non_null(folder);
	snprintf(path, sizeof(path), "%s/%s", folder, base_name(file));
	source = fopen(path, "r");
	assert_non_null(source);
	while (fgets(line, sizeof(line), source)) {
		number++;
		if (!strstr(line, what))
			continue;
		found = number;
		break;
	}
	fclose(source);
	assert_int_not_equal(found, 0);
	return found;
}

/* The block has a line with this label and place. */
static void expect_place(const char *file, const struct dmasim_report *report,
			 const struct caught *caught)
{
	char place[256];
	const char *at = report->text;

	snprintf(place, sizeof(place), "%s:%d in %s\n", base_name(file),
		 line_of(file, caught->line), caught->function);
	for (; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t length = strcspn(at, "\n") + 1;
		const char *word = at + strspn(at, " ");
		const char *found = strstr(at, place);

		if (!strncmp(word, caught->label, strlen(caught->label)) && found &&
		    found < at + length)
			return;
	}
	fail_msg("no \"%s\" at %s in:\n%s", caught->label, place, report->text);
}

/* The message with the report's DMA address for the star in "0x*". */
static void with_address(char *to, size_t bytes, const char *message, u64 dma)
{
	const char *star = strstr(message, "0x*");

	if (star)
		snprintf(to, bytes, "%.*s0x%016llx%s", (int)(star - message), message, dma,
			 star + 3);
	else
		snprintf(to, bytes, "%s", message);
}

/* "DMA-API: eth 0000:01:00.0: " stands before it, or "pci" when the driver has gone. */
static void expect_message(const struct exhibit *exhibit, const char *line, const char *expected)
{
	const struct pci_dev *of = exhibit->maps_for ? exhibit->maps_for : exhibit->pdev;
	const char *words = strstr(line, pci_name(of));

	assert_int_equal(strncmp(line, "DMA-API: ", 9), 0);
	assert_non_null(words);
	words += strlen(pci_name(of));
	assert_int_equal(strncmp(words, ": ", 2), 0);
	assert_string_equal(words + 2, expected);
}

/*
 * The message of report `nth` of its kind. It is in the log after `at`, if dma-debug prints it;
 * returns where.
 */
static const char *expect_linux(struct exhibit *exhibit, const struct dmasim_report *report,
				const struct caught *caught, u32 nth, const char *at)
{
	char expected[LINE_BYTES];
	char printed[DMASIM_REPORT_LINUX_BYTES];

	if (!caught->message) {
		assert_string_equal(report->linux_text, "");
		return at;
	}
	with_address(expected, sizeof(expected), caught->message, report->dma);
	expect_message(exhibit, report->linux_text, expected);
	if (!exhibit->debug || (caught->one_for_all && nth))
		return at;
	exhibit->messages++;
	snprintf(printed, sizeof(printed), "%s", report->linux_text);
	if (caught->one_for_all)
		printed[strcspn(printed, "\n")] = '\0';
	at = strstr(at, printed);
	if (!at)
		fail_msg("dma-debug has not printed in turn: %s", printed);
	return at;
}

/* All reports of one kind, from this one on; returns the next one. */
static u32 expect_caught(struct exhibit *exhibit, const char *file, u32 index,
			 const struct caught *caught, const char **at)
{
	struct dmasim_report report;
	u32 times = caught->times ? caught->times : 1;

	for (u32 nth = 0; nth < times; nth++, index++) {
		if (!dmasim_report_get(exhibit->s, index, &report))
			fail_msg("report %u, %s, did not come", index,
				 dmasim_report_name(caught->id));
		if (report.id != caught->id)
			fail_msg("report %u is %s, not %s:\n%s", index,
				 dmasim_report_name(report.id), dmasim_report_name(caught->id),
				 report.text);
		if (caught->line)
			expect_place(file, &report, caught);
		*at = expect_linux(exhibit, &report, caught, nth, *at);
	}
	return index;
}

static void read_log(struct exhibit *exhibit, char log[LOG_BYTES])
{
	assert_true(dmasim_dma_debug_log(exhibit->s, log, LOG_BYTES) < LOG_BYTES);
}

void exhibit_expect_log(struct exhibit *exhibit, const char *words, bool printed)
{
	char log[LOG_BYTES];

	if (!exhibit->debug)
		return;
	read_log(exhibit, log);
	if (!strstr(log, words) == printed)
		fail_msg("%s \"%s\" in:\n%s", printed ? "no" : "unexpected", words, log);
}

void exhibit_close(struct exhibit *exhibit, const char *file, const struct caught *caught,
		   u32 count, u64 leaks)
{
	char log[LOG_BYTES], found[64];
	const char *at = log;
	u32 index = 0;

	dmasim_check_clean(exhibit->s, found, sizeof(found));
	read_log(exhibit, log);
	for (u32 i = 0; i < count; i++)
		index = expect_caught(exhibit, file, index, &caught[i], &at);
	if (dmasim_report_count(exhibit->s) != index)
		print_reports(exhibit->s);
	expect_u64(dmasim_report_count(exhibit->s), index);
	expect_u64(dmasim_dma_debug(exhibit->s).error_count, exhibit->messages);
	assert_true(rig_trace_agrees(&exhibit->trace, exhibit->s));
	expect_u64(dmasim_destroy(exhibit->s), leaks);
	exhibit->s = NULL;
}

void exhibit_close_silent(struct exhibit *exhibit)
{
	dmasim_assert_clean(exhibit->s);
	exhibit_close(exhibit, NULL, NULL, 0, 0);
}
