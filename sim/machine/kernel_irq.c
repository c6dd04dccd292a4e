/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of devices, and who handles them.
 *
 * An interrupt runs at once, on top of whatever the driver is doing, as it might on a machine. What
 * keeps it off (another handler, local_irq_disable(), disable_irq()) makes it wait; a thread
 * function also waits for locks.
 */
#include <errno.h>

#include "machine/machine.h"

#define MSI_VECTORS_MAX	 32
#define MSIX_VECTORS_MAX 2048

struct irq_action {
	STAILQ_ENTRY(irq_action) link;
	irq_handler_t handler;
	irq_handler_t thread_fn;
	unsigned long flags;
	const char *name;
	void *dev_id;
	bool thread_pending;
};

struct kernel_irq {
	STAILQ_ENTRY(kernel_irq) link;
	struct pci_dev *pdev;
	unsigned int vector;
	unsigned int number;
	u32 disabled; /* disable_irq() minus enable_irq() */
	bool pending;
	STAILQ_HEAD(, irq_action) actions;
};

static struct kernel_irq *irq_of_number(struct dmasim *s, unsigned int number)
{
	struct kernel_irq *irq;

	STAILQ_FOREACH(irq, &s->kernel.irqs, link) {
		if (irq->number == number)
			return irq;
	}
	return NULL;
}

static struct kernel_irq *irq_of_vector(struct dmasim *s, const struct pci_dev *pdev,
					unsigned int vector)
{
	struct kernel_irq *irq;

	STAILQ_FOREACH(irq, &s->kernel.irqs, link) {
		if (irq->pdev == pdev && irq->vector == vector)
			return irq;
	}
	return NULL;
}

/* ---- Running ---------------------------------------------------------- */

/* True: a handler felt responsible. Handlers may not free an interrupt. */
static bool run_handlers(struct dmasim *s, struct kernel_irq *irq)
{
	struct irq_action *action;
	bool handled = false;

	irq->pending = false;
	s->kernel.irqs_off = true;
	STAILQ_FOREACH(action, &irq->actions, link) {
		irqreturn_t answer = action->handler
					     ? action->handler((int)irq->number, action->dev_id)
					     : IRQ_WAKE_THREAD;

		handled |= answer != IRQ_NONE;
		if (answer == IRQ_WAKE_THREAD && action->thread_fn)
			action->thread_pending = true;
	}
	s->kernel.irqs_off = false;
	return handled;
}

static struct kernel_irq *next_pending(struct dmasim *s)
{
	struct kernel_irq *irq;

	STAILQ_FOREACH(irq, &s->kernel.irqs, link) {
		if (irq->pending && !irq->disabled && !STAILQ_EMPTY(&irq->actions))
			return irq;
	}
	return NULL;
}

/* One thread function that waits; false: there is none. */
static bool run_thread(struct dmasim *s)
{
	struct kernel_irq *irq;
	struct irq_action *action;

	STAILQ_FOREACH(irq, &s->kernel.irqs, link) {
		STAILQ_FOREACH(action, &irq->actions, link) {
			if (!action->thread_pending)
				continue;
			action->thread_pending = false;
			action->thread_fn((int)irq->number, action->dev_id);
			return true;
		}
	}
	return false;
}

void kernel_run_irqs(struct dmasim *s)
{
	bool more = true;

	while (more && !s->kernel.irqs_off) {
		struct kernel_irq *irq = next_pending(s);

		if (irq)
			run_handlers(s, irq);
		else
			more = !s->kernel.locks_held && run_thread(s);
	}
}

bool dmasim_raise_irq(struct pci_dev *pdev, unsigned int vector)
{
	struct dmasim *s = machine_of(pdev);
	struct kernel_irq *irq = irq_of_vector(s, pdev, vector);
	struct dmasim *before;
	bool handled = true;

	if (!irq || STAILQ_EMPTY(&irq->actions))
		return false;
	before = dmasim_enter(s);
	irq->pending = true;
	if (!irq->disabled && !s->kernel.irqs_off)
		handled = run_handlers(s, irq);
	kernel_run_irqs(s);
	dmasim_enter(before);
	return handled;
}

/* ---- Off and on ------------------------------------------------------- */

void local_irq_disable(void)
{
	kernel_machine()->kernel.irqs_off = true;
}

void local_irq_enable(void)
{
	struct dmasim *s = kernel_machine();

	s->kernel.irqs_off = false;
	kernel_run_irqs(s);
}

unsigned long dmasim_irq_save(void)
{
	struct dmasim *s = kernel_machine();
	bool off = s->kernel.irqs_off;

	s->kernel.irqs_off = true;
	return off;
}

void dmasim_irq_restore(unsigned long flags)
{
	struct dmasim *s = kernel_machine();

	s->kernel.irqs_off = flags != 0;
	kernel_run_irqs(s);
}

void disable_irq(unsigned int irq)
{
	struct kernel_irq *found = irq_of_number(kernel_machine(), irq);

	if (found)
		found->disabled++;
}

void enable_irq(unsigned int irq)
{
	struct dmasim *s = kernel_machine();
	struct kernel_irq *found = irq_of_number(s, irq);

	if (!found)
		return;
	if (!found->disabled) {
		kernel_misuse(s, &found->pdev->dev, irq, "enable_irq() of what is not disabled");
		return;
	}
	found->disabled--;
	kernel_run_irqs(s);
}

/* ---- Vectors ---------------------------------------------------------- */

static unsigned int vectors_max(unsigned int flags)
{
	if (flags & PCI_IRQ_MSIX)
		return MSIX_VECTORS_MAX;
	if (flags & PCI_IRQ_MSI)
		return MSI_VECTORS_MAX;
	return flags & PCI_IRQ_INTX ? 1 : 0;
}

static bool add_vector(struct dmasim *s, struct pci_dev *pdev, unsigned int vector)
{
	struct kernel_irq *irq = kernel_record(s, sizeof(*irq));

	if (!irq)
		return false;
	irq->pdev = pdev;
	irq->vector = vector;
	irq->number = s->kernel.next_irq++;
	STAILQ_INIT(&irq->actions);
	STAILQ_INSERT_TAIL(&s->kernel.irqs, irq, link);
	return true;
}

int pci_alloc_irq_vectors(struct pci_dev *pdev, unsigned int min, unsigned int max,
			  unsigned int flags)
{
	struct dmasim *s = machine_of(pdev);
	unsigned int count = vectors_max(flags);

	if (!min || max < min || irq_of_vector(s, pdev, 0))
		return -EINVAL;
	if (count < min)
		return -ENOSPC;
	if (count > max)
		count = max;
	for (unsigned int i = 0; i < count; i++) {
		if (!add_vector(s, pdev, i)) {
			pci_free_irq_vectors(pdev);
			return -ENOMEM;
		}
	}
	pdev->irq = irq_of_vector(s, pdev, 0)->number;
	return (int)count;
}

void pci_free_irq_vectors(struct pci_dev *pdev)
{
	struct dmasim *s = machine_of(pdev);
	struct kernel_irq *irq;
	struct kernel_irq *next;

	STAILQ_FOREACH_SAFE(irq, &s->kernel.irqs, link, next)
	{
		if (irq->pdev != pdev)
			continue;
		if (!STAILQ_EMPTY(&irq->actions)) {
			kernel_misuse(s, &pdev->dev, irq->number,
				      "pci_free_irq_vectors() before free_irq()");
			continue;
		}
		STAILQ_REMOVE(&s->kernel.irqs, irq, kernel_irq, link);
		memory_free(&s->world.memory, irq);
	}
	pdev->irq = 0;
}

int pci_irq_vector(struct pci_dev *pdev, unsigned int nr)
{
	const struct kernel_irq *irq = irq_of_vector(machine_of(pdev), pdev, nr);

	return irq ? (int)irq->number : -EINVAL;
}

/* ---- Handlers --------------------------------------------------------- */

static bool may_share(const struct kernel_irq *irq, unsigned long flags)
{
	const struct irq_action *first = STAILQ_FIRST(&irq->actions);

	return !first || (first->flags & flags & IRQF_SHARED);
}

int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread_fn,
			 unsigned long flags, const char *name, void *dev_id)
{
	struct dmasim *s = kernel_machine();
	struct kernel_irq *found = irq_of_number(s, irq);
	struct irq_action *action;

	if (!found || (!handler && !thread_fn) || ((flags & IRQF_SHARED) && !dev_id))
		return -EINVAL;
	/* Without a handler the line must stay closed until the thread is done. */
	if (!handler && !(flags & IRQF_ONESHOT))
		return -EINVAL;
	if (!may_share(found, flags))
		return -EBUSY;
	action = kernel_record(s, sizeof(*action));
	if (!action)
		return -ENOMEM;
	action->handler = handler;
	action->thread_fn = thread_fn;
	action->flags = flags;
	action->name = name;
	action->dev_id = dev_id;
	STAILQ_INSERT_TAIL(&found->actions, action, link);
	return 0;
}

const void *free_irq(unsigned int irq, void *dev_id)
{
	struct dmasim *s = kernel_machine();
	struct kernel_irq *found = irq_of_number(s, irq);
	struct irq_action *action = NULL;
	const char *name;

	if (found) {
		STAILQ_FOREACH(action, &found->actions, link) {
			if (action->dev_id == dev_id)
				break;
		}
	}
	if (!action) {
		kernel_misuse(s, found ? &found->pdev->dev : NULL, irq,
			      "free_irq() of what request_irq() did not give");
		return NULL;
	}
	name = action->name;
	STAILQ_REMOVE(&found->actions, action, irq_action, link);
	memory_free(&s->world.memory, action);
	return name;
}
