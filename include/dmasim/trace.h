/* SPDX-License-Identifier: MIT */
/*
 * The trace, version 1: text, one event a line. The same program and seed give the same trace on
 * every host, compiler and optimisation level; its hash is FNV-1a 64 over all bytes.
 *
 *   trace   = header { line }
 *   header  = "# dmasim-trace v=1" { " " key "=" value } "\n"     seed and configuration
 *   line    = "t=" time " cpu=" cpu " " event { " " key "=" value } "\n"
 *   time    = decimal, nanoseconds of the virtual clock
 *   value   = "0x" hexadecimal (addresses, attributes)
 *           | decimal (sizes, offsets, counts, numbers of objects)
 *           | segment ":" bus ":" device "." function (devices)
 *           | word
 *
 * Events of the software, with the arguments of the call and its result, are those of event.h, with
 * the fields listed there in the order of enum dmasim_event_field. A result is 0, a count, or an
 * errno by name ("ret=-EINVAL"); a field that is 0 is printed, except attrs. Objects are numbered
 * from 1 in order of birth: st (a dma_iova_state's range), dom (a domain); groups from 0.
 *
 *   t=0 cpu=0 dma_iova_link dev=0000:01:00.0 st=1 phys=0x100000 off=0 size=4096 dir=TO_DEVICE ret=0
 *
 * Events of the hardware:
 *
 *   qi_iotlb   unit= granularity=page|pasid|domain|global [dom=] [pasid=] [dma= size=] ih=
 *                                                    an IOTLB command
 *   qi_context unit= granularity=device|domain|global [dom=] [source= ignored=]
 *                                                    a context-cache command; bits of the source
 *   qi_pasid   unit= granularity=pasid|domain|global [dom=] [pasid=]   a PASID-cache command
 *   qi_device_tlb unit= source= dma= [size=]    one for a device's TLB; no size: for all of it
 *   amd_iommu_pages  unit= granularity=pages|global [dom=] [dma= size=] pde=
 *   amd_devtab_entry unit= granularity=device|global [source= ignored=]     AMD's for the same
 *   amd_iotlb_pages  unit= source= dma= [size=]                             AMD's for the same
 *   hop        at= what= addr=                       one step of a request (config.trace_hops)
 *   dev_read, dev_write   dev= dma= size= done= status=   a transfer of a device
 *   dev_walk   dev= dma= dir= phys= reason=          a translation that was watched (walk.h)
 *   fault      unit= dev= dma= reason= dir=          a refused request
 *   report     id= [dev=] [dma=] [size=]             a report of the checker
 *
 * What a hop is, and what is at it; dmasim_route() and dmasim send use the same words:
 *
 *   sent        the requester
 *   up          a bridge that it climbs to
 *   redirect    a port or function whose ACS sends it up though a peer claims it
 *   across      a peer that claims it: a port, a function of the same device
 *   down        a bridge it descends through
 *   root        the requester, as the root complex sees it
 *   iommu       addr: what the IOMMU made of it
 *   forward     addr: the bus address below the host bridge that the root complex forwards it to
 *   ram, bar, interrupt   where it ends; bar: at its owner
 *   unsupported, fault    nobody takes it, the IOMMU refuses it
 *   blocked     a port or function whose ACS does not let it, or its completion, pass
 *   completed   a requester that has its completion (not in traces)
 */
#ifndef DMASIM_TRACE_H
#define DMASIM_TRACE_H

#include <dmasim/event.h>

#define DMASIM_TRACE_VERSION 1

#endif
