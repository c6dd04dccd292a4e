/* SPDX-License-Identifier: MIT */
#include "cli.h"

int cli_topo(int argc, char **argv)
{
	return cli_bad_input("%s: not yet (%d)", argv[0], argc);
}
