// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a collection begins with: global variables, handles, and the frames of those who
 * wait at a safe point. And what happens to weak handles and finalizers in its end.
 *
 * A finalizer may use everything its object points to. So when all is marked, the
 * objects with finalizers that are not are queued, all at once, and marked after all,
 * with what they lead to. In Go what their fields lead to is marked from the beginning,
 * and so a circle with a finalizer in it stays for ever. Weak handles are cleared
 * before, so nobody can find such an object meanwhile.
 *
 * Locks: gc->roots_lock.
 */
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "compat.h"
#include "gc.h"

/**
 * struct goalloc_visitor - who wants to know pointers
 * @w: work of who marks
 */
struct goalloc_visitor {
	struct gc_work *w;
};

static void gc_roots_frames(struct gc_work *w, const struct goalloc_mutator *m)
{
	const struct goalloc_frame *frame;
	unsigned int i;

	for (frame = m->top; frame; frame = frame->prev) {
		for (i = 0; i < frame->nr; i++)
			gc_grey(w, READ_ONCE(*(void **)frame->local[i]), frame->local[i]);
		w->gc->now.frames += frame->nr * sizeof(void *);
	}
}

/**
 * gc_roots_mark - mark what is reachable at once
 * @w: who marks
 *
 * Context: In a stop.
 */
void gc_roots_mark(struct gc_work *w)
{
	struct goalloc_gc *gc = w->gc;
	struct goalloc_handle *handle;
	struct goalloc_mutator *m;
	struct goalloc_visitor visitor = { .w = w };
	struct goalloc_area *area;
	struct goalloc_root *root;
	struct goalloc_scan *scan;
	size_t word;
	struct gc_final *final;
	unsigned int i;

	spin_lock(&gc->roots_lock);
	list_for_each_entry(root, &gc->roots, list) {
		for (i = 0; i < root->nr; i++)
			gc_grey(w, READ_ONCE(root->slot[i]), &root->slot[i]);
		gc->now.roots += root->nr * sizeof(void *);
	}
	list_for_each_entry(scan, &gc->scans, list)
		scan->fn(scan->arg, &visitor);
	list_for_each_entry(area, &gc->areas, list)
		for (word = 0; word < area->nr; word++)
			gc_grey_guess(w, READ_ONCE_NOCHECK(area->begin[word]));
	list_for_each_entry(handle, &gc->handles, list)
		gc_grey(w, handle->obj, &handle->obj);
	list_for_each_entry(final, &gc->final_queue, list)
		gc_grey(w, final->obj, &final->obj);
	list_for_each_entry(m, &gc->parked, parked)
		gc_roots_frames(w, m);
	spin_unlock(&gc->roots_lock);
}

static bool gc_reached(struct goalloc_gc *gc, const void *obj)
{
	struct goalloc_span *span = pagemap_find(&gc->heap->space->map, (unsigned long)obj);

	return gc_is_marked(gc, span, gc_slot(span, obj));
}

/**
 * gc_roots_end - forget what was not reached, and see whose finalizer is due
 * @w: who marks; the heap is marked
 *
 * Context: In a stop.
 * Return: true if there is something to be marked now.
 */
bool gc_roots_end(struct gc_work *w)
{
	struct goalloc_gc *gc = w->gc;
	struct gc_final *final, *next;
	struct goalloc_weak *weak;
	LIST_HEAD(due);
	bool more;

	spin_lock(&gc->roots_lock);
	list_for_each_entry(weak, &gc->weaks, list)
		if (weak->obj && !gc_reached(gc, weak->obj))
			WRITE_ONCE(weak->obj, NULL);
	/* First all, or one would keep the next. */
	list_for_each_entry_safe(final, next, &gc->finals, list)
		if (!gc_reached(gc, final->obj))
			list_move_tail(&final->list, &due);
	list_for_each_entry(final, &due, list)
		gc_grey(w, final->obj, &final->obj);
	more = !list_empty(&due);
	list_splice_tail(&due, &gc->final_queue);
	spin_unlock(&gc->roots_lock);
	return more;
}

/**
 * gc_final_add - an object has a finalizer
 * @gc: the heap
 * @obj: the object
 * @gfp: how hard to try
 *
 * Context: In a mutator's section; any that @gfp allows.
 * Return: 0 or -ENOMEM.
 */
int gc_final_add(struct goalloc_gc *gc, void *obj, gfp_t gfp)
{
	struct gc_final *final = meta_zalloc(&gc->heap->meta, sizeof(*final), gfp,
					     NUMA_NO_NODE);

	if (!final)
		return -ENOMEM;
	final->obj = obj;
	spin_lock(&gc->roots_lock);
	list_add(&final->list, &gc->finals);
	spin_unlock(&gc->roots_lock);
	return 0;
}

/**
 * gc_finalizers - call the finalizers that are due
 * @work: final_work of the heap
 *
 * Context: The heap's own thread.
 */
void gc_finalizers(struct kthread_work *work)
{
	struct goalloc_gc *gc = container_of(work, struct goalloc_gc, final_work);
	struct goalloc_mutator m;
	struct gc_final *final;
	void *obj;

	GOALLOC_FRAME(frame, &obj);

	do {
		goalloc_enter(gc, &m);
		spin_lock(&gc->roots_lock);
		final = list_first_entry_or_null(&gc->final_queue, struct gc_final, list);
		if (final)
			list_del(&final->list);
		spin_unlock(&gc->roots_lock);
		if (final) {
			struct goalloc_span *span;

			obj = final->obj;
			meta_free(&gc->heap->meta, final, sizeof(*final));
			/* Out of the queue it is no root; and it is to be found marked. */
			gc_shade(gc, obj);
			goalloc_push(&m, &frame);
			span = pagemap_find(&gc->heap->space->map, (unsigned long)obj);
			gc_type(*gc_track(gc, span, gc_slot(span, obj)))->finalizer(&m, obj);
			goalloc_pop(&m, &frame);
			WRITE_ONCE(gc->finalized, gc->finalized + 1);
		}
		goalloc_exit(&m);
	} while (final);
}

/**
 * gc_roots_left - how many roots and handles there are
 * @gc: the heap
 *
 * Context: Any but an interrupt.
 * Return: their number, weak ones included.
 */
unsigned int gc_roots_left(struct goalloc_gc *gc)
{
	struct list_head *at;
	unsigned int left = 0;

	spin_lock(&gc->roots_lock);
	list_for_each(at, &gc->roots)
		left++;
	list_for_each(at, &gc->scans)
		left++;
	list_for_each(at, &gc->areas)
		left++;
	list_for_each(at, &gc->handles)
		left++;
	list_for_each(at, &gc->weaks)
		left++;
	spin_unlock(&gc->roots_lock);
	return left;
}

static void gc_finals_forget(struct goalloc_gc *gc, struct list_head *list)
{
	struct gc_final *final, *next;

	list_for_each_entry_safe(final, next, list, list)
		meta_free(&gc->heap->meta, final, sizeof(*final));
	INIT_LIST_HEAD(list);
}

/**
 * gc_roots_forget - the heap ends
 * @gc: the heap, which nobody uses
 *
 * Roots and handles are their owners' and are only let go of.
 *
 * Context: Process context.
 */
void gc_roots_forget(struct goalloc_gc *gc)
{
	gc_finals_forget(gc, &gc->finals);
	gc_finals_forget(gc, &gc->final_queue);
}

static void gc_root_shade(struct goalloc_gc *gc, const struct goalloc_root *root)
{
	unsigned int i;

	for (i = 0; i < root->nr; i++)
		gc_shade(gc, READ_ONCE(root->slot[i]));
}

/* See <goalloc_gc.h> for what follows. */
void goalloc_root_add(struct goalloc_gc *gc, struct goalloc_root *root, void *slot,
		      unsigned int nr)
{
	root->slot = slot;
	root->nr = nr;
	gc_world_enter(&gc->world);
	spin_lock(&gc->roots_lock);
	list_add(&root->list, &gc->roots);
	spin_unlock(&gc->roots_lock);
	/* Marking has begun without it, perhaps. */
	gc_root_shade(gc, root);
	gc_world_exit(&gc->world);
}
EXPORT_SYMBOL_GPL(goalloc_root_add);

void goalloc_root_remove(struct goalloc_gc *gc, struct goalloc_root *root)
{
	gc_world_enter(&gc->world);
	gc_root_shade(gc, root);
	spin_lock(&gc->roots_lock);
	list_del_init(&root->list);
	spin_unlock(&gc->roots_lock);
	gc_world_exit(&gc->world);
}
EXPORT_SYMBOL_GPL(goalloc_root_remove);

void goalloc_scan_add(struct goalloc_gc *gc, struct goalloc_scan *scan,
		      void (*fn)(void *arg, struct goalloc_visitor *visitor), void *arg)
{
	scan->fn = fn;
	scan->arg = arg;
	spin_lock(&gc->roots_lock);
	list_add(&scan->list, &gc->scans);
	spin_unlock(&gc->roots_lock);
}
EXPORT_SYMBOL_GPL(goalloc_scan_add);

void goalloc_scan_remove(struct goalloc_gc *gc, struct goalloc_scan *scan)
{
	spin_lock(&gc->roots_lock);
	list_del_init(&scan->list);
	spin_unlock(&gc->roots_lock);
}
EXPORT_SYMBOL_GPL(goalloc_scan_remove);

void goalloc_visit(struct goalloc_visitor *visitor, void **slot)
{
	gc_grey(visitor->w, READ_ONCE(*slot), slot);
	visitor->w->gc->now.frames += sizeof(*slot);
}
EXPORT_SYMBOL_GPL(goalloc_visit);

void goalloc_visit_words(struct goalloc_visitor *visitor, void **first, size_t nr,
			 const unsigned long *map)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!map || test_bit(i, map))
			goalloc_visit(visitor, &first[i]);
}
EXPORT_SYMBOL_GPL(goalloc_visit_words);

int goalloc_area_add(struct goalloc_gc *gc, struct goalloc_area *area, const void *begin,
		     size_t bytes)
{
	unsigned long first = ALIGN((unsigned long)begin, sizeof(long));
	unsigned long end = (unsigned long)begin + bytes;

	if (!(gc->flags & GOALLOC_GC_EXPLICIT)) {
		report_gc(gc, __func__, "the heap is collected, and a collection must not guess",
			  _RET_IP_);
		return -EINVAL;
	}
	area->begin = (const unsigned long *)first;
	area->nr = end > first ? (end - first) / sizeof(long) : 0;
	spin_lock(&gc->roots_lock);
	list_add(&area->list, &gc->areas);
	spin_unlock(&gc->roots_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(goalloc_area_add);

void goalloc_area_remove(struct goalloc_gc *gc, struct goalloc_area *area)
{
	spin_lock(&gc->roots_lock);
	list_del_init(&area->list);
	spin_unlock(&gc->roots_lock);
}
EXPORT_SYMBOL_GPL(goalloc_area_remove);

struct goalloc_handle *goalloc_handle_new(struct goalloc_mutator *m, void *obj, gfp_t flags)
{
	struct goalloc_handle *handle = meta_zalloc(&m->gc->heap->meta, sizeof(*handle),
						    flags, NUMA_NO_NODE);

	if (!handle)
		return NULL;
	refcount_set(&handle->refs, 1);
	handle->obj = obj;
	spin_lock(&m->gc->roots_lock);
	list_add(&handle->list, &m->gc->handles);
	spin_unlock(&m->gc->roots_lock);
	gc_shade(m->gc, obj);
	return handle;
}
EXPORT_SYMBOL_GPL(goalloc_handle_new);

struct goalloc_handle *goalloc_handle_get(struct goalloc_handle *handle)
{
	refcount_inc(&handle->refs);
	return handle;
}
EXPORT_SYMBOL_GPL(goalloc_handle_get);

void goalloc_handle_put(struct goalloc_mutator *m, struct goalloc_handle *handle)
{
	if (!handle || !refcount_dec_and_test(&handle->refs))
		return;
	gc_shade(m->gc, handle->obj);
	spin_lock(&m->gc->roots_lock);
	list_del(&handle->list);
	spin_unlock(&m->gc->roots_lock);
	meta_free(&m->gc->heap->meta, handle, sizeof(*handle));
}
EXPORT_SYMBOL_GPL(goalloc_handle_put);

void *goalloc_handle_obj(struct goalloc_mutator *m, struct goalloc_handle *handle)
{
	return handle->obj;
}
EXPORT_SYMBOL_GPL(goalloc_handle_obj);

struct goalloc_weak *goalloc_weak_new(struct goalloc_mutator *m, void *obj, gfp_t flags)
{
	struct goalloc_weak *weak = meta_zalloc(&m->gc->heap->meta, sizeof(*weak), flags,
						NUMA_NO_NODE);

	if (!weak)
		return NULL;
	weak->obj = obj;
	spin_lock(&m->gc->roots_lock);
	list_add(&weak->list, &m->gc->weaks);
	spin_unlock(&m->gc->roots_lock);
	return weak;
}
EXPORT_SYMBOL_GPL(goalloc_weak_new);

void *goalloc_weak_load(struct goalloc_mutator *m, struct goalloc_weak *weak)
{
	void *obj = READ_ONCE(weak->obj);

	/* Marking may not have found another way to it, and from here on there is one. */
	gc_shade(m->gc, obj);
	return obj;
}
EXPORT_SYMBOL_GPL(goalloc_weak_load);

void goalloc_weak_put(struct goalloc_mutator *m, struct goalloc_weak *weak)
{
	if (!weak)
		return;
	spin_lock(&m->gc->roots_lock);
	list_del(&weak->list);
	spin_unlock(&m->gc->roots_lock);
	meta_free(&m->gc->heap->meta, weak, sizeof(*weak));
}
EXPORT_SYMBOL_GPL(goalloc_weak_put);
