package zmqsafe

import (
	"context"
	"runtime"
)

// do makes one call that may have to wait: try runs under the guard, and says
// EAGAIN when the socket isn't ready in direction dir. What try returns goes to
// the caller; watched asks it for ZMQ_EVENTS.
//
// DONTWAIT and a time-out of 0 return that EAGAIN, as in libzmq; otherwise do
// waits for RCVTIMEO or SNDTIMEO, and for ctx.
func do[R any](ctx context.Context, soc *Socket, dir State, flags Flag, try func(s *socketState, watched bool) (R, State, error)) (R, error) {
	var none R
	s, err := soc.core()
	if err != nil {
		return none, err
	}
	defer runtime.KeepAlive(soc)
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if err := s.lock(); err != nil {
		return none, err
	}
	timeout := s.rcvtimeo
	if dir == POLLOUT {
		timeout = s.sndtimeo
	}
	r, ready, err := try(s, s.watched())
	s.unlock(ready)
	if err != errAgain || flags&DONTWAIT != 0 || timeout == 0 {
		return r, err
	}
	err = s.wait(ctx, dir, s.exact(dir), timeout, func(watched bool) (State, error) {
		// Watching before trying: an edge after the try is then seen.
		if err := s.arm(); err != nil {
			return 0, err
		}
		var err error
		r, ready, err = try(s, watched)
		return ready, err
	})
	return r, err
}

// exact reports whether ZMQ_EVENTS with dir means that the call succeeds. A
// socket that chooses among its peers knows; one that sends to a certain peer
// (ROUTER, STREAM) or to all of them (PUB) reports POLLOUT regardless.
func (s *socketState) exact(dir State) bool {
	switch s.typ {
	case PUSH, DEALER, REQ, PAIR:
		return true
	}
	return dir == POLLIN
}

// call makes one call that doesn't wait, such as setting an option. Such a call
// may change what the socket is ready for (a Connect gives a PUSH somebody to
// send to), so whoever waits tries again.
func (soc *Socket) call(f func(s *socketState) error) error {
	s, err := soc.core()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(soc)
	if err := s.lock(); err != nil {
		return err
	}
	defer s.unlock(POLLIN | POLLOUT)
	return f(s)
}
