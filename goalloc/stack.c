// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks: where they come from.
 *
 * As in Go, stacks of 2 to 16 KiB are cut from spans of 32 KiB, by order; a CPU has a
 * list of each order, fetches half of what it may keep from the order's pool when it is
 * empty, and brings half back when it is full. A span all of whose stacks are free goes
 * back to the heap at once. Larger stacks are spans of their own, see stack_large.c.
 *
 * A span is a large object of a heap of their own, so its pages, limit and ledger are
 * the heap's. The record that large objects of this heap have is its struct stack_span,
 * so a stack is found by its address, and whether it is one.
 *
 * A list's link is in the first words of a free stack; to KASAN the rest of it is closed.
 *
 * Locks: stack_cpu.lock, stack_pool.lock; see stack.h.
 */
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "api.h"
#include "compat.h"
#include "report.h"
#include "sanitize.h"
#include "stack.h"

/* A stack in a CPU's list: the next one, and where its state is, which saves a search. */
struct stack_cached {
	struct stack_cached *next;
	u8 *state;
};

/* Free from here on, but for its links. */
static __always_inline void stack_close(void *p, size_t size)
{
	sanitize_close(p + sizeof(struct stack_cached), size - sizeof(struct stack_cached));
}

/* A new span with all its stacks free, in no list. */
static struct stack_span *stack_span_new(struct goalloc_stacks *stacks, unsigned int order,
					 gfp_t gfp)
{
	size_t size = stack_order_bytes(order), at;
	struct stack_span *ss;
	char *base;

	base = heap_alloc_large(stacks->heap, STACK_SPAN_BYTES, STACK_SPAN_BYTES, gfp,
				numa_mem_id());
	if (!base)
		return NULL;
	ss = stack_span_of(stacks, base);
	INIT_LIST_HEAD(&ss->list);
	ss->order = order;
	ss->nr_out = 0;
	ss->free = NULL;
	memset(ss->state, STACK_FREE, sizeof(ss->state));
	for (at = STACK_SPAN_BYTES; at; at -= size) {
		void **link = (void **)(base + at - size);

		*link = ss->free;
		ss->free = link;
		stack_close(link, size);
	}
	return ss;
}

/* Of a span that is in no list, and whose stacks are all free. */
static void stack_span_free(struct goalloc_stacks *stacks, struct stack_span *ss)
{
	heap_free_large(pagemap_span(&stacks->heap->space->map, (unsigned long)ss->free));
}

/* A stack out of its pool, for somebody's list or hands. */
static void *stack_pool_take(struct goalloc_stacks *stacks, unsigned int order, bool grow,
			     gfp_t gfp)
{
	struct stack_pool *pool = &stacks->pool[order];
	unsigned int slots = STACK_SPAN_BYTES / stack_order_bytes(order);
	struct stack_span *ss;
	void *p;

	spin_lock(&pool->lock);
	ss = list_first_entry_or_null(&pool->spans, struct stack_span, list);
	if (!ss) {
		spin_unlock(&pool->lock);
		if (!grow)
			return NULL;
		ss = stack_span_new(stacks, order, gfp);
		if (!ss)
			return NULL;
		spin_lock(&pool->lock);
		list_add(&ss->list, &pool->spans);
		pool->nr_spans++;
		pool->nr_free += slots;
	}
	p = ss->free;
	ss->free = *(void **)p;
	ss->nr_out++;
	pool->nr_free--;
	if (!ss->free)
		list_del_init(&ss->list);
	*stack_state(stacks, p) = STACK_CACHED;
	spin_unlock(&pool->lock);
	return p;
}

/* Back to its pool, from somebody's list. */
static void stack_pool_put(struct goalloc_stacks *stacks, void *p)
{
	struct stack_span *ss = stack_span_of(stacks, p);
	struct stack_pool *pool = &stacks->pool[ss->order];
	bool empty;

	spin_lock(&pool->lock);
	*stack_state(stacks, p) = STACK_FREE;
	*(void **)p = ss->free;
	if (!ss->free)
		list_add(&ss->list, &pool->spans);
	ss->free = p;
	pool->nr_free++;
	empty = !--ss->nr_out;
	if (empty) {
		list_del_init(&ss->list);
		pool->nr_spans--;
		pool->nr_free -= STACK_SPAN_BYTES / stack_order_bytes(ss->order);
	}
	spin_unlock(&pool->lock);
	if (empty)
		stack_span_free(stacks, ss);
}

/* Fetch half of what a CPU may keep, and one for the caller. */
static void *stack_refill(struct goalloc_stacks *stacks, unsigned int order, gfp_t gfp)
{
	unsigned int nr = STACK_CACHE_BYTES / 2 / stack_order_bytes(order);
	void *p = stack_pool_take(stacks, order, true, gfp);
	struct stack_cached *more;
	struct stack_cpu *cpu;

	if (!p)
		return NULL;
	while (--nr) {
		/* What there is: a list is no reason to take pages. */
		more = stack_pool_take(stacks, order, false, gfp);
		if (!more)
			break;
		cpu = raw_cpu_ptr(stacks->cpus);
		spin_lock(&cpu->lock);
		more->state = stack_state(stacks, more);
		more->next = cpu->first[order];
		cpu->first[order] = more;
		cpu->nr[order]++;
		spin_unlock(&cpu->lock);
	}
	return p;
}

/* Bring stacks of a list back until it has @keep. */
static u64 stack_release(struct goalloc_stacks *stacks, struct stack_cpu *cpu,
			 unsigned int order, unsigned int keep)
{
	struct stack_cached *p;
	u64 bytes = 0;

	for (;;) {
		spin_lock(&cpu->lock);
		p = cpu->nr[order] > keep ? cpu->first[order] : NULL;
		if (p) {
			cpu->first[order] = p->next;
			cpu->nr[order]--;
		}
		spin_unlock(&cpu->lock);
		if (!p)
			return bytes;
		stack_pool_put(stacks, p);
		bytes += stack_order_bytes(order);
	}
}

static void *stack_alloc_small(struct goalloc_stacks *stacks, unsigned int order, gfp_t gfp)
{
	/* Which CPU's does not matter, as it has a lock. */
	struct stack_cpu *cpu = raw_cpu_ptr(stacks->cpus);
	struct stack_cached *p;

	spin_lock(&cpu->lock);
	p = cpu->first[order];
	if (likely(p)) {
		cpu->first[order] = p->next;
		cpu->nr[order]--;
		cpu->allocs++;
		spin_unlock(&cpu->lock);
		WRITE_ONCE(*p->state, STACK_OUT);
		sanitize_open(p, stack_order_bytes(order));
		return p;
	}
	spin_unlock(&cpu->lock);
	p = stack_refill(stacks, order, gfp);
	if (!p)
		return NULL;
	spin_lock(&cpu->lock);
	cpu->allocs++;
	spin_unlock(&cpu->lock);
	WRITE_ONCE(*stack_state(stacks, p), STACK_OUT);
	sanitize_open(p, stack_order_bytes(order));
	return p;
}

/* See <goalloc_stack.h> for this and what follows. */
int goalloc_stack_alloc(struct goalloc_stacks *stacks, struct goalloc_stack *stack, size_t min,
			gfp_t flags)
{
	size_t size = GOALLOC_STACK_MIN;

	*stack = (struct goalloc_stack){};
	if (unlikely(min > stacks->max))
		return -EOVERFLOW;
	if (min > size)
		size = roundup_pow_of_two(min);
	if (size < STACK_SPAN_BYTES)
		stack->base = stack_alloc_small(stacks, ilog2(size / GOALLOC_STACK_MIN), flags);
	else
		stack->base = stack_alloc_large(stacks, size, flags);
	if (!stack->base) {
		atomic64_inc(&stacks->heap->nr_failed);
		return -ENOMEM;
	}
	stack->size = size;
	if (unlikely(stacks->flags & GOALLOC_STACK_GUARD))
		stack_guard_arm(stacks, stack);
	return 0;
}
EXPORT_SYMBOL_GPL(goalloc_stack_alloc);

/**
 * stack_is_ours - is it a stack that is in use?
 * @stacks: where it should be from
 * @stack: the stack
 * @where: what was called, for the report
 * @caller: and by whom
 *
 * Context: Any but an interrupt.
 * Return: false if not, which was reported.
 */
bool stack_is_ours(struct goalloc_stacks *stacks, const struct goalloc_stack *stack,
		   const char *where, unsigned long caller)
{
	const char *wrong = NULL;
	struct stack_ref ref;
	size_t size;

	if (likely(stack_find(stacks, stack->base, &ref))) {
		size = ref.ss->order < STACK_ORDERS ? stack_order_bytes(ref.ss->order) :
						      ref.span->asked;
		if (ref.at & (size - 1) || stack->size != size)
			wrong = "no stack of that size begins there";
		else if (READ_ONCE(*stack_ref_state(&ref)) != STACK_OUT)
			wrong = "it was freed already";
	} else {
		size = stack_mapped_size(stacks, stack->base);
		if (!size)
			wrong = "it is no stack of these";
		else if (stack->size != size)
			wrong = "no stack of that size begins there";
	}
	if (likely(!wrong))
		return true;
	report_stack(stacks, stack->base, where, wrong, caller);
	return false;
}

/* One that is large, or wrong. */
static noinline void stack_free_slow(struct goalloc_stacks *stacks, struct goalloc_stack *stack,
				     unsigned long caller)
{
	struct goalloc_stack old = *stack;
	struct stack_cpu *cpu;

	if (!old.base || !stack_is_ours(stacks, stack, "goalloc_stack_free", caller))
		return;
	*stack = (struct goalloc_stack){};
	stack_free_large(stacks, old.base, old.size);
	cpu = raw_cpu_ptr(stacks->cpus);
	spin_lock(&cpu->lock);
	cpu->frees++;
	spin_unlock(&cpu->lock);
}

void goalloc_stack_free(struct goalloc_stacks *stacks, struct goalloc_stack *stack)
{
	struct stack_cached *p = stack->base;
	struct stack_cpu *cpu;
	struct stack_ref ref;
	unsigned int order;
	bool full;
	u8 *state;

	if (unlikely(stacks->flags & GOALLOC_STACK_GUARD) && p &&
	    stack_is_ours(stacks, stack, __func__, _RET_IP_))
		stack_guard_check(stacks, stack, _RET_IP_);
	if (unlikely(!stack_find(stacks, p, &ref)))
		goto slow;
	order = ref.ss->order;
	if (unlikely(order == STACK_ORDERS || stack->size != stack_order_bytes(order) ||
		     ref.at & (stack->size - 1)))
		goto slow;
	state = stack_ref_state(&ref);
	if (unlikely(READ_ONCE(*state) != STACK_OUT))
		goto slow;
	WRITE_ONCE(*state, STACK_CACHED);
	*stack = (struct goalloc_stack){};
	p->state = state;
	stack_close(p, stack_order_bytes(order));
	cpu = raw_cpu_ptr(stacks->cpus);
	spin_lock(&cpu->lock);
	p->next = cpu->first[order];
	cpu->first[order] = p;
	full = ++cpu->nr[order] >= STACK_CACHE_BYTES / GOALLOC_STACK_MIN >> order;
	cpu->frees++;
	spin_unlock(&cpu->lock);
	if (unlikely(full))
		stack_release(stacks, cpu, order,
			      STACK_CACHE_BYTES / 2 / stack_order_bytes(order));
	return;
slow:
	stack_free_slow(stacks, stack, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_stack_free);

/**
 * stack_cpu_used - has a CPU stacks in its lists?
 * @heap: any heap
 * @cpu: the CPU
 *
 * Context: Any.
 * Return: true if so.
 */
bool stack_cpu_used(const struct goalloc_heap *heap, unsigned int cpu)
{
	/* Pairs with goalloc_stacks_create(). */
	struct goalloc_stacks *stacks = smp_load_acquire(&heap->stacks);
	unsigned int order, nr = 0;

	if (likely(!stacks))
		return false;
	for (order = 0; order < STACK_ORDERS; order++)
		/* Its owner goes on: what stood there a moment ago will do. */
		nr += data_race(READ_ONCE(per_cpu_ptr(stacks->cpus, cpu)->nr[order]));
	return nr;
}
GOALLOC_EXPORT_KUNIT(stack_cpu_used);

/**
 * stack_cpu_activity - a number that changes when a CPU uses its lists
 * @heap: any heap
 * @cpu: the CPU
 *
 * Context: Any.
 * Return: the number.
 */
u64 stack_cpu_activity(const struct goalloc_heap *heap, unsigned int cpu)
{
	/* Pairs with goalloc_stacks_create(). */
	struct goalloc_stacks *stacks = smp_load_acquire(&heap->stacks);
	struct stack_cpu *c;

	if (likely(!stacks))
		return 0;
	c = per_cpu_ptr(stacks->cpus, cpu);
	/* As above. */
	return data_race(READ_ONCE(c->allocs)) + data_race(READ_ONCE(c->frees));
}
GOALLOC_EXPORT_KUNIT(stack_cpu_activity);

/**
 * stack_drain_cpu - give back what is in a CPU's lists
 * @heap: any heap
 * @cpu: the CPU
 *
 * Context: Any but an interrupt.
 * Return: bytes of stacks.
 */
u64 stack_drain_cpu(struct goalloc_heap *heap, unsigned int cpu)
{
	/* Pairs with goalloc_stacks_create(). */
	struct goalloc_stacks *stacks = smp_load_acquire(&heap->stacks);
	unsigned int order;
	u64 bytes = 0;

	if (likely(!stacks))
		return 0;
	for (order = 0; order < STACK_ORDERS; order++)
		bytes += stack_release(stacks, per_cpu_ptr(stacks->cpus, cpu), order, 0);
	return bytes;
}
GOALLOC_EXPORT_KUNIT(stack_drain_cpu);

u64 goalloc_stacks_drain(struct goalloc_stacks *stacks)
{
	unsigned int cpu;
	u64 bytes = 0;

	for_each_possible_cpu(cpu)
		bytes += stack_drain_cpu(stacks->heap, cpu);
	return bytes;
}
EXPORT_SYMBOL_GPL(goalloc_stacks_drain);

void goalloc_stacks_get_stats(struct goalloc_stacks *stacks, struct goalloc_stacks_stats *st)
{
	u64 large = atomic64_read(&stacks->large);
	unsigned int cpu, order;

	*st = (struct goalloc_stacks_stats){
		.span_bytes = large,
		.mapped_bytes = (u64)atomic64_read(&stacks->heap->mapped) << GOALLOC_PAGE_SHIFT,
		.grown = atomic64_read(&stacks->grown),
		.shrunk = atomic64_read(&stacks->shrunk),
		.copied_bytes = atomic64_read(&stacks->copied),
	};
	for_each_possible_cpu(cpu) {
		struct stack_cpu *c = per_cpu_ptr(stacks->cpus, cpu);

		spin_lock(&c->lock);
		st->allocs += c->allocs;
		st->frees += c->frees;
		for (order = 0; order < STACK_ORDERS; order++)
			st->cached_bytes += c->nr[order] * stack_order_bytes(order);
		spin_unlock(&c->lock);
	}
	for (order = 0; order < STACK_ORDERS; order++) {
		struct stack_pool *pool = &stacks->pool[order];

		spin_lock(&pool->lock);
		st->span_bytes += pool->nr_spans * STACK_SPAN_BYTES;
		st->pool_bytes += pool->nr_free * stack_order_bytes(order);
		spin_unlock(&pool->lock);
	}
	/* Others go on meanwhile. */
	st->used_bytes = st->span_bytes - min(st->span_bytes, st->cached_bytes + st->pool_bytes);
}
EXPORT_SYMBOL_GPL(goalloc_stacks_get_stats);

static const char *stacks_attr_wrong(const struct goalloc_stacks_attr *attr)
{
	if (!attr)
		return NULL;
	if (attr->flags & ~GOALLOC_STACK_GUARD)
		return "it has flags that are not there";
	if (attr->max && (attr->max < GOALLOC_STACK_MIN || attr->max > STACK_MAX_MAX ||
			  !is_power_of_2(attr->max)))
		return "its max must be a power of two from GOALLOC_STACK_MIN to 1 GiB";
	return NULL;
}

struct goalloc_stacks *goalloc_stacks_create(const char *name,
					     const struct goalloc_stacks_attr *attr)
{
	const struct goalloc_heap_attr heap_attr = { .limit = attr ? attr->limit : 0 };
	const char *wrong = stacks_attr_wrong(attr);
	struct goalloc_stacks *stacks;
	unsigned int cpu, order;

	if (wrong) {
		report_bad_attr(wrong, _RET_IP_);
		return ERR_PTR(-EINVAL);
	}
	stacks = kzalloc(sizeof(*stacks), GFP_KERNEL);
	if (!stacks)
		return ERR_PTR(-ENOMEM);
	stacks->cpus = alloc_percpu(struct stack_cpu);
	if (!stacks->cpus) {
		kfree(stacks);
		return ERR_PTR(-ENOMEM);
	}
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(stacks->cpus, cpu)->lock);
	for (order = 0; order < STACK_ORDERS; order++) {
		spin_lock_init(&stacks->pool[order].lock);
		INIT_LIST_HEAD(&stacks->pool[order].spans);
	}
	stacks->max = attr && attr->max ? attr->max : STACK_MAX;
	stacks->flags = attr ? attr->flags : 0;
	xa_init(&stacks->mapped);
	stacks->heap = api_heap_create(name, &heap_attr, _RET_IP_);
	if (IS_ERR(stacks->heap)) {
		int err = PTR_ERR(stacks->heap);

		free_percpu(stacks->cpus);
		kfree(stacks);
		return ERR_PTR(err);
	}
	stacks->heap->track_bytes = sizeof(struct stack_span);
	/* From here on it is drained with the rest; pairs with stack_drain_cpu(). */
	smp_store_release(&stacks->heap->stacks, stacks);
	return stacks;
}
EXPORT_SYMBOL_GPL(goalloc_stacks_create);

int goalloc_stacks_destroy(struct goalloc_stacks *stacks)
{
	struct goalloc_stacks_stats st;
	int err;

	if (IS_ERR_OR_NULL(stacks))
		return 0;
	goalloc_stacks_drain(stacks);
	goalloc_stacks_get_stats(stacks, &st);
	if (st.span_bytes) {
		report_stack(stacks, NULL, __func__, "stacks are in use; free them first",
			     _RET_IP_);
		return -EBUSY;
	}
	err = heap_destroy(stacks->heap, true);
	xa_destroy(&stacks->mapped);
	free_percpu(stacks->cpus);
	kfree(stacks);
	return err;
}
EXPORT_SYMBOL_GPL(goalloc_stacks_destroy);

struct goalloc_heap *goalloc_stacks_heap(const struct goalloc_stacks *stacks)
{
	return stacks->heap;
}
EXPORT_SYMBOL_GPL(goalloc_stacks_heap);
