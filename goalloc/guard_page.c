// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of the guard objects' pool: mapping and unmapping from any context.
 *
 * The pool is one vmap() area of 2n + 1 pages. Pages 1, 3, 5 ... are the slots',
 * each with the same page of memory for as long as the pool exists; those
 * between have none. The page tables of the area stay, so that mapping a page
 * is a store into its entry, and so is unmapping it.
 *
 * The CPU that unmaps a page flushes its own TLB at once. Others are told by
 * work that runs a tenth of a second later: an IPI cannot be waited for with
 * interrupts off. What remains undetected: until then, another CPU that has
 * used the object lately may use it once more after its free and find what was
 * there. It finds the slot's own memory, never anybody else's.
 *
 * After a fault the page is mapped so that the access can go on; the same work
 * unmaps it again. Where the area has no page of its own, a sink is put there,
 * one page for the whole pool.
 *
 * kmemleak looks at the pages, through the direct map, for pointers to what it
 * watches; the guarded objects themselves it does not watch.
 *
 * x86 only: neither init_mm nor set_memory_np() nor flush_tlb_kernel_range() is
 * exported; lookup_address() and __flush_tlb_all() are.
 */
#include <linux/bitmap.h>
#include <linux/jiffies.h>
#include <linux/kmemleak.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include <asm/pgtable.h>
#include <asm/tlbflush.h>

#include "compat.h"
#include "guard_pool.h"

/*
 * This CPU forgets a page. With page table isolation kernel pages are not
 * global, and INVLPG would leave those of other address spaces' PCIDs.
 */
static void guard_flush_page(unsigned long addr)
{
	if (boot_cpu_has(X86_FEATURE_PTI))
		__flush_tlb_all();
	else
		asm volatile("invlpg (%0)" : : "r" (addr) : "memory");
}

static void guard_flush_all(void *arg)
{
	__flush_tlb_all();
}

/* From any context, NMI and the middle of the scheduler included. */
static void guard_kick(void)
{
	if (!test_and_set_bit(0, &guard_pool.kicked))
		irq_work_queue(&guard_pool.kick);
}

static void guard_kick_work(struct irq_work *kick)
{
	schedule_delayed_work(&guard_pool.work, msecs_to_jiffies(GUARD_DELAY_MS));
}

/**
 * guard_map - map a slot's page
 * @slot: the slot, in the caller's hands
 *
 * Nothing is flushed: x86 does not remember that there was no page.
 *
 * Context: Any context.
 */
void guard_map(struct guard_slot *slot)
{
	set_pte(slot->pte, slot->mapped);
}

/**
 * guard_unmap - unmap a slot's page, here now and elsewhere soon
 * @slot: the slot, in the caller's hands
 *
 * Context: Any context.
 */
void guard_unmap(struct guard_slot *slot)
{
	preempt_disable();
	set_pte(slot->pte, __pte(0));
	guard_flush_page(slot->page);
	preempt_enable();
	guard_kick();
}

/**
 * guard_expose - map the page that an access faulted at, for a while
 * @addr: address in the pool
 *
 * Context: Any context.
 */
void guard_expose(unsigned long addr)
{
	struct guard_slot *slot = guard_slot_of(addr);
	unsigned int level;

	if (slot)
		guard_map(slot);
	else
		set_pte(lookup_address(addr, &level), guard_pool.sink);
	set_bit(guard_page_nr(addr), guard_pool.exposed);
	guard_kick();
}

/* Unmap what a fault has mapped, unless it is an object by now. */
static void guard_conceal(unsigned long nr)
{
	unsigned long addr = guard_pool.base + (nr << PAGE_SHIFT);
	struct guard_slot *slot = guard_slot_of(addr);
	unsigned long flags;
	unsigned int level;

	clear_bit(nr, guard_pool.exposed);
	if (!slot) {
		set_pte(lookup_address(addr, &level), __pte(0));
		return;
	}
	/* The lock keeps a free slot from becoming an object. */
	raw_spin_lock_irqsave(&guard_pool.lock, flags);
	if (atomic_read(&slot->state) == GUARD_FREE)
		set_pte(slot->pte, __pte(0));
	raw_spin_unlock_irqrestore(&guard_pool.lock, flags);
}

static void guard_clean_up(struct work_struct *work)
{
	struct guard_pool *pool = &guard_pool;
	unsigned long nr;

	clear_bit(0, &pool->kicked);
	/* Whatever is not seen below kicks anew; pairs with test_and_set_bit(). */
	smp_mb__after_atomic();
	for_each_set_bit(nr, pool->exposed, 2 * pool->nr + 1)
		guard_conceal(nr);
	on_each_cpu(guard_flush_all, NULL, 1);
}

/**
 * guard_settle - wait for the work behind frees and faults, for tests
 *
 * Context: Process context, may sleep.
 */
void guard_settle(void)
{
	irq_work_sync(&guard_pool.kick);
	flush_delayed_work(&guard_pool.work);
}
GOALLOC_EXPORT_KUNIT(guard_settle);

static bool guard_find_entries(void)
{
	struct guard_pool *pool = &guard_pool;
	unsigned long nr, addr;
	unsigned int level;
	pte_t *pte;

	for (nr = 0; nr <= 2 * pool->nr; nr++) {
		addr = pool->base + (nr << PAGE_SHIFT);
		pte = lookup_address(addr, &level);
		if (!pte || level != PG_LEVEL_4K || !pte_present(*pte))
			return false;
		if (nr & 1) {
			pool->slot[nr / 2].page = addr;
			pool->slot[nr / 2].pte = pte;
			pool->slot[nr / 2].mapped = *pte;
		} else {
			pool->sink = *pte;
		}
		set_pte(pte, __pte(0));
	}
	on_each_cpu(guard_flush_all, NULL, 1);
	return true;
}

static void guard_free_pages(void)
{
	struct guard_pool *pool = &guard_pool;
	unsigned int i;

	for (i = 0; pool->page && i <= pool->nr; i++) {
		if (!pool->page[i])
			continue;
		kmemleak_free(page_address(pool->page[i]));
		__free_page(pool->page[i]);
	}
	kvfree(pool->page);
	bitmap_free(pool->exposed);
	pool->page = NULL;
	pool->exposed = NULL;
}

/**
 * guard_pages_init - make the pool's area, all of it unmapped
 *
 * guard_pool.nr and .slot are set already.
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -EOPNOTSUPP where the page tables are not ours to
 *         change.
 */
int guard_pages_init(void)
{
	struct guard_pool *pool = &guard_pool;
	unsigned int pages = 2 * pool->nr + 1;
	struct page **layout;
	unsigned int i;
	void *area = NULL;
	int err = -ENOMEM;

	if (boot_cpu_has(X86_FEATURE_XENPV))
		return -EOPNOTSUPP;
	init_irq_work(&pool->kick, guard_kick_work);
	INIT_DELAYED_WORK(&pool->work, guard_clean_up);
	pool->kicked = 0;
	layout = kvcalloc(pages, sizeof(*layout), GFP_KERNEL);
	pool->page = kvcalloc(pool->nr + 1, sizeof(*pool->page), GFP_KERNEL);
	pool->exposed = bitmap_zalloc(pages, GFP_KERNEL);
	if (!layout || !pool->page || !pool->exposed)
		goto fail;
	for (i = 0; i <= pool->nr; i++) {
		pool->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pool->page[i])
			goto fail;
		/* Where it is always mapped: whatever it points to is not lost. */
		kmemleak_alloc(page_address(pool->page[i]), PAGE_SIZE, 0, GFP_KERNEL);
	}
	for (i = 0; i < pages; i++)
		layout[i] = pool->page[i & 1 ? i / 2 : pool->nr];
	area = vmap(layout, pages, VM_MAP, PAGE_KERNEL);
	if (!area)
		goto fail;
	pool->base = (unsigned long)area;
	err = -EOPNOTSUPP;
	if (!guard_find_entries())
		goto fail;
	kvfree(layout);
	/* Last: from here on addresses are found to be in the pool. */
	WRITE_ONCE(pool->bytes, (unsigned long)pages << PAGE_SHIFT);
	return 0;

fail:
	vunmap(area);
	guard_free_pages();
	kvfree(layout);
	return err;
}

/**
 * guard_pages_destroy - give the pages back
 *
 * Nobody allocates or frees any more. While objects are live nothing is given
 * back: the area and its pages stay where they are for good.
 *
 * Context: Process context, may sleep.
 */
void guard_pages_destroy(void)
{
	struct guard_pool *pool = &guard_pool;

	irq_work_sync(&pool->kick);
	cancel_delayed_work_sync(&pool->work);
	WRITE_ONCE(pool->bytes, 0);
	if (atomic_long_read(&pool->live)) {
		kvfree(pool->page);
			bitmap_free(pool->exposed);
		pool->page = NULL;
		return;
	}
	on_each_cpu(guard_flush_all, NULL, 1);
	vunmap((void *)pool->base);
	guard_free_pages();
}
