/* SPDX-License-Identifier: MIT */
/*
 * A test that fails is left by longjmp(), from wherever it is. Here it is left so from every place
 * in which a program's own code runs within a machine's. Reports can be listed then, the machine
 * ends, and the next one works. What this leaves behind or touches that it should not, sanitizers
 * and valgrind find.
 */
#include <setjmp.h>

#include <dmasim/kernel.h>
#include <dmasim/lock.h>

#include "unit/api/machines.h"
#include "unit/api/plain_iova.h"

struct lab {
	struct dmasim *s;
	struct pci_dev *nic;  /* its BAR calls the program */
	struct pci_dev *disk; /* at the same switch */
	phys_addr_t buffer;
	bool armed; /* what is called next jumps */
	jmp_buf out;
};

/* Of what has no argument to tell. */
static struct lab *lab_of_all;

static __attribute__((noreturn)) void jump(struct lab *lab)
{
	lab->armed = false;
	longjmp(lab->out, 1);
}

static void jump_if_armed(struct lab *lab)
{
	if (lab->armed)
		jump(lab);
}

void dmasim_contract_failed(const char *what, const char *file, int line)
{
	if (lab_of_all && lab_of_all->armed)
		jump(lab_of_all);
	print_error("contract broken: %s (%s:%d)\n", what, file, line);
	abort();
}

static dma_addr_t map(struct lab *lab, struct pci_dev *pdev)
{
	return dma_map_phys(&pdev->dev, lab->buffer, SZ_4K, DMA_TO_DEVICE, 0);
}

static void unmap(struct pci_dev *pdev, dma_addr_t dma)
{
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

/* ---- The machine ----------------------------------------------------------------------------- */

static void bar_read(void *cookie, u32 bar, u64 offset, void *to, u32 bytes)
{
	(void)bar;
	(void)offset;
	memset(to, 0, bytes);
	jump_if_armed(cookie);
}

static void bar_write(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes)
{
	struct lab *lab = cookie;
	u8 byte = 0;

	(void)from;
	(void)bytes;
	if (bar == 2 && offset == 0)
		/* A doorbell: the device does something, and interrupts. */
		dmasim_dev_read(lab->nic, lab->buffer, &byte, 1);
	if (bar == 2 && offset == 8)
		dmasim_raise_irq(lab->nic, 0);
	else
		jump_if_armed(lab);
}

static const struct dmasim_bar_ops bar_ops = { .read = bar_read, .write = bar_write };

static void lab_init(struct lab *lab, const struct dmasim_config *config)
{
	lab->s = dmasim_create(config);
	assert_non_null(lab->s);
	lab->nic = dmasim_add_endpoint(lab->s, "00:01.0/00.0/00.0/00.0",
				       &(struct dmasim_endpoint){ .bar = { SZ_4K, 0, SZ_4K },
								  .bar_ops = &bar_ops,
								  .cookie = lab });
	lab->disk = dmasim_add_endpoint(lab->s, "00:01.0/00.0/01.0/00.0",
					&(struct dmasim_endpoint){ .bar = { SZ_4K } });
	assert_true(lab->nic && lab->disk);
	dmasim_group(lab->nic);
	lab->buffer = dmasim_alloc(lab->s, SZ_64K);
	lab_of_all = lab;
}

/* ---- Ways out: each maps first, and does not come back --------------------------------------- */

static void from_the_test(struct lab *lab)
{
	lab->armed = true;
	jump_if_armed(lab);
}

static void from_a_read_of_a_register(struct lab *lab)
{
	u32 word;
	void *bar = pci_iomap(lab->nic, 2, 0);

	lab->armed = true;
	dmasim_io_read(bar, &word, sizeof(word));
}

static void from_a_doorbell(struct lab *lab)
{
	const u32 word = 1;
	void *bar = pci_iomap(lab->nic, 2, 0);

	lab->armed = true;
	dmasim_io_write(bar, &word, sizeof(word));
}

static void from_a_register_that_a_device_writes(struct lab *lab)
{
	const u32 word = 1;

	lab->armed = true;
	dmasim_dev_write(lab->disk, pci_resource_start(lab->nic, 0), &word, sizeof(word));
}

static irqreturn_t handler(int irq, void *dev_id)
{
	(void)irq;
	jump(dev_id);
}

/* A doorbell of a device, which interrupts at once: two layers of the program's own. */
static void from_an_interrupt_handler(struct lab *lab)
{
	const u32 word = 1;
	u8 *bar = pci_iomap(lab->nic, 2, 0);

	expect_u64((u64)pci_alloc_irq_vectors(lab->nic, 1, 1, PCI_IRQ_ALL_TYPES), 1);
	expect_ok(request_threaded_irq((unsigned int)pci_irq_vector(lab->nic, 0), handler, NULL, 0,
				       "test", lab));
	dmasim_io_write(bar + 8, &word, sizeof(word));
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	(void)id;
	map(lab_of_all, pdev);
	assert_non_null(kmalloc(100, GFP_KERNEL));
	jump(lab_of_all);
}

static const struct pci_device_id ids[] = { { .vendor = PCI_ANY_ID,
					      .device = PCI_ANY_ID,
					      .subvendor = PCI_ANY_ID,
					      .subdevice = PCI_ANY_ID },
					    { 0 } };

static void from_a_probe(struct lab *lab)
{
	static struct pci_driver driver = { .name = "test", .id_table = ids, .probe = probe };

	(void)lab;
	pci_register_driver(&driver);
}

/* ---- Out of the software --------------------------------------------------------------------- */

static struct platform_lock plugin_lock;

static u64 plugin_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	u64 pfn;

	platform_lock(allocator->platform, &plugin_lock);
	pfn = plain_iova.alloc(allocator, pages, limit_pfn, how);
	jump_if_armed(lab_of_all);
	platform_unlock(allocator->platform, &plugin_lock);
	return pfn;
}

static void plugin_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	plain_iova.free(allocator, pfn, pages, how);
	jump_if_armed(lab_of_all);
}

static void from_an_allocator_with_its_lock_held(struct lab *lab)
{
	lab->armed = true;
	map(lab, lab->nic);
}

static void from_an_allocator_at_unmap(struct lab *lab)
{
	dma_addr_t dma = map(lab, lab->nic);

	lab->armed = true;
	unmap(lab->nic, dma);
}

/* In a lazy domain ranges go back when a timer fires. */
static void from_a_timer(struct lab *lab)
{
	dma_addr_t dma = map(lab, lab->nic);

	unmap(lab->nic, dma);
	lab->armed = true;
	dmasim_run(lab->s, 20000000);
}

static void from_a_broken_contract(struct lab *lab)
{
	lab->armed = true;
	dmasim_set_cpu(lab->s, 64);
}

/* Within the register of a device that was called by a device. */
static void told(struct dmasim *s, const struct dmasim_report *report, void *cookie)
{
	assert_non_null(s);
	assert_non_null(strstr(report->text, "DMASIM-"));
	jump(cookie);
}

static void from_a_report_of_hardware(struct lab *lab)
{
	u8 byte;

	dmasim_on_report(lab->s, told, lab);
	dmasim_dev_read(lab->nic, 0x123000, &byte, 1);
}

static void from_a_report_within_a_doorbell(struct lab *lab)
{
	const u32 word = 1;
	void *bar = pci_iomap(lab->nic, 2, 0);

	dmasim_on_report(lab->s, told, lab);
	dmasim_io_write(bar, &word, sizeof(word));
}

static void from_a_report_of_a_call(struct lab *lab)
{
	dma_addr_t dma = map(lab, lab->nic);

	unmap(lab->nic, dma);
	dmasim_on_report(lab->s, told, lab);
	unmap(lab->nic, dma);
}

static void from_a_report_of_the_end(struct lab *lab)
{
	dmasim_on_report(lab->s, told, lab);
	dmasim_check_clean(lab->s, NULL, 0);
}

/* ---- Out of tasks ---------------------------------------------------------------------------- */

static void map_twice(struct dmasim *s, void *context)
{
	struct lab *lab = context;

	(void)s;
	for (int i = 0; i < 2; i++)
		unmap(lab->disk, map(lab, lab->disk));
}

static void map_and_jump(struct dmasim *s, void *context)
{
	struct lab *lab = context;
	char frame[512];

	/* A frame of some size, which whoever comes after the jump must not trip over. */
	memset(frame, 1, sizeof(frame));
	assert_int_equal(frame[sizeof(frame) - 1], 1);
	assert_non_null(s);
	map(lab, lab->nic);
	jump(lab);
}

static void run_tasks(struct lab *lab, void (*run)(struct dmasim *s, void *context), u64 seed)
{
	const struct dmasim_task tasks[] = { { map_twice, lab }, { run, lab }, { map_twice, lab } };

	dmasim_run_cpus(lab->s, tasks, 3, &(struct dmasim_schedule){ .seed = seed });
}

static void from_a_task(struct lab *lab)
{
	run_tasks(lab, map_and_jump, 0);
}

/* By turns, the others are in the middle of something, also with locks held. */
static u64 turns;

static void from_a_task_among_others(struct lab *lab)
{
	run_tasks(lab, map_and_jump, turns);
}

static void lock_and_jump(struct dmasim *s, void *context)
{
	static spinlock_t lock;

	(void)s;
	lock = (spinlock_t){ 0 };
	spin_lock(&lock);
	jump(context);
}

static void from_a_task_that_holds_a_lock(struct lab *lab)
{
	run_tasks(lab, lock_and_jump, 3);
}

static void map_twice_wrongly(struct dmasim *s, void *context)
{
	struct lab *lab = context;

	(void)s;
	unmap(lab->nic, 0x5000);
}

static void from_a_report_within_a_task(struct lab *lab)
{
	dmasim_on_report(lab->s, told, lab);
	run_tasks(lab, map_twice_wrongly, 5);
}

static void explore_and_jump(struct dmasim *s, void *context)
{
	struct dmasim_explorer *explorer = dmasim_explorer_create(1);
	struct lab *lab = context;
	const struct dmasim_task tasks[] = { { map_twice, lab }, { map_and_jump, lab } };

	assert_true(dmasim_explorer_next(explorer));
	if (!setjmp(lab->out))
		dmasim_run_cpus(s, tasks, 2, &(struct dmasim_schedule){ .explorer = explorer });
	dmasim_explorer_destroy(explorer);
}

/* ---- After it -------------------------------------------------------------------------------- */

#define PLUGIN (1U << 0)
#define LAZY   (1U << 1)

struct way {
	const char *name;
	void (*out)(struct lab *lab);
	u32 how;
};

static struct dmasim_config config_of(u32 how)
{
	static struct iova_allocator_ops plugin;

	plugin = plain_iova;
	plugin.alloc = plugin_alloc;
	plugin.free = plugin_free;
	return (struct dmasim_config){
		DMASIM_CONFIG,
		.acs = DMASIM_ACS_OFF,
		.iova_ops = how & PLUGIN ? &plugin : NULL,
		.policy = how & LAZY ? DMASIM_LAZY : DMASIM_STRICT,
	};
}

/* As what runs after a failed test: prints, asks, and ends the machine. */
static void expect_end(struct lab *lab)
{
	struct dmasim_report report;
	char found[8192];
	u32 count = 0;

	for (u32 at = 0; dmasim_report_next(lab->s, NULL, &at, &report);)
		count += strlen(report.text) > 0;
	expect_u64(count, dmasim_report_count(lab->s));
	dmasim_check_clean(lab->s, found, sizeof(found));
	assert_true(strlen(dmasim_choices(lab->s)) < 1000);
	/* What a driver has not given back is counted. */
	assert_true(dmasim_destroy(lab->s) < 10);
	lab_of_all = NULL;
	/* The machine that the thread was in is gone. */
	assert_null(dmasim_enter(NULL));
}

static void expect_next_machine_works(void)
{
	struct lab lab = { 0 };
	dma_addr_t dma;
	u8 byte = 1;

	lab_init(&lab, NULL);
	dma = map(&lab, lab.nic);
	expect_done(dmasim_dev_read(lab.nic, dma, &byte, 1), 1);
	unmap(lab.nic, dma);
	run_tasks(&lab, map_twice, 7);
	dmasim_assert_clean(lab.s);
	expect_u64(dmasim_destroy(lab.s), 0);
	lab_of_all = NULL;
}

static void leave(struct lab *lab, const struct way *way)
{
	const struct dmasim_config config = config_of(way->how);

	plugin_lock.held = false;
	lab_init(lab, &config);
	dmasim_enter(lab->s);
	map(lab, lab->disk);
	if (!setjmp(lab->out)) {
		way->out(lab);
		fail_msg("it came back");
	}
}

/*
 * trust: a test may jump out of every function of its own that a machine calls; the machine still
 * tells its reports and ends, and the next one works | another program: AddressSanitizer, valgrind
 */
static void a_machine_ends_after_a_jump(void **state)
{
	const struct way *way = *state;
	struct lab lab = { 0 };

	leave(&lab, way);
	expect_end(&lab);
	expect_next_machine_works();
}

static void a_machine_ends_without_being_asked_anything(void **state)
{
	static const struct way way = { "", from_a_task_among_others, 0 };

	(void)state;
	for (turns = 1; turns <= 40; turns++) {
		struct lab lab = { 0 };

		leave(&lab, &way);
		expect_u64(dmasim_destroy(lab.s), 0);
	}
	expect_next_machine_works();
}

static void an_explorer_ends_too(void **state)
{
	struct lab lab = { 0 };

	(void)state;
	lab_init(&lab, NULL);
	dmasim_enter(lab.s);
	explore_and_jump(lab.s, &lab);
	expect_end(&lab);
	expect_next_machine_works();
}

static void what_the_test_had_mapped_is_a_leak(void **state)
{
	static const struct way way = { "", from_a_doorbell, 0 };
	struct dmasim_report report;
	struct lab lab = { 0 };

	(void)state;
	leave(&lab, &way);
	/* Its own, and the read of the doorbell, which faulted. */
	expect_u64(dmasim_check_clean(lab.s, NULL, 0), 2);
	assert_true(dmasim_report_find(lab.s, DMASIM_REPORT_MAPPING_LEAKED, &report));
	assert_string_equal(report.mapped.function, "map");
	dmasim_destroy(lab.s);
}

/* Whoever was told once and did not come back is not told of what is found at the end. */
static void nobody_is_told_after_a_jump(void **state)
{
	static const struct way way = { "", from_a_report_of_hardware, 0 };
	struct lab lab = { 0 };

	(void)state;
	leave(&lab, &way);
	expect_u64(dmasim_check_clean(lab.s, NULL, 0), 2);
	expect_u64(dmasim_report_count(lab.s), 2);
	dmasim_destroy(lab.s);
}

#define WAY(name, how)           \
	{                        \
#name, name, how \
	}

static const struct way ways[] = {
	WAY(from_the_test, 0),
	WAY(from_a_read_of_a_register, 0),
	WAY(from_a_doorbell, 0),
	WAY(from_a_register_that_a_device_writes, 0),
	WAY(from_an_interrupt_handler, 0),
	WAY(from_a_probe, 0),
	WAY(from_an_allocator_with_its_lock_held, PLUGIN),
	WAY(from_an_allocator_at_unmap, PLUGIN),
	WAY(from_a_timer, PLUGIN | LAZY),
	WAY(from_a_broken_contract, 0),
	WAY(from_a_report_of_hardware, 0),
	WAY(from_a_report_within_a_doorbell, 0),
	WAY(from_a_report_of_a_call, 0),
	WAY(from_a_report_of_the_end, 0),
	WAY(from_a_report_within_a_task, 0),
	WAY(from_a_task, 0),
	WAY(from_a_task_that_holds_a_lock, 0),
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

int main(int argc, char **argv)
{
	struct CMUnitTest tests[WAYS + 4] = {
		cmocka_unit_test(a_machine_ends_without_being_asked_anything),
		cmocka_unit_test(an_explorer_ends_too),
		cmocka_unit_test(what_the_test_had_mapped_is_a_leak),
		cmocka_unit_test(nobody_is_told_after_a_jump),
	};
	char names[WAYS][100];

	for (size_t i = 0; i < WAYS; i++) {
		snprintf(names[i], sizeof(names[i]), "a_machine_ends_after_a_jump__%s",
			 ways[i].name);
		tests[4 + i] = (struct CMUnitTest){
			.name = names[i],
			.test_func = a_machine_ends_after_a_jump,
			.initial_state = (void *)(uintptr_t)&ways[i],
		};
	}
	test_filter_(argc, argv);
	return test_main_(argc, argv, __FILE__, cmocka_run_group_tests(tests, NULL, NULL));
}
