#!/bin/sh
# SPDX-License-Identifier: MIT
# The demonstration, as a user runs it: what it prints, how it ends, what it refuses. TAP.
#   demo.sh DMASIM SOURCE_ROOT SHARED_DATA
set -u
program=$1
root=$2
shared=$3
data=$root/tests/data
verb=demo
. "$(dirname "$0")/command.sh"

# succeeds NAME ARGS...
succeeds() { run 0 "$@" && ok "$1"; }

# planted BUG REPORT ARGS...: the flows fail, and this report is among what is told.
planted() {
	bug=$1
	report=$2
	shift 2
	name="planted-$bug-is-caught"
	run 1 "$name" --plant "$bug" "$@" || return
	if grep -q "^DMASIM-[0-9]* $report:" "$temp/out" && grep -q FAILED "$temp/out"; then
		ok "$name"
	else
		{ echo "no report $report"; cat "$temp/out"; } >"$temp/why"
		not_ok "$name"
	fi
}

# ---- What it prints ----------------------------------------------------------------------------

run 0 prints-what-the-readme-shows &&
	as_shown prints-what-the-readme-shows demo "$root/README.md"

succeeds acs-off --acs off
has the-unmap-of-a-bus-address-warns \
	'^    Linux  *the address does not translate: nothing is unmapped, nothing is' "$temp/out"
succeeds acs-keep --acs keep
succeeds another-cpu --cpu amd:0x19
succeeds another-seed --seed 0xfeed
succeeds nic-as-client --client 05:00.0 --provider 0000:04:00.0

dmasim demo --trace "$temp/trace1" >/dev/null
dmasim demo --trace "$temp/trace2" >/dev/null
if [ -s "$temp/trace1" ] && cmp "$temp/trace1" "$temp/trace2" >"$temp/why" 2>&1; then
	ok same-seed-same-trace
else
	not_ok same-seed-same-trace
fi

# The line that replays a report does what it says; an argument comes before the environment.
export DMASIM_SEED
DMASIM_SEED=0xfeed
run 1 replay-line --plant sync --trace "$temp/trace" &&
	has replay-line 'seed=0xfeed' "$temp/trace"
has replay-line-is-printed 'DMASIM_SEED=0xfeed' "$temp/out"
run 0 seed-argument --seed 0xbee --trace "$temp/trace" &&
	has seed-argument 'seed=0xbee' "$temp/trace"
for DMASIM_SEED in nonsense 0 -1 ' 1' 0x10000000000000000 99999999999999999999; do
	refused "bad-seed-in-the-environment $DMASIM_SEED" 'DMASIM_SEED is a number'
done
succeeds seed-argument-beside-a-bad-environment --seed 1
unset DMASIM_SEED

# What the import knows of a size is not called a guess.
run 0 a-told-size --topology "$data/switch-acs-4096.hex" &&
	has a-told-size 'BAR 0 of 16384 MiB at phys' "$temp/out"

# ---- Mistakes are caught -----------------------------------------------------------------------

planted windows iova-in-window
planted flag bus-flag-lost
planted sync access-before-sync
planted unlink free-with-links
planted type p2p-wrong-way
planted type p2p-verdict --acs keep
has a-way-to-nowhere-is-told 'FAILED: .* does not end in the provider' "$temp/out"
planted flag bus-flag-lost --acs off

# ---- What it refuses ---------------------------------------------------------------------------

printf '' >"$temp/empty.hex"
printf '00:00.0 Host bridge\n00: 86 80\n' >"$temp/cut.hex"
refused a-file-that-is-not-there "$temp/none.hex" --topology "$temp/none.hex"
refused an-empty-dump "$temp/empty.hex" --topology "$temp/empty.hex"
refused a-truncated-dump "$temp/cut.hex:2:" --topology "$temp/cut.hex"
refused a-client-that-is-not-there 99:00.0 --client 99:00.0
refused a-provider-that-is-not-a-bdf nonsense --provider nonsense
refused client-and-provider-the-same 'both client and provider' \
	--client 04:00.0 --provider 04:00.0
refused a-bridge-as-client 'is a bridge' --client 00:01.0
refused a-bridge-as-provider 'is a bridge' --provider 02:00.0
refused a-provider-without-memory 'no memory BAR' --client 06:00.0 --provider 03:00.0

# device BDF CLASS BAR0: the 64 bytes of one function; CLASS and BAR0's 8 bytes as lspci -x has.
device() {
	zeros='00 00 00 00 00 00 00 00'
	printf '%s x\n00: 86 80 34 12 06 00 00 00 00 00 %s 00 00 00 00\n' "$1" "$2"
	printf '10: %s %s\n20: %s %s\n30: %s %s\n\n' "$3" "$zeros" "$zeros" "$zeros" "$zeros" \
		"$zeros"
}

# provider_at FILE BAR0...: an NVMe drive, and devices with these BARs in segments 0, 1, ...
provider_at() {
	file=$temp/$1.hex
	segment=0
	shift
	device 00:01.0 '08 01' '00 00 00 90 00 00 00 00' >"$file"
	for bar in "$@"; do
		device "000$segment:00:02.0" '00 ff' "$bar" >>"$file"
		segment=$((segment + 1))
	done
}

provider_at good '0c 00 00 00 40 00 00 00'
provider_at twins '00 00 00 f8 00 00 00 00' '00 00 00 f8 00 00 00 00'
provider_at beyond-2-51 '0c 00 00 00 00 00 08 00'
provider_at beyond-2-63 '0c 00 00 00 00 00 00 80'
provider_at in-ram '00 00 00 10 00 00 00 00'
provider_at at-the-client '00 00 00 90 00 00 00 00'
amd='--cpu amd:0x19'
# shellcheck disable=SC2086
{
	succeeds a-provider-of-another-dump --topology "$temp/good.hex" $amd
	succeeds the-first-of-two-at-one-address --topology "$temp/twins.hex" $amd
	refused a-provider-that-another-hides \
		"twins.hex: the CPU does not reach BAR 0 of 0001:00:02.0 (another host bridge" \
		--topology "$temp/twins.hex" --provider 0001:00:02.0 $amd
	for where in beyond-2-51 beyond-2-63 in-ram; do
		refused "a-provider-$where" \
			'BAR 0 of 0000:00:02.0 cannot be peer memory: the CPU does not reach it' \
			--topology "$temp/$where.hex" $amd
	done
	refused a-provider-that-its-client-hides 'BAR 0 of 0000:00:02.0 cannot be peer memory' \
		--topology "$temp/at-the-client.hex" $amd
}

refused a-bad-acs 'keep or off' --acs maybe
refused a-bad-cpu 'VENDOR:FAMILY' --cpu z80:1
refused a-bad-cpu-family 'VENDOR:FAMILY' --cpu amd:x
refused a-bad-seed 'a number' --seed 0
refused a-bad-plant 'windows, flag' --plant tree
refused windows-where-nothing-has-a-bus-address "windows' has no place in these flows" \
	--plant windows --acs keep
refused flag-where-nothing-has-a-bus-address "flag' has no place in these flows" \
	--plant flag --acs keep
refused an-unknown-option "no option '--no-such-option'" --no-such-option
refused an-unknown-short-option "no option '-x'" -x
refused an-option-without-its-value "option '--topology' needs a value" --acs off --topology
refused a-value-for-help "no option '--help=me'" --help=me
refused an-argument-too-many unexpected somewhere
refused a-trace-that-cannot-be-written "$temp/no/trace" --trace "$temp/no/trace"

# What was there stays as it was when the input is refused.
echo kept >"$temp/kept"
refused bad-input-beside-a-trace nope.hex --topology nope.hex --trace "$temp/kept"
has a-trace-is-not-overwritten-before '^kept$' "$temp/kept"

full_disk a-trace-on-a-full-disk demo --trace /dev/full
full_disk a-trace-of-a-failing-play demo --trace /dev/full --plant sync
full_disk output-on-a-full-disk demo

# ---- Real machines -----------------------------------------------------------------------------

dell=$shared/lspci/dell-xe9680-part.hex
for acs in keep off; do
	name="dell-xe9680-acs-$acs"
	[ $acs = keep ] && type=THRU_HOST_BRIDGE || type=BUS_ADDR
	if [ ! -r "$dell" ]; then
		skip "$name" "the recorded machines are not here"
	elif run 0 "$name" --topology "$dell" --client 3a:00.0 --provider 3d:00.0 --acs $acs; then
		if grep -q "map type  $type, distance 6" "$temp/out" &&
		   grep -q 'BAR 0 of 262144 MiB (inferred) at phys 0x238000000000' "$temp/out"; then
			ok "$name"
		else
			cp "$temp/out" "$temp/why"
			not_ok "$name"
		fi
	fi
done

if [ -r "$dell" ]; then
	refused dell-xe9680-has-no-place-for-flag "flag' has no place" --plant flag \
		--topology "$dell" --client 3a:00.0 --provider 3d:00.0
	for bug in windows flag sync unlink type; do
		run 1 "dell-xe9680-$bug" --plant $bug --topology "$dell" --client 3a:00.0 \
			--provider 3d:00.0 --acs off && has "dell-xe9680-$bug" FAILED "$temp/out"
	done
else
	skip dell-xe9680-planted "the recorded machines are not here"
fi

# Two host bridges have the same addresses: the CPU reaches what is below the first.
hidden() {
	name=$1-hides-a-provider
	file=$shared/lspci/$1.hex
	if [ -r "$file" ]; then
		refused "$name" "does not reach BAR . of $3 (another host bridge" \
			--topology "$file" --client "$2" --provider "$3" --cpu amd:0x19
	else
		skip "$name" "the recorded machines are not here"
	fi
}

hidden pciutils-PCI-X-bridges-and-domains 0002:01:01.0 0001:62:00.0
hidden talos2-power9 0004:01:00.0 0005:02:00.0

echo "1..$number"
