// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control files' verbs, what they refuse, and that nothing else below
 * debugfs can be written to or says too much.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "control.h"
#include "crew.h"
#include "fake_source.h"
#include "limit.h"
#include "listen.h"
#include "shot.h"
#include "stats.h"

#define DEBUGFS "/sys/kernel/debug/goalloc"

static int control_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 4096, 2);
	return 0;
}

static void control_suite_exit(struct kunit *test)
{
	listen_stop();
	fake_heap_destroy(test, test->priv);
}

static int control_try(struct goalloc_heap *heap, const char *verb)
{
	char text[80];

	strscpy(text, verb, sizeof(text));
	return control_do(heap, text);
}

/* Leave free objects in the CPU's caches, and pages in trees and page caches. */
static void control_member(void *arg, unsigned int member)
{
	struct goalloc_heap *heap = arg;
	void *obj[40];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(obj); i++)
		obj[i] = goalloc_heap_alloc(heap, 1 + i * 400, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(obj); i++)
		goalloc_heap_free(heap, obj[i]);
}

static void control_fill(struct kunit *test, struct goalloc_heap *heap)
{
	/* Slack, or no cache of pages is filled. */
	goalloc_heap_free(heap, goalloc_heap_alloc(heap, 1 << 20, GFP_KERNEL));
	goalloc_heap_free(heap, goalloc_heap_alloc(heap, 1 << 20, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0, crew_run(num_online_cpus(), control_member, heap));
}

static void control_flush_verb(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_stats st;

	control_fill(test, fh->heap);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_GT(test, st.cached_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, 0, control_try(fh->heap, "flush"));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.page_cache_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.released_bytes);
	fake_heap_check(test, fh);

	/* All heaps: this one and the default one. */
	control_fill(test, fh->heap);
	control_fill(test, goalloc_default);
	KUNIT_EXPECT_EQ(test, 0, control_try(NULL, "flush\n"));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
	/* A heap's own flush is its own. */
	control_fill(test, goalloc_default);
	KUNIT_EXPECT_EQ(test, 0, control_try(fh->heap, "flush"));
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_GT(test, st.cached_bytes, 0ULL);
}

static void control_scavenge_verb(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_stats before, st;
	void *kept;

	kept = goalloc_heap_alloc(fh->heap, 100000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, kept);
	memset(kept, 0x17, 100000);
	control_fill(test, fh->heap);
	goalloc_heap_stats(fh->heap, &before);
	KUNIT_EXPECT_GT(test, before.free_bytes, 2 * 65537ULL);

	KUNIT_EXPECT_EQ(test, 0, control_try(fh->heap, "scavenge 0"));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.released_bytes);
	/* So many at least, and no more than keeps a huge page whole. */
	KUNIT_EXPECT_EQ(test, 0, control_try(fh->heap, "scavenge 65537\n"));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_GE(test, st.released_bytes, 65537ULL);
	KUNIT_EXPECT_LT(test, st.released_bytes, 65537ULL + (2 << 20));
	fake_heap_check(test, fh);
	/* All that is free, but not what caches of objects have. */
	KUNIT_EXPECT_EQ(test, 0, control_try(fh->heap, "scavenge"));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.free_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.page_cache_bytes);
	KUNIT_EXPECT_EQ(test, before.cached_bytes, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, fh->fake.nr_out << GOALLOC_PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, 0ULL, goalloc_scavenge(fh->heap, U64_MAX));
	/* Then what they give up; the largest number there is. */
	KUNIT_EXPECT_GT(test, goalloc_flush(fh->heap), 0ULL);
	KUNIT_EXPECT_EQ(test, 0, control_try(fh->heap, "scavenge 18446744073709551615"));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, st.live_bytes + st.rounding_bytes);
	KUNIT_EXPECT_NULL(test, memchr_inv(kept, 0x17, 100000));
	fake_heap_check(test, fh);
	goalloc_heap_free(fh->heap, kept);
	/* All heaps. */
	KUNIT_EXPECT_EQ(test, 0, control_try(NULL, "scavenge"));
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
}

static void control_validate_verb(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_shot before;

	control_fill(test, fh->heap);
	shot_take(fh->heap, &before);
	listen_start(test);
	KUNIT_EXPECT_EQ(test, 0, control_try(fh->heap, "validate"));
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(fh->heap));
	KUNIT_EXPECT_EQ(test, 0U, listen_count("validate"));
	shot_expect_same(test, fh->heap, &before, "validate");

	fh->heap->node[0]->central[5].nr_spans += 3;
	KUNIT_EXPECT_EQ(test, -EUCLEAN, control_try(fh->heap, "validate\n"));
	KUNIT_EXPECT_EQ(test, 1U,
			listen_count("validate: spans of a class miscounted, node 0, class 5: is"));
	/* Of all heaps, too. */
	KUNIT_EXPECT_EQ(test, -EUCLEAN, control_try(NULL, "validate"));
	KUNIT_EXPECT_EQ(test, 2U, listen_count("spans of a class miscounted"));
	listen_stop();
	fh->heap->node[0]->central[5].nr_spans -= 3;
	shot_expect_same(test, fh->heap, &before, "validate finds something");
	KUNIT_EXPECT_EQ(test, 0, control_try(NULL, "validate"));
}

/* The most that was held is of all heaps together, as the default one's space has it. */
static void control_forget_peak_verb(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void *p = goalloc(GOALLOC_MAX_SIZE, GFP_KERNEL);
	u64 peak = limit_peak(&goalloc_space);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_GE(test, peak, (u64)GOALLOC_MAX_SIZE >> GOALLOC_PAGE_SHIFT);
	gofree(p);
	goalloc_scavenge(NULL, U64_MAX);
	KUNIT_EXPECT_EQ(test, peak, limit_peak(&goalloc_space));
	KUNIT_EXPECT_EQ(test, -EINVAL, control_try(fh->heap, "forget_peak"));
	KUNIT_EXPECT_EQ(test, -EINVAL, control_try(NULL, "forget_peak 1"));
	KUNIT_EXPECT_EQ(test, peak, limit_peak(&goalloc_space));
	KUNIT_EXPECT_EQ(test, 0, control_try(NULL, "forget_peak\n"));
	KUNIT_EXPECT_LT(test, limit_peak(&goalloc_space), peak);
}

/* Nothing that is not exactly a verb does anything. */
static void control_bad(struct kunit *test)
{
	static const char *const bad[] = {
		"", "\n", " ", "flus", "flushh", "flush ", " flush", "flush x",
		"flush 1", "flush\nflush", "flush\n\n", "flush \n", "FLUSH",
		"\tflush", "flush\r\n", "scavenge ", "scavenge -1",
		"scavenge -18446744073709551615", "scavenge  1", "scavenge 1 ",
		"scavenge 1 2", "scavenge 1x", "scavenge 0x10", "scavenge +1",
		"scavenge\t1", "scavenge 1\n\n", "scavenge \n", "scavenge 4K",
		"scavenge 18446744073709551616", "scavenge 99999999999999999999",
		"scavenge1", "validate 1", "validate all", "validate,flush",
		"help", "0", "flushscavenge",
	};
	struct fake_heap *fh = test->priv;
	struct heap_shot before;
	unsigned int i;

	control_fill(test, fh->heap);
	shot_take(fh->heap, &before);
	KUNIT_EXPECT_GT(test, before.st.cached_bytes, 0ULL);
	KUNIT_EXPECT_GT(test, before.st.free_bytes, 0ULL);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, control_try(fh->heap, bad[i]), "'%s'", bad[i]);
		shot_expect_same(test, fh->heap, &before, bad[i]);
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, control_try(NULL, bad[i]), "'%s'", bad[i]);
		shot_expect_same(test, fh->heap, &before, bad[i]);
	}
}

#define WALK_TEXT 131072
#define WALK_NAMES 24
#define WALK_PATH 128

/**
 * struct walk - a walk through a directory
 * @ctx: as iterate_dir() wants it
 * @name: what is in it, but . and ..
 * @nr: how many
 */
struct walk {
	struct dir_context ctx;
	char name[WALK_NAMES][48];
	unsigned int nr;
};

static bool walk_actor(struct dir_context *ctx, const char *name, int len,
		       loff_t offset, u64 ino, unsigned int type)
{
	struct walk *walk = container_of(ctx, struct walk, ctx);

	if (name[0] == '.')
		return true;
	if (walk->nr == WALK_NAMES)
		return false;
	snprintf(walk->name[walk->nr++], sizeof(walk->name[0]), "%.*s", len, name);
	return true;
}

static int walk_open(const char *path, int flags)
{
	struct file *file = filp_open(path, flags, 0);

	if (IS_ERR(file))
		return PTR_ERR(file);
	filp_close(file, NULL);
	return 0;
}

static umode_t walk_mode(struct kunit *test, const char *path)
{
	struct file *file = filp_open(path, O_PATH, 0);
	umode_t mode;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s", path);
	mode = file_inode(file)->i_mode;
	filp_close(file, NULL);
	return mode;
}

/* Sixteen hexadecimal digits in a row of which the first says: the kernel's. */
static bool walk_address(const char *text)
{
	unsigned int digits = 0;

	for (; *text; text++) {
		digits = isxdigit(*text) ? digits + 1 : 0;
		if (digits >= 16 && strchr("89abcdefABCDEF", text[-15]) &&
		    strpbrk(text - 15, "abcdefABCDEF") &&
		    strpbrk(text - 15, "abcdefABCDEF") <= text)
			return true;
	}
	return false;
}

/* What a file says; text of no length if it is not a seq_file. */
static void walk_read(struct kunit *test, const char *path, char *text)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	struct seq_file *m;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s", path);
	m = file->private_data;
	/* What read() would do. single_release() frees the buffer. */
	m->buf = kvmalloc(WALK_TEXT, GFP_KERNEL);
	m->size = WALK_TEXT;
	KUNIT_EXPECT_NOT_NULL(test, m->buf);
	*text = '\0';
	if (m->buf && !m->op->show(m, (void *)1)) {
		KUNIT_EXPECT_LT_MSG(test, m->count, m->size, "%s", path);
		memcpy(text, m->buf, m->count);
		text[m->count] = '\0';
	}
	filp_close(file, NULL);
}

struct walk_count {
	unsigned int files, controls, dirs;
};

static void walk_file(struct kunit *test, const char *path, bool control,
		      char *text, struct walk_count *count)
{
	KUNIT_EXPECT_EQ_MSG(test, control ? 0200 : 0444, walk_mode(test, path) & 07777,
			    "%s", path);
	/* As root, who is not stopped by modes. */
	KUNIT_EXPECT_EQ_MSG(test, control ? 0 : -EACCES, walk_open(path, O_WRONLY), "%s", path);
	KUNIT_EXPECT_EQ_MSG(test, -EACCES, walk_open(path, O_RDWR), "%s", path);
	KUNIT_EXPECT_EQ_MSG(test, control ? -EACCES : 0, walk_open(path, O_RDONLY), "%s", path);
	if (control) {
		count->controls++;
		return;
	}
	count->files++;
	walk_read(test, path, text);
	KUNIT_EXPECT_GT_MSG(test, strlen(text), 20UL, "%s", path);
	KUNIT_EXPECT_FALSE_MSG(test, walk_address(text), "%s", path);
}

static void walk_dir(struct kunit *test, const char *path, char *text,
		     struct walk_count *count)
{
	struct walk *walk = kunit_kzalloc(test, sizeof(*walk), GFP_KERNEL);
	char *sub = kunit_kzalloc(test, WALK_PATH, GFP_KERNEL);
	struct file *dir = filp_open(path, O_RDONLY | O_DIRECTORY, 0);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, walk);
	KUNIT_ASSERT_NOT_NULL(test, sub);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(dir), "%s", path);
	walk->ctx.actor = walk_actor;
	KUNIT_EXPECT_EQ(test, 0, iterate_dir(dir, &walk->ctx));
	filp_close(dir, NULL);
	KUNIT_EXPECT_LT(test, walk->nr, (unsigned int)WALK_NAMES);
	KUNIT_EXPECT_EQ(test, 0, walk_mode(test, path) & 022);
	count->dirs++;
	for (i = 0; i < walk->nr; i++) {
		snprintf(sub, WALK_PATH, "%s/%s", path, walk->name[i]);
		if (S_ISDIR(walk_mode(test, sub)))
			walk_dir(test, sub, text, count);
		else
			walk_file(test, sub, !strcmp(walk->name[i], "control"), text, count);
	}
}

#define WALK_OBJS 512

/* Every file, while heaps are full of objects, bad frees and all. */
static void control_files(struct kunit *test)
{
	char *text = kvmalloc(WALK_TEXT, GFP_KERNEL);
	void **obj = kunit_kcalloc(test, WALK_OBJS, sizeof(*obj), GFP_KERNEL);
	struct walk_count count = {};
	struct goalloc_heap *heap;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	heap = goalloc_heap_create("kunit_walk", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	for (i = 0; i < WALK_OBJS; i++) {
		size_t size = 8 + (i / 2) * 157 % 40000;

		obj[i] = i % 2 ? goalloc(size, GFP_KERNEL) :
				 goalloc_heap_alloc(heap, size, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, obj[i]);
	}
	/* Refused: what files say of it must not give the address away either. */
	gofree(test);
	goalloc_heap_free(heap, test);
	walk_dir(test, DEBUGFS, text, &count);
	/* The top, heaps, the default heap and this one; all but heaps have files. */
	KUNIT_EXPECT_EQ(test, 4U, count.dirs);
	KUNIT_EXPECT_EQ(test, 3U, count.controls);
	KUNIT_EXPECT_GE(test, count.files, 27U);
	for (i = 0; i < WALK_OBJS; i++) {
		if (i % 2)
			gofree(obj[i]);
		else
			goalloc_heap_free(heap, obj[i]);
	}
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
	/* The search finds what it is for. */
	KUNIT_EXPECT_TRUE(test, walk_address("at ffff888012345678."));
	KUNIT_EXPECT_TRUE(test, walk_address("ffffffffa0001000"));
	KUNIT_EXPECT_FALSE(test, walk_address("18446744073709551615 of 3\n"));
	KUNIT_EXPECT_FALSE(test, walk_address("ffff88801234567"));
	kvfree(text);
}

static struct kunit_case control_cases[] = {
	KUNIT_CASE(control_flush_verb),
	KUNIT_CASE(control_scavenge_verb),
	KUNIT_CASE(control_validate_verb),
	KUNIT_CASE(control_forget_peak_verb),
	KUNIT_CASE(control_bad),
	KUNIT_CASE(control_files),
	{}
};

static struct kunit_suite control_suite = {
	.name = "goalloc_control",
	.init = control_suite_init,
	.exit = control_suite_exit,
	.test_cases = control_cases,
};

kunit_test_suites(&control_suite);
