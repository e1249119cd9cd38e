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

// Everything that can end a proxy, while it is idle and while it is busy.
func TestProxyIsEnded(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(p *proxied) error
		want error
	}{
		"Close of frontend": {func(p *proxied) error { return p.front.Close() }, ErrorSocketClosed},
		"Close of backend":  {func(p *proxied) error { return p.back.Close() }, ErrorSocketClosed},
		"Close of capture":  {func(p *proxied) error { return p.capture.Close() }, ErrorSocketClosed},
		"Close of control":  {func(p *proxied) error { return p.control.Close() }, ErrorSocketClosed},
		"Term":              {func(p *proxied) error { return p.ctx.Term() }, ETERM},
		"ctx":               {func(p *proxied) error { p.stop(); return nil }, context.Canceled},
		"TERMINATE":         {func(p *proxied) error { _, err := p.commander.Send("TERMINATE", 0); return err }, nil},
	} {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/busy=%v", name, busy), func(t *testing.T) {
				p := newProxied(t, PULL, PUSH, PUSH, PULL).withCapture(t, PUB, SUB).withControl(t, PAIR, PAIR).run(t)
				var clients sync.WaitGroup
				done := make(chan struct{})
				if busy {
					clients.Go(func() {
						for err := error(nil); err == nil; {
							_, err = p.sender.SendMessage("some", "text")
						}
					})
				} else {
					sendText(t, p.sender, "x")
				}
				clients.Go(func() {
					for n, err := 0, error(nil); err == nil; n++ {
						if _, err = p.receiver.RecvMessage(0); n == 0 {
							close(done)
						}
					}
				})
				waitFor(t, "a message", done)
				require.NoError(t, c.end(p))
				require.Equal(t, c.want, waitFor(t, "Proxy", p.ended))
				require.NoError(t, p.ctx.Close())
				bounded(t, "clients", clients.Wait)
			})
		}
	}
}

// A proxy is stopped again and again in full flow, with next to no room on the
// other side, and another one takes over. What was sent arrives: each message
// once, whole, and in order.
func TestProxyStopLosesNothing(t *testing.T) {
	const messages = 20_000
	ctx := newContext(t)
	front, sender := newPair(t, ctx, PULL, PUSH, inproc(t)+"-front")
	back, receiver := newSocket(t, ctx, PUSH), newSocket(t, ctx, PULL)
	require.NoError(t, back.SetSndhwm(1))
	require.NoError(t, receiver.SetRcvhwm(1))
	require.NoError(t, back.Bind(inproc(t)+"-back"))
	require.NoError(t, receiver.Connect(inproc(t)+"-back"))
	var clients sync.WaitGroup
	clients.Go(func() {
		for i := range messages {
			_, err := sender.SendMessage(i, "text", i)
			assert.NoError(t, err)
		}
	})
	received := make(chan struct{})
	clients.Go(func() {
		defer close(received)
		for i := range messages {
			parts, err := receiver.RecvMessage(0)
			if !assert.NoError(t, err) || !assert.Equal(t, []string{fmt.Sprint(i), "text", fmt.Sprint(i)}, parts) {
				return
			}
		}
	})
	stops := 0
	for running := true; running; stops++ {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- ProxyContext(ctx, front, back, nil) }()
		select {
		case <-received:
			running = false
		case <-time.After(time.Millisecond):
		}
		cancel()
		require.ErrorIs(t, waitFor(t, "Proxy", ended), context.Canceled)
	}
	bounded(t, "clients", clients.Wait)
	t.Logf("stopped %d times", stops)
}

// The message that the proxy had in hand is the next one to be received.
func TestProxyGivesMessageBack(t *testing.T) {
	ctx := newContext(t)
	front, sender := newPair(t, ctx, PULL, PUSH, inproc(t))
	back := newSocket(t, ctx, PUSH) // nobody to send to
	for i := range 3 {
		_, err := sender.SendMessage("message", i)
		require.NoError(t, err)
	}
	for range 2 { // and the one before is not forgotten
		stop, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- ProxyContext(stop, front, back, nil) }()
		require.Eventually(t, func() bool { return back.s.watchers.any.Load() }, limit, time.Millisecond)
		cancel()
		require.ErrorIs(t, waitFor(t, "Proxy", ended), context.Canceled)
	}
	for i := range 3 {
		parts, err := front.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{"message", fmt.Sprint(i)}, parts)
	}
}

func TestProxyCapture(t *testing.T) {
	p := newProxied(t, DEALER, DEALER, DEALER, DEALER).withCapture(t, PUSH, PULL).run(t)
	for i := range 100 {
		_, err := p.sender.SendMessage("there", i)
		require.NoError(t, err)
		_, err = p.receiver.RecvMessage(0)
		require.NoError(t, err)
		_, err = p.receiver.SendMessage("back", i)
		require.NoError(t, err)
		_, err = p.sender.RecvMessage(0)
		require.NoError(t, err)
		for _, way := range []string{"there", "back"} {
			parts, err := p.captured.RecvMessage(0)
			require.NoError(t, err)
			require.Equal(t, []string{way, fmt.Sprint(i)}, parts)
		}
	}
}

// A capture without room holds the proxy up, and nothing is lost or captured
// twice; neither when it is the other side that has no room.
func TestProxyWaitsForCapture(t *testing.T) {
	const messages = 3000
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	p.capture = newSocket(t, p.ctx, PUSH)
	require.NoError(t, p.capture.SetSndhwm(1))
	p.run(t)
	go func() {
		for i := range messages {
			_, _ = p.sender.Send(fmt.Sprint(i), 0)
		}
	}()
	require.Eventually(t, func() bool { return p.capture.s.watchers.any.Load() }, limit, time.Millisecond)
	_, err := p.receiver.Recv(DONTWAIT)
	require.Equal(t, errAgain, err)

	captured := newSocket(t, p.ctx, PULL)
	require.NoError(t, captured.SetRcvhwm(1))
	require.NoError(t, captured.Bind(inproc(t)+"-capture"))
	require.NoError(t, p.capture.Connect(inproc(t)+"-capture"))
	for _, soc := range []*Socket{captured, p.receiver} {
		for i := range 1000 { // less than the queues hold
			text, err := soc.Recv(0)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(i), text)
			if soc == p.receiver {
				text, err = captured.Recv(0)
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint(1000+i), text)
			}
		}
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
			if types[0] == REP { // its answer says that it is so
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
	const messages = 100
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

// Two proxies on the same sockets, and the program uses them as well.
func TestProxiesShareSockets(t *testing.T) {
	const messages = 3000
	p := newProxied(t, PULL, PUSH, PUSH, PULL).run(t)
	second := make(chan error, 1)
	go func() { second <- Proxy(p.front, p.back, nil) }()
	go func() {
		for i := range messages {
			from := p.sender
			if i%3 == 0 {
				from = p.back // past the proxy
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

// The peer goes while messages of many parts are on their way to it: the next
// one gets whole messages.
func TestProxyTearsNothing(t *testing.T) {
	for _, typ := range []Type{PUSH, DEALER} {
		ctx := newContext(t)
		for i := range rounds(200) {
			front, sender := newPair(t, ctx, PULL, PUSH, fmt.Sprintf("%s-%d", inproc(t), i))
			back := newSocket(t, ctx, typ)
			stop, cancel := context.WithCancel(context.Background())
			var running sync.WaitGroup
			running.Go(func() { assert.ErrorIs(t, ProxyContext(stop, front, back, nil), context.Canceled) })
			running.Go(func() {
				for err := error(nil); err == nil; {
					_, err = sender.SendMessageContext(stop, "1", "2", "3", "4", "5", "6", "7", "8")
				}
			})
			for range 2 { // more peers at a time libzmq mixes up, see doc.go
				peer := peerOf(t, ctx, typ)
				endpoint := fmt.Sprintf("%s-%d-%p", inproc(t), i, peer)
				require.NoError(t, peer.Bind(endpoint))
				require.NoError(t, back.Connect(endpoint))
				for range 20 {
					parts, err := peer.RecvMessage(0)
					require.NoError(t, err)
					require.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7", "8"}, parts)
				}
				require.NoError(t, peer.Close())
			}
			cancel()
			bounded(t, "Proxy", running.Wait)
			for _, soc := range []*Socket{front, sender, back} {
				require.NoError(t, soc.Close())
			}
		}
	}
}
