package shutdown

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/pprof"
	"time"
)

// late is what a stop has for its last steps, even if its time is over: each step
// is called, if need be with a context that is done.
const late = 100 * time.Millisecond

// maxShares is by how many the time is shared at most: among a thousand steps, one
// that takes a little longer than others isn't one that hangs.
const maxShares = 10

// margin is how much earlier than the wait for it ends something is told to be done.
func margin(d time.Duration) time.Duration { return min(d/10, late) }

// next takes the step that was added last, and tells by how many the time that
// is left is to be shared. Steps may be added meanwhile, but not for ever.
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
	d.current, d.currentBegan = st, time.Now()
	return st, min(n, maxShares)
}

// share returns how long to wait for st, which is to have one n-th of what is left.
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

// left returns how long all waiting may still take. When that is hardly
// anything, or nothing, it is made late, once.
func (d *takedown) left() time.Duration {
	if !d.late && (d.ctx.Err() != nil || time.Until(d.end) < late) {
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

// runStep closes one thing, in an n-th of what is left.
func (d *takedown) runStep(st *step, n int) {
	bound := d.share(st, n)
	if err := d.ctx.Err(); err != nil && !d.noted {
		d.noted = true
		d.g.keep(&overrunError{fmt.Sprintf("shutdown: no time was left for step %q and those after it", st.name), err})
	}
	d.g.mu.Lock()
	st.timeout = bound
	d.g.mu.Unlock()
	began := time.Now()
	warning := time.AfterFunc(max(bound/2, warnAfter), func() { d.warnOfStep(st, began, bound) })
	err := d.call(d.ctx, st, bound, n)
	warning.Stop()
	d.g.mu.Lock()
	defer d.g.mu.Unlock()
	if err != nil {
		d.g.errs = append(d.g.errs, err)
	}
	d.results, d.current = append(d.results, st), nil
}

// call calls a step and waits for it.
func (d *takedown) call(ctx context.Context, st *step, bound time.Duration, n int) error {
	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, began.Add(bound-margin(bound)))
	defer cancel()
	called, result := make(chan struct{}), make(chan error, 1)
	go pprof.Do(ctx, pprof.Labels(label(kindStep), st.name), func(ctx context.Context) {
		close(called)
		protect(func() error { return st.call(ctx) }, func(err error) {
			d.g.logPanic(kindStep, st.name, err) // also of one that was left behind
			result <- err
		})
	})
	<-called // even if there is no time to wait for more
	err, ok := wait(d, result, began.Add(bound), n)
	st.took = time.Since(began)
	switch {
	case !ok:
		st.state = StillRunning
		err = &overrunError{fmt.Sprintf("not done after %v: left behind", short(st.took)), nil}
	case err == errGoexit && exiting(): // it called Exit
		err = nil
		fallthrough
	default:
		st.state = stateOf(err)
	}
	if err != nil {
		st.err = &Error{Kind: kindStep, Name: st.name, Err: err}
	}
	return st.err
}

// warnOfStep warns of a step that takes long, unless it is over meanwhile.
func (d *takedown) warnOfStep(st *step, began time.Time, bound time.Duration) {
	since := short(time.Since(began))
	waiting := func() bool {
		d.g.mu.Lock()
		defer d.g.mu.Unlock()
		return d.current == st
	}
	at := where(waiting, kindStep, st.name)
	if waiting() {
		d.g.log(func(log *slog.Logger) {
			log.Warn("shutdown: still waiting for a step", "step", st.name, "since", since, "timeout", short(bound), "at", at)
		})
	}
}

// runLate closes what was added when all steps were over.
func (d *takedown) runLate(st *step) error {
	ctx, cancel := context.WithDeadline(context.WithValue(context.Background(), groupKey{}, d.g), d.deadline)
	defer cancel()
	alone := &takedown{g: d.g, ctx: ctx, end: d.deadline}
	return alone.call(ctx, st, alone.left(), 1)
}
