#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the build into a folder, and builds and runs a program against it with pkg-config alone:
# with the shared library, and with the static one; and an IOVA allocator and a page-table format
# against the workbench.
. "$(dirname "$0")/common.sh"

have meson || skip 'meson is not here'
have pkg-config || skip 'pkg-config is not here'
compiler=$(c_compiler)
[ -n "$compiler" ] || skip 'neither gcc nor clang is here'

if ! DESTDIR=$scratch/root meson install -C "$build" --no-rebuild >"$scratch/said" 2>&1; then
	fail 'the build cannot be installed'
	show "$scratch/said"
	finish
fi

description=$(find "$scratch/root" -name dmasim.pc)
[ -n "$description" ] || {
	fail 'no dmasim.pc was installed'
	finish
}
libraries=${description%/pkgconfig/dmasim.pc}
PKG_CONFIG_PATH=${description%/*}
# Paths in dmasim.pc are those after the installation; here they begin at $scratch/root. Those of
# libbsd would too, so its description is found but its folders are the compiler's own.
PKG_CONFIG_SYSROOT_DIR=$scratch/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR

for header in $(cd include && find dmasim -name '*.h'); do
	find "$scratch/root" -path "*/include/$header" | grep -q . ||
		fail "$header was not installed"
done
for header in $(cd include/kernel && find linux -name '*.h'); do
	find "$scratch/root" -path "*/include/dmasim/kernel/$header" | grep -q . ||
		fail "$header was not installed"
done

[ "$(pkg-config --modversion dmasim)" = "$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)" ] ||
	fail 'dmasim.pc has another version than meson.build'

# consumes HOW FLAGS_OF_PKG_CONFIG... -- COMMAND...: builds the programs and runs them; one of them
# is a driver, too.
consumes() {
	how=$1
	query=$2
	shift 2
	for package in dmasim-kernel dmasim; do
		program=consumer
		[ $package = dmasim ] || program=kernel_consumer
		# shellcheck disable=SC2046  # flags are words
		if ! "$@" $(pkg-config $query --cflags $package) -Wall -Wextra -Werror \
			"$checks/$program.c" -o "$scratch/consumer" \
			$(pkg-config $query --libs $package) >"$scratch/said" 2>&1; then
			fail "$program.c against $how does not compile or link"
			show "$scratch/said"
		elif ! LD_LIBRARY_PATH=$libraries "$scratch/consumer" >"$scratch/said" 2>&1; then
			fail "$program.c against $how does not run as it should"
			show "$scratch/said"
		fi
	done
}

# needs_library: the program was linked with the shared library.
needs_library() {
	readelf -d "$scratch/consumer" | grep -q 'NEEDED.*libdmasim'
}

if [ -e "$libraries/libdmasim.so" ]; then
	consumes 'the shared library' '' "$compiler" -std=gnu11
	! have readelf || [ "$failures" -gt 0 ] || needs_library ||
		fail 'the program was not linked with the shared library'
	rm -f "$libraries"/libdmasim.so*
fi
if [ -e "$libraries/libdmasim.a" ]; then
	consumes 'the static library' --static "$compiler" -std=gnu11
	! have readelf || [ "$failures" -gt 0 ] || ! needs_library ||
		fail 'the program was not linked with the static library'
fi

command=$(find "$scratch/root" -path '*/bin/dmasim')
[ -z "$command" ] || "$command" reports >"$scratch/said" 2>&1 ||
	fail 'the installed command does not run'

# An allocator of one file: judged by a program of a few lines, and by the command as a plugin.
# builds HOW ARGUMENTS...
builds() {
	how=$1
	shift
	"$compiler" -std=gnu11 -Wall -Wextra -Werror "$@" >"$scratch/said" 2>&1 && return
	fail "an IOVA allocator does not compile or link as $how"
	show "$scratch/said"
	return 1
}

# conforms HOW COMMAND...: all checks but the long ones that other tests run.
conforms() {
	how=$1
	shift
	if ! "$@" >"$scratch/said" 2>&1 || ! grep -q '^ok [0-9]* - no_memory' "$scratch/said"; then
		fail "$how does not judge as it should"
		show "$scratch/said"
	fi
}

example=tests/examples/first_fit.c
# shellcheck disable=SC2046  # flags are words
! builds 'a program' "$checks/iova_consumer.c" $example -o "$scratch/judged" \
	$(pkg-config --static --cflags --libs dmasim-workbench) ||
	conforms 'its own program' env LD_LIBRARY_PATH="$libraries" "$scratch/judged"
# shellcheck disable=SC2046
if builds 'a plugin' -shared -fPIC $example -o "$scratch/first_fit.so" \
	$(pkg-config --cflags dmasim-workbench) && [ -n "$command" ]; then
	conforms 'the command' "$command" iova check --plugin "$scratch/first_fit.so" --scale 1
fi

# A page-table format, its walker and their program in one file.
# shellcheck disable=SC2046
! builds 'a page-table format' tests/examples/three_level.c -o "$scratch/three_level" \
	$(pkg-config --static --cflags --libs dmasim-workbench) ||
	conforms 'the program of a page-table format' env LD_LIBRARY_PATH="$libraries" \
		"$scratch/three_level"

finish
