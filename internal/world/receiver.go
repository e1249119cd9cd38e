package world

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// receive receives until the socket is closed.
func (s *side) receive(w *worker) {
	rng := rand.New(rand.NewPCG(s.plan.Seed, uint64(w.index)))
	poll := zmqsafe.NewPoller()
	poll.Add(w.socket.Socket, zmqsafe.POLLIN)
	for n := 0; ; {
		if w.Stall > 0 && n >= w.Stall {
			select {
			case <-s.released:
			case <-s.ending:
				return
			}
		}
		parts, err := w.receiveOnce(poll, rng)
		switch {
		case err == errCut:
			if _, _, err := identify(s.run, s.plan, w.withoutIdentity(parts)); err == nil {
				s.record(w, parts)
			}
			return
		case err == nil:
			if s.record(w, parts) {
				n++
			}
		case over(err):
			return
		case !again(err):
			s.fault("worker %d: receive: %v", w.index, err)
			return
		}
	}
}

// errCut says that the socket was closed after a part was received, so that
// nobody knows whether it was the last.
var errCut = errors.New("closed between two parts")

// receiveOnce tries once to receive a message, in one of the ways that there
// are.
func (w *worker) receiveOnce(poll *zmqsafe.Poller, rng *rand.Rand) (parts [][]byte, err error) {
	soc := w.socket
	switch rng.IntN(8) {
	case 0:
		if parts, err = soc.RecvMessageBytes(zmqsafe.DONTWAIT); err == nil || !again(err) {
			return parts, err
		}
	case 1:
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(300))*time.Microsecond)
		defer cancel()
		return soc.RecvMessageBytesContext(ctx, 0)
	case 2:
		if _, err = poll.Poll(-1); err != nil {
			return nil, err
		}
		return soc.RecvMessageBytes(zmqsafe.DONTWAIT)
	case 3:
		if !w.Alone {
			break
		}
		for more := true; more; {
			part, err := soc.RecvBytes(0)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part)
			if more, err = soc.GetRcvmore(); over(err) {
				return parts, errCut
			} else if err != nil {
				return nil, err
			}
		}
		return parts, nil
	case 4:
		texts, err := soc.RecvMessage(0)
		for _, text := range texts {
			parts = append(parts, []byte(text))
		}
		return parts, err
	}
	return soc.RecvMessageBytes(0)
}

// record counts a message, looks whether it is as it was sent, and reports
// whether it was no probe.
func (s *side) record(w *worker, parts [][]byte) bool {
	identity := string(parts[0]) // of a ROUTER
	stream, number, err := identify(s.run, s.plan, w.withoutIdentity(parts))
	if err != nil {
		s.fault("worker %d: %v", w.index, err)
		return false
	}
	from := s.plan.Workers[stream]
	if want := s.plan.Sockets[from.Socket].Identity; from.Out != w.In || w.socket.plan.Type == zmqsafe.ROUTER && identity != want {
		s.fault("worker %d: message %d of stream %d is not for this socket, or came from %q instead of %q", w.index, number, stream, identity, want)
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if number == probe {
		w.received.Probes[stream]++
		return false
	}
	got := w.received.Streams[stream]
	if got == nil {
		got = &Stream{Last: -1}
		w.received.Streams[stream] = got
		w.socket.hear(stream, len(s.plan.senders(w.In)))
	}
	n := int(number)
	if n < got.Last && !s.plan.detaches(s.plan.Flows[w.In]) {
		s.fault("worker %d: message %d of stream %d came after %d", w.index, n, stream, got.Last)
	}
	got.Seen.Add(n)
	got.Count++
	got.Last = max(got.Last, n)
	return true
}

// withoutIdentity leaves out what a ROUTER puts before a message.
func (w *worker) withoutIdentity(parts [][]byte) [][]byte {
	if w.socket.plan.Type == zmqsafe.ROUTER {
		return parts[1:]
	}
	return parts
}

// hear notes that something of a stream has arrived, of so many in all.
func (s *socket) hear(stream, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard[stream] {
		return
	}
	s.heard[stream] = true
	if len(s.heard) == all {
		close(s.peers)
	}
}

// ask sends requests and receives replies.
func (s *side) ask(w *worker) {
	select {
	case <-s.ready:
	case <-s.ending:
		return
	}
	for n := range w.Messages {
		_, err := w.socket.SendMessage(message(s.run, w.index, w.Worker, uint32(n)))
		if err == nil {
			w.accepted.Add(1)
			var parts [][]byte
			if parts, err = w.socket.RecvMessageBytes(0); err == nil {
				s.record(w, parts)
			}
		}
		if err != nil {
			if !over(err) {
				s.fault("worker %d: ask: %v", w.index, err)
			}
			return
		}
	}
}

// reply receives requests and replies to them, until the socket is closed.
func (s *side) reply(w *worker) {
	for n := uint32(0); ; n++ {
		parts, err := w.socket.RecvMessageBytes(0)
		if err == nil {
			s.record(w, parts)
			if _, err = w.socket.SendMessage(message(s.run, w.index, w.Worker, n)); err == nil {
				w.accepted.Add(1)
			}
		}
		if err != nil {
			if !over(err) {
				s.fault("worker %d: reply: %v", w.index, err)
			}
			return
		}
	}
}

// look does what changes nothing, but goes through libzmq.
func (s *side) look(w *worker) {
	poll := zmqsafe.NewPoller()
	for _, soc := range s.sockets {
		poll.Add(soc.Socket, zmqsafe.POLLIN|zmqsafe.POLLOUT)
	}
	for s.pause(time.Millisecond) {
		_, polled := poll.Poll(0)
		_, read := w.socket.GetEvents()
		for _, err := range []error{polled, read} {
			if err != nil {
				if !over(err) {
					s.fault("worker %d: %v", w.index, fmt.Errorf("look: %w", err))
				}
				return
			}
		}
		_ = s.ctx.Sockets()
	}
}
