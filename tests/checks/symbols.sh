#!/bin/sh
# SPDX-License-Identifier: MIT
# The libraries define dmasim_ names alone, and no public header asks for any other.
. "$(dirname "$0")/common.sh"

have nm || skip 'nm is not here (binutils)'
have readelf || skip 'readelf is not here (binutils)'

shared=$build/sim/libdmasim.so
static=$build/sim/libdmasim.a
workbench=$build/sim/workbench/libdmasim-workbench.a

# others: those names of a list (one a line) that do not begin with dmasim_.
others() {
	sed 's/@.*//' | grep -v '^dmasim_' | sort -u
}

# undefined OBJECT: names it needs, but those of libc that the headers' inline functions use.
undefined() {
	nm -u "$1" | awk '{ print $2 }' | others |
		grep -vE '^(abort|fprintf|fwrite|mem[a-z]*|stderr)$' |
		grep -vE '^(_GLOBAL_OFFSET_TABLE_|__.*_chk|__(start|stop)_dmasim_modules)$'
}

if [ -e "$shared" ]; then
	complain 'libdmasim.so exports this name' \
		"$(nm -D --defined-only "$shared" | awk '{ print $3 }' | others)"
	[ "$(nm -D --defined-only "$shared" | wc -l)" -gt 50 ] ||
		fail 'libdmasim.so exports hardly anything'
	complain 'libdmasim.so needs this library' "$(readelf -d "$shared" |
		sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libbsd|libc|ld-[^.]*)\.so')"
fi
for archive in "$static" "$workbench"; do
	[ ! -e "$archive" ] || complain "${archive##*/} defines this name globally" \
		"$(nm -g --defined-only "$archive" 2>/dev/null |
			awk 'NF == 3 { print $3 }' | others)"
done

# What the inline functions of the headers define and need, when none is left out. The linker makes
# the bounds of the section of modules.
printf '#include <dmasim/%s.h>\n' dmasim kernel workbench iova-bench page-table pgtable/define_ops \
	pgtable/grow pgtable-bench walker >"$scratch/inline.c"
(cd include/kernel && printf '#include <%s>\n' linux/*.h) >"$scratch/kernel.c"
if have gcc; then
	for headers in inline kernel; do
		gcc -std=gnu11 -fkeep-static-functions -I include -I include/kernel \
			-c "$scratch/$headers.c" -o "$scratch/$headers.o" ||
			fail "the headers ($headers) do not compile"
		complain 'a header defines this name in each program that includes it' \
			"$(nm -g --defined-only "$scratch/$headers.o" | awk '{ print $3 }')"
		complain 'an inline function needs this name' \
			"$(undefined "$scratch/$headers.o")"
	done
fi

# Every function that a header declares, called by the name that its object file has, is in one of
# the libraries.
if have gcc && [ -e "$shared" ]; then
	gcc -std=gnu11 -DDMASIM_NO_CALL_SITES -aux-info "$scratch/declared" -fsyntax-only \
		-I include "$scratch/inline.c"
	{
		cat "$scratch/inline.c"
		echo 'void (*const all[])(void) = {'
		sed -nE '/^\/\* include\/dmasim/!d; / static /d
			s/^\/\*.*\*\/ extern [^(]*[ *]([a-z0-9_]+) \(.*/\t(void (*)(void))\1,/p' \
			"$scratch/declared" | grep -v 'dmasim_contract_failed' | sort -u
		printf '};\n\nint main(void)\n{\n\treturn !all[0];\n}\n'
	} >"$scratch/all.c"
	[ "$(wc -l <"$scratch/all.c")" -gt 50 ] || fail 'hardly any declarations were found'
	gcc -std=gnu11 -DDMASIM_NO_CALL_SITES -I include -c "$scratch/all.c" -o "$scratch/all.o" ||
		fail 'the list of all functions does not compile'
	complain 'a header declares this name without the prefix in the object file' \
		"$(undefined "$scratch/all.o")"
	if ! gcc "$scratch/all.o" "$workbench" -L "$build/sim" -ldmasim \
		-Wl,-rpath-link,"$build/sim" -o "$scratch/all" 2>"$scratch/said"; then
		complain 'declared in a header, and in no library' \
			"$(sed -n "s/.*undefined reference to \`\(.*\)'/\1/p" "$scratch/said")"
	fi
fi

finish
