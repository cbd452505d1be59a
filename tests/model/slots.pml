/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slots: the slot rules (lb_kern/README.md) as a model that spin checks in every
 * interleaving. README.md says what is modelled, what is not, and what holds.
 *
 * One atomic block is one access to shared memory, and what a process then does
 * by itself: what packets read and write (lb_kern/slot.h, exception.h) against
 * what the agent stores (lb_user/domain/slots.c, exceptions.c; the order is that
 * of lb_user/svc/publish.c and change.c).
 *
 * Time is relative, so that histories have no end: an age is how many ticks ago
 * something was written, a lag how many ticks ago a process read the clock. Ages
 * stop where everything has expired: a clock that wraps is not modelled.
 */
#ifndef NB
#define NB 2 /* backend ids, 1..NB; at most 3 */
#endif
#ifndef NS
#define NS 1 /* slots; at most 2 */
#endif
#ifndef NF
#define NF 1 /* flows, each on a CPU of its own; at most 2 */
#endif
#ifndef REMOVABLE
#define REMOVABLE 1 /* ids 1..REMOVABLE may be removed and used again */
#endif
#define IDLE 1 /* ticks: idle_ticks */

#ifndef SLACK /* ticks that a slot stays in transition beyond IDLE, see README.md */
#define SLACK 3
#endif
#define SEEN_OLD  (IDLE + SLACK + 2) /* settled even by a clock read a tick ago */
#define ENTRY_OLD (IDLE + 2)

/* enum sl_dp_state; whose an id is */
#define DOWN	 0
#define UP	 1
#define DRAINING 2
#define FREE	 0
#define OURS	 1
#define RESTING	 2
#define OTHERS	 3
#define PURGED	 4 /* resting again, after the last purge */

/* ---- shared memory ----------------------------------------------------------- */
byte cur[NS], old[NS], seen[NS]; /* seen: its age */
bit T[NS];
byte state[NB + 1];
byte entry[NF], age[NF]; /* flow memory: backend, 0: none; its age */

/* ---- the world ------------------------------------------------------------------ */
byte own[NB + 1];	 /* whose the id is */
bool second_half;	 /* of the tick */
bool reads;		 /* the agent has read the clock for this step... */
bool late;		 /* ...and half a tick has begun since... */
bit behind;		 /* ...which was a new tick */
byte agent_age;		 /* age of an entry as the agent read it */
bool busy[NF];		 /* a packet of the flow is on its way... */
bool slow[NF];		 /* ...and half a tick has begun since it came in... */
bit since[NF];		 /* ...which was a new tick */
bit lag[NF];		 /* it read the clock before the present tick */
byte was_age[NF];	 /* age of an entry as the packet read it */
bool in_flight[NF * NB]; /* a packet was under way when the id was laid to rest */

/* ---- what must be true ------------------------------------------------------------ */
byte bound[NF];	      /* backend that the flow began on and must stay with; 0: nothing promised */
byte silent[NF];      /* ticks from the arrival of its last packet */

#define AT(f, id)      ((f)*NB + (id)-1)
/* How old something is to who read the clock @l ticks ago; what was written later is 0. */
#define TO(a, l)       ((a) > (l) -> (a) - (l) : 0)

/*
 * Packets, and steps of the agent, are short: each meets the begin of at most
 * one half of a tick. So who met the begin of a tick is done before the next
 * who meets one comes.
 */
#if NF == 1
#define MAY_PASS (!slow[0] && !late)
#else
#define MAY_PASS (!slow[0] && !slow[1] && !late)
#endif

inline half_a_tick()
{
	second_half = !second_half;
	for (k : 0 .. NF - 1) {
		slow[k] = busy[k]
	}
	late = reads
}

inline each_tick()
{
	for (k : 0 .. NS - 1) {
		seen[k] = (seen[k] < SEEN_OLD && (T[k] || reads) -> seen[k] + 1 : SEEN_OLD)
	}
	for (k : 0 .. NF - 1) {
		age[k] = (entry[k] && age[k] < ENTRY_OLD -> age[k] + 1 : age[k]);
		silent[k] = (bound[k] && silent[k] <= IDLE -> silent[k] + 1 : silent[k]);
		since[k] = busy[k];
		lag[k] = busy[k];
		was_age[k] = (was_age[k] && was_age[k] <= ENTRY_OLD -> was_age[k] + 1 : was_age[k])
	}
	behind = reads;
	agent_age = (agent_age && agent_age <= ENTRY_OLD -> agent_age + 1 : agent_age);
	k = 0
}

proctype clock()
{
	byte k;

	do
	:: d_step { MAY_PASS ->
		half_a_tick();
		if
		:: !second_half -> each_tick()
		:: else -> k = 0
		fi }
	od
}

/* ---- the packet path ---------------------------------------------------------------- */

/* Copies of an age are one more than it, so that 0 is none. */
#define READ_ENTRY(e, copy, n)                   \
	d_step {                                 \
		e = entry[n];                    \
		copy = (e -> age[n] + 1 : 0)     \
	}
/* compare-and-swap */
#define SAME(e, copy, n) (entry[n] == e && (e == 0 || age[n] + 1 == copy))
#define SET_ENTRY(n, owner, its_age)             \
	entry[n] = owner;                        \
	age[n] = (owner -> its_age : 0)

inline arrives()
{
	d_step {
		busy[f] = true;
		bound[f] = (state[bound[f]] == DOWN -> 0 : bound[f])
	}
}

/* Who gets the packet, in the moment in which the state of @id said so. */
inline chooses(id)
{
	/* nobody's packet goes to who was removed, or is another service's by now */
	assert(own[id] == OURS);
	b = id
}

inline leaves()
{
	d_step {
		/* Affinity */
		assert(syn || bound[f] == 0 || silent[f] > IDLE || b == bound[f]);
		if
		:: syn -> bound[f] = (own[b] == OURS -> b : 0)
		:: !syn && silent[f] > IDLE -> bound[f] = 0
		:: else
		fi;
		silent[f] = (bound[f] -> since[f] : 0);
#if REMOVABLE
		for (id : 1 .. REMOVABLE) {
			in_flight[AT(f, id)] = false
		}
#endif
		busy[f] = false; slow[f] = false; since[f] = 0; lag[f] = 0; was_age[f] = 0;
		id = 0; syn = 0; c = 0; o = 0; t = 0; b = 0; e = 0
	}
}

#define READ_WORD d_step { c = cur[s]; t = T[s]; o = old[s] }
#define SAME_WORD (cur[s] == c && T[s] == t && old[s] == o)

/*
 * slot_probe(). Looks that find nobody leave no trace, so one look stands for
 * all of them: at any slot, or at a spare (somebody of ours), at any time; or in
 * vain.
 */
inline probe()
{
	atomic {
		t = 0; o = 0;
		if
		:: id = cur[0]
#if NS > 1
		:: id = cur[1]
#endif
		:: own[1] == OURS -> id = 1
		:: own[2] == OURS -> id = 2
#if NB > 2
		:: own[3] == OURS -> id = 3
#endif
		fi
	};
	if
	:: atomic { state[id] == UP -> chooses(id); id = 0 }
	:: atomic { else -> id = 0 }
	fi
}

#ifdef NEW_TO_DRAINING
#define TAKES_NEW(id) (state[id] != DOWN)
#else
#define TAKES_NEW(id) (state[id] == UP)
#endif

#ifdef EXPIRED_HONOURED
#define EXPIRED false
#else
#define EXPIRED (TO(was_age[f] - 1, lag[f]) > IDLE)
#endif

/* exception_find(): @id becomes who memory names, or who owns what nobody remembers; 0: cur */
#define RECALL                                                          \
	READ_ENTRY(e, was_age[f], f);                                   \
	d_step {                                                        \
		if                                                      \
		:: e && EXPIRED -> e = 0; was_age[f] = 0                \
		:: else                                                 \
		fi;                                                     \
		id = (e -> e : (t -> o : 0));                           \
		t = 0; o = 0                                            \
	}

/* exception_touch() */
#define TOUCH                                                           \
	if                                                              \
	:: d_step { e && SAME(e, was_age[f], f) ->                      \
		SET_ENTRY(f, e, lag[f]);                                \
		e = 0; was_age[f] = 0 }                                 \
	:: atomic { else -> e = 0; was_age[f] = 0 }                     \
	fi

proctype flow(byte f)
{
	byte c, o, b, e, id;
	bit t;
	bool syn;
	byte s = f % NS;

again:	   /* slot_settled() */
	   atomic { arrives(); READ_WORD };
	   if
	   :: t || state[c] != UP
	   :: atomic { else -> chooses(c);
#ifndef ONE_LOOK
		};
		if
		:: atomic { SAME_WORD ->
#endif
			if
			:: syn = true
			:: syn = false
			fi;
			leaves(); goto again }
#ifndef ONE_LOOK
		:: atomic { else -> b = 0 }
		fi
#endif
	   fi;
	   /* slot_remembered(): the clock, then the word; only for an owner who is UP */
	   if
	   :: syn = true
	   :: lag[f] = 0;
		atomic { READ_WORD };
		atomic { RECALL };
		if
		:: atomic { id && state[id] == UP -> chooses(id); id = 0 };
			TOUCH;
			goto mark
		:: atomic { else -> id = 0; e = 0; was_age[f] = 0 }
		fi
	   fi;
	   /* slot_pick_slow(): the word, then the clock */
	   atomic { READ_WORD };
	   lag[f] = 0;
	   if
	   :: syn ->
		if
		:: atomic { TAKES_NEW(c) ->
			/* Drain: a new flow goes to who is UP */
			assert(state[c] == UP); chooses(c); t = 0; o = 0 }
		:: else -> probe()
		fi
	   :: else -> /* slot_recall() */
		atomic { RECALL; id = (id -> id : c) };
		if
		:: atomic { state[id] != DOWN -> chooses(id); id = 0 };
			TOUCH
		:: atomic { else -> id = 0 };
			if
			:: d_step { e && SAME(e, was_age[f], f) ->
#ifdef DOWN_KEPT
				SET_ENTRY(f, e, lag[f]);
#else
				SET_ENTRY(f, 0, 0);
#endif
				e = 0; was_age[f] = 0 }
			:: atomic { else -> e = 0; was_age[f] = 0 }
			fi;
			probe()
		fi
	   fi;
	   if
	   :: atomic { b == 0 -> leaves(); goto again }
	   :: atomic { b && syn ->
		/* exception_insert(), twice at most: the flow's own place is always to be had */
		READ_ENTRY(e, was_age[f], f) };
		if
		:: d_step { SAME(e, was_age[f], f) -> SET_ENTRY(f, b, lag[f]); e = 0; was_age[f] = 0 }
		:: atomic { else -> READ_ENTRY(e, was_age[f], f) };
			d_step { assert(SAME(e, was_age[f], f)); SET_ENTRY(f, b, lag[f]);
				e = 0; was_age[f] = 0 }
		fi
	   :: atomic { b && !syn }
	   fi;
mark:	   if
	   :: atomic { b == c || seen[s] == lag[f] -> leaves(); goto again }
	   :: else
	   fi;
	   atomic { seen[s] = lag[f]; leaves(); goto again }
}

/* ---- the agent -------------------------------------------------------------------------- */

#define NOW reads = true; late = false; behind = 0

inline ends()
{
	d_step { reads = false; late = false; behind = 0; agent_age = 0; i = 0; id = 0; to = 0; go = 0; k = 0; e = 0 }
}

/* who is DOWN is promised nothing for packets that are under way */
inline set_state(n, its_state)
{
	d_step {
		state[n] = its_state;
		for (k : 0 .. NF - 1) {
			bound[k] = (busy[k] && bound[k] == n && its_state == DOWN -> 0 : bound[k])
		}
		k = 0
	}
}

inline mark_seen()
{
#ifndef SEEN_UNMARKED
	seen[i] = behind
#else
	skip
#endif
}

/* an owner of the next table; 0 where nobody is left */
inline choose_owner()
{
	if
	:: own[1] == OURS -> to = 1
	:: own[2] == OURS -> to = 2
#if NB > 2
	:: own[3] == OURS -> to = 3
#endif
	:: else -> to = 0
	fi
}


/*
 * One slot of a loop over all: what is to be done, with the store to seen; then
 * the store of the word. Only the agent writes words, so its own reads of them
 * are no steps.
 */
#define EACH_SLOT(what, a, b, c)                                          \
	do                                                                \
	:: atomic { i < NS && !go -> what;                                \
		if                                                        \
		:: go -> mark_seen()                                      \
		:: else -> to = 0; i++                                    \
		fi }                                                      \
	:: d_step { go -> a; b; c; go = 0; to = 0; i++ }                  \
	:: atomic { i == NS -> i = 0; break }                             \
	od

/* sl_slots_retarget(), to any table */
inline retarget()
{
	EACH_SLOT(choose_owner(); go = (to != cur[i]),
		old[i] = (T[i] -> old[i] : cur[i]), cur[i] = to, T[i] = 1)
}

/* sl_slots_raise() */
#ifdef RAISE_SKIPS_T
#define TO_RAISE(i) (cur[i] == id && !T[i])
#else
#define TO_RAISE(i) (cur[i] == id)
#endif

inline raise()
{
	EACH_SLOT(go = TO_RAISE(i), old[i] = (T[i] -> old[i] : id), T[i] = 1, skip)
}

/* sl_slots_remove(), without the retarget that follows */
inline remove_slots()
{
	EACH_SLOT(
		if
		:: cur[i] == id -> choose_owner(); go = 1
		:: cur[i] != id && old[i] == id -> old[i] = cur[i]
		:: else
		fi,
		old[i] = (!T[i] || old[i] == id -> to : old[i]), cur[i] = to, T[i] = 1)
}

/* sl_exceptions_purge(): read, compare-and-swap, until the entry is another's */
inline purge()
{
	do
	:: atomic { i < NF && entry[i] == id -> READ_ENTRY(e, agent_age, i) };
		d_step {
			if
			:: SAME(e, agent_age, i) -> SET_ENTRY(i, 0, 0)
			:: else
			fi;
			e = 0; agent_age = 0
		}
	:: atomic { i < NF && entry[i] != id -> i++ }
	:: atomic { i == NF -> i = 0; break }
	od
}

/* sl_exceptions_sweep() */
inline sweep()
{
	do
	:: atomic { i < NF && e == 0 ->
		READ_ENTRY(e, agent_age, i);
		if
		:: e && TO(agent_age - 1, behind) > IDLE
		:: else -> e = 0; agent_age = 0; i++
		fi }
	:: d_step { e != 0 ->
		if
		:: SAME(e, agent_age, i) -> SET_ENTRY(i, 0, 0)
		:: else
		fi;
		e = 0; agent_age = 0; i++ }
	:: atomic { i == NF -> i = 0; break }
	od
}

#ifdef SETTLE_EARLY
#define IDLE_FOR_LONG(i) (TO(seen[i], behind) >= IDLE)
#else
#define IDLE_FOR_LONG(i) (TO(seen[i], behind) > IDLE + SLACK)
#endif

/* sl_slots_settle(): seen is read, then the word is stored */
inline settle()
{
	do
	:: atomic { i < NS && !go ->
		if
		:: T[i] && IDLE_FOR_LONG(i) -> go = 1
		:: else -> i++
		fi }
	:: d_step { go -> old[i] = cur[i]; T[i] = 0; go = 0; i++ }
	:: atomic { i == NS -> i = 0; break }
	od
}

#if NB == 2
#define SOME_ID(most, what) if :: id = 1 :: most > 1 -> id = 2 fi; what
#else
#define SOME_ID(most, what) if :: id = 1 :: most > 1 -> id = 2 :: most > 2 -> id = 3 fi; what
#endif

/* A packet takes microseconds, a rest 1 s: none of before the rest is still under way after it. */
#if NF == 1
#define RESTED(n) (!in_flight[AT(0, n)])
#else
#define RESTED(n) (!in_flight[AT(0, n)] && !in_flight[AT(1, n)])
#endif

/* no table names it from now on, and nothing is promised to its flows */
inline disown()
{
	d_step {
		own[id] = RESTING;
		for (k : 0 .. NF - 1) {
			bound[k] = (bound[k] == id -> 0 : bound[k])
		}
		k = 0
	}
}

inline lay_to_rest()
{
	d_step {
#ifndef NO_REST
		for (k : 0 .. NF - 1) {
			in_flight[AT(k, id)] = busy[k]
		}
		k = 0;
#endif
		id = 0
	}
}

/* sl_publish_state(), from UP or DRAINING to less, or up again */
inline less()
{
	if
	:: state[id] != DOWN -> set_state(id, DOWN)
#ifndef NO_DRAIN
	:: state[id] != DRAINING -> set_state(id, DRAINING)
#endif
	fi
}

proctype agent()
{
	byte i, id, to, k, e;
	bit go;

again:	if
	:: /* weights, additions: sl_change_apply() */
		atomic { NOW };
		retarget()
	:: /* a check fails; a drain begins; who drains is reached again */
		atomic { SOME_ID(NB, own[id] == OURS); less() }
	:: /* a check succeeds; a drain is taken back */
		atomic { SOME_ID(NB, own[id] == OURS && state[id] != UP) -> NOW;
#ifdef UP_FIRST
			set_state(id, UP)
#endif
		};
#ifndef NO_RAISE
		raise();
#endif
		atomic { set_state(id, UP) }
#if REMOVABLE
	:: /* removal: sl_publish_remove_backend(), then the new table */
		atomic { SOME_ID(REMOVABLE, own[id] == OURS); set_state(id, DOWN); disown(); NOW };
		remove_slots();
#if !defined(NO_PURGE) && !defined(NO_FIRST_PURGE)
		purge();
#endif
		atomic { lay_to_rest(); NOW };
		retarget()
	:: /* its rest is over: sl_capacity_wake() */
		atomic { SOME_ID(REMOVABLE, own[id] == RESTING && RESTED(id)) };
#if !defined(NO_PURGE) && !defined(NO_SECOND_PURGE)
		purge();
#endif
#ifdef ONE_REST
		own[id] = FREE
#else
		atomic { own[id] = PURGED; lay_to_rest() }
	:: atomic { SOME_ID(REMOVABLE, own[id] == PURGED && RESTED(id)); own[id] = FREE }
#endif
	:: /* its id is used again, by us or by another service */
		atomic { SOME_ID(REMOVABLE, own[id] == FREE);
			if
			:: own[id] = OURS
			:: own[id] = OTHERS; state[id] = UP
			fi }
	:: /* the other service lets it go; it has rested */
		atomic { SOME_ID(REMOVABLE, own[id] == OTHERS); state[id] = DOWN; own[id] = FREE }
#endif
	:: atomic { NOW }; settle()
#ifndef NO_SWEEP /* it may always be late */
	:: atomic { NOW }; sweep()
#endif
	fi;
	atomic { ends(); goto again }
}

init
{
	byte k;

	atomic {
		for (k : 1 .. NB) {
			own[k] = OURS
		}
		for (k : 0 .. NS - 1) {
			cur[k] = 1; old[k] = 1; seen[k] = SEEN_OLD
		}
		k = 0;
		run clock();
		run agent();
		run flow(0);
#if NF > 1
		run flow(1);
#endif
	}
}
