/* SPDX-License-Identifier: MIT */
#include "check/dma_debug_text.h"

/*
 * Texts, with a mark where a value goes:
 *
 *   @x  the next number, as an address of a device: 0x and 16 digits
 *   @p  the next number, as %pa prints it: the same
 *   @u  the next number, decimal
 *   @h  the next number, hexadecimal, after 0x
 *   @s  the next word
 *   @q  a pointer
 */
static const char *const texts[DMA_DEBUG_CHECKS] = {
	[DMA_DEBUG_OVERLAP] = "cacheline tracking EEXIST, overlapping mappings aren't supported",
	[DMA_DEBUG_STACK] = "device driver maps memory from stack [addr=@q]",
	[DMA_DEBUG_TEXT] =
		"device driver maps memory from kernel text or rodata [addr=@q] [len=@u]",
	[DMA_DEBUG_INVALID] = "device driver maps memory from invalid area [addr=@q] [len=@u]",
	[DMA_DEBUG_SEGMENT_LENGTH] =
		"mapping sg segment longer than device claims to support [len=@u] [max=@u]",
	[DMA_DEBUG_SEGMENT_BOUNDARY] = "mapping sg segment across boundary [start=@x] [end=@x] "
				       "[boundary=@x]",
	[DMA_DEBUG_ERROR_VALUE] = "device driver tries to free an invalid DMA memory address",
	[DMA_DEBUG_NOT_ALLOCATED] = "device driver tries to free DMA memory it has not allocated "
				    "[device address=@x] [size=@u bytes]",
	[DMA_DEBUG_SIZE] = "device driver frees DMA memory with different size "
			   "[device address=@x] [map size=@u bytes] [unmap size=@u bytes]",
	[DMA_DEBUG_FUNCTION] =
		"device driver frees DMA memory with wrong function "
		"[device address=@x] [size=@u bytes] [mapped as @s] [unmapped as @s]",
	/* %pa adds a 0x of its own. */
	[DMA_DEBUG_CPU_ADDRESS] = "device driver frees DMA memory with different CPU address "
				  "[device address=@x] [size=@u bytes] [cpu alloc address=0x@p] "
				  "[cpu free address=0x@p]",
	[DMA_DEBUG_ENTRY_COUNT] = "device driver frees DMA sg list with different entry count "
				  "[map count=@u] [unmap count=@u]",
	[DMA_DEBUG_DIRECTION] = "device driver frees DMA memory with different direction "
				"[device address=@x] [size=@u bytes] [mapped with @s] "
				"[unmapped with @s]",
	[DMA_DEBUG_NOT_CHECKED] = "device driver failed to check map error"
				  "[device address=@x] [size=@u bytes] [mapped as @s]",
	[DMA_DEBUG_SYNC_NOT_ALLOCATED] =
		"device driver tries to sync DMA memory it has not allocated "
		"[device address=@x] [size=@u bytes]",
	[DMA_DEBUG_SYNC_OUTSIDE] =
		"device driver syncs DMA memory outside allocated range "
		"[device address=@x] [allocation size=@u bytes] [sync offset+size=@u]",
	[DMA_DEBUG_SYNC_DIRECTION] =
		"device driver syncs DMA memory with different direction "
		"[device address=@x] [size=@u bytes] [mapped with @s] [synced with @s]",
	[DMA_DEBUG_SYNC_READ_ONLY] =
		"device driver syncs device read-only DMA memory for cpu "
		"[device address=@x] [size=@u bytes] [mapped with @s] [synced with @s]",
	[DMA_DEBUG_SYNC_WRITE_ONLY] =
		"device driver syncs device write-only DMA memory to device "
		"[device address=@x] [size=@u bytes] [mapped with @s] [synced with @s]",
	[DMA_DEBUG_SYNC_COUNT] = "device driver syncs DMA sg list with different entry count "
				 "[map count=@u] [sync count=@u]",
	[DMA_DEBUG_PENDING] =
		"device driver has pending DMA allocations while released from device "
		"[count=@u]\nOne of leaked entries details: [device address=@x] "
		"[size=@u bytes] [mapped with @s] [mapped as @s]",
	[DMA_DEBUG_ATTRS] = "device driver frees DMA memory with different attributes "
			    "[device address=@x] [size=@u bytes] [mapped with @h] "
			    "[unmapped with @h]",
	[DMA_DEBUG_VMALLOC] = "device driver maps memory from vmalloc area [addr=@q] [len=@u]",
	[DMA_DEBUG_RESOURCE_RAM] = "dma_map_resource called for RAM address @p",
};

struct values {
	const u64 *number;
	const char *const *word;
};

static void add_value(struct text *text, char mark, struct values *next)
{
	switch (mark) {
	case 'x':
	case 'p':
		text_add(text, "0x%016llx", *next->number++);
		break;
	case 'u':
		text_add(text, "%llu", *next->number++);
		break;
	case 'h':
		text_add(text, "0x%llx", *next->number++);
		break;
	case 's':
		text_add(text, "%s", *next->word++);
		break;
	default:
		text_add(text, "(____ptrval____)");
	}
}

void dma_debug_text(struct text *text, const struct dma_debug_message *message)
{
	struct values next = { message->number, message->word };
	const char *at;

	for (at = texts[message->check]; *at; at++) {
		if (*at == '@')
			add_value(text, *++at, &next);
		else
			text_add(text, "%c", *at);
	}
}

void dma_debug_text_exceeded(struct text *text, u64 cacheline)
{
	text_add(text, "exceeded %d overlapping mappings of cacheline 0x%016llx",
		 DMA_DEBUG_OVERLAP_MAX, cacheline);
}

const char *dma_debug_direction(u32 dir)
{
	static const char *const names[] = { "DMA_BIDIRECTIONAL", "DMA_TO_DEVICE",
					     "DMA_FROM_DEVICE", "DMA_NONE" };

	return names[dir & 3];
}

const char *dma_debug_type(enum dma_debug_type type)
{
	static const char *const names[] = {
		[DMA_DEBUG_SINGLE] = "single",	   [DMA_DEBUG_SG] = "scatter-gather",
		[DMA_DEBUG_COHERENT] = "coherent", [DMA_DEBUG_NONCOHERENT] = "noncoherent",
		[DMA_DEBUG_PHY] = "phy",
	};

	return names[type];
}
