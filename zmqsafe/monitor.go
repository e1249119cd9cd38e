package zmqsafe

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"syscall"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// Monitor sends the socket's events that are in the mask events to the inproc
// endpoint addr, where a PAIR socket that connects reads them with
// [Socket.RecvEvent]. An empty addr ends the monitor. Monitor doesn't block.
// See https://api.zeromq.org/4-3:zmq-socket-monitor, and [Socket.Events], which
// needs no second socket.
//
// The monitor goes on after [Socket.Close] until libzmq is done with the
// socket, so that the reader sees it being closed. It ends with
// [EVENT_MONITOR_STOPPED]; from then on addr is free. The end of the context
// ends it at once. A socket has one monitor: a further call, or Events, ends
// the previous one, even if the call fails.
//
// Reader and socket may be closed in any order. Unlike with pebbe/zmq4, no call
// and no thread of libzmq waits for the reader: the monitor keeps up to 1024
// events for it, drops later ones and logs that. At the end, a reader that
// hasn't connected yet has one second to come for what was kept.
func (soc *Socket) Monitor(addr string, events Event) error {
	var due []*socketState
	err := soc.call(func(s *socketState) (err error) {
		if addr == "" {
			return s.stopMonitor()
		}
		if err := checkEndpoint("Monitor", addr); err != nil {
			return err
		}
		if !isInproc(addr) {
			return &usageError{fmt.Sprintf("Monitor(%q): want an inproc endpoint, inproc://name", addr), EPROTONOSUPPORT}
		}
		if err := checkEvents("Monitor", events); err != nil {
			return err
		}
		if err := s.stopMonitor(); err != nil {
			return err
		}
		due, err = s.startMonitor(addr, events)
		return err
	})
	closeDue(due)
	return err
}

// RecvEvent receives a monitor event on a PAIR socket that is connected to the
// address given to [Socket.Monitor]. The meaning of value depends on the event,
// see [MonitorEvent]. RecvEvent blocks and fails as [Socket.Recv] does;
// [ErrorMoreExpected] means that the message was not an event.
func (soc *Socket) RecvEvent(flags Flag) (event Event, addr string, value int, err error) {
	return soc.RecvEventContext(context.Background(), flags)
}

// RecvEventContext is like [Socket.RecvEvent], but also ends when ctx is done.
func (soc *Socket) RecvEventContext(ctx context.Context, flags Flag) (event Event, addr string, value int, err error) {
	parts, err := recvMessage[[]byte](ctx, soc, flags)
	if err != nil {
		return 0, "", 0, err
	}
	e, ok := parseEvent(parts)
	if !ok {
		return 0, "", 0, ErrorMoreExpected
	}
	return e.Event, e.Addr, e.Value, nil
}

// Events iterates over the socket's events: connections made, accepted,
// refused, lost. If events are given, it yields only those. See
// https://api.zeromq.org/4-3:zmq-socket-monitor.
//
//	for event, err := range soc.Events(ctx) {
//		if err != nil {
//			log.Println(err)
//			continue
//		}
//		log.Println(event)
//	}
//
// The monitor starts when Events is called, not when the loop begins, so call
// Events before Bind and Connect to see everything. It takes no
// [Socket.Monitor] and no second socket.
//
// The loop ends without an error when the socket is gone, after its last
// events: libzmq goes on after [Socket.Close] until it is done with the socket.
// The end of the context ends the loop at once. So does a further call of
// Events or Monitor, since a socket has one monitor. When ctx is done, the loop
// yields ctx.Err() last. An error that wraps ENOBUFS says how many events were
// dropped at this point because the loop was more than 1024 behind; the loop
// goes on after it. No thread of libzmq ever waits for the loop. If the monitor
// can't start, the loop yields only the error: [ErrorSocketClosed], ETERM,
// EMFILE, or EINVAL for an unknown event.
//
// Leaving the loop ends the monitor, so the iterator is for one loop. If it is
// never used, the monitor ends with ctx or with the socket.
func (soc *Socket) Events(ctx context.Context, events ...Event) iter.Seq2[MonitorEvent, error] {
	mask := EVENT_ALL
	if len(events) > 0 {
		mask = 0
	}
	for _, event := range events {
		mask |= event
	}
	loop, err := soc.startEvents(ctx, mask)
	return func(yield func(MonitorEvent, error) bool) {
		if err != nil {
			yield(MonitorEvent{}, err)
			return
		}
		defer runtime.KeepAlive(soc)
		defer loop.end()
		defer loop.quit()
		loop.run(ctx, yield)
	}
}

// MonitorEvent is something that happened to a socket, as [Socket.Events]
// yields it. See https://api.zeromq.org/4-3:zmq-socket-monitor.
//
// The meaning of Value depends on the event. [MonitorEvent.Err] and
// [MonitorEvent.RetryInterval] interpret it for the events where it matters.
// For EVENT_LISTENING, EVENT_CONNECTED, EVENT_ACCEPTED, EVENT_DISCONNECTED and
// EVENT_CLOSED it is the number of a descriptor, which belongs to libzmq and
// may already be reused. It is EINPROGRESS for EVENT_CONNECT_DELAYED, and 0 for
// EVENT_HANDSHAKE_SUCCEEDED and EVENT_MONITOR_STOPPED.
type MonitorEvent struct {
	Event Event
	Addr  string // the endpoint that was bound or connected; may be empty
	Value int
}

// Err returns why something failed, or nil for an event that is not a failure:
//
//   - EVENT_BIND_FAILED, EVENT_ACCEPT_FAILED, EVENT_CLOSE_FAILED and
//     EVENT_HANDSHAKE_FAILED_NO_DETAIL: the Errno.
//   - EVENT_HANDSHAKE_FAILED_AUTH: an error that wraps EACCES and contains the
//     ZAP status code, which is Value: 300, 400 or 500.
//   - EVENT_HANDSHAKE_FAILED_PROTOCOL: an error that wraps EPROTO and contains
//     libzmq's number for it (ZMQ_PROTOCOL_ERROR_…), which is Value.
func (e MonitorEvent) Err() error {
	switch e.Event {
	case EVENT_BIND_FAILED, EVENT_ACCEPT_FAILED, EVENT_CLOSE_FAILED, EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		if e.Value == 0 {
			return errors.New("zmqsafe: libzmq gives no reason")
		}
		return Errno(e.Value)
	case EVENT_HANDSHAKE_FAILED_AUTH:
		return &usageError{fmt.Sprintf("authentication failed with ZAP status %d", e.Value), Errno(syscall.EACCES)}
	case EVENT_HANDSHAKE_FAILED_PROTOCOL:
		return &usageError{fmt.Sprintf("the handshake with this peer failed with ZMQ_PROTOCOL_ERROR %#x", e.Value), Errno(syscall.EPROTO)}
	}
	return nil
}

// RetryInterval returns how long libzmq waits before it connects again. That
// applies to EVENT_CONNECT_RETRIED, whose Value is the same in milliseconds;
// for other events it is 0.
func (e MonitorEvent) RetryInterval() time.Duration {
	if e.Event != EVENT_CONNECT_RETRIED {
		return 0
	}
	return time.Duration(e.Value) * time.Millisecond
}

// String returns the event in human-readable form, for example "EVENT_LISTENING
// tcp://127.0.0.1:5555".
func (e MonitorEvent) String() string {
	text := e.Event.String()
	if e.Addr != "" {
		text += " " + e.Addr
	}
	if e.Event == EVENT_CONNECT_RETRIED {
		text += fmt.Sprintf(", again in %v", e.RetryInterval())
	}
	if err := e.Err(); err != nil {
		text += ": " + err.Error()
	}
	return text
}

// startMonitor returns what is due to be closed, see inprocNames.bind.
func (s *socketState) startMonitor(addr string, events Event) (due []*socketState, err error) {
	to, err := newRelayEnd(s.c, s.made)
	if err != nil {
		return nil, err
	}
	if due, err = to.attach("Bind", addr, true, callSite{}); err == nil {
		err = s.startRelay(&relay{events: events, reader: &readerEnd{to, addr, events}})
	}
	if err != nil {
		_ = to.Close()
	}
	return due, err
}

// readerEnd is the end of a relay that the program's reader connects to.
type readerEnd struct {
	to     *Socket
	addr   string // where to is bound
	events Event  // what the reader wants
}

// forward sends the events of the queue to the reader until the queue ends or
// ctx is done. It returns how many were dropped.
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

// free unbinds the address once the reader is there: whoever has read
// EVENT_MONITOR_STOPPED may use it again.
func (e *readerEnd) free(ctx context.Context) {
	s := e.to.s
	err := s.Do(ctx, s.waitFor(guard.Out, 0, false), func(bool) (guard.Ready, error) {
		ready := s.Events()
		if ready&guard.Out == 0 {
			return ready, errAgain
		}
		return ready, nil
	})
	if err == nil {
		e.unbind()
	}
}

func (e *readerEnd) unbind() { _ = e.to.Unbind(e.addr) }

// eventLoop takes the events of a relay for Events.
type eventLoop struct {
	s    *socketState
	r    *relay
	left context.Context // done when the loop was left
	quit func()          // ends left
}

// startEvents starts a monitor that ends with ctx at the latest.
func (soc *Socket) startEvents(ctx context.Context, mask Event) (*eventLoop, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkEvents("Events", mask); err != nil {
		return nil, err
	}
	var l *eventLoop
	err := soc.call(func(s *socketState) error {
		if err := s.stopMonitor(); err != nil {
			return err
		}
		l = &eventLoop{s: s, r: &relay{events: mask}}
		l.left, l.quit = context.WithCancel(context.Background())
		detach := context.AfterFunc(ctx, l.end)
		l.r.ended = func() { detach() }
		err := s.startRelay(l.r)
		if err != nil {
			detach()
		}
		return err
	})
	return l, err
}

// end ends the monitor, unless the socket is closed or has another monitor.
func (l *eventLoop) end() {
	if l.s.Lock() != nil {
		return
	}
	defer l.s.Unlock(0)
	if l.s.monitor == l.r {
		_ = l.s.stopMonitor()
	}
}

func (l *eventLoop) run(ctx context.Context, yield func(MonitorEvent, error) bool) {
	for {
		var next *relayed // nil if there are no more
		select {
		case next = <-l.r.queue:
		case <-ctx.Done():
		case <-l.left.Done():
		}
		switch {
		case ctx.Err() != nil:
			yield(MonitorEvent{}, ctx.Err())
			return
		case next == nil || l.left.Err() != nil:
			return
		case next.dropped > 0 && !yield(MonitorEvent{}, tooFarBehind(next.dropped)):
			return
		case next.last && l.r.events&EVENT_MONITOR_STOPPED == 0:
			return
		case !yield(next.event, nil):
			return
		}
	}
}

func tooFarBehind(n int) error {
	return &usageError{fmt.Sprintf("Events: %d events dropped, the loop was more than %d behind", n, relayQueue), ENOBUFS}
}
