#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim fault, as a user runs it: what it says of our own logs and of recorded ones, and what it
# refuses. TAP.
#   fault.sh DMASIM SOURCE_ROOT SHARED_DATA
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$1
data=$2/tests/data
golden=$2/tests/golden/fault
shared=$3/faults
verb=fault
refusals=refuses-
. "$(dirname "$0")/command.sh"

# same NAME STATUS EXPECTED: the command ended well, said nothing on stderr, and printed this file.
same() {
	if [ "$2" -eq 0 ] && [ ! -s "$temp/err" ] &&
	   diff -u "$3" "$temp/out" >"$temp/why" 2>&1; then
		ok "$1"
	else
		{ echo "exit status $2"; cat "$temp/err"; } >>"$temp/why"
		not_ok "$1"
	fi
}

# prints NAME ARGS...: the text is the recorded one.
prints() {
	name=$1
	shift
	dmasim fault "$@" >"$temp/out" 2>"$temp/err"
	status=$?
	if [ "${UPDATE_GOLDEN:-}" = 1 ]; then
		mkdir -p "$golden"
		cp "$temp/out" "$golden/$name.txt"
	fi
	same "prints-$name" $status "$golden/$name.txt"
}

# counts FILE LINE: this recorded log, in its last line.
counts() {
	name=counts-$(basename "$1" | sed 's/\..*//')
	if [ ! -r "$shared/$1" ]; then
		skip "$name" "the recorded logs are not here ($shared)"
		return
	fi
	dmasim fault "$shared/$1" >"$temp/all" 2>"$temp/err"
	status=$?
	tail -n 1 "$temp/all" >"$temp/out"
	echo "$2" >"$temp/wanted"
	same "$name" $status "$temp/wanted"
}

# ---- What it prints ----------------------------------------------------------------------------

prints log "$data/faults.log"
prints mail "$data/faults-mail.txt"
prints log-conventional "$data/faults.log" --topology "$data/conventional-256.hex"
prints log-domains --topology "$data/domains-64.hex" "$data/faults.log"
prints mail-sriov "$data/faults-mail.txt" --topology "$data/sriov-4096.hex"

# header ADDRESS REGISTERS-0-TO-F BARS-0-AND-1 BARS-2-TO-5: 64 bytes of an endpoint.
header() {
	printf '%s A function\n00: %s\n10: %s\n20: %s\n30:%s\n\n' "$1" "$2" \
	       "00 00 00 00 00 00 00 00 $3 00 00 00 00" "$(zeros 16 | cut -c2-)" "$(zeros 16)"
}
zeros() {
	printf ' 00%.0s' $(seq "$1")
}

# Behind VMD, and under another function's number: who has the number of a fault did not send.
{
	header 00:0e.0 "86 80 7f 46 06 00 00 00 00 00 04 01 00 00 00 00" "00 00 00 80"
	header 01:00.0 "4b 1b 30 92 06 00 00 00 00 01 06 01 00 00 00 00" "00 00 00 00"
	header 10000:00:04.0 "86 80 cd ab 06 00 00 00 00 02 08 01 00 00 00 00" "00 00 00 80"
	header 10000:00:05.0 "86 80 cd ab 06 00 00 00 00 02 08 01 00 00 00 00" "00 00 01 80"
} >"$temp/behind.hex"
for device in 00:0e.0 00:04.0 01:00.1; do
	echo "DMAR: [DMA Read NO_PASID] Request device [$device] fault addr 0x1000" \
	     "[fault reason 0x06] PTE Read access is not set"
done >"$temp/behind.log"
prints behind-vmd-and-known --topology "$temp/behind.hex" "$temp/behind.log"

dmasim fault - <"$data/faults.log" >"$temp/out" 2>"$temp/err"
same reads-the-standard-input $? "$golden/log.txt"

sed 's/$/\r/' "$data/faults.log" >"$temp/dos.log"
dmasim fault "$temp/dos.log" >"$temp/out" 2>"$temp/err"
same reads-lines-of-dos $? "$golden/log.txt"

# A line may be of any length, and a file of any bytes.
{ head -c 100000 /dev/zero | tr '\0' x; echo; sed -n 4p "$data/faults.log"; } >"$temp/long.log"
dmasim fault "$temp/long.log" >"$temp/out" 2>"$temp/err"
status=$?
{
	echo "line 2: VT-d stopped a read at 0xbdf83000 of 02:04.0"
	sed -n 3,4p "$golden/log.txt"
	echo "1 fault, 0 status lines"
} >"$temp/wanted"
same counts-a-long-line-once $status "$temp/wanted"

# A cut line takes nothing from the whole ones behind it.
{
	for line in 13 4 13 13 23 14 3; do
		sed -n "${line}p" "$data/faults.log"
	done
} >"$temp/cut.log"
dmasim fault "$temp/cut.log" >"$temp/all" 2>"$temp/err"
status=$?
grep -o '^line [0-9]*: [A-Za-z-]*' "$temp/all" >"$temp/out"
printf 'line %s\n' '1: looks' '2: VT-d' '3: looks' '4: looks' '5: looks' '7: VT-d' >"$temp/wanted"
same numbers-lines-behind-a-cut-one $status "$temp/wanted"

echo "0 faults, 0 status lines" >"$temp/wanted"
for file in /dev/null "$data/conventional-256.hex"; do
	dmasim fault "$file" >"$temp/out" 2>"$temp/err"
	same "finds-nothing-in-$(basename "$file")" $? "$temp/wanted"
done

# A program has the words of many a fault line in it, and no end of lines.
dmasim fault "$program" >"$temp/out" 2>"$temp/err"
status=$?
if [ $status -eq 0 ] && [ ! -s "$temp/err" ] &&
   tail -n 1 "$temp/out" | grep -q ' status line'; then
	ok reads-any-bytes
else
	{ echo "exit status $status"; cat "$temp/err"; } >"$temp/why"
	not_ok reads-any-bytes
fi

dmasim fault --help >"$temp/out" 2>"$temp/err"
status=$?
if [ $status -eq 0 ] && [ ! -s "$temp/err" ] &&
   grep -q '^usage: dmasim fault FILE' "$temp/out"; then
	ok prints-help
else
	{ echo "exit status $status"; cat "$temp/out" "$temp/err"; } >"$temp/why"
	not_ok prints-help
fi

# ---- Bridges to conventional PCI ---------------------------------------------------------------

# function BDF VENDOR DEVICE CLASS BUSES TYPE: 256 bytes of one. BUSES: primary, secondary,
# subordinate, "" for no bridge; TYPE: of its PCI Express capability, "" for none.
function_dump() {
	awk -v bdf="$1" -v vendor="$2" -v device="$3" -v class="$4" -v buses="$5" -v type="$6" '
	function word(at, hex) {
		byte[at] = substr(hex, 3)
		byte[at + 1] = substr(hex, 1, 2)
	}
	BEGIN {
		word(0, vendor)
		word(2, device)
		word(10, class)
		if (split(buses, bus, " ") == 3) {
			byte[14] = "01"
			for (i = 1; i <= 3; i++)
				byte[23 + i] = bus[i]
		}
		if (type != "") {
			byte[6] = "10"
			byte[52] = "40"
			byte[64] = "10"
			byte[66] = type "1"
		}
		print bdf " made up"
		for (i = 0; i < 256; i++) {
			if (i % 16 == 0)
				printf "%02x:", i
			printf " %s%s", i in byte ? byte[i] : "00", i % 16 == 15 ? "\n" : ""
		}
		print ""
	}'
}

{
	function_dump 00:1c.0 d51a 1001 0604 '00 01 02' 4
	function_dump 01:00.0 1b21 1080 0604 '01 02 02' ''
	function_dump 02:03.0 d51a 2001 0200 '' ''
	function_dump 00:1d.0 d51a 1001 0604 '00 03 04' 4
	function_dump 03:00.0 1a03 1150 0604 '03 04 04' 7
	function_dump 04:00.0 d51a 2002 0300 '' ''
	function_dump 00:1e.0 8086 244e 0604 '00 05 05' ''
	function_dump 05:01.0 d51a 2003 0100 '' ''
} >"$temp/bridges.hex"

# sender REQUESTER LINE...: whose it is, in the topology.
sender() {
	requester=$1
	shift
	printf 'DMAR: [DMA Read] Request device [%s] fault addr 1000 [fault reason 06]\n' \
		"$requester" >"$temp/one.log"
	dmasim fault "$temp/one.log" --topology "$topology" >"$temp/all" 2>"$temp/err"
	status=$?
	sed '1,3d;$d' "$temp/all" >"$temp/out"
	for line; do
		echo "    $line"
	done >"$temp/wanted"
	same "names-the-sender-$requester" $status "$temp/wanted"
}

topology=$temp/bridges.hex
below='sends with this number for what is below it:'
sender 02:00.0 "the bridge 0000:01:00.0 $below" '  0000:02:03.0 Ethernet [0200] d51a:2001'
sender 01:00.0 '0000:01:00.0 PCI bridge [0604] 1b21:1080, below 0000:00:1c.0'
sender 04:00.0 '0000:04:00.0 VGA [0300] d51a:2002, below 0000:00:1d.0, 0000:03:00.0'
sender 00:1e.0 '0000:00:1e.0 PCI bridge [0604] 8086:244e, on the root bus' \
	"the bridge 0000:00:1e.0 $below" '  0000:05:01.0 SCSI [0100] d51a:2003'
sender 05:00.0 'the topology has no such requester'
sender 05:01.7 'the topology has no such requester' \
	'in the same slot, and may send so: 0000:05:01.0 SCSI [0100] d51a:2003, below 0000:00:1e.0'

# Virtual functions: 8 of them, from 0x80 on, each second number.
sed 's/^110: 02 00 00 00 01 00 01/110: 02 00 00 00 80 00 02/' "$data/sriov-4096.hex" \
	>"$temp/virtual.hex"
topology=$temp/virtual.hex
physical='0000:01:00.0 Ethernet [0200] d51a:2007, below 0000:00:02.0'
sender 01:10.0 "virtual function 0 of $physical"
sender 01:10.6 "virtual function 3 of $physical"
sender 01:11.6 "virtual function 7 of $physical"
sender 01:12.0 'the topology has no such requester'
sender 01:10.7 'the topology has no such requester'

# ---- Logs of real machines ---------------------------------------------------------------------

counts amdvi-fetch-pte-race.txt '12 faults, 0 status lines'
counts amdvi-vfio-msi-range.txt '6 faults, 0 status lines'
counts dmar-dl388-direct-mappings.log '2 faults, 1 status line'
counts dmar-domain-switch-window.txt '3 faults, 3 status lines'
counts dmar-heci-alias-fn7.txt '3 faults, 4 status lines'
counts dmar-t450s-xhci.txt '3 faults, 4 status lines'
counts smmuv2-context-fault.txt '0 faults, 0 status lines, 10 lines of an SMMU'
counts smmuv3-events-collected.txt '0 faults, 0 status lines, 14 lines of an SMMU'

# ---- What it refuses ---------------------------------------------------------------------------

printf '00:00.0 Host bridge\n00: 86 80\n' >"$temp/short.hex"
refused no-file 'expected the name of a kernel log'
refused two-files "unexpected argument 'b.log'" "$data/faults.log" b.log
refused an-unknown-option "no option '--all'" --all "$data/faults.log"
refused an-option-without-its-file '--topology needs the name' "$data/faults.log" --topology
refused a-file-that-is-not-there "$temp/none.log: No such file" "$temp/none.log"
refused a-folder "$temp: Is a directory" "$temp"
refused a-topology-that-is-not-there "$temp/none.hex: No such file" "$data/faults.log" \
	--topology "$temp/none.hex"
refused a-broken-topology "$temp/short.hex:2: 2 bytes in a line" --topology "$temp/short.hex" \
	"$data/faults.log"

echo "1..$number"
