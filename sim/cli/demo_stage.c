/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define GPU_CLASS (PCI_CLASS_DISPLAY_3D << 8)
#define NIC_CLASS (PCI_CLASS_NETWORK_ETHERNET << 8)

/*
 * The built-in GPU server. The two root ports of socket 0 are functions of one device and have no
 * ACS: nothing keeps what is below them apart, so all of it is one group with one domain.
 *
 *   socket 0  00:01.0 -- switch --+-- NVMe drive
 *                                 +-- GPU, 64 GiB of memory behind its BAR
 *                                 +-- NIC
 *             00:01.1 -- another NVMe drive
 *   socket 1  80:01.0 -- another NIC
 */
static bool build_server(struct dmasim *s, bool acs_off)
{
	const struct dmasim_bridge root_port = { .acs = DMASIM_ACS_ABSENT };
	const struct dmasim_bridge downstream = { .acs = acs_off ? DMASIM_ACS_OFF
								 : DMASIM_ACS_ISOLATING };
	const struct dmasim_endpoint nvme = { .bar = { SZ_16K } };
	const struct dmasim_endpoint gpu = { .bar = { 64 * (u64)SZ_1G, 0, SZ_2M },
					     .class_code = GPU_CLASS };
	const struct dmasim_endpoint nic = { .bar = { SZ_16M }, .class_code = NIC_CLASS };

	return dmasim_add_bridge(s, "00:01.0", &root_port) &&
	       dmasim_add_bridge(s, "00:01.0/00.0/00.0", &downstream) &&
	       dmasim_add_bridge(s, "00:01.0/00.0/01.0", &downstream) &&
	       dmasim_add_bridge(s, "00:01.0/00.0/02.0", &downstream) &&
	       dmasim_add_endpoint(s, "00:01.0/00.0/00.0/00.0", &nvme) &&
	       dmasim_add_endpoint(s, "00:01.0/00.0/01.0/00.0", &gpu) &&
	       dmasim_add_endpoint(s, "00:01.0/00.0/02.0/00.0", &nic) &&
	       dmasim_add_bridge(s, "00:01.1", &root_port) &&
	       dmasim_add_endpoint(s, "00:01.1/00.0", &nvme) &&
	       dmasim_add_endpoint(s, "80:01.0/00.0", &nic);
}

static int import(struct demo_stage *stage, bool acs_off)
{
	const struct demo_options *options = stage->options;
	struct dmasim_import how = {
		.acs_off = acs_off,
		.cpu_set = options->cpu_given,
		.cpu = options->cpu,
		.cpu_family = options->cpu_family,
	};
	struct dmasim_error error;

	if (!dmasim_import_lspci(stage->s, options->topology, &how, &error))
		return 0;
	return cli_bad_input("%s", error.text);
}

static u16 class_of(const struct pci_dev *pdev)
{
	return (u16)(pdev->class_code >> 8);
}

const char *stage_role(const struct pci_dev *pdev)
{
	switch (class_of(pdev)) {
	case PCI_CLASS_STORAGE_EXPRESS:
		return "NVMe drive";
	case PCI_CLASS_DISPLAY_3D:
	case PCI_CLASS_ACCELERATOR:
		return "GPU";
	case PCI_CLASS_NETWORK_ETHERNET:
		return "NIC";
	default:
		return "device";
	}
}

const char *stage_type_name(enum pci_p2pdma_map_type type)
{
	switch (type) {
	case PCI_P2PDMA_MAP_BUS_ADDR:
		return "BUS_ADDR";
	case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
		return "THRU_HOST_BRIDGE";
	case PCI_P2PDMA_MAP_NOT_SUPPORTED:
		return "NOT_SUPPORTED";
	default:
		return "NONE";
	}
}

/* The largest memory BAR; -1: there is none. */
static int largest_bar(struct pci_dev *pdev)
{
	int best = -1;

	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
			continue;
		if (best < 0 || pci_resource_len(pdev, bar) > pci_resource_len(pdev, best))
			best = bar;
	}
	return best;
}

static u64 largest_bytes(struct pci_dev *pdev)
{
	int bar = largest_bar(pdev);

	return bar < 0 ? 0 : pci_resource_len(pdev, bar);
}

/* The first NVMe drive. */
static struct pci_dev *choose_client(struct dmasim *s)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (class_of(pdev) == PCI_CLASS_STORAGE_EXPRESS)
			return pdev;
	}
	return NULL;
}

/* Whoever has most memory behind a BAR. */
static struct pci_dev *choose_provider(struct dmasim *s, const struct pci_dev *client)
{
	struct pci_dev *best = NULL;
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (pdev == client || pci_is_bridge(pdev))
			continue;
		if (!best || largest_bytes(pdev) > largest_bytes(best))
			best = pdev;
	}
	return best;
}

static const char *source(const struct demo_options *options)
{
	return options->topology ? options->topology : "built-in server";
}

static int find(struct demo_stage *stage, const char *role, const char *bdf, struct pci_dev **pdev)
{
	const char *from = source(stage->options);

	if (bdf)
		*pdev = dmasim_pci_dev(stage->s, bdf);
	if (!*pdev)
		return cli_bad_input("%s: no device %s to be the %s", from, bdf ? bdf : "fit",
				     role);
	if (pci_is_bridge(*pdev))
		return cli_bad_input("%s: %s is a bridge, the %s must be an endpoint", from,
				     pci_name(*pdev), role);
	return 0;
}

static int choose(struct demo_stage *stage)
{
	const struct demo_options *options = stage->options;
	const char *from = source(options);
	int status;

	stage->client = choose_client(stage->s);
	status = find(stage, "client", options->client, &stage->client);
	if (status)
		return status;
	stage->provider = choose_provider(stage->s, stage->client);
	status = find(stage, "provider", options->provider, &stage->provider);
	if (status)
		return status;
	if (stage->client == stage->provider)
		return cli_bad_input("%s: %s cannot be both client and provider", from,
				     pci_name(stage->client));
	stage->bar = largest_bar(stage->provider);
	if (largest_bytes(stage->provider) < DEMO_BYTES)
		return cli_bad_input("%s: %s has no memory BAR of 1 MiB or more to be the provider",
				     from, pci_name(stage->provider));
	return 0;
}

/* An endpoint of the client's group whose way to the provider leads over the IOMMU. */
static struct pci_dev *find_neighbour(struct demo_stage *stage)
{
	u64 bus_address = pci_bus_address(stage->provider, stage->bar);
	struct dmasim_route route;
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(stage->s, NULL); pdev; pdev = dmasim_next_dev(stage->s, pdev)) {
		if (pdev == stage->client || pdev == stage->provider || pci_is_bridge(pdev) ||
		    dmasim_group(pdev) != dmasim_group(stage->client))
			continue;
		dmasim_route(pdev, bus_address, true, &route);
		if (route.passed_iommu)
			return pdev;
	}
	return NULL;
}

static void start_device(struct pci_dev *pdev)
{
	if (!pdev)
		return;
	pci_enable_device(pdev);
	pci_set_master(pdev);
	dma_set_mask(&pdev->dev, DMA_BIT_MASK(64));
}

static int no_memory(void)
{
	return cli_bad_input("out of memory");
}

/* Segment and bus of the host bridge that leads to a device. */
static u32 host_bridge_of(struct pci_dev *pdev)
{
	struct pci_dev *above;

	while ((above = pci_upstream_bridge(pdev)))
		pdev = above;
	return pdev->dev.id >> 8;
}

/* The CPU must reach all of what will be peer memory at the provider. 0, or an exit status. */
static int check_reached(struct demo_stage *stage)
{
	phys_addr_t start = pci_resource_start(stage->provider, stage->bar);
	const char *from = source(stage->options);
	const char *name = pci_name(stage->provider);

	for (u64 at = 0; at < DEMO_BYTES; at += PAGE_SIZE) {
		u32 bar = 0;
		struct pci_dev *owner = dmasim_bar_at(stage->s, start + at, &bar);

		if (owner == stage->provider && bar == (u32)stage->bar)
			continue;
		if (owner && host_bridge_of(owner) != host_bridge_of(stage->provider))
			return cli_bad_input("%s: the CPU does not reach BAR %d of %s (another "
					     "host bridge has its addresses)",
					     from, stage->bar, name);
		return cli_bad_input("%s: BAR %d of %s cannot be peer memory: the CPU does not "
				     "reach it",
				     from, stage->bar, name);
	}
	return 0;
}

static int set_peer_memory(struct demo_stage *stage)
{
	u64 bytes = pci_resource_len(stage->provider, stage->bar);
	int status = check_reached(stage);

	if (status)
		return status;
	if (bytes > SZ_64M)
		bytes = SZ_64M;
	if (pci_p2pdma_add_resource(stage->provider, stage->bar, (size_t)bytes, 0))
		return no_memory();
	stage->mem = pcim_p2pdma_provider(stage->provider, stage->bar);
	stage->type = pci_p2pdma_map_type(stage->mem, &stage->client->dev);
	stage->distance = pci_p2pdma_distance(stage->provider, &stage->client->dev, false);
	stage->peer = pci_alloc_p2pmem(stage->provider, DEMO_BYTES);
	if (!stage->peer)
		return no_memory();
	stage->peer_phys = dmasim_virt_to_phys(stage->s, stage->peer);
	return 0;
}

static int furnish(struct demo_stage *stage, bool acs_off)
{
	int status;

	if (stage->options->topology)
		status = import(stage, acs_off);
	else
		status = build_server(stage->s, acs_off) ? 0 : no_memory();
	if (!status)
		status = choose(stage);
	if (status)
		return status;
	start_device(stage->client);
	start_device(stage->provider);
	stage->neighbour = find_neighbour(stage);
	start_device(stage->neighbour);
	stage->sent = malloc(DEMO_BYTES);
	stage->received = malloc(DEMO_BYTES);
	if (!stage->sent || !stage->received)
		return no_memory();
	status = set_peer_memory(stage);
	if (status)
		return status;
	for (u64 i = 0; i < DEMO_BYTES; i++)
		stage->sent[i] = (u8)dmasim_random(stage->s, 256);
	return 0;
}

/*
 * Without ACS the built-in server's root complex keeps its ports apart: what 00:01.1 passes on goes
 * to the IOMMU, not across to the GPU.
 */
static enum dmasim_forwarding forwarding_of(const struct demo_options *options, bool acs_off)
{
	return acs_off && !options->topology ? DMASIM_FORWARDING_NONE : DMASIM_FORWARDING_LISTED;
}

int stage_open(struct demo_stage *stage, const struct demo_options *options, bool acs_off,
	       bool hide_windows)
{
	struct dmasim_config config = {
		DMASIM_CONFIG,
		.cpu = options->cpu_given ? options->cpu : DMASIM_CPU_INTEL,
		.cpu_family = options->cpu_given ? options->cpu_family : 0,
		.hide_windows = hide_windows,
		.forwarding = forwarding_of(options, acs_off),
		.seed = options->seed,
		.trace = options->trace,
	};
	int status;

	*stage = (struct demo_stage){ .options = options, .s = dmasim_create(&config) };
	if (!stage->s)
		return no_memory();
	status = furnish(stage, acs_off);
	if (status)
		stage_close(stage);
	return status;
}

void stage_close(struct demo_stage *stage)
{
	free(stage->sent);
	free(stage->received);
	dmasim_destroy(stage->s);
	*stage = (struct demo_stage){ 0 };
}

void stage_print_route(const char *what, struct pci_dev *pdev, dma_addr_t dma)
{
	struct dmasim_route route;
	char text[1024];

	dmasim_route(pdev, dma, true, &route);
	dmasim_route_text(&route, text, sizeof(text));
	printf("  %s\n    %s\n", what, text);
}

bool stage_pages(struct demo_stage *stage, phys_addr_t page[DEMO_PAGES])
{
	/* Every other page stays with somebody else: no two are neighbours. */
	for (u32 i = 0; i < DEMO_PAGES; i++) {
		page[i] = dmasim_alloc(stage->s, PAGE_SIZE);
		if (page[i] == DMASIM_NO_PHYS ||
		    dmasim_alloc(stage->s, PAGE_SIZE) == DMASIM_NO_PHYS)
			return false;
	}
	return true;
}

static bool same_in_memory(struct demo_stage *stage, const struct demo_piece *piece, const u8 *want)
{
	u8 chunk[4096];

	for (u64 done = 0; done < piece->bytes; done += sizeof(chunk)) {
		u64 here = piece->bytes - done < sizeof(chunk) ? piece->bytes - done
							       : sizeof(chunk);

		if (dmasim_read(stage->s, piece->phys + done, chunk, here) != here ||
		    memcmp(chunk, want + done, (size_t)here))
			return false;
	}
	return true;
}

bool stage_move(struct demo_stage *stage, const struct demo_piece *piece, u32 count)
{
	bool right = true;
	u64 at = 0;

	memset(stage->received, 0, DEMO_BYTES);
	for (u32 i = 0; i < count; at += piece[i++].bytes)
		right &= dmasim_dev_write(stage->client, piece[i].dma, stage->sent + at,
					  piece[i].bytes)
				 .done == piece[i].bytes;
	at = 0;
	for (u32 i = 0; i < count; at += piece[i++].bytes) {
		right &= same_in_memory(stage, &piece[i], stage->sent + at);
		right &= dmasim_dev_read(stage->client, piece[i].dma, stage->received + at,
					 piece[i].bytes)
				 .done == piece[i].bytes;
	}
	return right && !memcmp(stage->sent, stage->received, (size_t)at);
}
