// SPDX-License-Identifier: GPL-2.0-only
/*
 * KASAN and kmemleak see goalloc's objects: what is wrong they report, once and
 * for the right byte, and nothing else. Each case skips where the kernel lacks
 * what it is about. This suite runs last, see Kbuild.include.
 *
 * Every report must be heard: boot with kasan_multi_shot.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kasan.h>
#include <linux/kmod.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/umh.h>
#include <trace/events/error_report.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "listen.h"
#include "sanitize.h"

#define OUT_OF_BOUNDS "KASAN: slab-out-of-bounds"
#define AFTER_FREE "use-after-free"
/*
 * Of an object that ends within the last 8 bytes of its slot KASAN takes the
 * kind from what follows the slot.
 */
#define ANY_KIND "KASAN: "

/* KASAN's reports so far, and the address of the last. */
static unsigned int kasan_nr;
static unsigned long kasan_addr;
static bool kasan_probed;

static void kasan_probe(void *data, enum error_detector detector, unsigned long addr)
{
	if (detector != ERROR_DETECTOR_KASAN)
		return;
	kasan_nr++;
	kasan_addr = addr;
}

static void kasan_begin(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_KASAN_GENERIC))
		kunit_skip(test, "needs CONFIG_KASAN_GENERIC");
	listen_start(test);
	KUNIT_ASSERT_EQ(test, 0, register_trace_error_report_end(kasan_probe, NULL));
	kasan_probed = true;
	kasan_nr = 0;
}

static void kasan_expect_begin(void)
{
	pr_info("goalloc-kunit: expect-begin BUG: KASAN: (slab-)?(out-of-bounds|use-after-free) in touch\n");
}

static void kasan_expect_end(void)
{
	pr_info("goalloc-kunit: expect-end\n");
}

static int sanitize_suite_init(struct kunit *test)
{
	struct goalloc_heap *heap = goalloc_heap_create("sanitize", NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	test->priv = heap;
	/* A block of tiny objects is a CPU's. */
	crew_stay();
	return 0;
}

static void sanitize_suite_exit(struct kunit *test)
{
	listen_stop();
	if (kasan_probed) {
		unregister_trace_error_report_end(kasan_probe, NULL);
		tracepoint_synchronize_unregister();
		kasan_probed = false;
	}
	if (!IS_ERR_OR_NULL(test->priv))
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(test->priv, true));
}

static noinline void touch(u8 *p, bool write)
{
	if (write)
		WRITE_ONCE(*p, 0x5a);
	else
		(void)READ_ONCE(*p);
}

/* One access, one report: that of this byte, of this kind. */
static void touch_expect(struct kunit *test, void *p, bool write, const char *kind,
			 const char *what, size_t size)
{
	unsigned int before = kasan_nr;

	listen_again();
	/* Else KASAN takes this for a test's failure. */
	current->kunit_test = NULL;
	touch(p, write);
	current->kunit_test = test;
	KUNIT_EXPECT_EQ_MSG(test, before + 1, kasan_nr, "%s, %zu bytes", what, size);
	KUNIT_EXPECT_EQ_MSG(test, (unsigned long)p, kasan_addr, "%s, %zu bytes", what, size);
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count(kind), "%s, %zu bytes: not %s", what,
			    size, kind);
}

/* Bytes from @p on that KASAN lets pass, and whether it stops the rest of @room. */
static size_t open_bytes(struct kunit *test, const void *p, size_t room)
{
	size_t bytes = room;
#ifdef CONFIG_KASAN_GENERIC
	bool closed = false;
	size_t i;

	for (i = 0; i < room; i++) {
		s8 shadow = *(s8 *)kasan_mem_to_shadow(p + i);
		bool open = !shadow || (long)((unsigned long)(p + i) % 8) < shadow;

		if (!open && !closed)
			bytes = i;
		closed |= !open;
		KUNIT_EXPECT_FALSE_MSG(test, open && closed, "byte %zu of %zu", i, room);
	}
#endif
	return bytes;
}

/* Sizes to try for a class: all of it, a byte less, the least that it serves. */
static size_t class_size(unsigned int class, unsigned int which)
{
	return which == 0 ? sizeclass_size[class] :
	       which == 1 ? sizeclass_size[class] - 1 : sizeclass_size[class - 1] + 1;
}

/* What KASAN calls a byte behind so many of a slot. */
static const char *class_kind(unsigned int class, size_t size)
{
	return size % 8 && round_up(size, 8) == sizeclass_size[class] ? ANY_KIND : OUT_OF_BOUNDS;
}

static void sees_exact(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	unsigned int class, i;
	u8 *p, *q;

	kasan_begin(test);
	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		size_t room = sizeclass_size[class];

		for (i = 0; i < 3; i++) {
			size_t size = class_size(class, i);

			p = goalloc_heap_alloc(heap, size, GFP_KERNEL);
			q = goalloc_heap_alloc(heap, size, GFP_KERNEL | __GFP_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_ASSERT_NOT_NULL(test, q);
			KUNIT_EXPECT_EQ(test, size, open_bytes(test, p, room));
			KUNIT_EXPECT_EQ(test, size, open_bytes(test, q, room));
			memset(p, 1, size);
			memset(q, 2, size);
			goalloc_heap_free(heap, p);
			KUNIT_EXPECT_EQ(test, 0, open_bytes(test, p, room));
			KUNIT_EXPECT_EQ(test, size, open_bytes(test, q, room));
			goalloc_heap_free(heap, q);
			KUNIT_EXPECT_EQ(test, 0, open_bytes(test, q, room));
		}
	}
	KUNIT_EXPECT_EQ(test, 0U, kasan_nr);
}

/*
 * A byte behind the end. Of a full slot that is the next one, so it is looked
 * for where that was never used; behind the last slot may be anybody's page.
 */
static void sees_overflow(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	unsigned int class, i;
	u8 *p;

	kasan_begin(test);
	kasan_expect_begin();
	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		for (i = 0; i < 3; i++) {
			size_t size = class_size(class, i);

			if (!i && sizeclass_objs[class] == 1)
				continue;
			p = goalloc_heap_alloc(heap, size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			touch(p, true);
			touch(p + size - 1, false);
			touch_expect(test, p + size, (class + i) % 2,
				     class_kind(class, size), "overflow", size);
			goalloc_heap_free(heap, p);
		}
	}
	kasan_expect_end();
}

static void sees_after_free(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	unsigned int class;
	u8 *p;

	kasan_begin(test);
	kasan_expect_begin();
	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		size_t size = class_size(class, class % 3);

		p = goalloc_heap_alloc(heap, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		goalloc_heap_free(heap, p);
		touch_expect(test, p + (class % 2 ? size - 1 : 0), class % 2, AFTER_FREE,
			     "after free", size);
	}
	kasan_expect_end();
}

static void sees_large(struct kunit *test)
{
	static const size_t sizes[] = {
		GOALLOC_MAX_SMALL + 1, GOALLOC_MAX_SMALL + GOALLOC_PAGE_SIZE - 9,
		100000, (1 << 20) - 1,
	};
	struct goalloc_heap *heap = test->priv;
	unsigned int i;
	u8 *p;

	kasan_begin(test);
	kasan_expect_begin();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t room = round_up(sizes[i], GOALLOC_PAGE_SIZE);

		p = goalloc_heap_alloc(heap, sizes[i],
				       i % 2 ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, i, sizes[i]);
		KUNIT_EXPECT_EQ(test, sizes[i], open_bytes(test, p, room));
		touch_expect(test, p + sizes[i], i % 2,
			     round_up(sizes[i], 8) == room ? ANY_KIND : OUT_OF_BOUNDS,
			     "large", sizes[i]);
		touch_expect(test, p + room - 1, i % 2,
			     round_up(sizes[i], 8) == room ? ANY_KIND : OUT_OF_BOUNDS,
			     "large", sizes[i]);
		goalloc_heap_free(heap, p);
		touch_expect(test, p, i % 2, AFTER_FREE, "large freed", sizes[i]);
		touch_expect(test, p + sizes[i] - 1, i % 2, AFTER_FREE, "large freed", sizes[i]);
	}
	kasan_expect_end();
}

/* What can be told of tiny objects, granule by granule: see tiny_shadow(). */
static void sees_tiny(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	size_t size;
	u8 *p, *q;

	kasan_begin(test);
	kasan_expect_begin();
	for (size = 1; size < 16; size++) {
		/* The last object of a block: exact. */
		p = tiny_alloc(heap, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 1, size);
		touch_expect(test, p + size, size % 2, ANY_KIND, "tiny", size);
		/* Close the block if it is open, or get it back. */
		q = tiny_alloc(heap, 15, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		memset(p, 2, size);
		memset(q, 3, 15);
		goalloc_heap_free(heap, q);
		memset(p, 4, size);
		goalloc_heap_free(heap, p);
	}

	/* Two granules: the one that is free for good is closed at once. */
	p = tiny_alloc(heap, 8, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, 0UL, (unsigned long)p % 16);
	q = tiny_alloc(heap, 4, GFP_KERNEL);
	KUNIT_ASSERT_PTR_EQ(test, p + 8, q);
	goalloc_heap_free(heap, p);
	touch_expect(test, p + 3, true, AFTER_FREE, "tiny freed", 8);
	memset(q, 5, 4);
	/* Something may still be packed into this one, until the block is full. */
	p = tiny_alloc(heap, 2, GFP_KERNEL);
	KUNIT_ASSERT_PTR_EQ(test, q + 4, p);
	goalloc_heap_free(heap, q);
	memset(p, 6, 2);
	touch_expect(test, p + 2, true, ANY_KIND, "tiny", 2);
	goalloc_heap_free(heap, p);
	q = tiny_alloc(heap, 2, GFP_KERNEL);
	KUNIT_ASSERT_PTR_EQ(test, p + 2, q);
	goalloc_heap_free(heap, q);
	touch_expect(test, q, false, AFTER_FREE, "tiny block freed", 2);
	touch_expect(test, p, false, AFTER_FREE, "tiny block freed", 2);
	kasan_expect_end();
}

/* The other ways to get, change and free an object. */
static void sees_family(struct kunit *test)
{
	void *bulk[8];
	unsigned int i;
	u8 *p, *q;

	kasan_begin(test);
	kasan_expect_begin();
	p = goalloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	touch_expect(test, p + 100, true, OUT_OF_BOUNDS, "goalloc", 100);
	KUNIT_EXPECT_EQ(test, 100, open_bytes(test, p, 112));
	KUNIT_EXPECT_EQ(test, 112, gosize(p));
	KUNIT_EXPECT_EQ(test, 112, open_bytes(test, p, 112));
	memset(p, 1, 112);
	/* In place, smaller and larger, and moved with all that may be in it. */
	KUNIT_EXPECT_PTR_EQ(test, p, gorealloc(p, 99, GFP_KERNEL));
	touch_expect(test, p + 99, true, OUT_OF_BOUNDS, "shrunk", 99);
	KUNIT_EXPECT_PTR_EQ(test, p, gorealloc(p, 110, GFP_KERNEL | __GFP_ZERO));
	memset(p, 2, 110);
	touch_expect(test, p + 110, false, OUT_OF_BOUNDS, "grown", 110);
	q = gorealloc(p, 130, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_ASSERT_TRUE(test, q != p);
	touch_expect(test, p, false, AFTER_FREE, "moved", 110);
	KUNIT_EXPECT_EQ(test, 130, open_bytes(test, q, goalloc_size_roundup(130)));
	gofree_sensitive(q);
	touch_expect(test, q, false, AFTER_FREE, "freed, sensitive", 130);

	p = goalloc_node(45, GFP_KERNEL, 0);
	KUNIT_EXPECT_EQ(test, 45, open_bytes(test, p, 48));
	gofree(p);
	p = goalloc_aligned(70, 64, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 70, open_bytes(test, p, 128));
	gofree(p);
	p = gozalloc(33, GFP_ATOMIC);
	KUNIT_EXPECT_EQ(test, 33, open_bytes(test, p, 48));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 33));
	gofree(p);
	p = gomemdup("0123456789", 10, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 10, open_bytes(test, p, 16));
	gofree(p);
	KUNIT_ASSERT_EQ(test, 8, goalloc_bulk(57, GFP_KERNEL, 8, bulk));
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, 57, open_bytes(test, bulk[i], 64));
	gofree_bulk(8, bulk);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, 0, open_bytes(test, bulk[i], 64));
	kasan_expect_end();
}

struct sanitize_work {
	struct goalloc_heap *heap;
	u8 *p;
	u8 *large;
};

static void sanitize_work_free(void *arg)
{
	struct sanitize_work *work = arg;

	goalloc_heap_free(work->heap, work->p);
	if (work->large)
		goalloc_heap_free(work->heap, work->large);
}

static void sanitize_work_alloc(void *arg)
{
	struct sanitize_work *work = arg;

	work->p = goalloc_heap_alloc(work->heap, 77, GFP_NOWAIT | __GFP_NOWARN);
}

/* In interrupts as well; what an NMI frees is closed before it is collected. */
static void sees_contexts(struct kunit *test)
{
	struct sanitize_work work = { .heap = test->priv };
	struct sanitize_work nmi = { .heap = test->priv };

	kasan_begin(test);
	kasan_expect_begin();
	work.p = goalloc_heap_alloc(work.heap, 77, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, work.p);
	crew_in_hardirq(sanitize_work_free, &work);
	touch_expect(test, work.p, false, AFTER_FREE, "freed in hardirq", 77);
	crew_in_softirq(sanitize_work_alloc, &work);
	KUNIT_ASSERT_NOT_NULL(test, work.p);
	KUNIT_EXPECT_EQ(test, 77, open_bytes(test, work.p, 80));
	work.large = goalloc_heap_alloc(work.heap, 50000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, work.large);
	crew_as_nmi(sanitize_work_free, &work);
	touch_expect(test, work.p, false, AFTER_FREE, "freed in NMI", 77);
	touch_expect(test, work.large, false, AFTER_FREE, "large freed in NMI", 50000);
	crew_as_nmi(sanitize_work_alloc, &nmi);
	if (nmi.p) {
		KUNIT_EXPECT_EQ(test, 77, open_bytes(test, nmi.p, 80));
		goalloc_heap_free(nmi.heap, nmi.p);
	}
	kasan_expect_end();
}

/* A bad free is goalloc's to report; KASAN hears nothing of it. */
static void sees_bad_free(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	u8 *p;

	kasan_begin(test);
	p = goalloc_heap_alloc(heap, 200, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	goalloc_heap_free(heap, p + 8);
	KUNIT_EXPECT_EQ(test, 200, open_bytes(test, p, 208));
	goalloc_heap_free(heap, p);
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_EQ(test, 0, open_bytes(test, p, 208));
	KUNIT_EXPECT_EQ(test, 0U, kasan_nr);
	KUNIT_EXPECT_EQ(test, 1, atomic64_read(&heap->nr_bad[BAD_FREE_INTERIOR]));
	KUNIT_EXPECT_EQ(test, 1, atomic64_read(&heap->nr_bad[BAD_FREE_DOUBLE]));
}

/* Goalloc's line in KASAN's report. */
static void sees_line(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	struct slot_ref ref;
	char line[128];
	u8 *p;

	kasan_begin(test);
	/* Not the first in its span. */
	KUNIT_ASSERT_NOT_NULL(test, goalloc_heap_alloc(heap, 50, GFP_KERNEL));
	p = goalloc_heap_alloc(heap, 50, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_TRUE(test, slot_find(&goalloc_space.map, (unsigned long)p, &ref));
	kasan_expect_begin();
	touch_expect(test, p + 51, false, ANY_KIND, "line", 50);
	snprintf(line, sizeof(line),
		 "goalloc: heap sanitize, class %u, object %u of %u bytes, live: the address is 51 bytes in",
		 sizeclass_of(50), ref.slot, ref.span->elemsize);
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count(line), "%s", listen_line(1));
	goalloc_heap_free(heap, p);
	touch_expect(test, p + 7, true, AFTER_FREE, "line", 50);
	snprintf(line, sizeof(line),
		 "goalloc: heap sanitize, class %u, object %u of %u bytes, free: the address is 7 bytes in",
		 sizeclass_of(50), ref.slot, ref.span->elemsize);
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count(line), "%s", listen_line(1));
	kasan_expect_end();
}

/*
 * kmemleak. The objects are made in a thread that ends, so that no stack keeps
 * their addresses, and their addresses are noted inverted. Something stale may
 * look like the address of one all the same; hence several of each kind.
 */
#define LOST_EACH 3
#define LEAK_FILE "/tmp/goalloc-kmemleak"
#define LEAK_TEXT 65536

struct leak_node {
	void *next;
	void *slab;	/* from kmalloc(), reached through this object only */
};

enum leak_lost {
	LOST_SMALL,
	LOST_LARGE,
	LOST_TINY,
	LOST_SLAB,	/* reached only from a goalloc object that was freed */
	NR_LOST,
};

static const size_t leak_lost_sizes[NR_LOST] = { 300, 50000, 12, 64 };

static struct {
	struct completion done;
	unsigned long lost[NR_LOST][LOST_EACH];	/* inverted */
	unsigned long kept[8];		/* inverted */
	unsigned int nr_kept;
	struct leak_node *root;
	bool failed;
} leak;

static void *leak_keep(void *p)
{
	leak.failed |= !p;
	leak.kept[leak.nr_kept++] = ~(unsigned long)p;
	return p;
}

static void leak_lose(enum leak_lost which, unsigned int i, void *p)
{
	leak.failed |= !p;
	leak.lost[which][i] = ~(unsigned long)p;
}

/* Leave nothing on the stack: its pages may be the next thread's. */
static noinline void leak_scrub(unsigned int depth)
{
	u8 space[512];

	memset(space, 0, sizeof(space));
	OPTIMIZER_HIDE_VAR(depth);
	if (depth)
		leak_scrub(depth - 1);
	barrier_data(space);
}

static int leak_thread(void *arg)
{
	struct leak_node *small, *large, *freed;
	unsigned int i;
	void **tiny;

	/* root -> small -> large (in its last bytes) -> tiny -> kmalloc */
	small = leak_keep(gozalloc(sizeof(*small), GFP_KERNEL));
	large = leak_keep(gozalloc(40000, GFP_KERNEL));
	tiny = leak_keep(goalloc_tiny(sizeof(*tiny), GFP_KERNEL));
	if (!small || !large || !tiny) {
		leak.failed = true;
		complete(&leak.done);
		return 0;
	}
	leak.root = small;
	small->next = large;
	small->slab = leak_keep(kmalloc(24, GFP_KERNEL));
	((void **)large)[40000 / sizeof(void *) - 1] = tiny;
	large->slab = leak_keep(kmalloc(24, GFP_KERNEL));
	*tiny = leak_keep(kmalloc(24, GFP_KERNEL));

	for (i = 0; i < LOST_EACH; i++) {
		leak_lose(LOST_SMALL, i, gozalloc(leak_lost_sizes[LOST_SMALL], GFP_KERNEL));
		leak_lose(LOST_LARGE, i, gozalloc(leak_lost_sizes[LOST_LARGE], GFP_KERNEL));
		leak_lose(LOST_TINY, i, goalloc_tiny(leak_lost_sizes[LOST_TINY], GFP_KERNEL));
		freed = gozalloc(sizeof(*freed), GFP_KERNEL);
		leak_lose(LOST_SLAB, i, kzalloc(leak_lost_sizes[LOST_SLAB], GFP_KERNEL));
		if (freed)
			freed->slab = (void *)~leak.lost[LOST_SLAB][i];
		gofree(freed);
	}
	leak_scrub(16);
	complete(&leak.done);
	return 0;
}

/* Let kmemleak look twice, and keep what it says in a file. */
static int leak_scan(void)
{
	static char *argv[4] = {
		"/bin/sh", "-c",
		"cd /sys/kernel/debug; echo scan >kmemleak && echo scan >kmemleak && cat kmemleak >"
		LEAK_FILE, NULL
	};
	static char *envp[3] = { "PATH=/bin", "HOME=/", NULL };

	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static ssize_t leak_read(char *text, size_t size)
{
	struct file *file = filp_open(LEAK_FILE, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_read(file, text, size - 1, &pos);
	filp_close(file, NULL);
	text[max_t(ssize_t, len, 0)] = '\0';
	return len;
}

static bool leak_told(const char *text, unsigned long inverted, size_t size)
{
	char line[64];

	snprintf(line, sizeof(line), "unreferenced object 0x%08lx (size %zu)", ~inverted, size);
	return strstr(text, line);
}

static void leak_free_all(void)
{
	unsigned int i, each;

	for (each = 0; each < LOST_EACH; each++) {
		for (i = 0; i < LOST_SLAB; i++)
			gofree((void *)~leak.lost[i][each]);
		kfree((void *)~leak.lost[LOST_SLAB][each]);
	}
	for (i = 0; i < leak.nr_kept; i++) {
		void *p = (void *)~leak.kept[i];

		if (goalloc_owns(p))
			gofree(p);
		else
			kfree(p);
	}
	leak.root = NULL;
}

/* How many of the lost objects of each kind kmemleak has told of in @text. */
static unsigned int leak_count(const char *text, unsigned int told[NR_LOST])
{
	unsigned int i, each, sum = 0;

	memset(told, 0, NR_LOST * sizeof(*told));
	for (i = 0; i < NR_LOST; i++) {
		for (each = 0; each < LOST_EACH; each++)
			told[i] += leak_told(text, leak.lost[i][each], leak_lost_sizes[i]);
		sum += told[i];
	}
	return sum;
}

static void sees_leaks(struct kunit *test)
{
	unsigned int told[NR_LOST], i, sum = 0, nr = 0, try;
	struct task_struct *task;
	char *text, *at;
	bool all = false;
	int err = 0;

	if (!IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		kunit_skip(test, "needs CONFIG_DEBUG_KMEMLEAK");
	text = kunit_kzalloc(test, LEAK_TEXT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(&leak, 0, sizeof(leak));
	memset(leak.lost, 0xff, sizeof(leak.lost));
	init_completion(&leak.done);
	task = kthread_run(leak_thread, NULL, "goalloc-leak");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&leak.done);
	if (leak.failed) {
		leak_free_all();
		KUNIT_FAIL(test, "no memory");
		return;
	}

	/*
	 * Objects younger than 5 seconds are not reported, and an old word on some
	 * stack may look like a pointer to one for a while. Words that look like
	 * pointers into many pages are too common: no large one needs to be told.
	 */
	pr_info("goalloc-kunit: expect-begin kmemleak: [0-9]+ new suspected memory leaks\n");
	for (try = 0; !err && !all && try < 5; try++) {
		msleep(6000);
		err = leak_scan();
		KUNIT_EXPECT_GT(test, leak_read(text, LEAK_TEXT), (ssize_t)0);
		sum = leak_count(text, told);
		for (all = true, i = 0; i < NR_LOST; i++)
			all &= told[i] || i == LOST_LARGE;
	}
	pr_info("goalloc-kunit: expect-end\n");
	KUNIT_EXPECT_EQ(test, 0, err);
	for (i = 0; i < NR_LOST; i++)
		if (i != LOST_LARGE)
			KUNIT_EXPECT_GT_MSG(test, told[i], 0U,
					    "lost objects of %zu bytes: none reported",
					    leak_lost_sizes[i]);
	/* And nothing else. */
	for (at = text; (at = strstr(at, "unreferenced object ")); at++)
		nr++;
	KUNIT_EXPECT_EQ_MSG(test, sum, nr, "%s", text);
	leak_free_all();
}

static struct kunit_case sanitize_cases[] = {
	KUNIT_CASE(sees_exact),
	KUNIT_CASE(sees_overflow),
	KUNIT_CASE(sees_after_free),
	KUNIT_CASE(sees_large),
	KUNIT_CASE(sees_tiny),
	KUNIT_CASE(sees_family),
	KUNIT_CASE(sees_contexts),
	KUNIT_CASE(sees_bad_free),
	KUNIT_CASE(sees_line),
	KUNIT_CASE(sees_leaks),
	{}
};

static struct kunit_suite sanitize_suite = {
	.name = "goalloc_sanitize",
	.init = sanitize_suite_init,
	.exit = sanitize_suite_exit,
	.test_cases = sanitize_cases,
};

kunit_test_suite(sanitize_suite);
