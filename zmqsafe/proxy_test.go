package zmqsafe

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// proxied is a proxy between two bound sockets, and its clients.
type proxied struct {
	ctx                *Context
	front, back        *Socket
	sender, receiver   *Socket // connected to front and to back
	capture, captured  *Socket // nil unless asked for
	control, commander *Socket // nil unless asked for
	ended              chan error
	stop               func()
}

func newProxied(t *testing.T, frontType, backType, senderType, receiverType Type) *proxied {
	ctx := newContext(t)
	p := &proxied{ctx: ctx, ended: make(chan error, 1)}
	p.front, p.sender = newPair(t, ctx, frontType, senderType, inproc(t)+"-front")
	p.back, p.receiver = newPair(t, ctx, backType, receiverType, inproc(t)+"-back")
	return p
}

func (p *proxied) withCapture(t *testing.T, capture, captured Type) *proxied {
	p.captured, p.capture = newPair(t, p.ctx, captured, capture, inproc(t)+"-capture")
	return p
}

func (p *proxied) withControl(t *testing.T, control, commander Type) *proxied {
	p.control, p.commander = newPair(t, p.ctx, control, commander, inproc(t)+"-control")
	return p
}

func (p *proxied) run(t *testing.T) *proxied {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	p.stop = cancel
	go func() { p.ended <- runProxy(ctx, p.front, p.back, p.capture, p.control) }()
	return p
}

// requireReadyIn waits until the socket is ready for just what is wanted.
func requireReadyIn(t *testing.T, soc *Socket, want State) {
	t.Helper()
	require.Eventually(t, func() bool {
		events, err := soc.GetEvents()
		require.NoError(t, err)
		return events == want
	}, limit, time.Millisecond)
}

func TestProxyStreamer(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL).run(t)
	const messages = 5000
	big := bytes.Repeat([]byte("x"), 100_000)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range messages {
			_, err := p.sender.SendMessage(i, "", big[:i%len(big)], make([]string, i%10), "end")
			assert.NoError(t, err)
		}
	})
	for i := range messages {
		parts, err := p.receiver.RecvMessageBytes(0)
		require.NoError(t, err)
		require.Len(t, parts, 4+i%10)
		require.Equal(t, fmt.Sprint(i), string(parts[0]))
		require.Len(t, parts[2], i%len(big))
		require.Equal(t, "end", string(parts[len(parts)-1]))
	}
	wg.Wait()
	p.stop()
	require.ErrorIs(t, waitFor(t, "Proxy", p.ended), context.Canceled)
}

func TestProxyRequestsAndReplies(t *testing.T) {
	p := newProxied(t, ROUTER, DEALER, REQ, REP).run(t)
	go func() {
		for {
			request, err := p.receiver.RecvMessage(0)
			if err == nil {
				_, err = p.receiver.SendMessage("re:", request)
			}
			if err != nil {
				return
			}
		}
	}()
	for i := range 1000 {
		_, err := p.sender.SendMessage("request", i)
		require.NoError(t, err)
		reply, err := p.sender.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{"re:", "request", fmt.Sprint(i)}, reply)
	}
	require.NoError(t, p.ctx.Close())
	require.Equal(t, ETERM, waitFor(t, "Proxy", p.ended))
}

func TestProxyForwardsSubscriptions(t *testing.T) {
	p := newProxied(t, XSUB, XPUB, XPUB, SUB).run(t)
	require.NoError(t, p.receiver.SetSubscribe("a"))
	subscription, err := p.sender.Recv(0) // went back through the proxy
	require.NoError(t, err)
	require.Equal(t, "\x01a", subscription)
	for _, topic := range []string{"b", "a"} {
		_, err := p.sender.SendMessage(topic, "text")
		require.NoError(t, err)
	}
	parts, err := p.receiver.RecvMessage(0)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "text"}, parts)
}

// One socket as both sides: what it receives it sends.
func TestProxyOfOneSocket(t *testing.T) {
	ctx := newContext(t)
	soc, peer := newPair(t, ctx, DEALER, DEALER, inproc(t))
	ended := make(chan error, 1)
	go func() { ended <- Proxy(soc, soc, nil) }()
	for i := range 100 {
		_, err := peer.SendMessage("echo", i)
		require.NoError(t, err)
		parts, err := peer.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{"echo", fmt.Sprint(i)}, parts)
	}
	require.NoError(t, soc.Close())
	require.Equal(t, ErrorSocketClosed, waitFor(t, "Proxy", ended))
}

func TestProxyOfNoSocket(t *testing.T) {
	soc := newSocket(t, newContext(t), DEALER)
	gone := newSocket(t, soc.ctx, PUSH)
	require.NoError(t, gone.Close())
	for _, none := range []*Socket{nil, {}, gone} {
		require.ErrorIs(t, Proxy(none, soc, nil), ErrorSocketClosed)
		require.ErrorIs(t, Proxy(soc, none, nil), ErrorSocketClosed)
		require.ErrorIs(t, ProxySteerable(soc, none, nil, nil), ErrorSocketClosed)
		if none != nil {
			require.ErrorIs(t, Proxy(soc, soc, none), ErrorSocketClosed)
			require.ErrorIs(t, ProxySteerable(soc, soc, nil, none), ErrorSocketClosed)
		}
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, ProxyContext(done, soc, soc, nil), context.Canceled)
}

// A socket that can't send holds its direction up, as with raw, and a REP and a
// REQ take turns.
func TestProxyOfOddSockets(t *testing.T) {
	p := newProxied(t, PULL, PULL, PUSH, PUSH).run(t)
	sendText(t, p.sender, "kept")
	require.Eventually(t, func() bool { return p.back.s.watchers.any.Load() }, limit, time.Millisecond)
	p.stop()
	require.ErrorIs(t, waitFor(t, "Proxy", p.ended), context.Canceled)
	text, err := p.front.Recv(0)
	require.NoError(t, err)
	require.Equal(t, "kept", text)

	p = newProxied(t, REP, REQ, REQ, REP).run(t)
	for range 100 {
		sendText(t, p.sender, "ping")
		_, err := p.receiver.Recv(0)
		require.NoError(t, err)
		sendText(t, p.receiver, "pong")
		_, err = p.sender.Recv(0)
		require.NoError(t, err)
	}
}

func TestProxyUnroutable(t *testing.T) {
	p := newProxied(t, PULL, ROUTER, PUSH, DEALER)
	require.NoError(t, p.back.SetRouterMandatory(1))
	p.run(t)
	_, err := p.sender.SendMessage("nobody", "text")
	require.NoError(t, err)
	require.Equal(t, EHOSTUNREACH, waitFor(t, "Proxy", p.ended))
}

// An XPUB that may not drop says POLLOUT even when it has no room.
func TestProxyToInexactSocket(t *testing.T) {
	ctx := newContext(t)
	front, sender := newPair(t, ctx, PULL, PUSH, inproc(t))
	back, receiver := newSocket(t, ctx, XPUB), newSocket(t, ctx, SUB)
	require.NoError(t, back.SetXpubNodrop(true))
	require.NoError(t, back.SetSndhwm(1))
	require.NoError(t, receiver.SetRcvhwm(1))
	require.NoError(t, receiver.SetSubscribe(""))
	require.NoError(t, back.Bind(inproc(t)+"-back"))
	require.NoError(t, receiver.Connect(inproc(t)+"-back"))
	_, err := back.Recv(0) // the subscription
	require.NoError(t, err)
	go func() { _ = Proxy(front, back, nil) }()
	const messages = 2000 // too many to wait for recheck at each
	go func() {
		for i := range messages {
			_, _ = sender.SendMessage(i, "text")
		}
	}()
	for i := range messages {
		parts, err := receiver.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{fmt.Sprint(i), "text"}, parts)
	}
}

// The sides may belong to different contexts. The end of either ends the proxy.
func TestProxyBetweenContexts(t *testing.T) {
	for i := range 2 {
		contexts := [2]*Context{newContext(t), newContext(t)}
		front, sender := newPair(t, contexts[0], PULL, PUSH, inproc(t))
		back, receiver := newPair(t, contexts[1], PUSH, PULL, inproc(t))
		ended := make(chan error, 1)
		go func() { ended <- Proxy(front, back, nil) }()
		sendText(t, sender, "text")
		text, err := receiver.Recv(0)
		require.NoError(t, err)
		require.Equal(t, "text", text)
		require.NoError(t, contexts[i].Close())
		require.Equal(t, ETERM, waitFor(t, "Proxy", ended))
	}
}

// What the program has begun to send is over with the message that the proxy adds
// to it: the next Send begins another one.
func TestProxyEndsMessageOfProgram(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	_, err := p.back.Send("begun", SNDMORE)
	require.NoError(t, err)
	p.run(t)
	sendText(t, p.sender, "ended")
	parts, err := p.receiver.RecvMessage(0)
	require.NoError(t, err)
	require.Equal(t, []string{"begun", "ended"}, parts)
	require.NoError(t, p.receiver.Close())
	requireReadyIn(t, p.back, 0)
	require.NoError(t, p.back.SetSndtimeo(time.Millisecond))
	_, err = p.back.Send("nobody is there", 0)
	require.Equal(t, errAgain, err)
}
