// SPDX-License-Identifier: GPL-2.0-only
/*
 * meter - how much memory the kernel's allocator and goalloc have, at the most
 *
 * Every 20 ms until SIGTERM it reads /proc/meminfo: what is slab memory, large objects
 * of kmalloc() included, and can be reclaimed or not. Goalloc's pages are counted there
 * as well, those in use as unreclaimable, free ones as reclaimable, and what it has for
 * itself it has from kmalloc(). Then it prints, in bytes over what it was in the
 * beginning, the most that it was and what it was last: "meter PEAK END".
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

static volatile sig_atomic_t over;

static void end(int sig)
{
	(void)sig;
	over = 1;
}

/* Both kinds together, in bytes. */
static long long now(void)
{
	long long sum = 0, kib;
	char line[256];
	FILE *file = fopen("/proc/meminfo", "r");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %lld", &kib) == 1 ||
		    sscanf(line, "KReclaimable: %lld", &kib) == 1)
			sum += kib * 1024;
	fclose(file);
	return sum;
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
