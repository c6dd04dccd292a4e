#!/bin/sh
# SPDX-License-Identifier: MIT
# dmasim groups, as a user runs it: what it prints for our own dumps, and what it refuses. TAP.
#   groups.sh DMASIM SOURCE_ROOT
# With UPDATE_GOLDEN=1 the recorded text becomes what is printed now: read git diff then.
set -u
program=$1
data=$2/tests/data
golden=$2/tests/golden/groups
verb=groups
refusals=refuses-
. "$(dirname "$0")/command.sh"

# prints NAME ARGS...: the text is the recorded one; nothing goes to stderr but, with --why, notes,
# which are recorded behind it.
prints() {
	name=$1
	shift
	dmasim groups "$@" >"$temp/out" 2>"$temp/err"
	status=$?
	case " $* " in
	*" --why "*)
		grep '^note: ' "$temp/err" >>"$temp/out"
		grep -v '^note: ' "$temp/err" >"$temp/other"
		mv "$temp/other" "$temp/err"
		;;
	esac
	if [ "${UPDATE_GOLDEN:-}" = 1 ]; then
		mkdir -p "$golden"
		cp "$temp/out" "$golden/$name.txt"
	fi
	if [ $status -eq 0 ] && [ ! -s "$temp/err" ] &&
	   diff -u "$golden/$name.txt" "$temp/out" >"$temp/why" 2>&1; then
		ok "prints-$name"
	else
		{ echo "exit status $status"; cat "$temp/err"; } >>"$temp/why"
		not_ok "prints-$name"
	fi
}

# ---- What it prints ----------------------------------------------------------------------------

for file in conventional-256 desktop-64 domains-64 sriov-4096 switch-acs-4096; do
	prints "$file" "$data/$file.hex"
	prints "$file-why" "$data/$file.hex" --why
	prints "$file-strict" "$data/$file.hex" --policy strict --why
done
prints southbridge --why "$data/text-southbridge-nn.txt"
prints switch-off "$data/switch-acs-4096.hex" --acs off --why
prints switch-off-strict "$data/switch-acs-4096.hex" --acs off --policy strict --why
prints switch-on --acs on --iommu vtd "$data/switch-acs-4096.hex"
prints switch-amd --iommu amd "$data/switch-acs-4096.hex"
prints switch-riscv --iommu riscv "$data/switch-acs-4096.hex"
prints switch-smmuv3 --iommu smmuv3 "$data/switch-acs-4096.hex"

if run 0 prints-help --help; then
	has prints-help '^usage: dmasim groups FILE' "$temp/out"
fi

# Each line is a function with its domain, a tab, and a number or the word; sorted by function.
dmasim groups "$data/switch-acs-4096.hex" >"$temp/out"
if ! grep -qvE '^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]	([0-9]+|unknown)$' "$temp/out" &&
   LC_ALL=C sort -c "$temp/out" 2>"$temp/why"; then
	ok lines-are-functions-and-groups
else
	cat "$temp/out" >>"$temp/why"
	not_ok lines-are-functions-and-groups
fi

# Numbers begin at 0 and go up by one, in order of the first member.
if awk -F'\t' '$2 == "unknown" || $2 in seen { next }
	       { if ($2 != count++) exit 1; seen[$2] = 1 }' "$temp/out" 2>"$temp/why"; then
	ok numbers-are-in-order-of-the-first-member
else
	cat "$temp/out" >>"$temp/why"
	not_ok numbers-are-in-order-of-the-first-member
fi

# What a kernel said of groups when a text was recorded does not matter.
sed 's/^[0-9a-f:]*[0-9a-f]\.[0-7] .*$/&\n\tIOMMU group: 7/' "$data/switch-acs-4096.hex" \
	>"$temp/with-groups.hex"
dmasim groups "$temp/with-groups.hex" >"$temp/second" 2>"$temp/why"
if cmp "$temp/out" "$temp/second" >>"$temp/why" 2>&1; then
	ok recorded-groups-do-not-matter
else
	not_ok recorded-groups-do-not-matter
fi

# It has nothing random: a bad seed in the environment is no matter.
DMASIM_SEED=nonsense dmasim groups "$data/switch-acs-4096.hex" >"$temp/second" 2>"$temp/why"
if cmp "$temp/out" "$temp/second" >>"$temp/why" 2>&1; then
	ok asks-for-no-seed
else
	not_ok asks-for-no-seed
fi

# ---- What it refuses ---------------------------------------------------------------------------

refused nothing 'groups: expected the name of an lspci dump'
refused two-files "groups: unexpected argument 'b'" a b
refused an-option "groups: no option '--what'" --what
refused a-policy "groups: --policy 'kind': expected linux or strict" --policy kind
refused no-policy "groups: --policy '': expected linux or strict" a --policy
refused an-acs "groups: --acs 'yes': expected keep, on or off" --acs yes a
refused an-iommu "groups: --iommu 'smmu': expected vtd, amd, riscv or smmuv3" --iommu smmu a
refused no-file 'no-such-file' "$temp/no-such-file"

printf '00:00.0 Something\n00: zz\n' >"$temp/bad.hex"
refused a-bad-dump 'bad.hex:2: ' "$temp/bad.hex"

echo "1..$number"
