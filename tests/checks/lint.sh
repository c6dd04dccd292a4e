#!/bin/sh
# SPDX-License-Identifier: MIT
# cppcheck and clang-tidy on the library and the command: each finding is a failure, unless
# lint.known says why it is not a mistake. What clang-tidy looks for is in .clang-tidy.
. "$(dirname "$0")/common.sh"

have cppcheck || have clang-tidy || skip 'neither cppcheck nor clang-tidy is here'

files=$(find lib sim -name '*.c' | sort)
processes=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)

# unknown: findings, one a line as "file:line: check: text", that lint.known does not list.
unknown() {
	sort -u | awk -v known="$checks/lint.known" '
		BEGIN {
			while ((getline line < known) > 0) {
				split(line, word, " ")
				expected[word[1] " " word[2]] = 1
			}
		}
		{
			file = $1
			sub(/:.*/, "", file)
			check = $2
			sub(/:$/, "", check)
			if (!((file " " check) in expected))
				print
		}'
}

if have cppcheck; then
	# It must see the list and tree macros of libbsd, and need not see other headers of the
	# system.
	mkdir "$scratch/include"
	ln -s "$(pkg-config --variable=includedir libbsd)/bsd" "$scratch/include/bsd"
	# shellcheck disable=SC2086  # one word for each file
	cppcheck --quiet -j "$processes" --std=c11 --enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		-D__x86_64__ -DDMASIM_NO_CALL_SITES \
		-I include -I lib -I sim -I sim/cli -I "$scratch/include" \
		--template='{file}:{line}: {id}: {message}' $files >"$scratch/found" 2>&1 ||
		fail 'cppcheck did not run to its end'
	complain 'cppcheck' "$(unknown <"$scratch/found")"
fi

# Versions of clang-tidy differ in what they find: 14 decides.
case $(clang-tidy --version 2>/dev/null) in
*'version 14.'*)
	# The analyzer looks less deep than it would: a quarter of the time, and the same findings.
	depth='-extra-arg=-Xclang -extra-arg=-analyzer-config -extra-arg=-Xclang'
	# shellcheck disable=SC2086
	echo "$files" | xargs -P "$processes" -n 4 clang-tidy --quiet -p "$build" \
		$depth -extra-arg=max-nodes=40000 >"$scratch/found" 2>/dev/null
	# Paths from SOURCE on, and the check before the text.
	sed -nE 's#^(.*/)?((include/dmasim|lib|sim)/[^:]*:[0-9]+):[0-9]+: (warning|error):#\2:#p' \
		"$scratch/found" | sed -nE 's#^([^ ]*:) (.*) \[(.*)\]$#\1 \3: \2#p' >"$scratch/tidy"
	complain 'clang-tidy' "$(unknown <"$scratch/tidy")"
	;;
*)
	echo 'note: clang-tidy 14 is not here'
	;;
esac

finish
