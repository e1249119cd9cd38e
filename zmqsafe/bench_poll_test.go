package zmqsafe

import (
	"fmt"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/require"
)

// The poll functions here return the first socket that is ready.

// One message at a time, for one of n sockets that are polled.
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

// A ROUTER that answers what it polls, and a DEALER that asks a hundred questions
// at a time.
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
