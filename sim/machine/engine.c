/* SPDX-License-Identifier: MIT */
/*
 * Transfers of devices, as the public API gives them; and recorded faults.
 */
#include "check/fault_text.h"
#include "machine/machine.h"

static const char *const status_words[] = {
	[HW_TRANSFER_DONE] = "done",
	[HW_TRANSFER_NOT_MASTER] = "not-master",
	[HW_TRANSFER_UNSUPPORTED] = "unsupported",
	[HW_TRANSFER_FAULT] = "fault",
	[HW_TRANSFER_BLOCKED] = "blocked",
	[HW_TRANSFER_NO_MEMORY] = "no-memory",
};

static void trace_transfer(struct dmasim *s, const char *name, const struct pci_dev *pdev,
			   u64 bytes, const struct hw_transfer *result, u64 dma)
{
	struct trace *trace = &s->world.trace;

	if (!trace_begin(trace, name))
		return;
	trace_bdf(trace, "dev", pdev->dev.id);
	trace_hex(trace, "dma", dma);
	trace_dec(trace, "size", bytes);
	trace_dec(trace, "done", result->done);
	trace_word(trace, "status", status_words[result->status]);
	trace_end(trace);
}

static struct dmasim_transfer told(const struct hw_transfer *result)
{
	static const enum dmasim_transfer_status statuses[] = {
		[HW_TRANSFER_DONE] = DMASIM_DONE,
		[HW_TRANSFER_NOT_MASTER] = DMASIM_NOT_MASTER,
		[HW_TRANSFER_UNSUPPORTED] = DMASIM_UNSUPPORTED_REQUEST,
		[HW_TRANSFER_FAULT] = DMASIM_IOMMU_FAULT,
		[HW_TRANSFER_BLOCKED] = DMASIM_ACS_VIOLATION,
		[HW_TRANSFER_NO_MEMORY] = DMASIM_HOST_MEMORY,
	};

	return (struct dmasim_transfer){
		.status = statuses[result->status],
		.done = result->done,
		.at = result->address,
		.reason = result->fault,
	};
}

struct dmasim_transfer dmasim_dev_read(struct pci_dev *pdev, dma_addr_t dma, void *to, u64 bytes)
{
	struct dmasim *s = machine_of(pdev);
	struct hw_transfer result = { .status = HW_TRANSFER_NO_MEMORY, .address = dma };

	check_settle(&s->check);
	trace_machine(s);
	if (machine_start(s))
		result = hw_engine_read(machine_function(pdev), dma, to, bytes);
	trace_transfer(s, "dev_read", pdev, bytes, &result, dma);
	return told(&result);
}

struct dmasim_transfer dmasim_dev_write(struct pci_dev *pdev, dma_addr_t dma, const void *from,
					u64 bytes)
{
	struct dmasim *s = machine_of(pdev);
	struct hw_transfer result = { .status = HW_TRANSFER_NO_MEMORY, .address = dma };

	check_settle(&s->check);
	trace_machine(s);
	if (machine_start(s))
		result = hw_engine_write(machine_function(pdev), dma, from, bytes);
	trace_transfer(s, "dev_write", pdev, bytes, &result, dma);
	return told(&result);
}

void dmasim_device_hang(struct pci_dev *pdev, bool hang)
{
	machine_of(pdev);
	machine_function(pdev)->hung = hang;
}

static struct hw_iommu *oldest_fault(struct dmasim *s)
{
	struct hw_iommu *oldest = NULL;
	struct hw_iommu *iommu;

	TAILQ_FOREACH(iommu, &s->hw.iommus, link) {
		if (!oldest || hw_fault_oldest(iommu) < hw_fault_oldest(oldest))
			oldest = iommu;
	}
	return oldest;
}

bool dmasim_fault_take(struct dmasim *s, struct dmasim_fault_record *record)
{
	struct hw_fault_record found;
	struct fault_said said;
	struct hw_iommu *iommu;
	struct text text;

	machine_exists(s);
	iommu = oldest_fault(s);
	if (!iommu || !hw_fault_take(iommu, &found))
		return false;
	said = fault_said(iommu, &found);
	*record = (struct dmasim_fault_record){
		.requester = said.requester,
		.address = said.address,
		.write = said.write,
		.reason = said.reason,
		.word = { found.word[0], found.word[1], found.word[2], found.word[3] },
	};
	text_init(&text, record->line, sizeof(record->line));
	fault_text(&text, iommu, &found);
	return true;
}
