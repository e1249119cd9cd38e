package zmqsafe

import (
	"context"
	"fmt"
)

// Monitor sends the events of the socket that are in the mask to the inproc
// endpoint addr, for a PAIR socket that connects there to read with RecvEvent.
// An empty addr ends it. See https://api.zeromq.org/4-3:zmq-socket-monitor, and
// Events, which needs no second socket.
//
// It goes on after Close until libzmq is done with the socket, so that the
// closing can be seen, and ends with EVENT_MONITOR_STOPPED; addr is free from
// then on. The end of the context ends it at once. A socket has one monitor: a
// further call, or Events, ends the one before, also where it fails.
//
// Reader and socket may be closed in any order. Unlike with raw, no call and no
// thread of libzmq waits for the reader: up to 1024 events are kept for it, later
// ones are dropped and that is logged. At the end a reader that isn't there yet
// has one second to come for what is kept.
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
		if err := checkEvents("Monitor", events); err != nil {
			return err
		}
		if err := s.stopMonitor(); err != nil {
			return err
		}
		return s.startMonitor(addr, events)
	})
}

// RecvEvent receives a monitor event on a PAIR socket that is connected to the
// address given to Monitor. What value is depends on the event, see MonitorEvent.
// It blocks and fails as Recv does; ErrorMoreExpected says that the message was
// no event.
func (soc *Socket) RecvEvent(flags Flag) (event Event, addr string, value int, err error) {
	return soc.RecvEventContext(context.Background(), flags)
}

// RecvEventContext is RecvEvent that also ends when ctx is done, with ctx.Err().
func (soc *Socket) RecvEventContext(ctx context.Context, flags Flag) (event Event, addr string, value int, err error) {
	parts, err := recvMessage[[]byte](ctx, soc, flags)
	if err != nil {
		return 0, "", 0, err
	}
	event, value, ok := parseEvent(parts)
	if !ok {
		return 0, "", 0, ErrorMoreExpected
	}
	return event, string(parts[1]), value, nil
}

func (s *socketState) startMonitor(addr string, events Event) error {
	to, err := newRelayEnd(s.c, s.made)
	if err != nil {
		return err
	}
	if err = to.Bind(addr); err == nil {
		err = s.startRelay(&relay{events: events, reader: &readerEnd{to, addr, events}})
	}
	if err != nil {
		_ = to.Close()
	}
	return err
}

// readerEnd is the end of a relay that the program's reader connects to.
type readerEnd struct {
	to     *Socket
	addr   string // where to is bound
	events Event  // what the reader wants
}

// forward sends the events of the queue to the reader, until it gives up with
// ctx, and returns how many were dropped.
func (e *readerEnd) forward(ctx context.Context, queue <-chan *relayed) (dropped int) {
	defer func() { _ = e.to.Close() }()
	for event := range queue {
		dropped += event.dropped
		if event.last {
			e.free(ctx)
			if e.events&EVENT_MONITOR_STOPPED == 0 {
				break
			}
		}
		if _, err := e.to.SendMessageContext(ctx, event.parts); err != nil {
			break
		}
	}
	return dropped
}

// free gives the address up once the reader is there: one who has read
// EVENT_MONITOR_STOPPED may use it again.
func (e *readerEnd) free(ctx context.Context) {
	_, err := do(ctx, e.to, POLLOUT, 0, func(s *socketState, _ bool) (struct{}, State, error) {
		ready := s.events()
		if ready&POLLOUT == 0 {
			return struct{}{}, ready, errAgain
		}
		return struct{}{}, ready, nil
	})
	if err == nil {
		e.unbind()
	}
}

func (e *readerEnd) unbind() { _ = e.to.Unbind(e.addr) }

// close ends forward at once.
func (e *readerEnd) close() {
	e.to.s.mark(errTerm)
	_ = e.to.s.close(withContext)
}
