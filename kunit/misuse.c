// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doing something wrong and hearing exactly what goalloc has to say about it.
 * See misuse.h.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "goalloc_trace.h"
#include "listen.h"
#include "misuse.h"

#ifdef CONFIG_TRACEPOINTS
/* Bad frees happen one at a time while somebody watches. */
static void misuse_probe(void *data, const struct goalloc_heap *heap,
			 unsigned int kind, const void *p, u32 size, u32 slot,
			 unsigned long site)
{
	struct misuse *m = data;

	m->event = (struct misuse_event){
		.heap = heap, .kind = kind, .p = p, .size = size,
		.slot = slot, .site = site,
	};
	atomic_inc(&m->events);
}
#endif

/**
 * misuse_init - make a private heap, listen to the log and the tracepoint
 * @test: the test; gets its struct misuse
 *
 * Return: 0, or the test ends.
 */
int misuse_init(struct kunit *test)
{
	struct misuse *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->fh = fake_heap_create(test, MISUSE_PAGES, 1);
	m->heap = m->fh->heap;
	test->priv = m;
	KUNIT_ASSERT_EQ(test, 0, register_trace_bad_free(misuse_probe, m));
	listen_start(test);
	return 0;
}

/**
 * misuse_exit - see that the heap is in order, and end it
 * @test: the test
 */
void misuse_exit(struct kunit *test)
{
	struct misuse *m = test->priv;

	listen_stop();
	unregister_trace_bad_free(misuse_probe, m);
	tracepoint_synchronize_unregister();
	if (m->fh->heap)
		fake_heap_check(test, m->fh);
	fake_heap_destroy(test, m->fh);
}

/**
 * misuse_watch - from here on, everything said is about what comes now
 * @test: the test
 * @heap: heap whose books to watch; quiet
 */
void misuse_watch(struct kunit *test, struct goalloc_heap *heap)
{
	struct misuse *m = test->priv;

	m->heap = heap;
	shot_take(heap, &m->shot);
	memset(&m->event, 0, sizeof(m->event));
	atomic_set(&m->events, 0);
	listen_clear();
}

/**
 * misuse_told_line - exactly this was heard since misuse_watch(), and no more
 * @test: the test
 * @line: the whole line, without newline
 */
void misuse_told_line(struct kunit *test, const char *line)
{
	char *heard = kunit_kzalloc(test, LISTEN_LEN, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, heard);
	KUNIT_EXPECT_EQ(test, 1U, listen_heard());
	strscpy(heard, listen_line(0), LISTEN_LEN);
	/* Some kernels leave the newline on. */
	if (strlen(heard) && heard[strlen(heard) - 1] == '\n')
		heard[strlen(heard) - 1] = '\0';
	KUNIT_EXPECT_STREQ(test, line, (const char *)heard);
}

/* The tracepoint told the same, and is right about the slot. */
static void misuse_check_event(struct kunit *test, enum bad_free kind, const void *p)
{
	struct misuse *m = test->priv;
	u32 size = 0, slot = 0;
	struct slot_ref ref;

	preempt_disable();
	slot_find(&m->heap->space->map, (unsigned long)p, &ref);
	if (ref.span) {
		size = ref.span->elemsize;
		slot = ((unsigned long)p - ref.span->base) / size;
	}
	preempt_enable();
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->events));
	KUNIT_EXPECT_PTR_EQ(test, (const struct goalloc_heap *)m->heap, m->event.heap);
	KUNIT_EXPECT_EQ(test, (unsigned int)kind, m->event.kind);
	KUNIT_EXPECT_PTR_EQ(test, p, m->event.p);
	KUNIT_EXPECT_EQ(test, size, m->event.size);
	KUNIT_EXPECT_EQ(test, slot, m->event.slot);
}

/**
 * misuse_told - one free was refused since misuse_watch(), in this way
 * @test: the test
 * @kind: what it was taken for
 * @p: the address
 * @text: what the report says behind the heap's name, but for "; refused"
 */
void misuse_told(struct kunit *test, enum bad_free kind, const void *p,
		 const char *text, ...)
{
	char *line = kunit_kzalloc(test, 2 * LISTEN_LEN, GFP_KERNEL);
	char *tail = kunit_kzalloc(test, LISTEN_LEN, GFP_KERNEL);
	struct misuse *m = test->priv;
	char site[16];
	va_list args;

	KUNIT_ASSERT_NOT_NULL(test, line);
	KUNIT_ASSERT_NOT_NULL(test, tail);
	va_start(args, text);
	vsnprintf(tail, LISTEN_LEN, text, args);
	va_end(args);
	misuse_check_event(test, kind, p);
	/* In one of the functions at the end of this file. */
	snprintf(site, sizeof(site), "%ps", (void *)m->event.site);
	KUNIT_EXPECT_TRUE_MSG(test, !strncmp(site, "misuse_", 7), "%pS",
			      (void *)m->event.site);
	snprintf(line, 2 * LISTEN_LEN, "goalloc: bad free (%s) at %pS: %p, heap %s%s; refused",
		 report_bad_free_name(kind), (void *)m->event.site, p, m->heap->name, tail);
	misuse_told_line(test, line);
	/* The address as it is. */
	snprintf(tail, LISTEN_LEN, "%lx", (unsigned long)p);
	/* Error pointers are printed as they are: they name no memory. */
	if (strlen(tail) > 8 && !IS_ERR(p))
		KUNIT_EXPECT_EQ(test, 0U, listen_count(tail));
	shot_expect_refused(test, m->heap, &m->shot, kind, 1, "misuse");
}

/**
 * misuse_silent - nothing was said or refused since misuse_watch()
 * @test: the test
 * @what: what was done
 *
 * The books may have changed.
 */
void misuse_silent(struct kunit *test, const char *what)
{
	struct misuse *m = test->priv;
	struct heap_shot now;

	shot_take(m->heap, &now);
	KUNIT_EXPECT_EQ_MSG(test, 0U, listen_heard(), "%s: %s", what, listen_line(0));
	KUNIT_EXPECT_EQ_MSG(test, 0, atomic_read(&m->events), "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, m->shot.st.bad_frees, now.st.bad_frees, "%s", what);
}

/**
 * misuse_get - allocate from the private heap
 * @test: the test
 * @size: bytes
 *
 * Return: the object.
 */
void *misuse_get(struct kunit *test, size_t size)
{
	struct misuse *m = test->priv;
	void *p = goalloc_heap_alloc(m->fh->heap, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

/**
 * misuse_get_tiny - allocate a tiny object from the private heap
 * @test: the test
 * @size: bytes, below 16
 *
 * Return: the object.
 */
void *misuse_get_tiny(struct kunit *test, size_t size)
{
	struct misuse *m = test->priv;
	void *p = tiny_alloc(m->fh->heap, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

/**
 * misuse_put - free an object of the private heap as it should be
 * @test: the test
 * @p: the object
 */
void misuse_put(struct kunit *test, void *p)
{
	struct misuse *m = test->priv;

	goalloc_heap_free(m->fh->heap, p);
}

/**
 * misuse_free - a place that frees objects of a heap
 * @heap: the heap
 * @p: anything
 */
noinline void misuse_free(struct goalloc_heap *heap, const void *p)
{
	goalloc_heap_free(heap, p);
	/* No tail call, or the site would be the caller's. */
	barrier();
}

/**
 * misuse_gofree - a place that frees objects of the default heap
 * @p: anything
 */
noinline void misuse_gofree(const void *p)
{
	gofree(p);
	barrier();
}

/**
 * misuse_sensitive - a place that calls gofree_sensitive()
 * @p: anything
 */
noinline void misuse_sensitive(const void *p)
{
	gofree_sensitive(p);
	barrier();
}

/**
 * misuse_kvfree - a place that calls gokvfree()
 * @p: anything
 */
noinline void misuse_kvfree(const void *p)
{
	gokvfree(p);
	barrier();
}

/**
 * misuse_bulk - a place that calls gofree_bulk()
 * @nr: how many
 * @p: anything
 */
noinline void misuse_bulk(size_t nr, void **p)
{
	gofree_bulk(nr, p);
	barrier();
}

/**
 * misuse_realloc - a place that calls gorealloc()
 * @p: anything
 * @size: bytes
 *
 * Return: what it returned.
 */
noinline void *misuse_realloc(const void *p, size_t size)
{
	void *new = gorealloc(p, size, GFP_KERNEL);

	barrier();
	return new;
}
