/* SPDX-License-Identifier: MIT */
/*
 * A C++ program that uses every function-like macro of the public headers, and so most of the
 * calls: headers.sh compiles, links and runs it. Exit status 0: what it did had the results it
 * should have.
 */
#include <cerrno>
#include <cstdio>
#include <cstdlib>

/* In place of CMocka's, for dmasim/cmocka.h. */
#define print_error(...)  std::fprintf(stderr, __VA_ARGS__)
#define _fail(file, line) (std::fprintf(stderr, "%s:%d\n", (file), (line)), std::abort())

#include <dmasim/assert.h>
#include <dmasim/cmocka.h>
#include <dmasim/dmasim.h>
#include <dmasim/iova.h>
#include <dmasim/page-table.h>
#include <dmasim/platform.h>

#define CHECK(condition)                                                                  \
	do {                                                                              \
		if (!(condition)) {                                                       \
			std::fprintf(stderr, "whole.cpp:%d: %s\n", __LINE__, #condition); \
			std::exit(1);                                                     \
		}                                                                         \
	} while (0)

static_assert(DMA_BIT_MASK(64) == ~0ULL, "");
static_assert(DMASIM_SBDF(1, 2, 3, 4) == 0x1021c, "");
static_assert(PCI_SLOT(PCI_DEVFN(3, 4)) == 3 && PCI_FUNC(PCI_DEVFN(3, 4)) == 4, "");
static_assert(PCI_EXT_CAP_ID(0x1401000d) == 0xd && PCI_EXT_CAP_NEXT(0x1401000d) == 0x140, "");
static_assert(PCI_ACS_EGRESS_BITS(0x2000) == 32 && PCI_ACS_EGRESS_BITS(0x20) == 256, "");
static_assert(DMASIM_SENDS_AS(8) == 0x108, "");
static_assert(PCI_ATS_CAP_QDEP(0x65) == 5 && PCI_ATS_CTRL_STU(0x8003) == 3, "");

static const iova_allocator_ops plugin_ops = {};

DMASIM_IOVA_PLUGIN(plugin_ops)

struct machine {
	struct dmasim *s;
	struct pci_dev *pdev;
	struct device *dev;
	phys_addr_t phys;
	struct page *page;
};

static void one_call(const machine &m)
{
	dma_addr_t dma = dma_map_phys(m.dev, m.phys, SZ_4K, DMA_TO_DEVICE, 0);
	u64 word = 1;

	CHECK(!dma_mapping_error(m.dev, dma));
	CHECK(dmasim_dev_read(m.pdev, dma, &word, sizeof(word)).done == sizeof(word));
	CHECK(word == 0);
	dma_unmap_phys(m.dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dma = dma_map_page(m.dev, m.page, 0, SZ_4K, DMA_FROM_DEVICE);
	CHECK(!dma_mapping_error(m.dev, dma));
	dma_unmap_page(m.dev, dma, SZ_4K, DMA_FROM_DEVICE);
	dma = dma_map_page_attrs(m.dev, m.page, 0, SZ_4K, DMA_FROM_DEVICE, DMA_ATTR_NO_WARN);
	CHECK(!dma_mapping_error(m.dev, dma));
	dma_unmap_page_attrs(m.dev, dma, SZ_4K, DMA_FROM_DEVICE, DMA_ATTR_NO_WARN);
}

static void lists(const machine &m)
{
	struct scatterlist list[2];
	struct sg_table table = { list, 0, 2 };
	struct scatterlist *sg;
	unsigned int i;
	u64 bytes = 0;

	sg_init_table(list, 2);
	for_each_sgtable_sg(&table, sg, i)
		sg_set_page(sg, dmasim_page(m.s, m.phys + i * SZ_4K), SZ_4K, 0);
	CHECK(dma_map_sg(m.dev, list, 2, DMA_BIDIRECTIONAL) > 0);
	dma_unmap_sg(m.dev, list, 2, DMA_BIDIRECTIONAL);
	CHECK(dma_map_sg_attrs(m.dev, list, 2, DMA_BIDIRECTIONAL, 0) > 0);
	dma_unmap_sg_attrs(m.dev, list, 2, DMA_BIDIRECTIONAL, 0);
	CHECK(dma_map_sgtable(m.dev, &table, DMA_TO_DEVICE, 0) == 0);
	for_each_sgtable_dma_sg(&table, sg, i) {
		CHECK(sg_dma_address(sg) != DMA_MAPPING_ERROR);
		bytes += sg_dma_len(sg);
	}
	CHECK(bytes == 2 * SZ_4K);
	dma_unmap_sgtable(m.dev, &table, DMA_TO_DEVICE, 0);
	bytes = 0;
	for_each_sg(list, sg, 2, i)
		bytes += sg->length;
	CHECK(bytes == 2 * SZ_4K);
}

static void two_steps(const machine &m)
{
	struct dma_iova_state state;

	CHECK(dma_iova_try_alloc(m.dev, &state, m.phys, SZ_16K));
	CHECK(dma_use_iova(&state) && dma_iova_size(&state) == SZ_16K);
	CHECK(dma_iova_link(m.dev, &state, m.phys, 0, SZ_16K, DMA_FROM_DEVICE, 0) == 0);
	CHECK(dma_iova_sync(m.dev, &state, 0, SZ_16K) == 0);
	CHECK(dmasim_dev_write(m.pdev, state.addr, "hello", 6).status == DMASIM_DONE);
	dma_iova_unlink(m.dev, &state, 0, SZ_16K, DMA_FROM_DEVICE, 0);
	dma_iova_free(m.dev, &state);
	CHECK(dma_iova_try_alloc(m.dev, &state, m.phys, SZ_4K));
	CHECK((dma_iova_link)(m.dev, &state, m.phys, 0, SZ_4K, DMA_FROM_DEVICE, 0) == 0);
	CHECK((dma_iova_sync)(m.dev, &state, 0, SZ_4K) == 0);
	dma_iova_destroy(m.dev, &state, SZ_4K, DMA_FROM_DEVICE, 0);
}

static void turns(const machine &m)
{
	void *memory = dmasim_ptr(m.s, m.phys, SZ_4K);
	dma_addr_t dma = dma_map_single(m.dev, memory, SZ_4K, DMA_BIDIRECTIONAL);
	struct scatterlist sg[1];
	struct sg_table table = { sg, 0, 1 };

	dma_sync_single_for_cpu(m.dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	dma_sync_single_for_device(m.dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	dma_sync_single_range_for_cpu(m.dev, dma, SZ_1K, SZ_1K, DMA_BIDIRECTIONAL);
	dma_sync_single_range_for_device(m.dev, dma, SZ_1K, SZ_1K, DMA_BIDIRECTIONAL);
	dma_unmap_single(m.dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	dma = dma_map_single_attrs(m.dev, memory, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_single_attrs(m.dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(m.s, DMASIM_REPORT_RESOURCE_IS_RAM, 1);
	dma = dma_map_resource(m.dev, m.phys, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_resource(m.dev, dma, SZ_4K, DMA_TO_DEVICE, 0);

	sg_init_table(sg, 1);
	sg_set_page(sg, m.page, SZ_4K, 0);
	CHECK(dma_map_sgtable(m.dev, &table, DMA_BIDIRECTIONAL, 0) == 0);
	dma_sync_sgtable_for_cpu(m.dev, &table, DMA_BIDIRECTIONAL);
	dma_sync_sgtable_for_device(m.dev, &table, DMA_BIDIRECTIONAL);
	dma_sync_sg_for_cpu(m.dev, sg, 1, DMA_BIDIRECTIONAL);
	dma_sync_sg_for_device(m.dev, sg, 1, DMA_BIDIRECTIONAL);
	dma_unmap_sgtable(m.dev, &table, DMA_BIDIRECTIONAL, 0);
}

static void shared_memory(const machine &m)
{
	struct sg_table *table;
	struct page *page;
	dma_addr_t dma;
	void *memory;

	memory = dma_alloc_coherent(m.dev, SZ_4K, &dma, GFP_KERNEL);
	CHECK(memory);
	dma_free_coherent(m.dev, SZ_4K, memory, dma);
	memory = dma_alloc_attrs(m.dev, SZ_4K, &dma, GFP_KERNEL, 0);
	CHECK(memory);
	dma_free_attrs(m.dev, SZ_4K, memory, dma, 0);
	page = dma_alloc_pages(m.dev, SZ_4K, &dma, DMA_TO_DEVICE, GFP_KERNEL);
	CHECK(page);
	dma_free_pages(m.dev, SZ_4K, page, dma, DMA_TO_DEVICE);
	memory = dma_alloc_noncoherent(m.dev, SZ_4K, &dma, DMA_TO_DEVICE, GFP_KERNEL);
	CHECK(memory);
	dma_free_noncoherent(m.dev, SZ_4K, memory, dma, DMA_TO_DEVICE);
	table = dma_alloc_noncontiguous(m.dev, SZ_16K, DMA_TO_DEVICE, GFP_KERNEL, 0);
	CHECK(table && table->nents == 1);
	dma_free_noncontiguous(m.dev, SZ_16K, table, DMA_TO_DEVICE);
}

static void iova_space(const machine &m)
{
	struct iova_domain iovad;
	struct iova *iova;
	dmasim_ulong pfn;

	dmasim_iova_domain_init(m.s, &iovad, SZ_4K, 1);
	CHECK(iova_domain_init_rcaches(&iovad) == 0);
	iova = alloc_iova(&iovad, 3, 99, true);
	CHECK(iova && iova_size(iova) == 3 && find_iova(&iovad, 97) == iova);
	CHECK(iova_pfn(&iovad, iova_dma_addr(&iovad, iova)) == iova->pfn_lo);
	__free_iova(&iovad, iova);
	CHECK(reserve_iova(&iovad, 99, 99));
	pfn = alloc_iova_fast(&iovad, 1, 99, true);
	CHECK(pfn == 98 && iova_align(&iovad, 1) == iova_rcache_range() / 32);
	free_iova_fast(&iovad, pfn, 1);
	free_iova(&iovad, 99);
	put_iova_domain(&iovad);
}

static void devices(const machine &m)
{
	CHECK(to_pci_dev(m.dev) == m.pdev);
	CHECK(DMASIM_AT(m.dev) == m.dev && m.dev->site->line == __LINE__);
	CHECK(DMASIM_SITE_HERE->line == __LINE__);
	CHECK(pci_resource_flags(m.pdev, 0) & IORESOURCE_MEM);
	CHECK(pci_resource_end(m.pdev, 0) - pci_resource_start(m.pdev, 0) + 1 == SZ_16K);
	CHECK(pci_resource_len(m.pdev, 0) == SZ_16K);
	CHECK(page_to_phys(m.page) == m.phys && !is_pci_p2pdma_page(m.page));
}

static void pools(const machine &m)
{
	struct dma_pool *pool = dma_pool_create("whole", m.dev, 64, 0, 0);
	dma_addr_t first, second;
	void *at;

	CHECK(DMASIM_AT_POOL(pool) == pool && m.dev->site->line == __LINE__);
	at = dma_pool_alloc(pool, GFP_KERNEL, &first);
	CHECK(at);
	dma_pool_free(pool, at, first);
	at = dma_pool_zalloc(pool, GFP_KERNEL, &second);
	CHECK(at && first == second);
	dma_pool_free(pool, at, second);
	dma_pool_destroy(pool);
}

static void peer_memory(const machine &m)
{
	unsigned int nents;
	struct scatterlist *sg;
	void *memory;

	CHECK(DMASIM_AT_PCI(m.pdev) == m.pdev && m.dev->site->line == __LINE__);
	CHECK(!pci_p2pdma_add_resource(m.pdev, 0, 0, 0));
	memory = pci_alloc_p2pmem(m.pdev, SZ_4K);
	sg = pci_p2pmem_alloc_sgl(m.pdev, &nents, SZ_4K);
	CHECK(memory && sg && nents == 1);
	pci_p2pmem_free_sgl(m.pdev, sg);
	pci_free_p2pmem(m.pdev, memory, SZ_4K);
	pci_p2pmem_publish(m.pdev, true);
	CHECK(pci_has_p2pmem(m.pdev) && pci_p2pmem_find(m.dev) == m.pdev);
	dmasim_p2pdma_release(m.pdev);
}

static void description()
{
	static const dmasim_register registers[] = { { 0, 0x09a28086 }, { 8, 0x06000000 } };
	static const dmasim_function function = { .bdf = "00:00.0",
						  .config_bytes = 64,
						  DMASIM_REGISTERS(registers) };
	static const dmasim_description machine = { .functions = &function, .function_count = 1 };
	dmasim *s = dmasim_create(NULL);

	CHECK(s && dmasim_import_description(s, &machine, NULL, NULL) == 0);
	CHECK(dmasim_next_dev(s, NULL)->vendor == 0x8086);
	CHECK(dmasim_destroy(s) == 0);
}

static void note_report(struct dmasim *, const struct dmasim_report *report, void *cookie)
{
	*static_cast<u32 *>(cookie) += report->id == DMASIM_REPORT_UNMAP_NOT_MAPPED;
}

static void reports(const machine &m)
{
	dmasim_report_match match = {};
	struct dmasim_report report;
	struct dmasim_error error;
	char rules[256];
	u32 told = 0, at = 0;

	match.id = DMASIM_REPORT_UNMAP_NOT_MAPPED;
	match.function = "rep*";
	CHECK(dmasim_expect_match(m.s, &match, 1) == 0);
	match.dev = "99:*";
	CHECK(dmasim_suppress_match(m.s, &match) == 0);
	CHECK(dmasim_parse_suppressions(m.s, "suppress *?", 11, "text", &error) == -EINVAL);
	CHECK(dmasim_read_suppressions(m.s, "/nowhere", NULL) == -ENOENT);
	dmasim_on_report(m.s, note_report, &told);
	dma_unmap_phys(m.dev, 0x5000, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_on_report(m.s, NULL, NULL);
	CHECK(told == 0);
	CHECK(dmasim_report_find(m.s, match.id, &report) && report.call.line > 0);
	match = dmasim_report_match();
	match.standing = DMASIM_EXPECTED;
	CHECK(dmasim_report_next(m.s, &match, &at, &report) && report.expected);
	CHECK(dmasim_report_matches(m.s, NULL) >= dmasim_report_matches(m.s, &match));
	CHECK(dmasim_report_rules(m.s, rules, sizeof(rules)) == 1);
	CHECK(dmasim_check_news(m.s, NULL, 0) == 0);
}

static void fixtures()
{
	void *state = NULL;

	CHECK(dmasim_cmocka_setup(&state) == 0);
	dmasim_on_report(static_cast<struct dmasim *>(state), dmasim_cmocka_tell, NULL);
	CHECK(dmasim_cmocka_teardown(&state) == 0);
}

int main()
{
	struct dmasim_config config = { DMASIM_CONFIG, .iommu = DMASIM_VTD, .seed = 7 };
	const unsigned int bug = DMASIM_BUG(ZERO_MIDDLE);
	const unsigned int repair = IOVA_REPAIR(MAX32) | IOVA_REPAIR(CACHE_MISS);
	struct dmasim_endpoint endpoint = {};
	machine m = {};

	m.s = dmasim_create(&config);
	DMASIM_CONTRACT(DMASIM_LIKELY(m.s), "the process has memory");
	CHECK(bug && !config.bugs);
	CHECK(dmasim_iova_plugin() == &plugin_ops);
	CHECK(repair == 3 && !config.iova_repairs && dmasim_iova_by_name("linux"));
	CHECK(dmasim_pgtable_by_name("amdv1") && dmasim_pgtable_host(m.s));
	CHECK(!DMASIM_UNLIKELY(dmasim_seed(m.s) != 7));
	endpoint.bar[0] = SZ_16K;
	m.pdev = dmasim_add_endpoint(m.s, "00:01.0/00.0", &endpoint);
	CHECK(m.pdev);
	m.dev = &m.pdev->dev;
	m.phys = dmasim_alloc(m.s, SZ_16K);
	CHECK(m.phys != DMASIM_NO_PHYS);
	m.page = dmasim_page(m.s, m.phys);
	CHECK(m.page);
	CHECK(dma_set_mask(m.dev, DMA_BIT_MASK(64)) == 0);

	devices(m);
	pools(m);
	peer_memory(m);
	iova_space(m);
	one_call(m);
	lists(m);
	two_steps(m);
	turns(m);
	shared_memory(m);
	description();
	reports(m);
	fixtures();

	dmasim_assert_clean(m.s);
	dmasim_must_be_clean(m.s);
	dmasim_must_end(m.s);
	return 0;
}
