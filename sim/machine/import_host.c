/* SPDX-License-Identifier: MIT */
/*
 * The running host, by what Linux shows of it below /sys/bus/pci/devices: a folder for each
 * function, named by its address.
 *
 *   config     its registers; without root the first 64 bytes can be read, and no more
 *   resource   "0xstart 0xlast 0xflags": its BARs, the expansion ROM; where the kernel has SR-IOV
 *              those of all virtual functions together; a bridge's windows
 *
 * What is not a function's folder there, or cannot be read, is left alone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine/import.h"

#define DEVICES	   "bus/pci/devices"
#define PATH_BYTES 4096

/* Lines of the resource file: BARs, the ROM, BARs of virtual functions, four windows of bridges. */
#define LINE_OF_VIRTUAL_BARS (PCI_STD_NUM_BARS + 1)
#define LINES_WITH_VIRTUAL   (LINE_OF_VIRTUAL_BARS + PCI_STD_NUM_BARS)

struct host {
	struct import *import;
	struct import_function function;
	u8 config[PCI_CFG_SPACE_EXP_SIZE];
	char path[PATH_BYTES];
	u32 unreadable;
};

/* The path of a file of the function's; false: it is too long. */
static bool set_path(struct host *host, const char *name, const char *file)
{
	int length = snprintf(host->path, PATH_BYTES, "%s/" DEVICES "/%s/%s", host->import->file,
			      name, file);

	return length > 0 && length < PATH_BYTES;
}

/* How many registers are known: 64, 256 or 4096; 0: none can be read. */
static u32 read_config(struct host *host)
{
	int fd = open(host->path, O_RDONLY | O_CLOEXEC);
	size_t known = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	do {
		got = read(fd, host->config + known, sizeof(host->config) - known);
		known += got > 0 ? (size_t)got : 0;
	} while (got > 0 && known < sizeof(host->config));
	close(fd);
	return known == PCI_CFG_SPACE_EXP_SIZE ? PCI_CFG_SPACE_EXP_SIZE
	       : known >= PCI_CFG_SPACE_SIZE   ? PCI_CFG_SPACE_SIZE
	       : known >= IMPORT_HEADER_BYTES  ? IMPORT_HEADER_BYTES
					       : 0;
}

static void tell_size(struct import_bar *bar, u64 bytes)
{
	if (bytes & (bytes - 1))
		return;
	bar->bytes = bytes;
	bar->told = true;
}

/* How many virtual functions share a BAR's line; 0: the function has none. */
static u32 virtual_functions(const struct import_function *function)
{
	u32 at = import_find_extended(function, PCI_EXT_CAP_ID_SRIOV);

	return at ? import_read(function, at + PCI_SRIOV_TOTAL_VF, 2) : 0;
}

static void read_lines(struct host *host, FILE *file)
{
	u32 shared = virtual_functions(&host->function);
	struct import_bar *bar = host->function.bar;
	char line[128];

	for (u32 i = 0; i < LINES_WITH_VIRTUAL && fgets(line, sizeof(line), file); i++) {
		u64 start, last;

		if (sscanf(line, "%llx %llx", &start, &last) != 2 || last <= start)
			continue;
		if (i < PCI_STD_NUM_BARS)
			tell_size(&bar[i], last - start + 1);
		else if (i >= LINE_OF_VIRTUAL_BARS && shared)
			tell_size(&bar[PCI_STD_NUM_BARS + i - LINE_OF_VIRTUAL_BARS],
				  (last - start + 1) / shared);
	}
}

/* Sizes of BARs. Without the file, or where it says something odd, they are inferred. */
static void read_resources(struct host *host)
{
	FILE *file = fopen(host->path, "re");

	if (!file)
		return;
	read_lines(host, file);
	fclose(file);
}

static int read_function(struct host *host, const char *name)
{
	host->function = (struct import_function){ .config = host->config };
	if (!import_address(name, &host->function))
		return 0;
	if (set_path(host, name, "config"))
		host->function.config_bytes = read_config(host);
	if (!host->function.config_bytes) {
		host->unreadable++;
		return 0;
	}
	if (set_path(host, name, "resource"))
		read_resources(host);
	return import_add(host->import, &host->function);
}

static int read_devices(struct host *host, DIR *devices)
{
	const struct dirent *entry;
	int err = 0;

	while (!err && (entry = readdir(devices)))
		err = read_function(host, entry->d_name);
	return err;
}

int import_host(struct import *import)
{
	struct host host = { .import = import };
	DIR *devices = NULL;
	int err;

	errno = ENAMETOOLONG;
	if (set_path(&host, "", ""))
		devices = opendir(host.path);
	if (!devices)
		return import_error(import, 0, "%s; expected /sys, with " DEVICES " in it",
				    strerror(errno));
	err = read_devices(&host, devices);
	closedir(devices);
	if (!err && host.unreadable && import->function_count)
		import_note(import, "%u function%s left out: the registers cannot be read",
			    host.unreadable, host.unreadable > 1 ? "s" : "");
	if (!err && !import->function_count)
		return import_error(import, 0,
				    "there is no PCI function in " DEVICES "; expected a machine "
				    "that has PCI, and shows it");
	return err;
}

int dmasim_import_host(struct dmasim *s, const char *sysfs_root, const struct dmasim_import *how,
		       struct dmasim_error *error)
{
	struct import import = { .s = s, .file = sysfs_root ? sysfs_root : "/sys" };

	if (how)
		import.how = *how;
	return import_machine(&import, import_host, error);
}
