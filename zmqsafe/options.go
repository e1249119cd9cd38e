package zmqsafe

import (
	"fmt"
	"math"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Options of a socket. Each method sets or gets the ZMQ_ option that its name
// says, see https://api.zeromq.org/4-3:zmq-setsockopt and
// https://api.zeromq.org/4-3:zmq-getsockopt. They don't block. Durations have
// libzmq's resolution of 1 ms and are rounded up, so that a positive one never
// becomes 0. A value that libzmq refuses gives an error that wraps EINVAL and
// changes nothing. Most options count for endpoints that are bound or connected
// afterwards.

// The options that the guard has a part in.

// SetLinger sets how long the closed socket may go on sending what was accepted:
// 0 drops it, -1 means forever. A socket lingers in libzmq's threads; only
// closing the context waits for it, and its deadline wins even over forever.
// See package linger.
func (soc *Socket) SetLinger(d time.Duration) error {
	policy := linger.Forever
	if d != -1 {
		var err error
		if policy, err = linger.For(d); err != nil {
			return invalid("SetLinger(%v): want -1 (forever), 0 (drop) or a positive duration", d)
		}
	}
	return soc.call(func(s *socketState) error {
		if err := setLinger(s.raw, policy); err != nil {
			return err
		}
		s.linger = policy
		return nil
	})
}

// GetLinger returns how long the closed socket may go on sending; -1 is forever.
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
// (the default) for ever, 0 not at all. It counts for calls that begin later.
func (soc *Socket) SetRcvtimeo(d time.Duration) error {
	return soc.setTimeout("SetRcvtimeo", (*zmq4.Socket).SetRcvtimeo, d, func(s *socketState) *time.Duration { return &s.rcvtimeo })
}

// SetSndtimeo sets how long a send blocks before it fails with EAGAIN: -1 (the
// default) for ever, 0 not at all. It counts for calls that begin later.
func (soc *Socket) SetSndtimeo(d time.Duration) error {
	return soc.setTimeout("SetSndtimeo", (*zmq4.Socket).SetSndtimeo, d, func(s *socketState) *time.Duration { return &s.sndtimeo })
}

func (soc *Socket) setTimeout(name string, set func(*zmq4.Socket, time.Duration) error, d time.Duration, kept func(*socketState) *time.Duration) error {
	ms, err := milliseconds(name, d)
	if err != nil {
		return err
	}
	return soc.call(func(s *socketState) error {
		if err := set(s.raw, ms); err != nil {
			return err
		}
		*kept(s) = ms
		return nil
	})
}

// GetRcvtimeo returns how long a receive blocks; -1 is for ever.
func (soc *Socket) GetRcvtimeo() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetRcvtimeo)
}

// GetSndtimeo returns how long a send blocks; -1 is for ever.
func (soc *Socket) GetSndtimeo() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetSndtimeo)
}

// GetEvents returns what the socket is ready for.
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

// GetRcvmore reports whether the message of the last Recv has more parts.
func (soc *Socket) GetRcvmore() (more bool, err error) {
	err = soc.call(func(s *socketState) error {
		more = s.rcvmore
		return nil
	})
	return more, err
}

// GetType returns the type of the socket.
func (soc *Socket) GetType() (Type, error) { return get(soc, (*zmq4.Socket).GetType) }

// GetLastEndpoint returns the endpoint last bound or connected, with the port
// that a bind to tcp://…:* was given.
func (soc *Socket) GetLastEndpoint() (string, error) { return get(soc, (*zmq4.Socket).GetLastEndpoint) }

func get[V any](soc *Socket, getter func(*zmq4.Socket) (V, error)) (v V, err error) {
	err = soc.call(func(s *socketState) error {
		v, err = getter(s.raw)
		return err
	})
	return v, err
}

// set sets an option that the guard has no part in.
func set[V any](soc *Socket, name string, setter func(*zmq4.Socket, V) error, v V) error {
	return soc.call(func(s *socketState) error { return explainOption(name, v, s.typ, setter(s.raw, v)) })
}

// setInt is set for a C int. It refuses what that can't hold: the binding would
// cut it off.
func setInt(soc *Socket, name string, setter func(*zmq4.Socket, int) error, n int) error {
	if n != int(int32(n)) {
		return invalid("%s(%d): want a C int, from %d to %d", name, n, math.MinInt32, math.MaxInt32)
	}
	return set(soc, name, setter, n)
}

// setDuration is set for an option in milliseconds; -1 has a meaning of its own
// for some of them, and is refused by libzmq for the others.
func setDuration(soc *Socket, name string, setter func(*zmq4.Socket, time.Duration) error, d time.Duration) error {
	ms, err := milliseconds(name, d)
	if err != nil {
		return err
	}
	return set(soc, name, setter, ms)
}

// milliseconds rounds d up to what libzmq can represent: -1, or a C int of
// milliseconds.
func milliseconds(name string, d time.Duration) (time.Duration, error) {
	const limit = math.MaxInt32 * time.Millisecond
	switch {
	case d == -1:
		return -1, nil
	case d < 0 || d > limit:
		return 0, invalid("%s(%v): want -1, or a duration from 0 to %v", name, d, limit)
	}
	return (d + time.Millisecond - 1).Truncate(time.Millisecond), nil
}

func explainOption(name string, v any, t Type, err error) error {
	if AsErrno(err) != Errno(syscall.EINVAL) {
		return err
	}
	return &usageError{fmt.Sprintf("%s(%#v): not a value of this option, or no option of a %v socket", name, v, t), err}
}
