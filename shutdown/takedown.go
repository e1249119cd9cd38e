package shutdown

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"time"
)

// overtime is how long the last steps may take together even if no time is
// left, so that every step is called, if need be with a canceled context.
const overtime = 100 * time.Millisecond

// maxShares limits by how many steps the time is divided: if there are a
// thousand, one that is slower than others doesn't hang.
const maxShares = 10

// moment is how long a group that was left behind waits for each step that it
// still calls, so that they begin in order.
const moment = 100 * time.Microsecond

// margin is how long before we stop waiting for something its context expires.
func margin(d time.Duration) time.Duration { return min(d/10, overtime) }

// takedown is the stop of a [Group] from where it waits for the workers.
type takedown struct {
	g     *Group
	set   *settings
	in    *part           // the worker or step of another group that this stop is inside of
	ctx   context.Context // of the steps; expires at deadline
	grace context.Context // expires shortly before graceEnd

	began    time.Time
	graceEnd time.Time
	deadline time.Time

	// Only for the goroutine that runs the takedown.
	overtime   time.Duration
	end        time.Time // of all waiting: deadline, or that of the overtime
	inOvertime bool
	noted      bool // an error says that no time was left for some steps
	behind     []leftStep

	// Guarded by Group.mu.
	sealed    bool    // no more steps are accepted
	results   []Entry // of the steps that have begun
	stepBegan time.Time
	delivery  *Delivery // nil if there was no wait for it
	over      bool
	took      time.Duration // set with over
}

// leftStep is a step that was left behind.
type leftStep struct {
	at     int // in results
	err    *Error
	result <-chan error
}

// takeDown waits for the workers and closes the steps, in the time that Timeout
// and bound leave.
func (g *Group) takeDown(bound context.Context) {
	d := &takedown{g: g, in: partOf(bound), overtime: overtime, began: time.Now()}
	d.in.inside.Store(true)
	g.awaitSetup(bound)
	d.set = g.configure()
	ctx, cancel := context.WithDeadline((&part{group: g}).in(bound), d.began.Add(d.set.timeout))
	defer cancel()
	ctx, task := trace.NewTask(ctx, "shutdown")
	defer task.End()
	d.ctx = ctx
	d.deadline, _ = ctx.Deadline()
	d.end = d.deadline
	grace := d.set.grace
	if left := d.deadline.Sub(d.began); left < d.set.timeout {
		grace = time.Duration(float64(grace) * float64(left) / float64(d.set.timeout))
	}
	if err := ctx.Err(); err != nil {
		g.fail(&overrunError{"shutdown: no time was left when the stop began", err})
		d.noted = true
		grace = overtime / 2
	} else if d.in.group != nil { // which waits hardly longer than this context lasts
		d.overtime = margin(time.Until(d.deadline))
	}
	d.graceEnd = d.began.Add(grace)
	graceCtx, cancelGrace := context.WithDeadline(ctx, d.graceEnd.Add(-margin(grace)))
	defer cancelGrace()
	d.grace = graceCtx
	g.mu.Lock()
	g.down = d
	g.mu.Unlock()
	close(g.closing)

	trace.WithRegion(ctx, "workers", d.awaitWorkers)
	g.mu.Lock()
	g.noteConnectionsLocked() // those that workers have made since
	g.mu.Unlock()
	for st, n := d.next(); st != nil; st, n = d.next() {
		trace.WithRegion(ctx, "step "+st.name, func() { d.runStep(st, n) })
	}
	if !isClosed(g.idle) {
		trace.WithRegion(ctx, "workers that overran", d.awaitLate)
	}
	d.deliver()
	d.conclude()
}

// awaitWorkers waits until all workers have returned or their grace is over.
func (d *takedown) awaitWorkers() {
	g := d.g
	warning := g.warnHalfway(kindWorker, d.began, d.graceEnd.Sub(d.began), func() []string { return names(g.Report().Workers, Running, StillRunning) })
	wait(d, g.idle, d.graceEnd, 2) // the other half is for the steps
	warning.Stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for w := range g.running {
		w.overran = true
	}
}

// awaitLate waits until the deadline for workers that overran their grace.
func (d *takedown) awaitLate() {
	g := d.g
	if _, ok := wait(d, g.idle, d.deadline, 1); ok {
		return
	}
	var parts []*part
	g.mu.Lock()
	for w := range g.running {
		parts = append(parts, w.part)
	}
	g.mu.Unlock()
	leave(parts...)
}

// next takes the step that was added last, and returns by how many steps the
// remaining time is divided. Steps may be added meanwhile, as long as time is
// left.
func (d *takedown) next() (*step, int) {
	over := d.left() <= 0
	g := d.g
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.steps)
	if n == 0 || over {
		d.sealed = true
	}
	if n == 0 {
		return nil, 0
	}
	st := g.steps[n-1]
	g.steps[n-1] = nil
	g.steps = g.steps[:n-1]
	d.results, d.stepBegan = append(d.results, Entry{Name: st.name, State: Running}), time.Now()
	return st, min(n, maxShares)
}

// left returns how long all waiting may still take. When that is almost
// nothing, the overtime begins.
func (d *takedown) left() time.Duration {
	if !d.inOvertime && (d.ctx.Err() != nil || time.Until(d.end) < d.overtime) {
		d.inOvertime = true
		d.end = time.Now().Add(d.overtime)
	}
	return time.Until(d.end)
}

// share returns how long to wait for st. Its fair share is one n-th of what is
// left.
func (d *takedown) share(st *step, n int) time.Duration {
	left := d.left()
	own := st.within
	if own == 0 {
		own = d.set.step
	}
	switch {
	case own == 0 || d.inOvertime:
		return left / time.Duration(n)
	case n > 1:
		left = left / 10 * 9
	}
	return min(own, left)
}

// wait waits for c until the given time. If d.ctx is done before that, it waits
// for one n-th of what is then left, and if nobody waits for d any more, for a
// moment.
func wait[T any](d *takedown, c <-chan T, until time.Time, n int) (v T, ok bool) {
	expired, left := d.ctx.Done(), d.in.left
	if isClosed(left) {
		until = time.Now().Add(moment)
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		select {
		case v = <-c:
			return v, true
		case <-expired:
			expired = nil
			timer.Reset(min(time.Until(until), d.left()/time.Duration(n)))
		case <-timer.C:
			return poll(c) // both may have come
		case <-left:
			left, expired = nil, nil
			timer.Reset(moment)
		}
	}
}

// poll is wait without waiting.
func poll[T any](c <-chan T) (v T, ok bool) {
	select {
	case v = <-c:
		return v, true
	default:
		return v, false
	}
}

// runStep closes one thing, in an n-th of what is left.
func (d *takedown) runStep(st *step, n int) {
	g := d.g
	bound := d.share(st, n)
	if err := d.ctx.Err(); err != nil && !d.noted {
		d.noted = true
		g.fail(&overrunError{fmt.Sprintf("shutdown: no time was left for step %q and those after it", st.name), err})
	}
	g.mu.Lock()
	at := len(d.results) - 1
	d.results[at].Timeout = bound
	g.mu.Unlock()
	warning := g.warnHalfway(kindStep, time.Now(), bound, func() []string {
		g.mu.Lock()
		defer g.mu.Unlock()
		if d.results[at].State != Running {
			return nil
		}
		return []string{st.name}
	})
	e, result := d.call(st, bound, n)
	warning.Stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	d.results[at] = e
	if e.Err == nil {
		return
	}
	g.errs = append(g.errs, e.Err)
	if e.State == StillRunning {
		d.behind = append(d.behind, leftStep{at, e.Err.(*Error), result})
	}
}

// call calls a step and waits for it. If it leaves the step behind, result will
// have what the step returns.
func (d *takedown) call(st *step, bound time.Duration, n int) (e Entry, result <-chan error) {
	began := time.Now()
	in := newPart(d.g)
	in.inside.Store(st.group)
	ctx, cancel := context.WithDeadline(in.in(d.ctx), began.Add(bound-margin(bound)))
	defer cancel()
	called, returned := make(chan struct{}), make(chan error, 1)
	go pprof.Do(ctx, pprof.Labels(label(kindStep), st.name), func(ctx context.Context) {
		close(called)
		protect(func() error { return st.call(ctx) }, func(err error) {
			d.g.logPanic(kindStep, st.name, err) // even if the step was left behind
			returned <- err
			close(in.returned)
		})
	})
	<-called // even if there is no time to wait for more
	err, ok := wait(d, returned, began.Add(bound), n)
	e = Entry{Name: st.name, State: stateOf(err), Took: time.Since(began), Timeout: bound}
	if !ok {
		leave(in)
		e.State, err = StillRunning, &overrunError{fmt.Sprintf("not done after %v: left behind", short(e.Took)), nil}
	}
	if err != nil {
		e.Err = &Error{Kind: kindStep, Name: st.name, Err: err}
	}
	return e, returned
}

// runLate closes what was added after the last step.
func (d *takedown) runLate(st *step) error {
	ctx, cancel := context.WithDeadline(context.Background(), d.deadline)
	defer cancel()
	alone := &takedown{g: d.g, in: new(part), ctx: ctx, overtime: overtime, end: d.deadline}
	e, _ := alone.call(st, alone.left(), 1)
	return e.Err
}

// conclude settles what Run returns and what the report says.
func (d *takedown) conclude() {
	g := d.g
	g.mu.Lock()
	d.over, d.took = true, time.Since(d.began)
	for _, w := range g.workersLocked() {
		if w.overran {
			w.err = &Error{Kind: w.kind, Name: w.name, Err: d.overrunOf(w)}
			g.errs = append(g.errs, w.err)
		}
	}
	for _, left := range d.behind {
		d.addLateLocked(left)
	}
	g.result = errors.Join(g.errs...)
	g.mu.Unlock()
	g.awaitLines(d.in.group)
	registry.mu.Lock()
	delete(registry.roots, g)
	registry.mu.Unlock()
	close(g.done)
}

// addLateLocked adds to the error of a step that was left behind what it has
// returned since. A panic counts, however late it comes.
func (d *takedown) addLateLocked(left leftStep) {
	own, _ := poll(left.result)
	if own == nil {
		return
	}
	overrun := left.err.Err.(*overrunError)
	late := &Error{Kind: kindStep, Name: left.err.Name, Err: &overrunError{overrun.text, own}}
	d.results[left.at].Err = late
	if stateOf(own) == Panicked {
		d.results[left.at].State = Panicked
	}
	errs := d.g.errs
	errs[slices.Index(errs, error(left.err))] = late
}

func (d *takedown) overrunOf(w *worker) error {
	var own error
	if e, ok := w.err.(*Error); ok {
		own = e.Err
	}
	how, took := "still running", d.took
	if !w.out.IsZero() {
		how, took = "returned only", w.out.Sub(d.began)
	}
	return &overrunError{fmt.Sprintf("%s %v after the stop began, with a grace of %v", how, short(took), short(d.graceEnd.Sub(d.began))), own}
}
