package zmqsafe

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// newPlain makes a context with nothing set, as most programs do.
func newPlain(t *testing.T, options ...Option) *Context {
	t.Helper()
	ctx, err := NewContext(append(options, WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))...)
	require.NoError(t, err)
	return ctx
}

func within5s(t *testing.T) context.Context {
	t.Helper()
	bound, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return bound
}

// A peer that starts again, or is slow, gets what was sent, as long as Shutdown has
// time: longer than the default of LINGER.
func TestShutdownDeliversUntilItsDeadline(t *testing.T) {
	const messages = 1000
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := "tcp://" + l.Addr().String()
	require.NoError(t, l.Close()) // the peer is down
	sender := newPlain(t)
	push := newSocket(t, sender, PUSH)
	require.NoError(t, push.Connect(endpoint))
	for i := range messages {
		sendText(t, push, strconv.Itoa(i))
	}
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- sender.Shutdown(within5s(t)) }()
	late := linger.DefaultDuration * 5 / 4
	time.Sleep(late)
	assert.Empty(t, done)
	pull := newSocket(t, newContext(t), PULL)
	require.NoError(t, pull.Bind(endpoint))
	for i := range messages {
		got, err := pull.Recv(0)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(i), got)
	}
	require.NoError(t, waitFor(t, "Shutdown", done))
	assert.Less(t, time.Since(began), 5*time.Second)
	s := sender.Report().Sockets[0]
	assert.Equal(t, Gone, s.Outcome)
	assert.Equal(t, linger.Default, s.Linger)
	assert.True(t, outlasts(s.Lingers, 4*time.Second), "%v", s.Lingers)
	assert.Contains(t, s.String(), "LINGER 1s stretched to 4.")
	assert.Contains(t, sender.Report().String(), "s, not 1s")
}

// What nobody gets is an error at the deadline, not a warning.
func TestShutdownWithADeadPeerIsAnError(t *testing.T) {
	ctx := newPlain(t)
	sendToNobody(t, ctx)
	bound, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := ctx.Shutdown(bound)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "stretched to 1.3")
	assert.Greater(t, time.Since(began), 1300*time.Millisecond)
}

// A LINGER that was set isn't stretched, nor is one where no deadline is given.
func TestWhatIsSetIsNotStretched(t *testing.T) {
	const short = 50 * time.Millisecond
	for name, c := range map[string]struct {
		make func(t *testing.T) *Context
		want linger.Policy
	}{
		"WithLinger":          {func(t *testing.T) *Context { return newPlain(t, WithLinger(linger.MustFor(short))) }, linger.MustFor(short)},
		"the default by name": {func(t *testing.T) *Context { return newPlain(t, WithLinger(linger.Default)) }, linger.Default},
		"SetLinger":           {func(t *testing.T) *Context { return newPlain(t) }, linger.MustFor(short)},
		"SetBlocky": {func(t *testing.T) *Context {
			ctx := newPlain(t)
			require.NoError(t, ctx.SetBlocky(false))
			return ctx
		}, linger.Drop},
		"environment": {func(t *testing.T) *Context {
			t.Setenv(LingerVariable, short.String())
			return newPlain(t)
		}, linger.MustFor(short)},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := c.make(t)
			soc := sendToNobody(t, ctx)
			if name == "SetLinger" {
				require.NoError(t, soc.SetLinger(short))
			}
			require.NoError(t, ctx.Shutdown(within5s(t)))
			assert.Equal(t, c.want, ctx.Report().Sockets[0].Lingers)
		})
	}
}

func TestOnlyShutdownWithADeadlineStretches(t *testing.T) {
	for name, end := range map[string]func(*Context) error{
		"Close":               (*Context).Close,
		"Term":                (*Context).Term,
		"Shutdown, no bounds": func(ctx *Context) error { return ctx.Shutdown(context.Background()) },
	} {
		ctx := newPlain(t)
		sendToNobody(t, ctx)
		require.NoError(t, end(ctx), name)
		s := ctx.Report().Sockets[0]
		assert.Equal(t, linger.Default, s.Lingers, name)
		assert.Equal(t, RanOut, s.Outcome, name)
	}
}

// A subscription that nobody takes holds nothing up.
func TestSubscriptionsAreNotWaitedFor(t *testing.T) {
	ctx := newPlain(t)
	for _, typ := range []Type{SUB, XSUB, PULL, REP, ROUTER, REQ, DEALER, PUB, XPUB, PAIR, PUSH} {
		soc := newSocket(t, ctx, typ)
		require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
		if typ == SUB {
			require.NoError(t, soc.SetSubscribe("topic"))
		}
		if typ == XSUB {
			sendText(t, soc, "\x01topic")
		}
	}
	began := time.Now()
	require.NoError(t, ctx.Shutdown(within5s(t)))
	assert.Less(t, time.Since(began), 2*time.Second)
}
