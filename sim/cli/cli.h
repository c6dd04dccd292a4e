/* SPDX-License-Identifier: MIT */
/*
 * The dmasim command: one function for each subcommand, and what they share. It uses the public
 * headers only.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <dmasim/dmasim.h>

/* Exit status of every subcommand. */
enum {
	CLI_DONE = 0,
	CLI_NEGATIVE = 1,  /* it worked, and the verdict is no */
	CLI_BAD_INPUT = 2, /* one line on stderr says what, where, and what was expected */
};

/* argv[0] is the subcommand's name. */
int cli_demo(int argc, char **argv);
int cli_iova(int argc, char **argv);
int cli_fault(int argc, char **argv);
int cli_groups(int argc, char **argv);
int cli_lint(int argc, char **argv);
int cli_p2p(int argc, char **argv);
int cli_pt(int argc, char **argv);
int cli_send(int argc, char **argv);
int cli_topo(int argc, char **argv);
int cli_walk(int argc, char **argv);
int cli_reports(int argc, char **argv);

/* "dmasim: ..." on stderr, one line. Returns CLI_BAD_INPUT. */
int cli_bad_input(const char *format, ...) DMASIM_PRINTF(1, 2);

/*
 * True for "--host" and "--host=ROOT", which stand where a file may: the machine that the command
 * runs on, or one whose sysfs is a folder.
 */
bool cli_is_host(const char *argument);

/*
 * The machine of a dump, or of --host; in notes what the import tells of it. config may be NULL: a
 * plain machine; nothing in one is random, so the environment's seed is not asked for. NULL: it
 * cannot be had, and the line on stderr says why. The caller destroys it.
 */
struct dmasim *cli_machine(const char *command, const char *file,
			   const struct dmasim_config *config, const struct dmasim_import *how,
			   struct dmasim_error *notes);

/*
 * The next of the import's notes, which are apart by "; ": from `at` on, which is where they begin
 * or where the one before ended. NULL: no more.
 */
const char *cli_note(const char *at, size_t *length);

/* An option of a command, and where what it says goes: one of flag, text and words with word. */
struct cli_option {
	const char *name;	  /* "--acs" */
	bool *flag;		  /* without a value: true if it is there */
	const char **text;	  /* any value */
	const char *const *words; /* one of these, after the last of which is NULL */
	int *word;		  /* its index */
	const char *expected;	  /* of the value: "keep or off" */
};

/*
 * Reads options, the table of which ends with a NULL name, and one FILE or --host. CLI_DONE or
 * CLI_BAD_INPUT.
 */
int cli_read_options(int argc, char **argv, const struct cli_option *options, const char **file);

/* The same with one trace, which may be "-". */
int cli_read_trace_options(int argc, char **argv, const struct cli_option *options,
			   const char **file);

/* True, and the help is printed, if --help is among the arguments. */
bool cli_asks_for_help(int argc, char **argv, const char *help);

/*
 * What getopt_long(), told to be silent, could not make sense of; word is the last that it looked
 * at. Returns CLI_BAD_INPUT.
 */
int cli_bad_option(const char *command, int option, const char *word);

/* "a:b:c" apart. Returns how many; 0: too many, or one is empty or too long. */
#define CLI_PIECES_MAX	4
#define CLI_PIECE_BYTES 32
u32 cli_pieces(const char *text, char piece[CLI_PIECES_MAX][CLI_PIECE_BYTES]);

/* 4096, 0x1000, 4K, 2M, 1G, 1T, of at least one character; changes text. False: it is none. */
bool cli_size(char *text, u64 *bytes);

/*
 * The words of one line on lines of at most 100 columns: the first begins in column `first`, others
 * in `other`.
 */
void cli_print_wrapped(int first, int other, const char *text);

/* The import's notes, each on its own line: "note: ...". */
void cli_notes(const struct dmasim_error *notes, FILE *to);

/* True if what the dump says of ACS is known of every function (dmasim_acs_known()). */
bool cli_acs_known(struct dmasim *s);

/* A word for the device's class: "NVMe", "Ethernet", "PCI bridge"; "device" for others. */
const char *cli_class_word(const struct pci_dev *pdev);

/* What the flags (AMD_FLAG_) of AMD's IO_PAGE_FAULT come to. */
const char *cli_page_fault_text(u32 flags);

/* "0000:3a:00.0" or "3a:00.0": its number; nobody need be there. False: it is neither. */
bool cli_bdf(const char *text, dmasim_sbdf *number);

/* A number in C's notation; false: it is not one, or is beyond 64 bits. */
bool cli_number(const char *text, u64 *value);

#endif
