/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "iova.h"

#define PLUGIN_FUNCTION "dmasim_iova_plugin"

typedef const struct iova_allocator_ops *(*iova_plugin)(void);

static int add(struct iova_options *options, const struct iova_allocator_ops *ops, const char *file)
{
	for (u32 i = 0; i < options->allocator_count; i++) {
		if (options->allocator[i] == ops)
			return 0;
	}
	if (options->allocator_count == IOVA_ALLOCATORS_MAX)
		return cli_bad_input("iova: %d allocators are the most", IOVA_ALLOCATORS_MAX);
	options->file[options->allocator_count] = file;
	options->allocator[options->allocator_count++] = ops;
	return 0;
}

static int unknown(const char *name)
{
	char known[256] = "all";

	for (u32 i = 0; dmasim_iova_at(i); i++) {
		size_t length = strlen(known);

		snprintf(known + length, sizeof(known) - length, ", %s", dmasim_iova_at(i)->name);
	}
	return cli_bad_input("iova: --allocator is one of %s, not '%s'", known, name);
}

static int add_ours(struct iova_options *options)
{
	const struct iova_allocator_ops *ops;
	int status = 0;

	for (u32 i = 0; (ops = dmasim_iova_at(i)) && !status; i++)
		status = add(options, ops, NULL);
	return status;
}

int iova_choose(struct iova_options *options, const char *name)
{
	const struct iova_allocator_ops *ops = dmasim_iova_by_name(name);

	options->chosen = true;
	if (!strcmp(name, "all"))
		return add_ours(options);
	return ops ? add(options, ops, NULL) : unknown(name);
}

static const char *what_is_missing(const struct iova_allocator_ops *ops)
{
	if (!ops)
		return "it gives no table";
	if (ops->size != sizeof(*ops))
		return "its table has another size: it was built for another version";
	if (!ops->name || !ops->name[0])
		return "its table has no name";
	if (!ops->create || !ops->destroy || !ops->alloc || !ops->free || !ops->reserve)
		return "its table has no create, destroy, alloc, free or reserve";
	return NULL;
}

/* A name without a slash is a file here, not one of the system's libraries. */
static void *open_plugin(const char *file)
{
	char *path;
	void *handle;

	if (strchr(file, '/'))
		return dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (asprintf(&path, "./%s", file) < 0)
		return NULL;
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	free(path);
	return handle;
}

int iova_load(struct iova_options *options, const char *file)
{
	const struct iova_allocator_ops *ops;
	iova_plugin plugin;
	const char *missing;
	void *handle, *symbol;

	if (options->plugin_count == IOVA_PLUGINS_MAX)
		return cli_bad_input("iova: %d plugins are the most", IOVA_PLUGINS_MAX);
	handle = open_plugin(file);
	if (!handle) {
		missing = dlerror();
		return cli_bad_input("iova: --plugin %s", missing ? missing : "no memory");
	}
	options->plugin[options->plugin_count++] = handle;
	symbol = dlsym(handle, PLUGIN_FUNCTION);
	if (!symbol)
		return cli_bad_input("iova: --plugin %s: it has no function %s()", file,
				     PLUGIN_FUNCTION);
	memcpy(&plugin, &symbol, sizeof(plugin));
	ops = plugin();
	missing = what_is_missing(ops);
	if (missing)
		return cli_bad_input("iova: --plugin %s: %s", file, missing);
	return add(options, ops, file);
}

void iova_choose_default(struct iova_options *options)
{
	struct iova_options plugins = *options;

	if (options->verb == IOVA_CHECK && plugins.allocator_count)
		return;
	options->allocator_count = 0;
	add_ours(options);
	for (u32 i = 0; i < plugins.allocator_count; i++)
		add(options, plugins.allocator[i], plugins.file[i]);
}

void iova_close(struct iova_options *options)
{
	while (options->plugin_count)
		dlclose(options->plugin[--options->plugin_count]);
}
