package shutdown

import (
	"context"
	"errors"
	"fmt"
)

// Run waits until there is a cause to stop, takes the group down, as the package
// documentation says under "The order", and returns the errors of workers and
// steps, joined, or nil. ExitStatus makes an exit status of them.
//
// The causes are: a signal; an error or a panic of a worker; the end of the last
// worker (a group without workers doesn't end for that); ctx is done; Stop or
// Shutdown was called; Exit was called; a call or a field of the group was wrong.
// That ctx is done is a cause and not a bound: things to close still have their
// time. Causes from before Run count.
//
// A second signal ends the program at once, with status 128+n. Run gives the
// signals back before it returns.
//
// A group can be a worker of another, group.Go("part", part.Run). It is then
// stopped with the other and within its grace, and leaves the signals to it.
//
// Run may be called once. While Exit is under way it doesn't return, so that main
// doesn't end the program before Exit does.
func (g *Group) Run(ctx context.Context) error {
	ctx = g.given(ctx, "Run")
	if err := g.startRun(); err != nil {
		return err
	}
	outer := groupOf(ctx)
	if outer != nil {
		if err := nest(g, outer); err != nil {
			_ = g.refuse("Run: %w", err)
		}
	}
	s := g.configure()
	if isRoot(g) {
		defer g.watch(s.signals)()
		defer holdForExit() // with the signals: one that comes while another group is being stopped doesn't kill
	}
	g.await(ctx)
	bound, cancel := stopBound(outer, ctx)
	defer cancel()
	return g.finish(bound)
}

func (g *Group) startRun() error {
	g.lock()
	defer g.mu.Unlock()
	if g.ran {
		return errors.New("shutdown: Run was called twice, or in a group that Main runs: a group runs once")
	}
	g.ran = true
	return nil
}

// await waits for a cause.
func (g *Group) await(ctx context.Context) {
	g.mu.Lock()
	g.waiting = true
	if g.started > 0 && len(g.running) == 0 {
		g.stopLocked(errReturned)
	}
	g.mu.Unlock()
	select {
	case <-g.ctx.Done():
	case <-ctx.Done():
		g.stop(fmt.Errorf("shutdown: the context of Run is done: %w", context.Cause(ctx)))
	}
}

// stopBound returns what bounds the stop of a group that Run was called for with
// ctx: if it is a worker of another, the grace of that, as soon as that stops.
func stopBound(outer *Group, ctx context.Context) (context.Context, context.CancelFunc) {
	bound, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if outer == nil {
		return bound, cancel
	}
	if outer.Context().Err() != nil {
		return graceOf{outer.graceContext(), ctx}, cancel
	}
	unhook := context.AfterFunc(outer.Context(), func() { context.AfterFunc(outer.graceContext(), cancel) })
	return bound, func() { unhook(); cancel() }
}

// graceOf is the grace of an outer group, with the values of the context of Run.
type graceOf struct {
	context.Context
	values context.Context
}

func (c graceOf) Value(key any) any { return c.values.Value(key) }

// given makes a mistake of a nil context, rather than a panic that closes nothing.
func (g *Group) given(ctx context.Context, method string) context.Context {
	if ctx == nil {
		_ = g.refuse("%s: the context is nil: want context.Background() if there is no other", method)
		return context.Background()
	}
	return ctx
}
