// SPDX-License-Identifier: GPL-2.0-only
/*
 * For a test that is linked with parts of the kernel which are set up at boot: set
 * them up before the test, and take down what they have after it. CLIENT_SETUP is the
 * function that sets up, CLIENT_CACHE the cache it makes.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

/* The test's own, under another name. */
int client_init_module(void);
void client_cleanup_module(void);

void CLIENT_SETUP(void);
extern struct kmem_cache *CLIENT_CACHE;

static int __init glue_init(void)
{
	int err;

	CLIENT_SETUP();
	err = client_init_module();
	if (err) {
		rcu_barrier();
		kmem_cache_destroy(CLIENT_CACHE);
	}
	return err;
}

static void __exit glue_exit(void)
{
	client_cleanup_module();
	/* Nodes are freed by call_rcu(). */
	rcu_barrier();
	kmem_cache_destroy(CLIENT_CACHE);
}

module_init(glue_init);
module_exit(glue_exit);
