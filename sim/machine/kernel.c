/* SPDX-License-Identifier: MIT */
/*
 * The machine that a thread is in; addresses and pages, locks, messages, modules.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <dmasim/lock.h>

#include "machine/machine.h"

/* The one variable of the library: Linux's names have no machine among their arguments. */
static _Thread_local struct dmasim *current_machine;

struct dmasim *dmasim_enter(struct dmasim *s)
{
	struct dmasim *before = current_machine;

	current_machine = s;
	return before;
}

struct dmasim *kernel_machine(void)
{
	DMASIM_CONTRACT(current_machine, "dmasim_enter() comes before what has no machine");
	return current_machine;
}

void kernel_init(struct dmasim *s)
{
	struct kernel *kernel = &s->kernel;

	RB_INIT(&kernel->slabs);
	for (u32 zone = 0; zone < KERNEL_ZONE_COUNT; zone++)
		for (u32 bucket = 0; bucket < KERNEL_BUCKETS; bucket++)
			LIST_INIT(&kernel->partial[zone][bucket]);
	SLIST_INIT(&kernel->vmallocs);
	RB_INIT(&kernel->maps);
	STAILQ_INIT(&kernel->irqs);
	SLIST_INIT(&kernel->drivers);
	/* Below are the numbers of a PC's wires. */
	kernel->next_irq = 24;
}

/* What it kept is the machine's memory and goes with it. */
void kernel_fini(struct dmasim *s)
{
	if (current_machine == s)
		current_machine = NULL;
}

void kernel_misuse(struct dmasim *s, const struct device *dev, u64 address, const char *what)
{
	check_on_cpu(&s->check, s->platform.cpu);
	check_software_report(&s->check, &(struct platform_report){
						 .id = DMASIM_REPORT_KERNEL_MISUSE,
						 .dev = dev ? dev->id : DMASIM_NO_SBDF,
						 .dma = address,
						 .what = what,
					 });
	/* No call of the DMA API follows that would say more. */
	check_settle_call(&s->check);
}

void *kernel_record(struct dmasim *s, size_t bytes)
{
	return memory_alloc(&s->world.memory, DMASIM_FAULT_DRIVER, bytes);
}

bool dmasim_warn_on(bool condition, const char *what)
{
	if (DMASIM_UNLIKELY(condition))
		kernel_misuse(kernel_machine(), NULL, 0, what);
	return condition;
}

unsigned int smp_processor_id(void)
{
	return kernel_machine()->platform.cpu;
}

/* ---- Addresses -------------------------------------------------------- */

phys_addr_t virt_to_phys(const volatile void *ptr)
{
	struct dmasim *s = kernel_machine();
	phys_addr_t phys = s->platform.ops->phys(s, (const void *)ptr);

	if (phys == PLATFORM_NO_PHYS)
		kernel_misuse(s, NULL, (uintptr_t)ptr,
			      "virt_to_phys() of a pointer that is not into the machine's memory");
	return phys;
}

void *phys_to_virt(phys_addr_t phys)
{
	return dmasim_ptr(kernel_machine(), phys, 1);
}

void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

struct page *phys_to_page(phys_addr_t phys)
{
	return page_at(kernel_machine()->os, phys);
}

struct page *virt_to_page(const void *ptr)
{
	phys_addr_t phys = virt_to_phys(ptr);

	return phys == PLATFORM_NO_PHYS ? NULL : phys_to_page(phys);
}

/* ---- Locks ------------------------------------------------------------ */

void spin_lock(spinlock_t *lock)
{
	struct dmasim *s = kernel_machine();

	platform_point(&s->platform, DMASIM_POINT_LOCK);
	while (lock->held && world_cpus_run(&s->world))
		platform_wait(&s->platform, &lock->held);
	if (lock->held) {
		kernel_misuse(s, NULL, 0, "spin_lock() of a lock that is held would never return");
		lock->again++;
	}
	lock->held = true;
	s->kernel.locks_held++;
}

int spin_trylock(spinlock_t *lock)
{
	if (lock->held)
		return 0;
	spin_lock(lock);
	return 1;
}

void spin_unlock(spinlock_t *lock)
{
	struct dmasim *s = kernel_machine();

	if (!lock->held) {
		kernel_misuse(s, NULL, 0, "spin_unlock() of a lock that nobody holds");
		return;
	}
	platform_point(&s->platform, DMASIM_POINT_UNLOCK);
	if (lock->again)
		lock->again--;
	else
		lock->held = false;
	s->kernel.locks_held--;
	kernel_run_irqs(s);
}

/* ---- Messages --------------------------------------------------------- */

void dmasim_print_to(struct dmasim *s, FILE *file)
{
	machine_exists(s);
	s->kernel.print_to = file;
	/* Some messages are events of the software. */
	if (file) {
		s->platform.listening = true;
		s->check.others_listen = true;
	}
}

void kernel_log_bits(struct dmasim *s, dmasim_sbdf dev, u32 bits)
{
	char name[32];
	struct text text;

	if (!s->kernel.print_to)
		return;
	text_init(&text, name, sizeof(name));
	text_add_bdf(&text, dev);
	fprintf(s->kernel.print_to, "%s: Using %u-bit DMA addresses\n", name, bits);
}

/* After the level: a byte 1 and a digit. */
static const char *skip_level(const char *format)
{
	return format[0] == 1 && format[1] ? format + 2 : format;
}

int _printk(const char *format, ...)
{
	FILE *to = current_machine ? current_machine->kernel.print_to : NULL;
	va_list arguments;
	int count = 0;

	if (!to)
		return 0;
	va_start(arguments, format);
	count = vfprintf(to, skip_level(format), arguments);
	va_end(arguments);
	return count;
}

void _dev_printk(const char *level, const struct device *dev, const char *format, ...)
{
	const struct dmasim *s = dev ? dev->os->platform->machine : current_machine;
	va_list arguments;

	(void)level;
	if (!s || !s->kernel.print_to)
		return;
	if (dev)
		fprintf(s->kernel.print_to, "%s: ", dev_name(dev));
	va_start(arguments, format);
	vfprintf(s->kernel.print_to, format, arguments);
	va_end(arguments);
}

/* ---- Modules ---------------------------------------------------------- */

/* As modprobe compares: a dash is an underscore. */
static char module_char(char c)
{
	return c == '-' ? '_' : c;
}

/* The name is that of the file, without folder and suffix. */
static bool is_module(const struct dmasim_module *module, const char *name)
{
	const char *slash = strrchr(module->file, '/');
	const char *file = slash ? slash + 1 : module->file;

	while (*name && module_char(*name) == module_char(*file)) {
		name++;
		file++;
	}
	return !*name && (!*file || *file == '.');
}

int dmasim_module_run(const struct dmasim_module *const *start,
		      const struct dmasim_module *const *end, const char *name, bool init)
{
	const struct dmasim_module *found = NULL;

	kernel_machine();
	for (; start != end; start++) {
		const struct dmasim_module *module = *start;

		if (!is_module(module, name))
			continue;
		found = module;
		if (init && module->init)
			return module->init();
		if (!init && module->exit) {
			module->exit();
			return 0;
		}
	}
	/* A module without an exit function stays. */
	return found ? -EBUSY : -ENOENT;
}
