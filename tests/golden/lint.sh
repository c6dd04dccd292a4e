#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim lint, as a user runs it: traces that dmasim demo writes, one that is kept, and what it
# refuses. TAP.
#   lint.sh DMASIM SOURCE_ROOT
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$(realpath "$1")
golden=$(realpath "$2")/tests/golden/lint
verb=lint
refusals=refuses-
. "$(dirname "$0")/command.sh"

# The reports name the trace: it has the same name on every machine.
cd "$golden/../../data" || exit 1

# tells STATUS NAME ARGS...: what is printed is the recorded text.
tells() {
	wanted=$1
	text=$golden/$2.txt
	name=tells-$2
	shift 2
	run "$wanted" "$name" "$@" || return
	[ "${UPDATE_GOLDEN:-}" != 1 ] || cp "$temp/out" "$text"
	if [ ! -s "$temp/err" ] && diff -u "$text" "$temp/out" >"$temp/why" 2>&1; then
		ok "$name"
	else
		cat "$temp/err" >>"$temp/why"
		not_ok "$name"
	fi
}

# ---- A driver with mistakes --------------------------------------------------------------------

tells 1 reports lint-wrong.trace
tells 1 lines lint-wrong.trace --line
tells 1 one-device lint-wrong.trace --line --dev 04:00.0
tells 1 one-line lint-wrong.trace --line --from 12 --to 12
tells 0 none-of-these-lines lint-wrong.trace --to 9
tells 1 leaks lint-wrong.trace --line --leaks --from 18
tells 0 a-right-driver lint-right.trace
tells 1 what-differs lint-differs.trace --line

if dmasim lint - --line <lint-wrong.trace >"$temp/out" 2>"$temp/err"; then
	echo "exit status 0" >"$temp/why"
	not_ok reads-standard-input
else
	has reads-standard-input '^stdin:12: t=30 report=DMASIM-011' "$temp/out"
fi

# ---- What the demo writes ----------------------------------------------------------------------

for plant in windows flag sync unlink type; do
	dmasim demo --seed 1 --trace "$temp/$plant.trace" --plant $plant >"$temp/out" 2>&1
	run 1 "lints-a-demo-with-$plant" "$temp/$plant.trace" --line || continue
	grep ' report id=' "$temp/$plant.trace" | sed 's/.* report id=\([^ ]*\).*/\1/' >"$temp/live"
	sed 's/.* name=\([^ ]*\).*/\1/' "$temp/out" >"$temp/linted"
	if diff "$temp/live" "$temp/linted" >"$temp/why"; then
		ok "lints-a-demo-with-$plant"
	else
		not_ok "lints-a-demo-with-$plant"
	fi
done

dmasim lint --help >"$temp/out" 2>"$temp/err"
has tells-how-to-use-it '^usage: dmasim lint TRACE' "$temp/out"
has tells-what-it-cannot-see '^  DMASIM-008 stale-translation$' "$temp/out"

# ---- What it refuses ---------------------------------------------------------------------------

refused nothing 'expected the name of a trace, or -'
refused a-second-file "unexpected argument 'more'" lint-right.trace more
refused an-option-it-does-not-have "no option '--loud'" lint-right.trace --loud
refused a-file-that-is-not-there 'cannot read not-there: No such file or directory' not-there
refused a-folder 'cannot read: Is a directory' .
refused a-line-of-nothing "lint: --from '0': expected a line of the trace, from 1" \
	lint-right.trace --from 0
refused no-device "lint: --dev 'gpu': expected a BDF" lint-right.trace --dev gpu
refused what-is-no-trace "sriov-4096.hex:1: no header, expected" sriov-4096.hex

echo "1..$number"
