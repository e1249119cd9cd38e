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
)

type monitorEvent struct {
	kind  Event
	addr  string
	value int
}

// readEvents reads events until an error, which it sends last.
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
	readersComeIn(t, limit)
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
	// The reader also sees the socket being closed, and then the monitor ends.
	require.NoError(t, soc.Close())
	seen := map[Event]bool{}
	for !seen[EVENT_MONITOR_STOPPED] {
		seen[waitFor(t, "last events", events).kind] = true
	}
	assert.True(t, seen[EVENT_CLOSED])
	require.NoError(t, reader.Close())
	assert.Equal(t, ErrorSocketClosed, waitFor(t, "reader", end))
}

// With pebbe/zmq4 each of these stops an I/O thread, blocks zmq_bind, or
// aborts.
func TestMonitorInAnyOrder(t *testing.T) {
	t.Run("reader never connects", func(t *testing.T) {
		ctx := newContext(t, WithLogger(slog.New(slog.DiscardHandler)))
		soc := newSocket(t, ctx, PULL)
		require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
		bounded(t, "Bind", func() {
			for range relayQueue { // more events than the queue holds
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

// messagesFlow checks that libzmq's I/O thread is alive.
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
	readersComeIn(t, 50*time.Millisecond)
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

// A monitor that can't start leaves nothing behind that Close would wait for.
func TestMonitorFails(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	assert.ErrorIs(t, soc.Monitor("inproc://events", EVENT_ALL|1<<16), Errno(syscall.EINVAL))
	require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL), "the name is free")
	for free := range 3 { // a monitor needs three more sockets
		crowded := newContext(t)
		require.NoError(t, crowded.SetMaxSockets(2))
		soc = newSocket(t, crowded, PULL)
		takeAllSocketsBut(t, crowded, free)
		assert.Equal(t, Errno(syscall.EMFILE), AsErrno(soc.Monitor("inproc://events", EVENT_ALL)))
		bounded(t, "Close", func() { require.NoError(t, crowded.Close()) })
	}
}

// takeAllSocketsBut makes the package take libzmq's sockets until only left are
// free.
func takeAllSocketsBut(t *testing.T, ctx *Context, left int) {
	t.Helper()
	most, err := ctx.c.raw.GetMaxSockets()
	require.NoError(t, err)
	ctx.c.mu.Lock()
	taken := len(ctx.c.sockets)
	ctx.c.mu.Unlock()
	for range most - taken - left {
		_, err := ctx.c.newInternal(PAIR, callSite{})
		require.NoError(t, err)
	}
	if left == 0 {
		_, err := ctx.c.newInternal(PAIR, callSite{})
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

// A reader that never connects delays the end of a closed socket's monitor only
// for a moment, and the end of a context not at all.
func TestMonitorWithoutReaderEnds(t *testing.T) {
	readersComeIn(t, 50*time.Millisecond)
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	require.NoError(t, soc.Close())
	relayGone(t, ctx)

	readersComeIn(t, time.Hour)
	soc = newSocket(t, ctx, PULL)
	require.NoError(t, soc.Monitor("inproc://events", EVENT_ALL))
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
}

// readersComeIn changes the time that a reader has to come for what is left. It
// is called before the context is made.
func readersComeIn(t *testing.T, d time.Duration) {
	t.Helper()
	before := readerComes
	readerComes = d
	t.Cleanup(func() { readerComes = before })
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

// Whoever has read EVENT_MONITOR_STOPPED can use the address again at once, for
// the same socket or another.
func TestMonitorAddressIsFree(t *testing.T) {
	readersComeIn(t, limit)
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
	readersComeIn(t, limit)
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

// A further Monitor ends the previous one even if it fails, as with pebbe/zmq4.
func TestMonitorReplacedByFailure(t *testing.T) {
	readersComeIn(t, limit)
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

// A late reader gets some of the events; the rest is logged as dropped.
func TestMonitorDropped(t *testing.T) {
	readersComeIn(t, limit)
	var log syncBuffer
	ctx := newContext(t, WithLogger(log.logger()))
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
	line := log.line(t, "zmqsafe: monitor events were dropped")
	require.EqualValues(t, n-got, line["dropped"])
	require.Contains(t, line["socket"], "PULL")
	require.Contains(t, line["made_at"], "zmqsafe/main_test.go:")
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

func TestMonitorEvent(t *testing.T) {
	tests := []struct {
		event MonitorEvent
		err   error
		text  string
	}{
		{MonitorEvent{EVENT_LISTENING, "tcp://127.0.0.1:5555", 7}, nil, "EVENT_LISTENING tcp://127.0.0.1:5555"},
		{MonitorEvent{EVENT_CONNECT_RETRIED, "tcp://127.0.0.1:5555", 100}, nil, "EVENT_CONNECT_RETRIED tcp://127.0.0.1:5555, again in 100ms"},
		{MonitorEvent{EVENT_CONNECT_DELAYED, "tcp://x:1", int(syscall.EINPROGRESS)}, nil, "EVENT_CONNECT_DELAYED tcp://x:1"},
		{MonitorEvent{EVENT_ACCEPT_FAILED, "tcp://x:1", int(syscall.EMFILE)}, Errno(syscall.EMFILE), "EVENT_ACCEPT_FAILED tcp://x:1: too many open files"},
		{MonitorEvent{EVENT_HANDSHAKE_FAILED_AUTH, "tcp://x:1", 400}, Errno(syscall.EACCES), "EVENT_HANDSHAKE_FAILED_AUTH tcp://x:1: zmqsafe: authentication failed with ZAP status 400: permission denied"},
		{MonitorEvent{EVENT_HANDSHAKE_FAILED_PROTOCOL, "tcp://x:1", 0x11000002}, Errno(syscall.EPROTO), "EVENT_HANDSHAKE_FAILED_PROTOCOL tcp://x:1: zmqsafe: the handshake with this peer failed with ZMQ_PROTOCOL_ERROR 0x11000002: protocol error"},
		{MonitorEvent{EVENT_MONITOR_STOPPED, "", 0}, nil, "EVENT_MONITOR_STOPPED"},
		{MonitorEvent{}, nil, "<NONE>"},
	}
	for _, tt := range tests {
		assert.ErrorIs(t, tt.event.Err(), tt.err)
		assert.Equal(t, tt.text, tt.event.String())
	}
	assert.Error(t, MonitorEvent{EVENT_HANDSHAKE_FAILED_NO_DETAIL, "tcp://x:1", 0}.Err())
	assert.Equal(t, 100*time.Millisecond, MonitorEvent{EVENT_CONNECT_RETRIED, "", 100}.RetryInterval())
	assert.Zero(t, MonitorEvent{EVENT_CONNECTED, "", 100}.RetryInterval())
}

// The events of failures, as libzmq reports them.
func TestMonitorEventsOfFailures(t *testing.T) {
	ctx := newContext(t)
	server := newSocket(t, ctx, PULL)
	require.NoError(t, server.SetPlainServer(1)) // and the client isn't PLAIN
	require.NoError(t, server.Bind("tcp://127.0.0.1:*"))
	endpoint, err := server.GetLastEndpoint()
	require.NoError(t, err)
	first := func(endpoint string, kind Event) (event MonitorEvent) {
		client := newSocket(t, ctx, PUSH)
		bound, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		events := client.Events(bound, kind)
		require.NoError(t, client.Connect(endpoint))
		for event, err = range events {
			require.NoError(t, err)
			break
		}
		require.Equal(t, kind, event.Event)
		return event
	}
	refused := first(endpoint, EVENT_HANDSHAKE_FAILED_PROTOCOL)
	assert.Equal(t, Errno(syscall.EPROTO), AsErrno(refused.Err()))
	assert.Equal(t, 0x11000002, refused.Value, "ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH")
	assert.Positive(t, first("tcp://127.0.0.1:1", EVENT_CONNECT_RETRIED).RetryInterval())
}
