// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files under /sys/kernel/debug/goalloc: their form, and that their numbers
 * add up after random work and while it goes on.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "debugfs.h"
#include "fake_source.h"
#include "stats.h"

#define TEXT_BYTES 32768
#define DEBUGFS "/sys/kernel/debug/goalloc/"

typedef void (*debugfs_show_t)(struct seq_file *m, struct goalloc_heap *heap);

static const struct {
	const char *name;
	debugfs_show_t show;
	const char *head;	/* first line */
} files[] = {
	{ "stats", debugfs_show_stats, "goalloc stats - version: 1.0\n" },
	{ "vmstat", debugfs_show_vmstat, "goalloc vmstat - version: 1.0\n" },
	{ "classes", debugfs_show_classes, "goalloc classes - version: 1.0\n" },
	{ "nodes", debugfs_show_nodes, "goalloc nodes - version: 1.0\n" },
	{ "pageheap", debugfs_show_pageheap, "goalloc pageheap - version: 1.0\n" },
	{ "percpu", debugfs_show_percpu, "goalloc percpu - version: 1.0\n" },
};

static int debugfs_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 2048, 2);
	return 0;
}

static void debugfs_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

/* Print a file into @text, of TEXT_BYTES. */
static size_t show_into(char *text, debugfs_show_t show, struct goalloc_heap *heap)
{
	struct seq_file m = { .buf = text, .size = TEXT_BYTES - 1 };

	show(&m, heap);
	text[m.count] = '\0';
	return m.count;
}

static char *text_get(struct kunit *test)
{
	char *text = kunit_kzalloc(test, TEXT_BYTES, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	return text;
}

/* A number of vmstat by its name. */
static u64 vmstat_value(struct kunit *test, const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *line;
	u64 value;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ' ' &&
		    sscanf(line + len, "%llu", &value) == 1)
			return value;
	}
	KUNIT_FAIL(test, "no line %s", name);
	return 0;
}

/* Hexadecimal digits in a row that look like an address. */
static bool text_has_address(const char *text)
{
	unsigned int digits = 0, letters = 0;

	if (strstr(text, "0x"))
		return true;
	for (; *text; text++) {
		if (!isxdigit(*text)) {
			digits = 0;
			letters = 0;
			continue;
		}
		digits++;
		letters += !isdigit(*text);
		if (digits >= 8 && letters)
			return true;
	}
	return false;
}

struct debugfs_work {
	struct fake_heap *fh;
	atomic_t running;
	char *text;
	unsigned int shown;
	atomic_t wrong;
};

#define WORK_OBJS 100
#define WORK_STEPS 3000

/* Random allocations of all kinds; half of them stay. */
static void debugfs_worker(struct debugfs_work *work, unsigned int member)
{
	struct goalloc_heap *heap = work->fh->heap;
	void *obj[WORK_OBJS] = {};
	struct rnd_state rnd;
	unsigned int step, i;

	prandom_seed_state(&rnd, member + 1);
	/* Until each file was read twice meanwhile. */
	for (step = 0;
	     step < WORK_STEPS || READ_ONCE(work->shown) < 2 * ARRAY_SIZE(files);
	     step++) {
		i = prandom_u32_state(&rnd) % WORK_OBJS;
		if (obj[i]) {
			goalloc_heap_free(heap, obj[i]);
			obj[i] = NULL;
		} else if (step % 5 == 0) {
			obj[i] = tiny_alloc(heap, 1 + step % 15, GFP_KERNEL);
		} else {
			obj[i] = goalloc_heap_alloc(heap, 1 + prandom_u32_state(&rnd) %
						    (step % 50 ? 2000 : 60000), GFP_KERNEL);
		}
		if (step % 32 == 0)
			cond_resched();
	}
	for (i = 0; i < WORK_OBJS; i += 2)
		if (obj[i])
			goalloc_heap_free(heap, obj[i]);
}

static void debugfs_member(void *arg, unsigned int member)
{
	struct debugfs_work *work = arg;

	if (member) {
		debugfs_worker(work, member);
		atomic_dec(&work->running);
		return;
	}
	/* The first reads what the others do. */
	do {
		unsigned int i = work->shown % ARRAY_SIZE(files);

		show_into(work->text, files[i].show, work->fh->heap);
		if (strncmp(work->text, files[i].head, strlen(files[i].head)))
			atomic_inc(&work->wrong);
		WRITE_ONCE(work->shown, work->shown + 1);
		cond_resched();
	} while (atomic_read(&work->running));
}

static void debugfs_do_work(struct kunit *test)
{
	struct debugfs_work work = {
		.fh = test->priv,
		.running = ATOMIC_INIT(CREW_FULL - 1),
		.text = text_get(test),
	};

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, debugfs_member, &work));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&work.wrong));
}

/* First line, last character, no address, whatever the heap holds. */
static void debugfs_form(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	char *text = text_get(test);
	unsigned int busy, i;
	size_t len;

	for (busy = 0; busy < 2; busy++) {
		for (i = 0; i < ARRAY_SIZE(files); i++) {
			len = show_into(text, files[i].show, fh->heap);
			KUNIT_EXPECT_LT(test, len, (size_t)TEXT_BYTES - 1);
			KUNIT_EXPECT_EQ_MSG(test, 0, strncmp(text, files[i].head,
							     strlen(files[i].head)),
					    "%s", files[i].name);
			KUNIT_EXPECT_EQ(test, '\n', text[len - 1]);
			KUNIT_EXPECT_EQ(test, len, strlen(text));
			KUNIT_EXPECT_FALSE_MSG(test, text_has_address(text), "%s", files[i].name);
		}
		debugfs_do_work(test);
	}
	/* The search finds what it is for. */
	KUNIT_EXPECT_TRUE(test, text_has_address("at ffff888012345678."));
	KUNIT_EXPECT_TRUE(test, text_has_address("0xff"));
	KUNIT_EXPECT_FALSE(test, text_has_address("18446744073709551615 of 3\n"));
}

/* The rows of the ledger add up, and say so. */
static void debugfs_ledger(struct kunit *test)
{
	static const char *const rows[] = {
		"live_bytes", "rounding_bytes", "cached_bytes", "central_bytes",
		"tail_bytes", "page_cache_bytes", "free_bytes",
	};
	struct fake_heap *fh = test->priv;
	char *text = text_get(test);
	struct goalloc_stats st;
	u64 held, sum = 0;
	unsigned int i;

	debugfs_do_work(test);
	show_into(text, debugfs_show_vmstat, fh->heap);
	held = vmstat_value(test, text, "held_bytes");
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		sum += vmstat_value(test, text, rows[i]);
	KUNIT_EXPECT_EQ(test, held, sum);
	KUNIT_EXPECT_EQ(test, held, fh->fake.nr_out << GOALLOC_PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, held, vmstat_value(test, text, "grown_bytes") -
			vmstat_value(test, text, "released_bytes"));
	KUNIT_EXPECT_EQ(test, vmstat_value(test, text, "live_objects"),
			vmstat_value(test, text, "allocs") - vmstat_value(test, text, "frees"));
	KUNIT_EXPECT_GT(test, vmstat_value(test, text, "live_objects"), 50ULL);
	KUNIT_EXPECT_GT(test, vmstat_value(test, text, "tiny_objects"), 5ULL);
	KUNIT_EXPECT_GT(test, vmstat_value(test, text, "metadata_bytes"), 0ULL);
	KUNIT_EXPECT_GE(test, vmstat_value(test, text, "alloc_bytes"),
			vmstat_value(test, text, "asked_bytes"));
	KUNIT_EXPECT_EQ(test, 0ULL, vmstat_value(test, text, "failed"));
	/* What was refused is there by kind. */
	goalloc_heap_free(fh->heap, test);
	show_into(text, debugfs_show_vmstat, fh->heap);
	KUNIT_EXPECT_EQ(test, 1ULL, vmstat_value(test, text, "bad_frees_foreign"));
	for (i = BAD_FREE_INTERIOR; i < NR_BAD_FREES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "bad_frees_%s", report_bad_free_name(i));
		KUNIT_EXPECT_EQ(test, 0ULL, vmstat_value(test, text, name));
	}

	show_into(text, debugfs_show_stats, fh->heap);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "page cache + free pages: holds\n"));
	KUNIT_EXPECT_NULL(test, strstr(text, "off by"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "# heap test, "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "1 refused: foreign 1 interior 0 "));
	/* And when they do not, the difference. */
	fh->heap->node[0]->grown++;
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_NE(test, st.sys_bytes, stats_ledger_sum(&st));
	show_into(text, debugfs_show_stats, fh->heap);
	KUNIT_EXPECT_NULL(test, strstr(text, "free pages: holds\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "free pages: off by -"));
	fh->heap->node[0]->grown--;
}

/* vmstat is names and numbers, each name once. */
static void debugfs_vmstat(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	char *text = text_get(test), *line, *next;
	unsigned int n = 0, i;
	char (*names)[32];
	u64 value;

	names = kunit_kcalloc(test, 64, sizeof(*names), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, names);
	debugfs_do_work(test);
	show_into(text, debugfs_show_vmstat, fh->heap);
	for (line = strchr(text, '\n') + 1; *line; line = next + 1) {
		char rest[4] = "";
		int got;

		next = strchr(line, '\n');
		KUNIT_ASSERT_NOT_NULL(test, next);
		*next = '\0';
		KUNIT_ASSERT_LT(test, n, 64U);
		got = sscanf(line, "%31s %llu%3s", names[n], &value, rest);
		KUNIT_EXPECT_EQ_MSG(test, 2, got, "%s", line);
		KUNIT_EXPECT_EQ(test, strlen(names[n]),
				strspn(names[n], "abcdefghijklmnopqrstuvwxyz_"));
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_STRNEQ(test, (const char *)names[i], (const char *)names[n]);
		n++;
	}
	KUNIT_EXPECT_GE(test, n, 24U);
}

/* A row of classes; numbers in the order of its columns. */
struct classes_row {
	char name[8];
	u64 allocs, frees, live, cached, central, spans, full, partial, waste;
	unsigned int size, pages, objs;
};

static bool classes_parse(const char *line, struct classes_row *r, bool large)
{
	int got, used = 0;

	memset(r, 0, sizeof(*r));
	if (large)
		got = sscanf(line, "%7s - - %u %n", r->name, &r->objs, &used);
	else
		got = sscanf(line, "%7s %u %u %u %n", r->name, &r->size, &r->pages,
			     &r->objs, &used);
	if (got != (large ? 2 : 4) || !used)
		return false;
	got = sscanf(line + used, "%llu %llu %llu %llu %llu %llu %llu %llu %llu",
		     &r->allocs, &r->frees, &r->live, &r->cached, &r->central,
		     &r->spans, &r->full, &r->partial, &r->waste);
	return got == 9;
}

/* classes: a row per class, with its numbers, that add up to the heap's. */
static void debugfs_classes(struct kunit *test)
{
	static const char *const columns[] = {
		"# cls", "size", "pages", "objs", "allocs", "frees", "live", "cached",
		"central", "spans", "full", "partial", "waste", "locks", "contended\n",
	};
	struct fake_heap *fh = test->priv;
	char *text = text_get(test), *line, *col;
	u64 live_bytes = 0, allocs = 0, frees = 0;
	unsigned int i, row = 0, wrong = 0;
	struct goalloc_stats st;
	struct classes_row r;

	debugfs_do_work(test);
	show_into(text, debugfs_show_classes, fh->heap);
	line = strstr(text, "# cls");
	KUNIT_ASSERT_NOT_NULL(test, line);
	for (i = 0, col = line; i < ARRAY_SIZE(columns); i++) {
		col = strstr(col, columns[i]);
		KUNIT_ASSERT_NOT_NULL_MSG(test, col, "column %s", columns[i]);
	}
	for (line = strchr(line, '\n') + 1; *line; line = strchr(line, '\n') + 1, row++) {
		bool large = row == GOALLOC_NR_BINS;

		KUNIT_ASSERT_TRUE_MSG(test, classes_parse(line, &r, large), "row %u", row);
		wrong += r.live != r.allocs - r.frees;
		allocs += r.allocs;
		frees += r.frees;
		if (large) {
			KUNIT_EXPECT_STREQ(test, "large", (const char *)r.name);
			continue;
		}
		if (row < GOALLOC_NR_BINS - 1) {
			unsigned int class;

			wrong += kstrtouint(r.name, 10, &class) || class != row + 1;
			wrong += r.size != sizeclass_size[row + 1];
			wrong += r.pages != sizeclass_pages[row + 1];
			wrong += r.objs != sizeclass_objs[row + 1];
		} else {
			KUNIT_EXPECT_STREQ(test, "tiny", (const char *)r.name);
		}
		/* Each slot of each span is live, in a cache or in the central. */
		wrong += r.spans * r.objs != r.live + r.cached + r.central;
		wrong += r.waste != r.spans * r.pages * GOALLOC_PAGE_SIZE - r.live * r.size;
		wrong += r.full + r.partial > r.spans;
		live_bytes += r.live * r.size;
	}
	KUNIT_EXPECT_EQ(test, GOALLOC_NR_BINS + 1U, row);
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, st.allocs, allocs);
	KUNIT_EXPECT_EQ(test, st.frees, frees);
	KUNIT_EXPECT_LE(test, live_bytes, st.live_bytes);
}

/* What a file in debugfs says, or an error. */
static int file_read(const char *path, char *text)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	struct seq_file *m;
	int mode, err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	mode = file_inode(file)->i_mode & 07777;
	m = file->private_data;
	/* What read() would do. single_release() frees the buffer. */
	m->buf = kvmalloc(TEXT_BYTES, GFP_KERNEL);
	m->size = TEXT_BYTES;
	err = m->buf ? m->op->show(m, NULL) : -ENOMEM;
	if (!err) {
		memcpy(text, m->buf, m->count);
		text[m->count] = '\0';
	}
	filp_close(file, NULL);
	return err ?: mode;
}

/* The files themselves: there, readable by all, writable by nobody. */
static void debugfs_files(struct kunit *test)
{
	struct goalloc_heap *heap;
	char *text = text_get(test);
	char path[80];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), DEBUGFS "%s", files[i].name);
		KUNIT_EXPECT_EQ_MSG(test, 0444, file_read(path, text), "%s", path);
		KUNIT_EXPECT_EQ(test, 0, strncmp(text, files[i].head, strlen(files[i].head)));
		KUNIT_EXPECT_FALSE(test, text_has_address(text));
	}
	/* A heap's own are there as long as it is. */
	heap = goalloc_heap_create("kunit_heap", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	KUNIT_EXPECT_NOT_NULL(test, goalloc_heap_alloc(heap, 5000, GFP_KERNEL));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), DEBUGFS "heaps/kunit_heap/%s", files[i].name);
		KUNIT_EXPECT_EQ_MSG(test, 0444, file_read(path, text), "%s", path);
		KUNIT_EXPECT_EQ(test, 0, strncmp(text, files[i].head, strlen(files[i].head)));
	}
	KUNIT_EXPECT_EQ(test, 0444, file_read(DEBUGFS "heaps/kunit_heap/vmstat", text));
	KUNIT_EXPECT_EQ(test, 1ULL, vmstat_value(test, text, "live_objects"));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
	KUNIT_EXPECT_EQ(test, -ENOENT, file_read(DEBUGFS "heaps/kunit_heap/stats", text));
	KUNIT_EXPECT_EQ(test, -ENOENT, file_read(DEBUGFS "heaps/kunit_heap", text));
}

static struct kunit_case debugfs_cases[] = {
	KUNIT_CASE(debugfs_form),
	KUNIT_CASE(debugfs_ledger),
	KUNIT_CASE(debugfs_vmstat),
	KUNIT_CASE(debugfs_classes),
	KUNIT_CASE(debugfs_files),
	{}
};

static struct kunit_suite debugfs_suite = {
	.name = "goalloc_debugfs",
	.init = debugfs_suite_init,
	.exit = debugfs_suite_exit,
	.test_cases = debugfs_cases,
};

kunit_test_suites(&debugfs_suite);
