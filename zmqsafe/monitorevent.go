package zmqsafe

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// MonitorEvent is something that happened to a socket, as Events yields it. See
// https://api.zeromq.org/4-3:zmq-socket-monitor.
//
// What Value is depends on the event. Err and RetryInterval read it for those
// where it matters. For EVENT_LISTENING, EVENT_CONNECTED, EVENT_ACCEPTED,
// EVENT_DISCONNECTED and EVENT_CLOSED it is the number of a descriptor, which is
// libzmq's own and may be another's by now; it is EINPROGRESS for
// EVENT_CONNECT_DELAYED, and 0 for EVENT_HANDSHAKE_SUCCEEDED and
// EVENT_MONITOR_STOPPED.
type MonitorEvent struct {
	Event Event
	Addr  string // the endpoint that was bound or connected; may be empty
	Value int
}

func newMonitorEvent(parts [][]byte) (e MonitorEvent) {
	var ok bool
	if e.Event, e.Value, ok = parseEvent(parts); ok {
		e.Addr = string(parts[1])
	}
	return e
}

// Err says why something failed, and is nil for an event that is no failure:
//
//   - EVENT_BIND_FAILED, EVENT_ACCEPT_FAILED, EVENT_CLOSE_FAILED and
//     EVENT_HANDSHAKE_FAILED_NO_DETAIL: the Errno.
//   - EVENT_HANDSHAKE_FAILED_AUTH: an error that wraps EACCES and tells the ZAP
//     status code, which is Value: 300, 400 or 500.
//   - EVENT_HANDSHAKE_FAILED_PROTOCOL: an error that wraps EPROTO and tells
//     libzmq's number for it (ZMQ_PROTOCOL_ERROR_…), which is Value.
func (e MonitorEvent) Err() error {
	switch e.Event {
	case EVENT_BIND_FAILED, EVENT_ACCEPT_FAILED, EVENT_CLOSE_FAILED, EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		if e.Value == 0 {
			return errors.New("zmqsafe: libzmq gives no reason")
		}
		return Errno(e.Value)
	case EVENT_HANDSHAKE_FAILED_AUTH:
		return &usageError{fmt.Sprintf("authentication failed with ZAP status %d", e.Value), Errno(syscall.EACCES)}
	case EVENT_HANDSHAKE_FAILED_PROTOCOL:
		return &usageError{fmt.Sprintf("no handshake with this peer, ZMQ_PROTOCOL_ERROR %#x", e.Value), Errno(syscall.EPROTO)}
	}
	return nil
}

// RetryInterval is how long libzmq waits before it connects again, for
// EVENT_CONNECT_RETRIED, in which Value is the same in milliseconds; 0 for the
// others.
func (e MonitorEvent) RetryInterval() time.Duration {
	if e.Event != EVENT_CONNECT_RETRIED {
		return 0
	}
	return time.Duration(e.Value) * time.Millisecond
}

// String describes the event for people, "EVENT_LISTENING tcp://127.0.0.1:5555".
func (e MonitorEvent) String() string {
	text := e.Event.String()
	if e.Addr != "" {
		text += " " + e.Addr
	}
	if e.Event == EVENT_CONNECT_RETRIED {
		text += fmt.Sprintf(", again in %v", e.RetryInterval())
	}
	if err := e.Err(); err != nil {
		text += ": " + err.Error()
	}
	return text
}
