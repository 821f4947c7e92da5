/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc's tracepoints.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM goalloc

#if !defined(GOALLOC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define GOALLOC_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "heap.h"

/* Room for an address as %p prints it. */
#define TRACE_ADDRESS_LEN 20

TRACE_DEFINE_ENUM(BAD_FREE_FOREIGN);
TRACE_DEFINE_ENUM(BAD_FREE_INTERIOR);
TRACE_DEFINE_ENUM(BAD_FREE_MISALIGNED);
TRACE_DEFINE_ENUM(BAD_FREE_DOUBLE);
TRACE_DEFINE_ENUM(BAD_FREE_SPAN);
TRACE_DEFINE_ENUM(BAD_FREE_HEAP);
TRACE_DEFINE_ENUM(BAD_FREE_RACE);
TRACE_DEFINE_ENUM(BAD_FREE_ENDED);

#define trace_bad_free_name(kind)				\
	__print_symbolic(kind,					\
			 { BAD_FREE_FOREIGN, "foreign" },	\
			 { BAD_FREE_INTERIOR, "interior" },	\
			 { BAD_FREE_MISALIGNED, "misaligned" },	\
			 { BAD_FREE_DOUBLE, "double" },		\
			 { BAD_FREE_SPAN, "freed_span" },	\
			 { BAD_FREE_HEAP, "wrong_heap" },	\
			 { BAD_FREE_RACE, "race" },		\
			 { BAD_FREE_ENDED, "ended" })

/**
 * bad_free - a free was refused
 * @heap: heap it was tried on
 * @kind: enum bad_free
 * @p: what was to be freed; recorded as %p prints it
 * @size: bytes of the slots of its span, 0 without a span
 * @slot: its slot, 0 without a span
 * @site: call site; 0 for what was found later
 */
TRACE_EVENT(bad_free,
	    TP_PROTO(const struct goalloc_heap *heap, unsigned int kind,
		     const void *p, u32 size, u32 slot, unsigned long site),
	    TP_ARGS(heap, kind, p, size, slot, site),
	    TP_STRUCT__entry(__array(char, heap, HEAP_NAME_LEN)
			     __array(char, address, TRACE_ADDRESS_LEN)
			     __field(u32, kind)
			     __field(u32, size)
			     __field(u32, slot)
			     __field(unsigned long, site)),
	    /* The ring buffer can be read raw, so what goes in is hashed. */
	    TP_fast_assign(strscpy(__entry->heap, heap->name, HEAP_NAME_LEN);
			   snprintf(__entry->address, TRACE_ADDRESS_LEN, "%p", p);
			   __entry->kind = kind;
			   __entry->size = size;
			   __entry->slot = slot;
			   __entry->site = site;),
	    TP_printk("heap=%s kind=%s address=%s size=%u slot=%u call_site=%pS",
		      __entry->heap, trace_bad_free_name(__entry->kind),
		      __entry->address, __entry->size, __entry->slot,
		      (void *)__entry->site)
);

#endif /* GOALLOC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE goalloc_trace
#include <trace/define_trace.h>
