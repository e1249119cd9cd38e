package zmqsafe

import (
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/conns"
)

// SetConflate sets whether the socket keeps only the newest message in each
// direction. High-water marks don't apply then, and of a multipart message only
// one part is kept. It has an effect on PULL, PUSH, SUB, PUB and DEALER, and
// must be set before [Socket.Bind] and [Socket.Connect]. The default is false.
// See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_CONFLATE.
//
// Closing a sender overwrites the last value unless libzmq's thread has taken
// it. So [Socket.Close] waits until it has, and closing the context, too: at
// most for the linger, and for 1 s. That takes 50 ms if the socket
// connects, less if it binds.
//
// Otherwise the last value isn't guaranteed. It is lost if the connection isn't
// there in that time, which the report and a warning say; and if the program
// calls [Socket.Disconnect] right after it has sent it. A receiver with
// CONFLATE, and over inproc every receiver, loses what it hasn't received when
// the sender ends: the end overwrites it there. And libzmq drops the newest of
// several values if its thread takes an older one at that very moment
// (dbuffer.hpp). If the last value matters, let the receiver do without
// CONFLATE, or answer.
func (soc *Socket) SetConflate(value bool) error {
	return soc.call(func(s *socketState) error {
		err := s.raw.SetConflate(value)
		if err == nil {
			s.conflate = value
		}
		return explainOption("SetConflate", value, s.typ, "true or false", err)
	})
}

// conflates reports whether the socket keeps only the newest message. The
// caller holds the lock.
func (s *socketState) conflates() bool {
	switch s.typ {
	case PULL, PUSH, SUB, PUB, DEALER:
		return s.conflate
	}
	return false
}

// handshakeTime is how long a new connection needs until libzmq has taken a
// message for it: the handshake, which nobody sees from outside.
var handshakeTime = 50 * time.Millisecond // tests change it

// lastValue is what a socket with CONFLATE has sent last. zmq_close writes the
// mark for the end of messages into the place for the only one (pipe.cpp,
// pipe_t::terminate), so libzmq's thread must have taken it before.
type lastValue struct {
	of        *socketState
	endpoints []endpoint
	until     time.Time
	connected time.Time // since when all connections are seen to be there
}

// lastValueOf returns what to wait for before s is closed, or nil. The socket
// is marked closed, or its context is.
func lastValueOf(s *socketState, most time.Duration) (v *lastValue) {
	s.Retire(func() bool {
		if !s.hasLastValue() {
			return false
		}
		if d, finite := s.c.lingersAtEnd(s).Duration(); finite {
			most = min(most, d)
		}
		v = &lastValue{of: s, until: time.Now().Add(most)}
		for _, e := range s.endpoints {
			if !isInproc(e.actual) {
				v.endpoints = append(v.endpoints, e)
			}
		}
		return false
	})
	return v
}

// hasLastValue reports whether zmq_close may overwrite what was sent last. The
// caller holds the lock.
func (s *socketState) hasLastValue() bool {
	return s.conflates() && s.accepted > 0 && slices.ContainsFunc(s.endpoints, func(e endpoint) bool { return !isInproc(e.actual) })
}

// wait waits until libzmq has taken the value, and reports whether it has.
func (v *lastValue) wait() bool {
	return v == nil || await(v.until, func() (taken, possible bool) { return v.taken(), true })
}

// taken reports whether libzmq has taken the value, and notes it.
func (v *lastValue) taken() bool {
	if !v.isTaken() {
		return false
	}
	v.of.Retire(func() bool {
		v.of.lastTaken = true
		return false
	})
	return true
}

func (v *lastValue) isTaken() bool {
	there, unsure := true, false
	for _, e := range v.endpoints {
		switch look := e.look(&v.of.c.threads); {
		case look.State == conns.Unknown:
			unsure = true
		case look.State != conns.Done:
			return false
		case !e.bound && look.Len() == 0:
			there = false
		}
	}
	if !there {
		return false
	}
	if v.connected.IsZero() {
		v.connected = time.Now()
	}
	for _, e := range v.endpoints {
		if !e.bound || unsure {
			return time.Since(v.connected) >= handshakeTime
		}
	}
	return true
}

// lastValues are what several sockets wait for, all at the same time.
type lastValues []*lastValue

func (all lastValues) wait() {
	for len(all) > 0 {
		until := slices.MaxFunc(all, func(a, b *lastValue) int { return a.until.Compare(b.until) }).until
		await(until, func() (taken, possible bool) {
			now := time.Now()
			all = slices.DeleteFunc(all, func(v *lastValue) bool { return v.taken() || !now.Before(v.until) })
			return len(all) == 0, true
		})
	}
}
