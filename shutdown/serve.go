package shutdown

import (
	"context"
	"errors"
	"fmt"
)

// Serve starts a worker that takes no context and is ended by a Shutdown, such
// as an HTTP server:
//
//	group.Serve("http", server.ListenAndServe, server)
//
// It calls serve in a goroutine of its own, and doesn't block. When the workers
// must stop, it calls s.Shutdown with a context that expires shortly before
// their grace is over. The worker has returned when both have. If serve returns
// first, s.Shutdown is called, too.
//
// An error of serve begins the stop, as with [Group.Go]. After the stop has
// begun, an error of serve is no failure, such as http.ErrServerClosed, unless
// s.Shutdown fails as well.
//
// Serve fails like [Group.Go] and [Group.Add]. After the stop has begun, it
// doesn't call serve, returns an error that wraps [ErrStopped], and closes s as
// Add does.
func (g *Group) Serve(name string, serve func() error, s Shutdowner) error {
	if err := g.check(kindWorker, name, "function", serve); err != nil {
		return err
	}
	if err := g.check(kindWorker, name, "Shutdowner", s); err != nil {
		return err
	}
	if err := g.claim(name, s); err != nil {
		return err
	}
	w := &worker{kind: kindWorker, name: name}
	if !g.enter(w) {
		return g.push(newStep(name, s, s.Shutdown))
	}
	go g.work(w, func(ctx context.Context) error { return g.serve(ctx, w, serve, s) })
	return nil
}

func (g *Group) serve(ctx context.Context, w *worker, serve func() error, s Shutdowner) error {
	served, shut := make(chan error, 1), make(chan error, 1)
	go protect(serve, func(err error) { served <- err })
	var early, late error // what serve returned before the stop began, and after
	returned := false
	select {
	case early = <-served:
		returned = true
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		early, late = nil, early
	}
	if early != nil {
		g.note(w, early)
	}

	// A whole grace, or what is left of that of the workers.
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.configure().grace)
	defer cancel()
	if ctx.Err() != nil {
		bound = graceOf{g.graceContext(), ctx}
	}
	go protect(func() error { return s.Shutdown(bound) }, func(err error) { shut <- err })
	failed := <-shut
	if failed != nil {
		failed = &closingError{fmt.Errorf("Shutdown: %w", failed)}
		g.note(w, failed) // in case serve never returns
	}
	if !returned {
		late = <-served
	}
	var panicked *PanicError
	if failed == nil && late != errGoexit && !errors.As(late, &panicked) {
		late = nil
	}
	return errors.Join(early, failed, late)
}

// note keeps an error of a worker that is still running, in case it never
// returns, and begins the stop.
func (g *Group) note(w *worker, err error) {
	g.logPanic(w.kind, w.name, err)
	g.lock()
	defer g.mu.Unlock()
	w.err = &Error{Kind: w.kind, Name: w.name, Err: err}
	g.stopLocked(w.err)
}

// graceContext waits until the workers' grace has begun, and returns the
// context that expires shortly before it is over.
func (g *Group) graceContext() context.Context {
	<-g.closing
	return g.down.grace
}
