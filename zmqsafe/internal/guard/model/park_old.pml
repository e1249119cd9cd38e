/* The wait as it is: a waiter parks on a channel that keeps one token, and so
 * does a poll. The waker's goroutine reads the shared epoll descriptor, which
 * watches ZMQ_FD edge-triggered, and wakes everybody.
 */

bool waiting[2];  /* direction.waiting */
bool token[2];    /* the channel of direction.parker has a token */
bool parked[2];   /* a goroutine is in that channel's receive */
bool pollToken, pollParked; /* the same of Queue.wake */
bool edge;        /* the epoll descriptor has an edge */
bool armed;       /* it watches ZMQ_FD */

inline signal() { edge = true }
inline eat()    { edge = false }

#define isWaiting(d) waiting[d]
inline beginWait(d) { waiting[d] = true }
inline endWait(d)   { waiting[d] = false }
inline arm(d)       { armed = true }

/* direction.wake. A token goes straight to whoever receives, else into the
 * channel. */
inline wakeWaiter(d) {
	if
	:: atomic { waiting[d] -> assert(holds[d] > 0) };
		EVENT(UNPARK, 0, d)
		d_step {
			if
			:: parked[d] -> parked[d] = false
			:: else -> token[d] = true
			fi
		}
	:: !waiting[d]
	fi
}

inline park(d) {
	EVENT(PARK, me, 0)
	if
	:: d_step { token[d] -> token[d] = false; result = OK }
	:: d_step { cancelled[me] -> result = CANCELLED }
	:: EXPIRES -> result = AGAIN
	:: d_step { !token[d] && !cancelled[me] -> parked[d] = true };
		if
		:: d_step { !parked[d] -> result = OK }
		:: d_step { parked[d] && cancelled[me] -> parked[d] = false; result = CANCELLED }
		:: d_step { parked[d] && EXPIRES -> parked[d] = false; result = AGAIN }
		:: atomic { parked[d] && !RELIABLE(d) && TIMEPASSES -> parked[d] = false; rested = true };
			rested = false; result = RECHECK
		fi
	fi;
	EVENT(PARKED, me, (result == RECHECK -> AGAIN : result))
}

inline onCancel(c) { skip } /* whoever is parked looks at the context, too */

inline evict()    { skip }

inline push() { assert(!queued); queued = true } /* Queue.Push: it is notified once */

inline beginPoll()  { skip }
inline endPoll()    { skip }
inline drain()      { skip } /* the waker does it */
inline armPoll()    { armed = true }
inline takeWakeUp() { pollToken = false }

inline wakePoll() {
	d_step {
		if
		:: pollParked -> pollParked = false
		:: else -> pollToken = true
		fi
	}
}

inline parkPoll() {
	EVENT(PARK, me, 0)
	if
	:: d_step { pollToken -> pollToken = false; result = OK }
	:: d_step { cancelled[me] -> result = CANCELLED }
	:: d_step { !pollToken && !cancelled[me] -> pollParked = true };
		if
		:: d_step { !pollParked -> result = OK }
		:: d_step { pollParked && cancelled[me] -> pollParked = false; result = CANCELLED }
		fi
	fi;
	EVENT(PARKED, me, result)
}

#define FIRST 1 /* callers come after the Waker */

active proctype Waker()
{
end:
	do
	:: d_step { edge && armed -> edge = false };
		EVENT(EDGE, 0, 0)
		wakeAll()
	od
}
