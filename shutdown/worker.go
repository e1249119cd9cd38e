package shutdown

import (
	"context"
	"fmt"
	"maps"
	"runtime/pprof"
	"slices"
	"time"
)

// worker is a function that Go or Serve has started, or the setup of Main.
type worker struct {
	kind, name string
	order      int // among all workers
	part       *part

	// Guarded by Group.mu.
	out     time.Time // when it returned
	overran bool      // it was still running when its grace was over
	err     error     // what it returned, if that is a failure
}

// Go starts a worker: it calls f in a goroutine of its own, and doesn't block.
// f must return soon after its context is canceled, which happens when the stop
// begins.
//
// The first error that a worker returns begins the stop. So does a panic, which
// is recovered and becomes a [*PanicError]. [Group.Run] returns the errors of
// all workers. After the stop has begun, context.Canceled, the cause of the
// context and [ErrStopped] are no failures. The return of the last worker
// begins the stop, too, so a program that has done its work ends.
//
// Goroutines that f starts are its own affair: f must wait for them, and a
// panic in one of them crashes the program as usual.
//
// Go fails if name is empty or f is nil. That also stops the group, and
// [Group.Run] returns the same error. After the stop has begun, Go doesn't call
// f, and returns an error that wraps [ErrStopped].
//
// The name appears in errors, logs and the [Report], and need not be unique.
func (g *Group) Go(name string, f func(ctx context.Context) error) error {
	if err := g.check(kindWorker, name, "function", f); err != nil {
		return err
	}
	w := &worker{kind: kindWorker, name: name}
	if !g.enter(w) {
		return fmt.Errorf("shutdown: worker %q isn't started: %w", name, ErrStopped)
	}
	go g.work(w, f)
	return nil
}

// work calls f and records how it ends.
func (g *Group) work(w *worker, f func(ctx context.Context) error) {
	pprof.Do(w.part.in(g.Context()), pprof.Labels(label(w.kind), w.name), func(ctx context.Context) {
		protect(func() error { return f(ctx) }, func(err error) { g.leave(w, err) })
	})
}

// enter adds w to the running workers, unless the stop has begun.
func (g *Group) enter(w *worker) bool {
	g.lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return false
	}
	if w.kind == kindWorker {
		g.started++
	}
	w.order, w.part = g.started, newPart(g)
	g.running[w] = struct{}{}
	return true
}

// leave removes w from the running workers.
func (g *Group) leave(w *worker, err error) {
	defer close(w.part.returned)
	g.logPanic(w.kind, w.name, err)
	asked := only(err, g.meansStopped) // before locking, since it calls methods of err
	g.lock()
	defer g.mu.Unlock()
	if g.down != nil && g.down.over { // it was left behind, and is reported like that
		return
	}
	delete(g.running, w)
	w.out = time.Now()
	if asked && w.err == nil { // w.err was a failure when Serve noted it
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

// settleLocked closes idle if the stop has begun and no worker is running.
func (g *Group) settleLocked() {
	if g.ctx.Err() != nil && len(g.running) == 0 && !isClosed(g.idle) {
		close(g.idle)
	}
}

// meansStopped reports whether err says only that the stop has begun.
func (g *Group) meansStopped(err error) bool {
	cause := context.Cause(g.ctx)
	return cause != nil && (is(err, context.Canceled) || is(err, ErrStopped) || is(err, cause))
}

// workersLocked returns the workers that the report names, in the order of
// starting.
func (g *Group) workersLocked() []*worker {
	workers := slices.AppendSeq(slices.Clone(g.left), maps.Keys(g.running))
	slices.SortFunc(workers, func(a, b *worker) int { return a.order - b.order })
	return workers
}
