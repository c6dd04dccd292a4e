/* SPDX-License-Identifier: MIT */
/*
 * The checker's account of what is lent for bouncing: which buffer a copy is of.
 */
#include "bench.h"

#include <stdlib.h>

#include "check/bounces.h"

#define POOL   (64ULL * SZ_1M)
#define BUFFER (8ULL * SZ_1G)

struct account {
	struct world world;
	struct bounces bounces;
	bool blind;
};

static int setup(void **state)
{
	struct account *account = calloc(1, sizeof(*account));

	if (!account)
		return -1;
	world_init(&account->world, &(struct world_config){ 0 });
	bounces_init(&account->bounces, &account->world, &account->blind);
	*state = account;
	return 0;
}

static int teardown(void **state)
{
	struct account *account = *state;
	u64 left;

	bounces_fini(&account->bounces);
	left = account->world.memory.live[DMASIM_FAULT_CHECK_RECORD];
	world_fini(&account->world);
	free(account);
	return left ? -1 : 0;
}

static void lend(struct account *account, phys_addr_t copy, phys_addr_t buffer, u64 bytes)
{
	bounces_add(&account->bounces, &(struct dmasim_event){ .type = DMASIM_EVENT_BOUNCE,
							       .dma = copy,
							       .phys = buffer,
							       .size = bytes });
}

static void give_back(struct account *account, phys_addr_t copy)
{
	bounces_end(&account->bounces,
		    &(struct dmasim_event){ .type = DMASIM_EVENT_BOUNCE_END, .dma = copy });
}

static void expect_original(const struct account *account, phys_addr_t copy, phys_addr_t expected)
{
	expect_u64(bounces_original(&account->bounces, copy), expected);
}

static void a_copy_leads_to_its_buffer_while_it_is_lent(void **state)
{
	struct account *account = *state;

	lend(account, POOL + 5, BUFFER + 5, 3000);
	expect_original(account, POOL + 4, POOL + 4);
	expect_original(account, POOL + 5, BUFFER + 5);
	expect_original(account, POOL + 3004, BUFFER + 3004);
	expect_original(account, POOL + 3005, POOL + 3005);
	give_back(account, POOL + 5);
	expect_original(account, POOL + 5, POOL + 5);
}

/* An unmap from inside a buffer: the pool has the slots back, and lends them again. */
static void what_is_lent_again_is_the_last_borrowers(void **state)
{
	struct account *account = *state;

	lend(account, POOL, BUFFER, SZ_16K);
	lend(account, POOL + SZ_16K, BUFFER + SZ_1M, SZ_4K);
	give_back(account, POOL + SZ_4K);
	lend(account, POOL + 2 * SZ_4K, BUFFER + 2 * SZ_1M, SZ_4K);
	expect_original(account, POOL + 2 * SZ_4K, BUFFER + 2 * SZ_1M);
	/* Nothing of the first loan is left; its neighbour's is. */
	expect_original(account, POOL, POOL);
	expect_original(account, POOL + SZ_16K, BUFFER + SZ_1M);
	give_back(account, POOL + 2 * SZ_4K);
	expect_original(account, POOL + 2 * SZ_4K, POOL + 2 * SZ_4K);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(a_copy_leads_to_its_buffer_while_it_is_lent),
	  T(what_is_lent_again_is_the_last_borrowers))
