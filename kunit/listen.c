// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hearing what goalloc prints, and what KASAN and KMSAN have found, through the
 * kernel's console tracepoint, which sees every message as it is stored. The
 * tracepoint is not exported by every kernel, so it is looked up by name.
 */
#include <kunit/test.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/version.h>

#include "compat.h"
#include "listen.h"
#include "report_site.h"

static struct tracepoint *listen_point;
static DEFINE_RAW_SPINLOCK(listen_lock);
/* What was heard, and how much. listen_lock. */
static char listen_lines[LISTEN_LINES][LISTEN_LEN];
static unsigned int listen_nr;
static char listen_end[LISTEN_LEN];
static bool listen_on;

static bool listen_begins(const char *text, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && !memcmp(text, prefix, strlen(prefix));
}

static void listen_probe(void *data, const char *text, size_t len)
{
	unsigned long flags;

	if (!listen_begins(text, len, "goalloc: ") &&
	    !listen_begins(text, len, "BUG: KASAN: ") &&
	    !listen_begins(text, len, "BUG: KMSAN: "))
		return;
	raw_spin_lock_irqsave(&listen_lock, flags);
	if (listen_nr < LISTEN_LINES) {
		len = min_t(size_t, len, LISTEN_LEN - 1);
		memcpy(listen_lines[listen_nr], text, len);
		listen_lines[listen_nr][len] = '\0';
	}
	len = min_t(size_t, len, LISTEN_LEN - 1);
	memcpy(listen_end, text, len);
	listen_end[len] = '\0';
	listen_nr++;
	raw_spin_unlock_irqrestore(&listen_lock, flags);
}

static void listen_find(struct tracepoint *tp, void *arg)
{
	if (!strcmp(tp->name, "console"))
		listen_point = tp;
}

/**
 * listen_hears_nmi - may something be printed in NMI while somebody listens?
 *
 * Return: false before 6.12, whose console tracepoint is not meant to be passed
 *         in NMI and says so in a warning of its own.
 */
bool listen_hears_nmi(void)
{
#if GOALLOC_KERNEL_FROM(6, 12)
	return true;
#else
	return false;
#endif
}

/**
 * listen_clear - forget what was heard, and let every place speak again
 */
void listen_clear(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&listen_lock, flags);
	listen_nr = 0;
	memset(listen_lines, 0, sizeof(listen_lines));
	listen_end[0] = '\0';
	raw_spin_unlock_irqrestore(&listen_lock, flags);
	report_site_forget();
}

/**
 * listen_start - listen_clear() and begin to listen
 * @test: the test, which ends here if that is not possible
 */
void listen_start(struct kunit *test)
{
	listen_clear();
	for_each_kernel_tracepoint(listen_find, NULL);
	KUNIT_ASSERT_NOT_NULL(test, listen_point);
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(listen_point, listen_probe, NULL));
	listen_on = true;
}

/**
 * listen_again - forget what was heard, and go on listening
 */
void listen_again(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&listen_lock, flags);
	memset(listen_lines, 0, sizeof(listen_lines));
	listen_nr = 0;
	raw_spin_unlock_irqrestore(&listen_lock, flags);
}

/**
 * listen_stop - listen no more; a suite's exit() does it in any case
 *
 * Return: number of lines heard.
 */
unsigned int listen_stop(void)
{
	if (listen_on) {
		tracepoint_probe_unregister(listen_point, listen_probe, NULL);
		tracepoint_synchronize_unregister();
		listen_on = false;
	}
	return listen_nr;
}

/**
 * listen_heard - how much was heard
 *
 * Return: number of lines since listen_clear().
 */
unsigned int listen_heard(void)
{
	return READ_ONCE(listen_nr);
}

/**
 * listen_line - a line that was heard
 * @i: its number
 *
 * Return: the line; empty if there were not so many.
 */
const char *listen_line(unsigned int i)
{
	return i < min_t(unsigned int, listen_nr, LISTEN_LINES) ? listen_lines[i] : "";
}

/**
 * listen_last - the last line that was heard, however many there were
 *
 * Return: the line.
 */
char *listen_last(void)
{
	return listen_end;
}

/**
 * listen_count - lines that contain a text
 * @part: the text
 *
 * Return: their number.
 */
unsigned int listen_count(const char *part)
{
	unsigned int nr = 0;
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, listen_nr, LISTEN_LINES); i++)
		nr += !!strstr(listen_lines[i], part);
	return nr;
}
