/* SPDX-License-Identifier: MIT */
/* Interrupts. */
#ifndef DMASIM_KERNEL_INTERRUPT_H
#define DMASIM_KERNEL_INTERRUPT_H

#include <dmasim/kernel.h>

#include <linux/spinlock.h>
#include <linux/types.h>

static inline irqreturn_t dmasim_irq_retval(bool handled)
{
	return handled ? IRQ_HANDLED : IRQ_NONE;
}

#define IRQ_RETVAL(handled) dmasim_irq_retval(!!(handled))

static inline __must_check int request_irq(unsigned int irq, irq_handler_t handler,
					   unsigned long flags, const char *name, void *dev_id)
{
	return handler ? request_threaded_irq(irq, handler, NULL, flags, name, dev_id) : -EINVAL;
}

/* A handler never runs beside other code. */
static inline void synchronize_irq(unsigned int irq)
{
	(void)irq;
}

static inline void disable_irq_nosync(unsigned int irq)
{
	disable_irq(irq);
}

#endif
