#!/bin/sh
# SPDX-License-Identifier: MIT
# The house rules that a machine can check. A line that begins with "note" is not a failure.
. "$(dirname "$0")/common.sh"

code_files=$(c_files include lib sim tests)
# Files that people write, without recorded data.
written=$(find include lib sim tests .ci -type f ! -path 'tests/data/*' ! -name '*.expected' \
	! -path 'tests/fuzz/corpus/*' \
	! -path 'tests/golden/*.txt' ! -path '*/__pycache__/*' | sort)

# ---- Sizes -------------------------------------------------------------------------------------

# shellcheck disable=SC2086  # one word for each file
lengths=$(awk '
	FNR == 1 && NR > 1 && last > 600 { print file ": " last " lines, 600 is the most" }
	{ file = FILENAME; last = FNR }
	/^[a-zA-Z_].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
	/^\{/ { begin = FNR }
	/^\}/ && begin {
		lines = FNR - begin + 1
		if (lines > 70)
			print FILENAME ":" begin ": " name "() has " lines " lines, 70 are the most"
		else if (lines > 60)
			print "note " FILENAME ":" begin ": " name "() has " lines " lines"
		begin = 0
	}
	END { if (last > 600) print file ": " last " lines, 600 is the most" }' $code_files)
echo "$lengths" | grep '^note'
complain 'too long' "$(echo "$lengths" | grep -v '^note')"

# Columns: a tab goes to the next multiple of 8; a character of several bytes is one.
# shellcheck disable=SC2086
complain 'more than 100 columns' "$(echo "$written" | grep -v '\.tsv$' | tr '\n' '\0' |
	xargs -0 awk '
	{
		columns = 0
		parts = split($0, part, "\t")
		for (i = 1; i <= parts; i++) {
			gsub(/[\200-\277]/, "", part[i])
			columns += length(part[i])
			if (i < parts)
				columns += 8 - columns % 8
		}
		if (columns > 100)
			long[FILENAME] = long[FILENAME] " " FNR
	}
	END {
		for (file in long)
			print file ": lines" long[file]
	}' | sort)"

# ---- Words -------------------------------------------------------------------------------------

# shellcheck disable=SC2086
code $code_files >"$scratch/code"

# uses WORDS FOLDERS: places in the code, not in comments, where a word begins like this. Both are
# extended regular expressions.
uses() {
	grep -E "^($2)/[^:]*:[0-9]*:(.*[^A-Za-z0-9_])?($1)" "$scratch/code" |
		sed -E 's/^([^:]*:[0-9]*):[[:blank:]]*/\1: /'
}

everywhere='include|lib|sim|tests'
complain 'chance is the machine'"'"'s generator, time its clock' \
	"$(uses '(s?rand(om)?|drand48|time|arc4random[a-z_]*)[[:blank:]]*\(' "$everywhere")"
complain 'use a function that knows the size of what it fills' \
	"$(uses '(strcpy|v?sprintf|gets|alloca)[[:blank:]]*\(' "$everywhere")"
complain 'the environment is read by the facade alone' \
	"$(uses '(secure_)?getenv[[:blank:]]*\(' 'include|lib|sim' | grep -v '^sim/machine/')"
complain 'no floats: they differ between hosts' \
	"$(uses '(float|double)([^A-Za-z0-9_]|$)' 'include|lib|sim')"

# ---- No variables ------------------------------------------------------------------------------

# Objects of static storage that can change, in functions too. Constants with addresses in them lie
# in .data.rel.ro. One is meant: the machine that a thread is in.
if have nm; then
	for file in "$build"/lib/libdmasim_os.a "$build"/sim/libdmasim_hw.a \
		"$build"/sim/libdmasim_facade.a "$build"/sim/cli/dmasim.p/*.o; do
		[ -e "$file" ] || continue
		nm -f sysv "$file" | awk -F '|' -v file="${file##*/}" '
			/^(Symbols from|.*\[)/ { next }
			{
				gsub(/ /, "", $1)
				gsub(/ /, "", $7)
			}
			$7 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/ {
				print file ": " $1 " in " $7
			}'
	done >"$scratch/variables"
	allowed='libdmasim_facade.a: current_machine in .tbss'
	[ "$(grep -cxF "$allowed" "$scratch/variables")" -eq 1 ] ||
		fail "there is one variable, and only one: $allowed"
	complain 'a variable outside a function'"'"'s frame' \
		"$(grep -vxF "$allowed" "$scratch/variables")"
else
	echo 'note: nm is not here, variables were not looked for'
fi

# ---- Files -------------------------------------------------------------------------------------

# A C file is in the meson.build of its folder, or of one above, by its path from there.
for file in $(find lib sim tests -name '*.c' -o -name '*.cpp' | sort); do
	folder=${file%/*}
	while [ ! -f "$folder/meson.build" ]; do
		case $folder in
		*/*) folder=${folder%/*} ;;
		*) break ;;
		esac
	done
	name=${file#"$folder"/}
	grep -qF -e "'$name'" -e "'${name%.*}'" "$folder/meson.build" 2>/dev/null ||
		fail "$file: not in $folder/meson.build"
done

# shellcheck disable=SC2046
awk 'FNR <= 4 && /SPDX-License-Identifier: MIT/ { print FILENAME }' \
	$(echo "$written" | grep -vE '\.(tsv|txt|md|hex)$' | tee "$scratch/files") \
	meson.build meson_options.txt >"$scratch/licensed"
printf 'meson.build\nmeson_options.txt\n' >>"$scratch/files"
complain 'no SPDX line' "$(grep -vxFf "$scratch/licensed" "$scratch/files")"

# shellcheck disable=SC2086
complain 'white space at the end of the line' \
	"$(grep -nE '[[:blank:]]+$' $written meson.build meson_options.txt README.md .gitignore |
		sed 's/^\([^:]*:[0-9]*\):.*/\1/')"
complain 'a path of one machine' \
	"$(grep -rnE '(^|[^A-Za-z0-9_.])/(work|tmp|home|root)/' lib sim include README.md)"

for entry in * .[!.]*; do
	case $entry in
	README.md | LICENSE | meson.build | meson_options.txt | include | lib | sim | tests) ;;
	.* | build | build-*) ;;
	*) fail "$entry: not for the top of the repository" ;;
	esac
done

finish
