/* SPDX-License-Identifier: MIT */
/*
 * A small picture of the addresses that a report is about:
 *
 *   addresses                |mapped|device|
 *     0xfffff000-0xfffff0ff  |######|      |   256 bytes  this mapping
 *     0xfffff100-0xfffff1ff  |      |******|   256 bytes  nothing, but its page is mapped
 *     0xfffff200-0xffffffff  |      |      |  3584 bytes  nothing
 *
 * One line is a stretch of addresses in which nothing changes. The first column is what is there,
 * the second what the device touched or the call named.
 */
#ifndef CHECK_PICTURE_H
#define CHECK_PICTURE_H

#include "check/explain.h"

/* Adds the picture; nothing where there is no more to see than one stretch. */
void picture_add(struct check *check, struct text *text, const struct finding *finding);

/* True if the finding's numbers are addresses that a picture shows. */
bool picture_has(const struct finding *finding);

/* What a mapping was made by, and which way its bytes go: "dma_map_sg", "TO_DEVICE". */
const char *picture_kind(const struct piece *piece);
const char *picture_direction(const struct piece *piece);

#endif
