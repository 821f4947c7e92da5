/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When marking has ended (gc_markers.c): a collector and two threads that mark beside it,
 * which take work from a list, and put it there. A mutator that helps does so for a while,
 * now and then.
 *
 * Who has nothing gives back what is left of his, counts himself as idle, and waits until
 * there is something in the list; he stops being idle in one step with seeing that. If
 * the collector has nothing, the list is empty and all are idle, they are paused: nobody
 * takes anything up. Then everybody is stopped, which may bring work once more.
 *
 * Holds:
 * - When the markers are paused, nobody has anything to mark, and nobody takes anything up
 *   until the collector lets them.
 * - When marking is over all have left, and nothing was left undone.
 * - Nobody waits for ever.
 *
 * Work is a number: to do a unit of it may make another, as long as there are any left
 * (UNITS). What is done under the lock is one step.
 *
 * RUN: marking
 * BROKEN: JOIN_BUSY IDLE_FIRST BUSY_LATE NO_PAUSE HELP_UNSEEN HELP_LATE
 *
 * JOIN_BUSY: a thread that comes late begins to mark, as if nobody could be paused.
 * IDLE_FIRST: it counts itself as idle, and gives back what it has then. BUSY_LATE: it
 * takes work, and stops being idle then. NO_PAUSE: nobody is paused. HELP_UNSEEN: who
 * helps is not counted. HELP_LATE: he looks whether he may, and is counted then.
 */
#define MARKERS 2
#define HELPER 2
#ifndef HELPS
#define HELPS 2
#endif
#ifndef UNITS
#define UNITS 4
#endif

byte list;		/* work for everybody */
byte hand[MARKERS + 1];	/* the last one is the helper's */
byte mine = 1;		/* the collector's: the roots */
byte units = UNITS;	/* that may yet come up */
byte nr_markers;
byte nr_idle;
bool paused;
bool over;
bool stopped;		/* everybody is: the collector alone has work */

/* Do a unit, which may make another: for oneself, or for everybody. */
inline work(has)
{
	atomic {
		has > 0 ->
		assert(!stopped);
		has--;
		if
		:: true
		:: units > 0 -> units--; has++
		:: units > 0 -> units--; list++
		fi
	}
}

inline drain(has)
{
	do
	:: work(has)
	:: atomic { has == 0 && list > 0 -> list--; has++ }
	:: atomic { has == 0 && list == 0 -> break }
	/* With enough left, it shares. */
	:: atomic { has > 1 -> has--; list++ }
	od
}

proctype marker(byte me)
{
	bool left;

	atomic {
		if
		:: over -> left = true
		:: else -> nr_markers++
		fi
	}
	if
	:: left -> goto out
	:: else
	fi;
#ifdef JOIN_BUSY
	drain(hand[me]);
#endif
	do
	:: left -> break
	:: else ->
#ifdef IDLE_FIRST
		nr_idle++;
		atomic { list = list + hand[me]; hand[me] = 0 };
#else
		atomic { list = list + hand[me]; hand[me] = 0 };
		nr_idle++;
#endif
		if
		:: atomic { over -> nr_idle--; nr_markers--; left = true }
#ifdef BUSY_LATE
		:: atomic { !paused && list > 0 -> list--; hand[me]++ };
			nr_idle--
#else
		:: atomic { !paused && list > 0 -> nr_idle-- }
#endif
		fi;
		if
		:: left
		:: else ->
			/* It need not come to the end of it. */
			if
			:: drain(hand[me])
			:: atomic { list > 0 -> list--; hand[me]++ }
			:: true
			fi
		fi
	od;
out:
	skip
}

proctype helper()
{
	byte helps = HELPS;

	do
	:: helps == 0 -> break
	:: over -> break
	:: helps > 0 ->
		helps--;
		if
#ifdef HELP_UNSEEN
		:: atomic { !paused && !over -> skip };
#else
#ifdef HELP_LATE
		:: !paused && !over ->
			nr_markers++;
#else
		:: atomic { !paused && !over -> nr_markers++ };
#endif
#endif
			if
			:: atomic { list > 0 -> list--; hand[HELPER]++ };
				if
				:: drain(hand[HELPER])
				:: true
				fi
			:: true
			fi;
			atomic { list = list + hand[HELPER]; hand[HELPER] = 0 };
#ifndef HELP_UNSEEN
			nr_markers--
#endif
		:: paused || over
		fi
	od
}

proctype collector()
{
	bool more;

	do
	:: true ->
		do
		:: true ->
			drain(mine);
			atomic {
				if
				:: list > 0
				:: list == 0 && nr_idle == nr_markers ->
#ifndef NO_PAUSE
					paused = true;
#endif
					break
				:: timeout -> assert(false)	/* for ever */
				fi
			}
		od;
		/* Everybody is stopped. */
		assert(list == 0 && hand[0] == 0 && hand[1] == 0 && hand[HELPER] == 0);
		stopped = true;
		/* What mutators had left. */
		if
		:: units > 0 -> units--; list++
		:: true
		fi;
		more = list > 0;
		assert(hand[0] == 0 && hand[1] == 0 && hand[HELPER] == 0);
		stopped = false;
		if
		:: more -> paused = false
		:: else -> break
		fi
	od;
	over = true;
	nr_markers == 0;
	assert(list == 0 && hand[0] == 0 && hand[1] == 0 && nr_idle == 0)
}

init
{
	atomic {
		run collector();
		run marker(0);
		run marker(1);
		run helper()
	}
}
