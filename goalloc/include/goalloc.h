/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc: the Go runtime's memory allocator for kernel code.
 *
 * The functions are the kmalloc family with "go" for "k", and keep its
 * promises: a size of 0 gives ZERO_SIZE_PTR, NULL and ZERO_SIZE_PTR may be
 * freed, a failed allocation gives NULL, and an object is aligned to the
 * largest power of two that divides the requested size, up to PAGE_SIZE, and
 * to 8 bytes at least.
 *
 * What differs from kmalloc:
 *  - an object of more than 128 bytes is at most 19% larger than the request
 *    (33% where the alignment above asks for it), 5% on the average over all
 *    sizes, where kmalloc rounds up to a power of two;
 *  - no byte of an object, live or free, belongs to the allocator;
 *  - every free is checked; a free of anything that is not the start of a live
 *    object of the right heap is refused, reported and counted.
 *
 * Memory is always directly mapped and physically contiguous, except what
 * gokvalloc() returns, and guarded objects where they were asked for.
 */
#ifndef GOALLOC_H
#define GOALLOC_H

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/types.h>

/*
 * GOALLOC_MAX_SMALL_SIZE - largest size in bytes that is served from a size
 * class; larger requests take whole pages of GOALLOC_PAGE_SIZE bytes.
 * GOALLOC_MAX_SIZE - largest size in bytes that goalloc() can serve: one block
 * of the buddy allocator's largest order. gokvalloc() goes further.
 */
#define GOALLOC_MAX_SMALL_SIZE 32768UL
#ifdef MAX_PAGE_ORDER
#define GOALLOC_MAX_SIZE (PAGE_SIZE << MAX_PAGE_ORDER)
#else
#define GOALLOC_MAX_SIZE (PAGE_SIZE << (MAX_ORDER - 1))
#endif

struct goalloc_heap;

/**
 * goalloc - allocate memory
 * @size: bytes wanted, 0 to GOALLOC_MAX_SIZE
 * @flags: as for kmalloc(); __GFP_HIGHMEM, __GFP_DMA and __GFP_DMA32 are
 *         refused, create a heap for the zone instead; __GFP_ACCOUNT charges
 *         the caller's memory cgroup for objects over GOALLOC_MAX_SMALL_SIZE,
 *         and is ignored for others
 *
 * Context: Any context that @flags allows, NMI included (there, memory that is
 *          already at hand or NULL). May sleep if @flags has
 *          __GFP_DIRECT_RECLAIM.
 * Return: the object, ZERO_SIZE_PTR if @size is 0, NULL if there is no memory,
 *         @size is too large or @flags are refused.
 */
void *goalloc(size_t size, gfp_t flags) __alloc_size(1);

/**
 * goalloc_node - allocate memory on a NUMA node
 * @size: bytes wanted, 0 to GOALLOC_MAX_SIZE
 * @flags: as for goalloc(); __GFP_THISNODE forbids other nodes
 * @node: preferred node, or NUMA_NO_NODE for the local one
 *
 * Context: As goalloc().
 * Return: As goalloc().
 */
void *goalloc_node(size_t size, gfp_t flags, int node) __alloc_size(1);

/**
 * goalloc_aligned - allocate memory with a given alignment
 * @size: bytes wanted
 * @align: alignment in bytes, a power of two, up to GOALLOC_MAX_SIZE
 * @flags: as for goalloc()
 *
 * Context: As goalloc().
 * Return: As goalloc(); NULL also if @align is no power of two or too large.
 */
void *goalloc_aligned(size_t size, size_t align, gfp_t flags) __alloc_size(1);

/**
 * goalloc_tiny - allocate a small, pointer-free object, packed with others
 * @size: bytes wanted; from 16 bytes up this is goalloc()
 * @flags: as for goalloc()
 *
 * Objects under 16 bytes share 16-byte blocks, as in Go. The object has only
 * the natural alignment of its size: 8 for multiples of 8, else 4 for
 * multiples of 4, else 2 for multiples of 2, else 1. It is freed on its own
 * with gofree(), and gosize() tells exactly @size: the next object may begin
 * right behind it.
 *
 * Context: As goalloc().
 * Return: As goalloc().
 */
void *goalloc_tiny(size_t size, gfp_t flags) __alloc_size(1);

/**
 * gorealloc - change the size of an object
 * @p: object, NULL or ZERO_SIZE_PTR
 * @new_size: bytes wanted
 * @flags: as for goalloc()
 *
 * The contents are kept up to the smaller size. With __GFP_ZERO everything
 * behind the old usable size is zero, as krealloc() has it. A @new_size of 0
 * frees @p. An object that is large enough already is not moved.
 *
 * Context: As goalloc().
 * Return: the object, perhaps at a new address; ZERO_SIZE_PTR if @new_size is
 *         0; NULL if there is no memory, and then @p is still valid.
 */
void *gorealloc(const void *p, size_t new_size, gfp_t flags) __realloc_size(2) __must_check;

/**
 * gofree - free an object of the default heap
 * @p: object, NULL or ZERO_SIZE_PTR
 *
 * Anything but the start of a live object of the default heap is refused:
 * reported once per call site and kind, counted, and nothing is changed; see
 * Documentation/misuse.rst.
 *
 * Context: Any context, NMI included. Never sleeps.
 */
void gofree(const void *p);

/**
 * gofree_sensitive - clear an object and free it
 * @p: object, NULL or ZERO_SIZE_PTR
 *
 * Context: Any context. Never sleeps.
 */
void gofree_sensitive(const void *p);

/**
 * gosize - usable size of an object
 * @p: object of any goalloc heap, NULL or ZERO_SIZE_PTR
 *
 * Context: Any context.
 * Return: bytes that may be used at @p: the class size, for large objects
 *         whole pages, in a heap with red zones and of guarded objects what was
 *         requested; 0 for NULL, ZERO_SIZE_PTR and what is no live object.
 */
size_t gosize(const void *p);

/**
 * goalloc_size_roundup - the size an allocation really gets
 * @size: bytes wanted
 *
 * Context: Any context.
 * Return: what gosize() would say of goalloc(@size); 0 for 0; @size itself
 *         if it is larger than GOALLOC_MAX_SIZE.
 */
size_t goalloc_size_roundup(size_t size);

/**
 * goalloc_owns - does an address lie in memory that a goalloc heap holds?
 * @p: any address
 *
 * For code that gets memory from more than one allocator and must hand it
 * back to the right one.
 *
 * Context: Any context.
 * Return: true if @p lies in a span of any heap, the default one or another.
 */
bool goalloc_owns(const void *p);

/**
 * goalloc_bulk - allocate many objects of one size
 * @size: bytes wanted per object
 * @flags: as for goalloc()
 * @nr: number of objects
 * @p: array of @nr pointers to fill
 *
 * Context: As goalloc().
 * Return: @nr, or 0 if not all of them could be had; then none is held.
 */
size_t goalloc_bulk(size_t size, gfp_t flags, size_t nr, void **p) __must_check;

/**
 * gofree_bulk - free many objects
 * @nr: number of objects
 * @p: array of @nr pointers; NULL and ZERO_SIZE_PTR are skipped
 *
 * Context: Any context. Never sleeps.
 */
void gofree_bulk(size_t nr, void **p);

/**
 * gostrdup - copy a string
 * @s: NUL-terminated string, or NULL
 * @flags: as for goalloc()
 *
 * Context: As goalloc().
 * Return: the copy; NULL if @s is NULL or there is no memory.
 */
char *gostrdup(const char *s, gfp_t flags) __malloc;

/**
 * gomemdup - copy a piece of memory
 * @src: what to copy
 * @len: bytes to copy
 * @flags: as for goalloc()
 *
 * Context: As goalloc().
 * Return: the copy, or NULL if there is no memory.
 */
void *gomemdup(const void *src, size_t len, gfp_t flags) __alloc_size(2);

/**
 * gokvalloc - allocate memory that need not be physically contiguous
 * @size: bytes wanted
 * @flags: as for kvmalloc(); falls back to vmalloc() for sizes over a page
 *         if it may sleep
 *
 * Context: As kvmalloc().
 * Return: the memory, to be freed with gokvfree(), or NULL.
 */
void *gokvalloc(size_t size, gfp_t flags) __alloc_size(1);

/**
 * gokvfree - free what gokvalloc() or goalloc() returned
 * @p: memory, NULL or ZERO_SIZE_PTR
 *
 * Context: Any context for goalloc() memory; for what may come from
 *          gokvalloc(), as kvfree().
 */
void gokvfree(const void *p);

struct rcu_head;

/**
 * goalloc_free_rcu - free an object after an RCU grace period
 * @head: a rcu_head inside the object
 * @p: the object, of any heap, or NULL
 *
 * What gofree_rcu() calls. A second call before the grace period is over is
 * refused and reported. Code that ends a heap waits with goalloc_rcu_barrier()
 * before.
 *
 * Context: Any but NMI. Never sleeps.
 */
void goalloc_free_rcu(struct rcu_head *head, const void *p);

/**
 * gofree_rcu - free an object after an RCU grace period
 * @p: pointer to a structure that was allocated from any heap, or NULL
 * @field: name of a struct rcu_head in it
 *
 * Context: As goalloc_free_rcu().
 */
#define gofree_rcu(p, field)						\
do {									\
	typeof(p) gofree_rcu_p = (p);					\
									\
	if (gofree_rcu_p)						\
		goalloc_free_rcu(&gofree_rcu_p->field, gofree_rcu_p);	\
} while (0)

/**
 * gofree_rcu_mightsleep - free an object without a rcu_head after a grace period
 * @p: object of any heap, NULL or ZERO_SIZE_PTR
 *
 * Context: Process context. Sleeps only if there is no memory.
 */
void gofree_rcu_mightsleep(const void *p);

/**
 * gofree_bulk_rcu_mightsleep - free many objects after one grace period
 * @nr: number of objects
 * @p: array of @nr pointers to objects of the default heap; NULL and ZERO_SIZE_PTR
 *     are skipped
 *
 * Context: Process context. Sleeps for a grace period.
 */
void gofree_bulk_rcu_mightsleep(size_t nr, void **p);

/**
 * goalloc_rcu_barrier - wait until everything given to gofree_rcu() is free
 *
 * Of what others give meanwhile some may still wait.
 *
 * Context: Process context. Sleeps for a grace period or two.
 */
void goalloc_rcu_barrier(void);

/**
 * gozalloc - allocate zeroed memory
 * @size: bytes wanted
 * @flags: as for goalloc()
 *
 * Context: As goalloc().
 * Return: As goalloc().
 */
static inline __alloc_size(1) void *gozalloc(size_t size, gfp_t flags)
{
	return goalloc(size, flags | __GFP_ZERO);
}

/**
 * goalloc_array - allocate an array
 * @n: number of elements
 * @size: bytes per element
 * @flags: as for goalloc()
 *
 * Context: As goalloc().
 * Return: As goalloc(); NULL also if @n * @size overflows.
 */
static inline __alloc_size(1, 2)
void *goalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return goalloc(bytes, flags);
}

/**
 * gocalloc - allocate a zeroed array
 * @n: number of elements
 * @size: bytes per element
 * @flags: as for goalloc()
 *
 * Context: As goalloc().
 * Return: As goalloc_array().
 */
static inline __alloc_size(1, 2)
void *gocalloc(size_t n, size_t size, gfp_t flags)
{
	return goalloc_array(n, size, flags | __GFP_ZERO);
}

/**
 * gorealloc_array - change the size of an array
 * @p: array, NULL or ZERO_SIZE_PTR
 * @new_n: number of elements wanted
 * @new_size: bytes per element
 * @flags: as for goalloc()
 *
 * Context: As goalloc().
 * Return: As gorealloc(); NULL, with @p untouched, also if
 *         @new_n * @new_size overflows.
 */
static inline __realloc_size(2, 3) __must_check
void *gorealloc_array(const void *p, size_t new_n, size_t new_size, gfp_t flags)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(new_n, new_size, &bytes)))
		return NULL;
	return gorealloc(p, bytes, flags);
}

#ifdef DEFINE_FREE
DEFINE_FREE(gofree, void *, gofree(IS_ERR(_T) ? NULL : _T))
DEFINE_FREE(gokvfree, void *, gokvfree(IS_ERR(_T) ? NULL : _T))
#endif

/*
 * What misuse of its objects a heap looks for; see Documentation/hardening.rst
 * for what each catches and costs. A heap with any of these has no CPU caches.
 *
 * GOALLOC_HARDEN_REDZONE - bytes behind each object that must not change;
 *	gosize() tells exactly what was requested
 * GOALLOC_HARDEN_POISON - what is freed is overwritten, and looked at again
 *	before it is handed out or given up
 * GOALLOC_HARDEN_ZERO - what is freed is overwritten with zeros; with
 *	GOALLOC_HARDEN_POISON zeros are also what is looked for
 * GOALLOC_HARDEN_QUARANTINE - what is freed is kept from reuse for a while
 * GOALLOC_HARDEN_RANDOM - a random free slot instead of the lowest
 * GOALLOC_HARDEN_STACKS - who allocated and freed an object, for reports
 * GOALLOC_HARDEN_GUARD - objects of up to a page get one of their own between
 *	unmapped pages, while the pool has any (module parameter guard_slots):
 *	see Documentation/guard.rst. Such an object is vmapped: it is neither in
 *	the direct map nor fit for DMA. gosize() tells exactly what was requested
 * GOALLOC_HARDEN_ALL - all but GOALLOC_HARDEN_GUARD and GOALLOC_HARDEN_ZERO:
 *	poison erases as well, and also tells when zeros are written
 */
#define GOALLOC_HARDEN_REDZONE 0x01U
#define GOALLOC_HARDEN_POISON 0x02U
#define GOALLOC_HARDEN_ZERO 0x04U
#define GOALLOC_HARDEN_QUARANTINE 0x08U
#define GOALLOC_HARDEN_RANDOM 0x10U
#define GOALLOC_HARDEN_STACKS 0x20U
#define GOALLOC_HARDEN_GUARD 0x40U
#define GOALLOC_HARDEN_ALL \
	(GOALLOC_HARDEN_REDZONE | GOALLOC_HARDEN_POISON | \
	 GOALLOC_HARDEN_QUARANTINE | GOALLOC_HARDEN_RANDOM | GOALLOC_HARDEN_STACKS)

/**
 * struct goalloc_heap_attr - how a heap is made
 * @gfp: zone modifiers (__GFP_DMA, __GFP_DMA32) and other flags that every page
 *       allocation of the heap gets in addition; __GFP_ACCOUNT: each page is
 *       charged to the memory cgroup of the task for which it was taken
 * @limit: bytes of pages that the heap may hold at once, 0 for no limit; the
 *         page that would pass it is not taken and the allocation fails
 * @soft_limit: bytes of pages that the heap should hold at most, 0 for no limit;
 *              free pages go back to the kernel before it is passed, and in the
 *              background from 95% of it on; not above @limit
 * @harden: GOALLOC_HARDEN_* flags, 0 for an ordinary heap
 * @quarantine: bytes that the quarantine keeps at most, 0 for what the module's
 *              parameter says; only with GOALLOC_HARDEN_QUARANTINE
 * @cache_max: bytes of free objects that the caches of all CPUs together may keep,
 *             0 for what the module's parameter cache_total_max says
 */
struct goalloc_heap_attr {
	gfp_t gfp;
	size_t limit;
	size_t soft_limit;
	unsigned int harden;
	size_t quarantine;
	size_t cache_max;
};

/**
 * goalloc_heap_create - make a private heap
 * @name: name for reports and debugfs, printable ASCII without a slash; copied,
 *        up to 31 bytes are kept
 * @attr: how to make it, or NULL for the defaults
 *
 * Context: Process context, may sleep.
 * Return: the heap, or an ERR_PTR(): -EINVAL for a bad @name or @attr, -ENOMEM,
 *         -EOPNOTSUPP for guarded objects where there is no pool of them.
 */
struct goalloc_heap *goalloc_heap_create(const char *name,
					 const struct goalloc_heap_attr *attr);

/**
 * goalloc_heap_set_limit - change a heap's limits
 * @heap: the heap
 * @soft: as &struct goalloc_heap_attr.soft_limit
 * @hard: as &struct goalloc_heap_attr.limit
 *
 * Takes effect at once: free pages beyond the soft limit go back to the kernel
 * before this returns, and a heap that holds more than the hard limit takes no
 * more pages until it is below.
 *
 * Context: Process context.
 * Return: 0; -EINVAL for a limit that is less than a page or a @soft above
 *         @hard, and then nothing is changed; -EAGAIN if objects in use keep the
 *         heap above the new soft limit.
 */
int goalloc_heap_set_limit(struct goalloc_heap *heap, size_t soft, size_t hard);

/**
 * goalloc_heap_alloc - allocate from a heap
 * @heap: the heap
 * @size: bytes wanted, 0 to GOALLOC_MAX_SIZE
 * @flags: as for goalloc(); zone modifiers come from the heap
 *
 * Context: As goalloc().
 * Return: As goalloc().
 */
void *goalloc_heap_alloc(struct goalloc_heap *heap, size_t size, gfp_t flags)
	 __alloc_size(2);

/**
 * goalloc_heap_free - free an object of a heap
 * @heap: the heap it came from
 * @p: object, NULL or ZERO_SIZE_PTR
 *
 * Context: As gofree().
 */
void goalloc_heap_free(struct goalloc_heap *heap, const void *p);

/**
 * goalloc_heap_destroy - end a heap
 * @heap: the heap, or NULL; nobody may be using it any more
 * @force: true takes live objects' memory back as well
 *
 * Without @force live objects are reported by class, their pages are given up
 * for lost rather than handed to somebody else, and everything else goes back.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EBUSY if live objects were left behind.
 */
int goalloc_heap_destroy(struct goalloc_heap *heap, bool force);

/**
 * goalloc_flush - empty a heap's caches on all CPUs
 * @heap: the heap, or NULL for the default one
 *
 * Free objects go back to their spans, spans that become free and pages at hand
 * go back to the page tree; none goes back to the kernel, see
 * goalloc_scavenge(). Each CPU does this for itself; CPUs that have nothing are
 * not disturbed. What a CPU caches after its turn stays. A CPU that goes
 * offline meanwhile is emptied as it goes, perhaps after the return.
 *
 * Context: Process context, may sleep. Allowed in reclaim. Waits for a work
 *          item on each CPU, so not where a CPU may be kept from running them.
 * Return: bytes that left caches meanwhile.
 */
u64 goalloc_flush(struct goalloc_heap *heap);

/**
 * goalloc_scavenge - give a heap's free pages back to the kernel
 * @heap: the heap, or NULL for the default one
 * @bytes: how many bytes to give back; U64_MAX for all that can be
 *
 * The highest addresses first. If what is free in the page tree is not enough,
 * the CPUs' caches of pages are emptied into it. What objects and caches of
 * objects hold stays: call goalloc_flush() before for those.
 *
 * Context: Process context, may sleep; as goalloc_flush().
 * Return: bytes given back. Less than @bytes if there is no more; up to a huge
 *         page more where that keeps one whole.
 */
u64 goalloc_scavenge(struct goalloc_heap *heap, u64 bytes);

/**
 * goalloc_validate - check everything that has to be so in a heap
 * @heap: the heap, or NULL for the default one
 *
 * Summaries of pages against bitmaps, the page map against spans, each span's
 * bits against the state of its slots, the books of each size class, the ledger;
 * in a hardened heap every red zone and what was freed.
 * The heap can be used meanwhile; what cannot be judged then is skipped, and a
 * line in the log says so. Nothing is changed or repaired. The first rule that
 * does not hold ends the check and is reported.
 *
 * Context: Process context, may sleep. Locks are held for a few spans at a time. In no
 *          mutator's section: those of a collected heap are stopped (<goalloc_gc.h>).
 * Return: 0 if all is as it must be; 1 if nothing wrong was found, but some of
 *         it could not be judged; -EUCLEAN if a rule does not hold, or the heap
 *         was found broken before; -EINVAL if it has ended.
 */
int goalloc_validate(struct goalloc_heap *heap);

/* Last: what is above calls functions. */
#if defined(CONFIG_MEM_ALLOC_PROFILING) && !defined(GOALLOC_NO_HOOKS)
#include <goalloc_hooks.h>
#endif

#endif /* GOALLOC_H */
