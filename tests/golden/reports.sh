#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim reports, as a user runs it: the list, one report by each of its names, and what it refuses.
# What the sections say is compared with real reports elsewhere (tests/catalogue/reports.py). TAP.
#   reports.sh DMASIM SOURCE_ROOT
set -u
program=$1
registry=$2/include/dmasim/report-registry.h
verb=reports
refusals=refuses-
. "$(dirname "$0")/command.sh"

# same NAME FILE FILE
same() {
	if cmp -s "$2" "$3"; then ok "$1"; else diff "$2" "$3" >"$temp/why"; not_ok "$1"; fi
}

run 0 lists && cp "$temp/out" "$temp/list"
grep -o 'X([0-9]*, [A-Z]' "$registry" | wc -l >"$temp/registered"
wc -l <"$temp/list" >"$temp/listed"
same lists-the-whole-registry "$temp/registered" "$temp/listed"
has a-line-has-number-name-and-sentence \
	'^DMASIM-017 use-after-unmap  *The device used an address after its unmap$' "$temp/list"

run 0 by-name use-after-unmap && cp "$temp/out" "$temp/section"
has a-section-begins-with-its-report '^DMASIM-017 use-after-unmap$' "$temp/section"
has a-section-says-how-it-comes-about '^How it comes about: ' "$temp/section"
has a-section-says-what-to-do '^What to do: ' "$temp/section"
has a-section-has-an-example '^    DMASIM-017 use-after-unmap: The device' "$temp/section"
for way in 17 017 DMASIM-017 DMASIM-17; do
	run 0 "by-$way" "$way" && same "by-$way" "$temp/section" "$temp/out"
done

# Of every report: its own section, and nothing of another's.
cut -c8-36 "$temp/list" | while read -r number name; do
	dmasim reports "$name" >"$temp/one" || echo "$name: exit status"
	head -n 1 "$temp/one" | grep -qx "DMASIM-$number $name" || echo "$name: no heading"
	grep -q "^    DMASIM-$number $name: " "$temp/one" || echo "$name: no example"
	[ "$(grep -c '^DMASIM-' "$temp/one")" -eq 1 ] || echo "$name: more than one section"
	[ -n "$(tail -n 1 "$temp/one")" ] || echo "$name: ends with an empty line"
done >"$temp/why"
if [ ! -s "$temp/why" ]; then ok each-has-a-section; else not_ok each-has-a-section; fi

run 0 help --help && has tells-its-usage '^usage: dmasim reports' "$temp/out"
refused a-name-that-is-none "no report 'nothing'" nothing
refused a-number-that-is-none "no report '7'" 7
refused no-name "no report ''" ''
refused a-number-with-more "no report '17x'" 17x
refused a-number-that-is-too-long 'no report' 00000000000000000017
refused a-negative-number "no report '-17'" -17
refused more-than-one "unexpected argument '18'" 17 18
echo "1..$number"
