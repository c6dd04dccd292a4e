/* SPDX-License-Identifier: MIT */
/* Devices and their messages. */
#ifndef DMASIM_KERNEL_DEVICE_H
#define DMASIM_KERNEL_DEVICE_H

#include <dmasim/device.h>
#include <dmasim/kernel.h>

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/types.h>

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}

/* Devices live as long as their machine. */
static inline struct device *get_device(struct device *dev)
{
	return dev;
}

static inline void put_device(struct device *dev)
{
	(void)dev;
}

static inline int dev_to_node(const struct device *dev)
{
	(void)dev;
	return -1;
}

#define dev_err(dev, ...)    _dev_printk("3", dev, __VA_ARGS__)
#define dev_warn(dev, ...)   _dev_printk("4", dev, __VA_ARGS__)
#define dev_notice(dev, ...) _dev_printk("5", dev, __VA_ARGS__)
#define dev_info(dev, ...)   _dev_printk("6", dev, __VA_ARGS__)
#define dev_dbg(dev, ...)    ((void)(dev), dmasim_no_printk(__VA_ARGS__))

/* Tells of an error and returns it. */
#define dev_err_probe(dev, error, ...)              \
	(__extension__({                            \
		int dev_error_ = (error);           \
                                                    \
		_dev_printk("3", dev, __VA_ARGS__); \
		dev_error_;                         \
	}))

#endif
