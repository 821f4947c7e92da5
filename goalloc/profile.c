// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap profile: who allocated what is in use, and what ever was, from samples.
 *
 * An object that profile_gap.c picks gets a struct profile_sample in a table by
 * address, and its state byte says SLOT_SAMPLED, so that its free leaves the fast
 * path by itself; those of all other objects pay nothing. Large objects, tiny ones
 * and those of hardened heaps are looked up in the table whenever one is freed,
 * as their frees take long anyway.
 *
 * Stacks are kept by the kernel's stack depot, which never forgets one. It takes
 * none in NMI, nor on PREEMPT_RT in atomic context, and so there are no samples
 * there: what is allocated there only is not in the profile.
 *
 * Whoever frees an object claims its sample without a lock and puts it on a list;
 * whoever comes with the lock takes it out of the books. So NMI can free samples.
 *
 * Locks: profile_lock (raw, interrupts off), alone; not taken in NMI.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/cpu.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/workqueue.h>

#include "cache.h"
#include "compat.h"
#include "heap.h"
#include "profile.h"

#define PROFILE_BITS 12
#define PROFILE_FRAMES 48

/* Frames of goalloc's own that may be on top of them. */
#define PROFILE_OWN_FRAMES 12

/**
 * struct profile_sample - an object in the profile
 * @node: place in the table; added under profile_lock, read under RCU
 * @dead: place among those that were freed; no lock
 * @rcu: frees it
 * @obj: the object
 * @heap: its heap
 * @stack: who allocated it
 * @sum: what it stands for
 * @freed: 1 once it was claimed by whoever frees the object
 */
struct profile_sample {
	struct hlist_node node;
	struct llist_node dead;
	struct rcu_head rcu;
	const void *obj;
	struct goalloc_heap *heap;
	struct profile_stack *stack;
	struct profile_sum sum;
	atomic_t freed;
};

/* Guards all of the profile's books. */
DEFINE_RAW_SPINLOCK(profile_lock);

static struct hlist_head profile_table[1 << PROFILE_BITS];
unsigned int profile_nr_samples;
static LLIST_HEAD(profile_dead);

/* Guards the rate, whether the depot is ready, and whether the module is. */
static DEFINE_MUTEX(profile_mutex);
static bool profile_ready;
static bool profile_running;

static unsigned int profile_rate_param = PROFILE_RATE;

static struct hlist_head *profile_bucket(const void *obj)
{
	return &profile_table[hash_ptr(obj, PROFILE_BITS)];
}

static void profile_add(struct profile_sum *sum, const struct profile_sum *what)
{
	sum->objects += what->objects;
	sum->bytes += what->bytes;
	sum->samples += what->samples;
}

static void profile_sub(struct profile_sum *sum, const struct profile_sum *what)
{
	sum->objects -= what->objects;
	sum->bytes -= what->bytes;
	sum->samples -= what->samples;
}

/* Take a sample that was claimed out of the books. */
static void profile_remove(struct profile_sample *sample)
{
	lockdep_assert_held(&profile_lock);

	hlist_del_rcu(&sample->node);
	profile_sub(&sample->stack->in_use, &sample->sum);
	profile_sub(&sample->stack->site->in_use, &sample->sum);
	WRITE_ONCE(profile_nr_samples, profile_nr_samples - 1);
	/* From here on nothing of it leads to its heap, which may end. */
	meta_forget(&sample->heap->meta, sample, sizeof(*sample));
}

/* Free those in a list that were taken out. */
static void profile_free(struct llist_node *list)
{
	struct profile_sample *sample, *next;

	llist_for_each_entry_safe(sample, next, list, dead)
		kfree_rcu(sample, rcu);
}

/**
 * profile_settle - take samples that were freed out of the books
 *
 * Context: Any but NMI.
 */
void profile_settle(void)
{
	struct profile_sample *sample;
	struct llist_node *list;
	unsigned long flags;

	if (llist_empty(&profile_dead))
		return;
	/*
	 * The list is taken under the lock, so that whoever has had that after a
	 * sample was freed knows it is out: profile_end_heap() counts on it.
	 */
	raw_spin_lock_irqsave(&profile_lock, flags);
	list = llist_del_all(&profile_dead);
	llist_for_each_entry(sample, list, dead)
		profile_remove(sample);
	raw_spin_unlock_irqrestore(&profile_lock, flags);
	profile_free(list);
}

/**
 * profile_forget - an object is about to be freed
 * @obj: the object, in the caller's hands; it need not be a sample
 *
 * Context: Any context.
 */
void profile_forget(const void *obj)
{
	struct profile_sample *sample;
	bool found = false;

	rcu_read_lock();
	hlist_for_each_entry_rcu(sample, profile_bucket(obj), node) {
		if (sample->obj != obj || atomic_xchg(&sample->freed, 1))
			continue;
		llist_add(&sample->dead, &profile_dead);
		found = true;
		break;
	}
	rcu_read_unlock();
	if (found && !in_nmi())
		profile_settle();
}

/* The profile of a heap, made if there is none. */
static struct profile *profile_of(struct goalloc_heap *heap)
{
	struct profile *profile = smp_load_acquire(&heap->profile);
	struct profile *old;

	if (likely(profile))
		return profile;
	profile = meta_zalloc(&heap->meta, sizeof(*profile), GFP_NOWAIT | __GFP_NOWARN,
			      NUMA_NO_NODE);
	if (!profile)
		return NULL;
	INIT_LIST_HEAD(&profile->stacks);
	INIT_LIST_HEAD(&profile->sites);
	/* Complete when it is seen. */
	old = cmpxchg(&heap->profile, NULL, profile);
	if (!old)
		return profile;
	meta_free(&heap->meta, profile, sizeof(*profile));
	return old;
}

static struct profile_stack *profile_find_stack(struct profile *profile, u32 handle)
{
	struct profile_stack *stack;

	lockdep_assert_held(&profile_lock);

	hlist_for_each_entry(stack, &profile->table[hash_32(handle, PROFILE_STACK_BITS)], node)
		if (stack->handle == handle)
			return stack;
	return NULL;
}

static struct profile_site *profile_find_site(struct profile *profile, unsigned long addr)
{
	struct profile_site *site;

	lockdep_assert_held(&profile_lock);

	list_for_each_entry(site, &profile->sites, list)
		if (site->addr == addr)
			return site;
	return NULL;
}

/*
 * The record of a stack, made if there is none. Memory comes without the lock;
 * whoever is second throws his away.
 */
static struct profile_stack *profile_stack_of(struct goalloc_heap *heap,
					      struct profile *profile, u32 handle,
					      unsigned long addr)
{
	struct profile_stack *stack, *fresh;
	struct profile_site *site, *fresh_site;
	unsigned long flags;

	raw_spin_lock_irqsave(&profile_lock, flags);
	stack = profile_find_stack(profile, handle);
	raw_spin_unlock_irqrestore(&profile_lock, flags);
	if (stack || profile->nr_stacks >= PROFILE_MAX_STACKS)
		return stack;

	fresh = meta_zalloc(&heap->meta, sizeof(*fresh), GFP_NOWAIT | __GFP_NOWARN,
			    NUMA_NO_NODE);
	fresh_site = meta_zalloc(&heap->meta, sizeof(*fresh_site),
				 GFP_NOWAIT | __GFP_NOWARN, NUMA_NO_NODE);
	raw_spin_lock_irqsave(&profile_lock, flags);
	stack = profile_find_stack(profile, handle);
	if (!stack && fresh && fresh_site) {
		site = profile_find_site(profile, addr);
		if (!site) {
			site = fresh_site;
			fresh_site = NULL;
			site->addr = addr;
			list_add_tail(&site->list, &profile->sites);
		}
		stack = fresh;
		fresh = NULL;
		stack->handle = handle;
		stack->site = site;
		stack->id = ++profile->nr_stacks;
		list_add_tail(&stack->list, &profile->stacks);
		hlist_add_head(&stack->node,
			       &profile->table[hash_32(handle, PROFILE_STACK_BITS)]);
	}
	raw_spin_unlock_irqrestore(&profile_lock, flags);
	meta_free(&heap->meta, fresh, sizeof(*fresh));
	meta_free(&heap->meta, fresh_site, sizeof(*fresh_site));
	return stack;
}

/* Enter a sample. False if there is no room or no memory. */
static bool profile_enter(struct goalloc_heap *heap, struct profile *profile,
			  const void *obj, size_t asked, unsigned int rate)
{
	unsigned long entry[PROFILE_OWN_FRAMES + PROFILE_FRAMES];
	unsigned int nr = stack_trace_save(entry, ARRAY_SIZE(entry), 0);
	unsigned int first = 0;
	struct profile_sample *sample;
	struct profile_stack *stack;
	unsigned long flags;
	u64 weight;
	u32 handle;

	if (READ_ONCE(profile_nr_samples) >= PROFILE_MAX_SAMPLES)
		return false;
	while (first + 1 < nr && within_module(entry[first], THIS_MODULE))
		first++;
	nr = filter_irq_stacks(entry + first, min(nr - first, PROFILE_FRAMES + 0U));
	handle = stack_depot_save(entry + first, nr, GFP_NOWAIT | __GFP_NOWARN);
	if (!handle)
		return false;
	stack = profile_stack_of(heap, profile, handle, entry[first]);
	if (!stack)
		return false;
	sample = meta_zalloc(&heap->meta, sizeof(*sample), GFP_NOWAIT | __GFP_NOWARN,
			     NUMA_NO_NODE);
	if (!sample)
		return false;
	weight = profile_weight(asked, rate);
	sample->obj = obj;
	sample->heap = heap;
	sample->stack = stack;
	sample->sum.objects = weight;
	sample->sum.bytes = (weight * asked + (1 << 15)) >> 16;
	sample->sum.samples = 1;

	raw_spin_lock_irqsave(&profile_lock, flags);
	hlist_add_head_rcu(&sample->node, profile_bucket(obj));
	profile_add(&stack->in_use, &sample->sum);
	profile_add(&stack->total, &sample->sum);
	profile_add(&stack->site->in_use, &sample->sum);
	profile_add(&stack->site->total, &sample->sum);
	WRITE_ONCE(profile_nr_samples, profile_nr_samples + 1);
	raw_spin_unlock_irqrestore(&profile_lock, flags);
	return true;
}

/* So that its free finds the sample. */
static void profile_flag(struct goalloc_heap *heap, void *obj)
{
	struct slot_ref ref;

	preempt_disable();
	if (slot_find(&heap->space->map, (unsigned long)obj, &ref) &&
	    ref.span->kind == SPAN_SMALL && !heap->harden &&
	    cmpxchg(ref.state, SLOT_LIVE, SLOT_SAMPLED) != SLOT_LIVE)
		profile_forget(obj);
	preempt_enable();
}

/**
 * profile_note - make an object a sample
 * @heap: its heap
 * @obj: the object, live and not yet with whoever has asked for it
 * @asked: bytes requested
 *
 * Context: Any context; where no stack can be kept nothing happens.
 */
void profile_note(struct goalloc_heap *heap, void *obj, size_t asked)
{
	unsigned int rate = READ_ONCE(profile_rate);
	struct profile *profile;
	unsigned long flags;

	if (!rate || in_nmi() || (IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible()))
		return;
	profile = profile_of(heap);
	if (!profile)
		return;
	if (profile_enter(heap, profile, obj, asked, rate)) {
		profile_flag(heap, obj);
		return;
	}
	raw_spin_lock_irqsave(&profile_lock, flags);
	profile->dropped++;
	raw_spin_unlock_irqrestore(&profile_lock, flags);
}
GOALLOC_EXPORT_KUNIT(profile_note);

/* Claim all samples of a heap in a bucket. */
static void profile_purge_bucket(struct goalloc_heap *heap, struct hlist_head *bucket)
{
	struct profile_sample *sample;

	rcu_read_lock();
	hlist_for_each_entry_rcu(sample, bucket, node)
		if (sample->heap == heap && !atomic_xchg(&sample->freed, 1))
			llist_add(&sample->dead, &profile_dead);
	rcu_read_unlock();
}

/**
 * profile_end_heap - end the profile of a heap
 * @heap: the heap, which nobody uses and whose files are gone
 *
 * Context: Process context, may sleep.
 */
void profile_end_heap(struct goalloc_heap *heap)
{
	struct profile *profile = heap->profile;
	struct profile_stack *stack, *next;
	struct profile_site *site, *next_site;
	unsigned long flags;
	unsigned int i;

	if (!profile)
		return;
	for (i = 0; i < ARRAY_SIZE(profile_table); i++) {
		profile_purge_bucket(heap, &profile_table[i]);
		profile_settle();
		cond_resched();
	}
	/* Somebody else may have been about to take out the last of ours. */
	raw_spin_lock_irqsave(&profile_lock, flags);
	heap->profile = NULL;
	raw_spin_unlock_irqrestore(&profile_lock, flags);
	list_for_each_entry_safe(stack, next, &profile->stacks, list)
		meta_free(&heap->meta, stack, sizeof(*stack));
	list_for_each_entry_safe(site, next_site, &profile->sites, list)
		meta_free(&heap->meta, site, sizeof(*site));
	meta_free(&heap->meta, profile, sizeof(*profile));
}
GOALLOC_EXPORT_KUNIT(profile_end_heap);

/**
 * struct profile_cpu - a CPU whose gaps are to be drawn anew
 * @heap: the heap
 * @cpu: the CPU
 */
struct profile_cpu {
	struct goalloc_heap *heap;
	unsigned int cpu;
};

/* On the CPU itself, or on any while that one is offline. */
static long profile_restart_cpu(void *arg)
{
	struct profile_cpu *pc = arg;
	struct goalloc_pcpu *pcpu = per_cpu_ptr(pc->heap->cpus, pc->cpu);
	unsigned long flags;
	unsigned int level, bin;

	for (level = 0; level < CACHE_LEVELS; level++) {
		struct goalloc_cache *cache = pcpu->made[level];

		if (cache == &cache_none)
			continue;
		/* In task context, so that nobody is at any of the levels. */
		local_irq_save(flags);
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
			profile_restart(&cache->gap[bin], &cache->bin[bin].left);
		profile_restart(&cache->gap[CACHE_TINY_GAP], &cache->tiny.left);
		local_irq_restore(flags);
	}
	return 0;
}

static void profile_restart_heap(struct goalloc_heap *heap, void *unused)
{
	struct profile_cpu pc = { .heap = heap };

	for_each_possible_cpu(pc.cpu) {
		if (cpu_online(pc.cpu))
			work_on_cpu(pc.cpu, profile_restart_cpu, &pc);
		else
			profile_restart_cpu(&pc);
	}
}

/**
 * profile_set_rate - set how many bytes are requested per sample
 * @rate: bytes on average; 1 for all objects, 0 for none
 *
 * In force for whatever is allocated after it returns. Samples stay until they
 * are freed.
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL if @rate is too large; -ENOMEM.
 */
int profile_set_rate(unsigned int rate)
{
	int err = 0;

	if (rate > PROFILE_MAX_RATE)
		return -EINVAL;
	mutex_lock(&profile_mutex);
	/* Before the module has begun, and after it has ended, nobody is told. */
	if (!profile_running) {
		mutex_unlock(&profile_mutex);
		return 0;
	}
	if (rate && !profile_ready) {
		err = stack_depot_init();
		profile_ready = !err;
	}
	if (!err) {
		WRITE_ONCE(profile_rate, rate);
		WRITE_ONCE(profile_gen, profile_gen + 1);
		cpus_read_lock();
		heap_for_each(profile_restart_heap, NULL);
		cpus_read_unlock();
	}
	mutex_unlock(&profile_mutex);
	return err;
}
GOALLOC_EXPORT_KUNIT(profile_set_rate);

/**
 * profile_samples - samples in use, of all heaps
 *
 * Context: Any context.
 * Return: how many.
 */
unsigned int profile_samples(void)
{
	return data_race(READ_ONCE(profile_nr_samples));
}
GOALLOC_EXPORT_KUNIT(profile_samples);

static int profile_param_set(const char *val, const struct kernel_param *kp)
{
	unsigned int rate;
	int err;

	err = kstrtouint(val, 0, &rate);
	if (!err)
		err = profile_set_rate(rate);
	if (err && err != -ENOMEM)
		pr_err("%s: not a number of bytes (0 for no profile, else up to %u)\n",
		       kp->name, PROFILE_MAX_RATE);
	if (!err)
		profile_rate_param = rate;
	return err;
}

static const struct kernel_param_ops profile_param_ops = {
	.set = profile_param_set,
	.get = param_get_uint,
};

module_param_cb(profile_rate, &profile_param_ops, &profile_rate_param, 0644);
MODULE_PARM_DESC(profile_rate, "bytes requested per sample of the heap profile, on average (0: none, 1: all objects; default 524288)");

/**
 * profile_init - begin the profile that the module's parameter asks for
 *
 * If that is not possible it is said, and things go on without.
 *
 * Context: Process context, may sleep.
 */
void profile_init(void)
{
	profile_seed(ktime_get_real_ns());
	mutex_lock(&profile_mutex);
	profile_running = true;
	mutex_unlock(&profile_mutex);
	if (profile_rate_param && profile_set_rate(profile_rate_param)) {
		pr_err("no heap profile: the kernel has no memory for stacks\n");
		profile_rate_param = 0;
	}
}

/**
 * profile_exit - end the profile; every heap has ended
 *
 * Context: Process context, may sleep.
 */
void profile_exit(void)
{
	mutex_lock(&profile_mutex);
	profile_running = false;
	mutex_unlock(&profile_mutex);
	profile_settle();
	WARN_ON_ONCE(profile_nr_samples);
}
