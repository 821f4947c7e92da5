/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hardened heaps: what each has beside an ordinary heap.
 */
#ifndef GOALLOC_HARDEN_H
#define GOALLOC_HARDEN_H

#include <linux/atomic.h>
#include <linux/poison.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <goalloc.h>

#include "allocinfo.h"
#include "central.h"
#include "heap.h"
#include "pagemap.h"

/* The flags of a hardened heap. */
#define HARDEN_FLAGS (GOALLOC_HARDEN_ALL | GOALLOC_HARDEN_ZERO)

/* The least number of bytes between an object and its neighbour. */
#define HARDEN_REDZONE 16

/* What red zones and free objects are filled with: SLUB's own bytes. */
#define HARDEN_RED_BYTE SLUB_RED_ACTIVE
#define HARDEN_FREE_BYTE POISON_FREE

/* An object of more than this part of a quarantine's room is not kept. */
#define HARDEN_QUARANTINE_SHARE 4

/**
 * struct harden_event - who did something with an object, and when
 * @site: call site, 0 for never
 * @stack: its stack in the kernel's stack depot, 0 if that could not be had
 * @pid: task
 * @cpu: CPU
 * @when: milliseconds of the CPU's clock; wraps
 */
struct harden_event {
	unsigned long site;
	u32 stack;
	u32 pid;
	u32 cpu;
	u32 when;
};

enum harden_event_kind {
	HARDEN_ALLOCATED,
	HARDEN_FREED,
	HARDEN_NR_EVENTS,
};

/**
 * struct harden_track - what is known of one slot
 * @line: who asked for it, see allocinfo.h
 * @next: of a slot that was freed: the one that was freed next or before
 * @asked: bytes requested of the live object, or of the last one
 * @seq: times the slot was handed out
 * @event: by enum harden_event_kind; only with GOALLOC_HARDEN_STACKS
 *
 * Written by whoever has the slot in hand (SLOT_BUSY). Reports and sweeps read
 * it at any time.
 */
struct harden_track {
#if GOALLOC_ALLOCINFO
	union codetag_ref line;	/* first, as in other heaps */
#endif
	cache_entry_t next;
	u32 asked;
	u32 seq;
	struct harden_event event[];
};

/**
 * struct harden - what a hardened heap has beside
 * @heap: the heap
 * @flags: GOALLOC_HARDEN_*
 * @fills: what is freed is overwritten
 * @fill: with this byte
 * @key: of the random numbers
 * @draws: random numbers drawn
 * @overflows: times a red zone was found changed
 * @use_after_frees: times a free object was found changed
 * @cap: bytes that the quarantine may hold
 * @pending: objects freed in NMI, linked by their records, the last one first;
 *           changed by xchg() and cmpxchg()
 * @lock: guards what follows; interrupts off. Taken with no other goalloc lock
 *        held, and none is taken under it; not taken in NMI.
 * @first: the object that has been in quarantine for longest, 0 for none
 * @last: the one that came last
 * @bytes: slots in quarantine, in bytes
 */
struct harden {
	struct goalloc_heap *heap;
	unsigned int flags;
	bool fills;
	u8 fill;
	siphash_key_t key;
	atomic64_t draws;
	atomic64_t overflows;
	atomic64_t use_after_frees;
	u64 cap;
	cache_entry_t pending;
	raw_spinlock_t lock;
	cache_entry_t first;
	cache_entry_t last;
	u64 bytes;
};

/* harden.c: handing out and taking back */
int harden_create(struct goalloc_heap *heap, const struct goalloc_heap_attr *attr);
void harden_end(struct goalloc_heap *heap);
void harden_destroy(struct goalloc_heap *heap);
void *harden_alloc(struct goalloc_heap *heap, size_t size, size_t align,
		   gfp_t gfp, int nid);
void harden_free(struct goalloc_heap *heap, const void *p, unsigned long caller);
size_t harden_size(const struct slot_ref *ref, size_t size);
bool harden_resize(struct goalloc_heap *heap, const void *p, size_t old_size,
		   size_t new_size, gfp_t gfp, unsigned long caller);
void harden_arm(struct goalloc_span *span, unsigned int slot, size_t asked,
		gfp_t gfp, bool dirty);

/* harden_check.c: is what must not change as it was? */
bool harden_check_red(const struct slot_ref *ref, unsigned long caller);
bool harden_check_fill(const struct slot_ref *ref, unsigned long caller);
void harden_fill(const struct slot_ref *ref);
void harden_span_begins(struct goalloc_span *span);
void harden_span_ends(struct goalloc_span *span);
bool harden_in_same_hands(const struct slot_ref *ref, u8 state, u32 seq);
u64 harden_check_heap(struct goalloc_heap *heap, unsigned long caller);

/* harden_quarantine.c: between free and reuse */
void harden_retire(struct harden *h, const struct slot_ref *ref, unsigned long caller);
void harden_return(struct harden *h, const struct slot_ref *ref);
void harden_settle(struct harden *h);
u64 harden_drain(struct harden *h, u64 bytes);

/* harden_track.c: who did it */
int harden_track_init(void);
void harden_record(struct harden_event *event, unsigned long site);
unsigned long harden_site(void);
unsigned int harden_stack(const struct harden_event *event, unsigned long **entries);
u32 harden_now(void);

/* harden_param.c: what the module was told */
int harden_parse(const char *words, unsigned int *flags);
int harden_params(struct goalloc_heap_attr *attr);
size_t harden_quarantine_cap(void);

static inline struct harden *harden_of(const struct goalloc_span *span)
{
	return span->home->heap->harden;
}

/* The record of a slot; of a span of a hardened heap. */
static inline struct harden_track *harden_track(const struct goalloc_span *span,
						unsigned int slot)
{
	return heap_track(span, slot);
}

/* Who did @kind with a slot, or NULL if that is not recorded. */
static inline struct harden_event *harden_event(const struct goalloc_span *span,
						unsigned int slot,
						enum harden_event_kind kind)
{
	if (!(harden_of(span)->flags & GOALLOC_HARDEN_STACKS))
		return NULL;
	return &harden_track(span, slot)->event[kind];
}

static inline cache_entry_t harden_entry(const struct slot_ref *ref)
{
	return cache_entry_make(ref->span, ref->slot);
}

static inline struct slot_ref harden_ref(cache_entry_t entry)
{
	struct goalloc_span *span = cache_entry_span(entry);
	unsigned int slot = cache_entry_slot(entry);

	return (struct slot_ref){ .span = span, .slot = slot, .state = span->state + slot };
}

static inline char *harden_object(const struct slot_ref *ref)
{
	return (char *)span_slot_addr(ref->span, ref->slot);
}

#endif /* GOALLOC_HARDEN_H */
