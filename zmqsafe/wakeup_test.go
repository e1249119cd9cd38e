package zmqsafe

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Here nothing but the wake-up itself ends a wait: no time-outs, no polling, no
// third party. A wake-up that is lost hangs the test.

// Each message is answered before the next is sent, so every receive waits, and
// the other side's answer races with the beginning of that wait.
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

// Both directions of both sockets are used at once, with room for one message in
// each queue: senders and receivers of a socket wait at the same time, and each
// call of the one may eat the edge that the other waits for.
func TestNoWakeupIsLostFullDuplex(t *testing.T) {
	messages := rounds(30_000)
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
			part := make([]byte, 4096) // to fill the buffers of tcp, too
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

// A blocked sender must be woken by the receives of others on its socket, when
// those work off the command that says there is room, and the other way round:
// nothing arrives on ZMQ_FD for it then.
func TestCallsPassOnWhatTheyLearn(t *testing.T) {
	ctx := newContext(t)
	a, b := newSocket(t, ctx, DEALER), newSocket(t, ctx, DEALER)
	for _, soc := range []*Socket{a, b} {
		require.NoError(t, soc.SetSndhwm(1))
		require.NoError(t, soc.SetRcvhwm(1))
	}
	require.NoError(t, a.Bind(inproc(t)))
	require.NoError(t, b.Connect(inproc(t)))
	require.NoError(t, a.call((*socketState).arm)) // or it would need the waker below
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

// withoutWaker runs f while the waker knows no sockets: only the calls on a socket
// can tell those that wait for it.
func withoutWaker(ctx *Context, f func()) {
	w := &ctx.c.waker
	swap := func(sockets map[int32]*socketState) (previous map[int32]*socketState) {
		w.mu.Lock()
		defer w.mu.Unlock()
		previous, w.sockets = w.sockets, sockets
		return previous
	}
	known := swap(nil)
	defer swap(known)
	f()
}

// The same between the two that wait on one socket: the sender tries in vain, and
// learns that there is something to receive.
func TestWaitersPassOnWhatTheyLearn(t *testing.T) {
	ctx := newContext(t)
	a, b := newPair(t, ctx, PAIR, PAIR, inproc(t))
	for {
		if _, err := a.Send("fill", DONTWAIT); err != nil {
			break
		}
	}
	require.NoError(t, a.call((*socketState).arm))
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
			a.s.out.kick()
			assert.NoError(t, waitFor(t, "Recv", got))
		})
		giveUp()
		assert.ErrorIs(t, waitFor(t, "Send", sent), context.Canceled)
	}
}

// wait on its own: what a kick, a report or a recheck does to it.
func TestGuardWait(t *testing.T) {
	wait := func(dir State, exact bool, first func(g *guard) State) (tries int) {
		var g guard
		g.init(nil)
		bounded(t, "wait", func() {
			assert.NoError(t, g.wait(context.Background(), dir, exact, -1, func(bool) (State, error) {
				if tries++; tries == 1 {
					return first(&g), errAgain
				}
				return 0, nil
			}))
		})
		return tries
	}
	nothing := func(*guard) State { return 0 }
	assert.Equal(t, 2, wait(POLLIN, true, func(g *guard) State { g.in.kick(); return 0 }), "a kick between try and wait")
	assert.Equal(t, 2, wait(POLLIN, true, func(*guard) State { return POLLIN }), "ready by now")
	assert.Equal(t, 2, wait(POLLOUT, true, func(*guard) State { return POLLOUT }), "ready by now")
	assert.Equal(t, 2, wait(POLLOUT, false, nothing), "the recheck")
}

// A ROUTER that must not drop, with one peer full and one not, is POLLOUT and yet
// blocks: nobody may be woken by that for ever, and room must be noticed.
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
	events, err := router.GetEvents() // and wakes both
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

// A context that is done wins over a message that is there.
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

// rounds is n, or less of it with -short.
func rounds(n int) int {
	if testing.Short() {
		return n / 5
	}
	return n
}
