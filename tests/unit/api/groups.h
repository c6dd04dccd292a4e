/* SPDX-License-Identifier: MIT */
/*
 * For tests of groups on imported dumps: who is together, as a picture.
 *
 *   expect_groups(dump, "00:01.0 01:00.0 | 00:02.0");
 */
#ifndef API_GROUPS_H
#define API_GROUPS_H

#include "unit/api/dump.h"

#define ACS_ON	0x1d /* SV, RR, CR and UF */
#define ACS_ALL 0x7f

static inline int group_at(struct dump *dump, const char *bdf)
{
	int group = dmasim_group(dump_dev(dump, bdf));

	if (group < 0)
		print_error("%s is in no group\n", bdf);
	assert_true(group >= 0);
	return group;
}

/* The devices between two bars are in one group, those beside a bar in different ones. */
static inline void expect_groups(struct dump *dump, const char *picture)
{
	static const char *const blanks = " \n\t";
	char text[1024], *at, *rest = text;
	int seen[64], current = -1;
	u32 count = 0;

	assert_true(snprintf(text, sizeof(text), "%s", picture) < (int)sizeof(text));
	while ((at = strtok_r(rest, blanks, &rest))) {
		int group;

		if (!strcmp(at, "|")) {
			current = -1;
			continue;
		}
		group = group_at(dump, at);
		if (current < 0) {
			for (u32 i = 0; i < count; i++) {
				if (seen[i] == group)
					print_error("%s is with others\n", at);
				assert_int_not_equal(seen[i], group);
			}
			assert_true(count < sizeof(seen) / sizeof(seen[0]));
			seen[count++] = group;
			current = group;
		}
		if (group != current)
			print_error("%s is not with those before it\n", at);
		assert_int_equal(group, current);
	}
}

static inline void expect_why(struct dump *dump, const char *bdf, const char *text)
{
	assert_string_equal(dmasim_group_reason_text(dump_dev(dump, bdf)).text, text);
}

/* A function of this vendor and device. */
static inline struct dump_function *dump_id(struct dump_function *function, u32 vendor, u32 device)
{
	dump_put(function, PCI_VENDOR_ID, 4, device << 16 | vendor);
	return function;
}

/* A port with all of ACS, of which `control` is on. */
static inline struct dump_function *dump_port(struct dump *dump, const char *address, u32 type,
					      u32 secondary, u32 subordinate, u32 control)
{
	struct dump_function *port = dump_bridge(dump, address, secondary, subordinate);

	dump_express(port, type);
	dump_acs(port, ACS_ALL, control);
	return port;
}

static inline struct dump_function *dump_root_port(struct dump *dump, const char *address,
						   u32 secondary, u32 subordinate, u32 control)
{
	return dump_port(dump, address, PCI_EXP_TYPE_ROOT_PORT, secondary, subordinate, control);
}

/* Says that there are more in its slot. */
static inline struct dump_function *dump_multi(struct dump_function *function)
{
	dump_put(function, PCI_HEADER_TYPE, 1,
		 function->config[PCI_HEADER_TYPE] | PCI_HEADER_TYPE_MULTI);
	return function;
}

static inline int dump_setup_strict(void **state)
{
	return dump_setup_config(
		state,
		&(struct dmasim_config){ DMASIM_CONFIG, .group_policy = DMASIM_GROUPS_STRICT });
}

#define STRICT_TEST(name) cmocka_unit_test_setup_teardown(name, dump_setup_strict, dump_teardown)

/* The device at the address does DMA, through the IOMMU. */
static inline void expect_dma(struct dump *dump, const char *bdf)
{
	struct pci_dev *pdev = dump_dev(dump, bdf);
	phys_addr_t buf = dmasim_alloc(dump->s, SZ_4K);
	dma_addr_t dma;

	dma = dma_map_phys(&pdev->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_false(dma_mapping_error(&pdev->dev, dma));
	expect_done(dmasim_dev_write(pdev, dma, "hello", 5), 5);
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(dump->s, buf, SZ_4K);
	dmasim_assert_clean(dump->s);
}

#endif
