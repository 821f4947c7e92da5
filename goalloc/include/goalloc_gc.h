/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Collected heaps: objects are freed because nothing reaches them.
 *
 * Code that touches the objects of a collected heap is a mutator. It works between
 * goalloc_enter() and goalloc_exit(), names its local pointers in frames, and stores
 * pointers into objects with goalloc_store(). In return nothing that it can reach goes
 * away, and what nobody can reach does, cycles included.
 *
 *	struct node { struct node *next; int value; };
 *	static GOALLOC_TYPE(node_type, struct node, next);
 *
 *	struct goalloc_mutator m;
 *	struct node *head = NULL;
 *
 *	goalloc_enter(gc, &m);
 *	GOALLOC_FRAME(frame, &head);
 *	goalloc_push(&m, &frame);
 *	head = goalloc_new(&m, &node_type, GFP_KERNEL);
 *	...
 *	goalloc_safepoint(&m);		now and then, in loops
 *	...
 *	goalloc_pop(&m, &frame);
 *	goalloc_exit(&m);
 *
 * The collector stops mutators only where they say so: before goalloc_enter() and in
 * goalloc_safepoint(). Only there objects are given up, so a pointer in a local
 * variable has to be in a frame only if it is to live across a safe point.
 */
#ifndef GOALLOC_GC_PUBLIC_H
#define GOALLOC_GC_PUBLIC_H

#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/types.h>

#include <goalloc_type.h>

struct goalloc_gc;
struct goalloc_handle;
struct goalloc_weak;

/**
 * struct goalloc_gc_attr - how a collected heap is made
 * @percent: how much may be allocated until the next collection, in percent of what
 *           was found in use by the last one; 0 stands for 100, GOALLOC_GC_OFF for
 *           never by itself
 * @limit: bytes of pages that the heap may hold at once, 0 for no limit
 * @soft_limit: bytes of pages that the heap should not pass, 0 for no limit: near it the
 *              heap is collected more often, whatever @percent is
 * @flags: GOALLOC_GC_* flags
 */
struct goalloc_gc_attr {
	int percent;
	size_t limit;
	size_t soft_limit;
	unsigned int flags;
};

/*
 * GOALLOC_GC_STOP_THE_WORLD - mark while all mutators wait; slow, and for tests
 * GOALLOC_GC_VERIFY - when all is marked, look whether what is marked leads to what is
 *	not: a pointer was stored without goalloc_store(); it is reported, and the
 *	object kept. As long a stop as it takes to go through the heap
 * GOALLOC_GC_EXPLICIT - objects are freed with goalloc_delete(), and nothing else frees
 *	them; what nothing reaches is a leak, see goalloc_gc_find_leaks()
 * GOALLOC_GC_ORIGINS - remember who allocated each object, and when, for leaks
 */
#define GOALLOC_GC_STOP_THE_WORLD 0x01U
#define GOALLOC_GC_VERIFY 0x02U
#define GOALLOC_GC_EXPLICIT 0x04U
#define GOALLOC_GC_ORIGINS 0x08U
#define GOALLOC_GC_FLAGS (GOALLOC_GC_STOP_THE_WORLD | GOALLOC_GC_VERIFY | \
			  GOALLOC_GC_EXPLICIT | GOALLOC_GC_ORIGINS)

/* A percentage: no collection unless it is asked for. */
#define GOALLOC_GC_OFF (-1)

/**
 * struct goalloc_frame - pointers in local variables, for the collector to find
 * @prev: the caller's frame
 * @local: addresses of the variables
 * @nr: how many there are
 */
struct goalloc_frame {
	struct goalloc_frame *prev;
	void **local;
	unsigned int nr;
};

/**
 * GOALLOC_FRAME - define a frame
 * @var: name of the variable
 * @...: addresses of local variables that point into the heap, or are NULL
 */
#define GOALLOC_FRAME(var, ...)							\
	struct goalloc_frame var = {						\
		.local = (void *[]){ __VA_ARGS__ },				\
		.nr = sizeof((void *[]){ __VA_ARGS__ }) / sizeof(void *),	\
	}

/**
 * struct goalloc_mutator - one thread's use of a collected heap
 * @gc: the heap; NULL outside of goalloc_enter() and goalloc_exit()
 * @stop: set while the collector wants everybody to come to a safe point
 * @barrier: set while pointers that are stored are to be told the collector
 * @top: its innermost frame
 * @parked: place among those that wait at a safe point
 * @credit: bytes that it may allocate before it has to help marking
 * @cycle: the collection that @credit is for
 *
 * Its owner's alone, but for those that wait.
 */
struct goalloc_mutator {
	struct goalloc_gc *gc;
	const bool *stop;
	const bool *barrier;
	struct goalloc_frame *top;
	struct list_head parked;
	s64 credit;
	u64 cycle;
};

/**
 * struct goalloc_root - global variables that point into a collected heap
 * @list: place among all roots of the heap
 * @slot: the first variable
 * @nr: how many variables there are, one behind the other
 */
struct goalloc_root {
	struct list_head list;
	void **slot;
	unsigned int nr;
};

struct goalloc_visitor;

/**
 * struct goalloc_scan - pointers that their owner finds: on a stack, in a table
 * @list: place among all of the heap
 * @fn: called when the collector wants to know them: calls goalloc_visit() for each
 * @arg: what @fn is given
 */
struct goalloc_scan {
	struct list_head list;
	void (*fn)(void *arg, struct goalloc_visitor *visitor);
	void *arg;
};

/**
 * struct goalloc_area - plain memory that may point into a heap
 * @list: place among all areas of the heap
 * @begin: its first word
 * @nr: how many words it has
 */
struct goalloc_area {
	struct list_head list;
	const unsigned long *begin;
	size_t nr;
};

/**
 * struct goalloc_gc_stats - what a collected heap has done
 * @cycles: collections
 * @forced: of these, those that were asked for
 * @heap_live: bytes in use: those found by the last collection, and what was
 *             allocated since, with room in spans that CPUs allocate from
 * @heap_marked: bytes that the last collection found in use
 * @heap_goal: bytes in use that the next collection is to end at
 * @allocs: objects ever allocated
 * @frees: objects ever given up
 * @live_objects: objects allocated and not swept
 * @live_bytes: bytes of their slots
 * @tiny_allocs: tiny objects that went into a block which was there
 * @finalized: finalizers called
 * @stop_ns: time of the longest stop, in ns
 * @stop_total_ns: time of all stops together, in ns
 * @mark_ns: time of marking, in ns, in all collections
 * @assist_ns: time that mutators have helped, in ns
 * @bad_pointers: pointers in objects, roots and frames that led to no object
 */
struct goalloc_gc_stats {
	u64 cycles;
	u64 forced;
	u64 heap_live;
	u64 heap_marked;
	u64 heap_goal;
	u64 allocs;
	u64 frees;
	u64 live_objects;
	u64 live_bytes;
	u64 tiny_allocs;
	u64 finalized;
	u64 stop_ns;
	u64 stop_total_ns;
	u64 mark_ns;
	u64 assist_ns;
	u64 bad_pointers;
};

/**
 * goalloc_gc_create - make a collected heap
 * @name: as for goalloc_heap_create()
 * @attr: how to make it, or NULL for the defaults
 *
 * Context: Process context, may sleep.
 * Return: the heap, or an ERR_PTR(): -EINVAL for a bad @name or @attr, -ENOMEM.
 */
struct goalloc_gc *goalloc_gc_create(const char *name,
				     const struct goalloc_gc_attr *attr);

/**
 * goalloc_gc_destroy - end a collected heap and all its objects
 * @gc: the heap, an ERR_PTR() or NULL; its roots have been removed, and its handles and
 *      weak handles put
 *
 * Waits for mutators that are in it. Finalizers of objects that are left are not called.
 *
 * Context: Process context, may sleep; in no mutator section.
 * Return: 0; -EBUSY if handles or roots were left, which has been reported: then
 *         nothing is changed.
 */
int goalloc_gc_destroy(struct goalloc_gc *gc);

/**
 * goalloc_gc_heap - the heap below, for statistics
 * @gc: the collected heap
 *
 * Context: Any.
 * Return: its heap; nothing can be allocated from it or freed to it but by the
 *         collector.
 */
struct goalloc_heap *goalloc_gc_heap(const struct goalloc_gc *gc);

/**
 * goalloc_gc - collect now
 * @gc: the heap
 *
 * What was unreachable when it was called is given up when it returns, and finalizers
 * have been queued.
 *
 * Context: Process context, may sleep; in no mutator section.
 * Return: 0; -EINVAL for a heap that is none, or has GOALLOC_GC_EXPLICIT.
 */
int goalloc_gc(struct goalloc_gc *gc);

/**
 * goalloc_gc_find_leaks - look for objects that nothing reaches, and free none
 * @gc: a heap with GOALLOC_GC_EXPLICIT or GOALLOC_GC_ORIGINS
 *
 * Everybody is stopped while the heap is marked from its roots, as by a collection. An
 * object that is not reached twice in a row is a leak; the file leaks in the heap's
 * directory has them.
 *
 * Context: Process context, may sleep; in no mutator section.
 * Return: 1 if there are leaks, 0 if not; -EINVAL for another heap, -ENOMEM.
 */
int goalloc_gc_find_leaks(struct goalloc_gc *gc);

/**
 * goalloc_set_gc_percent - change when the heap is collected
 * @gc: the heap
 * @percent: as &struct goalloc_gc_attr.percent, but that 0 stands for itself
 *
 * Context: Any.
 * Return: the percentage before.
 */
int goalloc_set_gc_percent(struct goalloc_gc *gc, int percent);

/**
 * goalloc_gc_get_stats - read what a collected heap has done
 * @gc: the heap
 * @st: what to fill in
 *
 * Context: Process context.
 */
void goalloc_gc_get_stats(struct goalloc_gc *gc, struct goalloc_gc_stats *st);

/**
 * goalloc_gc_drain - wait until all finalizers that are queued have been called
 * @gc: the heap
 *
 * Context: Process context, may sleep; in no mutator section.
 */
void goalloc_gc_drain(struct goalloc_gc *gc);

/**
 * goalloc_enter - begin to use a collected heap
 * @gc: the heap
 * @m: what to fill in; usually a local variable
 *
 * Waits while the collector has stopped everybody. A thread enters a heap once; to be
 * called from other code that has entered, pass @m on.
 *
 * Context: Process context, may sleep. What follows up to goalloc_exit() may sleep as
 *          well, but the collector waits for it.
 */
void goalloc_enter(struct goalloc_gc *gc, struct goalloc_mutator *m);

/**
 * goalloc_exit - leave a collected heap
 * @m: the mutator; its frames have been popped
 *
 * Pointers in local variables are worth nothing from here on.
 *
 * Context: As goalloc_enter(), by the same thread.
 */
void goalloc_exit(struct goalloc_mutator *m);

/**
 * goalloc_safepoint_slow - wait while the collector has stopped everybody
 * @m: the mutator
 *
 * Part of goalloc_safepoint().
 *
 * Context: As goalloc_enter().
 */
void goalloc_safepoint_slow(struct goalloc_mutator *m);

/**
 * goalloc_safepoint - let the collector stop this thread if it wants to
 * @m: the mutator
 *
 * Pointers that are in no frame are worth nothing from here on.
 *
 * Context: As goalloc_enter().
 */
static inline void goalloc_safepoint(struct goalloc_mutator *m)
{
	if (unlikely(READ_ONCE(*m->stop)))
		goalloc_safepoint_slow(m);
}

/**
 * goalloc_push - let the collector find local variables
 * @m: the mutator
 * @frame: the frame; it stays the innermost until it is popped
 *
 * Context: In the mutator's section.
 */
static inline void goalloc_push(struct goalloc_mutator *m, struct goalloc_frame *frame)
{
	frame->prev = m->top;
	m->top = frame;
}

/**
 * goalloc_pop_bad - a frame that is not the innermost is popped
 * @m: the mutator
 * @frame: the frame
 *
 * Part of goalloc_pop().
 *
 * Context: In the mutator's section.
 */
void goalloc_pop_bad(struct goalloc_mutator *m, struct goalloc_frame *frame);

/**
 * goalloc_pop - local variables go
 * @m: the mutator
 * @frame: its innermost frame
 *
 * Context: In the mutator's section.
 */
static inline void goalloc_pop(struct goalloc_mutator *m, struct goalloc_frame *frame)
{
	if (unlikely(m->top != frame)) {
		goalloc_pop_bad(m, frame);
		return;
	}
	m->top = frame->prev;
}

/**
 * goalloc_new - allocate an object of a type
 * @m: the mutator
 * @type: the type
 * @flags: GFP_KERNEL, or how else to try
 *
 * Never a safe point. But who may sleep may have to wait here: for others to mark, if he
 * allocates while the heap is marked and there is nothing that he could mark himself; or
 * for a collection that is late to begin. A stop ends that, so locks may be held.
 *
 * Context: In the mutator's section; any that @flags allow.
 * Return: the object, all zeros, or NULL.
 */
void *goalloc_new(struct goalloc_mutator *m, struct goalloc_type *type, gfp_t flags);

/**
 * goalloc_delete - free an object
 * @m: the mutator
 * @obj: an object of a heap with GOALLOC_GC_EXPLICIT, or NULL; nothing points to it any
 *       more
 *
 * Context: In the mutator's section.
 */
void goalloc_delete(struct goalloc_mutator *m, void *obj);

/**
 * goalloc_new_array - allocate an array of objects of a type
 * @m: the mutator
 * @type: the type
 * @n: how many
 * @flags: as for goalloc_new()
 *
 * Context: As goalloc_new().
 * Return: the first of them, all zeros; NULL also if it would be too large.
 */
void *goalloc_new_array(struct goalloc_mutator *m, struct goalloc_type *type, size_t n,
			gfp_t flags);

/**
 * goalloc_store_slow - tell the collector of a store
 * @m: the mutator
 * @slot: where it will be
 * @ptr: what is stored
 *
 * Part of goalloc_store().
 *
 * Context: In the mutator's section.
 */
void goalloc_store_slow(struct goalloc_mutator *m, void **slot, void *ptr);

static inline void __goalloc_store(struct goalloc_mutator *m, void **slot, void *ptr)
{
	if (unlikely(READ_ONCE(*m->barrier)))
		goalloc_store_slow(m, slot, ptr);
	/* Whoever finds the object there finds it as it was made. */
	smp_store_release(slot, ptr);
}

/**
 * goalloc_store - store a pointer into an object, or a global variable
 * @m: the mutator
 * @slot: address of the field or variable
 * @ptr: what to store: an object of the heap, a place inside one, or NULL
 *
 * The write barrier: while the collector marks, it is told what is stored and what
 * was there. For local variables there is no need.
 *
 * Context: In the mutator's section.
 */
#define goalloc_store(m, slot, ptr) do {					\
	typeof(slot) __goalloc_slot = (slot);					\
	typeof(*__goalloc_slot) __goalloc_ptr = (ptr);				\
	__goalloc_store(m, (void **)__goalloc_slot, (void *)__goalloc_ptr);	\
} while (0)

/**
 * goalloc_scan_add - let the collector ask where pointers are
 * @gc: the heap
 * @scan: what to fill in; stays until goalloc_scan_remove()
 * @fn: called while everybody is stopped; must not sleep, nor use the heap but for
 *      goalloc_visit() and goalloc_visit_words()
 * @arg: what it is given
 *
 * What it tells is as local variables in a frame: it may change only in a mutator's
 * section, and without goalloc_store(). So a stack of its own (<goalloc_stack.h>) can
 * hold pointers into the heap.
 *
 * Context: Process context, may sleep; in no mutator section.
 */
void goalloc_scan_add(struct goalloc_gc *gc, struct goalloc_scan *scan,
		      void (*fn)(void *arg, struct goalloc_visitor *visitor), void *arg);

/**
 * goalloc_scan_remove - it is asked no more
 * @gc: the heap
 * @scan: as it was given to goalloc_scan_add()
 *
 * Context: Process context, may sleep; in no mutator section.
 */
void goalloc_scan_remove(struct goalloc_gc *gc, struct goalloc_scan *scan);

/**
 * goalloc_visit - here is a pointer
 * @visitor: as it was given to the function of a &struct goalloc_scan
 * @slot: where it is; it holds NULL or leads into an object
 *
 * Context: In that function.
 */
void goalloc_visit(struct goalloc_visitor *visitor, void **slot);

/**
 * goalloc_visit_words - here are words, some of which are pointers
 * @visitor: as it was given to the function of a &struct goalloc_scan
 * @first: the first word
 * @nr: how many there are
 * @map: a bit for each, set for pointers; NULL if all are
 *
 * Context: In that function.
 */
void goalloc_visit_words(struct goalloc_visitor *visitor, void **first, size_t nr,
			 const unsigned long *map);

/**
 * goalloc_area_add - look through plain memory as well when looking for leaks
 * @gc: the heap, with GOALLOC_GC_EXPLICIT
 * @area: what to fill in; stays until goalloc_area_remove()
 * @begin: where the memory begins
 * @bytes: how much there is; it can be read until goalloc_area_remove()
 *
 * For memory without a type: data of a module, an object of kmalloc(). This is
 * conservative: each aligned word that, as a number, lies in an object of the heap
 * keeps it from being called a leak, whatever the word is. So a leak may be
 * missed, and nothing is called one that is not.
 *
 * Context: Process context, may sleep; in no mutator section.
 * Return: 0; -EINVAL if objects of the heap are not freed by their owners: a collection
 *         must not guess.
 */
int goalloc_area_add(struct goalloc_gc *gc, struct goalloc_area *area, const void *begin,
		     size_t bytes);

/**
 * goalloc_area_remove - the memory goes
 * @gc: the heap
 * @area: as it was given to goalloc_area_add()
 *
 * Context: Process context, may sleep; in no mutator section.
 */
void goalloc_area_remove(struct goalloc_gc *gc, struct goalloc_area *area);

/**
 * goalloc_root_add - let the collector find global variables
 * @gc: the heap
 * @root: what to fill in; stays until goalloc_root_remove()
 * @slot: address of the first variable, which holds NULL or an object
 * @nr: how many variables there are, one behind the other
 *
 * Context: Process context, may sleep; in no mutator section.
 */
void goalloc_root_add(struct goalloc_gc *gc, struct goalloc_root *root, void *slot,
		      unsigned int nr);

/**
 * goalloc_root_remove - global variables go
 * @gc: the heap
 * @root: one that was added
 *
 * Context: Process context, may sleep; in no mutator section.
 */
void goalloc_root_remove(struct goalloc_gc *gc, struct goalloc_root *root);

/**
 * goalloc_handle_new - keep an object while no variable points to it
 * @m: the mutator
 * @obj: the object
 * @flags: as for goalloc_new()
 *
 * For code outside of mutator sections, which cannot have pointers.
 *
 * Context: In the mutator's section.
 * Return: a handle that is counted once, or NULL.
 */
struct goalloc_handle *goalloc_handle_new(struct goalloc_mutator *m, void *obj,
					  gfp_t flags);

/**
 * goalloc_handle_get - count a handle once more
 * @handle: the handle
 *
 * Context: Any.
 * Return: @handle.
 */
struct goalloc_handle *goalloc_handle_get(struct goalloc_handle *handle);

/**
 * goalloc_handle_put - a handle is used once less
 * @m: the mutator
 * @handle: the handle, or NULL; freed if nobody uses it
 *
 * Context: In the mutator's section.
 */
void goalloc_handle_put(struct goalloc_mutator *m, struct goalloc_handle *handle);

/**
 * goalloc_handle_obj - the object of a handle
 * @m: the mutator
 * @handle: the handle
 *
 * Context: In the mutator's section.
 * Return: the object.
 */
void *goalloc_handle_obj(struct goalloc_mutator *m, struct goalloc_handle *handle);

/**
 * goalloc_weak_new - remember an object without keeping it
 * @m: the mutator
 * @obj: the object
 * @flags: as for goalloc_new()
 *
 * Context: In the mutator's section.
 * Return: a weak handle, or NULL.
 */
struct goalloc_weak *goalloc_weak_new(struct goalloc_mutator *m, void *obj, gfp_t flags);

/**
 * goalloc_weak_load - the object of a weak handle, if it is still there
 * @m: the mutator
 * @weak: the weak handle
 *
 * Context: In the mutator's section.
 * Return: the object, which may be used like any other, or NULL from when it was found
 *         unreachable.
 */
void *goalloc_weak_load(struct goalloc_mutator *m, struct goalloc_weak *weak);

/**
 * goalloc_weak_put - forget an object
 * @m: the mutator
 * @weak: the weak handle, or NULL; freed
 *
 * Context: In the mutator's section.
 */
void goalloc_weak_put(struct goalloc_mutator *m, struct goalloc_weak *weak);

#endif /* GOALLOC_GC_PUBLIC_H */
