package zmqsafe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// shutdown closes the context, or waits for somebody else who does.
func (c *contextState) shutdown(bound context.Context) error {
	deadline, _ := bound.Deadline()
	c.beginClose(deadline)
	select {
	case <-c.done:
		return c.closeErr
	case <-bound.Done():
	}
	select {
	case <-c.done: // both: done is the better news
		return c.closeErr
	default:
		return c.overrun(bound.Err())
	}
}

// beginClose marks the context closing and starts the work, once. A zero
// deadline is none.
func (c *contextState) beginClose(deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return
	}
	c.state = closing
	go c.close(deadline)
}

// close is the order in which a context is closed (invariants 4 to 6). newSocket
// refuses from here on, so the registry only shrinks.
func (c *contextState) close(deadline time.Time) {
	defer close(c.done)
	sockets := c.newestFirst()
	// Wake everybody before anything is closed, so that all leave at once.
	for _, s := range sockets {
		s.mark(errTerm)
	}
	c.inproc.resolveAll()
	for _, s := range sockets {
		_ = s.close(deadline, true)
	}
	// Monitors last: until it is gone a socket sends events, and libzmq's I/O
	// thread would stop if nobody took them.
	c.closeRelays()
	c.inproc.closeSpare()
	c.waker.close()
	if err := c.raw.Term(); err != nil {
		c.closeErr = fmt.Errorf("zmqsafe: zmq_ctx_term: %w", err)
	}
	c.mu.Lock()
	c.state = closed
	c.lingering = nil
	c.mu.Unlock()
}

// within clamps p to what is left until deadline, less what zmq_ctx_term itself
// needs once the linger is over: without that margin a linger that runs out
// would always look like a term that didn't come back.
func within(p linger.Policy, deadline time.Time) linger.Policy {
	if deadline.IsZero() {
		return p
	}
	left := time.Until(deadline)
	return p.Within(left - min(left/10, 250*time.Millisecond))
}

// overrun makes the error for a Shutdown that stopped waiting, and reports it.
func (c *contextState) overrun(cause error) error {
	c.mu.Lock()
	left := len(c.sockets)
	var held []string
	for _, l := range c.stillLingeringLocked() {
		held = append(held, l.String())
	}
	c.mu.Unlock()
	var reason string
	switch {
	case len(held) > 0:
		reason = "unsent messages may be lost; closed, and lingering unless all is sent: " + strings.Join(held, "; ")
	case left > 0:
		reason = fmt.Sprintf("%d sockets were still to be closed", left)
	default:
		reason = "zmq_ctx_term has not returned; libzmq may be looking up a host name"
	}
	err := fmt.Errorf("zmqsafe: context made at %v not closed in time: %s: %w", c.made, reason, cause)
	c.logger.Warn(err.Error())
	return err
}
