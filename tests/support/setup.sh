# SPDX-License-Identifier: MIT
# Set-up that sim/demo and tests/run share: installs what is missing, configures a build folder
# once, and builds. Sourced by bash scripts that set `me` (their name in messages).
#
# Everything here speaks on stderr; stdout belongs to the program that runs afterwards.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." >/dev/null && pwd -P)

# Exit status of a script whose set-up failed; the command's own are 0, 1 and 2.
setup_failed=3

say() {
	printf '%s: %s\n' "$me" "$*" >&2
}

die() {
	say "$*"
	exit "$setup_failed"
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# quietly COMMAND...: prints nothing, or all that it said if it fails.
quietly() {
	local said status=0

	said=$("$@" 2>&1 </dev/null) || status=$?
	[ "$status" -eq 0 ] || printf '%s\n' "$said" >&2
	return "$status"
}

# ---- What has to be there ----------------------------------------------------------------------

# What meson would take: $CC, or the first of these.
have_compiler() {
	if [ -n "${CC:-}" ]; then
		have "${CC%% *}"
	else
		have cc || have gcc || have clang
	fi
}

have_libc_headers() {
	local compiler=${CC:-cc}

	have "${compiler%% *}" || compiler=gcc
	# shellcheck disable=SC2086  # CC may be "ccache gcc"
	printf '#include <stdio.h>\n' | $compiler -E -x c - >/dev/null 2>&1
}

meson_version() {
	meson --version 2>/dev/null
}

# Meson 1.0 or newer; costs a third of a second, so only asked before configuring.
have_meson() {
	case $(meson_version) in
	'' | 0.*) return 1 ;;
	esac
}

have_library() {
	have pkg-config && pkg-config --exists "$1"
}

# lacks COMMAND... -- PACKAGE...: adds the packages to `missing` if the command fails.
lacks() {
	local check=() package

	while [ "$1" != -- ]; do
		check+=("$1")
		shift
	done
	shift
	"${check[@]}" && return
	for package in "$@"; do
		case " ${missing[*]} " in
		*" $package "*) ;;
		*) missing+=("$package") ;;
		esac
	done
}

# What a build needs: fills `missing` with Debian's names of packages. Of Meson it asks whether it
# is there, and with "configure" for its version too.
missing_for_build() {
	local meson=(have meson)

	[ "${1:-}" != configure ] || meson=(have_meson)
	lacks have_compiler -- gcc libc6-dev
	[ ${#missing[@]} -gt 0 ] || lacks have_libc_headers -- libc6-dev
	lacks have ar -- binutils
	lacks have objcopy -- binutils
	lacks have ninja -- ninja-build
	lacks "${meson[@]}" -- meson
	lacks have pkg-config -- pkg-config
	lacks have_library libbsd -- libbsd-dev
}

# ---- Installing --------------------------------------------------------------------------------

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif [ -t 0 ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

# The packages in `missing`; one clear error where that cannot be done.
install_missing() {
	local list=${missing[*]}

	if ! have apt-get; then
		die "missing (by Debian's names): $list. Install them and try again."
	fi
	if [ "$(id -u)" -ne 0 ] && ! { have sudo && as_root true 2>/dev/null; }; then
		die "neither root nor sudo: have 'apt-get install $list' run, then try again."
	fi
	say "installing with apt-get: $list"
	# A source that does not answer is no reason to stop: the packages may be had from another.
	quietly apt_get update || say "apt-get update had errors; going on"
	quietly apt_get install --no-install-recommends "${missing[@]}" ||
		die "apt-get could not install: $list"
	hash -r
}

# Waits for another apt-get that is running.
apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 \
		-o Acquire::Retries=3 "$@"
}

# need MISSING_FUNCTION [ARGUMENT]: installs what the function finds missing.
need() {
	local missing=()

	"$@"
	[ ${#missing[@]} -gt 0 ] || return 0
	install_missing
	missing=()
	"$@"
	case " ${missing[*]} " in
	'  ') ;;
	*' meson '*) die "Meson $(meson_version) is too old, 1.0 is needed: pipx install meson" ;;
	*) die "still missing after the installation: ${missing[*]}" ;;
	esac
}

# ---- Configuring and building ------------------------------------------------------------------

# The note in a build folder that says where it was configured, and how.
stamp() {
	printf '%s\n' "$1/.configured"
}

# True for a folder that meson configured for this place; one without a note was made by hand.
is_configured() {
	[ -f "$1/build.ninja" ] || return 1
	[ ! -f "$(stamp "$1")" ] || [ "$(head -n 1 "$(stamp "$1")")" = "$root" ]
}

# configure FOLDER OPTION...: once, and again only when the options or the place change.
configure() {
	local dir=$1 how=()

	shift
	if is_configured "$dir"; then
		[ "$(tail -n +2 "$(stamp "$dir")" 2>/dev/null)" != "${CC:-} $*" ] || return 0
		how=(--reconfigure)
	elif [ -f "$(stamp "$dir")" ]; then
		say "${dir##*/} was configured somewhere else: making it anew"
		rm -rf -- "$dir"
	fi
	mkdir -p -- "$dir" || return 1
	lock "$dir"
	[ ${#how[@]} -gt 0 ] || ! is_configured "$dir" || return 0
	say "configuring ${dir##*/}"
	quietly meson setup "${how[@]}" "$@" "$dir" "$root" || return 1
	printf '%s\n%s\n' "$root" "${CC:-} $*" >"$(stamp "$dir")"
}

# Two runs at once would write the same files: the second waits.
lock() {
	[ -w "$1" ] || die "cannot write to $1: it belongs to somebody else"
	exec 9>"$1/.lock"
	! have flock || flock 9
}

unlock() {
	exec 9>&-
}

# build FOLDER [TARGET...]
build() {
	local dir=$1 said status=0

	shift
	lock "$dir"
	ninja -C "$dir" -n "$@" 2>&1 | grep -q 'no work to do' || say "building ${dir##*/}"
	said=$(ninja -C "$dir" "$@" 2>&1 </dev/null) || status=$?
	unlock
	# Of a build that fails the messages, without the list of what went well.
	[ "$status" -eq 0 ] || printf '%s\n' "$said" | sed '/^\[[0-9]*\/[0-9]*\] /d' >&2
	return "$status"
}
