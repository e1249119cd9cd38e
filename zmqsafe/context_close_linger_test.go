package zmqsafe

import (
	"context"
	"io"
	"log/slog"
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
	ctx, err := NewContextWith(append(options, WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))...)
	require.NoError(t, err)
	return ctx
}

func withinLimit(t *testing.T) context.Context {
	t.Helper()
	bound, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return bound
}

// A peer that restarts or is slow gets what was sent, as long as Shutdown has
// time, even beyond the default LINGER.
func TestShutdownDeliversUntilItsDeadline(t *testing.T) {
	t.Parallel()
	const messages = 1000
	endpoint := deadPort(t)
	sender := newPlain(t)
	push := newSocket(t, sender, PUSH)
	require.NoError(t, push.Connect(endpoint))
	for i := range messages {
		sendText(t, push, strconv.Itoa(i))
	}
	done := make(chan error, 1)
	go func() { done <- sender.Shutdown(withinLimit(t)) }()
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
	s := sender.Report().Sockets[0]
	assert.Equal(t, Gone, s.Outcome)
	assert.Equal(t, linger.Default, s.Linger)
	assert.True(t, outlasts(s.EffectiveLinger, late), "%v", s.EffectiveLinger)
	assert.Contains(t, s.String(), "LINGER 1s extended to "+s.EffectiveLinger.String())
	assert.Contains(t, sender.Report().String(), "s, not 1s")
}

// Messages that nobody gets are an error at the deadline, not only a warning.
func TestShutdownWithADeadPeerIsAnError(t *testing.T) {
	t.Parallel()
	ctx := newPlain(t)
	sendToNobody(t, ctx)
	bound, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	began := time.Now()
	err := ctx.Shutdown(bound)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Regexp(t, `extended to [12]\.`, err.Error())
	assert.Greater(t, time.Since(began), 2500*time.Millisecond)
}

// A LINGER that was set isn't extended.
func TestWhatIsSetIsNotExtended(t *testing.T) {
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
			soc := newSocket(t, ctx, PUSH)
			if name == "SetLinger" {
				require.NoError(t, soc.SetLinger(short))
			}
			require.NoError(t, ctx.Shutdown(withinLimit(t)))
			assert.Equal(t, c.want, ctx.Report().Sockets[0].EffectiveLinger)
		})
	}
}

// Without a deadline no LINGER is extended.
func TestOnlyShutdownWithADeadlineExtends(t *testing.T) {
	for name, end := range map[string]func(*Context) error{
		"Close":               (*Context).Close,
		"Term":                (*Context).Term,
		"Shutdown, no bounds": func(ctx *Context) error { return ctx.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := newPlain(t)
			sendToNobody(t, ctx)
			require.NoError(t, end(ctx))
			s := ctx.Report().Sockets[0]
			assert.Equal(t, linger.Default, s.EffectiveLinger)
			assert.Equal(t, RanOut, s.Outcome)
		})
	}
}

// A subscription that nobody receives holds nothing up.
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
	require.NoError(t, ctx.Shutdown(withinLimit(t)))
	assert.Less(t, ctx.Report().Took, limit/2, "a linger lasts until the deadline")
}
