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
#define TP_ARGS(args...) args
#define TRACE_EVENT(name, proto, ...) \
	static inline bool trace_##name##_enabled(void) { return false; } \
	static inline void trace_##name(proto) { }
#define DECLARE_EVENT_CLASS(name, ...) _Static_assert(1, "")
#define DEFINE_EVENT(class, name, proto, ...) TRACE_EVENT(name, TP_PROTO(proto), __VA_ARGS__)

#endif /* SIM_LINUX_TRACEPOINT_H */
