/* SPDX-License-Identifier: MIT */
/*
 * Lists of devices and ACS bits as they stand on the command line.
 */
#include "pci/acs_param.h"

#include "pci/acs.h"

/* Deeper paths are not taken. */
#define STEPS_MAX     32
#define BITS_MAX      7
/* What is behind VMD has domains of more than 16 bits. */
#define DOMAIN_DIGITS 5

/* The way to a device: the first function by its numbers, the others by device and function. */
struct way {
	u32 domain;
	u8 bus;
	u32 count;
	u8 devfn[STEPS_MAX];
};

struct item {
	struct acs_change change;
	struct way way;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 1 to `digits` hexadecimal digits. */
static bool read_hex(const char **at, u32 digits, u32 *value)
{
	const char *start = *at;

	*value = 0;
	while (*at - start < (int)digits && hex_digit(**at) >= 0)
		*value = *value << 4 | (u32)hex_digit(*(*at)++);
	return *at != start;
}

static bool read_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool read_devfn(const char **at, struct way *way)
{
	u32 device, function;

	if (way->count == STEPS_MAX || !read_hex(at, 2, &device) || !read_char(at, '.') ||
	    !read_hex(at, 1, &function) || device > 0x1f || function > 7)
		return false;
	way->devfn[way->count++] = (u8)PCI_DEVFN(device, function);
	return true;
}

static bool read_way(const char **at, struct way *way)
{
	u32 first, second;
	const char *after;
	u16 segment;

	*way = (struct way){ 0 };
	if (!read_hex(at, DOMAIN_DIGITS, &first) || !read_char(at, ':'))
		return false;
	after = *at;
	/* A second colon: the first number was the domain's. */
	if (read_hex(&after, 2, &second) && read_char(&after, ':')) {
		way->domain = first;
		first = second;
		*at = after;
	}
	if (first > 0xff || !dmasim_segment(way->domain, &segment))
		return false;
	way->bus = (u8)first;
	do {
		if (!read_devfn(at, way))
			return false;
	} while (read_char(at, '/'));
	return true;
}

static bool read_bits(const char **at, struct acs_change *change)
{
	u32 count = 0;

	for (; **at == '0' || **at == '1' || **at == 'x'; (*at)++, count++) {
		change->named = (u16)(change->named << 1 | (**at != 'x'));
		change->value = (u16)(change->value << 1 | (**at == '1'));
	}
	return count && count <= BITS_MAX && read_char(at, '@');
}

/* One item, and the semicolon after it if there is one. */
static bool read_item(const char **at, bool with_bits, struct item *item)
{
	item->change = (struct acs_change){ PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC, 0 };
	if (with_bits) {
		item->change = (struct acs_change){ 0 };
		if (!read_bits(at, &item->change))
			return false;
	}
	if (!read_way(at, &item->way))
		return false;
	return !**at || (read_char(at, ';') && **at);
}

static bool is_valid(const char *text, bool with_bits)
{
	struct item item;

	if (!text)
		return true;
	if (!*text)
		return false;
	while (*text) {
		if (!read_item(&text, with_bits, &item))
			return false;
	}
	return true;
}

bool pci_acs_redir_is_valid(const char *text)
{
	return is_valid(text, false);
}

bool pci_acs_config_is_valid(const char *text)
{
	return is_valid(text, true);
}

static bool leads_to(const struct way *way, struct pci_dev *pdev)
{
	for (u32 step = way->count - 1; step; step--) {
		if (pdev->devfn != way->devfn[step])
			return false;
		pdev = pci_upstream_bridge(pdev);
		if (!pdev)
			return false;
	}
	return pdev->devfn == way->devfn[0] && pdev->bus->number == way->bus &&
	       dmasim_domain(pdev->bus->segment) == way->domain;
}

static struct acs_change find(const char *text, bool with_bits, struct pci_dev *pdev)
{
	struct item item;

	while (text && *text && read_item(&text, with_bits, &item)) {
		if (leads_to(&item.way, pdev))
			return item.change;
	}
	return (struct acs_change){ 0 };
}

struct acs_change acs_param_redir(const char *text, struct pci_dev *pdev)
{
	return find(text, false, pdev);
}

struct acs_change acs_param_config(const char *text, struct pci_dev *pdev)
{
	return find(text, true, pdev);
}
