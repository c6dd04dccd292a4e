#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds kunit_cases.tsv against the tests that ran and passed.

    kunit_cases.py TABLE BUILD

Runs the programs that the table names as meson would, with small counts. Fails, with one line for
each thing that is wrong: a line that is none, a case that comes twice, a suite of the facts that
has a case which the table does not have, a program that is not there, a test that did not pass, or
that passed in fewer configurations than the table says.
"""

import fnmatch
import json
import os
import re
import subprocess
import sys

CASE = re.compile(r"^(not )?ok \d+ - (\S+)(.*)$")
TEST = re.compile(r"^(test_\w+):([\w*]+)$")
NOTHING = re.compile(r"^(not of page tables: .+|test_\w+, which is skipped .+)$")
FACTS = ["fmt_" + case for case in (
             "init bitops best_pgsize pgsz_count table_ptr max_va table_radix entry_possible_sizes "
             "entry_oa attr_from_entry dirty sw_bit_leaf sw_bit_table").split()] + \
        ["iommu_" + case for case in (
             "increase_level map_simple map_table_to_oa unmap_split random_map pgsize_boundary "
             "mixed exit").split()] + \
        [f"edge_{number:02}" for number in range(1, 21)]


def read_table(path):
    """Rows (case, configurations, [(program, test)]), and what is wrong with the table."""
    rows, wrong, seen = [], [], set()
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t")
            if len(fields) != 4 or not all(fields) or not fields[2].isdigit():
                wrong.append(f"line {number}: not a case")
                continue
            case, _, count, tests = fields
            if case in seen:
                wrong.append(f"{case}: in the table twice")
            seen.add(case)
            if NOTHING.match(tests):
                continue
            found = [TEST.match(test) for test in tests.split(" ")]
            if None in found or not int(count):
                wrong.append(f"{case}: neither tests nor a reason")
                continue
            rows.append((case, int(count), [test.groups() for test in found]))
    wrong += [f"{case}: not in the table" for case in FACTS if case not in seen]
    return rows, wrong


def run(test):
    """Names of the tests of a program, each as often as it passed, and those that did not."""
    environment = {**os.environ, **test["env"], "CMOCKA_MESSAGE_OUTPUT": "TAP",
                   "DMASIM_TEST_SCALE": "1"}
    done = subprocess.run(test["cmd"], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, errors="replace", check=False)
    passed, failed = [], []
    for case in filter(None, map(CASE.match, done.stdout.splitlines())):
        (failed if case.group(1) or "# skip" in case.group(3).lower() else passed).append(
            case.group(2))
    return passed, failed


def judge(rows, programs):
    wrong, results = [], {}
    for case, count, tests in rows:
        for program, name in tests:
            if program not in programs:
                wrong.append(f"{case}: {program}: no such program")
                continue
            if program not in results:
                results[program] = run(programs[program])
            passed, failed = ([one for one in ones if fnmatch.fnmatchcase(one, name)]
                              for ones in results[program])
            if failed:
                wrong.append(f"{case}: {program}: {name} did not pass")
            elif len(passed) < count:
                wrong.append(f"{case}: {program}: {name} passed in {len(passed)} configurations, "
                             f"not {count}")
    return wrong


def main(table, build):
    rows, wrong = read_table(table)
    with open(os.path.join(build, "meson-info", "intro-tests.json"), encoding="utf-8") as text:
        programs = {test["name"]: test for test in json.load(text)}
    wrong += judge(rows, programs)
    for line in wrong:
        print(f"kunit_cases: {line}")
    print(f"kunit_cases: tests of {len(rows)} cases ran")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
