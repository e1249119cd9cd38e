package shutdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"
)

// Shutdowner is something that [Group.Add] closes: an *http.Server, a
// *zmqsafe.Context, another *[Group], a [Func].
type Shutdowner interface {
	// Shutdown closes it, and returns by the deadline of ctx.
	Shutdown(ctx context.Context) error
}

// Func is a function as a [Shutdowner].
type Func func(ctx context.Context) error

// Shutdown calls f.
func (f Func) Shutdown(ctx context.Context) error { return f(ctx) }

// StepOption changes one step. The only one is [Within].
type StepOption func(*step) error

// Within bounds one step, instead of [Group.StepTimeout] or a fair share. d
// must be positive. A step never has more time than the group: while other
// steps are left, it has at most nine tenths of what is left.
func Within(d time.Duration) StepOption {
	return func(s *step) error {
		if d <= 0 {
			return fmt.Errorf("Within(%v): want a positive duration", d)
		}
		s.within = d
		return nil
	}
}

// step is something to close.
type step struct {
	name   string
	call   func(ctx context.Context) error
	within time.Duration // 0: StepTimeout, or a fair share
	group  bool          // it is one
}

func newStep(name string, v any, call func(context.Context) error) *step {
	_, group := v.(*Group)
	return &step{name: name, call: call, group: group}
}

// Add adds s to what the group closes when all workers have returned, one after
// another, the last added first.
//
// s.Shutdown runs in a goroutine of its own. Its context expires a tenth of the
// step's time before the end, 100 ms at most, so that Shutdown can still return
// what it left undone. If it doesn't return in time, it is left behind, and the
// next step begins.
//
// Add fails if name is empty, s is nil or a nil pointer, s is already in the
// group, or an option is wrong. That also stops the group, and [Group.Run]
// returns the same error.
//
// Add doesn't block before the stop. After that it returns an error that wraps
// [ErrStopped], and s is closed anyway: with the others, or if they are all
// done, before Add returns, in what is left of the group's time and at least
// 0.1 s.
func (g *Group) Add(name string, s Shutdowner, options ...StepOption) error {
	if err := g.check(kindStep, name, "Shutdowner", s); err != nil {
		return err
	}
	return g.add(name, s, s.Shutdown, options)
}

// AddCloser is [Group.Add] for something whose Close takes no context, such as
// a file, a listener or a database. A Close that doesn't return in time is left
// behind.
func (g *Group) AddCloser(name string, c io.Closer, options ...StepOption) error {
	if err := g.check(kindStep, name, "io.Closer", c); err != nil {
		return err
	}
	return g.add(name, c, func(context.Context) error { return c.Close() }, options)
}

func (g *Group) add(name string, v any, call func(context.Context) error, options []StepOption) error {
	st := newStep(name, v, call)
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

// push adds a step, or closes it if the others are done.
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

// check refuses a worker or step without a name or with a nil value.
func (g *Group) check(kind, name, what string, v any) error {
	if name == "" {
		return g.refuse("a %s has no name: errors and logs need one", kind)
	}
	r := reflect.ValueOf(v)
	if v == nil || (r.Kind() == reflect.Pointer || r.Kind() == reflect.Func) && r.IsNil() {
		return g.refuse("%s %q: the %s is nil", kind, name, what)
	}
	return nil
}

// claim refuses what the group already has, as far as Go can tell: functions
// and values of no size can't be told apart. A group becomes part of g.
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
		return g.refuse("step %q is already in the group, as %q: add it once", name, other)
	}
	return nil
}
