// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a collection was like, in Go's words: the line that GODEBUG=gctrace=1 prints.
 *
 *	gc 7 @0.412s 3%: 0.018+5.2+0.021 ms clock, 0.072+0.41/5.1/0+0.084 ms cpu,
 *	10->12->6 MB, 11 MB goal, 0 MB stacks, 0 MB globals, 4 P (forced)
 *
 * In turn: which one, when it began, the CPU time of all so far; the first stop,
 * marking, the second stop; the same in CPU time, with that of assists, of the
 * collector's threads and of idle CPUs for the middle; bytes in use when it began, when
 * marking ended and of these those found in use; the goal; bytes of frames and of roots
 * looked at; CPUs.
 *
 * Locks: gc->cycle is held by who writes.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>

#include "compat.h"
#include "gc.h"

static bool gctrace;
module_param(gctrace, bool, 0644);
MODULE_PARM_DESC(gctrace, "print a line for each collection of a collected heap");

/**
 * gc_trace_begin - a collection begins
 * @gc: the heap
 * @forced: it was asked for
 *
 * Context: gc->cycle held.
 */
void gc_trace_begin(struct goalloc_gc *gc, bool forced)
{
	lockdep_assert_held(&gc->cycle);

	gc->now = (struct gc_record){
		.nr = gc->cycles + 1,
		.begin_ns = ktime_to_ns(ktime_sub(ktime_get(), gc->made)),
		.before = atomic64_read(&gc->heap_live),
		.goal = gc->heap_goal,
		.cpus = num_online_cpus(),
		.forced = forced,
	};
}

/* Milliseconds as Go prints them: whole ones from 10 on, else two digits that count. */
static int gc_trace_ms(char *buf, size_t len, u64 ns)
{
	u64 us = div_u64(ns, 1000);

	if (us >= 10000)
		return scnprintf(buf, len, "%llu", div_u64(us, 1000));
	if (us >= 1000)
		return scnprintf(buf, len, "%llu.%llu", us / 1000, us / 100 % 10);
	if (us >= 100)
		return scnprintf(buf, len, "0.%02llu", us / 10);
	return us ? scnprintf(buf, len, "0.%03llu", us) : scnprintf(buf, len, "0");
}

/**
 * gc_trace_text - a collection in a line
 * @r: the collection
 * @buf: where to put it
 * @len: bytes there
 *
 * Context: Any.
 * Return: bytes written, without the last zero.
 */
int gc_trace_text(const struct gc_record *r, char *buf, size_t len)
{
	const u64 times[] = {
		r->stop_ns[0], r->mark_ns, r->stop_ns[1],
		r->stop_ns[0] * r->cpus, r->assist_ns, r->cpu_ns, r->idle_ns,
		r->stop_ns[1] * r->cpus,
	};
	static const char *const before[] = { "", "+", "+", " ms clock, ", "+", "/", "/", "+" };
	unsigned int i;
	int at;

	at = scnprintf(buf, len, "gc %llu @%llu.%03llus %u%%: ", r->nr,
		       div_u64(r->begin_ns, NSEC_PER_SEC),
		       div_u64(r->begin_ns, NSEC_PER_MSEC) % 1000, r->percent);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		at += scnprintf(buf + at, len - at, "%s", before[i]);
		at += gc_trace_ms(buf + at, len - at, times[i]);
	}
	at += scnprintf(buf + at, len - at, " ms cpu, %llu->%llu->%llu MB, ",
			r->before >> 20, r->at_end >> 20, r->marked >> 20);
	if (r->goal == U64_MAX)
		at += scnprintf(buf + at, len - at, "no goal, ");
	else
		at += scnprintf(buf + at, len - at, "%llu MB goal, ", r->goal >> 20);
	at += scnprintf(buf + at, len - at, "%llu MB stacks, %llu MB globals, %u P%s",
			r->frames >> 20, r->roots >> 20, r->cpus,
			r->forced ? " (forced)" : "");
	return at;
}
GOALLOC_EXPORT_KUNIT(gc_trace_text);

/**
 * gc_trace_end - a collection has ended, but for sweeping
 * @gc: the heap; its record is complete but for what all together took
 *
 * Context: gc->cycle held; mutators run.
 */
void gc_trace_end(struct goalloc_gc *gc)
{
	struct gc_record *r = &gc->now;
	u64 elapsed = ktime_to_ns(ktime_sub(ktime_get(), gc->made));
	char line[256];

	lockdep_assert_held(&gc->cycle);

	gc->cpu_ns += (r->stop_ns[0] + r->stop_ns[1]) * r->cpus + r->cpu_ns + r->assist_ns;
	r->percent = div64_u64(gc->cpu_ns * 100, elapsed * r->cpus ?: 1);
	gc->records[r->nr % GC_RECORDS] = *r;
	if (!READ_ONCE(gctrace))
		return;
	gc_trace_text(r, line, sizeof(line));
	pr_info("%s: %s\n", gc->heap->name, line);
}
