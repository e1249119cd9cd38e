package shutdown

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/trace"
	"time"
)

// Shutdown takes the group down, as the package documentation says under "The
// order", and returns what Run returns: the errors of workers and steps, joined.
// It is for a group that is part of something else, since Run does the same when
// there is a cause for it. Both may be called, and Shutdown several times: there
// is one stop, and all return its result.
//
// The call that begins the closing bounds it by ctx, as well as by Timeout; Grace
// shrinks in proportion. If ctx is done already, or before the steps are, every
// step is still called, with a context that is done and 0.1 s for all of them
// together, and the result is an error that says so. A call that finds the
// closing begun waits for its end, or until ctx is done, and then returns an
// error that wraps ctx.Err().
//
// Called with the context of a worker or step of the group itself, or of a group
// inside, Shutdown would wait for its caller: it then begins the stop and returns
// an error. Use Stop there.
func (g *Group) Shutdown(ctx context.Context) error {
	ctx = g.given(ctx, "Shutdown")
	g.stop(errShutdown)
	if g.owns(ctx) {
		return errors.New("shutdown: Shutdown was called by a worker or step of the group, for which it would wait: use Stop")
	}
	return g.finish(ctx)
}

// finish runs the takedown, or waits for the one that is running.
func (g *Group) finish(bound context.Context) error {
	if d := g.begin(bound); d != nil {
		d.run()
		return g.result
	}
	select {
	case <-g.done:
		return g.result
	case <-bound.Done():
	}
	select {
	case <-g.done:
		return g.result
	default:
		return fmt.Errorf("shutdown: gave up waiting for the stop, which goes on: %w", bound.Err())
	}
}

// begin makes the takedown, or returns nil if there is one.
func (g *Group) begin(bound context.Context) *takedown {
	g.lock()
	first := !g.begun
	g.begun = true
	g.mu.Unlock()
	if !first {
		return nil
	}
	d := &takedown{g: g, began: time.Now()}
	d.set = g.settle(bound)
	d.ctx, d.cancel = context.WithDeadline(context.WithValue(bound, groupKey{}, g), d.began.Add(d.set.timeout))
	d.ctx, d.task = trace.NewTask(d.ctx, "shutdown")
	d.deadline, _ = d.ctx.Deadline()
	d.end = d.deadline
	grace := d.set.grace
	if left := d.deadline.Sub(d.began); left < d.set.timeout {
		grace = time.Duration(float64(grace) * float64(left) / float64(d.set.timeout))
	}
	if err := d.ctx.Err(); err != nil {
		g.keep(&overrunError{"shutdown: no time was left when the stop began", err})
		d.noted = true
		grace = late / 2
	}
	d.graceEnd = d.began.Add(grace)
	d.grace, d.cancelGrace = context.WithDeadline(d.ctx, d.graceEnd.Add(-margin(grace)))
	g.mu.Lock()
	g.down = d
	g.mu.Unlock()
	close(g.closing)
	return d
}

// settle reads the fields. Until the setup function of Main has returned they
// may still be written: then it waits, and after the default grace does without.
func (g *Group) settle(bound context.Context) *settings {
	if g.setup != nil {
		timer := time.NewTimer(DefaultTimeout / 2)
		defer timer.Stop()
		warning := time.AfterFunc(DefaultTimeout/4, func() {
			at := where(func() bool { return !g.setupReturned() }, kindSetup, kindSetup)
			g.log(func(log *slog.Logger) {
				log.Warn("shutdown: still waiting for setup", "since", DefaultTimeout/4, "grace", DefaultTimeout/2, "at", at)
			})
		})
		defer warning.Stop()
		select {
		case <-g.setup:
		case <-timer.C:
		case <-bound.Done():
		}
	}
	if g.setupReturned() {
		return g.configure()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settings = defaults()
	return g.settings
}
