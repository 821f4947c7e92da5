/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hearing what goalloc prints.
 */
#ifndef GOALLOC_LISTEN_H
#define GOALLOC_LISTEN_H

#include <linux/types.h>

struct kunit;

/* Lines that are kept until the next listen_start(), and their length. */
#define LISTEN_LINES 32
#define LISTEN_LEN 320

bool listen_hears_nmi(void);
void listen_clear(void);
void listen_start(struct kunit *test);
void listen_again(void);
unsigned int listen_stop(void);
unsigned int listen_heard(void);
const char *listen_line(unsigned int i);
char *listen_last(void);
unsigned int listen_count(const char *part);

#endif /* GOALLOC_LISTEN_H */
