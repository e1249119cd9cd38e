package zmqsafe

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"unsafe"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/libzmq"
)

// Recv receives one message part as a string. See
// https://api.zeromq.org/4-3:zmq-msg-recv.
//
// It blocks until a message arrives, for RCVTIMEO at most
// ([Socket.SetRcvtimeo]), and not at all with [DONTWAIT]. If none arrives in
// that time, the error is Errno(syscall.EAGAIN). Closing the socket ends a
// blocked call with [ErrorSocketClosed], closing the context with ETERM. A call
// that returns an error has taken no message.
//
// [Socket.GetRcvmore] reports whether the message has more parts;
// [Socket.RecvMessage] receives all of them in one call.
func (soc *Socket) Recv(flags Flag) (string, error) {
	part, err := recv(context.Background(), soc, flags)
	return owned[string](part), err
}

// RecvContext is like [Socket.Recv], but also ends when ctx is done.
func (soc *Socket) RecvContext(ctx context.Context, flags Flag) (string, error) {
	part, err := recv(ctx, soc, flags)
	return owned[string](part), err
}

// RecvBytes is like [Socket.Recv], for bytes. The slice belongs to the caller.
func (soc *Socket) RecvBytes(flags Flag) ([]byte, error) {
	return recv(context.Background(), soc, flags)
}

// RecvBytesContext is like [Socket.RecvBytes], but also ends when ctx is done.
func (soc *Socket) RecvBytesContext(ctx context.Context, flags Flag) ([]byte, error) {
	return recv(ctx, soc, flags)
}

// RecvMessage receives all parts of a message, or the rest of one that was
// begun with Recv. It blocks and fails as [Socket.Recv] does.
func (soc *Socket) RecvMessage(flags Flag) ([]string, error) {
	return recvMessage[string](context.Background(), soc, flags)
}

// RecvMessageContext is like [Socket.RecvMessage], but also ends when ctx is
// done.
func (soc *Socket) RecvMessageContext(ctx context.Context, flags Flag) ([]string, error) {
	return recvMessage[string](ctx, soc, flags)
}

// RecvMessageBytes is like [Socket.RecvMessage], for bytes. The slices belong
// to the caller.
func (soc *Socket) RecvMessageBytes(flags Flag) ([][]byte, error) {
	return recvMessage[[]byte](context.Background(), soc, flags)
}

// RecvMessageBytesContext is like [Socket.RecvMessageBytes], but also ends when
// ctx is done.
func (soc *Socket) RecvMessageBytesContext(ctx context.Context, flags Flag) ([][]byte, error) {
	return recvMessage[[]byte](ctx, soc, flags)
}

// RecvInto receives one message part into buf and returns its size in bytes. It
// allocates nothing, and it blocks and fails as [Socket.Recv] does.
// [Socket.GetRcvmore] reports whether the message has more parts. See
// https://api.zeromq.org/4-3:zmq-msg-recv.
//
// If the part is larger than buf, n is its size, buf is unchanged, and the
// error wraps EMSGSIZE. No part is lost: the next receive, by any method,
// returns it. Until then a REQ or REP can't send (EFSM). The part's metadata is
// lost.
func (soc *Socket) RecvInto(buf []byte, flags Flag) (n int, err error) {
	return recvInto(context.Background(), soc, buf, flags)
}

// RecvIntoContext is like [Socket.RecvInto], but also ends when ctx is done.
func (soc *Socket) RecvIntoContext(ctx context.Context, buf []byte, flags Flag) (n int, err error) {
	return recvInto(ctx, soc, buf, flags)
}

// Messages iterates over the messages that arrive, each with all its parts.
//
//	for message, err := range soc.Messages(ctx) {
//		if err != nil {
//			return err // ctx.Err(), ErrorSocketClosed, ETERM
//		}
//		…
//	}
//
// The loop calls [Socket.RecvMessageBytesContext] for each message, so leaving
// it loses none. Several loops, one after another or at the same time, share
// what arrives. RCVTIMEO applies to each message. The first error is yielded
// and ends the loop. After Errno(syscall.EAGAIN), which means that RCVTIMEO has
// passed, a new loop may follow.
func (soc *Socket) Messages(ctx context.Context) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		for {
			message, err := soc.RecvMessageBytesContext(ctx, 0)
			if !yield(message, err) || err != nil {
				return
			}
		}
	}
}

func recv(ctx context.Context, soc *Socket, flags Flag) (part []byte, err error) {
	s, err := soc.enter(ctx)
	if err != nil {
		return nil, err
	}
	part, ready, err := s.tryRecv(s.Watched())
	s.Unlock(ready)
	if err == errAgain {
		err = s.Do(ctx, s.waitFor(guard.In, flags, true), func(watched bool) (ready guard.Ready, err error) {
			part, ready, err = s.tryRecv(watched)
			return ready, err
		})
	}
	runtime.KeepAlive(soc)
	return part, err
}

func recvMessage[T string | []byte](ctx context.Context, soc *Socket, flags Flag) (parts []T, err error) {
	s, err := soc.enter(ctx)
	if err != nil {
		return nil, err
	}
	parts, ready, err := tryRecvMessage[T](s, s.Watched())
	s.Unlock(ready)
	if err == errAgain {
		err = s.Do(ctx, s.waitFor(guard.In, flags, true), func(watched bool) (ready guard.Ready, err error) {
			parts, ready, err = tryRecvMessage[T](s, watched)
			return ready, err
		})
	}
	runtime.KeepAlive(soc)
	return parts, err
}

func recvInto(ctx context.Context, soc *Socket, buf []byte, flags Flag) (n int, err error) {
	s, err := soc.enter(ctx)
	if err != nil {
		return 0, err
	}
	n, ready, err := s.tryRecvInto(buf, s.Watched())
	s.Unlock(ready)
	if err == errAgain {
		err = s.Do(ctx, s.waitFor(guard.In, flags, true), func(watched bool) (ready guard.Ready, err error) {
			n, ready, err = s.tryRecvInto(buf, watched)
			return ready, err
		})
	}
	runtime.KeepAlive(soc)
	return n, err
}

// The try… and take… functions below are called with the lock held, and never
// block. They return errAgain if there is nothing to receive, and, if the
// socket is watched, the readiness that Unlock needs. A take… function takes
// parts from libzmq; a try… function also records that the program has received
// them.

func (s *socketState) tryRecv(watched bool) ([]byte, guard.Ready, error) {
	part, more, ready, err := s.takePart(watched)
	if err == nil {
		s.partReceived(more)
	}
	return part, ready, err
}

func tryRecvMessage[T string | []byte](s *socketState, watched bool) ([]T, guard.Ready, error) {
	parts, ready, err := takeParts[T](s, watched)
	if err == nil {
		s.partReceived(false)
	}
	return parts, ready, err
}

func (s *socketState) tryRecvInto(buf []byte, watched bool) (int, guard.Ready, error) {
	if len(s.unread) > 0 {
		n := len(s.unread[0].data)
		if n > len(buf) {
			return n, s.eventsIf(watched), tooLarge(n, buf)
		}
		part := s.takeUnread()
		copy(buf, part.data)
		s.partReceived(part.more)
		return n, s.eventsIf(watched), nil
	}
	n, more, events, errno := libzmq.Recv(s.sock, buf, &s.msg, watched)
	switch {
	case errno != 0:
		return 0, guard.Ready(events), errnoError(errno)
	case n > len(buf):
		data := make([]byte, n)
		libzmq.Copy(&s.msg, data)
		s.unread = []unreadPart{{data, more}}
		return n, s.readiness(guard.Ready(events)), tooLarge(n, buf)
	}
	s.partReceived(more)
	return n, guard.Ready(events), nil
}

// partReceived records that the program has received a part, and a message with
// its last part.
func (s *socketState) partReceived(more bool) {
	s.rcvmore = more
	if !more {
		s.received++
	}
}

// takeParts takes a whole message, or the rest of one. libzmq hands over the
// first part only when all parts have arrived, so only the first can return
// errAgain.
func takeParts[T string | []byte](s *socketState, watched bool) ([]T, guard.Ready, error) {
	var parts []T
	for {
		part, more, ready, err := s.takePart(watched)
		if err != nil {
			return nil, ready, err
		}
		parts = append(parts, owned[T](part))
		if !more {
			return parts, ready, nil
		}
	}
}

// smallPart is the largest part, in bytes, that is received in one call to C.
const smallPart = 1024

func (s *socketState) takePart(watched bool) (part []byte, more bool, ready guard.Ready, err error) {
	if len(s.unread) > 0 {
		kept := s.takeUnread()
		return kept.data, kept.more, s.eventsIf(watched), nil
	}
	if s.buf == nil {
		s.buf = make([]byte, smallPart) // only now, because many sockets only send
	}
	n, more, events, errno := libzmq.Recv(s.sock, s.buf, &s.msg, watched)
	if errno != 0 {
		return nil, false, guard.Ready(events), errnoError(errno)
	}
	part = make([]byte, n)
	if n <= len(s.buf) {
		copy(part, s.buf)
	} else {
		libzmq.Copy(&s.msg, part)
	}
	return part, more, guard.Ready(events), nil
}

// owned makes a string of data without copying. Nobody else may have data. The
// header of a string is the beginning of a slice's.
func owned[T string | []byte](data []byte) T { return *(*T)(unsafe.Pointer(&data)) }

func tooLarge(n int, buf []byte) error {
	return &usageError{fmt.Sprintf("RecvInto: the part has %d bytes, the buffer only %d; receive it with a larger buffer", n, len(buf)), EMSGSIZE}
}

// Events returns ZMQ_EVENTS, adjusted for the unread parts. The caller holds
// the lock.
func (s *socketState) Events() guard.Ready { return s.readiness(guard.Ready(libzmq.Events(s.sock))) }

// eventsIf is Events for a caller that needs them only if the socket is
// watched.
func (s *socketState) eventsIf(watched bool) guard.Ready {
	if !watched {
		return 0
	}
	return s.Events()
}

// readiness returns what the socket is ready for if ZMQ_EVENTS is events.
func (s *socketState) readiness(events guard.Ready) guard.Ready {
	if len(s.unread) > 0 {
		events |= guard.In
		if s.mustReceive() {
			events &^= guard.Out
		}
	}
	return events
}

// mustReceive reports whether the unread parts must be received before the
// socket may send. That applies if requests and replies alternate: libzmq
// considers the unread parts received.
func (s *socketState) mustReceive() bool { return len(s.unread) > 0 && (s.typ == REQ || s.typ == REP) }
