// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_numa: what goalloc does on a machine with several nodes.
 *
 * Loaded with test= one of
 *
 *   place     where objects come from, on every CPU and of every node
 *   fallback  where they come from when nodes run out of memory, in turn
 *   remote    @nr objects from one node freed on each of the others
 *   hold      keep a large object in every memory block of @node until unloaded
 *
 * It says what is wrong in the kernel's log, and how many checks there were in
 * its parameters. What can be seen in debugfs is for tools/numa/guest-main.
 */
#define pr_fmt(fmt) "goalloc_numa: " fmt

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

#include <goalloc.h>

static char *test = "place";
module_param(test, charp, 0444);
MODULE_PARM_DESC(test, "place, fallback, remote or hold");
static int node = NUMA_NO_NODE;
module_param(node, int, 0444);
MODULE_PARM_DESC(node, "the node of hold");
static unsigned int nr = 1000;
module_param(nr, uint, 0444);
MODULE_PARM_DESC(nr, "objects of remote");

static unsigned int checks, errors;
module_param(checks, uint, 0444);
MODULE_PARM_DESC(checks, "checks made (read only)");
module_param(errors, uint, 0444);
MODULE_PARM_DESC(errors, "checks failed (read only)");

#define expect(cond, fmt, ...) do {					\
	checks++;							\
	if (!(cond)) {							\
		errors++;						\
		pr_err("wrong: " fmt "\n", ##__VA_ARGS__);		\
	}								\
} while (0)

static const size_t sizes[] = { 8, 64, 500, 5000, 32768, 100000 };

static int nid_of(const void *p)
{
	return page_to_nid(virt_to_page(p));
}

/* Is there memory for the kernel there, and not used up by us? */
static nodemask_t empty;

static bool has_memory(int nid)
{
	return node_state(nid, N_NORMAL_MEMORY) && !node_isset(nid, empty);
}

/* How far the nearest node with memory is; several may be equally near. */
static int nearest_distance(int from)
{
	int best = INT_MAX, nid;

	for_each_online_node(nid)
		if (has_memory(nid))
			best = min(best, node_distance(from, nid));
	return best;
}

static bool is_nearest(int from, int nid)
{
	return has_memory(nid) && (nid == from || !has_memory(from)) &&
	       node_distance(from, nid) == nearest_distance(from);
}

/* Objects of a CPU are of the nearest node, asked for or not. */
static long place_cpu(void *unused)
{
	int cpu = raw_smp_processor_id();
	int home = cpu_to_node(cpu);
	unsigned int i, j;
	void *p, *old[40];

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(old); j++) {
			p = j % 2 ? goalloc(sizes[i], GFP_KERNEL) :
			    goalloc_node(sizes[i], GFP_KERNEL, home);
			expect(p && is_nearest(home, nid_of(p)),
			       "CPU %d of node %d got %zu bytes of node %d", cpu, home,
			       sizes[i], p ? nid_of(p) : -1);
			old[j] = p;
		}
		for (j = 0; j < ARRAY_SIZE(old); j++)
			gofree(old[j]);
		/* And what was freed is handed out again where it belongs. */
		p = goalloc(sizes[i], GFP_KERNEL | __GFP_THISNODE);
		expect(p && is_nearest(home, nid_of(p)),
		       "CPU %d of node %d insisted on %zu bytes and got node %d", cpu,
		       home, sizes[i], p ? nid_of(p) : -1);
		gofree(p);
	}
	p = goalloc_tiny(5, GFP_KERNEL | __GFP_THISNODE);
	expect(p && is_nearest(home, nid_of(p)), "CPU %d: a tiny object of node %d", cpu,
	       p ? nid_of(p) : -1);
	gofree(p);
	return 0;
}

/* Any node's objects from this CPU, with and without insisting. */
static long place_nodes(void *unused)
{
	int cpu = raw_smp_processor_id();
	unsigned int i;
	void *p;
	int nid;

	for (nid = 0; nid < MAX_NUMNODES && nid < nr_node_ids + 2; nid++) {
		bool memory = node_online(nid) && has_memory(nid);

		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			p = goalloc_node(sizes[i], GFP_KERNEL | __GFP_THISNODE, nid);
			expect(memory == !!p, "CPU %d insisted on node %d and got %s", cpu,
			       nid, p ? "an object" : "none");
			expect(!p || nid_of(p) == nid, "CPU %d insisted on node %d and got node %d",
			       cpu, nid, p ? nid_of(p) : -1);
			gofree(p);
			p = goalloc_node(sizes[i], GFP_KERNEL, nid);
			expect(p, "CPU %d: no object for node %d", cpu, nid);
			if (p && node_online(nid))
				expect(is_nearest(nid, nid_of(p)),
				       "CPU %d asked for node %d and got node %d", cpu, nid,
				       nid_of(p));
			gofree(p);
		}
	}
	return 0;
}

static void place(void)
{
	int cpu;

	for_each_online_cpu(cpu) {
		work_on_cpu(cpu, place_cpu, NULL);
		work_on_cpu(cpu, place_nodes, NULL);
	}
}

/*
 * Waking nobody up who would make more memory free, so that a node that is used
 * up stays so.
 */
#define GFP_QUIET (__GFP_NOWARN | __GFP_NORETRY)

struct fallback {
	struct goalloc_heap *heap;
	struct list_head eaten;
	void *obj[60];
	int home;
	unsigned long pages;	/* in @eaten */
	unsigned int right;	/* objects of the nearest node that is not used up */
	unsigned int wrong;	/* of one farther away */
	unsigned int late;	/* of one used up: something became free there */
};

/* All free memory of a node, this CPU's lists of free pages included. */
static void eat_node(struct fallback *fb, int nid)
{
	struct page *page;
	int order;

	for (order = 9; order >= 0; order--) {
		while ((page = alloc_pages_node(nid, GFP_QUIET | __GFP_THISNODE, order))) {
			set_page_private(page, order);
			list_add(&page->lru, &fb->eaten);
			fb->pages += 1L << order;
		}
	}
}

/* What is used up, and what has become free there meanwhile. */
static void eat(struct fallback *fb)
{
	int nid;

	for_each_node_mask(nid, empty)
		eat_node(fb, nid);
}

static void spit(struct list_head *eaten)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, eaten, lru) {
		int order = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
}

/*
 * A fresh heap on this CPU: nothing of it lies about anywhere. The kernel goes
 * on making memory free on the nodes that are used up, so that has to be taken
 * before each object.
 */
static long fallback_cpu(void *arg)
{
	struct fallback *fb = arg;
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(fb->obj); i++) {
		eat(fb);
		p = goalloc_heap_alloc(fb->heap, i % 2 ? 3000 : 50000, GFP_QUIET);
		fb->obj[i] = p;
		if (p && is_nearest(fb->home, nid_of(p)))
			fb->right++;
		else if (p && node_isset(nid_of(p), empty))
			fb->late++;
		else
			fb->wrong++;
	}
	for (i = 0; i < ARRAY_SIZE(fb->obj); i++)
		goalloc_heap_free(fb->heap, fb->obj[i]);
	return 0;
}

/* From a CPU of @from: with each node that is used up the next one serves it. */
static void fallback_from(int cpu)
{
	struct fallback fb = { .home = cpu_to_node(cpu) };
	int nid, next = NUMA_NO_NODE;

	INIT_LIST_HEAD(&fb.eaten);
	nodes_clear(empty);
	for (;;) {
		fb.heap = goalloc_heap_create("fallback", NULL);
		if (IS_ERR(fb.heap)) {
			expect(false, "no heap");
			break;
		}
		fb.right = 0;
		fb.wrong = 0;
		fb.late = 0;
		work_on_cpu(cpu, fallback_cpu, &fb);
		expect(!goalloc_heap_destroy(fb.heap, false), "node %d: the heap is not empty",
		       fb.home);
		expect(!fb.wrong && fb.right > ARRAY_SIZE(fb.obj) / 2,
		       "node %d, used up %*pbl: %u objects from the nearest node, %u from farther away, %u from a used up one",
		       fb.home, nodemask_pr_args(&empty), fb.right, fb.wrong, fb.late);
		pr_info("node %d, used up %*pbl (%lu pages): %u objects from the nearest node, %u from used up ones\n",
			fb.home, nodemask_pr_args(&empty), fb.pages, fb.right, fb.late);
		for_each_online_node(nid)
			if (is_nearest(fb.home, nid))
				next = nid;
		node_set(next, empty);
		if (nearest_distance(fb.home) == INT_MAX)
			break;	/* only the last one is left */
	}
	spit(&fb.eaten);
	nodes_clear(empty);
}

static void fallback(void)
{
	int cpu, nid;

	for_each_online_node(nid) {
		cpu = cpumask_first_and(cpumask_of_node(nid), cpu_online_mask);
		if (cpu < nr_cpu_ids)
			fallback_from(cpu);
	}
}

static void **objs;

static long remote_alloc(void *unused)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		objs[i] = goalloc(64, GFP_KERNEL);
	return 0;
}

static long remote_free(void *unused)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		gofree(objs[i]);
	return 0;
}

static void remote(void)
{
	int first = cpumask_first(cpumask_of_node(first_online_node));
	int cpu, nid;

	objs = kvcalloc(nr, sizeof(*objs), GFP_KERNEL);
	if (!objs) {
		expect(false, "no memory");
		return;
	}
	for_each_online_node(nid) {
		cpu = cpumask_first_and(cpumask_of_node(nid), cpu_online_mask);
		if (nid == first_online_node || cpu >= nr_cpu_ids)
			continue;
		work_on_cpu(first, remote_alloc, NULL);
		expect(objs[nr - 1] && nid_of(objs[nr - 1]) == first_online_node,
		       "not of the first node");
		work_on_cpu(cpu, remote_free, NULL);
	}
	kvfree(objs);
}

/* Large objects, each at the beginning of a list: found again when unloading. */
struct held {
	struct list_head list;
	unsigned long check;
};

static LIST_HEAD(holding);
#define HELD_BYTES SZ_1M

static void hold(void)
{
	struct held *held;
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN | __GFP_THISNODE;
	unsigned int n = 0;

	while ((held = goalloc_node(HELD_BYTES, gfp, node))) {
		held->check = ~(unsigned long)held;
		list_add(&held->list, &holding);
		n++;
	}
	expect(n, "nothing to be had on node %d", node);
	pr_info("holding %u MiB of node %d\n", n, node);
}

static int __init numa_init(void)
{
	if (!strcmp(test, "place"))
		place();
	else if (!strcmp(test, "fallback"))
		fallback();
	else if (!strcmp(test, "remote"))
		remote();
	else if (!strcmp(test, "hold"))
		hold();
	else
		return -EINVAL;
	return 0;
}

static void __exit numa_exit(void)
{
	struct held *held, *next;

	list_for_each_entry_safe(held, next, &holding, list) {
		if (held->check != ~(unsigned long)held || nid_of(held) != node)
			pr_err("wrong: a held object has changed\n");
		gofree(held);
	}
}

module_init(numa_init);
module_exit(numa_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Checks of goalloc on machines with several nodes");
