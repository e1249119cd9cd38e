package zmqsafe

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// proxied is a proxy between two bound sockets, with its clients.
type proxied struct {
	ctx                *Context
	front, back        *Socket
	sender, receiver   *Socket // connected to front and to back
	capture, captured  *Socket // nil unless requested
	control, commander *Socket // nil unless requested
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

// requireReadyIn waits until the socket is ready for exactly want.
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
	subscription, err := p.sender.Recv(0) // came back through the proxy
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

// One socket as frontend and backend: it sends what it receives.
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

// A socket that can't send blocks its direction, as with pebbe/zmq4, and a REP
// and a REQ alternate.
func TestProxyOfOddSockets(t *testing.T) {
	p := newProxied(t, PULL, PULL, PUSH, PUSH).run(t)
	sendText(t, p.sender, "kept")
	require.Eventually(t, func() bool { return p.back.s.Watched() }, limit, time.Millisecond)
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

// An XPUB that may not drop reports POLLOUT even if it has no room.
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
	const messages = 2000 // too many to wait guard.Recheck for each
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

// Frontend and backend may belong to different contexts. The end of either ends
// the proxy.
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

// The message that the proxy sends completes the one that the program has
// begun: the next Send begins another.
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

// Two proxies share sockets, and the program uses them, too.
func TestProxiesShareSockets(t *testing.T) {
	const messages = 3000
	p := newProxied(t, PULL, PUSH, PUSH, PULL).run(t)
	second := make(chan error, 1)
	go func() { second <- Proxy(p.front, p.back, nil) }()
	go func() {
		for i := range messages {
			from := p.sender
			if i%3 == 0 {
				from = p.back // bypasses the proxy
			}
			_, err := from.SendMessage(i, "text")
			assert.NoError(t, err)
		}
	}()
	seen := make(map[string]bool)
	for range messages {
		parts, err := p.receiver.RecvMessage(0)
		require.NoError(t, err)
		require.Len(t, parts, 2)
		require.False(t, seen[parts[0]])
		seen[parts[0]] = true
	}
	require.NoError(t, p.back.Close())
	require.Equal(t, ErrorSocketClosed, waitFor(t, "Proxy", p.ended))
	require.Equal(t, ErrorSocketClosed, waitFor(t, "Proxy", second))
}

// A program that waits for room on a socket that a proxy uses gets it.
func TestProxyPassesWakeUpsOn(t *testing.T) {
	const messages = 5000
	ctx := newContext(t)
	front, sender := newPair(t, ctx, PULL, PUSH, inproc(t)+"-front")
	back, receiver := newSocket(t, ctx, DEALER), newSocket(t, ctx, DEALER)
	require.NoError(t, back.SetSndhwm(1))
	require.NoError(t, receiver.SetRcvhwm(1))
	require.NoError(t, back.Bind(inproc(t)+"-back"))
	require.NoError(t, receiver.Connect(inproc(t)+"-back"))
	var running sync.WaitGroup
	running.Go(func() { assert.Equal(t, ETERM, Proxy(front, back, nil)) })
	for _, from := range []*Socket{sender, back, back} {
		running.Go(func() {
			for i := range messages {
				if i%100 == 0 {
					time.Sleep(time.Millisecond) // lets all of them fall asleep
				}
				_, err := from.Send("text", 0)
				assert.NoError(t, err)
			}
		})
	}
	for i := range 3 * messages {
		if i%1000 == 0 {
			time.Sleep(time.Millisecond)
		}
		_, err := receiver.Recv(0)
		require.NoError(t, err)
	}
	require.NoError(t, ctx.Close())
	bounded(t, "proxy and senders", running.Wait)
}

// Proxies share sockets in all orders, while the program binds, connects,
// monitors and closes: there is no deadlock.
func TestProxiesDontLockEachOtherUp(t *testing.T) {
	for range rounds(50) {
		ctx := newContext(t)
		var a [3]*Socket
		var clients, proxies sync.WaitGroup
		stop, cancel := context.WithCancel(context.Background())
		for i := range a {
			var peer *Socket
			a[i], peer = newPair(t, ctx, DEALER, DEALER, fmt.Sprintf("%s-%d", inproc(t), i))
			require.NoError(t, a[i].Connect(fmt.Sprintf("%s-later-%d", inproc(t), i)))
			clients.Go(func() {
				for err := error(nil); err == nil || err == errAgain; {
					_, _ = peer.SendMessageDontwait("some", "text")
					_, err = peer.RecvMessageContext(stop, DONTWAIT)
				}
			})
		}
		for i := range a {
			for j := range a {
				proxies.Go(func() { _ = ProxySteerable(a[i], a[j], a[3-max(1, i+j)%3-1], nil) })
				proxies.Go(func() { _ = Proxy(a[j], a[i], nil) })
			}
		}
		for i := range a {
			clients.Go(func() { _ = a[i].Bind(fmt.Sprintf("%s-later-%d", inproc(t), (i+1)%len(a))) })
			clients.Go(func() { _ = a[i].Monitor(fmt.Sprintf("%s-monitor-%d", inproc(t), i), EVENT_ALL) })
		}
		clients.Go(func() { assert.NoError(t, a[0].Close()) })
		time.Sleep(time.Millisecond)
		require.NoError(t, a[1].Close())
		bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
		cancel()
		bounded(t, "proxies", proxies.Wait)
		bounded(t, "clients", clients.Wait)
	}
}

func TestProxyCommands(t *testing.T) {
	for _, types := range [][2]Type{{PAIR, PAIR}, {REP, REQ}, {PULL, PUSH}, {SUB, PUB}} {
		t.Run(types[0].String(), func(t *testing.T) {
			p := newProxied(t, PULL, PUSH, PUSH, PULL).withControl(t, types[0], types[1])
			if types[0] == SUB {
				require.NoError(t, p.control.SetSubscribe(""))
			}
			p.run(t)
			command := func(text string) {
				sendText(t, p.commander, text)
				if types[0] == REP {
					reply, err := p.commander.RecvMessage(0)
					require.NoError(t, err)
					require.Equal(t, []string{""}, reply)
				}
			}
			transfer := func() {
				sendText(t, p.sender, "12345")
				_, err := p.receiver.Recv(0)
				require.NoError(t, err)
			}
			transfer()
			transfer()
			if types[0] == REP || types[0] == PAIR {
				sendText(t, p.commander, "STATISTICS")
				parts, err := p.commander.RecvMessageBytes(0)
				require.NoError(t, err)
				var numbers []uint64
				for _, part := range parts {
					numbers = append(numbers, binary.NativeEndian.Uint64(part))
				}
				require.Equal(t, []uint64{2, 10, 0, 0, 0, 0, 2, 10}, numbers)
			}
			command("PAUSE")
			if types[0] == REP { // its answer says that the proxy is paused
				sendText(t, p.sender, "held")
				require.NoError(t, p.receiver.SetRcvtimeo(20*time.Millisecond))
				_, err := p.receiver.Recv(0)
				require.Equal(t, errAgain, err)
				require.NoError(t, p.receiver.SetRcvtimeo(-1))
			}
			command("RESUME")
			if types[0] == REP {
				text, err := p.receiver.Recv(0)
				require.NoError(t, err)
				require.Equal(t, "held", text)
			}
			transfer()
			command("TERMINATE")
			require.NoError(t, waitFor(t, "ProxySteerable", p.ended))
		})
	}
}

func TestProxyBadCommands(t *testing.T) {
	for _, parts := range [][]string{{"STOP"}, {""}, {"PAUSE", "RESUME"}} {
		p := newProxied(t, PULL, PUSH, PUSH, PULL).withControl(t, PAIR, PAIR).run(t)
		_, err := p.commander.SendMessage(parts)
		require.NoError(t, err)
		err = waitFor(t, "ProxySteerable", p.ended)
		require.Equal(t, Errno(syscall.EINVAL), AsErrno(err))
		require.ErrorContains(t, err, "want")
		require.NoError(t, p.ctx.Close())
	}
}

// withFullControl makes a control socket that has no room for an answer until
// commander has received inTheWay messages.
func (p *proxied) withFullControl(t *testing.T) (inTheWay int) {
	p.control, p.commander = newSocket(t, p.ctx, PAIR), newSocket(t, p.ctx, PAIR)
	require.NoError(t, p.control.SetSndhwm(1))
	require.NoError(t, p.commander.SetRcvhwm(1))
	require.NoError(t, p.control.Bind(inproc(t)+"-control"))
	require.NoError(t, p.commander.Connect(inproc(t)+"-control"))
	for {
		if _, err := p.control.Send("", DONTWAIT); err != nil {
			require.Equal(t, errAgain, err)
			return inTheWay
		}
		inTheWay++
	}
}

// An answer that can't be sent blocks neither messages nor the end of the
// proxy, only further commands. It is sent when there is room.
func TestProxyAnswersLater(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	inTheWay := p.withFullControl(t)
	const commands = 10
	for range commands {
		sendText(t, p.commander, "STATISTICS")
	}
	p.run(t)
	waitUntilFull(t, p.control)
	for range 3 {
		sendText(t, p.sender, "text")
		_, err := p.receiver.Recv(0)
		require.NoError(t, err)
	}
	for range inTheWay {
		_, err := p.commander.Recv(0)
		require.NoError(t, err)
	}
	for range commands {
		parts, err := p.commander.RecvMessage(0)
		require.NoError(t, err)
		require.Len(t, parts, 8)
	}
	for range 5 {
		sendText(t, p.commander, "STATISTICS")
	}
	waitUntilFull(t, p.control)
	require.NoError(t, p.front.Close())
	require.Equal(t, ErrorSocketClosed, waitFor(t, "ProxySteerable", p.ended))
}

// One socket may be both frontend and control; then all its messages are
// commands.
func TestProxyControlledByItsFrontend(t *testing.T) {
	p := newProxied(t, DEALER, PUSH, DEALER, PULL)
	p.control = p.front
	p.run(t)
	for range 2 {
		for _, command := range []string{"PAUSE", "STATISTICS"} {
			sendText(t, p.sender, command)
		}
		parts, err := p.sender.RecvMessage(0)
		require.NoError(t, err)
		require.Len(t, parts, 8)
	}
	sendText(t, p.sender, "TERMINATE")
	require.NoError(t, waitFor(t, "ProxySteerable", p.ended))
}

// A proxy that can do nothing uses no CPU time. The test runs in its own
// process, so that the CPU time of the process is the proxy's.
func TestProxyIdleCost(t *testing.T) {
	inChild(t, func() {
		full := func(t *testing.T, p *proxied) {
			require.NoError(t, p.receiver.Close())
			requireReadyIn(t, p.back, 0)
			sendText(t, p.sender, "text")
			p.run(t)
			waitUntilFull(t, p.back)
		}
		for name, set := range map[string]func(t *testing.T, p *proxied){
			"idle": func(t *testing.T, p *proxied) { p.run(t) },
			"full": full,
			"paused": func(t *testing.T, p *proxied) {
				p.withControl(t, PAIR, PAIR)
				for _, command := range []string{"PAUSE", "STATISTICS"} {
					sendText(t, p.commander, command)
				}
				p.run(t)
				_, err := p.commander.RecvMessage(0)
				require.NoError(t, err)
				sendText(t, p.sender, "text")
			},
			"paused and full": func(t *testing.T, p *proxied) {
				p.withControl(t, PAIR, PAIR)
				full(t, p)
				sendText(t, p.commander, "PAUSE")
			},
			"capture full": func(t *testing.T, p *proxied) {
				require.NoError(t, p.captured.Close())
				requireReadyIn(t, p.capture, 0)
				sendText(t, p.sender, "text")
				p.run(t)
				waitUntilFull(t, p.capture)
			},
			"answer not taken": func(t *testing.T, p *proxied) {
				p.withFullControl(t)
				sendText(t, p.commander, "STATISTICS")
				p.run(t)
				waitUntilFull(t, p.control)
			},
			"backend can't send": func(t *testing.T, p *proxied) {
				p.back = newSocket(t, p.ctx, PULL)
				sendText(t, p.sender, "text")
				p.run(t)
			},
			"backend doesn't tell": func(t *testing.T, p *proxied) {
				p.back = newSocket(t, p.ctx, XPUB)
				require.NoError(t, p.back.SetXpubNodrop(true))
				require.NoError(t, p.back.SetSndhwm(1))
				require.NoError(t, p.back.Bind(inproc(t)))
				receiver := newSocket(t, p.ctx, SUB)
				require.NoError(t, receiver.SetRcvhwm(1))
				require.NoError(t, receiver.SetSubscribe(""))
				require.NoError(t, receiver.Connect(inproc(t)))
				p.run(t)
				for range 10 {
					sendText(t, p.sender, "text")
				}
			},
		} {
			p := newProxied(t, PULL, DEALER, PUSH, DEALER).withCapture(t, PUSH, PULL)
			set(t, p)
			time.Sleep(50 * time.Millisecond) // until the proxy is idle
			t.Log(name)
			assertIdle(t)
			require.NoError(t, p.ctx.Close())
			waitFor(t, "Proxy", p.ended)
		}
	})
}
