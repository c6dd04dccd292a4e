/* SPDX-License-Identifier: MIT */
/*
 * A program that judges an IOVA allocator of another file, with the installed workbench: install.sh
 * builds it. Exit status 0: it conforms, and so does one of ours.
 */
#include <dmasim/workbench.h>

/* Names that a program may use for itself, though the workbench uses them inside. */
int iova_world_create(void);
const struct iova_allocator_ops *dmasim_iova_plugin(void);

int iova_world_create(void)
{
	return 0;
}

int main(void)
{
	struct dmasim_iova_conform_options options = { DMASIM_IOVA_CONFORM, .scale_percent = 1 };
	u32 failed;

	failed = dmasim_iova_conform(dmasim_iova_plugin(), &options, stdout);
	options.check = "random";
	failed += dmasim_iova_conform(dmasim_iova_linux(), &options, NULL);
	return (int)failed + iova_world_create();
}
