/* SPDX-License-Identifier: MIT */
/*
 * The trace's line for a stretch of a transfer: where it went, or who refused it.
 */
#ifndef HW_ENGINE_TRACE_H
#define HW_ENGINE_TRACE_H

#include "hw/fabric.h"

void engine_trace(struct trace *trace, const struct hw_access *access);

/* The kind of a target by its name in the trace, and the other way round; NULL, false: none. */
const char *engine_target_name(enum hw_target_kind kind);

#endif
