package zmqsafe

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// As in socket_wakeup_test.go, only the wake-up itself ends a wait.

type pollResult struct {
	polled []Polled
	err    error
}

// poll polls with p in another goroutine.
func poll(t testing.TB, p *Poller) <-chan pollResult {
	t.Helper()
	result := make(chan pollResult, 1)
	go func() {
		polled, err := p.Poll(-1)
		result <- pollResult{polled, err}
	}()
	waitUntilPolling(t, p)
	return result
}

// duplex returns two connected sockets with room for a message or two in each
// direction. The waker knows the first one.
func duplex(t testing.TB) (ctx *Context, a, b *Socket) {
	ctx = newContext(t)
	a, b = newSocket(t, ctx, PAIR), newSocket(t, ctx, PAIR)
	for _, soc := range []*Socket{a, b} {
		require.NoError(t, soc.SetSndhwm(1))
		require.NoError(t, soc.SetRcvhwm(1))
	}
	require.NoError(t, a.Bind(inproc(t)))
	require.NoError(t, b.Connect(inproc(t)))
	require.NoError(t, a.call((*socketState).Arm))
	return ctx, a, b
}

func fill(soc *Socket) {
	for {
		if _, err := soc.Send("fill", DONTWAIT); err != nil {
			return
		}
	}
}

func empty(soc *Socket) {
	for {
		if _, err := soc.Recv(DONTWAIT); err != nil {
			return
		}
	}
}

// A call that processes the mailbox of a socket must notify its polls, since
// the edge is then gone. Here no waker can do it instead.
func TestCallsTellPolls(t *testing.T) {
	calls := map[string]func(t *testing.T, a *Socket){
		"Send": func(t *testing.T, a *Socket) { sendText(t, a, "x") },
		"Recv": func(t *testing.T, a *Socket) {
			_, err := a.Recv(DONTWAIT)
			require.NoError(t, err)
		},
		"GetEvents": func(t *testing.T, a *Socket) {
			_, err := a.GetEvents()
			require.NoError(t, err)
		},
		"Disconnect": func(t *testing.T, a *Socket) { require.Error(t, a.Disconnect("inproc://none")) },
		"Poll": func(t *testing.T, a *Socket) {
			polled, err := newPollerOf(POLLIN|POLLOUT, a).Poll(0)
			require.NoError(t, err)
			require.Len(t, polled, 1)
		},
		"Poll for something else": func(t *testing.T, a *Socket) {
			_, err := newPollerOf(0, a).Poll(0)
			require.NoError(t, err)
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			ctx, a, b := duplex(t)
			p := newPollerOf(POLLIN, a)
			for range rounds(100) {
				empty(a)
				empty(b)
				ready := poll(t, p)
				withoutWaker(ctx, func() {
					sendText(t, b, "1")
					sendText(t, b, "2") // for the poll, if the call takes one
					call(t, a)
					require.Equal(t, pollResult{[]Polled{{a, POLLIN}}, nil}, waitFor(t, "Poll", ready))
				})
			}
		})
	}
}

// The same for waiting Recv and Send calls: their tries process the mailbox.
func TestWaitersTellPolls(t *testing.T) {
	ctx, a, b := duplex(t)
	for range rounds(200) {
		empty(b)
		fill(a)
		waiting, giveUp := context.WithCancel(context.Background())
		received, sent := make(chan error, 1), make(chan error, 1)

		// A sender learns that there is something to receive.
		go func() { _, err := a.SendContext(waiting, "more", 0); sent <- err }()
		waitUntilBlocked(t, a, POLLOUT)
		ready := poll(t, newPollerOf(POLLIN, a))
		withoutWaker(ctx, func() {
			sendText(t, b, "x")
			wake(t, a, guard.Out)
			require.Equal(t, pollResult{[]Polled{{a, POLLIN}}, nil}, waitFor(t, "Poll for POLLIN", ready))
		})
		giveUp()
		require.ErrorIs(t, waitFor(t, "Send", sent), context.Canceled)

		// A receiver learns that there is room.
		empty(a)
		fill(a)
		waiting, giveUp = context.WithCancel(context.Background())
		go func() { _, err := a.RecvContext(waiting, 0); received <- err }()
		waitUntilBlocked(t, a, POLLIN)
		ready = poll(t, newPollerOf(POLLOUT, a))
		withoutWaker(ctx, func() {
			empty(b)
			wake(t, a, guard.In)
			require.Equal(t, pollResult{[]Polled{{a, POLLOUT}}, nil}, waitFor(t, "Poll for POLLOUT", ready))
		})

		// A receiver takes a message, and there is another one.
		ready = poll(t, newPollerOf(POLLIN, a))
		withoutWaker(ctx, func() {
			sendText(t, b, "1")
			sendText(t, b, "2")
			wake(t, a, guard.In)
			require.NoError(t, waitFor(t, "Recv", received))
			require.Equal(t, pollResult{[]Polled{{a, POLLIN}}, nil}, waitFor(t, "Poll for the second", ready))
		})
		giveUp()
		empty(a)
	}
}

// The other way round, a poll notifies waiting Recv and Send calls.
func TestPollsTellWaiters(t *testing.T) {
	ctx, a, b := duplex(t)
	for range rounds(200) {
		empty(b)
		fill(a)
		received, sent := make(chan error, 1), make(chan error, 1)
		go func() { _, err := a.Recv(0); received <- err }()
		go func() { _, err := a.Send("more", 0); sent <- err }()
		waitUntilBlocked(t, a, POLLIN)
		waitUntilBlocked(t, a, POLLOUT)
		withoutWaker(ctx, func() {
			sendText(t, b, "x")
			empty(b)
			_, err := newPollerOf(0, a).Poll(0)
			require.NoError(t, err)
			require.NoError(t, waitFor(t, "Recv", received))
			require.NoError(t, waitFor(t, "Send", sent))
		})
	}
}

// The polls of one Poller share its notifications: the poll that gets one
// passes it on if it concerns the others.
func TestPollsOfOnePollerTellEachOther(t *testing.T) {
	const pollers = 4
	ctx, a, b := duplex(t)
	other := newSocket(t, ctx, PULL)
	for name, happens := range map[string]func(p *Poller){
		"ready": func(*Poller) { sendText(t, b, "x") },
		"taken by one that doesn't wait": func(p *Poller) {
			withoutWaker(ctx, func() {
				sendText(t, b, "x")
				p.queue().Push(p.list.items[0].Watch)
				polled, err := p.Poll(0)
				require.NoError(t, err)
				require.Len(t, polled, 1)
			})
		},
		"all removed": func(p *Poller) {
			require.NoError(t, p.Remove(0))
			require.NoError(t, p.Remove(0))
		},
		"added": func(p *Poller) { p.Add(b, POLLOUT) },
		"updated": func(p *Poller) {
			_, err := p.UpdateBySocket(a, POLLOUT)
			require.NoError(t, err)
		},
		"closed": func(p *Poller) {
			closed := newSocket(t, ctx, PULL)
			require.NoError(t, closed.Close())
			p.Add(closed, POLLIN)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range rounds(50) {
				p := newPollerOf(POLLIN, a, other)
				var all []<-chan pollResult
				for range pollers {
					all = append(all, poll(t, p))
				}
				happens(p)
				for _, ready := range all {
					waitFor(t, "Poll", ready)
				}
				empty(a)
			}
		})
	}
}

// Polls that don't wait don't consume the notifications of those that do.
func TestLookingDoesntDisturbPolling(t *testing.T) {
	ctx := newContext(t)
	a, b := newPair(t, ctx, PAIR, PAIR, inproc(t))
	p := newPollerOf(POLLIN, a)
	stop, cancel := context.WithCancel(context.Background())
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		for stop.Err() == nil {
			_, err := p.Poll(0)
			assert.NoError(t, err)
		}
	}()
	go func() {
		for {
			if _, err := b.RecvContext(stop, 0); err != nil {
				return
			}
			_, err := b.Send("pong", 0)
			assert.NoError(t, err)
		}
	}()
	bounded(t, "ping-pong", func() {
		for range rounds(5000) {
			sendText(t, a, "ping")
			_, err := p.Poll(-1)
			assert.NoError(t, err)
			_, err = a.Recv(DONTWAIT)
			assert.NoError(t, err)
		}
	})
	cancel()
	waitFor(t, "the one that looks", looked)
}

// A Poll checks once more when its time is up: a notification and the end of
// the time may coincide.
func TestPollLooksWhenTimeIsUp(t *testing.T) {
	ctx, a, b := duplex(t)
	require.Eventually(t, func() bool { // succeeds the first time, unless this goroutine is late
		empty(a)
		p := newPollerOf(POLLIN, a)
		result := make(chan []Polled)
		go func() {
			polled, err := p.Poll(50 * time.Millisecond)
			assert.NoError(t, err)
			result <- polled
		}()
		waitUntilPolling(t, p)
		var polled []Polled
		withoutWaker(ctx, func() {
			sendText(t, b, "x")
			p.queue().Push(p.list.items[0].Watch) // and no Wake
			polled = waitFor(t, "Poll", result)
		})
		return len(polled) == 1
	}, limit, time.Millisecond)
}

// A poll is notified neither of events it doesn't ask for, nor twice, and a
// socket forgets a poll that it has nothing more to notify of.
func TestPollsAreToldNoMoreThanTheyAsk(t *testing.T) {
	ctx, a, b := duplex(t)
	p := newPollerOf(POLLIN, a)
	look := func() []Polled {
		polled, err := p.Poll(0)
		require.NoError(t, err)
		return polled
	}
	expect := func(watching bool, queued int) {
		t.Helper()
		require.Equal(t, watching, a.s.Watched())
		require.Equal(t, queued, p.queue().Len())
		if queued == 0 {
			p.queue().Block(func(wake <-chan struct{}) { require.Empty(t, wake) })
		}
	}
	withoutWaker(ctx, func() { // because it may still deliver the events of Connect
		require.Empty(t, look())
		expect(true, 0)
		sendText(t, a, "x") // leaves room for more, which doesn't concern the poll
		expect(true, 0)

		sendText(t, b, "x")
		_, err := a.GetEvents()
		require.NoError(t, err)
		expect(false, 1)
		require.Len(t, look(), 1)
		expect(false, 1)
		empty(a)
		expect(false, 1)
		require.Empty(t, look())
		expect(true, 0)
	})
	require.NoError(t, p.Remove(0))
	require.False(t, a.s.Watched())
	require.Empty(t, p.list.contexts)
}
