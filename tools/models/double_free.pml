/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two CPUs free the same object at once: cache.[ch], central.c.
 *
 * The check of the state byte and its change are a plain load and a plain
 * store, so both frees can pass, and then two caches have the object noted.
 * Modelled: a span of two slots that nobody owns, two CPUs with a list each.
 * CPU 0 and CPU 1 free slot 0 (a bug), CPU 1 also frees slot 1; then each pops
 * its list, flushes it, or allocates from the central, as often as it likes.
 *
 * Holds: the central's books never have a slot free twice, its count is the
 * number of free slots, and a slot that somebody has is never free in the books
 * and handed out a second time by them. Two CPUs that pop the two notes in the
 * very same moment can both get the object: that is all that is left of the
 * bug, and it is excluded here by making a pop one step.
 *
 * MUTATIONS: NO_BOOKS_CHECK NO_POP_CHECK NO_FLUSH_CHECK
 */
#define FREE 0
#define LIVE 1
#define NSLOTS 2
#define CAP 3

byte state[NSLOTS];
bool book[NSLOTS];		/* free in the central's books; central lock */
byte nr_free;			/* central lock */
byte owners[NSLOTS];		/* how many have it in hand, the truth */
bool lock;
byte misfrees;			/* frees still to come */

inline acquire() { atomic { !lock -> lock = true } }
inline release() { lock = false }

/* central_put() */
inline put(s, ok)
{
#ifdef NO_BOOKS_CHECK
	if
	:: true ->
#else
	if
	:: book[s] -> ok = false
	:: else ->
#endif
		book[s] = true;
		nr_free++;
		ok = true
	fi;
	assert(nr_free <= NSLOTS)
}

/* cache_free(): the load, the store and the note are three steps. */
inline free_object(s)
{
	if
	:: state[s] == LIVE ->
		owners[s] = (owners[s] > 0 -> owners[s] - 1 : 0);
		state[s] = FREE;
		list[count] = s;
		count++
	:: else
	fi
}

proctype cpu(byte me)
{
	byte list[CAP];
	byte count;
	byte s, steps;
	bool ok;

	free_object(0);
	if
	:: me == 1 -> free_object(1)
	:: else
	fi;
	misfrees--;
	misfrees == 0;

	do
	:: steps < 4 && count > 0 ->		/* pop */
		atomic {
			count--;
			s = list[count];
			if
#ifdef NO_POP_CHECK
			:: true ->
#else
			:: state[s] == FREE ->
#endif
				state[s] = LIVE;
				owners[s]++;
				assert(owners[s] <= 1)
#ifndef NO_POP_CHECK
			:: else
#endif
			fi
		};
		steps++
	:: steps < 4 && count > 0 ->		/* flush */
		acquire();
		do
		:: count > 0 ->
			count--;
			s = list[count];
			if
#ifdef NO_FLUSH_CHECK
			:: true ->
#else
			:: state[s] == FREE ->
#endif
				put(s, ok)
#ifndef NO_FLUSH_CHECK
			:: else
#endif
			fi
		:: else -> break
		od;
#ifdef NO_FLUSH_CHECK
		/* What is free in the books and live is what must not be. */
		assert(!(book[0] && owners[0] > 0 && state[0] == LIVE));
#endif
		assert(nr_free == book[0] + book[1]);
		release();
		steps++
	:: steps < 4 ->				/* central_alloc() */
		acquire();
		if
		:: book[0] -> s = 0; ok = true
		:: else ->
			if
			:: book[1] -> s = 1; ok = true
			:: else -> ok = false
			fi
		fi;
		if
		:: ok ->
			book[s] = false;
			nr_free--;
			atomic {
				if
				:: state[s] == FREE ->
					state[s] = LIVE;
					owners[s]++;
					assert(owners[s] <= 1)
				:: else		/* somebody popped it: taken */
				fi
			}
		:: else
		fi;
		assert(nr_free == book[0] + book[1]);
		release();
		steps++
	:: steps < 4 && owners[1] == 0 && state[1] == LIVE -> skip; steps++
	:: break
	od
}

init {
	atomic {
		state[0] = LIVE; owners[0] = 1;
		state[1] = LIVE; owners[1] = 1;
		misfrees = 2;
		run cpu(0);
		run cpu(1)
	}
}
