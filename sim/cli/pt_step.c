/* SPDX-License-Identifier: MIT */
/*
 * One operation, and what it says of itself.
 */
#include <endian.h>
#include <errno.h>

#include "pt.h"

static const char *error_name(int err)
{
	switch (-err) {
	case EINVAL:
		return "EINVAL";
	case ENXIO:
		return "ENXIO";
	case EADDRINUSE:
		return "EADDRINUSE";
	case ERANGE:
		return "ERANGE";
	case EOVERFLOW:
		return "EOVERFLOW";
	case ENOMEM:
		return "ENOMEM";
	case ENOENT:
		return "ENOENT";
	case EOPNOTSUPP:
		return "EOPNOTSUPP";
	default:
		return "an error without a name";
	}
}

static const char *error_says(int err, enum pt_step_kind kind)
{
	switch (-err) {
	case EINVAL:
		return kind == PT_PROTECT
			       ? "no right that may be, no bytes, or a leaf begins before"
		       : kind == PT_CUT ? "not aligned to the granule"
					: "no right that may be, or no bytes";
	case ENXIO:
		return "not aligned to the granule";
	case EADDRINUSE:
		return "something is mapped there";
	case ERANGE:
		return "beyond the table or the physical addresses";
	case EOVERFLOW:
		return "it wraps";
	case ENOMEM:
		return "no memory for tables";
	case ENOENT:
		return "nothing is mapped there";
	case EOPNOTSUPP:
		return kind == PT_MARK || kind == PT_CLEAN ? "the format has no mark of writes"
							   : "only with --bbml2";
	default:
		return "refused";
	}
}

static void refuse(struct pt_bench *bench, int err, u64 at, const struct pt_step *step, FILE *out)
{
	fprintf(out, ": %s at 0x%llx, %s", error_name(err), at, error_says(err, step->kind));
	bench->negative = true;
}

/* " (3 leaves written, 1 table made)" */
static void print_costs(const struct pt_bench *bench, const struct dmasim_costs *before, FILE *out)
{
	struct dmasim_costs after = dmasim_costs(bench->machine);
	const struct {
		u64 count;
		const char *one;
		const char *more;
		const char *done;
	} counts[] = {
		{ after.entries_written - before->entries_written, "leaf", "leaves", "written" },
		{ after.entries_cleared - before->entries_cleared, "leaf", "leaves", "cleared" },
		{ after.tables_allocated - before->tables_allocated, "table", "tables", "made" },
		{ after.tables_freed - before->tables_freed, "table", "tables", "freed" },
	};
	const char *comma = " (";

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (!counts[i].count)
			continue;
		fprintf(out, "%s%llu %s %s", comma, counts[i].count,
			counts[i].count == 1 ? counts[i].one : counts[i].more, counts[i].done);
		comma = ", ";
	}
	if (*comma == ',')
		fputc(')', out);
}

static void print_levels(const char *what, u8 levels, FILE *out)
{
	const char *comma = "";

	if (!levels)
		return;
	fprintf(out, ", %s", what);
	for (u32 level = 0; level < 8; level++) {
		if (levels >> level & 1) {
			fprintf(out, "%s%u", comma, level);
			comma = ", ";
		}
	}
}

/* What hardware may have cached of what changed. */
static void print_gather(const struct pt_bench *bench, FILE *out)
{
	const struct iommu_iotlb_gather *gather = &bench->gather;

	if (iommu_iotlb_gather_empty(gather))
		return;
	fprintf(out, "  to invalidate: 0x%llx to 0x%llx", gather->start, gather->last);
	print_levels("leaves of level ", gather->leaf_levels, out);
	print_levels("tables below level ", gather->table_levels, out);
	fputc('\n', out);
}

/* ---- Operations ------------------------------------------------------- */

static void map(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	char prot[PT_PROT_BYTES];
	u64 mapped = 0;
	int err = bench->ops->map(&bench->pt, step->iova, step->phys, step->bytes, step->prot,
				  &bench->gather, &mapped);

	fprintf(out, "map 0x%llx to 0x%llx, %s, %s", step->iova, step->phys,
		walk_size(step->bytes).text, pt_prot_text(step->prot, prot));
	if (err)
		refuse(bench, err, step->iova + mapped, step, out);
}

static void unmap(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	u64 done = bench->ops->unmap(&bench->pt, step->iova, step->bytes, &bench->gather);

	fprintf(out, "unmap 0x%llx, %s", step->iova, walk_size(step->bytes).text);
	if (done > step->bytes)
		fprintf(out, ", and the rest of the last leaf: %s", walk_size(done).text);
	if (done >= step->bytes)
		return;
	bench->negative = true;
	if (done)
		fprintf(out, ": %s, it ends at 0x%llx, where nothing is mapped",
			walk_size(done).text, step->iova + done);
	else
		fprintf(out, ": nothing, as no leaf begins there");
}

static void protect(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	char prot[PT_PROT_BYTES];
	u64 changed = 0;
	int err = bench->ops->protect(&bench->pt, step->iova, step->bytes, step->prot,
				      &bench->gather, &changed);

	fprintf(out, "protect 0x%llx, %s, %s", step->iova, walk_size(step->bytes).text,
		pt_prot_text(step->prot, prot));
	if (err)
		refuse(bench, err, step->iova + changed, step, out);
	else if (changed > step->bytes)
		fprintf(out, ": %s, as the last leaf counts whole", walk_size(changed).text);
}

static void cut(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	int err = bench->ops->cut(&bench->pt, step->iova, &bench->gather);

	fprintf(out, "cut at 0x%llx", step->iova);
	if (err)
		refuse(bench, err, step->iova, step, out);
}

static void collapse(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	u64 fewer = 0;
	int err = bench->ops->collapse(&bench->pt, step->iova, step->bytes, &bench->gather, &fewer);

	fprintf(out, "collapse 0x%llx, %s", step->iova, walk_size(step->bytes).text);
	if (err)
		refuse(bench, err, step->iova, step, out);
	else
		fprintf(out, ", %llu leaves fewer", fewer);
}

static void mark(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	int err = bench->ops->set_dirty(&bench->pt, step->iova);

	fprintf(out, "mark 0x%llx as written", step->iova);
	if (err)
		refuse(bench, err, step->iova, step, out);
}

/* Runs of what was written, as they are told. */
struct dirty {
	FILE *out;
	bool any;
};

static void tell_dirty(void *cookie, u64 iova, u64 bytes)
{
	struct dirty *dirty = cookie;

	fprintf(dirty->out, "%s0x%llx %s", dirty->any ? ", " : ": ", iova, walk_size(bytes).text);
	dirty->any = true;
}

static void clean(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	struct dirty dirty = { .out = out };
	int err;

	fprintf(out, "read and clear what was written, 0x%llx, %s", step->iova,
		walk_size(step->bytes).text);
	err = bench->ops->read_and_clear_dirty(&bench->pt, step->iova, step->bytes, true,
					       tell_dirty, &dirty, &bench->gather);
	if (err)
		refuse(bench, err, step->iova, step, out);
	else if (!dirty.any)
		fprintf(out, ": nothing");
}

static bool keep_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	*(struct pgtable_leaf *)cookie = *leaf;
	return false;
}

/* Of the leaf: iova_to_phys() gives 0 for physical address 0 as for nothing. */
static void lookup(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	struct pgtable_leaf leaf = { 0 };
	char prot[PT_PROT_BYTES];
	int err = bench->ops->iterate(&bench->pt, step->iova, 1, keep_leaf, &leaf);

	fprintf(out, "lookup 0x%llx", step->iova);
	if (!err && !leaf.lg2)
		err = -ENOENT;
	if (err)
		refuse(bench, err, step->iova, step, out);
	else
		fprintf(out, ": 0x%llx, of a leaf of %s, %s", leaf.phys + (step->iova - leaf.iova),
			walk_size_lg2(leaf.lg2).text, pt_prot_text(leaf.prot, prot));
}

/* ---- Words by hand ---------------------------------------------------- */

static u64 load(struct dmasim *s, phys_addr_t at, bool *lost)
{
	u64 word = 0;

	*lost = dmasim_read(s, at, &word, sizeof(word)) != sizeof(word);
	return le64toh(word);
}

static void store(struct dmasim *s, phys_addr_t at, u64 value)
{
	u64 word = htole64(value);

	dmasim_write(s, at, &word, sizeof(word));
}

void pt_undo_pokes(struct pt_bench *bench)
{
	while (bench->poked_count) {
		const struct pt_poked *poked = &bench->poked[--bench->poked_count];

		store(bench->machine, poked->at, poked->value);
	}
}

/* Where the entry of a level is that serves an IOVA. False: no table of that level does. */
static bool find_entry(const struct pt_bench *bench, const struct pt_step *step, phys_addr_t *at,
		       u64 *word)
{
	const struct pt_layout *layout = &bench->options->layout;
	u8 level = bench->pt.levels - 1;
	phys_addr_t table = bench->pt.root;

	for (;;) {
		u32 bits = pt_index_bits(layout);
		struct pt_said said;
		bool lost;

		if (level == bench->pt.levels - 1)
			bits += layout->top_extra_lg2;
		*at = table +
		      8 * (step->iova >> pt_level_lg2(layout, level) & ((1ULL << bits) - 1));
		*word = load(bench->machine, *at, &lost);
		if (lost)
			return false;
		if (level == step->level)
			return true;
		said = bench->options->format->say(layout, *word, level);
		if (said.kind != WALK_TABLE || said.next < step->level)
			return false;
		level = said.next;
		table = said.phys;
	}
}

static void poke(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	phys_addr_t at;
	u64 word;

	fprintf(out, "poke 0x%llx, level %u", step->iova, step->level);
	if (step->level >= bench->pt.levels || !find_entry(bench, step, &at, &word)) {
		fprintf(out, ": no table of that level serves it");
		bench->negative = true;
		return;
	}
	bench->poked[bench->poked_count++] = (struct pt_poked){ at, word };
	store(bench->machine, at, step->value);
	fprintf(out, ": the word at 0x%llx was 0x%llx, is 0x%llx", at, word, step->value);
}

void pt_do(struct pt_bench *bench, const struct pt_step *step, FILE *out)
{
	static void (*const act[])(struct pt_bench *, const struct pt_step *, FILE *) = {
		[PT_MAP] = map,	    [PT_UNMAP] = unmap,	      [PT_PROTECT] = protect,
		[PT_CUT] = cut,	    [PT_COLLAPSE] = collapse, [PT_MARK] = mark,
		[PT_CLEAN] = clean, [PT_LOOKUP] = lookup,     [PT_POKE] = poke,
	};
	struct dmasim_costs before = dmasim_costs(bench->machine);
	struct iommu_iotlb_gather gather;

	act[step->kind](bench, step, out);
	gather = bench->gather;
	dmasim_pgtable_release(bench->machine, &bench->gather);
	print_costs(bench, &before, out);
	fputc('\n', out);
	gather.freelist = NULL;
	bench->gather = gather;
	print_gather(bench, out);
	iommu_iotlb_gather_init(&bench->gather);
}
