/* SPDX-License-Identifier: MIT */
/*
 * dma-debug: the checks of a kernel built with CONFIG_DMA_API_DEBUG (facts "dma-api" 11), for a
 * machine with config.dma_debug.
 *
 * It is a second judge beside the checker, and sees what such a kernel sees: it has its own account
 * of mappings, its own rules for which one a call means, and prints the first error only unless
 * told otherwise. It knows nothing of the two-step API, nor of what devices do. Its messages are
 * Linux's, word for word; pointers in them stand as "(____ptrval____)", as a kernel prints them
 * that has no secret yet. The checker, whose reports say the same and more, does not depend on it.
 *
 * On x86 a kernel does not tell overlapping mappings (its caches need no alignment): that check
 * needs config.cpu DMASIM_CPU_OTHER.
 *
 * A machine without config.dma_debug has none: the calls below do nothing, and what they ask for is
 * 0 or empty.
 */
#ifndef DMASIM_DMA_DEBUG_H
#define DMASIM_DMA_DEBUG_H

#include <dmasim/pci.h>
#include <dmasim/types.h>

struct dmasim;

#define DMASIM_DMA_DEBUG_FILTER_BYTES 64

/* What /sys/kernel/debug/dma-api has, by its names there. */
struct dmasim_dma_debug {
	bool disabled; /* true also without config.dma_debug, and when its memory ran out */
	u32 error_count;
	bool all_errors;
	u32 num_errors; /* errors that are still printed; each error, printed or not, counts down */
	u32 num_free_entries;
	u32 min_free_entries;
	u32 nr_total_entries;
	char driver_filter[DMASIM_DMA_DEBUG_FILTER_BYTES]; /* "": every driver's errors */
};

DMASIM_BEGIN_DECLS

DMASIM_API struct dmasim_dma_debug dmasim_dma_debug(const struct dmasim *s);

/* Every error is printed from now on, or `count` more; of all drivers, or (not "") of one. */
DMASIM_API void dmasim_dma_debug_all_errors(struct dmasim *s, bool all);
DMASIM_API void dmasim_dma_debug_num_errors(struct dmasim *s, u32 count);
DMASIM_API void dmasim_dma_debug_driver_filter(struct dmasim *s, const char *name);

/*
 * What it has printed so far, with the lines of its start. They also go where dmasim_print_to()
 * says. Into buf, always terminated, cut at len, which is at least 1. Returns the length of all.
 */
DMASIM_API size_t dmasim_dma_debug_log(const struct dmasim *s, char *buf, size_t len);

/*
 * The file "dump": a line for each mapping that is alive, by the rules above. Into buf like the
 * log. Returns the number of lines.
 */
DMASIM_API u32 dmasim_dma_debug_dump(struct dmasim *s, char *buf, size_t len);

/*
 * The device's driver has let go of it: mappings that are left are reported, by the checker and by
 * dma-debug. pci_unregister_driver() (kernel.h) does so by itself; this is for programs that have
 * drivers of another kind.
 */
DMASIM_API void dmasim_driver_unbound(struct pci_dev *pdev);

DMASIM_END_DECLS

#endif
