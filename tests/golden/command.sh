# SPDX-License-Identifier: MIT
# What the scripts that run the command as a user does begin with. Before: $program, the command;
# $verb, its subcommand; $refusals, what the names of refused() begin with; $golden, the folder of
# recorded text, and $long, which lines of it may be long. TAP goes to stdout; what a test wrote is
# in $temp/out and $temp/err.
set -u
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
number=0

# DMASIM_WRAPPER, such as valgrind, is a command that runs another.
dmasim() { ${DMASIM_WRAPPER:-} "$program" "$@"; }

ok() { number=$((number + 1)); echo "ok $number - $1"; }
not_ok() { number=$((number + 1)); echo "not ok $number - $1"; sed 's/^/# /' "$temp/why"; }
skip() { number=$((number + 1)); echo "ok $number - $1 # SKIP $2"; }

# run STATUS NAME ARGS...: the subcommand must end with this status.
run() {
	wanted=$1
	name=$2
	shift 2
	dmasim "$verb" "$@" >"$temp/out" 2>"$temp/err"
	status=$?
	if [ $status -ne "$wanted" ]; then
		{
			echo "exit status $status, expected $wanted"
			head -n 40 "$temp/out"
			cat "$temp/err"
		} >"$temp/why"
		not_ok "$name"
		return 1
	fi
	return 0
}

# refused NAME PATTERN ARGS...: exit status 2, one line on stderr that matches, nothing else.
refused() {
	name=${refusals:-}$1
	pattern=$2
	shift 2
	run 2 "$name" "$@" || return
	if [ ! -s "$temp/out" ] && [ "$(wc -l <"$temp/err")" -eq 1 ] &&
		grep -q -e "$pattern" "$temp/err"; then
		ok "$name"
	else
		{
			echo "expected one line that matches '$pattern'"
			head -n 40 "$temp/out"
			cat "$temp/err"
		} >"$temp/why"
		not_ok "$name"
	fi
}

# has NAME PATTERN FILE: what was written has a line that matches.
has() {
	if grep -q -e "$2" "$3"; then
		ok "$1"
	else
		{ echo "no line matches '$2'"; head -n 40 "$3"; } >"$temp/why"
		not_ok "$1"
	fi
}

# full_disk NAME ARGS...: the command (ARGS begin with the subcommand, if there is one) must notice
# that a file /dev/full that it is told to write, or else its output, was not written: one line on
# stderr, and status 2.
full_disk() {
	name=$1
	shift
	if [ ! -w /dev/full ]; then
		skip "$name" "there is no /dev/full"
		return
	fi
	case " $* " in
	*" /dev/full "*) output=$temp/out what=/dev/full ;;
	*) output=/dev/full what='the output' ;;
	esac
	dmasim "$@" >"$output" 2>"$temp/err"
	status=$?
	if [ $status -eq 2 ] && [ "$(wc -l <"$temp/err")" -eq 1 ]; then
		has "$name" "cannot write $what: \\(No space left\\|not all was written\\)" \
			"$temp/err"
	else
		{ echo "exit status $status"; cat "$temp/err"; } >"$temp/why"
		not_ok "$name"
	fi
}

# prints STATUS NAME ARGS...: the text is the recorded one, nothing goes to stderr, and no line but
# of pictures (NAME ends in .svg) and those that $long matches is longer than 100 columns.
prints() {
	expected=$1
	text=$golden/$2.txt
	shift 2
	run "$expected" "prints-$(basename "$text" .txt)" "$@" || return
	if [ "${UPDATE_GOLDEN:-}" = 1 ]; then
		mkdir -p "$golden"
		cp "$temp/out" "$text"
	fi
	if [ -s "$temp/err" ] || ! diff -u "$text" "$temp/out" >"$temp/why" 2>&1; then
		cat "$temp/err" >>"$temp/why"
		not_ok "$name"
	elif [ "${text%.svg.txt}" = "$text" ] &&
		grep -v "${long:-^$}" "$temp/out" | grep '.\{101\}' >"$temp/why"; then
		not_ok "$name"
	else
		ok "$name"
	fi
}

# is_picture NAME: what was printed is XML, and nothing in it runs or comes from elsewhere.
is_picture() {
	if command -v python3 >/dev/null && ! python3 -c 'import sys, xml.dom.minidom as x
x.parse(sys.argv[1])' "$temp/out" 2>"$temp/why"; then
		not_ok "$1"
	elif grep -qiE '<script|href|onload|url\(' "$temp/out"; then
		echo 'something runs or is fetched' >"$temp/why"
		not_ok "$1"
	else
		ok "$1"
	fi
}

# as_shown NAME MARK FILE: what was printed stands between two marks of a page.
as_shown() {
	sed -n "/<!-- $2 -->/,/<!-- \\/$2 -->/p" "$3" | grep -v -e '^<!--' -e '^```' >"$temp/page"
	if diff -u "$temp/page" "$temp/out" >"$temp/why"; then
		ok "$1"
	else
		not_ok "$1"
	fi
}
