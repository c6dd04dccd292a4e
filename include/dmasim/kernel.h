/* SPDX-License-Identifier: MIT */
/*
 * The kernel-named layer: what driver source takes for granted and what has no machine among its
 * arguments. The headers under include/kernel/linux spell it as Linux does; a program that runs
 * drivers includes this one, to choose the machine they run on:
 *
 *   dmasim_enter(s);                        the calls below work on s from now on, in this thread
 *   dmasim_insmod("nic_driver");            runs what module_init() names in nic_driver.c
 *   ...
 *   dmasim_rmmod("nic_driver");
 *
 * Memory of kmalloc() and alloc_pages() is RAM of the machine, so it has a physical address; what a
 * driver does not give back is counted by dmasim_destroy(). An __iomem pointer is a cookie: reading
 * and writing through it reaches BARs, and runs their callbacks. An interrupt runs its handlers at
 * once, or when they are let in again.
 */
#ifndef DMASIM_KERNEL_H
#define DMASIM_KERNEL_H

#include <stdio.h>

#include <dmasim/dma.h>
#include <dmasim/iova-domain.h>
#include <dmasim/machine.h>
#include <dmasim/pci.h>

#define __GFP_HIGHMEM ((gfp_t)0x02u)
#define __GFP_NOWARN  ((gfp_t)0x2000u)
#define __GFP_NORETRY ((gfp_t)0x10000u)

/* A lock of a machine whose CPUs are virtual: it says whether somebody holds it. */
typedef struct spinlock {
	bool held;
	unsigned int again; /* taken while it was held, by mistake */
} spinlock_t;

/* What a handler answers. */
typedef enum irqreturn {
	IRQ_NONE = 0,	     /* not its device's */
	IRQ_HANDLED = 1,     /* done */
	IRQ_WAKE_THREAD = 2, /* the thread function does the rest */
} irqreturn_t;

typedef irqreturn_t (*irq_handler_t)(int irq, void *dev_id);

/* Ids of devices that a driver is for; ends with one whose vendor, subvendor and class are 0. */
struct pci_device_id {
	u32 vendor;
	u32 device;
	u32 subvendor;
	u32 subdevice;
#ifdef __cplusplus
	u32 class_;
#else
	u32 class;
#endif
	u32 class_mask;
	unsigned long driver_data;
};

#define PCI_ANY_ID (~0U)

struct pci_driver {
	const char *name;
	const struct pci_device_id *id_table;
	int (*probe)(struct pci_dev *pdev, const struct pci_device_id *id);
	void (*remove)(struct pci_dev *pdev);
	void (*shutdown)(struct pci_dev *pdev);
};

/* What module_init() and module_exit() leave behind: one of the two functions, and the file. */
struct dmasim_module {
	const char *file;
	int (*init)(void);
	void (*exit)(void);
};

DMASIM_BEGIN_DECLS

/* ---- For the program -------------------------------------------------- */

/* The machine of this thread from now on, NULL: none. Returns the one before. */
DMASIM_API struct dmasim *dmasim_enter(struct dmasim *s);

/*
 * The device interrupts: the handlers of the vector run, unless the driver keeps interrupts off;
 * then they run when it lets them in. False: nobody asked for this vector, or no handler felt
 * responsible.
 */
DMASIM_API bool dmasim_raise_irq(struct pci_dev *pdev, unsigned int vector);

/*
 * Where pr_info(), dev_err() and the like print to, and the DMA layer's own messages; NULL, as at
 * first: nowhere.
 */
DMASIM_API void dmasim_print_to(struct dmasim *s, FILE *file);

/* For dmasim_insmod() and dmasim_rmmod(). */
DMASIM_API int dmasim_module_run(const struct dmasim_module *const *start,
				 const struct dmasim_module *const *end, const char *name,
				 bool init);
extern const struct dmasim_module *const __start_dmasim_modules[] __attribute__((weak));
extern const struct dmasim_module *const __stop_dmasim_modules[] __attribute__((weak));

/*
 * Runs the init function of the module in the file of that name, without folder and suffix, and
 * returns what it returns; or the exit function. -ENOENT: this program has no such module. A module
 * in a static library is in the program only if the whole library is (link_whole).
 */
static inline int dmasim_insmod(const char *name)
{
	return dmasim_module_run(__start_dmasim_modules, __stop_dmasim_modules, name, true);
}

static inline int dmasim_rmmod(const char *name)
{
	return dmasim_module_run(__start_dmasim_modules, __stop_dmasim_modules, name, false);
}

/* ---- Memory ----------------------------------------------------------- */

/*
 * RAM; NULL: none. The size is rounded up to 8, 16, 32, 64, 96, 128, 192, 256 ... bytes, and the
 * address is a multiple of it (of 32 and 64 for 96 and 192). It holds 0x5a unless __GFP_ZERO asks
 * for zeros. A size of 0 gives ZERO_SIZE_PTR; the most is 4 MiB.
 */
void *kmalloc(size_t size, gfp_t gfp) DMASIM_LINUX(kmalloc);
void kfree(const void *ptr) DMASIM_LINUX(kfree);
void *krealloc(const void *ptr, size_t size, gfp_t gfp) DMASIM_LINUX(krealloc);

/*
 * Memory without a physical address, for the CPU alone: the DMA API refuses pointers into it. Not
 * zeroed, or zeroed; NULL: none, or size is 0. vfree() takes what they gave, or NULL. The last says
 * whether a pointer is into such memory.
 */
void *vmalloc(unsigned long size) DMASIM_LINUX(vmalloc);
void *vzalloc(unsigned long size) DMASIM_LINUX(vzalloc);
void vfree(const void *ptr) DMASIM_LINUX(vfree);
bool is_vmalloc_addr(const void *ptr) DMASIM_LINUX(is_vmalloc_addr);

/* What kmalloc() rounded the size to. */
size_t ksize(const void *ptr) DMASIM_LINUX(ksize);

#define ZERO_SIZE_PTR ((void *)16)

/* 2^order pages in one piece; order is 0 to 10. They hold 0x5a unless __GFP_ZERO asks for zeros. */
struct page *alloc_pages(gfp_t gfp, unsigned int order) DMASIM_LINUX(alloc_pages);
void __free_pages(struct page *page, unsigned int order) DMASIM_LINUX(__free_pages);

/*
 * Between pointers into the machine's memory, physical addresses and pages. (The object file has
 * dmasim_virt_to_phys() already.)
 */
void *page_address(const struct page *page) DMASIM_LINUX(page_address);
phys_addr_t virt_to_phys(const volatile void *ptr) DMASIM_LINUX(kernel_virt_to_phys);
void *phys_to_virt(phys_addr_t phys) DMASIM_LINUX(phys_to_virt);
struct page *virt_to_page(const void *ptr) DMASIM_LINUX(virt_to_page);
struct page *phys_to_page(phys_addr_t phys) DMASIM_LINUX(phys_to_page);

/* A table of `nents` entries, in arrays of up to 128 that are chained. 0 or -ENOMEM. */
int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp)
	DMASIM_LINUX(sg_alloc_table);
void sg_free_table(struct sg_table *table) DMASIM_LINUX(sg_free_table);

/* The virtual CPU that runs (dmasim_set_cpu()). */
unsigned int smp_processor_id(void) DMASIM_LINUX(smp_processor_id);

/* ---- Devices' memory -------------------------------------------------- */

/* A cookie for [phys, phys + size), which is not RAM; NULL: it is, or no memory. */
void *ioremap(phys_addr_t phys, size_t size) DMASIM_LINUX(ioremap);
void iounmap(volatile void *addr) DMASIM_LINUX(iounmap);

/* A cookie for a memory BAR, or its first maxlen bytes; 0: all. NULL: no such BAR. */
void *pci_iomap(struct pci_dev *pdev, int bar, unsigned long maxlen) DMASIM_LINUX(pci_iomap);

/* `bytes` at a cookie, as they stand there. What nobody answers reads as ones. */
DMASIM_API void dmasim_io_read(const volatile void *addr, void *to, size_t bytes);
DMASIM_API void dmasim_io_write(volatile void *addr, const void *from, size_t bytes);

/* ---- Interrupts ------------------------------------------------------- */

#define PCI_IRQ_INTX	  (1U << 0)
#define PCI_IRQ_MSI	  (1U << 1)
#define PCI_IRQ_MSIX	  (1U << 2)
#define PCI_IRQ_AFFINITY  (1U << 3)
#define PCI_IRQ_ALL_TYPES (PCI_IRQ_INTX | PCI_IRQ_MSI | PCI_IRQ_MSIX)

#define IRQF_SHARED  0x00000080UL
#define IRQF_ONESHOT 0x00002000UL

/*
 * Gives the device min to max vectors: as many as the best allowed kind has (1 by wire, 32 by MSI,
 * 2048 by MSI-X). Their number, -ENOSPC, -EINVAL (it has some, or the numbers make no sense),
 * -ENOMEM. The interrupt number of vector nr, or -EINVAL.
 */
int pci_alloc_irq_vectors(struct pci_dev *pdev, unsigned int min, unsigned int max,
			  unsigned int flags) DMASIM_LINUX(pci_alloc_irq_vectors);
void pci_free_irq_vectors(struct pci_dev *pdev) DMASIM_LINUX(pci_free_irq_vectors);
int pci_irq_vector(struct pci_dev *pdev, unsigned int nr) DMASIM_LINUX(pci_irq_vector);

/*
 * 0, -EINVAL (no such interrupt, no handler, or shared without a dev_id), -EBUSY (taken, and not
 * shared by both), -ENOMEM. The thread function runs outside of interrupts and locks. free_irq()
 * returns the name.
 */
int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread_fn,
			 unsigned long flags, const char *name, void *dev_id)
	DMASIM_LINUX(request_threaded_irq);
const void *free_irq(unsigned int irq, void *dev_id) DMASIM_LINUX(free_irq);

/* Counted; an interrupt that comes meanwhile waits. */
void disable_irq(unsigned int irq) DMASIM_LINUX(disable_irq);
void enable_irq(unsigned int irq) DMASIM_LINUX(enable_irq);

/* All interrupts of the machine: off, on, off with what they were before, as they were. */
void local_irq_disable(void) DMASIM_LINUX(local_irq_disable);
void local_irq_enable(void) DMASIM_LINUX(local_irq_enable);
DMASIM_API unsigned long dmasim_irq_save(void);
DMASIM_API void dmasim_irq_restore(unsigned long flags);

/*
 * While CPUs run at once (dmasim_run_cpus()) a lock that is held is waited for. Else taking it,
 * which a kernel would wait for for ever, is reported; so is giving up one that is not held.
 */
void spin_lock(spinlock_t *lock) DMASIM_LINUX(spin_lock);
void spin_unlock(spinlock_t *lock) DMASIM_LINUX(spin_unlock);
int spin_trylock(spinlock_t *lock) DMASIM_LINUX(spin_trylock);

/* ---- IOVA space ------------------------------------------------------- */

/* dmasim_iova_domain_init() on the machine of this thread. */
void init_iova_domain(struct iova_domain *iovad, dmasim_ulong granule, dmasim_ulong start_pfn)
	DMASIM_LINUX(init_iova_domain);

/*
 * Linux's users of IOVA domains share what struct iova is cut from, and count themselves. Here
 * nothing is shared: 0. Giving it up more often than it was taken is reported.
 */
int iova_cache_get(void) DMASIM_LINUX(iova_cache_get);
void iova_cache_put(void) DMASIM_LINUX(iova_cache_put);

/* ---- Drivers ---------------------------------------------------------- */

/*
 * Probes every device that the driver is for and that has none. Starts the machine. 0, -EBUSY (it
 * is registered), -ENOMEM. A failed probe is no error. The other call removes it from its devices.
 */
int pci_register_driver(struct pci_driver *driver) DMASIM_LINUX(pci_register_driver);
void pci_unregister_driver(struct pci_driver *driver) DMASIM_LINUX(pci_unregister_driver);

/* The device no longer masters the bus. */
void pci_disable_device(struct pci_dev *pdev) DMASIM_LINUX(pci_disable_device);
void pci_clear_master(struct pci_dev *pdev) DMASIM_LINUX(pci_clear_master);

/* format begins with a KERN_ level or not. */
int _printk(const char *format, ...) DMASIM_LINUX(_printk) DMASIM_PRINTF(1, 2);
void _dev_printk(const char *level, const struct device *dev, const char *format, ...)
	DMASIM_LINUX(_dev_printk) DMASIM_PRINTF(3, 4);

/* A kernel that goes on after a WARN, or a BUG, is reported; returns `condition`. */
DMASIM_API bool dmasim_warn_on(bool condition, const char *what);

DMASIM_END_DECLS

#endif
