#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command under valgrind's memcheck: an error or a leak is exit status 99.
exec valgrind --quiet --error-exitcode=99 --leak-check=full \
	--errors-for-leak-kinds=definite,indirect "$@"
