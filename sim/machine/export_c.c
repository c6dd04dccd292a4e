/* SPDX-License-Identifier: MIT */
/*
 * The machine as a C function: tables of registers, a description that has them, and what firmware
 * and the program said of single devices.
 */
#include "machine/export_c.h"

#include <string.h>

#include <dmasim/description.h>

#include "hw/ats.h"

/* ---- Values ----------------------------------------------------------- */

static void put_bdf(FILE *to, const struct export_function *function)
{
	fputc('"', to);
	export_put_name(to, function, ":.");
	fputc('"', to);
}

/* "SZ_1M", "16ULL * SZ_1K", "0" */
static void put_size(FILE *to, u64 bytes)
{
	static const struct {
		u64 bytes;
		const char *name;
	} units[] = { { SZ_1G, "SZ_1G" }, { SZ_1M, "SZ_1M" }, { SZ_1K, "SZ_1K" } };

	for (u32 i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		u64 count = bytes / units[i].bytes;

		if (!count || bytes % units[i].bytes)
			continue;
		if (count > 1)
			fprintf(to, "%lluULL * ", count);
		fputs(units[i].name, to);
		return;
	}
	fprintf(to, "%llu", bytes);
}

/* ---- Functions -------------------------------------------------------- */

/* ".bar = { SZ_1M, 0, 16ULL * SZ_1K },": up to the last that is there. */
static void put_bars(FILE *to, const char *member, const struct hw_bar *bar)
{
	u32 count = PCI_STD_NUM_BARS;

	while (count && !bar[count - 1].bytes)
		count--;
	if (!count)
		return;
	fprintf(to, "\t\t\t.%s = { ", member);
	for (u32 i = 0; i < count; i++) {
		put_size(to, bar[i].bytes);
		fputs(i + 1 < count ? ", " : " },\n", to);
	}
}

static void put_inferred(FILE *to, const char *member, const struct hw_bar *bar)
{
	u32 bits = 0;

	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++)
		bits |= (u32)(bar[i].bytes && bar[i].inferred) << i;
	if (bits)
		fprintf(to, "\t\t\t.%s = 0x%02x,\n", member, bits);
}

/* What the registers do not say. A virtual function's BARs are its physical function's. */
static void put_hardware(FILE *to, const struct hw_function *hw)
{
	u32 entries = hw->ats_at ? hw->device_tlb.sets * hw->device_tlb.ways : 0;

	if (!hw->physfn) {
		put_bars(to, "bar", hw->bar);
		put_bars(to, "vf_bar", hw->vf_bar);
		put_inferred(to, "bar_inferred", hw->bar);
		put_inferred(to, "vf_bar_inferred", hw->vf_bar);
	}
	if (hw->acs_hidden)
		fputs("\t\t\t.acs_hidden = true,\n", to);
	if (entries && entries != HW_DEVICE_TLB_ENTRIES)
		fprintf(to, "\t\t\t.ats_entries = %u,\n", entries);
}

static void put_functions(FILE *to, const struct export *export, const char *name)
{
	fputs("\tstatic const struct dmasim_function functions[] = {\n", to);
	for (u32 i = 0; i < export->function_count; i++) {
		const struct export_function *function = &export->function[i];

		fputs("\t\t{\n\t\t\t.bdf = ", to);
		put_bdf(to, function);
		fprintf(to, ",\n\t\t\t.config_bytes = %u,\n", function->config_bytes);
		if (export_has_registers(function)) {
			fputs("\t\t\tDMASIM_REGISTERS(", to);
			export_put_table_name(to, name, function);
			fputs("),\n", to);
		}
		if (function->hw)
			put_hardware(to, function->hw);
		fputs("\t\t},\n", to);
	}
	fputs("\t};\n", to);
}

/* ---- Host bridges ----------------------------------------------------- */

/* In the order of an import: by segment and bus. NULL gives the first, and ends. */
static const struct hw_root *next_root(const struct dmasim *s, const struct hw_root *before)
{
	const struct hw_root *root, *next = NULL;

	TAILQ_FOREACH(root, &s->hw.roots, link) {
		u32 at = (u32)root->segment << 8 | root->bus_first;

		if (before && at <= ((u32)before->segment << 8 | before->bus_first))
			continue;
		if (!next || at < ((u32)next->segment << 8 | next->bus_first))
			next = root;
	}
	return next;
}

static void put_root(FILE *to, const struct hw_root *root)
{
	fprintf(to, "\t\t{\n\t\t\t.segment = 0x%04x,\n\t\t\t.bus = 0x%02x,\n", root->segment,
		root->bus_first);
}

static void put_window(FILE *to, const struct hw_root *root, const struct hw_window *window)
{
	put_root(to, root);
	fprintf(to, "\t\t\t.start = 0x%llx,\n\t\t\t.bytes = 0x%llx,\n", window->start,
		window->bytes);
	if (window->bus_offset)
		fprintf(to, "\t\t\t.bus_offset = 0x%llx,\n", window->bus_offset);
	if (window->inferred)
		fputs("\t\t\t.inferred = true,\n", to);
	fputs("\t\t},\n", to);
}

static bool has_windows(const struct dmasim *s)
{
	struct dmasim_window window;

	return dmasim_window(s, 0, &window);
}

static void put_windows(FILE *to, const struct dmasim *s)
{
	const struct hw_root *root = NULL;

	if (!has_windows(s))
		return;
	fputs("\tstatic const struct dmasim_window windows[] = {\n", to);
	while ((root = next_root(s, root))) {
		for (u32 i = 0; i < root->window_count; i++)
			put_window(to, root, &root->window[i]);
	}
	fputs("\t};\n", to);
}

static bool has_ranges(const struct dmasim *s)
{
	const struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link) {
		if (root->inbound_count)
			return true;
	}
	return false;
}

static void put_host_bridge(FILE *to, const struct hw_root *root)
{
	put_root(to, root);
	fprintf(to, "\t\t\t.dma_range_count = %u,\n\t\t\t.dma_range = {\n", root->inbound_count);
	for (u32 i = 0; i < root->inbound_count; i++)
		fprintf(to, "\t\t\t\t{ 0x%llx, 0x%llx, 0x%llx },\n", root->inbound[i].bus_start,
			root->inbound[i].start, root->inbound[i].bytes);
	fputs("\t\t\t},\n\t\t},\n", to);
}

static void put_host_bridges(FILE *to, const struct dmasim *s)
{
	const struct hw_root *root = NULL;

	if (!has_ranges(s))
		return;
	fputs("\tstatic const struct dmasim_host_bridge host_bridges[] = {\n", to);
	while ((root = next_root(s, root))) {
		if (root->inbound_count)
			put_host_bridge(to, root);
	}
	fputs("\t};\n", to);
}

/* ---- The description, and how it is read ------------------------------ */

static void put_array(FILE *to, const char *array, const char *count)
{
	fprintf(to,
		"\t\t.%s = %s,\n"
		"\t\t.%s = sizeof(%s) / sizeof(%s[0]),\n",
		array, array, count, array, array);
}

static void put_description(FILE *to, const struct dmasim *s)
{
	fputs("\tstatic const struct dmasim_description machine = {\n", to);
	put_array(to, "functions", "function_count");
	if (has_windows(s))
		put_array(to, "windows", "window_count");
	if (has_ranges(s))
		put_array(to, "host_bridges", "host_bridge_count");
	fputs("\t};\n", to);
}

static const char *cpu_name(const struct dmasim *s)
{
	static const char *const names[] = {
		[DMASIM_CPU_INTEL] = "DMASIM_CPU_INTEL",
		[DMASIM_CPU_AMD] = "DMASIM_CPU_AMD",
		[DMASIM_CPU_HYGON] = "DMASIM_CPU_HYGON",
		[DMASIM_CPU_OTHER] = "DMASIM_CPU_OTHER",
	};
	u32 cpu = 0;

	while (cpu < DMASIM_CPU_OTHER && machine_cpu_vendor((enum dmasim_cpu)cpu) != s->cpu_vendor)
		cpu++;
	return names[cpu];
}

/* Registers are as they were read: what changed them then does so again. */
static void put_how(FILE *to, const struct dmasim *s)
{
	const struct dmasim_import *how = &s->imported_how;

	fputs("\tstatic const struct dmasim_import how = {\n", to);
	if (how->acs_off)
		fputs("\t\t.acs_off = true,\n", to);
	fprintf(to, "\t\t.cpu_set = true,\n\t\t.cpu = %s,\n\t\t.cpu_family = 0x%x,\n", cpu_name(s),
		s->cpu_family);
	if (how->assume == DMASIM_ASSUME_ISOLATION)
		fputs("\t\t.assume = DMASIM_ASSUME_ISOLATION,\n", to);
	fputs("\t};\n", to);
}

/* ---- Single devices --------------------------------------------------- */

static const struct pci_dev *device_of(const struct export *export,
				       const struct export_function *function)
{
	return function->hw ? machine_device(export->s, function->hw) : NULL;
}

/* What the import does not know by itself. */
static bool has_other_alias(const struct export *export, const struct export_function *function)
{
	const struct hw_traits *traits = &function->hw->traits;
	const struct pci_dev *pdev = device_of(export, function);
	struct known_alias known = { 0 };

	if (pdev)
		known = machine_known_alias(pdev);
	return traits->sends_as_other != known.sends_as_other ||
	       traits->sends_as != known.sends_as || traits->alias != known.alias;
}

/* What firmware says of a virtual function is said of its physical function. */
static bool has_traits(const struct export *export, const struct export_function *function)
{
	const struct hw_traits *traits = function->hw ? &function->hw->traits : NULL;

	return traits && !function->hw->physfn &&
	       (traits->external || traits->no_snoop || traits->bus_limit || traits->pool_bytes ||
		has_other_alias(export, function));
}

static void put_traits(FILE *to, const struct hw_traits *traits)
{
	static const char *const aliases[] = {
		[HW_ALIAS_USUAL] = "DMASIM_ALIAS_USUAL",
		[HW_ALIAS_NONE] = "DMASIM_ALIAS_NONE",
		[HW_ALIAS_SECONDARY] = "DMASIM_ALIAS_SECONDARY",
		[HW_ALIAS_LAST] = "DMASIM_ALIAS_LAST",
	};

	fprintf(to, "\t\t{ %s, %s, 0x%llx, 0x%llx", traits->external ? "true" : "false",
		traits->no_snoop ? "true" : "false", traits->bus_limit, traits->pool_bytes);
	if (traits->sends_as_other || traits->alias)
		fprintf(to, ", 0x%x, %s", traits->sends_as_other ? 0x100U | traits->sends_as : 0,
			aliases[traits->alias]);
	fputs(" },\n", to);
}

static void put_traits_table(FILE *to, const struct export *export)
{
	bool any = false;

	for (u32 i = 0; i < export->function_count; i++) {
		const struct export_function *function = &export->function[i];

		if (!has_traits(export, function))
			continue;
		if (!any)
			fputs("\tstatic const struct dmasim_traits traits[] = {\n", to);
		any = true;
		put_traits(to, &function->hw->traits);
	}
	if (any)
		fputs("\t};\n", to);
}

static void put_traits_calls(FILE *to, const struct export *export)
{
	u32 index = 0;

	for (u32 i = 0; i < export->function_count; i++) {
		if (!has_traits(export, &export->function[i]))
			continue;
		fputs("\tif (!err)\n\t\terr = dmasim_set_traits(dmasim_pci_dev(s, ", to);
		put_bdf(to, &export->function[i]);
		fprintf(to, "), &traits[%u]);\n", index++);
	}
}

static void put_policy_calls(FILE *to, const struct export *export)
{
	static const char *const names[] = {
		[DMASIM_STRICT] = "DMASIM_STRICT",
		[DMASIM_LAZY] = "DMASIM_LAZY",
		[DMASIM_PASS_THROUGH] = "DMASIM_PASS_THROUGH",
	};

	for (u32 i = 0; i < export->function_count; i++) {
		const struct pci_dev *pdev = device_of(export, &export->function[i]);

		if (!pdev || !pdev->policy_set)
			continue;
		fputs("\tif (!err)\n\t\tdmasim_set_policy(dmasim_pci_dev(s, ", to);
		put_bdf(to, &export->function[i]);
		fprintf(to, "), %s);\n", names[pdev->policy]);
	}
}

static void put_region(FILE *to, const struct export *export, const struct direct_region *region)
{
	fputs("\tif (!err)\n\t\terr = dmasim_add_direct_region(s, ", to);
	if (!region->function)
		fputs("NULL", to);
	for (u32 i = 0; region->function && i < export->function_count; i++) {
		if (export->function[i].hw != region->function)
			continue;
		fputs("dmasim_pci_dev(s, ", to);
		put_bdf(to, &export->function[i]);
		fputc(')', to);
	}
	fprintf(to, ", 0x%llx, 0x%llx);\n", region->start, region->bytes);
}

/* In the order in which they were added: the last one is the first in the list. */
static void put_regions(FILE *to, const struct export *export)
{
	const struct direct_region *region;
	u32 count = 0;

	SLIST_FOREACH(region, &export->s->direct_regions, link)
		count++;
	while (count--) {
		u32 left = count;

		region = SLIST_FIRST(&export->s->direct_regions);
		while (left--)
			region = SLIST_NEXT(region, link);
		put_region(to, export, region);
	}
}

/* ---- All of it -------------------------------------------------------- */

static bool has_calls(const struct export *export)
{
	for (u32 i = 0; i < export->function_count; i++) {
		const struct export_function *function = &export->function[i];
		const struct pci_dev *pdev = device_of(export, function);

		if (has_traits(export, function) || (pdev && pdev->policy_set))
			return true;
	}
	return !SLIST_EMPTY(&export->s->direct_regions);
}

static void put_calls(FILE *to, const struct export *export)
{
	static const char call[] = "dmasim_import_description(s, &machine, &how, error);\n";

	if (!has_calls(export)) {
		fprintf(to, "\n\treturn %s", call);
		return;
	}
	fprintf(to, "\tint err = %s\n", call);
	put_traits_calls(to, export);
	put_policy_calls(to, export);
	put_regions(to, export);
	fputs("\treturn err;\n", to);
}

static const char head[] = "#include <dmasim/dmasim.h>\n\n"
			   "#ifdef __cplusplus /* members that are left out are zero */\n"
			   "#pragma GCC diagnostic ignored \"-Wmissing-field-initializers\"\n"
			   "#endif\n\n";

static void put_machine(FILE *to, const struct export *export, const char *name)
{
	fputs(head, to);
	for (u32 i = 0; i < export->function_count; i++) {
		if (export_has_registers(&export->function[i]))
			export_put_registers(to, name, &export->function[i]);
	}
	fprintf(to,
		"int %s(struct dmasim *s, struct dmasim_error *error);\n\n"
		"int %s(struct dmasim *s, struct dmasim_error *error)\n{\n",
		name, name);
	put_functions(to, export, name);
	put_windows(to, export->s);
	put_host_bridges(to, export->s);
	put_description(to, export->s);
	put_how(to, export->s);
	put_traits_table(to, export);
	put_calls(to, export);
	fputs("}\n", to);
}

static bool is_identifier(const char *name)
{
	static const char digits[] = "0123456789";
	static const char others[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	if (!*name || strchr(digits, *name))
		return false;
	while (*name && (strchr(digits, *name) || strchr(others, *name)))
		name++;
	return !*name;
}

int dmasim_export_c(struct dmasim *s, FILE *to, const char *name)
{
	struct export export;
	int err = export_init(&export, s);

	DMASIM_CONTRACT(is_identifier(name), "the function's name is an identifier of C");
	DMASIM_CONTRACT(err || export.function_count, "there is hardware to write down");
	if (!err)
		put_machine(to, &export, name);
	export_fini(&export);
	return err ? err : export_end(to);
}
