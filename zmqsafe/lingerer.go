package zmqsafe

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// lingerer is a socket after its zmq_close, which libzmq may still have: it sends
// what was accepted, for as long as LINGER says, and zmq_ctx_term waits for that.
// It is guarded by contextState.mu.
type lingerer struct {
	closed ClosedSocket // Site once it is asked for
	made   site
	id     int32
	fd     int // by which the waker knows whether it is still there, or -1
}

// report is guarded by contextState.mu, too.
func (l *lingerer) report() ClosedSocket {
	if l.closed.Site == "" {
		l.closed.Site = l.made.String()
	}
	return l.closed
}

// untilDeadline reports whether it was the deadline that bounded the linger: it was
// cut, or stretched.
func (s ClosedSocket) untilDeadline() bool { return s.Lingers != s.Linger }

// ranOut reports whether the linger is over at a time. libzmq counts it in whole
// milliseconds of a clock that it reads now and then (clock.cpp,
// clock_t::now_ms), so it may end a little early.
func (s ClosedSocket) ranOut(at time.Time) bool {
	end, finite := s.lingersUntil()
	return finite && !at.Before(end)
}

// lingersUntil returns until when the socket is sure to linger, if it has to.
func (s ClosedSocket) lingersUntil() (end time.Time, finite bool) {
	d := time.Duration(s.Lingers.Milliseconds()) * time.Millisecond // as libzmq was told
	return s.Closed.Add(d - min(5*time.Millisecond, d/2)), s.Lingers != linger.Forever
}

// outlasts reports whether p lingers longer than d.
func outlasts(p linger.Policy, d time.Duration) bool {
	lingers, finite := p.Duration()
	return !finite || lingers > d
}

// mayLose reports whether messages may be lost when the linger runs out. Where none
// was accepted libzmq has the socket for another reason: its thread is busy.
func (s ClosedSocket) mayLose() bool {
	return s.Accepted > 0 && s.Linger != linger.Drop && !s.onlyInproc()
}

// observe looks which of the closed sockets libzmq still has; at the end it has
// none. It returns when the next linger ends: a socket that is seen to be gone
// before has sent all that it had, and of one that is seen later nobody knows.
func (c *contextState) observe(atEnd bool) (next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for _, l := range c.lingering {
		s := &l.closed
		if !s.Gone.IsZero() {
			continue
		}
		known := l.fd >= 0
		if !atEnd && (!known || c.waker.holds(l.id, l.fd)) {
			if end, finite := s.lingersUntil(); finite && known && now.Before(end) && (next.IsZero() || end.Before(next)) {
				next = end
			}
			continue
		}
		s.Gone, s.Outcome = now, Gone
		if s.ranOut(now) && s.mayLose() {
			s.Outcome = RanOut
		}
	}
	return next
}

// holding lists the closed sockets that libzmq still has, or may still have.
func (c *contextState) holding() []ClosedSocket {
	c.observe(false)
	c.mu.Lock()
	defer c.mu.Unlock()
	var held []ClosedSocket
	for _, l := range c.lingering {
		if l.closed.Outcome == Holding && (l.fd >= 0 || !l.closed.ranOut(time.Now())) {
			held = append(held, l.report())
		}
	}
	return held
}

// forget takes s off the registry after its zmq_close.
func (c *contextState) forget(s *socketState, l *lingerer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sockets, s.id)
	if s.internal {
		c.internals--
	}
	if l == nil {
		return
	}
	// All that the end of the context closes is in its report. Before that the list
	// is kept as short as what libzmq has, give or take as much again.
	if c.state == open && len(c.lingering) >= c.pruneAt {
		c.dropGoneLocked()
		c.pruneAt = max(64, 2*len(c.lingering))
	}
	c.lingering = append(c.lingering, l)
}

// dropGoneLocked drops from the list what is gone. The caller holds mu.
func (c *contextState) dropGoneLocked() {
	now := time.Now()
	c.lingering = slices.DeleteFunc(c.lingering, func(l *lingerer) bool {
		if l.fd < 0 {
			return l.closed.Lingers == linger.Forever || l.closed.ranOut(now)
		}
		return !c.waker.holds(l.id, l.fd)
	})
}

// onlyInproc reports whether all that the socket sends goes to inproc peers. It is
// with them at once, so there is nothing to linger for: libzmq may have the socket
// for longer, until they have noticed that it is closed.
func (i SocketInfo) onlyInproc() bool {
	return len(i.Endpoints) > 0 && !slices.ContainsFunc(i.Endpoints, func(e string) bool { return !isInproc(e) })
}

// lookedUp returns a host name that the socket connects to, see hostIn.
func (i SocketInfo) lookedUp() string {
	for _, endpoint := range i.Endpoints {
		if host := hostIn(endpoint); host != "" {
			return host
		}
	}
	return ""
}

// hostIn returns the host name in an endpoint, if it has one. libzmq looks it up on
// its I/O thread (tcp_connecter.cpp, tcp_connecter_t::open), and until there is an
// answer that thread does nothing else: none of its sockets can go.
func hostIn(endpoint string) string {
	address, isTCP := strings.CutPrefix(endpoint, "tcp://")
	_, to, hasSource := strings.Cut(address, ";")
	if hasSource {
		address = to
	}
	host, _, err := net.SplitHostPort(address)
	host, _, _ = strings.Cut(host, "%")
	if !isTCP || err != nil || host == "*" || net.ParseIP(host) != nil {
		return ""
	}
	return host
}

// String describes the socket and its linger for people.
func (s ClosedSocket) String() string {
	if !s.untilDeadline() {
		return fmt.Sprintf("%v, LINGER %v", s.SocketInfo, s.Lingers)
	}
	changed := "cut"
	if s.Linger == linger.Default && outlasts(s.Lingers, linger.DefaultDuration) {
		changed = "stretched"
	}
	return fmt.Sprintf("%v, LINGER %v %s to %v", s.SocketInfo, s.Linger, changed, s.Lingers)
}

func list(sockets []ClosedSocket) string { return joinSome(sockets, "; ", ClosedSocket.String) }
