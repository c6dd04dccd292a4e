/* SPDX-License-Identifier: MIT */
/*
 * dmasim fault: the IOMMU's fault lines of a kernel log, explained.
 */
#include <errno.h>
#include <string.h>

#include <dmasim/hw/amd.h>

#include "fault.h"

/* Of a line, more is not looked at; mail wraps a fault line into four at most. */
#define LINE_BYTES   4096
#define PIECES_MAX   4
#define JOINED_BYTES (PIECES_MAX * LINE_BYTES)
#define INDENT	     "    "

static const char help[] =
	"usage: dmasim fault FILE [--topology FILE]\n\n"
	"Reads a kernel log (dmesg, a journal, a mail that quotes one; - is the standard input) "
	"and\n"
	"says of each fault line of an IOMMU what it means. VT-d and AMD-Vi are known; an SMMU not "
	"yet.\n"
	"What looks like a fault line and is cut or garbled is noted; other lines are left out.\n\n"
	"  --topology FILE  an lspci dump of the machine, as dmasim topo reads: names the "
	"devices\n";

struct log {
	FILE *file;
	const char *name;
	struct dmasim *machine; /* NULL: without a topology */
	u32 read;		/* lines so far */
	u32 kept;		/* lines that were read and not looked at yet */
	char line[PIECES_MAX][LINE_BYTES];
	u32 faults;
	u32 statuses;
	u32 smmu;
	u32 notes;
};

/* ---- Lines ----------------------------------------------------------------------------------- */

/* The next line into a place, without its end; false: there is none. */
static bool read_line(struct log *log, char *line)
{
	int c;

	if (!fgets(line, LINE_BYTES, log->file))
		return false;
	log->read++;
	if (!strchr(line, '\n')) {
		do
			c = getc(log->file);
		while (c != EOF && c != '\n');
	}
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

/* At least so many lines are kept, if the file has them. */
static bool keep(struct log *log, u32 count)
{
	while (log->kept < count && read_line(log, log->line[log->kept]))
		log->kept++;
	return log->kept >= count;
}

static void drop(struct log *log, u32 count)
{
	log->kept -= count;
	memmove(log->line[0], log->line[count], log->kept * sizeof(log->line[0]));
}

/* Without the marks of a quotation. */
static const char *unquoted(const char *line)
{
	return line + strspn(line, "> \t|");
}

/*
 * Decodes the first line kept; if it is cut, with as many of those after it as make it whole.
 * *pieces: how many lines were used.
 */
static enum dmasim_log_line decode(struct log *log, struct dmasim_fault_line *out, u32 *pieces)
{
	static const size_t room = JOINED_BYTES;
	enum dmasim_log_line first = dmasim_fault_decode(log->line[0], out);
	char joined[JOINED_BYTES];
	struct dmasim_fault_line whole;
	size_t length;

	*pieces = 1;
	if (first != DMASIM_LOG_CUT)
		return first;
	length = (size_t)snprintf(joined, room, "%s", log->line[0]);
	for (u32 i = 1; i < PIECES_MAX && keep(log, i + 1); i++) {
		enum dmasim_log_line now;

		length += (size_t)snprintf(joined + length, room - length, " %s",
					   unquoted(log->line[i]));
		now = dmasim_fault_decode(joined, &whole);
		if (now == DMASIM_LOG_FAULT) {
			*pieces = i + 1;
			*out = whole;
			return now;
		}
		if (now != DMASIM_LOG_CUT)
			break;
	}
	return first;
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void print_requester(const struct dmasim_fault_line *line)
{
	u32 requester = line->requester;

	if (line->has_segment)
		printf("%04x:", line->segment);
	printf("%02x:%02x.%u", requester >> 8, (requester >> 3) & 0x1f, requester & 7);
}

static void print_pasid(const struct dmasim_fault_line *line)
{
	if (line->has_pasid)
		printf(", PASID 0x%x", line->pasid);
	if (line->has_domain)
		printf(", domain 0x%04x", line->domain);
}

static void print_meaning(const struct dmasim_fault_line *line)
{
	const char *sentence = dmasim_fault_sentence(line->kind, line->reason);

	printf(INDENT "%s\n", sentence ? sentence : "the code is not assigned");
}

static void print_vtd(const struct dmasim_fault_line *line)
{
	const char *reason = dmasim_fault_reason(line->kind, line->reason);

	if (line->kind == DMASIM_LOG_VTD_INTERRUPT)
		printf("VT-d stopped an interrupt, entry 0x%llx, of ", line->address);
	else
		printf("VT-d stopped a %s at 0x%llx of ", line->write ? "write" : "read",
		       line->address);
	print_requester(line);
	print_pasid(line);
	printf("\n" INDENT "reason 0x%02x: %s\n", line->reason, reason ? reason : "Unknown");
	print_meaning(line);
}

static void print_status(const struct dmasim_fault_line *line)
{
	char flags[256];

	dmasim_fault_flags(line, flags, sizeof(flags));
	printf("VT-d's fault status 0x%x: %s\n", line->flags, flags);
}

static bool has_flags(u8 event)
{
	return event != AMD_EVENT_ILLEGAL_COMMAND_ERROR && event != AMD_EVENT_IOTLB_INV_TIMEOUT;
}

static void print_event(const struct dmasim_fault_line *line)
{
	const char *name = dmasim_fault_reason(line->kind, line->reason);
	char flags[256];

	printf("AMD-Vi event 0x%x, %s, at 0x%llx", line->reason, name ? name : "without a name",
	       line->address);
	if (line->has_requester) {
		printf(" of ");
		print_requester(line);
	}
	print_pasid(line);
	printf("\n");
	print_meaning(line);
	dmasim_fault_flags(line, flags, sizeof(flags));
	if (line->flags || has_flags(line->reason))
		printf(INDENT "flags 0x%03x: %s\n", line->flags, flags);
	if (line->reason == AMD_EVENT_IO_PAGE_FAULT)
		printf(INDENT "%s\n", cli_page_fault_text(line->flags));
}

static void print_fault(struct log *log, const struct dmasim_fault_line *line)
{
	if (line->kind == DMASIM_LOG_VTD_STATUS) {
		print_status(line);
		log->statuses++;
		return;
	}
	if (line->kind == DMASIM_LOG_AMD_EVENT)
		print_event(line);
	else
		print_vtd(line);
	if (log->machine && line->has_requester)
		fault_device_print(log->machine, line);
	log->faults++;
}

static void print_line(struct log *log)
{
	/* Its number: it is the first of those that were read and are kept. */
	u32 number = log->read - log->kept + 1, pieces;
	struct dmasim_fault_line line;
	enum dmasim_log_line is = decode(log, &line, &pieces);

	if (is != DMASIM_LOG_OTHER)
		printf("line %u: ", number);
	switch (is) {
	case DMASIM_LOG_FAULT:
		print_fault(log, &line);
		break;
	case DMASIM_LOG_CUT:
	case DMASIM_LOG_GARBLED:
		printf("looks like a fault, and is %s: %s\n",
		       is == DMASIM_LOG_CUT ? "cut" : "garbled", line.wrong);
		log->notes++;
		break;
	case DMASIM_LOG_SMMU:
		printf("an SMMU's fault: not known yet\n");
		log->smmu++;
		break;
	default:
		break;
	}
	drop(log, pieces);
}

/* ---- The command ----------------------------------------------------------------------------- */

static const char *plural(u32 count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

static int print_log(struct log *log)
{
	errno = 0;
	while (keep(log, 1))
		print_line(log);
	if (ferror(log->file))
		return cli_bad_input("%s: %s", log->name, strerror(errno));
	printf("%u fault%s, %u status line%s", log->faults, plural(log->faults, "", "s"),
	       log->statuses, plural(log->statuses, "", "s"));
	if (log->smmu)
		printf(", %u line%s of an SMMU", log->smmu, plural(log->smmu, "", "s"));
	if (log->notes)
		printf(", %u line%s not understood", log->notes, plural(log->notes, "", "s"));
	printf("\n");
	return CLI_DONE;
}

static int open_log(struct log *log, const char *name)
{
	int status;

	log->name = name;
	log->file = strcmp(name, "-") ? fopen(name, "r") : stdin;
	if (!log->file)
		return cli_bad_input("%s: %s", name, strerror(errno));
	status = print_log(log);
	if (log->file != stdin)
		fclose(log->file);
	return status;
}

static int with_topology(struct log *log, const char *name, const char *topology)
{
	/* Nothing here is random: the environment's seed is not asked for. */
	const struct dmasim_config config = { DMASIM_CONFIG, .seed = 1 };
	struct dmasim_error error;
	int status;

	if (!topology)
		return open_log(log, name);
	log->machine = dmasim_create(&config);
	if (!log->machine)
		return cli_bad_input("fault: no memory");
	if (dmasim_import_lspci(log->machine, topology, NULL, &error))
		status = cli_bad_input("%s", error.text);
	else
		status = open_log(log, name);
	dmasim_destroy(log->machine);
	return status;
}

int cli_fault(int argc, char **argv)
{
	const char *name = NULL, *topology = NULL;
	struct log log = { 0 };

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			fputs(help, stdout);
			return CLI_DONE;
		}
		if (!strcmp(argv[i], "--topology")) {
			if (++i == argc)
				return cli_bad_input("%s: --topology needs the name of an lspci "
						     "dump",
						     argv[0]);
			topology = argv[i];
		} else if (argv[i][0] == '-' && argv[i][1]) {
			return cli_bad_input("%s: no option '%s' (--help tells more)", argv[0],
					     argv[i]);
		} else if (name) {
			return cli_bad_input("%s: unexpected argument '%s'", argv[0], argv[i]);
		} else {
			name = argv[i];
		}
	}
	if (!name)
		return cli_bad_input("%s: expected the name of a kernel log", argv[0]);
	return with_topology(&log, name, topology);
}
