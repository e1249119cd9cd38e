package zmqsafe

import (
	"context"
	"fmt"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/czmq"
)

// RecvInto receives one message part into buf, up to len(buf), and returns its
// size. It allocates nothing, blocks and fails as Recv does, and GetRcvmore tells
// whether the message has more parts. See
// https://api.zeromq.org/4-3:zmq-msg-recv.
//
// If the part is larger than buf, n is its size, buf is as it was, and the error
// wraps EMSGSIZE. Nothing is lost: the part stays the next to be received, by
// whatever method. Until then a REQ or REP can't send: EFSM. What it had of
// metadata is gone.
func (soc *Socket) RecvInto(buf []byte, flags Flag) (n int, err error) {
	return recvInto(context.Background(), soc, buf, flags)
}

// RecvIntoContext is RecvInto that also ends when ctx is done, with ctx.Err().
func (soc *Socket) RecvIntoContext(ctx context.Context, buf []byte, flags Flag) (n int, err error) {
	return recvInto(ctx, soc, buf, flags)
}

func recvInto(ctx context.Context, soc *Socket, buf []byte, flags Flag) (int, error) {
	return do(ctx, soc, POLLIN, flags, func(s *socketState, watched bool) (int, State, error) {
		n, ready, err := s.recvPartInto(buf, watched)
		if err == nil && !s.rcvmore {
			s.received++
		}
		return n, ready, err
	})
}

// recvPartInto tries to receive one part. The caller holds mu.
func (s *socketState) recvPartInto(buf []byte, watched bool) (int, State, error) {
	if len(s.unread) > 0 {
		return s.takeUnreadInto(buf, watched)
	}
	n, more, events, errno := czmq.Recv(s.sock, buf, &s.msg, watched)
	switch {
	case errno != 0:
		return 0, State(events), errnoError(errno)
	case n > len(buf):
		data := make([]byte, n)
		czmq.Copy(&s.msg, data)
		s.unread = []unreadPart{{data, more}}
		return n, s.readiness(events), tooLarge(n, buf)
	}
	s.rcvmore = more
	return n, State(events), nil
}

// takeUnreadInto receives the first of the unread parts if it fits.
func (s *socketState) takeUnreadInto(buf []byte, watched bool) (int, State, error) {
	if n := len(s.unread[0].data); n > len(buf) {
		return n, s.eventsIf(watched), tooLarge(n, buf)
	}
	n := copy(buf, s.takeUnread().data)
	return n, s.eventsIf(watched), nil
}

func tooLarge(n int, buf []byte) error {
	return &usageError{fmt.Sprintf("RecvInto: the part has %d bytes, the buffer %d; it can be received with a larger one", n, len(buf)), EMSGSIZE}
}
