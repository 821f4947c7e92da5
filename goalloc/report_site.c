// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which reports are printed: one per call site and topic, and of all of them no
 * more than a few per second, so that a bug in a loop cannot drown the log. A
 * report that came at a bad time is not lost for good: its site may speak the
 * next time.
 *
 * No lock: a table of words that are set once, with cmpxchg(). The rate limit's
 * lock is only tried. So all of it may be called in any context.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "compat.h"
#include "report_site.h"

#define REPORT_SITES_SHIFT 8

/* Sites and topics that were reported; 0 is an empty entry. */
static unsigned long report_sites[1 << REPORT_SITES_SHIFT];

/* Bit 0: the table is full, and that was said. */
static unsigned long report_full;

/* 10 in 5 seconds, the kernel's own default. What is left out we say ourselves. */
static struct ratelimit_state report_rate =
	RATELIMIT_STATE_INIT_FLAGS("goalloc", DEFAULT_RATELIMIT_INTERVAL,
				   DEFAULT_RATELIMIT_BURST,
				   RATELIMIT_MSG_ON_RELEASE);

/* Reports left out for the rate since the last one that was printed. */
static atomic_t report_missed;

/* Kernel text shares its first byte, so a topic can take it. */
static unsigned long report_key(unsigned long site, unsigned int topic)
{
	return site ^ (unsigned long)(topic + 1) << (BITS_PER_LONG - 8);
}

/**
 * report_site_first - may this be reported?
 * @site: call site, or another address that stands for the cause
 * @topic: what it is about, below 255; each has one report per site
 *
 * Context: Any context; prints, so no goalloc lock may be held.
 * Return: true once for @site and @topic, unless too much was reported lately.
 */
bool report_site_first(unsigned long site, unsigned int topic)
{
	unsigned long key = report_key(site, topic);
	unsigned int start = hash_long(key, REPORT_SITES_SHIFT);
	bool permitted = false;
	unsigned int i;
	int missed;

	for (i = 0; i < ARRAY_SIZE(report_sites); i++) {
		unsigned long *entry = &report_sites[(start + i) % ARRAY_SIZE(report_sites)];
		unsigned long seen = READ_ONCE(*entry);

		if (!seen) {
			if (!permitted && !___ratelimit(&report_rate, "goalloc")) {
				atomic_inc(&report_missed);
				return false;
			}
			permitted = true;
			seen = cmpxchg(entry, 0, key);
		}
		if (!seen) {
			missed = atomic_xchg(&report_missed, 0);
			if (missed)
				pr_err("%d reports were left out because there were so many; all are counted\n",
				       missed);
			return true;
		}
		if (seen == key)
			return false;
	}
	if (!test_and_set_bit(0, &report_full))
		pr_err("bad calls from %zu places were reported; further places are only counted\n",
		       ARRAY_SIZE(report_sites));
	return false;
}
GOALLOC_EXPORT_KUNIT(report_site_first);

#if IS_ENABLED(CONFIG_KUNIT)
/**
 * report_site_age - as if nothing had been reported lately, for tests
 *
 * Context: Process context; nobody reports anything meanwhile.
 */
void report_site_age(void)
{
	ratelimit_state_init(&report_rate, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	ratelimit_set_flags(&report_rate, RATELIMIT_MSG_ON_RELEASE);
}
GOALLOC_EXPORT_KUNIT(report_site_age);

/**
 * report_site_forget - let every site speak again, for tests
 *
 * Context: Process context; nobody reports anything meanwhile.
 */
void report_site_forget(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(report_sites); i++)
		WRITE_ONCE(report_sites[i], 0);
	WRITE_ONCE(report_full, 0);
	atomic_set(&report_missed, 0);
	report_site_age();
}
GOALLOC_EXPORT_KUNIT(report_site_forget);
#endif
