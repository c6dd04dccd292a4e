#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim iova, as a user runs it: what it draws, how it judges, what it measures (never how fast),
# what it refuses. TAP.
#   iova.sh DMASIM SOURCE_ROOT PLUGINS
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$(realpath "$1")
data=$2/tests/data
golden=$2/tests/golden/iova
plugins=$3
verb=iova
. "$(dirname "$0")/command.sh"
unset DMASIM_SEED

# prints NAME FILE ARGS...: the text is the recorded one, nothing goes to stderr.
prints() {
	name=$1
	file=$2
	shift 2
	run 0 "$name" "$@" || return
	if [ "${UPDATE_GOLDEN:-}" = 1 ]; then
		mkdir -p "$golden"
		cp "$temp/out" "$golden/$file"
	fi
	if [ ! -s "$temp/err" ] && diff -u "$golden/$file" "$temp/out" >"$temp/why" 2>&1; then
		ok "$name"
	else
		cat "$temp/err" >>"$temp/why"
		not_ok "$name"
	fi
}

# same NAME FILE FILE
same() {
	if [ -s "$2" ] && diff "$2" "$3" >"$temp/why" 2>&1; then
		ok "$1"
	else
		head -n 20 "$temp/why" >"$temp/short"
		mv "$temp/short" "$temp/why"
		not_ok "$1"
	fi
}

# ---- What it draws -----------------------------------------------------------------------------

small=$data/iova-small.trace
prints draws-a-trace small.txt --replay "$small" --allocator linux
prints draws-what-does-not-tell small-bitmap.txt --replay "$small" --allocator bitmap
prints draws-svg small-svg.txt draw --replay "$small" --allocator linux --as svg
prints draws-a-workload ring.txt --workload ring --live 200 --seed 5 --allocator linux
prints draws-two-windows windows.txt --workload windows --live 3000 --allocator linux

run 0 draws-mixed-without-a-workload --live 30 --allocator linux &&
	has draws-mixed-without-a-workload '^linux after mixed: 30 live ranges, below 2^48' \
		"$temp/out"
run 0 all-allocators-are-drawn --live 30 && {
	has linux-is-drawn '^linux after' "$temp/out"
	has exact-is-drawn '^exact after' "$temp/out"
	has bitmap-is-drawn '^bitmap after' "$temp/out"
}
run 0 limit-and-cpus --limit 32 --cpus 4 --no-cache --live 30 --allocator linux &&
	has limit-and-cpus 'below 2^32, 4 CPUs, no cache' "$temp/out"

DMASIM_SEED=0x2a dmasim iova --live 30 --allocator linux >"$temp/by-environment"
dmasim iova --live 30 --allocator linux --seed 42 >"$temp/by-argument"
same the-seed-of-the-environment "$temp/by-argument" "$temp/by-environment"

# svg NAME ARGS...
svg() {
	name=$1
	shift
	run 0 "$name" draw --as svg "$@" && is_picture "$name"
}

svg svg-of-all --live 100
svg svg-of-nothing --replay "$small" --allocator bitmap
svg svg-of-a-name-with-brackets --replay "$small" --plugin "$plugins/plugin_bump.so"

# ---- Traces ------------------------------------------------------------------------------------

for workload in mixed pair full32 flush lookup; do
	name=replayed-$workload-is-recorded-again
	run 0 "$name" --workload $workload --live 300 --cpus 2 --seed 9 --allocator linux \
		--record "$temp/one" || continue
	mv "$temp/out" "$temp/drawn"
	run 0 "$name" --replay "$temp/one" --record "$temp/two" --allocator linux || continue
	same "$name" "$temp/one" "$temp/two"
	sed 1d "$temp/drawn" >"$temp/drawn-below"
	sed 1d "$temp/out" >"$temp/out-below"
	same replayed-$workload-draws-the-same "$temp/drawn-below" "$temp/out-below"
done
has a-trace-begins-so '^dmasim-iova-trace 1$' "$temp/one"

printf 'dmasim-iova-trace 1\nspace 1 9 1\nalloc 0 1 9 0\n' >"$temp/bad.trace"
refused a-bad-line "$temp/bad.trace:3: 'alloc' has 4 fields, expected 5" --replay "$temp/bad.trace"
refused a-bad-line-to-measure "$temp/bad.trace:3: " bench --replay "$temp/bad.trace"
printf '' >"$temp/empty.trace"
refused an-empty-trace "$temp/empty.trace:1: the end, expected" --replay "$temp/empty.trace"
head -c 4000 "$program" >"$temp/binary.trace"
refused a-binary-trace "$temp/binary.trace:1: " --replay "$temp/binary.trace"
refused a-trace-that-is-not-there "$temp/none: No such file" --replay "$temp/none"
refused a-folder-as-a-trace "$temp: Is a directory" --replay "$temp"
refused a-trace-that-cannot-be-written "cannot write $temp/no/trace" --live 9 \
	--record "$temp/no/trace"
printf 'dmasim-iova-trace 1\nspace 1 9 1\nalloc 0 1 9 0 0\n' >"$temp/untimed.trace"
refused a-trace-without-timing "nothing is timed: expected 'timing on'" bench \
	--replay "$temp/untimed.trace"

# ---- What it measures --------------------------------------------------------------------------

run 0 measures-a-row bench --quick --row 'cache hit' --csv "$temp/csv" && {
	has measures-linux '1 page, cache hit  *0  linux ' "$temp/out"
	has measures-exact ' exact ' "$temp/out"
	has measures-the-loop ' (loop) ' "$temp/out"
	head -n 1 "$temp/csv" >"$temp/head"
	if [ "${UPDATE_GOLDEN:-}" = 1 ]; then
		cp "$temp/head" "$golden/csv-head.txt"
	fi
	same the-columns-of-the-csv "$golden/csv-head.txt" "$temp/head"
	has a-line-of-the-csv '^"1 page, cache hit",uniform,0,200000,48,1,1,1,"linux",2,' \
		"$temp/csv"
	if sed 's/"[^"]*"//g' "$temp/csv" | awk -F , 'NR == 1 { n = NF } NF != n { exit 1 }'; then
		ok the-csv-has-as-many-fields-in-each-line
	else
		cp "$temp/csv" "$temp/why"
		not_ok the-csv-has-as-many-fields-in-each-line
	fi
}
run 0 measures-a-workload bench --workload walk --live 2000 --quick --allocator linux &&
	has measures-a-workload '^walk  *1,000  linux ' "$temp/out"
run 0 measures-a-trace bench --replay "$small" --quick --csv "$temp/csv" && {
	has measures-a-trace '^trace  *5  linux ' "$temp/out"
	has a-trace-in-the-csv '^"trace",trace,5,' "$temp/csv"
}
run 0 who-cannot-says-why bench --workload lookup --live 100 --quick --allocator bitmap &&
	has who-cannot-says-why ' bitmap  *- (it has no next)$' "$temp/out"
run 0 a-plugin-beside-ours bench --workload uniform --quick --csv "$temp/csv" \
	--plugin "$plugins/plugin_bump.so" && {
	has a-plugin-beside-ours ' bump <"&"> ' "$temp/out"
	has a-name-with-quotes-in-the-csv ',"bump <""&"">",' "$temp/csv"
}

cp "$plugins/plugin_bump.so" "$temp/here.so"
(cd "$temp" && dmasim iova --live 9 --plugin here.so) >"$temp/out" 2>"$temp/err"
has a-plugin-in-this-folder '^bump <"&"> after' "$temp/out"

# ---- How it judges -----------------------------------------------------------------------------

run 0 judges-exact check --allocator exact --scale 1 --check limit &&
	has judges-exact '^ok .* limit' "$temp/out"
run 1 a-bad-plugin-does-not-conform check --plugin "$plugins/plugin_bump.so" --scale 1 \
	--check reserved && {
	has a-bad-plugin-does-not-conform '^not ok .* reserved' "$temp/out"
	has the-line-that-runs-it-again \
		'dmasim iova check --plugin .*plugin_bump.so --check reserved --seed 0x1' \
		"$temp/out"
}

run 0 help --help && {
	has help '^usage: dmasim iova \[draw|check|bench\]' "$temp/out"
	has help-lists-workloads '^  adversary-fit  ' "$temp/out"
	has help-lists-checks '^  small_worlds  ' "$temp/out"
}

# ---- What it refuses ---------------------------------------------------------------------------

refused an-unknown-verb "expected draw, check or bench, not 'measure'" measure
refused two-verbs "unexpected argument 'bench'" draw bench
refused an-unknown-allocator "one of all, linux, exact, bitmap, not 'best'" --allocator best
refused an-unknown-workload "no workload 'heavy'" --workload heavy
refused an-unknown-check "no check 'speed'" check --check speed
refused an-unknown-row "no row's name holds 'no such row'" bench --row 'no such row'
refused an-unknown-option "no option '--no-such-option'" --no-such-option
refused an-unknown-short-option "no option '-x'" -x
refused an-option-without-its-value "option '--workload' needs a value" --workload
refused a-value-for-help "no option '--help=me'" --help=me
refused live-0 "live is a number from 1 to 8000000, not '0'" --live 0
refused live-too-many "live is a number from 1 to 8000000, not '8000001'" --live 8000001
refused live-a-word "live is a number .*, not 'many'" --live many
refused cpus-0 "cpus is a number from 1 to 256, not '0'" --cpus 0
refused cpus-257 "cpus is a number from 1 to 256, not '257'" --cpus 257
refused limit-12 "limit is a number from 13 to 63, not '12'" --limit 12
refused limit-64 "limit is a number from 13 to 63, not '64'" --limit 64
refused limit-huge "limit is a number from 13 to 63" --limit 4294967329
refused seed-0 "seed is a number, not 0" --seed 0
refused seed-a-word "seed is a number, not 0, not 'x'" --seed x
refused as-png "as is text or svg, not 'png'" --as png
refused scale-0 "scale is a number from 1 to 100000" check --scale 0
refused as-for-bench "as is for draw" bench --as svg
refused csv-for-draw "csv is for bench" --csv "$temp/csv"
refused row-for-draw "row is for bench" --row hit
refused quick-for-draw "quick is for bench" --quick
refused patience-for-draw "patience is for bench" --patience 5
refused patience-0 "patience is a number from 1 to 100000, not '0'" bench --patience 0
refused check-for-draw "check is for check" --check limit
refused scale-for-draw "scale is for check" --scale 5
refused replay-of-a-workload "replay is instead of a workload" --replay "$small" --live 5
refused a-workload-to-check "check has no workload" check --workload mixed
refused live-without-a-workload-to-measure "bench expects --workload NAME" bench --live 5
refused a-row-of-a-workload "row is of the table" bench --row hit --workload mixed
refused a-csv-that-cannot-be-written "cannot write $temp/no/csv" bench --quick --row hit \
	--csv "$temp/no/csv"
for DMASIM_SEED in nonsense 0 -1; do
	export DMASIM_SEED
	refused "bad-seed-in-the-environment $DMASIM_SEED" 'DMASIM_SEED is a number' --live 9
done
unset DMASIM_SEED

refused a-plugin-that-is-not-there "none.so: cannot open" --plugin "$temp/none.so"
refused a-plugin-that-is-no-object "plugin .*bad.trace: " --plugin "$temp/bad.trace"
refused a-plugin-without-the-function "mute.so: it has no function dmasim_iova_plugin()" \
	--plugin "$plugins/plugin_mute.so"
refused a-plugin-without-a-table "empty.so: it gives no table" --plugin "$plugins/plugin_empty.so"
refused a-plugin-of-another-version "old.so: its table has another size" \
	--plugin "$plugins/plugin_old.so"
refused a-plugin-without-a-name "nameless.so: its table has no name" \
	--plugin "$plugins/plugin_nameless.so"
refused half-a-plugin "half.so: its table has no create, destroy, alloc, free or reserve" \
	--plugin "$plugins/plugin_half.so"
set --
for i in 1 2 3 4 5 6 7 8 9; do
	cp "$plugins/plugin_bump.so" "$temp/plugin$i.so"
	set -- "$@" --plugin "$temp/plugin$i.so"
done
refused nine-plugins "8 plugins are the most" "$@"

# What was there stays as it was when the input is refused.
echo kept >"$temp/kept"
refused bad-input-beside-a-trace "no workload 'heavy'" --record "$temp/kept" --workload heavy
has a-trace-is-not-overwritten-before '^kept$' "$temp/kept"

for command in '--live 20' 'draw --as svg --live 20' '--live 20 --record /dev/full' \
	'bench --quick --row hit --csv /dev/full' --help; do
	# shellcheck disable=SC2086
	full_disk "a-full-disk: $command" iova $command
done

echo "1..$number"
