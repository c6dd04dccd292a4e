#!/bin/sh
# SPDX-License-Identifier: MIT
# CMocka's tests that fail, each in another place: the report is shown once, the tear-down ends the
# machine, and the next test runs. TAP.
#   failing.sh PROGRAM
set -u
program=$1
. "$(dirname "$0")/command.sh"

CMOCKA_MESSAGE_OUTPUT=STDOUT ${DMASIM_WRAPPER:-} "$program" >"$temp/out" 2>&1
status=$?

# part FROM TO: what was printed from one test's start to the next one's.
part() {
	sed -n "/RUN      . $1\$/,/RUN      . $2\$/p" "$temp/out" >"$temp/part"
}

# shows NAME COUNT PATTERN: the part has so many lines that match.
shows() {
	found=$(grep -c -e "$3" "$temp/part")
	if [ "$found" -eq "$2" ]; then
		ok "$1"
	else
		{ echo "$found lines match '$3', expected $2"; cat "$temp/part"; } >"$temp/why"
		not_ok "$1"
	fi
}

sed '/test(s) run/q' "$temp/out" >"$temp/part"
shows every-test-runs 1 '6 test(s) run'
shows what-is-right-passes 1 '^\[       OK . is_right'
shows the-others-do-not 5 '^\[  FAILED  . fails_[a-z_]*$\|^\[  ERROR   . fails_[a-z_]*$'
shows no-test-comes-back 0 'it came back'
if [ $status -eq 5 ]; then
	ok exit-status
else
	{ echo "exit status $status, expected 5"; cat "$temp/out"; } >"$temp/why"
	not_ok exit-status
fi

part fails_in_a_callback fails_in_a_task
shows a-callback-fails 1 'failing_tests.c:[0-9]*: error: Failure!'
shows a-callback-leaves-a-leak 1 '^DMASIM-024 mapping-leaked: '
shows a-leak-names-who-mapped 1 'mapped .*failing_tests.c:[0-9]* in map_a_page'
part fails_in_a_task fails_at_the_first_report
shows a-task-fails 1 'failing_tests.c:[0-9]*: error: Failure!'
part fails_at_the_first_report fails_where_it_asks
shows the-first-report-fails 1 'failing_tests.c:[0-9]*: error: Failure!'
shows it-is-shown-once 1 '^DMASIM-010 unmap-not-mapped: '
shows and-is-no-news-at-the-end 1 '^\[  FAILED  . fails_at_the_first_report'
part fails_where_it_asks fails_at_its_end
shows who-asks-fails 1 'failing_tests.c:[0-9]*: error: Failure!'
shows what-is-shown-is-shown-once 1 '^DMASIM-010 unmap-not-mapped: '
part fails_at_its_end is_right
shows a-report-at-the-end 1 '^DMASIM-010 unmap-not-mapped: '
shows its-line 1 '^t=0 report=DMASIM-010 name=unmap-not-mapped '
shows its-call 1 'call .*failing_tests.c:[0-9]* in unmap_twice'
echo "1..$number"
