/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_SPINLOCK_H
#define KERNEL_LINUX_SPINLOCK_H

#include <linux/bug.h>
#include <linux/types.h>

/*
 * Virtual CPUs take turns, so nobody ever waits: a lock costs what one costs that nobody else
 * wants, and one that is taken twice is a mistake. KERNEL_NO_LOCKS: it costs nothing.
 */
typedef struct spinlock {
	u32 held;
	u32 taken; /* how often */
} spinlock_t;

typedef spinlock_t raw_spinlock_t;

#define DEFINE_SPINLOCK(name) spinlock_t name = { 0 }

#ifdef KERNEL_NO_LOCKS

static inline void spin_lock(spinlock_t *lock)
{
	(void)lock;
}

static inline void spin_unlock(spinlock_t *lock)
{
	(void)lock;
}

#define assert_spin_locked(lock) ((void)(lock))

#else

static inline void spin_lock(spinlock_t *lock)
{
	if (unlikely(__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)))
		standin_bug("a lock is taken twice", __FILE__, __LINE__);
	lock->taken++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#define assert_spin_locked(lock) BUG_ON(!(lock)->held)

#endif

#define spin_lock_init(lock)	  ((void)(*(lock) = (spinlock_t){ 0, 0 }))
#define spin_lock_irq(lock)	  spin_lock(lock)
#define spin_unlock_irq(lock)	  spin_unlock(lock)
#define spin_lock_bh(lock)	  spin_lock(lock)
#define spin_unlock_bh(lock)	  spin_unlock(lock)
#define lockdep_assert_held(lock) assert_spin_locked(lock)

#define spin_lock_irqsave(lock, flags) \
	do {                           \
		(flags) = 0;           \
		spin_lock(lock);       \
	} while (0)
#define spin_unlock_irqrestore(lock, flags) \
	do {                                \
		(void)(flags);              \
		spin_unlock(lock);          \
	} while (0)

#endif
