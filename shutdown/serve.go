package shutdown

import (
	"context"
	"errors"
	"fmt"
)

// Serve starts a worker that knows no context and is ended by Shutdown, such as
// an HTTP server:
//
//	group.Serve("http", server.ListenAndServe, server)
//
// It calls serve in a goroutine of its own, at once, and s.Shutdown when the
// workers are to stop, with a context that ends shortly before their grace is
// over. The worker is out when both have returned. An error of serve begins the
// stop, as with Go, but what serve returns after the stop has begun, such as
// http.ErrServerClosed, is none, unless Shutdown fails. If serve returns by
// itself, Shutdown is called, too.
//
// Serve fails as Go and Add do. After the stop has begun it doesn't call serve,
// returns an error that wraps ErrStopped, and has s closed as Add does.
func (g *Group) Serve(name string, serve func() error, s Shutdowner) error {
	if err := g.check(kindWorker, name, s); err != nil {
		return err
	}
	if serve == nil {
		return g.refuse("worker %q: the function is nil", name)
	}
	if err := g.claim(name, s); err != nil {
		return err
	}
	w := &worker{kind: kindWorker, name: name}
	if !g.enter(w) {
		return g.push(&step{name: name, call: s.Shutdown})
	}
	go g.work(w, func(ctx context.Context) error { return g.serve(ctx, w, serve, s) })
	return nil
}

func (g *Group) serve(ctx context.Context, w *worker, serve func() error, s Shutdowner) error {
	served, shut := make(chan error, 1), make(chan error, 1)
	go protect(serve, func(err error) { served <- err })
	var early, late error // what serve returned before the stop, and after it began
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

	bound, cancel := g.servingBound(ctx)
	defer cancel()
	go protect(func() error { return s.Shutdown(bound) }, func(err error) { shut <- err })
	failed := <-shut
	switch {
	case failed == errGoexit && exiting(): // it called Exit
		failed = nil
	case failed != nil:
		failed = &closingError{fmt.Errorf("Shutdown: %w", failed)}
		g.note(w, failed) // serve may go on for ever
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

// note keeps an error of a worker that isn't out yet, should it never be, and
// begins the stop.
func (g *Group) note(w *worker, err error) {
	g.logPanic(w.kind, w.name, err)
	g.lock()
	defer g.mu.Unlock()
	w.err = &Error{Kind: w.kind, Name: w.name, Err: err}
	g.stopLocked(w.err)
}

// servingBound returns the context for the Shutdown of a worker's server: what
// is left of the workers' grace, or, if they don't have to stop, a whole grace.
func (g *Group) servingBound(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		return g.graceContext(), func() {}
	}
	g.mu.Lock()
	grace := defaults().grace
	if g.settings != nil {
		grace = g.settings.grace
	}
	g.mu.Unlock()
	return context.WithTimeout(context.WithoutCancel(ctx), grace)
}

// graceContext waits until the workers' grace has begun, and returns the context
// that ends shortly before it is over.
func (g *Group) graceContext() context.Context {
	<-g.closing
	return g.down.grace
}
