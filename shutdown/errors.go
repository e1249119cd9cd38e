package shutdown

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// ErrStopped is wrapped by the errors that [Group.Go], [Group.Serve],
// [Group.Add] and [Group.AddCloser] return after the stop has begun. A worker
// or setup that returns it has not failed.
var ErrStopped = errors.New("the group is stopping or has stopped")

// Causes of a stop that are neither a signal nor a failure.
var (
	errStop     = errors.New("shutdown: Stop was called")
	errShutdown = errors.New("shutdown: Shutdown was called")
	errReturned = errors.New("shutdown: the last worker has returned")
)

// errGoexit is the error of a worker or a step that calls runtime.Goexit, as
// t.FailNow does.
var errGoexit = errors.New("ended by runtime.Goexit")

// Values of Error.Kind.
const (
	kindWorker = "worker"
	kindStep   = "step"
	kindSetup  = "setup"
)

// Error is the error of a worker, a step or setup. [Group.Run] and
// [Group.Shutdown] return such errors, joined; errors.As finds the first.
type Error struct {
	Kind string // worker, step, or setup
	Name string // as given to Go, Serve, Add or AddCloser
	Err  error
}

// Error returns one line with Kind, Name and Err.
func (e *Error) Error() string {
	if e.Kind == kindSetup {
		return fmt.Sprintf("shutdown: setup: %v", e.Err)
	}
	return fmt.Sprintf("shutdown: %s %q: %v", e.Kind, e.Name, e.Err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// SignalError is the cause of a stop that a signal has begun, as context.Cause
// returns it for the context of the workers. [Group.Run] doesn't return it,
// since to stop on request is no failure.
type SignalError struct {
	Signal os.Signal
}

// Error names the signal.
func (e *SignalError) Error() string { return fmt.Sprintf("shutdown: received signal: %v", e.Signal) }

// overrunError says that the grace of a worker, the time-out of a step or the
// time of the whole stop has passed. It is a context.DeadlineExceeded.
type overrunError struct {
	text string
	err  error // what was returned too late, or nil
}

func (e *overrunError) Error() string {
	if e.err != nil {
		return e.text + ": " + e.err.Error()
	}
	return e.text
}

func (e *overrunError) Unwrap() error        { return e.err }
func (e *overrunError) Is(target error) bool { return target == context.DeadlineExceeded }

// closingError is an error of the Shutdown that Serve calls. A deadline in it
// is the group's, unlike one in an error of the worker.
type closingError struct{ err error }

func (e *closingError) Error() string { return e.err.Error() }
func (e *closingError) Unwrap() error { return e.err }

// is is errors.Is for err alone, without what it wraps.
func is(err, target error) bool {
	if err == target {
		return true
	}
	i, ok := err.(interface{ Is(error) bool })
	return ok && i.Is(target)
}

// unwrap returns the errors that err wraps directly.
func unwrap(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if wrapped := e.Unwrap(); wrapped != nil {
			return []error{wrapped}
		}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}

// only reports whether err consists of errors for which f is true. So a failure
// that is joined with a cancellation remains a failure. So does a panic with a
// cancellation, and whatever a group inside has reported as an error.
func only(err error, f func(error) bool) bool {
	if err == nil || f(err) {
		return true
	}
	switch err.(type) {
	case *PanicError, *Error, *overrunError, *closingError:
		return false
	}
	wrapped := unwrap(err)
	return len(wrapped) > 0 && !slices.ContainsFunc(wrapped, func(err error) bool { return !only(err, f) })
}
