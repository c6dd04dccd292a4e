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


def resources(config):
    """One line for each BAR: first address, last, flags."""
    lines = ["0x0 0x0 0x0"] * 13
    count = {0: 6, 1: 2}.get(config[0x0E] & 0x7F, 1)
    index = 0
    while index < count:
        low = int.from_bytes(config[0x10 + 4 * index :][:4], "little")
        wide = low & 7 == 4
        address = low & (~3 if low & 1 else ~15)
        if wide and index + 1 < count:
            address |= int.from_bytes(config[0x14 + 4 * index :][:4], "little") << 32
        size = 0x20 if low & 1 else 0x1000
        if address:
            lines[index] = f"0x{address:016x} 0x{address + size - 1:016x} 0x{0x200:016x}"
        index += 2 if wide else 1
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
