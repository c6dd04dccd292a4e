/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists behind an IOMMU: one IOVA block for the whole list (facts "dma-api" 4.3).
 *
 * Pass one lays the list out: each entry that takes IOVA space is widened to granules, with its own
 * offset and length stashed in its DMA fields; peer memory reached by bus address takes none. Then
 * one allocation, the entries, and a last pass that restores the list and joins neighbours into
 * segments.
 *
 *   entries  [ram 0x200..][ram ....][peer ....][ram ....]
 *   block    |--granules--|--granules--|        |--granules--|   contiguous in IOVA space
 */
#include "dma/sg.h"

/* One list being mapped. */
struct sg_mapping {
	struct device *dev;
	struct iommu_domain *domain;
	struct scatterlist *sg;
	int nents;
	u64 iova_bytes; /* of the whole block */
	struct dma_sg_told *told;
	struct pci_p2pdma_map_state p2p;
};

static void clear_dma(struct scatterlist *s)
{
	s->dma_address = DMA_MAPPING_ERROR;
	sg_dma_len(s) = 0;
}

/*
 * What 7.3 does: every entry of the list, reached or not, takes its DMA fields for what the layout
 * stashed there.
 */
static void restore_stale(struct sg_mapping *mapping)
{
	struct scatterlist *s;
	int i;

	for_each_sg(mapping->sg, s, mapping->nents, i) {
		if (sg_dma_is_bus_address(s)) {
			sg_dma_unmark_bus_address(s);
		} else {
			if (s->dma_address != DMA_MAPPING_ERROR)
				s->offset += (unsigned int)s->dma_address;
			if (sg_dma_len(s))
				s->length = sg_dma_len(s);
		}
		clear_dma(s);
	}
}

/* Undoes the layout of the first `count` entries. */
static void restore(struct sg_mapping *mapping, int count)
{
	struct scatterlist *s;
	int i;

	if (os_has_bug(mapping->dev->os, DMASIM_BUG_STALE_SG_RESTORE)) {
		restore_stale(mapping);
		return;
	}
	for_each_sg(mapping->sg, s, count, i) {
		if (sg_dma_is_bus_address(s)) {
			sg_dma_unmark_bus_address(s);
		} else {
			s->offset += (unsigned int)s->dma_address;
			s->length = sg_dma_len(s);
		}
		clear_dma(s);
	}
}

/*
 * Widens an entry and adds it to the block. *prev, the last entry that takes space, grows if this
 * one must start on a segment boundary: the block is aligned to its size, so offsets decide.
 */
static int lay_out_entry(struct sg_mapping *mapping, struct scatterlist *s,
			 struct scatterlist **prev)
{
	u64 mask = dma_get_seg_boundary(mapping->dev);
	u64 pad = (mask - mapping->iova_bytes + 1) & mask;
	u64 offset = s->offset & (iommu_granule(mapping->domain) - 1);
	u64 bytes = iommu_dma_span(mapping->domain, offset, s->length);

	if (bytes > 0xffffffff)
		return -EINVAL;
	if (pad && pad < bytes - 1) {
		if (!*prev || pad > 0xffffffff - (*prev)->length)
			return -EINVAL;
		(*prev)->length += (unsigned int)pad;
		mapping->iova_bytes += pad;
	}
	s->dma_address = offset;
	sg_dma_len(s) = s->length;
	s->offset -= (unsigned int)offset;
	s->length = (unsigned int)bytes;
	mapping->iova_bytes += bytes;
	*prev = s;
	return 0;
}

/* Before 7.3 it was the length of the list's first entry. */
static u32 bus_length(const struct sg_mapping *mapping, const struct scatterlist *s)
{
	return os_has_bug(mapping->dev->os, DMASIM_BUG_BUS_LEN_HEAD) ? mapping->sg->length
								     : s->length;
}

static int lay_out(struct sg_mapping *mapping)
{
	struct scatterlist *prev = NULL;
	struct scatterlist *s;
	int i;

	for_each_sg(mapping->sg, s, mapping->nents, i) {
		int err = 0;

		switch (pci_p2pdma_state(&mapping->p2p, mapping->dev, sg_page(s))) {
		case PCI_P2PDMA_MAP_BUS_ADDR:
			s->dma_address = pci_p2pdma_bus_addr_map(mapping->p2p.mem, sg_phys(s));
			sg_dma_len(s) = bus_length(mapping, s);
			sg_dma_mark_bus_address(s);
			continue;
		case PCI_P2PDMA_MAP_NONE:
		case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
			sg_dma_unmark_bus_address(s);
			err = lay_out_entry(mapping, s, &prev);
			break;
		default:
			err = -EREMOTEIO;
		}
		if (err) {
			restore(mapping, i);
			return err;
		}
	}
	return 0;
}

/* Writes the entries of the block, physically contiguous neighbours in one go. */
static int map_entries(struct sg_mapping *mapping, u64 iova, u32 prot)
{
	struct scatterlist *s;
	u64 done = 0, run_bytes = 0;
	phys_addr_t run = 0;
	int err = 0;
	int i;

	for_each_sg(mapping->sg, s, mapping->nents, i) {
		if (sg_dma_is_bus_address(s))
			continue;
		if (run_bytes && sg_phys(s) == run + run_bytes) {
			run_bytes += s->length;
			continue;
		}
		if (run_bytes)
			err = iommu_map_nosync(mapping->domain, iova + done, run, run_bytes, prot);
		if (err)
			break;
		done += run_bytes;
		run = sg_phys(s);
		run_bytes = s->length;
	}
	if (!err && run_bytes) {
		err = iommu_map_nosync(mapping->domain, iova + done, run, run_bytes, prot);
		if (!err)
			done += run_bytes;
	}
	if (!err)
		err = iommu_sync_map(mapping->domain, iova, mapping->iova_bytes);
	if (err && done)
		iommu_unmap(mapping->domain, iova, done);
	return err;
}

/* The state of the last pass: the output segment that is being filled. */
struct sg_output {
	struct scatterlist *cur;
	u32 cur_len; /* 0: nothing may be joined to it */
	int count;
};

static void open_segment(struct sg_output *out, u64 dma, u32 length)
{
	if (out->count)
		out->cur = sg_next(out->cur);
	out->cur->dma_address = dma;
	sg_dma_len(out->cur) = length;
	out->count++;
}

static void put_bus_entry(struct sg_mapping *mapping, struct sg_output *out, struct scatterlist *s)
{
	u64 dma = s->dma_address;
	u32 length = sg_dma_len(s);

	sg_dma_unmark_bus_address(s);
	clear_dma(s);
	open_segment(out, dma, length);
	sg_dma_mark_bus_address(out->cur);
	out->cur_len = 0;
	dma_sg_add(mapping->dev, mapping->told,
		   &(struct dmasim_sg_entry){ dma, sg_phys(s), s->length, length, true });
}

/* Restores an entry and puts its bytes, at `iova` of the block, into a segment. */
static void put_entry(struct sg_mapping *mapping, struct sg_output *out, struct scatterlist *s,
		      u64 iova)
{
	u32 offset = (u32)s->dma_address;
	u32 length = sg_dma_len(s);
	u32 padded = s->length;
	/* An entry that is longer by itself is joined by nothing. */
	u32 max_bytes = dma_get_max_seg_size(mapping->dev);
	bool joins;

	s->offset += offset;
	s->length = length;
	clear_dma(s);
	joins = out->cur_len && !offset && (iova & dma_get_seg_boundary(mapping->dev)) &&
		max_bytes >= length && max_bytes - length >= out->cur_len;
	if (joins) {
		out->cur_len += length;
		sg_dma_len(out->cur) = out->cur_len;
	} else {
		open_segment(out, iova + offset, length);
		out->cur_len = length;
	}
	/* The next entry begins in another granule: the bytes in between are not the list's. */
	if (length + offset < padded)
		out->cur_len = 0;
	dma_sg_add(mapping->dev, mapping->told,
		   &(struct dmasim_sg_entry){ iova + offset, sg_phys(s), length, 0, false });
}

DMASIM_HOT static int finalise(struct sg_mapping *mapping, u64 iova)
{
	struct sg_output out;
	struct scatterlist *s;
	int i;

	out.cur = mapping->sg;
	out.cur_len = 0;
	out.count = 0;
	for_each_sg(mapping->sg, s, mapping->nents, i) {
		u32 padded = s->length;

		if (sg_dma_is_bus_address(s)) {
			put_bus_entry(mapping, &out, s);
			continue;
		}
		put_entry(mapping, &out, s, iova);
		iova += padded;
	}
	return out.count;
}

/* ---- One by one ------------------------------------------------------- */

static bool any_needs_bounce(struct device *dev, struct scatterlist *sg, int nents,
			     enum dma_data_direction dir)
{
	struct scatterlist *s;
	int i;

	if (dev->untrusted)
		return true;
	for_each_sg(sg, s, nents, i) {
		if (dma_kmalloc_needs_bounce(dev, s->length, dir))
			return true;
	}
	return false;
}

static void unmap_each(struct device *dev, struct iommu_domain *domain, struct scatterlist *sg,
		       int count, struct dma_call call)
{
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, count, i)
		iommu_dma_unmap_phys(dev, domain, s->dma_address, sg_dma_len(s), call);
}

/* Each entry by itself: its ends may have to be copied. Peer memory is taken for RAM here. */
static int map_each(struct device *dev, struct iommu_domain *domain, struct scatterlist *sg,
		    int nents, struct dma_call call, struct dma_sg_told *told)
{
	struct scatterlist *s;
	int i;

	sg_dma_mark_swiotlb(sg);
	for_each_sg(sg, s, nents, i) {
		s->dma_address = iommu_dma_map_phys(dev, domain, sg_phys(s), s->length, call);
		if (s->dma_address == DMA_MAPPING_ERROR) {
			call.attrs |= DMA_ATTR_SKIP_CPU_SYNC;
			unmap_each(dev, domain, sg, i, call);
			return -EIO;
		}
		sg_dma_len(s) = s->length;
	}
	dma_sg_add_mapped(dev, told, sg, nents);
	return nents;
}

/* ---- The whole list --------------------------------------------------- */

static void clean_list(struct device *dev, struct scatterlist *sg, int nents)
{
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i)
		arch_sync_dma_for_device(dev, sg_phys(s), s->length);
}

DMASIM_HOT int iommu_dma_map_sg(struct device *dev, struct iommu_domain *domain,
				struct scatterlist *sg, int nents, struct dma_call call,
				struct dma_sg_told *told)
{
	struct sg_mapping mapping = {
		.dev = dev, .domain = domain, .sg = sg, .nents = nents, .told = told
	};
	u64 iova;
	int err;

	if (nents && any_needs_bounce(dev, sg, nents, call.dir))
		return map_each(dev, domain, sg, nents, call, told);
	if (!dev->dma_coherent && !(call.attrs & DMA_ATTR_SKIP_CPU_SYNC))
		clean_list(dev, sg, nents);
	err = lay_out(&mapping);
	if (err)
		return err;
	if (!mapping.iova_bytes)
		return finalise(&mapping, 0);
	iova = iommu_dma_alloc_iova(dev, domain, mapping.iova_bytes, dma_limit(dev));
	if (!iova) {
		restore(&mapping, nents);
		return -ENOMEM;
	}
	err = map_entries(&mapping, iova, dma_prot(dev, call));
	if (err) {
		iommu_free_iova(domain, iova, mapping.iova_bytes);
		restore(&mapping, nents);
		return err == -ENOMEM ? -ENOMEM : -EINVAL;
	}
	return finalise(&mapping, iova);
}

static void invalidate_list(struct device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir)
{
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i)
		arch_sync_dma_for_cpu(dev, sg_phys(s), s->length, dir);
}

DMASIM_HOT void iommu_dma_unmap_sg(struct device *dev, struct iommu_domain *domain,
				   struct scatterlist *sg, int nents, struct dma_call call)
{
	struct scatterlist *s;
	u64 start = 0, end = 0;
	int i;

	if (nents && sg_dma_is_swiotlb(sg)) {
		unmap_each(dev, domain, sg, nents, call);
		return;
	}
	if (!dev->dma_coherent && !(call.attrs & DMA_ATTR_SKIP_CPU_SYNC))
		invalidate_list(dev, sg, nents, call.dir);
	/* From the first to the last entry that holds an IOVA: the block is one piece. */
	for_each_sg(sg, s, nents, i) {
		if (sg_dma_is_bus_address(s)) {
			sg_dma_unmark_bus_address(s);
			continue;
		}
		if (!sg_dma_len(s))
			break;
		if (!end)
			start = s->dma_address;
		end = s->dma_address + sg_dma_len(s);
	}
	if (end)
		iommu_dma_unmap(dev, domain, start, end - start);
}
