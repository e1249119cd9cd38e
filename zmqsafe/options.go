package zmqsafe

//go:generate go test -count=1 -run ^TestGeneratedIsFresh$ ./internal/api -update

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// Options of a socket. doc.go says what they all have in common. The options in
// this file take more than a call of libzmq.

// SetLinger sets how long libzmq goes on sending accepted messages after the
// socket is closed: 0 promises nothing, -1 means forever, more than 596 h means
// 596 h. The default is the context's, see [Context.NewSocket]. See package
// linger, and https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_LINGER.
//
// libzmq itself gets 100 ms at least until the socket is closed, and then if it
// is a REQ or REP or has sent a multipart message: with less it may abort the
// process when both ends of a connection end in the middle of such a message.
// So a [Socket.Disconnect] from a dead peer, and multipart messages for one,
// keep the close of the context for up to 100 ms, even with 0, and a deadline
// that comes earlier is missed by that. It makes no difference for PULL, SUB
// and XSUB.
//
// A socket lingers in libzmq's threads. Closing the context waits for it, and
// so does [Socket.Close] of the last open socket. The deadline of the context's
// close cuts any linger, even forever. [Context.Shutdown] doesn't extend a
// linger that was set.
func (soc *Socket) SetLinger(d time.Duration) error {
	return soc.call(func(s *socketState) error {
		policy := linger.Forever
		if !isMinusOne(d) {
			var err error
			if policy, err = linger.For(d); err != nil {
				return invalid("SetLinger(%v): want -1 (forever), 0 (drop) or a positive duration", d)
			}
		}
		if err := setLinger(s.raw, s.lingerWhileOpen(policy)); err != nil {
			return err
		}
		s.linger, s.lingerSet = policy, true
		return nil
	})
}

// GetLinger returns what [Socket.SetLinger] sets, not what libzmq got; -1 means
// forever.
func (soc *Socket) GetLinger() (d time.Duration, err error) {
	err = soc.call(func(s *socketState) error {
		d = -1
		if s.linger != linger.Forever {
			d = time.Duration(s.linger.Milliseconds()) * time.Millisecond
		}
		return nil
	})
	return d, err
}

// SetRcvtimeo sets how long a receive blocks before it fails with EAGAIN: -1
// (the default) means forever, 0 not at all. It applies to calls that begin
// later. See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_RCVTIMEO.
func (soc *Socket) SetRcvtimeo(d time.Duration) error {
	return soc.setTimeout("SetRcvtimeo", (*zmq4.Socket).SetRcvtimeo, d, func(s *socketState) *atomic.Int64 { return &s.rcvtimeo })
}

// SetSndtimeo sets how long a send blocks before it fails with EAGAIN: -1 (the
// default) means forever, 0 not at all. It applies to calls that begin later.
// See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_SNDTIMEO.
func (soc *Socket) SetSndtimeo(d time.Duration) error {
	return soc.setTimeout("SetSndtimeo", (*zmq4.Socket).SetSndtimeo, d, func(s *socketState) *atomic.Int64 { return &s.sndtimeo })
}

func (soc *Socket) setTimeout(name string, set func(*zmq4.Socket, time.Duration) error, d time.Duration, kept func(*socketState) *atomic.Int64) error {
	return soc.call(func(s *socketState) error {
		allowed := durations{minusOne: "forever"}
		d, ok := allowed.round(d)
		if !ok {
			return invalid("%s(%v): want %v", name, d, allowed)
		}
		if err := set(s.raw, d); err != nil {
			return err
		}
		kept(s).Store(int64(d))
		return nil
	})
}

// GetRcvtimeo returns what [Socket.SetRcvtimeo] sets.
func (soc *Socket) GetRcvtimeo() (time.Duration, error) { return get(soc, (*zmq4.Socket).GetRcvtimeo) }

// GetSndtimeo returns what [Socket.SetSndtimeo] sets.
func (soc *Socket) GetSndtimeo() (time.Duration, error) { return get(soc, (*zmq4.Socket).GetSndtimeo) }

// GetEvents returns what the socket is ready for now: [POLLIN], [POLLOUT], both
// or neither. See https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_EVENTS.
func (soc *Socket) GetEvents() (ready State, err error) {
	err = soc.call(func(s *socketState) error {
		events, err := s.raw.GetEvents()
		if err == nil {
			ready = State(s.readiness(guard.Ready(events)))
		}
		return err
	})
	return ready, err
}

// GetRcvmore reports whether the message last received has more parts. If
// several goroutines receive from the socket, that may be another's message:
// use [Socket.RecvMessage] instead. See
// https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_RCVMORE.
func (soc *Socket) GetRcvmore() (more bool, err error) {
	err = soc.call(func(s *socketState) error {
		more = s.rcvmore
		return nil
	})
	return more, err
}

// GetType returns the type of the socket. See
// https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_TYPE.
func (soc *Socket) GetType() (Type, error) { return get(soc, (*zmq4.Socket).GetType) }

// GetLastEndpoint returns the endpoint last bound or connected, or "" if there
// was none. After a bind to tcp://…:* it contains the port that libzmq chose.
// See https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_LAST_ENDPOINT.
func (soc *Socket) GetLastEndpoint() (string, error) { return get(soc, (*zmq4.Socket).GetLastEndpoint) }

func get[V any](soc *Socket, getter func(*zmq4.Socket) (V, error)) (v V, err error) {
	err = soc.call(func(s *socketState) error {
		v, err = getter(s.raw)
		return err
	})
	return v, err
}

// set sets an option that takes only a call of libzmq. want says what libzmq
// accepts.
func set[V any](soc *Socket, name string, setter func(*zmq4.Socket, V) error, v V, want string) error {
	return soc.call(func(s *socketState) error { return explainOption(name, v, s.typ, want, setter(s.raw, v)) })
}

func explainOption(name string, v any, t Type, want string, err error) error {
	if AsErrno(err) != Errno(syscall.EINVAL) {
		return err
	}
	if text, ok := v.(string); ok {
		// Leave out the text: it may be a password or a key. libzmq refuses a
		// text for its length anyway.
		v = fmt.Sprintf("%d bytes", len(text))
	}
	return &usageError{fmt.Sprintf("%s(%v) on a %v socket: want %s", name, v, t, want), err}
}

// setInt is set for a C int. It refuses what a C int can't hold, which
// pebbe/zmq4 would truncate.
func setInt(soc *Socket, name string, setter func(*zmq4.Socket, int) error, n int, want string) error {
	if n != int(int32(n)) {
		setter, want = refuse, fmt.Sprintf("%s, up to %d", want, math.MaxInt32)
	}
	return set(soc, name, setter, n, want)
}

// setText is set for a string that libzmq reads up to the first zero byte. It
// refuses a string that goes on after that.
func setText(soc *Socket, name string, setter func(*zmq4.Socket, string) error, text, want string) error {
	if i := strings.IndexByte(text, 0); i >= 0 && i < len(text)-1 {
		setter, want = refuse, "no zero byte in the middle; "+want
	}
	return set(soc, name, setter, text, want)
}

// setKey is set for a CURVE key, in binary or as text.
func setKey(soc *Socket, name string, setter func(*zmq4.Socket, string) error, key, want string) error {
	if len(key) == 32 {
		return set(soc, name, setter, key, want)
	}
	return setText(soc, name, setter, key, want)
}

// setDuration is set for a duration. It refuses what a C int can't hold, and -1
// if the option gives it no meaning: pebbe/zmq4 would make 0 of it.
func setDuration(soc *Socket, name string, setter func(*zmq4.Socket, time.Duration) error, d time.Duration, allowed durations) error {
	d, ok := allowed.round(d)
	if !ok {
		setter = refuse
	}
	return set(soc, name, setter, d, allowed.String())
}

// refuse is a setter that accepts nothing. It runs after the check for a closed
// socket, whose error comes first, as in pebbe/zmq4.
func refuse[V any](*zmq4.Socket, V) error { return Errno(syscall.EINVAL) }

// durations says which durations an option accepts, besides those from 0 up.
type durations struct {
	step     time.Duration // libzmq's unit, if not milliseconds
	minusOne string        // what -1 means, if it is allowed
}

// round rounds d up to what libzmq can represent. ok is false if it can't.
func (a durations) round(d time.Duration) (rounded time.Duration, ok bool) {
	switch {
	case a.minusOne != "" && isMinusOne(d):
		return -1, true
	case d < 0 || d > maxDuration:
		return d, false
	}
	step := max(a.step, time.Millisecond)
	return (d + step - 1).Truncate(step), true
}

// isMinusOne reports whether d stands for libzmq's -1. pebbe/zmq4 documents -1
// for that, and takes -1 ms for the same.
func isMinusOne(d time.Duration) bool { return d == -1 || d == -time.Millisecond }

const maxDuration = math.MaxInt32 * time.Millisecond

func (a durations) String() string {
	most := maxDuration
	if a.step > time.Millisecond {
		most = math.MaxUint16 * a.step
	}
	if a.minusOne != "" {
		return fmt.Sprintf("-1 (%s), or a duration from 0 to %v", a.minusOne, most)
	}
	return fmt.Sprintf("a duration from 0 to %v", most)
}

// SetHeartbeatIvl sets the time between heartbeats, which find dead
// connections. 0 is no heartbeat. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_HEARTBEAT_IVL.
//
// Beware: libzmq 4.3 aborts the process if heartbeats are on, the queue of
// received messages is full ([Socket.SetRcvhwm], 1000 by default), and then the
// peer ends, or the heartbeat's time-out passes, because what arrives after the
// full queue isn't read, heartbeats included. This package can't prevent it. So
// give a socket that receives either no heartbeats or no limit,
// SetRcvhwm(0). Heartbeats of TCP itself do no harm:
// [Socket.SetTcpKeepalive]. Bind and Connect log a warning if it can
// happen to the socket, once for each line that calls them.
func (soc *Socket) SetHeartbeatIvl(value time.Duration) error {
	return soc.call(func(s *socketState) error {
		var allowed durations
		rounded, ok := allowed.round(value)
		set := (*zmq4.Socket).SetHeartbeatIvl
		if !ok {
			set = refuse
		}
		err := set(s.raw, rounded)
		if err == nil {
			s.heartbeat = rounded > 0
		}
		return explainOption("SetHeartbeatIvl", rounded, s.typ, allowed.String(), err)
	})
}

// mayAbort reports whether libzmq aborts the process if the queue of received
// messages is full and the peer ends (stream_engine_base.cpp: after
// in_event_internal has set _io_error, a timer's out_event asserts) or the
// heartbeat's time-out passes (restart_input asserts in the engine of the next
// connection). What a PUSH, PUB or XPUB gets from its peers is never queued,
// and a REQ has one reply at most. The caller holds the lock.
func (s *socketState) mayAbort(endpoint string) bool {
	if !s.heartbeat || isInproc(endpoint) || s.conflates() {
		return false
	}
	switch s.typ {
	case PULL, SUB, XSUB, DEALER, ROUTER, REP, PAIR:
		hwm, err := s.raw.GetRcvhwm()
		return err == nil && hwm > 0
	}
	return false
}

// warnHeartbeat warns of that.
func (s *socketState) warnHeartbeat(endpoint string, at callSite) {
	placed{s.c.logger, "at", at}.Warn("zmqsafe: heartbeats and a finite RCVHWM: libzmq aborts the process if the queue is full and the peer ends; set RCVHWM 0 or no heartbeats",
		"type", s.typ.String(), "made_at", s.made.String(), "endpoint", endpoint)
}

// filters are what a SUB has subscribed to. libzmq can't list them.
type filters struct {
	added   map[string]int // how often each filter was; made on first use
	removed removedFilters // nil unless open has removed them
}

// removedFilters are filters by their length. They don't change.
type removedFilters map[int]map[string]bool

// SetSubscribe adds a filter: the socket also receives messages that begin with
// it. It is an option of SUB and XPUB with SetXpubManual. The empty filter lets
// all messages through. A new socket has no filter and receives nothing. A
// filter added twice must be removed twice. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_SUBSCRIBE.
func (soc *Socket) SetSubscribe(filter string) error {
	return soc.call(func(s *socketState) error {
		if err := s.filters.close(s); err != nil {
			return err
		}
		err := s.raw.SetSubscribe(filter)
		if err == nil && s.typ == SUB {
			if s.filters.added == nil {
				s.filters.added = make(map[string]int)
			}
			s.filters.added[filter]++
		}
		return explainFilter("SetSubscribe", filter, s.typ, err)
	})
}

// SetUnsubscribe removes a filter that [Socket.SetSubscribe] has added. It is
// an option of SUB and XPUB with SetXpubManual. It is no error if there is no
// such filter. Messages that have arrived and pass no other filter are dropped;
// [Socket.Drain] unsubscribes without that. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_UNSUBSCRIBE.
func (soc *Socket) SetUnsubscribe(filter string) error {
	return soc.call(func(s *socketState) error {
		err := s.raw.SetUnsubscribe(filter)
		if err == nil && s.filters.added[filter] > 0 {
			if s.filters.added[filter]--; s.filters.added[filter] == 0 {
				delete(s.filters.added, filter)
			}
		}
		return explainFilter("SetUnsubscribe", filter, s.typ, err)
	})
}

func explainFilter(name, filter string, t Type, err error) error {
	return explainOption(name, filter, t, "any filter, and a socket of type SUB or XPUB with SetXpubManual", err)
}

// open removes all filters of a SUB so that its peers send no more, and lets
// what they have sent through. libzmq would drop that: a SUB looks at its
// filters once more when it receives (xsub.cpp, xsub_t::xrecv). With
// INVERT_MATCHING it drops what passes a filter, and there is none any more.
// The caller holds the lock.
func (f *filters) open(s *socketState) error {
	if inverted, err := s.raw.GetInvertMatching(); err != nil || inverted != 0 || len(f.added) == 0 {
		return err // an inverted feed doesn't stop when it has no filter
	}
	if err := s.raw.SetInvertMatching(1); err != nil {
		return err
	}
	f.removed = make(removedFilters)
	for filter, times := range f.added {
		for range times {
			if err := s.raw.SetUnsubscribe(filter); err != nil {
				return err
			}
		}
		if f.removed[len(filter)] == nil {
			f.removed[len(filter)] = make(map[string]bool)
		}
		f.removed[len(filter)][filter] = true
	}
	f.added = nil
	return nil
}

// close undoes INVERT_MATCHING when the program subscribes again.
func (f *filters) close(s *socketState) error {
	if f.removed == nil {
		return nil
	}
	f.removed = nil
	return s.raw.SetInvertMatching(0)
}

// pass reports whether a message is one that the socket was subscribed to when
// open was called. The program may have removed other filters before.
func (f removedFilters) pass(message [][]byte) bool {
	if f == nil {
		return true
	}
	for n, some := range f {
		if n <= len(message[0]) && some[string(message[0][:n])] {
			return true
		}
	}
	return false
}
