/* SPDX-License-Identifier: MIT */
/*
 * Virtual functions of SR-IOV: who answers which number, what they decode, what is their own.
 *
 *   bus 00 -- 00:01.0 root port [01, 03] -- 01:00.0 the PF
 *                                        -- VF 0 01:10.0   VF 1 01:18.0
 *                                  bus 02   VF 2 02:00.0   VF 3 02:08.0
 */
#include <string.h>

#include "bench.h"

#include "hw/engine.h"

#define PF_AT 0x80000000ULL
#define VF_AT 0x80100000ULL

#define ENABLED (PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE)

struct slot {
	struct bench *bench;
	struct hw_root *root;
	struct hw_function *port, *pf;
};

static struct hw_function *add_pf(struct slot *slot, const struct bench_function *what)
{
	struct hw_function *pf = bench_add(slot->bench, slot->port->secondary, what);

	bench_set_bar(pf, 0, PF_AT);
	hw_config_write(pf, BENCH_SRIOV_AT + PCI_SRIOV_BAR, 4, (u32)VF_AT);
	bench_command(pf, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return pf;
}

static const struct bench_function four = {
	.express_type = PCI_EXP_TYPE_ENDPOINT,
	.acs = 0x1f,
	.ats = true,
	.ats_bits = 0x20,
	.bar = { { .bytes = SZ_16K } },
	.sriov = { .total = 4, .offset = 0x80, .stride = 0x40, .bar_bytes = { SZ_16K } },
};

static int slot_setup(void **state)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	if (!slot || bench_setup(state))
		return -1;
	slot->bench = *state;
	*state = slot;
	slot->root = hw_root_add(&slot->bench->hw, 0, 0, 0x1f);
	slot->root->window[0] = (struct hw_window){ .start = 0x80000000, .bytes = SZ_16M };
	slot->root->window_count = 1;
	slot->root->forwards = HW_FORWARDS_ANY;
	ram_add_range(&slot->bench->hw.ram, 0, SZ_1M);
	slot->port = bench_port(slot->bench, &slot->root->bus,
				&(struct bench_port){ .devfn = PCI_DEVFN(1, 0),
						      .express_type = PCI_EXP_TYPE_ROOT_PORT,
						      .secondary = 1,
						      .subordinate = 3,
						      .start = 0x80000000,
						      .last = 0x801fffff });
	slot->pf = add_pf(slot, &four);
	return 0;
}

static int slot_teardown(void **state)
{
	struct slot *slot = *state;
	void *bench = slot->bench;

	free(slot);
	return bench_teardown(&bench);
}

static void set_count(struct hw_function *pf, u32 count)
{
	hw_config_write(pf, BENCH_SRIOV_AT + PCI_SRIOV_NUM_VF, 2, count);
}

static void set_control(struct hw_function *pf, u32 bits)
{
	hw_config_write(pf, BENCH_SRIOV_AT + PCI_SRIOV_CTRL, 2, bits);
}

static u32 control_of(const struct hw_function *pf)
{
	return hw_config_read(pf, BENCH_SRIOV_AT + PCI_SRIOV_CTRL, 2);
}

static void enable(struct slot *slot, u32 count)
{
	set_count(slot->pf, count);
	set_control(slot->pf, ENABLED);
	expect_u64(control_of(slot->pf), ENABLED);
}

static struct hw_function *at(const struct slot *slot, u8 bus, u8 devfn)
{
	return hw_function_find(&slot->bench->hw, (u32)bus << 8 | devfn);
}

/* VF `index`; the test fails if it does not answer. */
static struct hw_function *vf(const struct slot *slot, u32 index)
{
	u32 number = 0x180 + 0x40 * index;
	struct hw_function *virtfn = at(slot, (u8)(number >> 8), (u8)number);

	assert_non_null(virtfn);
	return virtfn;
}

/*
 * trust: virtual functions answer at offset and stride
 * | our reading of the facts: PCI Express Base 5.0, 9.3.3
 */
static void they_answer_while_they_are_enabled(void **state)
{
	struct slot *slot = *state;

	assert_null(at(slot, 1, 0x80));
	enable(slot, 3);
	assert_ptr_equal(vf(slot, 0)->physfn, slot->pf);
	expect_u64(hw_function_sbdf(vf(slot, 1)), 0x1c0);
	expect_u64(hw_function_sbdf(vf(slot, 2)), 0x200);
	assert_null(at(slot, 2, 0x40));
	assert_null(at(slot, 1, 0x81));
	assert_null(at(slot, 3, 0x00));
	assert_ptr_equal(at(slot, 1, 0), slot->pf);

	set_control(slot->pf, 0);
	assert_null(at(slot, 1, 0x80));
	assert_null(at(slot, 2, 0x00));
	enable(slot, 4);
	expect_u64(hw_function_sbdf(vf(slot, 3)), 0x240);
}

/* The port above knows no bus 02: nobody gets there. */
static void bus_numbers_that_the_port_does_not_have_lead_nowhere(void **state)
{
	struct slot *slot = *state;

	enable(slot, 4);
	hw_config_write(slot->port, PCI_SUBORDINATE_BUS, 1, 1);
	assert_non_null(at(slot, 1, 0xc0));
	assert_null(at(slot, 2, 0x00));
}

static void their_number_changes_only_while_there_are_none(void **state)
{
	struct slot *slot = *state;

	enable(slot, 2);
	set_count(slot->pf, 4);
	expect_u64(hw_config_read(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_NUM_VF, 2), 2);
	set_control(slot->pf, 0);
	set_count(slot->pf, 4);
	expect_u64(hw_config_read(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_NUM_VF, 2), 4);
}

static void there_are_never_more_than_in_total(void **state)
{
	struct slot *slot = *state;

	set_count(slot->pf, 9);
	set_control(slot->pf, ENABLED);
	expect_u64(slot->pf->vf_count, 4);
	assert_null(at(slot, 2, 0x80));
}

static void their_vendor_and_device_read_as_ones(void **state)
{
	struct slot *slot = *state;

	enable(slot, 1);
	expect_u64(hw_config_read(vf(slot, 0), PCI_VENDOR_ID, 4), 0xffffffff);
	expect_u64(hw_config_read(vf(slot, 0), PCI_HEADER_TYPE, 1), PCI_HEADER_TYPE_NORMAL);
	expect_u64(hw_config_read(vf(slot, 0), PCI_CLASS_REVISION, 4),
		   hw_config_read(slot->pf, PCI_CLASS_REVISION, 4));
	assert_int_equal(vf(slot, 0)->express_type, PCI_EXP_TYPE_ENDPOINT);
}

/* ---- BARs ------------------------------------------------------------------------------------ */

static void their_bars_lie_side_by_side(void **state)
{
	struct slot *slot = *state;

	enable(slot, 4);
	for (u32 i = 0; i < 4; i++) {
		struct hw_target target =
			hw_phys_target(&slot->bench->hw, VF_AT + i * SZ_16K + 0x123);

		assert_int_equal(target.kind, HW_TARGET_BAR);
		assert_ptr_equal(target.function, vf(slot, i));
		expect_u64(target.offset, 0x123);
	}
	assert_int_equal(hw_phys_target(&slot->bench->hw, VF_AT + 4 * SZ_16K).kind,
			 HW_TARGET_UNSUPPORTED);
}

/* Not the PF's memory enable, and no register of their own. */
static void they_decode_while_vf_mse_says_so(void **state)
{
	struct slot *slot = *state;

	enable(slot, 2);
	bench_command(slot->pf, 0);
	bench_command(vf(slot, 0), PCI_COMMAND_MEMORY);
	expect_u64(hw_config_read(vf(slot, 0), PCI_COMMAND, 2), 0);
	assert_int_equal(hw_phys_target(&slot->bench->hw, VF_AT).kind, HW_TARGET_BAR);
	set_control(slot->pf, PCI_SRIOV_CTRL_VFE);
	assert_int_equal(hw_phys_target(&slot->bench->hw, VF_AT).kind, HW_TARGET_UNSUPPORTED);
}

static void their_bars_move_with_the_capability(void **state)
{
	struct slot *slot = *state;

	enable(slot, 2);
	hw_config_write(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_BAR, 4, (u32)VF_AT + SZ_64K);
	assert_ptr_equal(hw_phys_target(&slot->bench->hw, VF_AT + SZ_64K + SZ_16K).function,
			 vf(slot, 1));
	assert_int_equal(hw_phys_target(&slot->bench->hw, VF_AT).kind, HW_TARGET_UNSUPPORTED);
}

/* Software learns the size of one: the address bits that hold. */
static void the_capability_tells_the_size_of_one_bar(void **state)
{
	struct slot *slot = *state;

	hw_config_write(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_BAR, 4, 0xffffffff);
	hw_config_write(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_BAR + 4, 4, 0xffffffff);
	expect_u64(hw_config_read(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_BAR, 4), 0xffffc00c);
	expect_u64(hw_config_read(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_BAR + 4, 4), 0xffffffff);
	hw_config_write(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_BAR + 8, 4, 0xffffffff);
	expect_u64(hw_config_read(slot->pf, BENCH_SRIOV_AT + PCI_SRIOV_BAR + 8, 4), 0);
}

static void each_has_memory_of_its_own(void **state)
{
	struct slot *slot = *state;
	char found[4];

	enable(slot, 2);
	expect_u64(hw_cpu_write(&slot->bench->hw, VF_AT, "one", 4), 4);
	expect_u64(hw_cpu_write(&slot->bench->hw, VF_AT + SZ_16K, "two", 4), 4);
	expect_u64(hw_cpu_read(&slot->bench->hw, VF_AT, found, 4), 4);
	assert_string_equal(found, "one");
}

/* ---- What is their own ----------------------------------------------------------------------- */

/*
 * trust: a virtual function's requests carry its own ID
 * | our reading of the facts: PCI Express Base 5.0, 9.3.3
 */
static void their_requests_carry_their_own_numbers(void **state)
{
	struct slot *slot = *state;
	struct hw_request request = { .address = 0x1000, .write = true };

	enable(slot, 4);
	request.from = vf(slot, 3);
	expect_u64(hw_route(&slot->bench->hw, &request, NULL).requester, 0x240);
	request.from = slot->pf;
	expect_u64(hw_route(&slot->bench->hw, &request, NULL).requester, 0x100);
}

static void each_masters_the_bus_by_itself(void **state)
{
	struct slot *slot = *state;

	enable(slot, 2);
	bench_command(slot->pf, 0);
	bench_command(vf(slot, 1), PCI_COMMAND_MASTER);
	expect_u64(hw_engine_write(vf(slot, 0), 0x1000, "x", 1).status, HW_TRANSFER_NOT_MASTER);
	expect_u64(hw_engine_write(vf(slot, 1), 0x1000, "x", 1).status, HW_TRANSFER_DONE);
}

/* A VF reaches its PF and its siblings inside the device, unless its own ACS redirects. */
static void their_acs_is_their_own(void **state)
{
	struct slot *slot = *state;
	struct hw_request request = { .address = VF_AT, .write = true };
	struct hw_target target;

	enable(slot, 2);
	request.from = vf(slot, 1);
	target = hw_route(&slot->bench->hw, &request, NULL);
	assert_ptr_equal(target.function, vf(slot, 0));
	assert_false(target.passed_root);
	bench_set_acs(slot->pf, PCI_ACS_RR);
	assert_false(hw_route(&slot->bench->hw, &request, NULL).passed_root);
	expect_u64(vf(slot, 1)->acs_at, PCI_EXT_CAP_START);
	hw_config_write(vf(slot, 1), PCI_EXT_CAP_START + PCI_ACS_CTRL, 2, PCI_ACS_RR);
	bench_set_acs(slot->port, PCI_ACS_UF);
	assert_true(hw_route(&slot->bench->hw, &request, NULL).passed_root);
}

static void their_device_tlb_is_their_own(void **state)
{
	struct slot *slot = *state;

	enable(slot, 2);
	assert_true(vf(slot, 0)->ats_at);
	hw_config_write(vf(slot, 0), vf(slot, 0)->ats_at + PCI_ATS_CTRL, 2, PCI_ATS_CTRL_ENABLE);
	assert_true(vf(slot, 0)->ats_enabled);
	assert_false(vf(slot, 1)->ats_enabled);
	assert_false(slot->pf->ats_enabled);
}

static void switching_them_off_resets_them(void **state)
{
	struct slot *slot = *state;

	enable(slot, 1);
	bench_command(vf(slot, 0), PCI_COMMAND_MASTER);
	hw_config_write(vf(slot, 0), PCI_EXT_CAP_START + PCI_ACS_CTRL, 2, PCI_ACS_RR);
	hw_config_write(vf(slot, 0), vf(slot, 0)->ats_at + PCI_ATS_CTRL, 2, PCI_ATS_CTRL_ENABLE);
	set_control(slot->pf, 0);
	enable(slot, 1);
	assert_false(vf(slot, 0)->master_enabled);
	assert_false(vf(slot, 0)->ats_enabled);
	expect_u64(vf(slot, 0)->acs, 0);
}

/* ---- Odd machines ---------------------------------------------------------------------------- */

/* Registers that a dump may hold. */
static void numbers_that_cannot_be_make_no_function(void **state)
{
	static const struct bench_sriov odd[] = {
		{ .total = 2, .offset = 0, .stride = 1 },      /* the PF's own number */
		{ .total = 2, .offset = 0xfffe, .stride = 1 }, /* past bus ff */
	};
	struct slot *slot = *state;

	for (u32 i = 0; i < 2; i++) {
		struct bench_function what = { .devfn = (u8)(8 + i), .sriov = odd[i] };
		struct hw_function *pf = add_pf(slot, &what);

		set_count(pf, 2);
		set_control(pf, ENABLED);
		assert_true(TAILQ_EMPTY(&pf->virtfns));
	}
}

static void without_a_stride_there_is_one(void **state)
{
	struct slot *slot = *state;
	struct bench_function what = { .devfn = 8, .sriov = { .total = 3, .offset = 1 } };
	struct hw_function *pf = add_pf(slot, &what);

	set_count(pf, 3);
	set_control(pf, ENABLED);
	assert_non_null(at(slot, 1, 9));
	assert_null(TAILQ_NEXT(TAILQ_FIRST(&pf->virtfns), by_index));
}

static void without_memory_for_all_none_is_enabled(void **state)
{
	struct slot *slot = *state;
	u32 failed = 0;

	set_count(slot->pf, 4);
	for (u64 nth = 1; nth < 100; nth++) {
		bench_fail(slot->bench, nth);
		set_control(slot->pf, ENABLED);
		if (control_of(slot->pf) & PCI_SRIOV_CTRL_VFE)
			break;
		failed++;
		expect_u64(slot->pf->vf_count, 0);
		assert_null(at(slot, 1, 0x80));
	}
	bench_fail(slot->bench, 0);
	assert_true(failed >= 4);
	vf(slot, 3);
}

static void they_go_with_their_physical_function(void **state)
{
	struct slot *slot = *state;
	u64 before;

	hw_function_remove(slot->pf);
	before = bench_live(slot->bench);
	slot->pf = add_pf(slot, &four);
	enable(slot, 4);
	hw_function_remove(slot->pf);
	expect_u64(bench_live(slot->bench), before);
	assert_null(at(slot, 1, 0x80));
}

#define SLOT_TEST(name) cmocka_unit_test_setup_teardown(name, slot_setup, slot_teardown)

TEST_MAIN(SLOT_TEST(they_answer_while_they_are_enabled),
	  SLOT_TEST(bus_numbers_that_the_port_does_not_have_lead_nowhere),
	  SLOT_TEST(their_number_changes_only_while_there_are_none),
	  SLOT_TEST(there_are_never_more_than_in_total),
	  SLOT_TEST(their_vendor_and_device_read_as_ones), SLOT_TEST(their_bars_lie_side_by_side),
	  SLOT_TEST(they_decode_while_vf_mse_says_so),
	  SLOT_TEST(their_bars_move_with_the_capability),
	  SLOT_TEST(the_capability_tells_the_size_of_one_bar),
	  SLOT_TEST(each_has_memory_of_its_own), SLOT_TEST(their_requests_carry_their_own_numbers),
	  SLOT_TEST(each_masters_the_bus_by_itself), SLOT_TEST(their_acs_is_their_own),
	  SLOT_TEST(their_device_tlb_is_their_own), SLOT_TEST(switching_them_off_resets_them),
	  SLOT_TEST(numbers_that_cannot_be_make_no_function),
	  SLOT_TEST(without_a_stride_there_is_one),
	  SLOT_TEST(without_memory_for_all_none_is_enabled),
	  SLOT_TEST(they_go_with_their_physical_function))
