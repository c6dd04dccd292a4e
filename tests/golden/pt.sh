#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim pt, as a user runs it: the tables of every format as text and as pictures, the words that
# the facts give, and what it refuses. TAP.
#   pt.sh DMASIM SOURCE_ROOT
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$1
golden=$2/tests/golden/pt
verb=pt
refusals=refuses-
. "$(dirname "$0")/command.sh"

# ---- Every format ------------------------------------------------------------------------------

# both NAME ARGS...: as text and as a picture.
both() {
	what=$1
	shift
	prints 0 "$what" "$@"
	prints 0 "$what.svg" "$@" --as svg
	is_picture "$what-is-a-picture"
}

both amdv1 amdv1
both vtdss vtdss
both x86_64 x86_64
both riscv riscv
both riscv-g riscv --stage 2
for granule in 4K 16K 64K; do
	both "armv8-s1-$granule" armv8 --granule $granule
	both "armv8-s2-$granule" armv8 --granule $granule --stage 2
done
both armv8-lpa2 armv8 --lpa2 --levels 5
prints 0 armv8-s2-lpa2 armv8 --stage 2 --granule 16K --lpa2 --fwb
prints 0 list list
run 0 prints-what-the-readme-shows armv8 --granule 16K --contiguous --map 0x40000000:0x1000000:2M &&
	as_shown prints-what-the-readme-shows pt "$2/sim/cli/README.md"
run 0 help --help && has help '^usage: dmasim pt FORMAT ' "$temp/out"

for levels in 1 2 4 5 6; do
	run 0 "amdv1-$levels" amdv1 --levels $levels &&
		has "amdv1-has-$levels-levels" "^top table 0x100000, level $((levels - 1))" \
			"$temp/out"
done
for format in 'vtdss 3' 'vtdss 5' 'x86_64 5' 'riscv 3' 'riscv 5' 'armv8 2' 'armv8 3' \
	'armv8 --granule 16K 2' 'armv8 --granule 64K 2'; do
	# shellcheck disable=SC2086
	run 0 "$format" ${format% *} --levels "${format##* }" &&
		has "$format-levels" "level $((${format##* } - 1))" "$temp/out"
done

# ---- Words as the facts have them --------------------------------------------------------------

# word FORMAT WORD NAMES PHYS_SIZE_PROT OPTION...: a leaf's word, and below it its bits by name.
word() {
	format=$1
	value=$2
	names=$3
	way=$4
	shift 4
	run 0 "$format-$value" "$format" --map "0:$way" "$@" || return
	if grep -A 2 "\] \([0-9]* x \)\?$value[: ]" "$temp/out" >"$temp/why" &&
		grep -q "^ *$names\$" "$temp/why"; then
		ok "$format-$value"
	else
		{ echo "expected $value: $names"; cat "$temp/out"; } >"$temp/why"
		not_ok "$format-$value"
	fi
}

word amdv1 0x7000000123456001 'PR FC IR IW' 0x123456000:4K:rw --snoop
word amdv1 0x2000000123456001 'PR IR' 0x123456000:4K:r
word amdv1 0x6000000001237e01 'PR NextLevel=7 IR IW' 0x1230000:64K:rw
word amdv1 0x6000000000008401 'PR NextLevel=2 IR IW' 0x8000:4K:rw --levels 3 \
	--poke 0:2:0x6000000000008401
word vtdss 0x0000000123456003 'R W' 0x123456000:4K:rw
word vtdss 0x0000000123456803 'R W SNP' 0x123456000:4K:rw --snoop
word vtdss 0x0000000040000083 'R W PS' 0x40000000:2M:rw
word x86_64 0x0000000123456067 'P R/W U/S A D' 0x123456000:4K:rw
word x86_64 0x0000000123456025 'P U/S A' 0x123456000:4K:r
word x86_64 0x0000800123456067 'P R/W U/S A D C' 0x123456000:4K:rw --encrypted 47
word amdv1 0x6000800123456001 'PR IR IW C' 0x123456000:4K:rw --encrypted 47
word amdv1 0x6000000123456001 'PR IR IW' 0x123456000:4K:rwm --encrypted 47
word armv8 0x0000000123456f47 'Valid Type AttrIndx=1 AP\[1\] SH=3 AF nG' 0x123456000:4K:rwc
word armv8 0x0060000123456f47 'Valid Type AttrIndx=1 AP\[1\] SH=3 AF nG PXN UXN' \
	0x123456000:4K:rwcn
word armv8 0x0000000123456f07 'Valid Type AttrIndx=1 SH=3 AF nG' 0x123456000:4K:rwcp
word armv8 0x0000000123456e43 'Valid Type AP\[1\] SH=2 AF nG' 0x123456000:4K:rw
word armv8 0x0000000123456e4b 'Valid Type AttrIndx=2 AP\[1\] SH=2 AF nG' 0x123456000:4K:rwm
word armv8 0x0000000123456fc7 'Valid Type AttrIndx=1 AP\[1\] AP\[2\] SH=3 AF nG' 0x123456000:4K:rc
word armv8 0x0000000123456f67 'Valid Type AttrIndx=1 NS AP\[1\] SH=3 AF nG' 0x123456000:4K:rwc \
	--non-secure
word armv8 0x0008000123456f47 'Valid Type AttrIndx=1 AP\[1\] SH=3 AF nG DBM' 0x123456000:4K:rwc \
	--dirty
word armv8 0x0000000040000f45 'Valid AttrIndx=1 AP\[1\] SH=3 AF nG' 0x40000000:2M:rwc
word armv8 0x000012345678ff47 'Valid Type AttrIndx=1 AP\[1\] SH=3 AF nG' 0xf123456780000:64K:rwc \
	--granule 64K
word armv8 0x00000001234567ff 'Valid Type MemAttr=0xf S2AP\[0\] S2AP\[1\] SH=3 AF' \
	0x123456000:4K:rwc --stage 2
word armv8 0x000000012345677f 'Valid Type MemAttr=0xf S2AP\[0\] SH=3 AF' 0x123456000:4K:rc --stage 2
word armv8 0x00000001234567bf 'Valid Type MemAttr=0xf S2AP\[1\] SH=3 AF' 0x123456000:4K:wc --stage 2
word armv8 0x00000001234566d7 'Valid Type MemAttr=0x5 S2AP\[0\] S2AP\[1\] SH=2 AF' \
	0x123456000:4K:rw --stage 2
word armv8 0x00000001234566c7 'Valid Type MemAttr=0x1 S2AP\[0\] S2AP\[1\] SH=2 AF' \
	0x123456000:4K:rwm --stage 2
word armv8 0x00000001234567db 'Valid Type MemAttr=0x6 S2AP\[0\] S2AP\[1\] SH=3 AF' \
	0x123456000:4K:rwc --stage 2 --fwb
word armv8 0x00600001234567ff 'Valid Type MemAttr=0xf S2AP\[0\] S2AP\[1\] SH=3 AF XN=3' \
	0x123456000:4K:rwcn --stage 2
word riscv 0x0000000048d158d7 'V R W U A D' 0x123456000:4K:rwn
word riscv 0x0000000048d158df 'V R W X U A D' 0x123456000:4K:rw
word riscv 0x800000000048e0d7 'V R W U A D N' 0x1230000:64K:rwn --napot
word riscv 0x4000000048d158d7 'V R W U A D PBMT=2' 0x123456000:4K:rwnm --pbmt
word riscv 0x2000000048d158d7 'V R W U A D PBMT=1' 0x123456000:4K:rwn --pbmt

# ---- Operations --------------------------------------------------------------------------------

page=0x40000000:0x1000000:4K
prints 0 changes vtdss --map 0x40000000:0x80000000:2M --cut 0x40001000 --unmap 0x40001000:4K \
	--map 0x40001000:0x80001000:4K --protect 0x40001000:4K:r --protect 0x40001000:4K:rw \
	--collapse 0x40000000:2M --lookup 0x40001234 --costs
prints 0 dirty armv8 --contiguous --dirty --map 0x40010000:0x1010000:64K --clean 0x40010000:64K \
	--mark 0x40013000 --clean 0x40010000:64K --mark 0x4001f000
prints 0 dirty-replicated amdv1 --map 0x40010000:0x1010000:64K --mark 0x40013000
prints 0 incoherent x86_64 --incoherent --map $page
prints 0 one-page-many-times vtdss --map $page --map 0x40001000:0x1000000:4K \
	--map 0x40002000:0x1000000:4K --map 0x40003000:0x1003000:4K
prints 0 concatenated armv8 --stage 2 --granule 64K --levels 2 --concatenate 16 \
	--map 0x3ffffff00000:0x100000:1M
prints 0 grown amdv1 --map $page --map 0xfffffffffffff000:0x2000000:4K --costs
prints 0 unmapped riscv --map 0x40001000:0x1000000:2M --unmap 0x40001000:2M --costs
prints 0 ends-inside amdv1 --map 0x40000000:0x1000000:64K --unmap 0x40000000:4K
prints 1 refused vtdss --map $page --map $page --map 0x40000000:0:0 --map 1:0:4K \
	--map 0x1000000000000:0:4K --map 0x1000:0x10000000000000:4K --map 0x1000:0:4K:- \
	--map 0xfffffffffffff000:0:8K --unmap 0x40001000:4K --unmap 0x40000000:8K \
	--protect 0x1000:4K:r --cut 0x1000 --cut 0x1001 --mark 0x1000 --lookup 0x1000 \
	--collapse 0x1000:0
prints 1 refused-by-arm armv8 --map 0x40000000:0x80000000:2M --cut 0x40001000 \
	--collapse 0x40000000:2M --stage 2 --mark 0x40000000 --clean 0x40000000:4K
prints 1 no-memory vtdss --map 0x1000:0:1T --unmap 0x1000:1T

# ---- Words by hand -----------------------------------------------------------------------------

prints 1 poked-vtdss vtdss --map $page --map 0x80000000:0:2M \
	--poke 0x40000000:0:0xc000000001000407 \
	--poke 0x40001000:0:0x1234560 --poke 0x80000000:1:0x1083 \
	--poke 0x7000000000:2:0xfffffff000003
prints 1 poked-amdv1 amdv1 --levels 4 --map $page --poke 0x40001000:0:0x681000000100119f \
	--poke 0x40200000:1:0x6000000000103601 --poke 0x8000000000:3:0x6000000000103201
prints 1 poked-x86_64 x86_64 --map $page --poke 0x40001000:0:0xfff0000001000fff \
	--poke 0x40200000:1:0x8000000000001083 --poke 0x40400000:1:0x80a3 --poke 0x8000000000:3:0x83
prints 1 poked-armv8 armv8 --map $page --poke 0x40001000:0:0xffff000001000fff \
	--poke 0x40002000:0:0x1001 --poke 0x40200000:1:0x4000000000bbb4c3 \
	--poke 0x40400000:1:0x40030401 --poke 0x8000000000:3:0x1 \
	--poke 0x80000000:2:0xf800000000102003
prints 1 poked-riscv riscv --map $page --poke 0x40001000:0:0x7ff00000004003ff \
	--poke 0x40002000:0:5 \
	--poke 0x40003000:0:1 --poke 0x40200000:1:0x800000000000000f \
	--poke 0x40400000:1:0x47 --poke 0x80000000:2:0x400df --poke 0x40004000:0:0x8000000000406047
prints 1 poked-riscv-napot riscv --napot --map $page --poke 0x40001000:0:0x8000000000400047 \
	--poke 0x40200000:1:0x8000000000400047
prints 1 poked-nowhere vtdss --poke 0x40000000:1:3 --poke 0x40000000:4:3
run 0 a-loop vtdss --map $page --poke 0x40000000:3:0x100003 --poke 0x40001000:3:0x100003 &&
	has a-table-that-is-the-top '^ *table 0x100000, level 2' "$temp/out"

# ---- What it refuses ---------------------------------------------------------------------------

refused nothing 'expected a format: amdv1, vtdss, x86_64, armv8 or riscv'
refused an-unknown-format "no format 'x86'" x86
refused two-formats "unexpected argument 'vtdss'" amdv1 vtdss
refused a-list-with-more "unexpected argument 'amdv1'" list amdv1
run 1 all-bytes-but-one amdv1 --map 0:0:0xffffffffffffffff &&
	has a-size-is-whole '^map 0x0 to 0x0, 18446744073709551615 bytes, ' "$temp/out"
refused an-unknown-option "no option '--nope'" amdv1 --nope
refused an-unknown-short-option "no option '-q'" amdv1 -q
refused an-option-without-its-value "option '--map' needs a value" amdv1 --map
refused half-a-map "map is IOVA:PHYS:SIZE.*, not '0x1000:0'" amdv1 --map 0x1000:0
refused a-map-of-too-many-pieces 'map is IOVA:PHYS:SIZE' amdv1 --map 0x1000:0:4K:r:w
refused an-iova-that-is-none "not 'x:0:4K'" amdv1 --map x:0:4K
refused a-negative-iova "not '-1:0:4K'" amdv1 --map -1:0:4K
refused an-iova-that-is-too-wide 'map is IOVA:PHYS:SIZE' amdv1 --map 0x10000000000000000:0:4K
refused a-piece-that-is-too-long 'map is IOVA' amdv1 \
	--map 0:0:00000000000000000000000000000000000000004K
refused an-empty-piece 'map is IOVA:PHYS:SIZE' amdv1 --map 0x1000::4K
refused a-unit-alone "not '0:0:K'" amdv1 --map 0:0:K
refused a-size-that-is-too-wide 'map is IOVA:PHYS:SIZE' amdv1 --map 0:0:0xffffffffffffffffT
refused rights-that-are-none "not '0:0:4K:rx'" amdv1 --map 0:0:4K:rx
refused rights-that-are-said-twice "not '0:0:4K:rr'" amdv1 --map 0:0:4K:rr
refused half-an-unmap "unmap is IOVA:SIZE.*, not '0x1000'" amdv1 --unmap 0x1000
refused a-protect-without-rights 'protect is IOVA:SIZE:PROT' amdv1 --protect 0x1000:4K
refused a-cut-of-two-pieces "cut is an IOVA.*, not '1:2'" amdv1 --cut 1:2
refused a-mark-that-is-none 'mark is an IOVA' amdv1 --mark x
refused a-clean-that-is-none 'clean is IOVA:SIZE' amdv1 --clean 0
refused a-collapse-that-is-none 'collapse is IOVA:SIZE' amdv1 --collapse 0
refused a-lookup-that-is-none 'lookup is an IOVA' amdv1 --lookup ''
refused a-poke-of-no-value 'poke is IOVA:LEVEL:WORD' amdv1 --poke 0:0
refused a-poke-above-all-levels 'poke is IOVA:LEVEL:WORD' amdv1 --poke 0:6:0
refused a-map-behind-a-poke 'no --map behind a --poke' amdv1 --poke 0:0:0 --map 0:0:4K
refused a-lookup-behind-a-poke 'no --lookup behind a --poke' amdv1 --poke 0:0:0 --lookup 0
refused levels-that-are-none "levels is a number from 1 to 6, not '7'" amdv1 --levels 7
refused one-level-of-vtdss 'VT-d second stage has 3 to 5 levels, not 1' vtdss --levels 1
refused three-levels-of-x86_64 'has 4 to 5 levels, not 3' x86_64 --levels 3
refused six-levels-of-riscv 'has 3 to 5 levels, not 6' riscv --levels 6
refused five-levels-of-armv8 'Armv8 stage 1, granule 4K has 2 to 4 levels, not 5' armv8 --levels 5
refused four-levels-of-64K 'granule 64K has 2 to 3 levels, not 4' armv8 --granule 64K --levels 4
refused stage-3 "stage is a number from 1 to 2, not '3'" armv8 --stage 3
refused a-granule-of-8K "granule is 4K, 16K or 64K, not '8K'" armv8 --granule 8K
refused lpa2-of-64K 'lpa2 is of granules of 4K and 16K' armv8 --granule 64K --lpa2
refused a-stage-of-vtdss 'vtdss has no --stage' vtdss --stage 2
refused a-granule-of-riscv 'riscv has no --granule' riscv --granule 4K
refused napot-of-amdv1 'amdv1 has no --napot' amdv1 --napot
refused contiguous-of-riscv 'riscv has no --contiguous' riscv --contiguous
refused encryption-of-armv8 'armv8 has no --encrypted' armv8 --encrypted 47
refused encryption-of-bit-31 "encrypted is a number from 32 to 51, not '31'" amdv1 --encrypted 31
refused dirty-of-stage-2 'dirty is of stage 1' armv8 --stage 2 --dirty
refused fwb-of-stage-1 'fwb is of stage 2' armv8 --fwb
refused concatenated-stage-1 'concatenate is of stage 2' armv8 --concatenate 2
refused to-concatenate-3 "concatenate is 2, 4, 8 or 16, not '3'" armv8 --stage 2 --concatenate 3
refused to-concatenate-32 "concatenate is 2, 4, 8 or 16, not '32'" armv8 --stage 2 --concatenate 32
refused as-png "as is text or svg, not 'png'" amdv1 --as png
refused costs-of-a-picture 'costs is for text' amdv1 --costs --as svg
set --
i=0
while [ $i -lt 257 ]; do
	set -- "$@" --lookup 0
	i=$((i + 1))
done
refused too-many-operations '256 operations are the most' amdv1 "$@"

for command in 'amdv1' 'amdv1 --as svg' list --help; do
	# shellcheck disable=SC2086
	full_disk "a-full-disk: $command" pt $command
done

echo "1..$number"
