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

// burst is how many messages are moved under one lock.
const burst = 128

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
// be ready in direction dir. Nothing if soc is nil. If it isn't exact, POLLOUT
// tells nothing, and the leg is to try now and then.
func (l *leg) waitsFor() (soc *Socket, dir State, exact bool) {
	switch l.stopped {
	case czmq.From:
		return l.from, POLLIN, true
	case czmq.To:
		return l.to, POLLOUT, l.to.s.exact(POLLOUT)
	case czmq.Capture:
		return l.capture, POLLOUT, l.capture.s.exact(POLLOUT)
	}
	return nil, 0, false
}

// move moves messages until there are no more, there is no room for more, or a
// burst is through.
func (l *leg) move() error {
	if err := l.lock(); err != nil {
		return err
	}
	from, to := l.from.s, l.to.s
	if l.hand.Empty() && len(from.unread) > 0 {
		parts, _, err := recvParts[[]byte](from, false)
		if err != nil {
			l.unlock(false)
			return err
		}
		l.hand.Take(parts)
	}
	var capture unsafe.Pointer
	var captureType Type
	if l.capture != nil {
		capture, captureType = l.capture.s.sock, l.capture.s.typ
	}
	watched := slices.ContainsFunc(l.locked, func(s *socketState) bool { return s.watched() })
	f := czmq.Forward(from.sock, to.sock, int(to.typ), capture, int(captureType), &l.hand, burst)
	from.rcvmore = false // whole messages were received
	l.unlock(watched)
	l.stopped = f.Why
	l.messages += f.Messages
	l.bytes += f.Bytes
	if f.Why == czmq.Failed {
		l.hand.Drop() // it would fail again
		return errnoError(f.Errno)
	}
	return nil
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
