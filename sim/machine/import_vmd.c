/* SPDX-License-Identifier: MIT */
/*
 * Domains of more than 16 bits are made by VMD: an endpoint of an ordinary domain with a root bus
 * behind it. Their addresses lie in its BARs, and their requests bear its number:
 *
 *   10000:e0:06.0 -- 10000:e1:00.0      the domain
 *      |
 *   0000:00:0e.0  class 0104            the endpoint
 *      |
 *   root complex
 *
 * It is the one in whose BARs the domain's addresses lie; where nothing tells, the only one. With
 * none, the domain is that of a host bridge.
 */
#include "machine/import.h"

#define CLASS_RAID 0x0104

static const u16 devices[] = { 0x201d, 0x28c0, 0x467f, 0x4c3d, 0x7d0b,
			       0x9a0b, 0xa77f, 0xad0b, 0xb06f, 0xb60b };

static bool is_endpoint(const struct import_function *function)
{
	u32 device = import_read(function, PCI_DEVICE_ID, 2);

	if (!function->root || function->domain >= DMASIM_VMD_DOMAIN ||
	    import_read(function, PCI_VENDOR_ID, 2) != PCI_VENDOR_ID_INTEL ||
	    import_read(function, PCI_CLASS_DEVICE, 2) != CLASS_RAID)
		return false;
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		if (devices[i] == device)
			return true;
	}
	return false;
}

static bool has_address(const struct import_function *endpoint, u64 address)
{
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		const struct import_bar *bar = &endpoint->bar[i];

		if (!bar->io && bar->address && address - bar->address < bar->bytes)
			return true;
	}
	return false;
}

/* True if an address of the domain lies in a BAR of the endpoint. */
static bool contains(const struct import_function *endpoint, const struct import_root *root)
{
	const struct import_function *function;

	TAILQ_FOREACH(function, &root->functions, below) {
		for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
			const struct import_bar *bar = &function->bar[i];

			if (bar->address && !bar->io && has_address(endpoint, bar->address))
				return true;
		}
		for (u32 i = 0; i < 2; i++) {
			struct hw_span window = function->window[i];

			if (window.start <= window.last && has_address(endpoint, window.start))
				return true;
		}
	}
	return false;
}

static const struct import_function *find_endpoint(struct import *import,
						   const struct import_root *root)
{
	struct import_function *function, *only = NULL;
	u32 count = 0;

	RB_FOREACH(function, import_functions, &import->functions) {
		if (!is_endpoint(function))
			continue;
		if (contains(function, root))
			return function;
		only = function;
		count++;
	}
	return count == 1 ? only : NULL;
}

void import_vmd(struct import *import)
{
	struct import_root *root;

	TAILQ_FOREACH(root, &import->roots, link) {
		if (dmasim_domain(root->segment) < DMASIM_VMD_DOMAIN)
			continue;
		root->endpoint = find_endpoint(import, root);
		if (!root->endpoint)
			import_note(
				import,
				"domain %x has a host bridge of its own: the file does not tell "
				"which endpoint it is behind",
				dmasim_domain(root->segment));
	}
}
