package zmqsafe

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/require"
)

// Raw and guarded side by side: compare within one run, and by the ratio.

// pushPull is what both kinds of socket have for this benchmark.
type pushPull interface {
	SendBytes(data []byte, flags zmq4.Flag) (int, error)
	RecvBytes(flags zmq4.Flag) ([]byte, error)
}

func BenchmarkPushPull(b *testing.B) {
	for _, transport := range []string{"inproc", "tcp"} {
		for _, size := range []int{16, 1024, 65536} {
			b.Run(fmt.Sprintf("%s/%dB/raw", transport, size), func(b *testing.B) {
				push, pull := rawPair(b, zmq4.PUSH, zmq4.PULL, endpointFor(transport, b))
				benchmarkStream(b, push, pull, size)
			})
			b.Run(fmt.Sprintf("%s/%dB/guarded", transport, size), func(b *testing.B) {
				pull, push := newPair(b, newContext(b), PULL, PUSH, endpointFor(transport, b))
				benchmarkStream(b, push, pull, size)
			})
			b.Run(fmt.Sprintf("%s/%dB/guarded-into", transport, size), func(b *testing.B) {
				pull, push := newPair(b, newContext(b), PULL, PUSH, endpointFor(transport, b))
				benchmarkStream(b, push, receiverInto{pull, make([]byte, size)}, size)
			})
		}
	}
}

// receiverInto receives with RecvInto.
type receiverInto struct {
	*Socket
	buf []byte
}

func (r receiverInto) RecvBytes(flags zmq4.Flag) ([]byte, error) {
	n, err := r.RecvInto(r.buf, flags)
	return r.buf[:n], err
}

func BenchmarkReqRep(b *testing.B) {
	for _, transport := range []string{"inproc", "tcp"} {
		b.Run(transport+"/16B/raw", func(b *testing.B) {
			req, rep := rawPair(b, zmq4.REQ, zmq4.REP, endpointFor(transport, b))
			benchmarkEcho(b, req, rep, 16)
		})
		b.Run(transport+"/16B/guarded", func(b *testing.B) {
			rep, req := newPair(b, newContext(b), REP, REQ, endpointFor(transport, b))
			benchmarkEcho(b, req, rep, 16)
		})
	}
}

func benchmarkStream(b *testing.B, push, pull pushPull, size int) {
	data := make([]byte, size)
	b.SetBytes(int64(size))
	b.ResetTimer()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range b.N {
			if _, err := push.SendBytes(data, 0); err != nil {
				b.Error(err)
				return
			}
		}
	})
	for range b.N {
		if _, err := pull.RecvBytes(0); err != nil {
			b.Fatal(err)
		}
	}
	wg.Wait()
}

func benchmarkEcho(b *testing.B, req, rep pushPull, size int) {
	data := make([]byte, size)
	b.ResetTimer()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range b.N {
			got, err := rep.RecvBytes(0)
			if err == nil {
				_, err = rep.SendBytes(got, 0)
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	for range b.N {
		_, err := req.SendBytes(data, 0)
		if err == nil {
			_, err = req.RecvBytes(0)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	wg.Wait()
}

// rawPair returns a connecting and a bound socket of the raw binding.
func rawPair(b *testing.B, connected, bound zmq4.Type, endpoint string) (*zmq4.Socket, *zmq4.Socket) {
	b.Helper()
	ctx := newRawContext(b)
	soc := newRawSocket(b, ctx, bound)
	require.NoError(b, soc.Bind(endpoint))
	last, err := soc.GetLastEndpoint()
	require.NoError(b, err)
	peer := newRawSocket(b, ctx, connected)
	require.NoError(b, peer.Connect(last))
	return peer, soc
}

func newRawContext(t testing.TB) *zmq4.Context {
	t.Helper()
	ctx, err := zmq4.NewContext()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ctx.Term()) })
	return ctx
}

func newRawSocket(t testing.TB, ctx *zmq4.Context, typ zmq4.Type) *zmq4.Socket {
	t.Helper()
	soc, err := ctx.NewSocket(typ)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, soc.SetLinger(0))
		require.NoError(t, soc.Close())
	})
	return soc
}

func endpointFor(transport string, b *testing.B) string {
	if transport == "tcp" {
		return "tcp://127.0.0.1:*"
	}
	return inproc(b)
}
