// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exported functions: arguments are judged here, and everything else is
 * left to the tiers below. What each promises is in <goalloc.h>.
 */
/* The functions themselves are here. */
#define GOALLOC_NO_HOOKS

#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "api.h"
#include "cache_bulk.h"
#include "compat.h"
#include "debugfs.h"
#include "detour.h"
#include "goalloc_trace.h"
#include "guard.h"
#include "harden.h"
#include "limit.h"
#include "sanitize.h"

struct goalloc_heap *goalloc_default;
GOALLOC_EXPORT_KUNIT(goalloc_default);

/* Whole pages, and a count if there are none. */
static noinline void *api_alloc_large(struct goalloc_heap *heap, size_t size,
				      size_t align, gfp_t gfp, int nid,
				      unsigned long caller)
{
	void *obj;

	if (size > GOALLOC_MAX_SIZE) {
		report_bad_size(heap, size, gfp, caller);
		return NULL;
	}
	if (detour_taken(heap))
		return detour_alloc(heap, size, align, gfp, nid);
	if (in_nmi())
		return NULL;
	obj = heap_alloc_large(heap, size, align, gfp, nid);
	/* Found broken on the way. */
	if (!obj && safe_is_on(heap))
		return detour_alloc(heap, size, align, gfp, nid);
	if (!obj)
		atomic64_inc(&heap->nr_failed);
	return profile_odd(heap, obj, size);
}

/* Not an ordinary size, or flags that want a word or a check. */
noinline void *api_alloc_odd(size_t size, gfp_t gfp, struct goalloc_heap *heap,
				    unsigned long caller)
{
	might_alloc(gfp);
	if (gfp & API_ZONE_FLAGS & ~heap->gfp) {
		report_bad_gfp(heap, gfp, caller);
		return NULL;
	}
	if (!size)
		return ZERO_SIZE_PTR;
	if (size > GOALLOC_MAX_SMALL)
		return api_alloc_large(heap, size, 1, gfp, numa_mem_id(), caller);
	if (gfp & __GFP_THISNODE)
		return cache_alloc_node(heap, sizeclass_of(size), size, gfp,
					numa_mem_id());
	return cache_alloc(heap, sizeclass_of(size), size, gfp);
}

static const struct cache_want api_zeroed = { .of_size = true, .zero = __GFP_ZERO };

/* A flag that takes the straight way off its course. */
noinline void *api_alloc_flagged(size_t size, gfp_t gfp,
					struct goalloc_heap *heap, unsigned long caller)
{
	if (gfp & API_ODD_FLAGS || size - 1 >= GOALLOC_MAX_SMALL)
		return api_alloc_odd(size, gfp, heap, caller);
	/* Zeros and nothing else: straight on. */
	return cache_alloc_by(api_zeroed, heap, heap->cpus, sizeclass_of(size), size, gfp);
}

/* Tell of an allocation. */
__cold noinline void *api_watch(size_t size, gfp_t gfp, int nid,
				unsigned long caller, void *obj)
{
	if (allocinfo_enabled())
		allocinfo_add(obj);
	if (trace_alloc_enabled())
		trace_alloc(caller, obj, size, api_size(NULL, obj), gfp, nid);
	return obj;
}

/*
 * Whether somebody watches is asked first, where a call costs those who do not
 * nothing but the place of a jump: later on they would have to save registers.
 */
__cold noinline void *api_alloc_watched(size_t size, gfp_t gfp,
					struct goalloc_heap *heap,
					unsigned long caller)
{
	return api_watch(size, gfp, NUMA_NO_NODE, caller,
			 api_get(heap, heap->cpus, size, gfp, caller));
}

void *goalloc(size_t size, gfp_t flags)
{
	return api_alloc(size, flags, 0);
}
EXPORT_SYMBOL_GPL(goalloc);

static __always_inline void *api_get_node(size_t size, gfp_t flags, int node,
					  unsigned long caller)
{
	struct goalloc_heap *heap = goalloc_default;

	if (node == NUMA_NO_NODE || flags & API_ZONE_FLAGS || !size)
		return api_get(NULL, &cache_default, size, flags, caller);
	might_alloc(flags);
	if (unlikely(node < 0 || node >= MAX_NUMNODES)) {
		report_bad_node(heap, node, caller);
		return NULL;
	}
	/* Without memory of its own the node cannot be had exactly. */
	if (flags & __GFP_THISNODE && heap_node_of(heap, node)->nid != node) {
		atomic64_inc(&heap->nr_failed);
		return NULL;
	}
	if (size > GOALLOC_MAX_SMALL)
		return api_alloc_large(heap, size, 1, flags, node, caller);
	return cache_alloc_node(heap, sizeclass_of(size), size, flags, node);
}

static __cold noinline void *api_node_watched(size_t size, gfp_t flags, int node,
					      unsigned long caller)
{
	return api_watch(size, flags, node, caller,
			 api_get_node(size, flags, node, caller));
}

void *api_alloc_node(size_t size, gfp_t gfp, int node, unsigned long caller)
{
	if (api_watched())
		return api_node_watched(size, gfp, node, caller);
	return api_get_node(size, gfp, node, caller);
}

void *goalloc_node(size_t size, gfp_t flags, int node)
{
	return api_alloc_node(size, flags, node, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_node);

static __always_inline void *api_get_aligned(size_t size, size_t align, gfp_t flags,
					     unsigned long caller)
{
	struct goalloc_heap *heap = goalloc_default;
	unsigned int class;

	if (unlikely(!is_power_of_2(align) || align > GOALLOC_MAX_SIZE)) {
		report_bad_align(heap, align, caller);
		return NULL;
	}
	if (flags & API_ZONE_FLAGS || !size)
		return api_get(NULL, &cache_default, size, flags, caller);
	might_alloc(flags);
	if (detour_taken(heap) && size <= GOALLOC_MAX_SIZE)
		return detour_alloc(heap, size, align, flags, numa_mem_id());
	if (size <= GOALLOC_MAX_SMALL && align <= GOALLOC_PAGE_SIZE) {
		for (class = sizeclass_of(size); class < GOALLOC_NR_CLASSES; class++)
			if (sizeclass_aligned(class, align))
				return flags & __GFP_THISNODE ?
				       cache_alloc_node(heap, class, size, flags,
							numa_mem_id()) :
				       cache_alloc(heap, class, size, flags);
	}
	return api_alloc_large(heap, size, align, flags, numa_mem_id(), caller);
}

static __cold noinline void *api_aligned_watched(size_t size, size_t align, gfp_t flags,
						 unsigned long caller)
{
	return api_watch(size, flags, NUMA_NO_NODE, caller,
			 api_get_aligned(size, align, flags, caller));
}

void *goalloc_aligned(size_t size, size_t align, gfp_t flags)
{
	if (api_watched())
		return api_aligned_watched(size, align, flags, _RET_IP_);
	return api_get_aligned(size, align, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_aligned);

static __always_inline void *api_get_tiny(size_t size, gfp_t flags, unsigned long caller)
{
	if (size - 1 >= 15 || flags & API_ZONE_FLAGS)
		return api_get(NULL, &cache_default, size, flags, caller);
	might_alloc(flags);
	if (flags & __GFP_THISNODE)
		return tiny_alloc_local(goalloc_default, size, flags);
	return tiny_alloc(goalloc_default, size, flags);
}

static __cold noinline void *api_tiny_watched(size_t size, gfp_t flags, unsigned long caller)
{
	return api_watch(size, flags, NUMA_NO_NODE, caller, api_get_tiny(size, flags, caller));
}

void *goalloc_tiny(size_t size, gfp_t flags)
{
	if (api_watched())
		return api_tiny_watched(size, flags, _RET_IP_);
	return api_get_tiny(size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_tiny);

__cold noinline void api_free_traced(const void *p, struct goalloc_heap *heap,
				     const struct pagemap *map,
				     unsigned long caller)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	trace_free(caller, p);
	cache_free(heap, map, p, caller);
}

void gofree(const void *p)
{
	api_free(p, 0);
}
EXPORT_SYMBOL_GPL(gofree);

/* Usable bytes of a live object of a heap, or of any if that is NULL, else 0. */
size_t api_size(const struct goalloc_heap *heap, const void *p)
{
	unsigned long addr = (unsigned long)p;
	struct slot_ref ref;
	size_t size = 0;
	bool begins;

	if (ZERO_OR_NULL_PTR(p))
		return 0;
	if (guard_owns(p))
		return guard_size(heap, p);
	/* Keeps the span while we look, should the object not be live. */
	preempt_disable();
	begins = slot_find(&goalloc_space.map, addr, &ref);
	if (!ref.span)
		size = safe_size(heap, p);
	if (!ref.span || ref.slot >= ref.span->bits.nelems ||
	    (heap && heap_of(ref.span) != heap))
		goto out;
	switch (READ_ONCE(*ref.state)) {
	case SLOT_LIVE:
	case SLOT_SAMPLED:
	case SLOT_LARGE:
		size = begins ? ref.span->elemsize : 0;
		break;
	case SLOT_TINY:
	case SLOT_TINY_OPEN:
		size = tiny_size(ref.span, ref.slot,
				 addr - span_slot_addr(ref.span, ref.slot));
		break;
	}
	if (detour_taken(heap_of(ref.span)))
		size = detour_size(heap_of(ref.span), &ref, size);
out:
	preempt_enable();
	return size;
}

size_t gosize(const void *p)
{
	size_t size = api_size(NULL, p);

	/* All of it may be used from here on. */
	sanitize_usable(p, size);
	return size;
}
EXPORT_SYMBOL_GPL(gosize);

void gofree_sensitive(const void *p)
{
	size_t size;

	if (ZERO_OR_NULL_PTR(p))
		return;
	size = api_size(goalloc_default, p);
	sanitize_usable(p, size);
	/* No live object of ours has size 0; what else it is gets reported. */
	memzero_explicit((void *)p, size);
	api_free(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gofree_sensitive);

/* Another size for an object that stays where it is and has room for it. */
static void api_resize(const void *p, size_t old_size, size_t new_size, gfp_t gfp)
{
	if (want_init_on_alloc(gfp)) {
		sanitize_usable(p, old_size);
		memset((char *)p + new_size, 0, old_size - new_size);
	}
	if (!guard_owns(p))
		sanitize_resize(goalloc_default, p, new_size, old_size, gfp);
}

void *api_realloc(const void *p, size_t new_size, gfp_t flags, unsigned long caller)
{
	size_t old_size;
	void *new;

	if (!new_size) {
		api_free(p, caller);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return api_alloc(new_size, flags, caller);
	old_size = api_size(goalloc_default, p);
	if (unlikely(!old_size)) {
		/* Not an object of ours: report it as a bad free, keep it. */
		cache_refuse(goalloc_default, p, caller);
		return NULL;
	}
	if (detour_taken(goalloc_default) && !guard_owns(p)) {
		if (detour_resize(goalloc_default, p, old_size, new_size, flags, caller))
			return (void *)p;
	} else if (old_size >= new_size) {
		api_resize(p, old_size, new_size, flags);
		return (void *)p;
	}
	new = api_alloc(new_size, flags, caller);
	if (!new)
		return NULL;
	/* All of it, used or not: only who asked gosize() knows how much is. */
	sanitize_pause();
	memcpy(new, p, min(old_size, new_size));
	sanitize_resume();
	api_free(p, caller);
	return new;
}

void *gorealloc(const void *p, size_t new_size, gfp_t flags)
{
	return api_realloc(p, new_size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gorealloc);

size_t goalloc_size_roundup(size_t size)
{
	/* With a red zone there is never more than was requested. */
	if (!size || size > GOALLOC_MAX_SIZE || goalloc_default->redzone)
		return size;
	if (size > GOALLOC_MAX_SMALL)
		return round_up(size, GOALLOC_PAGE_SIZE);
	return sizeclass_size[sizeclass_of(size)];
}
EXPORT_SYMBOL_GPL(goalloc_size_roundup);

/* The heap that an object is of, live or not; NULL if @p lies in none. */
struct goalloc_heap *api_heap_of(const void *p)
{
	struct goalloc_heap *heap;

	if (guard_owns(p))
		return guard_heap_of(p);
	/* Keeps the span while we look, should the object not be live. */
	preempt_disable();
	heap = heap_of(pagemap_find(&goalloc_space.map, (unsigned long)p)) ?:
	       safe_heap_of(p);
	preempt_enable();
	return heap;
}

/* Free an object of whatever heap; of none it is the default one's to refuse. */
void api_free_any(const void *p, unsigned long caller)
{
	struct goalloc_heap *heap;

	if (ZERO_OR_NULL_PTR(p))
		return;
	heap = api_heap_of(p) ?: goalloc_default;
	api_free_by(heap, heap->cpus, &goalloc_space.map, p, caller);
}

bool goalloc_owns(const void *p)
{
	bool owns;

	if (guard_owns(p))
		return true;
	preempt_disable();
	owns = pagemap_span(&goalloc_space.map, (unsigned long)p) || safe_owns(p);
	preempt_enable();
	return owns;
}
EXPORT_SYMBOL_GPL(goalloc_owns);

/* Objects of which the first was not plain, or that are too many for one go. */
static noinline void api_free_rest(size_t nr, void **p, unsigned long caller)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		api_free(p[i], caller);
		if (nr - i > 2 && !trace_free_enabled())
			i += cache_put_bulk(&cache_default, &goalloc_space.map, nr - i - 1,
					    p + i + 1);
	}
}

void gofree_bulk(size_t nr, void **p)
{
	size_t done = 0;

	if (nr > 1 && !trace_free_enabled())
		done = cache_put_bulk(&cache_default, &goalloc_space.map, nr, p);
	if (done != nr)
		api_free_rest(nr - done, p + done, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gofree_bulk);

/* Can @gfp and @size be served by the handful? */
static __always_inline bool api_bulk_plain(size_t size, gfp_t gfp)
{
	return !api_watched() && !(gfp & API_ODD_FLAGS) && size - 1 < GOALLOC_MAX_SMALL;
}

/* Objects that are at hand, ready for use; how many there were of @nr. */
static unsigned int api_bulk(size_t size, gfp_t gfp, size_t nr, void **p)
{
	unsigned int bin, got, i;

	bin = sizeclass_of(size);
	got = cache_take_bulk(&cache_default, bin, size, nr, p);
	if (!got)
		got = cache_carve_bulk(&cache_default, bin, size, nr, p);
	for (i = 0; i < got && (GOALLOC_SANITIZE || want_init_on_alloc(gfp)); i++) {
		if (want_init_on_alloc(gfp))
			cache_zero(p[i], bin);
		sanitize_alloc(goalloc_default, p[i], bin, size, gfp);
	}
	return got;
}

/* The same, however many and whatever they take. @done are there already. */
static noinline size_t api_bulk_rest(size_t size, gfp_t gfp, size_t nr, void **p,
				     size_t done, unsigned long caller)
{
	size_t i;

	might_alloc(gfp);
	for (i = done; i < nr; i++) {
		if (nr - i > 1 && api_bulk_plain(size, gfp)) {
			i += api_bulk(size, gfp, nr - i, p + i);
			if (i == nr)
				break;
		}
		/* Which fills the list as well, if it was empty. */
		p[i] = api_alloc(size, gfp, caller);
		if (unlikely(!p[i])) {
			gofree_bulk(i, p);
			return 0;
		}
	}
	return nr;
}

size_t goalloc_bulk(size_t size, gfp_t flags, size_t nr, void **p)
{
	size_t got = 0;

	/* As in api_get(): no calls where the plain case comes by. */
	if (nr > 1 && api_bulk_plain(size, flags) && !want_init_on_alloc(flags) &&
	    !GOALLOC_SANITIZE && !(API_CHECKS_SLEEP && gfpflags_allow_blocking(flags)))
		got = cache_take_bulk(&cache_default, sizeclass_of(size), size, nr, p);
	if (got == nr)
		return nr;
	return api_bulk_rest(size, flags, nr, p, got, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_bulk);

static void *api_memdup(const void *src, size_t len, gfp_t flags,
			unsigned long caller)
{
	void *copy = api_alloc(len, flags, caller);

	if (copy && len)
		memcpy(copy, src, len);
	return copy;
}

char *gostrdup(const char *s, gfp_t flags)
{
	return s ? api_memdup(s, strlen(s) + 1, flags, _RET_IP_) : NULL;
}
EXPORT_SYMBOL_GPL(gostrdup);

void *gomemdup(const void *src, size_t len, gfp_t flags)
{
	return api_memdup(src, len, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gomemdup);

void *api_kvalloc(size_t size, gfp_t flags, unsigned long caller)
{
	gfp_t easy = flags;
	void *p;

	/* As kvmalloc(): no great effort if there is another way. */
	if (size > PAGE_SIZE && gfpflags_allow_blocking(flags)) {
		easy |= __GFP_NOWARN;
		if (!(flags & __GFP_RETRY_MAYFAIL))
			easy |= __GFP_NORETRY;
		easy &= ~__GFP_NOFAIL;
	}
	p = api_alloc(size, easy, caller);
	if (p || size <= PAGE_SIZE || !gfpflags_allow_blocking(flags) ||
	    flags & API_ZONE_FLAGS)
		return p;
	/* As kvmalloc(): such a size is a bug, however much memory there is. */
	if (unlikely(size > INT_MAX)) {
		report_bad_size(goalloc_default, size, flags, caller);
		return NULL;
	}
	return goalloc_vmalloc(size, flags);
}

void *gokvalloc(size_t size, gfp_t flags)
{
	return api_kvalloc(size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gokvalloc);

void gokvfree(const void *p)
{
	if (is_vmalloc_addr(p) && !guard_owns(p))
		vfree(p);
	else
		api_free(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gokvfree);

static bool api_limits_ok(size_t soft, size_t hard)
{
	return (!soft || soft >= GOALLOC_PAGE_SIZE) &&
	       (!hard || hard >= GOALLOC_PAGE_SIZE) &&
	       (!soft || !hard || soft <= hard);
}

int goalloc_heap_set_limit(struct goalloc_heap *heap, size_t soft, size_t hard)
{
	if (IS_ERR_OR_NULL(heap) || !api_limits_ok(soft, hard) ||
	    READ_ONCE(heap->detour) & DETOUR_ENDED)
		return -EINVAL;
	return limit_set(heap, soft >> GOALLOC_PAGE_SHIFT,
			 hard >> GOALLOC_PAGE_SHIFT) ? -EAGAIN : 0;
}
EXPORT_SYMBOL_GPL(goalloc_heap_set_limit);

/* A name goes into the log and into debugfs. */
static bool api_name_ok(const char *name)
{
	const char *c;

	if (!name || !*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (c = name; *c; c++)
		if (!isascii(*c) || !isprint(*c) || *c == '/')
			return false;
	return true;
}

struct goalloc_heap *api_heap_create(const char *name,
				     const struct goalloc_heap_attr *attr,
				     unsigned long caller)
{
	gfp_t zones = __GFP_DMA | __GFP_DMA32;
	gfp_t allowed = zones | __GFP_NORETRY | __GFP_NOWARN |
			__GFP_RETRY_MAYFAIL | __GFP_THISNODE | __GFP_NOMEMALLOC |
			__GFP_ACCOUNT;
	struct goalloc_heap *heap;
	const char *wrong = NULL;

	if (!api_name_ok(name))
		wrong = "its name must be printable, without / and not . or ..";
	else if (attr && attr->gfp & ~allowed)
		wrong = "its gfp has other flags than a zone, how hard to try, and __GFP_ACCOUNT";
	else if (attr && (attr->gfp & zones) == zones)
		wrong = "its gfp names two zones; name one";
	else if (attr && !api_limits_ok(attr->soft_limit, attr->limit))
		wrong = "its limits are less than a goalloc page (0 is none), or soft is over hard";
	else if (attr && attr->harden & ~(HARDEN_FLAGS | GOALLOC_HARDEN_GUARD))
		wrong = "its harden has flags that are not there";
	else if (attr && attr->quarantine && !(attr->harden & GOALLOC_HARDEN_QUARANTINE))
		wrong = "it has a quarantine size and no GOALLOC_HARDEN_QUARANTINE";
	if (wrong) {
		report_bad_attr(wrong, caller);
		return ERR_PTR(-EINVAL);
	}
	if (attr && attr->harden & GOALLOC_HARDEN_GUARD && !guard_available())
		return ERR_PTR(-EOPNOTSUPP);
	heap = heap_create(name, attr, &goalloc_space);
	if (!IS_ERR(heap))
		debugfs_add_heap(heap);
	return heap;
}

struct goalloc_heap *goalloc_heap_create(const char *name,
					 const struct goalloc_heap_attr *attr)
{
	return api_heap_create(name, attr, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_heap_create);

void *goalloc_heap_alloc(struct goalloc_heap *heap, size_t size, gfp_t flags)
{
	if (IS_ERR_OR_NULL(heap)) {
		report_bad_heap(heap, _RET_IP_);
		return NULL;
	}
	return api_alloc_by(heap, heap->cpus, size, flags, 0);
}
EXPORT_SYMBOL_GPL(goalloc_heap_alloc);

void goalloc_heap_free(struct goalloc_heap *heap, const void *p)
{
	if (IS_ERR_OR_NULL(heap)) {
		if (!ZERO_OR_NULL_PTR(p))
			report_bad_heap(heap, _RET_IP_);
		return;
	}
	api_free_by(heap, heap->cpus, &heap->space->map, p, 0);
}
EXPORT_SYMBOL_GPL(goalloc_heap_free);

int goalloc_heap_destroy(struct goalloc_heap *heap, bool force)
{
	if (IS_ERR_OR_NULL(heap))
		return 0;
	if (unlikely(heap->gc)) {
		report_gc(heap->gc, __func__,
			  "a collected heap ends with goalloc_gc_destroy()", _RET_IP_);
		return -EINVAL;
	}
	return heap_destroy(heap, force);
}
EXPORT_SYMBOL_GPL(goalloc_heap_destroy);
