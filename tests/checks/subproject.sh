#!/bin/sh
# SPDX-License-Identifier: MIT
# Another Meson project uses this one as a subproject, through dependency('dmasim') and through
# dmasim_dep, with the options such a project would have; tests and their needs stay out.
. "$(dirname "$0")/common.sh"

have meson && have ninja || skip 'meson and ninja are not here'

mkdir -p "$scratch/user/subprojects"
ln -s "$source" "$scratch/user/subprojects/dmasim"
cp "$checks/consumer.c" "$checks/kernel_consumer.c" "$scratch/user"
cat >"$scratch/user/meson.build" <<'END'
project('user', 'c', default_options: ['c_std=c11', 'warning_level=2', 'werror=true'])
by_name = dependency('dmasim', fallback: 'dmasim')
by_variable = subproject('dmasim').get_variable('dmasim_dep')
kernel = dependency('dmasim-kernel')
executable('by_name', 'consumer.c', dependencies: by_name, override_options: 'c_std=gnu11')
executable('by_variable', 'consumer.c', dependencies: by_variable, override_options: 'c_std=gnu11')
executable('driver', 'kernel_consumer.c', dependencies: kernel, override_options: 'c_std=gnu11')
END

# A dmasim that is installed on this machine is not the one to test.
if ! meson setup "$scratch/built" "$scratch/user" --force-fallback-for=dmasim -Doptimization=0 \
	-Ddebug=false -Ddmasim:command=false >"$scratch/said" 2>&1; then
	fail 'a project with this one as its subproject cannot be configured'
	tail -n 5 "$scratch/said"
elif ! ninja -C "$scratch/built" by_name by_variable driver >"$scratch/said" 2>&1; then
	fail 'a project with this one as its subproject cannot be built'
	grep -A 5 FAILED "$scratch/said"
else
	[ ! -e "$scratch/built/subprojects/dmasim/tests" ] ||
		fail 'a project with this one as its subproject gets its tests, too'
	for program in by_name by_variable driver; do
		"$scratch/built/$program" || fail "the program $program does not run as it should"
	done
fi

finish
