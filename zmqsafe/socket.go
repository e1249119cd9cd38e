package zmqsafe

import (
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/czmq"
)

// Socket is a libzmq socket that any goroutine may use and close.
//
// Each call is atomic: calls of several goroutines on one socket happen one
// after the other, and all parts of a SendMessage or RecvMessage belong to one
// call. A message that is sent or received part by part (SNDMORE, GetRcvmore)
// takes several calls; goroutines that share a socket and do so need a mutex of
// their own around them, as with raw. So do a request and its reply on a REQ or
// REP, which alternate: a call that isn't due fails with EFSM.
//
// A Socket should be closed with Close, or by closing its Context. One that is
// lost without is reported and closed by the package.
type Socket struct {
	s       *socketState
	ctx     *Context        // keeps the Context from being lost before its sockets
	cleanup runtime.Cleanup // reports a Socket that was lost
}

// socketState is what a Socket stands for: an entry of the registry. It
// outlives a Socket that was lost, so nothing that it reaches may lead back to
// the Socket or the Context.
type socketState struct {
	guard
	id       int32
	c        *contextState
	typ      Type
	internal bool // made for the package's own use: not the program's to see
	made     site
	created  time.Time

	// All below is guarded by guard.mu.
	raw       *zmq4.Socket
	linger    linger.Policy
	lingerSet bool          // by the program, or it has to be what it is
	rcvtimeo  time.Duration // negative: none
	sndtimeo  time.Duration // negative: none
	midSend   bool          // the last part was sent with SNDMORE
	rcvmore   bool          // the last part received has more to follow
	accepted  uint64        // messages
	received  uint64        // messages
	unread    []unreadPart  // what is received before anything else
	fd        int           // ZMQ_FD once it is watched, or -1
	dup       int           // the duplicate that GetFd hands out, or -1
	grace     *time.Timer   // runs while zmq_close is put off for a long linger
	monitor   *relay        // takes the events of this socket, or nil
	endpoints []endpoint
	nextRid   string    // what SetConnectRid has set for the next Connect
	rawMode   bool      // SetRouterRaw was on
	inproc    inprocUse // guarded by c.inproc.mu instead
	buf       []byte    // where small parts arrive; made when it is needed
	_         [0]uint64 // aligns msg as C does
	msg       czmq.Msg  // where large parts arrive
	woken     time.Time // when the state left open
	blocked   Waiting   // whom that woke
}

// NewSocket creates a socket. See https://api.zeromq.org/4-3:zmq-socket.
//
// Its LINGER is the context's (see WithLinger), but 0 for an XSUB, as in libzmq:
// an XSUB that lingers would wait for its own pending subscriptions. On error
// the socket returned is not nil, but closed.
//
// Errors: ErrorContextClosed after Close; EINVAL for an unknown type; EMFILE at
// the limit of sockets (SetMaxSockets) or of descriptors.
func (ctx *Context) NewSocket(t Type) (*Socket, error) { return ctx.newSocket(t, 1) }

// newSocket is NewSocket for the program, whose frame is skip above this one's
// caller.
func (ctx *Context) newSocket(t Type, skip int) (*Socket, error) {
	c, err := ctx.core()
	if err != nil {
		return &Socket{}, err
	}
	defer runtime.KeepAlive(ctx)
	s, err := c.newSocket(t, caller(skip+1), false)
	if err != nil {
		return &Socket{}, err
	}
	s.enterProfile(skip + 1)
	soc := &Socket{s: s, ctx: ctx}
	soc.cleanup = runtime.AddCleanup(soc, (*socketState).lost, s)
	return soc, nil
}

// newSocket creates a socket and enters it into the registry, under the lock
// that a close takes first (invariants 5 and 9).
func (c *contextState) newSocket(t Type, made site, internal bool) (*socketState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return nil, ErrorContextClosed
	}
	if !internal && len(c.sockets)-c.internals >= c.maxSockets {
		return nil, &usageError{fmt.Sprintf("NewSocket(%v): the context has its %d sockets (SetMaxSockets) open", t, c.maxSockets), Errno(syscall.EMFILE)}
	}
	if err := c.startLocked(); err != nil {
		return nil, err
	}
	raw, err := c.raw.NewSocket(t)
	switch {
	case AsErrno(err) == Errno(syscall.EINVAL):
		return nil, invalid("NewSocket(%d): unknown socket type; want REQ, REP, DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR or STREAM", int(t))
	case err != nil:
		return nil, err
	}
	runtime.SetFinalizer(raw, nil) // it would close the socket whenever it likes
	s := &socketState{
		id: c.lastID + 1, c: c, typ: t, internal: internal, made: made, created: time.Now(),
		raw: raw, linger: c.linger, lingerSet: internal || c.lingerSet || c.linger != linger.Default, rcvtimeo: -1, sndtimeo: -1, fd: -1, dup: -1,
	}
	if t == XSUB {
		s.linger, s.lingerSet = linger.Drop, true
	}
	pointer, err := rawPointer(raw, t)
	if err == nil {
		err = setLinger(raw, s.linger)
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	s.guard.init(pointer)
	c.lastID = s.id
	c.sockets[s.id] = s
	if internal {
		c.internals++
	}
	return s, nil
}

// newInternal creates a socket of the package's own for a call on another socket.
func (c *contextState) newInternal(t Type, made site) (*socketState, error) {
	s, err := c.newSocket(t, made, true)
	switch {
	case err == ErrorContextClosed:
		return nil, errTerm
	case AsErrno(err) == Errno(syscall.EMFILE):
		return nil, &usageError{"no socket is left in the context (SetMaxSockets), or no descriptor", err}
	}
	return s, err
}

// core returns what soc stands for; a nil or zero Socket is a closed one.
func (soc *Socket) core() (*socketState, error) {
	if soc == nil {
		return nil, errNilSocket
	}
	if soc.s == nil {
		return nil, ErrorSocketClosed
	}
	return soc.s, nil
}

// Context returns the context of the socket, the default context, too. After Close
// of the socket the error is ErrorSocketClosed; after that of the context there is
// none.
func (soc *Socket) Context() (*Context, error) {
	s, err := soc.core()
	if err != nil {
		return nil, err
	}
	if why := s.reason(); why == ErrorSocketClosed {
		return nil, why
	}
	return soc.ctx, nil
}

// String describes the socket by its type and, if it has one, its identity:
// Socket(DEALER,"me"). A closed one is Socket(CLOSED).
func (soc Socket) String() string {
	s, err := soc.core()
	if err != nil || s.lock() != nil {
		return "Socket(CLOSED)"
	}
	defer s.unlock(0)
	if id, err := s.raw.GetIdentity(); err == nil && id != "" {
		return fmt.Sprintf("Socket(%v,%q)", s.typ, id)
	}
	return fmt.Sprintf("Socket(%v,%p)", s.typ, s)
}

// arm has the waker watch the socket, once. The caller holds mu.
func (s *socketState) arm() error {
	if s.fd >= 0 {
		return nil
	}
	fd, err := s.raw.GetFd()
	if err == nil {
		err = s.c.waker.add(s, fd)
	}
	if err == nil {
		s.fd = fd
	}
	return err
}

// infoLocked describes the socket for people. The caller holds mu.
func (s *socketState) infoLocked() SocketInfo {
	info := s.describeLocked()
	info.Site = s.made.String()
	return info
}

// describeLocked is infoLocked but for Site, which costs most.
func (s *socketState) describeLocked() SocketInfo {
	info := SocketInfo{
		Type: s.typ, Created: s.created, Linger: s.linger,
		Accepted: s.accepted, Received: s.received, Waiting: s.blocked,
	}
	if s.state == open {
		info.Waiting = s.waiting()
	}
	for _, e := range s.endpoints {
		info.Endpoints = append(info.Endpoints, e.actual)
	}
	return info
}

// waiting counts the calls that are blocked on the socket now.
func (s *socketState) waiting() Waiting {
	return Waiting{int(s.in.blocked.Load()), int(s.out.blocked.Load()), s.watchers.polls()}
}
