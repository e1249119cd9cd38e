package zmqsafe

import (
	"context"
	"encoding/binary"
	"runtime"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// Proxy moves messages between frontend and backend, in both directions, until
// one of its sockets or their context is closed. If both are the same socket,
// it moves messages from that socket to itself. capture, unless it is nil, gets
// a copy of every message. See https://api.zeromq.org/4-3:zmq-proxy.
//
// The error says what ended the proxy: [ErrorSocketClosed], ETERM, or an error
// from sending, for example EHOSTUNREACH from a ROUTER with
// [Socket.SetRouterMandatory], which has dropped that message. Messages that
// were moved are sent within the linger of their socket. All others stay
// unread: if the proxy has a message in flight, because its destination has no
// room for it, that message is the next to be received from its source. The
// parts of a message move together, except that the proxy continues a message
// of which the program has received or sent some parts, as pebbe/zmq4 does.
//
// The proxy doesn't copy payloads, and moves many messages at a time. The
// sockets may be used meanwhile, and several proxies may share them.
func Proxy(frontend, backend, capture *Socket) error {
	return ProxyContext(context.Background(), frontend, backend, capture)
}

// ProxyContext is like [Proxy], but also ends when ctx is done, with ctx.Err().
// The sockets stay open.
func ProxyContext(ctx context.Context, frontend, backend, capture *Socket) error {
	return runProxy(ctx, frontend, backend, capture, nil)
}

// ProxyDrain is like [ProxyContext], but when stop is done it goes on until it
// has drained its sockets, as [Socket.Drain] does: until no message has come
// from either side for the time quiet and none is in flight, and for the time
// within at most. A frontend or backend that is a SUB unsubscribes first. Let
// quiet be longer than a backend takes to answer. The sockets stay open.
//
// The error is nil when it is drained or the time is over, which the result
// tells. Messages that the time has left unread are lost when their socket is
// closed, and its close counts them, see [ClosedSocket].
func ProxyDrain(stop context.Context, frontend, backend, capture *Socket, quiet, within time.Duration) (Drained, error) {
	bounds, err := newDrainBounds("ProxyDrain", quiet, within)
	if err != nil {
		return Drained{}, err
	}
	p, err := newProxy(frontend, backend, capture, nil)
	if err != nil {
		return Drained{}, err
	}
	defer p.end()
	for {
		if _, err := p.step(stop); err != nil && err == stop.Err() {
			return p.drain(bounds.from(stop))
		} else if err != nil {
			return Drained{}, err
		}
	}
}

// ProxySteerable is like [Proxy], but takes commands from the socket control:
// PAUSE, RESUME, TERMINATE and STATISTICS. TERMINATE ends it without an error.
// STATISTICS is answered on control with eight parts: messages received, bytes
// received, messages sent and bytes sent of frontend, then the same of backend,
// each a 64-bit number in the machine's byte order. See
// https://api.zeromq.org/4-3:zmq-proxy-steerable.
//
// On a REP the other commands are answered with an empty message. An unknown
// command ends the proxy with an error that wraps EINVAL; pebbe/zmq4 aborts the
// process. control may be nil. Unlike pebbe/zmq4, ProxySteerable doesn't send
// the commands to capture, and an answer that nobody takes stops further
// commands, not messages. It behaves the same with every release of libzmq;
// with 4.3.5, pebbe/zmq4's pauses at RESUME and counts parts as messages.
func ProxySteerable(frontend, backend, capture, control *Socket) error {
	return runProxy(context.Background(), frontend, backend, capture, control)
}

// proxy is one running Proxy.
type proxy struct {
	poller     Poller
	sockets    []*Socket    // as added to poller
	directions []*direction // from frontend, and from backend
	control    *Socket      // or nil
	answer     []any        // the answer still to send on control, or nil
	paused     bool
}

func runProxy(ctx context.Context, frontend, backend, capture, control *Socket) error {
	p, err := newProxy(frontend, backend, capture, control)
	if err != nil {
		return err
	}
	defer p.end()
	for {
		if done, err := p.step(ctx); done || err != nil {
			return err
		}
	}
}

func newProxy(frontend, backend, capture, control *Socket) (*proxy, error) {
	p := &proxy{control: control}
	for i, soc := range []*Socket{frontend, backend, capture, control} {
		if optional := i >= 2; soc == nil && optional || slices.Contains(p.sockets, soc) {
			continue
		}
		if _, err := soc.core(); err != nil {
			return nil, err
		}
		p.poller.Add(soc, 0)
		p.sockets = append(p.sockets, soc)
	}
	// Of two sockets, one may be meant only to send, the other only to receive.
	if neverSends(capture) || frontend == backend && neverSends(frontend) {
		return nil, &usageError{"Proxy: capture, or a socket that is both frontend and backend, is a PULL or SUB, which can't send; want a type that can", ENOTSUP}
	}
	p.directions = []*direction{newDirection(frontend, backend, capture)}
	if frontend != backend {
		p.directions = append(p.directions, newDirection(backend, frontend, capture))
	}
	return p, nil
}

func neverSends(soc *Socket) bool { return soc != nil && (soc.s.typ == PULL || soc.s.typ == SUB) }

// end gives back what the proxy holds: messages to their sockets, sockets to
// others.
func (p *proxy) end() {
	for _, d := range p.directions {
		d.end()
	}
	for range p.sockets {
		_ = p.poller.Remove(0) // now, not when the garbage collector gets to it
	}
	runtime.KeepAlive(p)
}

// step does what there is to do. If there is nothing, it waits.
func (p *proxy) step(ctx context.Context) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return true, err
	}
	busy, done, timeout, err := p.try()
	if busy || done || err != nil {
		return done, err
	}
	var due <-chan time.Time
	if timeout > 0 {
		due = time.After(timeout)
	}
	_, err = p.poller.queue().Wait(ctx, due)
	return false, err
}

// try does what there is to do. What the poller can't report must be tried
// again after timeout, unless that is 0.
func (p *proxy) try() (busy, done bool, timeout time.Duration, err error) {
	timeout = p.prepare()
	polled, _, err := p.poller.check(false)
	if err != nil {
		return false, true, 0, err
	}
	ready := func(soc *Socket, dir State) bool {
		return slices.ContainsFunc(polled, func(item Polled) bool { return item.Socket == soc && item.Events&dir != 0 })
	}
	if p.control != nil {
		if done, err := p.handleCommand(ready(p.control, POLLIN)); done || err != nil {
			return false, done, 0, err
		}
	}
	busy = len(polled) > 0
	for _, d := range p.directions {
		if soc, dir, reliable := d.waitsFor(); !p.paused && (!reliable || ready(soc, dir)) {
			moved, err := d.move()
			if err != nil {
				return false, true, 0, err
			}
			busy = busy || moved
		}
	}
	return busy, false, timeout, nil
}

// prepare makes the poller watch for what the proxy waits for. What the poller
// can't report must be tried again after timeout, unless that is 0.
func (p *proxy) prepare() (timeout time.Duration) {
	wanted := make([]State, len(p.sockets))
	want := func(soc *Socket, dir State, reliable bool) {
		if reliable {
			wanted[slices.Index(p.sockets, soc)] |= dir
		} else {
			timeout = guard.Recheck
		}
	}
	if p.control != nil && p.answer == nil {
		want(p.control, POLLIN, true)
	} else if p.control != nil {
		want(p.control, POLLOUT, p.control.s.reliable(guard.Out))
	}
	for _, d := range p.directions {
		if !p.paused {
			want(d.waitsFor())
		}
	}
	for i, events := range wanted {
		p.poller.change(i, events)
	}
	return timeout
}

// handleCommand takes a command from the control socket if it is readable, and
// answers it. It sends the answer to one command before it takes the next,
// without waiting for room.
func (p *proxy) handleCommand(readable bool) (done bool, err error) {
	if readable && p.answer == nil {
		if done, err = p.command(); err != nil {
			return true, err
		}
	}
	if p.answer == nil {
		return done, nil
	}
	_, err = p.control.SendMessageDontwait(p.answer...)
	if err == errAgain {
		return done, nil
	}
	p.answer = nil
	return done, err
}

func (p *proxy) command() (terminate bool, err error) {
	parts, err := recvMessage[string](context.Background(), p.control, DONTWAIT)
	switch {
	case err == errAgain:
		return false, nil // another goroutine received it
	case err != nil:
		return false, err
	case len(parts) != 1:
		return false, invalid("ProxySteerable: a command of %d parts; want one: PAUSE, RESUME, TERMINATE or STATISTICS", len(parts))
	}
	if p.control.s.typ == REP {
		p.answer = []any{""}
	}
	switch parts[0] {
	case "PAUSE":
		p.paused = true
	case "RESUME":
		p.paused = false
	case "TERMINATE":
		terminate = true
	case "STATISTICS":
		p.answer = p.statistics()
	default:
		err = invalid("ProxySteerable: unknown command %q; want PAUSE, RESUME, TERMINATE or STATISTICS", parts[0])
	}
	return terminate, err
}

func (p *proxy) statistics() []any {
	front, back := p.directions[0], new(direction)
	if len(p.directions) > 1 {
		back = p.directions[1]
	}
	var parts []any
	for _, n := range []uint64{
		front.messages, front.bytes, back.messages, back.bytes, // frontend: in, out
		back.messages, back.bytes, front.messages, front.bytes, // backend: in, out
	} {
		parts = append(parts, binary.NativeEndian.AppendUint64(nil, n))
	}
	return parts
}

// drain goes on until the sockets are drained.
func (p *proxy) drain(b drainBounds) (drained Drained, err error) {
	before := make([]uint64, len(p.directions))
	for i, d := range p.directions {
		before[i] = d.messages
		if err := d.from.call(func(s *socketState) error { return s.beginDraining(b.began) }); err != nil {
			return drained, err
		}
		defer func() {
			d.from.s.endDraining(Drained{Messages: d.messages - before[i], Quiet: drained.Quiet})
		}()
	}
	moved := func() (n uint64) {
		for i, d := range p.directions {
			n += d.messages - before[i]
		}
		return n
	}
	last := b.began
	for err == nil && !drained.Quiet && time.Now().Before(b.end) {
		until, quiet := b.end, last.Add(max(b.quiet, time.Millisecond))
		if !p.inFlight() && quiet.Before(until) {
			until = quiet
		}
		err = p.stepUntil(until)
		over := err == context.DeadlineExceeded
		if over {
			_, _, _, err = p.try() // the step may have found the time over, and not tried
		}
		if n := moved(); n != drained.Messages {
			drained.Messages, last = n, time.Now()
		} else if over && !p.inFlight() {
			drained.Quiet = !quiet.After(until)
		}
	}
	drained.Took = time.Since(b.began)
	return drained, err
}

// stepUntil is step with a deadline.
func (p *proxy) stepUntil(deadline time.Time) error {
	bound, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	_, err := p.step(bound)
	return err
}

func (p *proxy) inFlight() bool {
	return slices.ContainsFunc(p.directions, func(d *direction) bool { return !d.inFlight.Empty() })
}
