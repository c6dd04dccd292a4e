/* SPDX-License-Identifier: MIT */
/*
 * A machine of 10,000 functions: how long it takes to become it from its dump, to find each device
 * by its address, to start it, and to give all back. Usage: bench_import
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/measure.h"
#include "support/big_machine.h"

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

/* Prints how long it was since *from, and begins anew. */
static void lap(const char *what, u64 *from)
{
	u64 now = now_ns();

	printf("  %-34s %8.1f ms\n", what, (double)(now - *from) / 1e6);
	*from = now_ns();
}

static void run(const char *path)
{
	struct dmasim *s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG });
	struct pci_dev *pdev = NULL;
	struct dmasim_error error;
	u64 from = now_ns();

	must(s, "no machine");
	must(!dmasim_import_lspci(s, path, NULL, &error), error.text);
	lap("import", &from);
	while ((pdev = dmasim_next_dev(s, pdev)))
		must(dmasim_pci_dev(s, pci_name(pdev)) == pdev, "a device is not found");
	lap("each device by its address", &from);
	must(dmasim_group(dmasim_next_dev(s, NULL)) >= 0, "the machine does not start");
	lap("start: groups, domains, contexts", &from);
	must(!dmasim_destroy(s), "the machine leaks");
	lap("destroy", &from);
}

int main(void)
{
	char path[] = "/tmp/dmasim-bench-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	u32 count;

	must(file, "no temporary file");
	count = big_machine_write(&BIG_MACHINE, file);
	must(!fclose(file), "the dump is not written");
	printf("a machine of %u functions, 4096 registers each\n", count);
	run(path);
	unlink(path);
	return 0;
}
