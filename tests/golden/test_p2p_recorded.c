/* SPDX-License-Identifier: MIT */
/*
 * Every real machine that others recorded, all pairs of a provider and a client, with ACS as it was
 * and with redirection off: a request that is mapped as the verdict says goes the way that the
 * verdict says.
 *
 *   BUS_ADDR          by bus address it arrives, and does not pass the root complex
 *   THRU_HOST_BRIDGE  by a mapping it arrives, and passes the root complex and its IOMMU
 *   NOT_SUPPORTED     by bus address it does not arrive
 *
 * Where hardware does more than the verdict promises, the pair is of a kind with a reason, which is
 * checked by itself; anything else fails. Those of the machines in golden/p2p/delivered.tsv are the
 * ones that are listed there, by name. UPDATE_GOLDEN=1 writes it anew: read git diff then.
 */
#include <dirent.h>

#include "golden/recorded.h"

#define FILES_MAX    64
#define GOLDEN_BYTES (1 << 20)

/* Why a request goes another way than the verdict says. */
enum kind {
	AS_TOLD,
	/*
	 * Redirection is set, but not where and not of the kind that turns a request of this client
	 * up: only RR of the port through which it comes to the common switch does.
	 */
	REDIRECTION_OF_OTHERS,
	/* The bus address is there twice: the CPU reaches another BAR by it. */
	TWO_HOST_BRIDGES,
	/* Functions of one device of the root complex, which answer each other inside it. */
	NEIGHBOURS,
	WRONG, /* never listed */
	KINDS,
};

struct walk {
	struct recorded *recorded;
	const char *file;
	u32 pairs;
	u32 types[PCI_P2PDMA_MAP_THRU_HOST_BRIDGE + 1];
	u32 delivered;
	u32 wrong;
	bool acs_off;
	char *found; /* lines of all machines so far */
};

static void list_pair(struct walk *walk, const struct dmasim_p2p_verdict *verdict, enum kind kind);

static int best_bar(struct pci_dev *pdev)
{
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM && pci_resource_start(pdev, bar))
			return bar;
	}
	return -1;
}

static bool arrives(const struct dmasim_route *route, const struct pci_dev *provider)
{
	return !route->refused && route->in_bar && route->count &&
	       route->hop[route->count - 1].at == provider->dev.id;
}

static bool has_hop(const struct dmasim_route *route, const char *what)
{
	for (u32 i = 0; i < route->count; i++) {
		if (!strcmp(route->hop[i].what, what))
			return true;
	}
	return false;
}

static enum kind wrong_pair(const struct walk *walk, const struct dmasim_p2p_verdict *verdict,
			    const struct dmasim_route *route)
{
	char why[2048], way[4096];

	dmasim_p2p_why_text(verdict, why, sizeof(why));
	dmasim_route_text(route, way, sizeof(way));
	print_error("%s: provider %s, client %s: %s: %s\n%s\n", walk->file,
		    pci_name(verdict->provider), pci_name(verdict->client),
		    dmasim_p2p_type_name(verdict->type), why, way);
	return WRONG;
}

/*
 * True if the port through which the client's requests come to the common switch lets them turn
 * there, whatever else redirects. Of two functions of one device it is the client itself.
 */
static bool redirects_others(const struct dmasim_p2p_verdict *verdict)
{
	struct pci_dev *below = verdict->client;

	if (!verdict->meet || !verdict->redirect_count)
		return false;
	while (below != verdict->meet && pci_upstream_bridge(below) != verdict->meet)
		below = pci_upstream_bridge(below);
	for (u32 i = 0; i < verdict->redirect_count; i++) {
		if (verdict->redirect[i].at == below && verdict->redirect[i].bits & PCI_ACS_RR)
			return false;
	}
	return true;
}

static bool are_neighbours(struct pci_dev *one, struct pci_dev *other)
{
	return one->bus == other->bus && !pci_upstream_bridge(one) &&
	       PCI_SLOT(one->devfn) == PCI_SLOT(other->devfn);
}

static bool is_ambiguous(struct walk *walk, struct pci_dev *provider, int bar)
{
	return dmasim_bar_at(walk->recorded->s, pci_resource_start(provider, bar), NULL) !=
	       provider;
}

static enum kind try_bus_address(struct walk *walk, const struct dmasim_p2p_verdict *verdict,
				 int bar)
{
	bool wanted = verdict->type == PCI_P2PDMA_MAP_BUS_ADDR;
	struct dmasim_route route;

	dmasim_route(verdict->client, pci_bus_address(verdict->provider, bar), true, &route);
	if (arrives(&route, verdict->provider) == wanted && !(wanted && route.passed_root))
		return AS_TOLD;
	if (!wanted && !route.passed_root && redirects_others(verdict))
		return REDIRECTION_OF_OTHERS;
	if (!wanted && !route.passed_root && are_neighbours(verdict->provider, verdict->client))
		return NEIGHBOURS;
	if (is_ambiguous(walk, verdict->provider, bar))
		return TWO_HOST_BRIDGES;
	return wrong_pair(walk, verdict, &route);
}

static enum kind try_mapping(struct walk *walk, const struct dmasim_p2p_verdict *verdict, int bar)
{
	phys_addr_t phys = pci_resource_start(verdict->provider, bar);
	struct device *dev = &verdict->client->dev;
	struct dmasim_route route;
	dma_addr_t dma;

	dma = dma_map_phys(dev, phys, 16, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_ok(dma_mapping_error(dev, dma));
	dmasim_route(verdict->client, dma, true, &route);
	dma_unmap_phys(dev, dma, 16, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	if (arrives(&route, verdict->provider) && route.passed_root && has_hop(&route, "iommu"))
		return AS_TOLD;
	if (is_ambiguous(walk, verdict->provider, bar))
		return TWO_HOST_BRIDGES;
	return wrong_pair(walk, verdict, &route);
}

static void try_pair(struct walk *walk, struct pci_dev *provider, struct pci_dev *client)
{
	struct dmasim_p2p_verdict verdict;
	int bar = best_bar(provider);
	enum pci_p2pdma_map_type type;
	enum kind kind;

	if (bar < 0)
		return;
	dmasim_p2p_why(provider, client, &verdict);
	type = pci_p2pdma_map_type(pcim_p2pdma_provider(provider, bar), &client->dev);
	assert_int_equal(type, verdict.type);
	kind = type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE ? try_mapping(walk, &verdict, bar)
						       : try_bus_address(walk, &verdict, bar);
	walk->pairs++;
	walk->types[type]++;
	walk->wrong += kind == WRONG;
	walk->delivered += kind != WRONG && kind != AS_TOLD;
	if (kind != WRONG && kind != AS_TOLD)
		list_pair(walk, &verdict, kind);
}

static void try_clients(struct walk *walk, struct pci_dev *provider)
{
	struct dmasim *s = walk->recorded->s;
	struct pci_dev *client;

	expect_ok(pcim_p2pdma_init(provider));
	for (client = dmasim_next_dev(s, NULL); client; client = dmasim_next_dev(s, client)) {
		if (client != provider && client->hdr_type == PCI_HEADER_TYPE_NORMAL)
			try_pair(walk, provider, client);
	}
}

/* As drivers do it. */
static void enable_all(struct dmasim *s)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		expect_ok(pci_enable_device(pdev));
		pci_set_master(pdev);
		expect_ok(dma_set_mask(&pdev->dev, DMA_BIT_MASK(64)));
	}
}

static bool try_machine(struct walk *walk)
{
	struct recorded *recorded = walk->recorded;
	const struct dmasim_import how = { .acs_off = walk->acs_off };
	struct pci_dev *pdev;
	int err;

	recorded->s = dmasim_create(NULL);
	assert_non_null(recorded->s);
	recorded_find(recorded, walk->file);
	err = dmasim_import_lspci(recorded->s, recorded->path, &how, &recorded->error);
	if (!err) {
		enable_all(recorded->s);
		for (pdev = dmasim_next_dev(recorded->s, NULL); pdev;
		     pdev = dmasim_next_dev(recorded->s, pdev)) {
			if (dmasim_p2p_provides(pdev))
				try_clients(walk, pdev);
		}
	}
	dmasim_destroy(recorded->s);
	recorded->s = NULL;
	return !err;
}

static int is_dump(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* ---- What is delivered though it is not supported -------------------------------------------- */

static const char *const reasons[KINDS] = {
	[REDIRECTION_OF_OTHERS] = "redirection is set where this client's requests do not meet it",
	[NEIGHBOURS] = "functions of one device of the root complex",
	[TWO_HOST_BRIDGES] = "two host bridges have these addresses",
};

static void golden_path(char *path, size_t bytes)
{
	snprintf(path, bytes, "%s/../golden/p2p/delivered.tsv", getenv("DMASIM_DATA"));
}

static char *golden_read(void)
{
	char path[4096], *text = calloc(1, GOLDEN_BYTES);
	FILE *file;

	golden_path(path, sizeof(path));
	file = fopen(path, "r");
	assert_non_null(text);
	if (file) {
		assert_true(fread(text, 1, GOLDEN_BYTES - 1, file) < GOLDEN_BYTES - 1);
		fclose(file);
	}
	return text;
}

static void golden_write(const char *text)
{
	char path[4096];
	FILE *file;

	golden_path(path, sizeof(path));
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The file's name without its ending: the same machine may be there as text, too. */
static int stem_of(const char *file)
{
	return (int)strcspn(file, ".");
}

static void list_pair(struct walk *walk, const struct dmasim_p2p_verdict *verdict, enum kind kind)
{
	size_t at = strlen(walk->found);
	char line[512];

	snprintf(line, sizeof(line), "%.*s\tACS %s\t%s\t%s\t%s\n", stem_of(walk->file), walk->file,
		 walk->acs_off ? "off" : "kept", pci_name(verdict->provider),
		 pci_name(verdict->client), reasons[kind]);
	if (strstr(walk->found, line))
		return;
	assert_true(at + strlen(line) < GOLDEN_BYTES);
	memcpy(walk->found + at, line, strlen(line) + 1);
}

/* Each line of `in` whose machine is in `of` at all is in `of`. */
static u32 count_unlisted(const char *in, const char *of)
{
	u32 unlisted = 0;

	while (*in) {
		int bytes = (int)strcspn(in, "\n") + 1;
		char line[512], stem[512];

		snprintf(line, sizeof(line), "%.*s", bytes, in);
		snprintf(stem, sizeof(stem), "%.*s\t", (int)strcspn(in, "\t"), in);
		if (!strstr(of, line)) {
			print_message("# not listed: %s", line);
			unlisted += strstr(of, stem) != NULL;
		}
		in += bytes;
	}
	return unlisted;
}

static void print_counts(const struct walk *walk)
{
	print_message("# %s, ACS %s: %u pairs, %u by bus address, %u by the host bridge, %u not; "
		      "of these %u delivered\n",
		      walk->file, walk->acs_off ? "off" : "kept", walk->pairs,
		      walk->types[PCI_P2PDMA_MAP_BUS_ADDR],
		      walk->types[PCI_P2PDMA_MAP_THRU_HOST_BRIDGE],
		      walk->types[PCI_P2PDMA_MAP_NOT_SUPPORTED], walk->delivered);
}

/*
 * trust: requests of all pairs of the recorded machines go as their verdicts say
 * | a real machine's data: its dump; each verdict against the way of a request
 */
static void requests_go_as_the_verdicts_say(void **state)
{
	struct recorded *recorded = *state;
	char *listed = golden_read(), *found = calloc(1, GOLDEN_BYTES);
	u32 machines = 0, pairs = 0, wrong = 0;
	struct dirent **entries;
	int count;

	recorded_find(recorded, "");
	count = scandir(recorded->path, &entries, is_dump, alphasort);
	assert_true(found && count > 0 && count < FILES_MAX);
	for (int i = 0; i < 2 * count; i++) {
		struct walk walk = { .recorded = recorded,
				     .file = entries[i / 2]->d_name,
				     .acs_off = i % 2,
				     .found = found };

		if (!try_machine(&walk))
			continue;
		machines++;
		pairs += walk.pairs;
		wrong += walk.wrong;
		print_counts(&walk);
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	if (getenv("UPDATE_GOLDEN"))
		golden_write(found);
	else
		wrong += count_unlisted(found, listed) + count_unlisted(listed, found);
	free(listed);
	free(found);
	expect_u64(wrong, 0);
	assert_true(machines >= 20 && pairs > 1000);
}

TEST_MAIN_UNLESS(recorded_missing, RECORDED_TEST(requests_go_as_the_verdicts_say))
