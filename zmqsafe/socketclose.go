package zmqsafe

import (
	"runtime"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Close closes the socket. See https://api.zeromq.org/4-3:zmq-close.
//
// Calls on the socket that are blocked in other goroutines return
// ErrorSocketClosed. Close itself doesn't block: libzmq goes on sending what was
// accepted for as long as LINGER says, in its own threads, and only closing the
// context waits for that. Closing a socket again, or one that its context has
// closed, does nothing and returns nil.
func (soc *Socket) Close() error {
	s, err := soc.core()
	if soc == nil {
		return err
	}
	if err != nil {
		return nil
	}
	defer runtime.KeepAlive(soc)
	soc.cleanup.Stop()
	s.mark(ErrorSocketClosed)
	return s.close(byProgram)
}

// mark ends all calls on the socket, now and from now on, with why. What the
// program closed itself stays ErrorSocketClosed.
func (s *socketState) mark(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == open {
		s.blocked, s.woken = s.waiting(), time.Now()
		s.state, s.why = closing, why
		profile.Remove(s)
		close(s.gone)
		s.watchers.tellAll()
	} else if why == ErrorSocketClosed {
		s.why = why
	}
}

// closer says on whose behalf a socket is closed.
type closer uint8

const (
	byProgram   closer = iota // by Close, or since the socket was lost
	afterGrace                // by Close, closeGrace ago
	withContext               // by the end of its context
)

// close hands a marked socket back to libzmq, once. LINGER is clamped to the
// deadline of the context, if that is being closed.
func (s *socketState) close(by closer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lingers := s.linger
	switch {
	case s.state == closed:
		return nil
	case by == withContext:
		lingers = s.c.lingersAtEnd(s)
	case s.c.isClosing():
		return nil // the context does it, in its own order
	case s.putOff(by):
		return nil
	}
	if s.grace != nil && s.grace.Stop() {
		s.c.endGrace()
	}
	if by == withContext {
		_ = s.stopMonitor() // otherwise events go on until libzmq is done with the socket
	}
	l := s.retire(by, lingers)
	s.releaseDup()
	for _, e := range s.endpoints {
		if e.bound && isInproc(e.actual) {
			_ = s.detachEndpoint(e) // the name is free now, not when libzmq gets to it
		}
	}
	err := setLinger(s.raw, lingers)
	if l != nil {
		l.closed.Closed = time.Now()
	}
	if closeErr := s.raw.Close(); err == nil {
		err = closeErr
	}
	s.state, s.sock = closed, nil
	s.c.forget(s, l)
	return err
}

// retire ends watching the socket. It returns what is to be known of it until
// libzmq is done with it, or nil where that is of no interest. The caller holds mu.
func (s *socketState) retire(by closer, lingers linger.Policy) *lingerer {
	mayHold := s.accepted > 0 && lingers != linger.Drop ||
		slices.ContainsFunc(s.endpoints, func(e endpoint) bool { return hostIn(e.actual) != "" })
	if s.internal || by != withContext && !mayHold {
		if s.fd >= 0 {
			s.c.waker.remove(s, s.fd)
		}
		return nil
	}
	l := &lingerer{closed: ClosedSocket{SocketInfo: s.describeLocked(), Lingers: lingers, Woken: s.woken}, made: s.made, id: s.id, fd: s.fd}
	var err error
	if l.fd < 0 {
		l.fd, err = s.raw.GetFd()
	}
	if err != nil || !s.c.waker.follow(s, l.fd) {
		l.fd = -1
	}
	return l
}
