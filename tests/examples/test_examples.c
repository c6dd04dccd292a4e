/* SPDX-License-Identifier: MIT */
/*
 * Two drivers in plain kernel style, and the devices they drive, in every mode that devices are
 * mapped in: a mode is one line of configuration. Data must arrive, and the machine ends clean.
 *
 *   host bridge 00
 *    |-- 00:01.0 root port -- switch --+-- 00.0 -- nic a ---.
 *    |                                 +-- 01.0 -- disk     | a wire
 *    |                                 +-- 02.0 -- gpu      |  1 MiB of peer memory
 *    +-- 00:02.0 root port -- nic b -----------------------'
 */
#include "support/rig.h"

#include <stdlib.h>
#include <string.h>

#include <dmasim/kernel.h>

#include <linux/mm.h>
#include <linux/slab.h>

#include "examples/blk_driver.h"
#include "examples/blk_model.h"
#include "examples/nic_driver.h"
#include "examples/nic_model.h"

#define FRAMES	  200
#define NTH_MAX	  2000
#define VEC_COUNT 9

struct mode {
	const char *name;
	struct dmasim_config config;
	bool joins; /* an IOMMU makes one segment of many pieces */
};

/* clang-format off */
static const struct mode modes[] = {
	{ "no_iommu", { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU }, false },
	{ "pass_through", { DMASIM_CONFIG, .policy = DMASIM_PASS_THROUGH }, false },
	{ "strict", { DMASIM_CONFIG, .policy = DMASIM_STRICT }, true },
	{ "lazy", { DMASIM_CONFIG, .policy = DMASIM_LAZY }, true },
	{ "incoherent_iommu", { DMASIM_CONFIG, .iommu_incoherent = true }, true },
	{ "untrusted", { DMASIM_CONFIG, .traits = { .untrusted = true } }, true },
	{ "forced_bounce",
	  { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU, .swiotlb = DMASIM_SWIOTLB_FORCE }, false },
	{ "narrow_bus",
	  { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU, .traits = { .bus_limit = SZ_4G - 1 } },
	  false },
	{ "no_snoop", { DMASIM_CONFIG, .traits = { .no_snoop = true } }, true },
	{ "no_snoop_no_iommu",
	  { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU, .traits = { .no_snoop = true } }, false },
	{ "bounced_kmalloc",
	  { DMASIM_CONFIG, .bounce_kmalloc = true, .traits = { .no_snoop = true } }, true },
	{ "restricted_pool",
	  { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU, .traits = { .pool_bytes = SZ_16M } }, false },
	{ "amd_vi", { DMASIM_CONFIG, .iommu = DMASIM_AMD_VI }, true },
	{ "amd_vi_lazy", { DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .policy = DMASIM_LAZY }, true },
	{ "amd_vi_np_cache",
	  { DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .iommu_caching_mode = true }, true },
	{ "riscv", { DMASIM_CONFIG, .iommu = DMASIM_RISCV }, true },
	{ "riscv_lazy", { DMASIM_CONFIG, .iommu = DMASIM_RISCV, .policy = DMASIM_LAZY }, true },
	{ "smmuv3", { DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .iommu_incoherent = true }, true },
	{ "smmuv3_lazy", { DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .policy = DMASIM_LAZY }, true },
	{ "first_stage",
	  { DMASIM_CONFIG, .iommu_scalable = true, .iommu_first_stage = true }, true },
	{ "dma_debug", { DMASIM_CONFIG, .dma_debug = true }, true },
};
/* clang-format on */

#define MODES (sizeof(modes) / sizeof(modes[0]))

struct lab {
	const struct mode *mode;
	char test_name[80];
	struct dmasim *s;
	struct nic_model a;
	struct nic_model b;
	struct blk_model disk;
	struct pci_dev *gpu;
	struct dmasim *before;
};

void dmasim_contract_failed(const char *what, const char *file, int line)
{
	print_error("contract broken: %s\n", what);
	_fail(file, line);
}

static void lab_build(struct lab *lab, const struct dmasim_config *config)
{
	lab->s = dmasim_create(config);
	assert_non_null(lab->s);
	assert_non_null(nic_model_add(lab->s, "00:01.0/00.0/00.0/00.0", &lab->a));
	assert_non_null(blk_model_add(lab->s, "00:01.0/00.0/01.0/00.0", &lab->disk));
	lab->gpu = dmasim_add_endpoint(lab->s, "00:01.0/00.0/02.0/00.0",
				       &(struct dmasim_endpoint){ .bar = { SZ_1M } });
	assert_non_null(lab->gpu);
	assert_non_null(nic_model_add(lab->s, "00:02.0/00.0", &lab->b));
	lab->a.peer = &lab->b;
	lab->b.peer = &lab->a;
	lab->before = dmasim_enter(lab->s);
}

static void lab_end(struct lab *lab)
{
	u64 leaks;

	dmasim_assert_clean(lab->s);
	assert_ptr_equal(dmasim_enter(lab->before), lab->s);
	leaks = dmasim_destroy(lab->s);
	lab->s = NULL;
	expect_u64(leaks, 0);
}

static int lab_teardown(void **state)
{
	struct lab *lab = *state;

	dmasim_destroy(lab->s);
	lab->s = NULL;
	return 0;
}

/* ---- Frames ----------------------------------------------------------- */

static u32 frame_len(struct dmasim *s)
{
	return 1 + (u32)dmasim_random(s, NIC_FRAME_MAX);
}

static void expect_frame(struct pci_dev *to, const u8 *expected, u32 len)
{
	u8 frame[NIC_FRAME_MAX];

	expect_error(nic_receive(to, frame, sizeof(frame)), (int)len);
	assert_memory_equal(frame, expected, len);
}

/* Up to 20 frames on the wire at once, in either direction. */
static void frames_arrive(struct lab *lab)
{
	u8 frame[20][NIC_FRAME_MAX];
	u32 len[20];

	for (u32 sent = 0; sent < FRAMES;) {
		bool from_a = dmasim_random(lab->s, 2);
		struct nic_model *from = from_a ? &lab->a : &lab->b;
		u32 burst = 1 + (u32)dmasim_random(lab->s, 20);

		for (u32 i = 0; i < burst; i++) {
			len[i] = frame_len(lab->s);
			fill_pattern(frame[i], len[i], sent + i);
			expect_ok(nic_send(from->pdev, frame[i], len[i]));
		}
		for (u32 i = 0; i < burst; i++)
			expect_frame(from->peer->pdev, frame[i], len[i]);
		sent += burst;
	}
	expect_error(nic_receive(lab->a.pdev, frame[0], NIC_FRAME_MAX), -EAGAIN);
	expect_error(nic_send(lab->a.pdev, frame[0], NIC_FRAME_MAX + 1), -EMSGSIZE);
	expect_u64(lab->a.lost + lab->b.lost + lab->a.failed + lab->b.failed, 0);
	assert_true(lab->a.sent + lab->b.sent >= FRAMES);
}

/* ---- Blocks ----------------------------------------------------------- */

/* Pieces that an IOMMU can join: the first begins anywhere, the last ends anywhere. */
static u64 vec_init(struct blk_vec *vec)
{
	u64 total = 0;

	for (u32 i = 0; i < VEC_COUNT; i++) {
		struct page *page = alloc_page(GFP_KERNEL);
		u32 offset = i ? 0 : 0x240;

		assert_non_null(page);
		vec[i].phys = page_to_phys(page) + offset;
		vec[i].len = (i < VEC_COUNT - 1 ? PAGE_SIZE : 0x680) - offset;
		total += vec[i].len;
	}
	return total;
}

static void vec_fini(const struct blk_vec *vec)
{
	for (u32 i = 0; i < VEC_COUNT; i++)
		__free_page(phys_to_page(vec[i].phys));
}

static void vec_copy(const struct blk_vec *vec, u8 *bytes, bool out)
{
	for (u32 i = 0; i < VEC_COUNT; i++) {
		u8 *at = phys_to_virt(vec[i].phys);

		memcpy(out ? bytes : at, out ? at : bytes, vec[i].len);
		bytes += vec[i].len;
	}
}

/* A table of buffers of kmalloc(), 512 bytes each, and one for the rest. */
static void table_init(struct sg_table *table, u64 bytes)
{
	struct scatterlist *sg;
	unsigned int i;

	expect_ok(sg_alloc_table(table, (unsigned int)((bytes + 511) / 512), GFP_KERNEL));
	for_each_sgtable_sg(table, sg, i) {
		u64 len = bytes < 512 ? bytes : 512;
		void *buffer = kmalloc(512, GFP_KERNEL);

		assert_non_null(buffer);
		sg_set_buf(sg, buffer, (unsigned int)len);
		bytes -= len;
	}
}

static void table_fini(struct sg_table *table)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(table, sg, i)
		kfree(sg_virt(sg));
	sg_free_table(table);
}

static void table_copy(struct sg_table *table, u8 *bytes, bool out)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(table, sg, i) {
		memcpy(out ? bytes : sg_virt(sg), out ? sg_virt(sg) : bytes, sg->length);
		bytes += sg->length;
	}
}

/* What one way writes, the other reads; and back. */
static void blocks_arrive(struct lab *lab)
{
	struct pci_dev *disk = lab->disk.pdev;
	u8 wrote[VEC_COUNT * 4096], read[VEC_COUNT * 4096];
	struct blk_vec vec[VEC_COUNT];
	struct sg_table table;
	u64 bytes = vec_init(vec);

	table_init(&table, bytes);
	fill_pattern(wrote, (size_t)bytes, 1);
	table_copy(&table, wrote, false);
	expect_ok(blk_rw_table(disk, 0x1000, &table, true));
	assert_memory_equal(lab->disk.medium + 0x1000, wrote, bytes);
	expect_ok(blk_rw_vec(disk, 0x1000, vec, VEC_COUNT, false));
	vec_copy(vec, read, true);
	assert_memory_equal(read, wrote, bytes);

	fill_pattern(wrote, (size_t)bytes, 2);
	vec_copy(vec, wrote, false);
	expect_ok(blk_rw_vec(disk, 0x20000, vec, VEC_COUNT, true));
	assert_memory_equal(lab->disk.medium + 0x20000, wrote, bytes);
	expect_ok(blk_rw_table(disk, 0x20000, &table, false));
	table_copy(&table, read, true);
	assert_memory_equal(read, wrote, bytes);

	assert_true(blk_single_segments(disk) == (lab->mode->joins ? 2 : 0));
	/* The disk ends before this, and says so. */
	expect_error(blk_rw_vec(disk, BLK_MODEL_BYTES - 512, vec, VEC_COUNT, true), -EIO);
	table_fini(&table);
	vec_fini(vec);
}

/* ---- Tests ------------------------------------------------------------ */

static void drivers_work(void **state)
{
	struct lab *lab = *state;

	lab_build(lab, &lab->mode->config);
	expect_ok(dmasim_insmod("nic_driver"));
	expect_ok(dmasim_insmod("blk-driver"));
	assert_string_equal(lab->a.pdev->driver->name, "nic");
	assert_string_equal(lab->disk.pdev->driver->name, "blk");
	assert_null(lab->gpu->driver);
	frames_arrive(lab);
	blocks_arrive(lab);
	expect_ok(dmasim_rmmod("blk_driver"));
	expect_ok(dmasim_rmmod("nic_driver"));
	lab_end(lab);
}

static void what_is_not_there_cannot_be_loaded(void **state)
{
	struct lab *lab = *state;

	lab_build(lab, NULL);
	expect_error(dmasim_insmod("nic"), -ENOENT);
	expect_error(dmasim_insmod("nic_driver2"), -ENOENT);
	expect_error(dmasim_rmmod(""), -ENOENT);
	expect_ok(dmasim_insmod("nic_driver"));
	expect_error(dmasim_insmod("nic_driver"), -EBUSY);
	expect_ok(dmasim_rmmod("nic_driver"));
	lab_end(lab);
}

/* disk <-> peer memory of the gpu, below one switch: by bus address, past the IOMMU. */
static void the_disk_reads_into_peer_memory(void **state)
{
	struct lab *lab = *state;
	struct scatterlist sg;
	struct sg_table table = { &sg, 0, 1 };
	u8 *peer;

	lab_build(lab, &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
	expect_ok(pci_enable_device(lab->gpu));
	expect_ok(dmasim_insmod("blk_driver"));
	expect_ok(pcim_p2pdma_init(lab->gpu));
	expect_ok(pci_p2pdma_add_resource(lab->gpu, 0, 0, 0));
	peer = pci_alloc_p2pmem(lab->gpu, SZ_16K);
	assert_non_null(peer);
	sg_init_one(&sg, peer, SZ_16K);
	fill_pattern(lab->disk.medium, SZ_16K, 3);
	expect_ok(blk_rw_table(lab->disk.pdev, 0, &table, false));
	assert_memory_equal(peer, lab->disk.medium, SZ_16K);
	fill_pattern(peer, SZ_16K, 4);
	expect_ok(blk_rw_table(lab->disk.pdev, SZ_64K, &table, true));
	assert_memory_equal(peer, lab->disk.medium + SZ_64K, SZ_16K);
	pci_free_p2pmem(lab->gpu, peer, SZ_16K);
	expect_ok(dmasim_rmmod("blk_driver"));
	lab_end(lab);
}

/* Whatever fails, drivers end without a leak; a probe that failed leaves its device alone. */
static void try_everything(struct lab *lab)
{
	u8 frame[64] = { 1 };
	struct blk_vec vec;
	struct page *page;
	bool nic = !dmasim_insmod("nic_driver");
	bool blk = !dmasim_insmod("blk_driver");

	if (lab->a.pdev->driver && lab->b.pdev->driver) {
		if (!nic_send(lab->a.pdev, frame, sizeof(frame)))
			nic_receive(lab->b.pdev, frame, sizeof(frame));
	}
	page = alloc_page(GFP_KERNEL);
	if (lab->disk.pdev->driver && page) {
		vec = (struct blk_vec){ page_to_phys(page), PAGE_SIZE };
		blk_rw_vec(lab->disk.pdev, 0, &vec, 1, false);
	}
	if (page)
		__free_page(page);
	if (blk)
		expect_ok(dmasim_rmmod("blk_driver"));
	if (nic)
		expect_ok(dmasim_rmmod("nic_driver"));
}

static void drivers_survive_every_failure(void **state)
{
	struct lab *lab = *state;
	u64 failures = 1;
	u64 nth = 0;

	while (failures) {
		if (++nth > NTH_MAX)
			fail_msg("allocations fail for ever");
		lab_build(lab, NULL);
		dmasim_suppress(lab->s, DMASIM_REPORT_CHECKER_BLIND);
		dmasim_fail(lab->s, DMASIM_FAULT_ANY, nth);
		try_everything(lab);
		failures = dmasim_failures(lab->s);
		dmasim_fail(lab->s, DMASIM_FAULT_ANY, 0);
		lab_end(lab);
	}
	assert_true(nth > 50);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test_teardown(what_is_not_there_cannot_be_loaded, lab_teardown),
		cmocka_unit_test_teardown(the_disk_reads_into_peer_memory, lab_teardown),
		cmocka_unit_test_teardown(drivers_survive_every_failure, lab_teardown),
	};
	const size_t count = sizeof(others) / sizeof(others[0]);
	struct CMUnitTest tests[MODES + sizeof(others) / sizeof(others[0])];
	struct lab *labs = calloc(MODES + count, sizeof(*labs));
	int failed;

	if (!labs)
		return 1;
	for (size_t i = 0; i < MODES; i++) {
		labs[i].mode = &modes[i];
		snprintf(labs[i].test_name, sizeof(labs[i].test_name),
			 "both_drivers_work_in_mode_%s", modes[i].name);
		tests[i] = (struct CMUnitTest){ labs[i].test_name, drivers_work, NULL, lab_teardown,
						&labs[i] };
	}
	for (size_t i = 0; i < count; i++) {
		tests[MODES + i] = others[i];
		tests[MODES + i].initial_state = &labs[MODES + i];
	}
	test_filter_(argc, argv);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(labs);
	return test_main_(argc, argv, __FILE__, failed);
}
