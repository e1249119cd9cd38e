package zmqsafe

import (
	"runtime"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/conns"
)

// Close closes the socket. See https://api.zeromq.org/4-3:zmq-close.
//
// Calls on the socket that are blocked in other goroutines return
// [ErrorSocketClosed]. libzmq's threads go on sending accepted messages for as
// long as LINGER allows ([Socket.SetLinger]). What has arrived and was not
// received is lost; Close counts it, for 10 ms at most, see [ClosedSocket] and
// [Socket.Drain]. Closing a socket that is already closed, by Close or with its
// context, closes nothing and returns nil.
//
// Close waits only if no other socket of the context is open: then until libzmq
// has let go of all sockets that were closed with messages to send. With live
// peers that takes milliseconds. It lasts as long as their LINGER at most, and
// never longer than the close timeout of the context. For the last value of a
// sender with CONFLATE it also waits if others are open ([Socket.SetConflate]).
// A wait that ran out is the last one until a close has succeeded. Close
// doesn't wait while a handler of any [Reactor] runs, nor if zmq_close is
// deferred ("Closing" in the package documentation), and closing the context
// ends the wait. [WithCloseWait] and ZMQSAFE_CLOSE_WAIT=off in the environment
// switch it off.
//
// Names and ports that the socket had bound are free as soon as with
// pebbe/zmq4; "Closing" has the one exception.
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
	s.c.waitForLastValue(s)
	putOff, err := s.close(byProgram)
	if !putOff && !s.internal {
		s.c.waitForUnsent()
	}
	return err
}

// mark ends all calls on the socket, current and future, with why. A socket
// that the program closed itself keeps ErrorSocketClosed.
func (s *socketState) mark(why error) {
	first := s.Guard.Close(why, func() {
		s.blocked, s.woken = s.waiting(), time.Now()
		profile.Remove(s)
		s.c.leave(s)
	})
	if !first && why == ErrorSocketClosed {
		s.Replace(why)
	}
}

// closer says on whose behalf a socket is closed.
type closer uint8

const (
	byProgram   closer = iota // by Close, or because the socket was leaked
	afterDelay                // by Close, closeDelay ago
	withContext               // by the end of its context
)

// leave notes that a socket isn't open any more.
func (c *contextState) leave(s *socketState) {
	if s.internal {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.openSockets--
}

// close gives a marked socket back to libzmq, once, or reports that this is put
// off. If the context is being closed, LINGER is clamped to its deadline.
func (s *socketState) close(by closer) (putOff bool, err error) {
	var unread *Unread
	var unbinding []*detaching
	s.Retire(func() bool {
		lingers := s.linger
		switch {
		case by == withContext:
			lingers = s.c.lingersAtEnd(s)
		case s.c.current() != open:
			putOff = true // the context does it, in its own order
			return false
		case s.deferClose(by):
			putOff = true
			s.freeNames()
			return false
		case by == byProgram && s.outlastsClose() && s.listens():
			lingers = within(lingers, time.Now().Add(s.c.closeTimeout))
		}
		unbinding = slices.Clone(s.unbinding)
		for _, d := range unbinding {
			d.endUnbind(s)
		}
		unread, err = s.release(by, lingers)
		return true
	})
	for _, d := range unbinding {
		if d.left != nil {
			d.warn(s.c)
		}
	}
	if by != withContext {
		s.warnUnread(unread)
	}
	return putOff, err
}

// release calls zmq_close. It returns what was unread. The caller holds the
// lock.
func (s *socketState) release(by closer, lingers linger.Policy) (*Unread, error) {
	if s.deferred != nil && s.deferred.Stop() {
		s.c.endDeferred()
	}
	if by == withContext {
		_ = s.stopMonitor() // otherwise events go on until libzmq is done with the socket
	}
	l := s.retire(by, lingers)
	s.retireFd()
	s.freeNames()
	unread := s.countUnread(by, l)
	if s.typ == SUB {
		lingers = linger.Drop // it has nothing to send but subscriptions
	}
	if s.hasSentParts() {
		lingers = floored(lingers)
	}
	err := setLinger(s.raw, lingers)
	if l != nil {
		l.closed.Closed = time.Now()
	}
	departures.Add(1)
	if closeErr := s.raw.Close(); err == nil {
		err = closeErr
	}
	s.sock = nil
	s.c.forget(s, l)
	return unread, err
}

// retire ends the watch on the socket. It returns what to track until libzmq is
// done with the socket, or nil if that is of no interest. The caller holds the
// lock.
func (s *socketState) retire(by closer, lingers linger.Policy) *lingeringSocket {
	mayHold := s.accepted > 0 && lingers != linger.Drop ||
		slices.ContainsFunc(s.endpoints, func(e endpoint) bool { return hostIn(e.actual) != "" })
	if s.internal || by != withContext && !mayHold {
		if s.fd >= 0 {
			s.c.waker.Remove(s.id, s.fd)
		}
		return nil
	}
	l := &lingeringSocket{closed: ClosedSocket{SocketInfo: s.describeLocked(), EffectiveLinger: lingers, Woken: s.woken, floored: s.hasSentParts(), valueLost: s.hasLastValue() && !s.lastTaken}, made: s.made, id: s.id, fd: s.fd}
	var err error
	if l.fd < 0 {
		l.fd, err = s.raw.GetFd()
	}
	if err != nil || !s.c.waker.Follow(s.id, l.fd) {
		l.fd = -1
	}
	return l
}

// closeDelay is how long zmq_close of a socket with a very long linger waits
// for the context to be closed.
const closeDelay = time.Second

// maxDeferred is how many closes a context may defer at a time. Sockets whose
// close is deferred still use up libzmq's limit of sockets.
const maxDeferred = 16

// deferClose reports whether zmq_close must wait, and then makes sure that it
// is called later. The caller holds the lock.
//
// It waits while an inproc connect is pending (see inprocNames). It also waits
// for closeDelay if LINGER is longer than the close timeout: after zmq_close
// nothing can cut the linger, and zmq_ctx_term would have to be abandoned. Most
// programs close their sockets and the context in one go, so the context gets
// the chance to close the socket (invariant 4). That doesn't apply to a socket
// that listens: its port must be free, and only zmq_close frees it and loses
// nothing.
func (s *socketState) deferClose(by closer) bool {
	if s.c.inproc.deferClose(s) {
		s.stopListening()
		return true
	}
	if by == afterDelay || !s.outlastsClose() || s.listens() {
		return false
	}
	if s.deferred == nil {
		if !s.c.beginDeferred() {
			return false
		}
		s.deferred = time.AfterFunc(closeDelay, func() {
			s.c.endDeferred()
			_, _ = s.close(afterDelay)
		})
	}
	return true
}

// outlastsClose reports whether the socket has a LINGER that is longer than the
// close timeout, and only sends: others would go on receiving messages that
// nobody reads if their zmq_close were deferred.
func (s *socketState) outlastsClose() bool {
	sendsOnly := s.typ == PUSH || s.typ == PUB || s.typ == XPUB
	return sendsOnly && outlasts(s.linger, s.c.closeTimeout)
}

// freeNames makes the inproc names that the socket has bound free now, not when
// libzmq gets to it. What was sent to its peers is theirs already.
func (s *socketState) freeNames() {
	for i := range s.endpoints {
		if e := &s.endpoints[i]; e.bound && isInproc(e.actual) {
			_ = s.detachEndpoint(*e)
			e.bound = false
		}
	}
}

// listens reports whether the socket has bound a port, or a file with ipc.
func (s *socketState) listens() bool {
	return slices.ContainsFunc(s.endpoints, endpoint.listens)
}

// stopListening frees the ports of a socket whose zmq_close is deferred for a
// pending inproc name. zmq_unbind drops what is unsent, so that waits until all
// is sent, or the linger is over.
func (s *socketState) stopListening() {
	if !s.listens() {
		return
	}
	lingers := s.linger
	if s.hasSentParts() {
		lingers = floored(lingers) // zmq_unbind in the middle of a message may abort the process
	}
	if s.accepted == 0 || lingers == linger.Drop {
		s.unbind()
		return
	}
	after, _ := within(lingers, time.Now().Add(s.c.closeTimeout)).Duration()
	go s.unbindOnceSent(time.Now().Add(after))
}

func (s *socketState) unbindOnceSent(deadline time.Time) {
	written := await(deadline, func() (done, possible bool) {
		s.Retire(func() bool {
			done, possible = s.written(), s.c.current() == open
			return false
		})
		return done, possible
	})
	s.Retire(func() bool {
		if s.c.current() == open {
			if !written {
				s.noteUnwritten()
			}
			s.unbind()
		}
		return false
	})
}

// written reports whether libzmq is seen to have sent everything to the peers
// of ports. The caller holds the lock.
func (s *socketState) written() bool {
	return !slices.ContainsFunc(s.endpoints, func(e endpoint) bool { return e.listens() && e.look(&s.c.threads).State != conns.Done })
}

// noteUnwritten notes that zmq_unbind is about to drop messages. The caller
// holds the lock.
func (s *socketState) noteUnwritten() {
	if s.linger == linger.Drop {
		return
	}
	now := time.Now()
	s.c.ranOutNow(&lingeringSocket{made: s.made, closed: ClosedSocket{
		SocketInfo: s.describeLocked(), EffectiveLinger: s.linger, Woken: s.woken, Closed: now, Released: now, Outcome: RanOut,
	}})
}

// unbind calls zmq_unbind for all ports. The caller holds the lock.
func (s *socketState) unbind() {
	for i := range s.endpoints {
		if e := &s.endpoints[i]; e.listens() {
			_ = s.detachEndpoint(*e)
			if s.hasSentParts() {
				s.settle(*e)
			}
			e.bound = false
		}
	}
}

func (c *contextState) beginDeferred() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deferred == maxDeferred {
		return false
	}
	c.deferred++
	return true
}

func (c *contextState) endDeferred() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deferred--
}
