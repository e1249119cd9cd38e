package shutdown

import (
	"context"
	"fmt"
	"runtime/pprof"
	"time"
)

// worker is a function that was started by Go or Serve, or the setup function of Main.
type worker struct {
	kind, name string
	order      int // among all workers

	// Guarded by Group.mu.
	out     time.Time // when it returned
	overran bool      // it was running when its grace was over
	err     error     // what it returned, if that is an error
}

// Go starts a worker: it calls f in a goroutine of its own, at once. f is to
// return soon after its context is done, which happens when the stop begins.
//
// The first error that a worker returns begins the stop, as does a panic, which
// is recovered and becomes a *PanicError. Run returns the errors of all workers.
// What a worker returns after the stop has begun is no error if it is
// context.Canceled, the context's cause, or ErrStopped. When the last worker has
// returned, the stop begins, too, so a program that is done ends.
//
// Goroutines that f starts are its own: f waits for them, and a panic in one of
// them ends the program as ever.
//
// Go fails when name is empty or f is nil; Run returns that error, too, and
// stops at once. After the stop has begun it doesn't start f and returns an
// error that wraps ErrStopped.
//
// Names are for people, and need not be unique.
func (g *Group) Go(name string, f func(ctx context.Context) error) error {
	if err := g.checkName("worker", name); err != nil {
		return err
	}
	if f == nil {
		return g.refuse("worker %q: the function is nil", name)
	}
	w := &worker{kind: kindWorker, name: name}
	if !g.enter(w) {
		return fmt.Errorf("shutdown: worker %q isn't started: %w", name, ErrStopped)
	}
	go g.work(w, f)
	return nil
}

// work calls f and takes note of how it ends.
func (g *Group) work(w *worker, f func(ctx context.Context) error) {
	pprof.Do(g.Context(), pprof.Labels(label(w.kind), w.name), func(ctx context.Context) {
		protect(func() error { return f(ctx) }, func(err error) { g.leave(w, err) })
	})
}

// enter takes w in, unless the stop has begun.
func (g *Group) enter(w *worker) bool {
	g.lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return false
	}
	if w.kind == kindWorker {
		g.started++
	}
	w.order = g.started
	g.running[w] = struct{}{}
	return true
}

// leave takes w out.
func (g *Group) leave(w *worker, err error) {
	g.logPanic(w.kind, w.name, err)
	asked := only(err, g.meansStopped) // which calls what err is made of: not while g is locked
	g.lock()
	defer g.mu.Unlock()
	if g.down != nil && g.down.over { // it was left behind, and is reported as that
		return
	}
	delete(g.running, w)
	w.out = time.Now()
	if asked && w.err == nil { // w.err was an error when Serve noted it
		err = nil
	}
	if err != nil {
		w.err = &Error{Kind: w.kind, Name: w.name, Err: err}
	}
	switch {
	case err != nil || g.ctx.Err() != nil:
		g.left = append(g.left, w)
	case w.kind == kindWorker:
		g.returned++
	}
	switch {
	case w.overran: // the takedown makes one error of both
	case err != nil:
		g.failLocked(w.err)
	case len(g.running) == 0 && g.waiting:
		g.stopLocked(errReturned)
	}
	g.settleLocked()
}

// settleLocked closes idle when its time has come.
func (g *Group) settleLocked() {
	if g.ctx.Err() == nil || len(g.running) > 0 {
		return
	}
	select {
	case <-g.idle:
	default:
		close(g.idle)
	}
}

// meansStopped reports whether err says no more than that the stop has begun, or
// that the program is to exit.
func (g *Group) meansStopped(err error) bool {
	if err == errGoexit {
		return exiting()
	}
	cause := context.Cause(g.ctx)
	return cause != nil && (is(err, context.Canceled) || is(err, ErrStopped) || is(err, cause))
}

func (g *Group) checkName(kind, name string) error {
	if name == "" {
		return g.refuse("a %s has no name: want one to call it by in errors and logs", kind)
	}
	return nil
}
