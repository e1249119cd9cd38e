/* The wait as it is to be: whoever has a slot waits in Go's netpoller, on a
 * duplicate of ZMQ_FD that belongs to the direction, and a poll on a descriptor
 * of its own that watches ZMQ_FDs. With -DBOUNDED a waiter may first block in
 * ppoll; with -DFALLBACK there may be no descriptor for a duplicate, and the
 * shared epoll descriptor or (-DFALLBACK=TIME) time takes over.
 *
 * Each direction has one word, phase, that says what its waiter does. Whoever
 * wakes it swaps WOKEN in, and does what the phase that was there needs:
 * nothing, ring the bell of a ppoll, or set a deadline in the past.
 */

#define EXPIRED 4  /* a result of ppoll */

#define NOBODY  0  /* has the slot */
#define TRYING  1  /* or about to try, or to park */
#define POLLING 2  /* in ppoll, or about to be */
#define PARKED  3  /* in the netpoller, or about to be */
#define WOKEN   4  /* must try again */

byte phase[2];
bool registered[WAITERS]; /* context.AfterFunc wakes this call */

/* Of the duplicates: the kernel's and Go's part. */
#define NET     1
#define CHANNEL 2
#define TIME    3
byte way[2];       /* NET if there is a duplicate, another if there can't be */
bool event[2];     /* Go's epoll or kqueue has an edge of it */
bool io[2];        /* netpoll has noted that edge: pd.rg is pdReady */
bool late[2];      /* its deadline has passed: pd.rd < 0 */
bool using[2];     /* a goroutine is in RawRead, or in ppoll with a reference */
bool evicted[2];   /* os.File.Close has begun */

bool placeTaken;   /* the only place for a ppoll */
bool bell;         /* the other descriptor of that ppoll is readable */

/* Of the fallback. */
bool edge, armed;  /* the shared epoll descriptor */
bool token[2];     /* as in park_old.pml */

/* Of the poll: NOBODY, TRYING, PARKED, WOKEN. */
byte pollPhase;
bool inSet;        /* ZMQ_FD is in the poll's set */
bool setEdge;      /* the set has an edge of it */
bool setEvent;     /* Go's epoll has an edge of the set */
bool setIo, setLate;

#ifdef SLEEPS
#define MILLISECOND false
#else
#define MILLISECOND true
#endif
#define LEVEL (mail[IN] + mail[OUT] > 0) /* ZMQ_FD is readable */

inline signal() {
	event[IN] = (way[IN] == NET); event[OUT] = (way[OUT] == NET);
	edge = armed;
	setEdge = inSet; setEvent = inSet
}

inline eat() {
	event[IN] = false; event[OUT] = false;
	edge = false;
	setEdge = false; setEvent = false
}

#define isWaiting(d) (phase[d] != NOBODY)

inline beginWait(d) {
	phase[d] = TRYING;
	registered[me] = true
}

inline endWait(d) {
	registered[me] = false;
	phase[d] = NOBODY
}

/* A call whose first try has failed takes the slot before it unlocks, if it can,
 * and needs no other try. */
inline keepSlot(d) {
	if
	:: !ok && MAYWAIT && !mine && slot[d] ->
		arm(d);
		if
		:: way[d] == NET -> slot[d] = false; holds[d]++; mine = BIT(d); phase[d] = TRYING; registered[me] = true
		:: else
		fi
	:: else
	fi
}

/* The caller holds the lock. */
inline arm(d) {
	if
	:: way[d] != 0
	:: way[d] == 0 -> way[d] = NET; event[d] = LEVEL
#ifdef FALLBACK
	:: way[d] == 0 ->
		way[d] = FALLBACK;
		edge = edge || (!armed && FALLBACK == CHANNEL && LEVEL);
		armed = (FALLBACK == CHANNEL)
#endif
	fi
}

inline wakeWaiter(d) {
	if
	:: phase[d] == NOBODY || phase[d] == WOKEN
	:: atomic { phase[d] == TRYING -> phase[d] = WOKEN; assert(holds[d] > 0) }
	:: atomic { phase[d] == POLLING -> phase[d] = WOKEN; assert(holds[d] > 0) };
		bell = true
	:: atomic { phase[d] == PARKED -> phase[d] = WOKEN; assert(holds[d] > 0) };
		if
		:: d_step { way[d] == NET -> late[d] = true } /* SetReadDeadline */
		:: d_step { way[d] != NET -> token[d] = true }
		fi
	fi
}

inline park(d) {
#ifdef BOUNDED
	if
	:: true
	:: atomic { way[d] == NET && !placeTaken -> placeTaken = true };
		bell = false; /* before the phase says that somebody may ring */
		if
		:: phase[d] == WOKEN
		:: atomic { phase[d] == TRYING -> phase[d] = POLLING };
			ppoll(d);
			if
			:: phase[d] == WOKEN -> result = OK
			:: atomic { phase[d] == POLLING -> phase[d] = TRYING }
			fi
		fi;
		placeTaken = false;
		if
		:: result == OK -> goto woken
		:: result == EXPIRED -> result = OK
		fi
	fi;
#endif
	if
	:: phase[d] == WOKEN
	:: atomic { phase[d] == TRYING -> phase[d] = PARKED };
		if
		:: way[d] == NET -> rawRead(d)
		:: way[d] != NET -> receive(d)
		fi
	fi;
woken:
	phase[d] = TRYING; /* what came before is seen by the try */
	if
	:: cancelled[me] -> result = CANCELLED
	:: !cancelled[me]
	fi
}

/* ppoll on the duplicate and the bell. result is EXPIRED after the millisecond,
 * which comes only when nothing else moves: a wake-up may not depend on it. */
inline ppoll(d) {
	if
	:: evicted[d]
	:: d_step { !evicted[d] -> using[d] = true };
		if
		:: LEVEL || bell
		:: MILLISECOND -> result = EXPIRED
		fi;
		d_step { assert(!released); using[d] = false }
	fi
}

/* RawConn.Read; its callback looks at the level once. */
inline rawRead(d) {
	if
	:: evicted[d] -> skip
	:: d_step { !evicted[d] -> using[d] = true };
		if
		:: late[d]
		:: d_step { !late[d] -> io[d] = false };
			if
			:: LEVEL
			:: !LEVEL ->
				if
				:: io[d] || late[d] || evicted[d]
				:: EXPIRES -> result = AGAIN
				:: !RELIABLE(d) && TIMEPASSES -> rested = true; rested = false
				fi
			fi
		fi;
		using[d] = false;
		late[d] = false /* before the phase is TRYING */
	fi
}

/* The fallback: a channel that keeps one token. */
inline receive(d) {
	if
	:: d_step { token[d] -> token[d] = false }
	:: EXPIRES -> result = AGAIN
	:: (!RELIABLE(d) || way[d] == TIME) && TIMEPASSES -> rested = true; rested = false
	fi
}

/* The context's AfterFunc runs as soon as it is registered, or not at all. */
inline onCancel(c) {
	if
	:: registered[c] && c < CALLERS -> wakeWaiter(DIRECTION(c))
	:: registered[c] && c >= CALLERS -> wakePoll()
	:: !waits[c]
	fi
}

inline wakePoll() {
	if
	:: pollPhase == NOBODY || pollPhase == WOKEN
	:: atomic { pollPhase == TRYING -> pollPhase = WOKEN }
	:: atomic { pollPhase == PARKED -> pollPhase = WOKEN }; setLate = true
	fi
}

/* os.File.Close, which waits until nobody uses the descriptor; and out of the
 * poll's set. */
inline evict() {
	evicted[IN] = true; evicted[OUT] = true;
	d_step { inSet = false; setEdge = false; setEvent = false };
	!using[IN] && !using[OUT]
}

inline push() { queued = true }

inline beginPoll()  { pollPhase = TRYING; registered[me] = true }
inline endPoll()    { d_step { registered[me] = false; pollPhase = NOBODY; inSet = false; setEdge = false; setEvent = false } }
inline drain()      { d_step { queued = queued || setEdge; setEdge = false; setEvent = false } }
inline armPoll()    { if :: !inSet -> inSet = true; setEdge = LEVEL; setEvent = LEVEL :: else fi }
inline takeWakeUp() { skip }

inline parkPoll() {
	if
	:: pollPhase == WOKEN
	:: atomic { pollPhase == TRYING -> pollPhase = PARKED };
		if
		:: setLate
		:: d_step { !setLate -> setIo = false };
lookAtSet:
			if
			:: setEdge
			:: !setEdge ->
				if
				:: setLate
				:: d_step { setIo -> setIo = false }; goto lookAtSet
				fi
			fi
		fi;
		setLate = false
	fi;
	pollPhase = TRYING;
	if
	:: cancelled[me] -> result = CANCELLED
	:: !cancelled[me]
	fi
}

#ifdef FALLBACK
#define FIRST 2 /* callers come after the Netpoller and the Waker */

active proctype Waker()
{
end:
	do
	:: d_step { edge -> edge = false };
		wakeAll()
	od
}
#else
#define FIRST 1
#endif

/* The runtime, which readies whoever waits on the descriptor. */
active proctype Netpoller()
{
end:
	do
	:: d_step { event[IN] -> event[IN] = false; io[IN] = true }
	:: d_step { event[OUT] -> event[OUT] = false; io[OUT] = true }
	:: d_step { setEvent -> setEvent = false; setIo = true }
	od
}
