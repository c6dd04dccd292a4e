/* SPDX-License-Identifier: MIT */
/*
 * Mistakes that Linux once made or still makes, as switches: off, the calls behave as 7.3 should;
 * on, as the kernels that have them (facts "dma-api" 17, T16; fq-overwrite is in 7.3, facts
 * "iova-and-page-tables" 1.4). fq-recycle-early was in none: it is the off-by-one next to the rule
 * (6.3). They show that a test or the checker would have found them.
 */
#ifndef DMASIM_BUG_H
#define DMASIM_BUG_H

/* X(enumerator, name, what goes wrong) */
#define DMASIM_BUGS(X)                                                                            \
	X(HOSTBRIDGE_BREAK, "hostbridge-break",                                                   \
	  "direct dma_map_sg() leaves peer memory behind the host bridge without an address")     \
	X(ZERO_MIDDLE, "zero-middle",                                                             \
	  "dma_iova_link() of a bounced head and tail links the nothing between them")            \
	X(UNLINK_FROM_0, "unlink-from-0",                                                         \
	  "a failed dma_iova_link() at an offset undoes the links at offset 0")                   \
	X(BUS_LEN_HEAD, "bus-len-head",                                                           \
	  "dma_map_sg() gives a bus address the length of the list's first entry")                \
	X(DESTROY_MAPPED_LEN, "destroy-mapped-len",                                               \
	  "dma_iova_destroy() frees the IOVA by the length that was linked, through the queue")   \
	X(MMIO_UNTRANSLATED, "mmio-untranslated",                                                 \
	  "direct mappings of MMIO leave out the host bridge's inbound ranges")                   \
	X(STALE_SG_RESTORE, "stale-sg-restore",                                                   \
	  "a failed dma_map_sg() takes old DMA fields for the list's own offsets and lengths")    \
	X(FQ_OVERWRITE, "fq-overwrite",                                                           \
	  "the flush queue is not tested again after its flush: a ring that is still full loses " \
	  "what waits in it")                                                                     \
	X(FQ_RECYCLE_EARLY, "fq-recycle-early",                                                   \
	  "the flush queue releases what a flush that began before it may have missed")

enum dmasim_bug {
#define DMASIM_BUG_ENUM(id, name, text) DMASIM_BUG_##id,
	DMASIM_BUGS(DMASIM_BUG_ENUM)
#undef DMASIM_BUG_ENUM
		DMASIM_BUG_COUNT,
};

/* The bit of config.bugs. */
#define DMASIM_BUG(name) (1U << DMASIM_BUG_##name)

#endif
