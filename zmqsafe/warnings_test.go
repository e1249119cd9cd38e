package zmqsafe

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// A warning is logged once for each line of the program, and counted.
func TestWarnings(t *testing.T) {
	var log syncBuffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	here := caller(0)
	there := caller(0)
	for range 3 {
		placed{logger, "made_at", here}.Warn("a warning of this test")
	}
	placed{logger, "made_at", there}.Warn("a warning of this test", "socket", "PUSH")

	type line struct {
		Level, Msg, Socket string
		Site               string `json:"made_at"`
		Times              int
	}
	require.Eventually(t, func() bool { return strings.Count(log.String(), "\n") == 4 }, limit, time.Millisecond)
	var lines []line
	for decoder := json.NewDecoder(strings.NewReader(log.String())); decoder.More(); {
		var l line
		require.NoError(t, decoder.Decode(&l))
		lines = append(lines, l)
	}
	const text = "a warning of this test"
	require.Equal(t, []line{
		{"WARN", text, "", here.String(), 0},
		{"DEBUG", text, "", here.String(), 2},
		{"DEBUG", text, "", here.String(), 3},
		{"WARN", text, "PUSH", there.String(), 0},
	}, lines)
}

// nosyLogger has a handler that calls each before it is done with a line.
func nosyLogger(each func(slog.Record)) *slog.Logger {
	return slog.New(&callingHandler{slog.NewTextHandler(new(syncBuffer), &slog.HandlerOptions{Level: slog.LevelDebug}), each})
}

type callingHandler struct {
	slog.Handler
	each func(slog.Record)
}

func (h *callingHandler) Handle(ctx context.Context, r slog.Record) error {
	h.each(r)
	return h.Handler.Handle(ctx, r)
}

func (h *callingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &callingHandler{h.Handler.WithAttrs(attrs), h.each}
}

// Everything that logs goes on while the handler hangs, and the context says
// that it is closed.
func TestLoggerHangs(t *testing.T) {
	unsent := func(t *testing.T, ctx *Context, typ Type) *Socket {
		soc := newSocket(t, ctx, typ)
		require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
		_, err := soc.SendMessage("unsent")
		require.NoError(t, err)
		return soc
	}
	tests := []struct {
		name    string
		options []Option
		call    func(t *testing.T, ctx *Context)
		want    []string // messages
	}{
		{"Close, all is well", nil, func(t *testing.T, ctx *Context) {
			newSocket(t, ctx, PAIR)
			require.NoError(t, ctx.Close())
		}, []string{"zmqsafe: context closed"}},
		{"Close, LINGER runs out", []Option{WithLinger(linger.MustFor(20 * time.Millisecond))}, func(t *testing.T, ctx *Context) {
			unsent(t, ctx, PUSH)
			require.NoError(t, ctx.Close())
		}, []string{"zmqsafe: LINGER ran out; unsent messages may be lost"}},
		{
			"Close, at the deadline, after a warning",
			[]Option{WithLinger(linger.MustFor(time.Minute)), WithCloseTimeout(time.Second)},
			func(t *testing.T, ctx *Context) {
				unsent(t, ctx, DEALER)
				require.Error(t, ctx.Close())
			},
			[]string{"zmqsafe: context still isn't closed", "zmqsafe: context closed at its deadline; unsent messages may be lost"},
		},
		{"Shutdown, given up", []Option{WithCloseWait(false)}, func(t *testing.T, ctx *Context) {
			arrives := lingering(t, ctx)
			bound, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, ctx.Shutdown(bound), context.DeadlineExceeded)
			arrives()
			require.NoError(t, ctx.Close())
		}, []string{"zmqsafe: context not closed in time; unsent messages may be lost"}},
		{"a report that can't be written", nil, func(t *testing.T, ctx *Context) {
			reportsTo(t, t.TempDir())
			require.NoError(t, ctx.Close())
		}, []string{cantWrite, "zmqsafe: context closed"}},
		{"a monitor", nil, func(t *testing.T, ctx *Context) {
			soc, reader := newSocket(t, ctx, PULL), newSocket(t, ctx, PAIR)
			require.NoError(t, soc.Monitor(inproc(t), EVENT_LISTENING|EVENT_MONITOR_STOPPED))
			bindAndUnbind(t, soc, 2*relayQueue)
			require.NoError(t, reader.Connect(inproc(t)))
			require.NoError(t, soc.Monitor("", 0))
			events, _ := readEvents(reader)
			for waitFor(t, "events", events).kind != EVENT_MONITOR_STOPPED {
			}
			relayGone(t, ctx)
			require.NoError(t, ctx.Close())
		}, []string{"zmqsafe: monitor events were dropped"}},
		{"authentication", nil, func(t *testing.T, _ *Context) {
			newAuth(t)
			AuthSetVerbose(true)
			AuthAllow("d", "localhost")
			require.NoError(t, AuthStart())
			ask(t, "1.0", "1", "e", "1.2.3.4", "", "NULL")
			AuthStop()
		}, []string{"zmqsafe: authentication: started", "zmqsafe: authentication: peer admitted", "zmqsafe: authentication: stopped"}},
		{"a reactor", nil, func(t *testing.T, _ *Context) {
			reactor := NewReactor()
			reactor.SetVerbose(true)
			values := make(chan any, 1)
			values <- map[string]int{"n": 1}
			over := errors.New("over")
			reactor.AddChannel(values, 0, func(any) error { return over })
			require.Equal(t, over, reactor.Run(time.Second))
		}, []string{"zmqsafe: reactor: value"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			hangs, messages := make(chan struct{}), make(chan string, 100)
			logger := nosyLogger(func(r slog.Record) { <-hangs; messages <- r.Message })
			defer slog.SetDefault(slog.Default())
			slog.SetDefault(logger)
			ctx, err := NewContextWith(append(test.options, WithLogger(logger))...)
			require.NoError(t, err)
			bounded(t, test.name, func() { test.call(t, ctx) })
			bounded(t, "Close", func() { _ = ctx.Close() })
			assert.True(t, ctx.Report().Done)
			close(hangs)
			for _, want := range test.want {
				for waitFor(t, want, messages) != want {
				}
			}
		})
	}
}

// A handler that writes to a socket of the context that logs, or closes it.
func TestLoggerUsesItsContext(t *testing.T) {
	var ctx *Context
	var soc *Socket
	handled := make(chan struct{}, 10)
	logger := nosyLogger(func(r slog.Record) {
		_, err := soc.SendMessage(r.Message)
		assert.ErrorIs(t, err, ErrorSocketClosed)
		assert.NoError(t, ctx.Close())
		assert.NoError(t, ctx.Term())
		handled <- struct{}{}
	})
	ctx, err := NewContextWith(WithLogger(logger))
	require.NoError(t, err)
	soc, err = ctx.NewSocket(PUSH)
	require.NoError(t, err)
	require.NoError(t, soc.Close())
	bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
	waitFor(t, "the handler", handled)
}
