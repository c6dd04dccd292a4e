/* SPDX-License-Identifier: MIT */
/*
 * All other lines: what devices did, what the software itself found, what lists were. Some are for
 * readers alone; they are held to the grammar.
 */
#include <errno.h>
#include <string.h>

#include "hw/engine_trace.h"
#include "machine/lint.h"

static bool is_word(const struct lint_value *value, const char *word)
{
	return strlen(word) == value->length && !memcmp(word, value->text, value->length);
}

/* ---- Devices ---------------------------------------------------------- */

static const char *target_word(u32 number)
{
	return number <= HW_TARGET_TRANSLATION ? engine_target_name((enum hw_target_kind)number)
					       : NULL;
}

static const char *why_word(u32 number)
{
	return number <= HW_WHY_LOST ? hw_why_name((enum hw_why)number) : NULL;
}

static const char *way_word(u32 number)
{
	static const char *const words[] = { "read", "write" };

	return number < 2 ? words[number] : NULL;
}

enum {
	ACCESS_DEV,
	ACCESS_DMA,
	ACCESS_SIZE,
	ACCESS_DIR,
	ACCESS_TO,
	ACCESS_PHYS,
	ACCESS_AT,
	ACCESS_BAR,
	ACCESS_OFF,
	ACCESS_ROOT,
	ACCESS_WHY,
	ACCESS_UNIT,
	ACCESS_SOURCE,
	ACCESS_DOM,
	ACCESS_REASON,
	ACCESS_FLAGS,
};

/* Which keys a line has that says where a request went; the others are missing. */
static u32 wanted(enum hw_target_kind kind)
{
	switch (kind) {
	case HW_TARGET_RAM:
		return 1U << ACCESS_PHYS;
	case HW_TARGET_BAR:
		return 1U << ACCESS_AT | 1U << ACCESS_BAR | 1U << ACCESS_OFF | 1U << ACCESS_ROOT;
	case HW_TARGET_BLOCKED:
		return 1U << ACCESS_AT | 1U << ACCESS_WHY;
	case HW_TARGET_UNSUPPORTED:
		return 1U << ACCESS_WHY;
	case HW_TARGET_FAULT:
		return 1U << ACCESS_SOURCE | 1U << ACCESS_DOM | 1U << ACCESS_REASON |
		       1U << ACCESS_FLAGS;
	default:
		return 0;
	}
}

static int judge_keys(struct lint *lint, const struct lint_value *value, enum hw_target_kind kind)
{
	u32 keys = wanted(kind);

	for (u32 i = ACCESS_PHYS; i <= ACCESS_FLAGS; i++) {
		if ((keys >> i & 1) && !value[i].given)
			return lint_wrong(lint, "no %s= in dev_access, expected one with to=%s",
					  lint->now->key[i].name, engine_target_name(kind));
	}
	/* The unit has recorded why. */
	if (kind == HW_TARGET_FAULT && value[ACCESS_REASON].number && !value[ACCESS_UNIT].given)
		return lint_wrong(lint, "no unit= in dev_access, expected whose reason it is");
	if (value[ACCESS_REASON].number > 0xff || value[ACCESS_FLAGS].number > 0xffff ||
	    value[ACCESS_SOURCE].number > 0xffff || value[ACCESS_DOM].number > 0xffff)
		return lint_wrong(lint, "a field of a fault record in dev_access is too large, "
					"expected what a record has room for");
	return 0;
}

/* What the line says of where it went; the keys are there. */
static int read_target(struct lint *lint, const struct lint_value *value, struct hw_target *target)
{
	struct lint_device *at = NULL;

	if (value[ACCESS_AT].given) {
		at = lint_device(lint, (dmasim_sbdf)value[ACCESS_AT].number);
		if (!at)
			return -EINVAL;
	}
	if (value[ACCESS_UNIT].given) {
		target->iommu = lint_unit(lint, (u32)value[ACCESS_UNIT].number,
					  (dmasim_sbdf)value[ACCESS_DEV].number);
		if (!target->iommu)
			return -EINVAL;
	}
	target->function = at ? &at->function : NULL;
	target->phys = value[ACCESS_PHYS].given ? value[ACCESS_PHYS].number : RAM_NO_PHYS;
	target->bar = (u32)value[ACCESS_BAR].number;
	target->offset = value[ACCESS_OFF].number;
	target->passed_root = value[ACCESS_ROOT].number;
	target->why = (enum hw_why)value[ACCESS_WHY].number;
	target->requester = (u16)value[ACCESS_SOURCE].number;
	target->domain = (u16)value[ACCESS_DOM].number;
	target->fault = (u8)value[ACCESS_REASON].number;
	target->fault_flags = (u16)value[ACCESS_FLAGS].number;
	return 0;
}

static bool is_refused(enum hw_target_kind kind)
{
	return kind == HW_TARGET_UNSUPPORTED || kind == HW_TARGET_BLOCKED ||
	       kind == HW_TARGET_FAULT;
}

static int take_access(struct lint *lint, const struct lint_value *value)
{
	struct hw_target target = { .kind = (enum hw_target_kind)value[ACCESS_TO].number };
	struct lint_device *from = lint_device(lint, (dmasim_sbdf)value[ACCESS_DEV].number);
	struct hw_access access = {
		.address = value[ACCESS_DMA].number,
		.bytes = value[ACCESS_SIZE].number,
		.write = value[ACCESS_DIR].number,
		.target = &target,
	};
	int err = from ? judge_keys(lint, value, target.kind) : -EINVAL;

	if (!err)
		err = read_target(lint, value, &target);
	if (err)
		return err;
	if (!access.bytes || access.address + (access.bytes - 1) < access.address)
		return lint_wrong(lint, "%llu bytes at 0x%llx, expected some that end below 2^64",
				  access.bytes, access.address);
	access.from = &from->function;
	check_settle(&lint->s->check);
	if (is_refused(target.kind))
		check_refused(&lint->s->check, &access);
	else
		check_access(&lint->s->check, &access);
	return 0;
}

/* ---- IOMMUs ----------------------------------------------------------- */

enum { ERROR_UNIT, ERROR_LOW, ERROR_HIGH };

static int take_queue_error(struct lint *lint, const struct lint_value *value)
{
	const u64 word[2] = { value[ERROR_LOW].number, value[ERROR_HIGH].number };
	struct hw_iommu *iommu = lint_unit(lint, (u32)value[ERROR_UNIT].number, 0);

	if (!iommu)
		return -EINVAL;
	check_queue_error(&lint->s->check, iommu, word);
	return 0;
}

enum { TIMEOUT_UNIT, TIMEOUT_DEV, TIMEOUT_DMA, TIMEOUT_SIZE };

static int take_timeout(struct lint *lint, const struct lint_value *value)
{
	dmasim_sbdf dev = (dmasim_sbdf)value[TIMEOUT_DEV].number;
	struct hw_iommu *iommu = lint_unit(lint, (u32)value[TIMEOUT_UNIT].number, dev);
	const struct hw_invalidation what = {
		.requester = (u16)dev,
		.start = value[TIMEOUT_DMA].number,
		.last = value[TIMEOUT_DMA].number + (value[TIMEOUT_SIZE].number - 1),
	};

	if (!iommu)
		return -EINVAL;
	check_timed_out(&lint->s->check, iommu, &what);
	return 0;
}

/* ---- The software's own findings -------------------------------------- */

enum { WARN_ID, WARN_DEV, WARN_DMA, WARN_SIZE, WARN_WHAT };

static enum dmasim_report_id report_named(const struct lint_value *value)
{
	for (int id = 1; id < REPORT_ID_MAX; id++) {
		const char *name = dmasim_report_name((enum dmasim_report_id)id);

		if (name && is_word(value, name))
			return (enum dmasim_report_id)id;
	}
	return (enum dmasim_report_id)0;
}

/* The words of a finding, apart from those of the one that is still held back. */
static const char *words_of(struct lint *lint, const struct lint_value *what)
{
	const struct check_call *call = &lint->s->check.calls[lint->s->platform.cpu];
	char(*words)[TRACE_TEXT_BYTES] = lint->warning[lint->s->platform.cpu];

	if (!what->length)
		return NULL;
	if (call->held.report.what == words[0])
		words++;
	memcpy(*words, what->text, what->length);
	(*words)[what->length] = '\0';
	return *words;
}

static int take_warning(struct lint *lint, const struct lint_value *value)
{
	u32 cpu = lint->s->platform.cpu;
	struct platform_report report = {
		.id = report_named(&value[WARN_ID]),
		.dev = value[WARN_DEV].given ? (dmasim_sbdf)value[WARN_DEV].number : DMASIM_NO_SBDF,
		.dma = value[WARN_DMA].number,
		.size = value[WARN_SIZE].number,
		.what = words_of(lint, &value[WARN_WHAT]),
		.site = lint_site(lint, "the software"),
	};

	if (!report.id)
		return lint_wrong(lint, "id=%.*s, expected a report that `dmasim reports` prints",
				  (int)value[WARN_ID].length, value[WARN_ID].text);
	if (!report.site)
		return -ENOMEM;
	check_on_cpu(&lint->s->check, cpu);
	check_software_report(&lint->s->check, &report);
	return 0;
}

static int take_settled(struct lint *lint, const struct lint_value *value)
{
	(void)value;
	check_settle(&lint->s->check);
	return 0;
}

static int take_leaks_sought(struct lint *lint, const struct lint_value *value)
{
	(void)value;
	check_leaks(&lint->s->check);
	return 0;
}

enum { FREED_PHYS, FREED_SIZE };

static int take_freed(struct lint *lint, const struct lint_value *value)
{
	check_memory_freed(&lint->s->check, value[FREED_PHYS].number, value[FREED_SIZE].number);
	return 0;
}

enum { REPORT_ID, REPORT_DEV, REPORT_DMA };

static int take_report(struct lint *lint, const struct lint_value *value)
{
	enum dmasim_report_id id = report_named(&value[REPORT_ID]);

	if (!id)
		return lint_wrong(lint, "id=%.*s, expected a report that `dmasim reports` prints",
				  (int)value[REPORT_ID].length, value[REPORT_ID].text);
	lint_expect(lint, id,
		    value[REPORT_DEV].given ? (dmasim_sbdf)value[REPORT_DEV].number
					    : DMASIM_NO_SBDF,
		    value[REPORT_DMA].number);
	return 0;
}

/* ---- Lists ------------------------------------------------------------ */

enum { ENTRY_DMA, ENTRY_SIZE, ENTRY_DONE };

static int grow_list(struct lint *lint)
{
	u32 room = lint->entry_room ? 2 * lint->entry_room : 64;
	struct scatterlist *grown;

	if (lint->entry_count < lint->entry_room)
		return 0;
	if (room > LINT_ENTRIES_MAX)
		return lint_wrong(lint, "one more sg_entry, expected at most %u for a call",
				  LINT_ENTRIES_MAX / 2);
	grown = lint_alloc(lint, room * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	if (lint->entry_count)
		memcpy(grown, lint->entry, lint->entry_count * sizeof(*grown));
	memory_free(&lint->s->world.memory, lint->entry);
	lint->entry = grown;
	lint->entry_room = room;
	return 0;
}

static int take_entry(struct lint *lint, const struct lint_value *value)
{
	int err = grow_list(lint);

	if (err)
		return err;
	lint->entry[lint->entry_count++] = (struct scatterlist){
		.dma_address = value[ENTRY_DMA].number,
		.length = (unsigned int)value[ENTRY_SIZE].number,
		.dma_length = (unsigned int)value[ENTRY_DONE].number,
	};
	return 0;
}

/* ---- Forms ------------------------------------------------------------ */

#define K(key)                                 \
	{                                      \
		key, LINT_DECIMAL, false, NULL \
	}
#define S(key)                               \
	{                                    \
		key, LINT_SMALL, false, NULL \
	}
#define H(key)                             \
	{                                  \
		key, LINT_HEX, false, NULL \
	}
#define D(key)                             \
	{                                  \
		key, LINT_BDF, false, NULL \
	}
#define N(key)                              \
	{                                   \
		key, LINT_NAME, false, NULL \
	}
#define F(key)                              \
	{                                   \
		key, LINT_FLAG, false, NULL \
	}
#define W(key, way)                        \
	{                                  \
		key, LINT_WORD, false, way \
	}
#define OK(key)                               \
	{                                     \
		key, LINT_DECIMAL, true, NULL \
	}
#define OS(key)                             \
	{                                   \
		key, LINT_SMALL, true, NULL \
	}
#define OH(key)                           \
	{                                 \
		key, LINT_HEX, true, NULL \
	}
#define OD(key)                           \
	{                                 \
		key, LINT_BDF, true, NULL \
	}

/* As trace.h lists them. */
static const struct {
	const char *name;
	lint_take *take;
	struct lint_key key[LINT_KEYS_MAX];
} others[] = {
	{ "qi_iotlb",
	  NULL,
	  { S("unit"), N("granularity"), OS("dom"), OS("pasid"), OH("dma"), OK("size"), F("ih") } },
	{ "qi_context",
	  NULL,
	  { S("unit"), N("granularity"), OS("dom"), OH("source"), OH("ignored") } },
	{ "qi_pasid", NULL, { S("unit"), N("granularity"), OS("dom"), OS("pasid") } },
	{ "qi_device_tlb", NULL, { S("unit"), H("source"), H("dma"), OK("size") } },
	{ "amd_iommu_pages",
	  NULL,
	  { S("unit"), N("granularity"), OS("dom"), OH("dma"), OK("size"), F("pde") } },
	{ "amd_devtab_entry", NULL, { S("unit"), N("granularity"), OH("source"), OH("ignored") } },
	{ "amd_iotlb_pages", NULL, { S("unit"), H("source"), H("dma"), OK("size") } },
	{ "riscv_iotinval",
	  NULL,
	  { S("unit"), N("granularity"), OS("dom"), OH("dma"), OK("size"), F("nl") } },
	{ "riscv_iodir", NULL, { S("unit"), N("granularity"), OH("source"), OH("ignored") } },
	{ "riscv_ats_inval", NULL, { S("unit"), H("source"), H("dma"), OK("size") } },
	{ "smmuv3_tlbi",
	  NULL,
	  { S("unit"), N("granularity"), OS("dom"), OH("dma"), OK("size"), OS("level"),
	    F("tables") } },
	{ "smmuv3_cfgi", NULL, { S("unit"), N("granularity"), OH("source"), OH("ignored") } },
	{ "smmuv3_atc_inv", NULL, { S("unit"), H("source"), H("dma"), OK("size") } },
	{ "hop", NULL, { D("at"), N("what"), H("addr") } },
	{ "dev_read", NULL, { D("dev"), H("dma"), K("size"), K("done"), N("status") } },
	{ "dev_write", NULL, { D("dev"), H("dma"), K("size"), K("done"), N("status") } },
	{ "dev_walk", NULL, { D("dev"), H("dma"), N("dir"), H("phys"), H("reason") } },
	{ "fault", NULL, { S("unit"), D("dev"), H("dma"), H("reason"), N("dir") } },
	{ "dev_access",
	  take_access,
	  { D("dev"),
	    H("dma"),
	    K("size"),
	    W("dir", way_word),
	    W("to", target_word),
	    OH("phys"),
	    OD("at"),
	    OS("bar"),
	    OK("off"),
	    { "root", LINT_FLAG, true, NULL },
	    { "why", LINT_WORD, true, why_word },
	    OS("unit"),
	    OH("source"),
	    OS("dom"),
	    OH("reason"),
	    OH("flags") } },
	{ "ram", lint_take_ram, { H("phys"), K("size") } },
	{ "window", lint_take_window, { D("at"), S("last"), H("dma"), K("size") } },
	{ "device", lint_take_device, { D("dev"), F("snoop") } },
	{ "reserved", lint_take_reserved, { OD("dev"), H("dma"), K("size") } },
	{ "bar", lint_take_bar, { D("dev"), S("bar"), H("phys"), H("bus"), K("size") } },
	{ "bar_lost", lint_take_bar_lost, { D("dev"), S("bar"), D("at"), H("register") } },
	{ "queue_error", take_queue_error, { S("unit"), H("low"), H("high") } },
	{ "device_tlb_timeout", take_timeout, { S("unit"), D("dev"), H("dma"), OK("size") } },
	{ "memory", lint_take_memory, { H("phys"), K("size"), W("memory", lint_memory_word) } },
	{ "sg_entry", take_entry, { H("dma"), S("size"), S("done") } },
	{ "warn",
	  take_warning,
	  { N("id"), OD("dev"), H("dma"), K("size"), { "what", LINT_TEXT, false, NULL } } },
	{ "settled", take_settled, { { 0 } } },
	{ "leaks_sought", take_leaks_sought, { { 0 } } },
	{ "freed", take_freed, { H("phys"), K("size") } },
	{ "report", take_report, { N("id"), OD("dev"), OH("dma"), OK("size") } },
};

void lint_others_init(struct lint *lint)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct lint_form *form = lint_form_add(lint, others[i].name, others[i].take);

		for (u32 key = 0; key < LINT_KEYS_MAX && others[i].key[key].name; key++)
			lint_form_key(form, &others[i].key[key]);
	}
}
