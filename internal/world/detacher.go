package world

import (
	"errors"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// detach detaches the socket of a worker from its endpoints and attaches it
// again, now and then.
func (s *side) detach(w *worker) {
	rng := rand.New(rand.NewPCG(s.plan.Seed, uint64(w.index)))
	soc := w.socket
	for range w.Messages {
		if !s.pause(time.Duration(rng.IntN(20)) * time.Millisecond) {
			return
		}
		var err error
		if soc.plan.Binds != "" {
			err = soc.Unbind(s.endpoints[w.Socket])
		}
		for _, peer := range soc.plan.Peers {
			err = errors.Join(err, soc.Disconnect(s.endpoints[peer]))
		}
		if err == nil && !s.pause(time.Duration(rng.IntN(5))*time.Millisecond) {
			return
		}
		for again := err == nil; again; {
			err = s.attach(soc)
			again = zmqsafe.AsErrno(err) == zmqsafe.Errno(syscall.EADDRINUSE) && s.pause(time.Millisecond)
		}
		switch {
		case err == nil:
		case errors.Is(err, zmqsafe.ETERM), errors.Is(err, zmqsafe.ErrorSocketClosed):
			return
		default:
			s.fault("worker %d: detach: %v", w.index, err)
			return
		}
	}
}

// attach binds or connects a socket as the plan says.
func (s *side) attach(soc *socket) error {
	if soc.plan.Binds != "" {
		return soc.Bind(s.endpoints[soc.index])
	}
	for _, peer := range soc.plan.Peers {
		if err := soc.Connect(s.endpoints[peer]); err != nil {
			return err
		}
	}
	return nil
}
