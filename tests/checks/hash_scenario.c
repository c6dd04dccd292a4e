/* SPDX-License-Identifier: MIT */
/*
 * Random use of every DMA call, right and wrong, on machines with fixed seeds; prints the hash
 * of each machine's trace. The hashes are the same on every host, compiler and level: hash.sh
 * compares them with hash.expected.
 */
#include <dmasim/dmasim.h>

#define STEPS	300
#define SLOTS	12
#define ENTRIES 4

/* Wrong on purpose: what must-check calls return is in the trace. */
#define IGNORE(call)                        \
	do {                                \
		if (call)                   \
			machine->refused++; \
	} while (0)

enum kind { NOTHING, PHYS, PAGE, LIST, TABLE, STATE, KINDS };

/* One mapping and the buffer under it. */
struct slot {
	enum kind kind;
	struct pci_dev *pdev;
	phys_addr_t buffer;
	u64 bytes;
	dma_addr_t dma;
	enum dma_data_direction dir;
	struct dma_iova_state state;
	struct scatterlist list[ENTRIES];
	struct sg_table table;
};

struct machine {
	struct dmasim *s;
	struct pci_dev *clients[2];
	struct pci_dev *gpu;
	struct slot slots[SLOTS];
	u64 refused;
};

/* One draw for each statement: the order of two in one expression is the compiler's. */
static u64 below(struct machine *machine, u64 bound)
{
	return dmasim_random(machine->s, bound);
}

/* Every third entry is peer memory, if there is any left. */
static void fill_list(struct machine *machine, struct slot *slot)
{
	u64 part = slot->bytes / ENTRIES;

	sg_init_table(slot->list, ENTRIES);
	for (u32 i = 0; i < ENTRIES; i++) {
		void *peer = below(machine, 3) ? NULL : pci_alloc_p2pmem(machine->gpu, part);
		phys_addr_t phys = peer ? dmasim_virt_to_phys(machine->s, peer)
					: slot->buffer + i * part;

		sg_set_page(&slot->list[i], dmasim_page(machine->s, phys), (unsigned int)part, 0);
	}
}

static void free_list(struct machine *machine, struct slot *slot)
{
	for (u32 i = 0; i < ENTRIES; i++) {
		struct scatterlist *sg = &slot->list[i];

		if (is_pci_p2pdma_page(sg_page(sg)))
			pci_free_p2pmem(machine->gpu,
					dmasim_ptr(machine->s, sg_phys(sg), sg->length),
					sg->length);
	}
}

static bool map_list(struct machine *machine, struct slot *slot)
{
	struct device *dev = &slot->pdev->dev;
	bool mapped;

	fill_list(machine, slot);
	slot->table = (struct sg_table){ .sgl = slot->list, .orig_nents = ENTRIES };
	if (slot->kind == TABLE)
		mapped = !dma_map_sgtable(dev, &slot->table, slot->dir, 0);
	else
		mapped = dma_map_sg(dev, slot->list, ENTRIES, slot->dir) > 0;
	if (mapped)
		slot->dma = sg_dma_address(slot->list);
	else
		free_list(machine, slot);
	return mapped;
}

/* In two pieces, and sometimes with a link too many. */
static bool map_state(struct machine *machine, struct slot *slot)
{
	struct device *dev = &slot->pdev->dev;
	struct dma_iova_state *state = &slot->state;
	u64 half = slot->bytes / 2;

	if (!dma_iova_try_alloc(dev, state, slot->buffer, slot->bytes))
		return false;
	if (dma_iova_link(dev, state, slot->buffer + half, 0, half, slot->dir, 0))
		goto free;
	if (dma_iova_link(dev, state, slot->buffer, half, half, slot->dir, 0))
		goto unlink;
	if (!below(machine, 8))
		IGNORE(dma_iova_link(dev, state, slot->buffer, 0, half, slot->dir, 0));
	if (below(machine, 8))
		IGNORE(dma_iova_sync(dev, state, 0, slot->bytes));
	slot->dma = state->addr;
	return true;

unlink:
	dma_iova_unlink(dev, state, 0, half, slot->dir, 0);
free:
	dma_iova_free(dev, state);
	return false;
}

static bool map(struct machine *machine, struct slot *slot)
{
	struct device *dev = &slot->pdev->dev;
	unsigned long attrs;
	u64 offset;

	switch (slot->kind) {
	case PHYS:
		offset = below(machine, SZ_1K);
		attrs = below(machine, 2) ? DMA_ATTR_SKIP_CPU_SYNC : 0;
		slot->dma = dma_map_phys(dev, slot->buffer + offset, slot->bytes - SZ_1K, slot->dir,
					 attrs);
		return !dma_mapping_error(dev, slot->dma);
	case PAGE:
		slot->dma = dma_map_page(dev, dmasim_page(machine->s, slot->buffer), 0, slot->bytes,
					 slot->dir);
		return !dma_mapping_error(dev, slot->dma);
	case LIST:
	case TABLE:
		return map_list(machine, slot);
	default:
		return map_state(machine, slot);
	}
}

static void unmap(struct machine *machine, struct slot *slot)
{
	struct device *dev = &slot->pdev->dev;

	switch (slot->kind) {
	case PHYS:
		dma_unmap_phys(dev, slot->dma, slot->bytes - SZ_1K, slot->dir, 0);
		break;
	case PAGE:
		dma_unmap_page(dev, slot->dma, slot->bytes, slot->dir);
		break;
	case LIST:
		dma_unmap_sg(dev, slot->list, ENTRIES, slot->dir);
		free_list(machine, slot);
		break;
	case TABLE:
		dma_unmap_sgtable(dev, &slot->table, slot->dir, 0);
		free_list(machine, slot);
		break;
	default:
		if (below(machine, 2))
			dma_iova_destroy(dev, &slot->state, slot->bytes, slot->dir, 0);
		else {
			dma_iova_unlink(dev, &slot->state, 0, slot->bytes, slot->dir, 0);
			dma_iova_free(dev, &slot->state);
		}
	}
}

static void begin(struct machine *machine, struct slot *slot)
{
	*slot = (struct slot){ .kind = (enum kind)(1 + below(machine, KINDS - 1)) };
	slot->pdev = machine->clients[below(machine, 2)];
	slot->bytes = (u64)SZ_16K << below(machine, 8);
	slot->dir = (enum dma_data_direction)below(machine, 3);
	slot->buffer = dmasim_alloc(machine->s, slot->bytes);
	if (slot->buffer == DMASIM_NO_PHYS) {
		slot->kind = NOTHING;
	} else if (!map(machine, slot)) {
		dmasim_free(machine->s, slot->buffer, slot->bytes);
		slot->kind = NOTHING;
	}
}

/* The device uses the mapping; one time in sixteen, after its end. */
static void use(struct machine *machine, const struct slot *slot)
{
	static const u8 zeros[SZ_4K];
	u8 buffer[SZ_4K];
	dma_addr_t dma = slot->dma + below(machine, slot->bytes - SZ_4K);
	u64 bytes = 1 + below(machine, SZ_4K);

	if (below(machine, 2))
		dmasim_dev_write(slot->pdev, dma, zeros, bytes);
	else
		dmasim_dev_read(slot->pdev, dma, buffer, bytes);
}

static void end(struct machine *machine, struct slot *slot)
{
	unmap(machine, slot);
	if (!below(machine, 16))
		use(machine, slot);
	dmasim_free(machine->s, slot->buffer, slot->bytes);
	slot->kind = NOTHING;
}

static void step(struct machine *machine)
{
	static const enum dmasim_fault_point points[] = {
		DMASIM_FAULT_TABLE_PAGE,
		DMASIM_FAULT_IOVA_NODE,
		DMASIM_FAULT_P2P_POOL,
		DMASIM_FAULT_FRAMES,
	};
	struct slot *slot = &machine->slots[below(machine, SLOTS)];
	enum dmasim_fault_point point;

	switch (below(machine, 16)) {
	case 0:
		dmasim_run(machine->s, below(machine, 1000000));
		break;
	case 1:
		/* One of the next few allocations of a kind fails. */
		point = points[below(machine, sizeof(points) / sizeof(points[0]))];
		dmasim_fail(machine->s, point, 1 + below(machine, 6));
		break;
	default:
		if (slot->kind == NOTHING)
			begin(machine, slot);
		else if (below(machine, 3))
			use(machine, slot);
		else
			end(machine, slot);
	}
}

static bool set_up(struct machine *machine, const struct dmasim_config *config)
{
	struct dmasim_endpoint nvme = { .bar = { SZ_16K } };
	struct dmasim_endpoint gpu = { .bar = { SZ_64M } };

	*machine = (struct machine){ .s = dmasim_create(config) };
	if (!machine->s)
		return false;
	machine->clients[0] = dmasim_add_endpoint(machine->s, "00:01.0/00.0/00.0/00.0", &nvme);
	machine->gpu = dmasim_add_endpoint(machine->s, "00:01.0/00.0/01.0/00.0", &gpu);
	machine->clients[1] = dmasim_add_endpoint(machine->s, "00:02.0/00.0", &nvme);
	if (!machine->clients[0] || !machine->gpu || !machine->clients[1])
		return false;
	for (u32 i = 0; i < 2; i++) {
		if (dma_set_mask(&machine->clients[i]->dev, DMA_BIT_MASK(64 - 16 * i)))
			return false;
	}
	return !pci_p2pdma_add_resource(machine->gpu, 0, SZ_16M, 0);
}

static bool play(const char *name, const struct dmasim_config *config)
{
	struct machine machine;

	if (!set_up(&machine, config))
		return false;
	for (u32 i = 0; i < STEPS; i++)
		step(&machine);
	dmasim_fail(machine.s, DMASIM_FAULT_ANY, 0);
	for (u32 i = 0; i < SLOTS; i++) {
		if (machine.slots[i].kind != NOTHING)
			end(&machine, &machine.slots[i]);
	}
	printf("%s 0x%016llx\n", name, dmasim_trace_hash(machine.s));
	dmasim_destroy(machine.s);
	return true;
}

/* With an argument: a file for the traces, to see where two builds part. */
int main(int argc, char **argv)
{
	FILE *trace = argc > 1 ? fopen(argv[1], "w") : NULL;
	bool done;

	done = play("vtd", &(struct dmasim_config){ DMASIM_CONFIG, .seed = 11, .trace_hash = true,
						    .trace = trace });
	done &= play("vtd-small", &(struct dmasim_config){
					  DMASIM_CONFIG, .seed = 12, .trace_hash = true,
					  .trace = trace, .iommu_levels = 3, .iommu_no_1g = true,
					  .iommu_snoop = true, .iommu_incoherent = true,
					  .iotlb_entries = 2, .random_choices = true });
	done &= play("vtd-peers",
		     &(struct dmasim_config){ DMASIM_CONFIG, .seed = 13, .trace_hash = true,
					      .trace = trace, .acs = DMASIM_ACS_OFF,
					      .trace_hops = true });
	done &= play("direct",
		     &(struct dmasim_config){ DMASIM_CONFIG, .seed = 14, .trace_hash = true,
					      .trace = trace, .iommu = DMASIM_NO_IOMMU });
	done &= play("lazy", &(struct dmasim_config){ DMASIM_CONFIG, .seed = 15, .trace_hash = true,
						      .trace = trace, .policy = DMASIM_LAZY });
	done &= play("untrusted",
		     &(struct dmasim_config){ DMASIM_CONFIG, .seed = 16, .trace_hash = true,
					      .trace = trace, .traits = { .untrusted = true } });
	done &= play("not-snooping",
		     &(struct dmasim_config){ DMASIM_CONFIG, .seed = 17, .trace_hash = true,
					      .trace = trace, .iommu = DMASIM_NO_IOMMU,
					      .random_choices = true,
					      .traits = { .no_snoop = true } });
	done &= play("bounced",
		     &(struct dmasim_config){ DMASIM_CONFIG, .seed = 18, .trace_hash = true,
					      .trace = trace, .policy = DMASIM_PASS_THROUGH,
					      .swiotlb = DMASIM_SWIOTLB_FORCE });
	done &= play("exact", &(struct dmasim_config){
				      DMASIM_CONFIG, .seed = 19, .trace_hash = true, .trace = trace,
				      .forcedac = true, .iova_ops = dmasim_iova_exact() });
	done &= play("amd-vi",
		     &(struct dmasim_config){
			     DMASIM_CONFIG, .seed = 20, .trace_hash = true, .trace = trace,
			     .iommu = DMASIM_AMD_VI, .iommu_levels = 6, .forcedac = true,
			     .iommu_caching_mode = true, .iotlb_entries = 8, .walk_entries = 4,
			     .context_entries = 4, .random_choices = true });
	done &= play("smmuv3",
		     &(struct dmasim_config){ DMASIM_CONFIG, .seed = 21, .trace_hash = true,
					      .trace = trace, .iommu = DMASIM_SMMUV3,
					      .forcedac = true, .iommu_incoherent = true,
					      .iotlb_entries = 8, .walk_entries = 4,
					      .context_entries = 4, .random_choices = true });
	done &= play("riscv", &(struct dmasim_config){
				      DMASIM_CONFIG, .seed = 22, .trace_hash = true, .trace = trace,
				      .iommu = DMASIM_RISCV, .iommu_levels = 5, .forcedac = true,
				      .iotlb_entries = 8, .walk_entries = 4, .context_entries = 4,
				      .random_choices = true });
	if (trace)
		fclose(trace);
	return !done;
}
