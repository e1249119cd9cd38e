package zmqsafe

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// slowClose is after what time a close is reported while it is under way; or after
// half of what it has, if that is less.
const slowClose = 2 * time.Second

// What has less than slowLeast isn't slow before its time is up, and then Shutdown
// says so.
const slowLeast = 100 * time.Millisecond

// lookEvery bounds how often closed sockets are looked at: often at first, as most
// are gone in a moment, and then less and less.
const (
	lookEveryMin   = time.Millisecond
	lookEveryFirst = 4 * time.Millisecond // while sockets are still being closed
	lookEveryMax   = 100 * time.Millisecond
)

// nextLook returns in what time to look again, when the next linger ends in left,
// or is none if that is negative. Towards its end looks are ever more often.
func nextLook(every, left time.Duration) time.Duration {
	if left < 0 {
		return every
	}
	return max(min(every, left/2), lookEveryMin)
}

// watchLingerers follows the closed sockets until it is stopped: it notes when
// libzmq lets go of each, and says which of them hold up a close that is slow.
func (c *contextState) watchLingerers() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var slow <-chan time.Time
		if after, ever := slowAfter(c.closeTimes()); ever {
			timer := time.NewTimer(after)
			defer timer.Stop()
			slow = timer.C
		}
		look := time.NewTimer(lookEveryMin)
		defer look.Stop()
		for every := lookEveryMin; ; every = min(2*every, lookEveryMax) {
			if c.unclosed() > 0 {
				every = min(every, lookEveryFirst)
			}
			select {
			case <-look.C:
			case <-slow:
				c.warnSlow()
			case <-quit:
				return
			}
			left := time.Duration(-1)
			if next := c.observe(false); !next.IsZero() {
				left = max(time.Until(next), 0)
			}
			look.Reset(nextLook(every, left))
		}
	}()
	return func() { close(quit); <-done }
}

// slowAfter returns in what time warnSlow is due, if ever.
func slowAfter(began, deadline time.Time) (after time.Duration, ever bool) {
	if deadline.IsZero() {
		return slowClose, true
	}
	has := deadline.Sub(began)
	return min(slowClose, has/2), has >= slowLeast
}

func (c *contextState) warnSlow() {
	held := c.holding()
	r := c.report()
	c.logger.Warn(fmt.Sprintf("zmqsafe: context made at %v still isn't closed, after %v: %s", c.made, rounded(r.Took), r.explain(held)), "report", r)
}

// explain says what a close that is under way waits for.
func (r Report) explain(held []ClosedSocket) string {
	switch {
	case r.Unclosed > 0:
		return fmt.Sprintf("sockets still to be closed: %d", r.Unclosed)
	case len(held) > 0:
		return explainHeld(held)
	}
	return "zmq_ctx_term has not returned"
}

// explainLeft says what is left undone where nobody waits any longer.
func (r Report) explainLeft(held []ClosedSocket) string {
	what := r.explain(held)
	if slices.ContainsFunc(held, ClosedSocket.mayLose) {
		return "unsent messages may be lost: " + what
	}
	if ranOut := r.RanOut(); len(ranOut) > 0 {
		what += "; unsent messages may be lost: " + list(ranOut)
	}
	return what
}

// explainHeld says why libzmq may still have these sockets.
func explainHeld(held []ClosedSocket) string {
	var lingering, late []ClosedSocket
	var hosts []string
	for _, s := range held {
		if !s.ranOut(time.Now()) {
			lingering = append(lingering, s)
			continue
		}
		late = append(late, s)
		if host := s.lookedUp(); host != "" {
			hosts = append(hosts, host)
		}
	}
	var said []string
	if len(lingering) > 0 {
		said = append(said, "closed, and lingering unless all is sent: "+list(lingering))
	}
	if len(late) > 0 {
		s := "held by libzmq although LINGER is over: " + list(late)
		if len(hosts) > 0 {
			slices.Sort(hosts)
			s += "; it may be looking up the host name " + joinSome(slices.Compact(hosts), ", ", strings.Clone)
		}
		said = append(said, s)
	}
	return strings.Join(said, "; ")
}
