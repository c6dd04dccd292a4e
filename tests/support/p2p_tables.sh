#!/bin/sh
# SPDX-License-Identifier: MIT
# What each recorded machine allows, by pairs of device classes: the tables of sim/cli/README.md,
# made by the command. Pairs of classes without a way by bus
# address are summed up in one row.
#   p2p_tables.sh DMASIM SHARED_DATA README
# Prints the README with the tables between its marks made anew.
set -u
program=$1
data=$2/lspci
readme=$3

# Rows without a way by bus address are one: what is left of the others, in the same columns.
shorten() {
	awk '
		NR == 1 { print; last = index($0, "BUS_ADDR") - 1; more = NF == 6; next }
		{
			for (i = 0; i < 3 + more; i++)
				n[i] = $(NF - 2 - more + i)
			if (n[0] || (more && n[3])) {
				print
				next
			}
			rest[1] += n[1]
			rest[2] += n[2]
			count++
		}
		END {
			if (!count)
				exit
			printf "%-*s%8d  %16d  %13d%s\n", last, "all other pairs", 0, rest[1],
				rest[2], more ? "        0" : ""
		}'
}

tables() {
	for file in "$data"/*; do
		name=$(basename "$file")
		# One machine, two files: the dump tells more.
		case $name in
		*.txt) [ ! -e "${file%.vvv.txt}.hex" ] || continue
			[ ! -e "${file%.txt}.hex" ] || continue ;;
		esac
		table=$("$program" p2p "$file" --classes 2>/dev/null) || continue
		[ "$(echo "$table" | wc -l)" -gt 1 ] || continue
		# shellcheck disable=SC2016
		printf '`%s`\n\n```\n%s\n```\n\n' "$name" "$(echo "$table" | shorten)"
	done
}

pair() {
	printf '```\n'
	"$program" p2p "${readme%/*}/../../tests/data/switch-acs-4096.hex" --provider 04:00.0 \
		--client 03:00.0 | fold -s -w 100 | sed 's/ *$//'
	printf '```\n'
}

sed -n '1,/^<!-- pair -->$/p' "$readme"
pair
sed -n '/^<!-- \/pair -->$/,/^<!-- p2p -->$/p' "$readme"
tables
sed -n '/^<!-- \/p2p -->$/,$p' "$readme"
