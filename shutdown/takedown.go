package shutdown

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"time"
)

// late is what a stop has when its time is over and there are steps that were
// not called yet: each is called, with a context that is done.
const late = 100 * time.Millisecond

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
	end     time.Time // of all waiting: deadline, or late after ctx was done
	late    bool      // the second of these
	overran []*worker

	// Guarded by Group.mu.
	sealed       bool // the last step is over, and no step is taken any more
	results      []*step
	current      *step
	currentBegan time.Time
	over         bool
	took         time.Duration // set with over
}

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
// Called with the context of a worker or step of the group itself, Shutdown would
// wait for its caller: it then begins the stop and returns an error. Use Stop there.
func (g *Group) Shutdown(ctx context.Context) error {
	ctx = g.given(ctx, "Shutdown")
	g.stop(errShutdown)
	if groupOf(ctx) == g {
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

// margin is how much earlier than the wait for it ends something is told to be done.
func margin(d time.Duration) time.Duration { return min(d/10, late) }

func (d *takedown) run() {
	defer d.cancel()
	defer d.cancelGrace()
	defer d.task.End()
	trace.WithRegion(d.ctx, "workers", d.awaitWorkers)
	for {
		st, n := d.next()
		if st == nil {
			break
		}
		trace.WithRegion(d.ctx, "step "+st.name, func() { d.runStep(st, n) })
	}
	if len(d.overran) > 0 {
		trace.WithRegion(d.ctx, "workers that overran", func() { wait(d, d.g.idle, d.end, 1) })
	}
	d.conclude()
}

// awaitWorkers waits until all workers are out or their grace is over.
func (d *takedown) awaitWorkers() {
	g := d.g
	warning := time.AfterFunc(d.graceEnd.Sub(d.began)/2, d.warnOfWorkers)
	_, out := wait(d, g.idle, d.graceEnd, 1)
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
	if len(names) > 0 {
		d.g.logger().Warn("shutdown: still waiting for workers", "workers", counted(names), "since", short(time.Since(d.began)),
			"grace", short(d.graceEnd.Sub(d.began)), "at", where(kindWorker, slices.Compact(slices.Sorted(slices.Values(names)))...))
	}
}

// next takes the step that was added last, and tells how many there were.
func (d *takedown) next() (*step, int) {
	g := d.g
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.steps)
	if n == 0 {
		d.sealed = true
		return nil, 0
	}
	st := g.steps[n-1]
	g.steps[n-1] = nil
	g.steps = g.steps[:n-1]
	d.current, d.currentBegan = st, time.Now()
	return st, n
}

// share returns how long to wait for st, the next of n steps.
func (d *takedown) share(st *step, n int) time.Duration {
	left := d.left()
	own := st.within
	if own == 0 {
		own = d.set.step
	}
	switch {
	case own == 0 || d.late:
		return left / time.Duration(n)
	case n > 1:
		left = left / 10 * 9
	}
	return min(own, left)
}

// left returns how long all waiting may still take.
func (d *takedown) left() time.Duration {
	if d.ctx.Err() != nil && !d.late {
		d.late = true
		d.end = time.Now().Add(late)
	}
	return time.Until(d.end)
}

// wait waits for c until the given time, or, when ctx is done before that, for
// one n-th of what is then left.
func wait[T any](d *takedown, c <-chan T, until time.Time, n int) (v T, ok bool) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case v = <-c:
		return v, true
	case <-timer.C:
	case <-d.ctx.Done():
		timer.Reset(min(time.Until(until), d.left()/time.Duration(n)))
		select {
		case v = <-c:
			return v, true
		case <-timer.C:
		}
	}
	select { // both may have come
	case v = <-c:
		return v, true
	default:
		return v, false
	}
}

// runStep closes one thing, the next of n.
func (d *takedown) runStep(st *step, n int) {
	bound := d.share(st, n)
	err := d.call(d.ctx, st, bound, n)
	if err != nil {
		d.g.keep(err)
	}
	d.g.mu.Lock()
	defer d.g.mu.Unlock()
	d.results, d.current = append(d.results, st), nil
}

// call calls a step and waits for it.
func (d *takedown) call(ctx context.Context, st *step, bound time.Duration, n int) error {
	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, began.Add(bound-margin(bound)))
	defer cancel()
	result := make(chan error, 1)
	go pprof.Do(ctx, pprof.Labels(label(kindStep), st.name), func(ctx context.Context) {
		protect(func() error { return st.call(ctx) }, func(err error) { result <- err })
	})
	warning := time.AfterFunc(bound/2, func() {
		d.g.logger().Warn("shutdown: still waiting for a step", "step", st.name, "since", short(bound/2),
			"timeout", short(bound), "at", where(kindStep, st.name))
	})
	err, ok := wait(d, result, began.Add(bound), n)
	warning.Stop()
	st.timeout, st.took = bound, time.Since(began)
	switch {
	case !ok:
		st.state = StillRunning
		err = &overrunError{fmt.Sprintf("not done after %v: left behind", short(st.took)), nil}
	case err == errGoexit && exiting(): // it called Exit
		err = nil
		fallthrough
	default:
		st.state = stateOf(err)
		d.g.logPanic(kindStep, st.name, err)
	}
	if err != nil {
		st.err = &Error{Kind: kindStep, Name: st.name, Err: err}
	}
	return st.err
}

// runLate closes what was added when all steps were over.
func (d *takedown) runLate(st *step) error {
	ctx, cancel := context.WithDeadline(context.WithValue(context.Background(), groupKey{}, d.g), d.deadline)
	defer cancel()
	late := &takedown{g: d.g, ctx: ctx, end: d.deadline}
	return late.call(ctx, st, max(late.left(), 0), 1)
}

// conclude makes the result.
func (d *takedown) conclude() {
	g := d.g
	d.freeze()
	if l := g.logger(); l.Enabled(d.ctx, slog.LevelDebug) {
		g.log(func() { l.Debug("shutdown: report", "report", g.Report()) })
	}
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
	if w.out.IsZero() {
		return &overrunError{fmt.Sprintf("still running %v after it was to stop, with a grace of %v", short(d.took), grace), nil}
	}
	var own error
	if e, ok := w.err.(*Error); ok {
		own = e.Err
	}
	return &overrunError{fmt.Sprintf("stopped only after %v, with a grace of %v", short(w.out.Sub(d.began)), grace), own}
}
