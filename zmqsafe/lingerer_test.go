package zmqsafe

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// The waker knows when libzmq is done with a socket, whatever becomes of the number
// of its descriptor and whoever has duplicates of it.
func TestWakerKnowsWhatLibzmqHolds(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.MustFor(200*time.Millisecond)))
	w := &ctx.c.waker
	soc := sendToNobody(t, ctx)
	require.NoError(t, soc.s.lock())
	fd, err := soc.s.raw.GetFd()
	soc.s.unlock(0)
	require.NoError(t, err)
	dup, err := syscall.Dup(fd)
	require.NoError(t, err)
	defer syscall.Close(dup)
	assert.False(t, w.holds(fd), "not followed yet")
	require.NoError(t, soc.Close())
	assert.True(t, w.holds(fd))
	require.Len(t, ctx.c.lingering, 1)
	assert.Equal(t, fd, ctx.c.lingering[0].fd)
	require.Eventually(t, func() bool { return !w.holds(fd) }, limit, time.Millisecond)
	other := newSocket(t, ctx, PUSH)
	assert.False(t, w.holds(fd), "%v may have the number now", other)
}

// A program that goes on closing sockets has no list that grows.
func TestClosedSocketsAreForgotten(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Default))
	pull := newSocket(t, ctx, PULL)
	require.NoError(t, pull.Bind(inproc(t)))
	for range 1000 {
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect(inproc(t)))
		_, err = soc.Send("x", 0)
		require.NoError(t, err)
		_, err = pull.Recv(0)
		require.NoError(t, err)
		require.NoError(t, soc.Close())
	}
	ctx.c.mu.Lock()
	kept := len(ctx.c.lingering)
	ctx.c.mu.Unlock()
	assert.Less(t, kept, 500)
}
