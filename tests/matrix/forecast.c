/* SPDX-License-Identifier: MIT */
#include "matrix/forecast.h"

#include <string.h>

#define PAGE	      4096U
#define SLOT	      2048U
#define SLOTS_MAX     128U
#define IN_PAGE(x)    ((x) & (PAGE - 1))
#define ROUND_UP(x)   (((x) + PAGE - 1) & ~(PAGE - 1))
#define NOT_BY_CACHES (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_MMIO)

const struct mode_facts facts_of[MODES] = {
	[MODE_DIRECT] = { 0 },
	[MODE_DIRECT_RANGES] = { 0 },
	[MODE_DIRECT_MASK32] = { .out_of_reach = true },
	[MODE_PASS_THROUGH] = { 0 },
	[MODE_STRICT] = { .iommu = true },
	[MODE_LAZY] = { .iommu = true, .lazy = true },
	[MODE_UNTRUSTED] = { .iommu = true, .untrusted = true, .keeps_page_offset = true },
	[MODE_FORCED] = { .forced = true },
	[MODE_RESTRICTED] = { .forced = true, .own_pool = true },
	[MODE_NO_SNOOP] = { .no_snoop = true },
	[MODE_NO_SNOOP_IOMMU] = { .iommu = true, .no_snoop = true },
	[MODE_KMALLOC] = { .no_snoop = true, .kmalloc = true },
	[MODE_KMALLOC_IOMMU] = { .iommu = true,
				 .no_snoop = true,
				 .kmalloc = true,
				 .keeps_page_offset = true },
	[MODE_P2P_BUS] = { .iommu = true, .peer = true, .peer_bus = true },
	[MODE_P2P_BRIDGE] = { .iommu = true, .peer = true },
	[MODE_AMD_VI] = { .iommu = true, .amd_vi = true },
	[MODE_AMD_VI_LAZY] = { .iommu = true, .amd_vi = true, .lazy = true },
	[MODE_AMD_VI_NP_CACHE] = { .iommu = true, .amd_vi = true },
	[MODE_FIRST_STAGE] = { .iommu = true, .reads_anyway = true },
	[MODE_RISCV] = { .iommu = true, .reads_anyway = true },
	[MODE_SMMUV3] = { .iommu = true, .reads_anyway = true, .unprivileged = true },
};

/* ---- Bouncing --------------------------------------------------------- */

/* Facts 3.8: kmalloc's sizes below 256 that are whole cache lines are 64, 128 and 192. */
static bool may_share_a_line(const struct mode_facts *mode, u32 bytes, enum dma_data_direction dir)
{
	bool whole_lines = bytes >= 256 || (bytes > 32 && bytes <= 64) || bytes > 96;

	return mode->kmalloc && dir != DMA_TO_DEVICE && !whole_lines;
}

/* Facts 7.2: a run of 128 slots is the longest. */
static bool fits_a_run(const struct mode_facts *mode, const struct piece *piece)
{
	u32 total = piece->bytes;

	if (mode->keeps_page_offset)
		total += IN_PAGE(piece->at) & (mode->iommu ? PAGE - 1 : SLOT - 1);
	if (mode->iommu)
		total = ROUND_UP(total);
	return (total + SLOT - 1) / SLOT <= SLOTS_MAX;
}

static void copy_range(const struct mode_facts *mode, struct piece_forecast *out, u32 at, u32 bytes)
{
	if (!bytes)
		return;
	out->copied = true;
	out->range[out->ranges] = (struct piece){ at, bytes };
	/* Facts 7.3. */
	out->shift[out->ranges++] = mode->keeps_page_offset ? IN_PAGE(at) : 0;
}

/* One piece of a call with its own outcome: an error, a report, and whether it is copied. */
struct verdict {
	bool refused;
	u32 report;
	bool bounced;
};

static const struct verdict ok = { 0 };
static const struct verdict bounced = { .bounced = true };

static struct verdict refused(u32 report)
{
	return (struct verdict){ .refused = true, .report = report };
}

static struct verdict bounce(const struct mode_facts *mode, const struct piece *piece,
			     unsigned long attrs)
{
	if (fits_a_run(mode, piece))
		return bounced;
	/* Facts 7.5. */
	return refused(attrs & DMA_ATTR_NO_WARN ? 0 : DMASIM_REPORT_BOUNCE_FULL);
}

/* Facts 3.4. */
static struct verdict direct_piece(const struct mode_facts *mode, const struct piece *piece,
				   enum dma_data_direction dir, unsigned long attrs)
{
	bool never = attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT);

	if (mode->forced)
		return never ? refused(0) : bounce(mode, piece, attrs);
	if (attrs & DMA_ATTR_MMIO)
		return mode->out_of_reach ? refused(DMASIM_REPORT_MASK_OVERFLOW) : ok;
	if (!mode->out_of_reach && !may_share_a_line(mode, piece->bytes, dir))
		return ok;
	return never ? refused(DMASIM_REPORT_MASK_OVERFLOW) : bounce(mode, piece, attrs);
}

/* Facts 3.6. */
static struct verdict iommu_piece(const struct mode_facts *mode, const struct piece *piece,
				  enum dma_data_direction dir, unsigned long attrs)
{
	bool bounces = mode->untrusted || may_share_a_line(mode, piece->bytes, dir);

	if (attrs & DMA_ATTR_MMIO || !bounces || !IN_PAGE(piece->at | piece->bytes))
		return ok;
	return attrs & DMA_ATTR_REQUIRE_COHERENT ? refused(0) : bounce(mode, piece, attrs);
}

/* ---- Calls ------------------------------------------------------------ */

/* Each mapping of peer memory that is not by a list. */
static enum dmasim_report_id peer_report(const struct mode_facts *mode, unsigned long attrs)
{
	if (mode->peer_bus)
		return DMASIM_REPORT_P2P_WRONG_WAY;
	return attrs & DMA_ATTR_MMIO ? 0 : DMASIM_REPORT_PEER_AS_RAM;
}

/* Facts 3.1, 3.3: one piece, an error value and no number. */
static void forecast_one(const struct cell *cell, const struct shape *shape, struct forecast *out)
{
	const struct mode_facts *mode = &facts_of[cell->mode];
	bool page = cell->call == CALL_MAP_PAGE || cell->call == CALL_MAP_SINGLE;
	unsigned long attrs = cell->attrs;
	struct verdict verdict;

	if (cell->call == CALL_MAP_RESOURCE)
		attrs |= DMA_ATTR_MMIO;
	if (page && attrs & DMA_ATTR_MMIO)
		verdict = refused(0);
	else if (attrs & DMA_ATTR_REQUIRE_COHERENT && mode->no_snoop)
		verdict = refused(0);
	else if (mode->iommu && attrs & DMA_ATTR_CC_SHARED)
		verdict = refused(0);
	else if (mode->iommu)
		verdict = iommu_piece(mode, shape->piece, cell->dir, attrs);
	else
		verdict = direct_piece(mode, shape->piece, cell->dir, attrs);

	out->error = verdict.refused ? -ENOMEM : 0;
	out->report = verdict.report;
	if (mode->peer && !verdict.refused)
		out->report = peer_report(mode, attrs);
	out->before = out->after = !(attrs & NOT_BY_CACHES);
	if (verdict.bounced)
		copy_range(mode, out->piece, shape->piece[0].at, shape->piece[0].bytes);
}

/* Facts 4.2 and the list of 4.3 that is mapped one by one. */
static void forecast_each(const struct cell *cell, const struct shape *shape, struct forecast *out)
{
	const struct mode_facts *mode = &facts_of[cell->mode];

	out->before = out->after = !(cell->attrs & NOT_BY_CACHES);
	for (u32 k = 0; k < shape->count; k++) {
		struct verdict verdict = (mode->iommu ? iommu_piece : direct_piece)(
			mode, &shape->piece[k], cell->dir, cell->attrs);

		if (verdict.refused) {
			out->error = -EIO;
			out->failing = k;
			out->report = verdict.report;
			/* What was mapped before is unmapped with SKIP_CPU_SYNC. */
			out->after = out->copied_back = false;
			return;
		}
		if (verdict.bounced)
			copy_range(mode, &out->piece[k], shape->piece[k].at, shape->piece[k].bytes);
	}
}

/* Facts 4.1, 4.3. */
static void forecast_list(const struct cell *cell, const struct shape *shape, struct forecast *out)
{
	const struct mode_facts *mode = &facts_of[cell->mode];
	bool each = !mode->iommu || mode->untrusted;

	for (u32 k = 0; k < shape->count; k++)
		each = each || may_share_a_line(mode, shape->piece[k].bytes, cell->dir);
	if (cell->attrs & DMA_ATTR_REQUIRE_COHERENT && mode->no_snoop) {
		out->error = -EOPNOTSUPP;
		return;
	}
	if (each) {
		forecast_each(cell, shape, out);
		return;
	}
	out->is_bus = mode->peer_bus;
	out->before = out->after = !(cell->attrs & DMA_ATTR_SKIP_CPU_SYNC);
}

/* Facts 5.3: the granules that the buffer has only a part of. */
static void forecast_link_copies(const struct mode_facts *mode, const struct piece *piece,
				 struct piece_forecast *out)
{
	u32 head = IN_PAGE(piece->at) ? PAGE - IN_PAGE(piece->at) : 0;
	u32 tail;

	if (head > piece->bytes)
		head = piece->bytes;
	tail = head == piece->bytes ? 0 : IN_PAGE(piece->at + piece->bytes);
	copy_range(mode, out, piece->at, head);
	copy_range(mode, out, piece->at + piece->bytes - tail, tail);
}

/* Facts 5.1, 5.2. */
static void forecast_links(const struct cell *cell, const struct shape *shape, struct forecast *out)
{
	const struct mode_facts *mode = &facts_of[cell->mode];
	bool never = cell->attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT);

	out->before = out->after = !(cell->attrs & NOT_BY_CACHES);
	if (!mode->iommu || (cell->attrs & DMA_ATTR_REQUIRE_COHERENT && mode->no_snoop))
		out->error = -EOPNOTSUPP;
	for (u32 k = 0; k < shape->count && !out->error; k++) {
		const struct piece *piece = &shape->piece[k];
		bool bounces = mode->untrusted || may_share_a_line(mode, piece->bytes, cell->dir);

		if (!bounces || !IN_PAGE(piece->at | piece->bytes)) {
			/* As it is. */
		} else if (never) {
			out->error = -EPERM;
			out->failing = k;
		} else {
			forecast_link_copies(mode, piece, &out->piece[k]);
		}
	}
	if (mode->peer) {
		out->report = peer_report(mode, cell->attrs);
		out->reports = shape->count;
	}
}

/* Facts 1.3 bit 14, 3.10b, and 7.2 for what comes out of a pool. */
static void forecast_alloc(const struct cell *cell, const struct shape *shape, struct forecast *out)
{
	unsigned long others = cell->attrs & ~(unsigned long)DMA_ATTR_ALLOC_SINGLE_PAGES;

	if (cell->call == CALL_ALLOC_COHERENT && cell->attrs & DMA_ATTR_CC_SHARED)
		out->error = -ENOMEM;
	if (cell->call == CALL_ALLOC_NONCONTIGUOUS && others) {
		out->error = -ENOMEM;
		out->report = DMASIM_REPORT_BAD_ARGUMENT;
	}
	if (facts_of[cell->mode].own_pool && ROUND_UP(shape->bytes) > SLOTS_MAX * SLOT)
		out->error = -ENOMEM;
}

/* How many pieces of RAM become a resource: facts 11, D23. A peers' list has entry 1 in RAM. */
static u32 ram_as_resource(const struct cell *cell, const struct shape *shape,
			   const struct forecast *out)
{
	bool mmio = cell->attrs & DMA_ATTR_MMIO || cell->call == CALL_MAP_RESOURCE;

	if (!mmio || is_alloc(cell->call))
		return 0;
	if (facts_of[cell->mode].peer)
		return is_list(cell->call) && !out->error && shape->count > 1;
	return out->error ? out->failing : shape->count;
}

void forecast_cell(const struct cell *cell, const struct shape *shape, struct forecast *out)
{
	const struct mode_facts *mode = &facts_of[cell->mode];
	bool copied = false;

	*out = (struct forecast){ .reports = 1 };
	/* Facts 7.4. */
	out->copied_back = cell->dir != DMA_TO_DEVICE && !(cell->attrs & DMA_ATTR_SKIP_CPU_SYNC);
	if (is_alloc(cell->call))
		forecast_alloc(cell, shape, out);
	else if (is_list(cell->call))
		forecast_list(cell, shape, out);
	else if (is_two_step(cell->call))
		forecast_links(cell, shape, out);
	else
		forecast_one(cell, shape, out);
	if (ram_as_resource(cell, shape, out)) {
		out->report = DMASIM_REPORT_RESOURCE_IS_RAM;
		out->reports = ram_as_resource(cell, shape, out);
	}
	for (u32 k = 0; k < shape->count; k++)
		copied = copied || out->piece[k].copied;
	out->protects = mode->iommu && !out->is_bus;
	out->keeps_offset = !copied || mode->keeps_page_offset;
	out->is_phys = !mode->iommu && !copied;
	/* Nothing is in memory for the CPU that it has not seen, if the device only read. */
	out->after = out->after && cell->dir != DMA_TO_DEVICE;
}
