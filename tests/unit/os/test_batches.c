/* SPDX-License-Identifier: MIT */
/*
 * Batches of commands, whatever the architecture: when they are handed over, the wait behind them,
 * errors; and which devices a domain knows.
 */
#include "support/rig.h"

#include <errno.h>

#include "iommu/iommu.h"
#include "machine/machine.h"

#define BATCHES 8

struct fixture {
	struct rig *rig;
	struct platform_ops ops;
	const struct platform_ops *real;
	u32 commands[BATCHES]; /* of each batch that was handed over */
	u32 batches;
	u32 rejected; /* that one is, counted from 1 */
	u32 cleared;
	u32 lost; /* so is that one, without a word: another CPU has cleared its own error */
};

static struct fixture *listener(struct dmasim *s)
{
	/* The operations are the fixture's own. */
	return (struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));
}

static int count_commands(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct fixture *fixture = listener(machine);

	assert_true(fixture->batches < BATCHES);
	fixture->commands[fixture->batches++] = (u32)(bytes / sizeof(struct iommu_command));
	if (fixture->batches == fixture->rejected)
		return -EINVAL;
	if (fixture->batches == fixture->lost)
		return 0;
	return fixture->real->queue_submit(machine, unit, commands, bytes);
}

static void count_cleared(void *machine, u32 unit)
{
	(void)unit;
	listener(machine)->cleared++;
}

static void add(struct iommu_batch *batch, u32 count)
{
	struct iommu_range range = { .domain = 1, .last = 0xfff };

	while (count--)
		batch->unit->arch->range(batch, &range);
}

/* While that batch waits another CPU executes one of its own. */
static int wait_among_others(void *machine, u32 unit)
{
	struct fixture *fixture = listener(machine);
	struct os *os = fixture->rig->s->os;
	struct iommu_batch other;

	if (fixture->batches == fixture->lost) {
		iommu_batch_begin(&other, os, os->units);
		add(&other, 1);
		expect_ok(iommu_batch_execute(&other));
	}
	return fixture->real->queue_wait(machine, unit);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;
	void *rig = NULL;

	if (!fixture || rig_setup(&rig))
		return -1;
	fixture->rig = rig;
	platform = &fixture->rig->s->platform;
	dmasim_group(fixture->rig->nvme); /* starts the machine */
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	fixture->ops.queue_submit = count_commands;
	fixture->ops.queue_clear_error = count_cleared;
	fixture->ops.queue_wait = wait_among_others;
	platform->ops = &fixture->ops;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *rig = fixture->rig;

	fixture->rig->s->platform.ops = fixture->real;
	free(fixture);
	return rig_teardown(&rig);
}

static void an_empty_batch_is_not_handed_over(void **state)
{
	struct fixture *fixture = *state;
	struct os *os = fixture->rig->s->os;
	struct iommu_batch batch;

	iommu_batch_begin(&batch, os, os->units);
	expect_ok(iommu_batch_execute(&batch));
	expect_u64(fixture->batches, 0);
	expect_u64(os->units->sequence, 0);
}

/* Sixteen and a wait; then a seventeenth is the first of the next. */
static void a_full_batch_is_executed_before_it_takes_one_more(void **state)
{
	struct fixture *fixture = *state;
	struct os *os = fixture->rig->s->os;
	struct iommu_batch batch;

	iommu_batch_begin(&batch, os, os->units);
	add(&batch, IOMMU_BATCH_MAX);
	expect_u64(fixture->batches, 0);
	add(&batch, 1);
	expect_u64(fixture->batches, 1);
	add(&batch, 20);
	expect_ok(iommu_batch_execute(&batch));
	expect_u64(fixture->batches, 3);
	expect_u64(fixture->commands[0], 17);
	expect_u64(fixture->commands[1], 17);
	expect_u64(fixture->commands[2], 6);
	expect_u64(os->units->sequence, 3);
}

/* What follows is still executed: it may be all that a table page waits for. */
static void the_first_error_is_told_at_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct os *os = fixture->rig->s->os;
	struct iommu_batch batch;

	fixture->rejected = 1;
	iommu_batch_begin(&batch, os, os->units);
	add(&batch, 2 * IOMMU_BATCH_MAX + 1);
	expect_error(iommu_batch_execute(&batch), -EINVAL);
	expect_u64(fixture->batches, 3);
	expect_u64(fixture->cleared, 1);

	iommu_batch_begin(&batch, os, os->units);
	add(&batch, 1);
	expect_ok(iommu_batch_execute(&batch));
}

/* That a later batch is complete says nothing of one that is not in the queue any more. */
static void a_batch_that_was_lost_is_not_complete(void **state)
{
	struct fixture *fixture = *state;
	struct os *os = fixture->rig->s->os;
	struct iommu_batch batch;

	fixture->lost = 1;
	iommu_batch_begin(&batch, os, os->units);
	add(&batch, 1);
	expect_error(iommu_batch_execute(&batch), -ETIMEDOUT);
	expect_u64(fixture->batches, 2);

	iommu_batch_begin(&batch, os, os->units);
	add(&batch, 1);
	expect_ok(iommu_batch_execute(&batch));
}

static void execute_one(struct dmasim *s, void *context)
{
	int *err = context;
	struct iommu_batch batch;

	iommu_batch_begin(&batch, s->os, s->os->units);
	add(&batch, 1);
	*err = iommu_batch_execute(&batch);
}

/* Whoever comes first, to the queue or to its end. */
static void batches_of_several_cpus_are_all_complete(void **state)
{
	int err[3] = { 0, 0, 0 };
	struct dmasim_task task[3] = { { execute_one, &err[0] },
				       { execute_one, &err[1] },
				       { execute_one, &err[2] } };
	struct rig rig;

	(void)state;
	rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .random_choices = true });
	for (u64 seed = 1; seed <= 200; seed++) {
		expect_ok(
			dmasim_run_cpus(rig.s, task, 3, &(struct dmasim_schedule){ .seed = seed }));
		for (u32 i = 0; i < 3; i++)
			expect_ok(err[i]);
	}
	rig_fini(&rig);
}

static u32 attached_to(const struct iommu_domain *domain, const struct pci_dev *pdev)
{
	u32 found = 0;

	for (const struct pci_dev *at = domain->attached; at; at = at->domain_next)
		found += at == pdev;
	return found;
}

static void a_domain_knows_the_devices_that_are_attached_to_it(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *devices[] = { fixture->rig->nvme, fixture->rig->gpu, fixture->rig->disk };

	for (u32 i = 0; i < 3; i++) {
		struct iommu_domain *domain = iommu_dma_domain(&devices[i]->dev);

		for (u32 j = 0; j < 3; j++)
			expect_u64(attached_to(domain, devices[j]), i == j);
		iommu_detach_device(devices[i]);
		expect_u64(attached_to(domain, devices[i]), 0);
		expect_ok(iommu_attach_device(devices[i]));
		expect_u64(attached_to(domain, devices[i]), 1);
	}
}

/* From the middle, too. */
static void devices_of_one_group_leave_its_domain_one_by_one(void **state)
{
	struct rig rig;
	struct iommu_domain *domain;

	(void)state;
	rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
	dmasim_group(rig.nvme);
	domain = iommu_dma_domain(&rig.nvme->dev);
	assert_ptr_equal(domain, iommu_dma_domain(&rig.gpu->dev));
	iommu_detach_device(rig.gpu);
	expect_u64(attached_to(domain, rig.gpu), 0);
	expect_u64(attached_to(domain, rig.nvme), 1);
	expect_u64(attached_to(domain, rig.nic), 1);
	iommu_detach_device(rig.nvme);
	iommu_detach_device(rig.nic);
	expect_u64(attached_to(domain, rig.nvme) + attached_to(domain, rig.nic), 0);
	rig_fini(&rig);
}

#define BEYOND_3_LEVELS (1ULL << 39)

static void map_high(struct dmasim *s, void *context)
{
	struct rig *rig = context;
	struct iommu_domain *domain = iommu_dma_domain(&rig->nvme->dev);

	expect_ok(iommu_map(domain, BEYOND_3_LEVELS, dmasim_alloc(s, SZ_4K), SZ_4K, IOMMU_READ));
}

static void attach(struct dmasim *s, void *context)
{
	struct rig *rig = context;

	(void)s;
	expect_ok(iommu_attach_device(rig->gpu));
}

static struct hw_context context_of(struct pci_dev *pdev)
{
	const struct hw_function *function = machine_function(pdev);

	return hw_context_get(function->bus->root->iommu, (u16)hw_function_sbdf(function));
}

/* Its entry names the top that the table has in the end, whoever is faster. */
static void a_device_may_be_attached_while_the_table_grows(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 200; seed++) {
		const struct iommu_domain *domain;
		struct rig rig;
		struct dmasim_task task[] = { { map_high, &rig }, { attach, &rig } };

		rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI,
							.acs = DMASIM_ACS_OFF });
		dmasim_group(rig.nvme);
		domain = iommu_dma_domain(&rig.nvme->dev);
		iommu_detach_device(rig.gpu);
		expect_ok(
			dmasim_run_cpus(rig.s, task, 2, &(struct dmasim_schedule){ .seed = seed }));
		expect_u64(domain->pt.levels, 4);
		expect_u64(context_of(rig.gpu).levels, 4);
		expect_u64(context_of(rig.gpu).root, domain->pt.root);
		rig_fini(&rig);
	}
}

static void detach(struct dmasim *s, void *context)
{
	struct rig *rig = context;

	(void)s;
	iommu_detach_device(rig->gpu);
}

/* Nor does it get an entry back that was taken from it. */
static void a_device_may_be_detached_while_the_table_grows(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 200; seed++) {
		struct rig rig;
		struct dmasim_task task[] = { { map_high, &rig }, { detach, &rig } };

		rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI,
							.acs = DMASIM_ACS_OFF });
		dmasim_group(rig.nvme);
		expect_ok(
			dmasim_run_cpus(rig.s, task, 2, &(struct dmasim_schedule){ .seed = seed }));
		expect_u64(context_of(rig.gpu).type, HW_CONTEXT_ABSENT);
		expect_u64(context_of(rig.nvme).levels, 4);
		rig_fini(&rig);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(an_empty_batch_is_not_handed_over),
	  TEST(a_full_batch_is_executed_before_it_takes_one_more),
	  TEST(the_first_error_is_told_at_the_end), TEST(a_batch_that_was_lost_is_not_complete),
	  cmocka_unit_test(batches_of_several_cpus_are_all_complete),
	  TEST(a_domain_knows_the_devices_that_are_attached_to_it),
	  cmocka_unit_test(devices_of_one_group_leave_its_domain_one_by_one),
	  cmocka_unit_test(a_device_may_be_attached_while_the_table_grows),
	  cmocka_unit_test(a_device_may_be_detached_while_the_table_grows))
