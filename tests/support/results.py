# SPDX-License-Identifier: MIT
"""Counts test cases in meson's logs, and shows what failed.

    results.py [--show] [--filtered] COUNTS LOG.json...

A log has one JSON object a line, for one test program each. A program that speaks TAP counts one
for each of its test cases; any other counts one, as does a program that was skipped. A program
that ended badly without a failed case (a crash, a time-out, a leak) counts one failure. With
--show the output of every program is shown, else of those that failed. With --filtered a program
that had no case to run does not count. The counts go to the file COUNTS: passed, failed, skipped.
"""

import argparse
import json
import os
import re

GOOD = {"OK", "EXPECTEDFAIL", "SKIP"}
CASE = re.compile(r"^(not )?ok\b(.*)$")
SKIPPED = re.compile(r"#\s*skip", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.\d+", re.MULTILINE)
EMPTY = re.compile(r"^1\.\.0\b", re.MULTILINE)


def count_cases(output):
    """Passed, failed and skipped cases in TAP output."""
    passed = failed = skipped = 0
    for line in output.splitlines():
        case = CASE.match(line)
        if not case:
            continue
        if SKIPPED.search(case.group(2)):
            skipped += 1
        elif case.group(1):
            failed += 1
        else:
            passed += 1
    return passed, failed, skipped


def count(test):
    """The same for one program, by its result as meson sees it."""
    result = test["result"]
    output = test.get("stdout", "")
    if result == "SKIP":
        return 0, 0, 1
    if not PLAN.search(output):
        return (1, 0, 0) if result in GOOD else (0, 1, 0)
    passed, failed, skipped = count_cases(output)
    if result == "EXPECTEDFAIL":
        return passed + failed, 0, skipped
    # CMocka says "not ok # SKIP": for meson that is a failure, though the program exits with 0.
    only_skips = result == "FAIL" and skipped and test.get("returncode") == 0
    if result not in GOOD and not failed and not only_skips:
        failed = 1
    return passed, failed, skipped


def show(test, failed):
    """The program's output, so that a person sees what happened, and how to see it again."""
    print(f"--- {test['name']}: {test['result']} after {test.get('duration', 0):.2f} s")
    output = [test.get(stream, "").rstrip() for stream in ("stdout", "stderr")]
    print(*filter(None, output), sep="\n")
    if failed and "# again:" not in output[1]:
        seed = os.environ.get("DMASIM_SEED")
        name = test["name"].split(" / ")[-1]
        print("# again:", *[f"DMASIM_SEED={seed}"] * bool(seed), f"./tests/run {name}")


def tests_of(log):
    """The objects of one log."""
    with open(log, encoding="utf-8", errors="replace") as lines:
        return [json.loads(line) for line in lines]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--filtered", action="store_true")
    parser.add_argument("counts")
    parser.add_argument("logs", nargs="*")
    options = parser.parse_args()

    totals = [0, 0, 0]
    for test in (test for log in options.logs for test in tests_of(log)):
        if options.filtered and EMPTY.search(test.get("stdout", "")):
            continue
        counts = count(test)
        totals = [total + more for total, more in zip(totals, counts)]
        if options.show or counts[1]:
            show(test, counts[1])
    with open(options.counts, "w", encoding="utf-8") as file:
        print(*totals, file=file)


if __name__ == "__main__":
    main()
