/* SPDX-License-Identifier: MIT */
/*
 * Which CPU a dump is of: the vendor of the first host bridge, or of the CPU's own functions.
 *
 *   00:00.0 Host bridge: ... [AMD/ATI] RD9x0 [1002:5a14]       a chipset's
 *   00:18.0 Host bridge: ... [AMD] Family 15h Processor Function 0 [1022:1600]
 *
 * AMD's CPUs have these in slot 18 of bus 0. Their number tells families before Zen, which forward
 * between host bridges only where a list says so.
 */
#include "hw/config.h"
#include "machine/import.h"

#define NORTHBRIDGE_SLOT 0x18

/* Function 0 of slot 18, by the names that pci.ids has for them. */
static const struct {
	u16 device;
	u16 family;
} before_zen[] = {
	{ 0x1100, 0x0f }, { 0x1200, 0x10 }, { 0x1300, 0x11 }, { 0x1700, 0x12 }, { 0x1400, 0x15 },
	{ 0x141a, 0x15 }, { 0x1570, 0x15 }, { 0x1600, 0x15 }, { 0x1530, 0x16 }, { 0x1580, 0x16 },
};

static const struct import_function *northbridge(const struct import *import)
{
	const struct import_function *function;
	const struct import_root *root = TAILQ_FIRST(&import->roots);

	TAILQ_FOREACH(function, &root->functions, below) {
		if (!function->bus && function->devfn == PCI_DEVFN(NORTHBRIDGE_SLOT, 0) &&
		    import_read(function, PCI_VENDOR_ID, 2) == PCI_VENDOR_ID_AMD)
			return function;
	}
	return NULL;
}

static enum dmasim_cpu infer_cpu(const struct import *import,
				 const struct import_function *northbridge)
{
	const struct import_root *root = TAILQ_FIRST(&import->roots);

	switch (import_read(TAILQ_FIRST(&root->functions), PCI_VENDOR_ID, 2)) {
	case PCI_VENDOR_ID_INTEL:
		return DMASIM_CPU_INTEL;
	case PCI_VENDOR_ID_AMD:
		return DMASIM_CPU_AMD;
	case PCI_VENDOR_ID_HYGON:
		return DMASIM_CPU_HYGON;
	default:
		return northbridge ? DMASIM_CPU_AMD : DMASIM_CPU_OTHER;
	}
}

static u32 infer_family(enum dmasim_cpu cpu, const struct import_function *northbridge)
{
	u32 device = northbridge ? import_read(northbridge, PCI_DEVICE_ID, 2) : 0;

	for (size_t i = 0; i < sizeof(before_zen) / sizeof(before_zen[0]); i++) {
		if (cpu == DMASIM_CPU_AMD && before_zen[i].device == device)
			return before_zen[i].family;
	}
	return machine_cpu_family(cpu);
}

void import_cpu(struct import *import)
{
	const struct import_function *of_cpu = northbridge(import);
	enum dmasim_cpu cpu = import->how.cpu_set ? import->how.cpu : infer_cpu(import, of_cpu);

	import->cpu_vendor = machine_cpu_vendor(cpu);
	import->cpu_family = import->how.cpu_set ? machine_cpu_family(cpu)
						 : infer_family(cpu, of_cpu);
	if (import->how.cpu_set && import->how.cpu_family)
		import->cpu_family = import->how.cpu_family;
}
