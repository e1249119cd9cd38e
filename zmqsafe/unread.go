package zmqsafe

import (
	"slices"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/czmq"
)

// unreadPart is a message part that was taken from libzmq and not received by
// the program: it was too large for its buffer (RecvInto), or a proxy that was
// stopped had it in hand. Such parts are received before anything else.
type unreadPart struct {
	data []byte // nobody else's
	more bool   // the message goes on, in the next part or, after the last, in libzmq
}

// putBack puts a message in front of all that is to be received, save the rest of
// a message that the program has begun to receive, and takes the slices over.
// What metadata it had is gone. The caller holds mu, and passes POLLIN to unlock.
func (s *socketState) putBack(message [][]byte) {
	begun := s.rcvmore
	var rest [][]byte
	if begun {
		rest, _, _ = recvParts[[]byte](s, false)
	}
	s.unread = slices.Concat(unreadParts(rest), unreadParts(message), s.unread)
	s.rcvmore = begun
}

// unreadParts makes unread parts of a message, or of what is left of one.
func unreadParts(message [][]byte) []unreadPart {
	parts := make([]unreadPart, len(message))
	for i, data := range message {
		parts[i] = unreadPart{data, i < len(message)-1}
	}
	return parts
}

// takeUnread receives the first of the unread parts; there must be one. The
// caller holds mu.
func (s *socketState) takeUnread() unreadPart {
	part := s.unread[0]
	s.unread[0].data = nil // the array may outlive it
	s.unread = s.unread[1:]
	s.rcvmore = part.more
	return part
}

// events is ZMQ_EVENTS with the unread parts taken into account. The caller
// holds mu.
func (s *socketState) events() State { return s.readiness(czmq.Events(s.sock)) }

// eventsIf is events for a caller who may not want them.
func (s *socketState) eventsIf(watched bool) State {
	if !watched {
		return 0
	}
	return s.events()
}

// readiness is what the socket is ready for when ZMQ_EVENTS is events.
func (s *socketState) readiness(events int) State {
	ready := State(events)
	if len(s.unread) > 0 {
		ready |= POLLIN
		if s.mustReceive() {
			ready &^= POLLOUT
		}
	}
	return ready
}

// mustReceive reports whether the socket may not send before the unread parts are
// received: where requests and replies alternate, libzmq thinks that they were.
func (s *socketState) mustReceive() bool {
	return len(s.unread) > 0 && (s.typ == REQ || s.typ == REP)
}
