/* SPDX-License-Identifier: MIT */
/*
 * What reports of stale translations say, word for word: which command was missing, too narrow or
 * too early, what is still reached through which cache, and what a device would do there. What the
 * software hands over is bent on its way to the unit, one mutation at a time; unbent it gives no
 * report.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/iommu.h"
#include "machine/machine.h"
#include "support/rig.h"

enum mutation {
	NONE,
	DROP,	      /* no command but waits */
	OTHER_DOMAIN, /* page commands are for the next domain id */
	NEXT_PAGE,    /* and for the page above */
	LEAVES,	      /* they have the leaf-only hint */
	NO_WAIT,      /* no waits; the software believes that they are over */
	EARLY,	      /* handed over when the entry is still there: see early() */
};

struct fixture {
	struct rig rig; /* first member */
	struct platform_ops ops;
	const struct platform_ops *real;
	enum mutation mutation;
	phys_addr_t buffer;
};

static struct fixture *fixture_of(struct dmasim *s)
{
	return (struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));
}

static bool is_wait(u64 low)
{
	return (low & 0xf) == 5;
}

/* As the unit would do it; nobody waits for what else is in the queue. */
static void answer_wait(struct dmasim *s, const u64 word[2])
{
	u32 value = (u32)(le64toh(word[0]) >> 32);
	u32 *status = dmasim_ptr(s, le64toh(word[1]) & ~3ULL, 4);

	*status = htole32(value);
}

static int submit(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct dmasim *s = machine;
	struct fixture *fixture = fixture_of(s);

	for (size_t at = 0; at < bytes; at += 16) {
		u64 word[2], low;
		int err;

		memcpy(word, (const u8 *)commands + at, sizeof(word));
		low = le64toh(word[0]);
		if (is_wait(low) && fixture->mutation == NO_WAIT) {
			answer_wait(s, word);
			continue;
		}
		if (!is_wait(low) && fixture->mutation == DROP)
			continue;
		if (!is_wait(low) && fixture->mutation == OTHER_DOMAIN)
			word[0] = htole64(low + (1ULL << 16));
		if (!is_wait(low) && fixture->mutation == NEXT_PAGE)
			word[1] = htole64(le64toh(word[1]) + SZ_4K);
		if (!is_wait(low) && fixture->mutation == LEAVES)
			word[1] = htole64(le64toh(word[1]) | 0x40);
		err = fixture->real->queue_submit(machine, unit, word, sizeof(word));
		if (err)
			return err;
	}
	return 0;
}

static int wait(void *machine, u32 unit)
{
	struct fixture *fixture = fixture_of(machine);

	return fixture->mutation == NO_WAIT ? 0 : fixture->real->queue_wait(machine, unit);
}

static int setup_with(void **state, const struct dmasim_config *config)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;

	if (!fixture)
		return -1;
	*state = fixture;
	rig_init(&fixture->rig, config);
	platform = &fixture->rig.s->platform;
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	fixture->ops.queue_submit = submit;
	fixture->ops.queue_wait = wait;
	platform->ops = &fixture->ops;
	fixture->buffer = dmasim_alloc(fixture->rig.s, 2 * SZ_2M);
	memcpy(dmasim_ptr(fixture->rig.s, fixture->buffer, 8), "\1\2\3\4\5\6\7\10", 8);
	dmasim_group(fixture->rig.nvme);
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .walk_entries = 4,
							  .context_entries = 4 });
}

static int setup_incoherent(void **state)
{
	return setup_with(state,
			  &(struct dmasim_config){ DMASIM_CONFIG, .iommu_incoherent = true });
}

static int setup_lazy(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY });
}

static int setup_lazy_pages(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY,
							  .report_lazy_pages = true });
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->mutation = NONE;
	if (fixture->buffer)
		dmasim_free(fixture->rig.s, fixture->buffer, 2 * SZ_2M);
	rig_fini(&fixture->rig);
	free(fixture);
	return 0;
}

static dma_addr_t map(struct fixture *fixture, u64 bytes)
{
	dma_addr_t dma =
		dma_map_phys(&fixture->rig.nvme->dev, fixture->buffer, bytes, DMA_BIDIRECTIONAL, 0);

	expect_ok(dma_mapping_error(&fixture->rig.nvme->dev, dma));
	return dma;
}

static void unmap(struct fixture *fixture, dma_addr_t dma, u64 bytes)
{
	dma_unmap_phys(&fixture->rig.nvme->dev, dma, bytes, DMA_BIDIRECTIONAL, 0);
}

/* The lines of a report between its first and the one that replays it. */
static const char *body_of(struct dmasim_report *report)
{
	char *from = strchr(report->text, '\n') + 1;
	char *was = strstr(from, "  was  ");
	char *replay = strstr(from, "  replay ");
	char *call = strstr(from, "  call ");

	if (call && (!was || call < was))
		was = call;
	if (!was || (replay && replay < was))
		was = replay;
	assert_non_null(was);
	*was = '\0';
	return from;
}

/* The latest report of a kind says this. */
static void expect_text(struct fixture *fixture, enum dmasim_report_id id, const char *cause,
			const char *text)
{
	struct dmasim_report report, found = { 0 };
	char key[64];

	for (u32 i = 0; dmasim_report_get(fixture->rig.s, i, &report); i++) {
		if (report.id == id)
			found = report;
	}
	assert_int_equal(found.id, id);
	snprintf(key, sizeof(key), " cause=%s", cause);
	if (!strstr(found.line, key))
		fail_msg("no%s in: %s", key, found.line);
	assert_string_equal(body_of(&found), text);
}

/* ---- Missing, too narrow, too early ---------------------------------------------------------- */

/* One page, which the device has read, unmapped under a mutation. */
static dma_addr_t use_and_unmap(struct fixture *fixture, enum mutation mutation)
{
	dma_addr_t dma = map(fixture, SZ_4K);
	u8 byte;

	expect_done(dmasim_dev_read(fixture->rig.nvme, dma, &byte, 1), 1);
	fixture->mutation = mutation;
	unmap(fixture, dma, SZ_4K);
	fixture->mutation = NONE;
	return dma;
}

static void done_right_there_is_no_report(void **state)
{
	struct fixture *fixture = *state;

	use_and_unmap(fixture, NONE);
	expect_u64(dmasim_report_count(fixture->rig.s), 0);
	dmasim_assert_clean(fixture->rig.s);
}

static void a_command_that_is_missing(void **state)
{
	struct fixture *fixture = *state;

	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	use_and_unmap(fixture, DROP);
	expect_text(fixture, DMASIM_REPORT_STALE_TRANSLATION, "missing",
		    "  here      its invalidation is over; nothing is mapped there\n"
		    "  cause     missing: no invalidation of domain 5 covered it since it "
		    "was over\n"
		    "  reaches   phys 0x400000-0x400fff (4 KiB) to read and write: page "
		    "frames that are in use\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the IOTLB of unit 0 holds 0xfffff000 now\n"
		    "  device    a read would get 01 02 03 04 05 06 07 08, a write would "
		    "overwrite it\n");
	dmasim_assert_clean(fixture->rig.s);
}

static void a_command_for_another_domain(void **state)
{
	struct fixture *fixture = *state;

	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	use_and_unmap(fixture, OTHER_DOMAIN);
	expect_text(fixture, DMASIM_REPORT_STALE_TRANSLATION, "too-narrow",
		    "  here      its invalidation is over; nothing is mapped there\n"
		    "  cause     too narrow: command 1 of unit 0, submitted at t=0, for "
		    "0xfffff000-0xffffffff of domain 6, leaves only\n"
		    "  left out  what is cached is tagged with domain 5\n"
		    "  reaches   phys 0x400000-0x400fff (4 KiB) to read and write: page "
		    "frames that are in use\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the IOTLB of unit 0 holds 0xfffff000 now\n"
		    "  device    a read would get 01 02 03 04 05 06 07 08, a write would "
		    "overwrite it\n");
	dmasim_assert_clean(fixture->rig.s);
}

static void a_command_for_other_addresses(void **state)
{
	struct fixture *fixture = *state;

	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	use_and_unmap(fixture, NEXT_PAGE);
	expect_text(fixture, DMASIM_REPORT_STALE_TRANSLATION, "too-narrow",
		    "  here      its invalidation is over; nothing is mapped there\n"
		    "  cause     too narrow: command 1 of unit 0, submitted at t=0, for "
		    "0x100000000-0x100000fff of domain 5, leaves only\n"
		    "  left out  0xfffff000-0xffffffff lies outside\n"
		    "  reaches   phys 0x400000-0x400fff (4 KiB) to read and write: page "
		    "frames that are in use\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the IOTLB of unit 0 holds 0xfffff000 now\n"
		    "  device    a read would get 01 02 03 04 05 06 07 08, a write would "
		    "overwrite it\n");
	dmasim_assert_clean(fixture->rig.s);
}

static void a_command_that_nobody_waits_for(void **state)
{
	struct fixture *fixture = *state;

	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	use_and_unmap(fixture, NO_WAIT);
	expect_text(fixture, DMASIM_REPORT_STALE_TRANSLATION, "not-waited-for",
		    "  here      its invalidation is over; nothing is mapped there\n"
		    "  cause     not waited for: command 1 of unit 0, submitted at t=0, "
		    "for 0xfffff000-0xffffffff of domain 5, leaves only\n"
		    "  reaches   phys 0x400000-0x400fff (4 KiB) to read and write: page "
		    "frames that are in use\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the IOTLB of unit 0 may hold it; now it does not\n"
		    "  device    a read would get 01 02 03 04 05 06 07 08, a write would "
		    "overwrite it\n");
	dmasim_assert_clean(fixture->rig.s);
}

/* Handed over first, then the entry is cleared; the wait comes last. */
static void a_command_that_comes_too_early(void **state)
{
	struct fixture *fixture = *state;
	struct dmasim *s = fixture->rig.s;
	struct iommu_domain *domain = fixture->rig.nvme->dev.iommu_group->domain;
	dma_addr_t dma = map(fixture, SZ_4K);
	const u64 early[2] = { htole64(0x32 | (u64)domain->id << 16), htole64(dma) };
	const u64 wait_for_it[2] = { htole64(0x45), 0 };

	dmasim_run(s, 5);
	expect_ok(fixture->real->queue_submit(s, 0, early, sizeof(early)));
	dmasim_run(s, 5);
	dmasim_expect(s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	fixture->mutation = DROP;
	unmap(fixture, dma, SZ_4K);
	fixture->mutation = NONE;
	expect_ok(fixture->real->queue_submit(s, 0, wait_for_it, sizeof(wait_for_it)));
	expect_text(fixture, DMASIM_REPORT_STALE_TRANSLATION, "too-early",
		    "  here      its invalidation is over; nothing is mapped there\n"
		    "  cause     too early: command 1 of unit 0, submitted at t=5, for "
		    "0xfffff000-0xffffffff of domain 5,\n"
		    "            may have been executed before the entry was changed\n"
		    "  reaches   phys 0x400000-0x400fff (4 KiB) to read and write: page "
		    "frames that are in use\n"
		    "  since     t=0, over at t=10\n"
		    "  cache     the IOTLB of unit 0 may hold it; now it does not\n"
		    "  device    a read would get 01 02 03 04 05 06 07 08, a write would "
		    "overwrite it\n");
	dmasim_assert_clean(s);
}

/* A unit that does not snoop: what was cleared is still in the CPU's cache. */
static void clean_nothing(void *machine, phys_addr_t phys, u64 bytes)
{
	(void)machine;
	(void)phys;
	(void)bytes;
}

static void an_entry_that_is_not_flushed(void **state)
{
	struct fixture *fixture = *state;
	dma_addr_t dma;

	use_and_unmap(fixture, NONE);
	expect_u64(dmasim_report_count(fixture->rig.s), 0);
	dma = map(fixture, SZ_4K);
	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	fixture->ops.cache_clean = clean_nothing;
	unmap(fixture, dma, SZ_4K);
	fixture->ops.cache_clean = fixture->real->cache_clean;
	expect_text(fixture, DMASIM_REPORT_STALE_TRANSLATION, "not-flushed",
		    "  here      its invalidation is over; nothing is mapped there\n"
		    "  cause     not flushed: its entry was cleared in the CPU's cache; the unit "
		    "reads memory\n"
		    "  reaches   phys 0x400000-0x400fff (4 KiB) to read and write: page frames "
		    "that are in use\n"
		    "  since     t=0, and it can be cached anew\n"
		    "  cache     the IOTLB of unit 0 may hold it; now it does not\n"
		    "  device    a read would get 01 02 03 04 05 06 07 08, a write would overwrite "
		    "it\n");
	dmasim_assert_clean(fixture->rig.s);
}

/* ---- Tables and contexts --------------------------------------------------------------------- */

/* A whole table of small pages goes; the hint says that none did. */
static void a_table_that_is_freed_early(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, fixture->buffer + SZ_4K, SZ_2M, DMA_FROM_DEVICE, 0);

	expect_done(dmasim_dev_write(fixture->rig.nvme, dma, "x", 1), 1);
	dmasim_expect(fixture->rig.s, DMASIM_REPORT_TABLE_FREED_EARLY, 1);
	fixture->mutation = LEAVES;
	dma_unmap_phys(dev, dma, SZ_2M, DMA_FROM_DEVICE, 0);
	fixture->mutation = NONE;
	expect_text(fixture, DMASIM_REPORT_TABLE_FREED_EARLY, "too-narrow",
		    "  here      no invalidation of non-leaf entries covered it since it "
		    "was unlinked\n"
		    "  cause     too narrow: command 1 of unit 0, submitted at t=0, for "
		    "0xffe00000-0xffffffff of domain 5, leaves only\n"
		    "  left out  a table was unlinked: that needs one for non-leaf "
		    "entries, too\n"
		    "  reaches   the page at phys 0x10e000 for 0xffe00000-0xffffffff, read "
		    "and write\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the walk cache of unit 0, level 0, holds it now\n"
		    "  device    a request takes what comes to lie there for entries\n");
	dmasim_assert_clean(fixture->rig.s);
}

static void a_context_whose_table_is_freed_early(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	struct iommu_domain *domain = nvme->dev.iommu_group->domain;

	dmasim_expect(fixture->rig.s, DMASIM_REPORT_TABLE_FREED_EARLY, 1);
	fixture->mutation = DROP;
	iommu_detach_device(nvme);
	nvme->dev.iommu_group->domain = NULL;
	iommu_domain_destroy(domain);
	fixture->mutation = NONE;
	expect_text(fixture, DMASIM_REPORT_TABLE_FREED_EARLY, "missing",
		    "  here      no invalidation covered the context entry of 03:00.0, "
		    "domain 5\n"
		    "  cause     missing: no invalidation of contexts covered it since it "
		    "was over\n"
		    "  reaches   the page table at phys 0x105000, domain 5\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the context cache of unit 0 may hold it; now it does not\n"
		    "  hardware  a walk takes what comes to lie in the table for entries\n");
	dmasim_assert_clean(fixture->rig.s);
}

/* Detached from one domain and attached to another: of what it was the unit may know. */
static void a_context_that_is_not_invalidated(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	struct iommu_domain *domain = nvme->dev.iommu_group->domain;

	iommu_detach_device(nvme);
	expect_ok(iommu_attach_device(nvme));
	expect_u64(dmasim_report_count(fixture->rig.s), 0);
	fixture->mutation = DROP;
	iommu_detach_device(nvme);
	fixture->mutation = NONE;
	nvme->dev.iommu_group->domain = NULL;
	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_CONTEXT, 1);
	expect_ok(iommu_attach_device(nvme));
	iommu_detach_device(nvme);
	nvme->dev.iommu_group->domain = domain;
	expect_text(fixture, DMASIM_REPORT_STALE_CONTEXT, "missing",
		    "  here      no invalidation covered the context entry of 03:00.0, "
		    "domain 5\n"
		    "  cause     missing: no invalidation of contexts covered it since it "
		    "was over\n"
		    "  reaches   the page table at phys 0x105000, domain 5\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the context cache of unit 0 may hold it; now it does not\n"
		    "  hardware  requests of the device may still go by the old context entry\n");
	dmasim_assert_clean(fixture->rig.s);
}

/* ---- Entries written by hand ----------------------------------------------------------------- */

static u64 *entry_of(struct fixture *fixture, u64 iova, u8 level)
{
	struct iommu_domain *domain = fixture->rig.nvme->dev.iommu_group->domain;
	u64 *table = domain->pt.top;

	for (u8 at = domain->pt.levels - 1; at > level; at--)
		table = dmasim_ptr(fixture->rig.s,
				   le64toh(table[iova >> (12 + 9 * at) & 511]) & ~0xfffULL, SZ_4K);
	return &table[iova >> (12 + 9 * level) & 511];
}

/* The leaf of 2 MiB becomes a table that says the same. */
static void split(struct fixture *fixture, dma_addr_t dma, phys_addr_t table)
{
	struct iommu_domain *domain = fixture->rig.nvme->dev.iommu_group->domain;
	u64 *entry = dmasim_ptr(fixture->rig.s, table, SZ_4K);

	for (u64 i = 0; i < 512; i++)
		entry[i] = htole64((fixture->buffer + i * SZ_4K) | 3);
	*entry_of(fixture, dma, 1) = htole64(table | 3);
	PLATFORM_EVENT(&fixture->rig.s->platform, IOMMU_CHANGED, .domain = domain->id, .dma = dma,
		       .size = SZ_2M);
}

static void synced(struct fixture *fixture, dma_addr_t dma)
{
	struct iommu_domain *domain = fixture->rig.nvme->dev.iommu_group->domain;

	PLATFORM_EVENT(&fixture->rig.s->platform, IOMMU_SYNCED, .domain = domain->id, .dma = dma,
		       .size = SZ_2M);
}

static void merge(struct fixture *fixture, dma_addr_t dma)
{
	struct iommu_domain *domain = fixture->rig.nvme->dev.iommu_group->domain;

	*entry_of(fixture, dma, 1) = htole64(fixture->buffer | 0x83);
	PLATFORM_EVENT(&fixture->rig.s->platform, IOMMU_CHANGED, .domain = domain->id, .dma = dma,
		       .size = SZ_2M);
	expect_ok(iommu_flush_iotlb_all(domain));
}

static void a_split_that_is_not_invalidated(void **state)
{
	struct fixture *fixture = *state;
	struct iommu_domain *domain = fixture->rig.nvme->dev.iommu_group->domain;
	phys_addr_t table = dmasim_alloc(fixture->rig.s, SZ_4K);
	dma_addr_t dma = map(fixture, SZ_2M);

	/* It maps the same buffer twice. */
	dmasim_suppress(fixture->rig.s, DMASIM_REPORT_MAPPINGS_OVERLAP);
	split(fixture, dma, table);
	expect_ok(iommu_flush_iotlb_all(domain));
	synced(fixture, dma);
	expect_u64(dmasim_report_count(fixture->rig.s), 0);
	merge(fixture, dma);
	use_and_unmap(fixture, NONE); /* another call */
	dmasim_expect(fixture->rig.s, DMASIM_REPORT_MIXED_PAGE_SIZES, 1);
	split(fixture, dma, table);
	synced(fixture, dma);
	expect_text(fixture, DMASIM_REPORT_MIXED_PAGE_SIZES, "missing",
		    "  here      its invalidation is over; smaller pages are mapped there\n"
		    "  cause     missing: no invalidation of domain 5 covered it since it "
		    "was over\n"
		    "  reaches   phys 0x400000-0x5fffff (2 MiB) to read and write: page "
		    "frames that are in use\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the IOTLB of unit 0 may hold it; now it does not\n"
		    "  device    a read would get 01 02 03 04 05 06 07 08, a write would "
		    "overwrite it\n");
	merge(fixture, dma);
	unmap(fixture, dma, SZ_2M);
	dmasim_free(fixture->rig.s, table, SZ_4K);
	dmasim_assert_clean(fixture->rig.s);
}

/* ---- Lazy mode ------------------------------------------------------------------------------- */

/* Unmapped, given back, and given out again, all in one window of 10 ms. */
static phys_addr_t use_the_page_again(struct fixture *fixture)
{
	phys_addr_t page = dmasim_alloc(fixture->rig.s, SZ_4K), again;
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, page, SZ_4K, DMA_FROM_DEVICE, 0);

	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(fixture->rig.s, page, SZ_4K);
	dmasim_run(fixture->rig.s, 1000);
	again = dmasim_alloc(fixture->rig.s, SZ_4K);
	expect_u64(again, page);
	return again;
}

static void a_page_in_a_lazy_window_is_counted(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t page = use_the_page_again(fixture);
	struct dmasim_lazy_windows windows = dmasim_lazy_windows(fixture->rig.s);

	expect_u64(windows.open, 1);
	expect_u64(windows.count, 0);
	expect_u64(windows.pages_reused, 1);
	dmasim_run(fixture->rig.s, 20000000);
	windows = dmasim_lazy_windows(fixture->rig.s);
	expect_u64(windows.open, 0);
	expect_u64(windows.count, 1);
	expect_u64(windows.longest_ns, 10000000);
	expect_u64(windows.total_ns, 10000000);
	dmasim_free(fixture->rig.s, page, SZ_4K);
	dmasim_assert_clean(fixture->rig.s);
}

static void a_page_in_a_lazy_window_is_reported_on_demand(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t page;

	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	page = use_the_page_again(fixture);
	expect_text(fixture, DMASIM_REPORT_STALE_TRANSLATION, "missing",
		    "  here      its memory was allocated again\n"
		    "  cause     missing: no invalidation of domain 5 covered it since it "
		    "was over\n"
		    "  reaches   phys 0x10c000-0x10cfff (4 KiB) to write: page frames that "
		    "are in use\n"
		    "  since     t=0, over at t=0\n"
		    "  cache     the IOTLB of unit 0 may hold it; now it does not\n"
		    "  device    a write would overwrite 00 00 00 00 00 00 00 00\n");
	dmasim_free(fixture->rig.s, page, SZ_4K);
	expect_u64(dmasim_lazy_windows(fixture->rig.s).pages_reused, 1);
	dmasim_assert_clean(fixture->rig.s);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(done_right_there_is_no_report), T(a_command_that_is_missing),
	  T(a_command_for_another_domain), T(a_command_for_other_addresses),
	  T(a_command_that_nobody_waits_for), T(a_command_that_comes_too_early),
	  T(a_table_that_is_freed_early), T(a_context_whose_table_is_freed_early),
	  T(a_context_that_is_not_invalidated), T(a_split_that_is_not_invalidated),
	  cmocka_unit_test_setup_teardown(an_entry_that_is_not_flushed, setup_incoherent, teardown),
	  cmocka_unit_test_setup_teardown(a_page_in_a_lazy_window_is_counted, setup_lazy, teardown),
	  cmocka_unit_test_setup_teardown(a_page_in_a_lazy_window_is_reported_on_demand,
					  setup_lazy_pages, teardown))
