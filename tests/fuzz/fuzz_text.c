/* SPDX-License-Identifier: MIT */
/*
 * The lines that lspci writes, of text and of registers: two targets, one file each.
 */
#include "import.h"

static const char *const text_lines[] = {
	"",
	"00:0@.0 Host bridge: Maker Device @@@@ (rev 0#)",
	"0@:0@.# PCI bridge [0604]: Maker Port [8086:@@@@] (rev 0#) (prog-if 00 [Normal decode])",
	"00@@:0@:00.# 0108: 144d:@@@@ (rev 0#)",
	"10000:0@:0@.0 0604: 8086:@@@@",
	"00:0@.0/00.# Ethernet controller: Maker Thing",
	"00:0@.0/0@:00.# Class 0200: Device @@@@:@@@@",
	"\tSubsystem: Maker Device [@@@@:@@@@]",
	"\tControl: I/O* Mem* BusMaster* SpecCycle- MemWINV- VGASnoop- ParErr-",
	"Stepping- SERR* FastB2B- DisINTx*",
	"\tStatus: Cap* 66MHz- UDF-",
	"\tFlags: bus master, fast devsel, latency 0, IRQ ##",
	"\tBus: primary=00, secondary=0@, subordinate=0@, sec-latency=0",
	"\tBus: primary=0@, secondary=@@, subordinate=ff, sec-latency=0",
	"\tI/O behind bridge: @000-@fff [size=4K] [16-bit]",
	"\tMemory behind bridge: @@000000-@@ffffff [size=16M] [32-bit]",
	"\tMemory behind bridge: None",
	"\tPrefetchable memory behind bridge: 00000@@@00000000-00000@@@ffffffff [size=4G]",
	"\tPrefetchable memory behind bridge: [disabled] [64-bit]",
	"\tRegion #: Memory at @@@@0000 (32-bit, non-prefetchable) [size=64K]",
	"\tRegion #: Memory at @@@@@@@@000000 (64-bit, prefetchable) [size=###M]",
	"\tRegion 5: Memory at @@00000000 (64-bit, prefetchable) [size=#G]",
	"\tRegion #: I/O ports at @@@0 [size=16]",
	"\tRegion #: Memory at <unassigned> (32-bit, non-prefetchable) [disabled]",
	"\tMemory at @@@@@000 (32-bit, non-prefetchable) [size=#K]",
	"\t[virtual] Memory at @@@@@000 (64-bit, prefetchable)",
	"\tI/O ports at <ignored> [disabled]",
	"\tExpansion ROM at @@@@0000 [disabled] [size=64K]",
	"\t!!! Unknown header type 7f",
	"\tCapabilities: <access denied>",
	"\tCapabilities: [@0] Express (v2) Root Port (Slot*), MSI 00",
	"\tCapabilities: [@0] Express (v1) Endpoint, MSI 00",
	"\tCapabilities: [@0] Express Downstream Port (Slot*), IntMsgNum #",
	"\t\tDevCtl: MaxPayload #12 bytes, MaxReadReq ### bytes",
	"\t\tLnkCap: Port #@@, Speed 8GT/s",
	"\tCapabilities: [@@] MSI: Enable* Count=1/1",
	"\tCapabilities: [@00 v1] Access Control Services",
	"\t\tACSCap:\tSrcValid* TransBlk* ReqRedir* CmpltRedir* UpstreamFwd* EgressCtrl*",
	"\t\tACSCtl:\tSrcValid* TransBlk* ReqRedir* CmpltRedir* UpstreamFwd* EgressCtrl*",
	"\tCapabilities: [@@0 v#] Single Root I/O Virtualization (SR-IOV)",
	"\t\tIOVCtl:\tEnable* Migration- Interrupt- MSE* ARIHierarchy*",
	"\t\tInitial VFs: ##, Total VFs: ###, Number of VFs: ##, Function Dependency Link: 0#",
	"\t\tVF offset: ###, stride: #, Device ID: @@@@",
	"\tCapabilities: [@@@ v1] Physical Resizable BAR",
	"\t\tBAR #: current size: ##GB, supported: 1MB",
	"\tCapabilities: [@@@ v1] Address Translation Service (ATS)",
	"\t\tATSCtl:\tEnable*, Smallest Translation Unit: @@",
	"\tCapabilities: [@@@] Extended Capability ID 0x@@",
	"\tIOMMU group: ##",
};

static const char *const hex_lines[] = {
	"",
	"00:0@.0 Host bridge: Maker Device @@@@ (rev 0#)",
	"0@:0@.# PCI bridge: Maker",
	"00@@:0@:00.# X",
	"10000:0@:0@.0 0604: 8086:@@@@",
	"00: 86 80 @@ @@ 06 00 10 00 00 00 04 06 00 00 0@ 00",
	"10: @@ 00 00 @@ 00 00 00 00 00 @@ @@ 00 f0 00 00 00",
	"20: f0 @@ @@ @@ f1 @@ 01 @@ 00 00 00 00 00 00 00 00",
	"30: 00 00 00 00 @@ 00 00 00 00 00 00 00 00 00 00 00",
	"@@: @@ 00 00 @@ 00 00 00 00 00 00 @@ 00 00 00",
	"@@@: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
	"00 00 00 00 00 00 00 00",
	"be: prose",
};

static const struct fuzz_canary canaries[] = {
	{ "keeps-function", IMPORT_KEEPS_FUNCTION },
	{ "loses-line", IMPORT_LOSES_LINE },
};

/* A function with whatever follows; a bridge; capabilities. */
static const u8 pieces[][FUZZ_PIECE_BYTES] = {
	{ 6, 192, 6, 0, 0, 1, 0 }, { 3, 192, 4, 6 }, { 4, 192, 12, 6, 1 }, { 5, 12, 1, 2, 15, 8 },
	{ 6, 19, 0, 9, 0, 1, 0 },  { 3, 30, 4, 36 }, { 2, 192, 3 },
};

static bool fuzz_text(struct fuzz_run *run, const u8 *data, size_t size)
{
	struct import_lines lines = { text_lines, sizeof(text_lines) / sizeof(text_lines[0]) };

	return fuzz_import(run, data, size, &lines);
}

static bool fuzz_hex(struct fuzz_run *run, const u8 *data, size_t size)
{
	struct import_lines lines = { hex_lines, sizeof(hex_lines) / sizeof(hex_lines[0]) };

	return fuzz_import(run, data, size, &lines);
}

const struct fuzz_target fuzz_text_target = {
	.name = "text",
	.run = fuzz_text,
	.canary = canaries,
	.canaries = sizeof(canaries) / sizeof(canaries[0]),
	.piece = pieces,
	.pieces = sizeof(pieces) / sizeof(pieces[0]),
};

const struct fuzz_target fuzz_hex_target = {
	.name = "hex",
	.run = fuzz_hex,
	.canary = canaries,
	.canaries = sizeof(canaries) / sizeof(canaries[0]),
	.piece = pieces,
	.pieces = sizeof(pieces) / sizeof(pieces[0]),
};
