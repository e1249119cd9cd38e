package zmqsafe

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/require"
)

// A stream through a proxy. The clients are raw in both cases, so only the proxy
// differs.
func BenchmarkProxy(b *testing.B) {
	for name, types := range map[string][4]zmq4.Type{ // sender, frontend, backend, receiver
		"stream":   {zmq4.PUSH, zmq4.PULL, zmq4.PUSH, zmq4.PULL},
		"requests": {zmq4.DEALER, zmq4.ROUTER, zmq4.DEALER, zmq4.DEALER},
	} {
		for _, transport := range []string{"inproc", "tcp"} {
			for _, size := range []int{16, 1024, 65536} {
				if name != "stream" && size > 16 {
					continue
				}
				name := fmt.Sprintf("%s/%s/%dB", name, transport, size)
				b.Run(name+"/raw", func(b *testing.B) { benchmarkProxyRaw(b, types, transport, size) })
				b.Run(name+"/guarded", func(b *testing.B) { benchmarkProxyGuarded(b, types, transport, size) })
			}
		}
	}
}

func benchmarkProxyRaw(b *testing.B, types [4]zmq4.Type, transport string, size int) {
	ctx, err := zmq4.NewContext()
	require.NoError(b, err)
	front, back := bindRaw(b, ctx, types[1], transport, "front"), bindRaw(b, ctx, types[2], transport, "back")
	ended := make(chan error, 1)
	go func() { ended <- zmq4.Proxy(front, back, nil) }()
	benchmarkThrough(b, ctx, types, front, back, size)
	terminated := make(chan error, 1)
	go func() { terminated <- ctx.Term() }()
	<-ended
	closeRaw(b, front, back)
	require.NoError(b, <-terminated)
}

func benchmarkProxyGuarded(b *testing.B, types [4]zmq4.Type, transport string, size int) {
	ctx := newContext(b)
	front, back := newSocket(b, ctx, types[1]), newSocket(b, ctx, types[2])
	require.NoError(b, front.Bind(proxyEndpoint(b, transport, "front")))
	require.NoError(b, back.Bind(proxyEndpoint(b, transport, "back")))
	ended := make(chan error, 1)
	go func() { ended <- Proxy(front, back, nil) }()
	benchmarkThrough(b, ctx.c.raw, types, front, back, size)
	require.NoError(b, ctx.Close())
	require.Equal(b, ETERM, <-ended)
}

type bound interface{ GetLastEndpoint() (string, error) }

func benchmarkThrough(b *testing.B, ctx *zmq4.Context, types [4]zmq4.Type, front, back bound, size int) {
	sender := connectRaw(b, ctx, types[0], front)
	receiver := connectRaw(b, ctx, types[3], back)
	data := make([]byte, size)
	b.SetBytes(int64(size))
	b.ResetTimer()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range b.N {
			if _, err := sender.SendBytes(data, 0); err != nil {
				b.Error(err)
				return
			}
		}
	})
	for range b.N {
		if _, err := receiver.RecvMessageBytes(0); err != nil {
			b.Fatal(err)
		}
	}
	wg.Wait()
	b.StopTimer()
	closeRaw(b, sender, receiver)
}

func proxyEndpoint(b *testing.B, transport, side string) string {
	if transport == "tcp" {
		return "tcp://127.0.0.1:*"
	}
	return inproc(b) + "-" + side
}

func bindRaw(b *testing.B, ctx *zmq4.Context, t zmq4.Type, transport, side string) *zmq4.Socket {
	soc, err := ctx.NewSocket(t)
	require.NoError(b, err)
	require.NoError(b, soc.Bind(proxyEndpoint(b, transport, side)))
	return soc
}

func connectRaw(b *testing.B, ctx *zmq4.Context, t zmq4.Type, to bound) *zmq4.Socket {
	soc, err := ctx.NewSocket(t)
	require.NoError(b, err)
	endpoint, err := to.GetLastEndpoint()
	require.NoError(b, err)
	require.NoError(b, soc.Connect(endpoint))
	return soc
}

func closeRaw(b *testing.B, sockets ...*zmq4.Socket) {
	for _, soc := range sockets {
		require.NoError(b, soc.Close()) // all was received, so nothing lingers
	}
}
