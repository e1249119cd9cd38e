package zmqsafe

import (
	"slices"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/conns"
)

// SetRcvhwm sets the high-water mark for inbound messages: how many are queued
// from one peer before the socket takes no more from it. 0 is no limit. It also
// applies to connections that already exist. The default is 1000. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_RCVHWM.
//
// With a limit, a receiver that is slower than its peer loses what its kernel
// still holds when the peer closes its socket and ends: over ipc always, over
// tcp if the receiver has sent something meanwhile; 0 avoids that. With
// heartbeats and a limit, a full queue can abort the process: see
// [Socket.SetHeartbeatIvl].
//
// Set it before the first [Socket.Bind] or [Socket.Connect]. Later, libzmq
// tells the other end of each connection of the change, and crashes the process
// if a peer is just ending. This package can't prevent that. It logs a warning,
// once for each line that changes the value so late.
func (soc *Socket) SetRcvhwm(value int) error {
	return setHighWater(soc, "SetRcvhwm", value, caller(1), func(s *socketState) highWater {
		return highWater{value, s.raw.GetRcvhwm, s.raw.SetRcvhwm}
	})
}

// GetRcvhwm returns what [Socket.SetRcvhwm] sets.
func (soc *Socket) GetRcvhwm() (int, error) { return get(soc, (*zmq4.Socket).GetRcvhwm) }

// SetSndhwm sets the high-water mark for outbound messages: how many are queued
// for one peer before a send blocks or drops. 0 is no limit. It also applies to
// connections that already exist. The default is 1000. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_SNDHWM.
//
// PUB, XPUB, XSUB, REP, and ROUTER without [Socket.SetRouterMandatory] drop
// what they send to a peer whose queue is full. libzmq learns late what peers
// have taken, and would also drop messages for peers that have taken
// everything. Here none is dropped while less than a quarter of the queue is
// used. For that, a REP with less than 512 has the effect of 512.
//
// A SUB sends nothing but subscriptions, and libzmq would drop those above the
// mark. So it has no limit, whatever is set; nor has an XSUB unless one is set.
//
// Set it before the first [Socket.Bind] or [Socket.Connect]: see
// [Socket.SetRcvhwm].
func (soc *Socket) SetSndhwm(value int) error {
	return setHighWater(soc, "SetSndhwm", value, caller(1), func(s *socketState) highWater {
		s.sndhwm = value
		return highWater{enoughQueue(s.typ, value), s.raw.GetSndhwm, s.raw.SetSndhwm}
	})
}

// GetSndhwm returns what [Socket.SetSndhwm] sets.
func (soc *Socket) GetSndhwm() (value int, err error) {
	err = soc.call(func(s *socketState) error {
		value = s.sndhwm
		return nil
	})
	return value, err
}

// highWater is a high-water mark as libzmq is to have it.
type highWater struct {
	value int
	get   func() (int, error)
	set   func(int) error
}

// setHighWater sets one. libzmq also tells the other end of each connection,
// which is freed memory from when that end has gone until this socket has heard
// of it (socket_base.cpp, update_pipe_options; pipe.cpp, send_hwms_to_peer). It
// does so even if nothing changes, or if it refuses the value. That is
// prevented here.
func setHighWater(soc *Socket, name string, value int, at callSite, markOf func(*socketState) highWater) error {
	late := false
	set := func(*zmq4.Socket, int) error {
		if value < 0 {
			return Errno(syscall.EINVAL)
		}
		mark := markOf(soc.s)
		if now, err := mark.get(); err != nil || now == mark.value {
			return err
		}
		late = soc.s.attached
		return mark.set(mark.value)
	}
	err := setInt(soc, name, set, value, "0 or more")
	if late {
		placed{soc.s.c.logger, "at", at}.Warn("zmqsafe: high-water mark changed after Bind or Connect: libzmq crashes the process if a peer is just ending; set it before",
			"option", name, "type", soc.s.typ.String(), "made_at", soc.s.made.String())
	}
	return err
}

// defaultSndhwm is libzmq's.
const defaultSndhwm = 1000

// enoughQueue returns the SNDHWM that libzmq gets for one that the program has
// set.
func enoughQueue(t Type, value int) int {
	switch {
	case t == SUB:
		return min(value, 0) // it refuses a negative one
	case t == REP && value > 0:
		return max(value, repQueueFloor)
	}
	return value
}

// A peer reports only after each half of the queue that it has taken messages
// (pipe.cpp, compute_lwm). The report comes into the socket's mailbox. There a
// send looks once a millisecond, and a receive that finds a message once in 100
// parts (socket_base.cpp, process_commands; config.hpp, inbound_poll_rate).

// repQueueFloor is the shortest queue that a REP gets. It chooses the queue for
// a reply when it receives the request (rep.cpp, rep_t::xrecv), so a quarter of
// the queue, the half that isn't reported, and 100 must fit in. With up to 150,
// one of the first 400 replies to requests that followed each other was
// dropped.
const repQueueFloor = 512

// dropsIfFull reports whether libzmq drops a message for a peer whose queue it
// takes for full. Then the socket looks into the mailbox before each quarter of
// the queue.
func (s *socketState) dropsIfFull() bool {
	switch s.typ {
	case PUB, XPUB, XSUB, ROUTER:
		return s.sndhwm > 0
	}
	return false
}

func (s *socketState) quarterQueue() int { return max(1, s.sndhwm/4) }

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
