/* SPDX-License-Identifier: MIT */
/*
 * lspci as the judge: it reads the same files with -F, and must see the same tree, bus numbers,
 * windows, BARs and ACS. All dumps there are: our own, and the recorded ones where they are.
 */
#include "golden/recorded.h"

#define LINE_BYTES 1024

struct run {
	struct recorded *recorded;
	const char *options; /* of lspci */
	/* Looks at one line; pdev is what it is about, NULL where the import leaves it out. */
	void (*judge)(struct run *run, struct pci_dev *pdev, const char *line);
	u32 judged; /* how often there was something to compare */
};

static void expect_same(struct run *run, struct pci_dev *pdev, const char *line, u64 seen,
			u64 expected)
{
	run->judged++;
	if (seen == expected)
		return;
	print_error("%s: %s: lspci says '%s', the import 0x%llx\n", run->recorded->path,
		    pci_name(pdev), line, seen);
	fail();
}

/* ---- Running lspci -------------------------------------------------------------------------- */

/* The function of a line like "0000:00:01.0/01:00.0/02:00.0 0604: ..."; false: it is about none. */
static bool read_function(const char *line, char bdf[16])
{
	unsigned int domain, bus, device, function;
	const char *last = line;

	if (sscanf(line, "%x:%2x:%2x.%1x", &domain, &bus, &device, &function) != 4)
		return false;
	for (const char *at = line; *at && *at != ' '; at++) {
		if (*at == '/')
			last = at + 1;
	}
	if (last != line)
		sscanf(last, "%2x:%2x.%1x", &bus, &device, &function);
	snprintf(bdf, 16, "%04x:%02x:%02x.%u", domain, bus, device, function);
	return true;
}

static void judge_file(void *cookie)
{
	struct run *run = cookie;
	struct pci_dev *pdev = NULL;
	char line[LINE_BYTES], command[5000], bdf[16];
	FILE *output;

	recorded_import(run->recorded, NULL);
	snprintf(command, sizeof(command), "lspci -F '%s' -D -n %s 2>/dev/null",
		 run->recorded->path, run->options);
	output = popen(command, "r");
	assert_non_null(output);
	while (fgets(line, sizeof(line), output)) {
		line[strcspn(line, "\n")] = '\0';
		if (read_function(line, bdf))
			pdev = dmasim_pci_dev(run->recorded->s, bdf);
		run->judge(run, pdev, line);
	}
	assert_int_equal(pclose(output), 0);
}

static void judge_all(void **state, struct run run)
{
	run.recorded = *state;
	recorded_each(run.recorded, judge_file, &run);
	assert_true(run.judged > 60);
}

/* ---- Tree ----------------------------------------------------------------------------------- */

/* "0000:00:01.0/01:00.0/02:00.0" */
static size_t write_path(struct pci_dev *pdev, char *text, size_t size)
{
	struct pci_dev *above = pci_upstream_bridge(pdev);
	size_t length;

	if (!above)
		return (size_t)snprintf(text, size, "%s", pci_name(pdev));
	length = write_path(above, text, size);
	return length + (size_t)snprintf(text + length, size - length, "/%s",
					 strchr(pci_name(pdev), ':') + 1);
}

static void judge_path(struct run *run, struct pci_dev *pdev, const char *line)
{
	size_t length = strcspn(line, " ");
	char path[256];

	/* Left out: virtual functions that nobody has enabled; their vendor reads as ones. */
	if (!pdev && strstr(line, " ffff:ffff"))
		return;
	if (!pdev) {
		print_error("%s: not imported: %s\n", run->recorded->path, line);
		fail();
	}
	write_path(pdev, path, sizeof(path));
	expect_same(run, pdev, line, strlen(path), length);
	expect_same(run, pdev, line, (u64)(strncmp(path, line, length) != 0), 0);
}

/* trust: the tree that an import makes | another program: lspci -F on the same dumps */
static void lspci_sees_the_same_tree(void **state)
{
	judge_all(state, (struct run){ .options = "-PP", .judge = judge_path });
}

/* ---- Bridges -------------------------------------------------------------------------------- */

static u64 read_byte(struct pci_dev *pdev, int where)
{
	u8 value;

	pci_read_config_byte(pdev, where, &value);
	return value;
}

static void judge_buses(struct run *run, struct pci_dev *pdev, const char *line)
{
	unsigned int primary, secondary, subordinate;

	if (sscanf(line, " Bus: primary=%x, secondary=%x, subordinate=%x", &primary, &secondary,
		   &subordinate) != 3)
		return;
	expect_same(run, pdev, line, read_byte(pdev, PCI_SECONDARY_BUS), secondary);
	expect_same(run, pdev, line, read_byte(pdev, PCI_SUBORDINATE_BUS), subordinate);
	expect_same(run, pdev, line, pci_is_bridge(pdev), true);
}

static void judge_window(struct run *run, struct pci_dev *pdev, const char *line)
{
	const struct pci_bridge_window *window;
	unsigned long long start, last;

	if (sscanf(line, " Memory behind bridge: %llx-%llx", &start, &last) == 2)
		window = &pdev->window;
	else if (sscanf(line, " Prefetchable memory behind bridge: %llx-%llx", &start, &last) == 2)
		window = &pdev->prefetch_window;
	else
		return;
	/* Both registers of a prefetchable window are zero: there is none. lspci shows [0, 1M). */
	if (!start && window->start > window->last)
		return;
	expect_same(run, pdev, line, window->start > window->last, start > last);
	if (start > last)
		return;
	expect_same(run, pdev, line, window->start, start);
	expect_same(run, pdev, line, window->last, last);
}

/* ---- BARs ----------------------------------------------------------------------------------- */

static void judge_bar(struct run *run, struct pci_dev *pdev, const char *line)
{
	unsigned long long address;
	unsigned int bar;
	char what[8];

	/* Those of virtual functions stand deeper. */
	if (line[0] != '\t' || line[1] == '\t')
		return;
	if (sscanf(line, " Region %u: %7s", &bar, what) != 2)
		return;
	if (sscanf(line, " Region %u: Memory at %llx (", &bar, &address) == 2) {
		expect_same(run, pdev, line,
			    pci_resource_flags(pdev, bar) & (IORESOURCE_MEM | IORESOURCE_IO),
			    IORESOURCE_MEM);
		expect_same(run, pdev, line, pci_bus_address(pdev, (int)bar), address);
		expect_same(run, pdev, line, !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM_64),
			    !strstr(line, "(64-bit"));
	} else if (sscanf(line, " Region %u: I/O ports at %llx", &bar, &address) == 2 && address) {
		expect_same(run, pdev, line, pci_resource_flags(pdev, bar), IORESOURCE_IO);
		expect_same(run, pdev, line, pci_resource_start(pdev, bar), address);
	} else {
		/* Not assigned. */
		expect_same(run, pdev, line, pci_resource_flags(pdev, bar), 0);
	}
}

/* ---- ACS ------------------------------------------------------------------------------------ */

/* "SrcValid+ TransBlk- ReqRedir+ ...": in the order of the bits. */
static u64 read_bits(const char *at)
{
	u64 bits = 0;

	for (u32 bit = 0; (at = strpbrk(at, "+-")); bit++, at++)
		bits |= (u64)(*at == '+') << bit;
	return bits;
}

static void judge_acs(struct run *run, struct pci_dev *pdev, const char *line)
{
	const char *capability = strstr(line, "ACSCap:");
	const char *control = strstr(line, "ACSCtl:");
	u16 value;

	if (!capability && !control)
		return;
	expect_same(run, pdev, line, pdev->acs_cap != 0, true);
	pci_read_config_word(pdev, pdev->acs_cap + (capability ? PCI_ACS_CAP : PCI_ACS_CTRL),
			     &value);
	expect_same(run, pdev, line, value & 0x7f, read_bits(capability ? capability : control));
}

/* All in one run of lspci for each file. */
static void judge_all_lines(struct run *run, struct pci_dev *pdev, const char *line)
{
	if (!pdev)
		return;
	judge_buses(run, pdev, line);
	judge_window(run, pdev, line);
	judge_bar(run, pdev, line);
	judge_acs(run, pdev, line);
}

/*
 * trust: bus numbers, windows, BARs and ACS of an import
 * | another program: lspci -F on the same dumps
 */
static void lspci_sees_the_same_buses_windows_bars_and_acs(void **state)
{
	judge_all(state, (struct run){ .options = "-vvv", .judge = judge_all_lines });
}

TEST_MAIN_UNLESS(lspci_missing, RECORDED_TEST(lspci_sees_the_same_tree),
		 RECORDED_TEST(lspci_sees_the_same_buses_windows_bars_and_acs))
