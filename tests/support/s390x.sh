# SPDX-License-Identifier: MIT
# A build for s390x, which has the other byte order, and qemu-user to run it. Sourced by tests/run,
# after setup.sh.
#
# Compiler, C library and emulator are Debian's for this machine. The libraries the tests link are
# its packages for s390x: unpacked into a folder here, not installed, so that the system need not
# know another architecture.

s390x_root=$root/build-s390x-root
s390x_libraries=$s390x_root/usr/lib/s390x-linux-gnu

missing_for_s390x() {
	lacks have s390x-linux-gnu-gcc -- gcc-s390x-linux-gnu
	lacks test -f /usr/s390x-linux-gnu/include/stdio.h -- libc6-dev-s390x-cross
	lacks have qemu-s390x -- qemu-user
}

# apt-get with lists of its own, which are of s390x alone.
apt_get_s390x() {
	apt-get -q -o APT::Architecture=s390x -o APT::Architectures=s390x \
		-o Dir::State="$s390x_root/apt" -o Dir::State::status=/dev/null \
		-o Dir::Cache="$s390x_root/apt/cache" -o APT::Sandbox::User=root \
		-o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

fetch_s390x_libraries() {
	local package

	cd -- "$s390x_root" || return
	mkdir -p apt/lists/partial apt/cache/archives/partial
	# A source that has nothing for s390x is no reason to stop.
	apt_get_s390x update
	apt_get_s390x download libcmocka-dev libcmocka0 libbsd-dev libbsd0 libmd0 || return
	for package in *.deb; do
		dpkg -x "$package" . || return
	done
	# It is a text that names files by where they would be installed.
	ln -sf libbsd.so.0 "$s390x_libraries/libbsd.so" && touch fetched
	rm -rf -- apt ./*.deb
}

# run PROGRAM...: with the C library of the cross compiler.
write_s390x_run() {
	cat >"$s390x_root/run" <<-END
		#!/bin/sh
		exec qemu-s390x -L /usr/s390x-linux-gnu -E LD_LIBRARY_PATH='$s390x_libraries' "\$@"
	END
	chmod +x -- "$s390x_root/run"
}

write_s390x_cross_file() {
	local cache=

	! have ccache || cache="'ccache', "
	cat >"$s390x_root/cross.txt" <<-END
		[binaries]
		c = [$cache's390x-linux-gnu-gcc']
		ar = 's390x-linux-gnu-ar'
		strip = 's390x-linux-gnu-strip'
		pkg-config = 'pkg-config'
		pkgconfig = 'pkg-config'
		exe_wrapper = ['$s390x_root/run']

		[built-in options]
		c_link_args = ['-Wl,-rpath-link,$s390x_libraries']

		[properties]
		sys_root = '$s390x_root'
		pkg_config_libdir = '$s390x_libraries/pkgconfig'

		[host_machine]
		system = 'linux'
		cpu_family = 's390x'
		cpu = 's390x'
		endian = 'big'
	END
}

# Compiler, emulator, libraries and the file that names them to meson, or a status that says no.
have_s390x() {
	(need missing_for_s390x) && mkdir -p -- "$s390x_root" || return
	lock "$s390x_root"
	[ -f "$s390x_root/fetched" ] || (quietly fetch_s390x_libraries)
	unlock
	[ -f "$s390x_root/fetched" ] && write_s390x_run && write_s390x_cross_file
}

# The programs that read and write entries of page tables; each is named as its source is.
s390x_programs() {
	(cd -- "$here" && printf '%s\n' unit/os/test_{pgtable,pte}_*.c unit/os/test_*_entries.c \
		unit/os/test_{growing,freed}_tables.c unit/hw/test_*walk*.c \
		unit/hw/test_{pte_,vtd_fs}*.c |
		sed 's/\.c$//' | sort -u)
}

# Programs of entries, the trace's hash, and the archive, which tools of another machine make.
s390x_stage() {
	local folder=$root/build-s390x programs
	local -x DMASIM_TEST_SCALE=1 DMASIM_WRAPPER=$s390x_root/run

	if ! have_s390x; then
		say "no compiler, emulator or libraries for s390x: what would run there is skipped"
		skipped=$((skipped + 1))
		return
	fi
	mapfile -t programs < <(s390x_programs)
	configure "$folder" --cross-file="$s390x_root/cross.txt" -Dtests=true -Dwerror=true \
		-Djson=disabled -Dcommand=false -Doptimization=1 -Ddebug=false &&
		build "$folder" sim/libdmasim.a tests/checks/hash_scenario \
			"${programs[@]/#/tests/}" || return
	run_tests "$folder" --timeout-multiplier 5 hash "${programs[@]##*/}"
}
