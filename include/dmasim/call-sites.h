/* SPDX-License-Identifier: MIT */
/*
 * Macros over the Linux-named calls that note the place of the call (site.h). A program that wants
 * the bare functions defines DMASIM_NO_CALL_SITES before it includes any dmasim header.
 */
#ifndef DMASIM_CALL_SITES_H
#define DMASIM_CALL_SITES_H

#ifndef DMASIM_NO_CALL_SITES

/* The declarations come before macros of the same names. */
#include <dmasim/dma.h>
#include <dmasim/p2pdma.h>

#define DMASIM_AT(dev) dmasim_called_at((dev), DMASIM_SITE_HERE)

#define dma_map_phys(dev, ...)		  (dma_map_phys)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_unmap_phys(dev, ...)	  (dma_unmap_phys)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_map_page_attrs(dev, ...)	  (dma_map_page_attrs)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_unmap_page_attrs(dev, ...)	  (dma_unmap_page_attrs)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_map_single_attrs(dev, ...)	  (dma_map_single_attrs)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_unmap_single_attrs(dev, ...)  (dma_unmap_single_attrs)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_map_resource(dev, ...)	  (dma_map_resource)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_unmap_resource(dev, ...)	  (dma_unmap_resource)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_sync_single_for_cpu(dev, ...) (dma_sync_single_for_cpu)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_sync_single_for_device(dev, ...) \
	(dma_sync_single_for_device)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_sync_single_range_for_cpu(dev, ...) \
	(dma_sync_single_range_for_cpu)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_sync_single_range_for_device(dev, ...) \
	(dma_sync_single_range_for_device)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_sync_sg_for_cpu(dev, ...)	  (dma_sync_sg_for_cpu)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_sync_sg_for_device(dev, ...)  (dma_sync_sg_for_device)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_alloc_attrs(dev, ...)	  (dma_alloc_attrs)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_free_attrs(dev, ...)	  (dma_free_attrs)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_alloc_pages(dev, ...)	  (dma_alloc_pages)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_free_pages(dev, ...)	  (dma_free_pages)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_alloc_noncoherent(dev, ...)	  (dma_alloc_noncoherent)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_free_noncoherent(dev, ...)	  (dma_free_noncoherent)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_alloc_noncontiguous(dev, ...) (dma_alloc_noncontiguous)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_free_noncontiguous(dev, ...)  (dma_free_noncontiguous)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_map_sg_attrs(dev, ...)	  (dma_map_sg_attrs)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_unmap_sg_attrs(dev, ...)	  (dma_unmap_sg_attrs)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_map_sgtable(dev, ...)	  (dma_map_sgtable)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_unmap_sgtable(dev, ...)	  (dma_unmap_sgtable)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_iova_try_alloc(dev, ...)	  (dma_iova_try_alloc)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_iova_link(dev, ...)		  (dma_iova_link)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_iova_sync(dev, ...)		  (dma_iova_sync)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_iova_unlink(dev, ...)	  (dma_iova_unlink)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_iova_free(dev, ...)		  (dma_iova_free)(DMASIM_AT(dev), __VA_ARGS__)
#define dma_iova_destroy(dev, ...)	  (dma_iova_destroy)(DMASIM_AT(dev), __VA_ARGS__)

#define DMASIM_AT_POOL(pool) dmasim_pool_called_at((pool), DMASIM_SITE_HERE)

#define dma_pool_alloc(pool, ...)  (dma_pool_alloc)(DMASIM_AT_POOL(pool), __VA_ARGS__)
#define dma_pool_zalloc(pool, ...) (dma_pool_zalloc)(DMASIM_AT_POOL(pool), __VA_ARGS__)
#define dma_pool_free(pool, ...)   (dma_pool_free)(DMASIM_AT_POOL(pool), __VA_ARGS__)
#define dma_pool_destroy(pool)	   (dma_pool_destroy)(DMASIM_AT_POOL(pool))

#define DMASIM_AT_PCI(pdev) dmasim_pci_called_at((pdev), DMASIM_SITE_HERE)

#define pci_alloc_p2pmem(pdev, ...)	(pci_alloc_p2pmem)(DMASIM_AT_PCI(pdev), __VA_ARGS__)
#define pci_free_p2pmem(pdev, ...)	(pci_free_p2pmem)(DMASIM_AT_PCI(pdev), __VA_ARGS__)
#define pci_p2pmem_alloc_sgl(pdev, ...) (pci_p2pmem_alloc_sgl)(DMASIM_AT_PCI(pdev), __VA_ARGS__)
#define pci_p2pmem_free_sgl(pdev, ...)	(pci_p2pmem_free_sgl)(DMASIM_AT_PCI(pdev), __VA_ARGS__)

#endif
#endif
