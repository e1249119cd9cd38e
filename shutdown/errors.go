package shutdown

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrStopped is wrapped by the errors of Go, Serve, Add and AddCloser after the
// stop has begun. A worker or a setup function may return it: that is no error.
var ErrStopped = errors.New("the group is stopping or has stopped")

// What began a stop that neither a signal nor an error has begun.
var (
	errStop     = errors.New("shutdown: Stop was called")
	errShutdown = errors.New("shutdown: Shutdown was called")
	errReturned = errors.New("shutdown: the last worker has returned")
)

// errGoexit is what ends a worker or a step that calls runtime.Goexit, as t.FailNow does.
var errGoexit = errors.New("ended by runtime.Goexit")

// The kinds of Error.
const (
	kindWorker = "worker"
	kindStep   = "step"
	kindSetup  = "setup"
)

// Error says which worker or step an error is from. Run and Shutdown return
// errors of this type, joined; errors.As finds the first.
type Error struct {
	Kind string // worker, step, or setup
	Name string // as it was given to Go, Serve, Add or AddCloser
	Err  error
}

func (e *Error) Error() string {
	if e.Kind == kindSetup {
		return fmt.Sprintf("shutdown: setup: %v", e.Err)
	}
	return fmt.Sprintf("shutdown: %s %q: %v", e.Kind, e.Name, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// SignalError is the cause of a stop that a signal has begun. It is found in
// context.Cause of the workers' context; Run doesn't return it, since to stop
// when told to is no error.
type SignalError struct {
	Signal os.Signal
}

func (e *SignalError) Error() string { return fmt.Sprintf("shutdown: received signal: %v", e.Signal) }

// overrunError says that a bound has passed: a worker's grace, a step's time-out
// or what the whole stop may take. It counts as context.DeadlineExceeded.
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

// closingError is an error of the Shutdown that Serve calls: its deadlines are the group's.
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

// only reports whether all that err is made of is as f says. So a real error
// that is joined with a cancellation isn't taken for one, nor is a panic, nor
// that closing something was cancelled.
func only(err error, f func(error) bool) bool {
	if err == nil || f(err) {
		return true
	}
	switch e := err.(type) {
	case *PanicError, *closingError:
		return false
	case interface{ Unwrap() error }:
		return e.Unwrap() != nil && only(e.Unwrap(), f)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if !only(err, f) {
				return false
			}
		}
		return len(e.Unwrap()) > 0
	}
	return false
}

// short rounds d to what a reader wants to know.
func short(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
