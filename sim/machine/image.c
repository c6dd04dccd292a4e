/* SPDX-License-Identifier: MIT */
#include "machine/image.h"

#include <string.h>

#define EXPRESS_AT 0x40
#define ACS_AT	   PCI_EXT_CAP_START
#define ATS_AT	   PCI_EXT_CAP_START /* endpoints have no ACS */
#define SRIOV_AT   (PCI_EXT_CAP_START + 0x40)

#define SRIOV_OFFSET 128
#define VF_BAR_MIN   4096 /* what System Page Size says */

#define ACS_ALL	      (PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)
#define ACS_ISOLATING (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

static void put16(struct image *image, u32 at, u32 value)
{
	image->config[at] = (u8)value;
	image->config[at + 1] = (u8)(value >> 8);
}

static void put32(struct image *image, u32 at, u32 value)
{
	put16(image, at, value);
	put16(image, at + 2, value >> 16);
}

static void begin(struct image *image, u8 devfn, u32 header_type, u32 class_code)
{
	memset(image, 0, sizeof(*image));
	image->devfn = devfn;
	image->config[PCI_HEADER_TYPE] = (u8)header_type;
	if (PCI_FUNC(devfn))
		image->config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_MULTI;
	put32(image, PCI_CLASS_REVISION, class_code << 8);
}

static void put_ids(struct image *image, u16 vendor, u16 device, u16 own_device)
{
	put16(image, PCI_VENDOR_ID, vendor ? vendor : IMAGE_VENDOR);
	put16(image, PCI_DEVICE_ID, vendor ? device : own_device);
}

/* Version 2, payloads of 256 bytes, read requests of 512. */
static void put_express(struct image *image, u8 type)
{
	put16(image, PCI_STATUS, PCI_STATUS_CAP_LIST);
	image->config[PCI_CAPABILITY_LIST] = EXPRESS_AT;
	image->config[EXPRESS_AT + PCI_CAP_LIST_ID] = PCI_CAP_ID_EXP;
	put16(image, EXPRESS_AT + PCI_EXP_FLAGS, 2 | type << PCI_EXP_FLAGS_TYPE_SHIFT);
	put32(image, EXPRESS_AT + PCI_EXP_DEVCAP, 1);
	put16(image, EXPRESS_AT + PCI_EXP_DEVCTL,
	      1 << PCI_EXP_DEVCTL_PAYLOAD_SHIFT | 2 << PCI_EXP_DEVCTL_READRQ_SHIFT);
}

static void put_acs(struct image *image, enum dmasim_acs acs)
{
	if (acs == DMASIM_ACS_ABSENT)
		return;
	put32(image, ACS_AT, PCI_EXT_CAP_ID_ACS | 1 << 16);
	put16(image, ACS_AT + PCI_ACS_CAP, ACS_ALL);
	put16(image, ACS_AT + PCI_ACS_CTRL, acs == DMASIM_ACS_ISOLATING ? ACS_ISOLATING : 0);
}

void image_of_host(struct image *image, const struct dmasim_host_bridge *bridge)
{
	begin(image, 0, PCI_HEADER_TYPE_NORMAL, PCI_CLASS_BRIDGE_HOST << 8);
	put16(image, PCI_VENDOR_ID, bridge->vendor ? bridge->vendor : PCI_VENDOR_ID_INTEL);
	put16(image, PCI_DEVICE_ID, bridge->vendor ? bridge->device : 0x09a2);
	put_express(image, PCI_EXP_TYPE_RC_END);
}

void image_of_port(struct image *image, u8 devfn, u8 type, const struct dmasim_bridge *bridge)
{
	begin(image, devfn, PCI_HEADER_TYPE_BRIDGE, PCI_CLASS_BRIDGE_PCI << 8);
	put_ids(image, bridge->vendor, bridge->device, (u16)(0x1000 | type));
	put16(image, PCI_PREF_MEMORY_BASE, PCI_PREF_RANGE_TYPE_64);
	put16(image, PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64);
	put_express(image, type);
	/* ACS belongs to ports that point downwards. */
	if (type != PCI_EXP_TYPE_UPSTREAM)
		put_acs(image, bridge->acs);
}

/* BARs in registers side by side. */
struct bars {
	u32 at; /* of the first */
	const u64 *bytes;
	u8 narrow; /* bit n: BAR n is 32-bit in any case */
	u64 bytes_min;
};

/* The low bits of a BAR say what it is. Returns how many registers it takes. */
static u32 put_bar(struct image *image, const struct bars *bars, u32 index)
{
	u64 bytes = bars->bytes[index];
	bool next_free = index + 1 < PCI_STD_NUM_BARS && !bars->bytes[index + 1];
	bool wide = next_free && !(bars->narrow & (1U << index));
	u32 bits = PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH;

	DMASIM_CONTRACT(!(bytes & (bytes - 1)) && bytes >= bars->bytes_min,
			"the size of a BAR is a power of two, at least 16 (virtual functions: "
			"4096)");
	DMASIM_CONTRACT(bytes <= IMAGE_BAR_MAX, "a BAR has at most 1 PiB");
	DMASIM_CONTRACT(wide || bytes <= SZ_1G, "a 32-bit BAR has at most 1 GiB");
	put32(image, bars->at + 4 * index, wide ? bits : 0);
	return wide ? 2 : 1;
}

static void put_bars(struct image *image, const struct bars *bars)
{
	for (u32 index = 0; index < PCI_STD_NUM_BARS;)
		index += bars->bytes[index] ? put_bar(image, bars, index) : 1;
}

static void put_sriov(struct image *image, const struct dmasim_sriov *sriov)
{
	u32 offset = sriov->vf_offset ? sriov->vf_offset : SRIOV_OFFSET;
	u32 stride = sriov->vf_stride ? sriov->vf_stride : 1;

	if (!sriov->total_vfs)
		return;
	DMASIM_CONTRACT(offset + stride * (sriov->total_vfs - 1ULL) <= 0xffff,
			"virtual functions have requester IDs of 16 bits");
	/* The list begins at 100. */
	if (!image->config[PCI_EXT_CAP_START])
		put32(image, PCI_EXT_CAP_START, 1 << 16);
	put16(image, PCI_EXT_CAP_START + 2, 1 | SRIOV_AT << 4);
	put32(image, SRIOV_AT, PCI_EXT_CAP_ID_SRIOV | 1 << 16);
	put16(image, SRIOV_AT + PCI_SRIOV_INITIAL_VF, sriov->total_vfs);
	put16(image, SRIOV_AT + PCI_SRIOV_TOTAL_VF, sriov->total_vfs);
	put16(image, SRIOV_AT + PCI_SRIOV_VF_OFFSET, offset);
	put16(image, SRIOV_AT + PCI_SRIOV_VF_STRIDE, stride);
	put16(image, SRIOV_AT + PCI_SRIOV_VF_DID, sriov->vf_device ? sriov->vf_device : 0x2001);
	put32(image, SRIOV_AT + PCI_SRIOV_SUP_PGSIZE, 1);
	put32(image, SRIOV_AT + PCI_SRIOV_SYS_PGSIZE, 1);
	put_bars(image, &(struct bars){ .at = SRIOV_AT + PCI_SRIOV_BAR,
					.bytes = sriov->vf_bar,
					.bytes_min = VF_BAR_MIN });
	memcpy(image->vf_bar_bytes, sriov->vf_bar, sizeof(image->vf_bar_bytes));
}

static void put_ats(struct image *image, const struct dmasim_endpoint *endpoint)
{
	if (!endpoint->ats)
		return;
	DMASIM_CONTRACT(endpoint->ats_queue_depth <= PCI_ATS_MAX_QDEP,
			"a device takes up to 32 invalidations at once");
	DMASIM_CONTRACT(endpoint->ats_entries <= 1U << 20, "a TLB has at most 2^20 entries");
	put32(image, ATS_AT, PCI_EXT_CAP_ID_ATS | 1 << 16);
	put16(image, ATS_AT + PCI_ATS_CAP,
	      PCI_ATS_CAP_QDEP(endpoint->ats_queue_depth) | PCI_ATS_CAP_PAGE_ALIGNED);
	image->tlb_entries = endpoint->ats_entries;
}

void image_of_endpoint(struct image *image, u8 devfn, bool on_root_bus,
		       const struct dmasim_endpoint *endpoint)
{
	u32 class_code = endpoint->class_code ? endpoint->class_code
					      : PCI_CLASS_STORAGE_EXPRESS << 8 | 2;

	begin(image, devfn, PCI_HEADER_TYPE_NORMAL, class_code);
	put_ids(image, endpoint->vendor, endpoint->device, 0x2000);
	put_express(image, on_root_bus ? PCI_EXP_TYPE_RC_END : PCI_EXP_TYPE_ENDPOINT);
	put_ats(image, endpoint);
	put_bars(image, &(struct bars){ .at = PCI_BASE_ADDRESS_0,
					.bytes = endpoint->bar,
					.narrow = endpoint->bar_32,
					.bytes_min = 16 });
	memcpy(image->bar_bytes, endpoint->bar, sizeof(image->bar_bytes));
	put_sriov(image, &endpoint->sriov);
	image->has_bar_ops = endpoint->bar_ops;
	if (endpoint->bar_ops)
		image->bar_ops = (struct hw_bar_ops){
			.read = endpoint->bar_ops->read,
			.write = endpoint->bar_ops->write,
		};
	image->cookie = endpoint->cookie;
}
