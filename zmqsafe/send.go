package zmqsafe

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/czmq"
)

// Send sends one message part and returns its size. See
// https://api.zeromq.org/4-3:zmq-send.
//
// It blocks while the socket has no peer to send to or its high-water mark is
// reached, for SNDTIMEO at most (SetSndtimeo), unless flags has DONTWAIT; then,
// and after SNDTIMEO, the error is Errno(syscall.EAGAIN). While it is blocked,
// closing the socket ends it with ErrorSocketClosed and closing the context with
// ETERM. A call that ends with an error has sent nothing.
//
// Success means that libzmq has accepted the part. It is handed to the network
// by the time the context is closed if the peer takes it within the linger.
//
// With SNDMORE the message goes on with the next Send. Goroutines that share a
// socket should use SendMessage instead, which sends all parts in one call.
func (soc *Socket) Send(data string, flags Flag) (int, error) {
	return send(context.Background(), soc, viewOf(data), flags)
}

// SendContext is Send that also ends when ctx is done, with ctx.Err().
func (soc *Socket) SendContext(ctx context.Context, data string, flags Flag) (int, error) {
	return send(ctx, soc, viewOf(data), flags)
}

// SendBytes is Send for bytes. data may be used again when it returns.
func (soc *Socket) SendBytes(data []byte, flags Flag) (int, error) {
	return send(context.Background(), soc, data, flags)
}

// SendBytesContext is SendBytes that also ends when ctx is done, with ctx.Err().
func (soc *Socket) SendBytesContext(ctx context.Context, data []byte, flags Flag) (int, error) {
	return send(ctx, soc, data, flags)
}

// SendMessage sends a message of several parts, and returns the sum of their
// sizes. A []string or [][]byte counts as that many parts; a part that is
// neither string nor []byte is converted with fmt.Sprint.
//
// It blocks and fails as Send does, and sends either all parts or none. Messages
// of several goroutines never interleave.
func (soc *Socket) SendMessage(parts ...any) (int, error) {
	return sendMessage(context.Background(), soc, 0, parts)
}

// SendMessageContext is SendMessage that also ends when ctx is done, with
// ctx.Err().
func (soc *Socket) SendMessageContext(ctx context.Context, parts ...any) (int, error) {
	return sendMessage(ctx, soc, 0, parts)
}

// SendMessageDontwait is SendMessage with DONTWAIT: where that would block, the
// error is Errno(syscall.EAGAIN).
func (soc *Socket) SendMessageDontwait(parts ...any) (int, error) {
	return sendMessage(context.Background(), soc, DONTWAIT, parts)
}

func send(ctx context.Context, soc *Socket, data []byte, flags Flag) (int, error) {
	return do(ctx, soc, POLLOUT, flags, func(s *socketState, watched bool) (int, State, error) {
		inMessage := s.midSend
		n, ready, err := s.sendPart(data, flags, watched)
		if err == errAgain && inMessage && s.drops() {
			s.midSend = false
			if flags&DONTWAIT == 0 && s.sndtimeo != 0 {
				n, err = len(data), nil
			}
		}
		if err == nil && flags&SNDMORE == 0 {
			s.accepted++
		}
		return n, ready, err
	})
}

func sendMessage(ctx context.Context, soc *Socket, flags Flag, parts []any) (int, error) {
	flat := flatten(parts)
	return do(ctx, soc, POLLOUT, flags, func(s *socketState, watched bool) (int, State, error) {
		n, ready, err := s.sendParts(flat, watched)
		if err == nil && len(flat) > 0 {
			s.accepted++
		}
		return n, ready, err
	})
}

// sendParts tries to send a whole message. Only the first part can be refused
// for want of room; EAGAIN further on says that the peer which was to get the
// message is gone, and with it what it got. Then the message starts over, with
// another peer.
func (s *socketState) sendParts(parts [][]byte, watched bool) (total int, ready State, err error) {
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
			// What was sent before can't be sent again: the program has it, or
			// the REQ has begun its request and won't begin another. The message
			// shares the fate of its peer, as with a blocking zmq_send.
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

// sendPart tries to send one part. The caller holds mu.
func (s *socketState) sendPart(data []byte, flags Flag, watched bool) (int, State, error) {
	if s.mustReceive() {
		return -1, s.eventsIf(watched), EFSM
	}
	n, events, errno := czmq.Send(s.sock, data, int(flags), !s.midSend, watched)
	if errno == 0 {
		s.midSend = flags&SNDMORE != 0
	}
	return n, s.readiness(events), errnoError(errno)
}

// drops reports whether libzmq drops the rest of a message when the peer that
// got its first parts is gone (lb.cpp, lb_t::sendpipe). A blocking zmq_send
// then says success (socket_base.cpp, socket_base_t::send), a non-blocking one
// EAGAIN, and the parts up to the last are swallowed.
func (s *socketState) drops() bool {
	return s.typ == PUSH || s.typ == DEALER || s.typ == REQ
}

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

// viewOf is s as bytes that must not be written to.
func viewOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
