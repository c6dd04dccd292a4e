/* SPDX-License-Identifier: MIT */
/*
 * PCI devices as the software knows them: found by reading configuration space, nothing else.
 */
#ifndef DMASIM_PCI_H
#define DMASIM_PCI_H

#include <dmasim/device.h>
#include <dmasim/group.h>
#include <dmasim/hw/pci.h>
#include <dmasim/types.h>

#define IORESOURCE_IO	    0x00000100UL
#define IORESOURCE_MEM	    0x00000200UL
#define IORESOURCE_PREFETCH 0x00002000UL
#define IORESOURCE_MEM_64   0x00100000UL

/* A range of CPU addresses, inclusive. flags 0: there is none. */
struct resource {
	resource_size_t start;
	resource_size_t end;
	unsigned long flags;
};

struct pci_bus;
struct pci_driver;
struct pci_p2pdma;
struct pci_sriov;
struct iommu_group;

/* What a bridge forwards: bus addresses, inclusive; empty when start > last. */
struct pci_bridge_window {
	u64 start;
	u64 last;
};

/* The software's own, while it forms strict groups. */
struct pci_group_notes {
	struct pci_dev *leader;	   /* towards the one that stands for the group */
	struct iommu_group *group; /* of that one */
	u32 size;		   /* of that one: how many it stands for */
	struct pci_dev *below;	   /* bridges: the first whose requests bear their secondary bus */
	struct pci_dev *reached;   /* the first that it leads to; NULL: it leads to nobody */
	u16 depth;		   /* bridges above */
	s32 bridges_to;		   /* how many of them lead to its memory; -1: it has none */
	bool lets_across;	   /* its ACS does, to others on its bus */
	bool has_vector;	   /* its ACS says so of each one */
	bool sources_joined;
	bool targets_joined;
};

struct pci_dev {
	struct device dev;
	struct pci_bus *bus;	     /* the bus it sits on */
	struct pci_bus *subordinate; /* the bus behind a bridge */
	unsigned int devfn;
	unsigned short vendor;
	unsigned short device;
	unsigned int class_code; /* base class, sub-class, interface */
	u8 hdr_type;		 /* without the multi-function bit */
	bool multifunction;
	s32 express_type; /* PCI_EXP_TYPE_, or -1: conventional PCI */
	u16 express_cap;  /* offsets of capabilities, 0: none */
	u16 acs_cap;
	u16 ats_cap;
	u16 acs_capabilities; /* what enumeration read, without what is known to be broken */
	bool is_virtfn;	      /* a virtual function of SR-IOV */
	bool is_physfn;	      /* it can have virtual functions */
	union {
		struct pci_sriov *sriov; /* of a physical function */
		struct pci_dev *physfn;	 /* of a virtual one: whose it is */
	};
	/* The device whose number its requests bear (below VMD, the endpoint); NULL: itself. */
	struct pci_dev *real_dma;
	struct resource resource[PCI_STD_NUM_BARS];
	struct pci_bridge_window window;
	struct pci_bridge_window prefetch_window;
	u64 dma_mask;
	bool non_mappable_bars; /* its BARs are no memory for others: no provider */
	struct pci_p2pdma *p2pdma;
	struct pci_driver *driver; /* NULL: none; see kernel.h */
	unsigned int irq;	   /* of its first message-signalled interrupt */

	/* The software's own. */
	u8 policy; /* dmasim_set_policy(), if policy_set */
	bool policy_set;
	bool ats_enabled;  /* it may cache translations itself */
	bool acs_quirk_on; /* an Intel root port that isolates without the capability was set up */
	bool acs_set_up;   /* what is done at boot has been done */
	u8 alias_flags;
	u64 dma_alias[4]; /* devfns on its bus that it may send as, besides its own; a bit each */
	struct dmasim_group_reason group_reason;
	struct pci_group_notes group_notes;
	bool attached;		     /* the IOMMU knows what to do with its requests */
	struct pci_dev *sibling;     /* next on the bus, by devfn */
	struct pci_dev *domain_next; /* attached to the same domain */
};

#define to_pci_dev(d) ((struct pci_dev *)((char *)(d)-offsetof(struct pci_dev, dev)))

#define pci_resource_start(pdev, bar) ((pdev)->resource[(bar)].start)
#define pci_resource_end(pdev, bar)   ((pdev)->resource[(bar)].end)
#define pci_resource_flags(pdev, bar) ((pdev)->resource[(bar)].flags)

static inline resource_size_t pci_resource_len(const struct pci_dev *pdev, int bar)
{
	const struct resource *res = &pdev->resource[bar];

	return res->flags ? res->end - res->start + 1 : 0;
}

/* As dmasim_called_at(). */
static inline struct pci_dev *dmasim_pci_called_at(struct pci_dev *pdev,
						   const struct dmasim_site *site)
{
	if (pdev)
		pdev->dev.site = site;
	return pdev;
}

static inline const char *pci_name(const struct pci_dev *pdev)
{
	return pdev->dev.name;
}

static inline bool pci_is_bridge(const struct pci_dev *pdev)
{
	return pdev->hdr_type == PCI_HEADER_TYPE_BRIDGE;
}

/* The physical function of a virtual one; any other is its own. */
static inline struct pci_dev *pci_physfn(struct pci_dev *pdev)
{
	return pdev->is_virtfn ? pdev->physfn : pdev;
}

DMASIM_BEGIN_DECLS

#define PCIBIOS_SUCCESSFUL	    0x00
#define PCIBIOS_BAD_REGISTER_NUMBER 0x87

/*
 * Registers of 1, 2 or 4 bytes. PCIBIOS_SUCCESSFUL, or PCIBIOS_BAD_REGISTER_NUMBER (and all ones
 * are read) where `where` is beyond 4 KiB or no multiple of their size.
 */
int pci_read_config_byte(const struct pci_dev *pdev, int where, u8 *value)
	DMASIM_LINUX(pci_read_config_byte);
int pci_read_config_word(const struct pci_dev *pdev, int where, u16 *value)
	DMASIM_LINUX(pci_read_config_word);
int pci_read_config_dword(const struct pci_dev *pdev, int where, u32 *value)
	DMASIM_LINUX(pci_read_config_dword);
int pci_write_config_byte(const struct pci_dev *pdev, int where, u8 value)
	DMASIM_LINUX(pci_write_config_byte);
int pci_write_config_word(const struct pci_dev *pdev, int where, u16 value)
	DMASIM_LINUX(pci_write_config_word);
int pci_write_config_dword(const struct pci_dev *pdev, int where, u32 value)
	DMASIM_LINUX(pci_write_config_dword);

/* Offset of a capability or an extended capability, 0 if there is none. */
u8 pci_find_capability(struct pci_dev *pdev, int cap) DMASIM_LINUX(pci_find_capability);
u16 pci_find_ext_capability(struct pci_dev *pdev, int cap) DMASIM_LINUX(pci_find_ext_capability);

/* Switches memory decoding on, for the device and for the bridges above it. 0. */
int pci_enable_device(struct pci_dev *pdev) DMASIM_LINUX(pci_enable_device);

/* Lets the device master the bus, and the bridges above it forward upwards. */
void pci_set_master(struct pci_dev *pdev) DMASIM_LINUX(pci_set_master);

/* The bridge above, NULL on a root bus. A virtual function has its physical function's. */
struct pci_dev *pci_upstream_bridge(struct pci_dev *pdev) DMASIM_LINUX(pci_upstream_bridge);

/*
 * Makes the first nr_virtfn virtual functions of a physical function, in a machine that has started
 * or not. They decode memory and do not master the bus. 0; -ENOSYS: it has no SR-IOV; -EINVAL: it
 * has virtual functions already, or not so many; -EIO: its registers give them no numbers; -ENOMEM:
 * no memory, or the bridge above has no bus numbers for them.
 */
int pci_enable_sriov(struct pci_dev *pdev, int nr_virtfn) DMASIM_LINUX(pci_enable_sriov);

/* All of them go. Their mappings must be gone before, as when a driver is removed. */
void pci_disable_sriov(struct pci_dev *pdev) DMASIM_LINUX(pci_disable_sriov);

/* How many there are and can be; 0 of what is no physical function. */
int pci_num_vf(struct pci_dev *pdev) DMASIM_LINUX(pci_num_vf);
int pci_sriov_get_totalvfs(struct pci_dev *pdev) DMASIM_LINUX(pci_sriov_get_totalvfs);

/* What a device puts on the bus to reach the first byte of the BAR. */
u64 pci_bus_address(struct pci_dev *pdev, int bar) DMASIM_LINUX(pci_bus_address);

DMASIM_END_DECLS

#endif
