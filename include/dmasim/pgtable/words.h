/* SPDX-License-Identifier: MIT */
/*
 * Runs of words in a table, eight at a time: filled while they are empty, cleared while they are
 * not. A stretch of small leaves is one such run: each word is the one before it and a constant.
 */
#ifndef DMASIM_PGTABLE_WORDS_H
#define DMASIM_PGTABLE_WORDS_H

#include <endian.h>
#include <string.h>

#include <dmasim/pgtable/format.h>

#define PT_WORDS 8 /* four registers of the kind that every 64-bit processor has */

typedef u64 pt_pair __attribute__((vector_size(16), aligned(8), may_alias));

PT_INLINE pt_pair *pt_pairs(u64 *entry)
{
	return (pt_pair *)(void *)entry;
}

PT_INLINE bool pt_any(pt_pair pair)
{
	return pair[0] | pair[1];
}

/*
 * Stores word, word + step, word + 2 * step, ... up to the first entry that is in use, if it is not
 * known that none is. Returns how many: at most `count`.
 */
PT_INLINE u64 pt_words_fill(u64 *entry, u64 count, u64 word, u64 step, bool known)
{
	u64 done = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	pt_pair next = { word, word + step };
	const pt_pair two = { 2 * step, 2 * step };

	for (; done + PT_WORDS <= count; done += PT_WORDS) {
		pt_pair *at = pt_pairs(entry + done);

		if (DMASIM_UNLIKELY(!known && pt_any((at[0] | at[1]) | (at[2] | at[3]))))
			break;
		at[0] = next;
		at[1] = next + two;
		at[2] = next + 2 * two;
		at[3] = next + 3 * two;
		next += 4 * two;
	}
	word = next[0];
#endif
	for (; done < count && (known || !entry[done]); done++) {
		entry[done] = htole64(word);
		word += step;
	}
	return done;
}

/* From so many on the C library clears them sooner. */
#define PT_WORDS_MANY 64

/* Clears entries, whatever they are. */
PT_INLINE void pt_words_zero(u64 *entry, u64 count)
{
	u64 done = 0;

	if (count >= PT_WORDS_MANY) {
		memset(entry, 0, count * sizeof(*entry));
		return;
	}
	for (; done + PT_WORDS <= count; done += PT_WORDS) {
		for (u64 i = 0; i < PT_WORDS / 2; i++)
			pt_pairs(entry + done)[i] = (pt_pair){ 0 };
	}
	for (; done < count; done++)
		entry[done] = 0;
}

/* Bit 0 of both words: bit 0 or bit 1 was set. */
PT_INLINE pt_pair pt_low_bits(pt_pair pair)
{
	return pair | pair >> 1;
}

/*
 * Clears entries up to the first that is empty already, or has one of the bits `many`. Returns how
 * many: at most `count`. Quick where bit 0 or bit 1 is set in every leaf, as all hardware has it.
 */
PT_INLINE u64 pt_words_clear(u64 *entry, u64 count, u64 many)
{
	const u64 unlike = htole64(many);
	const u64 low = htole64(1);
	u64 done = 0;

	for (; done + PT_WORDS <= count; done += PT_WORDS) {
		pt_pair *at = pt_pairs(entry + done);
		pt_pair all = (pt_low_bits(at[0]) & pt_low_bits(at[1])) &
			      (pt_low_bits(at[2]) & pt_low_bits(at[3]));

		if (DMASIM_UNLIKELY(!(all[0] & all[1] & low)))
			break;
		if (many && pt_any(((at[0] | at[1]) | (at[2] | at[3])) & unlike))
			break;
		pt_words_zero(entry + done, PT_WORDS);
	}
	for (; done < count && entry[done] && !(entry[done] & unlike); done++)
		entry[done] = 0;
	return done;
}

/* True if all entries are empty. */
PT_INLINE bool pt_words_empty(const u64 *entry, u64 count)
{
	u64 done = 0, any = 0;

	for (; done + PT_WORDS <= count; done += PT_WORDS) {
		const pt_pair *at = (const pt_pair *)(const void *)(entry + done);

		if (pt_any((at[0] | at[1]) | (at[2] | at[3])))
			return false;
	}
	for (; done < count; done++)
		any |= entry[done];
	return !any;
}

#endif
