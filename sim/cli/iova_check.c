/* SPDX-License-Identifier: MIT */
#include "iova.h"

int iova_check(const struct iova_options *options)
{
	(void)options;
	return cli_bad_input("iova: check is not here yet");
}
