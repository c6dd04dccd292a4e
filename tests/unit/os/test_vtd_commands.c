/* SPDX-License-Identifier: MIT */
/*
 * The bytes of the commands that the software hands over (facts "iova-and-page-tables" 3.2), and
 * what it does when a unit rejects one of them.
 */
#include "support/rig.h"

#include <endian.h>

#include "iommu/iommu.h"
#include "machine/machine.h"

#define WORDS 16

struct fixture {
	struct rig *rig;
	struct hw_iommu *iommu;
	struct platform_ops ops;
	const struct platform_ops *real;
	u64 word[WORDS]; /* of the batch that was handed over last */
	u32 words;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	void *rig = NULL;

	if (!fixture || rig_setup(&rig))
		return -1;
	fixture->rig = rig;
	fixture->iommu = machine_function(fixture->rig->nvme)->bus->root->iommu;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *rig = fixture->rig;

	free(fixture);
	return rig_teardown(&rig);
}

/* Maps, lets the device fill the translation cache, and unmaps. Returns the DMA address. */
static dma_addr_t come_and_go(struct fixture *fixture, phys_addr_t buf)
{
	struct device *dev = &fixture->rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_64K, DMA_FROM_DEVICE, 0);
	u8 bytes[16] = { 0 };

	assert_false(dma_mapping_error(dev, dma));
	expect_done(dmasim_dev_write(fixture->rig->nvme, dma, bytes, 16), 16);
	dma_unmap_phys(dev, dma, SZ_64K, DMA_FROM_DEVICE, 0);
	return dma;
}

static bool is_cached(struct fixture *fixture, dma_addr_t dma)
{
	return iotlb_find(&fixture->iommu->iotlb, 1, dma) != NULL;
}

/* Here the unit can do less than firmware said: no address mask as large as the software uses. */
static void a_rejected_command_does_not_stop_those_that_follow(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	u8 mask = fixture->iommu->max_address_mask;

	come_and_go(fixture, buf);
	dmasim_expect(rig->s, DMASIM_REPORT_QUEUE_ERROR, 1);
	fixture->iommu->max_address_mask = 1;
	come_and_go(fixture, buf);
	fixture->iommu->max_address_mask = mask;
	/* The software has cleared it. */
	expect_u64(fixture->iommu->fault_status, 0);
	for (int i = 0; i < 3; i++)
		assert_false(is_cached(fixture, come_and_go(fixture, buf)));
	dmasim_free(rig->s, buf, SZ_64K);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static struct fixture *listener(struct dmasim *s)
{
	/* The operations are the fixture's own. */
	return (struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));
}

static int keep_words(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct fixture *fixture = listener(machine);

	fixture->words = (u32)(bytes / sizeof(u64));
	assert_true(fixture->words <= WORDS);
	for (u32 i = 0; i < fixture->words; i++)
		memcpy(&fixture->word[i], (const u8 *)commands + i * sizeof(u64), sizeof(u64));
	for (u32 i = 0; i < fixture->words; i++)
		fixture->word[i] = le64toh(fixture->word[i]);
	return fixture->real->queue_submit(machine, unit, commands, bytes);
}

static void listen(struct fixture *fixture)
{
	struct platform *platform = &fixture->rig->s->platform;

	dmasim_group(fixture->rig->nvme); /* starts the machine */
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	fixture->ops.queue_submit = keep_words;
	platform->ops = &fixture->ops;
}

static void stop_listening(struct fixture *fixture)
{
	fixture->rig->s->platform.ops = fixture->real;
}

static int invalidate(struct iommu_domain *domain, u64 start, u64 last, bool tables)
{
	return iommu_invalidate(domain, &(struct iommu_range){
						.domain = domain->id,
						.start = start,
						.last = last,
						.tables = tables,
					});
}

/* The window is the bits in which first and last page differ; vectors worked by hand. */
static void an_iotlb_command_has_the_bytes_of_the_facts(void **state)
{
	static const struct {
		u32 domain;
		u64 start, last;
		bool leaf_only;
		u64 word[2];
	} row[] = {
		{ 1, 0x7000, 0x7fff, true, { 0x100f2, 0x7040 } },
		{ 1, 0x7000, 0x7fff, false, { 0x100f2, 0x7000 } },
		{ 0xffff, 0x7000, 0x8fff, true, { 0xffff00f2, 0x0044 } },
		{ 0x8001, 0x8000, 0x9fff, false, { 0x800100f2, 0x8001 } },
		{ 2, 0x8123, 0x8124, true, { 0x200f2, 0x8040 } },
		{ 2, 0x40000000, 0x7fffffff, true, { 0x200f2, 0x40000052 } },
		{ 2, 0xfffff000, 0xffffffff, true, { 0x200f2, 0xfffff040 } },
		/* Beyond MAMV, 18: the whole domain, address and IH are 0. */
		{ 2, 0x40000000, 0xbfffffff, true, { 0x200e2, 0 } },
		{ 3, 0, ~0ULL, false, { 0x300e2, 0 } },
	};
	struct fixture *fixture = *state;
	struct os *os = fixture->rig->s->os;

	listen(fixture);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct iommu_domain domain = { .os = os, .unit = os->units, .id = row[i].domain };

		expect_ok(invalidate(&domain, row[i].start, row[i].last, !row[i].leaf_only));
		expect_u64(fixture->words, 4);
		expect_u64(fixture->word[0], row[i].word[0]);
		expect_u64(fixture->word[1], row[i].word[1]);
	}
	stop_listening(fixture);
}

/* DW is bit 6, DR bit 7: only where the unit says that it can drain. */
static void a_command_drains_what_the_unit_can_drain(void **state)
{
	struct fixture *fixture = *state;
	struct os *os = fixture->rig->s->os;

	listen(fixture);
	for (u32 can = 0; can < 4; can++) {
		struct iommu_unit unit = os->units[0];
		struct iommu_domain domain = { .os = os, .unit = &unit, .id = 1 };
		struct platform_iommu hw = *unit.hw;

		unit.hw = &hw;
		hw.drain_writes = can & 1;
		hw.drain_reads = can & 2;
		expect_ok(invalidate(&domain, 0x7000, 0x7fff, true));
		expect_u64(fixture->word[0], 0x10032 | can << 6);
	}
	stop_listening(fixture);
}

/* Status write and fence, no interrupt; the data counts up, the address is a page's. */
static void a_wait_has_the_bytes_of_the_facts(void **state)
{
	struct fixture *fixture = *state;
	struct os *os = fixture->rig->s->os;
	struct iommu_unit *unit;

	listen(fixture);
	unit = &os->units[0];
	for (u32 i = 0; i < 3; i++) {
		struct iommu_domain domain = { .os = os, .unit = unit, .id = 1 };
		u64 next = unit->sequence + 1;

		expect_ok(invalidate(&domain, 0, 0xfff, true));
		expect_u64(fixture->word[2], 0x65 | next << 32);
		expect_u64(fixture->word[3], page_phys(unit->status));
	}
	stop_listening(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(a_rejected_command_does_not_stop_those_that_follow),
	  TEST(an_iotlb_command_has_the_bytes_of_the_facts),
	  TEST(a_command_drains_what_the_unit_can_drain), TEST(a_wait_has_the_bytes_of_the_facts))
