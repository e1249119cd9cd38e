package zmqsafe

import (
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
	crowded := newContext(t)
	require.NoError(t, crowded.SetMaxSockets(3))
	soc = newSocket(t, crowded, PULL)
	assert.Equal(t, Errno(syscall.EMFILE), AsErrno(soc.Monitor("inproc://events", EVENT_ALL)))
	bounded(t, "Close", func() { require.NoError(t, crowded.Close()) })
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
