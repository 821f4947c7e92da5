// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_torture.ko - use goalloc from everywhere at once and see that nothing
 * is lost, mixed up or left behind.
 *
 *	insmod goalloc_torture.ko secs=30 seed=1
 *
 * runs while insmod waits and prints progress every 5 seconds. Then everything
 * is freed and the ledger of the default heap checked. The verdict is in
 * /sys/module/goalloc_torture/parameters: errors (0 is good) and operations.
 * tools/torture/run boots a guest for it, takes CPUs away and brings them back
 * meanwhile, and reads all of goalloc's debugfs files.
 *
 * The same seed gives the same choices in each context; how the contexts
 * interleave is up to the machine.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "session.h"
#include "torture.h"

static unsigned int misuse = 60;
module_param(misuse, uint, 0444);
MODULE_PARM_DESC(misuse, "rounds of bad frees that race each other, before all else");

static bool racing = true;
module_param(racing, bool, 0444);
MODULE_PARM_DESC(racing, "bad frees race: goalloc_validate() may find one before goalloc does");

static unsigned int host_nmis;
module_param(host_nmis, uint, 0444);
MODULE_PARM_DESC(host_nmis, "NMIs that came from outside");

#define NR_BOXES 512
#define MAX_REPORTS 20

/* How long to wait in the end for what the heap does by itself. */
#define REST_SECONDS 60

const char *const torture_count_names[NR_COUNTS] = {
	[COUNT_ALLOC] = "alloc",
	[COUNT_ZALLOC] = "zalloc",
	[COUNT_NODE] = "node",
	[COUNT_ALIGNED] = "aligned",
	[COUNT_TINY] = "tiny",
	[COUNT_BULK] = "bulk",
	[COUNT_REALLOC] = "realloc",
	[COUNT_DUP] = "dup",
	[COUNT_KV] = "kv",
	[COUNT_HEAP] = "heap",
	[COUNT_FREE] = "free",
	[COUNT_FREE_OTHER] = "free_other",
	[COUNT_CHECK] = "check",
	[COUNT_PASS] = "pass",
	[COUNT_BURST] = "burst",
	[COUNT_REMOTE] = "remote",
	[COUNT_NOFAIL] = "nofail",
	[COUNT_FAILED] = "failed",
};

static const char *const level_names[NR_LEVELS] = {
	[LEVEL_TASK] = "task",
	[LEVEL_SOFTIRQ] = "softirq",
	[LEVEL_HARDIRQ] = "hardirq",
	[LEVEL_NMI] = "nmi",
};

bool torture_stop;
static atomic_t nr_errors;
static unsigned int nr_ctx;

/* All records and bursts there are; they wander, so nobody else can free them. */
struct torture_block {
	struct torture_block *next;
	u64 mem[];
};

static struct torture_block *blocks;

/**
 * torture_fail - something is wrong
 * @what: what
 * @p: which object
 * @a: a number that says more
 * @b: another
 *
 * Context: Any context.
 */
void torture_fail(const char *what, const void *p, size_t a, size_t b)
{
	if (atomic_inc_return(&nr_errors) <= MAX_REPORTS)
		pr_err("FAILED: %s: %p, %zu, %zu\n", what, p, a, b);
}

/**
 * torture_mem - memory until the end
 * @size: bytes
 *
 * Context: Process context, one at a time.
 * Return: zeroed memory, or NULL.
 */
void *torture_mem(size_t size)
{
	struct torture_block *block = kvzalloc(sizeof(*block) + size, GFP_KERNEL);

	if (!block)
		return NULL;
	block->next = blocks;
	blocks = block;
	return block->mem;
}

/**
 * torture_ctx_create - make a context
 * @level: where it will run
 * @nr: number of its records
 * @max_bytes: how much it may hold
 *
 * Context: Process context, one at a time.
 * Return: the context, which is torture_mem(), or NULL.
 */
struct torture_ctx *torture_ctx_create(enum torture_level level, unsigned int nr,
				       size_t max_bytes)
{
	struct torture_ctx *ctx = torture_mem(sizeof(*ctx));
	struct torture_obj *obj = torture_mem(nr * sizeof(*obj));
	unsigned int i;

	if (!ctx || !obj)
		return NULL;
	ctx->rec = torture_mem(nr * sizeof(ctx->rec[0]));
	ctx->burst = burst_create(BURSTS_PER_CTX);
	if (!ctx->rec || !ctx->burst)
		return NULL;
	for (i = 0; i < nr; i++)
		ctx->rec[i] = &obj[i];
	ctx->level = level;
	ctx->nr = nr;
	ctx->max_bytes = max_bytes;
	/* Far apart, and never 0. */
	ctx->rng = (session_seed * 1024 + nr_ctx++) * 0x9e3779b97f4a7c15ULL | 1;
	return ctx;
}

static int boxes_create(void)
{
	struct torture_obj *obj = torture_mem(NR_BOXES * sizeof(*obj));
	unsigned int i;

	torture_boxes = torture_mem(NR_BOXES * sizeof(*torture_boxes));
	if (!torture_boxes || !obj)
		return -ENOMEM;
	for (i = 0; i < NR_BOXES; i++)
		torture_boxes[i] = &obj[i];
	torture_nr_boxes = NR_BOXES;
	return burst_start();
}

static void blocks_free(void)
{
	struct torture_block *block;

	while ((block = blocks)) {
		blocks = block->next;
		kvfree(block);
	}
}

/* Looks, passing on and failures are no calls, or are counted as calls already. */
static u64 count_calls(u64 sum[NR_LEVELS][NR_COUNTS], int level)
{
	u64 calls = 0;
	int i;

	for (i = 0; i < COUNT_CHECK; i++)
		calls += sum[level][i];
	return calls;
}

static void report_progress(unsigned int at)
{
	u64 sum[NR_LEVELS][NR_COUNTS];
	u64 calls[NR_LEVELS];
	u64 all = 0;
	int i;

	context_sum(sum);
	for (i = 0; i < NR_LEVELS; i++)
		all += calls[i] = count_calls(sum, i);
	pr_info("%u s: %llu calls (task %llu, softirq %llu, hardirq %llu, nmi %llu), failed %llu, %d heaps ended, %ld times out of memory, %d errors\n",
		at, all, calls[LEVEL_TASK], calls[LEVEL_SOFTIRQ],
		calls[LEVEL_HARDIRQ], calls[LEVEL_NMI],
		sum[LEVEL_TASK][COUNT_FAILED] + sum[LEVEL_SOFTIRQ][COUNT_FAILED] +
		sum[LEVEL_HARDIRQ][COUNT_FAILED] + sum[LEVEL_NMI][COUNT_FAILED],
		atomic_read(&heaps_ended), atomic_long_read(&pressure_rounds),
		atomic_read(&nr_errors));
}

static void report_counts(void)
{
	static u64 sum[NR_LEVELS][NR_COUNTS];
	int level, i;

	context_sum(sum);
	session_operations = 0;
	for (level = 0; level < NR_LEVELS; level++) {
		char line[400];
		int len = 0;

		for (i = 0; i < NR_COUNTS; i++)
			len += scnprintf(line + len, sizeof(line) - len, " %s %llu",
					 torture_count_names[i], sum[level][i]);
		pr_info("%s:%s\n", level_names[level], line);
		session_operations += count_calls(sum, level);
		if (!count_calls(sum, level) && context_is_there(level))
			torture_fail("a context has done nothing", NULL, level, 0);
	}
}

/* All of it has to be judged: what goalloc does by itself must come to rest. */
static void validate_at_rest(void)
{
	time64_t end = ktime_get_seconds() + REST_SECONDS;
	int err;

	while ((err = goalloc_validate(NULL)) > 0 && ktime_get_seconds() < end)
		msleep(500);
	if (err)
		torture_fail("a heap at rest is not as it must be", NULL, err < 0, 0);
}

static int torture_run(void)
{
	unsigned long frames;
	int err;

	err = misuse_run(misuse);
	WRITE_ONCE(racing, false);
	if (!err)
		err = boxes_create();
	if (!err)
		err = heaps_start();
	if (!err)
		err = context_start();
	if (!err)
		err = stacks_start();
	if (!err)
		err = upkeep_start();
	if (!err && session_pressure)
		err = pressure_start();
	if (!err)
		err = session_wait(report_progress);
	pressure_stop();
	upkeep_stop();
	context_stop();
	heaps_stop();
	frames = stacks_stop();
	context_free_all();
	if (err)
		return err;
	report_counts();
	session_operations += frames;
	pr_info("asked to flush, scavenge or validate %ld times, %ld KiB moved\n",
		atomic_long_read(&upkeep_calls), atomic_long_read(&upkeep_bytes) >> 10);
	if (!session_rest())
		torture_fail("the helpers do not stop", NULL, 0, 0);
	ledger_settle();
	ledger_verify();
	validate_at_rest();
	return 0;
}

static int __init torture_init(void)
{
	int err;

	pr_info("%u s, seed %lu, %u CPUs, pressure %s\n", session_secs, session_seed,
		num_online_cpus(), session_pressure ? "on" : "off");
	err = torture_run();
	context_destroy();
	blocks_free();
	if (err) {
		pr_err("could not run: %pe\n", ERR_PTR(err));
		return err;
	}
	session_errors = atomic_read(&nr_errors);
	host_nmis = atomic_read(&context_host_nmis);
	pr_info("%lu calls, %d heaps ended (%d by force), %ld times out of memory, %u errors\n",
		session_operations, atomic_read(&heaps_ended), atomic_read(&heaps_forced),
		atomic_long_read(&pressure_rounds), session_errors);
	return 0;
}

static void __exit torture_exit(void)
{
}

module_init(torture_init);
module_exit(torture_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Uses goalloc from every context at once and checks every object");
