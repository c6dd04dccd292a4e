#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page of reports, made from the registry, from words and from real reports.

    reports.py REGISTRY.h REPORTS.txt PAGE.md SOURCE_TESTS BUILD_TESTS

For each report of the registry REPORTS.txt has how it comes about, what to do, and a test that
gives it. Runs these tests and compares the page with PAGE.md; with UPDATE_GOLDEN=1 it writes
PAGE.md. So every report's text is compared, whole. A report without words or without an example
fails, and the line says what to add.

Lines of tests are counted from the head of their function: adding to a test file elsewhere changes
nothing on the page.
"""

import os
import re
import subprocess
import sys
import tempfile
import textwrap

ENTRY = re.compile(r'X\((\d+), (\w+), "([a-z0-9-]+)",\s*"([^"]+)"\)')
PLACE = re.compile(r"([\w./-]*?)([\w-]+\.[ch]):(\d+)")
WIDTH = 98
KEYS = ("example", "comes", "do")
HINT = 'add to {}: "{}", then "  example: PROGRAM TEST", "  comes: ..." and "  do: ..."'


def read_registry(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\s*\\\n\s*", " ", file.read())
    return [(int(number), name, sentence) for number, _, name, sentence in ENTRY.findall(text)]


def read_words(path):
    """Name -> key -> text; and what is wrong with the file."""
    words, wrong, name, key = {}, [], None, None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if not line.startswith(" "):
                name, key = line, None
                if name in words:
                    wrong.append(f"{path}:{number}: {name} is there twice")
                words[name] = {}
                continue
            match = re.match(r"  (\w+): (.*)", line)
            if match and match.group(1) in KEYS:
                key = match.group(1)
                words[name][key] = match.group(2)
            elif name is None or key is None:
                wrong.append(f"{path}:{number}: expected one of {', '.join(KEYS)}")
            else:
                words[name][key] += " " + line.strip()
    return words, wrong


class Sources:
    """Where functions begin in the tests' files."""

    def __init__(self, root):
        self.path = {}
        self.heads = {}
        for folder, _, names in os.walk(root):
            for name in names:
                self.path.setdefault(name, os.path.join(folder, name))

    def head_of(self, name, line):
        """The line of the head of the function that a line is in; 0: not known."""
        if name not in self.path:
            return 0
        if name not in self.heads:
            with open(self.path[name], encoding="utf-8") as file:
                self.heads[name] = [number for number, text in enumerate(file, 1)
                                    if re.match(r"[a-z].*\w\(.*[^;]$", text.rstrip("\n"))]
        return max((head for head in self.heads[name] if head <= line), default=0)

    def relative(self, text):
        def place(match):
            line = int(match.group(3))
            return f"{match.group(2)}:{line - self.head_of(match.group(2), line)}"
        return PLACE.sub(place, text)


def example_of(build, example, number, sources):
    """The report's text, and what is wrong."""
    fields = example.split()
    if len(fields) != 2:
        return None, f"'{example}' is not a program and a test"
    program = os.path.join(build, fields[0])
    if not os.access(program, os.X_OK):
        return None, f"no program {program}"
    with tempfile.TemporaryDirectory() as folder:
        told = os.path.join(folder, "told")
        environment = dict(os.environ, DMASIM_EXAMPLES=told)
        environment.pop("DMASIM_SEED", None)
        done = subprocess.run([program, fields[1]], env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
        if done.returncode:
            return None, f"{example}: failed"
        if not os.path.exists(told):
            return None, f"{example}: no such test, or it has no rig (support/examples.h)"
        with open(told, encoding="utf-8") as file:
            blocks = file.read().split("\n\n")
    for block in blocks:
        if block.startswith(f"DMASIM-{number:03} "):
            return sources.relative(block), None
    return None, f"{example}: gives no DMASIM-{number:03}"


def wrapped(words):
    return textwrap.fill(words, WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def indented(line):
    """A line of a report as one of the page, or several if it is long."""
    return textwrap.fill(line, 100, initial_indent="    ", subsequent_indent=" " * 16,
                         break_long_words=False, break_on_hyphens=False,
                         drop_whitespace=len(line) > 96) + "\n"


def section(number, name, sentence, words, block):
    lines = "".join(indented(line) for line in block.strip("\n").split("\n"))
    return (f"## DMASIM-{number:03} {name}\n\n{wrapped(sentence + '.')}\n"
            f"{wrapped('How it comes about: ' + words['comes'])}\n"
            f"{wrapped('What to do: ' + words['do'])}\n{lines}")


HEAD = """# Reports

Every report that the checker can make: what is wrong, how it comes about, what to do, and a real
one. `dmasim reports` lists them, `dmasim reports NAME` (or NUMBER) prints one section of this
page.

Of a report, `here` is what happened, `asked` what the call named, `mapping` the mapping concerned
(`was`: one that has ended) with the places where it was `mapped` and `unmapped`, `call` the call
that was wrong, or in which it was found, `hardware` what hardware does or would do, `Linux` what a
kernel might log, and `replay` what runs it again. Mappings go by their kind: `dma_map_phys` is
dma_map_single() and dma_map_page(), too, `dma_alloc` dma_alloc_coherent() and its like. In the
picture a line is a stretch of addresses in which nothing changes; the first column is what is
there (`######` mapped, `++++++` linked but not synced, `......` the IOVA of a state, with nothing
linked), the second what the device touched or the call named. In these examples long lines are
broken, and lines of files are counted from the head of their function.

This page is made by tests/catalogue/reports.py from the registry, tests/catalogue/reports.txt and
the tests that are named there: `UPDATE_GOLDEN=1 ./tests/run report_page` makes it anew.

"""


def page_of(registry, words, texts):
    index = "".join(textwrap.fill(f"* `{number:03} {name}` {sentence}", WIDTH,
                                  subsequent_indent="  ", break_on_hyphens=False) + "\n"
                    for number, name, sentence in registry)
    return HEAD + index + "".join(
        "\n" + section(number, name, sentence, words[name], texts[name])
        for number, name, sentence in registry if name in texts)


def gather(registry, words, words_path, build, sources):
    texts, wrong = {}, []
    for number, name, _ in registry:
        missing = [key for key in KEYS if not words.get(name, {}).get(key)]
        if missing:
            wrong.append(f"DMASIM-{number:03} {name} has no {', '.join(missing)}: " +
                         HINT.format(words_path, name))
            continue
        texts[name], problem = example_of(build, words[name]["example"], number, sources)
        if problem:
            del texts[name]
            wrong.append(f"DMASIM-{number:03} {name}: {problem}")
    names = {name for _, name, _ in registry}
    wrong += [f"{words_path}: {name}: no such report" for name in words if name not in names]
    return texts, wrong


def first_difference(page, old):
    for number, (new_line, old_line) in enumerate(zip(page.split("\n"), old.split("\n")), 1):
        if new_line != old_line:
            return f"line {number}: '{new_line}', the page has '{old_line}'"
    return "one is longer"


def main(registry_path, words_path, page_path, source, build):
    registry = sorted(read_registry(registry_path))
    words, wrong = read_words(words_path)
    if not registry:
        wrong.append(f"{registry_path}: no reports found")
    texts, found = gather(registry, words, words_path, build, Sources(source))
    wrong += found
    page = page_of(registry, words, texts)
    old = ""
    if os.path.exists(page_path):
        with open(page_path, encoding="utf-8") as file:
            old = file.read()
    if os.environ.get("UPDATE_GOLDEN"):
        with open(page_path, "w", encoding="utf-8") as file:
            file.write(page)
    elif page != old:
        wrong.append(f"{page_path} is not what it would be made to: {first_difference(page, old)} "
                     "(UPDATE_GOLDEN=1 ./tests/run report_page makes it anew)")
    for line in wrong:
        print(f"reports: {line}")
    print(f"reports: {len(texts)} of {len(registry)} have an example")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
