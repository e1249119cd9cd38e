package zmqsafetest

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestNewContextClosesAtTheEnd(t *testing.T) {
	var ctx *zmqsafe.Context
	t.Run("a test", func(t *testing.T) {
		var made string
		ctx, made = NewContext(t), here()
		_, err := ctx.NewSocket(zmqsafe.PULL)
		require.NoError(t, err)
		infos := zmqsafe.Contexts()
		require.Len(t, infos, 1)
		assert.Equal(t, made, infos[0].Site)
	})
	require.True(t, ctx.Report().Done)
	assert.NoError(t, findAtOnce(t))
}

func TestATestMayCloseItsContext(t *testing.T) {
	fake := &fakeTB{TB: t}
	ctx := NewContext(fake)
	require.NoError(t, ctx.Close())
	fake.cleanUp()
	assert.Empty(t, fake.errors)
	assert.Empty(t, fake.out.String())
}

func TestADeadPeerDoesNotHoldTheEndOfATest(t *testing.T) {
	fake := &fakeTB{TB: t}
	ctx := NewContext(fake, zmqsafe.WithLinger(linger.Forever))
	newSender(t, ctx)
	fake.cleanUp()
	assert.Empty(t, fake.errors)
	report := ctx.Report()
	require.Len(t, report.Sockets, 1)
	lingers, finite := report.Sockets[0].EffectiveLinger.Duration()
	assert.True(t, finite)
	assert.LessOrEqual(t, lingers, unsent)
	assert.Regexp(t, `msg="zmqsafe: context closed at its deadline; unsent messages may be lost" made_at=zmqsafetest/\S+ took=\S+ ran_out="DEALER socket made at zmqsafetest/`,
		fake.out.String(), "what the context logs")
}

func TestLingerIsThatOfTheProgram(t *testing.T) {
	ctx := NewContext(t)
	soc, err := ctx.NewSocket(zmqsafe.PUSH)
	require.NoError(t, err)
	d, err := soc.GetLinger()
	require.NoError(t, err)
	assert.Equal(t, time.Second, d)
}

func TestAHangFailsItsTest(t *testing.T) {
	fake := &fakeTB{TB: t}
	ctx := NewContext(fake, zmqsafe.WithCloseTimeout(10*time.Millisecond))
	soc, release := newHolder(t, ctx)
	require.NoError(t, soc.Close())
	fake.cleanUp()
	require.Len(t, fake.errors, 1)
	assert.Contains(t, fake.errors[0], "zmqsafetest: the context isn't closed")
	assert.Contains(t, fake.errors[0], context.DeadlineExceeded.Error())
	assert.Regexp(t, `DEALER +holding .*forever`, fake.errors[0])
	assert.Contains(t, fake.errors[0], "goroutine ")
	assert.Contains(t, fake.errors[0], "TestAHangFailsItsTest")

	logged := fake.out.String()
	assert.Contains(t, logged, `msg="zmqsafe: context not closed in time`)
	require.Error(t, shutdownFor(ctx, time.Millisecond))
	assert.Equal(t, logged, fake.out.String(), "what is logged after the test is dropped")
	release()
	require.NoError(t, ctx.Close())
}

func TestNewContextFailsTheTestForABadOption(t *testing.T) {
	fake := &fakeTB{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		NewContext(fake, zmqsafe.WithCloseTimeout(-time.Second))
		t.Error("NewContext has returned")
	}()
	<-ended
	require.Len(t, fake.errors, 1)
	assert.Contains(t, fake.errors[0], "WithCloseTimeout(-1s): want a positive duration")
	assert.Empty(t, fake.cleanups)
}

// newSender makes a socket with a message for a peer that isn't there, and
// returns the endpoint of the peer. The socket lives as long as the test:
// zmqsafe would close one that is no longer referenced.
func newSender(t *testing.T, ctx *zmqsafe.Context) (soc *zmqsafe.Socket, endpoint string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "") // t.TempDir may be too long for a socket's name
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	endpoint = "ipc://" + filepath.Join(dir, "peer")
	soc, err = ctx.NewSocket(zmqsafe.DEALER)
	require.NoError(t, err)
	t.Cleanup(func() { runtime.KeepAlive(soc) })
	require.NoError(t, soc.Connect(endpoint))
	_, err = soc.Send("unsent", 0)
	require.NoError(t, err)
	return soc, endpoint
}

// newHolder makes a socket that, once it is closed, holds the close of ctx
// until release is called: its LINGER can no longer be cut.
func newHolder(t *testing.T, ctx *zmqsafe.Context) (soc *zmqsafe.Socket, release func()) {
	t.Helper()
	soc, endpoint := newSender(t, ctx)
	require.NoError(t, soc.SetLinger(-1))
	return soc, func() {
		peers := newContext(t)
		peer, err := peers.NewSocket(zmqsafe.DEALER)
		require.NoError(t, err)
		defer runtime.KeepAlive(peer) // it has to receive
		require.NoError(t, peer.Bind(endpoint))
		bound, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		require.NoError(t, ctx.Shutdown(bound))
		require.NoError(t, peers.Close())
	}
}

func shutdownFor(ctx *zmqsafe.Context, d time.Duration) error {
	bound, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return ctx.Shutdown(bound)
}
