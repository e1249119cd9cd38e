package zmqsafe

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Monitor sends the events of the socket that are in the mask to the inproc
// endpoint addr, for a PAIR socket that connects there to read with RecvEvent.
// An empty addr ends it. See https://api.zeromq.org/4-3:zmq-socket-monitor.
//
// It goes on after Close until libzmq is done with the socket, so that the
// closing can be seen, and ends with EVENT_MONITOR_STOPPED. Reader and socket
// may be closed in any order. Unlike with raw, no call and no thread of libzmq
// waits for the reader: up to 1024 events are kept for it, later ones are
// dropped and that is reported.
func (soc *Socket) Monitor(addr string, events Event) error {
	return soc.call(func(s *socketState) error {
		if addr == "" {
			return s.stopMonitor()
		}
		if err := checkEndpoint("Monitor", addr); err != nil {
			return err
		}
		if !isInproc(addr) {
			return &usageError{fmt.Sprintf("Monitor(%q): events go to inproc endpoints only", addr), EPROTONOSUPPORT}
		}
		if err := s.stopMonitor(); err != nil {
			return err
		}
		return s.startMonitor(addr, events)
	})
}

// RecvEvent receives a monitor event on a PAIR socket that is connected to the
// address given to Monitor. It blocks and fails as Recv does; ErrorMoreExpected
// says that the message was no event.
func (soc *Socket) RecvEvent(flags Flag) (event Event, addr string, value int, err error) {
	parts, err := recvMessage[[]byte](context.Background(), soc, flags)
	if err != nil {
		return 0, "", 0, err
	}
	event, value, ok := parseEvent(parts)
	if !ok {
		return 0, "", 0, ErrorMoreExpected
	}
	return event, string(parts[1]), value, nil
}

// parseEvent reads version 1 of libzmq's event format.
func parseEvent(parts [][]byte) (event Event, value int, ok bool) {
	if len(parts) != 2 || len(parts[0]) != 6 {
		return 0, 0, false
	}
	head := parts[0]
	return Event(binary.NativeEndian.Uint16(head)), int(int32(binary.NativeEndian.Uint32(head[2:]))), true
}

// relay carries events from libzmq's monitor socket to the program's endpoint.
//
// libzmq sends events blocking, from its I/O threads and from within zmq_bind
// (socket_base.cpp, socket_base_t::monitor_event): if its PAIR has no reader, or
// a full one, everything stops. So the package itself is the reader, always
// there and never slow, and the program's reader is served out of a queue.
type relay struct {
	c        *contextState
	from, to *Socket
	addr     string // where to is bound
	events   Event
	done     chan struct{}
}

const relayQueue = 1024

// startMonitor has libzmq monitor the socket. The caller holds mu.
func (s *socketState) startMonitor(addr string, events Event) error {
	c := s.c
	r := &relay{c: c, addr: addr, events: events, done: make(chan struct{})}
	var err error
	if r.to, err = newRelayEnd(c, s.made); err != nil {
		return err
	}
	if r.from, err = newRelayEnd(c, s.made); err != nil {
		_ = r.to.Close()
		return err
	}
	inner := fmt.Sprintf("inproc://zmqsafe-monitor-%d", r.from.s.id)
	err = r.to.Bind(addr)
	if err == nil {
		// The reader first: so it is connected from the first event on.
		if err = r.from.Connect(inner); err == nil {
			if err = s.raw.Monitor(inner, events|EVENT_MONITOR_STOPPED); err != nil {
				c.inproc.abandon(inner)
			}
		}
	}
	if err != nil {
		_ = r.to.Close()
		_ = r.from.Close()
		return err
	}
	c.inproc.resolved(inner)
	c.mu.Lock()
	c.relays[r] = struct{}{}
	c.mu.Unlock()
	s.monitor = r
	go r.run(s.infoLocked())
	return nil
}

// newRelayEnd makes one of the two sockets of a relay. It can wait for messages,
// whatever may run out later: a relay must not fail once it is running.
func newRelayEnd(c *contextState, made site) (*Socket, error) {
	s, err := c.newInternal(PAIR, made)
	if err != nil {
		return nil, err
	}
	soc := &Socket{s: s}
	if err := soc.call((*socketState).arm); err != nil {
		_ = soc.Close()
		return nil, err
	}
	return soc, nil
}

// stopMonitor ends the monitor, if there is one; its relay ends by itself. The
// caller holds mu.
func (s *socketState) stopMonitor() error {
	if s.monitor == nil {
		return nil
	}
	if err := s.raw.Monitor("", 0); err != nil {
		return err
	}
	// Now, not when the last event is read: the program may use addr again.
	_ = s.monitor.to.Unbind(s.monitor.addr)
	s.monitor = nil
	return nil
}

// run relays until EVENT_MONITOR_STOPPED.
func (r *relay) run(monitored SocketInfo) {
	defer close(r.done)
	ctx, giveUp := context.WithCancel(context.Background())
	queue := make(chan [][]byte, relayQueue)
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		for event := range queue {
			if _, err := r.to.SendMessageContext(ctx, event); err != nil {
				break
			}
		}
	}()
	dropped := r.receive(queue)
	close(queue)
	// A reader that isn't there by now has this long to come for the rest.
	timer := time.AfterFunc(linger.DefaultDuration, giveUp)
	<-delivered
	timer.Stop()
	giveUp()
	if dropped > 0 {
		r.c.logger.Warn(fmt.Sprintf("zmqsafe: monitor of %v: %d events dropped, its reader was %d behind", monitored, dropped, relayQueue))
	}
	_ = r.from.Close()
	_ = r.to.Close()
	r.c.mu.Lock()
	delete(r.c.relays, r)
	r.c.mu.Unlock()
}

// receive takes the events from libzmq, never waiting for the program, and
// returns how many didn't fit into the queue.
func (r *relay) receive(queue chan<- [][]byte) (dropped int) {
	for {
		parts, err := r.from.RecvMessageBytes(0)
		if err != nil {
			return dropped
		}
		event, _, _ := parseEvent(parts)
		if event&r.events != 0 {
			select {
			case queue <- parts:
			default:
				dropped++
			}
		}
		if event == EVENT_MONITOR_STOPPED {
			return dropped
		}
	}
}

// closeRelays waits until all monitored sockets are gone, after their close. No
// program reads any more.
func (c *contextState) closeRelays() {
	c.mu.Lock()
	relays := slices.Collect(maps.Keys(c.relays))
	c.mu.Unlock()
	for _, r := range relays {
		r.to.s.mark(errTerm)
		_ = r.to.s.close(withContext) // before waiting: a socket may have to go that is connected to it
	}
	for _, r := range relays {
		<-r.done
	}
}
