/* SPDX-License-Identifier: MIT */
/* Modules: see dmasim_insmod(). */
#if __has_include_next(<linux/module.h>)
#include_next <linux/module.h>
#endif
#ifndef DMASIM_KERNEL_MODULE_H
#define DMASIM_KERNEL_MODULE_H

#include <dmasim/kernel.h>

#include <linux/kernel.h>

struct module;

#define THIS_MODULE ((struct module *)NULL)
#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME "module"
#endif

/* A pointer to the record lies in a section of the program, which dmasim_insmod() looks through. */
#define dmasim_module_(kind, ...)                                                    \
	static const struct dmasim_module dmasim_module_##kind##_ = { __VA_ARGS__ }; \
	static const struct dmasim_module *const dmasim_module_##kind##_at_          \
		__attribute__((used, section("dmasim_modules"))) = &dmasim_module_##kind##_

#define module_init(function) dmasim_module_(init, __FILE__, function, NULL)
#define module_exit(function) dmasim_module_(exit, __FILE__, NULL, function)

/* Two functions that register and unregister a driver. */
#define module_driver(driver, registers, unregisters) \
	static int __init driver##_init(void)         \
	{                                             \
		return registers(&(driver));          \
	}                                             \
	module_init(driver##_init);                   \
	static void __exit driver##_exit(void)        \
	{                                             \
		unregisters(&(driver));               \
	}                                             \
	module_exit(driver##_exit)

/* What modinfo would show. */
#define MODULE_INFO(tag, info)	       struct module
#define MODULE_LICENSE(text)	       MODULE_INFO(license, text)
#define MODULE_AUTHOR(text)	       MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text)       MODULE_INFO(description, text)
#define MODULE_VERSION(text)	       MODULE_INFO(version, text)
#define MODULE_ALIAS(text)	       MODULE_INFO(alias, text)
#define MODULE_DEVICE_TABLE(type, ids) MODULE_INFO(type, ids)
#define EXPORT_SYMBOL(name)	       MODULE_INFO(export, name)
#define EXPORT_SYMBOL_GPL(name)	       MODULE_INFO(export, name)

#endif
