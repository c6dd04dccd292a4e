/* SPDX-License-Identifier: MIT */
#include "workbench/pt_model.h"

#include <errno.h>
#include <string.h>

#include <dmasim/contract.h>

static u64 last_of(const struct pgtable_leaf *leaf)
{
	return leaf->iova | ((1ULL << leaf->lg2) - 1);
}

u8 pt_model_best(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes)
{
	u8 best = 0;

	for (u8 lg2 = 1; lg2 < 63; lg2++) {
		u64 size = 1ULL << lg2;

		if (sizes & size && !((iova | phys) & (size - 1)) && size <= bytes)
			best = lg2;
	}
	return best;
}

u32 pt_model_find(const struct pt_model *model, u64 iova)
{
	u32 low = 0, high = model->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (last_of(&model->leaf[middle]) < iova)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct pgtable_leaf *pt_model_at(const struct pt_model *model, u64 iova)
{
	u32 at = pt_model_find(model, iova);

	return at < model->count && model->leaf[at].iova <= iova ? &model->leaf[at] : NULL;
}

int pt_model_map(struct pt_model *model, u64 iova, phys_addr_t phys, u64 bytes, u32 prot,
		 u64 enough, u64 *mapped)
{
	for (u64 done = 0; done < bytes && done < enough;) {
		u8 lg2 = pt_model_best(model->sizes, iova + done, phys + done, bytes - done);
		struct pgtable_leaf leaf = { iova + done, phys + done, lg2, prot, false };
		u32 at = pt_model_find(model, leaf.iova);

		if (at < model->count && model->leaf[at].iova <= last_of(&leaf))
			return -EADDRINUSE;
		DMASIM_CONTRACT(lg2 && model->count < PT_MODEL_LEAVES,
				"a check keeps to what the model holds");
		memmove(&model->leaf[at + 1], &model->leaf[at], (model->count - at) * sizeof(leaf));
		model->leaf[at] = leaf;
		model->count++;
		done += 1ULL << lg2;
		*mapped += 1ULL << lg2;
	}
	return 0;
}

u64 pt_model_unmap(struct pt_model *model, u64 iova, u64 bytes)
{
	u32 first = pt_model_find(model, iova), end = first;
	u64 done = 0;

	while (end < model->count && done < bytes && model->leaf[end].iova == iova + done)
		done += 1ULL << model->leaf[end++].lg2;
	memmove(&model->leaf[first], &model->leaf[end],
		(model->count - end) * sizeof(model->leaf[0]));
	model->count -= end - first;
	return done;
}

int pt_model_protect(struct pt_model *model, u64 iova, u64 bytes, u32 prot, u64 *changed)
{
	u32 at = pt_model_find(model, iova);
	u64 done = 0;

	if (at < model->count && model->leaf[at].iova < iova)
		return -EINVAL;
	for (; at < model->count && done < bytes && model->leaf[at].iova == iova + done; at++) {
		model->leaf[at].prot = prot;
		done += 1ULL << model->leaf[at].lg2;
	}
	*changed += done;
	return done < bytes ? -ENOENT : 0;
}
