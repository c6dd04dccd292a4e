# SPDX-License-Identifier: MIT
# What the checks share. A check is started as `check.sh SOURCE BUILD`: both are folders. It stands
# in SOURCE, so that names are short; it prints one line for each thing that is wrong and exits with
# 1, or with 77 (skipped) if a tool is missing.

LC_ALL=C
export LC_ALL
check=$(basename "$0" .sh)
checks=$(cd "$(dirname "$0")" && pwd)
source=$1
build=$2
failures=0
cd "$source" || exit 1

# A folder of its own for what a check makes, removed at its end.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
	printf '%s: %s\n' "$check" "$*"
	failures=$((failures + 1))
}

# complain WHAT LINES: fails with "line: what" for each line, if there is any.
complain() {
	[ -n "$2" ] || return 0
	while read -r line; do
		fail "$line: $1"
	done <<-END
		$2
	END
}

# show FILE: the first lines of what a tool said, after a failure.
show() {
	head -n 8 "$1" | sed 's/^/    /'
}

skip() {
	printf '%s: skipped: %s\n' "$check" "$*"
	exit 77
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# A C compiler that is here; nothing if there is none.
c_compiler() {
	for tool in gcc clang cc; do
		if have "$tool"; then
			echo "$tool"
			return
		fi
	done
}

# The C files of some folders.
c_files() {
	find "$@" -name '*.[ch]' | sort
}

# code FILE...: the lines as file:line:text, without comments and the insides of strings.
code() {
	awk -f "$checks/code.awk" "$@"
}

finish() {
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}
