/* SPDX-License-Identifier: MIT */
/*
 * A machine built by path that has everything an export must carry: offsets and inbound ranges of
 * host bridges, a switch, several BARs, ATS, traits, policies and direct regions.
 */
#ifndef GOLDEN_BUILT_H
#define GOLDEN_BUILT_H

#include <dmasim/dmasim.h>

#include <stdlib.h>

static inline void built_need(const void *made)
{
	if (!made)
		abort();
}

static inline void built_bridges(struct dmasim *s)
{
	static const struct dmasim_host_bridge offset = { .bus = 0x40, .bus_offset = 0x10000000 };
	static const struct dmasim_host_bridge ranges = {
		.segment = 1,
		.bus = 0x80,
		.vendor = 0x1022,
		.device = 0x14a4,
		.dma_range_count = 2,
		.dma_range = { { 0, 0, SZ_1G }, { 2ULL * SZ_4G, SZ_4G, SZ_4G } },
	};

	if (dmasim_add_host_bridge(s, &offset) || dmasim_add_host_bridge(s, &ranges))
		abort();
	built_need(
		dmasim_add_bridge(s, "00:02.0", &(struct dmasim_bridge){ .acs = DMASIM_ACS_OFF }));
}

static inline void built_devices(struct dmasim *s)
{
	struct dmasim_endpoint gpu = { .bar = { SZ_16M, 0, 8ULL * SZ_1G, 0, SZ_1M },
				       .class_code = 0x030200,
				       .ats = true,
				       .ats_entries = 128 };
	struct dmasim_endpoint nic = { .bar = { 512 }, .class_code = 0x020000, .bar_32 = 1 };
	struct pci_dev *first, *second;

	nic.traits.untrusted = true;
	nic.traits.pool_bytes = SZ_1M;
	nic.sriov = (struct dmasim_sriov){ .total_vfs = 8, .vf_bar = { SZ_16K, 0, SZ_4K } };
	first = dmasim_add_endpoint(s, "00:01.0/00.0/00.0/00.0", &gpu);
	second = dmasim_add_endpoint(s, "00:01.0/00.0/01.0/00.0", &nic);
	built_need(first);
	built_need(second);
	nic.sriov.total_vfs = 0;
	nic.traits.untrusted = false;
	nic.traits.pool_bytes = 0;
	nic.traits.no_snoop = true;
	nic.traits.bus_limit = DMA_BIT_MASK(36);
	built_need(dmasim_add_endpoint(s, "40:03.0/00.0", &nic));
	built_need(dmasim_add_endpoint(s, "0001:80:03.0/00.0", &gpu));
	nic.traits = (struct dmasim_traits){ .sends_as = DMASIM_SENDS_AS(0x18) };
	built_need(dmasim_add_endpoint(s, "0001:80:03.0/00.1", &nic));
	dmasim_set_policy(first, DMASIM_PASS_THROUGH);
	dmasim_set_policy(second, DMASIM_LAZY);
	if (dmasim_add_direct_region(s, first, 0x7000000, SZ_64K) ||
	    dmasim_add_direct_region(s, NULL, 0x8000000, SZ_4K))
		abort();
	if (pci_enable_sriov(second, 3))
		abort();
}

static inline struct dmasim *build_by_path(void)
{
	struct dmasim *s = dmasim_create(NULL);

	built_need(s);
	built_bridges(s);
	built_devices(s);
	return s;
}

#endif
