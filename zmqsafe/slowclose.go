package zmqsafe

import (
	"fmt"
	"strings"
	"time"
)

// slowClose is after what time a close is reported while it is under way; or after
// half of what it has, if that is less.
const slowClose = 2 * time.Second

// lookEvery bounds how often closed sockets are looked at: often at first, as most
// are gone in a moment, and then less and less.
const (
	lookEveryMin = 2 * time.Millisecond
	lookEveryMax = 100 * time.Millisecond
)

// watchLingerers follows the closed sockets until it is stopped: it notes when
// libzmq lets go of each, and says which of them hold up a close that is slow.
func (c *contextState) watchLingerers() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		slow := time.NewTimer(c.slowAfter())
		defer slow.Stop()
		look := time.NewTimer(lookEveryMin)
		defer look.Stop()
		for every := lookEveryMin; ; every = min(2*every, lookEveryMax) {
			select {
			case <-look.C:
			case <-slow.C:
				c.warnSlow()
			case <-quit:
				return
			}
			wait := every
			if next := c.observe(false); !next.IsZero() {
				wait = max(min(every, time.Until(next)), 0)
			}
			look.Reset(wait)
		}
	}()
	return func() { close(quit); <-done }
}

// slowAfter returns in what time warnSlow is due.
func (c *contextState) slowAfter() time.Duration {
	deadline, _ := c.closeDeadline()
	if deadline.IsZero() {
		return slowClose
	}
	return max(min(slowClose, time.Until(deadline)/2), 0)
}

func (c *contextState) warnSlow() {
	what := "zmq_ctx_term has not returned"
	if held := c.holding(); len(held) > 0 {
		what = explainHeld(held)
	}
	r := c.report()
	c.logger.Warn(fmt.Sprintf("zmqsafe: context made at %v still isn't closed, after %v: %s", c.made, rounded(r.Took), what), "report", r)
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
			s += "; it may be looking up the host name " + strings.Join(hosts, ", ")
		}
		said = append(said, s)
	}
	return strings.Join(said, "; ")
}
