#!/bin/sh
# SPDX-License-Identifier: MIT
# What the README says can be done: its first C program compiles and runs, the commands and the
# files it names exist, and the commands print what it shows. UPDATE_GOLDEN=1 ./tests/run
# readme puts its present output into the README.
. "$(dirname "$0")/common.sh"

[ -f README.md ] || skip 'there is no README.md yet'
compiler=$(c_compiler)
[ -n "$compiler" ] || skip 'neither gcc nor clang is here'
command=$build/sim/cli/dmasim

# between FIRST LAST: the lines between two lines, without them, the first time.
between() {
	awk -v first="$1" -v last="$2" '
		$0 == last && inside { exit }
		inside { print }
		$0 == first { inside = 1 }' README.md
}

between '```c' '```' >"$scratch/first.c"
if ! [ -s "$scratch/first.c" ]; then
	fail 'README.md has no C program'
elif ! "$compiler" -std=gnu11 -Wall -Wextra -Werror -I include "$scratch/first.c" \
	-o "$scratch/first" -L "$build/sim" -ldmasim -Wl,-rpath,"$build/sim" 2>"$scratch/said"; then
	fail 'the first C program of README.md does not compile'
	show "$scratch/said"
elif ! "$scratch/first" >"$scratch/said" 2>&1; then
	fail 'the first C program of README.md does not run as it should'
	show "$scratch/said"
elif [ -s "$scratch/said" ]; then
	fail 'the first C program of README.md finds something'
	show "$scratch/said"
fi

# Commands: what stands after a prompt, and what looks like a command of the project anywhere.
sed -nE 's/^[[:blank:]]*\$ ([A-Z_]+=[^ ]* )*([^ ]+).*/\2/p' README.md | sort -u >"$scratch/prompts"
grep -oE '(^|[ `])\./[A-Za-z0-9_/.-]+' README.md | tr -d ' `' | sort -u >>"$scratch/prompts"
while read -r name; do
	case $name in
	./build/* | build/*) [ -x "$build/${name#*build/}" ] ;;
	*/*) [ -f "$name" ] && [ -x "$name" ] ;;
	*) have "$name" ;;
	esac || fail "README.md shows the command $name, which cannot be run"
done <"$scratch/prompts"

if [ -x "$command" ]; then
	"$command" --help >"$scratch/help"
	for name in $(grep -oE '`dmasim [a-z0-9]+' README.md | sed 's/.* //' | sort -u); do
		grep -q "^  $name " "$scratch/help" ||
			fail "README.md shows 'dmasim $name', which there is not"
	done
fi

# Files and folders of the project, named in code.
for name in $(grep -oE '`(include|lib|sim|tests)/[A-Za-z0-9_/.-]*' README.md |
	tr -d '`' | sort -u); do
	[ -e "$name" ] || fail "README.md names $name, which there is not"
done

# prints MARK ARGS...: the command's output stands between two marks.
prints() {
	mark=$1
	shift
	grep -q "^<!-- $mark -->\$" README.md && [ -x "$command" ] || return
	between "<!-- $mark -->" "<!-- /$mark -->" | grep -v '^```' >"$scratch/shown"
	"$command" "$@" >"$scratch/printed" 2>&1
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		awk -v printed="$scratch/printed" -v mark="$mark" '
			$0 == "<!-- /" mark " -->" { inside = 0 }
			!inside { print }
			$0 == "<!-- " mark " -->" {
				inside = 1
				print "```"
				while ((getline line < printed) > 0)
					print line
				print "```"
			}' README.md >"$scratch/README.md" && cat "$scratch/README.md" >README.md
	elif ! diff "$scratch/shown" "$scratch/printed" >"$scratch/said"; then
		fail "README.md shows another output of dmasim $1 than it has"
		show "$scratch/said"
	fi
}

prints demo demo
walk=$(sed -n 's/^`dmasim \(walk --map [^`]*\)` prints this:$/\1/p' README.md)
[ -n "$walk" ] || fail 'README.md shows no walk'
# shellcheck disable=SC2086  # one word for each argument
prints walk $walk

finish
