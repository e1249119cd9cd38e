package zmqsafe

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSndhwmOption(t *testing.T) {
	c := newContext(t)
	for _, tt := range []struct {
		typ           Type
		value, libzmq int
	}{
		{PUSH, 10, 10},
		{PUB, 1, 1},
		{REP, 1, repQueueFloor},
		{REP, repQueueFloor + 1, repQueueFloor + 1},
		{REP, 0, 0},
		{SUB, 10, 0},
		{XSUB, 10, 10},
	} {
		t.Run(fmt.Sprint(tt.typ, tt.value), func(t *testing.T) {
			soc := newSocket(t, c, tt.typ)
			got, err := soc.GetSndhwm()
			require.NoError(t, err)
			assert.Equal(t, defaultSndhwm, got)
			require.NoError(t, soc.SetSndhwm(tt.value))
			for _, bad := range append(beyondCInt[int](), -1) {
				assert.ErrorIs(t, soc.SetSndhwm(bad), Errno(syscall.EINVAL))
			}
			got, err = soc.GetSndhwm()
			require.NoError(t, err)
			assert.Equal(t, tt.value, got, "what was set")
			got, err = soc.s.raw.GetSndhwm()
			require.NoError(t, err)
			assert.Equal(t, tt.libzmq, got, "what libzmq got")
		})
	}
}

const lateHighWater = "zmqsafe: high-water mark changed after Bind or Connect: libzmq crashes the process if a peer is just ending; set it before"

func TestLateHighWaterWarning(t *testing.T) {
	set := map[string]func(*Socket, int) error{"SetSndhwm": (*Socket).SetSndhwm, "SetRcvhwm": (*Socket).SetRcvhwm}
	for name, set := range set {
		t.Run(name, func(t *testing.T) {
			forgetWarnings()
			var log syncBuffer
			soc := newSocket(t, newContext(t, WithLogger(log.logger())), DEALER)
			change := func(value int) error { return set(soc, value) }
			require.NoError(t, change(1))
			require.NoError(t, soc.Bind("inproc://late"))
			require.NoError(t, change(1))
			for _, bad := range append(beyondCInt[int](), -1) {
				require.ErrorIs(t, change(bad), Errno(syscall.EINVAL))
			}
			require.Empty(t, log.lines(t), "libzmq is not told")
			require.NoError(t, change(2))
			require.NoError(t, soc.Unbind("inproc://late"))
			require.NoError(t, change(3))
			line := log.line(t, lateHighWater) // once for the line
			assert.Contains(t, line["at"], "highwater_test.go:")
			assert.Equal(t, name, line["option"])
			log.reset()
		})
	}
}

// What changes nothing isn't passed on: libzmq would crash.
func TestSameHighWaterWhilePeersEnd(t *testing.T) {
	inChild(t, func() {
		ctx := newContext(t)
		pull := newSocket(t, ctx, PULL)
		require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
		endpoint, err := pull.GetLastEndpoint()
		require.NoError(t, err)
		for range 200 {
			push := newSocket(t, ctx, PUSH)
			require.NoError(t, push.Connect(endpoint))
			_, err := push.Send("", 0)
			require.NoError(t, err)
			_, err = pull.Recv(0)
			require.NoError(t, err)
			require.NoError(t, push.Close())
			for range 100 {
				_, err := pull.GetEvents()
				require.NoError(t, err)
				require.NoError(t, pull.SetRcvhwm(defaultSndhwm)) // the same
			}
		}
	})
}

// What a peer has room for isn't dropped, however short the queue is and
// however fast messages follow each other.
func TestNothingIsDroppedForAPeerWithRoom(t *testing.T) {
	for _, c := range []struct{ sender, peer Type }{{REP, REQ}, {ROUTER, REQ}, {PUB, SUB}, {XPUB, SUB}, {XSUB, XPUB}} {
		for _, endpoint := range []string{"inproc://x", "tcp://127.0.0.1:*"} {
			for _, hwm := range []int{1, 2, 3, 10, 100} {
				t.Run(fmt.Sprint(c.sender, endpoint[:3], hwm), func(t *testing.T) {
					t.Parallel()
					ctx := newContext(t)
					sender, peer := newSocket(t, ctx, c.sender), newSocket(t, ctx, c.peer)
					require.NoError(t, sender.SetSndhwm(hwm))
					require.NoError(t, peer.SetRcvhwm(1))
					require.NoError(t, peer.Bind(endpoint))
					last, err := peer.GetLastEndpoint()
					require.NoError(t, err)
					require.NoError(t, sender.Connect(last))
					if c.peer == SUB {
						awaitSubscription(t, sender, peer)
					}
					for i := range 400 {
						text := fmt.Sprint("message ", i)
						message := []string{text}
						if c.peer == REQ {
							sendText(t, peer, text)
							message, err = sender.RecvMessage(0)
							require.NoError(t, err)
						}
						_, err := sender.SendMessage(message)
						require.NoError(t, err)
						bounded(t, text, func() { message, err = peer.RecvMessage(0) })
						require.NoError(t, err)
						require.Equal(t, text, message[len(message)-1])
					}
				})
			}
		}
	}
}

// awaitSubscription makes a subscription, and sends probes until it has arrived
// and nothing is under way.
func awaitSubscription(t *testing.T, pub, sub *Socket) {
	t.Helper()
	require.NoError(t, sub.SetSubscribe(""))
	n := 0
	require.Eventually(t, func() bool {
		n++
		sendText(t, pub, fmt.Sprint(n))
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		for {
			got, err := sub.RecvContext(soon, 0)
			if err != nil || got == fmt.Sprint(n) {
				return err == nil
			}
		}
	}, limit, time.Millisecond)
}

// Nor does a proxy drop it.
func TestProxyDropsNothingForAPeerWithRoom(t *testing.T) {
	const messages = 100
	ctx := newContext(t)
	front, sender := newPair(t, ctx, PULL, PUSH, "inproc://front")
	for range messages {
		sendText(t, sender, "some")
	}
	newBack := func(name string) (back, receiver *Socket) {
		back, receiver = newSocket(t, ctx, PUB), newSocket(t, ctx, SUB)
		require.NoError(t, back.SetSndhwm(3))
		require.NoError(t, receiver.SetRcvhwm(1))
		require.NoError(t, receiver.SetSubscribe(""))
		require.NoError(t, back.Bind(name))
		require.NoError(t, receiver.Connect(name))
		return back, receiver
	}
	back, receiver := newBack("inproc://back")
	capture, captured := newBack("inproc://capture")
	d := newDirection(front, back, capture)
	defer d.end()
	for n := uint64(0); n < messages; {
		moved, err := d.move()
		require.True(t, moved && err == nil, err)
		for ; n < d.messages; n++ {
			for _, soc := range []*Socket{receiver, captured} {
				_, err := soc.Recv(DONTWAIT)
				require.NoError(t, err, "message %d of %d", n, d.messages)
			}
		}
	}
}

// All subscriptions arrive, however many there are.
func TestSndhwmDropsNoSubscription(t *testing.T) {
	const filters = 3000
	for _, typ := range []Type{SUB, XSUB} {
		for _, endpoint := range []string{"inproc://x", "tcp://127.0.0.1:*"} {
			for _, before := range []bool{false, true} {
				t.Run(fmt.Sprint(typ, endpoint[:3], before), func(t *testing.T) {
					t.Parallel()
					ctx := newContext(t)
					pub, sub := newSocket(t, ctx, XPUB), newSocket(t, ctx, typ)
					require.NoError(t, pub.Bind(endpoint))
					last, err := pub.GetLastEndpoint()
					require.NoError(t, err)
					if !before {
						require.NoError(t, sub.Connect(last))
					}
					for i := range filters {
						if filter := fmt.Sprint("filter ", i); typ == SUB {
							require.NoError(t, sub.SetSubscribe(filter))
						} else {
							sendText(t, sub, "\x01"+filter)
						}
					}
					if before {
						require.NoError(t, sub.Connect(last))
					}
					got := map[string]bool{}
					require.NoError(t, pub.SetRcvtimeo(limit))
					for len(got) < filters {
						filter, err := pub.Recv(0)
						require.NoError(t, err, "after %d", len(got))
						got[filter] = true
					}
				})
			}
		}
	}
}
