#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C file is formatted as .clang-format says. Versions of clang-format differ: 14 decides.
. "$(dirname "$0")/common.sh"

for tool in clang-format-14 clang-format; do
	case $($tool --version 2>/dev/null) in
	*'version 14.'*)
		find include lib sim tests '(' -name '*.[ch]' -o -name '*.cpp' ')' \
			-exec "$tool" --dry-run --Werror {} + 2>"$scratch/said"
		complain 'clang-format -i puts it right' "$(sort -u "$scratch/said" |
			sed -nE 's/^([^ ]*:[0-9]+):[0-9]+: error:.*/\1/p')"
		finish
		;;
	esac
done
skip 'clang-format 14 is not here'
