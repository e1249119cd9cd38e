package zmqsafe

import (
	"errors"
	"syscall"

	"github.com/pebbe/zmq4"
)

// The types and values of github.com/pebbe/zmq4 under the same names. They are
// aliases: a value of one package is a value of the other.
type (
	// Type is the type of a socket, for NewSocket.
	Type = zmq4.Type
	// Flag modifies one Send or Recv: DONTWAIT, SNDMORE.
	Flag = zmq4.Flag
	// State is the readiness of a socket: POLLIN, POLLOUT.
	State = zmq4.State
	// Event is a kind of monitor event, a bit of the mask for Monitor.
	Event = zmq4.Event
	// Errno is libzmq's error number. Errors of libzmq are returned as plain
	// Errno values, so comparing them with == works as it does with raw.
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

// Flags for sending and receiving: not to wait, and that more parts follow.
const (
	DONTWAIT = zmq4.DONTWAIT
	SNDMORE  = zmq4.SNDMORE
)

// Readiness, as GetEvents returns it.
const (
	POLLIN  = zmq4.POLLIN
	POLLOUT = zmq4.POLLOUT
)

// Security mechanisms, as GetMechanism returns them.
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

// Defaults of a context, see SetIoThreads and SetMaxSockets.
const (
	IoThreadsDflt  = zmq4.IoThreadsDflt
	MaxSocketsDflt = zmq4.MaxSocketsDflt
)

// CURVE_ALLOW_ANY, given to AuthCurveAdd, allows any client of CURVE.
const CURVE_ALLOW_ANY = zmq4.CURVE_ALLOW_ANY

// Errors that are not libzmq's own.
var (
	// ErrorContextClosed is returned by calls on a context after Close.
	ErrorContextClosed = zmq4.ErrorContextClosed
	// ErrorSocketClosed is returned by calls on a socket after its Close, and
	// by the calls that its Close interrupted.
	ErrorSocketClosed = zmq4.ErrorSocketClosed
	// ErrorNoSocket is returned by a Poller for an id or socket that it hasn't.
	ErrorNoSocket = zmq4.ErrorNoSocket
	// ErrorMoreExpected is returned by RecvEvent for a message that is no event.
	ErrorMoreExpected = zmq4.ErrorMoreExpected
)

// Errors of raw for what an older libzmq or another system hasn't. This package
// never returns them: it needs libzmq 4.2 or later, and Linux.
var (
	ErrorNotImplemented405     = zmq4.ErrorNotImplemented405
	ErrorNotImplemented41      = zmq4.ErrorNotImplemented41
	ErrorNotImplemented42      = zmq4.ErrorNotImplemented42
	ErrorNotImplementedWindows = zmq4.ErrorNotImplementedWindows
)

// Version reports the release of the libzmq that is loaded, for example 4, 3, 4. See
// https://api.zeromq.org/4-3:zmq-version.
func Version() (major, minor, patch int) { return zmq4.Version() }

// AsErrno returns the Errno that err is or wraps, or 0 if there is none; a
// syscall.Errno counts as one. Unlike raw's it looks through wrapped errors.
func AsErrno(err error) Errno {
	if errno := Errno(0); errors.As(err, &errno) {
		return errno
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return Errno(errno)
	}
	return 0
}
