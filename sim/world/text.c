/* SPDX-License-Identifier: MIT */
#include "world/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *text, char *at, size_t size)
{
	text->at = at;
	text->size = size;
	text->length = 0;
	at[0] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list args;
	int wrote;

	va_start(args, format);
	wrote = vsnprintf(text->at + text->length, room, format, args);
	va_end(args);
	if (wrote < 0)
		return;
	text->length += (size_t)wrote < room ? (size_t)wrote : room - 1;
}

void text_add_bdf(struct text *text, dmasim_sbdf dev)
{
	text_add(text, "%04x:%02x:%02x.%u", dmasim_domain(dev >> 16), (dev >> 8) & 0xff,
		 (dev >> 3) & 0x1f, dev & 7);
}

void text_add_size(struct text *text, u64 bytes)
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	unsigned int index = 0;

	while (bytes && bytes % 1024 == 0 && index < 4) {
		bytes /= 1024;
		index++;
	}
	text_add(text, "%llu %s", bytes, bytes == 1 && !index ? "byte" : unit[index]);
}

/* Those that Linux's DMA layer has a use for. */
static const struct {
	int value;
	const char *name;
} errnos[] = {
	{ EPERM, "EPERM" },	      { EIO, "EIO" },
	{ ENXIO, "ENXIO" },	      { ENOMEM, "ENOMEM" },
	{ EFAULT, "EFAULT" },	      { EBUSY, "EBUSY" },
	{ EEXIST, "EEXIST" },	      { ENODEV, "ENODEV" },
	{ EINVAL, "EINVAL" },	      { ENOSPC, "ENOSPC" },
	{ ERANGE, "ERANGE" },	      { EOVERFLOW, "EOVERFLOW" },
	{ EOPNOTSUPP, "EOPNOTSUPP" }, { EADDRINUSE, "EADDRINUSE" },
	{ ETIMEDOUT, "ETIMEDOUT" },   { EREMOTEIO, "EREMOTEIO" },
};

#define ERRNOS (sizeof(errnos) / sizeof(errnos[0]))

void text_add_errno(struct text *text, int error)
{
	for (size_t i = 0; i < ERRNOS; i++) {
		if (errnos[i].value == error) {
			text_add(text, "%s", errnos[i].name);
			return;
		}
	}
	text_add(text, "%d", error);
}

int text_find_errno(const char *name, size_t length)
{
	for (size_t i = 0; i < ERRNOS; i++) {
		if (strlen(errnos[i].name) == length && !memcmp(errnos[i].name, name, length))
			return errnos[i].value;
	}
	return 0;
}
