#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A text as C strings, one for each line: page.py TEXT OUTPUT"""

import sys

with open(sys.argv[1], encoding="utf-8") as text:
    lines = text.read().split("\n")
with open(sys.argv[2], "w", encoding="utf-8") as output:
    for line in lines:
        line = line.replace("\\", "\\\\").replace('"', '\\"')
        output.write(f'"{line}",\n')
