package zmqsafe

import (
	"cmp"
	"slices"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/libzmq"
)

// direction is one direction of a proxy.
//
// It takes a message before it knows that the destination has room for it:
// asking for each message would cost as much as moving it. A message that it
// can't send stays in flight, and in the end goes back to the socket that it
// came from.
type direction struct {
	from, to, capture *Socket // capture may be nil
	locked            []*socketState
	inFlight          libzmq.InFlight
	stopped           libzmq.Why // why the last move ended
	messages, bytes   uint64
}

// burst is how many message parts are moved under one lock; the last message is
// always moved whole.
const burst = 256

func newDirection(from, to, capture *Socket) *direction {
	d := &direction{from: from, to: to, capture: capture, stopped: libzmq.FromEmpty, locked: []*socketState{from.s, to.s}}
	if capture != nil {
		d.locked = append(d.locked, capture.s)
	}
	slices.SortFunc(d.locked, func(a, b *socketState) int { return cmp.Compare(a.Number(), b.Number()) })
	d.locked = slices.Compact(d.locked)
	return d
}

// waitsFor returns what must happen before the next move makes sense: soc must
// be ready in direction dir. If that is not reliable, POLLOUT says nothing, and
// the direction tries now and then.
func (d *direction) waitsFor() (soc *Socket, dir State, reliable bool) {
	switch d.stopped {
	case libzmq.ToFull:
		return d.to, POLLOUT, d.to.s.reliable(guard.Out)
	case libzmq.CaptureFull:
		return d.capture, POLLOUT, d.capture.s.reliable(guard.Out)
	}
	return d.from, POLLIN, true
}

// move moves messages until there are none left, there is no room for more, or
// a burst is done. It reports whether it has moved any.
func (d *direction) move() (moved bool, err error) {
	if err := d.lock(); err != nil {
		return false, err
	}
	watched := slices.ContainsFunc(d.locked, func(s *socketState) bool { return s.Watched() })
	held := d.held()
	defer func() {
		d.from.s.inFlight += d.held() - held
		d.unlock(watched)
	}()
	most := burst
	if from := d.from.s; len(from.unread) > 0 {
		if d.inFlight.Empty() {
			parts, _, err := takeParts[[]byte](from, false)
			if err != nil {
				return false, err
			}
			from.rcvmore = false // it was a whole message, or the rest of one
			d.inFlight.Put(parts)
		}
		most = 1 // the remaining unread parts come before what libzmq has
	}
	f := d.forward(most)
	d.stopped = f.Why
	d.messages += f.Messages
	d.bytes += f.Bytes
	if f.Why == libzmq.Failed {
		return false, errnoError(f.Errno)
	}
	return f.Messages > 0, nil
}

// held is how many messages are in flight.
func (d *direction) held() int {
	if d.inFlight.Empty() {
		return 0
	}
	return 1
}

// forward moves messages that libzmq has. The caller has locked the sockets.
func (d *direction) forward(most int) (f libzmq.Forwarded) {
	from, to := d.from.s, d.to.s
	for _, soc := range []*Socket{d.to, d.capture} {
		if soc != nil && soc.s.dropsIfFull() {
			soc.s.Events()
			most = min(most, soc.s.quarterQueue())
		}
	}
	if d.capture == nil {
		f = libzmq.Forward(from.sock, to.sock, nil, &d.inFlight, most)
	} else {
		capture := d.capture.s
		f = libzmq.Forward(from.sock, to.sock, capture.sock, &d.inFlight, most)
		capture.midSend = capture.midSend && f.Captured == 0
		capture.accepted += f.Captured
		capture.multipart = true // or so: nobody looked
	}
	// Whole messages, or the rest of one, were received and sent.
	from.rcvmore = from.rcvmore && !f.Taken
	to.midSend = to.midSend && f.Messages == 0
	from.received += f.Messages
	if f.Dropped {
		from.received++
	}
	to.accepted += f.Messages
	to.multipart = true
	return f
}

// end gives back the message in flight. If its socket is closed, the message is
// lost with everything else that was not received, and counted so.
func (d *direction) end() {
	defer d.inFlight.Free()
	from := d.from.s
	if d.inFlight.Empty() || from.Lock() != nil {
		return
	}
	from.putBack(d.inFlight.Parts())
	from.inFlight--
	from.Unlock(guard.In)
}

func (d *direction) lock() error {
	for i, s := range d.locked {
		if err := s.Lock(); err != nil {
			for _, s := range d.locked[:i] {
				s.Unlock(0)
			}
			return err
		}
	}
	return nil
}

// unlock unlocks the sockets. It wakes the calls that wait for what a socket is
// now ready for.
func (d *direction) unlock(watched bool) {
	events := make([]guard.Ready, len(d.locked))
	if watched {
		for i, s := range d.locked {
			events[i] = s.Events()
		}
	}
	for i, s := range d.locked {
		s.Unlock(events[i])
	}
}
