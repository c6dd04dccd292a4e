#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim topo, as a user runs it: what it prints for our own dumps, and what it refuses. TAP.
#   topo.sh DMASIM SOURCE_ROOT
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$1
data=$2/tests/data
golden=$2/tests/golden/topo
verb=topo
refusals=refuses-
. "$(dirname "$0")/command.sh"

# prints NAME FILE: the text is the recorded one, nothing goes to stderr.
prints() {
	dmasim topo "$data/$2" >"$temp/out" 2>"$temp/err"
	status=$?
	if [ "${UPDATE_GOLDEN:-}" = 1 ]; then
		mkdir -p "$golden"
		cp "$temp/out" "$golden/$1.txt"
	fi
	if [ $status -eq 0 ] && [ ! -s "$temp/err" ] &&
	   diff -u "$golden/$1.txt" "$temp/out" >"$temp/why" 2>&1; then
		ok "prints-$1"
	else
		{ echo "exit status $status"; cat "$temp/err"; } >>"$temp/why"
		not_ok "prints-$1"
	fi
}

# ---- What it prints ----------------------------------------------------------------------------

for file in "$data"/*.hex; do
	name=$(basename "$file" .hex)
	prints "$name" "$name.hex"
done

dmasim topo --help >"$temp/out" 2>"$temp/err"
status=$?
if [ $status -eq 0 ] && [ ! -s "$temp/err" ] && grep -q '^usage: dmasim topo FILE' "$temp/out"; then
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

if [ -w /dev/full ]; then
	for command in "topo $data/domains-64.hex" reports --help; do
		# shellcheck disable=SC2086
		dmasim $command >/dev/full 2>"$temp/err"
		status=$?
		if [ $status -eq 2 ] && [ "$(wc -l <"$temp/err")" -eq 1 ] &&
		   grep -q 'cannot write the output: No space left' "$temp/err"; then
			ok "${command%% *}-notices-a-full-disk"
		else
			{ echo "exit status $status"; cat "$temp/err"; } >"$temp/why"
			not_ok "${command%% *}-notices-a-full-disk"
		fi
	done
fi

# ---- What it refuses ---------------------------------------------------------------------------

printf '' >"$temp/empty.hex"
printf '00:00.0 Host bridge\n00: 86 80\n' >"$temp/short.hex"
head -c 1000 "$data/conventional-256.hex" >"$temp/truncated.hex"
head -c 4000 "$program" >"$temp/binary.hex"
refused no-file 'expected the name of an lspci dump'
refused two-files "unexpected argument 'b.hex'" "$data/desktop-64.hex" b.hex
refused an-unknown-option "no option '--all'" --all "$data/desktop-64.hex"
refused a-file-that-is-not-there "$temp/none.hex: No such file" "$temp/none.hex"
refused a-folder "$temp: Is a directory" "$temp"
refused an-empty-file "$temp/empty.hex:1: the file has no function" "$temp/empty.hex"
refused a-short-line "$temp/short.hex:2: 2 bytes in a line; expected 16" "$temp/short.hex"
refused a-truncated-file "$temp/truncated.hex:" "$temp/truncated.hex"
refused a-binary-file "$temp/binary.hex:.*expected" "$temp/binary.hex"

echo "1..$number"
