/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sim_kernel.h - the kernel around a heap, in user space, single-threaded.
 *
 * Every header of the kernel that the files above the pure core include and
 * that ../include does not have leads here; the compiler is told to include it
 * first. There is no concurrency, but there are several CPUs (one at a time is
 * the current one) and context levels, and what the kernel would hang or warn
 * about ends the program: a lock taken twice, in NMI or not at all, sleeping
 * in atomic context, a per-CPU access that may migrate.
 *
 * Wherever the kernel could be interrupted or preempted, sim_hook is called,
 * which may run other work there.
 */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#define CONFIG_64BIT 1
#define IS_ENABLED(CONFIG_name) 0
#define EXPORT_SYMBOL_GPL(sym) _Static_assert(1, "")

#include <linux/types.h>
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* Annotations. */
#undef __aligned
#define __aligned(x)	__attribute__((__aligned__(x)))
#define __percpu
#define __acquires(lock)
#define __cold
#define __must_check	__attribute__((__warn_unused_result__))
#undef __malloc
#define __malloc	__attribute__((__malloc__))
#define __alloc_size(...)
#define __realloc_size(...)
#define fallthrough	__attribute__((__fallthrough__))
#define noinline	__attribute__((__noinline__))
/* Nothing races here. */
#define data_race(expr)	(expr)
#define _RET_IP_	((unsigned long)__builtin_return_address(0))

#define sim_die(...) do {						\
	fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);		\
	fprintf(stderr, __VA_ARGS__);					\
	fputc('\n', stderr);						\
	abort();							\
} while (0)
#define sim_must(cond) do {						\
	if (!(cond))							\
		sim_die("%s: does not hold: %s", __func__, #cond);	\
} while (0)

/* The machine. Pages are those of x86-64. */
#define PAGE_SHIFT	12
#define PAGE_SIZE	BIT(PAGE_SHIFT)
#define PAGE_ALIGN(x)	round_up(x, PAGE_SIZE)
#define MAX_PAGE_ORDER	10
#define PAGE_ALLOC_COSTLY_ORDER	3
#define SIM_CPUS	4
#define SIM_NODES	2

/**
 * struct sim_machine - the state of the machine
 * @cpu: current CPU
 * @nodes: NUMA nodes; CPUs take turns on them
 * @preempt: preempt count, laid out as the kernel's
 * @irqs_off: interrupts are disabled
 * @locks: spinlocks held
 * @mutexes: mutexes held
 * @readers: depth of RCU read sections
 * @init_on_alloc: as the kernel's parameter
 * @init_on_free: as the kernel's parameter
 * @fail_in: memory allocations until some fail
 * @fail_for: how many fail then
 * @pieces: memory allocations that live
 * @grace: RCU grace periods passed
 * @printed: lines printed
 * @hook: called wherever something else could run; NULL for nothing
 * @wait: called when somebody waits for memory
 * @failed: memory allocations that failed by order
 * @shown_bytes: NR_SLAB_UNRECLAIMABLE_B
 * @shown_pages: NR_KERNEL_MISC_RECLAIMABLE
 */
struct sim_machine {
	unsigned int cpu;
	unsigned int nodes;
	unsigned int preempt;
	bool irqs_off;
	int locks;
	int mutexes;
	int readers;
	bool init_on_alloc;
	bool init_on_free;
	unsigned int fail_in;
	unsigned int fail_for;
	long pieces;
	unsigned long grace;
	unsigned long printed;
	void (*hook)(void);
	void (*wait)(void);
	unsigned long failed;
	long shown_bytes;
	long shown_pages;
};

extern struct sim_machine sim;

/* The kernel's counters, of all nodes together. */
enum { NR_SLAB_UNRECLAIMABLE_B, NR_KERNEL_MISC_RECLAIMABLE };
struct pglist_data;

#define NODE_DATA(nid)	((void)(nid), (struct pglist_data *)&sim)
#define mod_node_page_state(node, item, by)				\
	((void)(node), *((item) == NR_SLAB_UNRECLAIMABLE_B ?		\
			 &sim.shown_bytes : &sim.shown_pages) += (by))

static inline void sim_hook(void)
{
	if (sim.hook)
		sim.hook();
}

/* Context. */
#define PREEMPT_MASK	0x000000ffU
#define SOFTIRQ_MASK	0x0000ff00U
#define SOFTIRQ_OFFSET	0x00000100U
#define HARDIRQ_MASK	0x000f0000U
#define HARDIRQ_OFFSET	0x00010000U
#define NMI_MASK	0x00f00000U
#define NMI_OFFSET	0x00100000U

#define preempt_count()	(sim.preempt)
#define in_nmi()	(!!(sim.preempt & NMI_MASK))
#define preemptible()	(!sim.preempt && !sim.irqs_off)

static inline unsigned char interrupt_context_level(void)
{
	if (sim.preempt & NMI_MASK)
		return 3;
	if (sim.preempt & HARDIRQ_MASK)
		return 2;
	return !!(sim.preempt & SOFTIRQ_OFFSET);
}

static inline void preempt_disable(void)
{
	sim_hook();
	sim.preempt++;
	sim_must(sim.preempt & PREEMPT_MASK);
}

static inline void preempt_enable(void)
{
	sim_must(sim.preempt & PREEMPT_MASK);
	sim.preempt--;
	sim_hook();
}

static inline void sim_might_sleep(void)
{
	if (!preemptible() || sim.locks || sim.readers)
		sim_die("sleeps in atomic context");
	sim_hook();
}

#ifndef ilog2
#define ilog2(n) (63 - __builtin_clzll(n))
#endif

static inline void set_bit(unsigned int nr, unsigned long *word)
{
	*word |= BIT(nr);
}

/* Work that is never queued, and reading what might not be there. */
struct irq_work {
	int unused;
};

#define copy_from_kernel_nofault(to, from, size) (memcpy(to, from, size), 0)

/* CPUs and nodes. */
#define nr_cpu_ids SIM_CPUS
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < SIM_CPUS; (cpu)++)
#define num_online_cpus() SIM_CPUS
#define num_possible_cpus() SIM_CPUS
#define NUMA_NO_NODE	(-1)
#define MAX_NUMNODES	64
#define N_NORMAL_MEMORY	0
#define nr_node_ids	((int)sim.nodes)
#define smp_processor_id() sim.cpu
#define numa_mem_id()	((int)(sim.cpu % sim.nodes))
#define node_online(nid) ((nid) < nr_node_ids)
#define node_state(nid, state) ((nid) < nr_node_ids)

/* Per-CPU memory: the copies lie so many bytes apart. */
#define SIM_PERCPU_STRIDE 512

/* The compiler is not to know of which object the copies are. */
#define per_cpu_ptr(p, cpu) ({						\
	char *_first = (char *)(p);					\
	__asm__("" : "+r" (_first));					\
	(__typeof__(p))(_first + (size_t)(cpu) * SIM_PERCPU_STRIDE);	\
})
#define this_cpu_ptr(p) ({		\
	sim_must(!preemptible());	\
	per_cpu_ptr(p, sim.cpu);	\
})
#define this_cpu_read(x)	(*this_cpu_ptr(&(x)))

void *sim_alloc_percpu(size_t size);
void free_percpu(void *p);
#define alloc_percpu(type) ((type *)sim_alloc_percpu(sizeof(type)))
#define DECLARE_PER_CPU(type, name) extern type name
/* All copies, under the name of the first. */
#define DEFINE_PER_CPU(type, name)					\
	char name##_copies[SIM_CPUS * SIM_PERCPU_STRIDE] __asm__(#name) __aligned(64)

/* Spinlocks, mutexes. */
typedef struct {
	bool held;
} raw_spinlock_t;

struct mutex {
	bool held;
};

#define DEFINE_MUTEX(name) struct mutex name
#define lockdep_assert_held(lock) sim_must((lock)->held)
struct lock_class_key { };
#define lockdep_set_class_and_name(lock, key, name) ((void)(lock), (void)(key))

static inline void raw_spin_lock_init(raw_spinlock_t *lock)
{
	lock->held = false;
}

static inline bool sim_spin_trylock(raw_spinlock_t *lock, unsigned long *flags)
{
	/* Interrupts come before or when it is held; NMIs any time. */
	sim_hook();
	if (lock->held)
		return false;
	*flags = sim.irqs_off;
	sim.irqs_off = true;
	lock->held = true;
	sim.locks++;
	sim_hook();
	return true;
}

#define raw_spin_trylock_irqsave(lock, flags) sim_spin_trylock(lock, &(flags))
#define raw_spin_lock_irqsave(lock, flags) do {				\
	if (in_nmi())							\
		sim_die("waits for a lock in NMI");			\
	if (!sim_spin_trylock(lock, &(flags)))				\
		sim_die("takes a lock twice");				\
} while (0)

static inline void raw_spin_unlock_irqrestore(raw_spinlock_t *lock,
					      unsigned long flags)
{
	sim_must(lock->held);
	sim_hook();
	lock->held = false;
	sim.locks--;
	sim.irqs_off = flags;
	sim_hook();
}

static inline void mutex_lock(struct mutex *lock)
{
	sim_might_sleep();
	sim_must(!lock->held);
	lock->held = true;
	sim.mutexes++;
}

static inline bool mutex_trylock(struct mutex *lock)
{
	if (lock->held)
		return false;
	mutex_lock(lock);
	return true;
}

static inline void mutex_unlock(struct mutex *lock)
{
	sim_must(lock->held);
	lock->held = false;
	sim.mutexes--;
}

/* Atomics. */
typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

#define BITS_PER_LONG 64
#define atomic_read(v)		__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic_set(v, n)	__atomic_store_n(&(v)->counter, n, __ATOMIC_RELAXED)
#define atomic_inc(v)		((void)atomic_fetch_inc(v))
#define atomic_xchg(v, n)	__atomic_exchange_n(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic_read_acquire(v)	__atomic_load_n(&(v)->counter, __ATOMIC_ACQUIRE)
#define atomic_set_release(v, n) __atomic_store_n(&(v)->counter, n, __ATOMIC_RELEASE)
#define atomic_fetch_inc(v)	__atomic_fetch_add(&(v)->counter, 1, __ATOMIC_SEQ_CST)
#define atomic_long_read(v)	__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic_long_add(n, v)	((void)__atomic_fetch_add(&(v)->counter, n, __ATOMIC_RELAXED))
#define atomic_long_sub(n, v)	((void)__atomic_fetch_sub(&(v)->counter, n, __ATOMIC_RELAXED))
#define atomic_long_inc(v)	atomic_long_add(1, v)
#define atomic_long_dec(v)	atomic_long_sub(1, v)
#define atomic64_inc(v)		atomic64_add(1, v)
#define atomic64_dec(v)		atomic64_sub(1, v)
#define atomic64_add_return(n, v) \
	__atomic_add_fetch(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define try_cmpxchg(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic64_try_cmpxchg(v, old, new) try_cmpxchg(&(v)->counter, old, new)
#define atomic64_inc_return(v)	atomic64_add_return(1, v)
#define xchg(p, n)		__atomic_exchange_n(p, n, __ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)

/* Lists. */
struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void sim_list_insert(struct list_head *entry, struct list_head *prev)
{
	/* As CONFIG_DEBUG_LIST. */
	sim_must(prev->next->prev == prev);
	entry->next = prev->next;
	entry->prev = prev;
	prev->next->prev = entry;
	prev->next = entry;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	sim_list_insert(entry, head);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	sim_list_insert(entry, head->prev);
}

static inline void list_del_init(struct list_head *entry)
{
	sim_must(entry->next->prev == entry && entry->prev->next == entry);
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	list_del_init(entry);
	list_add(entry, head);
}

#define list_entry(p, type, member)	container_of(p, type, member)
#define list_first_entry(head, type, member) \
	list_entry((head)->next, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_for_each_entry(pos, head, member)				\
	for (pos = list_first_entry(head, __typeof__(*pos), member);	\
	     &pos->member != (head);					\
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, n, head, member)			\
	for (pos = list_first_entry(head, __typeof__(*pos), member),	\
	     n = list_entry(pos->member.next, __typeof__(*pos), member);	\
	     &pos->member != (head);					\
	     pos = n, n = list_entry(n->member.next, __typeof__(*n), member))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

static inline void init_llist_head(struct llist_head *head)
{
	head->first = NULL;
}

static inline bool llist_empty(const struct llist_head *head)
{
	return !head->first;
}

static inline bool llist_add(struct llist_node *node, struct llist_head *head)
{
	node->next = head->first;
	head->first = node;
	return !node->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	struct llist_node *first = head->first;

	head->first = NULL;
	return first;
}

#define llist_for_each_entry_safe(pos, n, node, member)			\
	for (struct llist_node *sim_at = (node), *sim_next;		\
	     sim_at && (pos = container_of(sim_at, __typeof__(*pos), member), \
			sim_next = sim_at->next, (void)(n), true);	\
	     sim_at = sim_next)

/* RCU: a grace period passes when the test says so, or somebody waits. */
struct rcu_head {
	struct rcu_head *next;
	void *p;
	void (*fn)(struct rcu_head *head);
};

void sim_grace_period(void);
void sim_kfree_rcu(void *p, size_t offset);
void sim_call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head));
void synchronize_rcu(void);

/* Work that is queued runs at the end of a grace period. */
struct workqueue_struct;

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct rcu_work {
	struct work_struct work;
	struct rcu_head rcu;
	bool queued;
};

bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *work);
bool flush_rcu_work(struct rcu_work *work);

#define WQ_MEM_RECLAIM		0
#define alloc_workqueue(...)	((struct workqueue_struct *)1)
#define destroy_workqueue(wq)	((void)(wq))
#define to_rcu_work(w)		container_of(w, struct rcu_work, work)
#define INIT_RCU_WORK(w, fn)	(*(w) = (struct rcu_work){ .work.func = (fn) })

#define kfree_rcu(p, member)	sim_kfree_rcu(p, offsetof(__typeof__(*(p)), member))
#define get_state_synchronize_rcu() (sim.grace + 1)
#define poll_state_synchronize_rcu(state) (sim.grace >= (state))
#define call_rcu(head, fn)	sim_call_rcu(head, fn)
#define call_rcu_hurry(head, fn) sim_call_rcu(head, fn)
#define rcu_barrier()		sim_grace_period()
#define rcu_read_lock()		((void)sim.readers++)
#define rcu_read_unlock()	((void)sim.readers--)

/* Memory. */
#define __GFP_DMA		0x01U
#define __GFP_HIGHMEM		0x02U
#define __GFP_DMA32		0x04U
#define __GFP_MOVABLE		0x08U
#define __GFP_HIGH		0x20U
#define __GFP_IO		0x40U
#define __GFP_FS		0x80U
#define __GFP_ZERO		0x100U
#define __GFP_DIRECT_RECLAIM	0x400U
#define __GFP_KSWAPD_RECLAIM	0x800U
#define __GFP_NOWARN		0x2000U
#define __GFP_RETRY_MAYFAIL	0x4000U
#define __GFP_NOFAIL		0x8000U
#define __GFP_NORETRY		0x10000U
#define __GFP_MEMALLOC		0x20000U
#define __GFP_COMP		0x40000U
#define __GFP_NOMEMALLOC	0x80000U
#define __GFP_THISNODE		0x200000U
#define __GFP_ACCOUNT		0x400000U
#define __GFP_RECLAIM		(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL		(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_ATOMIC		(__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT		__GFP_KSWAPD_RECLAIM

#define ZERO_SIZE_PTR		((void *)16)
#define ZERO_OR_NULL_PTR(p)	((unsigned long)(p) <= (unsigned long)ZERO_SIZE_PTR)

#define gfpflags_allow_blocking(gfp) (!!((gfp) & __GFP_DIRECT_RECLAIM))
#define want_init_on_alloc(gfp)	(sim.init_on_alloc || (gfp) & __GFP_ZERO)
#define want_init_on_free()	(sim.init_on_free)

static inline void might_alloc(gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp))
		sim_might_sleep();
}

void *kmalloc_node(size_t size, gfp_t gfp, int nid);
void *kvmalloc_node(size_t size, gfp_t gfp, int nid);
void *__vmalloc(size_t size, gfp_t gfp);
bool is_vmalloc_addr(const void *p);
size_t ksize(const void *p);
void kfree(const void *p);
void vfree(const void *p);
void kvfree(const void *p);
#define kzalloc(size, gfp)	kmalloc_node(size, (gfp) | __GFP_ZERO, NUMA_NO_NODE)

long schedule_timeout_uninterruptible(long ticks);

/* Random numbers: the same in every run, and good enough for a test. */
typedef struct {
	u64 key[2];
} siphash_key_t;

void get_random_bytes(void *buf, size_t len);
u64 siphash_1u64(u64 val, const siphash_key_t *key);

/* The rest. */
#define SLUB_RED_ACTIVE		0xcc
#define POISON_FREE		0x6b
#define cond_resched()		sim_might_sleep()
int sim_printk(const char *fmt, ...);
#define pr_err(fmt, ...)	sim_printk(fmt, ##__VA_ARGS__)
#define pr_info(fmt, ...)	sim_printk(fmt, ##__VA_ARGS__)

/* No rate limit: time does not pass here. */
struct ratelimit_state {
	int flags;
};

#define DEFAULT_RATELIMIT_INTERVAL 0
#define DEFAULT_RATELIMIT_BURST	10
#define RATELIMIT_MSG_ON_RELEASE BIT(0)
#define RATELIMIT_STATE_INIT_FLAGS(name, interval, burst, f) { .flags = (f) }
#define ___ratelimit(state, name) ((void)(state), true)

static inline bool test_and_set_bit(unsigned int nr, unsigned long *word)
{
	bool was = *word >> nr & 1;

	*word |= 1UL << nr;
	return was;
}

#define scnprintf(buf, size, ...) snprintf(buf, size, __VA_ARGS__)

#define ERR_PTR(err)		((void *)(long)(err))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= (unsigned long)-4095)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))

#define clamp_t(type, val, lo, hi) min_t(type, max_t(type, val, lo), hi)
#define struct_size(p, member, n) \
	(offsetof(__typeof__(*(p)), member) + (n) * sizeof((p)->member[0]))
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))
#define rounddown_pow_of_two(n)	(1ULL << (fls64(n) - 1))
#define roundup_pow_of_two(n)	((n) <= 1 ? 1ULL : 1ULL << fls64((n) - 1))
#define hash_long(val, bits) \
	((unsigned int)((unsigned long)(val) * 0x9e3779b97f4a7c15UL >> (64 - (bits))))
#define __ffs(word)		((unsigned int)__builtin_ctzl(word))
#define memzero_explicit(p, n)	memset(p, 0, n)

static inline void memset64(u64 *p, u64 val, size_t n)
{
	while (n--)
		*p++ = val;
}

static inline void strscpy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

#endif /* SIM_KERNEL_H */
