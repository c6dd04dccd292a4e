/* SPDX-License-Identifier: MIT */
/*
 * Virtual functions of SR-IOV in a machine that is read: each belongs to the physical function
 * whose capability has enabled its number. What is read of it counts. One that is enabled and was
 * not read does not exist, and one that was read and nobody has enabled is left out.
 */
#include <string.h>

#include "machine/import.h"

struct enabled {
	struct import_function *physfn;
	u32 count;
	u32 first; /* requester IDs */
	u32 stride;
};

static u32 number_of(const struct import_function *function)
{
	return (u32)function->bus << 8 | function->devfn;
}

/* False: it has enabled none. */
static bool read_enabled(struct import_function *physfn, struct enabled *enabled)
{
	u32 at = import_find_extended(physfn, PCI_EXT_CAP_ID_SRIOV);
	u32 total, offset;

	if (!at || !(import_read(physfn, at + PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE))
		return false;
	total = import_read(physfn, at + PCI_SRIOV_TOTAL_VF, 2);
	offset = import_read(physfn, at + PCI_SRIOV_VF_OFFSET, 2);
	*enabled = (struct enabled){
		.physfn = physfn,
		.count = import_read(physfn, at + PCI_SRIOV_NUM_VF, 2),
		.first = number_of(physfn) + offset,
		.stride = import_read(physfn, at + PCI_SRIOV_VF_STRIDE, 2),
	};
	if (enabled->count > total)
		enabled->count = total;
	if (enabled->count > 1 && !enabled->stride)
		enabled->count = 1;
	return enabled->count && offset;
}

static bool can_be(const struct import_function *function, const struct import_function *physfn)
{
	u32 vendor = import_read(function, PCI_VENDOR_ID, 2);

	return !function->physfn && import_header_type(function) == PCI_HEADER_TYPE_NORMAL &&
	       (function->kind != IMPORT_FUNCTION ||
		vendor == import_read(physfn, PCI_VENDOR_ID, 2));
}

/* In registers as hardware has them its vendor reads as ones and its BARs as zeros. */
static void link_to(struct import_function *virtfn, struct import_function *physfn, u32 index)
{
	virtfn->kind = IMPORT_VIRTUAL;
	virtfn->physfn = physfn;
	virtfn->vf_index = (u16)index;
	memset(virtfn->config + PCI_VENDOR_ID, 0xff, 4);
	memset(virtfn->config + PCI_BASE_ADDRESS_0, 0, 4 * PCI_STD_NUM_BARS);
}

/* Returns how many of them were read. */
static u32 link_all(struct import *import, const struct enabled *enabled)
{
	u64 last = enabled->first + (u64)enabled->stride * (enabled->count - 1);
	struct import_function key = {
		.domain = enabled->physfn->domain,
		.bus = (u8)(enabled->first >> 8),
		.devfn = (u8)enabled->first,
	};
	struct import_function *at;
	u32 count = 0;

	if (enabled->first > 0xffff)
		return 0;
	for (at = RB_NFIND(import_functions, &import->functions, &key);
	     at && at->domain == key.domain && number_of(at) <= last;
	     at = RB_NEXT(import_functions, &import->functions, at)) {
		u32 from_first = number_of(at) - enabled->first;
		u32 index = enabled->stride ? from_first / enabled->stride : 0;

		if (from_first != index * enabled->stride || !can_be(at, enabled->physfn))
			continue;
		link_to(at, enabled->physfn, index);
		count++;
	}
	return count;
}

void import_virtual(struct import *import)
{
	struct import_function *function, *first = NULL;
	struct enabled enabled;
	u32 missing = 0;

	RB_FOREACH(function, import_functions, &import->functions) {
		u32 found;

		if (function->kind != IMPORT_FUNCTION || !read_enabled(function, &enabled))
			continue;
		found = link_all(import, &enabled);
		if (found < enabled.count && !missing)
			first = function;
		missing += enabled.count - found;
	}
	if (missing)
		import_note(import,
			    "%u virtual function%s of %s%s: enabled, but not told of, so not there",
			    missing, missing > 1 ? "s" : "", import_name(first).text,
			    missing > 1 ? " ..." : "");
}
