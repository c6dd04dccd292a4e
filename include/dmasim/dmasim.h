/* SPDX-License-Identifier: MIT */
/*
 * dmasim: a Linux-style DMA mapping layer that runs in an ordinary process against a modelled
 * machine.
 *
 * This header includes all others but kernel.h, which is for programs that run drivers. The words,
 * one for each idea:
 *
 *   phys                 CPU physical address (phys_addr_t)
 *   bus address          what a request carries below a host bridge: phys + the window's bus_offset
 *   IOVA                 address a device uses that the IOMMU translates
 *   dma address          what a driver hands to the device: an IOVA, a bus address or a phys
 *   granule              smallest page of a domain
 *   domain               one page table plus the devices attached to it
 *   group                devices that cannot be isolated from each other; the unit of attaching
 *   level, leaf, table   level 0 holds the smallest leaves
 *   start/end            half open; start/last: inclusive
 *   _lg2                 log2 of a size
 *   strict               invalidate before unmap returns
 *   link, sync, unlink   write entries; make them usable; remove them
 *   map type             NONE, BUS_ADDR, THRU_HOST_BRIDGE, NOT_SUPPORTED
 *   provider, client     who owns peer memory; who wants to reach it
 *   report               a mistake of the code under test, or a fault the hardware raised
 *
 * Functions with Linux's names behave as Linux 7.3 does; dmasim_ functions are the simulator's own.
 */
#ifndef DMASIM_DMASIM_H
#define DMASIM_DMASIM_H

#include <dmasim/contract.h>
#include <dmasim/description.h>
#include <dmasim/dma-debug.h>
#include <dmasim/dma.h>
#include <dmasim/engine.h>
#include <dmasim/fault-log.h>
#include <dmasim/group.h>
#include <dmasim/iova-domain.h>
#include <dmasim/iova.h>
#include <dmasim/lint.h>
#include <dmasim/machine.h>
#include <dmasim/p2p-why.h>
#include <dmasim/p2pdma.h>
#include <dmasim/pci.h>
#include <dmasim/report.h>
#include <dmasim/scatterlist.h>
#include <dmasim/schedule.h>
#include <dmasim/topology.h>
#include <dmasim/trace.h>
#include <dmasim/walk.h>

#endif
