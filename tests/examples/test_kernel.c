/* SPDX-License-Identifier: MIT */
/*
 * The kernel-named layer by itself: memory, lists, devices' memory, interrupts, locks.
 */
#include "support/rig.h"

#include <string.h>

#include <dmasim/kernel.h>

#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iommu-dma.h>
#include <linux/iova.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static int enter(void **state)
{
	struct rig *rig = test_calloc(1, sizeof(*rig));

	rig_init(rig, NULL);
	assert_null(dmasim_enter(rig->s));
	*state = rig;
	return 0;
}

/* A test that left something behind fails here. */
static int leave(void **state)
{
	struct rig *rig = *state;
	char found[4096];
	u32 unclean = dmasim_check_clean(rig->s, found, sizeof(found));
	u64 leaks = dmasim_destroy(rig->s);

	if (unclean)
		print_error("%s", found);
	/* The machine took the thread out of it. */
	if (dmasim_enter(NULL))
		return -1;
	test_free(rig);
	return unclean || leaks ? -1 : 0;
}

static void expect_misuse(struct rig *rig, u32 count)
{
	dmasim_expect(rig->s, DMASIM_REPORT_KERNEL_MISUSE, count);
}

/* ---- Memory ----------------------------------------------------------- */

static void kmalloc_rounds_up_and_aligns(void **state)
{
	static const size_t sizes[][3] = {
		/* asked, got, aligned */
		{ 1, 8, 8 },
		{ 8, 8, 8 },
		{ 9, 16, 16 },
		{ 65, 96, 32 },
		{ 97, 128, 128 },
		{ 129, 192, 64 },
		{ 193, 256, 256 },
		{ 2048, 2048, 2048 },
		{ 2049, 4096, 4096 },
		{ 5000, 8192, 4096 },
		{ SZ_1M, SZ_1M, 4096 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *a = kmalloc(sizes[i][0], GFP_KERNEL);
		u8 *b = kzalloc(sizes[i][0], GFP_KERNEL);

		assert_non_null(a);
		assert_non_null(b);
		expect_u64(ksize(a), sizes[i][1]);
		expect_u64((uintptr_t)a % sizes[i][2], 0);
		expect_u64(virt_to_phys(b) % sizes[i][2], 0);
		expect_u64(a[0], 0x5a);
		expect_u64(a[sizes[i][1] - 1], 0x5a);
		expect_u64(b[0] | b[sizes[i][1] - 1], 0);
		kfree(a);
		kfree(b);
	}
}

static void pieces_do_not_overlap_and_are_used_again(void **state)
{
	struct rig *rig = *state;
	u8 *piece[200];

	for (u32 round = 0; round < 2; round++) {
		for (u32 i = 0; i < 200; i++) {
			piece[i] = kmalloc(96, GFP_KERNEL);
			assert_non_null(piece[i]);
			memset(piece[i], (int)i, 96);
		}
		for (u32 i = 0; i < 200; i++)
			for (u32 at = 0; at < 96; at++)
				assert_int_equal(piece[i][at], i);
		/* 42 pieces in a page: 5 pages and their records. */
		expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_KMALLOC), 10);
		for (u32 i = 0; i < 200; i++)
			kfree(piece[(i * 7) % 200]);
		expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_KMALLOC), 0);
	}
}

static void zones_are_low(void **state)
{
	void *dma = kmalloc(64, GFP_KERNEL | GFP_DMA);
	void *dma32 = kmalloc(64, GFP_KERNEL | GFP_DMA32);
	struct page *page = alloc_pages(GFP_KERNEL | GFP_DMA, 3);

	(void)state;
	assert_true(virt_to_phys(dma) < SZ_16M);
	assert_true(virt_to_phys(dma32) < SZ_4G);
	assert_true(page_to_phys(page) < SZ_16M);
	expect_u64(page_to_phys(page) % SZ_32K, 0);
	kfree(dma);
	kfree(dma32);
	__free_pages(page, 3);
}

static void odd_sizes_have_linux_s_answers(void **state)
{
	void *nothing = kmalloc(0, GFP_KERNEL);
	char *some;

	(void)state;
	assert_ptr_equal(nothing, ZERO_SIZE_PTR);
	assert_true(ZERO_OR_NULL_PTR(nothing));
	kfree(nothing);
	kfree(NULL);
	assert_null(kmalloc((4U << 20) + 1, GFP_KERNEL));
	assert_null(kmalloc_array(SIZE_MAX / 2, 4, GFP_KERNEL));
	assert_null(alloc_pages(GFP_KERNEL, 11));
	some = kmemdup("abc", 4, GFP_KERNEL);
	some = krealloc(some, 4000, GFP_KERNEL);
	assert_string_equal(some, "abc");
	kfree(some);
}

static void wrong_frees_are_reported(void **state)
{
	struct rig *rig = *state;
	char *piece = kmalloc(64, GFP_KERNEL);
	char *other = kmalloc(64, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);
	char local;

	expect_misuse(rig, 6);
	kfree(piece + 8);
	kfree(&local);
	kfree(page_address(page));
	__free_pages(page, 1);
	__free_pages(virt_to_page(other), 0);
	kfree(piece);
	kfree(piece);
	kfree(other);
	__free_page(page);
}

static void what_is_not_freed_is_a_leak(void **state)
{
	struct dmasim *s = dmasim_create(NULL);
	struct dmasim *before = dmasim_enter(s);

	(void)state;
	assert_non_null(kmalloc(10, GFP_KERNEL));
	assert_non_null(ioremap(0xfe000000, 16));
	dmasim_enter(before);
	/* The page and its record, and the record of the cookie. */
	expect_u64(dmasim_destroy(s), 3);
}

static void a_pointer_has_the_offset_of_its_address(void **state)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);

	(void)state;
	expect_u64(offset_in_page(page), 0);
	expect_u64(virt_to_phys(page + 100) & ~PAGE_MASK, 100);
	assert_ptr_equal(virt_to_page(page + 100), phys_to_page(virt_to_phys(page)));
	assert_ptr_equal(pfn_to_page(page_to_pfn(virt_to_page(page))), virt_to_page(page));
	assert_ptr_equal(phys_to_virt(virt_to_phys(page + 5)), page + 5);
	free_page((unsigned long)page);
}

static void long_tables_are_chained(void **state)
{
	static const unsigned int counts[] = { 1, 127, 128, 129, 254, 255, 256, 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct sg_table table;
		struct scatterlist *sg;
		unsigned int at, seen = 0;

		expect_ok(sg_alloc_table(&table, counts[i], GFP_KERNEL));
		expect_u64(table.orig_nents, counts[i]);
		expect_u64((u64)sg_nents(table.sgl), counts[i]);
		for_each_sgtable_sg(&table, sg, at)
			seen += !sg_is_chain(sg) && sg_is_last(sg) == (at == counts[i] - 1);
		expect_u64(seen, counts[i]);
		assert_true(sg_is_last(sg_last(table.sgl, counts[i])));
		sg_free_table(&table);
	}
}

/* ---- Lists ------------------------------------------------------------ */

struct item {
	int value;
	struct list_head node;
};

static u32 digits(struct list_head *list)
{
	struct item *item;
	u32 number = 0;

	list_for_each_entry(item, list, node) number = number * 10 + (u32)item->value;
	return number;
}

static void lists_keep_their_order(void **state)
{
	struct item item[5];
	struct item *at, *next;
	LIST_HEAD(list);
	LIST_HEAD(other);

	(void)state;
	for (int i = 0; i < 5; i++) {
		item[i].value = i + 1;
		list_add_tail(&item[i].node, &list);
	}
	expect_u64(digits(&list), 12345);
	list_move(&item[4].node, &list);
	expect_u64(digits(&list), 51234);
	list_move_tail(&item[0].node, &other);
	list_splice_tail_init(&list, &other);
	expect_u64(digits(&other), 15234);
	assert_true(list_empty(&list));
	assert_ptr_equal(list_first_entry(&other, struct item, node), &item[0]);
	assert_ptr_equal(list_last_entry(&other, struct item, node), &item[3]);
	list_for_each_entry_safe(at, next, &other, node) if (at->value % 2) list_del(&at->node);
	expect_u64(digits(&other), 24);
	assert_null(list_first_entry_or_null(&list, struct item, node));
}

/* ---- Devices' memory -------------------------------------------------- */

static void registers_are_reached_through_cookies(void **state)
{
	struct rig *rig = *state;
	void __iomem *regs;
	u8 bytes[4];

	expect_ok(pci_enable_device(rig->nvme));
	regs = pci_iomap(rig->nvme, 0, 0);
	assert_non_null(regs);
	writel(0x11223344, regs + 0x10);
	expect_u64(readl(regs + 0x10), 0x11223344);
	expect_u64(readw(regs + 0x12), 0x1122);
	expect_u64(readb(regs + 0x10), 0x44);
	writeq(0x8877665544332211, regs + 0x20);
	expect_u64(readq(regs + 0x20), 0x8877665544332211);
	memset_io(regs, 0xab, 2);
	memcpy_fromio(bytes, regs, sizeof(bytes));
	expect_u64(bytes[0] << 8 | bytes[1], 0xabab);
	expect_u64(dmasim_read(rig->s, pci_resource_start(rig->nvme, 0), bytes, 1), 1);
	expect_u64(bytes[0], 0xab);
	assert_null(pci_iomap(rig->nvme, 5, 0));
	assert_null(pci_iomap(rig->nvme, 6, 0));
	pci_iounmap(rig->nvme, regs);
}

static void wrong_cookies_are_reported(void **state)
{
	struct rig *rig = *state;
	void __iomem *regs;

	expect_ok(pci_enable_device(rig->nvme));
	regs = pci_iomap(rig->nvme, 0, 0x100);
	expect_misuse(rig, 5);
	expect_u64(readl(regs + 0xfe), 0xffffffff);
	writel(0, regs - 4);
	assert_null(ioremap(dmasim_alloc(rig->s, SZ_4K), SZ_4K));
	iounmap(regs + 4);
	iounmap(regs);
	expect_u64(readl(regs), 0xffffffff);
}

/* ---- Interrupts and locks --------------------------------------------- */

struct counter {
	spinlock_t lock;
	u32 handled;
	u32 threaded;
	irqreturn_t answer;
};

static irqreturn_t count_handled(int irq, void *data)
{
	struct counter *counter = data;

	(void)irq;
	spin_lock(&counter->lock);
	counter->handled++;
	spin_unlock(&counter->lock);
	return counter->answer;
}

static irqreturn_t count_threaded(int irq, void *data)
{
	struct counter *counter = data;

	(void)irq;
	counter->threaded++;
	return IRQ_HANDLED;
}

static unsigned int ask(struct rig *rig, struct counter *counter)
{
	unsigned int irq;

	spin_lock_init(&counter->lock);
	expect_error(pci_alloc_irq_vectors(rig->nvme, 1, 4, PCI_IRQ_ALL_TYPES), 4);
	irq = (unsigned int)pci_irq_vector(rig->nvme, 2);
	expect_ok(request_threaded_irq(irq, count_handled, count_threaded, 0, "test", counter));
	return irq;
}

static void give_up(struct rig *rig, unsigned int irq, struct counter *counter)
{
	assert_string_equal(free_irq(irq, counter), "test");
	pci_free_irq_vectors(rig->nvme);
}

static void an_interrupt_waits_until_it_is_let_in(void **state)
{
	struct rig *rig = *state;
	struct counter counter = { .answer = IRQ_HANDLED };
	unsigned int irq = ask(rig, &counter);
	unsigned long flags;

	assert_false(dmasim_raise_irq(rig->nvme, 1));
	assert_false(dmasim_raise_irq(rig->gpu, 2));
	assert_true(dmasim_raise_irq(rig->nvme, 2));
	expect_u64(counter.handled, 1);

	spin_lock_irqsave(&counter.lock, flags);
	assert_true(dmasim_raise_irq(rig->nvme, 2));
	expect_u64(counter.handled, 1);
	spin_unlock_irqrestore(&counter.lock, flags);
	expect_u64(counter.handled, 2);

	disable_irq(irq);
	disable_irq(irq);
	dmasim_raise_irq(rig->nvme, 2);
	enable_irq(irq);
	expect_u64(counter.handled, 2);
	enable_irq(irq);
	expect_u64(counter.handled, 3);

	counter.answer = IRQ_NONE;
	assert_false(dmasim_raise_irq(rig->nvme, 2));
	expect_u64(counter.threaded, 0);
	give_up(rig, irq, &counter);
}

static void a_thread_function_waits_for_locks(void **state)
{
	struct rig *rig = *state;
	struct counter counter = { .answer = IRQ_WAKE_THREAD };
	unsigned int irq = ask(rig, &counter);
	spinlock_t other = { 0 };

	spin_lock(&other);
	dmasim_raise_irq(rig->nvme, 2);
	expect_u64(counter.handled, 1);
	expect_u64(counter.threaded, 0);
	spin_unlock(&other);
	expect_u64(counter.threaded, 1);
	give_up(rig, irq, &counter);
}

/* The classic: a lock that a handler takes is taken with interrupts on. */
static void a_lock_that_would_hang_is_reported(void **state)
{
	struct rig *rig = *state;
	struct counter counter = { .answer = IRQ_HANDLED };
	unsigned int irq = ask(rig, &counter);

	expect_misuse(rig, 2);
	spin_lock(&counter.lock);
	dmasim_raise_irq(rig->nvme, 2);
	assert_false(spin_trylock(&counter.lock));
	spin_unlock(&counter.lock);
	spin_unlock(&counter.lock);
	give_up(rig, irq, &counter);
}

static void bad_requests_are_refused(void **state)
{
	struct rig *rig = *state;
	struct counter counter = { .answer = IRQ_HANDLED };
	unsigned int irq = ask(rig, &counter);

	expect_error(pci_alloc_irq_vectors(rig->nvme, 1, 1, PCI_IRQ_MSI), -EINVAL);
	expect_error(pci_alloc_irq_vectors(rig->gpu, 2, 4, PCI_IRQ_INTX), -ENOSPC);
	expect_error(pci_irq_vector(rig->nvme, 4), -EINVAL);
	expect_error(request_irq(irq, count_handled, 0, "again", rig), -EBUSY);
	expect_error(request_irq(irq + 100, count_handled, 0, "nowhere", rig), -EINVAL);
	expect_error(request_irq(irq, NULL, 0, "nobody", rig), -EINVAL);
	expect_misuse(rig, 3);
	assert_null(free_irq(irq, rig));
	enable_irq(irq);
	pci_free_irq_vectors(rig->nvme);
	give_up(rig, irq, &counter);
}

/* A driver that hands out addresses of its own. */
static void iova_space_is_that_of_the_machine(void **state)
{
	struct rig *rig = *state;
	struct iova_domain iovad;
	struct iova *iova;
	dmasim_ulong pfn;

	expect_ok(iova_cache_get());
	init_iova_domain(&iovad, PAGE_SIZE, 1);
	expect_ok(iova_domain_init_rcaches(&iovad));
	iova = alloc_iova(&iovad, 16, iova_pfn(&iovad, DMA_BIT_MASK(32)), true);
	assert_non_null(iova);
	expect_u64(iova_dma_addr(&iovad, iova), SZ_4G - SZ_64K);
	pfn = alloc_iova_fast(&iovad, 1, iova->pfn_hi, true);
	expect_u64(pfn, iova->pfn_lo - 1);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_IOVA_RECORD), 1);
	free_iova_fast(&iovad, pfn, 1);
	__free_iova(&iovad, iova);
	put_iova_domain(&iovad);
	iova_cache_put();
	expect_misuse(rig, 1);
	iova_cache_put();
}

static void the_log_says_that_32_bits_do_not_do(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st;
	char *text = NULL;
	size_t bytes = 0;
	FILE *log = open_memstream(&text, &bytes);

	assert_non_null(log);
	dmasim_print_to(rig->s, log);
	for (u32 i = 0; i < 2; i++) {
		assert_true(dma_iova_try_alloc(&rig->nvme->dev, &st, 0, 2 * SZ_4G));
		dma_iova_free(&rig->nvme->dev, &st);
	}
	dmasim_print_to(rig->s, NULL);
	assert_true(dma_iova_try_alloc(&rig->disk->dev, &st, 0, 2 * SZ_4G));
	dma_iova_free(&rig->disk->dev, &st);
	fclose(log);
	assert_string_equal(text, "0000:03:00.0: Using 48-bit DMA addresses\n");
	free(text);
}

static void errors_travel_in_pointers(void **state)
{
	struct rig *rig = *state;

	assert_true(IS_ERR(ERR_PTR(-ENOMEM)) && !IS_ERR(rig) && !IS_ERR(NULL));
	expect_error((int)PTR_ERR(ERR_PTR(-EREMOTEIO)), -EREMOTEIO);
	expect_error(PTR_ERR_OR_ZERO(rig), 0);
	assert_true(IS_ERR_OR_NULL(NULL));
	assert_true(use_dma_iommu(&rig->nvme->dev));
	expect_misuse(rig, 1);
	assert_true(WARN_ON(rig != NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

TEST_MAIN(TEST(kmalloc_rounds_up_and_aligns), TEST(pieces_do_not_overlap_and_are_used_again),
	  TEST(zones_are_low), TEST(odd_sizes_have_linux_s_answers), TEST(wrong_frees_are_reported),
	  TEST(what_is_not_freed_is_a_leak), TEST(a_pointer_has_the_offset_of_its_address),
	  TEST(long_tables_are_chained), TEST(lists_keep_their_order),
	  TEST(registers_are_reached_through_cookies), TEST(wrong_cookies_are_reported),
	  TEST(an_interrupt_waits_until_it_is_let_in), TEST(a_thread_function_waits_for_locks),
	  TEST(a_lock_that_would_hang_is_reported), TEST(bad_requests_are_refused),
	  TEST(iova_space_is_that_of_the_machine), TEST(the_log_says_that_32_bits_do_not_do),
	  TEST(errors_travel_in_pointers))
