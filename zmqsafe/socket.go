package zmqsafe

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/libzmq"
)

// Socket is a libzmq socket that any goroutine may use and close.
//
// Each call is atomic: calls from several goroutines on one socket run one
// after another, and all parts of a [Socket.SendMessage] or
// [Socket.RecvMessage] stay together. A message that is sent or received part
// by part ([SNDMORE], [Socket.GetRcvmore]) takes several calls: goroutines that
// share a socket must then hold a mutex around them, as with pebbe/zmq4. The
// same applies to a request and its reply on a REQ or REP, which alternate: a
// call out of turn fails with EFSM.
//
// Close a Socket with [Socket.Close], or close its [Context]. A Socket that is
// garbage collected without having been closed stays open for 10 s more. If its
// context is still open then, it is logged as leaked, and closed.
type Socket struct {
	s       *socketState
	ctx     *Context        // keeps the Context from being collected before its sockets
	cleanup runtime.Cleanup // reports a leaked Socket
}

// socketState is the state of a Socket, and its entry in the registry. It
// outlives a leaked Socket, so nothing that it reaches may point back to the
// Socket or the Context.
type socketState struct {
	guard.Guard
	id       int32
	c        *contextState
	typ      Type
	internal bool // made by the package for itself, hidden from the program
	made     callSite
	created  time.Time

	rcvtimeo, sndtimeo atomic.Int64 // durations; negative: none

	settling settling

	pendingNames  int  // guarded by c.inproc.mu; how many inproc names it waits for
	closeDeferred bool // guarded by c.inproc.mu; its close waits for them
	readsEvents   bool // guarded by c.inproc.mu; it is connected to a Monitor's address

	// The Guard's lock guards everything below.
	raw       *zmq4.Socket
	sock      unsafe.Pointer // libzmq's socket, which raw wraps; nil once it is closed
	linger    linger.Policy
	lingerSet bool         // linger is fixed: by the program, or by the type
	midSend   bool         // the last part was sent with SNDMORE
	multipart bool         // a part was, or may have been, sent with SNDMORE
	rcvmore   bool         // the last part received has more to follow
	accepted  uint64       // messages
	received  uint64       // messages
	unread    []unreadPart // received before anything else
	inFlight  int          // messages that proxies have taken and not yet sent
	filters   filters      // of a SUB
	draining  draining
	fd        int         // ZMQ_FD once the waker watches it, or -1
	standIn   int         // what GetFd hands out, or -1
	deferred  *time.Timer // runs while zmq_close is deferred for a long linger
	monitor   *relay      // takes the socket's events, or nil
	endpoints []endpoint
	// unbinding are Unbinds of which the socket may not know yet.
	unbinding []*detaching
	attached  bool       // it has had endpoints
	conflate  bool       // SetConflate is on
	lastTaken bool       // and libzmq's thread has taken the last value
	sndbuf    int        // what SetSndbuf set, or -1
	sndhwm    int        // what SetSndhwm set, or the default
	heartbeat bool       // SetHeartbeatIvl is on
	nextRid   string     // set by SetConnectRid for the next Connect
	rawMode   bool       // SetRouterRaw was on
	buf       []byte     // receives small parts; made on first use
	_         [0]uint64  // aligns msg as C does
	msg       libzmq.Msg // receives large parts
	woken     time.Time  // when the state left open
	blocked   Waiting    // the calls blocked at that time
}

// NewSocket creates a socket. It doesn't block. See
// https://api.zeromq.org/4-3:zmq-socket.
//
// The socket has the LINGER of the context (see [WithLinger]), except that an
// XSUB has 0, as in libzmq: an XSUB that lingers would wait for its own pending
// subscriptions. For the same reason a SUB is closed as if it had 0. On error
// the returned socket is not nil, but closed.
//
// Errors: [ErrorContextClosed] after [Context.Close]; EINVAL for an unknown
// type; EMFILE at the limit of sockets ([Context.SetMaxSockets]) or of
// descriptors.
func (ctx *Context) NewSocket(t Type) (*Socket, error) { return ctx.newSocket(t, 1) }

// Context returns the context of the socket, which may be the default context.
// After [Socket.Close] the error is [ErrorSocketClosed]. Closing the context
// causes no error.
func (soc *Socket) Context() (*Context, error) {
	s, err := soc.core()
	if err != nil {
		return nil, err
	}
	if why := s.Err(); why == ErrorSocketClosed {
		return nil, why
	}
	return soc.ctx, nil
}

// String describes the socket by its type and, if it has one, its identity:
// Socket(DEALER,"me"). A closed socket is Socket(CLOSED).
func (soc Socket) String() string {
	s, err := soc.core()
	if err != nil || s.Lock() != nil {
		return "Socket(CLOSED)"
	}
	defer s.Unlock(0)
	if id, err := s.raw.GetIdentity(); err == nil && id != "" {
		return fmt.Sprintf("Socket(%v,%q)", s.typ, id)
	}
	return fmt.Sprintf("Socket(%v,%p)", s.typ, s)
}

// newSocket creates a socket for the program. The call site is skip frames
// above the caller of newSocket.
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
	if s.Lock() == nil { // the context hasn't closed it yet
		profile.Add(s, skip+2)
		s.Unlock(0)
	}
	soc := &Socket{s: s, ctx: ctx}
	soc.cleanup = runtime.AddCleanup(soc, (*socketState).leaked, s)
	return soc, nil
}

// newSocket creates a socket and enters it into the registry. It holds the lock
// that a close takes first (invariants 5 and 9).
func (c *contextState) newSocket(t Type, made callSite, internal bool) (*socketState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return nil, ErrorContextClosed
	}
	if !internal && len(c.sockets)-c.internals >= c.maxSockets {
		return nil, &usageError{fmt.Sprintf("NewSocket(%v): the context is at its limit of %d open sockets (SetMaxSockets)", t, c.maxSockets), Errno(syscall.EMFILE)}
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
	runtime.SetFinalizer(raw, nil) // it could close the socket at any time
	s := &socketState{
		id: c.lastID + 1, c: c, typ: t, internal: internal, made: made, created: time.Now(),
		raw: raw, linger: c.linger, lingerSet: internal || c.lingerSet || c.linger != linger.Default, fd: -1, standIn: -1, sndbuf: -1, sndhwm: defaultSndhwm,
	}
	if t == XSUB {
		s.linger, s.lingerSet = linger.Drop, true
	}
	pointer, err := rawPointer(raw, t)
	if err == nil {
		err = setLinger(raw, s.lingerWhileOpen(s.linger))
	}
	if err == nil && (t == SUB || t == XSUB) {
		err = raw.SetSndhwm(0) // see Socket.SetSndhwm
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	s.sock = pointer
	s.rcvtimeo.Store(-1)
	s.sndtimeo.Store(-1)
	s.Open(s, errAgain)
	c.lastID = s.id
	c.sockets[s.id] = s
	if internal {
		c.internals++
	} else {
		c.openSockets++
	}
	return s, nil
}

// newInternal creates an internal socket for a call on another socket.
func (c *contextState) newInternal(t Type, made callSite) (*socketState, error) {
	s, err := c.newSocket(t, made, true)
	switch {
	case err == ErrorContextClosed:
		return nil, errTerm
	case AsErrno(err) == Errno(syscall.EMFILE):
		return nil, &usageError{"the context is at its limit of sockets (SetMaxSockets), or the process at its limit of descriptors (ulimit -n)", err}
	}
	return s, err
}

// core returns the state of soc. A nil or zero Socket is closed.
func (soc *Socket) core() (*socketState, error) {
	if soc == nil {
		return nil, errNilSocket
	}
	if soc.s == nil {
		return nil, ErrorSocketClosed
	}
	return soc.s, nil
}

// enter begins a call that may wait, and locks the socket. The caller tries,
// unlocks, and calls Do only if the socket wasn't ready. So a call that
// succeeds at once needs no function value.
func (soc *Socket) enter(ctx context.Context) (*socketState, error) {
	s, err := soc.core()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s, s.Lock()
}

// waitFor says how long a call waits for direction dir: RCVTIMEO or SNDTIMEO,
// or not at all with DONTWAIT. tried says that the call has already tried,
// after enter.
func (s *socketState) waitFor(dir guard.Ready, flags Flag, tried bool) guard.Wait {
	timeout := &s.rcvtimeo
	if dir == guard.Out {
		timeout = &s.sndtimeo
	}
	w := guard.Wait{Dir: dir, Reliable: s.reliable(dir), Timeout: time.Duration(timeout.Load()), Tried: tried}
	if flags&DONTWAIT != 0 {
		w.Timeout = 0
	}
	return w
}

// reliable reports whether a call succeeds if ZMQ_EVENTS has dir. That holds
// for a socket that chooses among its peers. A socket that sends to a certain
// peer (ROUTER, STREAM) or to all of them (PUB) reports POLLOUT regardless.
func (s *socketState) reliable(dir guard.Ready) bool {
	switch s.typ {
	case PUSH, DEALER, REQ, PAIR:
		return true
	}
	return dir == guard.In
}

// call makes one call that doesn't wait, for example to set an option. It may
// change what the socket is ready for (a Connect gives a PUSH a peer to send
// to), so waiting calls try again afterwards.
func (soc *Socket) call(f func(s *socketState) error) error {
	s, err := soc.core()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(soc)
	if err := s.Lock(); err != nil {
		return err
	}
	defer s.Unlock(guard.In | guard.Out)
	return f(s)
}

// Arm makes the waker watch the socket, once. The caller holds the lock.
func (s *socketState) Arm() error {
	if s.fd >= 0 {
		return nil
	}
	fd, err := s.raw.GetFd()
	if err != nil {
		return err
	}
	if err := s.c.waker.Add(s.id, fd, s); err != nil {
		return &usageError{"can't wait for a socket", err}
	}
	s.fd = fd
	return nil
}

// infoLocked describes the socket for reports. The caller holds the lock.
func (s *socketState) infoLocked() SocketInfo {
	info := s.describeLocked()
	info.Site = s.made.String()
	return info
}

// describeLocked is infoLocked without Site, which costs most.
func (s *socketState) describeLocked() SocketInfo {
	info := SocketInfo{
		Type: s.typ, Created: s.created, Linger: s.linger,
		Accepted: s.accepted, Received: s.received, Waiting: s.blocked, Drained: s.draining.result,
	}
	if s.woken.IsZero() {
		info.Waiting = s.waiting()
	}
	for _, e := range s.endpoints {
		info.Endpoints = append(info.Endpoints, e.actual)
	}
	return info
}

// waiting counts the calls that are blocked on the socket now.
func (s *socketState) waiting() Waiting {
	receives, sends, polls := s.Guard.Waiting()
	return Waiting{receives, sends, polls}
}
