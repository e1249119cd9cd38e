package zmqsafe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
)

// lingeringSocket is a socket after its zmq_close, while libzmq may still have
// it: libzmq sends what was accepted, for as long as LINGER says, and
// zmq_ctx_term waits for that. It is guarded by contextState.mu.
type lingeringSocket struct {
	closed ClosedSocket // its Site is set when somebody asks for it
	made   callSite
	id     int32
	fd     int           // by which the waker knows whether libzmq has the socket, or -1
	ended  chan struct{} // closed when Outcome is known; nil if nobody waits for that
}

// report is guarded by contextState.mu, too.
func (l *lingeringSocket) report() ClosedSocket {
	if l.closed.Site == "" {
		l.closed.Site = l.made.String()
	}
	return l.closed
}

func reports(sockets []*lingeringSocket) (all []ClosedSocket) {
	for _, l := range sockets {
		all = append(all, l.report())
	}
	return all
}

// changed reports whether the linger that libzmq got isn't the socket's own: a
// deadline cut or extended it, or the close timeout cut it.
func (s ClosedSocket) changed() bool { return s.EffectiveLinger != s.Linger }

// ranOut reports whether the linger has ended at a time. libzmq measures it in
// whole milliseconds of a clock that it reads now and then (clock.cpp,
// clock_t::now_ms), so the linger may end a little early.
func (s ClosedSocket) ranOut(at time.Time) bool {
	end, finite := s.lingersUntil()
	return finite && !at.Before(end)
}

// lingersUntil returns until when the socket is sure to linger, if it has to.
func (s ClosedSocket) lingersUntil() (end time.Time, finite bool) {
	got := s.EffectiveLinger
	if s.floored {
		got = floored(got)
	}
	d := time.Duration(got.Milliseconds()) * time.Millisecond // what libzmq got
	return s.Closed.Add(d - min(5*time.Millisecond, d/2)), s.EffectiveLinger != linger.Forever
}

// outlasts reports whether p lingers longer than d.
func outlasts(p linger.Policy, d time.Duration) bool {
	lingers, finite := p.Duration()
	return !finite || lingers > d
}

// mayLose reports whether messages may be lost when the linger ends. If none
// was accepted libzmq has the socket for another reason: its thread is busy.
func (s ClosedSocket) mayLose() bool {
	answered := s.Type == REQ && s.Received >= s.Accepted // nothing is under way
	return s.Accepted > 0 && s.Linger != linger.Drop && !s.onlyInproc() && !answered
}

// unsent reports whether libzmq may still have messages of the socket that it
// will deliver if somebody takes them.
func (l *lingeringSocket) unsent() bool { return l.closed.Outcome == Holding && l.closed.mayLose() }

// end notes that libzmq has let go of the socket, or that nobody will ever
// know. A socket that is seen to be gone before its linger ended has sent
// everything, but for the last value of a CONFLATE; if that is seen later,
// nobody knows.
func (l *lingeringSocket) end(now time.Time) {
	s := &l.closed
	s.Released, s.Outcome = now, Gone
	if s.mayLose() && (s.ranOut(now) || s.valueLost) {
		s.Outcome = RanOut
	}
	if l.ended != nil {
		close(l.ended)
	}
}

// observe looks which of the closed sockets libzmq still has; atEnd it has
// none. It returns when the next linger ends.
func (c *contextState) observe(atEnd bool) (next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.observeLocked(time.Now(), atEnd)
}

// observeLocked is observe. The caller holds mu.
func (c *contextState) observeLocked(now time.Time, atEnd bool) (next time.Time) {
	next, _ = c.observeDetachedLocked()
	delivered, unsent := false, false
	for _, l := range c.lingering {
		s := &l.closed
		if !s.Released.IsZero() {
			continue
		}
		known := l.fd >= 0
		held := !known || c.waker.Holds(l.id, l.fd)
		if !known && c.state == open {
			held = !s.ranOut(now) // there is no end at which to tell
		}
		if held && !atEnd {
			unsent = unsent || s.mayLose() && now.Before(l.awaitedUntil(c.closeTimeout))
			if end, finite := s.lingersUntil(); finite && known && now.Before(end) && (next.IsZero() || end.Before(next)) {
				next = end
			}
			continue
		}
		l.end(now)
		delivered = delivered || s.Outcome == Gone && s.mayLose()
		unsent = unsent || s.Outcome == RanOut
		c.closeWait.inVain = c.closeWait.inVain || s.Outcome == RanOut && l.ended != nil
	}
	if delivered && !unsent {
		c.closeWait.inVain = false
	}
	if c.state == open {
		c.settleLocked()
	}
	return next
}

// settleLocked takes out of the list what has ended while the context is open.
// Of a socket whose linger ran out the report keeps a trace. The caller holds
// mu.
func (c *contextState) settleLocked() {
	c.lingering = slices.DeleteFunc(c.lingering, func(l *lingeringSocket) bool {
		if l.closed.Outcome == RanOut {
			c.ranOut.add(l)
		}
		return l.closed.Outcome != Holding
	})
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

// forget removes s from the registry after its zmq_close.
func (c *contextState) forget(s *socketState, l *lingeringSocket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sockets, s.id)
	if s.internal {
		c.internals--
	}
	if l == nil {
		return
	}
	c.lingering = append(c.lingering, l)
	if c.state != open {
		return
	}
	if l.unsent() {
		c.watch.lookSoonLocked(c)
	}
	// What isn't watched doesn't pile up either: the list is at most about
	// twice as long as what libzmq still has. The watch may have warnings to
	// log for what it takes out, and the caller holds the lock of a socket.
	if len(c.lingering) > c.pruneAt {
		c.dropGoneLocked()
		c.pruneAt = max(64, 2*len(c.lingering))
	}
}

// dropGoneLocked drops from the list what is gone and had nothing to send, or
// will never be known. The caller holds mu.
func (c *contextState) dropGoneLocked() {
	c.lingering = slices.DeleteFunc(c.lingering, func(l *lingeringSocket) bool {
		if l.fd < 0 {
			return l.closed.EffectiveLinger == linger.Forever
		}
		return !l.unsent() && !c.waker.Holds(l.id, l.fd)
	})
}

// onlyInproc reports whether the socket sends to inproc peers only. They have
// every message at once, so there is nothing to linger for: libzmq may keep the
// socket longer, until its peers have noticed that it is closed.
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

// String is a human-readable description of the socket and its linger.
func (s ClosedSocket) String() string {
	text := fmt.Sprintf("%v, LINGER %v", s.SocketInfo, s.Linger)
	if s.changed() {
		changed := "cut"
		if s.Linger == linger.Default && outlasts(s.EffectiveLinger, linger.DefaultDuration) {
			changed = "extended"
		}
		text += fmt.Sprintf(" %s to %v", changed, s.EffectiveLinger)
	}
	if s.Merged > 0 {
		text += fmt.Sprintf(", and %d more made there", s.Merged-1)
	}
	return text
}

func list(sockets []ClosedSocket) string { return joinSome(sockets, "; ", ClosedSocket.String) }

// blockers are what a close that is under way waits for.
type blockers struct {
	report    Report
	lingering []ClosedSocket // closed, and within their LINGER
	floored   []ClosedSocket // their LINGER has ended, and lingerFloor hasn't
	late      []ClosedSocket // libzmq has them although their LINGER has ended
	hosts     string         // host names that libzmq may be looking up for those
	detached  []Detached     // Disconnects within their LINGER
}

// blockers returns what the close waits for if libzmq has the sockets in held.
// While sockets are still open, only those matter.
func (r Report) blockers(held []ClosedSocket) blockers {
	b := blockers{report: r}
	if r.Unclosed > 0 {
		return b
	}
	var hosts []string
	for _, s := range held {
		own, now := s, time.Now()
		own.floored = false
		switch {
		case !own.ranOut(now):
			b.lingering = append(b.lingering, s)
		case !s.ranOut(now):
			b.floored = append(b.floored, s)
		default:
			b.late = append(b.late, s)
			if host := s.lookedUp(); host != "" {
				hosts = append(hosts, host)
			}
		}
	}
	slices.Sort(hosts)
	b.hosts = joinSome(slices.Compact(hosts), ", ", strings.Clone)
	b.detached = r.keptByDisconnect()
	return b
}

// attrs describes the close in a log line.
func (b blockers) attrs() []any {
	attrs := []any{"made_at", b.report.Site, "took", b.report.Took}
	if n := len(b.report.Steps); n > 0 {
		attrs = append(attrs, "step", b.report.Steps[n-1].Name)
	}
	if b.report.Unclosed > 0 {
		attrs = append(attrs, "unclosed", b.report.Unclosed)
	}
	for _, a := range []struct{ key, value string }{
		{"lingering", list(slices.Concat(b.lingering, b.floored))},
		{"late", list(b.late)},
		{"host", b.hosts},
		{"disconnected", listDetached(b.detached)},
		{"ran_out", list(b.report.ranOutAtEnd())},
	} {
		if a.value != "" {
			attrs = append(attrs, a.key, a.value)
		}
	}
	return attrs
}

// String describes in an error what the close waits for.
func (b blockers) String() string {
	if b.report.Unclosed > 0 {
		return count(b.report.Unclosed, "socket") + " still open"
	}
	var said []string
	if len(b.lingering) > 0 {
		said = append(said, "closed and lingering until all is sent: "+list(b.lingering))
	}
	if len(b.floored) > 0 {
		said = append(said, fmt.Sprintf("closed and lingering for %v, the least for a socket that sends messages in parts: %s", lingerFloor, list(b.floored)))
	}
	if len(b.late) > 0 {
		s := "held by libzmq although LINGER has ended: " + list(b.late)
		if b.hosts != "" {
			s += "; it may be looking up the host name " + b.hosts
		}
		said = append(said, s)
	}
	if len(b.detached) > 0 {
		said = append(said, "lingering until all is sent, whatever the deadline: "+listDetached(b.detached))
	}
	return cmp.Or(strings.Join(said, "; "), "zmq_ctx_term has not returned")
}

// left describes in an error what is left undone when nobody waits any longer,
// and reports whether messages may be lost.
func (r Report) left(held []ClosedSocket) (what string, mayLose bool) {
	what = r.blockers(held).String()
	if slices.ContainsFunc(held, ClosedSocket.mayLose) || len(r.keptByDisconnect()) > 0 {
		return "unsent messages may be lost: " + what, true
	}
	if ranOut := r.ranOutAtEnd(); len(ranOut) > 0 {
		return what + "; unsent messages may be lost: " + list(ranOut), true
	}
	return what, false
}

// lingerFloor is the shortest LINGER that libzmq gets for a socket that may
// send multipart messages over tcp or ipc.
//
// If a linger ends in the middle of such a message, libzmq can't read the rest
// any more, and aborts the process if the connection ends before it is taken
// down (session_base.cpp, session_base_t::clean_pipes). So the end of a linger
// must not coincide with that of a peer, and if both sides are closed together,
// 0 and 1 ms do. With libzmq 4.3.4 on two busy processors, 10 ms were too short
// for 22 of 3200 connections closed on both sides, 25 ms for 8 of 6000, and 50
// ms for none of 6400. With ten times as much to do as the processors could, 50
// ms were too short for 15 of 3000. With up to 25 times as much, 100 ms were
// too short for 1 of 36,000.
//
// Only what libzmq gets is raised. All that the program sees is its own value.
var lingerFloor = linger.MustFor(100 * time.Millisecond)

// floored returns the LINGER that libzmq gets for p if the floor applies.
func floored(p linger.Policy) linger.Policy {
	if floor, _ := lingerFloor.Duration(); !outlasts(p, floor) {
		return lingerFloor
	}
	return p
}

// mayBeHalfSent reports whether the floor applies as long as the socket is
// open: it might send a multipart message, and then Disconnect.
func (s *socketState) mayBeHalfSent() bool {
	return !s.internal && s.typ != PULL && s.typ != SUB && s.typ != XSUB
}

// hasSentParts reports whether the floor applies when the socket is closed. REQ
// and REP put a part of their own before each message.
func (s *socketState) hasSentParts() bool {
	return s.mayBeHalfSent() && (s.multipart || s.typ == REQ || s.typ == REP)
}

// lingerWhileOpen returns the LINGER that libzmq has until the socket is
// closed.
func (s *socketState) lingerWhileOpen(p linger.Policy) linger.Policy {
	if s.mayBeHalfSent() {
		return floored(p)
	}
	return p
}

func setLinger(raw *zmq4.Socket, p linger.Policy) error {
	if p == linger.Forever {
		return raw.SetLinger(-1)
	}
	return raw.SetLinger(time.Duration(p.Milliseconds()) * time.Millisecond)
}
