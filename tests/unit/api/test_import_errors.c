/* SPDX-License-Identifier: MIT */
/*
 * Files that are no dumps, or damaged ones: one line says where and what was expected, and the
 * machine stays empty.
 */
#include "unit/api/dump.h"

#define ZEROS " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
#define ID    "00: 86 80 34 12 00 00 00 00 00 00 00 00 00 00 00 00\n"
#define REST  "10:" ZEROS "20:" ZEROS "30:" ZEROS
/* A bridge from bus `own` to [secondary, subordinate]. */
#define BRIDGE(secondary, subordinate)                                                           \
	"00: 86 80 34 12 00 00 00 00 00 00 04 06 00 00 01 00\n"                                  \
	"10: 00 00 00 00 00 00 00 00 00 " secondary " " subordinate " 00 00 00 00 00\n20:" ZEROS \
	"30:" ZEROS "\n"

/* The text without the name of the file, which must come first. */
static const char *told(struct dump *dump)
{
	size_t length = strlen(dump->path);

	if (strncmp(dump->error.text, dump->path, length)) {
		print_error("'%s' does not begin with '%s'\n", dump->error.text, dump->path);
		fail();
	}
	return dump->error.text + length;
}

static void expect_refused(struct dump *dump, const char *text, const char *expected)
{
	expect_error(dump_import_text(dump, text), -EINVAL);
	assert_string_equal(told(dump), expected);
	assert_null(strchr(dump->error.text, '\n'));
	expect_u64(dump_count(dump), 0);
}

/* ---- Files ---------------------------------------------------------------------------------- */

static void a_file_that_is_not_there(void **state)
{
	struct dump *dump = *state;

	expect_error(dmasim_import_lspci(dump->s, "/nowhere/x.hex", NULL, &dump->error), -EINVAL);
	assert_string_equal(dump->error.text, "/nowhere/x.hex: No such file or directory; "
					      "expected a file that lspci -xxxx wrote");
}

static void a_folder(void **state)
{
	struct dump *dump = *state;

	expect_error(dmasim_import_lspci(dump->s, "/tmp", NULL, &dump->error), -EINVAL);
	assert_string_equal(dump->error.text,
			    "/tmp: Is a directory; expected a file that lspci -xxxx wrote");
}

/* It can be opened, but nothing is at its start. */
static void a_file_that_cannot_be_read(void **state)
{
	struct dump *dump = *state;

	expect_error(dmasim_import_lspci(dump->s, "/proc/self/mem", NULL, &dump->error), -EINVAL);
	assert_string_equal(dump->error.text, "/proc/self/mem: Input/output error; expected a file "
					      "that lspci -xxxx wrote");
}

static void an_empty_file(void **state)
{
	expect_refused(*state, "",
		       ":1: the file has no function; expected lines like '3a:00.0 ...' and "
		       "'00: 86 80 ...', as lspci -xxxx prints them, or the text of lspci -vvv");
}

static void a_file_of_prose(void **state)
{
	expect_refused(*state, "Once upon a time\nthere was a machine.\n",
		       ":2: the file has no function; expected lines like '3a:00.0 ...' and "
		       "'00: 86 80 ...', as lspci -xxxx prints them, or the text of lspci -vvv");
}

static void binary_bytes(void **state)
{
	struct dump *dump = *state;
	unsigned char bytes[5000];

	/* Every byte there is, zeros and line ends included. */
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	expect_error(dump_import_bytes(dump, bytes, sizeof(bytes)), -EINVAL);
	assert_non_null(strstr(told(dump), ": the file has no function; expected "));
	assert_null(strchr(dump->error.text, '\n'));
}

static void a_line_that_never_ends(void **state)
{
	struct dump *dump = *state;

	expect_error(dmasim_import_lspci(dump->s, "/dev/zero", NULL, &dump->error), -EINVAL);
	assert_string_equal(dump->error.text,
			    "/dev/zero:1: a line of more than 1 MiB; expected what "
			    "lspci -xxxx wrote");
}

/* A file with a hole reads as zeros: it costs no disk. */
static void a_file_that_is_far_too_large(void **state)
{
	struct dump *dump = *state;
	FILE *file = dump_open(dump);

	for (u32 i = 0; i < 260; i++) {
		fputc('\n', file);
		fseek(file, SZ_1M - 2, SEEK_CUR);
	}
	fputc('\n', file);
	fclose(file);
	expect_error(dmasim_import_lspci(dump->s, dump->path, NULL, &dump->error), -EINVAL);
	unlink(dump->path);
	assert_non_null(strstr(told(dump), ": expected a file of at most 256 MiB"));
}

/* The reason is told whatever the name is: its end is kept, and it stays one line. */
static void a_file_with_a_name_of_any_length(void **state)
{
	struct dump *dump = *state;
	char name[1001];

	memset(name, 'x', sizeof(name) - 1);
	name[1000] = '\0';
	name[999] = '\n';
	expect_error(dmasim_import_lspci(dump->s, name, NULL, &dump->error), -EINVAL);
	assert_null(strchr(dump->error.text, '\n'));
	assert_non_null(strstr(dump->error.text, "xxx?: File name too long; expected"));
	assert_int_equal(strncmp(dump->error.text, "...xxx", 6), 0);
}

static void nobody_has_to_listen(void **state)
{
	struct dump *dump = *state;

	expect_error(dmasim_import_lspci(dump->s, "/nowhere/x.hex", NULL, NULL), -EINVAL);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static void a_line_of_15_bytes(void **state)
{
	expect_refused(*state,
		       "00:00.0 X\n" ID
		       "10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n20:" ZEROS "30:" ZEROS,
		       ":3: 15 bytes in a line; expected 16");
}

static void a_line_of_17_bytes(void **state)
{
	expect_refused(*state,
		       "00:00.0 X\n" ID
		       "10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n20:" ZEROS
		       "30:" ZEROS,
		       ":3: 17 bytes in a line; expected 16");
}

static void a_line_of_no_bytes(void **state)
{
	expect_refused(*state, "00:00.0 X\n00:\n", ":2: 0 bytes in a line; expected 16");
}

static void a_line_that_is_far_too_long(void **state)
{
	struct dump *dump = *state;
	static char text[40000];
	size_t length = (size_t)snprintf(text, sizeof(text), "00:00.0 X\n00:");

	for (int i = 0; i < 10000; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, " 00");
	expect_error(dump_import_text(dump, text), -EINVAL);
	assert_non_null(strstr(told(dump), ":2: "));
	assert_non_null(strstr(told(dump), " bytes in a line; expected 16"));
}

static void a_byte_with_a_bad_digit(void **state)
{
	expect_refused(*state,
		       "00:00.0 X\n00: 86 8g 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n" REST,
		       ":2: '8g' is no byte; expected two hexadecimal digits");
}

static void a_byte_with_three_digits(void **state)
{
	expect_refused(*state,
		       "00:00.0 X\n00: 86 800 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n" REST,
		       ":2: '800' is no byte; expected two hexadecimal digits");
}

/* What lspci does not print, but xxd does. */
static void text_beside_the_bytes(void **state)
{
	expect_refused(*state,
		       "00:00.0 X\n00:"
		       " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ..\n",
		       ":2: '..' is no byte; expected two hexadecimal digits");
}

static void an_offset_that_is_left_out(void **state)
{
	expect_refused(*state, "00:00.0 X\n" ID "20:" ZEROS "30:" ZEROS,
		       ":3: offset 20; expected 10");
}

static void an_offset_that_comes_twice(void **state)
{
	expect_refused(*state, "00:00.0 X\n" ID ID REST, ":3: offset 00; expected 10");
}

static void an_offset_that_is_no_multiple_of_16(void **state)
{
	expect_refused(*state, "00:00.0 X\n" ID "18:" ZEROS, ":3: offset 18; expected 10");
}

static void registers_before_any_function(void **state)
{
	expect_refused(
		*state, ID REST,
		":1: registers of no function; expected a line like '3a:00.0 ...' before them");
}

static void registers_after_an_empty_line(void **state)
{
	expect_refused(
		*state, "00:00.0 X\n" ID REST "\n40:" ZEROS,
		":7: registers of no function; expected a line like '3a:00.0 ...' before them");
}

/* ---- Functions ------------------------------------------------------------------------------ */

static void a_function_without_registers(void **state)
{
	expect_refused(
		*state, "\n00:00.0 X\n\tControl: I/O- Mem+\n\n00:01.0 Y\n" ID REST,
		":2: 0000:00:00.0 has no registers; expected lines like '00: 86 80 ...' after "
		"it, as lspci -xxxx prints them, or the text of lspci -vvv");
}

static void a_function_that_ends_too_early(void **state)
{
	expect_refused(*state, "0001:3a:1f.7 X\n" ID "10:" ZEROS "\n",
		       ":4: 0001:3a:1f.7 is truncated after 32 bytes; expected 64, 256 or 4096");
}

static void a_function_that_ends_between_two_sizes(void **state)
{
	expect_refused(*state, "00:00.0 X\n" ID REST "40:" ZEROS,
		       ":6: 0000:00:00.0 is truncated after 80 bytes; expected 64, 256 or 4096");
}

static void a_function_that_ends_with_the_next_one(void **state)
{
	expect_refused(*state, "00:00.0 X\n" ID "00:01.0 Y\n" ID REST,
		       ":3: 0000:00:00.0 is truncated after 16 bytes; expected 64, 256 or 4096");
}

static void a_function_of_more_than_4096_bytes(void **state)
{
	struct dump *dump = *state;
	static char text[20000];
	size_t length = (size_t)snprintf(text, sizeof(text), "00:00.0 X\n");

	for (unsigned int at = 0; at < 4096; at += 16)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%02x:%s", at,
					   ZEROS);
	snprintf(text + length, sizeof(text) - length, "00:%s", ZEROS);
	expect_refused(dump, text, ":258: offset 00 after 4096 bytes; expected the next function");
}

static void an_address_that_comes_twice(void **state)
{
	expect_refused(*state, "00:02.0 X\n" ID REST "\n0000:00:02.0 X\n00:" ZEROS REST,
		       ":7: 0000:00:02.0 is in line 1 already, with other registers; expected "
		       "one state of each function");
}

static void a_device_beyond_1f(void **state)
{
	expect_refused(
		*state, "3a:20.0 X\n" ID REST,
		":1: '3a:20.0' is no address of a function; expected a device of 00 to 1f and "
		"a function of 0 to 7");
}

static void a_function_beyond_7(void **state)
{
	expect_refused(
		*state, "00:01.0 X\n" ID REST "0000:3a:00.8\n" ID REST,
		":6: '0000:3a:00.8' is no address of a function; expected a device of 00 to 1f "
		"and a function of 0 to 7");
}

static void a_header_type_nobody_knows(void **state)
{
	expect_refused(*state,
		       "00:02.0 X\n00: 86 80 34 12 00 00 00 00 00 00 00 00 00 00 83 00\n" REST,
		       ":1: 0000:00:02.0 has header type 0x03; expected 0, 1 or 2");
}

static void more_functions_than_any_machine_has(void **state)
{
	struct dump *dump = *state;
	FILE *file = dump_open(dump);

	for (unsigned int i = 0; i <= 16384; i++)
		fprintf(file, "%04x:%02x:%02x.%u X\n" ID REST "\n", i >> 12, i >> 8 & 15,
			i >> 3 & 0x1f, i & 7);
	fclose(file);
	expect_error(dmasim_import_lspci(dump->s, dump->path, NULL, &dump->error), -EINVAL);
	unlink(dump->path);
	assert_string_equal(told(dump), ":98305: expected at most 16384 functions");
}

/* ---- Bus numbers ---------------------------------------------------------------------------- */

static void a_bridge_that_leads_back_to_its_own_bus(void **state)
{
	expect_refused(
		*state, "05:01.0 X\n" BRIDGE("05", "07"),
		":1: bridge 0000:05:01.0 has secondary bus 05 and subordinate bus 07; expected "
		"05 < secondary <= subordinate");
}

static void a_bridge_that_leads_below_its_own_bus(void **state)
{
	expect_refused(
		*state, "05:01.0 X\n" BRIDGE("04", "07"),
		":1: bridge 0000:05:01.0 has secondary bus 04 and subordinate bus 07; expected "
		"05 < secondary <= subordinate");
}

static void a_bridge_whose_range_is_backwards(void **state)
{
	expect_refused(
		*state, "00:01.0 X\n" BRIDGE("07", "06"),
		":1: bridge 0000:00:01.0 has secondary bus 07 and subordinate bus 06; expected "
		"00 < secondary <= subordinate");
}

static void two_bridges_to_one_bus(void **state)
{
	expect_refused(*state, "00:01.0 X\n" BRIDGE("01", "01") "00:02.0 X\n" BRIDGE("01", "02"),
		       ":7: bridge 0000:00:02.0 leads to bus 01 as 0000:00:01.0 in line 1 does; "
		       "expected one bridge for each bus");
}

static void a_bus_outside_the_range_of_the_bridge_above(void **state)
{
	expect_refused(
		*state, "00:01.0 X\n" BRIDGE("01", "03") "01:00.0 X\n" BRIDGE("04", "04"),
		":7: bridge 0000:01:00.0 leads to bus 04; expected one of 01 to 03, the buses "
		"of 0000:00:01.0 above it");
}

/*   00:01.0 [01-03] -- 01:00.0 [02-03] -- (02:00.0 is missing) -- 03:00.0   */
static void a_bridge_is_missing_on_the_way(void **state)
{
	expect_refused(
		*state,
		"00:01.0 X\n" BRIDGE("01", "03") "01:00.0 X\n" BRIDGE("02",
								      "03") "03:00.0 X\n" ID REST,
		":13: no way leads to 0000:03:00.0: its bus is among those of another bridge; "
		"expected the bridges above it in the file");
}

/*   00:01.0 [01-01], 00:02.0 [05-05]: host bridge 00 reaches up to 05; who leads to 03?   */
static void a_bus_between_those_of_two_bridges(void **state)
{
	expect_refused(
		*state,
		"00:01.0 X\n" BRIDGE("01", "01") "00:02.0 X\n" BRIDGE("05",
								      "05") "03:00.0 X\n" ID REST,
		":13: no way leads to 0000:03:00.0: its bus is among those of host bridge 00, "
		"which has buses 00 to 05, and no bridge leads there; expected one");
}

/*   00:01.0 [01-04] and 00:02.0 [03-05] both claim bus 03; the first has it   */
static void two_bridges_whose_ranges_overlap(void **state)
{
	expect_refused(
		*state,
		"00:01.0 X\n" BRIDGE("01", "04") "00:02.0 X\n" BRIDGE("03",
								      "05") "03:00.0 X\n" ID REST,
		":13: no way leads to 0000:03:00.0: its bus is among those of another bridge; "
		"expected the bridges above it in the file");
}

/* However much there is to say of what is left out, what was expected is said. */
static void much_that_is_left_out(void **state)
{
	struct dump *dump = *state;

	expect_error(dump_import_text(dump, "20000:00:01.0 Widget: Nobody Thing\n\tControl: Mem+\n"
					    "\tMemory at 90000000 (32-bit, non-prefetchable)\n"),
		     -EINVAL);
	assert_non_null(strstr(told(dump), "); expected functions"));
}

static void nothing_but_what_is_left_out(void **state)
{
	expect_refused(
		*state, "20000:00:01.0 X\n" ID REST,
		":1: nothing is left of the file (1 function (20000:00:01.0) left out: a domain "
		"is 0000 to ffbf, or VMD's 10000 to 1003e, here); expected functions");
}

TEST_MAIN(DUMP_TEST(a_file_that_is_not_there), DUMP_TEST(a_folder),
	  DUMP_TEST(a_file_that_cannot_be_read), DUMP_TEST(an_empty_file),
	  DUMP_TEST(a_file_of_prose), DUMP_TEST(binary_bytes), DUMP_TEST(a_line_that_never_ends),
	  DUMP_TEST(a_file_that_is_far_too_large), DUMP_TEST(a_file_with_a_name_of_any_length),
	  DUMP_TEST(nobody_has_to_listen), DUMP_TEST(a_line_of_15_bytes),
	  DUMP_TEST(a_line_of_17_bytes), DUMP_TEST(a_line_of_no_bytes),
	  DUMP_TEST(a_line_that_is_far_too_long), DUMP_TEST(a_byte_with_a_bad_digit),
	  DUMP_TEST(a_byte_with_three_digits), DUMP_TEST(text_beside_the_bytes),
	  DUMP_TEST(an_offset_that_is_left_out), DUMP_TEST(an_offset_that_comes_twice),
	  DUMP_TEST(an_offset_that_is_no_multiple_of_16), DUMP_TEST(registers_before_any_function),
	  DUMP_TEST(registers_after_an_empty_line), DUMP_TEST(a_function_without_registers),
	  DUMP_TEST(a_function_that_ends_too_early),
	  DUMP_TEST(a_function_that_ends_between_two_sizes),
	  DUMP_TEST(a_function_that_ends_with_the_next_one),
	  DUMP_TEST(a_function_of_more_than_4096_bytes), DUMP_TEST(an_address_that_comes_twice),
	  DUMP_TEST(a_device_beyond_1f), DUMP_TEST(a_function_beyond_7),
	  DUMP_TEST(a_header_type_nobody_knows), DUMP_TEST(more_functions_than_any_machine_has),
	  DUMP_TEST(a_bridge_that_leads_back_to_its_own_bus),
	  DUMP_TEST(a_bridge_that_leads_below_its_own_bus),
	  DUMP_TEST(a_bridge_whose_range_is_backwards), DUMP_TEST(two_bridges_to_one_bus),
	  DUMP_TEST(a_bus_outside_the_range_of_the_bridge_above),
	  DUMP_TEST(a_bridge_is_missing_on_the_way), DUMP_TEST(a_bus_between_those_of_two_bridges),
	  DUMP_TEST(two_bridges_whose_ranges_overlap), DUMP_TEST(nothing_but_what_is_left_out),
	  DUMP_TEST(much_that_is_left_out))
