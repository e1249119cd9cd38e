package shutdown

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/trace"
	"slices"
	"time"
)

// warnAfter is how soon a warning comes at the earliest. To find out where a
// program waits isn't free.
const warnAfter = 50 * time.Millisecond

// takedown is the stop of a Group from where its steps may begin.
type takedown struct {
	g     *Group
	set   *settings
	ctx   context.Context // done when the time is over; of the steps
	grace context.Context // done shortly before the grace of the workers is over
	task  *trace.Task

	cancel, cancelGrace context.CancelFunc

	began    time.Time
	graceEnd time.Time
	deadline time.Time // of ctx

	// Of the goroutine that runs the takedown.
	end     time.Time // of all waiting: deadline, or a little later for the last steps
	late    bool      // the second of these
	noted   bool      // that there was no time for some steps
	overran []*worker

	// Guarded by Group.mu.
	sealed       bool // no step is taken any more
	results      []*step
	current      *step
	currentBegan time.Time
	over         bool
	took         time.Duration // set with over
}

func (d *takedown) run() {
	defer d.cancel()
	defer d.cancelGrace()
	defer d.task.End()
	trace.WithRegion(d.ctx, "workers", d.awaitWorkers)
	for st, n := d.next(); st != nil; st, n = d.next() {
		trace.WithRegion(d.ctx, "step "+st.name, func() { d.runStep(st, n) })
	}
	if len(d.overran) > 0 {
		trace.WithRegion(d.ctx, "workers that overran", func() { wait(d, d.g.idle, d.deadline, 1) })
	}
	d.conclude()
}

// awaitWorkers waits until all workers are out or their grace is over.
func (d *takedown) awaitWorkers() {
	g := d.g
	warning := time.AfterFunc(max(d.graceEnd.Sub(d.began)/2, warnAfter), d.warnOfWorkers)
	_, out := wait(d, g.idle, d.graceEnd, 2) // the other half is for the steps
	warning.Stop()
	if out {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for w := range g.running {
		w.overran = true
		d.overran = append(d.overran, w)
	}
	sortWorkers(d.overran)
}

func (d *takedown) warnOfWorkers() {
	names := d.g.runningNames()
	waiting := func() bool { return len(d.g.runningNames()) > 0 }
	at := where(waiting, kindWorker, slices.Compact(slices.Sorted(slices.Values(names)))...)
	if waiting() {
		since := short(time.Since(d.began))
		d.g.log(func(log *slog.Logger) {
			log.Warn("shutdown: still waiting for workers", "workers", counted(names), "since", since,
				"grace", short(d.graceEnd.Sub(d.began)), "at", at)
		})
	}
}

// conclude makes the result.
func (d *takedown) conclude() {
	g := d.g
	d.freeze()
	g.log(func(log *slog.Logger) { log.Debug("shutdown: report", "report", g.Report()) })
	delist(g)
	close(g.done)
}

// freeze settles what Run returns and what the report says.
func (d *takedown) freeze() {
	g := d.g
	g.mu.Lock()
	defer g.mu.Unlock()
	d.over, d.took = true, time.Since(d.began)
	for _, w := range d.overran {
		w.err = &Error{Kind: w.kind, Name: w.name, Err: d.overrunOf(w)}
		g.errs = append(g.errs, w.err)
	}
	g.result = errors.Join(g.errs...)
}

func (d *takedown) overrunOf(w *worker) error {
	grace := short(d.graceEnd.Sub(d.began))
	var own error
	if e, ok := w.err.(*Error); ok {
		own = e.Err
	}
	if w.out.IsZero() {
		return &overrunError{fmt.Sprintf("still running %v after it was to stop, with a grace of %v", short(d.took), grace), own}
	}
	return &overrunError{fmt.Sprintf("stopped only after %v, with a grace of %v", short(w.out.Sub(d.began)), grace), own}
}
