/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marking while the heap changes: the hybrid write barrier, and how the end of marking
 * is found.
 *
 * The heap has OBJS objects of one pointer field, the first has two, and there is one
 * global. There are two mutators, with frames of two slots and of one. When marking
 * begins the heap is any forest, whose trees hang in the global, in a slot of each frame
 * or in nothing; sharing and cycles come from what the mutators do. In a step a mutator loads
 * a field into its frame, stores nil or what is in its frame to a field, allocates, or
 * drops what is in a slot. It goes by the pointers in its frame: what it cannot reach
 * it cannot touch. Both together make OPS steps, at any time of the marking.
 *
 * A store records the value that is overwritten and the value that is written, both, in
 * the mutator's buffer. The old one: somebody whose frame has been scanned may have
 * loaded it, and the field may not have been scanned. The new one: the object that it
 * goes into may have been scanned, and the frame that it comes from may not. Each frame
 * is scanned once, which is why both are needed. What is allocated is black: the only
 * pointer to it may be in a frame that has been scanned.
 *
 * Sections. A step that changes the heap is made inside of a section of the mutator's
 * (in[]). To scan a frame or to flush a buffer, the collector holds that one mutator out
 * of its section (hold[]); at the end of marking it holds all of them out (stop), as the
 * writer of a per-CPU reader/writer lock does. Whoever is inside leaves first.
 *
 * Colours. White: not in `marked`. Grey: in `grey`, the queue. Black: in `marked` only;
 * so is what a worker is just scanning, and `working` says that there is such a one.
 * The objects in a buffer are marked and queued when it is flushed: by its owner in the
 * midst of a store, as it may be full at any time, or by the collector.
 *
 * The end. The workers find nothing in the queue, no frame left, nobody at work. One of
 * them then goes round: it flushes each buffer in turn, and asks whether the owner has
 * flushed something new since it was last asked (flushed[]). If anything came out,
 * marking goes on. If not, it stops everybody and looks again (LEFT). That is needed,
 * NO_RECHECK shows it: both mutators have recorded the same object, the first one is
 * visited, flushes it later because its buffer is full, and the second one then has
 * nothing new to show for it, although the object is in the queue.
 *
 * Holds:
 * - When marking ends, no object that a frame or the global reaches, over any number of
 *   fields, is white. A sweep frees the white ones, so that what it frees is what nobody
 *   can get at; and as a mutator can only get at less from then on, it stays so. That
 *   what is free is found later and piece by piece is sweepgen.pml's.
 * - What was garbage when marking began is white. Without this, marking everything would
 *   do.
 * - Marking ends: no cycle of states, and nobody is stuck. Each round of the end that is
 *   not the last one has marked something, or had a worker still at it.
 *
 * A step is one access to what others can see at that time. Entering a section is one
 * step with the first access in it, leaving it with the last one, and holding somebody
 * out with what is done first then: the difference cannot be seen by anybody. A buffer is
 * its owner's or the holder's alone, so that the order of recording and storing inside
 * of one section is no matter. The looks at the queue and the workers under the stop are
 * one step: in code they want a lock.
 *
 * Not modelled: weakly ordered memory, which the lock that a section is has to take care
 * of, and mutators that come or go while marking.
 *
 * RUN: objects -DOBJS=3 -DOPS=3
 * RUN: workers -DOBJS=2 -DOPS=2 -DWORKERS=2
 * ENDS: ends -DOBJS=2 -DOPS=2 -DWORKERS=2
 * BROKEN: NO_DELETION NO_INSERTION NO_RAGGED NO_RECHECK ALLOC_WHITE MARK_ALL
 * ENDLESS: KEEP_FLAG
 *
 * NO_DELETION: the old value is not recorded. NO_INSERTION: the new one is not.
 * NO_RAGGED: no round, no look under the stop, what is in the buffers is thrown away.
 * NO_RECHECK: no look under the stop. ALLOC_WHITE: allocated objects are not marked.
 * MARK_ALL: all objects are marked from the start. KEEP_FLAG: that an owner has flushed
 * something is not forgotten when it was seen, so that no round is ever the last one.
 */
#ifndef OBJS
#define OBJS 3			/* 2 or 3: see lowest() and put() */
#endif
#ifndef OPS
#define OPS 3
#endif
#ifndef WORKERS
#define WORKERS 1
#endif

#define BIT(o) (1 << (o))
#define ALL (BIT(OBJS + 1) - 1)
#define MUTATORS 2
#define FRAMES (BIT(MUTATORS) - 1)

/*
 * 0 is nil where a pointer is meant, and the globals where an object is. It is marked
 * from the start, so that marking nil does nothing.
 */
#define NIL 0
#define GLOBALS 0
#define NONE 255		/* no field */

/* slot[o] is the field of object o, slot[SECOND] the second one of object 1. */
#define SECOND (OBJS + 1)
byte slot[OBJS + 2];
byte frame[2 * MUTATORS];	/* two for each mutator; the last one is not used */

byte live;			/* bit per object: allocated */
byte marked = BIT(GLOBALS);
byte grey = BIT(GLOBALS);	/* the queue */
byte garbage;			/* what was unreachable when marking began */
byte buffer[MUTATORS];		/* bit per object: recorded, not flushed */
bool flushed[MUTATORS];		/* its owner has queued something */
byte scanned;			/* bit per mutator: frame claimed */
byte working;			/* workers with something in hand */
byte steps;			/* of the mutators, so far */
bool marking = true;
bool closing;			/* a worker tries to end it */

bool in[MUTATORS];		/* inside of a section */
bool hold[MUTATORS];		/* held out of it */
bool stop;			/* all held out */

#define lowest(set) ((set) & 1 -> 0 : ((set) & 2 -> 1 : ((set) & 4 -> 2 : 3)))

/* Marking is an atomic or; whoever sets the bit queues the object. */
inline mark(o)
{
	grey = (marked & BIT(o) -> grey : grey | BIT(o));
	marked = marked | BIT(o)
}

/* All that the global and the frames reach. */
inline reach(set)
{
	d_step {
		set = BIT(GLOBALS);
		i = 0;
		do
		:: i < 2 * MUTATORS -> set = set | BIT(frame[i]); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < OBJS * (OBJS + 1) ->	/* as often as the longest path */
			j = i % (OBJS + 1);
			set = (set & BIT(j) -> set | BIT(slot[j]) : set);
			set = (j == 1 && (set & BIT(j)) -> set | BIT(slot[SECOND]) : set);
			i++
		:: else -> break
		od;
		i = 0;
		j = 0
	}
}

/* What is marked stays so: flushing it would do nothing. */
#define record(o) buffer[me] = buffer[me] | (BIT(o) & ~marked)

/* Mark and queue one object of the buffer of m: its owner, or who holds it out. */
inline flush_one(m, found)
{
	d_step {
		o = lowest(buffer[m]);
		buffer[m] = buffer[m] & ~BIT(o);
		found = found || !(marked & BIT(o));
		mark(o);
		o = NIL
	}
}

#define MINE0 (2 * me)
#define MINE1 (2 * me + 1)

#define HAS(o) (frame[MINE0] == o || frame[MINE1] == o)

/* A field that the mutator can get at. What is empty in its frame is GLOBALS. */
inline pick_slot(s)
{
	if
	:: s = GLOBALS
	:: s = frame[MINE0]
	:: s = frame[MINE1]
	:: HAS(1) -> s = SECOND
	fi
}

inline pick_value(v)
{
	if
	:: v = NIL
	:: v = frame[MINE0]
	:: v = frame[MINE1]
	fi
}

inline to_frame(v)
{
	if
	:: frame[MINE0] = v
	:: me == 0 -> frame[MINE1] = v
	fi;
	/* Which of the two it is makes no difference: the larger one is first. */
	d_step {
		if
		:: frame[MINE0] < frame[MINE1] ->
			v = frame[MINE0];
			frame[MINE0] = frame[MINE1];
			frame[MINE1] = v
		:: else
		fi;
		v = NIL
	}
}

/* To load nil, or what is there already, would be no step. */
#define NEW(s) (slot[s] != NIL && !HAS(slot[s]))

inline load(s)
{
	v = slot[s];
	steps++;
	to_frame(v)
}

/* May enter a section; it is entered and left again in the same step if it is one. */
#define MAY (marking && steps < OPS && !stop && !hold[me])

proctype mutator(byte me)
{
	byte s, v, o;
	bool flushing;

end:	do
	:: atomic { MAY && NEW(GLOBALS) -> load(GLOBALS) }
	:: atomic { MAY && NEW(frame[MINE0]) -> load(frame[MINE0]) }
	:: atomic { MAY && NEW(frame[MINE1]) -> load(frame[MINE1]) }
	:: atomic { MAY && HAS(1) && NEW(SECOND) -> load(SECOND) }
	:: atomic { MAY && frame[MINE0] != NIL ->	/* drop */
		steps++;
		v = NIL;
		to_frame(v)
	}
	:: atomic { MAY && live != ALL ->	/* allocate */
		steps++;
		v = lowest(ALL & ~live);
		live = live | BIT(v);
		slot[v] = NIL;
		slot[SECOND] = (v == 1 -> NIL : slot[SECOND]);
#ifndef ALLOC_WHITE
		/* Black: its fields are nil, and the frame may have been scanned. */
		marked = marked | BIT(v);
#endif
		to_frame(v)
	}
	:: atomic { MAY ->			/* store: the barrier, then the field */
		steps++;
		in[me] = true;
		pick_slot(s);
		pick_value(v);
#ifndef NO_DELETION
		record(slot[s]);
#endif
#ifndef NO_INSERTION
		record(v);
#endif
		skip
	};
		do
		:: atomic { buffer[me] != 0 ->	/* it is full */
			flush_one(me, flushed[me]);
			flushing = true
		}
		:: atomic { !flushing || buffer[me] == 0 ->
			slot[s] = v;
			in[me] = false;
			flushing = false;
			s = 0;
			v = NIL;
			break
		}
		od
	od
}

/* Hold m out of its section: when it has left it, this goes on. */
inline hold_out(m)
{
	hold[m] = true;
	!in[m]
}

/* What would still end up in the queue, or is there. All are held out. */
#define BUFFERED (buffer[0] | buffer[MUTATORS - 1])
#define LEFT (grey != 0 || working != 0 || (BUFFERED & ~marked) != 0)

/* The end of marking, all held out: what has to be true by now. */
inline finish()
{
	d_step {
		reach(set);
		assert((set & ~marked) == 0);
		assert((marked & garbage) == 0);
		buffer[0] = 0;
		buffer[MUTATORS - 1] = 0;
		set = 0;
		marking = false
	}
}

inline next_field()
{
	if
	:: f == 1 -> f = SECOND
	:: else -> f = NONE; working--
	fi
}

/*
 * Look at one field, and go to the next. What is in it is marked in a second step,
 * unless it has been marked already, which it then stays.
 */
inline scan_field()
{
	c = (marked & BIT(slot[f]) -> NIL : slot[f]);
	if
	:: c == NIL -> next_field()
	:: else
	fi
}

/* Nothing to do anywhere: is this the end? */
inline close()
{
#ifndef NO_RAGGED
	do
	:: atomic { m < MUTATORS ->
		hold_out(m);
		if
		:: buffer[m] != 0 -> flush_one(m, came)
		:: else
		fi;
		if
		:: buffer[m] == 0 ->
			came = came || flushed[m];
#ifndef KEEP_FLAG
			flushed[m] = false;
#endif
			hold[m] = false;
			m++
		:: else
		fi
	}
	:: atomic { m == MUTATORS -> m = 0; break }
	od;
#endif
	atomic {
		if
		:: came
		:: else ->
			stop = true;
			!in[0] && !in[MUTATORS - 1];
			if
#if !defined(NO_RAGGED) && !defined(NO_RECHECK)
			:: LEFT
#endif
			:: else -> finish()
			fi;
			stop = false
		fi;
		came = false;
		closing = false
	}
}

proctype worker()
{
	byte f = NONE;			/* the field to look at */
	byte c = NIL;			/* what was in it */
	byte o, m;
	byte set, i, j;
	bool came;

	do
	:: d_step { f == NONE && grey != 0 ->
		working++;
		f = lowest(grey);
		grey = grey & ~BIT(f);
		scan_field()
	}
	:: d_step { f != NONE && c == NIL -> scan_field() }
	:: d_step { c != NIL -> mark(c); c = NIL; next_field() }
	:: atomic { f == NONE && scanned != FRAMES ->
		working++;
		m = lowest(FRAMES & ~scanned);
		scanned = scanned | BIT(m);
		hold_out(m);
		mark(frame[2 * m])
	};
		d_step { mark(frame[2 * m + 1]); hold[m] = false; working--; m = 0 }
	:: atomic { f == NONE && marking && grey == 0 && scanned == FRAMES &&
		    working == 0 && !closing ->
		closing = true
	};
		close()
	:: !marking -> break
	od
}

/*
 * Hang o into a place that is empty, or nowhere, which makes it garbage. As long as
 * objects 2 and 3 are alike, 3 comes to a place behind that of 2, or into its field.
 */
inline put(o)
{
	if
	:: from == 0 && slot[GLOBALS] == NIL -> slot[GLOBALS] = o
	:: from <= 1 && o != 1 && slot[1] == NIL -> slot[1] = o; from = 1
	:: from <= 2 && o != 1 && slot[SECOND] == NIL -> slot[SECOND] = o; from = 2
	:: from <= 3 && frame[0] == NIL -> frame[0] = o; from = 3
	:: from <= 4 && frame[2] == NIL -> frame[2] = o; from = 4
	:: o != 2 && slot[2] == NIL -> slot[2] = o
	:: o == 2 && (live & BIT(3)) && slot[2] != NIL -> slot[3] = o
	:: from = 5
	fi;
	from = (slot[2] != NIL -> 0 : from)
}

init {
	byte i, j, set, from;

	atomic {
		if
		:: live = ALL & ~BIT(OBJS)
		:: live = ALL
		fi;
		put(1);
		from = 0;
		do
		:: j + 2 <= OBJS && (live & BIT(j + 2)) -> j++; put(j + 1)
		:: else -> break
		od;
		j = 0;
		from = 0;
		reach(set);
		garbage = live & ~set;
		set = 0;
#ifdef MARK_ALL
		marked = ALL;
#endif
		run mutator(0);
		run mutator(1);
		run worker();
		if
		:: WORKERS == 2 -> run worker()
		:: else
		fi
	}
}
