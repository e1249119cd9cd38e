package zmqsafe

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// In this file only the wake-up itself ends a wait: no time-outs, no polling,
// no third party. A lost wake-up hangs the test.

// Each message is answered before the next is sent, so every receive waits, and
// the peer's answer races with the beginning of that wait.
func TestNoWakeupIsLostPingPong(t *testing.T) {
	trips := rounds(30_000)
	for _, endpoint := range []string{inproc(t), "tcp://127.0.0.1:*"} {
		ctx := newContext(t)
		a, b := newPair(t, ctx, PAIR, PAIR, endpoint)
		var wg sync.WaitGroup
		wg.Go(func() { pingPong(t, a, b, trips) })
		bounded(t, "ping-pong over "+endpoint, wg.Wait)
	}
}

func pingPong(t *testing.T, a, b *Socket, trips int) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for range trips {
			if _, err := b.Recv(0); !assert.NoError(t, err) {
				return
			}
			if _, err := b.Send("pong", 0); !assert.NoError(t, err) {
				return
			}
		}
	})
	for range trips {
		_, err := a.Send("ping", 0)
		if !assert.NoError(t, err) {
			break
		}
		if _, err = a.Recv(0); !assert.NoError(t, err) {
			break
		}
	}
	wg.Wait()
}

// Both directions of both sockets are used at once, with room for one message
// in each queue: senders and receivers of a socket wait at the same time, and
// each call in one direction may consume the edge that the other waits for.
func TestNoWakeupIsLostFullDuplex(t *testing.T) {
	messages := rounds(10_000) // with room for one, each takes several switches
	for _, endpoint := range []string{inproc(t), "tcp://127.0.0.1:*"} {
		for _, goroutines := range []int{1, 3} {
			ctx := newContext(t)
			a, b := newSocket(t, ctx, DEALER), newSocket(t, ctx, DEALER)
			for _, soc := range []*Socket{a, b} {
				require.NoError(t, soc.SetSndhwm(1))
				require.NoError(t, soc.SetRcvhwm(1))
			}
			require.NoError(t, a.Bind(endpoint))
			last, err := a.GetLastEndpoint()
			require.NoError(t, err)
			require.NoError(t, b.Connect(last))
			part := make([]byte, 4096) // fills the buffers of tcp, too
			var wg sync.WaitGroup
			for _, soc := range []*Socket{a, b} {
				for range goroutines {
					wg.Go(func() {
						for range messages / goroutines {
							if _, err := soc.SendBytes(part, 0); !assert.NoError(t, err) {
								return
							}
						}
					})
					wg.Go(func() {
						for range messages / goroutines {
							if _, err := soc.RecvBytes(0); !assert.NoError(t, err) {
								return
							}
						}
					})
				}
			}
			bounded(t, fmt.Sprint("full duplex over ", endpoint, " with ", goroutines), wg.Wait)
		}
	}
}

// Receives on the same socket must wake a blocked sender if they process the
// command that says there is room, and the other way round: nothing arrives on
// ZMQ_FD for it then.
func TestCallsPassOnWhatTheyLearn(t *testing.T) {
	ctx := newContext(t)
	a, b := newSocket(t, ctx, DEALER), newSocket(t, ctx, DEALER)
	for _, soc := range []*Socket{a, b} {
		require.NoError(t, soc.SetSndhwm(1))
		require.NoError(t, soc.SetRcvhwm(1))
	}
	require.NoError(t, a.Bind(inproc(t)))
	require.NoError(t, b.Connect(inproc(t)))
	require.NoError(t, a.call((*socketState).Arm)) // otherwise it would need the waker below
	for range rounds(2000) {
		for {
			if _, err := a.Send("fill", DONTWAIT); err != nil {
				break
			}
		}
		sent := make(chan error)
		go func() { _, err := a.Send("one more", 0); sent <- err }()
		waitUntilBlocked(t, a, POLLOUT)
		withoutWaker(ctx, func() {
			for {
				if _, err := b.Recv(DONTWAIT); err != nil {
					break
				}
			}
			_, err := a.Recv(DONTWAIT)
			require.Equal(t, errAgain, err)
			assert.NoError(t, waitFor(t, "Send", sent))
		})
	}
}

// withoutWaker runs f while the waker watches no sockets: only calls on a
// socket can wake those that wait for it.
func withoutWaker(ctx *Context, f func()) {
	watched := func(do func(s *socketState)) {
		for _, s := range ctx.c.newestFirst(false) {
			if s.Lock() == nil {
				if s.fd >= 0 {
					do(s)
				}
				s.Unlock(0)
			}
		}
	}
	watched(func(s *socketState) { ctx.c.waker.Remove(s.id, s.fd) })
	defer watched(func(s *socketState) { _ = ctx.c.waker.Add(s.id, s.fd, s) })
	f()
}

// wake makes the call that waits in direction dir try again.
func wake(t *testing.T, soc *Socket, dir guard.Ready) {
	t.Helper()
	require.NoError(t, soc.s.Lock())
	soc.s.Unlock(dir)
}

// The same between two calls that wait on one socket: the sender tries in vain,
// and learns that there is something to receive.
func TestWaitersPassOnWhatTheyLearn(t *testing.T) {
	ctx := newContext(t)
	a, b := newPair(t, ctx, PAIR, PAIR, inproc(t))
	for {
		if _, err := a.Send("fill", DONTWAIT); err != nil {
			break
		}
	}
	require.NoError(t, a.call((*socketState).Arm))
	for range rounds(500) {
		sending, giveUp := context.WithCancel(context.Background())
		sent, got := make(chan error), make(chan error)
		go func() { _, err := a.SendContext(sending, "one more", 0); sent <- err }()
		go func() { _, err := a.Recv(0); got <- err }()
		waitUntilBlocked(t, a, POLLOUT)
		waitUntilBlocked(t, a, POLLIN)
		withoutWaker(ctx, func() {
			_, err := b.Send("x", 0)
			require.NoError(t, err)
			wake(t, a, guard.Out)
			assert.NoError(t, waitFor(t, "Recv", got))
		})
		giveUp()
		assert.ErrorIs(t, waitFor(t, "Send", sent), context.Canceled)
	}
}

// A ROUTER that must not drop, with one full peer and one with room, reports
// POLLOUT and yet blocks. That must not wake anybody forever, and room must be
// noticed.
func TestRouterWithOneFullPeerDoesntSpin(t *testing.T) {
	ctx := newContext(t)
	router := newSocket(t, ctx, ROUTER)
	require.NoError(t, router.SetRouterMandatory(1))
	require.NoError(t, router.SetSndhwm(1))
	require.NoError(t, router.Bind(inproc(t)))
	peers := map[string]*Socket{"full": nil, "free": nil}
	for name := range peers {
		peers[name] = newSocket(t, ctx, DEALER)
		require.NoError(t, peers[name].SetRcvhwm(1))
		require.NoError(t, peers[name].SetIdentity(name))
		require.NoError(t, peers[name].Connect(inproc(t)))
	}
	for {
		if _, err := router.SendMessageDontwait("full", "x"); err != nil {
			require.Equal(t, errAgain, err)
			break
		}
	}
	sent, received := make(chan error), make(chan error)
	go func() { _, err := router.SendMessage("full", "last"); sent <- err }()
	waitUntilBlocked(t, router, POLLOUT)
	go func() { _, err := router.RecvMessage(0); received <- err }()
	waitUntilBlocked(t, router, POLLIN)
	events, err := router.GetEvents() // wakes both
	require.NoError(t, err)
	require.Equal(t, POLLOUT, events)
	_, err = router.SendMessageDontwait("free", "x") // others get through
	require.NoError(t, err)
	assertIdle(t)
	for {
		got, err := peers["full"].Recv(0)
		require.NoError(t, err)
		if got == "last" {
			break
		}
	}
	assert.NoError(t, waitFor(t, "SendMessage", sent))
	_, err = peers["free"].Send("x", 0)
	require.NoError(t, err)
	assert.NoError(t, waitFor(t, "RecvMessage", received))
}

// A done context wins over a message that has arrived.
func TestDoneContextTakesNoMessage(t *testing.T) {
	zctx := newContext(t)
	pull, push := newPair(t, zctx, PULL, PUSH, inproc(t))
	_, err := push.Send("x", 0)
	require.NoError(t, err)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = pull.RecvContext(done, 0)
	require.ErrorIs(t, err, context.Canceled)
	_, err = push.SendContext(done, "y", 0)
	require.ErrorIs(t, err, context.Canceled)
	got, err := pull.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "x", got)
	_, err = pull.Recv(DONTWAIT)
	assert.Equal(t, errAgain, err)
}

// rounds returns n, or less with -short.
func rounds(n int) int {
	if testing.Short() {
		return n / 5
	}
	return n
}
