/* SPDX-License-Identifier: MIT */
/*
 * What a fuzz target is given and what it tells.
 *
 * A target reads its input from front to back and checks what it knows after each step. It never
 * stops a program: the first thing that is not as it should be is kept as a sentence.
 *
 * Behaviour. So that inputs which reach something new are kept, a target tells in small numbers
 * what happened: a command's kind with its result, what answered a translation. That is coarser
 * than which lines were run, but the same under every compiler: a seed and a number of runs find
 * the same.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <dmasim/types.h>

#define FUZZ_FEATURES	 65536U
#define FUZZ_INPUT_BYTES 1024U /* what is behind is not read: a run has a bound */
#define FUZZ_PIECE_BYTES 32

struct fuzz_run {
	u8 canary;	  /* enum rig_canary: a mistake that is put in; 0: none */
	u8 part;	  /* of the target, which leaves out the others; 0: all */
	u8 *seen;	  /* FUZZ_FEATURES bytes, 1 for what was seen before; or NULL */
	u32 new_features; /* that this run added */
	u32 before;	  /* the last one */
	u8 variant;	  /* what is the same in two of them counts as different */
	char failure[256];
};

/* True: nothing was wrong. */
typedef bool fuzz_function(struct fuzz_run *run, const u8 *data, size_t bytes);

/* A mistake that the target must find. */
struct fuzz_canary {
	const char *name;
	u8 canary;
};

/* What a target can be held to. */
struct fuzz_part {
	const char *name;
	u8 part;
};

struct fuzz_target {
	const char *name;
	fuzz_function *run;
	const struct fuzz_canary *canary;
	u32 canaries;
	const struct fuzz_part *part;
	u32 parts;
	/* What inputs are made of: a length, then so many bytes. */
	const u8 (*piece)[FUZZ_PIECE_BYTES];
	u32 pieces;
};

extern const struct fuzz_target fuzz_queue_target;
extern const struct fuzz_target fuzz_tables_target;
extern const struct fuzz_target fuzz_text_target;
extern const struct fuzz_target fuzz_hex_target;
extern const struct fuzz_target fuzz_lint_target;
extern const struct fuzz_target fuzz_rules_target;
extern const struct fuzz_target fuzz_pgtable_target;

fuzz_function fuzz_queue;
fuzz_function fuzz_tables;
fuzz_function fuzz_pgtable;

/* Something happened: what kind of thing, and two numbers about it. Also what it came after. */
void fuzz_feature(struct fuzz_run *run, u32 kind, u64 a, u64 b);

/* Keeps the sentence of the first failure. */
void fuzz_check(struct fuzz_run *run, bool good, const char *format, ...) DMASIM_PRINTF(3, 4);

static inline bool fuzz_failed(const struct fuzz_run *run)
{
	return run->failure[0];
}

/* ---- Input ----------------------------------------------------------------------------- */

struct bytes {
	const u8 *at;
	size_t left;
};

/* Little-endian; behind the end there are zeros. */
static inline u64 take(struct bytes *bytes, u32 count)
{
	u64 value = 0;

	for (u32 i = 0; i < count && bytes->left; i++, bytes->left--)
		value |= (u64)*bytes->at++ << (8 * i);
	return value;
}

static inline u8 take8(struct bytes *bytes)
{
	return (u8)take(bytes, 1);
}

#endif
