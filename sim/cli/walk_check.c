/* SPDX-License-Identifier: MIT */
/*
 * Which arguments go together.
 */
#include "walk.h"

static u32 count_steps(const struct walk_options *options, enum walk_step_kind kind)
{
	u32 count = 0;

	for (u32 i = 0; i < options->step_count; i++)
		count += options->step[i].kind == kind;
	return count;
}

static int check_entries(const struct walk_options *options)
{
	const struct walk_format *format = options->format;

	if (options->machine_said || count_steps(options, WALK_STEP_ENTRY) != options->step_count)
		return cli_bad_input("walk: --entry is without a machine: nothing is mapped or "
				     "translated beside it");
	for (u32 i = 0; i < options->step_count; i++) {
		if (options->step[i].level >= format->entry_levels)
			return cli_bad_input("walk: %s has levels 0 to %u, not %u", format->name,
					     format->entry_levels - 1U, options->step[i].level);
	}
	return 0;
}

static int bad_levels(const struct walk_format *format, u32 levels)
{
	if (format->levels_first)
		return cli_bad_input("walk: %s begins with %u levels and grows to %u at least and "
				     "%u at most, not to %u",
				     format->name, format->levels_first, format->levels_min,
				     format->levels_max, levels);
	return cli_bad_input("walk: %s has %u to %u levels, not %u", format->name,
			     format->levels_min, format->levels_max, levels);
}

static int check_machine(struct walk_options *options)
{
	const struct walk_format *format = options->format;
	u32 bits;

	if (!options->levels)
		options->levels = format->levels;
	if (options->levels < format->levels_min || options->levels > format->levels_max)
		return bad_levels(format, options->levels);
	bits = walk_level_lg2(options->levels) - format->lower_half;
	for (u32 i = 0; i < options->step_count; i++) {
		const struct walk_step *step = &options->step[i];

		if (step->kind == WALK_STEP_MAP && bits < 64 &&
		    (step->iova >> bits || (step->iova + step->bytes - 1) >> bits))
			return cli_bad_input("walk: %u levels map %u bits, not 0x%llx",
					     options->levels, bits, step->iova);
		if (step->kind == WALK_STEP_POKE && step->level >= options->levels)
			return cli_bad_input("walk: the tables have levels 0 to %u, not %u",
					     options->levels - 1, step->level);
	}
	return 0;
}

static bool overlap(const struct walk_step *map, u64 iova, u64 bytes)
{
	return map->iova <= iova + (bytes - 1) && iova <= map->iova + (map->bytes - 1);
}

/* The mapping that step `before` meets at [iova, iova + bytes). NULL: there is none. */
static struct walk_step *mapped_at(struct walk_options *options, u32 before, u64 iova, u64 bytes)
{
	for (u32 i = 0; i < before; i++) {
		struct walk_step *step = &options->step[i];

		if (step->kind == WALK_STEP_MAP && !step->ended && overlap(step, iova, bytes))
			return step;
	}
	return NULL;
}

/* No two mappings overlap, and what is unmapped is one. */
static int check_mappings(struct walk_options *options)
{
	for (u32 i = 0; i < options->step_count; i++) {
		struct walk_step *step = &options->step[i], *map;

		if (step->kind == WALK_STEP_MAP) {
			map = mapped_at(options, i, step->iova, step->bytes);
			if (map)
				return cli_bad_input("walk: 0x%llx, 0x%llx bytes, overlaps the "
						     "mapping at 0x%llx",
						     step->iova, step->bytes, map->iova);
		}
		if (step->kind != WALK_STEP_UNMAP)
			continue;
		map = mapped_at(options, i, step->iova, 1);
		if (!map || map->iova != step->iova)
			return cli_bad_input("walk: no mapping begins at 0x%llx", step->iova);
		map->ended = true;
		step->bytes = map->bytes;
		step->dir = map->dir;
	}
	return 0;
}

/* The software believes its tables, and would follow a pointer to anywhere. */
static int check_pokes(const struct walk_options *options)
{
	bool poked = false;

	for (u32 i = 0; i < options->step_count; i++) {
		const struct walk_step *step = &options->step[i];

		poked |= step->kind == WALK_STEP_POKE && step->level;
		if (poked && (step->kind == WALK_STEP_MAP || step->kind == WALK_STEP_UNMAP))
			return cli_bad_input("walk: no --map or --unmap behind a --poke above "
					     "level 0: the software would follow it");
	}
	return 0;
}

int walk_check(struct walk_options *options)
{
	int status;

	if (options->bits && (options->step_count || options->machine_said))
		return cli_bad_input("walk: --bits stands alone");
	if (options->bits)
		return 0;
	if (options->format->iommu != DMASIM_VTD &&
	    (options->unit.snoop || options->unit.device_tlb))
		return cli_bad_input("walk: --snoop and --device-tlb are of vtdss alone");
	if (options->format->no_absents && options->caching_mode)
		return cli_bad_input("walk: --caching-mode is not of %s, which caches nothing that "
				     "is absent",
				     options->format->name);
	if (count_steps(options, WALK_STEP_ENTRY))
		return check_entries(options);
	if (!count_steps(options, WALK_STEP_IOVA))
		return cli_bad_input("walk: expected an IOVA, --entry or --bits (--help tells "
				     "more)");
	status = check_machine(options);
	if (!status)
		status = check_mappings(options);
	return status ? status : check_pokes(options);
}
