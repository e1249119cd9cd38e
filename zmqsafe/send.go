package zmqsafe

import (
	"context"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/libzmq"
)

// Send sends one message part and returns its size in bytes. See
// https://api.zeromq.org/4-3:zmq-send.
//
// It blocks while the socket has no peer to send to or its high-water mark is
// reached, for SNDTIMEO at most ([Socket.SetSndtimeo]), and not at all with
// [DONTWAIT]. If the part can't be sent in that time, the error is
// Errno(syscall.EAGAIN). Closing the socket ends a blocked call with
// [ErrorSocketClosed], closing the context with ETERM. A call that returns an
// error has sent nothing.
//
// Success means that libzmq has accepted the part. When the context has been
// closed, the part has been handed to the network if the peer took it within
// the linger.
//
// With [SNDMORE] the next Send continues the message. Goroutines that share a
// socket should use [Socket.SendMessage] instead, which sends all parts in one
// call.
func (soc *Socket) Send(data string, flags Flag) (int, error) {
	return send(context.Background(), soc, viewOf(data), flags)
}

// SendContext is like [Socket.Send], but also ends when ctx is done.
func (soc *Socket) SendContext(ctx context.Context, data string, flags Flag) (int, error) {
	return send(ctx, soc, viewOf(data), flags)
}

// SendBytes is like [Socket.Send], for bytes. The caller may reuse data when it
// returns.
func (soc *Socket) SendBytes(data []byte, flags Flag) (int, error) {
	return send(context.Background(), soc, data, flags)
}

// SendBytesContext is like [Socket.SendBytes], but also ends when ctx is done.
func (soc *Socket) SendBytesContext(ctx context.Context, data []byte, flags Flag) (int, error) {
	return send(ctx, soc, data, flags)
}

// SendMessage sends a message of one or more parts and returns the sum of their
// sizes in bytes. A []string or [][]byte stands for that many parts; a part
// that is neither string nor []byte is converted with [fmt.Sprint].
//
// It blocks and fails as [Socket.Send] does, and sends either all parts or
// none. Messages from several goroutines never interleave.
func (soc *Socket) SendMessage(parts ...any) (int, error) {
	return sendMessage(context.Background(), soc, 0, parts)
}

// SendMessageContext is like [Socket.SendMessage], but also ends when ctx is
// done.
func (soc *Socket) SendMessageContext(ctx context.Context, parts ...any) (int, error) {
	return sendMessage(ctx, soc, 0, parts)
}

// SendMessageDontwait is like [Socket.SendMessage] with [DONTWAIT]: instead of
// blocking it fails with Errno(syscall.EAGAIN). It still sends all parts or
// none; pebbe/zmq4 may stop halfway.
func (soc *Socket) SendMessageDontwait(parts ...any) (int, error) {
	return sendMessage(context.Background(), soc, DONTWAIT, parts)
}

func send(ctx context.Context, soc *Socket, data []byte, flags Flag) (n int, err error) {
	s, err := soc.enter(ctx)
	if err != nil {
		return 0, err
	}
	w := s.waitFor(guard.Out, flags, true)
	n, ready, err := s.trySend(data, flags, w.Timeout != 0, s.Watched())
	s.Unlock(ready)
	if err == errAgain {
		err = s.Do(ctx, w, func(watched bool) (ready guard.Ready, err error) {
			n, ready, err = s.trySend(data, flags, w.Timeout != 0, watched)
			return ready, err
		})
	}
	runtime.KeepAlive(soc)
	return n, err
}

func sendMessage(ctx context.Context, soc *Socket, flags Flag, parts []any) (n int, err error) {
	flat := flatten(parts)
	s, err := soc.enter(ctx)
	if err != nil {
		return 0, err
	}
	n, ready, err := s.trySendMessage(flat, s.Watched())
	s.Unlock(ready)
	if err == errAgain {
		err = s.Do(ctx, s.waitFor(guard.Out, flags, true), func(watched bool) (ready guard.Ready, err error) {
			n, ready, err = s.trySendMessage(flat, watched)
			return ready, err
		})
	}
	runtime.KeepAlive(soc)
	return n, err
}

// The try… functions below are called with the lock held, and never block. They
// return errAgain if the socket isn't ready, and, if the socket is watched, the
// readiness that Unlock needs.

func (s *socketState) trySend(data []byte, flags Flag, waits, watched bool) (int, guard.Ready, error) {
	inMessage := s.midSend
	n, ready, err := s.sendPart(data, flags, watched)
	if err == errAgain && inMessage && s.drops() {
		s.midSend = false
		if waits {
			n, err = len(data), nil
		}
	}
	if err == nil && flags&SNDMORE == 0 {
		s.accepted++
	}
	return n, ready, err
}

func (s *socketState) trySendMessage(parts [][]byte, watched bool) (int, guard.Ready, error) {
	n, ready, err := s.sendParts(parts, watched)
	if err == nil && len(parts) > 0 {
		s.accepted++
	}
	return n, ready, err
}

// sendParts tries to send a whole message. Only the first part can be refused
// for lack of room. EAGAIN for a later part means that the peer chosen for the
// message is gone, with the parts that it got. Then the message starts over,
// with another peer.
func (s *socketState) sendParts(parts [][]byte, watched bool) (total int, ready guard.Ready, err error) {
	joined := s.midSend // the program began this message with SNDMORE
	for i := 0; i < len(parts); i++ {
		flags := SNDMORE
		if i == len(parts)-1 {
			flags = 0
		}
		inMessage := s.midSend
		n, r, err := s.sendPart(parts[i], flags, watched)
		switch {
		case err == nil:
			total += n
		case err != errAgain || !inMessage:
			return -1, r, err
		case s.drops() && (joined || s.typ == REQ):
			// The parts sent before can't be sent again: only the program has
			// them, or the REQ has begun its request and won't begin another.
			// The message is lost with its peer, as with a blocking zmq_send.
			s.midSend = false
			total += len(parts[i])
		default:
			if s.drops() && flags&SNDMORE != 0 {
				_, _, _ = s.sendPart(nil, 0, false) // swallowed: ends the dropping
			}
			s.midSend = false
			i, total = -1, 0
		}
		ready = r
	}
	return total, ready, nil
}

// sendPart tries to send one part.
func (s *socketState) sendPart(data []byte, flags Flag, watched bool) (int, guard.Ready, error) {
	if s.mustReceive() {
		return -1, s.eventsIf(watched), EFSM
	}
	if !s.midSend && s.dropsIfFull() && s.accepted%uint64(s.quarterQueue()) == 0 {
		s.Events()
	}
	n, events, errno := libzmq.Send(s.sock, data, int(flags), !s.midSend, watched)
	if errno == 0 {
		s.midSend = flags&SNDMORE != 0
		s.multipart = s.multipart || s.midSend
	}
	return n, s.readiness(guard.Ready(events)), errnoError(errno)
}

// drops reports whether libzmq drops the rest of a message if the peer that got
// its first parts is gone (lb.cpp, lb_t::sendpipe). A blocking zmq_send then
// returns success (socket_base.cpp, socket_base_t::send), a non-blocking one
// EAGAIN, and libzmq swallows the remaining parts.
func (s *socketState) drops() bool { return s.typ == PUSH || s.typ == DEALER || s.typ == REQ }

// flatten lists the parts of a message. Strings are viewed, not copied.
func flatten(parts []any) [][]byte {
	flat := make([][]byte, 0, len(parts))
	for _, part := range parts {
		switch p := part.(type) {
		case string:
			flat = append(flat, viewOf(p))
		case []byte:
			flat = append(flat, p)
		case []string:
			for _, s := range p {
				flat = append(flat, viewOf(s))
			}
		case [][]byte:
			flat = append(flat, p...)
		default:
			flat = append(flat, viewOf(fmt.Sprint(p)))
		}
	}
	return flat
}

// viewOf returns the bytes of s without copying them. They must not be written
// to.
func viewOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
