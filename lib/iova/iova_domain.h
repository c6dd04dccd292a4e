/* SPDX-License-Identifier: MIT */
#ifndef IOVA_IOVA_DOMAIN_H
#define IOVA_IOVA_DOMAIN_H

#include <dmasim/iova-domain.h>

#include "os.h"

/* Linux's init_iova_domain(), for the allocator that the software was configured with. */
void iova_domain_init(struct os *os, struct iova_domain *iovad, u64 granule, u64 start_pfn);

#endif
