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
 *           | '"' text '"' (one that has no quotes in it)
 *
 * A file may have several traces, one behind the other: each begins with its header. dmasim lint
 * (lint.h) reads traces, and judges what they tell.
 *
 * Events of the software, with the arguments of the call and its result, are those of event.h, with
 * the fields listed there in the order of enum dmasim_event_field. A result is 0, a count, or an
 * errno by name ("ret=-EINVAL"); a field that is 0 is printed, except attrs, changed and below.
 * Objects are numbered
 * from 1 in order of birth: st (a dma_iova_state's range), dom (a domain); groups from 0.
 *
 *   t=0 cpu=0 dma_iova_sync dev=0000:01:00.0 st=1 dma=0xfffff000 off=0 size=4096 ret=0
 *
 * With them come, each before the event that it is about:
 *
 *   sg_entry   dma= size= done=          an entry of the list that dma_map_sg has mapped, or of one
 *                                        that is synced: size is the CPU's half, dma and done the
 *                                        segment
 *   warn       id= [dev=] dma= size= what=      what the software itself has found during a call
 *   settled                              somebody looks at the reports: a warn that no event has
 *                                        ended is told now
 *   leaks_sought                         what is mapped is leaked
 *   freed      phys= size=               memory that is mapped, or may be, is given back
 *   memory     phys= size= memory=stack|read-only|plain    adopted memory of a kind; plain: no more
 *
 * What the machine is, before the first event or access that counts on it:
 *
 *   ram        phys= size=
 *   window     at= last= dma= size=      bus addresses that the host bridge at= claims, whose buses
 *                                        end with number last=
 *   device     dev= snoop=0              its requests do not look into the CPU's cache
 *   reserved   [dev=] dma= size=         what firmware reserves, for all devices or one
 *   bar        dev= bar= phys= bus= size=  peer memory that is mapped, or may be
 *   bar_lost   dev= bar= at= register=   it is not there any more since a register of at= was
 *                                        written
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
 *   riscv_iotinval   unit= granularity=address|space|all [dom=] [dma= size=] nl=
 *   riscv_iodir      unit= granularity=device|all [source= ignored=]        RISC-V's for the same
 *   riscv_ats_inval  unit= source= dma= [size=]                             RISC-V's for the same
 *   smmuv3_tlbi      unit= granularity=pages|domain|global [dom=] [dma= size=] [level=] tables=
 *                                       SMMUv3's; level= is a hint of which leaves, from 0
 *   smmuv3_cfgi      unit= granularity=device|global [source= ignored=]     SMMUv3's for the same
 *   smmuv3_atc_inv   unit= source= dma= [size=]                             SMMUv3's for the same
 *   hop        at= what= addr=                       one step of a request (config.trace_hops)
 *   dev_read, dev_write   dev= dma= size= done= status=   a transfer of a device
 *   queue_error         unit= low= high=         a command that stopped the queue, in two words
 *   device_tlb_timeout  unit= dev= dma= [size=]  a device did not answer one for its TLB
 *   dev_access dev= dma= size= dir=read|write to=   a stretch of a transfer, and where it went:
 *              to=ram phys= | to=bar [phys=] at= bar= off= root= | to=interrupt
 *              to=unsupported why= | to=blocked at= why=
 *              to=fault [unit=] source= dom= [pasid=] reason= flags=
 *                                                    root=1: past the root complex
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
