/* SPDX-License-Identifier: MIT */
/*
 * ioremap(): cookies for the memory of devices.
 *
 * A cookie looks like a pointer, so that drivers can add offsets to it, but leads nowhere in the
 * process: it is in the half of the address space that the host's kernel has. Only the calls of
 * io.h take it.
 */
#include <string.h>

#include "machine/machine.h"

/* 32-bit hosts have 1 GiB of cookies, others 32 TiB. */
#define WIDE	       (UINTPTR_MAX > 0xffffffffU)
#define COOKIES_START  ((uintptr_t)(WIDE ? 0xffffc00000000000ULL : 0xc0000000ULL))
#define COOKIES_BYTES  ((uintptr_t)(WIDE ? 1ULL << 45 : 0x3fff0000ULL))
#define PAGE_MASK_BITS ((uintptr_t)PAGE_SIZE - 1)

struct kernel_map {
	RB_ENTRY(kernel_map) by_cookie;
	uintptr_t cookie;
	size_t bytes;
	phys_addr_t phys;
};

static int compare_cookie(struct kernel_map *a, struct kernel_map *b)
{
	return (a->cookie > b->cookie) - (a->cookie < b->cookie);
}

RB_PROTOTYPE(kernel_map_tree, kernel_map, by_cookie, compare_cookie)
RB_GENERATE(kernel_map_tree, kernel_map, by_cookie, compare_cookie)

static struct kernel_map *map_at(struct dmasim *s, uintptr_t cookie)
{
	struct kernel_map *map = RB_ROOT(&s->kernel.maps);

	while (map && cookie - map->cookie >= map->bytes)
		map = cookie < map->cookie ? RB_LEFT(map, by_cookie) : RB_RIGHT(map, by_cookie);
	return map;
}

/* Cookies are not used twice: one that was given back leads nowhere for good. 0: none left. */
static uintptr_t new_cookie(struct dmasim *s, phys_addr_t phys, size_t size)
{
	struct kernel *kernel = &s->kernel;
	uintptr_t offset = (uintptr_t)phys & PAGE_MASK_BITS;
	uintptr_t span = (offset + size + PAGE_MASK_BITS) & ~PAGE_MASK_BITS;
	uintptr_t cookie;

	/* A page between two: running over the end of one does not reach the next. */
	if (span < size || span + PAGE_SIZE > COOKIES_BYTES - kernel->next_cookie)
		return 0;
	cookie = COOKIES_START + kernel->next_cookie + offset;
	kernel->next_cookie += span + PAGE_SIZE;
	return cookie;
}

void *ioremap(phys_addr_t phys, size_t size)
{
	struct dmasim *s = kernel_machine();
	struct kernel_map *map;

	if (!size || phys + size < phys)
		return NULL;
	if (hw_phys_target(&s->hw, phys).kind == HW_TARGET_RAM) {
		kernel_misuse(s, NULL, phys, "ioremap() of RAM");
		return NULL;
	}
	map = kernel_record(s, sizeof(*map));
	if (!map)
		return NULL;
	map->phys = phys;
	map->bytes = size;
	map->cookie = new_cookie(s, phys, size);
	if (!map->cookie) {
		memory_free(&s->world.memory, map);
		return NULL;
	}
	RB_INSERT(kernel_map_tree, &s->kernel.maps, map);
	return (void *)map->cookie;
}

void iounmap(volatile void *addr)
{
	struct dmasim *s = kernel_machine();
	struct kernel_map *map = map_at(s, (uintptr_t)addr);

	if (!addr)
		return;
	if (!map || map->cookie != (uintptr_t)addr) {
		kernel_misuse(s, NULL, (uintptr_t)addr, "iounmap() of what is not mapped");
		return;
	}
	RB_REMOVE(kernel_map_tree, &s->kernel.maps, map);
	memory_free(&s->world.memory, map);
}

void *pci_iomap(struct pci_dev *pdev, int bar, unsigned long maxlen)
{
	resource_size_t bytes;

	if (bar < 0 || bar >= PCI_STD_NUM_BARS || !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
		return NULL;
	bytes = pci_resource_len(pdev, bar);
	if (maxlen && maxlen < bytes)
		bytes = maxlen;
	if (bytes > SIZE_MAX)
		return NULL;
	return ioremap(pci_resource_start(pdev, bar), (size_t)bytes);
}

/* Where [cookie, cookie + bytes) leads to; false, and a report: nowhere. */
static bool resolve(struct dmasim *s, const volatile void *addr, size_t bytes, phys_addr_t *phys)
{
	const struct kernel_map *map = map_at(s, (uintptr_t)addr);
	uintptr_t offset = map ? (uintptr_t)addr - map->cookie : 0;

	if (!map || map->bytes - offset < bytes) {
		kernel_misuse(
			s, NULL, (uintptr_t)addr,
			"an access to a device through a pointer that ioremap() did not give");
		return false;
	}
	*phys = map->phys + offset;
	return true;
}

void dmasim_io_read(const volatile void *addr, void *to, size_t bytes)
{
	struct dmasim *s = kernel_machine();
	phys_addr_t phys;
	u64 done = 0;

	if (resolve(s, addr, bytes, &phys))
		done = dmasim_read(s, phys, to, bytes);
	/* Nobody answers: the wires stay up. */
	memset((u8 *)to + done, 0xff, bytes - (size_t)done);
}

void dmasim_io_write(volatile void *addr, const void *from, size_t bytes)
{
	struct dmasim *s = kernel_machine();
	phys_addr_t phys;

	if (resolve(s, addr, bytes, &phys))
		dmasim_write(s, phys, from, bytes);
}
