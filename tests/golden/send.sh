#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim send, as a user runs it: ways of single requests through our own dump, and what it refuses.
# TAP.
#   send.sh DMASIM SOURCE_ROOT
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$1
file=$2/tests/data/switch-acs-4096.hex
golden=$2/tests/golden/send
verb=send
refusals=refuses-
. "$(dirname "$0")/command.sh"

# goes STATUS NAME ARGS...: of a request of 03:00.0 the text is the recorded one.
goes() {
	wanted=$1
	name=$2
	shift 2
	dmasim send "$file" --from 03:00.0 "$@" >"$temp/out" 2>"$temp/err"
	status=$?
	if [ "${UPDATE_GOLDEN:-}" = 1 ]; then
		mkdir -p "$golden"
		cp "$temp/out" "$golden/$name.txt"
	fi
	if [ $status -eq "$wanted" ] && [ ! -s "$temp/err" ] &&
	   diff -u "$golden/$name.txt" "$temp/out" >"$temp/why" 2>&1; then
		ok "goes-$name"
	else
		{ echo "exit status $status"; cat "$temp/err"; } >>"$temp/why"
		not_ok "goes-$name"
	fi
}

# ---- Where it goes -----------------------------------------------------------------------------

goes 0 to-memory --to 0x1000 --iommu none --enable
goes 1 to-nothing-that-is-mapped --to 0x1000 --enable
goes 1 to-nothing-that-amd-has-mapped --to 0x1000 --enable --iommu amd
goes 1 to-nothing-that-riscv-has-mapped --to 0x1000 --enable --iommu riscv
goes 1 to-nothing-that-smmuv3-has-mapped --to 0x1000 --enable --iommu smmuv3
goes 1 to-no-message-with-smmuv3 --to 0xfee00000 --enable --iommu smmuv3
goes 0 to-a-message --to 0xfee00000 --enable
goes 1 to-a-message-and-reads --to 0xfee00000 --enable --read
goes 0 across --to 04:00.0:BAR0+0x10 --enable --acs off
goes 0 across-and-back --to 04:00.0:BAR0+0x10 --enable --acs off --read
goes 1 up-and-is-blocked --to 04:00.0:BAR0 --enable
goes 1 as-somebody-else --to 04:00.0:BAR0 --enable --as 09:00.0
goes 1 translated --to 04:00.0:BAR0 --enable --translated

file=$2/tests/data/domains-64.hex
goes 0 from-behind-vmd --from 10000:e1:00.0 --to 0x1000 --iommu none --enable
file=$2/tests/data/switch-acs-4096.hex

dmasim send --help >"$temp/out" 2>"$temp/err"
has tells-how-to-use-it '^usage: dmasim send FILE --from BDF --to ADDRESS' "$temp/out"

# ---- What it refuses ---------------------------------------------------------------------------

refused nothing 'expected the name of an lspci dump'
refused a-file-alone 'expected --from BDF and --to ADDRESS' "$file"
refused a-second-file "unexpected argument 'more'" "$file" more
refused an-option-it-does-not-have "no option '--loud'" "$file" --loud x
refused an-option-without-value "--to '': expected a number or BDF:BARn" "$file" --to
refused a-sender-that-is-not-there 'no device 1f:00.0' "$file" --from 1f:00.0 --to 0
refused a-place-that-is-none 'a number or BDF:BARn' "$file" --from 03:00.0 --to here
refused a-bar-that-is-none 'a number or BDF:BARn' "$file" --from 03:00.0 --to 04:00.0:BAR6
refused a-bar-that-is-not-there 'BAR 5 of 0000:04:00.0 is no memory' \
	"$file" --from 03:00.0 --to 04:00.0:BAR5
refused an-offset-beyond-the-bar 'has 0x' "$file" --from 03:00.0 --to 04:00.0:BAR0+0x1000000000000
refused a-bar-of-nobody 'no device 1f:00.0' "$file" --from 03:00.0 --to 1f:00.0:BAR0
refused a-requester-that-is-none "not 'me'" "$file" --from 03:00.0 --to 0 --as me
refused an-acs-that-is-none 'keep or off' "$file" --acs half
refused an-iommu-that-is-none 'none, vtd, amd, riscv or smmuv3' "$file" --iommu arm
refused a-file-that-is-not-there 'nowhere' nowhere --from 03:00.0 --to 0
echo "1..$number"
