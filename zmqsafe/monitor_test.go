package zmqsafe

import (
	"context"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

type monitorEvent struct {
	kind  Event
	addr  string
	value int
}

// readEvents reads until an error, which it sends last.
func readEvents(soc *Socket) (<-chan monitorEvent, <-chan error) {
	events, end := make(chan monitorEvent, 1000), make(chan error, 1)
	go func() {
		for {
			kind, addr, value, err := soc.RecvEvent(0)
			if err != nil {
				end <- err
				return
			}
			events <- monitorEvent{kind, addr, value}
		}
	}()
	return events, end
}

func TestMonitor(t *testing.T) {
	ctx := newContext(t)
	soc, reader := newSocket(t, ctx, REP), newSocket(t, ctx, PAIR)
	require.NoError(t, soc.Monitor(inproc(t), EVENT_ALL))
	require.NoError(t, reader.Connect(inproc(t)))
	events, end := readEvents(reader)
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	endpoint, err := soc.GetLastEndpoint()
	require.NoError(t, err)
	next := func(kind Event) {
		t.Helper()
		event := waitFor(t, kind.String(), events)
		assert.Equal(t, kind, event.kind)
		assert.Equal(t, endpoint, event.addr)
	}
	next(EVENT_LISTENING)
	client := newSocket(t, ctx, REQ)
	require.NoError(t, client.Connect(endpoint))
	next(EVENT_ACCEPTED)
	next(EVENT_HANDSHAKE_SUCCEEDED)
	// The closing can be seen too, and has an end.
	require.NoError(t, soc.Close())
	seen := map[Event]bool{}
	for !seen[EVENT_MONITOR_STOPPED] {
		seen[waitFor(t, "last events", events).kind] = true
	}
	assert.True(t, seen[EVENT_CLOSED])
	require.NoError(t, reader.Close())
	assert.Equal(t, ErrorSocketClosed, waitFor(t, "reader", end))
}

// In raw each of these stops an I/O thread, blocks zmq_bind, or aborts.
func TestMonitorInAnyOrder(t *testing.T) {
	t.Run("reader never connects", func(t *testing.T) {
		ctx := newContext(t, WithLogger(slog.New(slog.DiscardHandler)))
		soc := newSocket(t, ctx, PULL)
		require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
		bounded(t, "Bind", func() {
			for range relayQueue { // more events than there is room for
				require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
				require.NoError(t, soc.Unbind("tcp://127.0.0.1:*"))
			}
		})
		messagesFlow(t, ctx)
	})
	t.Run("reader closed before the socket", func(t *testing.T) {
		ctx := newContext(t)
		soc, reader := newSocket(t, ctx, PULL), newSocket(t, ctx, PAIR)
		require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
		require.NoError(t, reader.Connect("inproc://events"))
		_, end := readEvents(reader)
		require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
		require.NoError(t, reader.Close())
		assert.Equal(t, ErrorSocketClosed, waitFor(t, "reader", end))
		bounded(t, "Bind", func() { require.NoError(t, soc.Bind("tcp://127.0.0.1:*")) })
		messagesFlow(t, ctx)
		bounded(t, "Close", func() { require.NoError(t, soc.Close()) })
	})
	t.Run("closed by the context with a busy reader", func(t *testing.T) {
		ctx := newContext(t)
		soc, reader := newSocket(t, ctx, PUSH), newSocket(t, ctx, PAIR)
		require.NoError(t, soc.SetReconnectIvl(time.Millisecond))
		require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
		require.NoError(t, reader.Connect("inproc://events"))
		events, end := readEvents(reader)
		for range 10 {
			require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
		}
		waitFor(t, "an event", events)
		require.NoError(t, ctx.Close())
		assert.Equal(t, ETERM, waitFor(t, "reader", end))
	})
}

// messagesFlow shows that libzmq's I/O thread is alive.
func messagesFlow(t *testing.T, ctx *Context) {
	t.Helper()
	pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
	_, err := push.Send("x", 0)
	require.NoError(t, err)
	bounded(t, "Recv", func() {
		_, err := pull.Recv(0)
		require.NoError(t, err)
	})
}

func TestMonitorReplacedAndStopped(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	for i := range 3 {
		require.NoError(t, soc.Monitor("inproc://events", EVENT_LISTENING))
		reader := newSocket(t, ctx, PAIR)
		require.NoError(t, reader.Connect("inproc://events"))
		events, _ := readEvents(reader)
		require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
		assert.Equal(t, EVENT_LISTENING, waitFor(t, fmt.Sprint("event ", i), events).kind)
		require.NoError(t, reader.Close())
	}
	require.NoError(t, soc.Monitor("", 0))
	require.NoError(t, soc.Monitor("", 0), "twice")
	relayGone(t, ctx)
}

// A monitor that can't be had leaves nothing behind that Close would wait for.
func TestMonitorFails(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	assert.ErrorIs(t, soc.Monitor("inproc://events", EVENT_ALL|1<<16), Errno(syscall.EINVAL))
	require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL), "the name is free")
	for free := range 3 { // a monitor needs three sockets more
		crowded := newContext(t)
		require.NoError(t, crowded.SetMaxSockets(2))
		soc = newSocket(t, crowded, PULL)
		takeAllSocketsBut(t, crowded, free)
		assert.Equal(t, Errno(syscall.EMFILE), AsErrno(soc.Monitor("inproc://events", EVENT_ALL)))
		bounded(t, "Close", func() { require.NoError(t, crowded.Close()) })
	}
}

// takeAllSocketsBut has the package take libzmq's sockets until so many are left.
func takeAllSocketsBut(t *testing.T, ctx *Context, left int) {
	t.Helper()
	most, err := ctx.c.raw.GetMaxSockets()
	require.NoError(t, err)
	ctx.c.mu.Lock()
	taken := len(ctx.c.sockets)
	ctx.c.mu.Unlock()
	for range most - taken - left {
		_, err := ctx.c.newInternal(PAIR, site{})
		require.NoError(t, err)
	}
	if left == 0 {
		_, err := ctx.c.newInternal(PAIR, site{})
		require.Equal(t, Errno(syscall.EMFILE), AsErrno(err))
	}
}

func TestMonitorSendsWhatWasAskedFor(t *testing.T) {
	ctx := newContext(t)
	soc, reader := newSocket(t, ctx, PULL), newSocket(t, ctx, PAIR)
	require.NoError(t, soc.Monitor(inproc(t), EVENT_LISTENING))
	require.NoError(t, reader.Connect(inproc(t)))
	events, _ := readEvents(reader)
	for range 2 {
		require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
		endpoint, err := soc.GetLastEndpoint()
		require.NoError(t, err)
		require.NoError(t, newSocket(t, ctx, PUSH).Connect(endpoint))
		assert.Equal(t, EVENT_LISTENING, waitFor(t, "event", events).kind)
		require.NoError(t, soc.Unbind(endpoint))
	}
	require.NoError(t, soc.Close())
	relayGone(t, ctx)
	assert.Empty(t, events)
}

// A reader that never comes holds a closed socket's monitor for a moment only, and
// the end of a context not at all.
func TestMonitorWithoutReaderEnds(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	require.NoError(t, soc.Close())
	relayGone(t, ctx)
	soc = newSocket(t, ctx, PULL)
	require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	start := time.Now()
	require.NoError(t, ctx.Close())
	assert.Less(t, time.Since(start), linger.DefaultDuration/2)
}

func relayGone(t *testing.T, ctx *Context) {
	t.Helper()
	require.Eventually(t, func() bool {
		ctx.c.mu.Lock()
		defer ctx.c.mu.Unlock()
		return len(ctx.c.relays) == 0
	}, limit, time.Millisecond)
}

func TestMonitorBadInput(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	assert.ErrorIs(t, soc.Monitor("tcp://127.0.0.1:5555", EVENT_ALL), EPROTONOSUPPORT)
	assert.ErrorContains(t, soc.Monitor("nonsense", EVENT_ALL), "transport://address")
	taken := newSocket(t, ctx, PAIR)
	require.NoError(t, taken.Bind("inproc://taken"))
	assert.Equal(t, EADDRINUSE, soc.Monitor("inproc://taken", EVENT_ALL))
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	_, err := push.SendMessage("no", "event")
	require.NoError(t, err)
	_, _, _, err = pull.RecvEvent(0)
	assert.Equal(t, ErrorMoreExpected, err)
}

// Who has read EVENT_MONITOR_STOPPED can use the address again at once: for
// another socket, or for the same.
func TestMonitorAddressIsFree(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	for i := range 100 {
		require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL), i)
		reader := newSocket(t, ctx, PAIR)
		require.NoError(t, reader.Connect("inproc://events"))
		bindAndUnbind(t, soc, 1)
		switch i % 3 {
		case 0:
			require.NoError(t, soc.Monitor("", 0))
		case 1: // replaced: the reader sees the end of the first
			require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
			require.NoError(t, soc.Monitor("", 0))
		case 2:
			require.NoError(t, soc.Close())
			soc = newSocket(t, ctx, PULL)
		}
		events, end := readEvents(reader)
		for waitFor(t, "events", events).kind != EVENT_MONITOR_STOPPED {
			continue
		}
		if i%2 == 0 {
			require.NoError(t, reader.Close())
			require.Equal(t, ErrorSocketClosed, waitFor(t, "reader", end))
		}
	}
}

// Each reader gets the events of its own socket.
func TestMonitorOfManySockets(t *testing.T) {
	ctx := newContext(t)
	const n = 100
	got := make(chan error, n)
	for i := range n {
		soc, reader := newSocket(t, ctx, PULL), newSocket(t, ctx, PAIR)
		require.NoError(t, reader.Connect(fmt.Sprint("inproc://events-", i)), "before Monitor")
		require.NoError(t, soc.Monitor(fmt.Sprint("inproc://events-", i), EVENT_LISTENING|EVENT_MONITOR_STOPPED))
		require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
		endpoint, err := soc.GetLastEndpoint()
		require.NoError(t, err)
		go func() {
			event, addr, _, err := reader.RecvEvent(0)
			if err == nil && (event != EVENT_LISTENING || addr != endpoint) {
				err = fmt.Errorf("got %v of %v, want %v of %v", event, addr, EVENT_LISTENING, endpoint)
			}
			if err == nil {
				event, _, _, err = reader.RecvEvent(0)
			}
			if err == nil && event != EVENT_MONITOR_STOPPED {
				err = fmt.Errorf("got %v", event)
			}
			got <- err
		}()
		if i%2 == 0 {
			require.NoError(t, soc.Close())
		} else {
			require.NoError(t, soc.Monitor("", 0))
		}
	}
	for range n {
		require.NoError(t, waitFor(t, "events", got))
	}
}

// A further Monitor ends the one before also when it fails, as with raw.
func TestMonitorReplacedByFailure(t *testing.T) {
	ctx := newContext(t)
	soc, taken, reader := newSocket(t, ctx, PULL), newSocket(t, ctx, PAIR), newSocket(t, ctx, PAIR)
	require.NoError(t, taken.Bind("inproc://taken"))
	require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
	require.NoError(t, reader.Connect("inproc://events"))
	require.Equal(t, EADDRINUSE, soc.Monitor("inproc://taken", EVENT_ALL))
	event, _, _, err := reader.RecvEvent(0)
	require.NoError(t, err)
	require.Equal(t, EVENT_MONITOR_STOPPED, event)
	require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
}

// What a late reader gets and what is reported as dropped are all events.
func TestMonitorDropped(t *testing.T) {
	var log syncBuffer
	ctx := newContext(t, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	soc, reader := newSocket(t, ctx, PULL), newSocket(t, ctx, PAIR)
	require.NoError(t, soc.Monitor("inproc://events", EVENT_LISTENING|EVENT_MONITOR_STOPPED))
	const n = 2 * relayQueue
	bounded(t, "Bind", func() { bindAndUnbind(t, soc, n) })
	require.NoError(t, reader.Connect("inproc://events"))
	require.NoError(t, soc.Monitor("", 0))
	events, _ := readEvents(reader)
	got := 0
	for waitFor(t, "events", events).kind == EVENT_LISTENING {
		got++
	}
	relayGone(t, ctx)
	require.GreaterOrEqual(t, got, relayQueue)
	require.Contains(t, log.String(), fmt.Sprint(n-got, " events dropped"))
}

func TestRecvEventContext(t *testing.T) {
	ctx := newContext(t)
	soc, reader := newSocket(t, ctx, PULL), newSocket(t, ctx, PAIR)
	require.NoError(t, soc.Monitor("inproc://events", EVENT_LISTENING))
	require.NoError(t, reader.Connect("inproc://events"))
	bound, cancel := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() {
		_, _, _, err := reader.RecvEventContext(bound, 0)
		end <- err
	}()
	waitUntilBlocked(t, reader, POLLIN)
	cancel()
	require.Equal(t, context.Canceled, waitFor(t, "RecvEventContext", end))
	bindAndUnbind(t, soc, 1)
	event, _, _, err := reader.RecvEventContext(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, EVENT_LISTENING, event)
	_, _, _, err = reader.RecvEventContext(t.Context(), DONTWAIT)
	require.Equal(t, Errno(syscall.EAGAIN), err)
}
