/* SPDX-License-Identifier: MIT */
#include "support/big_machine.h"

#include <string.h>

#define CARD_FUNCTIONS 8
#define CARD_VIRTUAL   8
#define VF_OFFSET      16
#define CARD_BYTES     SZ_16M /* of addresses */
#define FUNCTION_BYTES SZ_64K
#define VF_BYTES       SZ_16K
#define ROOT_SHIFT     40 /* addresses of each host bridge */
#define EXPRESS_AT     0x40
#define BUSES_PER_ROOT 0x80

struct writer {
	FILE *file;
	u32 count;
	u32 domain;
	u32 bus;
	u64 address; /* of what comes next */
	u8 config[PCI_CFG_SPACE_EXP_SIZE];
};

static void put(struct writer *writer, u32 at, u32 bytes, u64 value)
{
	for (u32 i = 0; i < bytes; i++)
		writer->config[at + i] = (u8)(value >> (8 * i));
}

static void put_bar(struct writer *writer, u32 at, u64 address)
{
	put(writer, at, 8, address | PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
}

static void begin(struct writer *writer, u32 class_code, u32 express_type)
{
	memset(writer->config, 0, sizeof(writer->config));
	put(writer, PCI_VENDOR_ID, 4, 0x09a2U << 16 | PCI_VENDOR_ID_INTEL);
	put(writer, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	put(writer, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	put(writer, PCI_CLASS_DEVICE, 2, class_code);
	put(writer, PCI_CAPABILITY_LIST, 1, EXPRESS_AT);
	put(writer, EXPRESS_AT, 2, PCI_CAP_ID_EXP);
	put(writer, EXPRESS_AT + PCI_EXP_FLAGS, 2, 2 | express_type << PCI_EXP_FLAGS_TYPE_SHIFT);
}

/* A line of 16 registers is put together by hand: there are millions. */
static void end(struct writer *writer, u32 bus, u32 devfn)
{
	static const char digits[] = "0123456789abcdef";

	fprintf(writer->file, "%04x:%02x:%02x.%u Something\n", writer->domain, bus, PCI_SLOT(devfn),
		PCI_FUNC(devfn));
	for (u32 at = 0; at < sizeof(writer->config); at += 16) {
		char line[64];
		int length = snprintf(line, sizeof(line), "%02x:", at);

		for (u32 i = 0; i < 16; i++) {
			line[length++] = ' ';
			line[length++] = digits[writer->config[at + i] >> 4];
			line[length++] = digits[writer->config[at + i] & 15];
		}
		line[length++] = '\n';
		fwrite(line, 1, (size_t)length, writer->file);
	}
	fputc('\n', writer->file);
	writer->count++;
}

static void write_port(struct writer *writer, u32 bus, u32 devfn, u32 type, u32 secondary,
		       u32 buses, u64 bytes)
{
	u64 last = writer->address + bytes - 1;

	begin(writer, PCI_CLASS_BRIDGE_PCI, type);
	put(writer, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_BRIDGE);
	put(writer, PCI_PRIMARY_BUS, 3, bus | secondary << 8 | (secondary + buses - 1) << 16);
	put(writer, PCI_MEMORY_BASE, 4, 0x0000fff0);
	put(writer, PCI_PREF_MEMORY_BASE, 2, (writer->address >> 16 & 0xfff0) | 1);
	put(writer, PCI_PREF_MEMORY_LIMIT, 2, (last >> 16 & 0xfff0) | 1);
	put(writer, PCI_PREF_BASE_UPPER32, 4, writer->address >> 32);
	put(writer, PCI_PREF_LIMIT_UPPER32, 4, last >> 32);
	if (type != PCI_EXP_TYPE_UPSTREAM) {
		put(writer, PCI_EXT_CAP_START, 4, PCI_EXT_CAP_ID_ACS | 1 << 16);
		put(writer, PCI_EXT_CAP_START + PCI_ACS_CAP, 4, 0x1d << 16 | 0x1f);
	}
	end(writer, bus, devfn);
}

static void put_sriov(struct writer *writer, u64 address)
{
	put(writer, PCI_EXT_CAP_START, 4, PCI_EXT_CAP_ID_SRIOV | 1 << 16);
	put(writer, PCI_EXT_CAP_START + PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
	put(writer, PCI_EXT_CAP_START + PCI_SRIOV_INITIAL_VF, 2, CARD_VIRTUAL);
	put(writer, PCI_EXT_CAP_START + PCI_SRIOV_TOTAL_VF, 2, CARD_VIRTUAL);
	put(writer, PCI_EXT_CAP_START + PCI_SRIOV_NUM_VF, 2, CARD_VIRTUAL);
	put(writer, PCI_EXT_CAP_START + PCI_SRIOV_VF_OFFSET, 2, VF_OFFSET);
	put(writer, PCI_EXT_CAP_START + PCI_SRIOV_VF_STRIDE, 2, 1);
	put(writer, PCI_EXT_CAP_START + PCI_SRIOV_VF_DID, 2, 0x1234);
	put_bar(writer, PCI_EXT_CAP_START + PCI_SRIOV_BAR, address);
}

static void write_card(struct writer *writer, u32 bus)
{
	for (u32 i = 0; i < CARD_FUNCTIONS; i++) {
		begin(writer, PCI_CLASS_NETWORK_ETHERNET, PCI_EXP_TYPE_ENDPOINT);
		put(writer, PCI_HEADER_TYPE, 1, i ? 0 : PCI_HEADER_TYPE_MULTI);
		put_bar(writer, PCI_BASE_ADDRESS_0, writer->address + i * FUNCTION_BYTES);
		if (!i)
			put_sriov(writer, writer->address + CARD_FUNCTIONS * FUNCTION_BYTES);
		end(writer, bus, i);
	}
	for (u32 i = 0; i < CARD_VIRTUAL; i++) {
		begin(writer, PCI_CLASS_NETWORK_ETHERNET, PCI_EXP_TYPE_ENDPOINT);
		put(writer, PCI_VENDOR_ID, 4, 0xffffffff);
		put(writer, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
		end(writer, bus, VF_OFFSET + i);
	}
	writer->address += CARD_BYTES;
}

/* Root port, upstream port, downstream ports, and a card behind each of them. */
static void write_tree(struct writer *writer, u32 root_bus, u32 devfn, u32 cards)
{
	u32 first = writer->bus, buses = 2 + cards;

	write_port(writer, root_bus, devfn, PCI_EXP_TYPE_ROOT_PORT, first, buses,
		   cards * (u64)CARD_BYTES);
	write_port(writer, first, 0, PCI_EXP_TYPE_UPSTREAM, first + 1, buses - 1,
		   cards * (u64)CARD_BYTES);
	for (u32 i = 0; i < cards; i++) {
		write_port(writer, first + 1, PCI_DEVFN(i, 0), PCI_EXP_TYPE_DOWNSTREAM,
			   first + 2 + i, 1, CARD_BYTES);
		write_card(writer, first + 2 + i);
	}
	writer->bus += buses;
}

u32 big_machine_write(const struct big_machine *machine, FILE *file)
{
	struct writer writer = { .file = file };

	for (u32 i = 0; i < machine->host_bridges; i++) {
		u32 root_bus = i % 2 * BUSES_PER_ROOT;

		writer.domain = i / 2;
		writer.bus = root_bus + 1;
		writer.address = (u64)(i + 1) << ROOT_SHIFT;
		begin(&writer, PCI_CLASS_BRIDGE_HOST, PCI_EXP_TYPE_RC_END);
		end(&writer, root_bus, 0);
		for (u32 port = 0; port < machine->root_ports; port++)
			write_tree(&writer, root_bus, PCI_DEVFN(port + 1, 0), machine->cards);
	}
	return writer.count;
}
