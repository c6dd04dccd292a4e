/* SPDX-License-Identifier: MIT */
/*
 * The public face of dma-debug, and what it needs of the machine.
 */
#include <dmasim/dma-debug.h>

#include <string.h>

#include <bsd/string.h>

#include "machine/machine.h"

/* As dev_driver_string(): without a driver the name of the bus. */
static const char *driver_name(void *cookie, dmasim_sbdf dev)
{
	struct dmasim *s = cookie;
	const struct hw_function *function = hw_function_find(&s->hw, dev);
	const struct pci_dev *pdev = function ? machine_device(s, function) : NULL;

	return pdev && pdev->driver && pdev->driver->name ? pdev->driver->name : "pci";
}

static void print(void *cookie, const char *line)
{
	const struct dmasim *s = cookie;

	if (s->kernel.print_to)
		fputs(line, s->kernel.print_to);
}

struct dma_debug_config machine_dma_debug(struct dmasim *s)
{
	return (struct dma_debug_config){
		.on = s->config.dma_debug,
		/* What shares a line may be bounced, then. */
		.tells_overlap =
			s->config.cpu == DMASIM_CPU_OTHER &&
			!(s->config.bounce_kmalloc && s->config.swiotlb != DMASIM_SWIOTLB_OFF),
		.cookie = s,
		.driver = driver_name,
		.print = print,
	};
}

struct dmasim_dma_debug dmasim_dma_debug(const struct dmasim *s)
{
	const struct dma_debug *debug;
	struct dmasim_dma_debug now;

	machine_exists(s);
	debug = &s->check.debug;
	now = (struct dmasim_dma_debug){
		.disabled = !dma_debug_listens(debug),
		.error_count = debug->errors,
		.all_errors = debug->all_errors,
		.num_errors = debug->to_print,
		.num_free_entries = debug->free,
		.min_free_entries = debug->least_free,
		.nr_total_entries = debug->total,
	};
	strlcpy(now.driver_filter, debug->filter, sizeof(now.driver_filter));
	return now;
}

void dmasim_dma_debug_all_errors(struct dmasim *s, bool all)
{
	machine_exists(s);
	s->check.debug.all_errors = all;
}

void dmasim_dma_debug_num_errors(struct dmasim *s, u32 count)
{
	machine_exists(s);
	s->check.debug.to_print = count;
}

void dmasim_dma_debug_driver_filter(struct dmasim *s, const char *name)
{
	machine_exists(s);
	DMASIM_CONTRACT(name, "a driver has a name");
	dma_debug_set_filter(&s->check.debug, name);
}

size_t dmasim_dma_debug_log(const struct dmasim *s, char *buf, size_t len)
{
	const struct dma_debug *debug;

	machine_exists(s);
	DMASIM_CONTRACT(buf && len, "a text has room for its end");
	debug = &s->check.debug;
	strlcpy(buf, debug->log ? debug->log : "", len);
	return debug->log_length;
}

u32 dmasim_dma_debug_dump(struct dmasim *s, char *buf, size_t len)
{
	struct text text;

	machine_exists(s);
	DMASIM_CONTRACT(buf && len, "a text has room for its end");
	text_init(&text, buf, len);
	return dma_debug_dump(&s->check.debug, &text);
}

void dmasim_driver_unbound(struct pci_dev *pdev)
{
	PLATFORM_EVENT(&machine_of(pdev)->platform, UNBOUND, .dev = pdev->dev.id);
}
