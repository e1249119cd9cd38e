package zmqsafe

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// nosyHandler looks at everything when something is logged: no lock of the package
// is held then.
type nosyHandler struct{ slog.Handler }

func (h nosyHandler) Handle(ctx context.Context, r slog.Record) error {
	lookAtAll(nil)
	return h.Handler.Handle(ctx, r)
}

// lookAtAll uses all that there is to see inside, of all contexts and of ctx.
func lookAtAll(ctx *Context) {
	_, _ = json.Marshal(Contexts())
	_, _ = json.Marshal(ctx.Report())
	_ = ctx.Report().String()
	_ = ctx.Report().LogValue()
	for _, info := range ctx.Sockets() {
		_ = info.String()
	}
	_ = pprof.Lookup(ProfileName).WriteTo(io.Discard, 1)
}

// Everything is looked at by several goroutines all the time, while contexts and
// sockets come and go, are used, and are lost.
func TestSeeingInsideWhileAllIsInUse(t *testing.T) {
	var log syncBuffer
	before, profiled := len(Contexts()), pprof.Lookup(ProfileName).Count()
	for round := range rounds(30) {
		ctx, err := NewContext(
			WithLinger(linger.MustFor(time.Duration(round%3)*10*time.Millisecond)), WithCloseTimeout(limit),
			WithLogger(slog.New(nosyHandler{slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})})),
		)
		require.NoError(t, err)
		quit := make(chan struct{})
		var users, lookers sync.WaitGroup
		for range 3 {
			lookers.Go(func() {
				for {
					select {
					case <-quit:
						return
					default:
						lookAtAll(ctx)
					}
				}
			})
		}
		useAll(t, ctx, &users, []string{"inproc://see", "tcp://127.0.0.1:*"}[round%2])
		require.Eventually(t, func() bool { return ctx.Sockets()[0].Received > 20 }, limit, time.Millisecond)
		bounded(t, "Close", func() { _ = ctx.Close() })
		bounded(t, "users", users.Wait)
		close(quit)
		bounded(t, "lookers", lookers.Wait)
		r := ctx.Report()
		assert.True(t, r.Done)
		assert.Empty(t, r.Holding())
		assert.Zero(t, r.Unclosed)
	}
	eventuallyCollected(t, func() bool { return len(Contexts()) == before && pprof.Lookup(ProfileName).Count() == profiled })
	assert.NotContains(t, log.String(), "still isn't closed")
	assert.NotContains(t, log.String(), "not closed in time")
}

// useAll starts goroutines that do everything with sockets of ctx until it closes.
func useAll(t *testing.T, ctx *Context, users *sync.WaitGroup, transport string) {
	t.Helper()
	pull, push := newPair(t, ctx, PULL, PUSH, transport)
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	until := func(f func() error) {
		users.Go(func() {
			for f() == nil {
				runtime.Gosched()
			}
		})
	}
	until(func() error { _, err := push.SendMessage("two", "parts"); return err })
	until(func() error { _, err := pull.RecvMessage(0); return err })
	until(func() error {
		poller := newPollerOf(POLLIN|POLLOUT, pull, push)
		_, err := poller.Poll(time.Millisecond)
		return err
	})
	until(func() error { // closed by the program, with messages on their way
		soc, err := ctx.NewSocket(PUSH)
		if err != nil {
			return err
		}
		_ = soc.Connect(endpoint)
		_, _ = soc.Send("x", DONTWAIT)
		return soc.Close()
	})
	until(func() error { // lost
		_, err := ctx.NewSocket(PAIR)
		time.Sleep(time.Millisecond)
		return err
	})
	front, sender := newPair(t, ctx, PULL, PUSH, "inproc://see-front")
	back, receiver := newPair(t, ctx, PUSH, PULL, "inproc://see-back")
	until(func() error { return Proxy(front, back, nil) })
	until(func() error { _, err := sender.Send("x", 0); return err })
	until(func() error { _, err := receiver.Recv(0); return err })
}

// A program may open and close, and lose, contexts and sockets for ever.
func TestNothingGrows(t *testing.T) {
	quiet := WithLogger(slog.New(slog.DiscardHandler))
	contextsBefore, profiled := len(Contexts()), pprof.Lookup(ProfileName).Count()
	descriptors := openDescriptors(t)
	lose := func() { // a context with a socket that is open and one that lingers
		ctx, err := NewContext(quiet, WithLinger(linger.MustFor(10*time.Millisecond)))
		require.NoError(t, err)
		_, err = ctx.NewSocket(PULL)
		require.NoError(t, err)
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
		_, err = soc.Send("x", 0)
		require.NoError(t, err)
		require.NoError(t, soc.Close())
	}
	for range rounds(30) {
		lose()
		ctx, err := NewContext(quiet)
		require.NoError(t, err)
		for range 10 {
			soc, err := ctx.NewSocket(PUSH)
			require.NoError(t, err)
			require.NoError(t, soc.Close())
		}
		require.NoError(t, ctx.Close())
	}
	eventuallyCollected(t, func() bool {
		contexts.mu.Lock()
		defer contexts.mu.Unlock()
		return len(contexts.all) == contextsBefore
	})
	assert.Equal(t, profiled, pprof.Lookup(ProfileName).Count())
	require.Eventually(t, func() bool { return openDescriptors(t) <= descriptors }, limit, time.Millisecond)
}
