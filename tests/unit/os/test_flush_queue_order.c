/* SPDX-License-Identifier: MIT */
/*
 * The flush queue alone: the order of what another CPU can see, step by step (facts
 * "iova-and-page-tables" 1.4), its sizes and times, and whose tables go where.
 *
 *   L U   a lock is taken, is released
 *   F     before START, FINISH or the timer's flag is read or changed
 *   R     before a slot, the head or the tail of a ring is changed
 *   !     the domain is flushed          A   the timer is armed
 *   r     an entry is released           k   the same, its tables are kept
 */
#include "iova/flush_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/bug.h>
#include <dmasim/page.h>

#include "support/expect.h"

#define LOG_MAX 4096

struct desk {
	struct platform platform;
	struct flush_queue *fq;
	struct dmasim_timer *armed;
	u64 delay_ns;
	char log[LOG_MAX];
	u32 logged;
	u32 fails;			      /* flushes to come that fail */
	void (*meanwhile)(struct desk *desk); /* what other CPUs do during the next flush */
	struct page page[4];
	u64 released[LOG_MAX];
	u32 released_count;
	u32 tables_back;
};

static void note(struct desk *desk, char what)
{
	assert_true(desk->logged + 1 < LOG_MAX);
	desk->log[desk->logged++] = what;
	desk->log[desk->logged] = '\0';
}

static void *port_alloc(void *machine, enum dmasim_fault_point why, size_t bytes)
{
	(void)machine;
	(void)why;
	return calloc(1, bytes);
}

static void port_free(void *machine, void *memory)
{
	(void)machine;
	free(memory);
}

static void port_point(void *machine, enum dmasim_point point)
{
	static const char letters[DMASIM_POINT_COUNT] = {
		[DMASIM_POINT_LOCK] = 'L',
		[DMASIM_POINT_UNLOCK] = 'U',
		[DMASIM_POINT_FLUSH] = 'F',
		[DMASIM_POINT_RING] = 'R',
	};

	note(machine, letters[point] ? letters[point] : '?');
}

static void port_timer_arm(void *machine, struct dmasim_timer *timer, u64 delay_ns)
{
	struct desk *desk = machine;

	note(desk, 'A');
	desk->armed = timer;
	desk->delay_ns = delay_ns;
}

static void port_timer_cancel(void *machine, struct dmasim_timer *timer)
{
	struct desk *desk = machine;

	if (desk->armed == timer)
		desk->armed = NULL;
}

static int flush(void *domain)
{
	struct desk *desk = domain;

	note(desk, '!');
	if (desk->meanwhile) {
		void (*meanwhile)(struct desk * desk) = desk->meanwhile;

		desk->meanwhile = NULL;
		meanwhile(desk);
	}
	if (!desk->fails)
		return 0;
	desk->fails--;
	return -EIO;
}

static u32 count(const struct page *tables)
{
	u32 pages = 0;

	for (; tables; tables = tables->next)
		pages++;
	return pages;
}

static void release(void *domain, u64 iova, u64 bytes, struct page *tables, bool cached)
{
	struct desk *desk = domain;

	expect_u64(bytes, SZ_4K);
	note(desk, cached ? 'k' : 'r');
	assert_true(desk->released_count < LOG_MAX);
	desk->released[desk->released_count++] = iova;
	desk->tables_back += count(tables);
}

static void forget(void *domain, struct page *tables)
{
	struct desk *desk = domain;

	desk->tables_back += count(tables);
}

static void start(struct desk *desk, struct flush_queue_config config)
{
	static const struct platform_ops ops = {
		.alloc = port_alloc,
		.free = port_free,
		.timer_arm = port_timer_arm,
		.timer_cancel = port_timer_cancel,
		.point = port_point,
	};
	static const struct flush_queue_ops domain = { .flush = flush, .release = release };

	desk->platform = (struct platform){ .ops = &ops, .machine = desk, .stepping = true };
	config.platform = &desk->platform;
	config.ops = &domain;
	config.domain = desk;
	desk->fq = flush_queue_create(&config);
	assert_non_null(desk->fq);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct desk));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct desk *desk = *state;

	if (desk->fq)
		flush_queue_destroy(desk->fq, forget);
	free(desk);
	return 0;
}

static void add(struct desk *desk, u32 cpu, u64 iova)
{
	desk->platform.cpu = cpu;
	flush_queue_add(desk->fq, iova, SZ_4K, NULL);
}

/* What happened since the last time. */
static void expect_log(struct desk *desk, const char *log)
{
	assert_string_equal(desk->log, log);
	desk->logged = 0;
	desk->log[0] = '\0';
}

static void fire(struct desk *desk)
{
	struct dmasim_timer *timer = desk->armed;

	assert_non_null(timer);
	desk->armed = NULL;
	timer->fire(timer);
}

/* ---- Order ----------------------------------------------------------------------------------- */

/*
 * trust: the order of an enqueue, of a flush and of the timer
 * | our reading of the facts: iova-and-page-tables 1.4
 */
static void an_enqueue_recycles_writes_its_slot_moves_the_tail_and_arms(void **state)
{
	struct desk *desk = *state;

	start(desk, (struct flush_queue_config){ .cpus = 2, .entries = 4 });
	/* The flag is read, exchanged, and who saw it clear arms. */
	add(desk, 0, 0x1000);
	expect_log(desk, "LFRRUFFFA");
	/* It is set: no more than a look. */
	add(desk, 0, 0x2000);
	add(desk, 1, 0x3000);
	expect_log(desk, "LFRRUFLFRRUF");
}

static void a_full_ring_is_flushed_and_recycled_under_its_lock(void **state)
{
	struct desk *desk = *state;

	start(desk, (struct flush_queue_config){ .cpus = 2, .entries = 4 });
	for (u32 i = 0; i < 3; i++)
		add(desk, 0, 0x1000 + i * SZ_4K);
	desk->logged = 0;
	/* START, the flush, what it covered, FINISH, read again; each release before the head. */
	add(desk, 0, 0x9000);
	expect_log(desk, "LFF!FFFrRrRrRRRUF");
	expect_u64(desk->released_count, 3);
	for (u32 i = 0; i < 3; i++)
		expect_u64(desk->released[i], 0x1000 + i * SZ_4K);
}

static void the_timer_clears_its_flag_first_and_then_looks_at_all_rings(void **state)
{
	struct desk *desk = *state;

	start(desk, (struct flush_queue_config){ .cpus = 3, .entries = 4 });
	add(desk, 0, 0x1000);
	add(desk, 2, 0x2000);
	add(desk, 2, 0x3000);
	desk->logged = 0;
	fire(desk);
	expect_log(desk, "FF!FFLFrRULFULFrRrRU");
	assert_null(desk->armed);
	/* What comes afterwards arms again. */
	add(desk, 1, 0x4000);
	expect_log(desk, "LFRRUFFFA");
}

static void one_that_was_queued_after_the_last_flush_began_waits(void **state)
{
	struct desk *desk = *state;

	start(desk, (struct flush_queue_config){ .cpus = 1, .entries = 4 });
	add(desk, 0, 0x1000);
	fire(desk);
	expect_u64(desk->released_count, 1);
	add(desk, 0, 0x2000);
	add(desk, 0, 0x3000);
	expect_u64(desk->released_count, 1);
	fire(desk);
	expect_u64(desk->released_count, 3);
}

/* ---- Kinds ----------------------------------------------------------------------------------- */

/* How many fit until a flush. */
static u32 room(struct desk *desk, u32 cpus)
{
	u32 queued = 0;

	for (;; queued++) {
		desk->logged = 0;
		desk->log[0] = '\0';
		add(desk, queued % cpus, 0x1000);
		if (strchr(desk->log, '!'))
			return queued;
		desk->released_count = 0;
	}
}

static void a_cpus_ring_holds_255_for_10_ms(void **state)
{
	struct desk *desk = *state;

	start(desk, (struct flush_queue_config){ .cpus = 4 });
	expect_u64(room(desk, 1), 255);
	expect_u64(desk->delay_ns, 10 * 1000 * 1000);
}

static void the_single_ring_holds_32767_for_a_second(void **state)
{
	struct desk *desk = *state;

	start(desk, (struct flush_queue_config){ .cpus = 4, .single = true });
	for (u32 i = 0; i < 32767; i++) {
		desk->logged = 0;
		add(desk, i % 4, 0x1000);
		assert_null(strchr(desk->log, '!'));
	}
	desk->logged = 0;
	/* A flush would log more than there is room for. */
	expect_u64(desk->released_count, 0);
	expect_u64(desk->delay_ns, 1000 * 1000 * 1000);
}

static void a_single_ring_is_one_for_all_cpus(void **state)
{
	struct desk *desk = *state;

	start(desk, (struct flush_queue_config){ .cpus = 3, .entries = 8, .single = true });
	expect_u64(room(desk, 3), 7);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void tables_go_with_their_entry(void **state)
{
	struct desk *desk = *state;
	struct page page[3] = { { .next = &page[1] }, { .next = NULL }, { .next = NULL } };

	start(desk, (struct flush_queue_config){ .cpus = 1, .entries = 4 });
	flush_queue_add(desk->fq, 0x1000, SZ_4K, &page[0]);
	flush_queue_add(desk->fq, 0x2000, SZ_4K, NULL);
	expect_u64(desk->tables_back, 0);
	fire(desk);
	expect_u64(desk->tables_back, 2);
	/* The end takes what waits. */
	flush_queue_add(desk->fq, 0x3000, SZ_4K, &page[2]);
	flush_queue_destroy(desk->fq, forget);
	desk->fq = NULL;
	expect_u64(desk->tables_back, 3);
	expect_u64(desk->released_count, 2);
	assert_null(desk->armed);
}

static void a_flush_that_fails_covers_no_tables(void **state)
{
	struct desk *desk = *state;

	start(desk, (struct flush_queue_config){ .cpus = 2, .entries = 2 });
	add(desk, 1, 0x1000);
	add(desk, 0, 0x2000);
	desk->fails = 1;
	/* Full: the address is free, its tables are not. */
	desk->logged = 0;
	add(desk, 0, 0x3000);
	expect_log(desk, "LFF!FFkRRRUF");
	/* The next one goes well, and covers what waits in both rings. */
	fire(desk);
	expect_log(desk, "FF!FFLFrRULFrRU");
}

static void add_with_page(struct desk *desk, u32 cpu, u32 number)
{
	desk->platform.cpu = cpu;
	flush_queue_add(desk->fq, SZ_4K * (1 + number), SZ_4K, &desk->page[number]);
}

/* CPU 0's ring is full at the second one, and the flush that is on does not count yet. */
static void fill_ring_0(struct desk *desk)
{
	add_with_page(desk, 0, 0);
	add_with_page(desk, 0, 1);
}

static void start_and_overlap(struct desk *desk, u32 bugs)
{
	start(desk, (struct flush_queue_config){ .cpus = 2, .entries = 2, .bugs = bugs });
	add(desk, 1, 0x100000);
	desk->meanwhile = fill_ring_0;
	desk->logged = 0;
	fire(desk);
}

static void while_another_flush_does_not_count_it_takes_one_more(void **state)
{
	struct desk *desk = *state;

	start_and_overlap(desk, 0);
	/* The timer's flush; two enqueues within it, the second flushes twice; then the rings. */
	expect_log(desk, "FF!"
			 "LFRRUFFFA"
			 "LFF!FFFF!FFFrRRRUF"
			 "FFLFULFrRU");
	fire(desk);
	expect_u64(desk->released_count, 3);
	expect_u64(desk->tables_back, 2);
}

/* The two are lost; their pages go with what comes into their slots. */
static void with_the_bug_addresses_are_lost_and_pages_are_not(void **state)
{
	struct desk *desk = *state;

	start_and_overlap(desk, DMASIM_BUG(FQ_OVERWRITE));
	expect_log(desk, "FF!"
			 "LFRRUFFFA"
			 "LFF!FFFRRUF"
			 "FFLFULFrRU");
	fire(desk);
	expect_u64(desk->released_count, 1);
	for (u32 i = 2; i < 4; i++) {
		add_with_page(desk, 0, i);
		if (desk->armed)
			fire(desk);
	}
	expect_u64(desk->released_count, 3);
	expect_u64(desk->released[1], SZ_4K * 3);
	expect_u64(desk->released[2], SZ_4K * 4);
	expect_u64(desk->tables_back, 4);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(an_enqueue_recycles_writes_its_slot_moves_the_tail_and_arms),
	  T(a_full_ring_is_flushed_and_recycled_under_its_lock),
	  T(the_timer_clears_its_flag_first_and_then_looks_at_all_rings),
	  T(one_that_was_queued_after_the_last_flush_began_waits),
	  T(a_cpus_ring_holds_255_for_10_ms), T(the_single_ring_holds_32767_for_a_second),
	  T(a_single_ring_is_one_for_all_cpus), T(tables_go_with_their_entry),
	  T(a_flush_that_fails_covers_no_tables),
	  T(while_another_flush_does_not_count_it_takes_one_more),
	  T(with_the_bug_addresses_are_lost_and_pages_are_not))
