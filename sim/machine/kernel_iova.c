/* SPDX-License-Identifier: MIT */
/*
 * IOVA space of a machine for who asks it by Linux's names.
 */
#include "iova/iova_domain.h"

#include "machine/machine.h"

void dmasim_iova_domain_init(struct dmasim *s, struct iova_domain *iovad, dmasim_ulong granule,
			     dmasim_ulong start_pfn)
{
	machine_exists(s);
	DMASIM_CONTRACT(iovad, "an IOVA domain lies in memory of the caller's");
	iova_domain_init(s->os, iovad, granule, start_pfn);
}

void init_iova_domain(struct iova_domain *iovad, dmasim_ulong granule, dmasim_ulong start_pfn)
{
	dmasim_iova_domain_init(kernel_machine(), iovad, granule, start_pfn);
}

int iova_cache_get(void)
{
	kernel_machine()->kernel.iova_cache_users++;
	return 0;
}

void iova_cache_put(void)
{
	struct dmasim *s = kernel_machine();

	if (!s->kernel.iova_cache_users) {
		kernel_misuse(s, NULL, 0, "iova_cache_put() of what nobody got");
		return;
	}
	s->kernel.iova_cache_users--;
}
