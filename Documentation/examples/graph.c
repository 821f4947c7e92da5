// SPDX-License-Identifier: GPL-2.0-only
/* A graph with cycles in a collected heap: what is cut off goes. */
#include <linux/module.h>
#include <goalloc_gc.h>

struct town {
	struct town *road[2];
};

static GOALLOC_TYPE(town_type, struct town, road[0], road[1]);

static struct goalloc_gc *map;
static struct goalloc_root map_root;
static struct town *capital;

/* A ring of towns; each one's second road is free. NULL if there is no memory. */
static struct town *build(struct goalloc_mutator *m, int towns)
{
	struct town *first = goalloc_new(m, &town_type, GFP_KERNEL), *last = first, *t;

	while (first && --towns) {
		t = goalloc_new(m, &town_type, GFP_KERNEL);
		if (!t)
			return NULL;
		goalloc_store(m, &t->road[0], last);
		last = t;
	}
	if (first)
		goalloc_store(m, &first->road[0], last);
	return first;
}

static int __init graph_init(void)
{
	struct goalloc_mutator m;

	map = goalloc_gc_create("map", NULL);
	if (IS_ERR(map))
		return PTR_ERR(map);
	goalloc_root_add(map, &map_root, &capital, 1);
	goalloc_enter(map, &m);
	goalloc_store(&m, &capital, build(&m, 100));
	/* No road leads to this ring, and nobody frees a town. */
	build(&m, 1000);
	goalloc_exit(&m);
	return goalloc_gc(map);
}

static void __exit graph_exit(void)
{
	goalloc_root_remove(map, &map_root);
	goalloc_gc_destroy(map);
}

module_init(graph_init);
module_exit(graph_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Example of a collected heap");
