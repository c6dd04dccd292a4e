/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: bodies with stacks of their own, entered from one place, their home, and left for it.
 * AddressSanitizer and valgrind are told of the stacks.
 */
#ifndef WORLD_COROUTINE_H
#define WORLD_COROUTINE_H

#include <ucontext.h>

#include <dmasim/types.h>

/* Where coroutines are entered from. */
struct coroutine_home {
	ucontext_t context;
	void *fake_stack; /* these are AddressSanitizer's */
	const void *bottom;
	size_t bytes;
};

struct coroutine {
	ucontext_t context;
	struct coroutine_home *home;
	void (*body)(void *argument);
	void *argument;
	u8 *stack; /* lowest usable byte; below it lies a page that faults */
	size_t bytes;
	void *fake_stack;
	u32 valgrind_id;
};

/* A part of memory. */
struct coroutine_bytes {
	const u8 *start;
	size_t bytes;
};

/* Zeroed before the first time. 0 or -ENOMEM. */
int coroutine_init(struct coroutine *coroutine, struct coroutine_home *home);
void coroutine_fini(struct coroutine *coroutine);

/*
 * The next coroutine_enter() begins the body, whatever the coroutine was in before. The body must
 * not return: it ends with coroutine_leave().
 */
void coroutine_start(struct coroutine *coroutine, void (*body)(void *argument), void *argument);

/* From home: runs the coroutine until it leaves. */
void coroutine_enter(struct coroutine *coroutine);

/* From within: goes home, and returns at the next coroutine_enter(). */
void coroutine_leave(struct coroutine *coroutine);

/* True for who runs on its stack. */
bool coroutine_is_here(const struct coroutine *coroutine);

/*
 * It was left by a jump to its home's stack, to where it was entered or further up: it is over, and
 * home is where we are.
 */
void coroutine_jumped_out(const struct coroutine *coroutine);

/* ---- What a coroutine that has left consists of ----------------------- */

/* The part of its stack that is in use. */
struct coroutine_bytes coroutine_live(const struct coroutine *coroutine);

/*
 * Registers that are kept while it is away, as words; at most COROUTINE_REGISTERS. False: only what
 * lies around them is known, in *all.
 */
#define COROUTINE_REGISTERS 8
bool coroutine_registers(const struct coroutine *coroutine, u64 registers[COROUTINE_REGISTERS],
			 struct coroutine_bytes *all);

/* Clears what calls that are over left below the part in use, so that equal states look equal. */
void coroutine_sweep(struct coroutine *coroutine);

/* True if a coroutine is all on its stack, and that may be read: sanitizers and valgrind differ. */
bool coroutine_is_whole(void);

#endif
