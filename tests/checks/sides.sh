#!/bin/sh
# SPDX-License-Identifier: MIT
# The two sides do not include each other; who may see what is in the table of the README.
. "$(dirname "$0")/common.sh"

# included FOLDER...: lines of "file:line what", what with its brackets or quotes.
included() {
	grep -rnE --include='*.[ch]' '^[[:blank:]]*#[[:blank:]]*include' "$@" |
		sed -E 's/^([^:]*:[0-9]*):.*include(_next)?[[:blank:]]*([<"][^>"]*[>"]).*/\1 \3/'
}

# quoted_outside FOLDER ROOT PART...: quoted includes that are not files in ROOT/PART.
quoted_outside() {
	folder=$1
	base=$2
	shift 2
	included "$folder" | sed -n 's/"//gp' | while read -r where what; do
		for part in "$@"; do
			case $what in
			"$part"*) [ ! -f "$base/$what" ] || continue 2 ;;
			esac
		done
		echo "$where includes $what"
	done
}

# sees FOLDER ALLOWED -I...: public headers that a source file of the folder sees, directly or
# through another header, and that are not among the allowed ones.
sees() {
	folder=$1
	allowed=$2
	shift 2
	for file in $(find "$folder" -name '*.c' | sort); do
		$compiler -std=gnu11 -D_GNU_SOURCE -MM "$@" -I include "$file" 2>"$scratch/said" ||
			echo "$file cannot be read: $(head -n 1 "$scratch/said")"
	done | awk -v fine="^include/dmasim/($allowed)\$" '
		/cannot be read/ { print; next }
		{
			for (i = 1; i <= NF; i++) {
				if ($i ~ /\.c$/)
					file = $i
				else if ($i ~ /^include\/dmasim\// && $i !~ fine)
					print file " sees " $i
			}
		}' | sort -u
}

for folder in include lib sim tests; do
	complain 'no include leads upwards' "$(included "$folder" | grep '"\.\./')"
done

complain 'public headers are included as <dmasim/...>' "$(included include | grep '"')"
complain 'kernel-named headers are for drivers' \
	"$(included include/dmasim lib sim | grep '<linux/')"
complain 'no public header needs libbsd' "$(included include | grep '<bsd/')"

complain 'lib/ includes its own headers and dmasim/ alone' "$(quoted_outside lib lib '')"
complain 'lib/ knows the port and nothing of a machine' \
	"$(included lib | grep -E '<dmasim/(machine|topology|engine|dmasim|cmocka|kernel)\.h>')"

complain 'sim/world stands below everything' "$(quoted_outside sim/world sim world/)"
complain 'sim/hw includes sim/hw, sim/world and dmasim/ alone' \
	"$(quoted_outside sim/hw sim hw/ world/)"
complain 'sim/workbench includes dmasim/ and its own headers alone' \
	"$(quoted_outside sim/workbench sim workbench/)"
complain 'sim/cli includes dmasim/ and its own headers alone' "$(quoted_outside sim/cli sim/cli '')"
complain 'sim/cli needs the C library alone' "$(included sim/cli |
	grep -E '<(bsd|hw|world|machine|check|mm|pci|iova|pgtable|iommu|dma)/')"
complain 'an example of a driver includes linux/ and its own headers alone' \
	"$(included tests/examples | grep -E '/(nic|blk)_driver\.[ch]:' |
		grep -vE '[<"](linux/[a-z0-9-]+|examples/[a-z]+_(driver|hw))\.h[>"]')"
complain 'an example of a driver does not know what it runs on' \
	"$(grep -nio 'dmasim' tests/examples/*_driver.[ch] tests/examples/*_hw.h |
		sed 's/:[^:]*$//')"
complain 'an example of an allocator includes what dmasim/iova.h names alone' \
	"$(included tests/examples | grep '/first_fit\.c:' |
		grep -vE '<(errno|dmasim/(iova|lock))\.h>')"
complain 'an example of a page-table format includes what it is made from alone' \
	"$(included tests/examples | grep '/three_level\.c:' |
		grep -vE '<(endian|stdio|dmasim/(pgtable-bench|walker|pgtable/[a-z_]+))\.h>')"
complain 'the port is for lib/ and the facade' \
	"$(included sim/cli sim/hw sim/world | grep '<dmasim/platform\.h>')"

# The public headers that the hardware knows: bits, types, and what a world is made of.
hardware='hw/[a-z0-9_]+\.h|(types|contract|fault|point|report|report-registry|timer)\.h'

# walker_sees FILE...: what a walker includes, or sees through others, that is neither a bit header,
# a type, nor the hardware's own: walkers judge what software writes, and share nothing with it.
walker_sees() {
	for walker in "$@"; do
		graph=$($compiler -std=gnu11 -D_GNU_SOURCE -MM -I sim -I lib -I include "$walker" \
			2>"$scratch/said") || {
			echo "$walker cannot be read: $(head -n 1 "$scratch/said")"
			continue
		}
		echo "$graph" | tr ' \\' '\n\n' | grep -vxF "$walker" |
			grep -vE '^$|\.o:$|^sim/(hw|world)/[a-z0-9_]+\.h$' |
			grep -vE "^include/dmasim/($hardware)\$" | sed "s|^|$walker sees |"
		included "$walker" | grep -vE ' "hw/[a-z0-9_]+\.h"$' |
			grep -vE ' <dmasim/(hw/[a-z0-9_]+|types|contract)\.h>$' |
			sed "s|^.* |$walker includes |"
	done
}

# A header of bits has none that a walker and a writer could share by mistake.
complain 'a header of bits has no functions' "$(code include/dmasim/hw/*.h |
	grep -E 'inline|^[^:]*:[0-9]*:[^#].*[a-z_]\(|return')"

compiler=$(c_compiler)
if [ -n "$compiler" ]; then
	walkers=$(find sim/hw -name '*_walk.c' -o -name 'vtd_fs.c' -o -name 'vtd_nested.c' \
		-o -name '*_range.c' | sort)
	complain 'not for a walker' "$(walker_sees $walkers)"
	# What it would say of a walker that knows how tables are written.
	for header in '"pgtable/armv8.h"' '"machine/machine.h"' '"no/such.h"' \
		'<dmasim/pgtable/format.h>' '<dmasim/platform.h>' '<bsd/string.h>'; do
		printf '#include %s\n' "$header" >"$scratch/bad_walk.c"
		[ -n "$(walker_sees "$scratch/bad_walk.c")" ] ||
			fail "a walker that includes $header is not found"
	done
	complain 'not for the hardware' "$(sees sim/world "$hardware" -I sim)"
	complain 'not for the hardware' "$(sees sim/hw "$hardware" -I sim)"
fi

finish
