// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_heap.c - libFuzzer makes up the life of two heaps.
 *
 * The heaps are the module's own code from the exported functions down. An
 * input is four bytes that say what the machine is like, and four per
 * operation: a code, a parameter and a 16-bit parameter. What is checked:
 *
 *  - an object lies in pages that are handed over, is aligned as promised,
 *    overlaps no other, is zero if that was asked for, and keeps its contents;
 *  - an allocation fails only if memory failed somewhere;
 *  - a bad free is counted as what it is and changes nothing;
 *  - the ledger of a heap adds up to what the source handed over, the counts of
 *    every class are the model's, and the page trees are in order;
 *  - in the end every page and every piece of metadata is back.
 *
 * An operation may be told to happen in the midst of the next one: in an
 * interrupt, on another CPU, or by a task that preempts it.
 */
#include <goalloc.h>
#include <stdint.h>

#include "cache.h"
#include "stats.h"
#include "world.h"

#define MAX_OBJS 400
#define MAX_FREED 32
#define NR_HEAPS 2

enum op {
	OP_ALLOC, OP_TINY, OP_ALIGNED, OP_NODE, OP_BULK, OP_FREE, OP_FREE_MANY,
	OP_SENSITIVE, OP_REALLOC, OP_BAD, OP_CPU, OP_LEVEL, OP_DRAIN, OP_RELEASE,
	OP_SOURCE, OP_META, OP_GRACE, OP_CHECK, OP_EXTEND, OP_NEST, OP_INIT,
	NR_OPS
};

static const char *const op_names[NR_OPS] = {
	"alloc", "tiny", "aligned", "node", "bulk", "free", "free-many",
	"sensitive", "realloc", "bad", "cpu", "level", "drain", "release",
	"source", "meta", "grace", "check", "extend", "nest", "init",
};

struct obj {
	u8 *p;
	size_t asked;
	size_t usable;
	u8 heap;
	bool tiny;
	u32 tag;
};

/* One input's run; while @still nothing happens in between. */
static struct run {
	const u8 *data;
	size_t left;
	struct goalloc_heap *heap[NR_HEAPS];
	bool limited;
	struct obj obj[MAX_OBJS];
	unsigned int nr;
	void *freed[MAX_FREED];
	unsigned int nr_freed;
	u64 bad;
	u32 tag;
	unsigned int nest_in;
	u8 nest_how;
	bool nested;
	int still;
} run;

const char *op_name(u8 code)
{
	return op_names[code % NR_OPS];
}

int op_code(const char *name)
{
	int i;

	for (i = 0; i < NR_OPS; i++)
		if (!strcmp(op_names[i], name))
			return i;
	return -1;
}

/* Large objects are looked at here and there. */
static size_t next_sample(size_t i, size_t size)
{
	i++;
	if (size > 8192 && i >= 256 && i < size - 256 && i % 4096 > 16)
		i = min_t(size_t, round_up(i, 4096), size - 256);
	return i;
}

static void fill(const struct obj *o)
{
	size_t i;

	for (i = 0; i < o->usable; i = next_sample(i, o->usable))
		o->p[i] = o->tag + i + (i >> 8);
}

static void check_contents(const struct obj *o, const u8 *p, size_t size)
{
	size_t i;

	for (i = 0; i < o->usable && i < size; i = next_sample(i, o->usable))
		if (p[i] != (u8)(o->tag + i + (i >> 8)))
			sim_die("object of %zu bytes: byte %zu changed", o->usable, i);
}

static void check_zero(const u8 *p, size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to; i = next_sample(i, to))
		if (p[i])
			sim_die("byte %zu of %zu is not zero", i, to);
}

static bool overlaps(const u8 *p, size_t size)
{
	unsigned int i;

	for (i = 0; i < run.nr; i++)
		if (p < run.obj[i].p + run.obj[i].usable && run.obj[i].p < p + size)
			return true;
	return false;
}

/* A new object: is it one's own, where it should be? */
static void add_obj(u8 *p, size_t asked, int heap, bool tiny, size_t align)
{
	u64 page = (u64)(p - world.base) >> GOALLOC_PAGE_SHIFT;
	struct obj *o;
	u64 last;

	run.still++;
	sim_must(run.nr < MAX_OBJS);
	o = &run.obj[run.nr];
	*o = (struct obj){ p, asked, gosize(p), heap, tiny, ++run.tag };
	sim_must(o->usable >= asked && (!tiny || o->usable == asked));
	sim_must(tiny || o->usable == goalloc_size_roundup(o->usable));
	last = (u64)(p + o->usable - 1 - world.base) >> GOALLOC_PAGE_SHIFT;
	sim_must(page < WORLD_PAGES && last < WORLD_PAGES);
	sim_must(!memchr_inv(world.out + page, 1, last - page + 1));
	if ((unsigned long)p % align)
		sim_die("%zu bytes at %p are not aligned to %zu", asked, p, align);
	if (overlaps(p, o->usable))
		sim_die("%zu bytes at %p overlap", asked, p);
	sim_must(goalloc_owns(p) && goalloc_owns(p + o->usable - 1));
	fill(o);
	run.nr++;
	run.still--;
}

static struct obj take_obj(unsigned int i)
{
	struct obj o = run.obj[i];

	check_contents(&o, o.p, o.usable);
	run.obj[i] = run.obj[--run.nr];
	return o;
}

static void remember_freed(void *p)
{
	run.freed[run.nr_freed++ % MAX_FREED] = p;
}

/* What the header promises. */
static size_t natural_align(size_t size, bool tiny)
{
	size_t align = size & -size;

	if (tiny)
		return min_t(size_t, align, 8);
	return clamp_t(size_t, align, 8, PAGE_SIZE);
}

static size_t pick_size(u8 how, u16 c)
{
	switch (how & 7) {
	case 0: case 1: case 2:
		return c % 1025;
	case 3:
		return c % 32769;
	case 4:
		return sizeclass_size[c % GOALLOC_NR_CLASSES] + (c >> 8) % 3;
	case 5:
		return c * 3UL;
	case 6:
		return c % 129;
	default:
		return (c & 0x1000) ? c * 70UL : c * 8UL;
	}
}

static gfp_t pick_gfp(u8 how)
{
	gfp_t gfp = GFP_ATOMIC;

	if (preemptible() && how & 1)
		gfp = GFP_KERNEL;
	if (how & 2)
		gfp |= __GFP_ZERO;
	if ((how & 0xc) == 0xc)
		gfp |= __GFP_THISNODE;
	if ((how & 0xc) == 8 && gfp & __GFP_DIRECT_RECLAIM && !run.nested)
		gfp |= __GFP_NOFAIL;
	if (how & 0x10)
		gfp |= __GFP_ACCOUNT;
	return gfp;
}

/* What may have made an allocation fail so far. */
static unsigned long causes(void)
{
	return sim.failed + world.failed;
}

static void check_failure(struct goalloc_heap *heap, unsigned long before, u64 failed)
{
	if (in_nmi())
		return;
	if (causes() == before && !run.limited)
		sim_die("fails without cause");
	if (heap && (u64)atomic64_read(&heap->nr_failed) <= failed)
		sim_die("a failure is not counted");
}

static void op_alloc(enum op op, u8 a, u16 c)
{
	size_t size = pick_size(a, c), align = 1;
	struct goalloc_heap *heap = run.heap[0];
	unsigned long before = causes();
	gfp_t gfp = pick_gfp(a >> 3);
	u64 failed;
	bool tiny = false;
	int h = 0;
	u8 *p;

	if (gfp & __GFP_NOFAIL)
		size %= 65536;
	if (run.nr >= MAX_OBJS - 64)
		return;
	align = natural_align(size, false);
	switch (op) {
	case OP_TINY:
		size = c % 16;
		tiny = size;
		failed = atomic64_read(&heap->nr_failed);
		p = goalloc_tiny(size, gfp);
		align = natural_align(size, tiny);
		break;
	case OP_ALIGNED:
		align = 1UL << (c % 15);
		if (c % 31 == 0)
			align = 1UL << 22;
		failed = atomic64_read(&heap->nr_failed);
		p = goalloc_aligned(size, align, gfp);
		break;
	case OP_NODE:
		failed = atomic64_read(&heap->nr_failed);
		p = goalloc_node(size, gfp, (int)(a >> 7) - (c & 1));
		break;
	default:
		h = a >> 7 && run.heap[1];
		heap = run.heap[h];
		failed = atomic64_read(&heap->nr_failed);
		p = goalloc_heap_alloc(heap, size, gfp);
	}
	if (!size) {
		sim_must(p == ZERO_SIZE_PTR);
		return;
	}
	/* A node that is not there cannot be had exactly. */
	if (!p && op == OP_NODE && gfp & __GFP_THISNODE && a >> 7 >= sim.nodes)
		return;
	if (!p) {
		if (gfp & __GFP_NOFAIL && size <= GOALLOC_MAX_SIZE && !(gfp & __GFP_THISNODE) &&
		    align <= PAGE_SIZE)
			sim_die("nofail fails");
		if (size <= GOALLOC_MAX_SIZE && align <= GOALLOC_MAX_SIZE)
			check_failure(heap, before, failed);
		return;
	}
	sim_must(size <= GOALLOC_MAX_SIZE);
	if (gfp & __GFP_ZERO || sim.init_on_alloc)
		check_zero(p, 0, tiny ? size : gosize(p));
	if (op == OP_NODE && gfp & __GFP_THISNODE && c % 2 == 0)
		sim_must(world_node((u64)(p - world.base) >> GOALLOC_PAGE_SHIFT) == a >> 7);
	add_obj(p, size, h, tiny, align);
}

static void op_bulk(u8 a, u16 c)
{
	size_t size = pick_size(a % 5, c), nr = 1 + (a >> 5) * 7, got, i;
	u64 failed = atomic64_read(&run.heap[0]->nr_failed);
	unsigned long before = causes();
	gfp_t gfp = pick_gfp(a >> 3 & 3);
	void *p[64];

	if (!size || run.nr + nr >= MAX_OBJS - 64)
		return;
	got = goalloc_bulk(size, gfp, nr, p);
	sim_must(!got || got == nr);
	if (!got)
		check_failure(run.heap[0], before, failed);
	for (i = 0; i < got; i++) {
		if (gfp & __GFP_ZERO)
			check_zero(p[i], 0, gosize(p[i]));
		add_obj(p[i], size, 0, false, natural_align(size, false));
	}
}

static void free_one(unsigned int i, bool sensitive)
{
	struct obj o = take_obj(i);

	if (sensitive && !o.heap)
		gofree_sensitive(o.p);
	else if (o.heap || o.tag & 1)
		goalloc_heap_free(run.heap[o.heap], o.p);
	else
		gofree(o.p);
	remember_freed(o.p);
}

static void op_free_many(u8 a, u16 c)
{
	unsigned int n = 1 + a % 63, i, got = 0;
	void *p[64];

	if (a & 0x80) {
		while (n-- && run.nr)
			free_one((c + n) % run.nr, false);
		return;
	}
	for (i = 0; i < n && run.nr; i++) {
		unsigned int pick = (c + i * 5) % run.nr;

		if (!run.obj[pick].heap)
			p[got++] = take_obj(pick).p;
	}
	gofree_bulk(got, p);
	for (i = 0; i < got; i++)
		remember_freed(p[i]);
}

static void op_realloc(u8 a, u16 c)
{
	unsigned int i = run.nr ? c % run.nr : 0;
	gfp_t gfp = pick_gfp(a >> 3 & 3);
	size_t size = pick_size(a, c >> 3 | c << 13);
	u64 failed = atomic64_read(&run.heap[0]->nr_failed);
	unsigned long before = causes();
	struct obj o;
	u8 *p;

	if (!run.nr || run.obj[i].heap)
		return;
	o = take_obj(i);
	p = gorealloc(o.p, size, gfp);
	if (!size) {
		sim_must(p == ZERO_SIZE_PTR);
		remember_freed(o.p);
		return;
	}
	if (!p) {
		if (size <= GOALLOC_MAX_SIZE)
			check_failure(run.heap[0], before, failed);
		check_contents(&o, o.p, o.usable);
		run.obj[run.nr++] = o;
		return;
	}
	run.still++;
	check_contents(&o, p, min(size, o.usable));
	if (gfp & __GFP_ZERO) {
		size_t end = gosize(p);

		if (o.usable < size)
			check_zero(p, o.usable, end);
	}
	if (p != o.p)
		remember_freed(o.p);
	if (p == o.p) {
		/* Not moved: the books have it as it was. */
		add_obj(p, o.asked, 0, o.tiny, 1);
		sim_must(run.obj[run.nr - 1].usable == o.usable && size <= o.usable);
	} else {
		add_obj(p, size, 0, false, natural_align(size, false));
	}
	run.still--;
}

static u64 bad_frees(const struct goalloc_heap *heap)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < NR_BAD_FREES; i++)
		sum += atomic64_read(&heap->nr_bad[i]);
	return sum;
}

static bool begins_here(const void *p)
{
	unsigned int i;

	for (i = 0; i < run.nr; i++)
		if (run.obj[i].p == p)
			return true;
	return false;
}

static void op_bad(u8 a, u16 c)
{
	struct goalloc_heap *heap = run.heap[0];
	const struct obj *o = run.nr ? &run.obj[c % run.nr] : NULL;
	u64 before, kind_before;
	enum bad_free kind = NR_BAD_FREES;
	u8 *p = NULL;

	switch (a % 5) {
	case 0:
		p = run.freed[c % MAX_FREED];
		break;
	case 1:
		if (o && o->usable > 1)
			p = o->p + 1 + (c >> 4) % (o->usable - 1);
		break;
	case 2:
		p = world.base + (size_t)c * 2048 + (a & 8 ? 0 : 24);
		break;
	case 3:
		p = (u8 *)&run + c % sizeof(run);
		kind = BAD_FREE_FOREIGN;
		break;
	case 4:
		if (!o || !run.heap[1])
			return;
		heap = run.heap[!o->heap];
		p = o->p;
		kind = BAD_FREE_HEAP;
		break;
	}
	if (!p || (kind != BAD_FREE_HEAP && begins_here(p)))
		return;
	before = bad_frees(heap);
	kind_before = kind == NR_BAD_FREES ? 0 : atomic64_read(&heap->nr_bad[kind]);
	if (kind != BAD_FREE_HEAP) {
		if (gosize(p))
			sim_die("what is no object has a size");
		if (a & 0x20 && preemptible()) {
			sim_must(!gorealloc(p, 100, GFP_KERNEL));
			goto judge;
		}
	}
	if (a & 0x40 && heap == run.heap[0])
		gofree(p);
	else
		goalloc_heap_free(heap, p);
judge:
	if (bad_frees(heap) != before + 1)
		sim_die("bad free (case %u) was counted %llu times", a % 5,
			bad_frees(heap) - before);
	if (kind != NR_BAD_FREES)
		sim_must((u64)atomic64_read(&heap->nr_bad[kind]) == kind_before + 1);
	run.bad++;
}

/* What its caches keep is what they count, and not more than they may. */
static void check_caches(struct goalloc_heap *heap)
{
	unsigned int cpu, level;
	u64 is, want;
	int bin;

	for_each_possible_cpu(cpu) {
		for (level = 0; level < CACHE_LEVELS; level++) {
			struct goalloc_cache *cache = per_cpu_ptr(heap->cpus, cpu)->level[level];
			const char *rule = NULL;

			if (cache != &cache_none)
				rule = room_check(cache, &bin, &is, &want);
			if (rule)
				sim_die("cpu %u, level %u, class %d: %s: %llu, %llu", cpu,
					level, bin, rule, is, want);
		}
	}
}

/* Everything that is known of a heap from outside. */
static void check_heap(int h, u64 *held)
{
	struct goalloc_heap *heap = run.heap[h];
	u64 live[GOALLOC_NR_BINS] = {}, large = 0, asked = 0, tiny = 0;
	struct large_stats ls;
	struct tiny_stats ts;
	struct goalloc_stats st;
	struct heap_node *node;
	struct bin_stats bs;
	unsigned int i;

	/* What NMIs freed counts as live until somebody comes by. */
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		for (i = 0; i < GOALLOC_NR_BINS; i++)
			central_drain_deferred(&node->central[i]);
		heap_drain_deferred(node);
	}
	for (i = 0; i < run.nr; i++) {
		const struct obj *o = &run.obj[i];

		if (o->heap != h)
			continue;
		if (o->tiny)
			tiny++;
		else if (o->usable > GOALLOC_MAX_SMALL ||
			 pagemap_span(&goalloc_space.map, (unsigned long)o->p)->kind == SPAN_LARGE)
			large++, asked += o->asked;
		else
			live[sizeclass_of(o->usable)]++;
	}
	goalloc_heap_stats(heap, &st);
	if (st.sys_bytes != stats_ledger_sum(&st))
		sim_die("the ledger is off by %lld", (s64)(st.sys_bytes - stats_ledger_sum(&st)));
	sim_must(st.sys_bytes == st.grown_bytes - st.released_bytes);
	sim_must(st.sys_bytes == (u64)atomic64_read(&heap->held) << GOALLOC_PAGE_SHIFT);
	sim_must(st.live_objects == st.allocs - st.frees);
	*held += st.sys_bytes;
	for (i = 1; i < GOALLOC_NR_BINS; i++) {
		stats_bin(heap, i, &bs);
		if (bs.allocs - bs.frees != live[i])
			sim_die("class %u: %llu live in the statistics, %llu in truth", i,
				bs.allocs - bs.frees, live[i]);
		sim_must(bs.owned + bs.partial + bs.full == bs.spans);
	}
	stats_large(heap, &ls);
	sim_must(ls.allocs - ls.frees == large && ls.asked == asked);
	stats_tiny(heap, &ts);
	if (ts.live != tiny)
		sim_die("%llu tiny objects live in the statistics, %llu in truth",
			ts.live, tiny);
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		struct palloc_fault fault = {};

		if (palloc_check(&node->palloc, &fault))
			sim_die("node %d: %s, chunk %llu, page %llu", node->nid,
				fault.what ? fault.what : "?", fault.chunk, fault.page);
	}
	sim_must(!atomic64_read(&heap->nr_bad[BAD_FREE_RACE]));
	check_caches(heap);
}

static void check_all(void)
{
	u64 held = 0;
	unsigned int i;
	int h;

	for (h = 0; h < NR_HEAPS; h++)
		if (run.heap[h])
			check_heap(h, &held);
	sim_must(held == world.nr_out << GOALLOC_PAGE_SHIFT);
	sim_must(held == (u64)sim.shown_bytes + sim.shown_pages * PAGE_SIZE);
	sim_must(bad_frees(run.heap[0]) +
		 (run.heap[1] ? bad_frees(run.heap[1]) : 0) == run.bad);
	for (i = 0; i < run.nr; i++)
		check_contents(&run.obj[i], run.obj[i].p, run.obj[i].usable);
}

static void set_level(unsigned int level, bool atomic)
{
	static const unsigned int offset[] = {
		0, SOFTIRQ_OFFSET, HARDIRQ_OFFSET, NMI_OFFSET
	};

	sim.preempt = offset[level] + atomic;
	sim.irqs_off = level >= 2;
}

/* Go to task context for what is only done there; the hook stays out. */
static struct sim_machine to_task(void)
{
	struct sim_machine old = sim;

	sim.hook = NULL;
	set_level(0, false);
	return old;
}

static void from_task(const struct sim_machine *old)
{
	sim.hook = old->hook;
	sim.preempt = old->preempt;
	sim.irqs_off = old->irqs_off;
}

static void quiet(enum op op, u8 a, u16 c)
{
	struct sim_machine old = to_task();
	struct heap_node *node;
	int h;

	switch (op) {
	case OP_BAD:
		from_task(&old);
		sim.hook = NULL;
		op_bad(a, c);
		break;
	case OP_CHECK:
		check_all();
		break;
	case OP_DRAIN:
		for (h = 0; h < NR_HEAPS; h++)
			if (run.heap[h])
				cache_drain_cpu(run.heap[h], a % SIM_CPUS);
		break;
	case OP_RELEASE:
		h = a & 1 && run.heap[1];
		for (node = heap_first_node(run.heap[h]); node; node = heap_next_node(node))
			heap_scavenge(node, U64_MAX, true);
		break;
	case OP_EXTEND:
		heap_space_extend(&goalloc_space, (unsigned long)world.base +
				  (WORLD_PAGES << GOALLOC_PAGE_SHIFT), -1);
		break;
	case OP_GRACE:
		sim_grace_period();
		break;
	default:
		break;
	}
	from_task(&old);
}

static void step(bool nested)
{
	enum op op = run.data[0] % NR_OPS;
	u8 a = run.data[1];
	u16 c = run.data[2] | run.data[3] << 8;

	run.data += INPUT_OP;
	run.left -= INPUT_OP;
	switch (op) {
	case OP_ALLOC:
	case OP_TINY:
	case OP_ALIGNED:
	case OP_NODE:
		op_alloc(op, a, c);
		return;
	case OP_BULK:
		op_bulk(a, c);
		return;
	case OP_FREE:
	case OP_SENSITIVE:
		if (run.nr)
			free_one(c % run.nr, op == OP_SENSITIVE);
		return;
	case OP_FREE_MANY:
		op_free_many(a, c);
		return;
	case OP_REALLOC:
		op_realloc(a, c);
		return;
	case OP_SOURCE:
		world.fail_in = c & 15;
		world.fail_for = c >> 4 & 7;
		world.max_extent = a & 15 ? 1ULL << (a & 7) : 0;
		world.clean = a & 16;
		world.scatter = a & 32;
		return;
	case OP_META:
		sim.fail_in = c & 15;
		sim.fail_for = c >> 4 & 7;
		return;
	default:
		break;
	}
	/* The rest is nothing to be done in the midst of something else. */
	if (nested)
		return;
	switch (op) {
	case OP_CPU:
		sim.cpu = a % SIM_CPUS;
		break;
	case OP_LEVEL:
		set_level(a % 4, a & 4);
		break;
	case OP_NEST:
		run.nest_in = 1 + c % 64;
		run.nest_how = a;
		break;
	case OP_INIT:
		sim.init_on_alloc = a & 1;
		sim.init_on_free = a & 2;
		break;
	default:
		quiet(op, a, c);
	}
}

/* Something else could run here: does it, and what? */
static void hook(void)
{
	struct sim_machine old = sim;
	unsigned int level = 1 + run.nest_how % 3;
	bool migrate = false;

	if (run.nested || run.still || !run.nest_in || --run.nest_in || run.left < INPUT_OP)
		return;
	if (run.nest_how & 8 && !sim.locks) {
		/* Another CPU, or another task on this one. */
		if (!preemptible() || run.nest_how & 16)
			sim.cpu = (sim.cpu + 1 + run.nest_how % (SIM_CPUS - 1)) % SIM_CPUS;
		migrate = preemptible() && run.nest_how & 32;
		level = run.nest_how & 64 ? level : 0;
	} else if (sim.irqs_off || level <= interrupt_context_level()) {
		if (in_nmi())
			return;
		level = 3;
	}
	run.nested = true;
	sim.locks = 0;
	sim.readers = 0;
	set_level(level, false);
	step(true);
	sim_must(!sim.locks && !sim.readers);
	run.nested = false;
	if (!migrate)
		sim.cpu = old.cpu;
	sim.preempt = old.preempt;
	sim.irqs_off = old.irqs_off;
	sim.locks = old.locks;
	sim.readers = old.readers;
}

/* Somebody waits until there is memory: let there be some. */
static void wait_for_memory(void)
{
	world.fail_for = 0;
	world.max_extent = 0;
	sim.fail_for = 0;
	if (run.nr) {
		free_one(run.nr - 1, false);
		return;
	}
	/* Nothing lives any more: what other heaps and caches hoard. */
	world.budget += 16;
	if (world.budget > WORLD_PAGES)
		sim_die("waits for memory for ever");
}

static struct goalloc_heap *make_heap(const char *name, const struct goalloc_heap_attr *attr)
{
	struct goalloc_heap *heap = goalloc_heap_create(name, attr);

	while (IS_ERR(heap)) {
		sim_must(PTR_ERR(heap) == -ENOMEM && sim.fail_for + sim.failed);
		heap = goalloc_heap_create(name, attr);
	}
	return heap;
}

static void begin(const u8 *head)
{
	struct goalloc_heap_attr attr = {};

	memset(&sim, 0, sizeof(sim));
	memset(&run, 0, sizeof(run));
	sim.nodes = 1 + (head[0] & 1);
	sim.init_on_alloc = (head[0] & 6) == 6;
	sim.init_on_free = (head[0] & 24) == 24;
	world_begin(sim.nodes, 64 + head[1] * 32UL);
	world.clean = head[0] & 32;
	sim_must(!heap_space_init(&goalloc_space));
	sim.fail_in = head[2] & 31;
	sim.fail_for = head[2] >> 5;
	if (head[3] & 15) {
		attr.limit = (size_t)(head[3] & 15) << 18;
		run.limited = true;
	}
	/* Few bytes in caches, from too few for any span to enough for most. */
	if (head[3] >> 4)
		attr.cache_max = SIM_CPUS * (2048UL << ((head[3] >> 4) % 8));
	run.heap[0] = make_heap("first", &attr);
	if (head[0] & 64)
		run.heap[1] = make_heap("second", NULL);
	sim.fail_in = 0;
	sim.fail_for = 0;
	cache_make_default(run.heap[0]);
	sim.hook = hook;
	sim.wait = wait_for_memory;
}

static void end(bool force)
{
	unsigned int h;

	to_task();
	check_all();
	if (!force)
		while (run.nr)
			free_one(0, false);
	for (h = 0; h < NR_HEAPS; h++)
		sim_must(!goalloc_heap_destroy(run.heap[h], force));
	goalloc_default = NULL;
	world_end();
}

void run_input(const u8 *data, size_t size)
{
	if (size < INPUT_HEAD)
		return;
	begin(data);
	run.data = data + INPUT_HEAD;
	run.left = size - INPUT_HEAD;
	while (run.left >= INPUT_OP) {
		step(false);
		sim_must(!sim.locks && !sim.readers && !sim.mutexes);
	}
	end(data[0] & 128);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_input(data, size);
	return 0;
}
