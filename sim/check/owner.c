/* SPDX-License-Identifier: MIT */
#include "check/owner.h"

#include "check/links.h"
#include "check/share.h"
#include "check/whole.h"

static int compare_spaces(struct owner_space *a, struct owner_space *b)
{
	u64 at_a = (u64)a->is_domain << 32 | a->id, at_b = (u64)b->is_domain << 32 | b->id;

	return (at_a > at_b) - (at_a < at_b);
}

static int compare_devices(struct owner_device *a, struct owner_device *b)
{
	return (a->dev > b->dev) - (a->dev < b->dev);
}

RB_PROTOTYPE(owner_space_tree, owner_space, by_id, compare_spaces)
RB_GENERATE(owner_space_tree, owner_space, by_id, compare_spaces)
RB_PROTOTYPE(owner_device_tree, owner_device, by_id, compare_devices)
RB_GENERATE(owner_device_tree, owner_device, by_id, compare_devices)

void owners_init(struct owners *owners, struct world *world, bool *blind)
{
	*owners = (struct owners){ .world = world, .blind = blind, .next_state = 1 };
	SLIST_INIT(&owners->spaces);
	SLIST_INIT(&owners->devices);
	RB_INIT(&owners->spaces_by_id);
	RB_INIT(&owners->devices_by_id);
	interval_tree_init(&owners->by_phys);
	interval_tree_by_page(&owners->by_phys, &world->memory, blind);
	check_pool_init(&owners->past, &world->memory, blind, sizeof(struct owner_past));
	check_pool_init(&owners->lists, &world->memory, blind, sizeof(struct owner_list));
	check_pool_init(&owners->ranges, &world->memory, blind, sizeof(struct owner_range));
	check_pool_init(&owners->rows, &world->memory, blind, sizeof(struct owner_row));
}

static void *record(struct owners *owners, size_t bytes)
{
	void *memory = memory_alloc(&owners->world->memory, DMASIM_FAULT_CHECK_RECORD, bytes);

	if (!memory)
		*owners->blind = true;
	return memory;
}

static void release(struct owners *owners, void *memory)
{
	memory_free(&owners->world->memory, memory);
}

void owners_fini(struct owners *owners)
{
	owners->open = NULL;
	while (!SLIST_EMPTY(&owners->devices)) {
		struct owner_device *device = SLIST_FIRST(&owners->devices);

		SLIST_REMOVE_HEAD(&owners->devices, link);
		release(owners, device);
	}
	while (!SLIST_EMPTY(&owners->spaces)) {
		struct owner_space *space = SLIST_FIRST(&owners->spaces);

		SLIST_REMOVE_HEAD(&owners->spaces, link);
		interval_tree_fini(&space->pieces);
		interval_tree_fini(&space->lists);
		interval_tree_fini(&space->ranges);
		links_fini(owners, space);
		release(owners, space);
	}
	interval_tree_fini(&owners->by_phys);
	check_pool_fini(&owners->past);
	check_pool_fini(&owners->lists);
	check_pool_fini(&owners->ranges);
	check_pool_fini(&owners->rows);
}

static struct owner_space *space_of(struct owners *owners, bool is_domain, u32 id)
{
	struct owner_space key = { .is_domain = is_domain, .id = id };
	struct owner_space *space = RB_FIND(owner_space_tree, &owners->spaces_by_id, &key);

	if (space)
		return space;
	space = record(owners, sizeof(*space));
	if (!space)
		return NULL;
	space->is_domain = is_domain;
	space->id = id;
	interval_tree_init(&space->pieces);
	interval_tree_by_page(&space->pieces, &owners->world->memory, owners->blind);
	interval_tree_init(&space->lists);
	interval_tree_by_page(&space->lists, &owners->world->memory, owners->blind);
	interval_tree_init(&space->ranges);
	interval_tree_by_page(&space->ranges, &owners->world->memory, owners->blind);
	if (is_domain)
		links_init(owners, space);
	SLIST_INSERT_HEAD(&owners->spaces, space, link);
	RB_INSERT(owner_space_tree, &owners->spaces_by_id, space);
	return space;
}

static struct owner_device *find_device(struct owners *owners, dmasim_sbdf dev)
{
	struct owner_device *device = owners->last;

	if (DMASIM_LIKELY(device && device->dev == dev))
		return device;
	device = RB_FIND(owner_device_tree, &owners->devices_by_id,
			 &(struct owner_device){ .dev = dev });
	if (device)
		owners->last = device;
	return device;
}

static void set_space(struct owners *owners, dmasim_sbdf dev, struct owner_space *space)
{
	struct owner_device *device = find_device(owners, dev);

	if (!device) {
		device = record(owners, sizeof(*device));
		if (!device)
			return;
		device->dev = dev;
		SLIST_INSERT_HEAD(&owners->devices, device, link);
		RB_INSERT(owner_device_tree, &owners->devices_by_id, device);
	}
	device->space = space;
}

void owners_attach(struct owners *owners, dmasim_sbdf dev, u32 domain)
{
	struct owner_space *space = space_of(owners, true, domain);

	if (space)
		set_space(owners, dev, space);
}

struct owner_space *owners_space_search(struct owners *owners, dmasim_sbdf dev)
{
	struct owner_device *device = find_device(owners, dev);
	struct owner_space *space;

	if (DMASIM_LIKELY(device))
		return device->space;
	space = space_of(owners, false, dev);
	if (space)
		set_space(owners, dev, space);
	return space;
}

struct owner_space *owners_domain(struct owners *owners, u32 domain)
{
	return space_of(owners, true, domain);
}

void owners_excuse(struct owners *owners, dmasim_sbdf dev)
{
	struct owner_device *device = find_device(owners, dev);

	/* One that is not known has mapped nothing. */
	if (device)
		device->excused = owners->pieces;
}

bool owners_is_excused(struct owners *owners, const struct piece *piece)
{
	const struct owner_device *device = find_device(owners, piece->dev);
	bool one_step = piece->kind == PIECE_PHYS || piece->kind == PIECE_SG;

	return one_step && device && piece->number <= device->excused;
}

void owners_add_empty(struct owners *owners, dmasim_sbdf dev)
{
	struct owner_device *device = owners_space(owners, dev) ? find_device(owners, dev) : NULL;

	if (device)
		device->empty++;
}

bool owners_end_empty(struct owners *owners, dmasim_sbdf dev)
{
	struct owner_device *device = find_device(owners, dev);

	if (!device || !device->empty)
		return false;
	device->empty--;
	return true;
}

void owners_cut(struct owners *owners, struct owner_space *space, u64 address)
{
	struct piece *piece = owners_first(space, address, address);
	struct owner_past *record;
	struct piece *upper;

	while (piece && (piece->kind != PIECE_LINK || piece->at.start == address))
		piece = owners_next(space, piece, address, address);
	if (!piece)
		return;
	record = check_pool_get(&owners->past);
	if (!record)
		return;
	upper = &record->piece;
	interval_remove(&space->pieces, &piece->at);
	*upper = *piece;
	upper->watched = false;
	upper->at.start = address;
	upper->phys = piece->phys + (address - piece->at.start);
	piece->at.last = address - 1;
	interval_insert(&space->pieces, &piece->at);
	interval_insert(&space->pieces, &upper->at);
}

/* DMASIM_NO_SBDF: of any device. */
static const struct owner_past *find_past_apart(const struct owner_space *space, dmasim_sbdf dev,
						u64 dma)
{
	u32 kept = owners_past_kept(space);

	for (u32 back = 1; back <= kept; back++) {
		const struct owner_past *past =
			space->past[(space->past_count - back) % OWNER_PAST];

		if ((dev == DMASIM_NO_SBDF || past->piece.dev == dev) &&
		    dma >= past->piece.at.start && dma <= past->piece.at.last)
			return owners_remembers(space, past->piece.ended.age) ? past : NULL;
	}
	return NULL;
}

static const struct owner_past *later(const struct owner_past *one, const struct owner_past *other)
{
	if (!one || !other)
		return one ? one : other;
	return one->piece.ended.age > other->piece.ended.age ? one : other;
}

static const struct owner_past *find_past(const struct owner_space *space, dmasim_sbdf dev, u64 dma)
{
	const struct owner_past *past = find_past_apart(space, dev, dma);

	if (!space->links)
		return past;
	past = later(past, links_past(space->links, dev, dma));
	return later(past, whole_past(space->links, dev, dma));
}

const struct owner_past *owners_past(const struct owner_space *space, dmasim_sbdf dev, u64 dma)
{
	return find_past(space, dev, dma);
}

const struct owner_past *owners_past_of_any(const struct owner_space *space, u64 dma)
{
	return find_past(space, DMASIM_NO_SBDF, dma);
}

struct piece *owners_next_of_all(const struct owners *owners, struct piece *piece)
{
	struct owner_space *space = SLIST_FIRST(&owners->spaces);

	if (piece) {
		struct piece *next = owners_next(piece->space, piece, 0, ~0ULL);

		if (next)
			return next;
		space = SLIST_NEXT(piece->space, link);
	}
	for (; space; space = SLIST_NEXT(space, link)) {
		struct piece *first = owners_first(space, 0, ~0ULL);

		if (first)
			return first;
	}
	return NULL;
}
