/* SPDX-License-Identifier: MIT */
/*
 * The museum: bugs that were in drivers of Linux, each in a short driver that has it and, by one
 * switch, the fix. A file is one exhibit: what happened, the driver, its device, what is told.
 *
 * The driver sees the kernel-named headers alone. Its device has eight registers of 64 bits, and
 * its id says which form of the driver is shown. A wrong form must give exactly the reports that
 * its test lists, each at the driver's line that the test names; the right form must give none.
 */
#ifndef MUSEUM_MUSEUM_H
#define MUSEUM_MUSEUM_H

#include "support/rig.h"

#include <string.h>

#include <dmasim/kernel.h>

#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

/* ---- What drivers share ---------------------------------------------------------------------- */

#define MUSEUM_VENDOR 0x1d0f

enum museum_form {
	MUSEUM_WRONG = 0x0bad,
	MUSEUM_RIGHT = 0x600d,
};

/* Probe's id->driver_data: whether the driver has its fix. */
#define MUSEUM_IDS(name)                                                           \
	static const struct pci_device_id name[] = {                               \
		{ PCI_DEVICE(MUSEUM_VENDOR, MUSEUM_WRONG), .driver_data = false }, \
		{ PCI_DEVICE(MUSEUM_VENDOR, MUSEUM_RIGHT), .driver_data = true },  \
		{}                                                                 \
	}

/* What each probe begins with, and each remove ends with: the registers, or NULL. */
void __iomem *museum_enable(struct pci_dev *pdev);
void museum_disable(struct pci_dev *pdev, void __iomem *regs);

/* ---- What is around a driver ----------------------------------------------------------------- */

#define EXHIBIT_REGISTERS 8

struct exhibit {
	struct dmasim *s;
	struct rig_trace trace;
	struct dmasim *before; /* the machine this thread was in */
	bool debug;	       /* dma-debug is there, too */
	bool bounces;	       /* devices are shown copies */
	struct pci_dev *pdev;
	struct pci_dev *maps_for; /* if the driver maps for another one */
	u64 reg[EXHIBIT_REGISTERS];
	/* A register was written. */
	void (*written)(struct exhibit *exhibit, u64 offset);
	void *model;  /* the rest of the device */
	u32 messages; /* of dma-debug that have been looked at */
};

/* A report that must come. */
struct caught {
	enum dmasim_report_id id;
	const char *label;    /* of the place in the block: "call", "mapped" */
	const char *line;     /* what stands on that line of the driver: "[unmap]" */
	const char *function; /* the driver's */
	/* Linux's, after its prefix, with "0x*" for the DMA address; NULL: it has none. */
	const char *message;
	u32 times;	  /* in a row; 0: once */
	bool one_for_all; /* of them dma-debug tells one, whichever it comes to first */
};

/*
 * Adds the device, and loads the driver in `file` (__FILE__). 0, or -EIO: the driver's probe has
 * failed.
 */
int exhibit_open(struct exhibit *exhibit, const char *file, enum museum_form form);

/* Unloads the driver. */
void exhibit_unload(const char *file);

/*
 * Ends the machine: these are all reports, in this order, and what dma-debug has printed, in modes
 * with it, is their messages. `leaks` allocations were not given back.
 */
void exhibit_close(struct exhibit *exhibit, const char *file, const struct caught *caught,
		   u32 count, u64 leaks);

/* Nobody has said anything, and everything was given back. */
void exhibit_close_silent(struct exhibit *exhibit);

static inline u64 *exhibit_reg(struct exhibit *exhibit, u64 offset)
{
	return &exhibit->reg[offset / 8];
}

/* dma-debug has printed this, in modes with it. */
void exhibit_expect_log(struct exhibit *exhibit, const char *words, bool printed);

/* What the device reads and writes, and cannot fail. */
void exhibit_read(struct exhibit *exhibit, u64 dma, void *to, u64 bytes);
void exhibit_write(struct exhibit *exhibit, u64 dma, const void *from, u64 bytes);

/* True where addresses are IOVAs. */
static inline bool exhibit_translates(const struct exhibit *exhibit)
{
	return dma_get_merge_boundary(&exhibit->pdev->dev) != 0;
}

/* ---- Modes ----------------------------------------------------------------------------------- */

int exhibit_setup(void **state, const struct dmasim_config *config);
int exhibit_teardown(void **state);

#define MUSEUM_MODE(name, ...)                                                               \
	static inline int mode_##name(void **state)                                          \
	{                                                                                    \
		return exhibit_setup(state,                                                  \
				     &(struct dmasim_config){ DMASIM_CONFIG, __VA_ARGS__ }); \
	}

MUSEUM_MODE(strict, .policy = DMASIM_STRICT)
MUSEUM_MODE(lazy, .policy = DMASIM_LAZY)
MUSEUM_MODE(amd_vi, .iommu = DMASIM_AMD_VI)
MUSEUM_MODE(amd_vi_lazy, .iommu = DMASIM_AMD_VI, .policy = DMASIM_LAZY)
MUSEUM_MODE(riscv, .iommu = DMASIM_RISCV)
MUSEUM_MODE(smmuv3_lazy, .iommu = DMASIM_SMMUV3, .policy = DMASIM_LAZY)
MUSEUM_MODE(no_snoop, .traits = { .no_snoop = true })
MUSEUM_MODE(direct, .iommu = DMASIM_NO_IOMMU)
MUSEUM_MODE(bounced, .iommu = DMASIM_NO_IOMMU, .swiotlb = DMASIM_SWIOTLB_FORCE,
	    .swiotlb_bytes = SZ_1M)
/* Not on x86: dma-debug looks for overlapping mappings. */
MUSEUM_MODE(debug, .cpu = DMASIM_CPU_OTHER, .dma_debug = true)
MUSEUM_MODE(x86_debug, .dma_debug = true)
MUSEUM_MODE(direct_debug, .iommu = DMASIM_NO_IOMMU, .cpu = DMASIM_CPU_OTHER, .dma_debug = true)

#undef MUSEUM_MODE

#define IN(mode, test)                                                      \
	{                                                                   \
#test "__" #mode, test, mode_##mode, exhibit_teardown, NULL \
	}

#define BEHIND_IOMMUS(test)                                                        \
	IN(strict, test), IN(lazy, test), IN(amd_vi, test), IN(amd_vi_lazy, test), \
		IN(riscv, test), IN(smmuv3_lazy, test), IN(debug, test)
#define WITHOUT_IOMMU(test) IN(direct, test), IN(bounced, test), IN(direct_debug, test)
#define EVERYWHERE(test)    BEHIND_IOMMUS(test), WITHOUT_IOMMU(test)

#endif
