package zmqsafe

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
	c.state, c.deadline = closing, deadline
	go c.close()
}

// closeDeadline tells whether the context is being closed, and until when.
func (c *contextState) closeDeadline() (deadline time.Time, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deadline, c.state != open
}

// close is the order in which a context is closed (invariants 4 to 6). newSocket
// refuses from here on, so the registry only shrinks.
func (c *contextState) close() {
	defer close(c.done)
	sockets := c.newestFirst()
	// Wake everybody before anything is closed, so that all leave at once.
	for _, s := range sockets {
		s.mark(errTerm)
	}
	c.inproc.resolveAll()
	for _, s := range sockets {
		_ = s.close(withContext)
	}
	// The package's own last: until it is gone a monitored socket sends events, and
	// libzmq's I/O thread would stop if nobody took them.
	c.closeRelays()
	c.closeRest()
	c.waker.close()
	if err := c.raw.Term(); err != nil {
		c.closeErr = fmt.Errorf("zmqsafe: zmq_ctx_term: %w", err)
	}
	c.mu.Lock()
	c.state = closed
	cut := slices.DeleteFunc(c.lingering, func(l lingerer) bool { return !l.wasCut() || !l.ranOut() })
	c.lingering = nil
	c.mu.Unlock()
	if len(cut) > 0 {
		c.closeErr = c.gaveUp("closed at its deadline: unsent messages may be lost: "+list(cut), context.DeadlineExceeded)
	}
}

// closeRest closes what the registry still holds: sockets of the package's own.
func (c *contextState) closeRest() {
	c.mu.Lock()
	rest := slices.Collect(maps.Values(c.sockets))
	c.mu.Unlock()
	for _, s := range rest {
		s.mark(errTerm)
		_ = s.close(withContext)
	}
}

// within clamps p to what is left until deadline, less what zmq_ctx_term itself
// needs once the linger is over: without that margin a linger that runs out
// would always look like a term that didn't come back.
func within(p linger.Policy, deadline time.Time) linger.Policy {
	if deadline.IsZero() {
		return p
	}
	left := time.Until(deadline)
	return p.Within((left - min(left/10, 250*time.Millisecond)).Truncate(time.Millisecond))
}

// overrun makes the error for a Shutdown that stopped waiting.
func (c *contextState) overrun(cause error) error {
	c.mu.Lock()
	left := len(c.sockets)
	held := slices.DeleteFunc(slices.Clone(c.lingering), lingerer.ranOut)
	cut := slices.DeleteFunc(slices.Clone(c.lingering), func(l lingerer) bool { return !l.wasCut() })
	c.mu.Unlock()
	switch {
	case len(held) > 0:
		return c.gaveUp("not closed in time: unsent messages may be lost; closed, and lingering unless all is sent: "+list(held), cause)
	case left > 0:
		return c.gaveUp(fmt.Sprintf("not closed in time: %d sockets were still to be closed", left), cause)
	case len(cut) > 0:
		return c.gaveUp("not closed in time: unsent messages may be lost: "+list(cut), cause)
	}
	return c.gaveUp("not closed in time: zmq_ctx_term has not returned; libzmq may be looking up a host name", cause)
}

// gaveUp makes the error for a close that a deadline ended, and reports it.
func (c *contextState) gaveUp(what string, cause error) error {
	err := fmt.Errorf("zmqsafe: context made at %v %s: %w", c.made, what, cause)
	c.logger.Warn(err.Error())
	return err
}

func list(lingerers []lingerer) string {
	var texts []string
	for _, l := range lingerers {
		texts = append(texts, l.String())
	}
	return strings.Join(texts, "; ")
}
