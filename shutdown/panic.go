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
// that returned an error whose methods panic, such as a nil pointer.
type PanicError struct {
	Value any    // the argument of panic
	Stack []byte // of the goroutine, as runtime/debug.Stack formats it
	place string // where panic was called

	logged bool // guarded by the goroutine that panicked, until others have the error
}

// Error returns the value of the panic and where it happened, in one line,
// without the stack.
func (e *PanicError) Error() string {
	if e.place == "" {
		return fmt.Sprintf("panic: %v", e.Value)
	}
	return fmt.Sprintf("panic: %v [%s]", e.Value, e.place)
}

// Unwrap returns Value if that is an error, or nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// protect calls f, and then done with its error, even if f panics or ends its
// goroutine. To call Exit is no error. If the methods of the error panic, that
// is a panic of f, so done and whatever follows can call them.
func protect(f func() error, done func(error)) {
	err := errGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack(), place: panicPlace()}
		}
		if err == errGoexit && calledExit() {
			err = nil
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

// panicPlace returns the innermost function of the program on the stack of a
// panic. A deferred function calls it during the panic.
func panicPlace() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicking := false
	for frame, _ := frames.Next(); frame.PC != 0; frame, _ = frames.Next() {
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if panicking && !inRuntime {
			return fmt.Sprintf("%s at %s:%d", frame.Function, frame.File, frame.Line)
		}
		panicking = panicking || inRuntime
	}
	return ""
}

// calledExit reports whether the goroutine ends because it called Exit, rather
// than runtime.Goexit. A deferred function calls it: while deferred functions
// run, the stack still has what ended the goroutine.
func calledExit() bool {
	var pcs [64]uintptr
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		frames := runtime.CallersFrames(pcs[:n])
		for frame, _ := frames.Next(); frame.PC != 0; frame, _ = frames.Next() {
			if frame.Function == self+"Exit" {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

// logPanic logs a panic, once and at once: the rest of the stop may take long,
// or never end. It doesn't wait for the Logger.
func (g *Group) logPanic(kind, name string, err error) {
	var p *PanicError
	if !errors.As(err, &p) || p.logged {
		return
	}
	p.logged = true
	g.log(func(log *slog.Logger) {
		log.Error("shutdown: panic", "kind", kind, "name", name, "panic", fmt.Sprint(p.Value), "stack", string(p.Stack))
	})
}
