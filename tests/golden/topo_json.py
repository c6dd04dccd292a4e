# SPDX-License-Identifier: MIT
"""Reads what `dmasim topo --as json` printed from stdin and compares it with the tree in a file."""

import json
import re
import sys

FUNCTION = re.compile(r"( +)([0-9a-f]{4,5}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) (.*)")
ACS = re.compile(r" +ACS cap 0x([0-9a-f]+) control 0x([0-9a-f]+)")
BAR = re.compile(r" +(?:VF )?BAR (\d) (0x[0-9a-f]+), ")
WINDOW = re.compile(r"( +)window (0x[0-9a-f]+)-(0x[0-9a-f]+), ")


def read_tree(lines):
    """The functions of the text, each with what its lines say."""
    hosts, functions, above = [], [], []
    for line in lines:
        if line.startswith("host bridge "):
            hosts.append(line.split()[2].rstrip(","))
            above = []
        elif found := FUNCTION.match(line):
            depth = len(found[1]) // 2
            above = above[: depth - 1]
            functions.append(
                {
                    "name": found[2],
                    "host_bridge": hosts[-1],
                    "above": above[-1] if above else None,
                    "answered": "did not answer" not in line,
                    "says": found[3],
                    "bars": [],
                    "windows": [],
                    "acs": None,
                }
            )
            above.append(found[2])
        elif not functions:
            continue
        elif found := BAR.match(line):
            functions[-1]["bars"].append((int(found[1]), found[2]))
        elif (found := WINDOW.match(line)) and len(found[1]) > 4:
            functions[-1]["windows"].append((found[2], found[3]))
        elif found := ACS.match(line):
            functions[-1]["acs"] = (int(found[1], 16), int(found[2], 16))
    return hosts, functions


def compare(function, told):
    """What is told of one function, by name."""
    for member in ("name", "host_bridge", "above", "answered"):
        assert function[member] == told[member], (told["name"], member, function[member])
    bars = [(bar["bar"], bar["address"]) for bar in function["bars"]]
    assert bars == told["bars"], (told["name"], bars)
    windows = [(window["start"], window["last"]) for window in function["windows"]]
    assert windows == told["windows"], (told["name"], windows)
    acs = function["acs"]
    assert (acs["state"] == "present") == bool(told["acs"]), (told["name"], acs)
    if told["acs"]:
        assert (int(acs["capability"], 16), int(acs["control"], 16)) == told["acs"]
    assert ("ACS unknown" in told["says"]) == (acs["state"] == "unknown"), (told["name"], acs)
    if told["answered"]:
        ids = f'{function["vendor"][2:]}:{function["device"][2:]}'
        assert f' {ids}, {function["type"]}' in told["says"], (told["name"], ids)
        assert f'[{function["class"][2:6]}]' in told["says"], (told["name"], function["class"])


def main():
    """Compares all of it."""
    machine = json.load(sys.stdin)
    with open(sys.argv[1], encoding="ascii") as tree:
        text = tree.read().splitlines()
    hosts, functions = read_tree(text)
    assert machine["version"] == 1
    assert [host["name"] for host in machine["host_bridges"]] == hosts
    assert len(machine["functions"]) == len(functions) > 0
    for function, told in zip(machine["functions"], functions):
        compare(function, told)
    assert machine["notes"] == [line[6:] for line in text if line.startswith("note: ")]


main()
