/* SPDX-License-Identifier: MIT */
/*
 * Preemption points: the places where another CPU or the hardware may see the software's next
 * store.
 *
 * The software passes one *before* each such store, before a load that no lock protects where its
 * moment matters, and at each lock and unlock. A machine counts
 * them when asked to; an explorer of interleavings switches CPUs there.
 */
#ifndef DMASIM_POINT_H
#define DMASIM_POINT_H

#include <dmasim/types.h>

/* X(enumerator, name, the store that follows) */
#define DMASIM_POINTS(X)                                                                          \
	X(LOCK, "lock", "a lock is taken")                                                        \
	X(UNLOCK, "unlock", "a lock is released")                                                 \
	X(PT_LEAF, "pt_leaf", "a leaf entry of an I/O page table is written")                     \
	X(PT_CLEAR, "pt_clear", "an entry of an I/O page table is cleared")                       \
	X(PT_TABLE, "pt_table", "a table is linked into its parent")                              \
	X(PT_MARK, "pt_mark", "an entry is marked as seen by the hardware")                       \
	X(PT_TOP, "pt_top", "an I/O page table gets a new top table")                             \
	X(RING, "ring", "an entry, the head or the tail of a ring of the flush queue is changed") \
	X(FLUSH, "flush", "the flush queue's counters or its timer's flag are read or changed")   \
	X(MAGAZINE, "magazine",                                                                   \
	  "a magazine of freed IOVA ranges comes into a depot, or leaves it")                     \
	X(CONTEXT, "context", "an IOMMU context entry is changed")                                \
	X(QUEUE, "queue", "invalidation commands are handed to the hardware")                     \
	X(CONFIG, "config", "a PCI configuration register is written")

enum dmasim_point {
#define DMASIM_POINT_ENUM(id, name, text) DMASIM_POINT_##id,
	DMASIM_POINTS(DMASIM_POINT_ENUM)
#undef DMASIM_POINT_ENUM
		DMASIM_POINT_COUNT,
};

#endif
