/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs and memory that come and go.
 */
#ifndef GOALLOC_HOTPLUG_H
#define GOALLOC_HOTPLUG_H

int hotplug_init(void);
void hotplug_exit(void);

#endif /* GOALLOC_HOTPLUG_H */
