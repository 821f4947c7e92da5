/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Collected heaps: what their parts know of each other.
 *
 * Order of locks, outermost first: gc->cycle, gc->world (a mutator's section is its
 * reader side, a stop its writer side), gc->roots_lock, gc_cpu.lock, gc_central.lock
 * and gc->large_lock, gc->work_lock and gc->assist_lock, neither within the other, and
 * then those of the heap below. heaps_lock may be held outside of all (validation);
 * gc->limiter_lock is the innermost; gc_pool_lock, of all heaps, is taken alone.
 */
#ifndef GOALLOC_GC_H
#define GOALLOC_GC_H

#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <goalloc_gc.h>

#include "gc_heap.h"
#include "gc_limiter.h"
#include "gc_pacer.h"
#include "gc_world.h"
#include "harden.h"
#include "heap.h"

/* Span classes: a size class, with pointers or without. */
#define GC_SPANCLASSES (2 * GOALLOC_NR_CLASSES)

/* Go's numbers: see Documentation/collector.rst. */
#define GC_BARRIER_ENTRIES 512
#define GC_WORKBUF_BYTES 2048
#define GC_OBLET_BYTES (128 << 10)
#define GC_REFILL_BUDGET 100
#define GC_MIN_HEAP (4ULL << 20)
#define GC_ASSIST_WORK (64ULL << 10)
#define GC_RECLAIM_PAGES 512
#define GC_PERIOD_SECONDS 120

/* The span's list links are in the unswept set of generation h, or in the swept one. */
#define GC_SWEPT(sweepgen) ((sweepgen) / 2 % 2)
#define GC_UNSWEPT(sweepgen) (1 - GC_SWEPT(sweepgen))

/**
 * enum gc_reason - why a collection is
 * @GC_BY_HEAP: so much was allocated
 * @GC_BY_CALL: somebody asked for it
 * @GC_BY_TIME: there was none for a while
 */
enum gc_reason {
	GC_BY_HEAP,
	GC_BY_CALL,
	GC_BY_TIME,
};

/**
 * struct gc_record - one collection
 * @nr: which it was, from 1
 * @begin_ns: when it began, in ns since the heap was made
 * @stop_ns: its two stops
 * @mark_ns: what lay between them
 * @cpu_ns: CPU time that the collector's threads marked between them
 * @idle_ns: CPU time that they marked besides, as there was nothing else to do
 * @assist_ns: CPU time that mutators marked
 * @before: bytes in use when it began
 * @at_end: bytes in use when marking had ended
 * @marked: bytes that were found in use
 * @goal: bytes in use that it was to end at
 * @roots: bytes of global variables, and of frames, that were looked at
 * @frames: see @roots
 * @percent: CPU time that collections have taken since the heap was made, in percent
 * @cpus: CPUs online
 * @forced: it was asked for
 */
struct gc_record {
	u64 nr;
	u64 begin_ns;
	u64 stop_ns[2];
	u64 mark_ns;
	u64 cpu_ns;
	u64 idle_ns;
	u64 assist_ns;
	u64 before;
	u64 at_end;
	u64 marked;
	u64 goal;
	u64 roots;
	u64 frames;
	unsigned int percent;
	unsigned int cpus;
	bool forced;
};

/* Collections that are remembered. */
#define GC_RECORDS 64

/**
 * struct gc_central - spans of one span class
 * @lock: guards everything below, and the place of its spans
 * @partial: spans with free slots, swept and unswept, see GC_SWEPT()
 * @full: spans without as far as is known, swept and unswept
 * @nr_spans: all of them, those of CPUs as well
 * @nr_free: free slots in spans that are in @partial
 * @allocs: objects handed out of spans that CPUs have given back
 * @frees: objects swept
 */
struct gc_central {
	spinlock_t lock; /* all that follows */
	struct list_head partial[2];
	struct list_head full[2];
	u64 nr_spans;
	u64 nr_free;
	u64 allocs;
	u64 frees;
} ____cacheline_aligned_in_smp;

/**
 * struct gc_workbuf - objects to be scanned
 * @list: place among the full or the empty ones, gc->work_lock
 * @nr: how many
 * @obj: spans and slots, see cache_entry_make(); of a large object the number of the
 *       oblet stands for the slot
 */
struct gc_workbuf {
	struct list_head list;
	unsigned int nr;
	cache_entry_t obj[(GC_WORKBUF_BYTES - 24) / sizeof(cache_entry_t)];
};

#define GC_WORKBUF_ENTRIES ARRAY_SIZE(((struct gc_workbuf *)0)->obj)

/**
 * struct gc_work - the work of one who marks
 * @gc: the heap
 * @buf: objects to be scanned, the last found first, or NULL
 * @spare: a second buffer, full or empty, so that one who goes up and down does not
 *         always ask the others; or NULL
 * @marked: bytes of the slots that were marked, since gc_work_flush()
 * @scanned: bytes that were scanned, likewise
 * @verify: whatever is found and not marked has been missed
 * @background: what it scans is credit of mutators
 * @paced: it is the collector's, who looks now and then how far everybody is
 * @idle: it is of one who marks only if a CPU has nothing else to do
 * @percent: the share of a CPU that he may take, or 0 if he may have all of it
 * @from: since when
 * @cpu_from: gc_thread_ns() then
 *
 * Its owner's.
 */
struct gc_work {
	struct goalloc_gc *gc;
	struct gc_workbuf *buf;
	struct gc_workbuf *spare;
	u64 marked;
	u64 scanned;
	bool verify;
	bool background;
	bool paced;
	bool idle;
	unsigned int percent;
	ktime_t from;
	u64 cpu_from;
};

/**
 * struct gc_marker - what a thread marks of a heap, see gc_markers.c
 * @work: as its thread sees it
 * @gc: the heap
 * @idle: as &struct gc_work.idle; changed while it does not run
 * @percent: as &struct gc_work.percent; likewise
 * @running: it is marking, or waits for something to mark
 */
struct gc_marker {
	struct kthread_work work;
	struct goalloc_gc *gc;
	bool idle;
	bool running;
	unsigned int percent;
};

/**
 * struct gc_cpu - what a CPU has of a collected heap
 * @span: spans that are allocated from, by span class, or cache_no_span; preemption off
 * @used: those that are not cache_no_span
 * @tiny: the tiny block that is being packed, or 0; preemption off
 * @tiny_used: bytes of it that are used
 * @tiny_allocs: tiny objects packed
 * @lock: guards what follows
 * @work: where the barrier's objects go
 * @nr: entries of @ptr
 * @ptr: pointers that were stored, or stored over, while marking
 */
struct gc_cpu {
	struct goalloc_span *span[GC_SPANCLASSES];
	DECLARE_BITMAP(used, GC_SPANCLASSES);
	unsigned long tiny;
	unsigned int tiny_used;
	u64 tiny_allocs;
	spinlock_t lock; /* all that follows */
	struct gc_work work;
	unsigned int nr;
	void *ptr[GC_BARRIER_ENTRIES];
};

/**
 * struct gc_final - an object with a finalizer
 * @list: place among all of its heap that have one, or of those that are to be called;
 *        gc->roots_lock
 * @obj: the object
 */
struct gc_final {
	struct list_head list;
	void *obj;
};

/**
 * struct goalloc_handle - what keeps an object
 * @list: place among all of its heap; gc->roots_lock
 * @refs: who uses it
 * @obj: the object; does not change
 */
struct goalloc_handle {
	struct list_head list;
	refcount_t refs;
	void *obj;
};

/**
 * struct goalloc_weak - what remembers an object without keeping it
 * @list: place among all of its heap; gc->roots_lock
 * @obj: the object, or NULL from when it was found unreachable; changed in stops
 */
struct goalloc_weak {
	struct list_head list;
	void *obj;
};

/**
 * struct gc_leak - an object that nothing reaches
 * @obj: the object
 * @type: its type
 * @size: bytes of its slot
 * @missed: scans in a row that have not reached it
 * @event: who allocated it
 */
struct gc_leak {
	void *obj;
	const struct goalloc_type *type;
	u32 size;
	u16 missed;
	struct harden_event event;
};

/**
 * struct gc_leaks - what a scan has found
 * @leak: the first of the leaks, or NULL
 * @nr: how many there are in @leak
 * @found: leaks in all
 * @bytes: bytes of all of them
 * @scans: scans so far
 */
struct gc_leaks {
	struct gc_leak *leak;
	unsigned int nr;
	u64 found;
	u64 bytes;
	u64 scans;
};

/**
 * struct goalloc_gc - a collected heap
 * @heap: the heap below, that pages and spans are of
 * @cpus: what CPUs have
 * @world: a mutator's section is a reader; the collector's stops are the writer
 * @barrier: pointers that are stored are to be told; changed in stops
 * @colour: what the state of a marked slot, or a new one, is; changed in stops
 * @sweepgen: even; two more with each collection; changed in stops
 * @sweep_next: span classes below it are swept; set back in stops
 * @phase: enum gc_phase; changed in stops
 * @flags: as &struct goalloc_gc_attr.flags
 * @track_bytes: bytes of a slot's record
 * @percent: as &struct goalloc_gc_attr.percent
 * @cycle: held throughout a collection
 * @central: spans by span class
 * @large_lock: guards @large
 * @large: spans of large objects that are collected, swept and unswept; added to
 *         without the lock
 * @heap_live: bytes, see &struct goalloc_gc_stats.heap_live
 * @heap_marked: bytes found in use by the last collection; changed in stops
 * @heap_goal: bytes to end the next collection at
 * @trigger: bytes in use at which the next collection begins
 * @live_at_mark: heap_live when marking began; changed in stops
 * @heap_scan: bytes of @heap_live that may hold pointers
 * @pacer: when the next collection is, and how hard mutators have to help; @cycle
 * @credit: bytes scanned in this collection that mutators need not scan any more
 * @assist_ns: time that mutators have helped in this collection
 * @assist_lock: guards @assists
 * @assists: mutators that wait for others to scan, the first to be helped first
 * @assist_waits: how often one has waited
 * @limiter: whether collecting takes too much; @limiter_lock
 * @limiter_lock: guards @limiter and the three that follow
 * @idle_before: CPU time that was idle up to the last update, in ns
 * @limited: whether @limiter limited then
 * @limited_cycle: the last collection that it limited
 * @limiter_assist_ns: CPU time of mutators that have helped since
 * @limiter_idle_ns: CPU time that was marked since while there was nothing else to do
 * @sweeping: something may be left to be swept; set in stops
 * @pages: pages of spans, in goalloc pages
 * @pages_swept: of these, those that were swept since the last collection
 * @sweep_ratio: pages to be swept for a byte allocated, Q32.32, or 0
 * @sweep_live: heap_live when @sweep_ratio was chosen; changed in stops
 * @reclaim_credit: pages that sweeping freed and nobody has asked for
 * @ending: there is to be no collection any more; @cycle
 * @wanted: an allocation has failed, for want of memory
 * @period: jiffies after which there is a collection in any case
 * @periodic: that
 * @work_lock: guards the lists of work, and who has none
 * @full: buffers with work
 * @empty: buffers without
 * @nr_bufs: buffers there are
 * @max_bufs: buffers there may be
 * @overflow: an object was marked and could not be queued, for want of memory
 * @nr_markers: threads that mark beside the collector's, mutators among them
 * @nr_idle: of these, those that have nothing to mark
 * @paused: they are to take nothing up; set when they have nothing
 * @recall: those who mark when a CPU is idle are to give up what they have
 * @mark_over: they are to leave
 * @work_wait: where they wait for work
 * @idle_wait: where the collector waits for work, or for them to have none
 * @markers: what they are told, by thread
 * @nr_started: those that were told to mark in this collection; @cycle
 * @marked: bytes marked in this collection, as far as those who mark have told
 * @scanned: bytes scanned, likewise
 * @background_ns: CPU time of markers that are not idle ones, in this collection
 * @idle_ns: CPU time of idle ones, likewise
 * @roots_lock: guards the lists that follow
 * @roots: global variables
 * @scans: those who are asked for pointers
 * @areas: plain memory that is looked through for leaks
 * @handles: handles
 * @weaks: weak handles
 * @finals: objects with a finalizer that has not been called
 * @final_queue: those that are to be called
 * @parked: mutators that wait at a safe point
 * @collector: runs collections
 * @finalizer: runs finalizers
 * @cycle_work: a collection that is due
 * @final_work: finalizers that are due
 * @cycles: collections; changed in stops
 * @forced: of these, those that were asked for; @cycle
 * @finalized: finalizers called; @finalizer's
 * @stop_ns: longest stop; @cycle
 * @stop_total_ns: all stops; @cycle
 * @mark_ns: time of marking; @cycle
 * @assist_total_ns: time that mutators have helped in all collections; @cycle
 * @cpu_ns: CPU time of all collections, in ns; @cycle
 * @made: when the heap was made
 * @now: the collection that is going on; @cycle
 * @records: the last collections, in a ring; @cycle
 * @bad_pointers: pointers that led to no object
 * @missed: objects that verifying has found unmarked; @cycle
 * @leaks: what the last scan for leaks has found; @cycle
 */
struct goalloc_gc {
	struct goalloc_heap *heap;
	struct gc_cpu __percpu *cpus;
	struct gc_world world;
	bool barrier;
	u8 colour;
	u8 phase;
	unsigned int flags;
	u32 track_bytes;
	u32 sweepgen;
	unsigned int sweep_next;
	int percent;
	struct mutex cycle; /* a collection */
	struct gc_central *central;
	spinlock_t large_lock; /* taking from @large */
	struct llist_head large[2];
	atomic64_t heap_live;
	u64 heap_marked;
	u64 heap_goal;
	u64 trigger;
	u64 live_at_mark;
	atomic64_t heap_scan;
	struct gc_pacer pacer;
	atomic64_t credit;
	atomic64_t assist_ns;
	spinlock_t assist_lock; /* @assists, @assist_waits */
	struct list_head assists;
	u64 assist_waits;
	struct gc_limiter limiter;
	spinlock_t limiter_lock; /* @limiter, and the three that follow */
	u64 idle_before;
	bool limited;
	u64 limited_cycle;
	atomic64_t limiter_assist_ns;
	atomic64_t limiter_idle_ns;
	bool sweeping;
	atomic64_t pages;
	atomic64_t pages_swept;
	u64 sweep_ratio;
	u64 sweep_live;
	atomic64_t reclaim_credit;
	bool ending;
	bool wanted;
	unsigned long period;
	struct kthread_delayed_work periodic;
	spinlock_t work_lock; /* up to @mark_over */
	struct list_head full;
	struct list_head empty;
	unsigned int nr_bufs;
	unsigned int max_bufs;
	bool overflow;
	unsigned int nr_markers;
	unsigned int nr_idle;
	bool paused;
	bool recall;
	bool mark_over;
	wait_queue_head_t work_wait;
	wait_queue_head_t idle_wait;
	struct gc_marker *markers;
	unsigned int nr_started;
	atomic64_t marked;
	atomic64_t scanned;
	atomic64_t background_ns;
	atomic64_t idle_ns;
	spinlock_t roots_lock; /* the lists that follow */
	struct list_head roots;
	struct list_head scans;
	struct list_head areas;
	struct list_head handles;
	struct list_head weaks;
	struct list_head finals;
	struct list_head final_queue;
	struct list_head parked;
	struct kthread_worker *collector;
	struct kthread_worker *finalizer;
	struct kthread_work cycle_work;
	struct kthread_work final_work;
	u64 cycles;
	u64 forced;
	u64 finalized;
	u64 stop_ns;
	u64 stop_total_ns;
	u64 mark_ns;
	u64 assist_total_ns;
	u64 cpu_ns;
	ktime_t made;
	struct gc_record now;
	struct gc_record *records;
	atomic64_t bad_pointers;
	u64 missed;
	struct gc_leaks leaks;
};

typedef void (*gc_span_fn_t)(struct goalloc_span *span, void *arg);

/**
 * struct gc_origin - the record of a slot in a heap that is looked through for leaks
 * @type: number of the object's type; of other heaps that is the whole record
 * @missed: how many scans in a row have not reached the object; GC_MISSED_KNOWN if it is
 *          not to be told again. Changed in stops
 * @event: who allocated it, with GOALLOC_GC_ORIGINS
 */
struct gc_origin {
	u16 type;
	u16 missed;
	struct harden_event event;
};

#define GC_MISSED_KNOWN U16_MAX

/* The number of the type of the object in a slot. */
static inline u16 *gc_track(const struct goalloc_gc *gc, const struct goalloc_span *span,
			    unsigned int slot)
{
	return span->tracks + (size_t)slot * gc->track_bytes;
}

/* Is there more than the type in a record? */
static inline bool gc_has_origins(const struct goalloc_gc *gc)
{
	return gc->track_bytes == sizeof(struct gc_origin);
}

static inline struct gc_origin *gc_origin(const struct goalloc_gc *gc,
					  const struct goalloc_span *span,
					  unsigned int slot)
{
	return span->tracks + (size_t)slot * gc->track_bytes;
}

static inline u8 gc_other_colour(u8 colour)
{
	return colour == SLOT_COLOUR_A ? SLOT_COLOUR_B : SLOT_COLOUR_A;
}

/* Is the object in a slot marked, or new? In a mutator's section, or a stop. */
static inline bool gc_is_marked(const struct goalloc_gc *gc,
				const struct goalloc_span *span, unsigned int slot)
{
	return READ_ONCE(*span_slot_state(span, slot)) == READ_ONCE(gc->colour);
}

/* The slot that an address lies in; 0 of a large object. */
static inline unsigned int gc_slot(const struct goalloc_span *span, const void *p)
{
	return span->kind == SPAN_LARGE ? 0 : span_slot(span, (unsigned long)p);
}

/* gc_type.c */
u32 gc_type_id(struct goalloc_type *type, gfp_t gfp);
struct goalloc_type *gc_type(u32 id);
void gc_types_get(void);
void gc_types_put(void);

/* gc_span.c */
struct goalloc_span *gc_span_pop(struct gc_central *central, struct list_head *set);
void gc_span_free(struct goalloc_span *span);
struct goalloc_span *gc_span_get(struct goalloc_gc *gc, u8 sc, gfp_t gfp);
void gc_span_put(struct goalloc_gc *gc, struct goalloc_span *span);
void gc_span_free_slot(struct goalloc_gc *gc, struct goalloc_span *span, unsigned int slot);
void gc_span_flush_cpu(struct goalloc_gc *gc, unsigned int cpu);
void *gc_large_alloc(struct goalloc_gc *gc, size_t size, u32 id, bool noscan, gfp_t gfp);
void gc_spans_walk(struct goalloc_gc *gc, gc_span_fn_t fn, void *arg);

/* gc_sweep.c */
struct goalloc_span *gc_sweep_claim(struct goalloc_gc *gc, struct gc_central *central,
				    bool full_first);
void gc_sweep_span(struct goalloc_gc *gc, struct goalloc_span *span);
u32 gc_sweep_place(struct goalloc_gc *gc, struct goalloc_span *span);
void gc_sweep_all(struct goalloc_gc *gc);
void gc_sweep_pay(struct goalloc_gc *gc, u64 bytes, unsigned int npages);
void gc_sweep_reclaim(struct goalloc_gc *gc, u64 npages, u64 look);
void gc_free_all(struct goalloc_gc *gc);

/* gc_alloc.c */
void *gc_alloc(struct goalloc_mutator *m, struct goalloc_type *type, size_t size, gfp_t gfp);

/* gc_work.c */
void gc_work_init(struct goalloc_gc *gc, struct gc_work *w);
bool gc_work_try_put(struct gc_work *w, cache_entry_t obj);
void gc_work_put(struct gc_work *w, cache_entry_t obj);
bool gc_work_get(struct gc_work *w, cache_entry_t *obj);
void gc_work_share(struct gc_work *w);
void gc_work_flush(struct gc_work *w);
void gc_work_done(struct gc_work *w);
bool gc_work_any(struct goalloc_gc *gc);
int gc_work_fill(struct goalloc_gc *gc, unsigned int nr);
void gc_work_trim(struct goalloc_gc *gc, unsigned int keep);

/* gc_mark.c */
void gc_grey(struct gc_work *w, void *p, const void *from);
void gc_grey_guess(struct gc_work *w, unsigned long word);
void gc_scan(struct gc_work *w, cache_entry_t obj);
u64 gc_drain(struct gc_work *w, u64 bytes);
void gc_rescan(struct gc_work *w);
void gc_verify(struct gc_work *w);

/* gc_markers.c */
int gc_markers_get(struct goalloc_gc *gc);
void gc_markers_put(struct goalloc_gc *gc);
void gc_markers_start(struct gc_work *w, bool busy, bool idle);
void gc_markers_resume(struct goalloc_gc *gc);
void gc_markers_unrecall(struct goalloc_gc *gc);
bool gc_markers_more(struct gc_work *w);
bool gc_markers_join(struct goalloc_gc *gc);
void gc_markers_leave(struct gc_work *w);
void gc_markers_end(struct goalloc_gc *gc);
void gc_markers_throttle(struct gc_work *w);
u64 gc_thread_ns(void);
u64 gc_thread_since(u64 begin);

/* gc_roots.c */
void gc_roots_mark(struct gc_work *w);
bool gc_roots_end(struct gc_work *w);
int gc_final_add(struct goalloc_gc *gc, void *obj, gfp_t gfp);
void gc_finalizers(struct kthread_work *work);
unsigned int gc_roots_left(struct goalloc_gc *gc);
void gc_roots_forget(struct goalloc_gc *gc);

/* gc_mutator.c */
void gc_stop(struct goalloc_gc *gc);
void gc_start(struct goalloc_gc *gc);
void gc_barrier_flush(struct goalloc_gc *gc);
void gc_shade(struct goalloc_gc *gc, void *p);

/* gc_trace.c */
void gc_trace_begin(struct goalloc_gc *gc, bool forced);
void gc_trace_end(struct goalloc_gc *gc);
int gc_trace_text(const struct gc_record *r, char *buf, size_t len);

/* gc_cycle.c */
void gc_collect(struct goalloc_gc *gc, enum gc_reason reason);
void gc_cycle(struct kthread_work *work);
void gc_periodic(struct kthread_work *work);
void gc_mark_world(struct goalloc_gc *gc, struct gc_work *w);

/* gc_assist.c */
void gc_credit_add(struct goalloc_gc *gc, u64 scanned);
void gc_assist(struct goalloc_mutator *m, u64 bytes);
void gc_assist_release(struct goalloc_gc *gc);

/* gc_pace.c */
void gc_allocated(struct goalloc_gc *gc, u64 bytes, bool noscan);
void gc_unallocated(struct goalloc_gc *gc, u64 bytes, bool noscan);
void gc_pace_init(struct goalloc_gc *gc, const struct goalloc_gc_attr *attr);
void gc_pace_begin(struct goalloc_gc *gc);
void gc_pace(struct gc_work *w);
void gc_pace_end(struct goalloc_gc *gc, u64 marked);
void gc_set_goal(struct goalloc_gc *gc, bool swept);
void gc_limit_begin(struct goalloc_gc *gc);
void gc_limit_update(struct goalloc_gc *gc);
void gc_limit_stop(struct goalloc_gc *gc);
void gc_limit_start(struct goalloc_gc *gc, bool collecting);

struct validate;

/* gc_validate.c */
bool gc_validate(struct goalloc_gc *gc, struct validate *v);

/* gc_leaks.c */
int gc_leaks_scan(struct goalloc_gc *gc);
int gc_leaks_clear(struct goalloc_gc *gc);
void gc_leaks_forget(struct goalloc_gc *gc);

#endif /* GOALLOC_GC_H */
