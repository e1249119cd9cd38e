package zmqsafe

import (
	"context"
	"fmt"
	"iter"
	"runtime"
)

// Events iterates over what happens to the socket: connections made, accepted,
// refused, lost. With events given, those only. See
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
// It counts from the call on, not from when the loop begins, so call it before
// Bind and Connect to see all of it. It needs no Monitor and no second socket.
//
// The loop ends without an error when the socket is gone, after its last events:
// libzmq goes on after Close until it is done with the socket. The end of the
// context ends it at once, and so does a further call of Events or Monitor, since
// a socket has one monitor. When ctx is done, ctx.Err() is the last that the loop
// is given. An error that wraps ENOBUFS says how many events were dropped at this
// point because the loop was more than 1024 behind; it goes on after that. No
// thread of libzmq ever waits for the loop. If the monitor can't be had the error
// is the only thing that the loop is given: ErrorSocketClosed, ETERM, EMFILE, and
// EINVAL for an event that there isn't.
//
// Leaving the loop ends the monitor, and so the iterator is for one loop. If it
// is used for none, the monitor ends with ctx or with the socket.
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
		defer loop.leave()
		loop.run(ctx, yield)
	}
}

// eventLoop is where the events of a relay go for Events.
type eventLoop struct {
	s    *socketState
	r    *relay
	left context.Context // done when a loop was left
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

// end ends the monitor, unless the socket is closed or has another by now.
func (l *eventLoop) end() {
	if l.s.lock() != nil {
		return
	}
	defer l.s.unlock(0)
	if l.s.monitor == l.r {
		_ = l.s.stopMonitor()
	}
}

func (l *eventLoop) leave() {
	l.quit()
	l.end()
}

func (l *eventLoop) run(ctx context.Context, yield func(MonitorEvent, error) bool) {
	for {
		next, err := l.next(ctx)
		switch {
		case err != nil:
			yield(MonitorEvent{}, err)
			return
		case next == nil:
			return
		case next.dropped > 0 && !yield(MonitorEvent{}, tooFarBehind(next.dropped)):
			return
		case next.last && l.r.events&EVENT_MONITOR_STOPPED == 0:
			return
		case !yield(newMonitorEvent(next.parts), nil):
			return
		}
	}
}

// next waits for an event. Nil says that there is nothing more.
func (l *eventLoop) next(ctx context.Context) (*relayed, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case l.left.Err() != nil:
		return nil, nil
	}
	select {
	case event := <-l.r.queue:
		return event, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.left.Done():
		return nil, nil
	}
}

func tooFarBehind(n int) error {
	return &usageError{fmt.Sprintf("Events: %d events dropped, the loop was more than %d behind", n, relayQueue), ENOBUFS}
}
