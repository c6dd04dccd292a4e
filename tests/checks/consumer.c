/* SPDX-License-Identifier: MIT */
/*
 * A program as a user writes it, with the installed headers alone: install.sh and subproject.sh
 * build it in each way there is. Exit status 0: a byte went from a device to memory.
 */
#include <dmasim/dmasim.h>

/* Names that a program may use for itself, though dmasim uses them inside. */
int os_create(void);
int memory_alloc(void);

int os_create(void)
{
	return 0;
}

int memory_alloc(void)
{
	return 0;
}

int main(void)
{
	struct dmasim *s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .seed = 3 });
	struct pci_dev *pdev = dmasim_add_endpoint(s, "00:01.0/00.0",
						   &(struct dmasim_endpoint){ .bar = { SZ_16K } });
	phys_addr_t buffer = dmasim_alloc(s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&pdev->dev, buffer, SZ_4K, DMA_FROM_DEVICE, 0);
	char found[4096];
	int failed;

	if (dma_mapping_error(&pdev->dev, dma))
		return 1;
	failed = dmasim_dev_write(pdev, dma, "a", 1).done != 1;
	failed += *(char *)dmasim_ptr(s, buffer, 1) != 'a';
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	if (dmasim_check_clean(s, found, sizeof(found))) {
		fputs(found, stderr);
		failed++;
	}
	dmasim_destroy(s);
	return failed + os_create() + memory_alloc();
}
