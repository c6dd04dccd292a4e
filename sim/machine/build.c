/* SPDX-License-Identifier: MIT */
/*
 * Building a tree by path. The grammar is in topology.h.
 */
#include <errno.h>

#include "machine/image.h"
#include "machine/machine.h"

#define PATH_STEPS_MAX 32

struct path {
	u16 segment;
	u8 bus;
	u32 count;
	u8 devfn[PATH_STEPS_MAX];
};

/* Reads `digits` hexadecimal digits; false: they are not. */
static bool read_hex(const char **at, int digits, u32 *value)
{
	*value = 0;
	for (int i = 0; i < digits; i++) {
		char c = *(*at)++;

		if (c >= '0' && c <= '9')
			*value = *value * 16 + (u32)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value * 16 + (u32)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* "dd.f" */
static bool read_step(const char **at, struct path *path)
{
	u32 device, function;

	if (path->count == PATH_STEPS_MAX || !read_hex(at, 2, &device) || *(*at)++ != '.' ||
	    !read_hex(at, 1, &function) || device > 0x1f || function > 7)
		return false;
	path->devfn[path->count++] = PCI_DEVFN(device, function);
	return true;
}

static bool read_path(const char *text, struct path *path)
{
	bool has_segment = text[0] && text[1] && text[2] != ':';
	u32 segment = 0, bus;

	*path = (struct path){ 0 };
	if (has_segment && (!read_hex(&text, 4, &segment) || *text++ != ':'))
		return false;
	if (!read_hex(&text, 2, &bus) || *text++ != ':')
		return false;
	path->segment = (u16)segment;
	path->bus = (u8)bus;
	do {
		if (!read_step(&text, path))
			return false;
	} while (*text++ == '/');
	return !text[-1] && path->devfn[0];
}

static struct hw_root *find_root(struct dmasim *s, u16 segment, u8 bus)
{
	struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link) {
		if (root->segment == segment && root->bus_first == bus)
			return root;
	}
	return NULL;
}

/* Everything below the last function or host bridge that was there before goes again. */
struct undo {
	struct hw_root *root;
	struct hw_function *function;
	struct hw_function *told; /* function 0, which now says that it is not alone */
};

static void take_back(struct dmasim *s, const struct undo *undo)
{
	if (undo->root) {
		struct hw_iommu *iommu = undo->root->iommu;

		hw_root_remove(&s->hw, undo->root);
		if (iommu)
			hw_iommu_remove(iommu);
	} else if (undo->function) {
		hw_function_remove(undo->function);
	}
	if (undo->told)
		undo->told->config[PCI_HEADER_TYPE] &= (u8)~PCI_HEADER_TYPE_MULTI;
	/* Nothing is new now, so this needs no memory. */
	DMASIM_CONTRACT(!machine_hardware_changed(s), "taking hardware back cannot fail");
}

static struct hw_function *add_function(struct dmasim *s, struct hw_bus *bus,
					const struct image *image, struct undo *undo)
{
	struct hw_function_desc desc = {
		.devfn = image->devfn,
		.config = image->config,
		.config_bytes = sizeof(image->config),
		.bar_ops = image->has_bar_ops ? &image->bar_ops : NULL,
		.bar_cookie = image->cookie,
		.tlb_entries = image->tlb_entries,
	};
	struct hw_function *function, *first;

	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		desc.bar_bytes[i] = image->bar_bytes[i];
		desc.vf_bar_bytes[i] = image->vf_bar_bytes[i];
	}
	function = hw_function_add(&s->hw, bus, &desc);
	if (!function)
		return NULL;
	if (!undo->root && !undo->function)
		undo->function = function;
	/* Function 0 says that there are more in its slot. */
	first = hw_function_on(bus, image->devfn & ~7);
	if (PCI_FUNC(image->devfn) && first &&
	    !(first->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MULTI)) {
		first->config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_MULTI;
		/* Of what is new itself, nothing stays to be undone. */
		if (undo->function == function)
			undo->told = first;
	}
	return function;
}

void machine_copy_ranges(const struct dmasim_host_bridge *bridge, struct hw_inbound *inbound)
{
	u64 free_from = 0;

	DMASIM_CONTRACT(bridge->dma_range_count <= DMASIM_DMA_RANGES_MAX,
			"a host bridge has at most 8 inbound ranges");
	for (u32 i = 0; i < bridge->dma_range_count; i++) {
		const struct dmasim_dma_range *range = &bridge->dma_range[i];

		DMASIM_CONTRACT(
			range->bytes && range->bus_start >= free_from &&
				!((range->bus_start | range->start | range->bytes) % PAGE_SIZE),
			"inbound ranges are page aligned, ascending and apart");
		free_from = range->bus_start + range->bytes;
		inbound[i] = (struct hw_inbound){ range->bus_start, range->start, range->bytes };
	}
}

static struct hw_root *add_root(struct dmasim *s, const struct dmasim_host_bridge *bridge,
				struct undo *undo)
{
	struct hw_root *root = machine_add_root(s, bridge->segment, bridge->bus, bridge->bus);
	struct image image;

	if (!root)
		return NULL;
	undo->root = root;
	root->built_offset = bridge->bus_offset;
	machine_copy_ranges(bridge, root->inbound);
	root->inbound_count = bridge->dma_range_count;
	image_of_host(&image, bridge);
	return add_function(s, &root->bus, &image, undo) ? root : NULL;
}

/* Ports alternate from the root port down: upstream, downstream, upstream ... */
static u8 port_type_on(const struct hw_bus *bus)
{
	if (!bus->bridge)
		return PCI_EXP_TYPE_ROOT_PORT;
	return bus->bridge->express_type == PCI_EXP_TYPE_UPSTREAM ? PCI_EXP_TYPE_DOWNSTREAM
								  : PCI_EXP_TYPE_UPSTREAM;
}

static struct hw_function *add_port(struct dmasim *s, struct hw_bus *bus, u8 devfn,
				    const struct dmasim_bridge *bridge, struct undo *undo)
{
	struct image image;

	image_of_port(&image, devfn, port_type_on(bus), bridge);
	return add_function(s, bus, &image, undo);
}

/* The bus that the last step of the path is on; what is missing on the way is made. */
static struct hw_bus *bus_of_path(struct dmasim *s, const struct path *path, struct undo *undo)
{
	const struct dmasim_bridge port = { .acs = s->config.acs };
	struct hw_root *root = find_root(s, path->segment, path->bus);
	struct hw_bus *bus;

	if (!root)
		root = add_root(
			s,
			&(struct dmasim_host_bridge){ .segment = path->segment, .bus = path->bus },
			undo);
	if (!root)
		return NULL;
	bus = &root->bus;
	for (u32 step = 0; step + 1 < path->count; step++) {
		struct hw_function *function = hw_function_on(bus, path->devfn[step]);

		if (!function)
			function = add_port(s, bus, path->devfn[step], &port, undo);
		if (!function)
			return NULL;
		DMASIM_CONTRACT(function->secondary, "a path leads through bridges");
		bus = function->secondary;
	}
	DMASIM_CONTRACT(!hw_function_on(bus, path->devfn[path->count - 1]),
			"the end of a path is free");
	return bus;
}

static struct path parse(struct dmasim *s, const char *text)
{
	struct path path;

	machine_must_be_cold(s);
	DMASIM_CONTRACT(!s->imported, "an imported machine is complete");
	DMASIM_CONTRACT(read_path(text, &path), "a path looks like 00:01.0/00.0");
	return path;
}

static struct pci_dev *finish(struct dmasim *s, const struct hw_function *function,
			      const struct undo *undo)
{
	if (function && !machine_hardware_changed(s))
		return machine_device(s, function);
	take_back(s, undo);
	return NULL;
}

int dmasim_add_host_bridge(struct dmasim *s, const struct dmasim_host_bridge *bridge)
{
	struct undo undo = { 0 };

	machine_must_be_cold(s);
	DMASIM_CONTRACT(!s->imported, "an imported machine is complete");
	DMASIM_CONTRACT(!find_root(s, bridge->segment, bridge->bus), "a root bus is added once");
	if (add_root(s, bridge, &undo) && !machine_hardware_changed(s))
		return 0;
	take_back(s, &undo);
	return -ENOMEM;
}

struct pci_dev *dmasim_add_bridge(struct dmasim *s, const char *text,
				  const struct dmasim_bridge *bridge)
{
	struct path path = parse(s, text);
	struct undo undo = { 0 };
	struct hw_bus *bus = bus_of_path(s, &path, &undo);
	struct hw_function *port = NULL;

	if (bus)
		port = add_port(s, bus, path.devfn[path.count - 1], bridge, &undo);
	return finish(s, port, &undo);
}

/* The endpoint's own, or those of the configuration if it has none. */
static const struct dmasim_traits *traits_of(const struct dmasim *s,
					     const struct dmasim_endpoint *endpoint)
{
	const struct dmasim_traits *own = &endpoint->traits;

	return own->untrusted || own->no_snoop || own->bus_limit || own->pool_bytes ||
			       own->sends_as || own->alias
		       ? own
		       : &s->config.traits;
}

struct pci_dev *dmasim_add_endpoint(struct dmasim *s, const char *text,
				    const struct dmasim_endpoint *endpoint)
{
	struct path path = parse(s, text);
	struct undo undo = { 0 };
	struct hw_bus *bus = bus_of_path(s, &path, &undo);
	struct hw_function *function = NULL;
	struct image image;

	if (bus) {
		image_of_endpoint(&image, path.devfn[path.count - 1], !bus->bridge, endpoint);
		function = add_function(s, bus, &image, &undo);
	}
	if (function && machine_set_traits(s, function, traits_of(s, endpoint)))
		function = NULL;
	return finish(s, function, &undo);
}
