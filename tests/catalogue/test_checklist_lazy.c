/* SPDX-License-Identifier: MIT */
/*
 * More of lazy invalidation (T6): the single queue, what an entry that is queued during a flush
 * waits for, and the queue's two switches as twins (T16).
 */
#include "catalogue/catalogue.h"

#define MS 1000000ULL

/* Entries that fit into a ring. */
#define RING_ROOM   255
#define SINGLE_ROOM 32767

static dma_addr_t map_page(struct rig *rig, phys_addr_t buf)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

static void unmap_page(struct rig *rig, dma_addr_t dma)
{
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
}

static void queue(struct rig *rig, phys_addr_t buf, u32 count)
{
	for (u32 i = 0; i < count; i++)
		unmap_page(rig, map_page(rig, buf));
}

static u64 invalidations(struct rig *rig)
{
	return dmasim_costs(rig->s).invalidations;
}

/* ---- T6: the single queue -------------------------------------------------------------------- */

static int mode_shadow(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY,
							      .iommu_shadow_on_flush = true,
							      .iova_ops = dmasim_iova_linux() });
}

/* trust: T06: the single queue: ring, timer | our reading of the facts: dma-api 6.4 */
static void T06_single_queue_is_full_at_32767(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	u64 before = invalidations(rig);

	/* All CPUs fill the same ring. */
	for (u32 cpu = 0; cpu < 4; cpu++) {
		dmasim_set_cpu(rig->s, cpu);
		queue(rig, buf, cpu < 3 ? SINGLE_ROOM / 4 : SINGLE_ROOM - 3 * (SINGLE_ROOM / 4));
	}
	expect_u64(invalidations(rig), before);
	dmasim_set_cpu(rig->s, 1);
	queue(rig, buf, 1);
	expect_u64(invalidations(rig), before + 1);
	dmasim_assert_clean(rig->s);
}

static void T06_single_queue_flushes_after_1000_ms(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	u64 before = invalidations(rig);

	queue(rig, buf, 1);
	dmasim_run(rig->s, 600 * MS);
	queue(rig, buf, 1);
	dmasim_run(rig->s, 400 * MS - 1);
	expect_u64(invalidations(rig), before);
	dmasim_run(rig->s, 1);
	expect_u64(invalidations(rig), before + 1);
	dmasim_run(rig->s, 5000 * MS);
	expect_u64(invalidations(rig), before + 1);
	dmasim_assert_clean(rig->s);
}

/* ---- Twins ----------------------------------------------------------------------------------- */

#define TWINS(bug, test)                                                      \
	static int test##_setup_off(void **state)                             \
	{                                                                     \
		return mode_lazy(state);                                      \
	}                                                                     \
	static int test##_setup_on(void **state)                              \
	{                                                                     \
		return rig_setup_with(state, &(struct dmasim_config){         \
						     DMASIM_CONFIG,           \
						     .policy = DMASIM_LAZY,   \
						     .bugs = DMASIM_BUG(bug), \
					     });                              \
	}

#define PAIR(test)                                                            \
	{ #test "__off", test##__off, test##_setup_off, rig_teardown, NULL }, \
	{                                                                     \
#test "__on", test##__on, test##_setup_on, rig_teardown, NULL \
	}

TWINS(FQ_RECYCLE_EARLY, T16_fq_recycle_early)

/* An address whose translation the device has cached; then the queue is looked at once more. */
static void use_unmap_and_queue(struct rig *rig)
{
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t used = map_page(rig, buf), other = map_page(rig, ram(rig, SZ_4K));

	expect_done(write_byte(rig->nvme, used, 1), 1);
	unmap_page(rig, used);
	unmap_page(rig, other);
}

/*
 * trust: T16: an address waits for a flush that began after its unmap
 * | our reading of the facts: iova-and-page-tables 6.3
 */
static void T16_fq_recycle_early__off(void **state)
{
	struct rig *rig = *state;
	u64 before = invalidations(rig);

	use_unmap_and_queue(rig);
	expect_u64(invalidations(rig), before);
	dmasim_assert_clean(rig->s);
}

/* It is free again while the device still reaches the buffer by it. */
static void T16_fq_recycle_early__on(void **state)
{
	struct rig *rig = *state;
	u64 before = invalidations(rig);

	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	use_unmap_and_queue(rig);
	expect_u64(invalidations(rig), before);
	expect_only(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
}

TWINS(FQ_OVERWRITE, T16_fq_overwrite)

struct unmaps {
	struct rig *rig;
	phys_addr_t buf;
	dma_addr_t dma[RING_ROOM + 1];
};

static void map_and_unmap_all(struct dmasim *s, void *context)
{
	struct unmaps *unmaps = context;

	(void)s;
	for (u32 i = 0; i <= RING_ROOM; i++) {
		unmaps->dma[i] = map_page(unmaps->rig, unmaps->buf);
		unmap_page(unmaps->rig, unmaps->dma[i]);
	}
}

/*
 * Another CPU's timer has begun a flush and is held up before its invalidation, for as long as it
 * takes to fill this CPU's ring and to queue once more. Returns how many of the addresses cannot
 * be had again when all flushes are over.
 */
static u32 count_lost(struct rig *rig)
{
	struct unmaps unmaps = { .rig = rig, .buf = ram(rig, SZ_4K) };
	const struct dmasim_task task = { map_and_unmap_all, &unmaps };
	u32 lost = RING_ROOM + 1;

	dmasim_set_cpu(rig->s, 1);
	queue(rig, unmaps.buf, 1);
	dmasim_set_cpu(rig->s, 0);
	/* The timer clears its flag, counts its flush, and stands before the command. */
	expect_ok(dmasim_run_cpus(rig->s, &task, 1,
				  &(struct dmasim_schedule){ .choices = "1110", .timers = 1 }));
	dmasim_run(rig->s, 100 * MS);
	/* One more: the other CPU's has come back, too. */
	for (u32 i = 0; i <= RING_ROOM + 1; i++) {
		dma_addr_t again = map_page(rig, unmaps.buf);

		for (u32 k = 0; k <= RING_ROOM; k++)
			lost -= unmaps.dma[k] == again;
	}
	return lost;
}

/*
 * trust: T16: a full ring is not queued in, although a flush is held up
 * | our reading of the facts: iova-and-page-tables 1.4
 */
static void T16_fq_overwrite__off(void **state)
{
	expect_u64(count_lost(*state), 0);
	dmasim_suppress(((struct rig *)*state)->s, DMASIM_REPORT_MAPPING_LEAKED);
}

/* The ring looks empty then: what was in it is never looked at again. */
static void T16_fq_overwrite__on(void **state)
{
	expect_u64(count_lost(*state), RING_ROOM + 1);
	dmasim_suppress(((struct rig *)*state)->s, DMASIM_REPORT_MAPPING_LEAKED);
}

TEST_MAIN({ "T06_single_queue_is_full_at_32767__shadow", T06_single_queue_is_full_at_32767,
	    mode_shadow, rig_teardown, NULL },
	  { "T06_single_queue_flushes_after_1000_ms__shadow",
	    T06_single_queue_flushes_after_1000_ms, mode_shadow, rig_teardown, NULL },
	  PAIR(T16_fq_recycle_early), PAIR(T16_fq_overwrite))
