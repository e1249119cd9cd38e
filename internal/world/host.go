package world

import (
	"errors"
	"sync"
	"time"
)

// host executes in a child what the parent asks for. Its exported methods are
// called through net/rpc, from several goroutines.
type host struct {
	mu    sync.Mutex
	sides map[Place]*side // guarded by mu
}

// Place says which context of which run.
type Place struct {
	Run     uint32
	Context int
}

// Opening says what [host.Open] opens.
type Opening struct {
	Place Place
	Plan  Plan
	Dir   string
}

// Starting says what [host.Start] starts.
type Starting struct {
	Place     Place
	Endpoints map[int]string
}

// Ending says what [host.End] ends.
type Ending struct {
	Place Place
	End   End
}

// EndReply is what [host.End] returns.
type EndReply struct {
	Ended Ended
	Said  map[int]Said
}

func (h *host) side(p Place) (*side, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.sides[p]; s != nil {
		return s, nil
	}
	return nil, errors.New("not open")
}

// Open makes a context and its sockets, and returns what they are bound to.
func (h *host) Open(args Opening, bound *map[int]string) error {
	s, endpoints, err := open(args.Place.Run, &args.Plan, args.Place.Context, args.Dir)
	if err != nil {
		return err
	}
	*bound = endpoints
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sides[args.Place] = s
	return nil
}

// Start connects the sockets and starts the workers.
func (h *host) Start(args Starting, _ *bool) error {
	s, err := h.side(args.Place)
	if err != nil {
		return err
	}
	return s.start(args.Endpoints)
}

// Ready says that all receivers are known to be there.
func (h *host) Ready(at Place, _ *bool) error {
	s, err := h.side(at)
	if err != nil {
		return err
	}
	close(s.ready)
	return nil
}

// Release says that a context has been closed.
func (h *host) Release(at Place, _ *bool) error {
	s, err := h.side(at)
	if err != nil {
		return err
	}
	close(s.released)
	return nil
}

// Poke reads the events of all sockets.
func (h *host) Poke(at Place, _ *bool) error {
	s, err := h.side(at)
	if err != nil {
		return err
	}
	for _, soc := range s.sockets {
		_, _ = soc.GetEvents()
	}
	return nil
}

// Progress returns what has been counted so far, without the sets.
func (h *host) Progress(at Place, c *Counts) error {
	s, err := h.side(at)
	if err != nil {
		return err
	}
	*c = newCounts()
	s.progress(c, false)
	return nil
}

// End closes the context.
func (h *host) End(args Ending, reply *EndReply) error {
	s, err := h.side(args.Place)
	if err != nil {
		return err
	}
	reply.Ended, reply.Said = s.end(args.End)
	return nil
}

// Counts waits for the workers, forgets the run and returns what was counted.
func (h *host) Counts(at Place, c *Counts) error {
	s, err := h.side(at)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		s.closed.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(hangs / 2):
		s.fault("context %d: a call goes on after the context was closed", at.Context)
	}
	*c = newCounts()
	s.progress(c, true)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sides, at)
	return nil
}
