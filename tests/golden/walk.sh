#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim walk, as a user runs it: what it prints of translations, entries and formats, and what it
# refuses. TAP.
#   walk.sh DMASIM SOURCE_ROOT
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$1
golden=$2/tests/golden/walk
verb=walk
refusals=refuses-
long='^  \(DMAR\|AMD-Vi\|riscv-iommu\|SMMUv3\): ' # the driver's
. "$(dirname "$0")/command.sh"

# ---- Translations ------------------------------------------------------------------------------

page=0x40000000:0x1000000:4K
prints 0 page-4k --map $page 0x40000123
prints 0 page-2m --map 0x40000000:0x80200000:2M 0x401fffff
prints 0 page-1g --map 0x40000000:0x80000000:1G 0x7ffff123
prints 0 page-1g-without --no-1g --map 0x40000000:0x80000000:1G 0x7ffff123
prints 0 page-last --map 0xfffffffff000:0xffffffffff000:4K 0xffffffffffff
prints 0 three-levels --levels 3 --map 0x7ffffff000:0x5000:4K 0x7ffffff000
prints 0 five-levels --levels 5 --map 0x1fffffffffff000:0x5000:4K --map $page 0x1ffffffffffffff \
	0x40000000
prints 0 snoop --snoop --map $page 0x40000000
prints 0 device-tlb --device-tlb --map $page --poke 0x40000000:0:+62 0x40000000
prints 0 bits-that-nobody-heeds --map $page --poke 0x40000000:0:+2 --poke 0x40000000:0:+6 \
	--poke 0x40000000:0:+7 --poke 0x40000000:0:+8 --poke 0x40000000:0:+9 \
	--poke 0x40000000:0:+10 --poke 0x40000000:0:+52 --poke 0x40000000:0:+61 \
	--poke 0x40000000:0:+63 0x40000000

# ---- Caches ------------------------------------------------------------------------------------

prints 0 caches-answer --map 0x40000000:0x1000000:8K --times 2 0x40000010 --times 1 0x40001000
prints 0 small-caches --iotlb 1 --walk-cache 0 --context-cache 0 --map 0x40000000:0x1000000:8K \
	0x40000000 0x40001000 0x40000000
prints 1 cached-without-the-permission --map $page:r 0x40000000 --write 0x40000000
prints 0 stale --map 0x40000000:0x1000000:4K --map 0x40001000:0x2000000:4K 0x40000000 \
	--poke 0x40000000:0:0 --unmap 0x40001000 --unmap 0x40000000 0x40000000
prints 1 unmapped --map 0x40000000:0x80200000:2M 0x40000000 --unmap 0x40000000 0x40000000
prints 1 absent-is-cached --caching-mode --map $page --times 2 0x40001000 \
	--map 0x40001000:0x5000:4K --times 1 0x40001000

# ---- Faults ------------------------------------------------------------------------------------

prints 1 no-write --map $page:r --write 0x40000008
prints 1 no-read --map $page:w 0x40000008 --write 0x40000008
prints 1 not-present 0x1234000
prints 1 reserved-bit --map $page --poke 0x40000000:1:+62 0x40000000
prints 1 misaligned-large-page --map 0x40000000:0x80200000:2M --poke 0x40000000:1:+12 0x40000000
prints 1 no-memory --map $page --poke 0x40000000:1:0xfffffffff003 0x40000000
prints 1 a-table-that-is-the-top --map $page --poke 0x40000000:1:0x103003 \
	--poke 0x40000000:0:0 0x40000000
prints 1 upper-level-without-write --map $page --poke 0x40000000:2:-1 0x40000000 \
	--write 0x40000000
prints 1 no-table --map $page --poke 0x40000000:1:0 --poke 0x40000000:0:0 0x40000000
prints 1 map-in-the-way --map $page --poke 0x40001000:0:0x5003 --map 0x40001000:0x6000:4K \
	0x40001000
prints 1 beyond --levels 3 --map $page 0x8000000000
prints 1 beyond-five-levels --levels 5 --map $page 0x200000000000000
prints 1 reserved-bit-of-the-top --levels 5 --map $page --poke 0x40000000:4:+7 0x40000000
prints 1 interrupt --write 0xfee00000

# ---- AMD ---------------------------------------------------------------------------------------

prints_amd() {
	expected=$1
	text=$2
	shift 2
	prints "$expected" "amd-$text" --format amdv1 "$@"
}

prints_amd 0 page-4k --map $page 0x40000123
prints_amd 0 page-2m --map 0x40000000:0x80200000:2M 0x401fffff
prints_amd 0 page-1g --map 0x40000000:0x80000000:1G 0x7ffff123
prints_amd 0 page-1g-without --no-1g --map 0x40000000:0x80000000:1G 0x7ffff123
prints_amd 0 coded-sizes --map 0x40010000:0x1000000:64K --map 0x41000000:0x80000000:16M \
	--map 0x100000000:0x100000000:2G 0x4001a123 0x41a00123 0x17fffffff
prints_amd 0 four-levels --map 0x8000000000:0x1000000:4K 0x8000000000
prints_amd 0 five-levels --levels 5 --map 0x1ffffffffff000:0x1000000:4K 0x1fffffffffffff
prints_amd 0 six-levels --levels 6 --map 0xffffffffffffe000:0x1000000:4K 0xffffffffffffefff
prints_amd 1 grows --levels 6 --map $page 0x40000000 0x8000000000 \
	--map 0x8000000000:0x2000000:4K 0x40000008 0x8000000000 --unmap 0x8000000000 0x8000000000
prints_amd 0 caches-answer --map 0x40000000:0x1000000:12K --times 2 0x40000010 --times 1 \
	0x40001000 0x40002000
prints_amd 0 small-caches --iotlb 1 --walk-cache 0 --context-cache 0 \
	--map 0x40000000:0x1000000:12K 0x40000000 0x40002000
prints_amd 1 cached-without-the-permission --map $page:r 0x40000000 --write 0x40000000
prints_amd 1 unmapped --map 0x40000000:0x1000000:64K 0x40000000 --unmap 0x40000000 0x40000000
prints_amd 0 stale --map 0x40000000:0x1000000:64K 0x40000000 --poke 0x40000000:0:0 0x40000000 \
	0x4000f000
prints_amd 1 absent-is-cached --caching-mode --map $page --times 2 0x40001000 \
	--map 0x40001000:0x5000:4K --times 1 0x40001000
prints_amd 1 no-write --map $page:r --write 0x40000008
prints_amd 1 no-read --map $page:w 0x40000008 --write 0x40000008
prints_amd 1 not-present 0x1234000
prints_amd 1 absent-with-bits --map $page --poke 0x40000000:0:-0 0x40000000
prints_amd 1 reserved-bit --map $page --poke 0x40000000:1:+52 0x40000000
prints_amd 1 upwards --map $page --poke 0x40000000:1:0x6000000000104401 0x40000000
prints_amd 1 skipped-level --map $page --poke 0x40000000:2:0x6000000000105201 0x40000000 0x40200000
prints_amd 1 size-too-small --map 0x40000000:0x1000000:64K --poke 0x40000000:1:+10 \
	--poke 0x40000000:1:+11 0x40000000
prints_amd 1 upper-level-without-write --map $page --poke 0x40000000:2:-62 0x40000000 \
	--write 0x40000000
prints_amd 1 no-memory --map $page --poke 0x40000000:1:0x600ffffffffff201 0x40000000
prints_amd 1 beyond --levels 4 --map $page 0x8000000000
prints_amd 0 bits-that-nobody-heeds --map $page --poke 0x40000000:0:+1 --poke 0x40000000:0:+4 \
	--poke 0x40000000:0:+5 --poke 0x40000000:0:+6 --poke 0x40000000:0:+8 \
	--poke 0x40000000:0:+59 --poke 0x40000000:0:+63 0x40000000

# ---- RISC-V ------------------------------------------------------------------------------------

prints_riscv() {
	expected=$1
	text=$2
	shift 2
	prints "$expected" "riscv-$text" --format riscv "$@"
}

prints_riscv 0 page-4k --map $page 0x40000123
prints_riscv 0 page-64k --map 0x40010000:0x1000000:64K 0x4001f123
prints_riscv 0 page-1g --map 0x40000000:0x80000000:1G 0x7ffff123
prints_riscv 0 page-last --map 0x7ffffffff000:0x1000000:4K 0x7fffffffffff
prints_riscv 0 three-levels --levels 3 --map 0x3ffffff000:0x5000:4K 0x3ffffff000
prints_riscv 0 five-levels --levels 5 --map 0xfffffffffff000:0x5000:4K 0xffffffffffffff
prints_riscv 0 where-others-have-interrupts --map 0xfee00000:0x1000000:4K --write 0xfee00000
prints_riscv 1 unmapped --map 0x40000000:0x1000000:64K 0x40000000 --unmap 0x40000000 0x40000000
prints_riscv 1 no-write --map $page:r --write 0x40000008
prints_riscv 1 not-dirty --map $page --poke 0x40000000:0:-7 0x40000008 --write 0x40000008
prints_riscv 1 not-accessed --map $page --poke 0x40000000:0:-6 0x40000008
prints_riscv 1 reserved-bit --map $page --poke 0x40000000:1:+54 0x40000000
prints_riscv 1 not-canonical --map $page 0x800000000000
prints_riscv 1 no-memory --map $page --poke 0x40000000:1:0x3ffffffffffc01 0x40000000

# ---- Armv8 -------------------------------------------------------------------------------------

prints_armv8() {
	expected=$1
	text=$2
	shift 2
	prints "$expected" "armv8-$text" --format armv8 "$@"
}

prints_armv8 0 page-4k --map $page 0x40000123
prints_armv8 0 page-2m --map 0x40000000:0x80000000:2M 0x401ff123
prints_armv8 0 page-1g --map 0x40000000:0x80000000:1G 0x7ffff123
prints_armv8 0 page-last --map 0xfffffffff000:0x1000000:4K 0xffffffffffff
prints_armv8 0 three-levels --levels 3 --map 0x7ffffff000:0x5000:4K 0x7ffffff000
prints_armv8 0 where-others-have-interrupts --map 0xfee00000:0x1000000:4K --write 0xfee00000
prints_armv8 0 write-anyway-reads --map $page:w 0x40000008
prints_armv8 1 unmapped --map 0x40000000:0x1000000:64K 0x40000000 --unmap 0x40000000 0x40000000
prints_armv8 1 no-write --map $page:r --write 0x40000008
prints_armv8 1 not-accessed --map $page --poke 0x40000000:0:-10 0x40000008
prints_armv8 1 privileged --map $page --poke 0x40000000:0:-6 0x40000008
prints_armv8 1 table-forbids-writes --map $page --poke 0x40000000:2:+62 0x40000008 \
	--write 0x40000008
prints_armv8 1 beyond --map $page 0x1000000000000
prints_armv8 1 no-memory --map $page --poke 0x40000000:1:0xfffffffff003 0x40000000

# ---- Entries and formats -----------------------------------------------------------------------

prints 0 entry-page --entry 1:0x40000083
prints 0 entry-table --entry 3:0x104003
prints 1 entry-fifth-level --entry 4:0x105003 --entry 4:0x83
prints 0 entry-absent --entry 0:0x1234567890000000
prints 1 entry-reserved --entry 2:0x40001083 --entry 3:0x83 --entry 0:0x4000000000001803
prints 0 entry-snoop --snoop --entry 0:0x1803
prints 0 entry-device-tlb --device-tlb --entry 0:0x4000000000001003
prints 1 entry-1g-without --no-1g --entry 2:0x40000083
prints 0 entry-amd-page --format amdv1 --entry 0:0x7000000040000061
prints 0 entry-amd-coded --format amdv1 --entry 1:0x60000000401ffe01 --entry 0:0x6000000000007e01
prints 0 entry-amd-table --format amdv1 --entry 3:0x6000000000104601 \
	--entry 3:0x6000000000104201
prints 1 entry-amd-malformed --format amdv1 --entry 1:0x6000000000104401 \
	--entry 0:0x6010000000001001 --entry 1:0x600000004000fe01 --entry 0:0x60000000000ffe01
prints 0 entry-riscv-page --format riscv --entry 1:0x200000df --entry 0:0x80000000200020df
prints 0 entry-riscv-table --format riscv --entry 2:0x41401
prints 1 entry-riscv-malformed --format riscv --entry 0:0x41401 --entry 1:0x4005 --entry 1:0x40df \
	--entry 0:0x80000000000000df --entry 2:0x41441 --entry 0:0x60000000000000df
prints 0 bits-riscv --bits riscv
prints 0 entry-armv8-page --format armv8 --entry 1:0x80000f45 --entry 0:0x1000fc7
prints 0 entry-armv8-table --format armv8 --entry 2:0x105003 --entry 3:0x6000000000105003
prints 1 entry-armv8-malformed --format armv8 --entry 0:0x1000f45 --entry 3:0x1000f45 --entry 0:0
prints 0 bits-armv8 --bits armv8
prints 0 bits-vtdss --bits vtdss
prints 0 bits-amdv1 --bits amdv1

run 0 help --help && has help '^usage: dmasim walk ' "$temp/out"

# ---- Chance and traces -------------------------------------------------------------------------

run 0 chance --seed 9 --iotlb 4 --map 0x1000:0:64K 0x1000 0x2000 0x3000 0x4000 0x5000 0x1000 && {
	cp "$temp/out" "$temp/once"
	run 0 chance --seed 9 --iotlb 4 --map 0x1000:0:64K 0x1000 0x2000 0x3000 0x4000 0x5000 0x1000
	if diff "$temp/once" "$temp/out" >"$temp/why"; then
		ok the-same-seed-prints-the-same
	else
		not_ok the-same-seed-prints-the-same
	fi
}
run 1 trace --trace "$temp/trace" --map $page:r 0x40000123 --write 0x40000123 && {
	has a-walk-is-in-the-trace \
		'dev_walk dev=0000:01:00.0 dma=0x40000123 dir=read phys=0x1000123 reason=0x0$' \
		"$temp/trace"
	has a-fault-is-in-the-trace 'dma=0x40000123 dir=write phys=0x0 reason=0x5$' "$temp/trace"
}

# ---- What it refuses ---------------------------------------------------------------------------

refused absents-of-riscv 'caches nothing that is absent' --format riscv --caching-mode 0x1000
refused absents-of-armv8 'not of armv8, which caches nothing' --format armv8 --caching-mode 0x1000
refused five-levels-of-armv8 'has 3 to 4 levels, not 5' --format armv8 --levels 5 0
refused a-map-beyond-the-lower-half '3 levels map 38 bits' --format riscv --levels 3 \
	--map 0x4000000000:0:4K 0
refused nothing 'expected an IOVA, --entry or --bits'
refused no-iova 'expected an IOVA' --map $page
refused an-iova-that-is-none "an IOVA is a number like 0x40000123, not '0x4000zz'" 0x4000zz
refused an-unknown-option "no option '--nope'" --nope
refused an-unknown-short-option "no option '-q'" -q
refused an-option-without-its-value "option '--map' needs a value" --map
refused half-a-map "map is IOVA:PHYS:SIZE.*, not '0x1000:0'" --map 0x1000:0 0
refused a-map-of-too-many-pieces 'map is IOVA:PHYS:SIZE' --map 0x1000:0:4K:r:w 0
refused a-direction-that-is-none "not '0x1000:0:4K:x'" --map 0x1000:0:4K:x 0
refused a-size-that-is-none "not '0x1000:0:4X'" --map 0x1000:0:4X 0
refused a-size-that-is-too-wide 'map is IOVA:PHYS:SIZE' --map 0x1000:0:0xffffffffffffffffG 0
refused an-empty-map 'map is of 4K to 2G' --map 0x1000:0:0 0
refused a-map-that-is-too-large 'map is of 4K to 2G' --map 0x1000:0:3G 0
refused a-part-of-a-page 'whole pages of 4 KiB' --map 0x1000:0:4097 0
refused iova-0 'IOVA 0 stands for nothing' --map 0:0x1000:4K 0
refused a-map-beyond-memory 'a physical address has 52 bits' --map 0x1000:0xffffffffff000:8K 0
refused a-map-beyond-the-tables '3 levels map 39 bits, not 0x7ffffff000' --levels 3 \
	--map 0x7ffffff000:0:8K 0
refused a-map-that-wraps '4 levels map 48 bits' --map 0xfffffffffffff000:0:8K 0
refused two-maps-in-one-place 'overlaps the mapping at 0x1000' --map 0x1000:0:8K \
	--map 0x2000:0:4K 0
refused a-reserved-place '0xfee00000 to 0xfeefffff is reserved' --map 0xfedff000:0:8K 0
refused an-unmap-of-nothing 'no mapping begins at 0x2000' --map 0x1000:0:8K --unmap 0x2000 0
refused an-unmap-of-what-is-gone 'no mapping begins at 0x1000' --map 0x1000:0:4K \
	--unmap 0x1000 --unmap 0x1000 0
refused an-unmap-that-is-no-number "unmap is an IOVA, not 'x'" --unmap x 0
refused a-poke-of-no-value 'poke is IOVA:LEVEL:VALUE' --poke 0x1000:0 0
refused a-poke-of-no-bit "not '0x1000:0:+64'" --poke 0x1000:0:+64 0
refused a-poke-of-a-sign "not '0x1000:0:-'" --poke 0x1000:0:- 0
refused a-poke-above-the-top 'the tables have levels 0 to 3, not 4' --poke 0x1000:4:0 0
refused an-unmap-behind-a-poke 'no --map or --unmap behind a --poke' --map 0x1000:0:4K \
	--poke 0x1000:1:0 --unmap 0x1000 0
refused an-unknown-format "format is vtdss, amdv1, riscv or armv8, not 'x'" --format x 0
refused snoop-with-amd 'snoop and --device-tlb are of vtdss alone' --format amdv1 --snoop 0
refused a-device-tlb-with-amd 'are of vtdss alone' --format amdv1 --device-tlb --entry 0:0
refused three-levels-with-amd 'with 3 levels and grows to 4 at least and 6 at most, not to 3' \
	--format amdv1 --levels 3 0
refused a-map-beyond-amd-tables '4 levels map 48 bits' --format amdv1 --map 0x1000000000000:0:4K 0
refused six-levels 'vtdss has 3 to 5 levels, not 6' --levels 6 0
refused levels-that-are-none "levels is a number from 1 to 6, not '7'" --levels 7 0
refused an-iotlb-of-nothing "iotlb is a number from 1 to 65536, not '0'" --iotlb 0 0
refused an-iotlb-of-3 "iotlb is a power of two, not '3'" --iotlb 3 0
refused a-walk-cache-of-words "walk-cache is a number from 0" --walk-cache many 0
refused a-context-cache-of-6 "context-cache is a power of two" --context-cache 6 0
refused times-0 "times is a number from 1 to 1000, not '0'" --times 0 0
refused seed-0 "seed is a number, not 0, not '0'" --seed 0 0
refused a-trace-that-cannot-be-written "cannot write $temp/no/trace" --trace "$temp/no/trace" 0
refused an-entry-without-level "entry is LEVEL:VALUE like 1:0x40000083, not '7'" --entry 7
refused an-entry-of-level-5 'vtdss has levels 0 to 4, not 5' --entry 5:0
refused an-entry-of-level-6 'entry is LEVEL:VALUE' --format amdv1 --entry 6:0
refused an-entry-with-a-map 'entry is without a machine' --entry 0:0 --map $page
refused an-entry-with-a-cache 'entry is without a machine' --entry 0:0 --iotlb 4
refused bits-with-an-iova 'bits stands alone' --bits vtdss 0x1000
refused bits-of-nothing "bits is vtdss, amdv1, riscv or armv8, not 'x'" --bits x
set --
i=0
while [ $i -lt 257 ]; do
	set -- "$@" 0x1000
	i=$((i + 1))
done
refused too-many-steps '256 steps are the most' "$@"

for command in '--bits vtdss' "--map $page 0x40000000" \
	"--trace /dev/full --map $page 0x40000000" --help; do
	# shellcheck disable=SC2086
	full_disk "a-full-disk: $command" walk $command
done

echo "1..$number"
