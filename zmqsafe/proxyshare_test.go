package zmqsafe

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
					time.Sleep(time.Millisecond) // all sleep at times
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

// Proxies that have sockets in common, in all orders, while the program binds,
// connects, monitors and closes: nothing is stuck.
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
