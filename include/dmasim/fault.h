/* SPDX-License-Identifier: MIT */
/*
 * Fault points: the named places where a machine can be told to run out of something.
 *
 * Every allocation of a machine, of the software that runs on it and of the checker that watches
 * it, names one of these. Names are stable: replay lines and tests spell them.
 *
 * The last one is no allocation: DMASIM_FAULT_MAPPING is passed by each call that maps something,
 * dma_map_phys() and its wrappers, dma_map_resource(), dma_map_sg() and its like, dma_alloc_...(),
 * dma_iova_try_alloc() and dma_iova_link(), and fails it as if there were no room, in every mode,
 * before anything is done. So a driver's way out is tried where nothing else would fail.
 */
#ifndef DMASIM_FAULT_H
#define DMASIM_FAULT_H

#include <dmasim/types.h>

/* X(enumerator, name, what cannot be had when it fires) */
#define DMASIM_FAULT_POINTS(X)                                                               \
	X(OS, "os", "the software's root object")                                            \
	X(PCI_DEV, "pci_dev", "a struct pci_dev at enumeration")                             \
	X(PAGE_SECTION, "page_section", "a section of struct page")                          \
	X(IOMMU_GROUP, "iommu_group", "a struct iommu_group")                                \
	X(IOMMU_DOMAIN, "iommu_domain", "a struct iommu_domain")                             \
	X(IOMMU_QUEUE, "iommu_queue", "the page a wait command writes its status to")        \
	X(TABLE_PAGE, "table_page", "a page of an I/O page table")                           \
	X(IOVA_DOMAIN, "iova_domain", "an IOVA allocator's own state")                       \
	X(IOVA_NODE, "iova_node", "an IOVA allocator's record of one range")                 \
	X(IOVA_MAGAZINE, "iova_magazine",                                                    \
	  "a magazine of freed IOVA ranges; they are not cached then")                       \
	X(IOVA_RECORD, "iova", "a struct iova, beside the allocator's record of the range")  \
	X(FLUSH_QUEUE, "flush_queue", "the flush queue of a lazy domain; it is strict then") \
	X(SWIOTLB, "swiotlb", "a pool of bounce buffers")                                    \
	X(COHERENT, "coherent", "memory that the CPU and a device share, or its record")     \
	X(DMA_POOL, "dma_pool", "a pool of small pieces of shared memory")                   \
	X(P2P_PROVIDER, "p2p_provider", "the peer-to-peer data of a PCI device")             \
	X(P2P_VERDICT, "p2p_verdict", "a cached map type of a provider and a client")        \
	X(P2P_POOL, "p2p_pool", "a range of a pool of peer memory")                          \
	X(P2P_TABLE, "p2p_table", "memory to count or choose among peers")                   \
	X(KMALLOC, "kmalloc", "memory of kmalloc() and alloc_pages()")                       \
	X(DRIVER, "driver", "the record of a driver, an interrupt or an ioremap()")          \
	X(FRAMES, "frames", "page frames asked for by a program")                            \
	X(ADOPTED, "adopted", "the record of memory adopted from the program")               \
	X(FIRMWARE, "firmware", "the firmware's description of the machine")                 \
	X(RAM_BLOCK, "ram_block", "the simulator's record of a block of page frames")        \
	X(RAM_CHUNK, "ram_chunk", "host memory behind simulated RAM")                        \
	X(CACHE, "cache", "what memory holds behind the CPU's cache; all is coherent then")  \
	X(BAR_CHUNK, "bar_chunk", "host memory behind a BAR")                                \
	X(PCI_FUNCTION, "pci_function", "a simulated PCI function")                          \
	X(IOMMU_UNIT, "iommu_unit", "a simulated IOMMU")                                     \
	X(IOMMU_CONTEXT, "iommu_context", "a simulated IOMMU's context entries of one bus")  \
	X(CHECK_RECORD, "check_record", "a record of the checker; it then stops judging")    \
	X(CHECK_COPY, "check_copy",                                                          \
	  "what a device's memory held when it got it; not compared then")                   \
	X(DMA_DEBUG, "dma_debug", "a record of dma-debug, which then gives up; its log")     \
	X(REPORT, "report", "the record of a report; the report is then counted only")       \
	X(REPORT_RULE, "report_rule", "which reports are expected or suppressed")            \
	X(IMPORT, "import", "memory for reading a machine, or writing it down")              \
	X(MAPPING, "mapping", "a mapping: the call that makes it fails")

enum dmasim_fault_point {
#define DMASIM_FAULT_ENUM(id, name, text) DMASIM_FAULT_##id,
	DMASIM_FAULT_POINTS(DMASIM_FAULT_ENUM)
#undef DMASIM_FAULT_ENUM
		DMASIM_FAULT_COUNT,

	/* Counts the passes of all points that are allocations together. */
	DMASIM_FAULT_ANY = DMASIM_FAULT_COUNT,
};

#endif
