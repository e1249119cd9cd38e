package zmqsafe

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// relay takes the events of one socket from libzmq and queues them for the
// program.
//
// libzmq sends events blocking, from its I/O threads and from within zmq_bind
// (socket_base.cpp, socket_base_t::monitor_event): if its PAIR has no reader, or
// a full one, everything stops. So the package itself is the reader, always
// there and never slow, and the program is served out of a queue: by Events, or
// through another PAIR by Monitor.
//
// A relay lives until libzmq is done with the socket or stopMonitor is called:
// EVENT_MONITOR_STOPPED is its last event either way.
type relay struct {
	c      *contextState
	events Event         // what the program wants
	from   *Socket       // where libzmq's events arrive
	queue  chan *relayed // closed at the end
	reader *readerEnd    // of Monitor, or nil
	ended  func()        // called at the end
	done   chan struct{} // closed when all of it is gone
}

// relayed is an event in the queue.
type relayed struct {
	parts   [][]byte // as libzmq sent it
	last    bool     // EVENT_MONITOR_STOPPED, asked for or not
	dropped int      // how many were dropped before this one, after the one before
}

// relayQueue is how many events are kept for the program. The queue has one place
// more, for the last event.
const relayQueue = 1024

// startRelay has libzmq monitor the socket, which has no monitor, and r take the
// events. On error r has done nothing. The caller holds mu.
func (s *socketState) startRelay(r *relay) error {
	c := s.c
	from, err := newRelayEnd(c, s.made)
	if err != nil {
		return err
	}
	inner := fmt.Sprintf("inproc://zmqsafe-monitor-%d", from.s.id)
	// The reader first: so it is connected from the first event on.
	if err = from.Connect(inner); err == nil {
		if err = s.raw.Monitor(inner, r.events|EVENT_MONITOR_STOPPED); err != nil {
			c.inproc.abandon(inner)
		}
	}
	if err != nil {
		_ = from.Close()
		return err
	}
	c.inproc.resolved(inner)
	r.c, r.from, r.queue, r.done = c, from, make(chan *relayed, relayQueue+1), make(chan struct{})
	c.mu.Lock()
	c.relays[r] = struct{}{}
	c.mu.Unlock()
	s.monitor = r
	go r.run(s.infoLocked())
	return nil
}

// newRelayEnd makes a socket of a relay. It can wait for messages, whatever may
// run out later: a relay must not fail once it is running.
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
	r := s.monitor
	if r == nil {
		return nil
	}
	if err := s.raw.Monitor("", 0); err != nil {
		return err
	}
	if r.reader != nil {
		r.reader.unbind() // now, not when the last event is read: the program may use the address again
	}
	s.monitor = nil
	return nil
}

// run relays until the last event.
func (r *relay) run(monitored SocketInfo) {
	defer close(r.done)
	ctx, giveUp := context.WithCancel(context.Background())
	var forwarding sync.WaitGroup
	if r.reader != nil {
		forwarding.Go(func() {
			if dropped := r.reader.forward(ctx, r.queue); dropped > 0 {
				r.c.logger.Warn(fmt.Sprintf("zmqsafe: monitor of %v: %d events dropped, its reader was %d behind", monitored, dropped, relayQueue))
			}
		})
	}
	r.receive()
	_ = r.from.Close()
	// A reader that isn't there by now has this long to come for the rest.
	timer := time.AfterFunc(linger.DefaultDuration, giveUp)
	forwarding.Wait()
	timer.Stop()
	giveUp()
	if r.ended != nil {
		r.ended()
	}
	r.c.mu.Lock()
	delete(r.c.relays, r)
	r.c.mu.Unlock()
}

// receive takes the events from libzmq, never waiting for the program.
func (r *relay) receive() {
	defer close(r.queue)
	dropped := 0
	for {
		parts, err := r.from.RecvMessageBytes(0)
		if err != nil {
			return
		}
		event, _, _ := parseEvent(parts)
		switch last := event == EVENT_MONITOR_STOPPED; {
		case !last && event&r.events == 0:
		case last || len(r.queue) < relayQueue:
			r.queue <- &relayed{parts, last, dropped}
			if last {
				return
			}
			dropped = 0
		default:
			dropped++
		}
	}
}

// checkEvents refuses what version 1 of libzmq's event format has no bits for.
func checkEvents(name string, events Event) error {
	if events&^EVENT_ALL != 0 {
		return invalid("%s: no such event: %#x; want EVENT_… constants, or EVENT_ALL", name, int(events))
	}
	return nil
}

// parseEvent reads version 1 of libzmq's event format.
func parseEvent(parts [][]byte) (event Event, value int, ok bool) {
	if len(parts) != 2 || len(parts[0]) != 6 {
		return 0, 0, false
	}
	head := parts[0]
	return Event(binary.NativeEndian.Uint16(head)), int(int32(binary.NativeEndian.Uint32(head[2:]))), true
}

// closeRelays waits until all monitored sockets are gone, after their close. No
// program reads any more.
func (c *contextState) closeRelays() {
	c.mu.Lock()
	relays := slices.Collect(maps.Keys(c.relays))
	c.mu.Unlock()
	for _, r := range relays {
		if r.reader != nil {
			r.reader.close() // before waiting: a socket may have to go that is connected to it
		}
	}
	for _, r := range relays {
		<-r.done
	}
}
