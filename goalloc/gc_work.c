// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that were found and not scanned yet, and who scans them.
 *
 * Whoever marks has up to two buffers, and works on the last object found. What does
 * not fit goes to a list for everybody, and whoever has nothing left takes from there.
 * If there is no memory for a buffer the object stays marked, and the heap remembers
 * that not all that is marked was scanned, see gc_rescan().
 *
 * Whoever has more than he is busy with gives some of it away when others have nothing.
 * Whether a list has something is looked at without its lock, as a hint. list_empty()
 * reads the one word of it that is always written as a whole; list_empty_careful() reads
 * the other one as well.
 *
 * When marking has ended is told by gc_markers.c; mutators, who help or whose stores come
 * in, leave what they have in the list when they have done with theirs.
 *
 * Locks: gc->work_lock.
 */
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "compat.h"
#include "gc.h"

static struct gc_workbuf *gc_workbuf_new(struct goalloc_gc *gc, gfp_t gfp)
{
	struct gc_workbuf *buf;

	BUILD_BUG_ON(sizeof(*buf) > GC_WORKBUF_BYTES);
	buf = meta_zalloc(&gc->heap->meta, sizeof(*buf), gfp, NUMA_NO_NODE);
	return buf;
}

/* An empty buffer, or NULL. */
static struct gc_workbuf *gc_workbuf_get(struct goalloc_gc *gc)
{
	struct gc_workbuf *buf;

	spin_lock(&gc->work_lock);
	buf = list_first_entry_or_null(&gc->empty, struct gc_workbuf, list);
	if (buf)
		list_del(&buf->list);
	spin_unlock(&gc->work_lock);
	if (buf)
		return buf;
	if (READ_ONCE(gc->nr_bufs) >= READ_ONCE(gc->max_bufs))
		return NULL;
	buf = gc_workbuf_new(gc, GFP_NOWAIT | __GFP_NOWARN);
	if (buf) {
		spin_lock(&gc->work_lock);
		gc->nr_bufs++;
		spin_unlock(&gc->work_lock);
	}
	return buf;
}

/* Give a buffer to everybody. */
static void gc_workbuf_put(struct goalloc_gc *gc, struct gc_workbuf *buf)
{
	unsigned int nr_idle;
	bool full;

	if (!buf)
		return;
	full = buf->nr;
	spin_lock(&gc->work_lock);
	list_add(&buf->list, full ? &gc->full : &gc->empty);
	nr_idle = gc->nr_idle;
	spin_unlock(&gc->work_lock);
	if (!full)
		return;
	if (nr_idle)
		wake_up(&gc->work_wait);
	wake_up(&gc->idle_wait);
}

/**
 * gc_work_init - somebody begins to mark
 * @gc: the heap
 * @w: what to fill in
 *
 * Context: Any.
 */
void gc_work_init(struct goalloc_gc *gc, struct gc_work *w)
{
	*w = (struct gc_work){ .gc = gc };
}
GOALLOC_EXPORT_KUNIT(gc_work_init);

/**
 * gc_work_try_put - remember an object to be scanned
 * @w: whose work it is
 * @obj: the object
 *
 * Context: Any but an interrupt.
 * Return: false if there was no memory for it.
 */
bool gc_work_try_put(struct gc_work *w, cache_entry_t obj)
{
	if (unlikely(!w->buf || w->buf->nr == GC_WORKBUF_ENTRIES)) {
		swap(w->buf, w->spare);
		if (!w->buf || w->buf->nr == GC_WORKBUF_ENTRIES) {
			gc_workbuf_put(w->gc, w->buf);
			w->buf = gc_workbuf_get(w->gc);
		}
		if (!w->buf)
			return false;
	}
	w->buf->obj[w->buf->nr++] = obj;
	return true;
}

/**
 * gc_work_put - remember an object to be scanned, or that there was one
 * @w: whose work it is
 * @obj: the object, marked
 *
 * Context: Any but an interrupt.
 */
void gc_work_put(struct gc_work *w, cache_entry_t obj)
{
	if (unlikely(!gc_work_try_put(w, obj)))
		WRITE_ONCE(w->gc->overflow, true);
}
GOALLOC_EXPORT_KUNIT(gc_work_put);

/**
 * gc_work_get - an object to be scanned
 * @w: who asks
 * @obj: the object
 *
 * Context: Any but an interrupt.
 * Return: false if there is none, neither of his own nor in the list for everybody, or
 * if he is to leave it to others.
 */
bool gc_work_get(struct gc_work *w, cache_entry_t *obj)
{
	struct goalloc_gc *gc = w->gc;

	if (unlikely(w->idle && READ_ONCE(gc->recall)))
		return false;
	if (unlikely(!w->buf || !w->buf->nr)) {
		swap(w->buf, w->spare);
		if (!w->buf || !w->buf->nr) {
			struct gc_workbuf *buf;

			if (list_empty(&gc->full))
				return false;
			spin_lock(&gc->work_lock);
			buf = list_first_entry_or_null(&gc->full, struct gc_workbuf, list);
			if (buf)
				list_del(&buf->list);
			spin_unlock(&gc->work_lock);
			if (!buf)
				return false;
			gc_workbuf_put(gc, w->buf);
			w->buf = buf;
		}
	}
	*obj = w->buf->obj[--w->buf->nr];
	return true;
}
GOALLOC_EXPORT_KUNIT(gc_work_get);

/**
 * gc_work_share - give some of one's work to those who have none
 * @w: whose work it is
 *
 * Context: Any but an interrupt.
 */
void gc_work_share(struct gc_work *w)
{
	struct gc_workbuf *half;
	unsigned int nr;

	if (w->spare && w->spare->nr) {
		gc_workbuf_put(w->gc, w->spare);
		w->spare = NULL;
		return;
	}
	if (!w->buf || w->buf->nr < 2)
		return;
	half = gc_workbuf_get(w->gc);
	if (!half)
		return;
	/* The older half: what was found first leads to more, as a rule. */
	nr = w->buf->nr / 2;
	memcpy(half->obj, w->buf->obj, nr * sizeof(half->obj[0]));
	half->nr = nr;
	w->buf->nr -= nr;
	memmove(w->buf->obj, w->buf->obj + nr, w->buf->nr * sizeof(half->obj[0]));
	gc_workbuf_put(w->gc, half);
}
GOALLOC_EXPORT_KUNIT(gc_work_share);

/**
 * gc_work_flush - tell how much was marked and scanned
 * @w: whose work it is
 *
 * Context: Any but an interrupt.
 */
void gc_work_flush(struct gc_work *w)
{
	struct goalloc_gc *gc = w->gc;

	if (w->marked)
		atomic64_add(w->marked, &gc->marked);
	if (w->scanned) {
		atomic64_add(w->scanned, &gc->scanned);
		if (w->background)
			gc_credit_add(gc, w->scanned);
	}
	w->marked = 0;
	w->scanned = 0;
}

/**
 * gc_work_done - somebody marks no more
 * @w: his work; what is left of it goes to everybody
 *
 * Context: Any but an interrupt.
 */
void gc_work_done(struct gc_work *w)
{
	gc_work_flush(w);
	gc_workbuf_put(w->gc, w->buf);
	gc_workbuf_put(w->gc, w->spare);
	w->buf = NULL;
	w->spare = NULL;
}
GOALLOC_EXPORT_KUNIT(gc_work_done);

/**
 * gc_work_any - is there work for everybody?
 * @gc: the heap
 *
 * Context: Any but an interrupt.
 * Return: true if so.
 */
bool gc_work_any(struct goalloc_gc *gc)
{
	return !list_empty(&gc->full);
}
GOALLOC_EXPORT_KUNIT(gc_work_any);

/**
 * gc_work_fill - make buffers
 * @gc: the heap
 * @nr: how many
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int gc_work_fill(struct goalloc_gc *gc, unsigned int nr)
{
	while (nr--) {
		struct gc_workbuf *buf = gc_workbuf_new(gc, GFP_KERNEL);

		if (!buf)
			return -ENOMEM;
		spin_lock(&gc->work_lock);
		list_add(&buf->list, &gc->empty);
		gc->nr_bufs++;
		spin_unlock(&gc->work_lock);
	}
	return 0;
}

/**
 * gc_work_trim - free buffers that are not needed now
 * @gc: the heap, that nobody marks
 * @keep: how many may stay
 *
 * Context: Any but an interrupt.
 */
void gc_work_trim(struct goalloc_gc *gc, unsigned int keep)
{
	struct gc_workbuf *buf;

	for (;;) {
		spin_lock(&gc->work_lock);
		buf = gc->nr_bufs > keep ?
		      list_first_entry_or_null(&gc->empty, struct gc_workbuf, list) : NULL;
		if (buf) {
			list_del(&buf->list);
			gc->nr_bufs--;
		}
		spin_unlock(&gc->work_lock);
		if (!buf)
			return;
		meta_free(&gc->heap->meta, buf, sizeof(*buf));
	}
}
GOALLOC_EXPORT_KUNIT(gc_work_trim);
