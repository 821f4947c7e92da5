/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: functions that do nothing.
 */
#ifndef SIM_LINUX_TRACEPOINT_H
#define SIM_LINUX_TRACEPOINT_H

#include <sim_kernel.h>

#define TRACE_DEFINE_ENUM(name) _Static_assert(1, "")
#define EXPORT_TRACEPOINT_SYMBOL_GPL(name) _Static_assert(1, "")
#define TP_PROTO(args...) args
#define TRACE_EVENT(name, proto, ...) \
	static inline void trace_##name(proto) { }

#endif /* SIM_LINUX_TRACEPOINT_H */
