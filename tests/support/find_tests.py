# SPDX-License-Identifier: MIT
"""Finds what ./tests/run NAME means in a configured build folder.

    find_tests.py FOLDER NAME

NAME is the name of a meson test, or of a test function in one of the programs; * and ? match.
Prints "program" and the names of the tests to run whole, or "case" and the names of the programs
whose source has such a word; nothing if there is none. Whether a word in the source really is a
test is for the program itself to say.
"""

import fnmatch
import json
import os
import re
import sys


def introspect(folder, what):
    """One of the lists that meson keeps about a build folder."""
    with open(os.path.join(folder, "meson-info", f"intro-{what}.json"), encoding="utf-8") as text:
        return json.load(text)


def sources(folder):
    """Program file -> its source files."""
    found = {}
    for target in introspect(folder, "targets"):
        if target["type"] != "executable":
            continue
        files = [path for part in target["target_sources"] for path in part.get("sources", [])]
        for name in target["filename"]:
            found[os.path.realpath(name)] = files
    return found


def has_word(paths, pattern):
    """True if a word of one of the files matches the pattern."""
    word = re.escape(pattern).replace(r"\*", r"\w*").replace(r"\?", r"\w")
    matches = re.compile(rf"\b{word}\b")
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as text:
            if matches.search(text.read()):
                return True
    return False


def main(folder, name):
    tests = introspect(folder, "tests")
    whole = [test["name"] for test in tests if fnmatch.fnmatchcase(test["name"], name)]
    if whole:
        print("program", *whole)
        return
    files = sources(folder)
    cases = []
    for test in tests:
        program = os.path.realpath(test["cmd"][0])
        if test["protocol"] == "tap" and has_word(files.get(program, []), name):
            cases.append(test["name"])
    if cases:
        print("case", *cases)


if __name__ == "__main__":
    main(*sys.argv[1:])
