package zmqsafe

import (
	"context"
	"unsafe"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/czmq"
)

// Recv receives one message part as a string. See
// https://api.zeromq.org/4-3:zmq-msg-recv.
//
// It blocks until there is a message, for RCVTIMEO at most (SetRcvtimeo), unless
// flags has DONTWAIT; then, and after RCVTIMEO, the error is
// Errno(syscall.EAGAIN). While it is blocked, closing the socket ends it with
// ErrorSocketClosed and closing the context with ETERM. A call that ends with an
// error has taken no message.
//
// GetRcvmore tells whether the message has more parts; RecvMessage receives all
// of them in one call.
func (soc *Socket) Recv(flags Flag) (string, error) {
	return recv[string](context.Background(), soc, flags)
}

// RecvContext is Recv that also ends when ctx is done, with ctx.Err().
func (soc *Socket) RecvContext(ctx context.Context, flags Flag) (string, error) {
	return recv[string](ctx, soc, flags)
}

// RecvBytes is Recv for bytes. The slice is the caller's.
func (soc *Socket) RecvBytes(flags Flag) ([]byte, error) {
	return recv[[]byte](context.Background(), soc, flags)
}

// RecvBytesContext is RecvBytes that also ends when ctx is done, with ctx.Err().
func (soc *Socket) RecvBytesContext(ctx context.Context, flags Flag) ([]byte, error) {
	return recv[[]byte](ctx, soc, flags)
}

// RecvMessage receives a message with all its parts, or what is left of one that
// was begun with Recv. It blocks and fails as Recv does.
func (soc *Socket) RecvMessage(flags Flag) ([]string, error) {
	return recvMessage[string](context.Background(), soc, flags)
}

// RecvMessageContext is RecvMessage that also ends when ctx is done, with
// ctx.Err().
func (soc *Socket) RecvMessageContext(ctx context.Context, flags Flag) ([]string, error) {
	return recvMessage[string](ctx, soc, flags)
}

// RecvMessageBytes is RecvMessage for bytes. The slices are the caller's.
func (soc *Socket) RecvMessageBytes(flags Flag) ([][]byte, error) {
	return recvMessage[[]byte](context.Background(), soc, flags)
}

// RecvMessageBytesContext is RecvMessageBytes that also ends when ctx is done,
// with ctx.Err().
func (soc *Socket) RecvMessageBytesContext(ctx context.Context, flags Flag) ([][]byte, error) {
	return recvMessage[[]byte](ctx, soc, flags)
}

func recv[T string | []byte](ctx context.Context, soc *Socket, flags Flag) (T, error) {
	return do(ctx, soc, POLLIN, flags, func(s *socketState, watched bool) (T, State, error) {
		part, more, ready, err := recvPart[T](s, watched)
		if err == nil && !more {
			s.received++
		}
		return part, ready, err
	})
}

func recvMessage[T string | []byte](ctx context.Context, soc *Socket, flags Flag) ([]T, error) {
	return do(ctx, soc, POLLIN, flags, func(s *socketState, watched bool) ([]T, State, error) {
		parts, ready, err := recvParts[T](s, watched)
		if err == nil {
			s.received++
		}
		return parts, ready, err
	})
}

// smallPart is up to what size a message part is received in one crossing to C.
const smallPart = 1024

// recvParts tries to receive a whole message. libzmq hands over the first part
// only when all of them have arrived, so no part but the first can be EAGAIN.
func recvParts[T string | []byte](s *socketState, watched bool) ([]T, State, error) {
	var parts []T
	for {
		part, more, ready, err := recvPart[T](s, watched)
		if err != nil {
			return nil, ready, err
		}
		parts = append(parts, part)
		if !more {
			return parts, ready, nil
		}
	}
}

// recvPart tries to receive one part, as a string or as bytes. The caller holds
// mu.
func recvPart[T string | []byte](s *socketState, watched bool) (part T, more bool, ready State, err error) {
	if len(s.unread) > 0 {
		kept := s.takeUnread()
		return owned[T](kept.data), kept.more, s.eventsIf(watched), nil
	}
	if s.buf == nil {
		s.buf = make([]byte, smallPart) // not before it is needed: many sockets only send
	}
	n, more, events, errno := czmq.Recv(s.sock, s.buf, &s.msg, watched)
	if errno != 0 {
		return part, false, State(events), errnoError(errno)
	}
	s.rcvmore = more
	data := make([]byte, n)
	if n <= len(s.buf) {
		copy(data, s.buf)
	} else {
		czmq.Copy(&s.msg, data)
	}
	return owned[T](data), more, State(events), nil
}

// owned makes a string of data in place, which may be done as data is nobody
// else's: a string's header is the beginning of a slice's.
func owned[T string | []byte](data []byte) T { return *(*T)(unsafe.Pointer(&data)) }
