#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command under valgrind's memcheck: an error or a leak is exit status 99.
#
# With DMASIM_MEMCHECK_ONE_IN=N only one command line in N is checked so, the others just run: which
# ones depends on their words alone, without the folders of files.
if [ -n "${DMASIM_MEMCHECK_ONE_IN:-}" ]; then
	sum=$(printf '%s\n' "$@" | sed 's,.*/,,' | cksum)
	[ $((${sum%% *} % DMASIM_MEMCHECK_ONE_IN)) -eq 0 ] || exec "$@"
fi
exec valgrind --quiet --error-exitcode=99 --leak-check=full \
	--errors-for-leak-kinds=definite,indirect "$@"
