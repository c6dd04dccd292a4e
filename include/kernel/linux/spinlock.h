/* SPDX-License-Identifier: MIT */
/* Locks of virtual CPUs: nobody spins, others run. */
#ifndef DMASIM_KERNEL_SPINLOCK_H
#define DMASIM_KERNEL_SPINLOCK_H

#include <dmasim/kernel.h>

#include <linux/types.h>

typedef spinlock_t raw_spinlock_t;

#define DEFINE_SPINLOCK(name) spinlock_t name = { 0 }

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
	lock->again = 0;
}

static inline int spin_is_locked(const spinlock_t *lock)
{
	return lock->held;
}

static inline void assert_spin_locked(const spinlock_t *lock)
{
	dmasim_warn_on(!lock->held, "assert_spin_locked() of a lock that nobody holds");
}

#define lockdep_assert_held(lock) assert_spin_locked(lock)

static inline void spin_lock_irq(spinlock_t *lock)
{
	local_irq_disable();
	spin_lock(lock);
}

static inline void spin_unlock_irq(spinlock_t *lock)
{
	spin_unlock(lock);
	local_irq_enable();
}

static inline void spin_lock_bh(spinlock_t *lock)
{
	spin_lock(lock);
}

static inline void spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock(lock);
}

static inline unsigned long dmasim_lock_irqsave(spinlock_t *lock)
{
	unsigned long flags = dmasim_irq_save();

	spin_lock(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock(lock);
	dmasim_irq_restore(flags);
}

#define spin_lock_irqsave(lock, flags) ((void)((flags) = dmasim_lock_irqsave(lock)))
#define local_irq_save(flags)	       ((void)((flags) = dmasim_irq_save()))
#define local_irq_restore(flags)       dmasim_irq_restore(flags)

#endif
