/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How all mutators are stopped (gc_world.c): a count per CPU, which mutators add to when
 * they go in and take from when they come out, on whatever CPU they are then; and a flag
 * that lets nobody in.
 *
 * The collector raises the flag, adds up the counts, one CPU after the other, and sleeps
 * until somebody wakes it if the sum is not 0. A mutator counts itself and looks at the
 * flag then. If it is up, the mutator takes that back on the same CPU, and wakes the
 * collector, which may have counted it. Who comes out wakes it as well if the flag is up.
 *
 * Holds:
 * - When the collector goes on nobody is inside, and nobody comes in until it lets them.
 * - Nobody sleeps for ever.
 *
 * A step is one access to what others can see. That memory is seen in the order of these
 * steps is what the barriers are for; without them there would be other runs than these.
 *
 * RUN: world
 * BROKEN: MIGRATE CHECK_FIRST NO_WAKE_OUT NO_WAKE_BACK
 *
 * MIGRATE: a mutator that sees the flag takes its count back on whatever CPU it is on.
 * CHECK_FIRST: it looks at the flag before it counts itself. NO_WAKE_OUT, NO_WAKE_BACK: who
 * comes out, or takes its count back, wakes nobody.
 */
#define CPUS 2
#define MUTATORS 2
#ifndef ROUNDS
#define ROUNDS 2
#endif
#define STOPS 2

short count[CPUS];
bool stop;
byte inside;		/* mutators, as nobody in the model can see it */
bool woken;
bool stopped;

/* What a mutator runs on from now on. */
inline somewhere(cpu)
{
	if
	:: cpu = 0
	:: cpu = 1
	fi
}

proctype mutator()
{
	byte cpu, round;
	bool in;

	do
	:: round == ROUNDS -> break
	:: else ->
		round++;
		in = false;
		do
		:: in -> break
		:: else ->
			somewhere(cpu);
#ifdef CHECK_FIRST
			!stop;
			atomic { count[cpu]++; inside++ };
			in = true;
			assert(!stopped)
#else
			count[cpu]++;
			if
			:: atomic { !stop -> inside++; in = true; assert(!stopped) }
			:: else ->
#ifdef MIGRATE
				somewhere(cpu);
#endif
				count[cpu]--;
#ifndef NO_WAKE_BACK
				woken = true;
#endif
				/* Until everybody may go on. */
				!stop
			fi
#endif
		od;
		/* In the section. */
		skip;
		somewhere(cpu);
		inside--;
		count[cpu]--;
		if
		:: stop ->
#ifndef NO_WAKE_OUT
			woken = true
#else
			skip
#endif
		:: else
		fi
	od
}

proctype collector()
{
	byte stops, cpu;
	short sum;

	do
	:: stops == STOPS -> break
	:: else ->
		stops++;
		stop = true;
		do
		:: true ->
			/* Whoever wakes us from here on is heard. */
			woken = false;
			sum = 0;
			cpu = 0;
			do
			:: cpu == CPUS -> break
			:: else ->
				sum = sum + count[cpu];
				cpu++
			od;
			if
			:: sum == 0 -> break
			:: else ->
				if
				:: woken
				:: timeout -> assert(false)	/* for ever */
				fi
			fi
		od;
		assert(inside == 0);
		stopped = true;
		/* It does what it stopped them for. */
		assert(inside == 0);
		stopped = false;
		stop = false
	od
}

init
{
	byte i;

	atomic {
		for (i : 1 .. MUTATORS) {
			run mutator()
		}
		run collector()
	}
}
