/* SPDX-License-Identifier: GPL-2.0-only */
/* Atomic operations and barriers, in user space. */
#ifndef SIM_LINUX_ATOMIC_H
#define SIM_LINUX_ATOMIC_H

#include <linux/types.h>

#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, val) \
	__atomic_store_n(p, val, __ATOMIC_RELEASE)

#define cmpxchg(p, old, new) ({					\
	__typeof__(*(p)) cmpxchg_old = (old);			\
	__atomic_compare_exchange_n(p, &cmpxchg_old, new, false,\
				    __ATOMIC_SEQ_CST,		\
				    __ATOMIC_SEQ_CST);		\
	cmpxchg_old;						\
})

#define ATOMIC64_INIT(n) { (n) }

static inline void atomic64_set(atomic64_t *v, s64 n)
{
	__atomic_store_n(&v->counter, n, __ATOMIC_RELAXED);
}

static inline s64 atomic64_read(const atomic64_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

static inline void atomic64_add(s64 n, atomic64_t *v)
{
	__atomic_fetch_add(&v->counter, n, __ATOMIC_RELAXED);
}

static inline void atomic64_sub(s64 n, atomic64_t *v)
{
	__atomic_fetch_sub(&v->counter, n, __ATOMIC_RELAXED);
}

#endif /* SIM_LINUX_ATOMIC_H */
