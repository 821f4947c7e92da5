/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What goalloc says when something is wrong.
 */
#ifndef GOALLOC_REPORT_H
#define GOALLOC_REPORT_H

#include <linux/gfp.h>
#include <linux/types.h>

struct goalloc_gc;
struct goalloc_heap;
struct goalloc_span;
struct validate;

/**
 * enum bad_free - why a free was refused
 * @BAD_FREE_FOREIGN: the address is in no span of any heap
 * @BAD_FREE_INTERIOR: it is inside a slot, live or free, and not its start
 * @BAD_FREE_MISALIGNED: no object can begin there: it is no multiple of 8, or
 *                       behind the last slot of a span
 * @BAD_FREE_DOUBLE: the object there is free
 * @BAD_FREE_SPAN: the pages are the heap's own and in no span: the object and
 *                 all its neighbours were freed before
 * @BAD_FREE_HEAP: the object belongs to another heap
 * @BAD_FREE_RACE: found later: an object was freed on two CPUs at once
 * @BAD_FREE_ENDED: the heap has ended, or the one that the object is of
 * @NR_BAD_FREES: number of kinds
 */
enum bad_free {
	BAD_FREE_FOREIGN,
	BAD_FREE_INTERIOR,
	BAD_FREE_MISALIGNED,
	BAD_FREE_DOUBLE,
	BAD_FREE_SPAN,
	BAD_FREE_HEAP,
	BAD_FREE_RACE,
	BAD_FREE_ENDED,
	NR_BAD_FREES,
};

/* Room for "object 1023 of class 67 (32768 bytes)". */
#define REPORT_OBJECT_LEN 64

void report_object(char *buf, const struct goalloc_span *span, unsigned int slot);
const char *report_bad_free_name(enum bad_free kind);
void report_bad_free(struct goalloc_heap *heap, const void *p,
		     struct goalloc_span *span, unsigned int slot,
		     enum bad_free kind, unsigned long caller);
bool report_bad_guarded(struct goalloc_heap *heap, const void *p, u32 size,
			unsigned int slot, enum bad_free kind, unsigned long caller);
void report_bad_rcu(struct goalloc_heap *heap, const void *p, unsigned long caller);
void report_race(struct goalloc_span *span, unsigned int slot, unsigned int nr);
void report_bad_gfp(const struct goalloc_heap *heap, gfp_t gfp,
		    unsigned long caller);
void report_bad_zero(const struct goalloc_heap *heap, gfp_t gfp,
		     unsigned long caller);
void report_bad_size(const struct goalloc_heap *heap, size_t size, gfp_t gfp,
		     unsigned long caller);
void report_bad_align(const struct goalloc_heap *heap, size_t align,
		      unsigned long caller);
void report_bad_node(const struct goalloc_heap *heap, int nid,
		     unsigned long caller);
void report_bad_heap(const struct goalloc_heap *heap, unsigned long caller);
void report_bad_attr(const char *what, unsigned long caller);
void report_overflow(const struct goalloc_span *span, unsigned int slot,
		     size_t offset, unsigned long caller);
void report_use_after_free(const struct goalloc_span *span, unsigned int slot,
			   size_t offset, u8 fill, unsigned long caller);
void report_track(const struct goalloc_span *span, unsigned int slot);
void report_gc(const struct goalloc_gc *gc, const char *where, const char *what,
	       unsigned long caller);
void report_gc_outside(struct goalloc_heap *heap);
void report_gc_pointer(const struct goalloc_gc *gc, const void *p, const void *from);
void report_gc_missed(const struct goalloc_gc *gc, const void *p, const void *from);
void report_gc_leaks(const struct goalloc_gc *gc);
void report_leaks(struct goalloc_heap *heap);
void report_lost(const struct goalloc_heap *heap, u64 npages);
void report_validate(const struct validate *v);
void report_forgotten(const struct goalloc_heap *heap);

#endif /* GOALLOC_REPORT_H */
