/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sweeping while objects are allocated: the generation of a span, the sets of a central,
 * the spans that CPUs have cached.
 *
 * h, the heap's generation, grows by 2 when marking ends. A span's generation says, by
 * how far it is from h, what may be done with it:
 *
 *   h - 2  has to be swept, is not cached
 *   h - 1  somebody sweeps it, and nobody else may
 *   h      swept, not cached
 *   h + 1  cached since before h grew: has to be swept, and is that CPU's to sweep
 *   h + 3  swept, then cached
 *
 * So with h all that was swept becomes what has to be swept, without touching a span.
 * To sweep is to take over the marks as what is allocated: an object that was allocated
 * from a span that has yet to be swept would be lost by that.
 *
 * The sets: partial and full, each twice. Which of the two has the swept spans is a bit
 * of h, so that they change their roles when h grows. Whoever takes a span from an
 * unswept set has to win it, h - 2 to h - 1 in a compare and swap, because the reclaimer
 * comes to spans by their address, sweeps them and leaves the entry in the set. If it is
 * not won it is left alone, for somebody has it or had it. From a swept set it is used as
 * it is; so an unswept set has to be empty before it becomes a swept one.
 *
 * A CPU, in a section each time, flushes its cache if h has grown since it last did,
 * allocates from its span, gives it back, or exchanges it for another: a partial swept
 * one, else one from the unswept sets, else a new one. To give back a stale span, h + 1,
 * is to sweep it; it is in no set, so nobody else can want it. The background sweeper
 * takes spans from the unswept sets, or by address as the reclaimer. The collector sweeps
 * what is left, waits for those still at it, lets h grow with all CPUs out of their
 * sections, and flushes all caches, for there may be a CPU that does not allocate. It
 * counts as one who sweeps meanwhile: the sets may be empty before the stale spans in
 * the caches have been swept.
 *
 * Holds:
 * - A span is swept once in a cycle, by one at a time, while it is in use.
 * - An object is allocated from a cached span that was swept in this cycle, is in use,
 *   has room and is in no other CPU's cache.
 * - When the last one has left the sweep and the sets are empty, which is what the rest of
 *   the collector goes by, every span in use has been swept.
 * - When h is about to grow, the unswept sets are empty, each span in use is in exactly
 *   one place, a swept set or a cache, and all others are the heap's and in none.
 * - Everything is swept in the end: nobody is ever stuck, and if everybody who can take a
 *   step takes one at some time (FAIR), the collector gets through all of its cycles,
 *   whatever the CPUs do.
 *
 * A span has SLOTS objects, and only how many of them are allocated matters. The marks of
 * a cycle are any part of those. The CPUs do as much as they like. A step is one access
 * to what others can see; that a set gives and takes a span in one step is the set's
 * business. Marks are taken over in one step with winning the span, and the span comes
 * into a set in one step with being swept: in between nobody would find a difference.
 *
 * Not modelled: the limit on how many spans an allocation tries, debts of sweeping, large
 * objects, and weakly ordered memory. That what is marked is right is barrier.pml's.
 *
 * RUN: spans -DCYCLES=2
 * FAIR: ends -DCYCLES=1 -DSLOTS=1
 * BROKEN: NO_CAS NO_STALE_CHECK NO_FLUSH NO_DRAIN NO_REGISTER EARLY_PUSH ZERO_GEN
 * ENDLESS: FORGET_DRAINED
 *
 * NO_CAS: to win a span is a load and then a store. NO_STALE_CHECK: a stale span goes
 * from the cache to a swept set as it is. NO_FLUSH: a CPU allocates without looking
 * whether h has grown. NO_DRAIN: the collector goes on when all spans are swept, be the
 * unswept sets empty or not. NO_REGISTER: it does not count as one who sweeps while it
 * flushes caches. EARLY_PUSH: a span comes into a set before its generation is h.
 * ZERO_GEN: the generation of a span that is made anew is 0 for a moment, which is
 * h - 2 in the first cycle, and an old entry in a set may be taken just then.
 * FORGET_DRAINED: that the sets are empty is not noted, so that the sweep has no end.
 */
#ifndef SPANS
#define SPANS 2			/* 2 or 3: see lowest() */
#endif
#ifndef CYCLES
#define CYCLES 2		/* times that h grows */
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#define CPUS 2			/* as many as check() and the collector know */
#define NONE 255

#define BIT(s) (1 << (s))
#define lowest(set) ((set) & 1 -> 0 : ((set) & 2 -> 1 : 2))

byte h = 2;
byte gen[SPANS];		/* at first all are h - 2 */
byte used[SPANS];		/* objects allocated */
byte inuse;			/* bit per span: is a span */
byte pages;			/* bit per span: is free pages */

/* The sets, a bit per span. Which of the two has the swept ones is up to h. */
#define NOW ((h / 2) % 2)
#define OLD (1 - NOW)
byte part[2];
byte whole[2];

byte cached[CPUS];
byte flushed[CPUS];		/* h when the CPU last flushed */
bool in[CPUS];			/* inside of a section */
bool hold[CPUS];		/* held out of it */
bool stop;			/* all held out */

byte sweepers;			/* those who may have won a span */
bool drained;			/* the unswept sets were found empty */
bool over;

/* The truth, to hold the rest against: a bit per span. */
byte owned;			/* somebody sweeps it */
byte swept;			/* it was swept in this cycle, or made in it */

inline all_swept()
{
	assert((inuse & ~swept) == 0 && owned == 0)
}

/* To leave the sweep. The last one, with nothing left in the sets, is what done means. */
inline leave()
{
	sweepers--;
	if
	:: drained && sweepers == 0 -> all_swept()
	:: else
	fi
}

#define MAY_ENTER (!drained && !over)

/*
 * Who has won s takes over its marks, which are any part of what is allocated. Nobody
 * looks at them while s is his.
 */
inline won(s)
{
	assert(!((owned | swept) & BIT(s)) && (inuse & BIT(s)));
	gen[s] = h - 1;
	owned = owned | BIT(s);
	if
	:: true
	:: used[s] > 0 -> used[s]--
	:: used[s] > 1 -> used[s] = 0
	fi
}

/* Win s, or do not: then `s` is NONE. */
inline win(s)
{
#ifdef NO_CAS
	if
	:: atomic { gen[s] == h - 2 }; atomic { won(s) }
	:: atomic { gen[s] != h - 2 -> s = NONE }
	fi
#else
	atomic {
		if
		:: gen[s] == h - 2 -> won(s)
		:: else -> s = NONE
		fi
	}
#endif
}

/* The end of a sweep. */
inline done(s)
{
	d_step {
		assert(gen[s] == h - 1 && (owned & BIT(s)));
		owned = owned & ~BIT(s);
		swept = swept | BIT(s);
		gen[s] = h
	}
}

/* To a swept set. */
inline push(s)
{
	d_step {
		assert(!((part[NOW] | whole[NOW]) & BIT(s)));
		part[NOW] = (used[s] < SLOTS -> part[NOW] | BIT(s) : part[NOW]);
		whole[NOW] = (used[s] < SLOTS -> whole[NOW] : whole[NOW] | BIT(s))
	}
}

/* What has no objects left goes back to the heap, the rest to a swept set. */
inline settle(s)
{
	if
	:: used[s] == 0 -> inuse = inuse & ~BIT(s); pages = pages | BIT(s)
	:: else -> push(s)
	fi
}

/* Sweep s, if it has been won, and put it to where it belongs. */
inline sweep(s)
{
	if
#ifdef EARLY_PUSH
	:: atomic { s != NONE -> settle(s) }; done(s)
#else
	:: atomic { s != NONE -> done(s); settle(s) }
#endif
	:: s == NONE
	fi
}

/* From an unswept set, partial ones first: NONE if there is none left. */
inline pop_old(s)
{
	d_step {
		if
		:: part[OLD] != 0 ->
			s = lowest(part[OLD]);
			part[OLD] = part[OLD] & ~BIT(s)
		:: part[OLD] == 0 && whole[OLD] != 0 ->
			s = lowest(whole[OLD]);
			whole[OLD] = whole[OLD] & ~BIT(s)
		:: else -> s = NONE
		fi
	}
}

/*
 * Take the span out of CPU c's cache: the CPU does that in its section, or who holds it
 * out of it. A stale one is whose cache it was in, so that it need not be won against
 * anybody; what is left in `s` then is still to be swept.
 */
inline uncache(c)
{
	s = cached[c];
	cached[c] = NONE;
	if
	:: s == NONE
#ifndef NO_STALE_CHECK
	:: s != NONE && gen[s] == h + 1 -> won(s)
	:: s != NONE && gen[s] != h + 1 ->
		assert(gen[s] == h + 3);
#else
	:: s != NONE ->
#endif
		gen[s] = h;
		push(s);
		s = NONE
	fi
}

inline flush(c)
{
	atomic { uncache(c) };
	sweep(s);
	atomic { flushed[c] = h; s = NONE }
}

/* What was just given to a CPU has been swept, is in use and nobody else's. */
inline allocate(s)
{
	d_step {
		assert(gen[s] == h + 3 && (swept & ~owned & inuse & BIT(s)));
		assert(cached[me] == s && cached[1 - me] != s && used[s] < SLOTS);
		used[s]++
	}
}

/* It is cached, and the first object in it is what it is there for. */
inline use(s)
{
	gen[s] = h + 3;
	cached[me] = s;
	allocate(s);
	s = NONE;
	in[me] = false
}

/* May enter a section; it is entered and left again in the same step if it is one. */
#define MAY (!stop && !hold[me] && !over)
#ifdef NO_FLUSH
#define MAY_USE MAY
#else
#define MAY_USE (MAY && flushed[me] == h)
#endif
#define SPENT (cached[me] == NONE || used[cached[me]] == SLOTS)

proctype cpu(byte me)
{
	byte s = NONE;

end:	do
	:: atomic { MAY && flushed[me] != h -> in[me] = true };
		flush(me);
		in[me] = false
	:: atomic { MAY_USE && !SPENT -> s = cached[me]; allocate(s); s = NONE }
	:: atomic { MAY_USE && cached[me] != NONE && gen[cached[me]] == h + 3 ->
		uncache(me)
	}
	:: atomic { MAY_USE && SPENT ->		/* refill */
		in[me] = true;
		uncache(me);
		if
		:: part[NOW] != 0 ->
			s = lowest(part[NOW]);
			part[NOW] = part[NOW] & ~BIT(s);
			assert(gen[s] == h && used[s] < SLOTS);
			use(s);
			goto end
		:: else
		fi;
		if
		:: MAY_ENTER -> sweepers++
		:: else -> goto grow
		fi
	};
		do
		:: atomic { true ->
			pop_old(s);
			if
			:: s == NONE -> leave(); break
			:: else
			fi
		};
			win(s);
			if
			:: atomic { s != NONE ->
				done(s);
				if
				:: used[s] < SLOTS -> leave(); use(s); goto end
				:: else -> push(s); s = NONE
				fi
			}
			:: s == NONE
			fi
		od;
grow:
		atomic {
			if
			:: pages != 0 ->
				s = lowest(pages);
				pages = pages & ~BIT(s)
			:: else -> in[me] = false; goto end	/* no memory */
			fi
		};
#ifdef ZERO_GEN
		gen[s] = 0;
#endif
		atomic {
			gen[s] = h;
			used[s] = 0;
			swept = swept | BIT(s);
			inuse = inuse | BIT(s);
			use(s)
		}
	od
}

/* By who has entered the sweep. */
inline sweep_one()
{
	win(s);
	sweep(s);
	atomic { s = NONE; leave() }
}

/* What is next in the unswept sets; that there is nothing is noted. */
inline sweep_next()
{
	atomic { MAY_ENTER ->
		sweepers++;
		pop_old(s);
		if
		:: s == NONE ->
#ifndef FORGET_DRAINED
			drained = true;
#endif
			leave()
		:: else
		fi
	};
	if
	:: s != NONE -> sweep_one()
	:: s == NONE
	fi
}

#define UNSWEPT(s) ((inuse & BIT(s)) && gen[s] == h - 2)

/* The background sweeper, and the reclaimer: it leaves the entry in the set. */
proctype sweeper()
{
	byte s = NONE;

end:	do
	:: sweep_next()
	:: atomic { MAY_ENTER && UNSWEPT(0) -> sweepers++; s = 0 }; sweep_one()
	:: atomic { MAY_ENTER && UNSWEPT(1) -> sweepers++; s = 1 }; sweep_one()
#if SPANS > 2
	:: atomic { MAY_ENTER && UNSWEPT(2) -> sweepers++; s = 2 }; sweep_one()
#endif
	od
}

#define IN(set) (((set) & BIT(i)) != 0)
#define PLACES (IN(part[NOW]) + IN(whole[NOW]) + (cached[0] == i) + (cached[1] == i))

/* All are held out, and the sweep is over. */
inline check()
{
	d_step {
		all_swept();
		assert((part[OLD] | whole[OLD]) == 0);
		i = 0;
		do
		:: i < SPANS ->
			assert(PLACES == IN(inuse));
			assert(IN(inuse) + IN(pages) == 1);
			assert(!IN(inuse) || cached[0] == i || cached[1] == i || gen[i] == h);
			i++
		:: else -> break
		od;
		i = 0
	}
}

proctype collector()
{
	byte s = NONE;
	byte i, c, n;

	do
	:: true ->
		/* What the others have left of the sweep. */
		do
#ifdef NO_DRAIN
		:: (inuse & ~swept) == 0 -> break
#endif
		:: sweep_next()
		:: drained -> break
		od;
		/* Here the next cycle starts; marking; and here it ends. */
		atomic {
			sweepers == 0;
			stop = true;
			!in[0] && !in[1];
			check();
			if
			:: n == CYCLES -> over = true; break
			:: else
			fi;
			h = h + 2;
			n++;
			swept = 0;
			drained = false;
#ifndef NO_REGISTER
			sweepers++;
#endif
			stop = false
		};
		do
		:: atomic { c < CPUS -> hold[c] = true; !in[c] };
			if
			:: flushed[c] != h -> flush(c)
			:: flushed[c] == h
			fi;
			atomic { hold[c] = false; c++ }
		:: atomic { c == CPUS ->
			c = 0;
#ifndef NO_REGISTER
			leave();
#endif
			break
		}
		od
	od
}

/* Any number of objects in each span; without one it is free pages. */
init {
	byte i;

	atomic {
		flushed[0] = h;
		flushed[1] = h;
		cached[0] = NONE;
		cached[1] = NONE;
		do
		:: i < SPANS ->
			if
			:: pages = pages | BIT(i); gen[i] = h
			:: used[i] = SLOTS; whole[OLD] = whole[OLD] | BIT(i)
			:: SLOTS > 1 -> used[i] = 1; part[OLD] = part[OLD] | BIT(i)
			fi;
			inuse = (used[i] != 0 -> inuse | BIT(i) : inuse);
			i++
		:: else -> break
		od;
		i = 0;
		run cpu(0);
		run cpu(1);
		run sweeper();
		run collector()
	}
}
