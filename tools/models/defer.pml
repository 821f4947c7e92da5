/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Freeing without a lock: central_defer() and central_collect().
 *
 * NMIs on several CPUs mark slots of one span deferred, count them, and whoever
 * counts the first one queues the span. Collections take as many marked slots
 * as were counted; a span whose last slot comes back is released.
 *
 * Holds: the span is never queued twice or after it was released, and no slot
 * is forgotten: once all is quiet, the span has been released.
 *
 * RUN: all
 * BROKEN: FLAG TAKE_ALL CLEAR_LATE
 *
 * FLAG: one bit in place of the count, as it once was. TAKE_ALL: a collection
 * takes every marked slot. CLEAR_LATE: the count is reset after the slots were
 * taken.
 */
#define LIVE 0
#define DEFERRED 1
#define FREE 2
#define NSLOTS 3

byte state[NSLOTS];
byte count;
bool queued;
bool released;
byte nr_free;
byte running = NSLOTS;

proctype nmi(byte s)
{
	byte old;

	state[s] = DEFERRED;
	atomic {
		old = count;
#ifdef FLAG
		count = 1
#else
		count = count + 1
#endif
	};
	if
	:: old == 0 ->
		atomic {
			assert(!released);
			assert(!queued);
			queued = true
		}
	:: else
	fi;
	running--
}

/* One collection. The central lock is held: there is only one at a time. */
inline collect()
{
	if
	:: atomic { queued -> queued = false };
#ifdef CLEAR_LATE
		left = count;
#else
		atomic { left = count; count = 0 };
#endif
#if defined(FLAG) || defined(TAKE_ALL)
		left = NSLOTS;
#endif
		i = 0;
		do
		:: i < NSLOTS && left > 0 ->
			if
			:: state[i] == DEFERRED ->
				state[i] = FREE;
				left--;
				nr_free++;
				if
				:: nr_free == NSLOTS ->
					assert(!released);
					released = true
				:: else
				fi
			:: else
			fi;
			i++
		:: else -> break
		od;
#ifdef CLEAR_LATE
		count = 0;
#endif
		i = 0
	:: else
	fi
}

proctype collector()
{
	byte left, i;

	do
	:: running > 0 -> collect()
	:: running == 0 -> break
	od;
	/* All quiet: this must find what is left. */
	collect();
	assert(released && nr_free == NSLOTS && !queued && count == 0)
}

init {
	atomic {
		run nmi(0);
		run nmi(1);
		run nmi(2);
		run collector()
	}
}
