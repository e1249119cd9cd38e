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
// libzmq blocks when it sends an event, on its I/O threads and within zmq_bind
// (socket_base.cpp, socket_base_t::monitor_event): if its PAIR has no reader,
// or a full one, everything stops. So the package itself is the reader, always
// there and never slow. The program gets the events from a queue: through
// Events, or through another PAIR by Monitor.
//
// A relay lives until libzmq is done with the socket or stopMonitor is called.
// EVENT_MONITOR_STOPPED is its last event either way.
type relay struct {
	c      *contextState
	events Event         // what the program wants
	from   *Socket       // where libzmq's events arrive
	queue  chan *relayed // closed at the end
	reader *readerEnd    // of Monitor, or nil
	ended  func()        // called at the end
	done   chan struct{} // closed when the relay is gone
}

// relayed is an event in the queue.
type relayed struct {
	event   MonitorEvent
	parts   [][]byte // as libzmq sent it
	last    bool     // EVENT_MONITOR_STOPPED, requested or not
	dropped int      // how many events were dropped right before this one
}

// readerComes is how long a reader that hasn't connected yet has to come for
// the rest, when the socket is closed.
var readerComes = linger.DefaultDuration // tests change it

// relayQueue is how many events are kept for the program. The queue has one
// more place, for the last event.
const relayQueue = 1024

// startRelay makes libzmq monitor the socket, which must have no monitor, and r
// take the events. On error r has done nothing. The caller holds the lock.
func (s *socketState) startRelay(r *relay) error {
	c := s.c
	from, err := newRelayEnd(c, s.made)
	if err != nil {
		return err
	}
	inner := fmt.Sprintf("inproc://zmqsafe-monitor-%d", from.s.id)
	// The reader connects first, so that it gets every event.
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

// newRelayEnd makes a socket for a relay. The socket is armed at once: a
// running relay must not fail, whatever runs out later.
func newRelayEnd(c *contextState, made callSite) (*Socket, error) {
	s, err := c.newInternal(PAIR, made)
	if err != nil {
		return nil, err
	}
	soc := &Socket{s: s}
	if err := soc.call((*socketState).Arm); err != nil {
		_ = soc.Close()
		return nil, err
	}
	return soc, nil
}

// stopMonitor ends the monitor, if there is one; its relay then ends by itself.
// The caller holds the lock.
func (s *socketState) stopMonitor() error {
	r := s.monitor
	if r == nil {
		return nil
	}
	if err := s.raw.Monitor("", 0); err != nil {
		return err
	}
	if r.reader != nil {
		r.reader.unbind() // now, not when the last event is read, so that the program can use the address again
	}
	s.monitor = nil
	return nil
}

// run relays events until the last one.
func (r *relay) run(monitored SocketInfo) {
	defer close(r.done)
	ctx, giveUp := context.WithCancel(context.Background())
	var forwarding sync.WaitGroup
	if r.reader != nil {
		forwarding.Go(func() {
			if dropped := r.reader.forward(ctx, r.queue); dropped > 0 {
				r.c.logger.Warn("zmqsafe: monitor events were dropped",
					"made_at", monitored.Site, "socket", monitored.String(), "dropped", dropped, "queue", relayQueue)
			}
		})
	}
	r.receive()
	_ = r.from.Close()
	timer := time.AfterFunc(readerComes, giveUp)
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

// receive takes the events from libzmq, and never waits for the program.
func (r *relay) receive() {
	defer close(r.queue)
	dropped := 0
	for {
		parts, err := r.from.RecvMessageBytes(0)
		if err != nil {
			return
		}
		event, _ := parseEvent(parts)
		switch last := event.Event == EVENT_MONITOR_STOPPED; {
		case !last && event.Event&r.events == 0:
		case last || len(r.queue) < relayQueue:
			r.queue <- &relayed{event, parts, last, dropped}
			if last {
				return
			}
			dropped = 0
		default:
			dropped++
		}
	}
}

// checkEvents refuses bits that version 1 of libzmq's event format doesn't
// have.
func checkEvents(name string, events Event) error {
	if events&^EVENT_ALL != 0 {
		return invalid("%s: unknown event %#x; want EVENT_… constants or EVENT_ALL", name, int(events))
	}
	return nil
}

// parseEvent reads version 1 of libzmq's event format.
func parseEvent(parts [][]byte) (e MonitorEvent, ok bool) {
	if len(parts) != 2 || len(parts[0]) != 6 {
		return e, false
	}
	event, value := binary.NativeEndian.Uint16(parts[0]), binary.NativeEndian.Uint32(parts[0][2:])
	return MonitorEvent{Event(event), string(parts[1]), int(int32(value))}, true
}

// closeRelays waits until all monitored sockets are gone, after they were
// closed. The program reads no more events.
func (c *contextState) closeRelays() {
	c.mu.Lock()
	relays := slices.Collect(maps.Keys(c.relays))
	c.mu.Unlock()
	for _, r := range relays {
		if r.reader != nil {
			s := r.reader.to.s
			s.mark(errTerm)             // ends forward
			_, _ = s.close(withContext) // before waiting: one of the sockets waited for may be connected to it
		}
	}
	for _, r := range relays {
		<-r.done
	}
}
