/* SPDX-License-Identifier: MIT */
/*
 * What the bytes of an input mean, as far as both targets share it.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "fuzz.h"
#include "rig.h"

/* Requesters: two functions of a device, another of it, and one on another bus. */
#define INPUT_REQUESTERS 4U
u16 input_requester(u8 byte);

/*
 * Addresses whose index at each of four levels is the first, the second or the last. RISC-V: those
 * of the upper half of four levels have all bits above set, too.
 */
#define INPUT_ADDRESSES 81U
u64 input_address(const struct rig_unit *unit, u32 index);

/* 6 bytes: a unit, with caches from none to more than an input fills. part: see input_parts. */
struct rig_unit input_unit(struct bytes *bytes, u8 part);

/* What both targets can be held to: an architecture. */
#define INPUT_PARTS 4U
extern const struct fuzz_part input_parts[INPUT_PARTS];

/* Entries of SMMUv3 and RISC-V say more than those of the others, and requests do. */
bool input_is_newer(const struct rig_unit *unit);

/* 1 byte: an entry's index in its table, mostly one of those that addresses use. */
u32 input_index(u8 byte);

/* 4 bytes: the word of an entry. It points to one of the tables, or now and then elsewhere. */
u64 input_entry(const struct rig_unit *unit, struct bytes *bytes);

/* 1 byte: where a table is. */
u64 input_table(u8 byte);

#endif
