// SPDX-License-Identifier: GPL-2.0-only
/*
 * meter - how much memory the kernel's allocator and goalloc have, at the most
 *
 * Every 20 ms until SIGTERM it adds up what /proc/meminfo says of slab memory (large
 * objects of kmalloc() are in there) and what goalloc holds, if it is there. Then it
 * prints, in bytes over what it was in the beginning, the most that it was and what it
 * was last: "meter PEAK END". What goalloc has for itself it has from kmalloc(), so
 * that is counted as well.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t over;

static void end(int sig)
{
	(void)sig;
	over = 1;
}

/* The number behind a word in a file, or 0. */
static long long number(const char *path, const char *word)
{
	long long n = 0;
	char line[256];
	FILE *file = fopen(path, "r");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		size_t len = strlen(word);

		if (!strncmp(line, word, len)) {
			n = strtoll(line + len, NULL, 10);
			break;
		}
	}
	fclose(file);
	return n;
}

static long long now(void)
{
	return number("/proc/meminfo", "Slab:") * 1024 +
	       number("/sys/kernel/debug/goalloc/kmalloc", "held_bytes");
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	struct sigaction action = { .sa_handler = end };
	long long first = now(), most = first, last = first;

	sigaction(SIGTERM, &action, NULL);
	while (!over) {
		nanosleep(&pause, NULL);
		last = now();
		if (last > most)
			most = last;
	}
	printf("meter %lld %lld\n", most - first, last - first);
	return 0;
}
