#!/bin/sh
# SPDX-License-Identifier: MIT
# The same program and seed give the same trace: two runs of hash_scenario, and the hashes of
# hash.expected, which other compilers and levels are held to as well.
#
# A change of what is traced, or of what the software or the hardware does, changes the hashes. If
# that was meant: UPDATE_GOLDEN=1 ./tests/run hash, then look at `git diff`. If only one compiler or
# level has another hash, the code depends on something it must not (the order of evaluation, a
# pointer's value, memory that was never set): `tests/checks/hash_scenario FILE`, in each build
# folder, writes the traces, and the first line that differs tells where.
. "$(dirname "$0")/common.sh"

program=$build/tests/checks/hash_scenario
expected=$checks/hash.expected

# DMASIM_WRAPPER is a command that runs another, as programs of another machine need.
scenario() { ${DMASIM_WRAPPER:-} "$program"; }

if ! scenario >"$scratch/first" || ! scenario >"$scratch/second"; then
	fail 'hash_scenario does not run as it should'
	finish
fi
[ -z "${UPDATE_GOLDEN:-}" ] || cp "$scratch/first" "$expected"

cmp -s "$scratch/first" "$scratch/second" || {
	fail 'two runs of one program have different traces'
	diff "$scratch/first" "$scratch/second"
}
cmp -s "$expected" "$scratch/first" || {
	fail 'the traces are not those of hash.expected (how to update it: tests/checks/hash.sh)'
	diff "$expected" "$scratch/first"
}

finish
