/* SPDX-License-Identifier: MIT */
/*
 * What a driver asks its kernel for, all of it in a probe, and all of it given back.
 */
#include <dmasim/kernel.h>

#include "fault/flows_inside.h"

struct asked {
	void *piece;
	void *large;
	struct page *page;
	struct sg_table table;
	void *registers;
	int vectors;
	bool handled;
};

static irqreturn_t handler(int irq, void *dev_id)
{
	struct asked *asked = dev_id;

	(void)irq;
	asked->handled = true;
	return IRQ_HANDLED;
}

/* True: it got all. */
static bool ask(struct pci_dev *pdev, struct asked *asked)
{
	asked->piece = kmalloc(100, GFP_KERNEL);
	asked->large = kmalloc(5000, GFP_KERNEL);
	asked->page = alloc_pages(GFP_KERNEL, 1);
	asked->registers = pci_iomap(pdev, 0, 0);
	if (sg_alloc_table(&asked->table, 300, GFP_KERNEL))
		asked->table.sgl = NULL;
	asked->vectors = pci_alloc_irq_vectors(pdev, 2, 2, PCI_IRQ_MSIX);
	if (asked->vectors == 2 && !request_threaded_irq((unsigned int)pci_irq_vector(pdev, 1),
							 handler, NULL, 0, "flow", asked)) {
		assert_true(dmasim_raise_irq(pdev, 1));
		free_irq((unsigned int)pci_irq_vector(pdev, 1), asked);
	}
	return asked->piece && asked->large && asked->page && asked->registers &&
	       asked->table.sgl && asked->handled;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct asked asked = { 0 };
	bool got = ask(pdev, &asked);

	(void)id;
	if (asked.vectors > 0)
		pci_free_irq_vectors(pdev);
	else
		expect_error(asked.vectors, -ENOMEM);
	if (asked.table.sgl)
		sg_free_table(&asked.table);
	iounmap(asked.registers);
	if (asked.page)
		__free_pages(asked.page, 1);
	kfree(asked.large);
	kfree(asked.piece);
	return got ? 0 : -ENOMEM;
}

enum flow_result flow_driver(struct stage *stage)
{
	const struct pci_device_id ids[] = {
		{ stage->nvme->vendor, PCI_ANY_ID, PCI_ANY_ID, PCI_ANY_ID, 0, 0, 0 },
		{ 0 },
	};
	struct pci_driver driver = { .name = "flow", .id_table = ids, .probe = probe };
	struct dmasim *before = dmasim_enter(stage->s);
	int err = pci_register_driver(&driver);
	bool bound = stage->nvme->driver && stage->gpu->driver && stage->disk->driver;

	if (err)
		expect_error(err, -ENOMEM);
	else
		pci_unregister_driver(&driver);
	dmasim_enter(before);
	return bound ? FLOW_DONE : FLOW_REFUSED;
}
