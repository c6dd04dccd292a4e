/* SPDX-License-Identifier: MIT */
#include <dmasim/fault-log.h>

#include <string.h>

#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>

#include "check/fault_reasons.h"
#include "check/fault_scan.h"
#include "world/text.h"

#define PASID_MASK 0xfffffU
#define NO_PASID   0xffffffffU /* as kernels before 5.14 print it */

/* ---- VT-d ------------------------------------------------------------------------------------ */

/*
 * "[fault reason 06]", behind whatever stands between: older kernels print it in a line of its own.
 * It belongs to this request only if none other begins before it.
 */
static void vtd_reason(struct scan *scan, struct dmasim_fault_line *line)
{
	static const char wrong[] = "expected the fault reason";
	const char *found, *other;
	bool hexadecimal;
	u64 reason;

	if (scan->state != DMASIM_LOG_FAULT)
		return;
	found = strstr(scan->at, "[fault");
	other = strstr(scan->at, "Request device");
	if (other && (!found || other < found)) {
		scan_fail(scan, wrong);
		return;
	}
	if (!found) {
		scan->state = DMASIM_LOG_CUT;
		scan->wrong = wrong;
		return;
	}
	scan->at = found;
	if (!scan_text(scan, "[fault reason ", wrong))
		return;
	hexadecimal = scan->at[0] == '0' && scan->at[1] == 'x';
	if (hexadecimal)
		scan->at += 2;
	scan_digits(scan, hexadecimal ? 16 : 10, VTD_FRCD_REASON_MASK, &reason, wrong);
	scan_text(scan, "]", wrong);
	line->reason = (u8)reason;
}

/* "Request device [3a:00.0]"; some kernels wrote two brackets. */
static void vtd_requester(struct scan *scan, struct dmasim_fault_line *line)
{
	scan_text(scan, " Request device [", "expected the requester");
	if (*scan->at == '[')
		scan->at++;
	scan_requester(scan, line);
	scan_text(scan, "]", "expected the bracket after the requester");
}

static void set_pasid(struct dmasim_fault_line *line, u64 pasid)
{
	line->has_pasid = true;
	line->pasid = (u32)pasid;
}

/* Between the brackets: "Read", "Read NO_PASID", "Read PASID 0x1". */
static void vtd_request(struct scan *scan, struct dmasim_fault_line *line)
{
	u64 pasid;

	scan_text(scan, "[DMA ", "expected the kind of request");
	line->write = *scan->at == 'W';
	scan_text(scan, line->write ? "Write " : "Read ", "expected Read or Write");
	if (*scan->at == 'N') {
		scan_text(scan, "NO_PASID", "expected a PASID");
	} else if (*scan->at && *scan->at != ']') {
		scan_text(scan, "PASID ", "expected a PASID");
		if (scan_hex(scan, PASID_MASK, &pasid, "expected a PASID of 20 bits"))
			set_pasid(line, pasid);
	}
	scan_text(scan, " ]", "expected the bracket after the kind of request");
}

static void vtd_dma(struct scan *scan, struct dmasim_fault_line *line)
{
	u64 pasid;

	line->kind = DMASIM_LOG_VTD_DMA;
	vtd_request(scan, line);
	vtd_requester(scan, line);
	scan_blanks(scan);
	if (scan->state == DMASIM_LOG_FAULT && *scan->at == 'P') {
		scan_text(scan, "PASID ", "expected a PASID");
		scan_hex(scan, NO_PASID, &pasid, "expected a PASID");
		if (pasid != NO_PASID && pasid > PASID_MASK)
			scan_fail(scan, "expected a PASID of 20 bits, or ffffffff");
		else if (pasid != NO_PASID)
			set_pasid(line, pasid);
	}
	scan_text(scan, " fault addr ", "expected the address");
	scan_hex(scan, ~0ULL, &line->address, "expected an address");
	vtd_reason(scan, line);
	line->word[0] = line->address & VTD_FRCD_ADDR_MASK;
	line->word[1] = line->requester | VTD_FRCD_FAULT |
			(u64)line->reason << VTD_FRCD_REASON_SHIFT |
			(line->write ? 0 : VTD_FRCD_TYPE_READ);
	if (line->has_pasid)
		line->word[1] |= VTD_FRCD_PASID_SET | (u64)line->pasid << VTD_FRCD_PASID_SHIFT;
}

/* "[INTR-REMAP] Request ...", and from older kernels "INTR-REMAP: Request ...". */
static void vtd_interrupt(struct scan *scan, struct dmasim_fault_line *line)
{
	line->kind = DMASIM_LOG_VTD_INTERRUPT;
	scan_text(scan, "INTR-REMAP", "expected the kind of request");
	if (*scan->at == ']' || *scan->at == ':')
		scan->at++;
	vtd_requester(scan, line);
	scan_text(scan, " fault index ", "expected the index of the interrupt's entry");
	scan_hex(scan, 0xffff, &line->address, "expected an index of 16 bits");
	vtd_reason(scan, line);
	line->word[0] = line->address << VTD_FRCD_INDEX_SHIFT;
	line->word[1] = line->requester | VTD_FRCD_FAULT |
			(u64)line->reason << VTD_FRCD_REASON_SHIFT;
}

static void vtd_status(struct scan *scan, struct dmasim_fault_line *line)
{
	u64 status;

	line->kind = DMASIM_LOG_VTD_STATUS;
	scan_text(scan, "DRHD: handling fault status reg ", "expected the fault status");
	scan_hex(scan, ~(u32)0, &status, "expected a fault status of 32 bits");
	line->flags = (u32)status;
}

/* ---- AMD-Vi ---------------------------------------------------------------------------------- */

/* What the pairs in brackets have told: AMD_HAS_, and the parts of a record without a name. */
struct amd_pairs {
	u32 has;
	u32 raw_count;
	u32 raw[4];
};

static bool same(const char *key, size_t length, const char *name)
{
	return strlen(name) == length && !memcmp(key, name, length);
}

static void amd_raw(struct scan *scan, struct amd_pairs *pairs, const char *key)
{
	u64 value;

	/* event[0]= to event[3]=, in order */
	if (pairs->raw_count > 3 || key[6] != (char)('0' + pairs->raw_count)) {
		scan->state = DMASIM_LOG_GARBLED;
		scan->wrong = "expected the four parts of an event in order";
		return;
	}
	if (scan_hex(scan, ~(u32)0, &value, "expected a part of an event"))
		pairs->raw[pairs->raw_count++] = (u32)value;
}

static void amd_value(struct scan *scan, struct dmasim_fault_line *line, struct amd_pairs *pairs,
		      const char *key, size_t length)
{
	u64 value;

	if (same(key, length, "device")) {
		if (scan_requester(scan, line))
			pairs->has |= AMD_HAS_DEVICE;
	} else if (same(key, length, "domain")) {
		line->has_domain = scan_hex(scan, AMD_EVENT_DOMAIN_MASK, &value,
					    "expected a domain of 16 bits");
		line->domain = (u16)value;
		pairs->has |= AMD_HAS_DOMAIN;
	} else if (same(key, length, "pasid")) {
		if (scan_hex(scan, PASID_MASK, &value, "expected a PASID of 20 bits"))
			set_pasid(line, value);
		pairs->has |= AMD_HAS_PASID;
	} else if (same(key, length, "address") || same(key, length, "gpa")) {
		scan_hex(scan, ~0ULL, &line->address, "expected an address");
		pairs->has |= *key == 'a' ? AMD_HAS_ADDRESS : AMD_HAS_GPA;
	} else if (same(key, length, "flags")) {
		scan_hex(scan, AMD_EVENT_FLAGS_MASK, &value, "expected flags of 12 bits");
		line->flags = (u32)value;
		pairs->has |= AMD_HAS_FLAGS;
	} else if (length == strlen("event[0]") && !memcmp(key, "event[", 6)) {
		amd_raw(scan, pairs, key);
	} else {
		/* tag, vmg_tag, flags_rmp, type: nothing of the record. */
		scan_hex(scan, ~0ULL, &value, "expected a number");
	}
}

/* "key=value key=value]", also with commas between. */
static void amd_pairs(struct scan *scan, struct dmasim_fault_line *line, struct amd_pairs *pairs)
{
	for (;;) {
		const char *key;
		size_t length;

		while (*scan->at == ',' || *scan->at == ' ' || *scan->at == '\t')
			scan->at++;
		if (scan->state != DMASIM_LOG_FAULT || *scan->at == ']')
			break;
		key = scan->at;
		length = strcspn(key, "= \t\r\n,");
		scan->at += length;
		if (!scan_text(scan, "=", "expected a key, = and a value"))
			break;
		amd_value(scan, line, pairs, key, length);
	}
	scan_text(scan, "]", "expected the closing bracket");
}

/* "smartpqi 0000:23:00.0: " may stand before "AMD-Vi:", which tells the device then. */
static bool device_before(const char *line, const char *mark, struct dmasim_fault_line *out)
{
	const size_t length = strlen("0000:23:00.0: ");
	struct scan scan = { .state = DMASIM_LOG_FAULT };
	struct dmasim_fault_line found = { 0 };

	if ((size_t)(mark - line) < length)
		return false;
	scan.at = mark - length;
	if (!scan_requester(&scan, &found) || !found.has_segment ||
	    !scan_text(&scan, ": ", "expected the end of the device") || scan.at != mark)
		return false;
	out->has_segment = true;
	out->segment = found.segment;
	out->has_requester = true;
	out->requester = found.requester;
	return true;
}

static const char *amd_missing(u32 missing)
{
	if (missing & AMD_HAS_DEVICE)
		return "expected the device";
	if (missing & (AMD_HAS_ADDRESS | AMD_HAS_GPA))
		return "expected the address";
	if (missing & AMD_HAS_FLAGS)
		return "expected the flags";
	return missing ? "expected the domain or the PASID" : NULL;
}

/* The record in four parts, for which the driver had no name. */
static void amd_unnamed(struct scan *scan, struct dmasim_fault_line *line,
			const struct amd_pairs *pairs)
{
	if (pairs->raw_count != 4) {
		scan->state = DMASIM_LOG_GARBLED;
		scan->wrong = "expected the four parts of an event";
		return;
	}
	line->word[0] = pairs->raw[0] | (u64)pairs->raw[1] << 32;
	line->word[1] = pairs->raw[2] | (u64)pairs->raw[3] << 32;
	line->reason = (line->word[0] >> AMD_EVENT_CODE_SHIFT) & AMD_EVENT_CODE_MASK;
	line->flags = (line->word[0] >> AMD_EVENT_FLAGS_SHIFT) & AMD_EVENT_FLAGS_MASK;
	line->requester = line->word[0] & AMD_EVENT_DEVICE_MASK;
	line->has_requester = true;
	line->address = line->word[1];
}

static void amd_record(struct dmasim_fault_line *line)
{
	u64 low = line->has_domain ? line->domain : line->pasid;

	line->word[0] = line->requester | (u64)(line->pasid >> 16) << AMD_EVENT_PASID_HIGH_SHIFT |
			(low & AMD_EVENT_DOMAIN_MASK) << AMD_EVENT_DOMAIN_SHIFT |
			(u64)line->flags << AMD_EVENT_FLAGS_SHIFT |
			(u64)line->reason << AMD_EVENT_CODE_SHIFT;
	line->word[1] = line->address;
}

static void amd_line(struct scan *scan, struct dmasim_fault_line *line, const char *whole)
{
	const char *mark = scan->at, *name;
	const struct amd_event *event;
	struct amd_pairs pairs = { 0 };
	size_t length;
	u32 need;

	line->kind = DMASIM_LOG_AMD_EVENT;
	if (device_before(whole, mark, line))
		pairs.has |= AMD_HAS_DEVICE;
	scan_text(scan, "AMD-Vi: Event logged [ ", "expected an event in brackets");
	if (scan->state != DMASIM_LOG_FAULT)
		return;
	name = scan->at;
	length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	event = amd_event_named(name, length);
	if (!event && !same(name, length, "UNKNOWN")) {
		scan->at += length;
		scan_fail(scan, "expected the name of an event");
		return;
	}
	scan->at += length;
	amd_pairs(scan, line, &pairs);
	if (scan->state != DMASIM_LOG_FAULT)
		return;
	if (!event) {
		amd_unnamed(scan, line, &pairs);
		return;
	}
	/* A domain may stand for a PASID: kernels before 5.14 printed it so. */
	need = event->has;
	if (pairs.has & (AMD_HAS_DOMAIN | AMD_HAS_PASID))
		need &= ~(AMD_HAS_DOMAIN | AMD_HAS_PASID);
	scan->wrong = amd_missing(need & ~pairs.has);
	if (scan->wrong)
		scan->state = DMASIM_LOG_GARBLED;
	line->reason = event->reason.code;
	amd_record(line);
}

/* ---- Any line -------------------------------------------------------------------------------- */

static bool is_smmu(const char *line)
{
	static const char *const words[] = { "context fault", "global fault", "event 0x",
					     "event: ", "EVTQ overflow" };
	const char *at = strstr(line, "smmu");

	for (size_t i = 0; at && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(at, words[i]))
			return true;
	}
	return false;
}

/* Parts of a fault line whose beginning is missing; NULL: there are none. */
static const char *headless(const char *line)
{
	if (strstr(line, "[fault reason ") ||
	    (strstr(line, "Request device [") &&
	     (strstr(line, "fault addr") || strstr(line, "fault index"))))
		return "expected the beginning of VT-d's line";
	for (u32 code = 0; code <= AMD_EVENT_CODE_MASK; code++) {
		const struct amd_event *event = amd_event((u8)code);
		const char *at = event ? strstr(line, event->reason.text) : NULL;

		if (at && at > line && at[-1] == '[')
			return "expected the beginning of AMD-Vi's line";
	}
	return NULL;
}

static bool ends_with(const char *line, const char *words)
{
	const char *at = strstr(line, words);

	return at && !at[strlen(words) + strspn(at + strlen(words), " \t\r\n")];
}

/* "INTR-REMAP" and a request behind it, or nothing. */
static const char *interrupt_request(const char *line)
{
	const char *at = strstr(line, "INTR-REMAP");
	const char *next = at ? at + strlen("INTR-REMAP") : NULL;

	if (!at || (*next && *next != ']' && *next != ':'))
		return NULL;
	next += *next ? 1 : 0;
	next += strspn(next, " \t\r\n");
	return !*next || *next == 'R' ? at : NULL;
}

static const char *after(const char *line, const char *mark, const char *words)
{
	const char *at = strstr(line, mark);

	return at ? strstr(at, words) : NULL;
}

/* Finds what the line begins as, and reads it. False: it begins as none. */
static bool read_line(struct scan *scan, const char *line, struct dmasim_fault_line *out)
{
	if ((scan->at = after(line, "DMAR:", "[DMA ")))
		vtd_dma(scan, out);
	else if ((scan->at = interrupt_request(line)))
		vtd_interrupt(scan, out);
	else if ((scan->at = strstr(line, "DRHD: handling")) ||
		 (ends_with(line, "DMAR: DRHD:") && (scan->at = strstr(line, "DRHD:"))))
		vtd_status(scan, out);
	else if ((scan->at = strstr(line, "AMD-Vi: Event logged")))
		amd_line(scan, out, line);
	else
		return false;
	return true;
}

enum dmasim_log_line dmasim_fault_decode(const char *line, struct dmasim_fault_line *out)
{
	struct scan scan = { .state = DMASIM_LOG_FAULT };

	*out = (struct dmasim_fault_line){ 0 };
	if (!read_line(&scan, line, out)) {
		out->wrong = headless(line);
		if (out->wrong)
			return DMASIM_LOG_GARBLED;
		return is_smmu(line) ? DMASIM_LOG_SMMU : DMASIM_LOG_OTHER;
	}
	if (scan.state != DMASIM_LOG_FAULT)
		*out = (struct dmasim_fault_line){ .kind = out->kind, .wrong = scan.wrong };
	return scan.state;
}
