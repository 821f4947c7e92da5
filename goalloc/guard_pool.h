/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool of guard objects, as guard.c (objects), guard_page.c (pages) and
 * guard_fault.c (faults) share it.
 */
#ifndef GOALLOC_GUARD_POOL_H
#define GOALLOC_GUARD_POOL_H

#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "guard.h"

/* What goalloc writes around an object, by address. */
#define GUARD_CANARY(addr) ((u8)(0xaa ^ ((addr) & 7)))
#define GUARD_CANARY_WORD 0xadacafaea9a8abaaULL

/* So many slots are the most: 64 MiB of pages. */
#define GUARD_MAX_SLOTS 16384U

/* From a fault or a free to the work that cleans up behind it. */
#define GUARD_DELAY_MS 100

/* Return addresses kept of an allocation and of a free. */
#define GUARD_STACK_DEPTH 16

/**
 * enum guard_state - what a slot is
 * @GUARD_FREE: unmapped; waits to be used again
 * @GUARD_BUSY: in the hands of one who allocates or frees it
 * @GUARD_LIVE: an object
 */
enum guard_state {
	GUARD_FREE,
	GUARD_BUSY,
	GUARD_LIVE,
};

/**
 * struct guard_track - who allocated or freed an object, and when
 * @ns: monotonic time in nanoseconds; 0 if it has not happened
 * @pid: task that ran
 * @cpu: CPU it ran on
 * @nr: entries in @entry
 * @entry: return addresses, the innermost first
 */
struct guard_track {
	u64 ns;
	pid_t pid;
	u32 cpu;
	u32 nr;
	unsigned long entry[GUARD_STACK_DEPTH];
};

/**
 * struct guard_slot - one page for one object
 * @state: enum guard_state. GUARD_LIVE is left by cmpxchg(), GUARD_FREE under
 *         guard_pool.lock, GUARD_BUSY by who has the slot in hand.
 * @told: what is wrong with the present object was reported
 * @page: address of the page
 * @pte: its page table entry
 * @mapped: the entry's value while the page is mapped
 * @addr: address of the object; of the last one if there is none
 * @size: bytes requested of it; 0 if there never was one
 * @heap: heap it is, or was, of; not to be followed while there is no object
 * @name: that heap's name
 * @alloc: its allocation
 * @free: its free
 * @fifo: place in guard_pool.fifo, its lock
 * @freed: place in guard_pool.freed
 *
 * Fields without a lock are written by who has the slot in hand (GUARD_BUSY),
 * before a release of @state. A report of a fault reads them while that may
 * happen; what it says is then of the last object or the next one.
 */
struct guard_slot {
	atomic_t state;
	unsigned long told;
	unsigned long page;
	pte_t *pte;
	pte_t mapped;
	unsigned long addr;
	u32 size;
	struct goalloc_heap *heap;
	char name[HEAP_NAME_LEN];
	struct guard_track alloc;
	struct guard_track free;
	struct list_head fifo;
	struct llist_node freed;
};

/**
 * struct guard_pool - all there is
 * @lock: guards @fifo and the step from GUARD_FREE to another state; interrupts
 *        off, only tried in NMI. Nothing is called under it that can allocate,
 *        sleep or print.
 * @base: address of the area, which begins with an unmapped page
 * @bytes: length of the area, 0 while there is none
 * @nr: number of slots; slot i has page 2 * i + 1 of the area
 * @slot: slots
 * @page: page of each slot, and last the sink
 * @sink: page table entry of the page that stands in, after a fault, where the
 *        area has none
 * @fifo: free slots, the one that was freed first in front. @lock.
 * @freed: slots freed since, the last one in front; no lock
 * @next: jiffies at which the next allocation is due. By cmpxchg().
 * @interval: jiffies from one to the next
 * @sides: counts allocations, for the coin that is tossed
 * @exposed: pages of the area that were mapped after a fault; bit per page
 * @kicked: bit 0: @kick is on its way
 * @kick: from any context to @work
 * @work: unmaps and flushes
 * @live: objects
 * @allocs: see struct guard_stats, as the following
 * @full: see there
 * @faults: see there
 * @damaged: see there
 */
struct guard_pool {
	raw_spinlock_t lock;
	unsigned long base;
	unsigned long bytes;
	unsigned int nr;
	struct guard_slot *slot;
	struct page **page;
	pte_t sink;
	struct list_head fifo;
	struct llist_head freed;
	unsigned long next;
	unsigned long interval;
	atomic_t sides;
	unsigned long *exposed;
	unsigned long kicked;
	struct irq_work kick;
	struct delayed_work work;
	atomic_long_t live;
	atomic_long_t allocs;
	atomic_long_t full;
	atomic_long_t faults;
	atomic_long_t damaged;
};

extern struct guard_pool guard_pool;

/* Number of the area's page that an address lies in. */
static inline unsigned long guard_page_nr(unsigned long addr)
{
	return (addr - guard_pool.base) >> PAGE_SHIFT;
}

/* The slot whose page an address lies in, or NULL. */
static inline struct guard_slot *guard_slot_of(unsigned long addr)
{
	unsigned long nr = guard_page_nr(addr);

	return nr & 1 ? &guard_pool.slot[nr / 2] : NULL;
}

int guard_pages_init(void);
void guard_pages_destroy(void);
void guard_map(struct guard_slot *slot);
void guard_unmap(struct guard_slot *slot);
void guard_expose(unsigned long addr);

int guard_fault_init(void);
void guard_fault_exit(void);
void guard_report_damage(struct guard_slot *slot, unsigned long from, unsigned long to);
void guard_report_tracks(const struct guard_slot *slot);

#endif /* GOALLOC_GUARD_POOL_H */
