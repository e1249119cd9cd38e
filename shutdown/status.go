package shutdown

import "context"

// The exit statuses of Main. A signal n that forces the end gives 128+n.
const (
	StatusOK       = 0   // everything went well, also after a signal
	StatusError    = 1   // a worker, a step or setup failed
	StatusPanic    = 2   // one of them panicked; as Go has it
	StatusDeadline = 124 // one of them wasn't done in time; as timeout(1) has it
)

// ExitStatus returns the exit status for an error of Run or Shutdown: 0 for nil,
// 2 if there was a panic, else 124 if a worker or a step took longer than it may
// or the error of a step wraps context.DeadlineExceeded, else 1. A worker's own
// context.DeadlineExceeded, from a request that took too long, is an error like
// others.
func ExitStatus(err error) int { return statusOf(err, false) }

// statusOf walks through err; closing says that it is an error of closing something.
func statusOf(err error, closing bool) int {
	switch e := err.(type) {
	case nil:
		return StatusOK
	case *PanicError:
		return StatusPanic
	case *Error:
		closing = e.Kind == kindStep
	case *closingError:
		closing = true
	}
	status := StatusError
	if _, overrun := err.(*overrunError); overrun || closing && is(err, context.DeadlineExceeded) {
		status = StatusDeadline
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		status = worse(status, statusOf(e.Unwrap(), closing))
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			status = worse(status, statusOf(err, closing))
		}
	}
	return status
}

// worse returns the status that comes first of panic, deadline, error.
func worse(a, b int) int {
	for _, status := range []int{StatusPanic, StatusDeadline, StatusError} {
		if a == status || b == status {
			return status
		}
	}
	return StatusOK
}
