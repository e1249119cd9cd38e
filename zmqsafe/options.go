package zmqsafe

//go:generate go run github.com/zmqsafe/zmq-exit/zmqsafe/internal/api/generate

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Options of a socket: what they have in common is in doc.go. These are the ones
// that the guard has a part in.

// SetLinger sets how long the closed socket may go on sending what was accepted:
// 0 drops it, -1 means forever. A socket lingers in libzmq's threads; only
// closing the context waits for it, and its deadline wins even over forever. What
// was set isn't lengthened by Context.Shutdown.
// More than 596 h counts as 596 h. The default is the context's, see
// Context.NewSocket. See package linger, and
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_LINGER.
func (soc *Socket) SetLinger(d time.Duration) error {
	return soc.call(func(s *socketState) error {
		policy := linger.Forever
		if !isMinusOne(d) {
			var err error
			if policy, err = linger.For(d); err != nil {
				return invalid("SetLinger(%v): want -1 (forever), 0 (drop) or a positive duration", d)
			}
		}
		if err := setLinger(s.raw, policy); err != nil {
			return err
		}
		s.linger, s.lingerSet = policy, true
		return nil
	})
}

// GetLinger returns how long the closed socket may go on sending; -1 is forever.
// See SetLinger.
func (soc *Socket) GetLinger() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetLinger)
}

func setLinger(raw *zmq4.Socket, p linger.Policy) error {
	if p == linger.Forever {
		return raw.SetLinger(-1)
	}
	return raw.SetLinger(time.Duration(p.Milliseconds()) * time.Millisecond)
}

// SetRcvtimeo sets how long a receive blocks before it fails with EAGAIN: -1
// (the default) for ever, 0 not at all. It counts for calls that begin later. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_RCVTIMEO.
func (soc *Socket) SetRcvtimeo(d time.Duration) error {
	return soc.setTimeout("SetRcvtimeo", (*zmq4.Socket).SetRcvtimeo, d, func(s *socketState) *time.Duration { return &s.rcvtimeo })
}

// SetSndtimeo sets how long a send blocks before it fails with EAGAIN: -1 (the
// default) for ever, 0 not at all. It counts for calls that begin later. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_SNDTIMEO.
func (soc *Socket) SetSndtimeo(d time.Duration) error {
	return soc.setTimeout("SetSndtimeo", (*zmq4.Socket).SetSndtimeo, d, func(s *socketState) *time.Duration { return &s.sndtimeo })
}

func (soc *Socket) setTimeout(name string, set func(*zmq4.Socket, time.Duration) error, d time.Duration, kept func(*socketState) *time.Duration) error {
	return soc.call(func(s *socketState) error {
		allowed := durations{minusOne: "for ever"}
		d, ok := allowed.round(d)
		if !ok {
			return invalid("%s(%v): want %v", name, d, allowed)
		}
		if err := set(s.raw, d); err != nil {
			return err
		}
		*kept(s) = d
		return nil
	})
}

// GetRcvtimeo returns how long a receive blocks; -1 is for ever. See SetRcvtimeo.
func (soc *Socket) GetRcvtimeo() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetRcvtimeo)
}

// GetSndtimeo returns how long a send blocks; -1 is for ever. See SetSndtimeo.
func (soc *Socket) GetSndtimeo() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetSndtimeo)
}

// GetEvents returns what the socket is ready for now: POLLIN, POLLOUT, both or
// neither. See https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_EVENTS.
func (soc *Socket) GetEvents() (ready State, err error) {
	err = soc.call(func(s *socketState) error {
		events, err := s.raw.GetEvents()
		if err == nil {
			ready = s.readiness(int(events))
		}
		return err
	})
	return ready, err
}

// GetRcvmore reports whether the message of the last Recv has more parts. Where
// several goroutines receive from the socket, that may be another's: use
// RecvMessage. See https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_RCVMORE.
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

// GetLastEndpoint returns the endpoint last bound or connected, with the port
// that a bind to tcp://…:* was given; nothing if there was none. See
// https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_LAST_ENDPOINT.
func (soc *Socket) GetLastEndpoint() (string, error) { return get(soc, (*zmq4.Socket).GetLastEndpoint) }

func get[V any](soc *Socket, getter func(*zmq4.Socket) (V, error)) (v V, err error) {
	err = soc.call(func(s *socketState) error {
		v, err = getter(s.raw)
		return err
	})
	return v, err
}

// set sets an option that the guard has no part in. want is what libzmq takes.
func set[V any](soc *Socket, name string, setter func(*zmq4.Socket, V) error, v V, want string) error {
	return soc.call(func(s *socketState) error { return explainOption(name, v, s.typ, want, setter(s.raw, v)) })
}

func explainOption(name string, v any, t Type, want string, err error) error {
	if AsErrno(err) != Errno(syscall.EINVAL) {
		return err
	}
	if text, ok := v.(string); ok {
		// Not the text: it may be a password or a key. Where one is refused, it is
		// for its length.
		v = fmt.Sprintf("%d bytes", len(text))
	}
	return &usageError{fmt.Sprintf("%s(%v) on a %v socket: want %s", name, v, t, want), err}
}

// setInt is set for a C int. It refuses what that can't hold: the binding would
// cut it off.
func setInt(soc *Socket, name string, setter func(*zmq4.Socket, int) error, n int, want string) error {
	if n != int(int32(n)) {
		setter, want = refuse, fmt.Sprintf("%s, up to %d", want, math.MaxInt32)
	}
	return set(soc, name, setter, n, want)
}

// setText is set for a string that libzmq reads up to the first zero byte. It
// refuses one that has more after that.
func setText(soc *Socket, name string, setter func(*zmq4.Socket, string) error, text, want string) error {
	if i := strings.IndexByte(text, 0); i >= 0 && i < len(text)-1 {
		setter, want = refuse, "no zero byte in the middle; "+want
	}
	return set(soc, name, setter, text, want)
}

// setKey is set for a key of CURVE: in binary, or as text.
func setKey(soc *Socket, name string, setter func(*zmq4.Socket, string) error, key, want string) error {
	if len(key) == 32 {
		return set(soc, name, setter, key, want)
	}
	return setText(soc, name, setter, key, want)
}

// setDuration is set for a duration. It refuses what a C int can't hold, and -1
// where it means nothing: the binding would make 0 of it.
func setDuration(soc *Socket, name string, setter func(*zmq4.Socket, time.Duration) error, d time.Duration, allowed durations) error {
	d, ok := allowed.round(d)
	if !ok {
		setter = refuse
	}
	return set(soc, name, setter, d, allowed.String())
}

// refuse is a setter that takes nothing. So a closed socket comes first, as in raw.
func refuse[V any](*zmq4.Socket, V) error { return Errno(syscall.EINVAL) }

// durations says which durations an option takes, besides those from 0 on.
type durations struct {
	step     time.Duration // what libzmq counts in, if not milliseconds
	minusOne string        // what -1 means, if it is allowed
}

// round rounds d up to what libzmq can represent, if it can.
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

// isMinusOne reports whether d stands for libzmq's -1. Raw says that -1 does, and
// takes -1 ms for the same.
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
