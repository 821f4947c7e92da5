// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects on their lines in /proc/allocinfo: whoever asked, in whatever way and
 * context, has exactly what is in use, and nothing once it is freed.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <goalloc.h>

#include "allocinfo.h"
#include "cache.h"
#include "crew.h"
#include "fake_source.h"
#include "guard.h"
#include "param.h"
#include "shot.h"

#if GOALLOC_ALLOCINFO

#define FILE_BYTES SZ_1M

/* Two lines. Each in a function, for what counts them has the same name. */
static struct alloc_tag *line_a(void)
{
	DEFINE_ALLOC_TAG(line);

	return &line;
}

static struct alloc_tag *line_b(void)
{
	DEFINE_ALLOC_TAG(line);

	return &line;
}

/* Calls that are on them. A name in parentheses is the function. */
#define ON_A(call) alloc_hooks_tag(line_a(), call)
#define ON_B(call) alloc_hooks_tag(line_b(), call)

static int allocinfo_suite_init(struct kunit *test)
{
	crew_stay();
	KUNIT_ASSERT_EQ(test, 0, param_set("allocinfo", "1"));
	return 0;
}

static void allocinfo_suite_exit(struct kunit *test)
{
	bool by_default = IS_ENABLED(CONFIG_MEM_ALLOC_PROFILING_ENABLED_BY_DEFAULT);

	KUNIT_EXPECT_EQ(test, 0ULL, alloc_tag_read(line_a()).calls);
	KUNIT_EXPECT_EQ(test, 0ULL, alloc_tag_read(line_b()).calls);
	/* As it was, unless somebody has said otherwise. */
	KUNIT_EXPECT_EQ(test, 0, param_set("allocinfo", by_default ? "1" : "0"));
}

static void expect_line(struct kunit *test, struct alloc_tag *line, u64 objects,
			u64 bytes, const char *what)
{
	struct alloc_tag_counters is = alloc_tag_read(line);

	KUNIT_EXPECT_EQ_MSG(test, objects, is.calls, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, bytes, is.bytes, "%s", what);
}

/* Bytes of the slot that an object is in, 0 if it is in none. */
static u64 slot_bytes(const void *p)
{
	struct slot_ref ref;
	u64 bytes = 0;

	preempt_disable();
	if (slot_find(&goalloc_space.map, (unsigned long)p, &ref))
		bytes = ref.span->elemsize;
	preempt_enable();
	return bytes;
}

static void *way_plain(size_t size)
{
	return ON_A((goalloc)(size, GFP_KERNEL));
}

static void *way_node(size_t size)
{
	return ON_A((goalloc_node)(size, GFP_KERNEL, numa_mem_id()));
}

static void *way_this_node(size_t size)
{
	return ON_A((goalloc_node)(size, GFP_KERNEL | __GFP_THISNODE, numa_mem_id()));
}

static void *way_aligned(size_t size)
{
	return ON_A((goalloc_aligned)(size, 64, GFP_KERNEL));
}

static void *way_tiny(size_t size)
{
	return ON_A((goalloc_tiny)(size, GFP_KERNEL));
}

static void *way_zeroed(size_t size)
{
	return ON_A((gozalloc)(size, GFP_KERNEL));
}

static void *way_array(size_t size)
{
	return ON_A((goalloc_array)(size, 1, GFP_KERNEL));
}

static void *way_realloc(size_t size)
{
	return ON_A((gorealloc)(NULL, size, GFP_KERNEL));
}

static void *way_kvalloc(size_t size)
{
	return ON_A((gokvalloc)(size, GFP_KERNEL));
}

static void *way_bulk(size_t size)
{
	void *p;

	return ON_A((goalloc_bulk)(size, GFP_KERNEL, 1, &p)) ? p : NULL;
}

static void *way_memdup(size_t size)
{
	void *src = kvzalloc(size, GFP_KERNEL);
	void *copy = src ? ON_A((gomemdup)(src, size, GFP_KERNEL)) : NULL;

	kvfree(src);
	return copy;
}

static const struct {
	const char *name;
	void *(*alloc)(size_t size);
} ways[] = {
	{ "goalloc", way_plain },
	{ "goalloc_node", way_node },
	{ "goalloc_node exactly", way_this_node },
	{ "goalloc_aligned", way_aligned },
	{ "goalloc_tiny", way_tiny },
	{ "gozalloc", way_zeroed },
	{ "goalloc_array", way_array },
	{ "gorealloc", way_realloc },
	{ "gokvalloc", way_kvalloc },
	{ "goalloc_bulk", way_bulk },
	{ "gomemdup", way_memdup },
};

static const size_t sizes[] = { 1, 8, 24, 100, 1024, 1025, 5000, 32768, 32769, 300000 };

/* Every function, every kind of size: what is in use, object by object. */
static void allocinfo_every_way(struct kunit *test)
{
	void *obj[ARRAY_SIZE(sizes)];
	u64 objects, bytes;
	unsigned int w, i;

	for (w = 0; w < ARRAY_SIZE(ways); w++) {
		objects = 0;
		bytes = 0;
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			bool packed = ways[w].alloc == way_tiny && sizes[i] < 16;

			obj[i] = ways[w].alloc(sizes[i]);
			KUNIT_ASSERT_NOT_NULL(test, obj[i]);
			if (!packed) {
				objects++;
				bytes += slot_bytes(obj[i]);
				KUNIT_EXPECT_GE(test, slot_bytes(obj[i]), sizes[i]);
			}
			expect_line(test, line_a(), objects, bytes, ways[w].name);
			KUNIT_EXPECT_GE(test, gosize(obj[i]), sizes[i]);
		}
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			unsigned int n = (i * 7 + 3) % ARRAY_SIZE(sizes);

			if (ways[w].alloc != way_tiny || sizes[n] >= 16) {
				objects--;
				bytes -= slot_bytes(obj[n]);
			}
			gofree(obj[n]);
			expect_line(test, line_a(), objects, bytes, ways[w].name);
		}
	}
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(NULL) < 0);
}

static noinline void *allocinfo_here(size_t size)
{
	return goalloc(size, GFP_KERNEL);
}

static noinline void *allocinfo_there(size_t size)
{
	return gocalloc(size, 2, GFP_KERNEL);
}

/* What the file says of a function of ours. */
static bool file_line(struct kunit *test, const char *func, s64 *bytes, u64 *calls)
{
	struct file *file = filp_open("/proc/allocinfo", O_RDONLY, 0);
	char *text, *at, key[80];
	bool found = false;
	ssize_t n, len = 0;
	loff_t pos = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	text = kvmalloc(FILE_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	while (len < FILE_BYTES - 1) {
		n = kernel_read(file, text + len, FILE_BYTES - 1 - len, &pos);
		if (n <= 0)
			break;
		len += n;
	}
	filp_close(file, NULL);
	text[len] = '\0';
	KUNIT_EXPECT_LT(test, len, (ssize_t)FILE_BYTES - 1);
	snprintf(key, sizeof(key), "[goalloc_kunit] func:%s", func);
	at = strstr(text, key);
	if (at) {
		while (at > text && at[-1] != '\n')
			at--;
		found = sscanf(at, "%lld %llu", bytes, calls) == 2;
	}
	kvfree(text);
	return found;
}

static void expect_file(struct kunit *test, const char *func, s64 bytes, u64 calls)
{
	s64 is_bytes = 0;
	u64 is_calls = 0;

	KUNIT_EXPECT_TRUE(test, file_line(test, func, &is_bytes, &is_calls));
	KUNIT_EXPECT_EQ_MSG(test, bytes, is_bytes, "%s", func);
	KUNIT_EXPECT_EQ_MSG(test, calls, is_calls, "%s", func);
}

/* As users see it: the calls of a plain name, each on its own line. */
static void allocinfo_file(struct kunit *test)
{
	void *here[10], *there[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(here); i++) {
		here[i] = allocinfo_here(100);
		KUNIT_ASSERT_NOT_NULL(test, here[i]);
	}
	for (i = 0; i < ARRAY_SIZE(there); i++) {
		there[i] = allocinfo_there(20000);
		KUNIT_ASSERT_NOT_NULL(test, there[i]);
	}
	expect_file(test, "allocinfo_here", 10 * 112, 10);
	expect_file(test, "allocinfo_there", 3 * 40960, 3);
	gofree_bulk(ARRAY_SIZE(there), there);
	gofree(here[4]);
	expect_file(test, "allocinfo_here", 9 * 112, 9);
	expect_file(test, "allocinfo_there", 0, 0);
	here[4] = NULL;
	gofree_bulk(ARRAY_SIZE(here), here);
	expect_file(test, "allocinfo_here", 0, 0);
}

/* An object that moves goes to the line that moved it, another stays. */
static void allocinfo_realloc(struct kunit *test)
{
	void *p = ON_A((goalloc)(100, GFP_KERNEL)), *q;

	KUNIT_ASSERT_NOT_NULL(test, p);
	q = ON_B((gorealloc)(p, 50, GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, p, q);
	expect_line(test, line_a(), 1, 112, "stays");
	expect_line(test, line_b(), 0, 0, "stays");
	q = ON_B((gorealloc)(q, 5000, GFP_KERNEL));
	KUNIT_ASSERT_NOT_NULL(test, q);
	expect_line(test, line_a(), 0, 0, "moves");
	expect_line(test, line_b(), 1, slot_bytes(q), "moves");
	q = ON_A((gorealloc)(q, 0, GFP_KERNEL));
	expect_line(test, line_b(), 0, 0, "ends");
}

/* Counting begins and ends at any time. */
static void allocinfo_switched(struct kunit *test)
{
	void *on, *off;

	KUNIT_EXPECT_EQ(test, -EINVAL, param_set("allocinfo", "perhaps"));
	on = way_plain(1000);
	KUNIT_ASSERT_NOT_NULL(test, on);
	KUNIT_ASSERT_EQ(test, 0, param_set("allocinfo", "0"));
	off = way_plain(1000);
	KUNIT_ASSERT_NOT_NULL(test, off);
	expect_line(test, line_a(), 1, 1024, "one while it was on");
	KUNIT_ASSERT_EQ(test, 0, param_set("allocinfo", "1"));
	gofree(off);
	expect_line(test, line_a(), 1, 1024, "the other is on no line");
	KUNIT_ASSERT_EQ(test, 0, param_set("allocinfo", "0"));
	gofree(on);
	expect_line(test, line_a(), 0, 0, "freed while it is off");
}

/* A free that is refused takes nothing off any line. */
static void allocinfo_bad_frees(struct kunit *test)
{
	char *p = way_plain(200), *large = way_plain(50000);
	struct heap_shot before;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, large);
	shot_take(goalloc_default, &before);
	gofree(p + 8);
	shot_expect_refused(test, goalloc_default, &before, BAD_FREE_INTERIOR, 1, "small");
	shot_take(goalloc_default, &before);
	gofree(large + 8192);
	shot_expect_refused(test, goalloc_default, &before, BAD_FREE_INTERIOR, 1, "large");
	expect_line(test, line_a(), 2, slot_bytes(p) + slot_bytes(large), "refused");
	gofree(large);
	expect_line(test, line_a(), 1, slot_bytes(p), "large");
	gofree(p);
	expect_line(test, line_a(), 0, 0, "small");
	shot_take(goalloc_default, &before);
	gofree(p);
	shot_expect_refused(test, goalloc_default, &before, BAD_FREE_DOUBLE, 1, "again");
	expect_line(test, line_a(), 0, 0, "again");
}

/* Private heaps, hardened ones, and what still lives when they end. */
static void allocinfo_heaps(struct kunit *test)
{
	static const unsigned int kinds[] = {
		0, GOALLOC_HARDEN_REDZONE, GOALLOC_HARDEN_STACKS, GOALLOC_HARDEN_ALL,
	};
	struct goalloc_heap_attr attr = {};
	struct goalloc_heap *heap;
	unsigned int k, i;
	void *p[6];
	u64 bytes;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		attr.harden = kinds[k];
		heap = goalloc_heap_create("lines", &attr);
		KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
		bytes = 0;
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = ON_A((goalloc_heap_alloc)(heap, 40 << (3 * i), GFP_KERNEL));
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			bytes += slot_bytes(p[i]);
		}
		expect_line(test, line_a(), ARRAY_SIZE(p), bytes, "of a heap");
		for (i = 0; i < ARRAY_SIZE(p); i += 2) {
			bytes -= slot_bytes(p[i]);
			goalloc_heap_free(heap, p[i]);
		}
		expect_line(test, line_a(), ARRAY_SIZE(p) / 2, bytes, "freed");
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
		expect_line(test, line_a(), 0, 0, "ended");
	}
}

/**
 * struct line_irq - what an interrupt is to do
 * @take: sizes to allocate, 0 for none
 * @obj: objects; first freed, then what was allocated
 * @bytes: of the slots of those
 */
struct line_irq {
	size_t take[3];
	void *obj[3];
	u64 bytes;
};

static void line_in_irq(void *arg)
{
	struct line_irq *irq = arg;
	unsigned int i;

	irq->bytes = 0;
	for (i = 0; i < ARRAY_SIZE(irq->obj); i++) {
		gofree(irq->obj[i]);
		irq->obj[i] = irq->take[i] ? ON_B((goalloc)(irq->take[i], GFP_ATOMIC)) : NULL;
		irq->bytes += slot_bytes(irq->obj[i]);
	}
}

/* Interrupts have lines of their own, and free what others have allocated. */
static void allocinfo_contexts(struct kunit *test)
{
	void (*const where[])(crew_call_t fn, void *arg) = {
		crew_in_softirq, crew_in_hardirq, crew_as_nmi,
	};
	struct line_irq irq;
	unsigned int i, n, got;

	for (i = 0; i < ARRAY_SIZE(where); i++) {
		irq = (struct line_irq){ .take = { 100, 3000, 0 } };
		irq.obj[0] = way_plain(100);
		irq.obj[1] = way_plain(70000);
		irq.obj[2] = way_plain(16);
		KUNIT_EXPECT_EQ(test, 3ULL, alloc_tag_read(line_a()).calls);
		where[i](line_in_irq, &irq);
		expect_line(test, line_a(), 0, 0, "freed in an interrupt");
		for (n = 0, got = 0; n < ARRAY_SIZE(irq.obj); n++)
			got += !!irq.obj[n];
		if (!IS_ENABLED(CONFIG_PREEMPT_RT) && where[i] != crew_as_nmi)
			KUNIT_EXPECT_EQ(test, 2U, got);
		expect_line(test, line_b(), got, irq.bytes, "allocated in an interrupt");
		gofree_bulk(ARRAY_SIZE(irq.obj), irq.obj);
		expect_line(test, line_b(), 0, 0, "and freed in a task");
	}
}

/* What goalloc has from others is on its caller's line, not on goalloc's. */
static void allocinfo_elsewhere(struct kunit *test)
{
	struct alloc_tag_counters is;
	struct file *file = filp_open("/proc/sys/vm/mem_profiling", O_WRONLY, 0);
	loff_t pos = 0;
	void *p;

	if (IS_ERR(file))
		kunit_skip(test, "the kernel was booted without sysctl.vm.mem_profiling=0 or 1");
	KUNIT_EXPECT_EQ(test, (ssize_t)1, kernel_write(file, "1", 1, &pos));

	p = ON_A((gokvalloc)(2 * GOALLOC_MAX_SIZE, GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
	KUNIT_EXPECT_GE(test, alloc_tag_read(line_a()).bytes, 2ULL * GOALLOC_MAX_SIZE);
	gokvfree(p);
	expect_line(test, line_a(), 0, 0, "vmalloc");

	fake_heap_break(test, goalloc_default);
	p = way_plain(1000);
	KUNIT_EXPECT_NOT_NULL(test, p);
	is = alloc_tag_read(line_a());
	KUNIT_EXPECT_EQ(test, 1ULL, is.calls);
	KUNIT_EXPECT_GE(test, is.bytes, 1000ULL);
	gofree(p);
	fake_heap_mend(goalloc_default);
	expect_line(test, line_a(), 0, 0, "kmalloc");

	/* What is freed while the kernel does not count stays on its line for ever. */
	kvfree_rcu_barrier();
	pos = 0;
	KUNIT_EXPECT_EQ(test, (ssize_t)1, kernel_write(file, "0", 1, &pos));
	filp_close(file, NULL);
}

#define STORM_SLOTS 64
#define STORM_STEPS 4000

/**
 * struct line_storm - objects that all CPUs share
 * @obj: each taken and given by xchg()
 */
struct line_storm {
	void *obj[STORM_SLOTS];
};

static void line_storm_member(void *arg, unsigned int member)
{
	struct line_storm *storm = arg;
	struct rnd_state rnd;
	unsigned int i;
	void *p;

	prandom_seed_state(&rnd, member + 1);
	for (i = 0; i < STORM_STEPS; i++) {
		size_t size = 1 + prandom_u32_state(&rnd) % (i % 50 ? 600 : 60000);

		p = i & 1 ? ON_A((goalloc)(size, GFP_KERNEL)) :
			    ON_B((goalloc)(size, GFP_KERNEL));
		gofree(xchg(&storm->obj[prandom_u32_state(&rnd) % STORM_SLOTS], p));
		if (!member && i % 1000 == 500)
			param_set("allocinfo", i % 2000 == 500 ? "0" : "1");
		if (i % 16 == 0)
			cond_resched();
	}
}

/* On all CPUs at once, freed by others, switched on and off: it comes out even. */
static void allocinfo_storm(struct kunit *test)
{
	struct line_storm *storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, storm);
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, line_storm_member, storm));
	KUNIT_EXPECT_GT(test, alloc_tag_read(line_a()).calls, 0ULL);
	gofree_bulk(STORM_SLOTS, storm->obj);
	expect_line(test, line_a(), 0, 0, "after the storm");
	expect_line(test, line_b(), 0, 0, "after the storm");
}

#else /* No lines. */

static int allocinfo_suite_init(struct kunit *test)
{
	kunit_skip(test, "the kernel has no CONFIG_MEM_ALLOC_PROFILING");
	return 0;
}

static void allocinfo_suite_exit(struct kunit *test)
{
}

static void allocinfo_every_way(struct kunit *test)
{
}

#endif

static struct kunit_case allocinfo_cases[] = {
	KUNIT_CASE(allocinfo_every_way),
#if GOALLOC_ALLOCINFO
	KUNIT_CASE(allocinfo_file),
	KUNIT_CASE(allocinfo_realloc),
	KUNIT_CASE(allocinfo_switched),
	KUNIT_CASE(allocinfo_bad_frees),
	KUNIT_CASE(allocinfo_heaps),
	KUNIT_CASE(allocinfo_contexts),
	KUNIT_CASE(allocinfo_elsewhere),
	KUNIT_CASE(allocinfo_storm),
#endif
	{}
};

static struct kunit_suite allocinfo_suite = {
	.name = "goalloc_allocinfo",
	.init = allocinfo_suite_init,
	.exit = allocinfo_suite_exit,
	.test_cases = allocinfo_cases,
};

kunit_test_suites(&allocinfo_suite);
