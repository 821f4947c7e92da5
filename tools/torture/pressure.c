// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory pressure: a thread that takes pages until there are none, holds them
 * for a while and gives them back, so that all others meet failure and
 * recovery over and over.
 *
 * It never tries hard, so it cannot touch the reserves, and before the kernel
 * kills a process for want of memory it gives everything back.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/spinlock.h>

#include "torture.h"

static DEFINE_SPINLOCK(pressure_lock);
static LIST_HEAD(pressure_pages);	/* pressure_lock */
static bool pressure_oom;
static unsigned long pressure_given;	/* in jiffies: when a block was last given back */
static struct task_struct *pressure_task;
atomic_long_t pressure_rounds;

/* Block by block, so that whoever else gives back finds all that is left. */
static unsigned long pressure_give_back(void)
{
	struct page *page;
	unsigned long n = 0;

	for (;;) {
		unsigned int order;

		spin_lock(&pressure_lock);
		page = list_first_entry_or_null(&pressure_pages, struct page, lru);
		if (page)
			list_del(&page->lru);
		spin_unlock(&pressure_lock);
		if (!page)
			return n;
		order = page_private(page);
		set_page_private(page, 0);
		__free_pages(page, order);
		WRITE_ONCE(pressure_given, jiffies);
		n += 1UL << order;
		cond_resched();
	}
}

static int pressure_notify(struct notifier_block *nb, unsigned long unused, void *freed)
{
	unsigned long n;

	WRITE_ONCE(pressure_oom, true);
	n = pressure_give_back();
	/* The thread may have been first, after the kernel had looked for pages. */
	if (!n && time_before(jiffies, READ_ONCE(pressure_given) + HZ))
		n = 1;
	*(unsigned long *)freed += n;
	return NOTIFY_OK;
}

static struct notifier_block pressure_nb = { .notifier_call = pressure_notify };

/* Take pages until there are none, large blocks first. */
static void pressure_take(void)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
	int order = 6;

	while (order >= 0 && !kthread_should_stop() && !READ_ONCE(pressure_oom)) {
		struct page *page = alloc_pages(gfp, order);

		if (!page) {
			order = order ? order / 2 : -1;
			continue;
		}
		set_page_private(page, order);
		spin_lock(&pressure_lock);
		list_add(&page->lru, &pressure_pages);
		spin_unlock(&pressure_lock);
		cond_resched();
	}
}

static int pressure_thread(void *unused)
{
	while (!kthread_should_stop()) {
		WRITE_ONCE(pressure_oom, false);
		pressure_take();
		msleep(200);
		pressure_give_back();
		atomic_long_inc(&pressure_rounds);
		if (!kthread_should_stop())
			msleep(1000);
	}
	return 0;
}

/**
 * pressure_start - begin to take and give back
 *
 * Return: 0 or an error.
 */
int pressure_start(void)
{
	int err = register_oom_notifier(&pressure_nb);

	if (err)
		return err;
	pressure_task = kthread_run(pressure_thread, NULL, "torture_mem");
	if (IS_ERR(pressure_task)) {
		err = PTR_ERR(pressure_task);
		pressure_task = NULL;
		unregister_oom_notifier(&pressure_nb);
	}
	return err;
}

/**
 * pressure_stop - give everything back for good
 */
void pressure_stop(void)
{
	if (!pressure_task)
		return;
	kthread_stop(pressure_task);
	pressure_task = NULL;
	unregister_oom_notifier(&pressure_nb);
	pressure_give_back();
}
