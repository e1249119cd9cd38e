package world

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// send sends the messages of a worker.
func (s *side) send(w *worker) {
	rng := rand.New(rand.NewPCG(s.plan.Seed, uint64(w.index)))
	if !s.awaitPeers(w) {
		return
	}
	ctx := context.Background()
	if w.Patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.Patience)
		defer cancel()
	}
	poll := zmqsafe.NewPoller()
	poll.Add(w.socket.Socket, zmqsafe.POLLOUT)
	for n := 0; n < w.Messages && ctx.Err() == nil; {
		// With CONFLATE libzmq drops the newest of several messages if its
		// reader takes an older one at that moment (dbuffer.hpp), so the last
		// one comes alone.
		if n == w.Messages-1 && s.plan.Flows[w.Out].Kind == Latest && !s.pause(20*time.Millisecond) {
			return
		}
		number, count := uint32(n), &w.accepted
		parts := message(s.run, w.index, w.Worker, number)
		if w.socket.plan.Type == zmqsafe.ROUTER {
			to := s.plan.Flows[w.Out].To
			identity := s.plan.Sockets[to[rng.IntN(len(to))]].Identity
			if !w.socket.plan.Mandatory && rng.IntN(8) == 0 {
				identity, count = "nobody", &w.others
				parts = message(s.run, w.index, w.Worker, ghost)
			}
			parts = append([][]byte{[]byte(identity)}, parts...)
		}
		switch err := w.sendOnce(ctx, poll, rng, parts); {
		case err == nil:
			count.Add(1)
			if count == &w.accepted {
				n++
			}
		case zmqsafe.AsErrno(err) == zmqsafe.Errno(syscall.EHOSTUNREACH):
			if !s.pause(time.Millisecond) {
				return
			}
		case over(err):
			return
		case !again(err):
			s.fault("worker %d: send: %v", w.index, err)
			return
		}
	}
}

// awaitPeers waits until the worker can know who receives: it sends probes to
// subscribers until all have answered, and a ROUTER waits until each peer has
// sent something. It returns false if the program ends before that.
func (s *side) awaitPeers(w *worker) bool {
	if w.socket.plan.Type == zmqsafe.ROUTER {
		select {
		case <-w.socket.peers:
		case <-s.ending:
			return false
		}
	}
	copies := len(s.plan.Flows[w.Out].To) > 0 && subscribes(s.plan.Sockets[s.plan.Flows[w.Out].To[0]].Type)
	for {
		select {
		case <-s.ready:
			return true
		case <-s.ending:
			return false
		case <-after(time.Millisecond, copies):
		}
		switch _, err := w.socket.SendMessageDontwait(message(s.run, w.index, w.Worker, probe)); {
		case err == nil:
			w.others.Add(1)
		case over(err):
			return false
		case !again(err):
			s.fault("worker %d: probe: %v", w.index, err)
			return false
		}
	}
}

// after is time.After, or never.
func after(d time.Duration, ever bool) <-chan time.Time {
	if !ever {
		return nil
	}
	return time.After(d)
}

// sendOnce tries once to send a message, in one of the ways that there are.
func (w *worker) sendOnce(ctx context.Context, poll *zmqsafe.Poller, rng *rand.Rand, parts [][]byte) (err error) {
	way := rng.IntN(8)
	if w.Patience > 0 {
		way %= 4 // those that don't block, or that ctx ends
	}
	soc := w.socket
	switch way {
	case 0:
		_, err = soc.SendMessageDontwait(parts)
	case 1:
		short, cancel := context.WithTimeout(ctx, time.Duration(rng.IntN(300))*time.Microsecond)
		defer cancel()
		_, err = soc.SendMessageContext(short, parts)
	case 2:
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		if _, err = poll.PollContext(short); err == nil {
			_, err = soc.SendMessageDontwait(parts)
		}
	case 3:
		_, err = soc.SendMessageContext(ctx, parts)
	case 4:
		if !w.Alone {
			_, err = soc.SendMessage(parts)
			break
		}
		for i, part := range parts {
			flags := zmqsafe.SNDMORE
			if i == len(parts)-1 {
				flags = 0
			}
			if _, err = soc.SendBytes(part, flags); err != nil {
				break
			}
		}
	case 5:
		if len(parts) == 1 {
			_, err = soc.Send(string(parts[0]), 0)
			break
		}
		fallthrough
	default:
		_, err = soc.SendMessage(parts)
	}
	return err
}

// again reports whether a call has ended because it was to.
func again(err error) bool {
	return zmqsafe.AsErrno(err) == zmqsafe.Errno(syscall.EAGAIN) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// over reports whether a call has ended because its socket or context was
// closed.
func over(err error) bool {
	return err == zmqsafe.ETERM || err == zmqsafe.ErrorSocketClosed || err == zmqsafe.ErrorContextClosed
}

// pause waits, and returns false if the program ends.
func (s *side) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.ending:
		return false
	}
}
