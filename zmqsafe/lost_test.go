package zmqsafe

import (
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLostSocketIsReportedAndClosed(t *testing.T) {
	var log syncBuffer
	ctx, err := NewContext(WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	require.NoError(t, err)
	func() {
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
	}()
	eventuallyCollected(t, func() bool { return len(ctx.Sockets()) == 0 })
	assert.Contains(t, log.String(), "PUSH socket made at zmqsafe/lost_test.go:")
	assert.Contains(t, log.String(), "lost without Close")
	require.NoError(t, ctx.Close())
}

func TestLostContextIsReportedAndClosed(t *testing.T) {
	var log syncBuffer
	before := openDescriptors(t)
	func() {
		ctx, err := NewContext(WithLogger(slog.New(slog.NewTextHandler(&log, nil))), WithCloseTimeout(100*time.Millisecond))
		require.NoError(t, err)
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
		_, err = soc.Send("unsent", 0)
		require.NoError(t, err)
	}()
	eventuallyCollected(t, func() bool { return openDescriptors(t) <= before })
	assert.Contains(t, log.String(), "context made at zmqsafe/lost_test.go:")
	// With raw no finalizer ever runs again after this.
	collectGarbage(t)
}

// Sockets that their context closed are not lost, and one that is in use isn't
// either.
func TestNotLost(t *testing.T) {
	ctx := newContext(t) // fails the test for anything that is logged
	received := make(chan error)
	func() {
		soc, err := ctx.NewSocket(PULL)
		require.NoError(t, err)
		go func() { _, err := soc.Recv(0); received <- err }()
	}()
	for range 3 {
		runtime.GC()
	}
	require.Len(t, ctx.Sockets(), 1)
	require.NoError(t, ctx.Close())
	assert.Equal(t, ETERM, waitFor(t, "Recv", received))
	collectGarbage(t)
}

// A socket keeps its context.
func TestSocketKeepsItsContext(t *testing.T) {
	soc := func() *Socket {
		ctx, err := NewContext()
		require.NoError(t, err)
		soc, err := ctx.NewSocket(PAIR)
		require.NoError(t, err)
		return soc
	}()
	collectGarbage(t)
	require.NoError(t, soc.Bind(inproc(t)))
	ctx, err := soc.Context()
	require.NoError(t, err)
	require.NoError(t, ctx.Close())
}

func eventuallyCollected(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		runtime.GC()
		return done()
	}, limit, time.Millisecond)
}
