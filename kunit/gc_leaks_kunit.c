// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps whose objects their owners free: what nothing reaches is told, and not freed.
 */
#include <kunit/test.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <goalloc.h>
#include <goalloc_gc.h>

#include "compat.h"
#include "control.h"
#include "crew.h"
#include "debugfs.h"
#include "gc.h"
#include "listen.h"
#include "stats.h"

struct item {
	struct item *next;
	unsigned long value;
};

static GOALLOC_TYPE(item_type, struct item, next);
static GOALLOC_TYPE_NOSCAN(note_type, u32);

static struct item *leaks_root;

static struct goalloc_gc *leaks_make(struct kunit *test, unsigned int flags,
				     struct goalloc_root *root)
{
	const struct goalloc_gc_attr attr = { .flags = flags };
	struct goalloc_gc *gc = goalloc_gc_create("owned", &attr);

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	leaks_root = NULL;
	goalloc_root_add(gc, root, &leaks_root, 1);
	listen_start(test);
	return gc;
}

static void leaks_end(struct kunit *test, struct goalloc_gc *gc, struct goalloc_root *root)
{
	listen_stop();
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_gc_heap(gc)));
	goalloc_root_remove(gc, root);
	/* With whatever was not freed, small or large. */
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(gc));
}

static void gc_leaks_exit(struct kunit *test)
{
	listen_stop();
}

static u64 leaks_live(struct goalloc_gc *gc)
{
	struct goalloc_gc_stats st;

	goalloc_gc_get_stats(gc, &st);
	return st.live_objects;
}

/* A list of @nr items in front of the root's. */
static void leaks_list(struct kunit *test, struct goalloc_gc *gc, unsigned int nr)
{
	struct goalloc_mutator m;
	struct item *item;

	goalloc_enter(gc, &m);
	while (nr--) {
		item = goalloc_new(&m, &item_type, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, item);
		KUNIT_ASSERT_NULL(test, item->next);
		KUNIT_ASSERT_EQ(test, 0UL, item->value);
		item->value = nr;
		goalloc_store(&m, &item->next, leaks_root);
		goalloc_store(&m, &leaks_root, item);
	}
	goalloc_exit(&m);
}

/* Objects are freed one by one, their memory is used again, and pages come back. */
static void gc_leaks_delete(struct kunit *test)
{
	struct goalloc_root root;
	struct goalloc_gc *gc = leaks_make(test, GOALLOC_GC_EXPLICIT, &root);
	struct goalloc_stats full, st;
	struct goalloc_mutator m;
	unsigned int round;
	void *large;

	for (round = 0; round < 5; round++) {
		leaks_list(test, gc, 5000);
		goalloc_heap_stats(goalloc_gc_heap(gc), &full);
		KUNIT_EXPECT_EQ(test, 5000ULL, leaks_live(gc));
		goalloc_enter(gc, &m);
		large = goalloc_new_array(&m, &item_type, 10000, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, large);
		while (leaks_root) {
			struct item *item = leaks_root;

			goalloc_store(&m, &leaks_root, item->next);
			/* As memory of a user that is not cleared when it is freed. */
			item->value = 0xbad;
			goalloc_delete(&m, item);
		}
		goalloc_delete(&m, large);
		goalloc_delete(&m, NULL);
		goalloc_exit(&m);
		KUNIT_EXPECT_EQ(test, 0ULL, leaks_live(gc));
	}
	goalloc_heap_stats(goalloc_gc_heap(gc), &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	/* Five times as much went through as there ever was. */
	KUNIT_EXPECT_LE(test, st.live_bytes + st.cached_bytes + st.central_bytes,
			full.live_bytes + full.cached_bytes + full.central_bytes);
	KUNIT_EXPECT_EQ(test, 0U, listen_heard());
	leaks_end(test, gc, &root);
}

/* What is cut off is a leak from the second scan on, with everything behind it. */
static void gc_leaks_found(struct kunit *test)
{
	struct goalloc_root root;
	struct goalloc_gc *gc = leaks_make(test, GOALLOC_GC_EXPLICIT | GOALLOC_GC_ORIGINS,
					   &root);
	struct item *cut, *large;
	struct goalloc_mutator m;

	leaks_list(test, gc, 100);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 0ULL, gc->leaks.found);
	goalloc_enter(gc, &m);
	/* Ten, in a circle. */
	cut = leaks_root;
	{
		struct item *last = cut;
		int i;

		for (i = 1; i < 10; i++)
			last = last->next;
		goalloc_store(&m, &leaks_root, last->next);
		goalloc_store(&m, &last->next, cut);
	}
	large = goalloc_new_array(&m, &item_type, 10000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, large);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 0U, listen_heard());
	KUNIT_EXPECT_EQ(test, 1, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 11ULL, gc->leaks.found);
	KUNIT_EXPECT_EQ(test, gc->leaks.bytes,
			10 * 16ULL + round_up(10000 * 16, GOALLOC_PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("heap owned: 11 objects of"));
	/* Nothing was freed, and it may be put back, or freed, after all. */
	KUNIT_EXPECT_EQ(test, 101ULL, leaks_live(gc));
	goalloc_enter(gc, &m);
	goalloc_store(&m, &large->next, leaks_root);
	goalloc_store(&m, &leaks_root, large);
	goalloc_delete(&m, cut);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 1, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 9ULL, gc->leaks.found);
	KUNIT_EXPECT_EQ(test, 3U, (unsigned int)gc->leaks.leak[0].missed);
	leaks_end(test, gc, &root);
}

static char *leaks_text(struct kunit *test, struct goalloc_gc *gc)
{
	struct seq_file m = { .size = SZ_64K };

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	debugfs_show_leaks(&m, goalloc_gc_heap(gc));
	KUNIT_EXPECT_FALSE(test, seq_has_overflowed(&m));
	return m.buf;
}

static int leaks_verb(struct goalloc_gc *gc, const char *verb)
{
	char text[16];

	strscpy(text, verb, sizeof(text));
	return control_do(goalloc_gc_heap(gc), text);
}

/* The file says what it is, how old, and who allocated it; verbs work. */
static void gc_leaks_file(struct kunit *test)
{
	struct goalloc_root root;
	struct goalloc_gc *gc = leaks_make(test, GOALLOC_GC_EXPLICIT | GOALLOC_GC_ORIGINS,
					   &root);
	struct goalloc_mutator m;
	char *text;

	leaks_list(test, gc, 3);
	goalloc_enter(gc, &m);
	goalloc_store(&m, &leaks_root, leaks_root->next);
	KUNIT_ASSERT_NOT_NULL(test, goalloc_new(&m, &note_type, GFP_KERNEL));
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, leaks_verb(gc, "leakscan"));
	KUNIT_EXPECT_EQ(test, 0, leaks_verb(gc, "leakscan\n"));
	text = leaks_text(test, gc);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "# 2 scans; 2 objects of 24 bytes, 2 of them"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, " struct item "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, " u32 "));
	if (IS_ENABLED(CONFIG_KALLSYMS) && IS_ENABLED(CONFIG_STACKTRACE))
		KUNIT_EXPECT_NOT_NULL(test, strstr(text, "leaks_list"));
	/* What is known is not told again, what is new is. */
	KUNIT_EXPECT_EQ(test, 0, leaks_verb(gc, "leakclear"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(leaks_text(test, gc), "; 0 objects of 0 bytes"));
	KUNIT_EXPECT_EQ(test, 0, leaks_verb(gc, "leakscan"));
	KUNIT_EXPECT_EQ(test, 0, leaks_verb(gc, "leakscan"));
	KUNIT_EXPECT_EQ(test, 0ULL, gc->leaks.found);
	goalloc_enter(gc, &m);
	goalloc_store(&m, &leaks_root, leaks_root->next);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, leaks_verb(gc, "leakscan"));
	KUNIT_EXPECT_EQ(test, 0, leaks_verb(gc, "leakscan"));
	KUNIT_EXPECT_EQ(test, 1ULL, gc->leaks.found);
	KUNIT_EXPECT_EQ(test, -EINVAL, leaks_verb(gc, "leakscan 1"));
	KUNIT_EXPECT_EQ(test, 2U, listen_count("are reached by nothing"));
	leaks_end(test, gc, &root);
}

/* In a collected heap: told, and then collected all the same. */
static void gc_leaks_collected(struct kunit *test)
{
	struct goalloc_root root;
	struct goalloc_gc *gc = leaks_make(test, GOALLOC_GC_ORIGINS, &root);
	struct goalloc_mutator m;

	leaks_list(test, gc, 50);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	goalloc_enter(gc, &m);
	goalloc_store(&m, &leaks_root->next, (struct item *)NULL);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 1, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 49ULL, gc->leaks.found);
	KUNIT_EXPECT_EQ(test, 50ULL, leaks_live(gc));
	/* No collection is going on, by which the next one's goal would be set. */
	KUNIT_EXPECT_EQ(test, U64_MAX, gc->pacer.triggered);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 1ULL, leaks_live(gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	leaks_end(test, gc, &root);
}

static void gc_leaks_misuse(struct kunit *test)
{
	struct goalloc_root root;
	struct goalloc_gc *gc = leaks_make(test, GOALLOC_GC_EXPLICIT, &root), *plain;
	struct goalloc_mutator m;
	struct item *item;

	plain = goalloc_gc_create("plain", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(plain));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("are freed with goalloc_delete()"));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_gc_find_leaks(plain));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("neither GOALLOC_GC_EXPLICIT nor"));
	KUNIT_EXPECT_EQ(test, GOALLOC_GC_OFF, goalloc_set_gc_percent(gc, 100));
	goalloc_enter(gc, &m);
	item = goalloc_new(&m, &item_type, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, item);
	goalloc_delete(&m, &item->value);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("no object of the heap begins there"));
	goalloc_delete(&m, &root);
	KUNIT_EXPECT_EQ(test, 2U, listen_count("no object of the heap begins there"));
	goalloc_new(&m, &item_type, GFP_KERNEL);
	goalloc_delete(&m, item);
	goalloc_delete(&m, item);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("the object is free already"));
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 1ULL, leaks_live(gc));
	goalloc_enter(plain, &m);
	item = goalloc_new(&m, &item_type, GFP_KERNEL);
	goalloc_delete(&m, item);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("objects go by themselves"));
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(plain));
	leaks_end(test, gc, &root);
}

static void leaks_crew(void *arg, unsigned int member)
{
	struct goalloc_gc *gc = arg;
	struct item *mine[64] = {};
	struct goalloc_mutator m;
	unsigned int n, k;

	/* No root leads to what the others have. */
	if (!member) {
		for (n = 0; n < 20; n++)
			goalloc_gc_find_leaks(gc);
		return;
	}
	for (n = 0; n < 200; n++) {
		goalloc_enter(gc, &m);
		for (k = 0; k < ARRAY_SIZE(mine); k++) {
			if (mine[k])
				goalloc_delete(&m, mine[k]);
			mine[k] = goalloc_new_array(&m, &item_type, 1 + (n + k) % 40, GFP_KERNEL);
		}
		goalloc_exit(&m);
		cond_resched();
	}
	goalloc_enter(gc, &m);
	for (k = 0; k < ARRAY_SIZE(mine); k++)
		goalloc_delete(&m, mine[k]);
	goalloc_exit(&m);
}

/* On all CPUs at once, and with scans meanwhile, nothing is lost count of. */
static void gc_leaks_storm(struct kunit *test)
{
	struct goalloc_root root;
	struct goalloc_gc *gc = leaks_make(test, GOALLOC_GC_EXPLICIT, &root);

	KUNIT_EXPECT_EQ(test, 0, crew_run(CREW_FULL, leaks_crew, gc));
	KUNIT_EXPECT_EQ(test, 0ULL, leaks_live(gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, listen_heard(), listen_count("are reached by nothing"));
	leaks_end(test, gc, &root);
}

/* Memory without a type: what looks like a pointer is one. */
static void gc_leaks_areas(struct kunit *test)
{
	const struct goalloc_gc_attr collected = { .percent = GOALLOC_GC_OFF };
	struct goalloc_root root;
	struct goalloc_gc *gc = leaks_make(test, GOALLOC_GC_EXPLICIT, &root), *other;
	unsigned long *plain = kcalloc(64, sizeof(*plain), GFP_KERNEL);
	struct goalloc_area area;

	KUNIT_ASSERT_NOT_NULL(test, plain);
	leaks_list(test, gc, 3);
	/* Into the first; the others follow. No object is behind the last slot of a span. */
	plain[1] = (unsigned long)leaks_root + 9;
	plain[5] = ULONG_MAX;
	plain[6] = 0xdeadbeefUL << 32;
	plain[7] = ((unsigned long)leaks_root | (GOALLOC_PAGE_SIZE - 1)) - 1;
	/* Not aligned: it does not count. */
	memcpy((char *)plain + 100, &leaks_root, sizeof(leaks_root));
	leaks_root = NULL;
	/* Words that are there as a whole. */
	KUNIT_EXPECT_EQ(test, 0, goalloc_area_add(gc, &area, (char *)plain + 1, 15));
	KUNIT_EXPECT_EQ(test, 1, area.nr);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, -EBUSY, goalloc_gc_destroy(gc));
	goalloc_area_remove(gc, &area);
	listen_clear();
	KUNIT_EXPECT_EQ(test, 0, goalloc_area_add(gc, &area, plain + 2,
						  62 * sizeof(*plain)));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 1, goalloc_gc_find_leaks(gc));
	KUNIT_EXPECT_EQ(test, 3, gc->leaks.found);
	goalloc_area_remove(gc, &area);
	/* Nothing is freed by a guess. */
	other = goalloc_gc_create("collected", &collected);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_area_add(other, &area, plain, 8));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(other));
	kfree(plain);
	leaks_end(test, gc, &root);
}

static struct kunit_case gc_leaks_cases[] = {
	KUNIT_CASE(gc_leaks_areas),
	KUNIT_CASE(gc_leaks_delete),
	KUNIT_CASE(gc_leaks_found),
	KUNIT_CASE(gc_leaks_file),
	KUNIT_CASE(gc_leaks_collected),
	KUNIT_CASE(gc_leaks_misuse),
	KUNIT_CASE(gc_leaks_storm),
	{}
};

static struct kunit_suite gc_leaks_suite = {
	.name = "goalloc_gc_leaks",
	.exit = gc_leaks_exit,
	.test_cases = gc_leaks_cases,
};

kunit_test_suite(gc_leaks_suite);
