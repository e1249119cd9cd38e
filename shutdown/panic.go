package shutdown

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
)

// PanicError is the error of a worker, step or setup function that panicked, or
// returned an error that panics when it is looked at, such as a nil pointer.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine, as runtime/debug.Stack formats it
	place string // where panic was called

	logged bool // set before the error is known to others than the goroutine that panicked
}

// Error says with what and where the program panicked, in one line, without the stack.
func (e *PanicError) Error() string {
	if e.place == "" {
		return fmt.Sprintf("panic: %v", e.Value)
	}
	return fmt.Sprintf("panic: %v [%s]", e.Value, e.place)
}

// Unwrap returns the value of the panic if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// protect calls f and then done, however f ends. An error that can't be looked
// at, such as a nil pointer in an error, counts as a panic of f: done and all that
// comes after it may look.
func protect(f func() error, done func(error)) {
	err := errGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack(), place: panicPlace()}
		}
		done(err)
	}()
	result := f()
	if result != nil {
		_ = result.Error()
		_ = errors.Is(result, errGoexit) // calls all its methods Is and Unwrap
	}
	err = result
}

// panicPlace finds the innermost function of the program that a panic came
// from. It is called by a deferred function while that panic goes on.
func panicPlace() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		switch {
		case panicking && !inRuntime:
			return fmt.Sprintf("%s at %s:%d", frame.Function, frame.File, frame.Line)
		case inRuntime:
			panicking = true
		}
		if !more {
			return ""
		}
	}
}

// stateOf returns the state of what has returned err in time.
func stateOf(err error) State {
	var p *PanicError
	switch {
	case err == nil:
		return Done
	case errors.As(err, &p):
		return Panicked
	}
	return Failed
}

// logPanic writes a panic to the log, once and at once: what follows may take
// long, or never end.
func (g *Group) logPanic(kind, name string, err error) {
	var p *PanicError
	if !errors.As(err, &p) || p.logged {
		return
	}
	p.logged = true
	g.log(func(log *slog.Logger) {
		log.Error("shutdown: panic", kind, name, "panic", p.Value, "stack", string(p.Stack))
	})
}
