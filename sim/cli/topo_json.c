/* SPDX-License-Identifier: MIT */
/*
 * The tree for programs. Members are always there and keep their names and meanings; others may be
 * added. Addresses, identifiers and register values are strings, "0x" and lower-case hexadecimal
 * digits; sizes and counts are integers; "unknown" is what the machine's description is too short
 * to show.
 *
 *   version        1
 *   ram            [ { start, bytes, inferred } ]
 *   host_bridges   [ { name "0000:00", segment, bus_first, bus_last,
 *                      windows [ { start, last, bytes, bus_offset, inferred } ] } ]
 *   functions      [ parents before children, in the order of the tree
 *     name            "0000:3a:00.0"
 *     host_bridge     name of its host bridge
 *     above           name of the bridge that leads to its bus; null on a root bus
 *     answered        false: it did not when the dump was made, and nothing is known of it
 *     config_bytes    how many registers are known: 64, 256, 4096
 *     vendor, device  "0x144d"
 *     class           base class, sub-class, interface: "0x010802"
 *     class_word      "NVMe"
 *     type            "root port", "upstream port", "downstream port", "endpoint",
 *                     "legacy endpoint", "root complex endpoint", "event collector",
 *                     "PCIe to PCI bridge", "PCI to PCIe bridge", "reserved type",
 *                     "conventional PCI", "unknown type"
 *     multifunction   its device has more functions
 *     bridge          it leads to another bus
 *     port            number of a PCI Express port, 0, too, where nothing tells it; else null
 *     secondary, subordinate   numbers of the buses behind a bridge; null: none
 *     memory_off      it has memory to decode, and its command register says not to
 *     windows         [ { start, last, bytes, prefetchable } ] of a bridge, open and decoded
 *     bars            [ { bar, kind "memory" or "io", address (on the bus), bytes, bits 32 or 64,
 *                         prefetchable, inferred: bytes is a guess } ]
 *     acs             { state "unknown", "absent" or "present", capability, control,
 *                       on [ "SV", "RR", ... ], isolation "redirects", "lets pass", "none",
 *                       "unknown"; null: it has no neighbour that ACS could keep apart }
 *     ats             { state, on }
 *     sriov           { state, virtual_functions: at most, on: how many there are }
 *     physfn          name of the physical function of a virtual one; else null
 *     real_dma        name of the function whose number its requests bear, if it is another's
 *                     (VMD's endpoint); else null ]
 *   notes          [ what was left out, or could not be had, in words ]
 */
#include "topo.h"

#ifndef DMASIM_JSON

int topo_print_json(const struct topo *topo, const char *command, FILE *to)
{
	(void)topo;
	(void)to;
	return cli_bad_input("%s: --as json: this dmasim was built without Jansson", command);
}

#else

#include <jansson.h>
#include <string.h>

/* Of one member; a value that could not be made is remembered. */
struct out {
	bool failed;
};

static void put(struct out *out, json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value))
		out->failed = true;
}

static void add(struct out *out, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		out->failed = true;
}

/* ---- Values ----------------------------------------------------------- */

static json_t *hex(u64 value, int digits)
{
	return json_sprintf("0x%0*llx", digits, value);
}

static json_t *count(u64 value)
{
	return json_integer((json_int_t)value);
}

static json_t *count_or_null(bool is, u64 value)
{
	return is ? count(value) : json_null();
}

static json_t *name_or_null(const char *name)
{
	return name ? json_string(name) : json_null();
}

static const char *state(enum topo_known known)
{
	return known == TOPO_PRESENT ? "present" : known == TOPO_ABSENT ? "absent" : "unknown";
}

static json_t *host_name(const struct topo_host_bridge *host)
{
	return json_sprintf("%04x:%02x", dmasim_domain(host->segment), host->bus_first);
}

/* ---- Functions -------------------------------------------------------- */

static void put_range(struct out *out, json_t *object, u64 start, u64 bytes)
{
	put(out, object, "start", hex(start, 1));
	put(out, object, "last", hex(start + bytes - 1, 1));
	put(out, object, "bytes", count(bytes));
}

static json_t *windows_of(struct out *out, const struct topo_function *function)
{
	json_t *array = json_array();

	for (u32 i = 0; i < function->window_count; i++) {
		json_t *object = json_object();

		put_range(out, object, function->window[i].start, function->window[i].bytes);
		put(out, object, "prefetchable", json_boolean(function->window[i].prefetch));
		add(out, array, object);
	}
	return array;
}

static json_t *bar_of(struct out *out, const struct topo_bar *bar)
{
	json_t *object = json_object();

	put(out, object, "bar", count(bar->index));
	put(out, object, "kind", json_string(bar->io ? "io" : "memory"));
	put(out, object, "address", hex(bar->address, 1));
	put(out, object, "bytes", count(bar->bytes));
	put(out, object, "bits", count(bar->is_64 ? 64 : 32));
	put(out, object, "prefetchable", json_boolean(bar->prefetch));
	put(out, object, "inferred", json_boolean(bar->inferred));
	return object;
}

static json_t *bars_of(struct out *out, const struct topo_function *function)
{
	json_t *array = json_array();

	for (u32 i = 0; i < function->bar_count; i++)
		add(out, array, bar_of(out, &function->bar[i]));
	return array;
}

static json_t *isolation_of(const struct topo_function *function)
{
	static const char *const words[] = {
		[TOPO_REDIRECTS] = "redirects",
		[TOPO_LETS_PASS] = "lets pass",
		[TOPO_NO_ACS] = "none",
		[TOPO_ACS_HIDDEN] = "unknown",
	};

	return topo_acs_matters(function) ? json_string(words[topo_isolation(function)])
					  : json_null();
}

static json_t *acs_of(struct out *out, const struct topo_function *function)
{
	json_t *object = json_object(), *on = json_array();
	const char *letters;

	for (u32 bit = 0; (letters = topo_acs_letters(bit)); bit++) {
		if (function->acs_control & 1U << bit)
			add(out, on, json_string(letters));
	}
	put(out, object, "state", json_string(state(function->acs)));
	put(out, object, "capability", hex(function->acs_cap, 4));
	put(out, object, "control", hex(function->acs_control, 4));
	put(out, object, "on", on);
	put(out, object, "isolation", isolation_of(function));
	return object;
}

static json_t *ats_of(struct out *out, const struct topo_function *function)
{
	json_t *object = json_object();

	put(out, object, "state", json_string(state(function->ats)));
	put(out, object, "on", json_boolean(function->ats_on));
	return object;
}

static json_t *sriov_of(struct out *out, const struct topo_function *function)
{
	json_t *object = json_object();

	put(out, object, "state", json_string(state(function->sriov)));
	put(out, object, "virtual_functions", count(function->virtual_functions));
	put(out, object, "on", count(function->virtual_on));
	return object;
}

static void put_place(struct out *out, json_t *object, const struct topo *topo,
		      const struct topo_function *function)
{
	bool on_root = function->above == TOPO_NONE;

	put(out, object, "name", json_string(function->name));
	put(out, object, "host_bridge", host_name(&topo->host_bridge[function->host_bridge]));
	put(out, object, "above",
	    name_or_null(on_root ? NULL : topo->function[function->above].name));
	put(out, object, "answered", json_boolean(function->answered));
	put(out, object, "config_bytes", count(function->config_bytes));
}

static json_t *function_of(struct out *out, const struct topo *topo,
			   const struct topo_function *function)
{
	const struct pci_dev *pdev = function->pdev;
	bool leads = function->bridge && function->secondary;
	json_t *object = json_object();

	put_place(out, object, topo, function);
	put(out, object, "vendor", hex(pdev->vendor, 4));
	put(out, object, "device", hex(pdev->device, 4));
	put(out, object, "class", hex(pdev->class_code, 6));
	put(out, object, "class_word", json_string(function->class_word));
	put(out, object, "type", json_string(function->type_word));
	put(out, object, "multifunction", json_boolean(function->multifunction));
	put(out, object, "bridge", json_boolean(function->bridge));
	put(out, object, "port", count_or_null(function->port, function->port_number));
	put(out, object, "secondary", count_or_null(leads, function->secondary));
	put(out, object, "subordinate", count_or_null(leads, function->subordinate));
	put(out, object, "memory_off", json_boolean(function->memory_off));
	put(out, object, "windows", windows_of(out, function));
	put(out, object, "bars", bars_of(out, function));
	put(out, object, "acs", acs_of(out, function));
	put(out, object, "ats", ats_of(out, function));
	put(out, object, "sriov", sriov_of(out, function));
	put(out, object, "physfn", name_or_null(function->physfn));
	put(out, object, "real_dma", name_or_null(function->real_dma));
	return object;
}

/* ---- Machine ---------------------------------------------------------- */

static json_t *host_of(struct out *out, const struct topo *topo,
		       const struct topo_host_bridge *host)
{
	json_t *object = json_object(), *windows = json_array();

	for (u32 i = 0; i < host->window_count; i++) {
		const struct topo_window *window = &topo->window[host->first_window + i];
		json_t *one = json_object();

		put_range(out, one, window->start, window->bytes);
		put(out, one, "bus_offset", hex(window->bus_offset, 1));
		put(out, one, "inferred", json_boolean(window->inferred));
		add(out, windows, one);
	}
	put(out, object, "name", host_name(host));
	put(out, object, "segment", count(host->segment));
	put(out, object, "bus_first", count(host->bus_first));
	put(out, object, "bus_last", count(host->bus_last));
	put(out, object, "windows", windows);
	return object;
}

static json_t *ram_of(struct out *out, const struct topo *topo)
{
	json_t *array = json_array();

	for (u32 i = 0; i < topo->ram_count; i++) {
		json_t *object = json_object();

		put(out, object, "start", hex(topo->ram[i].start, 1));
		put(out, object, "bytes", count(topo->ram[i].bytes));
		put(out, object, "inferred", json_true());
		add(out, array, object);
	}
	return array;
}

/* A note is pure ASCII, so that it is UTF-8, too. */
static json_t *notes_of(struct out *out, const struct topo *topo)
{
	json_t *array = json_array();
	const char *at = topo->notes.text;
	size_t length;

	while ((at = cli_note(at, &length))) {
		add(out, array, json_stringn(at, length));
		at += length;
	}
	return array;
}

static json_t *machine_of(struct out *out, const struct topo *topo)
{
	json_t *machine = json_object(), *hosts = json_array(), *functions = json_array();

	for (u32 i = 0; i < topo->host_bridge_count; i++)
		add(out, hosts, host_of(out, topo, &topo->host_bridge[i]));
	for (u32 i = 0; i < topo->function_count; i++)
		add(out, functions, function_of(out, topo, &topo->function[i]));
	put(out, machine, "version", count(1));
	put(out, machine, "ram", ram_of(out, topo));
	put(out, machine, "host_bridges", hosts);
	put(out, machine, "functions", functions);
	put(out, machine, "notes", notes_of(out, topo));
	return machine;
}

int topo_print_json(const struct topo *topo, const char *command, FILE *to)
{
	struct out out = { 0 };
	json_t *machine = machine_of(&out, topo);
	int status = CLI_DONE;

	if (out.failed)
		status = cli_bad_input("%s: no memory", command);
	else if (!json_dumpf(machine, to, JSON_INDENT(2)))
		fputc('\n', to);
	json_decref(machine);
	return status;
}

#endif
