package zmqsafe

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// lingerWatch follows the closed sockets of a context: it notes when libzmq
// lets go of each, warns of those whose linger ran out, and says which of them
// hold up a slow close. It also sees what a Disconnect has left to libzmq end.
// It is one goroutine, which runs while a socket that the program closed or
// disconnected may have unsent messages, and while the context is closed.
type lingerWatch struct {
	soon    chan struct{} // has one element at most: look soon, there is something new
	over    chan struct{} // closed when zmq_ctx_term has returned
	running bool          // guarded by contextState.mu
	done    chan struct{} // guarded by contextState.mu; closed when the goroutine has ended
}

func newLingerWatch() lingerWatch {
	return lingerWatch{soon: make(chan struct{}, 1), over: make(chan struct{})}
}

// lookSoonLocked starts the watch, or has it look often again. The caller holds
// mu.
func (w *lingerWatch) lookSoonLocked(c *contextState) {
	if !w.running {
		w.running, w.done = true, make(chan struct{})
		go c.watchLingering(w.done)
		return
	}
	select {
	case w.soon <- struct{}{}:
	default:
	}
}

// stop ends the watch after zmq_ctx_term, and waits for it.
func (w *lingerWatch) stop() {
	close(w.over)
	<-w.done // no other starts while the context closes
}

// Closed sockets are looked at often at first, since most are gone in a moment,
// and then less and less.
const (
	lookEveryMin   = time.Millisecond
	lookEveryFirst = 4 * time.Millisecond // while the context closes its sockets
	lookEveryMax   = 100 * time.Millisecond
	lookEveryIdle  = time.Second // while nobody waits
)

// nextLook returns how long to wait before the next look. The next linger ends
// in left; there is none if left is negative. Looks become more frequent
// towards its end.
func nextLook(every, left time.Duration) time.Duration {
	if left < 0 {
		return every
	}
	return max(min(every, left/2), lookEveryMin)
}

// watchLingering is the goroutine of the watch.
func (c *contextState) watchLingering(done chan<- struct{}) {
	defer close(done)
	var slow <-chan time.Time // set when the context closes
	ending := c.ending
	every, rest, due := lookEveryMin, time.Duration(0), time.Now().Add(lookEveryMin)
	look := time.NewTimer(lookEveryMin)
	defer look.Stop()
	pause := func(d time.Duration) {
		d = max(d, rest)
		due = time.Now().Add(d)
		look.Reset(d)
	}
	for {
		select {
		case <-look.C:
		case <-c.watch.soon:
			if every = lookEveryMin; time.Until(due) > max(every, rest) {
				pause(every)
			}
			continue
		case <-ending:
			ending = nil
			r := c.report()
			if after, ever := slowAfter(r.Began, r.Deadline); ever {
				timer := time.NewTimer(after)
				defer timer.Stop()
				slow = timer.C
			}
			every = lookEveryMin
		case <-slow:
			held := c.holding()
			r := c.report()
			c.logger.Warn("zmqsafe: context still isn't closed", append(r.blockers(held).attrs(), "report", r)...)
		case <-c.watch.over:
			c.warnRanOut()
			return
		}
		left, began := time.Duration(-1), time.Now()
		if next := c.observe(false); !next.IsZero() {
			left = max(time.Until(next), 0)
		}
		c.warnRanOut()
		most, goOn := c.lookEvery()
		if !goOn {
			return
		}
		// A look at thousands of sockets takes long and keeps others from
		// being opened and closed, so it may take a third of the time at most,
		// and a twentieth while nobody waits.
		if rest = 2 * time.Since(began); most == lookEveryIdle {
			rest *= 10
		}
		every = nextLook(min(every, most), left)
		pause(every)
		every *= 2 // also after short ones: libzmq lets go soon after the end of a linger
	}
}

// lookEvery returns how often to look at least. If nothing is left to follow it
// ends the watch.
func (c *contextState) lookEvery() (most time.Duration, goOn bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state != open && c.unclosedLocked() > 0:
		return lookEveryFirst, true
	case c.state != open || c.closeWait.waiting > 0:
		return lookEveryMax, true
	}
	if _, more := c.observeDetachedLocked(); more {
		return lookEveryMax, true // their peers wait for the end of the connection
	}
	for _, l := range c.lingering {
		if l.unsent() {
			return lookEveryIdle, true
		}
	}
	c.watch.running = false
	return 0, false
}

// A close that still runs after slowClose, or after half of the time that it
// has if that is less, is logged.
const slowClose = 2 * time.Second

// A close that has less time than slowLeast is not logged before its end: then
// Shutdown reports it.
const slowLeast = 100 * time.Millisecond

// slowAfter returns after what time a close is slow, if ever.
func slowAfter(began, deadline time.Time) (after time.Duration, ever bool) {
	if deadline.IsZero() {
		return slowClose, true
	}
	has := deadline.Sub(began)
	return min(slowClose, has/2), has >= slowLeast
}

// ranOutEarly are the sockets whose linger ran out while their context was
// open: one entry for each type and line of the program, so that a program that
// goes on for years has a short list. It is guarded by contextState.mu.
type ranOutEarly struct {
	merged   []*lingeringSocket
	unwarned []*lingeringSocket // those of merged that there is something to log about
}

// add merges l into its entry.
func (r *ranOutEarly) add(l *lingeringSocket) {
	i := slices.IndexFunc(r.merged, func(m *lingeringSocket) bool { return m.closed.Type == l.closed.Type && m.made.sameLine(l.made) })
	if i < 0 {
		i = len(r.merged)
		r.merged = append(r.merged, &lingeringSocket{made: l.made, closed: l.closed})
	} else {
		r.merged[i].closed = r.merged[i].closed.merge(l.closed)
	}
	if !slices.Contains(r.unwarned, r.merged[i]) {
		r.unwarned = append(r.unwarned, r.merged[i])
	}
}

// ranOutNow notes a socket that has lost messages while the context is open.
func (c *contextState) ranOutNow(l *lingeringSocket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ranOut.add(l)
	c.watch.lookSoonLocked(c)
}

// merge describes the sockets that s stands for, and one more.
func (s ClosedSocket) merge(one ClosedSocket) ClosedSocket {
	one.Merged = max(s.Merged, 1) + 1
	one.Accepted += s.Accepted
	one.Received += s.Received
	return one
}

// warnRanOut warns of the sockets whose linger ran out while the context was
// open.
func (c *contextState) warnRanOut() {
	c.mu.Lock()
	var sockets []lingeringSocket
	for _, l := range c.ranOut.unwarned {
		sockets = append(sockets, lingeringSocket{made: l.made, closed: l.report()})
	}
	c.ranOut.unwarned = nil
	c.mu.Unlock()
	for _, l := range sockets {
		placed{c.logger, "made_at", l.made}.Warn("zmqsafe: LINGER ran out; unsent messages may be lost", "socket", l.closed.String())
	}
}

// closeWait is the wait of Close for what was sent: many programs close their
// sockets and end, and never terminate the context. It is guarded by
// contextState.mu.
type closeWait struct {
	off     bool // by WithCloseWait or the environment
	waiting int  // how many calls of Close wait
	inVain  bool // the last wait ran out, and no close has succeeded since; see observeLocked
}

// CloseWaitVariable is the environment variable that sets whether
// [Socket.Close] waits for what was sent: on (the default) or off. See
// [WithCloseWait].
const CloseWaitVariable = "ZMQSAFE_CLOSE_WAIT"

// WithCloseWait sets whether [Socket.Close] waits, when it closes the last open
// socket of the context, until libzmq has sent what it accepted. The default is
// true, unless the environment variable ZMQSAFE_CLOSE_WAIT says off
// ([CloseWaitVariable]). A program that always closes its contexts doesn't need
// the wait, unless a sender with CONFLATE must keep its last value
// ([Socket.SetConflate]).
func WithCloseWait(wait bool) Option {
	return Option{func(c *contextState) error {
		c.closeWait.off = !wait
		return nil
	}}
}

// closeWaitOff reports what the environment says.
func closeWaitOff() (off bool, err error) {
	text, set := os.LookupEnv(CloseWaitVariable)
	if set && text != "on" && text != "off" {
		return false, fmt.Errorf("zmqsafe: environment variable %s: %q: want on or off", CloseWaitVariable, text)
	}
	return text == "off", nil
}

// waitForUnsent waits until libzmq has let go of the sockets that the program
// has closed, if none is open and messages of theirs may be unsent. It waits
// for as long as they linger, for the close timeout at most, and not when the
// context is closed meanwhile. It is called without a lock.
//
// Only time shows that a peer is dead. So that it costs a program that goes on
// opening and closing sockets one wait, there is none after one that ran out,
// until a close has succeeded: one that isn't followed by others that fail, or
// sending to one live peer and one dead would cost a wait each time.
func (c *contextState) waitForUnsent() {
	if handling.Load() > 0 {
		return // the loop of a Reactor stands still
	}
	unsent, until := c.beginWait()
	if len(unsent) == 0 {
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for _, ended := range unsent {
		select {
		case <-ended:
		case <-timer.C:
			c.endWait(true)
			return
		case <-c.ending:
			c.endWait(false)
			return
		}
	}
	c.endWait(false)
}

// waitForLastValue waits before a socket with CONFLATE is closed, under the
// same conditions.
func (c *contextState) waitForLastValue(s *socketState) {
	c.mu.Lock()
	waits := !c.closeWait.off && !c.closeWait.inVain
	c.mu.Unlock()
	if !waits || s.internal || handling.Load() > 0 {
		return
	}
	if !lastValueOf(s, min(linger.DefaultDuration, c.closeTimeout)).wait() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closeWait.inVain = true
	}
}

// beginWait returns what to wait for, and until when.
func (c *contextState) beginWait() (unsent []<-chan struct{}, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.closeWait; w.off || w.inVain || c.state != open || c.openSockets > 0 {
		return nil, until
	}
	until = time.Now()
	for _, l := range c.lingering {
		end := l.awaitedUntil(c.closeTimeout)
		if !l.unsent() || end.Before(time.Now()) {
			continue
		}
		if l.ended == nil {
			l.ended = make(chan struct{})
		}
		unsent = append(unsent, l.ended)
		if end.After(until) {
			until = end
		}
	}
	if len(unsent) > 0 {
		c.closeWait.waiting++
		c.watch.lookSoonLocked(c)
	}
	return unsent, until
}

// awaitedUntil returns until when there is hope that a wait for the socket
// isn't in vain: for its linger, and for the close timeout at most.
func (l *lingeringSocket) awaitedUntil(closeTimeout time.Duration) time.Time {
	if d, finite := l.closed.EffectiveLinger.Duration(); finite {
		closeTimeout = min(closeTimeout, d+endsLate)
	}
	return l.closed.Closed.Add(closeTimeout)
}

// endsLate is how long after the end of a linger libzmq may be seen to let go
// of the socket. Then the log says at once what ran out.
const endsLate = 25 * time.Millisecond

// endWait ends what beginWait began.
func (c *contextState) endWait(inVain bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeWait.waiting--
	c.closeWait.inVain = c.closeWait.inVain || inVain
}

// leaving counts the sockets that were closed, or disconnected from a peer,
// and for which libzmq may still have messages for that.
func (c *contextState) leaving(endpoint string) (n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lingering {
		if l.unsent() && slices.Contains(l.closed.Endpoints, endpoint) {
			n++
		}
	}
	for _, p := range c.detached {
		for _, l := range p.open {
			if l.endpoint == endpoint {
				n++
			}
		}
	}
	return n
}
