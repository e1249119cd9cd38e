package zmqsafe

import (
	"context"
	"fmt"
	"runtime/trace"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// shutdown closes the context, or waits for whoever does.
func (c *contextState) shutdown(bound context.Context, extend bool) error {
	c.beginClose(bound, extend)
	select {
	case <-c.done:
	case <-bound.Done():
		if c.current() != closed {
			return c.overrun(bound.Err())
		}
		<-c.done // the report and a log line are still being written: in bounds
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closeErr
}

// beginClose marks the context closing and starts the work, once.
func (c *contextState) beginClose(bound context.Context, extend bool) {
	deadline, finite := bound.Deadline() // zero is none
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return
	}
	began := time.Now()
	c.observeLocked(began, false) // what ended before isn't a matter of the close
	c.state, c.began, c.deadline, c.extend = closing, began, deadline, extend && finite
	close(c.ending)
	c.watch.lookSoonLocked(c)
	go c.close(context.WithoutCancel(bound))
}

func (c *contextState) current() state {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// close closes the context, step by step (invariants 4 to 6). newSocket fails
// from here on, so the registry only shrinks. parent is for runtime/trace.
func (c *contextState) close(parent context.Context) {
	defer close(c.done)
	ctx, task := trace.NewTask(parent, "zmqsafe.Context.Close")
	defer task.End()
	sockets := c.newestFirst(false)
	c.step(ctx, "wake", func() { // every call before any socket is closed, so that all return at once
		for _, s := range sockets {
			s.mark(errTerm)
		}
	})
	c.step(ctx, "zmq_close", func() {
		var values lastValues // before any socket is closed: it may be a peer
		for _, s := range sockets {
			if v := lastValueOf(s, linger.DefaultDuration); v != nil {
				values = append(values, v)
			}
		}
		values.wait()
		c.inproc.resolveAll()
		for _, s := range sockets {
			_, _ = s.close(withContext)
		}
	})
	// Internal sockets last: a monitored socket sends events until libzmq is
	// done with it, and libzmq's I/O thread would block if nobody took them.
	c.step(ctx, "monitors and authentication", func() {
		c.closeRelays()
		for _, s := range c.newestFirst(true) {
			s.mark(errTerm)
			_, _ = s.close(withContext)
		}
	})
	var err error
	c.step(ctx, "zmq_ctx_term", func() { err = c.raw.Term() })
	c.watch.stop()
	c.observe(true)
	c.endDetached()
	c.waker.Close()
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

// closed ends the close: it sets the result, writes the report and logs it.
func (c *contextState) closed(termErr error) {
	began := c.report()
	ranOut := began.ranOutAtEnd()
	atDeadline := slices.ContainsFunc(ranOut, began.atDeadline)
	var err error
	switch {
	case termErr != nil:
		err = &usageError{"zmq_ctx_term", termErr}
	case atDeadline:
		err = c.gaveUp("closed at its deadline: unsent messages may be lost: "+list(ranOut), context.DeadlineExceeded)
	}
	c.mu.Lock()
	c.state, c.took, c.closeErr = closed, time.Since(c.began), err
	c.mu.Unlock()
	leaveContext(c)
	defer c.warnDetached()
	r := c.report()
	c.writeReport(r, reportPatience)
	c.warnUnread(r)
	attrs := []any{"made_at", r.Site, "took", r.Took}
	if len(ranOut) > 0 {
		attrs = append(attrs, "ran_out", list(ranOut))
	}
	switch attrs = append(attrs, "report", r); {
	case termErr != nil:
		c.logger.Warn("zmqsafe: zmq_ctx_term failed", append([]any{"err", termErr}, attrs...)...)
	case atDeadline:
		c.logger.Warn("zmqsafe: context closed at its deadline; unsent messages may be lost", attrs...)
	case len(ranOut) > 0:
		c.logger.Warn("zmqsafe: LINGER ran out; unsent messages may be lost", attrs...)
	default:
		c.logger.Debug("zmqsafe: context closed", attrs...)
	}
}

// lingersAtEnd returns the LINGER for s when its context closes it. The caller
// holds the lock of s.
func (c *contextState) lingersAtEnd(s *socketState) linger.Policy {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.extend && !s.lingerSet {
		return within(linger.Forever, c.deadline)
	}
	return within(s.linger, c.deadline)
}

// within clamps p to what is left until deadline, less what zmq_ctx_term itself
// needs once the linger has ended: without that margin, every linger that runs
// out would look like a zmq_ctx_term that didn't return.
func within(p linger.Policy, deadline time.Time) linger.Policy {
	if deadline.IsZero() {
		return p
	}
	left := time.Until(deadline)
	return p.Within((left - margin(left)).Truncate(time.Millisecond))
}

// margin is what a wait leaves of the time until a deadline to what comes after
// it.
func margin(left time.Duration) time.Duration { return min(left/10, 250*time.Millisecond) }

// overrun makes the error for a Shutdown that stopped waiting, writes the
// report and logs it.
func (c *contextState) overrun(cause error) error {
	held := c.holding()
	r := c.report()
	left, mayLose := r.left(held)
	c.writeReport(r, reportPatience/2)
	c.warnUnread(r)
	attrs := append(r.blockers(held).attrs(), "err", cause, "report", r)
	if mayLose {
		c.logger.Warn("zmqsafe: context not closed in time; unsent messages may be lost", attrs...)
	} else {
		c.logger.Warn("zmqsafe: context not closed in time", attrs...)
	}
	return c.gaveUp("not closed in time: "+left, cause)
}

// gaveUp makes the error for a close that a deadline ended.
func (c *contextState) gaveUp(what string, cause error) error {
	return fmt.Errorf("zmqsafe: context made at %v %s: %w", c.made, what, cause)
}

// leakDelay is how long a socket stays open that has leaked. When a program
// stops, its last goroutine with a socket may end well before the context is
// closed. That is no leak, and closing the context gives what is unsent the
// time that is left.
var leakDelay = 10 * time.Second // tests change it

// The garbage collector calls leaked when it finds a handle that was never
// closed (invariant 8). Both methods only start the work: the runtime has one
// goroutine for all cleanups.

func (s *socketState) leaked() {
	time.AfterFunc(leakDelay, func() {
		if s.Lock() != nil {
			return // closed by its context
		}
		info := s.infoLocked()
		s.Unlock(0)
		placed{s.c.logger, "made_at", s.made}.Warn("zmqsafe: socket was leaked without Close; closing it", "socket", info.String())
		s.mark(ErrorSocketClosed)
		_, _ = s.close(byProgram)
	})
}

func (c *contextState) leaked() {
	go func() {
		placed{c.logger, "made_at", c.made}.Warn("zmqsafe: context was leaked without Close; closing it")
		bound, cancel := context.WithTimeout(context.Background(), c.closeTimeout)
		defer cancel()
		_ = c.shutdown(bound, false) // it logs an overrun
	}()
}
