package shutdown

import (
	"context"
	"errors"
	"fmt"
)

// Run waits until something causes the group to stop, stops it in the order
// that the package documentation describes, and returns the errors of workers
// and steps, joined, or nil. [ExitStatus] turns them into an exit status.
//
// The causes are a signal; an error or a panic of a worker; the return of the
// last worker, if there was one; the end of ctx, which doesn't bound the stop;
// a call of [Group.Stop], [Group.Shutdown] or [Exit]; a wrong call or a wrong
// field. A cause from before the call of Run stops the group, too.
//
// A second signal ends the program at once, with status 128+n. Run watches
// signals until it returns. It doesn't return while [Exit] is under way, so
// that main doesn't end the program first. Run may be called once, and returns
// an error after that.
//
// Run can be a worker of another group: group.Go("part", part.Run). Then it
// stops with that group and within its grace, and doesn't watch signals.
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
	registry.mu.Lock()
	root := g.parent == nil
	registry.mu.Unlock()
	if root {
		defer g.watch(s.signals)()
		defer holdForExit() // while it still watches: a signal must not kill what other groups are closing
	}
	g.await(ctx)
	bound, cancel := stopBound(outer, ctx)
	defer cancel()
	return g.finish(bound)
}

// Shutdown stops the group like [Group.Run], but doesn't wait for a cause. It
// is for a group that is part of something else. Both may be called, and
// Shutdown repeatedly: there is one stop, and every call returns its result.
//
// ctx bounds the stop, in addition to [Group.Timeout], if this call is the one
// that starts closing; [Group.Grace] shrinks in proportion. If ctx is done
// before the steps are, the rest of them are still called, with a canceled
// context and 0.1 s for all of them together, and the result is an error. If
// closing has already started, Shutdown waits for it, or until ctx is done, and
// then returns an error that wraps ctx.Err().
//
// A worker or step of the group, or of a group inside it, must call
// [Group.Stop] instead. If it calls Shutdown with its context, that begins the
// stop but returns an error at once, because it would wait for its caller.
func (g *Group) Shutdown(ctx context.Context) error {
	ctx = g.given(ctx, "Shutdown")
	g.stop(errShutdown)
	if g.owns(ctx) {
		return errors.New("shutdown: Shutdown was called by a worker or step of the group, and would wait for it: use Stop")
	}
	return g.finish(ctx)
}

// given reports a nil context as a mistake, where a panic would close nothing.
func (g *Group) given(ctx context.Context, method string) context.Context {
	if ctx == nil {
		_ = g.refuse("%s: the context is nil: want context.Background() if there is no other", method)
		return context.Background()
	}
	return ctx
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

// finish takes the group down, or waits for the call that does.
func (g *Group) finish(bound context.Context) error {
	g.lock()
	first := !g.begun
	g.begun = true
	g.mu.Unlock()
	if first {
		g.takeDown(bound)
	}
	select {
	case <-g.done:
	case <-bound.Done():
		if !isClosed(g.done) {
			return fmt.Errorf("shutdown: gave up waiting for the stop, which goes on: %w", bound.Err())
		}
	}
	return g.result
}
