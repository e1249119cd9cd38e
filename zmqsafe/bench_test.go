package zmqsafe

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/require"
)

// pebbe/zmq4 and zmqsafe side by side: compare within one run, by the ratio.

// pushPull is what both kinds of socket offer to this benchmark.
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

// rawPair returns a connecting and a bound socket of pebbe/zmq4.
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

// The poll functions below return the first socket that is ready.

// One message at a time, for one of n polled sockets.
func BenchmarkPoll(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("%d/raw", n), func(b *testing.B) {
			p := zmq4.NewPoller()
			ctx := newRawContext(b)
			push := newRawSocket(b, ctx, zmq4.PUSH)
			for i := range n {
				pull := newRawSocket(b, ctx, zmq4.PULL)
				require.NoError(b, pull.Bind(fmt.Sprintf("inproc://%d", i)))
				require.NoError(b, push.Connect(fmt.Sprintf("inproc://%d", i)))
				p.Add(pull, zmq4.POLLIN)
			}
			benchmarkPoll(b, push, rawPoll(p))
		})
		b.Run(fmt.Sprintf("%d/guarded", n), func(b *testing.B) {
			p := NewPoller()
			ctx := newContext(b)
			push := newSocket(b, ctx, PUSH)
			for i := range n {
				pull := newSocket(b, ctx, PULL)
				require.NoError(b, pull.Bind(fmt.Sprintf("inproc://%d", i)))
				require.NoError(b, push.Connect(fmt.Sprintf("inproc://%d", i)))
				p.Add(pull, POLLIN)
			}
			benchmarkPoll(b, push, guardedPoll(p))
		})
	}
}

// A ROUTER answers what it polls, and a DEALER asks a hundred questions at a
// time.
func BenchmarkPollLoop(b *testing.B) {
	for _, transport := range []string{"inproc", "tcp"} {
		b.Run(transport+"/raw", func(b *testing.B) {
			dealer, router := rawPair(b, zmq4.DEALER, zmq4.ROUTER, endpointFor(transport, b))
			p := zmq4.NewPoller()
			p.Add(router, zmq4.POLLIN)
			benchmarkPollLoop(b, dealer, rawPoll(p))
		})
		b.Run(transport+"/guarded", func(b *testing.B) {
			router, dealer := newPair(b, newContext(b), ROUTER, DEALER, endpointFor(transport, b))
			benchmarkPollLoop(b, dealer, guardedPoll(newPollerOf(POLLIN, router)))
		})
	}
}

func rawPoll(p *zmq4.Poller) func() (pollable, error) {
	return func() (pollable, error) {
		polled, err := p.Poll(-1)
		if err != nil {
			return nil, err
		}
		return polled[0].Socket, nil
	}
}

func guardedPoll(p *Poller) func() (pollable, error) {
	return func() (pollable, error) {
		polled, err := p.Poll(-1)
		if err != nil {
			return nil, err
		}
		return polled[0].Socket, nil
	}
}

type pollable interface {
	pushPull
	RecvMessageBytes(flags zmq4.Flag) ([][]byte, error)
	SendMessage(parts ...any) (int, error)
}

func benchmarkPoll(b *testing.B, push pollable, poll func() (pollable, error)) {
	data := make([]byte, 16)
	round := func() {
		_, err := push.SendBytes(data, 0)
		var soc pollable
		if err == nil {
			soc, err = poll()
		}
		if err == nil {
			_, err = soc.RecvBytes(0)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for range 1000 { // each socket once: the first poll looks at all of them
		round()
	}
	b.ReportAllocs()
	for b.Loop() {
		round()
	}
}

func benchmarkPollLoop(b *testing.B, dealer pollable, poll func() (pollable, error)) {
	const window = 100
	data := make([]byte, 16)
	done := make(chan error, 1)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for answered := 0; answered < b.N; {
			router, err := poll()
			for err == nil {
				var parts [][]byte
				if parts, err = router.RecvMessageBytes(zmq4.DONTWAIT); err == nil {
					_, err = router.SendMessage(parts)
					answered++
				}
			}
			if err != errAgain {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for asked := 0; asked < b.N; asked += window {
		n := min(window, b.N-asked)
		for range n {
			if _, err := dealer.SendBytes(data, 0); err != nil {
				b.Fatal(err)
			}
		}
		for range n {
			if _, err := dealer.RecvBytes(0); err != nil {
				b.Fatal(err)
			}
		}
	}
	require.NoError(b, <-done)
}

// The cost of a socket's bookkeeping: the registry, the creation stack and the
// profile. libzmq's reaper lags behind zmq_close, so the benchmark terminates
// its context after every few hundred sockets, and the measurement includes the
// reaper's work.
func BenchmarkSocket(b *testing.B) {
	b.Run("raw", func(b *testing.B) {
		benchmarkSocket(b, zmq4.NewContext, (*zmq4.Context).NewSocket)
	})
	b.Run("guarded", func(b *testing.B) {
		newContext := func() (*Context, error) { return NewContext() }
		benchmarkSocket(b, newContext, (*Context).NewSocket)
	})
}

func benchmarkSocket[C interface{ Term() error }, S interface{ Close() error }](
	b *testing.B, newContext func() (C, error), newSocket func(C, zmq4.Type) (S, error),
) {
	const each = 500
	b.ReportAllocs()
	for done := 0; done < b.N; done += each {
		ctx, err := newContext()
		require.NoError(b, err)
		for range min(each, b.N-done) {
			soc, err := newSocket(ctx, zmq4.PUSH)
			if err == nil {
				err = soc.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		require.NoError(b, ctx.Term())
	}
}

// A stream through a proxy. The clients use pebbe/zmq4 in both cases, so only
// the proxy differs.
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
	benchmarkStream(b, sender, receiverWhole{receiver}, size)
	b.StopTimer()
	closeRaw(b, sender, receiver)
}

// receiverWhole receives messages with all their parts.
type receiverWhole struct{ *zmq4.Socket }

func (r receiverWhole) RecvBytes(flags Flag) ([]byte, error) {
	_, err := r.RecvMessageBytes(flags)
	return nil, err
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
		require.NoError(b, soc.Close()) // everything was received, so nothing lingers
	}
}
