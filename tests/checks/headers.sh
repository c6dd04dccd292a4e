#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles alone, in C and in C++, also after headers of libc and libbsd's kin
# that define many names; and a C++ program uses all of them. So do the kernel-named headers, which
# are GNU C as the kernel is. What a page-table format is made from is GNU C, and tells C++ so.
#   headers.sh SOURCE BUILD C_COMPILER CPP_COMPILER
. "$(dirname "$0")/common.sh"

c_compiler=$3
cpp_compiler=$4
have "$c_compiler" || skip "$c_compiler is not here"

warnings='-Wall -Wextra -Wpedantic -Wundef -Wwrite-strings -Werror'
c_warnings='-Wshadow -Wstrict-prototypes -Wmissing-prototypes'
format_headers=$(cd include && find dmasim/pgtable -name '*.h' ! -name pgtable.h | sort)
headers=$(cd include && find dmasim -name '*.h' | grep -vxF "$format_headers" | sort)
kernel_headers=$(cd include/kernel && find linux -name '*.h' | sort)

# What dmasim/cmocka.h asks for before it, and a declaration: a header of macros has none.
cat >"$scratch/prelude.h" <<'END'
#include <stdlib.h>
#define print_error(...) ((void)0)
#define _fail(file, line) abort()
END
printf 'typedef int declaration;\n' >"$scratch/any.h"

# compiles WHAT FILE LANGUAGE COMPILER FLAGS...
compiles() {
	what=$1
	file=$2
	language=$3
	shift 3
	"$@" -x "$language" -fsyntax-only -I include -I include/kernel "$file" 2>"$scratch/said" &&
		return
	fail "$what: $*"
	show "$scratch/said"
}

# includes HEADER...: lines of C.
includes() {
	for header in "$@"; do
		[ "$header" != dmasim/cmocka.h ] || printf '#include "%s"\n' "$scratch/prelude.h"
		printf '#include <%s>\n' "$header"
	done
	printf '#include "%s"\n' "$scratch/any.h"
}

# all_with HEADERS LANGUAGE COMPILER FLAGS...: each header alone, twice; then all in a crowd, in
# both orders.
all_with() {
	all=$1
	shift
	for header in $all; do
		includes "$header" "$header" >"$scratch/alone"
		compiles "$header does not compile alone" "$scratch/alone" "$@"
	done
	for order in '' -r; do
		# shellcheck disable=SC2046  # one word for each header
		includes sys/stat.h sys/queue.h $(printf '%s\n' "$all" | sort $order) \
			>"$scratch/crowd"
		compiles 'the headers do not compile after sys/stat.h and sys/queue.h' \
			"$scratch/crowd" "$@"
	done
}

# both_with LANGUAGE COMPILER FLAGS...
both_with() {
	all_with "$headers" "$@"
	all_with "$kernel_headers" "$@" -Wno-pedantic
	# A driver's headers, and those of a program that looks on, in both orders.
	all_with "linux/pci.h linux/slab.h dmasim/dmasim.h dmasim/kernel.h" "$@" -Wno-pedantic
}

# shellcheck disable=SC2086  # the flags are words
both_with c "$c_compiler" -std=gnu11 $warnings $c_warnings
# shellcheck disable=SC2086
all_with "$format_headers" c "$c_compiler" -std=gnu11 $warnings $c_warnings
# shellcheck disable=SC2086
! have "$cpp_compiler" || both_with c++ "$cpp_compiler" -std=gnu++17 $warnings
for header in $format_headers; do
	have "$cpp_compiler" || break
	printf '#include <%s>\n' "$header" |
		"$cpp_compiler" -std=gnu++17 -x c++ -fsyntax-only -I include - 2>&1 |
		grep -q 'error.* is a C file' || fail "$header does not say that C++ is not for it"
done
for header in $headers $format_headers $(echo "$kernel_headers" | sed 's/^/kernel\//'); do
	grep -q "'$header'" include/meson.build ||
		fail "$header is not installed (include/meson.build)"
done

# Where the system has a header of the name, a kernel-named one begins with it.
for header in $kernel_headers; do
	printf '#include <%s>\n' "$header" | "$c_compiler" -E -x c - >/dev/null 2>&1 || continue
	# shellcheck disable=SC2016
	sed -n '/^#/{p;q}' "include/kernel/$header" | grep -q "has_include_next(<$header>)" ||
		fail "$header does not begin with the system's"
done

# The C++ program names every function-like macro but lists (X) and what only declarations use.
for macro in $(cd include && cat $headers |
	sed -nE 's/^[[:blank:]]*#[[:blank:]]*define[[:blank:]]+([A-Za-z0-9_]+)\([^X)].*/\1/p' |
	grep -vE '_ENUM$|^DMASIM_(LINUX|PRINTF)$|^PLATFORM_'); do
	grep -qw "$macro" "$checks/whole.cpp" || fail "tests/checks/whole.cpp does not use $macro()"
done

if have "$cpp_compiler"; then
	if ! "$cpp_compiler" -std=gnu++17 -Wall -Wextra -Wno-missing-field-initializers -Werror \
		-I include "$checks/whole.cpp" -o "$scratch/whole" \
		-L "$build/sim" -ldmasim -Wl,-rpath,"$build/sim" 2>"$scratch/said"; then
		fail "a C++ program with dmasim.h does not compile or link with $cpp_compiler"
		show "$scratch/said"
	elif ! "$scratch/whole" >"$scratch/said" 2>&1; then
		fail "a C++ program built with $cpp_compiler does not run as it should"
		show "$scratch/said"
	fi
elif [ "$failures" -eq 0 ]; then
	skip "$cpp_compiler is not here (C was checked)"
fi

finish
