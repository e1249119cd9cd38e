package zmqsafe

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/pebbe/zmq4"
)

// The types and values of github.com/pebbe/zmq4 under the same names. They are
// aliases: a value of one package is a value of the other.
type (
	// Type is the type of a socket, for [NewSocket].
	Type = zmq4.Type
	// Flag modifies one send or receive: [DONTWAIT], [SNDMORE].
	Flag = zmq4.Flag
	// State is the readiness of a socket: [POLLIN], [POLLOUT].
	State = zmq4.State
	// Event is a kind of monitor event, one bit of the mask for
	// [Socket.Monitor].
	Event = zmq4.Event
	// Errno is libzmq's error number. Errors of libzmq are returned as plain
	// Errno values, so comparing them with == works as it does with pebbe/zmq4.
	Errno = zmq4.Errno
	// Mechanism is the security mechanism of a socket.
	Mechanism = zmq4.Mechanism
)

// Socket types, see https://api.zeromq.org/4-3:zmq-socket.
const (
	REQ    = zmq4.REQ
	REP    = zmq4.REP
	DEALER = zmq4.DEALER
	ROUTER = zmq4.ROUTER
	PUB    = zmq4.PUB
	SUB    = zmq4.SUB
	XPUB   = zmq4.XPUB
	XSUB   = zmq4.XSUB
	PUSH   = zmq4.PUSH
	PULL   = zmq4.PULL
	PAIR   = zmq4.PAIR
	STREAM = zmq4.STREAM
)

// Flags for sending and receiving: DONTWAIT never blocks, SNDMORE announces
// more parts.
const (
	DONTWAIT = zmq4.DONTWAIT
	SNDMORE  = zmq4.SNDMORE
)

// Readiness of a socket, as [Socket.GetEvents] returns it.
const (
	POLLIN  = zmq4.POLLIN
	POLLOUT = zmq4.POLLOUT
)

// Security mechanisms, as [Socket.GetMechanism] returns them.
const (
	NULL   = zmq4.NULL
	PLAIN  = zmq4.PLAIN
	CURVE  = zmq4.CURVE
	GSSAPI = zmq4.GSSAPI
)

// Monitor events, see https://api.zeromq.org/4-3:zmq-socket-monitor.
const (
	EVENT_ALL                        = zmq4.EVENT_ALL
	EVENT_CONNECTED                  = zmq4.EVENT_CONNECTED
	EVENT_CONNECT_DELAYED            = zmq4.EVENT_CONNECT_DELAYED
	EVENT_CONNECT_RETRIED            = zmq4.EVENT_CONNECT_RETRIED
	EVENT_LISTENING                  = zmq4.EVENT_LISTENING
	EVENT_BIND_FAILED                = zmq4.EVENT_BIND_FAILED
	EVENT_ACCEPTED                   = zmq4.EVENT_ACCEPTED
	EVENT_ACCEPT_FAILED              = zmq4.EVENT_ACCEPT_FAILED
	EVENT_CLOSED                     = zmq4.EVENT_CLOSED
	EVENT_CLOSE_FAILED               = zmq4.EVENT_CLOSE_FAILED
	EVENT_DISCONNECTED               = zmq4.EVENT_DISCONNECTED
	EVENT_MONITOR_STOPPED            = zmq4.EVENT_MONITOR_STOPPED
	EVENT_HANDSHAKE_FAILED_NO_DETAIL = zmq4.EVENT_HANDSHAKE_FAILED_NO_DETAIL
	EVENT_HANDSHAKE_SUCCEEDED        = zmq4.EVENT_HANDSHAKE_SUCCEEDED
	EVENT_HANDSHAKE_FAILED_PROTOCOL  = zmq4.EVENT_HANDSHAKE_FAILED_PROTOCOL
	EVENT_HANDSHAKE_FAILED_AUTH      = zmq4.EVENT_HANDSHAKE_FAILED_AUTH
)

// Error numbers of libzmq, see https://api.zeromq.org/4-3:zmq-errno.
const (
	EADDRINUSE      = zmq4.EADDRINUSE
	EADDRNOTAVAIL   = zmq4.EADDRNOTAVAIL
	EAFNOSUPPORT    = zmq4.EAFNOSUPPORT
	ECONNABORTED    = zmq4.ECONNABORTED
	ECONNREFUSED    = zmq4.ECONNREFUSED
	ECONNRESET      = zmq4.ECONNRESET
	EHOSTUNREACH    = zmq4.EHOSTUNREACH
	EINPROGRESS     = zmq4.EINPROGRESS
	EMSGSIZE        = zmq4.EMSGSIZE
	ENETDOWN        = zmq4.ENETDOWN
	ENETRESET       = zmq4.ENETRESET
	ENETUNREACH     = zmq4.ENETUNREACH
	ENOBUFS         = zmq4.ENOBUFS
	ENOTCONN        = zmq4.ENOTCONN
	ENOTSOCK        = zmq4.ENOTSOCK
	ENOTSUP         = zmq4.ENOTSUP
	EPROTONOSUPPORT = zmq4.EPROTONOSUPPORT
	ETIMEDOUT       = zmq4.ETIMEDOUT
	EFSM            = zmq4.EFSM
	EMTHREAD        = zmq4.EMTHREAD
	ENOCOMPATPROTO  = zmq4.ENOCOMPATPROTO
	ETERM           = zmq4.ETERM
)

// Defaults of a context, see [Context.SetIoThreads] and
// [Context.SetMaxSockets].
const (
	IoThreadsDflt  = zmq4.IoThreadsDflt
	MaxSocketsDflt = zmq4.MaxSocketsDflt
)

// CURVE_ALLOW_ANY, given to [AuthCurveAdd], allows any client with CURVE.
const CURVE_ALLOW_ANY = zmq4.CURVE_ALLOW_ANY

// Errors that don't come from libzmq.
var (
	// ErrorContextClosed is returned by calls on a context after
	// [Context.Close].
	ErrorContextClosed = zmq4.ErrorContextClosed
	// ErrorSocketClosed is returned by calls on a socket after [Socket.Close],
	// and by the calls that Close interrupted.
	ErrorSocketClosed = zmq4.ErrorSocketClosed
	// ErrorNoSocket is returned by a [Poller] for an unknown id or socket.
	ErrorNoSocket = zmq4.ErrorNoSocket
	// ErrorMoreExpected is returned by [Socket.RecvEvent] for a message that is
	// not an event.
	ErrorMoreExpected = zmq4.ErrorMoreExpected
)

// Errors that pebbe/zmq4 returns for features that an older libzmq or another
// system lacks. This package never returns them: it needs libzmq 4.3 or later,
// and Linux.
var (
	ErrorNotImplemented405     = zmq4.ErrorNotImplemented405
	ErrorNotImplemented41      = zmq4.ErrorNotImplemented41
	ErrorNotImplemented42      = zmq4.ErrorNotImplemented42
	ErrorNotImplementedWindows = zmq4.ErrorNotImplementedWindows
)

// Version returns the release of the loaded libzmq, for example 4, 3, 4. See
// https://api.zeromq.org/4-3:zmq-version.
func Version() (major, minor, patch int) { return zmq4.Version() }

// AsErrno returns the Errno that err is or wraps, or 0 if there is none. It
// accepts a [syscall.Errno], too. Unlike pebbe/zmq4's it looks through wrapped
// errors.
func AsErrno(err error) Errno {
	if errno := Errno(0); errors.As(err, &errno) {
		return errno
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return Errno(errno)
	}
	return 0
}

// Made once, because the hot path must not allocate errors.
var (
	errAgain error = Errno(syscall.EAGAIN)
	errTerm  error = ETERM

	errNilSocket  error = &usageError{"method called on a nil *Socket", ErrorSocketClosed}
	errNilContext error = &usageError{"method called on a nil *Context", ErrorContextClosed}
)

// usageError says what was wrong with a call and what is allowed. It wraps
// libzmq's error for that, or the system's.
type usageError struct {
	msg string
	err error
}

func (e *usageError) Error() string { return "zmqsafe: " + e.msg + ": " + e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// Is makes errors.Is find the Errno as pebbe/zmq4's type, as [syscall.Errno],
// and as what that stands for; and [net.ErrClosed] for what is closed. libzmq's
// plain errors can't do that: their type and their variables are pebbe/zmq4's.
func (e *usageError) Is(target error) bool {
	if e.err == ErrorSocketClosed || e.err == ErrorContextClosed {
		return target == net.ErrClosed
	}
	errno := AsErrno(e.err)
	return errno != 0 && (target == error(errno) || errors.Is(syscall.Errno(errno), target))
}

func invalid(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), Errno(syscall.EINVAL)}
}

// errnoError converts an errno from C, without allocating for the two that
// occur in normal work.
func errnoError(errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case syscall.EAGAIN:
		return errAgain
	}
	return Errno(errno)
}
