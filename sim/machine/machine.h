/* SPDX-License-Identifier: MIT */
/*
 * The facade's own view of a machine: hardware, software and checker, and the port between them.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <dmasim/dmasim.h>
#include <dmasim/platform.h>

#include "check/check.h"
#include "hw/engine.h"
#include "machine/import_record.h"
#include "machine/kernel.h"
#include "os.h"

/* One-to-one mappings that firmware asks for. */
struct direct_region {
	SLIST_ENTRY(direct_region) link;
	struct hw_function *function; /* NULL: every device */
	phys_addr_t start;
	u64 bytes;
};

SLIST_HEAD(direct_region_list, direct_region);

/* The description that the software reads; written anew when the hardware changes. */
struct firmware {
	struct platform_firmware described;
	void *block; /* its arrays */
	size_t block_bytes;
};

/* The largest number a page address can have: where adopted memory begins. */
#define MACHINE_ADDRESS_BITS 52
#define MACHINE_ADOPT_START  (1ULL << (MACHINE_ADDRESS_BITS - 1))

struct lint;

/* Of a mapping so many bytes are compared, if nothing else is said: a cache line. */
#define MACHINE_WATCH_BYTES 64

struct dmasim {
	struct dmasim_config config;
	struct hw_arch own_arch; /* if the configuration has a walker */
	struct world world;
	struct hw hw;
	struct check check;
	struct platform platform;
	struct os *os;
	struct kernel kernel;
	struct firmware firmware;
	struct direct_region_list direct_regions;
	bool trace_knows; /* the trace has told of the machine */
	phys_addr_t next_adopted;
	u32 next_unit;
	u64 ram_dropped; /* state of the RAM's pointers when the platform's window was set */
	bool imported;
	struct dmasim_import imported_how; /* without names */
	struct import_records records;	   /* what was imported */
	enum platform_cpu_vendor cpu_vendor;
	u32 cpu_family;
	dmasim_tell_report *tell; /* NULL: nobody */
	void *tell_cookie;
	u32 others_shown;  /* what is wrong besides reports, by dmasim_check_news() */
	struct lint *lint; /* it stands for one that wrote a trace (lint.h) */
};

/* Stands first in every public function, before anything of the machine is touched. */
static inline void machine_exists(const struct dmasim *s)
{
	DMASIM_CONTRACT(s, "there is a machine");
}

static inline struct dmasim *machine_of(const struct pci_dev *pdev)
{
	DMASIM_CONTRACT(pdev, "there is a device");
	return pdev->dev.os->platform->machine;
}

/* The hardware function behind a device. */
struct hw_function *machine_function(struct pci_dev *pdev);

/* The device of that number; NULL: nobody there. Linear. */
struct pci_dev *machine_device_at(struct dmasim *s, dmasim_sbdf id);

/* The device of a hardware function; NULL: the software has not found it. */
struct pci_dev *machine_device(struct dmasim *s, const struct hw_function *function);

/* Contract: hardware is added before the machine starts. */
void machine_must_be_cold(const struct dmasim *s);

/* Starts the software if need be. False: there is no memory for that; it may be tried again. */
bool machine_start(struct dmasim *s);

/*
 * Moves the RAM above 4 GiB, none of which is in use or was touched. start is page aligned. 0, or
 * -ENOMEM with everything as it was. With `before` it can be moved back to where it was, which
 * cannot fail; what is in it at last is for frames_drop().
 */
int machine_place_high_ram(struct dmasim *s, phys_addr_t start, struct frame_list *before);
void machine_put_high_ram_back(struct dmasim *s, phys_addr_t start, struct frame_list *before);

/*
 * What a program has asked for, NULL: nothing, with all that it left at 0 filled in. What no
 * machine can be is a broken contract: there is nothing yet that a handler which jumps out would
 * leave behind.
 */
void machine_read_config(struct dmasim_config *to, const struct dmasim_config *from);

/* What the port calls a CPU, and its family where none is given. */
enum platform_cpu_vendor machine_cpu_vendor(enum dmasim_cpu cpu);
u32 machine_cpu_family(enum dmasim_cpu cpu);

/* ACS bits by their names: "SV, RR". */
void machine_add_acs_bits(struct text *text, u16 bits, const char *between);

/* ---- Reports ---------------------------------------------------------- */

/* The environment (report_rules.c). */
bool machine_env_abort(void);

/*
 * The files of the configuration and of the environment. 0 or -ENOMEM. Ends the machine, and then
 * in a broken contract, if one cannot be read.
 */
int machine_read_suppressions(struct dmasim *s);

/* As the configuration says, and what is told from now on is nothing (report_tell.c). */
void machine_tell_reports(struct dmasim *s);
void machine_tell_no_reports(struct dmasim *s);

/* ---- Port (port.c) ---------------------------------------------------- */

void port_init(struct dmasim *s);

/* True within a task of dmasim_run_cpus() (schedule.c). */
bool machine_cpus_run(const struct dmasim *s);
void machine_schedule_fini(struct dmasim *s);

/* How dma-debug is set up, and what it asks (dma_debug.c). */
struct dma_debug_config machine_dma_debug(struct dmasim *s);

/* What memory of the process is; `cookie` is the machine (host_memory.c). */
enum memory_kind machine_host_kind(void *cookie, const void *ptr, u64 bytes);

/* How the program is kept out of memory; NULL: nothing does, or nothing is to (poison.c). */
cpu_guard *machine_guard(enum dmasim_poison poison);

/* What the trace says of an event of the software that the event does not (trace_event.c). */
struct trace_facts {
	u32 state;
	bool below_root;
	enum memory_kind memory;
};

/* One line of the trace for an event of the software. */
void trace_event(struct trace *trace, const struct dmasim_event *event,
		 const struct trace_facts *facts);

/* What a reader of traces holds (lint.c). */
void lint_fini(struct dmasim *s);

/* How its line is made. */
struct trace_format {
	const char *name;
	u32 fields; /* enum dmasim_event_field */
};

extern const struct trace_format trace_formats[DMASIM_EVENT_COUNT];

/* Words of the trace by their numbers; NULL: there is none of that number. */
const char *trace_dir_word(u32 dir);
const char *trace_type_word(u32 type);
const char *trace_alloc_word(u32 alloc);

/* The lines before an event: what it counts on, of the machine and of lists (trace_machine.c). */
void trace_before_event(struct dmasim *s, const struct dmasim_event *event,
			struct trace_facts *facts);
/* After a write of registers: BARs that the trace knows and that the CPU no longer finds there. */
void trace_lost_bars(struct dmasim *s, const struct hw_function *written, u32 offset);
/* Of the machine, once: before the first event, or the first access of a device. */
void trace_machine(struct dmasim *s);

/* ---- Hardware being built --------------------------------------------- */

/* A host bridge with its IOMMU; NULL: no memory. */
struct hw_root *machine_add_root(struct dmasim *s, u16 segment, u8 bus_first, u8 bus_last);

/* What a host bridge takes for memory, in the hardware's form; dma_range_count of them. */
void machine_copy_ranges(const struct dmasim_host_bridge *bridge, struct hw_inbound *inbound);

/*
 * What firmware says of a function, and the memory it sets aside for it, instead of what was said
 * before. 0 or -ENOMEM (and then nothing changed).
 */
int machine_set_traits(struct dmasim *s, struct hw_function *function,
		       const struct dmasim_traits *traits);

/* Under which numbers a device and what is below a bridge send, by their ids (known_alias.c). */
struct known_alias {
	bool sends_as_other;
	u8 sends_as;
	enum hw_alias alias;
};

struct known_alias machine_known_alias(const struct pci_dev *pdev);

/*
 * In an imported machine a function, or all of them, send so, if nothing else was said of them.
 */
void machine_use_known_alias(struct dmasim *s, struct hw_function *function);
void machine_use_known_aliases(struct dmasim *s);

/* Gives out bus numbers and addresses for a tree built by path (plan.c). */
void firmware_plan(struct dmasim *s);

/* Describes the hardware as it is to the software (firmware.c). 0 or -ENOMEM. */
int firmware_describe(struct dmasim *s);
void firmware_fini(struct dmasim *s);

/*
 * Plans, if the tree was built by path, describes, and lets the software look again. 0 or -ENOMEM.
 */
int machine_hardware_changed(struct dmasim *s);

#endif
