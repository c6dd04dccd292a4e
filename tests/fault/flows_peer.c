/* SPDX-License-Identifier: MIT */
/*
 * Peer memory: finding it, lists of it, counting who reaches it, and letting go of it.
 */
#include "fault/flows_inside.h"

enum flow_result flow_p2p_list(struct stage *stage)
{
	unsigned int nents = 0;
	struct scatterlist *sg = pci_p2pmem_alloc_sgl(stage->gpu, &nents, SZ_16K);

	if (!sg)
		return FLOW_REFUSED;
	expect_u64(nents, 1);
	assert_true(is_pci_p2pdma_page(sg_page(sg)));
	pci_p2pmem_free_sgl(stage->gpu, sg);
	return FLOW_DONE;
}

enum flow_result flow_p2p_find(struct stage *stage)
{
	struct device *clients[] = { &stage->nvme->dev, &stage->disk->dev };
	struct pci_dev *found;

	pci_p2pmem_publish(stage->gpu, true);
	found = pci_p2pmem_find_many(clients, 2);
	if (!found)
		return FLOW_REFUSED;
	assert_ptr_equal(found, stage->gpu);
	return FLOW_DONE;
}

static u32 one_class(void *cookie, struct pci_dev *pdev)
{
	(void)cookie, (void)pdev;
	return 0;
}

enum flow_result flow_p2p_table(struct stage *stage)
{
	const struct dmasim_p2p_classes classes = { .count = 1, .of = one_class };
	struct dmasim_p2p_counts counts;
	int err = dmasim_p2p_table(stage->s, &classes, &counts);

	if (err) {
		expect_error(err, -ENOMEM);
		return FLOW_REFUSED;
	}
	/* The host bridge's own function is a client, too. */
	expect_u64(counts.bus_addr, 2);
	expect_u64(counts.thru_host_bridge, 4 + 3);
	expect_u64(counts.not_supported, 0);
	return FLOW_DONE;
}

/* A provider comes and goes with its driver. */
enum flow_result flow_p2p_release(struct stage *stage)
{
	int err = pci_p2pdma_add_resource(stage->gpu, 0, SZ_64K, 0);

	if (!err)
		pci_p2pdma_map_type(pcim_p2pdma_provider(stage->gpu, 0), &stage->nvme->dev);
	dmasim_p2pdma_release(stage->gpu);
	expect_u64(dmasim_in_use(stage->s, DMASIM_FAULT_P2P_PROVIDER), 0);
	expect_u64(dmasim_in_use(stage->s, DMASIM_FAULT_P2P_VERDICT), 0);
	return err ? FLOW_REFUSED : FLOW_DONE;
}
