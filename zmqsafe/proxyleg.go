package zmqsafe

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/czmq"
)

// leg is one direction of a proxy.
//
// It takes a message before it knows that the other side has room for it: asking
// for each message would cost as much as moving it. A message that it can't send
// it keeps in hand, and in the end gives it back to the socket from which it came.
type leg struct {
	from, to, capture *Socket // capture may be nil
	locked            []*socketState
	hand              czmq.Hand
	stopped           czmq.Why // why the last move ended
	messages, bytes   uint64
}

// burst is how many message parts are moved under one lock, except that the last
// message is moved whole.
const burst = 256

func newLeg(from, to, capture *Socket) *leg {
	l := &leg{from: from, to: to, capture: capture, stopped: czmq.From, locked: []*socketState{from.s, to.s}}
	if capture != nil {
		l.locked = append(l.locked, capture.s)
	}
	// All proxies lock their sockets in the same order. Objects don't move in Go.
	slices.SortFunc(l.locked, func(a, b *socketState) int {
		return cmp.Compare(uintptr(unsafe.Pointer(a)), uintptr(unsafe.Pointer(b)))
	})
	l.locked = slices.Compact(l.locked)
	return l
}

// waitsFor returns what has to happen before the next move makes sense: soc is to
// be ready in direction dir. If it isn't exact, POLLOUT tells nothing, and the leg
// is to try now and then.
func (l *leg) waitsFor() (soc *Socket, dir State, exact bool) {
	switch l.stopped {
	case czmq.To:
		return l.to, POLLOUT, l.to.s.exact(POLLOUT)
	case czmq.Capture:
		return l.capture, POLLOUT, l.capture.s.exact(POLLOUT)
	}
	return l.from, POLLIN, true
}

// move moves messages until there are no more, there is no room for more, or a
// burst is through. It reports whether it has moved any.
func (l *leg) move() (moved bool, err error) {
	if err := l.lock(); err != nil {
		return false, err
	}
	watched := slices.ContainsFunc(l.locked, func(s *socketState) bool { return s.watched() })
	defer func() { l.unlock(watched) }()
	most := burst
	if from := l.from.s; len(from.unread) > 0 {
		if l.hand.Empty() {
			parts, _, err := recvParts[[]byte](from, false)
			if err != nil {
				return false, err
			}
			l.hand.Take(parts)
		}
		most = 1 // what is unread now comes before what libzmq has
	}
	f := l.forward(most)
	l.stopped = f.Why
	l.messages += f.Messages
	l.bytes += f.Bytes
	if f.Why == czmq.Failed {
		return false, errnoError(f.Errno)
	}
	return f.Messages > 0, nil
}

// forward moves messages from what libzmq has. The caller has locked the sockets.
func (l *leg) forward(most int) (f czmq.Forwarded) {
	from, to := l.from.s, l.to.s
	if l.capture == nil {
		f = czmq.Forward(from.sock, to.sock, int(to.typ), nil, 0, &l.hand, most)
	} else {
		capture := l.capture.s
		f = czmq.Forward(from.sock, to.sock, int(to.typ), capture.sock, int(capture.typ), &l.hand, most)
		capture.midSend = capture.midSend && f.Captured == 0
		capture.accepted += f.Captured
	}
	// Whole messages were received and sent, or what was left of one.
	from.rcvmore = from.rcvmore && !f.Taken
	to.midSend = to.midSend && f.Messages == 0
	from.received += f.Messages
	if f.Dropped {
		from.received++
	}
	to.accepted += f.Messages
	return f
}

// end gives the message in hand back. Where its socket is closed it shares the
// fate of all that was not received.
func (l *leg) end() {
	defer l.hand.Free()
	from := l.from.s
	if l.hand.Empty() || from.lock() != nil {
		return
	}
	from.putBack(l.hand.Parts())
	from.unlock(POLLIN)
}

func (l *leg) lock() error {
	for i, s := range l.locked {
		if err := s.lock(); err != nil {
			for _, s := range l.locked[:i] {
				s.unlock(0)
			}
			return err
		}
	}
	return nil
}

// unlock tells who waits for one of the sockets what it is ready for.
func (l *leg) unlock(watched bool) {
	events := make([]State, len(l.locked))
	if watched {
		for i, s := range l.locked {
			events[i] = s.events()
		}
	}
	for i, s := range l.locked {
		s.unlock(events[i])
	}
}
