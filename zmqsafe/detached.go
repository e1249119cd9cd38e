package zmqsafe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/conns"
)

// Detached says what became of the messages of sockets that were detached from
// an endpoint by [Socket.Unbind] or [Socket.Disconnect], for one line of the
// program. It describes the last call there.
type Detached struct {
	Site       string        // where the program made the call, "dir/file.go:42"
	Times      int           // how often that line has detached an endpoint
	Time       time.Time     // when it did so last
	Type       Type          // of the socket
	SocketSite string        // where the program made the socket
	Endpoint   string        // as it was bound or connected
	Bound      bool          // it was bound, not connected
	Linger     linger.Policy // LINGER of the socket at that time
	Accepted   uint64        // number of messages that the socket had accepted until then

	// Outcome is the worst of all calls from that line. [Gone]: nothing was
	// left, or libzmq sent what was left within the linger. [Holding]: libzmq
	// may still be sending. [RanOut]: messages may be lost.
	Outcome Outcome
	MayLose uint64    // number of messages that may be lost, at most, in all calls
	Open    int       // number of Disconnects for which libzmq may still be sending
	Until   time.Time // with Open: when the last of their lingers ends; zero for never

	// Endpoints are those of the calls that may lose messages or for which
	// libzmq may still be sending, ten at most.
	Endpoints []string
}

// detachedPlace is a Detached, with what changes it. It is guarded by
// contextState.mu.
type detachedPlace struct {
	last    Detached
	at      callSite // of the call
	made    callSite // of the socket
	open    []*leftOver
	counted leftOver // the last one that MayLose counts
	lostAt  []string // endpoints of those that MayLose counts
}

// maxEndpoints is how many endpoints a Detached has at most.
const maxEndpoints = 10

// leftOver is what libzmq still had to send when a socket was detached.
type leftOver struct {
	place    *detachedPlace
	endpoint string
	socket   int32
	accepted uint64
	written  uint64 // how many of them aren't in question
	until    time.Time
	finite   bool  // otherwise it lingers forever
	peers    peers // none if nobody can tell when libzmq has sent everything
}

// isOver reports whether the linger has ended.
func (l *leftOver) isOver(now time.Time) bool { return l.finite && !now.Before(l.until) }

// peers are the connections to the peer of a Disconnect, as they were right
// before it. One of them is the socket's.
type peers struct {
	conns.Held
	leaving    uint64 // number of other sockets that were about to leave that peer
	departures uint64 // before that
}

func (c *contextState) holdPeers(endpoint string) peers {
	p := peers{departures: departures.Load()}
	p.leaving = c.leaving(endpoint)
	p.Held = c.threads.Hold(endpoint)
	return p
}

// sent reports whether libzmq is seen to have sent everything: only then does
// it close a connection while the peer is there, before the linger ends. More
// than other sockets can have left must be closed, or all. If their peers have
// closed them, nobody will ever know.
func (p *peers) sent() bool {
	here, there := p.Ended()
	others := p.leaving + departures.Load() - p.departures - 1
	if here > 0 && (here == p.Len() || uint64(here) > others) {
		return true
	}
	if here+there == p.Len() {
		p.Release()
	}
	return false
}

// maxLeftOver is how many Disconnects of one line a context follows. Beyond
// that the oldest is taken for one whose linger has ended.
const maxLeftOver = 64

// enterDetached notes an Unbind or Disconnect. There is one entry for each line
// of the program, so the list is bounded. The caller holds the lock of s.
func (c *contextState) enterDetached(d *detaching, s *socketState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	i := c.detachedAtLocked(d)
	if i < 0 {
		i = len(c.detached)
		c.detached = append(c.detached, &detachedPlace{at: d.at, last: Detached{Bound: d.e.bound, Outcome: Gone}})
	}
	p := c.detached[i]
	p.observe()
	old := p.last
	p.made = s.made
	p.last = Detached{
		Site: old.Site, Times: old.Times + 1, Time: now, Type: s.typ, Endpoint: d.e.actual, Bound: d.e.bound,
		Linger: d.info.Linger, Accepted: d.info.Accepted, Outcome: old.Outcome, MayLose: old.MayLose,
	}
	if d.sent {
		return
	}
	d.left = p.leave(d, s)
	if d.e.bound {
		p.ranOut(d.left) // libzmq doesn't linger
		return
	}
	d.left.peers = d.peers
	if p.open = append(p.open, d.left); len(p.open) > maxLeftOver {
		p.ranOut(p.open[0])
		p.open[0].peers.Release()
		p.open = p.open[1:]
	}
}

func (p *detachedPlace) leave(d *detaching, s *socketState) *leftOver {
	left := &leftOver{place: p, endpoint: d.e.actual, socket: s.id, accepted: d.info.Accepted}
	left.until, left.finite = ClosedSocket{EffectiveLinger: d.info.Linger, Closed: d.called, floored: s.mayBeHalfSent()}.lingersUntil()
	return left
}

// enterLost notes messages that were sent since the call of zmq_unbind. The
// caller holds the lock of s.
func (c *contextState) enterLost(d *detaching, s *socketState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.detached[c.detachedAtLocked(d)]
	d.left = p.leave(d, s)
	d.left.accepted, d.left.written = s.accepted, d.info.Accepted
	p.last.Accepted = s.accepted
	p.ranOut(d.left)
}

// detachedAtLocked returns the index of the entry, or -1. The caller holds mu.
func (c *contextState) detachedAtLocked(d *detaching) int {
	return slices.IndexFunc(c.detached, func(p *detachedPlace) bool { return p.at.sameLine(d.at) && p.last.Bound == d.e.bound })
}

// canTell looks what became of left, and reports whether that is still open and
// may turn out before the linger ends.
func (c *contextState) canTell(left *leftOver) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	left.place.observe()
	return left.peers.Len() > 0
}

// follow has the watch of the context look what becomes of left. Otherwise
// nobody will know.
func (c *contextState) follow(left *leftOver, can bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !can:
		left.peers.Release()
	case left.peers.Len() > 0 && c.state == open:
		c.watch.lookSoonLocked(c)
	}
}

// observeDetachedLocked looks what became of Disconnects, and reports whether
// it may tell more later, and when the next linger of those ends. The caller
// holds mu.
func (c *contextState) observeDetachedLocked() (next time.Time, more bool) {
	for _, p := range c.detached {
		p.observe()
		for _, left := range p.open {
			if left.peers.Len() == 0 {
				continue
			}
			more = true
			if left.finite && (next.IsZero() || left.until.Before(next)) {
				next = left.until
			}
		}
	}
	return next, more
}

// endDetached notes that zmq_ctx_term has returned: whatever didn't linger
// until its end was sent.
func (c *contextState) endDetached() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.detached {
		p.observe()
		for _, left := range p.open {
			left.peers.Release()
		}
		p.open = nil
	}
}

// observe drops what libzmq has sent, and counts what has lingered until its
// end: nobody knows whether it was sent.
func (p *detachedPlace) observe() {
	p.open = slices.DeleteFunc(p.open, func(left *leftOver) bool {
		sent := left.peers.sent()
		over := left.isOver(time.Now()) // after the look: libzmq closes the connection then, too
		if over {
			p.ranOut(left)
		}
		if sent || over {
			left.peers.Release()
		}
		return sent || over
	})
}

// ranOut counts what may be lost. A socket can't lose more than it has
// accepted, however often it is detached.
func (p *detachedPlace) ranOut(left *leftOver) {
	known := left.written
	if p.counted.socket == left.socket {
		known = max(known, p.counted.accepted)
	}
	p.counted = *left
	p.lostAt = withEndpoint(p.lostAt, left.endpoint)
	p.last.Outcome, p.last.MayLose = RanOut, p.last.MayLose+left.accepted-min(left.accepted, known)
}

// report describes the place now.
func (p *detachedPlace) report() Detached {
	if p.last.Site == "" {
		p.last.Site = p.at.String()
	}
	d := p.last
	d.SocketSite, d.Open = p.made.String(), len(p.open)
	if d.Open > 0 && d.Outcome == Gone {
		d.Outcome = Holding
	}
	d.Endpoints = slices.Clone(p.lostAt)
	forever := false
	for _, left := range p.open {
		d.Endpoints = withEndpoint(d.Endpoints, left.endpoint)
		forever = forever || !left.finite
		if left.until.After(d.Until) {
			d.Until = left.until
		}
	}
	if forever {
		d.Until = time.Time{}
	}
	return d
}

// withEndpoint adds an endpoint to a list of different ones.
func withEndpoint(endpoints []string, endpoint string) []string {
	if len(endpoints) == maxEndpoints || slices.Contains(endpoints, endpoint) {
		return endpoints
	}
	return append(endpoints, endpoint)
}

// detachedLocked is Report.Detached. The caller holds mu.
func (c *contextState) detachedLocked() (all []Detached) {
	for _, p := range c.detached {
		if c.state != closed {
			p.observe()
		}
		all = append(all, p.report())
	}
	return all
}

// keptByDisconnect lists the Disconnects that may hold zmq_ctx_term.
func (r Report) keptByDisconnect() (some []Detached) {
	for _, d := range r.Detached {
		if d.Open > 0 {
			some = append(some, d)
		}
	}
	return some
}

func listDetached(all []Detached) string { return joinSome(all, "; ", Detached.String) }

// detachedText says in the headline of a report what is wrong.
func (r Report) detachedText() (text string) {
	if kept := r.keptByDisconnect(); len(kept) > 0 {
		text += "; libzmq may still be sending after " + listDetached(kept)
	}
	if lost := r.lostByDetaching(); lost != "" {
		text += "; messages may be lost by " + lost
	}
	return text
}

// lostByDetaching lists the calls by which messages may be lost.
func (r Report) lostByDetaching() string {
	var lost []Detached
	for _, d := range r.Detached {
		if d.Outcome == RanOut {
			lost = append(lost, d)
		}
	}
	return joinSome(lost, "; ", func(d Detached) string { return fmt.Sprintf("%v: %d at most", d, d.MayLose) })
}

// warnDetached logs, at the end of the context, for which Disconnects nobody
// can say that all was sent.
func (c *contextState) warnDetached() {
	c.mu.Lock()
	places := slices.Clone(c.detached)
	all := c.detachedLocked()
	c.mu.Unlock()
	for i, d := range all {
		if d.Outcome == RanOut && !d.Bound {
			placed{c.logger, "at", places[i].at}.Warn("zmqsafe: the linger of a Disconnect has ended; unsent messages may be lost", d.attrs()...)
		}
	}
}

// warn logs that an Unbind may lose messages.
func (d *detaching) warn(c *contextState) {
	c.mu.Lock()
	kept := d.left.place.report()
	c.mu.Unlock()
	placed{c.logger, "at", d.at}.Warn("zmqsafe: Unbind drops what isn't sent yet; unsent messages may be lost", kept.attrs()...)
}

func (d Detached) attrs() []any {
	return []any{
		"endpoint", d.endpointText(), "type", d.Type.String(), "made_at", d.SocketSite, "linger", d.Linger.String(), "accepted", d.Accepted, "may_lose", d.MayLose,
	}
}

// String is a human-readable description of the last call, and of how long
// libzmq may hold the context for it.
func (d Detached) String() string {
	name := "Disconnect"
	if d.Bound {
		name = "Unbind"
	}
	s := fmt.Sprintf("%s at %s of a %v socket made at %s (%s), LINGER %v", name, d.Site, d.Type, d.SocketSite, d.endpointText(), d.Linger)
	if d.Open > 0 && !d.Until.IsZero() {
		s += " until " + d.Until.Format("15:04:05.000")
	}
	return s
}

func (d Detached) endpointText() string {
	return cmp.Or(strings.Join(d.Endpoints, ", "), d.Endpoint)
}

// MarshalJSON writes an element of "detached", see [Report.MarshalJSON].
func (d Detached) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Site       string        `json:"detached_at"`
		Times      int           `json:"times"`
		Time       time.Time     `json:"time"`
		Type       string        `json:"type"`
		SocketSite string        `json:"made_at"`
		Endpoint   string        `json:"endpoint"`
		Bound      bool          `json:"bound,omitempty"`
		Linger     linger.Policy `json:"linger"`
		Accepted   uint64        `json:"accepted"`
		Outcome    Outcome       `json:"outcome"`
		MayLose    uint64        `json:"may_lose,omitempty"`
		Open       int           `json:"open,omitempty"`
		Until      time.Time     `json:"until,omitzero"`
		Endpoints  []string      `json:"endpoints,omitempty"`
	}{d.Site, d.Times, d.Time, d.Type.String(), d.SocketSite, d.Endpoint, d.Bound, d.Linger, d.Accepted, d.Outcome, d.MayLose, d.Open, d.Until, d.Endpoints})
}
