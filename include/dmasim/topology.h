/* SPDX-License-Identifier: MIT */
/*
 * The machine's PCI tree: built in a few lines, or read from a real machine's lspci dump.
 *
 * A *path* names a place in the tree by the way from a root bus:
 *
 *   path      = [segment ":"] bus ":" device "." function { "/" device "." function }
 *   segment   = 4 hexadecimal digits (0000 if left out)
 *   bus       = 2 hexadecimal digits, the number of a root bus
 *   device    = 2 hexadecimal digits, 00 to 1f; function = 0 to 7
 *
 *   00:01.0/00.0/02.0/00.0
 *   |       |    |    an endpoint below
 *   |       |    a switch's downstream port
 *   |       a switch's upstream port
 *   a root port on root bus 00
 *
 * What is on the way and does not exist yet is made: a host bridge for the bus, a root port on it,
 * then upstream and downstream ports in turn. Device 00.0 of each root bus is the host bridge's own
 * function; paths may not use it.
 *
 * Firmware switches memory decoding and bus mastering on for all that is built here, so that a test
 * needs neither pci_enable_device() nor pci_set_master(); a driver that forgets the latter is seen
 * with a device for which pci_clear_master() was called before (kernel.h), or a virtual function.
 *
 * Firmware gives out bus numbers and addresses whenever hardware is added. They are final when the
 * machine starts (machine.h); a struct pci_dev stays the same and has the present ones.
 */
#ifndef DMASIM_TOPOLOGY_H
#define DMASIM_TOPOLOGY_H

#include <stdio.h>

#include <dmasim/machine.h>
#include <dmasim/pci.h>

/* [bus_start, bus_start + bytes) leads to [start, start + bytes) of memory. */
struct dmasim_dma_range {
	u64 bus_start;
	phys_addr_t start;
	u64 bytes;
};

#define DMASIM_DMA_RANGES_MAX 8

/* A host bridge and its root bus. */
struct dmasim_host_bridge {
	u16 segment;
	u8 bus;
	u16 vendor; /* of its function 00.0; 0: 8086:09a2, which peer-to-peer is allowed through */
	u16 device;
	u64 bus_offset; /* bus address = CPU physical address + bus_offset, modulo 2^64 */
	/* Bus addresses that it takes for memory, ascending and apart; none: all, as they are. */
	u32 dma_range_count;
	struct dmasim_dma_range dma_range[DMASIM_DMA_RANGES_MAX];
};

struct dmasim_bridge {
	enum dmasim_acs acs;
	u16 vendor; /* 0: one of dmasim's own */
	u16 device;
};

/*
 * What answers the CPU's and other devices' accesses to an endpoint's BARs: registers, doorbells.
 * bytes is 1 to 4096 and stays inside the BAR; a member that is NULL reads as zeros, or loses
 * writes.
 */
struct dmasim_bar_ops {
	void (*read)(void *cookie, u32 bar, u64 offset, void *to, u32 bytes);
	void (*write)(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes);
};

/*
 * Virtual functions of SR-IOV (pci_enable_sriov() in pci.h). Their BARs are plain memory; bus
 * numbers for all of them are set aside below the bridge above.
 */
struct dmasim_sriov {
	u16 total_vfs; /* 0: the endpoint has no SR-IOV */
	u16 vf_offset; /* from its requester ID to that of the first one; 0: 128 */
	u16 vf_stride; /* from each to the next; 0: 1 */
	u16 vf_device; /* 0: one of dmasim's own */
	/* Sizes of one's BARs: powers of two of at least 4096, with the rules of the endpoint's. */
	u64 vf_bar[PCI_STD_NUM_BARS];
};

struct dmasim_endpoint {
	/*
	 * Sizes of the BARs, powers of two of at least 16, 0: none. One whose following register is
	 * free is a 64-bit prefetchable BAR, else a 32-bit one of at most 1 GiB.
	 */
	u64 bar[PCI_STD_NUM_BARS];
	u8 bar_32;  /* bit n: BAR n is 32-bit and not prefetchable in any case */
	u16 vendor; /* 0: one of dmasim's own */
	u16 device;
	u32 class_code; /* base class, sub-class, interface; 0: an NVMe controller's */
	const struct dmasim_bar_ops *bar_ops; /* NULL: BARs are plain memory */
	void *cookie;
	/* It has Address Translation Services: it may cache translations itself, in its own TLB. */
	bool ats;
	u8 ats_queue_depth; /* invalidations that it takes at once, 1 to 32; 0: 32 */
	u32 ats_entries;    /* of its TLB; 0: 32 */
	struct dmasim_sriov sriov;
	struct dmasim_traits traits; /* all zeros: those of the configuration */
};

/* Why a file could not be read: file:line: what was expected. */
struct dmasim_error {
	char text[512];
};

/*
 * What stands in for registers that a dump is too short to show: two machines, one with each, tell
 * what can be known from it.
 */
enum dmasim_assume {
	DMASIM_ASSUME_NOTHING = 0, /* they read as zeros: no capabilities, no ACS */
	DMASIM_ASSUME_ISOLATION,   /* PCI Express ports and devices with all of ACS on */
};

/* How an imported machine differs from its dump. */
struct dmasim_import {
	bool acs_off; /* RR, CR and EC are cleared in every ACS control word before enumeration */
	bool cpu_set; /* cpu and cpu_family replace what the host bridges suggest */
	enum dmasim_cpu cpu;
	u32 cpu_family;
	enum dmasim_assume assume;
	/* The file of names in pci.ids' format, for text without numbers; NULL: the system's. */
	const char *ids;
};

DMASIM_BEGIN_DECLS

/*
 * All of these are for machines that have not started. NULL or -ENOMEM: no memory (and nothing was
 * added). A path that is malformed, leads through an endpoint, or ends where a function exists
 * already breaks the contract, as does a tree with more buses or more 32-bit space than there is.
 */
DMASIM_API int dmasim_add_host_bridge(struct dmasim *s, const struct dmasim_host_bridge *bridge);
DMASIM_API struct pci_dev *dmasim_add_bridge(struct dmasim *s, const char *path,
					     const struct dmasim_bridge *bridge);
DMASIM_API struct pci_dev *dmasim_add_endpoint(struct dmasim *s, const char *path,
					       const struct dmasim_endpoint *endpoint);

/* What firmware says of a device, instead of what was said before. 0 or -ENOMEM. */
DMASIM_API int dmasim_set_traits(struct pci_dev *pdev, const struct dmasim_traits *traits);

/*
 * How the device's group is mapped: of several wishes the most careful, strict before lazy before
 * pass-through; an untrusted device wishes strict.
 */
DMASIM_API void dmasim_set_policy(struct pci_dev *pdev, enum dmasim_policy policy);

/* What a device's bounce pool has lent out, in slots of 2 KiB; all 0: it has none so far. */
struct dmasim_bounce_use {
	u64 slots;
	u64 used;
	u64 high_water; /* the most that were used at once */
};
DMASIM_API struct dmasim_bounce_use dmasim_bounce_use(struct pci_dev *pdev);

/*
 * Firmware asks for [start, start + bytes) to be mapped one to one for a device (an RMRR); NULL:
 * for every device. start is page aligned. 0 or -ENOMEM.
 */
DMASIM_API int dmasim_add_direct_region(struct dmasim *s, struct pci_dev *pdev, phys_addr_t start,
					u64 bytes);

/*
 * Reads what lspci printed and becomes that machine: the hexadecimal dump of `-x`, `-xxx` or
 * `-xxxx`, the text of `-v`, `-vv` or `-vvv`, or both (the registers stand, and the text tells what
 * they do not). Quotes of mails and patches, lines that a mailer wrapped, what pages make of
 * spaces, and other text around are no matter, nor is a function told twice in the same way. Text
 * that leaves out a bridge's bus numbers, as lspci -k does, is refused.
 * A machine takes one dump, and nothing else. What a dump does not say is inferred or unknown (see
 * import in the README).
 *
 * Text without numbers (no -n, -nn) has names, which are looked up in how->ids: one that stands for
 * no number, or for several that Linux's ACS rules tell apart, gives the vendor or device 0xfffe, a
 * class 0xff00, and a note; where it could be a device of those rules, its ACS is unknown. Of a
 * function of text 64 bytes are known if it hides its capabilities, 256 if no function of the file
 * has an extended one, else 4096; registers that no line tells of read as zeros.
 *
 * 0, with notes in *error or "" if there is nothing to tell; -EINVAL with *error filled in and
 * nothing added; -ENOMEM.
 */
DMASIM_API int dmasim_import_lspci(struct dmasim *s, const char *file,
				   const struct dmasim_import *how, struct dmasim_error *error);

/*
 * Becomes the machine that this process runs on, as Linux's sysfs shows it: the same as its dump,
 * with the sizes of its BARs known. Only root sees more than 64 bytes of each function. sysfs_root
 * may be NULL: /sys. Otherwise as dmasim_import_lspci().
 */
DMASIM_API int dmasim_import_host(struct dmasim *s, const char *sysfs_root,
				  const struct dmasim_import *how, struct dmasim_error *error);

/*
 * Writes the machine, imported or built, as `lspci -D -n -xxxx` prints it: of each function as many
 * registers as are known, as they are now, but not beyond 256 bytes where those would show an ACS
 * that is unknown. Sizes of BARs that no register tells stand in lines of text. What import changed
 * (.acs_off) is as it was read. dmasim_import_lspci() and `lspci -F` read it back. 0; -ENOMEM, with
 * nothing written; -EIO: the file did not take all of it.
 */
DMASIM_API int dmasim_export_lspci(struct dmasim *s, FILE *to);

/* The device at a BDF ("0000:3a:00.0" or "3a:00.0"), NULL: nobody there. */
DMASIM_API struct pci_dev *dmasim_pci_dev(struct dmasim *s, const char *bdf);

/* All devices, parents before children: NULL gives the first, and ends. */
DMASIM_API struct pci_dev *dmasim_next_dev(struct dmasim *s, struct pci_dev *from);

/* How many bytes of configuration space are known: 64, 256 or 4096. */
DMASIM_API u32 dmasim_config_bytes(struct pci_dev *pdev);

/*
 * True if what the function has of ACS is known: its control word, or that there is none. A dump of
 * 64 bytes does not show it, nor one of 256 for PCI Express, nor the text of `lspci -v`.
 */
DMASIM_API bool dmasim_acs_known(struct pci_dev *pdev);

/* One window of a host bridge, in CPU addresses; false: no more. */
struct dmasim_window {
	u16 segment;
	u8 bus;
	phys_addr_t start;
	u64 bytes;
	u64 bus_offset;
	bool inferred;
};
DMASIM_API bool dmasim_window(const struct dmasim *s, u32 index, struct dmasim_window *window);

/* A stretch of RAM; false: no more. */
DMASIM_API bool dmasim_ram(const struct dmasim *s, u32 index, phys_addr_t *start, u64 *bytes);

/*
 * The device whose BAR the CPU reaches at phys, and in *bar which (bar may be NULL); NULL, with
 * *bar as it was: RAM is there, or nothing that decodes it. Where two host bridges have the same
 * addresses, the CPU reaches what is below one of them.
 */
DMASIM_API struct pci_dev *dmasim_bar_at(struct dmasim *s, phys_addr_t phys, u32 *bar);

/* True where the import had to guess how large a BAR is. */
DMASIM_API bool dmasim_bar_inferred(struct pci_dev *pdev, u32 bar);

/* The number of the device's IOMMU group; -ENODEV: none, -ENOMEM. Starts the machine. */
DMASIM_API int dmasim_group(struct pci_dev *pdev);

DMASIM_END_DECLS

#endif
