/* SPDX-License-Identifier: MIT */
/*
 * What is done to ACS at boot (facts "dma-api" 18.4 and 19.3): with an IOMMU what isolates is
 * switched on, if the machine is to do that; then what the command line says, in any case.
 */
#include "pci/acs.h"
#include "pci/acs_param.h"

/* Intel's chipsets: the LPC bridge tells where the root complex's registers are. */
#define INTEL_LPC_DEVFN	  PCI_DEVFN(0x1f, 0)
#define INTEL_LPC_RCBA	  0xf0
#define INTEL_RCBA_ENABLE 0x1
/* A root port's own switch for peer requests. */
#define INTEL_MPC	  0xd8
#define INTEL_MPC_IRBNCE  (1U << 26)

/* Off is what is told: a register of zeros is one that a recording does not have. */
static bool rcba_is_off(const struct pci_dev *port)
{
	const struct pci_dev *other = port->bus->devices;
	u32 rcba;

	while (other && other->devfn != INTEL_LPC_DEVFN)
		other = other->sibling;
	rcba = other ? pci_config_read(other, INTEL_LPC_RCBA, 4) : 0;
	return rcba && !(rcba & INTEL_RCBA_ENABLE);
}

/*
 * The registers behind RCBA are not modelled: what counts is whether Linux would find them, and
 * the port's own.
 */
static void enable_intel_pch(struct pci_dev *pdev)
{
	u32 mpc;

	if (rcba_is_off(pdev))
		return;
	mpc = pci_config_read(pdev, INTEL_MPC, 4);
	if (!(mpc & INTEL_MPC_IRBNCE))
		pci_config_write(pdev, INTEL_MPC, 4, mpc | INTEL_MPC_IRBNCE);
	pdev->acs_quirk_on = true;
}

/* Translation blocking is for devices that anybody may have plugged in. */
static u32 wanted_bits(const struct pci_dev *pdev, u32 capability)
{
	return capability & (PCI_ACS_ISOLATION | (pdev->dev.untrusted ? PCI_ACS_TB : 0));
}

static void enable_intel_spt(struct pci_dev *pdev)
{
	u32 at = pdev->acs_cap;
	u32 capability = pci_config_read(pdev, at + PCI_ACS_CAP, 4);
	u32 control = pci_config_read(pdev, at + PCI_ACS_SPT_CTRL, 4);

	pci_config_write(pdev, at + PCI_ACS_SPT_CTRL, 4, control | wanted_bits(pdev, capability));
}

static void enable(struct pci_dev *pdev)
{
	u16 control = pci_acs_control(pdev);
	u16 wanted = (u16)wanted_bits(pdev, pdev->acs_capabilities);

	if (pci_acs_is_intel_pch(pdev))
		enable_intel_pch(pdev);
	else if (pci_acs_is_intel_spt(pdev) && pdev->acs_cap)
		enable_intel_spt(pdev);
	else if (pdev->acs_cap && wanted & ~control)
		pci_config_write(pdev, pdev->acs_cap + PCI_ACS_CTRL, 2, control | wanted);
}

/* From what firmware left, for all bits that the command line does not name. */
static void apply(struct pci_dev *pdev, struct acs_change change, u16 firmware)
{
	if (change.named && pdev->acs_cap)
		pci_config_write(pdev, pdev->acs_cap + PCI_ACS_CTRL, 2,
				 (firmware & ~change.named) | change.value);
}

static void disable_redirect(struct pci_dev *pdev, struct acs_change change, u16 firmware)
{
	u32 at = pdev->acs_cap + PCI_ACS_SPT_CTRL;

	if (!change.named || !pci_acs_is_intel_spt(pdev) || !pdev->acs_cap) {
		apply(pdev, change, firmware);
		return;
	}
	pci_config_write(pdev, at, 4, pci_config_read(pdev, at, 4) & ~(u32)change.named);
}

static void set_up(struct os *os, struct pci_dev *pdev)
{
	u16 firmware = pci_acs_control(pdev);

	if (os->firmware->iommu_count && os->acs_enable)
		enable(pdev);
	else if (os->firmware->iommu_count && pci_acs_is_intel_pch(pdev))
		pdev->acs_quirk_on = true;
	disable_redirect(pdev, acs_param_redir(os->disable_acs_redir, pdev), firmware);
	apply(pdev, acs_param_config(os->config_acs, pdev), firmware);
	pdev->acs_set_up = true;
}

void pci_acs_set_up(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		if (!pdev->acs_set_up)
			set_up(os, pdev);
	}
}
