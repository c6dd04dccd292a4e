#!/bin/sh
# SPDX-License-Identifier: MIT
# Unpacks what the build uses of a kernel tree (-Dkernel_source), and nothing else of it, unless
# FOLDER has that already. Prints the folder to give to Meson.
#   unpack.sh ARCHIVE.tar.xz FOLDER
set -eu
archive=$1
folder=$2
name=$(basename "$archive" .tar.xz)
tree=$folder/$name

if [ ! -f "$tree/drivers/iommu/io-pgtable-arm.c" ] || [ "$archive" -nt "$tree" ]; then
	new=$(mktemp -d "$folder/.new.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	trap 'exit 1' HUP INT TERM
	# Some trees have no generic_pt: what is missing shows when all that there is was read.
	(cd "$new" && tar -xJf "$archive" "$name/Makefile" "$name/drivers/iommu/generic_pt" \
		"$name/drivers/iommu/io-pgtable-arm.c" "$name/drivers/iommu/io-pgtable-arm.h" \
		"$name/drivers/iommu/iommu-pages.h" "$name/drivers/iommu/iova.c" \
		"$name/include/linux/generic_pt" "$name/include/linux/io-pgtable.h" \
		"$name/include/linux/iova.h" "$name/include/linux/rbtree.h" \
		"$name/include/linux/rbtree_augmented.h" "$name/include/linux/rbtree_types.h" \
		"$name/lib/rbtree.c") 2>"$new/said" || true
	[ -f "$new/$name/lib/rbtree.c" ] || { cat "$new/said" >&2 && exit 1; }
	# Where there is no generic_pt nothing wants the pages of its tables.
	[ -d "$new/$name/drivers/iommu/generic_pt" ] ||
		rm -f "$new/$name/drivers/iommu/iommu-pages.h"
	touch "$new/$name"
	rm -rf "$tree"
	mv "$new/$name" "$tree"
fi
printf '%s\n' "$tree"
