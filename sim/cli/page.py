#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A text as C: an array of its lines, and how many there are.

    page.py TEXT OUTPUT.c HEADER NAME
"""

import sys

text_path, output_path, header, name = sys.argv[1:]
with open(text_path, encoding="utf-8") as text:
    lines = text.read().split("\n")
with open(output_path, "w", encoding="utf-8") as output:
    output.write(f'#include "{header}"\n\nconst char *const {name}[] = {{\n')
    for line in lines:
        line = line.replace("\\", "\\\\").replace('"', '\\"')
        output.write(f'\t"{line}",\n')
    output.write(f"}};\n\nconst size_t {name}_lines = {len(lines)};\n")
