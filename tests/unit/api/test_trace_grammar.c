/* SPDX-License-Identifier: MIT */
/*
 * The trace: every line of a run is parsed by the grammar of trace.h and the fields of event.h,
 * strictly, and its hash is that of its bytes.
 */
#include "unit/api/grammar.h"
#include "unit/api/lists.h"

/* ---- A run with everything in it ------------------------------------------------------------- */

struct run {
	struct rig rig;
	FILE *file;
	char *text;
	size_t bytes;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct run));
	return *state ? 0 : -1;
}

static void end_run(struct run *run)
{
	dmasim_destroy(run->rig.s);
	if (run->file)
		fclose(run->file);
	free(run->text);
	*run = (struct run){ 0 };
}

static int teardown(void **state)
{
	end_run(*state);
	free(*state);
	return 0;
}

static void begin_run(struct run *run, struct dmasim_config config)
{
	run->file = open_memstream(&run->text, &run->bytes);
	assert_non_null(run->file);
	config.trace = run->file;
	rig_init(&run->rig, &config);
}

static const char *text_of(struct run *run)
{
	assert_int_equal(fflush(run->file), 0);
	assert_non_null(run->text);
	return run->text;
}

static void one_call_flows(struct rig *rig, u64 seed)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	dma_addr_t dma = dma_map_phys(dev, buf + seed % 4000, SZ_4K, DMA_BIDIRECTIONAL,
				      DMA_ATTR_SKIP_CPU_SYNC);
	struct dmasim_walk walk;
	u8 byte = 1;

	dmasim_walk(rig->nvme, dma, true, &walk);
	dmasim_dev_write(rig->nvme, dma, &byte, 1);
	dmasim_dev_read(rig->nvme, dma, &byte, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	dmasim_run(rig->s, 1000);
	dma = dma_map_page(dev, dmasim_page(rig->s, buf), 0, SZ_4K, DMA_TO_DEVICE);
	dma_unmap_page(dev, dma, SZ_4K, DMA_TO_DEVICE);
	expect_error(dma_mapping_error(dev, dma_map_phys(dev, buf, SZ_4K, DMA_NONE, 0)), -ENOMEM);
	dma_map_phys(dev, buf, SZ_4K, (enum dma_data_direction)9, 0);
	dmasim_report_count(rig->s);
	dma_unmap_phys(dev, 0x1000, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_dev_write(rig->nvme, 0x2000, &byte, 1);
	dmasim_dev_read(rig->disk, 1ULL << 50, &byte, 1);
}

static void shared_memory_flows(struct rig *rig)
{
	struct device *dev = &rig->nvme->dev;
	struct list list;
	dma_addr_t dma;
	void *memory = dma_alloc_coherent(dev, SZ_4K, &dma, GFP_KERNEL);

	assert_non_null(memory);
	dma_free_coherent(dev, SZ_4K, memory, dma);
	dma = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_sync_single_for_cpu(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	dma_sync_single_for_device(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	dma_need_unmap(dev);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	list_init(&list, 1);
	list_set(rig, &list, 0, ram(rig, SZ_4K), SZ_4K);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	dma_sync_sgtable_for_cpu(dev, &list.table, DMA_BIDIRECTIONAL);
	dma_sync_sgtable_for_device(dev, &list.table, DMA_BIDIRECTIONAL);
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
}

static void two_step_flows(struct rig *rig)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;

	if (!dma_iova_try_alloc(dev, &st, buf, SZ_64K))
		return;
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_error(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0), -EADDRINUSE);
	expect_ok(dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, SZ_4K, DMA_TO_DEVICE,
				DMA_ATTR_PRIVILEGED));
	expect_ok(dma_iova_sync(dev, &st, 0, 2 * SZ_4K));
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_PRIVILEGED);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(dma_iova_try_alloc(dev, &st, 0x123, SZ_1M));
	dma_iova_free(dev, &st);
	/* Nothing of that size is below 4 GiB. */
	assert_true(dma_iova_try_alloc(dev, &st, 0, 2ULL * SZ_4G));
	dma_iova_free(dev, &st);
	assert_false(dma_iova_try_alloc(dev, &st, 0, 0));
}

static void peer_flows(struct rig *rig)
{
	struct device *dev = &rig->nvme->dev;
	struct list list;
	void *memory;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	memory = pci_alloc_p2pmem(rig->gpu, SZ_4K);
	list_init(&list, 3);
	list_set(rig, &list, 0, ram(rig, SZ_4K), SZ_4K);
	list_set(rig, &list, 1, pci_resource_start(rig->gpu, 0), SZ_4K);
	list_set(rig, &list, 2, ram(rig, SZ_4K) + 8, 100);
	list_remember(&list);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
	expect_u64(dma_map_sg(dev, list.sg, 3, DMA_NONE), 0);
	pci_free_p2pmem(rig->gpu, memory, SZ_4K);
	pci_p2pdma_distance(rig->gpu, &rig->disk->dev, false);
	dmasim_p2pdma_release(rig->gpu);
	pci_write_config_word(rig->gpu, PCI_COMMAND, 0);
}

/* The queue has stopped after that. */
static void hang_flows(struct rig *rig)
{
	struct device *dev = &rig->nic->dev;
	dma_addr_t dma = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	u8 byte;

	dmasim_dev_read(rig->nic, dma, &byte, 1);
	dmasim_device_hang(rig->nic, true);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

static void do_everything(struct run *run, const struct dmasim_config *config)
{
	static const u8 constant = 1;
	static u8 outside;
	phys_addr_t adopted;

	begin_run(run, *config);
	one_call_flows(&run->rig, dmasim_random(run->rig.s, 4000));
	two_step_flows(&run->rig);
	shared_memory_flows(&run->rig);
	peer_flows(&run->rig);
	adopted = dmasim_adopt(run->rig.s, (void *)(uintptr_t)&constant, 1);
	dmasim_unadopt(run->rig.s, adopted);
	/* No memory of the machine's; and a driver that lets go. */
	dma_map_single(&run->rig.nvme->dev, &outside, 1, DMA_TO_DEVICE);
	dmasim_driver_unbound(run->rig.nic);
	/* A lazy domain flushes. */
	dmasim_run(run->rig.s, 20000000);
	/* A leak, found at the end. */
	dma_map_phys(&run->rig.nvme->dev, ram(&run->rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	if (config->iommu_device_tlb)
		hang_flows(&run->rig);
	dmasim_check_clean(run->rig.s, NULL, 0);
}

static const struct dmasim_config configs[] = {
	{ DMASIM_CONFIG },
	{ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF, .seed = 5 },
	{ DMASIM_CONFIG, .trace_hops = true, .iommu_levels = 3, .iommu_caching_mode = true,
	  .iommu_device_tlb = true, .context_entries = 4, .ram_bytes = SZ_1G },
	{ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU, .trace_hops = true },
	{ DMASIM_CONFIG, .iommu_incoherent = true, .iommu_snoop = true, .cpu = DMASIM_CPU_AMD },
	{ DMASIM_CONFIG, .random_choices = true, .iotlb_entries = 4, .no_check = true },
	{ DMASIM_CONFIG, .policy = DMASIM_LAZY },
	{ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU, .swiotlb = DMASIM_SWIOTLB_FORCE },
	{ DMASIM_CONFIG, .traits = { .untrusted = true, .no_snoop = true } },
	{ DMASIM_CONFIG, .iommu_scalable = true, .iommu_caching_mode = true, .pasid_entries = 4 },
	{ DMASIM_CONFIG, .iommu_scalable = true, .iommu_first_stage = true, .iommu_levels = 5 },
	{ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .iommu_caching_mode = true,
	  .iommu_device_tlb = true },
	{ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .iommu_device_tlb = true },
	{ DMASIM_CONFIG, .iommu = DMASIM_RISCV, .iommu_device_tlb = true, .context_entries = 4,
	  .riscv_without = DMASIM_RISCV_S },
};

#define CONFIGS (sizeof(configs) / sizeof(configs[0]))

/* ---- Tests ----------------------------------------------------------------------------------- */

/* The parser itself: what it must refuse. */
static void what_is_not_in_the_grammar_is_refused(void **state)
{
	static const char good[] = "t=5 cpu=0 iova_free dom=1 dma=0x1000 size=4096\n";
	static const char *const bad[] = {
		"t=4 cpu=0 iova_free dom=1 dma=0x1000 size=4096\n",  /* time runs backwards */
		"t=05 cpu=0 iova_free dom=1 dma=0x1000 size=4096\n", /* a leading zero */
		"t=5 iova_free dom=1 dma=0x1000 size=4096\n",
		"t=5 cpu=0 iova_freed dom=1 dma=0x1000 size=4096\n",
		"t=5 cpu=0 iova_free dma=0x1000 dom=1 size=4096\n", /* out of order */
		"t=5 cpu=0 iova_free dom=1 dma=4096 size=4096\n",
		"t=5 cpu=0 iova_free dom=1 dma=0x01000 size=4096\n",
		"t=5 cpu=0 iova_free dom=1 dma=0xABC000 size=4096\n",
		"t=5 cpu=0 iova_free dom=1 dma=0x1000 size=0x1000\n",
		"t=5 cpu=0 iova_free dom=1 dma=0x1000 size=4096 ret=0\n",
		"t=5 cpu=0 iova_free dom=1 dma=0x1000\n",
		"t=5 cpu=0 iova_free dom=1  dma=0x1000 size=4096\n",
		"t=5 cpu=0 iova_free dom=1 dma=0x1000 size=4096 \n",
		"t=5 cpu=0 dma_iova_free dev=00:03.0 st=1 dma=0x1000 size=1\n",
		"t=5 cpu=0 dma_iova_free dev=0000:03:00.8 st=1 dma=0x1000 size=1\n",
		"t=5 cpu=0 p2pmem_free dev=0000:03:00.0 phys=0x0 size=-1\n",
	};
	const char *at = good;
	u64 time = 5;

	(void)state;
	assert_true(trace_take_line(&at, &time));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		time = 5;
		at = bad[i];
		if (trace_take_line(&at, &time))
			fail_msg("taken: %s", bad[i]);
	}
}

static void every_line_is_in_the_grammar(void **state)
{
	for (size_t i = 0; i < CONFIGS; i++) {
		do_everything(*state, &configs[i]);
		assert_true(expect_grammar(text_of(*state)) > 30);
		end_run(*state);
	}
}

#define SOFTWARE_EVENTS (sizeof(trace_software) / sizeof(trace_software[0]))
#define HARDWARE_EVENTS (sizeof(trace_hardware) / sizeof(trace_hardware[0]))

static bool occurs(struct run *run, const char *name)
{
	const char *at = text_of(run);
	char words[64];

	snprintf(words, sizeof(words), " cpu=0 %s", name);
	while ((at = strstr(at, words))) {
		at += strlen(words);
		if (*at == ' ' || *at == '\n')
			return true;
	}
	return false;
}

/* Of the software's events, each one that can come does come, so the test above has seen it. */
static void every_event_occurs(void **state)
{
	struct run *run = *state;
	bool seen[SOFTWARE_EVENTS] = { false };
	bool seen_hardware[HARDWARE_EVENTS] = { false };

	for (size_t c = 1; c < CONFIGS; c++) {
		do_everything(run, &configs[c]);
		for (size_t i = 0; i < SOFTWARE_EVENTS; i++)
			seen[i] |= occurs(run, trace_software[i].name);
		for (size_t i = 0; i < HARDWARE_EVENTS; i++)
			seen_hardware[i] |= occurs(run, trace_hardware[i].name);
		end_run(run);
	}
	for (size_t i = 0; i < SOFTWARE_EVENTS; i++) {
		/* Entries that are written by other means than map and unmap: nothing here does. */
		if (!seen[i] && strcmp(trace_software[i].name, "iommu_changed") != 0)
			fail_msg("no event %s", trace_software[i].name);
	}
	for (size_t i = 0; i < HARDWARE_EVENTS; i++) {
		/* Nothing here hands over a command that is none, or detaches a device. */
		if (!seen_hardware[i] && strcmp(trace_hardware[i].name, "queue_error") != 0 &&
		    strcmp(trace_hardware[i].name, "riscv_iodir") != 0)
			fail_msg("no event %s", trace_hardware[i].name);
	}
}

static u64 fnv_1a(const char *text)
{
	u64 hash = 0xcbf29ce484222325ULL;

	for (; *text; text++) {
		hash ^= (u8)*text;
		hash *= 0x100000001b3ULL;
	}
	return hash;
}

static void the_hash_is_that_of_all_bytes(void **state)
{
	struct run *run = *state;

	begin_run(run, configs[0]);
	expect_u64(dmasim_trace_hash(run->rig.s), fnv_1a(text_of(run)));
	end_run(run);
	do_everything(run, &configs[1]);
	expect_u64(dmasim_trace_hash(run->rig.s), fnv_1a(text_of(run)));
}

static void a_hash_needs_no_file(void **state)
{
	struct run *run = *state;
	struct dmasim_config config = { DMASIM_CONFIG, .trace_hash = true, .seed = 3 };
	u64 hash;

	rig_init(&run->rig, &config);
	two_step_flows(&run->rig);
	hash = dmasim_trace_hash(run->rig.s);
	dmasim_destroy(run->rig.s);
	config.trace_hash = false;
	begin_run(run, config);
	two_step_flows(&run->rig);
	expect_u64(dmasim_trace_hash(run->rig.s), hash);
	expect_u64(fnv_1a(text_of(run)), hash);
}

static void the_same_seed_gives_the_same_trace(void **state)
{
	struct run *run = *state;

	for (size_t i = 0; i < CONFIGS; i++) {
		char *first;
		bool same;

		do_everything(run, &configs[i]);
		first = strdup(text_of(run));
		end_run(run);
		do_everything(run, &configs[i]);
		same = first && !strcmp(first, text_of(run));
		free(first);
		assert_true(same);
		end_run(run);
	}
}

static void another_seed_shows_in_the_trace(void **state)
{
	struct run *run = *state;
	u64 first;

	do_everything(run, &(struct dmasim_config){ DMASIM_CONFIG, .seed = 1 });
	first = dmasim_trace_hash(run->rig.s);
	end_run(run);
	do_everything(run, &(struct dmasim_config){ DMASIM_CONFIG, .seed = 2 });
	assert_true(dmasim_trace_hash(run->rig.s) != first);
}

/* Sites appear in reports, never in traces: the trace is the same from another file or line. */
static void no_call_site_is_in_the_trace(void **state)
{
	struct run *run = *state;

	do_everything(run, &configs[0]);
	assert_null(strstr(text_of(run), ".c"));
	assert_null(strchr(text_of(run), '/'));
	assert_null(strstr(text_of(run), "two_step_flows"));
}

/* The example of trace.h, from a call with these arguments. */
static void a_link_is_a_line_with_its_arguments_and_result(void **state)
{
	struct run *run = *state;
	struct dma_iova_state st;
	char line[256];
	phys_addr_t buf;

	begin_run(run, configs[0]);
	buf = ram(&run->rig, SZ_4K);
	assert_true(dma_iova_try_alloc(&run->rig.nvme->dev, &st, buf, SZ_4K));
	expect_ok(dma_iova_link(&run->rig.nvme->dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0));
	snprintf(line, sizeof(line),
		 "\nt=0 cpu=0 dma_iova_link dev=0000:03:00.0 st=1 dma=0x%llx phys=0x%llx off=0 "
		 "size=4096 dir=TO_DEVICE ret=0\n",
		 st.addr, buf);
	assert_non_null(strstr(text_of(run), line));
	snprintf(line, sizeof(line),
		 "\nt=0 cpu=0 dma_iova_try_alloc dev=0000:03:00.0 st=1 dma=0x%llx phys=0x%llx "
		 "size=4096 ret=",
		 st.addr, buf);
	assert_non_null(strstr(text_of(run), line));
	dma_iova_destroy(&run->rig.nvme->dev, &st, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_run(run->rig.s, 77);
	assert_true(dma_iova_try_alloc(&run->rig.nvme->dev, &st, buf, SZ_4K));
	assert_non_null(
		strstr(text_of(run), "\nt=77 cpu=0 dma_iova_try_alloc dev=0000:03:00.0 st=2 "));
}

static void attributes_are_printed_only_when_set(void **state)
{
	struct run *run = *state;
	struct device *dev;
	char line[256];
	phys_addr_t buf;
	dma_addr_t dma;

	begin_run(run, configs[0]);
	dev = &run->rig.nvme->dev;
	buf = ram(&run->rig, SZ_4K);
	dma = dma_map_phys(dev, buf, 100, DMA_FROM_DEVICE, DMA_ATTR_WEAK_ORDERING);
	dma_unmap_phys(dev, dma, 100, DMA_FROM_DEVICE, 0);
	snprintf(line, sizeof(line),
		 "dma_map_phys dev=0000:03:00.0 dma=0x%llx phys=0x%llx size=100 dir=FROM_DEVICE "
		 "attrs=0x2\n",
		 dma, buf);
	assert_non_null(strstr(text_of(run), line));
	snprintf(line, sizeof(line),
		 "dma_unmap_phys dev=0000:03:00.0 dma=0x%llx size=100 dir=FROM_DEVICE\n", dma);
	assert_non_null(strstr(text_of(run), line));
}

static void a_failed_map_prints_the_error_value(void **state)
{
	struct run *run = *state;

	begin_run(run, configs[0]);
	expect_ok(dma_set_mask(&run->rig.nvme->dev, SZ_4K - 1));
	dma_map_phys(&run->rig.nvme->dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);
	assert_non_null(strstr(text_of(run), " dma_map_phys dev=0000:03:00.0 "
					     "dma=0xffffffffffffffff phys=0x100000 size=4096 "
					     "dir=TO_DEVICE\n"));
}

static void the_machine_does_not_close_the_file(void **state)
{
	struct run *run = *state;

	begin_run(run, configs[0]);
	dmasim_destroy(run->rig.s);
	run->rig.s = NULL;
	assert_true(fputs("# still open\n", run->file) >= 0);
	assert_non_null(strstr(text_of(run), "# still open\n"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(TEST(what_is_not_in_the_grammar_is_refused), TEST(every_line_is_in_the_grammar),
	  TEST(every_event_occurs), TEST(the_hash_is_that_of_all_bytes), TEST(a_hash_needs_no_file),
	  TEST(the_same_seed_gives_the_same_trace), TEST(another_seed_shows_in_the_trace),
	  TEST(no_call_site_is_in_the_trace), TEST(a_link_is_a_line_with_its_arguments_and_result),
	  TEST(attributes_are_printed_only_when_set), TEST(a_failed_map_prints_the_error_value),
	  TEST(the_machine_does_not_close_the_file))
