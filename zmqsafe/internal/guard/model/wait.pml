/* How calls wait for a socket, as package guard does it: its lock and states,
 * Do, Unlock, Wake, Close and Retire, and a poll. Each step is one step of the
 * Go code that another goroutine can see. Steps that only the lock's holder can
 * see belong to the step beside them: what follows "lock", what comes before
 * "unlock".
 *
 * How a goroutine parks, and who sees an edge, is in park_old.pml or, with
 * -DNEW, in park_new.pml. README.md says what is checked, and how.
 */

#ifndef RECEIVERS
#define RECEIVERS 1  /* callers that receive */
#endif
#ifndef SENDERS
#define SENDERS 1    /* callers that send */
#endif
#ifndef STRANGERS
#define STRANGERS 0  /* callers that don't wait, in either direction */
#endif
#ifndef POLLS
#define POLLS 0      /* polls: 0 or 1 */
#endif
#ifdef TRACE
#define WANTED wanted
#else
#ifndef WANTED
#define WANTED IN    /* what the poll waits for */
#endif
#endif
#ifndef CALLS
#define CALLS 1      /* calls that each caller makes */
#endif
#ifndef MESSAGES
#define MESSAGES 1   /* that the peer may send */
#endif
#ifndef ROOM
#define ROOM 1       /* for how many messages the peer may make room */
#endif
#ifndef TIMED
#define TIMED 0      /* callers that have a time-out, as bits */
#endif
#ifdef TRACE
#define RELIABLE(d) ((d) == IN || reliable)
#elif defined(UNRELIABLE)
#define RELIABLE(d) ((d) == IN)
#else
#define RELIABLE(d) true
#endif

#ifdef WITHIN        /* a send is the rest of a message */
#define MIDMESSAGE(d) ((d) == OUT)
#else
#define MIDMESSAGE(d) false
#endif

#define CALLERS (RECEIVERS + SENDERS + STRANGERS)
#define WAITERS (CALLERS + POLLS)

#define IN     0
#define OUT    1
#define BIT(d) (1 << (d))
#define BOTH   3

#define OPEN    0
#define CLOSING 1
#define CLOSED  2

/* What a call returns. */
#define OK        0
#define AGAIN     1
#define CANCELLED 2
#define REFUSED   3
#define RECHECK   4 /* only park does: try again, since time has passed */

/* ---- libzmq's socket ---- */

byte mail[2];        /* commands in the mailbox, which no call has processed */
byte have[2];        /* messages to receive, and room for messages to send */
bool released;       /* zmq_close was called */

/* ---- the guard ---- */

bool locked;         /* mu */
byte state;
bool done;           /* the channel done is closed */
bool slot[2] = true; /* the slot's token is there */

bool watched;        /* watchers.any */
bool watchlock;      /* watchers.mu */
bool watch;          /* the poll's watch is in watchers.set */
bool queued;         /* the poll's watch is in its queue */

/* ---- the world ---- */

bool cancelled[WAITERS];

/* What follows is for the properties only. */
byte waits[WAITERS]; /* the direction in which a call waits, plus 1 */
byte holds[2];       /* how many callers have the slot */
byte sent[2];        /* what peers did */
byte taken[2];       /* what calls took */
bool rested;         /* time has passed: it does when nothing else moves */

#ifdef TRACE
#include "trace.pml"
#else
#define EVENT(name, who, what)
#define TIMEPASSES timeout /* when nothing else moves */
#define NOWANDTHEN true
#define DIRECTION(c) ((c) < RECEIVERS -> IN : OUT)
#define MAYWAIT (me < RECEIVERS + SENDERS)
#define EXPIRES ((TIMED >> me) & 1)
#endif

/* g.watchers.notify(bits) */
#if POLLS
inline notify(bits) {
	if
	:: ((bits) & BIT(WANTED)) && watched ->
		if
		:: atomic { !watchlock && watch -> watchlock = true; watch = false; push() };
			wakePoll();
			d_step { watched = watch; watchlock = false }
		:: d_step { !watchlock && !watch -> watched = false }
		fi
	:: else
	fi
}
#else
#define notify(bits) skip
#endif

/* g.wake(bits) */
inline wake(bits) {
	if
	:: (bits) & BIT(IN) -> wakeWaiter(IN)
	:: else
	fi;
	if
	:: (bits) & BIT(OUT) -> wakeWaiter(OUT)
	:: else
	fi;
}

/* g.Wake() */
inline wakeAll() {
	wakeWaiter(IN);
	wakeWaiter(OUT);
	notify(BOTH)
}

#ifdef NEW
#include "park_new.pml"
#else
#include "park_old.pml"
#endif

/* ---- libzmq ---- */

/* A command that comes into an empty mailbox signals ZMQ_FD. */
inline arrive(d) {
	if
	:: mail[IN] + mail[OUT] == 0 -> signal()
	:: else
	fi;
	mail[d]++; sent[d]++
}

/* Any call may process the mailbox, and the edge with it. */
inline process() {
	have[IN] = have[IN] + mail[IN]; have[OUT] = have[OUT] + mail[OUT];
	mail[IN] = 0; mail[OUT] = 0;
	eat()
}

/* What a try does in libzmq. It looks into the mailbox when it finds nothing,
 * and now and then when it does. In the middle of a message, a send mustn't try
 * again after it has looked, and tells what it has read. */
inline take(d) {
	atomic {
		assert(locked && state == OPEN && !released);
		if
		:: have[d] > 0 -> obtain(d)
		:: have[d] > 0 && mail[IN] + mail[OUT] > 0 && NOWANDTHEN -> process(); obtain(d)
		:: have[d] == 0 ->
			process();
			if
			:: have[d] > 0 && MIDMESSAGE(d) -> ready = BIT(d)
			:: have[d] > 0 && !MIDMESSAGE(d) -> obtain(d)
			:: have[d] == 0
			fi
		fi
	}
}

inline obtain(d) { have[d]--; taken[d]++; ok = true }

/* ZMQ_EVENTS */
inline events() {
	d_step {
		assert(locked && state == OPEN && !released);
		process();
		ready = (have[IN] > 0 -> BIT(IN) : 0) | ((have[OUT] > 0 || !RELIABLE(OUT)) -> BIT(OUT) : 0)
	}
}

/* ---- Guard ---- */

#define unlock() locked = false

/* g.Lock() */
inline enter() {
	!locked -> locked = true;
	if
	:: state != OPEN -> unlock(); goto refused
	:: else
	fi
}

/* What Unlock does after unlocking. */
inline passOn() {
	wake(ready & ~mine);
	notify(ready)
}

/* g.Watched(), from the second load on */
inline whoElseWaits() {
	if
	:: others
	:: !others && isWaiting(OUT) -> others = true
	:: !others && !isWaiting(OUT) -> others = watched
	fi
}

/* try, and unlock */
inline try(d) {
	EVENT(INSIDE, me, others)
#ifdef NEW
	take(d);
	if
	:: others -> events(); others = false
	:: else
	fi;
	atomic { keepSlot(d); unlock() }
#else
	atomic {
		take(d);
		if
		:: !others -> EVENT(TRIED, me, ok << 2) unlock()
		:: else
		fi
	};
	if
	:: others -> atomic { events(); EVENT(TRIED, me, (ok << 2) + ready) others = false; unlock() }
	:: !others
	fi
#endif
}

/* A call that doesn't wait, and the first try of one that does. */
inline firstTry(d) {
	atomic { enter(); others = isWaiting(IN) };
	whoElseWaits();
	try(d);
	passOn()
}

inline close() {
	atomic {
		!locked -> locked = true;
		first = (state == OPEN);
		if
		:: first -> EVENT(CLOSE, 0, 0) state = CLOSING; done = true
		:: else -> unlock()
		fi
	};
	if
	:: first -> wakeAll(); unlock()
	:: else
	fi
}

/* with zmq_close as release */
inline retire() {
	if
	:: atomic { !locked && state == CLOSING -> locked = true };
		evict();
		atomic { assert(state == CLOSING && !released); EVENT(RELEASE, 0, 0) released = true; state = CLOSED; unlock() }
	:: atomic { !locked && state != CLOSING }
	fi
}

/* ---- a call: g.Do ---- */

active [CALLERS] proctype Caller()
{
	byte me = _pid - FIRST, dir, left = CALLS, ready, result;
	byte mine; /* the BIT of the direction that it has the slot of, or 0 */
	bool ok, others;
#ifdef TRACE
	bool mayWait, expires;
#endif

next:
#ifdef TRACE
	NEXT_CALL;
#else
	atomic {
		if
		:: left == 0 -> goto end
		:: else -> left--
		fi;
		if
		:: MAYWAIT -> dir = DIRECTION(me)
		:: !MAYWAIT -> dir = IN
		:: !MAYWAIT -> dir = OUT
		fi
	};
#endif
	atomic {
		waits[me] = (MAYWAIT -> dir + 1 : 0);
		if
		:: cancelled[me] -> result = CANCELLED; goto leave
		:: else
		fi
	};
	firstTry(dir);
	if
	:: ok -> ready = 0; goto leave
	:: !ok && !MAYWAIT -> ready = 0; result = AGAIN; goto leave
	:: !ok && MAYWAIT && mine -> goto parking
	:: else -> ready = 0
	fi;

	/* takeSlot */
	assert(MAYWAIT);
	if
	:: atomic { slot[dir] -> slot[dir] = false; holds[dir]++; assert(holds[dir] == 1) }
	:: done -> goto refused
	:: cancelled[me] -> result = CANCELLED; goto leave
	:: EXPIRES -> result = AGAIN; goto leave
	fi;
	mine = BIT(dir);
	beginWait(dir);

again:
	atomic { enter(); arm(dir); others = isWaiting(1 - dir) };
	if
	:: others
	:: !others -> others = watched
	fi;
	try(dir);
	wake(ready & ~BIT(dir)); notify(ready);
parking:
	if
	:: ok -> ready = 0; goto leave
	:: !ok && RELIABLE(dir) && (ready & BIT(dir)) -> ready = 0; goto again
	:: else -> ready = 0
	fi;
	park(dir);
	if
	:: result == OK -> goto again
	:: result == RECHECK -> result = OK; goto again
	:: else -> goto leave
	fi;

refused:
	result = REFUSED;
leave:
	if
	:: mine ->
		endWait(dir);
		d_step { holds[dir]--; slot[dir] = true; mine = 0 }
	:: else
	fi;
	d_step {
		assert(result == OK || !ok); /* a call that fails takes nothing */
		waits[me] = 0; ok = false; dir = 0
	};
	EVENT(LEAVE, me, result)
	result = 0;
	goto next;
end:
	skip
}

/* ---- a poll: Poll, and then one call that doesn't wait ---- */

#if POLLS
active proctype Poll()
{
	byte me = _pid - FIRST, ready, result;
	byte mine;
	bool ok, others, had;

next:
#ifdef TRACE
	atomic { ENTERED(me) -> wanted = due & 1; advance() };
#endif
	d_step { waits[me] = WANTED + 1; queued = true }; /* Poller.Add */
	beginPoll();
look:
	drain();
	d_step { had = queued; queued = false; takeWakeUp() }; /* Queue.Take */
	if
	:: !had -> goto wait
	:: else -> had = false
	fi;

	/* g.Watch */
	EVENT(LOOK, me, 0)
	atomic { enter(); armPoll() };
	d_step { !watchlock -> watch = true; watched = true };
	atomic { events(); unlock() };
	passOn();
	EVENT(SEEN, me, ready & BIT(WANTED))
	if
	:: !(ready & BIT(WANTED)) -> ready = 0; goto wait
	:: else -> ready = 0
	fi;
	firstTry(WANTED);
	ready = 0;
	if
	:: ok -> goto leave
	:: else -> goto look
	fi;
wait:
	parkPoll();
	if
	:: result == OK -> goto look
	:: else -> goto leave
	fi;
refused:
	result = REFUSED;
leave:
	endPoll();
	d_step { !watchlock -> watch = false; watched = false };
	d_step { assert(result == OK || !ok); waits[me] = 0; ok = false; queued = false }; /* Poller.Remove */
	EVENT(LEAVE, me, result)
	result = 0;
#ifdef TRACE
	goto next
#endif
}
#endif

/* ---- the world ---- */

#ifndef TRACE
/* The peer sends and makes room, as often as it may, or less. */
active proctype Peer()
{
	byte messages = MESSAGES, room = ROOM;
	do
	:: messages > 0 -> d_step { messages--; arrive(IN) }
	:: room > 0 -> d_step { room--; arrive(OUT) }
	:: break
	od;
	atomic { messages = 0; room = 0 }
}

#ifdef CANCEL
active proctype Canceller()
{
	waits[CANCEL] -> cancelled[CANCEL] = true;
	onCancel(CANCEL)
}
#endif

#ifdef CLOSE
active proctype Closer()
{
	bool first;
	retire(); /* which is too early */
	close(); assert(first && done);
	close(); assert(!first);
	if
	:: retire(); retire()
	:: true /* zmq_close is put off */
	fi
}
#endif
#endif

#ifdef TRACE
/* Whoever it is, also in the middle of another step. */
active proctype Peer()
{
	do
	:: atomic { due == CODE(ARRIVE, 0, IN) -> arrive(IN); advance() }
	:: atomic { due == CODE(ARRIVE, 0, OUT) -> arrive(OUT); advance() }
	od
}

/* The goroutine that does what the others don't. */
active proctype World()
{
	byte c;
	bool first;

	c_code { readTraces(); };
	do
	:: c_expr { now.which + 1 < traces } -> which++
	:: break
	od;
	c_code { now.reliable = events[first[now.which]]; };
	advance();
	do
	:: atomic { due >= CODE(CANCELS, 0, 0) && due < CODE(SHUT, 0, 0) -> c = (due >> 3) & 7; advance() };
		cancelled[c] = true; c = 0
	:: atomic { due == CODE(SHUT, 0, 0) -> advance() };
		close(); first = false;
		EVENT(SHUTS, 0, 0)
	:: atomic { due == CODE(RETIRE, 0, 0) -> advance() };
		retire()
	:: atomic { RESTS && timeout && !unrest -> advance() }
	od
}

/* Cuts off what can't be of interest any more. */
never {
	do
	:: c_expr { !replayed[now.which] && !now.unrest }
	od
}
#endif

/* ---- what must hold ---- */

/* A call waits in vain that needn't wait. */
#define OVERDUE(c) (waits[c] && (state != OPEN || cancelled[c] || ((TIMED >> (c)) & 1) || have[waits[c] - 1] + mail[waits[c] - 1] > 0))

#if WAITERS == 1
#define STUCK OVERDUE(0)
#elif WAITERS == 2
#define STUCK (OVERDUE(0) || OVERDUE(1))
#elif WAITERS == 3
#define STUCK (OVERDUE(0) || OVERDUE(1) || OVERDUE(2))
#else
#define STUCK (OVERDUE(0) || OVERDUE(1) || OVERDUE(2) || OVERDUE(3))
#endif

#ifdef FOREVER
/* <>[] STUCK */
never {
	do
	:: true
	:: STUCK -> break
	od;
accept:
	do
	:: STUCK
	od
}
#endif

#ifdef BUSY
/* <>[] !rested, while something moves */
never {
	do
	:: true
	:: !rested -> break
	od;
accept:
	do
	:: !rested
	od
}
#endif

#ifdef ATREST
/* When nothing moves any more. */
active proctype Judge()
{
	timeout ->
	assert(!STUCK);
	assert(taken[IN] + have[IN] + mail[IN] == sent[IN]);
	assert(taken[OUT] + have[OUT] + mail[OUT] == sent[OUT])
}
#endif
