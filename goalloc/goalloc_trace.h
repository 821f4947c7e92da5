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
#include <trace/events/mmflags.h>

#include "gc_heap.h"
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

TRACE_DEFINE_ENUM(GC_OFF);
TRACE_DEFINE_ENUM(GC_MARK);
TRACE_DEFINE_ENUM(GC_MARKTERM);

#define trace_gc_phase_name(phase)				\
	__print_symbolic(phase,					\
			 { GC_OFF, "off" },			\
			 { GC_MARK, "mark" },			\
			 { GC_MARKTERM, "mark_termination" })

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

/**
 * alloc - an object was handed out, or none was to be had
 * @call_site: who asked for it
 * @ptr: the object, NULL or ZERO_SIZE_PTR
 * @bytes_req: bytes requested
 * @bytes_alloc: bytes that may be used
 * @gfp_flags: flags
 * @node: node that was asked for, or NUMA_NO_NODE
 *
 * The fields are those of kmem:kmalloc, as is that the ring buffer has the
 * address itself, which tells an object's free from others', and that %p prints it.
 */
TRACE_EVENT(alloc,
	    TP_PROTO(unsigned long call_site, const void *ptr, size_t bytes_req,
		     size_t bytes_alloc, gfp_t gfp_flags, int node),
	    TP_ARGS(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node),
	    TP_STRUCT__entry(__field(unsigned long, call_site)
			     __field(const void *, ptr)
			     __field(size_t, bytes_req)
			     __field(size_t, bytes_alloc)
			     __field(unsigned long, gfp_flags)
			     __field(int, node)),
	    TP_fast_assign(__entry->call_site = call_site;
			   __entry->ptr = ptr;
			   __entry->bytes_req = bytes_req;
			   __entry->bytes_alloc = bytes_alloc;
			   __entry->gfp_flags = (__force unsigned long)gfp_flags;
			   __entry->node = node;),
	    TP_printk("call_site=%pS ptr=%p bytes_req=%zu bytes_alloc=%zu gfp_flags=%s node=%d",
		      (void *)__entry->call_site, __entry->ptr, __entry->bytes_req,
		      __entry->bytes_alloc, show_gfp_flags(__entry->gfp_flags),
		      __entry->node)
);

/**
 * free - something is about to be freed, or to be refused
 * @call_site: who frees it
 * @ptr: what, as with alloc; never NULL
 */
TRACE_EVENT(free,
	    TP_PROTO(unsigned long call_site, const void *ptr),
	    TP_ARGS(call_site, ptr),
	    TP_STRUCT__entry(__field(unsigned long, call_site)
			     __field(const void *, ptr)),
	    TP_fast_assign(__entry->call_site = call_site;
			   __entry->ptr = ptr;),
	    TP_printk("call_site=%pS ptr=%p", (void *)__entry->call_site, __entry->ptr)
);

#define trace_span_kind_name(kind)				\
	__print_symbolic(kind, { 0, "small" }, { 1, "tiny" }, { 2, "large" })

DECLARE_EVENT_CLASS(goalloc_span_event,
		    TP_PROTO(const struct goalloc_span *span),
		    TP_ARGS(span),
		    TP_STRUCT__entry(__array(char, heap, HEAP_NAME_LEN)
				     __field(int, node)
				     __field(u64, page)
				     __field(u32, npages)
				     __field(u32, size)
				     __field(u8, class)
				     __field(u8, kind)),
		    TP_fast_assign(strscpy(__entry->heap, span->home->heap->name,
					   HEAP_NAME_LEN);
				   __entry->node = span->home->nid;
				   __entry->page = span->page;
				   __entry->npages = span->npages;
				   __entry->size = span->elemsize;
				   __entry->class = span->bin;
				   __entry->kind = span->kind;),
		    TP_printk("heap=%s node=%d page=%llu npages=%u size=%u class=%u kind=%s",
			      __entry->heap, __entry->node, __entry->page,
			      __entry->npages, __entry->size, __entry->class,
			      trace_span_kind_name(__entry->kind))
);

/**
 * span_alloc - pages have become a span
 * @span: the span; page is the number of its first page in the address space
 */
DEFINE_EVENT(goalloc_span_event, span_alloc,
	     TP_PROTO(const struct goalloc_span *span),
	     TP_ARGS(span)
);

/**
 * span_free - the pages of a span go back to the page tree
 * @span: the span
 */
DEFINE_EVENT(goalloc_span_event, span_free,
	     TP_PROTO(const struct goalloc_span *span),
	     TP_ARGS(span)
);

/**
 * refill - a cache came to a central for memory
 * @central: the central
 * @objects: single objects that it got
 * @slots: free slots of the span that it got, 0 without a span
 */
TRACE_EVENT(refill,
	    TP_PROTO(const struct goalloc_central *central, u32 objects, u32 slots),
	    TP_ARGS(central, objects, slots),
	    TP_STRUCT__entry(__array(char, heap, HEAP_NAME_LEN)
			     __field(int, node)
			     __field(u32, objects)
			     __field(u32, slots)
			     __field(u8, class)),
	    TP_fast_assign(strscpy(__entry->heap, central->home->heap->name, HEAP_NAME_LEN);
			   __entry->node = central->home->nid;
			   __entry->objects = objects;
			   __entry->slots = slots;
			   __entry->class = central->bin;),
	    TP_printk("heap=%s node=%d class=%u objects=%u slots=%u", __entry->heap,
		      __entry->node, __entry->class, __entry->objects, __entry->slots)
);

/**
 * flush - a cache brought objects to a central
 * @central: the central
 * @objects: how many
 * @remote: they came from a CPU of another node
 */
TRACE_EVENT(flush,
	    TP_PROTO(const struct goalloc_central *central, u32 objects, bool remote),
	    TP_ARGS(central, objects, remote),
	    TP_STRUCT__entry(__array(char, heap, HEAP_NAME_LEN)
			     __field(int, node)
			     __field(u32, objects)
			     __field(u8, class)
			     __field(bool, remote)),
	    TP_fast_assign(strscpy(__entry->heap, central->home->heap->name, HEAP_NAME_LEN);
			   __entry->node = central->home->nid;
			   __entry->objects = objects;
			   __entry->class = central->bin;
			   __entry->remote = remote;),
	    TP_printk("heap=%s node=%d class=%u objects=%u remote=%d", __entry->heap,
		      __entry->node, __entry->class, __entry->objects, __entry->remote)
);

DECLARE_EVENT_CLASS(goalloc_run_event,
		    TP_PROTO(const struct heap_node *node, u64 page, u64 npages),
		    TP_ARGS(node, page, npages),
		    TP_STRUCT__entry(__array(char, heap, HEAP_NAME_LEN)
				     __field(int, node)
				     __field(u64, page)
				     __field(u64, npages)),
		    TP_fast_assign(strscpy(__entry->heap, node->heap->name, HEAP_NAME_LEN);
				   __entry->node = node->nid;
				   __entry->page = page;
				   __entry->npages = npages;),
		    TP_printk("heap=%s node=%d page=%llu npages=%llu", __entry->heap,
			      __entry->node, __entry->page, __entry->npages)
);

/**
 * grow - a heap has taken pages from the kernel
 * @node: node of the heap that they are on
 * @page: number of the first in the address space
 * @npages: how many, in goalloc pages
 */
DEFINE_EVENT(goalloc_run_event, grow,
	     TP_PROTO(const struct heap_node *node, u64 page, u64 npages),
	     TP_ARGS(node, page, npages)
);

/**
 * scavenge - a heap has given pages back to the kernel
 * @node: node of the heap that they are on
 * @page: number of the first in the address space
 * @npages: how many, in goalloc pages
 */
DEFINE_EVENT(goalloc_run_event, scavenge,
	     TP_PROTO(const struct heap_node *node, u64 page, u64 npages),
	     TP_ARGS(node, page, npages)
);

/**
 * gc_phase - a collection goes on to something else
 * @heap: the heap below the collected one
 * @cycle: which collection, from 1
 * @phase: enum gc_phase
 * @live: bytes in use
 * @goal: bytes in use to end at
 */
TRACE_EVENT(gc_phase,
	    TP_PROTO(const struct goalloc_heap *heap, u64 cycle, u8 phase, u64 live,
		     u64 goal),
	    TP_ARGS(heap, cycle, phase, live, goal),
	    TP_STRUCT__entry(__array(char, heap, HEAP_NAME_LEN)
			     __field(u64, cycle)
			     __field(u64, live)
			     __field(u64, goal)
			     __field(u8, phase)),
	    TP_fast_assign(strscpy(__entry->heap, heap->name, HEAP_NAME_LEN);
			   __entry->cycle = cycle;
			   __entry->live = live;
			   __entry->goal = goal;
			   __entry->phase = phase;),
	    TP_printk("heap=%s cycle=%llu phase=%s live=%llu goal=%llu", __entry->heap,
		      __entry->cycle, trace_gc_phase_name(__entry->phase), __entry->live,
		      __entry->goal)
);

/**
 * gc_assist - a mutator had to help
 * @heap: the heap below the collected one
 * @bytes: bytes that it is about to allocate
 * @credit: bytes that others had scanned for it
 * @scanned: bytes that it has scanned
 * @waited: bytes that it has waited for others to scan
 */
TRACE_EVENT(gc_assist,
	    TP_PROTO(const struct goalloc_heap *heap, u64 bytes, u64 credit, u64 scanned,
		     u64 waited),
	    TP_ARGS(heap, bytes, credit, scanned, waited),
	    TP_STRUCT__entry(__array(char, heap, HEAP_NAME_LEN)
			     __field(u64, bytes)
			     __field(u64, credit)
			     __field(u64, scanned)
			     __field(u64, waited)),
	    TP_fast_assign(strscpy(__entry->heap, heap->name, HEAP_NAME_LEN);
			   __entry->bytes = bytes;
			   __entry->credit = credit;
			   __entry->scanned = scanned;
			   __entry->waited = waited;),
	    TP_printk("heap=%s bytes=%llu credit=%llu scanned=%llu waited=%llu",
		      __entry->heap, __entry->bytes, __entry->credit, __entry->scanned,
		      __entry->waited)
);

#endif /* GOALLOC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE goalloc_trace
#include <trace/define_trace.h>
