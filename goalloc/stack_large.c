// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks of 32 KiB and more: each has pages of its own.
 *
 * They are large objects of the heap as long as there are so many pages in a row. Else
 * they are mapped, and an xarray knows them by their first page; they are charged to the
 * heap as its own pages are, and are in its ledger.
 *
 * Locks: none but those of the heap.
 */
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "limit.h"
#include "stack.h"

static unsigned long stack_map_index(const void *p)
{
	return (unsigned long)p >> PAGE_SHIFT;
}

static u64 stack_map_pages(size_t size)
{
	return size >> GOALLOC_PAGE_SHIFT;
}

/* Pages that are not in a row. */
static void *stack_alloc_mapped(struct goalloc_stacks *stacks, size_t size, gfp_t gfp)
{
	struct goalloc_heap *heap = stacks->heap;
	u64 npages = stack_map_pages(size);
	void *p;

	limit_make_room(heap, npages);
	if (!limit_charge(heap, npages, gfp))
		return NULL;
	p = __vmalloc(size, gfp);
	if (!p)
		goto fail;
	if (xa_err(xa_store(&stacks->mapped, stack_map_index(p),
			    xa_mk_value(size >> PAGE_SHIFT), gfp & GFP_KERNEL)))
		goto fail_store;
	/* In this order, see stack_ledger(). */
	atomic64_add(npages, &stacks->mapped_ever);
	atomic64_add(npages, &heap->mapped);
	return p;
fail_store:
	vfree(p);
fail:
	limit_uncharge(heap, npages);
	return NULL;
}

static void stack_free_mapped(struct goalloc_stacks *stacks, void *p, size_t size)
{
	u64 npages = stack_map_pages(size);

	xa_erase(&stacks->mapped, stack_map_index(p));
	vfree(p);
	atomic64_sub(npages, &stacks->heap->mapped);
	limit_uncharge(stacks->heap, npages);
}

/**
 * stack_mapped_size - is it a stack that is mapped?
 * @stacks: where it should be from
 * @p: its lowest byte
 *
 * Context: Any but an interrupt.
 * Return: bytes; 0 if not.
 */
size_t stack_mapped_size(struct goalloc_stacks *stacks, const void *p)
{
	void *entry = PAGE_ALIGNED(p) ? xa_load(&stacks->mapped, stack_map_index(p)) : NULL;

	return entry ? xa_to_value(entry) << PAGE_SHIFT : 0;
}

/**
 * stack_alloc_large - get a stack that has pages of its own
 * @stacks: where from
 * @size: bytes, 32 KiB or more
 * @gfp: how to try; what may not sleep gets no mapped one
 *
 * Context: Any that @gfp allows, but an interrupt.
 * Return: the stack, or NULL.
 */
void *stack_alloc_large(struct goalloc_stacks *stacks, size_t size, gfp_t gfp)
{
	struct stack_cpu *cpu = raw_cpu_ptr(stacks->cpus);
	bool may_map = gfpflags_allow_blocking(gfp);
	struct stack_span *ss;
	void *p = NULL;

	if (size <= GOALLOC_MAX_SIZE)
		p = heap_alloc_large(stacks->heap, size, 1, may_map ?
				     gfp | __GFP_NORETRY | __GFP_NOWARN : gfp, numa_mem_id());
	if (p) {
		ss = stack_span_of(stacks, p);
		ss->order = STACK_ORDERS;
		WRITE_ONCE(ss->state[0], STACK_OUT);
	} else {
		p = may_map ? stack_alloc_mapped(stacks, size, gfp) : NULL;
		if (!p)
			return NULL;
	}
	atomic64_add(size, &stacks->large);
	spin_lock(&cpu->lock);
	cpu->allocs++;
	spin_unlock(&cpu->lock);
	return p;
}

/**
 * stack_free_large - free a stack that has pages of its own
 * @stacks: where it is from
 * @p: its lowest byte
 * @size: bytes
 *
 * Context: Any but an interrupt; may sleep if it is mapped.
 */
void stack_free_large(struct goalloc_stacks *stacks, void *p, size_t size)
{
	struct goalloc_span *span = pagemap_span(&stacks->heap->space->map, (unsigned long)p);

	atomic64_sub(size, &stacks->large);
	if (span)
		heap_free_large(span);
	else
		stack_free_mapped(stacks, p, size);
}

/**
 * stack_ledger - what a source of stacks knows better than the heap below it
 * @stacks: the source
 * @st: the heap's statistics, which count each span as an object and no mapped stacks
 *
 * Context: Any but an interrupt.
 */
void stack_ledger(struct goalloc_stacks *stacks, struct goalloc_stats *st)
{
	/* The first of these grows before the second. */
	u64 mapped = (u64)atomic64_read(&stacks->heap->mapped) << GOALLOC_PAGE_SHIFT;
	u64 ever = (u64)atomic64_read(&stacks->mapped_ever) << GOALLOC_PAGE_SHIFT;
	struct goalloc_stacks_stats ss;
	u64 idle;

	goalloc_stacks_get_stats(stacks, &ss);
	st->allocs = ss.allocs;
	st->frees = ss.frees;
	st->live_objects = ss.allocs - ss.frees;
	/* Others go on meanwhile. */
	idle = min(ss.cached_bytes + ss.pool_bytes, st->live_bytes);
	st->cached_bytes += idle - min(idle, ss.pool_bytes);
	st->central_bytes += min(idle, ss.pool_bytes);
	st->live_bytes += mapped - idle;
	st->grown_bytes += ever;
	st->released_bytes += ever - mapped;
}
