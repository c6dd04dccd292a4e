/* SPDX-License-Identifier: MIT */
/*
 * PCI peer-to-peer DMA (facts "dma-api" 1.7, 1.8, 8; Linux 7.3).
 *
 * A provider is a BAR that others may reach. How a client reaches it is the map type: by bus
 * address below a common switch, through the host bridge, or not at all.
 */
#ifndef DMASIM_P2PDMA_H
#define DMASIM_P2PDMA_H

#include <dmasim/page.h>
#include <dmasim/pci.h>

enum pci_p2pdma_map_type {
	PCI_P2PDMA_MAP_UNKNOWN = 0, /* internal */
	PCI_P2PDMA_MAP_NONE = 1,    /* not peer memory */
	PCI_P2PDMA_MAP_NOT_SUPPORTED = 2,
	PCI_P2PDMA_MAP_BUS_ADDR = 3,
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE = 4,
};

struct scatterlist;

struct p2pdma_provider {
	struct device *owner;
	u64 bus_offset; /* bus address = phys + bus_offset */
};

/* Remembers the verdict for runs of pages of one provider. Zero it per device. */
struct pci_p2pdma_map_state {
	struct p2pdma_provider *mem;
	enum pci_p2pdma_map_type map;
};

DMASIM_BEGIN_DECLS

/*
 * Prepares a device to be a provider, until its driver lets go of it (dmasim_rmmod(), or
 * dmasim_p2pdma_release()). 0 (also when it was done before), -EOPNOTSUPP (non_mappable_bars), or
 * -ENOMEM. Starts the machine. Facts 8.1.
 */
int pcim_p2pdma_init(struct pci_dev *pdev) DMASIM_LINUX(pcim_p2pdma_init);

/* The provider of a memory BAR; NULL for another BAR, or before pcim_p2pdma_init() (reported). */
struct p2pdma_provider *pcim_p2pdma_provider(struct pci_dev *pdev, int bar)
	DMASIM_LINUX(pcim_p2pdma_provider);

/*
 * Makes [offset, offset + size) of a memory BAR peer memory: its pages know their provider, and
 * pci_alloc_p2pmem() takes from it. size 0: the rest of the BAR. 0, -EINVAL (no memory BAR, or out
 * of it, or some of it is peer memory already), -ENOMEM. Offset and size are multiples of the page
 * size.
 */
int pci_p2pdma_add_resource(struct pci_dev *pdev, int bar, size_t size, u64 offset)
	DMASIM_LINUX(pci_p2pdma_add_resource);

/* How `dev` reaches memory of the provider. Cached: later changes of ACS do not show. Facts 8.2. */
enum pci_p2pdma_map_type pci_p2pdma_map_type(struct p2pdma_provider *provider, struct device *dev)
	DMASIM_LINUX(pci_p2pdma_map_type);

/* The map type of a page: PCI_P2PDMA_MAP_NONE for ordinary memory. Facts 8.3. */
enum pci_p2pdma_map_type pci_p2pdma_state(struct pci_p2pdma_map_state *state, struct device *dev,
					  struct page *page) DMASIM_LINUX(pci_p2pdma_state);

/* The bus address of peer memory. Cannot fail, and there is nothing to unmap. Facts 8.4. */
static inline dma_addr_t pci_p2pdma_bus_addr_map(struct p2pdma_provider *provider,
						 phys_addr_t paddr)
{
	return paddr + provider->bus_offset;
}

/*
 * Hops between provider and client, or -1 where peer-to-peer is not supported. The verdict is made
 * anew, and is what the provider remembers from then on. verbose: what Linux logs of it is printed
 * (dmasim_print_to()). Facts 8.5, 8.7.
 */
int pci_p2pdma_distance(struct pci_dev *provider, struct device *client, bool verbose)
	DMASIM_LINUX(pci_p2pdma_distance);

/*
 * The sum of the distances of `num_clients` clients; -1: there is none, or one of them is not
 * supported. Not verbose, it asks for no client after the first that is not.
 */
int pci_p2pdma_distance_many(struct pci_dev *provider, struct device **clients, int num_clients,
			     bool verbose) DMASIM_LINUX(pci_p2pdma_distance_many);

/* Lets pci_p2pmem_find_many() find the device's memory, or no longer. No provider: nothing. */
void pci_p2pmem_publish(struct pci_dev *pdev, bool publish) DMASIM_LINUX(pci_p2pmem_publish);

/* True for a provider that is published. */
bool pci_has_p2pmem(struct pci_dev *pdev) DMASIM_LINUX(pci_has_p2pmem);

/*
 * The published provider whose distances to all clients have the smallest sum, of several that are
 * as near one by chance (of the first 512); NULL: none supports them all, there are no clients, or
 * there is no memory. The clients are of one machine. Nothing is held: devices live as long as
 * their machine. Facts 8.7.
 */
struct pci_dev *pci_p2pmem_find_many(struct device **clients, int num_clients)
	DMASIM_LINUX(pci_p2pmem_find_many);

static inline struct pci_dev *pci_p2pmem_find(struct device *client)
{
	return pci_p2pmem_find_many(&client, 1);
}

/*
 * Whole pages of a provider's memory: a host pointer, which dmasim_virt_to_phys() turns into the
 * physical address. NULL: none left; or they lie across a multiple of 64 MiB in the BAR, and some
 * of what is on either side was touched: it cannot be made contiguous on the host any more. Freed
 * with the size it was allocated with; anything else is reported and frees nothing.
 */
void *pci_alloc_p2pmem(struct pci_dev *pdev, size_t size) DMASIM_LINUX(pci_alloc_p2pmem);
void pci_free_p2pmem(struct pci_dev *pdev, void *addr, size_t size) DMASIM_LINUX(pci_free_p2pmem);

/* The bus address of memory that pci_alloc_p2pmem() gave; 0: it is not of this provider. */
u64 pci_p2pmem_virt_to_bus(struct pci_dev *pdev, void *addr) DMASIM_LINUX(pci_p2pmem_virt_to_bus);

/*
 * Memory of pci_alloc_p2pmem() as a scatterlist, always of one entry: *nents is 1. NULL: as there,
 * or no memory for the list. Freed with the provider it came from.
 */
struct scatterlist *pci_p2pmem_alloc_sgl(struct pci_dev *pdev, unsigned int *nents, u32 length)
	DMASIM_LINUX(pci_p2pmem_alloc_sgl);
void pci_p2pmem_free_sgl(struct pci_dev *pdev, struct scatterlist *sgl)
	DMASIM_LINUX(pci_p2pmem_free_sgl);

/* What sysfs shows in p2pmem/: bytes of all pools, and what of them is free. */
struct dmasim_p2pmem {
	u64 size;
	u64 available;
	bool published;
};

/* False, and all zeros: the device has no peer memory. */
DMASIM_API bool dmasim_p2pmem(struct pci_dev *pdev, struct dmasim_p2pmem *figures);

/*
 * What happens to a provider when its driver lets go of it: its verdicts are forgotten, its memory
 * is no peer memory any more, and struct p2pdma_provider and what pci_alloc_p2pmem() gave are void.
 * Memory that was not given back, and mappings of its BARs that are still alive, are reported
 * (DMASIM-041). dmasim_rmmod() does it after remove(); this is for programs without drivers. A
 * device that is no provider: nothing.
 */
DMASIM_API void dmasim_p2pdma_release(struct pci_dev *pdev);

DMASIM_END_DECLS

#endif
