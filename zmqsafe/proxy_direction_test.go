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

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// A proxy locks each of its sockets once, the oldest first.
func TestProxyLocksInOrder(t *testing.T) {
	ctx := newContext(t)
	a, b, c := newSocket(t, ctx, DEALER), newSocket(t, ctx, DEALER), newSocket(t, ctx, PUB)
	for _, d := range []*direction{newDirection(a, b, c), newDirection(c, b, a), newDirection(b, a, c)} {
		assert.Equal(t, []*socketState{a.s, b.s, c.s}, d.locked)
	}
	assert.Equal(t, []*socketState{a.s}, newDirection(a, a, nil).locked)
}

// Everything that can end a proxy, both idle and busy.
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

// A proxy is stopped again and again in full flow, with hardly any room at the
// destination, and another one takes over. Each message arrives once, whole,
// and in order.
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

// The message that the proxy had in flight is the next one to be received.
func TestProxyGivesMessageBack(t *testing.T) {
	ctx := newContext(t)
	front, sender := newPair(t, ctx, PULL, PUSH, inproc(t))
	back := newSocket(t, ctx, PUSH)         // has no peer
	message := strings.Repeat("message", 9) // more than a zmq_msg_t holds, so make asan sees whether it is freed
	for i := range 3 {
		_, err := sender.SendMessage(message, i)
		require.NoError(t, err)
	}
	for range 2 { // the message given back the first time isn't lost
		stop, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- ProxyContext(stop, front, back, nil) }()
		waitUntilFull(t, back)
		cancel()
		require.ErrorIs(t, waitFor(t, "Proxy", ended), context.Canceled)
		require.False(t, front.s.Watched() || back.s.Watched(), "something is left of the proxy")
	}
	for i := range 3 {
		parts, err := front.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{message, fmt.Sprint(i)}, parts)
	}
}

// The peer goes away while multipart messages are on their way to it: the next
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
			for range 2 { // with more peers libzmq may tear messages, see doc.go
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

// waitUntilFull returns when a proxy has a message in flight for which soc has
// no room.
func waitUntilFull(t *testing.T, soc *Socket) {
	t.Helper()
	require.Eventually(t, func() bool { return soc.s.Wanted()&guard.Out != 0 }, limit, time.Millisecond)
}

// A message in flight is put back behind the rest of a message that the program
// has begun to receive.
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

// A proxy that takes the rest of a message that the program has begun to
// receive leaves the program between messages, whether the rest comes back or
// not.
func TestProxyTakesTheRestOfABegunMessage(t *testing.T) {
	for _, comesBack := range []bool{false, true} {
		ctx := newContext(t)
		front, sender := newPair(t, ctx, PULL, PUSH, inproc(t)+"-front")
		back := newSocket(t, ctx, PUSH)
		for _, message := range [][]string{{"a", "long"}, {"next", "2"}} {
			_, err := sender.SendMessage(message)
			require.NoError(t, err)
		}
		part, err := front.Recv(0)
		require.NoError(t, err)
		require.Equal(t, "a", part)
		_, err = front.RecvInto(make([]byte, 1), 0)
		require.ErrorIs(t, err, EMSGSIZE)
		requireMore(t, front, true)

		stop, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- ProxyContext(stop, front, back, nil) }()
		waitUntilFull(t, back)
		requireMore(t, front, false)
		want := [][]string{{"long"}, {"next", "2"}}
		from := front
		if !comesBack {
			from = newSocket(t, ctx, PULL)
			require.NoError(t, from.Bind(inproc(t)+"-back"))
			require.NoError(t, back.Connect(inproc(t)+"-back"))
		} else {
			cancel()
			require.ErrorIs(t, waitFor(t, "Proxy", ended), context.Canceled)
		}
		for _, message := range want {
			got, err := from.RecvMessage(0)
			require.NoError(t, err)
			require.Equal(t, message, got)
			requireMore(t, front, false)
		}
		cancel()
		if !comesBack {
			require.ErrorIs(t, waitFor(t, "Proxy", ended), context.Canceled)
		}
	}
}

// Unread parts move before what libzmq has, and the parts of one message move
// together, both when the proxy begins and when it gets room.
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

// Close doesn't wait long when messages have many parts.
func TestProxyOfManyPartsIsEnded(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	many := make([]string, 10_000)
	for range 100 {
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

// A capture without room blocks the proxy, and nothing is lost or captured
// twice. The same applies if the destination has no room.
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
	waitUntilFull(t, p.capture)
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

// A message that capture refuses isn't moved.
func TestProxyCaptureFails(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	p.capture = newSocket(t, p.ctx, REP)
	_, err := p.sender.SendMessage("some", "text")
	require.NoError(t, err)
	p.run(t)
	require.Equal(t, EFSM, waitFor(t, "Proxy", p.ended))
	parts, err := p.front.RecvMessage(DONTWAIT)
	require.NoError(t, err)
	require.Equal(t, []string{"some", "text"}, parts)
	_, err = p.receiver.RecvMessage(DONTWAIT)
	require.Equal(t, errAgain, err)
}

// One of the two sockets may also be the capture. Messages stay whole.
func TestProxyCapturesToItself(t *testing.T) {
	p := newProxied(t, DEALER, DEALER, DEALER, DEALER)
	p.capture = p.back
	p.run(t)
	_, err := p.sender.SendMessage("some", "text")
	require.NoError(t, err)
	for range 2 {
		parts, err := p.receiver.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{"some", "text"}, parts)
	}
}

// A proxy that is stopped while the destination has no room hasn't captured the
// message that it gives back.
func TestProxyCapturesOnce(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL).withCapture(t, PUSH, PULL)
	require.NoError(t, p.receiver.Close())
	requireReadyIn(t, p.back, 0)
	sendText(t, p.sender, "text")
	for range 2 {
		p.run(t)
		waitUntilFull(t, p.back)
		p.stop()
		require.ErrorIs(t, waitFor(t, "Proxy", p.ended), context.Canceled)
	}
	_, err := p.captured.Recv(DONTWAIT)
	require.Equal(t, errAgain, err)
}
