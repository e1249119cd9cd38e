package zmqsafe

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	back := newSocket(t, ctx, PUSH)         // nobody to send to
	message := strings.Repeat("message", 9) // more than a zmq_msg_t holds: make asan sees whether it is freed
	for i := range 3 {
		_, err := sender.SendMessage(message, i)
		require.NoError(t, err)
	}
	for range 2 { // and the one before is not forgotten
		stop, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- ProxyContext(stop, front, back, nil) }()
		waitUntilFull(t, back)
		cancel()
		require.ErrorIs(t, waitFor(t, "Proxy", ended), context.Canceled)
		require.False(t, front.s.watched() || back.s.watched(), "something is left of the proxy")
	}
	for i := range 3 {
		parts, err := front.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{message, fmt.Sprint(i)}, parts)
	}
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

// waitUntilFull returns when a proxy has a message in hand for which soc has no
// room.
func waitUntilFull(t *testing.T, soc *Socket) {
	t.Helper()
	require.Eventually(t, func() bool {
		ws := &soc.s.watchers
		ws.mu.Lock()
		defer ws.mu.Unlock()
		for w := range ws.set {
			if State(w.events.Load())&POLLOUT != 0 {
				return true
			}
		}
		return false
	}, limit, time.Millisecond)
}

// A message in hand comes back behind the rest of one that the program has begun
// to receive.
func TestProxyGivesMessageBackInTheMiddle(t *testing.T) {
	for _, buffered := range []bool{false, true} { // in unread, or in libzmq
		ctx := newContext(t)
		front, sender := newPair(t, ctx, PULL, PUSH, inproc(t))
		back := newSocket(t, ctx, PUSH)
		for _, message := range [][]string{{"in", "hand"}, {"a", "long", "c"}, {"last"}} {
			_, err := sender.SendMessage(message)
			require.NoError(t, err)
		}
		stop, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- ProxyContext(stop, front, back, nil) }()
		waitUntilFull(t, back)
		part, err := front.Recv(0)
		require.NoError(t, err)
		require.Equal(t, "a", part)
		if buffered {
			_, err := front.RecvInto(make([]byte, 1), 0)
			require.ErrorIs(t, err, EMSGSIZE)
		}
		cancel()
		require.ErrorIs(t, waitFor(t, "Proxy", ended), context.Canceled)
		requireMore(t, front, true)
		for _, want := range [][]string{{"long", "c"}, {"in", "hand"}, {"last"}} {
			message, err := front.RecvMessage(DONTWAIT)
			require.NoError(t, err)
			require.Equal(t, want, message)
		}
	}
}

// What is unread comes before what libzmq has, and one part of it doesn't go
// without the others: neither when the proxy begins, nor when it gets room.
func TestProxyMovesUnreadFirst(t *testing.T) {
	for _, early := range []bool{true, false} {
		ctx := newContext(t)
		front, sender := newPair(t, ctx, PULL, PUSH, inproc(t)+"-front")
		back, receiver := newSocket(t, ctx, PUSH), newSocket(t, ctx, PULL)
		require.NoError(t, receiver.Bind(inproc(t)+"-back"))
		for _, message := range [][]string{{"first"}, {"long", "2"}, {"last", "3"}} {
			_, err := sender.SendMessage(message)
			require.NoError(t, err)
		}
		ended := make(chan error, 1)
		run := func() { go func() { ended <- Proxy(front, back, nil) }() }
		if early {
			run()
			waitUntilFull(t, back)
		} else {
			part, err := front.Recv(0)
			require.NoError(t, err)
			require.Equal(t, "first", part)
		}
		_, err := front.RecvInto(make([]byte, 1), 0)
		require.ErrorIs(t, err, EMSGSIZE)
		if !early {
			putBack(t, front, "first")
			run()
		}
		require.NoError(t, back.Connect(inproc(t)+"-back"))
		for _, want := range [][]string{{"first"}, {"long", "2"}, {"last", "3"}} {
			message, err := receiver.RecvMessage(0)
			require.NoError(t, err)
			require.Equal(t, want, message)
		}
		require.NoError(t, ctx.Close())
		require.Equal(t, ETERM, waitFor(t, "Proxy", ended))
	}
}

// Close doesn't wait for long when messages have many parts.
func TestProxyOfManyPartsIsEnded(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	many := make([]string, 10_000)
	for range 500 {
		_, err := p.sender.SendMessage(many)
		require.NoError(t, err)
	}
	p.run(t)
	parts, err := p.receiver.RecvMessage(0)
	require.NoError(t, err)
	require.Len(t, parts, len(many))
	require.NoError(t, p.front.Close())
	require.Equal(t, ErrorSocketClosed, waitFor(t, "Proxy", p.ended))
}
