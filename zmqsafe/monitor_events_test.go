package zmqsafe

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loopOver runs a loop in a goroutine. It sends the events and then closes the
// channel. The second channel then has the error of the last round, or nil.
func loopOver(events iter.Seq2[MonitorEvent, error]) (<-chan MonitorEvent, <-chan error) {
	got, end := make(chan MonitorEvent, 10_000), make(chan error, 1)
	go func() {
		var last error
		for event, err := range events {
			if last = err; err == nil {
				got <- event
			}
		}
		close(got)
		end <- last
	}()
	return got, end
}

// bindAndUnbind causes 2n events and doesn't wait for them.
func bindAndUnbind(t *testing.T, soc *Socket, n int) {
	t.Helper()
	for range n {
		require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
		endpoint, err := soc.GetLastEndpoint()
		require.NoError(t, err)
		require.NoError(t, soc.Unbind(endpoint))
	}
}

func TestEvents(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, REP)
	events := soc.Events(t.Context())
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	endpoint, err := soc.GetLastEndpoint()
	require.NoError(t, err)
	got, end := loopOver(events)
	next := func(kind Event) {
		t.Helper()
		event := waitFor(t, kind.String(), got)
		assert.Equal(t, kind, event.Event)
		assert.Equal(t, endpoint, event.Addr)
		assert.NoError(t, event.Err())
	}
	next(EVENT_LISTENING)
	require.NoError(t, newSocket(t, ctx, REQ).Connect(endpoint))
	next(EVENT_ACCEPTED)
	next(EVENT_HANDSHAKE_SUCCEEDED)
	// The loop also sees the socket being closed, and then ends.
	require.NoError(t, soc.Close())
	var seen []Event
	for event := range got {
		seen = append(seen, event.Event)
	}
	assert.Contains(t, seen, EVENT_CLOSED)
	assert.Equal(t, EVENT_MONITOR_STOPPED, seen[len(seen)-1])
	assert.NoError(t, waitFor(t, "the end", end))
}

func TestEventsAskedFor(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	got, end := loopOver(soc.Events(t.Context(), EVENT_LISTENING, EVENT_ACCEPTED|EVENT_DISCONNECTED))
	for range 2 {
		bindAndUnbind(t, soc, 1)
		assert.Equal(t, EVENT_LISTENING, waitFor(t, "event", got).Event)
	}
	require.NoError(t, soc.Close())
	require.NoError(t, waitFor(t, "the end", end))
	assert.Empty(t, got)
}

// Everything that ends a waiting loop, and with which error.
func TestEventsEnd(t *testing.T) {
	tests := map[string]struct {
		end  func(ctx *Context, soc *Socket, cancel func()) error
		want error
	}{
		"ctx done":       {func(_ *Context, _ *Socket, cancel func()) error { cancel(); return nil }, context.Canceled},
		"socket closed":  {func(_ *Context, soc *Socket, _ func()) error { return soc.Close() }, nil},
		"context closed": {func(ctx *Context, _ *Socket, _ func()) error { return ctx.Close() }, nil},
		"Monitor":        {func(_ *Context, soc *Socket, _ func()) error { return soc.Monitor("inproc://events", EVENT_ALL) }, nil},
		"Monitor ended":  {func(_ *Context, soc *Socket, _ func()) error { return soc.Monitor("", 0) }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := newContext(t)
			soc := newSocket(t, ctx, PULL)
			bound, cancel := context.WithCancel(t.Context())
			defer cancel()
			got, end := loopOver(soc.Events(bound))
			require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
			waitFor(t, "an event", got)
			require.NoError(t, tt.end(ctx, soc, cancel))
			require.Equal(t, tt.want, waitFor(t, "the end", end))
			if name != "Monitor" {
				relayGone(t, ctx)
			}
		})
	}
}

// A further Events ends the previous one, and Events ends Monitor.
func TestEventsReplaces(t *testing.T) {
	ctx := newContext(t)
	soc, reader := newSocket(t, ctx, PULL), newSocket(t, ctx, PAIR)
	require.NoError(t, soc.Monitor(inproc(t), EVENT_ALL))
	require.NoError(t, reader.Connect(inproc(t)))
	monitored, _ := readEvents(reader)
	first, firstEnd := loopOver(soc.Events(t.Context()))
	require.Equal(t, EVENT_MONITOR_STOPPED, waitFor(t, "end of Monitor", monitored).kind)
	second, secondEnd := loopOver(soc.Events(t.Context()))
	require.NoError(t, waitFor(t, "end of the first", firstEnd))
	require.Equal(t, EVENT_MONITOR_STOPPED, waitFor(t, "last event", first).Event)
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	require.Equal(t, EVENT_LISTENING, waitFor(t, "event", second).Event)
	require.NoError(t, soc.Close())
	require.NoError(t, waitFor(t, "end of the second", secondEnd))
	require.Empty(t, monitored)
	require.Empty(t, first)
}

// Leaving the loop ends the monitor; the iterator then yields nothing more.
func TestEventsLeft(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	events := soc.Events(t.Context())
	bindAndUnbind(t, soc, 10)
	for _, err := range events {
		require.NoError(t, err)
		break
	}
	relayGone(t, ctx)
	for range events {
		require.Fail(t, "the loop was left")
	}
	require.NotPanics(t, func() { bindAndUnbind(t, soc, 10) })
	func() { // left by a panic
		defer func() { require.NotNil(t, recover()) }()
		events := soc.Events(t.Context())
		bindAndUnbind(t, soc, 1)
		for range events {
			panic("in the loop")
		}
	}()
	relayGone(t, ctx)
}

// Two concurrent loops share the events; leaving one ends the other.
func TestEventsOfTwoLoops(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	events := soc.Events(t.Context(), EVENT_LISTENING)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range events {
				return
			}
		})
	}
	bindAndUnbind(t, soc, 1)
	bounded(t, "both loops", wg.Wait)
	relayGone(t, ctx)
}

// When ctx is done, the loop gets nothing else any more.
func TestEventsCanceledWithin(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	bound, cancel := context.WithCancel(t.Context())
	defer cancel()
	events := soc.Events(bound)
	bindAndUnbind(t, soc, 10)
	for range 2 { // the second loop yields the same
		rounds := 0
		for _, err := range events {
			if rounds++; bound.Err() == nil {
				require.NoError(t, err)
				cancel()
				rounds = 0
				continue
			}
			require.Equal(t, context.Canceled, err)
		}
		require.Equal(t, 1, rounds)
	}
	for _, err := range soc.Events(bound) {
		require.Equal(t, context.Canceled, err)
	}
	relayGone(t, ctx)
}

// An iterator that is never used ends with ctx, and with the socket.
func TestEventsNeverUsed(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	bound, cancel := context.WithCancel(t.Context())
	soc.Events(bound)
	bindAndUnbind(t, soc, 1)
	cancel()
	relayGone(t, ctx)
	soc.Events(t.Context())
	bindAndUnbind(t, soc, 1)
	require.NoError(t, soc.Close())
	relayGone(t, ctx)
	soc = newSocket(t, ctx, PULL)
	soc.Events(t.Context())
	bindAndUnbind(t, soc, 1)
	require.NoError(t, ctx.Close())
}

// An iterator doesn't keep a leaked socket from being found.
func TestEventsOfLeakedSocket(t *testing.T) {
	leaksAtOnce(t, func() {
		var log syncBuffer
		ctx := newContext(t, WithLogger(log.logger()))
		func() {
			soc, err := ctx.NewSocket(PULL)
			require.NoError(t, err)
			soc.Events(t.Context())
		}()
		require.Eventually(t, func() bool {
			runtime.GC()
			return len(ctx.Sockets()) == 0
		}, limit, time.Millisecond)
		relayGone(t, ctx)
		assert.Contains(t, log.line(t, socketLeaked)["socket"], "PULL")
	})
}

// A loop that is too far behind gets the number of events that it missed, and
// goes on.
func TestEventsDropped(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	events := soc.Events(t.Context(), EVENT_LISTENING)
	const n = relayQueue + 100
	bounded(t, "Bind", func() { bindAndUnbind(t, soc, n) })
	messagesFlow(t, ctx)
	from := soc.s.monitor.from
	require.Eventually(t, func() bool { // the relay has received them all
		ready, err := from.GetEvents()
		return err == nil && ready&POLLIN == 0
	}, limit, time.Millisecond)
	got, dropped := 0, 0
	for event, err := range events {
		if err != nil {
			require.ErrorIs(t, err, ENOBUFS)
			require.GreaterOrEqual(t, got, relayQueue)
			dropped += droppedBy(t, err)
			continue
		}
		require.Equal(t, EVENT_LISTENING, event.Event)
		if got++; got == 1 { // the queue has room again
			bindAndUnbind(t, soc, 1)
		}
		if got+dropped == n+1 {
			require.NoError(t, soc.Close())
		}
	}
	require.Equal(t, n+1, got+dropped)
	require.Positive(t, dropped)
}

func droppedBy(t *testing.T, err error) (n int) {
	t.Helper()
	_, scanErr := fmt.Sscanf(err.Error(), "zmqsafe: Events: %d events dropped", &n)
	require.NoError(t, scanErr)
	return n
}

// The loop also gets the number if no event follows the gap.
func TestEventsDroppedLast(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	events := soc.Events(t.Context(), EVENT_LISTENING)
	bindAndUnbind(t, soc, relayQueue+100)
	require.NoError(t, soc.Close())
	relayGone(t, ctx)
	got, end := loopOver(events)
	err := waitFor(t, "the end", end)
	require.ErrorIs(t, err, ENOBUFS)
	require.Equal(t, 100, droppedBy(t, err))
	require.Len(t, got, relayQueue)
}

func TestEventsFails(t *testing.T) {
	ctx := newContext(t)
	soc, closedSoc := newSocket(t, ctx, PULL), newSocket(t, ctx, PULL)
	require.NoError(t, closedSoc.Close())
	only := func(want error, events iter.Seq2[MonitorEvent, error]) {
		t.Helper()
		for range 2 {
			rounds := 0
			for event, err := range events {
				assert.ErrorIs(t, err, want)
				assert.Zero(t, event)
				rounds++
			}
			assert.Equal(t, 1, rounds)
		}
	}
	var none *Socket
	only(ErrorSocketClosed, none.Events(t.Context()))
	only(ErrorSocketClosed, closedSoc.Events(t.Context()))
	only(Errno(syscall.EINVAL), soc.Events(t.Context(), EVENT_ALL+1))
	only(Errno(syscall.EINVAL), soc.Events(t.Context(), -1))
	for free := range 2 {
		crowded := newContext(t)
		soc := newSocket(t, crowded, PULL)
		takeAllSocketsBut(t, crowded, free)
		only(Errno(syscall.EMFILE), soc.Events(t.Context()))
	}
	require.NoError(t, ctx.Close())
	only(ETERM, soc.Events(t.Context()))
}

// Sockets and context are closed in every order, and all at once, while events
// arrive.
func TestEventsClosedInAnyOrder(t *testing.T) {
	orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	for _, concurrently := range []bool{false, true} {
		for _, order := range orders {
			t.Run(fmt.Sprint(order, concurrently), func(t *testing.T) {
				ctx := newContext(t)
				soc := newSocket(t, ctx, PUSH)
				require.NoError(t, soc.SetReconnectIvl(time.Millisecond))
				bound, cancel := context.WithCancel(t.Context())
				got, end := loopOver(soc.Events(bound))
				for range 5 {
					require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
				}
				waitFor(t, "an event", got)
				actions := []func(){
					cancel,
					func() { assert.NoError(t, soc.Close()) },
					func() { assert.NoError(t, ctx.Close()) },
				}
				var wg sync.WaitGroup
				for _, i := range order {
					if concurrently {
						wg.Go(actions[i])
					} else {
						bounded(t, "action", actions[i])
					}
				}
				bounded(t, "actions", wg.Wait)
				if err := waitFor(t, "the end", end); err != nil {
					require.Equal(t, context.Canceled, err)
				}
			})
		}
	}
}

// Events and Monitor are called while the context ends.
func TestMonitorWhileContextCloses(t *testing.T) {
	for range 20 {
		ctx := newContext(t)
		soc := newSocket(t, ctx, PULL)
		started := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				for _, err := range soc.Events(t.Context()) {
					if err != nil {
						assert.Equal(t, ETERM, err)
						return
					}
				}
				if i == 2 {
					close(started)
				}
			}
		})
		wg.Go(func() {
			for i := 0; ; i++ {
				if err := soc.Monitor(fmt.Sprint("inproc://events-", i), EVENT_ALL); err != nil {
					if AsErrno(err) == Errno(syscall.EMFILE) {
						continue // libzmq's own limit, until old monitors are gone
					}
					assert.Equal(t, ETERM, err)
					return
				}
			}
		})
		waitFor(t, "start", started)
		bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
		bounded(t, "calls", wg.Wait)
	}
}

func TestEventsOfManySockets(t *testing.T) {
	ctx := newContext(t)
	const n = 200
	var loops sync.WaitGroup
	listening := make(chan string, n)
	for range n {
		soc := newSocket(t, ctx, PULL)
		events := soc.Events(t.Context(), EVENT_LISTENING)
		loops.Go(func() {
			for event, err := range events {
				if assert.NoError(t, err) {
					listening <- event.Addr
				}
			}
		})
		require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	}
	seen := map[string]bool{}
	for range n {
		seen[waitFor(t, "event", listening)] = true
	}
	require.Len(t, seen, n)
	bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
	bounded(t, "loops", loops.Wait)
}
