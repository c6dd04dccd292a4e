#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the catalogue's table against the tests that ran and passed.

    check.py ENTRIES.tsv BUG.h PROGRAM...

Runs the programs, which speak TAP. The name of a test begins with its entry. Fails, with one line
for each thing that is wrong: a test that failed, or names no entry; a check of dma-debug (D), a
misuse that no kernel sees of the two-step API (S), of peer memory (P) or by the CPU (C), or what
devices do (V), without a wrong program, or without a right one; an entry without a test that
passed, or left out without a reason and an issue; a switch of BUG.h without twins that passed; a
name or an entry that comes twice; an entry of the facts, or of S, P, C and V, that the table does
not have.
"""

import os
import re
import subprocess
import sys

CASE = re.compile(r"^(not )?ok \d+ - (\S+)(.*)$")
ENTRY = re.compile(r"^[ACDMPSTV]\d\d(_[a-z0-9_]+)?$")
BUG = re.compile(r'\bX\(\w+,\s*"([a-z0-9-]+)"')
FACTS = ([f"M{i:02}" for i in range(1, 27)] + [f"T{i:02}" for i in range(1, 17)] +
         [f"D{i:02}" for i in range(1, 24)] +
         [f"S{i:02}" for i in range(1, 23)] + [f"P{i:02}" for i in range(1, 14)] +
         [f"C{i:02}" for i in range(1, 8)] + [f"V{i:02}" for i in range(1, 10)])


def read_table(path):
    """Entry -> True if it is said to be tested; and what is wrong with the table."""
    table, wrong = {}, []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t")
            entry = fields[0]
            tested = fields[2:] == ["tested"]
            if not ENTRY.match(entry) or not all(fields):
                wrong.append(f"line {number}: not an entry")
            elif entry in table:
                wrong.append(f"{entry}: in the table twice")
            elif not tested and len(fields) != 4:
                wrong.append(f"{entry}: left out without a reason and an issue")
            table[entry] = tested
    for entry in FACTS:
        if not any(have == entry or have.startswith(entry + "_") for have in table):
            wrong.append(f"{entry}: not in the table")
    return table, wrong


def run(program):
    """Names of the tests that passed, and what is wrong with the run."""
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    done = subprocess.run([program], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, errors="replace", check=False)
    passed, wrong = [], []
    for line in done.stdout.splitlines():
        case = CASE.match(line)
        if not case:
            continue
        if case.group(1) or "# skip" in case.group(3).lower():
            wrong.append(f"{case.group(2)}: did not pass")
        else:
            passed.append(case.group(2))
    if done.returncode and not wrong:
        wrong.append(f"{os.path.basename(program)}: ended with {done.returncode}")
    return passed, wrong


def entry_of(name, table):
    """The longest entry that the name begins with."""
    fits = [entry for entry in table if name == entry or name.startswith(entry + "_")]
    return max(fits, key=len, default=None)


def judge(table, passed, bugs):
    """What the tests that passed leave open."""
    wrong = [f"{name}: ran twice" for name in sorted(set(passed)) if passed.count(name) > 1]
    covered = {}
    for name in passed:
        entry = entry_of(name, table)
        covered.setdefault(entry, []).append(name)
        if entry is None:
            wrong.append(f"{name}: names no entry of the table")
        elif not table[entry]:
            wrong.append(f"{name}: the table says that {entry} is left out")
    wrong += [f"{entry}: no test of it passed" for entry, tested in table.items()
              if tested and entry not in covered]
    for entry in (entry for entry in table if entry[0] in "CDSPV"):
        right = [name.startswith(f"{entry}_right__") for name in covered.get(entry, [])]
        if True not in right or False not in right:
            wrong.append(f"{entry}: a wrong program and a right one are wanted")
    for bug in bugs:
        entry = "T16_" + bug.replace("-", "_")
        wrong += [f"{entry}__{twin}: no such twin passed" for twin in ("off", "on")
                  if f"{entry}__{twin}" not in passed]
    return wrong


def main(entries, bug_header, *programs):
    table, wrong = read_table(entries)
    with open(bug_header, encoding="utf-8") as text:
        bugs = BUG.findall(text.read())
    if not bugs:
        wrong.append(f"{bug_header}: no switches found")
    passed = []
    for program in programs:
        names, found = run(program)
        passed += names
        wrong += found
    wrong += judge(table, passed, bugs)
    for line in wrong:
        print(f"catalogue: {line}")
    print(f"catalogue: {len(passed)} tests of {sum(table.values())} entries passed, "
          f"{len(table) - sum(table.values())} entries are left out")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
