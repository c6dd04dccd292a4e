/* SPDX-License-Identifier: MIT */
#include "check/hardware.h"

#include <dmasim/dma.h>

#include "check/fault_text.h"
#include "check/reach.h"
#include "check/stale_text.h"

static void add_label(struct text *text)
{
	text_add(text, "  %-9s ", "hardware");
}

/* ---- What a device did ------------------------------------------------ */

/* What the real driver would log. */
static void add_fault(struct text *text, const struct hw_access *access)
{
	const struct hw_target *target = access->target;
	struct hw_fault_record record;

	/* No reason: the device gave up, and nobody has recorded anything. */
	if (!target->fault) {
		text_add(text, "the device asked for a translation and got none: it sends nothing");
		return;
	}
	record = target->iommu->arch->record(&(struct hw_refusal){
		.requester = target->requester,
		.domain = target->domain,
		.iova = access->address,
		.write = access->write,
		.prefix = target->prefix,
		.code = target->fault,
		.flags = target->fault_flags,
	});
	fault_text(text, target->iommu, &record);
}

/* Why it got there although it should not have. */
static void add_way(struct check *check, struct text *text, const struct finding *finding)
{
	switch (reach_of(check, finding->access, finding->dma)) {
	case REACH_UNGUARDED:
		text_add(text, "no IOMMU looks at it: ");
		break;
	case REACH_PENDING:
	case REACH_STALE:
		text_add(text, "its entry is gone, and a cached one leads there until it is "
			       "invalidated: ");
		break;
	case REACH_DEVICE_TLB:
		text_add(text, "its entry is gone, and the device's own TLB leads there: ");
		break;
	case REACH_ENTRY:
	case REACH_REFUSED:
		text_add(text, "%s: ",
			 finding->piece ? "the entry lets it pass"
					: "an entry of the page table leads there");
		break;
	}
}

static void add_effect(struct check *check, struct text *text, const struct finding *finding)
{
	const struct hw_target *target = finding->access->target;

	if (target->kind == HW_TARGET_RAM && bounces_has(&check->bounces, target->phys)) {
		text_add(text, finding->access->write
				       ? "it writes to a bounce buffer, which nobody copies back"
				       : "it reads a bounce buffer, into which nobody has copied");
		return;
	}
	text_add(text, finding->access->write ? "it overwrites " : "it reads ");
	stale_text_owner(check, text, target);
}

/* It went through. */
static void add_passed(struct check *check, struct text *text, const struct finding *finding)
{
	if (finding->id == DMASIM_REPORT_ACCESS_BEFORE_SYNC) {
		text_add(text, "this unit has read its table afresh; one that keeps what is absent "
			       "would refuse it");
		return;
	}
	if (finding->id == DMASIM_REPORT_SYNC_MISSING) {
		text_add(text, finding->access->write
				       ? "that is in the CPU's cache, and goes over the device's "
					 "bytes whenever its line goes back"
				       : "that is in the CPU's cache: the device reads what was "
					 "there before");
		return;
	}
	add_way(check, text, finding);
	add_effect(check, text, finding);
}

static void add_access(struct check *check, struct text *text, const struct finding *finding)
{
	switch (finding->access->target->kind) {
	case HW_TARGET_FAULT:
		add_fault(text, finding->access);
		break;
	case HW_TARGET_UNSUPPORTED:
		text_add(text, finding->access->write
				       ? "the write is dropped, and its sender is not told"
				       : "the read is answered with an error, and no bytes");
		break;
	case HW_TARGET_BLOCKED:
		text_add(text, "the port drops the request and logs an ACS violation (AER)");
		break;
	default:
		add_passed(check, text, finding);
		break;
	}
}

/* ---- What it would do ------------------------------------------------- */

/* Behind an IOMMU, and where nothing translates; NULL: nothing to say. */
static const struct {
	const char *translated;
	const char *direct;
} would[] = {
	[DMASIM_REPORT_UNMAP_NOT_MAPPED] = { "whoever has the address by then loses the mapping",
					     "caches are cleaned and bounce buffers given back "
					     "that may be another's" },
	[DMASIM_REPORT_UNMAP_FOREIGN] = { "the next request of the mapping's device is refused; "
					  "the IOVA may be handed out "
					  "again",
					  NULL },
	[DMASIM_REPORT_UNMAP_SHORT] = { "no entry was there to clear; the IOVA that the call frees "
					"is free all the same",
					NULL },
	[DMASIM_REPORT_FREE_WITH_LINKS] = { "the device still reaches the memory; the next mapping "
					    "at that IOVA fails "
					    "(-EADDRINUSE)",
					    NULL },
	[DMASIM_REPORT_IOVA_IN_WINDOW] = { "the request ends at a peer's BAR, or nowhere: the "
					   "IOMMU never sees it",
					   NULL },
	[DMASIM_REPORT_STATE_UNKNOWN] = { "entries at IOVAs that nobody has reserved: the next "
					  "owner finds them in use",
					  "there is no page table: a kernel would follow a NULL "
					  "pointer" },
	[DMASIM_REPORT_STATE_ENDED] = { "the IOVA may be another's by now: its entries are "
					"written, or cleared",
					NULL },
	[DMASIM_REPORT_STATE_FOREIGN] = { "the address means something else to this device, or "
					  "nothing",
					  NULL },
	[DMASIM_REPORT_LINK_OUTSIDE] = { "entries of whoever has the IOVA behind the range are "
					 "written, or cleared",
					 NULL },
	[DMASIM_REPORT_BUS_FLAG_LOST] = { "the entries at that address, if there are any, are "
					  "those of another mapping",
					  NULL },
	[DMASIM_REPORT_BUS_ADDRESS_UNMAPPED] = { "it is looked up as an IOVA, and whoever has that "
						 "loses the mapping",
						 "nothing: there is no table to look it up in" },
	[DMASIM_REPORT_PEER_AS_RAM] = { "its entry is one for memory; where the device does not "
					"snoop, caches are flushed for a BAR",
					"where the device does not snoop, caches are flushed for a "
					"BAR; where it bounces, a BAR is copied" },
	[DMASIM_REPORT_LINK_OVERLAP] = { "nothing: Linux refuses the link (-EADDRINUSE)", NULL },
	[DMASIM_REPORT_LINK_MISALIGNED] = { "nothing: Linux refuses the link (-ENXIO, or -EINVAL)",
					    NULL },
	[DMASIM_REPORT_P2P_WRONG_WAY] = { "each request climbs to the root complex and comes down "
					  "again, where that forwards "
					  "it at all",
					  "each request climbs to the root complex and comes down "
					  "again, where that forwards "
					  "it at all" },
	[DMASIM_REPORT_SEGMENT_LENGTH] = { "the device goes on where the peer memory of this entry "
					   "ends, or stops before",
					   "the device goes on where the peer memory of this entry "
					   "ends, or stops before" },
	[DMASIM_REPORT_MAPPING_LEAKED] = { "the entry stays: the device reaches whoever has the "
					   "memory next; IOVA runs out",
					   "a bounce buffer stays lent; behind an IOMMU the memory "
					   "stays reachable" },
	[DMASIM_REPORT_ABSENT_CACHED] = { "the unit may refuse a request although its entry is "
					  "there",
					  NULL },
	[DMASIM_REPORT_STALE_CONTEXT] = { "requests of the device may still go by the old context "
					  "entry",
					  NULL },
	[DMASIM_REPORT_QUEUE_ERROR] = { "the queue stops at this command: no later invalidation is "
					"executed",
					"the queue stops at this command: no later invalidation is "
					"executed" },
	[DMASIM_REPORT_DEVICE_TLB_TIMEOUT] = { "the queue stops, and what the device keeps may "
					       "lead anywhere",
					       "the queue stops, and what the device keeps may "
					       "lead anywhere" },
	[DMASIM_REPORT_DIRECT_REGION] = { "the firmware's own DMA there is refused as soon as "
					  "translation is on",
					  "the firmware's own DMA there is refused as soon as "
					  "translation is on" },
	[DMASIM_REPORT_PEER_RELEASED] = { "its driver may take the BAR away at any time: then "
					  "requests reach nobody",
					  "its driver may take the BAR away at any time: then "
					  "requests reach nobody" },
	[DMASIM_REPORT_PEER_REVOKED] = { "reads of it are answered with an error, writes are "
					 "dropped",
					 "reads of it are answered with an error, writes are "
					 "dropped" },
	[DMASIM_REPORT_MAPPINGS_OVERLAP] = { "ending one mapping may drop from the cache what was "
					     "written through the other",
					     "ending one mapping may drop from the cache what was "
					     "written through the other" },
	[DMASIM_REPORT_STACK_MAPPED] = { "the device uses what stands at that place of the stack "
					 "by then",
					 "the device uses what stands at that place of the stack "
					 "by then" },
	[DMASIM_REPORT_READ_ONLY_MAPPED] = { "a device knows no read-only pages of a program: it "
					     "writes if it is told to",
					     "a device knows no read-only pages of a program: it "
					     "writes if it is told to" },
	[DMASIM_REPORT_SEGMENT_LIMIT] = { "the device cuts the segment, or wraps at its boundary, "
					  "and uses other memory",
					  "the device cuts the segment, or wraps at its boundary, "
					  "and uses other memory" },
	[DMASIM_REPORT_SYNC_NOT_MAPPED] = { "caches and bounce buffers of what is not mapped stay "
					    "as they are",
					    "caches and bounce buffers of what is not mapped stay "
					    "as they are" },
	[DMASIM_REPORT_BOUNCE_OVERRUN] = { "the bytes behind the bounce buffer are not copied",
					   "the bytes behind the bounce buffer are not copied" },
	[DMASIM_REPORT_SYNC_MISMATCH] = { "the wrong half is done: the CPU, or a device that does "
					  "not snoop, sees old bytes",
					  "the wrong half is done: the CPU, or a device that does "
					  "not snoop, sees old bytes" },
	[DMASIM_REPORT_MAPPING_UNCHECKED] = { "a device that gets the error value sends requests "
					      "to the end of all addresses",
					      "a device that gets the error value sends requests "
					      "to the end of all addresses" },
	[DMASIM_REPORT_RESOURCE_IS_RAM] = { "a device that does not snoop sees what was in memory "
					    "before the CPU wrote",
					    "a device that does not snoop sees what was in memory "
					    "before the CPU wrote" },
};

#define WOULD (sizeof(would) / sizeof(would[0]))

/* An unmap differs from its map in one way, and that decides. */
static const char *mismatch(const struct finding *finding, bool translated)
{
	switch (finding->debug[0].check) {
	case DMA_DEBUG_SIZE:
	case DMA_DEBUG_ENTRY_COUNT:
		return translated
			       ? "entries stay, or the neighbour's go; the IOVA is freed as one "
				 "of another size"
			       : "caches are cleaned, and bounce buffers copied, for other bytes";
	case DMA_DEBUG_DIRECTION:
		return "what the device wrote is not fetched from a bounce buffer or past a cache";
	case DMA_DEBUG_ATTRS:
		return "caches, bounce buffers and entries are treated as what they are not";
	default:
		return "it is taken down by rules that are not those it was put up by";
	}
}

static const char *what_would(struct check *check, const struct finding *finding)
{
	const struct owner_space *space = NULL;
	bool translated;

	if (finding->hardware)
		return finding->hardware;
	if (finding->dev != DMASIM_NO_SBDF)
		space = owners_space(&check->owners, finding->dev);
	translated = space ? space->is_domain : !TAILQ_EMPTY(&check->hw->iommus);
	if (finding->dma == DMA_MAPPING_ERROR)
		return "a request to it is refused, or reaches nobody";
	if (finding->id == DMASIM_REPORT_UNMAP_MISMATCH)
		return mismatch(finding, translated);
	if ((size_t)finding->id >= WOULD)
		return NULL;
	return translated ? would[finding->id].translated : would[finding->id].direct;
}

void hardware_add(struct check *check, struct text *text, const struct finding *finding)
{
	const char *words = finding->access ? NULL : what_would(check, finding);

	if (!finding->access && !words)
		return;
	add_label(text);
	if (finding->access)
		add_access(check, text, finding);
	else
		text_add(text, "%s", words);
	text_add(text, "\n");
}
