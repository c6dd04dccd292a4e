/* SPDX-License-Identifier: MIT */
/* Devices' memory, through cookies (dmasim/kernel.h). */
#ifndef DMASIM_KERNEL_IO_H
#define DMASIM_KERNEL_IO_H

#include <string.h>

#include <dmasim/kernel.h>

#include <linux/types.h>

#define ioremap_wc(phys, size) ioremap(phys, size)
#define ioremap_uc(phys, size) ioremap(phys, size)
#define ioremap_np(phys, size) ioremap(phys, size)

/* Registers have their little end first. */
static inline u8 readb(const volatile void __iomem *addr)
{
	u8 value;

	dmasim_io_read(addr, &value, sizeof(value));
	return value;
}

static inline u16 readw(const volatile void __iomem *addr)
{
	u16 value;

	dmasim_io_read(addr, &value, sizeof(value));
	return le16_to_cpu(value);
}

static inline u32 readl(const volatile void __iomem *addr)
{
	u32 value;

	dmasim_io_read(addr, &value, sizeof(value));
	return le32_to_cpu(value);
}

static inline u64 readq(const volatile void __iomem *addr)
{
	u64 value;

	dmasim_io_read(addr, &value, sizeof(value));
	return le64_to_cpu(value);
}

static inline void writeb(u8 value, volatile void __iomem *addr)
{
	dmasim_io_write(addr, &value, sizeof(value));
}

static inline void writew(u16 value, volatile void __iomem *addr)
{
	value = cpu_to_le16(value);
	dmasim_io_write(addr, &value, sizeof(value));
}

static inline void writel(u32 value, volatile void __iomem *addr)
{
	value = cpu_to_le32(value);
	dmasim_io_write(addr, &value, sizeof(value));
}

static inline void writeq(u64 value, volatile void __iomem *addr)
{
	value = cpu_to_le64(value);
	dmasim_io_write(addr, &value, sizeof(value));
}

/* Nothing is reordered here. */
#define readb_relaxed(addr)	    readb(addr)
#define readw_relaxed(addr)	    readw(addr)
#define readl_relaxed(addr)	    readl(addr)
#define readq_relaxed(addr)	    readq(addr)
#define writeb_relaxed(value, addr) writeb(value, addr)
#define writew_relaxed(value, addr) writew(value, addr)
#define writel_relaxed(value, addr) writel(value, addr)
#define writeq_relaxed(value, addr) writeq(value, addr)

#define ioread8(addr)	       readb(addr)
#define ioread16(addr)	       readw(addr)
#define ioread32(addr)	       readl(addr)
#define ioread64(addr)	       readq(addr)
#define iowrite8(value, addr)  writeb(value, addr)
#define iowrite16(value, addr) writew(value, addr)
#define iowrite32(value, addr) writel(value, addr)
#define iowrite64(value, addr) writeq(value, addr)

static inline void memcpy_fromio(void *to, const volatile void __iomem *from, size_t bytes)
{
	dmasim_io_read(from, to, bytes);
}

static inline void memcpy_toio(volatile void __iomem *to, const void *from, size_t bytes)
{
	dmasim_io_write(to, from, bytes);
}

static inline void memset_io(volatile void __iomem *to, int value, size_t bytes)
{
	volatile char *at = (volatile char *)to;

	for (size_t i = 0; i < bytes; i++)
		writeb((u8)value, at + i);
}

#endif
