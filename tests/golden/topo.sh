#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim topo, as a user runs it: what it prints for our own dumps, and what it refuses. TAP.
#   topo.sh DMASIM SOURCE_ROOT
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then. Beside it:
# topo_json.py compares two of the forms, topo_sysfs.py makes a host of a dump.
set -u
program=$1
data=$2/tests/data
golden=$2/tests/golden/topo
verb=topo
refusals=refuses-
. "$(dirname "$0")/command.sh"

# prints NAME FILE GOLDEN OPTIONS...: the text is the recorded one, nothing goes to stderr.
prints() {
	label=$1
	printed=$2
	wanted=$golden/$3
	shift 3
	dmasim topo "$printed" "$@" >"$temp/out" 2>"$temp/err"
	status=$?
	if [ "${UPDATE_GOLDEN:-}" = 1 ]; then
		mkdir -p "$golden"
		cp "$temp/out" "$wanted"
	fi
	if [ $status -eq 0 ] && [ ! -s "$temp/err" ] &&
	   diff -u "$wanted" "$temp/out" >"$temp/why" 2>&1; then
		ok "prints-$label"
	else
		{ echo "exit status $status"; cat "$temp/err"; } >>"$temp/why"
		not_ok "prints-$label"
	fi
}

# accepted NAME COMMAND...: another program reads what was printed; skipped where it is not.
accepted() {
	name=$1
	shift
	if ! command -v "$1" >/dev/null; then
		skip "$name" "there is no $1"
	elif "$@" <"$temp/out" >"$temp/read" 2>"$temp/why" && [ ! -s "$temp/why" ]; then
		ok "$name"
	else
		not_ok "$name"
	fi
}

# ---- What it prints ----------------------------------------------------------------------------

json=yes
dmasim topo "$data/desktop-64.hex" --as json 2>&1 | grep -q 'built without Jansson' && json=no

for file in "$data"/*.hex; do
	dump=$(basename "$file" .hex)
	prints "$dump" "$file" "$dump.txt"
	prints "$dump-as-tree" "$file" "$dump.txt" --as tree
	prints "$dump-as-dot" "$file" "$dump.dot.txt" --as dot
	accepted "graphviz-takes-$dump" dot -Tcanon
	prints "$dump-as-svg" "$file" "$dump.svg.txt" --as svg
	accepted "xmllint-takes-$dump" xmllint --noout -
	accepted "rsvg-takes-$dump" rsvg-convert
	if [ $json = yes ]; then
		prints "$dump-as-json" "$file" "$dump.json.txt" --as json
		accepted "json-of-$dump-says-what-the-tree-says" \
			python3 "$2/tests/golden/topo_json.py" "$golden/$dump.txt"
	else
		refused "$dump-as-json" 'built without Jansson' "$file" --as json
	fi
done

# One machine in several ways that lspci tells of it, and as a mail has it.
for file in "$data"/text-*.txt; do
	text=$(basename "$file" .txt)
	prints "$text" "$file" "$text.txt"
done

# A dump of a dump, byte for byte after the first.
for file in "$data"/*.hex; do
	dump=$(basename "$file" .hex)
	dmasim topo "$file" --as lspci >"$temp/first" 2>"$temp/err" &&
		dmasim topo "$temp/first" --as lspci >"$temp/second" 2>>"$temp/err"
	if [ -s "$temp/first" ] && [ ! -s "$temp/err" ] &&
	   cmp "$temp/first" "$temp/second" >"$temp/why" 2>&1; then
		ok "$dump-as-lspci-twice"
	else
		cat "$temp/err" >>"$temp/why"
		not_ok "$dump-as-lspci-twice"
	fi
done

# ---- The running host ---------------------------------------------------------------------------

# As the dump has it, the same is printed; with the sizes of BARs told, none is a guess.
for file in "$data"/*.hex; do
	dump=$(basename "$file" .hex)
	rm -rf "$temp/sys"
	python3 "$2/tests/golden/topo_sysfs.py" "$file" "$temp/sys"
	prints "$dump-as-host" "--host=$temp/sys" "$dump.txt"
	python3 "$2/tests/golden/topo_sysfs.py" --resources "$file" "$temp/sys"
	dmasim topo "--host=$temp/sys" >"$temp/out" 2>"$temp/why"
	if grep -q 'BAR.*4 KiB, ' "$temp/out" && ! grep 'BAR.*inferred' "$temp/out" >>"$temp/why"
	then
		ok "$dump-as-host-has-sizes"
	else
		not_ok "$dump-as-host-has-sizes"
	fi
done
if [ -d /sys/bus/pci/devices ] && [ -n "$(ls /sys/bus/pci/devices)" ]; then
	dmasim topo --host >"$temp/out" 2>"$temp/why"
	if [ ! -s "$temp/why" ] &&
	   [ "$(grep -c '^  *[0-9a-f]*:[0-9a-f]*:[0-9a-f]*\.' "$temp/out")" -gt 0 ]; then
		ok this-host
	else
		not_ok this-host
	fi
else
	skip this-host 'it has no PCI'
fi
mkdir -p "$temp/none/bus/pci/devices"
refused a-host-without-pci "$temp/none: there is no PCI function" "--host=$temp/none"
refused a-host-without-sysfs "$temp/nothing: No such file" "--host=$temp/nothing"
refused two-hosts "unexpected argument '--host'" --host --host

dmasim topo --help >"$temp/out" 2>"$temp/err"
status=$?
if [ $status -eq 0 ] && [ ! -s "$temp/err" ] &&
   grep -q '^usage: dmasim topo FILE | --host' "$temp/out"; then
	ok prints-help
else
	{ echo "exit status $status"; cat "$temp/out" "$temp/err"; } >"$temp/why"
	not_ok prints-help
fi

# The same file twice gives the same text.
dmasim topo "$data/domains-64.hex" >"$temp/first"
dmasim topo "$data/domains-64.hex" >"$temp/second"
if [ -s "$temp/first" ] && cmp "$temp/first" "$temp/second" >"$temp/why" 2>&1; then
	ok prints-the-same-twice
else
	not_ok prints-the-same-twice
fi

# It has nothing random: a bad seed in the environment is no matter.
DMASIM_SEED=nonsense dmasim topo "$data/domains-64.hex" >"$temp/second" 2>"$temp/why"
if cmp "$temp/first" "$temp/second" >>"$temp/why" 2>&1; then
	ok asks-for-no-seed
else
	not_ok asks-for-no-seed
fi

full_disk topo-notices-a-full-disk topo "$data/domains-64.hex"
full_disk reports-notices-a-full-disk reports
full_disk help-notices-a-full-disk --help

# ---- What it refuses ---------------------------------------------------------------------------

printf '' >"$temp/empty.hex"
printf '00:00.0 Host bridge\n00: 86 80\n' >"$temp/short.hex"
head -c 1000 "$data/conventional-256.hex" >"$temp/truncated.hex"
head -c 4000 "$program" >"$temp/binary.hex"
refused no-file 'expected the name of an lspci dump'
refused two-files "unexpected argument 'b.hex'" "$data/desktop-64.hex" b.hex
refused an-unknown-form "--as 'xml': expected tree, dot, svg, json, lspci or c" \
	"$data/desktop-64.hex" --as xml
refused no-form "--as '': expected tree" "$data/desktop-64.hex" --as
refused an-unknown-option "no option '--all'" --all "$data/desktop-64.hex"
refused a-file-that-is-not-there "$temp/none.hex: No such file" "$temp/none.hex"
refused a-folder "$temp: Is a directory" "$temp"
refused an-empty-file "$temp/empty.hex:1: the file has no function" "$temp/empty.hex"
refused a-short-line "$temp/short.hex:2: 2 bytes in a line; expected 16" "$temp/short.hex"
refused a-truncated-file "$temp/truncated.hex:" "$temp/truncated.hex"
refused a-binary-file "$temp/binary.hex:.*expected" "$temp/binary.hex"

echo "1..$number"
