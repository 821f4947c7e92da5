/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A block of tiny objects: who gives it back? tiny.c.
 *
 * One cache packs the block and has a share in it, the bit of the last offset;
 * other CPUs free what was handed out. The block ends in one of three ways: the
 * cache drops it, an object fills it, or an object of one byte at the last
 * offset fills it and takes over the share's bit. Another CPU tries to free the
 * last offset although there may be no object (a bug).
 *
 * Modelled with three offsets, 0, 1 and LAST.
 *
 * Holds: the block is released exactly once, when no object in it lives, and
 * the packing cache never enters an object into a released block. A bad free of
 * LAST while the block is being closed may be taken for a good one, but changes
 * nothing of this.
 *
 * RUN: all
 * BROKEN: DROP_ALWAYS PLAIN_CLEAR CLOSE_EARLY NO_OPEN_CHECK
 */
#define OPEN 0
#define CLOSED 1
#define SHARE 4			/* the bit of offset LAST */

byte state = OPEN;
byte live;			/* bit per offset */
byte handed;			/* objects that somebody may free now */
byte released;
bool packer_done;

inline give_back()
{
	released++;
	assert(released == 1)
}

/* tiny_clear(): returns the mask before */
inline clear(mask, old)
{
#ifdef PLAIN_CLEAR
	old = live;
	live = old & ~(mask)
#else
	atomic { old = live; live = live & ~(mask) }
#endif
}

/* tiny_enter() */
inline enter(mask, last)
{
	atomic {
		assert(released == 0);
		live = (last -> (live & ~SHARE) : live) | mask
	}
}

inline close()
{
	state = CLOSED
}

proctype packer()
{
	byte old;

	/* tiny_alloc() took the slot: the first object and the share. */
	live = 1 | SHARE;
	state = OPEN;
	handed = handed | 1;
	if
	:: true ->			/* an object fills the block */
#ifdef CLOSE_EARLY
		close();
		enter(2, true);
#else
		enter(2, true);
		close();
#endif
		handed = handed | 2
	:: true ->			/* one that does not, then one byte */
		enter(2, false);
		handed = handed | 2;
		close();		/* LAST: the share is the object's bit now */
		handed = handed | SHARE
	:: true ->			/* tiny_drop() */
		close();
		clear(SHARE, old);
#ifdef DROP_ALWAYS
		if
		:: true -> give_back()
		fi
#else
		if
		:: old == SHARE -> give_back()
		:: else
		fi
#endif
	fi;
	packer_done = true
}

/* tiny_free() of a live object: whoever has it frees it once. */
proctype freer(byte mask)
{
	byte old;

	do
	:: atomic { handed & mask -> handed = handed & ~mask } ->
		clear(mask, old);
		if
		:: old == mask -> give_back()
		:: else
		fi;
		break
	:: packer_done && !(handed & mask) -> break
	od
}

/* A bad free of the last offset, at any time. */
proctype bad_freer()
{
	byte old;

#ifndef NO_OPEN_CHECK
	if
	:: state == OPEN -> goto refused
	:: else
	fi;
#endif
	/* The same object must not be freed twice here: that is another bug. */
	if
	:: atomic { !(handed & SHARE) } ->
		clear(SHARE, old);
		if
		:: old == SHARE -> give_back()
		:: else
		fi
	:: else
	fi;
refused:
	skip
}

init {
	atomic {
		live = 1 | SHARE;
		run packer();
		run freer(1);
		run freer(2);
		run freer(SHARE);
		run bad_freer()
	};
	(_nr_pr == 1);
	assert(released == 1 && live == 0)
}
