#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes a static library in which only names that begin with dmasim_ are global: a program that
# links it may use any other name for itself.
#   localize.sh COMPILER INPUT.a OUTPUT.a
set -eu
compiler=$1
input=$2
output=$3
object=$output.o

# The compiler's own, which may be for another machine.
tool() { "$compiler" -print-prog-name="$1"; }

"$compiler" -r -nostdlib -Wl,--whole-archive "$input" -Wl,--no-whole-archive -o "$object"
"$(tool objcopy)" --wildcard --keep-global-symbol='dmasim_*' "$object"
rm -f "$output"
"$(tool ar)" rcs "$output" "$object"
rm -f "$object"
