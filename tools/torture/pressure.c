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
static struct task_struct *pressure_task;
atomic_long_t pressure_rounds;

static unsigned long pressure_give_back(void)
{
	struct page *page, *next;
	unsigned long n = 0;
	LIST_HEAD(list);

	spin_lock(&pressure_lock);
	list_splice_init(&pressure_pages, &list);
	spin_unlock(&pressure_lock);
	list_for_each_entry_safe(page, next, &list, lru) {
		unsigned int order = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		__free_pages(page, order);
		n += 1UL << order;
		cond_resched();
	}
	return n;
}

static int pressure_notify(struct notifier_block *nb, unsigned long unused, void *freed)
{
	WRITE_ONCE(pressure_oom, true);
	*(unsigned long *)freed += pressure_give_back();
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
