# SPDX-License-Identifier: MIT
"""topo_sysfs.py [--resources] DUMP FOLDER: what Linux's sysfs would show of an lspci dump.

With --resources every BAR has 4 KiB, the page that Linux gives it at least.
"""

import os
import re
import sys

HEADER = re.compile(r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?: |$)")
REGISTERS = re.compile(r"([0-9a-f]{2,3}):((?: [0-9a-f]{2}){16})$")


def read_dump(name):
    """Registers by address."""
    functions = {}
    config = bytearray()
    with open(name, encoding="utf-8", errors="replace") as dump:
        for line in dump:
            if found := HEADER.match(line):
                config = bytearray()
                functions[f"{found[1] or '0000'}:{found[2]}"] = config
            elif found := REGISTERS.match(line.rstrip()):
                config += bytes.fromhex(found[2])
    return functions


def number(config, at, size):
    """Registers as a number."""
    return int.from_bytes(config[at : at + size], "little")


def bars(config, at, count):
    """Index, address and whether it is I/O of each BAR that has an address."""
    index = 0
    while index < count:
        low = number(config, at + 4 * index, 4)
        wide = low & 7 == 4 and index + 1 < count
        address = low & (~3 if low & 1 else ~15)
        if wide:
            address |= number(config, at + 4 * index + 4, 4) << 32
        if address:
            yield index, address, low & 1
        index += 2 if wide else 1


def sriov(config):
    """Offset of the SR-IOV capability, or 0."""
    at = 0x100 if len(config) == 4096 else 0
    while at and number(config, at, 2) != 0x10:
        at = number(config, at, 4) >> 20 & 0xFFC
    return at


def resources(config):
    """One line for each BAR, the ROM, and the BARs of all virtual functions together."""
    lines = ["0x0 0x0 0x0"] * 13
    for index, address, is_io in bars(config, 0x10, {0: 6, 1: 2}.get(config[0x0E] & 0x7F, 1)):
        last = address + (0x20 if is_io else 0x1000) - 1
        lines[index] = f"0x{address:016x} 0x{last:016x} 0x{0x200:016x}"
    if at := sriov(config):
        for index, address, _ in bars(config, at + 0x24, 6):
            last = address + 0x1000 * number(config, at + 0x0E, 2) - 1
            lines[7 + index] = f"0x{address:016x} 0x{last:016x} 0x{0x200:016x}"
    return "\n".join(lines) + "\n"


def main():
    """Writes the folder."""
    told = sys.argv[1] == "--resources"
    dump, folder = sys.argv[-2:]
    for name, config in read_dump(dump).items():
        at = os.path.join(folder, "bus/pci/devices", name)
        os.makedirs(at, exist_ok=True)
        with open(os.path.join(at, "config"), "wb") as file:
            file.write(config)
        if told:
            with open(os.path.join(at, "resource"), "w", encoding="ascii") as file:
                file.write(resources(config))


main()
