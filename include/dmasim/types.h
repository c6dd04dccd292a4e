/* SPDX-License-Identifier: MIT */
/*
 * Integer and address types, shared by both sides of the simulator and by its users.
 */
#ifndef DMASIM_TYPES_H
#define DMASIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define DMASIM_BEGIN_DECLS extern "C" {
#define DMASIM_END_DECLS   }
#else
#define DMASIM_BEGIN_DECLS
#define DMASIM_END_DECLS
#endif

/* A function of dmasim's own: visible outside the shared library. */
#define DMASIM_API __attribute__((visibility("default")))

/*
 * A function that has its name from Linux. The name stands in the source; the object file calls it
 * dmasim_<name>, so it collides neither with a program's own functions nor with a kernel file that
 * is compiled beside it. Goes after the declarator, before other attributes.
 */
#define DMASIM_LINUX(name) __asm__("dmasim_" #name) DMASIM_API

#define DMASIM_MUST_CHECK   __attribute__((warn_unused_result))
#define DMASIM_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define DMASIM_LIKELY(x)    __builtin_expect(!!(x), 1)
#define DMASIM_UNLIKELY(x)  __builtin_expect(!!(x), 0)

/*
 * Functions that every mapping call runs through lie side by side: what one call executes is as
 * large as the host's nearest instruction cache, and scattered it does not fit. And one for what is
 * rarely done, or never: it, and what leads to it, lies apart.
 */
#define DMASIM_HOT  __attribute__((hot))
#define DMASIM_COLD __attribute__((cold))

/* Where a compiler's own guess makes the common way longer. */
#define DMASIM_ALWAYS_INLINE inline __attribute__((always_inline))
#define DMASIM_NOINLINE	     __attribute__((noinline))

/* As in the kernel: 64 bits are `long long` on every host, so %llx prints them. */
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int32_t s32;
typedef long long s64;

/* A CPU physical address. Always 64 bits wide: 32-bit hosts model a 64-bit kernel. */
typedef u64 phys_addr_t;

/* What a driver hands to its device: an IOVA, a bus address or a physical address. */
typedef u64 dma_addr_t;

typedef u64 resource_size_t;

#ifndef SZ_4K
#define SZ_1K	0x00000400
#define SZ_4K	0x00001000
#define SZ_16K	0x00004000
#define SZ_64K	0x00010000
#define SZ_1M	0x00100000
#define SZ_2M	0x00200000
#define SZ_16M	0x01000000
#define SZ_64M	0x04000000
#define SZ_256M 0x10000000
#define SZ_1G	0x40000000
#define SZ_4G	0x100000000ULL
#define SZ_256G 0x4000000000ULL
#endif

#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#endif

/*
 * Names one PCI function of a machine on both sides and on the wire: segment (31:16), bus (15:8),
 * device (7:3), function (2:0). The low half is the requester ID of PCI Express.
 */
typedef u32 dmasim_sbdf;

#define DMASIM_SBDF(segment, bus, device, function) \
	(((u32)(segment) << 16) | ((u32)(bus) << 8) | ((u32)(device) << 3) | (u32)(function))
#define DMASIM_NO_SBDF (~(u32)0)

/*
 * Linux gives what lies behind VMD a domain of more than 16 bits, 10000 for the first. Here those
 * have the last segments, which no other host bridge may have where there is VMD: domain 10000 is
 * segment ffc0. Whatever prints or reads a domain uses Linux's number.
 */
#define DMASIM_VMD_SEGMENT  0xffc0
#define DMASIM_VMD_DOMAIN   0x10000
#define DMASIM_VMD_SEGMENTS 63

static inline u32 dmasim_domain(u32 segment)
{
	return segment - DMASIM_VMD_SEGMENT < DMASIM_VMD_SEGMENTS
		       ? segment - DMASIM_VMD_SEGMENT + DMASIM_VMD_DOMAIN
		       : segment;
}

/* False: no segment has that domain. */
static inline bool dmasim_segment(u32 domain, u16 *segment)
{
	bool is_vmd = domain - DMASIM_VMD_DOMAIN < DMASIM_VMD_SEGMENTS;

	*segment = (u16)(is_vmd ? domain - DMASIM_VMD_DOMAIN + DMASIM_VMD_SEGMENT : domain);
	return is_vmd || domain <= 0xffff;
}

#endif
