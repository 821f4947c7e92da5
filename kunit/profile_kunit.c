// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap profile: its arithmetic, that it is exact when every object is a
 * sample and without bias when not, that what is freed leaves it however it is
 * freed, and that bytes requested are counted right all the while.
 */
#include <kunit/test.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "debugfs.h"
#include "fake_source.h"
#include "profile.h"
#include "stats.h"

#if GOALLOC_PROFILE

#define PROFILE_TEXT 1048576

static int profile_suite_init(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, 0U, profile_rate);
	profile_settle();
	KUNIT_ASSERT_EQ(test, 0U, profile_samples());
	test->priv = fake_heap_create(test, 4096, 2);
	profile_seed(6);
	return 0;
}

static void profile_suite_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, profile_set_rate(0));
	if (test->priv)
		fake_heap_destroy(test, test->priv);
	KUNIT_EXPECT_EQ(test, 0U, profile_samples());
}

/* Places that allocate; the barriers keep each a frame of its own. */
static noinline void *profile_place_a(struct goalloc_heap *heap, size_t size)
{
	void *p = goalloc_heap_alloc(heap, size, GFP_KERNEL);

	barrier();
	return p;
}

static noinline void *profile_place_b(struct goalloc_heap *heap, size_t size)
{
	void *p = goalloc_heap_alloc(heap, size, GFP_KERNEL | __GFP_ZERO);

	barrier();
	return p;
}

static noinline void *profile_place_tiny(struct goalloc_heap *heap, size_t size)
{
	void *p = tiny_alloc(heap, size, GFP_KERNEL);

	barrier();
	return p;
}

static noinline void *profile_place_default(struct goalloc_heap *heap, size_t size)
{
	void *p = size < 16 ? goalloc_tiny(size, GFP_KERNEL) :
		  size < 1000 ? goalloc_aligned(size, 512, GFP_KERNEL) :
				goalloc_node(size, GFP_KERNEL, 0);

	barrier();
	return p;
}

/* Is an address in a function of this name? */
static bool profile_is(unsigned long addr, const char *name)
{
	char text[KSYM_SYMBOL_LEN];
	size_t len = strlen(name);

	snprintf(text, sizeof(text), "%ps", (void *)addr);
	return !strncmp(text, name, len) && (!text[len] || text[len] == ' ' || text[len] == '.');
}

/* The sums of all places in a function. */
static void profile_sums(struct goalloc_heap *heap, const char *name,
			 struct profile_sum *in_use, struct profile_sum *total)
{
	struct profile_site *site;

	memset(in_use, 0, sizeof(*in_use));
	memset(total, 0, sizeof(*total));
	profile_settle();
	if (!heap->profile)
		return;
	list_for_each_entry(site, &heap->profile->sites, list) {
		if (!profile_is(site->addr, name))
			continue;
		in_use->objects += site->in_use.objects;
		in_use->bytes += site->in_use.bytes;
		in_use->samples += site->in_use.samples;
		total->objects += site->total.objects;
		total->bytes += site->total.bytes;
		total->samples += site->total.samples;
	}
}

/* With every object a sample, that is what there is. */
static void profile_expect(struct kunit *test, struct goalloc_heap *heap, const char *name,
			   u64 objects, u64 bytes, u64 total_objects, u64 total_bytes)
{
	struct profile_sum in_use, total;

	profile_sums(heap, name, &in_use, &total);
	KUNIT_EXPECT_EQ_MSG(test, objects << 16, in_use.objects, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, bytes, in_use.bytes, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, objects, in_use.samples, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, total_objects << 16, total.objects, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, total_bytes, total.bytes, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, total_objects, total.samples, "%s", name);
}

/* Is @is within one part in @of of @want? */
static bool profile_near(u64 is, u64 want, u64 of)
{
	u64 off = is > want ? is - want : want - is;

	return off <= want / of + 1;
}

/* Logarithms and powers against numbers from a table. */
static void profile_arithmetic(struct kunit *test)
{
	/* 1 - e^-(size/rate) in units of 2^-40 */
	static const struct {
		u64 size, rate, chance;
	} chances[] = {
		{ 8, 524288, 16777088ULL },
		{ 1, 524288, 2097150ULL },
		{ 1024, 1024, 695023904588ULL },
		{ 4096, 524288, 8556467371ULL },
		{ 524288, 524288, 695023904588ULL },
		{ 32768, 65536, 432624114819ULL },
		{ 4194304, 524288, 1099142782716ULL },
		{ 20000, 512, 1099511627776ULL },
		{ 1, 1, 1099511627776ULL },
	};
	u64 sum = 0, squares = 0, d;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(chances); i++) {
		u64 chance = profile_chance(chances[i].size, chances[i].rate);
		u64 weight = profile_weight(chances[i].size, chances[i].rate);

		KUNIT_EXPECT_TRUE_MSG(test, profile_near(chance, chances[i].chance, 100000),
				      "%llu of %llu: %llu", chances[i].size, chances[i].rate,
				      chance);
		KUNIT_EXPECT_TRUE(test, profile_near(weight, (1ULL << 56) / chance, 1000000));
	}
	/* The middle of 2^32 numbers is ln(2), the ends are 0 and 32 ln(2). */
	KUNIT_EXPECT_EQ(test, 0ULL, profile_distance(U32_MAX, 1000000));
	KUNIT_EXPECT_EQ(test, 693147ULL, profile_distance(U32_MAX / 2, 1000000));
	KUNIT_EXPECT_EQ(test, 22180709ULL, profile_distance(0, 1000000));
	KUNIT_EXPECT_EQ(test, 1386294ULL, profile_distance(U32_MAX / 4, 1000000));
	/* Its mean is the rate, that of the square twice the square. */
	for (i = 0; i < 65536; i++) {
		d = profile_distance(i * 65536 + 32768, 10000);
		sum += d;
		squares += d * d;
	}
	KUNIT_EXPECT_TRUE(test, profile_near(sum / 65536, 10000, 500));
	KUNIT_EXPECT_TRUE(test, profile_near(squares / 65536, 200000000, 200));
}

static enum slot_state profile_state(struct goalloc_heap *heap, void *p)
{
	struct slot_ref ref;

	return slot_find(&heap->space->map, (unsigned long)p, &ref) ? *ref.state : SLOT_FREE;
}

/* With rate 1 each object is in the profile, under who allocated it. */
static void profile_exact(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_heap *heap = fh->heap;
	void *a[10], *b[5], *large[2], *tiny[20];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, profile_set_rate(1));
	for (i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = profile_place_a(heap, 100);
	for (i = 0; i < ARRAY_SIZE(b); i++)
		b[i] = profile_place_b(heap, 3000);
	for (i = 0; i < ARRAY_SIZE(large); i++)
		large[i] = profile_place_b(heap, 100000);
	for (i = 0; i < ARRAY_SIZE(tiny); i++)
		tiny[i] = profile_place_tiny(heap, 5);
	profile_expect(test, heap, "profile_place_a", 10, 1000, 10, 1000);
	profile_expect(test, heap, "profile_place_b", 7, 215000, 7, 215000);
	profile_expect(test, heap, "profile_place_tiny", 20, 100, 20, 100);
	KUNIT_EXPECT_EQ(test, 37U, profile_samples());
	for (i = 0; i < ARRAY_SIZE(b); i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(b[i], 0, 3000));
	/* They are objects like others. */
	for (i = 0; i < ARRAY_SIZE(a); i++)
		KUNIT_EXPECT_EQ(test, SLOT_SAMPLED, profile_state(fh->heap, a[i]));
	KUNIT_EXPECT_EQ(test, 0, min(goalloc_validate(heap), 0));

	for (i = 0; i < 4; i++)
		goalloc_heap_free(heap, a[i]);
	profile_expect(test, heap, "profile_place_a", 6, 600, 10, 1000);
	goalloc_heap_free(heap, large[1]);
	profile_expect(test, heap, "profile_place_b", 6, 115000, 7, 215000);
	for (i = 0; i < ARRAY_SIZE(tiny); i += 2)
		goalloc_heap_free(heap, tiny[i]);
	profile_expect(test, heap, "profile_place_tiny", 10, 50, 20, 100);
	/* An object that was freed once is not freed twice, sample or not. */
	a[0] = profile_place_a(heap, 100);
	goalloc_heap_free(heap, a[0]);
	goalloc_heap_free(heap, a[0]);
	KUNIT_EXPECT_EQ(test, 1LL, (s64)atomic64_read(&heap->nr_bad[BAD_FREE_DOUBLE]));
	profile_expect(test, heap, "profile_place_a", 6, 600, 11, 1100);

	for (i = 4; i < ARRAY_SIZE(a); i++)
		goalloc_heap_free(heap, a[i]);
	for (i = 0; i < ARRAY_SIZE(b); i++)
		goalloc_heap_free(heap, b[i]);
	for (i = 1; i < ARRAY_SIZE(tiny); i += 2)
		goalloc_heap_free(heap, tiny[i]);
	goalloc_heap_free(heap, large[0]);
	profile_expect(test, heap, "profile_place_a", 0, 0, 11, 1100);
	profile_expect(test, heap, "profile_place_b", 0, 0, 7, 215000);
	profile_expect(test, heap, "profile_place_tiny", 0, 0, 20, 100);
	KUNIT_EXPECT_EQ(test, 0U, profile_samples());
	KUNIT_EXPECT_EQ(test, 0ULL, heap->profile->dropped);
	fake_heap_check(test, fh);
}

/* The other ways of the default heap. */
static void profile_default(struct kunit *test)
{
	static const size_t sizes[] = { 5, 100, 600, 2000, 5000, 60000 };
	struct profile_sum in_use, total, before;
	void *p[ARRAY_SIZE(sizes)];
	unsigned int i;
	u64 bytes = 0;

	KUNIT_ASSERT_EQ(test, 0, profile_set_rate(1));
	profile_sums(goalloc_default, "profile_place_default", &in_use, &before);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p[i] = profile_place_default(NULL, sizes[i]);
		KUNIT_EXPECT_NOT_NULL(test, p[i]);
		bytes += sizes[i];
	}
	profile_sums(goalloc_default, "profile_place_default", &in_use, &total);
	/* They are objects like others. */
	KUNIT_EXPECT_EQ(test, (size_t)5, gosize(p[0]));
	KUNIT_EXPECT_EQ(test, (size_t)512, gosize(p[1]));
	KUNIT_EXPECT_EQ(test, goalloc_size_roundup(5000), gosize(p[4]));
	KUNIT_EXPECT_EQ(test, (u64)ARRAY_SIZE(sizes), in_use.samples);
	KUNIT_EXPECT_EQ(test, bytes, in_use.bytes);
	KUNIT_EXPECT_EQ(test, total.bytes, before.bytes + bytes);
	/* A free may be of another kind than the allocation. */
	gofree_sensitive(p[1]);
	p[2] = gorealloc(p[2], 4000, GFP_KERNEL);
	gofree_bulk(ARRAY_SIZE(sizes) - 3, p + 3);
	gofree(p[2]);
	gofree(p[0]);
	profile_sums(goalloc_default, "profile_place_default", &in_use, &total);
	KUNIT_EXPECT_EQ(test, 0ULL, in_use.samples);
	KUNIT_EXPECT_EQ(test, 0ULL, in_use.bytes);
	KUNIT_EXPECT_EQ(test, 0U, profile_samples());
}

#define UNBIASED_RATE 512
#define UNBIASED_BYTES (4 << 20)

static noinline void *profile_place_16(struct goalloc_heap *heap)
{
	void *p = goalloc_heap_alloc(heap, 16, GFP_KERNEL);

	barrier();
	return p;
}

/* What is estimated from some samples is what there is. */
static void profile_unbiased(struct kunit *test)
{
	static const size_t sizes[] = { 16, 200, 1500 };
	static const char *const names[] = {
		"profile_place_16", "profile_place_a", "profile_place_b",
	};
	struct fake_heap *fh = test->priv;
	struct goalloc_heap *heap = fh->heap;
	u64 kept, nr, objects, bytes = 0, kept_bytes = 0;
	struct profile_sum in_use, total, all = {}, all_in_use = {};
	void **keep;
	unsigned int i, at = 0;
	void *p;

	keep = kvcalloc(UNBIASED_BYTES / 8, sizeof(*keep), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, keep);
	KUNIT_ASSERT_EQ(test, 0, profile_set_rate(UNBIASED_RATE));
	for (i = 0; i < 3; i++) {
		kept = 0;
		objects = UNBIASED_BYTES / sizes[i];
		for (nr = 0; nr < objects; nr++) {
			p = i == 0 ? profile_place_16(heap) :
			    i == 1 ? profile_place_a(heap, sizes[1]) :
				     profile_place_b(heap, sizes[2]);
			if (!p)
				break;
			if (nr % 8) {
				goalloc_heap_free(heap, p);
			} else {
				keep[at++] = p;
				kept++;
			}
			if (nr % 256 == 0)
				cond_resched();
		}
		KUNIT_EXPECT_EQ(test, objects, nr);
		profile_sums(heap, names[i], &in_use, &total);
		kunit_info(test, "size %zu: %llu of %llu samples, bytes %llu of %llu, objects %llu of %llu, in use %llu of %llu\n",
			   sizes[i], total.samples, objects, total.bytes, objects * sizes[i],
			   total.objects >> 16, objects, in_use.objects >> 16, kept);
		KUNIT_EXPECT_TRUE(test, profile_near(total.bytes, objects * sizes[i], 20));
		KUNIT_EXPECT_TRUE(test, profile_near(total.objects >> 16, objects, 20));
		KUNIT_EXPECT_TRUE(test, profile_near(in_use.bytes, kept * sizes[i], 8));
		KUNIT_EXPECT_TRUE(test, profile_near(in_use.objects >> 16, kept, 8));
		/* And they are not all samples. */
		KUNIT_EXPECT_TRUE(test, profile_near(total.samples,
						     objects * profile_chance(sizes[i],
									      UNBIASED_RATE) >> 40,
						     20));
		all.bytes += total.bytes;
		all_in_use.bytes += in_use.bytes;
		bytes += objects * sizes[i];
		kept_bytes += kept * sizes[i];
	}
	KUNIT_EXPECT_TRUE(test, profile_near(all.bytes, bytes, 40));
	KUNIT_EXPECT_TRUE(test, profile_near(all_in_use.bytes, kept_bytes, 15));
	while (at)
		goalloc_heap_free(heap, keep[--at]);
	for (i = 0; i < 3; i++) {
		profile_sums(heap, names[i], &in_use, &total);
		KUNIT_EXPECT_EQ(test, 0ULL, in_use.objects);
		KUNIT_EXPECT_EQ(test, 0ULL, in_use.bytes);
	}
	KUNIT_EXPECT_EQ(test, 0U, profile_samples());
	kvfree(keep);
}

/* Objects that nobody samples by streams: a coin for each. */
static void profile_coins(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct profile_sum in_use, total;
	unsigned int i, nr = 2000;
	void *p;

	KUNIT_ASSERT_EQ(test, 0, profile_set_rate(40000));
	for (i = 0; i < nr; i++) {
		p = profile_place_b(fh->heap, 40000);
		KUNIT_ASSERT_NOT_NULL(test, p);
		goalloc_heap_free(fh->heap, p);
	}
	profile_sums(fh->heap, "profile_place_b", &in_use, &total);
	/* 1 - 1/e of them, and each stands for the inverse. */
	KUNIT_EXPECT_TRUE(test, profile_near(total.samples, 1264, 15));
	KUNIT_EXPECT_TRUE(test, profile_near(total.objects >> 16, nr, 15));
	KUNIT_EXPECT_TRUE(test, profile_near(total.bytes, nr * 40000ULL, 15));
	KUNIT_EXPECT_EQ(test, 0ULL, in_use.samples);
}

/* Objects of hardened heaps, and what becomes of samples when a heap ends. */
static void profile_heaps(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .harden = GOALLOC_HARDEN_ALL };
	struct goalloc_heap *heap;
	unsigned int i, round;
	void *p[8];

	KUNIT_ASSERT_EQ(test, 0, profile_set_rate(1));
	for (round = 0; round < 2; round++) {
		heap = goalloc_heap_create("profile", round ? &attr : NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = profile_place_a(heap, i < 6 ? 100 : 100000);
			KUNIT_EXPECT_NOT_NULL(test, p[i]);
		}
		profile_expect(test, heap, "profile_place_a", 8, 200600, 8, 200600);
		goalloc_heap_free(heap, p[0]);
		goalloc_heap_free(heap, p[7]);
		profile_expect(test, heap, "profile_place_a", 6, 100500, 8, 200600);
		KUNIT_EXPECT_EQ(test, 6U, profile_samples());
		KUNIT_EXPECT_EQ(test, 0, min(goalloc_validate(heap), 0));
		/* They go with it. */
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
		KUNIT_EXPECT_EQ(test, 0U, profile_samples());
	}
}

struct profile_nmi {
	struct goalloc_heap *heap;
	void *obj[3];
	void *got;
	bool must_get;
};

static void profile_in_nmi(void *arg)
{
	struct profile_nmi *nmi = arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nmi->obj); i++)
		goalloc_heap_free(nmi->heap, nmi->obj[i]);
	nmi->got = goalloc_heap_alloc(nmi->heap, 100, GFP_ATOMIC);
}

static void profile_in_irq(void *arg)
{
	struct profile_nmi *irq = arg;

	goalloc_heap_free(irq->heap, irq->obj[0]);
	irq->must_get = crew_must_get();
	irq->got = goalloc_heap_alloc(irq->heap, 100, GFP_ATOMIC);
}

/* Samples that are freed, and objects that are allocated, where it is difficult. */
static void profile_contexts(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct profile_nmi work = { .heap = fh->heap };
	unsigned int before, nr;

	KUNIT_ASSERT_EQ(test, 0, profile_set_rate(1));
	work.obj[0] = profile_place_a(fh->heap, 100);
	work.obj[1] = profile_place_a(fh->heap, 100000);
	work.obj[2] = profile_place_tiny(fh->heap, 5);
	KUNIT_EXPECT_EQ(test, 3U, profile_samples());
	crew_as_nmi(profile_in_nmi, &work);
	profile_settle();
	/* What NMI gets is no sample. */
	KUNIT_EXPECT_EQ(test, 0U, profile_samples());
	if (work.got)
		goalloc_heap_free(fh->heap, work.got);
	profile_expect(test, fh->heap, "profile_place_a", 0, 0, 2, 100100);

	for (nr = 0; nr < 2; nr++) {
		work.obj[0] = profile_place_a(fh->heap, 100);
		before = profile_samples();
		(nr ? crew_in_softirq : crew_in_hardirq)(profile_in_irq, &work);
		if (work.must_get)
			KUNIT_EXPECT_NOT_NULL(test, work.got);
		if (!IS_ENABLED(CONFIG_PREEMPT_RT))
			KUNIT_EXPECT_EQ(test, before, profile_samples());
		if (work.got)
			goalloc_heap_free(fh->heap, work.got);
		KUNIT_EXPECT_EQ(test, before - 1, profile_samples());
	}
}

static u64 profile_asked_of(struct goalloc_heap *heap, size_t size)
{
	struct bin_stats bs;

	stats_bin(heap, sizeclass_of(size), &bs);
	return bs.asked;
}

#define RATE_OBJS 50

static void profile_member(void *arg, unsigned int member)
{
	struct fake_heap *fh = arg;
	void *obj[RATE_OBJS];
	unsigned int i;

	for (i = 0; i < RATE_OBJS; i++)
		obj[i] = profile_place_a(fh->heap, 60);
	for (i = 0; i < RATE_OBJS; i++)
		goalloc_heap_free(fh->heap, obj[i]);
}

/*
 * A new rate is in force at once and on all CPUs, and what bytes were requested
 * can be told all the while.
 */
static void profile_rates(struct kunit *test)
{
	static const unsigned int rates[] = { 0, 1, 0, 1000, 1, PROFILE_MAX_RATE, 1, 0 };
	struct fake_heap *fh = test->priv;
	struct profile_sum in_use, total, before;
	u64 asked = 0;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, -EINVAL, profile_set_rate(PROFILE_MAX_RATE + 1));
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		KUNIT_ASSERT_EQ(test, 0, profile_set_rate(rates[i]));
		profile_sums(fh->heap, "profile_place_a", &in_use, &before);
		KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, profile_member, fh));
		asked += CREW_FULL * RATE_OBJS * 60;
		KUNIT_EXPECT_EQ(test, asked, profile_asked_of(fh->heap, 60));
		profile_sums(fh->heap, "profile_place_a", &in_use, &total);
		KUNIT_EXPECT_EQ(test, 0ULL, in_use.samples);
		total.samples -= before.samples;
		if (rates[i] == 1)
			KUNIT_EXPECT_EQ(test, (u64)CREW_FULL * RATE_OBJS, total.samples);
		else if (!rates[i])
			KUNIT_EXPECT_EQ(test, 0ULL, total.samples);
		else
			KUNIT_EXPECT_LT(test, total.samples, (u64)CREW_FULL * RATE_OBJS / 4);
	}
}

/* More samples than there is room for: they are counted, and nobody goes without. */
static void profile_full(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int i, nr = PROFILE_MAX_SAMPLES + 100;
	void **obj = kvcalloc(nr, sizeof(*obj), GFP_KERNEL);
	struct profile_sum in_use, total;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, 0, profile_set_rate(1));
	for (i = 0; i < nr; i++) {
		obj[i] = profile_place_a(fh->heap, 8);
		if (!obj[i])
			break;
		if (i % 256 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, nr, i);
	KUNIT_EXPECT_EQ(test, 0U + PROFILE_MAX_SAMPLES, profile_samples());
	profile_sums(fh->heap, "profile_place_a", &in_use, &total);
	KUNIT_EXPECT_EQ(test, 0ULL + PROFILE_MAX_SAMPLES, in_use.samples);
	KUNIT_EXPECT_EQ(test, 100ULL, fh->heap->profile->dropped);
	for (i = 0; i < nr; i++) {
		goalloc_heap_free(fh->heap, obj[i]);
		if (i % 256 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, 0U, profile_samples());
	kvfree(obj);
}

static bool profile_show(char *text, void (*show)(struct seq_file *m, struct goalloc_heap *heap),
			 struct goalloc_heap *heap)
{
	struct seq_file m = { .buf = text, .size = PROFILE_TEXT - 1 };

	show(&m, heap);
	text[m.count] = '\0';
	return m.count < PROFILE_TEXT - 1;
}

/* What the files say. */
static void profile_files(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	char *text = kvmalloc(PROFILE_TEXT, GFP_KERNEL);
	u64 n[7];
	char *line;
	void *p[6];
	unsigned int i;
	int got;

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_EXPECT_TRUE(test, profile_show(text, debugfs_show_stacks, fh->heap));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "# rate: 0 bytes per sample\n"));
	KUNIT_EXPECT_NULL(test, strstr(text, "\nstack "));
	KUNIT_ASSERT_EQ(test, 0, profile_set_rate(1));
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = profile_place_a(fh->heap, 200);
	goalloc_heap_free(fh->heap, p[0]);

	KUNIT_EXPECT_TRUE(test, profile_show(text, debugfs_show_stacks, fh->heap));
	KUNIT_EXPECT_EQ(test, 0, strncmp(text, "goalloc stacks - version: 1.0\n", 30));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "# rate: 1 bytes per sample\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "# dropped: 0 samples"));
	line = strstr(text, "\nstack ");
	KUNIT_ASSERT_NOT_NULL(test, line);
	got = sscanf(line, "\nstack %llu %llu %llu %llu %llu %llu %llu", n, n + 1, n + 2, n + 3,
		     n + 4, n + 5, n + 6);
	KUNIT_ASSERT_EQ(test, 7, got);
	KUNIT_EXPECT_EQ(test, 1ULL, n[0]);
	KUNIT_EXPECT_EQ(test, 5ULL, n[1]);
	KUNIT_EXPECT_EQ(test, 1000ULL, n[2]);
	KUNIT_EXPECT_EQ(test, 6ULL, n[3]);
	KUNIT_EXPECT_EQ(test, 1200ULL, n[4]);
	KUNIT_EXPECT_EQ(test, 5ULL, n[5]);
	KUNIT_EXPECT_EQ(test, 6ULL, n[6]);
	/* The innermost frame is the caller's, and none is a number. */
	line = strchr(line + 1, '\n');
	KUNIT_EXPECT_EQ(test, 0, strncmp(line, "\n\tprofile_place_a+0x", 20));
	line = strchr(line + 1, '\n');
	KUNIT_EXPECT_EQ(test, 0, strncmp(line, "\n\tprofile_files+0x", 18));
	KUNIT_EXPECT_NULL(test, strstr(text, "\t0x"));

	KUNIT_EXPECT_TRUE(test, profile_show(text, debugfs_show_sites, fh->heap));
	KUNIT_EXPECT_EQ(test, 0, strncmp(text, "goalloc sites - version: 1.0\n", 29));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\n        1000        5 profile_place_a+0x"));
	KUNIT_EXPECT_NULL(test, strstr(text, " 0x"));
	for (i = 1; i < ARRAY_SIZE(p); i++)
		goalloc_heap_free(fh->heap, p[i]);
	KUNIT_EXPECT_TRUE(test, profile_show(text, debugfs_show_sites, fh->heap));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\n           0        0 profile_place_a+0x"));
	kvfree(text);
}

static struct kunit_case profile_cases[] = {
	KUNIT_CASE(profile_arithmetic),
	KUNIT_CASE(profile_exact),
	KUNIT_CASE(profile_default),
	KUNIT_CASE(profile_unbiased),
	KUNIT_CASE(profile_coins),
	KUNIT_CASE(profile_heaps),
	KUNIT_CASE(profile_contexts),
	KUNIT_CASE(profile_rates),
	KUNIT_CASE(profile_full),
	KUNIT_CASE(profile_files),
	{}
};

static struct kunit_suite profile_suite = {
	.name = "goalloc_profile",
	.init = profile_suite_init,
	.exit = profile_suite_exit,
	.test_cases = profile_cases,
};

kunit_test_suites(&profile_suite);

#endif /* GOALLOC_PROFILE */
