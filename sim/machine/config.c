/* SPDX-License-Identifier: MIT */
/*
 * A machine's configuration: what is left at 0, and what no machine can be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/walker.h>

#include "machine/arch.h"
#include "machine/machine.h"
#include "machine/own_walker.h"
#include "pci/acs.h"

#define DEFAULT_RAM_BYTES   (16ULL << 30)
#define RAM_BYTES_MIN	    (2ULL << 20)
#define MAX_RAM_BYTES	    (1ULL << 50)
#define DEFAULT_CPUS	    4
#define CPUS_MAX	    64
#define IOTLB_ENTRIES_MAX   (1U << 20)
#define CONTEXT_ENTRIES_MAX (1U << 16) /* one for each requester */

/* The environment is read here and nowhere else. */
bool dmasim_env_seed(u64 *seed)
{
	const char *text = getenv("DMASIM_SEED");
	char *end;

	*seed = 1;
	if (!text || !*text)
		return true;
	errno = 0;
	*seed = strtoull(text, &end, 0);
	/* strtoull() would take a sign, and blanks before it. */
	return *text >= '0' && *text <= '9' && !*end && !errno && *seed;
}

static u64 seed_from_environment(void)
{
	u64 seed;
	bool is_number = dmasim_env_seed(&seed);

	DMASIM_CONTRACT(is_number, "DMASIM_SEED is a number of 64 bits, not 0");
	return seed;
}

static bool is_power_of_two(u64 value)
{
	return value && !(value & (value - 1));
}

static bool is_whole(const struct iova_allocator_ops *ops)
{
	return ops->size == sizeof(*ops) && ops->create && ops->destroy && ops->alloc &&
	       ops->free && ops->reserve;
}

static bool is_whole_format(const struct pgtable_ops *ops)
{
	return ops->size == sizeof(*ops) && ops->init && ops->fini && ops->map && ops->unmap &&
	       ops->iova_to_phys;
}

/* Page tables of the program's own. */
static void check_tables(const struct dmasim_config *config)
{
	const struct machine_arch *arch = machine_arch(config->iommu);
	const struct dmasim_walker_ops *walker = config->walker_ops;

	DMASIM_CONTRACT(!config->pgtable_format == !walker,
			"a page-table format and its walker come together");
	if (!walker)
		return;
	DMASIM_CONTRACT(is_whole_format(config->pgtable_format),
			"a page-table format has its size, init, fini, map, unmap, iova_to_phys");
	DMASIM_CONTRACT(walker->size == sizeof(*walker) && walker->walk,
			"a walker has its size, by DMASIM_WALKER_OPS, and walk");
	DMASIM_CONTRACT(machine_takes_own_walker(arch->hw),
			"VT-d and AMD-Vi units take a walker of your own");
	DMASIM_CONTRACT(!config->iommu_scalable, "in scalable mode tables are VT-d's");
	DMASIM_CONTRACT(!config->walk_entries, "a walk cache knows the steps of our walkers alone");
}

static void check_iommu(const struct dmasim_config *config)
{
	const struct machine_arch *arch = machine_arch(config->iommu);

	DMASIM_CONTRACT(config->iommu_levels >= arch->levels_min &&
				config->iommu_levels <= arch->levels_max,
			arch->levels_rule);
	DMASIM_CONTRACT(config->iotlb_entries <= IOTLB_ENTRIES_MAX,
			"an IOTLB has at most 2^20 entries");
	DMASIM_CONTRACT(config->iotlb_ways <= IOTLB_ENTRIES_MAX, "an IOTLB has at most 2^20 ways");
	DMASIM_CONTRACT(config->walk_entries <= IOTLB_ENTRIES_MAX,
			"a walk cache has at most 2^20 entries of a level");
	DMASIM_CONTRACT(!config->iommu_scalable || arch->scalable, "scalable mode is VT-d's");
	DMASIM_CONTRACT(!config->iommu_first_stage || config->iommu_scalable,
			"a first stage is scalable mode's");
	DMASIM_CONTRACT(!config->iommu_first_stage || config->iommu_levels >= 4,
			"a first stage has 4 or 5 levels");
	DMASIM_CONTRACT(!config->iommu_caching_mode || !arch->no_caching_mode,
			"caching mode is VT-d's and AMD's");
	DMASIM_CONTRACT(!config->iommu_snoop || !arch->no_snoop_control,
			"snoop control is VT-d's and AMD's");
	DMASIM_CONTRACT(!config->riscv_without || config->iommu == DMASIM_RISCV,
			"only a RISC-V IOMMU can be without what those have");
	DMASIM_CONTRACT(!(config->riscv_without & ~(u32)DMASIM_RISCV_EVERYTHING),
			"riscv_without is of enum dmasim_riscv");
	DMASIM_CONTRACT(!config->smmu_no_range || config->iommu == DMASIM_SMMUV3,
			"range invalidation is SMMUv3's");
	DMASIM_CONTRACT(config->pasid_entries <= CONTEXT_ENTRIES_MAX,
			"a PASID cache has at most 2^16 entries");
	DMASIM_CONTRACT(config->context_entries <= CONTEXT_ENTRIES_MAX,
			"a context cache has at most 2^16 entries");
	DMASIM_CONTRACT(!arch->address_bits || config->ram_bytes >> (arch->address_bits - 2) == 0,
			"RAM fits into a quarter of what the IOMMU's entries can address");
}

/* Before there is anything that a handler which jumps out would leave behind. */
static void check_config(const struct dmasim_config *config)
{
	DMASIM_CONTRACT(!config->iova_ops || is_whole(config->iova_ops),
			"a table of IOVA functions has its size and all of them");
	DMASIM_CONTRACT(config->policy <= DMASIM_PASS_THROUGH,
			"the policy is one of enum dmasim_policy");
	DMASIM_CONTRACT(config->swiotlb <= DMASIM_SWIOTLB_FORCE,
			"swiotlb is one of enum dmasim_swiotlb");
	DMASIM_CONTRACT(config->cpu <= DMASIM_CPU_OTHER, "the CPU is one of enum dmasim_cpu");
	DMASIM_CONTRACT(config->acs <= DMASIM_ACS_ABSENT, "ACS is one of enum dmasim_acs");
	DMASIM_CONTRACT(config->forwarding <= DMASIM_FORWARDING_NONE,
			"forwarding is one of enum dmasim_forwarding");
	check_iommu(config);
	DMASIM_CONTRACT(config->ram_bytes % SZ_1M == 0, "RAM is a multiple of 1 MiB");
	DMASIM_CONTRACT(config->ram_bytes >= RAM_BYTES_MIN && config->ram_bytes <= MAX_RAM_BYTES,
			"a machine has 2 MiB to 1 PiB of RAM");
	DMASIM_CONTRACT(config->cpus <= CPUS_MAX, "a machine has 1 to 64 CPUs");
	DMASIM_CONTRACT(is_power_of_two(config->swiotlb_bytes) && config->swiotlb_bytes >= SZ_1M &&
				config->swiotlb_bytes <= SZ_64M,
			"a bounce pool has a power of two of bytes, 1 to 64 MiB");
	DMASIM_CONTRACT(!config->swiotlb_areas || is_power_of_two(config->swiotlb_areas),
			"a bounce pool has a power of two of areas");
	DMASIM_CONTRACT(config->group_policy <= DMASIM_GROUPS_STRICT,
			"the policy of groups is one of enum dmasim_group_policy");
	DMASIM_CONTRACT(config->watch_bytes <= SZ_1G, "of a mapping at most 1 GiB is compared");
	DMASIM_CONTRACT(config->poison <= DMASIM_POISON_ALL, "poison is one of enum dmasim_poison");
	DMASIM_CONTRACT(pci_acs_redir_is_valid(config->disable_acs_redir),
			"disable_acs_redir looks like 0000:3a:00.0;00:1c.0/00.0");
	DMASIM_CONTRACT(pci_acs_config_is_valid(config->config_acs),
			"config_acs looks like 1x0@0000:3a:00.0;0001@00:1c.0/00.0");
	check_tables(config);
	DMASIM_CONTRACT(config->bugs < 1U << DMASIM_BUG_COUNT, "bugs are of enum dmasim_bug");
}

enum platform_cpu_vendor machine_cpu_vendor(enum dmasim_cpu cpu)
{
	static const enum platform_cpu_vendor vendors[] = {
		[DMASIM_CPU_INTEL] = PLATFORM_CPU_INTEL,
		[DMASIM_CPU_AMD] = PLATFORM_CPU_AMD,
		[DMASIM_CPU_HYGON] = PLATFORM_CPU_HYGON,
		[DMASIM_CPU_OTHER] = PLATFORM_CPU_OTHER,
	};

	return vendors[cpu];
}

u32 machine_cpu_family(enum dmasim_cpu cpu)
{
	return cpu == DMASIM_CPU_INTEL ? 6 : 0x17;
}

void machine_read_config(struct dmasim_config *to, const struct dmasim_config *from)
{
	const struct machine_arch *arch;

	*to = (struct dmasim_config){ 0 };
	if (from) {
		DMASIM_CONTRACT(from->size >= sizeof(from->size) && from->size <= sizeof(*to),
				"a configuration begins with DMASIM_CONFIG");
		memcpy(to, from, from->size);
	}
	if (!to->seed)
		to->seed = seed_from_environment();
	if (!to->ram_bytes)
		to->ram_bytes = DEFAULT_RAM_BYTES;
	arch = machine_arch(to->iommu);
	DMASIM_CONTRACT(arch, "the IOMMU is one of enum dmasim_iommu");
	if (!to->iommu_levels)
		to->iommu_levels = arch->levels;
	if (!to->iotlb_entries)
		to->iotlb_entries = 64;
	if (!to->iotlb_ways)
		to->iotlb_ways = IOTLB_WAYS;
	if (to->cpu == DMASIM_CPU_INTEL)
		to->cpu = arch->cpu;
	if (!to->cpu_family)
		to->cpu_family = machine_cpu_family(to->cpu);
	if (!to->cpus)
		to->cpus = DEFAULT_CPUS;
	if (!to->watch_bytes)
		to->watch_bytes = MACHINE_WATCH_BYTES;
	if (!to->swiotlb_bytes)
		to->swiotlb_bytes = SZ_64M;
	to->abort_on_report |= machine_env_abort();
	check_config(to);
}
