/* SPDX-License-Identifier: MIT */
#include "machine/machine.h"

phys_addr_t dmasim_alloc(struct dmasim *s, u64 bytes)
{
	machine_exists(s);
	DMASIM_CONTRACT(bytes, "an allocation has a size");
	return platform_frames_alloc(&s->platform, DMASIM_FAULT_FRAMES,
				     (bytes + FRAME_BYTES - 1) >> FRAME_SHIFT);
}

void dmasim_free(struct dmasim *s, phys_addr_t phys, u64 bytes)
{
	machine_exists(s);
	check_memory_freed(&s->check, phys, bytes);
	s->platform.ops->frames_free(s, DMASIM_FAULT_FRAMES, phys,
				     (bytes + FRAME_BYTES - 1) >> FRAME_SHIFT);
}

static void *in_extent(struct ram *ram, phys_addr_t at, u64 bytes)
{
	struct ram_extent *extent = ram_touch(ram, at);
	u64 within;

	if (!extent)
		return NULL;
	within = at - extent->start;
	return extent->bytes - within >= bytes ? extent->host + within : NULL;
}

void *dmasim_ptr(struct dmasim *s, phys_addr_t phys, u64 bytes)
{
	struct hw_target target;
	struct ram *memory;

	machine_exists(s);
	target = hw_phys_target(&s->hw, phys);
	if (target.kind == HW_TARGET_RAM)
		return in_extent(&s->hw.ram, phys, bytes);
	if (target.kind != HW_TARGET_BAR)
		return NULL;
	memory = hw_bar_memory(target.function, target.bar);
	return memory ? in_extent(memory, target.offset, bytes) : NULL;
}

phys_addr_t dmasim_virt_to_phys(struct dmasim *s, const void *ptr)
{
	machine_exists(s);
	return s->platform.ops->phys(s, ptr);
}

/* Of memory with two addresses nobody can tell who writes there. */
static void forget_twice(struct dmasim *s, phys_addr_t phys)
{
	struct ram_extent *extent;

	if (!ram_is_adopted_twice(&s->hw.ram, phys))
		return;
	LIST_FOREACH(extent, &s->hw.ram.adopted, host_link.adopted_link) {
		if (extent->twice)
			check_memory_gone(&s->check, extent->start, extent->bytes);
	}
}

phys_addr_t dmasim_adopt(struct dmasim *s, void *ptr, u64 bytes)
{
	phys_addr_t phys;

	machine_exists(s);
	DMASIM_CONTRACT(ptr && bytes, "adopted memory has an address and a size");
	DMASIM_CONTRACT((uintptr_t)ptr + (bytes - 1) >= (uintptr_t)ptr && bytes < 1ULL << 50,
			"adopted memory is memory");
	phys = s->next_adopted + ((uintptr_t)ptr & (FRAME_BYTES - 1));
	if (ram_adopt(&s->hw.ram, phys, ptr, bytes))
		return DMASIM_NO_PHYS;
	forget_twice(s, phys);
	memory_kinds_add(&s->check.kinds, phys, ptr, bytes);
	/* A page in between: a device that runs over the end meets nobody. */
	s->next_adopted = ((phys + bytes + FRAME_BYTES - 1) & ~(FRAME_BYTES - 1)) + FRAME_BYTES;
	return phys;
}

void dmasim_unadopt(struct dmasim *s, phys_addr_t phys)
{
	machine_exists(s);
	check_memory_freed(&s->check, phys, ram_adopted_bytes(&s->hw.ram, phys));
	check_memory_gone(&s->check, phys, ram_adopted_bytes(&s->hw.ram, phys));
	ram_unadopt(&s->hw.ram, phys);
	memory_kinds_drop(&s->check.kinds, phys);
	platform_forget(&s->platform);
}

struct page *dmasim_page(struct dmasim *s, phys_addr_t phys)
{
	machine_exists(s);
	return page_at(s->os, phys);
}

u64 dmasim_read(struct dmasim *s, phys_addr_t phys, void *to, u64 bytes)
{
	machine_exists(s);
	return hw_cpu_read(&s->hw, phys, to, bytes);
}

u64 dmasim_write(struct dmasim *s, phys_addr_t phys, const void *from, u64 bytes)
{
	u64 done;

	machine_exists(s);
	done = hw_cpu_write(&s->hw, phys, from, bytes);
	check_cpu_wrote(&s->check, phys, done);
	return done;
}
