/* SPDX-License-Identifier: MIT */
/*
 * What devices' own TLBs may hold though the IOMMU cannot have it cached any more.
 *
 * A device whose ATS is on may have asked for each page that its unit may have cached, of each
 * domain that a context which may be cached leads it to. What it got it may keep, and what it lost
 * it may fetch again as long as the unit may have it. So a page *may be in its TLB* until the unit
 * cannot have it any more, and a completed invalidation of that TLB has covered it that took effect
 * after the one which emptied the unit's cache: one that stands behind that in the queue, or was
 * submitted when that was complete. The TLB is empty when ATS is off.
 */
#ifndef CHECK_CACHED_DEVICE_H
#define CHECK_CACHED_DEVICE_H

#include <bsd/sys/queue.h>

#include "check/cached_context.h"
#include "check/interval.h"

struct cached;
struct cached_domain;
struct cached_leaf;

/* A stretch of pages that a device may have fetched. */
struct cached_fetched {
	struct interval at; /* first member */
	struct cached_domain *domain;
	phys_addr_t phys;
	u8 page_lg2;
	bool read;
	bool write;
	bool accessed;
	bool dirty;
	bool told;
	struct check_moment since;   /* of the page */
	struct check_moment emptied; /* submission of the command that emptied the unit's cache, */
	struct check_moment gone;    /* and the end of the wait for it */
	u64 behind;		     /* a command with a higher number takes effect after it */
};

struct cached_device {
	SLIST_ENTRY(cached_device) link;
	struct hw_iommu *iommu;
	u16 requester;
	struct interval_tree fetched;
};

SLIST_HEAD(cached_device_list, cached_device);

void cached_devices_fini(struct cached *cached);

/*
 * [at.start, at.last] of a leaf is gone from its unit's cache, by this command. behind: commands
 * for device TLBs with higher numbers take effect later.
 */
void cached_devices_keep(struct cached *cached, const struct cached_leaf *leaf,
			 const struct cached_command *command, u64 behind, struct check_moment now);

/*
 * A context of a device is gone, by this command: it fetches nothing of that domain any more.
 * behind: as above.
 */
void cached_device_lost(struct cached *cached, const struct cached_context *context,
			const struct cached_command *command, u64 behind, struct check_moment now);

/* A completed invalidation of a device's TLB. */
void cached_device_invalidated(struct cached *cached, const struct hw_iommu *iommu,
			       const struct cached_command *command);

/* A device's ATS is off. */
void cached_device_off(struct cached *cached, const struct hw_iommu *iommu, u16 requester);

/* What of [start, last] may be in a device's TLB, does harm, and was not told; NULL: nothing. */
struct cached_device_stale {
	const struct cached_device *device;
	struct cached_fetched *fetched;
	u64 from, to;
	u8 harm; /* enum cached_harm */
};
/* The same of what a device has kept of whatever domain. */
bool cached_device_left(const struct cached *cached, const struct hw_iommu *iommu, u16 requester,
			struct cached_device_stale *stale);
bool cached_device_stale(struct cached *cached, const struct cached_domain *domain, u64 start,
			 u64 last, struct cached_device_stale *stale);

#endif
