package zmqsafe

import (
	"context"
	"runtime"
	"slices"
	"time"
)

// Proxy moves messages between frontend and backend, in both directions, until
// one of its sockets or their context is closed; where both are the same socket,
// from it to itself. capture, unless it is nil, gets a copy of every message. See
// https://api.zeromq.org/4-3:zmq-proxy.
//
// The error says what ended it: ErrorSocketClosed or ETERM, or what sending gave,
// such as EHOSTUNREACH from a ROUTER with SetRouterMandatory, which has dropped
// that message. Messages that were moved are sent within the linger of their
// socket, all others stay unread: one that the proxy has in hand, since the other
// side has no room for it, is the next to be received from where it came. No part
// of a message moves without the others, except that a message of which the
// program has received or sent some parts is continued, as by raw.
//
// Payloads aren't copied, and many messages are moved at a time. The sockets may
// be used meanwhile, and several proxies may share them.
func Proxy(frontend, backend, capture *Socket) error {
	return ProxyContext(context.Background(), frontend, backend, capture)
}

// ProxyContext is Proxy that also ends when ctx is done, with ctx.Err(). The
// sockets stay open.
func ProxyContext(ctx context.Context, frontend, backend, capture *Socket) error {
	return runProxy(ctx, frontend, backend, capture, nil)
}

// ProxySteerable is Proxy that takes commands from the socket control: PAUSE,
// RESUME, TERMINATE, which ends it without an error, and STATISTICS, which is
// answered on control with eight parts: messages received, bytes received,
// messages sent and bytes sent of frontend, then of backend, each a 64-bit number
// in the machine's byte order. See
// https://api.zeromq.org/4-3:zmq-proxy-steerable.
//
// On a REP the other commands are answered with an empty message. A command that
// it doesn't know ends the proxy with an error that wraps EINVAL; raw aborts the
// process. control may be nil. Unlike raw it doesn't send the commands to capture,
// and an answer that nobody takes stops further commands, not messages. It is the
// same with every release of libzmq: raw's, with 4.3.5, pauses at RESUME and counts
// parts for messages.
func ProxySteerable(frontend, backend, capture, control *Socket) error {
	return runProxy(context.Background(), frontend, backend, capture, control)
}

// proxy is one running Proxy.
type proxy struct {
	poller  Poller
	sockets []*Socket // as added to poller
	legs    []*leg    // from frontend, and from backend
	control *Socket   // or nil
	answer  []any     // to be sent on control, or nil
	paused  bool
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
	// Between two sockets the other direction may be what is wanted.
	if neverSends(capture) || frontend == backend && neverSends(frontend) {
		return nil, &usageError{"Proxy: a PULL or SUB can't send", ENOTSUP}
	}
	p.legs = []*leg{newLeg(frontend, backend, capture)}
	if frontend != backend {
		p.legs = append(p.legs, newLeg(backend, frontend, capture))
	}
	return p, nil
}

func neverSends(soc *Socket) bool { return soc != nil && (soc.s.typ == PULL || soc.s.typ == SUB) }

// end gives back what the proxy has: messages to their sockets, sockets to others.
func (p *proxy) end() {
	for _, l := range p.legs {
		l.end()
	}
	for range p.sockets {
		_ = p.poller.Remove(0) // rather than when the garbage collector gets to it
	}
	runtime.KeepAlive(p)
}

// step does what there is to do. If that is nothing it waits.
func (p *proxy) step(ctx context.Context) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return true, err
	}
	timeout := p.prepare()
	polled, _, err := p.poller.check(false)
	if err != nil {
		return true, err
	}
	ready := func(soc *Socket, dir State) bool {
		return slices.ContainsFunc(polled, func(item Polled) bool { return item.Socket == soc && item.Events&dir != 0 })
	}
	if p.control != nil {
		if done, err := p.obey(ready(p.control, POLLIN)); done || err != nil {
			return done, err
		}
	}
	busy := len(polled) > 0
	for _, l := range p.legs {
		if soc, dir, exact := l.waitsFor(); !p.paused && (!exact || ready(soc, dir)) {
			moved, err := l.move()
			if err != nil {
				return true, err
			}
			busy = busy || moved
		}
	}
	if !busy {
		err = sleep(ctx, p.poller.queue(), timeout)
	}
	return false, err
}

// prepare has the poller watch for what the proxy waits for. What the poller can't
// tell is to be tried again after timeout.
func (p *proxy) prepare() (timeout time.Duration) {
	timeout = -1
	wanted := make([]State, len(p.sockets))
	want := func(soc *Socket, dir State, exact bool) {
		if exact {
			wanted[slices.Index(p.sockets, soc)] |= dir
		} else {
			timeout = recheck
		}
	}
	if p.control != nil && p.answer == nil {
		want(p.control, POLLIN, true)
	} else if p.control != nil {
		want(p.control, POLLOUT, p.control.s.exact(POLLOUT))
	}
	for _, l := range p.legs {
		if !p.paused {
			want(l.waitsFor())
		}
	}
	for i, events := range wanted {
		p.poller.change(i, events)
	}
	return timeout
}

// sleep waits until something has happened to a socket, or until timeout; a
// negative one is none.
func sleep(ctx context.Context, queue *pollQueue, timeout time.Duration) error {
	var due <-chan time.Time
	if timeout >= 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		due = timer.C
	}
	_, err := queue.await(ctx, due)
	return err
}
