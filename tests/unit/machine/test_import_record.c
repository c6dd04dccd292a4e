/* SPDX-License-Identifier: MIT */
/*
 * What an imported machine keeps of what was read: each byte of each function, and the present one
 * where software wrote since.
 */
#include "machine/machine.h"
#include "unit/api/dump.h"

/* Each function as the dump has it but for `changed`, which has other registers. */
static void expect_records(struct dump *dump, const struct dump_function *changed)
{
	const struct import_record *record = import_record_first(dump->s);
	u8 registers[PCI_CFG_SPACE_EXP_SIZE];
	char name[24];

	for (u32 i = 0; i < dump->count; i++, record = import_record_next(record)) {
		const struct dump_function *function = &dump->function[i];

		assert_non_null(record);
		snprintf(name, sizeof(name), "%04x:%02x:%02x.%u", record->domain, record->bus,
			 PCI_SLOT(record->devfn), PCI_FUNC(record->devfn));
		assert_string_equal(name, function->address);
		expect_u64(record->config_bytes, function->bytes);
		assert_memory_equal(record->config, function->config, function->bytes);
		import_record_registers(record, registers);
		if (function != changed)
			assert_memory_equal(registers, function->config, function->bytes);
	}
	assert_null(record);
}

/* Functions that the import changes, leaves out, or both; in the order of their addresses. */
static void describe_odd_ones(struct dump *dump)
{
	struct dump_function *function;

	dump_device(dump, "0000:00:00.0");
	dump_device(dump, "0000:00:00.1");
	function = dump_device(dump, "0000:00:01.0");
	function->bytes = 4096;
	memset(function->config, 0xff, sizeof(function->config));
	/* A 64-bit BAR in the last register, and ACS. */
	function = dump_endpoint(dump, "0000:00:02.0");
	dump_bar_32(function, 5, 0x80000000 | PCI_BASE_ADDRESS_MEM_TYPE_64);
	dump_acs(function, 0x1f, 0x1d);
	function = dump_device(dump, "0000:00:03.0");
	dump_put(function, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_CARDBUS);
	dump_put(function, PCI_SECONDARY_BUS, 2, 0x0505);
	dump_device(dump, "0000:05:00.0");
}

/*
 * trust: an import keeps each byte that it read
 * | an independent model: the bytes that were written
 */
static void what_the_import_changes_is_kept_as_it_was_read(void **state)
{
	struct dump *dump = *state;

	describe_odd_ones(dump);
	expect_ok(dump_import(dump, &(struct dmasim_import){ .acs_off = true }));
	expect_u64(dump_dev(dump, "00:00.0")->multifunction, true);
	expect_records(dump, NULL);
}

static void starting_the_machine_changes_no_register_that_was_read(void **state)
{
	struct dump *dump = *state;

	describe_odd_ones(dump);
	expect_ok(dump_import(dump, NULL));
	assert_true(dmasim_group(dump_dev(dump, "00:00.1")) >= 0);
	expect_records(dump, NULL);
}

static void what_software_wrote_since_is_as_it_is(void **state)
{
	struct dump *dump = *state;
	const struct import_record *record;
	u8 registers[PCI_CFG_SPACE_EXP_SIZE];

	dump_device(dump, "0000:00:01.0");
	dump_device(dump, "0000:00:02.0");
	expect_ok(dump_import(dump, NULL));
	pci_write_config_word(dump_dev(dump, "00:01.0"), PCI_COMMAND, 0);

	expect_records(dump, &dump->function[0]);
	record = import_record_first(dump->s);
	import_record_registers(record, registers);
	expect_u64(registers[PCI_COMMAND], 0);
	expect_u64(record->config[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	registers[PCI_COMMAND] = record->config[PCI_COMMAND];
	assert_memory_equal(registers, record->config, record->config_bytes);
}

/* Of the import's own changes, what software made of them is as it is. */
static void what_software_made_of_a_change_is_as_it_is(void **state)
{
	struct dump *dump = *state;
	struct dump_function *function = dump_endpoint(dump, "0000:00:02.0");
	u8 registers[PCI_CFG_SPACE_EXP_SIZE];

	dump_acs(function, 0x1f, 0x1d);
	expect_ok(dump_import(dump, &(struct dmasim_import){ .acs_off = true }));
	pci_write_config_word(dump_dev(dump, "00:02.0"), PCI_EXT_CAP_START + PCI_ACS_CTRL, 0x02);

	import_record_registers(import_record_first(dump->s), registers);
	expect_u64(registers[PCI_EXT_CAP_START + PCI_ACS_CTRL], 0x02);
}

static void a_machine_that_is_not_imported_has_none(void **state)
{
	struct dump *dump = *state;

	assert_non_null(dmasim_add_endpoint(dump->s, "00:01.0", &(struct dmasim_endpoint){ 0 }));
	assert_null(import_record_first(dump->s));
}

TEST_MAIN(DUMP_TEST(what_the_import_changes_is_kept_as_it_was_read),
	  DUMP_TEST(starting_the_machine_changes_no_register_that_was_read),
	  DUMP_TEST(what_software_wrote_since_is_as_it_is),
	  DUMP_TEST(what_software_made_of_a_change_is_as_it_is),
	  DUMP_TEST(a_machine_that_is_not_imported_has_none))
