/* SPDX-License-Identifier: MIT */
/*
 * What a program of a user's looks like on a bad day: CMocka's tests that fail, one in a callback
 * of a device, one in a task, one where the first report is, one at its end; and one that is right.
 * failing.sh runs it, and says what is to be seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dmasim/cmocka.h>
#include <dmasim/dmasim.h>

static void doorbell(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes)
{
	(void)cookie;
	(void)bar;
	(void)from;
	(void)bytes;
	assert_int_equal(offset, 4);
}

static const struct dmasim_bar_ops bar_ops = { .write = doorbell };

static struct pci_dev *add_nic(struct dmasim *s)
{
	struct pci_dev *nic = dmasim_add_endpoint(
		s, "00:01.0/00.0",
		&(struct dmasim_endpoint){ .bar = { SZ_4K }, .bar_ops = &bar_ops });

	assert_non_null(nic);
	return nic;
}

static dma_addr_t map_a_page(struct dmasim *s, struct pci_dev *nic)
{
	dma_addr_t dma = dma_map_phys(&nic->dev, dmasim_alloc(s, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);

	assert_false(dma_mapping_error(&nic->dev, dma));
	return dma;
}

static void unmap_twice(struct dmasim *s, struct pci_dev *nic)
{
	dma_addr_t dma = map_a_page(s, nic);

	dma_unmap_phys(&nic->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(&nic->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

/* The mapping is a leak then, which the tear-down shows. */
static void fails_in_a_callback(void **state)
{
	struct dmasim *s = *state;
	struct pci_dev *nic = add_nic(s);
	const u32 word = 1;

	map_a_page(s, nic);
	dmasim_write(s, pci_resource_start(nic, 0), &word, sizeof(word));
	fail_msg("it came back");
}

static void fail_in_a_task(struct dmasim *s, void *context)
{
	map_a_page(s, context);
	assert_true(dmasim_now(s) > 0);
}

static void fails_in_a_task(void **state)
{
	struct dmasim *s = *state;
	struct pci_dev *nic = add_nic(s);
	const struct dmasim_task tasks[] = { { fail_in_a_task, nic }, { fail_in_a_task, nic } };

	dmasim_run_cpus(s, tasks, 2, &(struct dmasim_schedule){ .seed = 1 });
	fail_msg("it came back");
}

static void fails_at_the_first_report(void **state)
{
	struct dmasim *s = *state;

	dmasim_on_report(s, dmasim_cmocka_tell, NULL);
	unmap_twice(s, add_nic(s));
	fail_msg("it came back");
}

static void fails_where_it_asks(void **state)
{
	struct dmasim *s = *state;

	unmap_twice(s, add_nic(s));
	dmasim_assert_clean(s);
	fail_msg("it came back");
}

static void fails_at_its_end(void **state)
{
	struct dmasim *s = *state;

	unmap_twice(s, add_nic(s));
}

static void is_right(void **state)
{
	struct dmasim *s = *state;
	struct pci_dev *nic = add_nic(s);
	dma_addr_t dma = map_a_page(s, nic);

	dma_unmap_phys(&nic->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(s);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, dmasim_cmocka_setup, dmasim_cmocka_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fails_in_a_callback), TEST(fails_in_a_task),  TEST(fails_at_the_first_report),
		TEST(fails_where_it_asks), TEST(fails_at_its_end), TEST(is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
