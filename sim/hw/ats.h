/* SPDX-License-Identifier: MIT */
/*
 * Address translation services (PCI Express): a function's own cache of translations, its TLB.
 *
 *   function, ATS on   asks its TLB     hit:  a translated request, with the memory's address
 *                                       miss: a translation request, whose answer it caches
 *   IOMMU              answers translation requests, and lets translated requests pass, of
 *                      requesters whose context allows a device TLB
 *
 * A translation request for what is not mapped is no fault: the answer gives no permission, and is
 * not cached. Requests with a PASID and messages (the interrupt window) are never translated by the
 * function, and units in scalable mode take no request of a TLB (reason 0x44). The smallest
 * translation unit that software writes is kept and does nothing: units here translate in 4 KiB.
 * The unit knows nothing of peers' bus addresses below it: a function whose ATS is on asks for such
 * an address, too, and gets nothing.
 * Clearing the enable bit empties the TLB [M].
 */
#ifndef HW_ATS_H
#define HW_ATS_H

#include "hw/fabric.h"

#define HW_DEVICE_TLB_ENTRIES 32 /* if nothing else is said */

/*
 * So long a unit waits for the answer to a device-TLB invalidation: PCI Express gives devices a
 * minute [M].
 */
#define HW_DEVICE_TLB_TIMEOUT_NS (60ULL * 1000 * 1000 * 1000)

/* The way of a request of a function whose ATS is on. As hw_route(); not for dry runs. */
struct hw_target hw_ats_route(struct hw *hw, const struct hw_request *request);

/*
 * The answer to a translation request. A fault: it was refused. Neither read nor write: there is
 * nothing to be had.
 */
struct hw_translation hw_ats_answer(struct hw_iommu *iommu, u16 requester, u64 iova, bool write);

/* What becomes of a translated request; fault 0: it passes as it is. */
struct hw_translation hw_ats_check(struct hw_iommu *iommu, u16 requester, u64 address, bool write);

/* The enable bit was written. */
void hw_ats_enable(struct hw_function *function, bool enable);

/* The function of a requester whose requests the unit serves; NULL: none. */
struct hw_function *hw_requester_function(const struct hw_iommu *iommu, u16 requester);

/*
 * Sends an invalidation to the function that it names. False: nobody answers. A unit that serves no
 * host bridge sends none.
 */
bool hw_ats_invalidate(struct hw_iommu *iommu, const struct hw_invalidation *what);

#endif
