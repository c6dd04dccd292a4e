/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* names of registers, MAP_ANONYMOUS */
#endif

#include "world/coroutine.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * AddressSanitizer has to be told of stacks. It is the program's: the library may be built without.
 */
#if defined(__has_include)
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#pragma weak __asan_get_current_fake_stack
#pragma weak __asan_handle_no_return
#pragma weak __asan_unpoison_memory_region
#pragma weak __sanitizer_finish_switch_fiber
#pragma weak __sanitizer_start_switch_fiber
#define COROUTINE_ASAN (__asan_handle_no_return && __sanitizer_start_switch_fiber)
#endif
#endif
#ifndef COROUTINE_ASAN
#define COROUTINE_ASAN					     0
#define __asan_get_current_fake_stack()			     NULL
#define __asan_handle_no_return()			     ((void)0)
#define __asan_unpoison_memory_region(start, bytes)	     ((void)0)
#define __sanitizer_finish_switch_fiber(fake, bottom, bytes) ((void)(fake))
#define __sanitizer_start_switch_fiber(fake, bottom, bytes)  ((void)(fake))
#endif

#ifdef __OPTIMIZE__
#define OPTIMIZED true
#else
#define OPTIMIZED false
#endif

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id)	    ((void)(id))
#define RUNNING_ON_VALGRIND		    0
#endif

#define STACK_BYTES (256U << 10)
/* Below the stack pointer: where calls that are over lay. */
#define SWEEP_BYTES 2048U

/* ---- Stacks ---------------------------------------------------------------------------------- */

static size_t guard_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int coroutine_init(struct coroutine *coroutine, struct coroutine_home *home)
{
	size_t guard = guard_bytes();
	u8 *at = mmap(NULL, guard + STACK_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -ENOMEM;
	/* If it cannot be had, an overflow is not caught, and nothing else is amiss. */
	(void)mprotect(at, guard, PROT_NONE);
	coroutine->home = home;
	coroutine->stack = at + guard;
	coroutine->bytes = STACK_BYTES;
	coroutine->valgrind_id = VALGRIND_STACK_REGISTER(at + guard, at + guard + STACK_BYTES - 1);
	return 0;
}

/* Of frames that never ended something is left. */
static void unpoison(const struct coroutine *coroutine)
{
	if (COROUTINE_ASAN)
		__asan_unpoison_memory_region(coroutine->stack, coroutine->bytes);
}

void coroutine_fini(struct coroutine *coroutine)
{
	size_t guard = guard_bytes();

	if (!coroutine->stack)
		return;
	VALGRIND_STACK_DEREGISTER(coroutine->valgrind_id);
	unpoison(coroutine);
	munmap(coroutine->stack - guard, guard + coroutine->bytes);
	coroutine->stack = NULL;
}

/* ---- Switching ------------------------------------------------------------------------------- */

/* makecontext() passes int: a pointer comes in two halves. */
static void begin(unsigned int high, unsigned int low)
{
	struct coroutine *coroutine = (struct coroutine *)(uintptr_t)((u64)high << 32 | low);

	if (COROUTINE_ASAN)
		__sanitizer_finish_switch_fiber(NULL, &coroutine->home->bottom,
						&coroutine->home->bytes);
	coroutine->body(coroutine->argument);
}

void coroutine_start(struct coroutine *coroutine, void (*body)(void *argument), void *argument)
{
	u64 self = (uintptr_t)coroutine;

	unpoison(coroutine);
	memset(&coroutine->context, 0, sizeof(coroutine->context));
	getcontext(&coroutine->context);
	coroutine->body = body;
	coroutine->argument = argument;
	coroutine->fake_stack = NULL;
	coroutine->context.uc_stack.ss_sp = coroutine->stack;
	coroutine->context.uc_stack.ss_size = coroutine->bytes;
	coroutine->context.uc_link = NULL;
	makecontext(&coroutine->context, (void (*)(void))begin, 2, (unsigned int)(self >> 32),
		    (unsigned int)self);
}

void coroutine_enter(struct coroutine *coroutine)
{
	struct coroutine_home *home = coroutine->home;

	if (COROUTINE_ASAN) {
		/* It may jump out: nothing of the frames here may stay poisoned then. */
		__asan_handle_no_return();
		__sanitizer_start_switch_fiber(&home->fake_stack, coroutine->stack,
					       coroutine->bytes);
	}
	swapcontext(&home->context, &coroutine->context);
	if (COROUTINE_ASAN)
		__sanitizer_finish_switch_fiber(home->fake_stack, NULL, NULL);
}

void coroutine_leave(struct coroutine *coroutine)
{
	struct coroutine_home *home = coroutine->home;

	if (COROUTINE_ASAN)
		__sanitizer_start_switch_fiber(&coroutine->fake_stack, home->bottom, home->bytes);
	swapcontext(&coroutine->context, &home->context);
	if (COROUTINE_ASAN)
		__sanitizer_finish_switch_fiber(coroutine->fake_stack, &home->bottom, &home->bytes);
}

bool coroutine_is_here(const struct coroutine *coroutine)
{
	/* Not the address of a variable: AddressSanitizer may keep those elsewhere. */
	uintptr_t at = (uintptr_t)__builtin_frame_address(0);

	return at - (uintptr_t)coroutine->stack < coroutine->bytes;
}

void coroutine_jumped_out(const struct coroutine *coroutine)
{
	const struct coroutine_home *home = coroutine->home;
	void *kept;

	if (!COROUTINE_ASAN)
		return;
	/* Whoever has run since the jump may have frames on the fake stack that was left. */
	__sanitizer_start_switch_fiber(&kept, home->bottom, home->bytes);
	__sanitizer_finish_switch_fiber(home->fake_stack, NULL, NULL);
}

/* ---- Looking at one that is away ------------------------------------------------------------- */

static const u8 *stack_pointer(const struct coroutine *coroutine)
{
#if defined(__x86_64__)
	return (const u8 *)(uintptr_t)coroutine->context.uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	return (const u8 *)(uintptr_t)coroutine->context.uc_mcontext.sp;
#else
	return coroutine->stack;
#endif
}

struct coroutine_bytes coroutine_live(const struct coroutine *coroutine)
{
	const u8 *at = stack_pointer(coroutine);

	return (struct coroutine_bytes){ at, (size_t)(coroutine->stack + coroutine->bytes - at) };
}

bool coroutine_registers(const struct coroutine *coroutine, u64 registers[COROUTINE_REGISTERS],
			 struct coroutine_bytes *all)
{
#if defined(__x86_64__)
	/* Of the others a function that called swapcontext() expects nothing. */
	static const u8 kept[COROUTINE_REGISTERS] = { REG_RBX, REG_RBP, REG_R12, REG_R13,
						      REG_R14, REG_R15, REG_RSP, REG_RIP };

	for (u32 i = 0; i < COROUTINE_REGISTERS; i++)
		registers[i] = (u64)coroutine->context.uc_mcontext.gregs[kept[i]];
	*all = (struct coroutine_bytes){ NULL, 0 };
	return true;
#else
	(void)registers;
	*all = (struct coroutine_bytes){ (const u8 *)&coroutine->context.uc_mcontext,
					 sizeof(coroutine->context.uc_mcontext) };
	return false;
#endif
}

#if defined(__GNUC__)
__attribute__((no_sanitize("address")))
#endif
void coroutine_sweep(struct coroutine *coroutine)
{
	size_t unused = (size_t)(stack_pointer(coroutine) - coroutine->stack);
	u8 *end = coroutine->stack + unused;

	if (unused < SWEEP_BYTES || RUNNING_ON_VALGRIND)
		return;
	for (u8 *at = end - SWEEP_BYTES; at < end; at += sizeof(u64))
		*(volatile u64 *)(void *)at = 0;
}

bool coroutine_is_whole(void)
{
	/* Valgrind knows which bytes of a stack nobody wrote, and would not have them compared. */
	if (RUNNING_ON_VALGRIND)
		return false;
	/* Frames that are not optimized keep what was on the way there: no two are alike. */
	return !COROUTINE_ASAN || (OPTIMIZED && !__asan_get_current_fake_stack());
}
