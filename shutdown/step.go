package shutdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"
)

// Shutdowner is what Add adds: an *http.Server, a *zmqsafe.Context, another
// *Group, a Func.
//
// Shutdown is to close it, and to return by the deadline of ctx.
type Shutdowner interface {
	Shutdown(ctx context.Context) error
}

// Func is a function as a Shutdowner.
type Func func(ctx context.Context) error

// Shutdown calls f.
func (f Func) Shutdown(ctx context.Context) error { return f(ctx) }

// StepOption changes one step.
type StepOption func(*step) error

// Within bounds one step, instead of StepTimeout or a fair share. It counts only
// as far as Timeout leaves time: nine tenths of that at most, while there are
// other steps. d has to be positive.
func Within(d time.Duration) StepOption {
	return func(s *step) error {
		if d <= 0 {
			return fmt.Errorf("Within(%v): want a positive duration", d)
		}
		s.within = d
		return nil
	}
}

// step is something to be closed.
type step struct {
	name   string
	call   func(ctx context.Context) error
	within time.Duration // 0: as the group has it

	timeout time.Duration // guarded by Group.mu

	// What became of it; of the goroutine that closes it, until it is over.
	took  time.Duration
	state State
	err   error
}

// Add adds s to what is closed when all workers are out, in the reverse order of
// adding, one after another. Its Shutdown is called in a goroutine of its own,
// with a context that ends a tenth of the step's time-out early, 100 ms at most,
// so that a Shutdown that obeys can still say what it left undone. One that
// doesn't return in time is left behind, and the next step begins.
//
// Add fails when name is empty, when s is nil or a nil pointer, and when the
// group has it already; Run returns that error, too, and stops at once.
//
// After the stop has begun Add returns an error that wraps ErrStopped, and s is
// closed all the same: in its turn, or, when all steps are done, before Add
// returns, in what is left of the group's time and 0.1 s at least.
func (g *Group) Add(name string, s Shutdowner, options ...StepOption) error {
	if err := g.check(kindStep, name, s); err != nil {
		return err
	}
	return g.add(name, s, s.Shutdown, options)
}

// AddCloser is Add for what has a Close that knows no context: a file, a
// listener, a database. Close can't be told to hurry, only be left behind.
func (g *Group) AddCloser(name string, c io.Closer, options ...StepOption) error {
	if err := g.check(kindStep, name, c); err != nil {
		return err
	}
	return g.add(name, c, func(context.Context) error { return c.Close() }, options)
}

func (g *Group) add(name string, v any, call func(context.Context) error, options []StepOption) error {
	st := &step{name: name, call: call}
	for _, option := range options {
		if option == nil {
			return g.refuse("step %q: an option is nil", name)
		}
		if err := option(st); err != nil {
			return g.refuse("step %q: %w", name, err)
		}
	}
	if err := g.claim(name, v); err != nil {
		return err
	}
	return g.push(st)
}

// push takes a step in, or, when it is too late for that, closes it.
func (g *Group) push(st *step) error {
	g.lock()
	d := g.down
	late := d != nil && d.sealed
	stopping := g.ctx.Err() != nil
	if !late {
		g.steps = append(g.steps, st)
	}
	g.mu.Unlock()
	switch {
	case late:
		return errors.Join(fmt.Errorf("shutdown: step %q was added after the others were done: %w", st.name, ErrStopped), d.runLate(st))
	case stopping:
		return fmt.Errorf("shutdown: step %q was added after the stop began, and is closed with the others: %w", st.name, ErrStopped)
	}
	return nil
}

// check refuses what can't be closed.
func (g *Group) check(kind, name string, v any) error {
	if err := g.checkName(kind, name); err != nil {
		return err
	}
	r := reflect.ValueOf(v)
	if v == nil || (r.Kind() == reflect.Pointer || r.Kind() == reflect.Func) && r.IsNil() {
		return g.refuse("%s %q: what is to be closed is nil", kind, name)
	}
	return nil
}

// claim refuses what the group has already, as far as Go can tell: not for
// functions, nor for values of no size, which may share an address. A group that
// is added becomes a part of g.
func (g *Group) claim(name string, v any) error {
	if inner, ok := v.(*Group); ok {
		if err := nest(inner, g); err != nil {
			return g.refuse("step %q: %w", name, err)
		}
	}
	r := reflect.ValueOf(v)
	if !r.Comparable() || r.Type().Size() == 0 || r.Kind() == reflect.Pointer && r.Type().Elem().Size() == 0 {
		return nil
	}
	g.lock()
	other, twice := g.seen[v]
	if !twice {
		g.seen[v] = name
	}
	g.mu.Unlock()
	if twice {
		return g.refuse("step %q is in the group already, as %q: what is added once is closed once", name, other)
	}
	return nil
}
