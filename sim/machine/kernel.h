/* SPDX-License-Identifier: MIT */
/*
 * What the kernel-named layer (dmasim/kernel.h) keeps for one machine.
 *
 * Its functions are called by drivers, without a machine: kernel_machine() is the one that
 * dmasim_enter() chose.
 */
#ifndef MACHINE_KERNEL_H
#define MACHINE_KERNEL_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include <dmasim/kernel.h>

enum kernel_zone {
	KERNEL_ZONE_NORMAL,
	KERNEL_ZONE_DMA32,
	KERNEL_ZONE_DMA,
	KERNEL_ZONE_COUNT,
};

#define KERNEL_BUCKETS 11

/* Page frames that hold pieces of one bucket, one large piece, or pages (kernel_slab.c). */
struct kernel_slab;
RB_HEAD(kernel_slab_tree, kernel_slab);
LIST_HEAD(kernel_slab_list, kernel_slab);

/* One vmalloc() (kernel_vmalloc.c). */
struct kernel_vmalloc;
SLIST_HEAD(kernel_vmalloc_list, kernel_vmalloc);

/* The machine has no zeros to give away. */
#define KERNEL_FILL_NEW 0x5a

/* One ioremap() (kernel_io.c). */
struct kernel_map;
RB_HEAD(kernel_map_tree, kernel_map);

/* One interrupt number (kernel_irq.c), one registered driver (kernel_driver.c). */
struct kernel_irq;
STAILQ_HEAD(kernel_irq_list, kernel_irq);
struct kernel_driver;
SLIST_HEAD(kernel_driver_list, kernel_driver);

struct kernel {
	struct kernel_slab_tree slabs; /* by frame */
	struct kernel_slab_list partial[KERNEL_ZONE_COUNT][KERNEL_BUCKETS];
	struct kernel_vmalloc_list vmallocs;
	struct kernel_map_tree maps; /* by cookie */
	uintptr_t next_cookie;
	struct kernel_irq_list irqs;
	unsigned int next_irq;
	bool irqs_off;
	u32 locks_held;
	u32 iova_cache_users;
	struct kernel_driver_list drivers;
	FILE *print_to;
};

struct dmasim;

void kernel_init(struct dmasim *s);

/* The machine goes: no thread may think that it is in it. */
void kernel_fini(struct dmasim *s);

/* The machine that this thread has entered. */
struct dmasim *kernel_machine(void);

/* `what` is a constant. dev may be NULL. */
void kernel_misuse(struct dmasim *s, const struct device *dev, u64 address, const char *what);

/* Linux's message where a device no longer gets IOVAs below 4 GiB first. */
void kernel_log_bits(struct dmasim *s, dmasim_sbdf dev, u32 bits);

/* And those of a peer-to-peer verdict. */
void kernel_log_peer(struct dmasim *s, dmasim_sbdf client, dmasim_sbdf provider);

/* Runs handlers that may run now. */
void kernel_run_irqs(struct dmasim *s);

/* True if the pointer is into memory of vmalloc(). */
bool kernel_is_vmalloc(const struct dmasim *s, const void *ptr);

/* A line for each piece of kmalloc() and pages that is in use, or of vmalloc(); how many. */
struct text;
u32 kernel_list_slabs(struct dmasim *s, struct text *text);

/* True if phys is in a piece that kfree() has back, of a page with others in use. */
bool kernel_has_freed(void *machine, phys_addr_t phys);
u32 kernel_list_vmallocs(const struct dmasim *s, struct text *text);

/* A record for a driver; zeroed. NULL: no memory. */
void *kernel_record(struct dmasim *s, size_t bytes);

#endif
