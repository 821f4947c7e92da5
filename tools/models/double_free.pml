/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two CPUs free the same object at once: cache.[ch], central.c.
 *
 * The check of the state byte and its change are a plain load and a plain
 * store, so both frees can pass, and then two caches have the object noted.
 * The byte is then the token of the one that stored it last, and to the other
 * the object is not there. Modelled: a span of two slots that nobody owns, two
 * CPUs with a list each. CPU 0 and CPU 1 free slot 0 (a bug), CPU 1 also frees
 * slot 1; then each pops its list, flushes it, refills it, or allocates from the
 * central, as often as it likes. One CPU may be through while the other is still between
 * the check of its free and the mark.
 *
 * A free takes an object out of whoever's hands it is in when the mark is made:
 * a stale pointer to an object that lives again is freed like its own. An
 * allocation has the object from when the byte is read.
 *
 * Holds: nobody gets an object that is in somebody's hands, from a list or from
 * the central; the central's books never have a slot free twice, and its count
 * is the number of free slots. Each load and store of the byte is a step, so two
 * CPUs may pop the two notes in the same moment. Plain loads and stores of one
 * byte are seen in one order by all CPUs, so no other order of steps is possible
 * with weakly ordered memory.
 *
 * Excluded, by making it one step: that a CPU is held up between check and mark
 * of its free until the other has freed the object as well and it is on its way
 * from cache to central or back, and then makes the mark just between the look
 * at the byte and the store that note the move.
 * Not modelled: that it is held up until the span goes. What this leaves over is
 * in Documentation/misuse.rst.
 *
 * RUN: all
 * BROKEN: NO_BOOKS_CHECK NO_POP_CHECK NO_FLUSH_CHECK ONE_TOKEN
 */
#define FREE 0
#define LIVE 1
#ifdef ONE_TOKEN
#define TOKEN 2
#else
#define TOKEN (2 + me)
#endif
#define NSLOTS 2
#define CAP 3

byte state[NSLOTS];
bool book[NSLOTS];		/* free in the central's books; central lock */
byte nr_free;			/* central lock */
byte owners[NSLOTS];		/* how many have it in hand, the truth */
bool lock;

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

inline from_books(s, ok)
{
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
		nr_free--
	:: else
	fi;
	assert(nr_free == book[0] + book[1])
}

/* The byte has been read. That it is stored is a step by itself. */
inline take(s)
{
	owners[s]++;
	assert(owners[s] <= 1)
}

/* cache_free(): the load, the store and the note are three steps. */
inline free_object(s)
{
	if
	:: state[s] == LIVE ->
		atomic {
			owners[s] = (owners[s] > 0 -> owners[s] - 1 : 0);
			state[s] = TOKEN
		};
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

	do
	:: steps < 4 && count > 0 ->		/* pop */
		count--;
		s = list[count];
		if
#ifdef NO_POP_CHECK
		:: atomic { true -> take(s) };
			state[s] = LIVE
#else
		:: atomic { state[s] == TOKEN -> take(s) };
			state[s] = LIVE
		:: else
#endif
		fi;
		steps++
	:: steps < 4 && count > 0 ->		/* flush */
		acquire();
		do
		:: count > 0 ->
			count--;
			s = list[count];
			if
#ifdef NO_FLUSH_CHECK
			:: true -> state[s] = FREE;
#else
			:: atomic { state[s] == TOKEN -> state[s] = FREE };
#endif
				put(s, ok)
#ifndef NO_FLUSH_CHECK
			:: else
#endif
			fi
		:: else -> break
		od;
		assert(nr_free == book[0] + book[1]);
		release();
		steps++
	:: steps < 4 && count < CAP ->		/* central_refill() */
		acquire();
		from_books(s, ok);
		if
		:: ok ->
			if
			:: atomic { state[s] == FREE -> state[s] = TOKEN };
				list[count] = s;
				count++
			:: else		/* noted in a list, or popped from one: taken */
			fi
		:: else
		fi;
		release();
		steps++
	:: steps < 4 ->				/* central_alloc() */
		acquire();
		from_books(s, ok);
		if
		:: ok ->
			if
			:: atomic { state[s] == FREE -> take(s) };
				state[s] = LIVE
			:: else
			fi
		:: else
		fi;
		release();
		steps++
	:: break
	od
}

init {
	atomic {
		state[0] = LIVE; owners[0] = 1;
		state[1] = LIVE; owners[1] = 1;
		run cpu(0);
		run cpu(1)
	}
}
