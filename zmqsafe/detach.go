package zmqsafe

import (
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/conns"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// Unbind stops accepting connections on an endpoint, given as it was to
// [Socket.Bind] or as [Socket.GetLastEndpoint] returned it; pebbe/zmq4 takes
// only the latter. libzmq also closes the connections accepted there, except
// with inproc, and drops at once what it hasn't sent to them, whatever the
// linger. See https://api.zeromq.org/4-3:zmq-unbind.
//
// So Unbind first gives libzmq time to send what the socket has accepted: 100
// ms for a peer that takes no more, up to a second longer if libzmq's threads
// are busy or the system is, and the linger at most. It doesn't wait for that
// if the socket has accepted no message, or has LINGER 0. Then it waits, as
// long at most, until libzmq has closed the endpoint, so that no later message
// is lost there; not if the socket only receives, or has sent nothing and has
// no peers. Each takes about a millisecond if nothing is left. What other
// goroutines send during the second wait may be lost. If messages may be lost,
// it is logged, once for each line that calls Unbind. [Report.Detached] lists
// every Unbind.
//
// Unbind sees in /proc what libzmq has sent. If the system has no /proc, or
// hides in it what the threads of the process do, or the transport is neither
// tcp nor ipc, then it sees nothing. It waits for 100 ms, and every Unbind of a
// socket that has accepted messages is logged.
//
// Errors: ENOENT if the endpoint isn't bound.
func (soc *Socket) Unbind(endpoint string) error { return soc.detach("Unbind", endpoint, caller(1)) }

// Disconnect closes the connection to an endpoint that was given to
// [Socket.Connect]. libzmq goes on sending what the socket has accepted for
// that peer, for the linger that the socket has now: nothing can change that
// later, no SetLinger and no deadline, and closing the context waits for it. If
// the linger is longer than that deadline, Close and Shutdown return in time
// with an error that names the Disconnect. See
// https://api.zeromq.org/4-3:zmq-disconnect.
//
// Disconnect waits, as long as [Socket.Unbind], to see that all was sent, and
// not at all if the socket has accepted no message, has LINGER 0, or has no
// connection to the peer. If libzmq still sends then, the context goes on
// looking; the peer may notice the end of the connection 0.1 s late. If nobody
// can say whether all was sent before the linger ended, for example because the
// peer has closed the connection, that is logged at the end of the context,
// once for each line that calls Disconnect. [Report.Detached] lists every
// Disconnect.
//
// Errors: ENOENT if the endpoint isn't connected; ENOTCONN for a ROUTER or REP
// and an inproc name that nobody has bound yet, where pebbe/zmq4 may abort the
// process.
func (soc *Socket) Disconnect(endpoint string) error {
	return soc.detach("Disconnect", endpoint, caller(1))
}

// detachWait is how long Unbind and Disconnect wait for a peer that takes no
// more.
var detachWait = 100 * time.Millisecond // tests change it

// busyWait is how much longer they wait if it isn't the peer that they wait
// for, but a thread of libzmq that has much else to do, or that the system
// gives no time.
const busyWait = time.Second

// bounds are until when to wait for libzmq.
type bounds struct{ peer, busy time.Time }

func boundsFor(lingers linger.Policy) bounds {
	now := time.Now()
	within := func(most time.Duration) time.Time {
		if d, finite := lingers.Duration(); finite {
			most = min(most, d)
		}
		return now.Add(most)
	}
	return bounds{within(detachWait), within(detachWait + busyWait)}
}

// allow reports whether to wait on.
func (b bounds) allow(state conns.State) bool {
	now := time.Now()
	return now.Before(b.peer) || state == conns.Busy && now.Before(b.busy)
}

// detaching is an Unbind or Disconnect that is under way.
type detaching struct {
	name, given string
	at          callSite
	e           endpoint
	info        SocketInfo // right before the call of libzmq, without Site
	called      time.Time  // right before that
	heartbeat   bool       // the socket has them
	chooses     bool       // the socket may choose what Unbind closes for a later message
	look        conns.Look // of Unbind, the last one before the call
	peers       peers      // of Disconnect
	sent        bool       // nothing that the socket had accepted can be lost
	left        *leftOver  // if it can
}

// detach is Unbind or Disconnect. It waits while it holds no lock.
func (soc *Socket) detach(name, given string, at callSite) error {
	d := detaching{name: name, given: given, at: at}
	if err := soc.call(d.find); err != nil {
		return err
	}
	b := boundsFor(d.info.Linger)
	for again := true; again; {
		written := d.prepare(soc.s.c, b)
		err := soc.call(func(s *socketState) error {
			before := d.info.Accepted
			if err := d.find(s); err != nil {
				return err
			}
			d.sent = written && (d.info.Accepted == before || !d.risky())
			again = written && !d.sent && b.allow(conns.Waiting)
			if again {
				return nil
			}
			return d.detach(s)
		})
		if err != nil {
			d.peers.Release()
			return err
		}
	}
	switch {
	case d.chooses:
		d.afterUnbind(soc)
	case !d.sent && !d.e.bound:
		d.awaitEnd(soc, b)
	}
	return nil
}

// prepare looks at the endpoint, and reports whether nothing that was accepted
// can be lost. Unbind waits for that.
func (d *detaching) prepare(c *contextState, b bounds) (written bool) {
	switch {
	case !d.risky():
		if d.chooses {
			d.look = d.e.look(&c.threads)
		}
		return true
	case d.e.bound:
		return await(b.busy, func() (done, possible bool) {
			d.look = d.e.look(&c.threads)
			return d.look.State == conns.Done, b.allow(d.look.State)
		})
	}
	d.peers = c.holdPeers(d.e.actual)
	return false
}

// afterUnbind waits until the socket knows that the connections are closed.
// Until then libzmq goes on choosing them for messages, which it drops, too.
// If the socket is closed before that, its close counts them.
func (d *detaching) afterUnbind(soc *Socket) {
	b := boundsFor(linger.Forever)
	await(b.busy, func() (done, possible bool) {
		state := d.look.Unbound()
		err := soc.call(func(s *socketState) error {
			s.Events() // processes the mailbox
			return nil
		})
		return state == conns.Done, d.look.Listens() && err == nil && b.allow(state)
	})
	err := soc.call(func(s *socketState) error {
		d.endUnbind(s)
		return nil
	})
	if err == nil && d.left != nil {
		d.warn(soc.s.c)
	}
}

// endUnbind counts what the socket has accepted since the call of libzmq. The
// caller holds the lock.
func (d *detaching) endUnbind(s *socketState) {
	s.unbinding = slices.DeleteFunc(s.unbinding, func(other *detaching) bool { return other == d })
	if s.accepted > d.info.Accepted && d.info.Linger != linger.Drop && !isInproc(d.e.actual) {
		s.c.enterLost(d, s)
	}
}

// find finds the endpoint. The caller holds the lock.
func (d *detaching) find(s *socketState) error {
	if err := checkEndpoint(d.name, d.given); err != nil {
		return err
	}
	is := func(e endpoint) bool { return e.given == d.given || e.actual == d.given }
	// If a socket has both bound and connected an inproc name, libzmq unbinds
	// first.
	i := slices.IndexFunc(s.endpoints, func(e endpoint) bool { return is(e) && e.bound })
	if i < 0 {
		i = slices.IndexFunc(s.endpoints, is)
	}
	d.e = endpoint{actual: d.given, bound: d.name == "Unbind"}
	if i >= 0 {
		d.e = s.endpoints[i]
	} else if namesHost(d.given) {
		// The socket has no such endpoint, and zmq_disconnect would block to
		// look up the host name (socket_base.cpp,
		// socket_base_t::resolve_tcp_addr).
		return explainEndpoint(d.name, d.given, Errno(syscall.ENOENT))
	} else if err := checkInterfaceLookup(d.name, d.given, true); err != nil {
		return err
	}
	d.info, d.heartbeat, d.chooses = s.describeLocked(), s.heartbeat, s.mayChoose(d.e)
	return nil
}

// mayChoose reports whether the socket may choose a connection of an endpoint
// for a message, as far as it knows: it can send, and has sent something or has
// peers that wait for something. The caller holds the lock.
func (s *socketState) mayChoose(e endpoint) bool {
	switch {
	case !e.listens() || s.typ == PULL || s.typ == SUB:
		return false
	case s.accepted == 0 && s.reliable(guard.Out):
		return s.Events()&guard.Out != 0
	}
	return s.accepted > 0
}

// departures counts, in the whole process, the sockets that were closed, and
// the endpoints that were detached.
var departures atomic.Uint64

// detach makes the call of libzmq. The caller holds the lock.
func (d *detaching) detach(s *socketState) error {
	d.called = time.Now()
	if err := s.detachEndpoint(d.e); err != nil {
		return explainEndpoint(d.name, d.given, err)
	}
	departures.Add(1)
	if s.hasSentParts() || !d.sent && !d.e.bound {
		s.settle(d.e)
	}
	s.endpoints = slices.DeleteFunc(s.endpoints, func(other endpoint) bool {
		return other.actual == d.e.actual && (other.bound == d.e.bound || !isInproc(d.e.actual))
	})
	s.c.enterDetached(d, s)
	if d.chooses {
		s.unbinding = append(s.unbinding, d)
	}
	return nil
}

// detachEndpoint removes an endpoint from libzmq. The caller holds the lock.
func (s *socketState) detachEndpoint(e endpoint) error {
	if isInproc(e.actual) {
		return s.c.inproc.detach(s, e.actual, e.bound)
	}
	return s.raw.Disconnect(e.actual) // the same call in libzmq as zmq_unbind
}

// risky reports whether what the socket has accepted may be lost, for all that
// the socket itself knows. An inproc peer has every message at once. A REQ that
// has as many replies as requests has nothing under way.
func (d *detaching) risky() bool {
	i := d.info
	return i.Accepted > 0 && i.Linger != linger.Drop && !isInproc(d.e.actual) && (i.Type != REQ || i.Received < i.Accepted)
}

// awaitEnd waits after a Disconnect until libzmq is seen to have sent
// everything. If it still waits for the peer then, the context follows it.
func (d *detaching) awaitEnd(soc *Socket, b bounds) {
	c, state := soc.s.c, conns.Busy
	await(b.busy, func() (done, possible bool) {
		// libzmq's thread and the socket have commands for each other. So
		// nothing is under way only if the thread has none before and after the
		// socket has looked for some.
		before := state
		err := soc.call(func(s *socketState) error {
			_, err := s.raw.GetEvents()
			return err
		})
		if !time.Now().Before(b.peer) {
			state = d.e.look(&c.threads).State
		}
		possible = err == nil && (b.allow(before) || b.allow(state))
		return !c.canTell(d.left), possible
	})
	// libzmq also closes a connection whose heartbeats or greeting nobody
	// answers. One that waits for its peer to take more had a greeting.
	c.follow(d.left, !d.heartbeat && (state == conns.Waiting || state == conns.Busy))
}

// await asks more and more seldom, until what it waits for is done, is not
// possible, or the deadline is reached. If asking takes long, it takes a third
// of the time at most.
func await(deadline time.Time, ask func() (done, possible bool)) bool {
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 5*time.Millisecond) {
		began := time.Now()
		done, possible := ask()
		now := time.Now()
		if done || !possible || !now.Before(deadline) {
			return done
		}
		time.Sleep(max(pause, 2*now.Sub(began)))
	}
}

// settling makes libzmq finish soon what Unbind and Disconnect have begun.
//
// libzmq takes a connection down by commands that go from its I/O thread to the
// socket and back. Between them the connection reads no more parts from the
// socket's queue: if it has sent half of a message and the peer ends now,
// libzmq aborts the process (session_base.cpp, session_base_t::clean_pipes). A
// closed socket is the reaper's, which answers at once. An open one answers
// when the program calls it next, which may be never. So as long as such
// commands may come, every edge is followed by a look at the socket. After a
// Disconnect that also lets libzmq close what it has sent everything to.
type settling struct {
	until   atomic.Int64 // Unix time in ns
	looking atomic.Bool  // a look is about to begin
}

// settleTime is how long libzmq may take to send the command once it is due.
const settleTime = time.Second

// settle begins that for an endpoint that was detached. A bound one is due at
// once, a connected one when the linger has ended. The caller holds the lock.
func (s *socketState) settle(e endpoint) {
	if isInproc(e.actual) || s.Arm() != nil {
		return
	}
	until := time.Now().Add(settleTime)
	if !e.bound {
		lingers, finite := s.lingerWhileOpen(s.linger).Duration()
		if !finite {
			return // it ends when all is sent, so not in the middle of a message
		}
		until = until.Add(lingers)
	}
	s.settling.until.Store(max(s.settling.until.Load(), until.UnixNano()))
	s.Events() // the edge may have come already
}

// Wake is called by the waker for each edge, and wakes those who wait. They
// process the mailbox; if nobody waits, a look does. The waker waits for no
// lock, so the look has a goroutine of its own.
func (s *socketState) Wake() {
	s.Guard.Wake()
	if until := s.settling.until.Load(); until == 0 || s.Watched() || time.Now().UnixNano() > until {
		return
	}
	if s.settling.looking.CompareAndSwap(false, true) {
		go s.look()
	}
}

func (s *socketState) look() {
	if s.Lock() == nil {
		s.settling.looking.Store(false)
		s.Unlock(s.Events())
		return
	}
	s.Retire(func() bool { // its zmq_close is deferred
		s.settling.looking.Store(false)
		s.Events()
		return false
	})
}
