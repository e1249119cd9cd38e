package zmqsafe

import (
	"fmt"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/require"
)

// A stream through a proxy. The clients are raw in both cases, so only the proxy
// differs.
func BenchmarkProxy(b *testing.B) {
	for _, transport := range []string{"inproc", "tcp"} {
		for _, size := range []int{16, 1024, 65536} {
			name := fmt.Sprintf("%s/%dB", transport, size)
			front, back := endpointFor(transport, b), endpointFor(transport, b)
			if transport == "inproc" {
				front, back = front+"-front", back+"-back"
			}
			b.Run(name+"/raw", func(b *testing.B) {
				ctx, err := zmq4.NewContext()
				require.NoError(b, err)
				pull, push := bindRaw(b, ctx, zmq4.PULL, front), bindRaw(b, ctx, zmq4.PUSH, back)
				ended := make(chan error, 1)
				go func() { ended <- zmq4.Proxy(pull, push, nil) }()
				sender, receiver := connectRaw(b, ctx, zmq4.PUSH, pull), connectRaw(b, ctx, zmq4.PULL, push)
				benchmarkStream(b, sender, receiver, size)
				b.StopTimer()
				closeRaw(b, sender, receiver)
				terminated := make(chan error, 1)
				go func() { terminated <- ctx.Term() }()
				<-ended
				closeRaw(b, pull, push)
				require.NoError(b, <-terminated)
			})
			b.Run(name+"/guarded", func(b *testing.B) {
				ctx := newContext(b)
				pull, push := newSocket(b, ctx, PULL), newSocket(b, ctx, PUSH)
				require.NoError(b, pull.Bind(front))
				require.NoError(b, push.Bind(back))
				ended := make(chan error, 1)
				go func() { ended <- Proxy(pull, push, nil) }()
				sender, receiver := connectRaw(b, ctx.c.raw, zmq4.PUSH, pull), connectRaw(b, ctx.c.raw, zmq4.PULL, push)
				benchmarkStream(b, sender, receiver, size)
				b.StopTimer()
				closeRaw(b, sender, receiver)
				require.NoError(b, ctx.Close())
				require.Equal(b, ETERM, <-ended)
			})
		}
	}
}

func bindRaw(b *testing.B, ctx *zmq4.Context, t zmq4.Type, endpoint string) *zmq4.Socket {
	soc, err := ctx.NewSocket(t)
	require.NoError(b, err)
	require.NoError(b, soc.Bind(endpoint))
	return soc
}

func connectRaw(b *testing.B, ctx *zmq4.Context, t zmq4.Type, to interface{ GetLastEndpoint() (string, error) }) *zmq4.Socket {
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
