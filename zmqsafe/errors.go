package zmqsafe

import (
	"fmt"
	"syscall"
)

// Errno values as errors, made once: the hot path must not allocate them.
var (
	errAgain error = Errno(syscall.EAGAIN)
	errTerm  error = ETERM
)

var (
	errNilSocket  = fmt.Errorf("zmqsafe: method called on a nil *Socket: %w", ErrorSocketClosed)
	errNilContext = fmt.Errorf("zmqsafe: method called on a nil *Context: %w", ErrorContextClosed)
)

// usageError says what was wrong with a call and what is allowed. It wraps the
// error that libzmq has for it, so AsErrno and errors.Is see that one.
type usageError struct {
	msg string
	err error
}

func (e *usageError) Error() string { return "zmqsafe: " + e.msg + ": " + e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func invalid(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), Errno(syscall.EINVAL)}
}

// errnoError makes the error for an errno from czmq, without allocating for
// the two that are part of normal work.
func errnoError(errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case syscall.EAGAIN:
		return errAgain
	}
	return Errno(errno)
}
