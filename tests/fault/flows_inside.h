/* SPDX-License-Identifier: MIT */
/*
 * What flows.c, flows_kernel.c, flows_machine.c and flows_modes.c share.
 */
#ifndef FAULT_FLOWS_INSIDE_H
#define FAULT_FLOWS_INSIDE_H

#include "fault/flows.h"

/*
 * The device writes bytes, which must arrive at phys. It may be that the host has no memory for
 * what was written: then the flow is refused.
 */
enum flow_result stage_move(struct stage *stage, struct pci_dev *pdev, dma_addr_t dma,
			    phys_addr_t phys, u64 bytes);

/* Maps for nvme, writes the last granule, unmaps. */
enum flow_result flow_map_phys_of(struct stage *stage, phys_addr_t phys, u64 bytes,
				  unsigned long attrs);

enum flow_result flow_add_host_bridge(struct stage *stage);
enum flow_result flow_add_endpoint(struct stage *stage);
enum flow_result flow_add_region(struct stage *stage);
enum flow_result flow_set_mask(struct stage *stage);
enum flow_result flow_start_by_group(struct stage *stage);
enum flow_result flow_start_by_access(struct stage *stage);
enum flow_result flow_p2p_add(struct stage *stage);
enum flow_result flow_p2p_alloc(struct stage *stage);
enum flow_result flow_iova_domain(struct stage *stage);
enum flow_result flow_p2p_type(struct stage *stage);
enum flow_result flow_p2p_list(struct stage *stage);
enum flow_result flow_p2p_find(struct stage *stage);
enum flow_result flow_p2p_table(struct stage *stage);
enum flow_result flow_p2p_release(struct stage *stage);
enum flow_result flow_write_bar(struct stage *stage);
enum flow_result flow_alloc_small(struct stage *stage);
enum flow_result flow_alloc_large(struct stage *stage);
enum flow_result flow_write_ram(struct stage *stage);
enum flow_result flow_report(struct stage *stage);
enum flow_result flow_adopt(struct stage *stage);

void flow_expect_full_pool(struct stage *stage);
void flow_let_timers_fire(struct stage *stage);
enum flow_result flow_lazy(struct stage *stage);
enum flow_result flow_bounce(struct stage *stage);
enum flow_result flow_bounce_list(struct stage *stage);
enum flow_result flow_untrusted_two_steps(struct stage *stage);
enum flow_result flow_no_snoop(struct stage *stage);
enum flow_result flow_no_snoop_write(struct stage *stage);
enum flow_result flow_alloc_coherent(struct stage *stage);
enum flow_result flow_lazy_coherent(struct stage *stage);
enum flow_result flow_alloc_pages(struct stage *stage);
enum flow_result flow_alloc_noncoherent(struct stage *stage);
enum flow_result flow_alloc_noncontiguous(struct stage *stage);
enum flow_result flow_dma_pool(struct stage *stage);

enum flow_result flow_driver(struct stage *stage);

#endif
