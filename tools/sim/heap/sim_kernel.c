// SPDX-License-Identifier: GPL-2.0-only
/*
 * sim_kernel.c - memory, RCU and printing for a heap in user space.
 *
 * Memory is the C library's, so the address sanitizer watches it. What RCU is
 * to free stays until a grace period, and is then freed for real.
 */
#include <malloc.h>
#include <stdarg.h>

#include <sim_kernel.h>

#include "debugfs.h"
#include "harden.h"
#include "drain.h"
#include "foreign.h"

#define MAX_VMALLOC 4096

struct sim_machine sim = { .nodes = 1 };

static struct rcu_head *rcu_list;
static const void *vmallocs[MAX_VMALLOC];
static unsigned int nr_vmallocs;

static void *sim_alloc(size_t size, gfp_t gfp)
{
	void *p;

	sim_must(!sim.locks && !in_nmi());
	might_alloc(gfp);
	if (sim.fail_in) {
		sim.fail_in--;
	} else if (sim.fail_for) {
		sim.fail_for--;
		if (!(gfp & __GFP_NOFAIL)) {
			sim.failed++;
			return NULL;
		}
	}
	/* As aligned as the kernel's are at best. */
	if (posix_memalign(&p, 64, size))
		sim_die("out of memory");
	memset(p, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	sim.pieces++;
	return p;
}

void *kmalloc_node(size_t size, gfp_t gfp, int nid)
{
	(void)nid;
	return sim_alloc(size, gfp);
}

void *__vmalloc(size_t size, gfp_t gfp)
{
	void *p;

	sim_might_sleep();
	p = sim_alloc(size, gfp);
	if (p) {
		sim_must(nr_vmallocs < MAX_VMALLOC);
		vmallocs[nr_vmallocs++] = p;
	}
	return p;
}

void *kvmalloc_node(size_t size, gfp_t gfp, int nid)
{
	(void)nid;
	return size > 2 * PAGE_SIZE ? __vmalloc(size, gfp) : sim_alloc(size, gfp);
}

static unsigned int vmalloc_find(const void *p)
{
	unsigned int i;

	for (i = 0; i < nr_vmallocs; i++)
		if (vmallocs[i] == p)
			break;
	return i;
}

bool is_vmalloc_addr(const void *p)
{
	return vmalloc_find(p) < nr_vmallocs;
}

size_t ksize(const void *p)
{
	sim_must(!is_vmalloc_addr(p));
	return malloc_usable_size((void *)p);
}

void kfree(const void *p)
{
	if (!p)
		return;
	sim_must(!sim.locks && !in_nmi());
	sim.pieces--;
	free((void *)p);
}

void vfree(const void *p)
{
	if (!p)
		return;
	sim_must(is_vmalloc_addr(p));
	vmallocs[vmalloc_find(p)] = vmallocs[--nr_vmallocs];
	kfree(p);
}

void kvfree(const void *p)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else
		kfree(p);
}

void *sim_alloc_percpu(size_t size)
{
	sim_must(size <= SIM_PERCPU_STRIDE);
	return sim_alloc(SIM_CPUS * SIM_PERCPU_STRIDE, GFP_KERNEL | __GFP_ZERO);
}

void free_percpu(void *p)
{
	kfree(p);
}

/* The head is @offset bytes into @p. */
void sim_kfree_rcu(void *p, size_t offset)
{
	struct rcu_head *head = (struct rcu_head *)((char *)p + offset);

	head->p = p;
	head->fn = NULL;
	head->next = rcu_list;
	rcu_list = head;
}

void sim_call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	head->fn = fn;
	head->next = rcu_list;
	rcu_list = head;
}

void sim_grace_period(void)
{
	struct rcu_head *list = rcu_list;

	sim_must(!sim.readers && !sim.locks);
	rcu_list = NULL;
	sim.grace++;
	while (list) {
		struct rcu_head *head = list;

		list = list->next;
		if (head->fn)
			head->fn(head);
		else
			kfree(head->p);
	}
}

static void run_rcu_work(struct rcu_head *head)
{
	struct rcu_work *work = container_of(head, struct rcu_work, rcu);

	work->queued = false;
	work->work.func(&work->work);
}

bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *work)
{
	(void)wq;
	if (work->queued)
		return false;
	work->queued = true;
	sim_call_rcu(&work->rcu, run_rcu_work);
	return true;
}

bool flush_rcu_work(struct rcu_work *work)
{
	sim_might_sleep();
	if (!work->queued)
		return false;
	sim_grace_period();
	return true;
}

void synchronize_rcu(void)
{
	sim_might_sleep();
	sim_grace_period();
}

long schedule_timeout_uninterruptible(long ticks)
{
	(void)ticks;
	sim_might_sleep();
	if (!sim.wait)
		sim_die("waits for ever");
	sim.wait();
	return 0;
}

/* Told, not shown: the texts are the KUnit suites' matter. */
int sim_printk(const char *fmt, ...)
{
	sim_must(fmt && !sim.locks);
	sim.printed++;
	return 0;
}

/* Only for texts. */
const char *foreign_text(const void *p)
{
	return p ? "is foreign" : "is NULL";
}

/* No work here, so nothing drains but what the fuzzer drains itself. */
unsigned int drain_parked = 1;

void drain_wake(void)
{
	sim_must(sim.preempt || sim.irqs_off);
	drain_parked = 0;
}

int drain_add_heap(struct goalloc_heap *heap)
{
	(void)heap;
	drain_parked = 1;
	return 0;
}

void drain_remove_heap(struct goalloc_heap *heap)
{
	(void)heap;
}

void get_random_bytes(void *buf, size_t len)
{
	memset(buf, 0x5a, len);
}

u64 siphash_1u64(u64 val, const siphash_key_t *key)
{
	val = (val ^ key->key[0]) * 0x9e3779b97f4a7c15ULL;
	val = (val ^ val >> 32) * 0xd6e8feb86659fd93ULL;
	return val ^ val >> 32;
}

/* No stacks and no parameters. */
int harden_track_init(void)
{
	return 0;
}

void harden_record(struct harden_event *event, unsigned long site)
{
	event->site = site ?: 1;
	event->stack = 0;
}

unsigned long harden_site(void)
{
	return 1;
}

unsigned int harden_stack(const struct harden_event *event, unsigned long **entries)
{
	(void)event;
	(void)entries;
	return 0;
}

u32 harden_now(void)
{
	return 0;
}

size_t harden_quarantine_cap(void)
{
	return 1 << 16;
}

/* No debugfs here. */
void debugfs_add_heap(struct goalloc_heap *heap)
{
	(void)heap;
}

void debugfs_remove_heap(struct goalloc_heap *heap)
{
	(void)heap;
}
