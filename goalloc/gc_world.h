/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is inside of a mutator's section, and how everybody is stopped.
 */
#ifndef GOALLOC_GC_WORLD_H
#define GOALLOC_GC_WORLD_H

#include <linux/lockdep.h>
#include <linux/types.h>
#include <linux/wait.h>

/**
 * struct gc_world - the sections of a heap's mutators
 * @inside: how many went in on this CPU, less those that came out on it; preemption off
 * @stop: nobody is to go in; the stopper's
 * @outside: where those wait who want to
 * @stopped: where the stopper waits until nobody is inside
 * @dep_map: what lockdep knows it as
 */
struct gc_world {
	int __percpu *inside;
	bool stop;
	wait_queue_head_t outside;
	wait_queue_head_t stopped;
	struct lockdep_map dep_map;
};

int gc_world_init(struct gc_world *w);
void gc_world_end(struct gc_world *w);
void gc_world_enter(struct gc_world *w);
void gc_world_exit(struct gc_world *w);
void gc_world_close(struct gc_world *w);
void gc_world_wait(struct gc_world *w);
void gc_world_start(struct gc_world *w);

#endif /* GOALLOC_GC_WORLD_H */
