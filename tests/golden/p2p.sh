#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim p2p, as a user runs it: lines, one verdict with the way of a request, tables by class, what
# it refuses; and the worked example of facts "dma-api" 8.5 on the machine it is about. TAP.
#   p2p.sh DMASIM SOURCE_ROOT [SHARED_DATA]
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$1
data=$2/tests/data
golden=$2/tests/golden/p2p
shared=${3:-/nonexistent}/lspci
verb=p2p
refusals=refuses-
. "$(dirname "$0")/command.sh"

# prints STATUS NAME ARGS...: the text is the recorded one, nothing goes to stderr.
prints() {
	wanted=$1
	name=$2
	shift 2
	dmasim p2p "$@" >"$temp/out" 2>"$temp/err"
	status=$?
	[ "${UPDATE_GOLDEN:-}" != 1 ] || cp "$temp/out" "$golden/$name.txt"
	if [ $status -eq "$wanted" ] && [ ! -s "$temp/err" ] &&
	   diff -u "$golden/$name.txt" "$temp/out" >"$temp/why" 2>&1; then
		ok "prints-$name"
	else
		{ echo "exit status $status"; cat "$temp/err"; } >>"$temp/why"
		not_ok "prints-$name"
	fi
}

# ---- Lines and tables --------------------------------------------------------------------------

for file in "$data"/*.hex; do
	machine=$(basename "$file" .hex)
	prints 0 "$machine-lines" "$file"
	prints 0 "$machine-classes" "$file" --classes
done
prints 0 why "$data/switch-acs-4096.hex" --why
prints 0 acs-off "$data/switch-acs-4096.hex" --acs off
prints 0 one-provider "$data/switch-acs-4096.hex" --provider 04:00.0
prints 0 one-client "$data/switch-acs-4096.hex" --client 0000:03:00.0

# Each line has four columns, and a pair asked by itself has the same verdict and distance.
agree() {
	dmasim p2p "$1" >"$temp/lines" || return 1
	while IFS='	' read -r provider client verdict distance; do
		dmasim p2p "$1" --provider "$provider" --client "$client" >"$temp/one" </dev/null
		status=$?
		[ "$(head -n 1 "$temp/one")" = "$verdict	$distance" ] || return 1
		case $verdict in
		NOT_SUPPORTED) [ $status -eq 1 ] || return 1 ;;
		*) [ $status -eq 0 ] || return 1 ;;
		esac
	done <"$temp/lines"
	[ -s "$temp/lines" ]
}
for name in switch-acs-4096 conventional-256 domains-64; do
	if agree "$data/$name.hex"; then
		ok "lines-and-pairs-agree-on-$name"
	else
		cat "$temp/one" >"$temp/why"
		not_ok "lines-and-pairs-agree-on-$name"
	fi
done

# The lines, counted, are the table: all but the columns of words, summed up.
for name in desktop-64 conventional-256; do
	dmasim p2p "$data/$name.hex" >"$temp/lines"
	dmasim p2p "$data/$name.hex" --classes >"$temp/table"
	lines=$(awk -F '\t' '{ n[$3]++ } END { print n["BUS_ADDR"] + 0, n["THRU_HOST_BRIDGE"] + 0,
		n["NOT_SUPPORTED"] + 0, n["unknown"] + 0 }' "$temp/lines")
	table=$(awk 'NR > 1 { for (i = 0; i < 4; i++) n[i] += $(NF - 3 + i) }
		END { print n[0] + 0, n[1] + 0, n[2] + 0, n[3] + 0 }' "$temp/table")
	if [ "$lines" = "$table" ]; then
		ok "the-table-counts-the-lines-of-$name"
	else
		echo "lines $lines, table $table" >"$temp/why"
		not_ok "the-table-counts-the-lines-of-$name"
	fi
done

# ---- One verdict -------------------------------------------------------------------------------

prints 0 pair-through "$data/switch-acs-4096.hex" --provider 04:00.0 --client 03:00.0
prints 0 pair-below "$data/switch-acs-4096.hex" --acs off --provider 04:00.0 --client 03:00.0
prints 1 pair-refused "$data/domains-64.hex" --provider 0000:01:00.0 --client 0001:40:00.0
prints 1 pair-without-memory "$data/switch-acs-4096.hex" --provider 00:00.0 --client 03:00.0
prints 0 pair-unknown "$data/conventional-256.hex" --provider 02:04.0 --client 02:05.0
prints 0 why-unknown "$data/conventional-256.hex" --why --provider 02:04.0
prints 0 pair-of-one "$data/switch-acs-4096.hex" --acs off --provider 04:00.0 --client 04:00.0

# Facts "dma-api" 8.5, the worked example.
if [ -r "$shared/dell-xe9680-part.hex" ]; then
	pair="--provider 3d:00.0 --client 3a:00.0"
	# shellcheck disable=SC2086
	run 0 xe9680-kept "$shared/dell-xe9680-part.hex" $pair &&
		has xe9680-kept '^THRU_HOST_BRIDGE	6$' "$temp/out" &&
		has xe9680-meets-at-38 '^why .*meet at 0000:38:00.0, but ACS redir' "$temp/out" &&
		has xe9680-redirects 'redir=0000:3c:00.0;0000:39:01.0;0000:39:00.0$' "$temp/out" &&
		has xe9680-host-bridge 'bridge 0000:37:00.0 .8086:09a2. is on' "$temp/out" &&
		has xe9680-passes-the-iommu '^way .* iommu .* bar 0000:3d:00.0' "$temp/out"
	# shellcheck disable=SC2086
	run 0 xe9680-off "$shared/dell-xe9680-part.hex" --acs off $pair &&
		has xe9680-off '^BUS_ADDR	6$' "$temp/out"
else
	skip xe9680 'the recorded machines are not here'
fi

# The tables of the README.
readme=$2/sim/cli/README.md
if [ -d "$shared" ]; then
	"$2/tests/support/p2p_tables.sh" "$program" "${shared%/*}" "$readme" >"$temp/readme"
	[ "${UPDATE_GOLDEN:-}" != 1 ] || cp "$temp/readme" "$readme"
	if diff -u "$readme" "$temp/readme" >"$temp/why"; then
		ok the-tables-of-the-readme
	else
		not_ok the-tables-of-the-readme
	fi
else
	skip the-tables-of-the-readme 'the recorded machines are not here'
fi

run 0 prints-help --help && has prints-help '^usage: dmasim p2p FILE' "$temp/out"

# ---- What it refuses ---------------------------------------------------------------------------

file=$data/switch-acs-4096.hex
refused no-file 'expected the name of an lspci dump'
refused two-files "unexpected argument 'b.hex'" "$file" b.hex
refused an-unknown-option "no option '--all'" "$file" --all
refused acs-maybe "--acs 'maybe': expected keep or off" "$file" --acs maybe
refused acs-without-a-word "--acs '': expected keep or off" "$file" --acs
refused a-provider-without-a-bdf "--provider '': expected a BDF" "$file" --provider
refused a-client-without-a-bdf "--client '': expected a BDF" "$file" --client
refused nobody "nobody is at '7f:00.0'" "$file" --provider 7f:00.0
refused no-bdf "nobody is at 'gpu'" "$file" --client gpu
refused a-bridge '0000:00:01.0 is a bridge; expected a device' "$file" --client 00:01.0
refused classes-of-one '--classes is for all pairs' "$file" --classes --client 03:00.0
refused a-file-that-is-not-there "$temp/none.hex: No such file" "$temp/none.hex"

echo "1..$number"
