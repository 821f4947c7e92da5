/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which reports are printed.
 */
#ifndef GOALLOC_REPORT_SITE_H
#define GOALLOC_REPORT_SITE_H

#include <linux/types.h>

bool report_site_first(unsigned long site, unsigned int topic);
void report_site_age(void);
void report_site_forget(void);

#endif /* GOALLOC_REPORT_SITE_H */
