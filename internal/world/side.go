package world

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// side executes the part of a plan that is in one context.
type side struct {
	run     uint32
	plan    *Plan
	context int
	ctx     *zmqsafe.Context
	sockets map[int]*socket
	workers map[int]*worker

	endpoints map[int]string // of all sockets that bind, set by start

	ready    chan struct{} // closed when all receivers are known to be there
	released chan struct{} // closed when a context has been closed
	ending   chan struct{} // closed before the context is
	running  sync.WaitGroup
	closed   sync.WaitGroup // those that close a socket themselves

	mu     sync.Mutex
	faults []string // guarded by mu
}

// socket is a socket of the plan that is open.
type socket struct {
	*zmqsafe.Socket
	index   int
	plan    Socket
	site    string         // where it was made
	senders sync.WaitGroup // its workers that send
	closed  atomic.Int64   // when the program closed it, in Unix nanoseconds; 0: not yet
	settled chan struct{}  // closed when the connections to all its peers have ended

	mu    sync.Mutex
	heard map[int]bool  // guarded by mu; the streams of which it has received something
	peers chan struct{} // closed when that are all
}

// worker is a worker of the plan that runs.
type worker struct {
	Worker
	index  int
	socket *socket

	accepted, others atomic.Int64
	done             atomic.Bool
	mu               sync.Mutex
	received         Received // guarded by mu
}

// open makes the sockets of one context, and binds those that bind.
func open(run uint32, p *Plan, at int, dir string) (s *side, bound map[int]string, err error) {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return nil, nil, err
	}
	s = &side{
		run: run, plan: p, context: at, ctx: ctx, sockets: map[int]*socket{}, workers: map[int]*worker{},
		ready: make(chan struct{}), released: make(chan struct{}), ending: make(chan struct{}),
	}
	bound = map[int]string{}
	for i, plan := range p.Sockets {
		if plan.Context != at {
			continue
		}
		soc := &socket{index: i, plan: plan, settled: make(chan struct{}), heard: map[int]bool{}, peers: make(chan struct{})}
		if soc.Socket, err = makers[i](ctx, plan.Type); err != nil {
			return nil, nil, err
		}
		all := ctx.Sockets()
		soc.site = all[len(all)-1].Site
		s.sockets[i] = soc
		if plan.Settles {
			s.running.Go(func() { s.awaitEnds(soc) })
		}
		if err = soc.configure(); err != nil {
			return nil, nil, fmt.Errorf("socket %d: %w", i, err)
		}
		endpoint := map[string]string{
			"tcp": "tcp://" + address(run) + ":*", "inproc": fmt.Sprint("inproc://", i), "ipc": "ipc://" + filepath.Join(dir, fmt.Sprint(run, ".", i)),
		}[plan.Binds]
		if endpoint == "" {
			continue
		}
		if err = soc.Bind(endpoint); err == nil {
			bound[i], err = soc.GetLastEndpoint()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("socket %d: %w", i, err)
		}
	}
	return s, bound, nil
}

func (s *socket) configure() error {
	p := s.plan
	set := func(when bool, f func() error) error {
		if when {
			return f()
		}
		return nil
	}
	return errors.Join(
		set(p.Linger >= 0, func() error { return s.SetLinger(p.Linger) }),
		s.SetSndhwm(p.SendHWM),
		s.SetRcvhwm(p.ReceiveHWM),
		set(p.Buffer > 0, func() error { return errors.Join(s.SetSndbuf(p.Buffer), s.SetRcvbuf(p.Buffer)) }),
		set(p.Identity != "", func() error { return s.SetIdentity(p.Identity) }),
		set(p.Mandatory, func() error { return s.SetRouterMandatory(1) }),
		set(p.NoDrop, func() error { return s.SetXpubNodrop(true) }),
		set(p.Conflate, func() error { return s.SetConflate(true) }),
		set(p.Type == zmqsafe.SUB, func() error { return s.SetSubscribe("") }),
	)
}

// nobody is an endpoint where nobody listens.
const nobody = "tcp://127.0.0.1:1"

// start connects what connects, and starts the workers.
func (s *side) start(endpoints map[int]string) error {
	s.endpoints = endpoints
	for i, soc := range s.sockets {
		if soc.plan.Nowhere {
			if err := soc.Connect(nobody); err != nil {
				return fmt.Errorf("socket %d: %w", i, err)
			}
		}
		for _, peer := range soc.plan.Peers {
			if err := soc.Connect(endpoints[peer]); err != nil {
				return fmt.Errorf("socket %d: %w", i, err)
			}
		}
	}
	for i, plan := range s.plan.Workers {
		soc := s.sockets[plan.Socket]
		if soc == nil {
			continue
		}
		w := &worker{Worker: plan, index: i, socket: soc, received: Received{map[int]*Stream{}, map[int]int{}}}
		s.workers[i] = w
		if w.Role == Send {
			soc.senders.Add(1)
		}
	}
	for _, w := range s.workers {
		s.running.Go(func() { s.work(w) })
	}
	for _, soc := range s.sockets {
		if soc.plan.Closes {
			s.closed.Go(func() {
				soc.senders.Wait()
				soc.closed.Store(time.Now().UnixNano())
				if err := soc.Close(); err != nil {
					s.fault("socket %d: Close: %v", soc.index, err)
				}
			})
		}
	}
	return nil
}

func (s *side) work(w *worker) {
	defer w.done.Store(true)
	switch w.Role {
	case Send:
		defer w.socket.senders.Done()
		s.send(w)
	case Receive:
		s.receive(w)
	case Ask:
		s.ask(w)
	case Reply:
		s.reply(w)
	case Detach:
		s.detach(w)
	case Look:
		s.look(w)
	}
}

// end closes the context and reports how that went.
func (s *side) end(e End) (ended Ended, told map[int]Said) {
	s.settle()
	close(s.ending)
	var err error
	began := time.Now()
	if e.Within > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), e.Within)
		defer cancel()
		err = s.ctx.Shutdown(ctx)
	} else {
		err = s.ctx.Close()
	}
	over := time.Now()
	ended.Took = over.Sub(began)
	if err != nil {
		ended.Err = err.Error()
		if !errors.Is(err, context.DeadlineExceeded) {
			s.fault("context %d: %v", s.context, err)
		}
	}
	return ended, s.told(began, over)
}

// settle waits until what was sent to sockets has arrived.
func (s *side) settle() {
	for i, soc := range s.sockets {
		if !soc.plan.Settles {
			continue
		}
		select {
		case <-soc.settled:
		case <-time.After(hangs / 2):
			s.fault("socket %d: its connections don't end", i)
		}
	}
}

// awaitEnds notes when the connections to all peers have ended.
func (s *side) awaitEnds(soc *socket) {
	peers := 0
	for _, f := range s.plan.Flows {
		if slices.Contains(f.To, soc.index) {
			peers += len(f.From)
		}
	}
	for _, err := range soc.Events(context.Background(), zmqsafe.EVENT_DISCONNECTED) {
		if err != nil {
			return
		}
		if peers--; peers == 0 {
			close(soc.settled)
		}
	}
}

// told finds the sockets of the plan in the report.
func (s *side) told(began, over time.Time) map[int]Said {
	report := s.ctx.Report()
	for limit := time.Now().Add(hangs / 2); report.Unclosed > 0 && time.Now().Before(limit); report = s.ctx.Report() {
		time.Sleep(time.Millisecond) // Shutdown gave up before it had closed all sockets
	}
	told := map[int]Said{}
	for i, soc := range s.sockets {
		t := said(report, soc.site)
		t.Lingered = over.Sub(began)
		if closed := soc.closed.Load(); closed != 0 {
			t.Lingered = max(t.Lingered, over.Sub(time.Unix(0, closed)))
		}
		told[i] = t
	}
	return told
}

// progress adds to c what has been counted so far.
func (s *side) progress(c *Counts, withSets bool) {
	for i, w := range s.workers {
		if w.Out >= 0 {
			c.Sent[i] = Sent{
				Accepted: int(w.accepted.Load()), Others: int(w.others.Load()), Done: w.done.Load(),
			}
		}
		if w.In < 0 {
			continue
		}
		w.mu.Lock()
		got := Received{map[int]*Stream{}, maps.Clone(w.received.Probes)}
		for i, stream := range w.received.Streams {
			copied := *stream
			copied.Seen = nil
			if withSets {
				copied.Seen = append(Set{}, stream.Seen...)
			}
			got.Streams[i] = &copied
		}
		w.mu.Unlock()
		c.Received[i] = got
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Faults = append(c.Faults, s.faults...)
}

// mostFaults is how many faults of one side are kept.
const mostFaults = 10

func (s *side) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) < mostFaults {
		s.faults = append(s.faults, fmt.Sprintf(format, args...))
	}
}
