/* SPDX-License-Identifier: MIT */
/*
 * Accesses to memory that is a device's, in a program built with AddressSanitizer: C06. They end
 * the program, so each has a process of its own. Built without it, all of them live.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalogue/host.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define GUARDED true
#else
#define GUARDED false
#endif

#define SAID_BYTES 16384

__attribute__((noinline)) static u8 driver_reads(const volatile u8 *at)
{
	return *at;
}

__attribute__((noinline)) static void driver_writes(volatile u8 *at)
{
	*at = 0x5a;
}

typedef void driver(u8 *at);

static void reads(u8 *at)
{
	driver_reads(at);
}

static void writes(u8 *at)
{
	driver_writes(at);
}

/* What a process says that runs the driver. True: it came to its end. */
static bool lives(driver *run, u8 *at, char said[SAID_BYTES])
{
	size_t length = 0;
	int pipe_of[2], status = 0;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(pipe_of), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		dup2(pipe_of[1], STDERR_FILENO);
		close(pipe_of[0]);
		run(at);
		_exit(0);
	}
	close(pipe_of[1]);
	while ((got = read(pipe_of[0], said + length, SAID_BYTES - 1 - length)) > 0)
		length += (size_t)got;
	said[length] = '\0';
	close(pipe_of[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* With the stack of the access; its names need a program that not every system has. */
static void expect_stopped(u8 *at)
{
	char said[SAID_BYTES];

	assert_true(lives(reads, at, said) == !GUARDED);
	assert_true(!GUARDED || strstr(said, "use-after-poison"));
	assert_true(!GUARDED || strstr(said, "driver_reads") || !strstr(said, " in "));
	assert_true(lives(writes, at, said) == !GUARDED);
	assert_true(!GUARDED || strstr(said, "driver_writes") || !strstr(said, " in "));
}

static void expect_open(u8 *at)
{
	char said[SAID_BYTES];

	if (!lives(reads, at, said) || !lives(writes, at, said))
		fail_msg("an access was stopped:\n%s", said);
}

static dma_addr_t map(struct rig *rig, phys_addr_t phys, u64 bytes, enum dma_data_direction dir)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, bytes, dir, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

#define CLOSED(name, ...)                                                                        \
	static int mode_##name##_closed(void **state)                                            \
	{                                                                                        \
		return rig_setup_with(state,                                                     \
				      &(struct dmasim_config){ DMASIM_CONFIG,                    \
							       .poison = DMASIM_POISON_WRITABLE, \
							       __VA_ARGS__ });                   \
	}

CLOSED(strict, .policy = DMASIM_STRICT)
CLOSED(direct, .iommu = DMASIM_NO_IOMMU)
CLOSED(untrusted, .traits = { .untrusted = true }, .swiotlb_bytes = SZ_1M)
CLOSED(bounced, .iommu = DMASIM_NO_IOMMU, .swiotlb = DMASIM_SWIOTLB_FORCE, .swiotlb_bytes = SZ_1M)
CLOSED(no_snoop, .traits = { .no_snoop = true })
CLOSED(direct_no_snoop, .iommu = DMASIM_NO_IOMMU, .traits = { .no_snoop = true })

/* trust: C06: an access under AddressSanitizer | our reading of the facts: dma-api 3.9 */
/* The simulator and the device go where the program may not. */
static void C06_an_access_between_map_and_unmap(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K) + 104;
	u8 *at = host(rig, buf, SZ_1K), found[8];
	dma_addr_t dma = map(rig, buf, SZ_1K, DMA_FROM_DEVICE);

	expect_stopped(at);
	expect_stopped(at + SZ_1K - 1);
	expect_open(at - 1);
	expect_open(at + SZ_1K);
	expect_done(dmasim_dev_write(rig->nvme, dma + 3, "hello", 6), 6);
	expect_u64(dmasim_read(rig->s, buf, found, sizeof(found)), sizeof(found));
	expect_stopped(at + 3);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_1K, DMA_FROM_DEVICE, 0);
	assert_string_equal((char *)at + 3, "hello");
	expect_open(at);
	expect_open(at + SZ_1K - 1);
	dmasim_assert_clean(rig->s);
}

/* Of 8 bytes that are not all the device's none is closed. */
static void C06_right__access_beside_and_at_ragged_ends(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *at = host(rig, buf, SZ_4K);
	dma_addr_t dma = map(rig, buf + 3, 18, DMA_FROM_DEVICE);

	for (u32 i = 0; i < 8; i++)
		expect_open(at + i);
	expect_stopped(at + 8);
	expect_open(at + 16);
	expect_open(at + 24);
	dma_unmap_phys(&rig->nvme->dev, dma, 18, DMA_FROM_DEVICE, 0);
	expect_open(at + 8);
}

static void C06_right__access_in_its_turn(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *at = host(rig, buf, SZ_4K);
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_BIDIRECTIONAL);

	dma_sync_single_for_cpu(dev, dma + 64, 64, DMA_BIDIRECTIONAL);
	expect_open(at + 64);
	expect_open(at + 127);
	expect_stopped(at + 63);
	expect_stopped(at + 128);
	dma_sync_single_for_device(dev, dma + 64, 64, DMA_BIDIRECTIONAL);
	expect_stopped(at + 64);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_open(at + 64);
	dmasim_assert_clean(rig->s);
}

/* What a device only reads: the CPU may look. */
static void C06_right__access_to_what_the_device_only_reads(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_TO_DEVICE);

	expect_open(host(rig, buf, SZ_4K));
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

static int mode_all(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .poison = DMASIM_POISON_ALL,
						       .no_watch = true });
}

static void C06_an_access_to_what_the_device_only_reads(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *at = host(rig, buf, SZ_4K), byte = 1;
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_TO_DEVICE);

	expect_stopped(at);
	expect_done(dmasim_dev_read(rig->nvme, dma, &byte, 1), 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_open(at);
}

static void C06_right__access_where_it_is_off(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_BIDIRECTIONAL);

	expect_open(host(rig, buf, SZ_4K));
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
}

/* Of two mappings one is enough. */
static void C06_an_access_while_another_mapping_lives(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *at = host(rig, buf, SZ_4K);
	dma_addr_t whole = map(rig, buf, SZ_4K, DMA_FROM_DEVICE), part;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	part = map(rig, buf + SZ_1K, SZ_1K, DMA_FROM_DEVICE);
	dma_unmap_phys(dev, part, SZ_1K, DMA_FROM_DEVICE, 0);
	expect_stopped(at + SZ_1K);
	dma_unmap_phys(dev, whole, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_open(at + SZ_1K);
	dmasim_assert_clean(rig->s);
}

/* Whoever lets go of memory, or of the machine, has it back. */
static void C06_right__access_after_the_memory_was_given_back(void **state)
{
	static _Alignas(64) u8 own[256], rest[256];
	struct rig *rig = *state;
	phys_addr_t adopted = dmasim_adopt(rig->s, own, sizeof(own));
	phys_addr_t kept = dmasim_adopt(rig->s, rest, sizeof(rest));

	assert_true(adopted != DMASIM_NO_PHYS && kept != DMASIM_NO_PHYS);
	map(rig, adopted, sizeof(own), DMA_FROM_DEVICE);
	map(rig, kept, sizeof(rest), DMA_FROM_DEVICE);
	expect_stopped(own + 100);
	dmasim_unadopt(rig->s, adopted);
	expect_open(own + 100);
	expect_stopped(rest + 100);
	rig_teardown(state);
	*state = NULL;
	expect_open(rest + 100);
}

static int end(void **state)
{
	return *state ? rig_teardown(state) : 0;
}

#define IN_EACH(test)                                                                 \
	IN(strict_closed, test), IN(direct_closed, test), IN(untrusted_closed, test), \
		IN(bounced_closed, test), IN(no_snoop_closed, test),                  \
		IN(direct_no_snoop_closed, test)

#define ENDS(mode, test)                                       \
	{                                                      \
#test "__" #mode, test, mode_##mode, end, NULL \
	}

TEST_MAIN(IN_EACH(C06_an_access_between_map_and_unmap),
	  IN(strict_closed, C06_right__access_beside_and_at_ragged_ends),
	  IN_EACH(C06_right__access_in_its_turn),
	  IN_EACH(C06_right__access_to_what_the_device_only_reads),
	  IN(all, C06_an_access_to_what_the_device_only_reads),
	  IN(strict, C06_right__access_where_it_is_off),
	  IN(direct_closed, C06_an_access_while_another_mapping_lives),
	  ENDS(direct_closed, C06_right__access_after_the_memory_was_given_back))
