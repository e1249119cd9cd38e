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
// such as EHOSTUNREACH from a ROUTER with SetRouterMandatory. Messages that were
// moved are sent within the linger of their socket, all others stay unread: one
// that the proxy has in hand, since the other side has no room for it, is the
// next to be received from where it came. No part of a message moves without the
// others.
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
// process. control may be nil. Unlike raw it doesn't send the commands to capture.
func ProxySteerable(frontend, backend, capture, control *Socket) error {
	return runProxy(context.Background(), frontend, backend, capture, control)
}

// proxy is one running Proxy.
type proxy struct {
	poller  Poller
	sockets []*Socket // as added to poller
	legs    []*leg    // from frontend, and from backend
	control *Socket   // or nil
	paused  bool
}

func runProxy(ctx context.Context, frontend, backend, capture, control *Socket) error {
	p, err := newProxy(frontend, backend, capture, control)
	if err != nil {
		return err
	}
	defer func() {
		for _, l := range p.legs {
			l.end()
		}
		runtime.KeepAlive(p)
	}()
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
	p.legs = []*leg{newLeg(frontend, backend, capture)}
	if frontend != backend {
		p.legs = append(p.legs, newLeg(backend, frontend, capture))
	}
	return p, nil
}

// step waits until there is something to do, and does it.
func (p *proxy) step(ctx context.Context) (done bool, err error) {
	polled, err := p.poller.poll(ctx, p.prepare(), false)
	if err != nil {
		return true, err
	}
	ready := func(soc *Socket, dir State) bool {
		return slices.ContainsFunc(polled, func(item Polled) bool { return item.Socket == soc && item.Events&dir != 0 })
	}
	if p.control != nil && ready(p.control, POLLIN) {
		if done, err := p.command(ctx); done || err != nil {
			return done, err
		}
	}
	for _, l := range p.legs {
		if soc, dir, exact := l.waitsFor(); !p.paused && (!exact || ready(soc, dir)) {
			if err := l.move(); err != nil {
				return true, err
			}
		}
	}
	return false, nil
}

// prepare has the poller wait for what the legs wait for, and returns for how
// long.
func (p *proxy) prepare() (timeout time.Duration) {
	timeout = -1
	wanted := make([]State, len(p.sockets))
	if p.control != nil {
		wanted[slices.Index(p.sockets, p.control)] = POLLIN
	}
	for _, l := range p.legs {
		if p.paused {
			break
		}
		soc, dir, exact := l.waitsFor()
		switch {
		case soc == nil:
			timeout = 0
		case exact:
			wanted[slices.Index(p.sockets, soc)] |= dir
		case timeout != 0:
			timeout = recheck
		}
	}
	for i, events := range wanted {
		p.poller.change(i, events)
	}
	return timeout
}
