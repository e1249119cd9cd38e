package zmqsafe

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime/trace"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// shutdown closes the context, or waits for somebody else who does.
func (c *contextState) shutdown(bound context.Context, stretch bool) error {
	c.beginClose(bound, stretch)
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

// beginClose marks the context closing and starts the work, once.
func (c *contextState) beginClose(bound context.Context, stretch bool) {
	deadline, finite := bound.Deadline() // zero is none
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return
	}
	c.state, c.began, c.deadline, c.stretch = closing, time.Now(), deadline, stretch && finite
	c.dropGoneLocked()
	go c.close(context.WithoutCancel(bound))
}

// closeTimes returns when the close began and until when it is to last.
func (c *contextState) closeTimes() (began, deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.began, c.deadline
}

// isClosing tells whether a close has begun.
func (c *contextState) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state != open
}

// close is the order in which a context is closed (invariants 4 to 6). newSocket
// refuses from here on, so the registry only shrinks. parent is for runtime/trace.
func (c *contextState) close(parent context.Context) {
	defer close(c.done)
	ctx, task := trace.NewTask(parent, "zmqsafe.Context.Close")
	defer task.End()
	stopWatching := c.watchLingerers()
	sockets := c.newestFirst()
	c.step(ctx, "wake", func() { // everybody before anything is closed, so that all leave at once
		for _, s := range sockets {
			s.mark(errTerm)
		}
	})
	c.step(ctx, "zmq_close", func() {
		c.inproc.resolveAll()
		for _, s := range sockets {
			_ = s.close(withContext)
		}
	})
	// The package's own last: until it is gone a monitored socket sends events, and
	// libzmq's I/O thread would stop if nobody took them.
	c.step(ctx, "monitors and authentication", func() {
		c.closeRelays()
		c.closeRest()
	})
	var err error
	c.step(ctx, "zmq_ctx_term", func() { err = c.raw.Term() })
	stopWatching()
	c.observe(true)
	c.waker.close()
	c.closed(err)
}

// step runs one step of the close.
func (c *contextState) step(ctx context.Context, name string, f func()) {
	began := time.Now()
	c.mu.Lock()
	c.steps = append(c.steps, Step{Name: name, Began: began})
	last := len(c.steps) - 1
	c.mu.Unlock()
	trace.WithRegion(ctx, name, f)
	c.mu.Lock()
	c.steps[last].Took = time.Since(began)
	c.mu.Unlock()
}

// closed notes and logs what came of it.
func (c *contextState) closed(err error) {
	r := c.report()
	r.Done, r.Took = true, time.Since(r.Began)
	ranOut := r.RanOut()
	atDeadline := slices.ContainsFunc(ranOut, ClosedSocket.untilDeadline)
	level, what := slog.LevelWarn, ""
	switch {
	case err != nil:
		err = fmt.Errorf("zmqsafe: zmq_ctx_term: %w", err)
		what = err.Error()
	case atDeadline:
		err = c.gaveUp("closed at its deadline: unsent messages may be lost: "+list(ranOut), context.DeadlineExceeded)
		what = err.Error()
	case len(ranOut) > 0:
		what = fmt.Sprintf("zmqsafe: context made at %v closed: LINGER ran out, unsent messages may be lost: %s", c.made, list(ranOut))
	default:
		level, what = slog.LevelDebug, fmt.Sprintf("zmqsafe: context made at %v closed", c.made)
	}
	if err != nil {
		r.CloseError = err.Error()
	}
	c.mu.Lock()
	c.state, c.took, c.closeErr = closed, r.Took, err
	c.mu.Unlock()
	leaveContext(c)
	c.logger.Log(context.Background(), level, what, "report", r)
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

// lingersAtEnd returns the LINGER for the zmq_close of s by the end of the context.
// The caller holds s.mu.
func (c *contextState) lingersAtEnd(s *socketState) linger.Policy {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stretch && !s.lingerSet {
		return within(linger.Forever, c.deadline)
	}
	return within(s.linger, c.deadline)
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

// overrun makes the error for a Shutdown that stopped waiting, and logs it.
func (c *contextState) overrun(cause error) error {
	held := c.holding()
	r := c.report()
	err := c.gaveUp("not closed in time: "+r.explainLeft(held), cause)
	c.logger.Warn(err.Error(), "report", r)
	return err
}

// gaveUp makes the error for a close that a deadline ended.
func (c *contextState) gaveUp(what string, cause error) error {
	return fmt.Errorf("zmqsafe: context made at %v %s: %w", c.made, what, cause)
}
