/* SPDX-License-Identifier: MIT */
#include "hw/engine.h"

#include "hw/ats.h"
#include "hw/engine_trace.h"

/* What one side of a transfer holds: exactly one of the two is set. */
struct side {
	u8 *to;
	const u8 *from;
};

/* Largest TLP of the function: 128 bytes times a power of two, from its Express capability. */
static u32 tlp_bytes(const struct hw_function *function, bool write)
{
	u32 control;

	if (!function->express_at)
		return 128;
	control = hw_config_read(function, function->express_at + PCI_EXP_DEVCTL, 2);
	if (write)
		return 128U << ((control & PCI_EXP_DEVCTL_PAYLOAD) >> PCI_EXP_DEVCTL_PAYLOAD_SHIFT);
	return 128U << ((control & PCI_EXP_DEVCTL_READRQ) >> PCI_EXP_DEVCTL_READRQ_SHIFT);
}

static bool move_bar(const struct hw_target *target, struct side side, u64 at, u64 bytes)
{
	u64 offset = target->offset + at;

	if (side.to)
		return hw_bar_read(target->function, target->bar, offset, side.to + at, bytes);
	return hw_bar_write(target->function, target->bar, offset, side.from + at, bytes);
}

/* A request that does not look into the CPU's cache, or that does. */
static bool move_ram(struct hw *hw, phys_addr_t phys, struct side side, u64 bytes, bool snoop)
{
	if (!snoop && side.to)
		return hw_cache_read(hw, phys, side.to, bytes) == bytes;
	if (!snoop)
		return hw_cache_write(hw, phys, side.from, bytes) == bytes;
	if (side.to)
		return ram_read(&hw->ram, phys, side.to, bytes) == bytes;
	hw_cache_snooped(hw, phys, side.from, bytes);
	return hw_ram_write(hw, phys, side.from, bytes) == bytes;
}

/*
 * Moves one stretch that goes to one place. from: the device, NULL: the CPU. `tlp` cuts what a BAR
 * with behaviour sees.
 */
static bool move(struct hw *hw, const struct hw_function *from, const struct hw_target *target,
		 struct side side, u64 bytes, u64 tlp)
{
	switch (target->kind) {
	case HW_TARGET_RAM:
		if (!from)
			return side.to ? ram_read(&hw->ram, target->phys, side.to, bytes) == bytes
				       : ram_write(&hw->ram, target->phys, side.from, bytes) ==
						 bytes;
		return move_ram(hw, target->phys, side, bytes, !from->traits.no_snoop);
	case HW_TARGET_BAR:
		for (u64 at = 0; at < bytes; at += tlp) {
			if (!move_bar(target, side, at, bytes - at < tlp ? bytes - at : tlp))
				return false;
		}
		return true;
	case HW_TARGET_INTERRUPT:
		hw->costs.interrupts++;
		return true;
	default:
		return false;
	}
}

static void count_tlps(struct hw *hw, const struct hw_target *target, u64 tlps)
{
	hw->costs.tlps += tlps;
	/* The route was asked for the first TLP only; the others find its translation cached. */
	if (!target->iommu || target->kind == HW_TARGET_FAULT)
		return;
	if (target->translated)
		hw->costs.device_tlb_hits += tlps - 1;
	else if (!target->as_it_is)
		hw->costs.iotlb_hits += tlps - 1;
	if (target->iommu->context_cache.entry)
		hw->costs.context_hits += tlps - 1;
	if (target->iommu->scalable && target->iommu->pasid_cache.entry)
		hw->costs.pasid_hits += tlps - 1;
}

static enum hw_transfer_status status_of(const struct hw_target *target)
{
	switch (target->kind) {
	case HW_TARGET_FAULT:
		return HW_TRANSFER_FAULT;
	case HW_TARGET_BLOCKED:
		return HW_TRANSFER_BLOCKED;
	default:
		return HW_TRANSFER_UNSUPPORTED;
	}
}

static bool refused(const struct hw_target *target)
{
	return target->kind == HW_TARGET_FAULT || target->kind == HW_TARGET_UNSUPPORTED ||
	       target->kind == HW_TARGET_BLOCKED;
}

static void tell(struct hw *hw, const struct hw_access *access)
{
	const struct hw_hooks *hooks = &hw->hooks;

	engine_trace(&hw->world->trace, access);
	if (refused(access->target)) {
		if (hooks->refused)
			hooks->refused(hooks->cookie, access);
	} else if (hooks->access) {
		hooks->access(hooks->cookie, access);
	}
}

static struct hw_transfer transfer(struct hw_function *function, const struct hw_prefix *prefix,
				   u64 address, struct side side, u64 bytes)
{
	struct hw *hw = function->hw;
	struct hw_transfer result = { .status = HW_TRANSFER_DONE, .address = address };
	bool write = side.from != NULL;
	u64 tlp = tlp_bytes(function, write);

	if (!function->master_enabled) {
		result.status = HW_TRANSFER_NOT_MASTER;
		return result;
	}
	while (result.done < bytes) {
		struct hw_request request = { .from = function,
					      .address = address + result.done,
					      .write = write,
					      .prefix = prefix ? *prefix
							       : (struct hw_prefix){ 0 } };
		struct hw_target target = function->ats_enabled ? hw_ats_route(hw, &request)
								: hw_route(hw, &request, NULL);
		u64 run = bytes - result.done;
		struct side here = {
			side.to ? side.to + result.done : NULL,
			side.from ? side.from + result.done : NULL,
		};

		if (run > target.run_bytes)
			run = target.run_bytes;
		result.address = request.address;
		result.fault = target.fault;
		count_tlps(hw, &target, refused(&target) ? 1 : (run + tlp - 1) / tlp);
		if (refused(&target)) {
			tell(hw,
			     &(struct hw_access){ function, request.address, run, write, &target });
			result.status = status_of(&target);
			return result;
		}
		if (!move(hw, function, &target, here, run, tlp)) {
			result.status = HW_TRANSFER_NO_MEMORY;
			return result;
		}
		tell(hw, &(struct hw_access){ function, request.address, run, write, &target });
		result.done += run;
	}
	return result;
}

struct hw_transfer hw_engine_read(struct hw_function *function, u64 address, void *to, u64 bytes)
{
	return transfer(function, NULL, address, (struct side){ .to = to }, bytes);
}

struct hw_transfer hw_engine_write(struct hw_function *function, u64 address, const void *from,
				   u64 bytes)
{
	return transfer(function, NULL, address, (struct side){ .from = from }, bytes);
}

struct hw_transfer hw_engine_read_as(struct hw_function *function, const struct hw_prefix *prefix,
				     u64 address, void *to, u64 bytes)
{
	return transfer(function, prefix, address, (struct side){ .to = to }, bytes);
}

struct hw_transfer hw_engine_write_as(struct hw_function *function, const struct hw_prefix *prefix,
				      u64 address, const void *from, u64 bytes)
{
	return transfer(function, prefix, address, (struct side){ .from = from }, bytes);
}

static u64 cpu_access(struct hw *hw, phys_addr_t phys, struct side side, u64 bytes)
{
	u64 done = 0;

	while (done < bytes) {
		struct hw_target target = hw_phys_target(hw, phys + done);
		u64 run = bytes - done < target.run_bytes ? bytes - done : target.run_bytes;
		struct side here = {
			side.to ? side.to + done : NULL,
			side.from ? side.from + done : NULL,
		};

		if (refused(&target) || !move(hw, NULL, &target, here, run, 4096))
			break;
		done += run;
	}
	return done;
}

u64 hw_cpu_read(struct hw *hw, phys_addr_t phys, void *to, u64 bytes)
{
	return cpu_access(hw, phys, (struct side){ .to = to }, bytes);
}

u64 hw_cpu_write(struct hw *hw, phys_addr_t phys, const void *from, u64 bytes)
{
	return cpu_access(hw, phys, (struct side){ .from = from }, bytes);
}
