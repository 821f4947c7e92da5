/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Publishing without a lock: leaves of the page map (pagemap_reserve(),
 * pagemap_set()) and caches (cache_create()).
 *
 * Leaf: two CPUs find no leaf, each makes one, one wins; then each enters a
 * span of its own, and a third looks both up all the time.
 * Cache: two tasks of one CPU find no cache, each makes one, with preemption
 * off one is put in place; statistics on another CPU look at it all the time.
 *
 * Holds: nobody finds a leaf, span or cache that is not filled in, nobody uses
 * a leaf or cache that was thrown away, and no entry is lost.
 *
 * RUN: all
 * BROKEN: PLAIN_STORE LEAF_EARLY SPAN_EARLY CACHE_EARLY NO_RECHECK
 */
#define NONE 0

byte leaf = NONE;		/* 1 or 2: whose */
bool leaf_ready[3];
bool leaf_gone[3];
bool entry1[3], entry2[3];	/* entry of CPU 1 and 2 in leaf n */
bool span_ready[3];
byte done;

proctype mapper(byte me)
{
	byte old;

	/* pagemap_reserve() */
	if
	:: leaf == NONE ->
#ifndef LEAF_EARLY
		leaf_ready[me] = true;
#endif
#ifdef PLAIN_STORE
		old = leaf;
		if
		:: old == NONE -> leaf = me
		:: else -> leaf_gone[me] = true
		fi;
#else
		atomic {
			old = leaf;
			if
			:: old == NONE -> leaf = me
			:: else
			fi
		};
		if
		:: old != NONE -> leaf_gone[me] = true
		:: else
		fi;
#endif
#ifdef LEAF_EARLY
		leaf_ready[me] = true;
#endif
		skip
	:: else
	fi;
	/* the span is filled in, then pagemap_set() */
#ifndef SPAN_EARLY
	span_ready[me] = true;
#endif
	old = leaf;
	assert(!leaf_gone[old]);
	if
	:: me == 1 -> entry1[old] = true
	:: else -> entry2[old] = true
	fi;
#ifdef SPAN_EARLY
	span_ready[me] = true;
#endif
	done++
}

proctype looker()
{
	byte l;

	do
	:: leaf != NONE ->
		l = leaf;
		assert(leaf_ready[l] && !leaf_gone[l]);
		if
		:: entry1[l] -> assert(span_ready[1])
		:: entry2[l] -> assert(span_ready[2])
		:: else
		fi
	:: done == 2 ->
		l = leaf;
		assert(entry1[l] && entry2[l]);
		break
	od
}

byte place = NONE;		/* the cache of the CPU: 1 or 2, whose */
bool cache_ready[3];
bool cache_gone[3];
bool preempt_off;

proctype task(byte me)
{
	bool lost;

	if
	:: place == NONE ->
#ifndef CACHE_EARLY
		cache_ready[me] = true;
#endif
		/* One CPU: with preemption off the other task does not run. */
		atomic { !preempt_off -> preempt_off = true };
#ifdef NO_RECHECK
		place = me;
#else
		if
		:: place == NONE -> place = me
		:: else -> lost = true
		fi;
#endif
#ifdef CACHE_EARLY
		cache_ready[me] = true;
#endif
		preempt_off = false;
#ifdef NO_RECHECK
		/* Then the other's goes missing with what was in it. */
		cache_gone[3 - me] = (place == me && cache_ready[3 - me]);
#endif
		if
		:: lost -> cache_gone[me] = true
		:: else
		fi
	:: else
	fi;
	assert(place != NONE)
}

proctype statistics()
{
	byte c;
	byte n;

	do
	:: n < 3 ->
		c = place;
		if
		:: c != NONE -> assert(cache_ready[c] && !cache_gone[c])
		:: else
		fi;
		n++
	:: else -> break
	od
}

init {
	atomic {
		run mapper(1);
		run mapper(2);
		run looker();
		run task(1);
		run task(2);
		run statistics()
	}
}
